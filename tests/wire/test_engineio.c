/* test_engineio.c - Engine.IO packets in their payloads' forms and in WebSocket frames. */
#include "support.h"

#include "wire/engineio.h"

#define HAN  "\xed\x95\x9c"     /* one UTF-16 unit */
#define FACE "\xf0\x9f\x98\x80" /* two */
#define NEXT "\x1e"

/* A payload as a line of words: type, kind and data of each packet, or what was wrong. */
static const char *told(struct view payload, enum engineio_form form)
{
    static char text[1000];
    char *at = text;
    uint8_t *copy = test_copy(payload);
    struct engineio_reader reader = engineio_reader_make(view_make(copy, payload.size), form);
    struct engineio_packet packet;
    int status;
    *at = '\0';
    while ((status = engineio_read(&reader, &packet)) == OK)
        at += snprintf(at, 200, "%d%c<%.*s> ", packet.type, "tyb"[packet.kind],
                       VIEW_ARGS(packet.data));
    if (status != ERR_NOT_FOUND)
        snprintf(at, 200, "%s", status_text(status));
    free(copy);
    return text;
}

static void test_payload_4(void **state)
{
    (void)state;
    assert_string_equal(told(VIEW("4hello"), ENGINEIO_4), "4t<hello> ");
    assert_string_equal(told(VIEW("4a" NEXT "2" NEXT "bAQIDBA==" NEXT "4" HAN), ENGINEIO_4),
                        "4t<a> 2t<> 4b<AQIDBA==> 4t<" HAN "> ");
    assert_string_equal(told(VIEW("4"), ENGINEIO_4), "4t<> ");
    assert_string_equal(told(VIEW("2probe" NEXT "5" NEXT "6"), ENGINEIO_4), "2t<probe> 5t<> 6t<> ");
    assert_string_equal(told(VIEW(""), ENGINEIO_4), "malformed");
    assert_string_equal(told(VIEW("abc"), ENGINEIO_4), "malformed");
    assert_string_equal(told(VIEW("7"), ENGINEIO_4), "malformed");
    assert_string_equal(told(VIEW("4a" NEXT), ENGINEIO_4), "4t<a> malformed");
    assert_string_equal(told(VIEW("4a\xff"), ENGINEIO_4), "malformed");
    assert_string_equal(told(VIEW("4a" NEXT "\x04z"), ENGINEIO_4), "4t<a> malformed");
}

static void test_payload_3(void **state)
{
    (void)state;
    assert_string_equal(told(VIEW("6:4hello"), ENGINEIO_3_TEXT), "4t<hello> ");
    assert_string_equal(told(VIEW("6:4test11:26:4test2"), ENGINEIO_3_TEXT),
                        "4t<test1> 2t<> 4t<test2> ");
    assert_string_equal(told(VIEW("10:b4AQIDBA==2:4a"), ENGINEIO_3_TEXT), "4b<AQIDBA==> 4t<a> ");
    /* lengths in UTF-16 units */
    assert_string_equal(told(VIEW("4:4" HAN FACE "1:3"), ENGINEIO_3_TEXT),
                        "4t<" HAN FACE "> 3t<> ");
    assert_string_equal(told(VIEW("3:4" HAN FACE), ENGINEIO_3_TEXT), "malformed");
    assert_string_equal(told(VIEW(""), ENGINEIO_3_TEXT), "");
    assert_string_equal(told(VIEW("abc"), ENGINEIO_3_TEXT), "malformed");
    assert_string_equal(told(VIEW("1"), ENGINEIO_3_TEXT), "malformed");
    assert_string_equal(told(VIEW("1:"), ENGINEIO_3_TEXT), "malformed");
    assert_string_equal(told(VIEW("0:"), ENGINEIO_3_TEXT), "malformed");
    assert_string_equal(told(VIEW(":4"), ENGINEIO_3_TEXT), "malformed");
    assert_string_equal(told(VIEW("-1:4"), ENGINEIO_3_TEXT), "malformed");
    assert_string_equal(told(VIEW("9:bAQIDBA=="), ENGINEIO_3_TEXT), "malformed");
    assert_string_equal(told(VIEW("99999999999999999999:4a"), ENGINEIO_3_TEXT), "malformed");
    assert_string_equal(told(VIEW("2:4\xe0"), ENGINEIO_3_TEXT), "malformed");
}

