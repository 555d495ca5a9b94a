/* ws_session.h - one end of an open WebSocket (RFC 6455, sections 5 to 7; RFC 7692).
 *
 * Frames come in and messages go out: fragments are put together, deflated messages inflated, text
 * checked, control frames told.  It keeps no queue: what is to be sent is made as a buffer that the
 * caller puts into its outbox.  An idle session owns no memory.
 */
#ifndef MOIM_AGENT_WS_SESSION_H
#define MOIM_AGENT_WS_SESSION_H

#include "base/inbox.h"
#include "wire/deflate.h"
#include "wire/websocket.h"

/* The largest message, before and after inflation, where nothing else is set. */
#define WS_MESSAGE_MAX (64 * 1024)
/* The largest payload of a frame of ours. */
#define WS_FRAME_MAX (BUFFER_LARGE_MAX - WEBSOCKET_HEADER_MAX)

/* Messages of at least this size are deflated where the peer can take it: below it costs more than
 * it saves. */
#define WS_DEFLATE_MIN 1024

struct ws_session {
    bool deflate; /* permessage-deflate was agreed */
    bool close_sent;
    bool close_received; /* nothing more is read */
    bool message_deflated;
    uint8_t message_opcode; /* of the message whose fragments come; 0: none */
    /* The largest message, up to WS_FRAME_MAX; 0 stands for WS_MESSAGE_MAX.  With more than that,
     * `deflate` must be false: nothing so large is inflated. */
    uint32_t message_max;
    struct inbox message; /* its fragments so far */
};

/* What all sessions of a worker share: they use it only within one call. */
struct ws_workshop {
    struct buffers *buffers;
    struct deflater *deflater;
    uint8_t inflated[WS_MESSAGE_MAX + 1];
};

enum ws_event_kind {
    WS_WAIT,   /* nothing more in these bytes */
    WS_TEXT,   /* a whole message; valid UTF-8 */
    WS_BINARY, /* a whole message */
    WS_PING,   /* answer with a pong of the same payload */
    WS_PONG,
    WS_CLOSE, /* the peer closes: answer with ws_close(code), send it and end the stream */
    WS_FAILED /* the peer broke a rule: send ws_close(code) and end the stream */
};

struct ws_event {
    enum ws_event_kind kind;
    uint16_t code;       /* WS_CLOSE: the peer's, 1005 when it gave none; WS_FAILED: ours */
    struct view payload; /* borrowed until the next ws_session_read of any session */
};

/* Reads the next event off the front of `bytes`, which may be changed in place; *used says how many
 * bytes it took.  Call it with the bytes behind them until WS_WAIT. */
void ws_session_read(struct ws_session *ws, struct ws_workshop *workshop, struct span bytes,
                     size_t *used, struct ws_event *event);

/* The bytes that a session reads at most before it says something: a whole frame. */
size_t ws_session_room(const struct ws_session *ws);

/* Makes one whole frame of a server.  ERR_LIMIT: no memory, or over WS_FRAME_MAX. */
MUST_USE int ws_frame(struct buffers *buffers, enum websocket_opcode opcode, struct view payload,
                      struct buffer **out);

/* The form in which a frame of ws_frame goes to this session: itself, or the same deflated, which
 * is made once for all and kept with it.  Borrowed from `frame`. */
struct buffer *ws_frame_for(const struct ws_session *ws, struct ws_workshop *workshop,
                            struct buffer *frame);

/* Makes a close frame, and marks the session so.  1005 makes one without a code.  The reason is
 * UTF-8; of a long one the first 123 bytes are sent, or what whole characters they hold. */
MUST_USE int ws_close(struct ws_session *ws, struct buffers *buffers, uint16_t code,
                      struct view reason, struct buffer **out);

/* Gives back what the session owns. */
void ws_session_clear(struct ws_session *ws, struct buffers *buffers);

#endif
