#include "peer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define PRIORITY ((110u << 24) | (0xffffu << 8) | 255u) /* peer-reflexive: RFC 8445, 5.1.2 */

static void fill(void *into, size_t size)
{
    if (getrandom(into, size, 0) != (ssize_t)size)
        abort();
}

static void end(struct peer *peer, const char *why)
{
    if (peer->state == PEER_ENDED)
        return;
    peer->state = PEER_ENDED;
    peer->why = why;
}

static void send_bytes(struct peer *peer, struct view bytes)
{
    net_send(&peer->house->net, peer->host, &peer->remote, bytes);
}

/* ---- opening ---- */

static void make_text(char *out, size_t size)
{
    static const char LETTERS[65] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t bytes[32];
    assert(size <= sizeof bytes);
    fill(bytes, size);
    for (size_t i = 0; i < size; i++)
        out[i] = LETTERS[bytes[i] & 63];
    out[size] = 0;
}

void peer_open(struct peer *peer, struct house *house, uint32_t host, bool is_offerer)
{
    *peer = (struct peer){ .house = house,
                           .host = host,
                           .is_offerer = is_offerer,
                           .is_controlling = is_offerer,
                           .why = "",
                           .check_at = USEC_NEVER,
                           .dtls_at = USEC_NEVER };
    make_text(peer->ufrag, PEER_UFRAG_SIZE);
    make_text(peer->pwd, PEER_PWD_SIZE);
    fill(&peer->tie_breaker, sizeof peer->tie_breaker);
}

void peer_open_plain(struct peer *peer, struct house *house, uint32_t host, uint16_t profile,
                     struct view material)
{
    peer_open(peer, house, host, true);
    if (secure_session_open(&peer->secure, house->secure, profile, true, material) != OK) {
        end(peer, "keys");
        return;
    }
    peer->state = PEER_CONNECTED;
}

static void drain_dtls(struct peer *peer);

void peer_close(struct peer *peer, usec now)
{
    if (peer->has_dtls && peer->state != PEER_ENDED) {
        dtls_close(&peer->dtls, now);
        drain_dtls(peer);
    }
    dtls_free(&peer->dtls);
    secure_session_close(&peer->secure);
    peer->has_dtls = false;
    end(peer, "closed");
}

bool peer_describe(struct peer *peer, usec now, const struct description_head *head,
                   const struct address *candidate)
{
    bool is_same = view_equal(head->ufrag, view_of(peer->remote_ufrag)) && peer->state != PEER_NEW;
    if (is_same)
        return true;
    if (candidate->family != ADDRESS_IPV4) {
        end(peer, "no candidate of UDP and IPv4");
        return false;
    }
    assert(head->ufrag.size <= DESCRIPTION_ICE_MAX && head->pwd.size <= DESCRIPTION_ICE_MAX);
    snprintf(peer->remote_ufrag, sizeof peer->remote_ufrag, "%.*s", VIEW_ARGS(head->ufrag));
    snprintf(peer->remote_pwd, sizeof peer->remote_pwd, "%.*s", VIEW_ARGS(head->pwd));
    memcpy(peer->remote_fingerprint, head->fingerprint, sizeof peer->remote_fingerprint);
    peer->remote = *candidate;
    peer->is_controlling |= head->is_lite;
    /* as answerer we call, which is what browsers do: RFC 8842, section 5.3 */
    peer->is_dtls_client = head->setup != SDP_SETUP_ACTIVE;
    peer->check_at = now;
    peer->answered_at = now;
    if (peer->state == PEER_NEW)
        peer->state = PEER_CHECKING;
    return true;
}

/* ---- ICE ---- */

static void add_word(struct stun_writer *writer, uint16_t type, uint64_t value, unsigned size)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> 8 * (size - 1 - i));
    stun_add(writer, type, view_make(bytes, size));
}

static void send_check(struct peer *peer)
{
    uint8_t bytes[DESCRIPTION_ICE_MAX + 200];
    char name[DESCRIPTION_ICE_MAX + PEER_UFRAG_SIZE + 2];
    struct stun_writer writer;
    fill(peer->transaction, sizeof peer->transaction);
    snprintf(name, sizeof name, "%s:%s", peer->remote_ufrag, peer->ufrag);
    stun_begin(&writer, bytes, sizeof bytes, STUN_REQUEST, STUN_BINDING, peer->transaction);
    stun_add(&writer, STUN_USERNAME, view_of(name));
    add_word(&writer, STUN_PRIORITY, PRIORITY, 4);
    add_word(&writer, peer->is_controlling ? STUN_ICE_CONTROLLING : STUN_ICE_CONTROLLED,
             peer->tie_breaker, 8);
    if (peer->is_controlling)
        stun_add(&writer, STUN_USE_CANDIDATE, VIEW(""));
    stun_add_integrity(&writer, view_of(peer->remote_pwd));
    stun_add_fingerprint(&writer);
    assert(!writer.overflow);
    send_bytes(peer, view_make(bytes, writer.size));
}

static void begin_dtls(struct peer *peer, usec now)
{
    enum dtls_role role = peer->is_dtls_client ? DTLS_CLIENT : DTLS_SERVER;
    if (dtls_init(&peer->dtls, peer->house->dtls, role, now) != OK) {
        end(peer, "no memory for DTLS");
        return;
    }
    peer->has_dtls = true;
    peer->state = PEER_SHAKING;
    drain_dtls(peer);
}

