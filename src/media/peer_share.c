/* How the line to a peer is shared among what goes out on its transceivers. */
#include "media/peer_inside.h"

#define SHARE_EACH   (100 * USEC_MS) /* at most */
#define SHARE_ANYWAY (500 * USEC_MS) /* at least: what layers cost changes by itself */

/* What layers cost is looked at so often, and smoothed: the first second behind a key frame costs
 * more than those after it, and is no reason to go down.  But where it has become far more, as with
 * an encoder that has only just begun, it is that, but for a part. */
#define COSTS_EACH   (200 * USEC_MS)
#define COSTS_SMOOTH (1600 * USEC_MS)
#define COSTS_RISEN  5 /* ... for a fifth */

#define LOSES 0.1 /* of the packets of the last seconds: that is much */

#define NOTICED   32                  /* the part by which an estimate must be another one */
#define BROKEN_IN 4                   /* ... by that part lower: it is shared anew at once */
#define NO_BUDGET ((uint64_t)1 << 40) /* bits/s */

/* ---- what layers cost ---- */

static const struct layer *find_layer(const struct layer *layers, uint32_t count,
                                      const struct layer *wanted)
{
    for (uint32_t i = 0; i < count; i++)
        if (layers[i].encoding == wanted->encoding && layers[i].spatial == wanted->spatial &&
            layers[i].temporal == wanted->temporal)
            return &layers[i];
    return NULL;
}

static uint64_t smooth(uint64_t before, uint64_t bps, usec passed)
{
    uint64_t least = bps - bps / COSTS_RISEN;
    if (passed >= COSTS_SMOOTH)
        return bps;
    uint64_t mean = (before * (COSTS_SMOOTH - passed) + bps * passed) / COSTS_SMOOTH;
    return mean > least ? mean : least;
}

/* All that a track can be had as goes by these, for all who receive it. */
static void look_at_layers(struct track *track, usec now)
{
    struct layer layers[LAYERS_MAX];
    usec passed = now - track->layers_at;
    if (track->layers_at > 0 && passed < COSTS_EACH)
        return;
    uint32_t count = track_layers(track, now, layers, LAYERS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const struct layer *before = find_layer(track->layers, track->layer_count, &layers[i]);
        if (before)
            layers[i].bps = smooth(before->bps, layers[i].bps, passed);
    }
    for (uint32_t i = 0; i < count; i++)
        track->layers[i] = layers[i];
    track->layer_count = count;
    track->layers_at = now;
}

/* ---- the tracks ---- */

bool transceiver_has_share(const struct transceiver *transceiver)
{
    return transceiver->subscription && transceiver->is_announced && transceiver->is_agreed &&
           transceiver->may_send;
}

/* Those that can go out to it at all. */
static uint64_t may_have(const struct transceiver *transceiver)
{
    const struct track *track = transceiver->subscription;
    uint64_t layers = ALLOCATION_ANY_LAYER;
    for (unsigned i = 0; transceiver->sender.has_one_size && i < track->layer_count; i++)
        if (track->layers[i].spatial > 0)
            layers &= ~((uint64_t)1 << i);
    return layers;
}

static void describe(const struct transceiver *transceiver, struct allocation_track *out)
{
    const struct track *track = transceiver->subscription;
    *out = (struct allocation_track){
        .is_audio = !transceiver->is_video,
        .is_paused = transceiver->is_paused,
        .is_left_out = transceiver_is_left_out(&transceiver->wish),
        .priority = transceiver->wish.priority,
        .width = transceiver->wish.width,
        .height = transceiver->wish.height,
        .may_have = may_have(transceiver),
        .layer_count = (uint8_t)track->layer_count,
        .layers = track->layers,
        .held = transceiver->share.held,
    };
    out->is_left_out |= transceiver->share.is_unheard;
}

static uint32_t gather(struct peer *peer, usec now)
{
    struct sfu_shares *shares = peer->sfu->shares;
    uint32_t count = 0;
    for (struct transceiver *at = NULL; (at = peer_next(peer, at));)
        if (transceiver_has_share(at))
            look_at_layers(at->subscription, now);
    peer_sound(peer, now);
    for (struct transceiver *at = NULL; (at = peer_next(peer, at));) {
        if (!transceiver_has_share(at) || count == ALLOCATION_TRACKS_MAX)
            continue;
        describe(at, &shares->tracks[count]);
        shares->transceivers[count++] = at;
    }
    return count;
}

/* ---- what comes of it ---- */

/* The best of all is the track's to say, who knows what is hardly better. */
static struct layer_target target_of(const struct allocation_track *track)
{
    const struct layer *layer = &track->layers[track->layer];
    if (track->reason == ALLOCATION_FULL)
        return LAYER_TARGET_BEST;
    return (struct layer_target){ layer->encoding, layer->spatial, layer->temporal };
}

static bool is_same_target(struct layer_target a, struct layer_target b)
{
    return a.encoding == b.encoding && a.spatial == b.spatial && a.temporal == b.temporal;
}

/* What nobody wants is not even sent: of that the allocation knows nothing. */
static uint8_t reason_of(const struct transceiver *transceiver,
                         const struct allocation_track *track)
{
    if (track->reason != ALLOCATION_FULL || track->layer == ALLOCATION_NONE)
        return track->reason;
    const struct layer *layer = &track->layers[track->layer];
    uint64_t area = (uint64_t)layer->width * layer->height;
    bool is_more = area > 0 && wanted_could_be_more(transceiver->subscription, area);
    return is_more ? ALLOCATION_WINDOW : ALLOCATION_FULL;
}

