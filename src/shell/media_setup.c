#include "shell/media_setup.h"

#include "agent/dtls.h"
#include "agent/srtp.h"
#include "shell/machine.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define VALID_DAYS   3650
#define SOURCES_EACH 8 /* streams that come on a transport, on an average */

_Static_assert(SERVER_FINGERPRINT_SIZE == DTLS_FINGERPRINT_SIZE, "both are SHA-256");

/* ---- the certificate ---- */

static bool set_serial(X509 *certificate)
{
    BIGNUM *number = BN_new();
    bool ok = number && BN_rand(number, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
              BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return ok;
}

/* Valid from a day ago on, as clocks differ. */
static bool fill(X509 *certificate, EVP_PKEY *key, time_t now)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    return X509_set_version(certificate, X509_VERSION_3) && set_serial(certificate) &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)"WebRTC", -1,
                                      -1, 0) &&
           X509_set_issuer_name(certificate, subject) && X509_set_pubkey(certificate, key) &&
           X509_time_adj_ex(X509_getm_notBefore(certificate), -1, 0, &now) &&
           X509_time_adj_ex(X509_getm_notAfter(certificate), VALID_DAYS, 0, &now) &&
           X509_sign(certificate, key, EVP_sha256()) > 0;
}

static int open_dtls(const struct media_setup *setup, struct dtls_context **out)
{
    const struct dtls_config config = {
        .certificate = setup->certificate,
        .key = setup->key,
        .srtp_profiles = SECURE_DTLS_PROFILES,
        .asks_certificate = true,
    };
    int status = dtls_context_new(&config, out);
    return status == ERR_CONFIG ? ERR_UNSUPPORTED : status; /* it does not know the profiles */
}

int media_setup_new(int64_t unix_now_s, struct media_setup **out)
{
    unsigned size = SERVER_FINGERPRINT_SIZE;
    struct dtls_context *dtls;
    struct media_setup *setup = calloc(1, sizeof *setup);
    if (!setup)
        return ERR_MEMORY;
    setup->key = EVP_EC_gen("P-256");
    setup->certificate = X509_new();
    bool ok = setup->key && setup->certificate &&
              fill(setup->certificate, setup->key, (time_t)unix_now_s) &&
              X509_digest(setup->certificate, EVP_sha256(), setup->fingerprint, &size);
    int status = ok ? open_dtls(setup, &dtls) : ERR_MEMORY; /* to see whether it can */
    if (status != OK) {
        media_setup_free(setup);
        return status;
    }
    dtls_context_free(dtls);
    *out = setup;
    return OK;
}

void media_setup_free(struct media_setup *setup)
{
    if (!setup)
        return;
    X509_free(setup->certificate);
    EVP_PKEY_free(setup->key);
    free(setup);
}

/* ---- candidates ---- */

struct candidates {
    struct address *items;
    uint32_t count;
    uint16_t port;
    bool has_ipv6;
};

static void add_all(struct candidates *all, const struct address *addresses, uint32_t count)
{
    for (uint32_t i = 0; i < count && all->count < SERVER_CANDIDATES_MAX; i++) {
        struct address address = addresses[i];
        bool is_new = true;
        address.port = all->port;
        for (uint32_t j = 0; j < all->count; j++)
            is_new = is_new && !address_equal(&all->items[j], &address);
        if (is_new && (all->has_ipv6 || address.family == ADDRESS_IPV4))
            all->items[all->count++] = address;
    }
}

uint32_t media_setup_candidates(const struct settings *settings, uint16_t port, bool has_ipv6,
                                struct address out[SERVER_CANDIDATES_MAX])
{
    static const struct address LOOPBACKS[] = {
        { .family = ADDRESS_IPV4, .bytes = { 127, 0, 0, 1 } },
        { .family = ADDRESS_IPV6, .bytes = { [15] = 1 } },
    };
    struct address addresses[MACHINE_ADDRESSES_MAX];
    struct candidates all = { .items = out, .port = port, .has_ipv6 = has_ipv6 };
    add_all(&all, settings->rtc_public_ip.items, settings->rtc_public_ip.count);
    add_all(&all, addresses, machine_addresses(addresses));
    if (all.count == 0)
        add_all(&all, LOOPBACKS, 2);
    return all.count;
}

/* ---- a worker's ---- */

int media_setup_open(const struct media_setup *setup, struct server_rtc *out)
{
    const struct secure_config ciphers = {
        .choice = SECURE_BEST,
        .sessions_max = RTC_TRANSPORTS_MAX,
        .sources_max = SOURCES_EACH * RTC_TRANSPORTS_MAX,
    };
    struct secure_engine *secure;
    struct dtls_context *dtls;
    int status = secure_engine_new(&ciphers, &secure);
    if (status != OK)
        return status;
    status = open_dtls(setup, &dtls);
    if (status != OK) {
        secure_engine_free(secure);
        return status;
    }
    out->dtls = dtls;
    out->secure = secure;
    out->transports_max = RTC_TRANSPORTS_MAX;
    memcpy(out->fingerprint, setup->fingerprint, sizeof out->fingerprint);
    return OK;
}

void media_setup_close(struct server_rtc *rtc)
{
    secure_engine_free(rtc->secure);
    dtls_context_free(rtc->dtls);
    rtc->secure = NULL;
    rtc->dtls = NULL;
}
