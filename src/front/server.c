#include "front/server.h"

#include "agent/stun_server.h"
#include "front/core.h"
#include "front/errand.h"
#include "front/hold.h"
#include "front/media.h"
#include "front/meet/meet.h"
#include "front/meet/seat.h"
#include "front/meet/spread.h"
#include "front/meet/voices.h"
#include "front/rtc.h"
#include "front/session.h"
#include "front/turn.h"
#include "front/turn_dtls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int start_rooms(struct server *server)
{
    const struct server_config *config = &server->config;
    struct rooms_config rooms = {
        .rooms_max = config->rooms_max,
        .members_max = config->members_max,
        .history_entries_max = config->rooms_max * 64,
        .history_bytes_max = config->buffer_bytes / 2,
        .buffers = server->buffers,
        .wheel = &server->wheel,
        .away_timer_kind = TIMER_MEMBER_AWAY,
        .topology_timer_kind = TIMER_ROOM,
        .topology = config->topology,
        .random = config->random,
        .metrics = server->metrics,
    };
    rooms.topology.has_sfu = config->rtc != NULL;
    return rooms_init(&server->rooms, &rooms);
}

static void stop_media(struct server *server)
{
    spread_close(server);
    media_free(server);
    spread_free(server);
    pool_free(&server->seats);
    rtc_door_free(server);
}

static int start_media(struct server *server, usec now)
{
    if (!server->config.rtc)
        return OK;
    int status = rtc_door_new(server, now);
    if (status == OK)
        status = spread_new(server);
    if (status == OK)
        status = media_new(server, now);
    if (status == OK)
        status = seats_new(server);
    if (status != OK)
        stop_media(server);
    return status;
}

int server_new(const struct server_config *config, usec now, struct server **out)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server)
        return ERR_MEMORY;
    server->config = *config;
    server->metrics = &config->metrics[config->worker];
    server->trace.level = config->trace_level;
    list_init(&server->ready);
    list_init(&server->settling);
    list_init(&server->closing);
    wheel_init(&server->wheel, now);

    int status = pool_init(&server->streams, sizeof(struct stream), config->streams_max);
    if (status != OK)
        goto give_server;
    status = buffers_new(config->buffer_bytes, &server->buffers);
    if (status != OK)
        goto give_streams;
    server->outboxes.buffers = server->buffers;
    server->workshop.buffers = server->buffers;
    status =
        pool_init(&server->outboxes.entries, sizeof(struct outbox_entry), config->streams_max * 16);
    if (status != OK)
        goto give_buffers;
    status = deflate_new(&server->workshop.deflater);
    if (status != OK)
        goto give_entries;
    status = start_rooms(server);
    if (status != OK)
        goto give_deflate;
    status = config->turn ? turn_door_new(server, now) : OK;
    if (status != OK)
        goto give_rooms;
    status = start_media(server, now);
    if (status != OK)
        goto close_turn;
    status = endpoints_start(server); /* some have their media there */
    if (status != OK)
        goto end_media;
    *out = server;
    return OK;

end_media:
    stop_media(server);
close_turn:
    turn_door_free(server);
give_rooms:
    rooms_free(&server->rooms);
give_deflate:
    deflate_free(server->workshop.deflater);
give_entries:
    pool_free(&server->outboxes.entries);
give_buffers:
    buffers_free(server->buffers);
give_streams:
    pool_free(&server->streams);
give_server:
    free(server);
    return status;
}

static struct stream *stream_at(struct server *server, uint32_t number)
{
    struct stream *stream = pool_at(&server->streams, number);
    assert(stream->is_open);
    return stream;
}

void server_free(struct server *server)
{
    if (!server)
        return;
    for (uint32_t i = 0; i < server->streams.touched; i++) {
        struct stream *stream = pool_at(&server->streams, i);
        if (stream->is_open)
            stream_release(server, stream);
    }
    turn_door_free(server);
    while (server->errands) {
        struct errand *errand = server->errands;
        server->errands = errand->next;
        errand_free(errand);
    }
    endpoints_stop(server);
    stop_media(server); /* peers leave the circles of their rooms */
    rooms_free(&server->rooms);
    deflate_free(server->workshop.deflater);
    pool_free(&server->outboxes.entries);
    buffers_free(server->buffers);
    pool_free(&server->streams);
    free(server);
}

