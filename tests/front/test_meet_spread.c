/* A meeting whose members' media is at two workers: what is told, and what is sent. */
#include "house_spread.h"

/* ---- what is told ---- */

static void test_told(void **state)
{
    (void)state;
    char text[100];
    connect_all("AVavavav");
    /* the same for all: what there is, wherever it is */
    for (unsigned i = 0; i < 4; i++) {
        unsigned worker;
        const struct seat *seat = seat_of(i, &worker);
        unsigned bears = 0;
        for (struct transceiver *at = NULL; (at = peer_next(seat->peer, at));)
            bears += at->subscription != NULL;
        assert_int_equal(bears, 6);
    }
    ws_say(guests[1].wire, "{'type':'leave'}");
    ws_say(guests[2].wire, "{'type':'leave'}");
    /* the last that the others are told: the one of the other worker */
    for (unsigned i = 0; i < 4; i += 3) {
        const char *last = last_told(i, "tracks");
        snprintf(text, sizeof text, "\"member\":\"m%u\",\"source\":\"camera\"", 3 - i + 1);
        assert_non_null(strstr(last, text));
        assert_non_null(strstr(last, "\"wanted\":{\"audio\":1,\"video\":1}"));
    }
}

static void test_small_stays(void **state)
{
    (void)state;
    assert_int_equal(connect_guest(0, "AVavavav"), home);
    assert_int_equal(connect_guest(1, "AVavavav"), home);
    assert_true(list_empty(&house->servers[1 - home]->spread->stages));
    assert_int_equal(house_metric(house, METRIC_MEDIA_LINKS), 0);
    assert_int_equal(house->servers[1 - home]->seats.used, 0);
}

/* What is hidden is not sent, wherever its peer is, and who hides it is told. */
static void test_hidden(void **state)
{
    (void)state;
    connect_all("AVavavav");
    say_frame(0, 1, true);
    for (unsigned i = 1; i < 4; i++) {
        ws_say(guests[i].wire,
               "{'type':'sfu-wish','tiles':[{'mid':'3','width':0,'height':0},"
               "{'mid':'5','width':0,'height':0},{'mid':'7','width':0,'height':0}]}");
        run();
    }
    house_wait(house, 1 * USEC_S);
    forget_heard();
    say_frame(0, 2, true);
    for (unsigned i = 1; i < 4; i++) {
        assert_int_equal(fars[i]->rtp_count, 0);
        assert_non_null(strstr(last_told(i, "sfu-state"), "\"hidden\",\"on\":false"));
        ws_say(guests[i].wire, "{'type':'sfu-wish','tiles':[{'mid':'3'},{'mid':'5'},{'mid':'7'}]}");
        run();
    }
    house_wait(house, 1 * USEC_S);
    say_frame(0, 3, true);
    for (unsigned i = 1; i < 4; i++) {
        assert_int_equal(fars[i]->rtp_count, 1);
        assert_non_null(strstr(last_told(i, "sfu-state"), "\"tracks\":[]"));
    }
}

/* Who comes at the same time is counted, too, before it is there. */
static void test_at_once(void **state)
{
    (void)state;
    guests[4] = sfu_guest(house, "e");
    for (unsigned i = 0; i < 4; i++)
        hear_all(guests[i].wire);
    offer(0, "AVavavav");
    offer(1, "AVavavav");
    house->notes_wait = true;
    for (unsigned i = 2; i < 5; i++)
        say_offer(guests[i].wire, "AVavavav", "'new':true," BOTH_SOURCES);
    house->notes_wait = false;
    run();
    unsigned worker;
    for (unsigned i = 0; i < 5; i++) {
        assert_non_null(seat_of(i, &worker));
        assert_int_equal(worker, i == 2 || i == 3 ? 1 - home : home);
    }
}

/* ---- what is sent ---- */

static void test_packets_there(void **state)
{
    (void)state;
    connect_all("AVavavav");
    forget_heard();
    say_frame(0, 1, true);
    say_frame(0, 2, false);
    for (unsigned i = 1; i < 4; i++)
        assert_int_equal(fars[i]->rtp_count, 2);
    forget_heard();
    say_frame(2, 1, true);
    assert_int_equal(fars[0]->rtp_count, 1);
    assert_int_equal(fars[1]->rtp_count, 1);
    assert_int_equal(fars[2]->rtp_count, 0);
    assert_int_equal(fars[3]->rtp_count, 1);
    /* one link a track: two members, with two tracks each, both ways */
    assert_int_equal(house_metric(house, METRIC_MEDIA_LINKS), 8);
}

