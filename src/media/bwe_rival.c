#include "media/bwe_rival.h"

#define QUEUE_US        30000 /* packets wait: a queue */
#define EMPTY_US        15000
#define EMPTY_FOR       USEC_S
#define LOOK_EACH       (300 * USEC_MS) /* whether it grows */
#define GROWS           0.2             /* of the time: who sends that much too much makes it */
#define LOSES           0.15            /* the same, where the queue can't grow any more */
#define SETTLED         (USEC_S / 2)    /* then what comes is what the line gives us */
#define LESS            0.7             /* of what came: it would be gone ... */
#define LESS_FOR        (USEC_S / 2)    /* ... by then */
#define STANDS_US       60000           /* more than a packet waits for itself, on a narrow line */
#define STANDS_FOR      (3 * USEC_S)    /* ours alone would have gone down meanwhile ... */
#define STANDS_PART     3               /* ... to less than this part */
#define STANDS_FALL_US  200000          /* ... or by so much */
#define STANDS_RATE     0.5             /* of what the line takes: if we send no more */
#define OURS_FOR        (30 * USEC_S)
#define LOST_EACH_MIN   (500 * USEC_MS) /* a burst of ours loses for longer than a round trip */
#define TOO_LONG        2
#define TOO_LONG_ADDED  100000
#define ALONE_SMOOTHING 0.0005 /* a feedback */

static void forget(struct bwe_rival *rival)
{
    rival->full_since = rival->less_since = rival->stands_since = 0;
}

/* What comes now is what we are left with. */
static void begin_anew(struct bwe_rival *rival, usec now)
{
    rival->full_since = now;
    rival->less_since = 0;
    rival->most_bps = 0;
}

static bool grows(struct bwe_rival *rival, usec now, int64_t queue_us)
{
    usec passed = now - rival->looked_at;
    int64_t grown = queue_us - rival->queue_us;
    if (passed < LOOK_EACH)
        return false;
    rival->looked_at = now;
    rival->queue_us = queue_us;
    return (double)grown > GROWS * (double)passed;
}

/* It stands, whatever we do. */
static bool stands(struct bwe_rival *rival, usec now, const struct bwe_rival_input *input,
                   bool is_growing)
{
    int64_t queue_us = input->queue_us;
    bool is_new = rival->stands_since == 0 || is_growing || queue_us < STANDS_US;
    if (is_new || queue_us < rival->stands_least)
        rival->stands_least = queue_us;
    if (is_new || queue_us > rival->stands_most)
        rival->stands_most = queue_us;
    if (is_new || rival->stands_least < rival->stands_most / STANDS_PART ||
        rival->stands_most - rival->stands_least > STANDS_FALL_US) {
        rival->stands_since = now;
        rival->stands_least = rival->stands_most = queue_us;
    }
    return now - rival->stands_since >= STANDS_FOR && now >= rival->ours_until &&
           input->rate_bps < STANDS_RATE * rival->alone_bps;
}

static void find(struct bwe_rival *rival, const struct bwe_rival_input *input)
{
    rival->is_there = true;
    rival->found_us = input->queue_us;
}

/* There is a queue: whose is it? */
static void look_at_queue(struct bwe_rival *rival, usec now, const struct bwe_rival_input *input)
{
    double come = input->busy_bps > 0 ? input->busy_bps : input->come_bps;
    bool is_growing = grows(rival, now, input->queue_us);
    bool is_standing = stands(rival, now, input, is_growing);
    bool is_ours = is_growing || input->loss > LOSES;
    if (rival->full_since == 0 || is_ours)
        begin_anew(rival, now);
    if (!rival->is_there && is_standing)
        find(rival, input);
    if (now - rival->full_since < SETTLED)
        return;
    if (come > rival->most_bps)
        rival->most_bps = come;
    if (come > LESS * rival->most_bps)
        rival->less_since = 0;
    else if (rival->less_since == 0)
        rival->less_since = now;
    if (rival->is_there || rival->less_since == 0 || now - rival->less_since < LESS_FOR)
        return;
    find(rival, input);
}

/* It takes nobody else to make a queue so much longer than it was: we do, and no loss ends that. */
static bool is_ours_after_all(const struct bwe_rival *rival, int64_t queue_us)
{
    return queue_us > TOO_LONG * rival->found_us + TOO_LONG_ADDED;
}

/* Highest of late. */
static void look_alone(struct bwe_rival *rival, double bps)
{
    if (bps > rival->alone_bps)
        rival->alone_bps = bps;
    else if (bps > 0)
        rival->alone_bps += ALONE_SMOOTHING * (bps - rival->alone_bps);
}

bool bwe_rival_look(struct bwe_rival *rival, usec now, const struct bwe_rival_input *input)
{
    bool was_there = rival->is_there;
    if (!was_there)
        look_alone(rival, input->busy_bps);
    if (input->queue_us >= EMPTY_US)
        rival->empty_since = 0;
    else if (rival->empty_since == 0)
        rival->empty_since = now;
    if (rival->empty_since && now - rival->empty_since >= EMPTY_FOR)
        rival->is_there = false;
    if (rival->is_there && is_ours_after_all(rival, input->queue_us)) {
        rival->is_there = false;
        rival->ours_until = now + OURS_FOR;
        forget(rival);
    }
    if (input->queue_us < QUEUE_US)
        forget(rival);
    else
        look_at_queue(rival, now, input);
    return rival->is_there && !was_there;
}

bool bwe_rival_lost(struct bwe_rival *rival, usec now, usec round_trip)
{
    usec each = round_trip > LOST_EACH_MIN ? round_trip : LOST_EACH_MIN;
    if (!rival->is_there || (rival->lost_at && now - rival->lost_at < each))
        return false;
    rival->lost_at = now;
    return true;
}
