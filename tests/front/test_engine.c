/* test_engine.c - Engine.IO 4 over polling and over WebSockets: what its public tests expect. */
#include "house_engine.h"

#define V4   "/engine.io/?EIO=4"
#define NEXT "\x1e"

static void test_handshake(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct answer answer = { 0 };
    house_ask(house, "GET " V4 "&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    const char *text = answer_text(&answer);
    char wanted[300];
    char sid[SID_SIZE + 1];
    read_sid(text, sid);
    snprintf(wanted, sizeof wanted,
             "200 0{\"sid\":\"%s\",\"upgrades\":[\"websocket\"],\"pingInterval\":300,"
             "\"pingTimeout\":200,\"maxPayload\":60000}",
             sid);
    assert_string_equal(text, wanted);
    assert_header(&answer, "Content-Type", "text/plain; charset=UTF-8");
    assert_header(&answer, "Cache-Control", "no-store");
    answer_free(&answer);
    house_close(house);
}

/* The codes and messages that clients know. */
static void test_refusals(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct answer answer = { 0 };
    assert_string_equal(get_text(house, V4, ""),
                        "400 {\"code\":0,\"message\":\"Transport unknown\"}");
    assert_string_equal(get_text(house, V4, "&transport=abc"),
                        "400 {\"code\":0,\"message\":\"Transport unknown\"}");
    assert_string_equal(get_text(house, V4, "&transport=polling&sid=abc"),
                        "400 {\"code\":1,\"message\":\"Session ID unknown\"}");
    assert_string_equal(get_text(house, V4, "&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA"),
                        "400 {\"code\":1,\"message\":\"Session ID unknown\"}");
    assert_string_equal(get_text(house, V4, "&transport=polling&sid="),
                        "400 {\"code\":1,\"message\":\"Session ID unknown\"}");
    assert_string_equal(get_text(house, V4, "&transport=websocket"),
                        "400 {\"code\":3,\"message\":\"Bad request\"}");
    static const char *const REVISIONS[] = { "?x=1", "?EIO=abc", "?EIO=5", "?EIO=" };
    for (size_t i = 0; i < 4; i++) {
        char path[40];
        snprintf(path, sizeof path, "/engine.io/%s", REVISIONS[i]);
        assert_string_equal(get_text(house, path, "&transport=polling"),
                            "400 {\"code\":5,\"message\":\"Unsupported protocol version\"}");
    }
    assert_string_equal(get_text(house, "/strict/?EIO=3", "&transport=polling"),
                        "400 {\"code\":5,\"message\":\"Unsupported protocol version\"}");
    static const char *const METHODS[] = { "POST", "PUT", "DELETE" };
    for (size_t i = 0; i < 3; i++) {
        char request[200];
        snprintf(request, sizeof request,
                 "%s " V4 "&transport=polling HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
                 METHODS[i]);
        house_ask(house, request, &answer);
        assert_string_equal(answer_text(&answer),
                            "400 {\"code\":2,\"message\":\"Bad handshake method\"}");
        assert_header(&answer, "Content-Type", "application/json");
    }
    assert_true(strncmp(get_text(house, "/engine.io/client.js?EIO=4", "&transport=polling"), "404",
                        3) == 0);
    answer_free(&answer);
    house_close(house);
}

static void test_polling_messages(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V4);
    assert_string_equal(poller_post(&poller, "4hello"), "200 ok");
    assert_string_equal(poller_poll(&poller), "200 4hello");
    assert_string_equal(poller_post(&poller, "4test1" NEXT "4test2" NEXT "4test3"), "200 ok");
    assert_string_equal(poller_poll(&poller), "200 4test1" NEXT "4test2" NEXT "4test3");
    assert_string_equal(poller_post(&poller, "4hello" NEXT "bAQIDBA=="), "200 ok");
    assert_string_equal(poller_poll(&poller), "200 4hello" NEXT "bAQIDBA==");
    /* to a poll that is held, in one answer */
    struct wire *held = poller_hold(&poller);
    assert_quiet(held);
    assert_string_equal(poller_post(&poller, "4a" NEXT "4b"), "200 ok");
    assert_string_equal(poller_answer(held), "200 4a" NEXT "4b");
    house_close(house);
}

static void test_malformed_payload(void **state)
{
    (void)state;
    static const char *const BODIES[] = { "abc", "", "4a" NEXT, "4\xff", "ba", "2", "9" };
    struct house *house = house_of_engine();
    for (size_t i = 0; i < sizeof BODIES / sizeof BODIES[0]; i++) {
        struct poller poller = poller_open(house, V4);
        assert_string_equal(poller_post(&poller, BODIES[i]),
                            "400 {\"code\":3,\"message\":\"Bad request\"}");
        assert_string_equal(poller_poll(&poller),
                            "400 {\"code\":1,\"message\":\"Session ID unknown\"}");
    }
    house_close(house);
}

