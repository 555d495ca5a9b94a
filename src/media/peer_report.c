/* RTCP that goes out: reports once in a while, feedback when it is due. */
#include "media/peer_inside.h"

#include "wire/ntp.h"

#define REPORT_EACH   (1 * USEC_S)
#define DATAGRAM_SIZE 1200
#define NACK_MOST     64
#define RR_SIZE       8

/* ---- a datagram ---- */

struct report {
    struct peer *peer;
    struct rtcp_writer writer;
    size_t empty; /* its size when nothing is said in it */
    uint8_t bytes[DATAGRAM_SIZE];
};

/* Compound packets begin with a report (RFC 3550, section 6.1). */
static void begin(struct report *report)
{
    rtcp_begin(&report->writer, report->bytes, sizeof report->bytes);
    rtcp_add_rr(&report->writer, report->peer->ssrc, NULL, 0);
    report->empty = report->writer.size;
}

static void flush(struct report *report)
{
    struct peer *peer = report->peer;
    if (report->writer.size > report->empty)
        rtc_send_rtcp(peer->sfu->config.rtc, peer->transport,
                      view_make(report->bytes, report->writer.size));
    begin(report);
}

/* Room for that many bytes more. */
static void need(struct report *report, size_t size)
{
    if (report->writer.size + size > sizeof report->bytes)
        flush(report);
}

/* ---- reports ---- */

static void report_sent(struct report *report, usec now)
{
    for (struct transceiver *at = NULL; (at = peer_next(report->peer, at));) {
        struct rtcp_sr sr;
        if (!at->is_announced || !sender_report(&at->sender, now, &sr))
            continue;
        need(report, 28 + 8 + 4 + at->said.cname.size + 4);
        rtcp_add_sr(&report->writer, &sr, NULL, 0);
        rtcp_add_cname(&report->writer, sr.ssrc, at->said.cname);
        at->feedback.last_sr = ntp_middle(sr.ntp);
        at->feedback.last_sr_at = now;
    }
}

static void count_lost(const struct peer *peer, struct encoding *encoding)
{
    uint64_t lost = reception_lost(&encoding->stream.reception);
    if (lost <= encoding->lost_most)
        return;
    metrics_add(peer->sfu->metrics, METRIC_MEDIA_LOST_IN, lost - encoding->lost_most);
    encoding->lost_most = lost;
}

static void report_received(struct report *report, usec now)
{
    const struct peer *peer = report->peer;
    struct rtcp_report blocks[RTCP_REPORTS_MAX];
    unsigned count = 0;
    for (uint8_t i = 0; i < peer->encoding_count && count < RTCP_REPORTS_MAX; i++) {
        struct encoding *encoding = peer->encodings[i];
        if (!encoding->memory || !encoding->stream.reception.has_begun)
            continue;
        blocks[count] = reception_report(&encoding->stream.reception, now, encoding->ssrc);
        encoding->loss = peer_smooth_loss(encoding->loss, blocks[count++].fraction_lost);
        count_lost(peer, encoding);
    }
    if (count == 0)
        return;
    need(report, RR_SIZE + count * RTCP_REPORT_SIZE);
    rtcp_add_rr(&report->writer, peer->ssrc, blocks, count);
}

static void answer_reference(struct report *report, usec now)
{
    struct peer_reference *reference = &report->peer->reference;
    const struct rtcp_dlrr dlrr = {
        .ssrc = reference->ssrc,
        .last_rr = reference->middle,
        .delay_since_last_rr = ntp_short_of_usec(now - reference->at),
    };
    if (reference->middle == 0)
        return;
    need(report, 12 + RTCP_DLRR_SIZE);
    rtcp_add_dlrr(&report->writer, report->peer->ssrc, &dlrr, 1);
    reference->middle = 0;
}

/* Rates of what comes in are counted at the same time: a better encoding may be there. */
static void count_tracks(struct peer *peer, usec now)
{
    for (struct transceiver *at = NULL; (at = peer_next(peer, at));)
        if (at->receiving) {
            track_count(at->receiving, now);
            track_aim(at->receiving, now);
        }
}

/* ---- feedback ---- */

static void ask_again(struct report *report, usec now, struct encoding *encoding)
{
    const struct peer *peer = report->peer;
    struct missing *missing = &encoding->stream.missing;
    uint16_t numbers[NACK_MOST];
    bool gave_up;
    if (!(peer_feedback_of(encoding->track) & MEDIA_NACK)) {
        missing_forget(missing);
        return;
    }
    uint32_t count = missing_due(missing, now, peer_round_trip(peer), numbers, NACK_MOST, &gave_up);
    if (gave_up && encoding->track->is_video && encoding->stream.sink_count > 0)
        key_requests_want(&encoding->stream.key_requests);
    if (count == 0)
        return;
    need(report, 12 + 4 * (size_t)count);
    rtcp_add_nack(&report->writer, peer->ssrc, encoding->ssrc, numbers, count);
    encoding->nacks += count;
    metrics_add(peer->sfu->metrics, METRIC_MEDIA_NACKS_OUT, count);
}

