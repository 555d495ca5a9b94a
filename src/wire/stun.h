/* stun.h - reads and writes STUN messages (RFC 8489).
 *
 * Pure functions over caller memory: no socket, clock, heap or global.
 * A stun_msg is a view; it lives only as long as the datagram it was read from.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |0 0|     STUN Message Type     |         Message Length        |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                         Magic Cookie                          |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                     Transaction ID (96 bits)                  |
 *     |                                                               |
 *     |                                                               |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
#ifndef MOIM_WIRE_STUN_H
#define MOIM_WIRE_STUN_H

#include "base/address.h"
#include "base/status.h"
#include "base/view.h"

#define STUN_HEADER_SIZE      20
#define STUN_TRANSACTION_SIZE 12
#define STUN_ATTRS_MAX        32
#define STUN_COOKIE           0x2112a442u

enum stun_class { STUN_REQUEST, STUN_INDICATION, STUN_SUCCESS, STUN_ERROR };

/* RFC 8489, RFC 8656 (Allocate to ChannelBind) and RFC 6062 (Connect to ConnectionAttempt) */
enum stun_method {
    STUN_BINDING = 0x001,
    STUN_ALLOCATE = 0x003,
    STUN_REFRESH = 0x004,
    STUN_SEND = 0x006,
    STUN_DATA = 0x007,
    STUN_CREATE_PERMISSION = 0x008,
    STUN_CHANNEL_BIND = 0x009,
    STUN_CONNECT = 0x00a,
    STUN_CONNECTION_BIND = 0x00b,
    STUN_CONNECTION_ATTEMPT = 0x00c
};

/* A reader that does not know a type below 0x8000 refuses the request (section 6.3.1). */
enum stun_attr_type {
    STUN_MAPPED_ADDRESS = 0x0001,
    STUN_CHANGE_REQUEST = 0x0003, /* RFC 5780 */
    STUN_USERNAME = 0x0006,
    STUN_MESSAGE_INTEGRITY = 0x0008,
    STUN_ERROR_CODE = 0x0009,
    STUN_UNKNOWN_ATTRIBUTES = 0x000a,
    STUN_CHANNEL_NUMBER = 0x000c, /* RFC 8656, down to EVEN-PORT */
    STUN_LIFETIME = 0x000d,
    STUN_XOR_PEER_ADDRESS = 0x0012,
    STUN_DATA_VALUE = 0x0013, /* DATA */
    STUN_REALM = 0x0014,
    STUN_NONCE = 0x0015,
    STUN_XOR_RELAYED_ADDRESS = 0x0016,
    STUN_REQUESTED_ADDRESS_FAMILY = 0x0017,
    STUN_EVEN_PORT = 0x0018,
    STUN_REQUESTED_TRANSPORT = 0x0019,
    STUN_DONT_FRAGMENT = 0x001a,
    STUN_MESSAGE_INTEGRITY_SHA256 = 0x001c,
    STUN_PASSWORD_ALGORITHM = 0x001d,
    STUN_USERHASH = 0x001e,
    STUN_XOR_MAPPED_ADDRESS = 0x0020,
    STUN_RESERVATION_TOKEN = 0x0022,
    STUN_PRIORITY = 0x0024,
    STUN_USE_CANDIDATE = 0x0025,
    STUN_PADDING = 0x0026,       /* RFC 5780 */
    STUN_RESPONSE_PORT = 0x0027, /* RFC 5780 */
    STUN_CONNECTION_ID = 0x002a, /* RFC 6062 */
    STUN_ADDITIONAL_ADDRESS_FAMILY = 0x8000,
    STUN_ADDRESS_ERROR_CODE = 0x8001,
    STUN_PASSWORD_ALGORITHMS = 0x8002,
    STUN_ALTERNATE_DOMAIN = 0x8003,
    STUN_ICMP = 0x8004,
    STUN_SOFTWARE = 0x8022,
    STUN_ALTERNATE_SERVER = 0x8023,
    STUN_CACHE_TIMEOUT = 0x8027, /* RFC 5780 */
    STUN_FINGERPRINT = 0x8028,
    STUN_ICE_CONTROLLED = 0x8029,
    STUN_ICE_CONTROLLING = 0x802a,
    STUN_RESPONSE_ORIGIN = 0x802b, /* RFC 5780 */
    STUN_OTHER_ADDRESS = 0x802c,   /* RFC 5780 */
    STUN_MOBILITY_TICKET = 0x8030, /* RFC 8016 */
    /* ADDITIONAL-ADDRESS-FAMILY in the draft before RFC 8656, as coturn's clients still have it */
    STUN_ADDITIONAL_FAMILY_DRAFT = 0x8032
};

