/* The meeting protocol: what members say to one another, and their numbers. */
#include "house_meet.h"

/* Mina (m1), Jun (m2) and Sora (m3) in one room, who have heard of one another. */
struct three {
    struct house *house;
    struct wire *mina;
    struct wire *jun;
    struct wire *sora;
};

static struct three gather(void)
{
    struct three three = { .house = house_build(&(struct wishes){ 0 }) };
    three.mina = house_guest(three.house, "standup", "Mina").wire;
    three.jun = house_guest(three.house, "standup", "Jun").wire;
    three.sora = house_guest(three.house, "standup", "Sora").wire;
    hear_all(three.mina);
    hear_all(three.jun);
    return three;
}

static void expect_silence(const struct three *three)
{
    expect_nothing(three->mina);
    expect_nothing(three->jun);
    expect_nothing(three->sora);
}

static void test_offers(void **state)
{
    struct three three = gather();
    (void)state;
    ws_say(three.sora, "{'type':'offer','to':'m1','sdp':'v=0\\r\\n\\u0041'}");
    expect_text(three.mina, "{'type':'offer','seq':4,'from':'m3','sdp':'v=0\\r\\nA'}");
    ws_say(three.mina, "{'type':'answer','id':1,'to':'m3','sdp':'v=0'}");
    expect_text(three.sora, "{'type':'answer','seq':5,'from':'m1','sdp':'v=0'}");
    ws_say(three.mina, "{'type':'candidate','to':'m3','candidate':{'candidate':"
                       "'candidate:1 1 udp 2122 192.0.2.1 5000 typ host', 'sdpMid':'0',"
                       "'sdpMLineIndex':0,'usernameFragment':null}}");
    expect_text(three.sora, "{'type':'candidate','seq':6,'from':'m1','candidate':{'candidate':"
                            "'candidate:1 1 udp 2122 192.0.2.1 5000 typ host','sdpMid':'0',"
                            "'sdpMLineIndex':0,'usernameFragment':null}}");
    ws_say(three.mina, "{'type':'candidate','to':'m3','candidate':null}");
    expect_text(three.sora, "{'type':'candidate','seq':7,'from':'m1','candidate':null}");
    expect_silence(&three);
    house_close(three.house);
}

struct refusal {
    const char *text;
    const char *code;
    const char *behind;
};

static void test_refused(void **state)
{
    static const struct refusal REFUSALS[] = {
        { "{'type':'offer','to':'m9','sdp':'v'}", "no-such-member", ",'re':'offer'" },
        { "{'type':'offer','to':'m1','sdp':'v'}", "no-such-member", ",'re':'offer'" },
        { "{'type':'offer','to':'m0','sdp':'v'}", "no-such-member", ",'re':'offer'" },
        { "{'type':'offer','to':'m','sdp':'v'}", "no-such-member", ",'re':'offer'" },
        { "{'type':'offer','to':'2','sdp':'v'}", "no-such-member", ",'re':'offer'" },
        { "{'type':'offer','to':'M2','sdp':'v'}", "no-such-member", ",'re':'offer'" },
        { "{'type':'offer','to':'m2 ','sdp':'v'}", "no-such-member", ",'re':'offer'" },
        { "{'type':'offer','to':'m4294967298','sdp':'v'}", "no-such-member", ",'re':'offer'" },
        { "{'type':'offer','to':2,'sdp':'v'}", "bad-message", ",'re':'offer'" },
        { "{'type':'offer','sdp':'v'}", "bad-message", ",'re':'offer'" },
        { "{'type':'offer','to':'m2','sdp':''}", "bad-message", ",'re':'offer'" },
        { "{'type':'answer','to':'m2','sdp':7}", "bad-message", ",'re':'answer'" },
        { "{'type':'answer','to':'m2'}", "bad-message", ",'re':'answer'" },
        { "{'type':'candidate','to':'m2'}", "bad-message", ",'re':'candidate'" },
        { "{'type':'candidate','to':'m2','candidate':''}", "bad-message", ",'re':'candidate'" },
        { "{'type':'candidate','to':'m2','candidate':[]}", "bad-message", ",'re':'candidate'" },
        { "{'type':'candidate','candidate':null}", "bad-message", ",'re':'candidate'" },
        { "{'type':'candidate','to':'m1','candidate':null}", "no-such-member",
          ",'re':'candidate'" },
        { "{'type':'chat'}", "bad-message", ",'re':'chat'" },
        { "{'type':'chat','text':''}", "bad-message", ",'re':'chat'" },
        { "{'type':'chat','text':{}}", "bad-message", ",'re':'chat'" },
        { "{'type':'chat','text':'a','to':null}", "bad-message", ",'re':'chat'" },
        { "{'type':'chat','text':'a','to':'m1'}", "no-such-member", ",'re':'chat'" },
        { "{'type':'chat','text':'a','to':'m7'}", "no-such-member", ",'re':'chat'" },
        { "{'type':'media'}", "bad-message", ",'re':'media'" },
        { "{'type':'media','audio':true,'video':1}", "bad-message", ",'re':'media'" },
        { "{'type':'hand'}", "bad-message", ",'re':'hand'" },
        { "{'type':'hand','raised':'yes'}", "bad-message", ",'re':'hand'" },
        { "{'type':'mute-all'}", "unknown-type", ",'re':'mute-all'" },
    };
    struct three three = gather();
    size_t count = sizeof REFUSALS / sizeof REFUSALS[0];
    (void)state;
    for (size_t i = 0; i < count; i++) {
        ws_say(three.mina, REFUSALS[i].text);
        expect_error(three.mina, REFUSALS[i].code, REFUSALS[i].behind);
        expect_silence(&three);
    }
    assert_int_equal(house_metric(three.house, METRIC_MEET_ERRORS), count);
    /* it has changed nothing, and the numbers of events go on */
    ws_say(three.mina, "{'type':'media','screen':true}");
    expect_text(three.jun,
                "{'type':'media','seq':4,'from':'m1','audio':false,'video':false,'screen':true}");
    house_close(three.house);
}

