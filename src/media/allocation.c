#include "media/allocation.h"

#include <assert.h>

/* Below this rate motion is no more, and a smaller picture that moves is better. */
#define FPS_LEAST 10

/* What costs that part of what has failed is not tried, either: rates are measured, and tremble. */
#define FAILED_OF   8
#define FAILED_PART 7

/* But where it would leave that part of the budget free, the line is not the one that it failed
 * on. */
#define AMPLE 4

const char *allocation_reason_name(enum allocation_reason reason)
{
    static const char *const NAMES[] = {
#define ALLOCATION_REASON_NAME(name, text) text,
        ALLOCATION_REASONS(ALLOCATION_REASON_NAME)
#undef ALLOCATION_REASON_NAME
    };
    assert(reason < sizeof NAMES / sizeof *NAMES);
    return NAMES[reason];
}

/* ---- budgets ---- */

static void note_budget(struct allocation *allocation, usec now, uint64_t bps)
{
    uint64_t slot = now / ALLOCATION_SLOT;
    if (!allocation->has_begun) {
        for (unsigned i = 0; i < ALLOCATION_SLOTS; i++)
            allocation->least[i] = bps;
        for (unsigned i = 0; i < ALLOCATION_PATIENT; i++)
            allocation->most[i] = bps;
        allocation->slot = slot;
        allocation->has_begun = true;
    }
    /* between two runs it was what it was at the first */
    for (unsigned i = 0; i < ALLOCATION_SLOTS && i < slot - allocation->slot; i++)
        allocation->least[(slot - i) % ALLOCATION_SLOTS] = allocation->last_bps;
    for (unsigned i = 0; i < ALLOCATION_PATIENT && i < slot - allocation->slot; i++)
        allocation->most[(slot - i) % ALLOCATION_PATIENT] = i == 0 ? bps : allocation->last_bps;
    uint64_t *most = &allocation->most[slot % ALLOCATION_PATIENT];
    if (bps > *most)
        *most = bps;
    uint64_t *least = &allocation->least[slot % ALLOCATION_SLOTS];
    if (bps < *least)
        *least = bps;
    allocation->slot = slot;
    allocation->last_bps = bps;
}

static uint64_t lasting_budget(const struct allocation *allocation)
{
    uint64_t least = allocation->least[0];
    for (unsigned i = 1; i < ALLOCATION_SLOTS; i++)
        if (allocation->least[i] < least)
            least = allocation->least[i];
    return least;
}

/* The most that it was of late. */
static uint64_t patient_budget(const struct allocation *allocation)
{
    uint64_t most = 0;
    for (unsigned i = 0; i < ALLOCATION_PATIENT; i++)
        if (allocation->most[i] > most)
            most = allocation->most[i];
    return most;
}

/* ---- what a track could have ---- */

static uint32_t area_of(const struct layer *layer)
{
    return (uint32_t)layer->width * layer->height;
}

static bool may_have(const struct allocation_track *track, unsigned index)
{
    return (track->may_have >> index & 1) != 0;
}

/* The area of the smallest picture that is enough for the window. */
static uint64_t largest_area(const struct allocation_track *track)
{
    uint64_t window = (uint64_t)track->width * track->height;
    uint64_t largest = UINT64_MAX;
    if (track->width == ALLOCATION_ANY_SIZE || track->height == ALLOCATION_ANY_SIZE)
        return largest;
    uint32_t held = track->held.has_layer ? area_of(&track->held.layer) : 0;
    for (unsigned i = 0; i < track->layer_count; i++) {
        uint64_t area = area_of(&track->layers[i]);
        bool is_enough = allocation_is_enough(area, window, held);
        if (may_have(track, i) && area > 0 && is_enough && area < largest)
            largest = area;
    }
    return largest;
}

