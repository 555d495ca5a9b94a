/* pcap.h - writes packets as a capture file that Wireshark and tcpdump read (the libpcap format,
 * draft-ietf-opsawg-pcap): raw IP packets, with UDP headers made up around what is captured.
 *
 * Pure functions over caller memory.
 */
#ifndef MOIM_WIRE_PCAP_H
#define MOIM_WIRE_PCAP_H

#include "base/address.h"
#include "base/usec.h"
#include "base/view.h"

#define PCAP_HEADER_SIZE 24
#define PCAP_RECORD_MAX  64    /* what stands before a payload, at most */
#define PCAP_PAYLOAD_MAX 60000 /* bytes */

/* What a file begins with. */
void pcap_write_header(uint8_t out[PCAP_HEADER_SIZE]);

/* A datagram with that payload, of at most PCAP_PAYLOAD_MAX bytes: writes what stands before it in
 * the file, and gives its size; the payload is to follow as it is.  `unix_time` is in microseconds
 * since 1970.  The addresses are of one family; of others than IPv4 and IPv6 nothing is told. */
size_t pcap_write_record(uint8_t out[PCAP_RECORD_MAX], usec unix_time, const struct address *from,
                         const struct address *to, struct view payload);

#endif
