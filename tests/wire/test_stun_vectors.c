/* test_stun_vectors.c - the messages of RFC 5769 and of RFC 8489, appendix B, with all their
 * truncations and bit flips. */
#include "support.h"

#include "wire/stun.h"

#include <openssl/evp.h>

#define VECTOR_MAX 256

struct vector {
    const char *name;
    const char *hex;
    const char *key; /* text; NULL: the key below */
    uint8_t hash[32];
    size_t hash_size;
    bool is_sha256;
};

static struct vector vectors[] = {
    { .name = "RFC 5769, 2.1: request",
      .key = "VOkJxbRl1RmTxUk/WvJxBt",
      .hex = "00010058 2112a442 b7e7a701 bc34d686 fa87dfae"
             "80220010 5354554e 20746573 7420636c 69656e74" /* SOFTWARE */
             "00240004 6e0001ff"                            /* PRIORITY */
             "80290008 932ff9b1 51263b36"                   /* ICE-CONTROLLED */
             "00060009 6576746a 3a683676 59202020"          /* USERNAME */
             "00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2"
             "80280004 e57a3bcf" },
    { .name = "RFC 5769, 2.2: IPv4 response",
      .key = "VOkJxbRl1RmTxUk/WvJxBt",
      .hex = "0101003c 2112a442 b7e7a701 bc34d686 fa87dfae"
             "8022000b 74657374 20766563 746f7220" /* SOFTWARE */
             "00200008 0001a147 e112a643"          /* XOR-MAPPED-ADDRESS */
             "00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7"
             "80280004 c07d4c96" },
    { .name = "RFC 5769, 2.3: IPv6 response",
      .key = "VOkJxbRl1RmTxUk/WvJxBt",
      .hex = "01010048 2112a442 b7e7a701 bc34d686 fa87dfae"
             "8022000b 74657374 20766563 746f7220"
             "00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9"
             "00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41"
             "80280004 c8fb0b4c" },
    { .name = "RFC 5769, 2.4: long-term request",
      .hex = "00010060 2112a442 78ad3433 c6ad72c0 29da412e"
             "00060012 e3839ee3 8388e383 aae38383 e382afe3 82b90000" /* USERNAME */
             "0015001c 662f2f34 39396b39 35346436 4f4c3334 6f4c3946 53547679 36347341" /* NONCE */
             "0014000b 6578616d 706c652e 6f726700"                                     /* REALM */
             "00080014 f6702465 6dd64a3e 02b8e071 2e85c9a2 8ca89666" },
    /* the length and MESSAGE-INTEGRITY-SHA256 as the errata have them */
    { .name = "RFC 8489, B.1: long-term request with SHA-256",
      .hex = "00010090 2112a442 78ad3433 c6ad72c0 29da412e"
             "001e0020 4a3cf38f ef6992bd a952c678 0417da0f" /* USERHASH */
             "24819415 569e60b2 05c46e41 407f1704"
             "00150029 6f624d61 744a6f73 32414141 43662f2f 3439396b 39353464" /* NONCE */
             "364f4c33 346f4c39 46535476 79363473 41000000"
             "0014000b 6578616d 706c652e 6f726700" /* REALM */
             "001d0004 00020000"                   /* PASSWORD-ALGORITHM */
             "001c0020 b5c7bf00 5b6c52a2 1c51c5e8 92f81924"
             "136296cb 927c4314 9309278c c6518e65",
      .is_sha256 = true },
};

#define VECTORS (sizeof(vectors) / sizeof(vectors[0]))

/* "username:realm:password", the password after SASLprep or OpaqueString */
#define LONG_TERM "\u30de\u30c8\u30ea\u30c3\u30af\u30b9:example.org:TheMatrIX"

static int make_keys(void **state)
{
    (void)state;
    unsigned size;
    EVP_Digest(LONG_TERM, strlen(LONG_TERM), vectors[3].hash, &size, EVP_md5(), NULL);
    vectors[3].hash_size = size;
    EVP_Digest(LONG_TERM, strlen(LONG_TERM), vectors[4].hash, &size, EVP_sha256(), NULL);
    vectors[4].hash_size = size;
    return 0;
}

static struct view key_of(const struct vector *vector)
{
    return vector->key ? view_of(vector->key) : view_make(vector->hash, vector->hash_size);
}

