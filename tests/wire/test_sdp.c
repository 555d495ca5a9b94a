/* Session descriptions: sections, attributes, their values; what is no description. */
#include "support.h"

#include "wire/sdp.h"

/* As Chrome writes one, cut to what is read. */
static const char OFFER[] =
    "v=0\r\n"
    "o=- 4611731400430051336 2 IN IP4 127.0.0.1\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "a=group:BUNDLE 0 1 2\r\n"
    "a=extmap-allow-mixed\r\n"
    "a=msid-semantic: WMS 7a9b\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 0\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=rtcp:9 IN IP4 0.0.0.0\r\n"
    "a=ice-ufrag:F7gI\r\n"
    "a=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\n"
    "a=ice-options:trickle\r\n"
    "a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:"
    "5E:EA:6F:AF:52:CE:E6:0F\r\n"
    "a=setup:actpass\r\n"
    "a=mid:0\r\n"
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level vad=on\r\n"
    "a=extmap:4/sendonly urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
    "a=sendrecv\r\n"
    "a=msid:7a9b 0e1c\r\n"
    "a=rtcp-mux\r\n"
    "a=rtpmap:111 opus/48000/2\r\n"
    "a=rtcp-fb:111 transport-cc\r\n"
    "a=fmtp:111 minptime=10;useinbandfec=1\r\n"
    "a=rtpmap:63 red/48000/2\r\n"
    "a=fmtp:63 111/111\r\n"
    "a=ssrc:3510681183 cname:loqPWNg7JMmrFUnr\r\n"
    "m=video 0 UDP/TLS/RTP/SAVPF 96 97\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=mid:1\r\n"
    "a=recvonly\r\n"
    "a=rid:hi send\r\n"
    "a=rid:lo send max-width=320;max-height=180\r\n"
    "a=simulcast:send hi;~lo\r\n"
    "a=rtpmap:96 VP8/90000\r\n"
    "a=rtcp-fb:* nack pli\r\n"
    "a=rtpmap:97 rtx/90000\r\n"
    "a=fmtp:97 apt=96\r\n"
    "a=ssrc-group:FID 2231627014 632943048\r\n"
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=mid:2\r\n"
    "a=sctp-port:5000\r\n";

static struct sdp sdp;

static int read_text(const char *text, uint32_t *line)
{
    struct view v = view_of(text);
    uint8_t *copy = test_copy(v);
    int status = sdp_read(view_make(copy, v.size), &sdp, line);
    free(copy);
    return status;
}

static void test_sections(void **state)
{
    (void)state;
    uint32_t line;
    struct view value;
    assert_int_equal(sdp_read(view_of(OFFER), &sdp, &line), OK);
    assert_int_equal(sdp.media_count, 3);
    assert_int_equal(sdp.media[0].kind, SDP_AUDIO);
    assert_int_equal(sdp.media[0].port, 9);
    assert_view(sdp.media[0].protocol, "UDP/TLS/RTP/SAVPF");
    assert_view(sdp.media[0].formats, "111 63 0");
    assert_int_equal(sdp.media[1].kind, SDP_VIDEO);
    assert_int_equal(sdp.media[1].port, 0);
    assert_int_equal(sdp.media[2].kind, SDP_APPLICATION);
    assert_view(sdp.media[2].formats, "webrtc-datachannel");
    assert_true(sdp_find(sdp.lines, VIEW("group"), &value));
    assert_view(value, "BUNDLE 0 1 2");
    assert_true(sdp_find(sdp.lines, VIEW("extmap-allow-mixed"), &value));
    assert_view(value, "");
    assert_false(sdp_find(sdp.lines, VIEW("mid"), &value));
    assert_true(sdp_find(sdp.media[2].lines, VIEW("mid"), &value));
    assert_view(value, "2");
    assert_false(sdp_find(sdp.media[2].lines, VIEW("sctp"), &value)); /* not by its beginning */
    assert_true(sdp_find_either(&sdp, &sdp.media[2], VIEW("msid-semantic"), &value));
}

