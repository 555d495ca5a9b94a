/* payload.h - what a forwarder wants to know of a packet, whatever its codec.
 *
 * Pure functions over caller memory.  Who needs more asks the codec's own reader: payload_vp8.h,
 * payload_vp9.h, payload_h26x.h, payload_av1.h, payload_audio.h.
 */
#ifndef MOIM_WIRE_PAYLOAD_H
#define MOIM_WIRE_PAYLOAD_H

#include "base/status.h"
#include "base/view.h"

/* name, encoding name as in a=rtpmap, clock rate, is it video */
#define PAYLOAD_CODEC_TABLE(X)                                                                     \
    X(OPUS, "opus", 48000, false)                                                                  \
    X(RED, "red", 48000, false)                                                                    \
    X(PCMU, "PCMU", 8000, false)                                                                   \
    X(PCMA, "PCMA", 8000, false)                                                                   \
    X(G722, "G722", 8000, false)                                                                   \
    X(VP8, "VP8", 90000, true)                                                                     \
    X(VP9, "VP9", 90000, true)                                                                     \
    X(H264, "H264", 90000, true)                                                                   \
    X(H265, "H265", 90000, true)                                                                   \
    X(AV1, "AV1", 90000, true)

enum payload_codec {
#define PAYLOAD_ENUM(name, text, clock, video) PAYLOAD_##name,
    PAYLOAD_CODEC_TABLE(PAYLOAD_ENUM)
#undef PAYLOAD_ENUM
        PAYLOAD_CODECS
};

/* The codec of that name, in letters of either case; PAYLOAD_CODECS when it is not known. */
enum payload_codec payload_codec_of(struct view name);
/* Of a codec below PAYLOAD_CODECS. */
struct view payload_name(enum payload_codec codec);
uint32_t payload_clock(enum payload_codec codec);
bool payload_is_video(enum payload_codec codec);

/* Senders that bear dependency descriptors may leave out of the payload what these say: Chromium's
 * VP8 tells no layers then.  Where the extension was negotiated, ask dependency_descriptor.h. */
struct payload {
    bool starts_frame; /* as far as the packet says so: H.264, H.265 and AV1 may not */
    bool ends_frame;   /* of AV1: the last of all layers' */
    /* A receiver may begin to decode with this packet; false for audio.  Of H.264 and H.265, two
     * packets of one timestamp may say so, parameter sets and the slice: the first counts. */
    bool starts_key;
    /* As far as is known: of H.264 and H.265, a slice with which a key frame begins, if no packet
     * with parameter sets is before it. */
    bool may_be_behind_sets;
    bool has_layers; /* it says to which it belongs: the two below, else 0 */
    uint8_t spatial_id;
    uint8_t temporal_id;
    bool switching_up; /* from here on, a receiver may have this temporal layer, too */
    bool is_silent;    /* DTX */
};

/* Reads the payload (not empty) of a packet of that codec and marker.
 *   ERR_MALFORMED    drop it and count it.
 *   ERR_UNSUPPORTED  a packet of a kind that the codec's reader does not know: *payload says
 *                    nothing of it, and to forward it is still right. */
MUST_USE int payload_read(enum payload_codec codec, struct view bytes, bool marker,
                          struct payload *payload);

#endif
