/* srtp_evp.c - the ciphers of SRTP by OpenSSL.
 *
 * A key holds a context whose key schedule is made once; a packet only sets its nonce. */
#include "agent/srtp_hmac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct evp_state {
    EVP_CIPHER *ciphers[SECURE_CIPHERS];
};

struct evp_key {
    EVP_CIPHER_CTX *cipher;
    uint8_t auth_key[SECURE_AUTH_KEY_SIZE];
};

static void evp_close(void *state)
{
    struct evp_state *evp = state;
    if (!evp)
        return;
    for (int i = 0; i < SECURE_CIPHERS; i++)
        EVP_CIPHER_free(evp->ciphers[i]);
    free(evp);
}

static int evp_open(void **state)
{
    static const char *const NAMES[SECURE_CIPHERS] = {
        [SECURE_AES_CM_128_HMAC_SHA1] = "AES-128-CTR",
        [SECURE_AES_128_GCM] = "AES-128-GCM",
        [SECURE_AES_256_GCM] = "AES-256-GCM",
    };
    struct evp_state *evp = calloc(1, sizeof(*evp));
    if (!evp)
        return ERR_MEMORY;
    int status = OK;
    for (int i = 0; i < SECURE_CIPHERS && status == OK; i++) {
        evp->ciphers[i] = EVP_CIPHER_fetch(NULL, NAMES[i], NULL);
        if (!evp->ciphers[i])
            status = ERR_UNSUPPORTED;
    }
    if (status != OK) {
        evp_close(evp);
        return status;
    }
    *state = evp;
    return OK;
}

static size_t evp_key_size(enum secure_cipher cipher)
{
    (void)cipher;
    return sizeof(struct evp_key);
}

static int evp_key_make(void *state, enum secure_cipher cipher, bool seals,
                        const uint8_t *cipher_key, const uint8_t *auth_key, void *key)
{
    struct evp_state *evp = state;
    struct evp_key *made = key;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (!context)
        return ERR_MEMORY;
    if (!EVP_CipherInit_ex2(context, evp->ciphers[cipher], cipher_key, NULL, seals, NULL)) {
        EVP_CIPHER_CTX_free(context);
        return ERR_MEMORY;
    }
    if (auth_key)
        memcpy(made->auth_key, auth_key, sizeof(made->auth_key));
    made->cipher = context;
    return OK;
}

static void evp_key_clear(enum secure_cipher cipher, void *key)
{
    (void)cipher;
    struct evp_key *made = key;
    EVP_CIPHER_CTX_free(made->cipher);
    OPENSSL_cleanse(made, sizeof(*made));
}

static bool counter_mode(const struct secure_transform *one)
{
    const struct evp_key *key = one->key;
    int size;
    return EVP_CipherInit_ex2(key->cipher, NULL, NULL, one->iv, -1, NULL) &&
           (one->size == 0 ||
            EVP_CipherUpdate(key->cipher, one->to, &size, one->from, (int)one->size));
}

static bool authenticate(const struct secure_transform *one, uint8_t *digest)
{
    const struct evp_key *key = one->key;
    return secure_hmac(key->auth_key, one->covered, one->covered_size, digest);
}

/* All but the tag. */
static bool gcm_bytes(const struct secure_transform *one)
{
    const struct evp_key *key = one->key;
    int size;
    return EVP_CipherInit_ex2(key->cipher, NULL, NULL, one->iv, -1, NULL) &&
           EVP_CipherUpdate(key->cipher, NULL, &size, one->covered, (int)one->covered_size) &&
           (one->size == 0 ||
            EVP_CipherUpdate(key->cipher, one->to, &size, one->from, (int)one->size));
}

static bool gcm_seal(const struct secure_transform *one)
{
    const struct evp_key *key = one->key;
    uint8_t none[SECURE_TAG_MAX];
    int size;
    return gcm_bytes(one) && EVP_CipherFinal_ex(key->cipher, none, &size) &&
           EVP_CIPHER_CTX_ctrl(key->cipher, EVP_CTRL_AEAD_GET_TAG, one->tag_size, one->tag);
}

static bool gcm_open(const struct secure_transform *one)
{
    const struct evp_key *key = one->key;
    uint8_t none[SECURE_TAG_MAX];
    int size;
    return gcm_bytes(one) &&
           EVP_CIPHER_CTX_ctrl(key->cipher, EVP_CTRL_AEAD_SET_TAG, one->tag_size, one->tag) &&
           EVP_CipherFinal_ex(key->cipher, none, &size);
}

static void evp_seal(void *state, enum secure_cipher cipher, struct secure_transform *all,
                     size_t count)
{
    (void)state;
    for (struct secure_transform *one = all; one < all + count; one++) {
        uint8_t digest[SECURE_HMAC_SIZE];
        if (cipher != SECURE_AES_CM_128_HMAC_SHA1) {
            one->done = gcm_seal(one);
        } else {
            one->done = counter_mode(one) && authenticate(one, digest);
            if (one->done)
                memcpy(one->tag, digest, one->tag_size);
        }
    }
}

static void evp_open_sealed(void *state, enum secure_cipher cipher, struct secure_transform *all,
                            size_t count)
{
    (void)state;
    for (struct secure_transform *one = all; one < all + count; one++) {
        uint8_t digest[SECURE_HMAC_SIZE];
        if (cipher != SECURE_AES_CM_128_HMAC_SHA1)
            one->done = gcm_open(one);
        else
            one->done = authenticate(one, digest) &&
                        CRYPTO_memcmp(digest, one->tag, one->tag_size) == 0 && counter_mode(one);
    }
}

const struct secure_backend secure_evp = {
    .name = "OpenSSL",
    .open = evp_open,
    .close = evp_close,
    .key_size = evp_key_size,
    .key_make = evp_key_make,
    .key_clear = evp_key_clear,
    .seal = evp_seal,
    .open_sealed = evp_open_sealed,
};
