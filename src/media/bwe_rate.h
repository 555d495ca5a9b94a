/* bwe_rate.h - rates: what is acknowledged to have come, whether as much is sent as might be, and
 * the estimate that goes up and down with the delay (draft-ietf-rmcat-gcc-02, section 5.5).
 *
 * bits/s everywhere.  No memory of their own; zeroed at first.
 */
#ifndef MOIM_MEDIA_BWE_RATE_H
#define MOIM_MEDIA_BWE_RATE_H

#include "base/usec.h"
#include "media/bwe_delay.h"

#include <stddef.h>

/* ---- what comes ---- */

/* Weighs each new sample by how far it is off and how sure it was before (a filter of Bayes'). */
struct bwe_acknowledged {
    double bps; /* 0: not known yet */
    double variance;
    double last;    /* the sample before */
    uint64_t bytes; /* of this window */
    int64_t since;  /* when it began, by the receiver's clock */
    bool is_open;
};

/* So many bytes came at that time, by the receiver's clock.  `is_limited`: there was not more to
 * send, so that less says little of the line. */
void bwe_acknowledged_add(struct bwe_acknowledged *acknowledged, int64_t arrived_at, size_t size,
                          bool is_limited);
/* What was known is true no longer: the next samples count for more. */
void bwe_acknowledged_doubt(struct bwe_acknowledged *acknowledged);

/* ---- what is sent ---- */

/* Whether less is sent than the estimate allows, for want of media: a time that is limited by the
 * application (ALR).  A bucket that fills at two thirds of the estimate and is emptied by what is
 * sent: rather full, it is such a time; rather empty, no more. */
struct bwe_demand {
    double left; /* bytes; below 0: more was sent */
    usec at;
    usec limited_since; /* 0: it is not */
};

void bwe_demand_sent(struct bwe_demand *demand, usec now, size_t size, double target_bps);

/* ---- the estimate ---- */

struct bwe_rate {
    double bps;
    double capacity_bps; /* where overuse was met lately, on the average; 0: not known */
    double capacity_variance;
    usec changed_at;   /* 0: never */
    usec reduced_at;   /* 0: never */
    usec stands_since; /* a queue; 0: none does */
    uint8_t stood;     /* how often it went down for that */
    bool is_held;      /* until the queue has emptied */
};

struct bwe_rate_input {
    enum bwe_usage usage;
    double acknowledged_bps; /* 0: not known */
    double busy_bps;         /* that the line takes while it is busy (bwe_busy.h); 0: not known */
    int64_t queue_us;        /* that packets wait at least: by it, how far it goes down ... */
    int64_t standing_us;     /* ... and whether it does though nothing grows; 0: it does not */
    usec round_trip;
    bool has_rival; /* it goes by loss: bwe_rival.h */
    double min_bps;
    double max_bps;
};

/* After each feedback.  True: it went down. */
bool bwe_rate_update(struct bwe_rate *rate, usec now, const struct bwe_rate_input *input);
/* Beside a rival packets were lost. */
void bwe_rate_lost(struct bwe_rate *rate, usec now, double min_bps);
/* A probe, or whoever knows, says so. */
void bwe_rate_set(struct bwe_rate *rate, usec now, double bps);

#endif
