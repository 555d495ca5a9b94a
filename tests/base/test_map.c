/* test_map.c - SipHash against its authors' vectors, and the table against a simple model. */
#include "support.h"

#include "base/map.h"

/* Aumasson and Bernstein, 2012, appendix A, and what their program prints for shorter messages:
 * key 00 01 ... 0f, message 00 01 02 ... */
static void test_siphash(void **state)
{
    (void)state;
    static const uint64_t WANTED[] = { 0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a,
                                       0x85676696d7fb7e2d, 0xcf2794e0277187b7, 0x18765564cd99a68d,
                                       0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462 };
    static const uint64_t SECRET[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
    uint8_t message[15];
    for (unsigned i = 0; i < sizeof(message); i++)
        message[i] = (uint8_t)i;
    for (size_t size = 0; size < sizeof(WANTED) / sizeof(WANTED[0]); size++)
        assert_true(siphash(view_make(message, size), SECRET) == WANTED[size]);
    assert_true(siphash(view_make(message, 15), SECRET) == 0xa129ca6149be45e5);
    assert_true(siphash(view_make(NULL, 0), SECRET) == WANTED[0]);
}

static uint64_t seed;

static void make_map(struct map *map, uint32_t count_max)
{
    struct random random = { test_random_fill, &seed };
    assert_int_equal(map_init(map, count_max, &random), OK);
}

static void test_add_find_remove(void **state)
{
    (void)state;
    struct map map;
    int a, b;
    make_map(&map, 10);
    assert_null(map_find(&map, VIEW("a")));
    map_remove(&map, VIEW("a"));
    assert_int_equal(map_add(&map, VIEW("a"), &a), OK);
    assert_int_equal(map_add(&map, VIEW("b"), &b), OK);
    assert_int_equal(map_add(&map, VIEW("a"), &b), ERR_EXISTS);
    assert_ptr_equal(map_find(&map, VIEW("a")), &a);
    assert_ptr_equal(map_find(&map, VIEW("b")), &b);
    assert_null(map_find(&map, VIEW("c")));
    map_remove(&map, VIEW("a"));
    assert_null(map_find(&map, VIEW("a")));
    assert_ptr_equal(map_find(&map, VIEW("b")), &b);
    assert_int_equal(map.count, 1);
    map_free(&map);
}

static void test_keys_are_bytes(void **state)
{
    (void)state;
    struct map map;
    int values[4];
    make_map(&map, 10);
    assert_int_equal(map_add(&map, VIEW(""), &values[0]), OK);
    assert_int_equal(map_add(&map, VIEW("a"), &values[1]), OK);
    assert_int_equal(map_add(&map, VIEW("a\0"), &values[2]), OK);
    assert_int_equal(map_add(&map, VIEW("A"), &values[3]), OK);
    assert_ptr_equal(map_find(&map, view_make(NULL, 0)), &values[0]);
    assert_ptr_equal(map_find(&map, VIEW("a\0")), &values[2]);
    assert_null(map_find(&map, VIEW("a\0\0")));
    map_free(&map);
}

static void test_limit(void **state)
{
    (void)state;
    for (uint32_t most = 0; most < 40; most++) {
        struct map map;
        uint32_t keys[40];
        make_map(&map, most);
        for (uint32_t i = 0; i < most; i++) {
            keys[i] = i;
            assert_int_equal(map_add(&map, view_make(&keys[i], sizeof(keys[i])), &keys[i]), OK);
        }
        assert_int_equal(map_add(&map, VIEW("one more"), keys), ERR_LIMIT);
        assert_null(map_find(&map, VIEW("one more")));
        if (most > 0) {
            struct view first = view_make(&keys[0], sizeof(keys[0]));
            assert_int_equal(map_add(&map, first, keys), ERR_EXISTS);
            map_remove(&map, first);
            assert_int_equal(map_add(&map, VIEW("one more"), keys), OK);
        }
        map_free(&map);
    }
}

static void test_secrets_differ(void **state)
{
    (void)state;
    struct map a, b;
    make_map(&a, 10);
    make_map(&b, 10);
    assert_memory_not_equal(a.secret, b.secret, sizeof(a.secret));
    map_free(&a);
    map_free(&b);
}

#define KEYS 64

/* A table as full as it may be, under many secrets: runs of neighbours that wrap around the end,
 * with holes made in all places. */
static void test_random_against_a_model(void **state)
{
    (void)state;
    for (unsigned table = 0; table < 50; table++) {
        struct map map;
        uint16_t keys[KEYS];
        bool is_in[KEYS] = { false };
        uint32_t count = 0;
        make_map(&map, KEYS);
        assert_in_range(map.place_count, 2, KEYS / 4); /* it grows as it fills */
        for (unsigned round = 0; round < 2000; round++) {
            uint8_t chance[2];
            test_random_fill(&seed, chance, sizeof(chance));
            unsigned i = chance[0] % KEYS;
            keys[i] = (uint16_t)i;
            struct view key = view_make(&keys[i], sizeof(keys[i]));
            if (chance[1] % 3) {
                int status = map_add(&map, key, &keys[i]);
                assert_int_equal(status, is_in[i] ? ERR_EXISTS : OK);
                count += !is_in[i];
                is_in[i] = true;
            } else {
                map_remove(&map, key);
                count -= is_in[i];
                is_in[i] = false;
            }
            assert_int_equal(map.count, count);
            assert_in_range(map.place_count, 2 * count, 2 * KEYS);
            for (uint16_t other = 0; other < KEYS; other++) {
                void *value = map_find(&map, view_make(&other, sizeof(other)));
                assert_ptr_equal(value, is_in[other] ? &keys[other] : NULL);
            }
        }
        map_free(&map);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_siphash),        cmocka_unit_test(test_add_find_remove),
        cmocka_unit_test(test_keys_are_bytes), cmocka_unit_test(test_limit),
        cmocka_unit_test(test_secrets_differ), cmocka_unit_test(test_random_against_a_model),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
