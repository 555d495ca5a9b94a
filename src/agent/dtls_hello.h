/* dtls_hello.h - reads a ClientHello that stands first in a datagram, and answers it by a cookie
 * (RFC 6347, section 4.2.1), before anything is kept for whoever sent it.
 *
 * No OpenSSL, no heap: a flood of hellos costs a hash each, and an answer of 36 bytes, which is
 * less than the smallest hello.
 *
 *     record:     type 22 | version | epoch 0 | sequence (6) | length (2)
 *     handshake:  type 1 | length (3) | message_seq (2) | fragment offset (3) | length (3)
 *     hello:      version (2) | random (32) | session id <0..32> | cookie <0..255> | suites <2..> |
 *                 compression methods <1..255> | extensions
 */
#ifndef MOIM_AGENT_DTLS_HELLO_H
#define MOIM_AGENT_DTLS_HELLO_H

#include "base/address.h"
#include "base/random.h"
#include "base/usec.h"

#define DTLS_COOKIE_SIZE        8
#define DTLS_HELLO_VERIFY_SIZE  (13 + 12 + 3 + DTLS_COOKIE_SIZE)
#define DTLS_COOKIE_SECRET_TIME (60 * USEC_S) /* a cookie holds for one to two of these */

struct dtls_hello {
    uint8_t sequence[6]; /* of its record */
    uint16_t message_seq;
    struct view random;
    struct view cookie;
    struct view before_cookie; /* version, random, session id */
    struct view after_cookie;  /* suites and compression methods */
};

/* Whether a datagram may be DTLS at all (RFC 7983): by its first byte. */
static inline bool dtls_looks_like(struct view datagram)
{
    return datagram.size > 0 && datagram.at[0] >= 20 && datagram.at[0] <= 63;
}

/* Reads the first record, which must be whole; the hello's first fragment must reach up to its
 * extensions.  ERR_NOT_FOUND: no ClientHello of epoch 0.  ERR_MALFORMED: a broken one, or one in
 * smaller fragments.  On error *hello is untouched. */
MUST_USE int dtls_hello_read(struct view datagram, struct dtls_hello *hello);

/* ---- cookies ---- */

struct dtls_cookies {
    const struct random *random;
    usec made_at;           /* secrets[0] */
    uint64_t secrets[2][2]; /* the present one, and the one before */
    bool has_old;
};

void dtls_cookies_init(struct dtls_cookies *cookies, const struct random *random, usec now);

/* Whether the hello bears a cookie that was given for these addresses (the client's and ours) and
 * this hello, in the last minute or two. */
bool dtls_cookie_holds(struct dtls_cookies *cookies, usec now, const struct address *client,
                       const struct address *local, const struct dtls_hello *hello);

/* The HelloVerifyRequest for it. */
void dtls_hello_verify(struct dtls_cookies *cookies, usec now, const struct address *client,
                       const struct address *local, const struct dtls_hello *hello,
                       uint8_t out[DTLS_HELLO_VERIFY_SIZE]);

#endif
