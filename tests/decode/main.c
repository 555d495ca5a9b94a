/* main.c - real video, of which layers and encodings are taken and left at random, through the
 * senders of media/, and decoded by real decoders: each picture that is decoded is to the bit one
 * that was coded, the right one, and none is waited for longer than to the next that is due.
 *
 *     decode CODEC [SEED [PICTURES]]
 */
#include "agent/rtc_house.h"
#include "receiver.h"

#include "media/sender.h"
#include "media/track.h"

#define RTX           0x10000u /* in its SSRC */
#define RTP_SEQUENCE  1000
#define ENCODINGS_MAX 3
#define REMEMBERED    128 /* pictures */
#define HELD_MAX      32
#define SETTLED       75 /* pictures after which what is wanted has come */
#define FREEZE_MAX    75 /* pictures, where packets are lost for good */
#define LATE_MAX      12 /* pictures' time that a packet is on the way */
#define PSNR_MIN      28.0

static const struct mode MODES[] = {
    { "VP8 L1T1, simulcast", PAYLOAD_VP8, 3, 1, 1, false, false, false, false },
    { "VP8 L1T2, simulcast", PAYLOAD_VP8, 3, 1, 2, false, false, false, false },
    { "VP8 L1T3, simulcast", PAYLOAD_VP8, 3, 1, 3, false, false, false, false },
    { "VP8 L1T3, simulcast, by descriptors", PAYLOAD_VP8, 3, 1, 3, false, false, true, false },
    { "VP9 L1T2", PAYLOAD_VP9, 1, 1, 2, false, false, false, false },
    { "VP9 L1T3, simulcast", PAYLOAD_VP9, 3, 1, 3, false, false, false, false },
    { "VP9 L2T1", PAYLOAD_VP9, 1, 2, 1, false, false, false, false },
    { "VP9 L2T3_KEY", PAYLOAD_VP9, 1, 2, 3, true, false, false, false },
    { "VP9 L3T3", PAYLOAD_VP9, 1, 3, 3, false, false, false, false },
    { "VP9 L3T3_KEY", PAYLOAD_VP9, 1, 3, 3, true, false, false, false },
    { "VP9 L1T3 flexible", PAYLOAD_VP9, 1, 1, 3, false, true, false, false },
    { "VP9 L3T3_KEY flexible", PAYLOAD_VP9, 1, 3, 3, true, true, false, false },
    { "VP9 L3T3 by descriptors", PAYLOAD_VP9, 1, 3, 3, false, true, true, false },
    { "VP9 L3T3_KEY by descriptors", PAYLOAD_VP9, 1, 3, 3, true, true, true, false },
    { "AV1 L1T1, simulcast", PAYLOAD_AV1, 3, 1, 1, false, false, true, false },
    { "AV1 L1T2", PAYLOAD_AV1, 1, 1, 2, false, false, true, false },
    { "AV1 L1T3, simulcast", PAYLOAD_AV1, 3, 1, 3, false, false, true, false },
    { "AV1 L2T1", PAYLOAD_AV1, 1, 2, 1, false, false, true, false },
    { "AV1 L2T2", PAYLOAD_AV1, 1, 2, 2, false, false, true, false },
    { "AV1 L2T3_KEY", PAYLOAD_AV1, 1, 2, 3, true, false, true, false },
    { "AV1 L3T1", PAYLOAD_AV1, 1, 3, 1, false, false, true, false },
    { "AV1 L3T3", PAYLOAD_AV1, 1, 3, 3, false, false, true, false },
    { "AV1 L3T3_KEY", PAYLOAD_AV1, 1, 3, 3, true, false, true, false },
    { "AV1 L3T3, for who has no descriptors", PAYLOAD_AV1, 1, 3, 3, false, false, true, true },
    { "AV1 L3T3_KEY, for who has no descriptors", PAYLOAD_AV1, 1, 3, 3, true, false, true, true },
    { "H264, simulcast", PAYLOAD_H264, 3, 1, 1, false, false, false, false },
    { "H264 L1T2, simulcast", PAYLOAD_H264, 3, 1, 2, false, false, false, false },
    { "H264 L1T2, simulcast, by descriptors", PAYLOAD_H264, 3, 1, 2, false, false, true, false },
    { "H264 L1T3, simulcast, by descriptors", PAYLOAD_H264, 3, 1, 3, false, false, true, false },
    { "H265, simulcast", PAYLOAD_H265, 3, 1, 1, false, false, false, false },
};

