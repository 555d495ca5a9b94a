/* A proxy for UDP that is a bad line: netem_proxy --to ADDRESS:PORT [--listen ADDRESS:PORT]
 * [--up SCRIPT] [--down SCRIPT] [--recording FILE] [--seed NUMBER]
 *
 * Each client that sends to it (known by its address) has two lines of its own (netem/netem.h), up
 * to the target and down from it, and a socket of its own towards the target.  SCRIPT is text of
 * netem/script.h, in which `;` ends a step as a line's end does; times count from now.  FILE says
 * what the lines down take (netem/capacity.h), from now on and again when it is over: the script's
 * rates don't count then, nor do queues that are given as a time.
 *
 * It prints `listening ADDRESS:PORT`, and then takes orders, one a line, until its standard input
 * ends, which ends it:
 *
 *     up SCRIPT      all lines are like this from now on, in what the script speaks of
 *     down SCRIPT
 *     counts         prints what became of all packets, as JSON
 *
 * Each is answered by one line: `ok`, `error ...`, or the counts.
 */
#include "base/address.h"
#include "netem/capacity.h"
#include "netem/script.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 64
#define STORE_MAX   32768
#define OVERHEAD    28
#define ORDER_MAX   4096
#define BUFFER_SIZE (4 << 20)
#define FILE_MAX    (16 << 20)

enum { UP, DOWN, WAYS };

struct client {
    struct sockaddr_storage from;
    int fd; /* towards the target */
    struct netem lines[WAYS];
};

static struct {
    struct sockaddr_storage target;
    int fd;
    uint64_t seed;
    struct pool store;
    struct netem_script scripts[WAYS];
    usec script_from[WAYS];
    struct netem_setting settings[WAYS]; /* as they were before the scripts */
    unsigned client_count;
    struct client clients[CLIENTS_MAX];
    bool has_recording;
    struct capacity recording;
    usec recording_from;
    uint64_t ticks;   /* milliseconds of it that have begun */
    uint64_t refused; /* datagrams of clients that were too many, or too long */
    char order[ORDER_MAX];
    size_t order_size;
} proxy;

static usec now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (usec)time.tv_sec * USEC_S + (usec)time.tv_nsec / 1000;
}

static void die(const char *what)
{
    fprintf(stderr, "netem_proxy: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* ---- addresses ---- */

static socklen_t size_of(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                          : sizeof(struct sockaddr_in);
}

static void from_text(const char *text, struct sockaddr_storage *out)
{
    struct address address;
    if (address_read(view_of(text), &address) != OK) {
        fprintf(stderr, "netem_proxy: not an address and port: %s\n", text);
        exit(2);
    }
    memset(out, 0, sizeof *out);
    if (address.family == ADDRESS_IPV4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(address.port);
        memcpy(&in->sin_addr, address.bytes, 4);
    } else {
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)out;
        in->sin6_family = AF_INET6;
        in->sin6_port = htons(address.port);
        memcpy(&in->sin6_addr, address.bytes, 16);
    }
}

static int open_socket(int family)
{
    int size = BUFFER_SIZE;
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size); /* as much as there may be */
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return fd;
}

static void tell_port(void)
{
    struct sockaddr_storage own;
    socklen_t size = sizeof own;
    char text[INET6_ADDRSTRLEN];
    if (getsockname(proxy.fd, (struct sockaddr *)&own, &size) != 0)
        die("getsockname");
    const struct sockaddr_in *in = (const struct sockaddr_in *)&own;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&own;
    bool is_6 = own.ss_family == AF_INET6;
    inet_ntop(own.ss_family, is_6 ? (const void *)&in6->sin6_addr : &in->sin_addr, text,
              sizeof text);
    printf("listening %s%s%s:%u\n", is_6 ? "[" : "", text, is_6 ? "]" : "",
           ntohs(is_6 ? in6->sin6_port : in->sin_port));
}

/* ---- lines ---- */

/* What a line is like that begins now. */
static void begin_line(struct netem *line, unsigned way, usec now)
{
    netem_init(line, &proxy.store, ++proxy.seed, OVERHEAD, now);
    netem_set(line, now, &proxy.settings[way]);
    netem_follow(line, now, &proxy.scripts[way], proxy.script_from[way]);
    if (way == DOWN && proxy.has_recording)
        capacity_apply(&proxy.recording, proxy.ticks, line, now);
}

static usec tick_at(void)
{
    return proxy.recording_from + (proxy.ticks + 1) * USEC_MS;
}

/* All that the recording says up to now. */
static void play_recording(usec now)
{
    for (usec at; proxy.has_recording && (at = tick_at()) <= now;) {
        proxy.ticks++;
        for (unsigned i = 0; i < proxy.client_count; i++)
            capacity_apply(&proxy.recording, proxy.ticks, &proxy.clients[i].lines[DOWN], at);
    }
}