static void test_ends_of_lines(void **state)
{
    (void)state;
    uint32_t line;
    struct view value;
    assert_int_equal(sdp_read(VIEW("v=0\nm=audio 9 RTP/AVP 0\na=mid:a\n\n"), &sdp, &line), OK);
    assert_true(sdp_find(sdp.media[0].lines, VIEW("mid"), &value));
    assert_view(value, "a");
    assert_int_equal(sdp_read(VIEW("v=0\r\nm=audio 9 RTP/AVP 0\r\na=mid:b"), &sdp, &line), OK);
    assert_true(sdp_find(sdp.media[0].lines, VIEW("mid"), &value));
    assert_view(value, "b");
}

static void test_what_is_no_description(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t line;
    } CASES[] = {
        { "", 1 },
        { "v=1\r\n", 1 },
        { "{\"type\":\"offer\"}", 1 },
        { "v=0\r\ns-\r\n", 2 },
        { "v=0\r\ns=-\r\n\r\nm=audio 9 RTP/AVP 0\r\n", 3 },
        { "v=0\r\nm=audio\r\n", 2 },
        { "v=0\r\nm=audio 9\r\n", 2 },
        { "v=0\r\nm=audio x RTP/AVP 0\r\n", 2 },
        { "v=0\r\nm=audio 65536 RTP/AVP 0\r\n", 2 },
        { "v=0\r\nA=b\r\n", 2 },
    };
    uint32_t line = 0;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_int_equal(read_text(CASES[i].text, &line), ERR_MALFORMED);
        assert_int_equal(line, CASES[i].line);
    }
    assert_int_equal(sdp_read(view_make("v=0\r\na=\0\r\n", 10), &sdp, &line), ERR_MALFORMED);
}

static void test_limits(void **state)
{
    (void)state;
    static char text[SDP_SIZE_MAX + 10];
    uint32_t line;
    size_t size = (size_t)sprintf(text, "v=0\r\n");
    for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
        size += (size_t)sprintf(text + size, "m=audio 9 RTP/AVP 0\r\n");
    assert_int_equal(sdp_read(view_make(text, size), &sdp, &line), OK);
    size += (size_t)sprintf(text + size, "m=audio 9 RTP/AVP 0\r\n");
    assert_int_equal(sdp_read(view_make(text, size), &sdp, &line), ERR_LIMIT);
    assert_int_equal(sdp_read(view_make(text, SDP_SIZE_MAX + 1), &sdp, &line), ERR_LIMIT);
}

static void test_directions(void **state)
{
    (void)state;
    uint32_t line;
    assert_int_equal(
        sdp_read(VIEW("v=0\na=sendonly\nm=audio 9 A 0\nm=audio 9 A 0\na=inactive\n"), &sdp, &line),
        OK);
    assert_int_equal(sdp_direction_of(&sdp, &sdp.media[0]), SDP_SENDONLY);
    assert_int_equal(sdp_direction_of(&sdp, &sdp.media[1]), SDP_INACTIVE);
    assert_int_equal(sdp_read(view_of(OFFER), &sdp, &line), OK);
    assert_int_equal(sdp_direction_of(&sdp, &sdp.media[1]), SDP_RECVONLY);
    assert_int_equal(sdp_direction_of(&sdp, &sdp.media[2]), SDP_SENDRECV);
    assert_int_equal(sdp_direction_turned(SDP_SENDONLY), SDP_RECVONLY);
    assert_int_equal(sdp_direction_turned(SDP_RECVONLY), SDP_SENDONLY);
    assert_int_equal(sdp_direction_turned(SDP_SENDRECV), SDP_SENDRECV);
    assert_string_equal(sdp_direction_name(SDP_INACTIVE), "inactive");
}

