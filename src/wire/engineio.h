/* engineio.h - reads and writes Engine.IO packets, protocol revisions 4 and 3.
 *
 * Pure functions over caller memory.  A packet is one WebSocket frame, or one of many in a polling
 * payload; the payload's form depends on the revision and on what the client can take.
 */
#ifndef MOIM_WIRE_ENGINEIO_H
#define MOIM_WIRE_ENGINEIO_H

#include "base/status.h"
#include "base/view.h"

enum engineio_type {
    ENGINEIO_OPEN,
    ENGINEIO_CLOSE,
    ENGINEIO_PING,
    ENGINEIO_PONG,
    ENGINEIO_MESSAGE,
    ENGINEIO_UPGRADE,
    ENGINEIO_NOOP
};

enum engineio_data {
    ENGINEIO_TEXT,  /* valid UTF-8 */
    ENGINEIO_BYTES, /* as they are; of messages alone */
    ENGINEIO_BASE64 /* bytes as base64, to be read with engineio_read_base64; never written */
};

struct engineio_packet {
    enum engineio_type type;
    enum engineio_data kind;
    struct view data;
};

#define ENGINEIO_SEPARATOR 0x1e

enum engineio_form {
    ENGINEIO_4, /* packets between separators, which no text may hold; bytes are 'b' and base64 */
    ENGINEIO_3_TEXT,  /* length ':' packet, counted in UTF-16 units; bytes are "b4" and base64 */
    ENGINEIO_3_BINARY /* 0 or 1, the length's digits as bytes of 0 to 9, 0xff, packet; in bytes */
};

/* Takes the next packet off the front of a payload.
 *   OK             *packet is a view into the payload.
 *   ERR_NOT_FOUND  the payload is used up.
 *   ERR_MALFORMED  close the session.  So is an empty payload's first packet in ENGINEIO_4. */
struct engineio_reader {
    struct view rest;
    enum engineio_form form;
    bool is_over;
};
struct engineio_reader engineio_reader_make(struct view payload, enum engineio_form form);
MUST_USE int engineio_read(struct engineio_reader *reader, struct engineio_packet *packet);

/* Reads one WebSocket message.  revision: 3 or 4.  ERR_MALFORMED: close the session. */
MUST_USE int engineio_read_frame(struct view frame, bool is_binary, unsigned revision,
                                 struct engineio_packet *packet);

/* The bytes of standard base64, with its padding or without it.
 *   ERR_MALFORMED  another alphabet or length.
 *   ERR_LIMIT      more than `capacity` bytes: text.size / 4 * 3 + 3 are always enough. */
MUST_USE int engineio_read_base64(struct view text, uint8_t *out, size_t capacity, size_t *size);

/* Adds packets to a payload. */
struct engineio_writer {
    uint8_t *at;
    size_t size;
    size_t capacity;
    enum engineio_form form;
};

/* Bytes that engineio_write adds at most, over the data's own; and to base64 for bytes. */
#define ENGINEIO_FRAMING_MAX       24
#define ENGINEIO_BASE64_SIZE(size) (((size) + 2) / 3 * 4)

/* ERR_LIMIT: the packet does not fit, and nothing was added. */
MUST_USE int engineio_write(struct engineio_writer *writer, const struct engineio_packet *packet);

/* What stands before a packet's data in a WebSocket frame; gives its size, 0 or 1. */
size_t engineio_write_frame_head(const struct engineio_packet *packet, unsigned revision,
                                 uint8_t head[1]);

/* The handshake's JSON: what an ENGINEIO_OPEN packet holds. */
struct engineio_handshake {
    struct view sid; /* of the URL-safe base64 alphabet */
    bool may_upgrade;
    uint64_t ping_interval_ms;
    uint64_t ping_timeout_ms;
    uint64_t payload_max;
};
#define ENGINEIO_HANDSHAKE_MAX 256
/* ERR_LIMIT: it does not fit. */
MUST_USE int engineio_write_handshake(const struct engineio_handshake *handshake, uint8_t *out,
                                      size_t capacity, size_t *size);

/* A payload in a text form as a script for the client's JSONP callback number `index` (digits).
 * ERR_LIMIT: it does not fit in `capacity`. */
MUST_USE int engineio_write_jsonp(struct view payload, struct view index, uint8_t *out,
                                  size_t capacity, size_t *size);

/* The payload in the body of a JSONP client's POST: the field "d" of a form, in which newlines came
 * as "\n".  `out` holds body.size bytes.  ERR_MALFORMED: there is none, or a bad escape. */
MUST_USE int engineio_read_form(struct view body, uint8_t *out, size_t *size);

#endif
