#include "agent/srtp_hmac.h"

#include <openssl/evp.h>
#include <string.h>

#define BLOCK 64

int secure_hmac_init(struct secure_hmac *hmac)
{
    hmac->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    if (!hmac->sha1)
        return ERR_UNSUPPORTED;
    hmac->context = EVP_MD_CTX_new();
    if (!hmac->context || !EVP_DigestInit_ex2(hmac->context, hmac->sha1, NULL))
        return ERR_MEMORY;
    return OK;
}

void secure_hmac_free(struct secure_hmac *hmac)
{
    EVP_MD_CTX_free(hmac->context);
    EVP_MD_free(hmac->sha1);
}

/* One of the two digests: over the key XOR `pad`, and over the bytes. */
static bool digest(EVP_MD_CTX *context, const uint8_t key[SECURE_AUTH_KEY_SIZE], uint8_t pad,
                   const uint8_t *bytes, size_t size, uint8_t out[SECURE_HMAC_SIZE])
{
    uint8_t block[BLOCK];
    memset(block, pad, sizeof(block));
    for (int i = 0; i < SECURE_AUTH_KEY_SIZE; i++)
        block[i] ^= key[i];
    return EVP_DigestInit_ex2(context, NULL, NULL) &&
           EVP_DigestUpdate(context, block, sizeof(block)) &&
           EVP_DigestUpdate(context, bytes, size) && EVP_DigestFinal_ex(context, out, NULL);
}

bool secure_hmac(struct secure_hmac *hmac, const uint8_t key[SECURE_AUTH_KEY_SIZE],
                 const uint8_t *bytes, size_t size, uint8_t out[SECURE_HMAC_SIZE])
{
    uint8_t inner[SECURE_HMAC_SIZE];
    return digest(hmac->context, key, 0x36, bytes, size, inner) &&
           digest(hmac->context, key, 0x5c, inner, sizeof(inner), out);
}
