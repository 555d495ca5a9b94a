#include "media/speakers.h"

#include <assert.h>

#define DB 16 /* units of loudness in one */

/* To speak is to be so much above one's noise, which is taken to be within these bounds, comes down
 * at once and goes up by so much in a slot: by some 10 dB in a second. */
#define ABOVE_NOISE (10 * DB)
#define NOISE_LEAST (67 * DB) /* -60 dBov */
#define NOISE_MOST  (85 * DB) /* -42 dBov */
#define NOISE_RISE  3

/* Slots: of the short time and the longer one, how many of them make a speaker, and how many more
 * than the dominant one's. */
#define SHORT_SLOTS  10
#define LONG_SLOTS   50
#define SHORT_SPOKEN 5
#define LONG_SPOKEN  20
#define LONG_MORE    15
#define MARK_SPOKEN  3 /* of the longer time: it is to be marked */

/* Where all speak: how much louder one must be to take another's place, and how long that one had
 * it at least. */
#define LOUDER      (6 * DB)
#define LOUD_STAYS  (1 * USEC_S)
#define TRY_SLOTS   5 /* between two tries to be let in */
#define QUIET_SLOTS 5 /* without a packet: it sends none in silence */

void speakers_init(struct speakers *speakers, uint32_t last_n, uint32_t loudest_n)
{
    *speakers = (struct speakers){ .last_n = last_n, .loudest_n = loudest_n };
    list_init(&speakers->all);
    list_init(&speakers->waking);
}

void speakers_listen(struct speakers *speakers)
{
    speakers_init(speakers, 0, 0);
    speakers->is_listening = true;
}

static struct speaker *speaker_at(const struct list *node)
{
    return LIST_ENTRY(node, struct speaker, node);
}

/* ---- one speaker's time ---- */

static uint64_t slot_of(usec now)
{
    return now / SPEAKERS_SLOT;
}

static void pass_to(struct speaker *speaker, uint64_t slot)
{
    uint64_t by = slot - speaker->slot;
    speaker->spoken = by < 64 ? speaker->spoken << by : 0;
    speaker->slot = slot;
}

/* In how many of the last slots it spoke. */
static unsigned count_spoken(const struct speaker *speaker, uint64_t slot, unsigned slots)
{
    uint64_t by = slot - speaker->slot;
    uint64_t spoken = by < 64 ? speaker->spoken << by : 0;
    return (unsigned)__builtin_popcountll(spoken & (((uint64_t)1 << slots) - 1));
}

bool speaker_talks(const struct speaker *speaker, usec now)
{
    return count_spoken(speaker, slot_of(now), LONG_SLOTS) >= MARK_SPOKEN;
}

/* It speaks, in this slot; and in those since its last packet, where that was of speech, too: one
 * may be of 60 ms, or be lost. */
static void note_speech(struct speaker *speaker, uint64_t passed)
{
    speaker->spoken |= 1;
    if (passed > 1 && passed <= QUIET_SLOTS && speaker->spoken >> passed & 1)
        speaker->spoken |= ((uint64_t)1 << passed) - 1;
}

/* Up within a few packets, down by half in half a second: syllables don't show. */
static uint16_t smooth(uint16_t loudness, uint16_t sample)
{
    if (sample > loudness)
        return (uint16_t)(loudness + (sample - loudness + 1) / 2);
    return (uint16_t)(loudness - (loudness - sample + 31) / 32);
}

static uint16_t loudness_at(const struct speaker *speaker, uint64_t slot)
{
    uint64_t silent = slot - speaker->loud_slot;
    uint16_t loudness = speaker->loudness;
    if (silent <= QUIET_SLOTS)
        return loudness;
    for (silent -= QUIET_SLOTS; silent > 0 && loudness > 0; silent--)
        loudness = smooth(loudness, 0);
    return loudness;
}

