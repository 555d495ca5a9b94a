#include "media/pictures.h"

#include "base/bytes.h"
#include "wire/payload.h"
#include "wire/payload_vp8.h"

#include <string.h>

#define FAR ((uint64_t)1 << 20) /* from 0, for what is before the first */

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

void pictures_next(struct pictures *pictures, const struct packet *packet, bool is_kept)
{
    if (is_kept && packet->has_frame_number)
        pictures->frame = pictures_frame(pictures, packet);
    if (!pictures->has_ids)
        return;
    if (packet->picture_id_bits > 0) {
        uint64_t in = unwrap(pictures, packet);
        bool is_counted = is_kept || packet->codec == PAYLOAD_VP9;
        if (in > pictures->ids.in)
            renumbering_add(&pictures->ids, in, is_counted);
        pictures->is_changed = pictures->is_changed || !is_counted;
    }
    if (is_kept && packet->has_tl0picidx)
        pictures->tl0picidx = (uint8_t)(packet->tl0picidx + pictures->tl0picidx_added);
    if (is_kept && packet->has_keyidx)
        pictures->keyidx = (uint8_t)(packet->keyidx + pictures->keyidx_added) & 0x1f;
}

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
