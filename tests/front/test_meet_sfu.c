/* The meeting protocol's SFU: topologies, offers, answers, and which slot bears what. */
#include "house_sfu.h"

#include "front/media_report.h"

static struct house *house;
static struct guest guests[4]; /* m1, m2, ... */

/* Three guests, in a room that is sfu from now on; what came so far has been heard. */
static int set_up(void **state)
{
    (void)state;
    house = sfu_house((struct wishes){ 0 }, 4);
    for (unsigned i = 0; i < 3; i++) {
        char name[2] = { (char)('a' + i), 0 };
        guests[i] = sfu_guest(house, name);
    }
    for (unsigned i = 0; i < 3; i++)
        hear_all(guests[i].wire);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sfu_house_close(house);
    return 0;
}

static void hear_answer(struct wire *wire)
{
    expect_event(wire, "sfu-answer", ",'sdp':'v=0\\r\\n");
}

/* Publishes both and has a slot for each of two others; what it is told then is not heard yet. */
static void connect_guest(struct guest *guest)
{
    say_offer(guest->wire, "AVavav", "'new':true," BOTH_SOURCES);
    hear_answer(guest->wire);
}

static void test_third_comes(void **state)
{
    (void)state;
    house = sfu_house((struct wishes){ 0 }, 4);
    guests[0] = sfu_guest(house, "a");
    guests[1] = sfu_guest(house, "b");
    assert_non_null(strstr(guests[1].welcome, "\"topology\":\"mesh\""));
    hear_all(guests[0].wire);
    guests[2] = sfu_guest(house, "c");
    assert_non_null(strstr(guests[2].welcome, "\"topology\":\"sfu\""));
    expect_event(guests[0].wire, "member-joined", "");
    expect_event(guests[0].wire, "topology", ",'topology':'sfu'}");
    expect_nothing(guests[2].wire);
    ws_say(guests[2].wire, "{'type':'leave'}");
    expect_event(guests[0].wire, "member-left", "");
    expect_nothing(guests[0].wire);
    house_wait(house, 6 * USEC_S);
    expect_event(guests[0].wire, "topology", ",'topology':'mesh'}");
    sfu_house_close(house);
}

static void test_two_hear_each_other(void **state)
{
    (void)state;
    connect_guest(&guests[0]);
    expect_tracks(guests[0].wire, "", 0, 0);
    connect_guest(&guests[1]);
    expect_tracks(guests[0].wire,
                  "{'mid':'2','member':'m2','source':'microphone'},"
                  "{'mid':'3','member':'m2','source':'camera'}",
                  1, 1);
    expect_tracks(guests[1].wire,
                  "{'mid':'2','member':'m1','source':'microphone'},"
                  "{'mid':'3','member':'m1','source':'camera'}",
                  1, 1);
    expect_nothing(guests[2].wire); /* it has no connection yet */
}

/* For whoever runs the server. */
static void test_whose(void **state)
{
    (void)state;
    struct media_name name;
    const struct server *server = house->servers[0];
    connect_guest(&guests[1]);
    const struct peer *peer = LIST_ENTRY(server->sfu->all.next, struct peer, of_sfu);
    assert_true(media_name(peer, &name));
    assert_int_equal(name.path.size, 0);
    assert_view(name.room_name, "a");
    assert_view(name.member_name, "b");
    assert_view(view_make(name.id, name.id_size), "m2");
    const struct media_owner *owner = peer->owner;
    const struct transceiver *first = peer_next(peer, NULL);
    assert_view(owner->source(peer, first->receiving), "microphone");
    assert_view(owner->source(peer, peer_next(peer, first)->receiving), "camera");
}

static void test_slots_are_used_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        connect_guest(&guests[i]);
    for (unsigned i = 0; i < 3; i++)
        hear_all(guests[i].wire);
    guests[3] = sfu_guest(house, "d");
    hear_all(guests[0].wire);
    ws_say(guests[1].wire, "{'type':'leave'}");
    expect_event(guests[0].wire, "member-left", "");
    expect_tracks(guests[0].wire,
                  "{'mid':'4','member':'m3','source':'microphone'},"
                  "{'mid':'5','member':'m3','source':'camera'}",
                  1, 1);
    hear_all(guests[3].wire);
    connect_guest(&guests[3]);
    expect_tracks(guests[0].wire,
                  "{'mid':'4','member':'m3','source':'microphone'},"
                  "{'mid':'2','member':'m4','source':'microphone'},"
                  "{'mid':'5','member':'m3','source':'camera'},"
                  "{'mid':'3','member':'m4','source':'camera'}",
                  2, 2);
}

