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
    struct pair pair = build((struct wishes){ .stun_port = 3478 });
    struct guest mina = house_guest(pair.house, pair.there, "Mina");
    struct guest jun = house_guest(pair.house, pair.here, "Jun");
    (void)state;
    assert_int_equal(mina.wire->worker, 1);
    assert_int_equal(jun.wire->worker, 0);
    assert_int_equal(house_metric(pair.house, METRIC_CONNECTIONS_MOVED), 1);
    assert_int_equal(server_streams(pair.house->servers[0]), 1);
    assert_int_equal(server_streams(pair.house->servers[1]), 1);
    assert_int_equal(house_metric(pair.house, METRIC_WEBSOCKETS), 2);
    /* the host by which it came is still known */
    assert_view(between(mina.welcome, "'iceServers':", "}"),
                "[{\"urls\":[\"stun:moim.example:3478\"]");

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves),  cmocka_unit_test(test_moves_back),
        cmocka_unit_test(test_resume), cmocka_unit_test(test_unread),
        cmocka_unit_test(test_unsent), cmocka_unit_test(test_deflate),
    };
    return cmocka_run_group_tests_name("parcel", tests, NULL, NULL);
}
