#include "base/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int pool_init(struct pool *pool, size_t item_size, uint32_t count_max)
{
    assert(item_size >= sizeof(void *));
    item_size = (item_size + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
    uint8_t *items = malloc(item_size * count_max);
    if (!items)
        return ERR_MEMORY;
    *pool = (struct pool){ .items = items, .item_size = item_size, .count_max = count_max };
    return OK;
}

int pool_init_aligned(struct pool *pool, size_t item_size, size_t alignment, uint32_t count_max)
{
    assert(item_size >= sizeof(void *) && alignment >= sizeof(void *));
    assert((alignment & (alignment - 1)) == 0);
    item_size = (item_size + alignment - 1) & ~(alignment - 1);
    uint8_t *items = aligned_alloc(alignment, item_size * count_max);
    if (!items)
        return ERR_MEMORY;
    *pool = (struct pool){ .items = items, .item_size = item_size, .count_max = count_max };
    return OK;
}

void pool_free(struct pool *pool)
{
    free(pool->items);
    *pool = (struct pool){ 0 };
}

void *pool_take(struct pool *pool)
{
    void *item = pool->free;
    if (item)
        memcpy(&pool->free, item, sizeof pool->free);
    else if (pool->touched < pool->count_max)
        item = pool->items + pool->item_size * pool->touched++;
    else
        return NULL;
    pool->used++;
    return memset(item, 0, pool->item_size);
}

void pool_give(struct pool *pool, void *item)
{
    if (!item)
        return;
    assert(pool->used > 0 && pool_index(pool, item) < pool->touched);
    memcpy(item, &pool->free, sizeof pool->free);
    pool->free = item;
    pool->used--;
}

uint32_t pool_index(const struct pool *pool, const void *item)
{
    return (uint32_t)((size_t)((const uint8_t *)item - pool->items) / pool->item_size);
}

void *pool_at(const struct pool *pool, uint32_t index)
{
    assert(index < pool->touched);
    return pool->items + pool->item_size * index;
}
