/* codec.h - real encoders and decoders behind one table of functions. */
#ifndef MOIM_TESTS_DECODE_CODEC_H
#define MOIM_TESTS_DECODE_CODEC_H

#include "image.h"
#include "structure.h"

#define CODED_MAX 60000

/* A frame as it was coded: of a layer. */
struct coded {
    size_t size;
    uint8_t bytes[CODED_MAX];
};

struct encoder_kind {
    /* Pictures of `width` and `height`; the lower layers are halves of it. */
    void *(*open)(unsigned width, unsigned height, const struct structure *structure);
    /* A picture as structure_next told it: a frame for each spatial layer. */
    void (*encode)(void *encoder, const struct image *image, const struct frame *frames,
                   struct coded *out);
    void (*close)(void *encoder);
};

struct decoder_kind {
    void *(*open)(void);
    /* The frames of one picture behind one another.  Gives the (highest) picture; false: there is
     * none, or what came is an error. */
    bool (*decode)(void *decoder, struct view bytes, struct image *image);
    void (*close)(void *decoder);
};

extern const struct encoder_kind ENCODE_VP8, ENCODE_VP9, ENCODE_AV1, ENCODE_H264, ENCODE_H265;
extern const struct decoder_kind DECODE_VP8, DECODE_VP9, DECODE_AV1, DECODE_H264, DECODE_H265;

#endif
