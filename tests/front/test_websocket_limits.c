/* WebSocket on a stream: heartbeats, floods, slow readers, compression, the server's end. */
#include "house_meet.h"

#define PING "{'type':'ping'}"
#define PONG "{'type':'pong'}"

static void pong(struct wire *wire, uint64_t seq)
{
    uint8_t payload[8];
    for (int i = 0; i < 8; i++)
        payload[i] = (uint8_t)(seq >> (56 - 8 * i));
    ws_send(wire, WEBSOCKET_PONG, true, view_make(payload, sizeof payload));
}

static void test_heartbeat(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct guest mina = house_guest(house, "standup", "Mina");
    (void)state;
    for (int i = 0; i < 5; i++) {
        house_wait(house, HEARTBEAT_TIME - 10 * USEC_MS);
        expect_nothing(mina.wire);
        house_wait(house, 12 * USEC_MS);
        assert_int_equal(expect_ping(mina.wire), 1);
        pong(mina.wire, 1);
        expect_nothing(mina.wire);
    }
    house_close(house);
}

static void test_silence(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct guest mina = house_guest(house, "standup", "Mina");
    struct guest jun = house_guest(house, "standup", "Jun");
    (void)state;
    /* anything that comes is a sign of life */
    for (int i = 0; i < 8; i++) {
        house_wait(house, 10 * USEC_S);
        ws_say(mina.wire, PING);
        ws_send(jun.wire, WEBSOCKET_PONG, true, VIEW("x"));
    }
    hear_all(mina.wire);
    assert_false(wire_is_closed(jun.wire));
    house_wait(house, 10 * USEC_S);
    ws_say(mina.wire, PING);
    house_wait(house, 29 * USEC_S);
    assert_false(wire_is_closed(jun.wire));
    house_wait(house, 2 * USEC_S);
    assert_true(wire_is_closed(jun.wire));
    assert_int_equal(house_metric(house, METRIC_CLOSED_TIMEOUT), 1);
    hear_all(jun.wire);
    assert_int_equal(house_metric(house, METRIC_MEMBERS_AWAY), 1);
    assert_false(wire_is_closed(mina.wire));
    house_close(house);
}

static void test_flood(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct wire *wire = house_guest(house, "standup", "Mina").wire;
    (void)state;
    house_wait(house, USEC_S);
    for (int i = 0; i < FLOOD_BURST; i++)
        ws_say(wire, PING);
    for (int i = 0; i < FLOOD_BURST; i++)
        expect_text(wire, PONG);
    expect_nothing(wire);

    /* all is used up, but 200 a second come anew, however they are spaced */
    for (int i = 0; i < 1000; i++) {
        house_wait(house, (i % 2 ? 3 : 7) * USEC_MS);
        ws_say(wire, PING);
        expect_text(wire, PONG);
    }
    /* after a pause it is a burst again, and no more than one */
    house_wait(house, 6 * USEC_S);
    for (int i = 0; i < FLOOD_BURST; i++)
        ws_say(wire, PING);
    for (int i = 0; i < FLOOD_BURST; i++)
        expect_text(wire, PONG);
    expect_nothing(wire);
    ws_say(wire, PING);
    expect_text(wire, "{'type':'error','code':'too-fast','message':'over 200 messages a second'}");
    expect_close(wire, 1008, "too many messages");
    assert_int_equal(house_metric(house, METRIC_CLOSED_FLOOD), 1);
    house_close(house);
}

/* A flood of one is no harm to the others: they hear that it is away. */
static void test_flood_in_a_room(void **state)
{
    struct house *house = house_build(&(struct wishes){ .streams_max = 256 });
    struct guest mina = house_guest(house, "standup", "Mina");
    struct guest jun = house_guest(house, "standup", "Jun");
    struct bytes flood = { NULL, 0, 0 };
    struct frame frame;
    (void)state;
    hear_all(mina.wire);
    for (int i = 0; i < FLOOD_BURST; i++)
        ws_write(&flood, WEBSOCKET_PING, true, false, VIEW(""));
    wire_send(jun.wire, bytes_view(&flood)); /* control frames count, too; so did the join */
    for (int i = 0; i < FLOOD_BURST - 1; i++) {
        ws_hear(jun.wire, &frame);
        assert_int_equal(frame.opcode, WEBSOCKET_PONG);
    }
    expect_error(jun.wire, "too-fast", "");
    expect_close(jun.wire, 1008, "too many messages");
    expect_text(mina.wire, "{'type':'member-away','seq':3,'member':'m2'}");
    expect_nothing(mina.wire);
    free(flood.at);
    house_close(house);
}

