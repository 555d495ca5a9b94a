#include "media/parameters.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* ---- codecs ---- */

uint8_t media_channels(enum payload_codec codec)
{
    return codec == PAYLOAD_OPUS || codec == PAYLOAD_RED ? 2 : 1;
}

enum payload_codec media_static_codec(uint8_t payload_type)
{
    return payload_type == 0   ? PAYLOAD_PCMU
           : payload_type == 8 ? PAYLOAD_PCMA
           : payload_type == 9 ? PAYLOAD_G722
                               : PAYLOAD_CODECS;
}

/* ---- H.264 profiles ---- */

static const struct {
    uint8_t idc;
    uint8_t iop;
} H264_PROFILES[] = {
#define ROW(name, idc, iop) { idc, iop },
    MEDIA_H264_TABLE(ROW)
#undef ROW
};

#define H264_SET_3     0x10 /* constraint_set3_flag */
#define H264_LEVEL_1_1 11
#define H264_LEVEL_1B  9 /* as the high profiles write it; the others say 11 and set the flag */

/* RFC 6184, table 5: of profile-iop, `care` says which bits count, and `is` what they are. */
static const struct {
    uint8_t idc, care, is, profile;
} H264_FORMS[] = {
    { 0x42, 0x4f, 0x40, MEDIA_H264_CONSTRAINED_BASELINE },
    { 0x4d, 0x8f, 0x80, MEDIA_H264_CONSTRAINED_BASELINE },
    { 0x58, 0xcf, 0xc0, MEDIA_H264_CONSTRAINED_BASELINE },
    { 0x42, 0x4f, 0x00, MEDIA_H264_BASELINE },
    { 0x58, 0xcf, 0x80, MEDIA_H264_BASELINE },
    { 0x4d, 0xaf, 0x00, MEDIA_H264_MAIN },
    { 0x58, 0xcf, 0x00, MEDIA_H264_EXTENDED },
    { 0x64, 0xff, 0x0c, MEDIA_H264_CONSTRAINED_HIGH },
    { 0x64, 0xff, 0x00, MEDIA_H264_HIGH },
    { 0x6e, 0xff, 0x00, MEDIA_H264_HIGH_10 },
    { 0x7a, 0xff, 0x00, MEDIA_H264_HIGH_422 },
    { 0xf4, 0xff, 0x00, MEDIA_H264_HIGH_444 },
    { 0x6e, 0xff, 0x10, MEDIA_H264_HIGH_10_INTRA },
    { 0x7a, 0xff, 0x10, MEDIA_H264_HIGH_422_INTRA },
    { 0xf4, 0xff, 0x10, MEDIA_H264_HIGH_444_INTRA },
    { 0x2c, 0xff, 0x10, MEDIA_H264_CAVLC_444_INTRA },
};

static bool has_flag_for_1b(uint8_t idc)
{
    return idc == 0x42 || idc == 0x4d || idc == 0x58;
}

struct media_format media_format_plain(const struct media_format *liked)
{
    struct media_format format = *liked;
    if (liked->variant != MEDIA_VARIANT_ANY)
        return format;
    format.variant = 0;
    if (liked->codec == PAYLOAD_H264) { /* RFC 7742, section 6.2 */
        format.variant = media_h264_variant(MEDIA_H264_CONSTRAINED_BASELINE, 1);
        format.level = 31;
    } else if (liked->codec == PAYLOAD_H265) {
        format.variant = media_h265_variant(1, 0);
        format.level = 93;
    }
    return format;
}

static bool read_hex(struct view text, uint32_t *number)
{
    uint32_t read = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.at[i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)c - '0'
                         : c >= 'a' && c <= 'f' ? (uint32_t)c - 'a' + 10
                         : c >= 'A' && c <= 'F' ? (uint32_t)c - 'A' + 10
                                                : 16;
        if (digit > 15)
            return false;
        read = read << 4 | digit;
    }
    *number = read;
    return text.size > 0;
}

static int set_h264_profile(struct media_format *format, struct view value)
{
    uint32_t number;
    if (value.size != 6 || !read_hex(value, &number))
        return ERR_UNSUPPORTED;
    uint8_t idc = (uint8_t)(number >> 16);
    uint8_t iop = (uint8_t)(number >> 8);
    uint8_t level = (uint8_t)number;
    for (size_t i = 0; i < sizeof H264_FORMS / sizeof H264_FORMS[0]; i++) {
        if (H264_FORMS[i].idc != idc || (iop & H264_FORMS[i].care) != H264_FORMS[i].is)
            continue;
        bool is_1b = has_flag_for_1b(idc) && level == H264_LEVEL_1_1 && iop & H264_SET_3;
        format->variant = (uint16_t)((format->variant & 0xff00) | H264_FORMS[i].profile);
        format->level = is_1b ? H264_LEVEL_1B : level;
        return OK;
    }
    return ERR_UNSUPPORTED;
}

/* ---- reading ---- */

