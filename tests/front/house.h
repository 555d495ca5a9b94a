/* house.h - whole servers for tests, in memory: a shell with a virtual clock and no I/O.
 *
 * A wire is a client's end of one stream.  What the client sends is fed at once; what the server
 * sends is collected up to the wire's room (a socket's window), and the server is told so as a
 * socket would tell it.  After every call all servers are drained.
 *
 * house_close() ends every wire, lets places that are kept run out, and checks that nothing is
 * left.
 */
#ifndef MOIM_TESTS_FRONT_HOUSE_H
#define MOIM_TESTS_FRONT_HOUSE_H

#include "front/rtc.h"
#include "front/turn.h"
#include "support.h"

#define HOUSE_WORKERS_MAX 2
#define HOUSE_WIRES_MAX   64
#define HOUSE_ROAD_MAX    256
#define HOUSE_BEGIN       (1000 * USEC_S)

/* What a test wants otherwise than usual; 0 is the usual. */
struct wishes {
    unsigned workers; /* 1 */
    uint32_t streams_max;
    uint32_t rooms_max;
    uint32_t members_max;
    size_t buffer_bytes;
    uint16_t stun_port;
    const char *stun_host;
    const struct ice_config *ice; /* in place of those two */
    const struct assets *assets;
    const struct endpoint_configs *endpoints;
    const struct turn_config *turn;
    struct dtls_context *dtls;
    void (*to_client)(const struct turn_out *out); /* datagrams to clients; NULL: lost */
    const struct server_rtc *rtc;
    void (*to_network)(const struct rtc_run *run); /* UDP of the media port; NULL: lost */
    const struct token_secrets *auth;
    const struct token_secrets *admin;
    bool has_pcap;
    uint32_t spread_from; /* 0: rooms are at one worker */
    uint32_t last_n;
    uint32_t loudest_n;
};

struct bytes {
    uint8_t *at;
    size_t size;
    size_t capacity;
};

enum wire_state { WIRE_UNUSED, WIRE_OPEN, WIRE_MOVING, WIRE_SPLICED, WIRE_CLOSED };

struct wire {
    struct house *house;
    enum wire_state state;
    unsigned worker;
    uint32_t stream;
    size_t room;           /* what the socket takes until the client reads */
    struct bytes got;      /* from the server, not yet looked at */
    struct bytes unfed;    /* from the client, while the server takes nothing */
    bool is_paused;        /* the server said so */
    bool is_blocked;       /* the socket has taken less than it was offered */
    uint64_t reads;        /* how often SERVER_READ has named it */
    struct parcel *parcel; /* WIRE_MOVING */
    unsigned move_to;
};

/* What goes from one worker to the others' media. */
struct house_road {
    struct house *house;
    unsigned from;
    unsigned count;
    bool is_blocked;
    struct {
        unsigned to;
        size_t size;
        uint8_t *bytes;
    } queue[HOUSE_ROAD_MAX];
};

struct house {
    usec now;
    unsigned workers;
    struct address peer; /* of wires that are dialled from now on */
    bool secure;         /* new wires come by TLS */
    bool errands_fail;   /* no question goes to another worker */
    bool notes_wait;     /* ... nor any note */
    struct house_road roads[HOUSE_WORKERS_MAX];
    bool moves_wait; /* parcels stay where they are until wire_deliver */
    uint64_t random_state;
    struct server *servers[HOUSE_WORKERS_MAX];
    usec wakes[HOUSE_WORKERS_MAX];
    struct metrics *metrics;
    struct wire wires[HOUSE_WIRES_MAX];
    struct bytes relayed; /* what relays have sent, one after the other */
    unsigned relayed_count;
    uint32_t relay;       /* the one that was opened last */
    unsigned relay_count; /* that are open */
    void (*to_client)(const struct turn_out *out);
    void (*to_network)(const struct rtc_run *run);
};

/* ---- bytes ---- */