static void test_media_and_hand(void **state)
{
    struct three three = gather();
    (void)state;
    ws_say(three.jun, "{'type':'media','audio':true,'video':true}");
    const char *first =
        "{'type':'media','seq':4,'from':'m2','audio':true,'video':true,'screen':false}";
    expect_text(three.mina, first);
    expect_text(three.sora, first);
    ws_say(three.jun, "{'type':'media','video':false,'screen':true}");
    const char *second =
        "{'type':'media','seq':5,'from':'m2','audio':true,'video':false,'screen':true}";
    expect_text(three.mina, second);
    expect_text(three.sora, second);
    /* a hand is told to everyone */
    ws_say(three.jun, "{'type':'hand','raised':true}");
    expect_text(three.mina, "{'type':'hand','seq':6,'from':'m2','raised':true}");
    expect_text(three.jun, "{'type':'hand','seq':6,'from':'m2','raised':true}");
    expect_text(three.sora, "{'type':'hand','seq':6,'from':'m2','raised':true}");
    expect_silence(&three);

    /* whoever comes now sees it */
    struct guest hana = house_guest(three.house, "standup", "Hana");
    assert_non_null(strstr(hana.welcome, "{\"id\":\"m2\",\"name\":\"Jun\",\"audio\":true,"
                                         "\"video\":false,\"screen\":true,\"hand\":true,"
                                         "\"away\":false}"));
    ws_say(three.jun, "{'type':'hand','raised':false}");
    expect_text(hana.wire, "{'type':'hand','seq':8,'from':'m2','raised':false}");
    house_close(three.house);
}

static void test_chat(void **state)
{
    struct three three = gather();
    (void)state;
    ws_say(three.mina,
           "{'type':'chat','text':'\xec\x95\x88\xeb\x85\x95 \\u0001\\\\ \\ud83d\\ude00'}");
    const char *text = "{'type':'chat','seq':4,'from':'m1','text':'\xec\x95\x88\xeb\x85\x95 "
                       "\\u0001\\\\ \xf0\x9f\x98\x80'}";
    expect_text(three.mina, text);
    expect_text(three.jun, text);
    expect_text(three.sora, text);
    /* to one alone, and its sender */
    ws_say(three.jun, "{'type':'chat','to':'m3','text':'psst'}");
    expect_text(three.jun, "{'type':'chat','seq':5,'from':'m2','to':'m3','text':'psst'}");
    expect_text(three.sora, "{'type':'chat','seq':5,'from':'m2','to':'m3','text':'psst'}");
    expect_silence(&three);
    house_close(three.house);
}

/* A text of `size` bytes in a message of that type, each written as `as`. */
static char *long_text(const char *before, const char *as, size_t count)
{
    size_t before_size = strlen(before);
    size_t size = strlen(as);
    char *text = malloc(before_size + size * count + 3);
    assert_non_null(text);
    memcpy(text, before, before_size);
    for (size_t i = 0; i < count; i++)
        memcpy(text + before_size + i * size, as, size);
    memcpy(text + before_size + count * size, "'}", 3);
    return text;
}

