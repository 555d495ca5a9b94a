/* test_stun.c - what the reader refuses, and that what the writer makes is what the reader reads.
 * The messages of the RFCs are in test_stun_vectors.c. */
#include "support.h"

#include "wire/stun.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

static int read_hex(const char *hex, struct stun_msg *msg)
{
    uint8_t bytes[128];
    size_t size = test_read_hex(hex, bytes);
    uint8_t *copy = test_copy(view_make(bytes, size));
    int status = stun_read(view_make(copy, size), msg);
    free(copy);
    return status;
}

#define TRANSACTION "2112a442 000102030405060708090a0b "

static void test_what_is_not_stun(void **state)
{
    (void)state;
    struct stun_msg msg;
    assert_int_equal(read_hex("", &msg), ERR_NOT_STUN);
    assert_int_equal(read_hex("00010000" TRANSACTION, &msg), OK);
    assert_int_equal(read_hex("40010000" TRANSACTION, &msg), ERR_NOT_STUN);
    assert_int_equal(read_hex("80010000" TRANSACTION, &msg), ERR_NOT_STUN);
    assert_int_equal(read_hex("00010000 2112a443 000102030405060708090a0b", &msg), ERR_NOT_STUN);
    assert_int_equal(read_hex("00010002" TRANSACTION "0000", &msg), ERR_NOT_STUN);
    assert_int_equal(read_hex("00010004" TRANSACTION, &msg), ERR_MALFORMED);
    assert_int_equal(read_hex("00010000" TRANSACTION "80220000", &msg), ERR_MALFORMED);
}

static void test_attributes_past_the_end(void **state)
{
    (void)state;
    struct stun_msg msg;
    assert_int_equal(read_hex("00010004" TRANSACTION "80220000", &msg), OK);
    assert_int_equal(read_hex("00010004" TRANSACTION "80220001", &msg), ERR_MALFORMED);
    assert_int_equal(read_hex("00010004" TRANSACTION "8022ffff", &msg), ERR_MALFORMED);
    assert_int_equal(read_hex("00010008" TRANSACTION "80220004 00000000", &msg), OK);
    assert_int_equal(read_hex("00010008" TRANSACTION "80220005 00000000", &msg), ERR_MALFORMED);
    assert_int_equal(read_hex("00010008" TRANSACTION "8022fffc 00000000", &msg), ERR_MALFORMED);
}

static void test_error_leaves_the_message_untouched(void **state)
{
    (void)state;
    struct stun_msg msg = { .method = 77 };
    assert_int_equal(read_hex("00010008" TRANSACTION "80220005 00000000", &msg), ERR_MALFORMED);
    assert_int_equal(msg.method, 77);
    assert_int_equal(msg.attr_count, 0);
}

