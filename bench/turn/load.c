/* load.c - the client side of bench/turn for large counts: many allocations, and the peer that
 * sends everything back, in one thread.
 *
 *     load TRANSPORT PORT PID CLIENTS RATE SECONDS [SIZE [BURST [PEERS]]]
 *
 * TRANSPORT is udp, tcp or tls, or bare for the forwarder of floor.c (whose peer is the next port).
 * RATE is of all clients together, in messages a second that go up; as many come down.  BURST of
 * them go out of one client in a row.  PEERS is echo (ourselves), or relays: then the peer of each
 * client is the relay of another client of the same server.
 *
 * Prints one line: what was measured of the server's process (PID), from /proc, while the load was
 * on: the CPU time of a relayed packet, and the memory that an allocation took, at rest and under
 * load.
 */
#include "client.h"
#include "process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP_S   1.0
#define DRAIN_S     0.5
#define TURN_NS     1000000 /* between two looks at what is due */
#define ECHO_MAX    64
#define SOCKET_SIZE (8 * 1024 * 1024)

static struct client *clients;
static unsigned client_count;
static int epoll_fd;
static int peer_fd;
static uint64_t sent;
static uint64_t received;

/* ---- the peer ---- */

struct echo {
    struct mmsghdr messages[ECHO_MAX];
    struct sockaddr_in names[ECHO_MAX];
    struct iovec vectors[ECHO_MAX];
    uint8_t bytes[ECHO_MAX][CLIENT_MESSAGE_MAX];
};

static void send_back(void)
{
    static struct echo echo;
    int count;
    do {
        for (unsigned i = 0; i < ECHO_MAX; i++) {
            echo.vectors[i] = (struct iovec){ echo.bytes[i], CLIENT_MESSAGE_MAX };
            echo.messages[i].msg_hdr = (struct msghdr){ .msg_name = &echo.names[i],
                                                        .msg_namelen = sizeof echo.names[i],
                                                        .msg_iov = &echo.vectors[i],
                                                        .msg_iovlen = 1 };
        }
        count = recvmmsg(peer_fd, echo.messages, ECHO_MAX, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++)
            echo.vectors[i].iov_len = echo.messages[i].msg_len;
        for (int i = 0; i < count;) {
            int step = sendmmsg(peer_fd, echo.messages + i, (unsigned)(count - i), 0);
            i += step > 0 ? step : 1;
        }
    } while (count == ECHO_MAX);
}

/* Gives the address that the peer is at. */
static struct address start_peer(uint16_t port)
{
    int size = SOCKET_SIZE;
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };
    socklen_t name_size = sizeof name;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer_fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (peer_fd < 0 || bind(peer_fd, (struct sockaddr *)&name, sizeof name) != 0 ||
        getsockname(peer_fd, (struct sockaddr *)&name, &name_size) != 0)
        fail("peer");
    setsockopt(peer_fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    return (struct address){ .family = ADDRESS_IPV4,
                             .bytes = { 127, 0, 0, 1 },
                             .port = ntohs(name.sin_port) };
}

/* ---- the clients ---- */

static struct ssl_ctx_st *tls_context(void)
{
    struct ssl_ctx_st *tls = SSL_CTX_new(TLS_client_method());
    if (!tls)
        fail("TLS");
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return tls;
}

static enum client_transport transport_of(const char *name)
{
    static const char *const NAMES[] = {
        [OVER_NOTHING] = "bare", [OVER_UDP] = "udp", [OVER_TCP] = "tcp", [OVER_TLS] = "tls"
    };
    for (int i = OVER_NOTHING; i <= OVER_TLS; i++)
        if (strcmp(name, NAMES[i]) == 0)
            return (enum client_transport)i;
    fail(name);
}

static void open_all(const struct client_goal *goal, const struct address *peer)
{
    for (unsigned i = 0; i < client_count; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
        client_open(&clients[i], i, goal);
        if (peer)
            client_bind(&clients[i], goal, peer);
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, clients[i].fd, &event) != 0)
            fail("epoll");
    }
}

