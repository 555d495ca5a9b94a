/* What a peer's line is shared out as, where there are a line and packets. */
#include "sfu_house.h"

#include "media/peer_inside.h"

#define MID_ID     5
#define RID_ID     6
#define MEDIA_TYPE 100

static const char RIDS[] = "lmh";
static uint16_t number;
static unsigned part; /* of their size, that packets have */

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
    part = 1;
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
                                           .size = (uint16_t)((200 << encoding) / part) };
            say_this(&alice, &saying);
            run();
        }
        wait(10 * USEC_MS);
    }
}

static void set_line(uint64_t bps)
{
    bob.peer->remb_bps = bps; /* as if it had said so */
    bwe_remb(bob.peer->bwe, port.now, bps);
    peer_touch(bob.peer);
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

/* So many of a hundred, by its reports. */
static void lose(uint32_t lost)
{
    bwe_reported(bob.peer->bwe, port.now, 100, lost, 0);
    peer_touch(bob.peer);
}

static void test_a_line(void **state)
{
    (void)state;
    play(3 * USEC_S);
    assert_share(2, ALLOCATION_FULL);
    while (sfu_poll_shared(&sfu))
        continue;
    set_line(450000);
    play(300 * USEC_MS);
    assert_share(1, ALLOCATION_BANDWIDTH);
    assert_ptr_equal(sfu_poll_shared(&sfu), bob.peer);
    assert_null(sfu_poll_shared(&sfu));
    set_line(100000);
    play(300 * USEC_MS);
    assert_share(0, ALLOCATION_BANDWIDTH); /* not at once */
    assert_ptr_equal(sfu_poll_shared(&sfu), bob.peer);
    play(2 * ALLOCATION_PATIENCE);
    assert_share(0, ALLOCATION_BANDWIDTH); /* nor by its word alone: that may be of little */
    lose(30);
    play(ALLOCATION_PATIENCE + 300 * USEC_MS);
    assert_share(3, ALLOCATION_BANDWIDTH);
    assert_ptr_equal(sfu_poll_shared(&sfu), bob.peer);
    lose(0);
    play(4 * USEC_S);
    set_line(2000000);
    play(12 * USEC_S);
    assert_share(2, ALLOCATION_FULL);
    assert_no_gaps(bob.far);
    set_line(0);
    play(300 * USEC_MS);
    assert_share(2, ALLOCATION_FULL);
}

/* An encoder that has only just begun soon sends many times as much: what a layer costs is then not
 * what it did, or lines would be given more than they take. */
static void test_costs(void **state)
{
    (void)state;
    part = 8;
    play(2 * USEC_S);
    assert_in_range(slot_of(&bob)->share.layer.bps, 80000, 120000);
    part = 1;
    play(1500 * USEC_MS);
    assert_in_range(slot_of(&bob)->share.layer.bps, 520000, 660000);
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
    set_line(450000);
    play(300 * USEC_MS);
    wait(5 * USEC_S);
    assert_int_equal(slot_of(&bob)->share.reason, ALLOCATION_SILENT);
    assert_false(slot_of(&bob)->share.is_held_back);
    play(2 * USEC_S);
    assert_share(1, ALLOCATION_BANDWIDTH);
}

/* ---- what waits ---- */

/* Packets of the middle encoding at once, as of a large key frame. */
static void say_at_once(unsigned count)
{
    for (unsigned i = 0; i < count; i++, number++)
        say_this(&alice, &(struct saying){ .ssrc = 7002,
                                           .type = MEDIA_TYPE,
                                           .number = number,
                                           .is_key = i == 0,
                                           .mid_id = MID_ID,
                                           .mid = '0',
                                           .rid_id = RID_ID,
                                           .rid = 'm',
                                           .size = 400 });
    run();
}

/* What is too much for the line at once goes in time, all of it, and in its order. */
static void test_paced(void **state)
{
    (void)state;
    play(2 * USEC_S);
    set_line(450000);
    play(2 * USEC_S);
    assert_share(1, ALLOCATION_BANDWIDTH);
    wait(100 * USEC_MS);
    unsigned count = bob.far->rtp_count;
    say_at_once(40);
    assert_in_range(bob.far->rtp_count - count, 1, 20);
    wait(20 * USEC_MS);
    assert_in_range(bob.far->rtp_count - count, 2, 30);
    wait(PACER_DELAY);
    assert_int_equal(bob.far->rtp_count - count, 40);
    assert_no_gaps(bob.far);
}

/* An estimate that falls is obeyed with the next packets, not when it is time to look at it. */
static void test_a_line_that_breaks_in(void **state)
{
    (void)state;
    play(2 * USEC_S);
    set_line(2000000);
    play(2 * USEC_S);
    list_remove(&bob.peer->touched);
    bwe_remb(bob.peer->bwe, port.now, 1990000);
    peer_hear_line(bob.peer);
    assert_true(list_empty(&bob.peer->touched)); /* that is none */
    bwe_remb(bob.peer->bwe, port.now, 450000);
    bob.peer->remb_bps = 450000;
    peer_hear_line(bob.peer);
    run();
    assert_int_equal(bob.peer->line_bps, 450000);
    assert_int_equal(slot_of(&bob)->share.reason, ALLOCATION_BANDWIDTH);
    play(300 * USEC_MS);
    assert_share(1, ALLOCATION_BANDWIDTH);
}

/* What is far too much for the line is left out up to the next key frame, which is asked for. */
static void test_left_out(void **state)
{
    (void)state;
    play(2 * USEC_S);
    set_line(450000);
    play(2 * USEC_S);
    wait(100 * USEC_MS);
    unsigned count = bob.far->rtp_count;
    say_at_once(200);
    wait(PACER_DELAY);
    assert_in_range(bob.far->rtp_count - count, 1, 100);
    assert_int_equal(bob.peer->left_out, 1);
    assert_int_equal(slot_of(&bob)->sender.is_waiting, true);
    assert_true(track_of(&alice)->encodings[1]->stream.key_requests.is_wanted);
    count = bob.far->rtp_count;
    play(2 * USEC_S);
    assert_true(bob.far->rtp_count > count + 100);
    assert_no_gaps(bob.far);
}

/* Who waits may leave, and so may what it waits for. */
static void test_left_while_it_waits(void **state)
{
    (void)state;
    play(2 * USEC_S);
    set_line(450000);
    play(2 * USEC_S);
    say_at_once(40);
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, NULL), OK);
    wait(300 * USEC_MS);
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, track_of(&alice)), OK);
    play(2 * USEC_S);
    say_at_once(40);
    peer_close(alice.peer, port.now);
    wait(300 * USEC_MS);
    assert_true(pacer_until(&bob.peer->pacer) > port.now);
}

