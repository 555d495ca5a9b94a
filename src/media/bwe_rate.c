#include "media/bwe_rate.h"

/* ---- what comes ---- */

#define WINDOW_FIRST_US  500000
#define WINDOW_US        150000
#define JUMP_US          3000000
#define VARIANCE_FIRST   50.0
#define VARIANCE_STEP    5.0
#define VARIANCE_DOUBT   200.0
#define DOUBT            10.0 /* of a sample, by how far it is off */
#define DOUBT_LIMITED    20.0
#define FAST             1.25
#define ACKNOWLEDGED_MIN 1000.0 /* bits/s */

static void take_sample(struct bwe_acknowledged *acknowledged, double sample, bool is_limited)
{
    if (acknowledged->bps == 0) {
        acknowledged->bps = sample > ACKNOWLEDGED_MIN ? sample : ACKNOWLEDGED_MIN;
        acknowledged->variance = VARIANCE_FIRST;
        return;
    }
    if (!is_limited && sample < acknowledged->bps / 2) /* the line broke in: no time for doubts */
        acknowledged->bps = (acknowledged->bps + sample) / 2;
    double least = sample < acknowledged->last ? sample : acknowledged->last;
    acknowledged->last = sample;
    if (least > FAST * acknowledged->bps) /* twice in a row: that is not by chance */
        acknowledged->bps = least;
    double off = sample - acknowledged->bps;
    double doubt = is_limited && off < 0 ? DOUBT_LIMITED : DOUBT;
    double deviation = doubt * off / acknowledged->bps;
    double sample_variance = deviation * deviation;
    double variance = acknowledged->variance + VARIANCE_STEP;
    acknowledged->bps += off * variance / (sample_variance + variance);
    acknowledged->variance = sample_variance * variance / (sample_variance + variance);
    if (acknowledged->bps < ACKNOWLEDGED_MIN)
        acknowledged->bps = ACKNOWLEDGED_MIN;
}

void bwe_acknowledged_add(struct bwe_acknowledged *acknowledged, int64_t arrived_at, size_t size,
                          bool is_limited)
{
    int64_t window = acknowledged->bps == 0 ? WINDOW_FIRST_US : WINDOW_US;
    int64_t passed = arrived_at - acknowledged->since;
    if (!acknowledged->is_open || passed > JUMP_US || passed < -JUMP_US) {
        acknowledged->is_open = true;
        acknowledged->since = arrived_at;
        acknowledged->bytes = 0;
        passed = 0;
    }
    if (passed >= window) {
        double sample = (double)acknowledged->bytes * 8e6 / (double)passed;
        take_sample(acknowledged, sample, is_limited);
        acknowledged->since = arrived_at;
        acknowledged->bytes = 0;
    }
    acknowledged->bytes += size;
}

void bwe_acknowledged_doubt(struct bwe_acknowledged *acknowledged)
{
    acknowledged->variance += VARIANCE_DOUBT;
}

/* ---- what is sent ---- */

#define DEMAND_SHARE      0.65 /* of the estimate: what leaves more free is little */
#define DEMAND_WINDOW     (USEC_S / 2)
#define DEMAND_LIMITED    0.80
#define DEMAND_NO_LIMITED 0.50

void bwe_demand_sent(struct bwe_demand *demand, usec now, size_t size, double target_bps)
{
    usec passed = now - demand->at;
    double most = target_bps / 8 * DEMAND_SHARE * (double)DEMAND_WINDOW / (double)USEC_S;
    if (passed > DEMAND_WINDOW)
        passed = DEMAND_WINDOW;
    demand->at = now;
    demand->left += target_bps / 8 * DEMAND_SHARE * (double)passed / (double)USEC_S;
    if (demand->left > most)
        demand->left = most;
    demand->left -= (double)size;
    if (demand->left < -most)
        demand->left = -most;
    if (demand->left > most * DEMAND_LIMITED && demand->limited_since == 0)
        demand->limited_since = now;
    else if (demand->left < most * DEMAND_NO_LIMITED)
        demand->limited_since = 0;
}

/* ---- the estimate ---- */

