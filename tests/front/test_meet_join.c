/* The meeting protocol: coming into a room, and what is refused at the door. */
#include "house_meet.h"

static void test_welcome(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct wire *wire = house_ws(house);
    char text[500];
    (void)state;
    ws_say(wire, "{'type':'join','version':1,'room':'standup','name':'Mina','audio':true,"
                 "'video':true,'screen':false}");
    struct guest mina = { .wire = wire };
    hear_welcome(&mina);
    snprintf(text, sizeof text,
             "{'type':'welcome','version':1,'seq':1,'you':'m1','session':'%s','room':'standup',"
             "'name':'Mina','topology':'mesh','camera':'simulcast',"
             "'members':[],'iceServers':[],'resumeSeconds':30}",
             mina.session);
    char *wanted = quoted(text);
    assert_string_equal(mina.welcome, wanted);
    free(wanted);
    expect_nothing(mina.wire);

    struct guest jun = house_guest(house, "standup", "Jun");
    assert_string_not_equal(mina.session, jun.session);
    snprintf(text, sizeof text,
             "{'type':'welcome','version':1,'seq':2,'you':'m2','session':'%s','room':'standup',"
             "'name':'Jun','topology':'mesh','camera':'simulcast',"
             "'members':[{'id':'m1','name':'Mina','audio':true,"
             "'video':true,'screen':false,'hand':false,'away':false}],'iceServers':[],"
             "'resumeSeconds':30}",
             jun.session);
    wanted = quoted(text);
    assert_string_equal(jun.welcome, wanted);
    free(wanted);
    expect_nothing(jun.wire);
    expect_text(mina.wire,
                "{'type':'member-joined','seq':2,'member':{'id':'m2','name':'Jun','audio':false,"
                "'video':false,'screen':false,'hand':false,'away':false}}");
    expect_nothing(mina.wire);
    assert_int_equal(house_metric(house, METRIC_ROOMS), 1);
    assert_int_equal(house_metric(house, METRIC_MEMBERS), 2);
    assert_int_equal(house_metric(house, METRIC_JOINS), 2);

    /* another room knows nothing of them */
    struct guest sora = house_guest(house, "Standup", "Mina");
    assert_view(between(sora.welcome, "'members':", ","), "[]");
    expect_nothing(mina.wire);
    house_close(house);
}

static void test_names(void **state)
{
    static const char NAME[] = "0123456789012345678901234567890123456789012345678901234567890123"
                               "0123456789012345678901234567890123456789012345678901234567890123";
    struct house *house = house_build(&(struct wishes){ 0 });
    struct wire *wire = house_ws(house);
    char text[600];
    (void)state;
    static const char *const BAD_ROOMS[] = {
        "", "  ", "a/b", "a\\u0001", "a\\u007f", "a\\u0085", "a\\nb",
    };
    for (size_t i = 0; i < sizeof BAD_ROOMS / sizeof BAD_ROOMS[0]; i++) {
        say_join(wire, BAD_ROOMS[i], "Mina");
        expect_error(wire, "bad-room", ",'re':'join'");
        say_resume(wire, BAD_ROOMS[i], "AAAAAAAAAAAAAAAAAAAAAA", 0);
        expect_error(wire, "bad-room", ",'re':'resume'");
    }
    ws_say(wire, "{'type':'join','version':1,'name':'Mina'}");
    expect_error(wire, "bad-room", ",'re':'join'");
    ws_say(wire, "{'type':'join','version':1,'room':7,'name':'Mina'}");
    expect_error(wire, "bad-room", ",'re':'join'");
    snprintf(text, sizeof text, "x%s", NAME);
    say_join(wire, text, "Mina");
    expect_error(wire, "bad-room", ",'re':'join'");

    static const char *const BAD_NAMES[] = { "", " ", "a\\u0000b", "\\u0007" };
    say_join(wire, "standup", BAD_NAMES[0]);
    expect_error(wire, "bad-name", ",'re':'join'");
    say_join(wire, "standup", BAD_NAMES[1]);
    expect_error(wire, "bad-name", ",'re':'join'");
    say_join(wire, "standup", BAD_NAMES[2]);
    expect_error(wire, "bad-json", "");
    say_join(wire, "standup", BAD_NAMES[3]);
    expect_error(wire, "bad-name", ",'re':'join'");
    say_join(wire, "standup", text);
    expect_error(wire, "bad-name", ",'re':'join'");
    ws_say(wire, "{'type':'join','version':1,'room':'standup'}");
    expect_error(wire, "bad-name", ",'re':'join'");
    assert_int_equal(house_metric(house, METRIC_ROOMS), 0);

    /* the longest, with spaces around them that are not kept; a name may have a '/' */
    snprintf(text, sizeof text, "  %s ", NAME);
    struct guest mina = guest_join(wire, text, " Mina / Kim ");
    assert_view(between(mina.welcome, "'room':'", "\""), NAME);
    struct guest jun = house_guest(house, NAME, "\\uc900\\\\\\\"");
    (void)jun;
    house_close(house);
}

