#include "media/missing.h"

#include <string.h>

void missing_forget(struct missing *missing)
{
    missing->count = 0;
}

/* It came late: it is missing no more. */
static void remove_one(struct missing *missing, uint64_t sequence)
{
    for (uint32_t i = missing->count; i-- > 0;) {
        struct missing_packet *packet = &missing->packets[i];
        if (packet->sequence > sequence)
            continue;
        if (packet->sequence == sequence) {
            missing->count--;
            memmove(packet, packet + 1, (missing->count - i) * sizeof *packet);
        }
        return;
    }
}

bool missing_arrived(struct missing *missing, usec now, uint64_t sequence)
{
    if (!missing->has_begun) {
        missing->has_begun = true;
        missing->highest = sequence;
        return true;
    }
    if (sequence <= missing->highest) {
        remove_one(missing, sequence);
        return true;
    }
    uint64_t gap = sequence - missing->highest - 1;
    uint64_t from = missing->highest + 1;
    missing->highest = sequence;
    if (gap > MISSING_MAX - missing->count) {
        missing_forget(missing);
        return false;
    }
    for (uint64_t i = 0; i < gap; i++)
        missing->packets[missing->count++] =
            (struct missing_packet){ .sequence = from + i, .since = now, .ask_at = now };
    return true;
}

static bool is_given_up(const struct missing_packet *packet, usec now)
{
    return packet->tries == MISSING_TRIES_MAX || now - packet->since > MISSING_AGE_MAX;
}

uint32_t missing_due(struct missing *missing, usec now, usec round_trip, uint16_t *out,
                     uint32_t most, bool *gave_up)
{
    usec each = round_trip > MISSING_EACH_MIN ? round_trip : MISSING_EACH_MIN;
    uint32_t kept = 0;
    uint32_t asked = 0;
    *gave_up = false;
    for (uint32_t i = 0; i < missing->count; i++) {
        struct missing_packet *packet = &missing->packets[i];
        bool is_due = now >= packet->ask_at && asked < most;
        if (is_due && is_given_up(packet, now)) {
            *gave_up = true;
            continue;
        }
        if (is_due) {
            out[asked++] = (uint16_t)packet->sequence;
            packet->tries++;
            packet->ask_at = now + each;
        }
        missing->packets[kept++] = *packet;
    }
    missing->count = kept;
    return asked;
}

usec missing_until(const struct missing *missing)
{
    usec until = USEC_NEVER;
    for (uint32_t i = 0; i < missing->count; i++)
        if (missing->packets[i].ask_at < until)
            until = missing->packets[i].ask_at;
    return until;
}