static void test_lengths(void **state)
{
    struct three three = gather();
    struct frame frame;
    (void)state;
    char *text = long_text("{'type':'chat','text':'", "x", 8000);
    ws_say(three.mina, text);
    ws_hear(three.jun, &frame);
    assert_true(frame.size > 8000);
    free(text);
    text = long_text("{'type':'chat','text':'", "x", 8001);
    hear_all(three.mina);
    ws_say(three.mina, text);
    expect_error(three.mina, "bad-message", ",'re':'chat'");
    free(text);
    /* what grows when it is written */
    text = long_text("{'type':'chat','text':'", "\\u0001", 8000);
    ws_say(three.mina, text);
    ws_hear(three.jun, &frame);
    assert_true(frame.size > 48000);
    free(text);
    hear_all(three.mina);
    hear_all(three.sora);

    text = long_text("{'type':'offer','to':'m2','sdp':'", "x", 60000);
    ws_say(three.mina, text);
    ws_hear(three.jun, &frame);
    assert_true(frame.size > 60000);
    free(text);
    text = long_text("{'type':'offer','to':'m2','sdp':'", "x", 60001);
    ws_say(three.mina, text);
    expect_error(three.mina, "bad-message", ",'re':'offer'");
    free(text);
    expect_silence(&three);

    text = long_text("{'type':'candidate','to':'m2','candidate':{'candidate':'", "x", 4096);
    text[strlen(text) - 1] = '}';
    char *whole = malloc(strlen(text) + 2);
    assert_non_null(whole);
    sprintf(whole, "%s}", text);
    ws_say(three.mina, whole);
    expect_error(three.mina, "bad-message", ",'re':'candidate'");
    free(whole);
    free(text);
    expect_silence(&three);
    house_close(three.house);
}

/* A description that just fits into a message of the sender's may not fit into ours: its sender is
 * told, and nobody else comes to harm. */
static void test_description_that_does_not_fit(void **state)
{
    static const char BEFORE[] = "{'type':'offer','to':'m2','sdp':'";
    struct three three = gather();
    (void)state;
    size_t lines = (WS_MESSAGE_MAX - sizeof BEFORE - 1) / 2;
    char *text = long_text(BEFORE, "\\n", lines);
    assert_true(strlen(text) <= WS_MESSAGE_MAX);
    ws_say(three.mina, text);
    expect_error(three.mina, "bad-message", ",'re':'offer'");
    expect_silence(&three);
    free(text);
    text = long_text(BEFORE, "\\n", lines - 300);
    ws_say(three.mina, text);
    struct frame frame;
    ws_hear(three.jun, &frame);
    assert_true(frame.size > 64900);
    expect_silence(&three);
    free(text);
    house_close(three.house);
}

static void test_leave(void **state)
{
    struct three three = gather();
    (void)state;
    ws_say(three.jun, "{'type':'leave'}");
    expect_close(three.jun, 1000, "left");
    expect_text(three.mina, "{'type':'member-left','seq':4,'member':'m2','reason':'left'}");
    expect_text(three.sora, "{'type':'member-left','seq':4,'member':'m2','reason':'left'}");
    /* a close with 1000 or 1001 is as good; any other is a broken connection */
    ws_send_close(three.sora, 1001, "");
    expect_close(three.sora, 1001, "");
    expect_text(three.mina, "{'type':'member-left','seq':5,'member':'m3','reason':'left'}");
    struct guest hana = house_guest(three.house, "standup", "Hana");
    assert_view(between(hana.welcome, "'you':'", "\""), "m4");
    hear_all(three.mina);
    ws_send_close(hana.wire, 4000, "");
    expect_text(three.mina, "{'type':'member-away','seq':7,'member':'m4'}");

    /* the room ends with its last, and begins anew */
    wire_drop(hana.wire);
    house_wait(three.house, 5 * USEC_S);
    ws_say(three.mina, "{'type':'leave'}");
    house_wait(three.house, 26 * USEC_S);
    assert_int_equal(house_metric(three.house, METRIC_ROOMS), 0);
    hana = house_guest(three.house, "standup", "Hana");
    assert_view(between(hana.welcome, "'you':'", "\""), "m1");
    assert_int_equal(hana.seq, 1);
    house_close(three.house);
}

/* ---- the client's numbers ---- */

