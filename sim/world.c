#include "world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void world_init(struct world *world, uint64_t seed, const struct world_wishes *wishes)
{
    memset(world, 0, sizeof *world);
    world->wishes = wishes;
    world->now = CHANCE_BEGIN;
    chance_init(&world->chance, seed);
    world->worker_count = 1 + world_pick(world, WORLD_WORKERS_MAX);
    world->latency_ms_max = 1 + world_pick(world, 300);
    world->is_loud = world_chance(world, 10);
    world->metrics = aligned_alloc(64, sizeof(struct metrics) * WORLD_WORKERS_MAX);
    assert(world->metrics);
    memset(world->metrics, 0, sizeof(struct metrics) * WORLD_WORKERS_MAX);
    for (unsigned i = 0; i < world->worker_count; i++) {
        struct server_config config = {
            .worker = i,
            .worker_count = world->worker_count,
            .streams_max = WORLD_WIRES_MAX,
            .rooms_max = 64,
            .members_max = 256,
            .buffer_bytes = 64 * 1024 * 1024,
            .ice = { .port = 3478 },
            .random = chance_source(&world->chance),
            .room_secret = { seed, ~seed },
            .metrics = world->metrics,
            .trace_level = TRACE_ERROR,
            .endpoints = wishes->endpoints,
            .rtc = wishes->rtc ? &wishes->rtc[i] : NULL,
            .topology = wishes->topology,
            .spread_from = wishes->spread_from,
            .last_n = wishes->last_n,
            .loudest_n = wishes->loudest_n,
        };
        road_init(&world->roads[i], &world->chance, &world->now, i);
        if (wishes->has_roads)
            config.road = road_way(&world->roads[i]);
        int status = server_new(&config, world->now, &world->servers[i]);
        assert(status == OK);
        (void)status;
        world->wakes[i] = USEC_NEVER;
    }
}

static void pipe_put(struct pipe *pipe, usec at, const uint8_t *bytes, size_t size)
{
    struct chunk *chunk = malloc(sizeof *chunk + size);
    assert(chunk);
    *chunk = (struct chunk){ .at = at, .size = size };
    memcpy(chunk->bytes, bytes, size);
    if (pipe->last) {
        if (chunk->at < pipe->last->at)
            chunk->at = pipe->last->at; /* in order */
        pipe->last->next = chunk;
    } else {
        pipe->first = chunk;
    }
    pipe->last = chunk;
    pipe->size += size;
}

/* Adds bytes to the last chunk, as TCP may; false: there is none that waits, or it would grow too
 * large. */
static bool pipe_join(struct pipe *pipe, usec now, const uint8_t *bytes, size_t size)
{
    struct chunk *last = pipe->last;
    if (!last || last->at <= now || last->size + size > SERVER_READ_MAX)
        return false;
    struct chunk **link = &pipe->first;
    while (*link != last)
        link = &(*link)->next;
    last = realloc(last, sizeof *last + last->size + size);
    assert(last);
    memcpy(last->bytes + last->size, bytes, size);
    last->size += size;
    *link = last;
    pipe->last = last;
    pipe->size += size;
    return true;
}

static void pipe_used(struct pipe *pipe, size_t size)
{
    struct chunk *chunk = pipe->first;
    chunk->used += size;
    pipe->size -= size;
    if (chunk->used < chunk->size)
        return;
    pipe->first = chunk->next;
    if (!pipe->first)
        pipe->last = NULL;
    free(chunk);
}

static void pipe_clear(struct pipe *pipe)
{
    while (pipe->first)
        pipe_used(pipe, pipe->first->size - pipe->first->used);
}

static usec later(struct world *world)
{
    return world->now + (usec)world_pick(world, world->latency_ms_max * 1000) + 1;
}

