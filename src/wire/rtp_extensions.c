#include "wire/rtp_extensions.h"

#include "base/bytes.h"
#include "wire/bits.h"

#include <assert.h>

static const struct view URIS[] = {
#define RTP_EXTENSION_URI(name, uri) VIEW(uri),
    RTP_EXTENSION_TABLE(RTP_EXTENSION_URI)
#undef RTP_EXTENSION_URI
};

enum rtp_extension_kind rtp_extension_kind_of(struct view uri)
{
    unsigned kind = 0;
    while (kind < RTP_EXTENSION_KINDS && !view_equal(uri, URIS[kind]))
        kind++;
    return (enum rtp_extension_kind)kind;
}

struct view rtp_extension_uri(enum rtp_extension_kind kind)
{
    assert(kind < RTP_EXTENSION_KINDS);
    return URIS[kind];
}

static bool is_rid_mark(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_';
}

int rtp_read_rid(struct view value, struct view *rid)
{
    if (value.size == 0 || value.size > RTP_RID_MAX)
        return ERR_MALFORMED;
    for (size_t i = 0; i < value.size; i++)
        if (!is_rid_mark(value.at[i]))
            return ERR_MALFORMED;
    *rid = value;
    return OK;
}

int rtp_read_mid(struct view value, struct view *mid)
{
    if (value.size == 0 || value.size > RTP_RID_MAX)
        return ERR_MALFORMED;
    for (size_t i = 0; i < value.size; i++)
        if (value.at[i] <= ' ' || value.at[i] > '~')
            return ERR_MALFORMED;
    *mid = value;
    return OK;
}

int rtp_read_abs_send_time(struct view value, uint32_t *time)
{
    if (value.size < 3)
        return ERR_MALFORMED;
    *time = bytes_read_24(value.at);
    return OK;
}

uint32_t rtp_abs_send_time_of(usec time)
{
    return (uint32_t)((time % (64 * USEC_S) << 18) / USEC_S);
}

int64_t rtp_abs_send_time_distance(uint32_t a, uint32_t b)
{
    int64_t steps = (a - b) & 0xffffff;
    if (steps >= 0x800000)
        steps -= 0x1000000;
    return steps * (int64_t)USEC_S / (1 << 18);
}

int rtp_read_transport_cc(struct view value, struct rtp_transport_cc *cc)
{
    if (value.size < 2 || value.size == 3)
        return ERR_MALFORMED;
    *cc = (struct rtp_transport_cc){ .sequence_number = bytes_read_16(value.at) };
    if (value.size >= 4) {
        cc->request_timing = value.at[2] & 0x80;
        cc->request_count = bytes_read_16(value.at + 2) & 0x7fff;
    }
    return OK;
}

int rtp_read_audio_level(struct view value, struct rtp_audio_level *level)
{
    if (value.size < 1)
        return ERR_MALFORMED;
    level->voice = value.at[0] & 0x80;
    level->level = value.at[0] & 0x7f;
    return OK;
}

int rtp_read_capture_time(struct view value, struct rtp_capture_time *time)
{
    if (value.size < 8 || (value.size > 8 && value.size < 16))
        return ERR_MALFORMED;
    *time = (struct rtp_capture_time){ .ntp = bytes_read_64(value.at) };
    if (value.size >= 16) {
        time->has_offset = true;
        time->offset = (int64_t)bytes_read_64(value.at + 8);
    }
    return OK;
}

int rtp_read_orientation(struct view value, struct rtp_orientation *orientation)
{
    if (value.size < 1)
        return ERR_MALFORMED;
    orientation->back_camera = value.at[0] & 8;
    orientation->flipped = value.at[0] & 4;
    orientation->rotation = (uint16_t)((value.at[0] & 3) * 90);
    return OK;
}

int rtp_read_playout_delay(struct view value, struct rtp_playout_delay *delay)
{
    if (value.size < RTP_PLAYOUT_DELAY_SIZE)
        return ERR_MALFORMED;
    uint32_t both = bytes_read_24(value.at);
    if (both >> 12 > (both & 0xfff))
        return ERR_MALFORMED;
    delay->min_ms = (uint16_t)((both >> 12) * 10);
    delay->max_ms = (uint16_t)((both & 0xfff) * 10);
    return OK;
}

void rtp_write_playout_delay(uint8_t out[RTP_PLAYOUT_DELAY_SIZE], struct rtp_playout_delay delay)
{
    assert(delay.min_ms <= delay.max_ms && delay.max_ms <= 40950);
    bytes_write_24(out, (uint32_t)(delay.min_ms / 10) << 12 | delay.max_ms / 10u);
}

/* ---- video layers allocation ---- */

/* Which layers there are: a mask for all streams, or (0) one for each. */
static void read_layers(struct bits *bits, struct rtp_allocation *allocation)
{
    uint8_t masks[RTP_ALLOCATION_STREAMS_MAX];
    uint8_t shared = (uint8_t)bits_take(bits, 4);
    for (unsigned stream = 0; stream < allocation->stream_count; stream++)
        masks[stream] = shared ? shared : (uint8_t)bits_take(bits, 4);
    if (!shared && allocation->stream_count % 2)
        bits_skip(bits, 4);
    for (uint8_t stream = 0; stream < allocation->stream_count; stream++)
        for (uint8_t spatial_id = 0; spatial_id < RTP_ALLOCATION_SPATIAL_MAX; spatial_id++)
            if (masks[stream] >> spatial_id & 1)
                allocation->layers[allocation->layer_count++] = (struct rtp_allocation_layer){
                    .stream = stream,
                    .spatial_id = spatial_id,
                };
}

static void read_rates(struct bits *bits, struct rtp_allocation *allocation)
{
    for (unsigned i = 0; i < allocation->layer_count; i++)
        allocation->layers[i].temporal_count = (uint8_t)(bits_take(bits, 2) + 1);
    bits_skip(bits, (4 - allocation->layer_count % 4u) % 4 * 2);
    for (unsigned i = 0; i < allocation->layer_count; i++)
        for (unsigned t = 0; t < allocation->layers[i].temporal_count; t++)
            allocation->layers[i].kbps[t] = bits_take_leb128(bits);
}

static void read_resolutions(struct bits *bits, struct rtp_allocation *allocation)
{
    allocation->has_resolutions = true;
    for (unsigned i = 0; i < allocation->layer_count; i++) {
        allocation->layers[i].width = bits_take(bits, 16) + 1;
        allocation->layers[i].height = bits_take(bits, 16) + 1;
        allocation->layers[i].fps_max = (uint8_t)bits_take(bits, 8);
    }
}

int rtp_read_allocation(struct view value, struct rtp_allocation *allocation)
{
    struct bits bits = bits_of(value);
    struct rtp_allocation read = { 0 };
    if (value.size == 0)
        return ERR_MALFORMED;
    if (value.size > 1 || value.at[0] != 0) { /* else it says that nothing is sent */
        read.stream = (uint8_t)bits_take(&bits, 2);
        read.stream_count = (uint8_t)(bits_take(&bits, 2) + 1);
        if (read.stream >= read.stream_count)
            return ERR_MALFORMED;
        read_layers(&bits, &read);
        read_rates(&bits, &read);
        if (bits_left(&bits))
            read_resolutions(&bits, &read);
    }
    if (bits.overrun)
        return ERR_MALFORMED;
    *allocation = read;
    return OK;
}
