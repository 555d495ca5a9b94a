#include "inside.h"

#include "front/meet/links.h"
#include "front/meet/seat.h"
#include "front/meet/spread.h"
#include "front/meet/stage.h"
#include "front/rtc.h"

#include <string.h>

#define ORPHAN_TIME (2 * USEC_S)

/* ---- what is sent ---- */

/* Whom the flow leads to; NULL: nobody. */
static const struct peer *peer_at(const struct server *server, const struct ice_flow *flow)
{
    const struct peer *peer;
    uint32_t index = 0;
    while ((peer = sfu_next(server->sfu, &index))) {
        const struct ice_flow *way = &peer->transport->way;
        if (way->remote.port == flow->remote.port && way->remote.bytes[3] == flow->remote.bytes[3])
            return peer;
    }
    return NULL;
}

/* Which room: where it is, and its serial there. */
struct place {
    unsigned home;
    uint64_t room;
};

static struct place place_of(const struct server *server, const struct room *room,
                             const struct stage *stage)
{
    return stage ? (struct place){ stage->home, stage->room }
                 : (struct place){ server->config.worker, room->serial };
}

static struct place place_of_seat(const struct seat *seat)
{
    return place_of(seat->server, seat->member ? seat->member->room : NULL, seat->stage);
}

/* A track is a seat's, or has come by a link from the worker where it is. */
static struct place place_of_track(const struct track *track)
{
    if (track->owner)
        return place_of_seat(track->owner);
    const struct inlet *inlet = track->source;
    return place_of(inlet->server, inlet->room, inlet->stage);
}

/* The guest who is in that seat. */
static unsigned guest_of_seat(const struct seat *seat)
{
    char name[16] = "";
    struct view named =
        seat->member ? member_name(seat->member) : view_make(seat->name, seat->name_size);
    memcpy(name, named.at, named.size < sizeof name ? named.size : sizeof name - 1);
    return far_of_name(name);
}

/* One whose connection is at another worker than its room is a member there, but for the time that
 * a note takes. */
static void check_member(struct world *world, struct net *net, unsigned who,
                         const struct seat *seat)
{
    usec *since = &net->orphan_at[who];
    if (!seat->stage || spread_find(world->servers[seat->stage->home], seat->id))
        *since = 0;
    else if (*since == 0)
        *since = net->now;
    else if (net->now - *since > ORPHAN_TIME)
        net_fail(net, "%u gets something, and has long been no member", who);
}

static void check_subscription(struct net *net, unsigned who, const struct transceiver *at)
{
    if (!at->subscription || at->is_paused) {
        net_fail(net, "%u gets what it is not subscribed to", who);
        return;
    }
    const struct place to = place_of_seat(at->peer->owner);
    const struct place from = place_of_track(at->subscription);
    if (from.home != to.home || from.room != to.room)
        net_fail(net, "%u gets what nobody in its room sends", who);
}

/* On which it is sent; NULL: on none of them. */
static const struct transceiver *find_sending(const struct peer *peer, uint32_t ssrc, bool *is_rtx)
{
    struct transceiver *at = NULL;
    while ((at = peer_next(peer, at))) {
        *is_rtx = at->sender.config.rtx_ssrc == ssrc;
        if (at->is_announced && (*is_rtx || at->sender.config.ssrc == ssrc))
            return at;
    }
    return NULL;
}

uint32_t inside_check_out(struct world *world, struct net *net, unsigned worker,
                          const struct ice_flow *flow, struct view packet)
{
    unsigned who = flow->remote.bytes[3];
    struct rtp_packet rtp;
    bool is_rtx;
    if (packet.at[0] < 128 || rtp_is_rtcp(packet) || rtp_read(packet, &rtp) != OK)
        return 0;
    const struct peer *peer = peer_at(world->servers[worker], flow);
    const struct seat *seat = peer ? peer->owner : NULL;
    if (!seat || (!seat->member && !seat->stage)) {
        net_fail(net, "%u gets something, and is not there", who);
        return 0;
    }
    check_member(world, net, who, seat);
    if (guest_of_seat(seat) != who)
        net_fail(net, "%u gets what is for another", who);
    const struct transceiver *at = find_sending(peer, rtp.ssrc, &is_rtx);
    if (!at)
        net_fail(net, "%u gets what it was not told of", who);
    else if (!is_rtx) /* which may be of what was there before */
        check_subscription(net, who, at);
    return at ? (uint32_t)at->sender.repeat_from : 0;
}

/* ---- the end ---- */

static bool is_sfu_empty(const struct sfu *sfu)
{
    return !sfu->peers.used && !sfu->transceivers.used && !sfu->tracks.tracks.used &&
           !sfu->tracks.encodings.used && !sfu->arrivals.used;
}

static bool is_port_empty(const struct rtc *rtc)
{
    return !rtc->transports.used && !rtc->flows.used && !rtc->by_flow.count && !rtc->by_ufrag.count;
}

static bool is_spread_empty(const struct spread *spread)
{
    return !spread->stage_pool.used && !spread->inlets.used && !spread->outlets.used &&
           !spread->seats.count && !spread->outlets_by_key.count;
}

void inside_check_empty(struct world *world, struct net *net)
{
    /* and nobody is ever blamed for a fault that it did not commit */
    static const enum metric LEVELS[] = {
        METRIC_MEMBERS,
        METRIC_MEMBERS_AWAY,
        METRIC_ROOMS,
        METRIC_WEBSOCKETS,
        METRIC_MEDIA_PEERS,
        METRIC_MEDIA_CONNECTED_UDP,
        METRIC_MEDIA_TRACKS,
        METRIC_RTC_TRANSPORTS,
        METRIC_MEDIA_CONNECTED_TCP,
        METRIC_RTC_STREAMS,
        METRIC_CLOSED_PROTOCOL,
        METRIC_CLOSED_FLOOD,
        METRIC_CLOSED_LIMIT,
        METRIC_RTC_DROPPED_MALFORMED,
        METRIC_RTC_DROPPED_FORGED,
        METRIC_SCTP_CHANNELS,
        METRIC_MEDIA_DROPPED_MALFORMED,
    };
    for (size_t i = 0; i < sizeof LEVELS / sizeof LEVELS[0]; i++)
        if (world_metric(world, LEVELS[i]) != 0)
            net_fail(net, "metric %d is left at %llu", LEVELS[i],
                     (unsigned long long)world_metric(world, LEVELS[i]));
    for (unsigned i = 0; i < world->worker_count; i++) {
        const struct server *server = world->servers[i];
        if (server_streams(server) || server->seats.used)
            net_fail(net, "worker %u has streams or seats left", i);
        if (!is_sfu_empty(server->sfu))
            net_fail(net, "worker %u has something left in its SFU", i);
        if (server->spread && !is_spread_empty(server->spread))
            net_fail(net, "worker %u has something left of other workers' rooms", i);
        if (!is_port_empty(&server->rtc->port))
            net_fail(net, "worker %u has something left at its port", i);
    }
}
