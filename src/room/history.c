#include "room/history.h"

#include <assert.h>

bool audience_has(const struct audience *audience, uint32_t number)
{
    switch (audience->kind) {
    case AUDIENCE_ALL:
        return true;
    case AUDIENCE_OTHERS:
        return number != audience->from;
    case AUDIENCE_ONE:
        return number == audience->to;
    case AUDIENCE_PAIR:
        return number == audience->from || number == audience->to;
    }
    return false;
}

static void remove_first(struct history *history, struct history_store *store)
{
    struct history_entry *entry = history->first;
    history->first = entry->next;
    if (!history->first)
        history->last = NULL;
    history->count--;
    history->bytes -= entry->buffer->capacity;
    store->bytes -= entry->buffer->capacity;
    buffer_give(store->buffers, entry->buffer);
    pool_give(&store->entries, entry);
}

static bool has_place(const struct history *history, const struct history_store *store, size_t size)
{
    size_t bytes = history->bytes + size;
    return history->count < HISTORY_ENTRIES_MAX && bytes <= HISTORY_BYTES_MAX &&
           history->count < store->entries.count_max - store->entries.used &&
           bytes <= store->bytes_max - store->bytes;
}

void history_add(struct history *history, struct history_store *store, uint64_t seq,
                 const struct audience *audience, struct buffer *buffer)
{
    while (history->first && !has_place(history, store, buffer->capacity)) {
        history->dropped = history->first->seq;
        remove_first(history, store);
    }
    if (!has_place(history, store, buffer->capacity)) {
        history->dropped = seq;
        return;
    }
    struct history_entry *entry = pool_take(&store->entries);
    assert(entry);
    *entry =
        (struct history_entry){ .seq = seq, .audience = *audience, .buffer = buffer_share(buffer) };
    if (history->last)
        history->last->next = entry;
    else
        history->first = entry;
    history->last = entry;
    history->count++;
    history->bytes += buffer->capacity;
    store->bytes += buffer->capacity;
}

void history_trim(struct history *history, struct history_store *store, uint64_t seq)
{
    while (history->first && history->first->seq <= seq)
        remove_first(history, store);
}

const struct history_entry *history_next(const struct history *history,
                                         const struct history_entry *after, uint64_t seq,
                                         uint32_t number)
{
    const struct history_entry *entry = after ? after->next : history->first;
    while (entry && (entry->seq <= seq || !audience_has(&entry->audience, number)))
        entry = entry->next;
    return entry;
}

void history_clear(struct history *history, struct history_store *store)
{
    while (history->first)
        remove_first(history, store);
}