uint8_t speaker_level(const struct speaker *speaker, usec now)
{
    return (uint8_t)(SPEAKERS_SILENCE - loudness_at(speaker, slot_of(now)) / DB);
}

static void follow_noise(struct speaker *speaker, uint64_t slot, uint16_t sample)
{
    uint64_t passed = slot - speaker->slot; /* without packets nothing is learned of it */
    uint64_t noise = speaker->noise + (passed < QUIET_SLOTS ? passed : 0) * NOISE_RISE;
    if (!speaker->has_level || sample < noise)
        noise = sample;
    if (noise < NOISE_LEAST)
        noise = NOISE_LEAST;
    speaker->noise = (uint16_t)(noise < NOISE_MOST ? noise : NOISE_MOST);
}

/* ---- the loud ---- */

static bool has_place(const struct speakers *speakers)
{
    return speakers->loudest_n == 0 || speakers->loud_count < speakers->loudest_n;
}

static void let_in(struct speaker *speaker, usec now)
{
    speaker->is_loud = true;
    speaker->loud_at = now;
    speaker->of->loud_count++;
}

static void put_out(struct speaker *speaker)
{
    speaker->is_loud = false;
    speaker->of->loud_count--;
}

/* Who has not spoken for the longest time; or, where all have of late, who is the quietest. */
static struct speaker *find_quiet(const struct speakers *speakers, usec now, uint16_t loudness)
{
    struct speaker *silent = NULL;
    struct speaker *quiet = NULL;
    uint32_t least = 0;
    const struct list *node = speakers->all.next;
    for (; node != &speakers->all; node = node->next) {
        struct speaker *at = speaker_at(node);
        if (!at->is_loud || !at->has_level)
            continue;
        if (!speaker_speaks(at, now) && (!silent || at->spoke_at < silent->spoke_at))
            silent = at;
        uint16_t own = loudness_at(at, slot_of(now));
        if (at != speakers->dominant && now - at->loud_at >= LOUD_STAYS &&
            own + LOUDER <= loudness && (!quiet || own < least)) {
            quiet = at;
            least = own;
        }
    }
    return silent ? silent : quiet;
}

/* Lets it in among the loud, when there is a place for one who is so loud. */
static unsigned take_place(struct speaker *speaker, usec now, uint16_t loudness)
{
    if (!has_place(speaker->of)) {
        struct speaker *quiet = find_quiet(speaker->of, now, loudness);
        if (!quiet)
            return 0;
        put_out(quiet);
    }
    let_in(speaker, now);
    return SPEAKERS_LOUD;
}

/* It speaks, and is not among the loud. */
static unsigned try_to_let_in(struct speaker *speaker, usec now)
{
    uint64_t slot = slot_of(now);
    if (speaker->tried_slot > 0 && slot < speaker->tried_slot + TRY_SLOTS)
        return 0;
    speaker->tried_slot = slot;
    return take_place(speaker, now, speaker->loudness);
}

/* Its first packet with a level: it is one of those who are counted now. */
static unsigned begin_levels(struct speaker *speaker, usec now)
{
    speaker->has_level = true;
    if (speaker->of->is_listening)
        return 0;
    if (has_place(speaker->of)) {
        let_in(speaker, now);
        return 0; /* as it was */
    }
    speaker->is_loud = false;
    return SPEAKERS_LOUD;
}

unsigned speakers_heard(struct speaker *speaker, usec now, uint8_t level)
{
    uint64_t slot = slot_of(now);
    uint8_t most = level < SPEAKERS_SILENCE ? level : SPEAKERS_SILENCE;
    uint16_t sample = (uint16_t)((SPEAKERS_SILENCE - most) * DB);
    if (!speaker->of)
        return 0;
    uint64_t passed = slot - speaker->slot;
    follow_noise(speaker, slot, sample);
    pass_to(speaker, slot);
    speaker->loudness = smooth(loudness_at(speaker, slot), sample);
    speaker->loud_slot = slot;
    unsigned changes = speaker->has_level ? 0 : begin_levels(speaker, now);
    if (sample < speaker->noise + ABOVE_NOISE)
        return changes;
    note_speech(speaker, passed);
    speaker->spoke_at = now;
    if (!speaker->is_loud && !speaker->of->is_listening)
        changes |= try_to_let_in(speaker, now);
    return changes;
}

