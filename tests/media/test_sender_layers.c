/* Layers that are left out and taken up again, at random, on a network that loses and reorders:
 * what goes out can be decoded, and counts on without a gap. */
#include "agent/rtc_house.h"
#include "layer_source.h"

#include "media/sender.h"
#include "media/track.h"

#define RTX      0x10000u /* in its SSRC */
#define START    1000
#define HELD_MAX 24
#define OUT_MAX  200000
#define MANY     3000 /* pictures */
#define SOURCES  2

static const struct layer_mode MODES[] = {
    { "VP8 L1T1", PAYLOAD_VP8, 1, 1, false, false },
    { "VP8 L1T2", PAYLOAD_VP8, 1, 2, false, false },
    { "VP8 L1T3", PAYLOAD_VP8, 1, 3, false, false },
    { "VP9 L1T3", PAYLOAD_VP9, 1, 3, false, false },
    { "VP9 L2T2", PAYLOAD_VP9, 2, 2, false, false },
    { "VP9 L3T3", PAYLOAD_VP9, 3, 3, false, false },
    { "VP9 L3T3_KEY", PAYLOAD_VP9, 3, 3, true, false },
    { "VP9 L1T3 flexible", PAYLOAD_VP9, 1, 3, false, true },
    { "VP9 L3T3 flexible", PAYLOAD_VP9, 3, 3, false, true },
    { "VP9 L2T3_KEY flexible", PAYLOAD_VP9, 2, 3, true, true },
    { "AV1 L1T2", PAYLOAD_AV1, 1, 2, false, false },
    { "AV1 L1T3", PAYLOAD_AV1, 1, 3, false, false },
    { "AV1 L3T3", PAYLOAD_AV1, 3, 3, false, false },
    { "AV1 L3T3_KEY", PAYLOAD_AV1, 3, 3, true, false },
    { "H264 L1T3", PAYLOAD_H264, 1, 3, false, false },
};

/* A packet that went out, by its number. */
struct out {
    bool is_there;
    bool is_excused; /* nobody needs it behind a switch */
    bool is_empty;
    bool has_marker;
    uint32_t frame;
    uint32_t hash;
};

struct held {
    struct sent sent;
    uint8_t source;
    unsigned until; /* so many packets later */
};

static struct metrics metrics;
static struct tracks tracks;
static struct track *track;
static struct layer_source sources[SOURCES];
static struct encoding *encodings[SOURCES];
static struct rtc_transport *transport;
static struct far *far;
static struct sender sender;
static const struct layer_mode *mode;
static struct out outs[OUT_MAX];
static uint64_t highest; /* that was heard */
static unsigned nacked, empties;
static struct held held[HELD_MAX];
static unsigned held_count, fed;
static uint64_t chance;
static bool is_bad; /* the network */
static struct dd_structure told_structure;
static uint32_t ssrc = 4000; /* of the sender; each has its own */

static const struct track_kind KIND = { .wake = NULL };

/* ---- what comes out ---- */

static uint32_t hash_of(struct view payload, const uint8_t *header)
{
    uint32_t hash = 2166136261u ^ (header[1] & 0x80);
    for (size_t i = 4; i < 8; i++)
        hash = (hash ^ header[i]) * 16777619u;
    for (size_t i = 0; i < payload.size; i++)
        hash = (hash ^ payload.at[i]) * 16777619u;
    return hash;
}

/* Where it says that it refers to, there is what it refers to. */
static void hear_frame_number(const struct rtp_packet *rtp, const uint8_t *bytes,
                              struct frame *frame)
{
    struct view value;
    struct dd_frame dd;
    assert_true(rtp_extension_value(rtp, bytes, DD_ID, &value));
    assert_int_equal(dd_read(value, &told_structure, &dd), OK);
    if (frame->heard > 0)
        assert_int_equal(frame->picture_id, dd.frame_number);
    frame->picture_id = dd.frame_number;
    assert_int_equal(dd.dependencies.fdiff_count, frame->ref_count);
    for (unsigned i = 0; i < frame->ref_count; i++) {
        const struct frame *to = &frames[frame->refs[i]];
        if (to->heard > 0 && to->since == frame->since)
            assert_int_equal((uint16_t)(dd.frame_number - dd.dependencies.fdiffs[i]),
                             to->picture_id);
    }
}

