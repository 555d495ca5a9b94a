/* dtls_server.h - DTLS on an open UDP port, sans-IO: any number of clients on one port of one
 * worker, and strangers, who get a cookie and nothing else until they have shown it.
 *
 * What is spent on a stranger: no memory, a few hashes, and an answer of 36 bytes to a ClientHello,
 * which has 67 at least; to all else, none.  A client that shows its cookie is at its address; it
 * then gets an association from a pool: prefixes of addresses have a limit, and so do handshakes
 * that are under way (the oldest gives way).
 *
 * How to drive it: after EVERY dtls_server_* call that takes `now`, call dtls_server_poll until it
 * gives DTLS_SERVER_WAIT, and carry out what it gives in that order.  The bytes of an output stay
 * where they are until then (after dtls_server_tick: until the next poll).  In between, only
 * dtls_server_send and dtls_server_close may be called, to answer what came.  One thread.
 *
 * An association takes some 50 KiB of OpenSSL's memory until hands are shaken, then 2.
 */
#ifndef MOIM_AGENT_DTLS_SERVER_H
#define MOIM_AGENT_DTLS_SERVER_H

#include "agent/dtls.h"
#include "agent/dtls_hello.h"
#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/wheel.h"

#define DTLS_PREFIX_IPV4   24 /* bits */
#define DTLS_PREFIX_IPV6   48
#define DTLS_PREFIXES      1024 /* prefixes share a count by hash */
#define DTLS_PEER_KEY_SIZE 38

struct dtls_server_config {
    struct dtls_context *context; /* borrowed; for this server alone */
    const struct random *random;  /* borrowed */
    uint32_t associations_max;
    uint32_t handshakes_max; /* of them, not yet connected */
    uint32_t per_prefix_max;
    usec idle_max; /* of a client's silence, then DTLS_SERVER_IDLE asks what is to become of it */
};

struct dtls_peer {
    struct dtls dtls;
    struct timer timer;
    struct list node;    /* in server->handshakes, the oldest first */
    struct list touched; /* in server->touched */
    uint32_t socket;
    struct address client, local;
    uint8_t key[DTLS_PEER_KEY_SIZE];
    uint8_t random[32]; /* of its hello, to know that again */
    uint16_t prefix;
    bool is_open;  /* DTLS_SERVER_OPENED was given, and DTLS_SERVER_CLOSED was not */
    usec heard_at; /* or asked about last */
};

/* Since the start. */
struct dtls_server_counts {
    uint64_t cookies; /* hellos answered by a cookie */
    uint64_t strays;  /* datagrams of no association that were dropped */
    uint64_t opened;  /* handshakes done */
    uint64_t failed;  /* handshakes that were not */
    uint64_t crowded; /* refused: too many of a prefix, or in all, or no memory */
    uint64_t evicted; /* handshakes that gave way to younger ones */
};

struct dtls_server {
    struct dtls_server_config config;
    usec now;
    struct pool peers;
    struct map by_key;
    struct wheel wheel;
    struct list handshakes;
    uint32_t handshake_count;
    struct dtls_cookies cookies;
    struct dtls_server_counts counts;
    struct list touched; /* those that may have outputs, or may have ended */
    bool is_ticking;
    bool has_answer;
    bool has_closed;
    bool has_idle;
    uint32_t idle;
    uint32_t closed; /* an association that a new one has replaced, */
    uint32_t closed_socket;
    uint32_t socket;
    struct address client, local; /* ... and of the answer, which are the same client's */
    uint64_t secret[2];
    uint16_t prefixes[DTLS_PREFIXES];
    uint8_t answer[DTLS_HELLO_VERIFY_SIZE];
};

/* ERR_MEMORY: nothing was made. */
MUST_USE int dtls_server_init(struct dtls_server *server, const struct dtls_server_config *config,
                              usec now);
/* Says nothing to anyone.  The context is freed by whoever made it, after this. */
void dtls_server_free(struct dtls_server *server);

/* A datagram from `client` to our address `local` (as it is bound, but always alike).  `socket` is
 * the caller's own: it is given back with all that is sent there, as it was at first. */
void dtls_server_feed(struct dtls_server *server, usec now, uint32_t socket,
                      const struct address *client, const struct address *local,
                      struct view datagram);

/* Whether `connection` is still that of this client, and not another's since. */
bool dtls_server_is(struct dtls_server *server, uint32_t connection, const struct address *client,
                    const struct address *local);

/* Sends the parts together as one record, to a connection that DTLS_SERVER_OPENED named.
 * OK; ERR_LIMIT: longer than DTLS_DATA_MAX, or empty; ERR_CLOSED. */
MUST_USE int dtls_server_send(struct dtls_server *server, usec now, uint32_t connection,
                              const struct view *parts, unsigned count);

/* Ends a connection, with a close_notify; DTLS_SERVER_CLOSED follows. */
void dtls_server_close(struct dtls_server *server, usec now, uint32_t connection);

/* Time has come (DTLS_SERVER_WAIT's `until`), or may have. */
void dtls_server_tick(struct dtls_server *server, usec now);

enum dtls_server_out_kind {
    DTLS_SERVER_WAIT,   /* nothing more; tick when `until` has come */
    DTLS_SERVER_SEND,   /* send `bytes` from `local` to `client` */
    DTLS_SERVER_OPENED, /* `connection` is there: a number below associations_max */
    DTLS_SERVER_DATA,   /* `bytes` came on `connection` */
    DTLS_SERVER_IDLE,   /* nothing came for idle_max: close it now, or be asked again as late */
    DTLS_SERVER_CLOSED  /* `connection` is no more; the number may come again */
};

struct dtls_server_out {
    uint8_t kind;        /* enum dtls_server_out_kind */
    uint32_t connection; /* not for WAIT and SEND */
    uint32_t socket;     /* not for WAIT, as what follows */
    struct address client, local;
    struct view bytes;
    usec until; /* USEC_NEVER: nothing is due */
};

void dtls_server_poll(struct dtls_server *server, struct dtls_server_out *out);

#endif
