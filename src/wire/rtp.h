/* rtp.h - reads RTP packets (RFC 3550, section 5) and their header extensions (RFC 8285).
 *
 * Pure functions over caller memory: no socket, clock, heap or global.  What was read is places and
 * numbers, not pointers: it stays true when the packet's bytes are copied elsewhere.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                           timestamp                           |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |           synchronization source (SSRC) identifier            |
 *     +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 *     |            contributing source (CSRC) identifiers             |
 */
#ifndef MOIM_WIRE_RTP_H
#define MOIM_WIRE_RTP_H

#include "base/status.h"
#include "base/view.h"

#define RTP_FIXED_SIZE     12
#define RTP_CSRCS_MAX      15
#define RTP_EXTENSIONS_MAX 16

/* The profiles of RFC 8285; the low four bits of the second are the application's. */
#define RTP_PROFILE_ONE_BYTE 0xbede
#define RTP_PROFILE_TWO_BYTE 0x1000

/* A header extension element: where its value lies, counted from the packet's first byte. */
struct rtp_extension {
    uint8_t id; /* 1 to 14, or to 255 in the two-byte form */
    uint8_t size;
    uint16_t at;
};

struct rtp_packet {
    uint32_t timestamp;
    uint32_t ssrc;
    uint16_t sequence_number;
    uint16_t header_size; /* CSRCs and extensions included: the payload begins there */
    uint16_t payload_size;
    uint8_t padding_size; /* behind the payload; its last byte included */
    uint8_t payload_type; /* 0 to 127 */
    bool marker;
    bool has_padding; /* the P bit */
    uint8_t csrc_count;
    bool needs_two_byte; /* an element is empty or over 16 bytes, which the one-byte form is not */
    uint8_t extension_count;
    struct rtp_extension extensions[RTP_EXTENSIONS_MAX];
};

/* Whether a datagram that begins with a byte of 128 to 191 is RTCP and not RTP, where both share
 * one port (RFC 5761, section 4).  The datagram may be of any size. */
bool rtp_is_rtcp(struct view datagram);

/* Reads the header, in O(its size).  All behind it is taken as payload, for where the packet is
 * still encrypted its padding can't be seen: rtp_read_padding comes after that.
 *
 *   OK             *packet is valid.  Extensions of a profile other than the two above are skipped.
 *   ERR_MALFORMED  drop it and count it: cut short, not version 2, an element past the extension's
 *                  end, or over 65,535 bytes.
 *   ERR_LIMIT      more than RTP_EXTENSIONS_MAX elements: drop it and count it.
 *
 * On error *packet is untouched. */
MUST_USE int rtp_read_header(struct view datagram, struct rtp_packet *packet);

/* Takes the padding off the payload, if the header said that there is some; `bytes` are the
 * packet's as they are now, of header_size and payload_size bytes or more.
 *   ERR_MALFORMED  padding of no bytes, or of more than there are.  *packet is untouched. */
MUST_USE int rtp_read_padding(struct rtp_packet *packet, const uint8_t *bytes);

/* Both of the above. */
MUST_USE int rtp_read(struct view datagram, struct rtp_packet *packet);

/* The payload in the packet's bytes, without padding. */
static inline struct view rtp_payload(const struct rtp_packet *packet, const uint8_t *bytes)
{
    return view_make(bytes + packet->header_size, packet->payload_size);
}

/* The n-th CSRC; n is below csrc_count. */
uint32_t rtp_csrc(const struct rtp_packet *packet, const uint8_t *bytes, unsigned n);

/* The first element of that id; NULL when there is none. */
const struct rtp_extension *rtp_find_extension(const struct rtp_packet *packet, unsigned id);

/* The value of the first element of that id; false, with *value untouched, when there is none. */
bool rtp_extension_value(const struct rtp_packet *packet, const uint8_t *bytes, unsigned id,
                         struct view *value);

/* A packet as one line, for a trace; gives its length, cut to `capacity`. */
size_t rtp_print(const struct rtp_packet *packet, char *out, size_t capacity);

#endif
