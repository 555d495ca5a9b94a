/* turn_join.c - what need not leave the process: packets from one relay of ours to another, and to
 * ports of ours that the caller has sinks for.
 *
 * Relays are found by the address that peers know them by: that is where such a packet would come
 * out again, whatever translators stand between. */
#include "agent/turn_internal.h"

#include <string.h>

static void write_key(const struct address *address, uint8_t key[TURN_ADDRESS_KEY_SIZE])
{
    memset(key, 0, TURN_ADDRESS_KEY_SIZE);
    key[0] = address->family;
    key[1] = (uint8_t)(address->port >> 8);
    key[2] = (uint8_t)address->port;
    memcpy(key + 3, address->bytes, address->family == ADDRESS_IPV4 ? 4 : 16);
}

void turn_join_add(struct turn *turn, struct turn_relay *relay)
{
    if (relay->protocol != TURN_UDP)
        return;
    write_key(&relay->relayed, relay->relayed_key);
    /* two that peers can't tell apart (one public address for several of ours): the first has it */
    relay->is_joined = map_add(&turn->relays_by_address,
                               view_make(relay->relayed_key, TURN_ADDRESS_KEY_SIZE), relay) == OK;
}

void turn_join_remove(struct turn *turn, struct turn_relay *relay)
{
    if (relay->is_joined)
        map_remove(&turn->relays_by_address, view_make(relay->relayed_key, TURN_ADDRESS_KEY_SIZE));
    relay->is_joined = false;
}

static struct turn_relay *find_relay(const struct turn *turn, const struct address *address)
{
    uint8_t key[TURN_ADDRESS_KEY_SIZE];
    if (turn->relays_by_address.count == 0)
        return NULL;
    write_key(address, key);
    return map_find(&turn->relays_by_address, view_make(key, sizeof key));
}

bool turn_find_relay(const struct turn *turn, const struct address *address, uint32_t *relay)
{
    const struct turn_relay *found = find_relay(turn, address);
    if (!found)
        return false;
    *relay = turn_relay_number(turn, found);
    return true;
}

/* The number of the sink at the address; TURN_SINKS_MAX: there is none. */
static uint32_t find_sink(const struct turn_config *config, const struct address *address)
{
    for (uint32_t i = 0; i < config->sink_count; i++)
        if (config->sinks[i].port == address->port && address_equal(&config->sinks[i], address))
            return i;
    return TURN_SINKS_MAX;
}

bool turn_join(struct turn *turn, const struct turn_relay *from, const struct address *to,
               struct view payload)
{
    struct turn_relay *relay = find_relay(turn, to);
    if (relay) {
        metrics_add(turn->config->metrics, METRIC_TURN_JOINED, 1);
        turn_data_down(turn, relay, &from->relayed, payload);
        return true;
    }
    uint32_t sink = find_sink(turn->config, to);
    if (sink == TURN_SINKS_MAX)
        return false;
    metrics_add(turn->config->metrics, METRIC_TURN_JOINED, 1);
    struct turn_out *out = turn_put(turn, TURN_SINK);
    out->relay = turn_relay_number(turn, from);
    out->sink = sink;
    out->peer = from->relayed;
    out->payload = payload;
    return true;
}
