/* engine.h - the carrier Engine.IO, revisions 4 and 3: a session over HTTP polling, over a
 * WebSocket, or over the one and then the other.
 *
 * engine.c        sessions: found, timed, ended
 * engine_send.c   what is said to the client, and what waits for its next poll
 * engine_poll.c   HTTP: handshakes, polls, posts, errors
 * engine_socket.c WebSockets, and the probe with which one takes a polling session over
 *
 * While a session is polled, packets wait in its queue; they go into the answer of the held GET a
 * moment later, so that what belongs together goes out together.
 */
#ifndef MOIM_FRONT_ENGINE_ENGINE_H
#define MOIM_FRONT_ENGINE_ENGINE_H

#include "front/session.h"
#include "wire/engineio.h"

#define ENGINE_FLUSH_TIME  (1 * USEC_MS)   /* what comes so soon is in the same answer */
#define ENGINE_NOOP_TIME   (100 * USEC_MS) /* a poll is held, while the client probes */
#define ENGINE_PROBE_TIME  (10 * USEC_S)   /* for the whole of the probe */
#define ENGINE_LINGER_TIME (10 * USEC_S)   /* the last words wait for a poll */
#define ENGINE_EARLY_TIME  (2 * USEC_MS)   /* by which clocks of clients, and ours, may differ */

struct engine {
    struct session session;
    struct stream *poll;   /* the GET that is to be answered */
    struct stream *socket; /* the WebSocket that carries the session; NULL: polling does */
    struct stream *probe;  /* a WebSocket that is about to */
    struct outbox queue;   /* for the next poll; each entry is the packet's type and its data */
    usec beat_at;          /* the next ping, or the end if none came until then */
    usec flush_at;         /* the held poll is answered by then; 0: when there is something */
    usec probe_until;
    uint32_t jsonp;    /* the callback's number, of a held poll of a script */
    uint8_t revision;  /* 3 or 4 */
    bool is_held;      /* poll is, else it is server->request */
    bool is_jsonp;     /* the client polls with scripts */
    bool is_base64;    /* it takes no bytes in polls */
    bool awaits_pong;  /* beat_at is the end */
    bool is_probed;    /* the client may say now that it goes over */
    bool is_lingering; /* the speech knows it no more, but the client is to hear the end */
};

extern const struct carrier engine_carrier;
extern const struct dialect engine_dialect;

static inline struct engine *engine_of(struct session *session)
{
    return (struct engine *)session;
}

static inline const struct engine_config *engine_config_of(const struct engine *engine)
{
    return &engine->session.endpoint->config->engine;
}

/* ---- for Socket.IO ---- */

/* 3 or 4: which Engine.IO a session speaks; 4 for what another carrier brings. */
static inline unsigned engine_revision(const struct session *session)
{
    return session->carrier == &engine_carrier ? ((const struct engine *)session)->revision : 4;
}

/* A message as it stands in queues: "4" and text, or "b" and bytes.  It is the message's
 * (message_done); NULL: there is no memory. */
struct buffer *engine_packet(struct server *server, struct message *message);

/* ---- engine.c ---- */

/* A session whose client has said hello in that revision; NULL: there is no place. */
struct engine *engine_new(struct server *server, usec now, struct endpoint *endpoint,
                          unsigned revision);
/* NULL: the endpoint has none of that id. */
struct engine *engine_find(struct server *server, const struct endpoint *endpoint, struct view id);
/* The packet that begins a session.  Gives its size. */
size_t engine_write_open(const struct engine *engine, bool may_upgrade,
                         uint8_t out[ENGINEIO_HANDSHAKE_MAX]);
void engine_set_timer(struct server *server, struct engine *engine);
/* The session takes no packets any more. */
bool engine_is_over(const struct engine *engine);

/* Why a session ends. */
enum engine_end {
    ENGINE_GONE,      /* the client went */
    ENGINE_CLOSED,    /* the client said so */
    ENGINE_SILENT,    /* the client was not heard in time */
    ENGINE_MALFORMED, /* the client broke a rule */
    ENGINE_REFUSED    /* the server can't go on with it */
};

/* Ends it and gives it back: the client's poll is answered, its WebSockets are closed. */
void engine_end(struct server *server, usec now, struct engine *engine, enum engine_end why);

/* A packet of the client.  False: the session has ended, and is no more. */
bool engine_hear(struct server *server, usec now, struct engine *engine,
                 const struct engineio_packet *packet);

/* ---- engine_send.c ---- */

void engine_send(struct server *server, usec now, struct session *session, struct message *message);
/* A packet of one or a few bytes, static. */
void engine_send_static(struct server *server, usec now, struct engine *engine, struct view packet);
/* Answers the held poll, if there is one: with what waits, or with a packet that says nothing.
 * Where what waits is too long for a poll the session is closed. */
void engine_flush(struct server *server, usec now, struct engine *engine);
/* Answers it with this packet alone, whatever waits. */
void engine_answer_poll(struct server *server, usec now, struct engine *engine, struct view packet);
/* What waits goes to the WebSocket that has taken the session over. */
void engine_flush_to_socket(struct server *server, usec now, struct engine *engine);
/* One packet to a WebSocket. */
void engine_say(struct server *server, usec now, struct stream *stream, struct view packet);

/* ---- engine_poll.c ---- */
void engine_request(struct server *server, usec now, struct stream *stream,
                    struct endpoint *endpoint, struct view rest, struct view body);
/* Answers with an error, as Engine.IO says it. */
enum engine_error {
    ENGINE_TRANSPORT_UNKNOWN,
    ENGINE_SID_UNKNOWN,
    ENGINE_BAD_METHOD,
    ENGINE_BAD_REQUEST,
    ENGINE_FORBIDDEN,
    ENGINE_BAD_REVISION
};
void engine_refuse(struct server *server, usec now, struct stream *stream, enum engine_error error);
/* The same for a session that there is no place for. */
void engine_refuse_full(struct server *server, usec now, struct stream *stream);
/* Answers server->request. */
void engine_answer(struct server *server, usec now, struct stream *stream, unsigned code,
                   const char *type, struct view body);

/* ---- engine_socket.c ---- */

/* The request opens a WebSocket: for a new session when `engine` is NULL. */
void engine_upgrade(struct server *server, usec now, struct stream *stream,
                    struct endpoint *endpoint, struct engine *engine, unsigned revision);
/* Opens a WebSocket and closes it at once: its session has another, and clients take this better
 * than a refusal. */
void engine_turn_away(struct server *server, usec now, struct stream *stream);
/* Closes a WebSocket that is the session's no more. */
void engine_close_socket(struct server *server, usec now, struct stream *stream, uint16_t code,
                         const char *reason);

#endif
