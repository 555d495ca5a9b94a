/* Descriptions: what different programs write, what can't be used, and what is written again. */
#include "support.h"

#include "dialects.h"
#include "media/description.h"

static struct sdp sdp;
static struct description description;
static struct description_error error;

#define RTP    "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=rtcp-mux\r\n"
#define BUNDLE "v=0\r\na=group:BUNDLE 0 1\r\n"
#define ICE    "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
#define PRINT                                                                                      \
    "a=fingerprint:sha-256 "                                                                       \
    "5A:2C:9E:01:44:B7:D0:6F:83:1B:CC:27:EE:90:35:78:AA:10:4D:F2:66:0B:91:C8:"                     \
    "3E:57:72:0D:19:BF:E4:A3\r\n"
#define WAY ICE PRINT

static int read_text(const char *text)
{
    return description_read(view_of(text), &sdp, &description, &error);
}

static const struct description_section *section_of(const char *text, uint32_t index)
{
    int status = read_text(text);
    if (status != OK)
        fail_msg("%s: %s (line %u, section %u)", status_text(status), error.what, error.line,
                 error.section);
    assert_true(index < description.section_count);
    assert_int_equal(description.sections[index].problem, DESCRIPTION_NO_PROBLEM);
    return &description.sections[index];
}

static const struct media_format *format_of(const struct description_section *section,
                                            uint8_t payload_type)
{
    for (unsigned i = 0; i < section->format_count; i++)
        if (section->formats[i].payload_type == payload_type)
            return &section->formats[i];
    fail_msg("no format %u", payload_type);
    return NULL;
}

static void test_chrome(void **state)
{
    (void)state;
    const struct description_section *audio = section_of(DIALECT_CHROME, 0);
    const struct description_section *video = &description.sections[1];
    const struct description_head *head = &description.head;
    assert_int_equal(description.section_count, 2);
    assert_true(head->has_bundle && head->is_trickle && head->allows_mixed && !head->is_lite);
    assert_int_equal(head->setup, SDP_SETUP_ACTPASS);
    assert_view(head->ufrag, "4aBc");
    assert_view(head->pwd, "Kx8cml/YzichV2+XlhiMu8gT");
    assert_int_equal(head->fingerprint[0], 0x5a);
    assert_int_equal(head->fingerprint[31], 0xa3);
    assert_true(head->session_id == 4611731400430051336u && head->version == 2);

    assert_int_equal(audio->format_count, 5); /* opus, its RED, G722, PCMU, PCMA */
    assert_int_equal(audio->formats[0].codec, PAYLOAD_OPUS);
    assert_int_equal(audio->formats[0].options, MEDIA_OPUS_FEC);
    assert_int_equal(audio->formats[0].feedback, MEDIA_TRANSPORT_CC);
    assert_int_equal(audio->formats[1].codec, PAYLOAD_RED);
    assert_int_equal(audio->formats[1].payload_type, 63);
    assert_int_equal(audio->formats[2].codec, PAYLOAD_G722);
    assert_int_equal(audio->extensions[RTP_EXTENSION_AUDIO_LEVEL], 1);
    assert_int_equal(audio->ssrc_count, 1);
    assert_int_equal(audio->ssrcs[0].ssrc, 1001);
    assert_view(audio->cname, "whoIam");
    assert_view(audio->stream, "cam0");
    assert_view(audio->track, "mic0");

    assert_int_equal(video->format_count, 11);
    assert_int_equal(video->formats[0].codec, PAYLOAD_VP8);
    assert_int_equal(video->formats[0].rtx, 97);
    assert_int_equal(video->formats[0].feedback,
                     MEDIA_NACK | MEDIA_PLI | MEDIA_FIR | MEDIA_REMB | MEDIA_TRANSPORT_CC);
    assert_int_equal(format_of(video, 109)->variant,
                     media_h264_variant(MEDIA_H264_CONSTRAINED_BASELINE, 1));
    assert_int_equal(format_of(video, 115)->variant,
                     media_h264_variant(MEDIA_H264_CONSTRAINED_BASELINE, 0));
    assert_int_equal(format_of(video, 49)->level, 180);
    assert_int_equal(video->extensions[RTP_EXTENSION_RID], 10);
    assert_int_equal(video->extensions[RTP_EXTENSION_REPAIRED_RID], 11);
    assert_int_equal(video->extensions[RTP_EXTENSION_AUDIO_LEVEL], 0);
    assert_int_equal(video->rid_count, 3);
    assert_int_equal(video->rid_direction, SDP_SENDONLY);
    assert_view(video->rids[0].id, "h");
    assert_view(video->rids[2].id, "l");
}

