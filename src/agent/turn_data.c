/* turn_data.c - the way of relayed packets (RFC 8656, sections 11 and 12): a lookup, a header, and
 * the payload as it lies in the caller's memory. */
#include "agent/turn_internal.h"

#define DATA_ATTR_HEADER 4

static const uint8_t PADDING[3];

static void send_up(struct turn *turn, struct turn_allocation *allocation,
                    const struct address *peer, struct view payload, bool dont_fragment)
{
    struct turn_relay *relay = turn_relay_of_family(allocation, peer->family);
    if (!relay) {
        turn_drop(turn, METRIC_TURN_DROPPED_PERMISSION);
        return;
    }
    if (!turn_rate_may(turn, allocation, payload.size)) {
        turn_drop(turn, METRIC_TURN_DROPPED_RATE);
        return;
    }
    allocation->bytes_up += payload.size;
    allocation->packets_up++;
    metrics_add(turn->config->metrics, METRIC_TURN_PACKETS_UP, 1);
    metrics_add(turn->config->metrics, METRIC_TURN_BYTES_UP, payload.size);
    if (turn_join(turn, relay, peer, payload))
        return;
    struct turn_out *out = turn_put(turn, TURN_PEER);
    out->relay = turn_relay_number(turn, relay);
    out->peer = *peer;
    out->payload = payload;
    out->dont_fragment = dont_fragment;
}

/* The flow's allocation, if it is one that takes data; otherwise the packet was dropped. */
static struct turn_allocation *find_open(struct turn *turn, const struct turn_flow *flow)
{
    struct turn_allocation *allocation = turn_find_flow(turn, flow);
    if (allocation && allocation->state == TURN_ALLOCATION_OPEN && allocation->protocol == TURN_UDP)
        return allocation;
    turn_drop(turn, METRIC_TURN_DROPPED_STRAY);
    return NULL;
}

void turn_data_channel(struct turn *turn, const struct turn_flow *flow, struct view bytes)
{
    uint16_t channel;
    struct view payload;
    if (turn_channel_read(bytes, &channel, &payload) != OK) {
        turn_drop(turn, METRIC_TURN_DROPPED_MALFORMED);
        return;
    }
    struct turn_allocation *allocation = find_open(turn, flow);
    if (!allocation)
        return;
    struct turn_peer *peer = turn_peer_of_channel(turn, allocation, channel);
    if (!peer)
        turn_drop(turn, METRIC_TURN_DROPPED_PERMISSION);
    else
        send_up(turn, allocation, &peer->address, payload, false);
}

void turn_data_send(struct turn *turn, const struct turn_flow *flow, const struct stun_msg *msg)
{
    const struct stun_attr *attr = stun_find(msg, STUN_XOR_PEER_ADDRESS);
    const struct stun_attr *data = stun_find(msg, STUN_DATA_VALUE);
    const struct stun_attr *dont_fragment = stun_find(msg, STUN_DONT_FRAGMENT);
    struct address peer;
    bool has_unknown = false;
    for (uint32_t i = 0; i < msg->attr_count; i++) {
        uint16_t type = msg->attrs[i].type;
        has_unknown = has_unknown ||
                      (type < 0x8000 && type != STUN_XOR_PEER_ADDRESS && type != STUN_DATA_VALUE &&
                       type != STUN_DONT_FRAGMENT && type != STUN_MESSAGE_INTEGRITY);
    }
    if (!attr || !data || has_unknown || stun_read_xor_address(msg, attr, &peer) != OK) {
        turn_drop(turn, METRIC_TURN_DROPPED_MALFORMED);
        return;
    }
    struct turn_allocation *allocation = find_open(turn, flow);
    if (!allocation)
        return;
    /* the permission was for a host; the port of one of our own is judged here */
    if (!turn_peer_of_address(turn, allocation, &peer) ||
        !turn_policy_allows(turn->config->policy, &peer))
        turn_drop(turn, METRIC_TURN_DROPPED_PERMISSION);
    else
        send_up(turn, allocation, &peer, data->value, dont_fragment);
}

/* ---- to the client ---- */

static bool is_stream(const struct turn_allocation *allocation)
{
    return allocation->flow.transport == TURN_OVER_TCP ||
           allocation->flow.transport == TURN_OVER_TLS;
}

static struct turn_out *put_client(struct turn *turn, const struct turn_allocation *allocation,
                                   size_t header_size)
{
    struct turn_out *out = turn_put(turn, TURN_CLIENT);
    out->flow = &allocation->flow;
    out->header = view_make(turn->scratch, header_size);
    return out;
}

