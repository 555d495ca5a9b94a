/* test_srtp_vectors.c - the vectors of RFC 3711 (appendix B), RFC 6188 (section 7) and RFC 7714
 * (sections 16 and 17), each with every backend. */
#include "srtp_house.h"

struct hex {
    uint8_t at[256];
    size_t size;
};

static struct hex from_hex(const char *text)
{
    struct hex hex;
    hex.size = test_read_hex(text, hex.at);
    return hex;
}

static void each_engine(void **state, void (*run)(struct secure_engine *engine))
{
    struct house *house = *state;
    for (int i = 0; i < HOUSE_ENGINES; i++)
        if (house->engines[i])
            run(house->engines[i]);
}

/* A session whose session keys are these, in both directions. */
static void open_with(struct secure_session *session, struct secure_engine *engine,
                      uint16_t profile, const char *cipher_key, const char *salt,
                      const char *auth_key)
{
    struct hex key = from_hex(cipher_key), salted = from_hex(salt);
    struct hex auth = from_hex(auth_key ? auth_key : "");
    const struct secure_suite *suite = secure_suite_find(profile);
    assert_int_equal(key.size, suite->key_size);
    assert_int_equal(salted.size, suite->salt_size);
    assert_int_equal(auth.size, auth_key ? SECURE_AUTH_KEY_SIZE : 0);
    *session = (struct secure_session){ .engine = engine };
    engine->sessions++;
    struct secure_key **keys[] = { &session->rtp_out, &session->rtp_in, &session->rtcp_out,
                                   &session->rtcp_in };
    for (int i = 0; i < 4; i++)
        assert_int_equal(secure_key_make(engine, suite, i % 2 == 0, key.at, salted.at,
                                         auth_key ? auth.at : NULL, keys[i]),
                         OK);
}

/* ---- key derivation ---- */

static void assert_derived(uint16_t profile, const char *key, const char *salt, uint8_t label,
                           const char *wanted)
{
    struct hex master = from_hex(key), salted = from_hex(salt), hex = from_hex(wanted);
    uint8_t seen[256];
    assert_true(
        secure_derive(secure_suite_find(profile), master.at, salted.at, label, seen, hex.size));
    assert_memory_equal(seen, hex.at, hex.size);
}

/* RFC 3711, appendix B.3 */
static void test_derivation_of_128_bits(void **state)
{
    (void)state;
    static const char KEY[] = "e1f97a0d3e018be0d64fa32c06de4139";
    static const char SALT[] = "0ec675ad498afeebb6960b3aabe6";
    assert_derived(SECURE_AES128_CM_HMAC_SHA1_80, KEY, SALT, 0, "c61e7a93744f39ee10734afe3ff7a087");
    assert_derived(SECURE_AES128_CM_HMAC_SHA1_80, KEY, SALT, 2, "30cbbc08863d8c85d49db34a9ae1");
    assert_derived(SECURE_AES128_CM_HMAC_SHA1_80, KEY, SALT, 1,
                   "cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbce"
                   "e049646c43d9327ad175578ef72270986371c10c9a369ac2f94a8c5fbcdddc25"
                   "6d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2");
}

/* RFC 6188, section 7.2: the generator for keys of 256 bits, of which AEAD uses no more; the salt
 * there has the 14 bytes of AES-CM. */
static void test_derivation_of_256_bits(void **state)
{
    (void)state;
    static const char KEY[] = "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6";
    static const char SALT[] = "3b04803de51ee7c96423ab5b78d2";
    struct secure_suite suite = *secure_suite_find(SECURE_AEAD_AES_256_GCM);
    suite.salt_size = 14;
    struct hex key = from_hex(KEY), salt = from_hex(SALT);
    struct hex cipher =
        from_hex("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4");
    struct hex salted = from_hex("fa31791685ca444a9e07c6c64e93");
    struct hex auth = from_hex("fd9c32d39ed5fbb5a9dc96b30818454d1313dc05");
    uint8_t seen[32];
    assert_true(secure_derive(&suite, key.at, salt.at, 0, seen, 32));
    assert_memory_equal(seen, cipher.at, cipher.size);
    assert_true(secure_derive(&suite, key.at, salt.at, 2, seen, 14));
    assert_memory_equal(seen, salted.at, salted.size);
    assert_true(secure_derive(&suite, key.at, salt.at, 1, seen, 20));
    assert_memory_equal(seen, auth.at, auth.size);
}

/* ---- the nonce ---- */

static void test_nonce(void **state)
{
    (void)state;
    struct secure_key key = { .suite = secure_suite_find(SECURE_AEAD_AES_128_GCM) };
    struct hex salt = from_hex("517569642070726f2071756f");
    memcpy(key.salt, salt.at, salt.size);
    uint8_t iv[16];
    secure_nonce(&key, 0x5501a0b2, 0xf17b, iv); /* RFC 7714, section 16 */
    assert_memory_equal(iv, from_hex("51753c6580c2726f20718414").at, 12);
    secure_nonce(&key, 0x4d617273, 0x5d4, iv); /* section 17 */
    assert_memory_equal(iv, from_hex("517524055203726f207170bb").at, 12);

    /* RFC 3711, section 4.1.1, has no vector for one that is not 0 */
    key = (struct secure_key){ .suite = secure_suite_find(SECURE_AES128_CM_HMAC_SHA1_80) };
    secure_nonce(&key, 0x01020304, 0x112233445566, iv);
    assert_memory_equal(iv, from_hex("00000000010203041122334455660000").at, 16);
}

/* ---- AES-CM: RFC 3711, appendix B.2 ---- */

