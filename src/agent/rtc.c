#include "agent/rtc_internal.h"
#include "agent/rtc_tap.h"

#include "wire/rtp.h"

#include <assert.h>
#include <string.h>

/* ---- the port ---- */

int rtc_init(struct rtc *rtc, const struct rtc_config *config, usec now)
{
    *rtc = (struct rtc){ .config = *config, .now = now };
    uint32_t flows_max = config->transports_max * ICE_PAIRS_MAX;
    wheel_init(&rtc->wheel, now);
    list_init(&rtc->touched);
    list_init(&rtc->all);
    if (pool_init(&rtc->transports, sizeof(struct rtc_transport), config->transports_max) != OK)
        return ERR_MEMORY;
    if (pool_init(&rtc->flows, sizeof(struct rtc_flow), flows_max) != OK)
        goto free_transports;
    if (map_init(&rtc->by_ufrag, 2 * config->transports_max, config->random) != OK)
        goto free_flows;
    if (map_init(&rtc->by_flow, flows_max, config->random) != OK)
        goto free_ufrags;
    if (rtc_batch_new(&rtc->batch) != OK)
        goto free_by_flow;
    return OK;

free_by_flow:
    map_free(&rtc->by_flow);
free_ufrags:
    map_free(&rtc->by_ufrag);
free_flows:
    pool_free(&rtc->flows);
free_transports:
    pool_free(&rtc->transports);
    return ERR_MEMORY;
}

static void free_transport(struct rtc *rtc, struct rtc_transport *transport)
{
    map_remove(&rtc->by_ufrag, view_make(transport->ice.local.ufrag, ICE_UFRAG_SIZE));
    if (transport->ice.has_former)
        map_remove(&rtc->by_ufrag, view_make(transport->ice.former.ufrag, ICE_UFRAG_SIZE));
    rtc_forget_flows(rtc, transport);
    wheel_cancel(&rtc->wheel, &transport->timer);
    list_remove(&transport->touched);
    list_remove(&transport->all);
    dtls_free(&transport->dtls);
    secure_session_close(&transport->secure);
    pool_give(&rtc->transports, transport);
    metrics_subtract(rtc->config.metrics, METRIC_RTC_TRANSPORTS, 1);
}

void rtc_free(struct rtc *rtc)
{
    while (!list_empty(&rtc->all))
        free_transport(rtc, LIST_ENTRY(rtc->all.next, struct rtc_transport, all));
    rtc_batch_free(rtc->batch);
    map_free(&rtc->by_flow);
    map_free(&rtc->by_ufrag);
    pool_free(&rtc->flows);
    pool_free(&rtc->transports);
}

/* ---- transports ---- */

static int add_ufrag(struct rtc *rtc, struct rtc_transport *transport,
                     struct ice_credentials *credentials)
{
    return map_add(&rtc->by_ufrag, view_make(credentials->ufrag, ICE_UFRAG_SIZE), transport);
}

int rtc_open(struct rtc *rtc, usec now, void *owner, struct rtc_transport **out)
{
    struct rtc_transport *transport = pool_take(&rtc->transports);
    rtc->now = now;
    if (!transport)
        return ERR_LIMIT;
    *transport = (struct rtc_transport){ .owner = owner,
                                         .connect_until = now + RTC_REMOTE_TIME,
                                         .dtls_until = USEC_NEVER };
    list_init(&transport->touched);
    do /* 48 bits of chance: hardly ever twice */
        ice_lite_init(&transport->ice, now, rtc->config.random);
    while (add_ufrag(rtc, transport, &transport->ice.local) == ERR_EXISTS);
    list_append(&rtc->all, &transport->all);
    metrics_add(rtc->config.metrics, METRIC_RTC_TRANSPORTS, 1);
    rtc_set_timer(rtc, transport);
    *out = transport;
    return OK;
}

void rtc_set_remote(struct rtc *rtc, usec now, struct rtc_transport *transport,
                    const struct rtc_remote *remote)
{
    assert(!transport->has_remote);
    rtc->now = now;
    transport->remote = *remote;
    transport->has_remote = true;
    transport->connect_until = now + RTC_CONNECT_TIME;
    rtc_set_timer(rtc, transport);
    rtc_begin_dtls(rtc, transport);
}

void rtc_restart(struct rtc *rtc, usec now, struct rtc_transport *transport)
{
    struct ice_lite *ice = &transport->ice;
    bool had_former = ice->has_former;
    rtc->now = now;
    map_remove(&rtc->by_ufrag, view_make(ice->local.ufrag, ICE_UFRAG_SIZE));
    do
        ice_lite_restart(ice, now, rtc->config.random);
    while (add_ufrag(rtc, transport, &ice->local) == ERR_EXISTS);
    if (!had_former && add_ufrag(rtc, transport, &ice->former) != OK)
        ice->has_former = false; /* can't be: it was in until now, and there is room for both */
    rtc_set_timer(rtc, transport);
}

void rtc_close(struct rtc *rtc, usec now, struct rtc_transport *transport)
{
    struct dtls_out out;
    rtc->now = now;
    if (transport->has_dtls) {
        dtls_close(&transport->dtls, now);
        for (dtls_poll(&transport->dtls, &out); out.kind != DTLS_WAIT;
             dtls_poll(&transport->dtls, &out))
            if (out.kind == DTLS_SEND && transport->has_way)
                rtc_send_plain(rtc, &transport->way, out.bytes);
    }
    rtc_drop_queued(rtc, transport);
    free_transport(rtc, transport);
}

void rtc_touch(struct rtc *rtc, struct rtc_transport *transport)
{
    list_remove(&transport->touched);
    list_append(&rtc->touched, &transport->touched);
}

