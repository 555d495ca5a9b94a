#include "wire/pcap.h"

#include <assert.h>
#include <string.h>

#define MAGIC        0xa1b2c3d4 /* microseconds */
#define LINKTYPE_RAW 101        /* a packet begins with its IP header */
#define SNAPSHOT_MAX 65535
#define UDP          17
#define UDP_SIZE     8
#define IPV4_SIZE    20
#define IPV6_SIZE    40
#define HOPS         64
#define RECORD_SIZE  16

static uint8_t *put16(uint8_t *at, unsigned number)
{
    at[0] = (uint8_t)(number >> 8);
    at[1] = (uint8_t)number;
    return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t number)
{
    return put16(put16(at, number >> 16), number & 0xffff);
}

void pcap_write_header(uint8_t out[PCAP_HEADER_SIZE])
{
    uint8_t *at = put32(out, MAGIC);
    at = put16(put16(at, 2), 4); /* the format's version */
    at = put32(put32(at, 0), 0); /* time zone and accuracy: always 0 */
    put32(put32(at, SNAPSHOT_MAX), LINKTYPE_RAW);
}

/* ---- checksums (RFC 1071) ---- */

static uint32_t add_bytes(uint32_t sum, struct view bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        sum += i % 2 ? bytes.at[i] : (uint32_t)bytes.at[i] << 8;
    return sum;
}

static unsigned fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

/* ---- headers ---- */

/* Addresses, as they stand in the IP header, are part of the sum (RFC 768). */
static void put_udp(uint8_t *at, const struct address *from, const struct address *to,
                    struct view payload, struct view addresses)
{
    unsigned size = (unsigned)(UDP_SIZE + payload.size);
    put16(put16(put16(put16(at, from->port), to->port), size), 0);
    uint32_t sum = add_bytes(add_bytes(UDP + size, addresses), view_make(at, UDP_SIZE));
    unsigned checksum = fold(add_bytes(sum, payload));
    put16(at + 6, checksum ? checksum : 0xffff);
}

static size_t put_ipv4(uint8_t *out, const struct address *from, const struct address *to,
                       struct view payload)
{
    const unsigned total = (unsigned)(IPV4_SIZE + UDP_SIZE + payload.size);
    uint8_t *at = put16(put16(out, 0x4500), total);
    at = put32(at, 0x4000); /* number 0, DF */
    at = put32(at, HOPS << 24 | UDP << 16);
    memcpy(at, from->bytes, 4);
    memcpy(at + 4, to->bytes, 4);
    put16(out + 10, fold(add_bytes(0, view_make(out, IPV4_SIZE))));
    put_udp(out + IPV4_SIZE, from, to, payload, view_make(at, 8));
    return IPV4_SIZE + UDP_SIZE;
}

static size_t put_ipv6(uint8_t *out, const struct address *from, const struct address *to,
                       struct view payload)
{
    uint8_t *at = put32(out, 0x60000000);
    at = put16(at, (unsigned)(UDP_SIZE + payload.size));
    at = put16(at, UDP << 8 | HOPS);
    memcpy(at, from->bytes, 16);
    memcpy(at + 16, to->bytes, 16);
    put_udp(out + IPV6_SIZE, from, to, payload, view_make(at, 32));
    return IPV6_SIZE + UDP_SIZE;
}

size_t pcap_write_record(uint8_t out[PCAP_RECORD_MAX], usec unix_time, const struct address *from,
                         const struct address *to, struct view payload)
{
    uint8_t *ip = out + RECORD_SIZE;
    size_t size;
    assert(payload.size <= PCAP_PAYLOAD_MAX && from->family == to->family);
    if (from->family == ADDRESS_IPV4)
        size = put_ipv4(ip, from, to, payload);
    else if (from->family == ADDRESS_IPV6)
        size = put_ipv6(ip, from, to, payload);
    else
        return 0;
    const uint32_t captured = (uint32_t)(size + payload.size);
    uint8_t *at = put32(out, (uint32_t)(unix_time / USEC_S));
    at = put32(at, (uint32_t)(unix_time % USEC_S));
    put32(put32(at, captured), captured);
    return RECORD_SIZE + size;
}
