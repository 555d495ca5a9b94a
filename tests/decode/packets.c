#include "packets.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/payload_h26x.h"

#define CLOCK_STEP 3000 /* a picture */

struct maker {
    const struct mode *mode;
    struct numbers *numbers;
    const struct structure *structure;
    const struct frame *frame;
    struct sent *out;
    unsigned count;
};

/* The extension is put in when it is known which packet is the last. */
static struct sent *begin_packet(struct maker *maker)
{
    assert(maker->count < PACKETS_MAX);
    struct sent *sent = &maker->out[maker->count++];
    sent->size = 0;
    return sent;
}

static void add(struct sent *sent, const uint8_t *bytes, size_t size)
{
    assert(sent->size + size <= PACKETS_PAYLOAD + 40);
    memcpy(sent->bytes + sent->size, bytes, size);
    sent->size += size;
}

static void add_byte(struct sent *sent, unsigned byte)
{
    const uint8_t as_byte = (uint8_t)byte;
    add(sent, &as_byte, 1);
}

/* ---- VP8 (RFC 7741) ---- */

static void make_vp8(struct maker *maker, struct view rest)
{
    const struct frame *frame = maker->frame;
    for (bool is_first = true; rest.size > 0; is_first = false) {
        struct sent *sent = begin_packet(maker);
        unsigned begin = (is_first ? 0x10 : 0) |
                         (frame->temporal > 0 && frame->update_slot == NO_SLOT ? 0x20 : 0);
        if (maker->mode->has_descriptors) {
            add_byte(sent, begin);
        } else {
            const uint8_t id[] = { (uint8_t)(0x80 | maker->numbers->picture_id >> 8),
                                   (uint8_t)maker->numbers->picture_id };
            add_byte(sent, begin | 0x80);
            add_byte(sent, 0xf0);
            add(sent, id, 2);
            add_byte(sent, maker->numbers->tl0picidx);
            add_byte(sent, (unsigned)frame->temporal << 6 | (frame->is_sync ? 0x20 : 0) |
                               maker->numbers->keyidx);
        }
        struct view part = view_slice(rest, 0, PACKETS_PAYLOAD);
        add(sent, part.at, part.size);
        rest = view_slice(rest, part.size, rest.size);
    }
}

/* ---- VP9 (RFC 9628) ---- */

static void add_vp9_structure(const struct maker *maker, struct sent *sent)
{
    static const uint8_t OF_THREE[] = { 0, 2, 1, 2 }, BACK[] = { 4, 1, 2, 1 };
    const struct structure *structure = maker->structure;
    bool has_group = !maker->mode->is_flexible;
    unsigned group = 1u << (structure->temporal_count - 1);
    add_byte(sent, (unsigned)(structure->spatial_count - 1) << 5 | 0x10 | (has_group ? 8 : 0));
    for (unsigned i = 0; i < structure->spatial_count; i++) {
        const uint16_t size[] = { structure->widths[i], structure->heights[i] };
        for (unsigned k = 0; k < 2; k++) {
            add_byte(sent, size[k] >> 8);
            add_byte(sent, size[k] & 0xff);
        }
    }
    if (!has_group)
        return;
    add_byte(sent, group);
    for (unsigned i = 0; i < group; i++) {
        unsigned temporal = group == 4 ? OF_THREE[i] : i;
        add_byte(sent, temporal << 5 | 0x10 | 1 << 2);
        add_byte(sent, group == 4 ? BACK[i] : i == 0 ? group : 1);
    }
}

static void add_vp9_descriptor(const struct maker *maker, struct sent *sent, bool is_first,
                               bool is_last)
{
    const struct frame *frame = maker->frame;
    const struct mode *mode = maker->mode;
    bool has_structure = frame->begins_key && is_first;
    unsigned inter = frame->own_slot != NO_SLOT;
    const uint8_t id[] = { (uint8_t)(0x80 | maker->numbers->picture_id >> 8),
                           (uint8_t)maker->numbers->picture_id };
    add_byte(sent, 0x80 | inter << 6 | 0x20 | (mode->is_flexible ? 0x10 : 0) | (is_first ? 8 : 0) |
                       (is_last ? 4 : 0) | (has_structure ? 2 : 0) | !frame->is_upper_reference);
    add(sent, id, 2);
    add_byte(sent, (unsigned)frame->temporal << 5 | 0x10 | (unsigned)frame->spatial << 1 |
                       (frame->lower_slot != NO_SLOT));
    if (!mode->is_flexible) {
        add_byte(sent, maker->numbers->tl0picidx);
    } else if (inter) {
        const struct dd_dependencies *to = &frame->dependencies;
        add_byte(sent, (unsigned)(to->fdiffs[to->fdiff_count - 1] / mode->spatial_count) << 1);
    }
    if (has_structure)
        add_vp9_structure(maker, sent);
}