static void hear_descriptor(const struct layer_mode *of, const struct rtp_packet *rtp,
                            const uint8_t *header, struct view payload, struct out *out)
{
    struct frame told = { 0 };
    size_t size;
    if (of->codec == PAYLOAD_VP8) {
        struct vp8 vp8;
        assert_int_equal(vp8_read(payload, &vp8), OK);
        told.picture_id = vp8.picture_id;
        told.tl0picidx = vp8.tl0picidx;
        told.keyidx = vp8.keyidx;
        size = vp8.size + 10u;
    } else if (has_descriptors(of)) {
        size = of->codec == PAYLOAD_AV1 ? 2 : 1;
    } else {
        struct vp9 vp9;
        assert_int_equal(vp9_read(payload, &vp9), OK);
        told.picture_id = vp9.picture_id;
        told.tl0picidx = vp9.tl0picidx;
        size = vp9.size;
    }
    assert_true(payload.size >= size + 6);
    out->frame = bytes_read_32(payload.at + size);
    struct frame *frame = &frames[out->frame];
    assert_in_range(out->frame, 1, frame_count);
    assert_int_equal(payload.at[size + 5], frame->packet_count);
    /* behind a switch by a late key frame, some may come anew */
    if (frame->heard > 0 && frame->since != sender.repeat_from)
        frame->is_excused = true;
    if (frame->is_excused)
        return;
    frame->since = sender.repeat_from;
    if (has_descriptors(of)) {
        hear_frame_number(rtp, header, frame);
        frame->heard++;
        return;
    }
    if (frame->heard > 0) { /* all its packets tell the same */
        assert_int_equal(frame->picture_id, told.picture_id);
        assert_int_equal(frame->tl0picidx, told.tl0picidx);
        assert_int_equal(frame->keyidx, told.keyidx);
    }
    frame->picture_id = told.picture_id;
    frame->tl0picidx = told.tl0picidx;
    frame->keyidx = told.keyidx;
    frame->heard++;
}

static void hear_rtp(struct far *from, struct view bytes)
{
    struct rtp_packet rtp;
    (void)from;
    assert_int_equal(rtp_read(bytes, &rtp), OK);
    struct view payload = rtp_payload(&rtp, bytes.at);
    bool is_rtx = rtp.ssrc & RTX;
    uint16_t number = is_rtx ? (uint16_t)bytes_read_16(payload.at) : rtp.sequence_number;
    if (is_rtx)
        payload = view_slice(payload, 2, payload.size);
    if (highest == 0)
        highest = START - 1;
    uint64_t unwrapped = highest + (uint64_t)(int64_t)(int16_t)(uint16_t)(number - highest);
    assert_true(unwrapped < OUT_MAX);
    struct out *out = &outs[unwrapped];
    uint32_t hash = hash_of(payload, bytes.at);
    if (is_rtx && out->is_there) { /* what is repeated is the same to the bit */
        assert_int_equal(out->hash, hash);
        nacked++;
        return;
    }
    assert_false(out->is_there);
    *out = (struct out){ .is_there = true, .hash = hash, .has_marker = rtp.marker };
    highest = unwrapped > highest ? unwrapped : highest;
    out->is_empty = payload.size == 0;
    empties += out->is_empty;
    if (!out->is_empty)
        hear_descriptor(mode, &rtp, bytes.at, payload, out);
}

/* ---- what goes in ---- */

static void house_open(void)
{
    const struct media_terms terms = {
        .format_count = 1,
        .formats = { { .payload_type = 100, .rtx = MEDIA_NO_RTX } },
        .extensions = { [RTP_EXTENSION_DEPENDENCY_DESCRIPTOR] = DD_ID },
    };
    port_open(SECURE_DTLS_PROFILES);
    far = port_connect(&transport, "SRTP_AEAD_AES_128_GCM");
    far->hear_rtp = hear_rtp;
    assert_int_equal(tracks_init(&tracks, 4, &metrics), OK);
    track = track_open(&tracks, &KIND, NULL, true, &terms);
    assert_non_null(track);
}

static void house_close(void)
{
    sender_free(&sender);
    track_close(track, port.now);
    tracks_free(&tracks);
    port_close();
}

static void sender_open(void)
{
    ssrc++;
    const struct sender_config config = { .rtc = &port.rtc,
                                          .transport = transport,
                                          .ssrc = ssrc,
                                          .rtx_ssrc = RTX | ssrc,
                                          .timestamp = 777,
                                          .clock_rate = 90000,
                                          .sequence = START,
                                          .rtx_sequence = 2000,
                                          .is_video = true };
    struct sender_formats formats;
    struct rtp_plan plan;
    sender_formats_init(&formats);
    formats.payload_types[0] = 96;
    formats.rtx_payload_types[0] = 97;
    rtp_plan_begin(&plan, true);
    assert_int_equal(rtp_plan_map(&plan, DD_ID, DD_ID), OK);
    rtp_plan_watch(&plan, DD_ID);
    sender_init(&sender, &config);
    sender_set_plan(&sender, &plan, &formats);
}

