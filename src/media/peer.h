/* peer.h - a peer connection: one transport, what was negotiated on it, the tracks that come in and
 * those that go out.
 *
 * What is negotiated is said in SDP (peer_take_offer and the like) or piece by piece
 * (peer_connect, peer_receive, peer_send), never both on one peer.  Nothing is said or decided here
 * of who is to get whose tracks: that is the caller's, who points transceivers at tracks.
 *
 * One thread: that of its sfu, whose calls drive it (media/sfu.h).
 */
#ifndef MOIM_MEDIA_PEER_H
#define MOIM_MEDIA_PEER_H

#include "agent/sctp.h"
#include "media/allocation.h"
#include "media/negotiation.h"
#include "media/pacer.h"
#include "media/sender.h"
#include "media/sound.h"
#include "media/track.h"

#define PEER_NAME_MAX       40 /* bytes of a stream's or track's name in descriptions */
#define PEER_SECTIONS_FIRST 4  /* of a description, without memory of their own */
#define PEER_ENCODINGS_MAX  32 /* that come in on one peer */

struct data_circle;
struct peer;
struct sfu;

/* What the other end reports of what it gets. */
struct peer_feedback {
    uint8_t fraction_lost; /* in 256ths */
    uint16_t loss;         /* of the last seconds, in 65,536ths: the fractions, smoothed */
    uint32_t lost;
    uint32_t lost_most; /* that was reported so far */
    uint32_t jitter;    /* in units of the timestamp */
    uint32_t highest;   /* sequence number that came, with its turns; 0: it has not said */
    uint64_t nacks;     /* packets that it asked for again */
    uint64_t key_requests;
    uint32_t last_sr; /* the middle of the last sender report's NTP time; 0: none was sent */
    usec last_sr_at;
    uint8_t last_fir;
    bool has_fir;
};

#define TRANSCEIVER_PINNED 2 /* the priority of what is shown, whoever speaks */

/* What is wanted of what goes out on a transceiver. */
struct transceiver_wish {
    uint16_t width;  /* of the window that shows it, in pixels of the screen; 0: it is hidden ... */
    uint16_t height; /* ... ALLOCATION_ANY_SIZE: not known */
    uint8_t priority; /* higher ones first */
    bool is_left_out; /* by the rules of the room, as long as it isn't pinned */
};

static inline bool transceiver_is_left_out(const struct transceiver_wish *wish)
{
    return wish->is_left_out && wish->priority < TRANSCEIVER_PINNED;
}

/* What of its line it gets. */
struct transceiver_share {
    uint8_t reason;     /* enum allocation_reason: why it is not as good as it could be */
    bool is_held_back;  /* nothing goes out, for that reason */
    struct layer layer; /* that is meant to go out, when it is known (bps is not 0) */
    struct allocation_held held;
    bool is_unheard; /* sound: others are louder, and the line does not take all */
};

/* One section: what comes in on it, and what goes out.  Its members are read by anybody, and
 * written by peer*.c. */
struct transceiver {
    void *owner; /* the caller's */
    struct peer *peer;
    struct list of_peer;
    struct media_terms terms; /* as of the last answer */
    bool is_video;
    bool is_agreed; /* it stands in an answer, and was not refused */
    bool may_send;  /* the other end takes what we send */
    /* in */
    struct track *receiving; /* NULL: nothing comes in on it */
    /* out */
    bool is_announced; /* the other end knows our SSRC, or will */
    bool is_paused;
    struct sender sender;
    struct track *subscription; /* whose track goes out; NULL: none */
    struct subscriber subscriber;
    struct layer_target target; /* which of its layers */
    bool is_layer_fixed;        /* by transceiver_set_layers */
    struct transceiver_wish wish;
    struct transceiver_share share;
    struct negotiation_track said;
    uint8_t name_sizes[2];
    char names[2][PEER_NAME_MAX]; /* of the stream, and of the track */
    struct peer_feedback feedback;
};

/* When the other end said what time it is there, to have it told back. */
struct peer_reference {
    uint32_t ssrc;
    uint32_t middle; /* of its NTP time; 0: it has not, or was told */
    usec at;
};

enum peer_state { PEER_NEW, PEER_CONNECTED, PEER_ENDED };

