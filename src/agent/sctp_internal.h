/* sctp_internal.h - what the files of SCTP share; nobody else includes it.
 *
 * sctp.c            associations, what comes, what is due, what is told
 * sctp_handshake.c  INIT and COOKIE (RFC 9260, section 5)
 * sctp_receive.c    DATA and FORWARD TSN that come, and the SACKs of them
 * sctp_assemble.c   messages of what has come, in order
 * sctp_transmit.c   packets: what goes into the next one
 * sctp_sack.c       what the other end says it has: retransmission, congestion control
 * sctp_abandon.c    partial reliability (RFC 3758)
 * sctp_reset.c      RE-CONFIG: the ends of channels (RFC 6525)
 * sctp_channel.c    channels and their messages (RFC 8831, 8832)
 */
#ifndef MOIM_AGENT_SCTP_INTERNAL_H
#define MOIM_AGENT_SCTP_INTERNAL_H

#include "agent/sctp.h"

#define SCTP_PAYLOAD_MAX (SCTP_PACKET_MAX - SCTP_HEADER_SIZE - SCTP_DATA_HEADER_SIZE)
#define SCTP_PIECE_COST  256 /* what a piece counts for beside its bytes: about what it costs */

#define SCTP_RTO_INITIAL (1000 * USEC_MS)
#define SCTP_RTO_MIN     (400 * USEC_MS) /* above the other end's delay of SACKs */
#define SCTP_RTO_MAX     (8 * USEC_S)
#define SCTP_SACK_DELAY  (100 * USEC_MS)
#define SCTP_SHORT_DELAY (50 * USEC_MS) /* when a pool was empty */

enum sctp_state { SCTP_COOKIE_WAIT, SCTP_COOKIE_ECHOED, SCTP_ESTABLISHED };

/* RFC 8831, section 8 */
enum sctp_ppid {
    SCTP_PPID_STRING = 51,
    SCTP_PPID_BINARY = 53,
    SCTP_PPID_STRING_EMPTY = 56,
    SCTP_PPID_BINARY_EMPTY = 57
};

enum sctp_reset { SCTP_RESET_NONE, SCTP_RESET_WANTED, SCTP_RESET_REQUESTED, SCTP_RESET_DONE };

/* A DATA chunk that came. */
struct sctp_piece {
    struct list node; /* of its channel's pieces; when whole, of the association's events */
    struct sctp_channel *channel;
    struct buffer *bytes;
    uint32_t tsn;
    uint32_t ppid;
    uint16_t ssn;
    uint8_t flags;
    bool is_whole; /* a whole message: it waits only to be told */
    bool is_open;  /* it opened its channel */
};

/* A message to be sent. */
struct sctp_outgoing {
    struct list node; /* of the queue, until all of it has been sent once */
    struct sctp_channel *channel;
    struct buffer *bytes;
    usec expires_at;
    uint32_t size;
    uint32_t offset; /* how much has been sent */
    uint32_t ppid;
    uint32_t chunks; /* of it, among those sent */
    uint16_t ssn;
    bool is_unordered;
    bool is_reliable;
    bool is_queued;
};

/* A DATA chunk that was sent. */
struct sctp_sent {
    struct list node;
    struct sctp_outgoing *message;
    usec sent_at;
    uint32_t tsn;
    uint32_t offset;
    uint16_t size; /* 0: it stands for the rest of a message that was given up */
    uint8_t flags;
    uint8_t missing; /* how often it was reported so */
    uint32_t sends;
    bool is_acked;     /* by a gap block: it may be taken back */
    bool is_lost;      /* to be sent again */
    bool was_fast;     /* it was, before its time */
    bool is_abandoned; /* never again */
};

static inline bool sctp_in_flight(const struct sctp_sent *sent)
{
    return !sent->is_acked && !sent->is_lost && !sent->is_abandoned;
}

/* ---- sctp.c ---- */

/* Has sctp_poll look at the association. */
void sctp_touch(struct sctp *sctp, struct sctp_association *association);
/* It is over; sctp_poll will say so. */
void sctp_end(struct sctp *sctp, struct sctp_association *association, enum sctp_end end);
void sctp_count_dropped(struct sctp *sctp, enum metric metric);
/* Something went unanswered for its time: the next may take twice as long.  False: the other end
 * is gone, and the association has ended. */
bool sctp_back_off(struct sctp *sctp, struct sctp_association *association);
/* A chunk that answers what is being read; in the packet that is sent next.  NULL: no room, it
 * goes unanswered until it comes again. */
