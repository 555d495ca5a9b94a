/* The simulation of a TURN agent: sim_turn [FIRST [COUNT]] runs that many seeds from the first on.
 *
 * Each seed is 2 to 12 clients for half an hour of virtual time on a bad network, with a machine
 * that may have few ports, small pools, and clocks that jump: the time of day, and time itself, as
 * when a machine has slept.  Then two calm minutes, in which everyone gets a message to a peer and
 * back or is told that there is no room; and the end: they leave or just vanish, and when all that
 * they had has expired, nothing is left.  What is checked on the way: net_check.h.
 * A failure prints the command that replays it.
 */
#include "caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAOS (1800 * USEC_S)
#define CALM  (120 * USEC_S)
#define AFTER (2 * 3600 * USEC_S)

struct totals {
    uint64_t relayed, came_back, met, refused, moved, spliced, shortages, heard;
};

static struct net net;
static struct caller callers[NET_CLIENTS_MAX];
static uint32_t caller_count;

static void hear(void *context, const struct net_packet *packet)
{
    uint32_t number = packet->flow.client.bytes[3];
    (void)context;
    if (number >= caller_count)
        net_fail(&net, "an answer to nobody");
    else
        caller_hear(&callers[number], packet);
}

/* Things that happen to servers. */
static void befall(void)
{
    uint32_t chance = net_pick(&net, 100);
    if (chance < 60)
        net_disturb(&net);
    else if (chance < 63)
        net_set_clock(&net, (int64_t)net_pick(&net, 2000000000) - 1000000000);
    else if (chance < 75)
        net_set_clock(&net, 0);
    else if (chance < 77)
        net_sleep(&net, net_pick(&net, 700) * USEC_S);
    net_check_limits(&net);
}

static void run_until(usec end, bool is_wild)
{
    usec befalls_at = is_wild ? net.now : USEC_NEVER;
    while (!net.chance.error[0]) {
        usec next = net_next(&net) < befalls_at ? net_next(&net) : befalls_at;
        for (uint32_t i = 0; i < caller_count; i++)
            next = caller_next(&callers[i]) < next ? caller_next(&callers[i]) : next;
        if (next > end)
            break;
        if (next > net.now)
            net.now = next;
        if (net.now >= befalls_at) {
            befall();
            befalls_at = net.now + 1 + net_pick(&net, 5000) * USEC_MS;
        }
        net_turn(&net);
        for (uint32_t i = 0; i < caller_count; i++)
            caller_turn(&callers[i]);
    }
    if (net.now < end)
        net.now = end;
}

static void begin(uint64_t seed)
{
    net_init(&net, seed);
    net.hear = hear;
    caller_count = 2 + net_pick(&net, NET_CLIENTS_MAX - 1);
    for (uint32_t i = 0; i < caller_count; i++)
        caller_init(&callers[i], &net, i);
}

static void calm_down(void)
{
    net.loss = net.doubles = 0;
    net.latency_ms_max = 50;
    net_set_clock(&net, 0);
    for (uint32_t i = 0; i < caller_count; i++)
        caller_calm(&callers[i]);
    run_until(net.now + CALM, false);
    for (uint32_t i = 0; i < caller_count; i++)
        if (callers[i].state != CALLER_DONE)
            net_fail(&net, "client %u has come to nothing in the calm", i);
}

static void sum_up(struct totals *totals)
{
    totals->relayed += net.relayed;
    totals->came_back += net.came_back;
    totals->met += net.met;
    totals->refused += net.refused;
    totals->moved += net.moved;
    totals->spliced += net.spliced;
    totals->shortages += net.shortages;
    for (uint32_t i = 0; i < caller_count; i++)
        totals->heard += callers[i].is_bound;
}

static bool run_seed(uint64_t seed, struct totals *totals, uint64_t *hash)
{
    begin(seed);
    run_until(net.now + CHAOS, true);
    calm_down();
    sum_up(totals);
    for (uint32_t i = 0; i < caller_count; i++)
        caller_finish(&callers[i]);
    run_until(net.now + AFTER, false);
    net_turn(&net);
    net_check_empty(&net);
    *hash = net.chance.hash;
    net_free(&net);
    if (net.chance.error[0])
        fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, net.chance.error);
    return !net.chance.error[0];
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    struct totals totals = { 0 };
    uint64_t hash = 0;
    uint64_t again = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        if (run_seed(seed, &totals, &hash))
            continue;
        printf("not ok 1 - seed %llu\n# replay: sim_turn %llu\n", (unsigned long long)seed,
               (unsigned long long)seed);
        return 1;
    }
    printf("ok 1 - %llu seeds: %llu relayed, %llu came back, %llu met, %llu refused, %llu moved, "
           "%llu spliced, %llu times no port, %llu heard in the calm\n",
           (unsigned long long)count, (unsigned long long)totals.relayed,
           (unsigned long long)totals.came_back, (unsigned long long)totals.met,
           (unsigned long long)totals.refused, (unsigned long long)totals.moved,
           (unsigned long long)totals.spliced, (unsigned long long)totals.shortages,
           (unsigned long long)totals.heard);
    bool same = run_seed(first + count - 1, &totals, &again) && hash == again;
    printf("%s 2 - the same seed runs the same way\n1..2\n", same ? "ok" : "not ok");
    return same ? 0 : 1;
}
