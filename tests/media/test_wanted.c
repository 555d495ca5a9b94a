/* Which encodings of a simulcast are wanted, by the windows in which they are shown. */
#include "sfu_house.h"

#define MID_ID     5
#define RID_ID     6
#define MEDIA_TYPE 100

enum { L = 1, M = 2, H = 4, ALL = 7 };

static const char RIDS[] = "lmh";
static const uint16_t WIDTHS[] = { 320, 640, 1280 };
static uint16_t number;
static struct client carol;

/* Alice publishes a camera in three sizes; the others may watch. */
static int begin(void **state)
{
    struct text offer;
    set_up(state);
    memset(&carol, 0, sizeof carol);
    number = 100;
    head(&offer, 1);
    video(&offer, 0, "sendonly", MEDIA_TYPE, MID_ID);
    line(&offer, "a=extmap:%u urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", RID_ID);
    line(&offer, "a=rid:l send\r\na=rid:m send\r\na=rid:h send\r\na=simulcast:send l;m;h");
    join(&alice, &offer, NULL);
    receive(&bob);
    receive(&carol);
    return 0;
}

static unsigned wanted(void)
{
    return track_of(&alice)->wanted.told & ALL;
}

static void say_frame(unsigned encodings, bool is_key)
{
    for (unsigned i = 0; i < 3; i++)
        if (encodings >> i & 1)
            say_this(&alice, &(struct saying){ .ssrc = 7000 + 2 * i,
                                               .type = MEDIA_TYPE,
                                               .number = number,
                                               .is_key = is_key,
                                               .mid_id = MID_ID,
                                               .mid = '0',
                                               .rid_id = RID_ID,
                                               .rid = RIDS[i],
                                               .size = (uint16_t)(200 << i),
                                               .width = WIDTHS[i] });
    run();
    number++;
    wait(20 * USEC_MS);
}

/* Fifty frames a second. */
static void play(unsigned encodings, usec time, bool is_key)
{
    for (usec end = port.now + time; port.now < end;)
        say_frame(encodings, is_key);
}

static bool is_asked(void)
{
    const struct track *track = track_of(&alice);
    bool is = false;
    for (unsigned i = 0; i < track->encoding_count; i++)
        is |= track->encodings[i]->memory && track->encodings[i]->stream.key_requests.is_wanted;
    return is;
}

/* The same from who sends what is wanted, beginning with a key frame. */
static void obey(usec time)
{
    unsigned before = 0;
    for (usec end = port.now + time; port.now < end;) {
        unsigned now = wanted();
        say_frame(now, (now & ~before) != 0 || is_asked());
        before = now;
    }
}

static void watch(struct client *client)
{
    assert_int_equal(transceiver_subscribe(slot_of(client), port.now, track_of(&alice)), OK);
    run();
}

static void show(struct client *client, uint16_t width, uint16_t height)
{
    const struct transceiver_wish wish = { .width = width, .height = height };
    transceiver_want(slot_of(client), port.now, &wish);
    run();
}

static bool is_told(void)
{
    const struct peer *peer;
    bool is = false;
    while ((peer = sfu_poll_wanted(&sfu)))
        is = is || peer == alice.peer;
    return is;
}

static void assert_gets(struct client *client, uint16_t width)
{
    unsigned size = 200u * width / 320;
    unsigned count = client->far->rtp_count;
    say_frame(wanted(), false);
    assert_int_equal(client->far->rtp_count, count + (width > 0));
    if (width > 0)
        assert_int_equal(client->far->rtp_size, 12 + 8 + size);
}

/* Nobody watches: nothing is wanted, after a while. */
static void test_alone(void **state)
{
    (void)state;
    assert_true(is_told()); /* it is new */
    play(ALL, WANTED_PATIENCE - 100 * USEC_MS, true);
    assert_int_equal(wanted(), ALL);
    assert_false(is_told());
    play(ALL, 200 * USEC_MS, true);
    assert_int_equal(wanted(), 0);
    assert_true(is_told());
    watch(&bob);
    assert_int_equal(wanted(), ALL); /* at once */
    assert_true(is_told());
}

static void test_windows(void **state)
{
    (void)state;
    watch(&bob);
    play(ALL, 3 * USEC_S, true);
    assert_int_equal(wanted(), ALL); /* it is not known how it is shown */
    show(&bob, 300, 170);
    obey(WANTED_PATIENCE - 100 * USEC_MS);
    assert_int_equal(wanted(), ALL);
    obey(200 * USEC_MS);
    assert_int_equal(wanted(), L);
    assert_gets(&bob, 320);
    obey(2 * USEC_S);
    assert_int_equal(slot_of(&bob)->share.reason, ALLOCATION_WINDOW); /* as before it stopped */
    /* what is more is told at once, and the other one is shown until it comes */
    show(&bob, 640, 360);
    assert_int_equal(wanted(), L | M);
    play(L, 200 * USEC_MS, false);
    assert_gets(&bob, 320);
    say_frame(L | M, true);
    obey(2 * USEC_S);
    assert_gets(&bob, 640);
    show(&bob, 1280, 720);
    assert_int_equal(wanted(), ALL);
    obey(2 * USEC_S);
    assert_gets(&bob, 1280);
    /* three of four pixels are enough; where all of them have been shown, no less than all are */
    show(&bob, 700, 394);
    obey(3 * USEC_S);
    assert_int_equal(wanted(), ALL);
    show(&bob, 640, 360);
    obey(3 * USEC_S);
    assert_int_equal(wanted(), L | M);
    show(&bob, 700, 394);
    obey(3 * USEC_S);
    assert_int_equal(wanted(), L | M);
    assert_gets(&bob, 640);
}

