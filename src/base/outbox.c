#include "base/outbox.h"

#include <assert.h>

static int put(struct outbox *outbox, struct outbox_store *store, struct buffer *buffer,
               struct view bytes, size_t size_max)
{
    if (bytes.size == 0)
        return OK;
    if (outbox->size + bytes.size > size_max)
        return ERR_LIMIT;
    struct outbox_entry *entry = pool_take(&store->entries);
    if (!entry)
        return ERR_LIMIT;
    entry->buffer = buffer ? buffer_share(buffer) : NULL;
    entry->bytes = bytes;
    if (outbox->last)
        outbox->last->next = entry;
    else
        outbox->first = entry;
    outbox->last = entry;
    outbox->size += bytes.size;
    outbox->count++;
    return OK;
}

int outbox_put(struct outbox *outbox, struct outbox_store *store, struct buffer *buffer,
               size_t size_max)
{
    return put(outbox, store, buffer, buffer_view(buffer), size_max);
}

int outbox_put_static(struct outbox *outbox, struct outbox_store *store, struct view bytes,
                      size_t size_max)
{
    return put(outbox, store, NULL, bytes, size_max);
}

size_t outbox_peek(const struct outbox *outbox, struct view *runs, size_t most)
{
    size_t count = 0;
    for (struct outbox_entry *e = outbox->first; e && count < most; e = e->next)
        runs[count++] = e->bytes;
    return count;
}

static void drop_first(struct outbox *outbox, struct outbox_store *store)
{
    struct outbox_entry *entry = outbox->first;
    outbox->first = entry->next;
    if (!outbox->first)
        outbox->last = NULL;
    outbox->size -= entry->bytes.size;
    outbox->count--;
    buffer_give(store->buffers, entry->buffer);
    pool_give(&store->entries, entry);
}

void outbox_sent(struct outbox *outbox, struct outbox_store *store, size_t size)
{
    assert(size <= outbox->size);
    while (size > 0) {
        struct outbox_entry *entry = outbox->first;
        if (size < entry->bytes.size) {
            entry->bytes = view_slice(entry->bytes, size, entry->bytes.size);
            outbox->size -= size;
            return;
        }
        size -= entry->bytes.size;
        drop_first(outbox, store);
    }
}

void outbox_clear(struct outbox *outbox, struct outbox_store *store)
{
    while (outbox->first)
        drop_first(outbox, store);
}
