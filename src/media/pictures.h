/* pictures.h - the numbers that VP8 and VP9 give pictures in their payload descriptors, and those
 * of frames in dependency descriptors, made continuous for a receiver: over a switch to another
 * stream, and (VP8's, of which receivers expect no gap) where pictures are left out.
 *
 * A dependency descriptor, and VP9, refers to what is earlier by the distance of its number (or
 * VP9's structure counts by them), so there the gaps of what is left out stay.  Pure functions over
 * the caller's memory.  The same packet always gets the same bytes.
 */
#ifndef MOIM_MEDIA_PICTURES_H
#define MOIM_MEDIA_PICTURES_H

#include "media/packet_ring.h"
#include "media/renumbering.h"

#define PICTURES_OWN_MAX 6 /* bytes of a descriptor's beginning */
#define PICTURES_PATTERN 8 /* pictures, from one of the lowest temporal layer to the next */

/* All zeros at first. */
struct pictures {
    struct renumbering ids; /* from those of the stream to ours */
    bool has_ids;
    bool is_changed; /* ours are others */
    /* VP8: which temporal layers follow one another */
    uint64_t base;                     /* the last of the lowest one, as an id of the stream */
    uint8_t period;                    /* pictures between two of these; 0: not known yet */
    uint8_t pattern[PICTURES_PATTERN]; /* of the n-th behind one; 0: not known yet */
    uint8_t base_tl0picidx;            /* the stream's, of `base` ... */
    uint8_t last_tl0picidx;            /* ... and of the newest */
    uint8_t tl0picidx_added;
    uint8_t keyidx_added;
    uint8_t tl0picidx; /* ours, as they went out last */
    uint8_t keyidx;
    bool has_frames;
    uint16_t frames_added;
    uint16_t frame; /* ours, as it went out last */
};

/* A stream begins with that key frame. */
void pictures_begin(struct pictures *pictures, const struct packet *packet);
/* A packet, later than all before, goes on or does not.  Of pictures that are missing before it, a
 * number is held for those that are held to be of temporal layers up to `temporal`. */
void pictures_next(struct pictures *pictures, const struct packet *packet, bool is_kept,
                   unsigned temporal);
/* Whether there is a number for its picture: for one that came late none may have been held. */
bool pictures_have(const struct pictures *pictures, const struct packet *packet);
/* What the payload of a packet begins with instead: gives how many bytes, at most PICTURES_OWN_MAX,
 * were written in the place of as many; 0: it stays as it is. */
size_t pictures_write(const struct pictures *pictures, const struct packet *packet,
                      struct view payload, uint8_t *out);
/* The number of its frame, where it has one. */
static inline uint16_t pictures_frame(const struct pictures *pictures, const struct packet *packet)
{
    return (uint16_t)(packet->frame_number + pictures->frames_added);
}

#endif