#define EMPTY_IN        1500000.0 /* us: the queue, that there is */
#define BACK_OFF_LEAST  0.95
#define BACK_OFF_MOST   0.75
#define GROWTH          0.08    /* a second, far from where overuse was met */
#define GROWTH_MIN      1000.0  /* bits/s */
#define GROWTH_NEAR_MIN 4000.0  /* bits/s a second */
#define OVER_COME       1.5     /* of what comes: more would be a guess */
#define OVER_COME_ADDED 10000.0 /* bits/s */
#define RESPONSE        (100 * USEC_MS)
#define REDUCE_EACH_MIN (10 * USEC_MS)
#define REDUCE_EACH_MAX (200 * USEC_MS)
#define REDUCE_BLIND    (500 * USEC_MS) /* while it is not known what comes */
#define STANDS_US       40000           /* a queue: with more on top it would only grow ... */
#define STANDS_EACH     USEC_S          /* ... and one that stays so long is to go */
#define STANDS_TIMES    2
#define STANDS_AT_MOST  (10 * USEC_S) /* then it is none: the way itself has become longer */
#define RIVAL_GROWTH    0.3
#define RIVAL_BACK_OFF  0.85
#define PACKET_BITS     (1200 * 8.0)
#define FRAMES          30.0
#define CAPACITY_WEIGHT 0.05
#define VARIANCE_MIN    0.4 /* of the capacity, in kbit/s */
#define VARIANCE_MAX    2.5
#define DEVIATIONS      3.0

/* Whether a rate lies within three standard deviations of the capacity. */
static bool is_near_capacity(const struct bwe_rate *rate, double bps, bool *is_above)
{
    double kbps = rate->capacity_bps / 1000;
    double off = (bps - rate->capacity_bps) / 1000;
    *is_above = off > 0;
    return off * off <= DEVIATIONS * DEVIATIONS * rate->capacity_variance * kbps;
}

static void note_capacity(struct bwe_rate *rate, double bps)
{
    bool is_above;
    if (rate->capacity_bps > 0 && !is_near_capacity(rate, bps, &is_above))
        rate->capacity_bps = 0;
    if (rate->capacity_bps == 0) {
        rate->capacity_bps = bps;
        rate->capacity_variance = VARIANCE_MIN;
        return;
    }
    double off = (bps - rate->capacity_bps) / 1000;
    rate->capacity_bps += CAPACITY_WEIGHT * (bps - rate->capacity_bps);
    double kbps = rate->capacity_bps > 1000 ? rate->capacity_bps / 1000 : 1;
    rate->capacity_variance =
        (1 - CAPACITY_WEIGHT) * rate->capacity_variance + CAPACITY_WEIGHT * off * off / kbps;
    if (rate->capacity_variance < VARIANCE_MIN)
        rate->capacity_variance = VARIANCE_MIN;
    if (rate->capacity_variance > VARIANCE_MAX)
        rate->capacity_variance = VARIANCE_MAX;
}

static bool may_reduce(const struct bwe_rate *rate, usec now, const struct bwe_rate_input *input)
{
    usec each = input->round_trip;
    if (input->acknowledged_bps == 0)
        each = REDUCE_BLIND;
    else if (each < REDUCE_EACH_MIN)
        each = REDUCE_EACH_MIN;
    else if (each > REDUCE_EACH_MAX)
        each = REDUCE_EACH_MAX;
    return rate->reduced_at == 0 || now - rate->reduced_at >= each ||
           (input->acknowledged_bps > 0 && input->acknowledged_bps < rate->bps / 2);
}

/* What of all that the line takes leaves it so much that the queue is soon empty, and no less: a
 * queue of a few packets, behind a key frame, is none of the line's. */
static double back_off(int64_t queue_us)
{
    double part = 1 - (double)queue_us / EMPTY_IN;
    return part < BACK_OFF_MOST ? BACK_OFF_MOST : part > BACK_OFF_LEAST ? BACK_OFF_LEAST : part;
}

static bool reduce(struct bwe_rate *rate, usec now, const struct bwe_rate_input *input)
{
    if (!may_reduce(rate, now, input))
        return false;
    double taken = input->busy_bps > 0 ? input->busy_bps : input->acknowledged_bps;
    double bps = taken > 0 ? back_off(input->queue_us) * taken : rate->bps / 2;
    if (taken > 0)
        note_capacity(rate, taken);
    rate->is_held = true;
    rate->changed_at = now;
    if (bps < input->min_bps)
        bps = input->min_bps;
    if (bps >= rate->bps)
        return false;
    rate->reduced_at = now;
    rate->bps = bps;
    return true;
}

