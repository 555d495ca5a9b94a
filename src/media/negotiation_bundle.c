#include "media/negotiation_bundle.h"

#include <string.h>

#define NO_TYPE      255 /* a format whose payload type another one has now */
#define ID_MAX       255
#define ID_ONE_BYTE  14 /* of a one-byte header (RFC 8285, section 4.2) */
#define DYNAMIC_FROM 96

_Static_assert(NEGOTIATION_FORMATS_MAX <= 32, "bits of negotiation_bound");
_Static_assert(RTP_EXTENSION_KINDS <= 32, "bits of a section's extensions");

static unsigned index_of_kind(uint8_t kind)
{
    return kind == SDP_VIDEO;
}

/* ---- payload types ---- */

static uint32_t find_format(const struct negotiation *negotiation,
                            const struct media_format *format)
{
    uint32_t i = 0;
    while (i < negotiation->format_count && !media_format_same(&negotiation->formats[i], format))
        i++;
    return i;
}

/* Takes a number from whoever has it, but for those that are bound.  False: such a one has it. */
static bool free_type(struct negotiation *negotiation, uint8_t type, uint32_t but, uint32_t bound)
{
    for (uint32_t i = 0; i < negotiation->format_count; i++) {
        const struct media_format *format = &negotiation->formats[i];
        if (i != but && bound >> i & 1 && (format->payload_type == type || format->rtx == type))
            return false;
    }
    for (uint32_t i = 0; i < negotiation->format_count; i++) {
        struct media_format *format = &negotiation->formats[i];
        if (i != but && format->payload_type == type)
            format->payload_type = NO_TYPE;
        if (i != but && format->rtx == type)
            format->rtx = MEDIA_NO_RTX;
    }
    return true;
}

static bool is_type_free(const struct negotiation *negotiation, uint8_t type)
{
    for (uint32_t i = 0; i < negotiation->format_count; i++)
        if (negotiation->formats[i].payload_type == type || negotiation->formats[i].rtx == type)
            return false;
    return true;
}

/* 96 to 127, then 35 to 63: 64 to 95 look like RTCP (RFC 5761, section 4).  32 formats with RTX
 * are 64 numbers, of which some static ones need none; NO_TYPE when all are taken. */
static uint8_t take_type(const struct negotiation *negotiation)
{
    for (uint8_t type = DYNAMIC_FROM; type < 128; type++)
        if (is_type_free(negotiation, type))
            return type;
    for (uint8_t type = 35; type < 64; type++)
        if (is_type_free(negotiation, type))
            return type;
    return NO_TYPE;
}

/* Binds a format of theirs to its number.  NEGOTIATION_FORMATS_MAX: it can't be. */
static uint32_t bind_format(struct negotiation *negotiation, const struct media_format *theirs,
                            uint8_t feedback, struct negotiation_bound *bound)
{
    uint32_t at = find_format(negotiation, theirs);
    struct media_format *format = &negotiation->formats[at];
    if (at == NEGOTIATION_FORMATS_MAX)
        return NEGOTIATION_FORMATS_MAX;
    if (at < negotiation->format_count && bound->formats >> at & 1)
        return format->payload_type == theirs->payload_type ? at : NEGOTIATION_FORMATS_MAX;
    if (!free_type(negotiation, theirs->payload_type, at, bound->formats))
        return NEGOTIATION_FORMATS_MAX;
    uint8_t rtx = negotiation->policy->has_rtx ? theirs->rtx : MEDIA_NO_RTX;
    if (rtx != MEDIA_NO_RTX &&
        (rtx == theirs->payload_type || !free_type(negotiation, rtx, at, bound->formats)))
        rtx = MEDIA_NO_RTX;
    if (at == negotiation->format_count)
        negotiation->format_count++;
    *format = *theirs;
    format->rtx = rtx;
    format->feedback &= feedback;
    bound->formats |= 1u << at;
    return at;
}

/* ---- extensions ---- */

static void free_id(struct negotiation *negotiation, uint8_t id, unsigned but)
{
    for (unsigned i = 0; i < RTP_EXTENSION_KINDS; i++)
        if (i != but && negotiation->extensions[i] == id)
            negotiation->extensions[i] = 0;
}

static bool is_id_bound(const struct negotiation *negotiation, uint8_t id, uint32_t bound)
{
    for (unsigned i = 0; i < RTP_EXTENSION_KINDS; i++)
        if (bound >> i & 1 && negotiation->extensions[i] == id)
            return true;
    return false;
}

static void choose_extensions(struct negotiation *negotiation,
                              const struct description_section *theirs,
                              struct negotiation_section *section, struct negotiation_bound *bound)
{
    uint32_t liked = negotiation->policy->extensions[index_of_kind(theirs->kind)];
    section->extensions = 0;
    for (unsigned i = 0; i < RTP_EXTENSION_KINDS; i++) {
        uint8_t id = theirs->extensions[i];
        if (id == 0 || !(liked >> i & 1))
            continue;
        if (!(bound->extensions >> i & 1)) {
            if (is_id_bound(negotiation, id, bound->extensions))
                continue;
            free_id(negotiation, id, i);
            negotiation->extensions[i] = id;
            bound->extensions |= 1u << i;
        }
        if (negotiation->extensions[i] == id)
            section->extensions |= 1u << i;
    }
}

