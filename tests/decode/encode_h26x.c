/* encode_h26x.c - H.264 by OpenH264, with its own temporal layers, and H.265 by x265. */
#include "codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wels/codec_api.h>
#include <x265.h>

static void append(struct coded *coded, const uint8_t *bytes, size_t size)
{
    if (coded->size + size > CODED_MAX)
        abort();
    memcpy(coded->bytes + coded->size, bytes, size);
    coded->size += size;
}

/* ---- H.264 ---- */

static void *open_h264(unsigned width, unsigned height, const struct structure *structure)
{
    ISVCEncoder *encoder;
    SEncParamExt params;
    int quiet = WELS_LOG_QUIET;
    if (WelsCreateSVCEncoder(&encoder) != 0)
        abort();
    (*encoder)->GetDefaultParams(encoder, &params);
    params.iUsageType = CAMERA_VIDEO_REAL_TIME;
    params.iPicWidth = (int)width;
    params.iPicHeight = (int)height;
    params.iTargetBitrate = params.iMaxBitrate = (int)width * 2000;
    params.iRCMode = RC_OFF_MODE;
    params.fMaxFrameRate = 30;
    params.iTemporalLayerNum = structure->temporal_count;
    params.iSpatialLayerNum = 1;
    params.uiIntraPeriod = 0;
    params.iMultipleThreadIdc = 1;
    params.bEnableFrameSkip = false;
    params.sSpatialLayers[0].iVideoWidth = (int)width;
    params.sSpatialLayers[0].iVideoHeight = (int)height;
    params.sSpatialLayers[0].fFrameRate = 30;
    params.sSpatialLayers[0].iSpatialBitrate = params.iTargetBitrate;
    params.sSpatialLayers[0].iMaxSpatialBitrate = params.iTargetBitrate;
    params.sSpatialLayers[0].iDLayerQp = 30;
    (*encoder)->SetOption(encoder, ENCODER_OPTION_TRACE_LEVEL, &quiet);
    if ((*encoder)->InitializeExt(encoder, &params) != 0)
        abort();
    return encoder;
}

static void encode_h264(void *with, const struct image *image, const struct frame *frames,
                        struct coded *out)
{
    ISVCEncoder *encoder = with;
    SFrameBSInfo info = { 0 };
    SSourcePicture picture = { .iColorFormat = videoFormatI420,
                               .iPicWidth = (int)image->width,
                               .iPicHeight = (int)image->height };
    const size_t luma = (size_t)image->width * image->height;
    const size_t places[] = { 0, luma, luma + luma / 4 };
    for (unsigned i = 0; i < 3; i++) {
        picture.iStride[i] = (int)(i ? image->width / 2 : image->width);
        picture.pData[i] = (unsigned char *)(uintptr_t)(image->bytes + places[i]);
    }
    if (frames[0].begins_key)
        (*encoder)->ForceIntraFrame(encoder, true);
    out->size = 0;
    if ((*encoder)->EncodeFrame(encoder, &picture, &info) != cmResultSuccess)
        abort();
    for (int i = 0; i < info.iLayerNum; i++) {
        const SLayerBSInfo *layer = &info.sLayerInfo[i];
        size_t size = 0;
        for (int k = 0; k < layer->iNalCount; k++)
            size += (size_t)layer->pNalLengthInByte[k];
        append(out, layer->pBsBuf, size);
        if (layer->uiLayerType == VIDEO_CODING_LAYER && layer->uiTemporalId != frames[0].temporal)
            abort(); /* its layers are not ours */
    }
}

static void close_h264(void *with)
{
    ISVCEncoder *encoder = with;
    (*encoder)->Uninitialize(encoder);
    WelsDestroySVCEncoder(encoder);
}

const struct encoder_kind ENCODE_H264 = { open_h264, encode_h264, close_h264 };

/* ---- H.265 ---- */

/* x265 does not free all that it took: that is not ours to be told of by the sanitizer. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:x265\n";
}

struct h265 {
    x265_encoder *encoder;
    x265_param *param;
    x265_picture *picture;
    int64_t time;
};

static void *open_h265(unsigned width, unsigned height, const struct structure *structure)
{
    struct h265 *h265 = calloc(1, sizeof *h265);
    (void)structure;
    if (!h265 || !(h265->param = x265_param_alloc()) || !(h265->picture = x265_picture_alloc()))
        abort();
    x265_param_default_preset(h265->param, "ultrafast", "zerolatency");
    h265->param->sourceWidth = (int)width;
    h265->param->sourceHeight = (int)height;
    h265->param->fpsNum = 30;
    h265->param->fpsDenom = 1;
    h265->param->keyframeMax = -1;
    h265->param->bRepeatHeaders = 1;
    h265->param->bEmitInfoSEI = 0;
    h265->param->logLevel = X265_LOG_NONE;
    (void)x265_param_parse(h265->param, "pools", "none");
    (void)x265_param_parse(h265->param, "frame-threads", "1");
    h265->encoder = x265_encoder_open(h265->param);
    if (!h265->encoder)
        abort();
    x265_picture_init(h265->param, h265->picture);
    return h265;
}

static void encode_h265(void *with, const struct image *image, const struct frame *frames,
                        struct coded *out)
{
    struct h265 *h265 = with;
    const size_t luma = (size_t)image->width * image->height;
    const size_t places[] = { 0, luma, luma + luma / 4 };
    x265_nal *nals;
    uint32_t count;
    for (unsigned i = 0; i < 3; i++) {
        h265->picture->stride[i] = (int)(i ? image->width / 2 : image->width);
        h265->picture->planes[i] = (void *)(uintptr_t)(image->bytes + places[i]);
    }
    h265->picture->pts = h265->time++;
    h265->picture->sliceType = frames[0].begins_key ? X265_TYPE_IDR : X265_TYPE_P;
    out->size = 0;
    if (x265_encoder_encode(h265->encoder, &nals, &count, h265->picture, NULL) != 1)
        abort();
    for (uint32_t i = 0; i < count; i++)
        append(out, nals[i].payload, nals[i].sizeBytes);
}

static void close_h265(void *with)
{
    struct h265 *h265 = with;
    x265_encoder_close(h265->encoder);
    x265_picture_free(h265->picture);
    x265_param_free(h265->param);
    free(h265);
}

const struct encoder_kind ENCODE_H265 = { open_h265, encode_h265, close_h265 };