static const struct {
    const char *name;
    enum payload_codec codec;
    const struct encoder_kind *encoder;
    const struct decoder_kind *decoder;
} CODECS[] = {
    { "vp8", PAYLOAD_VP8, &ENCODE_VP8, &DECODE_VP8 },
    { "vp9", PAYLOAD_VP9, &ENCODE_VP9, &DECODE_VP9 },
    { "av1", PAYLOAD_AV1, &ENCODE_AV1, &DECODE_AV1 },
    { "h264", PAYLOAD_H264, &ENCODE_H264, &DECODE_H264 },
    { "h265", PAYLOAD_H265, &ENCODE_H265, &DECODE_H265 },
};
static unsigned codec;
static uint64_t seed = 1;
static unsigned pictures = 120;

/* What a decoder makes of a spatial layer that has all it needs. */
struct reference {
    uint64_t hash;
    unsigned picture;
    uint8_t spatial;
    bool is_there;
};

struct source {
    void *encoder;
    void *decoders[SPATIAL_MAX]; /* of all that each spatial layer needs */
    struct structure structure;
    struct numbers numbers;
    struct encoding *encoding;
    unsigned width, height;
    struct reference references[REMEMBERED][SPATIAL_MAX];
};

struct held {
    struct sent sent;
    uint8_t source;
    unsigned until;
};

static struct metrics metrics;
static struct tracks tracks;
static struct track *track;
static struct source sources[ENCODINGS_MAX];
static struct rtc_transport *transport;
static struct far *far;
static struct sender sender;
static const struct mode *mode;
static struct receiver receiver;
static uint64_t chance;
static bool is_bad; /* the network */
static struct held held[HELD_MAX];
static unsigned held_count, fed;
static unsigned picture;           /* that is being sent */
static unsigned last_shown, shown; /* the newest, and how many */
static unsigned wanted_at;         /* the picture at which it changed */
static uint8_t wanted_encoding, wanted_spatial, wanted_temporal;
static unsigned switches, gaps;
static struct told last_told;
static unsigned last_encoding;

static const struct track_kind KIND = { .wake = NULL };

static unsigned chance_of(unsigned below)
{
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(chance >> 33) % below;
}

/* ---- what is coded ---- */

static void open_source(unsigned at)
{
    struct source *source = &sources[at];
    memset(source, 0, sizeof *source);
    source->width = IMAGE_WIDTH >> (mode->encodings - 1 - at);
    source->height = IMAGE_HEIGHT >> (mode->encodings - 1 - at);
    structure_init(&source->structure, mode->spatial_count, mode->temporal_count, mode->is_key_mode,
                   (uint16_t)chance_of(65536));
    for (unsigned i = 0; i < mode->spatial_count; i++) {
        source->structure.widths[i] = (uint16_t)(source->width >> (mode->spatial_count - 1u - i));
        source->structure.heights[i] = (uint16_t)(source->height >> (mode->spatial_count - 1u - i));
        source->decoders[i] = CODECS[codec].decoder->open();
    }
    source->numbers = (struct numbers){ .ssrc = 500 + at,
                                        .timestamp = chance_of(1u << 30) * 4,
                                        .sequence = (uint16_t)chance_of(65536),
                                        .picture_id = (uint16_t)chance_of(0x8000),
                                        .tl0picidx = (uint8_t)chance_of(256),
                                        .keyidx = (uint8_t)chance_of(32) };
    source->encoder =
        CODECS[codec].encoder->open(source->width, source->height, &source->structure);
    assert_int_equal(
        track_add_encoding(track, source->numbers.ssrc, 0, VIEW(""), &source->encoding), OK);
}

static void close_source(struct source *source)
{
    CODECS[codec].encoder->close(source->encoder);
    for (unsigned i = 0; i < mode->spatial_count; i++)
        CODECS[codec].decoder->close(source->decoders[i]);
}

