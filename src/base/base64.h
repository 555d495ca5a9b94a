/* base64.h - writes base64 (RFC 4648): the standard alphabet with padding, and the URL-safe one
 * without. */
#ifndef MOIM_BASE_BASE64_H
#define MOIM_BASE_BASE64_H

#include "base/view.h"

/* Room for the text of `size` bytes and its NUL. */
#define BASE64_SIZE(size) (((size) + 2) / 3 * 4 + 1)

/* Writes text and NUL into out, which has BASE64_SIZE(v.size) bytes; gives the text's length. */
size_t base64_write(struct view v, char *out);
size_t base64url_write(struct view v, char *out);

#endif
