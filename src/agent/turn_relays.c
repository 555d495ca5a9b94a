/* turn_relays.c - the relay sockets' numbers, from opening to closing. */
#include "agent/turn_internal.h"

#include <assert.h>

/* A RESERVATION-TOKEN: the worker, the relay's number, and chance. */
#define TOKEN_CHANCE ((UINT64_C(1) << 40) - 1)

struct turn_relay *turn_relay_take(struct turn *turn, enum turn_protocol protocol,
                                   enum address_family family, struct turn_allocation *allocation)
{
    struct turn_relay *relay = pool_take(&turn->relays);
    if (!relay)
        return NULL;
    relay->state = TURN_RELAY_OPENING;
    relay->protocol = (uint8_t)protocol;
    relay->family = (uint8_t)family;
    relay->allocation = allocation;
    list_init(&relay->node);
    timer_init(&relay->timer);
    random_fill(turn->config->random, &relay->generation, sizeof relay->generation);
    return relay;
}

uint32_t turn_relay_number(const struct turn *turn, const struct turn_relay *relay)
{
    return pool_index(&turn->relays, relay);
}

void turn_relay_give(struct turn *turn, struct turn_relay *relay)
{
    wheel_cancel(&turn->wheel, &relay->timer);
    list_remove(&relay->node);
    turn_join_remove(turn, relay);
    *relay = (struct turn_relay){ 0 };
    pool_give(&turn->relays, relay);
}

void turn_relay_open(struct turn *turn, struct turn_relay *relay, bool even)
{
    struct turn_out *out = turn_put(turn, TURN_OPEN);
    out->relay = turn_relay_number(turn, relay);
    out->next = relay->next_port ? turn_relay_number(turn, relay->next_port) : TURN_NO_RELAY;
    out->family = relay->family;
    out->protocol = relay->protocol;
    out->even = even;
    out->flow = &relay->allocation->flow;
}

void turn_relay_close(struct turn *turn, struct turn_relay *relay)
{
    relay->allocation = NULL;
    turn_join_remove(turn, relay);
    wheel_cancel(&turn->wheel, &relay->timer);
    list_remove(&relay->node);
    /* its answer is still to come, and finds that nobody waits for it */
    if (relay->state == TURN_RELAY_OPENING || relay->state == TURN_RELAY_CONNECTING)
        return;
    relay->state = TURN_RELAY_CLOSING;
    list_append(&turn->closing, &relay->node);
}

/* A relay by the number that the caller gave, in which he is not wrong. */
static struct turn_relay *relay_at(struct turn *turn, uint32_t number)
{
    struct turn_relay *relay = pool_at(&turn->relays, number);
    assert(relay->protocol);
    return relay;
}

/* The next port waits for the RESERVATION-TOKEN that its allocation's answer bears. */
static void reserve(struct turn *turn, struct turn_relay *relay, struct turn_relay *next)
{
    uint64_t chance;
    next->state = TURN_RELAY_OPEN;
    next->relayed = relay->relayed;
    next->relayed.port++;
    turn_join_add(turn, next);
    if (!relay->allocation) {
        turn_relay_close(turn, next);
        return;
    }
    random_fill(turn->config->random, &chance, sizeof chance);
    next->state = TURN_RELAY_RESERVED;
    next->token = (uint64_t)turn->config->worker << 56 |
                  (uint64_t)turn_relay_number(turn, next) << 40 | (chance & TOKEN_CHANCE);
    next->name_hash = relay->allocation->name_hash;
    relay->allocation->token = next->token;
    turn_set_timer(turn, &next->timer, TURN_TIMER_RELAY, TURN_RESERVATION_S);
}

void turn_opened(struct turn *turn, usec now, uint32_t number, const struct address *relayed)
{
    turn_tick(turn, now);
    struct turn_relay *relay = relay_at(turn, number);
    struct turn_relay *next = relay->next_port;
    assert(relay->state == TURN_RELAY_OPENING && relayed->family == relay->family);
    relay->state = TURN_RELAY_OPEN;
    relay->relayed = *relayed;
    turn_join_add(turn, relay);
    relay->next_port = NULL;
    if (next)
        reserve(turn, relay, next);
    if (relay->allocation)
        turn_allocation_opened(turn, relay, true);
    else
        turn_relay_close(turn, relay);
}

void turn_open_failed(struct turn *turn, usec now, uint32_t number)
{
    turn_tick(turn, now);
    struct turn_relay *relay = relay_at(turn, number);
    assert(relay->state == TURN_RELAY_OPENING);
    if (relay->next_port)
        turn_relay_give(turn, relay->next_port);
    if (relay->allocation)
        turn_allocation_opened(turn, relay, false);
    turn_relay_give(turn, relay);
}

struct turn_relay *turn_relay_reserved(struct turn *turn, uint64_t token, uint64_t name_hash)
{
    uint32_t number = (uint32_t)(token >> 40) & 0xffff;
    if (token >> 56 != turn->config->worker || number >= turn->relays.touched)
        return NULL;
    struct turn_relay *relay = pool_at(&turn->relays, number);
    bool is_it = relay->state == TURN_RELAY_RESERVED && relay->token == token &&
                 relay->name_hash == name_hash;
    return is_it ? relay : NULL;
}

void turn_relay_expired(struct turn *turn, struct turn_relay *relay)
{
    if (relay->is_connection)
        turn_connection_expired(turn, relay);
    else
        turn_relay_close(turn, relay); /* reserved, and nobody came */
}

void turn_relay_gone(struct turn *turn, usec now, uint32_t number)
{
    turn_tick(turn, now);
    struct turn_relay *relay = relay_at(turn, number);
    struct turn_allocation *allocation = relay->allocation;
    if (relay->state == TURN_RELAY_CLOSING)
        return;
    assert(relay->state != TURN_RELAY_OPENING && relay->state != TURN_RELAY_CONNECTING);
    if (relay->is_connection && allocation) {
        allocation->connection_count--;
        turn_relay_close(turn, relay);
    } else if (allocation) {
        turn_allocation_free(turn, allocation);
    } else {
        turn_relay_close(turn, relay);
    }
}