static void read_recording(const char *name)
{
    static uint8_t text[FILE_MAX];
    unsigned line;
    FILE *file = fopen(name, "r");
    if (!file)
        die(name);
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    if (capacity_read(view_make(text, size), &proxy.recording, &line) != OK) {
        fprintf(stderr, "netem_proxy: %s:%u: no recording\n", name, line);
        exit(2);
    }
    proxy.has_recording = true;
    proxy.recording_from = now_us();
}

/* NULL, or what is wrong. */
static const char *set_script(unsigned way, const char *text, usec now)
{
    static char what[120];
    static char lines[ORDER_MAX];
    struct netem_script script;
    struct netem_script_error error;
    snprintf(lines, sizeof lines, "%s", text);
    for (char *at = lines; (at = strchr(at, ';'));)
        *at = '\n';
    if (netem_script_read(view_of(lines), &script, &error) != OK) {
        snprintf(what, sizeof what, "step %u: %s", error.line, error.what);
        return what;
    }
    const struct netem_script *before = &proxy.scripts[way];
    for (unsigned i = 0; i < before->count; i++)
        if (proxy.script_from[way] + before->steps[i].at <= now)
            netem_step_apply(&before->steps[i], &proxy.settings[way]);
    for (unsigned i = 0; i < proxy.client_count; i++)
        netem_follow(&proxy.clients[i].lines[way], now, NULL, now);
    proxy.scripts[way] = script;
    proxy.script_from[way] = now;
    for (unsigned i = 0; i < proxy.client_count; i++)
        netem_follow(&proxy.clients[i].lines[way], now, &proxy.scripts[way], now);
    return NULL;
}

static struct client *find_client(const struct sockaddr_storage *from, usec now)
{
    socklen_t size = size_of(from);
    for (unsigned i = 0; i < proxy.client_count; i++)
        if (memcmp(&proxy.clients[i].from, from, size) == 0)
            return &proxy.clients[i];
    if (proxy.client_count == CLIENTS_MAX)
        return NULL;
    struct client *client = &proxy.clients[proxy.client_count];
    client->from = *from;
    client->fd = open_socket(proxy.target.ss_family);
    if (connect(client->fd, (const struct sockaddr *)&proxy.target, size_of(&proxy.target)) != 0)
        die("connect");
    for (unsigned way = 0; way < WAYS; way++)
        begin_line(&client->lines[way], way, now);
    proxy.client_count++;
    return client;
}

/* ---- packets ---- */

static void take_from_clients(usec now)
{
    uint8_t bytes[65536];
    for (;;) {
        struct sockaddr_storage from = { 0 };
        socklen_t size = sizeof from;
        ssize_t got = recvfrom(proxy.fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &size);
        if (got < 0)
            return; /* nothing more, or what an ICMP said of an earlier one */
        struct client *client = got <= NETEM_PACKET_MAX ? find_client(&from, now) : NULL;
        if (client)
            netem_send(&client->lines[UP], now, view_make(bytes, (size_t)got), 0);
        else
            proxy.refused++;
    }
}

static void take_from_target(struct client *client, usec now)
{
    uint8_t bytes[65536];
    for (;;) {
        ssize_t got = recv(client->fd, bytes, sizeof bytes, 0);
        if (got < 0)
            return;
        if (got <= NETEM_PACKET_MAX)
            netem_send(&client->lines[DOWN], now, view_make(bytes, (size_t)got), 0);
        else
            proxy.refused++;
    }
}

/* What a socket does not take is lost, as on any line. */
static void send_on(struct client *client, usec now)
{
    struct netem_packet *packet;
    while ((packet = netem_take(&client->lines[UP], now))) {
        if (send(client->fd, packet->bytes, packet->size, 0) < 0)
            errno = 0;
        netem_give(&client->lines[UP], packet);
    }
    while ((packet = netem_take(&client->lines[DOWN], now))) {
        if (sendto(proxy.fd, packet->bytes, packet->size, 0, (const struct sockaddr *)&client->from,
                   size_of(&client->from)) < 0)
            errno = 0;
        netem_give(&client->lines[DOWN], packet);
    }
}

static usec next_time(void)
{
    usec next = USEC_NEVER;
    for (unsigned i = 0; i < proxy.client_count; i++)
        for (unsigned way = 0; way < WAYS; way++) {
            usec until = netem_until(&proxy.clients[i].lines[way]);
            next = until < next ? until : next;
        }
    /* what it says matters only to what is waiting */
    if (next != USEC_NEVER && proxy.has_recording && tick_at() < next)
        next = tick_at();
    return next;
}

/* ---- orders ---- */

