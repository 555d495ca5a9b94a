#include "far.h"

#include <stdlib.h>
#include <string.h>

#include "wire/rtcp_feedback.h"
#include "wire/rtp.h"
#include "wire/stun.h"

#define CHECK_EACH   (50 * USEC_MS)
#define CONSENT_EACH (2 * USEC_S)
#define FRAME_EACH   (40 * USEC_MS)
#define CLOCK_EACH   (1 * USEC_S)
#define FRAME_TIME   3600 /* of video's clock */
#define VIDEO        100
#define VIDEO_RTX    101
#define AUDIO        111

/* ---- its way ---- */

static void send(struct far *far, struct view bytes)
{
    net_send(far->net, far->number, true, &far->flow, bytes);
}

static void check(struct far *far)
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
    stun_add(&writer, STUN_USE_CANDIDATE, VIEW(""));
    stun_add_integrity(&writer, view_make(far->to.pwd, ICE_PWD_SIZE));
    stun_add_fingerprint(&writer);
    send(far, view_make(datagram, writer.size));
    far->check_at = far->net->now + (far->is_checked ? CONSENT_EACH : CHECK_EACH);
}

static void take_keys(struct far *far)
{
    uint8_t material[SECURE_MATERIAL_MAX];
    uint16_t profile = dtls_srtp_profile(&far->dtls);
    size_t size = secure_material_size(profile);
    if (size == 0 || dtls_srtp_keys(&far->dtls, material, size) != OK ||
        secure_session_open(&far->secure, far->engine, profile, true, view_make(material, size)) !=
            OK) {
        net_fail(far->net, "no keys for %u", far->number);
        return;
    }
    far->state = FAR_CONNECTED;
    far->media_at = far->clock_at = far->net->now;
}

static void speak(struct far *far)
{
    struct dtls_out out;
    for (dtls_poll(&far->dtls, &out); out.kind != DTLS_WAIT; dtls_poll(&far->dtls, &out)) {
        if (out.kind == DTLS_CONNECTED)
            take_keys(far);
        else if (out.kind == DTLS_SEND)
            send(far, out.bytes);
        else if (out.kind == DTLS_ENDED && far->state != FAR_DEAD)
            far->state = FAR_FAILED;
    }
    far->dtls_until = out.until;
}

static void hear_stun(struct far *far, struct view datagram)
{
    struct stun_msg msg;
    if (stun_read(datagram, &msg) != OK || msg.class != STUN_SUCCESS)
        return;
    far->is_checked = true;
    far->checked_at = far->net->now;
    if (far->state != FAR_CHECKING)
        return;
    if (dtls_init(&far->dtls, far->context, DTLS_CLIENT, far->net->now) != OK) {
        net_fail(far->net, "no memory");
        return;
    }
    far->state = FAR_SHAKING;
    speak(far);
}

void far_init(struct far *far, struct net *net, unsigned number, struct dtls_context *context,
              struct secure_engine *engine)
{
    memset(far, 0, sizeof *far);
    far->net = net;
    far->number = (uint8_t)number;
    far->context = context;
    far->engine = engine;
}

uint32_t far_next_ssrc(const struct far *far)
{
    return 100000u * (far->number + 1u) + 10 * (far->life + 1);
}

void far_begin(struct far *far, const struct far_way *way)
{
    far->state = FAR_CHECKING;
    far->began_at = far->net->now;
    memset(far->watches, 0, sizeof far->watches);
    far_renew(far);
    far_restart(far, way);
}

void far_end(struct far *far)
{
    dtls_free(&far->dtls);
    secure_session_close(&far->secure);
    far->dtls = (struct dtls){ 0 };
    far->state = FAR_OFF;
}

void far_restart(struct far *far, const struct far_way *way)
{
    far->to = way->to;
    far->flow = (struct ice_flow){
        .remote = { ADDRESS_IPV4, { 192, 0, 2, far->number }, (uint16_t)(5000 + far->ports++) },
        .local = { ADDRESS_IPV4, { 198, 51, 100, 1 }, way->port },
        .stream = ICE_UDP
    };
    far->is_checked = false;
    far->check_at = 0;
    far->checked_at = far->net->now;
}

void far_renew(struct far *far)
{
    far->ssrc = far_next_ssrc(far);
    far->life++;
    far->life_at = far->net->now;
    far->keys_heard = 0;
    far->numbers[0] = far->numbers[1] = 1 + net_pick(far->net, 30000);
    far->rtx_number = 1;
    far->wants_key = true;
    memset(far->windows, 0, sizeof far->windows);
    memset(far->history, 0, sizeof far->history);
}

unsigned far_of_name(const char *name)
{
    return name && name[0] == 'g' ? (unsigned)strtoul(name + 1, NULL, 10) : NET_FARS_MAX;
}

/* ---- what it sends ---- */

static void put32(uint8_t *at, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> (24 - 8 * i));
}

