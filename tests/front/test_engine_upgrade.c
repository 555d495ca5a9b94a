/* test_engine_upgrade.c - a polling session goes over to a WebSocket, and loses nothing. */
#include "house_engine.h"

#define V4   "/engine.io/?EIO=4"
#define V3   "/engine.io/?EIO=3"
#define NEXT "\x1e"

static struct wire *probe(const struct poller *poller)
{
    char query[100];
    snprintf(query, sizeof query, "&transport=websocket&sid=%s", poller->sid);
    return socket_upgrade(poller->house, poller->path, query);
}

/* Another WebSocket for the session is closed at once. */
static void expect_turned_away(const struct poller *poller)
{
    struct wire *wire = probe(poller);
    socket_expect_closed(wire);
    wire_drop(wire);
}

static void test_upgrade(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V4);
    struct wire *wire = probe(&poller);
    socket_say(wire, "2probe");
    socket_expect(wire, "3probe");
    /* a poll that begins now is ended in a moment */
    struct wire *held = poller_hold(&poller);
    assert_quiet(held);
    house_wait(house, ENGINE_NOOP_TIME);
    assert_string_equal(poller_answer(held), "200 6");
    socket_say(wire, "5");
    socket_say(wire, "4hello");
    socket_expect(wire, "4hello");
    assert_int_equal(house_metric(house, METRIC_ENGINE_UPGRADES), 1);
    /* polls and other WebSockets are for it no more */
    assert_string_equal(poller_poll(&poller), "400 {\"code\":3,\"message\":\"Bad request\"}");
    assert_string_equal(poller_post(&poller, "4a"), "400 {\"code\":3,\"message\":\"Bad request\"}");
    expect_turned_away(&poller);
    socket_say(wire, "4still");
    socket_expect(wire, "4still");
    house_wait(house, INTERVAL);
    socket_expect(wire, "2");
    wire_drop(wire);
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 0);
    house_close(house);
}

/* A poll that is held when the probe comes is ended at once. */
static void test_held_poll(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V4);
    struct wire *held = poller_hold(&poller);
    struct wire *wire = probe(&poller);
    assert_quiet(held);
    socket_say(wire, "2probe");
    assert_string_equal(got_text(held), "200 6");
    socket_expect(wire, "3probe");
    house_close(house);
}

/* What is said in the meantime goes into polls while there are any, and over the WebSocket then. */
static void test_nothing_is_lost(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V4);
    struct wire *wire = probe(&poller);
    assert_string_equal(poller_post(&poller, "41" NEXT "42"), "200 ok");
    socket_say(wire, "2probe");
    socket_expect(wire, "3probe");
    assert_string_equal(poller_post(&poller, "43"), "200 ok");
    assert_string_equal(poller_poll(&poller), "200 41" NEXT "42" NEXT "43");
    assert_string_equal(poller_post(&poller, "44" NEXT "bAQID"), "200 ok");
    socket_expect(wire, "");
    /* a poll that the client gives up takes nothing along */
    struct wire *held = poller_hold(&poller);
    assert_string_equal(got_text(held), "200 44" NEXT "bAQID");
    held = poller_hold(&poller);
    assert_string_equal(poller_post(&poller, "45" NEXT "bAQID"), "200 ok");
    socket_say(wire, "5");
    assert_string_equal(got_text(held), "200 6");
    socket_expect(wire, "45");
    struct frame frame;
    ws_hear(wire, &frame);
    assert_int_equal(frame.opcode, WEBSOCKET_BINARY);
    socket_say(wire, "46");
    socket_expect(wire, "46");
    house_close(house);
}

/* A probe that comes to nothing leaves the session as it was. */
static void test_probe_fails(void **state)
{
    (void)state;
    static const char *const SAID[] = { "4hello", "abc", "5", "2", "1", "6" };
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V4);
    for (size_t i = 0; i < sizeof SAID / sizeof SAID[0]; i++) {
        struct wire *wire = probe(&poller);
        socket_say(wire, SAID[i]);
        socket_expect_closed(wire);
        wire_drop(wire);
    }
    struct wire *wire = probe(&poller);
    expect_turned_away(&poller);
    wire_drop(wire);
    wire = probe(&poller);
    socket_say(wire, "2probe");
    socket_expect(wire, "3probe");
    wire_drop(wire);
    struct wire *held = poller_hold(&poller);
    house_wait(house, 2 * ENGINE_NOOP_TIME);
    assert_quiet(held);
    assert_string_equal(poller_post(&poller, "4a"), "200 ok");
    assert_string_equal(poller_answer(held), "200 4a");
    house_close(house);
}

static void test_probe_takes_too_long(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V3);
    struct wire *wire = probe(&poller);
    for (usec waited = 0; waited < ENGINE_PROBE_TIME; waited += INTERVAL) {
        socket_expect(wire, "");
        house_wait(house, INTERVAL);
        assert_string_equal(poller_post(&poller, "1:2"), "200 ok");
    }
    socket_expect_closed(wire);
    house_close(house);
}

/* The session ends while the probe is under way. */
static void test_end_while_probing(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V4);
    struct wire *wire = probe(&poller);
    socket_say(wire, "2probe");
    socket_expect(wire, "3probe");
    assert_string_equal(poller_post(&poller, "1"), "200 ok");
    socket_expect_closed(wire);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_upgrade),
        cmocka_unit_test(test_held_poll),
        cmocka_unit_test(test_nothing_is_lost),
        cmocka_unit_test(test_probe_fails),
        cmocka_unit_test(test_probe_takes_too_long),
        cmocka_unit_test(test_end_while_probing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
