/* Streams and their senders: what goes out is one continuous stream, whatever came in. */
#include "agent/rtc_house.h"

#include "media/sender.h"
#include "wire/ntp.h"

#define GCM       "SRTP_AEAD_AES_128_GCM"
#define SSRC      0x5000
#define RTX_SSRC  0x5001
#define START     1000
#define RTX_START 2000
#define RATE      90000
#define RING      (64 * 1024)
#define PACKETS   128

struct source {
    struct rtp_stream stream;
    void *memory;
    uint16_t number;
    uint32_t timestamp;
};

static struct source one, two;
static struct rtc_transport *transport;
static struct far *far;
static struct sender sender;

static void source_open(struct source *source, uint16_t number, uint32_t timestamp, bool is_video)
{
    *source = (struct source){ .number = number, .timestamp = timestamp };
    source->memory = aligned_alloc(64, (packet_ring_memory(RING, PACKETS) + 63) / 64 * 64);
    rtp_stream_init(&source->stream, source->memory, RING, PACKETS, RATE, is_video);
}

static void sender_open(uint8_t rtx_payload_type)
{
    const struct sender_config config = { .rtc = &port.rtc,
                                          .transport = transport,
                                          .ssrc = SSRC,
                                          .rtx_ssrc = RTX_SSRC,
                                          .timestamp = 777,
                                          .clock_rate = RATE,
                                          .sequence = START,
                                          .rtx_sequence = RTX_START,
                                          .is_video = true };
    struct sender_formats formats;
    struct rtp_plan plan;
    sender_formats_init(&formats);
    formats.payload_types[0] = 96;
    formats.rtx_payload_types[0] = rtx_payload_type;
    rtp_plan_begin(&plan, false);
    sender_init(&sender, &config);
    sender_set_plan(&sender, &plan, &formats);
}

static int set_up(void **state)
{
    (void)state;
    port_open(SECURE_DTLS_PROFILES);
    far = port_connect(&transport, GCM);
    source_open(&one, 65000, 0xfffff000u, true);
    source_open(&two, 30, 90, true);
    sender_open(97);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sender_free(&sender);
    rtp_stream_end(&one.stream);
    rtp_stream_end(&two.stream);
    free(one.memory);
    free(two.memory);
    port_close();
    return 0;
}

/* Packet `number` comes, of `size` bytes of its number. */
static void come(struct source *source, uint16_t number, bool is_key, size_t size)
{
    uint8_t bytes[RTC_PACKET_MAX] = { 0x80, 100, (uint8_t)(number >> 8), (uint8_t)number };
    struct packet packet = { .begins_key_frame = is_key,
                             .begins_picture = true,
                             .targets = LAYERS_ALL,
                             .needed = LAYERS_ALL };
    bool needs_key;
    for (unsigned i = 0; i < 4; i++)
        bytes[4 + i] = (uint8_t)(source->timestamp >> (24 - 8 * i));
    memset(bytes + 12, number & 255, size);
    assert_int_equal(rtp_read(view_make(bytes, 12 + size), &packet.rtp), OK);
    assert_int_equal(rtp_stream_feed(&source->stream, port.now, &packet,
                                     view_make(bytes, 12 + size), &needs_key),
                     OK);
    assert_false(needs_key);
}

/* The next one comes, a 30th of a second later. */
static void next(struct source *source, bool is_key)
{
    port.now += USEC_S / 30;
    source->timestamp += RATE / 30;
    come(source, source->number++, is_key, 100);
}

static void pump(struct source *source)
{
    while (!rtp_stream_pump(&source->stream, port.now))
        network_run();
    assert_false(rtp_stream_has_news(&source->stream));
    network_run();
}