/* `stream`: 0 video, 1 its RTX, 2 audio. */
static void seal(struct far *far, unsigned stream, uint16_t number, const struct far_packet *packet)
{
    static const uint8_t TYPES[] = { VIDEO, VIDEO_RTX, AUDIO };
    uint8_t room[RTC_PACKET_MAX] = { 0x80, TYPES[stream], (uint8_t)(number >> 8), (uint8_t)number };
    uint8_t payload[640] = { (uint8_t)(packet->number >> 8), (uint8_t)packet->number };
    size_t own = stream == 1 ? 2 : 0;
    uint16_t header_size = 12;
    if (stream == 2) { /* how loud it is */
        memcpy(room + header_size, "\xbe\xde\0\1\x10", 5);
        room[17] = (uint8_t)((far->speaks ? 25 : 85) + net_pick(far->net, 10));
        room[0] |= 0x10;
        header_size += 8;
    }
    room[1] |= packet->is_marked ? 0x80 : 0;
    put32(room + 4, packet->timestamp);
    put32(room + 8, far->ssrc + stream);
    memcpy(payload + own, packet->payload, packet->size);
    struct secure_outgoing out = { .key = far->secure.rtp_out,
                                   .sent = &far->windows[stream],
                                   .at = room,
                                   .payload = view_make(payload, packet->size + own),
                                   .header_size = header_size };
    secure_protect(far->engine, &out, 1);
    if (out.status == OK)
        send(far, view_make(room, out.size));
}

static void fill_packet(struct far *far, bool is_video, uint32_t timestamp, size_t head,
                        struct far_packet *packet)
{
    uint32_t number = far->numbers[is_video]++;
    struct watch_data data =
        watch_data_make(far->number * 2u + is_video, far->life, number, timestamp);
    size_t filler = net_pick(far->net, is_video ? 500 : 60);
    packet->number = (uint16_t)number;
    packet->timestamp = timestamp;
    memset(packet->payload + head, 0, filler);
    memcpy(packet->payload + head + filler, &data, sizeof data);
    packet->size = (uint16_t)(head + filler + sizeof data);
    far->published++;
}

static void send_frame(struct far *far)
{
    static const uint8_t VP8[] = { 0x10, 0, 0, 0, 0x9d, 0x01, 0x2a, 64, 1, 180, 0 };
    uint32_t timestamp = (uint32_t)(far->net->now * 90 / 1000);
    unsigned count = far->wants_key ? 3 : 1 + net_pick(far->net, 2);
    for (unsigned i = 0; i < count; i++) {
        struct far_packet *packet = &far->history[far->numbers[1] % FAR_HISTORY];
        memcpy(packet->payload, VP8, sizeof VP8);
        packet->payload[0] = i == 0 ? 0x10 : 0;
        packet->payload[1] = !far->wants_key;
        packet->is_marked = i + 1 == count;
        fill_packet(far, true, timestamp, sizeof VP8, packet);
        seal(far, 0, packet->number, packet);
    }
    far->wants_key = false;
}

static void send_sound(struct far *far)
{
    struct far_packet packet = { .payload = { 0x78 } };
    fill_packet(far, false, (uint32_t)(far->net->now * 48 / 1000), 1, &packet);
    seal(far, 2, packet.number, &packet);
}

static void send_rtcp(struct far *far, const struct rtcp_writer *writer, uint8_t *bytes)
{
    size_t size;
    if (secure_protect_rtcp(&far->secure, bytes, writer->size, &size) == OK)
        send(far, view_make(bytes, size));
}

static void tell_clock(struct far *far)
{
    uint8_t bytes[200];
    struct rtcp_writer writer;
    uint64_t now = far->net->now;
    const struct rtcp_sr sr = { .ssrc = far->ssrc,
                                .ntp = now / USEC_S << 32 | (now % USEC_S << 32) / USEC_S,
                                .rtp_timestamp = (uint32_t)(now * 90 / 1000) };
    rtcp_begin(&writer, bytes, sizeof bytes - 40);
    rtcp_add_sr(&writer, &sr, NULL, 0);
    send_rtcp(far, &writer, bytes);
}

/* ---- what it gets ---- */

