/* test_small.c - what of the base is too small for a test file of its own: hex digits, status
 * words, units of time. */
#include "support.h"

#include "base/hex.h"
#include "base/usec.h"

static void test_hex_digits(void **state)
{
    (void)state;
    static const char LOWER[] = "0123456789abcdef";
    static const char UPPER[] = "0123456789ABCDEF";
    for (unsigned c = 0; c < 256; c++) {
        const char *lower = c ? strchr(LOWER, (int)c) : NULL;
        const char *upper = c ? strchr(UPPER, (int)c) : NULL;
        int wanted = lower ? (int)(lower - LOWER) : upper ? (int)(upper - UPPER) : -1;
        assert_int_equal(hex_digit((uint8_t)c), wanted);
    }
}

/* Every status has words of its own, and no other number has. */
static void test_status_words(void **state)
{
    (void)state;
    static const int ALL[] = {
#define VALUE(name, value, text) name,
        STATUS_TABLE(VALUE)
#undef VALUE
    };
    size_t count = sizeof(ALL) / sizeof(ALL[0]);
    assert_int_equal(OK, 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(ALL[i], -(int)i);
        assert_true(strlen(status_text(ALL[i])) > 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(status_text(ALL[i]), status_text(ALL[j]));
        assert_string_not_equal(status_text(ALL[i]), "unknown status");
    }
    assert_string_equal(status_text(1), "unknown status");
    assert_string_equal(status_text(-(int)count), "unknown status");
}

static void test_units(void **state)
{
    (void)state;
    assert_int_equal(USEC_S, 1000 * USEC_MS);
    assert_true(USEC_NEVER > 100000 * (365 * 24 * 3600 * USEC_S)); /* later than any clock says */
    assert_int_equal(sizeof(usec), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hex_digits),
        cmocka_unit_test(test_status_words),
        cmocka_unit_test(test_units),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
