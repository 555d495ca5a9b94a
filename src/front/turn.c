#include "front/turn.h"

#include "front/turn_dtls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int turn_door_new(struct server *server, usec now)
{
    const struct server_config *config = &server->config;
    struct turn_door *door = calloc(1, sizeof *door);
    if (!door)
        return ERR_MEMORY;
    door->config = *config->turn;
    door->config.random = &config->random;
    door->config.metrics = server->metrics;
    door->config.trace = &server->trace;
    door->config.worker = (uint8_t)config->worker;
    assert(config->sink_count <= TURN_SINKS_MAX);
    if (config->sink_count)
        memcpy(door->sinks, config->sinks, config->sink_count * sizeof door->sinks[0]);
    door->config.sinks = door->sinks;
    door->config.sink_count = config->sink_count;
    int status = turn_init(&door->agent, &door->config, now, (config->unix_at_zero + now) / USEC_S);
    if (status != OK) {
        free(door);
        return status;
    }
    door->is_busy = true;
    server->turn = door;
    status = turn_dtls_new(server, now);
    if (status != OK)
        turn_door_free(server);
    return status;
}

void turn_door_free(struct server *server)
{
    if (!server->turn)
        return;
    turn_dtls_free(server);
    turn_free(&server->turn->agent);
    free(server->turn);
    server->turn = NULL;
}

/* Sizes of pools stay as they are, and so does the realm, of which users' keys are made. */
void turn_door_set_terms(struct server *server, const struct turn_config *terms)
{
    if (!server->turn)
        return;
    struct turn_config *config = &server->turn->config;
    assert(view_equal(config->realm, terms->realm));
    config->realm = terms->realm;
    memcpy(config->secrets, terms->secrets, sizeof config->secrets);
    config->secret_count = terms->secret_count;
    config->users = terms->users;
    config->policy = terms->policy;
    config->allocations_per_user_max = terms->allocations_per_user_max;
    config->allocations_per_prefix_max = terms->allocations_per_prefix_max;
    config->lifetime_s_max = terms->lifetime_s_max;
    config->bytes_per_s_allocation = terms->bytes_per_s_allocation;
    config->bytes_per_s_all = terms->bytes_per_s_all;
}

/* ---- for the admin API ---- */

bool turn_door_report(const struct server *server, uint32_t *cursor, struct turn_report *report)
{
    return server->turn && turn_next_report(&server->turn->agent, cursor, report);
}

int turn_door_end(struct server *server, usec now, uint32_t index, uint64_t serial)
{
    if (!server->turn)
        return ERR_NOT_FOUND;
    server->turn->is_busy = true;
    return turn_end(&server->turn->agent, now, index, serial);
}

/* ---- from streams ---- */

static struct turn_flow flow_of(const struct server *server, const struct stream *stream)
{
    return (struct turn_flow){
        .transport = stream->secure ? TURN_OVER_TLS : TURN_OVER_TCP,
        .connection = stream_number(server, stream),
        .client = stream->peer,
        .server = stream->local,
    };
}

void turn_door_look(struct server *server, struct stream *stream, struct span bytes)
{
    if (server->turn && stream->phase == PHASE_HTTP && bytes.size && bytes.at[0] == 0)
        stream->phase = PHASE_STUN;
}

void turn_door_feed(struct server *server, struct stream *stream, struct view bytes)
{
    struct turn_door *door = server->turn;
    assert(!door->reading);
    door->reading = stream;
    door->unread = bytes;
    door->is_busy = true;
}

void turn_door_gone(struct server *server, usec now, struct stream *stream)
{
    struct turn_door *door = server->turn;
    if (!door || stream->phase != PHASE_STUN)
        return;
    if (door->reading == stream) {
        door->reading = NULL;
        door->inbox_used = 0;
    }
    if (stream->is_spliced || stream->is_moving)
        return; /* the agent knows it no more */
    struct turn_flow flow = flow_of(server, stream);
    turn_client_gone(&door->agent, now, &flow);
    door->is_busy = true;
}

bool turn_door_holds(struct server *server, const struct stream *stream)
{
    struct turn_flow flow = flow_of(server, stream);
    return server->turn && turn_has_allocation(&server->turn->agent, &flow);
}

/* Moves up to `size` bytes of what came now behind what waits. */
static void gather(struct server *server, usec now, size_t size)
{
    struct turn_door *door = server->turn;
    struct stream *stream = door->reading;
    struct view part = view_slice(door->unread, 0, size);
    door->unread = view_slice(door->unread, part.size, door->unread.size);
    if (inbox_add(&stream->inbox, server->buffers, part) != OK) {
        metrics_add(server->metrics, METRIC_CLOSED_LIMIT, 1);
        stream_end(server, now, stream);
    }
}

