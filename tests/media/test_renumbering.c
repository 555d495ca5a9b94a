/* What is counted anew is what a slow and simple count says. */
#include "support.h"

#include "media/renumbering.h"

#define MANY 20000

static struct renumbering numbers;

static uint64_t state_of_chance;

static unsigned chance(unsigned below)
{
    state_of_chance = state_of_chance * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state_of_chance >> 33) % below;
}

static uint64_t out_of(uint64_t in)
{
    uint64_t out;
    assert_true(renumbering_out(&numbers, in, &out));
    return out;
}

static uint64_t in_of(uint64_t out)
{
    uint64_t in;
    assert_true(renumbering_in(&numbers, out, &in));
    return in;
}

static void test_order(void **state)
{
    uint64_t any;
    (void)state;
    renumbering_begin(&numbers, 1000, 5);
    assert_int_equal(out_of(1000), 5);
    assert_int_equal(out_of(999), 4);
    renumbering_add(&numbers, 1001, false);
    renumbering_add(&numbers, 1002, true);
    assert_int_equal(out_of(1002), 6);
    assert_false(renumbering_out(&numbers, 1001, &any));
    assert_false(renumbering_out(&numbers, 1003, &any));
    assert_false(renumbering_in(&numbers, 7, &any));
    assert_int_equal(in_of(6), 1002);
    assert_int_equal(in_of(5), 1000);
    /* what has not come has its place */
    renumbering_add(&numbers, 1005, false);
    assert_int_equal(numbers.out, 8);
    assert_int_equal(out_of(1003), 7);
    assert_int_equal(in_of(8), 1004);
}

static void test_window(void **state)
{
    uint64_t any;
    (void)state;
    renumbering_begin(&numbers, 1 << 20, 1000);
    renumbering_add(&numbers, (1 << 20) + 511, true);
    assert_int_equal(out_of(1 << 20), 1000);
    assert_int_equal(in_of(1000), 1 << 20);
    renumbering_add(&numbers, (1 << 20) + 512, true);
    assert_false(renumbering_out(&numbers, 1 << 20, &any));
    assert_false(renumbering_in(&numbers, 1000, &any));
    renumbering_add(&numbers, 1 << 22, false);
    assert_int_equal(out_of((1 << 22) - 1), numbers.out);
}

/* Numbers come in order, some never, some are left out: each has the one that a list says, both
 * ways, as far back as the window goes. */
static void test_against_a_list(void **state)
{
    static uint64_t list[MANY]; /* 0: left out */
    uint64_t any;
    (void)state;
    for (unsigned seed = 1; seed <= 20; seed++) {
        state_of_chance = seed;
        uint64_t first = 100 + chance(1000), in = first, out = 7000;
        renumbering_begin(&numbers, first, out);
        list[0] = out;
        while (in - first < MANY - 20) {
            unsigned missing = chance(10) == 0 ? chance(12) : 0;
            bool is_kept = chance(20) >= seed;
            for (; missing > 0; missing--)
                list[++in - first] = ++out;
            in++;
            list[in - first] = is_kept ? ++out : 0;
            renumbering_add(&numbers, in, is_kept);
            uint64_t back = chance(RENUMBERING_WINDOW);
            if (back > in - first)
                continue;
            uint64_t is = list[in - back - first];
            assert_int_equal(renumbering_out(&numbers, in - back, &any), is > 0);
            if (is > 0) {
                assert_int_equal(any, is);
                assert_int_equal(in_of(is), in - back);
            }
        }
        assert_int_equal(numbers.out, out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_against_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
