#include "front/stomp/door.h"

#include "base/utf8.h"
#include "front/hold.h"
#include "front/respond.h"
#include "room/broker.h"
#include "wire/json.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define HELD_HEADERS "Access-Control-Allow-Origin: *\r\nCache-Control: no-store\r\n"
#define JSON_TYPE    "application/json"
#define KEY_MAX      512 /* a camera's, as JSON */
#define DATA_MAX     2048
#define ANSWER_MAX   (DATA_MAX + 200)

enum door_side { DOOR_ENTER, DOOR_ASK, DOOR_LEAVE };

const char *const DOOR_PATHS[] = {
    [DOOR_ENTER] = "/poll/enter/room/",
    [DOOR_ASK] = "/receive-events/enter/room/",
    [DOOR_LEAVE] = "/poll/leave/room/",
    NULL,
};

/* A room, and what is waited for there. */
struct door_room {
    struct list waits;
    struct door *door;
    size_t key_size;
    char key[1 + BROKER_ROOM_MAX]; /* the side, as a letter, and the room's name */
};

struct door_wait {
    struct list node;
    struct door_room *room;
    struct stream *stream;
};

int door_init(struct door *door, struct server *server, uint32_t waits_max)
{
    int status = pool_init(&door->waits, sizeof(struct door_wait), waits_max);
    if (status != OK)
        return status;
    status = pool_init(&door->rooms, sizeof(struct door_room), waits_max);
    if (status != OK)
        goto free_waits;
    status = map_init(&door->by_name, waits_max, &server->config.random);
    if (status != OK)
        goto free_rooms;
    door->is_open = true;
    return OK;

free_rooms:
    pool_free(&door->rooms);
free_waits:
    pool_free(&door->waits);
    return status;
}

void door_free(struct door *door)
{
    map_free(&door->by_name);
    pool_free(&door->rooms);
    pool_free(&door->waits);
    door->is_open = false;
}

/* ---- waiting ---- */

static size_t write_key(enum door_side side, struct view room, char key[1 + BROKER_ROOM_MAX])
{
    key[0] = side == DOOR_LEAVE ? 'l' : 'e';
    memcpy(key + 1, room.at, room.size);
    return 1 + room.size;
}

static struct door_room *find_room(struct door *door, enum door_side side, struct view room)
{
    char key[1 + BROKER_ROOM_MAX];
    size_t size = write_key(side, room, key);
    return map_find(&door->by_name, view_make(key, size));
}

static struct door_room *make_room(struct door *door, enum door_side side, struct view name)
{
    struct door_room *room = pool_take(&door->rooms);
    if (!room)
        return NULL;
    room->door = door;
    room->key_size = write_key(side, name, room->key);
    list_init(&room->waits);
    if (map_add(&door->by_name, view_make(room->key, room->key_size), room) == OK)
        return room;
    pool_give(&door->rooms, room);
    return NULL;
}

static void forget_wait(struct server *server, struct door_wait *wait)
{
    struct door_room *room = wait->room;
    struct door *door = room->door;
    list_remove(&wait->node);
    pool_give(&door->waits, wait);
    metrics_subtract(server->metrics, METRIC_DOOR_WAITS, 1);
    if (!list_empty(&room->waits))
        return;
    map_remove(&door->by_name, view_make(room->key, room->key_size));
    pool_give(&door->rooms, room);
}

static void gone(struct server *server, usec now, struct stream *stream)
{
    (void)now;
    forget_wait(server, stream->context);
}

static void stopping(struct server *server, usec now, struct stream *stream)
{
    forget_wait(server, stream->context);
    http_answer_held(server, now, stream, 503, "text/plain; charset=utf-8",
                     VIEW("the server stops\n"));
}

static const struct holder HOLDER = { .gone = gone, .stopping = stopping };

static void wait_for(struct door *door, struct server *server, usec now, struct stream *stream,
                     enum door_side side, struct view name)
{
    struct door_wait *wait = server->is_stopping ? NULL : pool_take(&door->waits);
    struct door_room *room = NULL;
    if (wait)
        room = find_room(door, side, name);
    if (wait && !room)
        room = make_room(door, side, name);
    if (!room) {
        pool_give(&door->waits, wait);
        respond_code(server, now, stream, 503, NULL);
        return;
    }
    wait->room = room;
    wait->stream = stream;
    list_append(&room->waits, &wait->node);
    metrics_add(server->metrics, METRIC_DOOR_WAITS, 1);
    if (!http_hold(server, now, stream, &HOLDER, wait, HELD_HEADERS))
        forget_wait(server, wait);
}

/* ---- answers ---- */

static struct view write_answer(struct view data, char out[ANSWER_MAX])
{
    int size = snprintf(out, ANSWER_MAX,
                        "{\"status_code\":200,\"error_code\":null,\"result\":\"SUCCESS\","
                        "\"message\":null,\"data\":%.*s,\"error\":null}",
                        VIEW_ARGS(data));
    return view_make(out, (size_t)size);
}