/* Whether a message must be read by another worker: then the stream goes there, and begins with
 * it. */
static bool is_moved(struct server *server, struct view message, uint8_t *worker)
{
    /* only requests bear such names: indications and data need not be looked into */
    return message.at[0] == 0 && !(message.at[1] & 0x10) && turn_worker_of(message, worker) &&
           *worker != server->config.worker && *worker < server->config.worker_count;
}

/* The next whole message of the stream that is being read; false: there is none.  It is taken off
 * the front by the next call. */
static bool next_message(struct server *server, usec now, struct view *message)
{
    struct turn_door *door = server->turn;
    struct stream *stream = door->reading;
    for (;;) {
        size_t size = 0;
        struct view waiting = view_of_span(inbox_bytes(&stream->inbox));
        struct view from = waiting.size ? waiting : door->unread;
        int status = turn_stream_size(from, &size);
        if (status == OK && size <= from.size) {
            *message = view_slice(from, 0, size);
            return true;
        }
        if (status != OK && status != ERR_MORE) {
            metrics_add(server->metrics, METRIC_TURN_DROPPED_MALFORMED, 1);
            stream_end(server, now, stream);
            return false;
        }
        if (door->unread.size == 0)
            return false;
        if (status == ERR_MORE)
            size = waiting.size + STUN_HEADER_SIZE;
        gather(server, now, size - waiting.size);
        if (stream->is_ending)
            return false;
    }
}

static void stop_reading(struct server *server, usec now)
{
    struct stream *stream = server->turn->reading;
    if (stream && !stream->is_ending && server->turn->unread.size)
        gather(server, now, server->turn->unread.size);
    server->turn->reading = NULL;
}

/* Gives the agent the next message that has come on a stream; false: there is none. */
static bool read_on(struct server *server, usec now)
{
    struct turn_door *door = server->turn;
    struct stream *stream = door->reading;
    struct view message;
    uint8_t worker;
    if (!stream)
        return false;
    if (door->inbox_used)
        inbox_used(&stream->inbox, server->buffers, door->inbox_used);
    door->inbox_used = 0;
    if (stream->is_ending || stream->is_spliced || !next_message(server, now, &message)) {
        stop_reading(server, now);
        return false;
    }
    if (is_moved(server, message, &worker)) {
        stop_reading(server, now);
        if (stream->is_ending)
            return false;
        turn_door_gone(server, now, stream);
        stream_move_request(server, stream, worker);
        return true;
    }
    if (inbox_bytes(&stream->inbox).size)
        door->inbox_used = message.size;
    else
        door->unread = view_slice(door->unread, message.size, door->unread.size);
    door->flow = flow_of(server, stream);
    turn_feed_client(&door->agent, now, &door->flow, message);
    return true;
}

/* ---- to streams ---- */

/* The stream of a flow; NULL: it has ended (its allocation may wait to be moved elsewhere). */
static struct stream *stream_of(struct server *server, const struct turn_flow *flow)
{
    if (flow->connection >= server->streams.touched)
        return NULL;
    struct stream *stream = pool_at(&server->streams, flow->connection);
    bool is_it = stream->is_open && stream->phase == PHASE_STUN && !stream->is_ending &&
                 !stream->is_moving && !stream->is_spliced &&
                 address_equal(&stream->peer, &flow->client);
    return is_it ? stream : NULL;
}

static void append(struct buffer *buffer, struct view bytes)
{
    if (bytes.size)
        memcpy(buffer->bytes + buffer->size, bytes.at, bytes.size);
    buffer->size += (uint32_t)bytes.size;
}

/* Whether what is relayed to the stream has to be dropped, as a network would: too much waits
 * there, or everywhere. */
static bool is_full(const struct server *server, const struct stream *stream)
{
    const struct pool *entries = &server->outboxes.entries;
    return stream->outbox.size > TURN_QUEUE_MAX ||
           stream->outbox.count >= (entries->count_max - entries->used) / 2;
}

static void tell_stream(struct server *server, usec now, const struct turn_out *out)
{
    struct buffer *buffer;
    struct stream *stream = stream_of(server, out->flow);
    if (!stream || (out->payload.size && is_full(server, stream))) {
        metrics_add(server->metrics, METRIC_TURN_DROPPED_RATE, 1);
        return;
    }
    size_t size = out->header.size + out->payload.size + out->trailer.size;
    if (buffers_take(server->buffers, size, &buffer) != OK) {
        stream_fail(server, stream);
        return;
    }
    append(buffer, out->header);
    append(buffer, out->payload);
    append(buffer, out->trailer);
    stream_send_give(server, now, stream, buffer);
}