/* A number up to `most`. */
static bool read_up_to(struct view value, uint64_t most, uint8_t *number)
{
    uint64_t read;
    if (!view_read_number(value, most, &read))
        return false;
    *number = (uint8_t)read;
    return true;
}

static const struct {
    const char *name;
    uint8_t bit;
} OPTIONS[] = {
    { "useinbandfec", MEDIA_OPUS_FEC },
    { "usedtx", MEDIA_OPUS_DTX },
    { "stereo", MEDIA_OPUS_STEREO },
    { "sprop-stereo", MEDIA_OPUS_SPROP_STEREO },
};

static int set_opus(struct media_format *format, struct view name, struct view value)
{
    for (size_t i = 0; i < sizeof OPTIONS / sizeof OPTIONS[0]; i++)
        if (view_equal_nocase(name, view_of(OPTIONS[i].name))) {
            bool is_set = view_equal(value, VIEW("1"));
            format->options = (uint8_t)(is_set ? format->options | OPTIONS[i].bit
                                               : format->options & ~OPTIONS[i].bit);
        }
    return OK;
}

static int set_h264(struct media_format *format, struct view name, struct view value)
{
    uint8_t mode;
    if (view_equal_nocase(name, VIEW("profile-level-id")))
        return set_h264_profile(format, value);
    if (!view_equal_nocase(name, VIEW("packetization-mode")))
        return OK;
    if (!read_up_to(value, 1, &mode)) /* 2 is for interleaving, which WebRTC has not */
        return ERR_UNSUPPORTED;
    format->variant = (uint16_t)((format->variant & 0xff) | mode << 8);
    return OK;
}

static int set_h265(struct media_format *format, struct view name, struct view value)
{
    uint8_t number;
    if (view_equal_nocase(name, VIEW("profile-id"))) {
        if (!read_up_to(value, 31, &number))
            return ERR_UNSUPPORTED;
        format->variant = (uint16_t)((format->variant & 0xff00) | number);
    } else if (view_equal_nocase(name, VIEW("tier-flag"))) {
        if (!read_up_to(value, 1, &number))
            return ERR_UNSUPPORTED;
        format->variant = (uint16_t)((format->variant & 0xff) | number << 8);
    } else if (view_equal_nocase(name, VIEW("level-id"))) {
        if (!read_up_to(value, 255, &format->level))
            return ERR_UNSUPPORTED;
    } else if (view_equal_nocase(name, VIEW("tx-mode"))) {
        if (!view_equal_nocase(value, VIEW("SRST"))) /* one stream: RFC 7798, section 7.1 */
            return ERR_UNSUPPORTED;
    }
    return OK;
}

/* VP9 calls it profile-id, AV1 profile. */
static int set_profile(struct media_format *format, struct view name, struct view value)
{
    bool is_av1 = format->codec == PAYLOAD_AV1;
    uint8_t number;
    if (is_av1 && view_equal_nocase(name, VIEW("level-idx")))
        return read_up_to(value, 31, &format->level) ? OK : ERR_UNSUPPORTED;
    if (!view_equal_nocase(name, is_av1 ? VIEW("profile") : VIEW("profile-id")))
        return OK;
    if (!read_up_to(value, is_av1 ? 2 : 3, &number))
        return ERR_UNSUPPORTED;
    format->variant = number;
    return OK;
}

int media_format_begin(struct view encoding, uint32_t clock_rate, uint32_t channels,
                       uint8_t payload_type, struct media_format *format)
{
    enum payload_codec codec = payload_codec_of(encoding);
    if (codec == PAYLOAD_CODECS || clock_rate != payload_clock(codec) ||
        channels != media_channels(codec))
        return ERR_UNSUPPORTED;
    *format = (struct media_format){ .codec = (uint8_t)codec,
                                     .payload_type = payload_type,
                                     .rtx = MEDIA_NO_RTX };
    if (codec == PAYLOAD_H264)
        format->level = 31;
    else if (codec == PAYLOAD_H265) /* RFC 7798, section 7.1: level 3.1 */
        format->level = 93;
    else if (codec == PAYLOAD_AV1)
        format->level = 5;
    if (codec == PAYLOAD_H265)
        format->variant = media_h265_variant(1, 0); /* Main */
    return OK;
}

int media_format_set(struct media_format *format, struct view name, struct view value)
{
    switch (format->codec) {
    case PAYLOAD_OPUS:
        return set_opus(format, name, value);
    case PAYLOAD_H264:
        return set_h264(format, name, value);
    case PAYLOAD_H265:
        return set_h265(format, name, value);
    case PAYLOAD_VP9:
    case PAYLOAD_AV1:
        return set_profile(format, name, value);
    default:
        return OK;
    }
}

int media_format_read(struct media_format *format, struct view parameters)
{
    struct view part;
    while (view_split(&parameters, ';', &part)) {
        size_t equal = view_find_byte(part, '=');
        int status = media_format_set(format, view_trim(view_slice(part, 0, equal)),
                                      view_trim(view_slice(part, equal + 1, part.size)));
        if (status != OK)
            return status;
    }
    return OK;
}

