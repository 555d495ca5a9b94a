/* test_payload_audio.c - Opus packets (RFC 6716, section 3), and RED (RFC 2198, section 4). */
#include "payload_support.h"

#include "wire/payload_audio.h"

/* RFC 6716, table 2, in tenths of a millisecond. */
static void test_durations(void **state)
{
    (void)state;
    static const unsigned TENTHS[32] = {
        100, 200, 400, 600, 100, 200, 400, 600, 100, 200, 400, 600, 100, 200, 100, 200,
        25,  50,  100, 200, 25,  50,  100, 200, 25,  50,  100, 200, 25,  50,  100, 200,
    };
    for (unsigned config = 0; config < 32; config++) {
        uint8_t bytes[4] = { (uint8_t)(config << 3 | 4) };
        struct opus opus;
        assert_int_equal(opus_read(view_make(bytes, 4), &opus), OK);
        assert_int_equal(opus.config, config);
        assert_int_equal(opus.frame_ticks, TENTHS[config] * 48 / 10);
        assert_int_equal(opus.ticks, opus.frame_ticks);
        assert_true(opus.is_stereo);
        assert_false(opus.is_silent);
        bytes[0] = (uint8_t)(config << 3 | 1);
        assert_int_equal(opus_read(view_make(bytes, 4), &opus), OK);
        assert_int_equal(opus.ticks, 2 * opus.frame_ticks);
        assert_false(opus.is_stereo);
        bytes[0]++;
        assert_int_equal(opus_read(view_make(bytes, 4), &opus), OK);
        assert_int_equal(opus.frame_count, 2);
    }
}

/* Code 3: up to 120 ms (R5), and not without frames. */
static void test_counts(void **state)
{
    (void)state;
    for (unsigned config = 0; config < 32; config++) {
        for (unsigned count = 0; count < 64; count++) {
            uint8_t bytes[3] = { (uint8_t)(config << 3 | 3), (uint8_t)(0xc0 | count) };
            struct opus opus = { .frame_count = 77 };
            int status = opus_read(view_make(bytes, 3), &opus);
            if (status != OK) {
                assert_int_equal(opus.frame_count, 77);
                continue;
            }
            assert_int_equal(opus.frame_count, count);
            assert_int_equal(opus.ticks, count * opus.frame_ticks);
            assert_in_range(opus.ticks, 120, OPUS_TICKS_MAX);
        }
    }
    struct opus opus;
    assert_int_equal(opus_read(from_hex("83 30"), &opus), OK); /* 48 of 2.5 ms */
    assert_int_equal(opus.ticks, OPUS_TICKS_MAX);
    assert_int_equal(opus_read(from_hex("83 31"), &opus), ERR_MALFORMED);
    assert_int_equal(opus_read(from_hex("83 00"), &opus), ERR_MALFORMED);
    assert_int_equal(opus_read(from_hex("1b 02"), &opus), OK); /* two of 60 ms */
    assert_int_equal(opus_read(from_hex("1b 03"), &opus), ERR_MALFORMED);
    assert_int_equal(opus_read(from_hex("1b"), &opus), ERR_MALFORMED);
    assert_int_equal(opus_read(from_hex(""), &opus), ERR_MALFORMED);
}

static void test_silence(void **state)
{
    (void)state;
    struct opus opus;
    assert_int_equal(opus_read(from_hex("78"), &opus), OK);
    assert_true(opus.is_silent);
    assert_int_equal(opus_read(from_hex("78 ff"), &opus), OK);
    assert_true(opus.is_silent);
    assert_int_equal(opus_read(from_hex("78 fffe"), &opus), OK);
    assert_false(opus.is_silent);
}

/* Two blocks that were sent before, 960 and 1920 ticks ago, and the packet's own. */
#define THREE "ef 1e0003 ef 0f0002 6f 616263 6465 666768"

static void test_red(void **state)
{
    (void)state;
    struct red red;
    assert_int_equal(red_read(from_hex(THREE), &red), OK);
    assert_int_equal(red.block_count, 3);
    assert_int_equal(red.blocks[0].payload_type, 111);
    assert_int_equal(red.blocks[0].timestamp_offset, 1920);
    assert_view(red.blocks[0].payload, "abc");
    assert_int_equal(red.blocks[1].timestamp_offset, 960);
    assert_view(red.blocks[1].payload, "de");
    assert_int_equal(red.blocks[2].payload_type, 111);
    assert_int_equal(red.blocks[2].timestamp_offset, 0);
    assert_view(red.blocks[2].payload, "fgh");
    assert_int_equal(red_read(from_hex("6f 6162"), &red), OK);
    assert_int_equal(red.block_count, 1);
    assert_view(red.blocks[0].payload, "ab");
    assert_int_equal(red_read(from_hex("00"), &red), OK);
    assert_int_equal(red.blocks[0].payload.size, 0);
}

/* The widest of all fields: 14 bits of offset, 10 of size. */
static void test_red_of_large_numbers(void **state)
{
    (void)state;
    uint8_t *bytes = calloc(1, 5 + 1023);
    struct red red;
    memcpy(bytes, "\xff\xff\xff\xff\x7f", 5);
    assert_int_equal(red_read(view_make(bytes, 5 + 1023), &red), OK);
    assert_int_equal(red.blocks[0].payload_type, 127);
    assert_int_equal(red.blocks[0].timestamp_offset, 16383);
    assert_int_equal(red.blocks[0].payload.size, 1023);
    assert_int_equal(red.blocks[1].payload.size, 0);
    assert_int_equal(red_read(view_make(bytes, 5 + 1022), &red), ERR_MALFORMED);
    free(bytes);
}

static void test_broken_red(void **state)
{
    (void)state;
    uint8_t bytes[4 * RED_BLOCKS_MAX + 1];
    struct red red = { .block_count = 77 };
    assert_int_equal(red_read(from_hex(""), &red), ERR_MALFORMED);
    assert_int_equal(red_read(from_hex("ef 1e00"), &red), ERR_MALFORMED);
    assert_int_equal(red_read(from_hex("ef 1e0003"), &red), ERR_MALFORMED);
    assert_int_equal(red_read(from_hex("ef 1e0003 6f 6162"), &red), ERR_MALFORMED);
    memset(bytes, 0, sizeof(bytes));
    for (size_t i = 0; i < RED_BLOCKS_MAX; i++)
        bytes[4 * i] = 0x80;
    assert_int_equal(red_read(view_make(bytes, sizeof(bytes)), &red), ERR_LIMIT);
    assert_int_equal(red.block_count, 77);
    bytes[4 * (RED_BLOCKS_MAX - 1)] = 0;
    assert_int_equal(red_read(view_make(bytes, sizeof(bytes)), &red), OK);
    assert_int_equal(red.block_count, RED_BLOCKS_MAX);
}

static void check_damaged(struct view payload)
{
    struct opus opus;
    struct red red;
    if (opus_read(payload, &opus) == OK)
        assert_in_range(opus.ticks, 120, OPUS_TICKS_MAX);
    if (red_read(payload, &red) == OK) {
        size_t size = 0;
        for (unsigned i = 0; i < red.block_count; i++)
            size += red.blocks[i].payload.size;
        assert_int_equal(size + 4 * (red.block_count - 1u) + 1, payload.size);
    }
}

static void test_damaged(void **state)
{
    (void)state;
    damage(THREE, check_damaged);
    damage("1b 02 aa", check_damaged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_red),
        cmocka_unit_test(test_red_of_large_numbers),
        cmocka_unit_test(test_broken_red),
        cmocka_unit_test(test_damaged),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, free_block);
}
