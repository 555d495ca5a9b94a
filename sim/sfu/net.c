#include "net.h"

#include <string.h>

void net_init(struct net *net, uint64_t seed)
{
    memset(net, 0, sizeof *net);
    chance_init(&net->chance, seed);
    net->now = CHANCE_BEGIN;
    for (unsigned i = 0; i < NET_DELAYS_MAX; i++)
        net->last[i] = &net->first[i];
    for (unsigned i = 0; i < NET_PACKETS_MAX; i++)
        net_give(net, &net->packets[i]);
}

/* ---- packets ---- */

static void put(struct net *net, unsigned whom, bool is_to_port, const struct ice_flow *flow,
                struct view bytes)
{
    struct net_packet *packet = net->free;
    uint64_t at = (net->step + 1 + net_pick(net, net->delay + 1)) % NET_DELAYS_MAX;
    if (!packet)
        return; /* a queue that is full */
    net->free = packet->next;
    packet->next = NULL;
    packet->flow = *flow;
    packet->whom = (uint8_t)whom;
    packet->is_to_port = is_to_port;
    packet->run = net->run;
    packet->size = (uint16_t)bytes.size;
    memcpy(packet->bytes, bytes.at, bytes.size);
    *net->last[at] = packet;
    net->last[at] = &packet->next;
}

void net_send(struct net *net, unsigned whom, bool is_to_port, const struct ice_flow *flow,
              struct view bytes)
{
    uint32_t loss = net->loss + (is_to_port ? 0 : net->slow[whom]);
    if (bytes.size == 0 || bytes.size > RTC_PACKET_MAX) {
        net_fail(net, "a packet of %zu bytes", bytes.size);
        return;
    }
    if (net->now < net->dead_until[whom] || net_chance(net, loss))
        return;
    put(net, whom, is_to_port, flow, bytes);
    if (net_chance(net, net->doubles))
        put(net, whom, is_to_port, flow, bytes);
}

void net_go_on(struct net *net)
{
    net->now += NET_STEP;
    net->step++;
}

struct net_packet *net_take(struct net *net)
{
    unsigned at = (unsigned)(net->step % NET_DELAYS_MAX);
    struct net_packet *packet = net->first[at];
    if (!packet)
        return NULL;
    net->run = packet->run;
    net->first[at] = packet->next;
    if (!packet->next)
        net->last[at] = &net->first[at];
    return packet;
}

void net_give(struct net *net, struct net_packet *packet)
{
    packet->next = net->free;
    net->free = packet;
}