static inline void bytes_add(struct bytes *bytes, struct view more)
{
    if (bytes->size + more.size > bytes->capacity) {
        bytes->capacity = (bytes->size + more.size) * 2;
        bytes->at = realloc(bytes->at, bytes->capacity);
        assert_non_null(bytes->at);
    }
    if (more.size)
        memcpy(bytes->at + bytes->size, more.at, more.size);
    bytes->size += more.size;
}

static inline void bytes_used(struct bytes *bytes, size_t size)
{
    assert_true(size <= bytes->size);
    bytes->size -= size;
    if (bytes->size)
        memmove(bytes->at, bytes->at + size, bytes->size);
}

static inline struct view bytes_view(const struct bytes *bytes)
{
    return view_make(bytes->at, bytes->size);
}

/* ---- the shell ---- */

static inline uint64_t house_metric(struct house *house, enum metric metric)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < house->workers; i++)
        sum += metrics_read(&house->metrics[i], metric);
    return sum;
}

static inline struct server *wire_server(const struct wire *wire)
{
    return wire->house->servers[wire->worker];
}

static inline struct wire *house_find(struct house *house, unsigned worker, uint32_t stream)
{
    for (size_t i = 0; i < HOUSE_WIRES_MAX; i++) {
        struct wire *wire = &house->wires[i];
        if (wire->state == WIRE_OPEN && wire->worker == worker && wire->stream == stream)
            return wire;
    }
    fail_msg("the server names stream %u, which it does not have", (unsigned)stream);
    return NULL;
}

static inline void house_take(struct wire *wire, const struct server_out *out)
{
    size_t offered = 0;
    size_t taken = 0;
    assert_true(out->run_count > 0 && !wire->is_blocked);
    for (size_t i = 0; i < out->run_count; i++) {
        size_t left = wire->room - taken;
        size_t size = out->runs[i].size < left ? out->runs[i].size : left;
        offered += out->runs[i].size;
        bytes_add(&wire->got, view_make(out->runs[i].at, size));
        taken += size;
    }
    if (wire->room != SIZE_MAX)
        wire->room -= taken;
    wire->is_blocked = taken < offered;
    server_sent(wire_server(wire), wire->house->now, wire->stream, taken);
}

static inline void house_do(struct house *house, unsigned worker, const struct server_out *out)
{
    struct wire *wire = house_find(house, worker, out->stream);
    switch (out->kind) {
    case SERVER_SEND:
        house_take(wire, out);
        break;
    case SERVER_READ:
        /* it may have paused and gone on while the client said nothing */
        assert_true(server_wants_bytes(wire_server(wire), wire->stream));
        wire->is_paused = false;
        wire->reads++;
        break;
    case SERVER_CLOSE:
        wire->state = WIRE_CLOSED;
        break;
    case SERVER_HAND_OVER:
        wire->state = WIRE_MOVING;
        wire->parcel = out->parcel;
        wire->move_to = out->worker;
        break;
    case SERVER_SPLICE:
        wire->state = WIRE_SPLICED;
        bytes_add(&wire->unfed, out->runs[0]);
        break;
    case SERVER_WAIT:
        break;
    }
}

/* Opens and closes relays, and keeps what they send. */
static inline void house_relay(struct house *house, unsigned worker)
{
    const struct turn_out *out;
    bool is_opening = true;
    while (is_opening) {
        is_opening = false;
        while ((out = server_relay_poll(house->servers[worker], house->now)) != NULL) {
            if (out->kind == TURN_PEER) {
                bytes_add(&house->relayed, out->payload);
                house->relayed_count++;
            } else if (out->kind == TURN_CLIENT && house->to_client) {
                house->to_client(out);
            } else if (out->kind == TURN_OPEN) {
                house->relay = out->relay;
                house->relay_count++;
                is_opening = true;
            } else if (out->kind == TURN_CLOSE) {
                house->relay_count--;
            }
        }
        struct address relayed = { .family = ADDRESS_IPV4,
                                   .bytes = { 192, 0, 2, 1 },
                                   .port = 50000 };
        if (is_opening)
            server_relay_opened(house->servers[worker], house->now, house->relay, &relayed);
    }
}

