/* link.h - a track's way to another worker's media: what comes in here goes there once, however
 * many subscribe to it there.
 *
 * At the track's worker a link is a subscriber of it, and puts records; at the other one it is the
 * source of a track that looks like any other, made of these records.  Which encodings are wanted
 * there goes the other way, and wishes for key frames do, again until they are met.  Who carries
 * the records is the caller's: in order, and each whole or not at all.  What is lost on the way is
 * lost as on a network: the next key frame mends it.
 *
 * Both ends are of one program: records are structs.  One thread an end.
 */
#ifndef MOIM_MEDIA_LINK_H
#define MOIM_MEDIA_LINK_H

#include "media/track.h"

enum link_kind {
    LINK_TERMS,  /* `terms`: packets go by these from now on */
    LINK_BEGINS, /* an encoding begins, or begins anew */
    LINK_PACKET, /* `packet`; its bytes are behind the record */
    LINK_SIZES,  /* `sizes`: of the pictures from the next key frame on */
    LINK_CLOCK,  /* `clock`: the sender's, as its last report told it */
    LINK_ENDED,  /* the track has */
    /* back */
    LINK_WANTS_KEY, /* of an encoding */
    LINK_WANTS      /* `wants`: what anybody there has use for */
};

struct link_wants {
    uint8_t encodings;  /* a bit each */
    uint32_t sound_bps; /* as in struct wanted_use */
};

/* By spatial layer; 0: not known. */
struct link_sizes {
    uint16_t widths[LAYERS_SPATIAL];
    uint16_t heights[LAYERS_SPATIAL];
};

struct link_record {
    uint64_t link; /* whose it is: the same number at both ends */
    uint8_t kind;  /* enum link_kind */
    uint8_t encoding;
    union {
        struct media_terms terms;
        struct packet packet;
        struct link_sizes sizes;
        struct rtcp_sr clock;
        uint32_t ssrc; /* LINK_BEGINS */
        struct link_wants wants;
    };
};

/* Whether it is one that goes from the worker where a track is wanted to where it is. */
static inline bool link_goes_back(const struct link_record *record)
{
    return record->kind == LINK_WANTS_KEY || record->kind == LINK_WANTS;
}

/* Where records go. */
struct link_way {
    /* Both are copied.  False: there is no room. */
    bool (*put)(void *context, const struct link_record *record, struct view bytes);
    void *context;
};

/* ---- at the track ---- */

struct link_out;

struct link_sink {
    struct sink sink;
    struct link_out *out;
    uint8_t encoding;
    usec clock_at;           /* when the clock that was told came */
    struct link_sizes sizes; /* as told */
};

/* Its members are link.c's. */
struct link_out {
    void *owner; /* the caller's */
    struct subscriber subscriber;
    struct link_way way;
    uint64_t number;
    uint64_t lost; /* records that found no room */
    bool has_told_terms;
    struct link_wants wants; /* there; WANTED_ALL at first */
    struct link_sink sinks[TRACK_ENCODINGS_MAX];
};

/* To be embedded; it must stay where it is. */
void link_out_open(struct link_out *out, usec now, struct track *track, uint64_t number,
                   const struct link_way *way);
/* Also when the track has ended, which LINK_ENDED has told. */
void link_out_close(struct link_out *out);
/* The track has ended: nothing comes any more. */
static inline bool link_out_has_ended(const struct link_out *out)
{
    return !out->subscriber.track;
}
/* A record that came back. */
void link_out_take(struct link_out *out, const struct link_record *record);

/* ---- at the other worker ---- */

struct link_in {
    struct track *track; /* for those who subscribe here */
    struct link_way way;
    uint64_t number;
    const usec *now;
    usec asked_at[TRACK_ENCODINGS_MAX]; /* for a key frame */
    bool has_ended;
};

/* *now is the time of the call under way (struct sfu's), here and later: a wish for a key frame
 * goes back once at a time, however many have it.  ERR_LIMIT: there are too many tracks. */
MUST_USE int link_in_open(struct link_in *in, const usec *now, struct tracks *tracks, bool is_video,
                          uint64_t number, const struct link_way *way);
/* Its track ends. */
void link_in_close(struct link_in *in, usec now);
void link_in_take(struct link_in *in, usec now, const struct link_record *record,
                  struct view bytes);

#endif
