/* WebSocket on a stream: the opening handshake, messages to the dialect, heartbeats, the end. */
#include "front/core.h"
#include "front/ice.h"
#include "front/respond.h"

#include <stdio.h>
#include <string.h>

static bool asks_for_websocket(const struct http_request *request)
{
    return request->upgrade && http_header_lists(request, "Upgrade", "websocket");
}

/* RFC 6455, section 4.2.2. */
static void accept_upgrade(struct server *server, usec now, struct stream *stream,
                           const struct http_request *request, struct view protocol, bool *deflate)
{
    char accept[WEBSOCKET_ACCEPT_SIZE];
    char extension[WEBSOCKET_EXTENSION_MAX];
    uint8_t window_bits = 0;
    struct buffer *buffer;

    websocket_accept(http_header(request, "Sec-WebSocket-Key"), accept);
    *deflate = !server->large_max && /* nothing so large is inflated */
               websocket_accept_deflate(http_header(request, "Sec-WebSocket-Extensions"), extension,
                                        &window_bits) &&
               window_bits == 15; /* one deflated form is made for all */
    if (buffers_take(server->buffers, 512, &buffer) != OK) {
        stream_end(server, now, stream);
        return;
    }
    int size =
        snprintf((char *)buffer->bytes, buffer->capacity,
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s%s%s%s%.*s%s\r\n",
                 accept, *deflate ? "Sec-WebSocket-Extensions: " : "", *deflate ? extension : "",
                 *deflate ? "\r\n" : "", protocol.size ? "Sec-WebSocket-Protocol: " : "",
                 VIEW_ARGS(protocol), protocol.size ? "\r\n" : "");
    buffer->size = (uint32_t)size;
    stream_send_give(server, now, stream, buffer);
}

static void keep_host(struct server *server, struct stream *stream, struct view host)
{
    if (!ice_host_valid(host) || buffers_take(server->buffers, host.size, &stream->host) != OK)
        return;
    memcpy(stream->host->bytes, host.at, host.size);
    stream->host->size = (uint32_t)host.size;
}

static bool takes_version(const struct dialect *dialect, struct view version)
{
    return view_equal(version, VIEW("13")) ||
           (dialect->takes_drafts &&
            (view_equal(version, VIEW("8")) || view_equal(version, VIEW("7"))));
}

