#include "caller.h"

#include "wire/json.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS 1000000 /* a session's: more than it ever says */

void caller_init(struct caller *caller, struct world *world, const uint32_t meet[2],
                 uint32_t number)
{
    memset(caller, 0, sizeof *caller);
    caller->world = world;
    memcpy(caller->homes, meet, sizeof caller->homes);
    caller->number = number;
    caller->act_at = world->now + world_pick(world, 2000) * USEC_MS;
    caller->line.is_over = true;
}

void caller_free(struct caller *caller)
{
    for (uint32_t i = 0; i < caller->diary_count; i++)
        free(caller->diaries[i].heard);
}

/* ---- sending ---- */

static void say(struct caller *caller)
{
    static char text[9000];
    struct world *world = caller->world;
    struct diary *diary = caller->diary;
    int padding = world_chance(world, world->is_loud ? 80 : 10) ? (int)world_pick(world, 7900) : 0;
    int size = snprintf(
        text, sizeof text, "{\"type\":\"say\",\"room\":\"%s\",\"n\":%llu,\"pad\":\"%*s\"}",
        diary->room, (unsigned long long)(diary->id * NUMBERS + diary->said + 1), padding, "");
    if (!talk_say(&caller->talk, "say", view_make(text, (size_t)size)))
        return;
    diary->said++;
    caller->said++;
}

static void offer(struct caller *caller)
{
    char text[300];
    uint32_t candidates = world_pick(caller->world, CANDIDATES_MAX + 1);
    if (caller->line.pending_count + candidates + 1 > LINE_PENDING_MAX)
        return;
    caller->offers++;
    for (uint32_t i = 0; i <= candidates; i++) {
        const char *event = i ? "candidate" : "offer";
        snprintf(text, sizeof text,
                 "{\"type\":\"%s\",\"room\":\"%s\",\"from\":%llu,\"offer\":%llu,\"n\":%u}", event,
                 caller->diary->room, (unsigned long long)caller->diary->id,
                 (unsigned long long)caller->offers, i);
        talk_say(&caller->talk, event, view_of(text));
    }
}

static void let_go(struct caller *caller, bool politely, bool silently)
{
    line_drop(&caller->line, politely, silently);
    talk_end(&caller->talk);
    caller->read_at = 0;
    caller->state = CALLER_OUT;
    caller->diary->is_here = false;
}

/* ---- what comes ---- */

static void fail(const struct caller *caller, const char *what, struct view text)
{
    fprintf(stderr, "session %llu in %s: %s: %.*s\n", (unsigned long long)caller->diary->id,
            caller->diary->room, what, (int)(text.size < 100 ? text.size : 100),
            (const char *)text.at);
    abort();
}

static struct voice *voice_of(struct diary *diary, uint64_t from)
{
    struct voice *voice = diary->voices;
    while (voice->from && voice->from != from)
        voice++;
    assert(voice < diary->voices + CALLER_VOICES);
    voice->from = from;
    return voice;
}

static bool hear(struct diary *diary, uint64_t n)
{
    struct voice *voice = voice_of(diary, n / NUMBERS);
    if (voice->said && n % NUMBERS != voice->said + 1)
        return false;
    voice->said = n % NUMBERS;
    if (diary->heard_count % 64 == 0)
        diary->heard = realloc(diary->heard, (diary->heard_count + 64) * sizeof diary->heard[0]);
    assert(diary->heard);
    diary->heard[diary->heard_count++] = n;
    return true;
}

/* An offer and its candidates come whole and in order, also to those who came later. */
static bool follow_offer(struct diary *diary, const cJSON *message, bool is_first)
{
    uint64_t from = 0;
    uint64_t number = 0;
    uint64_t n = 0;
    if (json_get_number(message, "from", &from) != OK ||
        json_get_number(message, "offer", &number) != OK || json_get_number(message, "n", &n) != OK)
        return false;
    struct voice *voice = voice_of(diary, from);
    if (is_first ? number <= voice->offer : voice->offer != number || voice->candidates + 1 != n)
        return false;
    voice->offer = number;
    voice->candidates = n;
    return true;
}

static void on_joined(struct caller *caller)
{
    caller->state = CALLER_IN;
    if (!caller->is_leaving)
        say(caller);
}

static void on_told(void *context, struct view event, struct view json)
{
    struct caller *caller = context;
    cJSON *message = NULL;
    uint64_t n = 0;
    if (view_equal(event, VIEW("joined"))) {
        on_joined(caller);
        return;
    }
    if (json_read_object(json, &message) != OK)
        fail(caller, "not JSON", json);
    if (!view_equal(json_get_string(message, "room"), view_of(caller->diary->room)))
        fail(caller, "another room's", json);
    if (view_equal(event, VIEW("say")) && json_get_number(message, "n", &n) == OK) {
        if (caller->state != CALLER_IN)
            fail(caller, "said before it joined", json);
        if (!hear(caller->diary, n))
            fail(caller, "out of order, twice, or after what was lost", json);
    } else if (!follow_offer(caller->diary, message, view_equal(event, VIEW("offer")))) {
        fail(caller, "an offer out of order", json);
    }
    cJSON_Delete(message);
}

static void on_opened(void *context)
{
    struct caller *caller = context;
    talk_begin(&caller->talk);
}

static void on_heard(void *context, struct view message, bool is_binary)
{
    struct caller *caller = context;
    talk_hear(&caller->talk, message, is_binary);
}

/* ---- what it does ---- */

