/* world.h - what a scenario happens in: virtual time, one worker's media (media/sfu.h), and ends of
 * peer connections, each behind two lines of its own (netem/netem.h).
 *
 * Transports are connected without ICE and DTLS, under keys that both sides are given; what the
 * server sends is sealed, and opened by the end.  What an end sends is handed in as opened, and
 * takes as much of the line as if it were sealed.  Time goes in steps of a millisecond, but packets
 * arrive at an end when the line says so, to the microsecond.
 */
#ifndef MOIM_SIM_QUALITY_WORLD_H
#define MOIM_SIM_QUALITY_WORLD_H

#include "agent/srtp.h"
#include "chance.h"
#include "media/sfu.h"
#include "netem/script.h"

#define WORLD_STEP      USEC_MS
#define WORLD_ENDS_MAX  64
#define WORLD_OVERHEAD  28 /* bytes of IPv4 and UDP */
#define WORLD_SEALED    16 /* what SRTP's tag would add to what an end sends */
#define WORLD_STORE_MAX 32768
#define WORLD_SESSIONS  4

struct world;

/* The other end of a peer connection, to be embedded in what it is. */
struct end {
    struct world *world;
    struct peer *peer;
    uint16_t number;
    /* by the SSRC: one takes SECURE_SOURCES_MAX of them, and a browser any number */
    struct secure_session secure[WORLD_SESSIONS];
    struct netem up, down;
    /* what arrives; `at` is when, which is over by up to a step */
    void (*hear)(struct end *end, usec at, struct view bytes);
    /* who else sends on the line down, with a tag that is not 0; NULL: nobody */
    void (*hear_other)(void *other, const struct netem_packet *packet);
    void *other;
    uint64_t sent_bytes; /* to it by the server, with everything below RTP */
};

struct world {
    struct chance chance;
    struct random random;
    uint64_t seed;
    usec now;
    struct rtc rtc;
    struct sfu sfu;
    struct metrics metrics;
    struct pool store;
    struct secure_engine *engine, *far_engine;
    unsigned end_count;
    struct end *ends[WORLD_ENDS_MAX];
};

/* In worlds that are made from now on: instead of an estimate the server is told what each line
 * takes (of one that is shared: half of that), so that the faults of estimates are not those of
 * what is made of them. */
extern bool world_knows_lines;
void world_init(struct world *world, uint64_t seed);
/* Its ends are over, too. */
void world_free(struct world *world);

/* Connected, with lines that are as these scripts say from now on. */
void world_add(struct world *world, struct end *end, const struct netem_script *up,
               const struct netem_script *down);
void end_send(struct end *end, struct view bytes);

/* Time goes on by a step, and what has arrived is heard.  The owners of the ends do their part
 * afterwards. */
void world_step(struct world *world);
/* Sends what the server has to send, after anything that was asked of it. */
void world_pump(struct world *world);

/* Seconds since the beginning. */
static inline double world_seconds(const struct world *world)
{
    return (double)(world->now - CHANCE_BEGIN) / (double)USEC_S;
}

#endif