static bool is_authentic(const struct vector *vector, const struct stun_msg *msg)
{
    return vector->is_sha256 ? stun_integrity_sha256_valid(msg, key_of(vector))
                             : stun_integrity_valid(msg, key_of(vector));
}

static void read_vector(unsigned i, uint8_t bytes[VECTOR_MAX], struct stun_msg *msg)
{
    size_t size = test_read_hex(vectors[i].hex, bytes);
    assert_int_equal(stun_read(view_make(bytes, size), msg), OK);
}

#define check_attr(msg, type, literal) check_attr_bytes(msg, type, literal, sizeof(literal) - 1)

static void check_attr_bytes(const struct stun_msg *msg, uint16_t type, const char *bytes,
                             size_t size)
{
    const struct stun_attr *attr = stun_find(msg, type);
    assert_non_null(attr);
    assert_int_equal(attr->value.size, size);
    assert_memory_equal(attr->value.at, bytes, size);
}

static void check_mapped(const struct stun_msg *msg, const char *text)
{
    struct address address;
    char seen[ADDRESS_TEXT_SIZE];
    const struct stun_attr *attr = stun_find(msg, STUN_XOR_MAPPED_ADDRESS);
    assert_non_null(attr);
    assert_int_equal(stun_read_xor_address(msg, attr, &address), OK);
    address_write(&address, seen);
    assert_string_equal(seen, text);
}

static void test_vectors_are_authentic(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VECTORS; i++) {
        uint8_t bytes[VECTOR_MAX];
        struct stun_msg msg;
        read_vector(i, bytes, &msg);
        assert_int_equal(msg.method, STUN_BINDING);
        assert_true(is_authentic(&vectors[i], &msg));
        assert_int_equal(msg.has_fingerprint, i < 3);
        assert_false(stun_integrity_valid(&msg, VIEW("another key")));
        assert_false(stun_integrity_sha256_valid(&msg, VIEW("another key")));
        assert_false(stun_integrity_valid(&msg, VIEW("")));
    }
}

static void test_short_term_request(void **state)
{
    (void)state;
    uint8_t bytes[VECTOR_MAX];
    struct stun_msg msg;
    read_vector(0, bytes, &msg);
    assert_int_equal(msg.class, STUN_REQUEST);
    assert_memory_equal(msg.transaction.at, "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae", 12);
    assert_int_equal(msg.attr_count, 6);
    check_attr(&msg, STUN_SOFTWARE, "STUN test client");
    check_attr(&msg, STUN_USERNAME, "evtj:h6vY");
    check_attr(&msg, STUN_PRIORITY, "\x6e\0\x01\xff");
    check_attr(&msg, STUN_ICE_CONTROLLED, "\x93\x2f\xf9\xb1\x51\x26\x3b\x36");
    assert_null(stun_find(&msg, STUN_NONCE));
    assert_false(stun_integrity_sha256_valid(&msg, key_of(&vectors[0])));
}

static void test_responses(void **state)
{
    (void)state;
    uint8_t bytes[VECTOR_MAX];
    struct stun_msg msg;
    read_vector(1, bytes, &msg);
    assert_int_equal(msg.class, STUN_SUCCESS);
    check_attr(&msg, STUN_SOFTWARE, "test vector");
    check_mapped(&msg, "192.0.2.1:32853");
    read_vector(2, bytes, &msg);
    assert_int_equal(msg.class, STUN_SUCCESS);
    check_mapped(&msg, "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
}

static void test_long_term_requests(void **state)
{
    (void)state;
    uint8_t bytes[VECTOR_MAX];
    struct stun_msg msg;
    read_vector(3, bytes, &msg);
    check_attr(&msg, STUN_USERNAME, "\u30de\u30c8\u30ea\u30c3\u30af\u30b9");
    check_attr(&msg, STUN_NONCE, "f//499k954d6OL34oL9FSTvy64sA");
    check_attr(&msg, STUN_REALM, "example.org");
    read_vector(4, bytes, &msg);
    check_attr(&msg, STUN_NONCE, "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA");
    check_attr(&msg, STUN_PASSWORD_ALGORITHM, "\0\x02\0\0");
    assert_null(stun_find(&msg, STUN_MESSAGE_INTEGRITY));
}

static void test_every_truncation(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VECTORS; i++) {
        uint8_t bytes[VECTOR_MAX];
        size_t size = test_read_hex(vectors[i].hex, bytes);
        for (size_t cut = 0; cut < size; cut++) {
            struct stun_msg msg;
            size_t whole;
            uint8_t *copy = test_copy(view_make(bytes, cut));
            bool has_header = cut >= STUN_HEADER_SIZE;
            assert_int_equal(stun_read(view_make(copy, cut), &msg),
                             has_header ? ERR_MALFORMED : ERR_NOT_STUN);
            assert_int_equal(stun_size(view_make(copy, cut), &whole), has_header ? OK : ERR_MORE);
            if (has_header)
                assert_int_equal(whole, size);
            free(copy);
        }
    }
}

