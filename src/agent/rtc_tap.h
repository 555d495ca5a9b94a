/* rtc_tap.h - what goes over transports, opened, for whoever wants to look: copies of RTP and RTCP
 * packets in a bounded queue.
 *
 * A transport whose `tap` is NULL pays a look at it for each packet, and no more.  What finds no
 * room in the queue is not noted, and counted.  One thread.
 */
#ifndef MOIM_AGENT_RTC_TAP_H
#define MOIM_AGENT_RTC_TAP_H

#include "agent/rtc.h"
#include "base/records.h"

#define RTC_TAP_QUEUE (UINT32_C(1) << 18) /* bytes */

struct rtc_tap {
    struct records queue;
    uint64_t dropped; /* packets that found no room */
};

/* What a record begins with; the packet's bytes follow. */
struct rtc_tap_head {
    usec at;
    struct address from;
    struct address to;
};

/* ERR_MEMORY. */
MUST_USE int rtc_tap_init(struct rtc_tap *tap);
/* No transport has it any more. */
void rtc_tap_free(struct rtc_tap *tap);

/* The oldest packet; false: there is none.  *packet is borrowed until rtc_tap_drop, which is to
 * follow. */
bool rtc_tap_peek(struct rtc_tap *tap, struct rtc_tap_head *head, struct view *packet);
static inline void rtc_tap_drop(struct rtc_tap *tap)
{
    records_drop(&tap->queue);
}

/* ---- for the media port ---- */

void rtc_tap_note_in(struct rtc_tap *tap, usec now, const struct ice_flow *flow,
                     struct view packet);
/* `header` has up to RTC_PACKET_MAX bytes; what is behind them is in `payload`. */
void rtc_tap_note_out(struct rtc_tap *tap, usec now, const struct ice_flow *flow,
                      struct view header, struct view payload);

#endif
