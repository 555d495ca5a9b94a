/* The media port: transports from the first check to the end, and what goes through them. */
#include "rtc_house.h"

#define GCM    "SRTP_AEAD_AES_128_GCM"
#define CM     "SRTP_AES128_CM_SHA1_80"
#define NUMBER 1000

static int set_up(void **state)
{
    (void)state;
    port_open(SECURE_DTLS_PROFILES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    port_close();
    return 0;
}

static uint64_t metric(enum metric metric)
{
    return metrics_read(&port.metrics, metric);
}

/* Queues RTP whose payload is `size` bytes of that number. */
static bool put_rtp(struct rtc_transport *transport, struct secure_window *sent, uint16_t number,
                    size_t size)
{
    static uint8_t payloads[RTC_BATCH_MAX][RTC_PACKET_MAX];
    static unsigned next;
    uint8_t *payload = payloads[next++ % RTC_BATCH_MAX];
    uint8_t *at = rtc_begin_rtp(&port.rtc, transport);
    if (!at)
        return false;
    memcpy(at, "\x80\x60\0\0\0\0\0\0\0\0\0\x07", 12);
    at[2] = (uint8_t)(number >> 8);
    at[3] = (uint8_t)number;
    memset(payload, number & 255, size);
    rtc_end_rtp(
        &port.rtc, transport,
        &(struct rtc_rtp){ .header_size = 12, .payload = view_make(payload, size), .sent = sent });
    return true;
}

static void test_both_ways(void **state)
{
    (void)state;
    static const char *const PROFILES[] = { GCM, "SRTP_AEAD_AES_256_GCM", CM };
    for (unsigned i = 0; i < 3; i++) {
        struct rtc_transport *transport;
        struct secure_window sent = { 0 };
        struct far *far = port_connect(&transport, PROFILES[i]);
        assert_true(far->is_connected);
        assert_int_equal(port.heard.connected, i + 1);
        far_say_rtp(far, NUMBER, "hello");
        network_run();
        assert_int_equal(port.heard.rtp, i + 1);
        assert_view(view_make(port.heard.bytes + 12, port.heard.size - 12), "hello");
        far_say_rtcp(far, VIEW("\x80\xc9\0\1\0\0\0\5"));
        network_run();
        assert_int_equal(port.heard.rtcp, i + 1);
        assert_int_equal(port.heard.size, 8);
        assert_true(put_rtp(transport, &sent, NUMBER, 100));
        rtc_send_rtcp(&port.rtc, transport, VIEW("\x80\xc9\0\1\0\0\0\6"));
        network_run();
        assert_int_equal(far->rtp_count, 1);
        assert_int_equal(far->rtp_size, 112);
        assert_int_equal(far->rtp[111], NUMBER & 255);
        assert_int_equal(far->rtcp_count, 1);
        assert_memory_equal(far->rtcp, "\x80\xc9\0\1\0\0\0\6", 8);
        assert_ptr_equal(port.heard.transport, transport);
    }
}

static void test_as_dtls_client(void **state)
{
    (void)state;
    struct rtc_transport *transport;
    struct rtc_remote remote = { .setup = RTC_ACTIVE };
    assert_int_equal(rtc_open(&port.rtc, port.now, NULL, &transport), OK);
    struct far *far = far_make(transport, GCM);
    far->is_client = false;
    far_begin(far);
    memcpy(remote.fingerprint, port.far_identity.fingerprint, sizeof remote.fingerprint);
    far_check(far, true); /* may come before the description */
    network_run();
    rtc_set_remote(&port.rtc, port.now, transport, &remote);
    network_run();
    assert_true(far->is_connected);
    assert_int_equal(port.heard.connected, 1);
    far_say_rtp(far, NUMBER, "hello");
    network_run();
    assert_int_equal(port.heard.rtp, 1);
}

static void test_data(void **state)
{
    (void)state;
    struct rtc_transport *transport;
    struct far *far = port_connect(&transport, GCM);
    assert_int_equal(dtls_send(&far->dtls, port.now, VIEW("to you")), OK);
    far_drain(far);
    network_run();
    assert_int_equal(port.heard.data, 1);
    assert_view(view_make(port.heard.bytes, port.heard.size), "to you");
    rtc_send_data(&port.rtc, port.now, transport, VIEW("to me"));
    network_run();
    assert_int_equal(far->data_count, 1);
    assert_view(far->last_data, "to me");
}

/* A stranger hears nothing, whatever it sends. */
static void test_strangers(void **state)
{
    (void)state;
    struct rtc_transport *transport;
    struct far *far = port_connect(&transport, GCM);
    struct far stranger = *far;
    unsigned packets = port.packets;
    uint64_t dropped = metric(METRIC_RTC_DROPPED_STRAY);
    stranger.flow.remote.port = 9;
    static const uint8_t FIRSTS[] = { 0, 1, 3, 4, 20, 22, 63, 64, 128, 191, 192, 255 };
    for (size_t i = 0; i < sizeof FIRSTS; i++) {
        uint8_t bytes[60] = { FIRSTS[i], 1 };
        far_send(&stranger, view_make(bytes, sizeof bytes));
    }
    stranger.to.pwd[0] ^= 1;
    far_check(&stranger, true);
    stranger.to.ufrag[0] ^= 1;
    far_check(&stranger, true);
    network_run();
    assert_int_equal(port.packets, packets);
    assert_int_equal(metric(METRIC_RTC_DROPPED_STRAY), dropped + sizeof FIRSTS + 2);
    assert_int_equal(port.heard.connected, 1);
}

static void test_before_it_is_connected(void **state)
{
    (void)state;
    struct rtc_transport *transport;
    struct secure_window sent = { 0 };
    assert_int_equal(rtc_open(&port.rtc, port.now, NULL, &transport), OK);
    struct far *far = far_make(transport, GCM);
    far_check(far, true);
    network_run();
    assert_false(put_rtp(transport, &sent, NUMBER, 10));
    far_send(far, VIEW("\x80\x60\0\1........................"));
    far_send(far, VIEW("\x16\xfe\xfd........................"));
    network_run();
    assert_int_equal(metric(METRIC_RTC_DROPPED_EARLY), 2);
}

/* Forged and repeated packets are dropped, and counted. */
static void test_broken_media(void **state)
{
    (void)state;
    struct rtc_transport *transport;
    struct far *far = port_connect(&transport, GCM);
    far_say_rtp(far, NUMBER, "hello");
    far_say_rtp(far, NUMBER, "hello");
    network_run();
    assert_int_equal(port.heard.rtp, 1);
    assert_int_equal(metric(METRIC_RTC_DROPPED_REPLAYED), 1);
    uint8_t forged[60] = { 0x80, 96, 0, 1 };
    far_send(far, view_make(forged, sizeof forged));
    far_send(far, view_make(forged, 3));
    uint8_t rtcp[40] = { 0x80, 201, 0, 1 };
    rtcp[36] = 0x80; /* it says that it is encrypted */
    far_send(far, view_make(rtcp, sizeof rtcp));
    network_run();
    assert_int_equal(metric(METRIC_RTC_DROPPED_FORGED), 2);
    assert_int_equal(metric(METRIC_RTC_DROPPED_MALFORMED), 1);
    assert_int_equal(port.heard.rtp, 1);
    assert_int_equal(port.heard.rtcp, 0);
}

/* Runs: equal sizes together, a smaller one ends them, another transport begins anew. */
static void test_runs(void **state)
{
    (void)state;
    struct rtc_transport *one, *two;
    struct secure_window sent_one = { 0 }, sent_two = { 0 };
    struct far *far_one = port_connect(&one, CM);
    struct far *far_two = port_connect(&two, GCM);
    uint16_t number = NUMBER;
    static const size_t SIZES[] = { 500, 500, 500, 400, 400, 401 };
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++)
        assert_true(put_rtp(one, &sent_one, number++, SIZES[i]));
    assert_true(put_rtp(two, &sent_two, number++, 401));
    port.runs = port.packets = 0;
    network_run();
    assert_int_equal(port.packets, 7);
    assert_int_equal(port.runs, 4); /* 500 500 500 400, 400, 401, and the other's */
    assert_int_equal(far_one->rtp_count, 6);
    assert_int_equal(far_two->rtp_count, 1);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(far_one->numbers[i], NUMBER + i);
}