static void test_payload_3_binary(void **state)
{
    (void)state;
    assert_string_equal(told(VIEW("\0\6\xff"
                                  "4hello"),
                             ENGINEIO_3_BINARY),
                        "4t<hello> ");
    assert_string_equal(told(VIEW("\1\4\xff\4abc"
                                  "\0\1\xff"
                                  "2"),
                             ENGINEIO_3_BINARY),
                        "4y<abc> 2t<> ");
    /* lengths in bytes */
    assert_string_equal(told(VIEW("\0\4\xff"
                                  "4" HAN),
                             ENGINEIO_3_BINARY),
                        "4t<" HAN "> ");
    assert_string_equal(told(VIEW("\0\1\0\xff"
                                  "4123456789"),
                             ENGINEIO_3_BINARY),
                        "4t<123456789> ");
    assert_string_equal(told(VIEW("\2\1\xff"
                                  "4"),
                             ENGINEIO_3_BINARY),
                        "malformed");
    assert_string_equal(told(VIEW("\0\xff"), ENGINEIO_3_BINARY), "malformed");
    assert_string_equal(told(VIEW("\0\1"), ENGINEIO_3_BINARY), "malformed");
    assert_string_equal(told(VIEW("\0\2\xff"
                                  "4"),
                             ENGINEIO_3_BINARY),
                        "malformed");
    assert_string_equal(told(VIEW("\1\1\xff\5"), ENGINEIO_3_BINARY), "malformed");
    assert_string_equal(told(VIEW("\1\0\xff"), ENGINEIO_3_BINARY), "malformed");
    assert_string_equal(told(VIEW("\0\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\xff"
                                  "4"),
                             ENGINEIO_3_BINARY),
                        "malformed");
}

/* Cut anywhere, or with any bit turned, a payload is read to an end without reading past it. */
static void test_cut_and_turned(void **state)
{
    (void)state;
    static const struct {
        struct view payload;
        enum engineio_form form;
    } all[] = {
        { VIEW("4a" NEXT "2probe" NEXT "bAQIDBA==" NEXT "4" HAN FACE), ENGINEIO_4 },
        { VIEW("6:4test11:210:b4AQIDBA==4:4" HAN FACE), ENGINEIO_3_TEXT },
        { VIEW("\0\6\xff"
               "4hello"
               "\1\4\xff\4abc"
               "\0\4\xff"
               "4" HAN),
          ENGINEIO_3_BINARY },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct view payload = all[i].payload;
        for (size_t size = 0; size < payload.size; size++)
            told(view_slice(payload, 0, size), all[i].form);
        uint8_t turned[64];
        for (size_t bit = 0; bit < payload.size * 8; bit++) {
            memcpy(turned, payload.at, payload.size);
            turned[bit / 8] = (uint8_t)(turned[bit / 8] ^ 1u << bit % 8);
            told(view_make(turned, payload.size), all[i].form);
        }
    }
}

static void check_frame(struct view frame, bool is_binary, unsigned revision, int status,
                        const char *wanted)
{
    struct engineio_packet packet = { 0 };
    char seen[100] = "";
    uint8_t *copy = test_copy(frame);
    assert_int_equal(engineio_read_frame(view_make(copy, frame.size), is_binary, revision, &packet),
                     status);
    if (status == OK)
        snprintf(seen, sizeof seen, "%d%c<%.*s>", packet.type, "tyb"[packet.kind],
                 VIEW_ARGS(packet.data));
    assert_string_equal(seen, wanted);
    free(copy);
}