/* Whoever sends the separator would write packets for the one who polls: a close, say. */
static void test_separator_in_a_message(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, "/all/?EIO=4");
    struct wire *socket = socket_open(house, "/all/?EIO=4");
    socket_say(socket, "4a" NEXT "1");
    socket_say(socket, "4b");
    socket_expect(socket, "4a" NEXT "1");
    socket_expect(socket, "4b");
    assert_string_equal(poller_poll(&poller), "200 4b");
    assert_int_equal(house_metric(house, METRIC_ENGINE_DROPPED), 1);
    house_close(house);
}

static void test_two_polls_at_once(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V4);
    struct wire *first = poller_hold(&poller);
    struct wire *second = poller_hold(&poller);
    assert_string_equal(got_text(first), "200 1");
    assert_true(strncmp(got_text(second), "400", 3) == 0);
    assert_true(strncmp(poller_poll(&poller), "400", 3) == 0);
    house_close(house);
}

static void test_polling_heartbeat(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V4);
    for (int i = 0; i < 3; i++) {
        struct wire *held = poller_hold(&poller);
        house_wait(house, INTERVAL - 10 * USEC_MS);
        assert_quiet(held);
        house_wait(house, 10 * USEC_MS);
        assert_string_equal(poller_answer(held), "200 2");
        assert_string_equal(poller_post(&poller, "3"), "200 ok");
    }
    house_wait(house, INTERVAL + TIMEOUT - 10 * USEC_MS);
    assert_string_equal(poller_poll(&poller), "200 2");
    house_wait(house, 10 * USEC_MS);
    assert_true(strncmp(poller_poll(&poller), "400", 3) == 0);
    assert_int_equal(house_metric(house, METRIC_CLOSED_TIMEOUT), 1);
    house_close(house);
}

/* A client that does not even poll is gone when it was told that it would be. */
static void test_silent_client(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V4);
    house_wait(house, INTERVAL + TIMEOUT + 3 * USEC_MS);
    assert_true(strncmp(poller_post(&poller, "3"), "400", 3) == 0);
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 0);
    house_close(house);
}

/* One that comes as its time ends has no time left, whose clock soever is the faster. */
static void test_end_of_silence(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V4);
    house_wait(house, INTERVAL + TIMEOUT - 1 * USEC_MS);
    assert_true(strncmp(poller_poll(&poller), "400", 3) == 0);
    assert_int_equal(house_metric(house, METRIC_CLOSED_TIMEOUT), 1);
    house_close(house);
}

static void test_client_closes(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V4);
    struct wire *held = poller_hold(&poller);
    assert_string_equal(poller_post(&poller, "1"), "200 ok");
    assert_string_equal(got_text(held), "200 6");
    assert_true(strncmp(poller_poll(&poller), "400", 3) == 0);
    house_close(house);
}

/* A poll that breaks off is a client that is gone. */
static void test_poll_breaks_off(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V4);
    wire_drop(poller_hold(&poller));
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 0);
    assert_true(strncmp(poller_poll(&poller), "400", 3) == 0);
    house_close(house);
}

static void test_websocket(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct wire *wire = socket_open(house, V4);
    socket_say(wire, "4hello");
    socket_expect(wire, "4hello");
    socket_say_bytes(wire, VIEW("\1\2\3\4"));
    struct frame frame;
    ws_hear(wire, &frame);
    assert_int_equal(frame.opcode, WEBSOCKET_BINARY);
    assert_view(view_make(frame.payload, frame.size), "\1\2\3\4");
    socket_say(wire, "bAQIDBA==");
    ws_hear(wire, &frame);
    assert_int_equal(frame.opcode, WEBSOCKET_BINARY);
    for (int i = 0; i < 3; i++) {
        house_wait(house, INTERVAL + SOON);
        socket_expect(wire, "2");
        socket_say(wire, "3");
    }
    socket_expect(wire, "");
    house_wait(house, INTERVAL + TIMEOUT + SOON);
    socket_expect(wire, "2");
    socket_expect_closed(wire);
    house_close(house);
}

static void test_websocket_ends(void **state)
{
    (void)state;
    static const char *const LAST[] = { "1", "abc", "", "2" };
    struct house *house = house_of_engine();
    for (size_t i = 0; i < 4; i++) {
        struct wire *wire = socket_open(house, V4);
        socket_say(wire, LAST[i]);
        socket_expect_closed(wire);
        wire_drop(wire);
    }
    struct wire *wire = socket_open(house, V4);
    wire_drop(wire);
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 0);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_polling_messages),
        cmocka_unit_test(test_malformed_payload),
        cmocka_unit_test(test_separator_in_a_message),
        cmocka_unit_test(test_two_polls_at_once),
        cmocka_unit_test(test_polling_heartbeat),
        cmocka_unit_test(test_silent_client),
        cmocka_unit_test(test_end_of_silence),
        cmocka_unit_test(test_client_closes),
        cmocka_unit_test(test_poll_breaks_off),
        cmocka_unit_test(test_websocket),
        cmocka_unit_test(test_websocket_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
