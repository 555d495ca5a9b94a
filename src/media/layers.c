#include "media/layers.h"

#include "media/track.h"

#include <string.h>

#define HALF  (500 * USEC_MS)
#define LEAST (250 * USEC_MS)

/* ---- measuring ---- */

static void begin_half(struct layers_meter *meter, usec now)
{
    bool is_old = now - meter->since >= 2 * HALF;
    meter->earlier = is_old ? 0 : now - meter->since;
    if (is_old) {
        memset(meter->bytes, 0, sizeof meter->bytes);
        memset(meter->frames, 0, sizeof meter->frames);
        meter->seen[0] = 0;
    }
    memcpy(meter->bytes[1], meter->bytes[0], sizeof meter->bytes[0]);
    memcpy(meter->frames[1], meter->frames[0], sizeof meter->frames[0]);
    memset(meter->bytes[0], 0, sizeof meter->bytes[0]);
    memset(meter->frames[0], 0, sizeof meter->frames[0]);
    meter->seen[1] = meter->seen[0];
    meter->seen[0] = 0;
    meter->since = now;
}

void layers_measure(struct layers_meter *meter, usec now, const struct packet *packet, size_t size)
{
    unsigned temporal = packet->temporal < LAYERS_TEMPORAL ? packet->temporal : LAYERS_TEMPORAL - 1;
    if (now - meter->since >= HALF)
        begin_half(meter, now);
    for (unsigned i = 0; i < LAYERS_TARGETS; i++)
        meter->bytes[0][i] += (packet->targets >> i & 1u) * (uint32_t)size;
    meter->seen[0] =
        (uint16_t)(meter->seen[0] | 1u << layers_target(packet->spatial, packet->temporal));
    if (packet->begins_frame && !(meter->has_frame && meter->timestamp == packet->rtp.timestamp)) {
        meter->has_frame = true;
        meter->timestamp = packet->rtp.timestamp;
        meter->frames[0][temporal]++;
    }
}

void layers_set_size(struct layers_meter *meter, unsigned spatial, uint32_t width, uint32_t height)
{
    if (spatial >= LAYERS_SPATIAL)
        return;
    meter->widths[spatial] = (uint16_t)(width < UINT16_MAX ? width : UINT16_MAX);
    meter->heights[spatial] = (uint16_t)(height < UINT16_MAX ? height : UINT16_MAX);
}

/* ---- what there is ---- */

/* Over how long; of what has only just begun, its first key frame is not held to be the rule. */
static usec window(const struct layers_meter *meter, usec now)
{
    usec time = meter->earlier + now - meter->since;
    return time < LEAST ? LEAST : time;
}

static uint64_t rate(const struct layers_meter *meter, usec now, unsigned target)
{
    uint64_t bytes = (uint64_t)meter->bytes[0][target] + meter->bytes[1][target];
    return bytes * 8 * USEC_S / window(meter, now);
}

static uint8_t frames_a_second(const struct layers_meter *meter, usec now, unsigned temporal)
{
    uint64_t frames = 0;
    usec time = window(meter, now);
    for (unsigned i = 0; i <= temporal; i++)
        frames += meter->frames[0][i] + meter->frames[1][i];
    uint64_t fps = (frames * USEC_S + time / 2) / time;
    return (uint8_t)(fps < UINT8_MAX ? fps : UINT8_MAX);
}

static uint32_t layers_of(const struct encoding *encoding, uint8_t index, usec now,
                          struct layer *out, uint32_t max)
{
    const struct layers_meter *meter = &encoding->meter;
    unsigned seen = meter->seen[0] | meter->seen[1];
    uint32_t count = 0;
    for (unsigned i = 0; i < LAYERS_TARGETS && count < max; i++) {
        unsigned spatial = i / LAYERS_TEMPORAL, temporal = i % LAYERS_TEMPORAL;
        if (!(seen >> i & 1))
            continue;
        out[count++] = (struct layer){ .encoding = index,
                                       .spatial = (uint8_t)spatial,
                                       .temporal = (uint8_t)temporal,
                                       .fps = frames_a_second(meter, now, temporal),
                                       .width = meter->widths[spatial],
                                       .height = meter->heights[spatial],
                                       .bps = rate(meter, now, i) };
    }
    return count;
}

/* Of two encodings, whether the first is lower. */
static bool is_lower(const struct encoding *a, const struct encoding *b, usec now)
{
    const struct layers_meter *one = &a->meter, *two = &b->meter;
    uint64_t areas[2] = { 0, 0 };
    for (unsigned i = 0; i < LAYERS_SPATIAL; i++) {
        areas[0] += (uint64_t)one->widths[i] * one->heights[i];
        areas[1] += (uint64_t)two->widths[i] * two->heights[i];
    }
    if (areas[0] > 0 && areas[1] > 0 && areas[0] != areas[1])
        return areas[0] < areas[1];
    return rate(one, now, LAYERS_TARGETS - 1) < rate(two, now, LAYERS_TARGETS - 1);
}

uint32_t track_layers(const struct track *track, usec now, struct layer *out, uint32_t max)
{
    uint8_t order[TRACK_ENCODINGS_MAX];
    unsigned heard = 0;
    uint32_t count = 0;
    for (uint8_t i = 0; i < track->encoding_count; i++) {
        unsigned at = heard;
        if (!encoding_is_heard(track->encodings[i], now))
            continue;
        for (; at > 0 && is_lower(track->encodings[i], track->encodings[order[at - 1]], now); at--)
            order[at] = order[at - 1];
        order[at] = i;
        heard++;
    }
    for (unsigned i = 0; i < heard; i++)
        count += layers_of(track->encodings[order[i]], order[i], now, out + count, max - count);
    return count;
}
