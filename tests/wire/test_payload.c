/* test_payload.c - what a forwarder is told of a packet, over all codecs. */
#include "payload_support.h"

#include "wire/payload.h"

static void test_names(void **state)
{
    (void)state;
    for (unsigned codec = 0; codec < PAYLOAD_CODECS; codec++)
        assert_int_equal(payload_codec_of(payload_name((enum payload_codec)codec)), codec);
    assert_int_equal(payload_codec_of(VIEW("OPUS")), PAYLOAD_OPUS);
    assert_int_equal(payload_codec_of(VIEW("h264")), PAYLOAD_H264);
    assert_int_equal(payload_codec_of(VIEW("rtx")), PAYLOAD_CODECS);
    assert_int_equal(payload_codec_of(VIEW("")), PAYLOAD_CODECS);
    assert_int_equal(payload_clock(PAYLOAD_OPUS), 48000);
    assert_true(payload_is_video(PAYLOAD_AV1));
    assert_false(payload_is_video(PAYLOAD_G722));
}

/* Letters: f starts a frame, e ends one, k a key frame can be begun with, l has layers, u switching
 * up, - silence; then the spatial and the temporal id. */
static void test_each_codec(void **state)
{
    (void)state;
    static const struct {
        enum payload_codec codec;
        const char *hex;
        bool marker;
        const char *letters;
        unsigned spatial_id, temporal_id;
    } CASES[] = {
        { PAYLOAD_OPUS, "78 010203", false, "fe", 0, 0 },
        { PAYLOAD_OPUS, "78", true, "fe-", 0, 0 },
        { PAYLOAD_RED, "ef 1e0002 6f 7801 78", false, "fe-", 0, 0 },
        { PAYLOAD_RED, "ef 1e0002 6f 7801 78010203", false, "fe", 0, 0 },
        { PAYLOAD_PCMU, "ff", true, "fe", 0, 0 },
        { PAYLOAD_VP8, "10 50 0300", false, "fku", 0, 0 },
        { PAYLOAD_VP8, "10 51 0300", true, "fe", 0, 0 },
        { PAYLOAD_VP8, "90 20 a0 51", true, "felu", 0, 2 },
        { PAYLOAD_VP8, "80 20 80 50", true, "el", 0, 2 },
        { PAYLOAD_VP9, "ac 01 00 01 ff", false, "feklu", 0, 0 },
        { PAYLOAD_VP9, "ac 01 03 01 ff", true, "felu", 1, 0 },
        { PAYLOAD_VP9, "e8 01 50 01 ff", false, "flu", 0, 2 },
        { PAYLOAD_VP9, "e4 01 40 01 ff", false, "el", 0, 2 },
        { PAYLOAD_VP9, "a0 01 00 01 ff", false, "lu", 0, 0 },
        { PAYLOAD_H264, "67 42e01f", false, "fku", 0, 0 },
        { PAYLOAD_H264, "65 88", true, "feku", 0, 0 },
        { PAYLOAD_H264, "7c 05 88", false, "", 0, 0 },
        { PAYLOAD_H264, "41 9a", true, "fe", 0, 0 },
        { PAYLOAD_H265, "4201 01", false, "fku", 0, 0 },
        { PAYLOAD_H265, "0203 d0", true, "fel", 0, 2 },
        { PAYLOAD_AV1, "28 03 08 0000 30 11", false, "fku", 0, 0 },
        { PAYLOAD_AV1, "10 34 48 11", true, "fel", 1, 2 },
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct payload payload;
        char seen[8] = "";
        assert_int_equal(
            payload_read(CASES[i].codec, from_hex(CASES[i].hex), CASES[i].marker, &payload), OK);
        snprintf(seen, sizeof(seen), "%s%s%s%s%s%s", payload.starts_frame ? "f" : "",
                 payload.ends_frame ? "e" : "", payload.starts_key ? "k" : "",
                 payload.has_layers ? "l" : "", payload.switching_up ? "u" : "",
                 payload.is_silent ? "-" : "");
        if (strcmp(seen, CASES[i].letters) != 0)
            print_error("case %zu\n", i);
        assert_string_equal(seen, CASES[i].letters);
        assert_int_equal(payload.spatial_id, CASES[i].spatial_id);
        assert_int_equal(payload.temporal_id, CASES[i].temporal_id);
    }
}

static void test_errors_are_the_codecs(void **state)
{
    (void)state;
    struct payload payload = { .spatial_id = 77 };
    assert_int_equal(payload_read(PAYLOAD_H264, from_hex("1d 00"), true, &payload),
                     ERR_UNSUPPORTED);
    for (unsigned codec = PAYLOAD_VP8; codec <= PAYLOAD_AV1; codec++)
        assert_int_equal(payload_read((enum payload_codec)codec, VIEW(""), true, &payload),
                         ERR_MALFORMED);
    assert_int_equal(payload_read(PAYLOAD_OPUS, VIEW(""), true, &payload), ERR_MALFORMED);
    assert_int_equal(payload_read(PAYLOAD_RED, VIEW(""), true, &payload), ERR_MALFORMED);
    assert_int_equal(payload.spatial_id, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_each_codec),
        cmocka_unit_test(test_errors_are_the_codecs),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, free_block);
}
