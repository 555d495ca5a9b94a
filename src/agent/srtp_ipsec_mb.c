/* srtp_ipsec_mb.c - the ciphers of SRTP by libipsec-mb, which knows the widest instructions of the
 * processor that it finds.
 *
 * Its SHA-1 goes through as many packets at once as the processor has lanes, 4 to 16, and takes the
 * same time for one: so what would leave most of the lanes empty is OpenSSL's.  The calls that
 * check nothing are used: what they would check is srtp.c's to keep. */
#define NO_COMPAT_IMB_API_053 /* its old short names are those of others, SHA1 for one */

#include "agent/srtp_hmac.h"

#include <assert.h>
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define MB_TAG_SIZE 12 /* of SHA-1, as it comes */
#define MB_FEW      4  /* packets that OpenSSL hashes as fast */

struct mb_state {
    IMB_MGR *manager;
    size_t lanes;
    struct gcm_context_data gcm;
    IMB_JOB jobs[SECURE_BATCH_MAX];
    uint8_t tags[SECURE_BATCH_MAX][SECURE_HMAC_SIZE];
};

struct mb_counter_key {
    _Alignas(16) uint32_t rounds[44];
    uint8_t inner[SECURE_HMAC_SIZE]; /* SHA-1 when the key XOR 0x36... is through */
    uint8_t outer[SECURE_HMAC_SIZE];
    uint8_t auth_key[SECURE_AUTH_KEY_SIZE];
};

static void mb_close(void *state)
{
    struct mb_state *mb = state;
    if (!mb)
        return;
    if (mb->manager)
        free_mb_mgr(mb->manager);
    free(mb);
}

static int mb_open(void **state)
{
    struct mb_state *mb = calloc(1, sizeof(*mb));
    if (!mb)
        return ERR_MEMORY;
    int status = ERR_MEMORY;
    mb->manager = alloc_mb_mgr(0);
    if (!mb->manager)
        goto close;
    /* where AES-NI is missing this reports an error, and a call of any function crashes */
    IMB_ARCH arch;
    init_mb_mgr_auto(mb->manager, &arch);
    status = ERR_UNSUPPORTED;
    if (imb_get_errno(mb->manager) != 0)
        goto close;
    mb->lanes = arch == IMB_ARCH_AVX512 ? 16 : arch == IMB_ARCH_AVX2 ? 8 : 4;
    *state = mb;
    return OK;

close:
    mb_close(mb);
    return status;
}

static size_t mb_key_size(enum secure_cipher cipher)
{
    return cipher == SECURE_AES_CM_128_HMAC_SHA1 ? sizeof(struct mb_counter_key)
                                                 : sizeof(struct gcm_key_data);
}

static void hash_pad(IMB_MGR *manager, const uint8_t *auth_key, uint8_t pad, uint8_t *out)
{
    uint8_t block[64];
    memset(block, pad, sizeof(block));
    for (int i = 0; i < SECURE_AUTH_KEY_SIZE; i++)
        block[i] ^= auth_key[i];
    IMB_SHA1_ONE_BLOCK(manager, block, out);
    OPENSSL_cleanse(block, sizeof(block));
}

static int mb_key_make(void *state, enum secure_cipher cipher, bool seals,
                       const uint8_t *cipher_key, const uint8_t *auth_key, void *key)
{
    (void)seals;
    struct mb_state *mb = state;
    if (cipher == SECURE_AES_128_GCM) {
        IMB_AES128_GCM_PRE(mb->manager, cipher_key, key);
    } else if (cipher == SECURE_AES_256_GCM) {
        IMB_AES256_GCM_PRE(mb->manager, cipher_key, key);
    } else {
        struct mb_counter_key *made = key;
        _Alignas(16) uint32_t backward[44]; /* of no use in counter mode */
        IMB_AES_KEYEXP_128(mb->manager, cipher_key, made->rounds, backward);
        OPENSSL_cleanse(backward, sizeof(backward));
        hash_pad(mb->manager, auth_key, 0x36, made->inner);
        hash_pad(mb->manager, auth_key, 0x5c, made->outer);
        memcpy(made->auth_key, auth_key, sizeof(made->auth_key));
    }
    return OK;
}

static void mb_key_clear(enum secure_cipher cipher, void *key)
{
    OPENSSL_cleanse(key, mb_key_size(cipher));
}