static void test_firefox(void **state)
{
    (void)state;
    const struct description_section *audio = section_of(DIALECT_FIREFOX, 0);
    const struct description_section *video = &description.sections[1];
    assert_true(description.head.is_trickle);
    assert_int_equal(description.head.fingerprint[1], 0x2c);
    assert_int_equal(audio->formats[0].options, MEDIA_OPUS_FEC | MEDIA_OPUS_STEREO);
    assert_int_equal(format_of(video, 120)->rtx, 124);
    assert_int_equal(format_of(video, 126)->rtx, 127);
    assert_int_equal(video->rid_count, 2);
    assert_false(video->rids[0].is_paused);
    assert_true(video->rids[1].is_paused);
    assert_int_equal(video->ssrc_count, 2); /* those of RTX are no sources */
    assert_int_equal(video->ssrcs[1].ssrc, 3003);
    assert_int_equal(video->ssrcs[1].rtx, 3005);
    assert_view(video->stream, "{5f1}");
}

static void test_others(void **state)
{
    (void)state;
    const struct description_section *section = section_of(DIALECT_GSTREAMER, 0);
    assert_int_equal(section->formats[0].feedback, MEDIA_PLI | MEDIA_TRANSPORT_CC);
    assert_int_equal(section->formats[0].rtx, 97);
    assert_false(description.sections[1].is_refused); /* bundle-only */
    assert_int_equal(description.sections[1].formats[0].codec, PAYLOAD_OPUS);
    assert_view(description.sections[1].cname, "");
    assert_view(description.sections[1].track, "webrtctransceiver1");

    section = section_of(DIALECT_OBS, 1);
    assert_int_equal(section->direction, SDP_SENDONLY);
    assert_view(description.head.ufrag, "nrTX");
    assert_int_equal(section->formats[0].rtx, MEDIA_NO_RTX);

    section = section_of(DIALECT_LIBDATACHANNEL, 0);
    assert_int_equal(section->kind, SDP_APPLICATION);
    assert_int_equal(section->message_size_max, 262144);
    assert_true(description.head.is_trickle); /* "ice2,trickle" */

    section = section_of(DIALECT_SIMPLE_PEER, 2);
    assert_int_equal(section->sctp_port, 5000);
    assert_int_equal(description.sections[1].ssrcs[0].rtx, 2002);

    section = section_of(DIALECT_DATA_OF_OLD, 0);
    assert_false(description.head.has_bundle);
    assert_int_equal(section->protocol, DESCRIPTION_SCTP);
    assert_int_equal(section->message_size_max, DESCRIPTION_MESSAGE_MAX);

    section = section_of(DIALECT_MUNGED, 0);
    assert_int_equal(section->ssrc_count, 3);
    assert_int_equal(section->ssrcs[0].ssrc, 13); /* in the group's order */
    assert_int_equal(section->ssrcs[0].rtx, 23);

    section = section_of(DIALECT_SAFARI, 1);
    assert_int_equal(section->formats[0].variant,
                     media_h264_variant(MEDIA_H264_CONSTRAINED_HIGH, 1));
    section = section_of(DIALECT_WERIFT, 1);
    assert_int_equal(section->direction, SDP_RECVONLY);
    section = section_of(DIALECT_VIEWER, 2);
    assert_int_equal(section->ssrc_count, 0);
}

/* RED is that of an Opus of its section. */
static void test_red(void **state)
{
    (void)state;
    static const char *const LONE[] = {
        "",
        "a=fmtp:63 0/0\r\n", /* PCMU's */
        "a=fmtp:63 96/96\r\n",
        "a=fmtp:63 128/128\r\n",
        "a=fmtp:63 /111\r\n",
    };
    char text[1000];
    for (size_t i = 0; i < sizeof LONE / sizeof LONE[0]; i++) {
        snprintf(text, sizeof text,
                 "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 63 111 0\r\na=rtcp-mux\r\n"
                 "a=rtpmap:63 red/48000/2\r\n%sa=rtpmap:111 opus/48000/2\r\n" WAY,
                 LONE[i]);
        assert_int_equal(read_text(text), OK);
        assert_int_equal(description.sections[0].format_count, 2);
        assert_int_equal(description.sections[0].formats[0].codec, PAYLOAD_OPUS);
    }
}

