/* The media port's checks: whose they are, and the flows that they open. */
#include "agent/rtc_internal.h"

#include <string.h>

/* ---- flows ---- */

static uint8_t put_address(uint8_t *out, const struct address *address)
{
    uint8_t size = address->family == ADDRESS_IPV4 ? 4 : 16;
    memcpy(out, address->bytes, size);
    out[size] = (uint8_t)(address->port >> 8);
    out[size + 1] = (uint8_t)address->port;
    return (uint8_t)(size + 2);
}

static uint8_t make_key(const struct ice_flow *flow, uint8_t key[RTC_FLOW_KEY_MAX])
{
    uint8_t size = 0;
    key[size++] = (uint8_t)(flow->remote.family << 4 | flow->local.family);
    size = (uint8_t)(size + put_address(key + size, &flow->remote));
    size = (uint8_t)(size + put_address(key + size, &flow->local));
    memcpy(key + size, &flow->stream, sizeof flow->stream);
    return (uint8_t)(size + sizeof flow->stream);
}

struct rtc_flow *rtc_find_flow(struct rtc *rtc, const struct ice_flow *flow)
{
    uint8_t key[RTC_FLOW_KEY_MAX];
    if (rtc->last_flow && ice_flow_equal(&rtc->last_flow->flow, flow))
        return rtc->last_flow;
    struct rtc_flow *found = map_find(&rtc->by_flow, view_make(key, make_key(flow, key)));
    rtc->last_flow = found;
    return found;
}

bool rtc_knows(struct rtc *rtc, const struct ice_flow *flow)
{
    return rtc_find_flow(rtc, flow) != NULL;
}

static void forget_flow(struct rtc *rtc, struct rtc_transport *transport, unsigned i)
{
    struct rtc_flow *flow = transport->flows[i];
    if (rtc->last_flow == flow)
        rtc->last_flow = NULL;
    map_remove(&rtc->by_flow, view_make(flow->key, flow->key_size));
    pool_give(&rtc->flows, flow);
    transport->flows[i] = NULL;
}

void rtc_forget_flows(struct rtc *rtc, struct rtc_transport *transport)
{
    for (unsigned i = 0; i < ICE_PAIRS_MAX; i++)
        if (transport->flows[i])
            forget_flow(rtc, transport, i);
}

static void forget_evicted(struct rtc *rtc, struct rtc_transport *transport,
                           const struct ice_flow *evicted)
{
    for (unsigned i = 0; i < ICE_PAIRS_MAX; i++)
        if (transport->flows[i] && ice_flow_equal(&transport->flows[i]->flow, evicted))
            forget_flow(rtc, transport, i);
}

/* A flow is one transport's: an address that shows up with the credentials of another one (a
 * browser whose page made a new connection on the same port) is that one's from now on. */
static void note_flow(struct rtc *rtc, struct rtc_transport *transport, const struct ice_flow *flow)
{
    struct rtc_flow *known = rtc_find_flow(rtc, flow);
    if (known && known->transport == transport)
        return;
    if (known)
        forget_evicted(rtc, known->transport, flow);
    unsigned place = 0;
    while (transport->flows[place])
        place++;
    struct rtc_flow *made = pool_take(&rtc->flows);
    *made = (struct rtc_flow){ .transport = transport, .flow = *flow };
    made->key_size = make_key(flow, made->key);
    if (map_add(&rtc->by_flow, view_make(made->key, made->key_size), made) != OK) {
        pool_give(&rtc->flows, made); /* can't be: there are as many places as flows */
        return;
    }
    transport->flows[place] = made;
}

/* Before a pair is nominated, the last one that was heard will do. */
void rtc_choose_way(struct rtc_transport *transport)
{
    const struct ice_flow *way = ice_lite_selected(&transport->ice);
    if (!way)
        way = ice_lite_any(&transport->ice);
    transport->has_way = way != NULL;
    if (way)
        transport->way = *way;
}

void rtc_stream_gone(struct rtc *rtc, usec now, const struct ice_flow *flow)
{
    struct rtc_flow *known = rtc_find_flow(rtc, flow);
    rtc->now = now;
    if (!known)
        return;
    struct rtc_transport *transport = known->transport;
    ice_lite_stream_gone(&transport->ice, flow->stream);
    rtc_choose_way(transport);
    forget_evicted(rtc, transport, flow);
}

/* ---- checks ---- */

void rtc_feed_stun(struct rtc *rtc, const struct ice_flow *flow, struct view datagram)
{
    struct stun_msg msg;
    struct ice_result result;
    uint8_t answer[ICE_ANSWER_MAX];
    const struct stun_attr *username;
    struct rtc_transport *transport = NULL;
    if (stun_read(datagram, &msg) == OK && msg.class == STUN_REQUEST &&
        (username = stun_find(&msg, STUN_USERNAME)) && username->value.size > ICE_UFRAG_SIZE)
        transport = map_find(&rtc->by_ufrag, view_slice(username->value, 0, ICE_UFRAG_SIZE));
    if (!transport || transport->end != RTC_OPEN) {
        metrics_add(rtc->config.metrics, METRIC_RTC_DROPPED_STRAY, 1);
        return;
    }
    bool had_former = transport->ice.has_former;
    const struct ice_credentials former = transport->ice.former;
    ice_lite_feed(&transport->ice, rtc->now, flow, &msg, answer, &result);
    if (had_former && !transport->ice.has_former)
        map_remove(&rtc->by_ufrag, view_make(former.ufrag, ICE_UFRAG_SIZE));
    if (result.has_evicted)
        forget_evicted(rtc, transport, &result.evicted);
    if (result.is_checked)
        note_flow(rtc, transport, flow);
    if (result.answer_size)
        rtc_send_plain(rtc, flow, view_make(answer, result.answer_size));
    else
        metrics_add(rtc->config.metrics, METRIC_RTC_DROPPED_STRAY, 1);
    if (result.is_checked) {
        rtc_choose_way(transport);
        rtc_begin_dtls(rtc, transport);
    }
}
