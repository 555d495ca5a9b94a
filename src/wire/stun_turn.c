#include "wire/stun_turn.h"

#include <assert.h>

static uint16_t read_16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t read_32(const uint8_t *at)
{
    return (uint32_t)read_16(at) << 16 | read_16(at + 2);
}

static void write_32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

int turn_channel_read(struct view datagram, uint16_t *channel, struct view *data)
{
    if (datagram.size == 0 || datagram.at[0] >> 6 != 1)
        return ERR_NOT_FOUND;
    if (datagram.size < TURN_CHANNEL_HEADER_SIZE)
        return ERR_MALFORMED;
    size_t size = read_16(datagram.at + 2);
    if (size > datagram.size - TURN_CHANNEL_HEADER_SIZE)
        return ERR_MALFORMED;
    *channel = read_16(datagram.at);
    *data = view_slice(datagram, TURN_CHANNEL_HEADER_SIZE, size);
    return OK;
}

void turn_channel_write(uint8_t out[TURN_CHANNEL_HEADER_SIZE], uint16_t channel, size_t size)
{
    assert(size <= UINT16_MAX);
    write_32(out, (uint32_t)channel << 16 | (uint32_t)size);
}

int turn_stream_size(struct view bytes, size_t *size)
{
    if (bytes.size && bytes.at[0] >> 6 == 1) {
        if (bytes.size < TURN_CHANNEL_HEADER_SIZE)
            return ERR_MORE;
        size_t data_size = read_16(bytes.at + 2);
        *size = TURN_CHANNEL_HEADER_SIZE + data_size + turn_channel_padding(data_size);
        return OK;
    }
    int status = stun_size(bytes, size);
    return status == ERR_NOT_STUN ? ERR_MALFORMED : status;
}

int stun_read_8(const struct stun_attr *attr, uint8_t *value)
{
    if (attr->value.size != 1)
        return ERR_MALFORMED;
    *value = attr->value.at[0];
    return OK;
}

int stun_read_32(const struct stun_attr *attr, uint32_t *value)
{
    if (attr->value.size != 4)
        return ERR_MALFORMED;
    *value = read_32(attr->value.at);
    return OK;
}

int stun_read_64(const struct stun_attr *attr, uint64_t *value)
{
    if (attr->value.size != 8)
        return ERR_MALFORMED;
    *value = (uint64_t)read_32(attr->value.at) << 32 | read_32(attr->value.at + 4);
    return OK;
}

void stun_add_32(struct stun_writer *writer, uint16_t type, uint32_t value)
{
    uint8_t bytes[4];
    write_32(bytes, value);
    stun_add(writer, type, view_make(bytes, sizeof bytes));
}

void stun_add_64(struct stun_writer *writer, uint16_t type, uint64_t value)
{
    uint8_t bytes[8];
    write_32(bytes, (uint32_t)(value >> 32));
    write_32(bytes + 4, (uint32_t)value);
    stun_add(writer, type, view_make(bytes, sizeof bytes));
}

int stun_read_channel(const struct stun_attr *attr, uint16_t *channel)
{
    uint32_t value;
    int status = stun_read_32(attr, &value);
    if (status == OK)
        *channel = (uint16_t)(value >> 16); /* the rest is reserved */
    return status;
}

void stun_add_channel(struct stun_writer *writer, uint16_t channel)
{
    stun_add_32(writer, STUN_CHANNEL_NUMBER, (uint32_t)channel << 16);
}

int stun_read_protocol(const struct stun_attr *attr, uint8_t *protocol)
{
    uint32_t value;
    int status = stun_read_32(attr, &value);
    if (status == OK)
        *protocol = (uint8_t)(value >> 24);
    return status;
}

void stun_add_protocol(struct stun_writer *writer, enum turn_protocol protocol)
{
    stun_add_32(writer, STUN_REQUESTED_TRANSPORT, (uint32_t)protocol << 24);
}

static bool family_of(unsigned number, enum address_family *family)
{
    if (number != 1 && number != 2)
        return false;
    *family = number == 1 ? ADDRESS_IPV4 : ADDRESS_IPV6;
    return true;
}

static uint32_t number_of(enum address_family family)
{
    return family == ADDRESS_IPV4 ? 1 : 2;
}

int stun_read_family(const struct stun_attr *attr, enum address_family *family)
{
    uint32_t value;
    int status = stun_read_32(attr, &value);
    if (status != OK)
        return status;
    return family_of(value >> 24, family) ? OK : ERR_UNSUPPORTED;
}

void stun_add_family(struct stun_writer *writer, uint16_t type, enum address_family family)
{
    stun_add_32(writer, type, number_of(family) << 24);
}

int stun_read_even_port(const struct stun_attr *attr, bool *reserve)
{
    uint8_t value;
    int status = stun_read_8(attr, &value);
    if (status == OK)
        *reserve = value & 0x80;
    return status;
}

void stun_add_even_port(struct stun_writer *writer, bool reserve)
{
    const uint8_t value = reserve ? 0x80 : 0;
    stun_add(writer, STUN_EVEN_PORT, view_make(&value, 1));
}

int stun_read_address_error(const struct stun_attr *attr, enum address_family *family,
                            unsigned *code)
{
    if (attr->value.size < 4 || !family_of(attr->value.at[0], family))
        return ERR_MALFORMED;
    *code = (attr->value.at[2] & 7) * 100u + attr->value.at[3];
    return OK;
}

void stun_add_address_error(struct stun_writer *writer, enum address_family family, unsigned code)
{
    stun_add_32(writer, STUN_ADDRESS_ERROR_CODE,
                number_of(family) << 24 | code / 100 << 8 | code % 100);
}

int stun_read_icmp(const struct stun_attr *attr, struct stun_icmp *icmp)
{
    if (attr->value.size != 8)
        return ERR_MALFORMED;
    unsigned both = read_16(attr->value.at + 2);
    *icmp = (struct stun_icmp){ (uint8_t)(both >> 9), (uint16_t)(both & 0x1ff),
                                read_32(attr->value.at + 4) };
    return OK;
}

void stun_add_icmp(struct stun_writer *writer, const struct stun_icmp *icmp)
{
    uint64_t both = (uint64_t)(icmp->type << 9 | (icmp->code & 0x1ff));
    stun_add_64(writer, STUN_ICMP, both << 32 | icmp->data);
}

int stun_read_change(const struct stun_attr *attr, bool *address, bool *port)
{
    uint32_t value;
    int status = stun_read_32(attr, &value);
    if (status != OK)
        return status;
    *address = value & 4;
    *port = value & 2;
    return OK;
}
