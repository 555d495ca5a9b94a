/* OpenSSL 3.0's newer calls take memory from the heap each time that a digest begins anew (HMAC's
 * too: it copies one), so here are the older ones. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "agent/srtp_hmac.h"

#include <openssl/sha.h>
#include <string.h>

/* One of the two digests: over the key XOR `pad`, and over the bytes. */
static bool digest(const uint8_t key[SECURE_AUTH_KEY_SIZE], uint8_t pad, const uint8_t *bytes,
                   size_t size, uint8_t out[SECURE_HMAC_SIZE])
{
    SHA_CTX context;
    uint8_t block[SHA_CBLOCK];
    memset(block, pad, sizeof(block));
    for (int i = 0; i < SECURE_AUTH_KEY_SIZE; i++)
        block[i] ^= key[i];
    return SHA1_Init(&context) && SHA1_Update(&context, block, sizeof(block)) &&
           SHA1_Update(&context, bytes, size) && SHA1_Final(out, &context);
}

bool secure_hmac(const uint8_t key[SECURE_AUTH_KEY_SIZE], const uint8_t *bytes, size_t size,
                 uint8_t out[SECURE_HMAC_SIZE])
{
    uint8_t inner[SECURE_HMAC_SIZE];
    return digest(key, 0x36, bytes, size, inner) && digest(key, 0x5c, inner, sizeof(inner), out);
}
