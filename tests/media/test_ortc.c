/* What mediasoup's clients say, and what they are told. */
#include "support.h"

#include "ortc_captures.h"
#include "ortc_support.h"

static struct ortc_error error;
static struct ortc_capabilities ours;
static char written[32 * 1024];

static int set_up(void **state)
{
    (void)state;
    ortc_capabilities_init(&ours, &ORTC_POLICY);
    return 0;
}

static cJSON *tree_of(const char *quoted)
{
    cJSON *tree = ortc_tree(quoted);
    assert_non_null(tree);
    return tree;
}

static void assert_text(const struct json_writer *writer, const char *quoted)
{
    assert_false(writer->overflow);
    for (size_t i = 0; i < writer->size; i++)
        if (writer->at[i] == '"')
            writer->at[i] = '\'';
    assert_view(json_written(writer), quoted);
}

static void read_section(const char *quoted, enum sdp_kind kind,
                         struct description_section *section, cJSON **tree)
{
    *tree = tree_of(quoted);
    if (ortc_read_parameters(*tree, kind, section, &error) != OK)
        fail_msg("%s", error.text);
}

static struct ortc_capabilities read_capabilities(const char *quoted)
{
    struct ortc_capabilities theirs;
    cJSON *tree = tree_of(quoted);
    if (ortc_read_capabilities(tree, &theirs, &error) != OK)
        fail_msg("%s", error.text);
    cJSON_Delete(tree);
    return theirs;
}

/* ---- capabilities ---- */

static void test_our_numbers(void **state)
{
    (void)state;
    bool has[128] = { false };
    for (uint32_t i = 0; i < ours.format_count; i++) {
        const uint8_t types[] = { ours.formats[i].payload_type, ours.formats[i].rtx };
        assert_int_equal(types[1] == MEDIA_NO_RTX, !payload_is_video(ours.formats[i].codec));
        for (unsigned k = 0; k < 2; k++) {
            if (types[k] == MEDIA_NO_RTX)
                continue;
            assert_true(types[k] <= ORTC_PAYLOAD_TYPE_MAX);
            assert_true(types[k] < 64 || types[k] > 95);
            assert_false(has[types[k]]);
            has[types[k]] = true;
        }
    }
    assert_true(has[0]); /* PCMU's own */
    bool has_id[ORTC_EXTENSION_ID_MAX + 1] = { false };
    for (unsigned kind = 0; kind < RTP_EXTENSION_KINDS; kind++) {
        uint8_t audio = ours.extensions[0][kind], video = ours.extensions[1][kind];
        uint8_t id = audio ? audio : video;
        assert_int_equal(audio != 0, ORTC_POLICY.extensions[0] >> kind & 1);
        assert_int_equal(video != 0, ORTC_POLICY.extensions[1] >> kind & 1);
        assert_true(!audio || !video || audio == video);
        assert_true(id <= ORTC_EXTENSION_ID_MAX && (id == 0 || !has_id[id]));
        has_id[id] = true;
    }
}

static void test_more_formats_than_numbers(void **state)
{
    (void)state;
    struct media_format formats[ORTC_FORMATS_MAX + 8];
    struct negotiation_policy policy = ORTC_POLICY;
    for (unsigned i = 0; i < ORTC_FORMATS_MAX + 8; i++)
        formats[i] = (struct media_format){ .codec = PAYLOAD_VP9, .variant = (uint16_t)i };
    policy.formats = formats;
    policy.format_count = ORTC_FORMATS_MAX + 8;
    ortc_capabilities_init(&ours, &policy);
    assert_true(ours.format_count >= 28 && ours.format_count <= ORTC_FORMATS_MAX);
    for (uint32_t i = 0; i < ours.format_count; i++)
        assert_true(ours.formats[i].payload_type <= ORTC_PAYLOAD_TYPE_MAX);
}

