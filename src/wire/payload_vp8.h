/* payload_vp8.h - the payload descriptor of VP8 (RFC 7741, section 4.2), and its numbers anew.
 *
 * Pure functions over caller memory.
 *
 *       0 1 2 3 4 5 6 7
 *      +-+-+-+-+-+-+-+-+
 *      |X|R|N|S|R| PID | (REQUIRED)
 *      +-+-+-+-+-+-+-+-+
 * X:   |I|L|T|K| RSV   | (OPTIONAL)
 *      +-+-+-+-+-+-+-+-+
 * I:   |M| PictureID   | (OPTIONAL), 16 bits with M
 *      +-+-+-+-+-+-+-+-+
 * L:   |   TL0PICIDX   | (OPTIONAL)
 *      +-+-+-+-+-+-+-+-+
 * T/K: |TID|Y| KEYIDX  | (OPTIONAL)
 *      +-+-+-+-+-+-+-+-+
 */
#ifndef MOIM_WIRE_PAYLOAD_VP8_H
#define MOIM_WIRE_PAYLOAD_VP8_H

#include "base/status.h"
#include "base/view.h"

#define VP8_DESCRIPTOR_MAX 6

struct vp8 {
    uint8_t size;         /* of the descriptor */
    bool non_reference;   /* N: no other frame refers to it */
    bool partition_start; /* S */
    uint8_t partition;    /* PID, 0 to 7 */
    bool starts_frame;    /* the first packet of a frame */
    bool is_key;          /* and that is a key frame */
    uint16_t width;       /* of a key frame that has its header whole in this packet; else 0 */
    uint16_t height;
    bool has_picture_id;
    bool has_long_picture_id; /* of 15 bits and not of 7 */
    bool has_tl0picidx;
    bool has_tid;
    bool has_keyidx;
    bool layer_sync; /* Y: refers to the base layer alone, so a receiver may go up here */
    uint8_t tid;
    uint8_t keyidx;
    uint8_t tl0picidx;
    uint16_t picture_id;
};

/* Reads the descriptor, and the beginning of the frame behind it.  ERR_MALFORMED: cut short, or
 * nothing behind the descriptor. */
MUST_USE int vp8_read(struct view payload, struct vp8 *vp8);

/* Puts other numbers into a descriptor that was read as *vp8, or into a copy of it, which keeps its
 * size: of the picture id the 7 or 15 bits that fit, of KEYIDX 5.  What is not there is not put
 * in. */
void vp8_rewrite(uint8_t *descriptor, const struct vp8 *vp8, uint16_t picture_id, uint8_t tl0picidx,
                 uint8_t keyidx);

#endif
