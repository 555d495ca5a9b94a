/* house_network.h - between a house's media port and far ends there is a network, in which nothing
 * arrives before run. */
#ifndef MOIM_TESTS_FRONT_HOUSE_NETWORK_H
#define MOIM_TESTS_FRONT_HOUSE_NETWORK_H

#include "house.h"

#include "agent/rtc_house.h"

static struct house *house;
static struct server *server;
static unsigned far_workers[FARS_MAX]; /* whose port they speak to */

static inline void to_network(const struct rtc_run *run)
{
    struct far *far = far_of(run->flow);
    for (size_t at = 0; far && at < run->bytes.size; at += run->segment)
        network_put(far, false, view_slice(run->bytes, at, run->segment));
}

static inline void run(void)
{
    port.now = house->now;
    house_drain(house);
    while (network.count > 0) {
        unsigned at = network.first;
        struct far *far = network.queue[at].far;
        size_t size = network.queue[at].size;
        bool is_to_port = network.queue[at].is_to_port;
        uint8_t *copy = test_copy(view_make(network.queue[at].bytes, size));
        network.first = (at + 1) % NETWORK_MAX;
        network.count--;
        if (is_to_port)
            server_rtc_feed(house->servers[far_workers[far - port.fars]], house->now, &far->flow,
                            (struct span){ copy, size });
        else
            far_hear(far, view_make(copy, size));
        free(copy);
        house_drain(house);
    }
}

#endif
