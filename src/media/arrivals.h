/* arrivals.h - when the packets of one transport came, for the feedback of transport-wide
 * congestion control: its sender estimates from that what the line takes.
 *
 * All streams of a transport share one count.  A feedback tells of what has come since the last
 * one; what comes later than a packet that was told of is told of as well, in the next.  No memory
 * of its own; zeroed at first.
 */
#ifndef MOIM_MEDIA_ARRIVALS_H
#define MOIM_MEDIA_ARRIVALS_H

#include "wire/rtcp_twcc.h"
#include "wire/rtp_sequence.h"

#define ARRIVALS_MAX  256            /* that wait to be told of: the oldest give way */
#define ARRIVALS_EACH (50 * USEC_MS) /* between two feedbacks ... */

/* ... and where these would take 14 of the 30 kbit/s of a narrow line. */
#define ARRIVALS_SELDOM (250 * USEC_MS)

struct arrivals {
    struct rtp_unwrapper unwrapper;
    struct twcc_arrival waiting[ARRIVALS_MAX]; /* ordered by their numbers */
    uint32_t count;
    uint64_t base;      /* behind the last that was told of; 0: none was */
    uint64_t lost_room; /* that gave way untold */
    usec due_at;        /* of waiting ones */
    usec each;          /* between two feedbacks; 0: ARRIVALS_EACH */
    uint8_t feedback_count;
};

/* A packet with that transport-wide number came. */
void arrivals_note(struct arrivals *arrivals, usec now, uint16_t sequence_number);

/* When to call arrivals_write; USEC_NEVER: nothing waits. */
static inline usec arrivals_until(const struct arrivals *arrivals)
{
    return arrivals->count ? arrivals->due_at : USEC_NEVER;
}

/* Adds one feedback of what waits, or of its beginning where not all goes in.  False: nothing
 * waits, or it has no room. */
bool arrivals_write(struct arrivals *arrivals, usec now, uint32_t sender_ssrc, uint32_t media_ssrc,
                    struct rtcp_writer *writer);

#endif
