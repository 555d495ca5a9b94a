/* The simulation of meetings through the server: sim_sfu [FIRST [COUNT]] runs that many seeds from
 * the first on.
 *
 * Each seed is a world of 1 to 4 workers and 2 to 6 guests, in one or two rooms that are for the
 * SFU alone or change between mesh and SFU by themselves, at one worker or at several, for 25
 * seconds of virtual time, or 80, on bad networks.  They join by the meeting protocol, with ICE,
 * DTLS and SRTP to the media port; leave, crash, lose their WebSocket and resume, lose their UDP,
 * restart ICE, send as other streams, mute, hide tiles, and cross between mesh and SFU.  Then it is
 * calm, and everyone has to come to see and hear everyone; and the end: they leave or vanish, or
 * the servers stop, and nothing is left.
 *
 * What is checked on the way: watch.h, check.h, inside.h, that nobody is told what can't be
 * (guest.c), and far.c's requests for key frames.  A failure prints the command that replays it.
 */
#include "check.h"
#include "inside.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAOS      (25 * USEC_S)
#define CHAOS_LONG (80 * USEC_S) /* in which who lost its network is given up, and comes back */
#define CALM_MOST  (30 * USEC_S) /* until all see and hear all ... */
#define CALM_LEAST (3 * USEC_S)  /* and then they go on to ... */
#define CALM_LONG  (80 * USEC_S) /* or until who crashed is given up, and rooms are meshes again */
#define CALM_GRACE (1 * USEC_S)  /* but while one hears of a crossing before another does */
#define STOP       (2 * USEC_S)
#define AFTER      (85 * USEC_S) /* until silence is noticed, and places are given up */
#define PORT       7000

struct totals {
    uint64_t published, watched, repeated, joins, resumes, crashes, offers, restarted, renewed,
        crossings, rests, noted, recorded;
    usec settling; /* the longest time until all saw and heard all */
};

static struct world world;
static struct net net;
static struct guest guests[NET_FARS_MAX];
static struct check check = { &world, &net, guests, 0 };
static struct server_rtc ports[WORLD_WORKERS_MAX];
static struct dtls_context *far_context;
static struct secure_engine *far_engine;
static uint8_t fingerprint[DTLS_FINGERPRINT_SIZE];
static struct guest_config config;
static struct world_wishes wishes;
static bool is_scarce; /* the server has not places enough for all */
static struct totals totals;

/* ---- machines ---- */

static struct dtls_context *make_context(X509 *x, EVP_PKEY *key)
{
    struct dtls_context *made;
    const struct dtls_config dtls = { .certificate = x,
                                      .key = key,
                                      .srtp_profiles = SECURE_DTLS_PROFILES,
                                      .asks_certificate = true };
    if (dtls_context_new(&dtls, &made) != OK)
        abort();
    return made;
}

static struct secure_engine *make_engine(void)
{
    struct secure_engine *made;
    const struct secure_config secure = { SECURE_BEST, 64, 256 };
    if (secure_engine_new(&secure, &made) != OK)
        abort();
    return made;
}

/* One certificate for all, and for all seeds. */
static void make_machines(void)
{
    unsigned size = sizeof fingerprint;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 24 * 3600);
    X509_set_pubkey(x, key);
    if (X509_sign(x, key, EVP_sha256()) <= 0 || !X509_digest(x, EVP_sha256(), fingerprint, &size))
        abort();
    for (unsigned i = 0; i < WORLD_WORKERS_MAX; i++) {
        ports[i] = (struct server_rtc){
            .dtls = make_context(x, key),
            .secure = make_engine(),
            .candidates = { { ADDRESS_IPV4, { 198, 51, 100, 1 }, (uint16_t)(PORT + i) } },
            .candidate_count = 1,
        };
        memcpy(ports[i].fingerprint, fingerprint, sizeof fingerprint);
    }
    far_context = make_context(x, key);
    far_engine = make_engine();
    X509_free(x);
    EVP_PKEY_free(key);
}

/* ---- time ---- */

static void to_network(void *context, unsigned worker, const struct rtc_run *run)
{
    struct view rest = run->bytes;
    (void)context;
    for (unsigned i = 0; i < run->count; i++) {
        struct view packet = view_slice(rest, 0, run->segment);
        rest = view_slice(rest, run->segment, rest.size);
        net.run = inside_check_out(&world, &net, worker, run->flow, packet);
        net_send(&net, run->flow->remote.bytes[3], false, run->flow, packet);
    }
}

static void deliver(const struct net_packet *packet)
{
    struct far *far = &guests[packet->whom].far;
    if (packet->flow.remote.port == far->flow.remote.port)
        far_hear(far, view_make(packet->bytes, packet->size));
}

/* What arrives at the ports in one step comes at once, or bit by bit. */
static void step(void)
{
    struct net_packet *packet;
    net_go_on(&net);
    world.now = net.now;
    while ((packet = net_take(&net))) {
        if (packet->is_to_port) {
            unsigned worker = packet->flow.local.port - PORT;
            world_feed(&world, worker, &packet->flow, (struct span){ packet->bytes, packet->size });
            if (net_chance(&net, 20))
                world_flush(&world, worker);
        } else {
            deliver(packet);
        }
        net_give(&net, packet);
    }
    for (unsigned i = 0; i < world.worker_count; i++)
        world_flush(&world, i);
    world_turn(&world);
    for (unsigned i = 0; i < check.guest_count; i++)
        guest_turn(&guests[i]);
    if (guests[0].is_calm)
        check_talk(&check);
}

static void run_until(usec end)
{
    while (net.now < end && !net.chance.error[0])
        step();
}

/* ---- seeds ---- */