static void hear_answer(struct peer *peer, usec now, const struct stun_msg *msg)
{
    const struct stun_attr *error = stun_find(msg, STUN_ERROR_CODE);
    unsigned code = 0;
    struct view reason;
    if (!view_equal(msg->transaction, view_make(peer->transaction, STUN_TRANSACTION_SIZE)) ||
        !stun_integrity_valid(msg, view_of(peer->remote_pwd)))
        return;
    if (msg->class == STUN_ERROR) {
        if (error && stun_read_error(error, &code, &reason) == OK && code == 487) {
            peer->is_controlling = !peer->is_controlling; /* RFC 8445, section 7.2.5.1 */
            peer->check_at = now;
        }
        return;
    }
    peer->answered_at = now;
    peer->check_at = now + PEER_CONSENT * (80 + peer->transaction[0] % 40) / 100;
    if (peer->state == PEER_CHECKING)
        begin_dtls(peer, now);
}

static void answer_check(struct peer *peer, const struct address *from, const struct stun_msg *msg)
{
    uint8_t bytes[200];
    struct stun_writer writer;
    if (!stun_integrity_valid(msg, view_of(peer->pwd)))
        return;
    stun_begin(&writer, bytes, sizeof bytes, STUN_SUCCESS, STUN_BINDING, msg->transaction.at);
    stun_add_xor_address(&writer, STUN_XOR_MAPPED_ADDRESS, from);
    stun_add_integrity(&writer, view_of(peer->pwd));
    stun_add_fingerprint(&writer);
    net_send(&peer->house->net, peer->host, from, view_make(bytes, writer.size));
}

static void feed_stun(struct peer *peer, usec now, const struct address *from, struct view datagram)
{
    struct stun_msg msg;
    if (stun_read(datagram, &msg) != OK || msg.method != STUN_BINDING) {
        peer->house->datagrams_lost++;
        return;
    }
    if (msg.class == STUN_REQUEST)
        answer_check(peer, from, &msg);
    else if (msg.class != STUN_INDICATION)
        hear_answer(peer, now, &msg);
}

/* ---- DTLS ---- */

static void take_keys(struct peer *peer)
{
    uint8_t fingerprint[DTLS_FINGERPRINT_SIZE];
    uint8_t material[SECURE_MATERIAL_MAX];
    uint16_t profile = dtls_srtp_profile(&peer->dtls);
    size_t size = secure_material_size(profile);
    if (dtls_peer_fingerprint(&peer->dtls, fingerprint) != OK ||
        memcmp(fingerprint, peer->remote_fingerprint, sizeof fingerprint) != 0)
        end(peer, "another certificate than described");
    else if (size == 0 || dtls_srtp_keys(&peer->dtls, material, size) != OK ||
             secure_session_open(&peer->secure, peer->house->secure, profile, peer->is_dtls_client,
                                 view_make(material, size)) != OK)
        end(peer, "no SRTP");
    else
        peer->state = PEER_CONNECTED;
}

static void drain_dtls(struct peer *peer)
{
    struct dtls_out out;
    for (dtls_poll(&peer->dtls, &out); out.kind != DTLS_WAIT; dtls_poll(&peer->dtls, &out)) {
        if (out.kind == DTLS_SEND)
            send_bytes(peer, out.bytes);
        else if (out.kind == DTLS_CONNECTED)
            take_keys(peer);
        else if (out.kind == DTLS_ENDED)
            end(peer, out.end == DTLS_END_CLOSED ? "closed by the server" : "DTLS");
    }
    peer->dtls_at = out.until;
}

/* ---- in ---- */

bool peer_feed(struct peer *peer, usec now, const struct address *from, struct view datagram)
{
    uint8_t first = datagram.size ? datagram.at[0] : 255;
    if (first >= 128 && first <= 191)
        return true;
    if (peer->state == PEER_NEW || peer->state == PEER_ENDED) {
        peer->house->datagrams_lost++;
    } else if (first <= 3) {
        feed_stun(peer, now, from, datagram);
    } else if (first >= 20 && first <= 63 && peer->has_dtls) {
        dtls_feed(&peer->dtls, now, datagram);
        drain_dtls(peer);
    } else {
        peer->house->datagrams_lost++;
    }
    return false;
}

void peer_tick(struct peer *peer, usec now)
{
    if (peer->state == PEER_NEW || peer->state == PEER_ENDED)
        return;
    if (peer->dtls_at <= now) {
        dtls_tick(&peer->dtls, now);
        drain_dtls(peer);
    }
    if (peer->check_at > now)
        return;
    if (now >= peer->answered_at + PEER_GIVE_UP) {
        end(peer, "checks are not answered");
        return;
    }
    peer->check_at = now + (peer->state == PEER_CHECKING ? PEER_CHECK : 10 * PEER_CHECK);
    send_check(peer);
}

/* ---- out ---- */

bool peer_send_rtp(struct peer *peer, struct secure_window *sent, uint8_t *at, size_t header_size,
                   size_t size)
{
    struct secure_outgoing out = { .key = peer->secure.rtp_out,
                                   .sent = sent,
                                   .at = at,
                                   .payload = view_make(at + header_size, size - header_size),
                                   .header_size = (uint16_t)header_size };
    if (peer->state != PEER_CONNECTED)
        return false;
    secure_protect(peer->house->secure, &out, 1);
    if (out.status != OK)
        return false;
    send_bytes(peer, view_make(at, out.size));
    return true;
}

bool peer_send_rtcp(struct peer *peer, uint8_t *at, size_t size)
{
    size_t sealed;
    if (peer->state != PEER_CONNECTED ||
        secure_protect_rtcp(&peer->secure, at, size, &sealed) != OK)
        return false;
    send_bytes(peer, view_make(at, sealed));
    return true;
}
