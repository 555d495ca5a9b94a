/* A description's writer. */
#include "media/description.h"

#include <assert.h>
#include <stdio.h>

static const char *const PROTOCOLS[] = {
#define ROW(name, text, data) text,
    DESCRIPTION_PROTOCOL_TABLE(ROW)
#undef ROW
};

void description_write_head(struct sdp_writer *writer, const struct description_head *head)
{
    sdp_line(writer, "v=0");
    sdp_line(writer, "o=- %llu %llu IN IP4 127.0.0.1", (unsigned long long)head->session_id,
             (unsigned long long)head->version);
    sdp_line(writer, "s=-");
    sdp_line(writer, "t=0 0");
    if (head->is_lite)
        sdp_line(writer, "a=ice-lite");
    if (head->allows_mixed)
        sdp_line(writer, "a=extmap-allow-mixed");
    sdp_line(writer, "a=msid-semantic: WMS *");
    if (head->has_bundle)
        sdp_line(writer, "a=group:BUNDLE");
}

void description_write_mid(struct sdp_writer *writer, struct view mid)
{
    sdp_more(writer, " %.*s", VIEW_ARGS(mid));
}

/* ---- the way ---- */

uint32_t description_priority(const struct description_candidate *candidate, uint32_t index)
{
    unsigned preference = candidate->is_tcp ? 0x3fffu : 0xffffu;
    return 126u << 24 | (preference - (index & 0xffu)) << 8 | 255u;
}

/* RFC 8839, section 5.1. */
static void write_candidates(struct sdp_writer *writer,
                             const struct description_candidate *candidates, uint32_t count)
{
    char host[ADDRESS_TEXT_SIZE];
    for (uint32_t i = 0; i < count; i++) {
        struct address address = candidates[i].address;
        unsigned port = address.port;
        unsigned priority = description_priority(&candidates[i], i);
        address.port = 0;
        address_write(&address, host);
        sdp_line(writer, "a=candidate:%u 1 %s %u %s %u typ host%s", i + 1,
                 candidates[i].is_tcp ? "tcp" : "udp", priority, host, port,
                 candidates[i].is_tcp ? " tcptype passive" : "");
    }
    if (count > 0)
        sdp_line(writer, "a=end-of-candidates");
}

static const char *setup_name(uint8_t setup)
{
    return setup == SDP_SETUP_ACTIVE    ? "active"
           : setup == SDP_SETUP_PASSIVE ? "passive"
                                        : "actpass";
}

static void write_way(struct sdp_writer *writer, const struct description_head *head)
{
    sdp_line(writer, "a=ice-ufrag:%.*s", VIEW_ARGS(head->ufrag));
    sdp_line(writer, "a=ice-pwd:%.*s", VIEW_ARGS(head->pwd));
    if (head->is_trickle)
        sdp_line(writer, "a=ice-options:trickle");
    sdp_line(writer, "a=fingerprint:sha-256 ");
    for (unsigned i = 0; i < DESCRIPTION_FINGERPRINT_SIZE; i++)
        sdp_more(writer, "%s%02X", i ? ":" : "", head->fingerprint[i]);
    sdp_line(writer, "a=setup:%s", setup_name(head->setup));
}

/* ---- what is sent ---- */

/* The Opus of the section, of which RED is; NULL: there is none. */
static const struct media_format *find_opus(const struct description_section *section)
{
    for (unsigned i = 0; i < section->format_count; i++)
        if (section->formats[i].codec == PAYLOAD_OPUS)
            return &section->formats[i];
    return NULL;
}

static void write_format(struct sdp_writer *writer, const struct description_section *section,
                         const struct media_format *format)
{
    const struct media_format *opus = find_opus(section);
    char fmtp[MEDIA_FMTP_SIZE];
    const char *type, *parameter;
    unsigned clock = payload_clock(format->codec);
    unsigned channels = media_channels(format->codec);
    sdp_line(writer, "a=rtpmap:%u %.*s/%u", format->payload_type,
             VIEW_ARGS(payload_name(format->codec)), clock);
    if (channels > 1)
        sdp_more(writer, "/%u", channels);
    for (unsigned i = 0; i < MEDIA_FEEDBACK_KINDS; i++) {
        if (!(format->feedback & 1u << i))
            continue;
        media_feedback_name((enum media_feedback_kind)i, &type, &parameter);
        sdp_line(writer, "a=rtcp-fb:%u %s%s%s", format->payload_type, type, parameter ? " " : "",
                 parameter ? parameter : "");
    }
    if (media_format_write(format, fmtp) > 0)
        sdp_line(writer, "a=fmtp:%u %s", format->payload_type, fmtp);
    if (format->codec == PAYLOAD_RED && opus)
        sdp_line(writer, "a=fmtp:%u %u/%u", format->payload_type, opus->payload_type,
                 opus->payload_type);
    if (format->rtx == MEDIA_NO_RTX)
        return;
    sdp_line(writer, "a=rtpmap:%u rtx/%u", format->rtx, clock);
    sdp_line(writer, "a=fmtp:%u apt=%u", format->rtx, format->payload_type);
}

