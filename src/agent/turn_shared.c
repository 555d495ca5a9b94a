#include "agent/turn_shared.h"

#include "base/map.h"

#define SECOND_NS 1000000000u

void turn_shared_init(struct turn_shared *shared, const struct random *random)
{
    random_fill(random, shared->secret, sizeof shared->secret);
}

/* The key's counters, one a row. */
static void find_cells(struct turn_shared *shared, struct turn_counts *counts, struct view key,
                       _Atomic uint32_t *cells[TURN_SHARED_ROWS])
{
    uint64_t hash = siphash(key, shared->secret);
    for (unsigned row = 0; row < TURN_SHARED_ROWS; row++)
        cells[row] = &counts->cells[row][(hash >> (16 * row)) % TURN_SHARED_CELLS];
}

static void give_cells(_Atomic uint32_t *cells[TURN_SHARED_ROWS])
{
    for (unsigned row = 0; row < TURN_SHARED_ROWS; row++)
        atomic_fetch_sub_explicit(cells[row], 1, memory_order_relaxed);
}

/* It is counted in all rows first, and looked at then, all in one order for everybody: of those who
 * take the last one at once, the one who has counted last sees them all.  So both may be refused,
 * but never both get it. */
int turn_counts_take(struct turn_shared *shared, struct turn_counts *counts, struct view key,
                     uint32_t most)
{
    _Atomic uint32_t *cells[TURN_SHARED_ROWS];
    uint32_t least = UINT32_MAX;
    find_cells(shared, counts, key, cells);
    for (unsigned row = 0; row < TURN_SHARED_ROWS; row++)
        atomic_fetch_add(cells[row], 1);
    for (unsigned row = 0; row < TURN_SHARED_ROWS; row++) {
        uint32_t count = atomic_load(cells[row]);
        least = count < least ? count : least;
    }
    if (least <= most)
        return OK;
    give_cells(cells);
    return ERR_LIMIT;
}

void turn_counts_give(struct turn_shared *shared, struct turn_counts *counts, struct view key)
{
    _Atomic uint32_t *cells[TURN_SHARED_ROWS];
    find_cells(shared, counts, key, cells);
    give_cells(cells);
}

/* The time that the bytes take at that rate is added to what is paid for, which may not come to lie
 * in the future; nor does it begin more than a second ago. */
bool turn_shared_spend(struct turn_shared *shared, usec now, uint64_t per_s, uint64_t size)
{
    uint64_t now_ns = now * 1000;
    uint64_t first_ns = now_ns > SECOND_NS ? now_ns - SECOND_NS : 0;
    uint64_t cost_ns = size * SECOND_NS / per_s;
    uint64_t spent = atomic_load_explicit(&shared->spent_ns, memory_order_relaxed);
    for (;;) {
        uint64_t until = (spent > first_ns ? spent : first_ns) + cost_ns;
        if (until > now_ns)
            return false;
        if (atomic_compare_exchange_weak_explicit(&shared->spent_ns, &spent, until,
                                                  memory_order_relaxed, memory_order_relaxed))
            return true;
    }
}
