/* sockjs.h - SockJS (protocol 0.3.3) as a carrier: sessions over WebSockets, or over requests.
 *
 * sockjs.c            the carrier: requests to what answers them; sending, timers, the end
 * sockjs_pages.c      what belongs to no session: greeting, info, iframe page, preflights
 * sockjs_response.c   frames on a response, as each transport wraps them
 * sockjs_receive.c    polls and streams: a client that waits for frames
 * sockjs_send.c       messages in requests
 * sockjs_websocket.c  sessions over a WebSocket
 *
 * A session over requests has a name, which its client chose.  At any time one request of its may
 * wait for frames: the receiver.  While there is none, messages queue; without one for longer than
 * the configuration says, the session is over.  One that was closed keeps its name for as long,
 * and tells whoever asks that it is closed.
 */
#ifndef MOIM_FRONT_SOCKJS_SOCKJS_H
#define MOIM_FRONT_SOCKJS_SOCKJS_H

#include "front/session.h"
#include "wire/sockjs.h"

struct sockjs {
    struct session session;
    struct stream *stream;    /* the WebSocket, or the receiver; NULL: none */
    struct outbox queue;      /* each message as ,"..." */
    usec sent_at;             /* when a frame last went out */
    const char *close_reason; /* of one that is closed */
    uint32_t response_size;   /* bytes of frames in the receiver's response */
    uint16_t close_code;
    uint8_t place; /* enum sockjs_place: the receiver's transport */
    bool is_websocket;
    bool is_new;    /* a WebSocket that was not heard yet */
    bool is_closed; /* the speech knows it no more */
    uint8_t name_size;
    uint8_t name[SOCKJS_SESSION_MAX];
};

static inline struct sockjs *sockjs_of(struct session *session)
{
    return (struct sockjs *)session;
}

static inline const struct sockjs_config *sockjs_config_of(const struct sockjs *sockjs)
{
    return &sockjs->session.endpoint->config->sockjs;
}

/* ---- sockjs.c ---- */

/* The next heartbeat is due so long after the last frame. */
void sockjs_set_heartbeat(struct server *server, usec now, struct sockjs *sockjs);

/* ---- sockjs_pages.c ---- */

#define SOCKJS_HEADERS_MAX 1280

enum sockjs_caching { SOCKJS_CACHED_NEVER, SOCKJS_CACHED_LONG };

/* Writes the headers that all answers at a place have: caching, CORS, the cookie. */
void sockjs_headers(struct server *server, usec now, const struct endpoint *endpoint,
                    enum sockjs_place place, enum sockjs_caching caching,
                    char out[SOCKJS_HEADERS_MAX]);

void sockjs_answer_greeting(struct server *server, usec now, struct stream *stream);
void sockjs_answer_info(struct server *server, usec now, struct stream *stream,
                        const struct endpoint *endpoint);
void sockjs_answer_iframe(struct server *server, usec now, struct stream *stream,
                          const struct endpoint *endpoint);
/* `methods` are those that the place has. */
void sockjs_answer_options(struct server *server, usec now, struct stream *stream,
                           const struct endpoint *endpoint, enum sockjs_place place,
                           const char *methods);
/* 500 with a few words, as the protocol has it for all that a client gets wrong. */
void sockjs_answer_500(struct server *server, usec now, struct stream *stream,
                       const struct endpoint *endpoint, enum sockjs_place place, const char *words);

/* ---- sockjs_response.c ---- */

/* Whether responses there end with the first frame. */
static inline bool sockjs_is_polling(enum sockjs_place place)
{
    return place == SOCKJS_XHR || place == SOCKJS_JSONP;
}

/* Begins the response of a receiver, up to the first frame; it is held for `session`, which may be
 * NULL.  `callback` is that of JSONP and htmlfile. */
void sockjs_begin(struct server *server, usec now, struct stream *stream,
                  const struct endpoint *endpoint, enum sockjs_place place, struct view callback,
                  struct sockjs *session);
/* A frame that is text as it is; gives the bytes written. */
size_t sockjs_write_frame(struct server *server, usec now, struct stream *stream,
                          enum sockjs_place place, struct view frame);
/* A frame of all messages in a queue, which is empty then; gives the bytes written. */
size_t sockjs_write_messages(struct server *server, usec now, struct stream *stream,
                             enum sockjs_place place, struct outbox *queue);
size_t sockjs_write_closed(struct server *server, usec now, struct stream *stream,
                           enum sockjs_place place, unsigned code, const char *reason);

/* ---- sockjs_receive.c ---- */

/* A request that waits for frames. */
void sockjs_answer_receiver(struct server *server, usec now, struct stream *stream,
                            struct endpoint *endpoint, enum sockjs_place place, struct view name);
/* A frame for the receiver, which there is. */
void sockjs_say(struct server *server, usec now, struct sockjs *sockjs, struct view frame);
/* Gives the receiver what waits for it. */
void sockjs_flush(struct server *server, usec now, struct sockjs *sockjs);
/* Tells the receiver, if there is one, that the session is closed, and lets it go. */
void sockjs_say_closed(struct server *server, usec now, struct sockjs *sockjs);
/* The session is closed with that code: its name is kept a while. */
void sockjs_set_closed(struct server *server, usec now, struct sockjs *sockjs, uint16_t code,
                       const char *reason);
void sockjs_free(struct server *server, struct sockjs *sockjs);

/* ---- sockjs_send.c ---- */

/* Gives all messages of a text to the speech.  ERR_LIMIT: there is no memory. */
MUST_USE int sockjs_hear(struct server *server, usec now, struct session *session,
                         struct sockjs_reader *reader);
void sockjs_answer_send(struct server *server, usec now, struct stream *stream,
                        struct endpoint *endpoint, enum sockjs_place place, struct view name,
                        struct view body);

/* ---- sockjs_websocket.c ---- */

void sockjs_answer_websocket(struct server *server, usec now, struct stream *stream,
                             struct endpoint *endpoint);
void sockjs_websocket_send(struct server *server, usec now, struct sockjs *sockjs,
                           struct message *message);
/* A frame without messages: "o", "h". */
void sockjs_websocket_say(struct server *server, usec now, struct sockjs *sockjs,
                          struct view frame);
void sockjs_websocket_close(struct server *server, usec now, struct sockjs *sockjs, uint16_t code,
                            const char *reason);

extern const struct carrier sockjs_carrier;

#endif