static struct wire *wire_of(struct world *world, unsigned worker, uint32_t stream)
{
    for (size_t i = 0; i < WORLD_WIRES_MAX; i++) {
        struct wire *wire = &world->wires[i];
        if (wire->is_used && wire->server_end == WIRE_OPEN && wire->worker == worker &&
            wire->stream == stream)
            return wire;
    }
    assert(!"the server names a stream that it does not have");
    return NULL;
}

static void recycle(struct wire *wire)
{
    if (wire->client_open || wire->server_end != WIRE_GONE)
        return;
    pipe_clear(&wire->up);
    pipe_clear(&wire->down);
    memset(wire, 0, sizeof *wire);
}

/* Takes what the window has room for. */
static void send_down(struct world *world, struct server *server, struct wire *wire,
                      const struct server_out *out)
{
    size_t room = wire->window > wire->down.size ? wire->window - wire->down.size : 0;
    size_t sent = 0;
    usec at = later(world);
    for (size_t i = 0; i < out->run_count && room > 0; i++) {
        size_t size = out->runs[i].size < room ? out->runs[i].size : room;
        pipe_put(&wire->down, at, out->runs[i].at, size);
        room -= size;
        sent += size;
    }
    size_t offered = 0;
    for (size_t i = 0; i < out->run_count; i++)
        offered += out->runs[i].size;
    wire->is_blocked = sent < offered;
    chance_note(&world->chance, sent);
    server_sent(server, world->now, out->stream, sent);
}

/* Sends what the media port has to say. */
static void say(struct world *world, unsigned worker)
{
    struct server *server = world->servers[worker];
    const struct rtc_run *runs;
    uint32_t count;
    while ((runs = server_rtc_seal(server, world->now, &count)) != NULL) {
        for (uint32_t i = 0; i < count; i++)
            if (runs[i].flow->stream == ICE_UDP)
                world->wishes->to_network(world->wishes->context, worker, &runs[i]);
        server_rtc_sent(server);
    }
}

static void drain(struct world *world, unsigned worker)
{
    struct server *server = world->servers[worker];
    say(world, worker);
    for (;;) {
        struct server_out out;
        server_poll(server, &out);
        if (out.kind == SERVER_WAIT) {
            world->wakes[worker] = out.until;
            road_take(&world->roads[worker], server);
            return;
        }
        struct wire *wire = wire_of(world, worker, out.stream);
        chance_note(&world->chance, (uint64_t)out.kind << 32 | out.stream);
        if (out.kind == SERVER_SEND) {
            send_down(world, server, wire, &out);
        } else if (out.kind == SERVER_READ) {
            wire->is_reading = true;
        } else if (out.kind == SERVER_CLOSE) {
            wire->server_end = WIRE_GONE;
            wire->end_down_at = wire->down.last ? wire->down.last->at : later(world);
            recycle(wire);
        } else {
            wire->server_end = WIRE_MOVING;
            wire->parcel = out.parcel;
            wire->move_to = out.worker;
            wire->move_at = later(world);
            world->moved++;
        }
    }
}

struct wire *world_connect(struct world *world, uint32_t owner)
{
    struct wire *wire = NULL;
    for (size_t i = 0; i < WORLD_WIRES_MAX && !wire; i++)
        if (!world->wires[i].is_used)
            wire = &world->wires[i];
    assert(wire);
    unsigned worker = world_pick(world, world->worker_count);
    struct stream_origin origin = { .kind = STREAM_HTTP,
                                    .peer = { .family = ADDRESS_IPV4, .port = 5000 } };
    *wire = (struct wire){ .is_used = true,
                           .client_open = true,
                           .server_end = WIRE_OPEN,
                           .worker = worker,
                           .is_reading = true,
                           .window = 1024 + world_pick(world, 128 * 1024),
                           .end_up_at = USEC_NEVER,
                           .end_down_at = USEC_NEVER,
                           .owner = owner };
    int status = server_open(world->servers[worker], world->now, &origin, &wire->stream);
    assert(status == OK || world->is_stopping);
    if (status != OK) {
        wire->server_end = WIRE_GONE;
        wire->end_down_at = later(world);
    }
    drain(world, worker);
    return wire;
}

