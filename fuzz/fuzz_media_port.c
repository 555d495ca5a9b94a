/* Fuzzes the media port: transports with far ends that check, shake hands and send, mixed with
 * anyone's datagrams, restarts, lost connections and time.
 *
 * Input: operations, each of a byte for what it is (high half) and for whom (low half), and what
 * it needs:
 *   0x  opens transport x               1x  describes its far end: bit 0 active, bit 1 wrongly
 *   2x  a check: a byte of flags (1 nominates, 2 controlled, 4 wrongly signed, 8 of the last
 *       credentials), a byte of where from
 *   3x  its handshake begins            4x  what it says next is broken at a place (1 byte)
 *   5x  RTP, sealed if it can be: size, bytes     6x  RTCP: the same
 *   7x  any bytes: where from, size, bytes        8x  restarts      9x  closes
 *   ax  is sent RTP of so many bytes x 8, so many times      bx  is sent RTCP, and data
 *   cx  time passes: 2^byte ms                    dx  the TCP connection it came by is gone
 *
 * OpenSSL's random numbers are its own: a run is not the same twice beyond the first hello.
 */
#include "agent/rtc.h"
#include "input.h"
#include "wire/rtp.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

enum { ENDS = 3, OPERATIONS_MAX = 200 };

struct far {
    struct rtc_transport *transport;
    struct ice_credentials to, before;
    struct dtls dtls;
    struct secure_session secure;
    struct secure_window sent;
    bool has_dtls, is_described;
    uint8_t from; /* the place it sends from */
    uint8_t broken;
};

static struct rtc rtc;
static struct far fars[ENDS];
static struct metrics metrics;
static struct dtls_context *context, *far_context;
static struct secure_engine *engine, *far_engine;
static uint8_t fingerprint[DTLS_FINGERPRINT_SIZE];
static usec now;
static uint64_t seed;
static struct random random_source = { input_random_fill, &seed };

static struct dtls_context *make_context(X509 *x, EVP_PKEY *key)
{
    struct dtls_context *made;
    const struct dtls_config config = { .certificate = x,
                                        .key = key,
                                        .srtp_profiles = SECURE_DTLS_PROFILES,
                                        .asks_certificate = true };
    CHECK(dtls_context_new(&config, &made) == OK);
    return made;
}

static void make_all(void)
{
    unsigned size = sizeof fingerprint;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    CHECK(key && x);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 24 * 3600);
    X509_set_pubkey(x, key);
    CHECK(X509_sign(x, key, EVP_sha256()) > 0);
    CHECK(X509_digest(x, EVP_sha256(), fingerprint, &size));
    context = make_context(x, key);
    far_context = make_context(x, key);
    X509_free(x);
    EVP_PKEY_free(key);
    const struct secure_config secure = { SECURE_BEST, 8, 64 };
    CHECK(secure_engine_new(&secure, &engine) == OK);
    CHECK(secure_engine_new(&secure, &far_engine) == OK);
}

/* Odd places are TCP connections. */
static struct ice_flow flow_of(uint8_t from)
{
    return (struct ice_flow){ .remote = { ADDRESS_IPV4, { 192, 0, 2, from }, 5000 },
                              .local = { ADDRESS_IPV4, { 198, 51, 100, 1 }, 0 },
                              .stream = from & 1 ? from : ICE_UDP };
}

/* ---- what comes to the far ends ---- */

static void say(struct far *far, struct view bytes);

static void take_keys(struct far *far)
{
    uint8_t material[SECURE_MATERIAL_MAX];
    uint16_t profile = dtls_srtp_profile(&far->dtls);
    size_t size = secure_material_size(profile);
    bool is_client = far->dtls.role == DTLS_CLIENT;
    CHECK(size > 0 && dtls_srtp_keys(&far->dtls, material, size) == OK);
    secure_session_close(&far->secure);
    memset(&far->sent, 0, sizeof far->sent);
    CHECK(secure_session_open(&far->secure, far_engine, profile, is_client,
                              view_make(material, size)) == OK);
}

static void speak(struct far *far)
{
    struct dtls_out out;
    while (far->has_dtls) {
        dtls_poll(&far->dtls, &out);
        if (out.kind == DTLS_WAIT)
            return;
        if (out.kind == DTLS_CONNECTED)
            take_keys(far);
        if (out.kind == DTLS_SEND)
            say(far, out.bytes);
    }
}

static struct far *far_at(const struct ice_flow *flow)
{
    for (unsigned i = 0; i < ENDS; i++)
        if (fars[i].transport && fars[i].from == flow->remote.bytes[3])
            return &fars[i];
    return NULL;
}

/* Kept apart, for what is answered to it changes what it lies in. */
static struct {
    struct far *far;
    size_t size;
    uint8_t bytes[2048];
} mail[4 * RTC_BATCH_MAX];
static unsigned mail_count;

