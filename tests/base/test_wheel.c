/* test_wheel.c - timers against a simple model: never early, at most a tick late, in order. */
#include "support.h"

#include "base/wheel.h"

#define TICK   ((usec)1024)
#define TIMERS 200
#define HOUR   (3600 * USEC_S)

static struct wheel wheel;

static void test_never_early_and_at_most_a_tick_late(void **state)
{
    (void)state;
    for (usec start = 0; start < 3 * TICK; start += 341) {
        for (usec delay = 0; delay < 70 * TICK; delay += 511) {
            struct timer timer;
            timer_init(&timer);
            wheel_init(&wheel, start);
            wheel_set(&wheel, &timer, start + delay);
            if (delay > 0)
                assert_null(wheel_expired(&wheel, start + delay - 1));
            assert_ptr_equal(wheel_expired(&wheel, start + delay + TICK - 1), &timer);
            assert_false(timer.is_set);
            assert_null(wheel_expired(&wheel, start + delay + TICK));
        }
    }
}

static void test_empty_wheel(void **state)
{
    (void)state;
    wheel_init(&wheel, 5 * USEC_S);
    assert_true(wheel_next(&wheel) == USEC_NEVER);
    assert_null(wheel_expired(&wheel, 5 * USEC_S));
    assert_null(wheel_expired(&wheel, 5 * USEC_S + 1000 * HOUR));
    assert_true(wheel_next(&wheel) == USEC_NEVER);
}

static void test_time_that_has_passed(void **state)
{
    (void)state;
    struct timer timer = { 0 };
    wheel_init(&wheel, HOUR);
    wheel_set(&wheel, &timer, 5);
    assert_in_range(wheel_next(&wheel), 0, HOUR);
    assert_ptr_equal(wheel_expired(&wheel, HOUR), &timer);
    assert_null(wheel_expired(&wheel, HOUR));
}

static void test_cancel(void **state)
{
    (void)state;
    struct timer timer = { 0 };
    wheel_init(&wheel, 0);
    wheel_cancel(&wheel, &timer);
    wheel_set(&wheel, &timer, USEC_S);
    wheel_cancel(&wheel, &timer);
    wheel_cancel(&wheel, &timer);
    assert_true(wheel_next(&wheel) == USEC_NEVER);
    assert_null(wheel_expired(&wheel, HOUR));
    wheel_set(&wheel, &timer, HOUR); /* it has passed: it waits to be told */
    wheel_cancel(&wheel, &timer);
    assert_null(wheel_expired(&wheel, HOUR));
}

static void test_set_anew(void **state)
{
    (void)state;
    struct timer timer = { 0 };
    wheel_init(&wheel, 0);
    wheel_set(&wheel, &timer, USEC_S);
    wheel_set(&wheel, &timer, 2 * USEC_S);
    assert_null(wheel_expired(&wheel, USEC_S + TICK));
    assert_ptr_equal(wheel_expired(&wheel, 2 * USEC_S + TICK), &timer);
    wheel_set(&wheel, &timer, 4 * USEC_S);
    wheel_set(&wheel, &timer, 3 * USEC_S);
    assert_ptr_equal(wheel_expired(&wheel, 3 * USEC_S + TICK), &timer);
    assert_null(wheel_expired(&wheel, 5 * USEC_S));
}

/* Of timers that expire in one call, each may cancel or set the others. */
static void test_changes_between_the_calls(void **state)
{
    (void)state;
    struct timer a = { 0 }, b = { 0 }, c = { 0 };
    wheel_init(&wheel, 0);
    wheel_set(&wheel, &a, USEC_S);
    wheel_set(&wheel, &b, USEC_S);
    wheel_set(&wheel, &c, USEC_S);
    assert_ptr_equal(wheel_expired(&wheel, 2 * USEC_S), &a);
    wheel_cancel(&wheel, &b);
    wheel_set(&wheel, &c, 3 * USEC_S);
    wheel_set(&wheel, &a, 2 * USEC_S);
    assert_null(wheel_expired(&wheel, 2 * USEC_S - TICK));
    assert_ptr_equal(wheel_expired(&wheel, 2 * USEC_S + TICK), &a);
    assert_null(wheel_expired(&wheel, 2 * USEC_S + TICK));
    assert_ptr_equal(wheel_expired(&wheel, 3 * USEC_S + TICK), &c);
}

