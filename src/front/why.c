#include "front/why.h"

#include "front/media_report.h"
#include "front/put.h"

#include <assert.h>
#include <string.h>

/* ---- figures ---- */

void why_measure(const struct track *track, usec now, struct verdict_source *out)
{
    struct layer layers[LAYERS_MAX];
    const struct transceiver *from = transceiver_of(track);
    if (!from)
        return;
    out->is_known = true;
    out->encodings = track->encoding_count;
    out->round_trip = from->peer->round_trip;
    for (uint8_t i = 0; i < track->encoding_count; i++) {
        const struct encoding *encoding = track->encodings[i];
        const struct reception *reception = &encoding->stream.reception;
        if (!encoding_is_heard(encoding, now)) {
            if (!wanted_has(&track->wanted, i))
                out->unwanted++;
            continue;
        }
        uint16_t loss = (uint16_t)(encoding->loss * 1000u >> 16);
        uint64_t jitter =
            reception->clock_rate ? (reception->jitter >> 4) * USEC_S / reception->clock_rate : 0;
        out->active++;
        out->bps += encoding->bps;
        out->loss = loss > out->loss ? loss : out->loss;
        if (jitter > out->jitter_us)
            out->jitter_us = jitter < UINT32_MAX ? (uint32_t)jitter : UINT32_MAX;
    }
    uint32_t count = track_layers(track, now, layers, LAYERS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        out->fps = layers[i].fps > out->fps ? layers[i].fps : out->fps;
        out->width = layers[i].width > out->width ? layers[i].width : out->width;
        out->height = layers[i].height > out->height ? layers[i].height : out->height;
    }
}

static void look_at(const struct peer *peer, const struct track *track, usec now,
                    struct media_look *look)
{
    const struct media_owner *owner = peer->owner;
    const struct transceiver *from = transceiver_of(track);
    struct media_name name;
    *look = (struct media_look){ .id_size = 0 };
    why_measure(track, now, &look->how);
    if (from && media_name(from->peer, &name)) {
        const struct media_owner *theirs = from->peer->owner;
        look->id_size = name.id_size;
        memcpy(look->id, name.id, name.id_size);
        if (theirs->source)
            look->source = theirs->source(from->peer, track);
    }
    if (owner->look)
        owner->look(peer, track, look);
}

/* How long what is sent waits: here, and in the line, where the round trip is longer than it has
 * been of late. */
static usec queue_of(const struct peer *peer, usec now)
{
    const usec *least = peer->round_trips_least;
    usec trip = least[1] && (!least[0] || least[1] < least[0]) ? least[1] : least[0];
    usec line = trip && peer->round_trip > trip ? peer->round_trip - trip : 0;
    usec here = 0;
    for (const struct transceiver *at = NULL; (at = peer_next(peer, at));) {
        usec since = now;
        if (at->is_video && at->is_announced && sender_waits(&at->sender, &since) > 0 &&
            now - since > here)
            here = now - since;
    }
    return line + here;
}

/* What the line loses. By the packet is more exact, but over a long time where little is sent; what
 * reports say is fresh, but counts what was lost on the way here, too. */
static uint16_t loss_of(const struct peer *peer, const struct bwe_estimate *estimate)
{
    unsigned loss = (unsigned)(estimate->loss * 1000);
    unsigned told = 0;
    bool is_told = false;
    for (const struct transceiver *at = NULL; (at = peer_next(peer, at));) {
        unsigned own = at->feedback.loss * 1000u >> 16;
        if (!at->is_announced || at->feedback.highest == 0)
            continue;
        is_told = true;
        told = own > told ? own : told;
    }
    return (uint16_t)(is_told && told < loss ? told : loss);
}

static void look_at_line(const struct peer *peer, usec now, struct verdict_line *line)
{
    struct bwe_estimate estimate;
    *line = (struct verdict_line){ .round_trip = peer->round_trip, .queue = queue_of(peer, now) };
    line->given_bps = peer->allocation.given_bps;
    line->wanted_bps = peer->allocation.wanted_bps;
    line->is_followed = peer->line_bps > 0;
    if (!peer_estimate(peer, now, &estimate))
        return;
    line->is_known = estimate.has_feedback || peer->remb_bps > 0 || peer->round_trip > 0;
    line->limit = (uint8_t)estimate.limit;
    line->loss = loss_of(peer, &estimate);
    line->estimate_bps = estimate.target_bps;
    line->sent_bps = estimate.sent_bps;
}

