/* test_standin.c - the server in the places of the others: streamers and viewers, two and more who
 * call one another, rooms; through whole servers, on bare WebSockets. */
#include "house_page.h"

static const char *const OFFER_FIELDS[] = { "type", "sdp" };

/* A streamer and viewers; two who call each other; rooms. */
static const struct rule STREAMER_RULES[] = {
    { .on = "offer", .to = TO_OTHERS, .keep = KEEP_FIRST, .signal = SIGNAL_OFFER },
    { .on = "answer", .to = TO_OTHERS, .signal = SIGNAL_ANSWER },
    { .on = "candidate", .to = TO_OTHERS, .keep = KEEP_MORE, .signal = SIGNAL_CANDIDATE },
    { .on = "*", .to = TO_OTHERS },
};
static const struct rule PAIR_RULES[] = {
    { .on = "offer", .to = TO_OTHERS, .signal = SIGNAL_OFFER },
    { .on = "answer", .to = TO_OTHERS, .signal = SIGNAL_ANSWER },
    { .on = "*", .to = TO_OTHERS },
};
static const struct rule ROOM_RULES[] = {
    { .on = "join", .join = "room" },
    { .on = "leave", .leave = "*" },
    { .on = "offer",
      .to = TO_ROOM,
      .field = "roomId",
      .pick = OFFER_FIELDS,
      .pick_count = 2,
      .signal = SIGNAL_OFFER },
    { .on = "answer",
      .to = TO_ROOM,
      .field = "roomId",
      .pick = OFFER_FIELDS,
      .pick_count = 2,
      .signal = SIGNAL_ANSWER },
};

#define STAND_IN(path_, items_)                                                                    \
    {                                                                                              \
        .path = (path_), .carrier = CARRIER_WEBSOCKET, .speech = SPEECH_RELAY,                     \
        .topology = ENDPOINT_SFU, .limits = ROOMY, .rules = {                                      \
            .event_field = "type",                                                                 \
            .items = (items_),                                                                     \
            .count = sizeof(items_) / sizeof(items_)[0]                                            \
        }                                                                                          \
    }

static const struct endpoint_config SERVED[] = {
    STAND_IN("/ws", STREAMER_RULES),
    STAND_IN("/pair", PAIR_RULES),
    STAND_IN("/rooms", ROOM_RULES),
};
static const struct endpoint_configs ENDPOINTS = CONFIGS(SERVED);

static int set_up(void **state)
{
    (void)state;
    pages_open_house(&ENDPOINTS, 16);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pages_close_house();
    return 0;
}

static void a_streamer_reaches_early_and_late_viewers(void **state)
{
    (void)state;
    struct page *early = page_open("/ws", false);
    struct page *streamer = page_open("/ws", true);
    page_offer(streamer);
    pages_talk();
    assert_int_equal(streamer->answers, 1);
    assert_int_equal(streamer->offers, 0);
    assert_int_equal(page_uploads(streamer), 2);
    struct page *late = page_open("/ws", false);
    pages_talk();
    struct page *const viewers[] = { early, late };
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(viewers[i]->offers, 1);
        assert_int_equal(page_uploads(viewers[i]), 0);
        assert_int_equal(page_sees(viewers[i], streamer), 2);
    }
    assert_int_equal(house_metric(house, METRIC_STANDINS), 3);
    assert_int_equal(house_metric(house, METRIC_STANDIN_REFUSED), 0);
}

static void a_viewer_that_comes_before_the_streamer_has_offered_waits(void **state)
{
    (void)state;
    struct page *viewer = page_open("/ws", false);
    pages_talk();
    expect_nothing(viewer->wire);
    assert_int_equal(house_metric(house, METRIC_STANDINS), 0);
}

static void viewers_go_over_to_the_next_streamer_without_a_word(void **state)
{
    (void)state;
    struct page *viewer = page_open("/ws", false);
    struct page *first = page_open("/ws", true);
    page_offer(first);
    pages_talk();
    assert_int_equal(page_sees(viewer, first), 2);
    page_close(first);
    assert_int_equal(house_metric(house, METRIC_STANDINS), 1);
    struct page *second = page_open("/ws", true);
    page_offer(second);
    pages_talk();
    assert_int_equal(viewer->offers, 1);
    assert_int_equal(page_sees(viewer, second), 2);
    /* and who comes now sees that one */
    struct page *late = page_open("/ws", false);
    pages_talk();
    assert_int_equal(page_sees(late, second), 2);
}

