/* What is wrong in what mediasoup's clients say is refused, with its place. */
#include "support.h"

#include "ortc_captures.h"
#include "ortc_support.h"

static struct ortc_error error;

enum form { FORM_CAPABILITIES, FORM_AUDIO, FORM_VIDEO, FORM_DTLS };

static int read_as(enum form form, const cJSON *tree)
{
    struct ortc_capabilities capabilities;
    struct description_section section;
    struct ortc_dtls dtls;
    error.text[0] = 0;
    switch (form) {
    case FORM_CAPABILITIES:
        return ortc_read_capabilities(tree, &capabilities, &error);
    case FORM_AUDIO:
        return ortc_read_parameters(tree, SDP_AUDIO, &section, &error);
    case FORM_VIDEO:
        return ortc_read_parameters(tree, SDP_VIDEO, &section, &error);
    default:
        return ortc_read_dtls(tree, &dtls, &error);
    }
}

static void assert_refused(enum form form, const char *quoted, const char *what)
{
    cJSON *tree = ortc_tree(quoted);
    assert_non_null(tree);
    int status = read_as(form, tree);
    cJSON_Delete(tree);
    assert_string_equal(error.text, what);
    assert_true(status == ERR_MALFORMED || status == ERR_UNSUPPORTED);
}

#define VP8  "{'mimeType':'video/VP8','payloadType':96,'clockRate':90000}"
#define RIDS "'headerExtensions':[{'uri':'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id','id':3}]"

