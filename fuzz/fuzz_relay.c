/* Fuzzes relays: one endpoint with rules of every kind, and sessions over a carrier of our own.
 *
 * Input: a byte of settings (bit 0: hardly any memory), then lines.  A line is a letter, the number
 * of a session (0 to 5), and what the letter needs:
 *
 *     o0       opens the session, anew if it is open       x0 ends it
 *     m0...    it says this text                           b0... these bytes
 *     d        the server stops, and begins anew
 *
 * As long as all that was said is JSON, all that is heard is.  Fields are found where a parser of
 * JSON finds them.  At the end everybody goes, and nothing may be left.
 */
#include "base/utf8.h"
#include "front/relay/relay.h"
#include "input.h"
#include "wire/json.h"
#include "wire/json_text.h"

#define SESSIONS  6
#define LINES_MAX 500

static const char *const FIELDS[] = { "sdp", "room" };
static const struct rule RULES[] = {
    { .on = "open", .to = TO_SENDER, .emit = "you", .say = "{\"id\":\"$id\",\"auth\":$auth}" },
    { .on = "join", .join = "room", .to = TO_ALL },
    { .on = "join", .to = TO_SENDER, .when = WHEN_OTHERS, .emit = "others", .say = "{}" },
    { .on = "move", .leave = "*", .join = "room", .to = TO_OTHERS, .emit = "moved" },
    { .on = "leave", .leave = "room", .to = TO_OTHERS, .pick = FIELDS, .pick_count = 2 },
    { .on = "first", .to = TO_OTHERS, .keep = KEEP_FIRST },
    { .on = "more", .to = TO_PATH, .emit = "much more", .keep = KEEP_MORE },
    { .on = "more", .to = TO_OTHERS, .keep = KEEP_MORE },
    { .on = "quiet", .to = TO_NOBODY, .keep = KEEP_FIRST, .emit = "kept" },
    { .on = "room", .to = TO_ROOM, .field = "room", .keep = KEEP_FIRST },
    { .on = "peer", .to = TO_PEER, .field = "id" },
    { .on = "bye", .to = TO_OTHERS, .close = 3000 },
    { .on = "close", .to = TO_OTHERS, .emit = "gone", .say = "{\"id\":\"$id\"}" },
    { .on = "*", .to = TO_ALL },
};

static struct {
    uint64_t chance;
    struct server *server;
    struct metrics metrics;
    struct session *sessions[SESSIONS];
    bool all_json;
} world;

static const usec NOW = 1000 * USEC_S;

/* ---- the carrier ---- */

static bool is_json(struct view text)
{
    cJSON *tree = NULL;
    bool is_object = utf8_valid(text) && json_read_object(text, &tree) == OK;
    cJSON_Delete(tree);
    return is_object;
}

static void told(struct server *server, usec now, struct session *session, struct message *message)
{
    (void)server;
    (void)now;
    CHECK(session->is_open && !session->is_closing);
    if (world.all_json)
        CHECK(!message->is_binary && is_json(message->body));
}

static void forget(struct session *session)
{
    for (unsigned i = 0; i < SESSIONS; i++)
        if (world.sessions[i] == session)
            world.sessions[i] = NULL;
}

static void closed(struct server *server, usec now, struct session *session, uint16_t code,
                   const char *reason)
{
    (void)now;
    (void)reason;
    CHECK(code >= 1000);
    forget(session);
    session_free(server, session);
}

static const struct carrier CARRIER = {
    .name = "fuzz",
    .kind = CARRIER_WEBSOCKET,
    .send = told,
    .close = closed,
    .session_size = sizeof(struct session),
};

/* ---- the lines ---- */

static void end_session(unsigned number)
{
    struct session *session = world.sessions[number];
    if (!session)
        return;
    forget(session);
    session_end(world.server, NOW, session, true);
    session_free(world.server, session);
}

static void open_session(unsigned number)
{
    end_session(number);
    struct session *session = session_new(world.server, &world.server->endpoints[0], &CARRIER);
    world.sessions[number] = session;
    if (session)
        session_open(world.server, NOW, session);
}