static void test_the_largest_counts(void **state)
{
    (void)state;
    watch(&bob);
    watch(&carol);
    play(ALL, 3 * USEC_S, true);
    show(&bob, 300, 170);
    show(&carol, 640, 360);
    obey(3 * USEC_S);
    assert_int_equal(wanted(), L | M);
    assert_gets(&bob, 320);
    show(&carol, 0, 0);
    obey(3 * USEC_S);
    assert_int_equal(wanted(), L);
    show(&bob, 0, 0);
    obey(3 * USEC_S);
    assert_int_equal(wanted(), 0);
    show(&carol, 1280, 720);
    assert_int_equal(wanted(), ALL);
    obey(3 * USEC_S);
    assert_gets(&carol, 1280);
    peer_close(carol.peer, port.now);
    obey(3 * USEC_S);
    assert_int_equal(wanted(), 0);
}

/* Who is paused, or left out, does not count, and who chose its layers has chosen. */
static void test_other_rules(void **state)
{
    (void)state;
    watch(&bob);
    play(ALL, 3 * USEC_S, true);
    transceiver_pause(slot_of(&bob), port.now, true);
    obey(3 * USEC_S);
    assert_int_equal(wanted(), 0);
    transceiver_pause(slot_of(&bob), port.now, false);
    run();
    assert_int_equal(wanted(), ALL);
    obey(1 * USEC_S);
    transceiver_set_layers(slot_of(&bob), port.now, (struct layer_target){ 1, 0, 0 });
    obey(3 * USEC_S);
    assert_int_equal(wanted(), M);
    assert_gets(&bob, 640);
    transceiver_set_layers(slot_of(&bob), port.now, LAYER_TARGET_BEST);
    struct transceiver_wish wish = { .width = 640, .height = 360, .is_left_out = true };
    transceiver_want(slot_of(&bob), port.now, &wish);
    obey(3 * USEC_S);
    assert_int_equal(wanted(), 0);
    wish.priority = 2; /* pinned, it is shown all the same */
    transceiver_want(slot_of(&bob), port.now, &wish);
    obey(3 * USEC_S);
    assert_true(wanted() & M);
    assert_gets(&bob, 640);
}

/* What goes out is not stopped before what takes its place has begun. */
static void test_held(void **state)
{
    (void)state;
    watch(&bob);
    play(ALL, 3 * USEC_S, true);
    show(&bob, 320, 180);
    play(ALL, 5 * USEC_S, false); /* no key frame in which it could go over */
    assert_int_equal(wanted() & H, H);
    assert_gets(&bob, 1280);
    play(ALL, 5 * USEC_S, true);
    assert_int_equal(wanted(), L);
}

/* Nothing is asked of what was told to stop, and did; what begins again is asked at once. */
static void test_resting(void **state)
{
    (void)state;
    struct encoding *high;
    watch(&bob);
    play(ALL, 3 * USEC_S, true);
    high = track_of(&alice)->encodings[2];
    show(&bob, 320, 180);
    play(ALL, 3 * USEC_S, true);
    assert_int_equal(wanted(), L);
    play(L, 2 * USEC_S, true);
    struct sink sink = { .kind = &(struct sink_kind){ .take = NULL } };
    list_init(&sink.node);
    rtp_stream_add_sink(&high->stream, &sink);
    key_requests_want(&high->stream.key_requests);
    uint64_t asks = high->key_asks;
    play(L, 2 * USEC_S, false);
    assert_int_equal(high->key_asks, asks);
    show(&bob, 1280, 720);
    play(L, 40 * USEC_MS, false);
    assert_int_equal(high->key_asks, asks + 1);
    rtp_stream_remove_sink(&sink);
    assert_gets(&bob, 320);
}

/* Who does not obey harms nobody. */
static void test_deaf(void **state)
{
    (void)state;
    watch(&bob);
    play(ALL, 3 * USEC_S, true);
    show(&bob, 320, 180);
    play(ALL, 10 * USEC_S, true);
    assert_int_equal(wanted(), L);
    show(&bob, 1280, 720);
    play(ALL, 300 * USEC_MS, true);
    unsigned count = bob.far->rtp_count;
    say_frame(ALL, false);
    assert_int_equal(bob.far->rtp_count, count + 1);
    assert_int_equal(bob.far->rtp_size, 12 + 8 + 800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_alone, begin, tear_down),
        cmocka_unit_test_setup_teardown(test_windows, begin, tear_down),
        cmocka_unit_test_setup_teardown(test_the_largest_counts, begin, tear_down),
        cmocka_unit_test_setup_teardown(test_other_rules, begin, tear_down),
        cmocka_unit_test_setup_teardown(test_held, begin, tear_down),
        cmocka_unit_test_setup_teardown(test_resting, begin, tear_down),
        cmocka_unit_test_setup_teardown(test_deaf, begin, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
