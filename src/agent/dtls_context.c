/* What the associations of a worker share: OpenSSL's settings and the outputs' memory. */
#include "agent/dtls_internal.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <string.h>

#define CIPHERS                                                                                    \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define GROUPS "X25519:P-256:P-384"

/* Any certificate will do here: it is its fingerprint that the caller compares. */
static int accept_certificate(int verified, X509_STORE_CTX *store)
{
    (void)verified;
    (void)store;
    return 1;
}

/* OpenSSL asks twice: in DTLSv1_listen, and as it reads the same hello again. */
static int check_cookie(SSL *ssl, const unsigned char *cookie, unsigned size)
{
    struct dtls *dtls = SSL_get_app_data(ssl);
    return dtls && view_equal(view_make(cookie, size), dtls->context->cookie);
}

/* Never asked: a hello whose cookie is wrong was refused before OpenSSL saw it. */
static int make_cookie(SSL *ssl, unsigned char *cookie, unsigned *size)
{
    (void)ssl;
    (void)cookie;
    (void)size;
    return 0;
}

static bool use_certificate(SSL_CTX *tls, const struct dtls_config *config)
{
    if (!config->certificate || !config->key)
        return false;
    return SSL_CTX_use_cert_and_key(tls, config->certificate, config->key, config->chain, 1) == 1;
}

static int set_up(SSL_CTX *tls, const struct dtls_config *config)
{
    SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET |
                                 SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(tls, 1); /* a datagram is read whole */
    SSL_CTX_set_max_cert_list(tls, 16 * 1024);
    SSL_CTX_set_cookie_generate_cb(tls, make_cookie);
    SSL_CTX_set_cookie_verify_cb(tls, check_cookie);
    SSL_CTX_set_verify(tls,
                       config->asks_certificate ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                                                : SSL_VERIFY_NONE,
                       accept_certificate);
    if (!SSL_CTX_set_min_proto_version(tls, DTLS1_2_VERSION) ||
        !SSL_CTX_set_max_proto_version(tls, DTLS1_2_VERSION) ||
        !SSL_CTX_set_max_send_fragment(tls, DTLS_DATA_MAX) ||
        !SSL_CTX_set_cipher_list(tls, CIPHERS) || !SSL_CTX_set1_groups_list(tls, GROUPS) ||
        !use_certificate(tls, config))
        return ERR_CONFIG;
    /* unlike all others, this one gives 0 for success */
    if (config->srtp_profiles && SSL_CTX_set_tlsext_use_srtp(tls, config->srtp_profiles))
        return ERR_CONFIG;
    return OK;
}

/* A client that has sent its hello shows whether the timer obeys. */
static int try_timer(struct dtls_context *context)
{
    struct dtls dtls;
    int status = dtls_init(&dtls, context, DTLS_CLIENT, 0);
    if (status != OK)
        return status;
    status = dtls_bio_rules_timer(&dtls) ? OK : ERR_UNSUPPORTED;
    dtls_free(&dtls);
    return status;
}

int dtls_context_new(const struct dtls_config *config, struct dtls_context **out)
{
    struct dtls_context *context = OPENSSL_zalloc(sizeof *context);
    int status = ERR_MEMORY;
    if (!context)
        return ERR_MEMORY;
    context->tls = SSL_CTX_new(DTLS_method());
    context->bio_method = dtls_bio_method();
    context->nobody = BIO_ADDR_new();
    if (context->tls && context->bio_method && context->nobody)
        status = set_up(context->tls, config);
    if (status == OK)
        status = try_timer(context);
    ERR_clear_error();
    if (status != OK) {
        dtls_context_free(context);
        return status;
    }
    *out = context;
    return OK;
}

int dtls_context_set_certificate(struct dtls_context *context, const struct dtls_config *config)
{
    bool done = use_certificate(context->tls, config);
    ERR_clear_error();
    return done ? OK : ERR_CONFIG;
}

void dtls_context_free(struct dtls_context *context)
{
    if (!context)
        return;
    SSL_CTX_free(context->tls);
    BIO_meth_free(context->bio_method);
    BIO_ADDR_free(context->nobody);
    OPENSSL_free(context);
}

uint64_t dtls_context_overflows(const struct dtls_context *context)
{
    return context->overflows;
}

void dtls_add_out(struct dtls *dtls, enum dtls_out_kind kind, struct view bytes)
{
    uint8_t *at = dtls_out_room(dtls, bytes.size);
    if (!at)
        return;
    if (bytes.size)
        memcpy(at, bytes.at, bytes.size);
    dtls_commit_out(dtls, kind, view_make(at, bytes.size));
}

uint8_t *dtls_out_room(struct dtls *dtls, size_t size)
{
    struct dtls_context *context = dtls->context;
    if (context->out_count < DTLS_OUTS_MAX && size <= sizeof context->bytes - context->used)
        return context->bytes + context->used;
    context->overflows++;
    return NULL;
}

void dtls_commit_out(struct dtls *dtls, enum dtls_out_kind kind, struct view bytes)
{
    struct dtls_context *context = dtls->context;
    context->used += bytes.size;
    context->owners[context->out_count] = dtls;
    context->outs[context->out_count++] = (struct dtls_out){
        .kind = (uint8_t)kind,
        .end = dtls->end,
        .bytes = bytes,
        .until = USEC_NEVER,
    };
}

struct dtls *dtls_take_out(struct dtls_context *context, const struct dtls *dtls,
                           struct dtls_out *out)
{
    for (uint32_t i = context->out_next; i < context->out_count; i++) {
        struct dtls *owner = context->owners[i];
        if (!owner || (dtls && owner != dtls))
            continue;
        *out = context->outs[i];
        context->owners[i] = NULL;
        while (context->out_next < context->out_count && !context->owners[context->out_next])
            context->out_next++;
        return owner;
    }
    if (context->out_next == context->out_count) {
        context->out_count = context->out_next = 0;
        context->used = 0;
    }
    return NULL;
}
