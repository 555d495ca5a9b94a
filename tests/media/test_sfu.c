/* Peers on a media port: what one publishes, others get. */
#include "media/peer_inside.h"
#include "sfu_house.h"

/* ---- tests ---- */

static void test_forward(void **state)
{
    (void)state;
    struct rtcp_feedback feedback;
    publish(&alice);
    receive(&bob);
    assert_non_null(track_of(&alice));
    assert_null(track_of(&bob));
    say(&alice, 7001, 100, 10, true);
    run();
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, track_of(&alice)), OK);
    alice.far->rtcp_size = 0;
    run();
    /* who comes late asks for a key frame */
    assert_true(got(&alice, RTCP_PSFB, RTCP_PLI, &feedback));
    assert_int_equal(feedback.media_ssrc, 7001);
    say(&alice, 7001, 100, 11, false);
    run();
    assert_int_equal(bob.far->rtp_count, 0);
    say(&alice, 7001, 100, 12, true);
    say(&alice, 7001, 100, 13, false);
    run();
    assert_int_equal(bob.far->rtp_count, 2);
    /* as its own description says: type, SSRC, and its mid */
    assert_int_equal(bob.far->rtp[1] & 127, 96);
    assert_int_equal(word(bob.far->rtp + 8), slot_of(&bob)->sender.config.ssrc);
    assert_int_equal(word(bob.far->rtp + 12), 0xbede0001u);
    assert_int_equal(bob.far->rtp[16], 9 << 4);
    assert_int_equal(bob.far->rtp[17], '0');
    assert_int_equal(bob.far->rtp[bob.far->rtp_size - 1], 13);
    assert_non_null(strstr(bob.answer, "a=msid:alice camera"));
}

static void nack(struct client *client, uint32_t ssrc, uint16_t number)
{
    uint8_t bytes[64];
    struct rtcp_writer writer;
    rtcp_begin(&writer, bytes, sizeof bytes);
    rtcp_add_rr(&writer, 1, NULL, 0);
    rtcp_add_nack(&writer, 1, ssrc, &number, 1);
    far_say_rtcp(client->far, view_make(bytes, writer.size));
}

static void begin_forwarding(void)
{
    publish(&alice);
    receive(&bob);
    say(&alice, 7001, 100, 10, true);
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, track_of(&alice)), OK);
    run();
    assert_int_equal(bob.far->rtp_count, 1);
}

static void test_repeat(void **state)
{
    (void)state;
    begin_forwarding();
    uint16_t number = bob.far->numbers[0];
    nack(&bob, slot_of(&bob)->sender.config.ssrc, number);
    run();
    assert_int_equal(bob.far->rtp_count, 2);
    assert_int_equal(bob.far->rtp[1] & 127, 97);
    assert_int_equal(word(bob.far->rtp + 8), slot_of(&bob)->sender.config.rtx_ssrc);
    assert_int_equal(bob.far->rtp[20] << 8 | bob.far->rtp[21], number);
    assert_int_equal(slot_of(&bob)->feedback.nacks, 1);
}

/* What the publisher's line lost is asked for, and comes as RTX. */
static void test_missing(void **state)
{
    (void)state;
    struct rtcp_feedback feedback;
    begin_forwarding();
    say(&alice, 7001, 100, 12, false);
    run();
    assert_true(got(&alice, RTCP_RTPFB, RTCP_NACK, &feedback));
    assert_int_equal(feedback.media_ssrc, 7001);
    assert_int_equal(bob.far->rtp_count, 2);
    say_this(&alice, &(struct saying){
                         .ssrc = 7002, .type = 101, .number = 1, .is_rtx = true, .repeated = 11 });
    run();
    assert_int_equal(bob.far->rtp_count, 3);
    assert_int_equal(bob.far->numbers[2], bob.far->numbers[0] + 1);
}

/* What comes later than anybody can use is not sent, and stands in nobody's place. */
static void test_late(void **state)
{
    (void)state;
    begin_forwarding();
    say(&alice, 7001, 100, 522, false);
    say(&alice, 7001, 100, 266, false);
    say_this(&alice, &(struct saying){ .ssrc = 7002, .type = 101, .is_rtx = true, .repeated = 11 });
    run();
    assert_int_equal(bob.far->rtp_count, 2);
    say(&alice, 7001, 100, 267, false);
    run();
    assert_int_equal(bob.far->rtp_count, 3);
    nack(&bob, slot_of(&bob)->sender.config.ssrc, (uint16_t)(bob.far->numbers[0] + 512));
    run();
    assert_int_equal(bob.far->rtp_count, 4);
    assert_int_equal(metrics_read(&port.metrics, METRIC_RTC_NOT_SENT), 0);
}