static void begin(const struct layer_mode *of, uint64_t seed)
{
    mode = of;
    chance = seed;
    is_bad = false;
    frame_count = held_count = fed = nacked = empties = 0;
    highest = 0;
    memset(outs, 0, sizeof outs);
    track->terms.formats[0].codec = (uint8_t)mode->codec;
    for (uint8_t i = 0; i < SOURCES; i++) {
        sources[i] = (struct layer_source){ .mode = mode,
                                            .number = i,
                                            .sequence = (uint16_t)chance_of(&chance, 65536),
                                            .timestamp = chance_of(&chance, 1u << 30) * 4,
                                            .picture_id = (uint16_t)chance_of(&chance, 0x8000),
                                            .tl0picidx = (uint8_t)chance_of(&chance, 256),
                                            .frame_number = (uint16_t)chance_of(&chance, 65536),
                                            .keyidx = (uint8_t)chance_of(&chance, 32),
                                            .chance = seed * 2 + i };
        assert_int_equal(track_add_encoding(track, 500u + i, 0, VIEW(""), &encodings[i]), OK);
    }
    sender_open();
}

/* To the track, and what is to go out of it, out. */
static void feed(uint8_t source, const struct sent *sent)
{
    struct rtp_packet rtp;
    struct view bytes = view_make(sent->bytes, sent->size);
    assert_int_equal(rtp_read(bytes, &rtp), OK);
    assert_int_equal(encoding_feed(encodings[source], port.now, &rtp, bytes), OK);
    while (!rtp_stream_pump(&encodings[source]->stream, port.now))
        network_run();
    network_run();
    fed++;
}

static void feed_held(bool all)
{
    for (unsigned i = 0; i < held_count;)
        if (all || held[i].until <= fed) {
            struct held now = held[i];
            held[i] = held[--held_count];
            feed(now.source, &now.sent);
        } else {
            i++;
        }
}

static void come(uint8_t source, const struct sent *sent)
{
    if (is_bad && held_count < HELD_MAX && chance_of(&chance, 12) == 0)
        held[held_count++] = (struct held){ .sent = *sent,
                                            .source = source,
                                            .until = fed + 1 + chance_of(&chance, 40) };
    else
        feed(source, sent);
    feed_held(false);
}

static bool is_asked(struct encoding *encoding)
{
    return encoding->memory && key_requests_due(&encoding->stream.key_requests, port.now);
}

/* A picture of each source. */
static void play(void)
{
    struct sent sent[4 * PACKETS_MAX];
    port_wait(USEC_S / 30);
    for (uint8_t i = 0; i < SOURCES; i++) {
        bool is_key = sources[i].picture == 0 || is_asked(encodings[i]);
        unsigned count = source_picture(&sources[i], is_key, sent, 4 * PACKETS_MAX);
        for (unsigned k = 0; k < count; k++)
            come(i, &sent[k]);
    }
}

/* ---- what is wanted ---- */

/* What was under way when it went over need not have become whole. */
static void excuse(void)
{
    for (uint32_t id = frame_count, left = 150; id > 0 && left > 0; id--, left--)
        frames[id].is_excused = true;
    for (uint64_t number = highest > START + 200 ? highest - 200 : START; number <= highest;
         number++)
        outs[number].is_excused = !outs[number].is_there;
}

static void want_something(void)
{
    if (chance_of(&chance, 4) == 0)
        sender_go_over(&sender, &encodings[chance_of(&chance, SOURCES)]->stream, true);
    sender_set_layers(&sender, chance_of(&chance, 5), chance_of(&chance, 5));
}

/* The far end asks for what it lacks, and now and then for what it has. */
static void ask(void)
{
    for (uint64_t number = highest > 150 + START ? highest - 150 : START; number < highest;
         number++)
        if (!outs[number].is_there || chance_of(&chance, 100) == 0)
            sender_nack(&sender, port.now, (uint16_t)number);
    network_run();
}

/* ---- what must be true ---- */

static bool is_whole(const struct frame *frame)
{
    return frame->heard == frame->packet_count;
}

static void check_frames(void)
{
    for (uint32_t id = 1; id <= frame_count; id++) {
        const struct frame *frame = &frames[id];
        assert_true(frame->heard <= frame->packet_count);
        if (frame->heard == 0 || frame->is_excused)
            continue;
        if (!is_whole(frame))
            fail_msg("%s: frame %u is not whole: %u of %u, key %d, of %u", mode->name, id,
                     frame->heard, frame->packet_count, frame->is_key, frame_count);
        for (unsigned i = 0; i < frame->ref_count; i++)
            if (!is_whole(&frames[frame->refs[i]]) && !frames[frame->refs[i]].is_excused)
                fail_msg("%s: frame %u (%u.%u) without %u", mode->name, id, frame->spatial,
                         frame->temporal, frame->refs[i]);
    }
}

