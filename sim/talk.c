#include "talk.h"

#include "front/endpoint.h"
#include "wire/json.h"
#include "wire/socketio.h"
#include "wire/stomp.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX  12000
#define BEAT_TIME (8 * USEC_S)

/* ---- what they are served ---- */

static const struct rule RULES[] = {
    { .on = "join", .join = "room", .to = TO_SENDER, .emit = "joined" },
    { .on = "say", .to = TO_ALL },
    { .on = "offer", .to = TO_OTHERS, .keep = KEEP_FIRST },
    { .on = "candidate", .to = TO_OTHERS, .keep = KEEP_MORE },
};
static const char *const NAMESPACES[] = { "/" };
static const char *const BROKER[] = { "/topic" };
static const char *const APPLICATION[] = { "/app" };

#define LIMITS                                                                                     \
    {                                                                                              \
        .sessions = 200, .message_bytes = 64 * 1024, .queue_bytes = 256 * 1024, .rooms = 2,        \
        .subscriptions = 4, .kept = 1 + CANDIDATES_MAX                                             \
    }
#define TABLE                                                                                      \
    {                                                                                              \
        .event_field = "type", .items = RULES, .count = sizeof RULES / sizeof RULES[0]             \
    }
#define SOCKJS                                                                                     \
    {                                                                                              \
        .heartbeat = 10 * USEC_S, .disconnect = 5 * USEC_S, .response_max = 16 * 1024,             \
        .websocket = true, .client_url = "https://sim.example/sockjs.js"                           \
    }
#define ENGINE                                                                                     \
    {                                                                                              \
        .ping_interval = 10 * USEC_S, .ping_timeout = 8 * USEC_S, .eio3 = true                     \
    }

static const struct endpoint_config ENDPOINTS[HOMES] = {
    { "/relay", CARRIER_WEBSOCKET, SPEECH_RELAY, .limits = LIMITS, .rules = TABLE },
    { "/sockjs", CARRIER_SOCKJS, SPEECH_RELAY, .limits = LIMITS, .rules = TABLE, .sockjs = SOCKJS },
    { "/engine", CARRIER_ENGINE, SPEECH_RELAY, .limits = LIMITS, .rules = TABLE, .engine = ENGINE },
    { "/stomp", CARRIER_SOCKJS, SPEECH_STOMP, .limits = LIMITS, .sockjs = SOCKJS,
      .stomp = { .broker = BROKER,
                 .broker_count = 1,
                 .application = APPLICATION,
                 .application_count = 1,
                 .heartbeat = 10 * USEC_S } },
    { "/socket.io", CARRIER_ENGINE, SPEECH_SOCKETIO, .limits = LIMITS, .rules = TABLE,
      .engine = ENGINE,
      .socketio = { .namespaces = NAMESPACES,
                    .namespace_count = 1,
                    .connect_timeout = 10 * USEC_S } },
};
const struct endpoint_configs home_endpoints = { ENDPOINTS, HOMES };

#define OVER_SOCKJS                                                                                \
    {                                                                                              \
        LINE_SOCKJS_WEBSOCKET, LINE_SOCKJS_POLLING, LINE_SOCKJS_STREAMING, LINE_SOCKJS_RAW         \
    }
#define OVER_ENGINE                                                                                \
    {                                                                                              \
        LINE_ENGINE_BOTH, LINE_ENGINE_POLLING, LINE_ENGINE_WEBSOCKET                               \
    }

const struct home homes[HOMES] = {
    { "/relay", TALK_JSON, { LINE_BARE }, 1 },       { "/sockjs", TALK_JSON, OVER_SOCKJS, 4 },
    { "/engine", TALK_JSON, OVER_ENGINE, 3 },        { "/stomp", TALK_STOMP, OVER_SOCKJS, 4 },
    { "/socket.io", TALK_SOCKETIO, OVER_ENGINE, 3 },
};

