/* test_payload_h26x.c - packets of H.264 (RFC 6184) and H.265 (RFC 7798). */
#include "payload_support.h"

#include "wire/payload_h26x.h"

/* What is wanted, in letters: s starts its NAL unit, e ends its last, f starts a frame, k has a
 * key slice, p has parameters, u is a fragment. */
static void check(int (*reader)(struct view, struct h26x *), const char *hex, unsigned type,
                  const char *letters)
{
    struct h26x seen;
    assert_int_equal(reader(from_hex(hex), &seen), OK);
    assert_int_equal(seen.nal_type, type);
    assert_int_equal(seen.starts_nal, strchr(letters, 's') != NULL);
    assert_int_equal(seen.ends_nal, strchr(letters, 'e') != NULL);
    assert_int_equal(seen.starts_frame, strchr(letters, 'f') != NULL);
    assert_int_equal(seen.has_key, strchr(letters, 'k') != NULL);
    assert_int_equal(seen.has_parameters, strchr(letters, 'p') != NULL);
    assert_int_equal(seen.is_fragment, strchr(letters, 'u') != NULL);
}

static void test_h264_single_units(void **state)
{
    (void)state;
    check(h264_read, "67 42e01f", 7, "sefp");
    check(h264_read, "68 ce", 8, "sef");
    check(h264_read, "06 05", 6, "sef");
    check(h264_read, "09 f0", 9, "sef");
    check(h264_read, "65 88 84", 5, "sefk");
    check(h264_read, "65 08 84", 5, "sek"); /* a later slice of the picture */
    check(h264_read, "41 9a 00", 1, "sef");
    check(h264_read, "41 5a 00", 1, "se");
    check(h264_read, "43 9a 00", 3, "se"); /* partition B */
    check(h264_read, "41", 1, "se");
    check(h264_read, "0c ff", 12, "se"); /* filler */
}

static void test_h264_aggregates(void **state)
{
    (void)state;
    check(h264_read, "78 0004 6742e01f 0002 68ce 0003 658884", 7, "sefkp");
    check(h264_read, "18 0002 415a", 1, "se");
    check(h264_read, "18 0002 06ff 0002 419a", 6, "sef");
}

static void test_h264_fragments(void **state)
{
    (void)state;
    check(h264_read, "7c 85 8884", 5, "sfku");
    check(h264_read, "7c 05 8884", 5, "ku");
    check(h264_read, "7c 45 8884", 5, "eku");
    check(h264_read, "5c 81 9a00", 1, "sfu");
    check(h264_read, "5c 01 9a00", 1, "u");
    check(h264_read, "7c 87 42e0", 7, "sfpu");
}

static void check_slices(int (*reader)(struct view, struct h26x *), const char *hex, bool has_slice,
                         unsigned type, bool is_disposable)
{
    struct h26x seen;
    assert_int_equal(reader(from_hex(hex), &seen), OK);
    assert_int_equal(seen.has_slice, has_slice);
    assert_int_equal(seen.slice_type, type);
    assert_int_equal(seen.is_disposable, is_disposable);
}

static void test_slices(void **state)
{
    (void)state;
    check_slices(h264_read, "41 9a00", true, 1, false);
    check_slices(h264_read, "01 9a00", true, 1, true);
    check_slices(h264_read, "06 0504", false, 0, false); /* an SEI, whose nal_ref_idc is always 0 */
    check_slices(h264_read, "18 0002 06ff 0002 019a", true, 1, true);
    check_slices(h264_read, "38 0002 019a 0002 215a", true, 1, false);
    check_slices(h264_read, "1c 41 9a00", true, 1, true);
    check_slices(h264_read, "5c 41 9a00", true, 1, false);
    check_slices(h264_read, "78 0004 6742e01f 0002 68ce 0003 658884", true, 5, false);
    check_slices(h265_read, "4001 0c", false, 0, false);
    check_slices(h265_read, "0001 d0", true, 0, true);  /* TRAIL_N */
    check_slices(h265_read, "0202 d0", true, 1, false); /* TRAIL_R */
    check_slices(h265_read, "0402 d0", true, 2, true);  /* TSA_N */
    check_slices(h265_read, "0602 d0", true, 3, false);
    check_slices(h265_read, "2601 af", true, 19, false);
    check_slices(h265_read, "6002 0003 5002aa 0003 040250", true, 2, true);
    check_slices(h265_read, "6202 85 50aa", true, 5, false); /* STSA_R in parts */
}

static void test_sets(void **state)
{
    (void)state;
    struct h26x seen;
    assert_int_equal(h264_read(from_hex("67 42e01f"), &seen), OK);
    assert_int_equal(seen.sps.size, 4);
    assert_int_equal(h264_read(from_hex("78 0002 68ce 0004 6742e01f 0004 6764e01f"), &seen), OK);
    assert_int_equal(seen.sps.size, 4);
    assert_int_equal(seen.sps.at[1], 0x42);
    assert_int_equal(h264_read(from_hex("7c 87 42e0"), &seen), OK); /* not whole */
    assert_int_equal(seen.sps.size, 0);
    assert_int_equal(h265_read(from_hex("6001 0003 40010c 0003 420101 0003 4401c0"), &seen), OK);
    assert_int_equal(seen.sps.size, 3);
    assert_int_equal(seen.sps.at[0], 0x42);
}

