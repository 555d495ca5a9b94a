/* test_view.c - borrowed bytes: bounds that are cut, comparisons, searches, numbers. */
#include "support.h"

static const struct view NONE = { NULL, 0 };

static void test_of_text(void **state)
{
    (void)state;
    assert_int_equal(view_of("abc").size, 3);
    assert_int_equal(view_of("").size, 0);
    assert_int_equal(view_of(NULL).size, 0);
    assert_null(view_of(NULL).at);
    assert_int_equal(VIEW("a\0b").size, 3);
}

static void test_slice(void **state)
{
    (void)state;
    struct view v = VIEW("abcde");
    assert_view(view_slice(v, 0, 5), "abcde");
    assert_view(view_slice(v, 1, 3), "bcd");
    assert_view(view_slice(v, 3, 9), "de");
    assert_view(view_slice(v, 3, SIZE_MAX), "de");
    assert_view(view_slice(v, 5, 1), "");
    assert_view(view_slice(v, 6, 1), "");
    assert_view(view_slice(v, SIZE_MAX, SIZE_MAX), "");
    assert_ptr_equal(view_slice(v, SIZE_MAX, 1).at, v.at + 5);
    assert_null(view_slice(NONE, 0, 1).at);
}

static void test_equal(void **state)
{
    (void)state;
    assert_true(view_equal(VIEW("abc"), VIEW("abc")));
    assert_false(view_equal(VIEW("abc"), VIEW("abC")));
    assert_false(view_equal(VIEW("abc"), VIEW("ab")));
    assert_false(view_equal(VIEW("a\0b"), VIEW("a\0c")));
    assert_true(view_equal(NONE, VIEW("")));
}

static void test_equal_nocase(void **state)
{
    (void)state;
    assert_true(view_equal_nocase(VIEW("AbZz09-"), VIEW("aBzZ09-")));
    assert_false(view_equal_nocase(VIEW("abc"), VIEW("abcd")));
    assert_true(view_equal_nocase(NONE, VIEW("")));
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            uint8_t left = (uint8_t)a, right = (uint8_t)b;
            bool is_upper = (a >= 'A' && a <= 'Z' && b == a + 32);
            bool is_lower = (a >= 'a' && a <= 'z' && b == a - 32);
            assert_int_equal(view_equal_nocase(view_make(&left, 1), view_make(&right, 1)),
                             a == b || is_upper || is_lower);
        }
    }
}

/* It must see a difference in any bit of any byte. */
static void test_equal_secret(void **state)
{
    (void)state;
    uint8_t a[20], b[20];
    uint64_t seed = 1;
    test_random_fill(&seed, a, sizeof(a));
    memcpy(b, a, sizeof(a));
    assert_true(view_equal_secret(view_make(a, sizeof(a)), view_make(b, sizeof(b))));
    for (size_t bit = 0; bit < sizeof(b) * 8; bit++) {
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(view_equal_secret(view_make(a, sizeof(a)), view_make(b, sizeof(b))));
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_false(view_equal_secret(view_make(a, 19), view_make(b, 20)));
    assert_true(view_equal_secret(NONE, NONE));
}

static void test_starts(void **state)
{
    (void)state;
    assert_true(view_starts(VIEW("abc"), VIEW("")));
    assert_true(view_starts(VIEW("abc"), VIEW("ab")));
    assert_true(view_starts(VIEW("abc"), VIEW("abc")));
    assert_false(view_starts(VIEW("abc"), VIEW("abcd")));
    assert_false(view_starts(VIEW("abc"), VIEW("b")));
    assert_true(view_starts(NONE, NONE));
}

static void test_find(void **state)
{
    (void)state;
    assert_int_equal(view_find_byte(VIEW("abca"), 'a'), 0);
    assert_int_equal(view_find_byte(VIEW("abca"), 'c'), 2);
    assert_int_equal(view_find_byte(VIEW("abca"), 'x'), 4);
    assert_int_equal(view_find_byte(NONE, 'x'), 0);
    assert_int_equal(view_find(VIEW("ababc"), VIEW("abc")), 2);
    assert_int_equal(view_find(VIEW("ababc"), VIEW("ababcd")), 5);
    assert_int_equal(view_find(VIEW("ababc"), VIEW("x")), 5);
    assert_int_equal(view_find(VIEW("ababc"), VIEW("")), 0);
    assert_int_equal(view_find(NONE, VIEW("a")), 0);
    assert_int_equal(view_find(NONE, NONE), 0);
}

static void test_trim(void **state)
{
    (void)state;
    assert_view(view_trim(VIEW(" \ta b\t ")), "a b");
    assert_view(view_trim(VIEW(" \t ")), "");
    assert_view(view_trim(VIEW("\r\na")), "\r\na");
    assert_view(view_trim(NONE), "");
}

static void check_split(const char *text, const char *wanted)
{
    char seen[64] = "";
    struct view rest = view_of(text);
    struct view part;
    while (view_split(&rest, ',', &part))
        snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "<%.*s>", VIEW_ARGS(part));
    assert_string_equal(seen, wanted);
}

static void test_split(void **state)
{
    (void)state;
    check_split(NULL, "");
    check_split("", "<>");
    check_split("a", "<a>");
    check_split("a,b", "<a><b>");
    check_split("a,", "<a><>");
    check_split(",a", "<><a>");
    check_split(",,", "<><><>");
    struct view rest = NONE;
    struct view part = VIEW("untouched");
    assert_false(view_split(&rest, ',', &part));
    assert_view(part, "untouched");
}

static void check_number(const char *text, uint64_t most, bool wanted, uint64_t number)
{
    uint64_t seen = 77;
    assert_int_equal(view_read_number(view_of(text), most, &seen), wanted);
    assert_int_equal(seen, wanted ? number : 77);
}

static void test_read_number(void **state)
{
    (void)state;
    check_number("0", 0, true, 0);
    check_number("007", 10, true, 7);
    check_number("10", 10, true, 10);
    check_number("11", 10, false, 0);
    check_number("18446744073709551615", UINT64_MAX, true, UINT64_MAX);
    check_number("18446744073709551616", UINT64_MAX, false, 0);
    check_number("18446744073709551625", UINT64_MAX, false, 0);
    check_number("99999999999999999999999", UINT64_MAX, false, 0);
    check_number(NULL, 10, false, 0);
    check_number("", 10, false, 0);
    check_number("-1", 10, false, 0);
    check_number("+1", 10, false, 0);
    check_number(" 1", 10, false, 0);
    check_number("1 ", 10, false, 0);
    check_number("1a", 10, false, 0);
    check_number("/", 10, false, 0); /* the neighbours of the digits */
    check_number(":", 10, false, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_text),      cmocka_unit_test(test_slice),
        cmocka_unit_test(test_equal),        cmocka_unit_test(test_equal_nocase),
        cmocka_unit_test(test_equal_secret), cmocka_unit_test(test_starts),
        cmocka_unit_test(test_find),         cmocka_unit_test(test_trim),
        cmocka_unit_test(test_split),        cmocka_unit_test(test_read_number),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