static void fail(const struct talk *talk, const char *what, struct view message)
{
    fprintf(stderr, "in %s: %s: %.*s\n", talk->room, what,
            (int)(message.size < 100 ? message.size : 100), (const char *)message.at);
    abort();
}

/* ---- JSON ---- */

static void hear_json(struct talk *talk, struct view message)
{
    cJSON *object = NULL;
    if (json_read_object(message, &object) != OK)
        fail(talk, "not JSON", message);
    talk->told(talk->context, json_get_string(object, "type"), message);
    cJSON_Delete(object);
}

/* ---- STOMP ---- */

/* A frame, now and then in two messages. */
static bool say_frame(struct talk *talk, const struct stomp_writer *writer)
{
    struct view frame = stomp_written(writer);
    size_t cut = frame.size;
    assert(!writer->overflow);
    if (talk->line->pending_count + 2 > LINE_PENDING_MAX)
        return false;
    if (world_chance(talk->line->world, 20))
        cut = 1 + world_pick(talk->line->world, (uint32_t)frame.size);
    talk->said_at = talk->line->world->now;
    return line_say(talk->line, view_slice(frame, 0, cut), false) &&
           (cut == frame.size || line_say(talk->line, view_slice(frame, cut, frame.size), false));
}

static void stomp_hello(struct talk *talk)
{
    uint8_t out[TEXT_MAX];
    struct stomp_writer writer;
    stomp_begin(&writer, out, sizeof out, STOMP_1_2, STOMP_COMMAND_CONNECT);
    stomp_add(&writer, "accept-version", VIEW("1.0,1.1,1.2"));
    stomp_add(&writer, "heart-beat",
              world_chance(talk->line->world, 50) ? VIEW("10000,10000") : VIEW("0,0"));
    stomp_end_empty(&writer);
    say_frame(talk, &writer);
}

static void stomp_join(struct talk *talk)
{
    uint8_t out[TEXT_MAX];
    char destination[60];
    struct stomp_writer writer;
    snprintf(destination, sizeof destination, "/topic/room/%s", talk->room);
    stomp_begin(&writer, out, sizeof out, STOMP_1_2, STOMP_COMMAND_SUBSCRIBE);
    stomp_add(&writer, "id", VIEW("sub-0"));
    stomp_add(&writer, "destination", view_of(destination));
    stomp_add(&writer, "receipt", VIEW("joined"));
    stomp_end_empty(&writer);
    say_frame(talk, &writer);
}

static bool stomp_tell(struct talk *talk, struct view json)
{
    uint8_t out[TEXT_MAX];
    char destination[60];
    struct stomp_writer writer;
    snprintf(destination, sizeof destination, "/app/room/%s", talk->room);
    stomp_begin(&writer, out, sizeof out, STOMP_1_2, STOMP_COMMAND_SEND);
    stomp_add(&writer, "destination", view_of(destination));
    stomp_end(&writer, json);
    return say_frame(talk, &writer);
}

static void hear_stomp(struct talk *talk, struct view message)
{
    struct stomp_reader reader = { 0 };
    struct stomp_frame frame;
    size_t used = 0;
    struct span copy = { malloc(message.size + 1), message.size };
    assert(copy.at && message.size > 0);
    memcpy(copy.at, message.at, message.size);
    int status = stomp_read(&reader, copy, STOMP_1_2, TEXT_MAX, &frame, &used);
    if (status != OK || used != copy.size)
        fail(talk, "not a frame", message);
    if (frame.command == STOMP_COMMAND_CONNECTED)
        stomp_join(talk);
    else if (frame.command == STOMP_COMMAND_RECEIPT)
        talk->told(talk->context, VIEW("joined"), VIEW("{}"));
    else if (frame.command == STOMP_COMMAND_MESSAGE)
        talk->told(talk->context, VIEW("say"), frame.body);
    else if (frame.command != STOMP_COMMAND_BEAT)
        fail(talk, "an error", message);
    free(copy.at);
}

/* ---- Socket.IO ---- */

