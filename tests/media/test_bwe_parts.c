/* The parts of the estimate, each by itself. */
#include "support.h"

#include "media/bwe.h"

#define NOW (1000 * USEC_S)

static const struct bwe_settings SETTINGS = { 50000, 500000, 5000000 };
static struct bwe bwe;

static int set_up(void **state)
{
    (void)state;
    bwe_init(&bwe, NOW, &SETTINGS);
    return 0;
}

/* ---- history ---- */

static void test_history(void **state)
{
    static struct bwe_history history;
    struct pool store;
    (void)state;
    memset(&history, 0, sizeof history);
    assert_int_equal(pool_init(&store, sizeof(struct bwe_more), 1), OK);
    history.store = &store;
    assert_null(bwe_history_find(&history, 0));
    for (unsigned i = 0; i < 70000; i++) { /* over the turn of the numbers */
        usec now = NOW + i * USEC_MS;
        assert_int_equal(bwe_history_add(&history, now, i, (uint8_t)i), (uint16_t)i);
        struct bwe_packet *packet = bwe_history_find(&history, (uint16_t)i);
        assert_non_null(packet);
        assert_int_equal(packet->size, i < 65535 ? i : 65535);
        assert_int_equal(packet->cluster, (uint8_t)i);
        assert_int_equal(packet->fate, BWE_SENT);
        assert_true(bwe_packet_sent_at(packet, now + 4000 * USEC_S) == now);
        assert_null(bwe_history_find(&history, (uint16_t)(i + 1)));
        assert_null(bwe_history_find(&history, (uint16_t)(i - BWE_HISTORY_MAX)));
        unsigned oldest = i < BWE_HISTORY_MAX ? 0 : i - BWE_HISTORY_MAX + 1;
        packet = bwe_history_find(&history, (uint16_t)oldest);
        assert_non_null(packet);
        assert_int_equal(packet->size, oldest < 65535 ? oldest : 65535);
    }
    bwe_history_free(&history);
    bwe_history_free(&history);
    assert_int_equal(store.used, 0);
    pool_free(&store);
}

/* More memory is taken only where packets would be forgotten that are still to be told of. */
static void test_history_grows(void **state)
{
    struct bwe_history history = { 0 }, other = { 0 };
    struct pool store;
    usec now = NOW;
    (void)state;
    assert_int_equal(pool_init(&store, sizeof(struct bwe_more), 1), OK);
    history.store = other.store = &store;
    for (unsigned i = 0; i < 2000; i++) { /* told of in time */
        bwe_history_find(&history, bwe_history_add(&history, now += USEC_MS, 1, 0))->fate =
            BWE_RECEIVED;
        bwe_history_add(&other, now + i * 10 * USEC_MS, 1, 0); /* or so long ago */
    }
    assert_true(!history.more && !other.more);
    assert_null(bwe_history_find(&history, (uint16_t)(2000 - BWE_HISTORY_OWN - 1)));
    for (unsigned i = 0; i < 257; i++)
        bwe_history_add(&history, now, 2, 0);
    assert_non_null(history.more);
    for (unsigned i = 0; i < 257; i++)
        assert_int_equal(bwe_history_find(&history, (uint16_t)(2000 + i))->size, 2);
    for (unsigned i = 0; i < 1000; i++) /* there is no more: it has to do */
        bwe_history_add(&other, now + 20 * USEC_S, 3, 0);
    assert_null(other.more);
    bwe_history_free(&history);
    bwe_history_free(&other);
    assert_int_equal(store.used, 0);
    pool_free(&store);
}

/* ---- delay ---- */

/* Groups 10 ms apart, each of which comes that much later than the one before. */
static enum bwe_usage usage_after(struct bwe_delay *delay, unsigned groups, int64_t later_us)
{
    static int64_t sent, came;
    for (unsigned i = 0; i < groups; i++) {
        bwe_delay_packet(delay, sent += 10000, came += 10000 + later_us);
        bwe_delay_packet(delay, sent + 1000, came + 1000);
    }
    return (enum bwe_usage)delay->usage;
}

