/* The BIO between OpenSSL and an association: reads give the datagram that is being fed, writes
 * become outputs, and OpenSSL's retransmission timer is set by our clock.
 *
 * The timer: whenever OpenSSL starts or stops it, it tells the BIO when it will expire, by the
 * address of its own record of that (BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT).  OpenSSL compares this
 * record with the system's clock whenever it reads.  We move it out of reach at once, and when the
 * caller's `now` says that it is time, into the past.  So the system's clock decides nothing.
 * An OpenSSL that gives us a copy (from 3.2 on) is found out by dtls_bio_rules_timer. */
#include "agent/dtls_internal.h"

#include <string.h>

#define FAR_AHEAD_S 0x7fffffff /* in 2038 as seen from 1970, and its time on OpenSSL's clock */

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

/* Keeps what the records that follow OpenSSL's must know of them, and what may have to be sent
 * again. */
static void take_note(struct dtls *dtls, struct view datagram)
{
    struct view rest = datagram;
    struct dtls_record record;
    while (dtls_record_next(&rest, &record) == OK) {
        if (record.epoch == 0)
            continue;
        dtls->sealed_next = record.sequence + 1;
        dtls->sealed_nonce = 0;
        for (size_t i = 0; i < 8 && i < record.body.size; i++)
            dtls->sealed_nonce = dtls->sealed_nonce << 8 | record.body.at[i];
        dtls->sealed_nonce++;
    }
    if (datagram.size > sizeof dtls->flight - dtls->flight_size) {
        dtls->flight_is_long = true;
        return;
    }
    memcpy(dtls->flight + dtls->flight_size, datagram.at, datagram.size);
    dtls->flight_size += (uint16_t)datagram.size;
}

static int bio_write(BIO *bio, const char *bytes, int size)
{
    struct dtls *dtls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0)
        return 0;
    take_note(dtls, view_make(bytes, (size_t)size));
    dtls_add_out(dtls, DTLS_SEND, view_make(bytes, (size_t)size));
    return size; /* a datagram that found no room is one that was lost */
}

static int bio_read(BIO *bio, char *into, int room)
{
    struct dtls *dtls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (dtls->in.size == 0 || room <= 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t size = dtls->in.size < (size_t)room ? dtls->in.size : (size_t)room;
    memcpy(into, dtls->in.at, size);
    if (!dtls->is_peeking)
        dtls->in = view_make(NULL, 0); /* what did not fit is lost, as with any datagram */
    return (int)size;
}

/* OpenSSL has started its timer (it has sent a flight), or stopped it: the time is then 0. */
static void take_timer(struct dtls *dtls, struct timeval *at)
{
    dtls->timer = at;
    if (at->tv_sec == 0 && at->tv_usec == 0) {
        dtls->retransmit_at = USEC_NEVER;
        dtls->retransmit_after = DTLS_RETRANSMIT;
        return;
    }
    dtls->retransmit_at = dtls->now + dtls->retransmit_after;
    at->tv_sec = sizeof at->tv_sec > 4 ? (time_t)FAR_AHEAD_S * 1000 : FAR_AHEAD_S;
    at->tv_usec = 0;
}

/* Only what it knows: a BIO that says 1 to everything is taken to have the kernel's TLS. */
static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    struct dtls *dtls = BIO_get_data(bio);
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
        take_timer(dtls, pointer);
        return 1;
    case BIO_CTRL_DGRAM_SET_PEEK_MODE:
        dtls->is_peeking = number != 0;
        return 1;
    default:
        return 0;
    }
}

BIO_METHOD *dtls_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "datagrams");
    if (!method)
        return NULL;
    if (BIO_meth_set_create(method, bio_create) && BIO_meth_set_write(method, bio_write) &&
        BIO_meth_set_read(method, bio_read) && BIO_meth_set_ctrl(method, bio_ctrl))
        return method;
    BIO_meth_free(method);
    return NULL;
}

BIO *dtls_bio_new(struct dtls *dtls)
{
    BIO *bio = BIO_new(dtls->context->bio_method);
    if (bio)
        BIO_set_data(bio, dtls);
    return bio;
}

void dtls_bio_expire(struct dtls *dtls)
{
    if (!dtls->timer || dtls->retransmit_at == USEC_NEVER)
        return;
    dtls->timer->tv_sec = 0;
    dtls->timer->tv_usec = 1; /* not 0, which is a timer that isn't set */
    dtls->retransmit_after *= 2;
    if (dtls->retransmit_after > DTLS_RETRANSMIT_MAX)
        dtls->retransmit_after = DTLS_RETRANSMIT_MAX;
}

unsigned dtls_bio_far(SSL *ssl, unsigned duration_us)
{
    (void)ssl;
    (void)duration_us;
    return 3600u * 1000 * 1000;
}

bool dtls_bio_rules_timer(struct dtls *dtls)
{
    struct timeval left;
    bool runs = dtls->retransmit_at != USEC_NEVER && DTLSv1_get_timeout(dtls->ssl, &left);
    return runs && left.tv_sec > 24 * 3600; /* an hour is what dtls_bio_far said */
}
