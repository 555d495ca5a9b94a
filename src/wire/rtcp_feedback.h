/* rtcp_feedback.h - RTCP's feedback: NACK and PLI (RFC 4585), FIR (RFC 5104), REMB
 * (draft-alvestrand-rmcat-remb-03).  Of the rest of RFC 5104 (TMMBR, TMMBN, TSTR ...) nothing is
 * read: it is skipped by its format.
 *
 * Pure functions over caller memory.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                  SSRC of packet sender                        |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                  SSRC of media source                         |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     :            Feedback Control Information (FCI)                 :
 */
#ifndef MOIM_WIRE_RTCP_FEEDBACK_H
#define MOIM_WIRE_RTCP_FEEDBACK_H

#include "wire/rtcp.h"

/* Formats of RTCP_RTPFB, and of RTCP_PSFB. */
enum rtcp_rtpfb { RTCP_NACK = 1, RTCP_TMMBR = 3, RTCP_TMMBN = 4, RTCP_TRANSPORT_CC = 15 };
enum rtcp_psfb { RTCP_PLI = 1, RTCP_FIR = 4, RTCP_ALFB = 15 };

#define RTCP_FEEDBACK_SIZE 8

struct rtcp_feedback {
    uint8_t format; /* one of the above */
    uint32_t sender_ssrc;
    uint32_t media_ssrc; /* whom it is about; 0 in FIR and REMB, which tell it in their FCI */
    struct view fci;
};

/* Of a packet of type RTCP_RTPFB or RTCP_PSFB, what is common to all.  A PLI is no more than this.
 * ERR_MALFORMED. */
MUST_USE int rtcp_read_feedback(const struct rtcp_packet *packet, struct rtcp_feedback *feedback);

/* ---- NACK (RFC 4585, section 6.2.1) ---- */

/* Goes through the sequence numbers of a NACK, in the order in which they are written. */
struct rtcp_nack {
    struct view rest;
    uint16_t base;
    uint32_t left; /* of the 17 that begin at the base: bit n is base + n */
};

void rtcp_nack_begin(const struct rtcp_feedback *feedback, struct rtcp_nack *nack);
/* False, with *sequence_number untouched, when there are no more.  A datagram has up to some 6000:
 * the caller bounds what it does for one. */
bool rtcp_nack_next(struct rtcp_nack *nack, uint16_t *sequence_number);

/* ---- FIR (RFC 5104, section 4.3.1) ---- */

struct rtcp_fir {
    uint32_t ssrc;           /* from whom a key frame is asked */
    uint8_t sequence_number; /* the same again is a repetition, not another request */
};

/* The n-th entry; false when there are not so many. */
bool rtcp_fir_at(const struct rtcp_feedback *feedback, unsigned n, struct rtcp_fir *fir);

/* ---- REMB ---- */

struct rtcp_remb {
    uint64_t bitrate_bps; /* UINT64_MAX when it is over that */
    uint8_t ssrc_count;
    struct view ssrcs; /* rtcp_ssrc_at */
};

/* ERR_UNSUPPORTED: another feedback of the application layer, to skip.  ERR_MALFORMED. */
MUST_USE int rtcp_read_remb(const struct rtcp_feedback *feedback, struct rtcp_remb *remb);

/* ---- writing ---- */

/* Asks again for packets, in order (each later than the one before, in the arithmetic of
 * rtp_sequence.h, and all within half the circle).  Gives how many of them went into the packet:
 * less than `count` where it is full, and then it goes on with the rest in another datagram. */
size_t rtcp_add_nack(struct rtcp_writer *writer, uint32_t sender_ssrc, uint32_t media_ssrc,
                     const uint16_t *sequence_numbers, size_t count);
void rtcp_add_pli(struct rtcp_writer *writer, uint32_t sender_ssrc, uint32_t media_ssrc);
void rtcp_add_fir(struct rtcp_writer *writer, uint32_t sender_ssrc, struct rtcp_fir fir);
/* Rounded down to 18 bits of mantissa; up to 255 SSRCs. */
void rtcp_add_remb(struct rtcp_writer *writer, uint32_t sender_ssrc, uint64_t bitrate_bps,
                   const uint32_t *ssrcs, unsigned count);

#endif
