/* What all peers share: ciphers, a certificate. */
#include "peer.h"

#include "process.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

static const char *profile_name(uint16_t profile)
{
    switch (profile) {
    case SECURE_AES128_CM_HMAC_SHA1_80:
        return "SRTP_AES128_CM_SHA1_80";
    case SECURE_AEAD_AES_128_GCM:
        return "SRTP_AEAD_AES_128_GCM";
    case SECURE_AEAD_AES_256_GCM:
        return "SRTP_AEAD_AES_256_GCM";
    default:
        fail("profile");
    }
}

void house_open(struct house *house, uint16_t profile, uint32_t peers_max, uint32_t sources_max)
{
    const struct secure_config secure = { SECURE_BEST, peers_max, sources_max };
    unsigned size = DTLS_FINGERPRINT_SIZE;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    *house = (struct house){ 0 };
    if (!key || !x)
        fail("certificate");
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 24 * 3600);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"load", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    if (X509_sign(x, key, EVP_sha256()) <= 0 ||
        !X509_digest(x, EVP_sha256(), house->fingerprint, &size))
        fail("certificate");
    const struct dtls_config dtls = { .certificate = x,
                                      .key = key,
                                      .srtp_profiles = profile_name(profile),
                                      .asks_certificate = true };
    if (dtls_context_new(&dtls, &house->dtls) != OK)
        fail("DTLS");
    if (secure_engine_new(&secure, &house->secure) != OK)
        fail("SRTP");
    X509_free(x);
    EVP_PKEY_free(key);
    net_open(&house->net);
}

void house_close(struct house *house)
{
    net_close(&house->net);
    secure_engine_free(house->secure);
    dtls_context_free(house->dtls);
}
