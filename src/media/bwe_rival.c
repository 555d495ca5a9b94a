#include "media/bwe_rival.h"

#define BASE_EACH     (30 * USEC_S)
#define QUEUE_US      40000 /* on the way more than ever before: a queue */
#define EMPTY_US      15000
#define SETTLED       USEC_S       /* then what comes is what the line gives us */
#define FULL_FOR      (3 * USEC_S) /* before a rival is made out */
#define EMPTY_FOR     USEC_S
#define OVER_COME     1.1  /* times what comes: who sends that makes the queue */
#define LESS          0.85 /* of what came: somebody else's is more */
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

void bwe_rival_look(struct bwe_rival *rival, usec now, double sent_bps, double acknowledged_bps,
                    bool is_limited)
{
    if (!rival->has_lowest)
        return;
    move_base(rival, now);
    int64_t queue = queue_of(rival);
    rival->has_lowest = false;
    if (queue >= EMPTY_US)
        rival->empty_since = 0;
    else if (rival->empty_since == 0)
        rival->empty_since = now;
    if (rival->empty_since && now - rival->empty_since >= EMPTY_FOR)
        rival->is_there = false;
    if (queue < QUEUE_US) {
        rival->full_since = 0;
        return;
    }
    if (rival->full_since == 0 || is_limited || sent_bps > OVER_COME * acknowledged_bps) {
        rival->full_since = now;
        rival->most_bps = 0;
    }
    if (now - rival->full_since < SETTLED)
        return;
    if (acknowledged_bps > rival->most_bps)
        rival->most_bps = acknowledged_bps;
    if (now - rival->full_since >= FULL_FOR && acknowledged_bps < LESS * rival->most_bps)
        rival->is_there = true;
}

bool bwe_rival_lost(struct bwe_rival *rival, usec now, usec round_trip)
{
    usec each = round_trip > LOST_EACH_MIN ? round_trip : LOST_EACH_MIN;
    if (!rival->is_there || (rival->lost_at && now - rival->lost_at < each))
        return false;
    rival->lost_at = now;
    return true;
}
