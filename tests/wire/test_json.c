/* test_json.c - objects are read strictly by RFC 8259, from memory with a guarded end: what the
 * library behind the reader lets pass is refused before it sees it. */
#include "support.h"

#include "wire/json.h"

#include <sys/mman.h>
#include <unistd.h>

/* The end of memory: what follows can't be read, by the library either. */
static uint8_t *guard;
static size_t guarded_size;

static int make_guard(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    guarded_size = 64 * page;
    uint8_t *pages =
        mmap(NULL, guarded_size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + guarded_size, page, PROT_NONE))
        return 1;
    guard = pages + guarded_size;
    return 0;
}

static int read_view(struct view text, cJSON **out)
{
    assert_in_range(text.size, 0, guarded_size);
    if (text.size)
        memcpy(guard - text.size, text.at, text.size);
    return json_read_object(view_make(guard - text.size, text.size), out);
}

static void check_view(struct view text, int wanted)
{
    cJSON *tree = NULL;
    int status = read_view(text, &tree);
    if (status != wanted)
        print_error("%.*s\n", VIEW_ARGS(text));
    assert_int_equal(status, wanted);
    assert_int_equal(tree != NULL, wanted == OK);
    cJSON_Delete(tree);
}

static void check(const char *text, int wanted)
{
    check_view(view_of(text), wanted);
}

/* The same as the value of a member. */
static void check_value(const char *value, int wanted)
{
    char text[512];
    snprintf(text, sizeof(text), "{\"a\":%s}", value);
    check(text, wanted);
    snprintf(text, sizeof(text), " {\"a\" : [ 1, %s ,2] } ", value);
    check(text, wanted);
}

static void test_objects(void **state)
{
    (void)state;
    check("{}", OK);
    check(" \t\r\n{ \n} \t\r\n", OK);
    check("{\"a\":1,\"b\":[],\"c\":{\"d\":null}}", OK);
    check("{\"\":0}", OK);
    check("{\"a\":1,\"a\":2}", OK);
}

static void test_what_is_no_object(void **state)
{
    (void)state;
    static const char *const TEXTS[] = { "",
                                         " ",
                                         "[]",
                                         "1",
                                         "null",
                                         "\"a\"",
                                         "\"{}\"",
                                         "{",
                                         "}",
                                         "{{",
                                         "{}}",
                                         "{} {}",
                                         "{}a",
                                         "{},",
                                         "[{}",
                                         "{]",
                                         "{[}",
                                         "}{",
                                         "[{}]",
                                         "/**/ {}",
                                         "{}//",
                                         "\xef\xbb\xbf{}",
                                         "\x0b{}",
                                         "{}\x0c",
                                         "{a}",
                                         "{,",
                                         "{,}",
                                         "{\"a\"}",
                                         "{a:1}",
                                         "{'a':1}",
                                         "{1:1}",
                                         "{\"a\":}",
                                         "{\"a\" 1}",
                                         "{\"a\":1,}",
                                         "{\"a\":1 \"b\":2}",
                                         "{\"a\":1,,\"b\":2}",
                                         "{:1}",
                                         "{\"a\"::1}" };
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++)
        check(TEXTS[i], ERR_MALFORMED);
    check_view(view_make(NULL, 0), ERR_MALFORMED);
    check_view(VIEW("{}\0"), ERR_MALFORMED);
    check_view(VIEW("{\0}"), ERR_MALFORMED);
}

static void test_values(void **state)
{
    (void)state;
    static const char *const GOOD[] = { "true",    "false",      "null", "[]",
                                        "[1,[2]]", "{\"b\":{}}", "\"\"" };
    static const char *const BAD[] = { "True",  "nul",      "nulll",     "true1", "truefalse",
                                       "NaN",   "Infinity", "undefined", "[1,]",  "[,1]",
                                       "[1 2]", "[1",       "]",         "[}",    "{]",
                                       "a",     "*",        "\xe5",      "/**/1", "" };
    for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++)
        check_value(GOOD[i], OK);
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        check_value(BAD[i], ERR_MALFORMED);
}

