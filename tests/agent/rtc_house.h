/* rtc_house.h - a media port, and far ends as browsers are: they check, shake hands, speak SRTP.
 * Between them is a queue: nothing arrives before network_run. */
#ifndef MOIM_TESTS_AGENT_RTC_HOUSE_H
#define MOIM_TESTS_AGENT_RTC_HOUSE_H

#include "support.h"

#include "agent/rtc.h"
#include "dtls_house.h"
#include "wire/rtp.h"
#include "wire/stun.h"

#ifndef FARS_MAX
#define FARS_MAX 4
#endif
#define HEARD       64
#define NETWORK_MAX 512

/* One end of a transport that is not ours. */
struct far {
    struct ice_flow flow;                             /* as the port sees it */
    void (*send)(struct far *far, struct view bytes); /* NULL: into the queue */
    struct ice_credentials to;
    struct dtls_context *context;
    struct dtls dtls;
    struct secure_session secure;
    bool has_dtls, is_connected, is_ended;
    bool is_client;
    unsigned checked; /* answers to checks */
    unsigned refused;
    unsigned data_count;
    struct view last_data;
    void (*hear_data)(struct far *far, struct view data);  /* in place of the above; may be NULL */
    void (*hear_rtp)(struct far *far, struct view packet); /* as well; may be NULL */
    uint8_t data[256];
    unsigned rtp_count, rtcp_count;
    uint8_t rtp[RTC_PACKET_MAX]; /* the last one, opened */
    size_t rtp_size;
    uint16_t numbers[HEARD]; /* of the RTP packets, in their order */
    uint8_t rtcp[RTC_PACKET_MAX];
    size_t rtcp_size;
};

struct heard {
    unsigned connected, rtp, rtcp, data, ended;
    uint8_t end;
    uint8_t bytes[RTC_PACKET_MAX];
    size_t size;
    struct rtc_transport *transport;
};

struct port {
    struct rtc rtc;
    struct metrics metrics;
    struct identity identity;
    struct dtls_context *context;
    struct secure_engine *engine, *far_engine;
    uint64_t chance;
    struct random random;
    usec now;
    usec until;
    bool is_deaf; /* what it sends is lost */
    unsigned runs, packets;
    struct far fars[FARS_MAX];
    struct identity far_identity;
    unsigned far_count;
    struct heard heard;
};

static struct port port;
static enum secure_choice port_ciphers = SECURE_BEST;

static struct {
    unsigned first, count;
    struct {
        struct far *far;
        bool is_to_port;
        size_t size;
        uint8_t bytes[RTC_PACKET_MAX];
    } queue[NETWORK_MAX];
} network;

static inline void network_put(struct far *far, bool is_to_port, struct view bytes)
{
    assert_true(network.count < NETWORK_MAX && bytes.size <= RTC_PACKET_MAX && bytes.size > 0);
    unsigned at = (network.first + network.count++) % NETWORK_MAX;
    network.queue[at].far = far;
    network.queue[at].is_to_port = is_to_port;
    network.queue[at].size = bytes.size;
    memcpy(network.queue[at].bytes, bytes.at, bytes.size);
}

static inline void port_open(const char *profiles)
{
    port = (struct port){ .now = 1000 * USEC_S, .chance = 7 };
    network.first = network.count = 0;
    port.random = (struct random){ test_random_fill, &port.chance };
    identity_make(&port.identity);
    identity_make(&port.far_identity);
    port.context = context_make(&port.identity, profiles, true);
    const struct secure_config secure = { port_ciphers, 4 * FARS_MAX, 16 * FARS_MAX };
    assert_int_equal(secure_engine_new(&secure, &port.engine), OK);
    assert_int_equal(secure_engine_new(&secure, &port.far_engine), OK);
    const struct rtc_config config = { .dtls = port.context,
                                       .secure = port.engine,
                                       .random = &port.random,
                                       .metrics = &port.metrics,
                                       .transports_max = 2 * FARS_MAX };
    assert_int_equal(rtc_init(&port.rtc, &config, port.now), OK);
}

static inline void port_close(void)
{
    rtc_free(&port.rtc);
    for (unsigned i = 0; i < port.far_count; i++) {
        dtls_free(&port.fars[i].dtls);
        secure_session_close(&port.fars[i].secure);
        dtls_context_free(port.fars[i].context);
    }
    assert_int_equal(secure_engine_sessions(port.engine), 0);
    secure_engine_free(port.engine);
    secure_engine_free(port.far_engine);
    dtls_context_free(port.context);
    identity_free(&port.identity);
    identity_free(&port.far_identity);
}

/* ---- far ends ---- */

