#include "net_check.h"

#include <string.h>

static uint32_t sum_of(const struct net_data *data)
{
    return data->client * 31 + data->life * 37 + data->peer * 41 + data->number * 43 +
           data->relay_port * 47 + data->to_port * 53;
}

struct net_data net_data_make(uint32_t client, uint32_t life, uint32_t peer, uint32_t number,
                              uint32_t relay_port, uint32_t to_port)
{
    struct net_data data = { .client = client,
                             .life = life,
                             .peer = peer,
                             .number = number,
                             .relay_port = relay_port,
                             .to_port = to_port };
    data.sum = sum_of(&data);
    return data;
}

static bool read_data(struct view bytes, struct net_data *data)
{
    if (bytes.size != sizeof *data)
        return false;
    memcpy(data, bytes.at, sizeof *data);
    return data->sum == sum_of(data) && data->client < NET_CLIENTS_MAX && data->peer < NET_HOSTS;
}

/* The life in which the client had the flow; 0: it is too long ago. */
static uint32_t life_of(const struct net *net, const struct turn_flow *flow)
{
    const struct net_client *client = &net->clients[flow->client.bytes[3]];
    for (uint32_t i = 0; i < NET_PORTS_MAX && i < client->port_count; i++)
        if (client->ports[i] == flow->client.port)
            return client->lives[i];
    return 0;
}

/* NULL: of that life nothing is known any more. */
static struct net_permissions *permissions_of(struct net *net, uint32_t client, uint32_t life)
{
    struct net_permissions *permissions = &net->clients[client].permissions[life % NET_LIVES];
    if (life == 0 || permissions->life > life)
        return NULL;
    if (permissions->life < life)
        *permissions = (struct net_permissions){ .life = life };
    return permissions;
}

static int peer_of(const struct address *address)
{
    for (uint32_t i = 0; i < NET_PEERS; i++) {
        struct address peer = net_peer_address(i);
        if (address_equal(&peer, address))
            return (int)i;
    }
    struct address own = net_relay_address(address->port);
    return address_equal(&own, address) ? NET_OWN : -1;
}

void net_check_note(struct net *net, const struct net_packet *packet)
{
    struct stun_msg msg;
    struct address address;
    struct net_permissions *permissions =
        permissions_of(net, packet->flow.client.bytes[3], life_of(net, &packet->flow));
    if (packet->is_forged || !permissions ||
        stun_read(view_make(packet->bytes, packet->size), &msg) != OK ||
        msg.class != STUN_REQUEST ||
        (msg.method != STUN_CREATE_PERMISSION && msg.method != STUN_CHANNEL_BIND))
        return;
    for (uint32_t i = 0; i < msg.attr_count; i++) {
        if (msg.attrs[i].type != STUN_XOR_PEER_ADDRESS ||
            stun_read_xor_address(&msg, &msg.attrs[i], &address) != OK)
            continue;
        int peer = peer_of(&address);
        if (peer < 0)
            continue;
        permissions->permitted_until[peer] = net->now + TURN_PERMISSION_S * USEC_S;
        if (msg.method == STUN_CHANNEL_BIND)
            permissions->bound_until[peer] = net->now + TURN_CHANNEL_S * USEC_S;
    }
}

void net_check_to_peer(struct net *net, const struct net_packet *packet)
{
    struct net_data data;
    const struct net_packet *fed = net->feeding;
    if (!fed || fed->kind != NET_TO_SERVER ||
        !read_data(view_make(packet->bytes, packet->size), &data)) {
        net_fail(net, "to a peer: not what a client sent");
        return;
    }
    struct address peer = data.peer == NET_OWN ? net_relay_address((uint16_t)data.to_port)
                                               : net_peer_address(data.peer);
    if (!address_equal(&peer, &packet->to) || data.client != fed->flow.client.bytes[3])
        net_fail(net, "client %u: what is for peer %u goes elsewhere", data.client, data.peer);
    struct net_permissions *permissions = permissions_of(net, data.client, data.life);
    if (!permissions)
        return;
    bool is_channel = fed->bytes[0] >> 6 == 1;
    usec until =
        is_channel ? permissions->bound_until[data.peer] : permissions->permitted_until[data.peer];
    if (until <= net->now)
        net_fail(net, "client %u sends to peer %u without a permission", data.client, data.peer);
    if (data.life == life_of(net, &fed->flow) && data.relay_port != packet->from.port)
        net_fail(net, "client %u, whose relay is %u, sends from %u", data.client, data.relay_port,
                 packet->from.port);
}

/* What came of a peer, in whichever form; false: it is something else.  *from: as the client is
 * told, ADDRESS_NONE by a channel. */
static bool read_relayed(struct net *net, const struct net_packet *packet, int *peer,
                         struct address *from, struct net_data *data)
{
    struct view bytes = view_make(packet->bytes, packet->size);
    struct stun_msg msg;
    struct view payload = VIEW("");
    uint16_t channel;
    *from = (struct address){ .family = ADDRESS_NONE };
    if (turn_channel_read(bytes, &channel, &payload) == OK) {
        *peer = channel - NET_CHANNEL;
    } else {
        if (stun_read(bytes, &msg) != OK || msg.method != STUN_DATA)
            return false;
        const struct stun_attr *attr = stun_find(&msg, STUN_XOR_PEER_ADDRESS);
        const struct stun_attr *value = stun_find(&msg, STUN_DATA_VALUE);
        if (!attr || !value || stun_read_xor_address(&msg, attr, from) != OK)
            net_fail(net, "a Data indication without data");
        *peer = peer_of(from);
        payload = value ? value->value : payload;
    }
    if (!read_data(payload, data))
        net_fail(net, "to a client: not what a peer sent");
    return true;
}

