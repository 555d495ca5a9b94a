/* house_engine.h - an Engine.IO client's ends of wires: polls, posts and WebSockets.
 *
 * /engine.io echoes every message, /all tells all of it; /socket.io does what the public protocol
 * tests of Socket.IO expect.  The ping interval is 300 ms and the timeout 200 ms.
 */
#ifndef MOIM_TESTS_FRONT_HOUSE_ENGINE_H
#define MOIM_TESTS_FRONT_HOUSE_ENGINE_H

#include "front/engine/engine.h"
#include "house_http.h"
#include "house_ws.h"

#define INTERVAL (300 * USEC_MS)
#define TIMEOUT  (200 * USEC_MS)
#define SOON     (2 * USEC_MS) /* an answer to a held poll waits a moment for more */
#define SID_SIZE 20
#define ANY_LIMIT                                                                                  \
    {                                                                                              \
        .sessions = 40, .message_bytes = 60000, .queue_bytes = 200000, .rooms = 8,                 \
        .subscriptions = 8, .kept = 8                                                              \
    }

static const struct rule ECHO[] = { { .on = "*", .to = TO_SENDER } };
static const char *const NAMESPACES[] = { "/", "/custom" };
static const struct rule EVERYBODY[] = { { .on = "*", .to = TO_ALL } };
static const struct rule EVENTS[] = {
    { .on = "open", .to = TO_SENDER, .emit = "auth", .say = "$auth" },
    { .on = "message", .to = TO_SENDER, .emit = "message-back" },
    { .on = "message-with-ack", .to = TO_NOBODY, .acknowledge = true },
    { .on = "join", .to = TO_NOBODY, .join = "room" },
    { .on = "offer", .to = TO_OTHERS },
    { .on = "bye", .to = TO_NOBODY, .close = 1000, .reason = "bye" },
};
static const char *const ORIGINS[] = { "https://good.example" };

static const struct endpoint_config ENGINE_ENDPOINTS[] = {
    {
        .path = "/engine.io",
        .carrier = CARRIER_ENGINE,
        .speech = SPEECH_RELAY,
        .limits = ANY_LIMIT,
        .engine = { .ping_interval = INTERVAL, .ping_timeout = TIMEOUT, .eio3 = true },
        .rules = { .items = ECHO, .count = 1 },
    },
    {
        .path = "/socket.io",
        .carrier = CARRIER_ENGINE,
        .speech = SPEECH_SOCKETIO,
        .limits = ANY_LIMIT,
        .engine = { .ping_interval = INTERVAL, .ping_timeout = TIMEOUT, .eio3 = true },
        .socketio = { .namespaces = NAMESPACES,
                      .namespace_count = 2,
                      .connect_timeout = 1 * USEC_S },
        .rules = { .items = EVENTS, .count = sizeof EVENTS / sizeof EVENTS[0] },
    },
    {
        .path = "/strict",
        .carrier = CARRIER_ENGINE,
        .speech = SPEECH_RELAY,
        .origins = ORIGINS,
        .origin_count = 1,
        .limits = { .sessions = 2, .message_bytes = 1000, .queue_bytes = 2000, .rooms = 1 },
        .engine = { .ping_interval = 1 * USEC_S, .ping_timeout = 1 * USEC_S },
        .rules = { .items = ECHO, .count = 1 },
    },
    {
        .path = "/all",
        .carrier = CARRIER_ENGINE,
        .speech = SPEECH_RELAY,
        .limits = ANY_LIMIT,
        .engine = { .ping_interval = INTERVAL, .ping_timeout = TIMEOUT },
        .rules = { .items = EVERYBODY, .count = 1 },
    },
};
static const struct endpoint_configs ENGINES = { ENGINE_ENDPOINTS, 4 };

static inline struct house *house_of_engine(void)
{
    return house_build(&(struct wishes){ .endpoints = &ENGINES });
}

struct poller {
    struct house *house;
    const char *path; /* with a query's beginning: "/engine.io/?EIO=4" */
    char sid[SID_SIZE + 1];
};

static inline void write_get(struct wire *wire, const char *path, const char *query)
{
    char request[600];
    snprintf(request, sizeof request, "GET %s%s HTTP/1.1\r\nHost: a\r\n\r\n", path, query);
    wire_write(wire, request);
}

/* The answer's code and body as one text. */
static inline const char *answer_text(struct answer *answer)
{
    static char text[90000];
    snprintf(text, sizeof text, "%u %.*s", answer->code, VIEW_ARGS(bytes_view(&answer->body)));
    return text;
}

