/* Peers on a media port: what one publishes, others get. */
#include "agent/rtc_house.h"
#include "dialects.h"
#include "negotiation_support.h"

#include "media/sfu.h"
#include "wire/rtcp_feedback.h"

#define GCM "SRTP_AEAD_AES_128_GCM"

static struct sfu sfu;

/* An end that speaks SDP: its peer at the server, and its far end. */
struct client {
    struct peer *peer;
    struct far *far;
    char answer[16384];
    size_t answer_size;
    struct secure_window windows[4]; /* by the last digit of the SSRC */
};

static struct client alice, bob;

static void flush(void)
{
    struct peer *peer;
    bool is_all;
    do {
        is_all = sfu_pump(&sfu, port.now);
        port_flush();
    } while (!is_all);
    while ((peer = sfu_poll(&sfu)))
        continue;
}

/* Everything arrives, and what is said to it, until all is quiet. */
static void drain(void)
{
    struct rtc_out out;
    for (rtc_poll(&port.rtc, &out); out.kind != RTC_WAIT; rtc_poll(&port.rtc, &out))
        sfu_hear(&sfu, port.now, &out);
    flush();
}

static void run(void)
{
    drain();
    while (network.count > 0) {
        unsigned at = network.first;
        struct far *far = network.queue[at].far;
        size_t size = network.queue[at].size;
        uint8_t *copy = test_copy(view_make(network.queue[at].bytes, size));
        bool is_to_port = network.queue[at].is_to_port;
        network.first = (at + 1) % NETWORK_MAX;
        network.count--;
        if (is_to_port) {
            rtc_feed(&port.rtc, port.now, &far->flow, (struct span){ copy, size });
            drain();
        } else {
            far_hear(far, view_make(copy, size));
        }
        free(copy);
    }
}

static void wait(usec time)
{
    usec until = port.now + time;
    while (sfu_until(&sfu) <= until) {
        usec next = sfu_until(&sfu);
        port.now = next > port.now ? next : port.now;
        sfu_tick(&sfu, port.now);
        run();
    }
    port.now = until;
}

static int set_up(void **state)
{
    (void)state;
    port_open(SECURE_DTLS_PROFILES);
    struct sfu_config config = { .rtc = &port.rtc,
                                 .random = &port.random,
                                 .metrics = &port.metrics,
                                 .peers_max = 8,
                                 .transceivers_max = 32,
                                 .tracks_max = 8,
                                 .candidates = { END_CANDIDATES[0] },
                                 .candidate_count = 1 };
    memcpy(config.fingerprint, port.identity.fingerprint, sizeof config.fingerprint);
    assert_int_equal(sfu_init(&sfu, &config, port.now), OK);
    memset(&alice, 0, sizeof alice);
    memset(&bob, 0, sizeof bob);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sfu_free(&sfu);
    port_close();
    return 0;
}

/* ---- what clients write ---- */

struct text {
    char at[8192];
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void line(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text->at + text->size, sizeof text->at - text->size, format, arguments);
    va_end(arguments);
    text->size += (size_t)size;
    memcpy(text->at + text->size, "\r\n", 2);
    text->size += 2;
}

static void head(struct text *text, unsigned sections)
{
    *text = (struct text){ 0 };
    line(text, "v=0\r\no=- 77 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0");
    line(text, sections == 1 ? "a=group:BUNDLE 0" : "a=group:BUNDLE 0 1");
    line(text, "a=ice-ufrag:farr\r\na=ice-pwd:farfarfarfarfarfarfarfa\r\na=setup:actpass");
    text->size += (size_t)sprintf(text->at + text->size, "a=fingerprint:sha-256 ");
    for (unsigned i = 0; i < 32; i++)
        text->size += (size_t)sprintf(text->at + text->size, "%s%02X", i ? ":" : "",
                                      port.far_identity.fingerprint[i]);
    line(text, "%s", "");
}

/* Its payload types are `type` and the next one, for RTX; its mid's id is `id`. */
static void video(struct text *text, unsigned mid, const char *direction, unsigned type,
                  unsigned id)
{
    line(text, "m=video 9 UDP/TLS/RTP/SAVPF %u %u", type, type + 1);
    line(text, "c=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=mid:%u\r\na=%s", mid,
         direction);
    line(text, "a=extmap:%u urn:ietf:params:rtp-hdrext:sdes:mid", id);
    line(text, "a=rtpmap:%u VP8/90000\r\na=rtcp-fb:%u nack\r\na=rtcp-fb:%u nack pli", type, type,
         type);
    line(text, "a=rtpmap:%u rtx/90000\r\na=fmtp:%u apt=%u", type + 1, type + 1, type);
}

/* Opens a peer that takes this offer, and connects it. */
static void join(struct client *client, const struct text *offer,
                 void (*before)(struct client *client))
{
    const struct peer_config config = { .owner = client, .policy = &END_POLICY };
    struct description_error error;
    assert_int_equal(peer_open(&sfu, port.now, &config, &client->peer), OK);
    assert_int_equal(
        peer_take_offer(client->peer, port.now, view_make(offer->at, offer->size), &error), OK);
    if (before)
        before(client);
    assert_int_equal(
        peer_write_answer(client->peer, port.now,
                          (struct span){ (uint8_t *)client->answer, sizeof client->answer - 1 },
                          &client->answer_size),
        OK);
    client->far = far_make(client->peer->transport, GCM);
    far_check(client->far, true);
    run();
    far_begin(client->far);
    run();
    assert_int_equal(client->peer->state, PEER_CONNECTED);
}