static void write_ssrcs(struct sdp_writer *writer, const struct description_section *section)
{
    if (section->stream.size > 0)
        sdp_line(writer, "a=msid:%.*s %.*s", VIEW_ARGS(section->stream), VIEW_ARGS(section->track));
    for (unsigned i = 0; i < section->ssrc_count; i++) {
        const struct description_ssrc *ssrc = &section->ssrcs[i];
        if (ssrc->rtx != 0)
            sdp_line(writer, "a=ssrc-group:FID %u %u", ssrc->ssrc, ssrc->rtx);
        sdp_line(writer, "a=ssrc:%u cname:%.*s", ssrc->ssrc, VIEW_ARGS(section->cname));
        if (ssrc->rtx != 0)
            sdp_line(writer, "a=ssrc:%u cname:%.*s", ssrc->rtx, VIEW_ARGS(section->cname));
    }
}

static void write_rids(struct sdp_writer *writer, const struct description_section *section)
{
    const char *way = section->rid_direction == SDP_SENDONLY ? "send" : "recv";
    for (unsigned i = 0; i < section->rid_count; i++)
        sdp_line(writer, "a=rid:%.*s %s", VIEW_ARGS(section->rids[i].id), way);
    if (section->rid_count < 2)
        return; /* a single one is no simulcast */
    sdp_line(writer, "a=simulcast:%s ", way);
    for (unsigned i = 0; i < section->rid_count; i++)
        sdp_more(writer, "%s%s%.*s", i ? ";" : "", section->rids[i].is_paused ? "~" : "",
                 VIEW_ARGS(section->rids[i].id));
}

static void write_rtp(struct sdp_writer *writer, const struct description_section *section)
{
    sdp_line(writer, "a=rtcp-mux");
    if (section->is_reduced_size)
        sdp_line(writer, "a=rtcp-rsize");
    for (unsigned i = 0; i < RTP_EXTENSION_KINDS; i++)
        if (section->extensions[i] != 0)
            sdp_line(writer, "a=extmap:%u %.*s", section->extensions[i],
                     VIEW_ARGS(rtp_extension_uri((enum rtp_extension_kind)i)));
    for (unsigned i = 0; i < section->format_count; i++)
        write_format(writer, section, &section->formats[i]);
    write_rids(writer, section);
    if (section->direction & SDP_SENDONLY)
        write_ssrcs(writer, section);
}

static void write_data(struct sdp_writer *writer, const struct description_section *section)
{
    if (section->protocol == DESCRIPTION_SCTP)
        sdp_line(writer, "a=sctpmap:%u webrtc-datachannel 1024", section->sctp_port);
    else
        sdp_line(writer, "a=sctp-port:%u", section->sctp_port);
    sdp_line(writer, "a=max-message-size:%u", section->message_size_max);
}

/* ---- sections ---- */

static void write_media_line(struct sdp_writer *writer, const struct description_section *section,
                             unsigned port)
{
    static const char *const KINDS[] = { "text", "audio", "video", "application" };
    const char *protocol =
        section->protocol < DESCRIPTION_PROTOCOLS ? PROTOCOLS[section->protocol] : "RTP/AVP";
    assert(section->kind <= SDP_APPLICATION);
    sdp_line(writer, "m=%s %u %s", KINDS[section->kind], port, protocol);
    if (section->kind == SDP_APPLICATION && section->protocol == DESCRIPTION_SCTP)
        sdp_more(writer, " %u", section->sctp_port);
    else if (section->kind == SDP_APPLICATION)
        sdp_more(writer, " webrtc-datachannel");
    else if (section->format_count == 0)
        sdp_more(writer, " 0");
    for (unsigned i = 0; i < section->format_count; i++) {
        sdp_more(writer, " %u", section->formats[i].payload_type);
        if (section->formats[i].rtx != MEDIA_NO_RTX)
            sdp_more(writer, " %u", section->formats[i].rtx);
    }
}

static void write_connection(struct sdp_writer *writer, const struct address *address)
{
    char host[ADDRESS_TEXT_SIZE] = "0.0.0.0";
    struct address only = *address;
    only.port = 0;
    if (only.family != ADDRESS_NONE)
        address_write(&only, host);
    sdp_line(writer, "c=IN %s %s", only.family == ADDRESS_IPV6 ? "IP6" : "IP4", host);
}

void description_write_section(struct sdp_writer *writer, const struct description_head *head,
                               const struct description_section *section,
                               const struct description_candidate *candidates, uint32_t count)
{
    struct address way = { 0 };
    for (uint32_t i = 0; i < count && way.family == ADDRESS_NONE; i++)
        if (!candidates[i].is_tcp)
            way = candidates[i].address;
    if (section->is_refused)
        way = (struct address){ 0 };
    write_media_line(writer, section, section->is_refused ? 0 : way.port ? way.port : 9);
    write_connection(writer, &way);
    if (section->mid.size > 0)
        sdp_line(writer, "a=mid:%.*s", VIEW_ARGS(section->mid));
    if (section->is_refused) {
        sdp_line(writer, "a=inactive");
        return;
    }
    write_candidates(writer, candidates, count);
    write_way(writer, head);
    sdp_line(writer, "a=%s", sdp_direction_name((enum sdp_direction)section->direction));
    if (section->kind == SDP_APPLICATION)
        write_data(writer, section);
    else
        write_rtp(writer, section);
}
