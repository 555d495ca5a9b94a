/* structure.h - scalability modes as browsers send them: of each picture, which frames it is coded
 * as, what each of them refers to and who needs it (W3C, Scalable Video Coding Extension for
 * WebRTC; full SVC, and _KEY modes). */
#ifndef MOIM_TESTS_DECODE_STRUCTURE_H
#define MOIM_TESTS_DECODE_STRUCTURE_H

#include "wire/dependency_descriptor.h"

#define SPATIAL_MAX 3
#define SLOTS       8 /* of a codec's reference frames */
#define NO_SLOT     (-1)

struct frame {
    uint8_t spatial, temporal;
    bool is_key;             /* of a key picture */
    bool begins_key;         /* codes without a reference */
    int own_slot;            /* refers to what is there of its own layer; NO_SLOT: to nothing */
    int lower_slot;          /* and to the layer below of the same picture */
    int update_slot;         /* where it is kept; NO_SLOT: nowhere */
    bool is_upper_reference; /* the layer above refers to it */
    bool is_sync;            /* of its own layer it refers to the lowest rate alone */
    uint16_t number;         /* as dependency descriptors count */
    struct dd_dependencies dependencies;
    uint8_t template_id;
};

struct structure {
    uint8_t spatial_count, temporal_count;
    bool is_key_mode;
    unsigned since_key;    /* pictures */
    uint16_t number;       /* of the next frame */
    uint16_t slots[SLOTS]; /* the numbers of the frames there */
    uint16_t chains[SPATIAL_MAX];
    bool has_chain[SPATIAL_MAX];
    struct dd_structure told;
    uint16_t widths[SPATIAL_MAX], heights[SPATIAL_MAX];
};

/* `number` is the first frame's. */
void structure_init(struct structure *structure, unsigned spatial_count, unsigned temporal_count,
                    bool is_key_mode, uint16_t number);
/* The frames of the next picture: spatial_count of them, the lowest first. */
void structure_next(struct structure *structure, bool is_key, struct frame *frames);
/* Whether a target needs the frame. */
bool frame_is_for(const struct structure *structure, const struct frame *frame, unsigned spatial,
                  unsigned temporal);
/* The descriptor of a packet of it; gives its size. */
size_t structure_write(const struct structure *structure, const struct frame *frame, bool is_first,
                       bool is_last, uint8_t *out, size_t capacity);

#endif
