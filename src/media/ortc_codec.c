/* Codecs and extensions as capabilities and parameters have them in common. */
#include "media/ortc_read.h"

#include <assert.h>
#include <stdio.h>

#define NAME_RTX "rtx"
#define TYPES    128

/* ---- reading ---- */

struct codec {
    enum sdp_kind kind;
    struct view name;
    uint32_t clock_rate;
    uint32_t channels;
    uint8_t type;
    uint8_t apt; /* of RTX (RFC 4588, section 8.6) */
    bool is_rtx;
};

/* "video/VP8" */
static int read_mime(const struct ortc_place *codec, struct codec *read)
{
    struct ortc_place place = ortc_member(codec, "mimeType");
    struct view mime;
    int status = ortc_string(&place, &mime);
    if (status != OK)
        return status;
    size_t slash = view_find_byte(mime, '/');
    struct view kind = view_slice(mime, 0, slash);
    read->name = view_slice(mime, slash + 1, mime.size);
    read->kind = view_equal_nocase(kind, VIEW("audio"))   ? SDP_AUDIO
                 : view_equal_nocase(kind, VIEW("video")) ? SDP_VIDEO
                                                          : SDP_OTHER;
    read->is_rtx = view_equal_nocase(read->name, VIEW(NAME_RTX));
    if (read->kind == SDP_OTHER || read->name.size == 0)
        return ortc_refuse(&place, "audio/... or video/... is wanted");
    return OK;
}

static int read_numbers(const struct ortc_place *codec, const char *type_name, struct codec *read)
{
    struct ortc_place type = ortc_member(codec, type_name);
    struct ortc_place clock = ortc_member(codec, "clockRate");
    struct ortc_place channels = ortc_member(codec, "channels");
    uint64_t number;
    int status = ortc_number(&type, 0, TYPES - 1, &number);
    if (status != OK)
        return status;
    read->type = (uint8_t)number;
    status = ortc_number(&clock, 1, UINT32_MAX, &number);
    if (status != OK)
        return status;
    read->clock_rate = (uint32_t)number;
    read->channels = 1;
    if (!channels.item || read->kind == SDP_VIDEO)
        return OK;
    status = ortc_number(&channels, 1, UINT8_MAX, &number);
    if (status == OK)
        read->channels = (uint32_t)number;
    return status;
}

/* *is_usable: there is a variant with it. */
static int read_parameter(const struct ortc_place *place, struct codec *read,
                          struct media_format *format, bool *is_usable)
{
    char digits[24];
    struct view value;
    uint64_t number;
    if (read->is_rtx && view_equal(view_of(place->name), VIEW("apt"))) {
        int status = ortc_number(place, 0, TYPES - 1, &number);
        if (status == OK)
            read->apt = (uint8_t)number;
        return status;
    }
    if (cJSON_IsString(place->item)) {
        int status = ortc_string(place, &value);
        if (status != OK)
            return status;
    } else if (cJSON_IsNumber(place->item)) {
        double given = place->item->valuedouble;
        bool is_small = given >= 0 && given <= UINT32_MAX;
        snprintf(digits, sizeof digits, "%u", is_small ? (uint32_t)given : 0);
        value = is_small ? view_of(digits) : VIEW("");
    } else {
        return ortc_refuse(place, "a string or a number is wanted");
    }
    if (*is_usable && media_format_set(format, view_of(place->name), value) != OK)
        *is_usable = false;
    return OK;
}

static int read_parameters(const struct ortc_place *codec, struct codec *read,
                           struct media_format *format, bool *is_usable)
{
    struct ortc_place object = ortc_member(codec, "parameters");
    const cJSON *item;
    uint32_t count = 0;
    if (!object.item)
        return OK;
    int status = ortc_object(&object);
    if (status != OK)
        return status;
    cJSON_ArrayForEach(item, object.item)
    {
        struct ortc_place place = { &object, item, item->string, ORTC_NO_INDEX, object.error };
        if (count++ == ORTC_PARAMETERS_MAX)
            return ortc_refuse(&object, "it has too many members");
        status = read_parameter(&place, read, format, is_usable);
        if (status != OK)
            return status;
    }
    return OK;
}

