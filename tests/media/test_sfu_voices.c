/* Voices: levels are read as packets come, and of who is not loud nothing goes further; who is let
 * in goes on without a gap. */
#include "sfu_house.h"

#define LEVEL_ID 3
#define SSRC     7001u
#define EACH     (20 * USEC_MS)

static const struct media_format FORMATS[] = { { .codec = PAYLOAD_OPUS } };

static struct speakers speakers;
static struct speaker voice; /* alice's */
static struct speaker other;
static uint16_t number;
static uint16_t heard[200]; /* sequence numbers that bob got */
static uint32_t times[200];
static bool markers[200];
static unsigned heard_count;

static void audio(struct text *text, const char *direction)
{
    head(text, 1);
    line(text, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=mid:0");
    line(text, "a=%s\r\na=rtpmap:111 opus/48000/2", direction);
    line(text, "a=extmap:%u urn:ietf:params:rtp-hdrext:ssrc-audio-level", LEVEL_ID);
}

static void enter(struct client *client, const struct text *offer,
                  void (*before)(struct client *client))
{
    static struct negotiation_policy policy;
    policy = END_POLICY;
    policy.formats = FORMATS;
    policy.format_count = 1;
    policy.extensions[0] |= 1u << RTP_EXTENSION_AUDIO_LEVEL;
    const struct peer_config config = { .owner = client, .policy = &policy, .is_polite = true };
    assert_int_equal(peer_open(&sfu, port.now, &config, &client->peer), OK);
    answer(client, offer, before);
    connect_far(client);
}

static void begin(uint32_t loudest_n)
{
    struct text offer;
    audio(&offer, "sendonly");
    line(&offer, "a=ssrc:%u cname:a", SSRC);
    enter(&alice, &offer, NULL);
    audio(&offer, "recvonly");
    enter(&bob, &offer, announce);
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, track_of(&alice)), OK);
    speakers_init(&speakers, 0, loudest_n);
    memset(&voice, 0, sizeof voice);
    memset(&other, 0, sizeof other);
    (void)speakers_add(&speakers, port.now, &other);
    (void)speakers_add(&speakers, port.now, &voice);
    track_of(&alice)->voice = &voice;
    number = 0;
    heard_count = 0;
}

/* A packet of alice's, some time after the last; level 255: it bears none. */
static void say_level(uint8_t level)
{
    uint8_t room[RTC_PACKET_MAX] = { 0x80, 111 };
    uint32_t timestamp = (uint32_t)++number * 960;
    port.now += EACH;
    room[2] = (uint8_t)(number >> 8);
    room[3] = (uint8_t)number;
    for (unsigned i = 0; i < 4; i++) {
        room[4 + i] = (uint8_t)(timestamp >> (24 - 8 * i));
        room[8 + i] = (uint8_t)(SSRC >> (24 - 8 * i));
    }
    uint16_t more = level < 255 ? 8 : 0;
    if (more) {
        memcpy(room + 12, "\xbe\xde\0\1", 4);
        room[16] = LEVEL_ID << 4;
        room[17] = 0x80 | level;
        room[0] |= 0x10;
    }
    struct secure_outgoing out = { .key = alice.far->secure.rtp_out,
                                   .sent = &alice.windows[0],
                                   .at = room,
                                   .payload = VIEW("sound"),
                                   .header_size = (uint16_t)(12 + more) };
    unsigned before = bob.far->rtp_count;
    secure_protect(port.far_engine, &out, 1);
    far_send(alice.far, view_make(room, out.size));
    run();
    if (bob.far->rtp_count == before)
        return;
    struct rtp_packet rtp;
    assert_int_equal(rtp_read(view_make(bob.far->rtp, bob.far->rtp_size), &rtp), OK);
    heard[heard_count] = rtp.sequence_number;
    times[heard_count] = rtp.timestamp;
    markers[heard_count++] = rtp.marker;
}

static void others_level(uint8_t level, usec time)
{
    for (usec end = port.now + time; port.now < end; port.now += EACH)
        (void)speakers_heard(&other, port.now, level);
}

