/* Formats of codecs: which are the same, what is written of them, what is none. */
#include "support.h"

#include "media/parameters.h"

static struct media_format format_of(const char *encoding, const char *parameters)
{
    struct media_format format;
    enum payload_codec codec = payload_codec_of(view_of(encoding));
    assert_int_equal(media_format_begin(view_of(encoding), payload_clock(codec),
                                        media_channels(codec), 96, &format),
                     OK);
    assert_int_equal(media_format_read(&format, view_of(parameters)), OK);
    return format;
}

static void assert_refused(const char *encoding, const char *parameters)
{
    struct media_format format = format_of(encoding, "");
    if (media_format_read(&format, view_of(parameters)) != ERR_UNSUPPORTED)
        fail_msg("%s %s was taken", encoding, parameters);
}

static void assert_written(const char *encoding, const char *parameters, const char *wanted)
{
    char out[MEDIA_FMTP_SIZE];
    struct media_format format = format_of(encoding, parameters);
    assert_int_equal(media_format_write(&format, out), strlen(wanted));
    assert_string_equal(out, wanted);
}

static void test_h264_profiles(void **state)
{
    (void)state;
    /* RFC 6184, table 5, with other levels and constraints that say nothing more */
    static const struct {
        const char *id;
        enum media_h264 profile;
    } CASES[] = {
        { "42e01f", MEDIA_H264_CONSTRAINED_BASELINE },
        { "42c00d", MEDIA_H264_CONSTRAINED_BASELINE },
        { "4d8015", MEDIA_H264_CONSTRAINED_BASELINE },
        { "4D801F", MEDIA_H264_CONSTRAINED_BASELINE },
        { "58c00d", MEDIA_H264_CONSTRAINED_BASELINE },
        { "42001f", MEDIA_H264_BASELINE },
        { "42a01f", MEDIA_H264_BASELINE },
        { "58801f", MEDIA_H264_BASELINE },
        { "4d001f", MEDIA_H264_MAIN },
        { "4d400d", MEDIA_H264_MAIN },
        { "58001f", MEDIA_H264_EXTENDED },
        { "64001f", MEDIA_H264_HIGH },
        { "640c1f", MEDIA_H264_CONSTRAINED_HIGH },
        { "6e001f", MEDIA_H264_HIGH_10 },
        { "6e101f", MEDIA_H264_HIGH_10_INTRA },
        { "7a001f", MEDIA_H264_HIGH_422 },
        { "f4001f", MEDIA_H264_HIGH_444 },
        { "2c101f", MEDIA_H264_CAVLC_444_INTRA },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "packetization-mode=1; profile-level-id=%s", CASES[i].id);
        struct media_format format = format_of("H264", text);
        assert_int_equal(format.variant, media_h264_variant(CASES[i].profile, 1));
        /* and what is written of it is read as the same */
        char out[MEDIA_FMTP_SIZE];
        media_format_write(&format, out);
        struct media_format again = format_of("h264", out);
        assert_memory_equal(&format, &again, sizeof format);
    }
    static const char *const BAD[] = { "42e01",  "42e01f0", "42e0zf", "",
                                       "42e11f", "64081f",  "000000", "4d201f" };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "profile-level-id=%s", BAD[i]);
        assert_refused("H264", text);
    }
}

static void test_h264_written(void **state)
{
    (void)state;
    assert_written("H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42c01f",
                   "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f");
    assert_written("H264", "",
                   "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f");
    /* level 1b, which is not 1.1 */
    assert_int_equal(format_of("H264", "profile-level-id=42f00b").level, 9);
    assert_int_equal(format_of("H264", "profile-level-id=42e00b").level, 11);
    assert_written("H264", "profile-level-id=42f00b",
                   "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42f00b");
    assert_refused("H264", "packetization-mode=2");
}

