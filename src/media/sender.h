/* sender.h - a track as it goes out on one transport: a sink that makes one continuous RTP stream
 * of whatever streams it is pointed at, one after the other.  Of a stream with layers, those go on
 * that are wanted.
 *
 * Its SSRC stays, its sequence numbers have no gaps but those of packets that are still to come:
 * none for what does not go on, either.  What came late, and then is of no layer that goes on, is
 * an empty packet in the place that was held for it.  Numbers of pictures go on likewise, its
 * timestamps go on with the time: over every switch to another stream (another encoding, another
 * camera), every pause, every mute.  Video begins, and goes on after each of these, with a key
 * frame; until one comes the sender has asked for it.
 *
 * Opus can go out in fewer packets, of several that came each (sender_join): headers are half of it
 * otherwise, and more.
 *
 * Packets are sent again from the stream's ring, as RTX (RFC 4588) where it was negotiated; not
 * those from before a switch, which nobody needs behind the key frame.  One thread; no memory of
 * its own.
 */
#ifndef MOIM_MEDIA_SENDER_H
#define MOIM_MEDIA_SENDER_H

#include "agent/rtc.h"
#include "media/bwe.h"
#include "media/pacer.h"
#include "media/pictures.h"
#include "media/renumbering.h"
#include "media/selection.h"
#include "media/stream.h"
#include "wire/rtp_header.h"

#define SENDER_REPEATS_MAX 100            /* packets sent again at once ... */
#define SENDER_REPEAT_EACH (USEC_S / 500) /* ... and then one in this time */
#define SENDER_AGAIN_MAX   32             /* of those, that are remembered */
#define SENDER_NO_PAYLOAD  255

struct sender_config {
    struct rtc *rtc;
    struct rtc_transport *transport;
    struct bwe *bwe;     /* told of what goes out, as is the peer's; borrowed; NULL: nobody is */
    struct pacer *pacer; /* the same: it says of which probe a packet is; borrowed; NULL: of none */
    uint32_t ssrc;
    uint32_t rtx_ssrc;     /* for formats with RTX */
    uint32_t timestamp;    /* of the first packet */
    uint32_t clock_rate;   /* Hz */
    uint16_t sequence;     /* of the first packet: 1 to 32,767 */
    uint16_t rtx_sequence; /* the same */
    bool is_video;
};

/* As what a packet goes out, by the format in which it came. */
struct sender_formats {
    uint8_t payload_types[PACKET_FORMATS_MAX];     /* SENDER_NO_PAYLOAD: not at all */
    uint8_t rtx_payload_types[PACKET_FORMATS_MAX]; /* SENDER_NO_PAYLOAD: it is repeated as it was */
    uint8_t unwrapped; /* a bit for each format: RED, of which only what is new goes out */
    uint8_t opus;      /* as what Opus goes out; SENDER_NO_PAYLOAD: not at all */
    uint8_t level;     /* the id, as it comes, of the extension that says how loud it is; 0: none */
};

/* Packets that are to go as one: they wait in the ring. */
struct sender_joining {
    uint16_t ticks_most; /* of OPUS_CLOCK, that one packet may have; 0: each goes as it came */
    uint16_t ticks;      /* of those that wait */
    uint16_t size;       /* bytes of payload, the same */
    uint8_t count;       /* how many wait; 0: none */
    uint8_t toc;         /* the byte with which they begin */
    uint32_t timestamp;  /* of the one that would be next */
    uint64_t first;      /* sequence number */
    usec until;          /* they go then, whatever comes */
};

/* A packet that was sent again. */
struct sender_again {
    uint16_t number;
    uint16_t at; /* in units of 4096 us */
};

/* Its members are sender.c's, but for the counts. */
struct sender {
    struct sink sinks[2]; /* where it is, and where it will go over to */
    uint8_t current;      /* among them */
    struct rtp_plan plan;
    struct sender_formats formats;
    struct sender_config config;
    struct secure_window sent;
    struct secure_window rtx_sent;
    struct rtp_stream *stream;  /* of which packets went out last; NULL: it is no longer there */
    uint64_t from;              /* the first of its sequence numbers that went out */
    uint64_t highest;           /* ours, unwrapped */
    struct renumbering numbers; /* from its sequence numbers to ours */
    struct selection selection;
    struct pictures pictures;
    struct sender_joining joining;
    uint8_t spatial; /* which layers are wanted, of the stream that it goes over to, too */
    uint8_t temporal;
    uint64_t repeat_from; /* ours: earlier ones are not sent again */
    uint32_t timestamp_offset;
    uint32_t last_timestamp; /* ours, of the highest */
    usec last_at;
    usec repeats_at;
    uint16_t repeats_left;
    struct sender_again again[SENDER_AGAIN_MAX]; /* by their numbers */
    uint16_t rtx_sequence;
    uint8_t padded;    /* how many, so that they are not always the same */
    bool has_one_size; /* of its spatial layers the lowest alone goes on */
    bool has_begun;
    bool is_waiting; /* for a key frame, or for its first packet */
    bool is_paused;
    /* since the start */
    uint64_t packets; /* as sender reports count them: without those sent again */
    uint64_t bytes;   /* of payload */
    uint64_t repeated;
    uint64_t not_repeated; /* no longer there, or too many at once */
};

