#include "shell/certificate.h"

#include "shell/certificate_make.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Forward secrecy and authenticated ciphers alone (RFC 9325, 4.2); TLS 1.3 has no others. */
#define CIPHERS_TLS12                                                                              \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define GROUPS "X25519:P-256:P-384"

struct source {
    const char *cert_name; /* how messages call the files' settings */
    const char *key_name;
    const char *cert;
    const char *key;
};

/* ---- the TLS settings ---- */

/* RFC 7301: of what the client offers, HTTP/1.1 is all that is spoken here. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                       const unsigned char *offered, unsigned offered_size, void *context)
{
    static const unsigned char spoken[] = "\x08http/1.1";
    unsigned char *chosen;
    (void)ssl;
    (void)context;
    if (SSL_select_next_proto(&chosen, out_size, spoken, sizeof(spoken) - 1, offered,
                              offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Keys with a password are refused rather than asking on the terminal. */
static int no_password(char *buffer, int size, int writing, void *context)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static SSL_CTX *make_tls(void)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (!tls)
        return NULL;
    /* no tickets and no cache: nothing grows, and no ticket key has to be changed */
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(tls, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* no partial writes: connection.c keeps what was not taken as one record, though a client that
     * asked for small ones (RFC 6066, 4) makes many of it */
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_alpn_select_cb(tls, choose_alpn, NULL);
    SSL_CTX_set_default_passwd_cb(tls, no_password);
    if (SSL_CTX_set_num_tickets(tls, 0) && SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) &&
        SSL_CTX_set_cipher_list(tls, CIPHERS_TLS12) && SSL_CTX_set1_groups_list(tls, GROUPS))
        return tls;
    SSL_CTX_free(tls);
    return NULL;
}

/* ---- loading ---- */

static int refuse(char *error, const char *name, const char *path, const char *reason)
{
    snprintf(error, SETTINGS_ERROR_MAX, "%s: %.300s: %s", name, path, reason);
    return ERR_CONFIG;
}

/* The last of OpenSSL's reasons; empties its queue. */
static const char *take_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return reason ? reason : "unknown";
}

static int check_readable(const char *name, const char *path, char *error)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return refuse(error, name, path, strerror(errno));
    int first = fgetc(file);
    int status = OK;
    if (first == EOF)
        status = refuse(error, name, path, ferror(file) ? strerror(errno) : "the file is empty");
    fclose(file);
    return status;
}

static int load_key(SSL_CTX *tls, const struct source *source, char *error)
{
    char reason[160];
    int status = check_readable(source->key_name, source->key, error);
    if (status != OK)
        return status;
    FILE *file = fopen(source->key, "re");
    EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, no_password, NULL) : NULL;
    if (file)
        fclose(file);
    if (!key) {
        snprintf(reason, sizeof(reason),
                 "no private key in PEM without a password can be read from it (%s)",
                 take_reason());
        return refuse(error, source->key_name, source->key, reason);
    }
    if (X509_check_private_key(SSL_CTX_get0_certificate(tls), key) != 1) {
        snprintf(reason, sizeof(reason), "the key doesn't belong to the certificate in %s",
                 source->cert_name);
        status = refuse(error, source->key_name, source->key, reason);
    } else if (SSL_CTX_use_PrivateKey(tls, key) != 1) {
        status = refuse(error, source->key_name, source->key, take_reason());
    }
    ERR_clear_error();
    EVP_PKEY_free(key);
    return status;
}

static int load(SSL_CTX *tls, const struct source *source, char *error)
{
    char reason[160];
    int status = check_readable(source->cert_name, source->cert, error);
    if (status != OK)
        return status;
    if (SSL_CTX_use_certificate_chain_file(tls, source->cert) != 1) {
        snprintf(reason, sizeof(reason), "no usable certificate in PEM (%s)", take_reason());
        return refuse(error, source->cert_name, source->cert, reason);
    }
    return load_key(tls, source, error);
}

/* ---- what the certificate says ---- */

static void write_fingerprint(const X509 *certificate, char out[CERTIFICATE_FINGERPRINT_SIZE])
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    out[0] = '\0';
    if (!X509_digest(certificate, EVP_sha256(), digest, &size))
        return;
    for (unsigned i = 0; i < size; i++)
        snprintf(out + 3 * i, 4, i + 1 < size ? "%02X:" : "%02X", digest[i]);
}