static void test_delay(void **state)
{
    struct bwe_delay delay = { 0 };
    (void)state;
    assert_int_equal(usage_after(&delay, 100, 0), BWE_NORMAL);
    assert_int_equal(usage_after(&delay, 30, 2000), BWE_OVERUSING);
    assert_int_equal(usage_after(&delay, 60, 0), BWE_NORMAL);
    assert_int_equal(usage_after(&delay, 20, -3000), BWE_UNDERUSING);
    assert_int_equal(usage_after(&delay, 60, 0), BWE_NORMAL);
    bwe_delay_packet(&delay, 1, 2); /* told of late: it is nothing to it */
    assert_int_equal(usage_after(&delay, 30, 2000), BWE_OVERUSING);
    bwe_delay_reset(&delay);
    assert_int_equal(delay.usage, BWE_NORMAL);
    assert_int_equal(usage_after(&delay, 30, 0), BWE_NORMAL);
}

/* What a probe does to the queue is not overuse. */
static void test_delay_of_probes(void **state)
{
    struct bwe_delay delay = { 0 };
    int64_t sent = 0;
    (void)state;
    for (unsigned i = 0; i < 400; i++) {
        int64_t queue = i % 100 < 20 ? 0 : 30000; /* 30 ms more at once, every second */
        sent += 10000;
        if (i % 100 == 20)
            bwe_delay_skip(&delay);
        if (i % 100 == 0)
            bwe_delay_skip(&delay);
        bwe_delay_packet(&delay, sent, sent + queue);
        assert_int_equal(delay.usage, BWE_NORMAL);
    }
}

/* ---- rates ---- */

static void test_acknowledged(void **state)
{
    struct bwe_acknowledged acknowledged = { 0 };
    int64_t at = -5000000;
    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        bwe_acknowledged_add(&acknowledged, at += 10000, 1250, false);
    assert_true(acknowledged.bps > 980e3 && acknowledged.bps < 1020e3);
    for (unsigned i = 0; i < 50; i++) /* down to a tenth: half a second is enough */
        bwe_acknowledged_add(&acknowledged, at += 10000, 125, false);
    assert_true(acknowledged.bps < 200e3);
    for (unsigned i = 0; i < 300; i++)
        bwe_acknowledged_add(&acknowledged, at += 10000, 1250, false);
    assert_true(acknowledged.bps > 900e3);
    bwe_acknowledged_add(&acknowledged, at + 100000000, 1250, false); /* an hour of nothing */
    assert_true(acknowledged.bps > 900e3);
}

static void test_demand(void **state)
{
    struct bwe_demand demand = { .at = NOW };
    usec now = NOW;
    (void)state;
    for (unsigned i = 0; i < 200; i++) /* all that may be sent */
        bwe_demand_sent(&demand, now += 10 * USEC_MS, 1250, 1e6);
    assert_true(demand.limited_since == 0);
    for (unsigned i = 0; i < 200; i++) /* a third of it */
        bwe_demand_sent(&demand, now += 10 * USEC_MS, 420, 1e6);
    assert_true(demand.limited_since > NOW + 2 * USEC_S && demand.limited_since <= now);
    for (unsigned i = 0; i < 200; i++)
        bwe_demand_sent(&demand, now += 10 * USEC_MS, 1250, 1e6);
    assert_true(demand.limited_since == 0);
}

