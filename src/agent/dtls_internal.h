/* dtls_internal.h - what dtls*.c share: the context, its outputs, and the BIO. */
#ifndef MOIM_AGENT_DTLS_INTERNAL_H
#define MOIM_AGENT_DTLS_INTERNAL_H

#include "agent/dtls.h"

#include <openssl/ssl.h>

/* A flight with a long chain is some 8 KiB; one datagram's data is less than the datagram. */
#define DTLS_OUT_BYTES_MAX (32 * 1024)
#define DTLS_OUTS_MAX      64

struct dtls_context {
    SSL_CTX *tls;
    BIO_METHOD *bio_method;
    BIO_ADDR *nobody; /* DTLSv1_listen wants one */
    uint64_t overflows;
    const struct dtls *owner; /* whose outputs these are */
    uint32_t out_count;
    uint32_t out_next;
    size_t used;
    struct dtls_out outs[DTLS_OUTS_MAX];
    struct view cookie; /* the one that was checked, during dtls_init_verified */
    uint8_t bytes[DTLS_OUT_BYTES_MAX];
    uint8_t plain[SSL3_RT_MAX_PLAIN_LENGTH];
};

/* Adds an output; its bytes are copied.  Without room it is counted and forgotten. */
void dtls_add_out(struct dtls *dtls, enum dtls_out_kind kind, struct view bytes);

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
