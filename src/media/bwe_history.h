/* bwe_history.h - what was sent to one peer: by the transport-wide number of each packet, when it
 * went out, how large it was, and of which probe it was a part.
 *
 * A ring of the last BWE_HISTORY_MAX packets, 8 bytes each: at 1 Mbit/s seven seconds, at 10 most
 * of one.  Feedback of what is no longer there says nothing.  No memory of its own; zeroed at
 * first.  One thread.
 */
#ifndef MOIM_MEDIA_BWE_HISTORY_H
#define MOIM_MEDIA_BWE_HISTORY_H

#include "base/usec.h"

#include <stddef.h>

#define BWE_HISTORY_MAX 1024 /* a power of two */

enum bwe_fate { BWE_SENT, BWE_LOST, BWE_RECEIVED };

struct bwe_packet {
    uint32_t sent_at; /* the low bits of its time */
    uint16_t size;    /* bytes */
    uint8_t cluster;  /* of probes; 0: it is not of one */
    uint8_t fate;     /* enum bwe_fate, as far as feedback has told */
};

struct bwe_history {
    struct bwe_packet packets[BWE_HISTORY_MAX];
    uint64_t count; /* that ever were: the next one's number, unwrapped */
};

/* Gives the packet's number.  `size` is cut at 65,535. */
uint16_t bwe_history_add(struct bwe_history *history, usec now, size_t size, uint8_t cluster);

/* NULL: it was not sent, or is no longer there. */
struct bwe_packet *bwe_history_find(struct bwe_history *history, uint16_t number);

/* When a packet that is there was sent: exact for 71 minutes. */
static inline usec bwe_packet_sent_at(const struct bwe_packet *packet, usec now)
{
    return now - (uint32_t)((uint32_t)now - packet->sent_at);
}

#endif
