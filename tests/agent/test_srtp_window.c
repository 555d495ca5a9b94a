/* test_srtp_window.c - the index of a packet guessed from its sequence number, and what has been,
 * against a plain model. */
#include "support.h"

#include "agent/srtp_window.h"

#define COUNTER(rollovers, sequence) ((uint64_t)(rollovers) << 16 | (sequence))

static struct secure_window window_at(uint64_t highest)
{
    struct secure_window window = { 0 };
    secure_window_add(&window, highest);
    return window;
}

static void assert_guess(uint64_t highest, uint16_t sequence, uint64_t wanted)
{
    struct secure_window window = window_at(highest);
    uint64_t index = UINT64_MAX;
    assert_int_equal(secure_window_guess(&window, sequence, &index), OK);
    assert_int_equal(index, wanted);
}

static void assert_no_guess(uint64_t highest, uint16_t sequence, int wanted)
{
    struct secure_window window = window_at(highest);
    uint64_t index = 77;
    assert_int_equal(secure_window_guess(&window, sequence, &index), wanted);
    assert_int_equal(index, 77);
}

/* What RFC 3711's appendix A says, in its own words; a rollover counter of -1 has no packets. */
static int guess_as_in_appendix_a(uint64_t highest, uint16_t sequence, uint64_t *index)
{
    int64_t rollovers = (int64_t)(highest >> 16), guess = rollovers;
    int32_t last = (int32_t)(highest & 0xffff);
    if (last < 32768) {
        if (sequence - last > 32768)
            guess = rollovers - 1;
    } else {
        if (last - 32768 > sequence)
            guess = rollovers + 1;
    }
    if (guess < 0)
        return ERR_OLD;
    if (guess > UINT32_MAX)
        return ERR_LIMIT;
    *index = (uint64_t)guess << 16 | sequence;
    return OK;
}

static void test_guess(void **state)
{
    (void)state;
    assert_guess(100, 101, 101);
    assert_guess(100, 99, 99);
    assert_guess(65535, 0, COUNTER(1, 0));
    assert_guess(COUNTER(1, 0), 65535, 65535);
    assert_guess(COUNTER(7, 65000), 10, COUNTER(8, 10));
    assert_guess(COUNTER(7, 10), 65000, COUNTER(6, 65000));
    assert_guess(COUNTER(UINT32_MAX, 65534), 65535, SECURE_INDEX_MAX);
}

static void test_guess_without_a_beginning(void **state)
{
    (void)state;
    struct secure_window window = { 0 };
    assert_true(secure_window_empty(&window));
    for (uint32_t sequence = 0; sequence <= UINT16_MAX; sequence += 255) {
        uint64_t index;
        assert_int_equal(secure_window_guess(&window, (uint16_t)sequence, &index), OK);
        assert_int_equal(index, sequence);
        assert_int_equal(secure_window_check(&window, index), OK);
    }
}

static void test_guess_past_the_ends(void **state)
{
    (void)state;
    assert_no_guess(0, 65535, ERR_OLD);
    assert_no_guess(1000, 65000, ERR_OLD);
    assert_no_guess(SECURE_INDEX_MAX, 0, ERR_LIMIT);
    assert_no_guess(SECURE_INDEX_MAX - 5, 30000, ERR_LIMIT);
}

static void test_guess_against_the_appendix(void **state)
{
    (void)state;
    static const uint32_t ROLLOVERS[] = { 0, 1, 0x7fffffff, UINT32_MAX };
    static const uint16_t LAST[] = { 0, 1, 32766, 32767, 32768, 32769, 65534, 65535 };
    for (size_t r = 0; r < sizeof(ROLLOVERS) / sizeof(ROLLOVERS[0]); r++)
        for (size_t l = 0; l < sizeof(LAST) / sizeof(LAST[0]); l++)
            for (uint32_t sequence = 0; sequence <= UINT16_MAX; sequence++) {
                uint64_t highest = COUNTER(ROLLOVERS[r], LAST[l]), seen = 1, wanted = 1;
                struct secure_window window = window_at(highest);
                int status = guess_as_in_appendix_a(highest, (uint16_t)sequence, &wanted);
                assert_int_equal(secure_window_guess(&window, (uint16_t)sequence, &seen), status);
                assert_int_equal(seen, wanted);
            }
}

static void test_what_has_been(void **state)
{
    (void)state;
    struct secure_window window = window_at(1000);
    assert_false(secure_window_empty(&window));
    assert_int_equal(secure_window_check(&window, 1000), ERR_REPLAYED);
    assert_int_equal(secure_window_check(&window, 1001), OK);
    assert_int_equal(secure_window_check(&window, 999), OK);
    secure_window_add(&window, 999);
    assert_int_equal(secure_window_check(&window, 999), ERR_REPLAYED);
    assert_int_equal(window.highest, 1000);
    /* the last that is within, and the first that is not */
    assert_int_equal(secure_window_check(&window, 1000 - SECURE_WINDOW + 1), OK);
    assert_int_equal(secure_window_check(&window, 1000 - SECURE_WINDOW), ERR_OLD);
    /* 0 is an index as any other */
    struct secure_window first = window_at(0);
    assert_int_equal(secure_window_check(&first, 0), ERR_REPLAYED);
    assert_int_equal(secure_window_check(&first, 1), OK);
}

/* Steps of all lengths, forward and back, against a table of all that has been. */
static void test_random_against_a_model(void **state)
{
    (void)state;
    static bool seen[1 << 20];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t chance = seed;
        struct secure_window window = { 0 };
        memset(seen, 0, sizeof(seen));
        int64_t highest = -1;
        for (int i = 0; i < 3000; i++) {
            uint16_t bytes[2];
            test_random_fill(&chance, bytes, sizeof(bytes));
            static const int STEPS[] = { 2, 40, 70, 500, 4000 };
            int64_t step = bytes[0] % STEPS[bytes[1] % 5];
            int64_t index = bytes[1] & 0x4000 ? highest - step : highest + step;
            if (index < 0 || index >= (int64_t)sizeof(seen))
                continue;
            int wanted = highest - index >= SECURE_WINDOW ? ERR_OLD
                         : seen[index]                    ? ERR_REPLAYED
                                                          : OK;
            assert_int_equal(secure_window_check(&window, (uint64_t)index), wanted);
            if (wanted != OK)
                continue;
            secure_window_add(&window, (uint64_t)index);
            seen[index] = true;
            highest = index > highest ? index : highest;
            assert_int_equal(window.highest, highest);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guess),
        cmocka_unit_test(test_guess_without_a_beginning),
        cmocka_unit_test(test_guess_past_the_ends),
        cmocka_unit_test(test_guess_against_the_appendix),
        cmocka_unit_test(test_what_has_been),
        cmocka_unit_test(test_random_against_a_model),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
