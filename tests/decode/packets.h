/* packets.h - coded frames as RTP packets, as browsers make them of each codec, and back. */
#ifndef MOIM_TESTS_DECODE_PACKETS_H
#define MOIM_TESTS_DECODE_PACKETS_H

#include "codec.h"
#include "wire/payload.h"
#include "wire/rtp.h"

#define DD_ID           9
#define PACKETS_PAYLOAD 300 /* bytes: small, so that frames are of several */
#define PACKETS_MAX     256 /* of a picture */

struct mode {
    const char *name;
    enum payload_codec codec;
    uint8_t encodings; /* of a simulcast, each of half the size of the next */
    uint8_t spatial_count;
    uint8_t temporal_count;
    bool is_key_mode;
    bool is_flexible; /* VP9 */
    bool has_descriptors;
    bool hides_descriptors; /* who receives did not agree to them */
};

struct sent {
    size_t size;
    uint8_t bytes[PACKETS_PAYLOAD + 200];
};

/* What one stream counts. */
struct numbers {
    uint32_t ssrc;
    uint32_t timestamp;
    uint16_t sequence;
    uint16_t picture_id;
    uint8_t tl0picidx;
    uint8_t keyidx;
};

/* The packets of a picture, from `frames` as they were coded; gives how many. */
unsigned packets_make(const struct mode *mode, struct numbers *numbers,
                      const struct structure *structure, const struct frame *frames,
                      const struct coded *coded, struct sent *out);

/* A picture as a decoder wants it, put together from payloads in their order. */
struct unit {
    size_t size;
    size_t open_at; /* AV1: of the OBU that is not whole yet */
    bool is_open;
    uint8_t bytes[4 * CODED_MAX];
};

/* False: it is no such codec's payload. */
bool unit_add(struct unit *unit, enum payload_codec codec, struct view payload);

#endif