static void begin(uint64_t seed)
{
    net_init(&net, seed);
    net.loss = net_chance(&net, 20) ? 0 : net_pick(&net, 15);
    net.doubles = net_pick(&net, 10);
    net.delay = net_pick(&net, 12);
    is_scarce = net_chance(&net, 10);
    for (unsigned i = 0; i < WORLD_WORKERS_MAX; i++)
        ports[i].transports_max = is_scarce ? 2 + net_pick(&net, 3) : 4 * NET_FARS_MAX;
    wishes = (struct world_wishes){
        .rtc = ports,
        .topology = { .wish = net_chance(&net, 60) ? TOPOLOGY_AUTO : TOPOLOGY_ALWAYS_SFU,
                      .sfu_members_max = 50 },
        .to_network = to_network,
        .has_roads = net_chance(&net, 50),
        .spread_from = net_pick(&net, 3),
        .last_n = net_chance(&net, 70) ? 0 : 1 + net_pick(&net, 3),
        .loudest_n = net_chance(&net, 60) ? 0 : 1 + net_pick(&net, 3),
    };
    world_init(&world, seed ^ 0x5f5, &wishes);
    config = (struct guest_config){ .world = &world,
                                    .net = &net,
                                    .context = far_context,
                                    .engine = far_engine,
                                    .fingerprint = fingerprint,
                                    .room_count = net_chance(&net, 70) ? 1 : 2,
                                    .has_odd = net_chance(&net, 30) };
    check.guest_count = 2 + net_pick(&net, NET_FARS_MAX - 1);
    for (unsigned i = 0; i < check.guest_count; i++) {
        guest_init(&guests[i], &config, i);
        net.slow[i] = net_chance(&net, 20) ? 25 : 0;
    }
}

static void be_wild(void)
{
    usec end = net.now + (net_chance(&net, 15) ? CHAOS_LONG : CHAOS);
    while (net.now < end && !net.chance.error[0]) {
        step();
        for (unsigned i = 0; i < check.guest_count; i++)
            guest_befall(&guests[i]);
    }
}

/* Until all see and hear all: within that time. */
static void settle(usec time)
{
    usec end = net.now + time;
    char why[100] = "";
    while (!check_settled(&check, why) && net.now < end && !net.chance.error[0])
        step();
    if (!is_scarce && !check_settled(&check, why))
        net_fail(&net, "it has been calm for %u ms, and %s", (unsigned)(time / USEC_MS), why);
}

static void be_calm(void)
{
    usec began = net.now;
    net.loss = net.doubles = 0;
    memset(net.slow, 0, sizeof net.slow);
    net.delay = 3;
    for (unsigned i = 0; i < check.guest_count; i++)
        guest_calm(&guests[i]);
    settle(CALM_MOST);
    usec settling = net.now - began;
    if (!is_scarce && settling > totals.settling)
        totals.settling = settling;
    run_until(net.now + (net_chance(&net, 15) ? CALM_LONG : CALM_LEAST));
    settle(CALM_GRACE);
    check_told(&check);
}

static void finish(void)
{
    if (net_chance(&net, 25)) {
        world_stop(&world);
        run_until(net.now + STOP);
    }
    for (unsigned i = 0; i < check.guest_count; i++) {
        const struct guest *guest = &guests[i];
        guest_finish(&guests[i], net_chance(&net, 50));
        totals.published += guest->far.published;
        totals.watched += guest->far.watched;
        totals.repeated += guest->far.repeated;
        totals.joins += guest->joins;
        totals.resumes += guest->resumes;
        totals.crashes += guest->crashes;
        totals.offers += guest->offers;
        totals.restarted += guest->restarted;
        totals.renewed += guest->renewed;
        totals.crossings += guest->crossings;
        totals.rests += guest->rests;
    }
    run_until(net.now + AFTER);
    for (unsigned i = 0; i < world.worker_count; i++) {
        totals.noted += world.roads[i].noted;
        totals.recorded += world.roads[i].recorded;
    }
}

static bool run_seed(uint64_t seed, uint64_t *hash)
{
    begin(seed);
    be_wild();
    be_calm();
    finish();
    if (!net.chance.error[0])
        inside_check_empty(&world, &net);
    for (unsigned i = 0; i < check.guest_count; i++)
        guest_free(&guests[i]);
    *hash = net.chance.hash ^ world.chance.hash;
    world_free(&world);
    if (secure_engine_sessions(far_engine))
        net_fail(&net, "keys are left");
    if (net.chance.error[0])
        fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, net.chance.error);
    return !net.chance.error[0];
}

static void print_totals(uint64_t count)
{
    printf("ok 1 - %llu seeds: %llu published, %llu watched, %llu repeated, %llu joins, "
           "%llu resumes, %llu crashes, %llu offers, %llu ICE restarts, %llu renewed, "
           "%llu crossings, %llu cameras at rest, %llu notes and %llu records between workers, %u "
           "ms to settle\n",
           (unsigned long long)count, (unsigned long long)totals.published,
           (unsigned long long)totals.watched, (unsigned long long)totals.repeated,
           (unsigned long long)totals.joins, (unsigned long long)totals.resumes,
           (unsigned long long)totals.crashes, (unsigned long long)totals.offers,
           (unsigned long long)totals.restarted, (unsigned long long)totals.renewed,
           (unsigned long long)totals.crossings, (unsigned long long)totals.rests,
           (unsigned long long)totals.noted, (unsigned long long)totals.recorded,
           (unsigned)(totals.settling / USEC_MS));
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
    print_totals(count);
    bool same = run_seed(first + count - 1, &again) && hash == again;
    printf("%s 2 - the same seed runs the same way: %016llx\n1..2\n", same ? "ok" : "not ok",
           (unsigned long long)hash);
    return same ? 0 : 1;
}
