/* turn.h - a TURN server (RFC 8656, and 5766 before it; TCP relays of RFC 6062, mobility of RFC
 * 8016), sans-IO: one worker's clients, and all that they allocated.
 *
 * It makes no socket and knows no clock.  The caller (the shell, the simulation or a test) brings
 * in what came and says what time it is; the agent tells what to send, and which relay sockets to
 * open and to close.  One thread.
 *
 * How to drive it: after EVERY turn_* call below but turn_poll, call turn_poll until it gives
 * TURN_WAIT, and carry out what it gives in that order.  Bytes and pointers in an output are
 * borrowed until the next turn_* call, turn_poll included; the payload of a relayed packet is the
 * caller's own bytes, so these must stay till then, too.
 *
 * Relay sockets have numbers, below relays_max, which the agent gives out: an array indexed by them
 * is all that the caller needs.  The life of a number:
 *   TURN_OPEN     open it; answer once, now or later, by turn_opened or turn_open_failed.  After a
 *                 failure the number is free.
 *   TURN_CONNECT  connect it; answer once by turn_connected.  The number stays, even on failure.
 *   TURN_CLOSE    close it; the number is free, and may come again in the very next output.
 * No other output names a number that was not opened or connected; TURN_CLOSE comes for each that
 * was, and only after the answer, so nothing is ever cancelled in mid-air.
 *
 * What is spent on strangers: a packet that is not authenticated leaves no state behind but a count
 * in a table of fixed size, and is answered by no more than 1.2 times its bytes, taken over time
 * (TURN_BUDGET_..., below).
 */
#ifndef MOIM_AGENT_TURN_H
#define MOIM_AGENT_TURN_H

#include "agent/stun_server.h"
#include "agent/turn_policy.h"
#include "agent/turn_shared.h"
#include "base/list.h"
#include "base/map.h"
#include "base/metrics.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/trace.h"
#include "base/usec.h"
#include "base/wheel.h"
#include "wire/stun_credentials.h"
#include "wire/stun_turn.h"

/* ---- limits ---- */

#define TURN_SECRETS_MAX   4
#define TURN_SINKS_MAX     20
#define TURN_REALM_MAX     64    /* bytes; a short one makes short answers to strangers */
#define TURN_RELAYS_MAX    65536 /* connection ids have 16 bits for the number */
#define TURN_MESSAGE_MAX   2048  /* a STUN message that is longer and no Send is dropped */
#define TURN_ANSWER_MAX    1024  /* no answer is longer */
#define TURN_LIFETIME_S    600   /* granted when none is asked for, and the least ever granted */
#define TURN_PERMISSION_S  300
#define TURN_CHANNEL_S     600
#define TURN_RESERVATION_S 30
#define TURN_CONNECT_S     30 /* RFC 6062: for a peer to be reached, and for a client to bind */
#define TURN_NONCE_S       3600
#define TURN_PREFIX_IPV4   24 /* bits: quotas and budgets count by prefixes of addresses */
#define TURN_PREFIX_IPV6   48

/* Answers to strangers may exceed 1.2 times their requests by a burst, which refills: so that a
 * browser's first Allocate (28 bytes) gets its answer (52), and a flood of them 6 in 10. */
#define TURN_BUDGET_PREFIXES     1024 /* prefixes share by hash */
#define TURN_BUDGET_PREFIX_BYTES 4096
#define TURN_BUDGET_PREFIX_RATE  1024 /* bytes a second */
#define TURN_BUDGET_ALL_BYTES    (64 * 1024)
#define TURN_BUDGET_ALL_RATE     (64 * 1024)

/* ---- configuration ---- */

/* Long-term users.  Both give OK with a password (and a name) borrowed until the next call, or
 * ERR_NOT_FOUND.  They must be fast and may not block. */
struct turn_users {
    int (*by_name)(void *context, struct view name, struct view *password);
    /* NULL: names are not looked up by USERHASH */
    int (*by_hash)(void *context, struct view hash, struct view *name, struct view *password);
    void *context;
};

/* All of it is borrowed for as long as the agent lives.  Secrets, users, policy, quotas, lifetime
 * and bandwidth may be changed between calls: allocations keep the keys that they were made with,
 * and what they hold. */
