/* Socket.IO at an endpoint: its sessions, and what packets come to. */
#include "front/socketio/socketio.h"

#include "front/engine/engine.h"
#include "front/mediasoup/mediasoup.h"

#include <stdlib.h>
#include <string.h>

static struct socketio_session *state_of(const struct session *session)
{
    return session->state;
}

/* ---- sending ---- */

void socketio_send(struct server *server, usec now, struct session *session,
                   const struct socketio_packet *packet)
{
    struct buffer *buffer;
    size_t size = 0;
    size_t capacity = SOCKETIO_FRAMING_MAX + packet->name_space.size + packet->data.size;
    if (buffers_take(server->buffers, capacity, &buffer) != OK) {
        session_close(server, session, 1013, "the server is full");
        return;
    }
    if (socketio_write(packet, buffer->bytes, buffer->capacity, &size) == OK) {
        struct message message = message_make(view_make(buffer->bytes, size), false);
        session_send(server, now, session, &message);
        message_done(server, &message);
    }
    buffer_give(server->buffers, buffer);
}

/* ---- packets with attachments ---- */

static void drop_gathering(struct server *server, struct socketio *socketio,
                           struct socketio_session *state)
{
    struct socketio_gathering *gathering = state->gathering;
    if (!gathering)
        return;
    state->gathering = NULL;
    buffer_give(server->buffers, gathering->text);
    for (uint32_t i = 0; i < gathering->count; i++)
        buffer_give(server->buffers, gathering->attachments[i]);
    pool_give(&socketio->gathering_pool, gathering);
}

static struct buffer *keep(struct server *server, struct view bytes)
{
    struct buffer *buffer;
    if (buffers_take(server->buffers, bytes.size, &buffer) != OK)
        return NULL;
    if (bytes.size)
        memcpy(buffer->bytes, bytes.at, bytes.size);
    buffer->size = (uint32_t)bytes.size;
    return buffer;
}

static void begin_gathering(struct server *server, struct session *session, struct view text,
                            const struct socketio_packet *packet)
{
    struct socketio *socketio = socketio_of(session);
    struct socketio_gathering *gathering = pool_take(&socketio->gathering_pool);
    struct buffer *kept = gathering ? keep(server, text) : NULL;
    if (!kept) {
        pool_give(&socketio->gathering_pool, gathering);
        session_close(server, session, 1013, "the server is full");
        return;
    }
    gathering->text = kept;
    gathering->wanted = packet->attachments;
    state_of(session)->gathering = gathering;
}

static void dispatch(struct server *server, usec now, struct session *session, struct view text,
                     const struct socketio_packet *packet,
                     const struct socketio_gathering *gathering);

/* The last attachment completes the packet. */
static void gather(struct server *server, usec now, struct session *session, struct view bytes)
{
    struct socketio_session *state = state_of(session);
    struct socketio_gathering *gathering = state->gathering;
    struct socketio_packet packet;
    /* as much as its receivers' queues may hold */
    struct buffer *kept = NULL;
    if (gathering->size + bytes.size <= session->endpoint->config->limits.queue_bytes)
        kept = keep(server, bytes);
    if (!kept) {
        session_close(server, session, 1009, "the attachments are too long");
        return;
    }
    gathering->size += bytes.size;
    gathering->attachments[gathering->count++] = kept;
    if (gathering->count < gathering->wanted)
        return;
    struct view text = buffer_view(gathering->text);
    if (socketio_read(text, &packet) == OK)
        dispatch(server, now, session, text, &packet, gathering);
    drop_gathering(server, socketio_of(session), state);
}

/* ---- packets ---- */

static void close_malformed(struct server *server, struct session *session)
{
    metrics_add(server->metrics, METRIC_CLOSED_PROTOCOL, 1);
    session_close(server, session, 1002, "parse error");
}

/* The older servers let pass what is for no namespace that the client is in. */
static void refuse_stray(struct server *server, struct session *session)
{
    if (engine_revision(session) != 3)
        close_malformed(server, session);
}

static void dispatch(struct server *server, usec now, struct session *session, struct view text,
                     const struct socketio_packet *packet,
                     const struct socketio_gathering *gathering)
{
    struct socketio_socket *socket = socketio_find(session, packet->name_space);
    if (packet->type == SOCKETIO_CONNECT && !socket) {
        socketio_connect(server, now, session, packet);
        return;
    }
    if (!socket || packet->type == SOCKETIO_CONNECT || packet->type == SOCKETIO_ERROR) {
        refuse_stray(server, session);
        return;
    }
    if (packet->type == SOCKETIO_EVENT || packet->type == SOCKETIO_BINARY_EVENT)
        socketio_hear(server, now, session, text, packet, gathering);
    else if (packet->type == SOCKETIO_DISCONNECT)
        socketio_leave(server, now, session, socket);
    /* acknowledgements: nothing that is sent here asks for one */
}

