/* sctp.h - the data channels of a worker's peer connections: SCTP over DTLS, sans-IO (RFC 8831,
 * 8832, 8261; of SCTP: RFC 9260, partial reliability of RFC 3758, streams' resets of RFC 6525).
 *
 * An association is one peer connection's.  What its DTLS carried goes in; what its DTLS is to
 * carry, messages and news of channels come out.  Messages are counted buffers: one that came in
 * may be sent to any number of others without being copied.
 *
 * How to drive it.  After EVERY call but sctp_queued call sctp_poll until SCTP_WAIT; commands may
 * be given between two polls.  What an output borrows outlasts commands to channels (a message may
 * be sent on at once), and ends with any other call; who keeps a message takes a reference of its
 * own (buffer_share).  One thread.
 *
 * What it does not do: it is never heard before DTLS has said who the other end is, so the cookie
 * of its handshake is not signed; it has one path, whose life ICE watches, so it sends no
 * heartbeats, and answers them; it asks for no extension of interleaving (RFC 8260) or of
 * checksums (RFC 9653); it ends by ABORT, as browsers do, and takes SHUTDOWN for an end at once.
 */
#ifndef MOIM_AGENT_SCTP_H
#define MOIM_AGENT_SCTP_H

#include "base/buffer.h"
#include "base/metrics.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/wheel.h"
#include "wire/dcep.h"
#include "wire/sctp.h"

/* ---- limits ---- */

#define SCTP_PORT         5000  /* unless a description says another */
#define SCTP_PACKET_MAX   1188  /* of those sent: 1280 without IPv6, UDP and DTLS */
#define SCTP_CHANNELS_MAX 64    /* of one association */
#define SCTP_STREAM_MAX   65534 /* the highest number of a stream (RFC 8832, section 6) */
/* Our streams begin here, where those of others hardly come: some take their half by another role
 * than that in DTLS, and would have the same ones as we. */
#define SCTP_OWN_STREAMS     64
#define SCTP_LABEL_MAX       1024          /* of label and protocol together */
#define SCTP_TSNS_MAX        2048          /* how far a TSN may be ahead of what is missing */
#define SCTP_CWND_MAX        (1024 * 1024) /* bytes on the way at most */
#define SCTP_BURST_MAX       8             /* packets that one call brings forth */
#define SCTP_RETRANSMITS_MAX 10 /* of one thing without an answer; then the other end is gone */

struct sctp_config {
    struct buffers *buffers; /* borrowed; of all messages */
    const struct random *random;
    struct metrics *metrics;
    uint32_t associations_max;
    uint32_t channels_max; /* the rest of these: of all associations together */
    uint32_t messages_max; /* that wait to be sent, or to be acknowledged */
    uint32_t chunks_max;   /* on their way */
    uint32_t pieces_max;   /* that came, and wait for others */
    /* of one association, in bytes: */
    uint32_t message_max; /* one that comes; up to BUFFER_LARGE_MAX.  a=max-message-size */
    uint32_t receive_max; /* waiting to be put together: the window.  At least twice message_max */
    uint32_t send_max;    /* waiting to be sent, or to be acknowledged */
};

/* What descriptions and DTLS have settled. */
struct sctp_terms {
    bool is_dtls_client; /* are we: then our channels' streams are even, otherwise odd */
    uint16_t local_port;
    uint16_t remote_port;
    uint32_t remote_message_max; /* the other's a=max-message-size; 0: any size */
};

enum sctp_end {
    SCTP_OPEN,
    SCTP_END_BY_PEER,  /* it said ABORT or SHUTDOWN */
    SCTP_END_TIMEOUT,  /* it does not answer */
    SCTP_END_PROTOCOL, /* it said what cannot be, or sent a message that is too long */
    SCTP_END_RESTART,  /* it has begun anew: it knows nothing of the channels */
    SCTP_END_LIMIT     /* no memory for a message whose parts have all come */
};

struct sctp_association;

/* Its members are sctp*.c's, but for `owner`; the first ones may be read. */
struct sctp_channel {
    void *owner; /* the caller's */
    struct sctp_association *association;
    struct view label; /* valid for as long as the channel */
    struct view protocol;
    uint16_t stream;
    uint8_t reliability; /* enum dcep_reliability */
    bool is_unordered;
    uint32_t parameter;