static void make_vp9(struct maker *maker, struct view rest)
{
    for (bool is_first = true; rest.size > 0; is_first = false) {
        struct sent *sent = begin_packet(maker);
        struct view part = view_slice(rest, 0, PACKETS_PAYLOAD);
        rest = view_slice(rest, part.size, rest.size);
        add_vp9_descriptor(maker, sent, is_first, rest.size == 0);
        add(sent, part.at, part.size);
    }
}

/* ---- AV1 (RTP Payload Format For AV1) ---- */

static size_t read_leb128(struct view *rest)
{
    size_t value = 0;
    for (unsigned shift = 0; rest->size > 0; shift += 7) {
        uint8_t byte = rest->at[0];
        *rest = view_slice(*rest, 1, rest->size);
        value |= (size_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            break;
    }
    return value;
}

static size_t write_leb128(size_t value, uint8_t *out)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        out[size++] = (uint8_t)(value | 0x80);
    out[size++] = (uint8_t)value;
    return size;
}

/* An OBU as an element: without its size.  Gives its size. */
static size_t take_obu(struct view *rest, uint8_t *out)
{
    size_t header = rest->at[0] & 4 ? 2 : 1;
    assert(rest->at[0] & 2);
    memcpy(out, rest->at, header);
    out[0] &= 0xfd;
    *rest = view_slice(*rest, header, rest->size);
    size_t size = read_leb128(rest);
    assert(size <= rest->size && size <= CODED_MAX);
    memcpy(out + header, rest->at, size);
    *rest = view_slice(*rest, size, rest->size);
    return header + size;
}

/* One element a packet; but small ones go before the next, with their sizes. */
static void make_av1(struct maker *maker, struct view rest)
{
    static uint8_t obu[CODED_MAX + 2];
    struct sent *sent = NULL;
    bool is_new = maker->frame->begins_key;
    while (rest.size > 0) {
        size_t size = take_obu(&rest, obu);
        if ((obu[0] >> 3 & 0xf) == 2) /* a temporal delimiter */
            continue;
        struct view left = view_make(obu, size);
        if (size < 60 && rest.size > 0) { /* with its size: W is counted below */
            uint8_t length[8];
            if (!sent) {
                sent = begin_packet(maker);
                add_byte(sent, is_new ? 8 : 0);
            }
            sent->bytes[0] = (uint8_t)(sent->bytes[0] + 0x10);
            add(sent, length, write_leb128(size, length));
            add(sent, obu, size);
            is_new = false;
            continue;
        }
        for (bool is_first = true; left.size > 0; is_first = false) {
            if (!sent) {
                sent = begin_packet(maker);
                add_byte(sent, is_new ? 8 : 0);
            }
            struct view part = view_slice(left, 0, PACKETS_PAYLOAD - sent->size);
            left = view_slice(left, part.size, left.size);
            sent->bytes[0] = (uint8_t)(sent->bytes[0] + 0x10);
            sent->bytes[0] |= (uint8_t)((is_first ? 0 : 0x80) | (left.size ? 0x40 : 0));
            add(sent, part.at, part.size);
            sent = NULL;
            is_new = false;
        }
    }
}

/* ---- H.264 (RFC 6184) and H.265 (RFC 7798) ---- */

/* The next NAL unit of a byte stream. */
static struct view take_unit(struct view *rest)
{
    size_t at = 0, end;
    while (at + 3 <= rest->size && memcmp(rest->at + at, "\0\0\1", 3) != 0)
        at++;
    at += 3;
    for (end = at; end < rest->size; end++)
        if (end + 3 <= rest->size &&
            (memcmp(rest->at + end, "\0\0\1", 3) == 0 || memcmp(rest->at + end, "\0\0\0", 3) == 0))
            break;
    struct view unit = view_slice(*rest, at, end - at);
    *rest = view_slice(*rest, end, rest->size);
    return unit;
}