static void test_codecs(void **state)
{
    (void)state;
    struct sdp_rtpmap map;
    struct sdp_format format;
    struct view value;
    assert_int_equal(sdp_read_rtpmap(VIEW("111 opus/48000/2"), &map), OK);
    assert_int_equal(map.payload_type, 111);
    assert_view(map.encoding, "opus");
    assert_int_equal(map.clock_rate, 48000);
    assert_int_equal(map.channels, 2);
    assert_int_equal(sdp_read_rtpmap(VIEW("96 VP8/90000"), &map), OK);
    assert_int_equal(map.channels, 1);
    static const char *const WRONG[] = { "",          "x VP8/90000", "128 VP8/90000", "96",
                                         "96 VP8",    "96 /90000",   "96 VP8/0",      "96 VP8/",
                                         "96 VP8/9x", "96 a/1/",     "96 a/1/256" };
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++)
        assert_int_equal(sdp_read_rtpmap(view_of(WRONG[i]), &map), ERR_MALFORMED);
    assert_int_equal(sdp_read_fmtp(VIEW("98 profile-id=2; Level=4 ;flag"), &format), OK);
    assert_int_equal(format.payload_type, 98);
    assert_true(sdp_parameter(format.parameters, VIEW("level"), &value));
    assert_view(value, "4");
    assert_true(sdp_parameter(format.parameters, VIEW("flag"), &value));
    assert_view(value, "");
    assert_false(sdp_parameter(format.parameters, VIEW("profile"), &value));
    assert_int_equal(sdp_read_fmtp(VIEW("* a=b"), &format), ERR_MALFORMED);
    assert_int_equal(sdp_read_rtcp_fb(VIEW("* nack pli"), &format), OK);
    assert_int_equal(format.payload_type, SDP_ALL_PAYLOADS);
    assert_view(format.parameters, "nack pli");
    assert_int_equal(sdp_read_rtcp_fb(VIEW("nack"), &format), ERR_MALFORMED);
}

static void test_extmap(void **state)
{
    (void)state;
    struct sdp_extmap map;
    assert_int_equal(sdp_read_extmap(VIEW("4/sendonly urn:x a=b c"), &map), OK);
    assert_int_equal(map.id, 4);
    assert_int_equal(map.direction, SDP_SENDONLY);
    assert_view(map.uri, "urn:x");
    assert_int_equal(sdp_read_extmap(VIEW("14 urn:y"), &map), OK);
    assert_int_equal(map.direction, SDP_SENDRECV);
    static const char *const WRONG[] = {
        "", "0 urn:x", "4", "4/both urn:x", "x urn:x", "5000 u:x"
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++)
        assert_int_equal(sdp_read_extmap(view_of(WRONG[i]), &map), ERR_MALFORMED);
}

static void test_ssrcs(void **state)
{
    (void)state;
    struct sdp_ssrc ssrc;
    struct view semantics, numbers;
    uint32_t number;
    assert_int_equal(sdp_read_ssrc(VIEW("3510681183 cname:a b"), &ssrc), OK);
    assert_true(ssrc.ssrc == 3510681183u);
    assert_view(ssrc.attribute, "cname");
    assert_view(ssrc.value, "a b");
    assert_int_equal(sdp_read_ssrc(VIEW("7"), &ssrc), OK);
    assert_view(ssrc.attribute, "");
    assert_int_equal(sdp_read_ssrc(VIEW("4294967296 cname:a"), &ssrc), ERR_MALFORMED);
    assert_int_equal(sdp_read_ssrc_group(VIEW("FID 1 22  3"), &semantics, &numbers), OK);
    assert_view(semantics, "FID");
    for (uint32_t wanted = 1; wanted <= 22; wanted += 21) {
        assert_true(sdp_next_ssrc(&numbers, &number));
        assert_int_equal(number, wanted);
    }
    assert_true(sdp_next_ssrc(&numbers, &number));
    assert_false(sdp_next_ssrc(&numbers, &number));
    assert_int_equal(sdp_read_ssrc_group(VIEW(""), &semantics, &numbers), ERR_MALFORMED);
}