static void begin(struct stun_writer *writer, uint8_t *out, size_t capacity)
{
    static const uint8_t transaction[STUN_TRANSACTION_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
    stun_begin(writer, out, capacity, STUN_REQUEST, STUN_BINDING, transaction);
}

static void read_written(const struct stun_writer *writer, struct stun_msg *msg)
{
    assert_false(writer->overflow);
    assert_int_equal(stun_read(view_make(writer->at, writer->size), msg), OK);
}

static void test_count_of_attributes(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct stun_writer writer;
    struct stun_msg msg;
    begin(&writer, bytes, sizeof(bytes));
    for (unsigned i = 0; i < STUN_ATTRS_MAX; i++)
        stun_add(&writer, (uint16_t)(0x8100 + i), VIEW(""));
    read_written(&writer, &msg);
    assert_int_equal(msg.attr_count, STUN_ATTRS_MAX);
    stun_add(&writer, 0x8200, VIEW(""));
    assert_int_equal(stun_read(view_make(bytes, writer.size), &msg), ERR_LIMIT);
}

static void test_of_two_alike_the_first_counts(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct stun_writer writer;
    struct stun_msg msg;
    begin(&writer, bytes, sizeof(bytes));
    stun_add(&writer, STUN_REALM, VIEW("first"));
    stun_add(&writer, STUN_REALM, VIEW("second"));
    read_written(&writer, &msg);
    assert_view(stun_find(&msg, STUN_REALM)->value, "first");
}

static void test_what_stands_behind_integrity_is_left_out(void **state)
{
    (void)state;
    uint8_t bytes[512];
    struct stun_writer writer;
    struct stun_msg msg;
    begin(&writer, bytes, sizeof(bytes));
    stun_add_integrity(&writer, VIEW("key"));
    stun_add(&writer, STUN_USERNAME, VIEW("unsigned"));
    stun_add_integrity_sha256(&writer, VIEW("key"));
    stun_add(&writer, STUN_REALM, VIEW("unsigned"));
    stun_add_integrity(&writer, VIEW("key"));
    stun_add_fingerprint(&writer);
    read_written(&writer, &msg);
    assert_int_equal(msg.attr_count, 3);
    assert_true(stun_integrity_valid(&msg, VIEW("key")));
    assert_true(stun_integrity_sha256_valid(&msg, VIEW("key")));
    assert_true(msg.has_fingerprint);
    assert_null(stun_find(&msg, STUN_USERNAME));
    assert_null(stun_find(&msg, STUN_REALM));
}

static void test_nothing_may_follow_the_fingerprint(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct stun_writer writer;
    struct stun_msg msg;
    begin(&writer, bytes, sizeof(bytes));
    stun_add_fingerprint(&writer);
    read_written(&writer, &msg);
    stun_add(&writer, STUN_SOFTWARE, VIEW(""));
    assert_int_equal(stun_read(view_make(bytes, writer.size), &msg), ERR_MALFORMED);
}

/* RFC 8489, section 14.6: a SHA-256 value may be cut to 16, 20, 24 or 28 bytes. */
static void test_cut_sha256_values(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 36; size++) {
        uint8_t bytes[256];
        uint8_t value[36];
        uint8_t hash[32];
        struct stun_writer writer;
        struct stun_msg msg;
        begin(&writer, bytes, sizeof(bytes));
        /* the value covers a length that counts the attribute, so it depends on the cut */
        memset(value, 0, sizeof(value));
        stun_add(&writer, STUN_MESSAGE_INTEGRITY_SHA256, view_make(value, size));
        unsigned hash_size = sizeof(hash);
        HMAC(EVP_sha256(), "key", 3, bytes, STUN_HEADER_SIZE, hash, &hash_size);
        memcpy(bytes + STUN_HEADER_SIZE + 4, hash, size < 32 ? size : 32);
        read_written(&writer, &msg);
        assert_int_equal(stun_integrity_sha256_valid(&msg, VIEW("key")),
                         size >= 16 && size <= 32 && size % 4 == 0);
    }
}

static void test_integrity_of_a_wrong_size(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 32; size += 4) {
        uint8_t bytes[256];
        uint8_t value[32] = { 0 };
        struct stun_writer writer;
        struct stun_msg msg;
        begin(&writer, bytes, sizeof(bytes));
        stun_add(&writer, STUN_MESSAGE_INTEGRITY, view_make(value, size));
        uint8_t *copy = test_copy(view_make(bytes, writer.size));
        assert_int_equal(stun_read(view_make(copy, writer.size), &msg), OK);
        assert_false(stun_integrity_valid(&msg, VIEW("key")));
        free(copy);
    }
}

static void test_bad_addresses(void **state)
{
    (void)state;
    static const uint8_t bytes[24] = { 0, 1, 0x12, 0x34, 192, 0, 2, 1 };
    static const uint8_t six[24] = { 0, 2, 0x12, 0x34, 0x20, 1 };
    static const uint8_t none[24] = { 0, 3 };
    for (size_t size = 0; size <= sizeof(bytes); size++) {
        struct address address = { .port = 99 };
        struct stun_attr attr = { .value = view_make(bytes, size) };
        assert_int_equal(stun_read_address(&attr, &address), size == 8 ? OK : ERR_MALFORMED);
        assert_int_equal(address.port, size == 8 ? 0x1234 : 99);
        attr.value.at = six;
        assert_int_equal(stun_read_address(&attr, &address), size == 20 ? OK : ERR_MALFORMED);
        attr.value.at = none;
        assert_int_equal(stun_read_address(&attr, &address), ERR_MALFORMED);
    }
}

