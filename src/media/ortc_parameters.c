/* What a track is sent as. */
#include "media/ortc_read.h"

#include <stdio.h>

/* ---- reading ---- */

static int read_extensions(const struct ortc_place *array, struct description_section *section)
{
    const cJSON *item;
    uint32_t index = 0;
    bool has_id[UINT8_MAX + 1] = { false };
    int status = ortc_array(array, ORTC_EXTENSIONS_MAX);
    if (status != OK)
        return status;
    cJSON_ArrayForEach(item, array->item)
    {
        struct ortc_place place = ortc_element(array, item, index++);
        struct ortc_place encrypt = ortc_member(&place, "encrypt");
        enum rtp_extension_kind kind;
        uint8_t id;
        status = ortc_read_extension(&place, "id", &kind, &id);
        if (status != OK)
            return status;
        if (encrypt.item && !cJSON_IsFalse(encrypt.item))
            return ortc_refuse(&encrypt, "encrypted extensions are not supported");
        if (has_id[id])
            return ortc_refuse(&place, "another extension has its id");
        has_id[id] = true;
        if (kind != RTP_EXTENSION_KINDS)
            section->extensions[kind] = id;
    }
    return OK;
}

static int read_ssrc(const struct ortc_place *object, uint32_t *ssrc)
{
    struct ortc_place place = ortc_member(object, "ssrc");
    uint64_t number = 0;
    int status = place.item ? ortc_number(&place, 1, UINT32_MAX, &number) : OK;
    *ssrc = (uint32_t)number;
    return status;
}

static bool has_ssrc(const struct description_section *section, uint32_t ssrc)
{
    for (unsigned i = 0; i < section->ssrc_count; i++)
        if (section->ssrcs[i].ssrc == ssrc || section->ssrcs[i].rtx == ssrc)
            return true;
    return false;
}

static int read_ssrcs(const struct ortc_place *encoding, struct description_section *section)
{
    struct ortc_place rtx = ortc_member(encoding, "rtx");
    struct description_ssrc read = { 0 };
    int status = read_ssrc(encoding, &read.ssrc);
    if (status != OK || read.ssrc == 0)
        return status;
    if (rtx.item) {
        status = ortc_object(&rtx);
        if (status == OK)
            status = read_ssrc(&rtx, &read.rtx);
        if (status != OK)
            return status;
    }
    if (read.ssrc == read.rtx || has_ssrc(section, read.ssrc) ||
        (read.rtx != 0 && has_ssrc(section, read.rtx)))
        return ortc_refuse(encoding, "another encoding has its SSRC");
    section->ssrcs[section->ssrc_count++] = read;
    return OK;
}

static int read_rid(const struct ortc_place *encoding, struct description_section *section)
{
    struct ortc_place place = ortc_member(encoding, "rid");
    struct ortc_place active = ortc_member(encoding, "active");
    struct description_rid read = { .is_paused = cJSON_IsFalse(active.item) };
    struct view text;
    if (!place.item)
        return OK;
    int status = ortc_string(&place, &text);
    if (status != OK)
        return status;
    if (text.size == 0)
        return OK;
    if (rtp_read_rid(text, &read.id) != OK || read.id.size != text.size)
        return ortc_refuse(&place, "up to 16 letters and digits are wanted");
    for (unsigned i = 0; i < section->rid_count; i++)
        if (view_equal(section->rids[i].id, read.id))
            return ortc_refuse(&place, "another encoding has it");
    section->rids[section->rid_count++] = read;
    return OK;
}

/* By what is the stream to be known that bears it? */
static int check_encoding(const struct ortc_place *encoding,
                          const struct description_section *section, bool is_with_ssrc,
                          bool is_with_rid)
{
    if (is_with_ssrc)
        return OK;
    if (!is_with_rid)
        return ortc_refuse(encoding, "it has neither an ssrc nor a rid");
    if (section->extensions[RTP_EXTENSION_RID] == 0)
        return ortc_refuse(encoding, "it has a rid alone, and there is no extension for rids");
    return OK;
}

static int read_encodings(const struct ortc_place *array, struct description_section *section)
{
    const cJSON *item;
    uint32_t index = 0;
    int status = ortc_array(array, ORTC_ENCODINGS_MAX);
    if (status != OK)
        return status;
    if (!array->item || !array->item->child)
        return ortc_refuse(array, "at least one is wanted");
    section->rid_direction = SDP_SENDONLY;
    cJSON_ArrayForEach(item, array->item)
    {
        struct ortc_place place = ortc_element(array, item, index++);
        unsigned ssrcs = section->ssrc_count;
        unsigned rids = section->rid_count;
        status = ortc_object(&place);
        if (status == OK)
            status = read_ssrcs(&place, section);
        if (status == OK)
            status = read_rid(&place, section);
        if (status == OK)
            status = check_encoding(&place, section, section->ssrc_count > ssrcs,
                                    section->rid_count > rids);
        if (status != OK)
            return status;
    }
    /* which belong together is known by their order alone */
    if ((section->ssrc_count != 0 && section->ssrc_count != index) ||
        (section->rid_count != 0 && section->rid_count != index))
        return ortc_refuse(array, "some have an ssrc or a rid, others have not");
    return OK;
}

