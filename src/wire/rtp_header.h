/* rtp_header.h - writes the header under which a packet is forwarded: the receiver's own numbers,
 * its identifiers of the extensions, its values of some.  And RTX (RFC 4588), which is a header of
 * its own before a packet that was sent before.
 *
 * Pure functions over caller memory.  The payload is not touched: it can be encrypted from where it
 * is stored straight to behind the header.  Some 10 ns a header of five elements.
 */
#ifndef MOIM_WIRE_RTP_HEADER_H
#define MOIM_WIRE_RTP_HEADER_H

#include "wire/rtp.h"

/* What must be free where a header is written; the header itself may be much shorter. */
#define RTP_HEADER_MAX 256

#define RTP_ID_MAX 14 /* of the one-byte form: extensions are negotiated up to there */

#define RTP_OWN_SIZE 32

/* Which extensions a receiver hears of, and under which identifiers: made once, when they have been
 * negotiated.  One cache line. */
struct rtp_plan {
    uint8_t to[16];            /* the sender's identifier to the receiver's; 0: dropped */
    uint8_t own[RTP_OWN_SIZE]; /* elements with values of our own, in the one-byte form */
    uint8_t own_size;
    uint8_t transport_cc_at; /* places of values in `own`; 0: none */
    uint8_t abs_send_time_at;
    uint8_t watched; /* the sender's identifier; 0: none */
    bool has_two_byte;
};

/* An empty plan: a header without extensions.  `has_two_byte` says that the receiver knows the
 * two-byte form (a=extmap-allow-mixed); without it, elements that are empty or over 16 bytes are
 * dropped. */
void rtp_plan_begin(struct rtp_plan *plan, bool has_two_byte);

/* An element that comes under the identifier `from` goes on under `to`.  Don't map what is added as
 * an own value.
 *   ERR_UNSUPPORTED  one of the identifiers is not 1 to RTP_ID_MAX. */
MUST_USE int rtp_plan_map(struct rtp_plan *plan, unsigned from, unsigned to);

/* An element of its own in every header: of a constant value (the mid), or of one that is put in
 * at the place that rtp_write_header gives, and is 0 until then.
 *   ERR_UNSUPPORTED  the identifier is not 1 to RTP_ID_MAX, or the value not 1 to 16 bytes.
 *   ERR_LIMIT        more than RTP_OWN_SIZE bytes, each element's being one more than its value's.
 * On error the plan is what it was. */
MUST_USE int rtp_plan_add(struct rtp_plan *plan, unsigned id, struct view value);
MUST_USE int rtp_plan_add_transport_cc(struct rtp_plan *plan, unsigned id);  /* 2 bytes */
MUST_USE int rtp_plan_add_abs_send_time(struct rtp_plan *plan, unsigned id); /* 3 bytes */

/* Of what is mapped from `from`, rtp_write_header tells where it wrote the value, for who changes
 * it in place: the frame number of a dependency descriptor (dd_rewrite).  One of a plan at most; 0
 * is none again. */
void rtp_plan_watch(struct rtp_plan *plan, unsigned from);

/* What replaces the sender's. */
struct rtp_values {
    uint32_t ssrc;
    uint32_t timestamp;
    uint16_t sequence_number;
    uint8_t payload_type; /* 0 to 127 */
    bool marker;
    bool has_padding; /* the caller writes it behind the payload */
};

struct rtp_written {
    uint16_t size;             /* of the header: the payload goes there */
    uint16_t transport_cc_at;  /* in the header, until it is sent; 0: there is none */
    uint16_t abs_send_time_at; /* the same */
    uint16_t watched_at;       /* of the value that is watched; 0: it is not there */
};

/* Writes a header for a packet that was read from `bytes` (rtp_read); of these, only the CSRCs and
 * the extensions are read, and `*packet` may be all zeros for a packet of our own (`bytes` may then
 * be NULL).  CSRCs are kept.  `out` has RTP_HEADER_MAX bytes, all of which may be written.
 * The one-byte form is written where it can be.  Elements past the room are dropped, the last ones
 * first: no sender comes near it. */
void rtp_write_header(const struct rtp_plan *plan, const struct rtp_packet *packet,
                      const uint8_t *bytes, const struct rtp_values *values, uint8_t *out,
                      struct rtp_written *written);

/* ---- RTX (RFC 4588, section 4) ---- */

/* Stands between an RTX packet's header and the original payload: the original sequence number. */
#define RTX_OSN_SIZE 2

/* Writes it behind the header that `written` tells of, to send `sequence_number` again; `out` is
 * the header's.  The payload then goes to written->size, which has grown. */
void rtp_write_osn(uint8_t *out, struct rtp_written *written, uint16_t sequence_number);

/* Turns an RTX packet back into the original, in place, two bytes further: *bytes and *packet
 * become those of the original, with its SSRC and payload type as given.
 *   ERR_NOT_FOUND  nothing but padding (a probe): there is no original.
 *   ERR_MALFORMED  a payload of one byte: drop it and count it.
 * On error all is untouched. */
MUST_USE int rtp_unwrap_rtx(struct span *bytes, struct rtp_packet *packet, uint32_t ssrc,
                            unsigned payload_type);

#endif
