/* test_outbox.c - what waits on a stream: order, partial sends, limits, and who owns what. */
#include "support.h"

#include "base/outbox.h"

#define ENTRIES 8

static struct outbox_store store;
static struct outbox outbox;

static int make_store(void **state)
{
    (void)state;
    outbox = (struct outbox){ 0 };
    int status = pool_init(&store.entries, sizeof(struct outbox_entry), ENTRIES);
    return status == OK ? buffers_new(1 << 20, &store.buffers) : status;
}

/* With every test: nothing may be left. */
static int free_store(void **state)
{
    (void)state;
    bool is_clean = store.entries.used == 0 && buffers_used(store.buffers) == 0;
    buffers_free(store.buffers);
    pool_free(&store.entries);
    return is_clean ? 0 : 1;
}

static int put(const char *text, size_t size_max)
{
    struct buffer *buffer;
    assert_int_equal(buffers_take(store.buffers, strlen(text), &buffer), OK);
    memcpy(buffer->bytes, text, strlen(text));
    buffer->size = (uint32_t)strlen(text);
    int status = outbox_put(&outbox, &store, buffer, size_max);
    buffer_give(store.buffers, buffer);
    return status;
}

/* All that waits, with a bar between the runs. */
static void check(const char *wanted)
{
    struct view runs[ENTRIES + 1];
    char seen[256] = "";
    size_t size = 0;
    size_t count = outbox_peek(&outbox, runs, ENTRIES + 1);
    for (size_t i = 0; i < count; i++) {
        size += runs[i].size;
        snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s%.*s", i ? "|" : "",
                 VIEW_ARGS(runs[i]));
    }
    assert_string_equal(seen, wanted);
    assert_int_equal(outbox.size, size);
}

static void test_order(void **state)
{
    (void)state;
    check("");
    assert_int_equal(put("one", 100), OK);
    assert_int_equal(outbox_put_static(&outbox, &store, VIEW("two"), 100), OK);
    assert_int_equal(put("three", 100), OK);
    check("one|two|three");
    outbox_clear(&outbox, &store);
    check("");
}

static void test_sent_in_pieces(void **state)
{
    (void)state;
    assert_int_equal(put("one", 100), OK);
    assert_int_equal(put("two", 100), OK);
    assert_int_equal(put("three", 100), OK);
    outbox_sent(&outbox, &store, 0);
    check("one|two|three");
    outbox_sent(&outbox, &store, 2);
    check("e|two|three");
    outbox_sent(&outbox, &store, 1);
    check("two|three");
    outbox_sent(&outbox, &store, 4);
    check("hree");
    assert_int_equal(put("four", 100), OK);
    check("hree|four");
    outbox_sent(&outbox, &store, 8);
    check("");
    assert_null(outbox.last);
    assert_int_equal(put("five", 100), OK);
    check("five");
    outbox_sent(&outbox, &store, 4);
}

/* Every way to send six bytes of three runs in two steps. */
static void test_every_split(void **state)
{
    (void)state;
    static const char *const AFTER[] = { "ab|cd|ef", "b|cd|ef", "cd|ef", "d|ef", "ef", "f", "" };
    for (size_t first = 0; first <= 6; first++) {
        assert_int_equal(put("ab", 100), OK);
        assert_int_equal(put("cd", 100), OK);
        assert_int_equal(put("ef", 100), OK);
        outbox_sent(&outbox, &store, first);
        check(AFTER[first]);
        outbox_sent(&outbox, &store, 6 - first);
        check("");
    }
}

static void test_limit_of_bytes(void **state)
{
    (void)state;
    assert_int_equal(put("12345", 10), OK);
    assert_int_equal(put("123456", 10), ERR_LIMIT);
    check("12345");
    assert_int_equal(outbox_put_static(&outbox, &store, VIEW("123456"), 10), ERR_LIMIT);
    assert_int_equal(put("12345", 10), OK);
    check("12345|12345");
    assert_int_equal(put("1", 10), ERR_LIMIT);
    outbox_sent(&outbox, &store, 1);
    assert_int_equal(put("1", 10), OK);
    outbox_clear(&outbox, &store);
}

static void test_limit_of_entries(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ENTRIES; i++)
        assert_int_equal(put("x", 100), OK);
    size_t used = buffers_used(store.buffers);
    assert_int_equal(put("x", 100), ERR_LIMIT);
    assert_int_equal(buffers_used(store.buffers), used);
    check("x|x|x|x|x|x|x|x");
    outbox_sent(&outbox, &store, 1);
    assert_int_equal(put("y", 100), OK);
    check("x|x|x|x|x|x|x|y");
    outbox_clear(&outbox, &store);
}

static void test_empty_bytes_take_nothing(void **state)
{
    (void)state;
    assert_int_equal(put("", 0), OK);
    assert_int_equal(outbox_put_static(&outbox, &store, VIEW(""), 0), OK);
    check("");
    assert_int_equal(store.entries.used, 0);
}

static void test_one_buffer_in_two_outboxes(void **state)
{
    (void)state;
    struct outbox other = { 0 };
    struct buffer *buffer;
    assert_int_equal(buffers_take(store.buffers, 3, &buffer), OK);
    memcpy(buffer->bytes, "abc", 3);
    buffer->size = 3;
    assert_int_equal(outbox_put(&outbox, &store, buffer, 100), OK);
    assert_int_equal(outbox_put(&other, &store, buffer, 100), OK);
    assert_int_equal(outbox_put(&outbox, &store, buffer, 100), OK);
    assert_int_equal(buffer->references, 4);
    buffer_give(store.buffers, buffer);
    outbox_sent(&other, &store, 3);
    assert_int_equal(buffer->references, 2);
    check("abc|abc");
    outbox_sent(&outbox, &store, 4);
    assert_int_equal(buffer->references, 1);
    check("bc");
    outbox_clear(&outbox, &store);
}

static void test_peek_at_most(void **state)
{
    (void)state;
    struct view runs[3] = { VIEW(""), VIEW(""), VIEW("untouched") };
    assert_int_equal(put("a", 100), OK);
    assert_int_equal(put("b", 100), OK);
    assert_int_equal(put("c", 100), OK);
    assert_int_equal(outbox_peek(&outbox, runs, 2), 2);
    assert_view(runs[1], "b");
    assert_view(runs[2], "untouched");
    assert_int_equal(outbox_peek(&outbox, runs, 0), 0);
    outbox_clear(&outbox, &store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_sent_in_pieces, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_every_split, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_limit_of_bytes, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_limit_of_entries, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_empty_bytes_take_nothing, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_one_buffer_in_two_outboxes, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_peek_at_most, make_store, free_store),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