/* No number is missing; each picture has one marker, on its last packet. */
static void check_numbers(void)
{
    const struct frame *before = NULL;
    bool had_marker = true;
    for (uint64_t number = START; number <= highest; number++) {
        if (!outs[number].is_there && outs[number].is_excused)
            continue;
        if (!outs[number].is_there)
            fail_msg("%s: %u is missing", mode->name, (unsigned)number);
        if (outs[number].is_empty)
            continue;
        const struct frame *frame = &frames[outs[number].frame];
        bool is_same =
            before && before->source == frame->source && before->picture == frame->picture;
        if (before && !before->is_excused && had_marker == is_same)
            fail_msg("%s: a marker is wrong before %u", mode->name, (unsigned)number);
        had_marker = outs[number].has_marker;
        before = frame;
    }
}

/* The numbers of pictures, in the order in which they went out, where nothing came late. */
static void check_pictures(void)
{
    const struct frame *before = NULL;
    for (uint64_t number = START; number <= highest; number++) {
        const struct frame *frame = &frames[outs[number].frame];
        if (outs[number].is_empty)
            continue;
        if (before && (before->source != frame->source || before->picture != frame->picture)) {
            uint16_t step = (uint16_t)((frame->picture_id - before->picture_id) & 0x7fff);
            uint32_t pictures = frame->picture - before->picture;
            bool is_switch = before->source != frame->source;
            if (mode->codec == PAYLOAD_VP8)
                assert_int_equal(step, 1);
            else if (has_descriptors(mode))
                assert_in_range(step, 1, 30);
            else if (is_switch) /* behind some that were left out */
                assert_in_range(step, 1, 4);
            else
                assert_int_equal(step, pictures);
            if (mode->codec == PAYLOAD_VP8) {
                assert_int_equal((uint8_t)(frame->tl0picidx - before->tl0picidx),
                                 frame->temporal == 0);
                assert_int_equal((frame->keyidx - before->keyidx) & 0x1f, frame->is_key);
            }
        }
        before = frame;
    }
}

/* What the track can be had as is what is sent. */
static void check_layers(void)
{
    struct layer layers[LAYERS_MAX];
    unsigned each = (unsigned)mode->spatial_count * mode->temporal_count;
    assert_int_equal(track_layers(track, port.now, layers, LAYERS_MAX), SOURCES * each);
    for (unsigned i = 0; i < each; i++) {
        unsigned spatial = i / mode->temporal_count;
        assert_int_equal(layers[i].spatial, spatial);
        assert_int_equal(layers[i].temporal, i % mode->temporal_count);
        assert_int_equal(layers[i].width, 320u << spatial);
        assert_true(layers[i].bps > 0 && layers[i].fps > 0);
        /* in a mode of key pictures, what is above may cost less than all that is below */
        if (i > 0 && layers[i - 1].spatial == spatial)
            assert_true(layers[i].bps >= layers[i - 1].bps);
    }
}

static void run_mode(const struct layer_mode *of, uint64_t seed, bool is_on_bad_network)
{
    house_open();
    begin(of, seed);
    play();
    sender_switch(&sender, &encodings[0]->stream);
    is_bad = is_on_bad_network;
    for (unsigned i = 0; i < MANY; i++) {
        uint64_t began = sender.repeat_from;
        if (chance_of(&chance, 15) == 0)
            want_something();
        play();
        if (i % 100 == 0) { /* it is still there */
            far_check(far, false);
            network_run();
        }
        if (sender.repeat_from != began)
            excuse();
        if (is_bad)
            ask();
    }
    uint64_t began = sender.repeat_from;
    feed_held(true);
    if (sender.repeat_from != began)
        excuse();
    ask();
    check_frames();
    check_numbers();
    if (!is_bad) {
        check_pictures();
        check_layers();
    }
    assert_true(highest > START + MANY / 4);
    if (is_bad && mode->temporal_count + mode->spatial_count > 2)
        assert_true(nacked > 100 && empties > 10);
    house_close();
}

static void test_in_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof MODES / sizeof *MODES; i++)
        run_mode(&MODES[i], 100 + i, false);
}

static void test_out_of_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof MODES / sizeof *MODES; i++)
        run_mode(&MODES[i], 200 + i, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_out_of_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
