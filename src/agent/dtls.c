#include "agent/dtls_internal.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <assert.h>
#include <string.h>

static void begin(struct dtls *dtls, usec now)
{
    dtls->now = now;
    ERR_clear_error(); /* OpenSSL's errors are the thread's, and stay till somebody clears them */
}

static void finish(struct dtls *dtls, enum dtls_end end)
{
    if (dtls->end != DTLS_OPEN)
        return;
    dtls->end = (uint8_t)end;
    dtls->retransmit_at = USEC_NEVER;
    dtls_add_out(dtls, DTLS_ENDED, view_make(NULL, 0));
}

/* What OpenSSL's last call gave, when that was no success. */
static void take_failure(struct dtls *dtls, int result)
{
    switch (SSL_get_error(dtls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return;
    case SSL_ERROR_ZERO_RETURN:
        SSL_shutdown(dtls->ssl);
        finish(dtls, DTLS_END_CLOSED);
        return;
    default: {
        /* reasons from 1000 on are alerts that came */
        int reason = ERR_GET_REASON(ERR_peek_error());
        finish(dtls, reason >= SSL_AD_REASON_OFFSET ? DTLS_END_ALERT : DTLS_END_FAILED);
    }
    }
}

/* OpenSSL makes its buffers again for a handshake only; what it writes without, it crashes on. */
static bool take_buffers(struct dtls *dtls)
{
    if (!dtls->has_buffers) {
        dtls->has_buffers = SSL_alloc_buffers(dtls->ssl) == 1;
        dtls->used_at = dtls->now; /* or they were due to be given back with the next tick */
    }
    return dtls->has_buffers;
}

static void shake_hands(struct dtls *dtls)
{
    int result = SSL_do_handshake(dtls->ssl);
    if (result != 1) {
        take_failure(dtls, result);
        return;
    }
    dtls->is_connected = true;
    dtls->used_at = dtls->now;
    dtls_add_out(dtls, DTLS_CONNECTED, view_make(NULL, 0));
}

static void read_data(struct dtls *dtls)
{
    struct dtls_context *context = dtls->context;
    while (dtls->end == DTLS_OPEN) {
        int size = SSL_read(dtls->ssl, context->plain, sizeof context->plain);
        if (size <= 0) {
            take_failure(dtls, size);
            return;
        }
        dtls->used_at = dtls->now;
        dtls_add_out(dtls, DTLS_DATA, view_make(context->plain, (size_t)size));
    }
}

static int make_ssl(struct dtls *dtls, struct dtls_context *context, enum dtls_role role, usec now)
{
    *dtls = (struct dtls){
        .context = context,
        .role = (uint8_t)role,
        .retransmit_at = USEC_NEVER,
        .retransmit_after = DTLS_RETRANSMIT,
        .give_up_at = now + DTLS_HANDSHAKE_TIME,
        .used_at = now,
    };
    begin(dtls, now);
    SSL *ssl = SSL_new(context->tls);
    if (!ssl)
        return ERR_MEMORY;
    BIO *bio = dtls_bio_new(dtls);
    if (!bio) {
        SSL_free(ssl);
        return ERR_MEMORY;
    }
    SSL_set_bio(ssl, bio, bio);
    SSL_set_app_data(ssl, dtls);
    SSL_set_mtu(ssl, DTLS_MTU);
    DTLS_set_timer_cb(ssl, dtls_bio_far);
    if (role == DTLS_SERVER)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    dtls->ssl = ssl;
    return OK;
}

int dtls_init(struct dtls *dtls, struct dtls_context *context, enum dtls_role role, usec now)
{
    int status = make_ssl(dtls, context, role, now);
    if (status != OK)
        return status;
    dtls->has_buffers = true; /* from the handshake on */
    if (role == DTLS_CLIENT)
        shake_hands(dtls);
    return OK;
}

int dtls_init_verified(struct dtls *dtls, struct dtls_context *context, usec now,
                       struct view datagram, struct view cookie)
{
    int status = make_ssl(dtls, context, DTLS_SERVER, now);
    if (status != OK)
        return status;
    context->cookie = cookie;
    dtls->in = datagram;
    dtls->has_buffers = true; /* from the handshake on */
    /* sets OpenSSL's counters to where its own cookie exchange would have left them */
    if (DTLSv1_listen(dtls->ssl, context->nobody) == 1) {
        DTLS_set_timer_cb(dtls->ssl, dtls_bio_far);
        dtls->is_peeking = false;
        shake_hands(dtls);
    } else {
        status = ERR_MALFORMED;
    }
    dtls->in = context->cookie = view_make(NULL, 0);
    if (status != OK)
        dtls_free(dtls);
    return status;
}

void dtls_free(struct dtls *dtls)
{
    if (!dtls->ssl)
        return;
    struct dtls_out out;
    SSL_free(dtls->ssl);
    while (dtls_take_out(dtls->context, dtls, &out))
        ;
    *dtls = (struct dtls){ 0 };
}

void dtls_feed(struct dtls *dtls, usec now, struct view datagram)
{
    begin(dtls, now);
    if (dtls->end != DTLS_OPEN || datagram.size > DTLS_DATAGRAM_MAX || !take_buffers(dtls))
        return;
    dtls->in = datagram;
    if (!dtls->is_connected)
        shake_hands(dtls);
    if (dtls->is_connected)
        read_data(dtls);
    dtls->in = view_make(NULL, 0);
}

int dtls_send(struct dtls *dtls, usec now, struct view data)
{
    begin(dtls, now);
    if (dtls->end != DTLS_OPEN)
        return ERR_CLOSED;
    if (!dtls->is_connected)
        return ERR_AGAIN;
    if (data.size == 0 || data.size > DTLS_DATA_MAX)
        return ERR_LIMIT;
    if (!take_buffers(dtls))
        return OK; /* without memory it is as good as lost on the way */
    dtls->used_at = now;
    int size = SSL_write(dtls->ssl, data.at, (int)data.size);
    if (size > 0)
        return OK;
    take_failure(dtls, size);
    return ERR_CLOSED;
}

void dtls_close(struct dtls *dtls, usec now)
{
    begin(dtls, now);
    if (dtls->end != DTLS_OPEN)
        return;
    if (dtls->is_connected && take_buffers(dtls))
        SSL_shutdown(dtls->ssl);
    finish(dtls, DTLS_END_BY_US);
}

static void release_buffers(struct dtls *dtls)
{
    if (dtls->has_buffers && dtls->is_connected && SSL_free_buffers(dtls->ssl))
        dtls->has_buffers = false;
    dtls->used_at = dtls->now; /* when they could not be freed, again later */
}

void dtls_tick(struct dtls *dtls, usec now)
{
    begin(dtls, now);
    if (dtls->end != DTLS_OPEN)
        return;
    if (!dtls->is_connected && now >= dtls->give_up_at) {
        finish(dtls, DTLS_END_TIMEOUT);
        return;
    }
    if (now >= dtls->retransmit_at) {
        dtls_bio_expire(dtls);
        if (DTLSv1_handle_timeout(dtls->ssl) < 0)
            finish(dtls, DTLS_END_TIMEOUT);
        else
            assert(dtls->retransmit_at > now); /* or the caller would tick for ever */
    }
    if (dtls->has_buffers && dtls->is_connected && now >= dtls->used_at + DTLS_BUFFERS_TIME)
        release_buffers(dtls);
}

usec dtls_next_time(const struct dtls *dtls)
{
    if (dtls->end != DTLS_OPEN)
        return USEC_NEVER;
    usec until = dtls->retransmit_at;
    if (!dtls->is_connected && dtls->give_up_at < until)
        until = dtls->give_up_at;
    if (dtls->is_connected && dtls->has_buffers && dtls->used_at + DTLS_BUFFERS_TIME < until)
        until = dtls->used_at + DTLS_BUFFERS_TIME;
    return until;
}

void dtls_poll(struct dtls *dtls, struct dtls_out *out)
{
    if (dtls_take_out(dtls->context, dtls, out))
        return;
    *out = (struct dtls_out){ .kind = DTLS_WAIT, .end = dtls->end, .until = dtls_next_time(dtls) };
}

int dtls_peer_fingerprint(const struct dtls *dtls, uint8_t out[DTLS_FINGERPRINT_SIZE])
{
    X509 *certificate = dtls->is_connected ? SSL_get0_peer_certificate(dtls->ssl) : NULL;
    unsigned size = DTLS_FINGERPRINT_SIZE;
    if (!certificate || !X509_digest(certificate, EVP_sha256(), out, &size))
        return ERR_NOT_FOUND;
    return OK;
}

uint16_t dtls_srtp_profile(const struct dtls *dtls)
{
    SRTP_PROTECTION_PROFILE *profile =
        dtls->is_connected ? SSL_get_selected_srtp_profile(dtls->ssl) : NULL;
    return profile ? (uint16_t)profile->id : 0;
}

int dtls_srtp_keys(const struct dtls *dtls, uint8_t *out, size_t size)
{
    static const char label[] = "EXTRACTOR-dtls_srtp";
    assert(size <= DTLS_SRTP_KEYS_MAX);
    if (dtls_srtp_profile(dtls) == 0 ||
        SSL_export_keying_material(dtls->ssl, out, size, label, sizeof label - 1, NULL, 0, 0) != 1)
        return ERR_NOT_FOUND;
    return OK;
}