static void test_rate(void **state)
{
    struct bwe_rate rate = { .bps = 1e6 };
    struct bwe_rate_input input = {
        .acknowledged_bps = 950e3, .round_trip = 50 * USEC_MS, .min_bps = 50e3, .max_bps = 5e6
    };
    usec now = NOW;
    (void)state;
    for (unsigned i = 0; i <= 10; i++)
        assert_false(bwe_rate_update(&rate, now += 100 * USEC_MS, &input));
    assert_true(rate.bps > 1.07e6 && rate.bps < 1.09e6); /* 8 % a second */
    for (unsigned i = 0; i < 300; i++)
        bwe_rate_update(&rate, now += 100 * USEC_MS, &input);
    assert_true(rate.bps > 1.43e6 && rate.bps <= 1.5 * 950e3 + 10e3); /* not far over what comes */
    input.usage = BWE_OVERUSING;
    input.queue_us = 225000; /* gone in a second and a half */
    assert_true(bwe_rate_update(&rate, now += 100 * USEC_MS, &input));
    assert_true(rate.bps > 0.84 * 950e3 && rate.bps < 0.86 * 950e3);
    assert_false(bwe_rate_update(&rate, now += 10 * USEC_MS, &input)); /* so soon? no */
    input.usage = BWE_UNDERUSING;
    double held = rate.bps;
    assert_false(bwe_rate_update(&rate, now += 100 * USEC_MS, &input));
    assert_true(rate.bps == held);
    input.usage = BWE_NORMAL;
    assert_false(bwe_rate_update(&rate, now += 100 * USEC_MS, &input));
    for (unsigned i = 0; i < 10; i++)
        bwe_rate_update(&rate, now += 100 * USEC_MS, &input);
    assert_true(rate.bps > held && rate.bps < 1.08 * held); /* carefully, near the limit */
    input.usage = BWE_OVERUSING;
    input.acknowledged_bps = 1000;
    for (unsigned i = 0; i < 10; i++)
        bwe_rate_update(&rate, now += USEC_S, &input);
    assert_true(rate.bps == 50e3);
}

/* A queue that stays is too much, though it does not grow; unless it does not go for that. */
static void test_a_queue_that_stands(void **state)
{
    struct bwe_rate rate = { .bps = 300e3 };
    struct bwe_rate_input input = { .acknowledged_bps = 295e3,
                                    .busy_bps = 290e3,
                                    .queue_us = 290000,
                                    .standing_us = 290000,
                                    .round_trip = 50 * USEC_MS,
                                    .min_bps = 50e3,
                                    .max_bps = 5e6 };
    usec now = NOW;
    (void)state;
    for (unsigned i = 0; i < 10; i++)
        assert_false(bwe_rate_update(&rate, now += 100 * USEC_MS, &input));
    assert_true(rate.bps == 300e3); /* with more it would only grow */
    assert_true(bwe_rate_update(&rate, now += 100 * USEC_MS, &input));
    assert_true(rate.bps > 0.79 * 290e3 && rate.bps < 0.82 * 290e3);
    for (unsigned i = 0; i < 80; i++)
        bwe_rate_update(&rate, now += 100 * USEC_MS, &input);
    assert_true(rate.bps > 0.79 * 290e3);
    double before = rate.bps;
    for (unsigned i = 0; i < 30; i++) /* it is the way that has become longer */
        bwe_rate_update(&rate, now += 100 * USEC_MS, &input);
    assert_true(rate.bps > before);
    rate = (struct bwe_rate){ .bps = 300e3 };
    input.standing_us = 60000; /* of which a packet takes 32 ms by itself */
    for (unsigned i = 0; i < 20; i++)
        bwe_rate_update(&rate, now += 100 * USEC_MS, &input);
    assert_true(rate.bps > 310e3);
}

