/* negotiation.h - offers and answers of one peer connection (RFC 8829, RFC 3264), at the server's
 * end: what each section has come to.
 *
 * Sans-IO, and it has no transport: what the other end says of its way is handed on, and ours is
 * handed in when something is written.  No memory of its own: the caller gives the sections.
 *
 * A negotiation is stable, or waits for the answer to our offer, or for the caller to write the
 * answer to theirs.  Sections keep their place and their mid; one that was stopped may be used
 * again, with another mid.  Those that are wanted but in no offer yet stand behind the others, and
 * move when an offer is written or taken: keep no pointers to sections over those calls; find them
 * by owner or mid.
 */
#ifndef MOIM_MEDIA_NEGOTIATION_H
#define MOIM_MEDIA_NEGOTIATION_H

#include "media/description.h"

#define NEGOTIATION_FORMATS_MAX         32 /* in the bundle, each with one payload type */
#define NEGOTIATION_SECTION_FORMATS_MAX 8
#define NEGOTIATION_END                 255
#define NEGOTIATION_RIDS_SIZE           48 /* the names of a simulcast, with ';' between them */

/* ---- what is wanted ---- */

/* What the server does, whoever asks; borrowed, and shared by many.  Indices: 0 audio, 1 video. */
struct negotiation_policy {
    /* By preference; MEDIA_VARIANT_ANY: each variant, before the others the one that all have. */
    const struct media_format *formats;
    uint32_t format_count;
    uint32_t extensions[2]; /* bits by enum rtp_extension_kind */
    uint8_t feedback[2];    /* enum media_feedback */
    uint8_t receive_max[2]; /* sections that may be received at once */
    bool has_rtx;
    bool has_simulcast;
    bool has_data;
    uint32_t message_size_max; /* of data channels, that we take */
};

/* What is said of a track that is sent; borrowed while it is.  No two sections may have the same
 * stream and track: Chromium refuses such a description. */
struct negotiation_track {
    struct view stream;
    struct view track;
    struct view cname;
};

struct negotiation_sending {
    const struct negotiation_track *track;
    uint32_t ssrc;
    uint32_t rtx_ssrc; /* 0: it has none */
};

/* ---- sections ---- */

enum negotiation_section_state {
    NEGOTIATION_WANTED,  /* in no description yet */
    NEGOTIATION_OFFERED, /* in our offer for the first time */
    NEGOTIATION_AGREED,
    NEGOTIATION_STOPPED /* refused or ended: its place may be used again */
};

struct negotiation_section {
    void *owner; /* the caller's; of a stopped one, until its place is used again */
    struct negotiation_sending sending;
    uint32_t extensions; /* bits by enum rtp_extension_kind; their ids are the bundle's */
    uint32_t message_size_max;
    uint16_t sctp_port; /* theirs */
    uint8_t kind;       /* enum sdp_kind */
    uint8_t protocol;   /* enum description_protocol */
    uint8_t state;      /* enum negotiation_section_state */
    uint8_t direction;  /* enum sdp_direction: what holds, as we see it */
    bool may_receive;   /* by us */
    bool is_stopping;
    bool is_changed; /* our end is, since the last description */
    bool is_reduced_size;
    uint8_t offered; /* the direction in our offer; NEGOTIATION_END */
    uint8_t format_count;
    uint8_t formats[NEGOTIATION_SECTION_FORMATS_MAX]; /* of the bundle's, the best one first */
    uint8_t mid_size;
    uint8_t rids_size;
    char mid[DESCRIPTION_MID_MAX];
    char rids[NEGOTIATION_RIDS_SIZE]; /* that we receive: "h;m;l" */
};

enum negotiation_state {
    NEGOTIATION_STABLE,
    NEGOTIATION_LOCAL_OFFER, /* waits for their answer */
    NEGOTIATION_REMOTE_OFFER /* waits for negotiation_write_answer */
};

/* Its members are read by anybody, and written by negotiation*.c. */
struct negotiation {
    const struct negotiation_policy *policy;
    struct negotiation_section *sections;
    uint32_t capacity;
    uint32_t count;
    uint32_t described; /* of these, so many are in descriptions; the others are wanted */
    uint32_t agreed;    /* `described` before our offer */
    uint32_t recycled;  /* how many places our offer uses again */
    uint32_t next_mid;
    uint64_t session_id;
    uint64_t version;
    uint64_t remote_ice; /* a hash of their ufrag and pwd */
    uint8_t fingerprint[DESCRIPTION_FINGERPRINT_SIZE];
    uint8_t state; /* enum negotiation_state */
    uint8_t setup; /* ours: SDP_SETUP_PASSIVE, SDP_SETUP_ACTIVE, or not known yet */
    bool is_polite;
    bool is_restarting;
    bool has_remote;
    bool has_bundle; /* theirs has, so that ours may */
    bool is_trickle;
    bool allows_mixed;
    uint32_t format_count;
    struct media_format formats[NEGOTIATION_FORMATS_MAX];
    uint8_t extensions[RTP_EXTENSION_KINDS]; /* ids; 0: none yet */
};

