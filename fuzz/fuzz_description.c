/* Fuzzes descriptions: what is read of one lies within it and within the limits, and what is
 * written of that is read as the same.  Input: the text.
 */
#include "input.h"
#include "media/description.h"

static struct sdp sdp;
static struct description first, second;
static char written[4 * SDP_SIZE_MAX];

static void check_section(const struct description_section *section, struct view text)
{
    CHECK(section->kind <= SDP_APPLICATION && section->direction <= SDP_SENDRECV);
    CHECK(section->problem < DESCRIPTION_PROBLEMS);
    CHECK(section->problem == DESCRIPTION_NO_DTLS || section->problem == DESCRIPTION_NO_KIND ||
          section->protocol < DESCRIPTION_PROTOCOLS);
    CHECK(section->format_count <= DESCRIPTION_FORMATS_MAX);
    CHECK(section->ssrc_count <= DESCRIPTION_SSRCS_MAX);
    CHECK(section->rid_count <= DESCRIPTION_RIDS_MAX);
    CHECK(view_within(section->mid, text) && section->mid.size <= DESCRIPTION_MID_MAX);
    CHECK(view_within(section->stream, text) && view_within(section->track, text));
    CHECK(view_within(section->cname, text));
    for (unsigned i = 0; i < section->format_count; i++) {
        CHECK(section->formats[i].codec < PAYLOAD_CODECS);
        CHECK(section->formats[i].payload_type < 128);
        CHECK(section->formats[i].rtx == MEDIA_NO_RTX || section->formats[i].rtx < 128);
    }
    for (unsigned i = 0; i < section->rid_count; i++)
        CHECK(view_within(section->rids[i].id, text) && section->rids[i].id.size > 0);
}

static void write_first(struct sdp_writer *writer)
{
    description_write_head(writer, &first.head);
    for (uint32_t i = 0; first.head.has_bundle && i < first.section_count; i++)
        if (first.sections[i].mid.size > 0 && first.sections[i].problem != DESCRIPTION_NO_BUNDLE)
            description_write_mid(writer, first.sections[i].mid);
    for (uint32_t i = 0; i < first.section_count; i++)
        description_write_section(writer, &first.head, &first.sections[i], NULL, 0);
    CHECK(!writer->overflow);
}

static bool has_problem(const struct description *description)
{
    for (uint32_t i = 0; i < description->section_count; i++)
        if (description->sections[i].problem != DESCRIPTION_NO_PROBLEM ||
            description->sections[i].is_refused)
            return true;
    return description->section_count == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct description_error error = { 0 };
    struct span copy = input_copy(view_make(data, size));
    struct view text = view_of_span(copy);
    struct sdp_writer writer = { .at = written, .capacity = sizeof written };
    if (description_read(text, &sdp, &first, &error) != OK) {
        CHECK(error.what && error.what[0]);
        free(copy.at);
        return 0;
    }
    for (uint32_t i = 0; i < first.section_count; i++)
        check_section(&first.sections[i], text);
    if (!has_problem(&first)) {
        write_first(&writer);
        CHECK(description_read(view_make(written, writer.size), &sdp, &second, &error) == OK);
        CHECK(second.section_count == first.section_count);
        for (uint32_t i = 0; i < first.section_count; i++) {
            CHECK(second.sections[i].kind == first.sections[i].kind);
            CHECK(second.sections[i].format_count == first.sections[i].format_count);
            CHECK(second.sections[i].rid_count == first.sections[i].rid_count);
            CHECK(view_equal(second.sections[i].mid, first.sections[i].mid));
        }
    }
    free(copy.at);
    return 0;
}
