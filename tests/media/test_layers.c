/* What is measured of an encoding's layers. */
#include "support.h"

#include "media/layers.h"
#include "media/track.h"

static struct metrics metrics;
static struct tracks tracks;
static struct track *track;
static struct encoding *high, *low;
static usec now;

static const struct track_kind KIND = { .wake = NULL };

static int set_up(void **state)
{
    (void)state;
    const struct media_terms terms = { .format_count = 1, .formats = { { .codec = PAYLOAD_VP8 } } };
    now = 100 * USEC_S;
    assert_int_equal(tracks_init(&tracks, 4, &metrics), OK);
    track = track_open(&tracks, &KIND, NULL, true, &terms);
    assert_non_null(track);
    assert_int_equal(track_add_encoding(track, 1, 2, VIEW("h"), &high), OK);
    assert_int_equal(track_add_encoding(track, 3, 4, VIEW("l"), &low), OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    track_close(track, now);
    tracks_free(&tracks);
    return 0;
}

/* A frame in `packets` packets of `size` bytes, of an encoding of three temporal layers. */
static void frame(struct encoding *encoding, unsigned number, unsigned packets, unsigned size)
{
    static const uint8_t LAYERS[] = { 0, 2, 1, 2 };
    uint8_t temporal = LAYERS[number % 4];
    uint8_t bytes[1500] = { 0x80 };
    for (unsigned i = 0; i < packets; i++) {
        struct packet packet = { .temporal = temporal,
                                 .begins_frame = i == 0,
                                 .begins_picture = i == 0,
                                 .targets = (uint16_t)(0x1111u * (0xfu << temporal & 0xf)) };
        packet.rtp = (struct rtp_packet){ .timestamp = number * 3000,
                                          .sequence_number = (uint16_t)(number * packets + i),
                                          .header_size = 12,
                                          .payload_size = (uint16_t)(size - 12) };
        assert_int_equal(encoding_store(encoding, now, &packet, view_make(bytes, size)), OK);
    }
}

/* Seconds of both, of 40 frames a second. */
static void play(unsigned seconds)
{
    static unsigned number;
    for (unsigned i = 0; i < 40 * seconds; i++, number++, now += USEC_S / 40) {
        frame(high, number, 2, 1000);
        frame(low, number, 1, 250);
    }
}

static void test_rates(void **state)
{
    (void)state;
    struct layer layers[LAYERS_MAX];
    assert_int_equal(track_layers(track, now, layers, LAYERS_MAX), 0);
    play(3);
    assert_int_equal(track_layers(track, now, layers, LAYERS_MAX), 6);
    for (unsigned i = 0; i < 6; i++) {
        uint64_t bps = (i < 3 ? 250u : 2000u) * 8 * (10u << i % 3);
        assert_int_equal(layers[i].encoding, i < 3 ? 1 : 0);
        assert_int_equal(layers[i].spatial, 0);
        assert_int_equal(layers[i].temporal, i % 3);
        assert_in_range(layers[i].bps, bps - bps / 8, bps + bps / 8);
        assert_in_range(layers[i].fps, (10u << i % 3) - 2, (10u << i % 3) + 2);
    }
    assert_int_equal(track_layers(track, now, layers, 4), 4);
}

/* Layers that no longer come are no longer there; nor is an encoding. */
static void test_ends(void **state)
{
    (void)state;
    struct layer layers[LAYERS_MAX];
    play(2);
    for (unsigned i = 0; i < 60; i++, now += USEC_S / 40)
        frame(low, 10000 + 4 * i, 1, 250);
    assert_int_equal(track_layers(track, now, layers, LAYERS_MAX), 1);
    assert_int_equal(layers[0].encoding, 1);
    assert_int_equal(layers[0].temporal, 0);
    now += TRACK_SILENCE;
    assert_int_equal(track_layers(track, now, layers, LAYERS_MAX), 0);
}

/* One that stops while the other goes on is known soon not to be there; what was lost of it, and
 * comes late, does not say that it is. */
static void test_stopped(void **state)
{
    (void)state;
    unsigned number = 20000;
    for (unsigned i = 0; i < 80; i++, number += i == 78 ? 2 : 1, now += USEC_S / 40) {
        frame(high, number, 2, 1000);
        frame(low, number, 1, 250);
    }
    for (usec end = now + TRACK_STOPPED; now < end; number++, now += USEC_S / 40) {
        assert_true(encoding_is_heard(high, now));
        frame(low, number, 1, 250);
    }
    assert_false(encoding_is_heard(high, now));
    assert_true(encoding_is_heard(low, now));
    assert_ptr_equal(track_best(track, now, &high->stream), low);
    frame(high, 20078, 2, 1000);
    assert_false(encoding_is_heard(high, now));
    frame(high, number++, 2, 1000);
    assert_true(encoding_is_heard(high, now));
    /* one that has few pictures has not stopped */
    for (unsigned i = 0; i < 100; i++, number++, now += USEC_S / 40) {
        frame(low, number, 1, 250);
        if (i % 15 == 14)
            frame(high, number, 2, 1000);
        assert_true(i < 30 || encoding_is_heard(high, now));
    }
}

/* Pictures that are larger are higher, whatever they cost. */
static void test_sizes(void **state)
{
    (void)state;
    struct layer layers[LAYERS_MAX];
    layers_set_size(&low->meter, 0, 1280, 720);
    layers_set_size(&low->meter, LAYERS_SPATIAL, 1, 1);
    layers_set_size(&high->meter, 0, 640, 360);
    play(2);
    assert_int_equal(track_layers(track, now, layers, LAYERS_MAX), 6);
    assert_int_equal(layers[0].encoding, 0);
    assert_int_equal(layers[0].width, 640);
    assert_int_equal(layers[5].encoding, 1);
    assert_int_equal(layers[5].height, 720);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sizes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
