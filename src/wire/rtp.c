#include "wire/rtp.h"

#include "base/bytes.h"

#include <assert.h>
#include <stdio.h>

bool rtp_is_rtcp(struct view datagram)
{
    return datagram.size >= 2 && datagram.at[1] >= 192 && datagram.at[1] <= 223;
}

static int add_extension(struct rtp_packet *packet, unsigned id, size_t at, size_t size)
{
    if (packet->extension_count == RTP_EXTENSIONS_MAX)
        return ERR_LIMIT;
    packet->needs_two_byte = packet->needs_two_byte || size == 0 || size > 16;
    packet->extensions[packet->extension_count++] = (struct rtp_extension){
        .id = (uint8_t)id,
        .size = (uint8_t)size,
        .at = (uint16_t)at,
    };
    return OK;
}

/* RFC 8285, section 4.2: an identifier of 15, or padding with a length, ends the extension. */
static int read_one_byte(struct rtp_packet *packet, const uint8_t *bytes, size_t at, size_t end)
{
    while (at < end) {
        unsigned id = bytes[at] >> 4;
        size_t size = (bytes[at] & 0xfu) + 1;
        if (bytes[at] == 0) {
            at++;
            continue;
        }
        if (id == 0 || id == 15)
            return OK;
        if (size > end - at - 1)
            return ERR_MALFORMED;
        int status = add_extension(packet, id, at + 1, size);
        if (status != OK)
            return status;
        at += 1 + size;
    }
    return OK;
}

/* RFC 8285, section 4.3: padding has no length; a value may be empty. */
static int read_two_byte(struct rtp_packet *packet, const uint8_t *bytes, size_t at, size_t end)
{
    while (at < end) {
        unsigned id = bytes[at++];
        if (id == 0)
            continue;
        if (at == end || bytes[at] > end - at - 1)
            return ERR_MALFORMED;
        int status = add_extension(packet, id, at + 1, bytes[at]);
        if (status != OK)
            return status;
        at += 1 + (size_t)bytes[at];
    }
    return OK;
}

/* The extension at `at`, where the CSRCs end; *end is where it ends. */
static int read_extension(struct rtp_packet *packet, struct view datagram, size_t at, size_t *end)
{
    if (datagram.size - at < 4)
        return ERR_MALFORMED;
    unsigned profile = bytes_read_16(datagram.at + at);
    size_t size = bytes_read_16(datagram.at + at + 2) * (size_t)4;
    at += 4;
    if (size > datagram.size - at)
        return ERR_MALFORMED;
    *end = at + size;
    if (profile == RTP_PROFILE_ONE_BYTE)
        return read_one_byte(packet, datagram.at, at, at + size);
    if ((profile & 0xfff0) == RTP_PROFILE_TWO_BYTE)
        return read_two_byte(packet, datagram.at, at, at + size);
    return OK;
}

int rtp_read_header(struct view datagram, struct rtp_packet *packet)
{
    if (datagram.size < RTP_FIXED_SIZE || datagram.size > UINT16_MAX)
        return ERR_MALFORMED;
    const uint8_t *bytes = datagram.at;
    if (bytes[0] >> 6 != 2)
        return ERR_MALFORMED;
    struct rtp_packet read;
    read.csrc_count = bytes[0] & 0xf;
    read.has_padding = bytes[0] & 0x20;
    read.marker = bytes[1] & 0x80;
    read.payload_type = bytes[1] & 0x7f;
    read.sequence_number = bytes_read_16(bytes + 2);
    read.timestamp = bytes_read_32(bytes + 4);
    read.ssrc = bytes_read_32(bytes + 8);
    read.padding_size = 0;
    read.needs_two_byte = false;
    read.extension_count = 0;

    size_t end = RTP_FIXED_SIZE + 4 * (size_t)read.csrc_count;
    if (end > datagram.size)
        return ERR_MALFORMED;
    if (bytes[0] & 0x10) {
        int status = read_extension(&read, datagram, end, &end);
        if (status != OK)
            return status;
    }
    read.header_size = (uint16_t)end;
    read.payload_size = (uint16_t)(datagram.size - end);
    *packet = read;
    return OK;
}

int rtp_read_padding(struct rtp_packet *packet, const uint8_t *bytes)
{
    if (!packet->has_padding || packet->padding_size)
        return OK;
    if (packet->payload_size == 0)
        return ERR_MALFORMED;
    uint8_t size = bytes[packet->header_size + packet->payload_size - 1];
    if (size == 0 || size > packet->payload_size)
        return ERR_MALFORMED;
    packet->padding_size = size;
    packet->payload_size = (uint16_t)(packet->payload_size - size);
    return OK;
}

int rtp_read(struct view datagram, struct rtp_packet *packet)
{
    struct rtp_packet read;
    int status = rtp_read_header(datagram, &read);
    if (status == OK)
        status = rtp_read_padding(&read, datagram.at);
    if (status == OK)
        *packet = read;
    return status;
}

uint32_t rtp_csrc(const struct rtp_packet *packet, const uint8_t *bytes, unsigned n)
{
    assert(n < packet->csrc_count);
    return bytes_read_32(bytes + RTP_FIXED_SIZE + 4 * (size_t)n);
}

const struct rtp_extension *rtp_find_extension(const struct rtp_packet *packet, unsigned id)
{
    for (unsigned i = 0; i < packet->extension_count; i++)
        if (packet->extensions[i].id == id)
            return &packet->extensions[i];
    return NULL;
}

bool rtp_extension_value(const struct rtp_packet *packet, const uint8_t *bytes, unsigned id,
                         struct view *value)
{
    const struct rtp_extension *extension = rtp_find_extension(packet, id);
    if (!extension)
        return false;
    *value = view_make(bytes + extension->at, extension->size);
    return true;
}

size_t rtp_print(const struct rtp_packet *packet, char *out, size_t capacity)
{
    size_t n =
        (size_t)snprintf(out, capacity, "rtp ssrc=%08x pt=%u seq=%u ts=%u%s payload=%u",
                         packet->ssrc, packet->payload_type, packet->sequence_number,
                         packet->timestamp, packet->marker ? " marker" : "", packet->payload_size);
    if (packet->padding_size && n < capacity)
        n += (size_t)snprintf(out + n, capacity - n, " padding=%u", packet->padding_size);
    for (unsigned i = 0; i < packet->extension_count && n < capacity; i++)
        n += (size_t)snprintf(out + n, capacity - n, " %u(%u)", packet->extensions[i].id,
                              packet->extensions[i].size);
    return n < capacity ? n : capacity ? capacity - 1 : 0;
}