/* ---- heard elsewhere ---- */

void speaker_report(const struct speaker *speaker, usec now, struct speaker_report *report)
{
    uint64_t slot = slot_of(now);
    uint64_t by = slot - speaker->slot;
    *report = (struct speaker_report){ .spoken = by < 64 ? speaker->spoken << by : 0,
                                       .loudness = loudness_at(speaker, slot),
                                       .has_level = speaker->has_level };
}

unsigned speakers_told(struct speaker *speaker, usec now, const struct speaker_report *report)
{
    uint64_t slot = slot_of(now);
    if (!speaker->of || !report->has_level)
        return 0;
    pass_to(speaker, slot);
    speaker->spoken = report->spoken;
    speaker->loudness = report->loudness;
    speaker->loud_slot = slot;
    unsigned changes = speaker->has_level ? 0 : begin_levels(speaker, now);
    if (report->spoken == 0)
        return changes;
    usec spoke_at = now - (usec)__builtin_ctzll(report->spoken) * SPEAKERS_SLOT;
    bool is_news = spoke_at > speaker->spoke_at;
    if (is_news)
        speaker->spoke_at = spoke_at;
    if (!speaker->is_loud && is_news && speaker_speaks(speaker, now))
        changes |= try_to_let_in(speaker, now);
    return changes;
}

/* ---- the seen ---- */

static void hide(struct speaker *speaker)
{
    speaker->is_seen = false;
    speaker->of->seen_count--;
}

static void see(struct speaker *speaker, usec now)
{
    speaker->is_seen = true;
    speaker->seen_at = now;
    speaker->of->seen_count++;
}

/* Who is to give its place to another: those who have had theirs for a while first, and of them who
 * was dominant the longest time ago. */
static struct speaker *find_hidden_next(const struct speakers *speakers, usec now)
{
    struct speaker *found = NULL;
    bool found_stayed = false;
    for (const struct list *node = speakers->all.next; node != &speakers->all; node = node->next) {
        struct speaker *at = speaker_at(node);
        bool has_stayed = now - at->seen_at >= SPEAKERS_STAY;
        if (!at->is_seen || at == speakers->dominant)
            continue;
        if (!found || has_stayed > found_stayed ||
            (has_stayed == found_stayed && at->turn <= found->turn)) {
            found = at;
            found_stayed = has_stayed;
        }
    }
    return found;
}

/* Free places go to who was dominant last, then to who came first. */
static unsigned fill_seen(struct speakers *speakers, usec now)
{
    unsigned changes = 0;
    while (!speakers->is_listening &&
           (speakers->last_n == 0 || speakers->seen_count < speakers->last_n)) {
        struct speaker *next = NULL;
        const struct list *node = speakers->all.next;
        for (; node != &speakers->all; node = node->next) {
            struct speaker *at = speaker_at(node);
            if (at->is_shown && !at->is_seen && (!next || at->turn > next->turn))
                next = at;
        }
        if (!next)
            break;
        see(next, now);
        changes = SPEAKERS_SEEN;
    }
    return changes;
}

static unsigned see_dominant(struct speakers *speakers, usec now)
{
    struct speaker *dominant = speakers->dominant;
    if (!dominant || !dominant->is_shown || dominant->is_seen)
        return 0;
    if (speakers->last_n > 0 && speakers->seen_count >= speakers->last_n)
        hide(find_hidden_next(speakers, now));
    see(dominant, now);
    return SPEAKERS_SEEN;
}

