/* receiver.h - a browser's end: packets in order again, lost ones asked for, whole pictures
 * decoded, and, where nothing can be decoded any more, a key frame waited for. */
#ifndef MOIM_TESTS_DECODE_RECEIVER_H
#define MOIM_TESTS_DECODE_RECEIVER_H

#include "packets.h"

#define RECEIVER_SLOTS 2048
#define GIVES_UP       12 /* pictures' time that a packet is waited for */

struct received {
    bool is_there;
    bool is_empty;
    unsigned asked; /* how often */
    unsigned since; /* when it was missed first: pictures */
    struct sent sent;
    struct rtp_packet rtp;
};

/* What the packets of the picture that was decoded last said of it. */
struct told {
    bool is_key;
    bool has_frame; /* of dependency descriptors: */
    uint16_t frame_numbers[SPATIAL_MAX];
    unsigned frame_count;
    unsigned spatial;        /* the highest */
    unsigned active_spatial; /* the highest that is said to be sent */
    unsigned active_temporal;
    uint16_t picture_id; /* VP8's and VP9's */
    uint8_t tl0picidx;
    uint8_t temporal;
    bool has_picture_id;
    bool has_tl0picidx;
};

struct receiver {
    const struct mode *mode;
    const struct decoder_kind *kind;
    void *decoder;
    uint64_t next;    /* number of the first packet of the picture that is waited for */
    uint64_t highest; /* 0: none came */
    bool needs_key;
    unsigned now; /* pictures' time */
    unsigned key_asks;
    unsigned repeated;
    struct dd_structure structure;
    bool had_frame[65536]; /* by number: decoded, since a key frame */
    struct told told;
    struct unit unit;
    struct image image;
    struct received slots[RECEIVER_SLOTS];
};

void receiver_init(struct receiver *receiver, const struct mode *mode,
                   const struct decoder_kind *kind);
void receiver_free(struct receiver *receiver);
/* A packet as it came; one that is repeated has its own number before the payload. */
void receiver_hear(struct receiver *receiver, struct view bytes, bool is_repeat);
/* Decodes the next picture, if it is whole.  False: there is none.  A picture that can't be decoded
 * ends the program. */
bool receiver_decode(struct receiver *receiver);
/* The numbers to ask for now; gives how many.  *wants_key: it can't go on. */
unsigned receiver_missing(struct receiver *receiver, uint16_t *numbers, unsigned max,
                          bool *wants_key);

#endif
