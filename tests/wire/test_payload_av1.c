/* test_payload_av1.c - packets of AV1, as section 4 of its RTP payload format draws them. */
#include "payload_support.h"

#include "wire/payload_av1.h"

static struct av1 read_hex(const char *hex)
{
    struct av1 av1;
    assert_int_equal(av1_read(from_hex(hex), &av1), OK);
    return av1;
}

/* OBU headers: type << 3, 4 with an extension. */
static void test_key_frame(void **state)
{
    (void)state;
    /* W 2, N: a sequence header of three bytes, then a frame to the end */
    struct av1 av1 = read_hex("28 03 08 0000 30 112233");
    assert_true(av1.new_sequence && av1.has_sequence_header && av1.is_key && av1.starts_frame);
    assert_false(av1.continues || av1.continued || av1.has_layers);
    assert_int_equal(av1.element_count, 2);
    assert_int_equal(av1.sequence.size, 3);
    assert_int_equal(av1.sequence.at[0], 0x08);
    assert_int_equal(av1.frame.size, 4);
    /* the same, with a size before each */
    av1 = read_hex("08 03 08 0000 04 30 112233");
    assert_true(av1.is_key && av1.starts_frame);
    assert_int_equal(av1.element_count, 2);
    /* a sequence header alone does not make one, nor does N */
    assert_false(read_hex("10 08 0000").is_key);
    assert_false(read_hex("18 30 1122").is_key);
}

static void test_other_frames(void **state)
{
    (void)state;
    struct av1 av1 = read_hex("10 30 1122");
    assert_true(av1.starts_frame);
    assert_false(av1.is_key || av1.has_sequence_header);
    assert_true(read_hex("10 18 1122").starts_frame);
    assert_false(read_hex("10 20 1122").starts_frame); /* a tile group */
    assert_false(read_hex("10 28 1122").starts_frame); /* metadata */
}

/* Z: what comes first is not the beginning of an OBU, whatever its bytes look like. */
static void test_continued_elements(void **state)
{
    (void)state;
    struct av1 av1 = read_hex("d0 30 1122");
    assert_true(av1.continues && av1.continued);
    assert_false(av1.starts_frame);
    av1 = read_hex("a0 02 ffff 30 1122");
    assert_true(av1.starts_frame);
    assert_int_equal(av1.element_count, 2);
}

static void test_layers(void **state)
{
    (void)state;
    struct av1 av1 = read_hex("10 34 48 11");
    assert_true(av1.has_layers);
    assert_int_equal(av1.temporal_id, 2);
    assert_int_equal(av1.spatial_id, 1);
    av1 = read_hex("20 02 2c f8 34 20 11"); /* the first that tells it */
    assert_int_equal(av1.temporal_id, 7);
    assert_int_equal(av1.spatial_id, 3);
}

static void test_broken(void **state)
{
    (void)state;
    static const char *const BROKEN[] = {
        "",
        "10",
        "98 30 11",         /* Z and N */
        "10 b0 11",         /* the forbidden bit */
        "10 34",            /* no extension */
        "20 05 30 11",      /* past the end */
        "20 02 30 11",      /* the second is not there */
        "00 04 30 1122",    /* past the end */
        "00 00",            /* of none */
        "00 02 30 11 80",   /* a size that does not end */
        "00 ffffffff7f 30", /* one that is too large */
    };
    for (size_t i = 0; i < sizeof(BROKEN) / sizeof(BROKEN[0]); i++) {
        struct av1 av1 = { .element_count = 77 };
        assert_int_equal(av1_read(from_hex(BROKEN[i]), &av1), ERR_MALFORMED);
        assert_int_equal(av1.element_count, 77);
    }
}

static void test_count_of_elements(void **state)
{
    (void)state;
    uint8_t bytes[1 + 2 * 256] = { 0 };
    struct av1 av1;
    for (unsigned i = 0; i < 256; i++) {
        bytes[1 + 2 * i] = 1;
        bytes[2 + 2 * i] = 0x28;
    }
    assert_int_equal(av1_read(view_make(bytes, 1 + 2 * 255), &av1), OK);
    assert_int_equal(av1.element_count, 255);
    assert_int_equal(av1_read(view_make(bytes, sizeof(bytes)), &av1), ERR_MALFORMED);
}

static void check_damaged(struct view payload)
{
    struct av1 av1;
    if (av1_read(payload, &av1) == OK)
        assert_in_range(av1.element_count, 1, payload.size - 1);
}

static void test_damaged(void **state)
{
    (void)state;
    damage("08 03 0c 0000 04 34 482233", check_damaged);
    damage("28 03 08 0000 30 112233", check_damaged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_frame),
        cmocka_unit_test(test_other_frames),
        cmocka_unit_test(test_continued_elements),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_count_of_elements),
        cmocka_unit_test(test_damaged),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, free_block);
}