static void bind_pairs(const struct client_goal *goal)
{
    for (unsigned i = 0; i < client_count; i++)
        client_bind(&clients[i], goal, &clients[i ^ 1].relayed);
}

static void receive_all(void)
{
    struct epoll_event events[256];
    int count;
    do {
        count = epoll_wait(epoll_fd, events, 256, 0);
        for (int i = 0; i < count; i++) {
            struct client *client = &clients[events[i].data.u32];
            uint64_t before = client->received;
            client_receive(client);
            received += client->received - before;
        }
    } while (count == 256);
}

/* Sends what is due, every millisecond; what comes is read in the same rhythm.  So nothing that a
 * server sends wakes us, which would be counted as the server's time. */
static void load_for(double seconds, double rate, size_t size, unsigned burst)
{
    static unsigned next;
    const struct timespec pause = { .tv_nsec = TURN_NS };
    double begin = now_s();
    uint64_t gone = 0;
    for (double now = begin; now < begin + seconds; now = now_s()) {
        for (; (double)gone < (now - begin) * rate; gone += burst) {
            for (unsigned i = 0; i < burst; i++)
                client_send(&clients[next], size);
            sent += burst;
            next = (next + 1) % client_count;
        }
        send_back();
        receive_all();
        nanosleep(&pause, NULL);
    }
}

int main(int argc, char **argv)
{
    if (argc < 7) {
        fprintf(stderr, "load udp|tcp|tls|bare PORT PID CLIENTS RATE SECONDS [SIZE [BURST "
                        "[echo|relays]]]\n");
        return 2;
    }
    struct client_goal goal = { .transport = transport_of(argv[1]),
                                .port = (uint16_t)strtoul(argv[2], NULL, 10),
                                .name = "bench",
                                .password = "secret",
                                .tls = tls_context() };
    int pid = (int)strtol(argv[3], NULL, 10);
    double rate = strtod(argv[5], NULL);
    double seconds = strtod(argv[6], NULL);
    size_t size = argc > 7 ? strtoul(argv[7], NULL, 10) : 200;
    unsigned burst = argc > 8 ? (unsigned)strtoul(argv[8], NULL, 10) : 1;
    bool is_pairs = argc > 9 && strcmp(argv[9], "relays") == 0;
    client_count = (unsigned)strtoul(argv[4], NULL, 10);
    clients = calloc(client_count, sizeof *clients);
    epoll_fd = epoll_create1(0);
    if (!client_count || !clients || epoll_fd < 0 || !burst || (is_pairs && client_count % 2))
        fail("start");
    struct address peer =
        start_peer(goal.transport == OVER_NOTHING ? (uint16_t)(goal.port + 1) : 0);
    double before_kib = resident_kib(pid);
    open_all(&goal, is_pairs ? NULL : &peer);
    if (is_pairs)
        bind_pairs(&goal);
    double idle_kib = resident_kib(pid);
    load_for(WARM_UP_S, rate, size, burst);
    uint64_t sent_before = sent;
    uint64_t received_before = received;
    double cpu = cpu_s(pid);
    double wall = now_s();
    load_for(seconds, rate, size, burst);
    cpu = cpu_s(pid) - cpu;
    wall = now_s() - wall;
    double packets = (double)(sent - sent_before + received - received_before);
    double busy_kib = resident_kib(pid);
    load_for(DRAIN_S, 0, size, burst);
    printf("cpu_us=%.2f per_s=%.0f busy=%.0f%% lost=%lld kib_idle=%.1f kib_busy=%.1f\n",
           cpu / packets * 1e6, packets / wall, cpu / wall * 100, (long long)(sent - received),
           (idle_kib - before_kib) / client_count, (busy_kib - before_kib) / client_count);
    return 0;
}
