/* The estimate on lines of all kinds: what people's networks do to it. */
#include "support.h"

#include "bwe_line.h"

#define KBPS 1000.0
#define MBPS 1e6

static void test_steady(void **state)
{
    (void)state;
    line_begin(3 * MBPS, 25 * USEC_MS);
    line_run(30 * USEC_S);
    line_show("steady");
    assert_true(line_came(line.media_bytes, 5, 30) > 0.85 * 3 * MBPS);
    assert_true(line_longest(5, 30) < 150 * USEC_MS);
}

/* A large one, and one that hardly carries a picture. */
static void test_other_sizes(void **state)
{
    (void)state;
    line_begin(12 * MBPS, 10 * USEC_MS);
    line_run(30 * USEC_S);
    line_show("12 Mbit/s");
    assert_true(line_came(line.media_bytes, 10, 30) > 0.8 * 12 * MBPS);
    line_begin(150 * KBPS, 60 * USEC_MS);
    line_run(30 * USEC_S);
    line_show("150 kbit/s");
    assert_true(line_came(line.media_bytes, 10, 30) > 0.7 * 150 * KBPS);
    line_begin(2 * MBPS, 250 * USEC_MS);
    line_run(40 * USEC_S);
    line_show("by satellite");
    assert_true(line_came(line.media_bytes, 15, 40) > 0.7 * 2 * MBPS);
}

static void test_down_and_up(void **state)
{
    (void)state;
    line_begin(3 * MBPS, 25 * USEC_MS);
    line_run(15 * USEC_S);
    line.bps = 300 * KBPS;
    line_run(20 * USEC_S);
    line.bps = 3 * MBPS;
    line_run(20 * USEC_S);
    line_show("down and up");
    assert_true(line.target[16] < 300 * KBPS);
    assert_true(line_longest(18, 35) < 300 * USEC_MS);
    assert_true(line_came(line.media_bytes, 18, 35) > 0.8 * 300 * KBPS);
    assert_true(line.target[44] > 0.8 * 3 * MBPS);
}

/* All waits for a while, and comes at once: that is no narrow line, and not taken for one. */
static void test_a_stall(void **state)
{
    (void)state;
    line_begin(3 * MBPS, 25 * USEC_MS);
    line_run(15 * USEC_S);
    double before = line.bwe.target_bps;
    line.queue = 10 * USEC_S; /* what waits then is not lost */
    line.bps = 100 * KBPS;
    line_run(200 * USEC_MS);
    line.bps = 100 * MBPS;
    line_run(20 * USEC_MS);
    line.bps = 3 * MBPS;
    line_run(100 * USEC_MS);
    double least = line.bwe.target_bps;
    line_run(400 * USEC_MS);
    assert_true(least < 0.6 * before);
    assert_true(line.bwe.target_bps > 0.85 * before);
}

/* What the line loses of its own is no reason to send less ... */
static void test_loss(void **state)
{
    (void)state;
    line_begin(3 * MBPS, 50 * USEC_MS);
    line.loss = 0.05;
    line_run(40 * USEC_S);
    line_show("5 % loss");
    assert_true(line_came(line.media_bytes, 10, 40) > 0.75 * 3 * MBPS);
}

/* ... but what it loses because it is too much, without a queue that would tell, is. */
static void test_no_queue(void **state)
{
    struct bwe_estimate estimate;
    (void)state;
    line_begin(1 * MBPS, 25 * USEC_MS);
    line.queue = 15 * USEC_MS;
    line_run(30 * USEC_S);
    bwe_estimate(&line.bwe, line.now, &estimate);
    line_show("no queue");
    assert_true(estimate.loss < 0.15);
    for (unsigned i = 0; i < 30; i++)
        assert_true(line.target[i] < 1.25 * MBPS);
    assert_true(line_came(line.media_bytes, 10, 30) > 0.75 * MBPS);
}

static void test_bursts_of_loss(void **state)
{
    (void)state;
    line_begin(2 * MBPS, 25 * USEC_MS);
    for (unsigned i = 0; i < 10; i++) {
        line.loss = 0;
        line_run(3 * USEC_S);
        line.loss = 0.8;
        line_run(100 * USEC_MS);
    }
    line_show("bursts of loss");
    assert_true(line_came(line.media_bytes, 10, 30) > 0.5 * 2 * MBPS);
}

