/* Scripts of lines as text: what they say, what is no script and why, every truncation, and bits
 * that flip. */
#include "support.h"

#include "netem/script.h"

static const char TEXT[] = "# a line that breaks down\n"
                           "at 0s rate 2.5M queue 200ms delay 20ms jitter 1.5ms\r\n"
                           "\n"
                           "  at 10s\trate 300k  loss 0.5% burst 1% 25%   # now\n"
                           "at 10s queue 20kB jumble 50ms duplicate 100%\n"
                           "at 12.5s reorder 2.25% 30ms block\n"
                           "at 13s open rate none queue none";

static void test_reads(void **state)
{
    struct netem_script script;
    struct netem_script_error error;
    struct netem_setting line = { 0 };
    (void)state;
    assert_int_equal(netem_script_read(view_of(TEXT), &script, &error), OK);
    assert_int_equal(script.count, 5);
    netem_step_apply(&script.steps[0], &line);
    assert_int_equal(script.steps[0].at, 0);
    assert_int_equal(line.rate_bps, 2500000);
    assert_int_equal(line.queue_time, 200 * USEC_MS);
    assert_int_equal(line.delay, 20 * USEC_MS);
    assert_int_equal(line.jitter, 1500);
    assert_false(line.reorders);
    netem_step_apply(&script.steps[1], &line);
    assert_int_equal(script.steps[1].at, 10 * USEC_S);
    assert_int_equal(line.rate_bps, 300000);
    assert_int_equal(line.delay, 20 * USEC_MS);
    assert_int_equal(line.loss, 5000);
    assert_int_equal(line.burst_begin, 10000);
    assert_int_equal(line.burst_end, 250000);
    netem_step_apply(&script.steps[2], &line);
    assert_int_equal(line.queue_bytes, 20000);
    assert_int_equal(line.queue_time, 0);
    assert_int_equal(line.jitter, 50 * USEC_MS);
    assert_true(line.reorders);
    assert_int_equal(line.duplicate, NETEM_ALL);
    netem_step_apply(&script.steps[3], &line);
    assert_int_equal(script.steps[3].at, 12500 * USEC_MS);
    assert_int_equal(line.reorder, 22500);
    assert_int_equal(line.reorder_by, 30 * USEC_MS);
    assert_true(line.is_blocked);
    netem_step_apply(&script.steps[4], &line);
    assert_false(line.is_blocked);
    assert_int_equal(line.rate_bps, 0);
    assert_int_equal(line.queue_bytes, 0);
    assert_int_equal(line.loss, 5000);
}

static void test_nothing_is_a_script(void **state)
{
    struct netem_script script = { .count = 3 };
    struct netem_script_error error;
    (void)state;
    assert_int_equal(netem_script_read(VIEW(""), &script, &error), OK);
    assert_int_equal(script.count, 0);
}