static void test_name_taken(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct guest mina = house_guest(house, "standup", "Mina");
    struct wire *wire = house_ws(house);
    (void)state;
    say_join(wire, "standup", "Mina");
    expect_error(wire, "name-taken", ",'re':'join'");
    say_join(wire, "standup", " Mina ");
    expect_error(wire, "name-taken", ",'re':'join'");
    expect_nothing(mina.wire);
    /* the connection may try again; letters of another case are another name */
    struct guest other = guest_join(wire, "standup", "mina");
    assert_view(between(other.welcome, "'you':'", "\""), "m2");
    house_close(house);
}

/* A browser that crashed gets back in at once. */
static void test_replaced(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct guest mina = house_guest(house, "standup", "Mina");
    struct guest jun = house_guest(house, "standup", "Jun");
    (void)state;
    wire_drop(mina.wire);
    expect_text(jun.wire, "{'type':'member-away','seq':3,'member':'m1'}");
    struct guest again = house_guest(house, "standup", "Mina");
    assert_view(between(again.welcome, "'you':'", "\""), "m3");
    assert_view(between(again.welcome, "'members':", "}"),
                "[{\"id\":\"m2\",\"name\":\"Jun\",\"audio\":false,\"video\":false,\"screen\":false,"
                "\"hand\":false,\"away\":false");
    expect_text(jun.wire, "{'type':'member-left','seq':4,'member':'m1','reason':'replaced'}");
    expect_text(jun.wire,
                "{'type':'member-joined','seq':5,'member':{'id':'m3','name':'Mina','audio':false,"
                "'video':false,'screen':false,'hand':false,'away':false}}");
    expect_nothing(jun.wire);
    assert_int_equal(again.seq, 5);
    expect_nothing(again.wire);

    /* the old place can't be taken up any more, and its time does not run out a second time */
    struct wire *old = house_ws(house);
    say_resume(old, "standup", mina.session, mina.seq);
    expect_error(old, "session-lost", ",'re':'resume'");
    wire_drop(old);
    house_wait(house, 31 * USEC_S);
    assert_int_equal(house_metric(house, METRIC_MEMBERS), 2);
    assert_int_equal(house_metric(house, METRIC_MEMBERS_AWAY), 0);

    /* alone in a room: it ends and begins anew */
    struct guest sora = house_guest(house, "retro", "Sora");
    wire_drop(sora.wire);
    sora = house_guest(house, "retro", "Sora");
    assert_view(between(sora.welcome, "'you':'", "\""), "m1");
    assert_int_equal(house_metric(house, METRIC_MEMBERS), 3);
    house_close(house);
}

