/* session.h - a client at an endpoint: whole messages both ways, whatever carries them.
 *
 * A carrier (a bare WebSocket, SockJS, Engine.IO) makes sessions and gives what they say to the
 * endpoint's speech; the speech (a relay's rules, STOMP, Socket.IO) sends to any of the endpoint's
 * sessions.  Neither knows the other's kind.
 *
 * Nothing re-enters: session_send and session_close only note what is to be done.  Sessions that
 * are to be closed are closed by streams_settle, when nothing else is under way.
 */
#ifndef MOIM_FRONT_SESSION_H
#define MOIM_FRONT_SESSION_H

#include "base/map.h"
#include "front/core.h"
#include "front/endpoint.h"

#define SESSION_ID_SIZE 20 /* letters of base64url */

struct session;

/* What a carrier does for its sessions. */
struct carrier {
    const char *name;
    enum carrier_kind kind;
    /* A request at the endpoint's path (`rest` is empty) or below it (`rest` begins with '/'). */
    void (*request)(struct server *server, usec now, struct stream *stream,
                    struct endpoint *endpoint, struct view rest, struct view body);
    void (*send)(struct server *server, usec now, struct session *session, struct message *message);
    /* Says the end to the client.  The speech knows the session no more; the carrier gives it back
     * with session_free, now or when the client need not hear of it any longer. */
    void (*close)(struct server *server, usec now, struct session *session, uint16_t code,
                  const char *reason);
    void (*timer)(struct server *server, usec now, struct session *session); /* may be NULL */
    /* Gives back what the session owns, without a word: the server is being freed.  May be NULL. */
    void (*drop)(struct server *server, struct session *session);
    size_t session_size; /* of what begins with a struct session */
};

/* What a speech does with an endpoint's sessions. */
struct speech {
    const char *name;
    void (*opened)(struct server *server, usec now, struct session *session);
    void (*message)(struct server *server, usec now, struct session *session, struct view body,
                    bool is_binary);
    /* The session takes nothing more, whoever ended it.  clean: the client, on purpose. */
    void (*closed)(struct server *server, usec now, struct session *session, bool clean);
    void (*timer)(struct server *server, usec now, struct session *session); /* may be NULL */
    /* endpoint->timer, which the speech sets and cancels; may be NULL */
    void (*endpoint_timer)(struct server *server, usec now, struct endpoint *endpoint);
    /* Requests of its own: for paths that begin with one of `paths`, where the endpoint's
     * configuration wants them (has_paths).  NULL: none. */
    const char *const *paths; /* ends with NULL */
    bool (*has_paths)(const struct endpoint_config *config);
    void (*request)(struct server *server, usec now, struct stream *stream,
                    struct endpoint *endpoint, struct view path, struct view body);
    const char *const *protocols; /* WebSocket subprotocols, best first; ends with NULL */
    /* The endpoint's own state, in endpoint->context.  ERR_MEMORY. */
    int (*start)(struct server *server, struct endpoint *endpoint);
    /* Frees it, and what the states of sessions that are still open own. */
    void (*stop)(struct server *server, struct endpoint *endpoint);
    size_t state_size; /* of session->state, zeroed; 0: none */
};

struct endpoint {
    const struct endpoint_config *config;
    const struct carrier *carrier; /* a bare WebSocket may come in all the same */
    const struct speech *speech;
    void *context;   /* the speech's */
    unsigned worker; /* the owner */
    uint32_t session_count;
    struct list sessions; /* in the order in which they came, those that are closed included */
    struct pool states;   /* of the speech, one a session */
    struct timer timer;   /* the speech's */
    struct map names;     /* the carrier's: sessions by what their clients call them, where a
                           * session's requests come on several connections */
};

