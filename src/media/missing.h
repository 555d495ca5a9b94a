/* missing.h - the packets of one RTP stream that have not come, and when to ask for them (RFC 4585,
 * generic NACK).
 *
 * A gap is asked for as soon as a packet behind it comes, then again each round trip, until it
 * comes, or is too old to be of use.  A gap that is too long is no loss but a break: only a key
 * frame helps.  No memory of its own; one for each stream.
 */
#ifndef MOIM_MEDIA_MISSING_H
#define MOIM_MEDIA_MISSING_H

#include "base/usec.h"

#include <stdbool.h>
#include <stdint.h>

#define MISSING_MAX       256 /* packets */
#define MISSING_TRIES_MAX 10
#define MISSING_AGE_MAX   (1 * USEC_S)
#define MISSING_EACH_MIN  (20 * USEC_MS) /* however short the round trip */

struct missing_packet {
    uint64_t sequence;
    usec since;
    usec ask_at;
    uint8_t tries;
};

struct missing {
    bool has_begun;
    uint64_t highest;
    uint32_t count;
    struct missing_packet packets[MISSING_MAX]; /* from the lowest up */
};

/* A packet came; `sequence` is unwrapped.  False: so many are missing before it that all are given
 * up, and a key frame is needed. */
bool missing_arrived(struct missing *missing, usec now, uint64_t sequence);

/* Up to `most` that are to be asked for now, into `out`; gives how many.  They are then due again
 * after a round trip.  Those that are given up are forgotten: *gave_up says whether there were. */
uint32_t missing_due(struct missing *missing, usec now, usec round_trip, uint16_t *out,
                     uint32_t most, bool *gave_up);

/* When the next one is due; USEC_NEVER: none is missing. */
usec missing_until(const struct missing *missing);

/* The stream begins anew, or what is missing is of no use any more. */
void missing_forget(struct missing *missing);

#endif