static inline struct far *far_make(const struct rtc_transport *transport, const char *profiles)
{
    struct far *far = &port.fars[port.far_count++];
    *far = (struct far){ .flow = { .remote = { ADDRESS_IPV4,
                                               { 192, 0, 2, (uint8_t)port.far_count },
                                               (uint16_t)(5000 + port.far_count) },
                                   .local = { ADDRESS_IPV4, { 198, 51, 100, 1 }, 0 },
                                   .stream = ICE_UDP },
                         .to = transport->ice.local,
                         .is_client = true };
    far->context = context_make(&port.far_identity, profiles, true);
    return far;
}

static inline void far_send(struct far *far, struct view bytes)
{
    if (far->send)
        far->send(far, bytes);
    else
        network_put(far, true, bytes);
}

static inline void far_check(struct far *far, bool nominates)
{
    static const uint8_t TRANSACTION[STUN_TRANSACTION_SIZE] = "far end's";
    uint8_t datagram[200];
    uint8_t name[ICE_UFRAG_SIZE + 4];
    struct stun_writer writer;
    memcpy(name, far->to.ufrag, ICE_UFRAG_SIZE);
    memcpy(name + ICE_UFRAG_SIZE, ":far", 4);
    stun_begin(&writer, datagram, sizeof datagram, STUN_REQUEST, STUN_BINDING, TRANSACTION);
    stun_add(&writer, STUN_USERNAME, view_make(name, sizeof name));
    stun_add(&writer, STUN_PRIORITY, VIEW("\1\2\3\4"));
    stun_add(&writer, STUN_ICE_CONTROLLING, VIEW("12345678"));
    if (nominates)
        stun_add(&writer, STUN_USE_CANDIDATE, VIEW(""));
    stun_add_integrity(&writer, view_make(far->to.pwd, ICE_PWD_SIZE));
    stun_add_fingerprint(&writer);
    far_send(far, view_make(datagram, writer.size));
}

static inline void far_keys(struct far *far)
{
    uint8_t material[SECURE_MATERIAL_MAX];
    uint16_t profile = dtls_srtp_profile(&far->dtls);
    size_t size = secure_material_size(profile);
    far->is_connected = true;
    if (size == 0)
        return;
    assert_int_equal(dtls_srtp_keys(&far->dtls, material, size), OK);
    assert_int_equal(secure_session_open(&far->secure, port.far_engine, profile, far->is_client,
                                         view_make(material, size)),
                     OK);
}

static inline void far_drain(struct far *far)
{
    struct dtls_out out;
    for (dtls_poll(&far->dtls, &out); out.kind != DTLS_WAIT; dtls_poll(&far->dtls, &out)) {
        if (out.kind == DTLS_CONNECTED)
            far_keys(far);
        if (out.kind == DTLS_ENDED)
            far->is_ended = true;
        if (out.kind == DTLS_SEND)
            far_send(far, out.bytes);
        if (out.kind == DTLS_DATA && far->hear_data) {
            far->hear_data(far, out.bytes);
        } else if (out.kind == DTLS_DATA) {
            assert_true(out.bytes.size <= sizeof far->data);
            memcpy(far->data, out.bytes.at, out.bytes.size);
            far->last_data = view_make(far->data, out.bytes.size);
            far->data_count++;
        }
    }
}

static inline void far_begin(struct far *far)
{
    assert_int_equal(
        dtls_init(&far->dtls, far->context, far->is_client ? DTLS_CLIENT : DTLS_SERVER, port.now),
        OK);
    far->has_dtls = true;
    far_drain(far);
}

static inline void far_hear_media(struct far *far, struct view bytes)
{
    uint8_t *copy = test_copy(bytes);
    struct span packet = { copy, bytes.size };
    if (rtp_is_rtcp(bytes)) {
        assert_int_equal(secure_unprotect_rtcp(&far->secure, &packet), OK);
        memcpy(far->rtcp, packet.at, packet.size);
        far->rtcp_size = packet.size;
        far->rtcp_count++;
    } else {
        struct secure_incoming in = { .session = &far->secure, .packet = packet };
        secure_unprotect(port.far_engine, &in, 1);
        assert_int_equal(in.status, OK);
        memcpy(far->rtp, in.packet.at, in.packet.size);
        far->rtp_size = in.packet.size;
        far->numbers[far->rtp_count++ % HEARD] = (uint16_t)(in.packet.at[2] << 8 | in.packet.at[3]);
        if (far->hear_rtp)
            far->hear_rtp(far, view_of_span(in.packet));
    }
    free(copy);
}

static inline void far_hear(struct far *far, struct view bytes)
{
    struct stun_msg msg;
    uint8_t first = bytes.at[0];
    if (first <= 3) {
        assert_int_equal(stun_read(bytes, &msg), OK);
        far->checked += msg.class == STUN_SUCCESS;
        far->refused += msg.class == STUN_ERROR;
    } else if (first >= 128) {
        far_hear_media(far, bytes);
    } else if (far->has_dtls) {
        dtls_feed(&far->dtls, port.now, bytes);
        far_drain(far);
    }
}