static void test_too_few_slots(void **state)
{
    (void)state;
    connect_guest(&guests[0]);
    connect_guest(&guests[1]);
    hear_all(guests[2].wire);
    say_offer(guests[2].wire, "av", "'new':true,");
    hear_answer(guests[2].wire);
    expect_tracks(guests[2].wire,
                  "{'mid':'0','member':'m1','source':'microphone'},"
                  "{'mid':'1','member':'m1','source':'camera'}",
                  2, 2);
    ws_say(guests[1].wire, "{'type':'media','video':true}"); /* on before off */
    expect_event(guests[2].wire, "media", "");
    expect_tracks(guests[2].wire,
                  "{'mid':'0','member':'m1','source':'microphone'},"
                  "{'mid':'1','member':'m2','source':'camera'}",
                  2, 2);
    say_offer(guests[2].wire, "avav", "");
    hear_answer(guests[2].wire);
    expect_tracks(guests[2].wire,
                  "{'mid':'0','member':'m1','source':'microphone'},"
                  "{'mid':'2','member':'m2','source':'microphone'},"
                  "{'mid':'3','member':'m1','source':'camera'},"
                  "{'mid':'1','member':'m2','source':'camera'}",
                  2, 2);
}

static void test_screen(void **state)
{
    (void)state;
    connect_guest(&guests[0]);
    connect_guest(&guests[1]);
    hear_all(guests[0].wire);
    hear_all(guests[1].wire);
    say_offer(guests[0].wire, "AVavavVA",
              "'tracks':[{'mid':'0','source':'microphone'},{'mid':'1','source':'camera'},"
              "{'mid':'6','source':'screen'},{'mid':'7','source':'screen-audio'}],");
    hear_answer(guests[0].wire);
    expect_tracks(guests[1].wire,
                  "{'mid':'2','member':'m1','source':'microphone'},"
                  "{'mid':'4','member':'m1','source':'screen-audio'},"
                  "{'mid':'3','member':'m1','source':'camera'},"
                  "{'mid':'5','member':'m1','source':'screen'}",
                  2, 2);
    say_offer(guests[0].wire, "AVavavVA", BOTH_SOURCES); /* not shared any more */
    hear_answer(guests[0].wire);
    expect_tracks(guests[1].wire,
                  "{'mid':'2','member':'m1','source':'microphone'},"
                  "{'mid':'3','member':'m1','source':'camera'}",
                  1, 1);
}

/* The n-th slot of audio and that of video are one stream. */
static void test_names(void **state)
{
    (void)state;
    say_offer(guests[0].wire, "avav", "'new':true,");
    struct frame frame = expect_event(guests[0].wire, "sfu-answer", "");
    static const char *const NAMES[] = { "a=msid:slot1 a1\\r\\n", "a=msid:slot1 v1\\r\\n",
                                         "a=msid:slot2 a2\\r\\n", "a=msid:slot2 v2\\r\\n" };
    const char *at = frame.payload;
    for (unsigned i = 0; i < 4; i++) {
        at = strstr(at, NAMES[i]);
        assert_non_null(at);
    }
    assert_non_null(strstr(frame.payload, "a=ice-lite"));
    assert_non_null(strstr(frame.payload, "a=candidate:"));
}

