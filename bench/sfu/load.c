/* load.c - the load of bench/sfu: any number of browsers' ends, in one thread and on one socket,
 * for any server whose descriptions are brought here by lines (load.h).
 *
 *     load [KEY=VALUE ...]
 *
 *     profile=gcm     of SRTP, the only one that is offered: cm (AES_CM_128_HMAC_SHA1_80), gcm
 *                     (AEAD_AES_128_GCM), gcm256
 *     fps=30 packets=4 keys=12 size=1020 group=4
 *                     video: frames a second, packets of a frame and of a key frame, bytes of a
 *                     payload, packets that leave together (the next ones 5 ms later)
 *     key_every=0     key frames that nobody asked for: one in so many
 *     nack=1 loss=0   what is missing is asked for again; so much is thrown away by ourselves
 *     feedback=1      it is said when packets came, where that is agreed (transport-cc)
 *     clients=1024 sources=8192
 *                     room for SRTP's keys, and for SSRCs
 */
#include "load.h"

#include "process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_SIZE ((size_t)512 * 1024)
#define TURN_MS       1 /* what comes is read in this rhythm: a server's sending wakes nobody */
#define JOBS          256

static struct load load;

static usec now_us(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (usec)at.tv_sec * USEC_S + (usec)at.tv_nsec / 1000;
}

/* ---- in ---- */

struct job {
    struct client *client;
    uint64_t at_ns;
};

static struct secure_incoming incoming[JOBS];
static struct job jobs[JOBS];
static unsigned job_count;

static void open_all(usec now)
{
    secure_unprotect(load.house.secure, incoming, job_count);
    for (unsigned i = 0; i < job_count; i++) {
        if (incoming[i].status == OK)
            hearer_feed(&jobs[i].client->hearer, now, jobs[i].at_ns, incoming[i].packet);
        else
            load.tally.wrong++;
    }
    job_count = 0;
}

static void hear(struct client *client, usec now, const struct net_received *received,
                 struct span datagram)
{
    struct view bytes = view_of_span(datagram);
    if (!peer_feed(&client->peer, now, &received->from, bytes))
        return;
    if (client->peer.state != PEER_CONNECTED) {
        load.tally.wrong++;
    } else if (rtp_is_rtcp(bytes)) {
        if (secure_unprotect_rtcp(&client->peer.secure, &datagram) == OK)
            client_feed_rtcp(client, now, view_of_span(datagram));
        else
            load.tally.wrong++;
    } else {
        incoming[job_count] =
            (struct secure_incoming){ .session = &client->peer.secure, .packet = datagram };
        jobs[job_count] = (struct job){ client, received->at_ns };
        if (++job_count == JOBS)
            open_all(now);
    }
}

static void hear_all(usec now)
{
    static struct net_received received[NET_MESSAGES];
    unsigned count;
    do {
        count = net_receive(&load.house.net, received);
        for (unsigned i = 0; i < count; i++) {
            struct span rest = received[i].bytes;
            struct client *client =
                received[i].host < load.client_count ? load.clients[received[i].host] : NULL;
            while (client && rest.size > 0) {
                size_t size = rest.size < received[i].segment ? rest.size : received[i].segment;
                hear(client, now, &received[i], (struct span){ rest.at, size });
                rest = span_behind(rest, size);
            }
        }
        open_all(now); /* before what lies there is written over */
    } while (count == NET_MESSAGES);
}

/* ---- out ---- */

static void tell(struct client *client)
{
    enum peer_state state = client->peer.state;
    if (state == PEER_CONNECTED && !client->is_told)
        printf("connected %s\n", client->name);
    else if (state == PEER_ENDED && client->is_told != true)
        printf("ended %s %s\n", client->name, client->peer.why);
    client->is_told |= state >= PEER_CONNECTED;
}

static void tick_all(usec now)
{
    for (uint32_t i = 0; i < load.client_count; i++) {
        struct client *client = load.clients[i];
        if (!client)
            continue;
        enum peer_state before = client->peer.state;
        client_tick(client, now);
        if (before == PEER_CONNECTED && client->peer.state == PEER_ENDED)
            client->is_told = false;
        tell(client);
    }
    net_flush(&load.house.net);
}

/* ---- lines ---- */

