/* layer_source.h - generated video with layers: of each frame it is known what it refers to, so a
 * test can say of what came out whether a decoder could have made a picture of it.
 *
 * Behind the payload's descriptor stands which frame it is (4 bytes), which of its packets (1) and
 * of how many (1). */
#ifndef MOIM_TESTS_MEDIA_LAYER_SOURCE_H
#define MOIM_TESTS_MEDIA_LAYER_SOURCE_H

#include "support.h"

#include "base/bytes.h"
#include "wire/payload.h"
#include "wire/payload_vp8.h"
#include "wire/payload_vp9.h"

#define FRAMES_MAX  60000
#define REFS_MAX    4
#define PACKETS_MAX 3 /* of a frame */
#define NO_FRAME    0 /* they count from 1 */

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
    uint16_t picture_id; /* as it came out */
    uint8_t tl0picidx;
    uint8_t keyidx;
    uint32_t picture; /* of its source */
    uint32_t refs[REFS_MAX];
};

/* One packet, as it is sent. */
struct sent {
    uint8_t bytes[200];
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
    if (source->mode->codec == PAYLOAD_VP8)
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
