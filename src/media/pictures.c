#include "media/pictures.h"

#include "base/bytes.h"
#include "media/layers.h"
#include "wire/payload.h"
#include "wire/payload_vp8.h"

#include <string.h>

#define FAR         ((uint64_t)1 << 20) /* from 0, for what is before the first */
#define MISSING_MAX 64

/* The id as it would be if it had more bits: near the highest. */
static uint64_t unwrap(const struct pictures *pictures, const struct packet *packet)
{
    unsigned shift = 16u - packet->picture_id_bits;
    uint16_t difference = (uint16_t)(packet->picture_id - pictures->ids.in);
    int16_t near = (int16_t)(uint16_t)(difference << shift);
    return pictures->ids.in + (uint64_t)(int64_t)(near >> shift);
}

static void begin_frames(struct pictures *pictures, const struct packet *packet)
{
    if (!packet->has_frame_number)
        return;
    if (pictures->has_frames)
        pictures->frames_added = (uint16_t)(pictures->frame + 1 - packet->frame_number);
    pictures->has_frames = true;
    pictures->frame = pictures_frame(pictures, packet);
}

void pictures_begin(struct pictures *pictures, const struct packet *packet)
{
    begin_frames(pictures, packet);
    uint8_t tl0picidx = (uint8_t)(pictures->tl0picidx + 1);
    uint8_t keyidx = (uint8_t)(pictures->keyidx + 1);
    uint64_t in = FAR + packet->picture_id;
    if (packet->codec != PAYLOAD_VP8 && packet->codec != PAYLOAD_VP9)
        return;
    pictures->base = in; /* the pattern is the former stream's, for as long as none is known */
    pictures->base_tl0picidx = pictures->last_tl0picidx = packet->tl0picidx;
    if (!pictures->has_ids) {
        renumbering_begin(&pictures->ids, in, in);
        pictures->has_ids = true;
        return;
    }
    renumbering_begin(&pictures->ids, in, pictures->ids.out + 1);
    pictures->tl0picidx_added = (uint8_t)(tl0picidx - packet->tl0picidx);
    pictures->keyidx_added = (uint8_t)(keyidx - packet->keyidx);
    pictures->is_changed = true;
}

/* ---- pictures that are missing ---- */

/* Which temporal layer a picture is held to be of; LAYERS_TEMPORAL: it is not known. */
static unsigned expected_layer(const struct pictures *pictures, uint64_t in)
{
    if (pictures->period == 0 || in < pictures->base)
        return LAYERS_TEMPORAL;
    unsigned at = (unsigned)((in - pictures->base) % pictures->period);
    if (at == 0)
        return 0;
    return pictures->pattern[at] ? pictures->pattern[at] : LAYERS_TEMPORAL;
}

/* Whether the pictures up to this one would have as many of the lowest layer as it says. */
static bool is_as_expected(const struct pictures *pictures, const struct packet *packet,
                           uint64_t in)
{
    uint8_t count = 0;
    for (uint64_t at = pictures->ids.in + 1; at < in; at++) {
        unsigned layer = expected_layer(pictures, at);
        if (layer == LAYERS_TEMPORAL)
            return false;
        count = (uint8_t)(count + (layer == 0));
    }
    count = (uint8_t)(count + (packet->temporal == 0));
    return packet->has_tl0picidx &&
           count == (uint8_t)(packet->tl0picidx - pictures->last_tl0picidx);
}

static void leave_out_missing(struct pictures *pictures, const struct packet *packet, uint64_t in,
                              unsigned temporal)
{
    uint64_t first = pictures->ids.in + 1;
    uint8_t bases = (uint8_t)(packet->tl0picidx - pictures->last_tl0picidx);
    bool has_base = bases != (packet->temporal == 0);
    bool has_none = temporal == 0 && packet->has_tl0picidx && !has_base;
    if (first == in || in - first > MISSING_MAX ||
        !(has_none || is_as_expected(pictures, packet, in)))
        return;
    for (uint64_t at = first; at < in; at++)
        if (has_none || expected_layer(pictures, at) > temporal) {
            renumbering_add(&pictures->ids, at, false);
            pictures->is_changed = true;
        }
}

