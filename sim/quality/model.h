/* model.h - what pictures and sounds are made of here: payloads that are VP8's and Opus' as far as
 * a forwarder looks into them, and say what they are to who "decodes" them.
 *
 * A simulcast of three encodings as browsers send it, each of three temporal layers: frames go 0 2
 * 1 2, and each refers to one other, as `reference` says.
 */
#ifndef MOIM_SIM_QUALITY_MODEL_H
#define MOIM_SIM_QUALITY_MODEL_H

#include "base/usec.h"
#include "base/view.h"
#include "media/track.h"

#define MODEL_ENCODINGS   3
#define MODEL_FPS         30
#define MODEL_FRAME_EACH  (USEC_S / MODEL_FPS)
#define MODEL_SOUND_EACH  (20 * USEC_MS)
#define MODEL_SOUND_SIZE  80 /* 32 kbit/s */
#define MODEL_VIDEO       96 /* payload types */
#define MODEL_VIDEO_RTX   97
#define MODEL_SOUND       111
#define MODEL_CC_ID       3 /* of extensions */
#define MODEL_LEVEL_ID    4
#define MODEL_PAYLOAD_MAX 1150
#define MODEL_HEAD        44 /* bytes that each payload of video has at least */

struct model_size {
    uint16_t width, height;
    uint32_t bps;
};
/* From the lowest to the highest. */
extern const struct model_size MODEL_SIZES[MODEL_ENCODINGS];

/* A packet of a frame. */
struct model {
    uint8_t encoding;
    uint8_t temporal;
    bool is_key;
    bool is_sync;          /* it refers to temporal layer 0 */
    uint16_t index, count; /* among the packets of the frame */
    uint32_t frame;        /* of its encoding */
    uint32_t reference;    /* the frame that must have been decoded; a key frame's is itself */
    uint32_t captured;     /* in units of 100 us */
    uint16_t picture_id;
    uint8_t tl0picidx;
};

/* MODEL_HEAD bytes; what is behind them up to the payload's size is nothing. */
void model_write(const struct model *model, uint8_t *out);
/* False: it is none of these. */
bool model_read(struct view payload, struct model *model);

/* What is agreed with everyone: VP8 with RTX, or Opus; transport-wide numbers, and levels. */
void model_terms(bool is_video, struct media_terms *terms);

#endif
