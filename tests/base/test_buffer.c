/* test_buffer.c - buffers of one budget: sizes, references, and pages that serve whoever needs
 * them. */
#include "support.h"

#include "base/buffer.h"

TEST_ALLOCATIONS_MAY_FAIL

#define PAGE   ((size_t)256 * 1024)
#define BUDGET (4 * PAGE)
#define MOST   8192

static struct buffers *store;
static struct buffer *held[MOST];

static int make_store(void **state)
{
    (void)state;
    return buffers_new(BUDGET, &store);
}

static int free_store(void **state)
{
    (void)state;
    buffers_free(store);
    return 0;
}

/* Takes buffers of `size` until there are none; gives how many. */
static unsigned take_all(size_t size)
{
    unsigned count = 0;
    while (count < MOST && buffers_take(store, size, &held[count]) == OK)
        count++;
    assert_in_range(count, 1, MOST - 1);
    return count;
}

static void give_all(unsigned count)
{
    while (count-- > 0)
        buffer_give(store, held[count]);
    assert_int_equal(buffers_used(store), 0);
}

static void test_every_size(void **state)
{
    (void)state;
    for (size_t size = 0; size <= BUFFER_SIZE_MAX; size += size < 600 ? 1 : 97) {
        struct buffer *buffer;
        assert_int_equal(buffers_take(store, size, &buffer), OK);
        assert_in_range(buffer->capacity, size, BUFFER_SIZE_MAX);
        assert_int_equal(buffer->references, 1);
        assert_int_equal(buffer->size, 0);
        assert_null(buffer->deflated);
        memset(buffer->bytes, 0xff, buffer->capacity);
        buffer_give(store, buffer);
        assert_int_equal(buffers_used(store), 0);
    }
}

static void test_size_limit(void **state)
{
    (void)state;
    struct buffer *buffer = NULL;
    assert_int_equal(buffers_take(store, BUFFER_SIZE_MAX, &buffer), OK);
    buffer_give(store, buffer);
    buffer = NULL;
    assert_int_equal(buffers_take(store, BUFFER_LARGE_MAX, &buffer), ERR_LIMIT);
    assert_int_equal(buffers_take(store, SIZE_MAX, &buffer), ERR_LIMIT);
    assert_null(buffer);
}

/* They have a quarter of the budget beside it, neither of which takes from the other. */
static void test_large(void **state)
{
    (void)state;
    struct buffers *large;
    struct buffer *buffers[3] = { NULL };
    struct buffer *small;
    static const size_t SIZES[] = { BUFFER_SIZE_MAX + 1, 1000000, BUFFER_LARGE_MAX - 1,
                                    BUFFER_LARGE_MAX };
    assert_int_equal(buffers_new((size_t)4 * 5 * BUFFER_LARGE_MAX / 2, &large), OK);
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        assert_int_equal(buffers_take(large, SIZES[i], &buffers[0]), OK);
        assert_in_range(buffers[0]->capacity, SIZES[i], 2 * SIZES[i]);
        assert_int_equal(buffers_used(large), buffers[0]->capacity + sizeof(struct buffer));
        memset(buffers[0]->bytes, 1, buffers[0]->capacity);
        buffer_share(buffers[0]);
        buffer_give(large, buffers[0]);
        assert_int_equal(buffers[0]->bytes[SIZES[i] - 1], 1);
        buffer_give(large, buffers[0]);
        assert_int_equal(buffers_used(large), 0);
    }
    assert_int_equal(buffers_take(large, BUFFER_LARGE_MAX + 1, &buffers[2]), ERR_LIMIT);
    assert_int_equal(buffers_take(large, BUFFER_LARGE_MAX, &buffers[0]), OK);
    assert_int_equal(buffers_take(large, BUFFER_LARGE_MAX, &buffers[1]), OK);
    assert_int_equal(buffers_take(large, BUFFER_LARGE_MAX, &buffers[2]), ERR_LIMIT);
    assert_null(buffers[2]);
    assert_int_equal(buffers_take(large, BUFFER_SIZE_MAX, &small), OK);
    buffer_give(large, buffers[0]);
    assert_int_equal(buffers_take(large, BUFFER_LARGE_MAX, &buffers[0]), OK);
    buffer_give(large, buffers[0]);
    buffer_give(large, buffers[1]);
    buffer_give(large, small);
    assert_int_equal(buffers_used(large), 0);
    buffers_free(large);
}

/* Full to its end, in each size: the budget is kept, the bytes of one are not another's. */
static void test_budget_in_every_size(void **state)
{
    (void)state;
    static const size_t SIZES[] = { 1, 500, 3000, 10000, 60000 };
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        unsigned count = take_all(SIZES[i]);
        assert_in_range(count * SIZES[i], SIZES[i] * 4, BUDGET);
        assert_in_range(buffers_used(store), count * SIZES[i], BUDGET);
        for (unsigned b = 0; b < count; b++)
            memset(held[b]->bytes, (int)b, held[b]->capacity);
        for (unsigned b = 0; b < count; b++) {
            assert_int_equal(held[b]->references, 1);
            assert_int_equal(held[b]->bytes[0], b & 255);
            assert_memory_equal(held[b]->bytes, held[b]->bytes + 1, held[b]->capacity - 1);
        }
        struct buffer *none = NULL;
        assert_int_equal(buffers_take(store, SIZES[i], &none), ERR_LIMIT);
        assert_null(none);
        give_all(count);
    }
}