/* Its members are read by anybody, and written by peer*.c and sfu.c. */
struct peer {
    void *owner;
    struct sfu *sfu;
    struct rtc_transport *transport;
    uint8_t state;   /* enum peer_state */
    uint8_t end;     /* enum rtc_end */
    bool is_counted; /* among those that are connected, by UDP or ... */
    bool is_tcp;
    struct negotiation negotiation;
    struct negotiation_section sections[PEER_SECTIONS_FIRST];
    struct negotiation_section *more_sections; /* instead of these; NULL: they are enough */
    struct list of_sfu;
    struct list news;         /* its state changed */
    struct list touched;      /* something may have to be told to its other end */
    struct list transceivers; /* in the order in which they came */
    uint32_t transceiver_count;
    struct list shared; /* what it gets of its line has changed */
    struct list wanted; /* other encodings of a track of its own are wanted */
    struct timer timer;
    struct timer calm;            /* of what may wait a little: sfu->calm's */
    uint64_t line_bps;            /* what its line takes; 0: not known, and not limited */
    struct allocation allocation; /* of its line */
    bool may_join;                /* packets of sound, where the line is narrow */
    struct sound sound;           /* in which form it goes */
    struct pacer pacer;           /* of pictures, and of probes */
    uint64_t left_out;            /* how often pictures were, since the line did not take them */
    usec allocated_at;
    usec allocate_at;
    struct arrivals *arrivals; /* NULL: no packet has borne a transport-wide number */
    struct remb *remb;         /* NULL: it has sent nothing that is to be told of by REMB */
    struct bwe *bwe;           /* NULL: nothing was ever sent to it */
    usec since;                /* when it was opened, then when it connected */
    uint32_t ssrc;             /* ours, in reports */
    bool has_new_ice;          /* for a restart that is still to be offered */
    uint8_t encoding_count;
    struct encoding *encodings[PEER_ENCODINGS_MAX]; /* that come in */
    struct sctp_association *data;                  /* NULL: none, yet */
    struct data_circle *circle;                     /* NULL: in none */
    struct list of_circle;
    bool is_heard; /* what it says there goes to the others */
    usec report_at;
    struct peer_reference reference;
    usec round_trip;           /* as reports tell it; 0: not known */
    usec round_trips_least[2]; /* in this minute, and in the one before; 0: none was told */
    usec round_trips_since;
    uint64_t remb_bps; /* what it thinks that its line takes; 0: it has not said */
};

struct peer_config {
    void *owner;
    const struct negotiation_policy *policy; /* borrowed for the peer's time */
    bool is_polite;                          /* our offers give way to theirs */
    /* Where the line is narrow, sound goes in fewer and longer packets, and its publishers are told
     * that less is enough.  Not for members who may encrypt what is in packets from end to end. */
    bool may_join;
};

/* ERR_LIMIT: as many as may be are open.  ERR_MEMORY. */
MUST_USE int peer_open(struct sfu *sfu, usec now, const struct peer_config *config,
                       struct peer **out);
/* Its tracks end, its transport says goodbye; pointers to it and its transceivers are not valid
 * any more.  Subscribers of its tracks stay, at no track. */
void peer_close(struct peer *peer, usec now);

/* ---- in SDP ---- */

/* Their offer.  Afterwards there is a transceiver for each section of audio or video that can be,
 * and tracks for those that will be received.  Say what is sent (transceiver_announce, ..._refuse),
 * then write the answer: until then no other description is taken.  Errors: description_read's,
 * negotiation_take_offer's, ERR_MEMORY; nothing has changed then.  Like every description that is
 * taken or written, it ends transceivers and tracks that are no more: keep no pointers to them over
 * it, but find them again. */
MUST_USE int peer_take_offer(struct peer *peer, usec now, struct view sdp,
                             struct description_error *error);
/* Writes the answer; what it agrees on is in force.  ERR_LIMIT: there is no room for the text. */
MUST_USE int peer_write_answer(struct peer *peer, usec now, struct span out, size_t *size);

/* A new section with the next offer of ours, on which something will be sent, as
 * transceiver_announce has it; or, without names, only received. */
struct peer_adding {
    bool is_video;
    bool may_receive;
    const struct track *track; /* the formats are this one's; NULL: all of the policy's */
    struct view stream_name;
    struct view track_name;
};
/* ERR_LIMIT, ERR_MEMORY. */
MUST_USE int peer_add(struct peer *peer, usec now, const struct peer_adding *adding,
                      struct transceiver **out);
/* Data channels with the next offer of ours, unless they are agreed on.  As above. */
MUST_USE int peer_add_data(struct peer *peer);
bool peer_has_data(const struct peer *peer);
/* Whether an offer of ours is to be written, now. */
static inline bool peer_needs_offer(const struct peer *peer)
{
    return negotiation_needs_offer(&peer->negotiation);
}
MUST_USE int peer_write_offer(struct peer *peer, usec now, struct span out, size_t *size);
/* As negotiation_take_answer. */
MUST_USE int peer_take_answer(struct peer *peer, usec now, struct view sdp,
                              struct description_error *error);