static void test_errors_say_where_and_why(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
        const char *what;
    } BAD[] = {
        { "rate 300k", 1, "a step begins with `at`" },
        { "# \n\nat 3 rate 300k", 3, "a time is wanted, such as 20ms or 1.5s" },
        { "at 25h", 1, "a time is wanted, such as 20ms or 1.5s" },
        { "at 86401s", 1, "a time is wanted, such as 20ms or 1.5s" },
        { "at 0.1234567s", 1, "a time is wanted, such as 20ms or 1.5s" },
        { "at -1s", 1, "a time is wanted, such as 20ms or 1.5s" },
        { "at 1s\nat 500ms", 2, "it is earlier than the step before" },
        { "at 0s rates 3M", 1, "an unknown word" },
        { "at 0s rate 3M rate 2M", 1, "the same is said twice" },
        { "at 0s jitter 3ms jumble 2ms", 1, "the same is said twice" },
        { "at 0s rate 3m", 1, "a rate is wanted, such as 300k or 2.5M, or none" },
        { "at 0s rate 0", 1, "a rate is wanted, such as 300k or 2.5M, or none" },
        { "at 0s rate 10001M", 1, "a rate is wanted, such as 300k or 2.5M, or none" },
        { "at 0s rate", 1, "a rate is wanted, such as 300k or 2.5M, or none" },
        { "at 0s queue 0B", 1, "a size or a time is wanted, such as 20kB or 200ms, or none" },
        { "at 0s queue 20M", 1, "a size or a time is wanted, such as 20kB or 200ms, or none" },
        { "at 0s loss 5", 1, "a chance is wanted, such as 5% or 0.1%" },
        { "at 0s loss 100.5%", 1, "a chance is wanted, such as 5% or 0.1%" },
        { "at 0s burst 5% 3s", 1, "a chance is wanted, such as 5% or 0.1%" },
        { "at 0s reorder 5%", 1, "a time is wanted, such as 20ms or 1.5s" },
    };
    (void)state;
    for (unsigned i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        struct netem_script script = { .count = 77 };
        struct netem_script_error error = { 0 };
        int status = netem_script_read(view_of(BAD[i].text), &script, &error);
        if (status != ERR_MALFORMED || error.line != BAD[i].line ||
            strcmp(error.what, BAD[i].what) != 0)
            fail_msg("%s: %d, line %u: %s", BAD[i].text, status, error.line,
                     error.what ? error.what : "-");
        assert_int_equal(script.count, 77);
    }
}

static void test_limit(void **state)
{
    struct netem_script script;
    struct netem_script_error error;
    char text[8 * (NETEM_STEPS_MAX + 1)];
    (void)state;
    for (unsigned i = 0; i <= NETEM_STEPS_MAX; i++)
        memcpy(text + 6 * i, "at 0s\n", 6);
    assert_int_equal(netem_script_read(view_make(text, 6 * NETEM_STEPS_MAX), &script, &error), OK);
    assert_int_equal(script.count, NETEM_STEPS_MAX);
    assert_int_equal(
        netem_script_read(view_make(text, (size_t)6 * (NETEM_STEPS_MAX + 1)), &script, &error),
        ERR_LIMIT);
    assert_int_equal(error.line, NETEM_STEPS_MAX + 1);
}

/* What was read reads the same when it is written. */
static void check_written(const struct netem_script *script)
{
    for (unsigned i = 0; i < script->count; i++) {
        char text[NETEM_STEP_TEXT_MAX];
        struct netem_script again;
        struct netem_script_error error;
        struct netem_setting seen = { 0 }, wanted = { 0 };
        size_t size = netem_step_write(&script->steps[i], text);
        assert_int_equal(netem_script_read(view_make(text, size), &again, &error), OK);
        assert_int_equal(again.count, 1);
        assert_int_equal(again.steps[0].words, script->steps[i].words);
        assert_int_equal(again.steps[0].at, script->steps[i].at);
        netem_step_apply(&again.steps[0], &seen);
        netem_step_apply(&script->steps[i], &wanted);
        assert_memory_equal(&seen, &wanted, sizeof seen);
    }
}

static void read_copy(struct view text)
{
    struct netem_script script;
    struct netem_script_error error = { 0 };
    uint8_t *copy = test_copy(text);
    if (netem_script_read(view_make(copy, text.size), &script, &error) == OK)
        check_written(&script);
    else
        assert_true(error.line > 0 && error.what);
    free(copy);
}

static void test_every_truncation(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof TEXT; size++)
        read_copy(view_make(TEXT, size));
}

static void test_bits_flip(void **state)
{
    char text[sizeof TEXT];
    (void)state;
    for (size_t bit = 0; bit < 8 * (sizeof TEXT - 1); bit++) {
        memcpy(text, TEXT, sizeof TEXT);
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        read_copy(view_make(text, sizeof TEXT - 1));
    }
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_nothing_is_a_script),
        cmocka_unit_test(test_errors_say_where_and_why),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_bits_flip),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
