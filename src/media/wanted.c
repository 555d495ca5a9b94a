#include "media/wanted.h"

#include "media/allocation.h"
#include "media/track.h"

void wanted_begin(struct track *track)
{
    track->wanted = (struct wanted){ .told = WANTED_ALL, .until = USEC_NEVER };
    list_init(&track->wanted.node);
    wanted_look(track);
}

void wanted_end(struct track *track)
{
    list_remove(&track->wanted.node);
}

void wanted_look(struct track *track)
{
    struct wanted *wanted = &track->wanted;
    if (!track->kind->wanted || wanted->is_unsettled)
        return;
    wanted->is_unsettled = true;
    list_remove(&wanted->node);
    list_append(&track->tracks->unsettled, &wanted->node);
}

/* ---- by a window ---- */

static uint64_t area_of(const struct encoding *encoding, unsigned spatial)
{
    const struct layers_meter *meter = &encoding->meter;
    return (uint64_t)meter->widths[spatial] * meter->heights[spatial];
}

static uint64_t largest_area(const struct track *track, uint64_t window, uint32_t held)
{
    uint64_t largest = UINT64_MAX;
    for (unsigned i = 0; i < track->encoding_count; i++)
        for (unsigned spatial = 0; spatial < LAYERS_SPATIAL; spatial++) {
            uint64_t area = area_of(track->encodings[i], spatial);
            if (area > 0 && area < largest && allocation_is_enough(area, window, held))
                largest = area;
        }
    return largest;
}

/* Its smallest picture; 0: not known. */
static uint64_t least_area(const struct encoding *encoding)
{
    uint64_t least = 0;
    for (unsigned spatial = 0; spatial < LAYERS_SPATIAL; spatial++) {
        uint64_t area = area_of(encoding, spatial);
        if (area > 0 && (least == 0 || area < least))
            least = area;
    }
    return least;
}

uint8_t wanted_by_window(const struct track *track, uint16_t width, uint16_t height, uint32_t held)
{
    uint8_t wished = WANTED_ALL;
    if (width == ALLOCATION_ANY_SIZE || height == ALLOCATION_ANY_SIZE)
        return WANTED_ALL;
    uint64_t largest = largest_area(track, (uint64_t)width * height, held);
    for (unsigned i = 0; i < track->encoding_count; i++)
        if (least_area(track->encodings[i]) > largest)
            wished = (uint8_t)(wished & ~(1u << i));
    return wished;
}

bool wanted_could_be_more(const struct track *track, uint64_t area)
{
    bool could = false;
    for (unsigned i = 0; i < track->encoding_count; i++)
        could |= !wanted_has(&track->wanted, i) && least_area(track->encodings[i]) > area;
    return could;
}

/* ---- what is told ---- */

static struct wanted_use sum_of(const struct track *track)
{
    struct wanted_use sum = { .wished = 0 };
    for (const struct list *node = track->subscribers.next; node != &track->subscribers;
         node = node->next) {
        const struct subscriber *one = LIST_ENTRY(node, struct subscriber, node);
        struct wanted_use use = one->kind->use(one);
        sum.wished |= use.wished;
        sum.held |= use.held;
        if (use.sound_bps > 0 && (sum.sound_bps == 0 || use.sound_bps < sum.sound_bps))
            sum.sound_bps = use.sound_bps;
    }
    return sum;
}

static void tell(struct track *track, usec now, uint8_t next, uint32_t sound_bps)
{
    struct wanted *wanted = &track->wanted;
    if (wanted->told == next && wanted->sound_bps == sound_bps && !wanted->is_untold)
        return;
    wanted->told = next;
    wanted->sound_bps = sound_bps;
    wanted->is_untold = !track->kind->wanted(track);
    if (wanted->is_untold && now + WANTED_RETRY < wanted->until)
        wanted->until = now + WANTED_RETRY;
}

static void settle(struct track *track, usec now)
{
    struct wanted *wanted = &track->wanted;
    struct wanted_use use = sum_of(track);
    if (!track->is_video)
        use.wished = WANTED_ALL;
    uint8_t next = wanted->told | use.wished;
    bool is_time = now >= wanted->until;
    if (is_time)
        next = (uint8_t)(use.wished | (use.held & wanted->told));
    if (next == use.wished)
        wanted->until = USEC_NEVER;
    else if (is_time || wanted->until == USEC_NEVER)
        wanted->until = now + track->kind->patience;
    tell(track, now, next, use.sound_bps);
    wanted->is_unsettled = false;
    list_remove(&wanted->node);
    if (wanted->until == USEC_NEVER)
        return;
    list_append(&track->tracks->waiting, &wanted->node);
    if (wanted->until < track->tracks->waiting_until)
        track->tracks->waiting_until = wanted->until;
}

/* Those that are not due are put back, and the next time is found among them. */
static void look_at_waiting(struct tracks *tracks, usec now)
{
    struct list *next;
    if (now < tracks->waiting_until)
        return;
    tracks->waiting_until = USEC_NEVER;
    for (struct list *node = tracks->waiting.next; node != &tracks->waiting; node = next) {
        struct track *track = LIST_ENTRY(node, struct track, wanted.node);
        next = node->next;
        if (now >= track->wanted.until)
            wanted_look(track);
        else if (track->wanted.until < tracks->waiting_until)
            tracks->waiting_until = track->wanted.until;
    }
}

void wanted_settle(struct tracks *tracks, usec now)
{
    look_at_waiting(tracks, now);
    while (!list_empty(&tracks->unsettled))
        settle(LIST_ENTRY(tracks->unsettled.next, struct track, wanted.node), now);
}

usec wanted_until(const struct tracks *tracks)
{
    return list_empty(&tracks->unsettled) ? tracks->waiting_until : 0;
}