    struct list node;   /* among the association's channels */
    struct list record; /* among all its streams', or among those to be told that they are closed */
    struct list pieces; /* that came, by TSN */
    struct buffer *open;
    uint32_t waiting; /* messages that are not acknowledged */
    uint16_t next_ssn_in;
    uint16_t next_ssn_out;
    bool is_known;    /* an OPEN came, or we opened it: not just some stream's data */
    bool is_acked;    /* the OPEN was answered: until then, all is sent in order */
    bool is_reset_in; /* the other end has closed */
    uint8_t reset_out;
};

/* Its members are sctp*.c's, but for `owner`. */
struct sctp_association {
    void *owner; /* the caller's */
    struct sctp_terms terms;
    struct timer timer;
    struct list touched; /* among those that sctp_poll looks at */
    struct list all;
    struct list channels; /* of those that are known, by `node`: may be walked by anybody */
    struct list records;  /* of all streams that have been heard of, by `record` */
    struct list events;   /* pieces that are messages, to be told */
    struct list closed;   /* channels, to be told */
    uint8_t state;
    uint8_t end; /* enum sctp_end */
    bool is_up_told;
    bool is_end_told;
    bool has_forward_tsn; /* the other end knows RFC 3758 */
    bool has_reconfig;    /* ... and RFC 6525 */
    uint8_t channel_count;
    uint8_t retransmits; /* without an answer */
    uint8_t burst;       /* packets left of SCTP_BURST_MAX */

    /* handshake */
    uint32_t local_tag;
    uint32_t remote_tag;
    uint32_t initial_tsn;
    struct buffer *cookie; /* the other end's, until it has been answered */
    usec handshake_at;     /* when to send again; as all times here, USEC_NEVER when not */
    bool is_init_due;      /* these are to be sent now */
    bool is_cookie_due;

    /* what comes */
    uint32_t cumulative_in; /* all TSNs up to here have come */
    uint32_t highest_in;
    uint32_t held; /* bytes in pieces, with what they cost */
    uint32_t piece_count;
    uint64_t come[SCTP_TSNS_MAX / 64]; /* a bit a TSN behind cumulative_in */
    usec sack_at;
    uint8_t unsacked; /* packets with data since the last SACK */
    bool is_sack_due;
    bool has_data; /* in the packet that is being read */
    bool has_sack; /* the same */

    /* what goes */
    struct list queue; /* messages not wholly sent */
    struct list sent;  /* chunks not acknowledged for good, by TSN */
    uint32_t next_tsn;
    uint32_t cumulative_out; /* all TSNs up to here are acknowledged */
    uint32_t advanced;       /* ... or given up (RFC 3758: Advanced.Peer.Ack.Point) */
    uint32_t remote_window;
    uint32_t cwnd;
    uint32_t ssthresh;
    uint32_t partial_acked; /* RFC 9260: partial_bytes_acked */
    uint32_t flight;        /* bytes on the way */
    uint32_t lost_count;    /* chunks to be sent again */
    uint32_t recovery_exit;
    uint32_t queued; /* bytes of messages */
    usec rto;
    usec srtt;
    usec rttvar;
    usec retransmit_at; /* T3-rtx */
    bool in_recovery;
    bool is_fast_due; /* one packet goes out whatever cwnd says */
    bool is_forward_due;
    bool is_full; /* someone was told ERR_AGAIN */

    /* resets of streams */
    uint32_t next_request;     /* of ours */
    uint32_t expected_request; /* of theirs */
    uint32_t last_result;      /* what the last of theirs was answered */
    usec reset_at;
    uint16_t request[SCTP_CHANNELS_MAX]; /* the streams of ours */
    uint8_t request_count;
    bool is_request_out;
    bool is_request_due;
};

/* Whether messages may be sent on it; a channel that is being closed may share its name with one
 * that has been opened since. */
static inline bool sctp_is_open(const struct sctp_channel *channel)
{
    return channel->is_known && channel->reset_out == 0;
}

enum sctp_kind { SCTP_STRING, SCTP_BINARY };

