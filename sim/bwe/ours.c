/* media/bwe and media/pacer, joined as media/peer_share.c and peer_probe.c join them. */
#include "bwe/follower.h"

#include <stdlib.h>

#include "media/bwe.h"
#include "media/pacer.h"

#define STORES        2
#define SMALL_BELOW   600 /* as media/sender_repeat.c has it */
#define SMALL_PADDING 270

struct follower {
    struct follower_road road;
    struct bwe bwe;
    struct pacer pacer;
    struct pool store;
    struct list callers;
};

static struct follower *open_ours(usec now, const struct follower_road *road)
{
    static const struct bwe_settings SETTINGS = { .min_bps = BWE_MIN_BPS,
                                                  .start_bps = FOLLOWER_START_BPS,
                                                  .max_bps = BWE_MAX_BPS };
    struct follower *follower = calloc(1, sizeof *follower);
    if (!follower || pool_init(&follower->store, sizeof(struct bwe_more), STORES) != OK)
        abort();
    follower->road = *road;
    list_init(&follower->callers);
    list_init(&follower->pacer.node);
    follower->pacer.callers = &follower->callers;
    bwe_init(&follower->bwe, now, &SETTINGS);
    follower->bwe.history.store = &follower->store;
    return follower;
}

static void close_ours(struct follower *follower)
{
    bwe_history_free(&follower->bwe.history);
    pool_free(&follower->store);
    free(follower);
}

static void put(struct follower *follower, usec now, size_t size, enum pacer_kind kind)
{
    uint8_t cluster = pacer_sent(&follower->pacer, now, kind, size);
    uint16_t number = bwe_sent(&follower->bwe, now, size, cluster);
    follower->road.put(follower->road.to, now, number, size, kind == PACER_PADDING);
}

/* Before the first feedback a line is not known, and nothing waits. */
static void look_at_line(struct follower *follower, usec now)
{
    if (follower->bwe.has_feedback)
        pacer_set_line(&follower->pacer, now, bwe_target_bps(&follower->bwe));
}

static void hear(struct follower *follower, usec now, struct view rtcp)
{
    struct rtcp_packet packet;
    struct rtcp_feedback feedback;
    struct twcc twcc;
    while (rtcp.size > 0) {
        if (rtcp_next(&rtcp, &packet) != OK || rtcp_read_feedback(&packet, &feedback) != OK ||
            twcc_read(&feedback, &twcc) != OK)
            abort(); /* of what was made here */
        bwe_feedback(&follower->bwe, now, &twcc);
    }
    look_at_line(follower, now);
}

static void begin_probe(struct follower *follower, usec now)
{
    struct bwe_probe wanted;
    if (pacer_is_probing(&follower->pacer) || !bwe_probe_wanted(&follower->bwe, now, &wanted))
        return;
    const struct pacer_probe probe = { .cluster = wanted.cluster,
                                       .packets = wanted.packets,
                                       .size = wanted.size,
                                       .bytes = wanted.bytes,
                                       .bps = wanted.bps };
    pacer_begin_probe(&follower->pacer, now, &probe);
}

static void turn(struct follower *follower, usec now)
{
    if (bwe_until(&follower->bwe) <= now) {
        bwe_tick(&follower->bwe, now);
        look_at_line(follower, now);
    }
    begin_probe(follower, now);
    while (pacer_padding(&follower->pacer, now) > 0) {
        bool is_small = follower->pacer.probe.size < SMALL_BELOW;
        put(follower, now, is_small ? SMALL_PADDING : FOLLOWER_PACKET, PACER_PADDING);
    }
}

static bool waits(struct follower *follower, usec now, uint32_t bytes, usec since)
{
    pacer_waits(&follower->pacer, now, PACER_VIDEO, bytes, since);
    return !pacer_is_over(&follower->pacer);
}

static bool may(struct follower *follower, usec now)
{
    return pacer_may(&follower->pacer, now, PACER_VIDEO);
}

static void send_media(struct follower *follower, usec now, size_t size)
{
    put(follower, now, size, PACER_VIDEO);
}

static void want(struct follower *follower, usec now, uint64_t bps, uint64_t most_bps)
{
    bwe_want(&follower->bwe, now, bps, most_bps);
}

static uint64_t estimate(struct follower *follower)
{
    return bwe_target_bps(&follower->bwe);
}

const struct follower_kind follower_ours = {
    .name = "moim",
    .open = open_ours,
    .close = close_ours,
    .hear = hear,
    .turn = turn,
    .waits = waits,
    .may = may,
    .send = send_media,
    .want = want,
    .estimate = estimate,
};
