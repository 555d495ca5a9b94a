/* The simulation of the SFU: sim_sfu [FIRST [COUNT]] runs that many seeds from the first on.
 *
 * Each seed is a room of 2 to 4 for 20 seconds of virtual time on a bad network: they join with
 * ICE, DTLS and SRTP, leave, crash, restart ICE from elsewhere, send as other streams, stop their
 * pictures and go on, and are paused; all get all of each other.  Then 8 calm seconds, in which
 * everyone comes to see and hear everyone; and the end: they leave or just vanish, and nothing is
 * left.  What is checked on the way: watch.h, far.c's requests for key frames, and check_out()
 * below.  A failure prints the command that replays it.
 */
#include "far.h"
#include "negotiation_support.h"

#include "media/sfu.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAOS     (20 * USEC_S)
#define CALM      (8 * USEC_S)
#define AFTER     (45 * USEC_S)
#define FRESH     (1 * USEC_S) /* a picture that is not older goes on */
#define PUMPS_MAX 100

struct totals {
    uint64_t published, watched, repeated, joined, crashed, restarted, renewed;
};

static struct net net;
static struct rtc rtc;
static struct sfu sfu;
static struct metrics metrics;
static struct far fars[NET_FARS_MAX];
static unsigned far_count;
static struct secure_engine *engine, *far_engine;
static struct dtls_context *context, *far_context;
static uint8_t fingerprint[DTLS_FINGERPRINT_SIZE];
static struct totals totals;

/* ---- machines ---- */

static struct dtls_context *make_context(X509 *x, EVP_PKEY *key)
{
    struct dtls_context *made;
    const struct dtls_config config = { .certificate = x,
                                        .key = key,
                                        .srtp_profiles = SECURE_DTLS_PROFILES,
                                        .asks_certificate = true };
    if (dtls_context_new(&config, &made) != OK)
        abort();
    return made;
}

/* One certificate for all, and for all seeds. */
static void make_machines(void)
{
    unsigned size = sizeof fingerprint;
    const struct secure_config secure = { SECURE_BEST, 16, 256 };
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 24 * 3600);
    X509_set_pubkey(x, key);
    if (X509_sign(x, key, EVP_sha256()) <= 0 || !X509_digest(x, EVP_sha256(), fingerprint, &size))
        abort();
    context = make_context(x, key);
    far_context = make_context(x, key);
    X509_free(x);
    EVP_PKEY_free(key);
    if (secure_engine_new(&secure, &engine) != OK || secure_engine_new(&secure, &far_engine) != OK)
        abort();
}

/* ---- what goes out ---- */

/* Nothing is sent to who is not subscribed. */
static void check_out(const struct far *far, struct view packet)
{
    struct rtp_packet rtp;
    if (rtp_is_rtcp(packet) || rtp_read(packet, &rtp) != OK)
        return;
    for (struct transceiver *at = NULL; (at = peer_next(far->peer, at));) {
        if (!at->is_announced || at->sender.config.ssrc != rtp.ssrc)
            continue;
        if (!at->subscription || at->is_paused)
            net_fail(&net, "%u gets what it is not subscribed to", far->number);
    }
}

static void flush(void)
{
    uint32_t count;
    const struct rtc_run *runs = rtc_seal(&rtc, &count);
    for (uint32_t r = 0; r < count; r++) {
        struct view rest = runs[r].bytes;
        struct far *far = &fars[runs[r].flow->remote.bytes[3]];
        for (unsigned i = 0; i < runs[r].count; i++) {
            struct view packet = view_slice(rest, 0, runs[r].segment);
            rest = view_slice(rest, runs[r].segment, rest.size);
            if (far->peer && packet.at[0] >= 128)
                check_out(far, packet);
            net_send(&net, far->number, false, runs[r].flow, packet);
        }
    }
    rtc_sent(&rtc);
}

/* ---- the room ---- */

static struct transceiver *slot(const struct far *far, unsigned section)
{
    char mid[4];
    int size = snprintf(mid, sizeof mid, "%u", section);
    return far->peer ? peer_find_mid(far->peer, view_make(mid, (size_t)size)) : NULL;
}

