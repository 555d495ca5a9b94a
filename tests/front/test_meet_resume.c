/* The meeting protocol: a place is taken up again after the connection broke. */
#include "house_meet.h"

/* Mina (m1), Jun (m2) and Sora (m3) in one room, who have heard of one another. */
struct three {
    struct house *house;
    struct guest mina;
    struct guest jun;
    struct guest sora;
};

static struct three gather(void)
{
    struct three three = { .house = house_build(&(struct wishes){ .streams_max = 256 }) };
    three.mina = house_guest(three.house, "standup", "Mina");
    three.jun = house_guest(three.house, "standup", "Jun");
    three.sora = house_guest(three.house, "standup", "Sora");
    hear_all(three.mina.wire);
    hear_all(three.jun.wire);
    return three;
}

/* The guest's connection breaks. */
static void lose(struct guest *guest)
{
    wire_drop(guest->wire);
    guest->wire = NULL;
}

/* Comes back on a new connection, having seen `seq` last; `received` as it should be told. */
static void come_back(struct house *house, struct guest *guest, uint64_t seq, uint64_t received)
{
    char text[200];
    guest->wire = house_ws(house);
    say_resume(guest->wire, "standup", guest->session, seq);
    snprintf(text, sizeof text, "{'type':'resumed','seq':%llu,'received':%llu,'iceServers':[]}",
             (unsigned long long)seq, (unsigned long long)received);
    expect_text(guest->wire, text);
}

/* What was missed comes in order, without what is for others or about oneself. */
static void test_missed(void **state)
{
    struct three t = gather();
    (void)state;
    lose(&t.jun);
    expect_text(t.mina.wire, "{'type':'member-away','seq':4,'member':'m2'}");
    expect_text(t.sora.wire, "{'type':'member-away','seq':4,'member':'m2'}");
    ws_say(t.mina.wire, "{'type':'chat','text':'all'}");
    ws_say(t.mina.wire, "{'type':'chat','to':'m2','text':'Jun alone'}");
    ws_say(t.mina.wire, "{'type':'chat','to':'m3','text':'Sora alone'}");
    ws_say(t.sora.wire, "{'type':'media','video':true}");
    ws_say(t.sora.wire, "{'type':'offer','to':'m2','sdp':'v=0'}");
    ws_say(t.sora.wire, "{'type':'offer','to':'m1','sdp':'v=0'}");
    ws_say(t.sora.wire, "{'type':'candidate','to':'m2','candidate':null}");
    ws_say(t.mina.wire, "{'type':'hand','raised':true}");
    hear_all(t.mina.wire);
    hear_all(t.sora.wire);

    come_back(t.house, &t.jun, t.jun.seq, 0);
    expect_text(t.jun.wire,
                "{'type':'member-joined','seq':3,'member':{'id':'m3','name':'Sora','audio':false,"
                "'video':false,'screen':false,'hand':false,'away':false}}");
    expect_text(t.jun.wire, "{'type':'chat','seq':5,'from':'m1','text':'all'}");
    expect_text(t.jun.wire, "{'type':'chat','seq':6,'from':'m1','to':'m2','text':'Jun alone'}");
    expect_text(t.jun.wire, "{'type':'media','seq':8,'from':'m3','audio':false,'video':true,"
                            "'screen':false}");
    expect_text(t.jun.wire, "{'type':'offer','seq':9,'from':'m3','sdp':'v=0'}");
    expect_text(t.jun.wire, "{'type':'candidate','seq':11,'from':'m3','candidate':null}");
    expect_text(t.jun.wire, "{'type':'hand','seq':12,'from':'m1','raised':true}");
    expect_nothing(t.jun.wire);
    expect_text(t.mina.wire, "{'type':'member-back','seq':13,'member':'m2'}");
    expect_text(t.sora.wire, "{'type':'member-back','seq':13,'member':'m2'}");
    assert_int_equal(house_metric(t.house, METRIC_RESUMES), 1);
    assert_int_equal(house_metric(t.house, METRIC_MEMBERS_AWAY), 0);

    /* and then what is new, once */
    ws_say(t.sora.wire, "{'type':'chat','text':'new'}");
    expect_text(t.jun.wire, "{'type':'chat','seq':14,'from':'m3','text':'new'}");
    ws_say(t.jun.wire, "{'type':'chat','text':'here'}");
    expect_text(t.jun.wire, "{'type':'chat','seq':15,'from':'m2','text':'here'}");
    house_wait(t.house, 31 * USEC_S); /* its time has been stopped */
    assert_int_equal(house_metric(t.house, METRIC_MEMBERS), 3);
    house_close(t.house);
}