/* Sleeping until wheel_next, a timer comes in one step, but for one a turn of the wheel. */
static void test_far_future(void **state)
{
    (void)state;
    static const usec DELAYS[] = { TICK,      63 * TICK,   64 * TICK,  65 * TICK, 4095 * TICK,
                                   USEC_S,    30 * USEC_S, HOUR,       4 * HOUR,  5 * HOUR,
                                   24 * HOUR, 400 * HOUR,  9999 * HOUR };
    for (usec start = 0; start < 20 * HOUR; start += HOUR + 12345678) {
        for (size_t i = 0; i < sizeof(DELAYS) / sizeof(DELAYS[0]); i++) {
            struct timer timer = { 0 };
            usec at = start + DELAYS[i];
            usec now = start;
            uint64_t steps = 0;
            wheel_init(&wheel, start);
            wheel_set(&wheel, &timer, at);
            while (!wheel_expired(&wheel, now)) {
                usec next = wheel_next(&wheel);
                assert_true(next > now);
                now = next;
                steps++;
            }
            assert_true(now >= at && now < at + TICK);
            assert_in_range(steps, 1, 1 + DELAYS[i] / (4 * HOUR));
        }
    }
}

/* One that is further off than the wheel turns hides none that is sooner, however near the time is
 * to which it has been put. */
static void test_far_future_hides_nothing(void **state)
{
    (void)state;
    struct timer far = { 0 }, near = { 0 };
    wheel_init(&wheel, 0);
    wheel_set(&wheel, &far, 24 * HOUR);
    assert_null(wheel_expired(&wheel, 4 * HOUR));
    wheel_set(&wheel, &near, 6 * HOUR);
    usec now = 4 * HOUR;
    while (!wheel_expired(&wheel, now))
        now = wheel_next(&wheel);
    assert_in_range(now, 6 * HOUR, 6 * HOUR + TICK);
}

static void test_never(void **state)
{
    (void)state;
    struct timer timer = { 0 };
    wheel_init(&wheel, 0);
    wheel_set(&wheel, &timer, USEC_NEVER);
    assert_null(wheel_expired(&wheel, 100000 * HOUR));
    assert_true(wheel_next(&wheel) > 100000 * HOUR);
    wheel_cancel(&wheel, &timer);
    assert_true(wheel_next(&wheel) == USEC_NEVER);
}

struct model {
    struct timer timers[TIMERS];
    usec at[TIMERS];
    bool is_set[TIMERS];
    usec now;
    uint64_t seed;
};

static uint64_t chance(struct model *model, uint64_t below)
{
    uint64_t number;
    test_random_fill(&model->seed, &number, sizeof(number));
    return number % below;
}

/* From microseconds to hours, each order of size alike. */
static usec random_delay(struct model *model)
{
    return chance(model, (uint64_t)2 << chance(model, 35));
}

static void drain(struct model *model)
{
    struct timer *timer;
    usec last = 0;
    while ((timer = wheel_expired(&wheel, model->now))) {
        size_t i = (size_t)(timer - model->timers);
        usec tick = (model->at[i] + TICK - 1) / TICK;
        assert_true(model->is_set[i]);
        assert_true(model->at[i] <= model->now);
        assert_true(tick >= last);
        last = tick;
        model->is_set[i] = false;
    }
    usec next = wheel_next(&wheel);
    bool is_any = false;
    for (size_t i = 0; i < TIMERS; i++) {
        if (!model->is_set[i])
            continue;
        is_any = true;
        assert_true(model->at[i] + TICK > model->now);
        assert_true(next <= (model->at[i] + TICK - 1) / TICK * TICK);
    }
    assert_true(next > model->now);
    assert_int_equal(next == USEC_NEVER, !is_any);
}

static void test_random_against_a_model(void **state)
{
    (void)state;
    static struct model model;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        model = (struct model){ .seed = seed, .now = seed * 7 * HOUR };
        wheel_init(&wheel, model.now);
        for (unsigned round = 0; round < 4000; round++) {
            for (unsigned changes = 0; changes < 4; changes++) {
                size_t i = chance(&model, TIMERS);
                model.is_set[i] = chance(&model, 3) > 0;
                model.at[i] = model.now + 1 + random_delay(&model);
                if (model.is_set[i])
                    wheel_set(&wheel, &model.timers[i], model.at[i]);
                else
                    wheel_cancel(&wheel, &model.timers[i]);
            }
            usec next = wheel_next(&wheel);
            bool sleeps_till_next = chance(&model, 2) && next != USEC_NEVER;
            model.now = sleeps_till_next ? (next > model.now ? next : model.now)
                                         : model.now + random_delay(&model) / 16;
            drain(&model);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_early_and_at_most_a_tick_late),
        cmocka_unit_test(test_empty_wheel),
        cmocka_unit_test(test_time_that_has_passed),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_set_anew),
        cmocka_unit_test(test_changes_between_the_calls),
        cmocka_unit_test(test_far_future),
        cmocka_unit_test(test_far_future_hides_nothing),
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_random_against_a_model),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
