/* core.c - moim's media without the server around it: a media port, peers, and lines that say who
 * gets what.  What it costs more than the floor is the media's own; what moim costs more than this
 * is the server's.
 *
 *     core ADDRESS                        where clients find it
 *
 * Lines on the standard input; SDP is in base64url without padding, and offers are the load's:
 *
 *     publish NAME SDP                    -> answer NAME SDP
 *     watch NAME SDP PUBLISHER ...        -> answer NAME SDP: each section in which nothing comes
 *                                         in gets the next track of its kind
 */
#include "base/base64.h"
#include "front/media.h"
#include "process.h"
#include "shell/clock.h"
#include "shell/entropy.h"
#include "shell/media_setup.h"
#include "shell/rtc_sockets.h"
#include "shell/udp.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PEERS_MAX     4096
#define NAME_MAX_SIZE 64
#define TEXT_MAX      ((size_t)256 * 1024)
#define WORDS_MAX     256
#define ROUNDS_MAX    16

static struct {
    struct rtc rtc;
    struct sfu sfu;
    struct metrics metrics;
    struct udp_arena arena;
    struct udp_queue queue;
    int fd;
    usec until;
    struct media_setup *setup;
    struct server_rtc ciphers;
    struct address address;
    struct negotiation_policy policy;
    unsigned count;
    struct {
        char name[NAME_MAX_SIZE];
        struct peer *peer;
    } named[PEERS_MAX];
} core;

/* ---- the port, as a worker has it ---- */

static void flush(void)
{
    struct peer *peer;
    bool is_all;
    do {
        uint32_t count;
        is_all = sfu_pump(&core.sfu, clock_now());
        const struct rtc_run *runs = rtc_seal(&core.rtc, &count);
        for (uint32_t i = 0; i < count; i++)
            udp_put_run(&core.queue,
                        &(struct udp_datagram){ .fd = core.fd,
                                                .to = &runs[i].flow->remote,
                                                .source = &runs[i].flow->local,
                                                .payload = runs[i].bytes },
                        runs[i].segment);
        udp_flush(&core.queue);
        rtc_sent(&core.rtc);
    } while (!is_all);
    while ((peer = sfu_poll(&core.sfu)))
        if (peer->state == PEER_ENDED && peer->end != RTC_END_BY_PEER)
            fprintf(stderr, "core: a peer has ended: %u\n", peer->end);
}

static void drain(usec now)
{
    struct rtc_out out;
    for (rtc_poll(&core.rtc, &out); out.kind != RTC_WAIT; rtc_poll(&core.rtc, &out))
        sfu_hear(&core.sfu, now, &out);
    core.until = out.until;
}

static void receive(usec now)
{
    struct udp_received got[UDP_RECEIVE_MAX];
    bool is_drained = false;
    unsigned heard = 0;
    for (int round = 0; round < ROUNDS_MAX && !is_drained; round++) {
        unsigned count = udp_receive(&core.arena, core.fd, UDP_RECEIVE_MAX, got, &is_drained);
        for (unsigned i = 0; i < count; i++) {
            struct ice_flow flow = { got[i].from, core.address, ICE_UDP };
            for (size_t at = 0; at < got[i].bytes.size; at += got[i].segment) {
                struct view part = view_slice(got[i].bytes, at, got[i].segment);
                if (rtc_is_full(&core.rtc) || ++heard % SFU_HEAR_MAX == 0)
                    flush();
                rtc_feed(&core.rtc, now, &flow,
                         (struct span){ (uint8_t *)(uintptr_t)part.at, part.size });
                drain(now);
            }
        }
        udp_arena_reset(&core.arena);
    }
    flush();
}

static void tick(usec now)
{
    if (core.until <= now) {
        rtc_tick(&core.rtc, now);
        drain(now);
    }
    if (sfu_until(&core.sfu) <= now)
        sfu_tick(&core.sfu, now);
    flush();
}

/* ---- lines ---- */

static struct peer *find(const char *name)
{
    for (unsigned i = core.count; i-- > 0;)
        if (strcmp(core.named[i].name, name) == 0)
            return core.named[i].peer;
    return NULL;
}

static struct peer *find_or_open(const char *name)
{
    const struct peer_config config = { .policy = &core.policy };
    struct peer *peer = find(name);
    if (peer)
        return peer;
    if (core.count == PEERS_MAX || peer_open(&core.sfu, clock_now(), &config, &peer) != OK)
        fail("peers");
    snprintf(core.named[core.count].name, NAME_MAX_SIZE, "%s", name);
    core.named[core.count++].peer = peer;
    return peer;
}

static struct track *track_of(const char *name, bool is_video)
{
    struct peer *peer = find(name);
    struct transceiver *transceiver = NULL;
    while (peer && (transceiver = peer_next(peer, transceiver)))
        if (transceiver->receiving && transceiver->is_video == is_video)
            return transceiver->receiving;
    return NULL;
}

/* Between the offer and the answer: what is sent in sections that don't send, by their order. */
static void announce(struct peer *peer)
{
    struct transceiver *transceiver = NULL;
    char name[NAME_MAX_SIZE];
    for (unsigned i = 0; (transceiver = peer_next(peer, transceiver)); i++) {
        if (transceiver->receiving || transceiver->is_announced)
            continue;
        snprintf(name, sizeof name, "s%u", i);
        transceiver_announce(transceiver, view_of(name), view_of(name));
    }
}

