/* The meeting protocol on a server that is full: errors with codes, and nothing for the others. */
#include "house_meet.h"

#include "front/meet/meet.h"

static void expect_full(struct wire *wire)
{
    expect_text(wire, "{'type':'error','code':'server-full','message':"
                      "'the server has no place for more','re':'join'}");
}

static void test_rooms_max(void **state)
{
    struct house *house = house_build(&(struct wishes){ .rooms_max = 2 });
    struct guest mina = house_guest(house, "one", "Mina");
    struct guest jun = house_guest(house, "two", "Jun");
    struct wire *wire = house_ws(house);
    (void)state;
    for (int i = 0; i < 3; i++) {
        say_join(wire, "three", "Sora");
        expect_full(wire);
    }
    assert_int_equal(house_metric(house, METRIC_MEMBERS), 2); /* no member of no room */
    expect_nothing(mina.wire);
    /* those that are open are open to more */
    house_guest(house, "one", "Sora");
    /* one that ends makes place for another: also one whose time is over */
    ws_say(jun.wire, "{'type':'leave'}");
    guest_join(wire, "three", "Sora");
    wire_drop(wire);
    wire = house_ws(house);
    say_join(wire, "four", "Sora");
    expect_full(wire);
    wire_drop(wire);
    house_wait(house, 31 * USEC_S);
    house_guest(house, "four", "Sora");
    house_close(house);
}

static void test_members_max(void **state)
{
    struct house *house = house_build(&(struct wishes){ .members_max = 3 });
    struct guest mina = house_guest(house, "one", "Mina");
    struct guest jun = house_guest(house, "one", "Jun");
    struct guest sora = house_guest(house, "two", "Sora");
    struct wire *wire = house_ws(house);
    (void)state;
    hear_all(mina.wire);
    say_join(wire, "one", "Hana");
    expect_full(wire);
    say_join(wire, "three", "Hana");
    expect_full(wire);
    assert_int_equal(house_metric(house, METRIC_ROOMS), 2); /* no room without members */
    expect_nothing(mina.wire);
    /* a place that is kept is one, but not to who takes its name up, alone or not */
    wire_drop(jun.wire);
    wire_drop(sora.wire);
    hear_all(mina.wire);
    say_join(wire, "one", "Hana");
    expect_full(wire);
    guest_join(wire, "one", "Jun");
    house_guest(house, "two", "Sora");
    assert_int_equal(house_metric(house, METRIC_MEMBERS), 3);
    house_close(house);
}

static void test_streams_max(void **state)
{
    struct house *house = house_build(&(struct wishes){ .streams_max = 2 });
    struct guest mina = house_guest(house, "one", "Mina");
    struct guest jun = house_guest(house, "one", "Jun");
    (void)state;
    hear_all(mina.wire);
    assert_null(house_dial(house, 0, STREAM_HTTP));
    assert_null(house_dial(house, 0, STREAM_STUN));
    expect_nothing(mina.wire);
    wire_drop(jun.wire);
    hear_all(mina.wire);
    jun.wire = house_ws(house);
    say_resume(jun.wire, "one", jun.session, 3);
    expect_text(jun.wire, "{'type':'resumed','seq':3,'received':0,'iceServers':[]}");
    house_close(house);
}

