/* Fuzzes what mediasoup's clients say: what is refused has a place, what is read lies within the
 * limits, and what is written of it is read as the same.  Input: '0' capabilities, '1' a track of
 * audio, '2' of video, '3' the way; then JSON.
 */
#include "input.h"
#include "ortc_support.h"

static struct ortc_capabilities ours, theirs, back;
static struct description_section section, again;
static struct ortc_error error;
static char written[256 * 1024];

static cJSON *tree_of(const struct json_writer *writer)
{
    cJSON *tree = NULL;
    CHECK(!writer->overflow);
    CHECK(json_read_object(json_written(writer), &tree) == OK);
    return tree;
}

static void check_format(const struct media_format *format)
{
    CHECK(format->codec < PAYLOAD_CODECS && format->payload_type < 128);
    CHECK(format->rtx == MEDIA_NO_RTX || format->rtx < 128);
}

static void check_capabilities(const cJSON *tree)
{
    struct json_writer writer = json_writer_make(written, sizeof written);
    if (ortc_read_capabilities(tree, &theirs, &error) != OK) {
        CHECK(error.text[0] && strlen(error.text) < sizeof error.text);
        return;
    }
    CHECK(theirs.format_count <= ORTC_FORMATS_MAX);
    for (uint32_t i = 0; i < theirs.format_count; i++)
        check_format(&theirs.formats[i]);
    ortc_write_capabilities(&writer, &theirs);
    cJSON *second = tree_of(&writer);
    CHECK(ortc_read_capabilities(second, &back, &error) == OK);
    CHECK(back.format_count == theirs.format_count);
    CHECK(memcmp(back.extensions, theirs.extensions, sizeof back.extensions) == 0);
    cJSON_Delete(second);
}

static bool is_sound(const struct description_section *read)
{
    CHECK(read->format_count > 0 && read->format_count <= DESCRIPTION_FORMATS_MAX);
    CHECK(read->ssrc_count <= ORTC_ENCODINGS_MAX && read->rid_count <= ORTC_ENCODINGS_MAX);
    CHECK(read->ssrc_count + read->rid_count > 0 && read->mid.size <= DESCRIPTION_MID_MAX);
    for (unsigned i = 0; i < read->format_count; i++)
        check_format(&read->formats[i]);
    for (unsigned i = 0; i < read->rid_count; i++)
        CHECK(read->rids[i].id.size > 0 && read->rids[i].id.size <= RTP_RID_MAX);
    /* together with its space, an msid of ours is no longer than what is read */
    return read->stream.size + read->track.size < ORTC_TEXT_MAX;
}

static void check_parameters(const cJSON *tree, enum sdp_kind kind)
{
    struct json_writer writer = json_writer_make(written, sizeof written);
    if (ortc_read_parameters(tree, kind, &section, &error) != OK) {
        CHECK(error.text[0] && strlen(error.text) < sizeof error.text);
        return;
    }
    if (!is_sound(&section))
        return;
    ortc_write_parameters(&writer, &section);
    cJSON *second = tree_of(&writer);
    CHECK(ortc_read_parameters(second, kind, &again, &error) == OK);
    CHECK(again.format_count == section.format_count && again.rid_count == section.rid_count);
    CHECK(memcmp(again.ssrcs, section.ssrcs, sizeof again.ssrcs) == 0);
    CHECK(memcmp(again.extensions, section.extensions, sizeof again.extensions) == 0);
    CHECK(view_equal(again.cname, section.cname) && view_equal(again.mid, section.mid));
    cJSON_Delete(second);
    ortc_capabilities_init(&ours, &ORTC_POLICY);
    if (ortc_consumer_init(&again, &section, &ours, &ours) == OK)
        for (unsigned i = 0; i < again.format_count; i++)
            CHECK(again.formats[i].payload_type <= ORTC_PAYLOAD_TYPE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    uint8_t form = input_byte(&input);
    struct span copy = input_copy(input);
    struct ortc_dtls dtls;
    cJSON *tree = NULL;
    if (json_read_object(view_of_span(copy), &tree) == OK) {
        if (form == '0')
            check_capabilities(tree);
        else if (form == '1' || form == '2')
            check_parameters(tree, form == '1' ? SDP_AUDIO : SDP_VIDEO);
        else if (ortc_read_dtls(tree, &dtls, &error) == OK)
            CHECK(dtls.setup != SDP_SETUP_NONE);
        else
            CHECK(error.text[0]);
        cJSON_Delete(tree);
    }
    free(copy.at);
    return 0;
}
