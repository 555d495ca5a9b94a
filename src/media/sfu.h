/* sfu.h - one worker's media: the peers on its media port, and the way of packets between them.
 *
 * How to drive it.  The port is the caller's, who hands over what comes of transports that peers
 * have opened (sfu_hear).  When all that a wake-up brought has been heard (SFU_HEAR_MAX packets at
 * most before that), sfu_pump queues what is to be sent: rtc_seal, send and call it again until it
 * has queued all.  Then sfu_poll until NULL for what has become of peers.  When sfu_until has come:
 * sfu_tick, and sfu_pump again.  After every other call (here and in peer.h) there may be something
 * to pump, too; the port is drained after each of these.
 *
 * One thread.
 */
#ifndef MOIM_MEDIA_SFU_H
#define MOIM_MEDIA_SFU_H

#include "media/arrivals.h"
#include "media/peer.h"
#include "media/remb.h"

#define SFU_HEAR_MAX       256
#define SFU_MESSAGE_MAX    (256 * 1024)   /* bytes, of a data channel */
#define SFU_COMPANY        (20 * USEC_MS) /* so late reports are at most, where no media goes out */
#define SFU_CANDIDATES_MAX 16

struct sfu_config {
    struct rtc *rtc; /* borrowed, as are the next three */
    const struct random *random;
    struct metrics *metrics;
    struct buffers *buffers; /* of messages on data channels; NULL: there are no channels */
    uint8_t fingerprint[DESCRIPTION_FINGERPRINT_SIZE]; /* of our certificate */
    struct description_candidate candidates[SFU_CANDIDATES_MAX];
    uint32_t candidate_count;
    uint32_t peers_max;
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
    struct metrics *metrics;
    usec now;
    struct wheel wheel;
    struct wheel calm; /* what may wait until something else goes out: SFU_COMPANY at most */
    struct pool peers;
    struct pool transceivers;
    struct pool arrivals;
    struct pool rembs;
    struct pool estimates; /* of what the lines take of peers that something is sent to */
    struct pool histories; /* of those of them that much is sent to */
    struct tracks tracks;
    struct sctp sctp;
    struct pool data_far; /* channels that are open at other workers */
    usec data_until;
    usec held_until;     /* the rest of some picture is waited for */
    struct list all;     /* peers */
    struct list touched; /* peers */
    struct list news;    /* peers */
    struct list shared;  /* peers */
    struct list waking;  /* speakers */
    struct list wanted;  /* peers */
    struct list pacing;  /* pacers of peers */
    uint32_t repeat_count;
    struct sfu_repeat repeats[SFU_REPEATS_MAX];
    struct sdp *sdp; /* scratch of descriptions, as is the next */
    struct description *description;
    struct sfu_shares *shares; /* scratch of what a line is shared among */
};

/* ERR_MEMORY: nothing was made. */
MUST_USE int sfu_init(struct sfu *sfu, const struct sfu_config *config, usec now);
/* Peers are forgotten without a word. */
void sfu_free(struct sfu *sfu);

/* What rtc_poll gave (but RTC_WAIT), of a transport whose owner is a peer. */
void sfu_hear(struct sfu *sfu, usec now, const struct rtc_out *out);
/* Queues what is to be sent.  False: the batch is full, and there is more. */
bool sfu_pump(struct sfu *sfu, usec now);
void sfu_tick(struct sfu *sfu, usec now);
usec sfu_until(const struct sfu *sfu);

/* The open peer with the lowest number from *index on, which is then the one behind it; NULL: there
 * is no more.  A peer keeps its number. */
struct peer *sfu_next(const struct sfu *sfu, uint32_t *index);

/* A peer of which `state` has changed; NULL: there is no more.  One that has ended is to be
 * closed. */
struct peer *sfu_poll(struct sfu *sfu);
/* A peer of which the `share` of some transceivers has changed (their layer, or its reason); NULL:
 * there is no more.  To be asked behind sfu_pump, when there is time; who does not care need
 * not. */
struct peer *sfu_poll_shared(struct sfu *sfu);
static inline bool sfu_has_shared(const struct sfu *sfu)
{
    return !list_empty(&sfu->shared);
}
/* A peer that is connected now, or of which a track has begun, or is wanted in other encodings than
 * it was (track->wanted, media/wanted.h); NULL: there is no more.  As above. */
struct peer *sfu_poll_wanted(struct sfu *sfu);
static inline bool sfu_has_wanted(const struct sfu *sfu)
{
    return !list_empty(&sfu->wanted);
}
/* Speakers of whom somebody speaks, or whose `changes` are others: in this wake-up; NULL: there are
 * no more.  Before sfu_pump. */
struct speakers *sfu_poll_speakers(struct sfu *sfu);

#endif