static const struct {
    const char *type;
    const char *parameter;
} FEEDBACK[] = {
#define ROW(name, type, parameter) { type, parameter },
    MEDIA_FEEDBACK_TABLE(ROW)
#undef ROW
};

uint8_t media_feedback_of(struct view type, struct view parameter)
{
    for (unsigned i = 0; i < MEDIA_FEEDBACK_KINDS; i++)
        if (view_equal(type, view_of(FEEDBACK[i].type)) &&
            view_equal(parameter, view_of(FEEDBACK[i].parameter)))
            return (uint8_t)(1u << i);
    return 0;
}

uint8_t media_feedback_read(struct view value)
{
    value = view_trim(value);
    size_t space = view_find_byte(value, ' ');
    return media_feedback_of(view_slice(value, 0, space),
                             view_trim(view_slice(value, space, value.size)));
}

/* ---- writing ---- */

static bool put(struct media_parameter *out, const char *name, unsigned number)
{
    *out = (struct media_parameter){ .name = name, .is_number = true };
    snprintf(out->value, sizeof out->value, "%u", number & 0xffff);
    return true;
}

static bool opus_parameter(const struct media_format *format, uint32_t index,
                           struct media_parameter *out)
{
    if (index == 0)
        return put(out, "minptime", 10);
    for (size_t i = 0; i < sizeof OPTIONS / sizeof OPTIONS[0]; i++)
        if (format->options & OPTIONS[i].bit && --index == 0)
            return put(out, OPTIONS[i].name, 1);
    return false;
}

static bool h264_parameter(const struct media_format *format, uint32_t index,
                           struct media_parameter *out)
{
    unsigned profile = format->variant & 0xff;
    assert(profile < MEDIA_H264_PROFILES);
    if (index == 0)
        return put(out, "level-asymmetry-allowed", 1);
    if (index == 1)
        return put(out, "packetization-mode", format->variant >> 8);
    if (index > 2)
        return false;
    unsigned idc = H264_PROFILES[profile].idc;
    unsigned iop = H264_PROFILES[profile].iop;
    unsigned level = format->level;
    if (level == H264_LEVEL_1B && has_flag_for_1b((uint8_t)idc)) {
        iop |= H264_SET_3;
        level = H264_LEVEL_1_1;
    }
    *out = (struct media_parameter){ .name = "profile-level-id" };
    snprintf(out->value, sizeof out->value, "%02x%02x%02x", idc & 255, iop & 255, level & 255);
    return true;
}

static bool h265_parameter(const struct media_format *format, uint32_t index,
                           struct media_parameter *out)
{
    switch (index) {
    case 0:
        return put(out, "level-id", format->level);
    case 1:
        return put(out, "profile-id", format->variant & 0xff);
    case 2:
        return put(out, "tier-flag", format->variant >> 8);
    case 3:
        *out = (struct media_parameter){ .name = "tx-mode", .value = "SRST" };
        return true;
    default:
        return false;
    }
}

static bool av1_parameter(const struct media_format *format, uint32_t index,
                          struct media_parameter *out)
{
    switch (index) {
    case 0:
        return put(out, "level-idx", format->level);
    case 1:
        return put(out, "profile", format->variant);
    case 2:
        return put(out, "tier", 0);
    default:
        return false;
    }
}

bool media_format_parameter(const struct media_format *format, uint32_t index,
                            struct media_parameter *out)
{
    switch (format->codec) {
    case PAYLOAD_OPUS:
        return opus_parameter(format, index, out);
    case PAYLOAD_H264:
        return h264_parameter(format, index, out);
    case PAYLOAD_H265:
        return h265_parameter(format, index, out);
    case PAYLOAD_VP9:
        return index == 0 && put(out, "profile-id", format->variant);
    case PAYLOAD_AV1:
        return av1_parameter(format, index, out);
    default:
        return false;
    }
}

size_t media_format_write(const struct media_format *format, char out[MEDIA_FMTP_SIZE])
{
    struct media_parameter parameter;
    size_t size = 0;
    out[0] = 0;
    for (uint32_t i = 0; media_format_parameter(format, i, &parameter); i++) {
        int wrote = snprintf(out + size, MEDIA_FMTP_SIZE - size, "%s%s=%s", i ? ";" : "",
                             parameter.name, parameter.value);
        assert(wrote > 0 && (size_t)wrote < MEDIA_FMTP_SIZE - size);
        size += (size_t)wrote;
    }
    return size;
}

void media_feedback_name(enum media_feedback_kind kind, const char **type, const char **parameter)
{
    assert(kind < MEDIA_FEEDBACK_KINDS);
    *type = FEEDBACK[kind].type;
    *parameter = FEEDBACK[kind].parameter[0] ? FEEDBACK[kind].parameter : NULL;
}
