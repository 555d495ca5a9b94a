#include "front/core.h"

#include "agent/stun_server.h"
#include "front/hold.h"
#include "front/rtc.h"
#include "front/session.h"
#include "front/turn.h"

#include <assert.h>

void stream_wake(struct server *server, struct stream *stream)
{
    if (list_empty(&stream->ready))
        list_append(&server->ready, &stream->ready);
}

static size_t queue_max(const struct stream *stream)
{
    return stream->phase == PHASE_WEBSOCKET ? WS_QUEUE_MAX : HTTP_QUEUE_MAX;
}

/* Queues share one pool of entries and one budget of memory.  One may have as many entries as are
 * left for all the others, and a part of the memory that is left, so that no number of slow readers
 * takes the last. */
static bool has_share(const struct server *server, const struct stream *stream)
{
    const struct pool *entries = &server->outboxes.entries;
    size_t budget = server->config.buffer_bytes;
    size_t used = buffers_used(server->buffers);
    size_t left = used < budget ? budget - used : 0;
    return stream->outbox.count < entries->count_max - entries->used &&
           (stream->phase == PHASE_HTTP || stream->outbox.size <= left / QUEUE_SHARE);
}

void stream_send(struct server *server, usec now, struct stream *stream, struct buffer *buffer)
{
    if (stream->is_ending || stream->is_failing)
        return;
    if (stream->outbox.size == 0)
        stream->since = now;
    if (has_share(server, stream) &&
        outbox_put(&stream->outbox, &server->outboxes, buffer, queue_max(stream)) == OK) {
        stream_wake(server, stream);
        return;
    }
    stream_fail(server, stream);
}

static void settle_later(struct server *server, struct stream *stream)
{
    list_remove(&stream->ready);
    list_append(&server->settling, &stream->ready);
}

void stream_fail(struct server *server, struct stream *stream)
{
    if (stream->is_ending || stream->is_failing)
        return;
    stream->is_failing = true;
    settle_later(server, stream);
}

void stream_resume(struct server *server, struct stream *stream)
{
    if (stream->is_ending || stream->is_failing)
        return;
    stream->is_unheld = true;
    settle_later(server, stream);
}

static void close_slow(struct server *server, usec now, struct stream *stream)
{
    metrics_add(server->metrics, METRIC_CLOSED_SLOW, 1);
    struct trace_event *event = trace_add(&server->trace, now, TRACE_INFO, "stream.slow");
    trace_address(event, "peer", &stream->peer);
    trace_number(event, "waiting", stream->outbox.size);
    stream_cut(server, stream);
    if (stream->phase == PHASE_WEBSOCKET)
        websocket_close(server, now, stream, 1013, VIEW("reads too slowly"), false);
    else
        stream_end(server, now, stream);
}

static void settle(struct server *server, usec now, struct stream *stream)
{
    bool is_failing = stream->is_failing;
    bool is_unheld = stream->is_unheld;
    list_remove(&stream->ready);
    stream->is_failing = false;
    stream->is_unheld = false;
    if (is_failing)
        close_slow(server, now, stream);
    else if (is_unheld)
        stream_read_on(server, now, stream);
    stream_wake(server, stream); /* it was not looked at meanwhile */
}

void streams_settle(struct server *server, usec now)
{
    while (!list_empty(&server->settling) || !list_empty(&server->closing)) {
        sessions_settle(server, now);
        if (!list_empty(&server->settling))
            settle(server, now, LIST_ENTRY(server->settling.next, struct stream, ready));
    }
}

void stream_send_give(struct server *server, usec now, struct stream *stream, struct buffer *buffer)
{
    stream_send(server, now, stream, buffer);
    buffer_give(server->buffers, buffer);
}

void stream_end(struct server *server, usec now, struct stream *stream)
{
    if (stream->is_ending)
        return;
    turn_door_gone(server, now, stream);
    rtc_door_gone(server, now, stream);
    stream->is_ending = true;
    http_held_gone(server, now, stream);
    inbox_clear(&stream->inbox, server->buffers);
    wheel_set(&server->wheel, &stream->timer, now + CLOSING_TIME);
    stream_wake(server, stream);
}

void stream_cut(struct server *server, struct stream *stream)
{
    struct outbox_entry *first = stream->outbox.first;
    struct buffer *begun = NULL;
    size_t begun_size = 0;
    if (first && first->buffer && first->bytes.at != first->buffer->bytes) {
        begun = buffer_share(first->buffer);
        begun_size = begun->size - first->bytes.size;
    }
    outbox_clear(&stream->outbox, &server->outboxes);
    if (!begun)
        return;
    int status = outbox_put(&stream->outbox, &server->outboxes, begun, SIZE_MAX);
    assert(status == OK); /* an entry has just been given back */
    (void)status;
    outbox_sent(&stream->outbox, &server->outboxes, begun_size);
    buffer_give(server->buffers, begun);
}

