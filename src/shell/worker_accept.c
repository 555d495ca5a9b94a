/* What comes in: connections and datagrams. */
#include "shell/sockaddr.h"
#include "shell/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define ACCEPTS_MAX   64 /* of one listener in a row */
#define DATAGRAMS_MAX 32
#define DATAGRAM_SIZE 1500
#define CONTROL_SIZE  64
#define REST_TIME     (100 * USEC_MS)

static int open_reserve(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void watch_listeners(struct worker *worker, uint32_t events)
{
    for (uint32_t i = 0; i < worker->config.listener_count; i++) {
        const struct listener *listener = &worker->config.listeners[i];
        struct epoll_event event = { .events = events, .data.u64 = TAG_LISTENER + i };
        if (!worker_is_datagrams(listener))
            epoll_ctl(worker->epoll, EPOLL_CTL_MOD, listener->fd, &event);
    }
}

/* The system has nothing for one connection more: looks away for a while from those that wait, as
 * they would wake us all the time. */
static void rest(struct worker *worker)
{
    worker->accepts_at = worker->now + REST_TIME;
    watch_listeners(worker, 0);
}

void worker_accept_again(struct worker *worker)
{
    worker->accepts_at = USEC_NEVER;
    if (worker->reserve < 0)
        worker->reserve = open_reserve();
    watch_listeners(worker, EPOLLIN);
}

/* There is no descriptor for one more: takes it with the one in reserve and closes it, so that its
 * sender knows.
 *   OK
 *   ERR_AGAIN  nobody waits.
 *   ERR_LIMIT  another thread was quicker to take the descriptor. */
static int turn_away(struct worker *worker, int listener)
{
    if (worker->reserve >= 0)
        close(worker->reserve);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    int reason = errno;
    if (fd >= 0)
        close(fd);
    worker->reserve = open_reserve();
    if (fd < 0)
        return reason == EAGAIN ? ERR_AGAIN : ERR_LIMIT;
    metrics_add(worker->metrics, METRIC_CONNECTIONS_REFUSED, 1);
    return OK;
}

static enum stream_kind stream_kind_of(enum listener_kind kind)
{
    return kind == LISTENER_HTTP || kind == LISTENER_HTTPS ? STREAM_HTTP
           : kind == LISTENER_RTC_TCP                      ? STREAM_RTC
                                                           : STREAM_STUN;
}

static void welcome(struct worker *worker, enum listener_kind kind, int fd,
                    const struct sockaddr_storage *name)
{
    struct connection connection = { .fd = fd };
    struct stream_origin origin = {
        .kind = stream_kind_of(kind),
        .secure = kind == LISTENER_HTTPS || kind == LISTENER_STUN_TLS,
    };
    struct sockaddr_storage local = { .ss_family = AF_UNSPEC };
    socklen_t local_size = sizeof local;
    sockaddr_read(name, &origin.peer);
    bool wants_local = worker->relays.items || kind == LISTENER_RTC_TCP;
    if (wants_local && getsockname(fd, (struct sockaddr *)&local, &local_size) == 0)
        sockaddr_read(&local, &origin.local);
    if (origin.secure && connection_secure(&connection, worker->config.tls) != OK) {
        metrics_add(worker->metrics, METRIC_CONNECTIONS_REFUSED, 1);
        connection_close(&connection);
        return;
    }
    worker_add_peer(worker, &connection, &origin);
}

/* Takes the next that waits.  ERR_AGAIN: nobody does.  ERR_LIMIT: the system can't give it. */
static int accept_one(struct worker *worker, const struct listener *listener)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    int fd = accept4(listener->fd, (struct sockaddr *)&name, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        welcome(worker, listener->kind, fd, &name);
        return OK;
    }
    if (errno == EMFILE || errno == ENFILE)
        return turn_away(worker, listener->fd);
    if (errno == ECONNABORTED || errno == EINTR)
        return OK;
    return errno == EAGAIN ? ERR_AGAIN : ERR_LIMIT;
}

static void accept_connections(struct worker *worker, const struct listener *listener)
{
    int status = OK;
    for (int i = 0; i < ACCEPTS_MAX && status == OK; i++)
        status = accept_one(worker, listener);
    if (status == ERR_LIMIT)
        rest(worker);
}

/* What recvmmsg and sendmmsg fill in and read, for one turn. */
struct datagrams {
    struct mmsghdr messages[DATAGRAMS_MAX];
    struct iovec vectors[DATAGRAMS_MAX];
    struct sockaddr_storage names[DATAGRAMS_MAX];
    _Alignas(struct cmsghdr) uint8_t control[DATAGRAMS_MAX][CONTROL_SIZE];
    uint8_t bytes[DATAGRAMS_MAX][DATAGRAM_SIZE];
};

