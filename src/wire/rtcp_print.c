#include "wire/rtcp_twcc.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define NUMBERS_MAX 16 /* of a NACK, in a line */

struct line {
    char *out;
    size_t size; /* of what would have been written */
    size_t capacity;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    va_list arguments;
    if (line->size >= line->capacity)
        return;
    va_start(arguments, format);
    line->size +=
        (size_t)vsnprintf(line->out + line->size, line->capacity - line->size, format, arguments);
    va_end(arguments);
}

static void add_reports(struct line *line, struct view reports, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct rtcp_report report = rtcp_report_at(reports, i);
        add(line, " [ssrc=%08x lost=%u/256,%d seq=%u jitter=%u lsr=%08x dlsr=%u]", report.ssrc,
            report.fraction_lost, report.packets_lost, report.highest_sequence_number,
            report.jitter, report.last_sr, report.delay_since_last_sr);
    }
}

static void add_sr(struct line *line, const struct rtcp_packet *packet)
{
    struct rtcp_sr sr;
    if (rtcp_read_sr(packet, &sr) != OK) {
        add(line, " broken");
        return;
    }
    add(line, " ssrc=%08x ntp=%016" PRIx64 " rtp=%u packets=%u octets=%u", sr.ssrc, sr.ntp,
        sr.rtp_timestamp, sr.packet_count, sr.octet_count);
    add_reports(line, sr.reports, sr.report_count);
}

static void add_rr(struct line *line, const struct rtcp_packet *packet)
{
    struct rtcp_rr rr;
    if (rtcp_read_rr(packet, &rr) != OK) {
        add(line, " broken");
        return;
    }
    add(line, " ssrc=%08x", rr.ssrc);
    add_reports(line, rr.reports, rr.report_count);
}

static void add_bye(struct line *line, const struct rtcp_packet *packet)
{
    struct rtcp_bye bye;
    if (rtcp_read_bye(packet, &bye) != OK) {
        add(line, " broken");
        return;
    }
    for (unsigned i = 0; i < bye.ssrc_count; i++)
        add(line, " ssrc=%08x", rtcp_ssrc_at(bye.ssrcs, i));
}

static void add_nack(struct line *line, const struct rtcp_feedback *feedback)
{
    struct rtcp_nack nack;
    uint16_t sequence_number;
    unsigned count = 0;
    rtcp_nack_begin(feedback, &nack);
    while (rtcp_nack_next(&nack, &sequence_number))
        if (count++ < NUMBERS_MAX)
            add(line, " %u", sequence_number);
    if (count > NUMBERS_MAX)
        add(line, " and %u more", count - NUMBERS_MAX);
}

static void add_transport_cc(struct line *line, const struct rtcp_feedback *feedback)
{
    struct twcc twcc;
    if (twcc_read(feedback, &twcc) != OK) {
        add(line, " broken");
        return;
    }
    add(line, " base=%u statuses=%u reference=%u count=%u", twcc.base_sequence_number,
        twcc.status_count, twcc.reference_time, twcc.feedback_count);
}

static void add_feedback(struct line *line, const struct rtcp_packet *packet)
{
    struct rtcp_feedback feedback;
    struct rtcp_remb remb;
    struct rtcp_fir fir;
    if (rtcp_read_feedback(packet, &feedback) != OK) {
        add(line, " broken");
        return;
    }
    add(line, " sender=%08x media=%08x", feedback.sender_ssrc, feedback.media_ssrc);
    if (packet->type == RTCP_RTPFB && feedback.format == RTCP_NACK)
        add_nack(line, &feedback);
    if (packet->type == RTCP_RTPFB && feedback.format == RTCP_TRANSPORT_CC)
        add_transport_cc(line, &feedback);
    if (packet->type == RTCP_PSFB && feedback.format == RTCP_FIR)
        for (unsigned i = 0; rtcp_fir_at(&feedback, i, &fir); i++)
            add(line, " [ssrc=%08x number=%u]", fir.ssrc, fir.sequence_number);
    if (packet->type == RTCP_PSFB && feedback.format == RTCP_ALFB &&
        rtcp_read_remb(&feedback, &remb) == OK)
        add(line, " remb=%" PRIu64, remb.bitrate_bps);
}

static const char *feedback_name(const struct rtcp_packet *packet)
{
    static const char *const TRANSPORT[32] = { [RTCP_NACK] = "nack",
                                               [RTCP_TMMBR] = "tmmbr",
                                               [RTCP_TMMBN] = "tmmbn",
                                               [RTCP_TRANSPORT_CC] = "transport-cc" };
    static const char *const PAYLOAD[32] = {
        [RTCP_PLI] = "pli", [RTCP_FIR] = "fir", [RTCP_ALFB] = "afb"
    };
    const char *name =
        packet->type == RTCP_RTPFB ? TRANSPORT[packet->count] : PAYLOAD[packet->count];
    return name ? name : "feedback";
}

/* By type, from RTCP_SR on. */
static const struct kind {
    const char *name; /* NULL: feedback has one of its own */
    void (*add)(struct line *, const struct rtcp_packet *);
} KINDS[] = {
    { "sr", add_sr }, { "rr", add_rr },       { "sdes", NULL },       { "bye", add_bye },
    { "app", NULL },  { NULL, add_feedback }, { NULL, add_feedback }, { "xr", NULL },
};

size_t rtcp_print(struct view datagram, char *out, size_t capacity)
{
    struct line line = { .out = out, .capacity = capacity };
    struct rtcp_packet packet;
    int status;
    add(&line, "rtcp");
    while ((status = rtcp_next(&datagram, &packet)) == OK) {
        unsigned n = packet.type - (unsigned)RTCP_SR;
        if (n >= sizeof KINDS / sizeof KINDS[0]) {
            add(&line, " type=%u", packet.type);
            continue;
        }
        add(&line, " %s", KINDS[n].name ? KINDS[n].name : feedback_name(&packet));
        if (KINDS[n].add)
            KINDS[n].add(&line, &packet);
    }
    if (status == ERR_MALFORMED)
        add(&line, " broken");
    return line.size < capacity ? line.size : capacity ? capacity - 1 : 0;
}
