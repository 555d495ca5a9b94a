/* sfu_house.h - peers on a media port, and clients that speak SDP, ICE, DTLS and SRTP to them. */
#ifndef MOIM_TESTS_MEDIA_SFU_HOUSE_H
#define MOIM_TESTS_MEDIA_SFU_HOUSE_H

#ifndef FARS_MAX
#define FARS_MAX 8
#endif
#include "agent/rtc_house.h"
#include "negotiation_support.h"

#include "base/bytes.h"
#include "media/sfu.h"
#include "wire/rtcp_feedback.h"

#define TRANSCEIVERS_MAX 200
#define GCM              "SRTP_AEAD_AES_128_GCM"

static struct sfu sfu;

/* An end that speaks SDP: its peer at the server, and its far end. */
struct client {
    struct peer *peer;
    struct far *far;
    char answer[65536];
    size_t answer_size;
    struct secure_window windows[16]; /* by the end of the SSRC */
};

static struct client alice, bob;

static inline void flush(void)
{
    struct peer *peer;
    bool is_all;
    do {
        is_all = sfu_pump(&sfu, port.now);
        port_flush();
    } while (!is_all);
    while ((peer = sfu_poll(&sfu)))
        continue;
}

/* Everything arrives, and what is said to it, until all is quiet. */
static inline void drain(void)
{
    struct rtc_out out;
    for (rtc_poll(&port.rtc, &out); out.kind != RTC_WAIT; rtc_poll(&port.rtc, &out))
        sfu_hear(&sfu, port.now, &out);
    flush();
}

static inline void run(void)
{
    drain();
    while (network.count > 0) {
        unsigned at = network.first;
        struct far *far = network.queue[at].far;
        size_t size = network.queue[at].size;
        uint8_t *copy = test_copy(view_make(network.queue[at].bytes, size));
        bool is_to_port = network.queue[at].is_to_port;
        network.first = (at + 1) % NETWORK_MAX;
        network.count--;
        if (is_to_port) {
            rtc_feed(&port.rtc, port.now, &far->flow, (struct span){ copy, size });
            drain();
        } else {
            far_hear(far, view_make(copy, size));
        }
        free(copy);
    }
}

static inline void wait(usec time)
{
    usec until = port.now + time;
    while (sfu_until(&sfu) <= until) {
        usec next = sfu_until(&sfu);
        port.now = next > port.now ? next : port.now;
        sfu_tick(&sfu, port.now);
        run();
    }
    port.now = until;
}

static inline int set_up(void **state)
{
    (void)state;
    port_open(SECURE_DTLS_PROFILES);
    struct sfu_config config = { .rtc = &port.rtc,
                                 .random = &port.random,
                                 .metrics = &port.metrics,
                                 .peers_max = FARS_MAX,
                                 .transceivers_max = TRANSCEIVERS_MAX,
                                 .tracks_max = 8,
                                 .candidates = { END_CANDIDATES[0] },
                                 .candidate_count = 1 };
    memcpy(config.fingerprint, port.identity.fingerprint, sizeof config.fingerprint);
    assert_int_equal(sfu_init(&sfu, &config, port.now), OK);
    memset(&alice, 0, sizeof alice);
    memset(&bob, 0, sizeof bob);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    sfu_free(&sfu);
    port_close();
    return 0;
}

/* ---- what clients write ---- */

struct text {
    char at[65536];
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void line(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text->at + text->size, sizeof text->at - text->size, format, arguments);
    va_end(arguments);
    text->size += (size_t)size;
    memcpy(text->at + text->size, "\r\n", 2);
    text->size += 2;
}

/* An offer's head; its sections are "0", "1" and so on. */
static inline void head_as(struct text *text, const char *ufrag, unsigned sections)
{
    *text = (struct text){ 0 };
    line(text, "v=0\r\no=- 77 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0");
    text->size += (size_t)sprintf(text->at + text->size, "a=group:BUNDLE");
    for (unsigned i = 0; i < sections; i++)
        text->size += (size_t)sprintf(text->at + text->size, " %u", i);
    line(text, "%s", "");
    line(text, "a=ice-ufrag:%s\r\na=ice-pwd:farfarfarfarfarfarfarfa\r\na=setup:actpass", ufrag);
    text->size += (size_t)sprintf(text->at + text->size, "a=fingerprint:sha-256 ");
    for (unsigned i = 0; i < 32; i++)
        text->size += (size_t)sprintf(text->at + text->size, "%s%02X", i ? ":" : "",
                                      port.far_identity.fingerprint[i]);
    line(text, "%s", "");
}

