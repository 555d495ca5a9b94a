/* bwe_rival.h - whether somebody else fills the queue that our packets go through.
 *
 * A flow that goes by loss alone (TCP) keeps a queue full.  Who gives way whenever the queue grows
 * is left with next to nothing there.  Alone, as long as there is a queue, as much of ours comes as
 * the line takes, and when we send less the queue is soon gone.  So where the queue stays, not made
 * by sending more than comes, and yet less and less of ours comes, there is a rival.  Then it is
 * better to go by loss, too, as TCP does: up by a part of a packet a round trip, down a little when
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
    usec less_since;     /* clearly less comes than there came meanwhile; 0: no */
    usec looked_at;
    double most_bps; /* that came of ours meanwhile */
    double sent_bps; /* both smoothed */
    double come_bps;
    bool has_lowest;
    bool is_there;
};

/* A packet came. */
void bwe_rival_packet(struct bwe_rival *rival, int64_t sent_at, int64_t arrived_at);

/* After a feedback: what was sent lately, and what comes, bits/s. */
void bwe_rival_look(struct bwe_rival *rival, usec now, double sent_bps, double acknowledged_bps);

/* Packets were lost.  True: it is to go down for that, as it did not in the last round trip. */
bool bwe_rival_lost(struct bwe_rival *rival, usec now, usec round_trip);

#endif
