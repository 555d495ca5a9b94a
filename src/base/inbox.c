#include "base/inbox.h"

#include <assert.h>
#include <string.h>

int inbox_add(struct inbox *inbox, struct buffers *store, struct view bytes)
{
    struct buffer *old = inbox->buffer;
    size_t waiting = old ? old->size : 0;
    if (bytes.size == 0)
        return OK;
    if (!old || old->capacity - waiting < bytes.size) {
        struct buffer *wider;
        int status = buffers_take(store, waiting + bytes.size, &wider);
        if (status != OK)
            return status;
        if (waiting)
            memcpy(wider->bytes, old->bytes, waiting);
        buffer_give(store, old);
        inbox->buffer = wider;
    }
    memcpy(inbox->buffer->bytes + waiting, bytes.at, bytes.size);
    inbox->buffer->size = (uint32_t)(waiting + bytes.size);
    return OK;
}

struct span inbox_bytes(const struct inbox *inbox)
{
    if (!inbox->buffer)
        return (struct span){ NULL, 0 };
    return (struct span){ inbox->buffer->bytes, inbox->buffer->size };
}

void inbox_used(struct inbox *inbox, struct buffers *store, size_t size)
{
    struct buffer *buffer = inbox->buffer;
    if (size == 0)
        return;
    assert(buffer && size <= buffer->size);
    if (size == buffer->size) {
        inbox_clear(inbox, store);
        return;
    }
    memmove(buffer->bytes, buffer->bytes + size, buffer->size - size);
    buffer->size -= (uint32_t)size;
}

void inbox_clear(struct inbox *inbox, struct buffers *store)
{
    buffer_give(store, inbox->buffer);
    inbox->buffer = NULL;
}