static void test_room_full(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct guest guests[TOPOLOGY_MESH_MAX];
    char name[10];
    (void)state;
    for (int i = 0; i < TOPOLOGY_MESH_MAX; i++) {
        snprintf(name, sizeof name, "guest %d", i);
        guests[i] = house_guest(house, "standup", name);
        for (int j = 0; j < i; j++)
            hear_all(guests[j].wire);
    }
    struct wire *wire = house_ws(house);
    say_join(wire, "standup", "Mina");
    expect_error(wire, "room-full", ",'re':'join'");
    say_join(wire, "standup", "guest 3");
    expect_error(wire, "name-taken", ",'re':'join'");
    for (int i = 0; i < TOPOLOGY_MESH_MAX; i++)
        expect_nothing(guests[i].wire);

    /* a place that is kept counts, but not for who takes its name up */
    wire_drop(guests[3].wire);
    hear_all(guests[0].wire);
    say_join(wire, "standup", "Mina");
    expect_error(wire, "room-full", ",'re':'join'");
    struct guest third = guest_join(wire, "standup", "guest 3");
    assert_view(between(third.welcome, "'you':'", "\""), "m17");
    hear_all(guests[0].wire);
    ws_say(guests[4].wire, "{'type':'leave'}");
    expect_text(guests[0].wire, "{'type':'member-left','seq':20,'member':'m5','reason':'left'}");
    house_guest(house, "standup", "Mina");
    house_close(house);
}

static void test_flags_and_version(void **state)
{
    static const char *const VERSIONS[] = {
        "", "'version':2,", "'version':0,", "'version':'1',", "'version':1.5,", "'version':null,"
    };
    static const char *const FLAGS[] = { "'audio':1",        "'video':'true'",
                                         "'screen':null",    "'topologies':'sfu'",
                                         "'topologies':[]",  "'topologies':['mcu',1]",
                                         "'topologies':null" };
    struct house *house = house_build(&(struct wishes){ 0 });
    struct wire *wire = house_ws(house);
    char text[300];
    (void)state;
    for (size_t i = 0; i < sizeof VERSIONS / sizeof VERSIONS[0]; i++) {
        snprintf(text, sizeof text, "{'type':'join',%s'room':'a','name':'b'}", VERSIONS[i]);
        ws_say(wire, text);
        expect_error(wire, "bad-version", ",'re':'join'");
        snprintf(text, sizeof text, "{'type':'resume',%s'room':'a','session':'b'}", VERSIONS[i]);
        ws_say(wire, text);
        expect_error(wire, "bad-version", ",'re':'resume'");
    }
    for (size_t i = 0; i < sizeof FLAGS / sizeof FLAGS[0]; i++) {
        snprintf(text, sizeof text, "{'type':'join','version':1,'room':'a','name':'b',%s}",
                 FLAGS[i]);
        ws_say(wire, text);
        expect_error(wire, "bad-message", ",'re':'join'");
    }
    /* what is not known is ignored, also there */
    ws_say(wire, "{'type':'join','version':1.0,'room':'a','name':'b','topologies':['x','mesh'],"
                 "'x':{}}");
    struct guest guest = { .wire = wire };
    hear_welcome(&guest);
    /* nothing is forwarded here */
    wire = house_ws(house);
    ws_say(wire, "{'type':'join','version':1,'room':'a','name':'c','topologies':['sfu']}");
    expect_error(wire, "no-topology", ",'re':'join'");
    house_close(house);
}

static void test_out_of_turn(void **state)
{
    static const char *const TYPES[] = { "offer", "answer", "candidate", "media",
                                         "hand",  "chat",   "leave" };
    struct house *house = house_build(&(struct wishes){ 0 });
    struct wire *wire = house_ws(house);
    char text[100];
    char behind[100];
    (void)state;
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        snprintf(text, sizeof text, "{'type':'%s','id':5}", TYPES[i]);
        snprintf(behind, sizeof behind, ",'re':'%s','id':5", TYPES[i]);
        ws_say(wire, text);
        expect_error(wire, "not-joined", behind);
    }
    ws_say(wire, "{'type':'ping'}");
    expect_text(wire, "{'type':'pong'}");
    struct guest mina = guest_join(wire, "standup", "Mina");
    say_join(wire, "standup", "Jun");
    expect_error(wire, "already-joined", ",'re':'join'");
    say_join(wire, "retro", "Mina");
    expect_error(wire, "already-joined", ",'re':'join'");
    say_resume(wire, "standup", mina.session, mina.seq);
    expect_error(wire, "already-joined", ",'re':'resume'");
    expect_nothing(wire);
    house_close(house);
}

