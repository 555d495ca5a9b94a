/* test_deflate.c - whole messages by RFC 7692, and what must not come through: bombs, cuts and
 * broken bits. */
#include "support.h"

#include "wire/deflate.h"

static struct deflater *deflater;

static int make_deflater(void **state)
{
    (void)state;
    return deflate_new(&deflater);
}

static int free_deflater(void **state)
{
    (void)state;
    deflate_free(deflater);
    deflate_free(NULL);
    return 0;
}

/* Inflates into memory of exactly `capacity` bytes, which is the caller's to free. */
static int inflate_into(struct view message, size_t capacity, uint8_t **out, size_t *size)
{
    uint8_t *copy = test_copy(message);
    *out = malloc(capacity ? capacity : 1);
    int status = deflate_read(deflater, view_make(copy, message.size), *out, capacity, size);
    free(copy);
    return status;
}

static void check(struct view message, int wanted, const char *text)
{
    uint8_t *out;
    size_t size = 12345;
    assert_int_equal(inflate_into(message, 256, &out, &size), wanted);
    if (wanted == OK)
        assert_view(view_make(out, size), text);
    else
        assert_int_equal(size, 12345);
    free(out);
}

static void check_hex(const char *hex, int wanted, const char *text)
{
    uint8_t bytes[128];
    size_t size = test_read_hex(hex, bytes);
    check(view_make(bytes, size), wanted, text);
}

/* RFC 7692, section 7.2.3 */
static void test_examples(void **state)
{
    (void)state;
    check_hex("f248cdc9c90700", OK, "Hello");
    check_hex("000500faff48656c6c6f00", OK, "Hello");
    check_hex("f348cdc9c9070000", OK, "Hello"); /* BFINAL is set */
    check_hex("f248050000 00ffffcac9c90700", OK, "Hello");
    check_hex("00", OK, "");
}

/* 7.2.3.2: a message that leans on the one before it.  No context is taken over. */
static void test_no_context_is_kept(void **state)
{
    (void)state;
    check_hex("f248cdc9c90700", OK, "Hello");
    check_hex("f200110000", ERR_MALFORMED, NULL);
    check_hex("f248cdc9c90700", OK, "Hello");
}

/* Not what the RFC makes, but what it can only mean. */
static void test_nothing_left_to_say(void **state)
{
    (void)state;
    check_hex("", OK, "");
    check_hex("f348cdc9c90700", OK, "Hello"); /* a final block, and no empty one behind it */
}

/* A message that ends in the middle of a block is broken: what came of it is not told. */
static void test_every_cut(void **state)
{
    (void)state;
    uint8_t bytes[64];
    size_t size = test_read_hex("f248cdc9c90700", bytes);
    for (size_t cut = 1; cut < size; cut++)
        check(view_make(bytes, cut), ERR_MALFORMED, NULL);
    check(view_make(bytes, size), OK, "Hello");
}

static void test_broken_streams(void **state)
{
    (void)state;
    check_hex("06", ERR_MALFORMED, NULL);                     /* block type 3 */
    check_hex("000500fbff48656c6c6f00", ERR_MALFORMED, NULL); /* LEN and NLEN differ */
    check_hex("f248cdc9c90700ffffffff", ERR_MALFORMED, NULL); /* garbage behind it */
    check_hex("ffffffffffffffff", ERR_MALFORMED, NULL);
}

static void test_every_bit_flip_is_safe(void **state)
{
    (void)state;
    uint8_t bytes[64];
    size_t size = test_read_hex("f248cdc9c90700", bytes);
    for (size_t bit = 0; bit < size * 8; bit++) {
        uint8_t *out;
        size_t out_size;
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        int status = inflate_into(view_make(bytes, size), 64, &out, &out_size);
        assert_true(status == OK || status == ERR_MALFORMED || status == ERR_LIMIT);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        free(out);
    }
    check(view_make(bytes, size), OK, "Hello");
}

static void test_any_bytes_are_safe(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (unsigned round = 0; round < 2000; round++) {
        uint8_t bytes[64];
        uint8_t *out;
        size_t size;
        test_random_fill(&seed, bytes, sizeof(bytes));
        int status = inflate_into(view_make(bytes, bytes[0] % 64u), 300, &out, &size);
        assert_true(status == OK || status == ERR_MALFORMED || status == ERR_LIMIT);
        free(out);
    }
}