/* ---- values ---- */

/* Where it is known. */
static void put_known(struct json_writer *writer, const char *key, uint64_t number)
{
    if (number > 0)
        put_number(writer, key, number);
}

static void put_verdict(struct json_writer *writer, const char *key, enum verdict verdict)
{
    put_text(writer, key, view_of(verdict_name(verdict)));
}

static void put_layer(struct json_writer *writer, const char *key, const struct layer *layer)
{
    json_key(writer, key);
    json_open(writer, '{');
    put_number(writer, "encoding", layer->encoding);
    put_number(writer, "spatial", layer->spatial);
    put_number(writer, "temporal", layer->temporal);
    put_known(writer, "width", layer->width);
    put_known(writer, "height", layer->height);
    put_known(writer, "fps", layer->fps);
    put_number(writer, "bps", layer->bps);
    json_close(writer, '}');
}

static void put_source(struct json_writer *writer, const struct verdict_source *source)
{
    put_text(writer, "limit", view_of(verdict_limit_name((enum verdict_limit)source->limit)));
    if (!source->is_known)
        return;
    put_number(writer, "encodings", source->encodings);
    put_number(writer, "active", source->active);
    put_known(writer, "unwanted", source->unwanted);
    put_known(writer, "width", source->width);
    put_known(writer, "height", source->height);
    put_known(writer, "fps", source->fps);
    put_number(writer, "bps", source->bps);
    put_part(writer, "loss", source->loss);
    put_number(writer, "jitter_us", source->jitter_us);
    put_known(writer, "round_trip_us", source->round_trip);
}

/* ---- a picture that it is sent ---- */

/* The least of what there is that is enough for the window, at all its frames; NULL: nothing. */
static const struct layer *wanted_of(const struct transceiver *transceiver)
{
    const struct track *track = transceiver->subscription;
    const struct transceiver_wish *wish = &transceiver->wish;
    const struct layer *wanted = NULL;
    uint64_t window = (uint64_t)wish->width * wish->height;
    bool is_any = wish->width == ALLOCATION_ANY_SIZE || wish->height == ALLOCATION_ANY_SIZE;
    for (uint32_t i = 0; i < track->layer_count; i++) {
        const struct layer *layer = &track->layers[i];
        uint64_t before = wanted ? (uint64_t)wanted->width * wanted->height : 0;
        uint64_t area = (uint64_t)layer->width * layer->height;
        if (!wanted || is_any || !allocation_is_enough(before, window, 0) || area <= before)
            wanted = layer;
    }
    return window > 0 ? wanted : NULL;
}

static void put_received(struct json_writer *writer, const struct transceiver *transceiver,
                         const struct media_look *look, enum verdict verdict)
{
    const struct transceiver_share *share = &transceiver->share;
    const struct transceiver_wish *wish = &transceiver->wish;
    const struct layer *wanted = wanted_of(transceiver);
    json_open(writer, '{');
    put_text(writer, "mid", transceiver_mid(transceiver));
    if (look->id_size)
        put_text(writer, "from", view_make(look->id, look->id_size));
    if (look->source.size)
        put_text(writer, "source", look->source);
    put_verdict(writer, "verdict", verdict);
    put_text(writer, "reason",
             view_of(allocation_reason_name((enum allocation_reason)share->reason)));
    if (share->reason == ALLOCATION_LAST_N)
        put_known(writer, "last_n", look->last_n);
    put_bool(writer, "on", !share->is_held_back && !transceiver->is_paused);
    put_bool(writer, "waiting", transceiver->sender.is_waiting);
    put_number(writer, "priority", wish->priority);
    if (wish->width != ALLOCATION_ANY_SIZE && wish->height != ALLOCATION_ANY_SIZE) {
        json_key(writer, "window");
        json_open(writer, '{');
        put_number(writer, "width", wish->width);
        put_number(writer, "height", wish->height);
        json_close(writer, '}');
    }
    if (!share->is_held_back && share->layer.bps > 0)
        put_layer(writer, "given", &share->layer);
    if (wanted)
        put_layer(writer, "wanted", wanted);
    json_key(writer, "publisher");
    json_open(writer, '{');
    put_source(writer, &look->how);
    json_close(writer, '}');
    json_close(writer, '}');
}

