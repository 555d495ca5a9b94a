#include "media/bwe_delay.h"

#define GROUP_US         5000
#define BURST_MAX_US     100000
#define JUMP_US          3000000 /* of a clock, or of a route: what was before says nothing */
#define SMOOTHING        0.9
#define GAIN             4.0
#define GROUPS_COUNTED   60 /* a trend of few groups is taken less seriously */
#define THRESHOLD        12.5
#define THRESHOLD_MIN    6.0
#define THRESHOLD_MAX    600.0
#define THRESHOLD_UP     0.0087
#define THRESHOLD_DOWN   0.039
#define OUTLIER          15.0 /* over the threshold: it does not go after these */
#define STEP_MAX_MS      100.0
#define OVER_FOR_MS      10.0
#define JITTER_SMOOTHING 0.95
#define STAND_OUT        2.0 /* times the jitter: less of a growth might be by chance */

void bwe_delay_reset(struct bwe_delay *delay)
{
    *delay = (struct bwe_delay){ .threshold = delay->threshold,
                                 .threshold_at = delay->threshold_at,
                                 .over_for = -1 };
}

/* ---- the trend ---- */

/* The slope of the line through the points that has the least squares. */
static double slope_of(const struct bwe_trend_point *points, double fallback)
{
    double mean_at = 0, mean_delay = 0, above = 0, below = 0;
    for (unsigned i = 0; i < BWE_TREND_POINTS; i++) {
        mean_at += points[i].at / BWE_TREND_POINTS;
        mean_delay += points[i].delay / BWE_TREND_POINTS;
    }
    for (unsigned i = 0; i < BWE_TREND_POINTS; i++) {
        double at = points[i].at - mean_at;
        above += at * (points[i].delay - mean_delay);
        below += at * at;
    }
    return below > 0 ? above / below : fallback;
}

static double magnitude(double number)
{
    return number < 0 ? -number : number;
}

static void move_threshold(struct bwe_delay *delay, double trend, int64_t now)
{
    double distance = magnitude(trend) - delay->threshold;
    double step_ms = (double)(now - delay->threshold_at) / 1000;
    delay->threshold_at = now;
    if (distance > OUTLIER || step_ms <= 0)
        return;
    if (step_ms > STEP_MAX_MS)
        step_ms = STEP_MAX_MS;
    delay->threshold += (distance < 0 ? THRESHOLD_DOWN : THRESHOLD_UP) * distance * step_ms;
    if (delay->threshold < THRESHOLD_MIN)
        delay->threshold = THRESHOLD_MIN;
    if (delay->threshold > THRESHOLD_MAX)
        delay->threshold = THRESHOLD_MAX;
}

/* Whether the delay has grown by more, over the points, than by chance on a way that jitters. */
static bool stands_out(const struct bwe_delay *delay)
{
    const struct bwe_trend_point *newest = &delay->points[(delay->groups - 1) % BWE_TREND_POINTS];
    const struct bwe_trend_point *oldest = &delay->points[delay->groups % BWE_TREND_POINTS];
    double growth = delay->trend * (newest->at - oldest->at);
    return growth > STAND_OUT * delay->jitter;
}

static void detect(struct bwe_delay *delay, double sent_ms, int64_t now)
{
    unsigned counted = delay->groups < GROUPS_COUNTED ? delay->groups : GROUPS_COUNTED;
    double trend = counted * delay->trend * GAIN;
    if (delay->threshold == 0) {
        delay->threshold = THRESHOLD;
        delay->threshold_at = now;
    }
    if (trend > delay->threshold && stands_out(delay)) {
        delay->over_for = delay->over_for < 0 ? sent_ms / 2 : delay->over_for + sent_ms;
        delay->over_count++;
        if (delay->over_for > OVER_FOR_MS && delay->over_count > 1 &&
            delay->trend >= delay->trend_before) {
            delay->over_for = 0;
            delay->over_count = 0;
            delay->usage = BWE_OVERUSING;
        }
    } else {
        delay->over_for = -1;
        delay->over_count = 0;
        delay->usage = trend < -delay->threshold ? BWE_UNDERUSING : BWE_NORMAL;
    }
    delay->trend_before = delay->trend;
    move_threshold(delay, trend, now);
}

/* ---- groups ---- */

static void compare(struct bwe_delay *delay, const struct bwe_group *a, const struct bwe_group *b)
{
    double sent_ms = (double)(b->last_sent - a->last_sent) / 1000;
    double came_ms = (double)(b->last_arrival - a->last_arrival) / 1000;
    if (delay->groups == 0)
        delay->origin = b->last_arrival;
    double change = came_ms - sent_ms;
    double off = change - delay->mean;
    delay->mean += (1 - JITTER_SMOOTHING) * off;
    delay->jitter += (1 - JITTER_SMOOTHING) * (magnitude(off) - delay->jitter);
    delay->sum += change;
    delay->smoothed = SMOOTHING * delay->smoothed + (1 - SMOOTHING) * delay->sum;
    delay->points[delay->groups++ % BWE_TREND_POINTS] = (struct bwe_trend_point){
        .at = (double)(b->last_arrival - delay->origin) / 1000,
        .delay = delay->smoothed,
    };
    if (delay->groups >= BWE_TREND_POINTS)
        delay->trend = slope_of(delay->points, delay->trend);
    detect(delay, sent_ms, b->last_arrival);
}

static bool belongs(const struct bwe_group *group, int64_t sent_at, int64_t arrived_at)
{
    if (sent_at - group->first_sent <= GROUP_US)
        return true;
    /* what was held up on its way and then let go at once came later than it might have */
    int64_t came_after = arrived_at - group->last_arrival;
    return came_after >= 0 && came_after <= GROUP_US && came_after < sent_at - group->last_sent &&
           arrived_at - group->first_arrival < BURST_MAX_US;
}

void bwe_delay_skip(struct bwe_delay *delay)
{
    delay->current.is_there = delay->previous.is_there = false;
}

void bwe_delay_packet(struct bwe_delay *delay, int64_t sent_at, int64_t arrived_at)
{
    struct bwe_group *current = &delay->current;
    if (current->is_there && (arrived_at - current->last_arrival > JUMP_US ||
                              current->last_arrival - arrived_at > JUMP_US))
        bwe_delay_reset(delay);
    if (current->is_there && sent_at < current->first_sent)
        return; /* told of late */
    if (current->is_there && belongs(current, sent_at, arrived_at)) {
        if (sent_at > current->last_sent)
            current->last_sent = sent_at;
        if (arrived_at > current->last_arrival)
            current->last_arrival = arrived_at;
        return;
    }
    if (current->is_there && delay->previous.is_there)
        compare(delay, &delay->previous, current);
    delay->previous = *current;
    *current = (struct bwe_group){ sent_at, sent_at, arrived_at, arrived_at, true };
}
