#include "check.h"

#include "front/meet/seat.h"
#include "front/rtc.h"

#include <stdio.h>
#include <string.h>

#define FRESH (1 * USEC_S) /* a picture that is not older goes on */
#define REST  (5 * USEC_S) /* of two, before their room is a mesh */
#define CROSS (2 * USEC_S) /* for all in a room to hear that it is of the other kind */

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

static bool is_of_room(const struct room *room, const struct track *track)
{
    for (uint32_t i = 0; i < room->member_count; i++) {
        const struct seat *seat = room->members[i]->seat;
        for (unsigned source = 0; seat && source < SEAT_SOURCES; source++)
            if (seat->tracks[source] == track)
                return true;
    }
    return false;
}

static void check_stream(const struct check *check, unsigned who, const struct peer *peer,
                         uint32_t ssrc)
{
    const struct seat *seat = peer->owner;
    const struct room *room = seat->member->room;
    struct transceiver *at = NULL;
    while ((at = peer_next(peer, at))) {
        if (!at->is_announced)
            continue;
        if (at->sender.config.rtx_ssrc == ssrc)
            return; /* it may be of what was there before */
        if (at->sender.config.ssrc != ssrc)
            continue;
        if (!at->subscription || at->is_paused)
            net_fail(check->net, "%u gets what it is not subscribed to", who);
        else if (!is_of_room(room, at->subscription))
            net_fail(check->net, "%u gets what nobody in its room sends", who);
        return;
    }
    net_fail(check->net, "%u gets what it was not told of", who);
}

void check_out(const struct check *check, unsigned worker, const struct ice_flow *flow,
               struct view packet)
{
    unsigned who = flow->remote.bytes[3];
    struct rtp_packet rtp;
    if (packet.at[0] < 128 || rtp_is_rtcp(packet) || rtp_read(packet, &rtp) != OK)
        return;
    const struct peer *peer = peer_at(check->world->servers[worker], flow);
    const struct seat *seat = peer ? peer->owner : NULL;
    if (!seat || !seat->member) {
        net_fail(check->net, "%u gets something, and is not there", who);
        return;
    }
    char name[16] = "";
    struct view named = member_name(seat->member);
    memcpy(name, named.at, named.size < sizeof name ? named.size : sizeof name - 1);
    if (guest_of_name(name) != who)
        net_fail(check->net, "%u gets what is for %s", who, name);
    else
        check_stream(check, who, peer, rtp.ssrc);
}

/* ---- what comes about ---- */

static bool is_seen(const struct guest *guest, const struct guest *other, bool is_video)
{
    const struct far_watch *watch = guest_find(guest, other->member, is_video);
    return watch && watch->watch.shown_life && watch->watch.shown_whose == other->number &&
           watch->watch.shown_at + FRESH >= guest->net->now;
}

/* One that has fewer slots than it needs: all of them bear something. */
static bool is_full(const struct guest *guest, unsigned kind)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < guest->slot_count; i++)
        count += guest->slots[i][kind].member != 0;
    return count ==
           (guest->wanted[kind] < guest->slot_count ? guest->wanted[kind] : guest->slot_count);
}

/* NULL: all is well between them. */
static const char *complaint_of_pair(const struct guest *guest, const struct guest *other)
{
    if (guest->is_sfu != other->is_sfu)
        return "is in a room of another kind than";
    if (!guest->is_sfu)
        return NULL;
    if (guest->far.state != FAR_CONNECTED || other->far.state != FAR_CONNECTED)
        return "has no connection, to get or for";
    if (guest->is_poor && guest->wanted[0] > guest->slot_count)
        return is_full(guest, 0) && is_full(guest, 1) ? NULL : "has slots free for";
    if (!is_seen(guest, other, false))
        return "does not hear";
    if (guest->is_poor && guest->wanted[1] > guest->slot_count)
        return is_full(guest, 1) ? NULL : "has slots free for";
    return !other->has_camera || is_seen(guest, other, true) ? NULL : "does not see";
}

/* Of a room that is left to itself. */
static bool is_of_wrong_kind(const struct check *check, const struct guest *guest)
{
    unsigned count = 1;
    usec since = guest->net->now - guest->crowd_at;
    if (check->world->wishes->topology.wish != TOPOLOGY_AUTO)
        return !guest->is_sfu;
    for (unsigned i = 0; i < check->guest_count; i++)
        if (check->guests[i].was_odd)
            return false; /* it may have been there in the room's time, and decided */
    for (unsigned i = 0; i < GUEST_MEMBERS_MAX; i++)
        count += guest->people[i] != 0;
    if (count > TOPOLOGY_PAIR)
        return !guest->is_sfu;
    return guest->is_sfu && since > REST + CROSS;
}

/* NULL: all is well with it. */
static const char *complaint(const struct check *check, const struct guest *guest)
{
    usec now = guest->net->now;
    if (guest->state != GUEST_IN || guest->offer.is_under_way)
        return "is not in its room";
    if (is_of_wrong_kind(check, guest))
        return "is in a room of the wrong kind";
    if (!guest->is_sfu && guest->slot_count && now - guest->kind_at > SEAT_OVERLAP + CROSS)
        return "still has a connection, in a mesh";
    return NULL;
}

bool check_settled(const struct check *check, char why[100])
{
    for (unsigned i = 0; i < check->guest_count; i++) {
        const struct guest *guest = &check->guests[i];
        const char *what = complaint(check, guest);
        if (what) {
            snprintf(why, 100, "%u %s", i, what);
            return false;
        }
        for (unsigned j = 0; j < check->guest_count; j++) {
            const struct guest *other = &check->guests[j];
            if (i == j || other->state != GUEST_IN || strcmp(guest->room, other->room) != 0)
                continue;
            what = complaint_of_pair(guest, other);
            if (what) {
                snprintf(why, 100, "%u %s %u", i, what, j);
                return false;
            }
        }
    }
    return true;
}

void check_told(const struct check *check)
{
    for (unsigned i = 0; i < check->guest_count; i++) {
        const struct guest *guest = &check->guests[i];
        for (unsigned k = 0; k < 2 * guest->slot_count; k++) {
            uint32_t seen = guest->far.watches[k / 2][k & 1].watch.seen;
            uint32_t told = guest->slots[k / 2][k & 1].told;
            if (seen & ~told)
                net_fail(check->net, "%u got in slot %u what it was not told of: %x, not %x", i, k,
                         seen, told);
        }
    }
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

void check_empty(const struct check *check)
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
        if (world_metric(check->world, LEVELS[i]) != 0)
            net_fail(check->net, "metric %d is left at %llu", LEVELS[i],
                     (unsigned long long)world_metric(check->world, LEVELS[i]));
    for (unsigned i = 0; i < check->world->worker_count; i++) {
        const struct server *server = check->world->servers[i];
        if (server_streams(server) || server->seats.used)
            net_fail(check->net, "worker %u has streams or seats left", i);
        if (!is_sfu_empty(server->sfu))
            net_fail(check->net, "worker %u has something left in its SFU", i);
        if (!is_port_empty(&server->rtc->port))
            net_fail(check->net, "worker %u has something left at its port", i);
    }
}