/* A larger picture that hardly moves, where a smaller one does. */
static bool is_jerky(const struct allocation_track *track, const struct layer *layer)
{
    if (track->step_count == 0 || layer->fps == 0 || layer->fps >= FPS_LEAST)
        return false;
    const struct layer *before = &track->layers[track->steps[track->step_count - 1]];
    return area_of(before) < area_of(layer) && before->fps >= 2 * layer->fps;
}

/* The layers from the poorest to the best that it may have and its window needs; without those that
 * cost as much as a better one. */
static void make_steps(struct allocation_track *track)
{
    uint64_t largest = largest_area(track);
    track->step_count = 0;
    for (uint8_t i = 0; i < track->layer_count; i++) {
        const struct layer *layer = &track->layers[i];
        if (!may_have(track, i) || area_of(layer) > largest || is_jerky(track, layer))
            continue;
        while (track->step_count > 0 &&
               track->layers[track->steps[track->step_count - 1]].bps >= layer->bps)
            track->step_count--;
        track->steps[track->step_count++] = i;
    }
}

static bool is_same(const struct layer *a, const struct layer *b)
{
    return a->encoding == b->encoding && a->spatial == b->spatial && a->temporal == b->temporal;
}

/* The highest step that is not above what it had; -1: none. */
static int8_t find_held(const struct allocation_track *track)
{
    int8_t step = -1;
    unsigned index = 0;
    if (!track->held.has_layer)
        return -1;
    while (index < track->layer_count && !is_same(&track->layers[index], &track->held.layer))
        index++;
    if (index == track->layer_count)
        return -1;
    for (int8_t i = 0; i < track->step_count && track->steps[i] <= index; i++)
        step = i;
    return step;
}

static enum allocation_reason reason_to_pause(const struct allocation_track *track)
{
    if (track->is_paused)
        return ALLOCATION_PAUSED;
    if (!track->is_audio && (track->width == 0 || track->height == 0))
        return ALLOCATION_HIDDEN;
    if (track->is_left_out)
        return ALLOCATION_LAST_N;
    return track->layer_count == 0 ? ALLOCATION_SILENT : ALLOCATION_FULL;
}

/* ---- the shares ---- */

/* One run. */
struct sharing {
    usec now;
    uint64_t budget;
    uint64_t patient; /* what keeps and begins the lowest layers */
    uint64_t lasting; /* ... with room to spare: what may be risen to */
    uint64_t spent;
    struct allocation_track *tracks;
    uint32_t count; /* of those in the order: pictures that can be had */
    uint16_t order[ALLOCATION_TRACKS_MAX];
};

static uint64_t cost_of(const struct allocation_track *track, int step)
{
    return step < 0 ? 0 : track->layers[track->steps[step]].bps;
}

static bool has_failed(const struct sharing *sharing, const struct allocation_track *track,
                       int step)
{
    const struct allocation_held *held = &track->held;
    return sharing->now < held->retry_at && track->priority <= held->failed_priority &&
           cost_of(track, step) * FAILED_OF >= held->failed_bps * FAILED_PART;
}

/* What all may cost together when the track takes the step. */
static uint64_t limit_of(const struct sharing *sharing, const struct allocation_track *track,
                         int step)
{
    if (step == 0)
        return track->held.was_scarce ? sharing->budget : sharing->patient;
    if (step <= track->held_step)
        return sharing->budget;
    if (has_failed(sharing, track, step))
        return sharing->lasting - sharing->lasting / AMPLE;
    return sharing->lasting;
}

/* Takes the next step, if it can. */
static void raise(struct sharing *sharing, struct allocation_track *track)
{
    int step = track->step + 1;
    uint64_t sum = sharing->spent - cost_of(track, track->step) + cost_of(track, step);
    if (sum > limit_of(sharing, track, step))
        return;
    sharing->spent = sum;
    track->step = (int8_t)step;
}

