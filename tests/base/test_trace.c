/* test_trace.c - trace events: their order, their fields, and every limit they have. */
#include "support.h"

#include "base/trace.h"

static struct trace trace;

static int setup(void **state)
{
    (void)state;
    trace = (struct trace){ .level = TRACE_INFO };
    return 0;
}

static void test_fields(void **state)
{
    (void)state;
    struct address address = { .family = ADDRESS_IPV4, .bytes = { 192, 0, 2, 1 }, .port = 80 };
    char room[] = "blue";
    assert_null(trace_take(&trace));
    struct trace_event *event = trace_add(&trace, 5 * USEC_S, TRACE_WARN, "room.joined");
    trace_text(event, "room", view_of(room));
    trace_number(event, "members", UINT64_MAX);
    trace_address(event, "from", &address);
    trace_text(event, "empty", view_make(NULL, 0));
    memset(room, 'x', 4); /* the event has its own copy */

    const struct trace_event *seen = trace_take(&trace);
    assert_non_null(seen);
    assert_int_equal(seen->at, 5 * USEC_S);
    assert_int_equal(seen->level, TRACE_WARN);
    assert_string_equal(seen->name, "room.joined");
    assert_int_equal(seen->field_count, 4);
    assert_string_equal(seen->fields[0].name, "room");
    assert_false(seen->fields[0].is_number);
    assert_view(seen->fields[0].text, "blue");
    assert_true(seen->fields[1].is_number);
    assert_true(seen->fields[1].number == UINT64_MAX);
    assert_view(seen->fields[2].text, "192.0.2.1:80");
    assert_string_equal(seen->fields[3].name, "empty");
    assert_false(seen->fields[3].is_number);
    assert_view(seen->fields[3].text, "");
    assert_null(trace_take(&trace));
}

static void test_levels(void **state)
{
    (void)state;
    for (int level = TRACE_DEBUG; level <= TRACE_ERROR; level++) {
        trace.level = (enum trace_level)level;
        for (int kind = TRACE_DEBUG; kind <= TRACE_ERROR; kind++) {
            struct trace_event *event = trace_add(&trace, 1, (enum trace_level)kind, "x.y");
            trace_number(event, "n", 1);
        }
        for (int kind = level; kind <= TRACE_ERROR; kind++)
            assert_int_equal(trace_take(&trace)->level, kind);
        assert_null(trace_take(&trace));
    }
    assert_int_equal(trace.dropped, 0); /* what is not wanted is not lost */
}

/* The queue goes round several times; an event keeps nothing of what stood in its place before. */
static void test_order(void **state)
{
    (void)state;
    uint64_t added = 0, taken = 0;
    for (unsigned round = 0; round < 10 * TRACE_EVENTS_MAX; round++) {
        for (unsigned i = 0; i < 1 + round % 3 && added - taken < TRACE_EVENTS_MAX; i++) {
            struct trace_event *event = trace_add(&trace, added, TRACE_INFO, "x.y");
            if (added % 2)
                trace_text(event, "text", VIEW("abc"));
            trace_number(event, "number", added++);
        }
        const struct trace_event *event = trace_take(&trace);
        assert_non_null(event);
        assert_int_equal(event->at, taken);
        assert_int_equal(event->field_count, taken % 2 ? 2 : 1);
        assert_int_equal(event->text_size, taken % 2 ? 3 : 0);
        assert_int_equal(event->fields[taken % 2].number, taken);
        taken++;
    }
    assert_int_equal(trace.dropped, 0);
}

/* A flood: the oldest stay, what finds no place is counted. */
static void test_full(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TRACE_EVENTS_MAX + 7; i++) {
        struct trace_event *event = trace_add(&trace, i, TRACE_ERROR, "x.y");
        trace_number(event, "number", i);
    }
    trace_add(&trace, 0, TRACE_DEBUG, "x.y");
    assert_int_equal(trace.dropped, 7);
    for (unsigned i = 0; i < TRACE_EVENTS_MAX; i++) {
        const struct trace_event *event = trace_take(&trace);
        assert_non_null(event);
        assert_int_equal(event->at, i);
        assert_int_equal(event->fields[0].number, i);
    }
    assert_null(trace_take(&trace));
    trace_add(&trace, 99, TRACE_ERROR, "x.y");
    assert_int_equal(trace_take(&trace)->at, 99);
    assert_int_equal(trace.dropped, 7);
}

static void test_long_text_is_cut(void **state)
{
    (void)state;
    char text[TRACE_TEXT_MAX + 1];
    memset(text, 'a', sizeof(text));
    for (size_t first = 0; first <= sizeof(text); first++) {
        struct trace_event *event = trace_add(&trace, 1, TRACE_INFO, "x.y");
        trace_text(event, "first", view_make(text, first));
        trace_text(event, "second", view_make(text, 100));
        trace_number(event, "number", 3);

        size_t kept = first < TRACE_TEXT_MAX ? first : TRACE_TEXT_MAX;
        size_t left = TRACE_TEXT_MAX - kept;
        const struct trace_event *seen = trace_take(&trace);
        assert_int_equal(seen->field_count, 3);
        assert_int_equal(seen->fields[0].text.size, kept);
        assert_int_equal(seen->fields[1].text.size, left < 100 ? left : 100);
        assert_int_equal(seen->fields[2].number, 3);
        for (unsigned i = 0; i < 2; i++)
            assert_memory_equal(seen->fields[i].text.at, text, seen->fields[i].text.size);
    }
}

/* One field too many takes the place of the last. */
static void test_many_fields(void **state)
{
    (void)state;
    struct trace_event *event = trace_add(&trace, 1, TRACE_INFO, "x.y");
    for (unsigned i = 0; i < TRACE_FIELDS_MAX + 3; i++)
        trace_number(event, "number", i);
    trace_text(event, "text", VIEW("last"));
    const struct trace_event *seen = trace_take(&trace);
    assert_int_equal(seen->field_count, TRACE_FIELDS_MAX);
    for (unsigned i = 0; i < TRACE_FIELDS_MAX - 1; i++)
        assert_int_equal(seen->fields[i].number, i);
    assert_false(seen->fields[TRACE_FIELDS_MAX - 1].is_number);
    assert_view(seen->fields[TRACE_FIELDS_MAX - 1].text, "last");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_fields, setup),
        cmocka_unit_test_setup(test_levels, setup),
        cmocka_unit_test_setup(test_order, setup),
        cmocka_unit_test_setup(test_full, setup),
        cmocka_unit_test_setup(test_long_text_is_cut, setup),
        cmocka_unit_test_setup(test_many_fields, setup),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
