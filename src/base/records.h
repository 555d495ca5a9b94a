/* records.h - a bounded queue of byte records from one thread to one other, without locks.
 *
 * One thread puts, one takes.  A record is copied in once and read where it lies; nothing is
 * allocated but the queue itself, whose memory is touched as it fills.
 */
#ifndef MOIM_BASE_RECORDS_H
#define MOIM_BASE_RECORDS_H

#include "base/status.h"
#include "base/view.h"

#include <stdatomic.h>

struct records {
    uint8_t *bytes;
    uint32_t mask;
    uint32_t peeked; /* the reader's: what the record that it looks at takes */
    _Alignas(64) _Atomic uint32_t put_at;
    _Alignas(64) _Atomic uint32_t take_at;
};

/* `size` bytes, a power of two from 64 to 2^30.  ERR_MEMORY. */
MUST_USE int records_init(struct records *records, uint32_t size);
void records_free(struct records *records);

/* Puts in what the two views hold, one after the other, as one record; it takes up to 15 bytes more
 * than these.  ERR_LIMIT: there is no room now, or, with more than a third of `size`, never. */
MUST_USE int records_put(struct records *records, struct view first, struct view second);

/* The oldest record, at an address that is a multiple of 8, borrowed until records_drop; false:
 * there is none. */
bool records_peek(struct records *records, struct view *record);
/* Takes out what records_peek gave. */
void records_drop(struct records *records);

#endif
