#include "net.h"

#include <string.h>

#include "net_check.h"

#define UNIX_0      UINT64_C(1700000000) /* the true time of day at virtual time 0 */
#define STREAM_WAY  (20 * USEC_MS)
#define OPEN_WAY_MS 50
#define SLOW        4 /* of a hundred connections to peers: longer than the agent waits */

uint64_t net_unix_s(const struct net *net)
{
    return UNIX_0 + net->now / USEC_S;
}

/* ---- start and end ---- */

static int find_user(void *context, struct view name, struct view *password)
{
    (void)context;
    if (name.size != 2 || name.at[0] != 'u')
        return ERR_NOT_FOUND;
    *password = VIEW("secret");
    return OK;
}

static void choose(struct net *net)
{
    struct turn_config *config = &net->config;
    *config = (struct turn_config){
        .realm = VIEW(NET_REALM),
        .secrets = { VIEW("south"), VIEW(NET_SECRET) },
        .secret_count = 2,
        .users = { find_user, NULL, NULL },
        .policy = &net->policy,
        .random = &net->random,
        .metrics = &net->metrics,
        .relays_ipv4 = true,
        .relays_tcp = true,
        .mobility = true,
        .allocations_max = 3 + net_pick(net, 20),
        .relays_max = 6 + net_pick(net, NET_RELAYS_MAX - 5),
        .peers_max = 6 + net_pick(net, 80),
        .peers_per_allocation_max = 2 + net_pick(net, 8),
        .connections_per_allocation_max = 1 + net_pick(net, 4),
        .allocations_per_user_max = 1 + net_pick(net, 8),
        .allocations_per_prefix_max = 1 + net_pick(net, 8),
        .lifetime_s_max = 600 + net_pick(net, 3000),
        .bytes_per_s_allocation = net_chance(net, 20) ? 500 : 0,
    };
    net->loss = net_chance(net, 20) ? 0 : net_pick(net, 25);
    net->doubles = net_pick(net, 20);
    net->latency_ms_max = 1 + net_pick(net, 300);
    net->ports_max = net_chance(net, 40) ? 2 + net_pick(net, 10) : NET_RELAYS_MAX;
}

void net_init(struct net *net, uint64_t seed)
{
    memset(net, 0, sizeof *net);
    chance_init(&net->chance, seed);
    net->random = chance_source(&net->chance);
    net->now = CHANCE_BEGIN;
    net->port = 49152;
    net->client_port = 1024;
    net->policy.relay_port_min = 49152;
    net->policy.relay_port_max = 65535;
    net->policy.own[net->policy.own_count++] = net_relay_address(0);
    choose(net);
    if (turn_init(&net->turn, &net->config, net->now, net_unix_s(net)) != OK)
        net_fail(net, "no memory");
    net->until = net->now;
}

void net_free(struct net *net)
{
    turn_free(&net->turn);
}

/* ---- addresses ---- */

struct address net_peer_address(uint32_t peer)
{
    return (struct address){ .family = ADDRESS_IPV4,
                             .bytes = { 8, 8, 8, (uint8_t)(10 + peer) },
                             .port = 5000 };
}

struct turn_flow net_new_flow(struct net *net, uint32_t client, uint32_t life, uint8_t transport)
{
    struct net_client *known = &net->clients[client];
    uint32_t place = known->port_count++ % NET_PORTS_MAX;
    net->client_port = (uint16_t)(net->client_port < 49000 ? net->client_port + 1 : 1024);
    known->ports[place] = net->client_port;
    known->lives[place] = life;
    return (struct turn_flow){
        .transport = transport,
        /* four of them in a prefix */
        .client = { .family = ADDRESS_IPV4,
                    .bytes = { 1, 2, (uint8_t)(client / 4), (uint8_t)client },
                    .port = net->client_port },
        .server = { .family = ADDRESS_IPV4, .bytes = { 198, 41, 0, 4 }, .port = 3478 },
    };
}

struct address net_relay_address(uint16_t port)
{
    return (struct address){ .family = ADDRESS_IPV4, .bytes = { 198, 41, 0, 4 }, .port = port };
}

/* ---- packets under way ---- */

