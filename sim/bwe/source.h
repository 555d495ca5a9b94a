/* source.h - what there is to send: as much as may be, or a camera's pictures.
 *
 * A camera takes 30 pictures a second at its rate, or at what the estimate allows where that is
 * less; each is up to a quarter larger or smaller than the mean, every ten seconds one is a key
 * frame, four times as large.  They come whole, as browsers send them.  Where it has
 * layers, as a simulcast has, its rate is 1, 0.28 or 0.08 times the full one: the most
 * that fits.  One that is fixed goes by nothing.
 */
#ifndef MOIM_SIM_BWE_SOURCE_H
#define MOIM_SIM_BWE_SOURCE_H

#include "bwe/follower.h"
#include "chance.h"

struct source {
    uint32_t camera_bps; /* 0: as much as may be sent */
    bool is_layered;
    bool is_fixed;
    uint64_t most_bps;
    double waiting; /* bytes */
    usec since;
    usec picture_at;
    uint32_t pictures;
    uint32_t left_out; /* times that what waited was */
};

/* The most that a camera sends within so many bits/s. */
double source_most(const struct source *source, double bps);

/* A millisecond, at its end: what there is goes as far as it may. */
void source_turn(struct source *source, usec now, struct chance *chance,
                 const struct follower_kind *kind, struct follower *follower);

#endif