static inline const char *got_text(struct wire *wire)
{
    struct answer answer = { 0 };
    wire_answer(wire, &answer);
    const char *text = answer_text(&answer);
    answer_free(&answer);
    return text;
}

/* A GET on a wire of its own, answered at once. */
static inline const char *get_text(struct house *house, const char *path, const char *query)
{
    struct wire *wire = house_connect(house);
    write_get(wire, path, query);
    const char *text = got_text(wire);
    wire_drop(wire);
    return text;
}

static inline void read_sid(const char *text, char sid[SID_SIZE + 1])
{
    const char *at = strstr(text, "\"sid\":\"");
    if (!at) {
        fail_msg("no sid in \"%s\"", text);
        return;
    }
    memcpy(sid, at + 7, SID_SIZE);
    sid[SID_SIZE] = 0;
}

static inline struct poller poller_open(struct house *house, const char *path)
{
    struct poller poller = { .house = house, .path = path };
    read_sid(get_text(house, path, "&transport=polling"), poller.sid);
    return poller;
}

/* Begins a poll on a new wire. */
static inline struct wire *poller_hold(const struct poller *poller)
{
    char query[200];
    struct wire *wire = house_connect(poller->house);
    snprintf(query, sizeof query, "&transport=polling&sid=%s", poller->sid);
    write_get(wire, poller->path, query);
    return wire;
}

/* What a held poll is answered with. */
static inline const char *poller_answer(struct wire *wire)
{
    house_wait(wire->house, SOON);
    const char *text = got_text(wire);
    wire_drop(wire);
    return text;
}

static inline const char *poller_poll(const struct poller *poller)
{
    return poller_answer(poller_hold(poller));
}

static inline const char *poller_post_as(const struct poller *poller, const char *more,
                                         const char *type, struct view body)
{
    char head[600];
    struct wire *wire = house_connect(poller->house);
    snprintf(head, sizeof head,
             "POST %s&transport=polling&sid=%s%s HTTP/1.1\r\nHost: a\r\nContent-Type: %s\r\n"
             "Content-Length: %zu\r\n\r\n",
             poller->path, poller->sid, more, type, body.size);
    wire_write(wire, head);
    wire_send(wire, body);
    const char *text = got_text(wire);
    wire_drop(wire);
    return text;
}

static inline const char *poller_post(const struct poller *poller, const char *body)
{
    return poller_post_as(poller, "", "text/plain;charset=UTF-8", view_of(body));
}

/* ---- WebSockets ---- */

static inline void write_upgrade(struct wire *wire, const char *path, const char *query)
{
    char request[600];
    snprintf(request, sizeof request,
             "GET %s%s HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
             path, query);
    wire_write(wire, request);
}

static inline struct wire *socket_upgrade(struct house *house, const char *path, const char *query)
{
    struct wire *wire = house_connect(house);
    write_upgrade(wire, path, query);
    if (!view_starts(bytes_view(&wire->got), VIEW(UPGRADED "\r\n")))
        fail_msg("not upgraded: \"%.*s\"", VIEW_ARGS(bytes_view(&wire->got)));
    bytes_used(&wire->got, strlen(UPGRADED "\r\n"));
    return wire;
}

/* The next message; the WebSocket's own pings are passed over.  "" when there is none. */
static inline const char *socket_hear(struct wire *wire)
{
    static struct frame frame;
    while (ws_poll(wire, &frame)) {
        if (frame.opcode == WEBSOCKET_PING)
            continue;
        return frame.opcode == WEBSOCKET_CLOSE ? "closed" : frame.payload;
    }
    return wire_is_closed(wire) ? "gone" : "";
}

#define socket_expect(wire, text) assert_string_equal(socket_hear(wire), text)

static inline struct wire *socket_open(struct house *house, const char *path)
{
    struct wire *wire = socket_upgrade(house, path, "&transport=websocket");
    const char *open = socket_hear(wire);
    assert_int_equal(open[0], '0');
    assert_non_null(strstr(open, "\"upgrades\":[],"));
    return wire;
}

static inline void socket_say(struct wire *wire, const char *text)
{
    ws_send(wire, WEBSOCKET_TEXT, true, view_of(text));
}

static inline void socket_say_bytes(struct wire *wire, struct view bytes)
{
    ws_send(wire, WEBSOCKET_BINARY, true, bytes);
}

/* The WebSocket is closed, with a close frame or without. */
static inline void socket_expect_closed(struct wire *wire)
{
    const char *heard = socket_hear(wire);
    if (strcmp(heard, "closed") != 0)
        assert_string_equal(heard, "gone");
    assert_true(wire_is_closed(wire));
}

#endif
