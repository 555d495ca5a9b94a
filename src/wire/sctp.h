/* sctp.h - reads and writes SCTP packets (RFC 9260; RFC 3758, 6525 for some chunks).
 *
 * Pure functions over caller memory: no socket, clock, heap or global.  What the chunks mean is
 * known to agent/sctp.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |          source port          |       destination port        |
 *     |                       verification tag                        |
 *     |                      checksum (CRC-32c)                       |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |  chunk type   |  chunk flags  |         chunk length          |
 *     |                        value, padded to four bytes            |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
#ifndef MOIM_WIRE_SCTP_H
#define MOIM_WIRE_SCTP_H

#include "base/status.h"
#include "base/view.h"

#define SCTP_HEADER_SIZE       12
#define SCTP_CHUNK_HEADER_SIZE 4
#define SCTP_DATA_HEADER_SIZE  16 /* of a DATA chunk, its chunk header among it */

enum sctp_chunk_type {
    SCTP_CHUNK_DATA = 0,
    SCTP_CHUNK_INIT = 1,
    SCTP_CHUNK_INIT_ACK = 2,
    SCTP_CHUNK_SACK = 3,
    SCTP_CHUNK_HEARTBEAT = 4,
    SCTP_CHUNK_HEARTBEAT_ACK = 5,
    SCTP_CHUNK_ABORT = 6,
    SCTP_CHUNK_SHUTDOWN = 7,
    SCTP_CHUNK_SHUTDOWN_ACK = 8,
    SCTP_CHUNK_ERROR = 9,
    SCTP_CHUNK_COOKIE_ECHO = 10,
    SCTP_CHUNK_COOKIE_ACK = 11,
    SCTP_CHUNK_SHUTDOWN_COMPLETE = 14,
    SCTP_CHUNK_RE_CONFIG = 130,
    SCTP_CHUNK_FORWARD_TSN = 192
};

/* An unknown chunk of such a type is passed over; of another, the rest of the packet is dropped
 * (section 3.2). */
#define SCTP_CHUNK_SKIP 0x80

enum sctp_data_flag {
    SCTP_DATA_E = 1, /* the last fragment */
    SCTP_DATA_B = 2, /* the first */
    SCTP_DATA_U = 4, /* unordered */
    SCTP_DATA_I = 8  /* the SACK should not be delayed (RFC 7053) */
};

enum sctp_parameter_type {
    SCTP_PARAMETER_STATE_COOKIE = 7,
    SCTP_PARAMETER_OUTGOING_RESET = 13,
    SCTP_PARAMETER_INCOMING_RESET = 14,
    SCTP_PARAMETER_TSN_RESET = 15,
    SCTP_PARAMETER_RECONFIG_RESPONSE = 16,
    SCTP_PARAMETER_ADD_OUTGOING = 17,
    SCTP_PARAMETER_ADD_INCOMING = 18,
    SCTP_PARAMETER_EXTENSIONS = 0x8008,
    SCTP_PARAMETER_FORWARD_TSN = 0xc000
};

/* TSNs wrap: a comes before b when it is less than half of all before it. */
static inline bool sctp_tsn_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}
/* The same of a stream's sequence numbers. */
static inline bool sctp_ssn_before(uint16_t a, uint16_t b)
{
    return (int16_t)(uint16_t)(a - b) < 0;
}

/* CRC-32c (RFC 9260, appendix A) of bytes of which those from `hole` on, four, count as zero; no
 * hole when it is at size or behind. */
uint32_t sctp_crc32c(struct view bytes, size_t hole);

/* ---- reading ---- */

struct sctp_packet {
    uint16_t source_port;
    uint16_t destination_port;
    uint32_t tag;
    struct view chunks; /* see sctp_next_chunk */
};

/*   OK             the header has been read, and the checksum is right.
 *   ERR_MALFORMED  no packet, or one whose size is not a multiple of four (section 3).
 *   ERR_FORGED     the checksum is another one.
 * On error *packet is untouched. */
