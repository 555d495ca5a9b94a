/* base64.h - base64 (RFC 4648): the standard alphabet padded, and the URL-safe one without. */
#ifndef MOIM_BASE_BASE64_H
#define MOIM_BASE_BASE64_H

#include "base/status.h"
#include "base/view.h"

/* Room for the text of `size` bytes and its NUL. */
#define BASE64_SIZE(size) (((size) + 2) / 3 * 4 + 1)

/* Writes text and NUL into out, which has BASE64_SIZE(v.size) bytes; gives the text's length. */
size_t base64_write(struct view v, char *out);
size_t base64url_write(struct view v, char *out);

/* Reads the text of exactly `size` bytes, without padding.
 *   ERR_MALFORMED  another length or alphabet, or bits left over that are not 0: one value has one
 *                  text (section 3.5).  out is not defined then. */
MUST_USE int base64url_read(struct view text, uint8_t *out, size_t size);

#endif