void world_send(struct world *world, struct wire *wire, struct view bytes)
{
    usec at = later(world);
    size_t sent = 0;
    if (!wire->client_open)
        return;
    while (sent < bytes.size) {
        size_t left = bytes.size - sent;
        size_t size = world_chance(world, 30) ? 1 + world_pick(world, (uint32_t)left) : left;
        if (size > SERVER_READ_MAX)
            size = SERVER_READ_MAX;
        if (!world_chance(world, 40) || !pipe_join(&wire->up, world->now, bytes.at + sent, size))
            pipe_put(&wire->up, at, bytes.at + sent, size);
        sent += size;
        at += world_pick(world, 2000);
    }
}

size_t world_receive(struct world *world, struct wire *wire, uint8_t *out, size_t capacity)
{
    struct chunk *chunk = wire->down.first;
    if (!chunk || chunk->at > world->now)
        return 0;
    size_t size = chunk->size - chunk->used;
    if (size > capacity)
        size = capacity;
    memcpy(out, chunk->bytes + chunk->used, size);
    pipe_used(&wire->down, size);
    if (wire->is_blocked && wire->server_end == WIRE_OPEN) {
        wire->is_blocked = false;
        server_writable(world->servers[wire->worker], world->now, wire->stream);
        drain(world, wire->worker);
    }
    return size;
}

bool world_ended(const struct world *world, const struct wire *wire)
{
    return wire->server_end == WIRE_GONE && wire->end_down_at <= world->now && !wire->down.first;
}

void world_drop(struct world *world, struct wire *wire, bool politely, bool silently)
{
    usec last = wire->up.last ? wire->up.last->at : world->now;
    wire->client_open = false;
    pipe_clear(&wire->down);
    if (!politely)
        pipe_clear(&wire->up);
    wire->end_up_at = later(world);
    if (politely && wire->end_up_at <= last)
        wire->end_up_at = last + 1;
    if (silently)
        wire->end_up_at = USEC_NEVER;
    wire->is_blocked = true; /* nobody reads any more */
    wire->window = 0;
    recycle(wire);
}

static void deliver_up(struct world *world, struct wire *wire)
{
    struct server *server = world->servers[wire->worker];
    while (wire->is_used && wire->server_end == WIRE_OPEN && wire->is_reading && wire->up.first &&
           wire->up.first->at <= world->now) {
        uint8_t bytes[SERVER_READ_MAX];
        struct chunk *chunk = wire->up.first;
        size_t size = chunk->size - chunk->used;
        memcpy(bytes, chunk->bytes + chunk->used, size);
        pipe_used(&wire->up, size);
        server_feed(server, world->now, wire->stream, (struct span){ bytes, size });
        wire->is_reading = server_wants_bytes(server, wire->stream);
        drain(world, wire->worker);
    }
    if (wire->is_used && wire->server_end == WIRE_OPEN && !wire->client_open &&
        wire->end_up_at <= world->now) {
        wire->server_end = WIRE_GONE;
        server_closed(server, world->now, wire->stream);
        drain(world, wire->worker);
        recycle(wire);
    }
}

static void deliver_move(struct world *world, struct wire *wire)
{
    int status =
        server_adopt(world->servers[wire->move_to], world->now, wire->parcel, &wire->stream);
    wire->parcel = NULL;
    if (status != OK) {
        assert(world->is_stopping);
        wire->server_end = WIRE_GONE;
        wire->end_down_at = later(world);
        recycle(wire);
        return;
    }
    wire->server_end = WIRE_OPEN;
    wire->worker = wire->move_to;
    wire->is_reading = server_wants_bytes(world->servers[wire->worker], wire->stream);
    wire->is_blocked = false;
    drain(world, wire->worker);
}

