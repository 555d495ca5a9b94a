/* test_picture_size.c - parameter sets and sequence headers as x264, x265 and libaom write them. */
#include "payload_support.h"

#include "wire/picture_size.h"

static const struct {
    const char *hex;
    unsigned width, height;
} H264[] = {
    { "6764001facd9405005ba10000003001000000303c0f1831960", 1280, 720 },
    { "6742c01fd900d83de6e10000030001000003003c0f183248", 854, 480 },     /* baseline, cropped */
    { "67640028acd94078044fdc20000003002000000783e2c5b2c0", 1920, 1080 }, /* of fields */
    { "67f4000d919b282a33c2119080000003008000001e078a14cb", 321, 181 },   /* 4:4:4 */
    { "677a000dbcd941519e223210000003001000000303c0f1429960", 322, 181 }, /* 4:2:2 */
    { "6764001ef3650280bfe2610000030001000003003c0f162d96", 640, 360 },   /* grey */
    { "6764001eacd940a42fe22484000003000400000300f03c58b658", 642, 362 },
    { "6742e01f da014016e8", 1280, 720 }, /* without what follows the sizes */
};

static void test_h264(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof H264 / sizeof H264[0]; i++) {
        struct picture_size size;
        assert_int_equal(h264_read_sps(from_hex(H264[i].hex), &size), OK);
        assert_int_equal(size.width, H264[i].width);
        assert_int_equal(size.height, H264[i].height);
    }
}

static const struct {
    const char *hex;
    unsigned width, height;
} H265[] = {
    { "42010101600000030090000003000003005da00280802d165959a4932b9a02000000300200000300"
      "3c10",
      1280, 720 },
    { "42010101600000030090000003000003005aa006b201e9d4996566924cae6808000003000800000300f040", 854,
      482 },
    { "4201010408000003009e0800000300003c900149017388932cacd24995cd010000030001000003001e08", 321,
      181 }, /* 4:4:4 */
    { "4201010408000003009d0800000300003cb00a480b9c9265959a4932b9a020000003002000000303c1", 322,
      181 }, /* 4:2:2 */
    { "4201020160000003009000000300000300"
      "3f0000a005120171c92659598acd24995cd010000030001000000301e080",
      642, 362 }, /* two temporal layers */
};

static void test_h265(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof H265 / sizeof H265[0]; i++) {
        struct h265_sps sps;
        assert_int_equal(h265_read_sps(from_hex(H265[i].hex), &sps), OK);
        assert_int_equal(sps.size.width, H265[i].width);
        assert_int_equal(sps.size.height, H265[i].height);
        assert_int_equal(sps.has_temporal_nesting, i < 4);
    }
}

/* A set that tells of sub-layers' profiles and levels has more before its sizes. */
static void test_h265_sub_layers(void **state)
{
    (void)state;
    struct h265_sps sps;
    static const char HEX[] = "4201 05" /* three of them, nesting */
                              "01600000ffffffffffffff5d"
                              "c0 00"                     /* the first has both, the second none */
                              "01600000ffffffffffffff 3f" /* its profile and level */
                              "a00280802d16";             /* as in the first above */
    assert_int_equal(h265_read_sps(from_hex(HEX), &sps), OK);
    assert_int_equal(sps.size.width, 1280);
    assert_int_equal(sps.size.height, 720);
    assert_true(sps.has_temporal_nesting);
}

static void test_refused(void **state)
{
    (void)state;
    struct picture_size size = { 7, 7 };
    struct h265_sps sps = { .size = { 7, 7 } };
    static const char *const BROKEN[] = {
        "",
        "67",
        "6842e01fda014016e8",           /* a PPS */
        "6742e01fda0140",               /* cut */
        "6742e01ff8 0000 2000 0800 6e", /* numbers that do not end */
        "6742e01f da000040005e80",      /* 65537 macroblocks across */
        "6742e01f da7ca5e0",            /* more is cropped than there is */
    };
    for (size_t i = 0; i < sizeof BROKEN / sizeof BROKEN[0]; i++) {
        assert_int_equal(h264_read_sps(from_hex(BROKEN[i]), &size), ERR_MALFORMED);
        assert_int_equal(h265_read_sps(from_hex(BROKEN[i]), &sps), ERR_MALFORMED);
    }
    assert_int_equal(h265_read_sps(from_hex("4401c0"), &sps), ERR_MALFORMED);
    assert_int_equal(h265_read_sps(from_hex("4209 0101"), &sps), ERR_UNSUPPORTED);
    assert_int_equal(size.width, 7);
    assert_int_equal(sps.size.width, 7);
}

/* ---- AV1 ---- */

#define SEQUENCE_720  "0a0b0000002d4cffb3cd9a0080"
#define SEQUENCE_361  "0a0d0013010880866280b41b5f2008"
#define SEQUENCE_OF_3 "0a0f0027010980844043313fd9cd9a0080"
#define SEQUENCE_360  "0a0c001301088086627fb39b3401"

static struct av1_sequence read_sequence(const char *hex)
{
    struct av1_sequence sequence;
    assert_int_equal(av1_read_sequence(from_hex(hex), &sequence), OK);
    return sequence;
}

