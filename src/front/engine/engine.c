/* Engine.IO sessions: found, timed, ended. */
#include "front/engine/engine.h"

static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The session's place in its pool is written into the first letters of its id, so that it is found
 * without a table; the others are chance. */
#define PLACE_LETTERS 4

struct engine *engine_new(struct server *server, usec now, struct endpoint *endpoint,
                          unsigned revision)
{
    struct session *session = session_new(server, endpoint, &engine_carrier);
    if (!session)
        return NULL;
    uint32_t place = pool_index(&server->sessions[CARRIER_ENGINE], session);
    for (unsigned i = 0; i < PLACE_LETTERS; i++)
        session->id[i] = LETTERS[place >> 6 * i & 63];
    struct engine *engine = engine_of(session);
    const struct engine_config *config = engine_config_of(engine);
    engine->revision = (uint8_t)revision;
    engine->beat_at = now + config->ping_interval;
    if (revision == 3)
        engine->beat_at += config->ping_timeout;
    engine_set_timer(server, engine);
    return engine;
}

static void free_engine(struct server *server, struct engine *engine)
{
    outbox_clear(&engine->queue, &server->outboxes);
    engine->session.id[0] = '\0'; /* nobody finds it any more */
    session_free(server, &engine->session);
}

struct engine *engine_find(struct server *server, const struct endpoint *endpoint, struct view id)
{
    struct pool *pool = &server->sessions[CARRIER_ENGINE];
    uint32_t place = 0;
    if (id.size != SESSION_ID_SIZE)
        return NULL;
    for (unsigned i = 0; i < PLACE_LETTERS; i++) {
        size_t digit = view_find_byte(view_make(LETTERS, 64), id.at[i]);
        if (digit == 64)
            return NULL;
        place |= (uint32_t)digit << 6 * i;
    }
    if (place >= pool->touched)
        return NULL;
    struct engine *engine = pool_at(pool, place);
    if (!view_equal_secret(view_make(engine->session.id, SESSION_ID_SIZE), id) ||
        engine->session.endpoint != endpoint)
        return NULL;
    return engine;
}

size_t engine_write_open(const struct engine *engine, bool may_upgrade,
                         uint8_t out[ENGINEIO_HANDSHAKE_MAX])
{
    const struct endpoint_config *config = engine->session.endpoint->config;
    struct engineio_handshake handshake = {
        .sid = view_of(engine->session.id),
        .may_upgrade = may_upgrade,
        .ping_interval_ms = config->engine.ping_interval / USEC_MS,
        .ping_timeout_ms = config->engine.ping_timeout / USEC_MS,
        .payload_max = config->limits.message_bytes,
    };
    size_t size = 0;
    out[0] = '0' + ENGINEIO_OPEN;
    if (engineio_write_handshake(&handshake, out + 1, ENGINEIO_HANDSHAKE_MAX - 1, &size) != OK)
        size = 0; /* a sid and four numbers fit */
    return 1 + size;
}

bool engine_is_over(const struct engine *engine)
{
    return engine->is_lingering || engine->session.is_closing || !engine->session.is_open;
}

/* ---- time ---- */

void engine_set_timer(struct server *server, struct engine *engine)
{
    usec at = engine->beat_at;
    if (engine->poll && engine->flush_at && engine->flush_at < at)
        at = engine->flush_at;
    if (engine->probe && engine->probe_until < at)
        at = engine->probe_until;
    wheel_set(&server->wheel, &engine->session.timer, at);
}

/* The next ping is reckoned from when the last one was due, not from when it went out: the end is
 * where the client was told that it is. */
static void beat(struct server *server, usec now, struct engine *engine)
{
    const struct engine_config *config = engine_config_of(engine);
    if (engine->revision == 3 || engine->awaits_pong) {
        engine_end(server, now, engine, ENGINE_SILENT);
        return;
    }
    engine->awaits_pong = true;
    engine->beat_at += config->ping_timeout;
    engine_send_static(server, now, engine, VIEW("2"));
    engine_set_timer(server, engine);
}

static void expired(struct server *server, usec now, struct session *session)
{
    struct engine *engine = engine_of(session);
    if (engine->is_lingering && now >= engine->beat_at) {
        engine_end(server, now, engine, ENGINE_GONE);
        return;
    }
    if (engine->poll && engine->flush_at && now >= engine->flush_at)
        engine_flush(server, now, engine);
    if (engine->probe && now >= engine->probe_until)
        engine_close_socket(server, now, engine->probe, 1000, "");
    if (now >= engine->beat_at)
        beat(server, now, engine);
    else
        engine_set_timer(server, engine);
}

/* ---- what the client says ---- */

