/* description_section.h - reads what one section of a description says; for description_read.c. */
#ifndef MOIM_MEDIA_DESCRIPTION_SECTION_H
#define MOIM_MEDIA_DESCRIPTION_SECTION_H

#include "media/description.h"

/* What the lines before the sections say for all of them, read once. */
struct description_defaults {
    uint8_t direction; /* enum sdp_direction */
    uint8_t extensions[RTP_EXTENSION_KINDS];
};

void description_read_defaults(const struct sdp *sdp, struct description_defaults *defaults);

/* Total: what can't be used is said in `problem`; lines that are not understood are passed over.
 * All is set but what a bundle decides. */
void description_read_section(const struct sdp_media *media,
                              const struct description_defaults *defaults,
                              struct description_section *section);

#endif