/* Who comes later, there, is given a key frame. */
static void test_late(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        connect_guest(i, "AVavavav");
    say_frame(0, 1, true);
    say_frame(0, 2, true);
    house_wait(house, 1 * USEC_S);
    unsigned before = fars[0]->rtcp_count;
    fars[0]->rtcp_size = 0;
    connect_guest(3, "AVavavav");
    say_frame(0, 3, false);
    assert_true(fars[0]->rtcp_count > before);
    struct rtcp_packet packet;
    struct view rest = view_make(fars[0]->rtcp, fars[0]->rtcp_size);
    bool has_pli = false;
    while (rtcp_next(&rest, &packet) == OK)
        has_pli |= packet.type == RTCP_PSFB && packet.count == RTCP_PLI;
    assert_true(has_pli);
    assert_int_equal(fars[3]->rtp_count, 0);
    say_frame(0, 4, true);
    assert_int_equal(fars[3]->rtp_count, 1);
}

/* What finds no room is lost, and no more than that. */
static void test_blocked(void **state)
{
    (void)state;
    connect_all("AVavavav");
    say_frame(0, 1, true);
    forget_heard();
    house->roads[home].is_blocked = true;
    say_frame(0, 2, false);
    house->roads[home].is_blocked = false;
    assert_int_equal(fars[1]->rtp_count, 1);
    assert_int_equal(fars[3]->rtp_count, 0);
    assert_int_equal(house_metric(house, METRIC_MEDIA_LINK_LOST), 1);
    say_frame(0, 3, false);
    assert_int_equal(fars[3]->rtp_count, 1);
}

/* A link is there for as long as somebody is sent what it brings. */
static void test_nobody_watches(void **state)
{
    (void)state;
    connect_all("AVavavav");
    ws_say(guests[3].wire, "{'type':'sfu-close'}");
    say_offer(guests[2].wire, "AVavavav", BOTH_SOURCES);
    run();
    assert_int_equal(house_metric(house, METRIC_MEDIA_LINKS), 6);
    ws_say(guests[2].wire, "{'type':'sfu-close'}");
    run();
    assert_int_equal(house_metric(house, METRIC_MEDIA_LINKS), 0);
    assert_true(list_empty(&house->servers[1 - home]->spread->stages));
    assert_int_equal(house->servers[home]->spread->outlets.used, 0);
    forget_heard();
    say_frame(0, 1, true);
    assert_int_equal(fars[1]->rtp_count, 1);
}

/* ... which is not all that there is, where slots are few. */
static void test_few_slots(void **state)
{
    (void)state;
    connect_guest(0, "AVav");
    connect_guest(1, "AVav");
    hear_all(guests[2].wire);
    connect_guest(2, "AVav");
    const struct pool *inlets = &house->servers[1 - home]->spread->inlets;
    assert_int_equal(inlets->used, 2);
    assert_non_null(strstr(last_told(2, "tracks"), "\"member\":\"m1\",\"source\":\"camera\""));
    ws_say(guests[1].wire, "{'type':'media','video':true}");
    run();
    assert_non_null(strstr(last_told(2, "tracks"), "\"member\":\"m2\",\"source\":\"camera\""));
    assert_int_equal(inlets->used, 2);
    assert_int_equal(house->servers[home]->spread->outlets.used, 2);
    fars[0]->rtp_count = fars[2]->rtp_count = 0;
    say_frame(0, 1, true);
    assert_int_equal(fars[2]->rtp_count, 0);
    say_frame(1, 1, true);
    assert_int_equal(fars[2]->rtp_count, 1);
}

/* A track that is no more, and another one in its place. */
static void test_other_track(void **state)
{
    (void)state;
    connect_all("AVavavav");
    say_offer(guests[0].wire, "AVavavav", "");
    run();
    for (unsigned i = 1; i < 4; i++) {
        const char *last = last_told(i, "tracks");
        assert_true(last[0] && !strstr(last, "\"m1\""));
    }
    assert_int_equal(house_metric(house, METRIC_MEDIA_LINKS), 6);
    say_offer(guests[0].wire, "AVavavav", BOTH_SOURCES);
    run();
    forget_heard();
    say_frame(0, 1, true);
    for (unsigned i = 1; i < 4; i++)
        assert_int_equal(fars[i]->rtp_count, 1);
}

/* ---- errors and ends ---- */

