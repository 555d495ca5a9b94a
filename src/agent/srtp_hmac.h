/* srtp_hmac.h - HMAC-SHA1 (RFC 2104) over a digest of OpenSSL's that is made once: no heap, and
 * nothing kept for a key but its bytes.  For the backends of srtp_backend.h. */
#ifndef MOIM_AGENT_SRTP_HMAC_H
#define MOIM_AGENT_SRTP_HMAC_H

#include "agent/srtp_backend.h"

#define SECURE_HMAC_SIZE 20

struct evp_md_st;
struct evp_md_ctx_st;

struct secure_hmac {
    struct evp_md_st *sha1;
    struct evp_md_ctx_st *context;
};

/* ERR_MEMORY, ERR_UNSUPPORTED: secure_hmac_free is still to be called. */
MUST_USE int secure_hmac_init(struct secure_hmac *hmac);
/* Zeroed memory is accepted. */
void secure_hmac_free(struct secure_hmac *hmac);

/* False: OpenSSL failed. */
bool secure_hmac(struct secure_hmac *hmac, const uint8_t key[SECURE_AUTH_KEY_SIZE],
                 const uint8_t *bytes, size_t size, uint8_t out[SECURE_HMAC_SIZE]);

#endif
