/* Engine.IO over HTTP: handshakes, polls, posts, and what is wrong with a request. */
#include "front/engine/engine.h"

#include "front/hold.h"
#include "front/respond.h"

#include <stdio.h>

#define ENGINE_HEADERS_MAX 768

/* What the query says. */
struct asked {
    unsigned revision; /* 0: neither 3 nor 4 */
    bool is_polling;
    bool is_websocket;
    bool is_base64;
    bool is_jsonp;
    uint32_t jsonp;
    struct view sid;
};

/* The callback's digits; others, and those too many, are left out. */
static uint32_t read_index(struct view text)
{
    uint32_t index = 0;
    for (size_t i = 0; i < text.size && index < 100000000; i++)
        if (text.at[i] >= '0' && text.at[i] <= '9')
            index = index * 10 + (uint32_t)(text.at[i] - '0');
    return index;
}

static struct asked read_query(struct view query)
{
    struct asked asked = { 0 };
    struct view value;
    if (http_query_find(query, "EIO", &value))
        asked.revision = view_equal(value, VIEW("4")) ? 4 : view_equal(value, VIEW("3")) ? 3 : 0;
    if (http_query_find(query, "transport", &value)) {
        asked.is_polling = view_equal(value, VIEW("polling"));
        asked.is_websocket = view_equal(value, VIEW("websocket"));
    }
    if (http_query_find(query, "b64", &value))
        asked.is_base64 = value.size > 0 && !view_equal(value, VIEW("0"));
    if (http_query_find(query, "j", &value)) {
        asked.is_jsonp = true;
        asked.jsonp = read_index(value);
    }
    if (!http_query_find(query, "sid", &asked.sid))
        asked.sid = (struct view){ NULL, 0 };
    return asked;
}

/* ---- headers and errors ---- */

/* Scripts of any page may ask, and read the answer; there are no cookies that could serve them.
 * (Which origins may ask at all is the endpoint's matter, and was checked.) */
static void write_headers(const struct server *server, char out[ENGINE_HEADERS_MAX])
{
    struct view origin = http_header(&server->request, "Origin");
    int size =
        snprintf(out, ENGINE_HEADERS_MAX,
                 "Cache-Control: no-store\r\nCross-Origin-Resource-Policy: cross-origin\r\n");
    if (origin.size == 0 || origin.size > 256)
        return;
    snprintf(out + size, ENGINE_HEADERS_MAX - (size_t)size,
             "Access-Control-Allow-Origin: %.*s\r\nAccess-Control-Allow-Credentials: true\r\n"
             "Vary: Origin\r\n",
             VIEW_ARGS(origin));
}

void engine_refuse(struct server *server, usec now, struct stream *stream, enum engine_error error)
{
    static const char *const TEXTS[] = {
        "Transport unknown", "Session ID unknown", "Bad handshake method",
        "Bad request",       "Forbidden",          "Unsupported protocol version",
    };
    char headers[ENGINE_HEADERS_MAX];
    char body[80];
    write_headers(server, headers);
    int size = snprintf(body, sizeof body, "{\"code\":%d,\"message\":\"%s\"}", error, TEXTS[error]);
    respond(server, now, stream,
            &(struct response){ .code = error == ENGINE_FORBIDDEN ? 403 : 400,
                                .type = "application/json",
                                .headers = headers,
                                .body = view_make(body, (size_t)size) });
}

void engine_answer(struct server *server, usec now, struct stream *stream, unsigned code,
                   const char *type, struct view body)
{
    char headers[ENGINE_HEADERS_MAX];
    write_headers(server, headers);
    respond(server, now, stream,
            &(struct response){ .code = code, .type = type, .headers = headers, .body = body });
}

void engine_refuse_full(struct server *server, usec now, struct stream *stream)
{
    engine_answer(server, now, stream, 503, "text/plain; charset=utf-8",
                  VIEW("503 the server is full\n"));
}

/* The answer to a CORS preflight (the Fetch standard). */
static void answer_options(struct server *server, usec now, struct stream *stream)
{
    char headers[ENGINE_HEADERS_MAX + 512];
    struct view wanted = http_header(&server->request, "Access-Control-Request-Headers");
    write_headers(server, headers);
    size_t size = view_of(headers).size;
    if (wanted.size == 0 || wanted.size > 256)
        wanted = VIEW("Content-Type");
    snprintf(headers + size, sizeof headers - size,
             "Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n"
             "Access-Control-Allow-Headers: %.*s\r\nAccess-Control-Max-Age: 86400\r\n",
             VIEW_ARGS(wanted));
    respond(server, now, stream, &(struct response){ .code = 204, .headers = headers });
}

