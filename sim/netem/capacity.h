/* capacity.h - what a line takes, millisecond by millisecond: recorded, or made, and so known.
 *
 * Recordings are read in the format of Mahimahi, in which most of what is published of cellular
 * lines is: each line of the text is a time in ms at which the line could deliver 1500 bytes; a
 * time that stands there twice is of 3000.  Times don't go back.  The last one is how long the
 * recording is: after that it begins anew.  Empty lines, and what follows a #, are for people.
 *
 * A pure reader over caller memory.
 */
#ifndef MOIM_SIM_NETEM_CAPACITY_H
#define MOIM_SIM_NETEM_CAPACITY_H

#include "netem/netem.h"

#define CAPACITY_MS_MAX   (600 * 1000)
#define CAPACITY_DELIVERY 1500 /* bytes of an opportunity */
#define CAPACITY_MOST     300  /* opportunities in a millisecond: 3.6 Gbit/s */

struct capacity {
    uint32_t count; /* ms; 1 or more */
    uint32_t bps[CAPACITY_MS_MAX];
};

/*   OK             *capacity is valid: a time t is the millisecond that ends then (0: the first).
 *   ERR_MALFORMED  what is not a time, or goes back; *line (from 1 on) says where.  Or there is no
 *                  time at all: *line is 0.
 *   ERR_LIMIT      it is longer than CAPACITY_MS_MAX, or a millisecond has more than CAPACITY_MOST;
 *                  *line says where.
 * On error *capacity is untouched. */
MUST_USE int capacity_read(struct view text, struct capacity *capacity, unsigned *line);

/* At the ms-th millisecond of endless ones. */
static inline uint32_t capacity_at(const struct capacity *capacity, uint64_t ms)
{
    return capacity->bps[ms % capacity->count];
}
/* Bits from one millisecond up to another. */
double capacity_bits(const struct capacity *capacity, uint64_t from, uint64_t to);
/* bits/s, of all of it. */
static inline double capacity_mean(const struct capacity *capacity)
{
    return capacity_bits(capacity, 0, capacity->count) * 1000 / capacity->count;
}

/* The line takes what is so at that millisecond: to be called each millisecond.  0 is hardly
 * anything, and not "no limit". */
void capacity_apply(const struct capacity *capacity, uint64_t ms, struct netem *line, usec now);

#endif
