/* floor.c - what a relay costs before it does anything: datagrams go from clients to a socket for
 * each of them, on to the peer, and back, with as few system calls as there can be, and no protocol
 * but the four bytes that ChannelData has in front.
 *
 *     floor PORT RELAYS [PAUSE_US]
 *
 * Clients come to 127.0.0.1:PORT; the peer is on the next port.  Every new client address gets the
 * next relay.  PAUSE_US is slept after each turn, so that the next one finds more.  It is for
 * bench/turn/run alone: nothing is checked, nothing is ever given back.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH        64
#define EVENTS       256
#define DATAGRAM_MAX 2048
#define HEADER       4
#define HOSTS        256 /* clients are told apart by their last byte and their port */
#define PORTS        65536
#define BUFFER       (512 * 1024)

struct batch {
    struct mmsghdr messages[BATCH];
    struct sockaddr_in names[BATCH];
    struct iovec vectors[BATCH];
    uint8_t bytes[BATCH][HEADER + DATAGRAM_MAX];
};

static struct batch up, down;
static unsigned down_count;
static int listener;
static struct sockaddr_in peer;
static int *relays;
static struct sockaddr_in *clients; /* of each relay */
static unsigned relay_max, relay_count;
static uint32_t (*relay_of)[PORTS]; /* + 1; 0: none yet */

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int open_socket(uint16_t port)
{
    int size = BUFFER;
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof name) != 0)
        fail("socket");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return fd;
}

static void prepare(struct batch *batch, unsigned i, size_t skip)
{
    batch->vectors[i] = (struct iovec){ batch->bytes[i] + skip, DATAGRAM_MAX };
    batch->messages[i].msg_hdr = (struct msghdr){ .msg_name = &batch->names[i],
                                                  .msg_namelen = sizeof batch->names[i],
                                                  .msg_iov = &batch->vectors[i],
                                                  .msg_iovlen = 1 };
}

static void send_all(int fd, struct mmsghdr *messages, unsigned count)
{
    for (unsigned i = 0; i < count;) {
        int step = sendmmsg(fd, messages + i, count - i, MSG_DONTWAIT);
        i += step > 0 ? (unsigned)step : 1;
    }
}

static void flush_down(void)
{
    send_all(listener, down.messages, down_count);
    down_count = 0;
}

/* The client's relay, + 1; 0: there are no more. */
static uint32_t find_relay(const struct sockaddr_in *client)
{
    uint32_t *relay = &relay_of[ntohl(client->sin_addr.s_addr) % HOSTS][ntohs(client->sin_port)];
    if (*relay || relay_count == relay_max)
        return *relay;
    clients[relay_count] = *client;
    *relay = ++relay_count;
    return *relay;
}

static void read_clients(void)
{
    int count;
    do {
        for (unsigned i = 0; i < BATCH; i++)
            prepare(&up, i, 0);
        count = recvmmsg(listener, up.messages, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++) {
            uint32_t relay = find_relay(&up.names[i]);
            if (relay)
                sendto(relays[relay - 1], up.bytes[i] + HEADER, up.messages[i].msg_len - HEADER,
                       MSG_DONTWAIT, (struct sockaddr *)&peer, sizeof peer);
        }
    } while (count == BATCH);
}

static void read_relay(uint32_t relay)
{
    ssize_t got = recv(relays[relay], down.bytes[down_count] + HEADER, DATAGRAM_MAX, MSG_DONTWAIT);
    if (got < 0)
        return;
    prepare(&down, down_count, 0);
    memset(down.bytes[down_count], 0x40, HEADER);
    down.names[down_count] = clients[relay];
    down.vectors[down_count].iov_len = HEADER + (size_t)got;
    if (++down_count == BATCH)
        flush_down();
}

static void open_all(int epoll)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = UINT32_MAX };
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (unsigned i = 0; i < relay_max; i++) {
        relays[i] = open_socket(0);
        event.data.u32 = i;
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, relays[i], &event) != 0)
            fail("epoll");
    }
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    uint16_t port = (uint16_t)strtoul(argv[1], NULL, 10);
    struct timespec pause = { .tv_nsec = argc > 3 ? 1000 * strtol(argv[3], NULL, 10) : 0 };
    int epoll = epoll_create1(0);
    relay_max = (unsigned)strtoul(argv[2], NULL, 10);
    relays = calloc(relay_max, sizeof *relays);
    clients = calloc(relay_max, sizeof *clients);
    relay_of = calloc(HOSTS, sizeof *relay_of);
    if (epoll < 0 || !relays || !clients || !relay_of)
        fail("start");
    peer = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)(port + 1)) };
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = open_socket(port);
    open_all(epoll);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.u32 == UINT32_MAX)
                read_clients();
            else
                read_relay(events[i].data.u32);
        }
        flush_down();
        if (pause.tv_nsec)
            nanosleep(&pause, NULL);
    }
}
