/* What either end can do. */
#include "media/ortc_read.h"

#include <string.h>

#define STATIC_TYPES 35 /* RFC 3551 has given away those below */

/* ---- ours ---- */

/* Where any variant is liked: those that browsers offer. */
static const struct media_format VARIANTS[] = {
    { .codec = PAYLOAD_VP9, .variant = 0 },
    { .codec = PAYLOAD_VP9, .variant = 2 },
    { .codec = PAYLOAD_H264, .variant = MEDIA_H264_CONSTRAINED_BASELINE | 1 << 8, .level = 31 },
    { .codec = PAYLOAD_H264, .variant = MEDIA_H264_CONSTRAINED_BASELINE, .level = 31 },
    { .codec = PAYLOAD_H264, .variant = MEDIA_H264_BASELINE | 1 << 8, .level = 31 },
    { .codec = PAYLOAD_H264, .variant = MEDIA_H264_MAIN | 1 << 8, .level = 31 },
    { .codec = PAYLOAD_H264, .variant = MEDIA_H264_HIGH | 1 << 8, .level = 31 },
    { .codec = PAYLOAD_H265, .variant = 1, .level = 93 },
    { .codec = PAYLOAD_AV1, .variant = 0, .level = 5 },
};

/* 96 and up, then 35 to 63: 64 to 95 look like RTCP (RFC 5761, section 4).  MEDIA_NO_RTX: all are
 * taken. */
static uint8_t next_type(uint8_t *last)
{
    if (*last == MEDIA_NO_RTX)
        return MEDIA_NO_RTX;
    uint8_t next = *last == ORTC_PAYLOAD_TYPE_MAX ? STATIC_TYPES : (uint8_t)(*last + 1);
    return *last = next == 64 ? MEDIA_NO_RTX : next;
}

static uint8_t static_type(enum payload_codec codec)
{
    for (uint8_t type = 0; type < STATIC_TYPES; type++)
        if (media_static_codec(type) == codec)
            return type;
    return MEDIA_NO_RTX;
}

static void add_format(struct ortc_capabilities *capabilities,
                       const struct negotiation_policy *policy, const struct media_format *liked,
                       uint8_t *last)
{
    struct media_format *format = &capabilities->formats[capabilities->format_count];
    bool is_video = ortc_kind_of(liked) == SDP_VIDEO;
    uint8_t type = static_type((enum payload_codec)liked->codec);
    if (capabilities->format_count == ORTC_FORMATS_MAX)
        return;
    if (type == MEDIA_NO_RTX)
        type = next_type(last);
    if (type == MEDIA_NO_RTX)
        return;
    *format = *liked;
    format->payload_type = type;
    format->rtx = is_video && policy->has_rtx ? next_type(last) : MEDIA_NO_RTX;
    format->feedback = policy->feedback[is_video];
    capabilities->format_count++;
}

/* An id is the same for both kinds, since both go one way. */
static void add_extensions(struct ortc_capabilities *capabilities,
                           const struct negotiation_policy *policy)
{
    uint8_t id = 0;
    for (unsigned kind = 0; kind < RTP_EXTENSION_KINDS && id < ORTC_EXTENSION_ID_MAX; kind++) {
        if (!((policy->extensions[0] | policy->extensions[1]) >> kind & 1))
            continue;
        id++;
        for (unsigned i = 0; i < 2; i++)
            if (policy->extensions[i] >> kind & 1)
                capabilities->extensions[i][kind] = id;
    }
}

void ortc_capabilities_init(struct ortc_capabilities *capabilities,
                            const struct negotiation_policy *policy)
{
    uint8_t last = 95;
    *capabilities = (struct ortc_capabilities){ 0 };
    for (uint32_t i = 0; i < policy->format_count; i++) {
        struct media_format liked = policy->formats[i];
        bool has_variants = false;
        for (size_t k = 0; k < sizeof VARIANTS / sizeof VARIANTS[0]; k++)
            if (liked.variant == MEDIA_VARIANT_ANY && liked.codec == VARIANTS[k].codec) {
                add_format(capabilities, policy, &VARIANTS[k], &last);
                has_variants = true;
            }
        if (liked.variant == MEDIA_VARIANT_ANY)
            liked.variant = 0;
        if (!has_variants && liked.codec != PAYLOAD_RED)
            add_format(capabilities, policy, &liked, &last);
    }
    add_extensions(capabilities, policy);
}

