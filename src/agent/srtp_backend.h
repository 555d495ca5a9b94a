/* srtp_backend.h - what srtp.h needs of a library of ciphers, as a table of functions: who has such
 * a table can protect packets, a batch at a time.
 *
 * A backend knows keys, nonces and bytes; of RTP it knows nothing.  It takes no memory from the
 * heap but when it is opened and when a key is made.  One thread each.
 */
#ifndef MOIM_AGENT_SRTP_BACKEND_H
#define MOIM_AGENT_SRTP_BACKEND_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECURE_CIPHER_KEY_MAX 32
#define SECURE_AUTH_KEY_SIZE  20
#define SECURE_TAG_MAX        16
#define SECURE_BATCH_MAX      64 /* transforms of one call */

enum secure_cipher {
    SECURE_AES_CM_128_HMAC_SHA1, /* RFC 3711, sections 4.1.1 and 4.2.1 */
    SECURE_AES_128_GCM,          /* RFC 7714 */
    SECURE_AES_256_GCM,
    SECURE_CIPHERS
};

/* What is done to one packet.
 *
 * `covered` are the bytes that are authenticated without being encrypted (AEAD's associated data);
 * or, for AES-CM with HMAC, all that is authenticated, as it is on the wire: of it, `to` is a part.
 * `to` is `from` itself, or lies apart from it. */
struct secure_transform {
    void *key; /* of a key_size, made by key_make */
    const uint8_t *from;
    uint8_t *to;
    size_t size;
    const uint8_t *covered;
    size_t covered_size;
    uint8_t *tag; /* sealing writes tag_size bytes, after all of `covered` has been read; opening
                         compares them */
    uint8_t tag_size; /* AES-CM: up to 12; GCM: 16 */
    bool done;        /* opening: the tag is right, or `to` is of no use.  Sealing: false only when
                         the library fails */
    uint32_t job;     /* the caller's own */
    uint8_t iv[16];   /* GCM: 12 of them; AES-CM: the first counter block */
};

struct secure_backend {
    const char *name;

    /* ERR_UNSUPPORTED: not on this machine.  ERR_MEMORY. */
    int (*open)(void **state);
    void (*close)(void *state);

    /* Bytes that a made key has, at a multiple of 64. */
    size_t (*key_size)(enum secure_cipher cipher);

    /* Makes a key in zeroed memory, for sealing or for opening alone; auth_key is NULL for GCM.
     * ERR_MEMORY: nothing was made. */
    int (*key_make)(void *state, enum secure_cipher cipher, bool seals, const uint8_t *cipher_key,
                    const uint8_t *auth_key, void *key);
    /* Leaves zeros. */
    void (*key_clear)(enum secure_cipher cipher, void *key);

    /* Up to SECURE_BATCH_MAX, all of one cipher. */
    void (*seal)(void *state, enum secure_cipher cipher, struct secure_transform *all,
                 size_t count);
    void (*open_sealed)(void *state, enum secure_cipher cipher, struct secure_transform *all,
                        size_t count);
};

/* OpenSSL: everywhere. */
extern const struct secure_backend secure_evp;

#ifdef MOIM_IPSEC_MB
/* libipsec-mb: where the processor is one that it knows. */
extern const struct secure_backend secure_ipsec_mb;
#endif

#endif
