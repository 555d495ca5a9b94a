/* test_bits.c - numbers of bits, against a reader that takes one bit at a time. */
#include "support.h"

#include "wire/bits.h"

static uint32_t slow(const uint8_t *bytes, size_t from, unsigned count)
{
    uint32_t value = 0;
    for (size_t i = from; i < from + count; i++)
        value = value << 1 | ((uint32_t)bytes[i / 8] >> (7 - i % 8) & 1);
    return value;
}

static void test_any_count_at_any_place(void **state)
{
    (void)state;
    uint64_t random = 7;
    uint8_t bytes[16];
    test_random_fill(&random, bytes, sizeof(bytes));
    for (size_t from = 0; from < 64; from++) {
        for (unsigned count = 0; count <= 32; count++) {
            struct bits bits = bits_of(view_make(bytes, sizeof(bytes)));
            bits_skip(&bits, from);
            assert_int_equal(bits_take(&bits, count), slow(bytes, from, count));
            assert_int_equal(bits_left(&bits), 128 - from - count);
            assert_false(bits.overrun);
        }
    }
}

static void test_past_the_end(void **state)
{
    (void)state;
    struct bits bits = bits_of(VIEW("\xff"));
    assert_int_equal(bits_take(&bits, 7), 127);
    assert_int_equal(bits_take(&bits, 2), 0);
    assert_true(bits.overrun);
    assert_int_equal(bits_left(&bits), 0);
    bits = bits_of(VIEW("a"));
    bits_skip(&bits, 9);
    assert_true(bits.overrun);
    bits = bits_of(VIEW(""));
    assert_int_equal(bits_take(&bits, 0), 0);
    assert_false(bits.overrun);
    assert_false(bits_take_flag(&bits));
    assert_true(bits.overrun);
}

static uint32_t take_ns(const char *byte, uint32_t most, size_t *used)
{
    struct bits bits = bits_of(view_make(byte, 1));
    uint32_t value = bits_take_ns(&bits, most);
    *used = bits.read;
    return value;
}

/* AV1, section 4.10.7: of five values, three have two bits and two have three. */
static void test_ns(void **state)
{
    (void)state;
    static const struct {
        uint8_t byte;
        uint32_t most, value;
        size_t used;
    } CASES[] = {
        { 0x00, 5, 0, 2 }, { 0x40, 5, 1, 2 }, { 0x80, 5, 2, 2 }, { 0xc0, 5, 3, 3 },
        { 0xe0, 5, 4, 3 }, { 0xff, 1, 0, 0 }, { 0x80, 2, 1, 1 }, { 0xc0, 4, 3, 2 },
        { 0x00, 3, 0, 1 }, { 0x80, 3, 1, 2 }, { 0xc0, 3, 2, 2 },
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        size_t used;
        char byte = (char)CASES[i].byte;
        assert_int_equal(take_ns(&byte, CASES[i].most, &used), CASES[i].value);
        assert_int_equal(used, CASES[i].used);
    }
}

/* ITU-T H.264, table 9-2 and table 9-3. */
static void test_exp_golomb(void **state)
{
    (void)state;
    /* 1 010 011 00100 00101 00110 00111 0001000 */
    static const uint8_t BYTES[] = { 0xa6, 0x42, 0x98, 0xe2, 0x00 };
    struct bits bits = bits_of(view_make(BYTES, sizeof(BYTES)));
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(bits_take_ue(&bits), i);
    static const int SIGNED[] = { 0, 1, -1, 2, -2, 3, -3, 4 };
    bits = bits_of(view_make(BYTES, sizeof(BYTES)));
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(bits_take_se(&bits), SIGNED[i]);
    bits = bits_of(VIEW("\0\0\0\1\xff\xff\xff\xff"));
    assert_true(bits_take_ue(&bits) == 0xfffffffeu);
    assert_false(bits.overrun);
    bits = bits_of(VIEW("\0\0\0\0\xff\xff\xff\xff\xff"));
    assert_int_equal(bits_take_ue(&bits), 0);
    assert_true(bits.overrun);
    bits = bits_of(VIEW("\0"));
    assert_int_equal(bits_take_ue(&bits), 0);
    assert_true(bits.overrun);
}

static void check_leb128(struct view bytes, uint32_t wanted, bool overrun)
{
    struct bits bits = bits_of(bytes);
    assert_int_equal(bits_take_leb128(&bits), wanted);
    assert_int_equal(bits.overrun, overrun);
}

static void test_leb128(void **state)
{
    (void)state;
    check_leb128(VIEW("\0"), 0, false);
    check_leb128(VIEW("\x7f"), 127, false);
    check_leb128(VIEW("\x80\1"), 128, false);
    check_leb128(VIEW("\xe5\x8e\x26"), 624485, false);
    check_leb128(VIEW("\xff\xff\xff\xff\x0f"), 0xffffffff, false);
    check_leb128(VIEW("\xff\xff\xff\xff\x1f"), 0, true);
    check_leb128(VIEW("\x80\x80\x80\x80\x80\x80\x80\0"), 0, false);
    check_leb128(VIEW("\x80\x80\x80\x80\x80\x80\x80\x80\0"), 0, true);
    check_leb128(VIEW("\x80"), 0, true);
    check_leb128(VIEW(""), 0, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_count_at_any_place),
        cmocka_unit_test(test_past_the_end),
        cmocka_unit_test(test_ns),
        cmocka_unit_test(test_exp_golomb),
        cmocka_unit_test(test_leb128),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
