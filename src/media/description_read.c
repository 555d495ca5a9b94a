/* A description's reader: the bundle's way. What a section says is in description_section.c. */
#include "media/description_section.h"

#include <string.h>

static int refuse(struct description_error *error, int status, uint32_t section, const char *what)
{
    *error = (struct description_error){ .what = what, .section = section };
    return status;
}

/* ---- the bundle ---- */

/* The mids of the bundle; false: there is no bundle. */
static bool find_bundle(const struct sdp *sdp, struct view *mids)
{
    struct view lines = sdp->lines;
    struct view value;
    while (sdp_next(&lines, VIEW("group"), &value)) {
        if (!view_starts(value, VIEW("BUNDLE")))
            continue;
        *mids = view_trim(view_slice(value, 6, value.size));
        return true;
    }
    return false;
}

static bool names(struct view mids, struct view mid)
{
    struct view one;
    while (mid.size > 0 && view_split(&mids, ' ', &one))
        if (view_equal(one, mid))
            return true;
    return false;
}

/* The sections of which each shares the bundle's way; one alone needs none (RFC 8829, section
 * 4.1.1, is about what an offerer means by it). */
static void mark_bundle(struct description *description, bool has_bundle, struct view mids)
{
    for (uint32_t i = 0; i < description->section_count; i++) {
        struct description_section *section = &description->sections[i];
        if (section->problem != DESCRIPTION_NO_PROBLEM || section->is_refused)
            continue;
        if (has_bundle ? !names(mids, section->mid) : description->section_count > 1)
            section->problem = DESCRIPTION_NO_BUNDLE;
    }
}

static bool is_usable(const struct description_section *section)
{
    return !section->is_refused && section->problem == DESCRIPTION_NO_PROBLEM;
}

/* The section whose attributes are the bundle's: the first that the group names (RFC 8843,
 * section 7.2.1), of those that are not refused.  One is usable. */
static uint32_t find_tagged(const struct description *description, bool has_bundle,
                            struct view mids)
{
    struct view mid;
    while (has_bundle && view_split(&mids, ' ', &mid)) {
        const struct description_section *section = description_find(description, mid);
        if (section && !section->is_refused)
            return (uint32_t)(section - description->sections);
    }
    uint32_t i = 0;
    while (!is_usable(&description->sections[i]))
        i++;
    return i;
}

/* ---- the way ---- */

/* The first a=fingerprint:sha-256 in the section, or else before all. */
static bool read_fingerprint(const struct sdp *sdp, struct view section, uint8_t *out)
{
    struct view places[2] = { section, sdp->lines };
    struct view value;
    for (unsigned i = 0; i < 2; i++)
        while (sdp_next(&places[i], VIEW("fingerprint"), &value))
            if (sdp_read_fingerprint(value, VIEW("sha-256"), out, DESCRIPTION_FINGERPRINT_SIZE) ==
                OK)
                return true;
    return false;
}

static bool is_ice(struct view text, size_t size_min)
{
    return text.size >= size_min && text.size <= DESCRIPTION_ICE_MAX &&
           view_find_byte(text, ' ') == text.size && view_find_byte(text, ':') == text.size;
}

static int read_way(const struct sdp *sdp, uint32_t tagged, struct description_head *head,
                    struct description_error *error)
{
    const struct sdp_media *media = &sdp->media[tagged];
    struct view value;
    if (!sdp_find_either(sdp, media, VIEW("ice-ufrag"), &head->ufrag) ||
        !sdp_find_either(sdp, media, VIEW("ice-pwd"), &head->pwd))
        return refuse(error, ERR_UNSUPPORTED, tagged, "it has no a=ice-ufrag or no a=ice-pwd");
    if (!is_ice(head->ufrag, DESCRIPTION_UFRAG_MIN) || !is_ice(head->pwd, DESCRIPTION_PWD_MIN))
        return refuse(error, ERR_MALFORMED, tagged, "its a=ice-ufrag or a=ice-pwd is none");
    if (!read_fingerprint(sdp, media->lines, head->fingerprint))
        return refuse(error, ERR_UNSUPPORTED, tagged, "it has no a=fingerprint:sha-256");
    if (sdp_find_either(sdp, media, VIEW("setup"), &value))
        head->setup = (uint8_t)sdp_read_setup(value);
    if (sdp_find_either(sdp, media, VIEW("ice-options"), &value))
        head->is_trickle = view_find(value, VIEW("trickle")) < value.size; /* some use commas */
    return OK;
}

/* o=- 4611731400430051336 2 IN IP4 127.0.0.1; what is none is 0, since nothing hangs on it. */
static void read_origin(struct view lines, struct description_head *head)
{
    struct view line, word;
    while (view_split(&lines, '\n', &line)) {
        if (!view_starts(line, VIEW("o=")))
            continue;
        if (view_split(&line, ' ', &word) && view_split(&line, ' ', &word))
            (void)!view_read_number(word, UINT64_MAX, &head->session_id);
        if (view_split(&line, ' ', &word))
            (void)!view_read_number(word, UINT64_MAX, &head->version);
        return;
    }
}

/* ---- all ---- */

static int read_sections(const struct sdp *sdp, struct description *description,
                         struct description_error *error)
{
    struct description_defaults defaults;
    description_read_defaults(sdp, &defaults);
    for (uint32_t i = 0; i < sdp->media_count; i++) {
        struct description_section *section = &description->sections[i];
        description_read_section(&sdp->media[i], &defaults, section);
        if (section->mid.size > DESCRIPTION_MID_MAX)
            return refuse(error, ERR_LIMIT, i, "its mid is over 16 characters");
        if (section->mid.size > 0 && description_find(description, section->mid))
            return refuse(error, ERR_MALFORMED, i, "its mid is another section's, too");
        description->section_count++;
    }
    return OK;
}

/* Something is usable, and then the way to it is there; or there is nothing to use at all. */
static int check_use(const struct sdp *sdp, struct description *description, struct view mids,
                     struct description_error *error)
{
    struct description_head *head = &description->head;
    for (uint32_t i = 0; i < description->section_count; i++)
        if (is_usable(&description->sections[i]))
            return read_way(sdp, find_tagged(description, head->has_bundle, mids), head, error);
    for (uint32_t i = 0; i < description->section_count; i++) {
        enum description_problem problem = description->sections[i].problem;
        if (problem != DESCRIPTION_NO_PROBLEM && !description->sections[i].is_refused)
            return refuse(error, ERR_UNSUPPORTED, i, description_problem_text(problem));
    }
    return OK; /* all are refused, or there are none */
}

int description_read(struct view text, struct sdp *sdp, struct description *description,
                     struct description_error *error)
{
    struct view mids = { NULL, 0 };
    struct view value;
    uint32_t line = 0;
    memset(&description->head, 0, sizeof description->head);
    description->section_count = 0;
    int status = sdp_read(text, sdp, &line);
    if (status != OK) {
        *error = (struct description_error){ .line = line, .section = DESCRIPTION_WHOLE };
        error->what = status == ERR_LIMIT ? "it is too long" : "no line of a description";
        return status;
    }
    status = read_sections(sdp, description, error);
    if (status != OK)
        return status;
    struct description_head *head = &description->head;
    read_origin(sdp->lines, head);
    head->has_bundle = find_bundle(sdp, &mids);
    head->is_lite = sdp_find(sdp->lines, VIEW("ice-lite"), &value);
    head->allows_mixed = sdp_find(sdp->lines, VIEW("extmap-allow-mixed"), &value);
    mark_bundle(description, head->has_bundle, mids);
    return check_use(sdp, description, mids, error);
}
