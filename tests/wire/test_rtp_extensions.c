/* test_rtp_extensions.c - the values of header extensions, as their documents draw them. */
#include "support.h"

#include "wire/rtp_extensions.h"

static void test_uris(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < RTP_EXTENSION_KINDS; kind++) {
        struct view uri = rtp_extension_uri((enum rtp_extension_kind)kind);
        assert_int_equal(rtp_extension_kind_of(uri), kind);
        assert_int_equal(rtp_extension_kind_of(view_slice(uri, 0, uri.size - 1)),
                         RTP_EXTENSION_KINDS);
    }
    assert_int_equal(rtp_extension_kind_of(VIEW("urn:ietf:params:rtp-hdrext:sdes:mid")),
                     RTP_EXTENSION_MID);
    assert_int_equal(rtp_extension_kind_of(VIEW("")), RTP_EXTENSION_KINDS);
}

static void test_rid_and_mid(void **state)
{
    (void)state;
    struct view seen = VIEW("untouched");
    assert_int_equal(rtp_read_rid(VIEW(""), &seen), ERR_MALFORMED);
    assert_int_equal(rtp_read_rid(VIEW("a b"), &seen), ERR_MALFORMED);
    assert_int_equal(rtp_read_rid(VIEW("a\0"), &seen), ERR_MALFORMED);
    assert_int_equal(rtp_read_rid(VIEW("0123456789abcdefg"), &seen), ERR_MALFORMED);
    assert_int_equal(rtp_read_mid(VIEW("a b"), &seen), ERR_MALFORMED);
    assert_int_equal(rtp_read_mid(VIEW(""), &seen), ERR_MALFORMED);
    assert_int_equal(rtp_read_mid(VIEW("\x7f"), &seen), ERR_MALFORMED);
    assert_int_equal(rtp_read_mid(VIEW("0123456789abcdefg"), &seen), ERR_MALFORMED);
    assert_view(seen, "untouched");
    assert_int_equal(rtp_read_rid(VIEW("hi_0-Z"), &seen), OK);
    assert_view(seen, "hi_0-Z");
    assert_int_equal(rtp_read_mid(VIEW("{audio}.1~"), &seen), OK);
    assert_view(seen, "{audio}.1~");
}

static void test_abs_send_time(void **state)
{
    (void)state;
    uint32_t time = 77;
    assert_int_equal(rtp_read_abs_send_time(VIEW("\1\2"), &time), ERR_MALFORMED);
    assert_int_equal(time, 77);
    assert_int_equal(rtp_read_abs_send_time(VIEW("\1\2\3"), &time), OK);
    assert_int_equal(time, 0x010203);
    assert_int_equal(rtp_abs_send_time_of(0), 0);
    assert_int_equal(rtp_abs_send_time_of(USEC_S), 1 << 18);
    assert_int_equal(rtp_abs_send_time_of(USEC_S / 2), 1 << 17);
    assert_int_equal(rtp_abs_send_time_of(64 * USEC_S - 1), 0xffffff);
    assert_int_equal(rtp_abs_send_time_of(64 * USEC_S), 0);
    assert_int_equal(rtp_abs_send_time_of(UINT64_MAX) >> 24, 0);
    assert_int_equal(rtp_abs_send_time_distance(1 << 18, 0), 1000000);
    assert_int_equal(rtp_abs_send_time_distance(0, 1 << 17), -500000);
    assert_int_equal(rtp_abs_send_time_distance(1 << 17, 0xfe0000), 1000000);
    assert_int_equal(rtp_abs_send_time_distance(0x800000, 0), -32000000);
}

static void test_transport_cc(void **state)
{
    (void)state;
    struct rtp_transport_cc cc = { .sequence_number = 77 };
    assert_int_equal(rtp_read_transport_cc(VIEW("\1"), &cc), ERR_MALFORMED);
    assert_int_equal(rtp_read_transport_cc(VIEW("\1\2\3"), &cc), ERR_MALFORMED);
    assert_int_equal(cc.sequence_number, 77);
    assert_int_equal(rtp_read_transport_cc(VIEW("\xfe\2"), &cc), OK);
    assert_int_equal(cc.sequence_number, 0xfe02);
    assert_int_equal(cc.request_count, 0);
    assert_false(cc.request_timing);
    assert_int_equal(rtp_read_transport_cc(VIEW("\1\2\x80\x64"), &cc), OK);
    assert_int_equal(cc.request_count, 100);
    assert_true(cc.request_timing);
    assert_int_equal(rtp_read_transport_cc(VIEW("\1\2\x7f\xff"), &cc), OK);
    assert_int_equal(cc.request_count, 0x7fff);
    assert_false(cc.request_timing);
}

