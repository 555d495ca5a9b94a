/* Simulcast by rid: which encoding is whose, and which one is sent on. */
#include "sfu_house.h"

#define MID_ID      5
#define RID_ID      6
#define REPAIRED_ID 7
#define MEDIA_TYPE  100
#define RTX_TYPE    101

static const char RIDS[] = "hml";

static void publish_simulcast(struct client *client)
{
    struct text offer;
    head(&offer, 1);
    video(&offer, 0, "sendonly", MEDIA_TYPE, MID_ID);
    line(&offer, "a=extmap:%u urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", RID_ID);
    line(&offer, "a=extmap:%u urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", REPAIRED_ID);
    line(&offer, "a=rid:h send\r\na=rid:m send\r\na=rid:l send\r\na=simulcast:send h;m;l");
    join(client, &offer, NULL);
}

/* A packet of the encoding; numbers of each are its own. */
static struct saying of(unsigned encoding, uint16_t number, bool is_key)
{
    return (struct saying){ .ssrc = 7000 + 2 * encoding,
                            .type = MEDIA_TYPE,
                            .number = number,
                            .is_key = is_key,
                            .mid_id = MID_ID,
                            .mid = '0',
                            .rid_id = RID_ID,
                            .rid = RIDS[encoding],
                            .size = (uint16_t)(800 >> encoding) };
}

static void say_of(unsigned encoding, uint16_t number, bool is_key)
{
    struct saying saying = of(encoding, number, is_key);
    say_this(&alice, &saying);
    run();
}

static void begin(void)
{
    publish_simulcast(&alice);
    receive(&bob);
    assert_non_null(strstr(alice.answer, "a=simulcast:recv h;m;l"));
    assert_int_equal(track_of(&alice)->encoding_count, 3);
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, track_of(&alice)), OK);
}

/* All three for a while: frames of each at 10 ms, all of them key frames if they are to be. */
static void play(uint16_t first, unsigned count, unsigned encodings, bool is_key)
{
    for (unsigned i = 0; i < count; i++) {
        for (unsigned encoding = 0; encoding < 3; encoding++)
            if (encodings >> encoding & 1)
                say_of(encoding, (uint16_t)(first + i), is_key);
        wait(10 * USEC_MS);
    }
}

static unsigned sent_encoding(void)
{
    for (unsigned i = 0; i < 3; i++)
        if (sender_stream(&slot_of(&bob)->sender) == &track_of(&alice)->encodings[i]->stream)
            return i;
    return 3;
}

static void assert_no_gaps(const struct far *far)
{
    unsigned count = far->rtp_count < HEARD ? far->rtp_count : HEARD;
    for (unsigned i = 1; i < count; i++)
        assert_int_equal(far->numbers[(far->rtp_count - i) % HEARD],
                         (uint16_t)(far->numbers[(far->rtp_count - i - 1) % HEARD] + 1));
}

/* The largest goes on; when it falls silent, the next one, and one continuous stream is made of
 * it. */
static void test_best(void **state)
{
    (void)state;
    begin();
    play(100, 210, 7, true);
    assert_int_equal(sent_encoding(), 0);
    assert_int_equal(bob.far->rtp_size, 12 + 8 + 800);
    assert_no_gaps(bob.far);
    play(400, 210, 6, true);
    assert_int_equal(sent_encoding(), 1);
    assert_int_equal(bob.far->rtp_size, 12 + 8 + 400);
    assert_no_gaps(bob.far);
    play(700, 210, 7, true);
    assert_int_equal(sent_encoding(), 0);
    assert_no_gaps(bob.far);
    assert_int_equal(track_of(&alice)->encodings[2]->ssrc, 7004);
}

