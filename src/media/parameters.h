/* parameters.h - what is agreed of a codec: its format (RFC 8866, section 6.15) in eight bytes.
 *
 * Pure functions over caller memory.  A format is not bound to SDP: its parameters and its feedback
 * are given and taken one at a time, so that other notations of the same (JSON) are read and
 * written with the same calls.
 *
 * Codecs are those of wire/payload.h; RED (RFC 2198) is that of Opus alone, whose payload type its
 * blocks bear.  It stands beside an Opus of the same section, or not at all.
 */
#ifndef MOIM_MEDIA_PARAMETERS_H
#define MOIM_MEDIA_PARAMETERS_H

#include "wire/payload.h"

/* name, type and parameter as in a=rtcp-fb (RFC 4585, section 4.2; RFC 5104) */
#define MEDIA_FEEDBACK_TABLE(X)                                                                    \
    X(NACK, "nack", "")                                                                            \
    X(PLI, "nack", "pli")                                                                          \
    X(FIR, "ccm", "fir")                                                                           \
    X(REMB, "goog-remb", "")                                                                       \
    X(TRANSPORT_CC, "transport-cc", "")

enum media_feedback_kind {
#define MEDIA_FEEDBACK_ENUM(name, type, parameter) MEDIA_FEEDBACK_KIND_##name,
    MEDIA_FEEDBACK_TABLE(MEDIA_FEEDBACK_ENUM)
#undef MEDIA_FEEDBACK_ENUM
        MEDIA_FEEDBACK_KINDS
};

/* The bits of `feedback`. */
enum media_feedback {
#define MEDIA_FEEDBACK_BIT(name, type, parameter) MEDIA_##name = 1 << MEDIA_FEEDBACK_KIND_##name,
    MEDIA_FEEDBACK_TABLE(MEDIA_FEEDBACK_BIT)
#undef MEDIA_FEEDBACK_BIT
};

/* The bits of `options`: what an Opus decoder asks for (RFC 7587, section 6.1). */
enum media_option {
    MEDIA_OPUS_FEC = 1,
    MEDIA_OPUS_DTX = 2,
    MEDIA_OPUS_STEREO = 4,
    MEDIA_OPUS_SPROP_STEREO = 8 /* it sends stereo */
};

#define MEDIA_NO_RTX      255
#define MEDIA_VARIANT_ANY UINT16_MAX /* in a list of what is liked: whatever the variant */

/* The profiles of H.264 as RFC 6184, table 5, tells them apart (and Constrained High).
 * name, profile_idc, profile-iop as it is written here */
#define MEDIA_H264_TABLE(X)                                                                        \
    X(CONSTRAINED_BASELINE, 0x42, 0xe0)                                                            \
    X(BASELINE, 0x42, 0x00)                                                                        \
    X(MAIN, 0x4d, 0x00)                                                                            \
    X(EXTENDED, 0x58, 0x00)                                                                        \
    X(CONSTRAINED_HIGH, 0x64, 0x0c)                                                                \
    X(HIGH, 0x64, 0x00)                                                                            \
    X(HIGH_10, 0x6e, 0x00)                                                                         \
    X(HIGH_422, 0x7a, 0x00)                                                                        \
    X(HIGH_444, 0xf4, 0x00)                                                                        \
    X(HIGH_10_INTRA, 0x6e, 0x10)                                                                   \
    X(HIGH_422_INTRA, 0x7a, 0x10)                                                                  \
    X(HIGH_444_INTRA, 0xf4, 0x10)                                                                  \
    X(CAVLC_444_INTRA, 0x2c, 0x10)

enum media_h264 {
#define MEDIA_H264_ENUM(name, idc, iop) MEDIA_H264_##name,
    MEDIA_H264_TABLE(MEDIA_H264_ENUM)
#undef MEDIA_H264_ENUM
        MEDIA_H264_PROFILES
};

/* Two formats are the same when codec and variant are; all else is what its ends would like. */
struct media_format {
    uint8_t codec; /* enum payload_codec */
    uint8_t payload_type;
    uint8_t rtx;      /* the payload type of its repairs (RFC 4588); MEDIA_NO_RTX */
    uint8_t feedback; /* enum media_feedback */
    uint16_t variant; /* see media_h264_variant and its like */
    uint8_t level;    /* of H.264, H.265 and AV1, as they write it */
    uint8_t options;  /* enum media_option */
};

/* ---- variants ---- */

static inline uint16_t media_h264_variant(enum media_h264 profile, unsigned packetization_mode)
{
    return (uint16_t)((unsigned)profile | packetization_mode << 8);
}

static inline uint16_t media_h265_variant(unsigned profile_id, unsigned tier_flag)
{
    return (uint16_t)(profile_id | tier_flag << 8);
}

/* VP9 and AV1: the profile itself.  The others have one variant: 0. */

static inline bool media_format_same(const struct media_format *a, const struct media_format *b)
{
    return a->codec == b->codec && a->variant == b->variant;
}

/* Of a format that is liked in every variant the one that all have who have the codec; any other
 * as it is. */
struct media_format media_format_plain(const struct media_format *liked);

/* ---- codecs ---- */

/* 2 for Opus (RFC 7587, section 7) and its RED, 1 for all others. */
uint8_t media_channels(enum payload_codec codec);

/* The codec that SDP gives a payload type to by itself (RFC 3551, section 6); PAYLOAD_CODECS: it
 * is none of ours. */
enum payload_codec media_static_codec(uint8_t payload_type);

/* ---- reading ---- */

/* A format of that encoding without parameters, so with the defaults of its RFC: but for H.264,
 * where constrained baseline at level 3.1 is what all mean who say nothing (RFC 7742, section
 * 6.2).
 *   ERR_UNSUPPORTED  an encoding that is none of our codecs, with this clock rate and these
 *                    channels. */
MUST_USE int media_format_begin(struct view encoding, uint32_t clock_rate, uint32_t channels,
                                uint8_t payload_type, struct media_format *format);

/* A parameter of it; names that are not known mean nothing.
 *   ERR_UNSUPPORTED  with this value there is no variant: pass the format over. */
MUST_USE int media_format_set(struct media_format *format, struct view name, struct view value);

/* All parameters of an a=fmtp: name=value;name=value.  As above. */
MUST_USE int media_format_read(struct media_format *format, struct view parameters);

/* The bit of what a=rtcp-fb says; 0: it is not known. */
uint8_t media_feedback_of(struct view type, struct view parameter);
/* Of "nack pli". */
uint8_t media_feedback_read(struct view value);

/* ---- writing ---- */

struct media_parameter {
    const char *name;
    char value[8];  /* ends with NUL */
    bool is_number; /* in JSON */
};

/* The parameters in their order: of `index` from 0 on, until it is false. */
bool media_format_parameter(const struct media_format *format, uint32_t index,
                            struct media_parameter *out);

#define MEDIA_FMTP_SIZE 96
/* name=value;name=value, ending with NUL; the length, 0 when there are none. */
size_t media_format_write(const struct media_format *format, char out[MEDIA_FMTP_SIZE]);

/* Type and parameter (NULL: none) of a bit's number. */
void media_feedback_name(enum media_feedback_kind kind, const char **type, const char **parameter);

#endif