static int64_t seconds_of(const ASN1_TIME *time)
{
    struct tm parts;
    return ASN1_TIME_to_tm(time, &parts) ? (int64_t)timegm(&parts) : 0;
}

static void write_day(int64_t unix_s, char out[32])
{
    struct tm parts;
    time_t seconds = (time_t)unix_s;
    gmtime_r(&seconds, &parts);
    strftime(out, 32, "%Y-%m-%d", &parts);
}

static void describe(SSL_CTX *tls, int64_t now, struct certificate *out)
{
    const X509 *certificate = SSL_CTX_get0_certificate(tls);
    int64_t begins_at_s = seconds_of(X509_get0_notBefore(certificate));
    char day[32];

    write_fingerprint(certificate, out->fingerprint);
    out->expires_at_s = seconds_of(X509_get0_notAfter(certificate));
    write_day(out->expires_at_s, day);
    if (out->expires_at_s <= now) {
        snprintf(out->notice, sizeof(out->notice), "the certificate expired on %s", day);
    } else if (out->expires_at_s - now < CERTIFICATE_NOTICE_DAYS * CERTIFICATE_DAY) {
        snprintf(out->notice, sizeof(out->notice), "the certificate expires on %s", day);
    } else if (begins_at_s > now) {
        write_day(begins_at_s, day);
        snprintf(out->notice, sizeof(out->notice), "the certificate is not valid before %s", day);
    }
}

static int open_files(const struct source *source, int64_t now, struct certificate *out,
                      char *error)
{
    struct certificate opened = { .tls = make_tls() };
    if (!opened.tls) {
        snprintf(error, SETTINGS_ERROR_MAX, "TLS can't be set up: %s", take_reason());
        return ERR_MEMORY;
    }
    int status = load(opened.tls, source, error);
    if (status != OK) {
        SSL_CTX_free(opened.tls);
        return status;
    }
    describe(opened.tls, now, &opened);
    *out = opened;
    return OK;
}

/* The one in state.dir.  ERR_NOT_FOUND: there is none that serves; `why` says why not, or is "". */
static int open_kept(const char *path, int64_t now, struct certificate *out,
                     char why[SETTINGS_ERROR_MAX])
{
    const struct source source = { "state.dir", "state.dir", path, path };
    struct certificate kept;
    why[0] = '\0';
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return ERR_NOT_FOUND;
    int status = open_files(&source, now, &kept, why);
    if (status == ERR_CONFIG)
        return ERR_NOT_FOUND;
    if (status != OK)
        return status;
    if (kept.notice[0]) {
        memcpy(why, kept.notice, sizeof(kept.notice));
        certificate_close(&kept);
        return ERR_NOT_FOUND;
    }
    kept.is_made = true;
    *out = kept;
    return OK;
}

int certificate_open(const struct settings *settings, int64_t unix_now_s, bool may_make,
                     struct certificate *out, char error[SETTINGS_ERROR_MAX])
{
    char path[CERTIFICATE_PATH_SIZE];
    char why[SETTINGS_ERROR_MAX];

    if (settings->https_cert[0]) {
        const struct source source = { "https.cert", "https.key", settings->https_cert,
                                       settings->https_key };
        return open_files(&source, unix_now_s, out, error);
    }
    certificate_path(settings, path);
    int status = open_kept(path, unix_now_s, out, why);
    if (status == OK || status == ERR_MEMORY || !may_make) {
        memcpy(error, why, sizeof(why));
        return status;
    }
    status = certificate_make(settings, unix_now_s, error);
    if (status == OK)
        status = open_kept(path, unix_now_s, out, error);
    if (status != OK)
        return status == ERR_NOT_FOUND ? ERR_IO : status;
    out->is_new = true;
    if (why[0])
        snprintf(out->notice, sizeof(out->notice), "a new certificate was made: %.400s", why);
    return OK;
}

void certificate_close(struct certificate *certificate)
{
    SSL_CTX_free(certificate->tls);
    certificate->tls = NULL;
}
