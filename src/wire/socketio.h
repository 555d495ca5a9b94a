/* socketio.h - reads and writes Socket.IO packets: protocol 5, and the older one of 2.x clients.
 *
 * Pure functions over caller memory; what is read are views into the text.  JSON is checked to its
 * end but never taken apart: arguments pass byte for byte.  The two protocols are written alike;
 * they differ in what CONNECT and ERROR hold and when they are sent, which is the caller's matter.
 */
#ifndef MOIM_WIRE_SOCKETIO_H
#define MOIM_WIRE_SOCKETIO_H

#include "base/status.h"
#include "base/view.h"

#define SOCKETIO_ATTACHMENTS_MAX 16
#define SOCKETIO_DEPTH_MAX       64 /* of the JSON */
#define SOCKETIO_NAMESPACE_MAX   128
#define SOCKETIO_ID_MAX          ((uint64_t)1 << 53)

enum socketio_type {
    SOCKETIO_CONNECT,
    SOCKETIO_DISCONNECT,
    SOCKETIO_EVENT,
    SOCKETIO_ACK,
    SOCKETIO_ERROR, /* CONNECT_ERROR in protocol 5 */
    SOCKETIO_BINARY_EVENT,
    SOCKETIO_BINARY_ACK
};

struct socketio_packet {
    enum socketio_type type;
    unsigned attachments;   /* of the binary types: so many binary messages follow */
    struct view name_space; /* "/" when none is named; without its query */
    struct view query;      /* behind the '?' of a namespace; 2.x clients have one in CONNECT */
    bool has_id;
    uint64_t id;       /* of the acknowledgement that is wanted, or that this is */
    struct view data;  /* JSON as it was sent, empty when there is none */
    struct view event; /* of events: the name, between its quotes; empty for a number */
    struct view rest;  /* of events: the arguments behind the name, with commas between them */
};

/* Reads one packet's text, in O(size).
 *   OK             *packet is valid: its JSON is well-formed and of the kind that its type wants
 *                  (CONNECT none or an object; DISCONNECT none; events an array that begins with a
 *                  name or a number; acknowledgements an array and an id).  Each placeholder of a
 *                  binary packet names an attachment.  Event names that clients keep to themselves
 *                  ("connect", "disconnect" ...) are refused.
 *   ERR_MALFORMED  close the connection.
 *   ERR_LIMIT      more attachments, depth or name than the limits above: close it, too. */
MUST_USE int socketio_read(struct view text, struct socketio_packet *packet);

/* Writes a packet's text from its type, attachments, name_space, id and data.  A namespace of ""
 * is "/".  ERR_LIMIT: it does not fit. */
MUST_USE int socketio_write(const struct socketio_packet *packet, uint8_t *out, size_t capacity,
                            size_t *size);
/* Bytes that socketio_write adds at most, over namespace and data. */
#define SOCKETIO_FRAMING_MAX 48

/* ---- socketio_json.c: JSON, checked and skipped ---- */

/* Takes one JSON value (RFC 8259) and the white space around it off the front of *rest, in
 * O(size).  With attachments of at least 0, objects whose "_placeholder" is true must have a "num"
 * below it; with -1 they are like others.
 *   ERR_MALFORMED, ERR_LIMIT (deeper than SOCKETIO_DEPTH_MAX): *rest is untouched. */
MUST_USE int socketio_skip_value(struct view *rest, int attachments, struct view *value);

#endif
