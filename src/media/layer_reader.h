/* layer_reader.h - what a packet of video is to those who may get it: a frame's beginning, its
 * layers, for which decode targets it is, and where these can be gone over to.
 *
 * It is read once as a packet comes, from the payload's descriptor, and stored with it (struct
 * packet).  A state for each encoding, since not every packet says it all; zeroed at first.
 */
#ifndef MOIM_MEDIA_LAYER_READER_H
#define MOIM_MEDIA_LAYER_READER_H

#include "media/layers.h"
#include "media/packet_ring.h"
#include "wire/dependency_descriptor.h"
#include "wire/payload.h"

struct layer_reader {
    bool has_picture;
    uint32_t picture; /* the timestamp of the newest */
    uint16_t newest;  /* the sequence number of the newest packet */
    bool has_key;
    uint32_t key_timestamp; /* of the last key frame */
    /* VP9: its highest spatial layer */
    bool has_top;
    uint8_t top;
    uint8_t picture_top; /* in the picture that is coming */
    uint8_t below_top;   /* pictures in a row that did not have it */
    bool has_disposable; /* H.264: pictures came to which nothing refers */
    bool has_nesting;    /* H.265: any picture of a higher temporal layer is a switch point */
    /* what dependency descriptors told; NULL: there is no memory for them */
    struct dd_structure *structure;
    uint8_t dd_targets[LAYERS_TARGETS]; /* by ours */
};

/* Fills in what the packet is; its rtp is read, the `bytes` are the packet's.  Sizes of pictures go
 * to the meter.  A packet without a payload (a probe) says nothing.  `descriptor` is its dependency
 * descriptor, which counts for more than the payload; empty: it has none.
 *   ERR_MALFORMED  it is no packet of that codec. */
MUST_USE int layer_reader_read(struct layer_reader *reader, struct layers_meter *meter,
                               enum payload_codec codec, struct view bytes, struct view descriptor,
                               struct packet *packet);

#endif
