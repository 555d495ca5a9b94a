/* net.h - the simulation of the SFU: time, chance, and a network that loses, doubles and reorders
 * what goes between the media ports and the far ends.
 *
 * Time is virtual and goes in steps; all chance but OpenSSL's comes from the seed.  OpenSSL's is in
 * the bytes of handshakes alone, not in how many datagrams they are.
 */
#ifndef MOIM_SIM_SFU_NET_H
#define MOIM_SIM_SFU_NET_H

#include "agent/rtc.h"
#include "chance.h"

#define NET_STEP        (10 * USEC_MS)
#define NET_FARS_MAX    6
#define NET_DELAYS_MAX  64 /* steps */
#define NET_PACKETS_MAX 2048

struct net_packet {
    struct net_packet *next;
    struct ice_flow flow; /* as the port sees it */
    uint8_t whom;         /* which far end */
    bool is_to_port;
    uint32_t run; /* what net.run was */
    uint16_t size;
    uint8_t bytes[RTC_PACKET_MAX];
};

struct net {
    struct chance chance;
    usec now;
    uint64_t step;
    uint32_t loss, doubles;        /* of a hundred */
    uint32_t delay;                /* steps, at most */
    uint32_t slow[NET_FARS_MAX];   /* more loss, on the way to these */
    usec dead_until[NET_FARS_MAX]; /* nothing goes through to and from these */
    usec orphan_at[NET_FARS_MAX];  /* inside.c's; 0: none */
    uint32_t
        run; /* of one packet: which run of its stream it is of, within which nothing is left out
                     or put in; to be set before it is sent, and there again when it is taken */
    struct net_packet *free;
    struct net_packet *first[NET_DELAYS_MAX], **last[NET_DELAYS_MAX]; /* by when they arrive */
    struct net_packet packets[NET_PACKETS_MAX];
};

void net_init(struct net *net, uint64_t seed);
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

void net_send(struct net *net, unsigned whom, bool is_to_port, const struct ice_flow *flow,
              struct view bytes);
/* Time goes on by a step. */
void net_go_on(struct net *net);
/* What arrives now, one by one; NULL: nothing more.  To be given back. */
struct net_packet *net_take(struct net *net);
void net_give(struct net *net, struct net_packet *packet);

#endif
