/* test_inbox.c - bytes that wait for the rest of their message. */
#include "support.h"

#include "base/inbox.h"

static struct buffers *store;
static struct inbox inbox;

static int make_store(void **state)
{
    (void)state;
    inbox = (struct inbox){ 0 };
    return buffers_new(1 << 20, &store);
}

static int free_store(void **state)
{
    (void)state;
    bool is_clean = buffers_used(store) == 0;
    buffers_free(store);
    return is_clean ? 0 : 1;
}

static void check(const char *wanted)
{
    assert_view(view_of_span(inbox_bytes(&inbox)), wanted);
    assert_int_equal(inbox.buffer != NULL, wanted[0] != 0);
}

static void test_add_and_use(void **state)
{
    (void)state;
    check("");
    assert_int_equal(inbox_add(&inbox, store, VIEW("")), OK);
    check("");
    assert_int_equal(inbox_add(&inbox, store, VIEW("abc")), OK);
    assert_int_equal(inbox_add(&inbox, store, VIEW("def")), OK);
    assert_int_equal(inbox_add(&inbox, store, (struct view){ NULL, 0 }), OK);
    check("abcdef");
    inbox_used(&inbox, store, 0);
    check("abcdef");
    inbox_used(&inbox, store, 2);
    check("cdef");
    assert_int_equal(inbox_add(&inbox, store, VIEW("g")), OK);
    check("cdefg");
    inbox_used(&inbox, store, 5);
    check("");
    inbox_used(&inbox, store, 0);
    check("");
}

static void test_empty_owns_nothing(void **state)
{
    (void)state;
    assert_int_equal(buffers_used(store), 0);
    assert_int_equal(inbox_add(&inbox, store, VIEW("abc")), OK);
    assert_true(buffers_used(store) > 0);
    inbox_used(&inbox, store, 3);
    assert_int_equal(buffers_used(store), 0);
    assert_int_equal(inbox_add(&inbox, store, VIEW("abc")), OK);
    inbox_clear(&inbox, store);
    assert_int_equal(buffers_used(store), 0);
    inbox_clear(&inbox, store);
}

/* From one byte to the largest message, through every size of buffers. */
static void test_growth(void **state)
{
    (void)state;
    uint8_t *bytes = malloc(BUFFER_LARGE_MAX);
    uint64_t seed = 1;
    size_t size = 0;
    buffers_free(store);
    assert_int_equal(buffers_new((size_t)8 * BUFFER_LARGE_MAX, &store), OK);
    test_random_fill(&seed, bytes, BUFFER_LARGE_MAX);
    while (size < BUFFER_LARGE_MAX) {
        size_t more = size / 3 + 1;
        if (more > BUFFER_LARGE_MAX - size)
            more = BUFFER_LARGE_MAX - size;
        assert_int_equal(inbox_add(&inbox, store, view_make(bytes + size, more)), OK);
        size += more;
        assert_int_equal(inbox_bytes(&inbox).size, size);
        assert_memory_equal(inbox_bytes(&inbox).at, bytes, size);
    }
    assert_int_equal(inbox_add(&inbox, store, VIEW("x")), ERR_LIMIT);
    assert_int_equal(inbox_bytes(&inbox).size, BUFFER_LARGE_MAX);
    inbox_used(&inbox, store, 1);
    assert_int_equal(inbox_add(&inbox, store, VIEW("x")), OK);
    assert_int_equal(inbox_bytes(&inbox).at[BUFFER_LARGE_MAX - 1], 'x');
    inbox_clear(&inbox, store);
    free(bytes);
}

/* The store is used up: the inbox stays as it was, and goes on when there is room again. */
static void test_store_used_up(void **state)
{
    (void)state;
    static uint8_t zeros[60000];
    struct buffer *others[64];
    unsigned count = 0;
    assert_int_equal(inbox_add(&inbox, store, VIEW("abc")), OK);
    while (buffers_take(store, 60000, &others[count]) == OK)
        count++;
    assert_int_equal(inbox_add(&inbox, store, view_make(zeros, sizeof(zeros))), ERR_LIMIT);
    check("abc");
    while (count > 0)
        buffer_give(store, others[--count]);
    assert_int_equal(inbox_add(&inbox, store, view_make(zeros, sizeof(zeros))), OK);
    assert_int_equal(inbox_bytes(&inbox).size, sizeof(zeros) + 3);
    inbox_clear(&inbox, store);
}

static void test_bytes_can_be_changed(void **state)
{
    (void)state;
    assert_int_equal(inbox_add(&inbox, store, VIEW("abc")), OK);
    inbox_bytes(&inbox).at[1] = 'x';
    assert_int_equal(inbox_add(&inbox, store, VIEW("def")), OK);
    check("axcdef");
    inbox_clear(&inbox, store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_add_and_use, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_empty_owns_nothing, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_growth, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_store_used_up, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_bytes_can_be_changed, make_store, free_store),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