static void test_ids(void **state)
{
    struct three three = gather();
    (void)state;
    ws_say(three.mina, "{'type':'chat','id':1,'text':'one'}");
    expect_text(three.mina, "{'type':'chat','seq':4,'from':'m1','text':'one'}");
    /* twice: without a word */
    ws_say(three.mina, "{'type':'chat','id':1,'text':'one'}");
    ws_say(three.mina, "{'type':'nonsense','id':1}");
    expect_nothing(three.mina);
    /* a gap, which does not count as received */
    ws_say(three.mina, "{'type':'chat','id':3,'text':'three'}");
    expect_error(three.mina, "bad-id", ",'re':'chat','id':3");
    ws_say(three.mina, "{'type':'chat','id':0,'text':'none'}");
    expect_error(three.mina, "bad-id", ",'re':'chat'");
    /* a refused one does */
    ws_say(three.mina, "{'type':'chat','id':2}");
    expect_error(three.mina, "bad-message", ",'re':'chat','id':2");
    ws_say(three.mina, "{'type':'chat','id':2,'text':'two'}");
    expect_nothing(three.mina);
    ws_say(three.mina, "{'type':'nonsense','id':3}");
    expect_error(three.mina, "unknown-type", ",'re':'nonsense','id':3");
    ws_say(three.mina, "{'id':4}");
    expect_error(three.mina, "bad-message", ",'id':4");
    /* those without a number are not among them */
    ws_say(three.mina, "{'type':'chat','text':'x'}");
    expect_text(three.mina, "{'type':'chat','seq':5,'from':'m1','text':'x'}");
    ws_say(three.mina, "{'type':'chat','id':5,'text':'five'}");
    expect_text(three.mina, "{'type':'chat','seq':6,'from':'m1','text':'five'}");
    /* everyone has numbers of his own */
    hear_all(three.jun);
    ws_say(three.jun, "{'type':'hand','id':1,'raised':true}");
    expect_text(three.jun, "{'type':'hand','seq':7,'from':'m2','raised':true}");
    expect_nothing(three.jun);
    house_close(three.house);
}

static void test_acks(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct wire *wire = house_guest(house, "standup", "Mina").wire;
    struct frame frame;
    char text[100];
    (void)state;
    for (int i = 1; i <= 70; i++) {
        snprintf(text, sizeof text, "{'type':'hand','id':%d,'raised':true}", i);
        ws_say(wire, text);
        if (i % 32 == 0) {
            snprintf(text, sizeof text, "{'type':'ack','id':%d}", i);
            expect_text(wire, text);
        }
        ws_hear(wire, &frame);
        expect_nothing(wire);
    }
    /* with a heartbeat, when there is something new, and never twice */
    house_wait(house, 15 * USEC_S + 10 * USEC_MS);
    expect_text(wire, "{'type':'ack','id':70}");
    expect_ping(wire);
    house_wait(house, 10 * USEC_S);
    ws_say(wire, "{'type':'ping'}");
    expect_text(wire, "{'type':'pong'}");
    house_wait(house, 10 * USEC_S);
    expect_ping(wire);
    expect_nothing(wire);
    ws_say(wire, "{'type':'hand','id':71,'raised':false}");
    ws_hear(wire, &frame);
    house_wait(house, 15 * USEC_S);
    expect_text(wire, "{'type':'ack','id':71}");
    expect_ping(wire);
    expect_nothing(wire);
    house_close(house);
}

/* A ping tells the events so far, also between heartbeats when they are many. */
static void test_pings(void **state)
{
    struct three three = gather();
    struct frame frame;
    (void)state;
    for (uint64_t seq = 4; seq <= 300; seq++) {
        ws_say(three.mina, "{'type':'hand','raised':true}");
        ws_hear(three.mina, &frame);
        assert_int_equal(frame.opcode, WEBSOCKET_TEXT);
        if (seq % 128 == 0)
            assert_int_equal(expect_ping(three.mina), seq);
        expect_nothing(three.mina);
    }
    house_close(three.house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offers),         cmocka_unit_test(test_refused),
        cmocka_unit_test(test_media_and_hand), cmocka_unit_test(test_chat),
        cmocka_unit_test(test_lengths),        cmocka_unit_test(test_description_that_does_not_fit),
        cmocka_unit_test(test_leave),          cmocka_unit_test(test_ids),
        cmocka_unit_test(test_acks),           cmocka_unit_test(test_pings),
    };
    return cmocka_run_group_tests_name("meet_room", tests, NULL, NULL);
}
