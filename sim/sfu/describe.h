/* describe.h - what guests and the server say of a connection in SDP: as small as it may be, and
 * not by the server's own reader and writer.
 *
 * Section 0 is the guest's microphone, 1 its camera; from then on slots, in turn of audio and of
 * video.  A section's mid is its number.
 */
#ifndef MOIM_SIM_SFU_DESCRIBE_H
#define MOIM_SIM_SFU_DESCRIBE_H

#include "far.h"

#define SECTIONS_MAX       (2 + 2 * FAR_SLOTS_MAX)
#define DESCRIBE_OFFER_MAX 16384

struct offer {
    uint32_t ssrc;     /* of the picture; as far_next_ssrc has it */
    unsigned restarts; /* of ICE: with each one, other credentials */
    unsigned slots;    /* of each kind */
    bool has_camera;
    const uint8_t *fingerprint;
};

/* Text in `at`, which has DESCRIBE_OFFER_MAX bytes; gives its size. */
size_t offer_write(const struct offer *offer, char *at);

struct answer {
    struct far_way way;
    unsigned section_count;
    struct {
        uint32_t ssrc, rtx_ssrc; /* that will come in; 0: none */
    } sections[SECTIONS_MAX];
};

/* False: it is not what such an offer is answered with. */
bool answer_read(struct view text, struct answer *answer);

#endif
