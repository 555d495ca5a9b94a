/* flood.c - what a flood of strangers does to a TURN server, and to those who are relayed
 * meanwhile.
 *
 *     flood PORT PID REQUESTS CLIENTS RATE [PER_S]
 *
 * CLIENTS allocations send RATE messages a second, all together, to a peer that sends them back.
 * Beside them, from another process, REQUESTS Allocates without credentials come at full speed (or
 * PER_S a second) from all of 127.16.0.0 to 127.255.255.255 and many ports: each from a prefix and
 * an address of its own, as if they were forged.  Their answers do come back here, and are counted.
 * Prints one line of what the server (PID) and its clients had from it.
 */
#include "client.h"
#include "process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOCKETS      64
#define BATCH        64
#define SOCKET_SIZE  (32 * 1024 * 1024)
#define MESSAGE_SIZE 160 /* of the relayed, as of a telephone */
#define CALM_S       1.0 /* before the flood and after it */

/* What the flooding process tells. */
struct tally {
    _Atomic uint64_t requests, request_bytes;
    _Atomic uint64_t answers, answer_bytes;
    _Atomic bool is_done;
};

/* ---- strangers ---- */

struct batch {
    struct mmsghdr messages[BATCH];
    struct iovec vectors[BATCH];
    struct sockaddr_in to;
    uint8_t bytes[BATCH][64];
    _Alignas(struct cmsghdr) uint8_t control[BATCH][CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static int flood_socket(void)
{
    int size = SOCKET_SIZE;
    struct sockaddr_in any = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof any) != 0)
        fail("flood");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return fd;
}

/* An Allocate, as a browser's first one: 28 bytes. */
static size_t write_request(uint8_t out[64], uint64_t number)
{
    uint8_t transaction[STUN_TRANSACTION_SIZE] = { 0 };
    struct stun_writer writer;
    memcpy(transaction, &number, sizeof number);
    stun_begin(&writer, out, 64, STUN_REQUEST, STUN_ALLOCATE, transaction);
    stun_add_protocol(&writer, TURN_UDP);
    return writer.size;
}

/* The addresses in an order that jumps from prefix to prefix. */
static uint32_t source_of(uint64_t number)
{
    uint32_t at = (uint32_t)(number * 2654435761U) % (240U << 16);
    return (UINT32_C(127) << 24) + (UINT32_C(16) << 16) + at;
}

static void fill(struct batch *batch, uint64_t first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct msghdr *header = &batch->messages[i].msg_hdr;
        struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(source_of(first + i)) };
        batch->vectors[i] =
            (struct iovec){ batch->bytes[i], write_request(batch->bytes[i], first + i) };
        *header = (struct msghdr){ .msg_name = &batch->to,
                                   .msg_namelen = sizeof batch->to,
                                   .msg_iov = &batch->vectors[i],
                                   .msg_iovlen = 1,
                                   .msg_control = batch->control[i],
                                   .msg_controllen = sizeof batch->control[i] };
        struct cmsghdr *control = CMSG_FIRSTHDR(header);
        *control = (struct cmsghdr){ .cmsg_level = IPPROTO_IP,
                                     .cmsg_type = IP_PKTINFO,
                                     .cmsg_len = CMSG_LEN(sizeof info) };
        memcpy(CMSG_DATA(control), &info, sizeof info);
    }
}

static void hear(int fd, struct tally *tally)
{
    uint8_t answer[2048];
    ssize_t size;
    while ((size = recv(fd, answer, sizeof answer, MSG_DONTWAIT)) > 0) {
        tally->answers++;
        tally->answer_bytes += (uint64_t)size;
    }
}

static void flood(struct tally *tally, uint16_t port, uint64_t requests, double per_s)
{
    static struct batch batch;
    int fds[SOCKETS];
    double begin = now_s();
    batch.to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
    batch.to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (unsigned i = 0; i < SOCKETS; i++)
        fds[i] = flood_socket();
    for (uint64_t sent = 0; sent < requests;) {
        int fd = fds[sent / BATCH % SOCKETS];
        unsigned count = requests - sent < BATCH ? (unsigned)(requests - sent) : BATCH;
        fill(&batch, sent, count);
        int gone = sendmmsg(fd, batch.messages, count, 0);
        if (gone <= 0)
            fail("sendmmsg");
        sent += (unsigned)gone;
        for (int i = 0; i < gone; i++)
            tally->request_bytes += batch.messages[i].msg_len;
        tally->requests += (unsigned)gone;
        hear(fd, tally);
        while (per_s > 0 && (double)sent > (now_s() - begin) * per_s)
            usleep(200);
    }
    for (unsigned i = 0; i < SOCKETS; i++) {
        struct pollfd wait = { .fd = fds[i], .events = POLLIN };
        while (poll(&wait, 1, i ? 0 : 500) > 0)
            hear(fds[i], tally);
    }
    tally->is_done = true;
}