static void test_addresses_there_and_back(void **state)
{
    (void)state;
    static const char *const TEXTS[] = { "192.0.2.1:1", "255.255.255.255:65535", "0.0.0.0:8466",
                                         "[2001:db8::1]:3478", "[::ffff:192.0.2.1]:80" };
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        uint8_t bytes[64];
        struct stun_writer writer;
        struct stun_msg msg;
        struct address address, seen;
        assert_int_equal(address_read(view_of(TEXTS[i]), &address), OK);
        begin(&writer, bytes, sizeof(bytes));
        stun_add_xor_address(&writer, STUN_XOR_MAPPED_ADDRESS, &address);
        read_written(&writer, &msg);
        assert_int_equal(stun_read_xor_address(&msg, &msg.attrs[0], &seen), OK);
        assert_true(address_equal(&seen, &address));
    }
}

static void check_error(const char *value, size_t size, int wanted)
{
    unsigned code = 0;
    struct view reason;
    struct stun_attr attr = { .value = view_make(value, size) };
    assert_int_equal(stun_read_error(&attr, &code, &reason), wanted < 0 ? wanted : OK);
    assert_int_equal(code, wanted < 0 ? 0 : wanted);
}

/* RFC 8489, section 14.8: a class of 3 to 6, a number of 0 to 99. */
static void test_error_codes(void **state)
{
    (void)state;
    check_error("\0\0\3\0", 4, 300);
    check_error("\0\0\4\1", 4, 401);
    check_error("\xff\xff\x26\x63", 4, 699);
    check_error("\0\0\4\x64", 4, ERR_MALFORMED);
    check_error("\0\0\2\x63", 4, ERR_MALFORMED);
    check_error("\0\0\7\0", 4, ERR_MALFORMED);
    check_error("\0\0\4", 3, ERR_MALFORMED);
    check_error("", 0, ERR_MALFORMED);
}

static void test_error_with_a_reason(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct stun_writer writer;
    struct stun_msg msg;
    unsigned code;
    struct view reason;
    begin(&writer, bytes, sizeof(bytes));
    stun_add_error(&writer, 420, VIEW("Unknown Attribute"));
    stun_add_error(&writer, 438, VIEW(""));
    read_written(&writer, &msg);
    assert_int_equal(stun_read_error(&msg.attrs[0], &code, &reason), OK);
    assert_int_equal(code, 420);
    assert_view(reason, "Unknown Attribute");
    assert_int_equal(stun_read_error(&msg.attrs[1], &code, &reason), OK);
    assert_int_equal(code, 438);
    assert_view(reason, "");
}

static void test_every_class_and_method(void **state)
{
    (void)state;
    for (unsigned kind = STUN_REQUEST; kind <= STUN_ERROR; kind++) {
        for (uint16_t method = 0; method < 0x1000; method++) {
            uint8_t bytes[STUN_HEADER_SIZE];
            uint8_t transaction[STUN_TRANSACTION_SIZE] = { 9 };
            struct stun_writer writer;
            struct stun_msg msg;
            stun_begin(&writer, bytes, sizeof(bytes), (enum stun_class)kind, method, transaction);
            read_written(&writer, &msg);
            assert_int_equal(msg.class, kind);
            assert_int_equal(msg.method, method);
        }
    }
}

static size_t write_everything(struct stun_writer *writer, uint8_t *out, size_t capacity)
{
    struct address address;
    assert_int_equal(address_read(VIEW("[2001:db8::1]:3478"), &address), OK);
    begin(writer, out, capacity);
    stun_add(writer, STUN_USERNAME, VIEW("a:b"));
    stun_add_xor_address(writer, STUN_XOR_MAPPED_ADDRESS, &address);
    stun_add_error(writer, 401, VIEW("Unauthenticated"));
    stun_add_integrity(writer, VIEW("key"));
    stun_add_integrity_sha256(writer, VIEW("key"));
    stun_add_fingerprint(writer);
    return writer->size;
}

