#include "wire/rtp_header.h"

#include "base/bytes.h"

#include <assert.h>
#include <string.h>

#define ONE_BYTE_VALUE_MAX 16

/* Where elements end at the latest: padding and an original sequence number still fit behind. */
#define ELEMENTS_END (RTP_HEADER_MAX - 4)

void rtp_plan_begin(struct rtp_plan *plan, bool has_two_byte)
{
    *plan = (struct rtp_plan){ .has_two_byte = has_two_byte };
}

static bool is_id(unsigned id)
{
    return id >= 1 && id <= RTP_ID_MAX;
}

int rtp_plan_map(struct rtp_plan *plan, unsigned from, unsigned to)
{
    if (!is_id(from) || !is_id(to))
        return ERR_UNSUPPORTED;
    plan->to[from] = (uint8_t)to;
    return OK;
}

int rtp_plan_add(struct rtp_plan *plan, unsigned id, struct view value)
{
    if (!is_id(id) || value.size == 0 || value.size > ONE_BYTE_VALUE_MAX)
        return ERR_UNSUPPORTED;
    if (1 + value.size > (size_t)RTP_OWN_SIZE - plan->own_size)
        return ERR_LIMIT;
    plan->own[plan->own_size] = (uint8_t)(id << 4 | (unsigned)(value.size - 1));
    memcpy(plan->own + plan->own_size + 1, value.at, value.size);
    plan->own_size = (uint8_t)(plan->own_size + 1 + value.size);
    return OK;
}

int rtp_plan_add_transport_cc(struct rtp_plan *plan, unsigned id)
{
    uint8_t at = (uint8_t)(plan->own_size + 1);
    int status = rtp_plan_add(plan, id, VIEW("\0\0"));
    if (status == OK)
        plan->transport_cc_at = at;
    return status;
}

int rtp_plan_add_abs_send_time(struct rtp_plan *plan, unsigned id)
{
    uint8_t at = (uint8_t)(plan->own_size + 1);
    int status = rtp_plan_add(plan, id, VIEW("\0\0\0"));
    if (status == OK)
        plan->abs_send_time_at = at;
    return status;
}

void rtp_plan_watch(struct rtp_plan *plan, unsigned from)
{
    assert(from <= RTP_ID_MAX);
    plan->watched = (uint8_t)from;
}

static unsigned map_id(const struct rtp_plan *plan, const struct rtp_extension *extension)
{
    return extension->id <= RTP_ID_MAX ? plan->to[extension->id] : 0;
}

static bool fits_one_byte(const struct rtp_extension *extension)
{
    return extension->size >= 1 && extension->size <= ONE_BYTE_VALUE_MAX;
}

/* Whether an element that goes on needs the two-byte form, and the receiver knows it. */
static bool needs_two_byte(const struct rtp_plan *plan, const struct rtp_packet *packet)
{
    if (!plan->has_two_byte || !packet->needs_two_byte)
        return false;
    for (unsigned i = 0; i < packet->extension_count; i++)
        if (!fits_one_byte(&packet->extensions[i]) && map_id(plan, &packet->extensions[i]))
            return true;
    return false;
}

/* Writes the elements from `at` on; gives where they end.  A value is copied as 16 bytes where so
 * many can be read: that is one load and one store. */
static size_t write_one_byte(const struct rtp_plan *plan, const struct rtp_packet *packet,
                             const uint8_t *bytes, uint8_t *restrict out, size_t at,
                             struct rtp_written *written)
{
    size_t readable = (size_t)packet->header_size + packet->payload_size;
    memcpy(out + at, plan->own, RTP_OWN_SIZE);
    at += plan->own_size;
    for (unsigned i = 0; i < packet->extension_count; i++) {
        const struct rtp_extension *extension = &packet->extensions[i];
        unsigned id = map_id(plan, extension);
        if (id == 0 || !fits_one_byte(extension))
            continue;
        if (at + 1 + ONE_BYTE_VALUE_MAX > ELEMENTS_END)
            break;
        out[at] = (uint8_t)(id << 4 | (extension->size - 1u));
        if ((size_t)extension->at + ONE_BYTE_VALUE_MAX <= readable)
            memcpy(out + at + 1, bytes + extension->at, ONE_BYTE_VALUE_MAX);
        else
            memcpy(out + at + 1, bytes + extension->at, extension->size);
        if (extension->id == plan->watched)
            written->watched_at = (uint16_t)(at + 1);
        at += 1 + (size_t)extension->size;
    }
    return at;
}

/* An element in the two-byte form; false, with nothing written, where it does not fit. */
static bool write_element(uint8_t *out, size_t *at, unsigned id, const uint8_t *value, size_t size)
{
    if (*at + 2 + size > ELEMENTS_END)
        return false;
    out[*at] = (uint8_t)id;
    out[*at + 1] = (uint8_t)size;
    if (size)
        memcpy(out + *at + 2, value, size);
    *at += 2 + size;
    return true;
}