/* `session_id`: of chance, below 2^63.  Polite: our offer gives way to theirs when both come
 * at once. */
void negotiation_init(struct negotiation *negotiation, const struct negotiation_policy *policy,
                      struct negotiation_section *sections, uint32_t capacity, uint64_t session_id,
                      bool is_polite);

/* NULL: there is none. */
struct negotiation_section *negotiation_find_mid(struct negotiation *negotiation, struct view mid);
struct negotiation_section *negotiation_find_owner(struct negotiation *negotiation,
                                                   const void *owner);

/* ---- our end ---- */

/* A new section for what is sent, to be offered: of audio or video, in these formats (codec,
 * variant, level and options count), of which at least one.  It may be received as well, or, with
 * sending->track NULL, only that.
 *   ERR_LIMIT  there is no room for a section (until it is offered, it needs room of its own, even
 *              where a place will be used again), or too many formats. */
MUST_USE int negotiation_add(struct negotiation *negotiation, void *owner, enum sdp_kind kind,
                             const struct negotiation_sending *sending, bool may_receive,
                             const struct media_format *formats, uint32_t count);

/* A section for data channels, to be offered, unless there is one.  ERR_LIMIT, as above. */
MUST_USE int negotiation_add_data(struct negotiation *negotiation);

/* What is sent on a section that is there; its track NULL: nothing.  Between an offer of theirs and
 * our answer it is part of the answer; else it wants an offer. */
void negotiation_send(struct negotiation *negotiation, struct negotiation_section *section,
                      const struct negotiation_sending *sending);

/* Ends a section with the next description. */
void negotiation_stop(struct negotiation *negotiation, struct negotiation_section *section);

/* ICE begins anew with the next offer, which is to be written with new credentials: make them then,
 * for an answer to an offer that comes before it is to bear the old ones. */
void negotiation_restart(struct negotiation *negotiation);

/* Whether it is stable, and something waits to be offered. */
bool negotiation_needs_offer(const struct negotiation *negotiation);

/* ---- descriptions in ---- */

/* What their description says of their way. */
struct negotiation_remote {
    uint8_t fingerprint[DESCRIPTION_FINGERPRINT_SIZE];
    bool is_first;   /* the first description of theirs */
    bool is_restart; /* their ICE credentials changed: answer an offer with new ones of ours */
    bool is_active;  /* we are the DTLS client */
};

/* Their offer.  Sections that can't be are refused in the answer, which is to be written next.
 *   ERR_AGAIN        ours is on its way, and we are not polite: theirs is to be passed over.
 *   ERR_MALFORMED    a section that there was is not there, or is another one.
 *   ERR_LIMIT        more sections than there may be.
 *   ERR_UNSUPPORTED  it is of another certificate than before.
 * On error nothing has changed, and *error says why. */
MUST_USE int negotiation_take_offer(struct negotiation *negotiation,
                                    const struct description *offer,
                                    struct negotiation_remote *remote,
                                    struct description_error *error);

/* The answer to our offer.  ERR_OLD: none is awaited; pass it over.  Others as above: what is
 * to be done then is negotiation_rollback, or to close. */
MUST_USE int negotiation_take_answer(struct negotiation *negotiation,
                                     const struct description *answer,
                                     struct negotiation_remote *remote,
                                     struct description_error *error);

/* Our offer is no more (it was refused, or went astray); what it was for is still wanted. */
void negotiation_rollback(struct negotiation *negotiation);

/* ---- descriptions out ---- */

/* Our end of the way. */
struct negotiation_local {
    struct view ufrag;
    struct view pwd;
    uint8_t fingerprint[DESCRIPTION_FINGERPRINT_SIZE];
    const struct description_candidate *candidates;
    uint32_t candidate_count;
};

/* Writes the answer to their offer: it is stable then.  ERR_LIMIT: there is no room for the text;
 * nothing has changed.  The state must be NEGOTIATION_REMOTE_OFFER. */
MUST_USE int negotiation_write_answer(struct negotiation *negotiation,
                                      const struct negotiation_local *local,
                                      struct sdp_writer *writer);

/* Writes an offer of all that is wanted.  As above; the state must be NEGOTIATION_STABLE. */
MUST_USE int negotiation_write_offer(struct negotiation *negotiation,
                                     const struct negotiation_local *local,
                                     struct sdp_writer *writer);

#endif
