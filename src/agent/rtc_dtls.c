/* The media port's handshakes, and the keys that come of them (RFC 5763, 5764). */
#include "agent/rtc_internal.h"

#include <openssl/crypto.h>

void rtc_begin_dtls(struct rtc *rtc, struct rtc_transport *transport)
{
    if (transport->has_dtls || !transport->has_remote || transport->ice.pair_count == 0)
        return;
    enum dtls_role role = transport->remote.setup == RTC_ACTIVE ? DTLS_CLIENT : DTLS_SERVER;
    if (dtls_init(&transport->dtls, rtc->config.dtls, role, rtc->now) != OK) {
        rtc_end(rtc, transport, RTC_END_HANDSHAKE);
        return;
    }
    transport->has_dtls = true;
    rtc_touch(rtc, transport);
}

void rtc_feed_dtls(struct rtc *rtc, struct rtc_transport *transport, const struct ice_flow *flow,
                   struct view datagram)
{
    /* as offerer, we may be called before the answer is here: the hello will come again */
    if (!transport->has_dtls || transport->end != RTC_OPEN) {
        metrics_add(rtc->config.metrics, METRIC_RTC_DROPPED_EARLY, 1);
        return;
    }
    if (ice_lite_heard(&transport->ice, rtc->now, flow))
        rtc_choose_way(transport);
    dtls_feed(&transport->dtls, rtc->now, datagram);
    rtc_touch(rtc, transport);
}

/* The keys, if the other end is who it should be.  The status is the end's reason. */
static enum rtc_end take_keys(struct rtc *rtc, struct rtc_transport *transport)
{
    uint8_t fingerprint[DTLS_FINGERPRINT_SIZE];
    uint8_t material[SECURE_MATERIAL_MAX];
    uint16_t profile = dtls_srtp_profile(&transport->dtls);
    size_t size = secure_material_size(profile);
    bool is_client = transport->remote.setup == RTC_ACTIVE;
    if (dtls_peer_fingerprint(&transport->dtls, fingerprint) != OK ||
        CRYPTO_memcmp(fingerprint, transport->remote.fingerprint, sizeof fingerprint) != 0)
        return RTC_END_CERTIFICATE;
    if (size == 0 || dtls_srtp_keys(&transport->dtls, material, size) != OK)
        return RTC_END_PROFILE;
    int status = secure_session_open(&transport->secure, rtc->config.secure, profile, is_client,
                                     view_make(material, size));
    OPENSSL_cleanse(material, sizeof material);
    if (status != OK)
        return RTC_END_LIMIT;
    transport->overhead = (uint8_t)secure_session_overhead(&transport->secure);
    return RTC_OPEN;
}

static bool connected(struct rtc *rtc, struct rtc_transport *transport, struct rtc_out *out)
{
    enum rtc_end end = take_keys(rtc, transport);
    if (end != RTC_OPEN) {
        dtls_close(&transport->dtls, rtc->now);
        rtc_end(rtc, transport, end);
        return false;
    }
    transport->is_connected = true;
    rtc_set_timer(rtc, transport);
    metrics_add(rtc->config.metrics, METRIC_RTC_CONNECTED, 1);
    out->kind = RTC_CONNECTED;
    return true;
}

static enum rtc_end end_of(const struct dtls_out *out)
{
    return out->end == DTLS_END_CLOSED    ? RTC_END_BY_PEER
           : out->end == DTLS_END_TIMEOUT ? RTC_END_TIMEOUT
                                          : RTC_END_HANDSHAKE;
}

static void note_time(struct rtc *rtc, struct rtc_transport *transport, usec until)
{
    if (until == transport->dtls_until)
        return;
    transport->dtls_until = until;
    rtc_set_timer(rtc, transport);
}

bool rtc_poll_dtls(struct rtc *rtc, struct rtc_transport *transport, struct rtc_out *out)
{
    struct dtls_out dtls;
    while (transport->has_dtls) {
        dtls_poll(&transport->dtls, &dtls);
        switch ((enum dtls_out_kind)dtls.kind) {
        case DTLS_WAIT:
            note_time(rtc, transport, dtls.until);
            return false;
        case DTLS_SEND:
            if (transport->has_way)
                rtc_send_plain(rtc, &transport->way, dtls.bytes);
            break;
        case DTLS_CONNECTED:
            if (connected(rtc, transport, out))
                return true;
            break;
        case DTLS_DATA:
            out->kind = RTC_DATA;
            out->data = dtls.bytes;
            return true;
        case DTLS_ENDED:
            rtc_end(rtc, transport, end_of(&dtls));
            break;
        }
    }
    return false;
}

void rtc_send_data(struct rtc *rtc, usec now, struct rtc_transport *transport, struct view data)
{
    rtc->now = now;
    if (!transport->is_connected || transport->end != RTC_OPEN ||
        dtls_send(&transport->dtls, now, data) != OK) {
        metrics_add(rtc->config.metrics, METRIC_RTC_NOT_SENT, 1);
        return;
    }
    rtc_touch(rtc, transport);
}
