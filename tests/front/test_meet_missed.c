/* The meeting protocol: both ways' numbers over a broken connection, and how much may be missed. */
#include "house_meet.h"

struct two {
    struct house *house;
    struct guest mina;
    struct guest jun;
};

/* Mina (m1) and Jun (m2), who have heard of one another. */
static struct two gather(void)
{
    struct two two = { .house = house_build(&(struct wishes){ .streams_max = 512 }) };
    two.mina = house_guest(two.house, "standup", "Mina");
    two.jun = house_guest(two.house, "standup", "Jun");
    hear_all(two.mina.wire);
    return two;
}

/* Jun says what was last seen, on a new connection. */
static void come_back(struct two *two, uint64_t seq)
{
    two->jun.wire = house_ws(two->house);
    say_resume(two->jun.wire, "standup", two->jun.session, seq);
}

static void expect_resumed(struct two *two, uint64_t seq, uint64_t received)
{
    char text[200];
    snprintf(text, sizeof text, "{'type':'resumed','seq':%llu,'received':%llu,'iceServers':[]}",
             (unsigned long long)seq, (unsigned long long)received);
    expect_text(two->jun.wire, text);
}

/* Messages that were sent again because nobody said that they had come. */
static void test_own_numbers(void **state)
{
    struct two t = gather();
    (void)state;
    ws_say(t.jun.wire, "{'type':'chat','id':1,'text':'one'}");
    ws_say(t.jun.wire, "{'type':'chat','id':2}"); /* refused, and received */
    ws_say(t.jun.wire, "{'type':'chat','id':3,'text':'three'}");
    hear_all(t.mina.wire);
    wire_drop(t.jun.wire);
    come_back(&t, 2);
    expect_resumed(&t, 2, 3);
    expect_text(t.jun.wire, "{'type':'chat','seq':3,'from':'m2','text':'one'}");
    expect_text(t.jun.wire, "{'type':'chat','seq':4,'from':'m2','text':'three'}");
    house_wait(t.house, 16 * USEC_S);
    expect_ping(t.jun.wire); /* and no ack: `resumed` has told it */
    hear_all(t.mina.wire);

    ws_say(t.jun.wire, "{'type':'chat','id':2,'text':'two'}");
    ws_say(t.jun.wire, "{'type':'chat','id':3,'text':'three'}");
    expect_nothing(t.jun.wire);
    ws_say(t.jun.wire, "{'type':'chat','id':5,'text':'five'}");
    expect_error(t.jun.wire, "bad-id", ",'re':'chat','id':5");
    expect_nothing(t.mina.wire);
    ws_say(t.jun.wire, "{'type':'chat','id':4,'text':'four'}");
    expect_text(t.mina.wire, "{'type':'chat','seq':7,'from':'m2','text':'four'}");
    hear_all(t.jun.wire);
    house_wait(t.house, 16 * USEC_S);
    expect_text(t.jun.wire, "{'type':'ack','id':4}");
    house_close(t.house);
}

/* Jun was away while Mina said `count` messages: true when Jun, who saw
 * `seq` last, gets all of them; false when the place is lost. */
static bool misses(struct two *t, uint64_t seq, uint64_t count)
{
    struct frame frame;
    come_back(t, seq);
    ws_hear(t->jun.wire, &frame);
    if (strstr(frame.payload, "session-lost"))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t seen;
        ws_hear(t->jun.wire, &frame);
        assert_true(view_read_number(between(frame.payload, "'seq':", ","), UINT64_MAX, &seen));
        seq += i == 0 ? 2 : 1; /* the first is behind Jun's own going away */
        assert_int_equal(seen, seq);
    }
    expect_nothing(t->jun.wire);
    return true;
}

/* So many messages of Mina's, no faster than they may come, while she hears them. */
static void talk(struct two *t, uint64_t count, const char *text)
{
    for (uint64_t i = 0; i < count; i++) {
        if (i % 100 == 0)
            house_wait(t->house, 1 * USEC_S);
        ws_say(t->mina.wire, text);
        hear_all(t->mina.wire);
    }
}

/* The room keeps 1024 events: Jun's going away is one of them. */
static void test_many_missed(void **state)
{
    (void)state;
    for (uint64_t count = 1022; count <= 1025; count++) {
        struct two t = gather();
        wire_drop(t.jun.wire);
        talk(&t, count, "{'type':'chat','text':'x'}");
        assert_int_equal(misses(&t, 2, count), count <= 1023);
        assert_true(t.house->servers[0]->rooms.history.entries.used <= 1024);
        house_close(t.house);
    }
}