/* Its section for another's picture, or sound. */
static unsigned section_of(unsigned who, unsigned whose, bool is_video)
{
    unsigned place = whose < who ? whose : whose - 1;
    return 2 + 2 * place + !is_video;
}

/* Everyone gets all that there is. */
static void route(void)
{
    for (unsigned i = 0; i < far_count; i++)
        for (unsigned j = 0; j < 2 * far_count; j++) {
            struct transceiver *at =
                i == j / 2 ? NULL : slot(&fars[i], section_of(i, j / 2, j & 1));
            const struct transceiver *source = slot(&fars[j / 2], !(j & 1));
            if (!at)
                continue;
            if (transceiver_subscribe(at, net.now, source ? source->receiving : NULL) != OK)
                net_fail(&net, "%u can't have what %u sends", i, j / 2);
        }
}

static void close_far(struct far *far)
{
    peer_close(far->peer, net.now);
    far_end(far);
    route();
}

static void announce(struct far *far)
{
    char name[16];
    for (unsigned j = 0; j < 2 * far_count; j++) {
        struct transceiver *at =
            far->number == j / 2 ? NULL : slot(far, section_of(far->number, j / 2, j & 1));
        if (!at)
            continue;
        int size = snprintf(name, sizeof name, "t%u", j);
        transceiver_announce(at, VIEW("s"), view_make(name, (size_t)size));
    }
}

static size_t write_offer(const struct far *far, char *at, size_t room)
{
    size_t size = 0;
#define WRITE(...) (size += (size_t)snprintf(at + size, room - size, __VA_ARGS__))
    WRITE("v=0\r\no=- 7 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE");
    for (unsigned i = 0; i < 2 * far_count; i++)
        WRITE(" %u", i);
    WRITE("\r\na=ice-ufrag:f%03u\r\na=ice-pwd:farfarfarfarfarfarfarfa\r\na=setup:actpass\r\n"
          "a=fingerprint:sha-256 ",
          far->restarts);
    for (unsigned i = 0; i < sizeof fingerprint; i++)
        WRITE("%s%02X", i ? ":" : "", fingerprint[i]);
    for (unsigned i = 0; i < 2 * far_count; i++) {
        WRITE("\r\nm=%s\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=mid:%u\r\na=%s\r\n",
              i & 1 ? "audio 9 UDP/TLS/RTP/SAVPF 111" : "video 9 UDP/TLS/RTP/SAVPF 100 101", i,
              i < 2 ? "sendonly" : "recvonly");
        WRITE("%s", i & 1
                        ? "a=rtpmap:111 opus/48000/2"
                        : "a=rtpmap:100 VP8/90000\r\na=rtcp-fb:100 nack\r\n"
                          "a=rtcp-fb:100 nack pli\r\na=rtpmap:101 rtx/90000\r\na=fmtp:101 apt=100");
        if (i == 0)
            WRITE("\r\na=ssrc-group:FID %u %u\r\na=ssrc:%u cname:a\r\na=ssrc:%u cname:a", far->ssrc,
                  far->ssrc + 1, far->ssrc, far->ssrc + 1);
        if (i == 1)
            WRITE("\r\na=ssrc:%u cname:a", far->ssrc + 2);
    }
    WRITE("\r\n");
#undef WRITE
    return size;
}

/* The far end's offer, and its answer. */
static void negotiate(struct far *far)
{
    static char offer[16384];
    static uint8_t answer[65536];
    struct description_error error;
    size_t size = write_offer(far, offer, sizeof offer);
    int status = peer_take_offer(far->peer, net.now, view_make(offer, size), &error);
    if (status != OK) {
        net_fail(&net, "an offer is not taken: %s", error.what);
        return;
    }
    announce(far);
    if (peer_write_answer(far->peer, net.now, (struct span){ answer, sizeof answer }, &size) != OK)
        net_fail(&net, "an answer has no room");
    route();
}

