/* Namespaces of a Socket.IO endpoint, and the sockets in them. */
#include "front/engine/engine.h"
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

/* Protocol 5 tells the client its id; the older clients make it of the session's. */
static void make_id(struct server *server, const struct session *session,
                    struct socketio_socket *socket)
{
    struct view name = socketio_space_name(socket->space);
    uint8_t chance[SESSION_ID_SIZE];
    if (engine_revision(session) == 3) {
        bool is_named = name.size > 1;
        snprintf(socket->id, sizeof socket->id, "%.*s%s%s", is_named ? (int)name.size : 0,
                 (const char *)name.at, is_named ? "#" : "", session->id);
        return;
    }
    random_fill(&server->config.random, chance, sizeof chance);
    for (unsigned i = 0; i < SESSION_ID_SIZE; i++)
        socket->id[i] = LETTERS[chance[i] % 64];
}

static void say_connected(struct server *server, usec now, struct session *session,
                          const struct socketio_socket *socket)
{
    char data[SOCKETIO_ID_SIZE + 16];
    struct socketio_packet packet = { .type = SOCKETIO_CONNECT,
                                      .name_space = socketio_space_name(socket->space) };
    if (engine_revision(session) != 3) {
        int size = snprintf(data, sizeof data, "{\"sid\":\"%s\"}", socket->id);
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

static struct socketio_socket *take_socket(struct server *server, struct session *session,
                                           struct view name)
{
    struct socketio *socketio = socketio_of(session);
    struct socketio_session *state = session->state;
    struct socketio_space *space =
        state->socket_count < SOCKETIO_SOCKETS_MAX ? take_space(socketio, name) : NULL;
    if (!space)
        return NULL;
    struct socketio_socket *socket = pool_take(&socketio->socket_pool);
    if (!socket) {
        give_space(socketio, space);
        return NULL;
    }
    socket->space = space;
    space->socket_count++;
    make_id(server, session, socket);
    socket->party.session = session;
    socket->party.id = view_of(socket->id);
    list_append(&state->sockets, &socket->of_session);
    state->socket_count++;
    return socket;
}

static void give_socket(struct session *session, struct socketio_socket *socket)
{
    struct socketio *socketio = socketio_of(session);
    struct socketio_session *state = session->state;
    struct socketio_space *space = socket->space;
    list_remove(&socket->of_session);
    state->socket_count--;
    space->socket_count--;
    pool_give(&socketio->socket_pool, socket);
    give_space(socketio, space);
}

void socketio_connect(struct server *server, usec now, struct session *session,
                      const struct socketio_packet *packet)
{
    const struct socketio_config *config = &session->endpoint->config->socketio;
    if (!is_served(config, packet->name_space)) {
        refuse(server, now, session, packet->name_space, "Invalid namespace");
        return;
    }
    struct socketio_socket *socket = take_socket(server, session, packet->name_space);
    if (!socket) {
        refuse(server, now, session, packet->name_space, "The server is full");
        return;
    }
    wheel_cancel(&server->wheel, &session->speech_timer);
    say_connected(server, now, session, socket);
    socket->party.auth = packet->data;
    if (relay_enter(server, now, &socket->space->space, &socket->party) != OK) {
        give_socket(session, socket);
        session_close(server, session, 1013, "the server is full");
        return;
    }
    socket->party.auth = VIEW("");
}

void socketio_leave(struct server *server, usec now, struct session *session,
                    struct socketio_socket *socket)
{
    struct socketio_session *state = session->state;
    relay_leave(server, now, &socket->party);
    give_socket(session, socket);
    if (state->socket_count == 0 && session->is_open)
        socketio_expect_connect(server, now, session);
}