/* Many who come at once cost the publisher one key frame, and another half a second later. */
static void test_key_requests(void **state)
{
    (void)state;
    struct rtcp_feedback feedback;
    uint8_t bytes[64];
    struct rtcp_writer writer;
    begin_forwarding();
    alice.far->rtcp_count = 0;
    for (unsigned i = 0; i < 20; i++) {
        rtcp_begin(&writer, bytes, sizeof bytes);
        rtcp_add_pli(&writer, 1, slot_of(&bob)->sender.config.ssrc);
        far_say_rtcp(bob.far, view_make(bytes, writer.size));
        run();
    }
    assert_true(alice.far->rtcp_count <= 1);
    wait(KEY_REQUEST_EACH);
    assert_true(got(&alice, RTCP_PSFB, RTCP_PLI, &feedback));
    say(&alice, 7001, 100, 11, true);
    run();
    alice.far->rtcp_size = 0;
    wait(3 * KEY_REQUEST_EACH);
    assert_false(got(&alice, RTCP_PSFB, RTCP_PLI, &feedback));
}

/* The publisher goes: its subscribers stay, at nothing; another one comes in its place. */
static void test_replaced(void **state)
{
    (void)state;
    begin_forwarding();
    peer_close(alice.peer, port.now);
    run();
    assert_null(slot_of(&bob)->subscription);
    uint16_t last = bob.far->numbers[0];
    memset(&alice, 0, sizeof alice);
    publish(&alice);
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, track_of(&alice)), OK);
    say(&alice, 7001, 100, 40000, true);
    run();
    assert_int_equal(bob.far->rtp_count, 2);
    assert_int_equal(bob.far->numbers[1], last + 1);
}

static void test_nothing_in_common(void **state)
{
    (void)state;
    struct text offer;
    publish(&alice);
    head(&offer, 1);
    line(&offer, "m=video 9 UDP/TLS/RTP/SAVPF 98\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=mid:0");
    line(&offer, "a=recvonly\r\na=rtpmap:98 H264/90000");
    line(&offer, "a=fmtp:98 packetization-mode=1;profile-level-id=42e01f");
    join(&bob, &offer, announce);
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, track_of(&alice)),
                     ERR_UNSUPPORTED);
    assert_null(slot_of(&bob)->subscription);
}

static void begin_telling_clock(void)
{
    uint8_t bytes[64];
    struct rtcp_writer writer;
    const struct rtcp_sr sr = { .ssrc = 7001, .ntp = 5ull << 32, .rtp_timestamp = 30000 };
    rtcp_begin(&writer, bytes, sizeof bytes);
    rtcp_add_sr(&writer, &sr, NULL, 0);
    far_say_rtcp(alice.far, view_make(bytes, writer.size));
    run();
}

/* Reports: what was sent, once its source has told its clock, and what came. */
static void test_reports(void **state)
{
    (void)state;
    struct rtcp_packet packet;
    struct rtcp_sr sr;
    struct rtcp_rr rr;
    begin_forwarding();
    begin_telling_clock();
    alice.far->rtcp_size = bob.far->rtcp_size = 0;
    wait(1100 * USEC_MS);
    struct view rest = view_make(bob.far->rtcp, bob.far->rtcp_size);
    while (rtcp_next(&rest, &packet) == OK && packet.type != RTCP_SR)
        continue;
    assert_int_equal(rtcp_read_sr(&packet, &sr), OK);
    assert_int_equal(sr.ssrc, slot_of(&bob)->sender.config.ssrc);
    assert_int_equal(sr.packet_count, 1);
    assert_true(sr.ntp >> 32 == 5 || sr.ntp >> 32 == 6);
    rest = view_make(alice.far->rtcp, alice.far->rtcp_size);
    unsigned blocks = 0;
    while (rtcp_next(&rest, &packet) == OK)
        if (packet.type == RTCP_RR && rtcp_read_rr(&packet, &rr) == OK && rr.report_count > 0) {
            assert_int_equal(rtcp_report_at(rr.reports, 0).ssrc, 7001);
            blocks += rr.report_count;
        }
    assert_int_equal(blocks, 1);
}

/* Of all that it says, a report alone is due, and not when alice's is. */
static void report_at(struct peer *peer, usec at)
{
    peer->allocate_at = USEC_NEVER;
    peer->report_at = at;
    peer_touch(peer);
    run();
}