static void join(struct far *far)
{
    const struct peer_config config = { .owner = far, .policy = &END_POLICY };
    struct peer *peer;
    if (peer_open(&sfu, net.now, &config, &peer) != OK) {
        net_fail(&net, "no room for a peer");
        return;
    }
    far_begin(far, peer);
    totals.joined++;
    negotiate(far);
    for (unsigned j = 0; j < 2 * far_count; j++) {
        struct far_watch *watch = &far->watches[j / 2][j & 1];
        *watch = (struct far_watch){ 0 };
        if (j / 2 == far->number)
            continue;
        struct transceiver *at = slot(far, section_of(far->number, j / 2, j & 1));
        if (!at)
            continue;
        watch->ssrc = at->sender.config.ssrc;
        watch->rtx_ssrc = at->sender.config.rtx_ssrc;
        watch_init(&watch->watch, &net, far->number, j / 2, j & 1, net.now);
    }
}

/* ---- time ---- */

static void pump(void)
{
    unsigned times = 0;
    struct peer *peer;
    bool is_all;
    do {
        is_all = sfu_pump(&sfu, net.now);
        flush();
    } while (!is_all && ++times < PUMPS_MAX);
    if (!is_all)
        net_fail(&net, "pumping does not end");
    while ((peer = sfu_poll(&sfu)))
        if (peer->state == PEER_ENDED)
            close_far(peer->owner);
    flush();
}

static void drain(void)
{
    struct rtc_out out;
    for (rtc_poll(&rtc, &out); out.kind != RTC_WAIT; rtc_poll(&rtc, &out))
        sfu_hear(&sfu, net.now, &out);
    pump();
}

static void step(void)
{
    struct net_packet *packet;
    net_go_on(&net);
    while ((packet = net_take(&net))) {
        struct far *far = &fars[packet->whom];
        if (packet->is_to_port) {
            rtc_feed(&rtc, net.now, &packet->flow, (struct span){ packet->bytes, packet->size });
            drain();
        } else if (packet->flow.remote.port == far->flow.remote.port) {
            far_hear(far, view_make(packet->bytes, packet->size));
        }
        net_give(&net, packet);
    }
    rtc_tick(&rtc, net.now);
    drain();
    if (sfu_until(&sfu) <= net.now) {
        sfu_tick(&sfu, net.now);
        pump();
    }
    for (unsigned i = 0; i < far_count; i++)
        far_turn(&fars[i]);
}

/* ---- what befalls them ---- */

static bool once_in(uint32_t times)
{
    return net_pick(&net, times) == 0;
}

static void befall(struct far *far)
{
    if (far->state == FAR_OFF && once_in(100))
        join(far);
    if (far->state == FAR_FAILED && once_in(100))
        close_far(far);
    if (far->state == FAR_DEAD && once_in(400) && far->peer)
        close_far(far); /* its signaling has noticed */
    if (far->state != FAR_CONNECTED)
        return;
    if (once_in(2500)) {
        close_far(far);
    } else if (once_in(2500)) {
        far->state = FAR_DEAD;
        totals.crashed++;
    } else if (once_in(800)) {
        far->restarts++;
        negotiate(far);
        far_restart(far);
        totals.restarted++;
    } else if (once_in(800)) {
        far_renew(far);
        negotiate(far);
        totals.renewed++;
    } else if (once_in(200)) {
        far->is_video_on = !far->is_video_on;
    } else if (once_in(200)) {
        struct transceiver *at = slot(far, 2 + net_pick(&net, 2 * far_count - 2));
        if (at)
            transceiver_pause(at, net.now, !at->is_paused);
    }
    pump();
}

static void calm_down(void)
{
    net.loss = net.doubles = 0;
    memset(net.slow, 0, sizeof net.slow);
    net.delay = 3;
    for (unsigned i = 0; i < far_count; i++) {
        struct far *far = &fars[i];
        if (far->state != FAR_OFF && far->state != FAR_CONNECTED)
            close_far(far);
        if (far->state == FAR_OFF)
            join(far);
        far->is_video_on = true;
        for (unsigned section = 2; section < 2 * far_count; section++)
            if (slot(far, section))
                transceiver_pause(slot(far, section), net.now, false);
    }
    pump();
}

static void check_calm(void)
{
    for (unsigned i = 0; i < far_count; i++)
        for (unsigned j = 0; j < 2 * far_count; j++) {
            const struct watch *watch = &fars[i].watches[j / 2][j & 1].watch;
            if (i == j / 2)
                continue;
            if (watch->shown_at + FRESH < net.now)
                net_fail(&net, "%u does not %s %u, for %u ms", i, j & 1 ? "see" : "hear", j / 2,
                         (unsigned)((net.now - watch->shown_at) / USEC_MS));
        }
}