/* How far it goes down is what the line takes while it is busy, and what is to be emptied. */
static void test_down(void **state)
{
    static const struct {
        double acknowledged_bps, busy_bps;
        int64_t queue_us;
        double least, most;
    } ROWS[] = { { 900e3, 0, 0, 0.94 * 900e3, 0.96 * 900e3 },
                 { 900e3, 1500e3, 0, 0.94 * 1500e3, 0.96 * 1500e3 },
                 { 900e3, 1500e3, 300000, 0.79 * 1500e3, 0.81 * 1500e3 },
                 { 900e3, 1500e3, 900000, 0.74 * 1500e3, 0.76 * 1500e3 },
                 { 900e3, 300e3, 300000, 0.79 * 300e3, 0.81 * 300e3 }, /* what comes lags behind */
                 { 0, 0, 0, 0.99e6, 1.01e6 } };
    (void)state;
    for (unsigned i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct bwe_rate rate = { .bps = 2e6 };
        const struct bwe_rate_input input = { .usage = BWE_OVERUSING,
                                              .acknowledged_bps = ROWS[i].acknowledged_bps,
                                              .busy_bps = ROWS[i].busy_bps,
                                              .queue_us = ROWS[i].queue_us,
                                              .round_trip = 50 * USEC_MS,
                                              .min_bps = 50e3,
                                              .max_bps = 5e6 };
        assert_true(bwe_rate_update(&rate, NOW, &input));
        assert_true(rate.bps > ROWS[i].least && rate.bps < ROWS[i].most);
        assert_true(rate.reduced_at == NOW);
    }
    /* more than it sends is taken: it is as low as it need be */
    struct bwe_rate rate = { .bps = 1e6 };
    const struct bwe_rate_input input = {
        .usage = BWE_OVERUSING, .acknowledged_bps = 500e3, .busy_bps = 2e6, .max_bps = 5e6
    };
    assert_false(bwe_rate_update(&rate, NOW, &input));
    assert_true(rate.bps == 1e6 && rate.reduced_at == 0 && rate.is_held);
}

/* ---- the line at work ---- */

/* Pictures of `count` packets of 1250 bytes, 33 ms apart, over a line of that rate that is empty
 * otherwise; as sent at twice its rate.  The clocks are days apart. */
static int64_t send_pictures(struct bwe_busy *busy, int64_t from, unsigned pictures, unsigned count,
                             int64_t packet_us, int64_t *free_at)
{
    const int64_t APART = -86400 * (int64_t)USEC_S;
    for (unsigned i = 0; i < pictures; i++, from += 33000)
        for (unsigned k = 0; k < count; k++) {
            int64_t sent_at = from + k * packet_us / 2;
            *free_at = (*free_at > sent_at ? *free_at : sent_at) + packet_us;
            bwe_busy_begin(busy);
            bwe_busy_packet(busy, sent_at, APART + *free_at + 20000, 1250);
        }
    return from;
}

static void test_busy(void **state)
{
    struct bwe_busy busy = { 0 };
    int64_t free_at = 0;
    (void)state;
    assert_true(bwe_busy_bps(&busy) == 0 && bwe_busy_queue(&busy) == 0);
    /* 1.2 Mbit/s on a line of 4: it is known to take 4, but for what the first of each says */
    int64_t at = send_pictures(&busy, 0, 60, 4, 2500, &free_at);
    assert_true(bwe_busy_bps(&busy) > 3.8e6 && bwe_busy_bps(&busy) < 5.5e6);
    assert_true(bwe_busy_queue(&busy) < 10000);
    /* all the time a bit more than it takes: the queue grows */
    at = send_pictures(&busy, at, 60, 14, 2500, &free_at);
    assert_true(bwe_busy_bps(&busy) > 3.9e6 && bwe_busy_bps(&busy) < 4.2e6);
    assert_true(bwe_busy_queue(&busy) > 60000);
    /* it breaks in to a tenth: ten packets behind a queue are enough to know */
    at = send_pictures(&busy, at, 3, 4, 25000, &free_at);
    assert_true(bwe_busy_bps(&busy) < 0.8e6);
    /* nothing waits any more: what was known grows old */
    at = send_pictures(&busy, free_at + 40000, 20, 1, 1, &free_at);
    assert_true(bwe_busy_bps(&busy) == 0 && bwe_busy_queue(&busy) == 0);
    /* a clock that jumps is another one */
    bwe_busy_begin(&busy);
    bwe_busy_packet(&busy, at, at + 1000 * (int64_t)USEC_S, 1250);
    assert_true(bwe_busy_bps(&busy) == 0 && bwe_busy_queue(&busy) == 0);
}

