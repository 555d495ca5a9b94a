/* rtp_extensions.h - what the values of RTP's header extensions say.
 *
 * Pure functions over caller memory.  A value is what rtp_extension_value gives; readers are total,
 * and leave what they would fill untouched when a value is not one.  Bytes behind the ones that are
 * known are ignored, so that a later edition may add some.
 *
 * The dependency descriptor is a world of its own: dependency_descriptor.h.
 */
#ifndef MOIM_WIRE_RTP_EXTENSIONS_H
#define MOIM_WIRE_RTP_EXTENSIONS_H

#include "base/status.h"
#include "base/usec.h"
#include "base/view.h"

/* name, URI as in a=extmap */
#define RTP_EXTENSION_TABLE(X)                                                                     \
    X(MID, "urn:ietf:params:rtp-hdrext:sdes:mid")                                                  \
    X(RID, "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id")                                        \
    X(REPAIRED_RID, "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id")                      \
    X(ABS_SEND_TIME, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time")                 \
    X(TRANSPORT_CC, "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01")   \
    X(TRANSPORT_CC_02, "http://www.webrtc.org/experiments/rtp-hdrext/transport-wide-cc-02")        \
    X(AUDIO_LEVEL, "urn:ietf:params:rtp-hdrext:ssrc-audio-level")                                  \
    X(CSRC_AUDIO_LEVEL, "urn:ietf:params:rtp-hdrext:csrc-audio-level")                             \
    X(ABS_CAPTURE_TIME, "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time")           \
    X(DEPENDENCY_DESCRIPTOR,                                                                       \
      "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension")   \
    X(VIDEO_ORIENTATION, "urn:3gpp:video-orientation")                                             \
    X(PLAYOUT_DELAY, "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay")                 \
    X(VIDEO_LAYERS_ALLOCATION,                                                                     \
      "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00")                    \
    X(TRANSMISSION_OFFSET, "urn:ietf:params:rtp-hdrext:toffset")                                   \
    X(VIDEO_CONTENT_TYPE, "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type")       \
    X(VIDEO_TIMING, "http://www.webrtc.org/experiments/rtp-hdrext/video-timing")                   \
    X(COLOR_SPACE, "http://www.webrtc.org/experiments/rtp-hdrext/color-space")

enum rtp_extension_kind {
#define RTP_EXTENSION_ENUM(name, uri) RTP_EXTENSION_##name,
    RTP_EXTENSION_TABLE(RTP_EXTENSION_ENUM)
#undef RTP_EXTENSION_ENUM
        RTP_EXTENSION_KINDS
};

/* The kind of that URI; RTP_EXTENSION_KINDS when it is not known. */
enum rtp_extension_kind rtp_extension_kind_of(struct view uri);
/* The URI of a kind below RTP_EXTENSION_KINDS. */
struct view rtp_extension_uri(enum rtp_extension_kind kind);

/* ---- mid, rid, repaired-rid (RFC 8843, section 15; RFC 8852) ---- */

#define RTP_RID_MAX 16

/* Text that names a stream: 1 to RTP_RID_MAX letters, digits, '-' and '_' (RFC 8851, section 10, as
 * corrected); a mid may have any mark that is seen.  ERR_MALFORMED. */
MUST_USE int rtp_read_rid(struct view value, struct view *rid);
MUST_USE int rtp_read_mid(struct view value, struct view *mid);

/* ---- abs-send-time: seconds as 6.18 bits, wrapping every 64 s ---- */

/* ERR_MALFORMED. */
MUST_USE int rtp_read_abs_send_time(struct view value, uint32_t *time);
/* The 24 bits for a time of any clock in microseconds, rounded down. */
uint32_t rtp_abs_send_time_of(usec time);
/* How many microseconds from b to a, both 24 bits: within 32 s either way. */
int64_t rtp_abs_send_time_distance(uint32_t a, uint32_t b);

/* ---- transport-wide congestion control ---- */

struct rtp_transport_cc {
    uint16_t sequence_number;
    /* of the 02 variant: how many packets up to this one a feedback is asked for; 0: none is */
    uint16_t request_count;
    bool request_timing; /* with arrival times */
};

/* Both variants.  ERR_MALFORMED. */
MUST_USE int rtp_read_transport_cc(struct view value, struct rtp_transport_cc *cc);

/* ---- audio level (RFC 6464, RFC 6465) ---- */

struct rtp_audio_level {
    bool voice;    /* the sender thinks that it is speech */
    uint8_t level; /* 0 (loudest) to 127 (silence), in -dBov */
};

/* ERR_MALFORMED. */
MUST_USE int rtp_read_audio_level(struct view value, struct rtp_audio_level *level);

/* ---- absolute capture time ---- */

struct rtp_capture_time {
    uint64_t ntp; /* UQ32.32 by the capturer's clock */
    bool has_offset;
    int64_t offset; /* Q32.32: the capturer's clock less the sender's */
};

/* ERR_MALFORMED. */
MUST_USE int rtp_read_capture_time(struct view value, struct rtp_capture_time *time);

/* ---- video orientation (3GPP TS 26.114, section 7.4.5) ---- */

struct rtp_orientation {
    bool back_camera;
    bool flipped;      /* from left to right, before it is rotated */
    uint16_t rotation; /* 0, 90, 180, 270 degrees, clockwise, to see it upright */
};

/* ERR_MALFORMED. */
MUST_USE int rtp_read_orientation(struct view value, struct rtp_orientation *orientation);

/* ---- playout delay ---- */

struct rtp_playout_delay {
    uint16_t min_ms; /* 0 to 40,950, in steps of 10 */
    uint16_t max_ms;
};

#define RTP_PLAYOUT_DELAY_SIZE 3

/* ERR_MALFORMED; so is a minimum over the maximum. */
MUST_USE int rtp_read_playout_delay(struct view value, struct rtp_playout_delay *delay);
/* Rounded down to steps of 10 ms; min_ms <= max_ms <= 40,950. */
void rtp_write_playout_delay(uint8_t out[RTP_PLAYOUT_DELAY_SIZE], struct rtp_playout_delay delay);

/* ---- video layers allocation ---- */

#define RTP_ALLOCATION_STREAMS_MAX  4
#define RTP_ALLOCATION_SPATIAL_MAX  4
#define RTP_ALLOCATION_TEMPORAL_MAX 4
#define RTP_ALLOCATION_LAYERS_MAX   (RTP_ALLOCATION_STREAMS_MAX * RTP_ALLOCATION_SPATIAL_MAX)

struct rtp_allocation_layer {
    uint8_t stream; /* of the simulcast, in the order of the offer */
    uint8_t spatial_id;
    uint8_t temporal_count; /* 1 to 4 */
    uint8_t fps_max;        /* with has_resolutions, as are the next two */
    uint32_t width;         /* 1 to 65,536 */
    uint32_t height;
    uint32_t kbps[RTP_ALLOCATION_TEMPORAL_MAX]; /* of this temporal layer and those below it */
};

/* What a sender has decided to send: streams and layers that are not here it does not. */
struct rtp_allocation {
    uint8_t stream;       /* the one that bore this */
    uint8_t stream_count; /* 1 to 4; 0: nothing is sent at all */
    bool has_resolutions;
    uint8_t layer_count;
    struct rtp_allocation_layer layers[RTP_ALLOCATION_LAYERS_MAX]; /* by stream, then spatial id */
};

/* ERR_MALFORMED. */
MUST_USE int rtp_read_allocation(struct view value, struct rtp_allocation *allocation);

#endif
