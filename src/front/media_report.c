#include "front/media_report.h"

#include "front/put.h"

bool media_name(const struct peer *peer, struct media_name *name)
{
    const struct media_owner *owner = peer->owner;
    *name = (struct media_name){ 0 };
    if (!owner->name)
        return false;
    owner->name(peer, name);
    return name->room != NULL;
}

/* ---- values ---- */

static void put_address(struct json_writer *writer, const char *key, const struct address *address)
{
    char text[ADDRESS_TEXT_SIZE];
    json_key(writer, key);
    json_string(writer, view_make(text, address_write(address, text)));
}

static uint64_t usec_of(uint64_t units, uint32_t clock_rate)
{
    return clock_rate ? units * USEC_S / clock_rate : 0;
}

/* ---- sums ---- */

void media_sum_add(struct media_sum *sum, const struct peer *peer)
{
    sum->connections++;
    sum->connected += peer->state == PEER_CONNECTED;
    for (const struct transceiver *at = NULL; (at = peer_next(peer, at));) {
        const struct track *track = at->receiving;
        sum->subscriptions += at->subscription != NULL;
        sum->tracks += track != NULL;
        for (unsigned i = 0; track && i < track->encoding_count; i++)
            sum->in_bps += track->encodings[i]->bps;
    }
}

void media_sum_write(struct json_writer *writer, const struct media_sum *sum)
{
    put_number(writer, "connections", sum->connections);
    put_number(writer, "connected", sum->connected);
    put_number(writer, "tracks", sum->tracks);
    put_number(writer, "subscriptions", sum->subscriptions);
    put_number(writer, "in_bps", sum->in_bps);
}

/* ---- its way ---- */

static const char *profile_of(const struct rtc_transport *transport)
{
    switch (transport->has_dtls ? dtls_srtp_profile(&transport->dtls) : 0) {
    case SECURE_AES128_CM_HMAC_SHA1_80:
        return "AES_CM_128_HMAC_SHA1_80";
    case SECURE_AES128_CM_HMAC_SHA1_32:
        return "AES_CM_128_HMAC_SHA1_32";
    case SECURE_AEAD_AES_128_GCM:
        return "AEAD_AES_128_GCM";
    case SECURE_AEAD_AES_256_GCM:
        return "AEAD_AES_256_GCM";
    default:
        return NULL;
    }
}

static void put_way(struct json_writer *writer, const struct rtc_transport *transport)
{
    const char *profile = profile_of(transport);
    if (transport->has_way) {
        put_text(writer, "ice", transport->way.stream == ICE_UDP ? VIEW("udp") : VIEW("tcp"));
        put_address(writer, "remote", &transport->way.remote);
        put_address(writer, "local", &transport->way.local);
    }
    if (transport->has_remote)
        put_text(writer, "dtls",
                 transport->remote.setup == RTC_PASSIVE ? VIEW("server") : VIEW("client"));
    if (profile)
        put_text(writer, "srtp", view_of(profile));
}

/* ---- what it publishes ---- */

static struct view source_of(const struct peer *peer, const struct track *track)
{
    const struct media_owner *owner = peer->owner;
    return owner->source ? owner->source(peer, track) : view_make(NULL, 0);
}

static void put_kind(struct json_writer *writer, const struct transceiver *transceiver)
{
    put_text(writer, "mid", transceiver_mid(transceiver));
    put_text(writer, "kind", transceiver->is_video ? VIEW("video") : VIEW("audio"));
}

static void put_codec(struct json_writer *writer, const struct encoding *encoding)
{
    const struct packet_ring *ring = &encoding->stream.ring;
    const struct packet *last = ring->arrived ? packet_ring_arrival(ring, ring->arrived - 1) : NULL;
    if (last && last->format < encoding->track->terms.format_count)
        put_text(writer, "codec", payload_name(encoding->track->terms.formats[last->format].codec));
}

static void put_encoding(struct json_writer *writer, const struct encoding *encoding)
{
    const struct reception *reception = &encoding->stream.reception;
    json_open(writer, '{');
    put_number(writer, "ssrc", encoding->ssrc);
    if (encoding->rtx_ssrc)
        put_number(writer, "rtx_ssrc", encoding->rtx_ssrc);
    if (encoding->rid_size)
        put_text(writer, "rid", view_make(encoding->rid, encoding->rid_size));
    if (encoding->memory) {
        put_codec(writer, encoding);
        put_number(writer, "packets", reception->packets);
        put_number(writer, "bytes", reception->bytes);
        put_number(writer, "bps", encoding->bps);
        put_number(writer, "lost", reception_lost(reception));
        put_number(writer, "jitter_us", usec_of(reception->jitter >> 4, reception->clock_rate));
        put_number(writer, "nacks", encoding->nacks);
        if (encoding->track->is_video) {
            put_number(writer, "key_frames", encoding->key_frames);
            put_number(writer, "key_requests", encoding->key_asks);
        }
    }
    json_close(writer, '}');
}

static void put_track(struct json_writer *writer, const struct transceiver *transceiver)
{
    const struct track *track = transceiver->receiving;
    struct view source = source_of(transceiver->peer, track);
    json_open(writer, '{');
    put_kind(writer, transceiver);
    if (source.size)
        put_text(writer, "source", source);
    put_number(writer, "subscribers", track->subscriber_count);
    json_key(writer, "encodings");
    json_open(writer, '[');
    for (unsigned i = 0; i < track->encoding_count; i++)
        put_encoding(writer, track->encodings[i]);
    json_close(writer, ']');
    json_close(writer, '}');
}

