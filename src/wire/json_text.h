/* json_text.h - looks into JSON text as it stands: no tree, no heap, no copy, any depth.
 *
 * For those who need a field or two of a text that they pass on byte for byte.  It finds where
 * values begin and end, and does not check all that lies between: of text that is no JSON it finds
 * something or nothing, but never reads outside of it.  All is O(size).
 */
#ifndef MOIM_WIRE_JSON_TEXT_H
#define MOIM_WIRE_JSON_TEXT_H

#include "base/status.h"
#include "base/view.h"

/* Takes the first value off a list without its brackets ("1, [2]"), and the comma behind it.
 * False: there is none. */
bool json_text_next(struct view *list, struct view *value);

/* What is between the brackets of an object; false: the value is none. */
bool json_text_members(struct view value, struct view *members);

/* Takes the first member off those of an object, and the comma behind it.  `name` is what is
 * between its quotes.  False: there is none. */
bool json_text_next_member(struct view *members, struct view *name, struct view *value);

/* The first member of that name; false when `object` is none or has none. */
bool json_text_find(struct view object, struct view name, struct view *value);

/* Whether a member's name, with the escapes that may be in it, is that one. */
bool json_text_is_named(struct view written, struct view name);

/* What a string says.  *text is a part of the value when no escapes are in it; else it is in out.
 *   ERR_MALFORMED  it is no string, has a bad escape, half a surrogate pair or U+0000.
 *   ERR_LIMIT      it has escapes and more than `capacity` bytes. */
MUST_USE int json_text_string(struct view value, uint8_t *out, size_t capacity, struct view *text);

#endif