static struct net_packet *put(struct net *net, enum net_kind kind, usec at)
{
    for (uint32_t i = 0; i < NET_PACKETS_MAX; i++) {
        struct net_packet *packet = &net->packets[i];
        if (packet->kind != NET_FREE)
            continue;
        if (i >= net->packet_top)
            net->packet_top = i + 1;
        memset(packet, 0, offsetof(struct net_packet, bytes));
        packet->kind = (uint8_t)kind;
        packet->at = at;
        packet->order = net->order++;
        return packet;
    }
    net_fail(net, "too many packets under way");
    return &net->packets[0];
}

static struct net_packet *earliest(const struct net *net)
{
    const struct net_packet *found = NULL;
    for (uint32_t i = 0; i < net->packet_top; i++) {
        const struct net_packet *packet = &net->packets[i];
        if (packet->kind != NET_FREE && (!found || packet->at < found->at ||
                                         (packet->at == found->at && packet->order < found->order)))
            found = packet;
    }
    return (struct net_packet *)(uintptr_t)found;
}

static usec way(struct net *net)
{
    return net->now + 1 + net_pick(net, net->latency_ms_max * 1000);
}

/* How often it arrives. */
static unsigned copies(struct net *net)
{
    return net_chance(net, net->loss) ? 0 : net_chance(net, net->doubles) ? 2 : 1;
}

static bool is_stream(const struct turn_flow *flow)
{
    return flow->transport != TURN_OVER_UDP;
}

static void send_copies(struct net *net, const struct net_packet *packet)
{
    bool stream = (packet->kind == NET_TO_SERVER || packet->kind == NET_TO_CLIENT) &&
                  is_stream(&packet->flow);
    for (unsigned i = stream ? 1 : copies(net); i > 0; i--) {
        usec at = stream ? net->now + STREAM_WAY : way(net);
        struct net_packet *copy = put(net, (enum net_kind)packet->kind, at);
        uint64_t order = copy->order;
        *copy = *packet;
        copy->at = at;
        copy->order = order;
    }
}

static void send_message(struct net *net, const struct turn_flow *flow, struct view bytes,
                         bool is_forged)
{
    struct net_packet packet = {
        .kind = NET_TO_SERVER, .flow = *flow, .is_forged = is_forged, .size = bytes.size
    };
    if (bytes.size > NET_PACKET_SIZE) {
        net_fail(net, "a message of %zu bytes", bytes.size);
        return;
    }
    memcpy(packet.bytes, bytes.at, bytes.size);
    send_copies(net, &packet);
}

void net_send(struct net *net, const struct turn_flow *flow, struct view bytes)
{
    send_message(net, flow, bytes, false);
}

void net_forge(struct net *net, const struct turn_flow *flow, struct view bytes)
{
    send_message(net, flow, bytes, true);
}

/* ---- what the agent wants ---- */

static void take_client(struct net *net, const struct turn_out *out)
{
    struct net_packet packet = { .kind = NET_TO_CLIENT, .flow = *out->flow };
    const struct view parts[3] = { out->header, out->payload, out->trailer };
    for (int i = 0; i < 3; i++) {
        if (parts[i].size > NET_PACKET_SIZE - packet.size) {
            net_fail(net, "an answer that is too long");
            return;
        }
        if (parts[i].size)
            memcpy(packet.bytes + packet.size, parts[i].at, parts[i].size);
        packet.size += parts[i].size;
    }
    net_check_to_client(net, &packet);
    send_copies(net, &packet);
}

static void take_peer(struct net *net, const struct turn_out *out)
{
    const struct net_relay *relay = &net->relays[out->relay];
    struct net_packet packet = { .kind = NET_TO_PEER,
                                 .from = relay->relayed,
                                 .to = out->peer,
                                 .relay = out->relay,
                                 .serial = relay->serial,
                                 .size = out->payload.size };
    if (relay->state != RELAY_OPEN || out->payload.size > NET_PACKET_SIZE) {
        net_fail(net, "relay %u sends, and is in state %d", out->relay, relay->state);
        return;
    }
    memcpy(packet.bytes, out->payload.at, out->payload.size);
    net_check_to_peer(net, &packet);
    if (packet.to.bytes[0] == 8) /* else a relay that is no more */
        send_copies(net, &packet);
}

static void change(struct net *net, uint32_t relay, enum net_relay_state from,
                   enum net_relay_state to)
{
    if (relay >= NET_RELAYS_MAX || net->relays[relay].state != from)
        net_fail(net, "relay %u to state %d from %d", relay, to, net->relays[relay].state);
    else
        net->relays[relay].state = (uint8_t)to;
    if (from == RELAY_FREE)
        net->relays[relay] = (struct net_relay){ .state = (uint8_t)to, .serial = ++net->serial };
}

