/* house_endpoint.h - houses with endpoints, and bare WebSockets to them. */
#ifndef MOIM_TESTS_FRONT_HOUSE_ENDPOINT_H
#define MOIM_TESTS_FRONT_HOUSE_ENDPOINT_H

#include "front/session.h"
#include "house_http.h"
#include "house_ws.h"

/* Limits that are not in the way. */
#define ROOMY                                                                                      \
    {                                                                                              \
        .sessions = 40, .message_bytes = 64 * 1024, .queue_bytes = 1024 * 1024, .rooms = 8,        \
        .subscriptions = 32, .kept = 32                                                            \
    }

/* Bare WebSockets at a path, under those rules. */
#define BARE(path_, field_, items_)                                                                \
    {                                                                                              \
        .path = (path_), .carrier = CARRIER_WEBSOCKET, .speech = SPEECH_RELAY, .limits = ROOMY,    \
        .rules = {                                                                                 \
            .event_field = (field_),                                                               \
            .items = (items_),                                                                     \
            .count = sizeof(items_) / sizeof(items_)[0]                                            \
        }                                                                                          \
    }

#define CONFIGS(items_)                                                                            \
    {                                                                                              \
        .items = (items_), .count = sizeof(items_) / sizeof(items_)[0]                             \
    }

/* Writes an upgrade to that path; `headers` are more of them. */
static inline void ws_ask(struct wire *wire, const char *path, const char *headers)
{
    char request[1000];
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: moim.example\r\nConnection: Upgrade\r\n"
             "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
             path, headers);
    wire_write(wire, request);
}

/* It was accepted, with these headers behind the usual. */
static inline void ws_expect_open(struct wire *wire, const char *headers)
{
    char wanted[500];
    snprintf(wanted, sizeof wanted, "%s%s\r\n", UPGRADED, headers);
    if (!view_starts(bytes_view(&wire->got), view_of(wanted)))
        fail_msg("not opened: %.*s", VIEW_ARGS(bytes_view(&wire->got)));
    bytes_used(&wire->got, strlen(wanted));
}

/* An open WebSocket at that path, first connected to that worker. */
static inline struct wire *house_ws_at(struct house *house, unsigned worker, const char *path)
{
    struct wire *wire = house_dial(house, worker, STREAM_HTTP);
    assert_non_null(wire);
    ws_ask(wire, path, "");
    ws_expect_open(wire, "");
    return wire;
}

#endif
