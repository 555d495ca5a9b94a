/* What clients are shown over DTLS: the certificate of HTTPS. */
#include "shell/worker.h"

#include "agent/dtls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

static struct dtls_config read_tls(const struct worker *worker)
{
    SSL_CTX *tls = worker->config.tls;
    struct dtls_config config = {
        .certificate = SSL_CTX_get0_certificate(tls),
        .key = SSL_CTX_get0_privatekey(tls),
    };
    if (!SSL_CTX_get0_chain_certs(tls, &config.chain))
        config.chain = NULL;
    return config;
}

static bool is_wanted(const struct worker *worker)
{
    bool is_open = false;
    for (uint32_t i = 0; i < worker->config.listener_count; i++)
        is_open |= worker->config.listeners[i].kind == LISTENER_STUN_DTLS;
    return is_open && worker->config.tls && worker->config.server.turn;
}

int worker_start_dtls(struct worker *worker)
{
    worker->config.server.dtls = NULL;
    if (!is_wanted(worker))
        return OK;
    struct dtls_config config = read_tls(worker);
    int status = dtls_context_new(&config, &worker->config.server.dtls);
    if (status != ERR_UNSUPPORTED)
        return status;
    struct trace_event event;
    log_begin(&event, TRACE_WARN, "dtls.unsupported");
    trace_text(&event, "reason", VIEW("this version of OpenSSL"));
    log_event(worker->config.log, worker->config.number, &event);
    return OK; /* the rest is served, TURN over TLS too */
}

void worker_renew_dtls(struct worker *worker)
{
    if (!worker->config.server.dtls)
        return;
    struct dtls_config config = read_tls(worker);
    int status = dtls_context_set_certificate(worker->config.server.dtls, &config);
    (void)status; /* one that OpenSSL has taken for TLS it takes here, or the old one stays */
}

void worker_stop_dtls(struct worker *worker)
{
    dtls_context_free(worker->config.server.dtls);
    worker->config.server.dtls = NULL;
}