static void take_open(struct net *net, const struct turn_out *out)
{
    usec at = net->now + net_pick(net, OPEN_WAY_MS * 1000);
    struct net_packet *packet = put(net, NET_OPENED, at);
    packet->relay = out->relay;
    packet->next = out->next;
    packet->even = out->even;
    change(net, out->relay, RELAY_FREE, RELAY_ASKED);
    if (out->next != TURN_NO_RELAY)
        change(net, out->next, RELAY_FREE, RELAY_ASKED);
    net->relays[out->relay].protocol = out->protocol;
    if (out->next != TURN_NO_RELAY)
        net->relays[out->next].protocol = out->protocol;
}

static void take_connect(struct net *net, const struct turn_out *out)
{
    uint32_t ms = net_chance(net, SLOW) ? 40000 : 1 + net_pick(net, 300);
    struct net_packet *packet = put(net, NET_CONNECTED, net->now + ms * USEC_MS);
    packet->relay = out->relay;
    change(net, out->relay, RELAY_FREE, RELAY_CONNECTING);
}

static void take_close(struct net *net, uint32_t number)
{
    struct net_relay *relay = &net->relays[number];
    if (relay->state == RELAY_OPEN)
        net->ports_open--;
    else if (relay->state != RELAY_CONNECTED)
        net_fail(net, "relay %u is closed in state %d", number, relay->state);
    relay->state = RELAY_FREE;
}

static void take_splice(struct net *net, const struct turn_out *out)
{
    struct net_relay *relay = &net->relays[out->relay];
    if (relay->state != RELAY_CONNECTED || relay->is_spliced)
        net_fail(net, "relay %u is spliced in state %d", out->relay, relay->state);
    relay->is_spliced = true;
    relay->spliced = *out->flow;
    net->spliced++;
}

static void drain(struct net *net)
{
    for (;;) {
        const struct turn_out *out = turn_poll(&net->turn);
        chance_note(&net->chance, out->kind ^ out->relay ^ net->now);
        switch ((enum turn_out_kind)out->kind) {
        case TURN_WAIT:
            net->until = out->until;
            return;
        case TURN_CLIENT:
            take_client(net, out);
            break;
        case TURN_PEER:
            take_peer(net, out);
            break;
        case TURN_SINK:
            net_fail(net, "data for a port that there is not");
            break;
        case TURN_OPEN:
            take_open(net, out);
            break;
        case TURN_CONNECT:
            take_connect(net, out);
            break;
        case TURN_SPLICE:
            take_splice(net, out);
            break;
        case TURN_CLOSE:
            take_close(net, out->relay);
            break;
        case TURN_LEAVE:
            net_fail(net, "a flow has left that was never forwarded");
            break;
        }
    }
}

/* ---- arrivals ---- */

static void open_relay(struct net *net, const struct net_packet *packet)
{
    bool is_pair = packet->next != TURN_NO_RELAY;
    uint32_t wanted = is_pair ? 2 : 1;
    bool is_open = net->ports_open + wanted <= net->ports_max && !net_chance(net, 3);
    enum net_relay_state state = is_open ? RELAY_OPEN : RELAY_FREE;
    if (net->port > 65000)
        net->port = 49152;
    net->port = (uint16_t)(net->port + (packet->even && net->port % 2));
    for (uint32_t i = 0; i < wanted; i++) {
        uint32_t number = i ? packet->next : packet->relay;
        change(net, number, RELAY_ASKED, state);
        net->relays[number].relayed = net_relay_address(net->port++);
    }
    if (is_open) {
        net->ports_open += wanted;
        turn_opened(&net->turn, net->now, packet->relay, &net->relays[packet->relay].relayed);
    } else {
        net->shortages++;
        turn_open_failed(&net->turn, net->now, packet->relay);
    }
    drain(net);
}

static void feed_client(struct net *net, const struct net_packet *packet)
{
    if (packet->size == 0) {
        turn_client_gone(&net->turn, net->now, &packet->flow);
    } else {
        net_check_note(net, packet);
        turn_feed_client(&net->turn, net->now, &packet->flow,
                         view_make(packet->bytes, packet->size));
    }
}