static void test_refusals(void **state)
{
    struct wire *wire = guests[0].wire;
    (void)state;
    say_offer(wire, "AVav", BOTH_SOURCES);
    expect_error(wire, "no-sfu", ",'re':'sfu-offer'");
    ws_say(wire, "{'type':'sfu-offer','new':true}");
    expect_error(wire, "bad-message", ",'re':'sfu-offer'");
    static const char *const WRONG[] = {
        "'new':1,",
        "'tracks':{},",
        "'tracks':[1],",
        "'tracks':[{'mid':'0'}],",
        "'tracks':[{'mid':'0','source':'nose'}],",
        "'tracks':[{'mid':'','source':'camera'}],",
        "'tracks':[{'mid':'12345678901234567','source':'camera'}],",
        "'tracks':[{'mid':'0','source':'camera'},{'mid':'1','source':'camera'}],",
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        say_offer(wire, "AVav", WRONG[i]);
        expect_error(wire, "bad-message", ",'re':'sfu-offer'");
    }
    ws_say(wire, "{'type':'sfu-offer','new':true,'sdp':'v=0\\r\\nx'}");
    expect_error(wire, "bad-sdp", ",'re':'sfu-offer'");
    assert_int_equal(house->servers[0]->seats.used, 0);

    connect_guest(&guests[0]);
    hear_all(wire);
    ws_say(wire, "{'type':'sfu-offer','sdp':'v=0\\r\\n'}");
    expect_error(wire, "bad-sdp", ",'re':'sfu-offer'");
    say_offer(wire, "A", ""); /* sections that there were are missing */
    expect_error(wire, "bad-sdp", ",'re':'sfu-offer'");
    say_offer(wire, "AVavavav", BOTH_SOURCES); /* what there was goes on */
    hear_answer(wire);
    assert_int_equal(house->servers[0]->seats.used, 1);
}

/* What is named but is not there, or is of the other kind, is not published. */
static void test_wrong_mids(void **state)
{
    (void)state;
    connect_guest(&guests[1]);
    hear_all(guests[1].wire);
    say_offer(guests[0].wire, "AVav",
              "'new':true,'tracks':[{'mid':'9','source':'microphone'},"
              "{'mid':'0','source':'camera'},{'mid':'2','source':'screen-audio'}],");
    hear_answer(guests[0].wire);
    expect_nothing(guests[1].wire);
}

static void permit(const struct guest *guest, uint8_t permissions)
{
    struct stream *stream = pool_at(&house->servers[0]->streams, guest->wire->stream);
    struct member *member = stream->context;
    member->pass.permissions = permissions;
}

static void test_permissions(void **state)
{
    (void)state;
    permit(&guests[0], TOKEN_SUBSCRIBE);
    permit(&guests[1], TOKEN_PUBLISH);
    connect_guest(&guests[0]);
    expect_tracks(guests[0].wire, "", 0, 0);
    connect_guest(&guests[1]);
    expect_tracks(guests[1].wire, "", 0, 0); /* nothing is sent to it, whatever there is */
    expect_tracks(guests[0].wire,
                  "{'mid':'2','member':'m2','source':'microphone'},"
                  "{'mid':'3','member':'m2','source':'camera'}",
                  1, 1);
    hear_all(guests[2].wire);
    connect_guest(&guests[2]);
    expect_tracks(guests[2].wire,
                  "{'mid':'2','member':'m2','source':'microphone'},"
                  "{'mid':'3','member':'m2','source':'camera'}",
                  1, 1); /* nothing has come of the first */
}

/* Microphone and camera stay side by side, also where there are more of one kind. */
static void test_pairs(void **state)
{
    (void)state;
    say_offer(guests[1].wire, "A", "'new':true,'tracks':[{'mid':'0','source':'microphone'}],");
    connect_guest(&guests[2]);
    hear_all(guests[0].wire);
    say_offer(guests[0].wire, "avavav", "'new':true,");
    hear_answer(guests[0].wire);
    expect_tracks(guests[0].wire,
                  "{'mid':'0','member':'m2','source':'microphone'},"
                  "{'mid':'2','member':'m3','source':'microphone'},"
                  "{'mid':'3','member':'m3','source':'camera'}",
                  2, 1);
}

static void test_new_and_close(void **state)
{
    (void)state;
    connect_guest(&guests[0]);
    connect_guest(&guests[1]);
    hear_all(guests[0].wire);
    hear_all(guests[1].wire);
    connect_guest(&guests[0]); /* another RTCPeerConnection in place of the first */
    hear_all(guests[0].wire);
    assert_int_equal(house->servers[0]->seats.used, 2);
    expect_nothing(guests[1].wire); /* it has the same in the same slots */
    ws_say(guests[0].wire, "{'type':'sfu-close'}");
    expect_nothing(guests[0].wire);
    expect_tracks(guests[1].wire, "", 0, 0);
    ws_say(guests[0].wire, "{'type':'sfu-close'}");
    assert_int_equal(house->servers[0]->seats.used, 1);
}