static uint32_t word(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool is_key_wanted(struct source *source)
{
    return key_requests_until(&source->stream.key_requests) != USEC_NEVER;
}

static void assert_numbers(uint16_t from, unsigned count)
{
    assert_int_equal(far->rtp_count, count);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(far->numbers[i], from + i);
}

/* ---- */

static void test_begins_with_a_key_frame(void **state)
{
    (void)state;
    assert_false(is_key_wanted(&one));
    sender_switch(&sender, &one.stream);
    assert_true(is_key_wanted(&one));
    next(&one, false);
    next(&one, false);
    pump(&one);
    assert_int_equal(far->rtp_count, 0);
    next(&one, true);
    assert_false(is_key_wanted(&one));
    next(&one, false);
    pump(&one);
    assert_numbers(START, 2);
    assert_true(word(far->rtp + 8) == SSRC);
    assert_true(word(far->rtp + 4) == 777 + RATE / 30);
    assert_int_equal(far->rtp[1], 96);
    assert_int_equal(far->rtp_size, 112);
    assert_int_equal(far->rtp[111], (one.number - 1) & 255);
}

static void test_audio_begins_at_once(void **state)
{
    (void)state;
    sender.config.is_video = false;
    one.stream.is_video = false;
    sender_switch(&sender, &one.stream);
    assert_false(is_key_wanted(&one));
    next(&one, false);
    pump(&one);
    assert_numbers(START, 1);
}

/* Over 65535, out of order, with gaps: as it came, but numbers and SSRC. */
static void test_order_of_arrival(void **state)
{
    (void)state;
    static const uint16_t CAME[] = { 65534, 0, 65535, 3, 2 };
    static const uint16_t WANTED[] = { 0, 2, 1, 5, 4 };
    sender_switch(&sender, &one.stream);
    for (unsigned i = 0; i < 5; i++)
        come(&one, CAME[i], i == 0, 50);
    pump(&one);
    assert_int_equal(far->rtp_count, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(far->numbers[i], START + WANTED[i]);
    /* what is missing between has its place */
    come(&one, 1, false, 50);
    pump(&one);
    assert_int_equal(far->numbers[5], START + 3);
}

static void test_switch(void **state)
{
    (void)state;
    sender_switch(&sender, &one.stream);
    next(&one, true);
    next(&one, false);
    pump(&one);
    uint32_t timestamp = word(far->rtp + 4);
    sender_switch(&sender, &two.stream);
    assert_true(is_key_wanted(&two));
    assert_false(is_key_wanted(&one));
    next(&one, false); /* nobody's */
    pump(&one);
    next(&two, false);
    pump(&two);
    assert_numbers(START, 2);
    next(&two, true);
    pump(&two);
    assert_numbers(START, 3);
    /* three 30ths of a second later */
    assert_in_range(word(far->rtp + 4), timestamp + RATE / 10 - 10, timestamp + RATE / 10 + 10);
    /* one from before the switch comes too late */
    come(&two, 29, false, 10);
    pump(&two);
    assert_numbers(START, 3);
    assert_int_equal(sender.packets, 3);
    sender_switch(&sender, &one.stream);
    next(&one, true);
    pump(&one);
    assert_numbers(START, 4);
}

static void test_pause(void **state)
{
    (void)state;
    sender_switch(&sender, &one.stream);
    next(&one, true);
    sender_pause(&sender, true);
    next(&one, true);
    pump(&one);
    assert_int_equal(far->rtp_count, 0);
    sender_wants_key(&sender);
    assert_false(is_key_wanted(&one));
    sender_pause(&sender, false);
    assert_true(is_key_wanted(&one));
    next(&one, false);
    next(&one, true);
    pump(&one);
    assert_numbers(START, 1);
}

/* A frame of both. */
static void frame_of_both(bool is_key, unsigned total)
{
    next(&one, false);
    pump(&one);
    next(&two, is_key);
    pump(&two);
    assert_int_equal(far->rtp_count, total);
}

/* What is seen goes on until the other stream can take its place. */
static void test_go_over(void **state)
{
    (void)state;
    sender_switch(&sender, &one.stream);
    next(&one, true);
    pump(&one);
    sender_go_over(&sender, &two.stream, false);
    assert_ptr_equal(sender_stream(&sender), &one.stream);
    assert_ptr_equal(sender_target(&sender), &two.stream);
    assert_true(is_key_wanted(&two));
    assert_false(is_key_wanted(&one));
    frame_of_both(false, 2);
    frame_of_both(false, 3);
    frame_of_both(true, 5); /* the last one of before, and the key frame */
    assert_ptr_equal(sender_stream(&sender), &two.stream);
    assert_int_equal(one.stream.sink_count, 0);
    assert_int_equal(two.stream.sink_count, 1);
    assert_false(is_key_wanted(&two));
    frame_of_both(false, 6);
    assert_numbers(START, 6);
    /* there, and then not */
    sender_go_over(&sender, &one.stream, false);
    sender_go_over(&sender, &two.stream, false);
    assert_ptr_equal(sender_target(&sender), &two.stream);
    next(&one, true);
    pump(&one);
    assert_int_equal(far->rtp_count, 6);
}

/* Where the line does not take it, with as few frames as can be until then. */
static void test_go_over_soon(void **state)
{
    (void)state;
    sender_switch(&sender, &one.stream);
    next(&one, true);
    pump(&one);
    sender_go_over(&sender, &two.stream, false);
    assert_int_equal(sender.selection.wanted, layers_target(LAYER_BEST, LAYER_BEST));
    assert_false(two.stream.key_requests.is_urgent);
    sender_go_over(&sender, &two.stream, true);
    assert_int_equal(sender.selection.wanted, layers_target(LAYER_BEST, 0));
    assert_true(two.stream.key_requests.is_urgent);
    /* and back */
    sender_go_over(&sender, &one.stream, true);
    sender_set_layers(&sender, LAYER_BEST, LAYER_BEST);
    assert_int_equal(sender.selection.wanted, layers_target(LAYER_BEST, LAYER_BEST));
    frame_of_both(false, 2);
}

static void test_go_over_ends(void **state)
{
    (void)state;
    /* nothing flows yet: as a switch */
    sender_go_over(&sender, &one.stream, false);
    assert_true(is_key_wanted(&one));
    next(&one, true);
    pump(&one);
    sender_go_over(&sender, &two.stream, false);
    /* the one before ends: the other begins with its key frame all the same */
    rtp_stream_end(&one.stream);
    next(&two, false);
    pump(&two);
    assert_int_equal(far->rtp_count, 1);
    next(&two, true);
    pump(&two);
    assert_int_equal(far->rtp_count, 2);
    /* the one that it would go over to ends */
    free(one.memory);
    source_open(&one, 100, 0, true);
    sender_go_over(&sender, &one.stream, false);
    rtp_stream_end(&one.stream);
    next(&two, false);
    pump(&two);
    assert_ptr_equal(sender_target(&sender), &two.stream);
    assert_numbers(START, 3);
}

/* Paused, it is over there at once, and goes on from a key frame. */
static void test_go_over_paused(void **state)
{
    (void)state;
    sender_switch(&sender, &one.stream);
    next(&one, true);
    pump(&one);
    sender_go_over(&sender, &two.stream, false);
    sender_pause(&sender, true);
    next(&two, false);
    pump(&two);
    assert_ptr_equal(sender_stream(&sender), &two.stream);
    sender_pause(&sender, false);
    next(&two, false);
    pump(&two);
    assert_int_equal(far->rtp_count, 1);
    assert_true(is_key_wanted(&two));
    next(&two, true);
    pump(&two);
    assert_numbers(START, 2);
}

/* Sound does not go on with what comes late from before the pause. */
static void test_late_after_pause(void **state)
{
    (void)state;
    sender.config.is_video = false;
    one.stream.is_video = false;
    sender_switch(&sender, &one.stream);
    come(&one, 100, false, 50);
    come(&one, 102, false, 50);
    pump(&one);
    sender_pause(&sender, true);
    sender_pause(&sender, false);
    come(&one, 101, false, 50);
    pump(&one);
    assert_int_equal(far->rtp_count, 2);
    come(&one, 103, false, 50);
    pump(&one);
    assert_int_equal(far->rtp_count, 3);
    assert_int_equal(far->numbers[2], START + 3);
}

static void test_stream_ends(void **state)
{
    (void)state;
    sender_switch(&sender, &one.stream);
    next(&one, true);
    pump(&one);
    rtp_stream_end(&one.stream);
    assert_null(sender_stream(&sender));
    sender_nack(&sender, port.now, START);
    sender_wants_key(&sender);
    network_run();
    assert_numbers(START, 1);
    assert_int_equal(sender.not_repeated, 1);
    sender_switch(&sender, &two.stream);
    next(&two, true);
    pump(&two);
    assert_numbers(START, 2);
}

static void test_rtx(void **state)
{
    (void)state;
    sender_switch(&sender, &one.stream);
    for (int i = 0; i < 4; i++)
        next(&one, i == 0);
    pump(&one);
    sender_nack(&sender, port.now, START + 1);
    sender_nack(&sender, port.now, START + 1);
    sender_nack(&sender, port.now, START + 4); /* not sent yet */
    sender_nack(&sender, port.now, START - 1); /* never sent */
    network_run();
    assert_int_equal(far->rtp_count, 6);
    assert_int_equal(far->numbers[4], RTX_START);
    assert_int_equal(far->numbers[5], RTX_START + 1);
    assert_true(word(far->rtp + 8) == RTX_SSRC);
    assert_int_equal(far->rtp[1], 97);
    assert_true(word(far->rtp + 4) == 777 + RATE / 30);
    assert_int_equal(far->rtp[12] << 8 | far->rtp[13], START + 1);
    assert_int_equal(far->rtp_size, 114);
    assert_int_equal(far->rtp[113], 65001 & 255);
    assert_int_equal(sender.repeated, 2);
    assert_int_equal(sender.not_repeated, 1);
    assert_int_equal(sender.packets, 4);
}

/* Who asks again before what was sent again can have come is not sent it a third time. */
static void test_rtx_under_way(void **state)
{
    static struct bwe bwe;
    (void)state;
    bwe_init(&bwe, port.now, &(struct bwe_settings){ 10000, 1000000, 2000000 });
    bwe_reported(&bwe, port.now, 0, 0, 200 * USEC_MS);
    sender.config.bwe = &bwe;
    sender_switch(&sender, &one.stream);
    for (int i = 0; i < 4; i++)
        next(&one, i == 0);
    pump(&one);
    for (unsigned i = 0; i < 5; i++) {
        sender_nack(&sender, port.now, START + 1);
        sender_nack(&sender, port.now, START + 2);
        assert_int_equal(sender.repeated, i < 4 ? 2 : 4);
        port.now += 50 * USEC_MS;
    }
    assert_int_equal(sender.not_repeated, 0);
}

/* What was sent before a picture that is waited for is of no use any more. */
static void test_no_rtx_before_a_key_frame(void **state)
{
    (void)state;
    sender_switch(&sender, &one.stream);
    for (int i = 0; i < 4; i++)
        next(&one, i == 0);
    pump(&one);
    sender_leave_out(&sender);
    sender_nack(&sender, port.now, START + 1);
    network_run();
    assert_int_equal(far->rtp_count, 4);
    assert_int_equal(sender.not_repeated, 1);
    next(&one, true);
    pump(&one);
    sender_nack(&sender, port.now, START + 4);
    network_run();
    assert_int_equal(far->rtp_count, 6);
}

/* Without RTX it is the same packet, to the bit: the far end knows it as a replay. */
static void test_repeat_without_rtx(void **state)
{
    (void)state;
    struct rtp_plan plan;
    sender_free(&sender);
    sender_open(SENDER_NO_PAYLOAD);
    sender_switch(&sender, &one.stream);
    next(&one, true);
    port.is_deaf = true;
    pump(&one);
    port.is_deaf = false;
    sender_nack(&sender, port.now, START);
    network_run();
    assert_numbers(START, 1);
    /* another header would be another packet under the same key stream */
    rtp_plan_begin(&plan, false);
    sender_set_plan(&sender, &plan, &sender.formats);
    sender_nack(&sender, port.now, START);
    network_run();
    assert_int_equal(sender.not_repeated, 1);
    assert_numbers(START, 1);
}

static void test_repeats_have_a_limit(void **state)
{
    (void)state;
    sender_switch(&sender, &one.stream);
    next(&one, true);
    pump(&one);
    for (int i = 0; i < 3 * SENDER_REPEATS_MAX; i++) {
        sender_nack(&sender, port.now, START);
        network_run();
    }
    assert_int_equal(sender.repeated, SENDER_REPEATS_MAX);
    port.now += 10 * SENDER_REPEAT_EACH;
    for (int i = 0; i < 20; i++)
        sender_nack(&sender, port.now, START);
    assert_int_equal(sender.repeated, SENDER_REPEATS_MAX + 10);
    network_run();
}

static void test_report(void **state)
{
    (void)state;
    struct rtcp_sr sr = { 0 };
    sender_switch(&sender, &one.stream);
    next(&one, true);
    pump(&one);
    assert_false(sender_report(&sender, port.now, &sr));
    /* the source says: at this time of its day, this was sampled */
    const struct rtcp_sr source = { .ntp = (uint64_t)5000 << 32, .rtp_timestamp = one.timestamp };
    reception_sr(&one.stream.reception, port.now, &source);
    port.now += USEC_S;
    assert_true(sender_report(&sender, port.now, &sr));
    assert_true(sr.ssrc == SSRC);
    assert_int_equal(sr.packet_count, 1);
    assert_int_equal(sr.octet_count, 100);
    assert_true(sr.rtp_timestamp == 777 + RATE);
    assert_true(sr.ntp == (uint64_t)5001 << 32);
}

/* More than one batch: pumping goes on where it stopped, and each sink gets each packet once. */
static void test_full_batch(void **state)
{
    (void)state;
    struct rtc_transport *other;
    struct far *far_other = port_connect(&other, GCM);
    struct sender second;
    struct sender_config config = sender.config;
    config.transport = other;
    sender_init(&second, &config);
    sender_set_plan(&second, &sender.plan, &sender.formats);
    sender_switch(&sender, &one.stream);
    sender_switch(&second, &one.stream);
    next(&one, true);
    pump(&one);
    unsigned pumped = 0;
    for (int i = 0; i < 50; i++)
        come(&one, one.number++, false, 1200);
    /* most of the batch is somebody else's already */
    for (int i = 0; i < 240; i++) {
        uint8_t *at = rtc_begin_rtp(&port.rtc, other);
        if (!at)
            break;
        memcpy(at, "\x80\x60\0\0\0\0\0\0\0\0\0\x07", 12);
        at[3] = (uint8_t)i;
        static struct secure_window sent;
        rtc_end_rtp(&port.rtc, other,
                    &(struct rtc_rtp){ .header_size = 12, .payload = VIEW("x"), .sent = &sent });
    }
    while (!rtp_stream_pump(&one.stream, port.now)) {
        network_run();
        pumped++;
    }
    network_run();
    assert_true(pumped > 0);
    assert_int_equal(far->rtp_count, 51);
    assert_int_equal(far_other->rtp_count, 51 + 240);
    assert_int_equal(sender.packets, 51);
    assert_int_equal(second.packets, 51);
    sender_free(&second);
}

static void test_duplicates_and_gaps(void **state)
{
    (void)state;
    uint8_t bytes[20] = { 0x80, 100, 0, 10 };
    struct packet packet = { 0 };
    bool needs_key;
    struct view v = view_make(bytes, sizeof bytes);
    assert_int_equal(rtp_read(v, &packet.rtp), OK);
    assert_int_equal(rtp_stream_feed(&one.stream, port.now, &packet, v, &needs_key), OK);
    assert_int_equal(rtp_stream_feed(&one.stream, port.now, &packet, v, &needs_key), ERR_EXISTS);
    packet.rtp.sequence_number = 2000;
    assert_int_equal(rtp_stream_feed(&one.stream, port.now, &packet, v, &needs_key), OK);
    assert_true(needs_key);
    assert_int_equal(reception_lost(&one.stream.reception), 1989);
}

int main(void)
{
#define WITH_SENDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_SENDER(test_begins_with_a_key_frame),
        WITH_SENDER(test_audio_begins_at_once),
        WITH_SENDER(test_order_of_arrival),
        WITH_SENDER(test_switch),
        WITH_SENDER(test_pause),
        WITH_SENDER(test_late_after_pause),
        WITH_SENDER(test_stream_ends),
        WITH_SENDER(test_go_over),
        WITH_SENDER(test_go_over_soon),
        WITH_SENDER(test_go_over_ends),
        WITH_SENDER(test_go_over_paused),
        WITH_SENDER(test_rtx),
        WITH_SENDER(test_rtx_under_way),
        WITH_SENDER(test_no_rtx_before_a_key_frame),
        WITH_SENDER(test_repeat_without_rtx),
        WITH_SENDER(test_repeats_have_a_limit),
        WITH_SENDER(test_report),
        WITH_SENDER(test_full_batch),
        WITH_SENDER(test_duplicates_and_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