/* Sends what the media port has to say. */
static inline void house_say(struct house *house, unsigned worker)
{
    const struct rtc_run *runs;
    uint32_t count;
    while ((runs = server_rtc_seal(house->servers[worker], house->now, &count)) != NULL) {
        for (uint32_t i = 0; i < count; i++)
            if (runs[i].flow->stream == ICE_UDP && house->to_network)
                house->to_network(&runs[i]);
        server_rtc_sent(house->servers[worker]);
    }
}

static inline void wire_feed(struct wire *wire)
{
    while (wire->state == WIRE_OPEN && !wire->is_paused && wire->unfed.size) {
        size_t size = wire->unfed.size < SERVER_READ_MAX ? wire->unfed.size : SERVER_READ_MAX;
        uint8_t *copy = test_copy(view_make(wire->unfed.at, size));
        bytes_used(&wire->unfed, size);
        server_feed(wire_server(wire), wire->house->now, wire->stream, (struct span){ copy, size });
        house_relay(wire->house, wire->worker);
        free(copy);
        wire->is_paused = !server_wants_bytes(wire_server(wire), wire->stream);
    }
}

/* Takes a parcel to its worker.  False: that one has no place, and the client is cut off. */
static inline bool wire_deliver(struct wire *wire)
{
    struct house *house = wire->house;
    assert_int_equal(wire->state, WIRE_MOVING);
    wire->worker = wire->move_to;
    int status =
        server_adopt(house->servers[wire->worker], house->now, wire->parcel, &wire->stream);
    wire->parcel = NULL;
    wire->state = status == OK ? WIRE_OPEN : WIRE_CLOSED;
    wire->is_blocked = false;
    if (status == OK)
        wire->is_paused = !server_wants_bytes(wire_server(wire), wire->stream);
    return status == OK;
}

/* Takes questions to the workers that they are for; true: there was one. */
static inline bool house_carry_errands(struct house *house)
{
    bool is_busy = false;
    struct errand *errand;
    unsigned to;
    for (unsigned i = 0; i < house->workers; i++) {
        while ((errand = server_poll_errand(house->servers[i], &to)) != NULL) {
            is_busy = true;
            if (house->errands_fail)
                server_errand_failed(house->servers[i], house->now, errand);
            else
                server_errand(house->servers[to], house->now, errand);
        }
    }
    return is_busy;
}

static inline bool house_put(void *context, unsigned worker, struct view first, struct view second)
{
    struct house_road *road = context;
    if (road->is_blocked || road->count == HOUSE_ROAD_MAX)
        return false;
    uint8_t *bytes = malloc(first.size + second.size);
    assert_non_null(bytes);
    memcpy(bytes, first.at, first.size);
    if (second.size)
        memcpy(bytes + first.size, second.at, second.size);
    road->queue[road->count].to = worker;
    road->queue[road->count].size = first.size + second.size;
    road->queue[road->count++].bytes = bytes;
    return true;
}

/* Notes and records go to the workers that they are for; true: there were some. */
static inline bool house_carry_notes(struct house *house)
{
    bool is_busy = false;
    struct note *note;
    unsigned to;
    for (unsigned i = 0; i < house->workers; i++) {
        struct house_road *road = &house->roads[i];
        unsigned count = road->count;
        while (!house->notes_wait && (note = server_poll_note(house->servers[i], &to)) != NULL) {
            is_busy = true;
            server_note(house->servers[to], house->now, note);
        }
        for (unsigned k = 0; k < count; k++) {
            is_busy = true;
            server_record(house->servers[road->queue[k].to], house->now, i,
                          view_make(road->queue[k].bytes, road->queue[k].size));
            free(road->queue[k].bytes);
        }
        assert_int_equal(road->count, count);
        road->count = 0;
    }
    return is_busy;
}

