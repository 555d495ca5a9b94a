/* test_payload_vp9.c - VP9's descriptor as RFC 9628 draws it. */
#include "payload_support.h"

#include "wire/payload_vp9.h"

static struct vp9 read_hex(const char *hex)
{
    struct vp9 vp9;
    assert_int_equal(vp9_read(from_hex(hex), &vp9), OK);
    return vp9;
}

static void test_required_bits(void **state)
{
    (void)state;
    struct vp9 vp9 = read_hex("08 ff");
    assert_true(vp9.starts_frame && vp9.is_key && vp9.is_upper_reference);
    assert_false(vp9.inter_picture || vp9.is_flexible || vp9.ends_frame || vp9.has_structure);
    assert_false(vp9.has_picture_id || vp9.has_layers);
    assert_int_equal(vp9.size, 1);
    vp9 = read_hex("45 ff");
    assert_true(vp9.inter_picture && vp9.ends_frame);
    assert_false(vp9.is_key || vp9.is_upper_reference || vp9.starts_frame);
}

static void test_picture_ids(void **state)
{
    (void)state;
    struct vp9 vp9 = read_hex("88 7f ff");
    assert_true(vp9.has_picture_id && !vp9.has_long_picture_id);
    assert_int_equal(vp9.picture_id, 127);
    vp9 = read_hex("88 fffe ff");
    assert_true(vp9.has_long_picture_id);
    assert_int_equal(vp9.picture_id, 0x7ffe);
    assert_int_equal(vp9.size, 3);
}

static void test_layers(void **state)
{
    (void)state;
    /* not flexible: TL0PICIDX; T 3, U, S 2, D */
    struct vp9 vp9 = read_hex("e8 9234 75 ab ff");
    assert_true(vp9.has_layers && vp9.has_tl0picidx && vp9.switching_up && vp9.inter_layer);
    assert_int_equal(vp9.tid, 3);
    assert_int_equal(vp9.sid, 2);
    assert_int_equal(vp9.tl0picidx, 0xab);
    assert_int_equal(vp9.size, 5);
    assert_false(vp9.is_key);
    /* flexible: none, but three P_DIFFs */
    vp9 = read_hex("f8 9234 e0 03 05 fe ff");
    assert_false(vp9.has_tl0picidx || vp9.switching_up || vp9.inter_layer);
    assert_int_equal(vp9.tid, 7);
    assert_int_equal(vp9.pdiff_count, 3);
    assert_int_equal(vp9.pdiffs[0], 1);
    assert_int_equal(vp9.pdiffs[1], 2);
    assert_int_equal(vp9.pdiffs[2], 127);
    assert_int_equal(vp9.size, 7);
    vp9 = read_hex("b8 01 00 ff"); /* no P_DIFF where nothing is referred to */
    assert_int_equal(vp9.pdiff_count, 0);
    assert_true(vp9.is_key);
}

/* The upper layers of a key picture don't refer to earlier ones either: only the lowest is key. */
static void test_key_pictures(void **state)
{
    (void)state;
    assert_true(read_hex("a8 01 00 01 ff").is_key);
    assert_false(read_hex("a8 01 03 01 ff").is_key);
    assert_false(read_hex("a8 01 02 01 ff").is_key);
    assert_false(read_hex("e8 01 00 01 ff").is_key);
}

#define STRUCTURE                                                                                  \
    "8a 01 58 0140 00b4 0280 0168 0500 02d0"                                                       \
    "04 00 28 01 02 54 03 5c 01 02 03"

static void test_structure(void **state)
{
    (void)state;
    static const unsigned WIDTHS[] = { 320, 640, 1280 };
    /* N_S 2, Y, G: four pictures with R of 0, 2, 1 and 3 */
    struct vp9 vp9 = read_hex(STRUCTURE "ff");
    assert_true(vp9.has_structure && vp9.has_resolutions);
    assert_int_equal(vp9.spatial_count, 3);
    assert_int_equal(vp9.picture_count, 4);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(vp9.widths[i], WIDTHS[i]);
        assert_int_equal(vp9.heights[i], WIDTHS[i] * 9 / 16);
    }
    assert_int_equal(vp9.size, 26);
    vp9 = read_hex("0a e0 ff");
    assert_int_equal(vp9.spatial_count, 8);
    assert_false(vp9.has_resolutions);
    assert_int_equal(vp9.picture_count, 0);
    assert_int_equal(vp9.size, 2);
}

static void test_broken(void **state)
{
    (void)state;
    static const char *const BROKEN[] = {
        "",
        "08",
        "88",
        "88 01",
        "88 80 01",
        "e8 01 00",
        "e8 01 00 ab",
        "f8 01 00 03 03 03 02 ff", /* four P_DIFFs */
        "f8 01 00 03",
        STRUCTURE,
        "0a f8",
    };
    for (size_t i = 0; i < sizeof(BROKEN) / sizeof(BROKEN[0]); i++) {
        struct vp9 vp9 = { .picture_id = 77 };
        assert_int_equal(vp9_read(from_hex(BROKEN[i]), &vp9), ERR_MALFORMED);
        assert_int_equal(vp9.picture_id, 77);
    }
}

static void check_damaged(struct view payload)
{
    struct vp9 vp9;
    if (vp9_read(payload, &vp9) == OK)
        assert_in_range(vp9.size, 1, payload.size - 1);
}

static void test_damaged(void **state)
{
    (void)state;
    damage(STRUCTURE "ff", check_damaged);
    damage("fa 9234 e0 03 05 fe f8 0140 00b4 01 00 ff", check_damaged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_required_bits), cmocka_unit_test(test_picture_ids),
        cmocka_unit_test(test_layers),        cmocka_unit_test(test_key_pictures),
        cmocka_unit_test(test_structure),     cmocka_unit_test(test_broken),
        cmocka_unit_test(test_damaged),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, free_block);
}