static void test_full_batch(void **state)
{
    (void)state;
    struct rtc_transport *transport;
    struct secure_window sent = { 0 };
    struct far *far = port_connect(&transport, GCM);
    unsigned count = 0;
    while (put_rtp(transport, &sent, (uint16_t)(NUMBER + count), 1200))
        count++;
    assert_true(rtc_is_full(&port.rtc));
    assert_true(count > 100 && count <= RTC_BATCH_MAX);
    /* what has no room is lost */
    rtc_send_rtcp(&port.rtc, transport, VIEW("\x80\xc9\0\1\0\0\0\6"));
    assert_int_equal(metric(METRIC_RTC_NOT_SENT), 1);
    network_run();
    assert_int_equal(far->rtp_count, count);
    assert_int_equal(far->rtcp_count, 0);
    assert_false(rtc_is_full(&port.rtc));
    /* one that is too long is lost alone */
    assert_true(put_rtp(transport, &sent, 5000, RTC_PACKET_MAX - 12 - 15));
    assert_true(put_rtp(transport, &sent, 5001, RTC_PACKET_MAX - 12 - 16));
    network_run();
    assert_int_equal(far->rtp_count, count + 1);
    assert_int_equal(metric(METRIC_RTC_NOT_SENT), 2);
}

static void test_certificate(void **state)
{
    (void)state;
    struct rtc_transport *transport;
    struct rtc_remote remote = { .setup = RTC_PASSIVE, .fingerprint = { 1 } };
    assert_int_equal(rtc_open(&port.rtc, port.now, NULL, &transport), OK);
    struct far *far = far_make(transport, GCM);
    rtc_set_remote(&port.rtc, port.now, transport, &remote);
    far_check(far, true);
    far_begin(far);
    network_run();
    assert_int_equal(port.heard.connected, 0);
    assert_int_equal(port.heard.ended, 1);
    assert_int_equal(port.heard.end, RTC_END_CERTIFICATE);
    rtc_close(&port.rtc, port.now, transport);
    network_run();
    assert_true(far->is_ended);
}