static void read_lines(usec now)
{
    static char line[LINE_MAX_SIZE];
    static size_t size;
    struct pollfd wait = { .fd = STDIN_FILENO, .events = POLLIN };
    if (poll(&wait, 1, TURN_MS) <= 0)
        return;
    ssize_t got = read(STDIN_FILENO, line + size, sizeof line - 1 - size);
    load.is_over |= got <= 0; /* who steers it is gone */
    size += got > 0 ? (size_t)got : 0;
    line[size] = 0;
    for (char *end = strchr(line, '\n'); end; end = strchr(line, '\n')) {
        *end = 0;
        load_command(&load, now, line);
        size -= (size_t)(end + 1 - line);
        memmove(line, end + 1, size + 1);
    }
    if (size == sizeof line - 1)
        fail("a line is too long");
}

/* ---- settings ---- */

static uint16_t profile_of(const char *name)
{
    if (strcmp(name, "cm") == 0)
        return SECURE_AES128_CM_HMAC_SHA1_80;
    if (strcmp(name, "gcm") == 0)
        return SECURE_AEAD_AES_128_GCM;
    if (strcmp(name, "gcm256") == 0)
        return SECURE_AEAD_AES_256_GCM;
    fail(name);
}

static void read_settings(int argc, char **argv, uint32_t *clients, uint32_t *sources,
                          bool *has_feedback)
{
    struct {
        const char *name;
        uint32_t *into;
    } numbers[] = { { "fps=", &load.video.fps },     { "packets=", &load.video.packets },
                    { "keys=", &load.video.keys },   { "size=", &load.video.size },
                    { "group=", &load.video.group }, { "key_every=", &load.video.key_every },
                    { "clients=", clients },         { "sources=", sources } };
    for (int i = 1; i < argc; i++) {
        bool is_known = true;
        if (strncmp(argv[i], "profile=", 8) == 0)
            load.profile = profile_of(argv[i] + 8);
        else if (strncmp(argv[i], "nack=", 5) == 0)
            load.has_nack = argv[i][5] == '1';
        else if (strncmp(argv[i], "feedback=", 9) == 0)
            *has_feedback = argv[i][9] == '1';
        else if (strncmp(argv[i], "loss=", 5) == 0)
            load.loss = strtod(argv[i] + 5, NULL);
        else
            is_known = false;
        for (unsigned n = 0; n < sizeof numbers / sizeof numbers[0]; n++) {
            size_t size = strlen(numbers[n].name);
            if (strncmp(argv[i], numbers[n].name, size) != 0)
                continue;
            *numbers[n].into = (uint32_t)strtoul(argv[i] + size, NULL, 10);
            is_known = true;
        }
        if (!is_known)
            fail(argv[i]);
    }
    const struct track_rhythm *video = &load.video;
    if (!video->fps || !video->packets || !video->keys || !video->group ||
        video->size < TRACK_STAMP_SIZE + 16 || video->size > TRACK_PAYLOAD_MAX)
        fail("video");
}

static void on_signal(int number)
{
    (void)number;
    load.is_over = true;
}

int main(int argc, char **argv)
{
    uint32_t clients = 1024;
    uint32_t sources = 8192;
    bool has_feedback = true;
    load.profile = SECURE_AEAD_AES_128_GCM;
    load.has_nack = true;
    load.video =
        (struct track_rhythm){ .fps = 30, .packets = 4, .keys = 12, .size = 1020, .group = 4 };
    load.audio =
        (struct track_rhythm){ .fps = 50, .packets = 1, .keys = 1, .size = 100, .group = 1 };
    errno = 0;
    read_settings(argc, argv, &clients, &sources, &has_feedback);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    setvbuf(stdout, NULL, _IOLBF, 1 << 16);
    house_open(&load.house, load.profile, clients, sources);
    load.house.has_feedback = has_feedback;
    while (!load.is_over) {
        usec now = now_us();
        hear_all(now);
        tick_all(now);
        load_measured(&load, now);
        read_lines(now);
    }
    for (uint32_t i = 0; i < load.client_count; i++)
        if (load.clients[i]) {
            client_close(load.clients[i], now_us());
            free(load.clients[i]);
        }
    net_flush(&load.house.net);
    house_close(&load.house);
    return 0;
}
