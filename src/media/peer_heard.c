/* RTCP that comes in: reports of what they send and get, and what they want. */
#include "media/peer_inside.h"

#include "wire/ntp.h"
#include "wire/rtcp_twcc.h"

#define LEAST_OVER (60 * USEC_S)
#define NACKS_MAX  SENDER_REPEATS_MAX /* of one feedback: more would not be sent again */

static struct transceiver *find_sent(const struct peer *peer, uint32_t ssrc)
{
    struct transceiver *at = NULL;
    while ((at = peer_next(peer, at)))
        if (at->is_announced && at->sender.config.ssrc == ssrc)
            break;
    return at;
}

/* ---- reports ---- */

/* What it tells of packets that it has not told of before. */
static void estimate_by_report(struct peer *peer, usec now, const struct peer_feedback *before,
                               const struct rtcp_report *report, usec round_trip)
{
    uint32_t expected = report->highest_sequence_number - before->highest;
    uint32_t lost = report->packets_lost > 0 ? (uint32_t)report->packets_lost : 0;
    bool is_news = before->highest != 0 && expected < UINT32_MAX / 2;
    bwe_reported(peer->bwe, now, is_news ? expected : 0,
                 is_news && lost > before->lost ? lost - before->lost : 0, round_trip);
}

static void note_round_trip(struct peer *peer, usec now, usec round_trip)
{
    usec *least = peer->round_trips_least;
    peer->round_trip = round_trip;
    if (now - peer->round_trips_since >= LEAST_OVER) {
        least[1] = least[0];
        least[0] = 0;
        peer->round_trips_since = now;
    }
    if (least[0] == 0 || round_trip < least[0])
        least[0] = round_trip;
}

static void take_report(struct peer *peer, usec now, const struct rtcp_report *report)
{
    struct transceiver *transceiver = find_sent(peer, report->ssrc);
    if (!transceiver)
        return;
    struct peer_feedback *feedback = &transceiver->feedback;
    const struct peer_feedback before = *feedback;
    feedback->highest = report->highest_sequence_number;
    feedback->fraction_lost = report->fraction_lost;
    feedback->loss = peer_smooth_loss(feedback->loss, report->fraction_lost);
    feedback->lost = report->packets_lost > 0 ? (uint32_t)report->packets_lost : 0;
    if (feedback->lost > feedback->lost_most) {
        metrics_add(peer->sfu->metrics, METRIC_MEDIA_LOST_OUT,
                    feedback->lost - feedback->lost_most);
        feedback->lost_most = feedback->lost;
    }
    feedback->jitter = report->jitter;
    usec round_trip = 0;
    if (report->last_sr != 0 && report->last_sr == feedback->last_sr) {
        usec away = now - feedback->last_sr_at;
        usec there = ntp_short_to_usec(report->delay_since_last_sr);
        round_trip = away > there ? away - there : 1;
        note_round_trip(peer, now, round_trip);
    }
    estimate_by_report(peer, now, &before, report, round_trip);
}

static void take_reports(struct peer *peer, usec now, struct view reports, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct rtcp_report report = rtcp_report_at(reports, i);
        take_report(peer, now, &report);
    }
}

static int take_sr(struct peer *peer, usec now, const struct rtcp_packet *packet)
{
    struct rtcp_sr sr;
    int status = rtcp_read_sr(packet, &sr);
    if (status != OK)
        return status;
    for (uint8_t i = 0; i < peer->encoding_count; i++)
        if (peer->encodings[i]->ssrc == sr.ssrc && peer->encodings[i]->memory)
            reception_sr(&peer->encodings[i]->stream.reception, now, &sr);
    take_reports(peer, now, sr.reports, sr.report_count);
    return OK;
}

static int take_rr(struct peer *peer, usec now, const struct rtcp_packet *packet)
{
    struct rtcp_rr rr;
    int status = rtcp_read_rr(packet, &rr);
    if (status == OK)
        take_reports(peer, now, rr.reports, rr.report_count);
    return status;
}

/* ---- feedback ---- */

static void take_nack(struct peer *peer, const struct rtcp_feedback *feedback)
{
    struct sfu *sfu = peer->sfu;
    struct transceiver *transceiver = find_sent(peer, feedback->media_ssrc);
    struct rtcp_nack nack;
    uint16_t number;
    rtcp_nack_begin(feedback, &nack);
    for (unsigned i = 0; transceiver && i < NACKS_MAX && rtcp_nack_next(&nack, &number); i++) {
        transceiver->feedback.nacks++;
        metrics_add(sfu->metrics, METRIC_MEDIA_NACKS_IN, 1);
        if (sfu->repeat_count < SFU_REPEATS_MAX)
            sfu->repeats[sfu->repeat_count++] =
                (struct sfu_repeat){ .transceiver = transceiver, .number = number };
    }
}