/* What a decoder must make of a layer, and that it looks like what was filmed. */
static void note_reference(struct source *source, unsigned spatial, const struct frame *frames,
                           const struct coded *coded)
{
    static uint8_t bytes[SPATIAL_MAX * CODED_MAX];
    static struct image image, drawn;
    struct reference *reference = &source->references[picture % REMEMBERED][spatial];
    size_t size = 0;
    for (unsigned i = 0; i <= spatial; i++)
        if (frame_is_for(&source->structure, &frames[i], spatial, mode->temporal_count)) {
            memcpy(bytes + size, coded[i].bytes, coded[i].size);
            size += coded[i].size;
        }
    assert_true(
        CODECS[codec].decoder->decode(source->decoders[spatial], view_make(bytes, size), &image));
    assert_int_equal(image.width, source->structure.widths[spatial]);
    image_draw(&drawn, image.width, image.height, picture);
    double psnr = image_psnr(&image, &drawn);
    if (psnr < PSNR_MIN)
        fail_msg("%s: picture %u of layer %u: %.1f dB", mode->name, picture, spatial, psnr);
    *reference = (struct reference){ .hash = image_hash(&image),
                                     .picture = picture,
                                     .spatial = (uint8_t)spatial,
                                     .is_there = true };
}

/* ---- what comes out ---- */

static const struct reference *find_reference(uint64_t hash, unsigned *encoding)
{
    for (unsigned e = 0; e < mode->encodings; e++)
        for (unsigned i = 0; i < REMEMBERED; i++)
            for (unsigned s = 0; s < mode->spatial_count; s++) {
                const struct reference *reference = &sources[e].references[i][s];
                *encoding = e;
                if (reference->is_there && reference->hash == hash)
                    return reference;
            }
    return NULL;
}

/* Of VP8, a picture that came late may turn out to be of a layer that is not sent: that is foreseen
 * where the pattern of the layers is known. */
static unsigned most_ids(void)
{
    if (mode->codec == PAYLOAD_VP8)
        return is_bad && mode->temporal_count > 1 ? 2 : 1;
    return is_bad ? FREEZE_MAX : 8;
}

/* Their numbers go on without a gap, VP8's; the others' never back. */
static void check_numbers(void)
{
    const struct told *told = &receiver.told;
    unsigned step = (told->picture_id - last_told.picture_id) & 0x7fffu;
    bool is_first = shown == 0 || (is_bad && told->is_key);
    if (told->has_picture_id && !is_first)
        assert_in_range(step, 1, most_ids());
    gaps += mode->codec == PAYLOAD_VP8 && told->has_picture_id && !is_first && step > 1;
    if (told->has_tl0picidx && !is_first)
        assert_int_equal((uint8_t)(told->tl0picidx - last_told.tl0picidx), told->temporal == 0);
    for (unsigned i = 0; i < told->frame_count && shown > 0; i++) {
        uint16_t before =
            i ? told->frame_numbers[i - 1] : last_told.frame_numbers[last_told.frame_count - 1];
        assert_in_range((uint16_t)(told->frame_numbers[i] - before), 1, 0x7fff);
    }
}

/* Who has no descriptors gets the lowest of AV1's sizes. */
static bool has_one_size(void)
{
    return mode->codec == PAYLOAD_AV1 && mode->hides_descriptors;
}

/* How far apart pictures may be that are shown. */
static unsigned most_between(void)
{
    return is_bad ? FREEZE_MAX : 1u << (mode->temporal_count - 1);
}

static void show(void)
{
    unsigned encoding = 0;
    const struct reference *reference = find_reference(image_hash(&receiver.image), &encoding);
    if (!reference)
        fail_msg("%s: a corrupt picture (%ux%u, key %d, spatial %u, temporal %u) at %u", mode->name,
                 receiver.image.width, receiver.image.height, receiver.told.is_key,
                 receiver.told.spatial, receiver.told.temporal, picture);
    /* another encoding begins where its key frame is, which may have been on the way for long */
    unsigned late = is_bad ? LATE_MAX : 0;
    unsigned least = encoding == last_encoding ? last_shown + 1
                     : last_shown > late       ? last_shown - late
                                               : 0;
    if (shown > 0)
        assert_in_range(reference->picture, least, last_shown + most_between());
    check_numbers();
    if (has_one_size())
        assert_int_equal(reference->spatial, 0);
    if (!is_bad && picture - wanted_at > SETTLED) {
        assert_int_equal(encoding, wanted_encoding);
        assert_int_equal(reference->spatial, wanted_spatial);
        assert_true(receiver.told.temporal <= wanted_temporal);
        assert_in_range(reference->picture - last_shown, 0,
                        1u << (mode->temporal_count - 1 - wanted_temporal));
    }
    switches += shown > 0 && (encoding != last_encoding || reference->spatial != last_told.spatial);
    last_encoding = encoding;
    last_told = receiver.told;
    last_told.spatial = reference->spatial;
    last_shown = reference->picture;
    shown++;
}

