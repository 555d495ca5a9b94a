/* sdp.h - reads session descriptions (RFC 8866) with the attributes that WebRTC uses (RFC 8829).
 *
 * Pure functions over caller memory: no socket, clock, heap or global.  What was read are views
 * into the text: it must stay.  A description is read in two steps, because it may be long and most
 * of it is never asked for: sdp_read finds its media sections, then attributes are looked for by
 * name in a section (or before all of them), and their values are read by functions of their own.
 *
 * Lines end with CR LF or LF.  What is not known is passed over, as offer and answer want it.
 */
#ifndef MOIM_WIRE_SDP_H
#define MOIM_WIRE_SDP_H

#include "base/address.h"
#include "base/status.h"
#include "base/view.h"

#define SDP_SIZE_MAX  ((size_t)256 * 1024)
#define SDP_MEDIA_MAX 128 /* sections */

enum sdp_kind { SDP_OTHER, SDP_AUDIO, SDP_VIDEO, SDP_APPLICATION };

enum sdp_direction { SDP_INACTIVE = 0, SDP_SENDONLY = 1, SDP_RECVONLY = 2, SDP_SENDRECV = 3 };

enum sdp_setup { SDP_SETUP_NONE, SDP_SETUP_ACTPASS, SDP_SETUP_ACTIVE, SDP_SETUP_PASSIVE };

/* A section: its m= line taken apart, and its other lines. */
struct sdp_media {
    struct view lines;
    struct view protocol; /* UDP/TLS/RTP/SAVPF, UDP/DTLS/SCTP ... */
    struct view formats;  /* as they stand, with spaces between them */
    uint16_t port;        /* 0: refused, or in a bundle that another one stands for */
    uint8_t kind;         /* enum sdp_kind */
};

struct sdp {
    struct view lines; /* before the first section */
    uint32_t media_count;
    struct sdp_media media[SDP_MEDIA_MAX];
};

/* Finds the sections.
 *   OK
 *   ERR_MALFORMED  it does not begin with v=0, a line is not of the form x=..., an m= line is not
 *                  whole, or the text has a NUL; *line is the number of that line, from 1.
 *   ERR_LIMIT      over SDP_SIZE_MAX bytes, or over SDP_MEDIA_MAX sections. */
MUST_USE int sdp_read(struct view text, struct sdp *sdp, uint32_t *line);

/* ---- attributes ---- */

/* Takes lines off the front of *lines up to the next one that is a=NAME or a=NAME:value.  False:
 * there is none any more. */
bool sdp_next(struct view *lines, struct view name, struct view *value);
/* The first of that name. */
bool sdp_find(struct view lines, struct view name, struct view *value);
/* The first in the section, or else before all of them. */
bool sdp_find_either(const struct sdp *sdp, const struct sdp_media *media, struct view name,
                     struct view *value);

/* Of a section; sendrecv where it says nothing (RFC 8866, section 6.7). */
enum sdp_direction sdp_direction_of(const struct sdp *sdp, const struct sdp_media *media);
/* As the other end sees it: sendonly becomes recvonly. */
enum sdp_direction sdp_direction_turned(enum sdp_direction direction);
const char *sdp_direction_name(enum sdp_direction direction);

/* ---- values ----
 *
 * Each takes the value of an attribute apart.  ERR_MALFORMED: pass over the attribute (where its
 * section's sense hangs on it, refuse the section); nothing has been written then. */

/* rtpmap:96 VP8/90000, rtpmap:111 opus/48000/2 (RFC 8866, section 6.6) */
struct sdp_rtpmap {
    struct view encoding;
    uint32_t clock_rate;
    uint8_t payload_type;
    uint8_t channels; /* 1 when it does not say */
};
MUST_USE int sdp_read_rtpmap(struct view value, struct sdp_rtpmap *rtpmap);

/* fmtp:96 key=value;key=value.  Also rtcp-fb:96 nack pli, where the payload type may be "*":
 * SDP_ALL_PAYLOADS. */