struct stun_attr {
    uint16_t type;
    uint16_t at; /* where it begins in the datagram */
    struct view value;
};

struct stun_msg {
    enum stun_class class;
    uint16_t method; /* 12 bits */
    struct view datagram;
    struct view transaction;
    bool has_fingerprint; /* and it was right */
    uint32_t attr_count;  /* those that count: see stun_read */
    struct stun_attr attrs[STUN_ATTRS_MAX];
};

/* How many bytes the message at the front of a stream has (RFC 8489, section 6.2.2).
 *   OK            *size is the message's, header included.
 *   ERR_MORE      fewer than a header are there.
 *   ERR_NOT_STUN  end the stream. */
MUST_USE int stun_size(struct view bytes, size_t *size);

/* Reads one whole datagram into *msg, in O(size).
 *
 *   OK             *msg is valid.  FINGERPRINT, where there is one, was right; integrity has not
 *                  been checked.  Attributes behind MESSAGE-INTEGRITY are left out, but for
 *                  MESSAGE-INTEGRITY-SHA256 and FINGERPRINT (section 14.5).
 *   ERR_NOT_STUN   try the next protocol (RFC 7983).
 *   ERR_MALFORMED  drop it and count it; never answer.  So is a message of over 65,535 bytes.
 *   ERR_LIMIT      more than STUN_ATTRS_MAX attributes.
 *
 * On error *msg is untouched. */
MUST_USE int stun_read(struct view datagram, struct stun_msg *msg);

/* The first attribute of that type; NULL when there is none. */
const struct stun_attr *stun_find(const struct stun_msg *msg, uint16_t type);

/* Whether MESSAGE-INTEGRITY (SHA-1) or MESSAGE-INTEGRITY-SHA256 is there and right under the
 * key. */
bool stun_integrity_valid(const struct stun_msg *msg, struct view key);
bool stun_integrity_sha256_valid(const struct stun_msg *msg, struct view key);

/* Reads an attribute in the form of MAPPED-ADDRESS, or of XOR-MAPPED-ADDRESS.  ERR_MALFORMED. */
MUST_USE int stun_read_address(const struct stun_attr *attr, struct address *address);
MUST_USE int stun_read_xor_address(const struct stun_msg *msg, const struct stun_attr *attr,
                                   struct address *address);

/* Reads ERROR-CODE: a code of 300 to 699.  ERR_MALFORMED. */
MUST_USE int stun_read_error(const struct stun_attr *attr, unsigned *code, struct view *reason);

/* Writes a message attribute by attribute.  What does not fit sets `overflow`. */
struct stun_writer {
    uint8_t *at;
    size_t size;
    size_t capacity;
    bool overflow;
};

void stun_begin(struct stun_writer *writer, uint8_t *out, size_t capacity, enum stun_class class,
                uint16_t method, const uint8_t transaction[STUN_TRANSACTION_SIZE]);
/* Padding is zeros. */
void stun_add(struct stun_writer *writer, uint16_t type, struct view value);
void stun_add_xor_address(struct stun_writer *writer, uint16_t type, const struct address *address);
void stun_add_address(struct stun_writer *writer, uint16_t type, const struct address *address);
/* An empty reason is allowed. */
void stun_add_error(struct stun_writer *writer, unsigned code, struct view reason);
void stun_add_integrity(struct stun_writer *writer, struct view key);
void stun_add_integrity_sha256(struct stun_writer *writer, struct view key);
/* The same, its value cut to `size` bytes: 16, 20, 24, 28 or 32 (section 14.6). */
void stun_add_integrity_sha256_cut(struct stun_writer *writer, struct view key, size_t size);
void stun_add_fingerprint(struct stun_writer *writer); /* the last */

/* A message as one line, for a trace; gives its length, cut to `capacity`. */
size_t stun_print(const struct stun_msg *msg, char *out, size_t capacity);

#endif
