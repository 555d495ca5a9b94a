/* pool.h - a fixed number of equal items, made once; overload becomes ERR_LIMIT.
 *
 * One thread.  The memory is reserved at start and touched only as items are first used, so a large
 * pool that is little used costs little.
 */
#ifndef MOIM_BASE_POOL_H
#define MOIM_BASE_POOL_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

struct pool {
    uint8_t *items;
    void *free; /* a chain through the first word of the free items */
    size_t item_size;
    uint32_t count_max;
    uint32_t touched; /* items ever handed out: those above have never been written */
    uint32_t used;
};

/* item_size at least a pointer's.  ERR_MEMORY: nothing was made. */
MUST_USE int pool_init(struct pool *pool, size_t item_size, uint32_t count_max);
/* The same, with every item at a multiple of `alignment` (a power of two), to which its size is
 * rounded up. */
MUST_USE int pool_init_aligned(struct pool *pool, size_t item_size, size_t alignment,
                               uint32_t count_max);
void pool_free(struct pool *pool);

/* A zeroed item, until pool_give; NULL when all count_max are in use.  O(1). */
void *pool_take(struct pool *pool);
/* NULL is accepted. */
void pool_give(struct pool *pool, void *item);

/* An item's number, below count_max, and the item of a number that pool_index gave. */
uint32_t pool_index(const struct pool *pool, const void *item);
void *pool_at(const struct pool *pool, uint32_t index);

#endif
