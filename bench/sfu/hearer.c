#include "hearer.h"

#include "wire/payload_vp8.h"
#include "wire/rtp_extensions.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define ROUND_TRIP    (50 * USEC_MS)
#define NACKS_MAX     64
#define REPORTS_MAX   20 /* of one datagram */
#define DATAGRAM_SIZE 1200

void hearer_init(struct hearer *hearer, struct peer *peer, struct tally *tally)
{
    *hearer = (struct hearer){ .peer = peer, .tally = tally };
    if (getrandom(&hearer->ssrc, sizeof hearer->ssrc, 0) < 0)
        abort();
}

void hearer_free(struct hearer *hearer)
{
    for (unsigned i = 0; i < hearer->stream_count; i++)
        free(hearer->streams[i]);
    hearer->stream_count = 0;
}

void hearer_describe(struct hearer *hearer, const struct description_section *section)
{
    for (unsigned i = 0; i < section->format_count; i++) {
        const struct media_format *format = &section->formats[i];
        bool is_video = section->kind == SDP_VIDEO;
        hearer->formats[format->payload_type & 127] =
            (struct heard_format){ .is_known = true, .is_video = is_video };
        if (format->rtx != MEDIA_NO_RTX)
            hearer->formats[format->rtx & 127] = (struct heard_format){
                .is_known = true, .is_video = true, .is_rtx = true, .original = format->payload_type
            };
    }
    if (section->extensions[RTP_EXTENSION_TRANSPORT_CC])
        hearer->transport_cc = section->extensions[RTP_EXTENSION_TRANSPORT_CC];
}

/* ---- in ---- */

static struct heard *find(struct hearer *hearer, uint32_t ssrc)
{
    for (unsigned i = 0; i < hearer->stream_count; i++)
        if (hearer->streams[i]->ssrc == ssrc)
            return hearer->streams[i];
    return NULL;
}

static struct heard *find_or_add(struct hearer *hearer, uint32_t ssrc, bool is_video)
{
    struct heard *stream = find(hearer, ssrc);
    if (stream || hearer->stream_count == SECURE_SOURCES_MAX)
        return stream;
    stream = calloc(1, sizeof *stream);
    if (!stream)
        abort();
    stream->ssrc = ssrc;
    stream->is_video = is_video;
    stream->reception.clock_rate = is_video ? 90000 : 48000;
    hearer->streams[hearer->stream_count++] = stream;
    return stream;
}

/* The stream whose repairs come with another SSRC: the one that misses this packet. */
static struct heard *find_repaired(struct hearer *hearer, uint16_t number)
{
    for (unsigned s = 0; s < hearer->stream_count; s++) {
        const struct missing *missing = &hearer->streams[s]->missing;
        for (unsigned i = 0; i < missing->count; i++)
            if ((uint16_t)missing->packets[i].sequence == number)
                return hearer->streams[s];
    }
    return NULL;
}

static bool is_missing(const struct heard *stream, uint64_t sequence)
{
    for (unsigned i = 0; i < stream->missing.count; i++)
        if (stream->missing.packets[i].sequence == sequence)
            return true;
    return false;
}

/* A packet of the stream, or one that repairs it. */
static void take(struct hearer *hearer, struct heard *stream, usec now,
                 const struct rtp_packet *rtp, struct view payload, bool is_rtx)
{
    struct vp8 vp8;
    bool is_first = !stream->unwrapper.highest;
    uint64_t before = stream->unwrapper.highest;
    uint64_t sequence = rtp_unwrap_sequence(&stream->unwrapper, rtp->sequence_number);
    if (!is_first && sequence <= before && !is_missing(stream, sequence)) {
        hearer->tally->doubles++;
        return;
    }
    hearer->tally->packets++;
    hearer->tally->repeats += is_rtx;
    hearer->tally->bytes += (uint64_t)rtp->header_size + payload.size;
    missing_arrived(&stream->missing, now, sequence);
    if (!is_rtx)
        reception_packet(&stream->reception, now, sequence, rtp->timestamp, payload.size);
    if (stream->is_video && !stream->has_key && vp8_read(payload, &vp8) == OK)
        stream->has_key = vp8.starts_frame && vp8.is_key;
}

static bool read_format(const struct hearer *hearer, struct rtp_packet *rtp, struct span *bytes,
                        bool *is_rtx)
{
    const struct heard_format *format = &hearer->formats[rtp->payload_type];
    *is_rtx = format->is_rtx;
    return format->is_known &&
           (!*is_rtx || rtp_unwrap_rtx(bytes, rtp, rtp->ssrc, format->original) == OK);
}

