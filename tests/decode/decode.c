/* decode.c - libvpx, dav1d and libavcodec. */
#include "codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <dav1d/dav1d.h>
#include <libavcodec/avcodec.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>

/* ---- libvpx ---- */

static void *open_vpx(vpx_codec_iface_t *kind)
{
    vpx_codec_ctx_t *context = calloc(1, sizeof *context);
    if (!context || vpx_codec_dec_init(context, kind, NULL, 0) != VPX_CODEC_OK)
        abort();
    return context;
}

static void *open_vp8(void)
{
    return open_vpx(vpx_codec_vp8_dx());
}

static void *open_vp9(void)
{
    return open_vpx(vpx_codec_vp9_dx());
}

static bool decode_vpx(void *decoder, struct view bytes, struct image *image)
{
    vpx_codec_ctx_t *context = decoder;
    vpx_codec_iter_t iterator = NULL;
    int is_corrupt = 0;
    if (vpx_codec_decode(context, bytes.at, (unsigned)bytes.size, NULL, 0) != VPX_CODEC_OK)
        return false;
    const vpx_image_t *got = vpx_codec_get_frame(context, &iterator);
    if (!got || vpx_codec_control(context, VP8D_GET_FRAME_CORRUPTED, &is_corrupt) != VPX_CODEC_OK)
        return false;
    const uint8_t *const planes[] = { got->planes[0], got->planes[1], got->planes[2] };
    const ptrdiff_t strides[] = { got->stride[0], got->stride[1], got->stride[2] };
    image_copy(image, got->d_w, got->d_h, planes, strides);
    return !is_corrupt;
}

static void close_vpx(void *decoder)
{
    (void)vpx_codec_destroy(decoder);
    free(decoder);
}

const struct decoder_kind DECODE_VP8 = { open_vp8, decode_vpx, close_vpx };
const struct decoder_kind DECODE_VP9 = { open_vp9, decode_vpx, close_vpx };

/* ---- dav1d ---- */

static void *open_av1(void)
{
    Dav1dSettings settings;
    Dav1dContext *context;
    dav1d_default_settings(&settings);
    settings.n_threads = 1;
    settings.max_frame_delay = 1;
    settings.all_layers = 1; /* the last one is taken */
    settings.logger.callback = NULL;
    if (dav1d_open(&context, &settings) < 0)
        abort();
    return context;
}

/* True: there was one. */
static bool take_av1(Dav1dContext *context, struct image *image)
{
    Dav1dPicture picture = { 0 };
    if (dav1d_get_picture(context, &picture) < 0)
        return false;
    const uint8_t *const planes[] = { picture.data[0], picture.data[1], picture.data[2] };
    const ptrdiff_t strides[] = { picture.stride[0], picture.stride[1], picture.stride[1] };
    image_copy(image, (unsigned)picture.p.w, (unsigned)picture.p.h, planes, strides);
    dav1d_picture_unref(&picture);
    return true;
}

static bool decode_av1(void *decoder, struct view bytes, struct image *image)
{
    Dav1dContext *context = decoder;
    Dav1dData data;
    bool has_picture = false;
    uint8_t *at = dav1d_data_create(&data, bytes.size);
    if (!at)
        abort();
    memcpy(at, bytes.at, bytes.size);
    while (data.sz > 0) {
        int status = dav1d_send_data(context, &data);
        if (status < 0 && status != DAV1D_ERR(EAGAIN)) {
            dav1d_data_unref(&data);
            return false;
        }
        while (take_av1(context, image))
            has_picture = true;
    }
    while (take_av1(context, image))
        has_picture = true;
    return has_picture;
}

static void close_av1(void *decoder)
{
    Dav1dContext *context = decoder;
    dav1d_close(&context);
}

const struct decoder_kind DECODE_AV1 = { open_av1, decode_av1, close_av1 };

/* ---- libavcodec ---- */

static void *open_h26x(enum AVCodecID id)
{
    AVCodecContext *context = avcodec_alloc_context3(avcodec_find_decoder(id));
    av_log_set_level(AV_LOG_QUIET);
    context->thread_count = 1;
    context->flags |= AV_CODEC_FLAG_LOW_DELAY;
    context->err_recognition = AV_EF_EXPLODE | AV_EF_BITSTREAM | AV_EF_BUFFER;
    if (avcodec_open2(context, NULL, NULL) < 0)
        abort();
    return context;
}

static void *open_h264(void)
{
    return open_h26x(AV_CODEC_ID_H264);
}

static void *open_h265(void)
{
    return open_h26x(AV_CODEC_ID_HEVC);
}

static bool decode_h26x(void *decoder, struct view bytes, struct image *image)
{
    AVCodecContext *context = decoder;
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    if (!packet || !frame || av_new_packet(packet, (int)bytes.size) < 0)
        abort();
    memcpy(packet->data, bytes.at, bytes.size);
    bool is_right = avcodec_send_packet(context, packet) == 0 &&
                    avcodec_receive_frame(context, frame) == 0 && frame->decode_error_flags == 0 &&
                    !(frame->flags & AV_FRAME_FLAG_CORRUPT);
    if (is_right) {
        const uint8_t *const planes[] = { frame->data[0], frame->data[1], frame->data[2] };
        const ptrdiff_t strides[] = { frame->linesize[0], frame->linesize[1], frame->linesize[2] };
        image_copy(image, (unsigned)frame->width, (unsigned)frame->height, planes, strides);
    }
    av_frame_free(&frame);
    av_packet_free(&packet);
    return is_right;
}

static void close_h26x(void *decoder)
{
    AVCodecContext *context = decoder;
    avcodec_free_context(&context);
}

const struct decoder_kind DECODE_H264 = { open_h264, decode_h26x, close_h26x };
const struct decoder_kind DECODE_H265 = { open_h265, decode_h26x, close_h26x };
