/* ring.h - a bounded queue of pointers from one thread to one other, without locks.
 *
 * One thread puts, one takes.  What a pointer points to is handed over with it.
 */
#ifndef MOIM_BASE_RING_H
#define MOIM_BASE_RING_H

#include "base/status.h"

#include <stdatomic.h>
#include <stdint.h>

struct ring {
    void **places;
    uint32_t mask;
    _Alignas(64) _Atomic uint32_t put_at;
    _Alignas(64) _Atomic uint32_t take_at;
};

/* `size` must be a power of two.  ERR_MEMORY. */
MUST_USE int ring_init(struct ring *ring, uint32_t size);
void ring_free(struct ring *ring);

/* ERR_LIMIT: it is full, and the item is still the caller's. */
MUST_USE int ring_put(struct ring *ring, void *item);

/* NULL when it is empty. */
void *ring_take(struct ring *ring);

#endif
