/* payload_audio.h - Opus packets (RFC 6716, section 3), and redundant audio (RFC 2198).
 *
 * Pure functions over caller memory.
 */
#ifndef MOIM_WIRE_PAYLOAD_AUDIO_H
#define MOIM_WIRE_PAYLOAD_AUDIO_H

#include "base/status.h"
#include "base/view.h"

#include <stdbool.h>

#define OPUS_CLOCK     48000 /* of its timestamps, always */
#define OPUS_TICKS_MAX 5760  /* 120 ms */
#define OPUS_FRAME_MAX 1275  /* bytes (requirement R2) */

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

/* ---- several packets as one (section 3.2) ---- */

#define OPUS_JOIN_MAX     6                             /* packets: 120 ms of the usual 20 */
#define OPUS_JOINED_EXTRA (2 + 2 * (OPUS_JOIN_MAX - 1)) /* bytes that are written around frames */

/* Whether a packet that was read can be a part of a longer one: one frame, and not of silence. */
static inline bool opus_joins(const struct opus *opus, struct view payload)
{
    return opus->frame_count == 1 && (payload.at[0] & 3) == 0 && !opus->is_silent &&
           payload.size - 1 <= OPUS_FRAME_MAX;
}

/* Writes `count` packets (2 to OPUS_JOIN_MAX, at most 120 ms), for all of which opus_joins holds
 * and which begin with the same byte, as one that decodes to what they decode to one after the
 * other: of code 1, 2 or 3, whichever is shortest.  `out` has room for all of them and
 * OPUS_JOINED_EXTRA; gives the size. */
size_t opus_join(const struct view *packets, unsigned count, uint8_t *out);

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