/* Of two that are nearly equal, it goes on with the one that it has. */
static void test_nearly_equal(void **state)
{
    (void)state;
    begin();
    play(100, 60, 7, true);
    struct track *track = track_of(&alice);
    const struct rtp_stream *own = &track->encodings[1]->stream;
    track->encodings[1]->bps = 1000;
    track->encodings[0]->bps = 1249;
    track->encodings[2]->bps = 10;
    assert_ptr_equal(track_best(track, port.now, own), track->encodings[1]);
    assert_ptr_equal(track_best(track, port.now, NULL), track->encodings[0]);
    track->encodings[0]->bps = 1250;
    assert_ptr_equal(track_best(track, port.now, own), track->encodings[0]);
}

/* An encoding that is asked for comes in the other's place with its next key frame; when it falls
 * silent, the best does again. */
static void test_wanted(void **state)
{
    (void)state;
    begin();
    play(100, 60, 7, true);
    transceiver_set_layers(slot_of(&bob), port.now, (struct layer_target){ .encoding = 2 });
    play(160, 10, 7, false);
    assert_int_equal(sent_encoding(), 0);
    play(170, 1, 7, true);
    assert_int_equal(sent_encoding(), 2);
    play(171, 200, 3, true);
    assert_int_equal(sent_encoding(), 0);
    assert_no_gaps(bob.far);
    /* one that does not exist is the best */
    transceiver_set_layers(slot_of(&bob), port.now, (struct layer_target){ .encoding = 3 });
    play(371, 2, 7, true);
    assert_int_equal(sent_encoding(), 0);
}

/* What the largest has lost is mended by its own RTX, known by its repaired-rid alone. */
static void test_repaired(void **state)
{
    (void)state;
    struct rtcp_feedback feedback;
    struct saying rtx = { .ssrc = 7009,
                          .type = RTX_TYPE,
                          .number = 1,
                          .mid_id = MID_ID,
                          .mid = '0',
                          .rid_id = REPAIRED_ID,
                          .rid = 'h',
                          .is_rtx = true,
                          .repeated = 401 };
    begin();
    play(100, 110, 7, true);
    say_of(0, 400, true);
    say_of(0, 402, false);
    assert_true(got(&alice, RTCP_RTPFB, RTCP_NACK, &feedback));
    assert_int_equal(feedback.media_ssrc, 7000);
    unsigned count = bob.far->rtp_count;
    say_this(&alice, &rtx);
    run();
    assert_int_equal(bob.far->rtp_count, count + 1);
    assert_int_equal(bob.far->numbers[count % HEARD],
                     (uint16_t)(bob.far->numbers[(count - 1) % HEARD] - 1));
    /* without a name it could be anybody's, and later its SSRC is enough */
    rtx.rid_id = 0;
    rtx.mid_id = 0;
    rtx.repeated = 399;
    rtx.number = 2;
    say_this(&alice, &rtx);
    run();
    assert_int_equal(track_of(&alice)->encodings[0]->rtx_ssrc, 7009);
    assert_int_equal(track_of(&alice)->encodings[1]->rtx_ssrc, 0);
}

/* A packet with no name, or a strange one, of an SSRC that is not known. */
static void test_nameless(void **state)
{
    (void)state;
    struct saying saying = of(0, 100, true);
    begin();
    saying.rid = 'x';
    say_this(&alice, &saying);
    saying.rid_id = 0;
    saying.number++;
    say_this(&alice, &saying);
    saying.mid = '7';
    saying.number++;
    say_this(&alice, &saying);
    run();
    assert_int_equal(bob.far->rtp_count, 0);
    assert_int_equal(port.metrics.values[METRIC_MEDIA_DROPPED_UNKNOWN], 3);
    say_of(1, 100, true);
    assert_int_equal(bob.far->rtp_count, 1);
}

/* 0 is no SSRC, for it stands for one that is not known. */
static void test_zero(void **state)
{
    (void)state;
    struct saying saying = of(0, 100, true);
    begin();
    saying.ssrc = 0;
    saying.rid_id = saying.mid_id = 0;
    say_this(&alice, &saying);
    run();
    assert_int_equal(bob.far->rtp_count, 0);
    assert_int_equal(port.metrics.values[METRIC_MEDIA_DROPPED_UNKNOWN], 1);
}

