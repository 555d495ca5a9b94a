/* test_stun_credentials.c - keys, user hashes, TURN REST passwords, algorithms and nonce cookies,
 * against the values of RFC 8489 and against hashes made another way. */
#include "support.h"

#include "wire/stun_credentials.h"

#include <openssl/evp.h>

#define NAME "\u30de\u30c8\u30ea\u30c3\u30af\u30b9"

static void test_keys(void **state)
{
    (void)state;
    uint8_t wanted[EVP_MAX_MD_SIZE];
    unsigned size;
    struct stun_key key;
    /* RFC 8489, section 9.2.2: user, realm and pass under MD5 */
    assert_int_equal(
        stun_key_make(STUN_ALGORITHM_MD5, VIEW("user"), VIEW("realm"), VIEW("pass"), &key), OK);
    assert_int_equal(key.size, 16);
    test_read_hex("8493fbc53ba582fb4c044c456bdc40eb", wanted);
    assert_memory_equal(key.bytes, wanted, 16);
    assert_int_equal(stun_key_make(STUN_ALGORITHM_SHA256, VIEW(NAME), VIEW("example.org"),
                                   VIEW("TheMatrIX"), &key),
                     OK);
    EVP_Digest(NAME ":example.org:TheMatrIX", strlen(NAME) + 22, wanted, &size, EVP_sha256(), NULL);
    assert_int_equal(key.size, 32);
    assert_memory_equal(key.bytes, wanted, 32);
}

/* RFC 8489, appendix B.1 */
static void test_userhash(void **state)
{
    (void)state;
    uint8_t wanted[STUN_USERHASH_SIZE], seen[STUN_USERHASH_SIZE];
    test_read_hex("4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704", wanted);
    assert_int_equal(stun_userhash(VIEW(NAME), VIEW("example.org"), seen), OK);
    assert_memory_equal(seen, wanted, sizeof wanted);
}

static void test_what_is_too_long(void **state)
{
    (void)state;
    uint8_t *bytes = calloc(1, 1000), hash[STUN_USERHASH_SIZE];
    struct view most = view_make(bytes, STUN_USERNAME_SIZE_MAX);
    struct view over = view_make(bytes, STUN_USERNAME_SIZE_MAX + 1);
    struct view realm = view_make(bytes, STUN_REALM_SIZE_MAX);
    struct view over_realm = view_make(bytes, STUN_REALM_SIZE_MAX + 1);
    struct stun_key key;
    assert_int_equal(stun_key_make(STUN_ALGORITHM_MD5, most, realm, most, &key), OK);
    assert_int_equal(stun_key_make(STUN_ALGORITHM_MD5, over, realm, most, &key), ERR_LIMIT);
    assert_int_equal(stun_key_make(STUN_ALGORITHM_MD5, most, over_realm, most, &key), ERR_LIMIT);
    assert_int_equal(stun_key_make(STUN_ALGORITHM_MD5, most, realm, over, &key), ERR_LIMIT);
    assert_int_equal(stun_userhash(over, realm, hash), ERR_LIMIT);
    free(bytes);
}

static void test_rest_password(void **state)
{
    (void)state;
    char text[STUN_REST_SIZE];
    /* printf %s 1700000000:alice | openssl dgst -sha1 -hmac north -binary | base64 */
    stun_rest_password(VIEW("north"), VIEW("1700000000:alice"), text);
    assert_memory_equal(text, "Cd/49soE35ICqcJF/bCTn8Z4OyE=", STUN_REST_SIZE);
}

static void test_rest_expiry(void **state)
{
    (void)state;
    uint64_t at = 0;
    assert_true(stun_rest_expiry(VIEW("1700000000:alice:bob"), &at));
    assert_true(at == 1700000000);
    assert_true(stun_rest_expiry(VIEW("17"), &at));
    assert_true(at == 17);
    assert_false(stun_rest_expiry(VIEW("alice:1700000000"), &at));
    assert_false(stun_rest_expiry(VIEW(":alice"), &at));
    assert_false(stun_rest_expiry(VIEW(""), &at));
    assert_false(stun_rest_expiry(VIEW("99999999999999999999999:a"), &at));
    assert_false(stun_rest_expiry(VIEW("-1:a"), &at));
}