/* Nobody is woken for a report alone, for a while: it goes with what goes anyway. */
static void test_reports_go_with_media(void **state)
{
    (void)state;
    begin_forwarding();
    begin_telling_clock();
    wait(1500 * USEC_MS);
    say(&alice, 7001, 100, 11, false); /* it is heard again, which is news */
    run();
    usec due = port.now + 100 * USEC_MS;
    unsigned before = bob.far->rtcp_count;
    report_at(bob.peer, due);
    wait(due + 2 * USEC_MS - port.now);
    assert_int_equal(bob.far->rtcp_count, before);
    assert_true(sfu_until(&sfu) > port.now);
    say(&alice, 7001, 100, 12, false);
    run();
    assert_int_equal(bob.far->rtcp_count, before + 1);
    /* and when nothing does, a little later */
    due += 100 * USEC_MS;
    report_at(bob.peer, due);
    wait(due + SFU_COMPANY - USEC_MS - port.now);
    assert_int_equal(bob.far->rtcp_count, before + 1);
    wait(4 * USEC_MS);
    assert_int_equal(bob.far->rtcp_count, before + 2);
}

static void say_part(uint16_t number)
{
    say_this(&alice,
             &(struct saying){ .ssrc = 7001, .type = 100, .number = number, .goes_on = true });
    run();
}

static bool take_all(struct sink *sink, usec now, const struct rtp_stream *stream,
                     const struct packet *packet)
{
    (void)sink, (void)now, (void)stream, (void)packet;
    return true;
}

static void end_well(struct sink *sink)
{
    (void)sink;
}

/* What alice sends goes to many. */
static void join_crowd(void)
{
    static const struct sink_kind KIND = { .take = take_all, .ended = end_well };
    static struct sink crowd[RTP_STREAM_MANY];
    struct rtp_stream *stream = &track_of(&alice)->encodings[0]->stream;
    for (unsigned i = 0; i < RTP_STREAM_MANY - 1; i++) {
        crowd[i] = (struct sink){ .kind = &KIND };
        list_init(&crowd[i].node);
        rtp_stream_add_sink(stream, &crowd[i]);
    }
    assert_int_equal(stream->sink_count, RTP_STREAM_MANY);
}

/* The rest of a picture is waited for, so that it goes out as one; but not for long, and not when
 * there is much of it. */
static void test_pictures_go_as_one(void **state)
{
    (void)state;
    begin_forwarding();
    say_part(11); /* it goes to one */
    assert_int_equal(bob.far->rtp_count, 2);
    say(&alice, 7001, 100, 12, false);
    run();
    join_crowd();
    bob.far->rtp_count = 1;
    say_part(13);
    assert_int_equal(bob.far->rtp_count, 1);
    assert_true(sfu_until(&sfu) <= port.now + RTP_STREAM_HOLD);
    say(&alice, 7001, 100, 14, false);
    run();
    assert_int_equal(bob.far->rtp_count, 3);
    say_part(15);
    wait(RTP_STREAM_HOLD - 1);
    assert_int_equal(bob.far->rtp_count, 3);
    wait(1);
    assert_int_equal(bob.far->rtp_count, 4);
    for (unsigned i = 1; i < RTP_STREAM_HOLD_MAX; i++)
        say_part((uint16_t)(15 + i));
    assert_int_equal(bob.far->rtp_count, 4);
    say_part(15 + RTP_STREAM_HOLD_MAX);
    assert_int_equal(bob.far->rtp_count, 4 + RTP_STREAM_HOLD_MAX);
}

/* What comes late does not wait, nor has what is complete wait for it. */
static void test_late_does_not_wait(void **state)
{
    (void)state;
    begin_forwarding();
    join_crowd();
    say(&alice, 7001, 100, 12, false);
    run();
    assert_int_equal(bob.far->rtp_count, 2);
    say_part(11);
    assert_int_equal(bob.far->rtp_count, 3);
}

/* Who only receives is told how long its word took. */
static void test_reference_time(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct rtcp_writer writer;
    struct rtcp_packet packet;
    struct rtcp_xr_block block;
    uint32_t ssrc;
    begin_forwarding();
    rtcp_begin(&writer, bytes, sizeof bytes);
    rtcp_add_rrtr(&writer, 99, 0x1234567800000000u);
    far_say_rtcp(bob.far, view_make(bytes, writer.size));
    run();
    bob.far->rtcp_size = 0;
    wait(1100 * USEC_MS);
    struct view rest = view_make(bob.far->rtcp, bob.far->rtcp_size);
    while (rtcp_next(&rest, &packet) == OK && packet.type != RTCP_XR)
        continue;
    assert_int_equal(rtcp_read_xr(&packet, &ssrc, &rest), OK);
    assert_int_equal(rtcp_xr_next(&rest, &block), OK);
    assert_int_equal(block.type, RTCP_XR_DLRR);
    struct rtcp_dlrr dlrr = rtcp_dlrr_at(block.dlrrs, 0);
    assert_int_equal(dlrr.ssrc, 99);
    assert_int_equal(dlrr.last_rr, 0x56780000);
    assert_in_range(dlrr.delay_since_last_rr, 0xf000, 0x11000);
    /* once */
    bob.far->rtcp_size = 0;
    wait(1100 * USEC_MS);
    rest = view_make(bob.far->rtcp, bob.far->rtcp_size);
    while (rtcp_next(&rest, &packet) == OK)
        assert_int_not_equal(packet.type, RTCP_XR);
}

