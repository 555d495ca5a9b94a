/* payload_h26x.h - what an RTP packet of H.264 (RFC 6184) or H.265 (RFC 7798) holds: single NAL
 * units, aggregated ones, fragments.
 *
 * Pure functions over caller memory.  Interleaved modes (STAP-B, MTAP, FU-B; DONL in H.265) are not
 * those of WebRTC: they are ERR_UNSUPPORTED, or (DONL) not told from what they are not.
 */
#ifndef MOIM_WIRE_PAYLOAD_H26X_H
#define MOIM_WIRE_PAYLOAD_H26X_H

#include "base/status.h"
#include "base/view.h"

enum h264_nal {
    H264_SLICE = 1,
    H264_PARTITION_A = 2,
    H264_IDR = 5,
    H264_SEI = 6,
    H264_SPS = 7,
    H264_PPS = 8,
    H264_AUD = 9,
    H264_STAP_A = 24,
    H264_FU_A = 28
};

enum h265_nal {
    H265_TSA_N = 2, /* those without N are one higher */
    H265_STSA_N = 4,
    H265_RSV_VCL_N14 = 14,
    H265_IRAP_FIRST = 16, /* BLA, IDR and CRA */
    H265_IRAP_LAST = 23,
    H265_VPS = 32,
    H265_SPS = 33,
    H265_PPS = 34,
    H265_AUD = 35,
    H265_SEI_PREFIX = 39,
    H265_AP = 48,
    H265_FU = 49,
    H265_PACI = 50
};

/* Of all NAL units that are in the packet, or (fragments) that a part is in it.  A view into the
 * payload. */
struct h26x {
    uint8_t nal_type;    /* of the first one, not that of the packet */
    uint8_t slice_type;  /* that of the first slice, where has_slice */
    bool is_fragment;    /* FU */
    bool starts_nal;     /* it has the beginning of its first NAL unit */
    bool ends_nal;       /* and the end of its last */
    bool starts_frame;   /* the first slice of a picture begins, or what stands before it */
    bool has_key;        /* a slice of IDR (H.264) or IRAP (H.265): the picture is a key frame */
    bool has_parameters; /* an SPS begins */
    bool has_slice;
    bool is_disposable; /* it has slices, to which nothing refers: nal_ref_idc is 0 (H.264); nothing
                            of their own temporal layer (H.265) */
    uint8_t temporal_id; /* of H.265: 0 to 6 */
    uint8_t layer_id;    /* of H.265: 0 to 63 */
    struct view sps;     /* the first that is whole, with its header (picture_size.h); or empty */
};

/* A key frame's first packet is one with `has_parameters`, or with has_key and starts_frame where
 * the parameter sets are sent in the SDP.
 *   ERR_MALFORMED    drop it and count it: cut short, a unit past the end, an aggregate of none.
 *   ERR_UNSUPPORTED  another kind of packet. */
MUST_USE int h264_read(struct view payload, struct h26x *h26x);
MUST_USE int h265_read(struct view payload, struct h26x *h26x);

#endif
