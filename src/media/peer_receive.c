/* RTP that comes in: to which encoding it belongs (RFC 8843, section 9.2). */
#include "media/peer_inside.h"

#include <string.h>

#define SILENCE USEC_S /* of an SSRC, where another one goes on */

static void count(struct peer *peer, enum metric metric)
{
    metrics_add(peer->sfu->metrics, metric, 1);
}

/* A packet as it is being read. */
struct arrival {
    struct span bytes;
    struct rtp_packet rtp;
};

static bool value_of(const struct arrival *arrival, const struct media_terms *terms,
                     enum rtp_extension_kind kind, struct view *value)
{
    uint8_t id = terms->extensions[kind];
    return id > 0 && rtp_extension_value(&arrival->rtp, arrival->bytes.at, id, value);
}

/* ---- whose SSRC it is ---- */

static struct encoding *find_ssrc(const struct peer *peer, uint32_t ssrc)
{
    for (uint8_t i = 0; i < peer->encoding_count; i++)
        if (peer->encodings[i]->ssrc == ssrc || peer->encodings[i]->rtx_ssrc == ssrc)
            return peer->encodings[i];
    return NULL;
}

/* The track by the packet's mid; where it has none, the only one that could be. */
static struct track *find_track(const struct peer *peer, const struct arrival *arrival)
{
    struct track *only = NULL;
    unsigned possible = 0;
    bool is_rtx;
    for (struct transceiver *at = NULL; (at = peer_next(peer, at));) {
        struct view mid;
        struct track *track = at->receiving;
        if (!track || track_format(track, arrival->rtp.payload_type, &is_rtx) == TRACK_NO_FORMAT)
            continue;
        if (value_of(arrival, &track->terms, RTP_EXTENSION_MID, &mid)) {
            if (view_equal(mid, transceiver_mid(at)))
                return track;
            continue;
        }
        only = track;
        possible++;
    }
    return possible == 1 ? only : NULL;
}

static struct encoding *find_rid(const struct track *track, struct view rid)
{
    for (unsigned i = 0; i < track->encoding_count; i++) {
        struct encoding *encoding = track->encodings[i];
        if (view_equal(view_make(encoding->rid, encoding->rid_size), rid))
            return encoding;
    }
    return NULL;
}

/* Its last packets have come late.  But one that goes on while nothing else comes is no former one,
 * whatever came in between. */
static bool is_late(const struct encoding *encoding, usec now, uint32_t ssrc, bool is_rtx)
{
    bool is_silent = encoding->heard_at > 0 && now - encoding->heard_at >= SILENCE;
    return encoding_is_former(encoding, ssrc) && (is_rtx || !is_silent);
}

/* An SSRC that has not been heard: learns it. */
static struct encoding *learn(struct peer *peer, usec now, const struct arrival *arrival)
{
    struct track *track = find_track(peer, arrival);
    struct encoding *encoding;
    struct view rid;
    bool is_rtx;
    if (!track || track->encoding_count == 0)
        return NULL;
    uint32_t ssrc = arrival->rtp.ssrc;
    (void)track_format(track, arrival->rtp.payload_type, &is_rtx);
    if (value_of(arrival, &track->terms, is_rtx ? RTP_EXTENSION_REPAIRED_RID : RTP_EXTENSION_RID,
                 &rid))
        encoding = find_rid(track, rid);
    else
        encoding = track->encoding_count == 1 ? track->encodings[0] : NULL;
    if (!encoding || is_late(encoding, now, ssrc, is_rtx))
        return NULL;
    if (is_rtx)
        encoding_set_rtx(encoding, ssrc);
    else if (encoding->ssrc == 0)
        encoding->ssrc = ssrc;
    else
        encoding_restart(encoding, ssrc);
    return encoding;
}

/* ---- packets ---- */

/* Of a sender that knows nothing of transport-wide feedback; its sound, for which REMB is never
 * agreed on, is on the same line. */
