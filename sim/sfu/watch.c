#include "watch.h"

#include <string.h>

#define ASK_EACH     (60 * USEC_MS)
#define ASK_BACK     200 /* packets behind the highest */
#define KEY_PATIENCE (400 * USEC_MS)
#define KEY_EACH     (300 * USEC_MS)

void watch_init(struct watch *watch, struct net *net, unsigned who, bool is_video)
{
    *watch = (struct watch){ .net = net,
                             .who = (uint8_t)who,
                             .is_video = is_video,
                             .waits_since = net->now,
                             .shown_at = net->now };
}

static uint32_t sum_of(const struct watch_data *data)
{
    return data->whose * 2654435761u + data->life * 40503u + data->number * 2246822519u +
           data->timestamp;
}

struct watch_data watch_data_make(unsigned whose, uint32_t life, uint32_t number,
                                  uint32_t timestamp)
{
    struct watch_data data = {
        .whose = whose, .life = life, .number = number, .timestamp = timestamp
    };
    data.sum = sum_of(&data);
    return data;
}

static struct watch_packet *packet_at(struct watch *watch, uint64_t sequence)
{
    struct watch_packet *packet = &watch->packets[sequence % WATCH_PACKETS];
    return packet->sequence == sequence ? packet : NULL;
}

/* ---- what must hold ---- */

/* Of two packets of the stream, `before` has the lower number. */
static void check_order(struct watch *watch, const struct watch_packet *before,
                        const struct watch_packet *after)
{
    uint64_t apart = after->sequence - before->sequence;
    bool is_same = after->life == before->life && after->whose == before->whose;
    if (rtp_timestamp_later(before->timestamp, after->timestamp))
        net_fail(watch->net, "time goes back for %u of %u", watch->who, after->whose);
    if (!is_same && after->timestamp == before->timestamp)
        net_fail(watch->net, "time stands still for %u of %u", watch->who, after->whose);
    if (after->whose == before->whose && after->life < before->life)
        net_fail(watch->net, "an earlier stream comes back for %u of %u", watch->who, after->whose);
    /* it may leave out what came while nothing was sent on, but makes no room for what is not */
    if (is_same && after->run == before->run && after->number - before->number < apart)
        net_fail(watch->net, "a gap for %u of %u: %u to %u in %u", watch->who, after->whose,
                 before->number, after->number, (unsigned)apart);
}

static void check_neighbours(struct watch *watch, const struct watch_packet *packet)
{
    const struct watch_packet *other = NULL;
    for (unsigned i = 1; i < ASK_BACK && !other; i++)
        other = packet_at(watch, packet->sequence - i);
    if (other)
        check_order(watch, other, packet);
    other = NULL;
    for (unsigned i = 1; i < ASK_BACK && packet->sequence + i <= watch->highest && !other; i++)
        other = packet_at(watch, packet->sequence + i);
    if (other)
        check_order(watch, packet, other);
}

/* ---- decoding ---- */

/* Another's picture, or another stream of one's, begins with a key frame. */
static void show(struct watch *watch, const struct watch_packet *packet)
{
    bool is_other = watch->shown_life != packet->life || watch->shown_whose != packet->whose;
    if (watch->is_video && is_other && !packet->is_key)
        net_fail(watch->net, "%u is to see %u without a key frame", watch->who, packet->whose);
    watch->shown_whose = packet->whose;
    watch->shown_life = packet->life;
    watch->shown_at = watch->waits_since = watch->net->now;
}

static void decode(struct watch *watch)
{
    for (uint64_t i = watch->highest;
         !watch->next && i > watch->after && i + ASK_BACK > watch->highest; i--) {
        const struct watch_packet *packet = packet_at(watch, i);
        if (packet && (packet->is_key || !watch->is_video))
            watch->next = i;
    }
    while (watch->next && packet_at(watch, watch->next))
        show(watch, packet_at(watch, watch->next++));
}

void watch_hear(struct watch *watch, uint16_t number, uint32_t timestamp, bool is_key,
                struct view payload)
{
    struct watch_data data;
    uint64_t sequence = rtp_unwrap_sequence(&watch->unwrapper, number);
    if (payload.size < sizeof data)
        return net_fail(watch->net, "%u got what nobody sends", watch->who);
    memcpy(&data, payload.at + payload.size - sizeof data, sizeof data);
    unsigned whose = data.whose / 2;
    if (data.sum != sum_of(&data) || (data.whose & 1) != watch->is_video || whose == watch->who)
        return net_fail(watch->net, "%u got what is not for it, of %u", watch->who, whose);
    struct watch_packet packet = { .sequence = sequence,
                                   .life = data.life,
                                   .number = data.number,
                                   .timestamp = timestamp,
                                   .run = watch->net->run,
                                   .whose = (uint8_t)whose,
                                   .is_key = is_key };
    struct watch_packet *stored = &watch->packets[sequence % WATCH_PACKETS];
    chance_note(&watch->net->chance, sequence * 31 + data.number + watch->net->now);
    if (stored->sequence > sequence)
        return; /* far too late */
    if (stored->sequence == sequence) {
        if (stored->life != packet.life || stored->number != packet.number ||
            stored->whose != whose || stored->timestamp != timestamp)
            net_fail(watch->net, "one number for two packets, for %u of %u", watch->who, whose);
        return;
    }
    *stored = packet;
    watch->seen |= 1u << whose;
    watch->highest = sequence > watch->highest ? sequence : watch->highest;
    watch->count++;
    check_neighbours(watch, &packet);
    decode(watch);
}

/* ---- what it asks for ---- */

unsigned watch_missing(struct watch *watch, uint16_t *numbers, unsigned most)
{
    unsigned count = 0;
    usec now = watch->net->now;
    if (!watch->is_video || !watch->next || now - watch->asked_at < ASK_EACH)
        return 0;
    watch->asked_at = now;
    for (uint64_t i = watch->next; i < watch->highest && count < most; i++)
        if (!packet_at(watch, i))
            numbers[count++] = (uint16_t)i;
    return count;
}

bool watch_wants_key(struct watch *watch)
{
    usec now = watch->net->now;
    bool is_stuck = watch->next ? watch->next <= watch->highest : watch->count > 0;
    if (!is_stuck)
        watch->waits_since = now;
    if (watch->is_video &&
        (now - watch->waits_since < KEY_PATIENCE || now - watch->key_asked_at < KEY_EACH))
        return false;
    if (!is_stuck)
        return false;
    watch->next = 0; /* from a key frame on; audio from wherever */
    watch->after = watch->is_video ? watch->highest : watch->highest - 1;
    watch->key_asked_at = now;
    if (!watch->is_video)
        decode(watch);
    return watch->is_video;
}
