#include "base/ring.h"

#include <assert.h>
#include <stdlib.h>

int ring_init(struct ring *ring, uint32_t size)
{
    assert(size > 0 && (size & (size - 1)) == 0);
    ring->places = calloc(size, sizeof *ring->places);
    if (!ring->places)
        return ERR_MEMORY;
    ring->mask = size - 1;
    atomic_init(&ring->put_at, 0);
    atomic_init(&ring->take_at, 0);
    return OK;
}

void ring_free(struct ring *ring)
{
    free(ring->places);
    ring->places = NULL;
}

int ring_put(struct ring *ring, void *item)
{
    uint32_t put_at = atomic_load_explicit(&ring->put_at, memory_order_relaxed);
    uint32_t take_at = atomic_load_explicit(&ring->take_at, memory_order_acquire);
    if (put_at - take_at > ring->mask)
        return ERR_LIMIT;
    ring->places[put_at & ring->mask] = item;
    atomic_store_explicit(&ring->put_at, put_at + 1, memory_order_release);
    return OK;
}

void *ring_take(struct ring *ring)
{
    uint32_t take_at = atomic_load_explicit(&ring->take_at, memory_order_relaxed);
    if (take_at == atomic_load_explicit(&ring->put_at, memory_order_acquire))
        return NULL;
    void *item = ring->places[take_at & ring->mask];
    atomic_store_explicit(&ring->take_at, take_at + 1, memory_order_release);
    return item;
}
