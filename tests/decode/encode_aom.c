/* encode_aom.c - AV1 by libaom, steered frame by frame as browsers do. */
#include "codec.h"

#include <aom/aom_encoder.h>
#include <aom/aomcx.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct aom {
    aom_codec_ctx_t context;
    const struct structure *structure;
    aom_codec_pts_t time;
};

static void must(struct aom *aom, aom_codec_err_t error, const char *what)
{
    if (error == AOM_CODEC_OK)
        return;
    fprintf(stderr, "libaom: %s: %s, %s\n", what, aom_codec_err_to_string(error),
            aom_codec_error_detail(&aom->context));
    abort();
}

static void set_layers(struct aom *aom, unsigned rate)
{
    const struct structure *structure = aom->structure;
    unsigned spatial_count = structure->spatial_count, temporal_count = structure->temporal_count;
    aom_svc_params_t params = { .number_spatial_layers = (int)spatial_count,
                                .number_temporal_layers = (int)temporal_count };
    for (unsigned i = 0; i < AOM_MAX_LAYERS; i++) {
        params.max_quantizers[i] = 56;
        params.min_quantizers[i] = 10;
    }
    for (unsigned t = 0; t < temporal_count; t++)
        params.framerate_factor[t] = 1 << (temporal_count - 1 - t);
    for (unsigned s = 0; s < spatial_count; s++) {
        unsigned own = rate >> 2 * (spatial_count - 1 - s);
        params.scaling_factor_num[s] = 1;
        params.scaling_factor_den[s] = 1 << (spatial_count - 1 - s);
        for (unsigned t = 0; t < temporal_count; t++)
            params.layer_target_bitrate[s * temporal_count + t] =
                (int)(own * (t + 2) / (temporal_count + 1));
    }
    must(aom, aom_codec_control(&aom->context, AV1E_SET_SVC_PARAMS, &params), "layers");
}

static void *open(unsigned width, unsigned height, const struct structure *structure)
{
    aom_codec_enc_cfg_t config;
    struct aom *aom = calloc(1, sizeof *aom);
    if (!aom)
        abort();
    aom->structure = structure;
    must(aom, aom_codec_enc_config_default(aom_codec_av1_cx(), &config, AOM_USAGE_REALTIME),
         "defaults");
    config.g_w = width;
    config.g_h = height;
    config.g_timebase = (aom_rational_t){ 1, 30 };
    config.g_threads = 1;
    config.g_lag_in_frames = 0;
    config.rc_end_usage = AOM_CBR;
    config.rc_target_bitrate = width * 2;
    config.rc_min_quantizer = 10;
    config.rc_max_quantizer = 56;
    config.kf_mode = AOM_KF_DISABLED;
    must(aom, aom_codec_enc_init(&aom->context, aom_codec_av1_cx(), &config, 0), "init");
    must(aom, aom_codec_control(&aom->context, AOME_SET_CPUUSED, 10), "speed");
    must(aom, aom_codec_control(&aom->context, AV1E_SET_ENABLE_ORDER_HINT, 0), "order");
    must(aom, aom_codec_control(&aom->context, AV1E_SET_DELTAQ_MODE, 0), "deltaq");
    must(aom, aom_codec_control(&aom->context, AV1E_SET_ENABLE_TPL_MODEL, 0), "tpl");
    must(aom, aom_codec_control(&aom->context, AV1E_SET_AQ_MODE, 3), "aq");
    set_layers(aom, config.rc_target_bitrate);
    return aom;
}

static void set_references(struct aom *aom, const struct frame *frame)
{
    aom_svc_layer_id_t id = { frame->spatial, frame->temporal };
    aom_svc_ref_frame_config_t references = { 0 };
    const int slots[2] = { frame->own_slot, frame->lower_slot };
    unsigned count = 0;
    must(aom, aom_codec_control(&aom->context, AV1E_SET_SVC_LAYER_ID, &id), "layer");
    for (unsigned i = 0; i < 2; i++)
        if (slots[i] != NO_SLOT) {
            unsigned place = count++ == 0 ? 0 : 3; /* LAST, GOLDEN */
            references.reference[place] = 1;
            references.ref_idx[place] = slots[i];
        }
    if (frame->update_slot != NO_SLOT)
        references.refresh[frame->update_slot] = 1;
    must(aom, aom_codec_control(&aom->context, AV1E_SET_SVC_REF_FRAME_CONFIG, &references),
         "references");
}

static void encode(void *encoder, const struct image *image, const struct frame *frames,
                   struct coded *out)
{
    struct aom *aom = encoder;
    aom_image_t wrapped;
    aom_img_wrap(&wrapped, AOM_IMG_FMT_I420, image->width, image->height, 1,
                 (unsigned char *)(uintptr_t)image->bytes);
    for (unsigned i = 0; i < aom->structure->spatial_count; i++) {
        aom_codec_iter_t iterator = NULL;
        const aom_codec_cx_pkt_t *packet;
        set_references(aom, &frames[i]);
        must(aom,
             aom_codec_encode(&aom->context, &wrapped, aom->time, 1,
                              frames[i].begins_key ? AOM_EFLAG_FORCE_KF : 0),
             "encode");
        out[i].size = 0;
        while ((packet = aom_codec_get_cx_data(&aom->context, &iterator))) {
            if (packet->kind != AOM_CODEC_CX_FRAME_PKT)
                continue;
            if (out[i].size + packet->data.frame.sz > CODED_MAX)
                abort();
            memcpy(out[i].bytes + out[i].size, packet->data.frame.buf, packet->data.frame.sz);
            out[i].size += packet->data.frame.sz;
        }
    }
    aom->time++;
}

static void close(void *encoder)
{
    struct aom *aom = encoder;
    (void)aom_codec_destroy(&aom->context);
    free(aom);
}

const struct encoder_kind ENCODE_AV1 = { open, encode, close };
