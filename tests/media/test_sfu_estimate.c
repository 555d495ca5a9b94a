/* What the line to a peer takes: numbers that go out, feedback that comes in. */
#include "sfu_house.h"

#include "media/arrivals.h"

#define CC_ID 3

enum { WITH_CC = 1, WITH_RTX = 2 };

static struct arrivals heard;

static void offer_of(struct text *offer, unsigned with)
{
    head(offer, 1);
    if (with & WITH_RTX) {
        video(offer, 0, "recvonly", 96, 9);
    } else {
        line(offer, "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux");
        line(offer, "a=mid:0\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack");
        line(offer, "a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid");
    }
    if (with & WITH_CC) {
        line(offer, "a=rtcp-fb:96 transport-cc\r\na=extmap:%u http://www.ietf.org/id/", CC_ID);
        offer->size -= 2;
        line(offer, "draft-holmer-rmcat-transport-wide-cc-extensions-01");
    }
}

static void begin(unsigned with)
{
    struct text offer;
    memset(&heard, 0, sizeof heard);
    publish(&alice);
    offer_of(&offer, with);
    join(&bob, &offer, announce);
    say(&alice, 7001, 100, 10, true);
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, track_of(&alice)), OK);
    run();
    assert_int_equal(bob.far->rtp_count, 1);
}

/* The transport-wide number of what bob got last; -1: it has none. */
static int number_got(void)
{
    struct rtp_packet rtp;
    struct rtp_transport_cc cc;
    struct view value;
    assert_int_equal(rtp_read(view_make(bob.far->rtp, bob.far->rtp_size), &rtp), OK);
    if (!rtp_extension_value(&rtp, bob.far->rtp, CC_ID, &value))
        return -1;
    assert_int_equal(rtp_read_transport_cc(value, &cc), OK);
    return cc.sequence_number;
}

static void nack_first(void)
{
    uint8_t bytes[64];
    struct rtcp_writer writer;
    rtcp_begin(&writer, bytes, sizeof bytes);
    rtcp_add_rr(&writer, 1, NULL, 0);
    rtcp_add_nack(&writer, 1, slot_of(&bob)->sender.config.ssrc, &bob.far->numbers[0], 1);
    far_say_rtcp(bob.far, view_make(bytes, writer.size));
    run();
}

/* Bob tells of what he has noted. */
static void give_feedback(void)
{
    uint8_t bytes[1200];
    struct rtcp_writer writer;
    rtcp_begin(&writer, bytes, sizeof bytes);
    rtcp_add_rr(&writer, 1, NULL, 0);
    assert_true(arrivals_write(&heard, port.now, 1, 2, &writer));
    far_say_rtcp(bob.far, view_make(bytes, writer.size));
    run();
}

/* Packets 20 ms apart; bob gets them all, and notes all but those that are multiples of `lost`. */
static void say_many(uint16_t from, uint16_t count, unsigned lost)
{
    for (uint16_t i = 0; i < count; i++) {
        say(&alice, 7001, 100, (uint16_t)(from + i), false);
        run();
        if (lost == 0 || i % lost != 0)
            arrivals_note(&heard, port.now, (uint16_t)number_got());
        wait(20 * USEC_MS);
        if (i % 5 == 4)
            give_feedback();
    }
}

static void test_numbers(void **state)
{
    struct bwe_estimate estimate;
    (void)state;
    begin(WITH_CC | WITH_RTX);
    int first = number_got();
    assert_true(first >= 0);
    for (uint16_t i = 1; i < 10; i++) {
        say(&alice, 7001, 100, (uint16_t)(10 + i), false);
        run();
        assert_int_equal(number_got(), first + i);
    }
    nack_first();
    assert_int_equal(bob.far->rtp_count, 11);
    assert_int_equal(bob.far->rtp[1] & 127, 97);
    assert_int_equal(number_got(), first + 10); /* one count for all that goes there */
    assert_true(peer_estimate(bob.peer, port.now, &estimate));
    assert_false(estimate.has_feedback);
    assert_int_equal(estimate.limit, BWE_UNKNOWN);
    assert_false(peer_estimate(alice.peer, port.now, &estimate));
}

static void test_feedback(void **state)
{
    struct bwe_estimate estimate;
    (void)state;
    begin(WITH_CC | WITH_RTX);
    say_many(11, 300, 0);
    assert_true(peer_estimate(bob.peer, port.now, &estimate));
    assert_true(estimate.has_feedback);
    assert_true(estimate.round_trip > 0 && estimate.round_trip <= 20 * USEC_MS);
    assert_true(estimate.loss == 0);
    assert_true(estimate.acknowledged_bps > 20000 && estimate.acknowledged_bps < 60000);
    assert_true(estimate.sent_bps > 20000 && estimate.sent_bps < 60000);
    assert_true(estimate.is_limited);
    say_many(311, 300, 10);
    assert_true(peer_estimate(bob.peer, port.now, &estimate));
    assert_true(estimate.loss > 0.05 && estimate.loss < 0.15);
}