static void take_id(struct negotiation *negotiation, unsigned kind)
{
    unsigned most = negotiation->allows_mixed ? ID_MAX : ID_ONE_BYTE;
    for (unsigned id = 1; id <= most && negotiation->extensions[kind] == 0; id++) {
        unsigned i = 0;
        while (i < RTP_EXTENSION_KINDS && negotiation->extensions[i] != id)
            i++;
        if (i == RTP_EXTENSION_KINDS && id != 15) /* 15 is none in a one-byte header */
            negotiation->extensions[kind] = (uint8_t)id;
    }
}

/* ---- sections ---- */

static void add_format(struct negotiation_section *section, uint32_t at)
{
    for (unsigned i = 0; i < section->format_count; i++)
        if (section->formats[i] == at)
            return;
    if (section->format_count < NEGOTIATION_SECTION_FORMATS_MAX)
        section->formats[section->format_count++] = (uint8_t)at;
}

/* Adds what they have of a format, in their order. */
static void choose_formats(struct negotiation *negotiation,
                           const struct description_section *theirs,
                           const struct media_format *liked, struct negotiation_section *section,
                           struct negotiation_bound *bound)
{
    uint8_t feedback = negotiation->policy->feedback[index_of_kind(theirs->kind)];
    for (unsigned k = 0; k < theirs->format_count; k++) {
        const struct media_format *format = &theirs->formats[k];
        if (format->codec != liked->codec ||
            section->format_count == NEGOTIATION_SECTION_FORMATS_MAX ||
            (liked->variant != MEDIA_VARIANT_ANY && liked->variant != format->variant))
            continue;
        uint32_t at = bind_format(negotiation, format, feedback, bound);
        if (at != NEGOTIATION_FORMATS_MAX)
            add_format(section, at);
    }
}

/* What stands first in an answer is what they send.  Where any variant is liked that is the plain
 * one, although Chromium has H.264's baseline before it, and Safari its high profile: there are
 * receivers that take no other (Firefox, GStreamer), and nothing is coded anew for them. */
bool negotiation_choose(struct negotiation *negotiation, const struct description_section *theirs,
                        struct negotiation_section *section, struct negotiation_bound *bound)
{
    const struct negotiation_policy *policy = negotiation->policy;
    section->format_count = 0;
    for (uint32_t i = 0; i < policy->format_count; i++) {
        struct media_format plain = media_format_plain(&policy->formats[i]);
        choose_formats(negotiation, theirs, &plain, section, bound);
        if (policy->formats[i].variant == MEDIA_VARIANT_ANY)
            choose_formats(negotiation, theirs, &policy->formats[i], section, bound);
    }
    choose_extensions(negotiation, theirs, section, bound);
    return section->format_count > 0;
}

int negotiation_offer_formats(struct negotiation *negotiation, const struct media_format *formats,
                              uint32_t count, struct negotiation_section *section)
{
    const struct negotiation_policy *policy = negotiation->policy;
    section->format_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = find_format(negotiation, &formats[i]);
        if (at == NEGOTIATION_FORMATS_MAX)
            return ERR_LIMIT;
        if (at == negotiation->format_count) {
            struct media_format *format = &negotiation->formats[negotiation->format_count++];
            *format = formats[i];
            format->payload_type = NO_TYPE;
            format->rtx = MEDIA_NO_RTX;
            format->feedback = policy->feedback[index_of_kind(section->kind)];
        }
        add_format(section, at);
    }
    section->extensions = policy->extensions[index_of_kind(section->kind)];
    return OK;
}

void negotiation_number(struct negotiation *negotiation, const struct negotiation_section *section)
{
    for (unsigned i = 0; i < section->format_count; i++) {
        struct media_format *format = &negotiation->formats[section->formats[i]];
        if (format->payload_type == NO_TYPE)
            format->payload_type = take_type(negotiation);
        if (format->rtx == MEDIA_NO_RTX && negotiation->policy->has_rtx &&
            section->kind == SDP_VIDEO)
            format->rtx = take_type(negotiation);
    }
    for (unsigned i = 0; i < RTP_EXTENSION_KINDS; i++)
        if (section->extensions >> i & 1)
            take_id(negotiation, i);
}

bool negotiation_keep(struct negotiation *negotiation, const struct description_section *theirs,
                      struct negotiation_section *section)
{
    struct negotiation_section kept = *section;
    kept.format_count = 0;
    for (unsigned k = 0; k < theirs->format_count; k++)
        for (unsigned i = 0; i < section->format_count; i++) {
            struct media_format *format = &negotiation->formats[section->formats[i]];
            if (format->payload_type != theirs->formats[k].payload_type ||
                format->codec != theirs->formats[k].codec)
                continue;
            if (theirs->formats[k].rtx == MEDIA_NO_RTX)
                format->rtx = MEDIA_NO_RTX;
            format->feedback &= theirs->formats[k].feedback;
            add_format(&kept, section->formats[i]);
        }
    for (unsigned i = 0; i < RTP_EXTENSION_KINDS; i++)
        if (theirs->extensions[i] == 0 || theirs->extensions[i] != negotiation->extensions[i])
            kept.extensions &= ~(1u << i);
    *section = kept;
    return kept.format_count > 0;
}
