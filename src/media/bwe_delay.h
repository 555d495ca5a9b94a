/* bwe_delay.h - whether packets come with more and more delay: a queue grows before the line's
 * narrowest place, so more is sent than goes through (draft-ietf-rmcat-gcc-02, section 5).
 *
 * Packets that were sent within 5 ms, or that came as one burst, are a group.  By how much more (or
 * less) lies between two groups when they arrive than when they were sent is how much the queue has
 * grown; the slope of its smoothed sum over the last twenty groups is the trend.  The trend is held
 * against a threshold that goes after it: quickly down to where a line is calm, slowly up where it
 * always jitters or somebody else fills its queue, or else nothing would be left to us there.
 *
 * No memory of its own; zeroed at first.  Not heard of clocks: both times are counted each by its
 * own, from anywhere.
 */
#ifndef MOIM_MEDIA_BWE_DELAY_H
#define MOIM_MEDIA_BWE_DELAY_H

#include <stdbool.h>
#include <stdint.h>

#define BWE_TREND_POINTS 20

enum bwe_usage { BWE_NORMAL, BWE_UNDERUSING, BWE_OVERUSING };

struct bwe_group {
    int64_t first_sent;
    int64_t last_sent;
    int64_t first_arrival;
    int64_t last_arrival;
    bool is_there;
};

struct bwe_trend_point {
    double at; /* ms, of arrival */
    double delay;
};

/* Its members are bwe_delay.c's; times are in microseconds but where they say ms. */
struct bwe_delay {
    struct bwe_group current;
    struct bwe_group previous;
    struct bwe_trend_point points[BWE_TREND_POINTS];
    uint32_t groups; /* differences between groups, so far */
    int64_t origin;  /* of the points' times */
    double sum;      /* ms, of what the queue has grown by */
    double mean;     /* ms, of the differences between groups: smoothed, as is the next */
    double jitter;   /* ms: how far they are off it */
    double smoothed; /* ms */
    double trend;
    double trend_before;
    double threshold; /* 0: not set yet */
    int64_t threshold_at;
    double over_for; /* ms, above the threshold; below 0: not */
    uint32_t over_count;
    uint8_t usage; /* enum bwe_usage */
};

/* A packet that came, in the order in which they were sent. */
void bwe_delay_packet(struct bwe_delay *delay, int64_t sent_at, int64_t arrived_at);

/* Packets of a probe came, which makes a queue of its own: the next group is compared with none. */
void bwe_delay_skip(struct bwe_delay *delay);

/* Forgets groups and trend, but not the threshold: after a silence. */
void bwe_delay_reset(struct bwe_delay *delay);

#endif
