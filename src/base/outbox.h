/* outbox.h - what waits to be sent on one stream: a bounded queue of shared buffers.
 *
 * An empty outbox owns no memory.  Entries come from a pool that all outboxes of a worker share.
 */
#ifndef MOIM_BASE_OUTBOX_H
#define MOIM_BASE_OUTBOX_H

#include "base/buffer.h"
#include "base/pool.h"

struct outbox_entry {
    struct outbox_entry *next;
    struct buffer *buffer; /* NULL: the bytes are static and nobody's */
    struct view bytes;     /* what of it is still to be sent */
};

struct outbox {
    struct outbox_entry *first;
    struct outbox_entry *last;
    size_t size;    /* bytes waiting */
    uint32_t count; /* entries */
};

/* Where outboxes take their entries from and give their buffers back to. */
struct outbox_store {
    struct pool entries; /* of struct outbox_entry */
    struct buffers *buffers;
};

/* Queues all of a buffer, and takes a reference of its own.
 *   ERR_LIMIT   size_max bytes would be passed, or no entries are left: nothing was queued. */
MUST_USE int outbox_put(struct outbox *outbox, struct outbox_store *store, struct buffer *buffer,
                        size_t size_max);

/* Queues bytes that outlive the program's streams (embedded files).  Errors as outbox_put. */
MUST_USE int outbox_put_static(struct outbox *outbox, struct outbox_store *store, struct view bytes,
                               size_t size_max);

/* The first `most` runs of waiting bytes, in order; gives how many there are.  They are borrowed
 * until outbox_sent or outbox_clear. */
size_t outbox_peek(const struct outbox *outbox, struct view *runs, size_t most);

/* `size` bytes (at most outbox->size) have been sent. */
void outbox_sent(struct outbox *outbox, struct outbox_store *store, size_t size);

void outbox_clear(struct outbox *outbox, struct outbox_store *store);

#endif
