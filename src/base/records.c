#include "base/records.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 8
#define HEAD_SIZE 8          /* the record's size, and what keeps the record aligned */
#define SKIP      UINT32_MAX /* a size: the next record is at the beginning again */

int records_init(struct records *records, uint32_t size)
{
    assert(size >= 64 && size <= UINT32_C(1) << 30 && (size & (size - 1)) == 0);
    records->bytes = calloc(size, 1);
    if (!records->bytes)
        return ERR_MEMORY;
    records->mask = size - 1;
    records->peeked = 0;
    atomic_init(&records->put_at, 0);
    atomic_init(&records->take_at, 0);
    return OK;
}

void records_free(struct records *records)
{
    free(records->bytes);
    records->bytes = NULL;
}

static uint32_t taken_by(size_t size)
{
    return (uint32_t)(HEAD_SIZE + ((size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1)));
}

int records_put(struct records *records, struct view first, struct view second)
{
    uint32_t put_at = atomic_load_explicit(&records->put_at, memory_order_relaxed);
    uint32_t take_at = atomic_load_explicit(&records->take_at, memory_order_acquire);
    uint32_t whole = records->mask + 1;
    uint32_t room = whole - (put_at - take_at);
    uint32_t offset = put_at & records->mask;
    if (first.size > whole / 3 || second.size > whole / 3 - first.size)
        return ERR_LIMIT;
    uint32_t size = (uint32_t)(first.size + second.size);
    uint32_t skipped = whole - offset < taken_by(size) ? whole - offset : 0;
    if (room < skipped + taken_by(size))
        return ERR_LIMIT;
    if (skipped) {
        memcpy(records->bytes + offset, &(uint32_t){ SKIP }, sizeof(uint32_t));
        offset = 0;
    }
    memcpy(records->bytes + offset, &size, sizeof size);
    uint8_t *at = records->bytes + offset + HEAD_SIZE;
    if (first.size)
        memcpy(at, first.at, first.size);
    if (second.size)
        memcpy(at + first.size, second.at, second.size);
    atomic_store_explicit(&records->put_at, put_at + skipped + taken_by(size),
                          memory_order_release);
    return OK;
}

bool records_peek(struct records *records, struct view *record)
{
    uint32_t take_at = atomic_load_explicit(&records->take_at, memory_order_relaxed);
    uint32_t offset = take_at & records->mask;
    uint32_t skipped = 0;
    uint32_t size;
    if (take_at == atomic_load_explicit(&records->put_at, memory_order_acquire))
        return false;
    memcpy(&size, records->bytes + offset, sizeof size);
    if (size == SKIP) {
        skipped = records->mask + 1 - offset;
        offset = 0;
        memcpy(&size, records->bytes, sizeof size);
    }
    records->peeked = skipped + taken_by(size);
    *record = view_make(records->bytes + offset + HEAD_SIZE, size);
    return true;
}

void records_drop(struct records *records)
{
    uint32_t take_at = atomic_load_explicit(&records->take_at, memory_order_relaxed);
    assert(records->peeked);
    atomic_store_explicit(&records->take_at, take_at + records->peeked, memory_order_release);
    records->peeked = 0;
}
