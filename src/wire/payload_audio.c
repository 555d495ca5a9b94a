#include "wire/payload_audio.h"

#include "base/bytes.h"

#include <assert.h>
#include <string.h>

#define SHORT_FRAMES 252 /* bytes: up to there one byte says how many */

/* RFC 6716, table 2: a frame's duration by config, in ticks. */
static unsigned frame_ticks(unsigned config)
{
    static const uint16_t SILK[] = { 480, 960, 1920, 2880 };
    if (config < 12)
        return SILK[config % 4];
    if (config < 16)
        return config % 2 ? 960 : 480;
    return 120u << config % 4;
}

int opus_read(struct view payload, struct opus *opus)
{
    if (payload.size == 0)
        return ERR_MALFORMED;
    unsigned config = payload.at[0] >> 3;
    unsigned code = payload.at[0] & 3;
    unsigned count = code == 0 ? 1 : 2;
    if (code == 3) {
        if (payload.size < 2)
            return ERR_MALFORMED;
        count = payload.at[1] & 0x3f;
    }
    unsigned ticks = count * frame_ticks(config);
    if (count == 0 || ticks > OPUS_TICKS_MAX)
        return ERR_MALFORMED;
    *opus = (struct opus){
        .config = (uint8_t)config,
        .is_stereo = payload.at[0] & 4,
        /* section 2.1.9: frames of no or one byte */
        .is_silent = payload.size <= 2 && code != 3,
        .frame_count = (uint8_t)count,
        .frame_ticks = (uint16_t)frame_ticks(config),
        .ticks = (uint16_t)ticks,
    };
    return OK;
}

static bool is_equal_sized(const struct view *packets, unsigned count)
{
    for (unsigned i = 1; i < count; i++)
        if (packets[i].size != packets[0].size)
            return false;
    return true;
}

/* Section 3.2.1. */
static uint8_t *write_length(uint8_t *out, size_t length)
{
    if (length < SHORT_FRAMES) {
        *out++ = (uint8_t)length;
        return out;
    }
    *out++ = (uint8_t)(SHORT_FRAMES + (length & 3));
    *out++ = (uint8_t)((length - SHORT_FRAMES) >> 2);
    return out;
}

/* Sections 3.2.3 to 3.2.5: the codes 1, 2 and 3. */
size_t opus_join(const struct view *packets, unsigned count, uint8_t *out)
{
    bool is_even = is_equal_sized(packets, count);
    unsigned code = count > 2 ? 3 : is_even ? 1 : 2;
    uint8_t *at = out;
    assert(count >= 2 && count <= OPUS_JOIN_MAX);
    *at++ = (uint8_t)(packets[0].at[0] | code);
    if (code == 3)
        *at++ = (uint8_t)((is_even ? 0 : 0x80) | count);
    for (unsigned i = 0; i + 1 < count && !is_even; i++)
        at = write_length(at, packets[i].size - 1);
    for (unsigned i = 0; i < count; i++) {
        assert(packets[i].size > 0 && packets[i].at[0] == packets[0].at[0]);
        memcpy(at, packets[i].at + 1, packets[i].size - 1);
        at += packets[i].size - 1;
    }
    return (size_t)(at - out);
}

/* ---- RED ---- */

/* Section 3: headers of four bytes while F is set, then one of one byte; then the blocks. */
int red_read(struct view payload, struct red *red)
{
    struct red read = { 0 };
    size_t sizes[RED_BLOCKS_MAX];
    size_t at = 0;
    size_t blocks = 0;
    bool more = true;
    while (more) {
        if (at == payload.size)
            return ERR_MALFORMED;
        if (read.block_count == RED_BLOCKS_MAX)
            return ERR_LIMIT;
        struct red_block *block = &read.blocks[read.block_count];
        more = payload.at[at] & 0x80;
        block->payload_type = payload.at[at] & 0x7f;
        if (more) {
            if (payload.size - at < 4)
                return ERR_MALFORMED;
            block->timestamp_offset = (uint16_t)(bytes_read_16(payload.at + at + 1) >> 2);
            sizes[read.block_count] = bytes_read_16(payload.at + at + 2) & 0x3ff;
            blocks += sizes[read.block_count];
        }
        read.block_count++;
        at += more ? 4 : 1;
    }
    if (blocks > payload.size - at)
        return ERR_MALFORMED;
    sizes[read.block_count - 1] = payload.size - at - blocks;
    for (unsigned i = 0; i < read.block_count; i++) {
        read.blocks[i].payload = view_slice(payload, at, sizes[i]);
        at += sizes[i];
    }
    *red = read;
    return OK;
}
