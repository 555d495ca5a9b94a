/* house_ws.h - a WebSocket client's end of a wire.
 *
 * Texts of JSON are written with ' for ", which none of them contains otherwise.
 */
#ifndef MOIM_TESTS_FRONT_HOUSE_WS_H
#define MOIM_TESTS_FRONT_HOUSE_WS_H

#include "house.h"

#define UPGRADE                                                                                    \
    "GET /api/v1/meet HTTP/1.1\r\nHost: moim.example:8080\r\nConnection: Upgrade\r\n"              \
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"                                          \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define UPGRADED                                                                                   \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"            \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define OFFER_DEFLATE "Sec-WebSocket-Extensions: permessage-deflate\r\n"
#define ACCEPT_DEFLATE                                                                             \
    "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "                   \
    "client_no_context_takeover\r\n"

struct frame {
    uint8_t opcode;
    bool deflated;
    size_t size;
    char payload[WS_MESSAGE_MAX + 1]; /* with a NUL behind it */
};

/* Opens a WebSocket on a wire; `headers` are more of them. */
static inline void ws_open(struct wire *wire, const char *headers)
{
    bool deflate = strcmp(headers, OFFER_DEFLATE) == 0;
    char request[1000];
    snprintf(request, sizeof request, UPGRADE "%s\r\n", headers);
    wire_write(wire, request);
    struct view wanted = deflate ? VIEW(UPGRADED ACCEPT_DEFLATE "\r\n") : VIEW(UPGRADED "\r\n");
    assert_true(view_starts(bytes_view(&wire->got), wanted));
    bytes_used(&wire->got, wanted.size);
}

static inline struct wire *house_ws(struct house *house)
{
    struct wire *wire = house_connect(house);
    ws_open(wire, "");
    return wire;
}

/* A masked frame behind those in `out`. */
static inline void ws_write(struct bytes *out, uint8_t opcode, bool fin, bool deflated,
                            struct view payload)
{
    static const uint8_t MASK[4] = { 0x12, 0x34, 0x56, 0x78 };
    uint8_t header[WEBSOCKET_HEADER_MAX];
    uint8_t *copy = test_copy(payload);
    size_t size = websocket_write_masked(opcode, fin, deflated, MASK,
                                         (struct span){ copy, payload.size }, header);
    bytes_add(out, view_make(header, size));
    bytes_add(out, view_make(copy, payload.size));
    free(copy);
}

static inline void ws_send(struct wire *wire, uint8_t opcode, bool fin, struct view payload)
{
    struct bytes bytes = { NULL, 0, 0 };
    ws_write(&bytes, opcode, fin, false, payload);
    wire_send(wire, bytes_view(&bytes));
    free(bytes.at);
}

/* ' for ": the caller's, to free. */
static inline char *quoted(const char *text)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    return copy;
}

static inline void ws_say(struct wire *wire, const char *text)
{
    char *copy = quoted(text);
    ws_send(wire, WEBSOCKET_TEXT, true, view_of(copy));
    free(copy);
}

static inline void ws_send_close(struct wire *wire, uint16_t code, const char *reason)
{
    char payload[126] = { (char)(code >> 8), (char)code };
    size_t size = strlen(reason);
    memcpy(payload + 2, reason, size);
    ws_send(wire, WEBSOCKET_CLOSE, true, view_make(payload, 2 + size));
}

/* Takes the next frame off the wire; false when none is whole. */
static inline bool ws_poll(struct wire *wire, struct frame *frame)
{
    struct websocket_frame read;
    size_t used;
    frame->size = 0;
    int status = websocket_read((struct span){ wire->got.at, wire->got.size }, WEBSOCKET_CLIENT,
                                WS_MESSAGE_MAX, &read, &used);
    if (status == ERR_MORE)
        return false;
    assert_int_equal(status, OK);
    assert_true(read.fin);
    frame->opcode = read.opcode;
    frame->deflated = read.deflated;
    frame->size = read.payload.size;
    if (frame->size)
        memcpy(frame->payload, read.payload.at, frame->size);
    frame->payload[frame->size] = 0;
    bytes_used(&wire->got, used);
    return true;
}

/* The next frame, which must be there. */
static inline void ws_hear(struct wire *wire, struct frame *frame)
{
    if (!ws_poll(wire, frame))
        fail_msg("no frame came");
}

/* The next frame is this text. */
static inline void expect_text(struct wire *wire, const char *text)
{
    struct frame frame;
    char *wanted = quoted(text);
    ws_hear(wire, &frame);
    assert_string_equal(frame.payload, wanted);
    assert_int_equal(frame.opcode, WEBSOCKET_TEXT);
    free(wanted);
}

/* The next frame closes with that code (0: without one), and the stream is closed behind it. */
static inline void expect_close(struct wire *wire, unsigned code, const char *reason)
{
    struct frame frame;
    ws_hear(wire, &frame);
    if (frame.opcode != WEBSOCKET_CLOSE)
        fail_msg("not a close frame: \"%s\"", frame.payload);
    unsigned seen = 0;
    if (frame.size >= 2)
        seen = (unsigned)((uint8_t)frame.payload[0] << 8 | (uint8_t)frame.payload[1]);
    assert_int_equal(seen, code);
    assert_string_equal(frame.size >= 2 ? frame.payload + 2 : "", reason);
    assert_int_equal(wire->got.size, 0);
    assert_int_equal(wire->state, WIRE_CLOSED);
}

/* The next frame is a ping; its payload as a number. */
static inline uint64_t expect_ping(struct wire *wire)
{
    struct frame frame;
    uint64_t seq = 0;
    ws_hear(wire, &frame);
    if (frame.opcode != WEBSOCKET_PING)
        fail_msg("not a ping: \"%s\"", frame.payload);
    assert_int_equal(frame.size, 8);
    for (size_t i = 0; i < 8; i++)
        seq = seq << 8 | (uint8_t)frame.payload[i];
    return seq;
}

/* Nothing came, and the WebSocket stands. */
static inline void expect_nothing(struct wire *wire)
{
    struct frame frame;
    if (ws_poll(wire, &frame))
        fail_msg("came: \"%s\"", frame.payload);
    assert_int_equal(wire->got.size, 0);
    assert_int_equal(wire->state, WIRE_OPEN);
}

#endif
