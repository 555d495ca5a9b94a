/* house_sockjs.h - a house with SockJS services, as the protocol's test suite wants them, and a
 * client's end of responses that come in chunks. */
#ifndef MOIM_TESTS_FRONT_HOUSE_SOCKJS_H
#define MOIM_TESTS_FRONT_HOUSE_SOCKJS_H

#include "front/session.h"
#include "house_http.h"
#include "house_ws.h"

#define SERVICE(path_, rules_)                                                                     \
    .path = (path_), .carrier = CARRIER_SOCKJS, .speech = SPEECH_RELAY,                            \
    .limits = { .sessions = 40,                                                                    \
                .message_bytes = 60000,                                                            \
                .queue_bytes = 1024 * 1024,                                                        \
                .rooms = 8,                                                                        \
                .subscriptions = 8,                                                                \
                .kept = 8 },                                                                       \
    .rules = { .items = (rules_), .count = sizeof(rules_) / sizeof((rules_)[0]) }

#define SOCKJS(response_max_, ...)                                                                 \
    .sockjs = { .heartbeat = 25 * USEC_S,                                                          \
                .disconnect = 5 * USEC_S,                                                          \
                .response_max = (response_max_),                                                   \
                __VA_ARGS__ }

static const struct rule SOCKJS_ECHO[] = { { .on = "*", .to = TO_SENDER } };
static const struct rule SOCKJS_CLOSE[] = { { .on = "open", .close = 3000, .reason = "Go away!" } };
static const struct rule SOCKJS_OTHERS[] = { { .on = "*", .to = TO_OTHERS } };
static const struct rule SOCKJS_AMPLIFY[] = { { .on = "*", .to = TO_SENDER, .amplify = true } };
static const char *const SOCKJS_ORIGINS[] = { "https://good.example" };

static const struct endpoint_config SOCKJS_SERVICES[] = {
    { SERVICE("/echo", SOCKJS_ECHO),
      SOCKJS(4096, .websocket = true, .client_url = "/dist/sockjs.js") },
    { SERVICE("/close", SOCKJS_CLOSE), SOCKJS(4096, .websocket = true) },
    { SERVICE("/others", SOCKJS_OTHERS), SOCKJS(4096, .websocket = true) },
    { SERVICE("/amplify", SOCKJS_AMPLIFY), SOCKJS(4096, .websocket = true) },
    { SERVICE("/endless", SOCKJS_AMPLIFY), SOCKJS(16 * 1024 * 1024, .websocket = true) },
    { SERVICE("/disabled_websocket_echo", SOCKJS_ECHO), SOCKJS(4096, .websocket = false) },
    { SERVICE("/cookie_needed_echo", SOCKJS_ECHO),
      SOCKJS(4096, .websocket = true, .cookie_needed = true) },
    { SERVICE("/guarded", SOCKJS_ECHO), SOCKJS(4096, .websocket = true), .origins = SOCKJS_ORIGINS,
      .origin_count = 1 },
};
static const struct endpoint_configs SOCKJS_ENDPOINTS = {
    SOCKJS_SERVICES, sizeof SOCKJS_SERVICES / sizeof SOCKJS_SERVICES[0]
};

static inline struct house *sockjs_house(void)
{
    return house_build(&(struct wishes){ .endpoints = &SOCKJS_ENDPOINTS });
}

/* Writes a request; `headers` are more of them, with their CRLFs. */
static inline void wire_request(struct wire *wire, const char *method, const char *path,
                                const char *headers, const char *body)
{
    struct bytes bytes = { NULL, 0, 0 };
    char head[1500];
    int size =
        snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: a\r\n%sContent-Length: %zu\r\n\r\n",
                 method, path, headers, strlen(body));
    bytes_add(&bytes, view_make(head, (size_t)size));
    bytes_add(&bytes, view_of(body));
    wire_send(wire, bytes_view(&bytes));
    free(bytes.at);
}

