#include "quality/model.h"

#include <string.h>

#include "wire/payload_vp8.h"

/* What Chromium sends of a camera of 720p. */
const struct model_size MODEL_SIZES[MODEL_ENCODINGS] = { { 320, 180, 150000 },
                                                         { 640, 360, 500000 },
                                                         { 1280, 720, 2500000 } };

#define DESCRIPTOR 6  /* bytes */
#define HEADER     10 /* of a key frame */
#define MARK       0x6d6f696d

static void put32(uint8_t *at, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

void model_write(const struct model *model, uint8_t *out)
{
    const struct model_size *size = &MODEL_SIZES[model->encoding];
    memset(out, 0, MODEL_HEAD);
    out[0] = (uint8_t)(0x80 | (model->index == 0 ? 0x10 : 0));
    out[1] = 0xe0;
    out[2] = (uint8_t)(0x80 | model->picture_id >> 8);
    out[3] = (uint8_t)model->picture_id;
    out[4] = model->tl0picidx;
    out[5] = (uint8_t)(model->temporal << 6 | (model->is_sync ? 0x20 : 0));
    uint8_t *frame = out + DESCRIPTOR;
    frame[0] = !model->is_key;
    if (model->is_key) {
        memcpy(frame + 3, "\x9d\x01\x2a", 3);
        frame[6] = (uint8_t)size->width;
        frame[7] = (uint8_t)(size->width >> 8);
        frame[8] = (uint8_t)size->height;
        frame[9] = (uint8_t)(size->height >> 8);
    }
    uint8_t *at = frame + HEADER;
    put32(at, MARK);
    at[4] = model->encoding;
    at[5] = (uint8_t)(model->temporal << 1 | model->is_key);
    at[6] = (uint8_t)(model->index >> 8);
    at[7] = (uint8_t)model->index;
    at[8] = (uint8_t)(model->count >> 8);
    at[9] = (uint8_t)model->count;
    put32(at + 10, model->frame);
    put32(at + 14, model->reference);
    put32(at + 18, model->captured);
}

bool model_read(struct view payload, struct model *model)
{
    struct vp8 vp8;
    if (payload.size < MODEL_HEAD || vp8_read(payload, &vp8) != OK || vp8.size != DESCRIPTOR)
        return false;
    const uint8_t *at = payload.at + DESCRIPTOR + HEADER;
    if (get32(at) != MARK)
        return false;
    *model = (struct model){ .encoding = at[4],
                             .temporal = at[5] >> 1,
                             .is_key = at[5] & 1,
                             .is_sync = vp8.layer_sync,
                             .index = (uint16_t)(at[6] << 8 | at[7]),
                             .count = (uint16_t)(at[8] << 8 | at[9]),
                             .frame = get32(at + 10),
                             .reference = get32(at + 14),
                             .captured = get32(at + 18),
                             .picture_id = vp8.picture_id,
                             .tl0picidx = vp8.tl0picidx };
    return model->encoding < MODEL_ENCODINGS;
}

void model_terms(bool is_video, struct media_terms *terms)
{
    *terms = (struct media_terms){ .format_count = 1, .is_reduced_size = true };
    terms->formats[0] = (struct media_format){
        .codec = is_video ? PAYLOAD_VP8 : PAYLOAD_OPUS,
        .payload_type = is_video ? MODEL_VIDEO : MODEL_SOUND,
        .rtx = is_video ? MODEL_VIDEO_RTX : MEDIA_NO_RTX,
        .feedback =
            (uint8_t)(is_video ? MEDIA_NACK | MEDIA_PLI | MEDIA_TRANSPORT_CC : MEDIA_TRANSPORT_CC),
    };
    terms->extensions[RTP_EXTENSION_TRANSPORT_CC] = MODEL_CC_ID;
    if (!is_video)
        terms->extensions[RTP_EXTENSION_AUDIO_LEVEL] = MODEL_LEVEL_ID;
}