/* A chat of so many letters. */
static void say_letters(struct wire *wire, int count)
{
    static const char PART[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    char text[MEET_CHAT_MAX + 100];
    int size = snprintf(text, sizeof text, "{'type':'chat','text':'");
    for (; count > 0; count -= 64)
        size += snprintf(text + size, sizeof text - (size_t)size, "%s", PART);
    snprintf(text + size, sizeof text - (size_t)size, "'}");
    ws_say(wire, text);
}

static void say_much(struct wire *wire)
{
    say_letters(wire, MEET_CHAT_MAX);
}

/* Rooms that keep all they can take no memory from others: these go on, and resume. */
static void test_rooms_that_keep_much(void **state)
{
    struct house *house = house_build(&(struct wishes){ .buffer_bytes = 4 * 1024 * 1024 });
    struct guest mina = house_guest(house, "one", "Mina");
    struct guest jun = house_guest(house, "one", "Jun");
    (void)state;
    hear_all(mina.wire);
    for (int i = 0; i < 16; i++) {
        char name[16];
        snprintf(name, sizeof name, "hog %d", i);
        struct guest hog = house_guest(house, name, "x");
        for (int j = 0; j < 100; j++) {
            say_much(hog.wire);
            hear_all(hog.wire);
        }
        wire_drop(hog.wire); /* the place is kept, and so is what was said */
    }
    assert_true(buffers_used(house->servers[0]->buffers) < 3 * 1024 * 1024);
    wire_drop(jun.wire);
    expect_text(mina.wire, "{'type':'member-away','seq':3,'member':'m2'}");
    ws_say(mina.wire, "{'type':'chat','text':'x'}");
    expect_text(mina.wire, "{'type':'chat','seq':4,'from':'m1','text':'x'}");
    jun.wire = house_ws(house);
    say_resume(jun.wire, "one", jun.session, 2);
    expect_text(jun.wire, "{'type':'resumed','seq':2,'received':0,'iceServers':[]}");
    expect_text(jun.wire, "{'type':'chat','seq':4,'from':'m1','text':'x'}");
    house_close(house);
}

/* The next frame that is no ping begins like that. */
static void expect_begin(struct wire *wire, const char *text)
{
    struct frame frame;
    char *wanted = quoted(text);
    hear_past_pings(wire, &frame);
    if (!view_starts(view_of(frame.payload), view_of(wanted)))
        fail_msg("seen %.100s, wanted %s", frame.payload, wanted);
    free(wanted);
}

#define HOGS 8

/* Clients that read nothing of much take no memory from others either. */
static void test_slow_readers(void **state)
{
    struct house *house = house_build(&(struct wishes){ .buffer_bytes = 6 * 1024 * 1024 });
    struct guest mina = house_guest(house, "one", "Mina");
    struct guest jun = house_guest(house, "one", "Jun");
    struct wire *hogs[HOGS];
    uint64_t seq = 2;
    (void)state;
    hear_all(mina.wire);
    for (int i = 0; i < HOGS; i++) {
        char name[16];
        snprintf(name, sizeof name, "hog %d", i);
        hogs[i] = house_guest(house, name, "x").wire;
        wire_give_room(hogs[i], 0);
    }
    for (int j = 0; j < 100 * HOGS; j++) {
        char text[100];
        say_much(hogs[j % HOGS]);
        say_letters(mina.wire, 1024);
        snprintf(text, sizeof text, "{'type':'chat','seq':%llu,'from':'m1',",
                 (unsigned long long)++seq);
        expect_begin(mina.wire, text);
        expect_begin(jun.wire, text);
        house_wait(house, 5 * USEC_MS);
    }
    assert_true(house_metric(house, METRIC_CLOSED_SLOW) >= HOGS);
    house_close(house);
}

/* A client that takes what comes: it may have been closed, or never been let in. */
static struct wire *dial(struct house *house, const char *headers)
{
    struct wire *wire = house_dial(house, 0, STREAM_HTTP);
    assert_non_null(wire);
    wire_write(wire, UPGRADE);
    wire_write(wire, headers);
    wire_write(wire, "\r\n");
    return wire;
}

static void say_offer(struct wire *wire, int size)
{
    char *text = malloc((size_t)size + 100);
    assert_non_null(text);
    int at = sprintf(text, "{'type':'offer','to':'m1','sdp':'");
    memset(text + at, 'x', (size_t)size);
    memcpy(text + at + size, "'}", 3);
    ws_say(wire, text);
    free(text);
}

static void meet(struct house *house)
{
    struct wire *wires[6];
    for (int i = 0; i < 6; i++) {
        char name[16];
        snprintf(name, sizeof name, "guest %d", i);
        wires[i] = dial(house, i % 2 ? OFFER_DEFLATE : "");
        say_join(wires[i], i < 4 ? "one" : "two", name);
        if (i == 2)
            wire_give_room(wires[i], 0);
    }
    for (int i = 0; i < 60; i++) {
        struct wire *wire = wires[i % 6];
        say_letters(wire, i % 10 == 0 ? MEET_CHAT_MAX : 64 * (i % 40));
        say_offer(wire, 1000 * i);
        ws_say(wire, "{'type':'hand','raised':true}");
        if (i == 20)
            wire_end(wires[1]);
        if (i == 40)
            ws_say(wires[3], "{'type':'leave'}");
        house_wait(house, USEC_S / 2);
    }
}

/* However little memory there is: what does not fit is refused, and nothing is left of it. */
static void test_any_memory(void **state)
{
    (void)state;
    for (size_t pages = 1; pages <= 24; pages++) {
        struct house *house = house_build(&(struct wishes){ .buffer_bytes = pages * 256 * 1024 });
        meet(house);
        house_close(house);
    }
}

/* An event for which there is no memory at all: whoever should have heard it must not go on as if
 * there had been none.  They are closed, and their sessions are lost. */
static void test_lost_event(void **state)
{
    struct house *house = house_build(&(struct wishes){ .buffer_bytes = 2 * 1024 * 1024 });
    struct buffers *buffers = house->servers[0]->buffers;
    struct guest mina = house_guest(house, "one", "Mina");
    struct guest jun = house_guest(house, "one", "Jun");
    struct guest sora = house_guest(house, "two", "Sora");
    struct buffer *all = NULL;
    struct buffer *buffer;
    (void)state;
    hear_all(mina.wire);
    for (size_t size = BUFFER_SIZE_MAX; size > 0; size /= 2)
        while (buffers_take(buffers, size, &buffer) == OK) {
            buffer->deflated = all;
            all = buffer;
        }
    ws_say(jun.wire, "{'type':'hand','raised':true}");
    assert_true(wire_is_closed(mina.wire) && wire_is_closed(jun.wire));
    while (all) {
        buffer = all;
        all = buffer->deflated;
        buffer->deflated = NULL;
        buffer_give(buffers, buffer);
    }
    expect_nothing(sora.wire);
    struct wire *wire = house_ws(house);
    say_resume(wire, "one", mina.session, 2);
    expect_error(wire, "session-lost", ",'re':'resume'");
    say_resume(wire, "one", jun.session, 2);
    expect_error(wire, "session-lost", ",'re':'resume'");
    say_resume(wire, "one", jun.session, 3);
    expect_error(wire, "session-lost", ",'re':'resume'");
    guest_join(wire, "one", "Jun");
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rooms_max),    cmocka_unit_test(test_members_max),
        cmocka_unit_test(test_streams_max),  cmocka_unit_test(test_rooms_that_keep_much),
        cmocka_unit_test(test_slow_readers), cmocka_unit_test(test_any_memory),
        cmocka_unit_test(test_lost_event),
    };
    return cmocka_run_group_tests_name("meet_limits", tests, NULL, NULL);
}
