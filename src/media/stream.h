/* stream.h - an RTP stream as it comes in: one SSRC of a source (one of its encodings, where it
 * sends several), and the sinks that it goes to.
 *
 * A packet is stored once, in the stream's ring; nothing is sent before rtp_stream_pump, which has
 * every sink take what has come since the last one, sink by sink, so that what goes to one receiver
 * stands together.  Of a picture that has come in part, and goes to many, the rest is waited for,
 * for a moment: one message to the kernel takes all of it to a receiver, who can't show it before
 * anyway.  One thread.
 */
#ifndef MOIM_MEDIA_STREAM_H
#define MOIM_MEDIA_STREAM_H

#include "base/list.h"
#include "media/key_requests.h"
#include "media/missing.h"
#include "media/packet_ring.h"
#include "media/reception.h"
#include "wire/rtp_sequence.h"

struct sink;
struct rtp_stream;

/* A kind of sink.  What is handed to it is borrowed for the call; but the bytes of a packet stay in
 * the stream's ring until the next packet comes. */
struct sink_kind {
    /* A packet of the stream, in the order of arrival; one that came late is behind a later one.
     * False: it can't take it now, but it can when what is queued has been sent; or, where it has
     * set sink->is_waiting, not before rtp_stream_go_on. */
    bool (*take)(struct sink *sink, usec now, const struct rtp_stream *stream,
                 const struct packet *packet);
    /* The stream ends; the sink is no longer one of its. */
    void (*ended)(struct sink *sink);
};

/* To be embedded in whatever receives. */
struct sink {
    const struct sink_kind *kind;
    struct rtp_stream *stream; /* NULL: it is at none */
    struct list node;
    uint64_t next;   /* arrival that it has not had yet */
    bool is_waiting; /* it stays behind the others; what is written over meanwhile it has lost */
};

struct rtp_stream {
    struct packet_ring ring;
    struct rtp_unwrapper unwrapper;
    struct reception reception;
    struct missing missing;
    struct key_requests key_requests;
    struct list sinks;
    struct list pumping; /* among those with something new; the owner's list */
    uint64_t pumped;     /* arrivals that all sinks have had */
    usec fresh_at;       /* when the first came that they have not all had */
    struct sink *at;     /* where pumping stopped; NULL: at the first */
    uint32_t ssrc;
    uint32_t clock_rate;
    uint32_t sink_count;
    bool is_video;
    bool is_in_part; /* what came last is in the midst of a picture */
    bool is_mute;    /* what comes is counted, and goes no further */
    bool was_mute;   /* ... until the next packet */
};

#define RTP_STREAM_HOLD     (1 * USEC_MS) /* the rest of a picture is waited for */
#define RTP_STREAM_HOLD_MAX 16            /* packets that do ... */
#define RTP_STREAM_MANY     8             /* ... where it goes to so many */
#define RTP_STREAM_LATE_MAX 256 /* packets: what is farther behind is of no use to anybody */

/* `memory` is packet_ring_memory's, and stays. */
void rtp_stream_init(struct rtp_stream *stream, void *memory, uint32_t size, uint32_t count,
                     uint32_t clock_rate, bool is_video);
/* Has all sinks leave. */
void rtp_stream_end(struct rtp_stream *stream);

/* A packet that was read; `kind` says what the payload is (sequence and received_at are filled in).
 *   OK          it is to be pumped.  *needs_key: what was lost can't be mended but by a key frame.
 *   ERR_EXISTS  it came before.
 *   ERR_OLD     RTP_STREAM_LATE_MAX or more behind the highest.
 *   ERR_LIMIT   too long. */
MUST_USE int rtp_stream_feed(struct rtp_stream *stream, usec now, const struct packet *kind,
                             struct view bytes, bool *needs_key);

/* Until when the rest of a picture is waited for, of which a part is there to be pumped; 0: none.
 * Who pumps it earlier loses nothing but that it would have been less work. */
usec rtp_stream_held_until(const struct rtp_stream *stream);
/* Has the sinks take what has come.  False: one can't; send what is queued, and call it again. */
bool rtp_stream_pump(struct rtp_stream *stream, usec now);
/* A sink that waited takes what it has not had.  False: as above. */
bool rtp_stream_go_on(struct sink *sink, usec now);
static inline bool rtp_stream_has_news(const struct rtp_stream *stream)
{
    return stream->pumped < stream->ring.arrived;
}

/* What comes from now on goes to the sink, too.  It is at no stream. */
void rtp_stream_add_sink(struct rtp_stream *stream, struct sink *sink);
/* Nothing happens when it is at none. */
void rtp_stream_remove_sink(struct sink *sink);

#endif
