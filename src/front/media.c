#include "front/media.h"

#define EXTENSION(name) (1u << RTP_EXTENSION_##name)
#define OF_BOTH                                                                                    \
    (EXTENSION(MID) | EXTENSION(ABS_SEND_TIME) | EXTENSION(TRANSPORT_CC) |                         \
     EXTENSION(ABS_CAPTURE_TIME))

static const struct media_format FORMATS[] = {
    { .codec = PAYLOAD_OPUS, .options = MEDIA_OPUS_FEC },
    { .codec = PAYLOAD_G722 },
    { .codec = PAYLOAD_PCMU },
    { .codec = PAYLOAD_PCMA },
    { .codec = PAYLOAD_VP8 },
    { .codec = PAYLOAD_VP9, .variant = MEDIA_VARIANT_ANY },
    { .codec = PAYLOAD_H264, .variant = MEDIA_VARIANT_ANY, .level = 31 },
    { .codec = PAYLOAD_AV1, .variant = MEDIA_VARIANT_ANY, .level = 5 },
    { .codec = PAYLOAD_H265, .variant = MEDIA_VARIANT_ANY, .level = 93 },
};

const struct negotiation_policy media_policy = {
    .formats = FORMATS,
    .format_count = sizeof FORMATS / sizeof FORMATS[0],
    .extensions = { OF_BOTH | EXTENSION(AUDIO_LEVEL),
                    OF_BOTH | EXTENSION(RID) | EXTENSION(REPAIRED_RID) |
                        EXTENSION(VIDEO_ORIENTATION) | EXTENSION(PLAYOUT_DELAY) },
    .feedback = { MEDIA_TRANSPORT_CC,
                  MEDIA_NACK | MEDIA_PLI | MEDIA_FIR | MEDIA_REMB | MEDIA_TRANSPORT_CC },
    .receive_max = { 2, 2 },
    .has_rtx = true,
    .has_simulcast = true,
};
