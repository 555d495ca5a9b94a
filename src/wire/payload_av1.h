/* payload_av1.h - what an RTP packet of AV1 holds (RTP Payload Format For AV1, section 4.4).
 *
 * Pure functions over caller memory.
 *
 *       0 1 2 3 4 5 6 7
 *      +-+-+-+-+-+-+-+-+
 *      |Z|Y| W |N|-|-|-|
 *      +-+-+-+-+-+-+-+-+
 */
#ifndef MOIM_WIRE_PAYLOAD_AV1_H
#define MOIM_WIRE_PAYLOAD_AV1_H

#include "base/status.h"
#include "base/view.h"

enum av1_obu {
    AV1_SEQUENCE_HEADER = 1,
    AV1_TEMPORAL_DELIMITER = 2,
    AV1_FRAME_HEADER = 3,
    AV1_TILE_GROUP = 4,
    AV1_METADATA = 5,
    AV1_FRAME = 6,
    AV1_REDUNDANT_FRAME_HEADER = 7
};

/* Views into the payload. */
struct av1 {
    bool continues;           /* Z: the first element is the rest of one before */
    bool continued;           /* Y: the last element goes on in the next packet */
    bool new_sequence;        /* N: the first packet of a coded video sequence, a key frame's */
    uint8_t element_count;    /* of OBU elements, up to 255 */
    bool has_sequence_header; /* one begins here */
    bool starts_frame;        /* a frame or its header begins here */
    bool is_key;              /* N, with the sequence header that it must have */
    bool has_layers;          /* an OBU has the extension; then, of the first that has it: */
    uint8_t temporal_id;      /* 0 to 7 */
    uint8_t spatial_id;       /* 0 to 3 */
    struct view sequence;     /* the first sequence header, with its header (picture_size.h) ... */
    struct view frame;        /* ... and the first frame or its header: as far as it is here */
};

/* ERR_MALFORMED: cut short, elements past the end or of none where they can't be, N with Z. */
MUST_USE int av1_read(struct view payload, struct av1 *av1);

#endif
