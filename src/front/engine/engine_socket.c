/* Engine.IO over WebSockets: sessions that begin on one, and the probe with which a polling session
 * goes over to one.
 *
 * The client opens the WebSocket beside its polls and says "2probe"; it is told "3probe", and its
 * poll is answered so that it can stop polling.  When it says "5", the WebSocket carries the
 * session.  Until then packets wait for polls, and what no poll has taken goes over. */
#include "front/engine/engine.h"

static void let_go(struct stream *stream)
{
    struct engine *engine = stream->context;
    stream->dialect = NULL;
    stream->context = NULL;
    if (engine->socket == stream)
        engine->socket = NULL;
    if (engine->probe == stream) {
        engine->probe = NULL;
        engine->is_probed = false;
    }
}

void engine_close_socket(struct server *server, usec now, struct stream *stream, uint16_t code,
                         const char *reason)
{
    let_go(stream);
    websocket_say_close(server, now, stream, code, view_of(reason));
}

/* ---- the probe ---- */

static void begin_probe(struct server *server, usec now, struct stream *stream,
                        struct engine *engine)
{
    engine_say(server, now, stream, VIEW("3probe"));
    engine->is_probed = true;
    engine_flush(server, now, engine);
    engine_set_timer(server, engine);
}

static void go_over(struct server *server, usec now, struct stream *stream, struct engine *engine)
{
    metrics_add(server->metrics, METRIC_ENGINE_UPGRADES, 1);
    engine->probe = NULL;
    engine->is_probed = false;
    engine_answer_poll(server, now, engine, VIEW("6"));
    engine->socket = stream;
    engine_flush_to_socket(server, now, engine);
    engine_set_timer(server, engine);
}

static void hear_probe(struct server *server, usec now, struct stream *stream,
                       const struct engineio_packet *packet)
{
    struct engine *engine = stream->context;
    if (packet->type == ENGINEIO_PING && view_equal(packet->data, VIEW("probe")))
        begin_probe(server, now, stream, engine);
    else if (packet->type == ENGINEIO_UPGRADE && engine->is_probed && !engine_is_over(engine))
        go_over(server, now, stream, engine);
    else
        engine_close_socket(server, now, stream, 1002, "");
}

/* ---- what the client says ---- */

static void hear(struct server *server, usec now, struct stream *stream, struct view frame,
                 bool is_binary)
{
    struct engine *engine = stream->context;
    struct engineio_packet packet;
    int status = engineio_read_frame(frame, is_binary, engine->revision, &packet);
    bool is_probe = engine->probe == stream;
    if (status != OK && is_probe)
        engine_close_socket(server, now, stream, 1002, "");
    else if (status != OK)
        engine_end(server, now, engine, ENGINE_MALFORMED);
    else if (is_probe)
        hear_probe(server, now, stream, &packet);
    else if (frame.size > engine->session.endpoint->config->limits.message_bytes)
        session_close(server, &engine->session, 1009, "the message is too long");
    else if (!engine_is_over(engine))
        (void)engine_hear(server, now, engine, &packet);
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
    struct engine *engine = stream->context;
    if (!engine)
        return;
    bool is_probe = engine->probe == stream;
    let_go(stream);
    if (!is_probe)
        engine_end(server, now, engine, clean ? ENGINE_CLOSED : ENGINE_GONE);
}

/* ---- the opening ---- */

static void opened(struct server *server, usec now, struct stream *stream)
{
    (void)server;
    (void)now;
    (void)stream;
}

static void begin_session(struct server *server, usec now, struct stream *stream,
                          struct engine *engine)
{
    uint8_t open[ENGINEIO_HANDSHAKE_MAX];
    size_t size = engine_write_open(engine, false, open);
    engine->socket = stream;
    engine_say(server, now, stream, view_make(open, size));
    session_open(server, now, &engine->session);
}

void engine_upgrade(struct server *server, usec now, struct stream *stream,
                    struct endpoint *endpoint, struct engine *engine, unsigned revision)
{
    bool is_new = !engine;
    if (is_new)
        engine = engine_new(server, now, endpoint, revision);
    if (!engine) {
        engine_refuse_full(server, now, stream);
        return;
    }
    stream->context = engine;
    websocket_upgrade(server, now, stream, &server->request, &engine_dialect,
                      (struct view){ NULL, 0 });
    if (stream->phase == PHASE_HTTP) {
        stream->context = NULL; /* it was refused */
        if (is_new)
            engine_end(server, now, engine, ENGINE_REFUSED);
    } else if (is_new) {
        begin_session(server, now, stream, engine);
    } else {
        engine->probe = stream;
        engine->probe_until = now + ENGINE_PROBE_TIME;
        engine_set_timer(server, engine);
    }
}

void engine_turn_away(struct server *server, usec now, struct stream *stream)
{
    websocket_upgrade(server, now, stream, &server->request, &engine_dialect,
                      (struct view){ NULL, 0 });
    if (stream->phase != PHASE_WEBSOCKET)
        return;
    stream->dialect = NULL;
    websocket_say_close(server, now, stream, 1000, VIEW(""));
}

const struct dialect engine_dialect = {
    .name = "engine.io",
    .opened = opened,
    .message = heard_text,
    .binary = heard_binary,
    .closed = closed,
};
