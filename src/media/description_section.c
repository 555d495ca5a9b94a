#include "media/description_section.h"

#include <string.h>

#define PAYLOAD_TYPES   128
#define SECONDARIES_MAX 16

static const struct {
    const char *name;
    bool is_data;
} PROTOCOLS[] = {
#define ROW(name, text, data) { text, data },
    DESCRIPTION_PROTOCOL_TABLE(ROW)
#undef ROW
};

/* ---- formats ---- */

/* What is known of each payload type while lines are read in any order. */
struct formats {
    struct media_format by_type[PAYLOAD_TYPES];
    bool is_known[PAYLOAD_TYPES];
    bool is_rtx[PAYLOAD_TYPES];
    bool is_listed[PAYLOAD_TYPES];
    uint8_t of[PAYLOAD_TYPES]; /* of RTX: what it repairs; of RED: what its blocks are */
};

static void read_rtpmaps(struct view lines, uint8_t kind, struct formats *formats)
{
    struct view value;
    struct sdp_rtpmap map;
    while (sdp_next(&lines, VIEW("rtpmap"), &value)) {
        if (sdp_read_rtpmap(value, &map) != OK)
            continue;
        uint8_t type = map.payload_type;
        formats->is_rtx[type] = view_equal_nocase(map.encoding, VIEW("rtx"));
        formats->is_known[type] =
            media_format_begin(map.encoding, map.clock_rate, map.channels, type,
                               &formats->by_type[type]) == OK &&
            payload_is_video(formats->by_type[type].codec) == (kind == SDP_VIDEO);
    }
}

static void read_fmtps(struct view lines, struct formats *formats)
{
    struct view value;
    struct sdp_format format;
    uint64_t type;
    while (sdp_next(&lines, VIEW("fmtp"), &value)) {
        if (sdp_read_fmtp(value, &format) != OK)
            continue;
        uint8_t at = format.payload_type;
        if (formats->is_known[at])
            formats->is_known[at] =
                media_format_read(&formats->by_type[at], format.parameters) == OK;
        if (formats->is_rtx[at] && sdp_parameter(format.parameters, VIEW("apt"), &value) &&
            view_read_number(value, PAYLOAD_TYPES - 1, &type))
            formats->of[at] = (uint8_t)type;
        /* RFC 2198, section 5: the types of its blocks, which for us are all one */
        if (formats->is_known[at] && formats->by_type[at].codec == PAYLOAD_RED &&
            view_read_number(
                view_slice(format.parameters, 0, view_find_byte(format.parameters, '/')),
                PAYLOAD_TYPES - 1, &type))
            formats->of[at] = (uint8_t)type;
    }
}

static void read_feedback(struct view lines, struct formats *formats)
{
    struct view value;
    struct sdp_format format;
    uint8_t of_all = 0;
    while (sdp_next(&lines, VIEW("rtcp-fb"), &value)) {
        if (sdp_read_rtcp_fb(value, &format) != OK)
            continue;
        uint8_t bit = media_feedback_read(format.parameters);
        if (format.payload_type == SDP_ALL_PAYLOADS)
            of_all |= bit;
        else
            formats->by_type[format.payload_type].feedback |= bit;
    }
    for (unsigned i = 0; i < PAYLOAD_TYPES; i++)
        formats->by_type[i].feedback |= of_all;
}

/* Those whose codec follows from the number (RFC 3551), when the lines did not say it. */
static void add_static(struct formats *formats, uint8_t type)
{
    enum payload_codec codec = media_static_codec(type);
    if (formats->is_known[type] || codec == PAYLOAD_CODECS)
        return;
    uint8_t feedback = formats->by_type[type].feedback;
    formats->is_known[type] = media_format_begin(payload_name(codec), payload_clock(codec), 1, type,
                                                 &formats->by_type[type]) == OK;
    formats->by_type[type].feedback = feedback;
}

/* Those of the m= line, in its order, each once. */
static void list_formats(const struct sdp_media *media, struct formats *formats,
                         struct description_section *section)
{
    struct view rest = media->formats;
    struct view word;
    uint64_t type;
    while (view_split(&rest, ' ', &word)) {
        if (!view_read_number(word, PAYLOAD_TYPES - 1, &type))
            continue;
        if (media->kind == SDP_AUDIO)
            add_static(formats, (uint8_t)type);
        if (!formats->is_known[type] || formats->is_listed[type] ||
            section->format_count == DESCRIPTION_FORMATS_MAX)
            continue;
        section->formats[section->format_count++] = formats->by_type[type];
        formats->is_listed[type] = true;
    }
}

/* RED without its Opus is of no use. */
static void drop_lone_red(const struct formats *formats, struct description_section *section)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < section->format_count; i++) {
        const struct media_format *format = &section->formats[i];
        uint8_t of = formats->of[format->payload_type];
        bool is_lone =
            format->codec == PAYLOAD_RED && (of >= PAYLOAD_TYPES || !formats->is_listed[of] ||
                                             formats->by_type[of].codec != PAYLOAD_OPUS);
        if (!is_lone)
            section->formats[kept++] = *format;
    }
    section->format_count = (uint8_t)kept;
}