struct session {
    struct list of_endpoint;
    struct list closing; /* among the server's sessions that are to be closed */
    struct endpoint *endpoint;
    const struct carrier *carrier;
    void *state;               /* the speech's, speech->state_size zeroed bytes */
    struct timer timer;        /* the carrier's */
    struct timer speech_timer; /* the speech's */
    const char *close_reason;  /* of one that is closing */
    uint16_t close_code;
    bool is_closing;
    bool is_open;                 /* the speech knows it */
    char id[SESSION_ID_SIZE + 1]; /* made of chance: nobody guesses it */
};

/* The forms in which a message goes out; each is made at most once. */
enum message_form {
    FORM_WEBSOCKET,     /* a WebSocket frame of the body */
    FORM_SOCKJS_FRAME,  /* a WebSocket frame of a["..."] */
    FORM_SOCKJS_TEXT,   /* the body as a JSON string, for responses and queues */
    FORM_ENGINE_FRAME,  /* a WebSocket frame of an Engine.IO 4 message */
    FORM_ENGINE3_FRAME, /* the same of Engine.IO 3 */
    FORM_ENGINE_PACKET, /* the message as it stands in a polling payload, of either */
    FORM_COUNT
};

/* One message to any number of sessions; on the stack of whoever sends it. */
struct message {
    struct view body;
    bool is_binary;
    struct buffer *forms[FORM_COUNT];
};

static inline struct message message_make(struct view body, bool is_binary)
{
    return (struct message){ .body = body, .is_binary = is_binary };
}
/* Gives the forms back.  Call it when all have been sent to. */
void message_done(struct server *server, struct message *message);

/* ---- for speeches ---- */

/* Does nothing for one that is closing or was closed. */
void session_send(struct server *server, usec now, struct session *session,
                  struct message *message);

/* Has the session closed, once: what was sent before still arrives, and the speech is told
 * `closed`.  The reason outlives the server. */
void session_close(struct server *server, struct session *session, uint16_t code,
                   const char *reason);

/* ---- for carriers ---- */

/* A session, zeroed but for its head and its id; NULL: the limit of the endpoint or of the worker
 * is reached, or the server stops. */
struct session *session_new(struct server *server, struct endpoint *endpoint,
                            const struct carrier *carrier);
/* The client is there: tells the speech. */
void session_open(struct server *server, usec now, struct session *session);
/* A message came.  Does nothing for one that is closing. */
void session_hear(struct server *server, usec now, struct session *session, struct view body,
                  bool is_binary);
/* The client has gone: tells the speech, once. */
void session_end(struct server *server, usec now, struct session *session, bool clean);
/* Gives back one that has ended or was closed. */
void session_free(struct server *server, struct session *session);

/* ---- for the server ---- */

MUST_USE int endpoints_start(struct server *server); /* ERR_MEMORY */
void endpoints_stop(struct server *server);
/* Whose a path is. */
struct endpoint_match {
    struct endpoint *endpoint;
    struct view rest;  /* of the path, behind the endpoint's own */
    bool is_of_speech; /* one of speech->paths; `rest` is all of it */
};

/* False: no endpoint's. */
bool endpoint_find(struct server *server, struct view path, struct endpoint_match *match);
/* The largest body of a request for it; 0: as everywhere. */
uint32_t endpoint_body_max(const struct server *server, const struct endpoint_match *match);
/* The request is for the endpoint, and this worker owns it. */
void endpoint_request(struct server *server, usec now, struct stream *stream,
                      const struct endpoint_match *match, struct view body);
/* The first subprotocol of those that the client offers and the speech knows, or, where the speech
 * knows none, the first of all; empty: it offers none of them. */
struct view endpoint_protocol(const struct endpoint *endpoint, const struct http_request *request);
/* One of a session's two timers, or an endpoint's. */
void session_expired(struct server *server, usec now, struct timer *timer);
/* Closes what is closing. */
void sessions_settle(struct server *server, usec now);
/* Closes all, because the server stops. */
void sessions_stop(struct server *server, usec now);

extern const struct carrier plain_carrier; /* plain.c: bare WebSockets */

#endif
