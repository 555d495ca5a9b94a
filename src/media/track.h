/* track.h - a track that somebody publishes (a source): its encodings as they come in, and who
 * subscribes to it.
 *
 * A track knows nothing of where it comes from: a peer connection, or whatever else, makes it, says
 * what came, and is asked for key frames and packets through `kind`.  One thread.
 */
#ifndef MOIM_MEDIA_TRACK_H
#define MOIM_MEDIA_TRACK_H

#include "base/metrics.h"
#include "base/pool.h"
#include "media/layer_reader.h"
#include "media/layers.h"
#include "media/parameters.h"
#include "media/speakers.h"
#include "media/stream.h"
#include "media/wanted.h"
#include "wire/rtp_extensions.h"

#define TRACK_ENCODINGS_MAX 4            /* of a simulcast */
#define TRACK_SILENCE       (1 * USEC_S) /* one that is silent for so long is not chosen */
#define TRACK_NO_FORMAT     PACKET_FORMATS_MAX

/* So is one that is silent for that long, and twice as long as its pictures are apart, while so
 * many pictures came of the others: its sender has stopped it. */
#define TRACK_STOPPED          (250 * USEC_MS)
#define TRACK_STOPPED_PICTURES 10

/* What is agreed of one section of a peer connection, in either notation (SDP, or JSON). */
struct media_terms {
    struct media_format formats[PACKET_FORMATS_MAX]; /* the best one first */
    uint8_t format_count;
    uint8_t extensions[RTP_EXTENSION_KINDS]; /* their ids; 0: not agreed */
    bool has_two_byte;                       /* the two-byte form of extensions is understood */
    bool is_reduced_size;                    /* RTCP */
    uint8_t mid_size;
    char mid[RTP_RID_MAX];
};

#define ENCODING_FORMER_MAX 8

struct track;
struct tracks;

struct encoding {
    struct rtp_stream stream;
    struct track *track;
    void *memory;  /* the ring's; NULL until its first packet */
    uint32_t ssrc; /* 0: not known yet */
    uint32_t rtx_ssrc;
    uint32_t former[ENCODING_FORMER_MAX]; /* SSRCs of both, before these: what is still under way of
                                             them is of no use any more */
    uint8_t former_count;                 /* ever */
    uint8_t rid_size;
    char rid[RTP_RID_MAX];
    uint8_t fir_count;
    uint64_t key_frames; /* that came */
    uint64_t key_asks;   /* PLIs and FIRs of ours */
    uint64_t nacks;      /* packets that we asked for again */
    uint64_t lost_most;  /* of what was missing at one time: late ones make it less */
    uint16_t loss;       /* of the last seconds, in 65,536ths: as reports tell it, smoothed */
    usec heard_at;
    usec apart;       /* as its pictures lately were at most */
    uint16_t behind;  /* pictures of the others, since it was heard */
    bool has_stopped; /* ... so many that it can't be by chance */
    uint64_t counted; /* bytes, at the last track_count */
    uint64_t bps;     /* between the last two */
    struct layer_reader reader;
    struct layers_meter meter;
};

struct subscriber;

/* A kind of those who get a track. */
struct subscriber_kind {
    /* What there is to be had has changed: an encoding began, or another one is the best now. */
    void (*aim)(struct subscriber *subscriber, usec now);
    /* The track's terms have changed: whoever goes by the former ones stops, until it is aimed. */
    void (*stop)(struct subscriber *subscriber);
    /* The track ends; it has been unsubscribed. */
    void (*ended)(struct subscriber *subscriber, usec now);
    /* Which encodings it has use for (wanted_look, when that changes). */
    struct wanted_use (*use)(const struct subscriber *subscriber);
};

/* To be embedded; zeroed and with a kind at first. */
struct subscriber {
    const struct subscriber_kind *kind;
    struct track *track; /* NULL: of none */
    struct list node;
};

/* A kind of source. */
struct track_kind {
    /* Something is wanted of it (key_requests, missing): look when there is time. */
    void (*wake)(struct track *track);
    /* Of a track of pictures: other encodings are wanted now (track->wanted).  False: it can't be
     * told just now, and is to be asked again.  NULL: nobody is to be told. */
    bool (*wanted)(struct track *track);
    usec patience; /* with what is not wanted any more */
};

