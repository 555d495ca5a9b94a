/* What a handshake has agreed on, taken out of OpenSSL, so that it can be let go. */
#include "agent/dtls_internal.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <string.h>

#define KEY_BLOCK_MAX (2 * (32 + 12))

static int aead_of(const SSL_CIPHER *cipher, enum dtls_aead *out)
{
    switch (SSL_CIPHER_get_cipher_nid(cipher)) {
    case NID_aes_128_gcm:
        *out = DTLS_AES_128_GCM;
        return OK;
    case NID_aes_256_gcm:
        *out = DTLS_AES_256_GCM;
        return OK;
    case NID_chacha20_poly1305:
        *out = DTLS_CHACHA20_POLY1305;
        return OK;
    default:
        return ERR_UNSUPPORTED;
    }
}

/* RFC 5246, section 6.3: PRF(master_secret, "key expansion", server_random + client_random). */
static int expand(SSL *ssl, uint8_t *out, size_t size)
{
    static char label[] = "key expansion";
    uint8_t master[SSL_MAX_MASTER_KEY_LENGTH];
    uint8_t server_random[SSL3_RANDOM_SIZE], client_random[SSL3_RANDOM_SIZE];
    const EVP_MD *digest = SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl));
    char *digest_name = (char *)(uintptr_t)EVP_MD_get0_name(digest); /* which is only read */
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_PRF, NULL);
    EVP_KDF_CTX *prf = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    size_t master_size = SSL_SESSION_get_master_key(SSL_get0_session(ssl), master, sizeof master);
    SSL_get_server_random(ssl, server_random, sizeof server_random);
    SSL_get_client_random(ssl, client_random, sizeof client_random);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, master_size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, label, sizeof label - 1),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, server_random, SSL3_RANDOM_SIZE),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, client_random, SSL3_RANDOM_SIZE),
        OSSL_PARAM_construct_end(),
    };
    int done = prf ? EVP_KDF_derive(prf, out, size, params) : 0;
    OPENSSL_cleanse(master, sizeof master);
    EVP_KDF_CTX_free(prf);
    EVP_KDF_free(kdf);
    return done == 1 ? OK : ERR_MEMORY;
}

static void cut(const uint8_t **block, size_t size, uint8_t *client, uint8_t *server)
{
    memcpy(client, *block, size);
    memcpy(server, *block + size, size);
    *block += 2 * size;
}

static int take_records(struct dtls *dtls)
{
    enum dtls_aead aead;
    uint8_t block[KEY_BLOCK_MAX];
    struct dtls_secret secrets[2] = { 0 }; /* the client's, the server's */
    const uint8_t *rest = block;
    int status = aead_of(SSL_get_current_cipher(dtls->ssl), &aead);
    if (status != OK)
        return status;
    const struct dtls_aead_sizes *sizes = dtls_aead_sizes(aead);
    status = expand(dtls->ssl, block, 2 * (size_t)(sizes->key + sizes->iv));
    if (status == OK) {
        cut(&rest, sizes->key, secrets[0].key, secrets[1].key);
        cut(&rest, sizes->iv, secrets[0].iv, secrets[1].iv);
        bool is_server = dtls->role == DTLS_SERVER;
        status = dtls_records_init(&dtls->records, aead, &secrets[is_server], &secrets[!is_server],
                                   dtls->sealed_next, dtls->sealed_nonce);
    }
    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(secrets, sizeof secrets);
    return status;
}

static int take_srtp(struct dtls *dtls)
{
    static const char label[] = "EXTRACTOR-dtls_srtp";
    SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(dtls->ssl);
    if (!profile)
        return OK;
    dtls->srtp_profile = (uint16_t)profile->id;
    return SSL_export_keying_material(dtls->ssl, dtls->srtp_keys, sizeof dtls->srtp_keys, label,
                                      sizeof label - 1, NULL, 0, 0) == 1
               ? OK
               : ERR_MEMORY;
}

int dtls_take_secrets(struct dtls *dtls)
{
    X509 *certificate = SSL_get0_peer_certificate(dtls->ssl);
    unsigned size = DTLS_FINGERPRINT_SIZE;
    uint8_t fragment = SSL_SESSION_get_max_fragment_length(SSL_get0_session(dtls->ssl));
    unsigned short_max = 256u << fragment % 5; /* RFC 6066, section 4: 1 is 512, 4 is 4096 */
    dtls->data_max = (uint16_t)(fragment ? short_max : DTLS_DATA_MAX);
    if (certificate && X509_digest(certificate, EVP_sha256(), dtls->fingerprint, &size) == 1)
        dtls->has_fingerprint = true;
    int status = take_srtp(dtls);
    return status == OK ? take_records(dtls) : status;
}
