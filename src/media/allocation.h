/* allocation.h - how one subscriber's line is shared among the tracks that it receives: to each
 * one of its layers, or a pause with its reason.
 *
 * Audio always gets what it takes.  Of what is left each picture first gets its lowest layer, then
 * those of the highest priority (the pinned, the speaker) all that they can use, then those of the
 * next; within a priority all are raised step by step, those in larger windows first.  No picture
 * gets a layer that is much larger than its window.
 *
 * The lowest layer is begun whatever the budget is, and given up only where the line loses much and
 * the budget has been too small for it for ALLOCATION_PATIENCE: an estimate may fall far where
 * nothing is wrong with the line, as where a machine has too much to do, and to see something is
 * worth more than a queue.  What was given up so is begun again when the budget takes it.  Else:
 *
 * Down at once, up with care: a layer that a track does not have yet must fit with ALLOCATION_ROOM
 * to spare into the least of the budgets of the last ALLOCATION_LASTS, and not cost what was too
 * much a short time ago.  So a budget that trembles does not show.
 *
 * Sums over the caller's memory; nothing is sent or kept here.  What is to be decided again is
 * decided by calling it again with the same tracks.
 */
#ifndef MOIM_MEDIA_ALLOCATION_H
#define MOIM_MEDIA_ALLOCATION_H

#include <stdbool.h>

#include "base/usec.h"
#include "media/layers.h"

#define ALLOCATION_TRACKS_MAX 512 /* of one subscriber */
#define ALLOCATION_NONE       255 /* no layer: the track is paused */
#define ALLOCATION_ANY_SIZE   UINT16_MAX
#define ALLOCATION_ANY_LAYER  UINT64_MAX

#define ALLOCATION_SLOT     (250 * USEC_MS)
#define ALLOCATION_SLOTS    8
#define ALLOCATION_LASTS    (ALLOCATION_SLOTS * ALLOCATION_SLOT)
#define ALLOCATION_PATIENT  16 /* slots */
#define ALLOCATION_PATIENCE (ALLOCATION_PATIENT * ALLOCATION_SLOT)
#define ALLOCATION_ROOM     32 /* the part of the budget that a rise leaves free */

/* A layer that had to be given up so soon after it was begun has failed, and is not tried again for
 * ALLOCATION_RETRY, then for twice as long, and so on up to ALLOCATION_RETRY_MOST; unless there is
 * a third more than it needs. */
#define ALLOCATION_PROOF      (5 * USEC_S)
#define ALLOCATION_RETRY      (4 * USEC_S)
#define ALLOCATION_RETRY_MOST (32 * USEC_S)

/* Why a track is not as good as its publisher sends it; the name is what clients are told. */
#define ALLOCATION_REASONS(X)                                                                      \
    X(ALLOCATION_FULL, "none")           /* it is */                                               \
    X(ALLOCATION_WINDOW, "window")       /* more would not be seen in its window */                \
    X(ALLOCATION_BANDWIDTH, "bandwidth") /* the line does not take more */                         \
    X(ALLOCATION_HIDDEN, "hidden")       /* paused: it is shown nowhere */                         \
    X(ALLOCATION_LAST_N, "last-n")       /* paused: others spoke later, or louder */               \
    X(ALLOCATION_PAUSED, "paused")       /* by whoever receives it, or by the room's rules */      \
    X(ALLOCATION_SILENT, "silent")       /* its publisher sends nothing */

enum allocation_reason {
#define ALLOCATION_REASON_ENUM(name, text) name,
    ALLOCATION_REASONS(ALLOCATION_REASON_ENUM)
#undef ALLOCATION_REASON_ENUM
};

/* Static. */
const char *allocation_reason_name(enum allocation_reason reason);

/* What a track had last; zeroed when it is new.  allocation_run's. */
struct allocation_held {
    bool has_been;   /* decided upon */
    bool was_scarce; /* and paused, since the line was too narrow */
    bool has_layer;
    struct layer layer;
    usec rose_at;
    usec retry_at;       /* what has failed may be tried again then; 0: nothing has */
    usec retry_after;    /* how long the last wait was */
    uint64_t failed_bps; /* what it cost */
    uint8_t failed_priority;
};

struct allocation_track {
    /* in */
    bool is_audio;
    bool is_paused;             /* ALLOCATION_PAUSED */
    bool is_left_out;           /* ALLOCATION_LAST_N */
    uint8_t priority;           /* higher ones first */
    uint16_t width;             /* of its window, in pixels of the screen; 0: hidden ... */
    uint16_t height;            /* ... ALLOCATION_ANY_SIZE: not known */
    uint8_t layer_count;        /* 0: nothing comes in; at most LAYERS_MAX */
    uint64_t may_have;          /* of the layers, by their index: a bit each */
    const struct layer *layers; /* the poorest first; of audio the first one counts */
    /* in and out */
    struct allocation_held held;
    /* out */
    uint8_t layer;  /* index, or ALLOCATION_NONE */
    uint8_t reason; /* enum allocation_reason */
    /* the steps that it could take, and where it is: allocation.c's */
    uint8_t step_count;
    uint8_t steps[LAYERS_MAX];
    int8_t held_step;
    int8_t step; /* -1: paused */
};

/* Whether a picture of so many pixels is enough for a window, where one of `held` pixels is shown:
 * it has three of its four; to go down to it, all of them. */
static inline bool allocation_is_enough(uint64_t area, uint64_t window, uint32_t held)
{
    return area < held ? area >= window : area * 4 >= window * 3;
}

/* A subscriber's; zeroed at first. */
struct allocation {
    /* in */
    bool loses; /* the line does, much */
    /* out, of the last run */
    uint64_t given_bps;  /* what all that was given costs, audio included */
    uint64_t wanted_bps; /* what it would with a line of any width */
    uint64_t next_bps;   /* with this budget something would rise; 0: nothing can */
    usec until;          /* run it again then, though nothing has changed; USEC_NEVER: no need */
    /* allocation.c's */
    bool has_begun;
    uint64_t slot;
    uint64_t last_bps;
    uint64_t least[ALLOCATION_SLOTS];  /* of the budgets of each slot */
    uint64_t most[ALLOCATION_PATIENT]; /* the same */
};

/* Shares the budget (bits a second) among the tracks: at most ALLOCATION_TRACKS_MAX.  What is
 * given never costs more than the budget, but for audio, and for the lowest layers as said.  Time
 * does not go back. */
void allocation_run(struct allocation *allocation, usec now, uint64_t budget_bps,
                    struct allocation_track *tracks, uint32_t count);

#endif
