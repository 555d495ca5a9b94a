/* test_rtp_sequence.c - the order of numbers that wrap, against plain arithmetic. */
#include "support.h"

#include "wire/rtp_sequence.h"

static void test_later(void **state)
{
    (void)state;
    assert_true(rtp_sequence_later(1, 0));
    assert_true(rtp_sequence_later(0, 65535));
    assert_true(rtp_sequence_later(32767, 0));
    assert_false(rtp_sequence_later(0, 0));
    assert_false(rtp_sequence_later(32769, 0));
    assert_true(rtp_timestamp_later(5, 0xfffffff0u));
    assert_false(rtp_timestamp_later(0xfffffff0u, 5));
    assert_false(rtp_timestamp_later(7, 7));
    assert_int_equal(rtp_sequence_distance(3, 65533), 6);
    assert_int_equal(rtp_sequence_distance(65533, 3), -6);
    assert_int_equal(rtp_timestamp_distance(3, 0xfffffffdu), 6);
}

/* Of any two that differ, exactly one is the later. */
static void test_later_is_an_order(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < 65536; a += 257)
        for (uint32_t b = 0; b < 65536; b += 255)
            assert_int_equal(rtp_sequence_later((uint16_t)a, (uint16_t)b) +
                                 rtp_sequence_later((uint16_t)b, (uint16_t)a),
                             a != b);
    assert_int_equal(rtp_sequence_later(0x8000, 0) + rtp_sequence_later(0, 0x8000), 1);
    assert_int_equal(rtp_timestamp_later(0x80000005u, 5) + rtp_timestamp_later(5, 0x80000005u), 1);
}

/* A stream that goes on by steps of any size up to half the circle, with late ones between. */
static void test_unwrapped(void **state)
{
    (void)state;
    uint64_t random = 4711;
    for (unsigned round = 0; round < 50; round++) {
        struct rtp_unwrapper sequence = { 0 };
        struct rtp_unwrapper timestamp = { 0 };
        uint64_t true_sequence = 0;
        uint64_t true_timestamp = 0;
        test_random_fill(&random, &true_sequence, 2);
        test_random_fill(&random, &true_timestamp, 4);
        true_sequence += 0x10000;
        true_timestamp += 0x100000000u;
        uint64_t first = true_sequence;
        for (unsigned i = 0; i < 1000; i++) {
            uint16_t back = 0;
            assert_true(rtp_unwrap_sequence(&sequence, (uint16_t)true_sequence) == true_sequence);
            assert_true(rtp_unwrap_timestamp(&timestamp, (uint32_t)true_timestamp) ==
                        true_timestamp);
            test_random_fill(&random, &back, 2);
            back = back % 0x8000;
            assert_true(rtp_unwrap_sequence(&sequence, (uint16_t)(true_sequence - back)) ==
                        true_sequence - back);
            true_sequence += 1 + back % 0x7fff;
            true_timestamp += 1u + back * 65535u;
        }
        assert_true(sequence.highest > first);
    }
}

static void test_late_before_the_first(void **state)
{
    (void)state;
    struct rtp_unwrapper unwrapper = { 0 };
    assert_true(rtp_unwrap_sequence(&unwrapper, 2) == 0x10002);
    assert_true(rtp_unwrap_sequence(&unwrapper, 65534) == 0xfffe);
    assert_true(rtp_unwrap_sequence(&unwrapper, 3) == 0x10003);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_later),
        cmocka_unit_test(test_later_is_an_order),
        cmocka_unit_test(test_unwrapped),
        cmocka_unit_test(test_late_before_the_first),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
