/* srtp_internal.h - what srtp*.c share: an engine, its keys, and the sources of its sessions. */
#ifndef MOIM_AGENT_SRTP_INTERNAL_H
#define MOIM_AGENT_SRTP_INTERNAL_H

#include "agent/srtp.h"
#include "agent/srtp_backend.h"
#include "base/pool.h"

#include <string.h>

#define SECURE_LINE 64 /* bytes that are read at once */

/* A profile, in numbers (RFC 3711, section 5; RFC 7714, section 12). */
struct secure_suite {
    uint16_t profile;
    enum secure_cipher cipher;
    uint8_t key_size;
    uint8_t salt_size; /* of the master salt and of the session salts */
    uint8_t rtp_tag_size;
    uint8_t rtcp_tag_size;
};

/* NULL: the profile is not known. */
const struct secure_suite *secure_suite_find(uint16_t profile);

static inline bool secure_suite_is_aead(const struct secure_suite *suite)
{
    return suite->cipher != SECURE_AES_CM_128_HMAC_SHA1;
}

/* A session key (RFC 3711, section 4.3): one cache line of ours, and the backend's behind it. */
struct secure_key {
    _Alignas(SECURE_LINE) uint8_t salt[16]; /* zeros behind */
    const struct secure_suite *suite;
    _Alignas(SECURE_LINE) uint8_t expanded[];
};

_Static_assert(sizeof(struct secure_key) == SECURE_LINE, "what is ours of a key is one line");
_Static_assert(sizeof(struct secure_window) == SECURE_LINE, "and so is what has been of a stream");

struct secure_source {
    struct secure_window rtp;
    struct secure_window rtcp;
};

struct secure_engine {
    const struct secure_backend *backend;
    void *state;
    struct pool keys[SECURE_CIPHERS];
    struct pool sources;
    uint32_t sessions;
    uint32_t sessions_max;
    /* the batch that is made ready */
    struct secure_transform transforms[SECURE_CIPHERS][SECURE_BATCH_MAX];
    size_t ready[SECURE_CIPHERS];
    uint8_t tags[SECURE_BATCH_MAX][SECURE_TAG_MAX]; /* as they came */
};

/* Out of the pool.  auth_key is NULL for AEAD.  ERR_LIMIT, ERR_MEMORY; *out is untouched then. */
MUST_USE int secure_key_make(struct secure_engine *engine, const struct secure_suite *suite,
                             bool seals, const uint8_t *cipher_key, const uint8_t *salt,
                             const uint8_t *auth_key, struct secure_key **out);
/* NULL is accepted. */
void secure_key_give(struct secure_engine *engine, struct secure_key *key);

/* The session key of a label (RFC 3711, section 4.3.1; RFC 6188 for keys of 256 bits).  False:
 * OpenSSL failed. */
bool secure_derive(const struct secure_suite *suite, const uint8_t *master_key,
                   const uint8_t *master_salt, uint8_t label, uint8_t *out, size_t size);

/* What is known of an SSRC; NULL: it is new. */
struct secure_source *secure_source_find(const struct secure_session *session, uint32_t ssrc);
bool secure_source_has_room(const struct secure_session *session);
/* NULL: there is no room. */
struct secure_source *secure_source_add(struct secure_session *session, uint32_t ssrc);

/* The nonce of a packet: RFC 3711, section 4.1.1, and RFC 7714, sections 8.1 and 9.1.  Of SRTCP,
 * the index is the 31 bits. */
void secure_nonce(const struct secure_key *key, uint32_t ssrc, uint64_t index, uint8_t iv[16]);

/* ---- numbers in network order ---- */

static inline uint32_t secure_read32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void secure_write32(uint8_t *at, uint32_t number)
{
    at[0] = (uint8_t)(number >> 24);
    at[1] = (uint8_t)(number >> 16);
    at[2] = (uint8_t)(number >> 8);
    at[3] = (uint8_t)number;
}

#endif
