/* layers.h - what a track can be had as: its encodings (of a simulcast), and of each of these the
 * spatial and temporal layers, with what they cost and show, as measured.
 *
 * A decode target is what a receiver gets: a spatial layer and a temporal one, with all that these
 * need and nothing else.  Where an encoding has fewer layers than a target says, the target is its
 * highest.  One thread; no memory of its own.
 */
#ifndef MOIM_MEDIA_LAYERS_H
#define MOIM_MEDIA_LAYERS_H

#include "base/usec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAYERS_SPATIAL  4 /* 0 to 3: higher ones count as these */
#define LAYERS_TEMPORAL 4
#define LAYERS_TARGETS  (LAYERS_SPATIAL * LAYERS_TEMPORAL)
#define LAYERS_MAX      (4 * LAYERS_TARGETS) /* of a track: TRACK_ENCODINGS_MAX of them */

#define LAYER_BEST 255 /* in a layer_target: the best that there is */

/* What is wanted for a receiver. */
struct layer_target {
    uint8_t encoding; /* an index among the track's, or LAYER_BEST */
    uint8_t spatial;  /* 0 is the lowest; LAYER_BEST, or more than there are: the highest */
    uint8_t temporal; /* the same */
};

#define LAYER_TARGET_BEST                                                                          \
    ((struct layer_target){ .encoding = LAYER_BEST, .spatial = LAYER_BEST, .temporal = LAYER_BEST })

/* One that can be had. */
struct layer {
    uint8_t encoding;
    uint8_t spatial;
    uint8_t temporal;
    uint8_t fps;     /* 0: not known yet */
    uint16_t width;  /* 0: not known (yet) */
    uint16_t height; /* the same */
    uint64_t bps;    /* of RTP packets, of all layers that it takes: over the last second or so */
};

/* ---- sets of targets ---- */

#define LAYERS_ALL 0xffffu

/* A target's number, for a bit in a set of them. */
static inline unsigned layers_target(unsigned spatial, unsigned temporal)
{
    unsigned s = spatial < LAYERS_SPATIAL ? spatial : LAYERS_SPATIAL - 1;
    unsigned t = temporal < LAYERS_TEMPORAL ? temporal : LAYERS_TEMPORAL - 1;
    return s * LAYERS_TEMPORAL + t;
}

/* ---- measured ---- */

/* Of one encoding.  All zeros at first. */
struct layers_meter {
    usec since;                          /* of the half of the window that is being filled */
    usec earlier;                        /* how long the half before it was; 0: there is none */
    uint32_t bytes[2][LAYERS_TARGETS];   /* in the half of now, and in the one before */
    uint32_t frames[2][LAYERS_TEMPORAL]; /* by the lowest temporal layer that shows them */
    uint16_t seen[2];                    /* of which layers packets came */
    bool has_frame;
    uint32_t timestamp; /* of the last frame */
    uint16_t widths[LAYERS_SPATIAL];
    uint16_t heights[LAYERS_SPATIAL];
};

struct packet;
/* A packet came, of `size` bytes; some 10 ns. */
void layers_measure(struct layers_meter *meter, usec now, const struct packet *packet, size_t size);
/* How large its pictures are, as a key frame says. */
void layers_set_size(struct layers_meter *meter, unsigned spatial, uint32_t width, uint32_t height);

struct track;
/* What the track can be had as: of the encodings that are heard the layers that have come of late;
 * from the lowest encoding to the highest, of each from the lowest spatial layer to the highest, of
 * each of these from the lowest temporal layer to the highest.  Gives how many, at most `max`.
 * A track of audio has one, with all that it sends. */
uint32_t track_layers(const struct track *track, usec now, struct layer *out, uint32_t max);

#endif