/* A client that was told of a ping answers it; one of revision 3 pings by itself. */
static bool hear_beat(struct server *server, usec now, struct engine *engine,
                      const struct engineio_packet *packet)
{
    const struct engine_config *config = engine_config_of(engine);
    bool is_due =
        engine->revision == 3 ? packet->type == ENGINEIO_PING : packet->type == ENGINEIO_PONG;
    if (!is_due) {
        engine_end(server, now, engine, ENGINE_MALFORMED);
        return false;
    }
    if (engine->revision == 3) {
        engine->beat_at = now + config->ping_interval + config->ping_timeout;
        bool is_probe = view_equal(packet->data, VIEW("probe"));
        engine_send_static(server, now, engine, is_probe ? VIEW("3probe") : VIEW("3"));
    } else if (engine->awaits_pong) {
        engine->awaits_pong = false;
        engine->beat_at = now + config->ping_interval;
    }
    engine_set_timer(server, engine);
    return true;
}

static bool hear_message(struct server *server, usec now, struct engine *engine,
                         const struct engineio_packet *packet)
{
    struct view body = packet->data;
    struct buffer *decoded = NULL;
    if (packet->kind == ENGINEIO_BASE64) {
        size_t size = 0;
        if (buffers_take(server->buffers, body.size / 4 * 3 + 3, &decoded) != OK) {
            session_close(server, &engine->session, 1013, "the server is full");
            return true;
        }
        if (engineio_read_base64(body, decoded->bytes, decoded->capacity, &size) != OK) {
            buffer_give(server->buffers, decoded);
            engine_end(server, now, engine, ENGINE_MALFORMED);
            return false;
        }
        body = view_make(decoded->bytes, size);
    }
    session_hear(server, now, &engine->session, body, packet->kind != ENGINEIO_TEXT);
    buffer_give(server->buffers, decoded);
    return true;
}

bool engine_hear(struct server *server, usec now, struct engine *engine,
                 const struct engineio_packet *packet)
{
    switch (packet->type) {
    case ENGINEIO_MESSAGE:
        return hear_message(server, now, engine, packet);
    case ENGINEIO_PING:
    case ENGINEIO_PONG:
        return hear_beat(server, now, engine, packet);
    case ENGINEIO_CLOSE:
        engine_end(server, now, engine, ENGINE_CLOSED);
        return false;
    case ENGINEIO_OPEN:
    case ENGINEIO_UPGRADE:
    case ENGINEIO_NOOP:
        return true; /* nothing that a client has to say here, and no harm */
    }
    return true;
}

/* ---- the end ---- */

static void count_end(struct server *server, enum engine_end why)
{
    if (why == ENGINE_SILENT)
        metrics_add(server->metrics, METRIC_CLOSED_TIMEOUT, 1);
    if (why == ENGINE_MALFORMED)
        metrics_add(server->metrics, METRIC_CLOSED_PROTOCOL, 1);
}

void engine_end(struct server *server, usec now, struct engine *engine, enum engine_end why)
{
    struct stream *socket = engine->socket;
    bool is_told = why == ENGINE_CLOSED || why == ENGINE_GONE;
    count_end(server, why);
    session_end(server, now, &engine->session, why == ENGINE_CLOSED);
    if (engine->probe)
        engine_close_socket(server, now, engine->probe, 1000, "");
    if (socket)
        engine_close_socket(server, now, socket, is_told ? 1005 : 1000, "");
    /* a client that closes is told no more; its poll only ends */
    engine_answer_poll(server, now, engine, is_told ? VIEW("6") : VIEW("1"));
    free_engine(server, engine);
}

/* The speech, or the server as a whole, closes it. */
static void close_session(struct server *server, usec now, struct session *session, uint16_t code,
                          const char *reason)
{
    struct engine *engine = engine_of(session);
    struct stream *socket = engine->socket;
    if (engine->probe)
        engine_close_socket(server, now, engine->probe, 1000, "");
    if (socket) {
        engine_close_socket(server, now, socket, code, reason);
        free_engine(server, engine);
        return;
    }
    if (outbox_put_static(&engine->queue, &server->outboxes, VIEW("1"), SIZE_MAX) != OK) {
        engine_end(server, now, engine, ENGINE_REFUSED);
        return;
    }
    engine_flush(server, now, engine);
    if (engine->queue.count == 0) {
        free_engine(server, engine);
        return;
    }
    engine->is_lingering = true;
    engine->beat_at = now + ENGINE_LINGER_TIME;
    engine->flush_at = 0;
    engine_set_timer(server, engine);
}

static void drop(struct server *server, struct session *session)
{
    free_engine(server, engine_of(session));
}

const struct carrier engine_carrier = {
    .name = "engine.io",
    .kind = CARRIER_ENGINE,
    .request = engine_request,
    .send = engine_send,
    .close = close_session,
    .timer = expired,
    .drop = drop,
    .session_size = sizeof(struct engine),
};
