/* test_socketio.c - Socket.IO packets, and the JSON inside them. */
#include "support.h"

#include "wire/socketio.h"

/* A packet as text, or what was wrong with it. */
static const char *told(struct view text)
{
    static char out[1000];
    struct socketio_packet packet;
    uint8_t *copy = test_copy(text);
    int status = socketio_read(view_make(copy, text.size), &packet);
    if (status != OK) {
        free(copy);
        return status_text(status);
    }
    int size = snprintf(out, sizeof out, "%d-%u %.*s?%.*s", packet.type, packet.attachments,
                        VIEW_ARGS(packet.name_space), VIEW_ARGS(packet.query));
    if (packet.has_id)
        size += snprintf(out + size, 30, " #%llu", (unsigned long long)packet.id);
    snprintf(out + size, 500, " %.*s <%.*s> %.*s", VIEW_ARGS(packet.data), VIEW_ARGS(packet.event),
             VIEW_ARGS(packet.rest));
    free(copy);
    return out;
}

#define check(text, wanted) assert_string_equal(told(VIEW(text)), wanted)

static void test_connect(void **state)
{
    (void)state;
    check("0", "0-0 /?  <> ");
    check("0{\"token\":\"123\"}", "0-0 /? {\"token\":\"123\"} <> ");
    check("0/admin,", "0-0 /admin?  <> ");
    check("0/admin", "0-0 /admin?  <> ");
    check("0/admin,{}", "0-0 /admin? {} <> ");
    check("0/admin?a=1&b=2", "0-0 /admin?a=1&b=2  <> ");
    check("0/admin?a=1&b=2,", "0-0 /admin?a=1&b=2  <> ");
    check("0[]", "malformed");
    check("0\"a\"", "malformed");
    check("0{", "malformed");
    check("0{}{}", "malformed");
}

static void test_disconnect_and_error(void **state)
{
    (void)state;
    check("1", "1-0 /?  <> ");
    check("1/admin,", "1-0 /admin?  <> ");
    check("1{}", "malformed");
    check("4{\"message\":\"a\"}", "4-0 /? {\"message\":\"a\"} <> ");
    check("4/b,\"a\"", "4-0 /b? \"a\" <> ");
    check("4", "malformed");
}

static void test_events(void **state)
{
    (void)state;
    check("2[\"foo\"]", "2-0 /? [\"foo\"] <foo> ");
    check("2[ \"foo\" , 1,{\"a\":[2]} ]",
          "2-0 /? [ \"foo\" , 1,{\"a\":[2]} ] <foo>  1,{\"a\":[2]} ");
    check("2/admin,13[\"a\\\"b\",null]", "2-0 /admin? #13 [\"a\\\"b\",null] <a\\\"b> null");
    check("2[1,2]", "2-0 /? [1,2] <> 2");
    check("2[]", "malformed");
    check("2{}", "malformed");
    check("2", "malformed");
    check("2[null]", "malformed");
    check("2[{}]", "malformed");
    check("2[\"a\"", "malformed");
    check("2[\"a\"]x", "malformed");
    check("2[\"a\",]", "malformed");
    check("2[\"a\" 1]", "malformed");
    check("2[\"connect\"]", "malformed");
    check("2[\"disconnect\",1]", "malformed");
    check("2[\"connected\"]", "2-0 /? [\"connected\"] <connected> ");
    check("2-[\"a\"]", "malformed");
    check("29007199254740993[\"a\"]", "malformed");
    check("29007199254740992[\"a\"]", "2-0 /? #9007199254740992 [\"a\"] <a> ");
}

static void test_acknowledgements(void **state)
{
    (void)state;
    check("312[]", "3-0 /? #12 [] <> ");
    check("3/a,0[1,\"2\"]", "3-0 /a? #0 [1,\"2\"] <> ");
    check("3[]", "malformed");
    check("31{}", "malformed");
    check("31", "malformed");
}

