/* inbox.h - bytes that came on one stream and make no whole message yet.
 *
 * An empty inbox owns no memory; one that waits for the rest of a message owns one buffer.
 */
#ifndef MOIM_BASE_INBOX_H
#define MOIM_BASE_INBOX_H

#include "base/buffer.h"

struct inbox {
    struct buffer *buffer;
};

/* Adds bytes behind those that wait.  ERR_LIMIT: over BUFFER_LARGE_MAX in all, or the store is used
 * up; the inbox is as it was. */
MUST_USE int inbox_add(struct inbox *inbox, struct buffers *store, struct view bytes);

/* All the waiting bytes; they may be changed in place.  Borrowed until the next inbox_ call. */
struct span inbox_bytes(const struct inbox *inbox);

/* The first `size` bytes have been used; the rest moves to the front. */
void inbox_used(struct inbox *inbox, struct buffers *store, size_t size);

void inbox_clear(struct inbox *inbox, struct buffers *store);

#endif