static void connect(struct caller *caller)
{
    struct world *world = caller->world;
    uint32_t number = caller->homes[world_pick(world, 2)];
    const struct home *home = &homes[number];
    if (caller->diary_count == CALLER_DIARIES_MAX) {
        caller->state = CALLER_DONE;
        return;
    }
    struct diary *diary = &caller->diaries[caller->diary_count++];
    caller->diary = diary;
    diary->id = caller->number * 1000 + caller->diary_count;
    snprintf(diary->room, sizeof diary->room, "%u.%u", number, world_pick(world, 2));
    caller->state = CALLER_JOINING;
    caller->talk = (struct talk){ .kind = home->talk,
                                  .line = &caller->line,
                                  .room = diary->room,
                                  .context = caller,
                                  .told = on_told };
    caller->line = (struct line){ .context = caller, .opened = on_opened, .heard = on_heard };
    line_open(&caller->line, world, home->lines[world_pick(world, home->line_count)], home->path,
              world_chance(world, 60) ? 4 : 3, diary->id);
}

static void act(struct caller *caller)
{
    struct world *world = caller->world;
    uint32_t dice = world_pick(world, 1000);
    caller->act_at = world->now + (1 + world_pick(world, world->is_loud ? 500 : 1500)) * USEC_MS;
    if (caller->state == CALLER_OUT) {
        if (caller->is_leaving)
            caller->state = CALLER_DONE;
        else
            connect(caller);
        return;
    }
    talk_beat(&caller->talk);
    if (caller->is_calm) {
        caller->diary->is_here = caller->state == CALLER_IN;
        return;
    }
    if (caller->is_leaving || dice < 40) {
        bool politely = dice % 2;
        let_go(caller, politely, !politely && dice % 4 == 0);
    } else if (caller->state != CALLER_IN) {
        return;
    } else if (dice < 60) {
        caller->read_at = world->now + world_pick(world, world->is_loud ? 40000 : 5000) * USEC_MS;
    } else if (dice < 800) {
        say(caller);
    } else if (dice < 900) {
        offer(caller);
    }
}

void caller_turn(struct caller *caller)
{
    usec now = caller->world->now;
    if (caller->state == CALLER_DONE)
        return;
    if (caller->state != CALLER_OUT)
        line_turn(&caller->line, caller->read_at <= now);
    if (caller->state != CALLER_OUT && caller->line.is_over)
        let_go(caller, true, false);
    if (caller->act_at <= now) {
        act(caller);
        if (caller->state != CALLER_OUT)
            line_turn(&caller->line, caller->read_at <= now);
    }
}

usec caller_next(const struct caller *caller)
{
    usec next = caller->act_at;
    if (caller->state == CALLER_DONE)
        return USEC_NEVER;
    if (caller->read_at > caller->world->now && caller->read_at < next)
        next = caller->read_at;
    if (caller->state != CALLER_OUT && line_next(&caller->line) < next)
        next = line_next(&caller->line);
    return next;
}

void caller_calm(struct caller *caller)
{
    caller->is_calm = true;
    caller->read_at = 0;
}

void caller_stir(struct caller *caller)
{
    caller->is_calm = false;
    if (caller->diary)
        caller->diary->is_here = false;
}

void caller_finish(struct caller *caller)
{
    caller->is_leaving = true;
    caller_stir(caller);
}

/* ---- the check ---- */

static uint32_t place_of(const struct diary *diary, uint64_t n)
{
    uint32_t at = 0;
    while (at < diary->heard_count && diary->heard[at] != n)
        at++;
    return at;
}

/* `late` came when `early` was there, or later: what both heard is the same. */
static bool agree(const struct diary *early, const struct diary *late, uint32_t from)
{
    uint32_t count = early->heard_count - from;
    bool are_here = early->is_here && late->is_here;
    if (are_here && count != late->heard_count)
        return false;
    if (late->heard_count < count)
        count = late->heard_count;
    return memcmp(early->heard + from, late->heard, count * sizeof late->heard[0]) == 0;
}

static bool check_pair(const struct diary *a, const struct diary *b)
{
    if (strcmp(a->room, b->room) != 0 || a->heard_count == 0 || b->heard_count == 0)
        return true;
    uint32_t b_begins = place_of(a, b->heard[0]);
    uint32_t a_begins = place_of(b, a->heard[0]);
    bool good = true;
    if (b_begins < a->heard_count)
        good = agree(a, b, b_begins);
    else if (a_begins < b->heard_count)
        good = agree(b, a, a_begins);
    else /* they were never there together */
        good = !(a->is_here && b->is_here);
    if (!good)
        fprintf(stderr, "sessions %llu and %llu in %s heard different things\n",
                (unsigned long long)a->id, (unsigned long long)b->id, a->room);
    return good;
}

/* Whether one who is here has heard all that it said itself. */
static bool check_own(const struct diary *diary)
{
    const struct voice *voice = diary->voices;
    while (voice->from && voice->from != diary->id)
        voice++;
    if (!diary->is_here || voice->said == diary->said)
        return true;
    fprintf(stderr, "session %llu in %s said %llu and heard %llu of it\n",
            (unsigned long long)diary->id, diary->room, (unsigned long long)diary->said,
            (unsigned long long)voice->said);
    return false;
}

static bool check_diary(const struct diary *diary, const struct caller *callers, uint32_t count)
{
    if (!check_own(diary))
        return false;
    for (uint32_t i = 0; i < diary->heard_count; i++)
        if (place_of(diary, diary->heard[i]) != i) {
            fprintf(stderr, "session %llu heard something twice\n", (unsigned long long)diary->id);
            return false;
        }
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < callers[i].diary_count; j++)
            if (!check_pair(diary, &callers[i].diaries[j]))
                return false;
    return true;
}

bool callers_check(const struct caller *callers, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < callers[i].diary_count; j++)
            if (!check_diary(&callers[i].diaries[j], callers, count))
                return false;
    return true;
}