static void want_key(struct peer *peer, struct transceiver *transceiver)
{
    metrics_add(peer->sfu->metrics, METRIC_MEDIA_KEYS_WANTED, 1);
    transceiver->feedback.key_requests++;
    if (!transceiver->subscription)
        return;
    sender_wants_key(&transceiver->sender);
    transceiver->subscription->kind->wake(transceiver->subscription);
}

static void take_fir(struct peer *peer, const struct rtcp_feedback *feedback)
{
    struct rtcp_fir fir;
    for (unsigned i = 0; rtcp_fir_at(feedback, i, &fir); i++) {
        struct transceiver *transceiver = find_sent(peer, fir.ssrc);
        if (!transceiver || (transceiver->feedback.has_fir &&
                             transceiver->feedback.last_fir == fir.sequence_number))
            continue;
        transceiver->feedback.has_fir = true;
        transceiver->feedback.last_fir = fir.sequence_number;
        want_key(peer, transceiver);
    }
}

static int take_psfb(struct peer *peer, usec now, const struct rtcp_packet *packet)
{
    struct rtcp_feedback feedback;
    struct rtcp_remb remb;
    int status = rtcp_read_feedback(packet, &feedback);
    if (status != OK)
        return status;
    if (feedback.format == RTCP_PLI) {
        struct transceiver *transceiver = find_sent(peer, feedback.media_ssrc);
        if (transceiver)
            want_key(peer, transceiver);
    } else if (feedback.format == RTCP_FIR) {
        take_fir(peer, &feedback);
    } else if (feedback.format == RTCP_ALFB && rtcp_read_remb(&feedback, &remb) == OK) {
        peer->remb_bps = remb.bitrate_bps;
        if (peer->bwe)
            bwe_remb(peer->bwe, now, remb.bitrate_bps);
    }
    return OK;
}

static int take_rtpfb(struct peer *peer, usec now, const struct rtcp_packet *packet)
{
    struct rtcp_feedback feedback;
    struct twcc twcc;
    int status = rtcp_read_feedback(packet, &feedback);
    if (status == OK && feedback.format == RTCP_NACK)
        take_nack(peer, &feedback);
    if (status != OK || feedback.format != RTCP_TRANSPORT_CC)
        return status;
    status = twcc_read(&feedback, &twcc);
    if (status != OK || !peer->bwe)
        return status;
    if (!bwe_feedback(peer->bwe, now, &twcc))
        return ERR_LIMIT;
    peer_hear_line(peer);
    return OK;
}

/* Who sends nothing learns the round trip when this is told back in our next report (RFC 3611,
 * section 4.5). */
static int take_xr(struct peer *peer, usec now, const struct rtcp_packet *packet)
{
    struct rtcp_xr_block block;
    struct view rest;
    uint32_t ssrc;
    int status = rtcp_read_xr(packet, &ssrc, &rest);
    while (status == OK && (status = rtcp_xr_next(&rest, &block)) == OK)
        if (block.type == RTCP_XR_RRTR)
            peer->reference = (struct peer_reference){ ssrc, ntp_middle(block.ntp), now };
    return status == ERR_NOT_FOUND ? OK : status;
}

static int take_packet(struct peer *peer, usec now, const struct rtcp_packet *packet)
{
    switch (packet->type) {
    case RTCP_SR:
        return take_sr(peer, now, packet);
    case RTCP_RR:
        return take_rr(peer, now, packet);
    case RTCP_RTPFB:
        return take_rtpfb(peer, now, packet);
    case RTCP_PSFB:
        return take_psfb(peer, now, packet);
    case RTCP_XR:
        return take_xr(peer, now, packet);
    default:
        return OK; /* SDES, BYE: nothing hangs on them here */
    }
}

void peer_rtcp(struct peer *peer, usec now, struct view packet)
{
    struct rtcp_packet one;
    int status;
    while ((status = rtcp_next(&packet, &one)) == OK)
        if (take_packet(peer, now, &one) != OK)
            metrics_add(peer->sfu->metrics, METRIC_MEDIA_DROPPED_MALFORMED, 1);
    if (status == ERR_MALFORMED)
        metrics_add(peer->sfu->metrics, METRIC_MEDIA_DROPPED_MALFORMED, 1);
}