/* Our offer is no more.  Transceivers that were new in it and have been stopped since are no more,
 * either; so it is when an offer of theirs comes in its place. */
void peer_rollback(struct peer *peer);
/* ICE begins anew with the next offer of ours. */
void peer_restart(struct peer *peer, usec now);

/* ---- piece by piece ---- */

/* What the other end says of its way, once. */
void peer_connect(struct peer *peer, usec now, const struct rtc_remote *remote);

/* What is received as one track: encodings by their SSRCs, or by their rids (with the extensions
 * MID and RID agreed). */
struct peer_receiving {
    bool is_video;
    struct media_terms terms; /* payload types and ids as the publisher uses them */
    uint8_t encoding_count;
    struct {
        uint32_t ssrc; /* 0: by its rid, or whatever comes */
        uint32_t rtx_ssrc;
        struct view rid;
    } encodings[TRACK_ENCODINGS_MAX];
};
/* ERR_LIMIT, ERR_MEMORY; ERR_EXISTS: an SSRC that is taken. */
MUST_USE int peer_receive(struct peer *peer, usec now, const struct peer_receiving *receiving,
                          struct transceiver **out);
/* Something to be sent under these terms; its ssrc and rtx_ssrc are then known.  Point it at a
 * track with transceiver_subscribe.  ERR_LIMIT, ERR_MEMORY. */
MUST_USE int peer_send(struct peer *peer, usec now, bool is_video, const struct media_terms *terms,
                       struct transceiver **out);
/* Of a piece-by-piece peer: the transceiver is no more. */
void peer_remove(struct peer *peer, usec now, struct transceiver *transceiver);

/* What is known of the line to it.  False: nothing was ever sent. */
bool peer_estimate(const struct peer *peer, usec now, struct bwe_estimate *out);

/* ---- transceivers ---- */

/* The first one after `after` (NULL: the first of all); NULL: there are no more. */
struct transceiver *peer_next(const struct peer *peer, const struct transceiver *after);
/* On which the track comes in; NULL: it is no peer's. */
struct transceiver *transceiver_of(const struct track *track);
struct transceiver *peer_find_mid(const struct peer *peer, struct view mid);

/* Something will be sent on it, now or later, under these names of at most PEER_NAME_MAX bytes (of
 * a stream and its track): our description tells the other end.  Between an offer of theirs and the
 * answer it is part of the answer, otherwise it wants an offer.  What is to sound and look together
 * has one stream; no two have the same stream and track. */
void transceiver_announce(struct transceiver *transceiver, struct view stream, struct view track);
/* Nothing is received on it: between an offer and its answer this is part of the answer, otherwise
 * it wants an offer. */
void transceiver_refuse(struct transceiver *transceiver, usec now);
/* Takes that back, with the next offer of ours. */
void transceiver_allow(struct transceiver *transceiver);
/* Ends the section with the next description. */
void transceiver_stop(struct transceiver *transceiver, usec now);

/* Sends that track from its next key frame on; NULL: nothing.  May be called at any time.
 *   ERR_UNSUPPORTED  the other end takes none of the formats that the track may be in; nothing is
 *                    sent then. */
MUST_USE int transceiver_subscribe(struct transceiver *transceiver, usec now, struct track *track);
/* Which layers of its track go out, from the next moment on at which a receiver can decode them;
 * until then the ones before do.  It is kept over other tracks, and is the best of all at first.
 * An encoding that is silent, or is none of the track's, stands for the best.  What the line takes
 * does not change them then, but for holding them back; LAYER_TARGET_BEST lets it again. */
void transceiver_set_layers(struct transceiver *transceiver, usec now, struct layer_target target);
void transceiver_pause(struct transceiver *transceiver, usec now, bool is_paused);
/* What is wanted of it: at first, and for audio, any size.  Its layers then follow from what all
 * that goes to the peer wants, and from what its line takes: transceiver->share, which changes
 * within some 100 ms; sfu_poll_shared tells. */
void transceiver_want(struct transceiver *transceiver, usec now,
                      const struct transceiver_wish *wish);

static inline struct view transceiver_mid(const struct transceiver *transceiver)
{
    return view_make(transceiver->terms.mid, transceiver->terms.mid_size);
}

#endif
