/* rtcp.h - reads RTCP packets one by one, and writes them (RFC 3550, section 6; XR: RFC 3611).
 *
 * Pure functions over caller memory: no socket, clock, heap or global.  Feedback (NACK, PLI, REMB
 * ...) is in rtcp_feedback.h, transport-wide congestion control in rtcp_twcc.h.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |V=2|P| count   |      PT       |   length in words, less one   |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
#ifndef MOIM_WIRE_RTCP_H
#define MOIM_WIRE_RTCP_H

#include "base/status.h"
#include "base/view.h"

#define RTCP_HEADER_SIZE 4
#define RTCP_REPORTS_MAX 31 /* in one packet */

enum rtcp_type {
    RTCP_SR = 200,
    RTCP_RR = 201,
    RTCP_SDES = 202,
    RTCP_BYE = 203,
    RTCP_APP = 204,
    RTCP_RTPFB = 205,
    RTCP_PSFB = 206,
    RTCP_XR = 207
};

/* One packet of a datagram that may bear many; a view into it. */
struct rtcp_packet {
    uint8_t type;     /* of which those that are not in the enum are skipped */
    uint8_t count;    /* 0 to 31: reports, sources, or the format of feedback (FMT) */
    struct view body; /* what follows the header, without padding */
};

/* Takes the first packet off *rest, which is the whole datagram at first.  A datagram may begin
 * with any packet: the reduced size of RFC 5506 is not told from the compound.
 *
 *   OK             *packet is valid as far as its size; read it by its type.
 *   ERR_NOT_FOUND  *rest was used up: all is read.
 *   ERR_MALFORMED  drop the rest and count it: not version 2, longer than what there is, padding
 *                  of none or of more than the body.  (By section 6.4.1, only the last packet has
 *                  padding.  But who pads each feedback, as Chromium does, may send many in one
 *                  datagram: so any may have it.)
 *
 * On error both are untouched. */
MUST_USE int rtcp_next(struct view *rest, struct rtcp_packet *packet);

/* A datagram as one line, for a trace: its packets one after the other, up to where it is broken.
 * Gives its length, cut to `capacity`. */
size_t rtcp_print(struct view datagram, char *out, size_t capacity);

/* ---- reports ---- */

#define RTCP_REPORT_SIZE 24

/* A reception report block (section 6.4.1). */
struct rtcp_report {
    uint32_t ssrc;
    uint8_t fraction_lost;            /* in 256ths, since the last report */
    int32_t packets_lost;             /* since the beginning: 24 bits, negative for duplicates */
    uint32_t highest_sequence_number; /* with how often it wrapped above the 16 bits */
    uint32_t jitter;                  /* in units of the timestamp */
    uint32_t last_sr;                 /* the middle of the NTP time of the last SR; 0: none came */
    uint32_t delay_since_last_sr;     /* 16.16 s */
};

struct rtcp_sr {
    uint32_t ssrc;
    uint64_t ntp;
    uint32_t rtp_timestamp;
    uint32_t packet_count;
    uint32_t octet_count;
    uint8_t report_count;
    struct view reports; /* see rtcp_report_at */
};

struct rtcp_rr {
    uint32_t ssrc;
    uint8_t report_count;
    struct view reports;
};

/* The packet is of that type.  ERR_MALFORMED: shorter than its reports. */
MUST_USE int rtcp_read_sr(const struct rtcp_packet *packet, struct rtcp_sr *sr);
MUST_USE int rtcp_read_rr(const struct rtcp_packet *packet, struct rtcp_rr *rr);

/* The n-th report of those; n is below report_count. */
struct rtcp_report rtcp_report_at(struct view reports, unsigned n);

/* ---- SDES (section 6.5) ---- */

enum rtcp_sdes_type { RTCP_CNAME = 1 };

struct rtcp_sdes_item {
    uint32_t ssrc;
    uint8_t type;
    struct view text; /* 0 to 255 bytes of anything */
};