/* Those of order[from..to), of one priority: each a step, and another one. */
static void raise_all(struct sharing *sharing, uint32_t from, uint32_t to)
{
    bool has_risen = true;
    for (int step = 0; has_risen; step++) {
        has_risen = false;
        for (uint32_t i = from; i < to; i++) {
            struct allocation_track *track = &sharing->tracks[sharing->order[i]];
            if (track->step != step || step + 1 >= track->step_count)
                continue;
            raise(sharing, track);
            has_risen = has_risen || track->step > step;
        }
    }
}

static bool comes_before(const struct allocation_track *tracks, uint16_t a, uint16_t b)
{
    uint64_t area_a = (uint64_t)tracks[a].width * tracks[a].height;
    uint64_t area_b = (uint64_t)tracks[b].width * tracks[b].height;
    if (tracks[a].priority != tracks[b].priority)
        return tracks[a].priority > tracks[b].priority;
    return area_a != area_b ? area_a > area_b : a < b;
}

/* Shell's sort: most often they are in order already. */
static void sort(struct sharing *sharing)
{
    for (uint32_t gap = sharing->count / 2; gap > 0; gap /= 2)
        for (uint32_t i = gap; i < sharing->count; i++) {
            uint16_t moved = sharing->order[i];
            uint32_t at = i;
            for (; at >= gap && comes_before(sharing->tracks, moved, sharing->order[at - gap]);
                 at -= gap)
                sharing->order[at] = sharing->order[at - gap];
            sharing->order[at] = moved;
        }
}

static void share(struct sharing *sharing)
{
    sort(sharing);
    for (uint32_t i = 0; i < sharing->count; i++)
        raise(sharing, &sharing->tracks[sharing->order[i]]);
    for (uint32_t from = 0, to; from < sharing->count; from = to) {
        uint8_t priority = sharing->tracks[sharing->order[from]].priority;
        to = from;
        while (to < sharing->count && sharing->tracks[sharing->order[to]].priority == priority)
            to++;
        raise_all(sharing, from, to);
    }
}

/* ---- before and after ---- */

/* Gives audio what it takes; puts the pictures that can be had into the order. */
static void begin(struct sharing *sharing, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct allocation_track *track = &sharing->tracks[i];
        assert(track->layer_count <= LAYERS_MAX);
        track->reason = (uint8_t)reason_to_pause(track);
        track->layer = ALLOCATION_NONE;
        track->step = track->held_step = -1;
        track->step_count = 0;
        if (track->reason != ALLOCATION_FULL)
            continue;
        if (track->is_audio) {
            track->layer = 0;
            sharing->spent += track->layers[0].bps;
            continue;
        }
        make_steps(track);
        track->held_step = find_held(track);
        if (track->step_count == 0)
            track->reason = ALLOCATION_PAUSED; /* it may have none of them */
        else
            sharing->order[sharing->count++] = (uint16_t)i;
    }
}

static bool is_window_full(const struct allocation_track *track)
{
    uint8_t best = track->steps[track->step_count - 1];
    for (unsigned i = best + 1u; i < track->layer_count; i++)
        if (may_have(track, i) && area_of(&track->layers[i]) > area_of(&track->layers[best]))
            return true;
    return false;
}

/* Does what it had cost too much for the line, and not for its rank alone? */
static bool is_scarce(const struct sharing *sharing, uint64_t audio)
{
    uint64_t sum = audio;
    for (uint32_t i = 0; i < sharing->count; i++) {
        const struct allocation_track *track = &sharing->tracks[sharing->order[i]];
        sum += cost_of(track, track->held_step);
    }
    return sum > sharing->budget;
}

static void note_failure(struct allocation_held *held, usec now, const struct allocation_track *of)
{
    usec soon = held->retry_at + held->retry_after + ALLOCATION_PROOF;
    uint64_t cost = cost_of(of, of->held_step);
    /* what costs far more than what failed before has failed for the first time */
    bool is_more = cost * (AMPLE - 1) > held->failed_bps * AMPLE;
    bool is_again = held->retry_after > 0 && now < soon && !is_more;
    held->retry_after = is_again ? 2 * held->retry_after : ALLOCATION_RETRY;
    if (held->retry_after > ALLOCATION_RETRY_MOST)
        held->retry_after = ALLOCATION_RETRY_MOST;
    held->retry_at = now + held->retry_after;
    held->failed_bps = cost;
    held->failed_priority = of->priority;
}

