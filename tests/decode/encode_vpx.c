/* encode_vpx.c - VP8 and VP9 by libvpx, steered frame by frame as browsers do. */
#include "codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

struct vpx {
    vpx_codec_ctx_t context;
    const struct structure *structure;
    vpx_image_t image;
    vpx_codec_pts_t time;
    struct coded *out;
    bool is_vp9;
};

static void must(struct vpx *vpx, vpx_codec_err_t error, const char *what)
{
    if (error == VPX_CODEC_OK)
        return;
    fprintf(stderr, "libvpx: %s: %s, %s\n", what, vpx_codec_err_to_string(error),
            vpx_codec_error_detail(&vpx->context));
    abort();
}

static void hear(vpx_codec_cx_pkt_t *packet, void *user)
{
    struct vpx *vpx = user;
    unsigned spatial = 0;
    if (packet->kind != VPX_CODEC_CX_FRAME_PKT)
        return;
    if (vpx->is_vp9) {
        vpx_svc_layer_id_t id = { 0 };
        must(vpx, vpx_codec_control(&vpx->context, VP9E_GET_SVC_LAYER_ID, &id), "layer");
        spatial = (unsigned)id.spatial_layer_id;
    }
    struct coded *coded = &vpx->out[spatial];
    if (packet->data.frame.sz > CODED_MAX)
        abort();
    coded->size = packet->data.frame.sz;
    memcpy(coded->bytes, packet->data.frame.buf, coded->size);
}

static void set_layers(const struct structure *structure, vpx_codec_enc_cfg_t *config)
{
    unsigned rate = config->rc_target_bitrate;
    config->ss_number_layers = structure->spatial_count;
    config->ts_number_layers = structure->temporal_count;
    config->temporal_layering_mode = VP9E_TEMPORAL_LAYERING_MODE_BYPASS;
    for (unsigned t = 0; t < structure->temporal_count; t++)
        config->ts_rate_decimator[t] = 1u << (structure->temporal_count - 1 - t);
    for (unsigned s = 0; s < structure->spatial_count; s++) {
        unsigned own = rate >> 2 * (structure->spatial_count - 1 - s);
        config->ss_target_bitrate[s] = own;
        for (unsigned t = 0; t < structure->temporal_count; t++)
            config->layer_target_bitrate[s * structure->temporal_count + t] =
                own * (t + 2) / (structure->temporal_count + 1u);
    }
}

static void set_scaling(struct vpx *vpx)
{
    vpx_svc_extra_cfg_t extra = { 0 };
    unsigned count = vpx->structure->spatial_count;
    for (unsigned i = 0; i < VPX_MAX_LAYERS; i++) {
        extra.max_quantizers[i] = 56;
        extra.min_quantizers[i] = 2;
    }
    for (unsigned i = 0; i < count; i++) {
        extra.scaling_factor_num[i] = 1;
        extra.scaling_factor_den[i] = 1 << (count - 1 - i);
    }
    must(vpx, vpx_codec_control(&vpx->context, VP9E_SET_SVC, 1), "SVC");
    must(vpx, vpx_codec_control(&vpx->context, VP9E_SET_SVC_PARAMETERS, &extra), "parameters");
}

static void *open(bool is_vp9, unsigned width, unsigned height, const struct structure *structure)
{
    vpx_codec_iface_t *kind = is_vp9 ? vpx_codec_vp9_cx() : vpx_codec_vp8_cx();
    vpx_codec_enc_cfg_t config;
    struct vpx *vpx = calloc(1, sizeof *vpx);
    if (!vpx)
        abort();
    vpx->structure = structure;
    vpx->is_vp9 = is_vp9;
    must(vpx, vpx_codec_enc_config_default(kind, &config, 0), "defaults");
    config.g_w = width;
    config.g_h = height;
    config.g_timebase = (vpx_rational_t){ 1, 30 };
    config.g_threads = 1;
    config.g_lag_in_frames = 0;
    config.g_error_resilient = structure->temporal_count > 1 || structure->spatial_count > 1;
    config.rc_end_usage = VPX_CBR;
    config.rc_target_bitrate = width * 2;
    config.rc_min_quantizer = 2;
    config.rc_max_quantizer = 56;
    config.kf_mode = VPX_KF_DISABLED;
    if (is_vp9)
        set_layers(structure, &config);
    must(vpx, vpx_codec_enc_init(&vpx->context, kind, &config, 0), "init");
    must(vpx, vpx_codec_control(&vpx->context, VP8E_SET_CPUUSED, is_vp9 ? 9 : -12), "speed");
    if (is_vp9) {
        vpx_codec_priv_output_cx_pkt_cb_pair_t callback = { hear, vpx };
        set_scaling(vpx);
        must(vpx, vpx_codec_control(&vpx->context, VP9E_SET_AQ_MODE, 0), "aq");
        must(vpx, vpx_codec_control(&vpx->context, VP9E_REGISTER_CX_CALLBACK, &callback), "hear");
    }
    return vpx;
}