static usec http_deadline(const struct stream *stream)
{
    if (stream->outbox.size)
        return stream->since + SEND_TIME;
    if (http_session_in_body(&stream->http))
        return stream->since + HTTP_BODY_TIME;
    if (stream->inbox.buffer || stream->heard_at == 0)
        return stream->since + HTTP_HEAD_TIME;
    return stream->since + HTTP_IDLE_TIME;
}

void stream_set_timer(struct server *server, usec now, struct stream *stream)
{
    if (stream->is_ending || stream->is_spliced)
        return;
    if (stream->holder && stream->outbox.size == 0)
        wheel_cancel(&server->wheel, &stream->timer); /* as long as its holder wants */
    else if (stream->phase == PHASE_HTTP)
        wheel_set(&server->wheel, &stream->timer, http_deadline(stream));
    else if (stream->phase == PHASE_STUN)
        wheel_set(&server->wheel, &stream->timer, now + HTTP_IDLE_TIME);
    else if (stream->phase == PHASE_RTC)
        wheel_set(&server->wheel, &stream->timer,
                  stream->rtc.is_known ? now + RTC_SILENCE_TIME
                                       : stream->since + RTC_STRANGER_TIME);
}

void stream_expired(struct server *server, usec now, struct stream *stream)
{
    if (stream->is_ending) {
        /* the last bytes can't be got rid of */
        outbox_clear(&stream->outbox, &server->outboxes);
        stream_wake(server, stream);
        return;
    }
    if (stream->phase == PHASE_WEBSOCKET) {
        websocket_heartbeat(server, now, stream);
        return;
    }
    if (stream->phase == PHASE_STUN && !stream->outbox.size && turn_door_holds(server, stream)) {
        stream_set_timer(server, now, stream);
        return;
    }
    bool is_begun = (stream->inbox.buffer && !stream->holder) ||
                    (stream->phase == PHASE_HTTP && http_session_in_body(&stream->http));
    if (is_begun || stream->outbox.size)
        metrics_add(server->metrics, METRIC_CLOSED_TIMEOUT, 1);
    if (is_begun && stream->phase == PHASE_HTTP && !stream->outbox.size)
        http_time_out(server, now, stream);
    if (stream->is_ending)
        return;
    outbox_clear(&stream->outbox, &server->outboxes);
    stream_end(server, now, stream);
}

bool stream_take_token(struct stream *stream, usec now)
{
    uint64_t tokens = stream->tokens + (now - stream->tokens_at) / FLOOD_EACH;
    if (tokens < FLOOD_BURST) {
        /* what is left of the time counts for the next */
        stream->tokens_at = now - (now - stream->tokens_at) % FLOOD_EACH;
    } else {
        tokens = FLOOD_BURST;
        stream->tokens_at = now;
    }
    stream->tokens = (uint16_t)tokens;
    if (stream->tokens == 0)
        return false;
    stream->tokens--;
    return true;
}

/* STUN over TCP: answers are small, and a client that does not read them is not read from. */
static size_t stun_consume(struct server *server, usec now, struct stream *stream,
                           struct view bytes)
{
    size_t used = 0;
    while (used < bytes.size && !stream->is_ending) {
        uint8_t answer[SERVER_DATAGRAM_MAX];
        size_t step = 0;
        size_t size = 0;
        struct buffer *buffer;
        if (stream->outbox.size > HTTP_QUEUE_PAUSE) {
            stream->is_paused = true;
            break;
        }
        int status = stun_server_stream(view_slice(bytes, used, bytes.size), &stream->peer,
                                        server->metrics, answer, sizeof answer, &step, &size);
        if (status == ERR_MORE)
            break;
        used += step;
        if (status != OK || buffers_take(server->buffers, size, &buffer) != OK) {
            stream_end(server, now, stream);
            break;
        }
        for (size_t i = 0; i < size; i++)
            buffer->bytes[i] = answer[i];
        buffer->size = (uint32_t)size;
        stream_send_give(server, now, stream, buffer);
    }
    return used;
}

