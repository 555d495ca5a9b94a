/* SockJS over a WebSocket: one frame a message of it; the session lives as long as the
 * WebSocket, and its name means nothing. */
#include "front/respond.h"
#include "front/sockjs/sockjs.h"

#include <string.h>

#define CLOSE_LATER (10 * USEC_MS)

static void let_go(struct sockjs *sockjs)
{
    sockjs->stream->dialect = NULL;
    sockjs->stream->context = NULL;
    sockjs->stream = NULL;
}

/* ---- what the session has to say ---- */

void sockjs_websocket_say(struct server *server, usec now, struct sockjs *sockjs, struct view frame)
{
    struct buffer *buffer;
    if (ws_frame(server->buffers, WEBSOCKET_TEXT, frame, &buffer) != OK) {
        stream_fail(server, sockjs->stream);
        return;
    }
    sockjs->sent_at = now;
    websocket_send(server, now, sockjs->stream, buffer);
    buffer_give(server->buffers, buffer);
}

/* a["..."] as one WebSocket frame in one buffer, for all sessions.  ERR_LIMIT. */
static int make_frame(struct server *server, struct view body, size_t payload_size,
                      struct buffer **out)
{
    struct buffer *buffer;
    uint8_t header[WEBSOCKET_HEADER_MAX];
    size_t size = websocket_write_header(WEBSOCKET_TEXT, true, false, payload_size, header);
    int status = buffers_take(server->buffers, size + payload_size, &buffer);
    if (status != OK)
        return status;
    memcpy(buffer->bytes, header, size);
    memcpy(buffer->bytes + size, "a[\"", 3);
    size += 3;
    size += sockjs_escape(&body, buffer->bytes + size, payload_size - 5);
    memcpy(buffer->bytes + size, "\"]", 2);
    buffer->size = (uint32_t)size + 2;
    *out = buffer;
    return OK;
}

/* A message that no buffer holds goes out as one frame over several of them. */
static void send_long(struct server *server, usec now, struct stream *stream, struct view body,
                      size_t payload_size)
{
    uint8_t header[WEBSOCKET_HEADER_MAX];
    bool is_first = true;
    bool is_whole = false;
    size_t header_size = websocket_write_header(WEBSOCKET_TEXT, true, false, payload_size, header);
    metrics_add(server->metrics, METRIC_WEBSOCKET_OUT, 1);
    while (!is_whole) {
        struct buffer *buffer;
        size_t size = 0;
        if (buffers_take(server->buffers, BUFFER_SIZE_MAX, &buffer) != OK) {
            stream_fail(server, stream);
            return;
        }
        if (is_first) {
            memcpy(buffer->bytes, header, header_size);
            memcpy(buffer->bytes + header_size, "a[\"", 3);
            size = header_size + 3;
            is_first = false;
        }
        size += sockjs_escape(&body, buffer->bytes + size, BUFFER_SIZE_MAX - size);
        if (body.size == 0 && BUFFER_SIZE_MAX - size >= 2) {
            memcpy(buffer->bytes + size, "\"]", 2);
            size += 2;
            is_whole = true;
        }
        buffer->size = (uint32_t)size;
        stream_send_give(server, now, stream, buffer);
    }
}

void sockjs_websocket_send(struct server *server, usec now, struct sockjs *sockjs,
                           struct message *message)
{
    struct stream *stream = sockjs->stream;
    struct buffer **frame = &message->forms[FORM_SOCKJS_FRAME];
    size_t most = sockjs->session.endpoint->config->limits.queue_bytes;
    size_t size = *frame ? (*frame)->size : sockjs_escaped_size(message->body) + 5;
    sockjs->sent_at = now;
    if (stream->outbox.size + size > most)
        stream_fail(server, stream);
    else if (size > WS_MESSAGE_MAX)
        send_long(server, now, stream, message->body, size);
    else if (!*frame && make_frame(server, message->body, size, frame) != OK)
        stream_fail(server, stream);
    else
        websocket_send(server, now, stream, *frame);
}

/* Some clients lose what comes in one piece with the answer to their handshake when that is closed
 * there, too: they are told in a moment. */
