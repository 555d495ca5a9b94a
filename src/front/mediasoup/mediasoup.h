/* mediasoup.h - what pages with mediasoup-client say over Socket.IO: rooms in which everybody's
 * tracks are forwarded by the SFU of this worker.
 *
 * mediasoup.c            an endpoint's rooms and members; what events come to
 * mediasoup_transport.c  transports: each is a peer without descriptions (media/peer.h)
 * mediasoup_produce.c    tracks that come in
 * mediasoup_consume.c    tracks that go out
 *
 * It stands beside the relay's rules: events of its own never get to them.  "join" is its own where
 * it names a `roomName`.  What it says is in docs/SIGNALING.md.
 */
#ifndef MOIM_FRONT_MEDIASOUP_MEDIASOUP_H
#define MOIM_FRONT_MEDIASOUP_MEDIASOUP_H

#include "front/media.h"
#include "front/socketio/socketio.h"
#include "media/ortc.h"

#define MEDIASOUP_ROOM_NAME_MAX 128
#define MEDIASOUP_TRANSPORTS_MAX                                                                   \
    128                             /* of one member: pages open one for each track that they get */
#define MEDIASOUP_PRODUCERS_MAX 16  /* of one member */
#define MEDIASOUP_CONSUMERS_MAX 128 /* of one member */
#define MEDIASOUP_ANSWER_MAX    ((size_t)16 * 1024)

/* An endpoint's. */
struct mediasoup {
    struct endpoint *endpoint;
    struct ortc_capabilities capabilities;
    char *capabilities_text; /* as they are told */
    size_t capabilities_size;
    struct map by_name; /* rooms */
    struct pool rooms;
    struct pool members;
    struct pool transports;
    struct pool producers;
    struct pool consumers;
};

struct mediasoup_room {
    struct list members;
    struct list producers; /* in the order in which they came */
    uint32_t key_size;
    uint8_t key[4 + MEDIASOUP_ROOM_NAME_MAX]; /* the namespace's number, the name */
};

static inline struct view mediasoup_room_name(const struct mediasoup_room *room)
{
    return view_make(room->key + 4, room->key_size - 4);
}

/* A socket in a room. */
struct mediasoup_member {
    struct mediasoup *mediasoup;
    struct socketio_socket *socket;
    struct mediasoup_room *room;
    struct list of_room;
    struct list transports;
    uint32_t transport_count;
    uint32_t producer_count;
    uint32_t consumer_count;
};

struct mediasoup_transport {
    struct media_owner owner; /* first: the peer's owner */
    struct mediasoup_member *member;
    struct peer *peer;
    struct list of_member;
    struct list producers;
    struct list consumers;
    uint32_t next_mid;
    bool is_receiving; /* by the client: consumers are on it, and no producers */
    bool is_connected; /* the client has said its way */
    char id[SESSION_ID_SIZE + 1];
};

struct mediasoup_producer {
    struct mediasoup_transport *transport;
    struct transceiver *transceiver;
    struct list of_transport;
    struct list of_room;
    struct list consumers;
    char id[SESSION_ID_SIZE + 1];
};

struct mediasoup_consumer {
    struct mediasoup_transport *transport;
    struct mediasoup_producer *producer;
    struct transceiver *transceiver;
    struct list of_transport;
    struct list of_producer;
    char id[SESSION_ID_SIZE + 1];
};

/* ---- for Socket.IO ---- */

/* *out is NULL where this worker has no media port, or the endpoint does not want it; all below
 * accept that.  ERR_MEMORY. */
MUST_USE int mediasoup_start(struct server *server, struct endpoint *endpoint,
                             struct mediasoup **out);
/* Peers are forgotten without a word, for the server is being freed. */
void mediasoup_stop(struct mediasoup *mediasoup);

/* A socket is there: it is told so. */
void mediasoup_greet(struct server *server, usec now, struct mediasoup *mediasoup,
                     struct socketio_socket *socket);
/* False: the event is none of its own. */
bool mediasoup_hear(struct server *server, usec now, struct mediasoup *mediasoup,
                    struct socketio_socket *socket, const struct socketio_packet *packet);
/* The socket goes. */
void mediasoup_leave(struct server *server, usec now, struct socketio_socket *socket);

/* ---- within ---- */

/* An event that is being answered. */
struct mediasoup_call {
    struct server *server;
    usec now;
    struct mediasoup *mediasoup;
    struct socketio_socket *socket;
    struct mediasoup_member *member; /* NULL: it is in no room, and the event is joinRoom */
    const cJSON *argument;           /* the first; NULL: there is none, or it is no object */
    struct json_writer answer;       /* where a value is to be written */
    struct ortc_error error;         /* when it fails: why */
};

/* Says why; `status`. */
MUST_USE int mediasoup_refuse(struct mediasoup_call *call, int status, const char *why);
/* Tells a member an event with one id: {"<name>": "<id>"}. */
void mediasoup_tell(struct server *server, usec now, struct mediasoup_member *member,
                    struct view event, const char *name, const char *id);

/* The handlers: OK when the answer is written, else call->error says why not. */
MUST_USE int mediasoup_create_transport(struct mediasoup_call *call);
MUST_USE int mediasoup_connect_sending(struct mediasoup_call *call);
MUST_USE int mediasoup_connect_receiving(struct mediasoup_call *call);
MUST_USE int mediasoup_produce(struct mediasoup_call *call);
MUST_USE int mediasoup_get_producers(struct mediasoup_call *call);
MUST_USE int mediasoup_consume(struct mediasoup_call *call);
MUST_USE int mediasoup_resume(struct mediasoup_call *call);

/* The client's transport of that id, or the last one on which it sends; NULL: none. */
struct mediasoup_transport *mediasoup_find_transport(struct mediasoup_member *member,
                                                     struct view id);
struct mediasoup_transport *mediasoup_sending(struct mediasoup_member *member);

/* Each takes along what is on it, and tells those who consumed it. */
void mediasoup_close_transport(struct server *server, usec now,
                               struct mediasoup_transport *transport);
void mediasoup_close_producer(struct server *server, usec now, struct mediasoup_producer *producer);
void mediasoup_close_consumer(struct server *server, usec now, struct mediasoup_consumer *consumer);

#endif
