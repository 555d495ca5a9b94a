#include "media/bwe_rival.h"

#define BASE_EACH     (30 * USEC_S)
#define QUEUE_US      30000 /* on the way more than ever before: a queue */
#define EMPTY_US      15000
#define EMPTY_FOR     USEC_S
#define SMOOTHED      (USEC_S / 2)
#define SETTLED       USEC_S           /* then what comes is what the line gives us */
#define OVER_COME     1.25             /* times what comes: who sends that makes the queue */
#define LESS          0.85             /* of what came: it would be gone ... */
#define LESS_FOR      (3 * USEC_S / 2) /* ... by then */
#define LOST_EACH_MIN (100 * USEC_MS)

void bwe_rival_packet(struct bwe_rival *rival, int64_t sent_at, int64_t arrived_at)
{
    int64_t way = arrived_at - sent_at;
    if (!rival->has_lowest || way < rival->lowest)
        rival->lowest = way;
    rival->has_lowest = true;
}

static void move_base(struct bwe_rival *rival, usec now)
{
    if (rival->base_since == 0) {
        rival->base = rival->base_before = rival->lowest;
        rival->base_since = now;
    }
    if (now - rival->base_since >= BASE_EACH) {
        rival->base_before = rival->base;
        rival->base = rival->lowest;
        rival->base_since = now;
    }
    if (rival->lowest < rival->base)
        rival->base = rival->lowest;
}

static int64_t queue_of(const struct bwe_rival *rival)
{
    int64_t base = rival->base < rival->base_before ? rival->base : rival->base_before;
    return rival->lowest - base;
}

static void smooth(struct bwe_rival *rival, usec now, double sent_bps, double come_bps)
{
    usec passed = now - rival->looked_at;
    double share = passed < SMOOTHED ? (double)passed / (double)SMOOTHED : 1;
    rival->sent_bps += share * (sent_bps - rival->sent_bps);
    rival->come_bps += share * (come_bps - rival->come_bps);
    rival->looked_at = now;
}

/* There is a queue: whose is it? */
static void look_at_queue(struct bwe_rival *rival, usec now)
{
    if (rival->full_since == 0 || rival->sent_bps > OVER_COME * rival->come_bps) {
        rival->full_since = now;
        rival->less_since = 0;
        rival->most_bps = 0;
    }
    if (now - rival->full_since < SETTLED)
        return;
    if (rival->come_bps > rival->most_bps)
        rival->most_bps = rival->come_bps;
    if (rival->come_bps > LESS * rival->most_bps)
        rival->less_since = 0;
    else if (rival->less_since == 0)
        rival->less_since = now;
    if (rival->less_since && now - rival->less_since >= LESS_FOR)
        rival->is_there = true;
}

void bwe_rival_look(struct bwe_rival *rival, usec now, double sent_bps, double acknowledged_bps)
{
    if (!rival->has_lowest)
        return;
    move_base(rival, now);
    smooth(rival, now, sent_bps, acknowledged_bps);
    int64_t queue = queue_of(rival);
    rival->has_lowest = false;
    if (queue >= EMPTY_US)
        rival->empty_since = 0;
    else if (rival->empty_since == 0)
        rival->empty_since = now;
    if (rival->empty_since && now - rival->empty_since >= EMPTY_FOR)
        rival->is_there = false;
    if (queue < QUEUE_US)
        rival->full_since = 0;
    else
        look_at_queue(rival, now);
}

bool bwe_rival_lost(struct bwe_rival *rival, usec now, usec round_trip)
{
    usec each = round_trip > LOST_EACH_MIN ? round_trip : LOST_EACH_MIN;
    if (!rival->is_there || (rival->lost_at && now - rival->lost_at < each))
        return false;
    rival->lost_at = now;
    return true;
}