static int read_feedback(const struct ortc_place *codec, struct media_format *format)
{
    struct ortc_place array = ortc_member(codec, "rtcpFeedback");
    const cJSON *item;
    uint32_t index = 0;
    int status = ortc_array(&array, ORTC_PARAMETERS_MAX);
    if (status != OK)
        return status;
    cJSON_ArrayForEach(item, array.item)
    {
        struct ortc_place place = ortc_element(&array, item, index++);
        struct ortc_place type = ortc_member(&place, "type");
        struct ortc_place parameter = ortc_member(&place, "parameter");
        struct view type_text, parameter_text = VIEW("");
        status = ortc_string(&type, &type_text);
        if (status == OK && parameter.item)
            status = ortc_string(&parameter, &parameter_text);
        if (status != OK)
            return status;
        format->feedback |= media_feedback_of(type_text, parameter_text);
    }
    return OK;
}

/* What an array of codecs has come to so far. */
struct codecs {
    struct media_format *formats;
    uint32_t count;
    uint32_t most;
    bool has_type[TYPES];
    uint8_t rtx_of[TYPES]; /* by what it repairs; MEDIA_NO_RTX */
};

/* One type for two formats is wrong where something is sent; where an end says what it can do, the
 * first is meant. */
static int take_type(struct codecs *codecs, const struct ortc_place *codec, const char *type_name,
                     const struct codec *read, bool is_strict, bool *is_usable)
{
    struct ortc_place place = ortc_member(codec, type_name);
    if (codecs->has_type[read->type] && is_strict)
        return ortc_refuse(&place, "another codec has it");
    *is_usable = *is_usable && !codecs->has_type[read->type];
    codecs->has_type[read->type] = true;
    return OK;
}

static int read_codec(struct codecs *codecs, const struct ortc_place *place, const char *type_name,
                      enum sdp_kind kind)
{
    struct media_format format = { 0 };
    struct codec read = { .apt = MEDIA_NO_RTX };
    int status = ortc_object(place);
    if (status == OK)
        status = read_mime(place, &read);
    if (status == OK && kind != SDP_OTHER && kind != read.kind)
        status = ortc_refuse(place, "it is of another kind");
    if (status == OK)
        status = read_numbers(place, type_name, &read);
    if (status != OK)
        return status;
    bool is_usable = read.is_rtx || media_format_begin(read.name, read.clock_rate, read.channels,
                                                       read.type, &format) == OK;
    /* Some say PCMU of a video, and mean nothing by it. */
    is_usable = is_usable && (read.is_rtx || ortc_kind_of(&format) == read.kind);
    is_usable = is_usable && format.codec != PAYLOAD_RED; /* it has no parameters by name */
    status = read_parameters(place, &read, &format, &is_usable);
    if (status == OK)
        status = read_feedback(place, &format);
    if (status == OK)
        status = take_type(codecs, place, type_name, &read, kind != SDP_OTHER, &is_usable);
    if (status != OK || !is_usable)
        return status;
    if (read.is_rtx && read.apt == MEDIA_NO_RTX)
        return ortc_refuse(place, "RTX says in parameters.apt what it repairs");
    if (read.is_rtx && codecs->rtx_of[read.apt] == MEDIA_NO_RTX)
        codecs->rtx_of[read.apt] = read.type;
    else if (!read.is_rtx && codecs->count < codecs->most)
        codecs->formats[codecs->count++] = format;
    return OK;
}