static inline void head(struct text *text, unsigned sections)
{
    head_as(text, "farr", sections);
}

/* Its payload types are `type` and the next one, for RTX; its mid's id is `id`. */
static inline void video(struct text *text, unsigned mid, const char *direction, unsigned type,
                         unsigned id)
{
    line(text, "m=video 9 UDP/TLS/RTP/SAVPF %u %u", type, type + 1);
    line(text, "c=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=mid:%u\r\na=%s", mid,
         direction);
    line(text, "a=extmap:%u urn:ietf:params:rtp-hdrext:sdes:mid", id);
    line(text, "a=rtpmap:%u VP8/90000\r\na=rtcp-fb:%u nack\r\na=rtcp-fb:%u nack pli", type, type,
         type);
    line(text, "a=rtpmap:%u rtx/90000\r\na=fmtp:%u apt=%u", type + 1, type + 1, type);
}

static inline void line_ssrcs(struct text *text, unsigned ssrc)
{
    line(text, "a=ssrc-group:FID %u %u\r\na=ssrc:%u cname:a\r\na=ssrc:%u cname:a", ssrc, ssrc + 1,
         ssrc, ssrc + 1);
}

/* A description comes, and is answered. */
static inline void answer(struct client *client, const struct text *offer,
                          void (*before)(struct client *client))
{
    struct description_error error;
    assert_int_equal(
        peer_take_offer(client->peer, port.now, view_make(offer->at, offer->size), &error), OK);
    if (before)
        before(client);
    assert_int_equal(
        peer_write_answer(client->peer, port.now,
                          (struct span){ (uint8_t *)client->answer, sizeof client->answer - 1 },
                          &client->answer_size),
        OK);
    client->answer[client->answer_size] = 0;
}

static inline void open_peer(struct client *client)
{
    const struct peer_config config = { .owner = client, .policy = &END_POLICY, .is_polite = true };
    assert_int_equal(peer_open(&sfu, port.now, &config, &client->peer), OK);
}

static inline void connect_far(struct client *client)
{
    client->far = far_make(client->peer->transport, GCM);
    far_check(client->far, true);
    run();
    far_begin(client->far);
    run();
    assert_int_equal(client->peer->state, PEER_CONNECTED);
}

/* Opens a peer that takes this offer, and connects it. */
static inline void join(struct client *client, const struct text *offer,
                        void (*before)(struct client *client))
{
    open_peer(client);
    answer(client, offer, before);
    connect_far(client);
}

static inline void publish(struct client *client)
{
    struct text offer;
    head(&offer, 1);
    video(&offer, 0, "sendonly", 100, 5);
    line_ssrcs(&offer, 7001);
    join(client, &offer, NULL);
}

static inline void announce(struct client *client)
{
    transceiver_announce(peer_next(client->peer, NULL), VIEW("alice"), VIEW("camera"));
}

static inline void receive(struct client *client)
{
    struct text offer;
    head(&offer, 1);
    video(&offer, 0, "recvonly", 96, 9);
    join(client, &offer, announce);
}

static inline struct track *track_of(const struct client *client)
{
    return peer_next(client->peer, NULL)->receiving;
}

static inline struct transceiver *slot_of(const struct client *client)
{
    return peer_next(client->peer, NULL);
}

/* ---- what they send ---- */

/* A packet of VP8. */
struct saying {
    uint32_t ssrc;
    uint8_t type;
    uint16_t number; /* also makes its time */
    bool is_key;
    uint8_t mid_id; /* of one character each, in the one-byte form; 0: not there */
    char mid;
    uint8_t rid_id;
    char rid;
    uint8_t cc_id;
    uint16_t cc;     /* the transport-wide number */
    uint8_t time_id; /* of abs-send-time, which is now */
    bool goes_on;    /* its picture, with the next packet */
    bool is_rtx;     /* of the packet `repeated` */
    uint16_t repeated;
    uint16_t size;  /* of its payload, at least 40; 0: 40 */
    uint16_t width; /* of its picture, and as high as 16:9 is; 0: 320 */
};