static void test_what_cannot_be_used(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
        uint32_t line, section;
        const char *what;
    } CASES[] = {
        { "v=0\r\nx\r\n", ERR_MALFORMED, 2, DESCRIPTION_WHOLE, "no line of a description" },
        { BUNDLE RTP "a=mid:0\r\n" ICE, ERR_UNSUPPORTED, 0, 0, "it has no a=fingerprint:sha-256" },
        { BUNDLE RTP "a=mid:0\r\n" PRINT, ERR_UNSUPPORTED, 0, 0,
          "it has no a=ice-ufrag or no a=ice-pwd" },
        { BUNDLE RTP "a=mid:0\r\n" PRINT "a=ice-ufrag:abc\r\na=ice-pwd:0123456789012345678901\r\n",
          ERR_MALFORMED, 0, 0, "its a=ice-ufrag or a=ice-pwd is none" },
        { "v=0\r\nm=audio 9 RTP/AVP 0\r\n", ERR_UNSUPPORTED, 0, 0,
          "its protocol is not RTP or SCTP over DTLS" },
        { "v=0\r\nm=text 9 UDP/TLS/RTP/SAVPF 0\r\n", ERR_UNSUPPORTED, 0, 0,
          "its kind is not known" },
        { "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" WAY, ERR_UNSUPPORTED, 0, 0,
          "it has no a=rtcp-mux" },
        { "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 96\r\na=rtcp-mux\r\na=rtpmap:96 iLBC/8000\r\n" WAY,
          ERR_UNSUPPORTED, 0, 0, "it has no format that is known" },
        { "v=0\r\n" RTP "a=mid:0\r\n" WAY RTP "a=mid:1\r\n" WAY, ERR_UNSUPPORTED, 0, 0,
          "it is not in the a=group:BUNDLE" },
        { BUNDLE RTP "a=mid:0\r\n" WAY RTP "a=mid:0\r\n", ERR_MALFORMED, 0, 1,
          "its mid is another section's, too" },
        { BUNDLE RTP "a=mid:01234567890123456\r\n" WAY, ERR_LIMIT, 0, 0,
          "its mid is over 16 characters" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_int_equal(read_text(CASES[i].text), CASES[i].status);
        assert_string_equal(error.what, CASES[i].what);
        assert_int_equal(error.line, CASES[i].line);
        assert_int_equal(error.section, CASES[i].section);
    }
    /* one of two can be used: the other is to be refused */
    assert_int_equal(
        read_text("v=0\r\na=group:BUNDLE 0\r\n" RTP "a=mid:0\r\n" WAY RTP "a=mid:1\r\n" WAY), OK);
    assert_int_equal(description.sections[0].problem, DESCRIPTION_NO_PROBLEM);
    assert_int_equal(description.sections[1].problem, DESCRIPTION_NO_BUNDLE);
    /* nothing is wanted: nothing is wrong */
    assert_int_equal(read_text("v=0\r\nm=audio 0 UDP/TLS/RTP/SAVPF 0\r\na=rtcp-mux\r\n"), OK);
    assert_true(description.sections[0].is_refused);
}

/* ---- written ---- */

static char text_written[64 * 1024];

static void write_all(const struct description *from)
{
    static const struct description_candidate CANDIDATES[] = {
        { .address = { ADDRESS_IPV4, { 192, 0, 2, 1 }, 7000 } },
        { .address = { ADDRESS_IPV4, { 192, 0, 2, 1 }, 7000 }, .is_tcp = true },
        { .address = { ADDRESS_IPV6, { 0x20, 1, 0xd, 0xb8 }, 7000 } },
    };
    struct sdp_writer writer = { .at = text_written, .capacity = sizeof text_written };
    description_write_head(&writer, &from->head);
    for (uint32_t i = 0; i < from->section_count && from->head.has_bundle; i++)
        description_write_mid(&writer, from->sections[i].mid);
    for (uint32_t i = 0; i < from->section_count; i++)
        description_write_section(&writer, &from->head, &from->sections[i], CANDIDATES,
                                  i == 0 ? 3 : 0);
    assert_false(writer.overflow);
}

static void assert_same_section(const struct description_section *a,
                                const struct description_section *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->protocol, b->protocol);
    assert_int_equal(a->direction, b->direction);
    assert_int_equal(a->is_refused, b->is_refused);
    assert_int_equal(a->format_count, b->format_count);
    assert_memory_equal(a->formats, b->formats, sizeof a->formats);
    assert_memory_equal(a->extensions, b->extensions, sizeof a->extensions);
    assert_int_equal(a->sctp_port, b->sctp_port);
    assert_int_equal(a->message_size_max, b->message_size_max);
    assert_true(view_equal(a->mid, b->mid));
    assert_int_equal(a->rid_count, b->rid_count);
    for (unsigned i = 0; i < a->rid_count; i++) {
        assert_true(view_equal(a->rids[i].id, b->rids[i].id));
        assert_int_equal(a->rids[i].is_paused, b->rids[i].is_paused);
    }
    if (!(a->direction & SDP_SENDONLY))
        return;
    assert_int_equal(a->ssrc_count, b->ssrc_count);
    assert_true(view_equal(a->stream, b->stream) && view_equal(a->track, b->track));
    for (unsigned i = 0; i < a->ssrc_count; i++)
        assert_memory_equal(&a->ssrcs[i], &b->ssrcs[i], sizeof a->ssrcs[i]);
}