/* By about a packet a response time: so near to the capacity, more would overshoot. */
static double growth_near(const struct bwe_rate *rate, usec round_trip)
{
    double frame = rate->bps / FRAMES;
    double packets = (double)(uint64_t)(frame / PACKET_BITS) + 1;
    double response = (double)(round_trip + RESPONSE) / (double)USEC_S;
    double growth = frame / packets / response;
    return growth > GROWTH_NEAR_MIN ? growth : GROWTH_NEAR_MIN;
}

/* As TCP's: a packet a round trip, but less of it, since it goes down by less, too (RFC 5348). */
static double growth_beside_rival(usec round_trip)
{
    double time = (double)(round_trip > RESPONSE ? round_trip : RESPONSE) / (double)USEC_S;
    return RIVAL_GROWTH * PACKET_BITS / (time * time);
}

static void increase(struct bwe_rate *rate, usec now, const struct bwe_rate_input *input)
{
    double passed = rate->changed_at ? (double)(now - rate->changed_at) / (double)USEC_S : 0;
    double come = input->acknowledged_bps;
    double most = come > 0 ? OVER_COME * come + OVER_COME_ADDED : input->max_bps;
    bool is_above;
    if (rate->capacity_bps > 0 && !is_near_capacity(rate, come, &is_above) && is_above)
        rate->capacity_bps = 0; /* the line has become better */
    if (passed > 1)
        passed = 1;
    double growth = rate->bps * GROWTH * passed;
    if (input->has_rival)
        growth = growth_beside_rival(input->round_trip) * passed;
    else if (rate->capacity_bps > 0)
        growth = growth_near(rate, input->round_trip) * passed;
    else if (growth < GROWTH_MIN * passed)
        growth = GROWTH_MIN * passed;
    if (most > input->max_bps)
        most = input->max_bps;
    rate->changed_at = now;
    if (rate->bps >= most)
        return;
    rate->bps = rate->bps + growth < most ? rate->bps + growth : most;
}

/* A queue that stands, full perhaps, has no trend, and is too much all the same.  (A packet waits
 * for itself, too: on a narrow line that is long.) */
static enum bwe_usage usage_by_queue(struct bwe_rate *rate, usec now,
                                     const struct bwe_rate_input *input)
{
    int64_t queue_us = input->standing_us - (int64_t)(PACKET_BITS * (double)USEC_S / rate->bps);
    if (input->has_rival || queue_us < STANDS_US) {
        rate->stands_since = 0;
        return input->has_rival ? BWE_NORMAL : input->usage;
    }
    if (rate->stands_since == 0) {
        rate->stands_since = now;
        rate->stood = 0;
    }
    usec passed = now - rate->stands_since;
    if (input->usage != BWE_NORMAL || passed > STANDS_AT_MOST)
        return input->usage;
    if (rate->stood == STANDS_TIMES || passed < (rate->stood + 1) * STANDS_EACH)
        return BWE_UNDERUSING;
    rate->stood++;
    return BWE_OVERUSING;
}

bool bwe_rate_update(struct bwe_rate *rate, usec now, const struct bwe_rate_input *input)
{
    switch (usage_by_queue(rate, now, input)) {
    case BWE_OVERUSING:
        return reduce(rate, now, input);
    case BWE_UNDERUSING: /* the queue empties: let it */
        rate->is_held = true;
        return false;
    default:
        if (rate->is_held)
            rate->changed_at = now;
        rate->is_held = false;
        increase(rate, now, input);
        return false;
    }
}

void bwe_rate_lost(struct bwe_rate *rate, usec now, double min_bps)
{
    rate->bps *= RIVAL_BACK_OFF;
    if (rate->bps < min_bps)
        rate->bps = min_bps;
    rate->changed_at = rate->reduced_at = now;
}

void bwe_rate_set(struct bwe_rate *rate, usec now, double bps)
{
    rate->bps = bps;
    rate->changed_at = now;
}
