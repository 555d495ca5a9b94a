/* picture_size.h - how large pictures are, as parameter sets of H.264 and H.265 and AV1's sequence
 * headers say.
 *
 * Pure functions over caller memory, in O(size), for the few packets that bear these: some 100 ns.
 * Nothing else is made of them, so a set that no decoder would take may be read.
 */
#ifndef MOIM_WIRE_PICTURE_SIZE_H
#define MOIM_WIRE_PICTURE_SIZE_H

#include "base/status.h"
#include "base/view.h"

#define PICTURE_SIZE_MAX 65535 /* of a side */

struct picture_size {
    uint16_t width; /* as shown: without what is cropped; 1 to PICTURE_SIZE_MAX */
    uint16_t height;
};

struct h265_sps {
    struct picture_size size;
    /* a receiver of lower temporal layers may have higher ones from any picture of these on */
    bool has_temporal_nesting;
};

/* A NAL unit with its header, of a sequence parameter set (ITU-T H.264, section 7.3.2.1.1; H.265,
 * 7.3.2.2), with its emulation prevention bytes.  What follows the sizes may be cut off.
 *   ERR_MALFORMED    drop it: cut short, of another type, or larger or smaller than can be.
 *   ERR_UNSUPPORTED  H.265: of a layer above the base (its annex F). */
MUST_USE int h264_read_sps(struct view unit, struct picture_size *size);
MUST_USE int h265_read_sps(struct view unit, struct h265_sps *sps);

/* What frame headers are read with. */
struct av1_sequence {
    struct picture_size most; /* of a frame: of those that say no other */
    uint8_t spatial_count;    /* layers that all of it has, as far as it says: 1 to 4 */
    uint8_t width_bits;
    uint8_t height_bits;
    uint8_t order_hint_bits;
    uint8_t frame_id_bits; /* 0: frames have none */
    bool is_reduced;       /* a still picture */
    bool chooses_screen_content;
    bool forces_screen_content;
    bool chooses_integer_mv;
    bool has_decoder_model;
};

/* A sequence header OBU with its header, with or without its size (AV1, section 5.5).
 *   ERR_MALFORMED  drop it. */
MUST_USE int av1_read_sequence(struct view obu, struct av1_sequence *sequence);
/* A frame OBU, or one of a frame header, of a key frame that is shown (section 5.9); what follows
 * the size may be cut off.
 *   ERR_MALFORMED    cut short, or larger than the sequence's.
 *   ERR_UNSUPPORTED  of another kind of frame, or of a sequence with a decoder model. */
MUST_USE int av1_read_key_size(struct view obu, const struct av1_sequence *sequence,
                               struct picture_size *size);

#endif
