#include "shell/listen.h"

#include "shell/sockaddr.h"
#include "shell/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define UDP_BUFFER_SIZE   (1024 * 1024)
#define MEDIA_BUFFER_SIZE (4 * 1024 * 1024) /* a quarter of a second of 100 Mbit/s and more */
#define MEDIA_STREAM_SIZE (128 * 1024)      /* what waits longer in there comes too late */

/* A peer that vanished without a word is asked for after so many seconds, again in so many, so many
 * times: a request that is held for hours ends then. */
#define KEEPALIVE_IDLE  60
#define KEEPALIVE_EACH  15
#define KEEPALIVE_COUNT 4

static int set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value);
}

static int fail(int fd)
{
    int reason = errno;
    if (fd >= 0)
        close(fd);
    errno = reason;
    return ERR_IO;
}

static int open_socket(const struct address *address, enum listen_transport transport)
{
    int domain = address->family == ADDRESS_IPV4 ? AF_INET : AF_INET6;
    int type = transport == LISTEN_TCP ? SOCK_STREAM : SOCK_DGRAM;
    int fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && domain == AF_INET6)
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    /* connections of the last run that are still closing don't count */
    if (fd >= 0 && transport == LISTEN_TCP)
        set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    return fd;
}

static int bind_to(int fd, const struct address *address)
{
    struct sockaddr_storage name;
    socklen_t size = sockaddr_from(address, &name);
    return bind(fd, (struct sockaddr *)&name, size);
}

int listen_probe(const struct address *address, enum listen_transport transport)
{
    int fd = open_socket(address, transport);
    if (fd < 0 || bind_to(fd, address) != 0)
        return fail(fd);
    close(fd);
    return OK;
}

/* Where a datagram was sent to is where its answer comes from.  What is bound to one address needs
 * not be told, and each message is cheaper without. */
static void ask_for_destination(int fd, const struct address *address)
{
    if (!address_is_unspecified(address))
        return;
    if (address->family == ADDRESS_IPV4)
        set(fd, IPPROTO_IP, IP_PKTINFO, 1);
    else
        set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

/* Accepted sockets inherit it all. */
static void set_stream_options(int fd)
{
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE);
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_EACH);
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
}

static int wait_for_streams(int fd)
{
    set_stream_options(fd);
    return listen(fd, SOMAXCONN);
}

/* As much as asked for if we may, else as much as everybody may. */
static void set_buffer(int fd, int name, int forced)
{
    if (set(fd, SOL_SOCKET, forced, MEDIA_BUFFER_SIZE) != 0)
        set(fd, SOL_SOCKET, name, MEDIA_BUFFER_SIZE);
}

/* DF is on, and no ICMP message of strangers makes packets smaller. */
static void set_media_options(int fd, const struct address *address)
{
    if (address->family == ADDRESS_IPV4)
        set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
    else
        set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
    ask_for_destination(fd, address);
    udp_accept_runs(fd);
    set_buffer(fd, SO_RCVBUF, SO_RCVBUFFORCE);
    set_buffer(fd, SO_SNDBUF, SO_SNDBUFFORCE);
}

int listen_open_own(const struct address *address, enum listen_transport transport, int *out)
{
    int fd = open_socket(address, transport);
    if (fd < 0 || bind_to(fd, address) != 0)
        return fail(fd);
    if (transport == LISTEN_UDP) {
        set_media_options(fd, address);
    } else {
        set(fd, SOL_SOCKET, SO_SNDBUF, MEDIA_STREAM_SIZE);
        if (wait_for_streams(fd) != 0)
            return fail(fd);
    }
    *out = fd;
    return OK;
}

int listen_open(const struct address *address, enum listen_transport transport, int *out)
{
    int fd = open_socket(address, transport);
    if (fd < 0 || set(fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0 || bind_to(fd, address) != 0)
        return fail(fd);
    if (transport == LISTEN_UDP) {
        ask_for_destination(fd, address);
        set(fd, SOL_SOCKET, SO_RCVBUF, UDP_BUFFER_SIZE);
        set(fd, SOL_SOCKET, SO_SNDBUF, UDP_BUFFER_SIZE);
    } else if (wait_for_streams(fd) != 0) {
        return fail(fd);
    }
    *out = fd;
    return OK;
}

uint16_t listen_port(int fd)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    struct address address;
    if (getsockname(fd, (struct sockaddr *)&name, &size) != 0)
        return 0;
    sockaddr_read(&name, &address);
    return address.port;
}
