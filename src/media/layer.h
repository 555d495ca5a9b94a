/* layer.h - one of the ways in which a video track can be had: an encoding of a simulcast, up to a
 * spatial and a temporal layer of it, with all that these depend on. */
#ifndef MOIM_MEDIA_LAYER_H
#define MOIM_MEDIA_LAYER_H

#include <stdint.h>

struct layer {
    uint8_t encoding; /* among the track's */
    uint8_t spatial;
    uint8_t temporal;
    uint8_t fps;    /* frames a second; 0: not known */
    uint16_t width; /* of the picture; 0: not known */
    uint16_t height;
    uint64_t bps; /* what it costs, with all that it depends on */
};

#endif
