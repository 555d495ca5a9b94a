/* Packets of Opus that go out as one (RFC 6716, section 3.2): up to the last of them they wait in
 * the ring.  Which ones went together is kept where numbers are: those behind the first have none,
 * so that what is sent again is the same. */
#include "media/sender_inside.h"

#include "wire/payload.h"
#include "wire/payload_audio.h"
#include "wire/rtp_extensions.h"

#include <assert.h>

#define SIZE_MAX_JOINED 1100 /* bytes of payload */

static usec time_of(uint32_t ticks)
{
    return (usec)ticks * USEC_S / OPUS_CLOCK;
}

static const struct packet *packet_at(const struct sender *sender, const struct packet *first,
                                      unsigned n)
{
    return n == 0 ? first : packet_ring_find(&sender->stream->ring, first->sequence + n);
}

bool sender_unwraps(const struct sender *sender, const struct packet *packet)
{
    bool is_joined = packet->codec == PAYLOAD_RED && sender->joining.ticks_most > 0 &&
                     sender->formats.opus != SENDER_NO_PAYLOAD;
    return is_joined || (sender->formats.unwrapped >> packet->format & 1);
}

/* ---- what waits ---- */

/* It is Opus that can be a part of a longer packet. */
static bool read_opus(const struct sender *sender, const struct packet *packet,
                      struct view *payload, struct opus *opus)
{
    if ((packet->codec != PAYLOAD_OPUS && packet->codec != PAYLOAD_RED) ||
        sender->formats.opus == SENDER_NO_PAYLOAD)
        return false;
    *payload = packet_payload(&sender_stream(sender)->ring, packet);
    if (packet->codec == PAYLOAD_RED) {
        struct red red;
        if (payload->size == 0 || red_read(*payload, &red) != OK)
            return false;
        *payload = red.blocks[red.block_count - 1].payload;
    }
    return opus_read(*payload, opus) == OK && opus_joins(opus, *payload);
}

/* What waits is the stream's end so far, and the packet its next. */
static bool follows(const struct sender *sender, const struct packet *packet, struct view payload,
                    const struct opus *opus)
{
    const struct sender_joining *joining = &sender->joining;
    return joining->count > 0 && joining->count < OPUS_JOIN_MAX && !sender->is_waiting &&
           !packet->begins_talk && !packet->rtp.marker &&
           packet->sequence == joining->first + joining->count &&
           packet->rtp.timestamp == joining->timestamp && payload.at[0] == joining->toc &&
           joining->ticks + opus->ticks <= joining->ticks_most &&
           joining->size + payload.size <= SIZE_MAX_JOINED;
}

static void add(struct sender_joining *joining, struct view payload, const struct opus *opus)
{
    joining->count++;
    joining->ticks = (uint16_t)(joining->ticks + opus->ticks);
    joining->size = (uint16_t)(joining->size + payload.size);
    joining->timestamp += opus->ticks;
}

/* False: it goes alone. */
static bool begin(struct sender *sender, usec now, const struct packet *packet, struct view payload,
                  const struct opus *opus)
{
    struct sender_joining *joining = &sender->joining;
    bool is_new = sender->is_waiting || packet->sequence > sender->numbers.in;
    if (!is_new || 2 * opus->ticks > joining->ticks_most || payload.size > SIZE_MAX_JOINED)
        return false;
    sender_begin(sender, now, packet);
    *joining = (struct sender_joining){ .ticks_most = joining->ticks_most,
                                        .toc = payload.at[0],
                                        .timestamp = packet->rtp.timestamp,
                                        .first = packet->sequence,
                                        .until = now + time_of(joining->ticks_most) };
    add(joining, payload, opus);
    pacer_call(sender->config.pacer);
    return true;
}

bool sender_joins_end(struct sender *sender, usec now)
{
    struct sender_joining *joining = &sender->joining;
    if (joining->count == 0)
        return true;
    if (rtc_is_full(sender->config.rtc))
        return false;
    uint8_t count = joining->count;
    uint32_t length = joining->timestamp;
    const struct packet *first = packet_ring_find(&sender->stream->ring, joining->first);
    joining->count = 0;
    for (unsigned i = 0; i < count; i++)
        if (!first || !packet_at(sender, first, i))
            return true; /* written over: nobody has come for so long */
    (void)sender_pass_on(sender, now, first, count);
    length -= first->rtp.timestamp;
    sender->last_timestamp += length - length / count; /* of the last of them, which came now */
    return true;
}

bool sender_join(struct sender *sender, usec now, uint16_t ticks_most)
{
    assert(ticks_most <= OPUS_TICKS_MAX && !sender->config.is_video);
    assert(ticks_most == 0 || sender->config.pacer);
    if (sender->joining.ticks_most == ticks_most)
        return true;
    if (!sender_joins_end(sender, now))
        return false;
    sender->joining.ticks_most = ticks_most;
    sender->repeat_from = sender->highest + 1; /* RED from before is not what it would be now */
    return true;
}

bool sender_joins(struct sender *sender, usec now, const struct packet *packet)
{
    struct sender_joining *joining = &sender->joining;
    struct view payload;
    struct opus opus;
    bool is_opus = read_opus(sender, packet, &payload, &opus);
    if (rtc_is_full(sender->config.rtc))
        return false;
    if (is_opus && follows(sender, packet, payload, &opus)) {
        add(joining, payload, &opus);
        return joining->ticks + opus.ticks <= joining->ticks_most || sender_joins_end(sender, now);
    }
    if (!sender_joins_end(sender, now))
        return false;
    return (is_opus && begin(sender, now, packet, payload, &opus)) ||
           sender_pass_on(sender, now, packet, 1);
}

/* ---- what goes ---- */

uint8_t sender_joined(const struct sender *sender, const struct packet *packet)
{
    uint8_t count = 1;
    uint64_t number;
    while (count < OPUS_JOIN_MAX && packet->sequence + count <= sender->numbers.in &&
           !renumbering_out(&sender->numbers, packet->sequence + count, &number) &&
           packet_at(sender, packet, count))
        count++;
    return count;
}

size_t sender_write_joined(const struct sender *sender, const struct packet *packet, uint8_t joined,
                           uint8_t *at)
{
    struct view payloads[OPUS_JOIN_MAX];
    assert(joined <= OPUS_JOIN_MAX);
    for (unsigned i = 0; i < joined; i++)
        payloads[i] = sender_payload(sender, packet_at(sender, packet, i));
    return opus_join(payloads, joined, at);
}

static uint8_t level_of(const struct sender *sender, const struct packet *packet)
{
    struct view value;
    struct rtp_audio_level level;
    if (sender->formats.level == 0 ||
        !rtp_extension_value(&packet->rtp, packet_bytes(&sender->stream->ring, packet),
                             sender->formats.level, &value) ||
        rtp_read_audio_level(value, &level) != OK)
        return UINT8_MAX;
    return level.level;
}

const struct packet *sender_loudest(const struct sender *sender, const struct packet *packet,
                                    uint8_t joined)
{
    const struct packet *loudest = packet;
    for (unsigned i = 1; i < joined; i++) {
        const struct packet *other = packet_at(sender, packet, i);
        if (level_of(sender, other) < level_of(sender, loudest))
            loudest = other;
    }
    return loudest;
}
