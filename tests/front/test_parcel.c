/* A WebSocket moves to the worker that owns its room, with all that is on its way. */
#include "house_meet.h"

#include "front/parcel.h"

#define NAME_SIZE 16

/* A house of two, and a room of each. */
struct pair {
    struct house *house;
    char here[NAME_SIZE];  /* owned by worker 0, to which house_connect connects */
    char there[NAME_SIZE]; /* by worker 1 */
};

static struct pair build(struct wishes wishes)
{
    struct pair pair = { .house = NULL };
    const uint64_t secret[2] = { 1, 2 }; /* the house's */
    wishes.workers = 2;
    pair.house = house_build(&wishes);
    for (unsigned i = 0; i < 100 && !(pair.here[0] && pair.there[0]); i++) {
        char name[NAME_SIZE];
        int size = snprintf(name, sizeof name, "room %u", i);
        bool is_there = siphash(view_make(name, (size_t)size), secret) % 2;
        memcpy(is_there ? pair.there : pair.here, name, sizeof name);
    }
    return pair;
}

/* A masked text frame, ' for ", behind those in `out`. */
static void write_text(struct bytes *out, const char *text)
{
    char *copy = quoted(text);
    ws_write(out, WEBSOCKET_TEXT, true, false, view_of(copy));
    free(copy);
}

static void write_join(struct bytes *out, const char *room, const char *name)
{
    char text[200];
    snprintf(text, sizeof text, "{'type':'join','version':1,'room':'%s','name':'%s'}", room, name);
    write_text(out, text);
}

static void test_moves(void **state)
{
    static const struct ice_config ICE = {
        .port = 3478, .https_port = 8443, .relays = true, .lifetime_s = 3600
    };
    struct pair pair = build((struct wishes){ .ice = &ICE });
    pair.house->secure = true;
    struct guest mina = house_guest(pair.house, pair.there, "Mina");
    struct guest jun = house_guest(pair.house, pair.here, "Jun");
    (void)state;
    assert_int_equal(mina.wire->worker, 1);
    assert_int_equal(jun.wire->worker, 0);
    assert_int_equal(house_metric(pair.house, METRIC_CONNECTIONS_MOVED), 1);
    assert_int_equal(server_streams(pair.house->servers[0]), 1);
    assert_int_equal(server_streams(pair.house->servers[1]), 1);
    assert_int_equal(house_metric(pair.house, METRIC_WEBSOCKETS), 2);
    /* the host by which it came is still known, and that it came by TLS */
    assert_view(between(mina.welcome, "'iceServers':", "}"),
                "[{\"urls\":[\"stun:moim.example:3478\"]");
    assert_view(between(mina.welcome, "transport=tcp',", "]"),
                "\"turn:moim.example:8080?transport=tcp\"");

    /* it lives on there: heartbeats, messages, the end */
    house_wait(pair.house, 16 * USEC_S);
    assert_int_equal(expect_ping(mina.wire), 1);
    ws_say(mina.wire, "{'type':'chat','text':'x'}");
    expect_text(mina.wire, "{'type':'chat','seq':2,'from':'m1','text':'x'}");
    ws_say(mina.wire, "{'type':'leave'}");
    expect_close(mina.wire, 1000, "left");
    house_close(pair.house);
}

/* Refused there, it may try again: here, too. */
static void test_moves_back(void **state)
{
    struct pair pair = build((struct wishes){ 0 });
    struct guest mina = house_guest(pair.house, pair.there, "Mina");
    struct wire *wire = house_ws(pair.house);
    (void)state;
    for (int i = 0; i < 3; i++) {
        say_join(wire, pair.there, "Mina");
        expect_error(wire, "name-taken", ",'re':'join'");
        assert_int_equal(wire->worker, 1);
        say_resume(wire, pair.here, mina.session, 1);
        expect_error(wire, "session-lost", ",'re':'resume'");
        assert_int_equal(wire->worker, 0);
    }
    assert_int_equal(house_metric(pair.house, METRIC_CONNECTIONS_MOVED), 1 + 6);
    guest_join(wire, pair.there, "Jun");
    house_close(pair.house);
}