static inline void far_say_rtp(struct far *far, uint16_t number, const char *payload)
{
    static struct secure_window sent;
    uint8_t room[RTC_PACKET_MAX] = { 0x80, 96, (uint8_t)(number >> 8), (uint8_t)number };
    struct secure_outgoing out = { .key = far->secure.rtp_out,
                                   .sent = &sent,
                                   .at = room,
                                   .payload = view_of(payload),
                                   .header_size = 12 };
    sent = (struct secure_window){ 0 };
    room[11] = 5; /* SSRC */
    secure_protect(port.far_engine, &out, 1);
    assert_int_equal(out.status, OK);
    far_send(far, view_make(room, out.size));
}

static inline void far_say_rtcp(struct far *far, struct view packet)
{
    uint8_t room[200];
    size_t size;
    memcpy(room, packet.at, packet.size);
    assert_int_equal(secure_protect_rtcp(&far->secure, room, packet.size, &size), OK);
    far_send(far, view_make(room, size));
}

/* ---- the port ---- */

static inline struct far *far_of(const struct ice_flow *flow)
{
    for (unsigned i = 0; i < port.far_count; i++)
        if (ice_flow_equal(&port.fars[i].flow, flow))
            return &port.fars[i];
    return NULL;
}

static inline void port_flush(void)
{
    uint32_t run_count;
    const struct rtc_run *runs = rtc_seal(&port.rtc, &run_count);
    for (uint32_t r = 0; r < run_count; r++) {
        struct view rest = runs[r].bytes;
        port.runs++;
        for (unsigned i = 0; i < runs[r].count; i++) {
            struct view packet = view_slice(rest, 0, runs[r].segment);
            struct far *far = far_of(runs[r].flow);
            rest = view_slice(rest, runs[r].segment, rest.size);
            port.packets++;
            if (far && !port.is_deaf)
                network_put(far, false, packet);
        }
        assert_int_equal(rest.size, 0);
    }
    rtc_sent(&port.rtc);
}

static inline void port_drain(void)
{
    struct rtc_out out;
    struct heard *heard = &port.heard;
    for (rtc_poll(&port.rtc, &out); out.kind != RTC_WAIT; rtc_poll(&port.rtc, &out)) {
        struct view bytes = out.kind == RTC_DATA ? out.data : view_of_span(out.packet);
        heard->connected += out.kind == RTC_CONNECTED;
        heard->rtp += out.kind == RTC_RTP;
        heard->rtcp += out.kind == RTC_RTCP;
        heard->data += out.kind == RTC_DATA;
        heard->transport = out.transport;
        if (bytes.size) {
            memcpy(heard->bytes, bytes.at, bytes.size);
            heard->size = bytes.size;
        }
        if (out.kind == RTC_ENDED) {
            heard->ended++;
            heard->end = out.end;
        }
    }
    port.until = out.until;
    port_flush();
}

/* Everything arrives, and what is said to it, until all is quiet. */
static inline void network_run(void)
{
    port_drain();
    while (network.count > 0) {
        unsigned at = network.first;
        struct far *far = network.queue[at].far;
        struct view bytes = view_make(network.queue[at].bytes, network.queue[at].size);
        uint8_t *copy = test_copy(bytes);
        bool is_to_port = network.queue[at].is_to_port;
        network.first = (at + 1) % NETWORK_MAX;
        network.count--;
        if (is_to_port) {
            rtc_feed(&port.rtc, port.now, &far->flow, (struct span){ copy, bytes.size });
            port_drain();
        } else {
            far_hear(far, view_make(copy, bytes.size));
        }
        free(copy);
    }
}

static inline void port_wait(usec time)
{
    usec until = port.now + time;
    while (port.until <= until) {
        port.now = port.until > port.now ? port.until : port.now;
        rtc_tick(&port.rtc, port.now);
        network_run();
    }
    port.now = until;
}

/* A transport that is open, and its far end. */
static inline struct far *port_connect(struct rtc_transport **transport, const char *profiles)
{
    assert_int_equal(rtc_open(&port.rtc, port.now, NULL, transport), OK);
    struct far *far = far_make(*transport, profiles);
    struct rtc_remote remote = { .setup = RTC_PASSIVE };
    memcpy(remote.fingerprint, port.far_identity.fingerprint, sizeof remote.fingerprint);
    rtc_set_remote(&port.rtc, port.now, *transport, &remote);
    far_check(far, true);
    network_run();
    assert_int_equal(far->checked, 1);
    far_begin(far);
    network_run();
    return far;
}

#endif
