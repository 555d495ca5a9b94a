/* description.h - what a session description says of one peer connection (RFC 8829), in the words
 * of this house: one way for the whole bundle, and sections with formats, extensions, streams.
 *
 * Pure functions over caller memory: no socket, clock, heap or global.  Views are borrowed from the
 * text that was read.  Unified Plan alone: a section has one track.
 */
#ifndef MOIM_MEDIA_DESCRIPTION_H
#define MOIM_MEDIA_DESCRIPTION_H

#include "media/parameters.h"
#include "wire/rtp_extensions.h"
#include "wire/sdp.h"

#define DESCRIPTION_FINGERPRINT_SIZE 32 /* SHA-256 */
#define DESCRIPTION_MID_MAX          16
#define DESCRIPTION_FORMATS_MAX      24 /* of a section; what is over is passed over */
#define DESCRIPTION_SSRCS_MAX        8
#define DESCRIPTION_RIDS_MAX         4
#define DESCRIPTION_UFRAG_MIN        4 /* RFC 8839, section 5.4 */
#define DESCRIPTION_PWD_MIN          22
#define DESCRIPTION_ICE_MAX          256
#define DESCRIPTION_SCTP_PORT        5000
#define DESCRIPTION_MESSAGE_MAX      65536 /* where nothing is said (RFC 8841, section 6.1) */

/* name, as in m=, is it for data channels */
#define DESCRIPTION_PROTOCOL_TABLE(X)                                                              \
    X(UDP_SAVPF, "UDP/TLS/RTP/SAVPF", false)                                                       \
    X(TCP_SAVPF, "TCP/DTLS/RTP/SAVPF", false)                                                      \
    X(SAVPF, "RTP/SAVPF", false)                                                                   \
    X(UDP_SAVP, "UDP/TLS/RTP/SAVP", false)                                                         \
    X(SAVP, "RTP/SAVP", false)                                                                     \
    X(UDP_SCTP, "UDP/DTLS/SCTP", true)                                                             \
    X(TCP_SCTP, "TCP/DTLS/SCTP", true)                                                             \
    X(SCTP, "DTLS/SCTP", true) /* of old: the port is the format */

enum description_protocol {
#define DESCRIPTION_ENUM(name, text, data) DESCRIPTION_##name,
    DESCRIPTION_PROTOCOL_TABLE(DESCRIPTION_ENUM)
#undef DESCRIPTION_ENUM
        DESCRIPTION_PROTOCOLS
};

/* Why a section can't be used, in words for the one who wrote it. */
#define DESCRIPTION_PROBLEM_TABLE(X)                                                               \
    X(NO_PROBLEM, "")                                                                              \
    X(NO_KIND, "its kind is not known")                                                            \
    X(NO_DTLS, "its protocol is not RTP or SCTP over DTLS")                                        \
    X(NO_RTCP_MUX, "it has no a=rtcp-mux")                                                         \
    X(NO_BUNDLE, "it is not in the a=group:BUNDLE")                                                \
    X(NO_FORMAT, "it has no format that is known")

enum description_problem {
#define DESCRIPTION_ENUM(name, text) DESCRIPTION_##name,
    DESCRIPTION_PROBLEM_TABLE(DESCRIPTION_ENUM)
#undef DESCRIPTION_ENUM
        DESCRIPTION_PROBLEMS
};

struct description_ssrc {
    uint32_t ssrc;
    uint32_t rtx; /* 0: it has none */
};

struct description_rid {
    struct view id;
    bool is_paused;
};

struct description_section {
    uint8_t kind;         /* enum sdp_kind */
    uint8_t protocol;     /* enum description_protocol */
    uint8_t direction;    /* enum sdp_direction: as its writer sees it */
    uint8_t problem;      /* enum description_problem: it is to be refused */
    bool is_refused;      /* port 0, and not for the bundle's sake */
    bool is_reduced_size; /* RTCP (RFC 5506) */
    uint8_t format_count;
    uint8_t ssrc_count;
    uint8_t rid_count;
    struct view mid; /* empty: it has none */
    struct view stream;
    struct view track;
    struct view cname;
    struct media_format formats[DESCRIPTION_FORMATS_MAX]; /* in its order */
    uint8_t extensions[RTP_EXTENSION_KINDS];              /* their ids; 0: not there */
    struct description_ssrc ssrcs[DESCRIPTION_SSRCS_MAX];
    struct description_rid rids[DESCRIPTION_RIDS_MAX];
    uint8_t rid_direction; /* SDP_SENDONLY: it would send them; SDP_RECVONLY */
    uint16_t sctp_port;
    uint32_t message_size_max; /* 0: there is no end to it */
};

/* What is common to all. */
struct description_head {
    uint64_t session_id;
    uint64_t version;
    struct view ufrag;
    struct view pwd;
    uint8_t fingerprint[DESCRIPTION_FINGERPRINT_SIZE];
    uint8_t setup; /* enum sdp_setup */
    bool is_lite;
    bool is_trickle;
    bool allows_mixed; /* one-byte and two-byte extensions (RFC 8285, section 6) */
    bool has_bundle;
};

struct description {
    struct description_head head;
    uint32_t section_count;
    struct description_section sections[SDP_MEDIA_MAX];
};

/* Where a description goes wrong. */
struct description_error {
    const char *what; /* static */
    uint32_t line;    /* from 1; 0: it is not about a line */
    uint32_t section; /* from 0; DESCRIPTION_WHOLE: it is not about one */
};
#define DESCRIPTION_WHOLE UINT32_MAX

/* Reads a description in O(size).  `sdp` is scratch, which the description does not need any more
 * afterwards; the text must stay.
 *   OK               sections may still have a problem: such are to be refused.
 *   ERR_MALFORMED, ERR_LIMIT
 *   ERR_UNSUPPORTED  nothing in it can be used.
 * On error *error says why; *description is of no use. */
MUST_USE int description_read(struct view text, struct sdp *sdp, struct description *description,
                              struct description_error *error);

const char *description_problem_text(enum description_problem problem);

/* The section of that mid; NULL: there is none. */
const struct description_section *description_find(const struct description *description,
                                                   struct view mid);

/* ---- writing ---- */

struct description_candidate {
    struct address address;
    bool is_tcp; /* passive: it waits to be called (RFC 6544) */
};

/* The priority of the candidate at `index` (RFC 8445, section 5.1.2): UDP before TCP. */
uint32_t description_priority(const struct description_candidate *candidate, uint32_t index);

/* The lines before the sections; a bundle's mids are added one by one directly afterwards. */
void description_write_head(struct sdp_writer *writer, const struct description_head *head);
void description_write_mid(struct sdp_writer *writer, struct view mid);

/* A section, with the attributes of the way in each, since some look for them there.  With
 * candidates: it is the bundle's first.  A refused one is its m= line and its mid. */
void description_write_section(struct sdp_writer *writer, const struct description_head *head,
                               const struct description_section *section,
                               const struct description_candidate *candidates, uint32_t count);

#endif
