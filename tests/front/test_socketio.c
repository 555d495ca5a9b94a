/* test_socketio.c - Socket.IO over Engine.IO 4: what its public tests expect, and what they leave
 * out. */
#include "house_engine.h"

#define V4 "/socket.io/?EIO=4"

/* The answer to CONNECT is `begin`, an id and the end. */
static void expect_connected(struct wire *wire, const char *begin, char sid[SID_SIZE + 1])
{
    char own[SID_SIZE + 1];
    char wanted[200];
    const char *heard = socket_hear(wire);
    read_sid(heard, own);
    snprintf(wanted, sizeof wanted, "%s{\"sid\":\"%s\"}", begin, own);
    assert_string_equal(heard, wanted);
    if (sid)
        memcpy(sid, own, sizeof own);
}

static struct wire *connected(struct house *house)
{
    struct wire *wire = socket_open(house, V4);
    socket_say(wire, "40");
    expect_connected(wire, "40", NULL);
    socket_expect(wire, "42[\"auth\",{}]");
    return wire;
}

static void test_connect(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct wire *wire = connected(house);
    socket_say(wire, "40/custom,{\"token\":\"abc\"}");
    expect_connected(wire, "40/custom,", NULL);
    socket_expect(wire, "42/custom,[\"auth\",{\"token\":\"abc\"}]");
    socket_expect(wire, "");

    wire = socket_open(house, V4);
    socket_say(wire, "40{\"token\":\"123\"}");
    expect_connected(wire, "40", NULL);
    socket_expect(wire, "42[\"auth\",{\"token\":\"123\"}]");

    wire = socket_open(house, V4);
    socket_say(wire, "40/random");
    socket_expect(wire, "44/random,{\"message\":\"Invalid namespace\"}");
    socket_expect(wire, "");
    house_close(house);
}

static void test_what_closes(void **state)
{
    (void)state;
    static const char *const SAID[] = { "4abc",         "42[\"message\"]", "40[]",
                                        "40/custom,[]", "41/custom,{}",    "4",
                                        "49",           "41/random" };
    struct house *house = house_of_engine();
    for (size_t i = 0; i < sizeof SAID / sizeof SAID[0]; i++) {
        struct wire *wire = socket_open(house, V4);
        socket_say(wire, SAID[i]);
        socket_expect_closed(wire);
        wire_drop(wire);
    }
    static const char *const LATER[] = { "42[\"connect\"]",
                                         "42/custom,[\"message\"]",
                                         "40",
                                         "42[]",
                                         "44{\"message\":\"a\"}",
                                         "451-[\"a\",{\"_placeholder\":true,\"num\":1}]" };
    for (size_t i = 0; i < sizeof LATER / sizeof LATER[0]; i++) {
        struct wire *wire = connected(house);
        socket_say(wire, LATER[i]);
        socket_expect_closed(wire);
        wire_drop(wire);
    }
    struct wire *wire = connected(house);
    socket_say_bytes(wire, VIEW("abc"));
    socket_expect_closed(wire);
    wire_drop(wire);
    wire = connected(house);
    socket_say(wire, "451-[\"message\",{\"_placeholder\":true,\"num\":0}]");
    socket_say(wire, "42[\"message\"]");
    socket_expect_closed(wire);
    house_close(house);
}

static void test_connect_timeout(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct wire *wire = socket_open(house, V4);
    for (int i = 0; i < 3; i++) {
        house_wait(house, INTERVAL + SOON);
        socket_expect(wire, "2");
        socket_say(wire, "3");
    }
    house_wait(house, 200 * USEC_MS);
    socket_expect_closed(wire);
    house_close(house);
}

static void test_disconnect(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct wire *wire = connected(house);
    socket_say(wire, "40/custom,");
    expect_connected(wire, "40/custom,", NULL);
    socket_expect(wire, "42/custom,[\"auth\",{}]");
    socket_say(wire, "41/custom,");
    socket_say(wire, "42[\"message\",\"message to main namespace\"]");
    socket_expect(wire, "42[\"message-back\",\"message to main namespace\"]");
    /* and in again */
    socket_say(wire, "40/custom,");
    expect_connected(wire, "40/custom,", NULL);
    socket_expect(wire, "42/custom,[\"auth\",{}]");
    house_close(house);
}

