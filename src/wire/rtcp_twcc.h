/* rtcp_twcc.h - the feedback of transport-wide congestion control: which packets came, and when
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1).
 *
 * Pure functions over caller memory.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |      base sequence number     |      packet status count      |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                 reference time                | fb pkt. count |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     :   packet chunks of 16 bits, then receive deltas of 8 or 16    :
 */
#ifndef MOIM_WIRE_RTCP_TWCC_H
#define MOIM_WIRE_RTCP_TWCC_H

#include "base/usec.h"
#include "wire/rtcp_feedback.h"

#define TWCC_DELTA_US      250
#define TWCC_REFERENCE_US  64000
#define TWCC_REFERENCE_MAX (1 << 24) /* it wraps: after 12 days and a half */

struct twcc {
    uint16_t base_sequence_number;
    uint16_t status_count;   /* 1 or more */
    uint32_t reference_time; /* in TWCC_REFERENCE_US, below TWCC_REFERENCE_MAX */
    uint8_t feedback_count;  /* of the feedbacks, modulo 256 */
    struct view chunks;
    struct view deltas;
};

/* Reads a feedback of format RTCP_TRANSPORT_CC, in O(status_count).
 *   ERR_MALFORMED  drop it and count it: fewer chunks or deltas than its statuses need, a status
 *                  that is reserved, or no statuses. */
MUST_USE int twcc_read(const struct rtcp_feedback *feedback, struct twcc *twcc);

/* One status: of the packets from the base on, one after the other. */
struct twcc_status {
    uint16_t sequence_number;
    bool received;
    int64_t at_us; /* when it came, counted from the reference time; where received */
};

/* Goes through the statuses of what twcc_read has read. */
struct twcc_reader {
    struct view chunks;
    struct view deltas;
    uint16_t sequence_number; /* of the next */
    uint16_t statuses_left;
    uint16_t chunk;
    unsigned symbols_left; /* in the chunk */
    int64_t at_us;
};

void twcc_reader_begin(const struct twcc *twcc, struct twcc_reader *reader);
/* False, with *status untouched, when there are no more. */
bool twcc_reader_next(struct twcc_reader *reader, struct twcc_status *status);

/* ---- writing ---- */

/* A feedback speaks of so many packets, received or lost, at most. */
#define TWCC_STATUSES_MAX 1024

struct twcc_arrival {
    uint64_t sequence_number; /* unwrapped: rtp_sequence.h */
    usec at;                  /* by one clock for all feedbacks */
};

/* Tells of arrivals, which are ordered by their (different) sequence numbers, as many as go into
 * one packet; gives how many these are, and the caller goes on with the rest in another (0: there
 * is no room, or no arrival).  What lies between `base` (the one behind the last that was told of;
 * not over the first arrival's) and them was lost; if that is TWCC_STATUSES_MAX or more, it is not
 * told of.  Times are rounded down to 250 us; those that are more than 8 s from the arrival before
 * begin a feedback of their own. */
size_t twcc_add(struct rtcp_writer *writer, uint32_t sender_ssrc, uint32_t media_ssrc,
                uint8_t feedback_count, uint64_t base, const struct twcc_arrival *arrivals,
                size_t count);

#endif
