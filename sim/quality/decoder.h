/* decoder.h - what a receiver makes of one stream of video: puts frames together, decodes them in
 * their order, shows them through a jitter buffer, and counts what a person would see of it.
 *
 * A frame is decoded when it is whole and the one that it refers to was decoded: anything else that
 * comes in its turn is a picture that would be corrupt (`corrupt`), and there must be none.  A
 * frame that is missing is waited for; in its place goes on whatever can be decoded without it, as
 * soon as it has been ready for DECODER_PATIENCE.
 *
 * A freeze is what browsers' statistics call so: a gap between two pictures of more than three mean
 * ones, and of more than one and 150 ms.
 */
#ifndef MOIM_SIM_QUALITY_DECODER_H
#define MOIM_SIM_QUALITY_DECODER_H

#include "quality/model.h"

#define DECODER_PACKETS  2048
#define DECODER_FRAMES   64
#define DECODER_PATIENCE (100 * USEC_MS)

struct decoder_packet {
    uint64_t sequence; /* 0: none */
    struct model model;
    bool is_padding; /* a number that bears nothing */
    usec at;
};

struct decoder {
    uint64_t highest; /* 0: nothing has come */
    uint64_t next;    /* to be decoded; 0: waits for a key frame ... */
    uint64_t after;   /* ... behind this one */
    usec stuck_at;    /* since when it waits while more has come; 0: it does not */
    struct decoder_packet packets[DECODER_PACKETS];
    uint32_t decoded[DECODER_FRAMES]; /* of the encoding that is shown */
    uint8_t encoding, temporal;       /* of the last frame */
    uint16_t picture_id;
    bool has_picture;
    bool has_skipped;  /* since the last key frame: what comes may refer to what was skipped */
    double buffer;     /* us from capture to the screen: what the jitter buffer holds it at */
    usec shown_at;     /* the last picture; 0: none yet */
    double frame_each; /* us, the mean */
    /* what is to be looked at */
    uint64_t shown;
    uint64_t key_frames;
    uint64_t switches; /* to another encoding */
    uint64_t corrupt;  /* frames that can't be decoded, though nothing is missing */
    uint64_t skipped;  /* times that it went on without what was missing */
    uint64_t cut;      /* frames that were not sent to their end, before a key frame */
    uint64_t jumps;    /* picture ids that do not follow one another, with nothing missing */
    usec frozen;       /* all together */
    usec frozen_most;  /* the longest */
    usec frozen_from;  /* the last one's beginning and end */
    usec frozen_to;
};

/* A packet of the stream; again, or too late: nothing happens.  A payload of no bytes is padding.
 * False: it is none that the model makes. */
bool decoder_hear(struct decoder *decoder, usec at, uint64_t sequence, struct view payload);
/* Time goes on: goes on without what is missing. */
void decoder_turn(struct decoder *decoder, usec now);
/* Nothing can be shown but after a key frame. */
static inline bool decoder_wants_key(const struct decoder *decoder)
{
    return decoder->next == 0;
}
/* What was missing is given up. */
void decoder_give_up(struct decoder *decoder);
/* How long it has shown nothing new that should have been: 0: it goes on. */
usec decoder_frozen(const struct decoder *decoder, usec now);
/* A pause that is meant: what was, does not count as a freeze. */
void decoder_rest(struct decoder *decoder);

#endif