static void test_av1_sequence(void **state)
{
    (void)state;
    struct av1_sequence sequence = read_sequence(SEQUENCE_720);
    assert_int_equal(sequence.most.width, 1280);
    assert_int_equal(sequence.most.height, 720);
    assert_int_equal(sequence.order_hint_bits, 0);
    assert_int_equal(sequence.spatial_count, 1);
    sequence = read_sequence(SEQUENCE_361); /* of two operating points */
    assert_int_equal(sequence.most.width, 641);
    assert_int_equal(sequence.most.height, 361);
    assert_int_equal(sequence.order_hint_bits, 7);
    assert_int_equal(sequence.spatial_count, 2);
    assert_int_equal(read_sequence(SEQUENCE_OF_3).spatial_count, 3);
    sequence = read_sequence("08 0000002d4cffb3cd9a0080"); /* as an element, without its size */
    assert_int_equal(sequence.most.width, 1280);
    sequence = read_sequence("0c 48 0000002d4cffb3cd9a0080"); /* with an extension */
    assert_int_equal(sequence.most.height, 720);
    sequence = read_sequence("08 182627fb380004"); /* a reduced one: a still picture */
    assert_true(sequence.is_reduced);
    assert_int_equal(sequence.most.width, 640);
    assert_int_equal(sequence.most.height, 360);
}

static void check_key(const char *sequence_hex, const char *hex, int wanted, unsigned width,
                      unsigned height)
{
    struct av1_sequence sequence = read_sequence(sequence_hex);
    struct picture_size size = { 7, 7 };
    assert_int_equal(av1_read_key_size(from_hex(hex), &sequence, &size), wanted);
    assert_int_equal(size.width, wanted == OK ? width : 7);
    assert_int_equal(size.height, wanted == OK ? height : 7);
}

static void test_av1_frames(void **state)
{
    (void)state;
    check_key(SEQUENCE_720, "3278 1043100208208420080010bb04", OK, 1280, 720);
    check_key(SEQUENCE_720, "30 1043100208208420080010bb04", OK, 1280, 720);
    /* the lower of two layers: smaller than the sequence says */
    check_key(SEQUENCE_360, "324e129face04fe02ce85000410410", OK, 320, 180);
    check_key(SEQUENCE_361, "324f12013f59c0a0005a10a0008208", OK, 320, 180);
    /* the upper one is no key frame */
    check_key(SEQUENCE_360, "36082730e0000000053800c71c7116", ERR_UNSUPPORTED, 0, 0);
    check_key(SEQUENCE_360, "12 00", ERR_UNSUPPORTED, 0, 0);
    check_key(SEQUENCE_360, "30 12", ERR_MALFORMED, 0, 0);
    check_key(SEQUENCE_360, "30 12ffffffffff", ERR_MALFORMED, 0, 0); /* larger than it may be */
    check_key(SEQUENCE_360, "b0 12", ERR_MALFORMED, 0, 0);
}

static void check_damaged(struct view unit)
{
    struct picture_size size;
    struct h265_sps sps;
    struct av1_sequence sequence;
    if (h264_read_sps(unit, &size) == OK)
        assert_true(size.width > 0 && size.height > 0);
    if (h265_read_sps(unit, &sps) == OK)
        assert_true(sps.size.width > 0 && sps.size.height > 0);
    if (av1_read_sequence(unit, &sequence) != OK)
        return;
    assert_true(sequence.most.width > 0 && sequence.most.height > 0);
    if (av1_read_key_size(unit, &sequence, &size) == OK)
        assert_true(size.width <= sequence.most.width);
}

static struct av1_sequence some;

static void check_damaged_frame(struct view obu)
{
    struct picture_size size;
    if (av1_read_key_size(obu, &some, &size) == OK)
        assert_true(size.width <= some.most.width && size.height <= some.most.height);
}

static void test_damaged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof H264 / sizeof H264[0]; i++)
        damage(H264[i].hex, check_damaged);
    for (size_t i = 0; i < sizeof H265 / sizeof H265[0]; i++)
        damage(H265[i].hex, check_damaged);
    damage(SEQUENCE_361, check_damaged);
    damage(SEQUENCE_720, check_damaged);
    some = read_sequence(SEQUENCE_361);
    damage("324f12013f59c0a0005a10a0008208", check_damaged_frame);
}

/* Every beginning of what is before the sizes is refused. */
static void test_cut(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct picture_size size;
    (void)test_read_hex(H264[7].hex, bytes);
    for (size_t cut = 0; cut < 8; cut++)
        assert_int_equal(h264_read_sps(view_make(bytes, cut), &size), ERR_MALFORMED);
    struct av1_sequence sequence;
    (void)test_read_hex(SEQUENCE_720, bytes);
    for (size_t cut = 0; cut < 11; cut++)
        assert_int_equal(av1_read_sequence(view_make(bytes, cut), &sequence), ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_h264),
        cmocka_unit_test(test_h265),
        cmocka_unit_test(test_h265_sub_layers),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_av1_sequence),
        cmocka_unit_test(test_av1_frames),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_cut),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, free_block);
}
