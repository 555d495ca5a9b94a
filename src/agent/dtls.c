#include "agent/dtls_internal.h"

#include <openssl/err.h>

#include <assert.h>
#include <string.h>

static void begin(struct dtls *dtls, usec now)
{
    dtls->now = now;
    if (!dtls->is_connected)
        ERR_clear_error(); /* OpenSSL's errors are the thread's, and stay till they are cleared */
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
    int error = SSL_get_error(dtls->ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return;
    if (error == SSL_ERROR_ZERO_RETURN) {
        finish(dtls, DTLS_END_CLOSED);
        return;
    }
    /* reasons from 1000 on are alerts that came */
    int reason = ERR_GET_REASON(ERR_peek_error());
    finish(dtls, reason >= SSL_AD_REASON_OFFSET ? DTLS_END_ALERT : DTLS_END_FAILED);
}

static void let_openssl_go(struct dtls *dtls)
{
    SSL_free(dtls->ssl);
    dtls->ssl = NULL;
    dtls->timer = NULL;
    dtls->retransmit_at = USEC_NEVER;
}

static void shake_hands(struct dtls *dtls)
{
    dtls->flight_size = 0;
    dtls->flight_is_long = false;
    int result = SSL_do_handshake(dtls->ssl);
    if (result != 1) {
        take_failure(dtls, result);
        return;
    }
    if (dtls_take_secrets(dtls) != OK) {
        finish(dtls, DTLS_END_FAILED);
        return;
    }
    let_openssl_go(dtls);
    if (dtls->flight_is_long)
        dtls->flight_size = 0;
    dtls->is_connected = true;
    dtls_add_out(dtls, DTLS_CONNECTED, view_make(NULL, 0));
}

/* Seals the parts as one record, and puts it out. */
static int seal(struct dtls *dtls, enum dtls_content content, const struct view *parts,
                unsigned count, size_t size)
{
    uint8_t *at = dtls_out_room(dtls, size + DTLS_RECORD_OVERHEAD_MAX);
    if (!at)
        return OK; /* as good as lost on the way */
    if (dtls_seal(&dtls->records, content, parts, count, at, &size) != OK) {
        finish(dtls, DTLS_END_FAILED);
        return ERR_CLOSED;
    }
    dtls_commit_out(dtls, DTLS_SEND, view_make(at, size));
    return OK;
}

/* RFC 5246, section 7.2.1. */
static void say_goodbye(struct dtls *dtls)
{
    static const uint8_t close_notify[] = { 1, 0 };
    const struct view alert = { close_notify, sizeof close_notify };
    (void)!seal(dtls, DTLS_ALERT, &alert, 1, alert.size);
}

static void take_alert(struct dtls *dtls, struct view alert)
{
    enum { FATAL = 2, CLOSE_NOTIFY = 0 };
    if (alert.size != 2)
        return;
    if (alert.at[1] == CLOSE_NOTIFY) {
        say_goodbye(dtls);
        finish(dtls, DTLS_END_CLOSED);
    } else if (alert.at[0] == FATAL) {
        finish(dtls, DTLS_END_ALERT);
    }
}

/* The client sends its Finished again, so it has not got ours (section 4.2.4).  The same records
 * will do: those that it has got it knows by their numbers.  All else is a wish to begin anew
 * within the old association, and that is not granted. */
static void take_handshake(struct dtls *dtls, struct view message)
{
    enum { FINISHED = 20 };
    if (dtls->role == DTLS_SERVER && dtls->flight_size && message.size && message.at[0] == FINISHED)
        dtls_add_out(dtls, DTLS_SEND, view_make(dtls->flight, dtls->flight_size));
}

/* `is_first`: the datagram has completed the handshake, so what is of that in it was heard. */
static void read_records(struct dtls *dtls, struct view datagram, bool is_first)
{
    struct dtls_record record;
    struct view plain;
    while (dtls->end == DTLS_OPEN && dtls_record_next(&datagram, &record) == OK) {
        uint8_t *at = dtls_out_room(dtls, record.body.size);
        if (!at || dtls_open(&dtls->records, &record, at, &plain) != OK)
            continue;
        if (record.content == DTLS_APPLICATION_DATA && plain.size)
            dtls_commit_out(dtls, DTLS_DATA, plain);
        else if (record.content == DTLS_ALERT)
            take_alert(dtls, plain);
        else if (record.content == DTLS_HANDSHAKE && !is_first)
            take_handshake(dtls, plain);
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
    };
    begin(dtls, now);
    SSL *ssl = SSL_new(context->tls);
    if (!ssl)
        goto forget;
    BIO *bio = dtls_bio_new(dtls);
    if (!bio)
        goto free_ssl;
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

free_ssl:
    SSL_free(ssl);
forget:
    *dtls = (struct dtls){ 0 };
    return ERR_MEMORY;
}

int dtls_init(struct dtls *dtls, struct dtls_context *context, enum dtls_role role, usec now)
{
    int status = make_ssl(dtls, context, role, now);
    if (status != OK)
        return status;
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
    if (!dtls->context)
        return;
    struct dtls_out out;
    SSL_free(dtls->ssl);
    dtls_records_free(&dtls->records);
    while (dtls_take_out(dtls->context, dtls, &out))
        ;
    OPENSSL_cleanse(dtls, sizeof *dtls);
}

void dtls_feed(struct dtls *dtls, usec now, struct view datagram)
{
    bool was_connected = dtls->is_connected;
    begin(dtls, now);
    if (dtls->end != DTLS_OPEN || datagram.size > DTLS_DATAGRAM_MAX)
        return;
    if (!was_connected) {
        dtls->in = datagram;
        shake_hands(dtls);
        dtls->in = view_make(NULL, 0);
    }
    if (dtls->is_connected)
        read_records(dtls, datagram, !was_connected);
}

int dtls_send_parts(struct dtls *dtls, usec now, const struct view *parts, unsigned count)
{
    size_t size = 0;
    begin(dtls, now);
    if (dtls->end != DTLS_OPEN)
        return ERR_CLOSED;
    if (!dtls->is_connected)
        return ERR_AGAIN;
    for (unsigned i = 0; i < count; i++) {
        if (parts[i].size > dtls->data_max - size)
            return ERR_LIMIT;
        size += parts[i].size;
    }
    return size ? seal(dtls, DTLS_APPLICATION_DATA, parts, count, size) : ERR_LIMIT;
}

int dtls_send(struct dtls *dtls, usec now, struct view data)
{
    return dtls_send_parts(dtls, now, &data, 1);
}

void dtls_close(struct dtls *dtls, usec now)
{
    begin(dtls, now);
    if (dtls->end != DTLS_OPEN)
        return;
    if (dtls->is_connected)
        say_goodbye(dtls);
    finish(dtls, DTLS_END_BY_US);
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
}

usec dtls_next_time(const struct dtls *dtls)
{
    if (dtls->end != DTLS_OPEN)
        return USEC_NEVER;
    usec until = dtls->retransmit_at;
    if (!dtls->is_connected && dtls->give_up_at < until)
        until = dtls->give_up_at;
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
    if (!dtls->has_fingerprint)
        return ERR_NOT_FOUND;
    memcpy(out, dtls->fingerprint, DTLS_FINGERPRINT_SIZE);
    return OK;
}

uint16_t dtls_srtp_profile(const struct dtls *dtls)
{
    return dtls->srtp_profile;
}

int dtls_srtp_keys(const struct dtls *dtls, uint8_t *out, size_t size)
{
    assert(size <= DTLS_SRTP_KEYS_MAX);
    if (!dtls->srtp_profile)
        return ERR_NOT_FOUND;
    memcpy(out, dtls->srtp_keys, size);
    return OK;
}
