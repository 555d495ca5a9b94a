/* test_json_text.c - fields of JSON text, found where they stand. */
#include "support.h"
#include "wire/json_text.h"

/* The member's value; "nothing" when there is none. */
static struct view find(const char *object, const char *name)
{
    struct view value = VIEW("nothing");
    struct view text = view_of(object);
    uint8_t *copy = test_copy(text);
    struct view seen = view_make(copy, text.size);
    if (json_text_find(seen, view_of(name), &value))
        value = view_slice(text, (size_t)(value.at - copy), value.size);
    free(copy);
    return value;
}

static void finds_members_of_every_kind(void **state)
{
    const char *object = " {\"a\" : 1,\"b\":-2.5e3 ,\"c\":\"x,y\",\"d\":[1,{\"a\":2}],\"e\":{\"f\":"
                         "\"}\"},\n\"g\":true,\"h\":null} ";
    (void)state;
    assert_view(find(object, "a"), "1");
    assert_view(find(object, "b"), "-2.5e3");
    assert_view(find(object, "c"), "\"x,y\"");
    assert_view(find(object, "d"), "[1,{\"a\":2}]");
    assert_view(find(object, "e"), "{\"f\":\"}\"}");
    assert_view(find(object, "f"), "nothing");
    assert_view(find(object, "g"), "true");
    assert_view(find(object, "h"), "null");
    assert_view(find("{}", "a"), "nothing");
    assert_view(find("{\"a\":1,\"a\":2}", "a"), "1");
}

static void quotes_may_be_in_strings(void **state)
{
    (void)state;
    assert_view(find("{\"sdp\":\"v=0\\r\\n\\\"a\\\": 1\\\\\",\"type\":\"offer\"}", "type"),
                "\"offer\"");
    assert_view(find("{\"a\\\"b\":1,\"a\":2}", "a"), "2");
    assert_view(find("{\"a\\\"b\":1,\"a\":2}", "a\"b"), "1");
    assert_view(find("{\"x\":\"\\\\\\\\\\\"\",\"a\":\"\\\\\"}", "a"), "\"\\\\\"");
}

static void what_is_no_object_has_no_members(void **state)
{
    static const char *const OTHERS[] = { "",          "1",          "\"a\"",       "[\"a\",1]",
                                          "{",         "{\"a\"}",    "{\"a\":}",    "{\"a\" 1}",
                                          "{a:1}",     "{\"a\":1",   "{\"b:1}",     "{\"b\":1 2}",
                                          "{\"b\":[1", "{\"b\":[1}", "{\"b\":1;1}", "{,\"a\":1}" };
    (void)state;
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++)
        assert_view(find(OTHERS[i], "a"), "nothing");
}

static void takes_lists_apart(void **state)
{
    struct view list = VIEW(" \"a,b\" , {\"c\":[1,2]},[] ,-1");
    struct view value;
    (void)state;
    assert_true(json_text_next(&list, &value));
    assert_view(value, "\"a,b\"");
    assert_true(json_text_next(&list, &value));
    assert_view(value, "{\"c\":[1,2]}");
    assert_true(json_text_next(&list, &value));
    assert_view(value, "[]");
    assert_true(json_text_next(&list, &value));
    assert_view(value, "-1");
    assert_false(json_text_next(&list, &value));
}

static int read(const char *value, size_t capacity, char out[64])
{
    struct view text = view_of(value);
    uint8_t *copy = test_copy(text);
    uint8_t *said = malloc(capacity + 1);
    assert_non_null(said);
    int status = json_text_string(view_make(copy, text.size), said, capacity, &text);
    if (status == OK) {
        assert_true(text.size < 64);
        memcpy(out, text.at, text.size);
        out[text.size] = 0;
    }
    free(copy);
    free(said);
    return status;
}

static void strings_say(void **state)
{
    static const struct {
        const char *value;
        const char *says;
    } STRINGS[] = {
        { "\"\"", "" },
        { "\"room 1\"", "room 1" },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
        { "\"\\u0061\\u00e9\\uBC29\\ud83d\\ude00.\"", "a\xc3\xa9\xeb\xb0\xa9\xf0\x9f\x98\x80." },
    };
    char out[64];
    (void)state;
    for (size_t i = 0; i < sizeof STRINGS / sizeof STRINGS[0]; i++) {
        assert_int_equal(read(STRINGS[i].value, 60, out), OK);
        assert_string_equal(out, STRINGS[i].says);
    }
}

static void bad_strings_are_refused(void **state)
{
    static const char *const BAD[] = { "",
                                       "\"",
                                       "1",
                                       "{}",
                                       "\"\\x\"",
                                       "\"\\u12\"",
                                       "\"\\u12g4\"",
                                       "\"\\u0000\"",
                                       "\"\\ud83d\"",
                                       "\"\\ude00\"",
                                       "\"\\ud83dx\"",
                                       "\"\\ud83d\\u0061\"" };
    char out[64];
    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_int_equal(read(BAD[i], 60, out), ERR_MALFORMED);
}

static void strings_fit_or_not(void **state)
{
    char out[64];
    (void)state;
    assert_int_equal(read("\"\\nabc\"", 4, out), OK);
    assert_int_equal(read("\"\\nabc\"", 3, out), ERR_LIMIT);
    assert_int_equal(read("\"\\ud83d\\ude00\"", 4, out), OK);
    assert_int_equal(read("\"\\ud83d\\ude00\"", 3, out), ERR_LIMIT);
    assert_int_equal(read("\"abcd\"", 0, out), OK); /* nothing need be copied */
}

/* Whatever is read lies inside of the text: the sanitizer sees the rest. */
static void look_everywhere(struct view text)
{
    uint8_t out[16];
    uint8_t *copy = test_copy(text);
    struct view seen = view_make(copy, text.size);
    struct view list = seen;
    struct view value;
    struct view said;
    if (json_text_find(seen, VIEW("room"), &value)) {
        assert_true(value.at >= copy && value.at + value.size <= copy + text.size);
        if (json_text_string(value, out, sizeof out, &said) == OK)
            assert_true(said.size <= text.size);
    }
    while (json_text_next(&list, &value))
        assert_true(value.size > 0 && value.at + value.size <= copy + text.size);
    free(copy);
}

static void cut_or_broken_text_is_survived(void **state)
{
    static const char TEXT[] =
        "{\"type\":\"join\",\"list\":[1,\"\\u00e9\\\\\",{}],\"room\":\"\\u0062"
        "\\n\"},[1],\"a\"";
    (void)state;
    for (size_t size = 0; size < sizeof TEXT; size++)
        look_everywhere(view_make(TEXT, size));
    for (size_t bit = 0; bit < 8 * (sizeof TEXT - 1); bit++) {
        uint8_t flipped[sizeof TEXT - 1];
        memcpy(flipped, TEXT, sizeof flipped);
        flipped[bit / 8] ^= (uint8_t)(1 << bit % 8);
        look_everywhere(view_make(flipped, sizeof flipped));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_members_of_every_kind),
        cmocka_unit_test(quotes_may_be_in_strings),
        cmocka_unit_test(what_is_no_object_has_no_members),
        cmocka_unit_test(takes_lists_apart),
        cmocka_unit_test(strings_say),
        cmocka_unit_test(bad_strings_are_refused),
        cmocka_unit_test(strings_fit_or_not),
        cmocka_unit_test(cut_or_broken_text_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
