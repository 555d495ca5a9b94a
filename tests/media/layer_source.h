/* layer_source.h - generated video with layers: of each frame it is known what it refers to, so a
 * test can say of what came out whether a decoder could have made a picture of it.
 *
 * Behind the payload's descriptor stands which frame it is (4 bytes), which of its packets (1) and
 * of how many (1). */
#ifndef MOIM_TESTS_MEDIA_LAYER_SOURCE_H
#define MOIM_TESTS_MEDIA_LAYER_SOURCE_H

#include "support.h"

#include "base/bytes.h"
#include "wire/dependency_descriptor.h"
#include "wire/payload.h"
#include "wire/payload_vp8.h"
#include "wire/payload_vp9.h"

#define FRAMES_MAX  60000
#define REFS_MAX    4
#define PACKETS_MAX 3 /* of a frame */
#define NO_FRAME    0 /* they count from 1 */
#define DD_ID       9 /* of the header extension */

struct layer_mode {
    const char *name;
    enum payload_codec codec;
    uint8_t spatial_count;
    uint8_t temporal_count;
    bool is_key_mode; /* layers below are referred to in key pictures alone */
    bool is_flexible; /* VP9 */
};

struct frame {
    uint8_t source;
    uint8_t spatial;
    uint8_t temporal;
    uint8_t packet_count;
    bool is_key;     /* of a key picture */
    bool is_last;    /* of its picture */
    bool is_excused; /* it was left on the way: need not be whole */
    uint8_t heard;   /* packets that came out */
    uint8_t ref_count;
    uint16_t number;     /* in dependency descriptors, as it came in */
    uint16_t picture_id; /* as it came out; or the number, likewise */
    uint8_t tl0picidx;
    uint8_t keyidx;
    uint32_t picture; /* of its source */
    uint64_t since;   /* as what it came out: the first number of this stream's time */
    uint32_t refs[REFS_MAX];
};

/* One packet, as it is sent. */
struct sent {
    uint8_t bytes[400];
    size_t size;
};

struct layer_source {
    const struct layer_mode *mode;
    uint8_t number;
    uint16_t sequence;
    uint32_t timestamp;
    uint32_t picture;    /* pictures so far */
    uint32_t since_key;  /* pictures */
    uint16_t picture_id; /* of VP8 and VP9 */
    uint8_t tl0picidx;
    uint8_t keyidx;
    uint16_t frame_number;
    uint32_t last[4][4]; /* by spatial and temporal layer: the frame, in this key's time */
    uint64_t chance;
};

static struct frame frames[FRAMES_MAX];
static uint32_t frame_count;

static inline unsigned chance_of(uint64_t *chance, unsigned below)
{
    *chance = *chance * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*chance >> 33) % below;
}

/* Of eight pictures: which temporal layer each is of, and whether it refers to the base alone. */
static inline unsigned temporal_of(const struct layer_source *source, bool *is_sync)
{
    static const uint8_t THREE[] = { 0, 2, 1, 2 };
    unsigned at = source->since_key % 8;
    *is_sync = at == 1 || at == 2;
    if (source->mode->temporal_count == 1)
        return 0;
    if (source->mode->temporal_count == 2)
        return at % 2;
    return THREE[at % 4];
}

static inline void refer(struct frame *frame, uint32_t to)
{
    if (to == NO_FRAME)
        return;
    for (unsigned i = 0; i < frame->ref_count; i++)
        if (frame->refs[i] == to)
            return;
    frame->refs[frame->ref_count++] = to;
}

static inline struct frame *make_frame(struct layer_source *source, unsigned spatial,
                                       unsigned temporal, bool is_sync, bool is_key)
{
    uint32_t id = ++frame_count;
    struct frame *frame = &frames[id];
    const struct layer_mode *mode = source->mode;
    assert_true(id < FRAMES_MAX);
    *frame = (struct frame){ .source = source->number,
                             .spatial = (uint8_t)spatial,
                             .temporal = (uint8_t)temporal,
                             .packet_count = (uint8_t)(1 + chance_of(&source->chance, PACKETS_MAX)),
                             .is_key = is_key,
                             .is_last = spatial + 1u == mode->spatial_count,
                             .number = source->frame_number++,
                             .picture = source->picture };
    if (!is_key) {
        refer(frame, source->last[spatial][0]);
        for (unsigned t = 1; t <= temporal && !is_sync; t++)
            refer(frame, source->last[spatial][t]);
    }
    /* the one below, of the same picture, came just before */
    if (spatial > 0 && (is_key || !mode->is_key_mode))
        refer(frame, id - 1);
    for (unsigned t = 0; t < 4 && is_key; t++)
        source->last[spatial][t] = t == 0 ? id : NO_FRAME;
    source->last[spatial][temporal] = id;
    return frame;
}

/* ---- descriptors ---- */