static inline void house_drain(struct house *house)
{
    bool is_busy = true;
    while (is_busy) {
        is_busy = house_carry_errands(house);
        is_busy |= house_carry_notes(house);
        for (unsigned i = 0; i < house->workers; i++) {
            struct server_out out;
            house_relay(house, i);
            house_say(house, i);
            for (server_poll(house->servers[i], &out); out.kind != SERVER_WAIT;
                 server_poll(house->servers[i], &out)) {
                house_do(house, i, &out);
                is_busy = true;
            }
            house->wakes[i] = out.until;
        }
        for (size_t i = 0; i < HOUSE_WIRES_MAX; i++) {
            struct wire *wire = &house->wires[i];
            if (wire->state == WIRE_MOVING && !house->moves_wait) {
                wire_deliver(wire);
                is_busy = true;
            }
            is_busy |= wire->state == WIRE_OPEN && !wire->is_paused && wire->unfed.size;
            wire_feed(wire);
        }
    }
}

/* Lets the time go by, with all that happens in it. */
static inline void house_wait(struct house *house, usec duration)
{
    usec until = house->now + duration;
    for (;;) {
        usec next = until;
        for (unsigned i = 0; i < house->workers; i++)
            if (house->wakes[i] < next)
                next = house->wakes[i];
        if (next > house->now)
            house->now = next;
        for (unsigned i = 0; i < house->workers; i++)
            if (house->wakes[i] <= house->now)
                server_tick(house->servers[i], house->now);
        house_drain(house);
        if (next >= until)
            return;
    }
}

static inline struct house *house_build(const struct wishes *wishes)
{
    struct house *house = calloc(1, sizeof *house);
    assert_non_null(house);
    house->now = HOUSE_BEGIN;
    house->to_client = wishes->to_client;
    house->to_network = wishes->to_network;
    house->peer = (struct address){ .family = ADDRESS_IPV4, .port = 5000 };
    house->workers = wishes->workers ? wishes->workers : 1;
    house->metrics = aligned_alloc(64, sizeof(struct metrics) * HOUSE_WORKERS_MAX);
    assert_non_null(house->metrics);
    memset(house->metrics, 0, sizeof(struct metrics) * HOUSE_WORKERS_MAX);
    for (unsigned i = 0; i < house->workers; i++) {
        struct server_config config = {
            .worker = i,
            .worker_count = house->workers,
            .streams_max = wishes->streams_max ? wishes->streams_max : HOUSE_WIRES_MAX,
            .rooms_max = wishes->rooms_max ? wishes->rooms_max : 32,
            .members_max = wishes->members_max ? wishes->members_max : HOUSE_WIRES_MAX,
            .buffer_bytes = wishes->buffer_bytes ? wishes->buffer_bytes : 32 * 1024 * 1024,
            .ice = { .port = wishes->stun_port, .host = view_of(wishes->stun_host) },
            .random = { test_random_fill, &house->random_state },
            .room_secret = { 1, 2 },
            .unix_at_zero = 784111777 * USEC_S - HOUSE_BEGIN, /* RFC 9110's date */
            .metrics = house->metrics,
            .assets = wishes->assets,
            .endpoints = wishes->endpoints,
            .turn = wishes->turn,
            .dtls = wishes->dtls,
            .rtc = wishes->rtc,
            .has_pcap = wishes->has_pcap,
            .topology = { .sfu_members_max = 50 },
            .spread_from = wishes->spread_from,
            .last_n = wishes->last_n,
            .loudest_n = wishes->loudest_n,
        };
        house->roads[i] = (struct house_road){ .house = house, .from = i };
        if (wishes->spread_from)
            config.road = (struct server_road){ house_put, &house->roads[i] };
        if (wishes->admin)
            config.admin = *wishes->admin;
        if (wishes->auth)
            config.auth = *wishes->auth;
        if (wishes->ice)
            config.ice = *wishes->ice;
        assert_int_equal(server_new(&config, house->now, &house->servers[i]), OK);
    }
    house_drain(house);
    return house;
}