static size_t write_two_byte(const struct rtp_plan *plan, const struct rtp_packet *packet,
                             const uint8_t *bytes, uint8_t *out, size_t at,
                             struct rtp_written *written)
{
    for (size_t own = 0; own < plan->own_size;) {
        size_t size = (plan->own[own] & 0xfu) + 1;
        if (own + 1 == plan->transport_cc_at)
            written->transport_cc_at = (uint16_t)(at + 2);
        if (own + 1 == plan->abs_send_time_at)
            written->abs_send_time_at = (uint16_t)(at + 2);
        /* there is room: at most 76 bytes come before, and own elements are at most 48 */
        (void)write_element(out, &at, plan->own[own] >> 4, plan->own + own + 1, size);
        own += 1 + size;
    }
    for (unsigned i = 0; i < packet->extension_count; i++) {
        const struct rtp_extension *extension = &packet->extensions[i];
        unsigned id = map_id(plan, extension);
        if (id == 0)
            continue;
        if (!write_element(out, &at, id, bytes + extension->at, extension->size))
            break;
        if (extension->id == plan->watched)
            written->watched_at = (uint16_t)(at - extension->size);
    }
    return at;
}

/* The whole extension, from where the CSRCs end; gives where the header ends. */
static size_t write_extension(const struct rtp_plan *plan, const struct rtp_packet *packet,
                              const uint8_t *bytes, uint8_t *out, size_t at,
                              struct rtp_written *written)
{
    size_t end;
    unsigned profile = RTP_PROFILE_ONE_BYTE;
    if (needs_two_byte(plan, packet)) {
        profile = RTP_PROFILE_TWO_BYTE;
        end = write_two_byte(plan, packet, bytes, out, at + 4, written);
    } else {
        end = write_one_byte(plan, packet, bytes, out, at + 4, written);
        if (plan->transport_cc_at)
            written->transport_cc_at = (uint16_t)(at + 4 + plan->transport_cc_at);
        if (plan->abs_send_time_at)
            written->abs_send_time_at = (uint16_t)(at + 4 + plan->abs_send_time_at);
    }
    if (end == at + 4)
        return at;
    memset(out + end, 0, 3);
    size_t words = (end - at - 4 + 3) / 4;
    bytes_write_16(out + at, profile);
    bytes_write_16(out + at + 2, (uint32_t)words);
    out[0] |= 0x10;
    return at + 4 + 4 * words;
}

void rtp_write_header(const struct rtp_plan *plan, const struct rtp_packet *packet,
                      const uint8_t *bytes, const struct rtp_values *values, uint8_t *restrict out,
                      struct rtp_written *written)
{
    size_t at = RTP_FIXED_SIZE;
    assert(values->payload_type <= 127);
    *written = (struct rtp_written){ 0 };
    out[0] = (uint8_t)(0x80 | values->has_padding << 5 | packet->csrc_count);
    out[1] = (uint8_t)(values->marker << 7 | values->payload_type);
    bytes_write_16(out + 2, values->sequence_number);
    bytes_write_32(out + 4, values->timestamp);
    bytes_write_32(out + 8, values->ssrc);
    if (packet->csrc_count) {
        memcpy(out + at, bytes + at, 4 * (size_t)packet->csrc_count);
        at += 4 * (size_t)packet->csrc_count;
    }
    if (plan->own_size || packet->extension_count)
        at = write_extension(plan, packet, bytes, out, at, written);
    written->size = (uint16_t)at;
}

void rtp_write_osn(uint8_t *out, struct rtp_written *written, uint16_t sequence_number)
{
    assert(written->size <= RTP_HEADER_MAX - RTX_OSN_SIZE);
    bytes_write_16(out + written->size, sequence_number);
    written->size = (uint16_t)(written->size + RTX_OSN_SIZE);
}

int rtp_unwrap_rtx(struct span *bytes, struct rtp_packet *packet, uint32_t ssrc,
                   unsigned payload_type)
{
    assert(payload_type <= 127);
    if (packet->payload_size == 0)
        return ERR_NOT_FOUND;
    if (packet->payload_size < RTX_OSN_SIZE)
        return ERR_MALFORMED;
    uint8_t *from = bytes->at;
    uint16_t sequence_number = bytes_read_16(from + packet->header_size);
    memmove(from + RTX_OSN_SIZE, from, packet->header_size);
    *bytes = span_behind(*bytes, RTX_OSN_SIZE);
    bytes->at[1] = (uint8_t)((bytes->at[1] & 0x80) | payload_type);
    bytes_write_16(bytes->at + 2, sequence_number);
    bytes_write_32(bytes->at + 8, ssrc);
    packet->sequence_number = sequence_number;
    packet->ssrc = ssrc;
    packet->payload_type = (uint8_t)payload_type;
    packet->payload_size = (uint16_t)(packet->payload_size - RTX_OSN_SIZE);
    return OK;
}