static void say_chat(struct wire *wire, size_t size)
{
    char text[9000];
    char *filler = malloc(size + 1);
    assert_non_null(filler);
    memset(filler, 'x', size);
    filler[size] = 0;
    snprintf(text, sizeof text, "{'type':'chat','text':'%s'}", filler);
    free(filler);
    ws_say(wire, text);
}

/* The next frame that is no ping is a chat of that size. */
static void expect_chat(struct wire *wire, size_t size)
{
    struct frame frame;
    hear_past_pings(wire, &frame);
    assert_true(view_starts(view_of(frame.payload), VIEW("{\"type\":\"chat\",")));
    assert_true(frame.size > size && frame.size < size + 100);
}

/* Jun reads nothing while Mina talks; Sora hears it all. */
static void listen_slowly(size_t size)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct guest mina = house_guest(house, "standup", "Mina");
    struct guest jun = house_guest(house, "standup", "Jun");
    struct guest sora = house_guest(house, "standup", "Sora");
    hear_all(mina.wire);
    hear_all(jun.wire);
    wire_give_room(jun.wire, 100); /* a part of the first */
    for (int i = 0; i < 1000 && house_metric(house, METRIC_CLOSED_SLOW) == 0; i++) {
        house_wait(house, 5 * USEC_MS);
        say_chat(mina.wire, size);
        expect_chat(mina.wire, size);
        expect_chat(sora.wire, size);
    }
    /* Jun, and nobody else */
    assert_int_equal(house_metric(house, METRIC_CLOSED_SLOW), 1);
    assert_int_equal(house_metric(house, METRIC_MEMBERS_AWAY), 1);
    struct frame frame;
    hear_past_pings(mina.wire, &frame);
    assert_true(view_starts(view_of(frame.payload), VIEW("{\"type\":\"member-away\",")));
    hear_past_pings(sora.wire, &frame);
    assert_true(view_starts(view_of(frame.payload), VIEW("{\"type\":\"member-away\",")));
    expect_nothing(mina.wire);
    expect_nothing(sora.wire);
    /* what had begun comes whole, then why */
    wire_give_room(jun.wire, SIZE_MAX);
    expect_chat(jun.wire, size);
    expect_close(jun.wire, 1013, "reads too slowly");
    house_close(house);
}

static void test_slow_reader_of_much(void **state)
{
    (void)state;
    listen_slowly(8000);
}

/* The queue's places are shared by all streams, and small messages use them up before their bytes
 * count: one slow reader may not take the last. */
static void test_slow_reader_of_many(void **state)
{
    (void)state;
    listen_slowly(100);
}

static void test_slow_reader_that_never_reads(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct guest mina = house_guest(house, "standup", "Mina");
    struct guest jun = house_guest(house, "standup", "Jun");
    (void)state;
    wire_give_room(jun.wire, 0);
    for (int i = 0; i < 300; i++) {
        house_wait(house, 5 * USEC_MS);
        say_chat(mina.wire, 8000);
    }
    assert_int_equal(house_metric(house, METRIC_CLOSED_SLOW), 1);
    hear_all(mina.wire);
    house_wait(house, CLOSING_TIME + USEC_S);
    assert_true(wire_is_closed(jun.wire));
    house_close(house);
}