/* A wire of that kind to that worker; NULL when the server has no place. */
static inline struct wire *house_dial(struct house *house, unsigned worker, enum stream_kind kind)
{
    struct stream_origin origin = { .kind = kind, .secure = house->secure, .peer = house->peer };
    struct wire *wire = house->wires;
    uint32_t stream;
    if (server_open(house->servers[worker], house->now, &origin, &stream) != OK)
        return NULL;
    while (wire < house->wires + HOUSE_WIRES_MAX && wire->state != WIRE_UNUSED)
        wire++;
    assert_true(wire < house->wires + HOUSE_WIRES_MAX);
    *wire = (struct wire){
        .house = house, .state = WIRE_OPEN, .worker = worker, .stream = stream, .room = SIZE_MAX
    };
    house_drain(house);
    return wire;
}

static inline struct wire *house_connect(struct house *house)
{
    struct wire *wire = house_dial(house, 0, STREAM_HTTP);
    assert_non_null(wire);
    return wire;
}

/* ---- a client's end ---- */

static inline void wire_send(struct wire *wire, struct view bytes)
{
    bytes_add(&wire->unfed, bytes);
    wire_feed(wire);
    house_drain(wire->house);
}

static inline void wire_write(struct wire *wire, const char *text)
{
    wire_send(wire, view_of(text));
}

/* The socket takes so many bytes more (SIZE_MAX: any). */
static inline void wire_give_room(struct wire *wire, size_t room)
{
    wire->room = room;
    if (!wire->is_blocked || room == 0)
        return;
    wire->is_blocked = false;
    if (wire->state == WIRE_OPEN)
        server_writable(wire_server(wire), wire->house->now, wire->stream);
    house_drain(wire->house);
}

/* The client ends its side. */
static inline void wire_end(struct wire *wire)
{
    if (wire->state == WIRE_OPEN)
        server_ended(wire_server(wire), wire->house->now, wire->stream);
    wire->is_paused = true;
    house_drain(wire->house);
}

/* The client goes away; the wire may be used again. */
static inline void wire_drop(struct wire *wire)
{
    struct house *house = wire->house;
    if (wire->state == WIRE_OPEN)
        server_closed(wire_server(wire), house->now, wire->stream);
    parcel_free(wire->parcel);
    free(wire->got.at);
    free(wire->unfed.at);
    *wire = (struct wire){ .state = WIRE_UNUSED };
    house_drain(house);
}

static inline bool wire_is_closed(const struct wire *wire)
{
    return wire->state == WIRE_CLOSED;
}

/* ---- the end ---- */

static inline void house_close(struct house *house)
{
    static const enum metric GAUGES[] = { METRIC_WEBSOCKETS, METRIC_ROOMS,
                                          METRIC_MEMBERS,    METRIC_MEMBERS_AWAY,
                                          METRIC_SESSIONS,   METRIC_RELAY_ROOMS,
                                          METRIC_RELAY_KEPT, METRIC_BUFFER_BYTES };
    for (size_t i = 0; i < HOUSE_WIRES_MAX; i++)
        if (house->wires[i].state != WIRE_UNUSED)
            wire_drop(&house->wires[i]);
    house_wait(house, 31 * USEC_S);
    for (unsigned i = 0; i < house->workers; i++) {
        server_tick(house->servers[i], house->now);
        assert_int_equal(server_streams(house->servers[i]), 0);
        assert_int_equal(house->servers[i]->outboxes.entries.used, 0);
        assert_int_equal(house->servers[i]->rooms.history.entries.used, 0);
        assert_true(house->wakes[i] == USEC_NEVER);
    }
    for (size_t i = 0; i < sizeof GAUGES / sizeof GAUGES[0]; i++)
        assert_int_equal(house_metric(house, GAUGES[i]), 0);
    for (unsigned i = 0; i < house->workers; i++)
        server_free(house->servers[i]); /* asserts that no buffer is left */
    free(house->metrics);
    free(house->relayed.at);
    free(house);
}

#endif