static void test_capabilities_come_back(void **state)
{
    (void)state;
    struct json_writer writer = json_writer_make(written, sizeof written);
    struct ortc_capabilities back;
    cJSON *tree = NULL;
    ortc_write_capabilities(&writer, &ours);
    assert_false(writer.overflow);
    assert_int_equal(json_read_object(json_written(&writer), &tree), OK);
    assert_int_equal(ortc_read_capabilities(tree, &back, &error), OK);
    cJSON_Delete(tree);
    assert_int_equal(back.format_count, ours.format_count);
    assert_memory_equal(back.formats, ours.formats, ours.format_count * sizeof ours.formats[0]);
    assert_memory_equal(back.extensions, ours.extensions, sizeof ours.extensions);
}

static void test_capabilities_written(void **state)
{
    (void)state;
    static const struct media_format FORMATS[] = { { .codec = PAYLOAD_OPUS },
                                                   { .codec = PAYLOAD_VP8 } };
    const struct negotiation_policy policy = { .formats = FORMATS,
                                               .format_count = 2,
                                               .extensions = { 0, ORTC_EXTENSION(RID) |
                                                                      ORTC_EXTENSION(MID) },
                                               .feedback = { 0, MEDIA_NACK | MEDIA_PLI },
                                               .has_rtx = true };
    struct json_writer writer = json_writer_make(written, sizeof written);
    ortc_capabilities_init(&ours, &policy);
    ortc_write_capabilities(&writer, &ours);
    assert_text(
        &writer,
        "{'codecs':[{'kind':'audio','mimeType':'audio/opus','preferredPayloadType':96,"
        "'clockRate':48000,'channels':2,'parameters':{'minptime':10},'rtcpFeedback':[]},"
        "{'kind':'video','mimeType':'video/VP8','preferredPayloadType':97,'clockRate':90000,"
        "'parameters':{},'rtcpFeedback':[{'type':'nack','parameter':''},"
        "{'type':'nack','parameter':'pli'}]},"
        "{'kind':'video','mimeType':'video/rtx','preferredPayloadType':98,'clockRate':90000,"
        "'parameters':{'apt':97},'rtcpFeedback':[]}],"
        "'headerExtensions':[{'kind':'video','uri':'urn:ietf:params:rtp-hdrext:sdes:mid',"
        "'preferredId':1,'preferredEncrypt':false,'direction':'sendrecv'},"
        "{'kind':'video','uri':'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',"
        "'preferredId':2,'preferredEncrypt':false,'direction':'recvonly'}]}");
}

static void test_capabilities_of_a_browser(void **state)
{
    (void)state;
    struct ortc_capabilities theirs = read_capabilities(CAPTURED_CAPABILITIES);
    assert_int_equal(theirs.format_count, 7);
    assert_int_equal(theirs.formats[0].codec, PAYLOAD_OPUS);
    assert_int_equal(theirs.formats[0].options, MEDIA_OPUS_FEC);
    assert_int_equal(theirs.formats[0].rtx, MEDIA_NO_RTX);
    assert_int_equal(theirs.formats[2].codec, PAYLOAD_VP8);
    assert_int_equal(theirs.formats[2].payload_type, 97);
    assert_int_equal(theirs.formats[2].rtx, 98);
    assert_int_equal(theirs.formats[2].feedback, ORTC_POLICY.feedback[1]);
    assert_int_equal(theirs.formats[4].codec, PAYLOAD_H264);
    assert_int_equal(theirs.formats[4].variant,
                     media_h264_variant(MEDIA_H264_CONSTRAINED_BASELINE, 1));
    assert_int_equal(theirs.extensions[0][RTP_EXTENSION_AUDIO_LEVEL], 6);
    /* with the same id for both kinds, they name it for one */
    assert_int_equal(theirs.extensions[0][RTP_EXTENSION_MID], 0);
    assert_int_equal(theirs.extensions[1][RTP_EXTENSION_MID], 1);
}

/* ---- parameters ---- */