static void test_frames(void **state)
{
    (void)state;
    check_frame(VIEW("4hello"), false, 4, OK, "4t<hello>");
    check_frame(VIEW("2probe"), false, 3, OK, "2t<probe>");
    check_frame(VIEW("bAQID"), false, 4, OK, "4b<AQID>");
    check_frame(VIEW("b4AQID"), false, 3, OK, "4b<AQID>");
    check_frame(VIEW("bAQID"), false, 3, ERR_MALFORMED, "");
    check_frame(VIEW("abc"), true, 4, OK, "4y<abc>");
    check_frame(VIEW(""), true, 4, OK, "4y<>");
    check_frame(VIEW("\4abc"), true, 3, OK, "4y<abc>");
    check_frame(VIEW("abc"), true, 3, ERR_MALFORMED, "");
    check_frame(VIEW(""), true, 3, ERR_MALFORMED, "");
    check_frame(VIEW(""), false, 4, ERR_MALFORMED, "");
    check_frame(VIEW("abc"), false, 4, ERR_MALFORMED, "");
}

static void test_frame_heads(void **state)
{
    (void)state;
    struct engineio_packet text = { ENGINEIO_PONG, ENGINEIO_TEXT, VIEW("probe") };
    struct engineio_packet bytes = { ENGINEIO_MESSAGE, ENGINEIO_BYTES, VIEW("abc") };
    uint8_t head[1];
    assert_int_equal(engineio_write_frame_head(&text, 4, head), 1);
    assert_int_equal(head[0], '3');
    assert_int_equal(engineio_write_frame_head(&bytes, 4, head), 0);
    assert_int_equal(engineio_write_frame_head(&bytes, 3, head), 1);
    assert_int_equal(head[0], 4);
}

static void check_written(enum engineio_form form, struct view wanted)
{
    static const struct engineio_packet packets[] = {
        { ENGINEIO_MESSAGE, ENGINEIO_TEXT, VIEW("a" HAN FACE) },
        { ENGINEIO_MESSAGE, ENGINEIO_BYTES, VIEW("\1\2\3\4") },
        { ENGINEIO_NOOP, ENGINEIO_TEXT, { NULL, 0 } },
    };
    /* with less room a packet is left out whole */
    for (size_t capacity = 0; capacity <= 100; capacity++) {
        uint8_t *out = malloc(capacity + 1);
        struct engineio_writer writer = { out, 0, capacity, form };
        int status = OK;
        for (size_t i = 0; i < 3 && status == OK; i++)
            status = engineio_write(&writer, &packets[i]);
        assert_true(writer.size <= wanted.size);
        assert_memory_equal(out, wanted.at, writer.size);
        assert_true(status == OK ? writer.size == wanted.size : capacity <= wanted.size + 1);
        free(out);
    }
}

static void test_writing(void **state)
{
    (void)state;
    check_written(ENGINEIO_4, VIEW("4a" HAN FACE NEXT "bAQIDBA==" NEXT "6"));
    check_written(ENGINEIO_3_TEXT, VIEW("5:4a" HAN FACE "10:b4AQIDBA==1:6"));
    check_written(ENGINEIO_3_BINARY, VIEW("\0\x09\xff"
                                          "4a" HAN FACE "\1\5\xff\4\1\2\3\4"
                                          "\0\1\xff"
                                          "6"));
}

static void check_base64(const char *text, int status, const char *wanted)
{
    uint8_t out[64];
    size_t size = 0;
    uint8_t *copy = test_copy(view_of(text));
    struct view view = view_make(copy, strlen(text));
    assert_int_equal(engineio_read_base64(view, out, sizeof out, &size), status);
    if (status == OK) {
        assert_view(view_make(out, size), wanted);
        assert_int_equal(engineio_read_base64(view, out, strlen(wanted), &size), OK);
        if (size)
            assert_int_equal(engineio_read_base64(view, out, size - 1, &size), ERR_LIMIT);
    }
    free(copy);
}

