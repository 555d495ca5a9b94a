/* load.c - the client side of bench/signal: many WebSockets in one thread.
 *
 *     load relay DIALECT PORT PID PAIRS MESSAGES BURST
 *         pairs play ping-pong with 200-byte messages, BURST of them in a row at a time
 *     load idle  DIALECT PORT PID CONNECTIONS
 *         connections that have joined, and say nothing
 *     load soak  DIALECT PORT PID CONNECTIONS ACTIVE SECONDS
 *         ACTIVE of them say a burst to their peer once a second; fails when a message is
 *         lost or comes out of its order, and tells how the memory grew
 *
 * Prints one line: what was measured of the server's process (PID), from /proc.
 */
#include "dialect.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define ABREAST_MAX 64 /* connections that are being opened at once */

static const struct dialect *dialect;
static struct client *clients;
static unsigned client_count;
static unsigned opened;
static unsigned ready;
static uint64_t relayed;
static uint64_t wanted;
static unsigned burst = 1;
static int epoll_fd;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
    exit(1);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* CPU time of the process, user and system, in seconds. */
static double cpu_s(int pid)
{
    char path[64];
    char text[1024];
    unsigned long user = 0;
    unsigned long system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(text, sizeof text, file))
        fail(path);
    fclose(file);
    const char *rest = strrchr(text, ')'); /* fields 14 and 15, of which this is the second */
    if (!rest ||
        sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        fail(path);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* Resident memory of the process, in KiB. */
static double resident_kib(int pid)
{
    char path[64];
    char line[256];
    double kib = -1;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    if (!file)
        fail(path);
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtod(line + 6, NULL);
    fclose(file);
    return kib;
}

static void flush(struct client *client)
{
    ssize_t sent = send(client->fd, client->output, client->output_size, MSG_NOSIGNAL);
    if (sent != (ssize_t)client->output_size)
        fail("send");
    client->output_size = 0;
}

void client_send(struct client *client, enum websocket_opcode opcode, const char *text, size_t size)
{
    static const uint8_t MASK[4] = { 0x12, 0x34, 0x56, 0x78 };
    uint8_t payload[CLIENT_TEXT_MAX];
    uint8_t *to = client->output + client->output_size;
    assert(size <= sizeof payload &&
           client->output_size + WEBSOCKET_HEADER_MAX + size <= sizeof client->output);
    memcpy(payload, text, size);
    size_t header_size =
        websocket_write_masked(opcode, true, false, MASK, (struct span){ payload, size }, to);
    memcpy(to + header_size, payload, size);
    client->output_size += header_size + size;
}

/* A burst of messages, in one segment as far as the client can see to it. */
static void say_burst(struct client *client)
{
    client->heard = 0;
    for (unsigned i = 0; i < burst; i++)
        dialect->say(client);
    flush(client);
}

static void open_client(uint16_t port)
{
    struct client *client = &clients[opened];
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    char head[512];
    char path[128];
    int one = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->number = opened;
    client->peer = &clients[opened ^ 1];
    client->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&to, sizeof to) != 0)
        fail("connect");
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (dialect->path_end)
        snprintf(path, sizeof path, "%s%u%s", dialect->path, opened, dialect->path_end);
    else
        snprintf(path, sizeof path, "%s", dialect->path);
    int size = snprintf(head, sizeof head,
                        "GET %s HTTP/1.1\r\nHost: localhost:%u\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                        path, port);
    if (send(client->fd, head, (size_t)size, MSG_NOSIGNAL) != size)
        fail("send");
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, client->fd, &event) != 0)
        fail("epoll");
    opened++;
}

void client_is_ready(struct client *client)
{
    client->is_ready = true;
    ready++;
}

/* Messages come in their order, each once. */
static void check_number(struct client *client, struct view text)
{
    uint64_t number;
    struct view digits = view_slice(text, view_find_byte(text, '#') + 1, 8);
    if (!view_read_number(digits, UINT32_MAX, &number) || number != client->heard_last + 1) {
        fprintf(stderr, "load: %u heard %.*s behind %u\n", client->number, VIEW_ARGS(digits),
                client->heard_last);
        exit(1);
    }
    client->heard_last = (unsigned)number;
}

void client_relayed(struct client *client, struct view text)
{
    check_number(client, text);
    relayed++;
    if (++client->heard == burst && relayed < wanted)
        say_burst(client);
}

static void read_frames(struct client *client)
{
    size_t at = 0;
    for (;;) {
        struct websocket_frame frame;
        size_t used;
        int status = websocket_read((struct span){ client->input + at, client->size - at },
                                    WEBSOCKET_CLIENT, sizeof client->input, &frame, &used);
        if (status == ERR_MORE)
            break;
        if (status != OK || frame.opcode == WEBSOCKET_CLOSE) {
            fprintf(stderr, "load: %u was closed: %.*s\n", client->number,
                    VIEW_ARGS(view_slice(view_of_span(frame.payload), 2, 125)));
            exit(1);
        }
        at += used;
        if (frame.opcode == WEBSOCKET_PING)
            client_send(client, WEBSOCKET_PONG, (char *)frame.payload.at, frame.payload.size);
        else if (frame.opcode == WEBSOCKET_TEXT)
            dialect->heard(client, view_of_span(frame.payload));
    }
    client->size -= at;
    memmove(client->input, client->input + at, client->size);
    if (client->output_size)
        flush(client);
}

