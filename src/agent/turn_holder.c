/* turn_holder.c - what users and prefixes of addresses hold, and how fast allocations may relay. */
#include "agent/turn_internal.h"

#include <string.h>

int turn_holder_take(struct pool *pool, struct map *map, struct view key, uint32_t most,
                     struct turn_holder **out)
{
    struct turn_holder *holder = map_find(map, key);
    if (holder) {
        if (holder->allocations >= most)
            return ERR_LIMIT;
        holder->allocations++;
        *out = holder;
        return OK;
    }
    holder = most ? pool_take(pool) : NULL;
    if (!holder)
        return ERR_LIMIT;
    holder->allocations = 1;
    holder->key_size = (uint16_t)key.size;
    if (key.size)
        memcpy(holder->key, key.at, key.size);
    int status = map_add(map, view_make(holder->key, key.size), holder);
    if (status != OK) {
        pool_give(pool, holder);
        return status;
    }
    *out = holder;
    return OK;
}

void turn_holder_give(struct pool *pool, struct map *map, struct turn_holder *holder)
{
    if (!holder || --holder->allocations)
        return;
    map_remove(map, view_make(holder->key, holder->key_size));
    pool_give(pool, holder);
}

/* Adds what time has brought; more than a second's worth is not saved up. */
static void refill(struct turn_rate *rate, uint64_t per_s, usec now)
{
    usec passed = now - rate->at;
    uint64_t more = passed >= USEC_S ? per_s : passed * per_s / USEC_S;
    if (more == 0)
        return; /* and the time counts with the next */
    rate->at = now;
    rate->bytes = rate->bytes + more < per_s ? rate->bytes + more : per_s;
}

bool turn_rate_may(struct turn *turn, struct turn_allocation *allocation, size_t size)
{
    uint64_t own = turn->config->bytes_per_s_allocation;
    uint64_t all = turn->config->bytes_per_s_all;
    if (own)
        refill(&allocation->rate, own, turn->now);
    if (all)
        refill(&turn->rate, all, turn->now);
    if ((own && allocation->rate.bytes < size) || (all && turn->rate.bytes < size))
        return false;
    if (own)
        allocation->rate.bytes -= size;
    if (all)
        turn->rate.bytes -= size;
    return true;
}