size_t stream_consume(struct server *server, usec now, struct stream *stream, struct span bytes)
{
    size_t used = 0;
    size_t step;
    /* a request may turn the stream into a WebSocket in the middle of the bytes */
    do {
        struct span rest = span_behind(bytes, used);
        uint8_t phase = stream->phase;
        if (stream->is_ending)
            return bytes.size;
        if (stream->is_paused || stream->is_moving)
            return used;
        if (phase == PHASE_HTTP)
            step = http_consume(server, now, stream, view_of_span(rest));
        else if (phase == PHASE_WEBSOCKET)
            step = websocket_consume(server, now, stream, rest);
        else if (phase == PHASE_RTC)
            step = rtc_door_consume(server, now, stream, rest);
        else
            step = stun_consume(server, now, stream, view_of_span(rest));
        used += step;
        if (phase == stream->phase)
            break;
    } while (used < bytes.size);
    return stream->is_ending ? bytes.size : used;
}

void stream_read_on(struct server *server, usec now, struct stream *stream)
{
    bool was_paused = stream->is_paused;
    stream->is_paused = false;
    struct span waiting = inbox_bytes(&stream->inbox);
    if (waiting.size) {
        size_t used = stream_consume(server, now, stream, waiting);
        if (!stream->is_ending)
            inbox_used(&stream->inbox, server->buffers, used);
    }
    if (was_paused && !stream->is_paused) {
        stream->is_resumed = true;
        stream_wake(server, stream);
    }
}

static void refuse_flood(struct server *server, usec now, struct stream *stream)
{
    metrics_add(server->metrics, METRIC_CLOSED_LIMIT, 1);
    if (stream->phase == PHASE_WEBSOCKET)
        websocket_close(server, now, stream, 1013, VIEW("the server is full"), false);
    else
        stream_end(server, now, stream);
}

/* What may wait to be read: of a WebSocket that takes large messages, a whole frame. */
static size_t unread_max(const struct stream *stream)
{
    size_t whole = stream->phase == PHASE_WEBSOCKET ? ws_session_room(&stream->ws) : 0;
    return whole > BUFFER_SIZE_MAX ? whole : BUFFER_SIZE_MAX;
}

void stream_feed(struct server *server, usec now, struct stream *stream, struct span bytes)
{
    if (server->turn && stream->phase == PHASE_STUN) {
        turn_door_feed(server, stream, view_of_span(bytes));
        return;
    }
    while (!stream->is_ending) {
        size_t waiting = inbox_bytes(&stream->inbox).size;
        if (waiting == 0) {
            size_t used = stream_consume(server, now, stream, bytes);
            bytes = span_behind(bytes, used);
        }
        size_t room = unread_max(stream) - waiting;
        size_t take = bytes.size < room ? bytes.size : room;
        if (stream->is_ending)
            return;
        if (inbox_add(&stream->inbox, server->buffers, view_make(bytes.at, take)) != OK ||
            (take == 0 && bytes.size > 0)) {
            refuse_flood(server, now, stream);
            return;
        }
        bytes = span_behind(bytes, take);
        if (waiting > 0) {
            struct span all = inbox_bytes(&stream->inbox);
            size_t used = stream_consume(server, now, stream, all);
            if (!stream->is_ending)
                inbox_used(&stream->inbox, server->buffers, used);
        }
        if (bytes.size == 0)
            return;
    }
}

static enum stream_phase first_phase(const struct stream_origin *origin)
{
    return origin->kind == STREAM_STUN  ? PHASE_STUN
           : origin->kind == STREAM_RTC ? PHASE_RTC
                                        : PHASE_HTTP;
}

struct stream *stream_open(struct server *server, usec now, const struct stream_origin *origin)
{
    struct stream *stream = pool_take(&server->streams);
    if (!stream)
        return NULL;
    list_init(&stream->ready);
    stream->is_open = true;
    stream->phase = (uint8_t)first_phase(origin);
    stream->peer = origin->peer;
    stream->local = origin->local;
    stream->secure = origin->secure;
    stream->since = now;
    stream->timer.kind = TIMER_STREAM;
    stream->tokens = FLOOD_BURST;
    stream->tokens_at = now;
    if (stream->phase == PHASE_RTC)
        rtc_door_open(server, stream);
    stream_set_timer(server, now, stream);
    return stream;
}

void stream_release(struct server *server, struct stream *stream)
{
    list_remove(&stream->ready);
    wheel_cancel(&server->wheel, &stream->timer);
    outbox_clear(&stream->outbox, &server->outboxes);
    inbox_clear(&stream->inbox, server->buffers);
    buffer_give(server->buffers, stream->host);
    buffer_give(server->buffers, stream->moving);
    buffer_give(server->buffers, stream->held_headers);
    if (stream->phase == PHASE_HTTP)
        http_session_clear(&stream->http, server->buffers);
    if (stream->phase == PHASE_WEBSOCKET) {
        ws_session_clear(&stream->ws, server->buffers);
        metrics_subtract(server->metrics, METRIC_WEBSOCKETS, 1);
    }
    stream->is_open = false;
    pool_give(&server->streams, stream);
}
