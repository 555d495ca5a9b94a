/* turn_holder.c - what users and prefixes of addresses hold, and how fast allocations may relay. */
#include "agent/turn_internal.h"

#include <string.h>

/* Of what all agents may relay in a second, one takes so much at once. */
#define PORTIONS    64
#define PORTION_MAX ((uint64_t)16 * 1024)

/* Where those of a kind are. */
struct store {
    struct pool *pool;
    struct map *map;
    struct turn_counts *counts; /* NULL: this agent is alone */
};

static struct store store_of(struct turn *turn, enum turn_holder_kind kind)
{
    struct turn_shared *shared = turn->config->shared;
    if (kind == TURN_USER)
        return (struct store){ &turn->users, &turn->user_names, shared ? &shared->users : NULL };
    return (struct store){ &turn->prefixes, &turn->prefix_names,
                           shared ? &shared->prefixes : NULL };
}

static int count_one(struct turn *turn, const struct store *store, struct view key, uint32_t most)
{
    return store->counts ? turn_counts_take(turn->config->shared, store->counts, key, most) : OK;
}

static void count_off(struct turn *turn, const struct store *store, struct view key)
{
    if (store->counts)
        turn_counts_give(turn->config->shared, store->counts, key);
}

/* A holder with nothing yet.  ERR_LIMIT, ERR_MEMORY. */
static int open_holder(const struct store *store, struct view key, struct turn_holder **out)
{
    struct turn_holder *holder = pool_take(store->pool);
    if (!holder)
        return ERR_LIMIT;
    holder->allocations = 0;
    holder->key_size = (uint16_t)key.size;
    if (key.size)
        memcpy(holder->key, key.at, key.size);
    int status = map_add(store->map, view_make(holder->key, key.size), holder);
    if (status != OK) {
        pool_give(store->pool, holder);
        return status;
    }
    *out = holder;
    return OK;
}

int turn_holder_take(struct turn *turn, enum turn_holder_kind kind, struct view key, uint32_t most,
                     struct turn_holder **out)
{
    struct store store = store_of(turn, kind);
    struct turn_holder *holder = map_find(store.map, key);
    if ((holder ? holder->allocations : 0) >= most)
        return ERR_LIMIT;
    int status = count_one(turn, &store, key, most);
    if (status != OK)
        return status;
    if (!holder)
        status = open_holder(&store, key, &holder);
    if (status != OK) {
        count_off(turn, &store, key);
        return status;
    }
    holder->allocations++;
    *out = holder;
    return OK;
}

void turn_holder_give(struct turn *turn, enum turn_holder_kind kind, struct turn_holder *holder)
{
    struct store store = store_of(turn, kind);
    if (!holder)
        return;
    struct view key = view_make(holder->key, holder->key_size);
    count_off(turn, &store, key);
    if (--holder->allocations)
        return;
    map_remove(store.map, key);
    pool_give(store.pool, holder);
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

/* Whether so many bytes are left of what all may relay.  With others, they come in portions. */
static bool all_may(struct turn *turn, uint64_t per_s, size_t size)
{
    struct turn_rate *rate = &turn->rate;
    if (!turn->config->shared)
        refill(rate, per_s, turn->now);
    if (rate->bytes >= size)
        return true;
    if (!turn->config->shared)
        return false;
    uint64_t portion = per_s / PORTIONS < PORTION_MAX ? per_s / PORTIONS : PORTION_MAX;
    uint64_t wanted = size - rate->bytes > portion ? size - rate->bytes : portion;
    if (!turn_shared_spend(turn->config->shared, turn->now, per_s, wanted))
        return false;
    rate->bytes += wanted;
    return true;
}

bool turn_rate_may(struct turn *turn, struct turn_allocation *allocation, size_t size)
{
    uint64_t own = turn->config->bytes_per_s_allocation;
    uint64_t all = turn->config->bytes_per_s_all;
    if (own)
        refill(&allocation->rate, own, turn->now);
    if ((own && allocation->rate.bytes < size) || (all && !all_may(turn, all, size)))
        return false;
    if (own)
        allocation->rate.bytes -= size;
    if (all)
        turn->rate.bytes -= size;
    return true;
}
