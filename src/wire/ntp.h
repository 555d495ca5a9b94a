/* ntp.h - NTP's time as RTCP carries it: seconds since 1900 as 32.32 bits (RFC 3550, section 4).
 *
 * Which clock is behind it is the caller's: what counts between two peers are differences.
 */
#ifndef MOIM_WIRE_NTP_H
#define MOIM_WIRE_NTP_H

#include "base/usec.h"

/* Seconds from 1900 to 1970. */
#define NTP_UNIX_EPOCH 2208988800u

/* From microseconds since 1900 (or any other beginning), to the nearest 2^-32 s below; it wraps
 * with its era, in 2036. */
static inline uint64_t ntp_of_usec(usec time)
{
    uint64_t fraction = ((time % USEC_S) << 32) / USEC_S;
    return (time / USEC_S) << 32 | fraction;
}

/* Back again, to the nearest microsecond. */
static inline usec ntp_to_usec(uint64_t ntp)
{
    uint64_t fraction = (ntp & 0xffffffffu) * USEC_S;
    return (ntp >> 32) * USEC_S + ((fraction + 0x80000000u) >> 32);
}

/* The middle 32 bits, of which reports speak (LSR, LRR): 16.16 s. */
static inline uint32_t ntp_middle(uint64_t ntp)
{
    return (uint32_t)(ntp >> 16);
}

/* A duration in 16.16 s, as DLSR and DLRR carry it; what is over 65,535 s becomes that. */
static inline uint32_t ntp_short_of_usec(usec duration)
{
    if (duration >= 65536 * USEC_S)
        return UINT32_MAX;
    return (uint32_t)((duration << 16) / USEC_S);
}

static inline usec ntp_short_to_usec(uint32_t duration)
{
    return ((uint64_t)duration * USEC_S) >> 16;
}

/* The round trip that a report tells: from what left at `last` (LSR; not 0), lay `delay` (DLSR) at
 * the peer, and came at `now`, all in 16.16 s (RFC 3550, section 6.4.1).  0 where the peer's clock
 * makes it negative. */
static inline usec ntp_round_trip(uint32_t now, uint32_t last, uint32_t delay)
{
    uint32_t rtt = now - last - delay;
    return rtt & 0x80000000u ? 0 : ntp_short_to_usec(rtt);
}

#endif
