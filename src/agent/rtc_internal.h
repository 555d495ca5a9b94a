/* rtc_internal.h - what the files of the media port share; nobody else includes it.
 *
 * rtc.c       transports, what comes, what is due
 * rtc_ice.c   checks, and the flows that they open
 * rtc_dtls.c  the handshake, and the keys that come of it
 * rtc_send.c  the batch
 */
#ifndef MOIM_AGENT_RTC_INTERNAL_H
#define MOIM_AGENT_RTC_INTERNAL_H

#include "agent/rtc.h"

#define RTC_FLOW_KEY_MAX 41

/* A way on which a transport's other end has been heard. */
struct rtc_flow {
    struct rtc_transport *transport;
    struct ice_flow flow;
    uint8_t key[RTC_FLOW_KEY_MAX];
    uint8_t key_size;
};

/* ---- rtc.c ---- */

/* Has rtc_poll look at the transport. */
void rtc_touch(struct rtc *rtc, struct rtc_transport *transport);
/* It is over; rtc_poll will say so. */
void rtc_end(struct rtc *rtc, struct rtc_transport *transport, enum rtc_end end);
void rtc_set_timer(struct rtc *rtc, struct rtc_transport *transport);

/* ---- rtc_ice.c ---- */

void rtc_feed_stun(struct rtc *rtc, const struct ice_flow *flow, struct view datagram);
/* NULL: a stranger's. */
struct rtc_flow *rtc_find_flow(struct rtc *rtc, const struct ice_flow *flow);
/* The transport's pairs have changed: it may be to send elsewhere now. */
void rtc_choose_way(struct rtc_transport *transport);
void rtc_forget_flows(struct rtc *rtc, struct rtc_transport *transport);

/* ---- rtc_dtls.c ---- */

/* Begins the handshake, if all that it needs is there. */
void rtc_begin_dtls(struct rtc *rtc, struct rtc_transport *transport);
void rtc_feed_dtls(struct rtc *rtc, struct rtc_transport *transport, const struct ice_flow *flow,
                   struct view datagram);
/* The next that DTLS has for the caller, RTC_CONNECTED or RTC_DATA; what it has for the other end
 * is queued.  False: nothing. */
bool rtc_poll_dtls(struct rtc *rtc, struct rtc_transport *transport, struct rtc_out *out);

/* ---- rtc_send.c ---- */

MUST_USE int rtc_batch_new(struct rtc_batch **out);
void rtc_batch_free(struct rtc_batch *batch);
/* Queues bytes as they are; they are lost when there is no room. */
void rtc_send_plain(struct rtc *rtc, const struct ice_flow *flow, struct view bytes);
/* Forgets what the transport has queued. */
void rtc_drop_queued(struct rtc *rtc, const struct rtc_transport *transport);

#endif