/* The shortest way is forgotten in time: a route has become longer, and that is no queue. */
static void test_busy_base(void **state)
{
    struct bwe_busy busy = { 0 };
    (void)state;
    for (int64_t at = 0; at < 100 * (int64_t)USEC_S; at += 20000) {
        bwe_busy_begin(&busy);
        bwe_busy_packet(&busy, at, at + (at < 10 * (int64_t)USEC_S ? 10000 : 60000), 1250);
        if (at > 12 * (int64_t)USEC_S && at < 29 * (int64_t)USEC_S)
            assert_int_equal(bwe_busy_queue(&busy), 50000);
    }
    assert_int_equal(bwe_busy_queue(&busy), 0);
}

/* ---- rivals ---- */

/* Twenty feedbacks a second of that time; true: a rival was found meanwhile. */
static bool rival_after(struct bwe_rival *rival, usec *now, usec time, struct bwe_rival_input input,
                        int64_t queue_growth_us)
{
    bool is_found = false;
    for (usec until = *now + time; *now < until; *now += 50 * USEC_MS) {
        is_found |= bwe_rival_look(rival, *now, &input);
        input.queue_us += queue_growth_us;
    }
    return is_found;
}

static void test_rival(void **state)
{
    static const struct bwe_rival_input FREE = { 1000, 4e6, 2e6, 0, 3e6 };
    static const struct bwe_rival_input FULL = { 120000, 2e6, 2e6, 0, 3e6 };
    static const struct bwe_rival_input LESS = { 120000, 1e6, 1e6, 0, 3e6 };
    static const struct bwe_rival_input LOSES = { 120000, 1e6, 1e6, 0.2, 3e6 };
    struct bwe_rival rival = { 0 };
    usec now = NOW;
    (void)state;
    assert_false(rival_after(&rival, &now, 2 * USEC_S, FREE, 0));
    assert_false(rival_after(&rival, &now, 2 * USEC_S, FULL, 0)); /* as much as ever comes */
    assert_true(rival.alone_bps > 3.8e6 && rival.less_since == 0);
    /* less comes, but we make the queue, or lose by it */
    assert_false(rival_after(&rival, &now, 2 * USEC_S, LESS, 15000));
    assert_false(rival_after(&rival, &now, 2 * USEC_S, FULL, 0));
    assert_false(rival_after(&rival, &now, 2 * USEC_S, LOSES, 0));
    assert_false(rival_after(&rival, &now, 2 * USEC_S, FULL, 0));
    /* less comes, and that is all */
    assert_false(rival_after(&rival, &now, USEC_S / 3, LESS, 0));
    assert_true(rival.less_since > 0); /* perhaps */
    assert_true(rival_after(&rival, &now, USEC_S, LESS, 0));
    assert_true(rival.is_there && rival.most_bps == 2e6 && rival.alone_bps > 3.5e6);
    assert_true(bwe_rival_lost(&rival, now, 50 * USEC_MS));
    assert_false(bwe_rival_lost(&rival, now + 100 * USEC_MS, 50 * USEC_MS));
    assert_true(bwe_rival_lost(&rival, now + USEC_S, 50 * USEC_MS));
    /* it ends when the queue is empty for a while */
    rival_after(&rival, &now, USEC_S / 2, FREE, 0);
    assert_true(rival.is_there && rival.less_since == 0);
    rival_after(&rival, &now, USEC_S, FREE, 0);
    assert_false(rival.is_there || bwe_rival_lost(&rival, now, 50 * USEC_MS));
    /* ... or has become so long that it must be ours */
    rival_after(&rival, &now, 2 * USEC_S, FULL, 0);
    assert_true(rival_after(&rival, &now, USEC_S, LESS, 0));
    rival_after(&rival, &now, 2 * USEC_S, LESS, 3000);
    assert_true(rival.is_there);
    rival_after(&rival, &now, USEC_S, LESS, 20000);
    assert_false(rival.is_there);
}

