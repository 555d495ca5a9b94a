/* house_stomp.h - a STOMP client's end of a wire, over a bare WebSocket.
 *
 * Frames are written as text, with ^ for the NUL at their end.
 */
#ifndef MOIM_TESTS_FRONT_HOUSE_STOMP_H
#define MOIM_TESTS_FRONT_HOUSE_STOMP_H

#include "front/stomp/stomp.h"
#include "house.h"
#include "house_http.h"
#include "house_ws.h"

#define STOMP_UPGRADE                                                                              \
    "GET /signaling HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"          \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"                 \
    "Sec-WebSocket-Protocol: v10.stomp, v11.stomp, v12.stomp\r\n\r\n"

static const char *const BROKER[] = { "/topic", "/queue" };
static const char *const APPLICATION[] = { "/app" };
static const struct stomp_rename RENAMES[] = {
    { "/app/simple-peer/offer/*/*", "/topic/simple-peer/answer/*/*" },
};
static const char *const ROOMS[] = { "/topic/peer/offer/*/*", "/topic/peer/answer/*/*",
                                     "/topic/simple-peer/answer/*/*" };

/* What most tests are served. */
#define STOMP_ENDPOINT                                                                             \
    {                                                                                              \
        .path = "/signaling", .carrier = CARRIER_WEBSOCKET, .speech = SPEECH_STOMP,                \
        .limits = { .sessions = 40,                                                                \
                    .message_bytes = 65536,                                                        \
                    .queue_bytes = 1 << 20,                                                        \
                    .rooms = 4,                                                                    \
                    .subscriptions = 10,                                                           \
                    .kept = 8 },                                                                   \
        .stomp = { .broker = BROKER,                                                               \
                   .broker_count = 2,                                                              \
                   .application = APPLICATION,                                                     \
                   .application_count = 1,                                                         \
                   .renames = RENAMES,                                                             \
                   .rename_count = 1,                                                              \
                   .rooms = ROOMS,                                                                 \
                   .room_count = 3,                                                                \
                   .room_rule = true,                                                              \
                   .heartbeat = 10 * USEC_S,                                                       \
                   .door = true },                                                                 \
    }

static inline struct house *house_of_stomp(const struct endpoint_configs *configs)
{
    return house_build(&(struct wishes){ .endpoints = configs });
}

static inline struct wire *stomp_open(struct house *house)
{
    struct wire *wire = house_connect(house);
    wire_write(wire, STOMP_UPGRADE);
    struct view got = bytes_view(&wire->got);
    size_t head = view_find(got, VIEW("\r\n\r\n")) + 4;
    assert_true(head <= got.size);
    assert_true(view_find(got, VIEW("Sec-WebSocket-Protocol: v12.stomp\r\n")) < got.size);
    bytes_used(&wire->got, head);
    return wire;
}

/* One message of frames. */
static inline void stomp_write(struct wire *wire, const char *text)
{
    size_t size = strlen(text);
    uint8_t *copy = test_copy(view_make(text, size));
    for (size_t i = 0; i < size; i++)
        if (copy[i] == '^')
            copy[i] = 0;
    ws_send(wire, WEBSOCKET_TEXT, true, view_make(copy, size));
    free(copy);
}

/* The next message; pings of the WebSocket are passed over.  "" when there is none. */
static inline const char *stomp_hear(struct wire *wire)
{
    static struct frame frame;
    while (ws_poll(wire, &frame)) {
        if (frame.opcode == WEBSOCKET_PING) {
            ws_send(wire, WEBSOCKET_PONG, true, view_make(frame.payload, frame.size));
            continue;
        }
        if (frame.opcode == WEBSOCKET_CLOSE)
            return "closed";
        for (size_t i = 0; i < frame.size; i++)
            if (frame.payload[i] == 0)
                frame.payload[i] = '^';
        return frame.payload;
    }
    return "";
}

#define assert_heard(wire, text) assert_string_equal(stomp_hear(wire), text)

/* The next message begins and ends like this. */
static inline void assert_frame(struct wire *wire, const char *begin, const char *end)
{
    struct view heard = view_of(stomp_hear(wire));
    struct view tail = view_of(end);
    bool fits = view_starts(heard, view_of(begin)) && heard.size >= tail.size &&
                view_equal(view_slice(heard, heard.size - tail.size, tail.size), tail);
    if (!fits)
        fail_msg("heard \"%.*s\", wanted \"%s...%s\"", VIEW_ARGS(heard), begin, end);
}

static inline struct wire *stomp_connected(struct house *house, const char *version)
{
    char text[200];
    struct wire *wire = stomp_open(house);
    snprintf(text, sizeof text, "CONNECT\naccept-version:%s\n\n^", version);
    stomp_write(wire, text);
    snprintf(text, sizeof text, "CONNECTED\nversion:%s\n", version);
    assert_frame(wire, text, "\n\n^");
    return wire;
}

static inline void stomp_subscribe(struct wire *wire, const char *id, const char *destination)
{
    char text[600];
    snprintf(text, sizeof text, "SUBSCRIBE\nid:%s\ndestination:%s\n\n^", id, destination);
    stomp_write(wire, text);
}

static inline void stomp_send(struct wire *wire, const char *destination, const char *body)
{
    char text[600];
    snprintf(text, sizeof text, "SEND\ndestination:%s\n\n%s^", destination, body);
    stomp_write(wire, text);
}

/* ERROR with that message, and the end. */
static inline void assert_refused(struct wire *wire, const char *message)
{
    char begin[200];
    snprintf(begin, sizeof begin, "ERROR\nmessage:%s\n", message);
    assert_frame(wire, begin, "content-length:0\n\n^");
    assert_heard(wire, "closed");
    assert_true(wire_is_closed(wire));
}

#endif