static void test_simulcast(void **state)
{
    (void)state;
    struct sdp_rid rid;
    struct view rids, one;
    bool paused;
    assert_int_equal(sdp_read_rid(VIEW("hi send pt=96;max-width=1280"), &rid), OK);
    assert_view(rid.id, "hi");
    assert_int_equal(rid.direction, SDP_SENDONLY);
    assert_view(rid.restrictions, "pt=96;max-width=1280");
    assert_int_equal(sdp_read_rid(VIEW("lo recv"), &rid), OK);
    assert_int_equal(rid.direction, SDP_RECVONLY);
    assert_int_equal(sdp_read_rid(VIEW("lo both"), &rid), ERR_MALFORMED);
    assert_int_equal(sdp_read_rid(VIEW("l;o send"), &rid), ERR_MALFORMED);
    const struct view value = VIEW("recv x send hi;~mid,alt;lo");
    assert_int_equal(sdp_read_simulcast(value, SDP_SENDONLY, &rids), OK);
    assert_true(sdp_next_rid(&rids, &one, &paused));
    assert_view(one, "hi");
    assert_false(paused);
    assert_true(sdp_next_rid(&rids, &one, &paused));
    assert_view(one, "mid");
    assert_true(paused);
    assert_true(sdp_next_rid(&rids, &one, &paused));
    assert_view(one, "lo");
    assert_false(sdp_next_rid(&rids, &one, &paused));
    assert_int_equal(sdp_read_simulcast(value, SDP_RECVONLY, &rids), OK);
    assert_view(rids, "x");
    assert_int_equal(sdp_read_simulcast(VIEW("send a"), SDP_RECVONLY, &rids), OK);
    assert_int_equal(rids.size, 0);
    assert_int_equal(sdp_read_simulcast(VIEW("send"), SDP_SENDONLY, &rids), ERR_MALFORMED);
    assert_int_equal(sdp_read_simulcast(VIEW("both a"), SDP_SENDONLY, &rids), ERR_MALFORMED);
}

static void test_fingerprint(void **state)
{
    (void)state;
    uint8_t out[4] = { 0 };
    assert_int_equal(sdp_read_fingerprint(VIEW("SHA-256 0a:1B:ff:00"), VIEW("sha-256"), out, 4),
                     OK);
    assert_memory_equal(out, "\x0a\x1b\xff\x00", 4);
    assert_int_equal(sdp_read_fingerprint(VIEW("sha-1 0a:1B:ff:00"), VIEW("sha-256"), out, 4),
                     ERR_UNSUPPORTED);
    static const char *const WRONG[] = { "sha-256", "sha-256 0a:1b:ff", "sha-256 0a:1b:ff:0g",
                                         "sha-256 0a:1b:ff-00", "sha-256 0a:1b:ff:00:00" };
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++)
        assert_int_equal(sdp_read_fingerprint(view_of(WRONG[i]), VIEW("sha-256"), out, 4),
                         ERR_MALFORMED);
    assert_int_equal(sdp_read_setup(VIEW("actpass")), SDP_SETUP_ACTPASS);
    assert_int_equal(sdp_read_setup(VIEW("holdconn")), SDP_SETUP_NONE);
}

