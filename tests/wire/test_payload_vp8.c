/* test_payload_vp8.c - VP8's descriptor as RFC 7741 draws it. */
#include "payload_support.h"

#include "wire/payload_vp8.h"

static struct vp8 read_hex(const char *hex)
{
    struct vp8 vp8;
    assert_int_equal(vp8_read(from_hex(hex), &vp8), OK);
    return vp8;
}

#define KEY   "50 03 00 9d012a 8002 6841"
#define DELTA "d1 01 02"

static void test_the_required_byte(void **state)
{
    (void)state;
    struct vp8 vp8 = read_hex("10" DELTA);
    assert_int_equal(vp8.size, 1);
    assert_true(vp8.partition_start && vp8.starts_frame);
    assert_false(vp8.is_key || vp8.non_reference);
    assert_false(vp8.has_picture_id || vp8.has_tl0picidx || vp8.has_tid || vp8.has_keyidx);
    vp8 = read_hex("33" DELTA);
    assert_true(vp8.non_reference && vp8.partition_start);
    assert_false(vp8.starts_frame);
    assert_int_equal(vp8.partition, 3);
}

/* RFC 6386, section 9.1; a key frame's packets after the first say nothing of it. */
static void test_key_frames(void **state)
{
    (void)state;
    struct vp8 vp8 = read_hex("10" KEY);
    assert_true(vp8.is_key);
    assert_int_equal(vp8.width, 640);
    assert_int_equal(vp8.height, 360);
    vp8 = read_hex("10 50 03 00 9d012a 8002 68");
    assert_true(vp8.is_key);
    assert_int_equal(vp8.width, 0);
    vp8 = read_hex("10 50 03 00 9d012b 8002 6801");
    assert_int_equal(vp8.width, 0);
    vp8 = read_hex("00" KEY);
    assert_false(vp8.is_key || vp8.starts_frame);
    vp8 = read_hex("11" KEY);
    assert_false(vp8.is_key || vp8.starts_frame);
}

static void test_picture_ids(void **state)
{
    (void)state;
    struct vp8 vp8 = read_hex("90 80 11" DELTA);
    assert_true(vp8.has_picture_id && !vp8.has_long_picture_id);
    assert_int_equal(vp8.picture_id, 0x11);
    assert_int_equal(vp8.size, 3);
    vp8 = read_hex("90 80 fffe" DELTA);
    assert_true(vp8.has_long_picture_id);
    assert_int_equal(vp8.picture_id, 0x7ffe);
    assert_int_equal(vp8.size, 4);
}

static void test_all_fields(void **state)
{
    (void)state;
    struct vp8 vp8 = read_hex("90 f0 9234 ab b5" DELTA);
    assert_int_equal(vp8.size, VP8_DESCRIPTOR_MAX);
    assert_int_equal(vp8.picture_id, 0x1234);
    assert_int_equal(vp8.tl0picidx, 0xab);
    assert_int_equal(vp8.tid, 2);
    assert_true(vp8.layer_sync);
    assert_int_equal(vp8.keyidx, 0x15);
    vp8 = read_hex("90 20 40" DELTA);
    assert_int_equal(vp8.tid, 1);
    assert_false(vp8.layer_sync || vp8.has_keyidx || vp8.has_tl0picidx);
    vp8 = read_hex("90 10 ff" DELTA);
    assert_false(vp8.has_tid);
    assert_int_equal(vp8.tid, 0);
    assert_int_equal(vp8.keyidx, 31);
    vp8 = read_hex("90 00" DELTA);
    assert_int_equal(vp8.size, 2);
}

static void check_rewritten(const char *from, uint16_t picture_id, uint8_t tl0picidx,
                            uint8_t keyidx, const char *wanted)
{
    uint8_t bytes[16];
    size_t size = test_read_hex(wanted, bytes);
    struct view payload = from_hex(from);
    struct vp8 vp8;
    assert_int_equal(vp8_read(payload, &vp8), OK);
    vp8_rewrite(block, &vp8, picture_id, tl0picidx, keyidx);
    assert_int_equal(payload.size, size);
    assert_memory_equal(block, bytes, size);
}

static void test_rewritten(void **state)
{
    (void)state;
    check_rewritten("90 f0 9234 ab b5 d1", 0x7777, 0x11, 0x15, "90 f0 f777 11 b5 d1");
    check_rewritten("90 f0 9234 ab b5 d1", 0xffff, 0x11, 0xff, "90 f0 ffff 11 bf d1");
    check_rewritten("90 c0 12 ab d1", 0x01ff, 0x11, 1, "90 c0 7f 11 d1");
    check_rewritten("90 40 ab d1", 5, 6, 7, "90 40 06 d1");
    check_rewritten("90 80 8001 d1", 5, 6, 7, "90 80 8005 d1");
    check_rewritten("10 d1", 5, 6, 7, "10 d1");
    check_rewritten("90 30 ab d1", 5, 6, 7, "90 30 a7 d1");
}

static void test_cut_short(void **state)
{
    (void)state;
    static const char *const BROKEN[] = {
        "",
        "10",
        "90",
        "90 80",
        "90 80 11",
        "90 80 80",
        "90 80 8011",
        "90 f0 9234 ab b5",
        "90 f0 9234 ab",
        "90 40",
        "90 10",
    };
    for (size_t i = 0; i < sizeof(BROKEN) / sizeof(BROKEN[0]); i++) {
        struct vp8 vp8 = { .picture_id = 77 };
        assert_int_equal(vp8_read(from_hex(BROKEN[i]), &vp8), ERR_MALFORMED);
        assert_int_equal(vp8.picture_id, 77);
    }
}

static void check_damaged(struct view payload)
{
    struct vp8 vp8;
    if (vp8_read(payload, &vp8) == OK)
        assert_in_range(vp8.size, 1, payload.size - 1);
}

static void test_damaged(void **state)
{
    (void)state;
    damage("90 f0 9234 ab b5" KEY, check_damaged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_required_byte), cmocka_unit_test(test_key_frames),
        cmocka_unit_test(test_picture_ids),       cmocka_unit_test(test_all_fields),
        cmocka_unit_test(test_rewritten),         cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_damaged),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, free_block);
}