enum sctp_out_kind {
    SCTP_WAIT,           /* nothing more; sctp_tick when `until` has come */
    SCTP_SEND,           /* `packet` to the other end, by DTLS */
    SCTP_UP,             /* the other end is there */
    SCTP_CHANNEL_OPENED, /* by the other end: `channel`, to whom messages may be sent at once */
    SCTP_MESSAGE,        /* `message` came on `channel`, of `message_kind`; it may be empty */
    SCTP_CHANNEL_CLOSED, /* `channel`, by either end; it is freed by the next call */
    SCTP_WRITABLE,       /* less than half of send_max waits, after ERR_AGAIN was said */
    SCTP_ENDED           /* `end` says why; the association is to be closed */
};

struct sctp_out {
    uint8_t kind; /* enum sctp_out_kind */
    uint8_t end;  /* enum sctp_end */
    uint8_t message_kind;
    struct sctp_association *association;
    struct sctp_channel *channel;
    struct buffer *message;
    struct view packet;
    usec until;
};

struct sctp_piece;

struct sctp {
    struct sctp_config config;
    struct pool associations;
    struct pool channels;
    struct pool messages;
    struct pool chunks;
    struct pool pieces;
    struct wheel wheel;
    struct list touched;
    struct list all;
    usec now;
    struct sctp_piece *told_piece; /* what the last output borrows */
    struct sctp_channel *told_channel;
    struct sctp_association *reply_to; /* whose packet has been begun in `writer` */
    bool is_reply_alone;
    struct sctp_writer writer;
    uint8_t packet[SCTP_PACKET_MAX];
};

/* ERR_MEMORY: nothing was made. */
MUST_USE int sctp_init(struct sctp *sctp, const struct sctp_config *config, usec now);
/* Associations are forgotten without a word. */
void sctp_free(struct sctp *sctp);

/* ---- associations ---- */

/* A new one, when DTLS is connected: it calls the other end, and hears its call.
 * ERR_LIMIT: associations_max are there. */
MUST_USE int sctp_open(struct sctp *sctp, usec now, const struct sctp_terms *terms, void *owner,
                       struct sctp_association **out);

/* Frees the association and its channels; nothing comes of it any more.  Gives the packet that
 * says so to the other end; empty when it has ended by itself.  Valid until the next call. */
struct view sctp_close(struct sctp *sctp, usec now, struct sctp_association *association);

/* Bytes that wait to be sent or acknowledged. */
static inline uint32_t sctp_queued(const struct sctp_association *association)
{
    return association->queued;
}

/* ---- in and out ---- */

/* What DTLS carried: a packet. */
void sctp_feed(struct sctp *sctp, usec now, struct sctp_association *association,
               struct view datagram);
void sctp_tick(struct sctp *sctp, usec now);
void sctp_poll(struct sctp *sctp, struct sctp_out *out);

/* ---- channels ---- */

struct sctp_channel_terms {
    struct view label; /* UTF-8; with the protocol up to SCTP_LABEL_MAX bytes */
    struct view protocol;
    uint8_t reliability; /* enum dcep_reliability */
    bool is_unordered;
    uint16_t priority;
    uint32_t parameter; /* retransmissions, or ms, at most */
    bool is_negotiated; /* both ends have agreed on `stream` elsewhere: nothing is said of it */
    uint16_t stream;
};

/* Opens a channel; messages may be sent at once.
 *
 *   ERR_LIMIT    SCTP_CHANNELS_MAX or channels_max are there, or there is no memory; or the texts
 *                are too long
 *   ERR_EXISTS   the negotiated stream is another channel's, or not of this world
 *   ERR_CLOSED   the association has ended */
MUST_USE int sctp_open_channel(struct sctp *sctp, usec now, struct sctp_association *association,
                               const struct sctp_channel_terms *terms, void *owner,
                               struct sctp_channel **out);

/* Queues a message, of which a reference is taken; it must stay as it is.  O(1).
 *
 *   ERR_LIMIT    longer than the other end takes: it can never be sent; or there is no memory
 *   ERR_AGAIN    send_max bytes are waiting: SCTP_WRITABLE will say when to go on
 *   ERR_CLOSED   the channel is being closed, or the association has ended */
MUST_USE int sctp_send(struct sctp *sctp, usec now, struct sctp_channel *channel,
                       enum sctp_kind kind, struct buffer *message);

/* Closes it when all that was queued has come over; SCTP_CHANNEL_CLOSED follows.  No harm in
 * closing twice. */
void sctp_close_channel(struct sctp *sctp, usec now, struct sctp_channel *channel);

#endif
