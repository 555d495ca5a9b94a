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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missed),
        cmocka_unit_test(test_again_and_again),
        cmocka_unit_test(test_wrong_sessions),
        cmocka_unit_test(test_join_after_lost),
    };
    return cmocka_run_group_tests_name("meet_resume", tests, NULL, NULL);
}
