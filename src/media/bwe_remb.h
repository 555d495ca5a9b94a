/* bwe_remb.h - what a receiver says of its line by REMB (draft-alvestrand-rmcat-remb-03), which is
 * of those packets alone that say when they left (abs-send-time), where any do: of pictures, as
 * browsers have it.
 *
 * It grows by some 8 % a second, and not beyond what comes by much; so where layers are chosen by
 * it, it would stay where it is for good.  While more is wanted, what is sent of these is filled
 * up to what it says: more than that the line need not take.  No memory of its own, zero at first.
 */
#ifndef MOIM_MEDIA_BWE_REMB_H
#define MOIM_MEDIA_BWE_REMB_H

#include "base/usec.h"
#include "media/bwe_probe.h"

#define BWE_REMB_EACH (200 * USEC_MS)

struct bwe_remb {
    double bps;    /* 0: none was heard */
    double media;  /* bytes that say when they left, since `at` */
    double others; /* bytes that don't */
    usec at;
    double others_bps;
    double fill_bps;  /* up to this, at most what it says */
    uint32_t missing; /* bytes of that, not taken yet */
    uint8_t cluster;
    bool has_times; /* some do */
};

/* A packet goes out. */
static inline void bwe_remb_sent(struct bwe_remb *remb, size_t size, bool is_timed, bool is_filling)
{
    remb->has_times = remb->has_times || is_timed;
    if (remb->has_times && !is_timed)
        remb->others += (double)size;
    else if (!is_filling)
        remb->media += (double)size;
}

void bwe_remb_heard(struct bwe_remb *remb, usec now, uint64_t bps);

/* What that lets go out, all together. */
static inline double bwe_remb_most(const struct bwe_remb *remb)
{
    return remb->bps + remb->others_bps;
}

/* When to look; USEC_NEVER: there is nothing to look at. */
static inline usec bwe_remb_until(const struct bwe_remb *remb)
{
    return remb->bps > 0 ? remb->at + BWE_REMB_EACH : USEC_NEVER;
}
/* wanted_bps: all together; 0: no more than there is. */
void bwe_remb_look(struct bwe_remb *remb, usec now, double wanted_bps);

/* What is to be filled up with.  False: nothing. */
bool bwe_remb_take(struct bwe_remb *remb, struct bwe_probe *probe);

#endif
