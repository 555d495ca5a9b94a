/* test_ring.c - the queue between two threads: order, its limit, and two threads at once. */
#include "support.h"

#include "base/ring.h"

#include <pthread.h>

static void test_order_and_limit(void **state)
{
    (void)state;
    struct ring ring;
    int items[9];
    assert_int_equal(ring_init(&ring, 8), OK);
    assert_null(ring_take(&ring));
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < 8; i++)
            assert_int_equal(ring_put(&ring, &items[i]), OK);
        assert_int_equal(ring_put(&ring, &items[8]), ERR_LIMIT);
        for (unsigned i = 0; i < 3; i++)
            assert_ptr_equal(ring_take(&ring), &items[i]);
        assert_int_equal(ring_put(&ring, &items[8]), OK);
        for (unsigned i = 3; i < 9; i++)
            assert_ptr_equal(ring_take(&ring), &items[i]);
        assert_null(ring_take(&ring));
    }
    ring_free(&ring);
}

static void test_smallest(void **state)
{
    (void)state;
    struct ring ring;
    int item;
    assert_int_equal(ring_init(&ring, 1), OK);
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(ring_put(&ring, &item), OK);
        assert_int_equal(ring_put(&ring, &item), ERR_LIMIT);
        assert_ptr_equal(ring_take(&ring), &item);
        assert_null(ring_take(&ring));
    }
    ring_free(&ring);
}

/* The counters run over their 32 bits. */
static void test_counters_wrap(void **state)
{
    (void)state;
    struct ring ring;
    int items[4];
    assert_int_equal(ring_init(&ring, 4), OK);
    atomic_store(&ring.put_at, UINT32_MAX - 5);
    atomic_store(&ring.take_at, UINT32_MAX - 5);
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < 4; i++)
            assert_int_equal(ring_put(&ring, &items[i]), OK);
        assert_int_equal(ring_put(&ring, &items[0]), ERR_LIMIT);
        for (unsigned i = 0; i < 4; i++)
            assert_ptr_equal(ring_take(&ring), &items[i]);
        assert_null(ring_take(&ring));
    }
    ring_free(&ring);
}

#define ITEMS 20000

static unsigned numbers[ITEMS];

static void *put_all(void *context)
{
    for (unsigned i = 0; i < ITEMS; i++) {
        numbers[i] = i + 1; /* handed over with the pointer */
        while (ring_put(context, &numbers[i]) != OK)
            sched_yield();
    }
    return NULL;
}

static void test_two_threads(void **state)
{
    (void)state;
    struct ring ring;
    pthread_t thread;
    assert_int_equal(ring_init(&ring, 16), OK);
    assert_int_equal(pthread_create(&thread, NULL, put_all, &ring), 0);
    for (unsigned i = 0; i < ITEMS;) {
        const unsigned *number = ring_take(&ring);
        if (!number) {
            sched_yield();
            continue;
        }
        assert_ptr_equal(number, &numbers[i]);
        assert_int_equal(*number, i + 1);
        i++;
    }
    pthread_join(thread, NULL);
    assert_null(ring_take(&ring));
    ring_free(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_limit),
        cmocka_unit_test(test_smallest),
        cmocka_unit_test(test_counters_wrap),
        cmocka_unit_test(test_two_threads),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
