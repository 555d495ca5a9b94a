/* The simulation of whole meetings: sim [FIRST [COUNT]] runs that many seeds from the first on.
 *
 * Each seed is a world of 1 to 4 workers, 2 to 20 clients and up to 10 callers at endpoints for two
 * minutes of virtual time, then a calm minute in which all that was said must arrive, and the end:
 * all go, or they go on for a while and the server stops.
 * What is checked: check.h, callers_check, and that nothing is left when all have gone: no member,
 * no room, no stream, no buffer.  A failure prints the command that replays it.
 */
#include "caller.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#define CLIENTS_MAX 20
#define CALLERS_MAX 10
#define STOPS       25 /* of 100 worlds: the server stops while they talk, else they go */

struct totals {
    uint64_t chats;
    uint64_t resumes;
    uint64_t lost;
    uint64_t moved;
    uint64_t slow;
    uint64_t said; /* by callers */
    uint64_t upgrades;
};

static struct world world;
static struct client clients[CLIENTS_MAX];
static struct caller callers[CALLERS_MAX];
static uint32_t caller_count;

static void run_until(uint32_t count, usec end)
{
    for (;;) {
        usec next = world_next(&world);
        for (uint32_t i = 0; i < count; i++)
            if (client_next(&clients[i]) < next)
                next = client_next(&clients[i]);
        for (uint32_t i = 0; i < caller_count; i++)
            if (caller_next(&callers[i]) < next)
                next = caller_next(&callers[i]);
        if (next > end)
            break;
        if (next > world.now)
            world.now = next;
        world_turn(&world);
        for (uint32_t i = 0; i < count; i++)
            client_turn(&clients[i]);
        for (uint32_t i = 0; i < caller_count; i++)
            caller_turn(&callers[i]);
    }
    world.now = end;
}

static bool check_empty(void)
{
    /* and nobody is ever blamed for a fault that it did not commit */
    static const enum metric LEVELS[] = {
        METRIC_MEMBERS,        METRIC_MEMBERS_AWAY,   METRIC_ROOMS,
        METRIC_WEBSOCKETS,     METRIC_SESSIONS,       METRIC_RELAY_ROOMS,
        METRIC_RELAY_KEPT,     METRIC_RELAY_NOT_KEPT, METRIC_CLOSED_PROTOCOL,
        METRIC_CLOSED_FLOOD,   METRIC_CLOSED_LIMIT,   METRIC_STOMP_SUBSCRIPTIONS,
        METRIC_DOOR_WAITS,     METRIC_RELAY_REFUSED,  METRIC_SESSIONS_REFUSED,
        METRIC_ORIGIN_REFUSED, METRIC_STOMP_ERRORS
    };
    bool good = true;
    for (size_t i = 0; i < sizeof LEVELS / sizeof LEVELS[0]; i++) {
        bool is_right = world.is_stopping && LEVELS[i] == METRIC_SESSIONS_REFUSED;
        if (is_right || world_metric(&world, LEVELS[i]) == 0)
            continue;
        fprintf(stderr, "metric %d is left at %llu\n", LEVELS[i],
                (unsigned long long)world_metric(&world, LEVELS[i]));
        good = false;
    }
    for (unsigned i = 0; i < world.worker_count; i++) {
        if (server_streams(world.servers[i]) == 0)
            continue;
        fprintf(stderr, "worker %u has %u streams left\n", i, server_streams(world.servers[i]));
        good = false;
    }
    return good;
}

/* What all of them do from now on. */
static void tell_all(uint32_t count, void (*client_does)(struct client *),
                     void (*caller_does)(struct caller *))
{
    for (uint32_t i = 0; i < count; i++)
        client_does(&clients[i]);
    for (uint32_t i = 0; i < caller_count; i++)
        caller_does(&callers[i]);
}

static uint32_t begin(uint64_t seed)
{
    static const struct world_wishes WISHES = { .endpoints = &home_endpoints };
    world_init(&world, seed, &WISHES);
    const uint32_t meet[2] = { world_pick(&world, HOMES), world_pick(&world, HOMES) };
    uint32_t count = 2 + world_pick(&world, CLIENTS_MAX - 1);
    for (uint32_t i = 0; i < count; i++)
        client_init(&clients[i], &world, i + 1);
    caller_count = world_pick(&world, CALLERS_MAX + 1);
    for (uint32_t i = 0; i < caller_count; i++)
        caller_init(&callers[i], &world, meet, 1000 + i);
    return count;
}

static bool check(uint32_t count)
{
    return check_all(clients, count) && callers_check(callers, caller_count);
}

/* Adds up what happened; false: somebody did not come to the end. */
static bool sum_up(uint32_t count, struct totals *totals)
{
    bool good = true;
    for (uint32_t i = 0; i < count; i++) {
        good = good && clients[i].errors == 0 && clients[i].state == CLIENT_DONE;
        for (uint32_t j = 0; j < clients[i].session_count; j++)
            totals->chats += clients[i].sessions[j].said_count;
        totals->resumes += clients[i].resumes;
        totals->lost += clients[i].lost;
    }
    for (uint32_t i = 0; i < caller_count; i++) {
        good = good && callers[i].state == CALLER_DONE;
        totals->said += callers[i].said;
    }
    totals->moved += world.moved;
    totals->slow += world_metric(&world, METRIC_CLOSED_SLOW);
    totals->upgrades += world_metric(&world, METRIC_ENGINE_UPGRADES);
    if (!good)
        fprintf(stderr, "somebody did not come to the end\n");
    return good;
}

static bool run_seed(uint64_t seed, struct totals *totals, uint64_t *hash)
{
    uint32_t count = begin(seed);
    run_until(count, world.now + 120 * USEC_S);
    tell_all(count, client_calm, caller_calm);
    run_until(count, world.now + 60 * USEC_S);
    for (int i = 0; i < 100 && world_is_busy(&world); i++)
        run_until(count, world.now + 500 * USEC_MS);
    bool good = check(count);
    if (world_chance(&world, STOPS)) {
        tell_all(count, client_stir, caller_stir);
        run_until(count, world.now + 5 * USEC_S);
        world_stop(&world);
    }
    tell_all(count, client_finish, caller_finish);
    run_until(count, world.now + 100 * USEC_S);
    good = good && check(count);
    good = check_empty() && good;
    good = sum_up(count, totals) && good;
    tell_all(count, client_free, caller_free);
    *hash = world.chance.hash;
    world_free(&world);
    return good;
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
        printf("not ok 1 - seed %llu\n# replay: sim %llu\n", (unsigned long long)seed,
               (unsigned long long)seed);
        return 1;
    }
    printf("ok 1 - %llu seeds: %llu chats, %llu resumes, %llu sessions lost, %llu moved, "
           "%llu slow, %llu said at endpoints, %llu upgrades\n",
           (unsigned long long)count, (unsigned long long)totals.chats,
           (unsigned long long)totals.resumes, (unsigned long long)totals.lost,
           (unsigned long long)totals.moved, (unsigned long long)totals.slow,
           (unsigned long long)totals.said, (unsigned long long)totals.upgrades);
    bool same = run_seed(first + count - 1, &totals, &again) && hash == again;
    printf("%s 2 - the same seed runs the same way\n1..2\n", same ? "ok" : "not ok");
    return same ? 0 : 1;
}
