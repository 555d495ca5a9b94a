/* bwe_busy.h - how fast the line takes what goes through it while it is busy with that, and how
 * much waits before it.
 *
 * What comes in a second says what was sent, and no more, where less is sent than the line takes.
 * But a packet that waits shows the line at work: from when it would have come had it not waited,
 * or from when the one before it came, up to when it came, the line was busy with it (or with
 * somebody else's, and that is then no more ours).  The bytes of such packets over these times are
 * what the line gives us, though it may be idle between two pictures.
 *
 * Where packets are late for another reason than a queue (a radio's turns, a phone's sleep) they
 * pass for waiting; then it comes out lower than it is, but not below what comes.
 *
 * Clocks differ: only differences of ways are looked at, each against the shortest of the last 30
 * to 60 seconds.  No memory of its own; zeroed at first.
 */
#ifndef MOIM_MEDIA_BWE_BUSY_H
#define MOIM_MEDIA_BWE_BUSY_H

#include "base/usec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bwe_busy {
    int64_t base; /* us on the way: the least of this half of the time it is remembered ... */
    int64_t base_before; /* ... and of the half before */
    int64_t base_since;  /* by the receiver's clock, as is the next one */
    int64_t last_arrival;
    int64_t lowest;       /* us that packets waited at least, since bwe_busy_begin */
    double bytes;         /* of late, those before counting for less and less ... */
    double busy_us;       /* ... and how long the line was busy with them */
    int64_t busy_at;      /* the last time, by the receiver's clock */
    int64_t steady_since; /* `lowest` has been nearly the same; 0: it is not known */
    int64_t steady_least;
    int64_t steady_most;
    bool has_base;
    bool has_lowest;
};

/* What is heard from now on is one feedback's. */
void bwe_busy_begin(struct bwe_busy *busy);

/* A packet came, of `size` bytes as they are on the line. */
void bwe_busy_packet(struct bwe_busy *busy, int64_t sent_at, int64_t arrived_at, size_t size);

/* What waits has been the same to the millisecond since less was sent, that time ago, for a second
 * at least: then it is no queue, but the way itself has become longer, and is the shortest now. */
void bwe_busy_settle(struct bwe_busy *busy, usec reduced_ago);

/* bits/s; 0: it is not known, since nothing waited lately. */
double bwe_busy_bps(const struct bwe_busy *busy);

/* us that packets waited, at least, of what was heard since bwe_busy_begin. */
static inline int64_t bwe_busy_queue(const struct bwe_busy *busy)
{
    return busy->has_lowest ? busy->lowest : 0;
}

#endif