static void flush(void)
{
    uint32_t count;
    const struct rtc_run *runs = rtc_seal(&rtc, &count);
    for (uint32_t r = 0; r < count; r++) {
        struct view rest = runs[r].bytes;
        for (unsigned i = 0; i < runs[r].count; i++) {
            struct view one = view_slice(rest, 0, runs[r].segment);
            rest = view_slice(rest, runs[r].segment, rest.size);
            CHECK(one.size > 0 && one.size <= RTC_PACKET_MAX + RTC_HEADER_MAX);
            if (mail_count == sizeof mail / sizeof mail[0])
                continue;
            mail[mail_count].far = far_at(runs[r].flow);
            mail[mail_count].size = one.size;
            memcpy(mail[mail_count++].bytes, one.at, one.size);
        }
        CHECK(rest.size == 0);
    }
    rtc_sent(&rtc);
}

static void hear(struct far *far, struct view bytes)
{
    struct span copy = input_copy(bytes);
    if (bytes.at[0] >= 20 && bytes.at[0] <= 63 && far->has_dtls) {
        dtls_feed(&far->dtls, now, view_of_span(copy));
        speak(far);
    } else if (bytes.at[0] >= 128 && far->secure.engine) {
        struct secure_incoming in = { .session = &far->secure, .packet = copy };
        if (rtp_is_rtcp(bytes))
            in.status = secure_unprotect_rtcp(&far->secure, &in.packet);
        else
            secure_unprotect(far_engine, &in, 1);
        /* of another handshake than the last, perhaps; but never what no key made */
        CHECK(in.status == OK || in.status == ERR_FORGED || in.status == ERR_REPLAYED ||
              in.status == ERR_LIMIT || in.status == ERR_OLD);
    }
    free(copy.at);
}

static void deliver(void)
{
    for (unsigned i = 0; i < mail_count; i++)
        if (mail[i].far && mail[i].far->transport)
            hear(mail[i].far, view_make(mail[i].bytes, mail[i].size));
    mail_count = 0;
}

/* ---- the port ---- */

static void far_close(struct far *far)
{
    rtc_close(&rtc, now, far->transport);
    dtls_free(&far->dtls);
    secure_session_close(&far->secure);
    *far = (struct far){ 0 };
}

static usec drain(void)
{
    struct rtc_out out;
    for (rtc_poll(&rtc, &out); out.kind != RTC_WAIT; rtc_poll(&rtc, &out)) {
        CHECK(out.transport && out.transport->owner);
        if (out.kind == RTC_RTP || out.kind == RTC_RTCP)
            CHECK(out.transport->is_connected && out.packet.size > 0);
        if (out.kind == RTC_ENDED) {
            CHECK(out.end != RTC_OPEN);
            far_close(out.transport->owner);
        }
    }
    flush();
    return out.until;
}

static void feed(uint8_t from, struct view bytes)
{
    const struct ice_flow flow = flow_of(from);
    struct span copy = input_copy(bytes);
    rtc_feed(&rtc, now, &flow, copy);
    drain();
    free(copy.at);
}

static void say(struct far *far, struct view bytes)
{
    struct span copy = input_copy(bytes);
    if (far->broken && far->broken <= copy.size)
        copy.at[far->broken - 1] ^= 0x20;
    far->broken = 0;
    feed(far->from, view_of_span(copy));
    free(copy.at);
}

/* ---- operations ---- */

static void far_open(struct far *far)
{
    if (far->transport)
        return;
    *far = (struct far){ .from = (uint8_t)(2 * (far - fars) + 10) };
    CHECK(rtc_open(&rtc, now, far, &far->transport) == OK);
    far->to = far->before = *rtc_credentials(far->transport);
}

static void describe(struct far *far, uint8_t how)
{
    struct rtc_remote remote = { .setup = how & 1 ? RTC_ACTIVE : RTC_PASSIVE };
    if (!far->transport || far->is_described)
        return;
    memcpy(remote.fingerprint, fingerprint, sizeof fingerprint);
    remote.fingerprint[0] ^= how & 2;
    far->is_described = true;
    rtc_set_remote(&rtc, now, far->transport, &remote);
    drain();
}

static void check(struct far *far, uint8_t flags, uint8_t from)
{
    static const uint8_t TRANSACTION[STUN_TRANSACTION_SIZE] = { 1 };
    struct stun_writer writer;
    uint8_t datagram[200];
    uint8_t name[ICE_UFRAG_SIZE + 2];
    struct ice_credentials to = flags & 8 ? far->before : far->to;
    if (!far->transport)
        return;
    far->from = from;
    to.pwd[0] ^= flags & 4;
    memcpy(name, to.ufrag, ICE_UFRAG_SIZE);
    memcpy(name + ICE_UFRAG_SIZE, ":x", 2);
    stun_begin(&writer, datagram, sizeof datagram, STUN_REQUEST, STUN_BINDING, TRANSACTION);
    stun_add(&writer, STUN_USERNAME, view_make(name, sizeof name));
    stun_add(&writer, flags & 2 ? STUN_ICE_CONTROLLED : STUN_ICE_CONTROLLING, VIEW("12345678"));
    if (flags & 1)
        stun_add(&writer, STUN_USE_CANDIDATE, VIEW(""));
    stun_add_integrity(&writer, view_make(to.pwd, ICE_PWD_SIZE));
    stun_add_fingerprint(&writer);
    say(far, view_make(datagram, writer.size));
}