/* Without SDP: the same, told piece by piece. */
static void test_pieces(void **state)
{
    (void)state;
    const struct peer_config config = { .owner = &alice, .policy = &END_POLICY };
    struct rtc_remote remote = { .setup = RTC_PASSIVE };
    struct peer_receiving receiving = { .is_video = true,
                                        .terms = { .formats = { { .codec = PAYLOAD_VP8,
                                                                  .payload_type = 100,
                                                                  .rtx = 101,
                                                                  .feedback = MEDIA_NACK } },
                                                   .format_count = 1 },
                                        .encoding_count = 1,
                                        .encodings = { { .ssrc = 7001, .rtx_ssrc = 7002 } } };
    struct transceiver *in, *again;
    memcpy(remote.fingerprint, port.far_identity.fingerprint, sizeof remote.fingerprint);
    assert_int_equal(peer_open(&sfu, port.now, &config, &alice.peer), OK);
    peer_connect(alice.peer, port.now, &remote);
    assert_int_equal(peer_receive(alice.peer, port.now, &receiving, &in), OK);
    assert_int_equal(peer_receive(alice.peer, port.now, &receiving, &again), ERR_EXISTS);
    alice.far = far_make(alice.peer->transport, GCM);
    far_check(alice.far, true);
    run();
    far_begin(alice.far);
    run();
    receive(&bob);
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, in->receiving), OK);
    say(&alice, 7001, 100, 10, true);
    run();
    assert_int_equal(bob.far->rtp_count, 1);
    peer_remove(alice.peer, port.now, in);
    assert_null(slot_of(&bob)->subscription);
}

/* What people who run the server see of it all. */
static void test_counts(void **state)
{
    (void)state;
    uint32_t index = 0;
    begin_forwarding();
    const struct encoding *encoding = track_of(&alice)->encodings[0];
    assert_int_equal(encoding->key_frames, 1);
    say(&alice, 7001, 100, 13, true);
    run();
    assert_int_equal(encoding->key_frames, 2);
    assert_int_equal(encoding->nacks, 2);
    uint64_t asks = encoding->key_asks;
    wait(KEY_REQUEST_EACH);
    sender_wants_key(&slot_of(&bob)->sender);
    sfu_tick(&sfu, port.now);
    say(&alice, 7001, 100, 14, false);
    run();
    assert_int_equal(encoding->key_asks, asks + 1);
    assert_ptr_equal(transceiver_of(track_of(&alice)), slot_of(&alice));
    assert_int_equal(alice.peer->since, 1000 * USEC_S);

    wait(1100 * USEC_MS);
    assert_int_equal(metrics_read(&port.metrics, METRIC_MEDIA_LOST_IN), 2);
    assert_int_equal(metrics_read(&port.metrics, METRIC_MEDIA_CONNECTED_UDP), 2);
    assert_int_equal(metrics_read(&port.metrics, METRIC_MEDIA_ENDED_CLOSED), 0);
    struct peer *first = sfu_next(&sfu, &index);
    assert_ptr_equal(first, alice.peer);
    peer_close(alice.peer, port.now);
    assert_int_equal(metrics_read(&port.metrics, METRIC_MEDIA_CONNECTED_UDP), 1);
    assert_int_equal(metrics_read(&port.metrics, METRIC_MEDIA_ENDED_CLOSED), 1);
    index = 0;
    assert_ptr_equal(sfu_next(&sfu, &index), bob.peer);
    assert_int_equal(index, 2);
    assert_null(sfu_next(&sfu, &index));
}

#define WITH_SFU(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SFU(test_forward),
        WITH_SFU(test_repeat),
        WITH_SFU(test_missing),
        WITH_SFU(test_late),
        WITH_SFU(test_key_requests),
        WITH_SFU(test_replaced),
        WITH_SFU(test_nothing_in_common),
        WITH_SFU(test_reports),
        WITH_SFU(test_reports_go_with_media),
        WITH_SFU(test_pictures_go_as_one),
        WITH_SFU(test_late_does_not_wait),
        WITH_SFU(test_reference_time),
        WITH_SFU(test_pieces),
        WITH_SFU(test_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
