/* remb.h - what the line from one peer takes, estimated at this end, for a sender that agreed on
 * REMB and not on transport-wide feedback (draft-alvestrand-rmcat-remb-03): it is told a rate that
 * it is to stay below.
 *
 * When packets left their sender says abs-send-time.  From that and from when they come follows
 * whether a queue grows (bwe_delay.h), or stands: how much longer they are on their way than the
 * fastest of this minute.  The rate goes up and down with it (bwe_rate.h), about what comes: a
 * little faster than that is what is tried for.  Before a queue was met, or two seconds have gone,
 * nothing is known, and nothing said.
 *
 * Rates are in bits/s of RTP packets.  It is told each second, and at once when it has gone down.
 * No memory of its own; zeroed at first.
 */
#ifndef MOIM_MEDIA_REMB_H
#define MOIM_MEDIA_REMB_H

#include "base/usec.h"
#include "media/bwe_delay.h"
#include "media/bwe_rate.h"
#include "wire/rtcp_feedback.h"

#define REMB_EACH    USEC_S
#define REMB_MIN_BPS 30000
#define REMB_MAX_BPS 30000000

/* Its members are remb.c's. */
struct remb {
    struct bwe_delay delay;
    struct bwe_acknowledged come;
    struct bwe_rate rate;
    usec began_at;      /* 0: nothing has come */
    usec came_at;       /* the last that bore a time */
    usec looked_at;     /* at what comes, and the trend */
    uint32_t sent_last; /* abs-send-time, and the same unwrapped */
    int64_t sent_at;
    int64_t
        least[2]; /* on the way, by two clocks: of this half of a minute, and of the one before */
    usec least_since;
    int64_t waited;  /* least of those since it was looked at */
    double told_bps; /* 0: nothing was told */
    usec told_at;
};

/* A packet of `size` bytes came, which left at `sent`, an abs-send-time. */
void remb_packet(struct remb *remb, usec now, uint32_t sent, size_t size, usec round_trip);
/* The same of one that does not say when it left. */
void remb_untimed(struct remb *remb, usec now, size_t size);

/* When there is something to be told; USEC_NEVER: nothing is known, or nothing has come since. */
usec remb_until(const struct remb *remb);
/* What is to be told then. */
uint64_t remb_tell(struct remb *remb, usec now);

#endif