/* However often, and from wherever in what was sent. */
static void test_again_and_again(void **state)
{
    struct three t = gather();
    struct frame frame;
    char text[100];
    (void)state;
    lose(&t.jun); /* 4 */
    for (int i = 5; i <= 10; i++)
        ws_say(t.mina.wire, "{'type':'chat','text':'x'}");
    for (uint64_t seen = 4; seen <= 10; seen++) {
        come_back(t.house, &t.jun, seen, 0);
        for (uint64_t seq = seen + 1; seq <= 10; seq++) {
            snprintf(text, sizeof text, "{'type':'chat','seq':%llu,'from':'m1','text':'x'}",
                     (unsigned long long)seq);
            expect_text(t.jun.wire, text);
        }
        expect_nothing(t.jun.wire); /* being away and back is for the others */
        lose(&t.jun);
    }
    hear_all(t.sora.wire);
    come_back(t.house, &t.jun, 10, 0);
    ws_hear(t.sora.wire, &frame);
    assert_view(between(frame.payload, "'type':'", "\""), "member-back");
    expect_nothing(t.sora.wire);
    house_close(t.house);
}

/* ---- whose place it is ---- */

static void expect_lost(struct wire *wire)
{
    expect_text(wire, "{'type':'error','code':'session-lost','message':"
                      "'the place is gone: join anew','re':'resume'}");
}

static void test_wrong_sessions(void **state)
{
    static const char *const MALFORMED[] = {
        "{'type':'resume','version':1,'room':'standup','session':'short','seq':1}",
        "{'type':'resume','version':1,'room':'standup','session':'AAAAAAAAAAAAAAAAAAAAA!',"
        "'seq':1}",
        "{'type':'resume','version':1,'room':'standup','session':'AAAAAAAAAAAAAAAAAAAAAAAA',"
        "'seq':1}",
        "{'type':'resume','version':1,'room':'standup','session':7,'seq':1}",
        "{'type':'resume','version':1,'room':'standup','seq':1}",
        "{'type':'resume','version':1,'room':'standup','session':'AAAAAAAAAAAAAAAAAAAAAA'}",
        "{'type':'resume','version':1,'room':'standup','session':'AAAAAAAAAAAAAAAAAAAAAA',"
        "'seq':-1}",
    };
    struct three t = gather();
    struct guest other = house_guest(t.house, "retro", "Hana");
    struct wire *wire = house_ws(t.house);
    (void)state;
    lose(&t.jun);
    hear_all(t.mina.wire);
    for (size_t i = 0; i < sizeof MALFORMED / sizeof MALFORMED[0]; i++) {
        ws_say(wire, MALFORMED[i]);
        expect_error(wire, "bad-message", ",'re':'resume'");
    }
    ws_say(wire, "{'type':'resume','version':2,'room':'standup','session':'x','seq':1}");
    expect_error(wire, "bad-version", ",'re':'resume'");
    say_resume(wire, "stand/up", t.jun.session, 2);
    expect_error(wire, "bad-room", ",'re':'resume'");
    assert_int_equal(house_metric(t.house, METRIC_RESUMES_LOST), 0);

    say_resume(wire, "standup", "AAAAAAAAAAAAAAAAAAAAAA", 1);
    expect_lost(wire);
    say_resume(wire, "retro", t.jun.session, 1); /* of another room */
    expect_lost(wire);
    say_resume(wire, "standup", other.session, 1);
    expect_lost(wire);
    say_resume(wire, "nowhere", t.jun.session, 1);
    expect_lost(wire);
    say_resume(wire, "standup", t.jun.session, 5); /* nothing has happened after 4 */
    expect_lost(wire);
    assert_int_equal(house_metric(t.house, METRIC_RESUMES_LOST), 5);
    expect_nothing(t.mina.wire); /* of all this nobody hears */
    expect_nothing(other.wire);

    /* the connection may still come in, or be the right one */
    say_resume(wire, "standup", t.jun.session, 4);
    expect_text(wire, "{'type':'resumed','seq':4,'received':0,'iceServers':[]}");
    say_resume(wire, "standup", t.jun.session, 4);
    expect_error(wire, "already-joined", ",'re':'resume'");
    house_close(t.house);
}

