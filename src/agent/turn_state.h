/* turn_state.h - what a TURN agent keeps: turn.h includes it for those who embed one, and only
 * turn_*.c look inside.
 *
 *     flows:  5-tuple  -> allocation        users:     name   -> user      (quota)
 *     allocation -> peers (a list, the latest used first)
 *     allocation -> relays[2], and the list of its TCP connections
 *
 * Everything comes from pools; an allocation with a user of its own, a prefix, a relay and two
 * peers takes about 1.5 KiB.
 */
#ifndef MOIM_AGENT_TURN_STATE_H
#define MOIM_AGENT_TURN_STATE_H

#define TURN_TICKET_BYTES     15
#define TURN_TICKET_SIZE      20 /* as text */
#define TURN_PREFIX_KEY_SIZE  7
#define TURN_ADDRESS_KEY_SIZE 19
#define TURN_SCRATCH_SIZE     TURN_ANSWER_MAX
#define TURN_OUTS_MAX         6 /* outputs of one call that wait */

/* What one user, or one prefix of addresses, holds: only while that is something. */
struct turn_holder {
    uint32_t allocations;
    uint16_t key_size;
    uint8_t key[]; /* a user's name, or a prefix */
};

/* A permission (port 0), or a channel, which is one, too, as far as its address goes. */
struct turn_peer {
    struct turn_peer *next;
    struct address address;
    uint16_t channel; /* 0: a permission */
    usec permitted_until;
    usec bound_until;
};

/* So many bytes a second, with a burst of a second. */
struct turn_rate {
    uint64_t bytes; /* that may still go */
    usec at;
};

enum turn_relay_state {
    TURN_RELAY_OPENING,
    TURN_RELAY_OPEN,
    TURN_RELAY_RESERVED, /* open, and waiting for its RESERVATION-TOKEN */
    TURN_RELAY_CONNECTING,
    TURN_RELAY_UNBOUND, /* connected, and waiting for its client */
    TURN_RELAY_SPLICED,
    TURN_RELAY_CLOSING
};

struct turn_relay {
    uint8_t state;
    uint8_t protocol;
    uint8_t family;
    bool is_connection; /* to a peer, by TCP */
    bool is_joined;     /* by relays_by_address */
    bool is_sha256;     /* how the Connect that waits for an answer was signed */
    bool has_fingerprint;
    uint8_t generation;
    uint64_t token;                     /* reserved: the RESERVATION-TOKEN */
    uint64_t name_hash;                 /* reserved: whose it is */
    struct turn_allocation *allocation; /* NULL: reserved, or left behind */
    struct list node;                   /* in allocation->connections, or in turn->closing */
    struct timer timer;
    struct address relayed; /* as peers know it */
    uint8_t relayed_key[TURN_ADDRESS_KEY_SIZE];
    struct address peer;
    struct turn_relay *next_port; /* opening: the one to be reserved */
    uint8_t transaction[STUN_TRANSACTION_SIZE];
};

enum turn_allocation_state { TURN_ALLOCATION_OPENING, TURN_ALLOCATION_OPEN };

struct turn_allocation {
    struct turn_flow flow;
    uint8_t flow_key[TURN_FLOW_KEY_SIZE];
    uint8_t state;
    uint8_t protocol; /* enum turn_protocol */
    bool is_sha256;
    bool has_fingerprint;
    bool has_ticket;
    bool has_old_ticket;
    uint8_t waiting;        /* relays that are still opened */
    uint16_t failed_family; /* of ADDRESS-ERROR-CODE; 0: none */
    uint16_t failed_code;
    uint16_t connection_count;
    uint8_t transaction[STUN_TRANSACTION_SIZE];      /* of Allocate, to know it again */
    uint8_t move_transaction[STUN_TRANSACTION_SIZE]; /* of the Refresh that moved it */
    uint8_t ticket[TURN_TICKET_SIZE];
    uint8_t old_ticket[TURN_TICKET_SIZE];
    struct stun_key key;
    uint32_t lifetime_s; /* as first granted */
    uint64_t name_hash;
    uint64_t token; /* of the next port; 0: none */
    struct turn_holder *user;
    struct turn_holder *prefix;
    struct turn_relay *relays[2]; /* the second: ADDITIONAL-ADDRESS-FAMILY */
    struct list connections;
    struct turn_peer *peers;
    uint32_t peer_count;
    struct timer timer;
    struct turn_rate rate;
    uint64_t bytes_up, bytes_down;
    uint64_t packets_up, packets_down;
    uint64_t serial; /* no other allocation of the agent has had it */
};

struct turn_budget {
    uint32_t bytes;
    usec at;
};

struct turn {
    const struct turn_config *config;
    usec now;
    uint64_t unix_s; /* at unix_at */
    usec unix_at;
    uint64_t secret[2];
    struct pool allocations, relays, peers, users, prefixes;
    struct map flows, user_names, prefix_names, relays_by_address;
    struct wheel wheel;
    struct list closing;
    uint64_t last_serial;
    struct turn_rate rate;
    struct turn_budget budget;
    struct turn_budget budgets[TURN_BUDGET_PREFIXES];
    struct turn_out outs[TURN_OUTS_MAX];
    struct turn_out current;
    struct turn_flow late_flow;               /* of an answer whose allocation is gone */
    struct turn_flow left[TURN_OUTS_MAX + 1]; /* of TURN_LEAVE, in turns: one is being looked at */
    uint32_t left_count;
    uint32_t out_count;
    struct turn_relay
        *closed; /* given by the last TURN_CLOSE: its number is free at the next poll */
    uint8_t scratch[TURN_SCRATCH_SIZE];
};

#endif
