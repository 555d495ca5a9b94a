/* sfu.h - one worker's media: its media port, the peers on it, and the way of packets between
 * them.
 *
 * How to drive it.  In: sfu_feed every datagram that a wake-up brought, SFU_FEED_MAX at most before
 * packets are taken out.  Out: sfu_take_runs until it gives none, sending each time, and sfu_sent
 * after each time.  Then sfu_poll until NULL for what has become of peers.  When sfu_until has
 * come: sfu_tick, and out again.  After every other call (here and in peer.h) there may be
 * something to take out, too.
 *
 * One thread.
 */
#ifndef MOIM_MEDIA_SFU_H
#define MOIM_MEDIA_SFU_H

#include "media/arrivals.h"
#include "media/peer.h"

#define SFU_FEED_MAX       256
#define SFU_CANDIDATES_MAX 16

struct sfu_config {
    struct rtc_config rtc;
    uint8_t fingerprint[DESCRIPTION_FINGERPRINT_SIZE]; /* of our certificate */
    struct description_candidate candidates[SFU_CANDIDATES_MAX];
    uint32_t candidate_count;
    uint32_t peers_max; /* as many as rtc.transports_max */
    uint32_t transceivers_max;
    uint32_t tracks_max;
};

#define SFU_REPEATS_MAX 512 /* packets to be sent again, that wait for the next way out */

struct sfu_repeat {
    struct transceiver *transceiver; /* NULL: it is there no more */
    uint16_t number;
};

/* Its members are sfu.c's and peer*.c's. */
struct sfu {
    struct sfu_config config;
    struct rtc rtc;
    usec rtc_until;
    usec now;
    struct wheel wheel;
    struct pool peers;
    struct pool transceivers;
    struct pool arrivals;
    struct tracks tracks;
    struct list all;     /* peers */
    struct list touched; /* peers */
    struct list news;    /* peers */
    uint32_t repeat_count;
    struct sfu_repeat repeats[SFU_REPEATS_MAX];
    struct sdp *sdp; /* scratch of descriptions, as is the next */
    struct description *description;
};

/* ERR_MEMORY: nothing was made. */
MUST_USE int sfu_init(struct sfu *sfu, const struct sfu_config *config, usec now);
/* Peers are forgotten without a word. */
void sfu_free(struct sfu *sfu);

void sfu_feed(struct sfu *sfu, usec now, const struct ice_flow *flow, struct span datagram);
void sfu_stream_gone(struct sfu *sfu, usec now, const struct ice_flow *flow);
void sfu_tick(struct sfu *sfu, usec now);
usec sfu_until(const struct sfu *sfu);

/* What is to be sent now, as rtc_seal has it.  *count 0: nothing; else sfu_sent is to follow before
 * any other call. */
const struct rtc_run *sfu_take_runs(struct sfu *sfu, usec now, uint32_t *count);
void sfu_sent(struct sfu *sfu);

/* A peer of which `state` has changed; NULL: there is no more.  One that has ended is to be
 * closed. */
struct peer *sfu_poll(struct sfu *sfu);

#endif