void rtc_end(struct rtc *rtc, struct rtc_transport *transport, enum rtc_end end)
{
    if (transport->end == RTC_OPEN)
        transport->end = (uint8_t)end;
    rtc_touch(rtc, transport);
}

/* ---- what is due ---- */

static usec until_of(const struct rtc_transport *transport)
{
    usec until =
        transport->is_connected ? ice_lite_until(&transport->ice) : transport->connect_until;
    return transport->dtls_until < until ? transport->dtls_until : until;
}

void rtc_set_timer(struct rtc *rtc, struct rtc_transport *transport)
{
    wheel_set(&rtc->wheel, &transport->timer, until_of(transport));
}

static void transport_due(struct rtc *rtc, struct rtc_transport *transport)
{
    if (!transport->is_connected && rtc->now >= transport->connect_until)
        rtc_end(rtc, transport, RTC_END_TIMEOUT);
    else if (transport->is_connected && rtc->now >= ice_lite_until(&transport->ice))
        rtc_end(rtc, transport, RTC_END_NO_CONSENT);
    if (transport->end != RTC_OPEN)
        return;
    if (rtc->now >= transport->dtls_until) {
        dtls_tick(&transport->dtls, rtc->now);
        transport->dtls_until = USEC_NEVER; /* until it is polled */
        rtc_touch(rtc, transport);
    }
    rtc_set_timer(rtc, transport);
}

void rtc_tick(struct rtc *rtc, usec now)
{
    struct timer *timer;
    rtc->now = now;
    while ((timer = wheel_expired(&rtc->wheel, now)))
        transport_due(rtc, LIST_ENTRY(timer, struct rtc_transport, timer));
}

/* ---- what comes ---- */

static enum metric reason_of(int status)
{
    return status == ERR_FORGED     ? METRIC_RTC_DROPPED_FORGED
           : status == ERR_REPLAYED ? METRIC_RTC_DROPPED_REPLAYED
           : status == ERR_OLD      ? METRIC_RTC_DROPPED_REPLAYED
           : status == ERR_LIMIT    ? METRIC_RTC_DROPPED_LIMIT
                                    : METRIC_RTC_DROPPED_MALFORMED;
}

static int open_packet(struct rtc *rtc, struct rtc_transport *transport, struct span *packet,
                       bool is_rtcp)
{
    struct secure_incoming in = { .session = &transport->secure, .packet = *packet };
    if (is_rtcp)
        return secure_unprotect_rtcp(&transport->secure, packet);
    secure_unprotect(rtc->config.secure, &in, 1);
    *packet = in.packet;
    return in.status;
}

static void feed_media(struct rtc *rtc, struct rtc_transport *transport,
                       const struct ice_flow *flow, struct span packet)
{
    bool is_rtcp = rtp_is_rtcp(view_of_span(packet));
    if (!transport->is_connected || transport->end != RTC_OPEN) {
        metrics_add(rtc->config.metrics, METRIC_RTC_DROPPED_EARLY, 1);
        return;
    }
    int status = open_packet(rtc, transport, &packet, is_rtcp);
    if (status != OK) {
        metrics_add(rtc->config.metrics, reason_of(status), 1);
        return;
    }
    if (ice_lite_heard(&transport->ice, rtc->now, flow))
        rtc_choose_way(transport);
    if (transport->tap)
        rtc_tap_note_in(transport->tap, rtc->now, flow, view_of_span(packet));
    rtc->packet = (struct rtc_out){ .kind = is_rtcp ? RTC_RTCP : RTC_RTP,
                                    .transport = transport,
                                    .packet = packet };
    rtc->has_packet = true;
}

/* By the first byte (RFC 7983). */
void rtc_feed(struct rtc *rtc, usec now, const struct ice_flow *flow, struct span datagram)
{
    uint8_t first = datagram.size ? datagram.at[0] : UINT8_MAX;
    rtc->now = now;
    rtc->has_packet = false;
    if (first <= 3) {
        rtc_feed_stun(rtc, flow, view_of_span(datagram));
        return;
    }
    struct rtc_flow *known = rtc_find_flow(rtc, flow);
    if (!known)
        metrics_add(rtc->config.metrics, METRIC_RTC_DROPPED_STRAY, 1);
    else if (first >= 128 && first <= 191)
        feed_media(rtc, known->transport, flow, datagram);
    else if (first >= 20 && first <= 63)
        rtc_feed_dtls(rtc, known->transport, flow, view_of_span(datagram));
    else
        metrics_add(rtc->config.metrics, METRIC_RTC_DROPPED_MALFORMED, 1);
}

static bool poll_transport(struct rtc *rtc, struct rtc_transport *transport, struct rtc_out *out)
{
    *out = (struct rtc_out){ .transport = transport };
    if (transport->end == RTC_OPEN && rtc_poll_dtls(rtc, transport, out))
        return true;
    list_remove(&transport->touched);
    if (transport->end == RTC_OPEN || transport->is_end_told)
        return false;
    transport->is_end_told = true;
    wheel_cancel(&rtc->wheel, &transport->timer);
    out->kind = RTC_ENDED;
    out->end = transport->end;
    return true;
}

void rtc_poll(struct rtc *rtc, struct rtc_out *out)
{
    if (rtc->has_packet) {
        rtc->has_packet = false;
        *out = rtc->packet;
        return;
    }
    while (!list_empty(&rtc->touched))
        if (poll_transport(rtc, LIST_ENTRY(rtc->touched.next, struct rtc_transport, touched), out))
            return;
    *out = (struct rtc_out){ .kind = RTC_WAIT, .until = wheel_next(&rtc->wheel) };
}
