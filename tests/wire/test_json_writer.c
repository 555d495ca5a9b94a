/* test_json_writer.c - what is written is JSON, byte for byte, and never more than fits. */
#include "support.h"

#include "wire/json.h"

static void check_string(struct view text, const char *wanted)
{
    uint8_t out[2048];
    struct json_writer writer = json_writer_make(out, sizeof(out));
    json_string(&writer, text);
    assert_false(writer.overflow);
    assert_view(json_written(&writer), wanted);
}

static void test_strings(void **state)
{
    (void)state;
    check_string(VIEW(""), "\"\"");
    check_string(view_make(NULL, 0), "\"\"");
    check_string(VIEW("plain / text \x7f"), "\"plain / text \x7f\"");
    check_string(VIEW("\"\\\b\f\n\r\t"), "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
    check_string(VIEW("a\0b\x01\x1f"), "\"a\\u0000b\\u0001\\u001f\"");
    check_string(VIEW("\u00e9\ubaa8\U0001f642"), "\"\u00e9\ubaa8\U0001f642\"");
}

/* Every character but NUL comes back through the reader as it was. */
static void test_strings_there_and_back(void **state)
{
    (void)state;
    for (unsigned first = 1; first < 128; first++) {
        uint8_t out[64];
        char text[4] = { (char)first, 'x', (char)first, 0 };
        cJSON *tree;
        struct json_writer writer = json_writer_make(out, sizeof(out));
        json_open(&writer, '{');
        json_key(&writer, "a");
        json_string(&writer, view_of(text));
        json_close(&writer, '}');
        assert_int_equal(json_read_object(json_written(&writer), &tree), OK);
        assert_view(json_get_string(tree, "a"), text);
        cJSON_Delete(tree);
    }
}

static void test_numbers(void **state)
{
    (void)state;
    uint8_t out[64];
    struct json_writer writer = json_writer_make(out, sizeof(out));
    json_open(&writer, '[');
    json_number(&writer, 0);
    json_number(&writer, 10);
    json_number(&writer, 1234567890);
    json_number(&writer, UINT64_MAX);
    json_close(&writer, ']');
    assert_view(json_written(&writer), "[0,10,1234567890,18446744073709551615]");
}

static void write_all(struct json_writer *writer)
{
    json_open(writer, '{');
    json_key(writer, "empty");
    json_open(writer, '{');
    json_close(writer, '}');
    json_key(writer, "list");
    json_open(writer, '[');
    json_open(writer, '[');
    json_close(writer, ']');
    json_open(writer, '{');
    json_key(writer, "n");
    json_number(writer, 7);
    json_close(writer, '}');
    json_string(writer, VIEW("a\nb"));
    json_bool(writer, true);
    json_bool(writer, false);
    json_raw(writer, VIEW("null"));
    json_close(writer, ']');
    json_key(writer, "last");
    json_number(writer, 1);
    json_close(writer, '}');
}

#define ALL "{\"empty\":{},\"list\":[[],{\"n\":7},\"a\\nb\",true,false,null],\"last\":1}"

static void test_commas(void **state)
{
    (void)state;
    uint8_t out[256];
    struct json_writer writer = json_writer_make(out, sizeof(out));
    write_all(&writer);
    assert_false(writer.overflow);
    assert_view(json_written(&writer), ALL);
}

/* Too little room: it is told, nothing is written past it, and what was written is a beginning. */
static void test_every_capacity(void **state)
{
    (void)state;
    const size_t size = sizeof(ALL) - 1;
    for (size_t capacity = 0; capacity <= size + 1; capacity++) {
        uint8_t *out = malloc(capacity ? capacity : 1);
        struct json_writer writer = json_writer_make(out, capacity);
        write_all(&writer);
        assert_int_equal(writer.overflow, capacity < size);
        assert_in_range(writer.size, 0, capacity);
        assert_true(view_starts(VIEW(ALL), json_written(&writer)));
        free(out);
    }
}

static void test_overflow_stays(void **state)
{
    (void)state;
    uint8_t out[4];
    struct json_writer writer = json_writer_make(out, sizeof(out));
    json_open(&writer, '[');
    json_string(&writer, VIEW("too long"));
    assert_true(writer.overflow);
    size_t size = writer.size;
    json_number(&writer, 1);
    assert_true(writer.overflow);
    assert_int_equal(writer.size, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),        cmocka_unit_test(test_strings_there_and_back),
        cmocka_unit_test(test_numbers),        cmocka_unit_test(test_commas),
        cmocka_unit_test(test_every_capacity), cmocka_unit_test(test_overflow_stays),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