static void test_candidates(void **state)
{
    (void)state;
    struct sdp_candidate candidate;
    assert_int_equal(sdp_read_candidate(VIEW("candidate:842163049 1 udp 1677729535 203.0.113.5 "
                                             "46154 typ srflx raddr 10.0.17.1 rport 46154"),
                                        &candidate),
                     OK);
    assert_int_equal(candidate.component, 1);
    assert_int_equal(candidate.priority, 1677729535);
    assert_int_equal(candidate.address.port, 46154);
    assert_int_equal(candidate.address.bytes[3], 5);
    assert_view(candidate.type, "srflx");
    assert_false(candidate.is_tcp);
    assert_int_equal(
        sdp_read_candidate(VIEW("1 1 TCP 9 2001:db8::1 9 typ host tcptype active"), &candidate),
        OK);
    assert_true(candidate.is_tcp);
    assert_int_equal(candidate.address.family, ADDRESS_IPV6);
    assert_int_equal(sdp_read_candidate(VIEW("1 1 udp 9 4f0e.local 5 typ host"), &candidate),
                     ERR_UNSUPPORTED);
    static const char *const WRONG[] = { "",
                                         "candidate:",
                                         "1 1 udp 9 192.0.2.1 5",
                                         "1 x udp 9 192.0.2.1 5 typ host",
                                         "1 1 udp 9 192.0.2.1 99999 typ host",
                                         "1 1 udp 9 192.0.2.1 5 typ" };
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++)
        assert_int_equal(sdp_read_candidate(view_of(WRONG[i]), &candidate), ERR_MALFORMED);
}

static void test_msid(void **state)
{
    (void)state;
    struct view stream, track;
    assert_int_equal(sdp_read_msid(VIEW("{7a9b-1} 0e1c"), &stream, &track), OK);
    assert_view(stream, "{7a9b-1}");
    assert_view(track, "0e1c");
    assert_int_equal(sdp_read_msid(VIEW("-"), &stream, &track), OK);
    assert_view(track, "");
    assert_int_equal(sdp_read_msid(VIEW(""), &stream, &track), ERR_MALFORMED);
}

/* Reads all that it can of a text, however broken. */
static void read_everything(struct view text)
{
    static const char *const NAMES[] = {
        "rtpmap", "fmtp", "rtcp-fb",   "extmap",      "ssrc",
        "rid",    "msid", "simulcast", "fingerprint", "ssrc-group"
    };
    uint32_t line;
    if (sdp_read(text, &sdp, &line) != OK)
        return;
    for (uint32_t m = 0; m < sdp.media_count; m++)
        for (size_t n = 0; n < sizeof NAMES / sizeof NAMES[0]; n++) {
            struct view lines = sdp.media[m].lines;
            struct view value;
            struct view name = view_of(NAMES[n]);
            while (sdp_next(&lines, name, &value))
                assert_true(value.at >= text.at && value.at + value.size <= text.at + text.size);
        }
}

static void test_truncations_and_flips(void **state)
{
    (void)state;
    size_t size = strlen(OFFER);
    for (size_t i = 0; i <= size; i++) {
        uint8_t *copy = test_copy(view_make(OFFER, i));
        read_everything(view_make(copy, i));
        free(copy);
    }
    uint8_t *copy = test_copy(view_make(OFFER, size));
    for (size_t i = 0; i < size; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            copy[i] ^= (uint8_t)(1 << bit);
            read_everything(view_make(copy, size));
            copy[i] ^= (uint8_t)(1 << bit);
        }
    free(copy);
}

static void test_writing(void **state)
{
    (void)state;
    char text[16];
    struct sdp_writer writer = { .at = text, .capacity = sizeof text };
    sdp_line(&writer, "v=%d", 0);
    sdp_line(&writer, "m=%s", "a");
    sdp_more(&writer, " %d", 5);
    assert_false(writer.overflow);
    assert_view(view_make(text, writer.size), "v=0\r\nm=a 5\r\n");
    sdp_line(&writer, "abc");
    assert_true(writer.overflow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_ends_of_lines),
        cmocka_unit_test(test_what_is_no_description),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_directions),
        cmocka_unit_test(test_codecs),
        cmocka_unit_test(test_extmap),
        cmocka_unit_test(test_ssrcs),
        cmocka_unit_test(test_simulcast),
        cmocka_unit_test(test_fingerprint),
        cmocka_unit_test(test_candidates),
        cmocka_unit_test(test_msid),
        cmocka_unit_test(test_truncations_and_flips),
        cmocka_unit_test(test_writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
