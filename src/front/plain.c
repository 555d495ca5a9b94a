/* Bare WebSockets at an endpoint: each message is a frame, as it is. */
#include "front/respond.h"
#include "front/session.h"

#include <string.h>

struct plain {
    struct session session;
    struct stream *stream; /* NULL once the client has been told the end */
};

static struct plain *plain_of(struct session *session)
{
    return (struct plain *)session;
}

static void let_go(struct plain *plain)
{
    plain->stream->dialect = NULL;
    plain->stream->context = NULL;
    plain->stream = NULL;
}

/* ---- what the session has to say ---- */

/* One frame over as many buffers as it takes.  What is said to many is never that large. */
static void send_large(struct server *server, usec now, struct stream *stream,
                       enum websocket_opcode opcode, struct view body)
{
    uint8_t header[WEBSOCKET_HEADER_MAX];
    size_t header_size = websocket_write_header((uint8_t)opcode, true, false, body.size, header);
    while (body.size > 0) {
        size_t room = BUFFER_SIZE_MAX - header_size;
        struct view part = view_slice(body, 0, room);
        struct buffer *buffer;
        if (buffers_take(server->buffers, header_size + part.size, &buffer) != OK) {
            stream_fail(server, stream);
            return;
        }
        memcpy(buffer->bytes, header, header_size);
        memcpy(buffer->bytes + header_size, part.at, part.size);
        buffer->size = (uint32_t)(header_size + part.size);
        stream_send_give(server, now, stream, buffer);
        header_size = 0;
        body = view_slice(body, part.size, body.size);
    }
    metrics_add(server->metrics, METRIC_WEBSOCKET_OUT, 1);
}

static void send_message(struct server *server, usec now, struct session *session,
                         struct message *message)
{
    struct stream *stream = plain_of(session)->stream;
    uint32_t queue_max = session->endpoint->config->limits.queue_bytes;
    struct buffer **frame = &message->forms[FORM_WEBSOCKET];
    enum websocket_opcode opcode = message->is_binary ? WEBSOCKET_BINARY : WEBSOCKET_TEXT;
    if (stream->outbox.size + message->body.size > queue_max)
        stream_fail(server, stream);
    else if (message->body.size > WS_MESSAGE_MAX)
        send_large(server, now, stream, opcode, message->body);
    else if (!*frame && ws_frame(server->buffers, opcode, message->body, frame) != OK)
        stream_fail(server, stream);
    else
        websocket_send(server, now, stream, *frame);
}

static void close_session(struct server *server, usec now, struct session *session, uint16_t code,
                          const char *reason)
{
    struct plain *plain = plain_of(session);
    struct stream *stream = plain->stream;
    let_go(plain);
    websocket_say_close(server, now, stream, code, view_of(reason));
    session_free(server, session);
}

/* ---- what the client has to say ---- */

static void opened(struct server *server, usec now, struct stream *stream)
{
    struct endpoint *endpoint = stream->context;
    struct session *session = session_new(server, endpoint, &plain_carrier);
    stream->context = NULL;
    if (!session) {
        websocket_close(server, now, stream, 1013, VIEW("the server is full"), false);
        return;
    }
    plain_of(session)->stream = stream;
    stream->context = session;
    session_open(server, now, session);
}

static void hear(struct server *server, usec now, struct stream *stream, struct view body,
                 bool is_binary)
{
    struct session *session = stream->context;
    if (body.size > session->endpoint->config->limits.message_bytes)
        session_close(server, session, 1009, "the message is too long");
    else
        session_hear(server, now, session, body, is_binary);
}

static void heard_text(struct server *server, usec now, struct stream *stream, struct view text)
{
    hear(server, now, stream, text, false);
}

static void heard_binary(struct server *server, usec now, struct stream *stream, struct view bytes)
{
    hear(server, now, stream, bytes, true);
}

static void closed(struct server *server, usec now, struct stream *stream, bool clean)
{
    struct session *session = stream->context;
    if (!session)
        return;
    let_go(plain_of(session));
    session_end(server, now, session, clean);
    session_free(server, session);
}

static const struct dialect plain_dialect = {
    .name = "plain",
    .opened = opened,
    .message = heard_text,
    .binary = heard_binary,
    .closed = closed,
};

static void request(struct server *server, usec now, struct stream *stream,
                    struct endpoint *endpoint, struct view rest, struct view body)
{
    const struct http_request *asked = &server->request;
    (void)rest;
    (void)body;
    if (asked->method != METHOD_GET) {
        respond_code(server, now, stream, 405, "Allow: GET\r\n");
        return;
    }
    stream->context = endpoint;
    websocket_upgrade(server, now, stream, asked, &plain_dialect,
                      endpoint_protocol(endpoint, asked));
    if (stream->phase == PHASE_HTTP)
        stream->context = NULL; /* it was refused */
}

const struct carrier plain_carrier = {
    .name = "websocket",
    .kind = CARRIER_WEBSOCKET,
    .request = request,
    .send = send_message,
    .close = close_session,
    .session_size = sizeof(struct plain),
};
