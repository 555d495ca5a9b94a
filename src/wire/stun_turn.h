/* stun_turn.h - what TURN adds to STUN (RFC 8656, and RFC 5766 before it): the values of its
 * attributes, and ChannelData, the framing of data that is no STUN message.
 *
 * Pure functions over caller memory.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |         Channel Number        |            Length             |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                       Application Data ...
 */
#ifndef MOIM_WIRE_STUN_TURN_H
#define MOIM_WIRE_STUN_TURN_H

#include "wire/stun.h"

#define TURN_CHANNEL_HEADER_SIZE 4

/* RFC 8656 hands out 0x4000 to 0x4fff, RFC 5766 up to 0x7fff: both are taken, for on the port of a
 * TURN server nothing else begins with these bits. */
#define TURN_CHANNEL_MIN 0x4000
#define TURN_CHANNEL_MAX 0x7fff

/* REQUESTED-TRANSPORT: the numbers of IP's protocols */
enum turn_protocol { TURN_TCP = 6, TURN_UDP = 17 };

/* ---- ChannelData (RFC 8656, section 12.4) ---- */

/* Reads one ChannelData message of a datagram; *data is a view into it, perhaps empty.  What
 * follows the data, which over UDP may be padding, is left out.
 *   ERR_NOT_FOUND  its first bits are not a channel's: perhaps STUN.
 *   ERR_MALFORMED  it ends before its data does. */
MUST_USE int turn_channel_read(struct view datagram, uint16_t *channel, struct view *data);

/* Writes the header of `size` bytes of data, at most 65,535. */
void turn_channel_write(uint8_t out[TURN_CHANNEL_HEADER_SIZE], uint16_t channel, size_t size);

/* How many bytes of padding follow `size` bytes of data in a stream. */
static inline size_t turn_channel_padding(size_t size)
{
    return (4 - size % 4) % 4;
}

/* How many bytes the message at the front of a stream between client and server has, STUN or
 * ChannelData, header and padding included.
 *   ERR_MORE       fewer than a header are there.
 *   ERR_MALFORMED  neither: end the stream. */
MUST_USE int turn_stream_size(struct view bytes, size_t *size);

/* ---- the values of attributes; all readers: ERR_MALFORMED when the size is another ---- */

MUST_USE int stun_read_8(const struct stun_attr *attr, uint8_t *value);
MUST_USE int stun_read_32(const struct stun_attr *attr, uint32_t *value);
MUST_USE int stun_read_64(const struct stun_attr *attr, uint64_t *value);
void stun_add_32(struct stun_writer *writer, uint16_t type, uint32_t value);
void stun_add_64(struct stun_writer *writer, uint16_t type, uint64_t value);

/* CHANNEL-NUMBER, any number; ERR_MALFORMED also where the size is wrong. */
MUST_USE int stun_read_channel(const struct stun_attr *attr, uint16_t *channel);
void stun_add_channel(struct stun_writer *writer, uint16_t channel);

/* REQUESTED-TRANSPORT: any number of a protocol. */
MUST_USE int stun_read_protocol(const struct stun_attr *attr, uint8_t *protocol);
void stun_add_protocol(struct stun_writer *writer, enum turn_protocol protocol);

/* REQUESTED-ADDRESS-FAMILY and ADDITIONAL-ADDRESS-FAMILY.  ERR_UNSUPPORTED: no family of ours. */
MUST_USE int stun_read_family(const struct stun_attr *attr, enum address_family *family);
void stun_add_family(struct stun_writer *writer, uint16_t type, enum address_family family);

/* EVEN-PORT, and whether the next port is to be reserved. */
MUST_USE int stun_read_even_port(const struct stun_attr *attr, bool *reserve);
void stun_add_even_port(struct stun_writer *writer, bool reserve);

/* ADDRESS-ERROR-CODE: the family that could not be had, and why (no reason text). */
MUST_USE int stun_read_address_error(const struct stun_attr *attr, enum address_family *family,
                                     unsigned *code);
void stun_add_address_error(struct stun_writer *writer, enum address_family family, unsigned code);

/* ICMP (section 18.13): type (7 bits here, for errors have no higher ones) and code as ICMP or
 * ICMPv6 has them, and four bytes of error data, such as the MTU. */
struct stun_icmp {
    uint8_t type;
    uint16_t code;
    uint32_t data;
};
MUST_USE int stun_read_icmp(const struct stun_attr *attr, struct stun_icmp *icmp);
void stun_add_icmp(struct stun_writer *writer, const struct stun_icmp *icmp);

/* CHANGE-REQUEST (RFC 5780, section 7.2): answer from another address, another port. */
MUST_USE int stun_read_change(const struct stun_attr *attr, bool *address, bool *port);

#endif
