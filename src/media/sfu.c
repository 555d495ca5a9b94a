#include "media/sfu.h"

#include <stdlib.h>

#include "media/peer_inside.h"

#define CHANNELS_EACH 4 /* of a peer, on the average */
#define MESSAGES_MAX  8192
#define CHUNKS_MAX    32768

static int init_data(struct sfu *sfu, const struct sfu_config *config, usec now)
{
    const struct sctp_config sctp = {
        .buffers = config->buffers,
        .random = config->random,
        .metrics = config->metrics,
        .associations_max = config->peers_max,
        .channels_max = config->peers_max * CHANNELS_EACH,
        .messages_max = MESSAGES_MAX,
        .chunks_max = CHUNKS_MAX,
        .pieces_max = CHUNKS_MAX,
        .message_max = SFU_MESSAGE_MAX,
        .receive_max = 2 * SFU_MESSAGE_MAX,
        .send_max = 2 * SFU_MESSAGE_MAX,
    };
    sfu->data_until = sfu->held_until = USEC_NEVER;
    return config->buffers ? sctp_init(&sfu->sctp, &sctp, now) : OK;
}

static int init_pools(struct sfu *sfu, const struct sfu_config *config)
{
    int status = pool_init(&sfu->peers, sizeof(struct peer), config->peers_max);
    if (status == OK)
        status =
            pool_init(&sfu->transceivers, sizeof(struct transceiver), config->transceivers_max);
    if (status == OK)
        status = pool_init(&sfu->arrivals, sizeof(struct arrivals), config->peers_max);
    if (status == OK)
        status = pool_init(&sfu->rembs, sizeof(struct remb), config->peers_max);
    if (status == OK)
        status = pool_init(&sfu->estimates, sizeof(struct bwe), config->peers_max);
    if (status == OK)
        status = pool_init(&sfu->histories, sizeof(struct bwe_more), config->peers_max);
    if (status == OK)
        status = pool_init(&sfu->data_far, data_far_size(), config->peers_max);
    if (status == OK)
        status = tracks_init(&sfu->tracks, config->tracks_max, config->metrics);
    return status;
}

int sfu_init(struct sfu *sfu, const struct sfu_config *config, usec now)
{
    *sfu = (struct sfu){ .config = *config, .metrics = config->metrics, .now = now };
    wheel_init(&sfu->wheel, now);
    wheel_init(&sfu->calm, now);
    list_init(&sfu->all);
    list_init(&sfu->touched);
    list_init(&sfu->news);
    list_init(&sfu->shared);
    list_init(&sfu->waking);
    list_init(&sfu->wanted);
    list_init(&sfu->pacing);
    sfu->sdp = malloc(sizeof *sfu->sdp);
    sfu->description = malloc(sizeof *sfu->description);
    sfu->shares = malloc(sizeof *sfu->shares);
    int status = sfu->sdp && sfu->description && sfu->shares ? init_pools(sfu, config) : ERR_MEMORY;
    if (status == OK)
        status = init_data(sfu, &sfu->config, now);
    if (status == OK)
        return OK;
    if (sfu->tracks.tracks.items)
        tracks_free(&sfu->tracks);
    pool_free(&sfu->histories);
    pool_free(&sfu->estimates);
    pool_free(&sfu->data_far);
    pool_free(&sfu->rembs);
    pool_free(&sfu->arrivals);
    pool_free(&sfu->transceivers);
    pool_free(&sfu->peers);
    free(sfu->shares);
    free(sfu->description);
    free(sfu->sdp);
    return status;
}

void sfu_free(struct sfu *sfu)
{
    while (!list_empty(&sfu->all))
        peer_close(LIST_ENTRY(sfu->all.next, struct peer, of_sfu), sfu->now);
    if (sfu->config.buffers)
        sctp_free(&sfu->sctp);
    tracks_free(&sfu->tracks);
    pool_free(&sfu->histories);
    pool_free(&sfu->estimates);
    pool_free(&sfu->data_far);
    pool_free(&sfu->rembs);
    pool_free(&sfu->arrivals);
    pool_free(&sfu->transceivers);
    pool_free(&sfu->peers);
    free(sfu->shares);
    free(sfu->description);
    free(sfu->sdp);
}

/* ---- in ---- */

static void change(struct peer *peer, enum peer_state state)
{
    peer->state = (uint8_t)state;
    if (list_empty(&peer->news))
        list_append(&peer->sfu->news, &peer->news);
}

static void connected(struct peer *peer, usec now)
{
    peer->is_counted = true;
    peer->is_tcp = peer->transport->way.stream != ICE_UDP;
    metrics_add(peer->sfu->metrics, peer_connected_metric(peer), 1);
    change(peer, PEER_CONNECTED);
    if (list_empty(&peer->wanted))
        list_append(&peer->sfu->wanted, &peer->wanted);
    peer->report_at = peer->since = now;
    peer_aim(peer, now);
    peer_touch(peer);
    peer_settle_data(peer, now);
}

void sfu_hear(struct sfu *sfu, usec now, const struct rtc_out *out)
{
    struct peer *peer = out->transport->owner;
    sfu->now = now;
    switch (out->kind) {
    case RTC_CONNECTED:
        connected(peer, now);
        break;
    case RTC_RTP:
        peer_rtp(peer, now, out->packet);
        break;
    case RTC_RTCP:
        peer_rtcp(peer, now, view_of_span(out->packet));
        break;
    case RTC_DATA:
        peer_data(peer, now, out->data);
        break;
    case RTC_ENDED:
        peer->end = out->end;
        peer_count_end(peer);
        wheel_cancel(&sfu->wheel, &peer->timer);
        wheel_cancel(&sfu->calm, &peer->calm);
        change(peer, PEER_ENDED);
        break;
    default:
        break;
    }
}