/* Some events bear an attachment. */
static bool socketio_tell(struct talk *talk, const char *event, struct view json)
{
    static char text[TEXT_MAX];
    bool has_bytes = strcmp(event, "say") == 0 && world_chance(talk->line->world, 20);
    int size = snprintf(text, sizeof text, "%s[\"%s\",%.*s%s]", has_bytes ? "51-" : "2", event,
                        (int)json.size, (const char *)json.at,
                        has_bytes ? ",{\"_placeholder\":true,\"num\":0}" : "");
    assert(size > 0 && (size_t)size < sizeof text);
    if (talk->line->pending_count + 2 > LINE_PENDING_MAX)
        return false;
    return line_say(talk->line, view_make(text, (size_t)size), false) &&
           (!has_bytes || line_say(talk->line, VIEW("\x01\x02\xff"), true));
}

static void hear_attachment(struct talk *talk, struct view bytes)
{
    if (!talk->json || !view_equal(bytes, VIEW("\x01\x02\xff")))
        fail(talk, "an attachment of nothing", bytes);
    uint8_t *json = talk->json;
    talk->json = NULL;
    talk->told(talk->context, view_of(talk->event), view_make(json, talk->json_size));
    free(json);
}

static void hear_socketio(struct talk *talk, struct view message)
{
    struct socketio_packet packet;
    struct view rest;
    struct view json;
    char join[60];
    if (talk->json || socketio_read(message, &packet) != OK)
        fail(talk, "not Socket.IO", message);
    if (packet.type == SOCKETIO_CONNECT) {
        snprintf(join, sizeof join, "{\"room\":\"%s\"}", talk->room);
        socketio_tell(talk, "join", view_of(join));
        return;
    }
    rest = packet.rest;
    bool is_event = packet.type == SOCKETIO_EVENT || packet.type == SOCKETIO_BINARY_EVENT;
    if (!is_event || socketio_skip_value(&rest, (int)packet.attachments, &json) != OK)
        fail(talk, "not an event", message);
    if (packet.type == SOCKETIO_EVENT) {
        talk->told(talk->context, packet.event, json);
        return;
    }
    snprintf(talk->event, sizeof talk->event, "%.*s", VIEW_ARGS(packet.event));
    talk->json = malloc(json.size);
    assert(talk->json);
    memcpy(talk->json, json.at, json.size);
    talk->json_size = json.size;
}

/* ---- all of them ---- */

void talk_begin(struct talk *talk)
{
    char join[100];
    if (talk->kind == TALK_STOMP) {
        stomp_hello(talk);
    } else if (talk->kind == TALK_JSON) {
        snprintf(join, sizeof join, "{\"type\":\"join\",\"room\":\"%s\"}", talk->room);
        line_say(talk->line, view_of(join), false);
    } else if (talk->line->revision == 4) {
        line_say(talk->line, VIEW("0"), false);
    }
}

bool talk_say(struct talk *talk, const char *event, struct view json)
{
    if (talk->kind == TALK_JSON)
        return line_say(talk->line, json, false);
    if (talk->kind == TALK_SOCKETIO)
        return socketio_tell(talk, event, json);
    return strcmp(event, "say") == 0 && stomp_tell(talk, json);
}

void talk_hear(struct talk *talk, struct view message, bool is_binary)
{
    if (is_binary && talk->kind == TALK_SOCKETIO)
        hear_attachment(talk, message);
    else if (is_binary)
        fail(talk, "bytes", message);
    else if (talk->kind == TALK_JSON)
        hear_json(talk, message);
    else if (talk->kind == TALK_STOMP)
        hear_stomp(talk, message);
    else
        hear_socketio(talk, message);
}

void talk_beat(struct talk *talk)
{
    usec now = talk->line->world->now;
    if (talk->kind != TALK_STOMP || now - talk->said_at < BEAT_TIME)
        return;
    if (line_say(talk->line, VIEW("\n"), false))
        talk->said_at = now;
}

void talk_end(struct talk *talk)
{
    free(talk->json);
    talk->json = NULL;
}