static void offers_are_told_in_the_words_in_which_they_came(void **state)
{
    (void)state;
    struct page *viewer = page_open("/ws", false);
    struct page *streamer = page_open("/ws", true);
    streamer->is_wrapped = true;
    page_offer(streamer);
    pages_talk();
    assert_true(view_starts(view_of(viewer->frame.payload),
                            VIEW("{\"type\":\"offer\",\"sdp\":{\"type\":\"offer\",\"sdp\":\"v=0")));
    assert_non_null(strstr(viewer->frame.payload, "\"roomId\":\"r\"}"));
    assert_true(
        view_starts(view_of(streamer->frame.payload),
                    VIEW("{\"type\":\"answer\",\"sdp\":{\"type\":\"answer\",\"sdp\":\"v=0")));
}

static void two_who_call_each_other_upload_once_and_see_each_other(void **state)
{
    (void)state;
    struct page *mina = page_open("/pair", true);
    struct page *jun = page_open("/pair", true);
    page_offer(mina);
    pages_talk();
    assert_int_equal(mina->answers, 1);
    assert_int_equal(jun->offers, 1);
    assert_int_equal(mina->offers + jun->answers, 0);
    assert_int_equal(page_uploads(mina), 2);
    assert_int_equal(page_uploads(jun), 2);
    assert_int_equal(page_sees(mina, jun), 2);
    assert_int_equal(page_sees(jun, mina), 2);
    assert_string_not_equal(mina->stream, "");
}

static void three_see_whoever_published_last(void **state)
{
    (void)state;
    struct page *mina = page_open("/pair", true);
    struct page *jun = page_open("/pair", true);
    page_offer(mina);
    pages_talk();
    struct page *ada = page_open("/pair", true);
    pages_talk();
    assert_int_equal(ada->offers, 0); /* nothing is kept here for those who come later */
    page_offer(ada);
    pages_talk();
    assert_int_equal(page_sees(mina, ada), 2);
    assert_int_equal(page_sees(jun, ada), 2);
    assert_int_equal(page_sees(ada, jun), 2);
    assert_int_equal(mina->offers + ada->offers, 0);
    page_close(ada);
    assert_int_equal(page_sees(mina, jun), 2);
    assert_int_equal(page_sees(jun, mina), 2);
}

static void one_without_a_camera_sees_the_other(void **state)
{
    (void)state;
    struct page *mina = page_open("/pair", true);
    struct page *jun = page_open("/pair", false);
    page_offer(mina);
    pages_talk();
    assert_int_equal(page_sees(jun, mina), 2);
    assert_int_equal(page_sees(mina, jun), 0);
    /* he switches it on, and calls */
    jun->has[0] = jun->has[1] = true;
    page_offer(jun);
    pages_talk();
    assert_int_equal(page_uploads(jun), 2);
    assert_int_equal(page_sees(mina, jun), 2);
}

static void rooms_are_apart_and_the_rules_hold_for_what_is_told(void **state)
{
    (void)state;
    struct page *mina = page_open("/rooms", true);
    struct page *jun = page_open("/rooms", true);
    struct page *ada = page_open("/rooms", true);
    ws_say(mina->wire, "{'type':'join','room':'r'}");
    ws_say(jun->wire, "{'type':'join','room':'r'}");
    ws_say(ada->wire, "{'type':'join','room':'other'}");
    page_offer(mina);
    pages_talk();
    assert_int_equal(page_sees(mina, jun), 2);
    assert_int_equal(page_sees(jun, mina), 2);
    assert_int_equal(ada->offers, 0);
    assert_null(strstr(jun->frame.payload, "roomId"));
    /* who is not in the room is not heard there */
    page_offer(ada);
    pages_talk();
    assert_int_equal(ada->answers, 0);
    assert_int_equal(house_metric(house, METRIC_STANDINS), 2);
}

