/* stun_credentials.h - the long-term credentials of STUN (RFC 8489, section 9.2), and the
 * time-limited ones of TURN REST that ride on them.
 *
 * Pure functions over caller memory.  A key is what the integrity attributes are made with: under
 * MD5 it has 16 bytes, under SHA-256 it has 32.
 *
 * Names and passwords are taken as the bytes they are: who sends OpaqueString's form (RFC 8265)
 * finds it unchanged, and a password in another form is simply another password.
 */
#ifndef MOIM_WIRE_STUN_CREDENTIALS_H
#define MOIM_WIRE_STUN_CREDENTIALS_H

#include "wire/stun.h"

#define STUN_KEY_SIZE_MAX      32
#define STUN_USERHASH_SIZE     32
#define STUN_USERNAME_SIZE_MAX 508 /* section 14.3: fewer than 509 bytes */
#define STUN_REALM_SIZE_MAX    763 /* section 14.9: fewer than 128 characters */
#define STUN_NONCE_SIZE_MAX    763
#define STUN_REST_SIZE         28 /* base64 of a SHA-1 */

/* PASSWORD-ALGORITHM (section 18.5.1) */
enum stun_algorithm { STUN_ALGORITHM_MD5 = 1, STUN_ALGORITHM_SHA256 = 2 };

struct stun_key {
    uint8_t bytes[STUN_KEY_SIZE_MAX];
    uint8_t size;
};

static inline struct view stun_key_view(const struct stun_key *key)
{
    return view_make(key->bytes, key->size);
}

/* The hash of "name:realm:password" (sections 14.5 and 18.5.1).  ERR_LIMIT: name, realm or password
 * are over the sizes above (the password: a username's). */
MUST_USE int stun_key_make(enum stun_algorithm algorithm, struct view name, struct view realm,
                           struct view password, struct stun_key *key);

/* USERHASH: SHA-256 of "name:realm" (section 14.4).  ERR_LIMIT as above. */
MUST_USE int stun_userhash(struct view name, struct view realm, uint8_t out[STUN_USERHASH_SIZE]);

/* The password of a TURN REST name ("expiry:anything"): base64 of HMAC-SHA1(secret, name). */
void stun_rest_password(struct view secret, struct view name, char out[STUN_REST_SIZE]);

/* The expiry that stands before the first ":" of a TURN REST name, or is all of it, in seconds of
 * Unix time.  False: there is none. */
bool stun_rest_expiry(struct view name, uint64_t *unix_s);

/* PASSWORD-ALGORITHMS and PASSWORD-ALGORITHM with parameters of no bytes, as the two have. */
void stun_add_algorithms(struct stun_writer *writer); /* SHA-256, then MD5 */
void stun_add_algorithm(struct stun_writer *writer, enum stun_algorithm algorithm);

/* Reads PASSWORD-ALGORITHM.
 *   ERR_MALFORMED    it is not whole.
 *   ERR_UNSUPPORTED  neither of ours. */
MUST_USE int stun_read_algorithm(const struct stun_attr *attr, enum stun_algorithm *algorithm);

/* Whether PASSWORD-ALGORITHMS is what stun_add_algorithms writes: the client must give back what it
 * got (section 9.2.4), so that nobody between could take the better one off the list. */
bool stun_algorithms_are_ours(const struct stun_attr *attr);

/* A nonce that begins so says which security features the server has (section 9.2): 24 bits,
 * the first of which is the highest. */
#define STUN_NONCE_COOKIE       "obMatJos2"
#define STUN_NONCE_COOKIE_SIZE  13 /* the cookie and base64 of the bits */
#define STUN_FEATURE_ALGORITHMS 0x800000u
#define STUN_FEATURE_ANONYMITY  0x400000u
void stun_nonce_cookie(uint32_t features, char out[STUN_NONCE_COOKIE_SIZE]);
/* The features of a nonce; 0 when it has no cookie. */
uint32_t stun_nonce_features(struct view nonce);

#endif
