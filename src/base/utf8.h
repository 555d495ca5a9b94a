/* utf8.h - checks UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing over U+10FFFF. */
#ifndef MOIM_BASE_UTF8_H
#define MOIM_BASE_UTF8_H

#include "base/view.h"

/* Whether all of v is whole, valid UTF-8.  O(size); ASCII goes eight bytes at a time. */
bool utf8_valid(struct view v);

/* Whether valid UTF-8 in v holds a control character (C0, DEL or C1). */
bool utf8_has_control(struct view v);

#endif