/* A Data indication without its last value: the transaction is chance, as section 11.4 has it. */
static bool begin_data(struct turn *turn, struct stun_writer *writer, const struct address *peer)
{
    uint8_t transaction[STUN_TRANSACTION_SIZE];
    random_fill(turn->config->random, transaction, sizeof transaction);
    stun_begin(writer, turn->scratch, sizeof turn->scratch, STUN_INDICATION, STUN_DATA,
               transaction);
    stun_add_xor_address(writer, STUN_XOR_PEER_ADDRESS, peer);
    return !writer->overflow;
}

static void send_data(struct turn *turn, const struct turn_allocation *allocation,
                      const struct address *peer, struct view payload)
{
    struct stun_writer writer;
    if (!begin_data(turn, &writer, peer))
        return;
    size_t padding = turn_channel_padding(payload.size);
    uint8_t *at = turn->scratch + writer.size;
    size_t length = writer.size + DATA_ATTR_HEADER + payload.size + padding - STUN_HEADER_SIZE;
    if (length > UINT16_MAX) {
        turn_drop(turn, METRIC_TURN_DROPPED_MALFORMED);
        return;
    }
    turn_channel_write(at, STUN_DATA_VALUE, payload.size); /* type and size: the same shape */
    turn->scratch[2] = (uint8_t)(length >> 8);
    turn->scratch[3] = (uint8_t)length;
    struct turn_out *out = put_client(turn, allocation, writer.size + DATA_ATTR_HEADER);
    out->payload = payload;
    out->trailer = view_make(PADDING, padding);
}

static void send_channel(struct turn *turn, const struct turn_allocation *allocation,
                         uint16_t channel, struct view payload)
{
    turn_channel_write(turn->scratch, channel, payload.size);
    struct turn_out *out = put_client(turn, allocation, TURN_CHANNEL_HEADER_SIZE);
    out->payload = payload;
    out->trailer =
        view_make(PADDING, is_stream(allocation) ? turn_channel_padding(payload.size) : 0);
}

/* The relay's allocation; NULL: it is closing, or reserved. */
static struct turn_allocation *allocation_of(const struct turn_relay *relay)
{
    bool is_open = relay->allocation && relay->allocation->state == TURN_ALLOCATION_OPEN;
    return is_open ? relay->allocation : NULL;
}

void turn_data_down(struct turn *turn, const struct turn_relay *relay, const struct address *peer,
                    struct view bytes)
{
    struct turn_allocation *allocation = allocation_of(relay);
    if (!allocation || bytes.size > UINT16_MAX) {
        turn_drop(turn, METRIC_TURN_DROPPED_STRAY);
        return;
    }
    struct turn_peer *known = turn_peer_of_address(turn, allocation, peer);
    if (!known) {
        turn_drop(turn, METRIC_TURN_DROPPED_PERMISSION);
        return;
    }
    if (!turn_rate_may(turn, allocation, bytes.size)) {
        turn_drop(turn, METRIC_TURN_DROPPED_RATE);
        return;
    }
    allocation->bytes_down += bytes.size;
    allocation->packets_down++;
    metrics_add(turn->config->metrics, METRIC_TURN_PACKETS_DOWN, 1);
    metrics_add(turn->config->metrics, METRIC_TURN_BYTES_DOWN, bytes.size);
    if (known->channel)
        send_channel(turn, allocation, known->channel, bytes);
    else
        send_data(turn, allocation, peer, bytes);
}

void turn_feed_peer(struct turn *turn, usec now, uint32_t relay, const struct address *peer,
                    struct view bytes)
{
    turn_tick(turn, now);
    turn_data_down(turn, pool_at(&turn->relays, relay), peer, bytes);
}

void turn_feed_icmp(struct turn *turn, usec now, uint32_t relay, const struct address *peer,
                    const struct stun_icmp *icmp)
{
    struct stun_writer writer;
    turn_tick(turn, now);
    struct turn_allocation *allocation = allocation_of(pool_at(&turn->relays, relay));
    if (!allocation || !turn_peer_of_address(turn, allocation, peer)) {
        turn_drop(turn, METRIC_TURN_DROPPED_PERMISSION);
        return;
    }
    if (!begin_data(turn, &writer, peer))
        return;
    stun_add_icmp(&writer, icmp);
    put_client(turn, allocation, writer.size);
}