/* A cut with the length mended: attributes may then be whole, but are no longer those signed. */
static void test_every_truncation_with_its_length(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VECTORS; i++) {
        uint8_t bytes[VECTOR_MAX];
        size_t size = test_read_hex(vectors[i].hex, bytes);
        size_t signed_size = size - (i < 3 ? 8 : 0);
        for (size_t cut = STUN_HEADER_SIZE; cut < size; cut++) {
            struct stun_msg msg;
            uint8_t *copy = test_copy(view_make(bytes, cut));
            copy[2] = 0;
            copy[3] = (uint8_t)(cut - STUN_HEADER_SIZE);
            bool is_valid =
                stun_read(view_make(copy, cut), &msg) == OK && is_authentic(&vectors[i], &msg);
            assert_int_equal(is_valid, cut == signed_size);
            free(copy);
        }
    }
}

/* FINGERPRINT's type is the one place where a flip leaves an authentic message: what then stands
 * behind the integrity is left out (section 14.5), and integrity covers all that counts. */
static void test_every_bit_flip(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VECTORS; i++) {
        uint8_t bytes[VECTOR_MAX];
        size_t size = test_read_hex(vectors[i].hex, bytes);
        size_t fingerprint_at = i < 3 ? size - 8 : size;
        for (size_t bit = 0; bit < size * 8; bit++) {
            struct stun_msg msg;
            uint8_t *copy = test_copy(view_make(bytes, size));
            copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
            bool is_valid =
                stun_read(view_make(copy, size), &msg) == OK && is_authentic(&vectors[i], &msg);
            bool is_in_type = bit / 8 == fingerprint_at || bit / 8 == fingerprint_at + 1;
            assert_int_equal(is_valid, is_in_type);
            if (is_valid)
                assert_false(msg.has_fingerprint);
            free(copy);
        }
    }
}

/* The vectors whose padding is zeros, as the writer makes it. */
static void test_writer_makes_the_vectors(void **state)
{
    (void)state;
    uint8_t wanted[VECTOR_MAX];
    uint8_t bytes[VECTOR_MAX];
    struct stun_writer writer;
    struct stun_msg msg;
    struct address address;
    read_vector(3, wanted, &msg);
    stun_begin(&writer, bytes, sizeof(bytes), STUN_REQUEST, STUN_BINDING, wanted + 8);
    stun_add(&writer, STUN_USERNAME, VIEW("\u30de\u30c8\u30ea\u30c3\u30af\u30b9"));
    stun_add(&writer, STUN_NONCE, VIEW("f//499k954d6OL34oL9FSTvy64sA"));
    stun_add(&writer, STUN_REALM, VIEW("example.org"));
    stun_add_integrity(&writer, key_of(&vectors[3]));
    assert_int_equal(writer.size, msg.datagram.size);
    assert_memory_equal(bytes, wanted, writer.size);

    read_vector(1, wanted, &msg);
    assert_int_equal(address_read(VIEW("192.0.2.1:32853"), &address), OK);
    stun_begin(&writer, bytes, sizeof(bytes), STUN_SUCCESS, STUN_BINDING, wanted + 8);
    stun_add_xor_address(&writer, STUN_XOR_MAPPED_ADDRESS, &address);
    assert_memory_equal(bytes + STUN_HEADER_SIZE, wanted + STUN_HEADER_SIZE + 16, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_are_authentic),
        cmocka_unit_test(test_short_term_request),
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_long_term_requests),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_truncation_with_its_length),
        cmocka_unit_test(test_every_bit_flip),
        cmocka_unit_test(test_writer_makes_the_vectors),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_keys, NULL);
}