static void test_simulcast(void **state)
{
    (void)state;
    struct description_section section;
    cJSON *tree;
    read_section(CAPTURED_SIMULCAST, SDP_VIDEO, &section, &tree);
    assert_int_equal(section.kind, SDP_VIDEO);
    assert_int_equal(section.direction, SDP_SENDONLY);
    assert_int_equal(section.format_count, 1);
    assert_int_equal(section.formats[0].codec, PAYLOAD_VP8);
    assert_int_equal(section.formats[0].payload_type, 96);
    assert_int_equal(section.formats[0].rtx, 97);
    assert_int_equal(section.ssrc_count, 0);
    assert_int_equal(section.rid_count, 3);
    assert_view(section.rids[0].id, "r0");
    assert_view(section.rids[2].id, "r2");
    assert_false(section.rids[0].is_paused);
    assert_int_equal(section.extensions[RTP_EXTENSION_RID], 10);
    assert_int_equal(section.extensions[RTP_EXTENSION_REPAIRED_RID], 11);
    assert_int_equal(section.extensions[RTP_EXTENSION_TRANSPORT_CC], 3);
    assert_view(section.mid, "1");
    assert_view(section.cname, "");
    assert_view(section.stream, "f75129b6-1bfe-4a8e-90c7-f6424987c37b");
    cJSON_Delete(tree);
}

static void test_one_encoding(void **state)
{
    (void)state;
    struct description_section section;
    cJSON *tree;
    read_section(CAPTURED_VIDEO, SDP_VIDEO, &section, &tree);
    assert_int_equal(section.rid_count, 0);
    assert_int_equal(section.ssrc_count, 1);
    assert_int_equal(section.ssrcs[0].ssrc, 1321471864);
    assert_int_equal(section.ssrcs[0].rtx, 315905342);
    cJSON_Delete(tree);
    read_section(CAPTURED_AUDIO, SDP_AUDIO, &section, &tree);
    assert_int_equal(section.formats[0].codec, PAYLOAD_OPUS);
    assert_int_equal(section.formats[0].payload_type, 111);
    assert_int_equal(section.ssrcs[0].ssrc, 1499918396);
    assert_int_equal(section.ssrcs[0].rtx, 0);
    assert_view(section.cname, "s4AOFZ3LmXKuExDX");
    assert_true(section.is_reduced_size);
    cJSON_Delete(tree);
}

static void assert_comes_back(const char *quoted, enum sdp_kind kind)
{
    struct json_writer writer = json_writer_make(written, sizeof written);
    struct description_section first, second;
    cJSON *tree, *again = NULL;
    read_section(quoted, kind, &first, &tree);
    ortc_write_parameters(&writer, &first);
    assert_false(writer.overflow);
    assert_int_equal(json_read_object(json_written(&writer), &again), OK);
    if (ortc_read_parameters(again, kind, &second, &error) != OK)
        fail_msg("%s", error.text);
    assert_int_equal(second.format_count, first.format_count);
    assert_memory_equal(second.formats, first.formats,
                        first.format_count * sizeof first.formats[0]);
    assert_memory_equal(second.extensions, first.extensions, sizeof first.extensions);
    assert_memory_equal(second.ssrcs, first.ssrcs, sizeof first.ssrcs);
    assert_int_equal(second.rid_count, first.rid_count);
    for (unsigned i = 0; i < first.rid_count; i++)
        assert_true(view_equal(second.rids[i].id, first.rids[i].id));
    assert_true(view_equal(second.mid, first.mid) && view_equal(second.cname, first.cname));
    assert_true(view_equal(second.stream, first.stream) && view_equal(second.track, first.track));
    cJSON_Delete(tree);
    cJSON_Delete(again);
}

static void test_parameters_come_back(void **state)
{
    (void)state;
    assert_comes_back(CAPTURED_AUDIO, SDP_AUDIO);
    assert_comes_back(CAPTURED_SIMULCAST, SDP_VIDEO);
    assert_comes_back(CAPTURED_VIDEO, SDP_VIDEO);
    assert_comes_back(CAPTURED_H264, SDP_VIDEO);
    assert_comes_back(CAPTURED_VP9, SDP_VIDEO);
}