static void learn(struct pictures *pictures, const struct packet *packet, uint64_t in)
{
    uint64_t distance = in - pictures->base;
    uint8_t bases = (uint8_t)(packet->tl0picidx - pictures->base_tl0picidx);
    bool is_base = packet->temporal == 0;
    if (is_base && bases == 1)
        pictures->period = distance <= PICTURES_PATTERN ? (uint8_t)distance : 0;
    if (!is_base && bases == 0 && distance < PICTURES_PATTERN)
        pictures->pattern[distance] = packet->temporal;
    if (is_base) {
        pictures->base = in;
        pictures->base_tl0picidx = packet->tl0picidx;
    }
    pictures->last_tl0picidx = packet->tl0picidx;
}

static void next_id(struct pictures *pictures, const struct packet *packet, bool is_kept,
                    unsigned temporal)
{
    uint64_t in = unwrap(pictures, packet);
    bool is_vp8 = packet->codec == PAYLOAD_VP8;
    bool is_counted = is_kept || !is_vp8;
    if (in > pictures->ids.in) {
        if (is_vp8) {
            leave_out_missing(pictures, packet, in, temporal);
            learn(pictures, packet, in);
        }
        renumbering_add(&pictures->ids, in, is_counted);
    }
    pictures->is_changed = pictures->is_changed || !is_counted;
}

void pictures_next(struct pictures *pictures, const struct packet *packet, bool is_kept,
                   unsigned temporal)
{
    if (is_kept && packet->has_frame_number)
        pictures->frame = pictures_frame(pictures, packet);
    if (!pictures->has_ids)
        return;
    if (packet->picture_id_bits > 0)
        next_id(pictures, packet, is_kept, temporal);
    if (is_kept && packet->has_tl0picidx)
        pictures->tl0picidx = (uint8_t)(packet->tl0picidx + pictures->tl0picidx_added);
    if (is_kept && packet->has_keyidx)
        pictures->keyidx = (uint8_t)(packet->keyidx + pictures->keyidx_added) & 0x1f;
}

bool pictures_have(const struct pictures *pictures, const struct packet *packet)
{
    uint64_t id;
    return !pictures->is_changed || packet->picture_id_bits == 0 ||
           renumbering_out(&pictures->ids, unwrap(pictures, packet), &id);
}

/* ---- written ---- */

/* I, then the id in one byte or two, then the layers, then TL0PICIDX. */
static size_t write_vp9(const struct packet *packet, const uint8_t *payload, uint16_t id,
                        uint8_t tl0picidx, uint8_t *out)
{
    size_t size = 1;
    out[0] = payload[0];
    if (packet->picture_id_bits > 7) {
        bytes_write_16(out + 1, 0x8000u | id);
        size = 3;
    } else if (packet->picture_id_bits > 0) {
        out[1] = id & 0x7f;
        size = 2;
    }
    if (packet->has_tl0picidx) {
        out[size] = payload[size];
        out[size + 1] = tl0picidx;
        size += 2;
    }
    return size;
}

size_t pictures_write(const struct pictures *pictures, const struct packet *packet,
                      struct view payload, uint8_t *out)
{
    uint64_t id = 0;
    struct vp8 vp8;
    uint8_t tl0picidx = (uint8_t)(packet->tl0picidx + pictures->tl0picidx_added);
    uint8_t keyidx = (uint8_t)(packet->keyidx + pictures->keyidx_added);
    if (!pictures->is_changed || payload.size == 0)
        return 0;
    if (packet->picture_id_bits > 0 &&
        !renumbering_out(&pictures->ids, unwrap(pictures, packet), &id))
        return 0; /* too old */
    if (packet->codec == PAYLOAD_VP9)
        return write_vp9(packet, payload.at, (uint16_t)id & 0x7fff, tl0picidx, out);
    if (packet->codec != PAYLOAD_VP8 || vp8_read(payload, &vp8) != OK)
        return 0;
    memcpy(out, payload.at, vp8.size);
    vp8_rewrite(out, &vp8, (uint16_t)id & 0x7fff, tl0picidx, keyidx);
    return vp8.size;
}
