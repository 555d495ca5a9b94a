/* test_opus_joined.c - packets that were joined, decoded by libopus: the same samples, to the bit,
 * as those of the packets one by one. */
#include "payload_support.h"

#include "wire/payload_audio.h"

#include <opus/opus.h>

#define RATE    48000
#define FRAME   960 /* 20 ms */
#define PACKETS 60
#define ROOM    1500

static uint8_t packets[PACKETS][ROOM];
static size_t sizes[PACKETS];

/* Three tones that come and go, and noise, from the seed. */
static void make_sound(opus_int16 *out, unsigned channels, unsigned frame)
{
    static uint32_t random = 4711;
    for (unsigned i = 0; i < FRAME; i++) {
        unsigned at = frame * FRAME + i;
        int tone = (int)(at * (2 + at / 9000 % 3) % 240) * 60 - 7200;
        random = random * 1664525 + 1013904223;
        int noise = (int)(random >> 22) - 512;
        for (unsigned c = 0; c < channels; c++)
            out[i * channels + c] = (opus_int16)(tone / (int)(1 + c) + noise);
    }
}

static void encode(unsigned channels, int bitrate, int is_vbr)
{
    int error;
    opus_int16 sound[FRAME * 2];
    OpusEncoder *encoder = opus_encoder_create(RATE, (int)channels, OPUS_APPLICATION_VOIP, &error);
    assert_non_null(encoder);
    assert_int_equal(opus_encoder_ctl(encoder, OPUS_SET_BITRATE(bitrate)), OPUS_OK);
    assert_int_equal(opus_encoder_ctl(encoder, OPUS_SET_VBR(is_vbr)), OPUS_OK);
    for (unsigned i = 0; i < PACKETS; i++) {
        make_sound(sound, channels, i);
        int size = opus_encode(encoder, sound, FRAME, packets[i], ROOM);
        assert_true(size > 2);
        sizes[i] = (size_t)size;
    }
    opus_encoder_destroy(encoder);
}

/* An encoder of a fixed rate pads some, by a code of their own. */
static bool joins(unsigned i)
{
    struct opus opus;
    const struct view payload = view_make(packets[i], sizes[i]);
    assert_int_equal(opus_read(payload, &opus), OK);
    return opus_joins(&opus, payload);
}

/* How many of the packets from the first on go as one. */
static unsigned run_of(unsigned first, unsigned most)
{
    unsigned count = 1;
    while (joins(first) && count < most && first + count < PACKETS &&
           packets[first + count][0] == packets[first][0] && joins(first + count))
        count++;
    return count;
}

/* Gives how many were joined at most. */
static unsigned check(unsigned channels, unsigned most)
{
    static opus_int16 one_by_one[FRAME * 2 * OPUS_JOIN_MAX], joined[FRAME * 2 * OPUS_JOIN_MAX];
    int error;
    OpusDecoder *a = opus_decoder_create(RATE, (int)channels, &error);
    OpusDecoder *b = opus_decoder_create(RATE, (int)channels, &error);
    unsigned count, longest = 0;
    assert_non_null(a);
    assert_non_null(b);
    for (unsigned first = 0; first < PACKETS; first += count) {
        uint8_t room[OPUS_JOIN_MAX * ROOM + OPUS_JOINED_EXTRA];
        struct view views[OPUS_JOIN_MAX];
        count = run_of(first, most);
        longest = count > longest ? count : longest;
        for (unsigned i = 0; i < count; i++) {
            views[i] = view_make(packets[first + i], sizes[first + i]);
            assert_int_equal(opus_decode(a, packets[first + i], (opus_int32)sizes[first + i],
                                         one_by_one + i * FRAME * channels, FRAME, 0),
                             FRAME);
        }
        size_t size = views[0].size;
        const uint8_t *bytes = views[0].at;
        if (count > 1) {
            size = opus_join(views, count, room);
            bytes = room;
        }
        assert_int_equal(opus_decode(b, bytes, (opus_int32)size, joined, FRAME * OPUS_JOIN_MAX, 0),
                         FRAME * count);
        assert_memory_equal(one_by_one, joined, FRAME * channels * count * sizeof *joined);
    }
    opus_decoder_destroy(a);
    opus_decoder_destroy(b);
    return longest;
}

static void test_decoded(void **state)
{
    (void)state;
    unsigned longest[OPUS_JOIN_MAX + 1] = { 0 };
    for (unsigned channels = 1; channels <= 2; channels++)
        for (int bitrate = 12000; bitrate <= 96000; bitrate *= 2)
            for (int is_vbr = 0; is_vbr < 2; is_vbr++) {
                encode(channels, bitrate, is_vbr);
                for (unsigned most = 2; most <= OPUS_JOIN_MAX; most++) {
                    unsigned count = check(channels, most);
                    longest[most] = count > longest[most] ? count : longest[most];
                }
            }
    for (unsigned most = 2; most <= OPUS_JOIN_MAX; most++)
        assert_int_equal(longest[most], most);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_decoded) };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, free_block);
}