#define SDP_ALL_PAYLOADS 255
struct sdp_format {
    struct view parameters;
    uint8_t payload_type;
};
MUST_USE int sdp_read_fmtp(struct view value, struct sdp_format *format);
MUST_USE int sdp_read_rtcp_fb(struct view value, struct sdp_format *format);
/* The value of a key among parameters; keys in any case.  False: it is not among them. */
bool sdp_parameter(struct view parameters, struct view key, struct view *value);

/* extmap:3/sendonly URI attributes (RFC 8285, section 5) */
struct sdp_extmap {
    struct view uri;
    uint16_t id;       /* 1 to 4095 + 255 */
    uint8_t direction; /* enum sdp_direction */
};
MUST_USE int sdp_read_extmap(struct view value, struct sdp_extmap *extmap);

/* ssrc:1234 cname:abc (RFC 5576); `attribute` is what stands behind the number. */
struct sdp_ssrc {
    uint32_t ssrc;
    struct view attribute; /* cname, msid ... */
    struct view value;
};
MUST_USE int sdp_read_ssrc(struct view value, struct sdp_ssrc *ssrc);

/* ssrc-group:FID 1 2.  The numbers are taken off by sdp_next_ssrc. */
MUST_USE int sdp_read_ssrc_group(struct view value, struct view *semantics, struct view *numbers);
bool sdp_next_ssrc(struct view *numbers, uint32_t *ssrc);

/* rid:hi send pt=96;max-width=1280 (RFC 8851) */
struct sdp_rid {
    struct view id;
    struct view restrictions;
    uint8_t direction; /* SDP_SENDONLY: "send", SDP_RECVONLY: "recv" */
};
MUST_USE int sdp_read_rid(struct view value, struct sdp_rid *rid);

/* simulcast:send hi;~mid;lo,lo2 recv x (RFC 8853): the list of one direction, empty when it has
 * none.  sdp_next_rid takes rids off it, one of each group of alternatives; *paused: it had a
 * '~'. */
MUST_USE int sdp_read_simulcast(struct view value, enum sdp_direction direction, struct view *rids);
bool sdp_next_rid(struct view *rids, struct view *rid, bool *paused);

/* fingerprint:sha-256 AB:CD:... (RFC 8122), of `size` bytes.  ERR_UNSUPPORTED: another hash. */
MUST_USE int sdp_read_fingerprint(struct view value, struct view hash, uint8_t *out, size_t size);

enum sdp_setup sdp_read_setup(struct view value);

/* candidate:... (RFC 8839, section 5.1), also as a browser gives it, with "candidate:" before it.
 * ERR_UNSUPPORTED: it has a name in the place of an address (mDNS), or another protocol. */
struct sdp_candidate {
    struct address address;
    struct view type; /* host, srflx ... */
    uint32_t priority;
    uint16_t component;
    bool is_tcp;
};
MUST_USE int sdp_read_candidate(struct view value, struct sdp_candidate *candidate);

/* msid:STREAM TRACK (RFC 8830); the track may be missing. */
MUST_USE int sdp_read_msid(struct view value, struct view *stream, struct view *track);

/* A word of letters, digits and the other characters of a token (RFC 8866, section 9): a mid, a
 * rid, an identifier. */
bool sdp_is_token(struct view text);

/* ---- writing ---- */

/* Text that grows in the caller's memory.  What does not fit sets `overflow`. */
struct sdp_writer {
    char *at;
    size_t size;
    size_t capacity;
    bool overflow;
};

/* A line by printf, without its end, which is added. */
__attribute__((format(printf, 2, 3))) void sdp_line(struct sdp_writer *writer, const char *format,
                                                    ...);
/* More for the line before. */
__attribute__((format(printf, 2, 3))) void sdp_more(struct sdp_writer *writer, const char *format,
                                                    ...);

#endif
