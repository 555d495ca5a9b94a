/* packet_ring.h - the last packets of one RTP stream, opened, each stored once: what all who
 * receive the stream are sent from, and sent again from (RFC 4588).
 *
 * Packets lie behind one another in a ring of bytes, in the order in which they came, and are found
 * by that order or by their sequence number.  A new packet writes over the oldest.  Memory is the
 * caller's, who may give more when what is kept is too young: streams differ by a hundred times in
 * what a second of them takes.  One thread.
 */
#ifndef MOIM_MEDIA_PACKET_RING_H
#define MOIM_MEDIA_PACKET_RING_H

#include "base/usec.h"
#include "wire/rtp.h"

#define PACKET_FORMATS_MAX 8   /* in which one stream may be sent */
#define PACKET_SWITCH_ANY  255 /* as switch_base: whatever went before */

struct packet {
    uint64_t sequence; /* unwrapped: it only grows, and does not begin at 0 */
    uint64_t position; /* of its bytes, among all that were ever written */
    usec received_at;
    uint16_t size;
    uint8_t format;   /* which of its sender's formats it is in: below PACKET_FORMATS_MAX */
    uint8_t temporal; /* layers; 0 where there are none */
    uint8_t spatial;
    /* sets of decode targets (media/layers.h): */
    uint16_t targets;      /* those that it is for */
    uint16_t needed;       /* those that can't be gone on with without it */
    uint16_t switches;     /* those that can be gone on with from it on, where there is no loss
                              of the temporal layer ... */
    uint16_t highest;      /* those of which it has the highest spatial layer */
    uint8_t switch_base;   /* ... of that number, or PACKET_SWITCH_ANY */
    uint8_t codec;         /* enum payload_codec */
    bool begins_key_frame; /* who has nothing yet can begin with it */
    bool begins_picture;   /* of all its layers the first, and in order */
    bool begins_frame;
    bool ends_frame;
    bool begins_talk;      /* sound, behind packets that were kept back */
    bool has_frame_number; /* a dependency descriptor's */
    uint16_t frame_number;
    /* of VP8 and VP9: */
    bool has_tl0picidx;
    bool has_keyidx;
    uint8_t picture_id_bits; /* 7 or 15; 0: it has none */
    uint8_t tl0picidx;
    uint8_t keyidx;
    uint16_t picture_id;
    struct rtp_packet rtp;
};

struct packet_ring {
    uint8_t *bytes;
    struct packet *packets; /* the n-th that came is at n % count */
    uint32_t *by_sequence;  /* sequence % count: which came with it last */
    uint32_t size;          /* of bytes */
    uint32_t count;         /* of packets: a power of two */
    uint64_t written;       /* bytes, those left out at the ring's end included */
    uint64_t arrived;       /* packets */
    uint64_t first;         /* of these, the first that is still there; arrived: none is */
};

/* How much memory it takes, for packet_ring_init and packet_ring_move. */
size_t packet_ring_memory(uint32_t size, uint32_t count);
/* `memory` is aligned for anything, and stays; `count` is a power of two. */
void packet_ring_init(struct packet_ring *ring, void *memory, uint32_t size, uint32_t count);

/* Before a packet of so many bytes is added: a ring that lacks bytes or places, so that one which
 * came less than `keep` ago would give way, has twice as many of them in *size and *count; else
 * these are what it has.  At most size_most and count_most, its own doubled a number of times.
 * True: they differ from what it has. */
MUST_USE bool packet_ring_wants(const struct packet_ring *ring, usec now, usec keep, size_t bytes,
                                uint32_t size_most, uint32_t count_most, uint32_t *size,
                                uint32_t *count);
/* All that is there goes into other memory, in which there is no less room; the former is not
 * looked at again.  Packets keep their order and numbers; pointers to them end. */
void packet_ring_move(struct packet_ring *ring, void *memory, uint32_t size, uint32_t count);

/* Stores the packet: `packet` says what it is (but not its position and size, which are filled in),
 * `bytes` are copied.  The pointer is valid until packets have been stored over it.
 *   ERR_LIMIT   longer than the ring.
 *   ERR_EXISTS  it is there already. */
MUST_USE int packet_ring_add(struct packet_ring *ring, const struct packet *packet,
                             struct view bytes, const struct packet **out);

/* The n-th that came, of `arrived`; NULL when it is no longer there. */
const struct packet *packet_ring_arrival(const struct packet_ring *ring, uint64_t n);
/* NULL: it never came, or is no longer there. */
const struct packet *packet_ring_find(const struct packet_ring *ring, uint64_t sequence);

static inline const uint8_t *packet_bytes(const struct packet_ring *ring,
                                          const struct packet *packet)
{
    return ring->bytes + packet->position % ring->size;
}

static inline struct view packet_payload(const struct packet_ring *ring,
                                         const struct packet *packet)
{
    return rtp_payload(&packet->rtp, packet_bytes(ring, packet));
}

#endif