/* What a peer got goes back; from where it is asked, no earlier. */
static void echo(struct net *net, const struct net_packet *packet)
{
    struct net_packet back = *packet;
    back.kind = NET_FROM_PEER;
    back.from = packet->to;
    back.to = packet->from;
    back.peer = (uint8_t)(packet->to.bytes[3] - 10);
    net->relayed++;
    send_copies(net, &back);
}

static void feed_peer(struct net *net, const struct net_packet *packet)
{
    struct net_relay *relay = &net->relays[packet->relay];
    if (relay->state != RELAY_OPEN || relay->serial != packet->serial)
        return; /* nobody is there any more */
    turn_feed_peer(&net->turn, net->now, packet->relay, &packet->from,
                   view_make(packet->bytes, packet->size));
}

static void arrive(struct net *net, const struct net_packet *packet)
{
    net->feeding = packet;
    switch ((enum net_kind)packet->kind) {
    case NET_TO_SERVER:
        feed_client(net, packet);
        break;
    case NET_TO_CLIENT:
        net->hear(net->context, packet);
        break;
    case NET_TO_PEER:
        echo(net, packet);
        break;
    case NET_FROM_PEER:
        feed_peer(net, packet);
        break;
    case NET_OPENED:
        open_relay(net, packet);
        break;
    case NET_CONNECTED:
        change(net, packet->relay, RELAY_CONNECTING, RELAY_CONNECTED);
        turn_connected(&net->turn, net->now, packet->relay, net_chance(net, 80) ? OK : ERR_CLOSED);
        break;
    case NET_FREE:
        break;
    }
    drain(net);
    net->feeding = NULL;
}

void net_hang_up(struct net *net, const struct turn_flow *flow)
{
    struct net_packet *packet = put(net, NET_TO_SERVER, net->now + STREAM_WAY);
    packet->flow = *flow; /* of no bytes: the end */
}

usec net_next(const struct net *net)
{
    const struct net_packet *packet = earliest(net);
    return packet && packet->at < net->until ? packet->at : net->until;
}

void net_turn(struct net *net)
{
    for (;;) {
        struct net_packet *next = earliest(net);
        if (!next || next->at > net->now || net->chance.error[0])
            break;
        struct net_packet packet = *next;
        next->kind = NET_FREE;
        arrive(net, &packet);
    }
    if (net->now >= net->until) {
        turn_tick(&net->turn, net->now);
        drain(net);
    }
}

/* ---- what else happens ---- */

void net_set_clock(struct net *net, int64_t shift)
{
    net->unix_shift = shift;
    turn_time_of_day(&net->turn, net->now, (uint64_t)((int64_t)net_unix_s(net) + shift));
    drain(net);
}

void net_sleep(struct net *net, usec time)
{
    net->now += time;
    for (uint32_t i = 0; i < net->packet_top; i++)
        if ((net->packets[i].kind == NET_TO_SERVER || net->packets[i].kind == NET_TO_CLIENT) &&
            !is_stream(&net->packets[i].flow))
            net->packets[i].kind = NET_FREE;
}

static void connect_back(struct net *net, uint32_t number, const struct address *peer)
{
    uint32_t connection;
    if (turn_accept(&net->turn, net->now, number, peer, &connection) == OK) {
        change(net, connection, RELAY_FREE, RELAY_CONNECTED);
        net_check_accepted(net, peer);
    }
    drain(net);
}

static void disturb_spliced(struct net *net, uint32_t number)
{
    turn_relay_gone(&net->turn, net->now, number); /* the peer ends it */
    drain(net);
}

void net_disturb(struct net *net)
{
    uint32_t number = net_pick(net, net->config.relays_max);
    struct net_relay *relay = &net->relays[number];
    uint32_t peer = net_pick(net, NET_PEERS);
    struct address from = net_peer_address(peer);
    if (relay->state == RELAY_CONNECTED && relay->is_spliced) {
        disturb_spliced(net, number);
    } else if (relay->state == RELAY_OPEN && relay->protocol == TURN_TCP) {
        connect_back(net, number, &from);
    } else if (relay->state == RELAY_OPEN) {
        struct net_data data = net_data_make(0, 0, peer, 0, 0, 0);
        struct net_packet packet = { .kind = NET_FROM_PEER,
                                     .from = from,
                                     .to = relay->relayed,
                                     .relay = number,
                                     .serial = relay->serial,
                                     .peer = (uint8_t)peer,
                                     .size = sizeof data };
        memcpy(packet.bytes, &data, sizeof data);
        send_copies(net, &packet);
    }
}
