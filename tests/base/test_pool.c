/* test_pool.c - fixed pools: their limit, their zeroed items, and who lives where. */
#include "support.h"

#include "base/pool.h"

TEST_ALLOCATIONS_MAY_FAIL

#define COUNT 10

struct item {
    uint64_t value;
    uint8_t tail[5];
};

static int make_pool(void **state)
{
    static struct pool pool;
    *state = &pool;
    return pool_init(&pool, sizeof(struct item), COUNT);
}

static int free_pool(void **state)
{
    pool_free(*state);
    return 0;
}

static void test_limit(void **state)
{
    struct pool *pool = *state;
    void *items[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        items[i] = pool_take(pool);
        assert_non_null(items[i]);
        for (unsigned j = 0; j < i; j++)
            assert_ptr_not_equal(items[i], items[j]);
    }
    assert_int_equal(pool->used, COUNT);
    assert_null(pool_take(pool));
    assert_int_equal(pool->used, COUNT);
    pool_give(pool, items[3]);
    assert_ptr_equal(pool_take(pool), items[3]);
    assert_null(pool_take(pool));
    for (unsigned i = 0; i < COUNT; i++)
        pool_give(pool, items[i]);
    assert_int_equal(pool->used, 0);
}

static void test_items_are_zeroed_each_time(void **state)
{
    struct pool *pool = *state;
    static const struct item zeroed;
    for (unsigned round = 0; round < 3; round++) {
        struct item *items[COUNT];
        for (unsigned i = 0; i < COUNT; i++) {
            items[i] = pool_take(pool);
            assert_memory_equal(items[i], &zeroed, sizeof(zeroed));
            memset(items[i], 0xff, sizeof(*items[i]));
        }
        for (unsigned i = 0; i < COUNT; i++)
            pool_give(pool, items[i]);
    }
}

/* Items are written to their whole size: none may reach into its neighbour. */
static void test_items_do_not_overlap(void **state)
{
    struct pool *pool = *state;
    struct item *items[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        items[i] = pool_take(pool);
        memset(items[i], (int)i, sizeof(*items[i]));
    }
    for (unsigned i = 0; i < COUNT; i++) {
        struct item wanted;
        memset(&wanted, (int)i, sizeof(wanted));
        assert_memory_equal(items[i], &wanted, sizeof(wanted));
        pool_give(pool, items[i]);
    }
}

static void test_numbers(void **state)
{
    struct pool *pool = *state;
    void *items[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        items[i] = pool_take(pool);
        assert_in_range(pool_index(pool, items[i]), 0, COUNT - 1);
        assert_ptr_equal(pool_at(pool, pool_index(pool, items[i])), items[i]);
    }
    for (uint32_t i = 0; i < COUNT; i++)
        pool_give(pool, items[i]);
}

static void test_nothing_is_given(void **state)
{
    struct pool *pool = *state;
    pool_give(pool, NULL);
    assert_int_equal(pool->used, 0);
}

/* An odd size is rounded up so that items stay aligned. */
static void test_alignment(void **state)
{
    (void)state;
    struct pool pool;
    assert_int_equal(pool_init(&pool, sizeof(void *) + 1, 3), OK);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal((uintptr_t)pool_take(&pool) % sizeof(void *), 0);
    pool_free(&pool);
}

/* Items of an asked alignment keep it, whatever their size. */
static void test_asked_alignment(void **state)
{
    (void)state;
    struct pool pool;
    assert_int_equal(pool_init_aligned(&pool, 65, 64, 3), OK);
    uint8_t *items[3];
    for (unsigned i = 0; i < 3; i++) {
        items[i] = pool_take(&pool);
        assert_int_equal((uintptr_t)items[i] % 64, 0);
        memset(items[i], (int)i + 1, 65);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(items[i][64], i + 1);
        assert_int_equal(pool_index(&pool, items[i]), i);
    }
    assert_null(pool_take(&pool));
    pool_free(&pool);
}

static void test_random_against_a_model(void **state)
{
    struct pool *pool = *state;
    struct item *items[COUNT] = { NULL };
    uint64_t seed = 1;
    uint32_t used = 0;
    for (unsigned round = 0; round < 5000; round++) {
        uint8_t byte;
        test_random_fill(&seed, &byte, 1);
        struct item **item = &items[byte % COUNT];
        if (*item) {
            assert_int_equal((*item)->value, byte % COUNT + 1u);
            pool_give(pool, *item);
            *item = NULL;
            used--;
        } else {
            *item = pool_take(pool);
            assert_non_null(*item);
            assert_int_equal((*item)->value, 0);
            (*item)->value = byte % COUNT + 1u;
            used++;
        }
        assert_int_equal(pool->used, used);
    }
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct pool pool = { .count_max = 77 };
    assert_int_equal(pool_init(&pool, (size_t)1 << 33, (uint32_t)1 << 30), ERR_MEMORY);
    assert_int_equal(pool_init_aligned(&pool, (size_t)1 << 33, 64, (uint32_t)1 << 30), ERR_MEMORY);
    assert_int_equal(pool.count_max, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_limit, make_pool, free_pool),
        cmocka_unit_test_setup_teardown(test_items_are_zeroed_each_time, make_pool, free_pool),
        cmocka_unit_test_setup_teardown(test_items_do_not_overlap, make_pool, free_pool),
        cmocka_unit_test_setup_teardown(test_numbers, make_pool, free_pool),
        cmocka_unit_test_setup_teardown(test_nothing_is_given, make_pool, free_pool),
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_asked_alignment),
        cmocka_unit_test_setup_teardown(test_random_against_a_model, make_pool, free_pool),
        cmocka_unit_test(test_out_of_memory),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
