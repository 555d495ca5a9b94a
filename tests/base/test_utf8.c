/* test_utf8.c - every code point, both sides of every boundary of RFC 3629, at every place of the
 * words that are read eight bytes at a time. */
#include "support.h"

#include "base/utf8.h"

/* The bit pattern of section 3, for any number: also those that are not allowed. */
static size_t encode(uint32_t point, size_t size, uint8_t out[4])
{
    static const uint8_t FIRST[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = size; i-- > 1; point >>= 6)
        out[i] = (uint8_t)(0x80 | (point & 0x3f));
    out[0] = (uint8_t)(FIRST[size] | point);
    return size;
}

static bool is_valid(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = test_copy(view_make(bytes, size));
    bool result = utf8_valid(view_make(copy, size));
    free(copy);
    return result;
}

static size_t shortest(uint32_t point)
{
    return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

/* All numbers that four bytes can hold, in every length that can hold them. */
static void test_every_number_in_every_length(void **state)
{
    (void)state;
    static const uint32_t END[] = { 0, 0x80, 0x800, 0x10000, 0x200000 };
    for (size_t size = 1; size <= 4; size++) {
        for (uint32_t point = 0; point < END[size]; point++) {
            uint8_t bytes[4];
            bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
            bool wanted = shortest(point) == size && !is_surrogate && point <= 0x10ffff;
            encode(point, size, bytes);
            if (utf8_valid(view_make(bytes, size)) != wanted) {
                print_error("U+%04X in %zu bytes\n", point, size);
                fail();
            }
        }
    }
}

/* Whatever the second and third byte are. */
static void test_every_pair_and_first_bytes(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        uint8_t one = (uint8_t)first;
        assert_int_equal(is_valid(&one, 1), first < 0x80);
        for (unsigned second = 0; second < 256; second++) {
            uint8_t two[2] = { (uint8_t)first, (uint8_t)second };
            bool is_pair = first >= 0xc2 && first <= 0xdf && second >= 0x80 && second <= 0xbf;
            assert_int_equal(utf8_valid(view_make(two, 2)),
                             (first < 0x80 && second < 0x80) || is_pair);
        }
    }
}

static void test_boundaries_at_every_place(void **state)
{
    (void)state;
    static const uint32_t GOOD[] = { 0,      0x7f,   0x80,   0x7ff,   0x800,
                                     0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff };
    static const uint32_t BAD[] = { 0xd800, 0xdbff, 0xdc00, 0xdfff, 0x110000, 0x1fffff };
    for (size_t before = 0; before < 18; before++) {
        for (size_t after = 0; after < 10; after++) {
            uint8_t bytes[40];
            for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
                memset(bytes, 'a', sizeof(bytes));
                size_t size = encode(GOOD[i], shortest(GOOD[i]), bytes + before);
                assert_true(is_valid(bytes, before + size + after));
            }
            for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
                memset(bytes, 'a', sizeof(bytes));
                size_t size = encode(BAD[i], shortest(BAD[i]), bytes + before);
                assert_false(is_valid(bytes, before + size + after));
            }
        }
    }
}

static void test_lone_byte_at_every_place(void **state)
{
    (void)state;
    for (size_t size = 1; size < 26; size++) {
        for (size_t at = 0; at < size; at++) {
            uint8_t bytes[26];
            memset(bytes, 'a', sizeof(bytes));
            bytes[at] = 0x80;
            assert_false(is_valid(bytes, size));
            bytes[at] = 0xff;
            assert_false(is_valid(bytes, size));
        }
    }
}

static void test_every_cut(void **state)
{
    (void)state;
    struct view text = VIEW("a\u00e9\ubaa8\uc784\U0001f642b");
    for (size_t cut = 0; cut <= text.size; cut++) {
        bool is_whole = cut == text.size || (text.at[cut] & 0xc0) != 0x80;
        assert_int_equal(is_valid(text.at, cut), is_whole);
    }
}

static void test_lone_bytes(void **state)
{
    (void)state;
    assert_true(utf8_valid(view_make(NULL, 0)));
    assert_false(utf8_valid(VIEW("\x80")));
    assert_false(utf8_valid(VIEW("a\xbf")));
    assert_false(utf8_valid(VIEW("\xc3\xa9\xa9")));
    assert_false(utf8_valid(VIEW("\xc3(")));
    assert_false(utf8_valid(VIEW("\xe2\x82(")));
    assert_false(utf8_valid(VIEW("\xf0\x9f\x99(")));
    assert_false(utf8_valid(VIEW("\xfe")));
    assert_false(utf8_valid(VIEW("\xff")));
    assert_false(utf8_valid(VIEW("\xc0\x80")));
    assert_false(utf8_valid(VIEW("\xf8\x88\x80\x80\x80")));
}

static void test_controls(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x3000; point++) {
        uint8_t bytes[4];
        size_t size = encode(point, shortest(point), bytes);
        bool wanted = point < 0x20 || (point >= 0x7f && point < 0xa0);
        assert_int_equal(utf8_has_control(view_make(bytes, size)), wanted);
    }
    assert_false(utf8_has_control(view_make(NULL, 0)));
    assert_true(utf8_has_control(VIEW("plain\xc2\x85")));
    assert_false(utf8_has_control(VIEW("plain \ubaa8\U0001f642")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_number_in_every_length),
        cmocka_unit_test(test_every_pair_and_first_bytes),
        cmocka_unit_test(test_boundaries_at_every_place),
        cmocka_unit_test(test_lone_byte_at_every_place),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_lone_bytes),
        cmocka_unit_test(test_controls),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