static void list_rtx(const struct sdp_media *media, const struct formats *formats,
                     struct description_section *section)
{
    struct view rest = media->formats;
    struct view word;
    uint64_t type;
    while (view_split(&rest, ' ', &word)) {
        if (!view_read_number(word, PAYLOAD_TYPES - 1, &type) || !formats->is_rtx[type])
            continue;
        for (unsigned i = 0; i < section->format_count; i++)
            if (section->formats[i].payload_type == formats->of[type])
                section->formats[i].rtx = (uint8_t)type;
    }
}

static void read_formats(const struct sdp_media *media, struct description_section *section)
{
    struct formats formats;
    memset(&formats, 0, sizeof formats);
    memset(formats.of, MEDIA_NO_RTX, sizeof formats.of);
    read_rtpmaps(media->lines, media->kind, &formats);
    read_fmtps(media->lines, &formats);
    read_feedback(media->lines, &formats);
    list_formats(media, &formats, section);
    drop_lone_red(&formats, section);
    list_rtx(media, &formats, section);
}

/* ---- extensions ---- */

static void read_extensions(struct view lines, uint8_t ids[RTP_EXTENSION_KINDS])
{
    struct view value;
    struct sdp_extmap map;
    while (sdp_next(&lines, VIEW("extmap"), &value)) {
        if (sdp_read_extmap(value, &map) != OK || map.id > UINT8_MAX ||
            map.direction == SDP_INACTIVE)
            continue;
        enum rtp_extension_kind kind = rtp_extension_kind_of(map.uri);
        if (kind != RTP_EXTENSION_KINDS)
            ids[kind] = (uint8_t)map.id;
    }
}

/* ---- streams ---- */

struct secondaries {
    uint32_t count;
    uint32_t ssrcs[SECONDARIES_MAX];
};

static struct description_ssrc *add_ssrc(struct description_section *section, uint32_t ssrc)
{
    for (unsigned i = 0; i < section->ssrc_count; i++)
        if (section->ssrcs[i].ssrc == ssrc)
            return &section->ssrcs[i];
    if (section->ssrc_count == DESCRIPTION_SSRCS_MAX)
        return NULL;
    struct description_ssrc *added = &section->ssrcs[section->ssrc_count++];
    *added = (struct description_ssrc){ .ssrc = ssrc };
    return added;
}

/* SIM first, for its order is that of the layers; then pairs of a source and what repairs it. */
static void read_groups(struct view lines, struct description_section *section,
                        struct secondaries *secondaries)
{
    struct view at, value, semantics, numbers;
    uint32_t ssrc, second;
    at = lines;
    while (sdp_next(&at, VIEW("ssrc-group"), &value))
        if (sdp_read_ssrc_group(value, &semantics, &numbers) == OK &&
            view_equal(semantics, VIEW("SIM")))
            while (sdp_next_ssrc(&numbers, &ssrc))
                (void)add_ssrc(section, ssrc);
    at = lines;
    while (sdp_next(&at, VIEW("ssrc-group"), &value)) {
        if (sdp_read_ssrc_group(value, &semantics, &numbers) != OK ||
            view_equal(semantics, VIEW("SIM")) || !sdp_next_ssrc(&numbers, &ssrc) ||
            !sdp_next_ssrc(&numbers, &second))
            continue;
        struct description_ssrc *source = add_ssrc(section, ssrc);
        if (source && view_equal(semantics, VIEW("FID")))
            source->rtx = second;
        if (secondaries->count < SECONDARIES_MAX)
            secondaries->ssrcs[secondaries->count++] = second;
    }
}

static bool is_secondary(const struct secondaries *secondaries, uint32_t ssrc)
{
    for (uint32_t i = 0; i < secondaries->count; i++)
        if (secondaries->ssrcs[i] == ssrc)
            return true;
    return false;
}

static void read_ssrcs(struct view lines, struct description_section *section)
{
    struct secondaries secondaries = { 0 };
    struct view value;
    struct sdp_ssrc ssrc;
    read_groups(lines, section, &secondaries);
    while (sdp_next(&lines, VIEW("ssrc"), &value)) {
        if (sdp_read_ssrc(value, &ssrc) != OK)
            continue;
        if (!is_secondary(&secondaries, ssrc.ssrc))
            (void)add_ssrc(section, ssrc.ssrc);
        if (section->cname.size == 0 && view_equal(ssrc.attribute, VIEW("cname")))
            section->cname = ssrc.value;
        if (section->stream.size == 0 && view_equal(ssrc.attribute, VIEW("msid")))
            (void)!sdp_read_msid(ssrc.value, &section->stream, &section->track);
    }
}

/* ---- rids ---- */

static void add_rid(struct description_section *section, struct view id, bool is_paused)
{
    struct view checked;
    if (section->rid_count == DESCRIPTION_RIDS_MAX || rtp_read_rid(id, &checked) != OK)
        return;
    for (unsigned i = 0; i < section->rid_count; i++)
        if (view_equal(section->rids[i].id, id))
            return;
    section->rids[section->rid_count++] =
        (struct description_rid){ .id = id, .is_paused = is_paused };
}