uint8_t *sctp_reply(struct sctp *sctp, struct sctp_association *association, uint8_t type,
                    uint8_t flags, size_t size);

/* ---- sctp_handshake.c ---- */

void sctp_begin_handshake(struct sctp *sctp, struct sctp_association *association);
void sctp_handshake_timeout(struct sctp *sctp, struct sctp_association *association);
void sctp_read_handshake(struct sctp *sctp, struct sctp_association *association, uint32_t tag,
                         const struct sctp_chunk *chunk);
void sctp_write_handshake(struct sctp *sctp, struct sctp_association *association,
                          struct sctp_writer *writer);

/* ---- sctp_receive.c ---- */

void sctp_take_data(struct sctp *sctp, struct sctp_association *association,
                    const struct sctp_chunk *chunk);
void sctp_take_forward_tsn(struct sctp *sctp, struct sctp_association *association,
                           const struct sctp_chunk *chunk);
/* A packet that bore data, or moved the window, is read. */
void sctp_data_read(struct sctp *sctp, struct sctp_association *association);
void sctp_write_sack(struct sctp *sctp, struct sctp_association *association,
                     struct sctp_writer *writer);

/* ---- sctp_assemble.c ---- */

/* A piece has come into its channel's list: whatever is whole and in turn becomes an event. */
void sctp_assemble(struct sctp *sctp, struct sctp_piece *piece);
/* The stream's messages up to ssn are given up by the other end (RFC 3758, section 3.6). */
void sctp_skip_ordered(struct sctp *sctp, struct sctp_channel *channel, uint16_t ssn);
void sctp_drop_piece(struct sctp *sctp, struct sctp_piece *piece);

/* ---- sctp_transmit.c ---- */

/* Writes the next packet.  False: there is nothing to say now. */
bool sctp_write_packet(struct sctp *sctp, struct sctp_association *association);

/* ---- sctp_sack.c ---- */

void sctp_take_sack(struct sctp *sctp, struct sctp_association *association,
                    const struct sctp_chunk *chunk);
void sctp_retransmit_timeout(struct sctp *sctp, struct sctp_association *association);
/* Off the list, and its message, too, if it was the last of it. */
void sctp_release_sent(struct sctp *sctp, struct sctp_association *association,
                       struct sctp_sent *sent);
void sctp_mark_lost(struct sctp_association *association, struct sctp_sent *sent);

/* ---- sctp_abandon.c ---- */

/* Whether it is not to be sent once more; `sends`: how often it has been. */
bool sctp_is_given_up(const struct sctp *sctp, const struct sctp_outgoing *message, uint32_t sends);
/* False: there is no memory for it, and the message is to be sent after all. */
bool sctp_abandon(struct sctp *sctp, struct sctp_association *association,
                  struct sctp_outgoing *message);
/* Moves `advanced` as far as it goes, and has FORWARD TSN sent if need be. */
void sctp_advance(struct sctp *sctp, struct sctp_association *association);
void sctp_write_forward_tsn(struct sctp_association *association, struct sctp_writer *writer);

/* ---- sctp_reset.c ---- */

void sctp_take_reconfig(struct sctp *sctp, struct sctp_association *association,
                        const struct sctp_chunk *chunk);
void sctp_reset_timeout(struct sctp *sctp, struct sctp_association *association);
/* Asks for the reset of streams that are done, if none is being asked for. */
void sctp_want_reset(struct sctp *sctp, struct sctp_association *association);
/* The other end uses a stream again that both have closed: it has got our request, though we have
 * not heard so. */
void sctp_end_reset(struct sctp *sctp, struct sctp_channel *channel);
void sctp_write_reset(struct sctp *sctp, struct sctp_association *association,
                      struct sctp_writer *writer);

/* ---- sctp_channel.c ---- */

struct sctp_channel *sctp_find_channel(struct sctp_association *association, uint16_t stream);
/* A stream's record.  NULL: a limit. */
struct sctp_channel *sctp_new_channel(struct sctp *sctp, struct sctp_association *association,
                                      uint16_t stream);
void sctp_free_channel(struct sctp *sctp, struct sctp_channel *channel);
/* A whole message in turn; the piece is the callee's now. */
void sctp_deliver(struct sctp *sctp, struct sctp_piece *piece);
/* All that is of a message is acknowledged or given up. */
void sctp_release_message(struct sctp *sctp, struct sctp_outgoing *message);

#endif