static void print_counts(void)
{
    printf("{\"refused\":%" PRIu64 ",\"clients\":[", proxy.refused);
    for (unsigned i = 0; i < proxy.client_count; i++) {
        printf("%s{", i ? "," : "");
        for (unsigned way = 0; way < WAYS; way++) {
            const struct netem_counts *counts = &proxy.clients[i].lines[way].counts;
            printf("%s\"%s\":{\"sent\":%" PRIu64 ",\"arrived\":%" PRIu64 ",\"lost\":%" PRIu64
                   ",\"overflowed\":%" PRIu64 ",\"doubled\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
                   way ? "," : "", way == UP ? "up" : "down", counts->sent, counts->arrived,
                   counts->lost, counts->overflowed, counts->doubled, counts->bytes);
        }
        printf("}");
    }
    printf("]}\n");
}

static void obey(char *line, usec now)
{
    const char *error = "unknown: up SCRIPT, down SCRIPT, or counts";
    if (strcmp(line, "counts") == 0) {
        print_counts();
        return;
    }
    if (strncmp(line, "up ", 3) == 0)
        error = set_script(UP, line + 3, now);
    else if (strncmp(line, "down ", 5) == 0)
        error = set_script(DOWN, line + 5, now);
    if (error)
        printf("error %s\n", error);
    else
        printf("ok\n");
}

/* False: there will be no more. */
static bool take_orders(usec now)
{
    ssize_t got =
        read(STDIN_FILENO, proxy.order + proxy.order_size, ORDER_MAX - 1 - proxy.order_size);
    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    proxy.order_size += (size_t)got;
    proxy.order[proxy.order_size] = 0;
    for (char *end; (end = memchr(proxy.order, '\n', proxy.order_size));) {
        size_t size = (size_t)(end - proxy.order) + 1;
        *end = 0;
        obey(proxy.order, now);
        proxy.order_size -= size;
        memmove(proxy.order, proxy.order + size, proxy.order_size + 1);
    }
    return proxy.order_size < ORDER_MAX - 1; /* an order that is far too long */
}

static void wait_for(struct pollfd *all, usec until)
{
    usec now = now_us();
    struct timespec time = { 0 };
    if (until != USEC_NEVER && until > now) {
        time.tv_sec = (time_t)((until - now) / USEC_S);
        time.tv_nsec = (long)((until - now) % USEC_S * 1000);
    }
    all[0] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
    all[1] = (struct pollfd){ .fd = proxy.fd, .events = POLLIN };
    for (unsigned i = 0; i < proxy.client_count; i++)
        all[2 + i] = (struct pollfd){ .fd = proxy.clients[i].fd, .events = POLLIN };
    if (ppoll(all, 2 + proxy.client_count, until == USEC_NEVER ? NULL : &time, NULL) < 0 &&
        errno != EINTR)
        die("poll");
}

static void read_options(int argc, char **argv)
{
    const char *scripts[WAYS] = { "", "" };
    const char *listen = "127.0.0.1:0", *to = NULL;
    struct sockaddr_storage own;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--to") == 0)
            to = argv[i + 1];
        else if (strcmp(argv[i], "--listen") == 0)
            listen = argv[i + 1];
        else if (strcmp(argv[i], "--up") == 0)
            scripts[UP] = argv[i + 1];
        else if (strcmp(argv[i], "--down") == 0)
            scripts[DOWN] = argv[i + 1];
        else if (strcmp(argv[i], "--recording") == 0)
            read_recording(argv[i + 1]);
        else if (strcmp(argv[i], "--seed") == 0)
            proxy.seed = strtoull(argv[i + 1], NULL, 10);
        else
            to = NULL;
    }
    if (!to || argc % 2 == 0) {
        fprintf(stderr, "netem_proxy --to ADDRESS:PORT [--listen ADDRESS:PORT] [--up SCRIPT] "
                        "[--down SCRIPT] [--recording FILE] [--seed NUMBER]\n");
        exit(2);
    }
    from_text(to, &proxy.target);
    from_text(listen, &own);
    for (unsigned way = 0; way < WAYS; way++) {
        const char *error = set_script(way, scripts[way], now_us());
        if (error) {
            fprintf(stderr, "netem_proxy: %s\n", error);
            exit(2);
        }
    }
    proxy.fd = open_socket(own.ss_family);
    if (bind(proxy.fd, (const struct sockaddr *)&own, size_of(&own)) != 0)
        die(listen);
}

int main(int argc, char **argv)
{
    struct pollfd all[2 + CLIENTS_MAX];
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (netem_store_init(&proxy.store, STORE_MAX) != OK)
        die("memory");
    read_options(argc, argv);
    tell_port();
    for (;;) {
        unsigned count = proxy.client_count;
        wait_for(all, next_time());
        usec now = now_us();
        play_recording(now);
        if (all[0].revents && !take_orders(now))
            return 0;
        if (all[1].revents)
            take_from_clients(now);
        for (unsigned i = 0; i < count; i++)
            if (all[2 + i].revents)
                take_from_target(&proxy.clients[i], now);
        for (unsigned i = 0; i < proxy.client_count; i++)
            send_on(&proxy.clients[i], now);
    }
}
