/* socketio.h - the speech Socket.IO: protocol 5, and the older one to clients of Engine.IO 3.
 *
 * socketio.c            an endpoint and its sessions; what packets come to
 * socketio_namespace.c  namespaces, and the sockets in them
 * socketio_event.c      events from a socket to the relay, and from the relay to sockets
 * socketio_recovery.c   sockets whose session broke off, and what they missed
 *
 * A session is in one or more namespaces, and in each it is a socket: a party of the relay, with an
 * id of its own.  What events do is the relay's matter (front/relay/relay.h).
 */
#ifndef MOIM_FRONT_SOCKETIO_SOCKETIO_H
#define MOIM_FRONT_SOCKETIO_SOCKETIO_H

#include "front/relay/relay.h"
#include "front/session.h"
#include "wire/socketio.h"

struct mediasoup;
struct mediasoup_member;

#define SOCKETIO_SPACES_MAX  256 /* namespaces of an endpoint that are in use */
#define SOCKETIO_SOCKETS_MAX 16  /* namespaces of one session */
#define SOCKETIO_LOG_MAX     256 /* messages that a socket could have missed */
#define SOCKETIO_LOG_SHARE   32  /* of them, as many as there are for each session */
#define SOCKETIO_ID_SIZE     (SOCKETIO_NAMESPACE_MAX + 1 + SESSION_ID_SIZE)

/* An endpoint's state. */
struct socketio {
    struct endpoint *endpoint;
    struct relay *relay;
    struct mediasoup *mediasoup; /* front/mediasoup/; NULL: there is none */
    struct list spaces;          /* those in use */
    struct pool space_pool;
    struct pool socket_pool;
    struct pool gathering_pool;
    /* Recovery; unused where the configuration wants none. */
    uint64_t offset;          /* of the last event */
    struct outbox_store logs; /* entries of sockets' logs */
    struct map broken;        /* sockets by their secret */
    struct list broken_order; /* the same, in the order in which they end */
};

struct socketio_space {
    struct relay_space space;
    struct socketio *socketio;
    struct list of_endpoint;
    uint32_t socket_count;
    uint32_t name_size;
    char name[SOCKETIO_NAMESPACE_MAX];
};

/* A session in a namespace. */
struct socketio_socket {
    struct relay_party party; /* first: the relay's parties are sockets */
    struct list of_session;   /* or, when it is broken, among those */
    struct socketio_space *space;
    struct mediasoup_member *mediasoup_member; /* NULL: it is in no room of that */
    struct outbox log; /* what it was told last; each entry is "4" or "b" and the message */
    usec broken_until;
    char id[SOCKETIO_ID_SIZE + 1];
    char pid[SESSION_ID_SIZE + 1]; /* the secret by which it comes back; "": it can't */
};

/* A packet whose attachments are still to come. */
struct socketio_gathering {
    struct buffer *text;
    uint32_t wanted;
    uint32_t count;
    size_t size; /* of all that came */
    struct buffer *attachments[SOCKETIO_ATTACHMENTS_MAX];
};

/* What session->state is. */
struct socketio_session {
    struct list sockets;
    uint32_t socket_count;
    struct socketio_gathering *gathering; /* NULL: none is under way */
};

extern const struct speech socketio_speech;
extern const struct relay_voice socketio_voice;

static inline struct socketio *socketio_of(const struct session *session)
{
    return session->endpoint->context;
}

static inline struct view socketio_space_name(const struct socketio_space *space)
{
    return view_make(space->name, space->name_size);
}

/* ---- socketio.c ---- */

/* Sends a packet of text. */
void socketio_send(struct server *server, usec now, struct session *session,
                   const struct socketio_packet *packet);
/* The session is in no namespace: closes it, if it comes into none in time. */
void socketio_expect_connect(struct server *server, usec now, struct session *session);

/* ---- socketio_namespace.c ---- */

/* The session's socket in that namespace; NULL: it is not in it. */
struct socketio_socket *socketio_find(const struct session *session, struct view name);
/* The session asks to come in; it is told the outcome. */
void socketio_connect(struct server *server, usec now, struct session *session,
                      const struct socketio_packet *packet);
/* It goes out, and the others are told so. */
void socketio_leave(struct server *server, usec now, struct session *session,
                    struct socketio_socket *socket);

/* SESSION_ID_SIZE letters of chance and a NUL. */
void socketio_make_secret(struct server *server, char out[SESSION_ID_SIZE + 1]);
void socketio_say_connected(struct server *server, usec now, struct session *session,
                            const struct socketio_socket *socket);
/* Into a session, out of it. */
void socketio_attach(struct session *session, struct socketio_socket *socket);
void socketio_detach(struct session *session, struct socketio_socket *socket);
/* Of one that is out of its session: the others are told that it went, and it is no more. */
void socketio_free_socket(struct server *server, usec now, struct socketio *socketio,
                          struct socketio_socket *socket);

/* ---- socketio_recovery.c ---- */

static inline usec socketio_recovery_time(const struct socketio *socketio)
{
    return socketio->endpoint->config->socketio.recovery;
}

/* ERR_MEMORY. */
MUST_USE int socketio_recovery_start(struct server *server, struct socketio *socketio);
/* Gives back what sockets' logs own. */
void socketio_recovery_stop(struct server *server, struct socketio *socketio);
/* The socket is told this now, or would be. */
void socketio_log(struct server *server, struct socketio_socket *socket, struct relay_words *words);
/* The session ends, and the socket may come back.  False: it can't. */
bool socketio_break(struct server *server, usec now, struct session *session,
                    struct socketio_socket *socket);
/* A CONNECT that says which socket it wants back, and what it has heard: that socket is the
 * session's again, and is told what it missed.  False: there is none, or too much is missing. */
bool socketio_recover(struct server *server, usec now, struct session *session,
                      const struct socketio_packet *packet);
/* Ends the broken sockets whose time is over; with `force`, the oldest in any case. */
void socketio_expire(struct server *server, usec now, struct socketio *socketio, bool force);

/* ---- socketio_event.c ---- */

/* An event with all its attachments, which are gathering->attachments (NULL: it has none). */
void socketio_hear(struct server *server, usec now, struct session *session, struct view text,
                   const struct socketio_packet *packet,
                   const struct socketio_gathering *gathering);
/* Tells a socket an event: its name needs no escapes, its arguments are JSON with commas between
 * them.  One that is broken is told when it comes back. */
void socketio_say(struct server *server, usec now, struct socketio_socket *socket,
                  struct view event, struct view arguments);
/* Answers what a client has said with an id; `arguments` is an array. */
void socketio_acknowledge(struct server *server, usec now, struct session *session,
                          const struct socketio_packet *heard, struct view arguments);

#endif