static void test_resume(void **state)
{
    struct pair pair = build((struct wishes){ 0 });
    struct guest mina = house_guest(pair.house, pair.there, "Mina");
    struct guest jun = house_guest(pair.house, pair.there, "Jun");
    struct wire *old = jun.wire;
    (void)state;
    ws_say(mina.wire, "{'type':'chat','text':'x'}");
    hear_all(old);
    jun.wire = house_ws(pair.house);
    assert_int_equal(jun.wire->worker, 0);
    say_resume(jun.wire, pair.there, jun.session, 2);
    assert_int_equal(jun.wire->worker, 1);
    expect_text(jun.wire, "{'type':'resumed','seq':2,'received':0,'iceServers':[]}");
    expect_text(jun.wire, "{'type':'chat','seq':3,'from':'m1','text':'x'}");
    expect_nothing(jun.wire);
    expect_close(old, 4000, "taken up elsewhere");
    house_close(pair.house);
}

/* What the client has sent behind its `join` is handled there, wherever it was cut. */
static void test_unread(void **state)
{
    struct bytes bytes = { NULL, 0, 0 };
    size_t cut = 0;
    (void)state;
    do {
        struct pair pair = build((struct wishes){ 0 });
        struct guest mina = { .wire = house_ws(pair.house) };
        bytes.size = 0;
        write_join(&bytes, pair.there, "Mina");
        write_text(&bytes, "{'type':'chat','id':1,'text':'one'}");
        write_text(&bytes, "{'type':'chat','id':2,'text':'two'}");
        write_text(&bytes, "{'type':'ping'}");
        pair.house->moves_wait = true;
        wire_send(mina.wire, view_make(bytes.at, cut));
        if (mina.wire->state == WIRE_MOVING) {
            assert_true(wire_deliver(mina.wire));
            house_drain(pair.house);
        }
        wire_send(mina.wire, view_make(bytes.at + cut, bytes.size - cut));
        if (mina.wire->state == WIRE_MOVING) {
            assert_true(wire_deliver(mina.wire));
            house_drain(pair.house);
        }
        hear_welcome(&mina);
        expect_text(mina.wire, "{'type':'chat','seq':2,'from':'m1','text':'one'}");
        expect_text(mina.wire, "{'type':'chat','seq':3,'from':'m1','text':'two'}");
        expect_text(mina.wire, "{'type':'pong'}");
        expect_nothing(mina.wire);
        house_close(pair.house);
    } while (++cut <= bytes.size);
    free(bytes.at);
}

/* What the server has said before is not lost, however little of it the socket has taken. */
static void test_unsent(void **state)
{
    (void)state;
    for (size_t taken = 0; taken < 300; taken += 7) {
        struct pair pair = build((struct wishes){ 0 });
        struct guest mina = { .wire = house_connect(pair.house) };
        struct frame frame;
        mina.wire->room = taken;
        wire_write(mina.wire, UPGRADE "\r\n");
        say_join(mina.wire, pair.here, ""); /* an error, which waits */
        say_join(mina.wire, pair.there, "Mina");
        assert_int_equal(mina.wire->worker, 1);
        wire_give_room(mina.wire, SIZE_MAX);
        assert_true(view_starts(bytes_view(&mina.wire->got), VIEW(UPGRADED "\r\n")));
        bytes_used(&mina.wire->got, sizeof UPGRADED "\r\n" - 1);
        ws_hear(mina.wire, &frame);
        assert_view(between(frame.payload, "'code':'", "\""), "bad-name");
        hear_welcome(&mina);
        expect_nothing(mina.wire);
        house_close(pair.house);
    }
}

/* What was agreed about compression still holds. */
static void test_deflate(void **state)
{
    char text[5000];
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct pair pair = build((struct wishes){ 0 });
        struct guest mina = { .wire = house_connect(pair.house) };
        struct frame frame;
        ws_open(mina.wire, i ? OFFER_DEFLATE : "");
        mina = guest_join(mina.wire, pair.there, "Mina");
        memset(text, 'x', sizeof text);
        int size = snprintf(text, sizeof text, "{'type':'chat','text':'");
        text[size] = 'x';
        memcpy(text + sizeof text - 3, "'}", 3);
        ws_say(mina.wire, text);
        ws_hear(mina.wire, &frame);
        assert_int_equal(frame.deflated, i);
        house_close(pair.house);
    }
}

/* ---- what may go wrong on the way ---- */

/* A wire on its way to the other worker, which has not got it yet. */
static struct wire *send_off(struct pair *pair, const char *name)
{
    struct wire *wire = house_ws(pair->house);
    pair->house->moves_wait = true;
    say_join(wire, pair->there, name);
    assert_int_equal(wire->state, WIRE_MOVING);
    return wire;
}

