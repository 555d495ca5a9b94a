/* ortc_support.h - a policy for tests of ortc.h, and JSON with ' in the place of ". */
#ifndef MOIM_TESTS_MEDIA_ORTC_SUPPORT_H
#define MOIM_TESTS_MEDIA_ORTC_SUPPORT_H

#include "media/ortc.h"

#define ORTC_EXTENSION(name) (1u << RTP_EXTENSION_##name)

static const struct media_format ORTC_FORMATS[] = {
    { .codec = PAYLOAD_OPUS, .options = MEDIA_OPUS_FEC },
    { .codec = PAYLOAD_PCMU },
    { .codec = PAYLOAD_VP8 },
    { .codec = PAYLOAD_VP9, .variant = MEDIA_VARIANT_ANY },
    { .codec = PAYLOAD_H264, .variant = MEDIA_VARIANT_ANY },
    { .codec = PAYLOAD_H265, .variant = MEDIA_VARIANT_ANY },
    { .codec = PAYLOAD_AV1, .variant = MEDIA_VARIANT_ANY },
};

static const struct negotiation_policy ORTC_POLICY = {
    .formats = ORTC_FORMATS,
    .format_count = sizeof ORTC_FORMATS / sizeof ORTC_FORMATS[0],
    .extensions = { ORTC_EXTENSION(MID) | ORTC_EXTENSION(AUDIO_LEVEL) |
                        ORTC_EXTENSION(ABS_SEND_TIME) | ORTC_EXTENSION(TRANSPORT_CC),
                    ORTC_EXTENSION(MID) | ORTC_EXTENSION(RID) | ORTC_EXTENSION(REPAIRED_RID) |
                        ORTC_EXTENSION(ABS_SEND_TIME) | ORTC_EXTENSION(TRANSPORT_CC) |
                        ORTC_EXTENSION(DEPENDENCY_DESCRIPTOR) | ORTC_EXTENSION(VIDEO_ORIENTATION) },
    .feedback = { MEDIA_NACK | MEDIA_TRANSPORT_CC,
                  MEDIA_NACK | MEDIA_PLI | MEDIA_FIR | MEDIA_REMB | MEDIA_TRANSPORT_CC },
    .has_rtx = true,
    .has_simulcast = true,
};

/* The caller's, to delete; NULL: it is no JSON. */
static inline cJSON *ortc_tree(const char *quoted)
{
    static char text[32 * 1024];
    size_t size = 0;
    cJSON *tree = NULL;
    for (; quoted[size] && size < sizeof text; size++)
        text[size] = quoted[size] == '\'' ? '"' : quoted[size];
    return json_read_object(view_make(text, size), &tree) == OK ? tree : NULL;
}

#endif