/* Feedback stops, and what is sent has less and less room, without anybody's saying a word. */
static void test_silence(void **state)
{
    struct bwe_estimate before, after;
    (void)state;
    begin(WITH_CC | WITH_RTX);
    say_many(11, 100, 0);
    assert_true(peer_estimate(bob.peer, port.now, &before));
    for (uint16_t i = 0; i < 150; i++) {
        say(&alice, 7001, 100, (uint16_t)(111 + i), false);
        run();
        wait(20 * USEC_MS);
    }
    assert_true(peer_estimate(bob.peer, port.now, &after));
    assert_int_equal(after.limit, BWE_BY_SILENCE);
    assert_true(after.target_bps < before.target_bps / 2);
}

/* A packet that may be sent again as it was bears nothing that would be another the next time. */
static void test_without_rtx(void **state)
{
    (void)state;
    begin(WITH_CC);
    assert_int_equal(number_got(), -1);
    say(&alice, 7001, 100, 11, false);
    run();
    assert_int_equal(number_got(), -1);
}

static void report(uint32_t highest, int32_t lost)
{
    uint8_t bytes[128];
    struct rtcp_writer writer;
    const struct rtcp_report one = { .ssrc = slot_of(&bob)->sender.config.ssrc,
                                     .packets_lost = lost,
                                     .highest_sequence_number = highest };
    rtcp_begin(&writer, bytes, sizeof bytes);
    rtcp_add_rr(&writer, 1, &one, 1);
    far_say_rtcp(bob.far, view_make(bytes, writer.size));
    run();
}

static void remb(uint64_t bps)
{
    uint8_t bytes[128];
    struct rtcp_writer writer;
    rtcp_begin(&writer, bytes, sizeof bytes);
    rtcp_add_rr(&writer, 1, NULL, 0);
    rtcp_add_remb(&writer, 1, bps, &slot_of(&bob)->sender.config.ssrc, 1);
    far_say_rtcp(bob.far, view_make(bytes, writer.size));
    run();
}

/* Who gives no feedback of packets: reports and REMB are what there is. */
static void test_without_feedback(void **state)
{
    struct bwe_estimate estimate;
    (void)state;
    begin(WITH_RTX);
    assert_int_equal(number_got(), -1);
    remb(1500000);
    assert_true(peer_estimate(bob.peer, port.now, &estimate));
    assert_false(estimate.has_feedback);
    assert_int_equal(estimate.target_bps, 1500000);
    assert_int_equal(estimate.limit, BWE_BY_RECEIVER);
    for (unsigned i = 0; i < 20; i++) {
        port.now += USEC_S / 2;
        report(1000 + i * 100, (int32_t)(i * 40)); /* 40 of 100 */
    }
    assert_true(peer_estimate(bob.peer, port.now, &estimate));
    assert_int_equal(estimate.limit, BWE_BY_LOSS);
    assert_true(estimate.target_bps < 500000);
    assert_true(estimate.loss > 0.39 && estimate.loss < 0.41);
}

/* ---- towards who publishes ---- */

#define TIME_ID 6

static void publish_with(const char *feedback)
{
    struct text offer;
    head(&offer, 1);
    video(&offer, 0, "sendonly", 100, 5);
    line(&offer, "a=rtcp-fb:100 goog-remb%s", feedback);
    line(&offer, "a=extmap:%u http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time", TIME_ID);
    line_ssrcs(&offer, 7001);
    join(&alice, &offer, NULL);
}

/* So many packets, 10 ms apart: 800 kbit/s.  Gives how often REMB came, and what it said last. */
static unsigned say_with_times(uint16_t count, uint8_t time_id, uint64_t *bps)
{
    unsigned times = 0;
    for (uint16_t i = 0; i < count; i++) {
        struct rtcp_feedback feedback;
        struct rtcp_remb told;
        alice.far->rtcp_size = 0;
        say_this(&alice, &(struct saying){ .ssrc = 7001,
                                           .type = 100,
                                           .number = i,
                                           .is_key = i == 0,
                                           .time_id = time_id,
                                           .size = 968 });
        run();
        wait(10 * USEC_MS);
        if (!got(&alice, RTCP_PSFB, RTCP_ALFB, &feedback))
            continue;
        assert_int_equal(rtcp_read_remb(&feedback, &told), OK);
        assert_int_equal(told.ssrcs.size, 4);
        assert_int_equal(bytes_read_32(told.ssrcs.at), 7001);
        *bps = told.bitrate_bps;
        times++;
    }
    return times;
}

static void test_a_publisher_is_told_by_remb(void **state)
{
    uint64_t bps = 0;
    (void)state;
    publish_with("");
    assert_in_range(say_with_times(1000, TIME_ID, &bps), 7,
                    9);                    /* each second, from the second on */
    assert_in_range(bps, 800000, 1300000); /* half as much again, where nothing is in the way */
}

static void test_by_one_way_alone(void **state)
{
    uint64_t bps = 0;
    (void)state;
    publish_with("\r\na=rtcp-fb:100 transport-cc");
    assert_int_equal(say_with_times(500, TIME_ID, &bps), 0);
}

static void test_times_are_needed(void **state)
{
    uint64_t bps = 0;
    (void)state;
    publish_with("");
    assert_int_equal(say_with_times(500, 0, &bps), 0);
}

#define WITH_SFU(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SFU(test_numbers),          WITH_SFU(test_feedback),
        WITH_SFU(test_silence),          WITH_SFU(test_without_rtx),
        WITH_SFU(test_without_feedback), WITH_SFU(test_a_publisher_is_told_by_remb),
        WITH_SFU(test_by_one_way_alone), WITH_SFU(test_times_are_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