/* None goes out. */
void sender_formats_init(struct sender_formats *formats);

void sender_init(struct sender *sender, const struct sender_config *config);
/* Leaves its streams. */
void sender_free(struct sender *sender);

/* What of the stream goes on, and as what; nothing does before.  In the plan, values that change
 * from packet to packet are for those with RTX alone: without it, a packet that is sent again must
 * be the same to the bit.  (With a transport-wide number and no RTX nothing is sent again.) */
void sender_set_plan(struct sender *sender, const struct rtp_plan *plan,
                     const struct sender_formats *formats);

/* Goes on with the stream (NULL: with none) from its next key frame, or next packet of audio; until
 * that comes nothing is sent. */
void sender_switch(struct sender *sender, struct rtp_stream *stream);
/* The same, but until that comes the stream before is sent on: for another encoding of the same
 * track, since the plan is not changed with it.  is_urgent: it is to come soon, since the line does
 * not take what is sent; otherwise it is waited for, and asked for with others. */
void sender_go_over(struct sender *sender, struct rtp_stream *stream, bool is_urgent);
/* Of the stream that it is going to: these layers (LAYER_BEST: the highest).  Until it is there,
 * what went out of the former still does.  To follow the two above.  Of AV1, who is not told
 * dependency descriptors gets the lowest spatial layer, whatever is wanted (has_one_size):
 * browsers then take each frame for a picture of its own, and stop at the second of one. */
void sender_set_layers(struct sender *sender, unsigned spatial, unsigned temporal);
/* Where it is, and where it is going; NULL: nowhere. */
static inline struct rtp_stream *sender_stream(const struct sender *sender)
{
    return sender->sinks[sender->current].stream;
}
static inline struct rtp_stream *sender_target(const struct sender *sender)
{
    struct rtp_stream *next = sender->sinks[!sender->current].stream;
    return next ? next : sender_stream(sender);
}
void sender_pause(struct sender *sender, bool is_paused);

/* From now on Opus goes out in packets of up to so many ticks of OPUS_CLOCK, each of the frames of
 * as many that came, one right behind the other and all alike; 0: as it came.  Redundant audio goes
 * unwrapped then: it is twice as much.  Sequence numbers count what goes out; the level is that of
 * the loudest.  A gap, silence (DTX) or a new spurt sends what waits, and so does the time: nothing
 * waits for longer than all of it would take to come.  There is a pacer, which is called when
 * something begins to wait: whoever drives it asks sender_joins_until.  False: the batch is full,
 * and all is as it was. */
bool sender_join(struct sender *sender, usec now, uint16_t ticks_most);
static inline usec sender_joins_until(const struct sender *sender)
{
    return sender->joining.count > 0 ? sender->joining.until : USEC_NEVER;
}
/* Sends what waits.  False: the batch is full. */
bool sender_joins_end(struct sender *sender, usec now);

/* The far end has not got a packet.  Sends it again, if it is still there and not too many are; but
 * not when that was done so lately that it may yet be under way. */
void sender_nack(struct sender *sender, usec now, uint16_t number);
/* Where it has waited for the pacer: takes what it has not had.  False: the batch is full. */
bool sender_go_on(struct sender *sender, usec now);
/* How many bytes wait for the pacer, at most, and since when; 0: it does not. */
uint32_t sender_waits(const struct sender *sender, usec *since);
/* What waits is left out, and all up to the next key frame, which is asked for: of the stream that
 * it is going to, where it is to another one. */
void sender_leave_out(struct sender *sender);
/* Sends what nobody asked for, to try the line, of some `size` bytes (0: any): one of the last
 * packets again, or padding, where that is nearer to it, or these are no more; under the RTX SSRC.
 * False: there is none, or nothing was ever sent. */
bool sender_pad(struct sender *sender, usec now, size_t size);
/* It can't decode: a key frame is wanted. */
void sender_wants_key(struct sender *sender);

/* What was sent, on the clock of whose track it is, so that tracks of one source stay together.
 * False: nothing has been sent, or the source has not told its clock. */
bool sender_report(const struct sender *sender, usec now, struct rtcp_sr *sr);

#endif