/* ---- all of them ---- */

struct why {
    struct json_writer *writer;
    usec now;
    size_t begin;
    size_t room; /* for rows */
    unsigned rows;
    unsigned left_out;
    enum verdict received;
    enum verdict sent;
    struct verdict_line line; /* the one of which most is known */
};

static bool has_place(struct why *why)
{
    bool has = why->rows < WHY_ROWS_MAX && why->writer->size - why->begin + WHY_ROW_MAX < why->room;
    why->rows += has;
    why->left_out += !has;
    return has;
}

static void add_received(struct why *why, const struct peer *peer)
{
    struct verdict_line line;
    look_at_line(peer, why->now, &line);
    if (!why->line.is_known || line.given_bps > why->line.given_bps)
        why->line = line;
    for (const struct transceiver *at = NULL; (at = peer_next(peer, at));) {
        struct media_look look;
        if (!at->is_video || !at->subscription || !at->is_announced)
            continue;
        look_at(peer, at->subscription, why->now, &look);
        const struct verdict_picture picture = { at->share.reason, look.how };
        enum verdict verdict = verdict_of_picture(&picture, &line);
        why->received = verdict_graver(why->received, verdict);
        if (has_place(why))
            put_received(why->writer, at, &look, verdict);
    }
    /* what is heard goes over the same line */
    if (line.given_bps > 0)
        why->received = verdict_graver(why->received, verdict_of_line(&line));
}

static void add_sent(struct why *why, const struct peer *peer)
{
    struct json_writer *writer = why->writer;
    for (const struct transceiver *at = NULL; (at = peer_next(peer, at));) {
        struct media_look look;
        if (!at->is_video || !at->receiving)
            continue;
        look_at(peer, at->receiving, why->now, &look);
        enum verdict verdict = verdict_of_source(&look.how);
        why->sent = verdict_graver(why->sent, verdict);
        if (!has_place(why))
            continue;
        json_open(writer, '{');
        put_text(writer, "mid", transceiver_mid(at));
        if (look.source.size)
            put_text(writer, "source", look.source);
        put_verdict(writer, "verdict", verdict);
        put_number(writer, "subscribers", at->receiving->subscriber_count);
        put_source(writer, &look.how);
        json_close(writer, '}');
    }
}

static void put_line(struct json_writer *writer, const struct verdict_line *line)
{
    json_key(writer, "line");
    json_open(writer, '{');
    put_text(writer, "limit", view_of(bwe_limit_name((enum bwe_limit)line->limit)));
    put_bool(writer, "followed", line->is_followed);
    put_known(writer, "estimate_bps", line->estimate_bps);
    put_number(writer, "sent_bps", line->sent_bps);
    put_number(writer, "given_bps", line->given_bps);
    put_number(writer, "wanted_bps", line->wanted_bps);
    put_part(writer, "loss", line->loss);
    put_known(writer, "round_trip_us", line->round_trip);
    put_number(writer, "queue_us", line->queue);
    json_close(writer, '}');
}

void why_write(struct json_writer *writer, usec now, const struct peer *const *peers, size_t count)
{
    struct why why = {
        .writer = writer, .now = now, .begin = writer->size, .room = WHY_TEXT_MAX - WHY_ROW_MAX
    }; /* what follows them is less */
    assert(writer->size + WHY_TEXT_MAX <= writer->capacity);
    json_key(writer, "received");
    json_open(writer, '[');
    for (size_t i = 0; i < count; i++)
        add_received(&why, peers[i]);
    json_close(writer, ']');
    why.rows = 0;
    json_key(writer, "sent");
    json_open(writer, '[');
    for (size_t i = 0; i < count; i++)
        add_sent(&why, peers[i]);
    json_close(writer, ']');
    if (why.left_out > 0)
        put_number(writer, "left_out", why.left_out);
    if (count > 0)
        put_line(writer, &why.line);
    put_verdict(writer, "receiving", why.received);
    put_verdict(writer, "sending", why.sent);
    put_verdict(writer, "verdict", verdict_graver(why.received, why.sent));
}