static void heard(struct server *server, usec now, struct session *session, struct view body,
                  bool is_binary)
{
    struct socketio_session *state = state_of(session);
    struct socketio_packet packet;
    if (is_binary && state->gathering)
        gather(server, now, session, body);
    else if (is_binary || state->gathering || socketio_read(body, &packet) != OK)
        close_malformed(server, session);
    else if (packet.attachments)
        begin_gathering(server, session, body, &packet);
    else
        dispatch(server, now, session, body, &packet, NULL);
}

/* ---- the beginning and the end of a session ---- */

void socketio_expect_connect(struct server *server, usec now, struct session *session)
{
    usec timeout = session->endpoint->config->socketio.connect_timeout;
    if (timeout)
        wheel_set(&server->wheel, &session->speech_timer, now + timeout);
}

/* The older clients are in "/" without asking. */
static void opened(struct server *server, usec now, struct session *session)
{
    struct socketio_packet connect = { .type = SOCKETIO_CONNECT, .name_space = VIEW("/") };
    list_init(&state_of(session)->sockets);
    socketio_expect_connect(server, now, session);
    if (engine_revision(session) == 3)
        socketio_connect(server, now, session, &connect);
}

static void expired(struct server *server, usec now, struct session *session)
{
    (void)now;
    if (state_of(session)->socket_count == 0) {
        metrics_add(server->metrics, METRIC_CLOSED_TIMEOUT, 1);
        session_close(server, session, 1000, "no namespace was connected to in time");
    }
}

static void closed(struct server *server, usec now, struct session *session, bool clean)
{
    struct socketio_session *state = state_of(session);
    (void)clean;
    drop_gathering(server, socketio_of(session), state);
    while (!list_empty(&state->sockets)) {
        struct socketio_socket *socket =
            LIST_ENTRY(state->sockets.next, struct socketio_socket, of_session);
        if (!socketio_break(server, now, session, socket))
            socketio_leave(server, now, session, socket);
    }
}

/* ---- the endpoint ---- */

static void endpoint_expired(struct server *server, usec now, struct endpoint *endpoint)
{
    socketio_expire(server, now, endpoint->context, false);
}

static int start(struct server *server, struct endpoint *endpoint)
{
    uint32_t sessions = endpoint->config->limits.sessions;
    uint32_t sockets = sessions < UINT32_MAX / 2 ? sessions * 2 : sessions;
    struct socketio *socketio = calloc(1, sizeof *socketio);
    if (!socketio)
        return ERR_MEMORY;
    socketio->endpoint = endpoint;
    list_init(&socketio->spaces);
    int status =
        pool_init(&socketio->space_pool, sizeof(struct socketio_space), SOCKETIO_SPACES_MAX);
    if (status != OK)
        goto give_state;
    status = pool_init(&socketio->socket_pool, sizeof(struct socketio_socket), sockets);
    if (status != OK)
        goto give_spaces;
    status = pool_init(&socketio->gathering_pool, sizeof(struct socketio_gathering), sessions);
    if (status != OK)
        goto give_sockets;
    status = socketio_recovery_start(server, socketio);
    if (status != OK)
        goto give_gatherings;
    status = mediasoup_start(server, endpoint, &socketio->mediasoup);
    if (status != OK)
        goto give_recovery;
    status = relay_new(server, endpoint, &socketio_voice, sockets, &socketio->relay);
    if (status != OK)
        goto give_mediasoup;
    endpoint->context = socketio;
    return OK;

give_mediasoup:
    mediasoup_stop(socketio->mediasoup);
give_recovery:
    socketio_recovery_stop(server, socketio);
give_gatherings:
    pool_free(&socketio->gathering_pool);
give_sockets:
    pool_free(&socketio->socket_pool);
give_spaces:
    pool_free(&socketio->space_pool);
give_state:
    free(socketio);
    return status;
}

static void drop_session(struct server *server, struct socketio *socketio,
                         struct socketio_session *state)
{
    drop_gathering(server, socketio, state);
    for (struct list *at = state->sockets.next; at != &state->sockets; at = at->next)
        outbox_clear(&LIST_ENTRY(at, struct socketio_socket, of_session)->log, &socketio->logs);
}

static void stop(struct server *server, struct endpoint *endpoint)
{
    struct socketio *socketio = endpoint->context;
    for (struct list *at = endpoint->sessions.next; at != &endpoint->sessions; at = at->next) {
        struct session *session = LIST_ENTRY(at, struct session, of_endpoint);
        if (session->state && session->is_open)
            drop_session(server, socketio, session->state);
    }
    socketio_recovery_stop(server, socketio);
    relay_free(server, socketio->relay);
    mediasoup_stop(socketio->mediasoup);
    pool_free(&socketio->gathering_pool);
    pool_free(&socketio->socket_pool);
    pool_free(&socketio->space_pool);
    free(socketio);
    endpoint->context = NULL;
}

const struct speech socketio_speech = {
    .name = "socket.io",
    .opened = opened,
    .message = heard,
    .closed = closed,
    .timer = expired,
    .start = start,
    .stop = stop,
    .endpoint_timer = endpoint_expired,
    .state_size = sizeof(struct socketio_session),
};