static void who_leaves_a_room_leaves_its_calls(void **state)
{
    (void)state;
    struct page *mina = page_open("/rooms", true);
    struct page *jun = page_open("/rooms", true);
    ws_say(mina->wire, "{'type':'join','room':'r'}");
    ws_say(jun->wire, "{'type':'join','room':'r'}");
    page_offer(mina);
    pages_talk();
    ws_say(jun->wire, "{'type':'leave'}");
    assert_int_equal(house_metric(house, METRIC_STANDINS), 1);
    assert_int_equal(page_uploads(mina), 2);
    ws_say(jun->wire, "{'type':'join','room':'r'}");
    page_renew(jun);
    page_offer(jun);
    pages_talk();
    assert_int_equal(page_sees(mina, jun), 2);
    assert_int_equal(page_sees(jun, mina), 2);
    assert_int_equal(mina->offers, 0);
}

static void both_call_at_once(void **state)
{
    (void)state;
    struct page *mina = page_open("/pair", true);
    struct page *jun = page_open("/pair", true);
    page_offer(mina);
    page_offer(jun); /* ours is on its way to him */
    assert_int_equal(house_metric(house, METRIC_STANDIN_REFUSED), 1);
    pages_talk(); /* he rolls his own back, and answers */
    assert_int_equal(jun->offers, 1);
    assert_int_equal(jun->answers, 0);
    assert_int_equal(page_sees(mina, jun), 2);
    assert_int_equal(page_sees(jun, mina), 2);
}

static void an_offer_that_was_never_answered_gives_way(void **state)
{
    (void)state;
    struct page *mina = page_open("/pair", true);
    struct page *jun = page_open("/pair", true);
    page_offer(mina);
    ws_hear(jun->wire, &jun->frame); /* and nobody listens */
    house_wait(house, STANDIN_GLARE_TIME);
    page_offer(jun);
    pages_talk();
    assert_int_equal(jun->answers, 1);
    assert_int_equal(page_sees(mina, jun), 2);
    assert_int_equal(page_sees(jun, mina), 2);
    assert_int_equal(house_metric(house, METRIC_STANDINS), 2);
}

static void a_new_connection_takes_the_place_of_the_old(void **state)
{
    (void)state;
    struct page *viewer = page_open("/ws", false);
    struct page *streamer = page_open("/ws", true);
    page_offer(streamer);
    pages_talk();
    page_renew(streamer);
    page_offer(streamer);
    pages_talk();
    assert_int_equal(streamer->answers, 2);
    assert_int_equal(page_uploads(streamer), 2);
    assert_int_equal(page_sees(viewer, streamer), 2);
    assert_int_equal(viewer->offers, 1);
    assert_int_equal(house_metric(house, METRIC_STANDINS), 2);
}

static void an_answer_to_nothing_is_nothing(void **state)
{
    (void)state;
    struct page *viewer = page_open("/ws", false);
    page_say(viewer, "answer", page_write_offer(page_open("/ws", true)));
    struct page *late = page_open("/ws", false);
    pages_talk();
    assert_int_equal(late->offers, 0);
    assert_int_equal(house_metric(house, METRIC_RELAY_REFUSED), 1);
}

static void candidates_go_nowhere_and_all_else_to_the_others(void **state)
{
    (void)state;
    struct page *a = page_open("/ws", false);
    struct page *b = page_open("/ws", false);
    ws_say(a->wire, "{'type':'candidate','candidate':{'candidate':'candidate:1'}}");
    ws_say(a->wire, "{'type':'chat','text':'hello'}");
    expect_text(b->wire, "{'type':'chat','text':'hello'}");
    expect_nothing(b->wire);
}

static void what_is_no_description_harms_nobody(void **state)
{
    static const char *const BAD[] = {
        "{'type':'offer'}",
        "{'type':'offer','sdp':7}",
        "{'type':'offer','sdp':'v=0'}",
        "{'type':'offer','sdp':'v=0\\r\\nm=audio 9 UDP/TLS/RTP/SAVPF 0\\r\\n'}",
        "{'type':'answer','sdp':'v=0\\r\\n'}",
        "{'type':'answer','sdp':'nothing'}",
    };
    (void)state;
    struct page *viewer = page_open("/ws", false);
    struct page *streamer = page_open("/ws", true);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        ws_say(streamer->wire, BAD[i]);
        expect_nothing(viewer->wire);
        expect_nothing(streamer->wire);
    }
    page_offer(streamer);
    pages_talk();
    assert_int_equal(page_sees(viewer, streamer), 2);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        ws_say(streamer->wire, BAD[i]);
        ws_say(viewer->wire, BAD[i]);
    }
    assert_int_equal(page_uploads(streamer), 2);
    assert_int_equal(page_sees(viewer, streamer), 2);
}