static void ask_key(struct report *report, usec now, struct encoding *encoding)
{
    struct peer *peer = report->peer;
    uint8_t feedback = peer_feedback_of(encoding->track);
    if (encoding->stream.sink_count == 0)
        key_requests_came(&encoding->stream.key_requests); /* who waited has gone elsewhere */
    if (!encoding->track->is_video || encoding_is_resting(encoding, now) ||
        !key_requests_due(&encoding->stream.key_requests, now))
        return;
    need(report, 20);
    if (feedback & MEDIA_PLI || !(feedback & MEDIA_FIR))
        rtcp_add_pli(&report->writer, peer->ssrc, encoding->ssrc);
    else
        rtcp_add_fir(
            &report->writer, peer->ssrc,
            (struct rtcp_fir){ .ssrc = encoding->ssrc, .sequence_number = encoding->fir_count++ });
    encoding->key_asks++;
    metrics_add(peer->sfu->metrics, METRIC_MEDIA_KEYS_ASKED, 1);
}

static void tell_arrivals(struct report *report, usec now)
{
    struct peer *peer = report->peer;
    struct arrivals *arrivals = peer->arrivals;
    if (!arrivals || peer->encoding_count == 0)
        return;
    while (now >= arrivals_until(arrivals)) {
        uint32_t media_ssrc = peer->encodings[0]->ssrc;
        if (arrivals_write(arrivals, now, peer->ssrc, media_ssrc, &report->writer))
            continue;
        if (report->writer.size == report->empty)
            return; /* it never has room */
        flush(report);
    }
}

/* What its line takes, of all that it sends. */
static void tell_remb(struct report *report, usec now)
{
    struct peer *peer = report->peer;
    uint32_t ssrcs[PEER_ENCODINGS_MAX];
    unsigned count = 0;
    if (!peer->remb || now < remb_until(peer->remb))
        return;
    for (uint8_t i = 0; i < peer->encoding_count; i++)
        if (peer->encodings[i]->ssrc && peer->encodings[i]->track->is_video)
            ssrcs[count++] = peer->encodings[i]->ssrc;
    need(report, 20 + 4 * (size_t)count);
    rtcp_add_remb(&report->writer, peer->ssrc, remb_tell(peer->remb, now), ssrcs, count);
}

/* ---- when ---- */

static void sooner(usec *until, usec other)
{
    if (other < *until)
        *until = other;
}

/* Packets of sound that have waited for others long enough. */
static void end_joins(struct peer *peer, usec now)
{
    for (struct transceiver *at = NULL; (at = peer_next(peer, at));)
        if (!at->is_video && now >= sender_joins_until(&at->sender))
            (void)sender_joins_end(&at->sender, now); /* a full batch: with the next one */
}

static void until_joins(const struct peer *peer, usec *until)
{
    for (struct transceiver *at = NULL; (at = peer_next(peer, at));)
        if (!at->is_video)
            sooner(until, sender_joins_until(&at->sender));
}

/* What can't wait. */
static usec next_time(const struct peer *peer, usec now)
{
    usec until = pacer_until(&peer->pacer);
    if (peer->sound.rung > 0)
        until_joins(peer, &until);
    for (uint8_t i = 0; i < peer->encoding_count; i++) {
        const struct encoding *encoding = peer->encodings[i];
        if (!encoding->memory)
            continue;
        sooner(&until, missing_until(&encoding->stream.missing));
        if (encoding->track->is_video && !encoding_is_resting(encoding, now))
            sooner(&until, key_requests_until(&encoding->stream.key_requests));
    }
    return until;
}

/* What can, for a moment. */
static usec next_calm_time(const struct peer *peer)
{
    usec until = peer->report_at;
    sooner(&until, peer->allocate_at);
    if (peer->arrivals)
        sooner(&until, arrivals_until(peer->arrivals));
    if (peer->remb)
        sooner(&until, remb_until(peer->remb));
    if (peer->bwe)
        sooner(&until, bwe_until(peer->bwe));
    return until;
}

static void set_timers(struct peer *peer, usec now)
{
    struct sfu *sfu = peer->sfu;
    usec until = next_time(peer, now);
    wheel_set(&sfu->calm, &peer->calm, next_calm_time(peer));
    if (until == USEC_NEVER)
        wheel_cancel(&sfu->wheel, &peer->timer);
    else
        wheel_set(&sfu->wheel, &peer->timer, until);
}

void peer_report(struct peer *peer, usec now)
{
    struct report report;
    if (peer->state != PEER_CONNECTED)
        return;
    if (peer->bwe && now >= bwe_until(peer->bwe))
        bwe_tick(peer->bwe, now);
    (void)peer_pace(peer, now);
    if (peer->sound.rung > 0)
        end_joins(peer, now);
    report.peer = peer;
    begin(&report);
    if (now >= peer->report_at) {
        report_sent(&report, now);
        report_received(&report, now);
        answer_reference(&report, now);
        count_tracks(peer, now);
        peer->report_at = now + REPORT_EACH;
    }
    for (uint8_t i = 0; i < peer->encoding_count; i++)
        if (peer->encodings[i]->memory) {
            ask_again(&report, now, peer->encodings[i]);
            ask_key(&report, now, peer->encodings[i]);
        }
    tell_arrivals(&report, now);
    tell_remb(&report, now);
    flush(&report);
    peer_share(peer, now);
    peer_probe(peer, now);
    set_timers(peer, now);
}
