/* test_ntp.c - NTP's time there and back, and the round trip of RFC 3550's own example. */
#include "support.h"

#include "wire/ntp.h"

static void test_there_and_back(void **state)
{
    (void)state;
    static const usec TIMES[] = { 0, 1, 999999, USEC_S, 1234567890123456, 4294967295 * USEC_S };
    for (size_t i = 0; i < sizeof(TIMES) / sizeof(TIMES[0]); i++)
        assert_true(ntp_to_usec(ntp_of_usec(TIMES[i])) == TIMES[i]);
    for (usec time = 0; time < USEC_S; time += 997)
        assert_true(ntp_to_usec(ntp_of_usec(time)) == time);
    assert_true(ntp_of_usec(USEC_S / 2) == 0x80000000u);
    assert_true(ntp_of_usec(3 * USEC_S) == 3ull << 32);
}

static void test_short_durations(void **state)
{
    (void)state;
    assert_int_equal(ntp_short_of_usec(USEC_S), 0x10000);
    assert_int_equal(ntp_short_of_usec(USEC_S / 4), 0x4000);
    assert_true(ntp_short_of_usec(65536 * USEC_S) == 0xffffffffu);
    assert_true(ntp_short_of_usec(USEC_NEVER) == 0xffffffffu);
    assert_int_equal(ntp_short_to_usec(0x18000), 1500000);
}

/* RFC 3550, figure 2: A = 0xb710:8000, DLSR = 0x0005:4000, LSR = 0xb705:2000, 6.125 s. */
static void test_round_trip(void **state)
{
    (void)state;
    assert_int_equal(ntp_middle(0xb44db70520000000u), 0xb7052000u);
    assert_int_equal(ntp_round_trip(0xb7108000u, 0xb7052000u, 0x00054000u), 6125000);
    assert_int_equal(ntp_round_trip(0x00010000u, 0xffff0000u, 0x00008000u), 1500000);
    assert_int_equal(ntp_round_trip(0x00010000u, 0x00008000u, 0x00008001u), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_short_durations),
        cmocka_unit_test(test_round_trip),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
