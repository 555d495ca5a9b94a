/* endpoint.h - what is served at a path beside the meeting: the signaling of existing clients.
 *
 * An endpoint is a path, what carries messages there (the carrier) and what is said in them (the
 * speech).  Several may have one path: a WebSocket at the path itself that asks for a subprotocol
 * of STOMP goes to the one that speaks STOMP, others to the one of bare WebSockets.  All endpoints
 * of a path live on one worker.
 */
#ifndef MOIM_FRONT_ENDPOINT_H
#define MOIM_FRONT_ENDPOINT_H

#include "base/status.h"
#include "base/usec.h"
#include "base/view.h"
#include "front/rules.h"

enum carrier_kind { CARRIER_WEBSOCKET, CARRIER_SOCKJS, CARRIER_ENGINE, CARRIER_COUNT };
enum speech_kind { SPEECH_RELAY, SPEECH_STOMP, SPEECH_SOCKETIO, SPEECH_COUNT };

/* Who is at the far end of a client's peer connection: another client, or the server in its place
 * (front/standin/standin.h). */
enum endpoint_topology { ENDPOINT_MESH, ENDPOINT_SFU, ENDPOINT_TOPOLOGIES };

#define ENDPOINTS_MAX        64
#define ENDPOINT_PATH_MAX    128
#define ENDPOINT_MESSAGE_MAX (1024 * 1024)
#define ENDPOINT_QUEUE_MAX   (1536 * 1024)

/* What a session may take. */
struct endpoint_limits {
    uint32_t sessions;      /* at the endpoint */
    uint32_t message_bytes; /* of one message; at most ENDPOINT_MESSAGE_MAX */
    uint32_t queue_bytes;   /* that wait for one session: more, and it is closed */
    uint32_t rooms;         /* that one session is in */
    uint32_t subscriptions; /* of one session */
    uint32_t kept;          /* messages that one session keeps for later comers */
};

struct sockjs_config {
    usec heartbeat;         /* 25 s */
    usec disconnect;        /* without a receiver: 5 s */
    uint32_t response_max;  /* bytes of one streaming response: 128 KiB */
    bool websocket;         /* or it is told that there is none */
    bool cookie_needed;     /* JSESSIONID, for balancers */
    const char *client_url; /* what the iframe page loads */
};

struct engine_config {
    usec ping_interval; /* 25 s */
    usec ping_timeout;  /* 20 s */
    bool eio3;          /* clients of Engine.IO 3 are served, too */
};

struct socketio_config {
    const char *const *namespaces; /* "/", ...; none: any */
    uint32_t namespace_count;
    usec connect_timeout; /* 45 s */
    usec recovery;        /* how long a broken session's packets are kept; 0: not at all */
    bool mediasoup;       /* pages with mediasoup-client find the SFU */
};

/* From one destination to another; a "*" stands for one segment, in both in the same order. */
struct stomp_rename {
    const char *from; /* "/app/simple-peer/offer/ * / *", without the spaces */
    const char *to;
};

/* Destinations of what is between two peer connections; in offer and answer the last two segments
 * are "*": the key of the one that it is for, and the room.  Offers and answers may have one. */
struct stomp_signals {
    const char *offer;
    const char *answer;
    const char *candidate;
    const char *renewed; /* "true": a client makes a new connection for each offer that it gets */
};

struct stomp_config {
    const char *const
        *broker; /* prefixes whose destinations are subscribed to: "/topic", "/queue" */
    uint32_t broker_count;
    const char *const *application; /* prefixes that become the first of `broker`: "/app" */
    uint32_t application_count;
    const struct stomp_rename *renames; /* tried in order, before the prefixes */
    uint32_t rename_count;
    const char *const *rooms; /* destinations whose last segment is a room: ".../offer/ * / *" */
    uint32_t room_count;
    const struct stomp_signals *signals; /* that stand-ins take (topology: sfu) */
    uint32_t signals_count;
    bool room_rule; /* what bears no room stays in the sender's */
    usec heartbeat; /* what is offered, each way: 10 s; 0: none */
    bool door;      /* the paths /poll/... and /receive-events/... belong to it */
};

struct endpoint_config {
    const char *path; /* "/signaling": begins with '/', does not end with one */
    enum carrier_kind carrier;
    enum speech_kind speech;
    enum endpoint_topology topology;
    const char *const *origins; /* "https://example.org" that may use it from a page; none: any */
    uint32_t origin_count;
    struct endpoint_limits limits;
    struct sockjs_config sockjs;
    struct engine_config engine;
    struct socketio_config socketio;
    struct stomp_config stomp;
    struct rules rules;
};

/* A list that is made once and outlives the server. */
struct endpoint_configs {
    const struct endpoint_config *items;
    uint32_t count;
};

#endif