static bool close_later(struct server *server, usec now, struct sockjs *sockjs, uint16_t code,
                        const char *reason)
{
    if (!sockjs->is_new || sockjs->sent_at != now || server->is_stopping)
        return false;
    sockjs->is_new = false;
    sockjs->is_closed = true;
    sockjs->close_code = code;
    sockjs->close_reason = reason;
    wheel_set(&server->wheel, &sockjs->session.timer, now + CLOSE_LATER);
    return true;
}

void sockjs_websocket_close(struct server *server, usec now, struct sockjs *sockjs, uint16_t code,
                            const char *reason)
{
    struct stream *stream = sockjs->stream;
    uint8_t frame[SOCKJS_CLOSE_MAX];
    if (close_later(server, now, sockjs, code, reason))
        return;
    size_t size = sockjs_write_close(code, view_of(reason), frame);
    sockjs_websocket_say(server, now, sockjs, view_make(frame, size));
    let_go(sockjs);
    websocket_say_close(server, now, stream, 1000, VIEW(""));
    sockjs_free(server, sockjs);
}

/* ---- what the client has to say ---- */

static void opened(struct server *server, usec now, struct stream *stream)
{
    struct endpoint *endpoint = stream->context;
    struct session *session = session_new(server, endpoint, &sockjs_carrier);
    stream->context = NULL;
    if (!session) {
        websocket_close(server, now, stream, 1013, VIEW("the server is full"), false);
        return;
    }
    struct sockjs *sockjs = sockjs_of(session);
    sockjs->stream = stream;
    sockjs->is_websocket = true;
    sockjs->is_new = true;
    stream->context = sockjs;
    sockjs_websocket_say(server, now, sockjs, VIEW("o"));
    sockjs_set_heartbeat(server, now, sockjs);
    session_open(server, now, session);
}

static void heard(struct server *server, usec now, struct stream *stream, struct view text)
{
    struct sockjs *sockjs = stream->context;
    struct sockjs_reader reader;
    sockjs->is_new = false;
    if (text.size == 0)
        return; /* the protocol says so */
    if (sockjs_read(text, &reader) != OK) {
        metrics_add(server->metrics, METRIC_CLOSED_PROTOCOL, 1);
        websocket_close(server, now, stream, 1007, VIEW("Broken JSON encoding."), false);
    } else if (sockjs_hear(server, now, &sockjs->session, &reader) != OK) {
        stream_fail(server, stream);
    }
}

static void closed(struct server *server, usec now, struct stream *stream, bool clean)
{
    struct sockjs *sockjs = stream->context;
    if (!sockjs)
        return;
    let_go(sockjs);
    session_end(server, now, &sockjs->session, clean);
    sockjs_free(server, sockjs);
}

#define DIALECT .name = "sockjs", .opened = opened, .message = heard, .closed = closed

static const struct dialect sockjs_dialect = { DIALECT };
/* for all origins: a draft's origin stands in a header of its own, at which nobody looks */
static const struct dialect open_dialect = { DIALECT, .takes_drafts = true };

static void refuse(struct server *server, usec now, struct stream *stream, const char *words)
{
    respond(server, now, stream,
            &(struct response){
                .code = 400, .type = "text/plain; charset=UTF-8", .body = view_of(words) });
}

void sockjs_answer_websocket(struct server *server, usec now, struct stream *stream,
                             struct endpoint *endpoint)
{
    const struct http_request *request = &server->request;
    if (!http_header_lists(request, "Upgrade", "websocket")) {
        refuse(server, now, stream, "Can \"Upgrade\" only to \"WebSocket\".");
        return;
    }
    if (!http_header_lists(request, "Connection", "upgrade")) {
        refuse(server, now, stream, "\"Connection\" must be \"Upgrade\".");
        return;
    }
    stream->context = endpoint;
    websocket_upgrade(server, now, stream, request,
                      endpoint->config->origin_count ? &sockjs_dialect : &open_dialect,
                      endpoint_protocol(endpoint, request));
    if (stream->phase == PHASE_HTTP)
        stream->context = NULL; /* it was refused */
}
