#include "media/peer.h"

#include <assert.h>

#include "media/peer_inside.h"

void peer_touch(struct peer *peer)
{
    if (list_empty(&peer->touched))
        list_append(&peer->sfu->touched, &peer->touched);
}

uint32_t peer_random(struct peer *peer)
{
    uint32_t number;
    do
        random_fill(peer->sfu->config.random, &number, sizeof number);
    while (number == 0);
    return number;
}

/* ---- peers ---- */

static void init_lists(struct peer *peer)
{
    list_init(&peer->of_sfu);
    list_init(&peer->news);
    list_init(&peer->touched);
    list_init(&peer->shared);
    list_init(&peer->wanted);
    list_init(&peer->pacer.node);
    peer->pacer.callers = &peer->sfu->pacing;
    list_init(&peer->transceivers);
}

int peer_open(struct sfu *sfu, usec now, const struct peer_config *config, struct peer **out)
{
    uint64_t session_id;
    struct peer *peer = pool_take(&sfu->peers);
    if (!peer)
        return ERR_LIMIT;
    *peer = (struct peer){ .owner = config->owner,
                           .sfu = sfu,
                           .report_at = USEC_NEVER,
                           .allocate_at = USEC_NEVER,
                           .may_join = config->may_join,
                           .since = now };
    init_lists(peer); /* before it fails: sfu_next looks at what is given back, too */
    int status = rtc_open(sfu->config.rtc, now, peer, &peer->transport);
    if (status != OK) {
        pool_give(&sfu->peers, peer);
        return status;
    }
    peer->ssrc = peer_random(peer);
    random_fill(sfu->config.random, &session_id, sizeof session_id);
    negotiation_init(&peer->negotiation, config->policy, peer->sections, PEER_SECTIONS_FIRST,
                     session_id >> 2, config->is_polite);
    list_append(&sfu->all, &peer->of_sfu);
    metrics_add(sfu->metrics, METRIC_MEDIA_PEERS, 1);
    *out = peer;
    return OK;
}

void peer_count_end(struct peer *peer)
{
    struct metrics *metrics = peer->sfu->metrics;
    switch (peer->end) {
    case RTC_END_CLOSED:
    case RTC_END_BY_PEER:
        metrics_add(metrics, METRIC_MEDIA_ENDED_CLOSED, 1);
        break;
    case RTC_END_NO_CONSENT:
        metrics_add(metrics, METRIC_MEDIA_ENDED_LOST, 1);
        break;
    case RTC_END_TIMEOUT:
        metrics_add(metrics, METRIC_MEDIA_ENDED_TIMEOUT, 1);
        break;
    default:
        metrics_add(metrics, METRIC_MEDIA_ENDED_FAILED, 1);
        break;
    }
    if (peer->is_counted)
        metrics_subtract(metrics, peer_connected_metric(peer), 1);
    peer->is_counted = false;
}

void peer_close(struct peer *peer, usec now)
{
    struct sfu *sfu = peer->sfu;
    if (peer->state != PEER_ENDED) {
        peer->end = RTC_END_CLOSED;
        peer_count_end(peer);
    }
    peer_end_data(peer, now);
    while (!list_empty(&peer->transceivers))
        transceiver_close(LIST_ENTRY(peer->transceivers.next, struct transceiver, of_peer));
    rtc_close(sfu->config.rtc, now, peer->transport);
    wheel_cancel(&sfu->wheel, &peer->timer);
    wheel_cancel(&sfu->calm, &peer->calm);
    list_remove(&peer->of_sfu);
    list_remove(&peer->news);
    list_remove(&peer->touched);
    list_remove(&peer->shared);
    list_remove(&peer->wanted);
    list_remove(&peer->pacer.node);
    pool_give(&sfu->arrivals, peer->arrivals);
    pool_give(&sfu->rembs, peer->remb);
    if (peer->bwe)
        bwe_history_free(&peer->bwe->history);
    pool_give(&sfu->estimates, peer->bwe);
    peer_free_sections(peer);
    pool_give(&sfu->peers, peer);
    metrics_subtract(sfu->metrics, METRIC_MEDIA_PEERS, 1);
}

bool peer_estimate(const struct peer *peer, usec now, struct bwe_estimate *out)
{
    if (peer->bwe)
        bwe_estimate(peer->bwe, now, out);
    return peer->bwe != NULL;
}