struct track {
    const struct track_kind *kind;
    void *owner;  /* the caller's: what the track is to a room */
    void *source; /* its kind's */
    struct tracks *tracks;
    struct media_terms terms; /* its sender's payload types and ids */
    struct speaker *voice;    /* whose sound it is: what comes while it is not loud goes no further;
                              NULL: nobody's, and all goes */
    bool is_video;
    uint8_t encoding_count;
    struct encoding *encodings[TRACK_ENCODINGS_MAX];
    struct list subscribers;
    uint32_t subscriber_count;
    usec counted_at;
    usec layers_at; /* when it was last looked at what it can be had as: peer_share.c's, ... */
    uint32_t layer_count;
    struct layer layers[LAYERS_MAX]; /* ... with rates that are smoothed */
    struct wanted wanted;
};

/* All tracks of a worker. */
struct tracks {
    struct pool tracks;
    struct pool encodings;
    struct list pumping;   /* streams with something new */
    struct list unsettled; /* of what is wanted of them: wanted.c's, and the next two */
    struct list waiting;
    usec waiting_until;
    struct metrics *metrics;
};

/* ERR_MEMORY: nothing was made. */
MUST_USE int tracks_init(struct tracks *tracks, uint32_t tracks_max, struct metrics *metrics);
void tracks_free(struct tracks *tracks);

/* A track without encodings.  NULL: there are as many as may be. */
struct track *track_open(struct tracks *tracks, const struct track_kind *kind, void *source,
                         bool is_video, const struct media_terms *terms);
/* Its subscribers leave, and are told. */
void track_close(struct track *track, usec now);

void track_subscribe(struct track *track, struct subscriber *subscriber);
/* Nothing happens when it has none. */
void track_unsubscribe(struct subscriber *subscriber);
/* Has all of them look anew; or has them stop. */
void track_aim(struct track *track, usec now);
void track_stop(struct track *track);

/* ERR_LIMIT: it has TRACK_ENCODINGS_MAX, or there are as many as may be. */
MUST_USE int track_add_encoding(struct track *track, uint32_t ssrc, uint32_t rtx_ssrc,
                                struct view rid, struct encoding **out);
/* It goes on as another stream: what it had is forgotten, its sinks leave. */
void encoding_restart(struct encoding *encoding, uint32_t ssrc);
void encoding_set_rtx(struct encoding *encoding, uint32_t ssrc);
/* Whether the SSRC was the encoding's (or its RTX's) lately, before the one of now. */
bool encoding_is_former(const struct encoding *encoding, uint32_t ssrc);

/* The format of a payload type that the publisher uses, also of its RTX: an index, or
 * TRACK_NO_FORMAT. */
uint8_t track_format(const struct track *track, uint8_t payload_type, bool *is_rtx);

/* A packet of the encoding, that was read.
 *   OK             it is to be pumped.
 *   ERR_EXISTS     it came before; ERR_OLD: so late that it is of no use.
 *   ERR_NOT_FOUND  its payload type was not agreed.
 *   ERR_MALFORMED  its payload is no such codec's.
 *   ERR_LIMIT      it is too long; ERR_MEMORY. */
MUST_USE int encoding_feed(struct encoding *encoding, usec now, const struct rtp_packet *rtp,
                           struct view bytes);

/* The same for a packet of which it has been said already what it is.  ERR_EXISTS, ERR_LIMIT,
 * ERR_MEMORY. */
MUST_USE int encoding_store(struct encoding *encoding, usec now, const struct packet *packet,
                            struct view bytes);

/* Its publisher has been told that nobody wants it, and has stopped: no key frame can be had. */
bool encoding_is_resting(const struct encoding *encoding, usec now);
/* Whether packets have come of late. */
bool encoding_is_heard(const struct encoding *encoding, usec now);

/* Once a second or so: what each encoding's rate is. */
void track_count(struct track *track, usec now);
/* What a subscriber is best sent that is sent `current` (or NULL): of the encodings that are heard,
 * the one of the highest rate, or its own when that is hardly less.  Where all are silent, as when
 * a picture stands still, it stays at its own; if that is none of them, the one that was heard
 * last, which can be asked for a key frame.  NULL: none has ever been heard. */
struct encoding *track_best(const struct track *track, usec now, const struct rtp_stream *current);

#endif
