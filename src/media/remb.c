#include "media/remb.h"

#include "wire/rtp_extensions.h"

#define START     (2 * USEC_S)
#define LOOK_EACH (50 * USEC_MS)
#define QUEUE     225000 /* us: with that the estimate goes down to 85 % of what comes */
#define STANDING  150000 /* us: so long all wait in a queue that does not grow, for it is full */
#define CALM      30000  /* us: there is no queue */
#define HALF      (30 * USEC_S)
#define PAUSE     (5 * USEC_S)
#define FALLEN    0.97 /* of what was told: that is told at once */

/* Both clocks run from anywhere, and not alike: so the least way is that of a while. */
static void note_way(struct remb *remb, usec now)
{
    int64_t way = (int64_t)now - remb->sent_at;
    if (remb->least_since == 0 || now - remb->least_since >= HALF) {
        remb->least[1] = remb->least_since ? remb->least[0] : way;
        remb->least[0] = way;
        remb->least_since = now;
    }
    if (way < remb->least[0])
        remb->least[0] = way;
    int64_t least = remb->least[0] < remb->least[1] ? remb->least[0] : remb->least[1];
    if (way - least < remb->waited)
        remb->waited = way - least;
}

static void look(struct remb *remb, usec now, usec round_trip)
{
    enum bwe_usage usage = remb->delay.usage;
    if (now - remb->looked_at < LOOK_EACH && usage != BWE_OVERUSING)
        return;
    int64_t waited = remb->waited;
    remb->looked_at = now;
    remb->waited = INT64_MAX;
    if (waited > STANDING)
        usage = BWE_OVERUSING;
    if (remb->come.bps == 0)
        return;
    if (remb->rate.bps == 0) {
        if (usage != BWE_OVERUSING && now - remb->began_at < START)
            return;
        bwe_rate_set(&remb->rate, now, remb->come.bps);
    }
    const struct bwe_rate_input input = { .usage = usage,
                                          .acknowledged_bps = remb->come.bps,
                                          .queue_us = waited > QUEUE ? waited : QUEUE,
                                          .round_trip = round_trip,
                                          .min_bps = REMB_MIN_BPS,
                                          .max_bps = REMB_MAX_BPS };
    (void)bwe_rate_update(&remb->rate, now, &input);
    if (usage == BWE_NORMAL && waited < CALM && remb->rate.bps < remb->come.bps)
        bwe_rate_set(&remb->rate, now, remb->come.bps); /* it has been seen to take that */
}

void remb_untimed(struct remb *remb, usec now, size_t size)
{
    bwe_acknowledged_add(&remb->come, (int64_t)now, size, false);
}

/* After a pause, in which abs-send-time may have wrapped, ways are compared with none before. */
static void begin_again(struct remb *remb)
{
    bwe_delay_reset(&remb->delay);
    remb->least_since = 0;
    remb->waited = INT64_MAX;
}

void remb_packet(struct remb *remb, usec now, uint32_t sent, size_t size, usec round_trip)
{
    if (remb->began_at == 0)
        remb->began_at = now;
    if (remb->came_at == 0 || now - remb->came_at > PAUSE)
        begin_again(remb);
    else
        remb->sent_at += rtp_abs_send_time_distance(sent, remb->sent_last);
    remb->came_at = now;
    remb->sent_last = sent;
    remb_untimed(remb, now, size);
    note_way(remb, now);
    bwe_delay_packet(&remb->delay, remb->sent_at, (int64_t)now);
    look(remb, now, round_trip);
}

usec remb_until(const struct remb *remb)
{
    if (remb->rate.bps == 0 || remb->looked_at <= remb->told_at)
        return USEC_NEVER; /* nothing has come since */
    if (remb->rate.bps < FALLEN * remb->told_bps)
        return remb->looked_at;
    return remb->told_at ? remb->told_at + REMB_EACH : remb->looked_at;
}

uint64_t remb_tell(struct remb *remb, usec now)
{
    remb->told_bps = remb->rate.bps;
    remb->told_at = now;
    return (uint64_t)remb->rate.bps;
}