/* Whoever moves has no more time to join than others, nor more messages. */
static void test_time(void **state)
{
    struct pair pair = build((struct wishes){ 0 });
    struct guest mina = house_guest(pair.house, pair.there, "Mina");
    struct wire *wire = send_off(&pair, "Mina");
    (void)state;
    house_wait(pair.house, 11 * USEC_S);
    assert_true(wire_deliver(wire));
    house_drain(pair.house);
    expect_error(wire, "name-taken", ",'re':'join'");
    house_wait(pair.house, 2 * USEC_MS);
    expect_error(wire, "timeout", "");
    expect_close(wire, 1008, "timeout");
    expect_nothing(mina.wire);
    house_close(pair.house);
}

static void test_flood(void **state)
{
    struct pair pair = build((struct wishes){ 0 });
    struct wire *wire = house_ws(pair.house);
    struct frame frame;
    (void)state;
    for (int i = 0; i < 999; i++)
        ws_say(wire, "{'type':'ping'}");
    say_join(wire, pair.there, "Mina");
    hear_all(wire);
    assert_int_equal(wire->worker, 1);
    ws_say(wire, "{'type':'ping'}");
    ws_hear(wire, &frame);
    assert_view(between(frame.payload, "'code':'", "\""), "too-fast");
    expect_close(wire, 1008, "too many messages");
    house_close(pair.house);
}

/* The client goes away on the way; house_close sees that nothing is left of it. */
static void test_gone_on_the_way(void **state)
{
    struct pair pair = build((struct wishes){ 0 });
    struct wire *wire = send_off(&pair, "Mina");
    (void)state;
    assert_int_equal(server_streams(pair.house->servers[0]), 0);
    assert_int_equal(house_metric(pair.house, METRIC_WEBSOCKETS), 0);
    wire_drop(wire);
    assert_int_equal(house_metric(pair.house, METRIC_ROOMS), 0);
    house_close(pair.house);
}

static void test_no_place_there(void **state)
{
    struct pair pair = build((struct wishes){ .streams_max = 2 });
    (void)state;
    assert_non_null(house_dial(pair.house, 1, STREAM_HTTP));
    assert_non_null(house_dial(pair.house, 1, STREAM_HTTP));
    struct wire *wire = send_off(&pair, "Mina");
    assert_false(wire_deliver(wire));
    assert_int_equal(house_metric(pair.house, METRIC_WEBSOCKETS), 0);
    house_close(pair.house);
}

/* The end has begun where it comes: it is told so, as all others are. */
static void test_stopping_there(void **state)
{
    struct pair pair = build((struct wishes){ 0 });
    struct wire *wire = send_off(&pair, "Mina");
    (void)state;
    server_stop(pair.house->servers[1], pair.house->now);
    assert_true(wire_deliver(wire));
    house_drain(pair.house);
    expect_close(wire, 1001, "the server stops");
    assert_int_equal(house_metric(pair.house, METRIC_MEMBERS), 0);
    house_close(pair.house);
}

/* It ends here before the shell has asked for it: then it does not go. */
static void test_ended_before(void **state)
{
    struct pair pair = build((struct wishes){ 0 });
    struct wire *wire = house_ws(pair.house);
    struct bytes bytes = { NULL, 0, 0 };
    (void)state;
    write_join(&bytes, pair.there, "Mina");
    server_feed(pair.house->servers[0], pair.house->now, wire->stream,
                (struct span){ bytes.at, bytes.size });
    assert_false(server_wants_bytes(pair.house->servers[0], wire->stream));
    server_stop(pair.house->servers[0], pair.house->now);
    house_drain(pair.house);
    expect_close(wire, 1001, "the server stops");
    assert_int_equal(house_metric(pair.house, METRIC_CONNECTIONS_MOVED), 0);
    free(bytes.at);
    house_close(pair.house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_moves_back),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_unread),
        cmocka_unit_test(test_unsent),
        cmocka_unit_test(test_deflate),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_gone_on_the_way),
        cmocka_unit_test(test_no_place_there),
        cmocka_unit_test(test_stopping_there),
        cmocka_unit_test(test_ended_before),
    };
    return cmocka_run_group_tests_name("parcel", tests, NULL, NULL);
}