static void test_bad_json(void **state)
{
    static const char *const TEXTS[] = {
        "",
        " ",
        "{",
        "}",
        "[]",
        "7",
        "null",
        "'ping'",
        "{'type':'ping'",
        "{'type':'ping'}x",
        "{'type':'ping'}{'type':'ping'}",
        "{type:'ping'}",
        "{'type':'ping',}",
        "{'type':'p\ning'}",
        "{'type':'\\ud800'}",
        "{'type':'\\u0000'}",
        "{'type':'\\x'}",
        "\xef\xbb\xbf{'type':'ping'}",
    };
    struct house *house = house_build(&(struct wishes){ 0 });
    struct wire *wire = house_ws(house);
    (void)state;
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        ws_say(wire, TEXTS[i]);
        expect_text(wire, "{'type':'error','code':'bad-json','message':'not a JSON object'}");
    }
    ws_send(wire, WEBSOCKET_TEXT, true, VIEW("{\"type\":\"ping\"}\0"));
    expect_error(wire, "bad-json", "");
    /* 16 deep is as deep as it may be */
    ws_say(wire, "{'type':'ping','x':[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}");
    expect_text(wire, "{'type':'pong'}");
    ws_say(wire, "{'type':'ping','x':[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}");
    expect_text(wire, "{'type':'error','code':'bad-json','message':'nested too deeply'}");

    ws_say(wire, " \t\r\n{ 'type' : 'ping' } \r\n");
    expect_text(wire, "{'type':'pong'}");
    ws_say(wire, "{}");
    expect_error(wire, "bad-message", "");
    ws_say(wire, "{'type':7}");
    expect_error(wire, "bad-message", "");
    ws_say(wire, "{'type':''}");
    expect_error(wire, "unknown-type", ",'re':''");
    ws_say(wire, "{'type':'Ping','id':9}");
    expect_error(wire, "unknown-type", ",'re':'Ping','id':9");
    ws_say(wire, "{'type':'ping','id':-1}");
    expect_error(wire, "bad-message", ",'re':'ping'");
    ws_say(wire, "{'type':'ping','id':'1'}");
    expect_error(wire, "bad-message", ",'re':'ping'");
    ws_say(wire, "{'type':'ping','id':1.5}");
    expect_error(wire, "bad-message", ",'re':'ping'");
    expect_nothing(wire);
    house_close(house);
}

