/* sockjs.h - reads and writes what SockJS says (protocol 0.3.3): frames, messages and paths.
 *
 * Pure functions over caller memory.  To a client go frames: "o", "h", a["message",...] and
 * c[code,"reason"]; from it come messages alone, as a JSON string or an array of them.  Messages
 * here are UTF-8.  JavaScript's strings may hold lone surrogates, which UTF-8 can't: they are read
 * as U+FFFD.
 */
#ifndef MOIM_WIRE_SOCKJS_H
#define MOIM_WIRE_SOCKJS_H

#include "base/status.h"
#include "base/view.h"

/* ---- what a client sends ---- */

struct sockjs_reader {
    struct view rest; /* from the next message's quotation mark on; empty: no more */
    bool is_array;
};

/* Checks a whole text, before any of its messages is given: nothing of a broken one is delivered.
 * White space may stand wherever JSON allows it.
 *   OK             *reader stands before the first message, if there is one.
 *   ERR_MALFORMED  not UTF-8, not JSON, or neither a string nor an array of strings.
 * On error *reader is untouched. */
MUST_USE int sockjs_read(struct view text, struct sockjs_reader *reader);

/* The next message; false when there is none.  It is borrowed from the text where it holds no
 * escape, and else from `out`, which has as many bytes as reader->rest. */
bool sockjs_next(struct sockjs_reader *reader, uint8_t *out, struct view *message);

/* ---- what it is sent ---- */

/* One character takes at most so many bytes when it is escaped: with this room in `out` the calls
 * below always get on. */
#define SOCKJS_ESCAPE_MAX 12

/* Takes from the front of *text as many characters as fit, escaped as the inside of a JSON string;
 * gives the bytes written.  Escaped are also those characters that transports, browsers or both are
 * known to mangle: U+200C to 200F, 2028 to 202F, 2060 to 206F, FFF0 to FFFF, and all above, as
 * surrogates.  What is not UTF-8 becomes U+FFFD, byte by byte. */
size_t sockjs_escape(struct view *text, uint8_t *out, size_t capacity);

/* How many bytes all of the text takes. */
size_t sockjs_escaped_size(struct view text);

/* Takes from the front of *frame what fits, as the inside of a JavaScript string within a page's
 * script: the frame was written by the calls above, and '<' must not end the script. */
size_t sockjs_escape_script(struct view *frame, uint8_t *out, size_t capacity);

/* The same for a frame in an event stream: the client library decodes percent signs there. */
size_t sockjs_escape_event(struct view *frame, uint8_t *out, size_t capacity);

/* Writes c[code,"reason"] and gives its size; a reason that is too long is cut. */
#define SOCKJS_CLOSE_MAX 512
size_t sockjs_write_close(unsigned code, struct view reason, uint8_t out[SOCKJS_CLOSE_MAX]);

/* ---- where it asks ---- */

/* Behind the service's own path; those from SOCKJS_WEBSOCKET on are /server/session/... */
enum sockjs_place {
    SOCKJS_NOWHERE,
    SOCKJS_GREETING,      /* "" and "/" */
    SOCKJS_INFO,          /* /info */
    SOCKJS_IFRAME,        /* /iframe.html, /iframe-1.5.1.html */
    SOCKJS_RAW_WEBSOCKET, /* /websocket */
    SOCKJS_WEBSOCKET,
    SOCKJS_XHR,
    SOCKJS_XHR_SEND,
    SOCKJS_XHR_STREAMING,
    SOCKJS_EVENTSOURCE,
    SOCKJS_HTMLFILE,
    SOCKJS_JSONP,
    SOCKJS_JSONP_SEND,
    SOCKJS_PLACES
};

/* The longest name of a session that is taken. */
#define SOCKJS_SESSION_MAX 128

/* Reads a path behind the service's own, without its query; *session is the session's name as it
 * was sent, percent signs and all.  The server's name is for load balancers and is passed over.
 * Names are not empty and hold no dot; all but the greeting may end with one slash. */
enum sockjs_place sockjs_read_path(struct view path, struct view *session);

/* Whether a JSONP or htmlfile callback is a name that may stand in a script. */
#define SOCKJS_CALLBACK_MAX 128
bool sockjs_callback_valid(struct view callback);

#endif
