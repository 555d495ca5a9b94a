/* sound.h - in which form sound goes to a peer whose line is narrow: a ladder from as it came to
 * hardly more than its own bits.
 *
 * Of Opus as browsers send it more than half are headers, or what was sent before (RED).  So on a
 * line that does not take it all, first only what is new goes, then two and three packets go as one
 * (sender_join); then its publisher is told that a lower bitrate is enough (wanted.h); and where
 * several speak, only those are heard who do now.
 *
 * Down to the first rung that the line takes, at once.  Up again when that has lasted for the
 * patience: one rung each SOUND_EACH, as long as the line would have taken it all the time, or has
 * shown no end; then it has SOUND_PROOF, unless it shows one, for the estimate grows with what
 * comes.  One that had to be left again soon is tried the more seldom the more often that happens.
 * Where much is lost on a rung below the first, one more is gone down: a queue that is always full
 * shows no delay that grows.
 *
 * An estimate can't be more than half as much again as what comes, and a line on which sound alone
 * goes can't be tried with padding: to go up is the probe, so rungs are no more than that apart.
 *
 * Pure; O(1).
 */
#ifndef MOIM_MEDIA_SOUND_H
#define MOIM_MEDIA_SOUND_H

#include "base/usec.h"

#include <stdbool.h>
#include <stdint.h>

#define SOUND_RUNGS         6
#define SOUND_PATIENCE      (30 * USEC_S)
#define SOUND_PATIENCE_MOST (240 * USEC_S)
#define SOUND_EACH          (10 * USEC_S)
#define SOUND_LOSES         10            /* percent: that is much ... */
#define SOUND_LOSES_TRIED   5             /* ... and where it has only just gone up */
#define SOUND_LOST          (5 * USEC_S)  /* what was lost before has no say after that */
#define SOUND_PROOF         (10 * USEC_S) /* one that lasts for so long was no mistake */

struct sound_rung {
    uint16_t ticks;    /* that a packet may have (sender_join); 0: as it came */
    uint32_t bps_most; /* of each track's Opus, that its publisher need send; 0: as it likes */
};
extern const struct sound_rung SOUND_LADDER[SOUND_RUNGS];

/* All sound that goes to a peer, a second, as it comes. */
struct sound_load {
    uint32_t tracks;
    uint32_t packets;
    uint64_t payload_bps;   /* in them ... */
    uint64_t unwrapped_bps; /* ... without what was sent before */
};

/* A peer's; zeroed at first. */
struct sound {
    uint8_t rung;
    usec fits_since; /* the next rung up would; 0: it does not */
    usec rose_at;    /* 0: it never did, or that has lasted */
    usec fell_at;
    uint8_t failed; /* the rung that had to be left again ... */
    usec patience;  /* ... how long it is not tried again, nor are those above; 0: none had to be */
};

/* What so much costs on a rung, with all headers, IP's and UDP's included.  It comes as its
 * publishers send it while `now` is the rung: on a higher one they would send more. */
uint64_t sound_cost(const struct sound_load *load, unsigned rung, unsigned now);

/* What the line takes, in what costs are in, of what it takes of RTP (media/bwe.h): the headers
 * below it are paid as often as packets go now.  0: it is not known. */
uint64_t sound_line(const struct sound *sound, const struct sound_load *going, uint64_t rtp_bps);

enum sound_sign {
    SOUND_OPEN,  /* the line has shown no end, and is only not used */
    SOUND_GROWS, /* nor so far */
    SOUND_ENDS   /* it has, a short time ago: a queue, loss */
};

/* What is known of the line besides. */
struct sound_signs {
    enum sound_sign sign;
    uint8_t loss; /* percent, of the last seconds */
};

/* `line_bps` is what the line takes for sound; 0: it is not known, and all goes as it came.  True:
 * the rung is another one. */
bool sound_run(struct sound *sound, usec now, const struct sound_load *load, uint64_t line_bps,
               struct sound_signs signs);

/* How many of the tracks the line takes, where even the lowest rung is too much: at least one, and
 * more than the `heard` of now only with a third to spare. */
uint32_t sound_room(const struct sound *sound, const struct sound_load *load, uint32_t heard,
                    uint64_t line_bps);

#endif
