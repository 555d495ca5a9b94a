/* uplink.h - what a browser that publishes does about its own line: an estimate of it (media/bwe.h,
 * from the server's feedback), the encodings that it sends within that, and probes.
 *
 * Encodings are allowed for as libwebrtc does with a simulcast: the lowest first, each up to its
 * rate, one only from its least rate on, and one that was off only from a fifth more on.  What is
 * sent again is taken off before, up to a half.
 */
#ifndef MOIM_SIM_QUALITY_UPLINK_H
#define MOIM_SIM_QUALITY_UPLINK_H

#include "media/bwe.h"
#include "quality/model.h"

struct uplink {
    struct bwe bwe;
    uint32_t rates[MODEL_ENCODINGS]; /* bits/s of payload; 0: it is off */
    bool is_wanted[MODEL_ENCODINGS]; /* by the server */
    double rtx_bps;                  /* what was sent again, of late */
    struct bwe_probe probe;
    bool is_probing;
    usec probe_at;       /* when it began */
    uint32_t probe_sent; /* bytes, media that was sent meanwhile included */
    uint32_t probe_packets;
};

void uplink_init(struct uplink *uplink, usec now);
/* A packet goes out, of `size` bytes as SRTP; gives its transport-wide number. */
uint16_t uplink_sent(struct uplink *uplink, usec now, size_t size);
/* And it was one that is sent again, not for a probe. */
void uplink_repeated(struct uplink *uplink, size_t size);
void uplink_feedback(struct uplink *uplink, usec now, const struct rtcp_feedback *feedback);
/* Each step: what is allowed now, and what a probe wants. */
void uplink_turn(struct uplink *uplink, usec now);
/* Whether the probe wants another packet now. */
bool uplink_wants_padding(const struct uplink *uplink, usec now);

#endif
