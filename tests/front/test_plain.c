/* test_plain.c - bare WebSockets at an endpoint: limits, slow readers, ends of all kinds. */
#include "house_paths.h"

static void fill(char *text, size_t size, char letter)
{
    memset(text, letter, size);
    text[size] = 0;
}

static void sessions_are_limited(void **state)
{
    (void)state;
    struct house *house = open_paths(1);
    struct wire *wires[3];
    for (unsigned i = 0; i < 3; i++)
        wires[i] = house_ws_at(house, 0, "/small");
    struct wire *more = house_ws_at(house, 0, "/small");
    expect_close(more, 1013, "the server is full");
    assert_int_equal(house_metric(house, METRIC_SESSIONS_REFUSED), 1);
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 3);
    house_ws_at(house, 0, "/guarded"); /* another endpoint has its own */
    wire_drop(wires[1]);
    more = house_ws_at(house, 0, "/small");
    ws_say(more, "hello");
    expect_text(wires[0], "hello");
    house_close(house);
}

static void messages_are_limited(void **state)
{
    char text[1002];
    (void)state;
    struct house *house = open_paths(1);
    struct wire *a = house_ws_at(house, 0, "/small");
    struct wire *b = house_ws_at(house, 0, "/small");
    fill(text, 1000, 'a');
    ws_say(a, text);
    expect_text(b, text);
    fill(text, 1001, 'a');
    ws_say(a, text);
    expect_close(a, 1009, "the message is too long");
    expect_nothing(b);
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 1);
    house_close(house);
}

/* Whoever does not read loses its place; all others hear everything, once and in order. */
static void slow_readers_are_closed(void **state)
{
    char text[901];
    (void)state;
    struct house *house = open_paths(1);
    struct wire *slow = house_ws_at(house, 0, "/small");
    struct wire *a = house_ws_at(house, 0, "/small");
    struct wire *b = house_ws_at(house, 0, "/small");
    wire_give_room(slow, 100);
    for (unsigned i = 0; i < 12; i++) {
        fill(text, 900, (char)('a' + i));
        ws_say(a, text);
        expect_text(b, text);
    }
    assert_int_equal(house_metric(house, METRIC_CLOSED_SLOW), 1);
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 2);
    wire_give_room(slow, SIZE_MAX);
    fill(text, 900, 'a'); /* what had begun, and why it ends */
    expect_text(slow, text);
    expect_close(slow, 1013, "reads too slowly");
    house_close(house);
}

static void messages_keep_their_bytes(void **state)
{
    struct frame frame;
    uint8_t bytes[256];
    (void)state;
    struct house *house = open_paths(1);
    struct wire *a = house_ws_at(house, 0, "/guarded");
    for (unsigned i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    ws_send(a, WEBSOCKET_BINARY, true, view_make(bytes, 256));
    ws_hear(a, &frame);
    assert_int_equal(frame.opcode, WEBSOCKET_BINARY);
    assert_int_equal(frame.size, 256);
    assert_memory_equal(frame.payload, bytes, 256);
    ws_send(a, WEBSOCKET_TEXT, true, VIEW(""));
    expect_text(a, "");
    ws_send(a, WEBSOCKET_BINARY, true, VIEW(""));
    ws_hear(a, &frame);
    assert_int_equal(frame.opcode, WEBSOCKET_BINARY);
    assert_int_equal(frame.size, 0);
    ws_send(a, WEBSOCKET_TEXT, false, VIEW("in "));
    ws_send(a, WEBSOCKET_CONTINUATION, true, VIEW("parts"));
    expect_text(a, "in parts");
    ws_send(a, WEBSOCKET_TEXT, true, VIEW("\xff"));
    expect_close(a, 1007, "");
    house_close(house);
}

/* What is said to many is deflated once, for those who can read it. */
static void deflated_for_some(void **state)
{
    char text[4001];
    struct frame frame;
    (void)state;
    struct house *house = open_paths(1);
    struct wire *a = house_ws_at(house, 0, "/signaling");
    struct wire *b = dial(house, 0);
    ws_ask(b, "/signaling", OFFER_DEFLATE);
    ws_expect_open(b, ACCEPT_DEFLATE);
    fill(text, 4000, 'd');
    ws_say(a, text);
    ws_hear(b, &frame);
    assert_true(frame.deflated && frame.size < 100);
    ws_say(b, text);
    expect_text(a, text);
    house_close(house);
}

static void the_ends(void **state)
{
    (void)state;
    struct house *house = open_paths(1);
    struct wire *closes = house_ws_at(house, 0, "/signaling");
    struct wire *drops = house_ws_at(house, 0, "/signaling");
    struct wire *ends = house_ws_at(house, 0, "/signaling");
    struct wire *stays = house_ws_at(house, 0, "/signaling");
    ws_send_close(closes, 1001, "away");
    expect_close(closes, 1001, "");
    wire_drop(drops);
    wire_end(ends);
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 1);
    ws_say(stays, "nobody");
    expect_nothing(stays);
    house_wait(house, 41 * USEC_S); /* it answers no ping */
    assert_true(wire_is_closed(stays));
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 0);
    assert_int_equal(house_metric(house, METRIC_SESSIONS_OPENED), 4);
    house_close(house);
}

static void a_server_that_stops_closes(void **state)
{
    (void)state;
    struct house *house = open_paths(1);
    struct wire *a = house_ws_at(house, 0, "/signaling");
    struct wire *b = house_ws_at(house, 0, "/small");
    struct wire *c = dial(house, 0);
    ws_say(a, "hello");
    server_stop(house->servers[0], house->now);
    house_drain(house);
    expect_close(a, 1001, "the server stops");
    expect_close(b, 1001, "the server stops");
    assert_true(wire_is_closed(c));
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 0);
    house_close(house);
}

static void floods_are_closed(void **state)
{
    (void)state;
    struct house *house = open_paths(1);
    struct wire *a = house_ws_at(house, 0, "/signaling");
    struct wire *b = house_ws_at(house, 0, "/signaling");
    for (unsigned i = 0; i < FLOOD_BURST; i++) {
        ws_say(a, "{}");
        expect_text(b, "{}");
    }
    ws_say(a, "{}");
    expect_close(a, 1008, "too many messages");
    expect_nothing(b);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_are_limited),       cmocka_unit_test(messages_are_limited),
        cmocka_unit_test(slow_readers_are_closed),    cmocka_unit_test(messages_keep_their_bytes),
        cmocka_unit_test(deflated_for_some),          cmocka_unit_test(the_ends),
        cmocka_unit_test(a_server_that_stops_closes), cmocka_unit_test(floods_are_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