/* ... and 1 MiB, counted in whole buffers. */
static void test_much_missed(void **state)
{
    char text[8000];
    (void)state;
    memset(text, 'x', sizeof text);
    int size = snprintf(text, sizeof text, "{'type':'chat','text':'");
    text[size] = 'x';
    memcpy(text + sizeof text - 3, "'}", 3);
    for (uint64_t count = 63; count <= 66; count++) {
        struct two t = gather();
        wire_drop(t.jun.wire);
        talk(&t, count, text);
        assert_true(buffers_used(t.house->servers[0]->buffers) < 2 * HISTORY_BYTES_MAX);
        bool all = misses(&t, 2, count);
        assert_int_equal(all, count <= 64);
        house_close(t.house);
    }
}

/* Who has seen them is not harmed when events are dropped. */
static void test_dropped_but_seen(void **state)
{
    struct two t = gather();
    (void)state;
    talk(&t, 500, "{'type':'chat','text':'x'}");
    hear_all(t.jun.wire);
    ws_say(t.jun.wire, "{'type':'ping'}");
    talk(&t, 700, "{'type':'chat','text':'x'}");
    wire_drop(t.jun.wire); /* 1203 */
    come_back(&t, 1100);
    expect_resumed(&t, 1100, 0);
    for (int i = 1101; i <= 1202; i++) {
        char text[100];
        snprintf(text, sizeof text, "{'type':'chat','seq':%d,'from':'m1','text':'x'}", i);
        expect_text(t.jun.wire, text);
    }
    expect_nothing(t.jun.wire);
    house_close(t.house);
}

static void expect_lost(struct two *two)
{
    expect_error(two->jun.wire, "session-lost", ",'re':'resume'");
    wire_drop(two->jun.wire);
}

/* A newcomer gets nothing of what was said before, whatever it says to have seen. */
static void test_before_its_time(void **state)
{
    struct two t = gather();
    (void)state;
    wire_drop(house_guest(t.house, "standup", "Sora").wire); /* so that all is kept: 3, 4 */
    ws_say(t.mina.wire, "{'type':'chat','text':'among us'}");
    struct guest jun = t.jun;
    t.jun = house_guest(t.house, "standup", "Hana"); /* 6 */
    assert_int_equal(t.jun.seq, 6);
    wire_drop(t.jun.wire);
    for (uint64_t seq = 0; seq < 6; seq++) {
        come_back(&t, seq);
        expect_lost(&t);
    }
    come_back(&t, 6);
    expect_resumed(&t, 6, 0);
    expect_nothing(t.jun.wire);
    hear_all(jun.wire);
    house_close(t.house);
}

static void pong(struct wire *wire, uint8_t seq)
{
    const uint8_t payload[8] = { 0, 0, 0, 0, 0, 0, 0, seq };
    ws_send(wire, WEBSOCKET_PONG, true, view_make(payload, sizeof payload));
}

/* A browser answers pings before its page has seen what came before them: a page that says to have
 * seen less than that may miss what is no longer kept, and is not let believe otherwise. */
static void test_less_than_acked(void **state)
{
    struct two t = gather();
    (void)state;
    ws_say(t.mina.wire, "{'type':'chat','text':'3'}");
    ws_say(t.mina.wire, "{'type':'chat','text':'4'}");
    ws_say(t.mina.wire, "{'type':'candidate','to':'m2','candidate':null}");
    ws_say(t.jun.wire, "{'type':'candidate','to':'m1','candidate':null}");
    pong(t.mina.wire, 6);
    pong(t.jun.wire, 6);
    assert_int_equal(t.house->servers[0]->rooms.history.entries.used, 0);
    wire_drop(t.jun.wire);
    come_back(&t, 4);
    expect_lost(&t);
    come_back(&t, 5); /* 6 was not for Jun */
    expect_resumed(&t, 5, 0);
    expect_nothing(t.jun.wire);
    house_close(t.house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_numbers),     cmocka_unit_test(test_many_missed),
        cmocka_unit_test(test_much_missed),     cmocka_unit_test(test_dropped_but_seen),
        cmocka_unit_test(test_before_its_time), cmocka_unit_test(test_less_than_acked),
    };
    return cmocka_run_group_tests_name("meet_missed", tests, NULL, NULL);
}
