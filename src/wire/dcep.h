/* dcep.h - reads and writes messages that open data channels (RFC 8832).
 *
 * Pure functions over caller memory.  They travel on the channel's own stream, under the payload
 * protocol identifier DCEP_PPID.
 */
#ifndef MOIM_WIRE_DCEP_H
#define MOIM_WIRE_DCEP_H

#include "base/status.h"
#include "base/view.h"

#define DCEP_PPID      50
#define DCEP_OPEN_SIZE 12 /* and then the label and the protocol */

enum dcep_type { DCEP_ACK = 2, DCEP_OPEN = 3 };

enum dcep_reliability { DCEP_RELIABLE = 0, DCEP_RETRANSMITS = 1, DCEP_LIFETIME = 2 };

struct dcep_open {
    uint8_t reliability; /* enum dcep_reliability */
    bool is_unordered;
    uint16_t priority;
    uint32_t parameter; /* how many retransmissions at most, or how many ms; 0 when reliable */
    struct view label;  /* UTF-8, both */
    struct view protocol;
};

/* What kind a message is: its first byte; ERR_MALFORMED: neither kind, or an ACK that is longer. */
MUST_USE int dcep_read_type(struct view message, enum dcep_type *type);

/* A message of DCEP_OPEN; the views lie in it.
 *   ERR_MALFORMED    too short, or longer than it says
 *   ERR_UNSUPPORTED  a channel type that RFC 8832 does not know
 *   ERR_UTF8         a label or protocol that is none
 * On error *open is untouched. */
MUST_USE int dcep_read_open(struct view message, struct dcep_open *open);

static inline size_t dcep_open_size(const struct dcep_open *open)
{
    return DCEP_OPEN_SIZE + open->label.size + open->protocol.size;
}

/* Writes dcep_open_size bytes.  Label and protocol are at most 65535 bytes each. */
void dcep_write_open(const struct dcep_open *open, uint8_t *out);

#endif
