/* net.h - thousands of clients on one UDP socket: each has an address of its own in 10.77.0.0/16,
 * and all have one port (bench/sfu/network gives us these addresses).  So what comes for all of
 * them is read with a few calls, and the load is cheaper than the server that it is put on.
 *
 * When a datagram came is told by the kernel: how busy we are is not in the delays that we measure.
 */
#ifndef MOIM_BENCH_SFU_NET_H
#define MOIM_BENCH_SFU_NET_H

#include "base/address.h"

#define NET_MESSAGES 64
#define NET_HOSTS    65000

struct udp_queue;

struct net {
    int fd;
    uint16_t port;
    uint8_t *slots; /* NET_MESSAGES of them */
    struct udp_queue *queue;
};

/* One datagram, or several of one sender and equal size (but the last) behind one another. */
struct net_received {
    struct span bytes;
    size_t segment;
    uint32_t host; /* whom it is for */
    struct address from;
    uint64_t at_ns; /* of the day's clock */
};

/* Ends the program when there is no socket. */
void net_open(struct net *net);
void net_close(struct net *net);

/* The address of a host below NET_HOSTS. */
struct address net_address(const struct net *net, uint32_t host);

/* What waits, up to NET_MESSAGES; valid until the next call. */
unsigned net_receive(struct net *net, struct net_received out[NET_MESSAGES]);

/* Queues a datagram, which is copied.  Each goes out by itself, as over a network: a server is not
 * to be given runs that no browser would send. */
void net_send(struct net *net, uint32_t host, const struct address *to, struct view bytes);
void net_flush(struct net *net);

/* Nanoseconds of the day's clock. */
uint64_t net_now_ns(void);

#endif
