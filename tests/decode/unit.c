/* unit.c - pictures put together from the payloads of RTP packets. */
#include "packets.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/payload_h26x.h"
#include "wire/payload_vp8.h"
#include "wire/payload_vp9.h"

static void append(struct unit *unit, struct view bytes)
{
    assert(unit->size + bytes.size <= sizeof unit->bytes);
    if (bytes.size > 0)
        memcpy(unit->bytes + unit->size, bytes.at, bytes.size);
    unit->size += bytes.size;
}

/* ---- H.264 and H.265 ---- */

static void append_nal(struct unit *unit, struct view nal)
{
    append(unit, VIEW("\0\0\0\1"));
    append(unit, nal);
}

static bool add_units(struct unit *unit, struct view rest)
{
    while (rest.size > 2) {
        size_t size = bytes_read_16(rest.at);
        if (size + 2 > rest.size)
            return false;
        append_nal(unit, view_slice(rest, 2, size));
        rest = view_slice(rest, 2 + size, rest.size);
    }
    return rest.size == 0;
}

static bool add_h264(struct unit *unit, struct view payload)
{
    unsigned type = payload.at[0] & 0x1f;
    if (type == H264_STAP_A)
        return add_units(unit, view_slice(payload, 1, payload.size));
    if (type != H264_FU_A) {
        append_nal(unit, payload);
        return true;
    }
    if (payload.at[1] & 0x80) {
        const uint8_t header[] = { (uint8_t)((payload.at[0] & 0xe0) | (payload.at[1] & 0x1f)) };
        append_nal(unit, view_make(header, 1));
    }
    append(unit, view_slice(payload, 2, payload.size));
    return true;
}

static bool add_h265(struct unit *unit, struct view payload)
{
    unsigned type = payload.at[0] >> 1 & 0x3f;
    if (type == H265_AP)
        return add_units(unit, view_slice(payload, 2, payload.size));
    if (type != H265_FU) {
        append_nal(unit, payload);
        return true;
    }
    if (payload.at[2] & 0x80) {
        const uint8_t header[] = { (uint8_t)((payload.at[0] & 0x81) | (payload.at[2] & 0x3f) << 1),
                                   payload.at[1] };
        append_nal(unit, view_make(header, 2));
    }
    append(unit, view_slice(payload, 3, payload.size));
    return true;
}

/* ---- AV1 ---- */

static size_t take_size(struct view *rest)
{
    size_t value = 0;
    for (unsigned shift = 0; rest->size > 0 && shift < 28; shift += 7) {
        uint8_t byte = rest->at[0];
        *rest = view_slice(*rest, 1, rest->size);
        value |= (size_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            break;
    }
    return value;
}

/* The OBU that is whole now gets a size: four bytes of it, of which the format allows zeros. */
static void close_obu(struct unit *unit)
{
    size_t header = unit->bytes[unit->open_at] & 4 ? 2 : 1;
    size_t size = unit->size - unit->open_at - header;
    uint8_t *at = unit->bytes + unit->open_at + header;
    assert(unit->size + 4 <= sizeof unit->bytes);
    memmove(at + 4, at, size);
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)((size >> 7 * i & 0x7f) | (i < 3 ? 0x80 : 0));
    unit->bytes[unit->open_at] |= 2;
    unit->size += 4;
    unit->is_open = false;
}

static bool add_av1(struct unit *unit, struct view payload)
{
    unsigned flags = payload.at[0], count = flags >> 4 & 3;
    struct view rest = view_slice(payload, 1, payload.size);
    bool continues = flags & 0x80;
    if (continues != unit->is_open)
        return false;
    if (unit->size == 0)
        append(unit, VIEW("\x12\0")); /* a temporal delimiter */
    for (unsigned i = 1; rest.size > 0; i++) {
        size_t size = count == i ? rest.size : take_size(&rest);
        if (size > rest.size)
            return false;
        if (!unit->is_open)
            unit->open_at = unit->size;
        unit->is_open = true;
        append(unit, view_slice(rest, 0, size));
        rest = view_slice(rest, size, rest.size);
        if (rest.size > 0 || !(flags & 0x40))
            close_obu(unit);
    }
    return true;
}

bool unit_add(struct unit *unit, enum payload_codec codec, struct view payload)
{
    struct vp8 vp8;
    struct vp9 vp9;
    switch (codec) {
    case PAYLOAD_VP8:
        if (vp8_read(payload, &vp8) != OK)
            return false;
        append(unit, view_slice(payload, vp8.size, payload.size));
        return true;
    case PAYLOAD_VP9:
        if (vp9_read(payload, &vp9) != OK)
            return false;
        append(unit, view_slice(payload, vp9.size, payload.size));
        return true;
    case PAYLOAD_AV1:
        return add_av1(unit, payload);
    case PAYLOAD_H264:
        return add_h264(unit, payload);
    default:
        return add_h265(unit, payload);
    }
}
