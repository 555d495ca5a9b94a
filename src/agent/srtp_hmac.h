/* srtp_hmac.h - HMAC-SHA1 (RFC 2104) that keeps nothing and takes nothing from the heap, for the
 * backends of srtp_backend.h. */
#ifndef MOIM_AGENT_SRTP_HMAC_H
#define MOIM_AGENT_SRTP_HMAC_H

#include "agent/srtp_backend.h"

#define SECURE_HMAC_SIZE 20

/* False: OpenSSL failed. */
bool secure_hmac(const uint8_t key[SECURE_AUTH_KEY_SIZE], const uint8_t *bytes, size_t size,
                 uint8_t out[SECURE_HMAC_SIZE]);

#endif