/* A rid that comes back with another SSRC, as when its encoder is made anew. */
static void test_renewed(void **state)
{
    (void)state;
    begin();
    say_of(0, 100, true);
    struct saying saying = of(0, 30000, true);
    saying.ssrc = 7011;
    say_this(&alice, &saying);
    run();
    assert_int_equal(track_of(&alice)->encodings[0]->ssrc, 7011);
    assert_int_equal(bob.far->rtp_count, 2);
    assert_no_gaps(bob.far);
    /* what comes late of the former one does not bring it back */
    say_of(0, 101, true);
    assert_int_equal(track_of(&alice)->encodings[0]->ssrc, 7011);
    assert_int_equal(bob.far->rtp_count, 2);
    saying.ssrc = 7012;
    say_this(&alice, &saying);
    say_of(0, 102, true);
    assert_int_equal(track_of(&alice)->encodings[0]->ssrc, 7012);
    assert_int_equal(bob.far->rtp_count, 3);
    /* but when nothing else comes any more, the other one was the late one */
    wait(USEC_S);
    say_of(0, 103, true);
    assert_int_equal(track_of(&alice)->encodings[0]->ssrc, 7000);
    say_of(0, 104, false);
    assert_int_equal(bob.far->rtp_count, 5);
    assert_no_gaps(bob.far);
}

/* A picture that stands still sends little: who watches stays, and who comes asks for a key
 * frame. */
static void test_still(void **state)
{
    (void)state;
    struct rtcp_feedback feedback;
    begin();
    play(100, 110, 1, true);
    wait(3 * USEC_S);
    assert_int_equal(sent_encoding(), 0);
    alice.far->rtcp_size = 0;
    unsigned count = bob.far->rtp_count;
    say_of(0, 210, false);
    assert_int_equal(bob.far->rtp_count, count + 1);
    assert_no_gaps(bob.far);
    wait(3 * USEC_S);
    assert_false(got(&alice, RTCP_PSFB, RTCP_PLI, &feedback));
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, NULL), OK);
    run();
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, track_of(&alice)), OK);
    run();
    assert_true(got(&alice, RTCP_PSFB, RTCP_PLI, &feedback));
    assert_int_equal(feedback.media_ssrc, 7000);
}

/* A better one is no reason to see nothing: what is watched goes on until its key frame comes. */
static void test_better(void **state)
{
    (void)state;
    begin();
    play(100, 210, 6, true);
    assert_int_equal(sent_encoding(), 1);
    unsigned count = bob.far->rtp_count;
    play(400, 210, 7, false);
    assert_int_equal(sent_encoding(), 1);
    assert_int_equal(bob.far->rtp_count, count + 210);
    assert_true(track_of(&alice)->encodings[0]->key_asks > 0);
    say_of(0, 700, true);
    assert_int_equal(sent_encoding(), 0);
    assert_int_equal(bob.far->rtp_size, 12 + 8 + 800);
    assert_no_gaps(bob.far);
}

/* Of an encoding that was left because it fell silent nobody wants a key frame any more: browsers
 * make one of every encoding then, each time. */
static void test_left(void **state)
{
    (void)state;
    begin();
    say_of(0, 100, false);
    play(100, 210, 6, true);
    assert_int_equal(sent_encoding(), 1);
    uint64_t asks = track_of(&alice)->encodings[0]->key_asks;
    assert_true(asks > 0);
    play(400, 210, 6, true);
    assert_int_equal(track_of(&alice)->encodings[0]->key_asks, asks);
}

#define WITH_SFU(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SFU(test_best),     WITH_SFU(test_nearly_equal), WITH_SFU(test_repaired),
        WITH_SFU(test_best),     WITH_SFU(test_wanted),       WITH_SFU(test_repaired),
        WITH_SFU(test_nameless), WITH_SFU(test_zero),         WITH_SFU(test_renewed),
        WITH_SFU(test_still),    WITH_SFU(test_left),         WITH_SFU(test_better),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
