/* dtls_internal.h - what dtls*.c share: the context, its outputs, and the BIO. */
#ifndef MOIM_AGENT_DTLS_INTERNAL_H
#define MOIM_AGENT_DTLS_INTERNAL_H

#include "agent/dtls.h"

#include <openssl/ssl.h>

/* A flight with a long chain is some 8 KiB; one datagram's data is less than the datagram; the
 * rest is for what is sent while these are polled. */
#define DTLS_OUT_BYTES_MAX (64 * 1024)
#define DTLS_OUTS_MAX      128

struct dtls_context {
    SSL_CTX *tls;
    BIO_METHOD *bio_method;
    BIO_ADDR *nobody; /* DTLSv1_listen wants one */
    uint64_t overflows;
    uint32_t out_count;
    uint32_t out_next; /* those before it were taken */
    size_t used;
    struct dtls_out outs[DTLS_OUTS_MAX];
    struct dtls *owners[DTLS_OUTS_MAX]; /* whose output it is; NULL: taken */
    struct view cookie;                 /* the one that was checked, during dtls_init_verified */
    uint8_t bytes[DTLS_OUT_BYTES_MAX];
};

/* Adds an output; its bytes are copied.  Without room it is counted and forgotten. */
void dtls_add_out(struct dtls *dtls, enum dtls_out_kind kind, struct view bytes);

/* Room for an output of that size; NULL: there is none, which is counted.  dtls_commit_out adds
 * what was written there. */
uint8_t *dtls_out_room(struct dtls *dtls, size_t size);
void dtls_commit_out(struct dtls *dtls, enum dtls_out_kind kind, struct view bytes);

/* The oldest output of `dtls`, or of any association where that is NULL, and whose it is; NULL:
 * there is none, and all memory of outputs is used again. */
struct dtls *dtls_take_out(struct dtls_context *context, const struct dtls *dtls,
                           struct dtls_out *out);

/* What the handshake of dtls->ssl, which is done, has agreed on.  ERR_MEMORY; ERR_UNSUPPORTED. */
MUST_USE int dtls_take_secrets(struct dtls *dtls);

/* When dtls_tick is to be called. */
usec dtls_next_time(const struct dtls *dtls);

/* A BIO whose datagrams are those of one association.  NULL: out of memory. */
BIO_METHOD *dtls_bio_method(void);
BIO *dtls_bio_new(struct dtls *dtls);

/* Makes OpenSSL's timer expire now; DTLSv1_handle_timeout then sends the flight again. */
void dtls_bio_expire(struct dtls *dtls);

/* What DTLS_set_timer_cb is given: longer than any handshake. */
unsigned dtls_bio_far(SSL *ssl, unsigned duration_us);

/* Whether this OpenSSL's timer can be taken over. */
bool dtls_bio_rules_timer(struct dtls *dtls);

#endif