static void write_extension(struct json_writer *writer, unsigned index,
                            enum rtp_extension_kind kind, uint8_t id)
{
    /* The names of encodings are for us alone: each receiver gets one of them. */
    bool is_ours = kind == RTP_EXTENSION_RID || kind == RTP_EXTENSION_REPAIRED_RID;
    json_open(writer, '{');
    json_key(writer, "kind");
    json_string(writer, view_of(ortc_kind_name(index ? SDP_VIDEO : SDP_AUDIO)));
    json_key(writer, "uri");
    json_string(writer, rtp_extension_uri(kind));
    json_key(writer, "preferredId");
    json_number(writer, id);
    json_key(writer, "preferredEncrypt");
    json_bool(writer, false);
    json_key(writer, "direction");
    json_string(writer, is_ours ? VIEW("recvonly") : VIEW("sendrecv"));
    json_close(writer, '}');
}

void ortc_write_capabilities(struct json_writer *writer,
                             const struct ortc_capabilities *capabilities)
{
    json_open(writer, '{');
    json_key(writer, "codecs");
    json_open(writer, '[');
    for (uint32_t i = 0; i < capabilities->format_count; i++)
        ortc_write_codec(writer, &capabilities->formats[i], "preferredPayloadType", true);
    json_close(writer, ']');
    json_key(writer, "headerExtensions");
    json_open(writer, '[');
    for (unsigned index = 0; index < 2; index++)
        for (unsigned kind = 0; kind < RTP_EXTENSION_KINDS; kind++)
            if (capabilities->extensions[index][kind] != 0)
                write_extension(writer, index, (enum rtp_extension_kind)kind,
                                capabilities->extensions[index][kind]);
    json_close(writer, ']');
    json_close(writer, '}');
}

/* ---- theirs ---- */

/* One that says no kind is of both. */
static int read_kinds(const struct ortc_place *extension, bool is_of[2])
{
    struct ortc_place place = ortc_member(extension, "kind");
    struct view kind = VIEW("");
    if (place.item) {
        int status = ortc_string(&place, &kind);
        if (status != OK)
            return status;
    }
    is_of[0] = kind.size == 0 || view_equal(kind, VIEW("audio"));
    is_of[1] = kind.size == 0 || view_equal(kind, VIEW("video"));
    return is_of[0] || is_of[1] ? OK : ortc_refuse(&place, "audio or video is wanted");
}

static int read_extensions(const struct ortc_place *array, struct ortc_capabilities *capabilities)
{
    const cJSON *item;
    uint32_t index = 0;
    int status = ortc_array(array, ORTC_EXTENSIONS_MAX);
    if (status != OK)
        return status;
    cJSON_ArrayForEach(item, array->item)
    {
        struct ortc_place place = ortc_element(array, item, index++);
        enum rtp_extension_kind kind;
        bool is_of[2];
        uint8_t id;
        status = ortc_read_extension(&place, "preferredId", &kind, &id);
        if (status == OK)
            status = read_kinds(&place, is_of);
        if (status != OK)
            return status;
        for (unsigned i = 0; i < 2; i++)
            if (is_of[i] && kind != RTP_EXTENSION_KINDS)
                capabilities->extensions[i][kind] = id;
    }
    return OK;
}

int ortc_read_capabilities(const cJSON *json, struct ortc_capabilities *capabilities,
                           struct ortc_error *error)
{
    struct ortc_place root = ortc_root(json, "rtpCapabilities", error);
    struct ortc_place codecs = ortc_member(&root, "codecs");
    struct ortc_place extensions = ortc_member(&root, "headerExtensions");
    struct ortc_capabilities read = { 0 };
    int status = ortc_object(&root);
    if (status == OK)
        status = ortc_read_codecs(&codecs, "preferredPayloadType", SDP_OTHER, read.formats,
                                  ORTC_FORMATS_MAX, &read.format_count);
    if (status == OK)
        status = read_extensions(&extensions, &read);
    if (status == OK)
        *capabilities = read;
    return status;
}