/* ---- polls ---- */

static void poll_gone(struct server *server, usec now, struct stream *stream)
{
    struct engine *engine = stream->context;
    stream->context = NULL;
    engine->poll = NULL;
    if (!engine->is_lingering)
        engine_end(server, now, engine, ENGINE_GONE);
}

static void poll_stopping(struct server *server, usec now, struct stream *stream)
{
    engine_flush(server, now, stream->context);
}

static const struct holder POLL_HOLDER = { .gone = poll_gone, .stopping = poll_stopping };

static void note_poll(struct engine *engine, struct stream *stream, const struct asked *asked)
{
    engine->poll = stream;
    engine->is_held = false;
    engine->is_jsonp = asked->is_jsonp;
    engine->jsonp = asked->jsonp;
    engine->is_base64 = asked->is_base64;
}

static void hold(struct server *server, usec now, struct stream *stream, struct engine *engine)
{
    char headers[ENGINE_HEADERS_MAX];
    write_headers(server, headers);
    engine->is_held = http_hold(server, now, stream, &POLL_HOLDER, engine, headers);
    if (!engine->is_held)
        engine->poll = NULL;
}

/* The first packet goes out alone: what the speech has to say at once is for the next poll. */
static void handshake(struct server *server, usec now, struct stream *stream,
                      struct endpoint *endpoint, const struct asked *asked)
{
    struct engine *engine = engine_new(server, now, endpoint, asked->revision);
    struct buffer *open;
    if (!engine || buffers_take(server->buffers, ENGINEIO_HANDSHAKE_MAX, &open) != OK) {
        engine_refuse_full(server, now, stream);
        if (engine)
            engine_end(server, now, engine, ENGINE_REFUSED);
        return;
    }
    open->size = (uint32_t)engine_write_open(engine, true, open->bytes);
    int status = outbox_put(&engine->queue, &server->outboxes, open, SIZE_MAX);
    buffer_give(server->buffers, open);
    if (status != OK) {
        engine_refuse_full(server, now, stream);
        engine_end(server, now, engine, ENGINE_REFUSED);
    } else {
        note_poll(engine, stream, asked);
        engine_flush(server, now, engine);
        session_open(server, now, &engine->session);
    }
}

static void take_poll(struct server *server, usec now, struct stream *stream, struct engine *engine,
                      const struct asked *asked)
{
    if (engine->poll) {
        /* two at once: packets would come in no order */
        engine_end(server, now, engine, ENGINE_MALFORMED);
        engine_refuse(server, now, stream, ENGINE_BAD_REQUEST);
        return;
    }
    note_poll(engine, stream, asked);
    if (engine->queue.count > 0)
        engine_flush(server, now, engine);
    if (engine->poll)
        hold(server, now, stream, engine);
    if (engine->poll && engine->queue.count == 0) {
        engine->flush_at = engine->is_probed ? now + ENGINE_NOOP_TIME : 0;
        engine_set_timer(server, engine);
    }
    if (engine->is_lingering && (engine->poll || engine->queue.count == 0))
        engine_end(server, now, engine, ENGINE_REFUSED);
}

/* ---- posts ---- */

/* What the packets of a payload come to. */
enum heard { HEARD, HEARD_CLOSE, HEARD_WRONG };

static enum heard hear_payload(struct server *server, usec now, struct stream *stream,
                               struct engine *engine, struct engineio_reader reader)
{
    struct engineio_packet packet;
    int status;
    while ((status = engineio_read(&reader, &packet)) == OK) {
        if (engine_is_over(engine))
            return HEARD;
        if (!stream_take_token(stream, now)) {
            metrics_add(server->metrics, METRIC_CLOSED_FLOOD, 1);
            engine_end(server, now, engine, ENGINE_REFUSED);
            return HEARD_WRONG;
        }
        if (!engine_hear(server, now, engine, &packet))
            return packet.type == ENGINEIO_CLOSE ? HEARD_CLOSE : HEARD_WRONG;
    }
    if (status == ERR_NOT_FOUND)
        return HEARD;
    engine_end(server, now, engine, ENGINE_MALFORMED);
    return HEARD_WRONG;
}

/* Bytes are told by their type; revision 4 has none in posts. */
static bool form_of(const struct server *server, const struct engine *engine,
                    enum engineio_form *form)
{
    struct view type = http_header(&server->request, "Content-Type");
    bool is_bytes = view_starts(type, VIEW("application/octet-stream"));
    *form = engine->revision == 4 ? ENGINEIO_4 : is_bytes ? ENGINEIO_3_BINARY : ENGINEIO_3_TEXT;
    return engine->revision == 3 || !is_bytes;
}