/* ---- those who are relayed ---- */

static struct client *clients;
static unsigned client_count;
static int peer_fd;

static struct address start_peer(void)
{
    int size = SOCKET_SIZE;
    struct sockaddr_in name = { .sin_family = AF_INET };
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

static uint64_t turn_once(void)
{
    uint8_t bytes[CLIENT_MESSAGE_MAX];
    struct sockaddr_in name;
    socklen_t size = sizeof name;
    uint64_t received = 0;
    ssize_t got;
    while ((got = recvfrom(peer_fd, bytes, sizeof bytes, MSG_DONTWAIT, (struct sockaddr *)&name,
                           &size)) > 0)
        sendto(peer_fd, bytes, (size_t)got, 0, (struct sockaddr *)&name, size);
    for (unsigned i = 0; i < client_count; i++) {
        uint64_t before = clients[i].received;
        client_receive(&clients[i]);
        received += clients[i].received - before;
    }
    return received;
}

/* Until the flood is over, or for so long; gives what was lost. */
static int64_t relay_for(const struct tally *tally, double seconds, double rate, uint64_t *sent_out)
{
    uint64_t sent = 0;
    uint64_t received = 0;
    double begin = now_s();
    for (;;) {
        double passed = now_s() - begin;
        if (tally ? tally->is_done : passed >= seconds)
            break;
        for (; (double)sent < passed * rate; sent++)
            client_send(&clients[sent % client_count], MESSAGE_SIZE);
        received += turn_once();
        usleep(1000);
    }
    for (double end = now_s() + 0.5; now_s() < end; usleep(1000))
        received += turn_once();
    *sent_out = sent;
    return (int64_t)(sent - received);
}

static void *shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        fail("mmap");
    return memory;
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "flood PORT PID REQUESTS CLIENTS RATE [PER_S]\n");
        return 2;
    }
    struct tally *tally = shared(sizeof *tally);
    struct client_goal goal = { .transport = OVER_UDP,
                                .port = (uint16_t)strtoul(argv[1], NULL, 10),
                                .name = "bench",
                                .password = "secret" };
    struct address peer = start_peer();
    int pid = (int)strtol(argv[2], NULL, 10);
    uint64_t requests = strtoull(argv[3], NULL, 10);
    double rate = strtod(argv[5], NULL);
    uint64_t sent;
    client_count = (unsigned)strtoul(argv[4], NULL, 10);
    clients = calloc(client_count, sizeof *clients);
    if (!clients || !client_count)
        fail("start");
    for (unsigned i = 0; i < client_count; i++) {
        client_open(&clients[i], i, &goal);
        client_bind(&clients[i], &goal, &peer);
    }
    int64_t lost_calm = relay_for(NULL, CALM_S, rate, &sent);
    double kib = resident_kib(pid);
    double cpu = cpu_s(pid);
    double wall = now_s();
    pid_t flooder = fork();
    if (flooder == 0) {
        flood(tally, goal.port, requests, argc > 6 ? strtod(argv[6], NULL) : 0);
        _exit(0);
    }
    int64_t lost = relay_for(tally, 0, rate, &sent);
    cpu = cpu_s(pid) - cpu;
    wall = now_s() - wall;
    waitpid(flooder, NULL, 0);
    printf("kib=%.0f cpu_us=%.2f per_s=%.0f answered=%.3f bytes=%.3f lost=%.3f lost_before=%lld\n",
           resident_kib(pid) - kib, cpu * 1e6 / (double)requests, (double)requests / wall,
           (double)tally->answers / (double)tally->requests,
           (double)tally->answer_bytes / (double)tally->request_bytes,
           sent ? (double)lost * 100 / (double)sent : 0, (long long)lost_calm);
    return 0;
}
