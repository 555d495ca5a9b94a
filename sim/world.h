/* world.h - a seeded world: servers, wires and clients in one thread, with a virtual clock.
 *
 * A wire is a stream (TCP as its ends see it): bytes arrive in order, late, cut up anyhow, within a
 * window; and it can be cut, with what was under way lost.  Between the servers go parcels, late
 * and out of order among different wires.
 */
#ifndef MOIM_SIM_WORLD_H
#define MOIM_SIM_WORLD_H

#include "agent/rtc.h"
#include "front/server.h"
#include "road.h"

#define WORLD_WORKERS_MAX ROAD_WORKERS_MAX
#define WORLD_WIRES_MAX   512
#define WORLD_PIPE_SIZE   (256 * 1024)

struct chunk {
    struct chunk *next;
    usec at;
    size_t size;
    size_t used;
    uint8_t bytes[];
};

struct pipe {
    struct chunk *first;
    struct chunk *last;
    size_t size; /* bytes under way */
};

enum wire_end { WIRE_NONE, WIRE_OPEN, WIRE_MOVING, WIRE_GONE };

struct wire {
    bool is_used;
    bool client_open;
    enum wire_end server_end;
    unsigned worker;
    uint32_t stream;
    bool is_reading; /* the server takes bytes */
    bool is_blocked; /* the server waits until it can write */
    size_t window;
    struct pipe up;        /* to the server */
    struct pipe down;      /* to the client */
    usec end_up_at;        /* when the server learns that the client is gone; USEC_NEVER */
    usec end_down_at;      /* when the client learns that the server has closed */
    struct parcel *parcel; /* WIRE_MOVING */
    unsigned move_to;
    usec move_at;
    uint32_t owner; /* the client's number */
};

struct world {
    usec now;
    struct chance chance;
    unsigned worker_count;
    struct server *servers[WORLD_WORKERS_MAX];
    struct road roads[WORLD_WORKERS_MAX]; /* from each of them */
    usec wakes[WORLD_WORKERS_MAX];
    struct metrics *metrics;
    struct wire wires[WORLD_WIRES_MAX];
    unsigned latency_ms_max;
    bool is_loud; /* one room, long chats, readers that stop for long */
    uint64_t moved;
    bool is_stopping;
    const struct world_wishes *wishes;
};

/* What the servers are to have; with all zero, nothing but meetings in a mesh. */
struct world_wishes {
    const struct endpoint_configs *endpoints;
    const struct server_rtc *rtc; /* of each worker; NULL: no media ports */
    struct topology_policy topology;
    bool has_roads; /* rooms may be at several workers, ... */
    uint32_t spread_from;
    uint32_t last_n; /* of rooms of the SFU */
    uint32_t loudest_n;
    /* What a media port sends by UDP. */
    void (*to_network)(void *context, unsigned worker, const struct rtc_run *run);
    void *context;
};

/* The wishes are borrowed until world_free. */
void world_init(struct world *world, uint64_t seed, const struct world_wishes *wishes);
/* Ends every server; asserts that nothing leaked. */
void world_free(struct world *world);

static inline uint32_t world_pick(struct world *world, uint32_t bound)
{
    return chance_pick(&world->chance, bound);
}

static inline bool world_chance(struct world *world, uint32_t percent)
{
    return chance_of(&world->chance, percent);
}

/* A new wire to any worker; one that stops refuses it: it is ended at once. */
struct wire *world_connect(struct world *world, uint32_t owner);
void world_send(struct world *world, struct wire *wire, struct view bytes);
/* What has come for the client by now, taken off; 0 when there is nothing. */
size_t world_receive(struct world *world, struct wire *wire, uint8_t *out, size_t capacity);
/* Whether the server has closed, and all that it sent has been received. */
bool world_ended(const struct world *world, const struct wire *wire);
/* The client lets go.  Politely: what it sent still arrives.  Else what is under way is lost, and
 * the server learns of it soon, or (silently) never. */
void world_drop(struct world *world, struct wire *wire, bool politely, bool silently);

/* Every worker begins its end. */
void world_stop(struct world *world);

/* A datagram comes to the worker's media port; it may be changed.  world_flush when all have come
 * that come at once. */
void world_feed(struct world *world, unsigned worker, const struct ice_flow *flow,
                struct span datagram);
void world_flush(struct world *world, unsigned worker);

/* Whether anything is under way. */
bool world_is_busy(const struct world *world);
/* When something next happens on the wires or in the servers. */
usec world_next(const struct world *world);
/* Lets all happen that is due at world->now. */
void world_turn(struct world *world);

uint64_t world_metric(struct world *world, enum metric metric);

#endif