int ortc_read_codecs(const struct ortc_place *array, const char *type_name, enum sdp_kind kind,
                     struct media_format *formats, uint32_t most, uint32_t *count)
{
    struct codecs codecs = { .formats = formats, .most = most };
    const cJSON *item;
    uint32_t index = 0;
    int status = ortc_array(array, ORTC_CODECS_MAX);
    if (status != OK)
        return status;
    for (unsigned i = 0; i < TYPES; i++)
        codecs.rtx_of[i] = MEDIA_NO_RTX;
    cJSON_ArrayForEach(item, array->item)
    {
        struct ortc_place place = ortc_element(array, item, index++);
        status = read_codec(&codecs, &place, type_name, kind);
        if (status != OK)
            return status;
    }
    for (uint32_t i = 0; i < codecs.count; i++)
        formats[i].rtx = codecs.rtx_of[formats[i].payload_type];
    *count = codecs.count;
    return OK;
}

int ortc_read_extension(const struct ortc_place *place, const char *id_name,
                        enum rtp_extension_kind *kind, uint8_t *id)
{
    struct ortc_place uri = ortc_member(place, "uri");
    struct ortc_place number = ortc_member(place, id_name);
    struct view text;
    uint64_t read;
    int status = ortc_object(place);
    if (status == OK)
        status = ortc_string(&uri, &text);
    if (status == OK)
        status = ortc_number(&number, 1, UINT8_MAX, &read);
    if (status != OK)
        return status;
    *kind = rtp_extension_kind_of(text);
    *id = (uint8_t)read;
    return OK;
}

/* ---- writing ---- */

static void write_feedback(struct json_writer *writer, uint8_t feedback)
{
    const char *type, *parameter;
    json_key(writer, "rtcpFeedback");
    json_open(writer, '[');
    for (unsigned i = 0; i < MEDIA_FEEDBACK_KINDS; i++) {
        if (!(feedback >> i & 1))
            continue;
        media_feedback_name((enum media_feedback_kind)i, &type, &parameter);
        json_open(writer, '{');
        json_key(writer, "type");
        json_string(writer, view_of(type));
        json_key(writer, "parameter");
        json_string(writer, view_of(parameter));
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

/* The members in front of the parameters. */
static void write_head(struct json_writer *writer, enum sdp_kind kind, struct view name,
                       const char *type_name, uint8_t type, uint32_t clock_rate, bool with_kind)
{
    char mime[32];
    if (with_kind) {
        json_key(writer, "kind");
        json_string(writer, view_of(ortc_kind_name(kind)));
    }
    snprintf(mime, sizeof mime, "%s/%.*s", ortc_kind_name(kind), VIEW_ARGS(name));
    json_key(writer, "mimeType");
    json_string(writer, view_of(mime));
    json_key(writer, type_name);
    json_number(writer, type);
    json_key(writer, "clockRate");
    json_number(writer, clock_rate);
}

void ortc_write_codec(struct json_writer *writer, const struct media_format *format,
                      const char *type_name, bool with_kind)
{
    enum payload_codec codec = (enum payload_codec)format->codec;
    enum sdp_kind kind = ortc_kind_of(format);
    struct media_parameter parameter;
    json_open(writer, '{');
    write_head(writer, kind, payload_name(codec), type_name, format->payload_type,
               payload_clock(codec), with_kind);
    if (kind == SDP_AUDIO) {
        json_key(writer, "channels");
        json_number(writer, media_channels(codec));
    }
    json_key(writer, "parameters");
    json_open(writer, '{');
    for (uint32_t i = 0; media_format_parameter(format, i, &parameter); i++) {
        struct view value = view_of(parameter.value);
        uint64_t number;
        json_key(writer, parameter.name);
        if (parameter.is_number && view_read_number(value, UINT32_MAX, &number))
            json_number(writer, number);
        else
            json_string(writer, value);
    }
    json_close(writer, '}');
    write_feedback(writer, format->feedback);
    json_close(writer, '}');
    if (format->rtx == MEDIA_NO_RTX)
        return;
    json_open(writer, '{');
    write_head(writer, kind, VIEW(NAME_RTX), type_name, format->rtx, payload_clock(codec),
               with_kind);
    json_key(writer, "parameters");
    json_open(writer, '{');
    json_key(writer, "apt");
    json_number(writer, format->payload_type);
    json_close(writer, '}');
    write_feedback(writer, 0);
    json_close(writer, '}');
}
