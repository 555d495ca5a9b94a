#include "media/arrivals.h"

#include <string.h>

static usec each(const struct arrivals *arrivals)
{
    return arrivals->each ? arrivals->each : ARRIVALS_EACH;
}

static void drop_first(struct arrivals *arrivals, size_t count)
{
    arrivals->count -= (uint32_t)count;
    memmove(arrivals->waiting, arrivals->waiting + count,
            arrivals->count * sizeof arrivals->waiting[0]);
}

void arrivals_note(struct arrivals *arrivals, usec now, uint16_t sequence_number)
{
    uint64_t sequence = rtp_unwrap_sequence(&arrivals->unwrapper, sequence_number);
    if (arrivals->count == 0)
        arrivals->due_at = now + each(arrivals);
    if (arrivals->count == ARRIVALS_MAX) {
        drop_first(arrivals, 1);
        arrivals->lost_room++;
    }
    uint32_t place = arrivals->count; /* most come in order */
    while (place > 0 && arrivals->waiting[place - 1].sequence_number > sequence)
        place--;
    if (place > 0 && arrivals->waiting[place - 1].sequence_number == sequence)
        return;
    memmove(&arrivals->waiting[place + 1], &arrivals->waiting[place],
            (arrivals->count - place) * sizeof arrivals->waiting[0]);
    arrivals->waiting[place] = (struct twcc_arrival){ sequence, now };
    arrivals->count++;
}

/* How many go into one feedback.  One that is late goes alone, with those just behind it: what else
 * lies between it and the base has been told of, and is not lost. */
static uint32_t count_next(const struct arrivals *arrivals)
{
    const struct twcc_arrival *waiting = arrivals->waiting;
    uint32_t count = 1;
    if (waiting[0].sequence_number >= arrivals->base)
        return arrivals->count;
    while (count < arrivals->count &&
           waiting[count].sequence_number == waiting[count - 1].sequence_number + 1)
        count++;
    return count;
}

bool arrivals_write(struct arrivals *arrivals, usec now, uint32_t sender_ssrc, uint32_t media_ssrc,
                    struct rtcp_writer *writer)
{
    if (arrivals->count == 0)
        return false;
    uint64_t first = arrivals->waiting[0].sequence_number;
    uint64_t base = arrivals->base && arrivals->base < first ? arrivals->base : first;
    size_t told = twcc_add(writer, sender_ssrc, media_ssrc, arrivals->feedback_count, base,
                           arrivals->waiting, count_next(arrivals));
    if (told == 0)
        return false;
    uint64_t behind = arrivals->waiting[told - 1].sequence_number + 1;
    arrivals->base = behind > arrivals->base ? behind : arrivals->base;
    arrivals->feedback_count++;
    arrivals->due_at = now + (told < arrivals->count ? 0 : each(arrivals));
    drop_first(arrivals, told);
    return true;
}