/* RFC 8259, section 6 */
static void test_numbers(void **state)
{
    (void)state;
    static const char *const GOOD[] = { "0",
                                        "-0",
                                        "1",
                                        "-12",
                                        "10",
                                        "0.5",
                                        "1.25e3",
                                        "1E+2",
                                        "1e-2",
                                        "0e0",
                                        "123456789012345678901234567890",
                                        "1e999",
                                        "-1e999" };
    static const char *const BAD[] = { "01",   "-01",  "00",   "+1",   "-",     "--1",
                                       ".5",   "1.",   "1.e5", "1e",   "1e+",   "1ee1",
                                       "1e.5", "0x10", "1_0",  "1,0x", "1.2.3", "1-2",
                                       "-a",   "0e",   "- 1",  "1 2",  "0.-1",  "1e1.0" };
    for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++)
        check_value(GOOD[i], OK);
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        check_value(BAD[i], ERR_MALFORMED);
}

static void check_string(const char *json, const char *wanted)
{
    char text[512];
    cJSON *tree;
    snprintf(text, sizeof(text), "{\"a\":%s}", json);
    assert_int_equal(read_view(view_of(text), &tree), OK);
    assert_view(json_get_string(tree, "a"), wanted);
    cJSON_Delete(tree);
}

/* Section 7 */
static void test_strings(void **state)
{
    (void)state;
    check_string("\"\"", "");
    check_string("\"{[}]:,\"", "{[}]:,");
    check_string("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
    check_string("\"\\u0041\\u00e9\\uBAA8\\ud83d\\ude42\"", "A\u00e9\ubaa8\U0001f642");
    check_string("\"\\\\u0000\"", "\\u0000");
    check_string("\"\\u0001\\u0010\\u0100\\u1000\"", "\x01\x10\u0100\u1000");
    check_string("\"\ubaa8\U0001f642\x7f\"", "\ubaa8\U0001f642\x7f");
}

static void test_bad_strings(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "\"",          "\"a",         "a\"",         "'a'",         "\"\\\"",      "\"\\\\\\\"",
        "\"\\x41\"",   "\"\\a\"",     "\"\\ \"",     "\"\\0\"",     "\"\\u\"",     "\"\\u1\"",
        "\"\\u12\"",   "\"\\u123\"",  "\"\\u123g\"", "\"\\uzzzz\"", "\"\\u00zz\"", "\"\\u-001\"",
        "\"\\U0041\"", "\"\\u 041\"", "\"\n\"",      "\"\t\"",      "\"\x01\"",    "\"\x1f\"",
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        check_value(BAD[i], ERR_MALFORMED);
}

/* Half of a pair of UTF-16 has no UTF-8. */
static void test_lone_surrogates(void **state)
{
    (void)state;
    static const char *const BAD[] = { "\"\\ud800\"",        "\"\\udc00\"",        "\"\\udfff\"",
                                       "\"\\ud800\\ud800\"", "\"\\ud800a\"",       "\"\\ud800\\n\"",
                                       "\"\\udc00\\ud800\"", "\"\\ud800\\u0041\"", "\"\\uDBFF\"" };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        check_value(BAD[i], ERR_MALFORMED);
}

static void test_u_0000(void **state)
{
    (void)state;
    check_value("\"\\u0000\"", ERR_MALFORMED);
    check_value("\"a\\u0000b\"", ERR_MALFORMED);
    check_value("\"\\\\\\u0000\"", ERR_MALFORMED);
    check("{\"a\\u0000b\":1}", ERR_MALFORMED);
    check_view(VIEW("{\"a\":\"b\0c\"}"), ERR_MALFORMED);
    check_view(VIEW("{\"a\0b\":1}"), ERR_MALFORMED);
}

static void test_depth(void **state)
{
    (void)state;
    for (int depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
        char text[256] = "{\"a\":";
        size_t n = strlen(text);
        for (int i = 1; i < depth; i++)
            text[n++] = '[';
        for (int i = 1; i < depth; i++)
            text[n++] = ']';
        text[n++] = '}';
        check_view(view_make(text, n), depth <= JSON_DEPTH_MAX ? OK : ERR_LIMIT);
    }
    check("{\"a\":\"{{{{{{{{{{{{{{{{{{{{{{[[[[[[[[[[[[\"}", OK);
    check("{\"a\":[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]}", OK);
}

/* Very deep, in the largest message: refused without recursion. */
static void test_depth_of_a_bomb(void **state)
{
    (void)state;
    const size_t size = 65536;
    uint8_t *text = malloc(size);
    memset(text, '[', size);
    memcpy(text, "{\"a\":", 5);
    text[size - 1] = '}';
    check_view(view_make(text, size), ERR_LIMIT);
    free(text);
}

static void test_every_cut(void **state)
{
    (void)state;
    struct view text =
        VIEW("{\"a\":[1,-2.5e+3,true,null],\"b\":{\"c\":\"x\\n\\u00e9\"},\"d\":\"\"}");
    for (size_t cut = 0; cut <= text.size; cut++) {
        check_view(view_slice(text, 0, cut), cut < text.size ? ERR_MALFORMED : OK);
        if (cut)
            check_view(view_slice(text, cut, text.size), ERR_MALFORMED);
    }
}

static void test_every_byte_changed_is_safe(void **state)
{
    (void)state;
    struct view text = VIEW("{\"a\":[1,-2.5e+3,true],\"b\":\"x\\n\\u00e9\"}");
    for (size_t at = 0; at < text.size; at++) {
        for (unsigned c = 0; c < 256; c++) {
            uint8_t copy[64];
            cJSON *tree = NULL;
            memcpy(copy, text.at, text.size);
            copy[at] = (uint8_t)c;
            int status = read_view(view_make(copy, text.size), &tree);
            assert_true(status == OK || status == ERR_MALFORMED);
            cJSON_Delete(tree);
        }
    }
}

static void check_number(const char *json, int wanted, uint64_t number)
{
    char text[128];
    cJSON *tree;
    uint64_t seen = 77;
    snprintf(text, sizeof(text), "{\"n\":%s}", json);
    assert_int_equal(read_view(view_of(text), &tree), OK);
    assert_int_equal(json_get_number(tree, "n", &seen), wanted);
    assert_int_equal(seen, wanted == OK ? number : 77);
    assert_int_equal(json_get_number(tree, "N", &seen), ERR_NOT_FOUND);
    cJSON_Delete(tree);
}

static void test_get_number(void **state)
{
    (void)state;
    check_number("0", OK, 0);
    check_number("-0", OK, 0);
    check_number("1.0", OK, 1);
    check_number("12e2", OK, 1200);
    check_number("2147483648", OK, 2147483648u);
    check_number("9007199254740991", OK, 9007199254740991u);
    check_number("9007199254740992", OK, 9007199254740992u);
    check_number("9007199254740994", ERR_MALFORMED, 0);
    check_number("-1", ERR_MALFORMED, 0);
    check_number("0.5", ERR_MALFORMED, 0);
    check_number("1e999", ERR_MALFORMED, 0);
    check_number("-1e999", ERR_MALFORMED, 0);
    check_number("\"1\"", ERR_MALFORMED, 0);
    check_number("true", ERR_MALFORMED, 0);
    check_number("null", ERR_MALFORMED, 0);
    check_number("[1]", ERR_MALFORMED, 0);
}

static void test_get_bool_and_string(void **state)
{
    (void)state;
    cJSON *tree;
    bool value = true;
    struct view text = VIEW("{\"yes\":true,\"no\":false,\"one\":1,\"null\":null,\"text\":\"true\","
                            "\"text\":\"second\"}");
    assert_int_equal(read_view(text, &tree), OK);
    assert_int_equal(json_get_bool(tree, "no", &value), OK);
    assert_false(value);
    assert_int_equal(json_get_bool(tree, "yes", &value), OK);
    assert_true(value);
    assert_int_equal(json_get_bool(tree, "none", &value), ERR_NOT_FOUND);
    assert_int_equal(json_get_bool(tree, "one", &value), ERR_MALFORMED);
    assert_int_equal(json_get_bool(tree, "null", &value), ERR_MALFORMED);
    assert_int_equal(json_get_bool(tree, "text", &value), ERR_MALFORMED);
    assert_true(value);
    assert_view(json_get_string(tree, "text"), "true"); /* of two alike, the first */
    assert_null(json_get_string(tree, "yes").at);
    assert_null(json_get_string(tree, "Text").at);
    cJSON_Delete(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects),         cmocka_unit_test(test_what_is_no_object),
        cmocka_unit_test(test_values),          cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_strings),         cmocka_unit_test(test_bad_strings),
        cmocka_unit_test(test_lone_surrogates), cmocka_unit_test(test_u_0000),
        cmocka_unit_test(test_depth),           cmocka_unit_test(test_depth_of_a_bomb),
        cmocka_unit_test(test_every_cut),       cmocka_unit_test(test_every_byte_changed_is_safe),
        cmocka_unit_test(test_get_number),      cmocka_unit_test(test_get_bool_and_string),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_guard, NULL);
}
