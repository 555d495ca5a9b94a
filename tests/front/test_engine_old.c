/* test_engine_old.c - clients of Engine.IO 3 (socket.io-client 2.x), and those that poll with
 * scripts. */
#include "house_engine.h"

#define V3  "/engine.io/?EIO=3"
#define IO3 "/socket.io/?EIO=3"

static void test_handshake(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    const char *text = get_text(house, V3, "&transport=polling");
    char *at;
    unsigned long size = strtoul(text + 4, &at, 10);
    assert_true(strncmp(at, ":0{\"sid\":\"", 10) == 0);
    assert_int_equal(strlen(at + 1), size);
    house_close(house);
}

static void test_polling(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V3);
    assert_string_equal(poller_post(&poller, "6:4hello"), "200 ok");
    assert_string_equal(poller_poll(&poller), "200 6:4hello");
    assert_string_equal(poller_post(&poller, "6:4test13:4\xed\x95\x9c!"), "200 ok");
    assert_string_equal(poller_poll(&poller), "200 6:4test13:4\xed\x95\x9c!");
    assert_string_equal(poller_post(&poller, "1:2"), "200 ok");
    assert_string_equal(poller_poll(&poller), "200 1:3");
    assert_string_equal(poller_post(&poller, "abc"),
                        "400 {\"code\":3,\"message\":\"Bad request\"}");
    assert_true(strncmp(poller_poll(&poller), "400", 3) == 0);
    house_close(house);
}

/* Bytes among the packets make the whole answer one of bytes, unless the client takes none. */
static void test_bytes(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V3);
    struct answer answer = { 0 };
    assert_string_equal(poller_post(&poller, "6:4hello10:b4AQIDBA=="), "200 ok");
    struct wire *wire = poller_hold(&poller);
    wire_answer(wire, &answer);
    assert_header(&answer, "Content-Type", "application/octet-stream");
    struct view wanted = VIEW("\0\6\xff"
                              "4hello\1\5\xff\4\1\2\3\4");
    assert_true(view_equal(bytes_view(&answer.body), wanted));
    assert_string_equal(poller_post_as(&poller, "", "application/octet-stream", wanted), "200 ok");
    char query[100];
    snprintf(query, sizeof query, "&transport=polling&b64=1&sid=%s", poller.sid);
    assert_string_equal(get_text(house, V3, query), "200 6:4hello10:b4AQIDBA==");
    answer_free(&answer);
    house_close(house);
}

static void test_bytes_are_wrong_in_revision_4(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, "/engine.io/?EIO=4");
    assert_true(strncmp(poller_post_as(&poller, "", "application/octet-stream", VIEW("4a")), "400",
                        3) == 0);
    house_close(house);
}

/* These clients ping; the server pings none of them. */
static void test_heartbeat(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct wire *wire = socket_open(house, V3);
    for (int i = 0; i < 3; i++) {
        house_wait(house, INTERVAL + TIMEOUT - 10 * USEC_MS);
        socket_expect(wire, "");
        socket_say(wire, "2");
        socket_expect(wire, "3");
    }
    house_wait(house, INTERVAL + TIMEOUT + SOON);
    socket_expect_closed(wire);
    wire_drop(wire);
    wire = socket_open(house, V3);
    socket_say(wire, "3");
    socket_expect_closed(wire);
    house_close(house);
}

static void test_websocket_bytes(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct wire *wire = socket_open(house, V3);
    struct frame frame;
    socket_say_bytes(wire, VIEW("\4abc"));
    ws_hear(wire, &frame);
    assert_int_equal(frame.opcode, WEBSOCKET_BINARY);
    assert_view(view_make(frame.payload, frame.size), "\4abc");
    socket_say(wire, "b4AQID");
    ws_hear(wire, &frame);
    assert_view(view_make(frame.payload, frame.size), "\4\1\2\3");
    socket_say_bytes(wire, VIEW("abc"));
    socket_expect_closed(wire);
    house_close(house);
}

/* A client of Socket.IO 2 is in "/" at once, names errors by a text, and makes its ids itself. */
static void test_socketio(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct wire *wire = socket_open(house, IO3);
    socket_expect(wire, "40");
    socket_expect(wire, "42[\"auth\",{}]");
    socket_say(wire, "40/custom?token=1,");
    socket_expect(wire, "40/custom,");
    socket_expect(wire, "42/custom,[\"auth\",{}]");
    socket_say(wire, "40/random");
    socket_expect(wire, "44/random,\"Invalid namespace\"");
    socket_say(wire, "42/random,[\"message\"]");
    socket_say(wire, "42[\"message\",1]");
    socket_expect(wire, "42[\"message-back\",1]");

    struct poller poller = poller_open(house, IO3);
    assert_string_equal(poller_poll(&poller), "200 2:4013:42[\"auth\",{}]");
    house_close(house);
}

/* Attachments pass between the two revisions. */
static void test_both_revisions(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct wire *old = socket_open(house, IO3);
    struct wire *new = socket_open(house, "/socket.io/?EIO=4");
    struct frame frame;
    socket_expect(old, "40");
    socket_expect(old, "42[\"auth\",{}]");
    socket_say(new, "40");
    socket_hear(new);
    socket_expect(new, "42[\"auth\",{}]");
    socket_say(old, "451-[\"offer\",{\"_placeholder\":true,\"num\":0}]");
    socket_say_bytes(old, VIEW("\4abc"));
    socket_expect(new, "451-[\"offer\",{\"_placeholder\":true,\"num\":0}]");
    ws_hear(new, &frame);
    assert_view(view_make(frame.payload, frame.size), "abc");
    socket_say(new, "451-[\"offer\",{\"_placeholder\":true,\"num\":0}]");
    socket_say_bytes(new, VIEW("abc"));
    socket_expect(old, "451-[\"offer\",{\"_placeholder\":true,\"num\":0}]");
    ws_hear(old, &frame);
    assert_view(view_make(frame.payload, frame.size), "\4abc");
    house_close(house);
}

static void test_scripts(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = { .house = house, .path = V3 };
    struct answer answer = { 0 };
    char query[100];
    house_ask(house, "GET " V3 "&transport=polling&j=3 HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_header(&answer, "Content-Type", "text/javascript; charset=UTF-8");
    assert_header(&answer, "Cross-Origin-Resource-Policy", "cross-origin");
    const char *text = answer_text(&answer);
    assert_true(strncmp(text, "200 ___eio[3](\"", 15) == 0);
    const char *sid = strstr(text, ":0{\\\"sid\\\":\\\"");
    assert_non_null(sid);
    memcpy(poller.sid, sid + 13, SID_SIZE);
    assert_string_equal(poller_post_as(&poller, "&j=4", "application/x-www-form-urlencoded",
                                       VIEW("d=5%3A4a%5C%5Cnb5%3A4a%5Cn%22+")),
                        "200 ok");
    snprintf(query, sizeof query, "&transport=polling&j=4&sid=%s", poller.sid);
    assert_string_equal(get_text(house, V3, query),
                        "200 ___eio[4](\"5:4a\\\\nb5:4a\\u000a\\\" \");");
    answer_free(&answer);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake), cmocka_unit_test(test_polling),
        cmocka_unit_test(test_bytes),     cmocka_unit_test(test_bytes_are_wrong_in_revision_4),
        cmocka_unit_test(test_heartbeat), cmocka_unit_test(test_websocket_bytes),
        cmocka_unit_test(test_socketio),  cmocka_unit_test(test_both_revisions),
        cmocka_unit_test(test_scripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