/* Each member's value is found where the parser found it. */
static void check_fields(struct view text)
{
    cJSON *tree = NULL;
    if (!utf8_valid(text) || json_read_object(text, &tree) != OK)
        return;
    for (const cJSON *item = tree->child; item; item = item->next) {
        struct view name = view_of(item->string);
        struct view value;
        uint8_t out[64];
        struct view said;
        if (name.size > 100 || cJSON_GetObjectItemCaseSensitive(tree, item->string) != item)
            continue; /* of several the first counts */
        CHECK(json_text_find(text, name, &value));
        CHECK(view_within(value, text));
        cJSON *again = cJSON_ParseWithLength((const char *)value.at, value.size);
        CHECK(again && cJSON_Compare(again, item, true));
        cJSON_Delete(again);
        if (json_text_string(value, out, sizeof out, &said) == OK)
            CHECK(cJSON_IsString(item) && view_equal(said, view_of(item->valuestring)));
    }
    cJSON_Delete(tree);
}

static void hear(unsigned number, struct view body, bool is_binary)
{
    struct span copy = input_copy(body);
    struct view seen = view_of_span(copy);
    struct view list = seen;
    struct view value;
    while (json_text_next(&list, &value))
        CHECK(value.size && view_within(value, seen));
    check_fields(seen);
    if (world.sessions[number]) {
        world.all_json = world.all_json && !is_binary && is_json(seen);
        session_hear(world.server, NOW, world.sessions[number], seen, is_binary);
    }
    free(copy.at);
}

static void begin(uint8_t choices)
{
    static struct endpoint_config config = {
        .path = "/relay",
        .carrier = CARRIER_WEBSOCKET,
        .speech = SPEECH_RELAY,
        .limits = { .sessions = 5,
                    .message_bytes = 65536,
                    .queue_bytes = 4096,
                    .rooms = 2,
                    .kept = 4 },
        .rules = { .event_field = "type", .items = RULES, .count = sizeof RULES / sizeof RULES[0] },
    };
    static const struct endpoint_configs CONFIGS = { &config, 1 };
    struct server_config server = {
        .worker_count = 1,
        .streams_max = SESSIONS,
        .rooms_max = 2,
        .members_max = 2,
        .buffer_bytes = (size_t)(choices & 1 ? 512 * 1024 : 2 * 1024 * 1024),
        .random = { input_random_fill, &world.chance },
        .room_secret = { 1, 2 },
        .metrics = &world.metrics,
        .endpoints = &CONFIGS,
    };
    memset(&world.metrics, 0, sizeof world.metrics);
    world.chance = 1;
    world.all_json = true;
    CHECK(server_new(&server, NOW, &world.server) == OK);
}

static void check_levels(uint64_t rooms_max)
{
    CHECK(metrics_read(&world.metrics, METRIC_RELAY_ROOMS) <= rooms_max);
    CHECK(metrics_read(&world.metrics, METRIC_RELAY_KEPT) <= rooms_max * 4);
    CHECK(metrics_read(&world.metrics, METRIC_SESSIONS) <= rooms_max);
}

static void end(bool is_sudden)
{
    for (unsigned i = 0; i < SESSIONS && !is_sudden; i++)
        end_session(i);
    if (!is_sudden)
        check_levels(0);
    memset(world.sessions, 0, sizeof world.sessions);
    server_free(world.server); /* asserts that nothing is left */
    check_levels(0);
}

static void do_line(struct view line, uint8_t choices)
{
    uint8_t letter = input_byte(&line);
    unsigned number = input_byte(&line) % 8u % SESSIONS;
    if (letter == 'o')
        open_session(number);
    else if (letter == 'x')
        end_session(number);
    else if (letter == 'm' || letter == 'b')
        hear(number, line, letter == 'b');
    else if (letter == 'd') {
        end(true);
        begin(choices);
    }
    streams_settle(world.server, NOW);
    check_levels(5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    struct view line;
    uint8_t choices = input_byte(&input);
    begin(choices);
    for (unsigned lines = 0; lines < LINES_MAX && view_split(&input, '\n', &line); lines++)
        do_line(line, choices);
    end(false);
    return 0;
}