static int receive(int fd, struct datagrams *all)
{
    for (size_t i = 0; i < DATAGRAMS_MAX; i++) {
        all->vectors[i] = (struct iovec){ all->bytes[i], DATAGRAM_SIZE };
        all->messages[i].msg_hdr = (struct msghdr){
            .msg_name = &all->names[i],
            .msg_namelen = sizeof all->names[i],
            .msg_iov = &all->vectors[i],
            .msg_iovlen = 1,
            .msg_control = all->control[i],
            .msg_controllen = CONTROL_SIZE,
        };
    }
    return recvmmsg(fd, all->messages, DATAGRAMS_MAX, MSG_DONTWAIT, NULL);
}

/* The address to which a datagram was sent, as the control message that says it for its answer;
 * gives its size, 0 when there is none. */
static size_t write_source(struct msghdr *received, uint8_t out[CONTROL_SIZE])
{
    struct msghdr answer = { .msg_control = out, .msg_controllen = CONTROL_SIZE };
    memset(out, 0, CONTROL_SIZE);
    struct cmsghdr *header = CMSG_FIRSTHDR(&answer);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(received); c; c = CMSG_NXTHDR(received, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            info.ipi_spec_dst = info.ipi_addr;
            info.ipi_ifindex = 0;
            *header = (struct cmsghdr){ .cmsg_level = IPPROTO_IP,
                                        .cmsg_type = IP_PKTINFO,
                                        .cmsg_len = CMSG_LEN(sizeof info) };
            memcpy(CMSG_DATA(header), &info, sizeof info);
            return CMSG_SPACE(sizeof info);
        }
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            *header = (struct cmsghdr){ .cmsg_level = IPPROTO_IPV6,
                                        .cmsg_type = IPV6_PKTINFO,
                                        .cmsg_len = CMSG_LEN(sizeof info) };
            memcpy(CMSG_DATA(header), &info, sizeof info);
            return CMSG_SPACE(sizeof info);
        }
    }
    return 0;
}

/* Turns message `from` into its answer at place `to`; false when there is none. */
static bool answer_datagram(struct worker *worker, struct datagrams *all, size_t from, size_t to)
{
    uint8_t control[CONTROL_SIZE];
    uint8_t answer[SERVER_DATAGRAM_MAX];
    struct address peer;
    struct msghdr *received = &all->messages[from].msg_hdr;
    sockaddr_read(&all->names[from], &peer);
    size_t size = server_datagram(worker->server, worker->now, &peer,
                                  view_make(all->bytes[from], all->messages[from].msg_len), answer);
    if (size == 0 || peer.family == ADDRESS_NONE || received->msg_flags & MSG_TRUNC)
        return false;
    size_t control_size = write_source(received, control);
    socklen_t name_size = received->msg_namelen;

    memcpy(all->bytes[to], answer, size);
    memcpy(all->control[to], control, control_size);
    all->names[to] = all->names[from];
    all->vectors[to] = (struct iovec){ all->bytes[to], size };
    all->messages[to].msg_hdr = (struct msghdr){
        .msg_name = &all->names[to],
        .msg_namelen = name_size,
        .msg_iov = &all->vectors[to],
        .msg_iovlen = 1,
        .msg_control = control_size ? all->control[to] : NULL,
        .msg_controllen = control_size,
    };
    return true;
}

static void answer_datagrams(struct worker *worker, int fd)
{
    struct datagrams all;
    int count = receive(fd, &all);
    unsigned answers = 0;
    for (int i = 0; i < count; i++)
        if (answer_datagram(worker, &all, (size_t)i, answers))
            answers++;
    for (unsigned sent = 0; sent < answers;) {
        int step = sendmmsg(fd, all.messages + sent, answers - sent, MSG_DONTWAIT);
        if (step < 0 && (errno == EAGAIN || errno == ENOBUFS))
            return;                            /* as if the network had lost them */
        sent += step > 0 ? (unsigned)step : 1; /* one that can't be sent is left out */
    }
}

void worker_listener_ready(struct worker *worker, const struct listener *listener)
{
    if (listener->kind == LISTENER_RTC_UDP)
        worker_media_ready(worker, listener);
    else if (worker_is_datagrams(listener) && worker->relays.items)
        worker_datagrams_ready(worker, listener);
    else if (listener->kind == LISTENER_STUN_UDP)
        answer_datagrams(worker, listener->fd);
    else
        accept_connections(worker, listener);
}

const struct listener *worker_listener_at(const struct worker *worker, const struct address *at)
{
    for (uint32_t i = 0; i < worker->config.listener_count; i++) {
        const struct listener *listener = &worker->config.listeners[i];
        if (listener->kind == LISTENER_STUN_UDP && address_equal(&listener->bound, at))
            return listener;
    }
    return NULL;
}