struct turn_config {
    struct view realm;                     /* 1 to TURN_REALM_MAX bytes */
    struct view secrets[TURN_SECRETS_MAX]; /* of TURN REST; all are tried */
    uint32_t secret_count;                 /* 0: no TURN REST */
    struct turn_users users;               /* by_name NULL: none */
    const struct turn_policy *policy;      /* which peers may be relayed to */
    const struct random *random;
    struct metrics *metrics;
    const struct stun_behavior *behavior; /* of RFC 5780; NULL: off */
    struct trace *trace;                  /* NULL: none */
    /* Ports of ours that are no relays, as peers know them: what goes there does not leave the
     * process, but comes out as TURN_SINK.  The policy must allow them, too. */
    const struct address *sinks;
    uint32_t sink_count; /* up to TURN_SINKS_MAX */
    bool relays_ipv4;    /* families that relays can have */
    bool relays_ipv6;
    bool relays_tcp; /* RFC 6062 */
    bool mobility;   /* RFC 8016 */
    uint8_t worker;  /* goes into what turn_worker_of reads */
    uint32_t allocations_max;
    uint32_t relays_max; /* up to TURN_RELAYS_MAX */
    uint32_t peers_max;  /* permissions and channels, of all allocations */
    uint32_t peers_per_allocation_max;
    uint32_t connections_per_allocation_max; /* TCP connections to peers */
    uint32_t allocations_per_user_max;
    uint32_t allocations_per_prefix_max;
    uint32_t lifetime_s_max;         /* at least TURN_LIFETIME_S */
    uint32_t bytes_per_s_allocation; /* relayed, both ways together; 0: no limit */
    uint32_t bytes_per_s_all;
    /* Where quotas and bytes_per_s_all are counted, with other agents; NULL: for this one alone. */
    struct turn_shared *shared;
};

/* ---- what goes in ---- */

enum turn_transport { TURN_OVER_UDP, TURN_OVER_TCP, TURN_OVER_TLS, TURN_OVER_DTLS };

/* Between a client and us: a 5-tuple, and how the caller finds its connection again. */
struct turn_flow {
    uint8_t transport;   /* enum turn_transport */
    bool is_forwarded;   /* its messages come to the worker `door`: see TURN_LEAVE */
    uint8_t door;        /* not looked at */
    uint32_t connection; /* the caller's own; not looked at */
    struct address client;
    struct address server; /* ours, as the client sees it or as it is bound, but always alike */
};

struct turn;

/* ERR_MEMORY: nothing was made.  `unix_s` is the time of day; see turn_time_of_day. */
MUST_USE int turn_init(struct turn *turn, const struct turn_config *config, usec now,
                       uint64_t unix_s);
/* Says nothing to anyone, and has the caller close what is open. */
void turn_free(struct turn *turn);

/* The time of day, again, whenever the caller likes (some minutes apart will do): it decides which
 * TURN REST names have expired.  A jump either way does nothing to allocations. */
void turn_time_of_day(struct turn *turn, usec now, uint64_t unix_s);

/* One message from a client: a datagram, or what turn_stream_size cut off a stream.  Anything may
 * be in it.  Until TURN_WAIT this is also the way of every packet that is relayed to a peer: it
 * costs a lookup of the flow, and one of the peer. */
void turn_feed_client(struct turn *turn, usec now, const struct turn_flow *flow, struct view bytes);

/* Whether the flow has an allocation.  Needs no turn_poll. */
bool turn_has_allocation(struct turn *turn, const struct turn_flow *flow);

/* A client's stream has ended, or will not be read any more.  Its allocation ends, unless it has a
 * mobility ticket. */
void turn_client_gone(struct turn *turn, usec now, const struct turn_flow *flow);

/* A datagram that a relay got from a peer. */
void turn_feed_peer(struct turn *turn, usec now, uint32_t relay, const struct address *peer,
                    struct view bytes);

/* The UDP relay that peers know by this address.  What one of our own ports has to send there is
 * fed to it by turn_feed_peer, and needs no socket.  False: it is none of ours; send it.  Needs no
 * turn_poll. */
bool turn_find_relay(const struct turn *turn, const struct address *address, uint32_t *relay);

/* An ICMP or ICMPv6 error for a datagram that a relay sent to a peer (section 11.5). */
void turn_feed_icmp(struct turn *turn, usec now, uint32_t relay, const struct address *peer,
                    const struct stun_icmp *icmp);

/* The answers to TURN_OPEN.  `relayed` is the address that peers know the relay by.  When a next
 * port was asked for, too, it was opened on relayed's port + 1. */
void turn_opened(struct turn *turn, usec now, uint32_t relay, const struct address *relayed);
void turn_open_failed(struct turn *turn, usec now, uint32_t relay);

/* The answer to TURN_CONNECT: OK, ERR_CLOSED (refused, unreachable ...) or any other error. */
void turn_connected(struct turn *turn, usec now, uint32_t relay, int status);

/* A peer has connected to a relay that listens.
 *   OK      *connection is the number of the new connection.  Read nothing of it before
 *           TURN_SPLICE.
 *   others  refused (no permission, a limit): close it. */
MUST_USE int turn_accept(struct turn *turn, usec now, uint32_t relay, const struct address *peer,
                         uint32_t *connection);