static inline size_t write_vp8_to(const struct layer_source *source, const struct frame *frame,
                                  bool is_first, bool is_sync, uint8_t *at)
{
    static const uint8_t KEY[] = { 0x10, 0, 0, 0x9d, 1, 0x2a, 64, 1, 240, 0 };
    at[0] = (uint8_t)(0x80 | (is_first ? 0x10 : 0));
    at[1] = 0xf0;
    bytes_write_16(at + 2, 0x8000u | source->picture_id);
    at[4] = source->tl0picidx;
    at[5] = (uint8_t)(frame->temporal << 6 | (is_sync && frame->temporal > 0 ? 0x20 : 0) |
                      source->keyidx);
    memcpy(at + 6, KEY, sizeof KEY);
    if (!is_first || !frame->is_key)
        at[6] = 0x11;
    return 6 + sizeof KEY;
}

static inline size_t write_vp9_to(const struct layer_source *source, const struct frame *frame,
                                  bool is_first, bool is_end, uint8_t *at)
{
    const struct layer_mode *mode = source->mode;
    bool is_inter = !frame->is_key;
    bool is_upper_reference =
        frame->spatial + 1u < mode->spatial_count && (frame->is_key || !mode->is_key_mode);
    bool is_up = source->since_key % 8 == 0 && mode->temporal_count > 1;
    bool is_on_lower = frame->spatial > 0 && (frame->is_key || !mode->is_key_mode);
    bool has_structure = frame->is_key && frame->spatial == 0 && is_first;
    size_t size = 4;
    at[0] = (uint8_t)(0x80 | is_inter << 6 | 0x20 | mode->is_flexible << 4 | is_first << 3 |
                      is_end << 2 | has_structure << 1 | !is_upper_reference);
    bytes_write_16(at + 1, 0x8000u | source->picture_id);
    at[3] = (uint8_t)(frame->temporal << 5 | is_up << 4 | frame->spatial << 1 | is_on_lower);
    if (!mode->is_flexible)
        at[size++] = source->tl0picidx;
    for (unsigned i = 0, left = frame->ref_count - is_on_lower;
         mode->is_flexible && is_inter && i < left; i++) {
        uint32_t back = frame->picture - frames[frame->refs[i]].picture;
        at[size++] = (uint8_t)(back << 1 | (i + 1 < left));
    }
    if (has_structure) {
        at[size++] = (uint8_t)((mode->spatial_count - 1) << 5 | 0x10);
        for (unsigned i = 0; i < mode->spatial_count; i++, size += 4) {
            bytes_write_16(at + size, 320u << i);
            bytes_write_16(at + size + 2, 180u << i);
        }
    }
    return size;
}

struct bit_writer {
    uint8_t *at;
    size_t bits;
};

static inline void put_bits(struct bit_writer *writer, unsigned count, uint32_t value)
{
    for (; count > 0; count--, writer->bits++)
        if (value >> (count - 1) & 1)
            writer->at[writer->bits / 8] |= (uint8_t)(0x80 >> writer->bits % 8);
}

/* What the frame is to a decode target. */
static inline enum dd_indication indication_of(const struct layer_source *source,
                                               const struct frame *frame, unsigned spatial,
                                               unsigned temporal)
{
    bool is_upper_reference = frame->is_key || !source->mode->is_key_mode;
    if (frame->temporal > temporal || frame->spatial > spatial ||
        (frame->spatial < spatial && !is_upper_reference))
        return DD_NOT_PRESENT;
    if (frame->is_key)
        return DD_SWITCH;
    if (frame->spatial == spatial && frame->temporal == 0 &&
        (temporal == 0 || source->since_key % 8 == 0))
        return DD_SWITCH;
    return DD_REQUIRED;
}

/* A template without anything, and all of it said of each frame by itself. */
static inline void write_structure(const struct layer_mode *mode, struct bit_writer *to)
{
    unsigned count = (unsigned)mode->spatial_count * mode->temporal_count;
    unsigned log = 0;
    put_bits(to, 6, 0);
    put_bits(to, 5, count - 1);
    for (unsigned i = 1; i <= count; i++)
        put_bits(to, 2, i == count ? 3 : i % mode->temporal_count ? 1 : 2);
    for (unsigned template = 0; template <count; template ++)
        for (unsigned target = 0; target < count; target++) /* it tells what the target is */
            put_bits(to, 2, template == target ? DD_REQUIRED : DD_NOT_PRESENT);
    put_bits(to, count, 0); /* no fdiffs */
    while ((count + 1) >> (log + 1))
        log++;
    put_bits(to, log, 0); /* no chains: ns(count + 1) */
    put_bits(to, 1, 1);
    for (unsigned i = 0; i < mode->spatial_count; i++)
        put_bits(to, 32, ((320u << i) - 1) << 16 | ((180u << i) - 1));
}