static void test_same(void **state)
{
    (void)state;
    struct media_format a = format_of("H264", "profile-level-id=42e01f;packetization-mode=1");
    struct media_format b = format_of("H264", "profile-level-id=4d8034;packetization-mode=1");
    struct media_format c = format_of("H264", "profile-level-id=42e01f");
    struct media_format d = format_of("VP9", "profile-id=2");
    struct media_format e = format_of("VP9", "");
    struct media_format f = format_of("VP9", "profile-id=0");
    assert_true(media_format_same(&a, &b));
    assert_false(media_format_same(&a, &c));
    assert_false(media_format_same(&d, &e));
    assert_true(media_format_same(&e, &f));
    struct media_format g = format_of("AV1", "level-idx=5;profile=0;tier=0");
    struct media_format h = format_of("AV1", "profile=1");
    assert_false(media_format_same(&g, &h));
    assert_false(media_format_same(&g, &f));
    struct media_format i = format_of("H265", "profile-id=1;tier-flag=0;level-id=150");
    struct media_format j = format_of("H265", "tier-flag=1");
    struct media_format k = format_of("H265", "");
    assert_true(media_format_same(&i, &k));
    assert_false(media_format_same(&i, &j));
}

static void test_written(void **state)
{
    (void)state;
    assert_written("opus", "minptime=10;useinbandfec=1", "minptime=10;useinbandfec=1");
    assert_written("opus", "stereo=1; sprop-stereo=1;usedtx=0",
                   "minptime=10;stereo=1;sprop-stereo=1");
    assert_written("PCMU", "", "");
    assert_written("VP8", "max-fr=30", "");
    assert_written("VP9", "x-google-start-bitrate=800;profile-id=2", "profile-id=2");
    assert_written("AV1", "", "level-idx=5;profile=0;tier=0");
    assert_written("H265", "", "level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST");
    assert_refused("H265", "tx-mode=MRST");
    assert_refused("H265", "profile-id=x");
    assert_refused("VP9", "profile-id=4");
    assert_refused("AV1", "profile=3");
}

static void test_encodings(void **state)
{
    (void)state;
    struct media_format format;
    assert_int_equal(sizeof format, 8);
    assert_int_equal(media_format_begin(VIEW("OPUS"), 48000, 2, 111, &format), OK);
    assert_int_equal(format.payload_type, 111);
    assert_int_equal(format.rtx, MEDIA_NO_RTX);
    assert_int_equal(media_format_begin(VIEW("opus"), 48000, 1, 111, &format), ERR_UNSUPPORTED);
    assert_int_equal(media_format_begin(VIEW("opus"), 16000, 2, 111, &format), ERR_UNSUPPORTED);
    assert_int_equal(media_format_begin(VIEW("red"), 48000, 2, 63, &format), OK);
    assert_int_equal(media_format_begin(VIEW("red"), 48000, 1, 63, &format), ERR_UNSUPPORTED);
    assert_int_equal(media_format_begin(VIEW("rtx"), 90000, 1, 97, &format), ERR_UNSUPPORTED);
    assert_int_equal(media_format_begin(VIEW(""), 0, 0, 97, &format), ERR_UNSUPPORTED);
    assert_int_equal(media_static_codec(0), PAYLOAD_PCMU);
    assert_int_equal(media_static_codec(8), PAYLOAD_PCMA);
    assert_int_equal(media_static_codec(9), PAYLOAD_G722);
    assert_int_equal(media_static_codec(3), PAYLOAD_CODECS);
}

static void test_feedback(void **state)
{
    (void)state;
    assert_int_equal(media_feedback_read(VIEW("nack")), MEDIA_NACK);
    assert_int_equal(media_feedback_read(VIEW(" nack  pli ")), MEDIA_PLI);
    assert_int_equal(media_feedback_read(VIEW("ccm fir")), MEDIA_FIR);
    assert_int_equal(media_feedback_read(VIEW("goog-remb")), MEDIA_REMB);
    assert_int_equal(media_feedback_read(VIEW("transport-cc")), MEDIA_TRANSPORT_CC);
    assert_int_equal(media_feedback_read(VIEW("ccm tmmbr")), 0);
    assert_int_equal(media_feedback_read(VIEW("nack rpsi")), 0);
    assert_int_equal(media_feedback_read(VIEW("")), 0);
    for (unsigned i = 0; i < MEDIA_FEEDBACK_KINDS; i++) {
        const char *type, *parameter;
        media_feedback_name((enum media_feedback_kind)i, &type, &parameter);
        assert_int_equal(media_feedback_of(view_of(type), view_of(parameter)), 1u << i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_h264_profiles), cmocka_unit_test(test_h264_written),
        cmocka_unit_test(test_same),          cmocka_unit_test(test_written),
        cmocka_unit_test(test_encodings),     cmocka_unit_test(test_feedback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