/* Whether a=rid says of that id that it is sent (or received). */
static bool has_rid(struct view lines, struct view id, uint8_t direction)
{
    struct view value;
    struct sdp_rid rid;
    while (sdp_next(&lines, VIEW("rid"), &value))
        if (sdp_read_rid(value, &rid) == OK && rid.direction == direction && view_equal(rid.id, id))
            return true;
    return false;
}

/* Of the simulcast in its order (RFC 8853, section 5.1), or else a single one (RFC 8851). */
static void read_rids(struct view lines, struct description_section *section)
{
    static const uint8_t WAYS[] = { SDP_SENDONLY, SDP_RECVONLY };
    struct view value, rids, id, at;
    struct sdp_rid rid;
    bool is_paused;
    for (unsigned i = 0; i < 2 && section->rid_count == 0; i++) {
        section->rid_direction = WAYS[i];
        if (sdp_find(lines, VIEW("simulcast"), &value) &&
            sdp_read_simulcast(value, (enum sdp_direction)WAYS[i], &rids) == OK) {
            while (section->rid_count < DESCRIPTION_RIDS_MAX &&
                   sdp_next_rid(&rids, &id, &is_paused))
                if (has_rid(lines, id, WAYS[i]))
                    add_rid(section, id, is_paused);
            continue;
        }
        at = lines;
        while (section->rid_count == 0 && sdp_next(&at, VIEW("rid"), &value))
            if (sdp_read_rid(value, &rid) == OK && rid.direction == WAYS[i])
                add_rid(section, rid.id, false);
    }
}

/* ---- sections ---- */

static void read_rtp(const struct sdp_media *media, const struct description_defaults *defaults,
                     struct description_section *section)
{
    struct view value;
    read_formats(media, section);
    memcpy(section->extensions, defaults->extensions, sizeof section->extensions);
    read_extensions(media->lines, section->extensions);
    if (sdp_find(media->lines, VIEW("msid"), &value))
        (void)!sdp_read_msid(value, &section->stream, &section->track);
    read_ssrcs(media->lines, section);
    read_rids(media->lines, section);
    section->is_reduced_size = sdp_find(media->lines, VIEW("rtcp-rsize"), &value);
    if (!sdp_find(media->lines, VIEW("rtcp-mux"), &value))
        section->problem = DESCRIPTION_NO_RTCP_MUX;
    else if (section->format_count == 0)
        section->problem = DESCRIPTION_NO_FORMAT;
}

static void read_data(const struct sdp_media *media, struct description_section *section)
{
    struct view value;
    uint64_t number;
    section->sctp_port = DESCRIPTION_SCTP_PORT;
    section->message_size_max = DESCRIPTION_MESSAGE_MAX;
    if ((section->protocol == DESCRIPTION_SCTP &&
         view_read_number(media->formats, UINT16_MAX, &number)) ||
        (sdp_find(media->lines, VIEW("sctp-port"), &value) &&
         view_read_number(value, UINT16_MAX, &number)))
        section->sctp_port = (uint16_t)number;
    if (sdp_find(media->lines, VIEW("max-message-size"), &value) &&
        view_read_number(value, UINT32_MAX, &number))
        section->message_size_max = (uint32_t)number;
}

static uint8_t direction_of(struct view lines, uint8_t otherwise)
{
    struct view value;
    for (uint8_t i = 0; i < 4; i++)
        if (sdp_find(lines, view_of(sdp_direction_name((enum sdp_direction)i)), &value))
            return i;
    return otherwise;
}

void description_read_defaults(const struct sdp *sdp, struct description_defaults *defaults)
{
    *defaults =
        (struct description_defaults){ .direction = direction_of(sdp->lines, SDP_SENDRECV) };
    read_extensions(sdp->lines, defaults->extensions);
}

void description_read_section(const struct sdp_media *media,
                              const struct description_defaults *defaults,
                              struct description_section *section)
{
    struct view value;
    memset(section, 0, sizeof *section);
    section->kind = media->kind;
    section->direction = direction_of(media->lines, defaults->direction);
    section->is_refused = media->port == 0 && !sdp_find(media->lines, VIEW("bundle-only"), &value);
    if (sdp_find(media->lines, VIEW("mid"), &value) && sdp_is_token(value))
        section->mid = value;
    unsigned protocol = 0;
    while (protocol < DESCRIPTION_PROTOCOLS &&
           !view_equal(media->protocol, view_of(PROTOCOLS[protocol].name)))
        protocol++;
    section->protocol = (uint8_t)protocol;
    if (media->kind == SDP_OTHER)
        section->problem = DESCRIPTION_NO_KIND;
    else if (protocol == DESCRIPTION_PROTOCOLS ||
             PROTOCOLS[protocol].is_data != (media->kind == SDP_APPLICATION))
        section->problem = DESCRIPTION_NO_DTLS;
    else if (media->kind == SDP_APPLICATION)
        read_data(media, section);
    else
        read_rtp(media, defaults, section);
}