static void test_jitter(void **state)
{
    (void)state;
    line_begin(3 * MBPS, 25 * USEC_MS);
    line.jitter = 50 * USEC_MS;
    line_run(30 * USEC_S);
    line_show("jitter");
    assert_true(line_came(line.media_bytes, 15, 30) > 0.7 * 3 * MBPS);
    line.bps = 500 * KBPS; /* and a queue is still seen to grow */
    line_run(20 * USEC_S);
    line_show("jitter, and less of it");
    assert_true(line.target[32] < 600 * KBPS);
    assert_true(line_came(line.media_bytes, 35, 50) > 0.7 * 500 * KBPS);
}

/* Little is sent, and sometimes a key frame, faster than the line takes it: what came before it
 * says nothing of the line, what comes of it does. */
static void test_key_frames(void **state)
{
    (void)state;
    line_begin(3 * MBPS, 25 * USEC_MS);
    line.app_bps = 900 * KBPS;
    line_run(20 * USEC_S);
    line_show("little");
    assert_true(line.target[19] > 1.1 * MBPS);
    for (unsigned i = 0; i < 4; i++) {
        line.app_bps = 6 * MBPS;
        line.pace = 2.5;
        line_run(120 * USEC_MS);
        line.app_bps = 900 * KBPS;
        line.pace = 1;
        line_run(4880 * USEC_MS);
    }
    line_show("key frames");
    for (unsigned i = 20; i < 40; i++)
        assert_true(line.target[i] > 1.7 * MBPS);
}

/* The way becomes longer, as when a phone changes its network: that is no queue, and no rival. */
static void test_a_longer_way(void **state)
{
    (void)state;
    line_begin(4 * MBPS, 5 * USEC_MS);
    line.app_bps = 1.2 * MBPS;
    line_run(10 * USEC_S);
    line.delay = 60 * USEC_MS;
    line_run(30 * USEC_S);
    line_show("longer way");
    assert_true(line_came(line.media_bytes, 5, 10) > 1.1 * MBPS);
    assert_true(line_came(line.media_bytes, 16, 40) > 1.1 * MBPS);
    for (unsigned i = 16; i < 40; i++)
        assert_int_not_equal(line.limit[i], BWE_BY_RIVAL);
}

static void test_silence(void **state)
{
    (void)state;
    line_begin(3 * MBPS, 25 * USEC_MS);
    line_run(15 * USEC_S);
    double before = line.target[14];
    line.is_no_feedback = true;
    line_run(2 * USEC_S);
    double silent = line.target[16];
    assert_int_equal(line.limit[16], BWE_BY_SILENCE);
    line.is_no_feedback = false;
    line_run(1 * USEC_S);
    assert_true(line.target[17] > 0.6 * before);
    line_run(15 * USEC_S);
    line_show("silence");
    assert_true(silent < 0.6 * before && silent > 0.1 * before);
    assert_true(line.target[24] > 0.8 * before);
    line.is_no_feedback = true; /* for good */
    line_run(30 * USEC_S);
    assert_true(line.target[62] < 0.2 * before && line.target[62] >= BWE_MIN_BPS);
}

/* A flow that fills the queue leaves it a fair share of the line, which is its own again, without a
 * queue, when that flow has ended. */
static void test_tcp(void **state)
{
    (void)state;
    line_begin(3 * MBPS, 25 * USEC_MS);
    line_run(10 * USEC_S);
    line.tcp.is_on = true;
    line_run(80 * USEC_S);
    line.tcp.is_on = false;
    line_run(20 * USEC_S);
    line_show("tcp");
    double share = line_came(line.media_bytes, 25, 90) / (3 * MBPS);
    assert_true(share > 0.34 && share < 0.66);
    assert_int_equal(line.limit[80], BWE_BY_RIVAL);
    assert_true(line_came(line.media_bytes, 98, 110) > 0.85 * 3 * MBPS);
    assert_true(line_longest(100, 110) < 150 * USEC_MS);
}

/* A queue of our own making is no rival's, however long it is and however often the line gets
 * worse. */
