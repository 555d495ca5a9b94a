#include "shell/relay.h"

#include "shell/sockaddr.h"
#include "shell/udp.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#define UDP_BUFFER_SIZE (512 * 1024)
#define CONTROL_SIZE    512

static int set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value);
}

void relay_set_dont_fragment(int fd, enum address_family family, bool dont_fragment)
{
    if (family == ADDRESS_IPV4)
        set(fd, IPPROTO_IP, IP_MTU_DISCOVER, dont_fragment ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
    else
        set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
            dont_fragment ? IPV6_PMTUDISC_DO : IPV6_PMTUDISC_DONT);
}

static void set_udp_options(int fd, enum address_family family)
{
    if (family == ADDRESS_IPV4)
        set(fd, IPPROTO_IP, IP_RECVERR, 1);
    else
        set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    udp_accept_runs(fd);
    set(fd, SOL_SOCKET, SO_RCVBUF, UDP_BUFFER_SIZE);
    set(fd, SOL_SOCKET, SO_SNDBUF, UDP_BUFFER_SIZE);
    relay_set_dont_fragment(fd, family, false);
}

static int open_socket(enum address_family family, enum turn_protocol protocol)
{
    int domain = family == ADDRESS_IPV4 ? AF_INET : AF_INET6;
    int type = protocol == TURN_UDP ? SOCK_DGRAM : SOCK_STREAM;
    int fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    if (family == ADDRESS_IPV6)
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (protocol == TURN_UDP) {
        set_udp_options(fd, family);
    } else {
        /* connections go out from the port that listens */
        set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
        set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    }
    return fd;
}

static int bind_to(int fd, const struct address *address)
{
    struct sockaddr_storage name;
    socklen_t size = sockaddr_from(address, &name);
    return bind(fd, (struct sockaddr *)&name, size) == 0 ? OK : ERR_IO;
}

/* Two relays may not listen on one port, though connections out of it may share it: so the port is
 * taken by a socket that shares nothing first. */
static int take_port(int fd, enum turn_protocol protocol, const struct address *address)
{
    if (protocol == TURN_UDP)
        return bind_to(fd, address);
    int probe =
        socket(address->family == ADDRESS_IPV4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return ERR_IO;
    if (address->family == ADDRESS_IPV6)
        set(probe, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    int status = bind_to(probe, address);
    close(probe);
    if (status == OK)
        status = bind_to(fd, address);
    return status == OK && listen(fd, SOMAXCONN) == 0 ? OK : ERR_IO;
}

static uint16_t choose_port(const struct relay_wish *wish)
{
    uint32_t chance;
    uint32_t count = (uint32_t)(wish->port_max - wish->port_min) + 1;
    random_fill(wish->random, &chance, sizeof chance);
    uint32_t port = wish->port_min + chance % count;
    if (wish->even || wish->pair)
        port &= ~1u;
    return (uint16_t)port;
}

/* Both sockets of a pair, or the one, on the given port. */
static int try_port(const struct relay_wish *wish, int fds[2], struct address *local)
{
    struct address next = *local;
    next.port++;
    if (local->port < wish->port_min || (wish->pair && local->port >= wish->port_max))
        return ERR_AGAIN;
    if (take_port(fds[0], wish->protocol, local) != OK)
        return errno == EADDRINUSE ? ERR_AGAIN : ERR_IO;
    if (!wish->pair || take_port(fds[1], wish->protocol, &next) == OK)
        return OK;
    int reason = errno;
    close(fds[0]); /* a bound socket can't be bound elsewhere */
    fds[0] = open_socket((enum address_family)wish->host.family, wish->protocol);
    return fds[0] >= 0 && reason == EADDRINUSE ? ERR_AGAIN : ERR_IO;
}

int relay_open(const struct relay_wish *wish, int fds[2], struct address *local)
{
    enum address_family family = (enum address_family)wish->host.family;
    int status = ERR_IO;
    struct address address = wish->host;
    fds[0] = open_socket(family, wish->protocol);
    fds[1] = wish->pair ? open_socket(family, wish->protocol) : -1;
    if (fds[0] >= 0 && (fds[1] >= 0 || !wish->pair))
        status = ERR_AGAIN;
    for (int i = 0; i < RELAY_TRIES_MAX && status == ERR_AGAIN; i++) {
        address.port = choose_port(wish);
        status = try_port(wish, fds, &address);
    }
    if (status == OK) {
        *local = address;
        return OK;
    }
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return ERR_IO;
}

int relay_connect(const struct address *local, const struct address *peer, int *out)
{
    struct sockaddr_storage name;
    socklen_t size = sockaddr_from(peer, &name);
    int fd = open_socket((enum address_family)local->family, TURN_TCP);
    if (fd < 0)
        return ERR_IO;
    if (bind_to(fd, local) != OK ||
        (connect(fd, (struct sockaddr *)&name, size) != 0 && errno != EINPROGRESS)) {
        close(fd);
        return ERR_IO;
    }
    *out = fd;
    return OK;
}

int relay_connect_result(int fd)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return ERR_IO;
    return error == 0 ? OK : ERR_CLOSED;
}

/* What the kernel refused by itself, since a datagram is too long for the path, is told as the
 * router would tell it. */
static bool read_error(const struct sock_extended_err *error, enum address_family family,
                       struct stun_icmp *icmp)
{
    bool is_too_long = error->ee_origin == SO_EE_ORIGIN_LOCAL && error->ee_errno == EMSGSIZE;
    *icmp = (struct stun_icmp){ .type = error->ee_type, .code = error->ee_code };
    if (is_too_long && family == ADDRESS_IPV4)
        *icmp = (struct stun_icmp){ .type = ICMP_DEST_UNREACH, .code = ICMP_FRAG_NEEDED };
    else if (is_too_long)
        *icmp = (struct stun_icmp){ .type = 2 }; /* ICMPv6: packet too big */
    if (error->ee_errno == EMSGSIZE)
        icmp->data = error->ee_info;
    return is_too_long || error->ee_origin == SO_EE_ORIGIN_ICMP ||
           error->ee_origin == SO_EE_ORIGIN_ICMP6;
}

bool relay_read_icmp(int fd, struct address *peer, struct stun_icmp *icmp)
{
    struct sockaddr_storage name = { .ss_family = AF_UNSPEC };
    _Alignas(struct cmsghdr) uint8_t control[CONTROL_SIZE];
    for (;;) {
        struct msghdr header = {
            .msg_name = &name,
            .msg_namelen = sizeof name,
            .msg_control = control,
            .msg_controllen = sizeof control,
        };
        if (recvmsg(fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            return false;
        sockaddr_read(&name, peer);
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
            struct sock_extended_err error;
            bool is_it = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
                         (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
            if (!is_it || peer->family == ADDRESS_NONE)
                continue;
            memcpy(&error, CMSG_DATA(c), sizeof error);
            if (read_error(&error, (enum address_family)peer->family, icmp))
                return true;
        }
    }
}
