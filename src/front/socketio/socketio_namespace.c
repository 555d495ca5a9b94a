/* Namespaces of a Socket.IO endpoint, and the sockets in them. */
#include "front/engine/engine.h"
#include "front/mediasoup/mediasoup.h"
#include "front/socketio/socketio.h"

#include <stdio.h>
#include <string.h>

static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct socketio_socket *socketio_find(const struct session *session, struct view name)
{
    const struct socketio_session *state = session->state;
    for (const struct list *at = state->sockets.next; at != &state->sockets; at = at->next) {
        struct socketio_socket *socket = LIST_ENTRY(at, struct socketio_socket, of_session);
        if (view_equal(socketio_space_name(socket->space), name))
            return socket;
    }
    return NULL;
}

/* A namespace that the configuration names; any, where it names none, whose letters may stand in
 * JSON as they are. */
static bool is_served(const struct socketio_config *config, struct view name)
{
    for (uint32_t i = 0; i < config->namespace_count; i++)
        if (view_equal(name, view_of(config->namespaces[i])))
            return true;
    if (config->namespace_count)
        return false;
    for (size_t i = 0; i < name.size; i++)
        if (name.at[i] <= ' ' || name.at[i] == '"' || name.at[i] == '\\' || name.at[i] > '~')
            return false;
    return name.size <= SOCKETIO_NAMESPACE_MAX;
}

/* Linear: an endpoint has few of them. */
static struct socketio_space *take_space(struct socketio *socketio, struct view name)
{
    for (struct list *at = socketio->spaces.next; at != &socketio->spaces; at = at->next) {
        struct socketio_space *space = LIST_ENTRY(at, struct socketio_space, of_endpoint);
        if (view_equal(socketio_space_name(space), name))
            return space;
    }
    struct socketio_space *space = pool_take(&socketio->space_pool);
    if (!space)
        return NULL;
    space->name_size = (uint32_t)name.size;
    memcpy(space->name, name.at, name.size);
    space->socketio = socketio;
    relay_space_init(&space->space, socketio->relay, space);
    list_append(&socketio->spaces, &space->of_endpoint);
    return space;
}

static void give_space(struct socketio *socketio, struct socketio_space *space)
{
    if (space->socket_count > 0)
        return;
    list_remove(&space->of_endpoint);
    pool_give(&socketio->space_pool, space);
}

void socketio_make_secret(struct server *server, char out[SESSION_ID_SIZE + 1])
{
    uint8_t chance[SESSION_ID_SIZE];
    random_fill(&server->config.random, chance, sizeof chance);
    for (unsigned i = 0; i < SESSION_ID_SIZE; i++)
        out[i] = LETTERS[chance[i] % 64];
    out[SESSION_ID_SIZE] = '\0';
}

/* Protocol 5 tells the client its id; the older clients make it of the session's. */
static void make_id(struct server *server, const struct session *session,
                    struct socketio_socket *socket)
{
    struct view name = socketio_space_name(socket->space);
    if (engine_revision(session) == 3) {
        bool is_named = name.size > 1;
        snprintf(socket->id, sizeof socket->id, "%.*s%s%s", is_named ? (int)name.size : 0,
                 (const char *)name.at, is_named ? "#" : "", session->id);
        return;
    }
    socketio_make_secret(server, socket->id);
    if (socketio_recovery_time(socketio_of(session)))
        socketio_make_secret(server, socket->pid);
}

void socketio_say_connected(struct server *server, usec now, struct session *session,
                            const struct socketio_socket *socket)
{
    char data[SOCKETIO_ID_SIZE + SESSION_ID_SIZE + 32];
    struct socketio_packet packet = { .type = SOCKETIO_CONNECT,
                                      .name_space = socketio_space_name(socket->space) };
    if (engine_revision(session) != 3) {
        int size =
            snprintf(data, sizeof data, "{\"sid\":\"%s\"%s%s%s}", socket->id,
                     socket->pid[0] ? ",\"pid\":\"" : "", socket->pid, socket->pid[0] ? "\"" : "");
        packet.data = view_make(data, (size_t)size);
    }
    socketio_send(server, now, session, &packet);
}

