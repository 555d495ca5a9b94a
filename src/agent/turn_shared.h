/* turn_shared.h - what the TURN agents of all workers count together: allocations of one user and
 * of one prefix, and the bytes that all of them relay.
 *
 * One for all agents, made by whoever makes these; threads may use it at once.  There is no lock:
 * quotas are counters under a hash that nobody outside can guess, and a key's is the least of its
 * counters, one in each row.  So a quota is never exceeded; it is reached too early where others
 * have filled all four counters of a key: with 16,384 allocations and a quota of one that is one
 * key in 400, with a quota of four none in a million.  Bandwidth is taken in portions, so that a
 * packet costs no shared memory but now and then.
 */
#ifndef MOIM_AGENT_TURN_SHARED_H
#define MOIM_AGENT_TURN_SHARED_H

#include "base/random.h"
#include "base/status.h"
#include "base/usec.h"
#include "base/view.h"

#include <stdatomic.h>

#define TURN_SHARED_ROWS  4
#define TURN_SHARED_CELLS 65536 /* 16 bits of a hash each */

/* How many allocations there are of each key. */
struct turn_counts {
    _Atomic uint32_t cells[TURN_SHARED_ROWS][TURN_SHARED_CELLS];
};

struct turn_shared {
    uint64_t secret[2];
    struct turn_counts users, prefixes;
    _Atomic uint64_t spent_ns; /* what has been relayed is paid for up to this time */
};

/* Its memory is zeroed: 2 MiB, of which only what is used is touched. */
void turn_shared_init(struct turn_shared *shared, const struct random *random);

/* One more of the key.  ERR_LIMIT: there are `most` already. */
MUST_USE int turn_counts_take(struct turn_shared *shared, struct turn_counts *counts,
                              struct view key, uint32_t most);
void turn_counts_give(struct turn_shared *shared, struct turn_counts *counts, struct view key);

/* Whether so many bytes may be relayed now, at `per_s` bytes a second with a burst of a second;
 * then they are spent.  `now` is the same clock's for all. */
bool turn_shared_spend(struct turn_shared *shared, usec now, uint64_t per_s, uint64_t size);

#endif
