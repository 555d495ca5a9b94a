/* bwe_rival.h - whether somebody else fills the queue that our packets go through.
 *
 * A flow that goes by loss alone (TCP) keeps a queue full.  Who gives way whenever the queue grows
 * is left with next to nothing there.  Alone, as long as there is a queue, as much of ours comes as
 * the line takes, however much less we send; so where there is a queue all the while, not made by
 * sending more than comes, and still less and less of ours comes, there is a rival.  Then it is
 * better to go by loss, too, as TCP does: up by about a packet a round trip, down by a third when
 * packets are lost.  That ends when the queue has been empty for a while.
 *
 * No memory of its own; zeroed at first.
 */
#ifndef MOIM_MEDIA_BWE_RIVAL_H
#define MOIM_MEDIA_BWE_RIVAL_H

#include "base/usec.h"

#include <stdbool.h>
#include <stdint.h>

struct bwe_rival {
    int64_t lowest;      /* us on the way, of what the last feedback told; clocks differ */
    int64_t base;        /* the lowest of this half of the time that it is remembered ... */
    int64_t base_before; /* ... and of the half before */
    usec base_since;     /* 0: there is none */
    usec full_since;     /* there is a queue, and we don't make it; 0: no */
    usec empty_since;    /* 0: it is not */
    usec lost_at;        /* when the rate went down for it */
    double most_bps;     /* that came of ours meanwhile */
    bool has_lowest;
    bool is_there;
};

/* A packet came. */
void bwe_rival_packet(struct bwe_rival *rival, int64_t sent_at, int64_t arrived_at);

/* After a feedback: what was sent lately, and what comes, bits/s.  `is_limited`: there was not more
 * to send, so that nothing follows of less that comes. */
void bwe_rival_look(struct bwe_rival *rival, usec now, double sent_bps, double acknowledged_bps,
                    bool is_limited);

/* Packets were lost.  True: it is to go down for that, as it did not in the last round trip. */
bool bwe_rival_lost(struct bwe_rival *rival, usec now, usec round_trip);

#endif