/* What waits for so long that others have been stored over it is lost, and nothing worse. */
static void test_overrun(void **state)
{
    (void)state;
    play(2 * USEC_S);
    set_line(450000);
    play(2 * USEC_S);
    for (unsigned i = 0; i < 20; i++)
        say_at_once(60);
    wait(2 * USEC_S);
    play(3 * USEC_S);
    unsigned count = bob.far->rtp_count;
    play(200 * USEC_MS);
    assert_true(bob.far->rtp_count > count);
}

/* ---- probes ---- */

/* A probe is made of what was sent last, as RTX, and each of its packets is told of as its. */
static void test_a_probe(void **state)
{
    (void)state;
    play(2 * USEC_S);
    const struct pacer_probe probe = { .cluster = 1, .bytes = 20000, .bps = 8000000 };
    struct sender *sender = &slot_of(&bob)->sender;
    uint64_t before = sender->repeated;
    uint16_t left = sender->repeats_left;
    pacer_begin_probe(&bob.peer->pacer, port.now, &probe);
    peer_touch(bob.peer);
    wait(10 * USEC_MS);
    assert_true(pacer_is_probing(&bob.peer->pacer)); /* it takes its time: 20 ms */
    wait(20 * USEC_MS);
    assert_false(pacer_is_probing(&bob.peer->pacer));
    assert_in_range(sender->repeated - before, 20000 / 860, 20000 / 800);
    assert_int_equal(sender->repeats_left, left);
    play(100 * USEC_MS); /* and the stream goes on as if nothing had been */
    assert_share(2, ALLOCATION_FULL);
    /* where there is no packet that it could be made of, it is padding, of 224 bytes */
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, NULL), OK);
    before = sender->repeated;
    unsigned count = bob.far->rtp_count;
    pacer_begin_probe(&bob.peer->pacer, port.now, &probe);
    peer_touch(bob.peer);
    wait(30 * USEC_MS);
    assert_false(pacer_is_probing(&bob.peer->pacer));
    assert_int_equal(sender->repeated, before);
    assert_in_range(bob.far->rtp_count - count, 20000 / 300, 20000 / 224);
}

/* A slow line's is of small packets, or it would stand in it for long. */
static void test_a_small_probe(void **state)
{
    (void)state;
    play(2 * USEC_S);
    const struct pacer_probe probe = { .cluster = 1, .size = 300, .bytes = 1500, .bps = 600000 };
    uint64_t before = slot_of(&bob)->sender.repeated;
    unsigned count = bob.far->rtp_count;
    pacer_begin_probe(&bob.peer->pacer, port.now, &probe);
    peer_touch(bob.peer);
    wait(30 * USEC_MS);
    assert_false(pacer_is_probing(&bob.peer->pacer));
    assert_int_equal(slot_of(&bob)->sender.repeated, before);
    assert_in_range(bob.far->rtp_count - count, 1500 / 300, 1500 / 224);
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
        WITH_SFU(test_a_line),  WITH_SFU(test_a_line_that_breaks_in),
        WITH_SFU(test_costs),   WITH_SFU(test_wishes),
        WITH_SFU(test_silent),  WITH_SFU(test_fixed),
        WITH_SFU(test_a_probe), WITH_SFU(test_a_small_probe),
        WITH_SFU(test_paced),   WITH_SFU(test_left_while_it_waits),
        WITH_SFU(test_overrun), WITH_SFU(test_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