static inline uint16_t write_extensions(const struct saying *saying, uint8_t *at)
{
    uint8_t *value = at + 4;
    memset(at, 0, 16);
    if (saying->mid_id) {
        *value++ = (uint8_t)(saying->mid_id << 4);
        *value++ = (uint8_t)saying->mid;
    }
    if (saying->rid_id) {
        *value++ = (uint8_t)(saying->rid_id << 4);
        *value++ = (uint8_t)saying->rid;
    }
    if (saying->cc_id) {
        *value++ = (uint8_t)(saying->cc_id << 4 | 1);
        *value++ = (uint8_t)(saying->cc >> 8);
        *value++ = (uint8_t)saying->cc;
    }
    if (saying->time_id) {
        *value++ = (uint8_t)(saying->time_id << 4 | 2);
        bytes_write_24(value, rtp_abs_send_time_of(port.now));
        value += 3;
    }
    uint16_t words = (uint16_t)((value - at - 4 + 3) / 4);
    memcpy(at, "\xbe\xde\0", 3);
    at[3] = (uint8_t)words;
    return words ? (uint16_t)(4 + 4 * words) : 0;
}

static inline void say_this(struct client *client, const struct saying *saying)
{
    uint16_t number = saying->is_rtx ? saying->repeated : saying->number;
    uint8_t room[RTC_PACKET_MAX] = {
        0x80, (uint8_t)(saying->goes_on ? saying->type : 0x80 | saying->type),
        (uint8_t)(saying->number >> 8), (uint8_t)saying->number
    };
    uint8_t payload[1200] = { (uint8_t)(number >> 8), (uint8_t)number };
    uint16_t width = saying->width ? saying->width : 320;
    uint16_t height = (uint16_t)(width * 9 / 16);
    const uint8_t vp8[] = { 0x10,
                            (uint8_t)!saying->is_key,
                            0,
                            0,
                            0x9d,
                            0x01,
                            0x2a,
                            (uint8_t)width,
                            (uint8_t)(width >> 8),
                            (uint8_t)height,
                            (uint8_t)(height >> 8) };
    uint32_t timestamp = (uint32_t)number * 3000;
    size_t size = saying->size ? saying->size : 40;
    size_t at = saying->is_rtx ? 2 : 0;
    for (unsigned i = 0; i < 4; i++) {
        room[4 + i] = (uint8_t)(timestamp >> (24 - 8 * i));
        room[8 + i] = (uint8_t)(saying->ssrc >> (24 - 8 * i));
    }
    memcpy(payload + at, vp8, sizeof vp8);
    payload[size - 1] = (uint8_t)number;
    uint16_t more = write_extensions(saying, room + 12);
    room[0] |= more ? 0x10 : 0;
    struct secure_outgoing out = { .key = client->far->secure.rtp_out,
                                   .sent = &client->windows[saying->ssrc & 15],
                                   .at = room,
                                   .payload = view_make(payload, size),
                                   .header_size = (uint16_t)(12 + more) };
    secure_protect(port.far_engine, &out, 1);
    assert_int_equal(out.status, OK);
    far_send(client->far, view_make(room, out.size));
}

static inline void say(struct client *client, uint32_t ssrc, uint8_t type, uint16_t number,
                       bool is_key)
{
    say_this(client,
             &(struct saying){ .ssrc = ssrc, .type = type, .number = number, .is_key = is_key });
}

static inline uint32_t word(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The feedback of that type and format that the client got last; false: none in its last
 * datagram. */
static inline bool got(const struct client *client, uint8_t type, uint8_t format,
                       struct rtcp_feedback *feedback)
{
    struct view rest = view_make(client->far->rtcp, client->far->rtcp_size);
    struct rtcp_packet packet;
    while (rtcp_next(&rest, &packet) == OK)
        if (packet.type == type && packet.count == format &&
            rtcp_read_feedback(&packet, feedback) == OK)
            return true;
    return false;
}

#endif