static void refuse(struct server *server, usec now, struct session *session, struct view name,
                   const char *why)
{
    char data[80];
    int size = snprintf(data, sizeof data,
                        engine_revision(session) == 3 ? "\"%s\"" : "{\"message\":\"%s\"}", why);
    struct socketio_packet packet = {
        .type = SOCKETIO_ERROR,
        .name_space = name,
        .data = view_make(data, (size_t)size),
    };
    socketio_send(server, now, session, &packet);
}

void socketio_attach(struct session *session, struct socketio_socket *socket)
{
    struct socketio_session *state = session->state;
    list_append(&state->sockets, &socket->of_session);
    state->socket_count++;
}

void socketio_detach(struct session *session, struct socketio_socket *socket)
{
    struct socketio_session *state = session->state;
    list_remove(&socket->of_session);
    state->socket_count--;
}

/* NULL: there is no place. */
static struct socketio_socket *take_socket(struct server *server, usec now, struct session *session,
                                           struct view name)
{
    struct socketio *socketio = socketio_of(session);
    struct socketio_session *state = session->state;
    struct socketio_space *space =
        state->socket_count < SOCKETIO_SOCKETS_MAX ? take_space(socketio, name) : NULL;
    if (!space)
        return NULL;
    space->socket_count++; /* so that it stays */
    struct socketio_socket *socket = pool_take(&socketio->socket_pool);
    if (!socket) {
        /* those who are there go before those who may come back */
        socketio_expire(server, now, socketio, true);
        socket = pool_take(&socketio->socket_pool);
    }
    if (!socket) {
        space->socket_count--;
        give_space(socketio, space);
        return NULL;
    }
    socket->space = space;
    make_id(server, session, socket);
    socket->party.session = session;
    socket->party.id = view_of(socket->id);
    socketio_attach(session, socket);
    return socket;
}

static void give_socket(struct socketio *socketio, struct socketio_socket *socket)
{
    struct socketio_space *space = socket->space;
    outbox_clear(&socket->log, &socketio->logs);
    space->socket_count--;
    pool_give(&socketio->socket_pool, socket);
    give_space(socketio, space);
}

void socketio_free_socket(struct server *server, usec now, struct socketio *socketio,
                          struct socketio_socket *socket)
{
    mediasoup_leave(server, now, socket);
    relay_leave(server, now, &socket->party);
    give_socket(socketio, socket);
}

void socketio_connect(struct server *server, usec now, struct session *session,
                      const struct socketio_packet *packet)
{
    const struct socketio_config *config = &session->endpoint->config->socketio;
    if (!is_served(config, packet->name_space)) {
        refuse(server, now, session, packet->name_space, "Invalid namespace");
        return;
    }
    if (socketio_recover(server, now, session, packet))
        return;
    struct socketio_socket *socket = take_socket(server, now, session, packet->name_space);
    if (!socket) {
        refuse(server, now, session, packet->name_space, "The server is full");
        return;
    }
    wheel_cancel(&server->wheel, &session->speech_timer);
    socketio_say_connected(server, now, session, socket);
    socket->party.auth = packet->data;
    if (relay_enter(server, now, &socket->space->space, &socket->party) != OK) {
        socketio_detach(session, socket);
        give_socket(socketio_of(session), socket);
        session_close(server, session, 1013, "the server is full");
        return;
    }
    socket->party.auth = VIEW("");
    mediasoup_greet(server, now, socketio_of(session)->mediasoup, socket);
}

void socketio_leave(struct server *server, usec now, struct session *session,
                    struct socketio_socket *socket)
{
    struct socketio_session *state = session->state;
    socketio_detach(session, socket);
    socketio_free_socket(server, now, socketio_of(session), socket);
    if (state->socket_count == 0 && session->is_open)
        socketio_expect_connect(server, now, session);
}
