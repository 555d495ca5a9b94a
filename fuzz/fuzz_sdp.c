/* Fuzzes session descriptions: sections, and every attribute's value by every function that reads
 * one.  Input: the text.
 */
#include "input.h"
#include "wire/sdp.h"

static struct view text;

static void check_lists(struct view value)
{
    struct view semantics, list, one;
    uint32_t ssrc;
    bool paused;
    if (sdp_read_ssrc_group(value, &semantics, &list) == OK)
        while (sdp_next_ssrc(&list, &ssrc))
            CHECK(view_within(list, text));
    if (sdp_read_simulcast(value, SDP_SENDONLY, &list) == OK)
        while (sdp_next_rid(&list, &one, &paused))
            CHECK(view_within(one, text) && sdp_is_token(one));
}

static void check_value(struct view value)
{
    struct sdp_rtpmap map;
    struct sdp_format format;
    struct sdp_extmap extmap;
    struct sdp_ssrc ssrc;
    struct sdp_rid rid;
    struct sdp_candidate candidate;
    struct view a, b;
    uint8_t fingerprint[32];
    CHECK(view_within(value, text));
    if (sdp_read_rtpmap(value, &map) == OK)
        CHECK(view_within(map.encoding, text) && map.payload_type < 128 && map.clock_rate > 0);
    if (sdp_read_rtcp_fb(value, &format) == OK)
        CHECK(view_within(format.parameters, text));
    if (sdp_read_fmtp(value, &format) == OK && sdp_parameter(format.parameters, VIEW("apt"), &a))
        CHECK(view_within(a, text));
    if (sdp_read_extmap(value, &extmap) == OK)
        CHECK(view_within(extmap.uri, text) && extmap.id > 0);
    if (sdp_read_ssrc(value, &ssrc) == OK)
        CHECK(view_within(ssrc.attribute, text) && view_within(ssrc.value, text));
    if (sdp_read_rid(value, &rid) == OK)
        CHECK(view_within(rid.restrictions, text) && sdp_is_token(rid.id));
    if (sdp_read_candidate(value, &candidate) == OK)
        CHECK(view_within(candidate.type, text) && candidate.address.family != ADDRESS_NONE);
    if (sdp_read_msid(value, &a, &b) == OK)
        CHECK(view_within(a, text) && view_within(b, text));
    if (sdp_read_fingerprint(value, VIEW("sha-256"), fingerprint, sizeof fingerprint) == OK)
        CHECK(value.size > 95);
    (void)!sdp_read_setup(value);
    check_lists(value);
}

static void check_lines(struct view lines)
{
    struct view line;
    CHECK(view_within(lines, text));
    while (view_split(&lines, '\n', &line)) {
        struct view value;
        size_t colon = view_find_byte(line, ':');
        check_value(view_slice(line, colon + 1, line.size));
        if (view_starts(line, VIEW("a=")) && line.size > 2)
            CHECK(sdp_find(line, view_slice(line, 2, colon - 2), &value) || colon == line.size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sdp sdp;
    uint32_t line;
    text = view_make(data, size);
    if (sdp_read(text, &sdp, &line) != OK) {
        CHECK(line > 0);
        return 0;
    }
    check_lines(sdp.lines);
    for (uint32_t i = 0; i < sdp.media_count; i++) {
        check_lines(sdp.media[i].lines);
        CHECK(view_within(sdp.media[i].formats, text));
        CHECK(sdp_direction_of(&sdp, &sdp.media[i]) <= SDP_SENDRECV);
    }
    return 0;
}