void world_feed(struct world *world, unsigned worker, const struct ice_flow *flow,
                struct span datagram)
{
    server_rtc_feed(world->servers[worker], world->now, flow, datagram);
    if (server_rtc_is_full(world->servers[worker]))
        say(world, worker);
}

void world_flush(struct world *world, unsigned worker)
{
    drain(world, worker);
}

void world_stop(struct world *world)
{
    world->is_stopping = true;
    for (unsigned i = 0; i < world->worker_count; i++) {
        server_stop(world->servers[i], world->now);
        drain(world, i);
    }
}

static usec min_of(usec a, usec b)
{
    return a < b ? a : b;
}

static usec wire_next(const struct world *world, const struct wire *wire)
{
    usec next = USEC_NEVER;
    if (!wire->is_used)
        return next;
    if (wire->server_end == WIRE_MOVING)
        next = wire->move_at;
    if (wire->server_end == WIRE_OPEN) {
        if (wire->up.first && wire->is_reading)
            next = min_of(next, wire->up.first->at);
        else if (!wire->client_open)
            next = min_of(next, wire->end_up_at);
    }
    if (wire->client_open && wire->down.first && wire->down.first->at > world->now)
        next = min_of(next, wire->down.first->at);
    if (wire->client_open && wire->end_down_at > world->now)
        next = min_of(next, wire->end_down_at);
    return next;
}

usec world_next(const struct world *world)
{
    usec next = USEC_NEVER;
    for (unsigned i = 0; i < world->worker_count; i++)
        next = min_of(next, world->wakes[i]);
    for (size_t i = 0; i < WORLD_WIRES_MAX; i++)
        next = min_of(next, wire_next(world, &world->wires[i]));
    return next;
}

bool world_is_busy(const struct world *world)
{
    for (size_t i = 0; i < WORLD_WIRES_MAX; i++) {
        const struct wire *wire = &world->wires[i];
        if (wire->is_used && (wire->up.size || wire->down.size || wire->server_end == WIRE_MOVING))
            return true;
    }
    return false;
}

/* What goes between workers, where it may. */
static void carry(struct world *world)
{
    for (unsigned i = 0; i < world->worker_count; i++) {
        uint32_t busy = road_carry(&world->roads[i], world->servers);
        road_take(&world->roads[i], world->servers[i]); /* what was to be polled again */
        for (unsigned k = 0; k < world->worker_count; k++)
            if (busy >> k & 1)
                drain(world, k);
    }
}

void world_turn(struct world *world)
{
    if (world->wishes->has_roads)
        carry(world);
    for (unsigned i = 0; i < world->worker_count; i++) {
        if (world->wakes[i] > world->now)
            continue;
        server_tick(world->servers[i], world->now);
        drain(world, i);
    }
    for (size_t i = 0; i < WORLD_WIRES_MAX; i++) {
        struct wire *wire = &world->wires[i];
        if (wire->is_used && wire->server_end == WIRE_MOVING && wire->move_at <= world->now)
            deliver_move(world, wire);
        if (wire->is_used && wire->server_end == WIRE_OPEN)
            deliver_up(world, wire);
    }
}

uint64_t world_metric(struct world *world, enum metric metric)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < world->worker_count; i++)
        sum += metrics_read(&world->metrics[i], metric);
    return sum;
}

void world_free(struct world *world)
{
    for (size_t i = 0; i < WORLD_WIRES_MAX; i++) {
        pipe_clear(&world->wires[i].up);
        pipe_clear(&world->wires[i].down);
        parcel_free(world->wires[i].parcel);
    }
    for (unsigned i = 0; i < world->worker_count; i++)
        road_free(&world->roads[i]);
    for (unsigned i = 0; i < world->worker_count; i++)
        server_free(world->servers[i]); /* asserts that no buffer is left */
    free(world->metrics);
}
