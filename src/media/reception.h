/* reception.h - how one RTP stream arrives: what is told of it in reports (RFC 3550, section 6.4.1
 * and appendix A), and its sender's clock.
 *
 * Pure counting: packets go in, a report comes out whenever one is due.  32-bit sums wrap as RTCP
 * has them.  One for each SSRC; zeroed memory with a clock rate is a stream that has not begun.
 */
#ifndef MOIM_MEDIA_RECEPTION_H
#define MOIM_MEDIA_RECEPTION_H

#include "base/usec.h"
#include "wire/rtcp.h"

struct reception {
    uint32_t clock_rate; /* Hz; to be set */
    bool has_begun;
    bool has_sr;
    uint64_t first; /* sequence number, unwrapped, as the next one */
    uint64_t highest;
    uint64_t packets;         /* those that came twice included */
    uint64_t bytes;           /* of payload */
    uint64_t expected_before; /* at the last report */
    uint64_t packets_before;
    uint32_t transit;      /* of the last packet, in units of the timestamp */
    uint32_t jitter;       /* in 16ths of such a unit */
    uint64_t sr_ntp;       /* the last sender report: at that time ... */
    uint32_t sr_timestamp; /* ... this was being sampled */
    usec sr_at;            /* when it came */
};

/* A packet came; `sequence` is unwrapped. */
void reception_packet(struct reception *reception, usec now, uint64_t sequence, uint32_t timestamp,
                      size_t payload_size);
void reception_sr(struct reception *reception, usec now, const struct rtcp_sr *sr);

/* How many have not come, of those that should have; 0 when duplicates make it negative. */
uint64_t reception_lost(const struct reception *reception);

/* The block for a report that is sent now; the fraction is that since the last call.  The stream
 * has begun. */
struct rtcp_report reception_report(struct reception *reception, usec now, uint32_t ssrc);

/* The sender's time of day (NTP) when the timestamp was sampled.  False: no report has come. */
bool reception_ntp_of(const struct reception *reception, uint32_t timestamp, uint64_t *ntp);

#endif
