#include "net.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BEGIN (1000 * USEC_S)

uint64_t net_random(struct net *net)
{
    uint64_t z = net->random_state += 0x9e3779b97f4a7c15u; /* SplitMix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t net_pick(struct net *net, uint32_t bound)
{
    return (uint32_t)(net_random(net) % bound);
}

bool net_chance(struct net *net, uint32_t percent)
{
    return net_pick(net, 100) < percent;
}

static void fill(void *context, void *into, size_t size)
{
    uint8_t *out = into;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)net_random(context);
}

void net_fail(struct net *net, const char *format, ...)
{
    va_list arguments;
    if (net->error[0])
        return;
    int size =
        snprintf(net->error, sizeof net->error, "at %.3f s: ", (double)(net->now - BEGIN) / USEC_S);
    va_start(arguments, format);
    vsnprintf(net->error + size, sizeof net->error - (size_t)size, format, arguments);
    va_end(arguments);
}

void net_hash(struct net *net, uint64_t number)
{
    net->hash = (net->hash ^ number) * 0x100000001b3u;
}

void net_init(struct net *net, uint64_t seed)
{
    memset(net, 0, sizeof *net);
    net->random_state = seed * 0x2545f4914f6cdd1du + 1;
    net->random = (struct random){ fill, net };
    net->now = BEGIN;
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
    if (net_chance(net, loss))
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