/* True: something is another than it was. */
static bool take(struct transceiver *transceiver, usec now, const struct allocation_track *track)
{
    struct transceiver_share *share = &transceiver->share;
    const struct transceiver_share before = *share;
    bool has_layer = track->layer != ALLOCATION_NONE;
    share->held = track->held;
    share->reason = reason_of(transceiver, track);
    share->is_held_back = track->reason == ALLOCATION_HIDDEN ||
                          track->reason == ALLOCATION_LAST_N ||
                          (track->reason == ALLOCATION_BANDWIDTH && !has_layer);
    if (has_layer)
        share->layer = track->layers[track->layer];
    if (has_layer && transceiver->is_video && !transceiver->is_layer_fixed &&
        !is_same_target(transceiver->target, target_of(track)))
        transceiver_aim_at(transceiver, now, target_of(track));
    if (share->is_held_back != before.is_held_back)
        transceiver_settle_pause(transceiver);
    return share->reason != before.reason || share->is_held_back != before.is_held_back ||
           (has_layer && !find_layer(&before.layer, 1, &share->layer));
}

/* What its line is known to take by the other end's own word.  0: it says nothing of it. */
static uint64_t line_of(const struct peer *peer, usec now, bool *loses)
{
    struct bwe_estimate estimate;
    *loses = false;
    if (!peer_estimate(peer, now, &estimate) || !(estimate.has_feedback || peer->remb_bps > 0))
        return 0;
    *loses = estimate.loss > LOSES;
    return estimate.target_bps;
}

/* What is given in patience is not left to wait. */
static void pace_line(struct peer *peer, usec now)
{
    uint64_t given = peer->allocation.given_bps;
    if (peer->line_bps > 0)
        pacer_set_line(&peer->pacer, now, peer->line_bps > given ? peer->line_bps : given);
}

/* Whether it is another one, and not just by a little. */
static bool is_noticed(uint64_t before, uint64_t bps)
{
    return bps != before && (bps >= before + before / NOTICED || bps + before / NOTICED <= before);
}

/* Hears what has become of the estimate. */
static void look_at_line(struct peer *peer, usec now)
{
    uint64_t before = peer->line_bps;
    if (!peer->bwe)
        return;
    uint64_t bps = line_of(peer, now, &peer->allocation.loses);
    if (!is_noticed(before, bps))
        return;
    peer->line_bps = bps;
    if (bps >= before - before / BROKEN_IN) {
        pace_line(peer, now);
        peer_share_soon(peer, now);
        return;
    }
    pacer_set_line(&peer->pacer, now, bps);
    pacer_hold(&peer->pacer, now, bwe_queue(peer->bwe));
    peer->allocate_at = now;
}

void peer_hear_line(struct peer *peer)
{
    if (is_noticed(peer->line_bps, bwe_target_bps(peer->bwe)))
        peer_touch(peer);
}

/* What its line need take for more to go out: for the next rise, or for half as much again, where
 * there are many small ones.  To try for all that there is, before a line has shown that it may
 * take it, would only disturb what goes. */
static void want_more(struct peer *peer, usec now)
{
    const struct allocation *allocation = &peer->allocation;
    uint64_t most = allocation->wanted_bps + allocation->wanted_bps / (ALLOCATION_ROOM - 1);
    uint64_t more = allocation->given_bps + allocation->given_bps / 2;
    more += more / (ALLOCATION_ROOM - 1);
    if (more > most)
        more = most;
    bwe_want(peer->bwe, now, more > allocation->next_bps ? more : allocation->next_bps, most);
}

void peer_share(struct peer *peer, usec now)
{
    look_at_line(peer, now);
    struct sfu_shares *shares = peer->sfu->shares;
    bool has_changed = false;
    if (now < peer->allocate_at)
        return;
    uint32_t count = gather(peer, now);
    allocation_run(&peer->allocation, now, peer->line_bps ? peer->line_bps : NO_BUDGET,
                   shares->tracks, count);
    pace_line(peer, now);
    for (uint32_t i = 0; i < count; i++)
        has_changed |= take(shares->transceivers[i], now, &shares->tracks[i]);
    if (has_changed && list_empty(&peer->shared))
        list_append(&peer->sfu->shared, &peer->shared);
    if (peer->bwe)
        want_more(peer, now);
    usec until = peer->allocation.until;
    peer->allocated_at = now;
    peer->allocate_at = USEC_NEVER;
    if (count > 0)
        peer->allocate_at = until < now + SHARE_ANYWAY ? until : now + SHARE_ANYWAY;
}

/* ---- when ---- */

void peer_share_soon(struct peer *peer, usec now)
{
    usec at = peer->allocated_at > 0 ? peer->allocated_at + SHARE_EACH : now;
    if (at < now)
        at = now;
    if (peer->allocate_at <= at)
        return;
    peer->allocate_at = at;
    peer_touch(peer);
}

void transceiver_share_anew(struct transceiver *transceiver, usec now)
{
    const struct transceiver_wish *wish = &transceiver->wish;
    bool is_hidden = wish->width == 0 || wish->height == 0;
    transceiver->share = (struct transceiver_share){
        .reason = ALLOCATION_FULL,
        .is_held_back = transceiver_is_left_out(wish) || (transceiver->is_video && is_hidden),
    };
    transceiver_settle_pause(transceiver);
    peer_share_soon(transceiver->peer, now);
}

void transceiver_want(struct transceiver *transceiver, usec now,
                      const struct transceiver_wish *wish)
{
    transceiver->wish = *wish;
    if (transceiver->subscription)
        wanted_look(transceiver->subscription);
    peer_share_soon(transceiver->peer, now);
}