static void splice(struct server *server, const struct turn_out *out)
{
    struct stream *stream = stream_of(server, out->flow);
    if (!stream)
        return; /* the shell finds no connection, either */
    stream->is_spliced = true;
    stream->relay = out->relay;
    wheel_cancel(&server->wheel, &stream->timer);
    stream_wake(server, stream);
}

/* The agent has nothing to say: gives it what else has come.  NULL: there is nothing to send. */
static const struct turn_out *feed_on(struct server *server, usec now)
{
    struct turn_door *door = server->turn;
    door->is_busy = false; /* but a stream that ends has it busy again */
    const struct turn_out *out = turn_dtls_poll(server, now);
    if (out || (!door->is_busy && read_on(server, now)))
        door->is_busy = true;
    return out;
}

const struct turn_out *server_relay_poll(struct server *server, usec now)
{
    struct turn_door *door = server->turn;
    while (door && door->is_busy) {
        const struct turn_out *out = turn_poll(&door->agent);
        if (out->kind == TURN_WAIT) {
            door->until = out->until;
            out = feed_on(server, now);
            if (out)
                return out;
        } else if (out->kind == TURN_CLIENT && out->flow->transport == TURN_OVER_DTLS) {
            turn_dtls_send(server, now, out);
        } else if (out->kind == TURN_CLIENT && out->flow->transport != TURN_OVER_UDP) {
            tell_stream(server, now, out);
        } else {
            if (out->kind == TURN_SPLICE)
                splice(server, out);
            return out;
        }
    }
    if (door)
        streams_settle(server, now);
    return NULL;
}

/* ---- from the shell ---- */

void turn_door_tick(struct server *server, usec now)
{
    struct turn_door *door = server->turn;
    if (!door)
        return;
    if (now >= door->until)
        turn_tick(&door->agent, now);
    turn_dtls_tick(server, now);
    door->is_busy = true;
}

usec turn_door_until(const struct server *server)
{
    usec until = server->turn ? server->turn->until : USEC_NEVER;
    usec dtls = server->turn ? turn_dtls_until(server) : USEC_NEVER;
    return until < dtls ? until : dtls;
}

static struct turn *agent(struct server *server)
{
    assert(!server->turn->reading);
    server->turn->is_busy = true;
    return &server->turn->agent;
}

void server_relay_client(struct server *server, usec now, const struct turn_flow *flow,
                         struct view bytes)
{
    struct turn *turn = agent(server);
    if (flow->transport == TURN_OVER_DTLS)
        turn_dtls_feed(server, now, flow, bytes);
    else
        turn_feed_client(turn, now, flow, bytes);
}

bool server_relay_has(struct server *server, const struct turn_flow *flow)
{
    return turn_has_allocation(agent(server), flow);
}

void server_relay_peer(struct server *server, usec now, uint32_t relay, const struct address *peer,
                       struct view bytes)
{
    turn_feed_peer(agent(server), now, relay, peer, bytes);
}

bool server_relay_find(const struct server *server, const struct address *address, uint32_t *relay)
{
    return server->turn && turn_find_relay(&server->turn->agent, address, relay);
}

void server_relay_icmp(struct server *server, usec now, uint32_t relay, const struct address *peer,
                       const struct stun_icmp *icmp)
{
    turn_feed_icmp(agent(server), now, relay, peer, icmp);
}

void server_relay_opened(struct server *server, usec now, uint32_t relay,
                         const struct address *relayed)
{
    turn_opened(agent(server), now, relay, relayed);
}

void server_relay_open_failed(struct server *server, usec now, uint32_t relay)
{
    turn_open_failed(agent(server), now, relay);
}

void server_relay_connected(struct server *server, usec now, uint32_t relay, int status)
{
    turn_connected(agent(server), now, relay, status);
}

int server_relay_accept(struct server *server, usec now, uint32_t relay, const struct address *peer,
                        uint32_t *connection)
{
    return turn_accept(agent(server), now, relay, peer, connection);
}

void server_relay_gone(struct server *server, usec now, uint32_t relay)
{
    turn_relay_gone(agent(server), now, relay);
}

bool server_relay_splice_may(struct server *server, usec now, uint32_t relay, size_t size)
{
    return turn_splice_may(&server->turn->agent, now, relay, size);
}