static int read_algorithm(const char *hex)
{
    uint8_t bytes[16];
    enum stun_algorithm algorithm;
    struct stun_attr attr = { .value = view_make(bytes, test_read_hex(hex, bytes)) };
    int status = stun_read_algorithm(&attr, &algorithm);
    return status == OK ? (int)algorithm : status;
}

static void test_algorithm(void **state)
{
    (void)state;
    assert_int_equal(read_algorithm("00010000"), STUN_ALGORITHM_MD5);
    assert_int_equal(read_algorithm("00020000"), STUN_ALGORITHM_SHA256);
    assert_int_equal(read_algorithm("00030000"), ERR_UNSUPPORTED);
    assert_int_equal(read_algorithm("01020000"), ERR_UNSUPPORTED);
    assert_int_equal(read_algorithm("00020004 00000000"), ERR_UNSUPPORTED);
    assert_int_equal(read_algorithm("00020004"), ERR_MALFORMED);
    assert_int_equal(read_algorithm("0002"), ERR_MALFORMED);
    assert_int_equal(read_algorithm(""), ERR_MALFORMED);
}

static void test_algorithms_are_given_back(void **state)
{
    (void)state;
    uint8_t bytes[128];
    struct stun_writer writer;
    struct stun_msg msg;
    enum stun_algorithm algorithm;
    stun_begin(&writer, bytes, sizeof bytes, STUN_ERROR, STUN_BINDING, (const uint8_t[12]){ 0 });
    stun_add_algorithms(&writer);
    stun_add_algorithm(&writer, STUN_ALGORITHM_SHA256);
    assert_int_equal(stun_read(view_make(bytes, writer.size), &msg), OK);
    assert_true(stun_algorithms_are_ours(&msg.attrs[0]));
    assert_false(stun_algorithms_are_ours(&msg.attrs[1]));
    assert_int_equal(stun_read_algorithm(&msg.attrs[1], &algorithm), OK);
    assert_int_equal(algorithm, STUN_ALGORITHM_SHA256);
}

static void test_nonce_cookie(void **state)
{
    (void)state;
    char cookie[STUN_NONCE_COOKIE_SIZE];
    static const uint32_t FEATURES[] = { 0, 1, 2, 0x400000, 0x800000, 0xc00000, 0xffffff };
    for (size_t i = 0; i < sizeof FEATURES / sizeof FEATURES[0]; i++) {
        stun_nonce_cookie(FEATURES[i], cookie);
        assert_int_equal(stun_nonce_features(view_make(cookie, sizeof cookie)), FEATURES[i]);
        for (size_t cut = 0; cut < sizeof cookie; cut++)
            assert_int_equal(stun_nonce_features(view_make(cookie, cut)), 0);
    }
    assert_int_equal(stun_nonce_features(VIEW("obMatJos2AAACf//499k")), 2);
    assert_int_equal(stun_nonce_features(VIEW("obMatJos3AAACf//499k")), 0);
    assert_int_equal(stun_nonce_features(VIEW("obMatJos2AA-Cf//499k")), 0);
}

/* Section 14.6: what is cut is checked as it is. */
static void test_cut_integrity(void **state)
{
    (void)state;
    for (size_t size = 16; size <= 32; size += 4) {
        uint8_t bytes[128];
        struct stun_writer writer;
        struct stun_msg msg;
        stun_begin(&writer, bytes, sizeof bytes, STUN_REQUEST, STUN_BINDING,
                   (const uint8_t[12]){ 7 });
        stun_add_integrity_sha256_cut(&writer, VIEW("key"), size);
        assert_int_equal(stun_read(view_make(bytes, writer.size), &msg), OK);
        assert_int_equal(msg.attrs[0].value.size, size);
        assert_true(stun_integrity_sha256_valid(&msg, VIEW("key")));
        for (size_t bit = 0; bit < writer.size * 8; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_false(stun_read(view_make(bytes, writer.size), &msg) == OK &&
                         stun_integrity_sha256_valid(&msg, VIEW("key")));
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_userhash),
        cmocka_unit_test(test_what_is_too_long),
        cmocka_unit_test(test_rest_password),
        cmocka_unit_test(test_rest_expiry),
        cmocka_unit_test(test_algorithm),
        cmocka_unit_test(test_algorithms_are_given_back),
        cmocka_unit_test(test_nonce_cookie),
        cmocka_unit_test(test_cut_integrity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
