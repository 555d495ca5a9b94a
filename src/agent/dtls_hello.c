#include "agent/dtls_hello.h"

#include "base/map.h"

#include <string.h>

#define RECORD_SIZE    13
#define HANDSHAKE_SIZE 12
#define HELLO_MIN      42 /* version, random, and four that are empty as far as they may be */

enum { TYPE_HANDSHAKE = 22, TYPE_CLIENT_HELLO = 1, TYPE_HELLO_VERIFY = 3 };

static uint32_t read_number(const uint8_t *at, unsigned bytes)
{
    uint32_t number = 0;
    for (unsigned i = 0; i < bytes; i++)
        number = number << 8 | at[i];
    return number;
}

/* A vector with its length before it, in so many bytes, taken off the front of *rest. */
static bool take_vector(struct view *rest, unsigned length_bytes, size_t least, size_t most,
                        struct view *vector)
{
    if (rest->size < length_bytes)
        return false;
    size_t size = read_number(rest->at, length_bytes);
    if (size < least || size > most || size > rest->size - length_bytes)
        return false;
    *vector = view_make(rest->at + length_bytes, size);
    *rest = view_slice(*rest, length_bytes + size, rest->size);
    return true;
}

static bool read_body(struct view body, struct dtls_hello *hello)
{
    struct view rest = view_slice(body, 34, body.size);
    struct view part;
    if (body.size < HELLO_MIN || body.at[0] != 0xfe) /* versions 1.x are their complement */
        return false;
    hello->random = view_slice(body, 2, 32);
    if (!take_vector(&rest, 1, 0, 32, &part))
        return false;
    hello->before_cookie = view_make(body.at, (size_t)(rest.at - body.at));
    if (!take_vector(&rest, 1, 0, 255, &hello->cookie))
        return false;
    const uint8_t *after = rest.at;
    if (!take_vector(&rest, 2, 2, 0xfffe, &part) || part.size % 2 != 0 ||
        !take_vector(&rest, 1, 1, 255, &part))
        return false;
    hello->after_cookie = view_make(after, (size_t)(part.at + part.size - after));
    return true;
}

int dtls_hello_read(struct view datagram, struct dtls_hello *hello)
{
    struct dtls_hello read = { .message_seq = 0 };
    const uint8_t *at = datagram.at;
    if (datagram.size < RECORD_SIZE + HANDSHAKE_SIZE || at[0] != TYPE_HANDSHAKE || at[1] != 0xfe ||
        read_number(at + 3, 2) != 0 || at[RECORD_SIZE] != TYPE_CLIENT_HELLO)
        return ERR_NOT_FOUND;
    size_t record = read_number(at + 11, 2);
    if (record < HANDSHAKE_SIZE || record > datagram.size - RECORD_SIZE)
        return ERR_MALFORMED;
    memcpy(read.sequence, at + 5, sizeof read.sequence);
    at += RECORD_SIZE;
    size_t whole = read_number(at + 1, 3);
    size_t fragment = read_number(at + 9, 3);
    read.message_seq = (uint16_t)read_number(at + 4, 2);
    if (read.message_seq > 1 || read_number(at + 6, 3) != 0 || fragment > whole ||
        fragment > record - HANDSHAKE_SIZE)
        return ERR_MALFORMED;
    if (!read_body(view_make(at + HANDSHAKE_SIZE, fragment), &read))
        return ERR_MALFORMED;
    *hello = read;
    return OK;
}

void dtls_cookies_init(struct dtls_cookies *cookies, const struct random *random, usec now)
{
    *cookies = (struct dtls_cookies){ .random = random, .made_at = now };
    random_fill(random, cookies->secrets[0], sizeof cookies->secrets[0]);
}

static void change_secret(struct dtls_cookies *cookies, usec now)
{
    if (now < cookies->made_at + DTLS_COOKIE_SECRET_TIME)
        return;
    /* after a long silence both are too old */
    cookies->has_old = now < cookies->made_at + 2 * DTLS_COOKIE_SECRET_TIME;
    memcpy(cookies->secrets[1], cookies->secrets[0], sizeof cookies->secrets[0]);
    random_fill(cookies->random, cookies->secrets[0], sizeof cookies->secrets[0]);
    cookies->made_at = now;
}

static uint8_t *add_address(uint8_t *at, const struct address *address)
{
    *at++ = address->family;
    memcpy(at, address->bytes, sizeof address->bytes);
    if (address->family == ADDRESS_IPV4)
        memset(at + 4, 0, sizeof address->bytes - 4);
    at += sizeof address->bytes;
    *at++ = (uint8_t)(address->port >> 8);
    *at++ = (uint8_t)address->port;
    return at;
}

/* SipHash-2-4 is a MAC for short messages; its 64 bits can only be guessed at by asking us. */
static void make_cookie(const uint64_t secret[2], const struct address *client,
                        const struct address *local, const struct dtls_hello *hello,
                        uint8_t out[DTLS_COOKIE_SIZE])
{
    uint8_t covered[2 * 19 + 2 * sizeof(uint64_t)];
    uint8_t *at = add_address(add_address(covered, client), local);
    uint64_t parts[2] = { siphash(hello->before_cookie, secret),
                          siphash(hello->after_cookie, secret) };
    memcpy(at, parts, sizeof parts);
    uint64_t cookie = siphash(view_make(covered, sizeof covered), secret);
    memcpy(out, &cookie, DTLS_COOKIE_SIZE);
}

bool dtls_cookie_holds(struct dtls_cookies *cookies, usec now, const struct address *client,
                       const struct address *local, const struct dtls_hello *hello)
{
    uint8_t wanted[DTLS_COOKIE_SIZE];
    if (hello->cookie.size != DTLS_COOKIE_SIZE || hello->message_seq != 1)
        return false;
    change_secret(cookies, now);
    for (unsigned i = 0; i < (cookies->has_old ? 2 : 1); i++) {
        make_cookie(cookies->secrets[i], client, local, hello, wanted);
        if (view_equal_secret(hello->cookie, view_make(wanted, sizeof wanted)))
            return true;
    }
    return false;
}

void dtls_hello_verify(struct dtls_cookies *cookies, usec now, const struct address *client,
                       const struct address *local, const struct dtls_hello *hello,
                       uint8_t out[DTLS_HELLO_VERIFY_SIZE])
{
    /* version 1.0 in record and message, whatever will be agreed on (section 4.2.1); the record's
     * sequence is the hello's */
    static const uint8_t record[] = { TYPE_HANDSHAKE, 0xfe, 0xff, 0, 0 };
    static const uint8_t message[] = { 0,
                                       HANDSHAKE_SIZE + 3 +
                                           DTLS_COOKIE_SIZE, /* the record's length */
                                       TYPE_HELLO_VERIFY,
                                       0,
                                       0,
                                       3 + DTLS_COOKIE_SIZE, /* length */
                                       0,
                                       0, /* message_seq */
                                       0,
                                       0,
                                       0, /* fragment offset */
                                       0,
                                       0,
                                       3 + DTLS_COOKIE_SIZE, /* fragment length */
                                       0xfe,
                                       0xff,
                                       DTLS_COOKIE_SIZE };
    change_secret(cookies, now);
    memcpy(out, record, sizeof record);
    memcpy(out + 5, hello->sequence, sizeof hello->sequence);
    memcpy(out + 11, message, sizeof message);
    make_cookie(cookies->secrets[0], client, local, hello, out + 11 + sizeof message);
}