/* Who has lost the place joins anew, on the same connection. */
static void test_join_after_lost(void **state)
{
    struct three t = gather();
    struct wire *wire;
    (void)state;
    lose(&t.jun);
    house_wait(t.house, 31 * USEC_S);
    hear_all(t.mina.wire);
    wire = house_ws(t.house);
    say_resume(wire, "standup", t.jun.session, 2);
    expect_lost(wire);
    struct guest again = guest_join(wire, "standup", "Jun");
    assert_view(between(again.welcome, "'you':'", "\""), "m4");
    assert_string_not_equal(again.session, t.jun.session);
    house_close(t.house);
}

/* ---- for how long ---- */

/* The time goes by, and the guest is heard of all along. */
static void stay(struct guest *guest, usec duration)
{
    ws_say(guest->wire, "{'type':'ping'}");
    house_wait(guest->wire->house, duration);
    hear_all(guest->wire);
    ws_say(guest->wire, "{'type':'ping'}");
    hear_all(guest->wire);
}

static void test_thirty_seconds(void **state)
{
    struct three t = gather();
    (void)state;
    lose(&t.jun);
    stay(&t.mina, 1 * USEC_S);
    lose(&t.sora);
    stay(&t.mina, 28900 * USEC_MS);
    come_back(t.house, &t.jun, 4, 0); /* after 29.9 s */
    stay(&t.mina, 1 * USEC_S);
    come_back(t.house, &t.sora, 5, 0); /* a clock of its own */
    lose(&t.jun);
    stay(&t.mina, 29 * USEC_S); /* the time that is left begins anew */
    ws_say(t.mina.wire, "{'type':'hand','raised':true}");
    hear_all(t.mina.wire);
    house_wait(t.house, 1100 * USEC_MS);
    expect_past_pings(t.mina.wire, "{'type':'member-left','seq':10,'member':'m2','reason':'lost'}");
    assert_int_equal(house_metric(t.house, METRIC_MEMBERS), 2);
    assert_int_equal(house_metric(t.house, METRIC_MEMBERS_AWAY), 0);
    t.jun.wire = house_ws(t.house);
    say_resume(t.jun.wire, "standup", t.jun.session, 9);
    expect_lost(t.jun.wire);
    house_close(t.house);
}

/* A room of which all are away lives on, and ends with the last. */
static void test_nobody_left(void **state)
{
    struct three t = gather();
    (void)state;
    lose(&t.mina);
    lose(&t.jun);
    lose(&t.sora);
    house_wait(t.house, 29 * USEC_S);
    come_back(t.house, &t.sora, 3, 0);
    expect_text(t.sora.wire, "{'type':'member-away','seq':4,'member':'m1'}");
    expect_text(t.sora.wire, "{'type':'member-away','seq':5,'member':'m2'}");
    expect_nothing(t.sora.wire);
    lose(&t.sora);
    house_wait(t.house, 10 * USEC_S);
    assert_int_equal(house_metric(t.house, METRIC_MEMBERS), 1);
    house_wait(t.house, 21 * USEC_S);
    assert_int_equal(house_metric(t.house, METRIC_ROOMS), 0);
    t.sora.wire = house_ws(t.house);
    say_resume(t.sora.wire, "standup", t.sora.session, 3);
    expect_lost(t.sora.wire);
    house_close(t.house);
}