/* Answers all that wait; each is forgotten before, so that none is answered twice. */
static void answer_all(struct door *door, struct server *server, usec now, enum door_side side,
                       struct view name, struct view data)
{
    char out[ANSWER_MAX];
    struct view answer = write_answer(data, out);
    struct door_room *room;
    while ((room = find_room(door, side, name)) != NULL) {
        struct door_wait *wait = LIST_ENTRY(room->waits.next, struct door_wait, node);
        struct stream *stream = wait->stream;
        forget_wait(server, wait);
        http_answer_held(server, now, stream, 200, JSON_TYPE, answer);
    }
}

void door_tell_left(struct door *door, struct server *server, usec now, struct view room,
                    struct view cam_key, uint32_t left)
{
    char bytes[DATA_MAX];
    char count[16];
    struct json_writer writer = json_writer_make(bytes, sizeof bytes);
    snprintf(count, sizeof count, "%u", (unsigned)left);
    json_open(&writer, '{');
    json_key(&writer, "camKey");
    if (cam_key.size)
        json_string(&writer, cam_key);
    else
        json_raw(&writer, VIEW("null"));
    json_key(&writer, "roomCount");
    json_string(&writer, left ? view_of(count) : VIEW("null"));
    json_close(&writer, '}');
    if (!writer.overflow)
        answer_all(door, server, now, DOOR_LEAVE, room, json_written(&writer));
}

/* The camera's key as it was asked for; an empty view: it is none. */
static struct view read_cam_key(struct view body, char out[KEY_MAX])
{
    cJSON *message;
    if (!utf8_valid(body) || json_read_object(body, &message) != OK)
        return (struct view){ NULL, 0 };
    cJSON *key = cJSON_GetObjectItemCaseSensitive(message, "camKey");
    bool is_key = cJSON_IsString(key) || cJSON_IsNumber(key);
    bool fits = is_key && cJSON_PrintPreallocated(key, out, KEY_MAX, false);
    cJSON_Delete(message);
    return fits ? view_of(out) : (struct view){ NULL, 0 };
}

static void ask(struct door *door, struct server *server, usec now, struct stream *stream,
                struct view room, struct view body)
{
    char key_bytes[KEY_MAX];
    char bytes[DATA_MAX];
    char out[ANSWER_MAX];
    struct view key = read_cam_key(body, key_bytes);
    struct json_writer writer = json_writer_make(bytes, sizeof bytes);
    if (key.size == 0) {
        respond_code(server, now, stream, 400, "Access-Control-Allow-Origin: *\r\n");
        return;
    }
    json_open(&writer, '{');
    json_key(&writer, "roomId");
    json_string(&writer, room);
    json_key(&writer, "camKey");
    json_raw(&writer, key);
    json_close(&writer, '}');
    assert(!writer.overflow); /* both are bounded, escaped as well */
    answer_all(door, server, now, DOOR_ENTER, room, json_written(&writer));
    respond(server, now, stream,
            &(struct response){ .code = 200,
                                .type = JSON_TYPE,
                                .headers = "Cache-Control: no-store\r\n",
                                .body = write_answer(json_written(&writer), out),
                                .cors = true });
}

/* ---- requests ---- */

static void answer_options(struct server *server, usec now, struct stream *stream)
{
    respond(server, now, stream,
            &(struct response){ .code = 204,
                                .headers = "Allow: GET, POST, OPTIONS\r\n"
                                           "Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n"
                                           "Access-Control-Allow-Headers: Authorization, "
                                           "Content-Type, Cache-Control, X-Requested-With\r\n"
                                           "Access-Control-Max-Age: 86400\r\n",
                                .cors = true });
}

void door_request(struct door *door, struct server *server, usec now, struct stream *stream,
                  struct view path, struct view body)
{
    enum request_method method = server->request.method;
    enum door_side side = DOOR_ENTER;
    while (!view_starts(path, view_of(DOOR_PATHS[side])))
        side++;
    struct view room = view_slice(path, strlen(DOOR_PATHS[side]), path.size);
    enum request_method wanted = side == DOOR_ASK ? METHOD_POST : METHOD_GET;
    bool is_room = room.size > 0 && room.size <= BROKER_ROOM_MAX && utf8_valid(room) &&
                   view_find_byte(room, '/') == room.size;
    if (!is_room)
        respond_code(server, now, stream, 404, "Access-Control-Allow-Origin: *\r\n");
    else if (method == METHOD_OPTIONS)
        answer_options(server, now, stream);
    else if (method != wanted)
        respond_code(server, now, stream, 405, "Allow: GET, POST, OPTIONS\r\n");
    else if (side == DOOR_ASK)
        ask(door, server, now, stream, room, body);
    else
        wait_for(door, server, now, stream, side, room);
}
