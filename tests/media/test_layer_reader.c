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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_key_frame_begins_with_its_sets, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