/* RFC 4648, section 10 */
static void test_base64(void **state)
{
    (void)state;
    check_base64("", OK, "");
    check_base64("Zg==", OK, "f");
    check_base64("Zm8=", OK, "fo");
    check_base64("Zm9v", OK, "foo");
    check_base64("Zm9vYg==", OK, "foob");
    check_base64("Zm9vYmE", OK, "fooba");
    check_base64("Zm9vYmFy", OK, "foobar");
    check_base64("+/+/", OK, "\xfb\xff\xbf");
    check_base64("Z", ERR_MALFORMED, "");
    check_base64("Z===", ERR_MALFORMED, "");
    check_base64("====", ERR_MALFORMED, "");
    check_base64("Zg==Zg==", ERR_MALFORMED, "");
    check_base64("Zm_v", ERR_MALFORMED, "");
    check_base64("Zm9v\n", ERR_MALFORMED, "");
}

static void test_handshake(void **state)
{
    (void)state;
    struct engineio_handshake handshake = { VIEW("abc"), true, 25000, 20000, 1000000 };
    uint8_t out[ENGINEIO_HANDSHAKE_MAX];
    size_t size;
    assert_int_equal(engineio_write_handshake(&handshake, out, sizeof out, &size), OK);
    assert_view(view_make(out, size),
                "{\"sid\":\"abc\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,"
                "\"pingTimeout\":20000,\"maxPayload\":1000000}");
    assert_int_equal(engineio_write_handshake(&handshake, out, size - 1, &size), ERR_LIMIT);
    handshake.may_upgrade = false;
    assert_int_equal(engineio_write_handshake(&handshake, out, sizeof out, &size), OK);
    assert_true(view_find(view_make(out, size), VIEW("\"upgrades\":[],")) < size);
}

static void test_jsonp(void **state)
{
    (void)state;
    uint8_t out[100];
    size_t size;
    const char *wanted = "___eio[12](\"4\\\"\\\\\\u000a\\u2028\\u2029\xe2\x80\xaa\");";
    struct view payload = VIEW("4\"\\\n\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa");
    assert_int_equal(engineio_write_jsonp(payload, VIEW("12"), out, sizeof out, &size), OK);
    assert_view(view_make(out, size), wanted);
    for (size_t capacity = 0; capacity < strlen(wanted); capacity++)
        assert_int_equal(engineio_write_jsonp(payload, VIEW("12"), out, capacity, &size),
                         ERR_LIMIT);
    /* nothing but digits may stand between the brackets */
    assert_int_equal(engineio_write_jsonp(VIEW("6"), VIEW("1];alert(2"), out, sizeof out, &size),
                     OK);
    assert_view(view_make(out, size), "___eio[12](\"6\");");
}

static void check_form(const char *body, int status, const char *wanted)
{
    uint8_t *copy = test_copy(view_of(body));
    uint8_t *out = malloc(strlen(body) + 1);
    size_t size;
    assert_int_equal(engineio_read_form(view_make(copy, strlen(body)), out, &size), status);
    if (status == OK)
        assert_view(view_make(out, size), wanted);
    free(out);
    free(copy);
}

static void test_form(void **state)
{
    (void)state;
    check_form("d=4hello", OK, "4hello");
    check_form("d=4a%0Ab+c%2B", OK, "4a\nb c+");
    check_form("x=1&d=4%5Cn&y=2", OK, "4\n");
    check_form("d=4%5C%5Cn", OK, "4\\n");
    check_form("d=4%5Ca", OK, "4\\a");
    check_form("d=", OK, "");
    check_form("e=4", ERR_MALFORMED, "");
    check_form("d=%", ERR_MALFORMED, "");
    check_form("d=%4", ERR_MALFORMED, "");
    check_form("d=%zz", ERR_MALFORMED, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_payload_4),
        cmocka_unit_test(test_payload_3),
        cmocka_unit_test(test_payload_3_binary),
        cmocka_unit_test(test_cut_and_turned),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_frame_heads),
        cmocka_unit_test(test_writing),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_handshake),
        cmocka_unit_test(test_jsonp),
        cmocka_unit_test(test_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