static void hear_rtp(struct far *from, struct view bytes)
{
    struct rtp_packet rtp;
    (void)from;
    assert_int_equal(rtp_read(bytes, &rtp), OK);
    if (!is_bad || chance_of(40) > 0)
        receiver_hear(&receiver, bytes, rtp.ssrc & RTX);
}

/* ---- what goes in ---- */

static void feed(unsigned at, const struct sent *sent)
{
    struct rtp_packet rtp;
    struct encoding *encoding = sources[at].encoding;
    struct view bytes = view_make(sent->bytes, sent->size);
    assert_int_equal(rtp_read(bytes, &rtp), OK);
    assert_int_equal(encoding_feed(encoding, port.now, &rtp, bytes), OK);
    while (!rtp_stream_pump(&encoding->stream, port.now))
        network_run();
    network_run();
    fed++;
}

static void feed_held(void)
{
    for (unsigned i = 0; i < held_count;)
        if (held[i].until <= fed) {
            struct held now = held[i];
            held[i] = held[--held_count];
            feed(now.source, &now.sent);
        } else {
            i++;
        }
}

/* Some come late, some never. */
static void come(unsigned at, const struct sent *sent)
{
    if (is_bad && chance_of(1500) == 0)
        return;
    if (is_bad && held_count < HELD_MAX && chance_of(30) == 0)
        held[held_count++] =
            (struct held){ .sent = *sent, .source = (uint8_t)at, .until = fed + 1 + chance_of(40) };
    else
        feed(at, sent);
    feed_held();
}

static bool is_asked(struct encoding *encoding)
{
    return encoding->memory && key_requests_due(&encoding->stream.key_requests, port.now);
}

static void play_source(unsigned at)
{
    static struct image image;
    static struct coded coded[SPATIAL_MAX];
    static struct sent sent[PACKETS_MAX];
    struct source *source = &sources[at];
    struct frame frames[SPATIAL_MAX];
    bool is_key = is_asked(source->encoding) || picture == 0;
    image_draw(&image, source->width, source->height, picture);
    structure_next(&source->structure, is_key, frames);
    CODECS[codec].encoder->encode(source->encoder, &image, frames, coded);
    for (unsigned i = 0; i < mode->spatial_count; i++)
        note_reference(source, i, frames, coded);
    unsigned count = packets_make(mode, &source->numbers, &source->structure, frames, coded, sent);
    for (unsigned i = 0; i < count; i++)
        come(at, &sent[i]);
    if (!is_bad) { /* each encoding's size is known, from its first key frame on */
        assert_int_equal(source->encoding->meter.widths[mode->spatial_count - 1], source->width);
        assert_int_equal(source->encoding->meter.heights[mode->spatial_count - 1], source->height);
    }
}

static void ask(void)
{
    uint16_t numbers[64];
    bool wants_key;
    unsigned count = receiver_missing(&receiver, numbers, 64, &wants_key);
    for (unsigned i = 0; i < count; i++)
        sender_nack(&sender, port.now, numbers[i]);
    if (wants_key)
        sender_wants_key(&sender);
    network_run();
}

static void want_something(void)
{
    if (chance_of(2) == 0)
        wanted_encoding = (uint8_t)chance_of(mode->encodings);
    wanted_spatial = (uint8_t)chance_of(mode->spatial_count);
    wanted_temporal = (uint8_t)chance_of(mode->temporal_count);
    wanted_at = picture;
    sender_go_over(&sender, &sources[wanted_encoding].encoding->stream, true);
    sender_set_layers(&sender, wanted_spatial, wanted_temporal);
    if (has_one_size())
        wanted_spatial = 0;
}

/* ---- the house ---- */