int server_open(struct server *server, usec now, const struct stream_origin *origin,
                uint32_t *number)
{
    if (origin->kind == STREAM_RTC)
        rtc_door_make_room(server, now);
    struct stream *stream = server->is_stopping ? NULL : stream_open(server, now, origin);
    if (!stream)
        return ERR_LIMIT;
    *number = stream_number(server, stream);
    return OK;
}

bool server_wants_bytes(const struct server *server, uint32_t number)
{
    const struct stream *stream = pool_at(&server->streams, number);
    return !stream->is_ending && !stream->is_paused && !stream->is_moving && !stream->is_spliced;
}

void server_feed(struct server *server, usec now, uint32_t number, struct span bytes)
{
    struct stream *stream = stream_at(server, number);
    bool was_idle = stream->inbox.buffer == NULL && !stream->outbox.size;
    assert(bytes.size <= SERVER_READ_MAX);
    if (was_idle && stream->phase == PHASE_HTTP && !http_session_in_body(&stream->http))
        stream->since = now;
    if (stream->heard_at == 0)
        turn_door_look(server, stream, bytes);
    stream->heard_at = now;
    stream_feed(server, now, stream, bytes);
    stream_set_timer(server, now, stream);
    streams_settle(server, now);
}

void server_ended(struct server *server, usec now, uint32_t number)
{
    struct stream *stream = stream_at(server, number);
    websocket_tell_closed(server, now, stream, false);
    stream_end(server, now, stream);
    streams_settle(server, now);
}

void server_closed(struct server *server, usec now, uint32_t number)
{
    struct stream *stream = stream_at(server, number);
    websocket_tell_closed(server, now, stream, false);
    http_held_gone(server, now, stream);
    if (!stream->is_ending)
        turn_door_gone(server, now, stream);
    rtc_door_gone(server, now, stream);
    stream_release(server, stream);
    streams_settle(server, now);
}

void server_sent(struct server *server, usec now, uint32_t number, size_t size)
{
    struct stream *stream = stream_at(server, number);
    assert(size <= stream->offered);
    outbox_sent(&stream->outbox, &server->outboxes, size);
    stream->is_blocked = size < stream->offered;
    stream->offered = 0;
    if (size > 0)
        stream->since = now;
    if (stream->is_paused && stream->outbox.size < HTTP_QUEUE_PAUSE / 2)
        stream_read_on(server, now, stream);
    if (!stream->is_blocked && (stream->outbox.size || stream->is_ending || stream->is_spliced))
        stream_wake(server, stream);
    stream_set_timer(server, now, stream);
    streams_settle(server, now);
}

void server_writable(struct server *server, usec now, uint32_t number)
{
    struct stream *stream = stream_at(server, number);
    (void)now;
    stream->is_blocked = false;
    stream_wake(server, stream);
}

size_t server_datagram(struct server *server, usec now, const struct address *from,
                       struct view datagram, uint8_t out[SERVER_DATAGRAM_MAX])
{
    (void)now;
    return stun_server_datagram(datagram, from, server->metrics, out, SERVER_DATAGRAM_MAX);
}

void server_set_terms(struct server *server, const struct server_terms *terms)
{
    server->config.ice = terms->ice;
    server->config.auth = terms->auth;
    server->config.admin = terms->admin;
    if (terms->turn)
        turn_door_set_terms(server, terms->turn);
}

void server_stop(struct server *server, usec now)
{
    server->is_stopping = true;
    sessions_stop(server, now);
    turn_dtls_stop(server);
    spread_stop(server, now);
    for (uint32_t i = 0; i < server->streams.touched; i++) {
        struct stream *stream = pool_at(&server->streams, i);
        if (!stream->is_open || stream->phase == PHASE_RTC)
            continue; /* those end behind their goodbyes: server_rtc_seal */
        if (stream->phase == PHASE_WEBSOCKET)
            websocket_say_close(server, now, stream, 1001, VIEW("the server stops"));
        else if (stream->holder)
            stream->holder->stopping(server, now, stream);
        else if (!stream->inbox.buffer && !http_session_in_body(&stream->http))
            stream_end(server, now, stream);
    }
    /* Only now do the places end: nobody is told that the others left, for they come back. */
    for (uint32_t i = 0; i < server->streams.touched; i++) {
        struct stream *stream = pool_at(&server->streams, i);
        if (stream->is_open && stream->phase == PHASE_WEBSOCKET)
            websocket_tell_closed(server, now, stream, true);
    }
    streams_settle(server, now);
}