static void post(struct server *server, usec now, struct stream *stream, struct engine *engine,
                 const struct asked *asked, struct view body)
{
    enum engineio_form form;
    struct buffer *decoded = NULL;
    size_t size = 0;
    if (body.size > engine->session.endpoint->config->limits.message_bytes) {
        engine_answer(server, now, stream, 413, NULL, VIEW(""));
        return;
    }
    bool is_good = form_of(server, engine, &form);
    if (asked->is_jsonp) {
        if (buffers_take(server->buffers, body.size, &decoded) != OK) {
            engine_answer(server, now, stream, 503, NULL, VIEW(""));
            return;
        }
        is_good = is_good && engineio_read_form(body, decoded->bytes, &size) == OK;
        body = view_make(decoded->bytes, size);
    }
    enum heard heard = HEARD_WRONG;
    if (is_good)
        heard = hear_payload(server, now, stream, engine, engineio_reader_make(body, form));
    else
        engine_end(server, now, engine, ENGINE_MALFORMED);
    buffer_give(server->buffers, decoded);
    if (heard == HEARD_WRONG)
        engine_refuse(server, now, stream, ENGINE_BAD_REQUEST);
    else
        engine_answer(server, now, stream, 200, "text/html", VIEW("ok"));
}

/* ---- what a request is ---- */

static void request_of_session(struct server *server, usec now, struct stream *stream,
                               struct engine *engine, const struct asked *asked, struct view body)
{
    const struct http_request *request = &server->request;
    bool is_taken = engine->socket || engine->probe || engine_is_over(engine);
    if (request->upgrade && asked->is_websocket && !is_taken)
        engine_upgrade(server, now, stream, engine->session.endpoint, engine, engine->revision);
    else if (request->upgrade && asked->is_websocket)
        engine_turn_away(server, now, stream);
    else if (request->upgrade || asked->is_websocket || engine->socket)
        engine_refuse(server, now, stream, ENGINE_BAD_REQUEST);
    else if (request->method == METHOD_GET)
        take_poll(server, now, stream, engine, asked);
    else if (request->method == METHOD_POST && engine_is_over(engine))
        engine_refuse(server, now, stream, ENGINE_SID_UNKNOWN);
    else if (request->method == METHOD_POST)
        post(server, now, stream, engine, asked, body);
    else
        engine_refuse(server, now, stream, ENGINE_BAD_REQUEST);
}

static void request_of_stranger(struct server *server, usec now, struct stream *stream,
                                struct endpoint *endpoint, const struct asked *asked)
{
    const struct http_request *request = &server->request;
    if (request->method != METHOD_GET)
        engine_refuse(server, now, stream, ENGINE_BAD_METHOD);
    else if (request->upgrade != asked->is_websocket)
        engine_refuse(server, now, stream, ENGINE_BAD_REQUEST);
    else if (asked->revision == 0 || (asked->revision == 3 && !endpoint->config->engine.eio3))
        engine_refuse(server, now, stream, ENGINE_BAD_REVISION);
    else if (request->upgrade)
        engine_upgrade(server, now, stream, endpoint, NULL, asked->revision);
    else
        handshake(server, now, stream, endpoint, asked);
}

/* Whether a request comes when its client has been silent for too long.  The client counts, too,
 * from when it heard of the session and in ms: at its end of the time it is not told that there is
 * some left. */
static bool is_too_late(const struct engine *engine, usec now)
{
    bool is_last = engine->revision == 3 || engine->awaits_pong;
    return is_last && !engine->socket && !engine_is_over(engine) &&
           now + ENGINE_EARLY_TIME >= engine->beat_at;
}

void engine_request(struct server *server, usec now, struct stream *stream,
                    struct endpoint *endpoint, struct view rest, struct view body)
{
    struct asked asked = read_query(server->request.query);
    struct engine *engine = engine_find(server, endpoint, asked.sid);
    if (engine && is_too_late(engine, now)) {
        engine_end(server, now, engine, ENGINE_SILENT);
        engine = NULL;
    }
    if (rest.size > 1)
        respond_code(server, now, stream, 404, NULL);
    else if (server->request.method == METHOD_OPTIONS)
        answer_options(server, now, stream);
    else if (!asked.is_polling && !asked.is_websocket)
        engine_refuse(server, now, stream, ENGINE_TRANSPORT_UNKNOWN);
    else if (engine)
        request_of_session(server, now, stream, engine, &asked, body);
    else if (asked.sid.at)
        engine_refuse(server, now, stream, ENGINE_SID_UNKNOWN);
    else
        request_of_stranger(server, now, stream, endpoint, &asked);
}