static void hear_rtp(struct far *far, struct view bytes)
{
    struct secure_incoming in = { .session = &far->secure,
                                  .packet = { (uint8_t *)bytes.at, bytes.size } };
    struct rtp_packet rtp;
    secure_unprotect(far->engine, &in, 1);
    if (in.status == ERR_REPLAYED || in.status == ERR_OLD)
        return;
    if (in.status != OK || rtp_read(view_of_span(in.packet), &rtp) != OK)
        return net_fail(far->net, "%u can't open a packet: %d", far->number, in.status);
    struct view payload = rtp_payload(&rtp, in.packet.at);
    uint16_t number = rtp.sequence_number;
    for (unsigned i = 0; i < 2 * FAR_SLOTS_MAX; i++) {
        struct far_watch *watch = &far->watches[i / 2][i % 2];
        bool is_rtx = watch->rtx_ssrc != 0 && watch->rtx_ssrc == rtp.ssrc;
        if (!is_rtx && (watch->ssrc == 0 || watch->ssrc != rtp.ssrc))
            continue;
        if (is_rtx) {
            number = (uint16_t)(payload.at[0] << 8 | payload.at[1]);
            payload = view_slice(payload, 2, payload.size);
            far->repeated++;
        }
        bool is_key = payload.size > 1 && payload.at[0] == 0x10 && !(payload.at[1] & 1);
        watch_hear(&watch->watch, number, rtp.timestamp, is_key, payload);
        far->watched++;
        return;
    }
    if (!far->awaits_answer)
        net_fail(far->net, "%u got a stream of nobody", far->number);
}

static void hear_nack(struct far *far, const struct rtcp_feedback *feedback)
{
    struct rtcp_nack nack;
    uint16_t number;
    rtcp_nack_begin(feedback, &nack);
    while (rtcp_nack_next(&nack, &number)) {
        const struct far_packet *packet = &far->history[number % FAR_HISTORY];
        if (packet->size && packet->number == number)
            seal(far, 1, far->rtx_number++, packet);
    }
}

static void hear_key_request(struct far *far)
{
    usec time = far->net->now - far->life_at;
    far->wants_key = true;
    /* two a second, the first at once, and what the network brings together */
    if (++far->keys_heard > 3 + 2 * time / USEC_S)
        net_fail(far->net, "%u requests for key frames of %u in %u ms", far->keys_heard,
                 far->number, (unsigned)(time / USEC_MS));
}

static void hear_rtcp(struct far *far, struct view bytes)
{
    struct span packet = { (uint8_t *)bytes.at, bytes.size };
    struct rtcp_packet one;
    struct rtcp_feedback feedback;
    if (secure_unprotect_rtcp(&far->secure, &packet) != OK)
        return; /* doubled */
    struct view rest = view_of_span(packet);
    while (rtcp_next(&rest, &one) == OK) {
        if (one.type != RTCP_RTPFB && one.type != RTCP_PSFB)
            continue;
        if (rtcp_read_feedback(&one, &feedback) != OK || feedback.media_ssrc != far->ssrc)
            continue;
        if (one.type == RTCP_RTPFB && feedback.format == RTCP_NACK)
            hear_nack(far, &feedback);
        else if (one.type == RTCP_PSFB && feedback.format == RTCP_PLI)
            hear_key_request(far);
    }
}

void far_hear(struct far *far, struct view datagram)
{
    uint8_t first = datagram.at[0];
    if (far->state == FAR_OFF || far->state == FAR_DEAD)
        return;
    if (first < 4) {
        hear_stun(far, datagram);
    } else if (first >= 128) {
        if (far->state == FAR_CONNECTED && rtp_is_rtcp(datagram))
            hear_rtcp(far, datagram);
        else if (far->state == FAR_CONNECTED)
            hear_rtp(far, datagram);
    } else if (far->state >= FAR_SHAKING) {
        dtls_feed(&far->dtls, far->net->now, datagram);
        speak(far);
    }
}

/* ---- what is due ---- */

static void ask(struct far *far, struct far_watch *watch)
{
    uint8_t bytes[400];
    uint16_t numbers[32];
    struct rtcp_writer writer;
    if (watch->ssrc == 0)
        return;
    unsigned count = watch_missing(&watch->watch, numbers, 32);
    bool wants_key = watch_wants_key(&watch->watch);
    if (count == 0 && !wants_key)
        return;
    rtcp_begin(&writer, bytes, sizeof bytes - 40);
    rtcp_add_rr(&writer, far->ssrc, NULL, 0);
    if (count)
        rtcp_add_nack(&writer, far->ssrc, watch->ssrc, numbers, count);
    if (wants_key)
        rtcp_add_pli(&writer, far->ssrc, watch->ssrc);
    send_rtcp(far, &writer, bytes);
}

void far_turn(struct far *far)
{
    usec now = far->net->now;
    if (far->state == FAR_OFF || far->state == FAR_DEAD || far->state == FAR_FAILED)
        return;
    if (now >= far->check_at)
        check(far);
    if (far->state >= FAR_SHAKING && now >= far->dtls_until) {
        dtls_tick(&far->dtls, now);
        speak(far);
    }
    if (far->state != FAR_CONNECTED)
        return;
    if (now >= far->media_at) {
        far->media_at += FRAME_EACH;
        if (far->is_on[0])
            send_sound(far);
        if (far->is_on[1])
            send_frame(far);
    }
    if (now >= far->clock_at) {
        far->clock_at += CLOCK_EACH;
        tell_clock(far);
    }
    for (unsigned i = 0; i < 2 * FAR_SLOTS_MAX; i++)
        ask(far, &far->watches[i / 2][i % 2]);
}