/* What is told of a type that is too long is cut, but never within a character. */
static void test_long_type(void **state)
{
    static const char A[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct house *house = house_build(&(struct wishes){ 0 });
    struct wire *wire = house_ws(house);
    char text[200];
    char behind[200];
    (void)state;
    for (int a = 55; a <= 64; a++) {
        int kept = (64 - a) / 3;
        snprintf(text, sizeof text, "{'type':'%.*s\xeb\xaa\xa8\xec\x9e\x84\xeb\xaa\xa8'}", a, A);
        snprintf(behind, sizeof behind, ",'re':'%.*s%.*s'", a, A, 3 * kept,
                 "\xeb\xaa\xa8\xec\x9e\x84\xeb\xaa\xa8");
        ws_say(wire, text);
        expect_error(wire, "unknown-type", behind);
    }
    house_close(house);
}

static void test_timeout(void **state)
{
    struct house *house = house_build(&(struct wishes){ .workers = 2 });
    struct guest mina = house_guest(house, "standup", "Mina");
    struct wire *mute = house_ws(house);
    struct wire *wrong = house_ws(house);
    (void)state;
    house_wait(house, 9 * USEC_S);
    expect_nothing(mute);
    say_join(wrong, "standup", "Mina"); /* a try does not give more time */
    expect_error(wrong, "name-taken", ",'re':'join'");
    expect_nothing(wrong);
    house_wait(house, 2 * USEC_S);
    expect_text(mute, "{'type':'error','code':'timeout','message':'nothing was joined in time'}");
    expect_close(mute, 1008, "timeout");
    expect_error(wrong, "timeout", "");
    expect_close(wrong, 1008, "timeout");
    expect_nothing(mina.wire);
    assert_int_equal(house_metric(house, METRIC_CLOSED_TIMEOUT), 2);
    house_close(house);
}

/* The rest of a request that opens a WebSocket, behind its Host. */
#define REST                                                                                       \
    "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"               \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static void test_ice_servers(void **state)
{
    static const struct {
        const char *host;
        uint16_t port;
        const char *stun_host;
        const char *servers;
    } CASES[] = {
        { "moim.example:8080", 3478, NULL, "[{'urls':['stun:moim.example:3478']}]" },
        { "moim.example", 3479, NULL, "[{'urls':['stun:moim.example:3479']}]" },
        { "192.0.2.1:80", 3478, NULL, "[{'urls':['stun:192.0.2.1:3478']}]" },
        { "[2001:db8::1]:8443", 3478, NULL, "[{'urls':['stun:[2001:db8::1]:3478']}]" },
        { "[2001:db8::1]", 3478, NULL, "[{'urls':['stun:[2001:db8::1]:3478']}]" },
        { "moim.example:8080", 3478, "203.0.113.7", "[{'urls':['stun:203.0.113.7:3478']}]" },
        { "moim.example", 0, NULL, "[]" },
        { "moim.example", 0, "203.0.113.7", "[]" },
        { "", 3478, NULL, "[]" },
        { ":8080", 3478, NULL, "[]" },
        { "\xff\"<", 3478, NULL, "[]" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct house *house = house_build(
            &(struct wishes){ .stun_port = CASES[i].port, .stun_host = CASES[i].stun_host });
        char text[500];
        for (int turn = 0; turn < 2; turn++) {
            struct guest mina = { .wire = house_connect(house) };
            snprintf(text, sizeof text, "GET /api/v1/meet HTTP/1.1\r\nHost: %s" REST,
                     CASES[i].host);
            wire_write(mina.wire, text);
            bytes_used(&mina.wire->got, sizeof UPGRADED "\r\n" - 1);
            say_join(mina.wire, "standup", turn ? "Jun" : "Mina");
            hear_welcome(&mina);
            snprintf(text, sizeof text, "'iceServers':%s,'resumeSeconds':30}", CASES[i].servers);
            char *wanted = quoted(text);
            if (!strstr(mina.welcome, wanted))
                fail_msg("no %s in %s", wanted, mina.welcome);
            free(wanted);
            if (turn == 0)
                continue;
            /* `resumed` names them, too */
            wire_drop(mina.wire);
            mina.wire = house_connect(house);
            snprintf(text, sizeof text, "GET /api/v1/meet HTTP/1.1\r\nHost: %s" REST,
                     CASES[i].host);
            wire_write(mina.wire, text);
            bytes_used(&mina.wire->got, sizeof UPGRADED "\r\n" - 1);
            say_resume(mina.wire, "standup", mina.session, mina.seq);
            snprintf(text, sizeof text, "{'type':'resumed','seq':2,'received':0,'iceServers':%s}",
                     CASES[i].servers);
            expect_text(mina.wire, text);
        }
        house_close(house);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_welcome),     cmocka_unit_test(test_names),
        cmocka_unit_test(test_name_taken),  cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_room_full),   cmocka_unit_test(test_flags_and_version),
        cmocka_unit_test(test_out_of_turn), cmocka_unit_test(test_bad_json),
        cmocka_unit_test(test_long_type),   cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_ice_servers),
    };
    return cmocka_run_group_tests_name("meet_join", tests, NULL, NULL);
}