static void open_sender(void)
{
    static uint32_t ssrc = 4000;
    struct sender_formats formats;
    struct rtp_plan plan;
    ssrc++;
    const struct sender_config config = { .rtc = &port.rtc,
                                          .transport = transport,
                                          .ssrc = ssrc,
                                          .rtx_ssrc = RTX | ssrc,
                                          .timestamp = 777,
                                          .clock_rate = 90000,
                                          .sequence = RTP_SEQUENCE,
                                          .rtx_sequence = 2000,
                                          .is_video = true };
    sender_formats_init(&formats);
    formats.payload_types[0] = 96;
    formats.rtx_payload_types[0] = 97;
    rtp_plan_begin(&plan, true);
    if (mode->has_descriptors && !mode->hides_descriptors) {
        assert_int_equal(rtp_plan_map(&plan, DD_ID, DD_ID), OK);
        rtp_plan_watch(&plan, DD_ID);
    }
    sender_init(&sender, &config);
    sender_set_plan(&sender, &plan, &formats);
}

static void open_house(void)
{
    struct media_terms terms = {
        .format_count = 1,
        .formats = { { .payload_type = 100, .rtx = MEDIA_NO_RTX, .codec = (uint8_t)mode->codec } },
    };
    if (mode->has_descriptors)
        terms.extensions[RTP_EXTENSION_DEPENDENCY_DESCRIPTOR] = DD_ID;
    port_open(SECURE_DTLS_PROFILES);
    far = port_connect(&transport, "SRTP_AEAD_AES_128_GCM");
    far->hear_rtp = hear_rtp;
    assert_int_equal(tracks_init(&tracks, 4, &metrics), OK);
    track = track_open(&tracks, &KIND, NULL, true, &terms);
    for (unsigned i = 0; i < mode->encodings; i++)
        open_source(i);
    open_sender();
    receiver_init(&receiver, mode, CODECS[codec].decoder);
}

static void close_house(void)
{
    sender_free(&sender);
    track_close(track, port.now);
    tracks_free(&tracks);
    port_close();
    receiver_free(&receiver);
    for (unsigned i = 0; i < mode->encodings; i++)
        close_source(&sources[i]);
}

static void run_mode(const struct mode *of, bool is_on_bad_network)
{
    mode = of;
    chance = seed * 1000 + (uint64_t)(of - MODES) * 2 + is_on_bad_network;
    is_bad = false; /* until it has begun */
    shown = switches = gaps = held_count = fed = 0;
    wanted_encoding = wanted_spatial = wanted_temporal = 0;
    wanted_at = 0;
    open_house();
    for (picture = 0; picture < pictures; picture++) {
        port_wait(USEC_S / 30);
        if (picture == 1) {
            sender_switch(&sender, &sources[0].encoding->stream);
            sender_set_layers(&sender, 0, 0);
        }
        if (picture > 20 && chance_of(picture % 300 < 200 ? 8 : 100) == 0)
            want_something();
        for (unsigned i = 0; i < mode->encodings; i++)
            play_source(i);
        if (picture % 60 == 0) { /* it is still there */
            far_check(far, false);
            network_run();
        }
        while (receiver_decode(&receiver))
            show();
        ask();
        is_bad = is_on_bad_network && picture > 20;
        if (picture > 40)
            assert_in_range(picture, last_shown, last_shown + most_between());
    }
    print_message("# %s: %u of %u pictures, %u switches, %u repeated, %u keys asked for\n",
                  mode->name, shown, pictures, switches, receiver.repeated, receiver.key_asks);
    assert_true(shown > pictures / 8 && gaps <= 1 + pictures / 200);
    close_house();
}

static void run_codec(bool is_on_bad_network)
{
    for (unsigned i = 0; i < sizeof MODES / sizeof *MODES; i++)
        if (MODES[i].codec == CODECS[codec].codec)
            run_mode(&MODES[i], is_on_bad_network);
}

static void test_switches(void **state)
{
    (void)state;
    run_codec(false);
}

static void test_switches_where_packets_are_lost(void **state)
{
    (void)state;
    run_codec(true);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_switches),
        cmocka_unit_test(test_switches_where_packets_are_lost),
    };
    const unsigned count = sizeof CODECS / sizeof *CODECS;
    while (argc > 1 && codec < count && strcmp(CODECS[codec].name, argv[1]) != 0)
        codec++;
    if (argc < 2 || codec == count) {
        fprintf(stderr, "usage: decode vp8|vp9|av1|h264|h265 [SEED [PICTURES]]\n");
        return 2;
    }
    if (argc > 2)
        seed = strtoull(argv[2], NULL, 10);
    if (argc > 3)
        pictures = (unsigned)strtoul(argv[3], NULL, 10);
    return cmocka_run_group_tests_name(CODECS[codec].name, tests, NULL, NULL);
}