void websocket_upgrade(struct server *server, usec now, struct stream *stream,
                       const struct http_request *request, const struct dialect *dialect,
                       struct view protocol)
{
    bool deflate = false;
    if (!asks_for_websocket(request)) {
        respond_code(server, now, stream, 426, "Upgrade: websocket\r\n");
        return;
    }
    if (!takes_version(dialect, http_header(request, "Sec-WebSocket-Version"))) {
        respond_code(server, now, stream, 426,
                     "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
        return;
    }
    if (!websocket_key_valid(http_header(request, "Sec-WebSocket-Key"))) {
        respond_code(server, now, stream, 400, NULL);
        return;
    }
    if (server->is_stopping) {
        respond_code(server, now, stream, 503, NULL);
        return;
    }
    accept_upgrade(server, now, stream, request, protocol, &deflate);
    if (stream->is_ending || stream->is_failing)
        return;
    if (dialect->wants_host)
        keep_host(server, stream, http_header(request, "Host"));
    http_session_clear(&stream->http, server->buffers);
    stream->ws = (struct ws_session){ .deflate = deflate, .message_max = server->large_max };
    stream->phase = PHASE_WEBSOCKET;
    stream->dialect = dialect;
    metrics_add(server->metrics, METRIC_WEBSOCKETS, 1);
    wheel_set(&server->wheel, &stream->timer, now + HEARTBEAT_TIME);
    dialect->opened(server, now, stream);
}

void websocket_tell_closed(struct server *server, usec now, struct stream *stream, bool clean)
{
    const struct dialect *dialect = stream->dialect;
    stream->dialect = NULL;
    if (dialect)
        dialect->closed(server, now, stream, clean);
}

void websocket_say_close(struct server *server, usec now, struct stream *stream, uint16_t code,
                         struct view reason)
{
    struct buffer *frame;
    if (stream->is_ending)
        return;
    if (!stream->ws.close_sent &&
        ws_close(&stream->ws, server->buffers, code, reason, &frame) == OK)
        stream_send_give(server, now, stream, frame);
    stream_end(server, now, stream);
}

void websocket_close(struct server *server, usec now, struct stream *stream, uint16_t code,
                     struct view reason, bool clean)
{
    websocket_tell_closed(server, now, stream, clean);
    websocket_say_close(server, now, stream, code, reason);
}

void websocket_send(struct server *server, usec now, struct stream *stream, struct buffer *frame)
{
    metrics_add(server->metrics, METRIC_WEBSOCKET_OUT, 1);
    stream_send(server, now, stream, ws_frame_for(&stream->ws, &server->workshop, frame));
}

static void send_control(struct server *server, usec now, struct stream *stream,
                         enum websocket_opcode opcode, struct view payload)
{
    struct buffer *frame;
    if (ws_frame(server->buffers, opcode, payload, &frame) == OK)
        stream_send_give(server, now, stream, frame);
}

static void close_failed(struct server *server, usec now, struct stream *stream, uint16_t code)
{
    metrics_add(server->metrics, METRIC_CLOSED_PROTOCOL, 1);
    struct trace_event *event = trace_add(&server->trace, now, TRACE_INFO, "websocket.failed");
    trace_address(event, "peer", &stream->peer);
    trace_number(event, "code", code);
    websocket_close(server, now, stream, code, VIEW(""), false);
}

static void handle(struct server *server, usec now, struct stream *stream,
                   const struct ws_event *event)
{
    /* 1005: closed on purpose, without a word why, as close() in a page does */
    bool is_clean = event->code == 1000 || event->code == 1001 || event->code == 1005;
    switch (event->kind) {
    case WS_TEXT:
        metrics_add(server->metrics, METRIC_WEBSOCKET_IN, 1);
        stream->dialect->message(server, now, stream, event->payload);
        break;
    case WS_BINARY:
        if (!stream->dialect->binary) {
            close_failed(server, now, stream, 1003);
            break;
        }
        metrics_add(server->metrics, METRIC_WEBSOCKET_IN, 1);
        stream->dialect->binary(server, now, stream, event->payload);
        break;
    case WS_PING:
        send_control(server, now, stream, WEBSOCKET_PONG, event->payload);
        break;
    case WS_PONG:
        if (stream->dialect->ponged)
            stream->dialect->ponged(server, stream, event->payload);
        break;
    case WS_CLOSE:
        websocket_close(server, now, stream, event->code, VIEW(""), is_clean);
        break;
    case WS_FAILED:
        close_failed(server, now, stream, event->code);
        break;
    case WS_WAIT:
        break;
    }
}

size_t websocket_consume(struct server *server, usec now, struct stream *stream, struct span bytes)
{
    size_t used = 0;
    while (stream->dialect && !stream->is_ending && !stream->is_failing && !stream->is_moving) {
        struct ws_event event;
        size_t step;
        ws_session_read(&stream->ws, &server->workshop, span_behind(bytes, used), &step, &event);
        used += step;
        if (event.kind == WS_WAIT)
            break;
        if (!stream_take_token(stream, now)) {
            metrics_add(server->metrics, METRIC_CLOSED_FLOOD, 1);
            if (stream->dialect->too_fast)
                stream->dialect->too_fast(server, now, stream);
            websocket_close(server, now, stream, 1008, VIEW("too many messages"), false);
            break;
        }
        handle(server, now, stream, &event);
    }
    return used;
}

void websocket_heartbeat(struct server *server, usec now, struct stream *stream)
{
    uint8_t payload[WEBSOCKET_CONTROL_MAX];
    if (now >= stream->heard_at + SILENCE_TIME) {
        metrics_add(server->metrics, METRIC_CLOSED_TIMEOUT, 1);
        outbox_clear(&stream->outbox, &server->outboxes);
        websocket_tell_closed(server, now, stream, false);
        stream_end(server, now, stream);
        return;
    }
    size_t size = 0;
    if (stream->dialect->heartbeat)
        size = stream->dialect->heartbeat(server, now, stream, payload);
    if (stream->is_ending)
        return;
    send_control(server, now, stream, WEBSOCKET_PING, view_make(payload, size));
    usec silent_at = stream->heard_at + SILENCE_TIME;
    usec next = now + HEARTBEAT_TIME;
    wheel_set(&server->wheel, &stream->timer, silent_at < next ? silent_at : next);
}
