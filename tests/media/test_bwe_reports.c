/* The estimate of a line of which no feedback tells: by reports, and by REMB. */
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

static void test_reports(void **state)
{
    struct bwe_estimate estimate;
    usec now = NOW;
    (void)state;
    bwe_estimate(&bwe, now, &estimate);
    assert_int_equal(estimate.limit, BWE_UNKNOWN);
    for (unsigned i = 0; i < 500; i++) {
        for (unsigned k = 0; k < 10; k++)
            bwe_sent(&bwe, now, 1250, 0); /* 1 Mbit/s */
        bwe_reported(&bwe, now += 100 * USEC_MS, 100, 1, 70 * USEC_MS);
    }
    bwe_estimate(&bwe, now, &estimate);
    assert_true(estimate.target_bps > 1400000 && estimate.target_bps <= 1600000);
    assert_true(estimate.round_trip == 70 * USEC_MS);
    assert_false(estimate.has_feedback);
    for (unsigned i = 0; i < 100; i++)
        bwe_reported(&bwe, now += 100 * USEC_MS, 100, 5, 0);
    assert_int_equal(bwe_target_bps(&bwe), estimate.target_bps); /* between little and much */
    for (unsigned i = 0; i < 100; i++)
        bwe_reported(&bwe, now += 100 * USEC_MS, 100, 30, 0);
    bwe_estimate(&bwe, now, &estimate);
    assert_true(estimate.target_bps < 400000);
    assert_true(estimate.loss > 0.29 && estimate.loss < 0.31);
    assert_int_equal(estimate.limit, BWE_BY_LOSS);
    bwe_reported(&bwe, now += 2 * USEC_S, 10, UINT32_MAX, 0); /* whatever it says */
    for (unsigned i = 0; i < 1000; i++)
        bwe_reported(&bwe, now += USEC_S, UINT32_MAX, UINT32_MAX, 0);
    assert_int_equal(bwe_target_bps(&bwe), SETTINGS.min_bps);
}

static void test_remb(void **state)
{
    struct bwe_estimate estimate;
    (void)state;
    bwe_remb(&bwe, NOW, 2000000);
    bwe_estimate(&bwe, NOW, &estimate);
    assert_int_equal(estimate.target_bps, 2000000);
    assert_int_equal(estimate.limit, BWE_BY_RECEIVER);
    bwe_remb(&bwe, NOW, 1);
    assert_int_equal(bwe_target_bps(&bwe), SETTINGS.min_bps);
    bwe_remb(&bwe, NOW, UINT64_MAX);
    assert_int_equal(bwe_target_bps(&bwe), SETTINGS.max_bps);
}

/* A receiver as browsers are: what it says grows by 8 % a second, up to half as much again as comes
 * with times on it.  Gives what it says after so many seconds of 100 kbit/s, and as much sound. */
static double say_remb(double remb, unsigned seconds, uint64_t *filled)
{
    struct bwe_probe probe;
    usec now = NOW;
    *filled = 0;
    for (unsigned i = 0; i < seconds * 10; i++, now += 100 * USEC_MS) {
        uint64_t timed = 1250;
        bwe_sent_untold(&bwe, now, 1250, true, 0);
        bwe_sent_untold(&bwe, now, 1250, false, 0);
        bwe_tick(&bwe, now);
        assert_true(bwe_until(&bwe) > now);
        while (bwe_probe_wanted(&bwe, now, &probe)) {
            assert_true(probe.cluster > 0 && probe.bps > 0);
            bwe_sent_untold(&bwe, now, probe.bytes, true, probe.cluster);
            timed += probe.bytes;
            *filled += probe.bytes;
        }
        double most =
            1.5 * (double)timed * 80 + 10000; /* of twice what the mean is, but so often */
        double grown = remb * 1.008;
        remb = grown < most || grown < remb ? grown : remb > most ? remb : most;
        bwe_remb(&bwe, now, (uint64_t)remb);
    }
    return remb;
}

/* What it says is of pictures alone, and is brought to grow where more is wanted. */
static void test_remb_is_filled_up(void **state)
{
    struct bwe_estimate estimate;
    uint64_t filled;
    (void)state;
    bwe_want(&bwe, NOW, 1000000, 1000000);
    assert_true(say_remb(35000, 80, &filled) > 850000);
    assert_true(filled > 0);
    bwe_estimate(&bwe, NOW, &estimate);
    assert_true(estimate.target_bps > 950000);
    /* what is wanted is there: nothing more than media goes */
    bwe_want(&bwe, NOW, 150000, 150000);
    assert_true(say_remb(200000, 60, &filled) >= 200000);
    assert_int_equal(filled, 0);
    /* and sound comes on top of what it says */
    assert_in_range(bwe_target_bps(&bwe), 290000, 310000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_reports, set_up),
        cmocka_unit_test_setup(test_remb, set_up),
        cmocka_unit_test_setup(test_remb_is_filled_up, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