static int read_names(const struct ortc_place *root, struct description_section *section)
{
    struct ortc_place mid = ortc_member(root, "mid");
    struct ortc_place msid = ortc_member(root, "msid");
    struct ortc_place rtcp = ortc_member(root, "rtcp");
    struct view text;
    int status = OK;
    section->is_reduced_size = true;
    if (mid.item)
        status = ortc_string(&mid, &section->mid);
    if (status == OK && section->mid.size > DESCRIPTION_MID_MAX)
        status = ortc_refuse(&mid, "it is too long");
    if (status == OK && msid.item)
        status = ortc_string(&msid, &text);
    if (status != OK)
        return status;
    if (msid.item) {
        size_t space = view_find_byte(text, ' ');
        section->stream = view_slice(text, 0, space);
        section->track = view_slice(text, space + 1, text.size);
    }
    if (!rtcp.item)
        return OK;
    struct ortc_place cname = ortc_member(&rtcp, "cname");
    struct ortc_place reduced = ortc_member(&rtcp, "reducedSize");
    status = ortc_object(&rtcp);
    if (status == OK && cname.item)
        status = ortc_string(&cname, &section->cname);
    section->is_reduced_size = !cJSON_IsFalse(reduced.item);
    return status;
}

int ortc_read_parameters(const cJSON *json, enum sdp_kind kind, struct description_section *section,
                         struct ortc_error *error)
{
    struct ortc_place root = ortc_root(json, "rtpParameters", error);
    struct ortc_place codecs = ortc_member(&root, "codecs");
    struct ortc_place extensions = ortc_member(&root, "headerExtensions");
    struct ortc_place encodings = ortc_member(&root, "encodings");
    struct description_section read = { .kind = (uint8_t)kind,
                                        .protocol = DESCRIPTION_UDP_SAVPF,
                                        .direction = SDP_SENDONLY };
    uint32_t count = 0;
    int status = ortc_object(&root);
    if (status == OK)
        status = ortc_read_codecs(&codecs, "payloadType", kind, read.formats,
                                  DESCRIPTION_FORMATS_MAX, &count);
    if (status == OK)
        status = read_extensions(&extensions, &read);
    if (status == OK)
        status = read_encodings(&encodings, &read);
    if (status == OK)
        status = read_names(&root, &read);
    if (status != OK)
        return status;
    if (count == 0) {
        (void)!ortc_refuse(&codecs, "none of them is known");
        return ERR_UNSUPPORTED;
    }
    read.format_count = (uint8_t)count;
    *section = read;
    return OK;
}

/* ---- writing ---- */

static void write_encoding(struct json_writer *writer, const struct description_section *section,
                           unsigned index)
{
    const struct description_ssrc *ssrc = &section->ssrcs[index];
    const struct description_rid *rid = &section->rids[index];
    json_open(writer, '{');
    if (index < section->rid_count) {
        json_key(writer, "rid");
        json_string(writer, rid->id);
        json_key(writer, "active");
        json_bool(writer, !rid->is_paused);
    }
    if (index < section->ssrc_count) {
        json_key(writer, "ssrc");
        json_number(writer, ssrc->ssrc);
    }
    if (index < section->ssrc_count && ssrc->rtx != 0) {
        json_key(writer, "rtx");
        json_open(writer, '{');
        json_key(writer, "ssrc");
        json_number(writer, ssrc->rtx);
        json_close(writer, '}');
    }
    json_close(writer, '}');
}

static void write_extensions(struct json_writer *writer, const struct description_section *section)
{
    json_key(writer, "headerExtensions");
    json_open(writer, '[');
    for (unsigned kind = 0; kind < RTP_EXTENSION_KINDS; kind++) {
        if (section->extensions[kind] == 0)
            continue;
        json_open(writer, '{');
        json_key(writer, "uri");
        json_string(writer, rtp_extension_uri((enum rtp_extension_kind)kind));
        json_key(writer, "id");
        json_number(writer, section->extensions[kind]);
        json_key(writer, "encrypt");
        json_bool(writer, false);
        json_key(writer, "parameters");
        json_open(writer, '{');
        json_close(writer, '}');
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

static void write_names(struct json_writer *writer, const struct description_section *section)
{
    char msid[2 * ORTC_TEXT_MAX];
    if (section->mid.size > 0) {
        json_key(writer, "mid");
        json_string(writer, section->mid);
    }
    if (section->stream.size > 0) {
        json_key(writer, "msid");
        snprintf(msid, sizeof msid, "%.*s %.*s", VIEW_ARGS(section->stream),
                 VIEW_ARGS(section->track));
        json_string(writer, view_of(msid));
    }
    json_key(writer, "rtcp");
    json_open(writer, '{');
    if (section->cname.size > 0) {
        json_key(writer, "cname");
        json_string(writer, section->cname);
    }
    json_key(writer, "reducedSize");
    json_bool(writer, section->is_reduced_size);
    json_key(writer, "mux");
    json_bool(writer, true);
    json_close(writer, '}');
}

void ortc_write_parameters(struct json_writer *writer, const struct description_section *section)
{
    unsigned encodings =
        section->ssrc_count > section->rid_count ? section->ssrc_count : section->rid_count;
    json_open(writer, '{');
    json_key(writer, "codecs");
    json_open(writer, '[');
    for (unsigned i = 0; i < section->format_count; i++)
        ortc_write_codec(writer, &section->formats[i], "payloadType", false);
    json_close(writer, ']');
    write_extensions(writer, section);
    json_key(writer, "encodings");
    json_open(writer, '[');
    for (unsigned i = 0; i < encodings; i++)
        write_encoding(writer, section, i);
    json_close(writer, ']');
    write_names(writer, section);
    json_close(writer, '}');
}