static void test_deflate(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct wire *wire = house_connect(house);
    struct deflater *deflater;
    struct frame frame;
    uint8_t text[WS_MESSAGE_MAX];
    size_t size;
    (void)state;
    assert_int_equal(deflate_new(&deflater), OK);
    ws_open(wire, OFFER_DEFLATE);
    struct guest mina = guest_join(wire, "standup", "Mina");
    struct guest jun = house_guest(house, "standup", "Jun");
    hear_all(mina.wire);

    /* short ones as they are */
    say_chat(jun.wire, 900);
    ws_hear(mina.wire, &frame);
    assert_false(frame.deflated);
    /* long ones deflated, to those who can take it */
    hear_all(jun.wire);
    say_chat(jun.wire, 2000);
    ws_hear(jun.wire, &frame);
    assert_false(frame.deflated);
    char plain[4096];
    memcpy(plain, frame.payload, frame.size);
    size_t plain_size = frame.size;
    ws_hear(mina.wire, &frame);
    assert_true(frame.deflated && frame.opcode == WEBSOCKET_TEXT && frame.size < 200);
    struct view message = view_make(frame.payload, frame.size);
    assert_int_equal(deflate_read(deflater, message, text, sizeof text, &size), OK);
    assert_true(view_equal(view_make(text, size), view_make(plain, plain_size)));

    /* and from the client, whole and in parts; RSV1 stands on the first alone */
    struct bytes out = { NULL, 0, 0 };
    assert_int_equal(deflate_write(deflater, VIEW("{\"type\":\"ping\",\"x\":\"aaaaaaaaaaaaaaaa\"}"),
                                   text, sizeof text, &size),
                     OK);
    ws_write(&out, WEBSOCKET_TEXT, true, true, view_make(text, size));
    ws_write(&out, WEBSOCKET_TEXT, false, true, view_make(text, 5));
    ws_write(&out, WEBSOCKET_CONTINUATION, true, false, view_make(text + 5, size - 5));
    wire_send(mina.wire, bytes_view(&out));
    expect_text(mina.wire, PONG);
    expect_text(mina.wire, PONG);
    expect_nothing(mina.wire);

    /* a bomb is no more than a message that is too large */
    uint8_t *zeros = calloc(1, 1024 * 1024);
    assert_non_null(zeros);
    assert_int_equal(
        deflate_write(deflater, view_make(zeros, 1024 * 1024), text, sizeof text, &size), OK);
    free(zeros);
    out.size = 0;
    ws_write(&out, WEBSOCKET_TEXT, true, true, view_make(text, size));
    wire_send(mina.wire, bytes_view(&out));
    expect_close(mina.wire, 1009, "");
    out.size = 0;
    wire = house_connect(house);
    ws_open(wire, OFFER_DEFLATE);
    ws_write(&out, WEBSOCKET_TEXT, true, true, VIEW("\xff\xff\xff"));
    wire_send(wire, bytes_view(&out));
    expect_close(wire, 1007, "");
    free(out.at);
    deflate_free(deflater);
    house_close(house);
}

/* A window that is smaller than ours is not agreed to: one deflated form serves all. */
static void test_deflate_not_agreed(void **state)
{
    static const char *const OFFERS[] = {
        "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n",
        "Sec-WebSocket-Extensions: permessage-deflate; unknown\r\n",
        "Sec-WebSocket-Extensions: x-webkit-deflate-frame\r\n",
    };
    struct house *house = house_build(&(struct wishes){ 0 });
    (void)state;
    for (size_t i = 0; i < sizeof OFFERS / sizeof OFFERS[0]; i++) {
        struct wire *wire = house_connect(house);
        ws_open(wire, OFFERS[i]);
        wire_drop(wire);
    }
    house_close(house);
}

static void test_stop(void **state)
{
    struct house *house = house_build(&(struct wishes){ .workers = 2 });
    struct guest mina = house_guest(house, "standup", "Mina");
    struct guest jun = house_guest(house, "standup", "Jun");
    struct wire *out = house_ws(house);
    (void)state;
    hear_all(mina.wire);
    for (unsigned i = 0; i < house->workers; i++)
        server_stop(house->servers[i], house->now);
    house_drain(house);
    /* and not a word of the others' leaving */
    expect_close(mina.wire, 1001, "the server stops");
    expect_close(jun.wire, 1001, "the server stops");
    expect_close(out, 1001, "the server stops");
    for (unsigned i = 0; i < house->workers; i++)
        assert_int_equal(server_streams(house->servers[i]), 0);
    assert_int_equal(house_metric(house, METRIC_ROOMS), 0);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heartbeat),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_flood_in_a_room),
        cmocka_unit_test(test_slow_reader_of_much),
        cmocka_unit_test(test_slow_reader_of_many),
        cmocka_unit_test(test_slow_reader_that_never_reads),
        cmocka_unit_test(test_deflate),
        cmocka_unit_test(test_deflate_not_agreed),
        cmocka_unit_test(test_stop),
    };
    return cmocka_run_group_tests_name("websocket_limits", tests, NULL, NULL);
}
