#include "wire/payload.h"

#include "wire/payload_audio.h"
#include "wire/payload_av1.h"
#include "wire/payload_h26x.h"
#include "wire/payload_vp8.h"
#include "wire/payload_vp9.h"

#include <assert.h>

static const struct codec {
    struct view name;
    uint32_t clock;
    bool is_video;
} CODECS[] = {
#define PAYLOAD_CODEC(name, text, clock, video) { VIEW(text), clock, video },
    PAYLOAD_CODEC_TABLE(PAYLOAD_CODEC)
#undef PAYLOAD_CODEC
};

enum payload_codec payload_codec_of(struct view name)
{
    unsigned codec = 0;
    while (codec < PAYLOAD_CODECS && !view_equal_nocase(name, CODECS[codec].name))
        codec++;
    return (enum payload_codec)codec;
}

struct view payload_name(enum payload_codec codec)
{
    assert(codec < PAYLOAD_CODECS);
    return CODECS[codec].name;
}

uint32_t payload_clock(enum payload_codec codec)
{
    assert(codec < PAYLOAD_CODECS);
    return CODECS[codec].clock;
}

bool payload_is_video(enum payload_codec codec)
{
    assert(codec < PAYLOAD_CODECS);
    return CODECS[codec].is_video;
}

static int read_opus(struct view bytes, struct payload *payload)
{
    struct opus opus;
    int status = opus_read(bytes, &opus);
    if (status == OK)
        payload->is_silent = opus.is_silent;
    return status;
}

static int read_red(struct view bytes, struct payload *payload)
{
    struct red red;
    int status = red_read(bytes, &red);
    if (status == OK)
        payload->is_silent = red.blocks[red.block_count - 1].payload.size <= 2;
    return status;
}

static int read_vp8(struct view bytes, struct payload *payload)
{
    struct vp8 vp8;
    int status = vp8_read(bytes, &vp8);
    if (status != OK)
        return status;
    payload->starts_frame = vp8.starts_frame;
    payload->starts_key = vp8.starts_frame && vp8.is_key;
    payload->has_layers = vp8.has_tid;
    payload->temporal_id = vp8.tid;
    payload->switching_up = vp8.layer_sync || vp8.is_key;
    return OK;
}

static int read_vp9(struct view bytes, struct payload *payload)
{
    struct vp9 vp9;
    int status = vp9_read(bytes, &vp9);
    if (status != OK)
        return status;
    payload->starts_frame = vp9.starts_frame;
    payload->ends_frame = payload->ends_frame || vp9.ends_frame;
    payload->starts_key = vp9.starts_frame && vp9.is_key;
    payload->has_layers = vp9.has_layers;
    payload->spatial_id = vp9.sid;
    payload->temporal_id = vp9.tid;
    payload->switching_up = vp9.switching_up || !vp9.inter_picture;
    return OK;
}

static int read_h26x(int (*reader)(struct view, struct h26x *), struct view bytes,
                     struct payload *payload)
{
    struct h26x h26x;
    int status = reader(bytes, &h26x);
    if (status != OK)
        return status;
    payload->starts_frame = h26x.starts_frame;
    payload->starts_key = h26x.has_parameters || (h26x.has_key && h26x.starts_frame);
    payload->may_be_behind_sets = payload->starts_key && !h26x.has_parameters;
    payload->temporal_id = h26x.temporal_id;
    payload->has_layers = h26x.temporal_id != 0;
    payload->switching_up = payload->starts_key;
    return OK;
}

static int read_av1(struct view bytes, struct payload *payload)
{
    struct av1 av1;
    int status = av1_read(bytes, &av1);
    if (status != OK)
        return status;
    payload->starts_frame = av1.starts_frame;
    payload->starts_key = av1.is_key;
    payload->has_layers = av1.has_layers;
    payload->spatial_id = av1.spatial_id;
    payload->temporal_id = av1.temporal_id;
    payload->switching_up = av1.is_key;
    return OK;
}

static int read_any(enum payload_codec codec, struct view bytes, struct payload *payload)
{
    switch (codec) {
    case PAYLOAD_OPUS:
        return read_opus(bytes, payload);
    case PAYLOAD_RED:
        return read_red(bytes, payload);
    case PAYLOAD_VP8:
        return read_vp8(bytes, payload);
    case PAYLOAD_VP9:
        return read_vp9(bytes, payload);
    case PAYLOAD_H264:
        return read_h26x(h264_read, bytes, payload);
    case PAYLOAD_H265:
        return read_h26x(h265_read, bytes, payload);
    case PAYLOAD_AV1:
        return read_av1(bytes, payload);
    default:
        return OK;
    }
}

int payload_read(enum payload_codec codec, struct view bytes, bool marker, struct payload *payload)
{
    assert(codec < PAYLOAD_CODECS);
    bool is_video = CODECS[codec].is_video;
    /* of audio, every packet is a frame of its own, and its marker begins a spurt of talk */
    struct payload read = { .starts_frame = !is_video, .ends_frame = !is_video || marker };
    int status = read_any(codec, bytes, &read);
    if (status == OK)
        *payload = read;
    return status;
}
