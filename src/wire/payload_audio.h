/* payload_audio.h - Opus packets (RFC 6716, section 3), and redundant audio (RFC 2198).
 *
 * Pure functions over caller memory.
 */
#ifndef MOIM_WIRE_PAYLOAD_AUDIO_H
#define MOIM_WIRE_PAYLOAD_AUDIO_H

#include "base/status.h"
#include "base/view.h"

#define OPUS_CLOCK     48000 /* of its timestamps, always */
#define OPUS_TICKS_MAX 5760  /* 120 ms */

struct opus {
    uint8_t config; /* 0 to 31 */
    bool is_stereo;
    bool is_silent;       /* DTX: there is nothing in it, a decoder makes comfort noise */
    uint8_t frame_count;  /* 1 to 48 */
    uint16_t frame_ticks; /* of OPUS_CLOCK: 120 to 2880 */
    uint16_t ticks;       /* of the whole packet: up to OPUS_TICKS_MAX */
};

/* Reads the first byte and, of code 3, the count.  ERR_MALFORMED: empty, no frames, or over 120 ms
 * (requirements R1, R5). */
MUST_USE int opus_read(struct view payload, struct opus *opus);

/* ---- RED ---- */

#define RED_BLOCKS_MAX 8

struct red_block {
    uint8_t payload_type;      /* 0 to 127 */
    uint16_t timestamp_offset; /* back from the packet's: 0 to 16,383 */
    struct view payload;
};

/* The blocks in the order in which they stand: the last is the packet's own, and the others what
 * was sent before. */
struct red {
    uint8_t block_count; /* 1 or more */
    struct red_block blocks[RED_BLOCKS_MAX];
};

/* ERR_MALFORMED: cut short, or a block past the end.  ERR_LIMIT: more than RED_BLOCKS_MAX. */
MUST_USE int red_read(struct view payload, struct red *red);

#endif