void hearer_feed(struct hearer *hearer, usec now, uint64_t at_ns, struct span bytes)
{
    struct rtp_packet rtp;
    struct rtp_transport_cc cc;
    struct view value;
    uint64_t left_ns;
    uint32_t number;
    bool is_rtx;
    if (hearer->loss > 0 && drand48() < hearer->loss) {
        hearer->tally->thrown++;
        return;
    }
    if (rtp_read(view_of_span(bytes), &rtp) != OK) {
        hearer->tally->wrong++;
        return;
    }
    if (hearer->transport_cc && rtp_extension_value(&rtp, bytes.at, hearer->transport_cc, &value) &&
        rtp_read_transport_cc(value, &cc) == OK)
        arrivals_note(&hearer->arrivals, now, cc.sequence_number);
    if (!read_format(hearer, &rtp, &bytes, &is_rtx) ||
        !track_read_stamp(rtp_payload(&rtp, bytes.at), &left_ns, &number)) {
        hearer->tally->others++;
        return;
    }
    bool is_video = hearer->formats[rtp.payload_type].is_video;
    struct heard *stream = is_rtx ? find_repaired(hearer, rtp.sequence_number)
                                  : find_or_add(hearer, rtp.ssrc, is_video);
    if (!stream) {
        hearer->tally->doubles += is_rtx;
        hearer->tally->others += !is_rtx;
        return;
    }
    if (!is_rtx)
        tally_delay(hearer->tally, (int64_t)(at_ns - left_ns));
    take(hearer, stream, now, &rtp, rtp_payload(&rtp, bytes.at), is_rtx);
}

void hearer_feed_sr(struct hearer *hearer, usec now, const struct rtcp_sr *sr)
{
    struct heard *stream = find(hearer, sr->ssrc);
    if (stream)
        reception_sr(&stream->reception, now, sr);
}

/* ---- out ---- */

static void send_rtcp(struct hearer *hearer, struct rtcp_writer *writer)
{
    assert(!writer->overflow);
    if (writer->size > 0)
        peer_send_rtcp(hearer->peer, writer->at, writer->size);
}

static void begin(struct rtcp_writer *writer)
{
    static uint8_t bytes[DATAGRAM_SIZE + SECURE_RTCP_OVERHEAD];
    rtcp_begin(writer, bytes, DATAGRAM_SIZE);
}

/* The reports of all streams: with the first datagram go those of our own tracks. */
static void report(struct hearer *hearer, usec now, struct track *const *own, unsigned own_count)
{
    struct rtcp_report reports[REPORTS_MAX];
    struct rtcp_writer writer;
    unsigned at = 0;
    begin(&writer);
    for (unsigned i = 0; i < own_count; i++)
        if (own[i]->packets > 0)
            track_report(own[i], now, &writer, NULL, 0);
    while (at < hearer->stream_count || writer.size > 0) {
        unsigned count = 0;
        for (; at < hearer->stream_count && count < REPORTS_MAX; at++, count++)
            reports[count] =
                reception_report(&hearer->streams[at]->reception, now, hearer->streams[at]->ssrc);
        if (count > 0)
            rtcp_add_rr(&writer, hearer->ssrc, reports, count);
        send_rtcp(hearer, &writer);
        hearer->tally->reports++;
        begin(&writer);
    }
}

static void ask_again(struct hearer *hearer, usec now, struct heard *stream)
{
    uint16_t numbers[NACKS_MAX];
    struct rtcp_writer writer;
    bool gave_up;
    uint32_t count = missing_due(&stream->missing, now, ROUND_TRIP, numbers, NACKS_MAX, &gave_up);
    if (count == 0 || !hearer->has_nack)
        return;
    begin(&writer);
    rtcp_add_nack(&writer, hearer->ssrc, stream->ssrc, numbers, count);
    send_rtcp(hearer, &writer);
    hearer->tally->nacks += count;
}

static void ask_for_key(struct hearer *hearer, usec now, struct heard *stream)
{
    struct rtcp_writer writer;
    if (!stream->is_video || stream->has_key || now < stream->pli_at)
        return;
    stream->pli_at = now + HEARER_PLI;
    begin(&writer);
    rtcp_add_pli(&writer, hearer->ssrc, stream->ssrc);
    send_rtcp(hearer, &writer);
    hearer->tally->plis++;
}

static void tell_arrivals(struct hearer *hearer, usec now)
{
    struct rtcp_writer writer;
    if (arrivals_until(&hearer->arrivals) > now)
        return;
    begin(&writer);
    uint32_t media = hearer->stream_count ? hearer->streams[0]->ssrc : 0;
    while (arrivals_write(&hearer->arrivals, now, hearer->ssrc, media, &writer)) {
        send_rtcp(hearer, &writer);
        hearer->tally->feedbacks++;
        begin(&writer);
    }
}

void hearer_tick(struct hearer *hearer, usec now, struct track *const *own, unsigned own_count)
{
    if (hearer->peer->state != PEER_CONNECTED || hearer->is_silent)
        return;
    tell_arrivals(hearer, now);
    for (unsigned i = 0; i < hearer->stream_count; i++) {
        if (missing_until(&hearer->streams[i]->missing) <= now)
            ask_again(hearer, now, hearer->streams[i]);
        ask_for_key(hearer, now, hearer->streams[i]);
    }
    if (now < hearer->report_at)
        return;
    if (hearer->report_at)
        report(hearer, now, own, own_count);
    hearer->report_at = now + HEARER_REPORT * (50 + hearer->ssrc % 100) / 100;
}
