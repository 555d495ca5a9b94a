/* Messages that open data channels. */
#include "wire/dcep.h"

#include "base/bytes.h"
#include "base/utf8.h"

#include <assert.h>
#include <string.h>

#define UNORDERED 0x80

int dcep_read_type(struct view message, enum dcep_type *type)
{
    if (message.size == 0)
        return ERR_MALFORMED;
    if (message.at[0] == DCEP_ACK && message.size == 1)
        *type = DCEP_ACK;
    else if (message.at[0] == DCEP_OPEN)
        *type = DCEP_OPEN;
    else
        return ERR_MALFORMED;
    return OK;
}

int dcep_read_open(struct view message, struct dcep_open *open)
{
    if (message.size < DCEP_OPEN_SIZE || message.at[0] != DCEP_OPEN)
        return ERR_MALFORMED;
    size_t label = bytes_read_16(message.at + 8);
    size_t protocol = bytes_read_16(message.at + 10);
    if (message.size != DCEP_OPEN_SIZE + label + protocol)
        return ERR_MALFORMED;
    uint8_t reliability = message.at[1] & (uint8_t)~UNORDERED;
    if (reliability > DCEP_LIFETIME)
        return ERR_UNSUPPORTED;
    struct dcep_open read = {
        .reliability = reliability,
        .is_unordered = message.at[1] & UNORDERED,
        .priority = bytes_read_16(message.at + 2),
        /* MUST be ignored when reliable (section 5.1) */
        .parameter = reliability == DCEP_RELIABLE ? 0 : bytes_read_32(message.at + 4),
        .label = view_slice(message, DCEP_OPEN_SIZE, label),
        .protocol = view_slice(message, DCEP_OPEN_SIZE + label, protocol),
    };
    if (!utf8_valid(read.label) || !utf8_valid(read.protocol))
        return ERR_UTF8;
    *open = read;
    return OK;
}

void dcep_write_open(const struct dcep_open *open, uint8_t *out)
{
    assert(open->label.size <= UINT16_MAX && open->protocol.size <= UINT16_MAX);
    out[0] = DCEP_OPEN;
    out[1] = (uint8_t)(open->reliability | (open->is_unordered ? UNORDERED : 0));
    bytes_write_16(out + 2, open->priority);
    bytes_write_32(out + 4, open->parameter);
    bytes_write_16(out + 8, (uint32_t)open->label.size);
    bytes_write_16(out + 10, (uint32_t)open->protocol.size);
    if (open->label.size)
        memcpy(out + DCEP_OPEN_SIZE, open->label.at, open->label.size);
    if (open->protocol.size)
        memcpy(out + DCEP_OPEN_SIZE + open->label.size, open->protocol.at, open->protocol.size);
}
