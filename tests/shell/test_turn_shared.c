/* test_turn_shared.c - quotas and bandwidth that are counted by many threads at once.  It stands
 * with the shell's tests for the sake of the thread sanitizer. */
#include "support.h"

#include "agent/turn_shared.h"

#include <pthread.h>

#define THREADS 4
#define MOST    5
#define ROUNDS  20000
#define PER_S   1000000u

static struct turn_shared *make(void)
{
    static uint64_t seed = 1;
    const struct random random = { test_random_fill, &seed };
    struct turn_shared *shared = calloc(1, sizeof *shared);
    assert_non_null(shared);
    turn_shared_init(shared, &random);
    return shared;
}

static int take(struct turn_shared *shared, const char *key, uint32_t most)
{
    return turn_counts_take(shared, &shared->users, view_of(key), most);
}

static void test_quota(void **state)
{
    struct turn_shared *shared = make();
    (void)state;
    assert_int_equal(take(shared, "mina", 2), OK);
    assert_int_equal(take(shared, "jun", 2), OK);
    assert_int_equal(take(shared, "mina", 2), OK);
    assert_int_equal(take(shared, "mina", 2), ERR_LIMIT);
    assert_int_equal(take(shared, "mina", 3), OK);
    assert_int_equal(take(shared, "ana", 0), ERR_LIMIT);
    assert_int_equal(turn_counts_take(shared, &shared->prefixes, VIEW("mina"), 1), OK);
    turn_counts_give(shared, &shared->users, VIEW("mina"));
    turn_counts_give(shared, &shared->users, VIEW("mina"));
    assert_int_equal(take(shared, "mina", 2), OK);
    assert_int_equal(take(shared, "mina", 2), ERR_LIMIT);
    assert_int_equal(take(shared, "jun", 2), OK);
    free(shared);
}

/* 16,384 users with a quota of four: none is refused for others' sake. */
static void test_many(void **state)
{
    struct turn_shared *shared = make();
    char key[16];
    (void)state;
    for (int i = 0; i < 16384; i++) {
        snprintf(key, sizeof key, "user %d", i);
        if (take(shared, key, 4) != OK)
            fail_msg("refused: %s", key);
    }
    free(shared);
}

struct thread {
    pthread_t id;
    struct turn_shared *shared;
    _Atomic int *held;
    int most_seen;
    int taken;
};

static void *take_and_give(void *context)
{
    struct thread *thread = context;
    for (int i = 0; i < ROUNDS; i++) {
        if (take(thread->shared, "mina", MOST) != OK)
            continue;
        int held = atomic_fetch_add(thread->held, 1) + 1;
        thread->most_seen = held > thread->most_seen ? held : thread->most_seen;
        thread->taken++;
        atomic_fetch_sub(thread->held, 1);
        turn_counts_give(thread->shared, &thread->shared->users, VIEW("mina"));
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct turn_shared *shared = make();
    struct thread threads[THREADS] = { 0 };
    _Atomic int held = 0;
    (void)state;
    for (int i = 0; i < MOST - 2; i++) /* so that two are left for four threads */
        assert_int_equal(take(shared, "mina", MOST), OK);
    atomic_store(&held, MOST - 2);
    for (int i = 0; i < THREADS; i++) {
        threads[i].shared = shared;
        threads[i].held = &held;
        assert_int_equal(pthread_create(&threads[i].id, NULL, take_and_give, &threads[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i].id, NULL);
        assert_true(threads[i].most_seen <= MOST);
    }
    assert_int_equal(take(shared, "mina", MOST), OK);
    assert_int_equal(take(shared, "mina", MOST), OK);
    assert_int_equal(take(shared, "mina", MOST), ERR_LIMIT);
    free(shared);
}

/* ---- bandwidth ---- */

static void test_rate(void **state)
{
    struct turn_shared *shared = make();
    uint64_t sent = 0;
    (void)state;
    usec now = 1000 * USEC_S;
    while (turn_shared_spend(shared, now, PER_S, 1000)) /* a second's worth at first */
        sent += 1000;
    assert_int_equal(sent, PER_S);
    assert_false(turn_shared_spend(shared, now + 999, PER_S, 1000));
    assert_true(turn_shared_spend(shared, now + 1000, PER_S, 1000));
    /* what was not used for long is not saved up */
    now += 3600 * USEC_S;
    sent = 0;
    while (turn_shared_spend(shared, now, PER_S, 999))
        sent += 999;
    assert_in_range(sent, PER_S - 1000, PER_S);
    /* over ten seconds, in small and in large */
    for (usec t = 0; t < 10 * USEC_S; t += 100)
        for (uint64_t size = 100; size < 20000; size *= 3)
            if (turn_shared_spend(shared, now + t, PER_S, size))
                sent += size;
    assert_in_range(sent, 11 * PER_S - 30000, 11 * PER_S);
    free(shared);
}

struct spender {
    pthread_t id;
    struct turn_shared *shared;
    uint64_t spent;
};

static void *spend(void *context)
{
    struct spender *spender = context;
    for (int i = 0; i < ROUNDS; i++)
        if (turn_shared_spend(spender->shared, 1000 * USEC_S, PER_S, 100))
            spender->spent += 100;
    return NULL;
}

/* All threads together get a second's worth, and all of it. */
static void test_rate_of_threads(void **state)
{
    struct turn_shared *shared = make();
    struct spender spenders[THREADS] = { 0 };
    uint64_t all = 0;
    (void)state;
    for (int i = 0; i < THREADS; i++) {
        spenders[i].shared = shared;
        assert_int_equal(pthread_create(&spenders[i].id, NULL, spend, &spenders[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(spenders[i].id, NULL);
        all += spenders[i].spent;
    }
    assert_int_equal(all, PER_S);
    free(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quota),           cmocka_unit_test(test_many),
        cmocka_unit_test(test_threads),         cmocka_unit_test(test_rate),
        cmocka_unit_test(test_rate_of_threads),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