static void test_levels(void **state)
{
    (void)state;
    begin(0);
    say_level(100);
    assert_ptr_equal(sfu_poll_speakers(&sfu), NULL);
    assert_true(voice.has_level);
    say_level(30);
    assert_ptr_equal(sfu_poll_speakers(&sfu), &speakers);
    assert_null(sfu_poll_speakers(&sfu));
    assert_true(speaker_speaks(&voice, port.now));
    assert_false(speaker_talks(&voice, port.now));
    say_level(30);
    say_level(255);
    say_level(30);
    assert_true(speaker_talks(&voice, port.now));
    assert_int_equal(heard_count, 5);
    track_of(&alice)->voice = NULL;
    say_level(30);
    assert_int_equal(heard_count, 6);
    (void)speakers_remove(&voice, port.now);
    track_of(&alice)->voice = &voice;
    say_level(30); /* it is nobody's */
    assert_int_equal(heard_count, 7);
}

static void test_in_and_out(void **state)
{
    (void)state;
    begin(1);
    for (unsigned i = 0; i < 10; i++)
        say_level(100); /* there is a place, and nobody else for it */
    assert_int_equal(heard_count, 10);
    others_level(100, EACH);
    others_level(20, USEC_S); /* who takes it */
    assert_false(voice.is_loud);
    port.now += 3 * USEC_S;
    for (unsigned i = 0; i < 50; i++)
        say_level(100);
    assert_int_equal(heard_count, 10);
    say_level(25); /* with the first word it is back */
    say_level(25);
    assert_true(voice.is_loud);
    assert_int_equal(heard_count, 12);
    for (unsigned i = 1; i < 12; i++)
        assert_int_equal((uint16_t)(heard[i] - heard[i - 1]), 1);
    assert_int_equal(times[10] - times[9], 51 * 960);
    assert_int_equal(times[11] - times[10], 960);
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(markers[i], i == 10);
    const struct encoding *encoding = track_of(&alice)->encodings[0];
    assert_int_equal(encoding->stream.reception.packets, 62); /* all are counted as received */
    assert_int_equal(encoding->nacks, 0);
}

/* What was lost before the silence is not what is missing behind it. */
static void test_late_ones(void **state)
{
    (void)state;
    begin(1);
    for (unsigned i = 0; i < 5; i++)
        say_level(100);
    others_level(100, EACH);
    others_level(20, USEC_S);
    port.now += 3 * USEC_S;
    for (unsigned i = 0; i < 5; i++)
        say_level(100);
    number++; /* is late */
    say_level(25);
    assert_int_equal(heard_count, 6);
    number -= 2;
    alice.windows[0] = (struct secure_window){ 0 };
    say_level(25);
    assert_int_equal(heard_count, 6); /* from before it was let in */
    number++;
    say_level(25);
    assert_int_equal(heard_count, 7);
    assert_int_equal((uint16_t)(heard[6] - heard[5]), 1);
}

/* Where what was kept back was not even counted, behind a link. */
static void test_long_silence(void **state)
{
    static struct rtp_stream stream;
    struct packet packet = { .rtp = { .header_size = 12, .payload_size = 4 } };
    bool needs_key;
    (void)state;
    void *memory = aligned_alloc(64, (packet_ring_memory(4096, 64) + 63) / 64 * 64);
    assert_non_null(memory);
    rtp_stream_init(&stream, memory, 4096, 64, 48000, false);
    static const uint16_t STEPS[] = { 1, 300, 32768, 40000, 65000, 0 };
    uint64_t before = 0;
    for (unsigned i = 0; i < 6; i++) {
        packet.begins_talk = i > 0;
        packet.rtp.sequence_number = (uint16_t)(packet.rtp.sequence_number + STEPS[i]);
        int status =
            rtp_stream_feed(&stream, port.now, &packet, VIEW("0123456789abcdef"), &needs_key);
        assert_int_equal(status, STEPS[i] ? OK : ERR_EXISTS);
        assert_int_equal((uint16_t)stream.unwrapper.highest, packet.rtp.sequence_number);
        assert_true(i == 0 || stream.unwrapper.highest == before + STEPS[i]);
        before = stream.unwrapper.highest;
    }
    rtp_stream_end(&stream);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_levels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_in_and_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late_ones, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_silence, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
