/* viewer.h - a browser that watches: it receives as libwebrtc does (transport-wide feedback, NACK
 * and PLI, reports), and each of its pictures has a decoder.
 */
#ifndef MOIM_SIM_QUALITY_VIEWER_H
#define MOIM_SIM_QUALITY_VIEWER_H

#include "media/arrivals.h"
#include "quality/decoder.h"
#include "quality/publisher.h"

#define VIEWER_STREAMS_MAX 64

/* One track that it gets. */
struct viewer_stream {
    struct transceiver *transceiver; /* the server's */
    bool is_video;
    struct rtp_unwrapper unwrapper;
    struct reception reception;
    struct missing missing;
    uint64_t packets; /* without those that came twice */
    uint64_t first;   /* sequence number; 0: nothing has come */
    /* of sound: */
    uint64_t frames;
    usec heard_at;
    usec longest_gap; /* since it was last looked at, and set to 0 */
    uint64_t asked;   /* packets, again */
    uint64_t key_asks;
    bool wants_key;
    usec key_asked_at;
    struct decoder *decoder; /* NULL: it is sound */
};

struct viewer {
    struct end end;
    struct arrivals arrivals;
    usec report_at;
    unsigned stream_count;
    struct viewer_stream streams[VIEWER_STREAMS_MAX];
    uint64_t received_bytes; /* with everything below RTP */
    uint64_t repeated;       /* packets that came by RTX */
    uint64_t padding;        /* packets without payload */
};

void viewer_join(struct viewer *viewer, struct world *world, const struct netem_script *up,
                 const struct netem_script *down);
void viewer_free(struct viewer *viewer);
/* Gets the track from now on; gives its stream. */
struct viewer_stream *viewer_watch(struct viewer *viewer, struct track *track);
/* Each step, after world_step. */
void viewer_turn(struct viewer *viewer);

#endif