static void test_no_profile(void **state)
{
    (void)state;
    struct rtc_transport *transport;
    struct far *far = port_connect(&transport, NULL);
    assert_int_equal(port.heard.connected, 0);
    assert_int_equal(port.heard.end, RTC_END_PROFILE);
    (void)far;
    rtc_close(&port.rtc, port.now, transport);
    network_run();
}

static void test_ends(void **state)
{
    (void)state;
    struct rtc_transport *transport;
    struct far *far = port_connect(&transport, GCM);
    dtls_close(&far->dtls, port.now);
    far_drain(far);
    network_run();
    assert_int_equal(port.heard.end, RTC_END_BY_PEER);
    rtc_close(&port.rtc, port.now, transport);
    network_run();
    far_check(far, false); /* nobody is there any more */
    network_run();
    assert_int_equal(far->checked, 1);
    assert_true(port.until == USEC_NEVER);
}

static void test_we_close(void **state)
{
    (void)state;
    struct rtc_transport *transport;
    struct secure_window sent = { 0 };
    struct far *far = port_connect(&transport, GCM);
    assert_true(put_rtp(transport, &sent, NUMBER, 10));
    rtc_close(&port.rtc, port.now, transport);
    network_run();
    assert_true(far->is_ended);
    assert_int_equal(far->rtp_count, 0);
}

static void test_consent(void **state)
{
    (void)state;
    struct rtc_transport *transport;
    struct far *far = port_connect(&transport, GCM);
    for (int i = 0; i < 4; i++) {
        port_wait(ICE_CONSENT_TIME - USEC_S);
        far_check(far, false);
        network_run();
    }
    assert_int_equal(port.heard.ended, 0);
    port_wait(ICE_CONSENT_TIME + 10 * USEC_MS);
    assert_int_equal(port.heard.ended, 1);
    assert_int_equal(port.heard.end, RTC_END_NO_CONSENT);
    rtc_close(&port.rtc, port.now, transport);
}

static void test_nobody_comes(void **state)
{
    (void)state;
    struct rtc_transport *transport;
    struct rtc_remote remote = { .setup = RTC_PASSIVE };
    assert_int_equal(rtc_open(&port.rtc, port.now, NULL, &transport), OK);
    port_drain();
    port_wait(RTC_REMOTE_TIME - USEC_S);
    rtc_set_remote(&port.rtc, port.now, transport, &remote);
    network_run();
    port_wait(RTC_CONNECT_TIME - 10 * USEC_MS);
    assert_int_equal(port.heard.ended, 0);
    port_wait(20 * USEC_MS);
    assert_int_equal(port.heard.end, RTC_END_TIMEOUT);
    rtc_close(&port.rtc, port.now, transport);
}

/* Flights that are lost are sent again. */
static void test_lost_flight(void **state)
{
    (void)state;
    struct rtc_transport *transport;
    port.is_deaf = true;
    assert_int_equal(rtc_open(&port.rtc, port.now, NULL, &transport), OK);
    struct far *far = far_make(transport, GCM);
    struct rtc_remote remote = { .setup = RTC_PASSIVE };
    memcpy(remote.fingerprint, port.far_identity.fingerprint, sizeof remote.fingerprint);
    rtc_set_remote(&port.rtc, port.now, transport, &remote);
    far_check(far, true);
    far_begin(far);
    network_run();
    assert_false(far->is_connected);
    port.is_deaf = false;
    port_wait(3 * USEC_S);
    assert_true(far->is_connected);
    assert_int_equal(port.heard.connected, 1);
}

