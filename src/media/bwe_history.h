/* bwe_history.h - what was sent to one peer: by the transport-wide number of each packet, when it
 * went out, how large it was, and of which probe it was a part.
 *
 * A ring of the last BWE_HISTORY_OWN packets, 8 bytes each, which is enough for 1 Mbit/s and a
 * second; once one of them would be overwritten before it has been told of, one of BWE_HISTORY_MAX
 * from a store of such: at 10 Mbit/s most of a second.  Feedback of what is no longer there says
 * nothing.  Zeroed at first.  One thread.
 */
#ifndef MOIM_MEDIA_BWE_HISTORY_H
#define MOIM_MEDIA_BWE_HISTORY_H

#include "base/pool.h"
#include "base/usec.h"

#include <stdbool.h>
#include <stddef.h>

#define BWE_HISTORY_OWN 256
#define BWE_HISTORY_MAX 1024 /* powers of two */

enum bwe_fate { BWE_SENT, BWE_LOST, BWE_RECEIVED };

struct bwe_packet {
    uint32_t sent_at; /* the low bits of its time */
    uint16_t size;    /* bytes */
    uint8_t cluster;  /* of probes; 0: it is not of one */
    uint8_t fate;     /* enum bwe_fate, as far as feedback has told */
};

struct bwe_history {
    struct bwe_packet own[BWE_HISTORY_OWN];
    struct bwe_more *more; /* once own is too small; of the store */
    struct pool *store;    /* of struct bwe_more, borrowed; NULL: own has to do */
    uint64_t count;        /* that ever were: the next one's number, unwrapped */
};

struct bwe_more {
    struct bwe_packet packets[BWE_HISTORY_MAX];
};

/* Gives back what it had of the store. */
void bwe_history_free(struct bwe_history *history);

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
