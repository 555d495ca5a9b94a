/* deflate.h - permessage-deflate (RFC 7692) without context takeover.
 *
 * One pair of zlib streams serves all connections of a worker, since no context outlives a message:
 * an idle connection costs nothing.  One thread.
 */
#ifndef MOIM_WIRE_DEFLATE_H
#define MOIM_WIRE_DEFLATE_H

#include "base/status.h"
#include "base/view.h"

struct deflater;

MUST_USE int deflate_new(struct deflater **out); /* ERR_MEMORY */
void deflate_free(struct deflater *deflater);    /* NULL is accepted */

/* Inflates one whole message (its last frame's 00 00 FF FF tail left off, section 7.2.2) into out.
 *   OK             *size bytes were written.
 *   ERR_LIMIT      it would reach `capacity`: close with 1009.  A bomb costs no more than that.
 *   ERR_MALFORMED  broken, or it ends within a block: close with 1007. */
MUST_USE int deflate_read(struct deflater *deflater, struct view message, uint8_t *out,
                          size_t capacity, size_t *size);

/* Deflates one whole message with a window of 32 KiB, without the tail.
 *   ERR_LIMIT      it does not fit, so sending it as it is is the better choice. */
MUST_USE int deflate_write(struct deflater *deflater, struct view message, uint8_t *out,
                           size_t capacity, size_t *size);

#endif