static void test_refused(void **state)
{
    (void)state;
    offer(0, "AVavavav");
    offer(1, "AVavavav");
    hear_all(guests[2].wire);
    ws_say(guests[2].wire, "{'type':'sfu-offer','new':true,'id':1,'sdp':'v=0\\r\\nx'}");
    expect_error(guests[2].wire, "bad-sdp", ",'re':'sfu-offer','id':1");
    assert_true(list_empty(&house->servers[1 - home]->spread->stages));
    offer(2, "AVavavav");
    hear_all(guests[2].wire);
    ws_say(guests[2].wire, "{'type':'sfu-offer','sdp':'v=0\\r\\n'}");
    expect_error(guests[2].wire, "bad-sdp", ",'re':'sfu-offer'");
    say_offer(guests[2].wire, "AVavavavav", BOTH_SOURCES); /* what there was goes on */
    expect_event(guests[2].wire, "sfu-answer", ",'sdp':'v=0\\r\\n");
}

static void test_one_at_a_time(void **state)
{
    (void)state;
    offer(0, "AVavavav");
    offer(1, "AVavavav");
    hear_all(guests[2].wire);
    house->notes_wait = true;
    say_offer(guests[2].wire, "AVavavav", "'new':true," BOTH_SOURCES);
    say_offer(guests[2].wire, "AVavavav", BOTH_SOURCES);
    expect_error(guests[2].wire, "bad-message", ",'re':'sfu-offer'");
    say_offer(guests[2].wire, "AVavavav", "'new':true," BOTH_SOURCES); /* begins anew */
    house->notes_wait = false;
    run();
    expect_event(guests[2].wire, "sfu-answer", ",'sdp':'v=0\\r\\n");
    assert_int_equal(house->servers[1 - home]->seats.used, 1);
    house->notes_wait = true;
    say_offer(guests[2].wire, "AVavavav", BOTH_SOURCES);
    ws_say(guests[2].wire, "{'type':'leave'}"); /* before the answer comes */
    house->notes_wait = false;
    run();
    assert_int_equal(house->servers[1 - home]->seats.used, 0);
}

static void test_lost(void **state)
{
    (void)state;
    connect_all("AVavavav");
    for (unsigned i = 0; i < 34; i++) { /* the third is silent */
        house_wait(house, 1 * USEC_S);
        for (unsigned k = 0; k < 4; k++)
            if (k != 2)
                far_check(fars[k], true);
        run();
    }
    assert_non_null(strstr(last_told(2, "sfu-closed"), "\"lost\""));
    const char *last = last_told(0, "tracks");
    assert_null(strstr(last, "\"m3\""));
    assert_non_null(strstr(last, "\"m4\""));
    hear_all(guests[2].wire);
    connect_guest(2, "AVavavav");
}

static void test_room_ends(void **state)
{
    (void)state;
    connect_all("AVavavav");
    for (unsigned i = 0; i < 4; i++)
        ws_say(guests[i].wire, "{'type':'leave'}");
    run();
    check_empty();
}

static void test_mesh(void **state)
{
    (void)state;
    connect_all("AVavavav");
    ws_say(guests[0].wire, "{'type':'leave'}");
    ws_say(guests[1].wire, "{'type':'leave'}");
    house_wait(house, 26 * USEC_S);
    run();
    assert_non_null(strstr(last_told(2, "sfu-closed"), "\"mesh\""));
    check_empty();
}

static void test_stopped(void **state)
{
    (void)state;
    connect_all("AVavavav");
    for (unsigned i = 0; i < 2; i++)
        server_stop(house->servers[i], house->now);
    run();
}

/* ... with all that goes on, one after the other. */
static void test_freed(void **state)
{
    (void)state;
    set_up(NULL);
    connect_all("AVavavav");
    say_frame(0, 1, true);
    house->notes_wait = true;
    ws_say(guests[1].wire, "{'type':'leave'}");
    for (unsigned i = 0; i < 2; i++)
        server_free(house->servers[i]);
    for (size_t i = 0; i < HOUSE_WIRES_MAX; i++) {
        free(house->wires[i].got.at);
        free(house->wires[i].unfed.at);
    }
    free(house->metrics);
    free(house);
    port_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_told),
        TEST(test_small_stays),
        TEST(test_at_once),
        TEST(test_packets_there),
        TEST(test_late),
        TEST(test_blocked),
        TEST(test_nobody_watches),
        TEST(test_few_slots),
        TEST(test_other_track),
        TEST(test_refused),
        TEST(test_one_at_a_time),
        TEST(test_lost),
        TEST(test_room_ends),
        TEST(test_mesh),
        TEST(test_stopped),
        TEST(test_hidden),
        cmocka_unit_test(test_freed),
    };
    return cmocka_run_group_tests_name("meet_spread", tests, NULL, NULL);
}