/* A socket of that number, opened or connected, has failed or ended: TURN_CLOSE will follow, with
 * those that hang on it. */
void turn_relay_gone(struct turn *turn, usec now, uint32_t relay);

/* Whether so many bytes may go over a spliced connection now, either way; they are counted against
 * the limits of its allocation.  False: read it again in a tenth of a second or so.  Needs no
 * turn_poll. */
bool turn_splice_may(struct turn *turn, usec now, uint32_t relay, size_t size);

/* Time has come (TURN_WAIT's `until`), or may have. */
void turn_tick(struct turn *turn, usec now);

/* Which worker a message must go to, when another than that of its flow: by what it bears of
 * MOBILITY-TICKET, RESERVATION-TOKEN or CONNECTION-ID.  False: it bears none; any worker's.
 * Forwarding it is the caller's matter: a stream is handed over whole.  A datagram is fed to that
 * worker's agent, with is_forwarded; when the flow has an allocation there afterwards, all that
 * comes of it goes there, too, until TURN_LEAVE. */
bool turn_worker_of(struct view bytes, uint8_t *worker);

/* The 5-tuple as bytes, for a table of flows. */
#define TURN_FLOW_KEY_SIZE 38
void turn_flow_key(const struct turn_flow *flow, uint8_t key[TURN_FLOW_KEY_SIZE]);

/* ---- what comes out ---- */

enum turn_out_kind {
    TURN_WAIT,    /* nothing more; tick when `until` has come */
    TURN_CLIENT,  /* send header, payload and trailer to `flow`, as one datagram or one run; with
                     is_elsewhere from the socket of flow->server, not that of flow->connection */
    TURN_PEER,    /* send payload from `relay` to `peer` */
    TURN_SINK,    /* payload has come to the port sinks[`sink`], from `peer`: that is `relay` */
    TURN_OPEN,    /* open `relay`: a socket of `family` on a port of the range */
    TURN_CONNECT, /* connect `relay` to `peer` by TCP, from the port of the relay `from` */
    TURN_SPLICE,  /* `flow` is from now on, after what is still to be sent on it, the raw bytes of
                     `relay`, both ways; turn_feed_client is not called for it any more.  When
                     either ends: turn_relay_gone; TURN_CLOSE then closes both. */
    TURN_CLOSE,   /* close `relay` */
    TURN_LEAVE    /* `flow`, which is_forwarded, has no allocation here any more */
};

struct turn_out {
    uint8_t kind;       /* enum turn_out_kind */
    uint8_t family;     /* TURN_OPEN: enum address_family */
    uint8_t protocol;   /* TURN_OPEN: TURN_UDP, or TURN_TCP to listen */
    bool even;          /* TURN_OPEN: its port must be even */
    bool is_elsewhere;  /* TURN_CLIENT */
    bool dont_fragment; /* TURN_PEER: with DF set (or by IPv6, unfragmented) */
    uint32_t relay;
    uint32_t next; /* TURN_OPEN: open this one, too, on the next port, or fail both;
                                     TURN_NO_RELAY: not asked for.  Only `relay` is answered. */
    uint32_t from; /* TURN_CONNECT */
    uint32_t sink; /* TURN_SINK */
    /* TURN_CLIENT, TURN_SPLICE, TURN_LEAVE; TURN_OPEN: of the client that it is opened for */
    const struct turn_flow *flow;
    struct address peer;
    struct view header, payload, trailer;
    usec until; /* TURN_WAIT: USEC_NEVER when nothing is due */
};

#define TURN_NO_RELAY UINT32_MAX

const struct turn_out *turn_poll(struct turn *turn);

/* ---- for the admin API ---- */

struct turn_report {
    uint32_t index; /* with `serial`: which one it is, for turn_end */
    uint64_t serial;
    const struct turn_flow *flow;
    struct view user;          /* what quotas count by */
    struct address relayed[2]; /* family ADDRESS_NONE: none */
    usec expires_at;
    uint32_t peers; /* permissions, channels included: these are of both kinds */
    uint32_t channels;
    uint64_t packets_up, packets_down;
    uint64_t bytes_up, bytes_down; /* relayed to peers, and to the client */
};

/* The allocation after *cursor (0 at first), which moves on; all is borrowed until the next call of
 * the agent.  False: that was the last. */
bool turn_next_report(const struct turn *turn, uint32_t *cursor, struct turn_report *report);

/* Ends an allocation, as its client's Refresh with a lifetime of 0 does; the client is not told.
 * ERR_NOT_FOUND: it has ended. */
MUST_USE int turn_end(struct turn *turn, usec now, uint32_t index, uint64_t serial);

#include "agent/turn_state.h" /* struct turn, for who embeds it; its members are turn_*.c's */

#endif
