/* pattern.h - destinations with wildcards: as path patterns are read.
 *
 * In a segment, '?' is one byte and '*' any number of them; a segment "**" is any number of
 * segments.  All else stands for itself.
 */
#ifndef MOIM_ROOM_PATTERN_H
#define MOIM_ROOM_PATTERN_H

#include "base/view.h"

/* Whether it has a wildcard. */
bool pattern_is(struct view text);

/* In O(pattern.size * name.size). */
bool pattern_matches(struct view pattern, struct view name);

#endif
