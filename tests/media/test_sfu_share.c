/* What a peer's line is shared out as, where there are a line and packets. */
#include "sfu_house.h"

#include "media/peer_inside.h"

#define MID_ID     5
#define RID_ID     6
#define MEDIA_TYPE 100

static const char RIDS[] = "lmh";
static uint16_t number;

static void publish_simulcast(struct client *client)
{
    struct text offer;
    head(&offer, 1);
    video(&offer, 0, "sendonly", MEDIA_TYPE, MID_ID);
    line(&offer, "a=extmap:%u urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", RID_ID);
    line(&offer, "a=rid:l send\r\na=rid:m send\r\na=rid:h send\r\na=simulcast:send l;m;h");
    join(client, &offer, NULL);
}

static int begin(void **state)
{
    set_up(state);
    number = 100;
    publish_simulcast(&alice);
    receive(&bob);
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, track_of(&alice)), OK);
    return 0;
}

/* All three encodings for that long: 100 frames a second of 200, 400 and 800 bytes, each of them a
 * key frame: 170, 330 and 650 kbit/s. */
static void play(usec time)
{
    for (usec end = port.now + time; port.now < end; number++) {
        for (unsigned encoding = 0; encoding < 3; encoding++) {
            const struct saying saying = { .ssrc = 7000 + 2 * encoding,
                                           .type = MEDIA_TYPE,
                                           .number = number,
                                           .is_key = true,
                                           .mid_id = MID_ID,
                                           .mid = '0',
                                           .rid_id = RID_ID,
                                           .rid = RIDS[encoding],
                                           .size = (uint16_t)(200 << encoding) };
            say_this(&alice, &saying);
            run();
        }
        wait(10 * USEC_MS);
    }
}

static void set_line(uint64_t bps)
{
    bob.peer->line_bps = bps;
    peer_share_soon(bob.peer, port.now);
}

/* Which encoding goes out, and why; 3: none. */
static void assert_share(unsigned encoding, uint8_t reason)
{
    const struct transceiver *slot = slot_of(&bob);
    unsigned count = bob.far->rtp_count;
    assert_string_equal(allocation_reason_name(slot->share.reason), allocation_reason_name(reason));
    assert_int_equal(slot->share.is_held_back, encoding == 3);
    play(20 * USEC_MS);
    if (encoding == 3) {
        assert_int_equal(bob.far->rtp_count, count);
        return;
    }
    assert_true(bob.far->rtp_count > count);
    assert_int_equal(bob.far->rtp_size, 12 + 8 + (200 << encoding));
}

static void assert_no_gaps(const struct far *far)
{
    unsigned count = far->rtp_count < HEARD ? far->rtp_count : HEARD;
    for (unsigned i = 1; i < count; i++)
        assert_int_equal(far->numbers[(far->rtp_count - i) % HEARD],
                         (uint16_t)(far->numbers[(far->rtp_count - i - 1) % HEARD] + 1));
}

static void want(uint16_t width, uint16_t height, bool is_left_out)
{
    const struct transceiver_wish wish = { .width = width,
                                           .height = height,
                                           .is_left_out = is_left_out };
    transceiver_want(slot_of(&bob), port.now, &wish);
}

static void test_a_line(void **state)
{
    (void)state;
    play(3 * USEC_S);
    assert_share(2, ALLOCATION_FULL);
    while (sfu_poll_shared(&sfu))
        continue;
    set_line(400000);
    play(300 * USEC_MS);
    assert_share(1, ALLOCATION_BANDWIDTH);
    assert_ptr_equal(sfu_poll_shared(&sfu), bob.peer);
    assert_null(sfu_poll_shared(&sfu));
    set_line(100000);
    play(300 * USEC_MS);
    assert_share(3, ALLOCATION_BANDWIDTH);
    assert_ptr_equal(sfu_poll_shared(&sfu), bob.peer);
    set_line(2000000);
    play(12 * USEC_S);
    assert_share(2, ALLOCATION_FULL);
    assert_no_gaps(bob.far);
    set_line(0);
    play(300 * USEC_MS);
    assert_share(2, ALLOCATION_FULL);
}

static void test_wishes(void **state)
{
    (void)state;
    play(2 * USEC_S);
    want(0, 0, false);
    play(200 * USEC_MS);
    assert_share(3, ALLOCATION_HIDDEN);
    want(640, 360, true);
    play(200 * USEC_MS);
    assert_share(3, ALLOCATION_LAST_N);
    /* another track in its place is held back from the first packet on */
    unsigned count = bob.far->rtp_count;
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, NULL), OK);
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, track_of(&alice)), OK);
    play(200 * USEC_MS);
    assert_int_equal(bob.far->rtp_count, count);
    want(640, 360, false);
    play(200 * USEC_MS);
    assert_share(2, ALLOCATION_FULL);
    transceiver_pause(slot_of(&bob), port.now, true);
    want(0, 0, false);
    play(200 * USEC_MS);
    want(640, 360, false);
    play(200 * USEC_MS);
    count = bob.far->rtp_count;
    play(200 * USEC_MS); /* shown, but still paused */
    assert_int_equal(bob.far->rtp_count, count);
    transceiver_pause(slot_of(&bob), port.now, false);
    play(200 * USEC_MS);
    assert_share(2, ALLOCATION_FULL);
    assert_no_gaps(bob.far);
}

/* A picture that stands still, and one that is silent, are not held back when they go on. */
static void test_silent(void **state)
{
    (void)state;
    play(2 * USEC_S);
    set_line(400000);
    play(300 * USEC_MS);
    wait(5 * USEC_S);
    assert_int_equal(slot_of(&bob)->share.reason, ALLOCATION_SILENT);
    assert_false(slot_of(&bob)->share.is_held_back);
    play(2 * USEC_S);
    assert_share(1, ALLOCATION_BANDWIDTH);
}

/* Layers that were chosen by name stay, whatever the line takes. */
static void test_fixed(void **state)
{
    (void)state;
    play(2 * USEC_S);
    transceiver_set_layers(slot_of(&bob), port.now, (struct layer_target){ .encoding = 1 });
    play(2 * USEC_S);
    assert_int_equal(bob.far->rtp_size, 12 + 8 + 400);
    transceiver_set_layers(slot_of(&bob), port.now, LAYER_TARGET_BEST);
    play(2 * USEC_S);
    assert_share(2, ALLOCATION_FULL);
}

#define WITH_SFU(test) cmocka_unit_test_setup_teardown(test, begin, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SFU(test_a_line),
        WITH_SFU(test_wishes),
        WITH_SFU(test_silent),
        WITH_SFU(test_fixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