static void test_audio_level(void **state)
{
    (void)state;
    struct rtp_audio_level level = { .level = 77 };
    assert_int_equal(rtp_read_audio_level(VIEW(""), &level), ERR_MALFORMED);
    assert_int_equal(level.level, 77);
    assert_int_equal(rtp_read_audio_level(VIEW("\x83"), &level), OK);
    assert_true(level.voice);
    assert_int_equal(level.level, 3);
    assert_int_equal(rtp_read_audio_level(VIEW("\x7f"), &level), OK);
    assert_false(level.voice);
    assert_int_equal(level.level, 127);
}

static void test_capture_time(void **state)
{
    (void)state;
    static const char BYTES[] = "\1\2\3\4\5\6\7\x8\xff\xff\xff\xff\x80\0\0\0\1";
    struct rtp_capture_time time = { .ntp = 77 };
    for (size_t size = 0; size < sizeof(BYTES); size++) {
        bool whole = size == 8 || size >= 16;
        assert_int_equal(rtp_read_capture_time(view_make(BYTES, size), &time),
                         whole ? OK : ERR_MALFORMED);
        assert_true(time.ntp == (size < 8 ? 77u : 0x0102030405060708u));
        assert_int_equal(time.has_offset, size >= 16);
    }
    assert_true(time.offset == -(1ll << 31)); /* half a second */
}

static void test_orientation(void **state)
{
    (void)state;
    struct rtp_orientation orientation = { .rotation = 77 };
    assert_int_equal(rtp_read_orientation(VIEW(""), &orientation), ERR_MALFORMED);
    assert_int_equal(orientation.rotation, 77);
    assert_int_equal(rtp_read_orientation(VIEW("\xf9"), &orientation), OK);
    assert_true(orientation.back_camera);
    assert_false(orientation.flipped);
    assert_int_equal(orientation.rotation, 90);
    assert_int_equal(rtp_read_orientation(VIEW("\7"), &orientation), OK);
    assert_false(orientation.back_camera);
    assert_true(orientation.flipped);
    assert_int_equal(orientation.rotation, 270);
}

static void test_playout_delay(void **state)
{
    (void)state;
    static const struct rtp_playout_delay LONGEST = { 40950, 40950 };
    uint8_t bytes[RTP_PLAYOUT_DELAY_SIZE];
    struct rtp_playout_delay delay = { .min_ms = 77 };
    assert_int_equal(rtp_read_playout_delay(VIEW("\0\0"), &delay), ERR_MALFORMED);
    assert_int_equal(rtp_read_playout_delay(VIEW("\0\x20\1"), &delay), ERR_MALFORMED);
    assert_int_equal(delay.min_ms, 77);
    assert_int_equal(rtp_read_playout_delay(VIEW("\1\x23\x45"), &delay), OK);
    assert_int_equal(delay.min_ms, 0x12 * 10);
    assert_int_equal(delay.max_ms, 0x345 * 10);
    rtp_write_playout_delay(bytes, (struct rtp_playout_delay){ 189, 8370 });
    assert_memory_equal(bytes, "\1\x23\x45", 3);
    rtp_write_playout_delay(bytes, LONGEST);
    assert_memory_equal(bytes, "\xff\xff\xff", 3);
    assert_int_equal(rtp_read_playout_delay(view_make(bytes, 3), &delay), OK);
    assert_int_equal(delay.max_ms, 40950);
}

static int read_allocation(const char *hex, struct rtp_allocation *allocation)
{
    uint8_t bytes[256];
    size_t size = test_read_hex(hex, bytes);
    uint8_t *copy = test_copy(view_make(bytes, size));
    int status = rtp_read_allocation(view_make(copy, size), allocation);
    free(copy);
    return status;
}

static void test_allocation_of_nothing(void **state)
{
    (void)state;
    struct rtp_allocation allocation = { .stream = 77 };
    assert_int_equal(read_allocation("", &allocation), ERR_MALFORMED);
    assert_int_equal(allocation.stream, 77);
    assert_int_equal(read_allocation("00", &allocation), OK);
    assert_int_equal(allocation.stream_count, 0);
    assert_int_equal(allocation.layer_count, 0);
}

/* Simulcast of three streams, the second of which bears it: two temporal layers each. */
#define SIMULCAST                                                                                  \
    "61 54"                                                                                        \
    "64 9601 ac02 f403 d80f 8827"                                                                  \
    "013f 00b3 0f  027f 0167 1e  04ff 02cf 1e"

