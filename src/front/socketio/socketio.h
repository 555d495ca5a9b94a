/* socketio.h - the speech Socket.IO: protocol 5, and the older one to clients of Engine.IO 3.
 *
 * socketio.c            an endpoint and its sessions; what packets come to
 * socketio_namespace.c  namespaces, and the sockets in them
 * socketio_event.c      events from a socket to the relay, and from the relay to sockets
 *
 * A session is in one or more namespaces, and in each it is a socket: a party of the relay, with an
 * id of its own.  What events do is the relay's matter (front/relay/relay.h).
 */
#ifndef MOIM_FRONT_SOCKETIO_SOCKETIO_H
#define MOIM_FRONT_SOCKETIO_SOCKETIO_H

#include "front/relay/relay.h"
#include "front/session.h"
#include "wire/socketio.h"

#define SOCKETIO_SPACES_MAX  256 /* namespaces of an endpoint that are in use */
#define SOCKETIO_SOCKETS_MAX 16  /* namespaces of one session */
#define SOCKETIO_ID_SIZE     (SOCKETIO_NAMESPACE_MAX + 1 + SESSION_ID_SIZE)

/* An endpoint's state. */
struct socketio {
    struct endpoint *endpoint;
    struct relay *relay;
    struct list spaces; /* those in use */
    struct pool space_pool;
    struct pool socket_pool;
    struct pool gathering_pool;
};

struct socketio_space {
    struct relay_space space;
    struct list of_endpoint;
    uint32_t socket_count;
    uint32_t name_size;
    char name[SOCKETIO_NAMESPACE_MAX];
};

/* A session in a namespace. */
struct socketio_socket {
    struct relay_party party;
    struct list of_session;
    struct socketio_space *space;
    char id[SOCKETIO_ID_SIZE + 1];
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

/* ---- socketio_event.c ---- */

/* An event with all its attachments, which are gathering->attachments (NULL: it has none). */
void socketio_hear(struct server *server, usec now, struct session *session, struct view text,
                   const struct socketio_packet *packet,
                   const struct socketio_gathering *gathering);

#endif
