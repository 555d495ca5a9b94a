/* net.h - the simulation of a TURN agent: a network that loses, doubles and reorders, a machine
 * whose ports run out, peers that send everything back, and what must hold for every packet.
 *
 * Time is virtual, and all chance comes from the seed: the same seed runs the same way.
 *
 * Clients are told apart by their addresses (1.2.NUMBER.1) and their lives by their ports: who has
 * vanished comes back on a new port, as does who moves, and the net remembers whose port is which.
 */
#ifndef MOIM_SIM_TURN_NET_H
#define MOIM_SIM_TURN_NET_H

#include "agent/turn.h"
#include "chance.h"

#define NET_CLIENTS_MAX 12
#define NET_PEERS       5         /* the last of them nobody ever permits */
#define NET_OWN         NET_PEERS /* the host of the relays: other clients are there */
#define NET_HOSTS       (NET_PEERS + 1)
#define NET_RELAYS_MAX  40
#define NET_PACKETS_MAX 4096
#define NET_PACKET_SIZE 640
#define NET_PORTS_MAX   32 /* that a client had lately */
#define NET_LIVES       4
#define NET_CHANNEL     0x4000 /* + the peer's number */
#define NET_REALM       "sim"
#define NET_SECRET      "north"

enum net_kind {
    NET_FREE,
    NET_TO_SERVER,
    NET_TO_CLIENT,
    NET_TO_PEER,
    NET_FROM_PEER,
    NET_OPENED,   /* the answer to TURN_OPEN */
    NET_CONNECTED /* the answer to TURN_CONNECT */
};

struct net_packet {
    uint8_t kind; /* enum net_kind */
    usec at;
    uint64_t order;
    struct turn_flow flow;
    struct address from, to;
    uint32_t relay;
    uint32_t next; /* NET_OPENED */
    uint32_t serial;
    bool even;
    bool is_forged; /* somebody else's, in a client's name */
    uint8_t peer;
    size_t size;
    uint8_t bytes[NET_PACKET_SIZE];
};

enum net_relay_state { RELAY_FREE, RELAY_ASKED, RELAY_OPEN, RELAY_CONNECTING, RELAY_CONNECTED };

struct net_relay {
    uint8_t state;    /* enum net_relay_state */
    uint8_t protocol; /* enum turn_protocol; of connections 0 */
    bool is_spliced;
    uint32_t serial; /* of its life: numbers are used again */
    struct address relayed;
    struct turn_flow spliced;
};

/* What requests that were delivered may have permitted at most: whatever became of them. */
struct net_permissions {
    uint32_t life;
    usec permitted_until[NET_HOSTS];
    usec bound_until[NET_HOSTS];
};

struct net_client {
    uint16_t ports[NET_PORTS_MAX];
    uint32_t lives[NET_PORTS_MAX]; /* of the ports */
    uint32_t port_count;
    struct net_permissions permissions[NET_LIVES];
    uint32_t relay_life; /* in which it was told of this relay: */
    uint16_t relay_port;
};

/* What a relayed message carries, up and back. */
struct net_data {
    uint32_t client;
    uint32_t life;
    uint32_t peer;
    uint32_t number;
    uint32_t relay_port; /* the client's, as it knows it; 0: from a peer that nobody asked */
    uint32_t to_port;    /* of another client's relay; 0: to a peer */
    uint32_t sum;        /* of the others */
};

struct net {
    struct chance chance;
    usec now;
    struct turn turn;
    struct turn_config config;
    struct turn_policy policy;
    struct metrics metrics;
    struct random random;
    usec until;             /* the agent's */
    int64_t unix_shift;     /* by which the server's time of day is wrong */
    uint32_t loss, doubles; /* of a hundred */
    uint32_t latency_ms_max;
    uint32_t ports_max; /* that can be open at once */
    uint32_t ports_open;
    uint16_t port;
    uint16_t client_port;
    uint64_t order;
    uint32_t serial;
    struct net_client clients[NET_CLIENTS_MAX];
    struct net_relay relays[NET_RELAYS_MAX];
    struct net_packet packets[NET_PACKETS_MAX];
    uint32_t packet_top;              /* those from here on were never used */
    const struct net_packet *feeding; /* NULL: nothing of a client's */
    /* to the clients */
    void (*hear)(void *context, const struct net_packet *packet);
    void *context;
    /* what happened */
    uint64_t relayed, came_back, met, refused, moved, spliced, shortages;
};

void net_init(struct net *net, uint64_t seed);
void net_free(struct net *net);

static inline uint32_t net_pick(struct net *net, uint32_t bound)
{
    return chance_pick(&net->chance, bound);
}

static inline bool net_chance(struct net *net, uint32_t percent)
{
    return chance_of(&net->chance, percent);
}

/* What must not be has been. */
#define net_fail(net, ...) chance_fail(&(net)->chance, (net)->now, __VA_ARGS__)

/* The true time of day, in seconds since 1970. */
uint64_t net_unix_s(const struct net *net);

struct address net_peer_address(uint32_t peer);
struct address net_relay_address(uint16_t port);
/* A flow of the client from a new port, in that life of it. */
struct turn_flow net_new_flow(struct net *net, uint32_t client, uint32_t life, uint8_t transport);

/* A datagram, or, on a stream, a whole message. */
void net_send(struct net *net, const struct turn_flow *flow, struct view bytes);
/* The client's stream ends. */
void net_hang_up(struct net *net, const struct turn_flow *flow);
/* The same of somebody else, who has forged the client's address. */
void net_forge(struct net *net, const struct turn_flow *flow, struct view bytes);
/* A peer that nobody may have asked sends to an open relay, or connects to it. */
void net_disturb(struct net *net);
/* The server's clock is set to something else; or right, with 0. */
void net_set_clock(struct net *net, int64_t shift);

/* Time jumps, as when a machine has slept, and what is under way by UDP is lost: an Allocate that
 * came out of the network after its own allocation has expired would make another. */
void net_sleep(struct net *net, usec time);

struct net_data net_data_make(uint32_t client, uint32_t life, uint32_t peer, uint32_t number,
                              uint32_t relay_port, uint32_t to_port);

/* When net_turn has something to do. */
usec net_next(const struct net *net);
/* Does all that is due now. */
void net_turn(struct net *net);
/* Quotas and limits, as the agent reports them. */
void net_check_limits(struct net *net);
/* That nothing is left, when nobody has anything any more. */
void net_check_empty(struct net *net);

#endif