/* Goes through the items of all chunks. */
struct rtcp_sdes {
    struct view rest;
    unsigned chunks_left; /* the one that is being read is not among them */
    bool in_chunk;
    uint32_t ssrc;
};

void rtcp_sdes_begin(const struct rtcp_packet *packet, struct rtcp_sdes *sdes);
/* OK, ERR_NOT_FOUND (all is read) or ERR_MALFORMED (drop the rest of the packet). */
MUST_USE int rtcp_sdes_next(struct rtcp_sdes *sdes, struct rtcp_sdes_item *item);

/* ---- BYE (section 6.6) ---- */

struct rtcp_bye {
    uint8_t ssrc_count;
    struct view ssrcs; /* four bytes each: rtcp_ssrc_at */
    struct view reason;
};

/* ERR_MALFORMED. */
MUST_USE int rtcp_read_bye(const struct rtcp_packet *packet, struct rtcp_bye *bye);

/* The n-th of a list of SSRCs, of which there are more than n. */
uint32_t rtcp_ssrc_at(struct view ssrcs, unsigned n);

/* ---- extended reports (RFC 3611) ---- */

enum rtcp_xr_type { RTCP_XR_RRTR = 4, RTCP_XR_DLRR = 5 };

#define RTCP_DLRR_SIZE 12

struct rtcp_xr_block {
    uint8_t type; /* of which all but the two above are skipped */
    uint64_t ntp; /* of RRTR */
    uint8_t dlrr_count;
    struct view dlrrs; /* see rtcp_dlrr_at */
};

struct rtcp_dlrr {
    uint32_t ssrc;
    uint32_t last_rr;             /* the middle of the NTP time of the last RRTR; 0: none came */
    uint32_t delay_since_last_rr; /* 16.16 s */
};

/* Who sends it; *rest is then what rtcp_xr_next goes through.  ERR_MALFORMED. */
MUST_USE int rtcp_read_xr(const struct rtcp_packet *packet, uint32_t *ssrc, struct view *rest);
/* OK, ERR_NOT_FOUND (all is read) or ERR_MALFORMED (drop the rest of the packet). */
MUST_USE int rtcp_xr_next(struct view *rest, struct rtcp_xr_block *block);
/* The n-th; n is below dlrr_count. */
struct rtcp_dlrr rtcp_dlrr_at(struct view dlrrs, unsigned n);

/* ---- writing ---- */

/* Writes packet after packet into one datagram.  A packet that does not fit is not there at all,
 * and sets `overflow`: what is before it can be sent. */
struct rtcp_writer {
    uint8_t *at;
    size_t size;
    size_t capacity;
    bool overflow;
};

void rtcp_begin(struct rtcp_writer *writer, uint8_t *out, size_t capacity);

/* Of *sr and *rr, `reports` and `report_count` are not read: those that are given are written, up
 * to RTCP_REPORTS_MAX.  packets_lost is cut to 24 bits, at their ends. */
void rtcp_add_sr(struct rtcp_writer *writer, const struct rtcp_sr *sr,
                 const struct rtcp_report *reports, unsigned count);
void rtcp_add_rr(struct rtcp_writer *writer, uint32_t ssrc, const struct rtcp_report *reports,
                 unsigned count);
/* One chunk with a CNAME of up to 255 bytes; more are cut. */
void rtcp_add_cname(struct rtcp_writer *writer, uint32_t ssrc, struct view cname);
/* Up to 31. */
void rtcp_add_bye(struct rtcp_writer *writer, const uint32_t *ssrcs, unsigned count);
void rtcp_add_rrtr(struct rtcp_writer *writer, uint32_t ssrc, uint64_t ntp);
void rtcp_add_dlrr(struct rtcp_writer *writer, uint32_t ssrc, const struct rtcp_dlrr *dlrrs,
                   unsigned count);

/* For packets of other kinds: room for a body of whole words behind a header, zeroed, the caller's
 * to fill at once; NULL (and overflow) when it does not fit. */
uint8_t *rtcp_add(struct rtcp_writer *writer, unsigned type, unsigned count, size_t body_size);

#endif