/* ---- consumers ---- */

static void test_consumer(void **state)
{
    (void)state;
    struct ortc_capabilities theirs = read_capabilities(CAPTURED_CAPABILITIES);
    struct json_writer writer = json_writer_make(written, sizeof written);
    struct description_section source, section;
    cJSON *tree;
    read_section(CAPTURED_SIMULCAST, SDP_VIDEO, &source, &tree);
    assert_int_equal(ortc_consumer_init(&section, &source, &ours, &theirs), OK);
    section.mid = VIEW("0");
    section.cname = VIEW("who");
    section.ssrcs[section.ssrc_count++] = (struct description_ssrc){ 4294967295u, 7 };
    ortc_write_parameters(&writer, &section);
    assert_text(
        &writer,
        "{'codecs':[{'mimeType':'video/VP8','payloadType':97,'clockRate':90000,'parameters':{},"
        "'rtcpFeedback':[{'type':'nack','parameter':''},{'type':'nack','parameter':'pli'},"
        "{'type':'ccm','parameter':'fir'},{'type':'transport-cc','parameter':''}]},"
        "{'mimeType':'video/rtx','payloadType':98,'clockRate':90000,'parameters':{'apt':97},"
        "'rtcpFeedback':[]}],'headerExtensions':["
        "{'uri':'urn:ietf:params:rtp-hdrext:sdes:mid','id':1,'encrypt':false,'parameters':{}},"
        "{'uri':'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time','id':4,"
        "'encrypt':false,'parameters':{}},"
        "{'uri':'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',"
        "'id':5,'encrypt':false,'parameters':{}},"
        "{'uri':'https://aomediacodec.github.io/av1-rtp-spec/"
        "#dependency-descriptor-rtp-header-extension','id':7,'encrypt':false,'parameters':{}},"
        "{'uri':'urn:3gpp:video-orientation','id':8,'encrypt':false,'parameters':{}}],"
        "'encodings':[{'ssrc':4294967295,'rtx':{'ssrc':7}}],'mid':'0',"
        "'rtcp':{'cname':'who','reducedSize':true,'mux':true}}");
    cJSON_Delete(tree);
}

static void test_consumer_of_another_codec(void **state)
{
    (void)state;
    struct ortc_capabilities theirs = read_capabilities(CAPTURED_CAPABILITIES);
    struct description_section source, section;
    cJSON *tree;
    read_section(CAPTURED_H264, SDP_VIDEO, &source, &tree);
    assert_int_equal(ortc_consumer_init(&section, &source, &ours, &theirs), OK);
    assert_int_equal(section.formats[0].payload_type, 103);
    assert_int_equal(section.formats[0].rtx, 104);
    for (uint32_t i = 0; i < theirs.format_count; i++)
        theirs.formats[i].rtx = MEDIA_NO_RTX;
    assert_int_equal(ortc_consumer_init(&section, &source, &ours, &theirs), OK);
    assert_int_equal(section.formats[0].rtx, MEDIA_NO_RTX);
    theirs.format_count = 4; /* without H.264 */
    assert_int_equal(ortc_consumer_init(&section, &source, &ours, &theirs), ERR_UNSUPPORTED);
    cJSON_Delete(tree);
}

static void test_one_estimate(void **state)
{
    (void)state;
    struct ortc_capabilities theirs = read_capabilities(CAPTURED_CAPABILITIES);
    struct description_section source, section;
    cJSON *tree;
    read_section(CAPTURED_VIDEO, SDP_VIDEO, &source, &tree);
    theirs.extensions[1][RTP_EXTENSION_TRANSPORT_CC] = 0;
    assert_int_equal(ortc_consumer_init(&section, &source, &ours, &theirs), OK);
    assert_int_equal(section.formats[0].feedback, MEDIA_NACK | MEDIA_PLI | MEDIA_FIR | MEDIA_REMB);
    theirs.extensions[1][RTP_EXTENSION_ABS_SEND_TIME] = 0;
    assert_int_equal(ortc_consumer_init(&section, &source, &ours, &theirs), OK);
    assert_int_equal(section.formats[0].feedback, MEDIA_NACK | MEDIA_PLI | MEDIA_FIR);
    cJSON_Delete(tree);
}