/* Who gave way at once has not seen that less and less comes; but the queue stands. */
static void test_rival_that_stands(void **state)
{
    static const struct bwe_rival_input FREE = { 1000, 4e6, 2e6, 0, 3e6 };
    static const struct bwe_rival_input STANDS = { 120000, 1e5, 1e5, 0, 2e5 };
    static const struct bwe_rival_input MUCH = { 120000, 1e5, 1e5, 0, 3e6 };
    struct bwe_rival rival = { 0 };
    usec now = NOW;
    (void)state;
    assert_false(rival_after(&rival, &now, 2 * USEC_S, FREE, 0));
    assert_false(rival_after(&rival, &now, 4 * USEC_S, MUCH, 0)); /* which may be why it stands */
    rival_after(&rival, &now, USEC_S, FREE, 0);
    assert_false(rival_after(&rival, &now, 2 * USEC_S, STANDS, -2000)); /* it goes down */
    assert_false(rival_after(&rival, &now, 2 * USEC_S, STANDS, 0));
    assert_true(rival_after(&rival, &now, 2 * USEC_S, STANDS, 0));
    /* and when it was ours after all, it is not taken for a rival's again soon */
    rival_after(&rival, &now, USEC_S, STANDS, 20000);
    assert_false(rival.is_there);
    rival_after(&rival, &now, 2 * USEC_S, FREE, 0);
    assert_false(rival_after(&rival, &now, 5 * USEC_S, STANDS, 0));
}

/* ---- probes ---- */

static const struct bwe_probe_terms TERMS = { 1e6, 5e6, 5e6, 2, 0, true, false };

static double probe_result(struct bwe_prober *prober, usec now, int64_t sent_us, int64_t came_us)
{
    struct bwe_probe probe;
    assert_true(bwe_prober_take(prober, now, &probe));
    assert_false(bwe_prober_take(prober, now, &probe));
    assert_true(probe.bps == 2e6 && probe.bytes == 5000 && probe.packets == 5);
    assert_int_equal(probe.size, 1000);
    for (int i = 0; i < 5; i++) {
        assert_true(i == 4 || bwe_prober_result(prober, now) == 0);
        bwe_prober_packet(prober, probe.cluster, i * sent_us, i * came_us, 1500);
        bwe_prober_packet(prober, (uint8_t)(probe.cluster + 1), 0, 0, 1500);
    }
    return bwe_prober_result(prober, now);
}

static void test_probes(void **state)
{
    struct bwe_prober prober = { 0 };
    struct bwe_probe probe;
    usec now = NOW;
    (void)state;
    bwe_prober_look(&prober, now, &TERMS);
    /* as it was sent: the next follows at once */
    assert_true(probe_result(&prober, now, 6000, 6000) == 2e6);
    bwe_prober_look(&prober, now, &TERMS);
    /* half as fast: the next one waits */
    double half = probe_result(&prober, now, 6000, 12000);
    assert_true(half > 0.9e6 && half < 1e6);
    bwe_prober_look(&prober, now += USEC_S, &TERMS);
    assert_false(bwe_prober_take(&prober, now, &probe));
    bwe_prober_look(&prober, now += 3 * USEC_S, &TERMS);
    /* faster than it was sent: that is not the line */
    assert_true(probe_result(&prober, now, 6000, 1000) == 0);
    bwe_prober_hurry(&prober, now);
    bwe_prober_look(&prober, now += USEC_S, &TERMS);
    assert_true(bwe_prober_take(&prober, now, &probe));
    bwe_prober_look(&prober, now += 3 * USEC_S, &TERMS); /* nothing was told of it */
    assert_int_equal(prober.state, BWE_PROBE_IDLE);
    /* nobody takes it */
    bwe_prober_look(&prober, now += 10 * USEC_S, &TERMS);
    assert_int_equal(prober.state, BWE_PROBE_READY);
    bwe_prober_look(&prober, now += 3 * USEC_S, &TERMS);
    assert_int_equal(prober.state, BWE_PROBE_IDLE);
}

