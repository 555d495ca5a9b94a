/* srtp_engine.c - the ciphers and the memory that sessions share, and their keys. */
#include "agent/srtp_internal.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define KEYS_PER_SESSION 4

static const struct secure_suite SUITES[] = {
    { SECURE_AES128_CM_HMAC_SHA1_80, SECURE_AES_CM_128_HMAC_SHA1, 16, 14, 10, 10 },
    { SECURE_AES128_CM_HMAC_SHA1_32, SECURE_AES_CM_128_HMAC_SHA1, 16, 14, 4, 10 },
    { SECURE_AEAD_AES_128_GCM, SECURE_AES_128_GCM, 16, 12, 16, 16 },
    { SECURE_AEAD_AES_256_GCM, SECURE_AES_256_GCM, 32, 12, 16, 16 },
};

const struct secure_suite *secure_suite_find(uint16_t profile)
{
    for (size_t i = 0; i < sizeof(SUITES) / sizeof(SUITES[0]); i++)
        if (SUITES[i].profile == profile)
            return &SUITES[i];
    return NULL;
}

size_t secure_material_size(uint16_t profile)
{
    const struct secure_suite *suite = secure_suite_find(profile);
    return suite ? 2 * (size_t)(suite->key_size + suite->salt_size) : 0;
}

/* ---- the engine ---- */

static int open_backend(struct secure_engine *engine, enum secure_choice choice)
{
    int status = ERR_UNSUPPORTED;
#ifdef MOIM_IPSEC_MB
    if (choice != SECURE_EVP) {
        engine->backend = &secure_ipsec_mb;
        status = engine->backend->open(&engine->state);
        if (status == OK)
            return OK;
    }
#endif
    if (choice != SECURE_IPSEC_MB) {
        engine->backend = &secure_evp;
        status = engine->backend->open(&engine->state);
    }
    return status;
}

int secure_engine_new(const struct secure_config *config, struct secure_engine **out)
{
    assert(config->sessions_max > 0 && config->sources_max > 0);
    assert(config->sessions_max <= UINT32_MAX / KEYS_PER_SESSION);
    struct secure_engine *engine = calloc(1, sizeof(*engine));
    if (!engine)
        return ERR_MEMORY;
    int status = open_backend(engine, config->choice);
    if (status != OK)
        goto free_engine;
    for (enum secure_cipher i = 0; i < SECURE_CIPHERS && status == OK; i++)
        status = pool_init_aligned(&engine->keys[i],
                                   sizeof(struct secure_key) + engine->backend->key_size(i),
                                   SECURE_LINE, config->sessions_max * KEYS_PER_SESSION);
    if (status == OK)
        status = pool_init_aligned(&engine->sources, sizeof(struct secure_source), SECURE_LINE,
                                   config->sources_max);
    if (status != OK)
        goto free_pools;
    engine->sessions_max = config->sessions_max;
    *out = engine;
    return OK;

free_pools:
    for (int i = 0; i < SECURE_CIPHERS; i++)
        pool_free(&engine->keys[i]);
    engine->backend->close(engine->state);
free_engine:
    free(engine);
    return status;
}

void secure_engine_free(struct secure_engine *engine)
{
    if (!engine)
        return;
    assert(engine->sessions == 0);
    for (int i = 0; i < SECURE_CIPHERS; i++)
        pool_free(&engine->keys[i]);
    pool_free(&engine->sources);
    engine->backend->close(engine->state);
    free(engine);
}

const char *secure_engine_name(const struct secure_engine *engine)
{
    return engine->backend->name;
}

uint32_t secure_engine_sessions(const struct secure_engine *engine)
{
    return engine->sessions;
}

uint32_t secure_engine_sources(const struct secure_engine *engine)
{
    return engine->sources.used;
}

/* ---- keys ---- */

int secure_key_make(struct secure_engine *engine, const struct secure_suite *suite, bool seals,
                    const uint8_t *cipher_key, const uint8_t *salt, const uint8_t *auth_key,
                    struct secure_key **out)
{
    assert(secure_suite_is_aead(suite) == (auth_key == NULL));
    struct pool *pool = &engine->keys[suite->cipher];
    struct secure_key *key = pool_take(pool);
    if (!key)
        return ERR_LIMIT;
    int status = engine->backend->key_make(engine->state, suite->cipher, seals, cipher_key,
                                           auth_key, key->expanded);
    if (status != OK) {
        pool_give(pool, key);
        return status;
    }
    memcpy(key->salt, salt, suite->salt_size);
    key->suite = suite;
    *out = key;
    return OK;
}

void secure_key_give(struct secure_engine *engine, struct secure_key *key)
{
    if (!key)
        return;
    enum secure_cipher cipher = key->suite->cipher;
    engine->backend->key_clear(cipher, key->expanded);
    OPENSSL_cleanse(key->salt, sizeof(key->salt));
    pool_give(&engine->keys[cipher], key);
}

bool secure_derive(const struct secure_suite *suite, const uint8_t *master_key,
                   const uint8_t *master_salt, uint8_t label, uint8_t *out, size_t size)
{
    /* the label stands before an index of 48 bits, which is 0 with one derivation for all; salts
     * of 12 bytes have zeros behind, as the other 14 have for the blocks' counter */
    uint8_t block[16] = { 0 };
    memcpy(block, master_salt, suite->salt_size);
    block[7] ^= label;
    memset(out, 0, size);

    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_CIPHER *counter =
        EVP_CIPHER_fetch(NULL, suite->key_size == 32 ? "AES-256-CTR" : "AES-128-CTR", NULL);
    int written;
    bool done = context && counter &&
                EVP_EncryptInit_ex2(context, counter, master_key, block, NULL) &&
                EVP_EncryptUpdate(context, out, &written, out, (int)size);
    EVP_CIPHER_free(counter);
    EVP_CIPHER_CTX_free(context);
    return done;
}

void secure_nonce(const struct secure_key *key, uint32_t ssrc, uint64_t index, uint8_t iv[16])
{
    memcpy(iv, key->salt, 16);
    /* AES-CM: the salt has 14 bytes, and 2 count blocks; GCM: the salt has 12.  The SSRC is 6 bytes
     * before the index's end, or 10 with it. */
    size_t end = key->suite->salt_size;
    uint8_t number[10];
    secure_write32(number, ssrc);
    number[4] = (uint8_t)(index >> 40);
    number[5] = (uint8_t)(index >> 32);
    secure_write32(number + 6, (uint32_t)index);
    for (size_t i = 0; i < sizeof(number); i++)
        iv[end - sizeof(number) + i] ^= number[i];
}
