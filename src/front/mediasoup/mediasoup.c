/* An endpoint's rooms and members, and what events come to. */
#include "front/mediasoup/mediasoup.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPABILITIES_MAX ((size_t)12 * 1024) /* as text; MEDIASOUP_ANSWER_MAX has room for it */

/* ---- telling ---- */

int mediasoup_refuse(struct mediasoup_call *call, int status, const char *why)
{
    snprintf(call->error.text, sizeof call->error.text, "%s", why);
    return status;
}

void mediasoup_tell(struct server *server, usec now, struct mediasoup_member *member,
                    struct view event, const char *name, const char *id)
{
    char text[128];
    struct json_writer writer = json_writer_make(text, sizeof text);
    json_open(&writer, '{');
    json_key(&writer, name);
    json_string(&writer, view_of(id));
    json_close(&writer, '}');
    socketio_say(server, now, member->socket, event, json_written(&writer));
}

void mediasoup_greet(struct server *server, usec now, struct mediasoup *mediasoup,
                     struct socketio_socket *socket)
{
    struct mediasoup_member nobody = { .socket = socket };
    if (mediasoup)
        mediasoup_tell(server, now, &nobody, VIEW("connection-success"), "socketId", socket->id);
}

/* ---- rooms ---- */

static struct view room_key(const struct mediasoup_room *room)
{
    return view_make(room->key, room->key_size);
}

/* The room of that name in the socket's namespace; NULL: there is no place for one more. */
static struct mediasoup_room *take_room(struct mediasoup *mediasoup,
                                        const struct socketio_socket *socket, struct view name)
{
    struct mediasoup_room made;
    uint32_t number = socket->space->space.number;
    memcpy(made.key, &number, sizeof number);
    memcpy(made.key + sizeof number, name.at, name.size);
    made.key_size = (uint32_t)(sizeof number + name.size);
    struct mediasoup_room *room = map_find(&mediasoup->by_name, room_key(&made));
    if (room)
        return room;
    room = pool_take(&mediasoup->rooms);
    if (!room)
        return NULL;
    memcpy(room->key, made.key, made.key_size);
    room->key_size = made.key_size;
    list_init(&room->members);
    list_init(&room->producers);
    if (map_add(&mediasoup->by_name, room_key(room), room) == OK)
        return room;
    pool_give(&mediasoup->rooms, room);
    return NULL;
}

static void give_room(struct mediasoup *mediasoup, struct mediasoup_room *room)
{
    if (!list_empty(&room->members))
        return;
    map_remove(&mediasoup->by_name, room_key(room));
    pool_give(&mediasoup->rooms, room);
}

/* ---- members ---- */

static struct mediasoup_member *enter(struct mediasoup *mediasoup, struct socketio_socket *socket,
                                      struct view name)
{
    struct mediasoup_member *member = pool_take(&mediasoup->members);
    struct mediasoup_room *room = member ? take_room(mediasoup, socket, name) : NULL;
    if (!room) {
        pool_give(&mediasoup->members, member);
        return NULL;
    }
    member->mediasoup = mediasoup;
    member->socket = socket;
    member->room = room;
    list_init(&member->transports);
    list_append(&room->members, &member->of_room);
    socket->mediasoup_member = member;
    return member;
}

void mediasoup_leave(struct server *server, usec now, struct socketio_socket *socket)
{
    struct mediasoup_member *member = socket->mediasoup_member;
    if (!member)
        return;
    while (!list_empty(&member->transports))
        mediasoup_close_transport(
            server, now,
            LIST_ENTRY(member->transports.next, struct mediasoup_transport, of_member));
    list_remove(&member->of_room);
    give_room(member->mediasoup, member->room);
    pool_give(&member->mediasoup->members, member);
    socket->mediasoup_member = NULL;
}

/* Into another room it goes with nothing; into the one where it is, it may say that it comes more
 * than once. */
static int join(struct mediasoup_call *call)
{
    struct view name = json_get_string(call->argument, "roomName");
    if (name.size == 0 || name.size > MEDIASOUP_ROOM_NAME_MAX)
        return mediasoup_refuse(call, ERR_MALFORMED, "roomName: 1 to 128 bytes are wanted");
    if (call->member && !view_equal(mediasoup_room_name(call->member->room), name))
        mediasoup_leave(call->server, call->now, call->socket);
    if (!call->socket->mediasoup_member && !enter(call->mediasoup, call->socket, name))
        return mediasoup_refuse(call, ERR_LIMIT, "the server is full");
    json_open(&call->answer, '{');
    json_key(&call->answer, "rtpCapabilities");
    json_raw(&call->answer,
             view_make(call->mediasoup->capabilities_text, call->mediasoup->capabilities_size));
    json_close(&call->answer, '}');
    return OK;
}

/* ---- events ---- */

static const struct event {
    const char *name;
    int (*handle)(struct mediasoup_call *call);
    bool is_join;
    bool has_params; /* errors are told as {"params":{"error": ...}} */
} EVENTS[] = {
    { "joinRoom", join, true, false },
    { "join", join, true, false },
    { "createWebRtcTransport", mediasoup_create_transport, false, true },
    { "transport-connect", mediasoup_connect_sending, false, false },
    { "transport-produce", mediasoup_produce, false, false },
    { "getProducers", mediasoup_get_producers, false, false },
    { "transport-recv-connect", mediasoup_connect_receiving, false, false },
    { "consume", mediasoup_consume, false, true },
    { "consumer-resume", mediasoup_resume, false, false },
};

static const struct event *find_event(struct view name)
{
    for (size_t i = 0; i < sizeof EVENTS / sizeof EVENTS[0]; i++)
        if (view_equal(name, view_of(EVENTS[i].name)))
            return &EVENTS[i];
    return NULL;
}