static void read_client(struct client *client)
{
    ssize_t got = recv(client->fd, client->input + client->size,
                       sizeof client->input - client->size, MSG_DONTWAIT);
    if (got <= 0)
        fail("receive");
    client->size += (size_t)got;
    if (!client->is_open) {
        struct view input = view_make(client->input, client->size);
        size_t end = view_find(input, VIEW("\r\n\r\n"));
        if (end == input.size)
            return;
        if (!view_starts(input, VIEW("HTTP/1.1 101 ")))
            fail("no upgrade");
        client->is_open = true;
        client->size -= end + 4;
        memmove(client->input, client->input + end + 4, client->size);
        dialect->opened(client);
    }
    read_frames(client);
}

/* Lets all that comes be read, until nothing has come for that long. */
static void turn(int patience_ms)
{
    struct epoll_event events[256];
    int count = epoll_wait(epoll_fd, events, 256, patience_ms);
    for (int i = 0; i < count; i++)
        read_client(events[i].data.ptr);
}

static void open_all(uint16_t port)
{
    while (ready < client_count) {
        while (opened < client_count && opened - ready < ABREAST_MAX)
            open_client(port);
        turn(1000);
    }
}

static void measure_relay(int pid, uint64_t messages)
{
    wanted = UINT64_MAX;
    for (unsigned i = 0; i < client_count; i += 2)
        say_burst(&clients[i]);
    while (relayed < messages / 10) /* to warm up: caches, and the compiler of the peers */
        turn(1000);
    double cpu = cpu_s(pid);
    double wall = now_s();
    uint64_t before = relayed;
    while (relayed - before < messages)
        turn(1000);
    cpu = cpu_s(pid) - cpu;
    wall = now_s() - wall;
    double count = (double)(relayed - before);
    printf("messages=%.0f cpu_us=%.2f per_s=%.0f busy=%.0f%%\n", count, cpu / count * 1e6,
           count / wall, cpu / wall * 100);
}

static void measure_idle(int pid, double before_kib)
{
    double end =
        now_s() + 12; /* past the first heartbeats would be 15 s; collectors get their time */
    while (now_s() < end)
        turn(200);
    double kib = resident_kib(pid) - before_kib;
    printf("connections=%u bytes=%.0f\n", ready, kib * 1024 / ready);
}

static bool all_heard(unsigned active)
{
    for (unsigned i = 0; i < active; i++)
        if (clients[i].heard_last != clients[i].peer->said_last)
            return false;
    return true;
}

/* Until all that was said has been heard. */
static void hear_all(unsigned active)
{
    double end = now_s() + 30;
    while (!all_heard(active)) {
        turn(100);
        if (now_s() > end)
            fail("messages were lost");
    }
}

static void soak_for(unsigned active, double seconds)
{
    double end = now_s() + seconds;
    for (double next = now_s(); now_s() < end;) {
        if (now_s() >= next) {
            for (unsigned i = 0; i < active; i++)
                say_burst(&clients[i]);
            next += 1;
        }
        turn(10);
    }
    hear_all(active);
}

static void measure_soak(int pid, unsigned active, double seconds)
{
    soak_for(active, seconds / 10); /* until all buffers have been in use */
    double before_kib = resident_kib(pid);
    uint64_t before = relayed;
    soak_for(active, seconds);
    printf("connections=%u active=%u messages=%.0f grown_kib=%.0f of_kib=%.0f\n", ready, active,
           (double)(relayed - before), resident_kib(pid) - before_kib, before_kib);
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "load relay|idle|soak DIALECT PORT PID COUNT [...]\n");
        return 2;
    }
    bool is_relay = strcmp(argv[1], "relay") == 0;
    uint16_t port = (uint16_t)strtoul(argv[3], NULL, 10);
    int pid = (int)strtol(argv[4], NULL, 10);
    dialect = dialect_find(argv[2]);
    client_count = (unsigned)strtoul(argv[5], NULL, 10) * (is_relay ? 2 : 1);
    clients = calloc(client_count, sizeof *clients);
    epoll_fd = epoll_create1(0);
    if (!dialect || !clients || epoll_fd < 0)
        fail("start");
    bool is_soak = strcmp(argv[1], "soak") == 0;
    if (is_soak)
        burst = 8;
    else if (argc > 7)
        burst = (unsigned)strtoul(argv[7], NULL, 10);
    if (burst < 1 || burst > CLIENT_BURST_MAX)
        fail("BURST");
    double before_kib = resident_kib(pid);
    open_all(port);
    if (is_relay)
        measure_relay(pid, argc > 6 ? strtoull(argv[6], NULL, 10) : 300000);
    else if (is_soak && argc > 7)
        measure_soak(pid, (unsigned)strtoul(argv[6], NULL, 10), strtod(argv[7], NULL));
    else
        measure_idle(pid, before_kib);
    return 0;
}