/* Nobody answers checks: the connection ends, and both hear of it. */
static void test_lost(void **state)
{
    (void)state;
    connect_guest(&guests[0]);
    hear_all(guests[0].wire);
    house_wait(house, 35 * USEC_S);
    expect_event(guests[0].wire, "sfu-closed", ",'reason':'failed'}");
    assert_int_equal(house->servers[0]->seats.used, 0);
    connect_guest(&guests[0]);
}

static void test_overlap(void **state)
{
    (void)state;
    connect_guest(&guests[0]);
    hear_all(guests[0].wire);
    ws_say(guests[2].wire, "{'type':'leave'}");
    house_wait(house, 6 * USEC_S);
    hear_all(guests[0].wire);
    say_offer(guests[1].wire, "AVav", "'new':true,");
    hear_all(guests[1].wire);
    assert_int_equal(house->servers[0]->seats.used, 1);  /* no new one in a mesh */
    say_offer(guests[0].wire, "AVavavav", BOTH_SOURCES); /* but what there is goes on */
    hear_answer(guests[0].wire);
    house_wait(house, 20 * USEC_S);
    expect_event(guests[0].wire, "sfu-closed", ",'reason':'mesh'}");
    assert_int_equal(house->servers[0]->seats.used, 0);
}

/* ... unless it has become sfu again by then. */
static void test_overlap_and_back(void **state)
{
    (void)state;
    connect_guest(&guests[0]);
    ws_say(guests[2].wire, "{'type':'leave'}");
    house_wait(house, 6 * USEC_S);
    guests[3] = sfu_guest(house, "d");
    hear_all(guests[0].wire);
    house_wait(house, 21 * USEC_S);
    struct frame frame;
    while (ws_poll(guests[0].wire, &frame))
        assert_null(strstr(frame.payload, "sfu-closed"));
    assert_int_equal(house->servers[0]->seats.used, 1);
}

/* What was told while the member was away comes behind `resumed`. */
static void test_resume(void **state)
{
    (void)state;
    connect_guest(&guests[0]);
    expect_tracks(guests[0].wire, "", 0, 0);
    wire_drop(guests[0].wire);
    hear_all(guests[1].wire);
    connect_guest(&guests[1]);
    assert_int_equal(house->servers[0]->seats.used, 2);
    struct wire *wire = house_ws(house);
    say_resume(wire, "a", guests[0].session, guests[0].seq);
    struct frame frame;
    ws_hear(wire, &frame);
    assert_non_null(strstr(frame.payload, "\"resumed\""));
    bool has_topology = false;
    do {
        hear_past_pings(wire, &frame);
        has_topology |= strstr(frame.payload, "\"topology\":\"sfu\"") != NULL;
    } while (!strstr(frame.payload, "{\"mid\":\"2\",\"member\":\"m2\""));
    assert_true(has_topology);
}

static void test_full(void **state)
{
    (void)state;
    sfu_house_close(house);
    house = sfu_house((struct wishes){ 0 }, 1);
    for (unsigned i = 0; i < 3; i++) {
        char name[2] = { (char)('a' + i), 0 };
        guests[i] = sfu_guest(house, name);
    }
    hear_all(guests[1].wire);
    connect_guest(&guests[1]);
    hear_all(guests[0].wire);
    say_offer(guests[0].wire, "AVav", "'new':true,");
    expect_error(guests[0].wire, "sfu-full", ",'re':'sfu-offer'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_third_comes),
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_two_hear_each_other),
        TEST(test_whose),
        TEST(test_slots_are_used_again),
        TEST(test_too_few_slots),
        TEST(test_screen),
        TEST(test_names),
        TEST(test_refusals),
        TEST(test_wrong_mids),
        TEST(test_permissions),
        TEST(test_pairs),
        TEST(test_new_and_close),
        TEST(test_lost),
        TEST(test_overlap),
        TEST(test_overlap_and_back),
        TEST(test_resume),
        TEST(test_full),
    };
    return cmocka_run_group_tests_name("meet_sfu", tests, NULL, NULL);
}
