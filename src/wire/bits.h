/* bits.h - reads numbers of any number of bits, the highest first.
 *
 * Total: past the end every bit is 0 and `overrun` is set, so a reader may look once at its end.
 */
#ifndef MOIM_WIRE_BITS_H
#define MOIM_WIRE_BITS_H

#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

struct bits {
    const uint8_t *at;
    size_t size; /* in bits */
    size_t read; /* of them */
    bool overrun;
};

static inline struct bits bits_of(struct view bytes)
{
    return (struct bits){ .at = bytes.at, .size = bytes.size * 8 };
}

static inline size_t bits_left(const struct bits *bits)
{
    return bits->size - bits->read;
}

/* f(count) of the AV1 specification, u(count) of the ITU's: up to 32 bits. */
static inline uint32_t bits_take(struct bits *bits, unsigned count)
{
    uint32_t value = 0;
    if (count > bits_left(bits)) {
        bits->overrun = true;
        bits->read = bits->size;
        return 0;
    }
    while (count) {
        unsigned rest = 8 - (unsigned)(bits->read & 7);
        unsigned n = count < rest ? count : rest;
        uint32_t byte = (uint32_t)bits->at[bits->read >> 3] >> (rest - n);
        value = value << n | (byte & ((1u << n) - 1));
        bits->read += n;
        count -= n;
    }
    return value;
}

static inline bool bits_take_flag(struct bits *bits)
{
    return bits_take(bits, 1);
}

static inline void bits_skip(struct bits *bits, size_t count)
{
    if (count > bits_left(bits)) {
        bits->overrun = true;
        count = bits_left(bits);
    }
    bits->read += count;
}

/* ns(n) of the AV1 specification (section 4.10.7): 0 to most - 1; `most` is 1 or more. */
static inline uint32_t bits_take_ns(struct bits *bits, uint32_t most)
{
    unsigned width = 0;
    for (uint32_t x = most; x; x >>= 1)
        width++;
    uint32_t short_ones = (uint32_t)((1ull << width) - most);
    uint32_t value = bits_take(bits, width - 1);
    if (value < short_ones)
        return value;
    return (value << 1) - short_ones + bits_take(bits, 1);
}

/* ue(v) and se(v) of the ITU's video codecs; what has over 32 bits is an overrun. */
static inline uint32_t bits_take_ue(struct bits *bits)
{
    unsigned zeros = 0;
    while (zeros < 32 && !bits_take_flag(bits) && !bits->overrun)
        zeros++;
    if (zeros == 32 || bits->overrun) {
        bits->overrun = true;
        return 0;
    }
    return (uint32_t)((1ull << zeros) - 1 + bits_take(bits, zeros));
}

static inline int32_t bits_take_se(struct bits *bits)
{
    uint32_t value = bits_take_ue(bits);
    return value & 1 ? (int32_t)(value / 2 + 1) : -(int32_t)(value / 2);
}

/* leb128() of the AV1 specification (section 4.10.5), from a byte's border, up to 32 bits. */
static inline uint32_t bits_take_leb128(struct bits *bits)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint32_t byte = bits_take(bits, 8);
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) {
            bits->overrun = bits->overrun || value > UINT32_MAX;
            return bits->overrun ? 0 : (uint32_t)value;
        }
    }
    bits->overrun = true;
    return 0;
}

#endif
