#include "caller.h"

#include "front/endpoint.h"
#include "wire/json.h"
#include "wire/websocket.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX      (512 * 1024)
#define CANDIDATES_MAX 4

/* ---- what they are served ---- */

static const struct rule RULES[] = {
    { .on = "join", .join = "room", .to = TO_SENDER, .emit = "joined" },
    { .on = "say", .to = TO_ALL },
    { .on = "offer", .to = TO_OTHERS, .keep = KEEP_FIRST },
    { .on = "candidate", .to = TO_OTHERS, .keep = KEEP_MORE },
};

#define RELAY(path_)                                                                               \
    {                                                                                              \
        .path = (path_), .carrier = CARRIER_WEBSOCKET, .speech = SPEECH_RELAY,                     \
        .limits = { .sessions = 200,                                                               \
                    .message_bytes = 64 * 1024,                                                    \
                    .queue_bytes = 256 * 1024,                                                     \
                    .rooms = 2,                                                                    \
                    .kept = 1 + CANDIDATES_MAX },                                                  \
        .rules = {                                                                                 \
            .event_field = "type",                                                                 \
            .items = RULES,                                                                        \
            .count = sizeof RULES / sizeof RULES[0]                                                \
        }                                                                                          \
    }

static const struct endpoint_config RELAYS[] = { RELAY("/relay0"), RELAY("/relay1") };
const struct endpoint_configs caller_endpoints = { RELAYS, 2 };

void caller_init(struct caller *caller, struct world *world, uint32_t number)
{
    memset(caller, 0, sizeof *caller);
    caller->world = world;
    caller->number = number;
    caller->act_at = world->now + world_pick(world, 2000) * USEC_MS;
    caller->input = malloc(INPUT_MAX);
    assert(caller->input);
}

void caller_free(struct caller *caller)
{
    for (uint32_t i = 0; i < caller->diary_count; i++)
        free(caller->diaries[i].heard);
    free(caller->input);
}

/* ---- sending ---- */

static void send_frame(struct caller *caller, uint8_t opcode, struct view payload)
{
    static uint8_t frame[WEBSOCKET_HEADER_MAX + 70000];
    uint8_t header[WEBSOCKET_HEADER_MAX];
    const uint8_t mask[4] = { 4, 3, 2, (uint8_t)world_pick(caller->world, 256) };
    uint8_t *body = frame + WEBSOCKET_HEADER_MAX;
    if (!caller->wire)
        return;
    assert(payload.size <= 70000);
    if (payload.size)
        memcpy(body, payload.at, payload.size);
    size_t size = websocket_write_masked(opcode, true, false, mask,
                                         (struct span){ body, payload.size }, header);
    memcpy(body - size, header, size);
    world_send(caller->world, caller->wire, view_make(body - size, size + payload.size));
}

static void say(struct caller *caller)
{
    static char text[9000];
    struct world *world = caller->world;
    int padding = world_chance(world, world->is_loud ? 80 : 10) ? (int)world_pick(world, 7900) : 0;
    snprintf(text, sizeof text, "{\"type\":\"say\",\"room\":\"%s\",\"n\":%llu,\"pad\":\"%*s\"}",
             caller->diary->room,
             (unsigned long long)(caller->diary->id * 1000000 + ++caller->said), padding, "");
    send_frame(caller, WEBSOCKET_TEXT, view_of(text));
}

static void offer(struct caller *caller)
{
    char text[300];
    uint32_t candidates = world_pick(caller->world, CANDIDATES_MAX + 1);
    caller->offers++;
    for (uint32_t i = 0; i <= candidates; i++) {
        snprintf(text, sizeof text,
                 "{\"type\":\"%s\",\"room\":\"%s\",\"from\":%llu,\"offer\":%llu,\"n\":%u}",
                 i ? "candidate" : "offer", caller->diary->room,
                 (unsigned long long)caller->diary->id, (unsigned long long)caller->offers, i);
        send_frame(caller, WEBSOCKET_TEXT, view_of(text));
    }
}

static void connect(struct caller *caller)
{
    struct world *world = caller->world;
    char text[400];
    uint32_t path = world_pick(world, 2);
    if (caller->diary_count == CALLER_DIARIES_MAX) {
        caller->state = CALLER_DONE;
        return;
    }
    struct diary *diary = &caller->diaries[caller->diary_count++];
    caller->diary = diary;
    diary->id = caller->number * 1000 + caller->diary_count;
    snprintf(diary->room, sizeof diary->room, "%u.%u", path, world_pick(world, 2));
    caller->wire = world_connect(world, caller->number);
    caller->state = CALLER_HEAD;
    snprintf(text, sizeof text,
             "GET /relay%u HTTP/1.1\r\nHost: sim\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
             path);
    world_send(world, caller->wire, view_of(text));
    snprintf(text, sizeof text, "{\"type\":\"join\",\"room\":\"%s\"}", diary->room);
    send_frame(caller, WEBSOCKET_TEXT, view_of(text)); /* without waiting for the answer */
}

