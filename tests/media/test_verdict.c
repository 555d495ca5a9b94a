/* Why a picture looks bad: figures in, one word out. */
#include "support.h"

#include "media/verdict.h"

#define GOOD_SOURCE .is_known = true, .encodings = 3, .active = 3, .fps = 30, .bps = 1500000
#define GOOD_LINE                                                                                  \
    .is_known = true, .limit = BWE_BY_APPLICATION, .estimate_bps = 3000000, .given_bps = 1500000,  \
    .wanted_bps = 1500000, .round_trip = 40 * USEC_MS

static void assert_verdict(enum verdict is, enum verdict wanted, size_t row)
{
    if (is != wanted)
        fail_msg("row %zu: %s, not %s", row, verdict_name(is), verdict_name(wanted));
}

/* ---- a line ---- */

static const struct {
    struct verdict_line line;
    enum verdict verdict;
} LINES[] = {
    { { GOOD_LINE }, VERDICT_NOTHING },
    { { .loss = 1000, .queue = USEC_S }, VERDICT_NOTHING }, /* of which nothing is known */
    { { GOOD_LINE, .loss = VERDICT_LOSS - 1 }, VERDICT_NOTHING },
    { { GOOD_LINE, .loss = VERDICT_LOSS }, VERDICT_DOWNLINK },
    { { GOOD_LINE, .queue = VERDICT_QUEUE - 1 }, VERDICT_NOTHING },
    { { GOOD_LINE, .queue = VERDICT_QUEUE }, VERDICT_DOWNLINK },
    /* far away is not bad */
    { { .is_known = true, .estimate_bps = 1, .round_trip = USEC_S }, VERDICT_NOTHING },
    /* less than is sent: as its other end says, or as is only believed */
    { { .is_known = true, .limit = BWE_BY_DELAY, .estimate_bps = 9, .given_bps = 10 },
      VERDICT_NOTHING },
    { { .is_known = true, .limit = BWE_BY_LOSS, .estimate_bps = 9, .given_bps = 10 },
      VERDICT_NOTHING },
    { { .is_known = true, .limit = BWE_BY_RIVAL, .estimate_bps = 9, .given_bps = 10 },
      VERDICT_NOTHING },
    { { .is_known = true, .limit = BWE_BY_SILENCE, .estimate_bps = 9, .given_bps = 10 },
      VERDICT_DOWNLINK },
    { { .is_known = true, .limit = BWE_BY_RECEIVER, .estimate_bps = 9, .given_bps = 10 },
      VERDICT_DOWNLINK },
    { { .is_known = true, .limit = BWE_BY_SILENCE, .estimate_bps = 10, .given_bps = 10 },
      VERDICT_NOTHING },
    { { .is_known = true, .limit = BWE_UNKNOWN, .estimate_bps = 9, .given_bps = 10 },
      VERDICT_NOTHING },
    { { .is_known = true, .limit = BWE_BY_NOTHING, .estimate_bps = 9, .given_bps = 10 },
      VERDICT_NOTHING },
    { { .is_known = true, .limit = BWE_BY_APPLICATION, .estimate_bps = 9, .given_bps = 10 },
      VERDICT_NOTHING },
    { { .is_known = true, .limit = BWE_BY_SETTING, .estimate_bps = 9, .given_bps = 10 },
      VERDICT_NOTHING },
};

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof LINES / sizeof LINES[0]; i++)
        assert_verdict(verdict_of_line(&LINES[i].line), LINES[i].verdict, i);
}

/* ---- what is sent ---- */

static const struct {
    struct verdict_source source;
    enum verdict verdict;
} SOURCES[] = {
    { { GOOD_SOURCE }, VERDICT_NOTHING },
    { { .loss = 500 }, VERDICT_NOTHING }, /* of which nothing is known */
    { { .is_known = true, .encodings = 3 }, VERDICT_SILENT },
    { { .is_known = true, .encodings = 3, .loss = 500, .limit = VERDICT_BY_CPU }, VERDICT_SILENT },
    { { .is_known = true, .encodings = 3, .unwanted = 2 }, VERDICT_SILENT },
    { { .is_known = true, .encodings = 3, .unwanted = 3 }, VERDICT_WINDOW }, /* nobody looks */
    { { GOOD_SOURCE, .loss = VERDICT_LOSS - 1 }, VERDICT_NOTHING },
    { { GOOD_SOURCE, .loss = VERDICT_LOSS }, VERDICT_UPLINK },
    { { GOOD_SOURCE, .jitter_us = VERDICT_JITTER - 1 }, VERDICT_NOTHING },
    { { GOOD_SOURCE, .jitter_us = VERDICT_JITTER }, VERDICT_UPLINK },
    { { GOOD_SOURCE, .limit = VERDICT_UNLIMITED }, VERDICT_NOTHING },
    { { GOOD_SOURCE, .limit = VERDICT_BY_OTHER }, VERDICT_NOTHING },
    { { GOOD_SOURCE, .limit = VERDICT_BY_CPU }, VERDICT_SENDER_CPU },
    { { GOOD_SOURCE, .limit = VERDICT_BY_BANDWIDTH }, VERDICT_UPLINK },
    { { GOOD_SOURCE, .limit = VERDICT_BY_CPU, .loss = VERDICT_LOSS }, VERDICT_UPLINK },
};

