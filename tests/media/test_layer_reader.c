/* What packets are to those who may get them, where it is not all in the packet. */
#include "support.h"

#include "base/bytes.h"
#include "media/layer_reader.h"

static struct layer_reader reader;
static struct layers_meter meter;

static int set_up(void **state)
{
    (void)state;
    reader = (struct layer_reader){ 0 };
    meter = (struct layers_meter){ 0 };
    return 0;
}

static struct packet come(enum payload_codec codec, unsigned number, unsigned picture,
                          struct view payload)
{
    uint8_t bytes[1200] = { 0x80, 100 };
    struct packet packet = { 0 };
    bytes_write_16(bytes + 2, number);
    bytes_write_32(bytes + 4, picture * 3000);
    memcpy(bytes + 12, payload.at, payload.size);
    struct view view = view_make(bytes, 12 + payload.size);
    assert_int_equal(rtp_read(view, &packet.rtp), OK);
    assert_int_equal(layer_reader_read(&reader, &meter, codec, view, view_make(NULL, 0), &packet),
                     OK);
    return packet;
}

#define SLICE VIEW("\x41\x9a\1\2")
#define IDR   VIEW("\x65\x88\1\2")
#define SETS  VIEW("\x78\0\4\x67\x42\xe0\x1f\0\4\x68\xce\1\2")

/* Parameter sets of H.264 go before a key frame; without them it can't be begun with. */
static void test_key_frame_begins_with_its_sets(void **state)
{
    (void)state;
    assert_false(come(PAYLOAD_H264, 1, 1, SLICE).begins_key_frame);
    assert_true(come(PAYLOAD_H264, 2, 2, SETS).begins_key_frame);
    assert_false(come(PAYLOAD_H264, 3, 2, IDR).begins_key_frame);
    /* late ones */
    assert_false(come(PAYLOAD_H264, 5, 3, IDR).begins_key_frame);
    assert_true(come(PAYLOAD_H264, 4, 3, SETS).begins_key_frame);
    assert_false(come(PAYLOAD_H264, 6, 3, SLICE).begins_key_frame);
    /* who sends them in the session description sends none */
    assert_true(come(PAYLOAD_H264, 7, 4, IDR).begins_key_frame);
    assert_false(come(PAYLOAD_H264, 8, 4, IDR).begins_key_frame);
    assert_false(come(PAYLOAD_H264, 10, 5, IDR).begins_key_frame);
}

/* ---- sizes ---- */

static struct packet come_hex(enum payload_codec codec, unsigned number, unsigned picture,
                              const char *hex)
{
    uint8_t bytes[256];
    return come(codec, number, picture, view_make(bytes, test_read_hex(hex, bytes)));
}

static void check_size(unsigned spatial, unsigned width, unsigned height)
{
    assert_int_equal(meter.widths[spatial], width);
    assert_int_equal(meter.heights[spatial], height);
}

static void test_sizes_of_h264(void **state)
{
    (void)state;
    come(PAYLOAD_H264, 1, 1, SLICE);
    check_size(0, 0, 0);
    come_hex(PAYLOAD_H264, 2, 2, "78 0009 6742e01fda014016e8 0004 68ce0102");
    check_size(0, 1280, 720);
    come(PAYLOAD_H264, 3, 2, IDR);
    come(PAYLOAD_H264, 4, 3, SLICE);
    come(PAYLOAD_H264, 5, 4, SETS); /* no size can be read of these */
    check_size(0, 1280, 720);
    come_hex(PAYLOAD_H264, 6, 5, "6764001ef3650280bfe2610000030001000003003c0f162d96");
    check_size(0, 640, 360);
}

static void test_sizes_of_h265(void **state)
{
    (void)state;
    come_hex(
        PAYLOAD_H265, 1, 1,
        "6001 0003 40010c 0028 42010101600000030090000003000003005da00280802d165959a4932b9a020000"
        "03000200000300 0003 4401c0");
    check_size(0, 1280, 720);
    come_hex(PAYLOAD_H265, 2, 2, "42010101600000030090000003000003005aa006b201e9d4996566924cae68");
    check_size(0, 854, 482);
}