/* NULL: there is none, or it is no object. */
static cJSON *read_argument(const struct socketio_packet *packet)
{
    struct view rest = packet->rest;
    struct view first;
    cJSON *tree = NULL;
    if (rest.size == 0 || socketio_skip_value(&rest, -1, &first) != OK ||
        json_read_object(first, &tree) != OK)
        return NULL;
    return tree;
}

static void write_error(struct mediasoup_call *call, const struct event *event)
{
    struct json_writer *answer = &call->answer;
    json_open(answer, '{');
    if (event->has_params) {
        json_key(answer, "params");
        json_open(answer, '{');
    }
    json_key(answer, "error");
    json_string(answer, view_of(call->error.text));
    if (event->has_params)
        json_close(answer, '}');
    json_close(answer, '}');
}

static int handle(struct mediasoup_call *call, const struct event *event)
{
    if (!call->server->sfu)
        return mediasoup_refuse(call, ERR_UNSUPPORTED, "the server forwards no media");
    if (!event->is_join && !call->member)
        return mediasoup_refuse(call, ERR_NOT_FOUND, "join a room first");
    return event->handle(call);
}

/* The answer stands in the buffer, as the arguments of an acknowledgement. */
static void answer(struct mediasoup_call *call, const struct event *event,
                   const struct socketio_packet *packet, struct buffer *buffer)
{
    struct json_writer empty = json_writer_make(buffer->bytes, buffer->capacity);
    json_open(&empty, '[');
    call->answer = empty;
    int status = handle(call, event);
    if (status == OK && call->answer.overflow)
        status = mediasoup_refuse(call, ERR_LIMIT, "the answer is too long");
    if (status != OK) {
        metrics_add(call->server->metrics, METRIC_MEDIASOUP_ERRORS, 1);
        call->answer = empty;
        write_error(call, event);
    }
    json_close(&call->answer, ']');
    if (packet->has_id && call->socket->party.session)
        socketio_acknowledge(call->server, call->now, call->socket->party.session, packet,
                             json_written(&call->answer));
}

bool mediasoup_hear(struct server *server, usec now, struct mediasoup *mediasoup,
                    struct socketio_socket *socket, const struct socketio_packet *packet)
{
    const struct event *event = mediasoup ? find_event(packet->event) : NULL;
    struct buffer *buffer;
    if (!event)
        return false;
    cJSON *argument = read_argument(packet);
    /* pages that call one another without an SFU say join, too, but with a roomId */
    if (event->is_join && !cJSON_GetObjectItemCaseSensitive(argument, "roomName")) {
        cJSON_Delete(argument);
        return false;
    }
    struct mediasoup_call call = { .server = server,
                                   .now = now,
                                   .mediasoup = mediasoup,
                                   .socket = socket,
                                   .member = socket->mediasoup_member,
                                   .argument = argument };
    if (buffers_take(server->buffers, MEDIASOUP_ANSWER_MAX, &buffer) == OK) {
        answer(&call, event, packet, buffer);
        buffer_give(server->buffers, buffer);
    } else {
        session_close(server, socket->party.session, 1013, "the server is full");
    }
    cJSON_Delete(argument);
    return true;
}

/* ---- the endpoint ---- */

static int write_capabilities(struct mediasoup *mediasoup)
{
    mediasoup->capabilities_text = malloc(CAPABILITIES_MAX);
    if (!mediasoup->capabilities_text)
        return ERR_MEMORY;
    struct json_writer writer = json_writer_make(mediasoup->capabilities_text, CAPABILITIES_MAX);
    ortc_capabilities_init(&mediasoup->capabilities, &media_policy);
    ortc_write_capabilities(&writer, &mediasoup->capabilities);
    assert(!writer.overflow);
    mediasoup->capabilities_size = writer.size;
    return OK;
}

static int make_pools(struct mediasoup *mediasoup, uint32_t sessions, uint32_t transports)
{
    int status = pool_init(&mediasoup->rooms, sizeof(struct mediasoup_room), sessions);
    if (status == OK)
        status = pool_init(&mediasoup->members, sizeof(struct mediasoup_member), sessions);
    if (status == OK)
        status = pool_init(&mediasoup->transports, sizeof(struct mediasoup_transport), transports);
    if (status == OK)
        status =
            pool_init(&mediasoup->producers, sizeof(struct mediasoup_producer), 2 * transports);
    if (status == OK)
        status =
            pool_init(&mediasoup->consumers, sizeof(struct mediasoup_consumer), 4 * transports);
    return status;
}

int mediasoup_start(struct server *server, struct endpoint *endpoint, struct mediasoup **out)
{
    *out = NULL;
    if (!server->config.rtc || !endpoint->config->socketio.mediasoup)
        return OK;
    struct mediasoup *mediasoup = calloc(1, sizeof *mediasoup);
    if (!mediasoup)
        return ERR_MEMORY;
    mediasoup->endpoint = endpoint;
    uint32_t sessions = endpoint->config->limits.sessions;
    int status = write_capabilities(mediasoup);
    if (status == OK)
        status = map_init(&mediasoup->by_name, sessions, &server->config.random);
    if (status == OK)
        status = make_pools(mediasoup, sessions, server->config.rtc->transports_max);
    if (status == OK)
        *out = mediasoup;
    else
        mediasoup_stop(mediasoup);
    return status;
}

void mediasoup_stop(struct mediasoup *mediasoup)
{
    if (!mediasoup)
        return;
    pool_free(&mediasoup->consumers);
    pool_free(&mediasoup->producers);
    pool_free(&mediasoup->transports);
    pool_free(&mediasoup->members);
    pool_free(&mediasoup->rooms);
    map_free(&mediasoup->by_name);
    free(mediasoup->capabilities_text);
    free(mediasoup);
}