static void test_h264_broken(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        int wanted;
    } CASES[] = {
        { "", ERR_MALFORMED },
        { "18", ERR_MALFORMED },
        { "18 00", ERR_MALFORMED },
        { "18 0000", ERR_MALFORMED },
        { "18 0003 6742", ERR_MALFORMED },
        { "18 0001 67 00", ERR_MALFORMED },
        { "18 0002 7842", ERR_MALFORMED }, /* an aggregate in an aggregate */
        { "1c", ERR_MALFORMED },
        { "1c 85", ERR_MALFORMED },
        { "1c 9c 00", ERR_MALFORMED },
        { "1c 80 00", ERR_MALFORMED },
        { "19 0000", ERR_UNSUPPORTED },
        { "1d 0000", ERR_UNSUPPORTED },
        { "00 00", ERR_UNSUPPORTED },
        { "1f 00", ERR_UNSUPPORTED },
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct h26x seen = { .nal_type = 77 };
        assert_int_equal(h264_read(from_hex(CASES[i].hex), &seen), CASES[i].wanted);
        assert_int_equal(seen.nal_type, 77);
    }
}

static void test_h265_single_units(void **state)
{
    (void)state;
    check(h265_read, "4001 0c", 32, "sef");
    check(h265_read, "4201 01", 33, "sefp");
    check(h265_read, "4401 c0", 34, "sef");
    check(h265_read, "2601 af", 19, "sefk"); /* IDR_W_RADL */
    check(h265_read, "2a01 af", 21, "sefk"); /* CRA */
    check(h265_read, "2601 2f", 19, "sek");
    check(h265_read, "0201 d0", 1, "sef");
    check(h265_read, "0201 50", 1, "se");
    check(h265_read, "0201", 1, "se");
    check(h265_read, "5001 80", 40, "se"); /* a suffix SEI */
}

static void test_h265_layers(void **state)
{
    (void)state;
    struct h26x seen;
    assert_int_equal(h265_read(from_hex("030b d0"), &seen), OK);
    assert_int_equal(seen.layer_id, 33);
    assert_int_equal(seen.temporal_id, 2);
    assert_int_equal(seen.nal_type, 1);
}

static void test_h265_aggregates_and_fragments(void **state)
{
    (void)state;
    check(h265_read, "6001 0003 40010c 0003 420101 0003 4401c0 0003 2601af", 32, "sefkp");
    check(h265_read, "6001 0003 020150", 1, "se");
    check(h265_read, "6201 93 af00", 19, "sfku");
    check(h265_read, "6201 13 af00", 19, "ku");
    check(h265_read, "6201 53 af00", 19, "eku");
    check(h265_read, "6201 81 5000", 1, "su");
}

static void test_h265_broken(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        int wanted;
    } CASES[] = {
        { "", ERR_MALFORMED },
        { "40", ERR_MALFORMED },
        { "4000 0c", ERR_MALFORMED }, /* a temporal id of -1 */
        { "6001", ERR_MALFORMED },
        { "6001 00", ERR_MALFORMED },
        { "6001 0001 40", ERR_MALFORMED },
        { "6001 0003 4001", ERR_MALFORMED },
        { "6001 0002 6001", ERR_MALFORMED },
        { "6201 93", ERR_MALFORMED },
        { "6201 b1 00", ERR_MALFORMED },
        { "6401 00", ERR_UNSUPPORTED },
        { "7e01 00", ERR_UNSUPPORTED },
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct h26x seen = { .nal_type = 77 };
        assert_int_equal(h265_read(from_hex(CASES[i].hex), &seen), CASES[i].wanted);
        assert_int_equal(seen.nal_type, 77);
    }
}

static void check_damaged(struct view payload)
{
    struct h26x seen;
    if (h264_read(payload, &seen) == OK)
        assert_in_range(seen.nal_type, 1, 23);
    if (h265_read(payload, &seen) == OK)
        assert_in_range(seen.nal_type, 0, 47);
}

static void test_damaged(void **state)
{
    (void)state;
    damage("78 0004 6742e01f 0002 68ce 0003 658884", check_damaged);
    damage("6001 0003 40010c 0003 420101 0003 4401c0 0003 2601af", check_damaged);
    damage("7c 85 88", check_damaged);
    damage("6201 93 af", check_damaged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_h264_single_units),
        cmocka_unit_test(test_h264_aggregates),
        cmocka_unit_test(test_h264_fragments),
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_h264_broken),
        cmocka_unit_test(test_h265_single_units),
        cmocka_unit_test(test_h265_layers),
        cmocka_unit_test(test_h265_aggregates_and_fragments),
        cmocka_unit_test(test_h265_broken),
        cmocka_unit_test(test_damaged),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, free_block);
}
