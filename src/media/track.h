/* track.h - a track that somebody publishes (a source): its encodings as they come in, and who
 * subscribes to it.
 *
 * A track knows nothing of where it comes from: a peer connection, or whatever else, says what came
 * (track_feed) and is asked for key frames and packets through `kind`.  One thread.
 */
#ifndef MOIM_MEDIA_TRACK_H
#define MOIM_MEDIA_TRACK_H

#include "base/pool.h"
#include "media/parameters.h"
#include "media/stream.h"
#include "wire/rtp_extensions.h"

#define TRACK_FORMATS_MAX   8
#define TRACK_ENCODINGS_MAX 4 /* of a simulcast */
#define TRACK_NO_FORMAT     255
#define TRACK_SILENCE       (1 * USEC_S) /* an encoding that is silent for so long is not chosen */

/* What is agreed of one section of a peer connection, in either notation (SDP, or JSON). */
struct media_terms {
    struct media_format formats[TRACK_FORMATS_MAX]; /* the best one first */
    uint8_t format_count;
    uint8_t extensions[RTP_EXTENSION_KINDS]; /* their ids; 0: not agreed */
    bool has_two_byte;                       /* extensions in the two-byte form are understood */
    bool is_reduced_size;                    /* RTCP */
    uint8_t mid_size;
    char mid[RTP_RID_MAX];
};

struct track;

/* One encoding: its stream is the first member of it. */
struct encoding {
    struct rtp_stream stream;
    struct track *track;
    void *memory;  /* the ring's; NULL until the first packet comes */
    uint32_t ssrc; /* 0: not known yet */
    uint32_t rtx_ssrc;
    uint8_t rid_size;
    char rid[RTP_RID_MAX];
    uint32_t last_timestamp; /* of the last key frame's first packet */
    bool has_key;
    usec heard_at;
    uint64_t counted; /* bytes at the last count */
    uint64_t bps;     /* between the last two */
};

/* A kind of source. */
struct track_kind {
    /* Something is wanted of it (key_requests, missing): look when there is time. */
    void (*wake)(struct track *track);
};

struct track {
    const struct track_kind *kind;
    void *owner; /* the caller's: what the track is to a room */
    struct media_terms terms;
    bool is_video;
    uint8_t encoding_count;
    struct encoding *encodings[TRACK_ENCODINGS_MAX];
    struct list subscribers; /* of struct transceiver.subscribed */
    uint32_t subscriber_count;
};

/* The format of a payload type that the publisher uses: an index, or TRACK_NO_FORMAT. */
uint8_t track_format(const struct track *track, uint8_t payload_type);

/* The encoding that a new subscriber begins with, or that all should go over to: of those that are
 * heard, the one of the highest rate.  NULL: none has been heard. */
struct encoding *track_best(const struct track *track, usec now);

#endif
