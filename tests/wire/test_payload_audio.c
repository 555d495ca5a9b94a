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

static void assert_joined(const char *hex, unsigned count, const struct view *packets)
{
    uint8_t room[OPUS_JOIN_MAX * (1 + OPUS_FRAME_MAX) + OPUS_JOINED_EXTRA];
    struct view expected = from_hex(hex);
    struct opus opus;
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(opus_read(packets[i], &opus), OK);
        assert_true(opus_joins(&opus, packets[i]));
    }
    size_t size = opus_join(packets, count, room);
    assert_int_equal(size, expected.size);
    assert_memory_equal(room, expected.at, size);
    assert_int_equal(opus_read(view_make(room, size), &opus), OK);
    assert_int_equal(opus.frame_count, count);
}

#define BYTES(...) view_make((const uint8_t[]){ __VA_ARGS__ }, sizeof(uint8_t[]){ __VA_ARGS__ })

/* RFC 6716, sections 3.2.3 to 3.2.5: figures 3, 4, 5 and 6. */
static void test_joined(void **state)
{
    (void)state;
    const struct view a = BYTES(0x7c, 1, 2), b = BYTES(0x7c, 3, 4), c = BYTES(0x7c, 5, 6, 7);
    assert_joined("7d 0102 0304", 2, (struct view[]){ a, b });
    assert_joined("7e 02 0102 050607", 2, (struct view[]){ a, c });
    assert_joined("7f 03 0102 0304 0102", 3, (struct view[]){ a, b, a });
    assert_joined("7f 83 03 02 050607 0102 0304", 3, (struct view[]){ c, a, b });
}

/* Section 3.2.1: 252 and more bytes take two for their number. */
static void test_joined_of_large_frames(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        uint8_t lengths[2];
        unsigned count;
    } FRAMES[] = { { 251, { 251 }, 1 },      { 252, { 252, 0 }, 2 }, { 253, { 253, 0 }, 2 },
                   { 255, { 255, 0 }, 2 },   { 256, { 252, 1 }, 2 }, { 1020, { 252, 192 }, 2 },
                   { 1275, { 255, 255 }, 2 } };
    for (unsigned i = 0; i < sizeof FRAMES / sizeof FRAMES[0]; i++) {
        uint8_t first[1 + OPUS_FRAME_MAX] = { 0x78 }, second[] = { 0x78, 9, 8 };
        uint8_t room[sizeof first + sizeof second + OPUS_JOINED_EXTRA];
        const struct view packets[] = { view_make(first, 1 + FRAMES[i].size),
                                        view_make(second, sizeof second) };
        size_t size = opus_join(packets, 2, room);
        assert_int_equal(size, 1 + FRAMES[i].count + FRAMES[i].size + 2);
        assert_int_equal(room[0], 0x7a);
        assert_memory_equal(room + 1, FRAMES[i].lengths, FRAMES[i].count);
        assert_memory_equal(room + size - 2, second + 1, 2);
    }
}

static void test_not_joined(void **state)
{
    (void)state;
    static const char *const PACKETS[] = { "78", "78 01", "79 0102", "7a 01 0203", "7b 01 0203" };
    struct opus opus;
    for (unsigned i = 0; i < sizeof PACKETS / sizeof PACKETS[0]; i++) {
        struct view payload = from_hex(PACKETS[i]);
        assert_int_equal(opus_read(payload, &opus), OK);
        assert_false(opus_joins(&opus, payload));
    }
    uint8_t large[2 + OPUS_FRAME_MAX] = { 0x78 };
    assert_int_equal(opus_read(view_make(large, sizeof large), &opus), OK);
    assert_false(opus_joins(&opus, view_make(large, sizeof large)));
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
        cmocka_unit_test(test_joined),
        cmocka_unit_test(test_joined_of_large_frames),
        cmocka_unit_test(test_not_joined),
        cmocka_unit_test(test_red),
        cmocka_unit_test(test_red_of_large_numbers),
        cmocka_unit_test(test_broken_red),
        cmocka_unit_test(test_damaged),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, free_block);
}