/* From one client to another, who both relay here: each must have permitted the other's host, and
 * nobody hears what is for somebody else. */
static void check_joined(struct net *net, const struct net_packet *packet,
                         const struct address *from, const struct net_data *data)
{
    uint32_t to = packet->flow.client.bytes[3];
    uint32_t life = life_of(net, &packet->flow);
    const struct net_permissions *sender = permissions_of(net, data->client, data->life);
    const struct net_permissions *receiver = permissions_of(net, to, life);
    if (data->peer != NET_OWN || data->client != net->feeding->flow.client.bytes[3])
        net_fail(net, "client %u hears what client %u sends to peer %u", to, data->client,
                 data->peer);
    if ((sender && sender->permitted_until[NET_OWN] <= net->now) ||
        (receiver && receiver->permitted_until[NET_OWN] <= net->now))
        net_fail(net, "client %u hears client %u without permissions", to, data->client);
    /* channels are bound to peers alone, so he is named */
    bool is_now = data->life == life_of(net, &net->feeding->flow);
    struct address relay = net_relay_address((uint16_t)data->relay_port);
    if (is_now && !address_equal(&relay, from))
        net_fail(net, "client %u is told that %u sends, and it is %u", to, from->port,
                 data->relay_port);
    if (net->clients[to].relay_life == life && net->clients[to].relay_port != data->to_port)
        net_fail(net, "client %u hears what is for the relay %u", to, data->to_port);
}

void net_check_to_client(struct net *net, const struct net_packet *packet)
{
    struct net_data data = { 0 };
    const struct net_packet *fed = net->feeding;
    uint32_t client = packet->flow.client.bytes[3];
    struct address from;
    int peer;
    if (!read_relayed(net, packet, &peer, &from, &data) || net->chance.error[0])
        return;
    if (fed && fed->kind == NET_TO_SERVER) {
        check_joined(net, packet, &from, &data);
        return;
    }
    if (!fed || fed->kind != NET_FROM_PEER || peer != fed->peer) {
        net_fail(net, "client %u is told that peer %d sends", client, peer);
        return;
    }
    uint32_t life = life_of(net, &packet->flow);
    struct net_permissions *permissions = permissions_of(net, client, life);
    if (permissions && (permissions->permitted_until[peer] <= net->now ||
                        (!from.family && permissions->bound_until[peer] <= net->now)))
        net_fail(net, "client %u hears peer %d without a permission", client, peer);
    bool is_mine = data.client == client && data.life == life && data.relay_port == fed->to.port;
    if (data.relay_port && life && !is_mine)
        net_fail(net, "client %u hears what is for %u", client, data.client);
}

void net_check_accepted(struct net *net, const struct address *peer)
{
    if (peer_of(peer) == NET_PEERS - 1)
        net_fail(net, "a peer that nobody permits has connected");
}

void net_check_limits(struct net *net)
{
    const struct turn_config *config = &net->config;
    struct turn_report report;
    uint32_t users[3] = { 0 };
    uint32_t prefixes[NET_CLIENTS_MAX] = { 0 };
    uint32_t peers = 0;
    for (uint32_t cursor = 0; turn_next_report(&net->turn, &cursor, &report);) {
        uint32_t user = (uint32_t)(report.user.at[report.user.size - 1] - '0');
        uint32_t prefix = report.flow->client.bytes[2];
        if (report.user.size != 2 || user > 2)
            net_fail(net, "a user that there is not");
        else if (++users[user] > config->allocations_per_user_max)
            net_fail(net, "user %u is over his quota", user);
        if (++prefixes[prefix] > config->allocations_per_prefix_max)
            net_fail(net, "prefix %u is over its quota", prefix);
        if (report.peers > config->peers_per_allocation_max)
            net_fail(net, "an allocation with %u peers", report.peers);
        peers += report.peers;
    }
    if (peers > net->turn.peers.used)
        net_fail(net, "%u peers out of %u", peers, net->turn.peers.used);
    if (net->ports_open > net->ports_max)
        net_fail(net, "%u ports are open", net->ports_open);
}

void net_check_empty(struct net *net)
{
    const struct turn *turn = &net->turn;
    const uint32_t left[] = { turn->relays_by_address.count,
                              turn->allocations.used,
                              turn->relays.used,
                              turn->peers.used,
                              turn->users.used,
                              turn->prefixes.used,
                              turn->flows.count,
                              turn->user_names.count,
                              turn->prefix_names.count,
                              net->ports_open };
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++)
        if (left[i])
            net_fail(net, "%u are left in store %zu", left[i], i);
    for (uint32_t i = 0; i < NET_RELAYS_MAX; i++)
        if (net->relays[i].state != RELAY_FREE)
            net_fail(net, "relay %u is left in state %d", i, net->relays[i].state);
    if (metrics_read(&net->metrics, METRIC_TURN_ALLOCATIONS) != 0)
        net_fail(net, "allocations are left in the metrics");
}