/* ---- seeds ---- */

static void begin(uint64_t seed)
{
    net_init(&net, seed);
    net.loss = net_chance(&net, 20) ? 0 : net_pick(&net, 15);
    net.doubles = net_pick(&net, 10);
    net.delay = net_pick(&net, 12);
    const struct rtc_config ports = { .dtls = context,
                                      .secure = engine,
                                      .random = &net.random,
                                      .metrics = &metrics,
                                      .transports_max = 8 };
    struct sfu_config config = { .rtc = &rtc,
                                 .random = &net.random,
                                 .metrics = &metrics,
                                 .candidates = { END_CANDIDATES[0] },
                                 .candidate_count = 1,
                                 .peers_max = 8,
                                 .transceivers_max = 64,
                                 .tracks_max = 16 };
    memcpy(config.fingerprint, fingerprint, sizeof fingerprint);
    if (rtc_init(&rtc, &ports, net.now) != OK || sfu_init(&sfu, &config, net.now) != OK)
        abort();
    far_count = 2 + net_pick(&net, NET_FARS_MAX - 1);
    for (unsigned i = 0; i < far_count; i++) {
        far_init(&fars[i], &net, i, far_context, far_engine);
        net.slow[i] = net_chance(&net, 20) ? 25 : 0;
    }
}

static void run_until(usec end, bool is_wild)
{
    while (net.now < end && !net.chance.error[0]) {
        step();
        for (unsigned i = 0; i < far_count && is_wild; i++)
            befall(&fars[i]);
    }
}

static void finish(void)
{
    for (unsigned i = 0; i < far_count; i++) {
        if (fars[i].peer && net_chance(&net, 50))
            close_far(&fars[i]);
        else if (fars[i].peer)
            fars[i].state = FAR_DEAD;
        totals.published += fars[i].published;
        totals.watched += fars[i].watched;
        totals.repeated += fars[i].repeated;
    }
    pump();
}

static void check_empty(void)
{
    if (sfu.peers.used || sfu.transceivers.used || sfu.tracks.tracks.used ||
        sfu.tracks.encodings.used || sfu.arrivals.used)
        net_fail(&net, "something is left of the SFU");
    if (rtc.transports.used || rtc.flows.used || rtc.by_flow.count || rtc.by_ufrag.count)
        net_fail(&net, "something is left of the port");
    if (secure_engine_sessions(engine) || secure_engine_sessions(far_engine))
        net_fail(&net, "keys are left");
}

static bool run_seed(uint64_t seed, uint64_t *hash)
{
    begin(seed);
    run_until(net.now + CHAOS, true);
    calm_down();
    run_until(net.now + CALM, false);
    check_calm();
    finish();
    run_until(net.now + AFTER, false);
    if (!net.chance.error[0])
        check_empty();
    for (unsigned i = 0; i < far_count; i++)
        far_end(&fars[i]);
    *hash = net.chance.hash;
    sfu_free(&sfu);
    rtc_free(&rtc);
    if (net.chance.error[0])
        fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, net.chance.error);
    return !net.chance.error[0];
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    uint64_t hash = 0;
    uint64_t again = 0;
    make_machines();
    for (uint64_t seed = first; seed < first + count; seed++) {
        if (run_seed(seed, &hash))
            continue;
        printf("not ok 1 - seed %llu\n# replay: sim_sfu %llu\n", (unsigned long long)seed,
               (unsigned long long)seed);
        return 1;
    }
    printf("ok 1 - %llu seeds: %llu published, %llu watched, %llu repeated, %llu joined, "
           "%llu crashed, %llu restarted, %llu renewed\n",
           (unsigned long long)count, (unsigned long long)totals.published,
           (unsigned long long)totals.watched, (unsigned long long)totals.repeated,
           (unsigned long long)totals.joined, (unsigned long long)totals.crashed,
           (unsigned long long)totals.restarted, (unsigned long long)totals.renewed);
    bool same = run_seed(first + count - 1, &again) && hash == again;
    printf("%s 2 - the same seed runs the same way\n1..2\n", same ? "ok" : "not ok");
    return same ? 0 : 1;
}
