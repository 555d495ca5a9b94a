/* What has not come is asked for, again each round trip, and given up in time. */
#include "support.h"

#include "media/key_requests.h"
#include "media/missing.h"

#define NOW   (1000 * USEC_S)
#define TRIP  (50 * USEC_MS)
#define FIRST 65530

static struct missing missing;

static int set_up(void **state)
{
    (void)state;
    memset(&missing, 0, sizeof missing);
    assert_true(missing_arrived(&missing, NOW, FIRST));
    return 0;
}

/* Asks, and compares with what is wanted: up to 4, ended by 0. */
static void assert_due(usec now, uint16_t a, uint16_t b, uint16_t c)
{
    const uint16_t wanted[] = { a, b, c };
    uint16_t out[8];
    bool gave_up;
    uint32_t count = missing_due(&missing, now, TRIP, out, 8, &gave_up);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(i < count ? out[i] : 0, wanted[i]);
    assert_true(count <= 3);
    assert_false(gave_up);
}

static void test_a_gap(void **state)
{
    (void)state;
    assert_true(missing_until(&missing) == USEC_NEVER);
    assert_true(missing_arrived(&missing, NOW, FIRST + 1));
    assert_due(NOW, 0, 0, 0);
    assert_true(missing_arrived(&missing, NOW, FIRST + 4));
    assert_true(missing_until(&missing) == NOW);
    assert_due(NOW, (uint16_t)(FIRST + 2), (uint16_t)(FIRST + 3), 0);
    assert_due(NOW + TRIP - 1, 0, 0, 0);
    assert_true(missing_until(&missing) == NOW + TRIP);
    assert_true(missing_arrived(&missing, NOW, FIRST + 2));
    assert_due(NOW + TRIP, (uint16_t)(FIRST + 3), 0, 0);
    assert_true(missing_arrived(&missing, NOW, FIRST + 3));
    assert_true(missing_arrived(&missing, NOW, FIRST + 3)); /* twice */
    assert_true(missing_until(&missing) == USEC_NEVER);
}

static void test_numbers_wrap(void **state)
{
    (void)state;
    assert_true(missing_arrived(&missing, NOW, 65534));
    assert_true(missing_arrived(&missing, NOW, 65538));
    uint16_t out[16];
    bool gave_up;
    assert_int_equal(missing_due(&missing, NOW, 0, out, 16, &gave_up), 6);
    assert_int_equal(out[3], 65535);
    assert_int_equal(out[4], 0);
    assert_int_equal(out[5], 1);
    /* the shortest time between two questions */
    assert_int_equal(missing_due(&missing, NOW + MISSING_EACH_MIN - 1, 0, out, 16, &gave_up), 0);
    assert_int_equal(missing_due(&missing, NOW + MISSING_EACH_MIN, 0, out, 4, &gave_up), 4);
    assert_int_equal(missing_due(&missing, NOW + MISSING_EACH_MIN, 0, out, 4, &gave_up), 2);
}

static void test_given_up(void **state)
{
    (void)state;
    uint16_t out[4];
    bool gave_up = false;
    usec now = NOW;
    assert_true(missing_arrived(&missing, NOW, FIRST + 2));
    for (int i = 0; i < MISSING_TRIES_MAX; i++, now += TRIP) {
        assert_int_equal(missing_due(&missing, now, TRIP, out, 4, &gave_up), 1);
        assert_false(gave_up);
    }
    assert_int_equal(missing_due(&missing, now, TRIP, out, 4, &gave_up), 0);
    assert_true(gave_up);
    assert_true(missing_until(&missing) == USEC_NEVER);
    /* and by age */
    assert_true(missing_arrived(&missing, NOW, FIRST + 4));
    assert_int_equal(missing_due(&missing, NOW + MISSING_AGE_MAX + 1, TRIP, out, 4, &gave_up), 0);
    assert_true(gave_up);
}

static void test_a_break(void **state)
{
    (void)state;
    assert_true(missing_arrived(&missing, NOW, FIRST + 1 + MISSING_MAX));
    assert_int_equal(missing.count, MISSING_MAX);
    assert_false(missing_arrived(&missing, NOW, FIRST + 3 + MISSING_MAX));
    assert_int_equal(missing.count, 0);
    assert_true(missing_arrived(&missing, NOW, FIRST + 5 + MISSING_MAX));
    assert_int_equal(missing.count, 1);
    assert_false(missing_arrived(&missing, NOW, (uint64_t)1 << 40));
}

/* Every set of what is missing is the set that a plain count gives. */
static void test_any_order(void **state)
{
    (void)state;
    bool came[200] = { false };
    uint64_t chance = 1;
    uint64_t highest = FIRST;
    came[0] = true;
    for (int n = 0; n < 2000; n++) {
        uint8_t step;
        test_random_fill(&chance, &step, 1);
        uint64_t sequence = FIRST + step % 200u;
        assert_true(missing_arrived(&missing, NOW, sequence));
        came[sequence - FIRST] = true;
        highest = sequence > highest ? sequence : highest;
        uint32_t count = 0;
        for (uint64_t s = FIRST; s < highest; s++)
            if (!came[s - FIRST]) {
                assert_true(count < missing.count);
                assert_true(missing.packets[count++].sequence == s);
            }
        assert_int_equal(count, missing.count);
    }
}

static void test_key_requests(void **state)
{
    (void)state;
    struct key_requests requests = { 0 };
    unsigned asked = 0;
    assert_false(key_requests_due(&requests, NOW));
    for (usec t = 0; t < 1000; t++) { /* a wish each ms, and no key frame comes */
        key_requests_want(&requests);
        asked += key_requests_due(&requests, NOW + t * USEC_MS);
    }
    assert_int_equal(asked, 2);
    key_requests_came(&requests);
    assert_true(key_requests_until(&requests) == USEC_NEVER);
    assert_false(key_requests_due(&requests, NOW + 10 * USEC_S));
    key_requests_want(&requests);
    assert_true(key_requests_due(&requests, NOW + 10 * USEC_S));
    key_requests_came(&requests);
    /* where there is no hurry, there is more time between them, unless somebody is in one */
    const usec later = NOW + 20 * USEC_S;
    for (usec t = asked = 0; t < 10000; t++) {
        key_requests_hope(&requests);
        asked += key_requests_due(&requests, later + t * USEC_MS);
    }
    assert_int_equal(asked, 5);
    key_requests_want(&requests);
    assert_true(key_requests_due(&requests, later + 10 * USEC_S));
    key_requests_came(&requests);
    key_requests_hope(&requests);
    assert_false(key_requests_due(&requests, later + 10 * USEC_S + KEY_REQUEST_EACH));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_gap, set_up),
        cmocka_unit_test_setup(test_numbers_wrap, set_up),
        cmocka_unit_test_setup(test_given_up, set_up),
        cmocka_unit_test_setup(test_a_break, set_up),
        cmocka_unit_test_setup(test_any_order, set_up),
        cmocka_unit_test(test_key_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
