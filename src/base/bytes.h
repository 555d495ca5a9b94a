/* bytes.h - numbers in network byte order, at any address.
 *
 * No bounds are checked: the caller has seen to it that the bytes are there.
 */
#ifndef MOIM_BASE_BYTES_H
#define MOIM_BASE_BYTES_H

#include <stdint.h>

static inline uint16_t bytes_read_16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t bytes_read_24(const uint8_t *at)
{
    return (uint32_t)at[0] << 16 | bytes_read_16(at + 1);
}

static inline uint32_t bytes_read_32(const uint8_t *at)
{
    return (uint32_t)bytes_read_16(at) << 16 | bytes_read_16(at + 2);
}

static inline uint64_t bytes_read_64(const uint8_t *at)
{
    return (uint64_t)bytes_read_32(at) << 32 | bytes_read_32(at + 4);
}

/* Of the value, the low bits that fit are written. */
static inline void bytes_write_16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void bytes_write_24(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 16);
    bytes_write_16(at + 1, value);
}

static inline void bytes_write_32(uint8_t *at, uint32_t value)
{
    bytes_write_16(at, value >> 16);
    bytes_write_16(at + 2, value);
}

static inline void bytes_write_64(uint8_t *at, uint64_t value)
{
    bytes_write_32(at, (uint32_t)(value >> 32));
    bytes_write_32(at + 4, (uint32_t)value);
}

#endif