/* ---- the way ---- */

static void test_transport(void **state)
{
    (void)state;
    static const struct description_candidate CANDIDATES[] = {
        { .address = { ADDRESS_IPV4, { 192, 0, 2, 1 }, 7000 } },
        { .address = { ADDRESS_IPV6, { 0x20, 1, 0xd, 0xb8, [15] = 1 }, 7000 }, .is_tcp = true },
    };
    struct ortc_transport transport = { .id = VIEW("t1"),
                                        .ufrag = VIEW("frag"),
                                        .pwd = VIEW("word"),
                                        .candidates = CANDIDATES,
                                        .candidate_count = 2,
                                        .has_data = true,
                                        .message_size_max = 65536 };
    struct json_writer writer = json_writer_make(written, sizeof written);
    for (unsigned i = 0; i < sizeof transport.fingerprint; i++)
        transport.fingerprint[i] = (uint8_t)(0xab + i);
    ortc_write_transport(&writer, &transport);
    assert_text(
        &writer,
        "{'id':'t1','iceParameters':{'usernameFragment':'frag','password':'word',"
        "'iceLite':true},'iceCandidates':[{'foundation':'1','priority':2130706431,"
        "'ip':'192.0.2.1','address':'192.0.2.1','protocol':'udp','port':7000,'type':'host'},"
        "{'foundation':'2','priority':2118123263,'ip':'2001:db8::1','address':'2001:db8::1',"
        "'protocol':'tcp','port':7000,'type':'host','tcpType':'passive'}],"
        "'dtlsParameters':{'role':'auto','fingerprints':[{'algorithm':'sha-256','value':"
        "'AB:AC:AD:AE:AF:B0:B1:B2:B3:B4:B5:B6:B7:B8:B9:BA:BB:BC:BD:BE:BF:C0:C1:C2:C3:C4:C5:C6:"
        "C7:C8:C9:CA'}]},'sctpParameters':{'port':5000,'OS':1024,'MIS':1024,"
        "'maxMessageSize':65536}}");
}

static void test_dtls(void **state)
{
    (void)state;
    struct ortc_dtls dtls;
    cJSON *tree = tree_of(CAPTURED_DTLS);
    assert_int_equal(ortc_read_dtls(tree, &dtls, &error), OK);
    assert_int_equal(dtls.setup, SDP_SETUP_ACTIVE);
    assert_int_equal(dtls.fingerprint[0], 0x2c);
    assert_int_equal(dtls.fingerprint[31], 0xd2);
    cJSON_Delete(tree);
    tree = tree_of("{'fingerprints':[{'algorithm':'sha-1','value':'AB:CD'}]}");
    assert_int_equal(ortc_read_dtls(tree, &dtls, &error), ERR_UNSUPPORTED);
    assert_string_equal(error.text, "dtlsParameters.fingerprints: one of sha-256 is wanted");
    cJSON_Delete(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_our_numbers, set_up),
        cmocka_unit_test_setup(test_more_formats_than_numbers, set_up),
        cmocka_unit_test_setup(test_capabilities_come_back, set_up),
        cmocka_unit_test_setup(test_capabilities_written, set_up),
        cmocka_unit_test_setup(test_capabilities_of_a_browser, set_up),
        cmocka_unit_test_setup(test_simulcast, set_up),
        cmocka_unit_test_setup(test_one_encoding, set_up),
        cmocka_unit_test_setup(test_parameters_come_back, set_up),
        cmocka_unit_test_setup(test_consumer, set_up),
        cmocka_unit_test_setup(test_consumer_of_another_codec, set_up),
        cmocka_unit_test_setup(test_one_estimate, set_up),
        cmocka_unit_test_setup(test_transport, set_up),
        cmocka_unit_test_setup(test_dtls, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