static void test_sources(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof SOURCES / sizeof SOURCES[0]; i++)
        assert_verdict(verdict_of_source(&SOURCES[i].source), SOURCES[i].verdict, i);
}

/* ---- what is received ---- */

#define GOOD                                                                                       \
    {                                                                                              \
        GOOD_SOURCE                                                                                \
    }
#define LOSSY                                                                                      \
    {                                                                                              \
        GOOD_SOURCE, .loss = 100                                                                   \
    }
#define BUSY                                                                                       \
    {                                                                                              \
        GOOD_SOURCE, .limit = VERDICT_BY_CPU                                                       \
    }
#define NARROW                                                                                     \
    {                                                                                              \
        GOOD_SOURCE, .limit = VERDICT_BY_BANDWIDTH                                                 \
    }

/* Nobody's window needs its best encoding. */
#define ENOUGH                                                                                     \
    {                                                                                              \
        .is_known = true, .encodings = 3, .active = 1, .unwanted = 2, .limit = VERDICT_BY_CPU      \
    }

static const struct {
    struct verdict_picture picture;
    enum verdict on_good_line;
    enum verdict on_bad_line;
} PICTURES[] = {
    { { ALLOCATION_FULL, GOOD }, VERDICT_NOTHING, VERDICT_DOWNLINK },
    { { ALLOCATION_FULL, LOSSY }, VERDICT_UPLINK, VERDICT_DOWNLINK },
    { { ALLOCATION_FULL, BUSY }, VERDICT_SENDER_CPU, VERDICT_DOWNLINK },
    { { ALLOCATION_FULL, NARROW }, VERDICT_UPLINK, VERDICT_DOWNLINK },
    { { ALLOCATION_FULL, { .is_known = true } }, VERDICT_SILENT, VERDICT_SILENT },
    { { ALLOCATION_FULL, { .is_known = false } }, VERDICT_NOTHING, VERDICT_DOWNLINK },
    { { ALLOCATION_SILENT, GOOD }, VERDICT_NOTHING, VERDICT_DOWNLINK }, /* it has begun since */
    { { ALLOCATION_SILENT, { .is_known = true } }, VERDICT_SILENT, VERDICT_SILENT },
    { { ALLOCATION_SILENT, { .is_known = false } }, VERDICT_SILENT, VERDICT_SILENT },
    { { ALLOCATION_WINDOW, GOOD }, VERDICT_WINDOW, VERDICT_DOWNLINK },
    { { ALLOCATION_WINDOW, LOSSY }, VERDICT_UPLINK, VERDICT_DOWNLINK },
    { { ALLOCATION_WINDOW, BUSY }, VERDICT_WINDOW, VERDICT_DOWNLINK },
    { { ALLOCATION_WINDOW, NARROW }, VERDICT_WINDOW, VERDICT_DOWNLINK },
    { { ALLOCATION_FULL, ENOUGH }, VERDICT_WINDOW, VERDICT_DOWNLINK },
    { { ALLOCATION_FULL, { .is_known = true, .encodings = 3, .unwanted = 3 } },
      VERDICT_SILENT,
      VERDICT_SILENT },
    { { ALLOCATION_HIDDEN, LOSSY }, VERDICT_WINDOW, VERDICT_WINDOW },
    { { ALLOCATION_LAST_N, LOSSY }, VERDICT_POLICY, VERDICT_POLICY },
    { { ALLOCATION_PAUSED, BUSY }, VERDICT_POLICY, VERDICT_POLICY },
    { { ALLOCATION_BANDWIDTH, BUSY }, VERDICT_DOWNLINK, VERDICT_DOWNLINK },
};

static void test_pictures(void **state)
{
    (void)state;
    const struct verdict_line good = { GOOD_LINE }, bad = { GOOD_LINE, .loss = 200 };
    for (size_t i = 0; i < sizeof PICTURES / sizeof PICTURES[0]; i++) {
        assert_verdict(verdict_of_picture(&PICTURES[i].picture, &good), PICTURES[i].on_good_line,
                       i);
        assert_verdict(verdict_of_picture(&PICTURES[i].picture, &bad), PICTURES[i].on_bad_line, i);
    }
}

/* ---- names ---- */

static void test_names(void **state)
{
    (void)state;
    enum verdict_limit limit = VERDICT_UNTOLD;
    assert_string_equal(verdict_name(VERDICT_SENDER_CPU), "sender-cpu");
    for (unsigned i = 0; i < VERDICT_LIMIT_KINDS; i++) {
        assert_true(verdict_limit_read(view_of(verdict_limit_name((enum verdict_limit)i)), &limit));
        assert_int_equal(limit, i);
    }
    assert_false(verdict_limit_read(VIEW("CPU"), &limit));
    assert_false(verdict_limit_read(VIEW(""), &limit));
    assert_int_equal(verdict_graver(VERDICT_WINDOW, VERDICT_UPLINK), VERDICT_UPLINK);
    assert_int_equal(verdict_graver(VERDICT_WINDOW, VERDICT_NOTHING), VERDICT_WINDOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
