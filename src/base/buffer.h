/* buffer.h - byte buffers with a reference count, out of one fixed budget of memory.
 *
 * A message is written once into a buffer and shared by all the queues and logs it goes through.
 * One thread.  Five sizes; a page of the budget belongs to one size while any of its buffers is in
 * use, and goes back to all when none is, so no pattern of use can lock the memory up in one size.
 * The few that are larger still come from the heap one by one, and go back to it at once; they may
 * have a quarter of the budget beside it.
 */
#ifndef MOIM_BASE_BUFFER_H
#define MOIM_BASE_BUFFER_H

#include "base/status.h"
#include "base/view.h"

/* What the largest buffer of the pages holds: a message of 64 KiB and its framing. */
#define BUFFER_SIZE_MAX (68 * 1024)
/* What the largest of all holds: a message of 1 MiB in which every other byte was escaped. */
#define BUFFER_LARGE_MAX (32 * BUFFER_SIZE_MAX)

struct buffer {
    uint32_t references;
    uint32_t size;           /* bytes written so far; the writer keeps it */
    uint32_t capacity;       /* bytes that fit */
    uint32_t page;           /* where it came from; the store's alone */
    struct buffer *deflated; /* the same message in another encoding, once someone asked for it */
    uint8_t bytes[];
};

struct buffers;

/* A store of `budget` bytes, reserved now and touched as it is used.  ERR_MEMORY. */
MUST_USE int buffers_new(size_t budget, struct buffers **out);
/* Every buffer must have been given back (an assertion).  NULL is accepted. */
void buffers_free(struct buffers *store);

/* A buffer that holds at least `size` bytes, with one reference; its size is 0.
 *   ERR_LIMIT   the budget is used up, or size is over BUFFER_LARGE_MAX. */
MUST_USE int buffers_take(struct buffers *store, size_t size, struct buffer **out);

static inline struct buffer *buffer_share(struct buffer *buffer)
{
    buffer->references++;
    return buffer;
}

/* Takes one reference back, and the memory with the last one.  NULL is accepted. */
void buffer_give(struct buffers *store, struct buffer *buffer);

/* Bytes handed out, counted in whole buffers: 0 when nothing leaks. */
size_t buffers_used(const struct buffers *store);

static inline struct view buffer_view(const struct buffer *buffer)
{
    return (struct view){ buffer->bytes, buffer->size };
}

#endif