static void let_go(struct caller *caller, bool politely, bool silently)
{
    if (caller->wire)
        world_drop(caller->world, caller->wire, politely, silently);
    caller->wire = NULL;
    caller->input_size = 0;
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

static void hear(struct caller *caller, uint64_t n)
{
    struct diary *diary = caller->diary;
    if (diary->heard_count % 64 == 0)
        diary->heard = realloc(diary->heard, (diary->heard_count + 64) * sizeof diary->heard[0]);
    assert(diary->heard);
    diary->heard[diary->heard_count++] = n;
}

/* An offer and its candidates come whole and in order, also to those who came later. */
static bool follow_offer(struct diary *diary, const cJSON *message, bool is_first)
{
    uint64_t from = 0;
    uint64_t number = 0;
    uint64_t n = 0;
    struct offerer *offerer = diary->offerers;
    if (json_get_number(message, "from", &from) != OK ||
        json_get_number(message, "offer", &number) != OK || json_get_number(message, "n", &n) != OK)
        return false;
    while (offerer->from && offerer->from != from)
        offerer++;
    assert(offerer < diary->offerers + CALLER_OFFERERS);
    if (is_first ? number <= offerer->offer
                 : offerer->offer != number || offerer->candidates + 1 != n)
        return false;
    *offerer = (struct offerer){ from, number, n };
    return true;
}

static void on_text(struct caller *caller, struct view text)
{
    cJSON *message = NULL;
    uint64_t n = 0;
    if (json_read_object(text, &message) != OK)
        fail(caller, "not JSON", text);
    struct view type = json_get_string(message, "type");
    if (!view_equal(json_get_string(message, "room"), view_of(caller->diary->room)))
        fail(caller, "another room's", text);
    if (view_equal(type, VIEW("joined"))) {
        caller->state = CALLER_IN;
        if (!caller->is_leaving)
            say(caller);
    } else if (view_equal(type, VIEW("say")) && json_get_number(message, "n", &n) == OK) {
        if (caller->state != CALLER_IN)
            fail(caller, "said before it joined", text);
        hear(caller, n);
    } else if (!follow_offer(caller->diary, message, view_equal(type, VIEW("offer")))) {
        fail(caller, "an offer out of order", text);
    }
    cJSON_Delete(message);
}

/* Takes the answer to the upgrade off the front; false: it is not whole. */
static bool read_head(struct caller *caller)
{
    struct view input = view_make(caller->input, caller->input_size);
    size_t end = view_find(input, VIEW("\r\n\r\n"));
    if (end == input.size)
        return false;
    if (!view_starts(input, VIEW("HTTP/1.1 101 ")))
        fail(caller, "not opened", input);
    caller->input_size -= end + 4;
    memmove(caller->input, caller->input + end + 4, caller->input_size);
    caller->state = CALLER_JOINING;
    return true;
}

static void read_frames(struct caller *caller)
{
    size_t at = 0;
    while (caller->wire) {
        struct websocket_frame frame;
        size_t used;
        int status = websocket_read((struct span){ caller->input + at, caller->input_size - at },
                                    WEBSOCKET_CLIENT, WORLD_PIPE_SIZE, &frame, &used);
        if (status == ERR_MORE)
            break;
        assert(status == OK && frame.fin);
        at += used;
        if (frame.opcode == WEBSOCKET_PING)
            send_frame(caller, WEBSOCKET_PONG, view_of_span(frame.payload));
        else if (frame.opcode == WEBSOCKET_TEXT)
            on_text(caller, view_of_span(frame.payload));
        else if (frame.opcode == WEBSOCKET_CLOSE)
            let_go(caller, true, false);
    }
    if (!caller->wire)
        return;
    caller->input_size -= at;
    memmove(caller->input, caller->input + at, caller->input_size);
}

static void read_all(struct caller *caller)
{
    while (caller->wire) {
        size_t size = world_receive(caller->world, caller->wire, caller->input + caller->input_size,
                                    INPUT_MAX - caller->input_size);
        if (size == 0)
            break;
        caller->input_size += size;
        if (caller->state == CALLER_HEAD && !read_head(caller))
            continue;
        read_frames(caller);
    }
    if (caller->wire && world_ended(caller->world, caller->wire))
        let_go(caller, false, false);
}

/* ---- what it does ---- */

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
    if (caller->is_calm) {
        caller->diary->is_here = caller->state == CALLER_IN;
        return;
    }
    if (caller->is_leaving || dice < 40) {
        bool politely = dice % 2;
        if (politely)
            send_frame(caller, WEBSOCKET_CLOSE, VIEW("\x03\xe8"));
        let_go(caller, politely, dice % 4 == 0);
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
    if (caller->state == CALLER_DONE)
        return;
    if (caller->read_at <= caller->world->now)
        read_all(caller);
    if (caller->act_at <= caller->world->now)
        act(caller);
}

usec caller_next(const struct caller *caller)
{
    if (caller->state == CALLER_DONE)
        return USEC_NEVER;
    if (caller->read_at > caller->world->now && caller->read_at < caller->act_at)
        return caller->read_at;
    return caller->act_at;
}

void caller_calm(struct caller *caller)
{
    caller->is_calm = true;
    caller->read_at = 0;
}

void caller_finish(struct caller *caller)
{
    caller->is_leaving = true;
    caller->is_calm = false;
    if (caller->diary)
        caller->diary->is_here = false;
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

static bool check_diary(const struct diary *diary, const struct caller *callers, uint32_t count)
{
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
