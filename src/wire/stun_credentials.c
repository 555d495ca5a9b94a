#include "wire/stun_credentials.h"

#include "base/base64.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string.h>

#define JOINED_SIZE_MAX (2 * STUN_USERNAME_SIZE_MAX + STUN_REALM_SIZE_MAX + 2)

static const uint8_t ALGORITHMS[8] = { 0, STUN_ALGORITHM_SHA256, 0, 0, 0, STUN_ALGORITHM_MD5 };

static size_t join(uint8_t *out, size_t size, struct view v)
{
    if (v.size)
        memcpy(out + size, v.at, v.size);
    return size + v.size;
}

/* "name:realm", to which a password may be added.  0: they are too long. */
static size_t join_name(uint8_t out[JOINED_SIZE_MAX], struct view name, struct view realm)
{
    size_t size = 0;
    if (name.size > STUN_USERNAME_SIZE_MAX || realm.size > STUN_REALM_SIZE_MAX)
        return 0;
    size = join(out, size, name);
    size = join(out, size, VIEW(":"));
    return join(out, size, realm);
}

int stun_key_make(enum stun_algorithm algorithm, struct view name, struct view realm,
                  struct view password, struct stun_key *key)
{
    uint8_t joined[JOINED_SIZE_MAX];
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned hash_size = 0;
    size_t size = join_name(joined, name, realm);
    if (size == 0 || password.size > STUN_USERNAME_SIZE_MAX)
        return ERR_LIMIT;
    size = join(joined, size, VIEW(":"));
    size = join(joined, size, password);
    if (!EVP_Digest(joined, size, hash, &hash_size,
                    algorithm == STUN_ALGORITHM_SHA256 ? EVP_sha256() : EVP_md5(), NULL))
        return ERR_MEMORY;
    *key = (struct stun_key){ .size = (uint8_t)hash_size };
    memcpy(key->bytes, hash, hash_size);
    return OK;
}

int stun_userhash(struct view name, struct view realm, uint8_t out[STUN_USERHASH_SIZE])
{
    uint8_t joined[JOINED_SIZE_MAX];
    size_t size = join_name(joined, name, realm);
    if (size == 0)
        return ERR_LIMIT;
    return EVP_Digest(joined, size, out, NULL, EVP_sha256(), NULL) ? OK : ERR_MEMORY;
}

void stun_rest_password(struct view secret, struct view name, char out[STUN_REST_SIZE])
{
    uint8_t hash[EVP_MAX_MD_SIZE] = { 0 };
    char text[BASE64_SIZE(20)];
    HMAC(EVP_sha1(), secret.size ? secret.at : hash, (int)secret.size, name.size ? name.at : hash,
         name.size, hash, NULL);
    base64_write(view_make(hash, 20), text);
    memcpy(out, text, STUN_REST_SIZE);
}

bool stun_rest_expiry(struct view name, uint64_t *unix_s)
{
    return view_read_number(view_slice(name, 0, view_find_byte(name, ':')), INT64_MAX, unix_s);
}

void stun_add_algorithms(struct stun_writer *writer)
{
    stun_add(writer, STUN_PASSWORD_ALGORITHMS, view_make(ALGORITHMS, sizeof ALGORITHMS));
}

void stun_add_algorithm(struct stun_writer *writer, enum stun_algorithm algorithm)
{
    const uint8_t value[4] = { 0, (uint8_t)algorithm };
    stun_add(writer, STUN_PASSWORD_ALGORITHM, view_make(value, sizeof value));
}

int stun_read_algorithm(const struct stun_attr *attr, enum stun_algorithm *algorithm)
{
    const uint8_t *at = attr->value.at;
    if (attr->value.size < 4 || attr->value.size - 4 != (size_t)(at[2] << 8 | at[3]))
        return ERR_MALFORMED;
    bool is_known = at[1] == STUN_ALGORITHM_MD5 || at[1] == STUN_ALGORITHM_SHA256;
    if (at[0] || !is_known || attr->value.size != 4)
        return ERR_UNSUPPORTED;
    *algorithm = (enum stun_algorithm)at[1];
    return OK;
}

bool stun_algorithms_are_ours(const struct stun_attr *attr)
{
    return view_equal(attr->value, view_make(ALGORITHMS, sizeof ALGORITHMS));
}

void stun_nonce_cookie(uint32_t features, char out[STUN_NONCE_COOKIE_SIZE])
{
    const uint8_t bits[3] = { (uint8_t)(features >> 16), (uint8_t)(features >> 8),
                              (uint8_t)features };
    char text[BASE64_SIZE(3)];
    base64_write(view_make(bits, sizeof bits), text);
    memcpy(out, STUN_NONCE_COOKIE, 9);
    memcpy(out + 9, text, 4);
}

static int base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

uint32_t stun_nonce_features(struct view nonce)
{
    uint32_t features = 0;
    if (nonce.size < STUN_NONCE_COOKIE_SIZE || !view_starts(nonce, VIEW(STUN_NONCE_COOKIE)))
        return 0;
    for (size_t i = 9; i < STUN_NONCE_COOKIE_SIZE; i++) {
        int digit = base64_digit(nonce.at[i]);
        if (digit < 0)
            return 0;
        features = features << 6 | (uint32_t)digit;
    }
    return features;
}
