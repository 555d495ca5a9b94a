/* Recordings of what lines take: what they say, what is none and why, every truncation, bits that
 * flip, and a line that is as one says. */
#include "support.h"

#include "netem/capacity.h"

static const char TEXT[] = "# two packets at once, then a gap\n"
                           "1\n"
                           "3\r\n"
                           "3\n"
                           "\n"
                           "  7 # the last\n"
                           "10";
#define OPPORTUNITY 12000000 /* bits/s in a millisecond */

static struct capacity capacity;

static void test_reads(void **state)
{
    static const uint32_t WANTED[10] = { 1, 0, 2, 0, 0, 0, 1, 0, 0, 1 };
    unsigned line = 77;
    (void)state;
    assert_int_equal(capacity_read(view_of(TEXT), &capacity, &line), OK);
    assert_int_equal(capacity.count, 10);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(capacity.bps[i], WANTED[i] * OPPORTUNITY);
    assert_int_equal(capacity_at(&capacity, 12), 2 * OPPORTUNITY); /* it begins anew */
    assert_true(capacity_bits(&capacity, 0, 10) == 5.0 * CAPACITY_DELIVERY * 8);
    assert_true(capacity_bits(&capacity, 6, 13) == 5.0 * CAPACITY_DELIVERY * 8);
    assert_true(capacity_mean(&capacity) == 6000000.0);
    assert_int_equal(capacity_read(VIEW("0\n0\n1"), &capacity, &line), OK);
    assert_int_equal(capacity.count, 1);
    assert_int_equal(capacity.bps[0], 3 * OPPORTUNITY);
}

static void test_what_is_none(void **state)
{
    static const struct {
        const char *text;
        int status;
        unsigned line;
    } TEXTS[] = {
        { "", ERR_MALFORMED, 0 },          { "# nothing\n\n", ERR_MALFORMED, 0 },
        { "5\n4\n", ERR_MALFORMED, 2 },    { "1\n2x\n", ERR_MALFORMED, 2 },
        { "1\n\n-3\n", ERR_MALFORMED, 3 }, { "1 2\n", ERR_MALFORMED, 1 },
        { "1\n600001\n", ERR_LIMIT, 2 },   { "99999999999999999999", ERR_MALFORMED, 1 },
    };
    (void)state;
    for (unsigned i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        unsigned line = 77;
        capacity.count = 4711;
        assert_int_equal(capacity_read(view_of(TEXTS[i].text), &capacity, &line), TEXTS[i].status);
        assert_int_equal(line, TEXTS[i].line);
        assert_int_equal(capacity.count, 4711);
    }
}

static void test_limits(void **state)
{
    static char text[2 * CAPACITY_MOST + 3];
    unsigned line;
    (void)state;
    for (unsigned i = 0; i <= CAPACITY_MOST; i++) {
        text[2 * i] = '1';
        text[2 * i + 1] = '\n';
    }
    assert_int_equal(capacity_read(view_of(text), &capacity, &line), ERR_LIMIT);
    assert_int_equal(line, CAPACITY_MOST + 1);
    assert_int_equal(capacity_read(view_make(text, 2 * CAPACITY_MOST), &capacity, &line), OK);
    assert_int_equal(capacity.bps[0], (uint32_t)CAPACITY_MOST * OPPORTUNITY);
    assert_int_equal(capacity_read(VIEW("600000"), &capacity, &line), OK);
    assert_int_equal(capacity.count, CAPACITY_MS_MAX);
}

static void check(struct view text)
{
    unsigned line = 77;
    if (capacity_read(text, &capacity, &line) == OK) {
        assert_in_range(capacity.count, 1, CAPACITY_MS_MAX);
        assert_true(capacity_mean(&capacity) > 0);
    } else {
        assert_in_range(line, 0, sizeof TEXT);
    }
}

static void test_truncations_and_flips(void **state)
{
    char text[sizeof TEXT];
    (void)state;
    for (size_t size = 0; size < sizeof TEXT; size++) {
        uint8_t *copy = malloc(size ? size : 1); /* so that a sanitizer sees its end */
        memcpy(copy, TEXT, size);
        check(view_make(copy, size));
        free(copy);
    }
    for (size_t bit = 0; bit < 8 * (sizeof TEXT - 1); bit++) {
        memcpy(text, TEXT, sizeof TEXT);
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        check(view_make(text, sizeof TEXT - 1));
    }
}

/* Two packets of 1,472 bytes (1,500 on the line) wait: they go when their times come. */
static void test_line(void **state)
{
    static const uint8_t BYTES[1472];
    static const unsigned COME_AT[] = { 1, 3, 3, 7 };
    struct pool store;
    struct netem netem;
    unsigned line, count = 0;
    usec now = 1000;
    (void)state;
    assert_int_equal(capacity_read(view_of(TEXT), &capacity, &line), OK);
    assert_int_equal(netem_store_init(&store, 16), OK);
    netem_init(&netem, &store, 1, 28, now);
    capacity_apply(&capacity, 0, &netem, now);
    for (unsigned i = 0; i < 4; i++)
        assert_true(netem_send(&netem, now, view_make(BYTES, sizeof BYTES), i));
    for (unsigned ms = 1; ms <= 10; ms++) {
        capacity_apply(&capacity, ms, &netem, now += USEC_MS);
        for (struct netem_packet *packet; (packet = netem_take(&netem, now)); count++) {
            assert_int_equal(packet->tag, count);
            assert_int_equal(ms, COME_AT[count]);
            netem_give(&netem, packet);
        }
    }
    assert_int_equal(count, 4);
    netem_free(&netem);
    pool_free(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),  cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_truncations_and_flips),
        cmocka_unit_test(test_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