/* That its first packet is a large one does not make the line slow. */
static void test_probe_of_two_sizes(void **state)
{
    struct bwe_prober prober = { 0 };
    struct bwe_probe probe;
    (void)state;
    bwe_prober_look(&prober, NOW, &TERMS);
    assert_true(bwe_prober_take(&prober, NOW, &probe));
    for (int i = 0; i < 17; i++) {
        int64_t at = i ? 6000 + (i - 1) * 1120 : 0; /* 2 Mbit/s */
        bwe_prober_packet(&prober, probe.cluster, at, at + 40, i ? 280 : 1500);
    }
    assert_true(bwe_prober_result(&prober, NOW) > 1.9e6);
    assert_true(prober.succeeded == 1 && prober.is_open);
}

static void test_no_probe(void **state)
{
    struct bwe_prober prober = { 0 };
    struct bwe_probe_terms terms = TERMS;
    struct bwe_probe probe;
    (void)state;
    terms.wanted_bps = 0.8e6; /* it is enough */
    bwe_prober_look(&prober, NOW, &terms);
    assert_false(bwe_prober_take(&prober, NOW, &probe));
    terms.wanted_bps = 1.5e6;
    terms.is_calm = false;
    bwe_prober_look(&prober, NOW, &terms);
    assert_false(bwe_prober_take(&prober, NOW, &probe));
    terms.is_calm = true;
    bwe_prober_look(&prober, NOW, &terms);
    assert_true(bwe_prober_take(&prober, NOW, &probe));
    assert_true(probe.bps == 1950000); /* not for more than moves a layer up */
}

/* Beside a rival it is the part that comes; and what suffices is not tried for. */
static void test_probe_beside_rival(void **state)
{
    struct bwe_prober prober = { 0 };
    struct bwe_probe_terms terms = TERMS;
    struct bwe_probe probe;
    (void)state;
    terms.has_rival = true;
    terms.wanted_bps = 0.8e6;
    bwe_prober_look(&prober, NOW, &terms);
    assert_false(bwe_prober_take(&prober, NOW, &probe));
    terms.wanted_bps = 1.2e6;
    bwe_prober_look(&prober, NOW, &terms);
    double came = probe_result(&prober, NOW, 6000, 8000);
    assert_true(came > 1.49e6 && came < 1.51e6);
}

/* Once a line has shown no end, it is tried for all that there is; where it has, no more. */
static void test_open_probe(void **state)
{
    struct bwe_prober prober = { 0 };
    struct bwe_probe_terms terms = TERMS;
    struct bwe_probe probe;
    usec now = NOW;
    (void)state;
    terms.wanted_bps = 2e6 / 1.3;
    bwe_prober_look(&prober, now, &terms);
    assert_true(probe_result(&prober, now, 6000, 6000) == 2e6);
    terms.target_bps = 2e6; /* more than is wanted next */
    bwe_prober_look(&prober, now, &terms);
    assert_true(bwe_prober_take(&prober, now, &probe));
    assert_true(probe.bps == 4e6);
    for (int i = 0; i < 9; i++) /* half of it comes */
        bwe_prober_packet(&prober, probe.cluster, i * 2400, i * 4800, 1200);
    assert_true(bwe_prober_result(&prober, now) > 0);
    bwe_prober_look(&prober, now += 10 * USEC_S, &terms);
    assert_false(bwe_prober_take(&prober, now, &probe));
}

/* ---- with it ---- */