static void shake_hands(struct far *far)
{
    if (!far->transport || !far->is_described)
        return;
    dtls_free(&far->dtls);
    enum dtls_role role = far->transport->remote.setup == RTC_ACTIVE ? DTLS_SERVER : DTLS_CLIENT;
    far->has_dtls = dtls_init(&far->dtls, far_context, role, now) == OK;
    speak(far);
}

static void send_media(struct far *far, bool is_rtcp, struct view bytes)
{
    uint8_t packet[512] = { 0x80, is_rtcp ? 200 : 96 };
    size_t size = bytes.size < 200 ? bytes.size : 200;
    if (!far->transport)
        return;
    memcpy(packet + 2, bytes.at, size);
    size = size < 10 ? 12 : size + 2;
    if (far->secure.engine && is_rtcp) {
        if (secure_protect_rtcp(&far->secure, packet, size, &size) != OK)
            return;
    } else if (far->secure.engine) {
        struct secure_outgoing out = { .key = far->secure.rtp_out,
                                       .sent = &far->sent,
                                       .at = packet,
                                       .payload = view_make(packet + 12, size - 12),
                                       .header_size = 12 };
        secure_protect(far_engine, &out, 1);
        if (out.status != OK)
            return;
        size = out.size;
    }
    say(far, view_make(packet, size));
}

static void receive_media(struct far *far, uint8_t size, uint8_t times)
{
    static struct secure_window sent[ENDS];
    static uint16_t number;
    uint8_t payload[2048] = { 0 };
    for (unsigned i = 0; far->transport && i < times; i++) {
        uint8_t *at = rtc_begin_rtp(&rtc, far->transport);
        if (!at)
            break;
        number++;
        memcpy(at, "\x80\x60\0\0\0\0\0\0\0\0\0\x07", 12);
        at[2] = (uint8_t)(number >> 8);
        at[3] = (uint8_t)number;
        rtc_end_rtp(&rtc, far->transport,
                    &(struct rtc_rtp){ .header_size = 12,
                                       .payload = view_make(payload, (size_t)size * 8),
                                       .sent = &sent[far - fars] });
    }
    flush();
}

static void wait_for(uint8_t exponent)
{
    usec until = now + (USEC_MS << (exponent & 15));
    usec next;
    unsigned idle = 0;
    while ((next = drain()) <= until) {
        idle = next > now ? 0 : idle + 1;
        CHECK(idle < 16); /* a far timer moves nearer in steps, but not for ever */
        now = next > now ? next : now;
        rtc_tick(&rtc, now);
        deliver();
    }
    now = until;
}

static void operate(uint8_t operation, struct view *input)
{
    struct far *far = &fars[(operation & 15) % ENDS];
    uint8_t first = input_byte(input);
    struct ice_flow flow;
    switch (operation >> 4) {
    case 0:
        far_open(far);
        break;
    case 1:
        describe(far, first);
        break;
    case 2:
        check(far, first, input_byte(input));
        break;
    case 3:
        shake_hands(far);
        break;
    case 4:
        far->broken = first;
        break;
    case 5:
    case 6:
        send_media(far, operation >> 4 == 6, input_take(input, first));
        break;
    case 7:
        feed(first, input_take(input, input_byte(input)));
        break;
    case 8:
        if (far->transport) {
            far->before = far->to;
            rtc_restart(&rtc, now, far->transport);
            far->to = *rtc_credentials(far->transport);
        }
        break;
    case 9:
        if (far->transport)
            far_close(far);
        break;
    case 10:
        receive_media(far, first, input_byte(input));
        break;
    case 11:
        if (far->transport) {
            rtc_send_rtcp(&rtc, far->transport, VIEW("\x80\xc9\0\1\0\0\0\5"));
            rtc_send_data(&rtc, now, far->transport, VIEW("data"));
        }
        break;
    case 12:
        wait_for(first);
        break;
    default:
        flow = flow_of(far->from | 1);
        rtc_stream_gone(&rtc, now, &flow);
        break;
    }
    drain();
    deliver();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    if (!context)
        make_all();
    const struct rtc_config config = { .dtls = context,
                                       .secure = engine,
                                       .random = &random_source,
                                       .metrics = &metrics,
                                       .transports_max = ENDS };
    now = 1000 * USEC_S;
    seed = 1;
    mail_count = 0;
    CHECK(rtc_init(&rtc, &config, now) == OK);
    for (unsigned i = 0; i < OPERATIONS_MAX && input.size > 0; i++)
        operate(input_byte(&input), &input);
    for (unsigned i = 0; i < ENDS; i++)
        if (fars[i].transport)
            far_close(&fars[i]);
    drain();
    mail_count = 0;
    CHECK(rtc.transports.used == 0 && rtc.flows.used == 0);
    CHECK(rtc.by_flow.count == 0 && rtc.by_ufrag.count == 0);
    CHECK(secure_engine_sessions(engine) == 0 && secure_engine_sources(engine) == 0);
    rtc_free(&rtc);
    return 0;
}
