/* srtp_window.h - which packets of a stream have been: the index of a packet, guessed from its
 * sequence number (RFC 3711, section 3.3.1), and the list of those before (section 3.3.2).
 *
 * The index is the rollover counter and the sequence number: 48 bits, of which a packet carries 16.
 * Of SRTCP it is all there, 31 bits, and only the list is used.
 *
 * The list is a ring of bits, of which one word is written a packet (RFC 6479).  Zeroed memory is a
 * stream of which nothing has been.
 */
#ifndef MOIM_AGENT_SRTP_WINDOW_H
#define MOIM_AGENT_SRTP_WINDOW_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

#define SECURE_WINDOW       384 /* packets: what is farther behind the highest is too old */
#define SECURE_WINDOW_WORDS (SECURE_WINDOW / 64 + 1)

#define SECURE_INDEX_MAX ((UINT64_C(1) << 48) - 1)

/* One cache line, where it is aligned so. */
struct secure_window {
    uint64_t highest; /* index; its own bit is set unless nothing has been */
    uint64_t seen[SECURE_WINDOW_WORDS];
};

/* Whether nothing has been. */
bool secure_window_empty(const struct secure_window *window);

/* The index that is nearest to the highest one.  OK; ERR_LIMIT: it would be over SECURE_INDEX_MAX,
 * and the keys are used up; ERR_OLD: it would be below 0.  On error *index is untouched. */
MUST_USE int secure_window_guess(const struct secure_window *window, uint16_t sequence,
                                 uint64_t *index);

/* OK: `index` has not been.  ERR_REPLAYED: it has.  ERR_OLD: who knows. */
MUST_USE int secure_window_check(const struct secure_window *window, uint64_t index);

/* Notes it; it is not too old. */
void secure_window_add(struct secure_window *window, uint64_t index);

#endif