static void publish(struct client *client)
{
    struct text offer;
    head(&offer, 1);
    video(&offer, 0, "sendonly", 100, 5);
    line(&offer, "a=ssrc-group:FID 7001 7002\r\na=ssrc:7001 cname:a\r\na=ssrc:7002 cname:a");
    join(client, &offer, NULL);
}

static void announce(struct client *client)
{
    transceiver_announce(peer_next(client->peer, NULL), VIEW("alice"), VIEW("camera"));
}

static void receive(struct client *client)
{
    struct text offer;
    head(&offer, 1);
    video(&offer, 0, "recvonly", 96, 9);
    join(client, &offer, announce);
}

static struct track *track_of(const struct client *client)
{
    return peer_next(client->peer, NULL)->receiving;
}

static struct transceiver *slot_of(const struct client *client)
{
    return peer_next(client->peer, NULL);
}

/* ---- what they send ---- */

/* A packet of VP8; `number` also makes its time. */
static void say(struct client *client, uint32_t ssrc, unsigned type, uint16_t number, bool is_key)
{
    uint8_t room[RTC_PACKET_MAX] = { 0x80, (uint8_t)(0x80 | type), (uint8_t)(number >> 8),
                                     (uint8_t)number };
    uint8_t payload[40] = { 0x10, (uint8_t)!is_key, 0, 0, 0x9d, 0x01, 0x2a, 64, 1, 180, 0 };
    uint32_t timestamp = (uint32_t)number * 3000;
    for (unsigned i = 0; i < 4; i++) {
        room[4 + i] = (uint8_t)(timestamp >> (24 - 8 * i));
        room[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
    }
    payload[39] = (uint8_t)number;
    struct secure_outgoing out = { .key = client->far->secure.rtp_out,
                                   .sent = &client->windows[ssrc & 3],
                                   .at = room,
                                   .payload = view_make(payload, sizeof payload),
                                   .header_size = 12 };
    secure_protect(port.far_engine, &out, 1);
    assert_int_equal(out.status, OK);
    far_send(client->far, view_make(room, out.size));
}

static uint32_t word(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The feedback of that type and format that the client got last; false: none in its last
 * datagram. */
static bool got(const struct client *client, uint8_t type, uint8_t format,
                struct rtcp_feedback *feedback)
{
    struct view rest = view_make(client->far->rtcp, client->far->rtcp_size);
    struct rtcp_packet packet;
    while (rtcp_next(&rest, &packet) == OK)
        if (packet.type == type && packet.count == format &&
            rtcp_read_feedback(&packet, feedback) == OK)
            return true;
    return false;
}

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
    uint8_t room[200] = { 0x80, 101, 0,         1,         0, 0, 11 * 3000 >> 8, (11 * 3000) & 255,
                          0,    0,   7002 >> 8, 7002 & 255 };
    const uint8_t payload[] = { 0, 11, 0x10, 1, 0, 0 };
    struct secure_outgoing out = { .key = alice.far->secure.rtp_out,
                                   .sent = &alice.windows[7002 & 3],
                                   .at = room,
                                   .payload = view_make(payload, sizeof payload),
                                   .header_size = 12 };
    secure_protect(port.far_engine, &out, 1);
    far_send(alice.far, view_make(room, out.size));
    run();
    assert_int_equal(bob.far->rtp_count, 3);
    assert_int_equal(bob.far->numbers[2], bob.far->numbers[0] + 1);
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

/* Reports: what was sent, once its source has told its clock, and what came. */
static void test_reports(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct rtcp_writer writer;
    struct rtcp_packet packet;
    struct rtcp_sr sr;
    struct rtcp_rr rr;
    begin_forwarding();
    rtcp_begin(&writer, bytes, sizeof bytes);
    rtcp_add_sr(&writer,
                &(struct rtcp_sr){ .ssrc = 7001, .ntp = 5ull << 32, .rtp_timestamp = 30000 }, NULL,
                0);
    far_say_rtcp(alice.far, view_make(bytes, writer.size));
    run();
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

    struct peer *first = sfu_next(&sfu, &index);
    assert_ptr_equal(first, alice.peer);
    peer_close(alice.peer, port.now);
    index = 0;
    assert_ptr_equal(sfu_next(&sfu, &index), bob.peer);
    assert_int_equal(index, 2);
    assert_null(sfu_next(&sfu, &index));
}

#define WITH_SFU(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SFU(test_forward),      WITH_SFU(test_repeat),   WITH_SFU(test_missing),
        WITH_SFU(test_key_requests), WITH_SFU(test_replaced), WITH_SFU(test_nothing_in_common),
        WITH_SFU(test_reports),      WITH_SFU(test_pieces),   WITH_SFU(test_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
