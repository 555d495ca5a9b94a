/* turn_peers.c - permissions and channels (RFC 8656, sections 9 to 12). */
#include "agent/turn_internal.h"

#include <string.h>

/* ---- the list of an allocation: the latest used first ---- */

static bool same_host(const struct address *a, const struct address *b)
{
    return a->family == b->family &&
           memcmp(a->bytes, b->bytes, a->family == ADDRESS_IPV4 ? 4 : 16) == 0;
}

static bool is_dead(const struct turn *turn, const struct turn_peer *peer)
{
    return peer->permitted_until <= turn->now && peer->bound_until <= turn->now;
}

static struct turn_peer *to_front(struct turn_allocation *allocation, struct turn_peer **link)
{
    struct turn_peer *peer = *link;
    if (link == &allocation->peers)
        return peer;
    *link = peer->next;
    peer->next = allocation->peers;
    allocation->peers = peer;
    return peer;
}

struct turn_peer *turn_peer_of_channel(struct turn *turn, struct turn_allocation *allocation,
                                       uint16_t channel)
{
    for (struct turn_peer **link = &allocation->peers; *link; link = &(*link)->next)
        if ((*link)->channel == channel && (*link)->bound_until > turn->now)
            return to_front(allocation, link);
    return NULL;
}

struct turn_peer *turn_peer_of_address(struct turn *turn, struct turn_allocation *allocation,
                                       const struct address *address)
{
    struct turn_peer **found = NULL;
    for (struct turn_peer **link = &allocation->peers; *link; link = &(*link)->next) {
        const struct turn_peer *peer = *link;
        if (peer->permitted_until <= turn->now || !same_host(&peer->address, address))
            continue;
        bool is_bound = peer->channel && peer->bound_until > turn->now;
        if (is_bound && peer->address.port == address->port)
            return to_front(allocation, link);
        if (!peer->channel)
            found = link;
    }
    return found ? to_front(allocation, found) : NULL;
}

static void remove_dead(struct turn *turn, struct turn_allocation *allocation)
{
    struct turn_peer **link = &allocation->peers;
    while (*link) {
        struct turn_peer *peer = *link;
        if (!is_dead(turn, peer)) {
            link = &peer->next;
            continue;
        }
        *link = peer->next;
        pool_give(&turn->peers, peer);
        allocation->peer_count--;
    }
}

void turn_peers_free(struct turn *turn, struct turn_allocation *allocation)
{
    while (allocation->peers) {
        struct turn_peer *peer = allocation->peers;
        allocation->peers = peer->next;
        pool_give(&turn->peers, peer);
    }
    allocation->peer_count = 0;
}

/* NULL: the allocation's limit, or the pool's, is reached. */
static struct turn_peer *add(struct turn *turn, struct turn_allocation *allocation,
                             const struct address *address)
{
    if (allocation->peer_count >= turn->config->peers_per_allocation_max)
        return NULL;
    struct turn_peer *peer = pool_take(&turn->peers);
    if (!peer)
        return NULL;
    peer->address = *address;
    peer->next = allocation->peers;
    allocation->peers = peer;
    allocation->peer_count++;
    return peer;
}

/* A channel keeps the time of its host's permission, so that one look at it says all. */
static int permit(struct turn *turn, struct turn_allocation *allocation,
                  const struct address *address)
{
    usec until = turn->now + TURN_PERMISSION_S * USEC_S;
    struct address host = *address;
    bool is_there = false;
    host.port = 0;
    for (struct turn_peer *peer = allocation->peers; peer; peer = peer->next) {
        if (!same_host(&peer->address, &host))
            continue;
        peer->permitted_until = until;
        is_there = is_there || !peer->channel;
    }
    if (is_there)
        return OK;
    struct turn_peer *peer = add(turn, allocation, &host);
    if (!peer)
        return ERR_LIMIT;
    peer->permitted_until = until;
    return OK;
}

/* ---- requests ---- */