unsigned speakers_show(struct speaker *speaker, usec now, bool is_shown)
{
    unsigned changes = 0;
    if (speaker->is_shown == is_shown || !speaker->of) {
        speaker->is_shown = is_shown;
        return 0;
    }
    speaker->is_shown = is_shown;
    if (speaker->is_seen) {
        hide(speaker);
        changes = SPEAKERS_SEEN;
    }
    changes |= see_dominant(speaker->of, now);
    return changes | fill_seen(speaker->of, now);
}

/* ---- a room ---- */

unsigned speakers_add(struct speakers *speakers, usec now, struct speaker *speaker)
{
    assert(!speaker->of);
    *speaker = (struct speaker){ .owner = speaker->owner,
                                 .is_shown = speaker->is_shown,
                                 .is_loud = true,
                                 .of = speakers,
                                 .slot = slot_of(now),
                                 .loud_slot = slot_of(now) };
    list_append(&speakers->all, &speaker->node);
    speakers->count++;
    return SPEAKERS_LOUD | fill_seen(speakers, now);
}

void speakers_end(struct speakers *speakers)
{
    while (!list_empty(&speakers->all)) {
        struct speaker *speaker = speaker_at(speakers->all.next);
        list_remove(&speaker->node);
        speaker->of = NULL;
    }
    list_remove(&speakers->waking);
    speakers->dominant = NULL;
    speakers->count = speakers->seen_count = speakers->loud_count = 0;
}

unsigned speakers_remove(struct speaker *speaker, usec now)
{
    struct speakers *speakers = speaker->of;
    unsigned changes = 0;
    if (!speakers)
        return 0;
    if (speaker->is_seen)
        hide(speaker);
    if (speaker->is_loud && speaker->has_level && !speakers->is_listening)
        put_out(speaker);
    list_remove(&speaker->node);
    speakers->count--;
    speaker->of = NULL;
    if (speakers->dominant == speaker) {
        speakers->dominant = NULL;
        changes = SPEAKERS_DOMINANT;
    }
    return changes | fill_seen(speakers, now);
}

/* Who spoke most of late, but who is dominant; NULL: nobody did. */
static struct speaker *find_challenger(const struct speakers *speakers, uint64_t slot)
{
    struct speaker *best = NULL;
    unsigned most = LONG_SPOKEN - 1;
    for (const struct list *node = speakers->all.next; node != &speakers->all; node = node->next) {
        struct speaker *at = speaker_at(node);
        unsigned spoken = count_spoken(at, slot, LONG_SLOTS);
        if (at == speakers->dominant || count_spoken(at, slot, SHORT_SLOTS) < SHORT_SPOKEN)
            continue;
        if (spoken > most || (best && spoken == most && at->loudness > best->loudness)) {
            best = at;
            most = spoken;
        }
    }
    return best;
}

/* Places that are free again. */
static unsigned fill_loud(struct speakers *speakers, usec now)
{
    unsigned changes = 0;
    struct list *node = speakers->all.next;
    for (; node != &speakers->all && has_place(speakers); node = node->next)
        if (!speaker_at(node)->is_loud) {
            let_in(speaker_at(node), now);
            changes = SPEAKERS_LOUD;
        }
    return changes;
}

unsigned speakers_look(struct speakers *speakers, usec now)
{
    uint64_t slot = slot_of(now);
    struct speaker *next = find_challenger(speakers, slot);
    const struct speaker *dominant = speakers->dominant;
    unsigned changes = fill_loud(speakers, now);
    speakers->looked_at = now;
    if (!next || (dominant && count_spoken(next, slot, LONG_SLOTS) <
                                  count_spoken(dominant, slot, LONG_SLOTS) + LONG_MORE))
        return changes;
    speakers->dominant = next;
    next->turn = ++speakers->turns;
    if (!next->is_loud)
        changes |= take_place(next, now, UINT16_MAX);
    return changes | SPEAKERS_DOMINANT | see_dominant(speakers, now);
}