static void keep(const struct sharing *sharing, struct allocation_track *track, bool is_scarce)
{
    struct allocation_held *held = &track->held;
    bool has_risen = track->step > track->held_step;
    bool has_sunk = track->step < track->held_step;
    if (has_sunk && is_scarce && held->rose_at > 0 &&
        sharing->now < held->rose_at + ALLOCATION_PROOF)
        note_failure(held, sharing->now, track);
    if (has_risen)
        held->rose_at = held->has_been ? sharing->now : 0;
    held->has_layer = track->step >= 0;
    held->was_scarce = track->step < 0;
    if (held->has_layer)
        held->layer = track->layers[track->steps[track->step]];
}

static void settle(const struct sharing *sharing, struct allocation_track *track, bool is_scarce)
{
    keep(sharing, track, is_scarce);
    if (track->step >= 0)
        track->layer = track->steps[track->step];
    if (track->step + 1 < track->step_count)
        track->reason = ALLOCATION_BANDWIDTH;
    else if (is_window_full(track))
        track->reason = ALLOCATION_WINDOW;
}

/* What more it could come to, and when. */
static void look_ahead(struct allocation *allocation, const struct sharing *sharing,
                       const struct allocation_track *track)
{
    allocation->wanted_bps += cost_of(track, track->step_count - 1);
    if (track->step + 1 >= track->step_count)
        return;
    uint64_t sum = sharing->spent - cost_of(track, track->step) + cost_of(track, track->step + 1);
    uint64_t needed = sum * ALLOCATION_ROOM / (ALLOCATION_ROOM - 1) + ALLOCATION_ROOM;
    if (has_failed(sharing, track, track->step + 1))
        needed = needed * AMPLE / (AMPLE - 1) + AMPLE;
    if (allocation->next_bps == 0 || needed < allocation->next_bps)
        allocation->next_bps = needed;
    if (track->held.retry_at > sharing->now && track->held.retry_at < allocation->until)
        allocation->until = track->held.retry_at;
}

void allocation_run(struct allocation *allocation, usec now, uint64_t budget_bps,
                    struct allocation_track *tracks, uint32_t count)
{
    struct sharing sharing = { .now = now, .budget = budget_bps, .tracks = tracks };
    assert(count <= ALLOCATION_TRACKS_MAX);
    note_budget(allocation, now, budget_bps);
    uint64_t lasting = lasting_budget(allocation);
    sharing.lasting = lasting - lasting / ALLOCATION_ROOM;
    sharing.patient = allocation->loses ? patient_budget(allocation) : UINT64_MAX;
    begin(&sharing, count);
    uint64_t audio = sharing.spent;
    bool scarce = is_scarce(&sharing, audio);
    share(&sharing);

    allocation->given_bps = sharing.spent;
    allocation->wanted_bps = audio;
    allocation->next_bps = 0;
    allocation->until = USEC_NEVER;
    for (uint32_t i = 0; i < sharing.count; i++) {
        struct allocation_track *track = &tracks[sharing.order[i]];
        settle(&sharing, track, scarce);
        look_ahead(allocation, &sharing, track);
    }
    for (uint32_t i = 0; i < count; i++) {
        tracks[i].held.has_been = true;
        if (tracks[i].step_count == 0) /* paused by others than the line: it comes back as if new */
            tracks[i].held.has_layer = tracks[i].held.was_scarce = false;
    }
    bool is_rising = lasting < budget_bps && allocation->next_bps > 0;
    bool is_patient = sharing.spent > budget_bps;
    if ((is_rising || is_patient) && now + ALLOCATION_SLOT < allocation->until)
        allocation->until = now + ALLOCATION_SLOT;
}