static void test_allocation_of_simulcast(void **state)
{
    (void)state;
    static const uint32_t KBPS[] = { 100, 150, 300, 500, 2008, 5000 };
    static const uint32_t WIDTHS[] = { 320, 640, 1280 };
    struct rtp_allocation allocation;
    assert_int_equal(read_allocation(SIMULCAST, &allocation), OK);
    assert_int_equal(allocation.stream, 1);
    assert_int_equal(allocation.stream_count, 3);
    assert_int_equal(allocation.layer_count, 3);
    assert_true(allocation.has_resolutions);
    for (unsigned i = 0; i < 3; i++) {
        const struct rtp_allocation_layer *layer = &allocation.layers[i];
        assert_int_equal(layer->stream, i);
        assert_int_equal(layer->spatial_id, 0);
        assert_int_equal(layer->temporal_count, 2);
        assert_int_equal(layer->kbps[0], KBPS[2 * i]);
        assert_int_equal(layer->kbps[1], KBPS[2 * i + 1]);
        assert_int_equal(layer->width, WIDTHS[i]);
        assert_int_equal(layer->height, WIDTHS[i] * 9 / 16);
        assert_int_equal(layer->fps_max, i == 0 ? 15 : 30);
    }
}

/* Three streams with layers of their own: none, 0 and 2, 1; numbers of two bits, and padding. */
static void test_allocation_with_a_mask_for_each(void **state)
{
    (void)state;
    struct rtp_allocation allocation;
    assert_int_equal(read_allocation("a0 05 20 10 01 02 03 04", &allocation), OK);
    assert_int_equal(allocation.stream, 2);
    assert_int_equal(allocation.stream_count, 3);
    assert_int_equal(allocation.layer_count, 3);
    assert_false(allocation.has_resolutions);
    assert_int_equal(allocation.layers[0].stream, 1);
    assert_int_equal(allocation.layers[0].spatial_id, 0);
    assert_int_equal(allocation.layers[0].temporal_count, 1);
    assert_int_equal(allocation.layers[1].stream, 1);
    assert_int_equal(allocation.layers[1].spatial_id, 2);
    assert_int_equal(allocation.layers[1].temporal_count, 2);
    assert_int_equal(allocation.layers[1].kbps[1], 3);
    assert_int_equal(allocation.layers[2].stream, 2);
    assert_int_equal(allocation.layers[2].spatial_id, 1);
    assert_int_equal(allocation.layers[2].kbps[0], 4);
}

static void test_allocation_cut_short(void **state)
{
    (void)state;
    uint8_t bytes[64];
    size_t size = test_read_hex(SIMULCAST, bytes);
    size_t without_resolutions = size - 15;
    for (size_t cut = 0; cut < size; cut++) {
        struct rtp_allocation allocation = { .stream = 77 };
        uint8_t *copy = test_copy(view_make(bytes, cut));
        int status = rtp_read_allocation(view_make(copy, cut), &allocation);
        assert_int_equal(status, cut == without_resolutions ? OK : ERR_MALFORMED);
        assert_int_equal(allocation.stream, status == OK ? 1 : 77);
        free(copy);
    }
}

static void test_allocation_with_flipped_bits(void **state)
{
    (void)state;
    uint8_t bytes[64];
    size_t size = test_read_hex(SIMULCAST, bytes);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        struct rtp_allocation allocation;
        uint8_t *copy = test_copy(view_make(bytes, size));
        copy[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        if (rtp_read_allocation(view_make(copy, size), &allocation) == OK) {
            assert_in_range(allocation.stream_count, 1, 4);
            assert_in_range(allocation.stream, 0, allocation.stream_count - 1);
            assert_in_range(allocation.layer_count, 0, RTP_ALLOCATION_LAYERS_MAX);
        }
        free(copy);
    }
    struct rtp_allocation allocation;
    assert_int_equal(read_allocation("c1 00 01", &allocation),
                     ERR_MALFORMED); /* the fourth of one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uris),
        cmocka_unit_test(test_rid_and_mid),
        cmocka_unit_test(test_abs_send_time),
        cmocka_unit_test(test_transport_cc),
        cmocka_unit_test(test_audio_level),
        cmocka_unit_test(test_capture_time),
        cmocka_unit_test(test_orientation),
        cmocka_unit_test(test_playout_delay),
        cmocka_unit_test(test_allocation_of_nothing),
        cmocka_unit_test(test_allocation_of_simulcast),
        cmocka_unit_test(test_allocation_with_a_mask_for_each),
        cmocka_unit_test(test_allocation_cut_short),
        cmocka_unit_test(test_allocation_with_flipped_bits),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
