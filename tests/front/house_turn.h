/* house_turn.h - what a house that relays is set up with. */
#ifndef MOIM_TESTS_FRONT_HOUSE_TURN_H
#define MOIM_TESTS_FRONT_HOUSE_TURN_H

#include "house.h"

static const struct random RANDOM = { test_random_fill, &(uint64_t){ 7 } };
static const struct turn_policy POLICY = { .relay_port_min = 49152, .relay_port_max = 65535 };

static int password_of(void *context, struct view name, struct view *password)
{
    (void)context;
    *password = VIEW("wonder");
    return view_equal(name, VIEW("alice")) ? OK : ERR_NOT_FOUND;
}

/* So many allocations, and so many of one address. */
#define HOUSE_TURN(most, most_per_prefix)                                                          \
    {                                                                                              \
        .realm = { (const uint8_t *)"moim", 4 }, .users = { .by_name = password_of },              \
        .policy = &POLICY, .random = &RANDOM, .relays_ipv4 = true, .allocations_max = (most),      \
        .relays_max = (most), .peers_max = 64, .peers_per_allocation_max = 8,                      \
        .connections_per_allocation_max = 8, .allocations_per_user_max = (most),                   \
        .allocations_per_prefix_max = (most_per_prefix), .lifetime_s_max = 3600,                   \
    }

#endif