static void test_events(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct wire *wire = connected(house);
    socket_say(wire, "42[\"message\",1,\"2\",{\"3\":[true]}]");
    socket_expect(wire, "42[\"message-back\",1,\"2\",{\"3\":[true]}]");
    socket_say(wire, "42[\"message\"]");
    socket_expect(wire, "42[\"message-back\"]");
    socket_say(wire, "42456[\"message-with-ack\",1,\"2\",{\"3\":[false]}]");
    socket_expect(wire, "43456[1,\"2\",{\"3\":[false]}]");
    socket_say(wire, "42[\"unknown\",1]");
    socket_say(wire, "42[7,1]");
    socket_say(wire, "43456[]");
    socket_expect(wire, "");
    socket_say(wire, "42[\"bye\"]");
    socket_expect_closed(wire);
    house_close(house);
}

static void expect_bytes(struct wire *wire, const char *bytes)
{
    struct frame frame;
    ws_hear(wire, &frame);
    assert_int_equal(frame.opcode, WEBSOCKET_BINARY);
    assert_view(view_make(frame.payload, frame.size), bytes);
}

static void test_attachments(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct wire *wire = connected(house);
    socket_say(wire, "452-[\"message\",{\"_placeholder\":true,\"num\":0},"
                     "{\"_placeholder\":true,\"num\":1}]");
    socket_say_bytes(wire, VIEW("\1\2\3"));
    socket_expect(wire, "");
    socket_say_bytes(wire, VIEW("\4\5\6"));
    socket_expect(wire, "452-[\"message-back\",{\"_placeholder\":true,\"num\":0},"
                        "{\"_placeholder\":true,\"num\":1}]");
    expect_bytes(wire, "\1\2\3");
    expect_bytes(wire, "\4\5\6");
    socket_say(wire, "451-789[\"message-with-ack\",{\"_placeholder\":true,\"num\":0}]");
    socket_say_bytes(wire, VIEW("\7"));
    socket_expect(wire, "461-789[{\"_placeholder\":true,\"num\":0}]");
    expect_bytes(wire, "\7");
    /* half a packet is given back with its session */
    socket_say(wire, "452-[\"message\",{\"_placeholder\":true,\"num\":0}]");
    socket_say_bytes(wire, VIEW("abc"));
    wire_drop(wire);
    house_close(house);
}

/* What one says the others hear, byte for byte; and whoever is in another namespace does not. */
static void test_others(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct wire *one = connected(house);
    struct wire *two = connected(house);
    struct wire *custom = socket_open(house, V4);
    socket_say(custom, "40/custom,");
    expect_connected(custom, "40/custom,", NULL);
    socket_expect(custom, "42/custom,[\"auth\",{}]");
    socket_say(one, "42[\"offer\", {\"sdp\" : \"v=0\\r\\n\"} ]");
    socket_expect(two, "42[\"offer\", {\"sdp\" : \"v=0\\r\\n\"} ]");
    /* an id is the sender's own matter */
    socket_say(one, "427[\"offer\",1]");
    socket_expect(two, "42[\"offer\",1]");
    socket_expect(one, "");
    socket_expect(custom, "");
    house_close(house);
}

/* Polling clients get the same, with attachments as base64. */
static void test_over_polling(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V4);
    assert_string_equal(poller_post(&poller, "40"), "200 ok");
    const char *text = poller_poll(&poller);
    assert_true(strncmp(text, "200 40{\"sid\":\"", 14) == 0);
    assert_non_null(strstr(text, "\"}\x1e"
                                 "42[\"auth\",{}]"));
    struct wire *held = poller_hold(&poller);
    assert_string_equal(poller_post(&poller, "451-[\"message\",{\"_placeholder\":true,\"num\":0}]"
                                             "\x1e"
                                             "bAQID"),
                        "200 ok");
    assert_string_equal(poller_answer(held),
                        "200 451-[\"message-back\",{\"_placeholder\":true,\"num\":0}]\x1e"
                        "bAQID");
    /* closed by the server: the poll is told so */
    held = poller_hold(&poller);
    assert_string_equal(poller_post(&poller, "42[\"bye\"]"), "200 ok");
    assert_string_equal(poller_answer(held), "200 1");
    assert_true(strncmp(poller_poll(&poller), "400", 3) == 0);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connect),         cmocka_unit_test(test_what_closes),
        cmocka_unit_test(test_connect_timeout), cmocka_unit_test(test_disconnect),
        cmocka_unit_test(test_events),          cmocka_unit_test(test_attachments),
        cmocka_unit_test(test_others),          cmocka_unit_test(test_over_polling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