static void *open_vp8(unsigned width, unsigned height, const struct structure *structure)
{
    return open(false, width, height, structure);
}

static void *open_vp9(unsigned width, unsigned height, const struct structure *structure)
{
    return open(true, width, height, structure);
}

/* The lowest rate is kept in LAST, the middle one in GOLDEN. */
static vpx_enc_frame_flags_t flags_of(const struct structure *structure, const struct frame *frame)
{
    vpx_enc_frame_flags_t flags = VP8_EFLAG_NO_UPD_ARF | VP8_EFLAG_NO_REF_ARF;
    if (frame->begins_key)
        return VPX_EFLAG_FORCE_KF;
    if (structure->temporal_count == 1)
        return flags | VP8_EFLAG_NO_UPD_GF | VP8_EFLAG_NO_REF_GF;
    if (frame->temporal > 0)
        flags |= VP8_EFLAG_NO_UPD_LAST;
    if (frame->temporal != 1 || structure->temporal_count == 2)
        flags |= VP8_EFLAG_NO_UPD_GF;
    if (frame->temporal == 0 || frame->is_sync)
        flags |= VP8_EFLAG_NO_REF_GF;
    if (frame->temporal + 1 == structure->temporal_count)
        flags |= VP8_EFLAG_NO_UPD_ENTROPY;
    return flags;
}

static int slot_or(int slot, int other)
{
    return slot == NO_SLOT ? other : slot;
}

static void set_references(struct vpx *vpx, const struct frame *frames)
{
    vpx_svc_layer_id_t id = { 0 };
    vpx_svc_ref_frame_config_t references = { 0 };
    for (unsigned i = 0; i < vpx->structure->spatial_count; i++) {
        const struct frame *frame = &frames[i];
        id.temporal_layer_id_per_spatial[i] = frame->temporal;
        references.reference_last[i] = frame->own_slot != NO_SLOT;
        references.reference_golden[i] = frame->lower_slot != NO_SLOT;
        references.lst_fb_idx[i] = slot_or(frame->own_slot, slot_or(frame->lower_slot, 0));
        references.gld_fb_idx[i] = slot_or(frame->lower_slot, references.lst_fb_idx[i]);
        references.alt_fb_idx[i] = references.lst_fb_idx[i];
        if (frame->update_slot != NO_SLOT)
            references.update_buffer_slot[i] = 1 << frame->update_slot;
        references.duration[i] = 1;
    }
    id.temporal_layer_id = frames[0].temporal;
    must(vpx, vpx_codec_control(&vpx->context, VP9E_SET_SVC_LAYER_ID, &id), "layers");
    must(vpx, vpx_codec_control(&vpx->context, VP9E_SET_SVC_REF_FRAME_CONFIG, &references),
         "references");
}

static void encode(void *encoder, const struct image *image, const struct frame *frames,
                   struct coded *out)
{
    struct vpx *vpx = encoder;
    vpx_enc_frame_flags_t flags = frames[0].begins_key ? VPX_EFLAG_FORCE_KF : 0;
    vpx_codec_iter_t iterator = NULL;
    const vpx_codec_cx_pkt_t *packet;
    vpx->out = out;
    for (unsigned i = 0; i < vpx->structure->spatial_count; i++)
        out[i].size = 0;
    if (vpx->is_vp9)
        set_references(vpx, frames);
    else
        flags = flags_of(vpx->structure, frames);
    vpx_img_wrap(&vpx->image, VPX_IMG_FMT_I420, image->width, image->height, 1,
                 (unsigned char *)(uintptr_t)image->bytes);
    must(vpx, vpx_codec_encode(&vpx->context, &vpx->image, vpx->time++, 1, flags, VPX_DL_REALTIME),
         "encode");
    while ((packet = vpx_codec_get_cx_data(&vpx->context, &iterator))) {
        vpx_codec_cx_pkt_t copy = *packet;
        if (!vpx->is_vp9)
            hear(&copy, vpx);
    }
}

static void close(void *encoder)
{
    struct vpx *vpx = encoder;
    (void)vpx_codec_destroy(&vpx->context);
    free(vpx);
}

const struct encoder_kind ENCODE_VP8 = { open_vp8, encode, close };
const struct encoder_kind ENCODE_VP9 = { open_vp9, encode, close };
