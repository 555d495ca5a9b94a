/* dependency_descriptor.h - reads the Dependency Descriptor, the header extension that tells what a
 * frame depends on and who needs it (RTP Payload Format For AV1, appendix A), for any codec.
 *
 * Pure functions over caller memory.  A sender tells the structure of its stream once, in a key
 * frame, and then speaks of its templates: so the reader has a state for each SSRC, the caller's.
 *
 * Of a stream, the decode targets are what a receiver may choose to decode (a size and a rate); the
 * templates are the kinds of frames that there are; a chain is the frames that a target can't do
 * without.
 */
#ifndef MOIM_WIRE_DEPENDENCY_DESCRIPTOR_H
#define MOIM_WIRE_DEPENDENCY_DESCRIPTOR_H

#include "base/status.h"
#include "base/view.h"

#define DD_TEMPLATES_MAX 64
#define DD_TARGETS_MAX   32
#define DD_CHAINS_MAX    32
#define DD_FDIFFS_MAX    8 /* the format knows no bound; encoders need three */
#define DD_SPATIAL_MAX   4

/* What a frame is to a decode target (decode target indication). */
enum dd_indication { DD_NOT_PRESENT, DD_DISCARDABLE, DD_SWITCH, DD_REQUIRED };

/* What is said of a frame, by its template or by itself. */
struct dd_dependencies {
    uint8_t spatial_id;  /* 0 to 3 */
    uint8_t temporal_id; /* 0 to 7 */
    uint8_t fdiff_count;
    uint16_t fdiffs[DD_FDIFFS_MAX]; /* frame numbers back to those that it refers to: 1 to 4096 */
    uint8_t chain_fdiffs[DD_CHAINS_MAX]; /* frame numbers back to the last of each chain; 0: none */
    uint64_t indications;                /* two bits a decode target: dd_indication_of */
};

/* The state of a stream: all zeros at first, when nothing has been told. */
struct dd_structure {
    uint8_t template_count; /* 0: no structure yet */
    uint8_t template_id_offset;
    uint8_t target_count; /* 1 to 32 */
    uint8_t chain_count;
    uint8_t spatial_count;
    bool has_resolutions;
    uint32_t active_targets;         /* a bit for each decode target, as last told */
    uint16_t frame_number;           /* of the frame that told the structure */
    uint32_t widths[DD_SPATIAL_MAX]; /* by spatial id, where has_resolutions: 1 to 65,536 */
    uint32_t heights[DD_SPATIAL_MAX];
    uint8_t protected_by[DD_TARGETS_MAX]; /* a decode target's chain, where there are any */
    uint8_t target_spatial_ids[DD_TARGETS_MAX];
    uint8_t target_temporal_ids[DD_TARGETS_MAX];
    struct dd_dependencies templates[DD_TEMPLATES_MAX];
};

struct dd_frame {
    bool start_of_frame; /* this packet is the frame's first */
    bool end_of_frame;   /* its last */
    bool has_structure;  /* this packet told one: it is part of a key frame */
    bool has_active;     /* or which decode targets are active */
    uint8_t template_id; /* 0 to 63 */
    uint16_t frame_number;
    struct dd_dependencies dependencies;
};

/* Reads a descriptor, in O(its size); one that bears a structure costs some 10 us.
 *
 *   OK               *frame is valid, and *structure has what it told.
 *   ERR_NOT_FOUND    it speaks of a template that is not known: a structure has been lost.  Ask for
 *                    a key frame; the packet itself may be a good one.
 *   ERR_MALFORMED    drop it and count it.
 *   ERR_LIMIT        more than DD_FDIFFS_MAX fdiffs, or layers past the limits of the format.
 *
 * On error both are untouched.  A packet that comes late and bears an older structure than the one
 * that is known would set it back: let those by that are older than structure->frame_number. */
MUST_USE int dd_read(struct view value, struct dd_structure *structure, struct dd_frame *frame);

/* Puts another frame number into a descriptor that was read, or into a copy of it.  A forwarder
 * that goes over to another stream of a simulcast needs it: receivers take a key frame for an old
 * one if its number is not ahead of the last.  Differences within the descriptor stay true. */
void dd_rewrite(uint8_t *value, uint16_t frame_number);

static inline enum dd_indication dd_indication_of(const struct dd_dependencies *dependencies,
                                                  unsigned target)
{
    return (enum dd_indication)(dependencies->indications >> (2 * target) & 3);
}

/* A descriptor as one line, for a trace; gives its length, cut to `capacity`. */
size_t dd_print(const struct dd_structure *structure, const struct dd_frame *frame, char *out,
                size_t capacity);

#endif