/* The far end goes on under other credentials, from another address; nothing stops. */
static void test_restart(void **state)
{
    (void)state;
    struct rtc_transport *transport;
    struct secure_window sent = { 0 };
    struct far *far = port_connect(&transport, GCM);
    const struct ice_credentials old = far->to;
    for (uint16_t round = 0; round < 3; round++) {
        rtc_restart(&port.rtc, port.now, transport);
        rtc_restart(&port.rtc, port.now, transport);
        assert_true(put_rtp(transport, &sent, (uint16_t)(NUMBER + 2 * round), 10));
        network_run();
        assert_int_equal(far->rtp_count, 2 * round + 1);
        far->to = transport->ice.local;
        far->flow.remote.port++;
        far_check(far, true);
        network_run();
        far_say_rtp(far, (uint16_t)(NUMBER + round), "hello");
        assert_true(put_rtp(transport, &sent, (uint16_t)(NUMBER + 2 * round + 1), 10));
        network_run();
        assert_int_equal(far->rtp_count, 2 * round + 2);
        assert_int_equal(port.heard.rtp, round + 1);
    }
    unsigned checked = far->checked;
    far->to = old;
    far_check(far, false);
    network_run();
    assert_int_equal(far->checked, checked);
}

static void test_limit(void **state)
{
    (void)state;
    struct rtc_transport *transports[9];
    for (int i = 0; i < 8; i++)
        assert_int_equal(rtc_open(&port.rtc, port.now, NULL, &transports[i]), OK);
    assert_int_equal(rtc_open(&port.rtc, port.now, NULL, &transports[8]), ERR_LIMIT);
    rtc_close(&port.rtc, port.now, transports[3]);
    assert_int_equal(rtc_open(&port.rtc, port.now, NULL, &transports[8]), OK);
}

/* Two pages of one browser may come from one address: it is the last one's that checked. */
static void test_flow_changes_hands(void **state)
{
    (void)state;
    struct rtc_transport *one, *two;
    struct far *far = port_connect(&one, GCM);
    assert_int_equal(rtc_open(&port.rtc, port.now, NULL, &two), OK);
    far->to = two->ice.local;
    far_check(far, true);
    network_run();
    assert_int_equal(far->checked, 2);
    far_say_rtp(far, NUMBER, "hello");
    network_run();
    assert_int_equal(port.heard.rtp, 0);
    rtc_close(&port.rtc, port.now, two);
    rtc_close(&port.rtc, port.now, one);
}

static void test_stream_gone(void **state)
{
    (void)state;
    struct rtc_transport *transport;
    struct secure_window sent = { 0 };
    assert_int_equal(rtc_open(&port.rtc, port.now, NULL, &transport), OK);
    struct far *far = far_make(transport, GCM);
    struct rtc_remote remote = { .setup = RTC_PASSIVE };
    far->flow.stream = 3;
    memcpy(remote.fingerprint, port.far_identity.fingerprint, sizeof remote.fingerprint);
    rtc_set_remote(&port.rtc, port.now, transport, &remote);
    far_check(far, true);
    far_begin(far);
    network_run();
    assert_int_equal(port.heard.connected, 1);
    rtc_stream_gone(&port.rtc, port.now, &far->flow);
    assert_false(put_rtp(transport, &sent, NUMBER, 10));
    far->flow.stream = ICE_UDP;
    far_check(far, true);
    network_run();
    assert_true(put_rtp(transport, &sent, NUMBER, 10));
    network_run();
    assert_int_equal(far->rtp_count, 1);
}

int main(void)
{
#define WITH_PORT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_PORT(test_both_ways),
        WITH_PORT(test_as_dtls_client),
        WITH_PORT(test_data),
        WITH_PORT(test_strangers),
        WITH_PORT(test_before_it_is_connected),
        WITH_PORT(test_broken_media),
        WITH_PORT(test_runs),
        WITH_PORT(test_full_batch),
        WITH_PORT(test_certificate),
        WITH_PORT(test_no_profile),
        WITH_PORT(test_ends),
        WITH_PORT(test_we_close),
        WITH_PORT(test_consent),
        WITH_PORT(test_nobody_comes),
        WITH_PORT(test_lost_flight),
        WITH_PORT(test_restart),
        WITH_PORT(test_limit),
        WITH_PORT(test_flow_changes_hands),
        WITH_PORT(test_stream_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