static void test_writer_at_every_capacity(void **state)
{
    (void)state;
    uint8_t whole[512];
    struct stun_writer writer;
    struct stun_msg msg;
    size_t size = write_everything(&writer, whole, sizeof(whole));
    read_written(&writer, &msg);
    assert_true(stun_integrity_valid(&msg, VIEW("key")));
    assert_true(stun_integrity_sha256_valid(&msg, VIEW("key")));
    assert_true(msg.has_fingerprint);
    for (size_t capacity = 0; capacity <= size; capacity++) {
        uint8_t *out = test_copy(view_make(whole, capacity));
        size_t written = write_everything(&writer, out, capacity);
        assert_int_equal(writer.overflow, capacity < size);
        assert_in_range(written, 0, capacity);
        free(out);
    }
}

/* Attributes have a place of 16 bits, and no datagram is longer. */
static void test_message_of_over_64_kib(void **state)
{
    (void)state;
    const size_t size = STUN_HEADER_SIZE + 0xfffc;
    uint8_t *bytes = calloc(1, size);
    struct stun_writer writer;
    struct stun_msg msg;
    begin(&writer, bytes, size);
    stun_add(&writer, STUN_SOFTWARE, view_make(bytes, 0));
    bytes[2] = 0xff;
    bytes[3] = 0xfc;
    bytes[STUN_HEADER_SIZE + 2] = 0xff;
    bytes[STUN_HEADER_SIZE + 3] = 0xf8;
    assert_int_equal(stun_read(view_make(bytes, size), &msg), ERR_MALFORMED);
    free(bytes);
}

static void test_writer_stops_at_64_kib(void **state)
{
    (void)state;
    const size_t capacity = 80000;
    uint8_t *bytes = calloc(1, capacity);
    uint8_t *value = calloc(1, 40000);
    struct stun_writer writer;
    struct stun_msg msg;
    begin(&writer, bytes, capacity);
    stun_add(&writer, STUN_SOFTWARE, view_make(value, 40000));
    read_written(&writer, &msg);
    stun_add(&writer, STUN_SOFTWARE, view_make(value, 40000));
    assert_true(writer.overflow);
    free(value);
    free(bytes);
}

static void test_print(void **state)
{
    (void)state;
    static const char LINE[] = "stun request method=0x001 0x0006(3) 0x0020(20) 0x0009(19) "
                               "0x0008(20) 0x001c(32) 0x8028(4)";
    uint8_t bytes[256];
    struct stun_writer writer;
    struct stun_msg msg;
    write_everything(&writer, bytes, sizeof(bytes));
    read_written(&writer, &msg);
    for (size_t capacity = 1; capacity < sizeof(LINE) + 10; capacity++) {
        char *out = malloc(capacity);
        size_t size = stun_print(&msg, out, capacity);
        assert_int_equal(size, capacity < sizeof(LINE) ? capacity - 1 : sizeof(LINE) - 1);
        assert_memory_equal(out, LINE, size);
        free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_stun),
        cmocka_unit_test(test_attributes_past_the_end),
        cmocka_unit_test(test_error_leaves_the_message_untouched),
        cmocka_unit_test(test_count_of_attributes),
        cmocka_unit_test(test_of_two_alike_the_first_counts),
        cmocka_unit_test(test_what_stands_behind_integrity_is_left_out),
        cmocka_unit_test(test_nothing_may_follow_the_fingerprint),
        cmocka_unit_test(test_cut_sha256_values),
        cmocka_unit_test(test_integrity_of_a_wrong_size),
        cmocka_unit_test(test_bad_addresses),
        cmocka_unit_test(test_addresses_there_and_back),
        cmocka_unit_test(test_error_codes),
        cmocka_unit_test(test_error_with_a_reason),
        cmocka_unit_test(test_every_class_and_method),
        cmocka_unit_test(test_writer_at_every_capacity),
        cmocka_unit_test(test_message_of_over_64_kib),
        cmocka_unit_test(test_writer_stops_at_64_kib),
        cmocka_unit_test(test_print),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