static void test_sizes_of_av1(void **state)
{
    (void)state;
    come_hex(PAYLOAD_AV1, 1, 1, "28 0c 080000002d4cffb3cd9a0080 30 1043100208208420");
    check_size(0, 1280, 720);
    /* a key frame that says another size than its sequence does */
    come_hex(PAYLOAD_AV1, 2, 2, "28 0d 08001301088086627fb39b3401 30 129face04fe02ce85000410410");
    check_size(0, 640, 360); /* of two layers, of which nothing else tells: they go together */
    come_hex(PAYLOAD_AV1, 3, 3, "10 30 1122");
    check_size(0, 640, 360);
}

/* ---- temporal layers ---- */

static void check_layers(struct packet packet, unsigned temporal, unsigned targets, unsigned needed,
                         unsigned switches, unsigned base)
{
    assert_int_equal(packet.temporal, temporal);
    assert_int_equal(packet.targets, targets * 0x1111);
    assert_int_equal(packet.needed, needed * 0x1111);
    assert_int_equal(packet.switches, switches * 0x1111);
    if (switches)
        assert_int_equal(packet.switch_base, base);
}

/* What nothing refers to is the layer above all else. */
static void test_layers_of_h264(void **state)
{
    (void)state;
    check_layers(come_hex(PAYLOAD_H264, 1, 1, "06 0504"), 0, 15, 15, 0, 0);
    check_layers(come(PAYLOAD_H264, 2, 1, SLICE), 0, 15, 15, 0, 0);
    check_layers(come_hex(PAYLOAD_H264, 3, 2, "01 9a00"), 1, 14, 0, 14, 0);
    check_layers(come_hex(PAYLOAD_H264, 4, 3, "1c 81 9a00"), 1, 14, 0, 14, 0);
    check_layers(come_hex(PAYLOAD_H264, 5, 3, "1c 41 9a00"), 1, 14, 0, 14, 0);
    check_layers(come(PAYLOAD_H264, 6, 4, SLICE), 0, 15, 15, 0, 0);
    check_layers(come_hex(PAYLOAD_H264, 7, 5, "09 f0"), 0, 14, 0, 14, 0);
    check_layers(come_hex(PAYLOAD_H264, 8, 6, "68 ce"), 0, 15, 15, 0, 0);
}

static void test_layers_of_h265(void **state)
{
    (void)state;
    check_layers(come_hex(PAYLOAD_H265, 1, 1, "0201 d0"), 0, 15, 15, 0, 0);
    check_layers(come_hex(PAYLOAD_H265, 2, 2, "0202 d0"), 1, 14, 14, 0, 0);
    check_layers(come_hex(PAYLOAD_H265, 3, 3, "0002 d0"), 1, 14, 12, 0, 0);  /* TRAIL_N */
    check_layers(come_hex(PAYLOAD_H265, 4, 4, "0602 d0"), 1, 14, 14, 14, 0); /* TSA_R */
    check_layers(come_hex(PAYLOAD_H265, 5, 5, "0803 d0"), 2, 12, 8, 4, 1);   /* STSA_N */
    check_layers(come_hex(PAYLOAD_H265, 6, 6, "5003 80"), 2, 12, 12, 0, 0);  /* an SEI */
    check_layers(come_hex(PAYLOAD_H265, 7, 7, "0207 d0"), 6, 8, 8, 0, 0);
    /* a set that says that any picture of a higher layer is a switch point */
    come_hex(PAYLOAD_H265, 8, 8, "42010101600000030090000003000003005aa006b201e9d4996566924cae68");
    check_layers(come_hex(PAYLOAD_H265, 9, 9, "0203 d0"), 2, 12, 12, 12, 1);
    check_layers(come_hex(PAYLOAD_H265, 10, 10, "0201 d0"), 0, 15, 15, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_key_frame_begins_with_its_sets, set_up),
        cmocka_unit_test_setup(test_sizes_of_h264, set_up),
        cmocka_unit_test_setup(test_sizes_of_h265, set_up),
        cmocka_unit_test_setup(test_sizes_of_av1, set_up),
        cmocka_unit_test_setup(test_layers_of_h264, set_up),
        cmocka_unit_test_setup(test_layers_of_h265, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