/* Encrypts those that are done so far, or decrypts them: it is the same. */
static void counter_mode(struct mb_state *mb, const struct secure_transform *all, size_t count)
{
    uint32_t used = 0;
    for (const struct secure_transform *one = all; one < all + count; one++) {
        if (!one->done || one->size == 0)
            continue;
        const struct mb_counter_key *key = one->key;
        IMB_JOB *job = &mb->jobs[used++];
        job->enc_keys = key->rounds;
        job->key_len_in_bytes = 16;
        job->src = one->from;
        job->dst = one->to;
        job->cipher_start_src_offset_in_bytes = 0;
        job->msg_len_to_cipher_in_bytes = one->size;
        job->iv = one->iv;
        job->iv_len_in_bytes = 16;
    }
    uint32_t completed =
        used == 0 ? 0
                  : IMB_SUBMIT_CIPHER_BURST_NOCHECK(mb->manager, mb->jobs, used, IMB_CIPHER_CNTR,
                                                    IMB_DIR_ENCRYPT, IMB_KEY_128_BYTES);
    assert(completed == used);
}

/* Into mb->tags. */
static void authenticate(struct mb_state *mb, struct secure_transform *all, size_t count)
{
    size_t rest = count % mb->lanes;
    uint32_t burst = (uint32_t)(rest < MB_FEW ? count - rest : count);
    for (uint32_t i = 0; i < burst; i++) {
        const struct mb_counter_key *key = all[i].key;
        IMB_JOB *job = &mb->jobs[i];
        job->src = all[i].covered;
        job->hash_start_src_offset_in_bytes = 0;
        job->msg_len_to_hash_in_bytes = all[i].covered_size;
        job->auth_tag_output = mb->tags[i];
        job->auth_tag_output_len_in_bytes = MB_TAG_SIZE;
        job->u.HMAC._hashed_auth_key_xor_ipad = key->inner;
        job->u.HMAC._hashed_auth_key_xor_opad = key->outer;
        all[i].done = true;
    }
    uint32_t completed = burst == 0 ? 0
                                    : IMB_SUBMIT_HASH_BURST_NOCHECK(mb->manager, mb->jobs, burst,
                                                                    IMB_AUTH_HMAC_SHA_1);
    assert(completed == burst);
    for (size_t i = burst; i < count; i++) {
        const struct mb_counter_key *key = all[i].key;
        all[i].done = secure_hmac(key->auth_key, all[i].covered, all[i].covered_size, mb->tags[i]);
    }
}

static void gcm_seal(struct mb_state *mb, enum secure_cipher cipher, struct secure_transform *one)
{
    if (cipher == SECURE_AES_128_GCM)
        IMB_AES128_GCM_ENC(mb->manager, one->key, &mb->gcm, one->to, one->from, one->size, one->iv,
                           one->covered, one->covered_size, one->tag, one->tag_size);
    else
        IMB_AES256_GCM_ENC(mb->manager, one->key, &mb->gcm, one->to, one->from, one->size, one->iv,
                           one->covered, one->covered_size, one->tag, one->tag_size);
    one->done = true;
}

static void gcm_open(struct mb_state *mb, enum secure_cipher cipher, struct secure_transform *one)
{
    uint8_t tag[SECURE_TAG_MAX];
    if (cipher == SECURE_AES_128_GCM)
        IMB_AES128_GCM_DEC(mb->manager, one->key, &mb->gcm, one->to, one->from, one->size, one->iv,
                           one->covered, one->covered_size, tag, sizeof(tag));
    else
        IMB_AES256_GCM_DEC(mb->manager, one->key, &mb->gcm, one->to, one->from, one->size, one->iv,
                           one->covered, one->covered_size, tag, sizeof(tag));
    one->done = CRYPTO_memcmp(tag, one->tag, one->tag_size) == 0;
}

static void mb_seal(void *state, enum secure_cipher cipher, struct secure_transform *all,
                    size_t count)
{
    if (cipher != SECURE_AES_CM_128_HMAC_SHA1) {
        for (size_t i = 0; i < count; i++)
            gcm_seal(state, cipher, &all[i]);
        return;
    }
    struct mb_state *mb = state;
    for (size_t i = 0; i < count; i++)
        all[i].done = true;
    counter_mode(mb, all, count);
    authenticate(mb, all, count);
    for (size_t i = 0; i < count; i++)
        memcpy(all[i].tag, mb->tags[i], all[i].tag_size);
}

static void mb_open_sealed(void *state, enum secure_cipher cipher, struct secure_transform *all,
                           size_t count)
{
    if (cipher != SECURE_AES_CM_128_HMAC_SHA1) {
        for (size_t i = 0; i < count; i++)
            gcm_open(state, cipher, &all[i]);
        return;
    }
    struct mb_state *mb = state;
    authenticate(mb, all, count);
    for (size_t i = 0; i < count; i++)
        all[i].done = all[i].done && CRYPTO_memcmp(mb->tags[i], all[i].tag, all[i].tag_size) == 0;
    counter_mode(mb, all, count);
}

const struct secure_backend secure_ipsec_mb = {
    .name = "libipsec-mb",
    .open = mb_open,
    .close = mb_close,
    .key_size = mb_key_size,
    .key_make = mb_key_make,
    .key_clear = mb_key_clear,
    .seal = mb_seal,
    .open_sealed = mb_open_sealed,
};