/* 10 MB of zeros in some 10 KB: it stops at the capacity. */
static void test_bomb(void **state)
{
    (void)state;
    const size_t size = 10000000;
    uint8_t *zeros = calloc(1, size);
    uint8_t *bomb = malloc(100000);
    size_t bomb_size, out_size;
    uint8_t *out;
    assert_int_equal(deflate_write(deflater, view_make(zeros, size), bomb, 100000, &bomb_size), OK);
    assert_in_range(bomb_size, 1, 60000);
    int status = inflate_into(view_make(bomb, bomb_size), 65537, &out, &out_size);
    assert_int_equal(status, ERR_LIMIT);
    free(out);
    free(bomb);
    free(zeros);
}

/* A message that fills the capacity is over it: the last byte is there to tell. */
static void test_every_capacity(void **state)
{
    (void)state;
    static const char *const MESSAGES[] = { "f248cdc9c90700", "f348cdc9c90700" };
    for (unsigned i = 0; i < 2; i++) {
        uint8_t bytes[64];
        size_t message_size = test_read_hex(MESSAGES[i], bytes);
        for (size_t capacity = 0; capacity < 10; capacity++) {
            uint8_t *out;
            size_t size;
            int status = inflate_into(view_make(bytes, message_size), capacity, &out, &size);
            assert_int_equal(status, capacity <= 5 ? ERR_LIMIT : OK);
            free(out);
        }
    }
}

static void check_there_and_back(struct view message)
{
    size_t capacity = message.size + message.size / 8 + 64;
    uint8_t *packed = malloc(capacity);
    uint8_t *out;
    size_t packed_size, size;
    assert_int_equal(deflate_write(deflater, message, packed, capacity, &packed_size), OK);
    assert_int_equal(inflate_into(view_make(packed, packed_size), message.size + 1, &out, &size),
                     OK);
    assert_int_equal(size, message.size);
    assert_memory_equal(out, message.at, size);
    free(out);
    free(packed);
}

static void test_there_and_back(void **state)
{
    (void)state;
    uint64_t seed = 1;
    uint8_t *bytes = malloc(70000);
    static const size_t SIZES[] = { 1, 2, 100, 1024, 32768, 65535, 65536, 70000 };
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        test_random_fill(&seed, bytes, SIZES[i]); /* does not shrink */
        check_there_and_back(view_make(bytes, SIZES[i]));
        for (size_t j = 0; j < SIZES[i]; j++)
            bytes[j] = (uint8_t)('a' + (j * j) % 11);
        check_there_and_back(view_make(bytes, SIZES[i]));
    }
    free(bytes);
}

static void test_empty_message(void **state)
{
    (void)state;
    uint8_t out[16];
    size_t size;
    assert_int_equal(deflate_write(deflater, VIEW(""), out, sizeof(out), &size), OK);
    assert_int_equal(size, 1); /* section 7.2.3.6 */
    assert_int_equal(out[0], 0);
    assert_int_equal(deflate_write(deflater, view_make(NULL, 0), out, sizeof(out), &size), OK);
    assert_int_equal(size, 1);
}

/* Too little room, at every size of it; the next message is not spoilt by that. */
static void test_write_at_every_capacity(void **state)
{
    (void)state;
    uint8_t whole[256];
    size_t whole_size;
    struct view message = VIEW("a text of letters: bcdfghjkmnpqvwxyz, 0123456789");
    assert_int_equal(deflate_write(deflater, message, whole, sizeof(whole), &whole_size), OK);
    for (size_t capacity = 0; capacity <= whole_size + 5; capacity++) {
        uint8_t *out = malloc(capacity ? capacity : 1);
        size_t size;
        int status = deflate_write(deflater, message, out, capacity, &size);
        assert_int_equal(status, capacity <= whole_size + 4 ? ERR_LIMIT : OK);
        free(out);
        check_there_and_back(message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_no_context_is_kept),
        cmocka_unit_test(test_nothing_left_to_say),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_broken_streams),
        cmocka_unit_test(test_every_bit_flip_is_safe),
        cmocka_unit_test(test_any_bytes_are_safe),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_every_capacity),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_empty_message),
        cmocka_unit_test(test_write_at_every_capacity),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_deflater, free_deflater);
}