/* Packets of media bring us to life dozens of times a second.  To be woken for a report alone costs
 * ten times what it does beside them. */
static void take_calm(struct sfu *sfu, usec now)
{
    struct timer *timer;
    while ((timer = wheel_expired(&sfu->calm, now)))
        peer_touch(LIST_ENTRY(timer, struct peer, calm));
}

static usec calm_until(const struct sfu *sfu)
{
    usec next = wheel_next(&sfu->calm);
    return next == USEC_NEVER ? next : next + SFU_COMPANY;
}

void sfu_tick(struct sfu *sfu, usec now)
{
    struct timer *timer;
    sfu->now = now;
    while ((timer = wheel_expired(&sfu->wheel, now)))
        peer_touch(LIST_ENTRY(timer, struct peer, timer));
    if (now >= calm_until(sfu))
        take_calm(sfu, now);
    if (now >= sfu->data_until) {
        sctp_tick(&sfu->sctp, now);
        peer_drain_data(sfu, now);
    }
}

usec sfu_until(const struct sfu *sfu)
{
    usec until = wheel_next(&sfu->wheel);
    usec wanted = wanted_until(&sfu->tracks);
    usec calm = calm_until(sfu);
    if (!list_empty(&sfu->touched))
        return 0;
    if (calm < until)
        until = calm;
    if (sfu->held_until < until)
        until = sfu->held_until;
    if (wanted < until)
        until = wanted;
    return sfu->data_until < until ? sfu->data_until : until;
}

/* ---- out ---- */

/* The packets that were asked for again; those that find no room wait. */
static bool repeat(struct sfu *sfu, usec now)
{
    uint32_t at = 0;
    while (at < sfu->repeat_count && !rtc_is_full(sfu->config.rtc)) {
        const struct sfu_repeat *one = &sfu->repeats[at++];
        if (one->transceiver)
            sender_nack(&one->transceiver->sender, now, one->number);
    }
    for (uint32_t i = at; i < sfu->repeat_count; i++)
        sfu->repeats[i - at] = sfu->repeats[i];
    sfu->repeat_count -= at;
    return sfu->repeat_count == 0;
}

static bool report(struct sfu *sfu, usec now)
{
    while (!list_empty(&sfu->touched)) {
        struct peer *peer = LIST_ENTRY(sfu->touched.next, struct peer, touched);
        if (rtc_is_full(sfu->config.rtc))
            return false;
        list_remove(&peer->touched);
        peer_report(peer, now);
    }
    return true;
}

/* What has come of media goes out, and what is calm with it.  Of pictures that are there in part
 * the rest is waited for. */
static bool forward(struct sfu *sfu, usec now)
{
    struct list *next;
    sfu->held_until = USEC_NEVER;
    for (struct list *node = sfu->tracks.pumping.next; node != &sfu->tracks.pumping; node = next) {
        struct rtp_stream *stream = LIST_ENTRY(node, struct rtp_stream, pumping);
        usec until = rtp_stream_held_until(stream);
        next = node->next;
        if (now < until) {
            sfu->held_until = until < sfu->held_until ? until : sfu->held_until;
            continue;
        }
        take_calm(sfu, now);
        if (!rtp_stream_pump(stream, now))
            return false;
        list_remove(node);
    }
    return true;
}

/* Those of whom something has to wait. */
static void pace(struct sfu *sfu)
{
    while (!list_empty(&sfu->pacing)) {
        struct pacer *pacer = LIST_ENTRY(sfu->pacing.next, struct pacer, node);
        list_remove(&pacer->node);
        peer_touch(LIST_ENTRY(pacer, struct peer, pacer));
    }
}

bool sfu_pump(struct sfu *sfu, usec now)
{
    sfu->now = now;
    wanted_settle(&sfu->tracks, now);
    bool is_all = forward(sfu, now);
    pace(sfu);
    return is_all && repeat(sfu, now) && report(sfu, now);
}

/* ---- what has become of peers ---- */

struct peer *sfu_next(const struct sfu *sfu, uint32_t *index)
{
    while (*index < sfu->peers.touched) {
        struct peer *peer = pool_at(&sfu->peers, (*index)++);
        if (!list_empty(&peer->of_sfu))
            return peer;
    }
    return NULL;
}

struct peer *sfu_poll(struct sfu *sfu)
{
    if (list_empty(&sfu->news))
        return NULL;
    struct peer *peer = LIST_ENTRY(sfu->news.next, struct peer, news);
    list_remove(&peer->news);
    return peer;
}

struct peer *sfu_poll_shared(struct sfu *sfu)
{
    if (list_empty(&sfu->shared))
        return NULL;
    struct peer *peer = LIST_ENTRY(sfu->shared.next, struct peer, shared);
    list_remove(&peer->shared);
    return peer;
}

struct speakers *sfu_poll_speakers(struct sfu *sfu)
{
    if (list_empty(&sfu->waking))
        return NULL;
    struct speakers *speakers = LIST_ENTRY(sfu->waking.next, struct speakers, waking);
    list_remove(&speakers->waking);
    return speakers;
}

struct peer *sfu_poll_wanted(struct sfu *sfu)
{
    if (list_empty(&sfu->wanted))
        return NULL;
    struct peer *peer = LIST_ENTRY(sfu->wanted.next, struct peer, wanted);
    list_remove(&peer->wanted);
    return peer;
}
