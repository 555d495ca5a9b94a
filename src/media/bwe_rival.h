/* bwe_rival.h - whether somebody else fills the queue that our packets go through.
 *
 * A flow that goes by loss alone (TCP) keeps a queue full.  Who gives way whenever the queue grows
 * is left with next to nothing there.  Alone, as long as there is a queue, as much of ours comes as
 * the line takes, and when we send less the queue is soon gone.  So where the queue stays, neither
 * growing nor losing for what we send, and yet less and less of ours comes, there is a rival; and
 * where it does not go down for seconds, though we send but a part of what the line took.  Then it
 * is better to go by loss, too, as TCP does: up by a part of a packet a round trip, down a
 * little when packets are lost.  That ends when the queue has been empty for a while, or has become
 * far longer: then nothing is lost that would hold us back.
 *
 * No memory of its own; zeroed at first.
 */
#ifndef MOIM_MEDIA_BWE_RIVAL_H
#define MOIM_MEDIA_BWE_RIVAL_H

#include "base/usec.h"

#include <stdbool.h>
#include <stdint.h>

/* After a feedback. */
struct bwe_rival_input {
    int64_t queue_us; /* that packets wait (bwe_busy.h) */
    double busy_bps;  /* what the line takes of ours while it is busy (bwe_busy.h); 0: not known */
    double come_bps;  /* what comes of ours */
    double loss;      /* of what it told of: 0 to 1 */
    double rate_bps;  /* that we send at, at most */
};

struct bwe_rival {
    usec full_since;  /* there is a queue, and we don't make it; 0: no */
    usec empty_since; /* 0: it is not */
    usec lost_at;     /* when the rate went down for it */
    usec less_since;  /* clearly less comes than there came meanwhile; 0: no */
    usec looked_at;   /* at the queue, which was then: */
    int64_t queue_us;
    int64_t found_us;     /* the queue when it was found */
    usec stands_since;    /* it neither grows nor goes down; 0: no */
    int64_t stands_least; /* meanwhile, as is the next one */
    int64_t stands_most;
    usec
        ours_until; /* it was taken for a rival's, and was ours: that is not to happen again soon */
    double most_bps;  /* that came of ours meanwhile */
    double alone_bps; /* that the line took before, about; 0: not known */
    bool is_there;
};

/* True: a rival has just been found; before it took more, most_bps was ours. */
bool bwe_rival_look(struct bwe_rival *rival, usec now, const struct bwe_rival_input *input);

/* Packets were lost.  True: it is to go down for that, as it did not in the last round trip. */
bool bwe_rival_lost(struct bwe_rival *rival, usec now, usec round_trip);

#endif