/* ---- what it is sent ---- */

static void put_from(struct json_writer *writer, const struct track *track)
{
    const struct transceiver *from = transceiver_of(track);
    struct media_name name;
    if (!from || !media_name(from->peer, &name))
        return;
    struct view source = source_of(from->peer, track);
    put_text(writer, "from", view_make(name.id, name.id_size));
    if (source.size)
        put_text(writer, "source", source);
}

static void put_subscription(struct json_writer *writer, const struct transceiver *transceiver)
{
    const struct sender *sender = &transceiver->sender;
    const struct peer_feedback *feedback = &transceiver->feedback;
    json_open(writer, '{');
    put_kind(writer, transceiver);
    put_from(writer, transceiver->subscription);
    put_bool(writer, "paused", transceiver->is_paused);
    if (transceiver->is_announced) {
        put_number(writer, "ssrc", sender->config.ssrc);
        put_bool(writer, "waiting", sender->is_waiting);
        if (sender_stream(sender))
            put_number(writer, "of_ssrc", sender_stream(sender)->ssrc);
        put_number(writer, "packets", sender->packets);
        put_number(writer, "bytes", sender->bytes);
        put_number(writer, "repeated", sender->repeated);
        put_number(writer, "not_repeated", sender->not_repeated);
        put_part(writer, "fraction_lost", feedback->fraction_lost * 1000u / 256);
        put_number(writer, "lost", feedback->lost);
        put_number(writer, "jitter_us", usec_of(feedback->jitter, sender->config.clock_rate));
        put_number(writer, "nacks", feedback->nacks);
        if (transceiver->is_video)
            put_number(writer, "key_requests", feedback->key_requests);
    }
    json_close(writer, '}');
}

/* ---- rows: all tracks, then all subscriptions ---- */

struct list_kind {
    const char *name;
    bool (*has)(const struct transceiver *transceiver);
    void (*put)(struct json_writer *writer, const struct transceiver *transceiver);
};

static bool has_track(const struct transceiver *transceiver)
{
    return transceiver->receiving != NULL;
}

static bool has_subscription(const struct transceiver *transceiver)
{
    return transceiver->subscription != NULL;
}

static const struct list_kind LISTS[] = {
    { "tracks", has_track, put_track },
    { "subscriptions", has_subscription, put_subscription },
};

/* Writes the rows of one list, the first of which has the number `row`.  False: not all. */
static bool put_rows(struct json_writer *writer, const struct peer *peer,
                     const struct list_kind *list, uint32_t row, struct media_rows *rows)
{
    for (const struct transceiver *at = NULL; (at = peer_next(peer, at)); row++) {
        if (row < rows->at || !list->has(at))
            continue;
        if (rows->left == 0 || writer->size + MEDIA_REPORT_ROW_MAX > writer->capacity) {
            rows->at = row;
            return false;
        }
        list->put(writer, at);
        rows->left--;
    }
    return true;
}

/* What its line takes, as far as is known. */
static void put_estimate(struct json_writer *writer, usec now, const struct peer *peer)
{
    struct bwe_estimate estimate;
    if (!peer_estimate(peer, now, &estimate))
        return;
    json_key(writer, "estimate");
    json_open(writer, '{');
    put_number(writer, "bps", estimate.target_bps);
    put_text(writer, "limit", view_of(bwe_limit_name(estimate.limit)));
    put_number(writer, "sent_bps", estimate.sent_bps);
    if (estimate.acknowledged_bps)
        put_number(writer, "acknowledged_bps", estimate.acknowledged_bps);
    put_part(writer, "loss", (unsigned)(estimate.loss * 1000));
    put_bool(writer, "feedback", estimate.has_feedback);
    put_number(writer, "probes", estimate.probes);
    put_number(writer, "probes_well", estimate.probes_well);
    json_close(writer, '}');
}

bool media_report(struct json_writer *writer, usec now, const struct peer *peer,
                  struct media_rows *rows)
{
    static const struct view STATES[] = { VIEW("new"), VIEW("connected"), VIEW("ended") };
    bool is_all = true;
    json_open(writer, '{');
    put_text(writer, "state", STATES[peer->state]);
    put_number(writer, "seconds", now > peer->since ? (now - peer->since) / USEC_S : 0);
    put_way(writer, peer->transport);
    if (peer->round_trip)
        put_number(writer, "round_trip_us", peer->round_trip);
    if (peer->remb_bps)
        put_number(writer, "remb_bps", peer->remb_bps);
    if (peer->remb && peer->remb->told_bps > 0)
        put_number(writer, "remb_told_bps", (uint64_t)peer->remb->told_bps);
    put_estimate(writer, now, peer);
    for (uint32_t i = 0; i < sizeof LISTS / sizeof LISTS[0]; i++) {
        json_key(writer, LISTS[i].name);
        json_open(writer, '[');
        if (is_all)
            is_all = put_rows(writer, peer, &LISTS[i], i * peer->transceiver_count, rows);
        json_close(writer, ']');
    }
    json_close(writer, '}');
    if (is_all)
        rows->at = 0;
    return is_all;
}