struct turn_relay *turn_relay_of_family(const struct turn_allocation *allocation, uint8_t family)
{
    for (int i = 0; i < 2; i++)
        if (allocation->relays[i] && allocation->relays[i]->family == family)
            return allocation->relays[i];
    return NULL;
}

void turn_handle_create_permission(struct turn *turn, struct turn_request *request)
{
    struct turn_allocation *allocation = request->allocation;
    const struct stun_msg *msg = request->msg;
    uint32_t count = 0;
    struct address peer;
    int code = 0;
    for (uint32_t i = 0; i < msg->attr_count && !code; i++) {
        if (msg->attrs[i].type != STUN_XOR_PEER_ADDRESS)
            continue;
        count++;
        if (stun_read_xor_address(msg, &msg->attrs[i], &peer) != OK)
            code = TURN_BAD_REQUEST;
        else if (!turn_relay_of_family(allocation, peer.family))
            code = TURN_PEER_FAMILY_MISMATCH;
        else if (!turn_policy_allows_host(turn->config->policy, &peer))
            code = TURN_FORBIDDEN;
    }
    if (!code && count == 0)
        code = TURN_BAD_REQUEST;
    remove_dead(turn, allocation);
    /* when there is room for some of them only, those stay, and the client is told to think less */
    for (uint32_t i = 0; i < msg->attr_count && !code; i++)
        if (msg->attrs[i].type == STUN_XOR_PEER_ADDRESS &&
            stun_read_xor_address(msg, &msg->attrs[i], &peer) == OK &&
            permit(turn, allocation, &peer) != OK)
            code = TURN_NO_CAPACITY;
    if (code)
        turn_refuse(turn, request, (enum turn_error)code);
    else
        turn_accept_request(turn, request);
}

/* Gives the error code, or 0 with the channel bound. */
static int bind_channel(struct turn *turn, struct turn_allocation *allocation, uint16_t channel,
                        const struct address *address)
{
    struct turn_peer *bound = NULL;
    for (struct turn_peer *peer = allocation->peers; peer; peer = peer->next) {
        if (!peer->channel || peer->bound_until <= turn->now)
            continue;
        bool is_channel = peer->channel == channel;
        bool is_address = address_equal(&peer->address, address);
        if (is_channel != is_address)
            return TURN_BAD_REQUEST;
        if (is_channel)
            bound = peer;
    }
    if (!bound)
        bound = add(turn, allocation, address);
    if (!bound)
        return TURN_NO_CAPACITY;
    bound->channel = channel;
    bound->bound_until = turn->now + TURN_CHANNEL_S * USEC_S;
    return permit(turn, allocation, address) == OK ? 0 : TURN_NO_CAPACITY;
}

void turn_handle_channel_bind(struct turn *turn, struct turn_request *request)
{
    struct turn_allocation *allocation = request->allocation;
    const struct stun_attr *number = stun_find(request->msg, STUN_CHANNEL_NUMBER);
    const struct stun_attr *attr = stun_find(request->msg, STUN_XOR_PEER_ADDRESS);
    struct address peer;
    uint16_t channel;
    int code = 0;
    if (!number || !attr || stun_read_channel(number, &channel) != OK ||
        stun_read_xor_address(request->msg, attr, &peer) != OK || channel < TURN_CHANNEL_MIN ||
        channel > TURN_CHANNEL_MAX || allocation->protocol != TURN_UDP)
        code = TURN_BAD_REQUEST;
    else if (!turn_relay_of_family(allocation, peer.family))
        code = TURN_PEER_FAMILY_MISMATCH;
    else if (!turn_policy_allows(turn->config->policy, &peer))
        code = TURN_FORBIDDEN;
    remove_dead(turn, allocation);
    if (!code)
        code = bind_channel(turn, allocation, channel, &peer);
    if (code)
        turn_refuse(turn, request, (enum turn_error)code);
    else
        turn_accept_request(turn, request);
}
