#include "media/reception.h"

#include "wire/ntp.h"

#include <assert.h>

/* The time as the stream's clock would show it; only differences count, so that it may wrap. */
static uint32_t units_of(const struct reception *reception, usec time)
{
    return (uint32_t)(time / USEC_S * reception->clock_rate +
                      time % USEC_S * reception->clock_rate / USEC_S);
}

void reception_packet(struct reception *reception, usec now, uint64_t sequence, uint32_t timestamp,
                      size_t payload_size)
{
    uint32_t transit = units_of(reception, now) - timestamp;
    if (!reception->has_begun) {
        reception->has_begun = true;
        reception->first = sequence;
        reception->highest = sequence;
        reception->transit = transit;
    }
    if (sequence > reception->highest)
        reception->highest = sequence;
    if (sequence < reception->first)
        reception->first = sequence;
    reception->packets++;
    reception->bytes += payload_size;
    int32_t distance = (int32_t)(transit - reception->transit);
    uint32_t absolute = distance < 0 ? 0u - (uint32_t)distance : (uint32_t)distance;
    reception->transit = transit;
    /* appendix A.8: J += |D| - J/16, in 16ths */
    reception->jitter += absolute - ((reception->jitter + 8) >> 4);
}

void reception_sr(struct reception *reception, usec now, const struct rtcp_sr *sr)
{
    reception->has_sr = true;
    reception->sr_ntp = sr->ntp;
    reception->sr_timestamp = sr->rtp_timestamp;
    reception->sr_at = now;
}

static uint64_t expected(const struct reception *reception)
{
    return reception->has_begun ? reception->highest - reception->first + 1 : 0;
}

uint64_t reception_lost(const struct reception *reception)
{
    uint64_t wanted = expected(reception);
    return wanted > reception->packets ? wanted - reception->packets : 0;
}

static uint8_t fraction_of(uint64_t wanted, uint64_t came)
{
    if (wanted <= came)
        return 0;
    uint64_t fraction = ((wanted - came) << 8) / wanted;
    return (uint8_t)(fraction > 255 ? 255 : fraction);
}

struct rtcp_report reception_report(struct reception *reception, usec now, uint32_t ssrc)
{
    assert(reception->has_begun);
    uint64_t wanted = expected(reception);
    struct rtcp_report report = {
        .ssrc = ssrc,
        .fraction_lost = fraction_of(wanted - reception->expected_before,
                                     reception->packets - reception->packets_before),
        .packets_lost = (int32_t)(int64_t)(wanted - reception->packets),
        .highest_sequence_number = (uint32_t)reception->highest,
        .jitter = reception->jitter >> 4,
    };
    if (reception->has_sr) {
        report.last_sr = ntp_middle(reception->sr_ntp);
        report.delay_since_last_sr = ntp_short_of_usec(now - reception->sr_at);
    }
    reception->expected_before = wanted;
    reception->packets_before = reception->packets;
    return report;
}

bool reception_ntp_of(const struct reception *reception, uint32_t timestamp, uint64_t *ntp)
{
    if (!reception->has_sr)
        return false;
    int64_t units = (int32_t)(timestamp - reception->sr_timestamp);
    int64_t distance = units * ((int64_t)1 << 32) / (int64_t)reception->clock_rate;
    *ntp = reception->sr_ntp + (uint64_t)distance;
    return true;
}