/* What one size had, another can have: as many as if it had been the first. */
static void test_pages_go_from_size_to_size(void **state)
{
    (void)state;
    unsigned large = take_all(60000);
    give_all(large);
    unsigned small = take_all(100);
    give_all(small);
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(take_all(60000), large);
        give_all(large);
        assert_int_equal(take_all(100), small);
        give_all(small);
    }
}

/* One buffer alone keeps its page from other sizes, and no more than that. */
static void test_one_buffer_keeps_one_page(void **state)
{
    (void)state;
    struct buffer *small;
    unsigned large = take_all(60000);
    give_all(large);
    assert_int_equal(buffers_take(store, 1, &small), OK);
    unsigned count = take_all(60000);
    assert_int_equal(count, large - large / (BUDGET / PAGE));
    buffer_give(store, small);
    give_all(count);
}

/* A page that was full and has room again is used before another is begun. */
static void test_full_pages_come_back(void **state)
{
    (void)state;
    unsigned count = take_all(1);
    struct buffer *given = held[count / 2];
    struct buffer *again;
    buffer_give(store, given);
    assert_int_equal(buffers_take(store, 1, &again), OK);
    assert_ptr_equal(again, given);
    assert_int_equal(buffers_take(store, 1, &again), ERR_LIMIT);
    give_all(count);
}

static void test_references(void **state)
{
    (void)state;
    struct buffer *buffer;
    assert_int_equal(buffers_take(store, 10, &buffer), OK);
    size_t used = buffers_used(store);
    assert_ptr_equal(buffer_share(buffer), buffer);
    buffer_share(buffer);
    buffer_give(store, buffer);
    buffer_give(store, buffer);
    assert_int_equal(buffers_used(store), used);
    assert_int_equal(buffer->references, 1);
    buffer_give(store, buffer);
    assert_int_equal(buffers_used(store), 0);
    buffer_give(store, NULL);
}

static void test_deflated_form_goes_with_it(void **state)
{
    (void)state;
    struct buffer *buffer;
    assert_int_equal(buffers_take(store, 10000, &buffer), OK);
    assert_int_equal(buffers_take(store, 100, &buffer->deflated), OK);
    buffer_share(buffer->deflated); /* it waits in a queue of its own */
    struct buffer *deflated = buffer->deflated;
    buffer_give(store, buffer);
    assert_int_equal(deflated->references, 1);
    assert_true(buffers_used(store) > 0);
    buffer_give(store, deflated);
    assert_int_equal(buffers_used(store), 0);
}

static void test_view(void **state)
{
    (void)state;
    struct buffer *buffer;
    assert_int_equal(buffers_take(store, 10, &buffer), OK);
    assert_int_equal(buffer_view(buffer).size, 0);
    memcpy(buffer->bytes, "abc", 3);
    buffer->size = 3;
    assert_view(buffer_view(buffer), "abc");
    buffer_give(store, buffer);
}

static size_t random_size(uint64_t *seed)
{
    uint32_t chance;
    test_random_fill(seed, &chance, sizeof(chance));
    return chance % 5 ? chance / 8 % 900 : chance / 8 % BUFFER_SIZE_MAX;
}

/* Random sizes taken and given: contents hold, refusals only when it is nearly full. */
static void test_random_against_a_model(void **state)
{
    (void)state;
    enum { PLACES = 64 };
    struct buffer *places[PLACES] = { NULL };
    uint64_t seed = 1;
    size_t capacity = 0;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t at;
        test_random_fill(&seed, &at, 1);
        struct buffer **place = &places[at % PLACES];
        if (*place) {
            assert_int_equal((*place)->bytes[0], at % PLACES);
            assert_int_equal((*place)->bytes[(*place)->capacity - 1], at % PLACES);
            capacity -= (*place)->capacity + sizeof(struct buffer);
            buffer_give(store, *place);
            *place = NULL;
        } else if (buffers_take(store, random_size(&seed), place) == OK) {
            memset((*place)->bytes, at % PLACES, (*place)->capacity);
            capacity += (*place)->capacity + sizeof(struct buffer);
        } else {
            *place = NULL;
            assert_in_range(buffers_used(store), 1, BUDGET);
        }
        assert_int_equal(buffers_used(store), capacity);
    }
    for (unsigned i = 0; i < PLACES; i++)
        buffer_give(store, places[i]);
    assert_int_equal(buffers_used(store), 0);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct buffers *none = NULL;
    assert_int_equal(buffers_new((size_t)1 << 49, &none), ERR_MEMORY);
    assert_null(none);
    buffers_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_size, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_size_limit, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_budget_in_every_size, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_pages_go_from_size_to_size, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_one_buffer_keeps_one_page, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_full_pages_come_back, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_references, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_deflated_form_goes_with_it, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_view, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_random_against_a_model, make_store, free_store),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_out_of_memory),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