static void make_fragments(struct maker *maker, struct view unit, bool is_h265)
{
    size_t header = is_h265 ? 2 : 1;
    struct view rest = view_slice(unit, header, unit.size);
    for (bool is_first = true; rest.size > 0; is_first = false) {
        struct sent *sent = begin_packet(maker);
        struct view part = view_slice(rest, 0, PACKETS_PAYLOAD - 4);
        rest = view_slice(rest, part.size, rest.size);
        unsigned ends = (is_first ? 0x80 : 0) | (rest.size ? 0 : 0x40);
        if (is_h265) {
            add_byte(sent, (unit.at[0] & 0x81) | H265_FU << 1);
            add_byte(sent, unit.at[1]);
            add_byte(sent, ends | (unit.at[0] >> 1 & 0x3f));
        } else {
            add_byte(sent, (unit.at[0] & 0xe0) | H264_FU_A);
            add_byte(sent, ends | (unit.at[0] & 0x1f));
        }
        add(sent, part.at, part.size);
    }
}

/* Parameter sets go together. */
static void make_h26x(struct maker *maker, struct view rest, bool is_h265)
{
    struct sent *sets = NULL;
    while (rest.size > 3) {
        struct view unit = take_unit(&rest);
        unsigned type = is_h265 ? unit.at[0] >> 1 & 0x3f : unit.at[0] & 0x1f;
        bool is_set =
            is_h265 ? type >= H265_VPS && type <= H265_PPS : type == H264_SPS || type == H264_PPS;
        if (is_set) {
            if (!sets) {
                sets = begin_packet(maker);
                add_byte(sets, is_h265 ? H265_AP << 1 : (unit.at[0] & 0xe0) | H264_STAP_A);
                if (is_h265)
                    add_byte(sets, 1);
            }
            add_byte(sets, (unsigned)(unit.size >> 8));
            add_byte(sets, unit.size & 0xff);
            add(sets, unit.at, unit.size);
        } else if (unit.size <= PACKETS_PAYLOAD) {
            add(begin_packet(maker), unit.at, unit.size);
        } else {
            make_fragments(maker, unit, is_h265);
        }
    }
}

/* ---- any ---- */

/* Its header, before what stands there. */
static void finish(struct maker *maker, struct sent *sent, bool is_first, bool is_last, bool marker)
{
    uint8_t header[200] = { 0x80, (uint8_t)(marker ? 0xe4 : 0x64) };
    struct numbers *numbers = maker->numbers;
    size_t size = 12;
    bytes_write_16(header + 2, numbers->sequence++);
    bytes_write_32(header + 4, numbers->timestamp);
    bytes_write_32(header + 8, numbers->ssrc);
    if (maker->mode->has_descriptors) {
        size_t value = structure_write(maker->structure, maker->frame, is_first, is_last,
                                       header + 18, sizeof header - 18 - 4);
        header[0] |= 0x10;
        bytes_write_16(header + 12, 0x1000);
        header[16] = DD_ID;
        header[17] = (uint8_t)value;
        size_t words = (2 + value + 3) / 4;
        bytes_write_16(header + 14, (unsigned)words);
        size = 16 + 4 * words;
        memset(header + 18 + value, 0, size - 18 - value);
    }
    assert(sent->size + size <= sizeof sent->bytes);
    memmove(sent->bytes + size, sent->bytes, sent->size);
    memcpy(sent->bytes, header, size);
    sent->size += size;
}

unsigned packets_make(const struct mode *mode, struct numbers *numbers,
                      const struct structure *structure, const struct frame *frames,
                      const struct coded *coded, struct sent *out)
{
    struct maker maker = { .mode = mode, .numbers = numbers, .structure = structure, .out = out };
    numbers->timestamp += CLOCK_STEP;
    numbers->picture_id = (numbers->picture_id + 1) & 0x7fff;
    numbers->tl0picidx = (uint8_t)(numbers->tl0picidx + (frames[0].temporal == 0));
    numbers->keyidx = (numbers->keyidx + frames[0].is_key) & 0x1f;
    for (unsigned i = 0; i < structure->spatial_count; i++) {
        struct view bytes = view_make(coded[i].bytes, coded[i].size);
        unsigned first = maker.count;
        maker.frame = &frames[i];
        if (mode->codec == PAYLOAD_VP8)
            make_vp8(&maker, bytes);
        else if (mode->codec == PAYLOAD_VP9)
            make_vp9(&maker, bytes);
        else if (mode->codec == PAYLOAD_AV1)
            make_av1(&maker, bytes);
        else
            make_h26x(&maker, bytes, mode->codec == PAYLOAD_H265);
        for (unsigned k = first; k < maker.count; k++) {
            bool is_last = k + 1 == maker.count;
            finish(&maker, &out[k], k == first, is_last,
                   is_last && i + 1u == structure->spatial_count);
        }
    }
    return maker.count;
}