static void test_no_rival(void **state)
{
    static const double RATES[] = { 3, 1.5, 0.6, 0.25 };
    (void)state;
    line_begin(RATES[0] * MBPS, 25 * USEC_MS);
    line.queue = 2 * USEC_S;
    for (unsigned i = 0; i < 4; i++) {
        line.bps = RATES[i] * MBPS;
        line_run(15 * USEC_S);
    }
    line_show("worse and worse");
    for (unsigned i = 0; i < 60; i++)
        assert_true(line.limit[i] != BWE_BY_RIVAL);
    for (unsigned i = 0; i < 4; i++) {
        unsigned from = i * 15 + 6, until = i * 15 + 15;
        assert_true(line_came(line.media_bytes, from, until) > 0.75 * RATES[i] * MBPS);
        assert_true(line_longest(from, until) < 300 * USEC_MS);
    }
}

/* There is little to send: probes show what there would be, as long as somebody wants it. */
static void test_little(void **state)
{
    struct bwe_estimate estimate;
    (void)state;
    line_begin(3 * MBPS, 25 * USEC_MS);
    line.app_bps = 150 * KBPS;
    line_run(10 * USEC_S);
    line_show("little");
    bwe_estimate(&line.bwe, line.now, &estimate);
    assert_true(line.target[9] > 0.7 * 3 * MBPS);
    assert_true(estimate.is_limited);
    assert_true(estimate.sent_bps < 200 * KBPS && estimate.acknowledged_bps < 200 * KBPS);
    bwe_want(&line.bwe, line.now, 150000, 150000);
    uint64_t probes = line.bwe.prober.sent;
    line_run(10 * USEC_S);
    bwe_estimate(&line.bwe, line.now, &estimate);
    assert_int_equal(estimate.probes, probes);
    assert_int_equal(estimate.limit, BWE_BY_APPLICATION);
}

/* All pictures are paused, for the line took none, and what else goes is not told of: that the
 * line is as it was is found out by probes alone, though the last that was heard was a queue and
 * loss. */
static void test_quiet(void **state)
{
    (void)state;
    line_begin(3 * MBPS, 25 * USEC_MS);
    line_run(5 * USEC_S);
    line.bps = 60 * KBPS;
    line_run(USEC_S);
    line.loss = 0.3;
    line_run(2 * USEC_S);
    line.is_quiet = true;
    assert_true(line.target[7] < 300 * KBPS);
    line_run(5 * USEC_S);
    assert_true(line.target[12] < 300 * KBPS);
    line.bps = 3 * MBPS;
    line.loss = 0;
    line_run(10 * USEC_S);
    line_show("quiet");
    assert_true(line.target[22] > 2 * MBPS);
    /* and when no more is wanted, there is nothing to be done */
    bwe_want(&line.bwe, line.now, 100000, 100000);
    assert_true(bwe_until(&line.bwe) == USEC_NEVER);
}

/* Nobody sends probes, and there is little to send: it does not go beyond what comes. */
static void test_no_probes(void **state)
{
    (void)state;
    line_begin(3 * MBPS, 25 * USEC_MS);
    line.is_no_probes = true;
    line.app_bps = 300 * KBPS;
    line_run(20 * USEC_S);
    assert_true(line.target[19] < 1.1 * BWE_START_BPS);
    line.app_bps = 0;
    line_run(40 * USEC_S);
    line_show("no probes");
    assert_true(line.target[55] > 0.8 * 3 * MBPS);
}

static void test_audio(void **state)
{
    (void)state;
    line_begin(30 * KBPS, 50 * USEC_MS);
    line.app_bps = 20 * KBPS;
    line_run(30 * USEC_S);
    line_show("audio");
    assert_true(line.target[1] < 60 * KBPS);
    assert_true(line.target[29] > 20 * KBPS && line.target[29] < 60 * KBPS);
    assert_true(line_came(line.media_bytes, 5, 30) > 19 * KBPS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steady),         cmocka_unit_test(test_other_sizes),
        cmocka_unit_test(test_down_and_up),    cmocka_unit_test(test_a_stall),
        cmocka_unit_test(test_loss),           cmocka_unit_test(test_no_queue),
        cmocka_unit_test(test_bursts_of_loss), cmocka_unit_test(test_jitter),
        cmocka_unit_test(test_key_frames),     cmocka_unit_test(test_silence),
        cmocka_unit_test(test_a_longer_way),   cmocka_unit_test(test_tcp),
        cmocka_unit_test(test_no_rival),       cmocka_unit_test(test_little),
        cmocka_unit_test(test_quiet),          cmocka_unit_test(test_no_probes),
        cmocka_unit_test(test_audio),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