uint32_t server_streams(const struct server *server)
{
    return server->streams.used;
}

void server_tick(struct server *server, usec now)
{
    struct timer *timer;
    while ((timer = wheel_expired(&server->wheel, now)) != NULL) {
        if (timer->kind == TIMER_STREAM)
            stream_expired(server, now, LIST_ENTRY(timer, struct stream, timer));
        else if (timer->kind == TIMER_MEMBER_AWAY)
            meet_member_expired(server, now, timer);
        else if (timer->kind == TIMER_SEAT)
            seat_expired(server, now, timer);
        else if (timer->kind == TIMER_SPREAD)
            spread_expired(server, now);
        else if (timer->kind == TIMER_VOICES)
            voices_expired(server, now, timer);
        else if (timer->kind == TIMER_ROOM)
            meet_topology_expired(server, now, timer);
        else
            session_expired(server, now, timer);
        streams_settle(server, now);
    }
    turn_door_tick(server, now);
    rtc_door_tick(server, now);
    metrics_set(server->metrics, METRIC_BUFFER_BYTES, buffers_used(server->buffers));
}

static void offer_bytes(struct stream *stream, struct server_out *out)
{
    size_t offered = 0;
    out->kind = SERVER_SEND;
    /* there are TURN clients (coturn's) that take what one read gives them for one message */
    out->is_apart = stream->phase == PHASE_STUN;
    out->run_count = outbox_peek(&stream->outbox, out->runs, SERVER_RUNS_MAX);
    for (size_t i = 0; i < out->run_count; i++)
        offered += out->runs[i].size;
    stream->offered = (uint32_t)offered;
}

/* The shell's from now on, with what the client has already sent to the relay's peer. */
static void give_away(struct server *server, struct stream *stream, struct server_out *out)
{
    struct view unread = view_of_span(inbox_bytes(&stream->inbox));
    out->kind = SERVER_SPLICE;
    out->relay = stream->relay;
    out->run_count = 1;
    out->runs[0] = view_make(server->scratch, unread.size);
    assert(unread.size <= sizeof server->scratch);
    if (unread.size)
        memcpy(server->scratch, unread.at, unread.size);
    stream_release(server, stream);
}

/* What the stream has to do; false when it is nothing. */
static bool poll_stream(struct server *server, struct stream *stream, struct server_out *out)
{
    out->stream = stream_number(server, stream);
    if (stream->is_moving && !stream->is_ending) {
        out->worker = stream->moving_to;
        out->parcel = parcel_pack(stream);
        out->kind = out->parcel ? SERVER_HAND_OVER : SERVER_CLOSE;
        metrics_add(server->metrics, METRIC_CONNECTIONS_MOVED, out->parcel != NULL);
        stream_release(server, stream);
        return true;
    }
    if (stream->is_resumed) {
        stream->is_resumed = false;
        if (server_wants_bytes(server, out->stream)) {
            stream_wake(server, stream); /* there may be bytes to send, too */
            out->kind = SERVER_READ;
            return true;
        }
    }
    if (stream->outbox.size) {
        if (stream->is_blocked)
            return false;
        offer_bytes(stream, out);
        return true;
    }
    if (stream->is_spliced && !stream->is_ending) {
        give_away(server, stream, out);
        return true;
    }
    if (stream->is_ending) {
        out->kind = SERVER_CLOSE;
        stream_release(server, stream);
        return true;
    }
    return false;
}

void server_poll(struct server *server, struct server_out *out)
{
    while (!list_empty(&server->ready)) {
        struct stream *stream = LIST_ENTRY(server->ready.next, struct stream, ready);
        list_remove(&stream->ready);
        if (poll_stream(server, stream, out))
            return;
    }
    out->kind = SERVER_WAIT;
    out->until = wheel_next(&server->wheel);
    if (turn_door_until(server) < out->until)
        out->until = turn_door_until(server);
    if (rtc_door_until(server) < out->until)
        out->until = rtc_door_until(server);
    if (server->trace.dropped > server->trace_dropped) {
        metrics_add(server->metrics, METRIC_LOG_DROPPED,
                    server->trace.dropped - server->trace_dropped);
        server->trace_dropped = server->trace.dropped;
    }
}

struct trace *server_trace(struct server *server)
{
    return &server->trace;
}
