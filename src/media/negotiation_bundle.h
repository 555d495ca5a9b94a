/* negotiation_bundle.h - payload types and extension ids, which mean the same in each section of a
 * bundle (RFC 8843, section 9.1); for negotiation*.c. */
#ifndef MOIM_MEDIA_NEGOTIATION_BUNDLE_H
#define MOIM_MEDIA_NEGOTIATION_BUNDLE_H

#include "media/negotiation.h"

/* What one offer has bound already: who comes later in it doesn't bind it anew. */
struct negotiation_bound {
    uint32_t formats; /* bits by index */
    uint32_t extensions;
};

/* Chooses the section's formats and extensions among theirs by the policy, and binds them to
 * their numbers.  False: no format is left. */
bool negotiation_choose(struct negotiation *negotiation, const struct description_section *theirs,
                        struct negotiation_section *section, struct negotiation_bound *bound);

/* Lets the section have these formats, with numbers that are free where they have none; *bound is
 * what the section's own take up. ERR_LIMIT: there is no place; nothing has changed then but that
 * some have numbers. */
MUST_USE int negotiation_offer_formats(struct negotiation *negotiation,
                                       const struct media_format *formats, uint32_t count,
                                       struct negotiation_section *section);

/* Gives numbers to what a section is to be offered with, where others took them meanwhile. */
void negotiation_number(struct negotiation *negotiation, const struct negotiation_section *section);

/* Keeps of the section what their answer has, too.  False: no format is left. */
bool negotiation_keep(struct negotiation *negotiation, const struct description_section *theirs,
                      struct negotiation_section *section);

#endif