static inline size_t write_descriptor(const struct layer_source *source, const struct frame *frame,
                                      bool is_first, bool is_end, uint8_t *at)
{
    const struct layer_mode *mode = source->mode;
    struct bit_writer to = { .at = at };
    bool has_structure = frame->is_key && frame->spatial == 0 && is_first;
    put_bits(&to, 2, (uint32_t)(is_first << 1 | is_end));
    put_bits(&to, 6, (uint32_t)(frame->spatial * mode->temporal_count + frame->temporal));
    put_bits(&to, 16, frame->number);
    put_bits(&to, 5, has_structure ? 0x16 : 6);
    if (has_structure)
        write_structure(mode, &to);
    for (unsigned spatial = 0; spatial < mode->spatial_count; spatial++)
        for (unsigned temporal = 0; temporal < mode->temporal_count; temporal++)
            put_bits(&to, 2, indication_of(source, frame, spatial, temporal));
    for (unsigned i = 0; i < frame->ref_count; i++) {
        put_bits(&to, 2, 2);
        put_bits(&to, 8, (uint32_t)(frame->number - frames[frame->refs[i]].number - 1) & 0xff);
    }
    put_bits(&to, 2, 0);
    return (to.bits + 7) / 8;
}

/* The extension of a packet, in the two-byte form. */
static inline size_t write_extension(const struct layer_source *source, const struct frame *frame,
                                     bool is_first, bool is_end, uint8_t *at)
{
    size_t size = write_descriptor(source, frame, is_first, is_end, at + 6);
    size_t words = (2 + size + 3) / 4;
    bytes_write_16(at, 0x1000);
    bytes_write_16(at + 2, (uint32_t)words);
    at[4] = DD_ID;
    at[5] = (uint8_t)size;
    return 4 + 4 * words;
}

static inline size_t write_av1(const struct frame *frame, bool is_first, uint8_t *at)
{
    bool is_sequence = frame->is_key && frame->spatial == 0 && is_first;
    at[0] = is_sequence ? 0x18 : 0x10;
    at[1] = is_sequence ? 1 << 3 : 6 << 3;
    return 2;
}

static inline size_t write_h264(const struct frame *frame, bool is_first, uint8_t *at)
{
    at[0] = frame->is_key && is_first ? 7 : 1;
    return 1;
}

static inline bool has_descriptors(const struct layer_mode *mode)
{
    return mode->codec == PAYLOAD_AV1 || mode->codec == PAYLOAD_H264;
}

/* ---- pictures ---- */

static inline void write_packet(struct layer_source *source, const struct frame *frame,
                                unsigned index, bool is_sync, struct sent *sent)
{
    uint8_t *at = sent->bytes;
    bool is_first = index == 0, is_end = index + 1u == frame->packet_count;
    memset(at, 0, sizeof sent->bytes);
    at[0] = 0x80;
    at[1] = (uint8_t)((is_end && frame->is_last) << 7 | 100);
    bytes_write_16(at + 2, source->sequence++);
    bytes_write_32(at + 4, source->timestamp);
    bytes_write_32(at + 8, 500u + source->number);
    size_t size = 12;
    if (has_descriptors(source->mode)) {
        at[0] |= 0x10;
        size += write_extension(source, frame, is_first, is_end, at + size);
    }
    if (source->mode->codec == PAYLOAD_AV1)
        size += write_av1(frame, is_first, at + size);
    else if (source->mode->codec == PAYLOAD_H264)
        size += write_h264(frame, is_first, at + size);
    else if (source->mode->codec == PAYLOAD_VP8)
        size += write_vp8_to(source, frame, is_first, is_sync, at + size);
    else
        size += write_vp9_to(source, frame, is_first, is_end, at + size);
    bytes_write_32(at + size, (uint32_t)(frame - frames));
    at[size + 4] = (uint8_t)index;
    at[size + 5] = frame->packet_count;
    sent->size = size + 6 + chance_of(&source->chance, 100);
}

/* The packets of one picture, at most `max`. */
static inline unsigned source_picture(struct layer_source *source, bool is_key, struct sent *out,
                                      unsigned max)
{
    unsigned count = 0;
    bool is_sync;
    source->since_key = is_key ? 0 : source->since_key + 1;
    source->picture++;
    source->picture_id = (source->picture_id + 1) & 0x7fff;
    source->timestamp += 3000;
    unsigned temporal = temporal_of(source, &is_sync);
    source->tl0picidx = (uint8_t)(source->tl0picidx + (temporal == 0));
    source->keyidx = (uint8_t)((source->keyidx + is_key) & 0x1f);
    for (unsigned spatial = 0; spatial < source->mode->spatial_count; spatial++) {
        const struct frame *frame = make_frame(source, spatial, temporal, is_sync, is_key);
        for (unsigned i = 0; i < frame->packet_count; i++) {
            assert_true(count < max);
            write_packet(source, frame, i, is_sync, &out[count++]);
        }
    }
    return count;
}

#endif