MUST_USE int sctp_read_packet(struct view datagram, struct sctp_packet *packet);

struct sctp_chunk {
    uint8_t type;
    uint8_t flags;
    struct view value; /* without the padding */
};

/* Takes the next chunk off *rest.  OK; ERR_NOT_FOUND: all is read; ERR_MALFORMED: drop the rest.
 * On error both are untouched. */
MUST_USE int sctp_next_chunk(struct view *rest, struct sctp_chunk *chunk);

struct sctp_parameter {
    uint16_t type;
    struct view value;
};

/* The same of the parameters of a chunk. */
MUST_USE int sctp_next_parameter(struct view *rest, struct sctp_parameter *parameter);

/* The functions below read a chunk's value, and give OK or ERR_MALFORMED: too short. */

struct sctp_data {
    uint32_t tsn;
    uint16_t stream;
    uint16_t ssn;
    uint32_t ppid;
    struct view payload; /* never empty: that is malformed, too (section 6.2) */
};
MUST_USE int sctp_read_data(struct view value, struct sctp_data *data);

/* INIT and INIT ACK.  Also malformed: a tag or a number of streams of 0. */
struct sctp_init_chunk {
    uint32_t tag;
    uint32_t window;
    uint16_t streams_out;
    uint16_t streams_in;
    uint32_t initial_tsn;
    struct view parameters;
};
MUST_USE int sctp_read_init(struct view value, struct sctp_init_chunk *init);

struct sctp_sack {
    uint32_t cumulative_tsn;
    uint32_t window;
    uint16_t gap_count;
    struct view gaps; /* see sctp_gap_at */
};
MUST_USE int sctp_read_sack(struct view value, struct sctp_sack *sack);

/* Offsets from the cumulative TSN, both ends among it; the peer's, so end may be before start. */
struct sctp_gap {
    uint16_t start;
    uint16_t end;
};
struct sctp_gap sctp_gap_at(struct view gaps, unsigned n);

struct sctp_forward_tsn {
    uint32_t new_cumulative_tsn;
    uint16_t skip_count;
    struct view skips; /* see sctp_skip_at */
};
MUST_USE int sctp_read_forward_tsn(struct view value, struct sctp_forward_tsn *forward);

struct sctp_skip {
    uint16_t stream;
    uint16_t ssn;
};
struct sctp_skip sctp_skip_at(struct view skips, unsigned n);

/* ---- writing ---- */

/* Writes one packet into the caller's memory.  What finds no room is left out whole, and the
 * writer stays as it was. */
struct sctp_writer {
    uint8_t *at;
    size_t capacity; /* a multiple of four */
    size_t size;
    size_t chunk; /* where the one that is being written begins */
};

/* capacity: at least SCTP_HEADER_SIZE, and a multiple of four. */
void sctp_begin(struct sctp_writer *writer, uint8_t *out, size_t capacity, uint16_t source_port,
                uint16_t destination_port, uint32_t tag);

/* Bytes of payload that a chunk which is begun now may have. */
size_t sctp_room(const struct sctp_writer *writer);

/* A chunk with a value of `size` bytes, which the caller writes to what it gets; padding is there
 * already.  NULL: no room. */
uint8_t *sctp_add_chunk(struct sctp_writer *writer, uint8_t type, uint8_t flags, size_t size);

/* A parameter at the end of the last chunk.  NULL: no room.  The chunk's length comes to include
 * the padding of what stood before, and not that of this one. */
uint8_t *sctp_add_parameter(struct sctp_writer *writer, uint16_t type, size_t size);

/* Puts the checksum in; the packet is whole. */
void sctp_seal(struct sctp_writer *writer);

/* A packet as one line, for a trace: its chunks one after the other, up to where it is broken.
 * Gives its length, cut to `capacity`. */
size_t sctp_print(struct view datagram, char *out, size_t capacity);

#endif