static void test_codecs(void **state)
{
    (void)state;
    static const struct {
        const char *text, *what;
    } CASES[] = {
        { "{}", "encodings: at least one is wanted" },
        { "{'codecs':{}}", "codecs: an array is wanted" },
        { "{'codecs':[7]}", "codecs[0]: an object is wanted" },
        { "{'codecs':[" VP8 ",{}]}", "codecs[1].mimeType: a string is wanted" },
        { "{'codecs':[{'mimeType':'VP8'}]}",
          "codecs[0].mimeType: audio/... or video/... is wanted" },
        { "{'codecs':[{'mimeType':'audio/opus'}]}", "codecs[0]: it is of another kind" },
        { "{'codecs':[{'mimeType':'video/VP8','payloadType':'96'}]}",
          "codecs[0].payloadType: a whole number from 0 to 127 is wanted" },
        { "{'codecs':[{'mimeType':'video/VP8','payloadType':128}]}",
          "codecs[0].payloadType: a whole number from 0 to 127 is wanted" },
        { "{'codecs':[{'mimeType':'video/VP8','payloadType':96.5}]}",
          "codecs[0].payloadType: a whole number from 0 to 127 is wanted" },
        { "{'codecs':[{'mimeType':'video/VP8','payloadType':-1}]}",
          "codecs[0].payloadType: a whole number from 0 to 127 is wanted" },
        { "{'codecs':[{'mimeType':'video/VP8','payloadType':96}]}",
          "codecs[0].clockRate: a whole number from 1 to 4294967295 is wanted" },
        { "{'codecs':[{'mimeType':'video/VP8','payloadType':96,'clockRate':90000,"
          "'parameters':{'x':[]}}]}",
          "codecs[0].parameters.x: a string or a number is wanted" },
        { "{'codecs':[{'mimeType':'video/VP8','payloadType':96,'clockRate':90000,"
          "'rtcpFeedback':[{'type':'nack'},{}]}]}",
          "codecs[0].rtcpFeedback[1].type: a string is wanted" },
        { "{'codecs':[" VP8 "," VP8 "]}", "codecs[1].payloadType: another codec has it" },
        { "{'codecs':[{'mimeType':'video/rtx','payloadType':96,'clockRate':90000}]}",
          "codecs[0]: RTX says in parameters.apt what it repairs" },
        { "{'codecs':[{'mimeType':'video/rtx','payloadType':96,'clockRate':90000,"
          "'parameters':{'apt':'97'}}]}",
          "codecs[0].parameters.apt: a whole number from 0 to 127 is wanted" },
        { "{'codecs':[{'mimeType':'video/flexfec-03','payloadType':96,'clockRate':90000}],"
          "'encodings':[{'ssrc':1}]}",
          "codecs: none of them is known" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char what[ORTC_ERROR_SIZE];
        snprintf(what, sizeof what, "rtpParameters.%s", CASES[i].what);
        assert_refused(FORM_VIDEO, CASES[i].text, what);
    }
}

static void test_encodings(void **state)
{
    (void)state;
    static const struct {
        const char *text, *what;
    } CASES[] = {
        { "[]", "encodings: at least one is wanted" },
        { "[1]", "encodings[0]: an object is wanted" },
        { "[{}]", "encodings[0]: it has neither an ssrc nor a rid" },
        { "[{'ssrc':0}]", "encodings[0].ssrc: a whole number from 1 to 4294967295 is wanted" },
        { "[{'ssrc':4294967296}]",
          "encodings[0].ssrc: a whole number from 1 to 4294967295 is wanted" },
        { "[{'ssrc':5,'rtx':{'ssrc':5}}]", "encodings[0]: another encoding has its SSRC" },
        { "[{'ssrc':5},{'ssrc':6,'rtx':{'ssrc':5}}]",
          "encodings[1]: another encoding has its SSRC" },
        { "[{'ssrc':5,'rtx':{'ssrc':6}},{'ssrc':6}]",
          "encodings[1]: another encoding has its SSRC" },
        { "[{'ssrc':5,'rtx':7}]", "encodings[0].rtx: an object is wanted" },
        { "[{'rid':7}]", "encodings[0].rid: a string is wanted" },
        { "[{'rid':'a b'}]", "encodings[0].rid: up to 16 letters and digits are wanted" },
        { "[{'rid':'a'},{'rid':'a'}]", "encodings[1].rid: another encoding has it" },
        { "[{'rid':'a'},{'ssrc':1}]", "encodings: some have an ssrc or a rid, others have not" },
        { "[{'rid':'a'},{'rid':'b'},{'rid':'c'},{'rid':'d'},{'rid':'e'}]",
          "encodings: it has too many elements" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char text[512], what[ORTC_ERROR_SIZE];
        snprintf(text, sizeof text, "{'codecs':[" VP8 "]," RIDS ",'encodings':%s}", CASES[i].text);
        snprintf(what, sizeof what, "rtpParameters.%s", CASES[i].what);
        assert_refused(FORM_VIDEO, text, what);
    }
    assert_refused(FORM_VIDEO, "{'codecs':[" VP8 "],'encodings':[{'rid':'a'}]}",
                   "rtpParameters.encodings[0]: it has a rid alone, and there is no extension for "
                   "rids");
}

static void test_extensions_and_names(void **state)
{
    (void)state;
    static const struct {
        const char *text, *what;
    } CASES[] = {
        { "'headerExtensions':[{}]", "headerExtensions[0].uri: a string is wanted" },
        { "'headerExtensions':[{'uri':'x','id':256}]",
          "headerExtensions[0].id: a whole number from 1 to 255 is wanted" },
        { "'headerExtensions':[{'uri':'x','id':1},{'uri':'y','id':1}]",
          "headerExtensions[1]: another extension has its id" },
        { "'headerExtensions':[{'uri':'x','id':1,'encrypt':true}]",
          "headerExtensions[0].encrypt: encrypted extensions are not supported" },
        { "'mid':7", "mid: a string is wanted" },
        { "'mid':'12345678901234567'", "mid: it is too long" },
        { "'rtcp':[]", "rtcp: an object is wanted" },
        { "'rtcp':{'cname':1}", "rtcp.cname: a string is wanted" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char text[512], what[ORTC_ERROR_SIZE];
        snprintf(text, sizeof text, "{'codecs':[" VP8 "],'encodings':[{'ssrc':1}],%s}",
                 CASES[i].text);
        snprintf(what, sizeof what, "rtpParameters.%s", CASES[i].what);
        assert_refused(FORM_VIDEO, text, what);
    }
    assert_refused(FORM_CAPABILITIES, "{'codecs':[{'mimeType':'video/VP8'}]}",
                   "rtpCapabilities.codecs[0].preferredPayloadType: a whole number from 0 to 127 "
                   "is wanted");
    assert_refused(FORM_CAPABILITIES,
                   "{'headerExtensions':[{'uri':'x','preferredId':1,'kind':'text'}]}",
                   "rtpCapabilities.headerExtensions[0].kind: audio or video is wanted");
    assert_refused(FORM_DTLS, "{'role':'boss'}",
                   "dtlsParameters.role: auto, client or server is wanted");
    assert_refused(FORM_DTLS, "{'fingerprints':[{'algorithm':'sha-256','value':'AB'}]}",
                   "dtlsParameters.fingerprints[0].value: 32 bytes in hexadecimal with colons "
                   "between them are wanted");
}

static void test_no_object(void **state)
{
    (void)state;
    for (unsigned form = 0; form <= FORM_DTLS; form++) {
        assert_int_equal(read_as((enum form)form, NULL), ERR_MALFORMED);
        assert_non_null(strstr(error.text, ": an object is wanted"));
    }
}

static void test_long_names(void **state)
{
    (void)state;
    char text[1024], name[400];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    snprintf(text, sizeof text,
             "{'codecs':[{'mimeType':'video/VP8','payloadType':96,'clockRate':90000,"
             "'parameters':{'%s':[]}}]}",
             name);
    cJSON *tree = ortc_tree(text);
    assert_non_null(tree);
    assert_int_equal(read_as(FORM_VIDEO, tree), ERR_MALFORMED);
    assert_true(strlen(error.text) < ORTC_ERROR_SIZE);
    cJSON_Delete(tree);
}

/* ---- everything once ---- */

static const struct {
    enum form form;
    const char *text;
} CAPTURES[] = {
    { FORM_CAPABILITIES, CAPTURED_CAPABILITIES },
    { FORM_AUDIO, CAPTURED_AUDIO },
    { FORM_VIDEO, CAPTURED_SIMULCAST },
    { FORM_VIDEO, CAPTURED_VIDEO },
    { FORM_VIDEO, CAPTURED_H264 },
    { FORM_VIDEO, CAPTURED_VP9 },
    { FORM_DTLS, CAPTURED_DTLS },
};
#define CAPTURE_COUNT (sizeof CAPTURES / sizeof CAPTURES[0])

/* Puts something else in the place of each value below `at`, one after the other. */
static unsigned vary(enum form form, const cJSON *tree, cJSON *at)
{
    static const int TYPES[] = { cJSON_NULL,   cJSON_False, cJSON_Number,
                                 cJSON_String, cJSON_Array, cJSON_Object };
    static char text[] = "something";
    unsigned count = 0;
    for (cJSON *child = at->child; child; child = child->next) {
        cJSON kept = *child;
        for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
            child->type = TYPES[i];
            child->child = NULL;
            child->valuestring = text;
            child->valuedouble = 1e300;
            if (read_as(form, tree) != OK)
                assert_true(error.text[0] != 0);
            count++;
        }
        *child = kept;
        count += vary(form, tree, child);
    }
    return count;
}

static void test_every_value_of_another_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < CAPTURE_COUNT; i++) {
        cJSON *tree = ortc_tree(CAPTURES[i].text);
        assert_non_null(tree);
        assert_true(vary(CAPTURES[i].form, tree, tree) > 20);
        assert_int_equal(read_as(CAPTURES[i].form, tree), OK);
        cJSON_Delete(tree);
    }
}

static void test_every_byte(void **state)
{
    (void)state;
    static char text[16 * 1024];
    for (size_t i = 0; i < CAPTURE_COUNT; i++) {
        size_t size = strlen(CAPTURES[i].text);
        assert_true(size < sizeof text);
        memcpy(text, CAPTURES[i].text, size + 1);
        for (size_t at = 0; at < size; at++) {
            char kept = text[at];
            text[at] = (char)(kept ^ (1 << at % 7));
            cJSON *tree = ortc_tree(text);
            text[at] = kept;
            if (tree && read_as(CAPTURES[i].form, tree) != OK)
                assert_true(error.text[0] != 0);
            cJSON_Delete(tree);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codecs),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_extensions_and_names),
        cmocka_unit_test(test_no_object),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_every_value_of_another_kind),
        cmocka_unit_test(test_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
