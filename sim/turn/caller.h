/* caller.h - a TURN client of the simulation: it permits, talks, moves, leaves and vanishes. */
#ifndef MOIM_SIM_TURN_CALLER_H
#define MOIM_SIM_TURN_CALLER_H

#include "net.h"

enum caller_state {
    CALLER_AWAY,   /* has nothing, or so it thinks; begins a new life at next_at */
    CALLER_ASKING, /* a request waits for its answer */
    CALLER_IDLE,   /* has an allocation */
    CALLER_DONE    /* in the calm: heard its echo, or was refused */
};

/* A 5-tuple, and the nonce that it was given. */
struct caller_line {
    struct turn_flow flow;
    size_t nonce_size;
    uint8_t nonce[64];
};

struct caller {
    struct net *net;
    uint32_t number;
    uint32_t life;
    uint8_t state; /* enum caller_state */
    uint8_t transport;
    uint8_t protocol; /* of its relay */
    bool is_mobile;
    bool is_rest;
    bool has_allocation;
    bool is_calm;
    bool is_over;  /* begins nothing any more */
    bool is_fresh; /* in the calm: has refreshed, and bound its channel */
    bool is_bound;
    usec next_at;
    struct caller_line lines[2]; /* the second binds a connection */
    char name[32];
    struct stun_key key;
    uint16_t relay_port;
    bool has_ticket;
    uint8_t ticket[TURN_TICKET_SIZE];
    uint64_t token;         /* 0: none */
    uint32_t connection_id; /* 0: none */
    uint32_t channels;      /* a bit a peer */
    uint32_t number_sent;
    uint64_t echoes;
    /* the request that waits */
    uint16_t method;
    uint8_t line;
    uint8_t peer;
    uint8_t tries;
    uint8_t challenges;
    bool was_calm; /* when it was asked: time may have jumped since */
    uint64_t transaction_count;
    uint8_t transaction[STUN_TRANSACTION_SIZE];
    uint8_t body[256]; /* its attributes, before it is signed */
    size_t body_size;
    size_t size;
    uint8_t bytes[NET_PACKET_SIZE];
};

void caller_init(struct caller *caller, struct net *net, uint32_t number);
usec caller_next(const struct caller *caller);
/* Does what is due. */
void caller_turn(struct caller *caller);
void caller_hear(struct caller *caller, const struct net_packet *packet);
/* From now on: gets one message through, or is refused for want of room. */
void caller_calm(struct caller *caller);
/* From now on: leaves or vanishes, and begins nothing. */
void caller_finish(struct caller *caller);

#endif