/* ---- transceivers ---- */

struct transceiver *transceiver_open(struct peer *peer, bool is_video)
{
    struct transceiver *transceiver = pool_take(&peer->sfu->transceivers);
    if (!transceiver)
        return NULL;
    transceiver->peer = peer;
    transceiver->is_video = is_video;
    transceiver->subscriber.kind = &transceiver_subscriber;
    transceiver->target = LAYER_TARGET_BEST;
    transceiver->wish.width = transceiver->wish.height = ALLOCATION_ANY_SIZE;
    list_append(&peer->transceivers, &transceiver->of_peer);
    peer->transceiver_count++;
    return transceiver;
}

static void forget_repeats(struct sfu *sfu, const struct transceiver *transceiver)
{
    for (uint32_t i = 0; i < sfu->repeat_count; i++)
        if (sfu->repeats[i].transceiver == transceiver)
            sfu->repeats[i].transceiver = NULL;
}

void transceiver_close(struct transceiver *transceiver)
{
    struct peer *peer = transceiver->peer;
    int status = transceiver_subscribe(transceiver, peer->sfu->now, NULL);
    assert(status == OK);
    (void)status;
    if (transceiver->is_announced)
        sender_free(&transceiver->sender);
    transceiver_end_track(transceiver);
    forget_repeats(peer->sfu, transceiver);
    list_remove(&transceiver->of_peer);
    peer->transceiver_count--;
    pool_give(&peer->sfu->transceivers, transceiver);
}

struct transceiver *peer_next(const struct peer *peer, const struct transceiver *after)
{
    const struct list *node = after ? after->of_peer.next : peer->transceivers.next;
    return node == &peer->transceivers ? NULL : LIST_ENTRY(node, struct transceiver, of_peer);
}

struct transceiver *peer_find_mid(const struct peer *peer, struct view mid)
{
    struct transceiver *at = NULL;
    while ((at = peer_next(peer, at)) && !view_equal(transceiver_mid(at), mid))
        continue;
    return at;
}

/* ---- what comes in ---- */

static void wake(struct track *track)
{
    struct transceiver *transceiver = track->source;
    peer_touch(transceiver->peer);
}

static bool wanted(struct track *track)
{
    struct peer *peer = ((struct transceiver *)track->source)->peer;
    if (list_empty(&peer->wanted))
        list_append(&peer->sfu->wanted, &peer->wanted);
    peer_touch(peer); /* who waits for a key frame of what begins again */
    return true;
}

static const struct track_kind KIND = { .wake = wake,
                                        .wanted = wanted,
                                        .patience = WANTED_PATIENCE };

struct transceiver *transceiver_of(const struct track *track)
{
    return track->kind == &KIND ? track->source : NULL;
}

struct track *transceiver_receive(struct transceiver *transceiver)
{
    if (!transceiver->receiving)
        transceiver->receiving = track_open(&transceiver->peer->sfu->tracks, &KIND, transceiver,
                                            transceiver->is_video, &transceiver->terms);
    if (transceiver->receiving) /* what was told of another one is not true of it */
        (void)wanted(transceiver->receiving);
    return transceiver->receiving;
}

int transceiver_add_encoding(struct transceiver *transceiver, uint32_t ssrc, uint32_t rtx_ssrc,
                             struct view rid)
{
    struct peer *peer = transceiver->peer;
    struct encoding *encoding;
    if (peer->encoding_count == PEER_ENCODINGS_MAX)
        return ERR_LIMIT;
    int status = track_add_encoding(transceiver->receiving, ssrc, rtx_ssrc, rid, &encoding);
    if (status == OK)
        peer->encodings[peer->encoding_count++] = encoding;
    return status;
}

void transceiver_end_track(struct transceiver *transceiver)
{
    struct track *track = transceiver->receiving;
    struct peer *peer = transceiver->peer;
    uint8_t kept = 0;
    if (!track)
        return;
    for (uint8_t i = 0; i < peer->encoding_count; i++)
        if (peer->encodings[i]->track != track)
            peer->encodings[kept++] = peer->encodings[i];
    peer->encoding_count = kept;
    transceiver->receiving = NULL;
    track_close(track, peer->sfu->now);
}