static void test_attachments(void **state)
{
    (void)state;
    check("51-[\"a\",{\"_placeholder\":true,\"num\":0}]",
          "5-1 /? [\"a\",{\"_placeholder\":true,\"num\":0}] <a> {\"_placeholder\":true,\"num\":0}");
    check("61-/b,7[{\"_placeholder\":true,\"num\":0}]",
          "6-1 /b? #7 [{\"_placeholder\":true,\"num\":0}] <> ");
    check("50-[\"a\"]", "5-0 /? [\"a\"] <a> ");
    check("516-[\"a\"]", "5-16 /? [\"a\"] <a> ");
    check("517-[\"a\"]", "a limit is reached");
    check("599999999999-[\"a\"]", "malformed");
    check("5[\"a\"]", "malformed");
    check("51[\"a\"]", "malformed");
    check("5-[\"a\"]", "malformed");
    check("51", "malformed");
    check("51-", "malformed");
}

/* A placeholder that names no attachment would make the parsers of those that it is passed on to
 * give up. */
static void test_placeholders(void **state)
{
    (void)state;
    check("51-[\"a\",{\"_placeholder\":true,\"num\":1}]", "malformed");
    check("51-[\"a\",{\"num\":1,\"_placeholder\":true}]", "malformed");
    check("51-[\"a\",{\"_placeholder\":true}]", "malformed");
    check("51-[\"a\",{\"_placeholder\":true,\"num\":-1}]", "malformed");
    check("51-[\"a\",{\"_placeholder\":true,\"num\":\"0\"}]", "malformed");
    check("51-[\"a\",{\"_placeholder\":true,\"num\":{}}]", "malformed");
    check("51-[\"a\",{\"_placeholder\":true,\"num\":0,\"num\":1}]", "malformed");
    check("51-[\"a\",{\"b\":[{\"c\":{\"_placeholder\" : true , \"num\" : 7}}]}]", "malformed");
    check("51-[\"a\",{\"\\u005fplaceholder\":true,\"num\":7}]", "malformed");
    assert_string_not_equal(told(VIEW("51-[\"a\",{\"_placeholder\":false,\"num\":7}]")),
                            "malformed");
    assert_string_not_equal(told(VIEW("51-[\"a\",{\"_placeholder\":1,\"num\":7}]")), "malformed");
    assert_string_not_equal(told(VIEW("51-[\"a\",{\"\\\\_placeholder\":true,\"num\":7}]")),
                            "malformed");
    assert_string_not_equal(told(VIEW("51-[\"a\",{\"_placeholders\":true,\"num\":7}]")),
                            "malformed");
    assert_string_not_equal(told(VIEW("51-[\"a\",{\"num\":7},{\"_placeholder\":true,\"num\":0}]")),
                            "malformed");
    /* without attachments it is an object like others */
    assert_string_not_equal(told(VIEW("2[\"a\",{\"_placeholder\":true,\"num\":7}]")), "malformed");
}

static void test_no_packets(void **state)
{
    (void)state;
    check("", "malformed");
    check("7", "malformed");
    check("abc", "malformed");
    check("{}", "malformed");
}

static void test_long_namespaces(void **state)
{
    (void)state;
    char text[SOCKETIO_NAMESPACE_MAX + 3] = "0/";
    memset(text + 2, 'a', SOCKETIO_NAMESPACE_MAX);
    assert_string_equal(told(view_make(text, SOCKETIO_NAMESPACE_MAX + 2)), "a limit is reached");
    assert_string_not_equal(told(view_make(text, SOCKETIO_NAMESPACE_MAX + 1)),
                            "a limit is reached");
}

static int skipped(struct view text)
{
    uint8_t *copy = test_copy(text);
    struct view rest = view_make(copy, text.size);
    struct view value;
    int status = socketio_skip_value(&rest, -1, &value);
    if (status == OK && rest.size)
        status = ERR_MORE;
    free(copy);
    return status;
}