static void note_for_remb(struct peer *peer, usec now, const struct arrival *arrival,
                          const struct track *track)
{
    struct view value;
    uint32_t sent;
    bool is_for_remb = (peer_feedback_of(track) & (MEDIA_REMB | MEDIA_TRANSPORT_CC)) == MEDIA_REMB;
    if (!peer->remb && is_for_remb)
        peer->remb = pool_take(&peer->sfu->rembs);
    if (!peer->remb)
        return;
    if (value_of(arrival, &track->terms, RTP_EXTENSION_ABS_SEND_TIME, &value) &&
        rtp_read_abs_send_time(value, &sent) == OK)
        remb_packet(peer->remb, now, sent, arrival->bytes.size, peer_round_trip(peer));
    else
        remb_untimed(peer->remb, now, arrival->bytes.size);
}

static void note_arrival(struct peer *peer, usec now, const struct arrival *arrival,
                         const struct encoding *encoding)
{
    struct view value;
    struct rtp_transport_cc cc;
    if (!value_of(arrival, &encoding->track->terms, RTP_EXTENSION_TRANSPORT_CC, &value) ||
        rtp_read_transport_cc(value, &cc) != OK) {
        note_for_remb(peer, now, arrival, encoding->track);
        return;
    }
    if (!peer->arrivals)
        peer->arrivals = pool_take(&peer->sfu->arrivals);
    if (peer->arrivals)
        arrivals_note(peer->arrivals, now, cc.sequence_number);
}

/* How loud it is: whose voice it is may be let in among the loud with this very packet. */
static void hear_level(const struct peer *peer, usec now, const struct arrival *arrival,
                       const struct track *track)
{
    struct rtp_audio_level level;
    struct view value;
    struct speakers *speakers = track->voice ? track->voice->of : NULL;
    if (!speakers || !value_of(arrival, &track->terms, RTP_EXTENSION_AUDIO_LEVEL, &value) ||
        rtp_read_audio_level(value, &level) != OK)
        return;
    speakers->changes |= speakers_heard(track->voice, now, level.level);
    bool is_news = speakers->changes || track->voice->spoke_at == now;
    if (is_news && list_empty(&speakers->waking))
        list_append(&peer->sfu->waking, &speakers->waking);
}

/* The packet that an RTX packet repeats.  False: there is none in it. */
static bool unwrap(const struct encoding *encoding, struct arrival *arrival)
{
    bool is_rtx;
    uint8_t format = track_format(encoding->track, arrival->rtp.payload_type, &is_rtx);
    return format != TRACK_NO_FORMAT && is_rtx && encoding->ssrc != 0 &&
           rtp_unwrap_rtx(&arrival->bytes, &arrival->rtp, encoding->ssrc,
                          encoding->track->terms.formats[format].payload_type) == OK;
}

void peer_rtp(struct peer *peer, usec now, struct span packet)
{
    struct arrival arrival = { .bytes = packet };
    if (rtp_read(view_of_span(packet), &arrival.rtp) != OK) {
        count(peer, METRIC_MEDIA_DROPPED_MALFORMED);
        return;
    }
    bool is_named = arrival.rtp.ssrc != 0; /* 0 is an SSRC that is not known */
    struct encoding *encoding = is_named ? find_ssrc(peer, arrival.rtp.ssrc) : NULL;
    if (!encoding && is_named)
        encoding = learn(peer, now, &arrival);
    if (!encoding) {
        count(peer, METRIC_MEDIA_DROPPED_UNKNOWN);
        return;
    }
    note_arrival(peer, now, &arrival, encoding);
    hear_level(peer, now, &arrival, encoding->track);
    peer_touch(peer);
    if (arrival.rtp.ssrc == encoding->rtx_ssrc && !unwrap(encoding, &arrival))
        return; /* padding, to try the line */
    int status = encoding_feed(encoding, now, &arrival.rtp, view_of_span(arrival.bytes));
    if (status == OK) {
        count(peer, METRIC_MEDIA_PACKETS_IN);
        metrics_add(peer->sfu->metrics, METRIC_MEDIA_BYTES_IN, packet.size);
    } else if (status != ERR_EXISTS && status != ERR_OLD) {
        count(peer, status == ERR_NOT_FOUND ? METRIC_MEDIA_DROPPED_UNKNOWN
                                            : METRIC_MEDIA_DROPPED_MALFORMED);
    }
}