/* Every beginning of an offer, and every byte of it another: whatever is answered, nothing is left
 * behind. */
static void broken_offers_leave_nothing_behind(void **state)
{
    static char whole[SDP_MAX];
    static char broken[SDP_MAX];
    (void)state;
    struct page *viewer = page_open("/ws", false);
    struct page *streamer = page_open("/ws", true);
    snprintf(whole, sizeof whole, "%s", page_write_offer(streamer));
    size_t size = strlen(whole);
    for (size_t at = 0; at < 2 * size; at += 7) {
        snprintf(broken, sizeof broken, "%s", whole);
        if (at < size)
            broken[at] = 0;
        else
            broken[at - size] = (char)(broken[at - size] == 'a' ? 'b' : 'a');
        page_say(streamer, "offer", broken);
        while (ws_poll(streamer->wire, &streamer->frame))
            continue;
        while (ws_poll(viewer->wire, &viewer->frame))
            continue;
        assert_true(house_metric(house, METRIC_STANDINS) <= 2);
    }
    house_wait(house, STANDIN_GLARE_TIME);
    page_renew(streamer);
    page_offer(streamer);
    page_hear_all(streamer, true);
    assert_int_equal(page_uploads(streamer), 2);
}

static void no_more_connections_than_may_be(void **state)
{
    (void)state;
    struct page *streamer = page_open("/ws", true);
    page_offer(streamer);
    for (unsigned i = 0; i < PAGES_MAX - 1; i++)
        (void)page_open("/ws", false);
    pages_talk();
    assert_int_equal(house_metric(house, METRIC_STANDINS), 6);
    assert_int_equal(house_metric(house, METRIC_STANDIN_REFUSED), PAGES_MAX - 6);
    page_close(&pages[1]);
    assert_int_equal(house_metric(house, METRIC_STANDINS), 5);
}

static int set_up_small(void **state)
{
    (void)state;
    pages_open_house(&ENDPOINTS, 6);
    return 0;
}

/* Nobody comes to the media port: all end in their time, and calls begin anew. */
static void connections_that_never_stand_end(void **state)
{
    (void)state;
    struct page *viewer = page_open("/ws", false);
    struct page *streamer = page_open("/ws", true);
    page_offer(streamer);
    pages_talk();
    for (unsigned i = 0; i < 10; i++) {
        house_wait(house, 10 * USEC_S);
        for (unsigned n = 0; n < page_count; n++)
            ws_say(pages[n].wire, "{'type':'still','n':1}");
        pages_talk();
    }
    assert_int_equal(house_metric(house, METRIC_STANDINS), 0);
    assert_int_equal(house_metric(house, METRIC_MEDIA_PEERS), 0);
    page_renew(viewer);
    page_renew(streamer);
    page_offer(streamer);
    pages_talk();
    assert_int_equal(page_sees(viewer, streamer), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_streamer_reaches_early_and_late_viewers),
        TEST(a_viewer_that_comes_before_the_streamer_has_offered_waits),
        TEST(viewers_go_over_to_the_next_streamer_without_a_word),
        TEST(offers_are_told_in_the_words_in_which_they_came),
        TEST(two_who_call_each_other_upload_once_and_see_each_other),
        TEST(three_see_whoever_published_last),
        TEST(one_without_a_camera_sees_the_other),
        TEST(rooms_are_apart_and_the_rules_hold_for_what_is_told),
        TEST(who_leaves_a_room_leaves_its_calls),
        TEST(both_call_at_once),
        TEST(an_offer_that_was_never_answered_gives_way),
        TEST(a_new_connection_takes_the_place_of_the_old),
        TEST(an_answer_to_nothing_is_nothing),
        TEST(candidates_go_nowhere_and_all_else_to_the_others),
        TEST(what_is_no_description_harms_nobody),
        TEST(broken_offers_leave_nothing_behind),
        cmocka_unit_test_setup_teardown(no_more_connections_than_may_be, set_up_small, tear_down),
        TEST(connections_that_never_stand_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