/* What is written of what was read is read as the same. */
static void test_written_again(void **state)
{
    (void)state;
    static struct description first;
#define ROW(name, text) text,
    static const char *const TEXTS[] = { DIALECT_TABLE(ROW) };
#undef ROW
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        assert_int_equal(read_text(TEXTS[i]), OK);
        first = description;
        write_all(&first);
        assert_int_equal(read_text(text_written), OK);
        assert_int_equal(description.section_count, first.section_count);
        assert_true(view_equal(description.head.ufrag, first.head.ufrag));
        assert_true(view_equal(description.head.pwd, first.head.pwd));
        assert_memory_equal(description.head.fingerprint, first.head.fingerprint, 32);
        assert_int_equal(description.head.setup, first.head.setup);
        assert_int_equal(description.head.has_bundle, first.head.has_bundle);
        assert_true(description.head.session_id == first.head.session_id);
        for (uint32_t k = 0; k < first.section_count; k++)
            assert_same_section(&first.sections[k], &description.sections[k]);
    }
}

static void test_lines_written(void **state)
{
    (void)state;
    assert_int_equal(read_text(DIALECT_CHROME), OK);
    write_all(&description);
    static const char *const LINES[] = {
        "a=group:BUNDLE 0 1\r\n",
        "m=audio 7000 UDP/TLS/RTP/SAVPF 111 63 9 0 8\r\nc=IN IP4 192.0.2.1\r\na=mid:0\r\n",
        "a=candidate:1 1 udp 2130706431 192.0.2.1 7000 typ host\r\n",
        " typ host tcptype passive\r\n",
        " 2001:db8:: 7000 typ host\r\n",
        "a=end-of-candidates\r\n",
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 104 ",
        "a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n"
        "a=fmtp:111 minptime=10;useinbandfec=1\r\n",
        "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n",
        "a=rtcp-fb:96 ccm fir\r\n",
        "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n",
        "a=rid:h send\r\na=rid:m send\r\na=rid:l send\r\na=simulcast:send h;m;l\r\n",
        "a=ssrc:1001 cname:whoIam\r\n",
    };
    for (size_t i = 0; i < sizeof LINES / sizeof LINES[0]; i++)
        if (!strstr(text_written, LINES[i]))
            fail_msg("no %s in %s", LINES[i], text_written);
}

/* ---- any bytes ---- */

static void read_copy(struct view v)
{
    uint8_t *copy = test_copy(v);
    (void)!description_read(view_make(copy, v.size), &sdp, &description, &error);
    free(copy);
}

static void test_truncated_and_flipped(void **state)
{
    (void)state;
    struct view whole = view_of(DIALECT_SIMPLE_PEER);
    for (size_t size = 0; size < whole.size; size++)
        read_copy(view_slice(whole, 0, size));
    uint8_t *bytes = test_copy(whole);
    for (size_t bit = 0; bit < whole.size * 8; bit += 3) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        read_copy(view_make(bytes, whole.size));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(bytes);
}

static void test_limits(void **state)
{
    (void)state;
    static char text[64 * 1024];
    size_t size = (size_t)sprintf(text, BUNDLE "m=video 9 UDP/TLS/RTP/SAVPF");
    for (unsigned i = 0; i < 128; i++)
        size += (size_t)sprintf(text + size, " %u", i);
    size += (size_t)sprintf(text + size, "\r\na=mid:0\r\na=rtcp-mux\r\n" WAY);
    for (unsigned i = 0; i < 128; i++)
        size += (size_t)sprintf(text + size,
                                "a=rtpmap:%u VP8/90000\r\na=ssrc:%u cname:x\r\n"
                                "a=rid:r%u send\r\na=ssrc-group:FID %u %u\r\n",
                                i, i, i, i, 1000 + i);
    size += (size_t)sprintf(text + size, "a=simulcast:send r0");
    for (unsigned i = 1; i < 128; i++)
        size += (size_t)sprintf(text + size, ";r%u", i);
    const struct description_section *section = section_of(text, 0);
    assert_int_equal(section->format_count, DESCRIPTION_FORMATS_MAX);
    assert_int_equal(section->ssrc_count, DESCRIPTION_SSRCS_MAX);
    assert_int_equal(section->rid_count, DESCRIPTION_RIDS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chrome),
        cmocka_unit_test(test_firefox),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_red),
        cmocka_unit_test(test_what_cannot_be_used),
        cmocka_unit_test(test_written_again),
        cmocka_unit_test(test_lines_written),
        cmocka_unit_test(test_truncated_and_flipped),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