/* Takes the head of an answer that comes in pieces. */
static inline void wire_head(struct wire *wire, struct answer *answer)
{
    struct view got = bytes_view(&wire->got);
    size_t size = view_find(got, VIEW("\r\n\r\n")) + 4;
    if (size > got.size)
        fail_msg("no head came: \"%.*s\"", VIEW_ARGS(got));
    assert_true(size < sizeof answer->head);
    memcpy(answer->head, got.at, size);
    answer->head[size] = 0;
    answer->code = (unsigned)strtoul(answer->head + 9, NULL, 10);
    bytes_used(&wire->got, size);
}

/* Takes the next chunk; false when none is whole.  The last one is empty. */
static inline bool wire_poll_chunk(struct wire *wire, struct bytes *chunk)
{
    struct view got = bytes_view(&wire->got);
    size_t line = view_find(got, VIEW("\r\n"));
    chunk->size = 0;
    if (line == got.size)
        return false;
    size_t size = (size_t)strtoull((const char *)got.at, NULL, 16);
    if (got.size < line + 2 + size + 2)
        return false;
    bytes_add(chunk, view_slice(got, line + 2, size));
    assert_memory_equal(got.at + line + 2 + size, "\r\n", 2);
    bytes_used(&wire->got, line + 2 + size + 2);
    return true;
}

static inline void wire_chunk(struct wire *wire, const char *wanted)
{
    struct bytes chunk = { NULL, 0, 0 };
    if (!wire_poll_chunk(wire, &chunk))
        fail_msg("no chunk came, but \"%.*s\"", VIEW_ARGS(bytes_view(&wire->got)));
    assert_view(bytes_view(&chunk), wanted);
    free(chunk.at);
}

/* The next chunk is this text, whose first `count` bytes are `letter`, if it is not NUL. */
static inline void wire_skip_chunk(struct wire *wire, size_t size_min)
{
    struct bytes chunk = { NULL, 0, 0 };
    assert_true(wire_poll_chunk(wire, &chunk));
    assert_true(chunk.size >= size_min);
    free(chunk.at);
}

/* All chunks up to the end, as one text: the caller's, to free. */
static inline char *wire_body(struct wire *wire)
{
    struct bytes all = { NULL, 0, 0 };
    struct bytes chunk = { NULL, 0, 0 };
    do {
        if (!wire_poll_chunk(wire, &chunk))
            fail_msg("the body does not end: \"%.*s\"", VIEW_ARGS(bytes_view(&all)));
        bytes_add(&all, bytes_view(&chunk));
    } while (chunk.size);
    bytes_add(&all, view_make("", 1));
    free(chunk.at);
    return (char *)all.at;
}

/* Asks on a wire and compares what comes in pieces, to its end. */
static inline void wire_poll_frames(struct wire *wire, const char *method, const char *path,
                                    const char *wanted)
{
    struct answer answer;
    wire_request(wire, method, path, "", "");
    house_wait(wire->house, 3 * USEC_MS); /* what is said just now goes along */
    wire_head(wire, &answer);
    assert_int_equal(answer.code, 200);
    char *body = wire_body(wire);
    assert_string_equal(body, wanted);
    assert_int_equal(wire->got.size, 0);
    free(body);
}

/* The same on a wire of its own, for xhr. */
static inline void xhr(struct house *house, const char *path, const char *wanted)
{
    struct wire *wire = house_connect(house);
    wire_poll_frames(wire, "POST", path, wanted);
    wire_drop(wire);
}

/* Asks on a wire of its own; `wanted` is in the body. */
static inline void post(struct house *house, const char *path, const char *headers,
                        const char *body, unsigned code, const char *wanted)
{
    struct wire *wire = house_connect(house);
    struct answer answer = { 0 };
    wire_request(wire, "POST", path, headers, body);
    wire_answer(wire, &answer);
    if (answer.code != code)
        print_error("%s %s: %u\n", path, body, answer.code);
    assert_int_equal(answer.code, code);
    assert_view(bytes_view(&answer.body), wanted);
    answer_free(&answer);
    wire_drop(wire);
}

static inline void get(struct house *house, const char *path, const char *headers,
                       struct answer *answer)
{
    struct wire *wire = house_connect(house);
    wire_request(wire, "GET", path, headers, "");
    wire_answer(wire, answer);
    wire_drop(wire);
}

#endif
