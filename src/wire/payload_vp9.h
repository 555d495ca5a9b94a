/* payload_vp9.h - the payload descriptor of VP9 (RFC 9628, section 4.2).
 *
 * Pure functions over caller memory.
 *
 *       0 1 2 3 4 5 6 7
 *      +-+-+-+-+-+-+-+-+
 *      |I|P|L|F|B|E|V|Z| (REQUIRED)
 *      +-+-+-+-+-+-+-+-+
 * I:   |M| PICTURE ID  | (REQUIRED in flexible mode), 16 bits with M
 *      +-+-+-+-+-+-+-+-+
 * L:   | TID |U| SID |D| (CONDITIONALLY RECOMMENDED)
 *      +-+-+-+-+-+-+-+-+
 *      |   TL0PICIDX   | (with L, and not in flexible mode)
 *      +-+-+-+-+-+-+-+-+
 * P,F: | P_DIFF      |N| (CONDITIONALLY REQUIRED), up to three
 *      +-+-+-+-+-+-+-+-+
 * V:   : SS            : scalability structure
 */
#ifndef MOIM_WIRE_PAYLOAD_VP9_H
#define MOIM_WIRE_PAYLOAD_VP9_H

#include "base/status.h"
#include "base/view.h"

#define VP9_SPATIAL_MAX 8
#define VP9_PDIFFS_MAX  3

struct vp9 {
    uint16_t size;           /* of the descriptor */
    bool inter_picture;      /* P: refers to earlier pictures */
    bool is_flexible;        /* F */
    bool starts_frame;       /* B: the first packet of this layer's frame */
    bool ends_frame;         /* E; the picture's last packet has the marker */
    bool is_upper_reference; /* not Z: a higher spatial layer may refer to it */
    bool is_key;             /* the packet belongs to a key picture's lowest layer */
    bool has_picture_id;
    bool has_long_picture_id;
    bool has_layers;
    bool has_tl0picidx;
    bool switching_up; /* U: a receiver may go up to this temporal layer from here on */
    bool inter_layer;  /* D: refers to the spatial layer below, of the same picture */
    uint8_t tid;       /* 0 to 7 */
    uint8_t sid;       /* 0 to 7 */
    uint8_t tl0picidx;
    uint8_t pdiff_count;
    uint8_t pdiffs[VP9_PDIFFS_MAX]; /* how many pictures back: 0 to 127 */
    uint16_t picture_id;
    /* the scalability structure, with V */
    bool has_structure;
    bool has_resolutions;
    uint8_t spatial_count; /* 1 to 8 */
    uint8_t picture_count; /* of the picture group; 0: it is not told */
    uint16_t widths[VP9_SPATIAL_MAX];
    uint16_t heights[VP9_SPATIAL_MAX];
};

/* ERR_MALFORMED: cut short, nothing behind the descriptor, or four P_DIFFs. */
MUST_USE int vp9_read(struct view payload, struct vp9 *vp9);

#endif