static void keystream(struct secure_engine *engine)
{
    struct hex first = from_hex("e03ead0935c95e80e166b16dd92b4eb4"
                                "d23513162b02d0f72a43a2fe4a5f97ab"
                                "41e95b3bb0a2e8dd477901e4fca894c0");
    struct hex last = from_hex("ec8cdf7398607cb0f2d21675ea9ea1e4"
                               "362b7c3c6773516318a077d7fc5073ae"
                               "6a2cc3787889374fbeb4c81b17ba6c44");
    static uint8_t zeros[0xff02 * 16], packet[12 + sizeof(zeros) + SECURE_TAG_MAX];
    struct secure_session session;
    open_with(&session, engine, SECURE_AES128_CM_HMAC_SHA1_80, "2b7e151628aed2a6abf7158809cf4f3c",
              "f0f1f2f3f4f5f6f7f8f9fafbfcfd", "0000000000000000000000000000000000000000");
    /* longer than any packet, so past srtp.h */
    struct secure_transform one = { .key = session.rtp_out->expanded,
                                    .from = zeros,
                                    .to = packet + 12,
                                    .size = sizeof(zeros),
                                    .covered = packet,
                                    .covered_size = 12,
                                    .tag = packet + 12 + sizeof(zeros),
                                    .tag_size = 10 };
    secure_nonce(session.rtp_out, 0, 0, one.iv);
    engine->backend->seal(engine->state, SECURE_AES_CM_128_HMAC_SHA1, &one, 1);
    assert_true(one.done);
    assert_memory_equal(packet + 12, first.at, first.size);
    assert_memory_equal(packet + 12 + 0xfeff * 16, last.at, last.size);
    secure_session_close(&session);
}

static void test_keystream(void **state)
{
    each_engine(state, keystream);
}

/* ---- GCM: RFC 7714 ---- */

static const char KEY_128[] = "000102030405060708090a0b0c0d0e0f";
static const char KEY_256[] = "000102030405060708090a0b0c0d0e0f"
                              "101112131415161718191a1b1c1d1e1f";
static const char SALT[] = "517569642070726f2071756f";
static const char RTP[] = "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973"
                          "20646976 69736120 696e2070 61727465 73207472 6573";
/* as sections 17.1 to 17.4 have it; the one before them is another */
static const char RTCP[] = "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930"
                           "4c756e61 deadbeef deadbeef deadbeef deadbeef deadbeef";

static void rtp_vector(struct secure_engine *engine, uint16_t profile, const char *key,
                       const char *wanted)
{
    struct secure_session session;
    open_with(&session, engine, profile, key, SALT, NULL);
    struct hex plain = from_hex(RTP), sealed = from_hex(wanted);
    uint8_t packet[256];
    struct secure_window sent = { 0 };
    memcpy(packet, plain.at, plain.size);
    assert_int_equal(house_protect(&session, &sent, packet, plain.size), sealed.size);
    assert_memory_equal(packet, sealed.at, sealed.size);
    size_t size = sealed.size;
    assert_int_equal(house_unprotect(&session, packet, &size), OK);
    assert_int_equal(size, plain.size);
    assert_memory_equal(packet, plain.at, plain.size);
    secure_session_close(&session);
}

static void rtcp_vector(struct secure_engine *engine, uint16_t profile, const char *key,
                        const char *wanted)
{
    struct secure_session session;
    open_with(&session, engine, profile, key, SALT, NULL);
    session.rtcp_index = 0x5d4;
    struct hex plain = from_hex(RTCP), sealed = from_hex(wanted);
    uint8_t packet[256];
    size_t size;
    memcpy(packet, plain.at, plain.size);
    assert_int_equal(secure_protect_rtcp(&session, packet, plain.size, &size), OK);
    assert_int_equal(size, sealed.size);
    assert_memory_equal(packet, sealed.at, sealed.size);
    assert_int_equal(house_unprotect_rtcp(&session, packet, &size), OK);
    assert_int_equal(size, plain.size);
    assert_memory_equal(packet, plain.at, plain.size);
    secure_session_close(&session);
}

static void gcm(struct secure_engine *engine)
{
    rtp_vector(engine, SECURE_AEAD_AES_128_GCM, KEY_128,
               "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5"
               "0d294e6f 42a5f47a 51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce");
    rtp_vector(engine, SECURE_AEAD_AES_256_GCM, KEY_256,
               "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238"
               "9a58e2f3 b50b2a02 76ffae0f 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13");
    rtcp_vector(engine, SECURE_AEAD_AES_128_GCM, KEY_128,
                "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d"
                "c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872"
                "45d9eade 800005d4");
    rtcp_vector(engine, SECURE_AEAD_AES_256_GCM, KEY_256,
                "81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50"
                "a2eaa5c1 110555be 8415f658 c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c"
                "b26ac3be 800005d4");
}

static void test_gcm(void **state)
{
    each_engine(state, gcm);
}

/* Sections 17.3 and 17.4: a tag, but nothing encrypted.  That is not what DTLS-SRTP agrees on. */
static void not_encrypted(struct secure_engine *engine)
{
    struct secure_session session;
    open_with(&session, engine, SECURE_AEAD_AES_128_GCM, KEY_128, SALT, NULL);
    struct hex packet = from_hex(
        "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef"
        "deadbeef deadbeef deadbeef deadbeef 841dd968 3dd78ec9 2ae58790 125f62b3 000005d4");
    assert_int_equal(house_unprotect_rtcp(&session, packet.at, &packet.size), ERR_MALFORMED);
    secure_session_close(&session);
}

static void test_not_encrypted(void **state)
{
    each_engine(state, not_encrypted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_derivation_of_128_bits),
        cmocka_unit_test(test_derivation_of_256_bits),
        cmocka_unit_test(test_nonce),
        cmocka_unit_test_setup_teardown(test_keystream, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_gcm, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_not_encrypted, house_open, house_close),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
