#include "net.h"

#include "process.h"
#include "shell/sockaddr.h"
#include "shell/udp.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define SLOT_SIZE     (65536 + 320) /* any datagram; and slots don't share places in caches */
#define CONTROL_SIZE  256
#define FIRST_HOST    257 /* 10.77.1.1: what is below is the server's */
#define SOCKET_SIZE   (64 * 1024 * 1024)
#define DATAGRAM_COPY 2048 /* what udp_put copies */

static void set(int fd, int level, int name, int value)
{
    if (setsockopt(fd, level, name, &value, sizeof value) != 0)
        fail("setsockopt");
}

void net_open(struct net *net)
{
    int size = SOCKET_SIZE;
    struct sockaddr_in name = { .sin_family = AF_INET };
    socklen_t name_size = sizeof name;
    net->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (net->fd < 0 || bind(net->fd, (struct sockaddr *)&name, sizeof name) != 0 ||
        getsockname(net->fd, (struct sockaddr *)&name, &name_size) != 0)
        fail("socket");
    net->port = ntohs(name.sin_port);
    set(net->fd, IPPROTO_IP, IP_PKTINFO, 1);
    set(net->fd, IPPROTO_UDP, UDP_GRO, 1);
    set(net->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    if (setsockopt(net->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        set(net->fd, SOL_SOCKET, SO_RCVBUF, size);
    net->slots = malloc((size_t)NET_MESSAGES * SLOT_SIZE);
    net->queue = calloc(1, sizeof *net->queue);
    if (!net->slots || !net->queue)
        fail("memory");
    net->queue->is_plain = true;
}

void net_close(struct net *net)
{
    close(net->fd);
    free(net->slots);
    free(net->queue);
}

struct address net_address(const struct net *net, uint32_t host)
{
    assert(host < NET_HOSTS);
    uint32_t number = host + FIRST_HOST;
    return (struct address){ .family = ADDRESS_IPV4,
                             .bytes = { 10, 77, (uint8_t)(number >> 8), (uint8_t)number },
                             .port = net->port };
}

/* ---- in ---- */

static void read_control(struct msghdr *header, struct net_received *out)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            int segment;
            memcpy(&segment, CMSG_DATA(c), sizeof segment);
            out->segment = segment > 0 ? (size_t)segment : out->bytes.size;
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            out->host = (ntohl(info.ipi_addr.s_addr) & 0xffff) - FIRST_HOST;
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec at;
            memcpy(&at, CMSG_DATA(c), sizeof at);
            out->at_ns = (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
        }
    }
}

unsigned net_receive(struct net *net, struct net_received out[NET_MESSAGES])
{
    struct mmsghdr messages[NET_MESSAGES];
    struct iovec vectors[NET_MESSAGES];
    struct sockaddr_storage names[NET_MESSAGES];
    _Alignas(struct cmsghdr) uint8_t control[NET_MESSAGES][CONTROL_SIZE];
    for (unsigned i = 0; i < NET_MESSAGES; i++) {
        vectors[i] = (struct iovec){ net->slots + (size_t)i * SLOT_SIZE, SLOT_SIZE };
        messages[i].msg_hdr = (struct msghdr){ .msg_name = &names[i],
                                               .msg_namelen = sizeof names[i],
                                               .msg_iov = &vectors[i],
                                               .msg_iovlen = 1,
                                               .msg_control = control[i],
                                               .msg_controllen = CONTROL_SIZE };
    }
    int got = recvmmsg(net->fd, messages, NET_MESSAGES, MSG_DONTWAIT, NULL);
    for (int i = 0; i < got; i++) {
        size_t size = messages[i].msg_len;
        out[i] = (struct net_received){ .bytes = { vectors[i].iov_base, size },
                                        .segment = size,
                                        .host = NET_HOSTS };
        sockaddr_read(&names[i], &out[i].from);
        read_control(&messages[i].msg_hdr, &out[i]);
    }
    return got > 0 ? (unsigned)got : 0;
}

/* ---- out ---- */

void net_send(struct net *net, uint32_t host, const struct address *to, struct view bytes)
{
    struct address source = net_address(net, host);
    assert(bytes.size <= DATAGRAM_COPY);
    udp_put(net->queue,
            &(struct udp_datagram){ .fd = net->fd, .to = to, .source = &source, .header = bytes });
}

void net_flush(struct net *net)
{
    udp_flush(net->queue);
}

uint64_t net_now_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}