/* Of packets that were sent 10 ms apart, all that came, 20 ms later. */
static bool tell(usec now, uint16_t base, uint16_t count, uint32_t reference)
{
    uint8_t chunks[2] = { (uint8_t)(0x20 | count >> 8), (uint8_t)count }; /* a run of small ones */
    static uint8_t deltas[BWE_STATUSES_MAX + 1];
    memset(deltas, 40, sizeof deltas); /* 10 ms */
    const struct twcc twcc = { .base_sequence_number = base,
                               .status_count = count,
                               .reference_time = reference,
                               .chunks = view_make(chunks, 2),
                               .deltas = view_make(deltas, count) };
    return bwe_feedback(&bwe, now, &twcc);
}

static void test_feedback(void **state)
{
    struct bwe_estimate estimate;
    (void)state;
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(bwe_sent(&bwe, NOW + i * 10 * USEC_MS, 600, 0), i);
    assert_true(bwe_until(&bwe) <= NOW + USEC_S);
    /* what was never sent, and too much at once */
    assert_true(tell(NOW + USEC_S, 30000, 50, 1000));
    assert_false(tell(NOW + USEC_S, 0, BWE_STATUSES_MAX + 1, 1000));
    bwe_estimate(&bwe, NOW, &estimate);
    assert_true(estimate.round_trip == 0);
    assert_true(tell(NOW + USEC_S, 0, 100, 1000));
    assert_true(tell(NOW + USEC_S, 0, 100, 1000)); /* twice */
    bwe_estimate(&bwe, NOW + USEC_S, &estimate);
    assert_true(estimate.has_feedback);
    assert_true(estimate.round_trip == 10 * USEC_MS);
    assert_true(estimate.loss == 0);
    assert_true(bwe_until(&bwe) == NOW + 2 * USEC_S); /* it is tried in a while */
}

/* The reference time turns around, and so do the numbers: nothing is felt of it. */
static void test_turns(void **state)
{
    struct bwe_estimate estimate;
    usec now = NOW;
    uint32_t reference = TWCC_REFERENCE_MAX - 8;
    (void)state;
    for (unsigned turn = 0; turn < 16; turn++) {
        uint16_t base = (uint16_t)bwe.history.count;
        for (unsigned i = 0; i < 64; i++, now += 10 * USEC_MS)
            bwe_sent(&bwe, now, 600, 0);
        assert_true(tell(now, base, 64, reference));
        reference = (reference + 10) % TWCC_REFERENCE_MAX; /* 640 ms */
    }
    bwe_estimate(&bwe, now, &estimate);
    assert_true(estimate.acknowledged_bps > 460000 && estimate.acknowledged_bps < 500000);
    assert_true(estimate.target_bps >= SETTINGS.start_bps);
    assert_int_equal(bwe.delay.usage, BWE_NORMAL);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(bwe_limit_name(BWE_UNKNOWN), "unknown");
    assert_string_equal(bwe_limit_name(BWE_BY_SETTING), "setting");
    assert_true(sizeof bwe <= 9728); /* as its header says */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_history_grows),
        cmocka_unit_test(test_delay),
        cmocka_unit_test(test_delay_of_probes),
        cmocka_unit_test(test_acknowledged),
        cmocka_unit_test(test_demand),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_down),
        cmocka_unit_test(test_busy),
        cmocka_unit_test(test_busy_base),
        cmocka_unit_test(test_probes),
        cmocka_unit_test(test_probe_of_two_sizes),
        cmocka_unit_test(test_no_probe),
        cmocka_unit_test(test_open_probe),
        cmocka_unit_test(test_a_queue_that_stands),
        cmocka_unit_test(test_rival),
        cmocka_unit_test(test_rival_that_stands),
        cmocka_unit_test(test_probe_beside_rival),
        cmocka_unit_test_setup(test_feedback, set_up),
        cmocka_unit_test_setup(test_turns, set_up),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