static void subscribe(struct peer *peer, char **publishers)
{
    for (unsigned is_video = 0; is_video < 2; is_video++) {
        struct transceiver *transceiver = NULL;
        char **next = publishers;
        while (*next && (transceiver = peer_next(peer, transceiver))) {
            if (transceiver->receiving || transceiver->is_video != (bool)is_video)
                continue;
            struct track *track = track_of(*next++, transceiver->is_video);
            if (!track || transceiver_subscribe(transceiver, clock_now(), track) != OK)
                fprintf(stderr, "core: no track of %s\n", next[-1]);
        }
    }
}

static void hear(char **words)
{
    static uint8_t offer[TEXT_MAX];
    static uint8_t answer[TEXT_MAX];
    static char encoded[BASE64_SIZE(TEXT_MAX)];
    struct description_error error = { 0 };
    if (!words[0] || !words[1] || !words[2])
        fail("a line");
    size_t size = strlen(words[2]) * 3 / 4;
    struct peer *peer = find_or_open(words[1]);
    if (size > sizeof offer || base64url_read(view_of(words[2]), offer, size) != OK ||
        peer_take_offer(peer, clock_now(), view_make(offer, size), &error) != OK)
        fail(error.what ? error.what : "an offer");
    if (strcmp(words[0], "watch") == 0)
        announce(peer);
    if (peer_write_answer(peer, clock_now(), (struct span){ answer, sizeof answer }, &size) != OK)
        fail("an answer");
    subscribe(peer, words + 3);
    base64url_write(view_make(answer, size), encoded);
    printf("answer %s %s\n", words[1], encoded);
}

/* False: who steers us is gone. */
static bool read_line(void)
{
    static char line[2 * TEXT_MAX];
    char *words[WORDS_MAX + 1] = { NULL };
    char *rest = NULL;
    unsigned count = 0;
    if (!fgets(line, sizeof line, stdin))
        return false;
    for (char *word = strtok_r(line, " \n", &rest); word && count < WORDS_MAX;
         word = strtok_r(NULL, " \n", &rest))
        words[count++] = word;
    hear(words);
    drain(clock_now());
    flush();
    return true;
}

/* ---- start ---- */

static void open_all(const char *address, struct random *random)
{
    struct rtc_sockets sockets;
    char error[SETTINGS_ERROR_MAX] = "";
    usec now = clock_now();
    if (media_setup_new((int64_t)((clock_unix_at_zero() + now) / USEC_S), &core.setup) != OK ||
        media_setup_open(core.setup, &core.ciphers) != OK || udp_arena_init(&core.arena) != OK ||
        rtc_sockets_open(0, 1, &sockets, error) != OK)
        fail(error[0] ? error : "start");
    core.fd = sockets.udp[0];
    if (address_read_host(view_of(address), &core.address) != OK)
        fail("address");
    core.address.port = sockets.port;
    const struct rtc_config rtc = { .dtls = core.ciphers.dtls,
                                    .secure = core.ciphers.secure,
                                    .random = random,
                                    .metrics = &core.metrics,
                                    .transports_max = PEERS_MAX };
    struct sfu_config sfu = { .rtc = &core.rtc,
                              .random = random,
                              .metrics = &core.metrics,
                              .candidates = { { .address = core.address } },
                              .candidate_count = 1,
                              .peers_max = PEERS_MAX,
                              .transceivers_max = 16 * PEERS_MAX,
                              .tracks_max = PEERS_MAX };
    memcpy(sfu.fingerprint, core.setup->fingerprint, sizeof sfu.fingerprint);
    if (rtc_init(&core.rtc, &rtc, now) != OK || sfu_init(&core.sfu, &sfu, now) != OK)
        fail("memory");
}

static void close_all(void)
{
    sfu_free(&core.sfu);
    rtc_free(&core.rtc);
    media_setup_close(&core.ciphers);
    media_setup_free(core.setup);
    udp_arena_free(&core.arena);
    close(core.fd);
}

int main(int argc, char **argv)
{
    struct random random = entropy_random();
    if (argc < 2)
        return 2;
    errno = 0;
    core.policy = media_policy;
    setvbuf(stdin, NULL, _IONBF, 0); /* so that poll sees what has not been read */
    setvbuf(stdout, NULL, _IOLBF, 1 << 16);
    open_all(argv[1], &random);
    for (bool goes_on = true; goes_on;) {
        struct pollfd wait[] = { { .fd = core.fd, .events = POLLIN },
                                 { .fd = STDIN_FILENO, .events = POLLIN } };
        usec until = core.until < sfu_until(&core.sfu) ? core.until : sfu_until(&core.sfu);
        usec now = clock_now();
        int ms = until == USEC_NEVER ? 1000 : until <= now ? 0 : (int)((until - now) / 1000 + 1);
        poll(wait, 2, ms);
        now = clock_now();
        if (wait[0].revents)
            receive(now);
        tick(now);
        if (wait[1].revents)
            goes_on = read_line();
    }
    close_all();
    return 0;
}