/* Whoever closes on purpose leaves; any other end keeps the place. */
static void test_closes(void **state)
{
    static const struct {
        uint16_t code;
        const char *heard;
    } CASES[] = {
        { 1000, "{'type':'member-left','seq':3,'member':'m2','reason':'left'}" },
        { 1001, "{'type':'member-left','seq':3,'member':'m2','reason':'left'}" },
        { 0, "{'type':'member-left','seq':3,'member':'m2','reason':'left'}" },
        { 1011, "{'type':'member-away','seq':3,'member':'m2'}" },
        { 3000, "{'type':'member-away','seq':3,'member':'m2'}" },
        { 4000, "{'type':'member-away','seq':3,'member':'m2'}" },
        { 999, "{'type':'member-away','seq':3,'member':'m2'}" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct house *house = house_build(&(struct wishes){ 0 });
        struct guest mina = house_guest(house, "standup", "Mina");
        struct guest jun = house_guest(house, "standup", "Jun");
        hear_all(mina.wire);
        if (CASES[i].code)
            ws_send_close(jun.wire, CASES[i].code, "");
        else
            ws_send(jun.wire, WEBSOCKET_CLOSE, true, VIEW(""));
        expect_text(mina.wire, CASES[i].heard);
        expect_nothing(mina.wire);
        house_close(house);
    }
}

/* The new connection comes before the end of the old one is noticed. */
static void test_taken_up_elsewhere(void **state)
{
    struct three t = gather();
    struct wire *old = t.jun.wire;
    (void)state;
    ws_say(t.mina.wire, "{'type':'chat','text':'x'}"); /* 4 */
    hear_all(old);
    hear_all(t.mina.wire);
    come_back(t.house, &t.jun, 3, 0);
    expect_close(old, 4000, "taken up elsewhere");
    expect_text(t.jun.wire, "{'type':'chat','seq':4,'from':'m1','text':'x'}");
    expect_nothing(t.jun.wire);
    expect_text(t.mina.wire, "{'type':'member-away','seq':5,'member':'m2'}");
    expect_text(t.mina.wire, "{'type':'member-back','seq':6,'member':'m2'}");
    /* the end of the old one is nothing to the place */
    wire_drop(old);
    house_wait(t.house, 1 * USEC_S);
    expect_nothing(t.mina.wire);
    ws_say(t.mina.wire, "{'type':'chat','to':'m2','text':'y'}");
    expect_text(t.jun.wire, "{'type':'chat','seq':7,'from':'m1','to':'m2','text':'y'}");
    house_close(t.house);
}

/* ... and the old one, full of what its client does not read, is in nobody's way. */
static void test_taken_up_from_a_blocked_one(void **state)
{
    struct three t = gather();
    struct wire *old = t.jun.wire;
    (void)state;
    wire_give_room(old, 0);
    ws_say(t.mina.wire, "{'type':'chat','text':'x'}"); /* 4 */
    come_back(t.house, &t.jun, 3, 0);
    expect_text(t.jun.wire, "{'type':'chat','seq':4,'from':'m1','text':'x'}");
    assert_false(wire_is_closed(old));
    ws_say(old, "{'type':'leave'}"); /* it is not heard any more */
    house_wait(t.house, 6 * USEC_S);
    assert_true(wire_is_closed(old));
    assert_int_equal(house_metric(t.house, METRIC_MEMBERS), 3);
    expect_nothing(t.jun.wire);
    house_close(t.house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missed),
        cmocka_unit_test(test_again_and_again),
        cmocka_unit_test(test_wrong_sessions),
        cmocka_unit_test(test_join_after_lost),
        cmocka_unit_test(test_thirty_seconds),
        cmocka_unit_test(test_nobody_left),
        cmocka_unit_test(test_closes),
        cmocka_unit_test(test_taken_up_elsewhere),
        cmocka_unit_test(test_taken_up_from_a_blocked_one),
    };
    return cmocka_run_group_tests_name("meet_resume", tests, NULL, NULL);
}