static void test_json(void **state)
{
    (void)state;
    static const char *const GOOD[] = {
        "0",
        "-0",
        "1.5e+10",
        "10E-2",
        "true",
        "false",
        "null",
        "{}",
        "[]",
        "[[],{}]",
        "\"\"",
        "\"a\xc3\xa9\"",
        " [ 1 , 2 ] ",
        "[1]",
        "\"\\u00e9\\n\\\\\\\"\"",
        "{\"a\":{\"b\":[true,{}]},\"c\":\"\"}",
        "\"\x7f\"",
    };
    static const char *const BAD[] = {
        "",      "01",    "1.",     "-",       "+1",    ".5",        "1e",          "tru",
        "[",     "]",     "[1,]",   "[,1]",    "{,}",   "{\"a\"}",   "{\"a\":}",    "{a:1}",
        "[1}",   "\"",    "\"\n\"", "\"\\x\"", "\"\\",  "\"\\u12",   "\"\\u12g4\"", "{\"a\":1,}",
        "[1 2]", "{1:2}", "'a'",    "NaN",     "[\"a]", "{\"a\" 1}", "[[]",         "\x01",
    };
    for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++)
        if (skipped(view_of(GOOD[i])) != OK)
            fail_msg("%s is refused", GOOD[i]);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        if (skipped(view_of(BAD[i])) == OK)
            fail_msg("%s is taken", BAD[i]);
    assert_int_equal(skipped(view_make("\"a\0\"", 4)), ERR_MALFORMED);
    assert_int_equal(skipped(VIEW("1 2")), ERR_MORE);
}

static void test_deep_json(void **state)
{
    (void)state;
    char text[2 * (SOCKETIO_DEPTH_MAX + 1)];
    memset(text, '[', SOCKETIO_DEPTH_MAX + 1);
    memset(text + SOCKETIO_DEPTH_MAX + 1, ']', SOCKETIO_DEPTH_MAX + 1);
    assert_int_equal(skipped(view_make(text, sizeof text)), ERR_LIMIT);
    assert_int_equal(skipped(view_make(text + 1, sizeof text - 2)), OK);
}

static const struct view SAMPLES[] = {
    VIEW("0/admin?token=1,{\"a\":\"b\"}"),
    VIEW("2/admin,13[\"offer\",{\"sdp\":\"v=0\\r\\n\",\"n\":[1.5e3,-2,true,null,{}]}]"),
    VIEW("52-/"
         "b,7[\"a\",{\"_placeholder\":true,\"num\":0},{\"c\":{\"_placeholder\":true,\"num\":1}}]"),
    VIEW("31[\"\\u00e9\",[[]]]"),
};

static void test_cut_and_turned(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof SAMPLES / sizeof SAMPLES[0]; i++) {
        struct view text = SAMPLES[i];
        uint8_t turned[128];
        for (size_t size = 0; size < text.size; size++)
            told(view_slice(text, 0, size));
        for (size_t bit = 0; bit < text.size * 8; bit++) {
            memcpy(turned, text.at, text.size);
            turned[bit / 8] = (uint8_t)(turned[bit / 8] ^ 1u << bit % 8);
            told(view_make(turned, text.size));
        }
    }
    /* what is cut from an event is never one */
    for (size_t size = 0; size < SAMPLES[1].size; size++)
        assert_string_equal(told(view_slice(SAMPLES[1], 0, size)), "malformed");
}

/* What is read is written again as it was, but for a query. */
static void test_writing(void **state)
{
    (void)state;
    for (size_t i = 1; i < sizeof SAMPLES / sizeof SAMPLES[0]; i++) {
        struct socketio_packet packet;
        uint8_t out[200];
        size_t size;
        assert_int_equal(socketio_read(SAMPLES[i], &packet), OK);
        for (size_t capacity = 0; capacity < SAMPLES[i].size; capacity++)
            assert_int_equal(socketio_write(&packet, out, capacity, &size), ERR_LIMIT);
        assert_int_equal(socketio_write(&packet, out, SAMPLES[i].size, &size), OK);
        assert_true(view_equal(view_make(out, size), SAMPLES[i]));
    }
    struct socketio_packet plain = { .type = SOCKETIO_DISCONNECT };
    uint8_t out[8];
    size_t size;
    assert_int_equal(socketio_write(&plain, out, sizeof out, &size), OK);
    assert_view(view_make(out, size), "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connect),        cmocka_unit_test(test_disconnect_and_error),
        cmocka_unit_test(test_events),         cmocka_unit_test(test_acknowledgements),
        cmocka_unit_test(test_attachments),    cmocka_unit_test(test_placeholders),
        cmocka_unit_test(test_no_packets),     cmocka_unit_test(test_long_namespaces),
        cmocka_unit_test(test_json),           cmocka_unit_test(test_deep_json),
        cmocka_unit_test(test_cut_and_turned), cmocka_unit_test(test_writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
