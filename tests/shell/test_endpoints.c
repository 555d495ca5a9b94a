/* test_endpoints.c - the key `endpoints`: what is built in, what users say, what is refused. */
#include "repository_file.h"
#include "support.h"

#include "front/endpoint.h"
#include "shell/endpoints.h"
#include "shell/settings.h"

#include <stdlib.h>
#include <unistd.h>

#define NAME    "moim.yaml"
#define LARGEST "1MiB" /* message that an endpoint can be set to take */

static void read_yaml(const char *yaml, struct settings *settings)
{
    char error[SETTINGS_ERROR_MAX] = "";
    settings_default(settings);
    int status = settings_read_text(view_of(yaml), NAME, settings, error);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
}

static void refuse_yaml(const char *yaml, const char *wanted)
{
    char error[SETTINGS_ERROR_MAX] = "";
    struct settings settings;
    settings_default(&settings);
    int status = settings_read_text(view_of(yaml), NAME, &settings, error);
    assert_string_equal(error, wanted);
    assert_int_equal(status, ERR_CONFIG);
    assert_null(settings.endpoints);
}

static const struct endpoint_config *find(const struct settings *settings, const char *path,
                                          enum carrier_kind carrier)
{
    const struct endpoint_configs *configs = settings_endpoints(settings);
    for (uint32_t i = 0; configs && i < configs->count; i++)
        if (strcmp(configs->items[i].path, path) == 0 && configs->items[i].carrier == carrier)
            return &configs->items[i];
    return NULL;
}

/* ---- the built-in list ---- */

static void check_rule(const struct rule *rule, const char *on, enum rule_scope to,
                       const char *emit)
{
    assert_string_equal(rule->on, on);
    assert_int_equal(rule->to, to);
    if (emit)
        assert_string_equal(rule->emit, emit);
    else
        assert_null(rule->emit);
}

static void check_built_in_stomp(const struct endpoint_config *stomp)
{
    assert_non_null(stomp);
    assert_int_equal(stomp->speech, SPEECH_STOMP);
    assert_int_equal(stomp->stomp.broker_count, 2);
    assert_string_equal(stomp->stomp.broker[0], "/topic");
    assert_int_equal(stomp->stomp.application_count, 1);
    assert_string_equal(stomp->stomp.application[0], "/app");
    assert_int_equal(stomp->stomp.rename_count, 1);
    assert_string_equal(stomp->stomp.renames[0].from, "/app/simple-peer/offer/*/*");
    assert_string_equal(stomp->stomp.renames[0].to, "/topic/simple-peer/answer/*/*");
    assert_int_equal(stomp->stomp.room_count, 7);
    assert_string_equal(stomp->stomp.rooms[0], "/topic/peer/offer/*/*");
    assert_true(stomp->stomp.room_rule);
    assert_true(stomp->stomp.door);
    assert_int_equal(stomp->stomp.heartbeat, 10 * USEC_S);
    assert_int_equal(stomp->rules.count, 0);
}

static void check_built_in_socketio(const struct endpoint_config *socketio)
{
    assert_non_null(socketio);
    assert_int_equal(socketio->speech, SPEECH_SOCKETIO);
    assert_true(socketio->socketio.mediasoup);
    const struct rule *rules = socketio->rules.items;
    assert_int_equal(socketio->rules.count, 8);
    check_rule(&rules[2], "candidate", TO_OTHERS, NULL);
    check_rule(&rules[3], "join", TO_NOBODY, NULL);
    assert_string_equal(rules[3].join, "roomId");
    check_rule(&rules[4], "join", TO_SENDER, "remote-offer");
    assert_int_equal(rules[4].when, WHEN_OTHERS);
    assert_string_equal(rules[4].say, "{}");
    check_rule(&rules[7], "new-ice", TO_ROOM, "remote-ice");
    assert_string_equal(rules[7].field, "roomId");
    assert_int_equal(rules[7].pick_count, 1);
    assert_string_equal(rules[7].pick[0], "iceCandidates");
}

static void test_built_in(void **state)
{
    (void)state;
    char error[SETTINGS_ERROR_MAX] = "";
    struct settings settings;
    int status = settings_read(NULL, NULL, NULL, 0, &settings, error);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
    assert_int_equal(settings_endpoints(&settings)->count, 4);
    check_built_in_stomp(find(&settings, "/signaling", CARRIER_SOCKJS));
    check_built_in_socketio(find(&settings, "/socket.io", CARRIER_ENGINE));

    const struct endpoint_config *bare = find(&settings, "/signaling", CARRIER_WEBSOCKET);
    assert_non_null(bare);
    assert_string_equal(bare->rules.event_field, "type");
    assert_int_equal(bare->rules.count, 4);
    assert_int_equal(bare->rules.items[0].signal, SIGNAL_OFFER);
    assert_int_equal(bare->rules.items[1].signal, SIGNAL_ANSWER);
    check_rule(&bare->rules.items[2], "ice-candidate", TO_OTHERS, NULL);
    assert_int_equal(bare->rules.items[2].signal, SIGNAL_CANDIDATE);
    check_rule(&bare->rules.items[3], "*", TO_OTHERS, NULL);

    const struct endpoint_config *viewers = find(&settings, "/ws", CARRIER_WEBSOCKET);
    assert_non_null(viewers);
    assert_int_equal(viewers->rules.items[0].keep, KEEP_FIRST);
    assert_int_equal(viewers->rules.items[2].keep, KEEP_MORE);
    check_rule(&viewers->rules.items[3], "*", TO_OTHERS, NULL);
    assert_int_equal(viewers->topology, ENDPOINT_MESH);
    settings_clear(&settings);
}

/* ---- the user's over it ---- */

static void test_none(void **state)
{
    (void)state;
    struct settings settings;
    read_yaml("workers: 1\n", &settings);
    assert_null(settings_endpoints(&settings)); /* settings_read puts the built-in ones there */
    read_yaml("endpoints: []\n", &settings);
    assert_null(settings_endpoints(&settings));
}

static void test_replace(void **state)
{
    (void)state;
    struct settings settings;
    read_yaml("endpoints:\n"
              "  - {path: /ws, event_field: kind, rules: [{on: x, to: path}]}\n"
              "  - {path: /signaling, carry: websocket, enabled: false}\n"
              "  - {path: /socket.io/old, carry: engine.io}\n"
              "  - path: /signaling/more/and/more\n",
              &settings);
    assert_int_equal(settings_endpoints(&settings)->count, 5);
    const struct endpoint_config *ws = find(&settings, "/ws", CARRIER_WEBSOCKET);
    assert_string_equal(ws->rules.event_field, "kind");
    assert_int_equal(ws->rules.count, 1);
    check_rule(&ws->rules.items[0], "x", TO_PATH, NULL);
    assert_null(find(&settings, "/signaling", CARRIER_WEBSOCKET));
    check_built_in_stomp(find(&settings, "/signaling", CARRIER_SOCKJS));

    /* what lies below another comes before it */
    const struct endpoint_config *items = settings_endpoints(&settings)->items;
    assert_string_equal(items[0].path, "/signaling/more/and/more");
    assert_string_equal(items[1].path, "/socket.io/old");
    assert_string_equal(items[2].path, "/signaling");
    assert_string_equal(items[4].path, "/ws");
    settings_clear(&settings);
}

static void test_read_twice(void **state)
{
    (void)state;
    char error[SETTINGS_ERROR_MAX] = "";
    struct settings settings;
    read_yaml("endpoints: [{path: /a}]\n", &settings);
    assert_int_equal(settings_read_text(VIEW("endpoints: [{path: /b}]"), NAME, &settings, error),
                     OK);
    assert_null(find(&settings, "/a", CARRIER_WEBSOCKET));
    assert_non_null(find(&settings, "/b", CARRIER_WEBSOCKET));
    assert_int_equal(settings_read_text(VIEW("endpoints: [{path: b}]"), NAME, &settings, error),
                     ERR_CONFIG);
    assert_non_null(find(&settings, "/b", CARRIER_WEBSOCKET));
    settings_clear(&settings);
}

static void test_defaults(void **state)
{
    (void)state;
    struct settings settings;
    read_yaml("endpoints: [{path: /a}, {path: /b, carry: sockjs}, {path: /c, carry: engine.io}]",
              &settings);
    const struct endpoint_config *a = find(&settings, "/a", CARRIER_WEBSOCKET);
    assert_int_equal(a->speech, SPEECH_RELAY);
    assert_int_equal(a->origin_count, 0);
    assert_int_equal(a->limits.sessions, 65536);
    assert_int_equal(a->limits.message_bytes, 64 * 1024);
    assert_int_equal(a->limits.queue_bytes, 1024 * 1024);
    assert_int_equal(a->limits.rooms, 16);
    assert_int_equal(a->limits.subscriptions, 128);
    assert_int_equal(a->limits.kept, 64);
    assert_null(a->rules.event_field);
    assert_int_equal(a->rules.count, 1);
    check_rule(&a->rules.items[0], "*", TO_OTHERS, NULL);

    const struct endpoint_config *b = find(&settings, "/b", CARRIER_SOCKJS);
    assert_int_equal(b->speech, SPEECH_STOMP);
    assert_int_equal(b->sockjs.heartbeat, 25 * USEC_S);
    assert_int_equal(b->sockjs.disconnect, 5 * USEC_S);
    assert_int_equal(b->sockjs.response_max, 128 * 1024);
    assert_true(b->sockjs.websocket);
    assert_false(b->sockjs.cookie_needed);
    assert_int_equal(strncmp(b->sockjs.client_url, "https://", 8), 0);
    assert_int_equal(b->stomp.broker_count, 2);
    assert_int_equal(b->stomp.application_count, 1);
    assert_int_equal(b->stomp.room_count + b->stomp.rename_count, 0);
    assert_true(b->stomp.room_rule);
    assert_false(b->stomp.door);

    const struct endpoint_config *c = find(&settings, "/c", CARRIER_ENGINE);
    assert_int_equal(c->speech, SPEECH_SOCKETIO);
    assert_int_equal(c->engine.ping_interval, 25 * USEC_S);
    assert_int_equal(c->engine.ping_timeout, 20 * USEC_S);
    assert_true(c->engine.eio3);
    assert_int_equal(c->socketio.connect_timeout, 45 * USEC_S);
    assert_int_equal(c->socketio.recovery, 0);
    assert_false(c->socketio.mediasoup);
    assert_int_equal(c->socketio.namespace_count, 0);
    settings_clear(&settings);
}

static void test_every_option(void **state)
{
    (void)state;
    struct settings settings;
    read_yaml("endpoints:\n"
              "  - path: /b\n"
              "    carry: sockjs\n"
              "    speak: stomp\n"
              "    origins: [https://example.org, 'http://localhost:3000', \"null\"]\n"
              "    limits: {sessions: 7, message: 4096, queue: 8KiB, rooms: 0, subscriptions: 1,\n"
              "             kept: 3}\n"
              "    sockjs: {heartbeat: 2m, disconnect: 300ms, response: 1MiB, websocket: false,\n"
              "             cookie: true, client_url: /sockjs.js}\n"
              "    stomp: {broker: [/t], application: [], room_rule: false, heartbeat: 0,\n"
              "            rooms: [/t/*], rename: [{from: /x/*/y, to: /t/*}, {from: /u, to: /v}]}\n"
              "  - path: /c\n"
              "    carry: engine.io\n"
              "    engine: {ping_interval: 1h, ping_timeout: 200ms, eio3: false}\n"
              "    socketio: {namespaces: [/, /custom], connect_timeout: 1s, recovery: 2m}\n",
              &settings);
    const struct endpoint_config *b = find(&settings, "/b", CARRIER_SOCKJS);
    assert_int_equal(b->origin_count, 3);
    assert_string_equal(b->origins[2], "null");
    assert_int_equal(b->limits.sessions, 7);
    assert_int_equal(b->limits.message_bytes, 4096);
    assert_int_equal(b->limits.queue_bytes, 8192);
    assert_int_equal(b->limits.rooms, 0);
    assert_int_equal(b->limits.subscriptions, 1);
    assert_int_equal(b->limits.kept, 3);
    assert_int_equal(b->sockjs.heartbeat, 120 * USEC_S);
    assert_int_equal(b->sockjs.disconnect, 300 * USEC_MS);
    assert_int_equal(b->sockjs.response_max, 1024 * 1024);
    assert_false(b->sockjs.websocket);
    assert_true(b->sockjs.cookie_needed);
    assert_string_equal(b->sockjs.client_url, "/sockjs.js");
    assert_int_equal(b->stomp.broker_count, 1);
    assert_int_equal(b->stomp.application_count, 0);
    assert_false(b->stomp.room_rule);
    assert_int_equal(b->stomp.heartbeat, 0);
    assert_int_equal(b->stomp.room_count, 1);
    assert_int_equal(b->stomp.rename_count, 2);
    assert_string_equal(b->stomp.renames[1].to, "/v");

    const struct endpoint_config *c = find(&settings, "/c", CARRIER_ENGINE);
    assert_int_equal(c->engine.ping_interval, 3600 * USEC_S);
    assert_int_equal(c->engine.ping_timeout, 200 * USEC_MS);
    assert_false(c->engine.eio3);
    assert_int_equal(c->socketio.namespace_count, 2);
    assert_string_equal(c->socketio.namespaces[1], "/custom");
    assert_int_equal(c->socketio.connect_timeout, USEC_S);
    assert_int_equal(c->socketio.recovery, 120 * USEC_S);
    settings_clear(&settings);
}

static void test_every_rule_field(void **state)
{
    (void)state;
    struct settings settings;
    read_yaml("endpoints:\n"
              "  - path: /r1\n"
              "    carry: engine.io\n"
              "    rules:\n"
              "      - {on: open, to: sender, emit: auth, say: '\"$auth\"'}\n"
              "      - {on: a, to: room, field: r, when: alone, join: j, leave: \"*\", emit: e,\n"
              "         pick: [x, y], keep: more, acknowledge: true}\n"
              "      - {on: b, to: peer, field: id, say: '1, {\"from\": \"$id\"}'}\n"
              "  - path: /r2\n"
              "    rules: [{on: open, close: 3000, reason: Go away!}, {on: \"*\", to: sender,\n"
              "             amplify: true}]\n"
              "  - {path: /r3, rules: []}\n",
              &settings);
    const struct endpoint_config *one = find(&settings, "/r1", CARRIER_ENGINE);
    const struct rule *rules = one->rules.items;
    assert_int_equal(one->rules.count, 3);
    check_rule(&rules[0], "open", TO_SENDER, "auth");
    assert_string_equal(rules[0].say, "\"$auth\"");
    check_rule(&rules[1], "a", TO_ROOM, "e");
    assert_string_equal(rules[1].field, "r");
    assert_int_equal(rules[1].when, WHEN_ALONE);
    assert_string_equal(rules[1].join, "j");
    assert_string_equal(rules[1].leave, "*");
    assert_int_equal(rules[1].pick_count, 2);
    assert_string_equal(rules[1].pick[1], "y");
    assert_int_equal(rules[1].keep, KEEP_MORE);
    assert_true(rules[1].acknowledge);
    check_rule(&rules[2], "b", TO_PEER, NULL);

    const struct endpoint_config *two = find(&settings, "/r2", CARRIER_WEBSOCKET);
    assert_int_equal(two->rules.items[0].close, 3000);
    assert_string_equal(two->rules.items[0].reason, "Go away!");
    assert_true(two->rules.items[1].amplify);
    assert_int_equal(find(&settings, "/r3", CARRIER_WEBSOCKET)->rules.count, 0);
    settings_clear(&settings);
}

/* What the public protocol test suites are run against. */
static void test_conformance(void **state)
{
    (void)state;
    char text[16 * 1024];
    struct settings settings;
    read_repository_file("examples/conformance.yaml", text, sizeof(text));
    read_yaml(text, &settings);
    const struct endpoint_config *engine = find(&settings, "/engine.io", CARRIER_ENGINE);
    assert_int_equal(engine->speech, SPEECH_RELAY);
    assert_int_equal(engine->limits.message_bytes, 1000000);
    assert_int_equal(engine->engine.ping_interval, 300 * USEC_MS);
    assert_int_equal(engine->engine.ping_timeout, 200 * USEC_MS);
    assert_false(engine->engine.eio3);
    check_rule(&engine->rules.items[0], "*", TO_SENDER, NULL);
    const struct endpoint_config *socketio = find(&settings, "/socket.io", CARRIER_ENGINE);
    assert_int_equal(socketio->rules.count, 3);
    assert_int_equal(socketio->socketio.connect_timeout, USEC_S);
    assert_int_equal(find(&settings, "/echo", CARRIER_SOCKJS)->sockjs.response_max, 4096);
    assert_false(find(&settings, "/disabled_websocket_echo", CARRIER_SOCKJS)->sockjs.websocket);
    assert_true(find(&settings, "/cookie_needed_echo", CARRIER_SOCKJS)->sockjs.cookie_needed);
    assert_int_equal(find(&settings, "/close", CARRIER_SOCKJS)->rules.items[0].close, 3000);
    assert_true(find(&settings, "/amplify", CARRIER_SOCKJS)->rules.items[0].amplify);
    assert_non_null(find(&settings, "/echo-ws", CARRIER_WEBSOCKET));
    check_built_in_stomp(find(&settings, "/signaling", CARRIER_SOCKJS));
    settings_clear(&settings);
}

/* The manual tells of every key; the built-in list's own comments are its second half. */
static void test_manual(void **state)
{
    (void)state;
    static char text[64 * 1024];
    char key[64];
    read_repository_file("docs/CONFIGURATION.md", text, sizeof(text));
    for (const cyaml_schema_field_t *f = endpoint_schema.mapping.fields; f->key; f++) {
        snprintf(key, sizeof(key), "`%s`", f->key);
        if (!strstr(text, key))
            fail_msg("the manual lacks %s", key);
        if (f->value.type != CYAML_MAPPING)
            continue;
        for (const cyaml_schema_field_t *in = f->value.mapping.fields; in->key; in++) {
            bool has_prefix = strcmp(f->key, "limits") != 0;
            snprintf(key, sizeof(key), "`%s%s%s`", has_prefix ? f->key : "", has_prefix ? "." : "",
                     in->key);
            if (!strstr(text, key))
                fail_msg("the manual lacks %s", key);
        }
    }
}

/* ---- what is refused ---- */

static void refuse_entry(const char *entry, const char *wanted)
{
    char yaml[4096];
    char line[2 * SETTINGS_ERROR_MAX];
    snprintf(yaml, sizeof(yaml), "workers: 1\nendpoints:\n  - %s\n", entry);
    snprintf(line, sizeof(line), NAME ":3: endpoints[0]%s", wanted);
    refuse_yaml(yaml, line);
}

static void test_wrong_shapes(void **state)
{
    (void)state;
    refuse_yaml("endpoints:\n", NAME ":1: endpoints: no value");
    refuse_yaml("endpoints: all\n", NAME ":1: endpoints: not a list; [] is the empty one");
    refuse_yaml("endpoints: {path: /x}\n", NAME ":1: endpoints: not a list; [] is the empty one");
    refuse_yaml("endpoints:\n  path: /x\n", NAME ":1: endpoints: not a list; [] is the empty one");
    refuse_yaml("endpoints[0]: {path: /x}\n", NAME ":1: endpoints[0]: unknown key");
    refuse_yaml("endpoints:\n  -\n    path: /x\n    path: /y\n",
                NAME ":4: endpoints[0].path: the key stands on line 3 already");
    refuse_yaml("endpoints:\n  - path: /x\n    speak: stomp\n    stomp:\n      rename:\n"
                "        - {from: /a, to: /b}\n        - {from: /a, top: /b}\n",
                NAME ":7: endpoints[0].stomp.rename[1].top: unknown key");
    refuse_entry("/x", ": not a map of keys, like {key: value}");
    refuse_entry("~", ": no value");
    refuse_entry("[[path, /x]]", ": not a map of keys, like {key: value}");
    refuse_entry("{paths: /x}", ".paths: unknown key");
    refuse_entry("{path: /x, path2: /x}", ".path2: unknown key");
    refuse_entry("{path: [/x]}", ".path: not a single value");
    refuse_entry("{path: }", ".path: no value");
    refuse_entry("{path: /x, origins: https://a.org}", ".origins: not a list; [] is the empty one");
    refuse_entry("{path: /x, origins: [~]}", ".origins[0]: no value");
    refuse_entry("{path: /x, origins: [{a: b}]}", ".origins[0]: not a single value");
    refuse_entry("{path: /x, limits: 4}", ".limits: not a map of keys, like {key: value}");
    refuse_entry("{path: /x, limits: {messages: 4}}", ".limits.messages: unknown key");
    refuse_entry("{path: /x, rules: [on]}", ".rules[0]: not a map of keys, like {key: value}");
    refuse_entry("{path: /x, rules: [{on: \"*\", too: all}]}", ".rules[0].too: unknown key");
    refuse_entry("{path: /x, rules: [{on: \"*\", pick: a}]}",
                 ".rules[0].pick: not a list; [] is the empty one");
}

static void test_wrong_paths(void **state)
{
    (void)state;
    char entry[512];
    char wanted[512];
    static const char *const own[] = { "/r",       "/r/room",  "/api",    "/api/v1/meet",
                                       "/metrics", "/healthz", "/readyz", "/poll/enter" };
    static const char *const odd[] = { "/a b", "/a?b", "/a%20b", "/\xc3\xa9", "/*" };
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        snprintf(entry, sizeof(entry), "{path: \"%s\"}", own[i]);
        snprintf(wanted, sizeof(wanted), ".path: \"%s\" is one of the server's own", own[i]);
        refuse_entry(entry, wanted);
    }
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        snprintf(entry, sizeof(entry), "{path: \"%s\"}", odd[i]);
        snprintf(wanted, sizeof(wanted), ".path: \"%s\" holds a character that paths don't have",
                 odd[i]);
        refuse_entry(entry, wanted);
    }
    refuse_entry("{}", ": path is missing");
    refuse_entry("{path: \"\"}", ".path: \"\" is not a path like /chat");
    refuse_entry("{path: /}", ".path: \"/\" is not a path like /chat");
    refuse_entry("{path: ws}", ".path: \"ws\" is not a path like /chat");
    refuse_entry("{path: /ws/}",
                 ".path: \"/ws/\" ends with a slash: paths below it are served as they are needed");
    refuse_entry("{path: /a//b}", ".path: \"/a//b\" has an empty part, or one of dots alone");
    refuse_entry("{path: /a/../b}", ".path: \"/a/../b\" has an empty part, or one of dots alone");

    char path[ENDPOINT_PATH_MAX + 1] = "/";
    memset(path + 1, 'a', ENDPOINT_PATH_MAX - 2);
    struct settings settings;
    snprintf(entry, sizeof(entry), "endpoints: [{path: %s}, {path: /roomy}]", path);
    read_yaml(entry, &settings);
    assert_non_null(find(&settings, path, CARRIER_WEBSOCKET));
    settings_clear(&settings);
    path[ENDPOINT_PATH_MAX - 1] = 'a';
    snprintf(entry, sizeof(entry), "{path: %s}", path);
    snprintf(wanted, sizeof(wanted), ".path: \"%.76s...\" is longer than 127 bytes", path);
    refuse_entry(entry, wanted);
}

static void test_wrong_kinds(void **state)
{
    (void)state;
    refuse_entry("{path: /x, carry: http}",
                 ".carry: \"http\" is not one of websocket, sockjs, engine.io");
    refuse_entry("{path: /x, speak: sip}", ".speak: \"sip\" is not one of relay, stomp, socket.io");
    refuse_entry("{path: /x, speak: socket.io}", ".speak: socket.io needs carry: engine.io");
    refuse_entry("{path: /x, carry: engine.io, speak: stomp}",
                 ".speak: stomp needs carry: websocket or carry: sockjs");
    refuse_entry("{path: /x, sockjs: {}}", ".sockjs: only together with carry: sockjs");
    refuse_entry("{path: /x, engine: {}}", ".engine: only together with carry: engine.io");
    refuse_entry("{path: /x, stomp: {door: true}}", ".stomp: only together with speak: stomp");
    refuse_entry("{path: /x, carry: engine.io, speak: relay, socketio: {}}",
                 ".socketio: only together with speak: socket.io");
    refuse_entry("{path: /x, speak: stomp, rules: []}",
                 ".rules: stomp has none: its broker knows where messages go");
    refuse_entry("{path: /x, speak: stomp, event_field: a}",
                 ".event_field: only with speak: relay");
    refuse_entry("{path: /x, event_field: \"\"}", ".event_field: is not the name of a field");
    refuse_entry("{path: /x, enabled: no}", ".enabled: \"no\" is not true or false");
}

static void test_wrong_values(void **state)
{
    (void)state;
    refuse_entry("{path: /x, limits: {sessions: 0}}",
                 ".limits.sessions: \"0\" is not a number from 1 to 1000000");
    refuse_entry("{path: /x, limits: {sessions: 4KiB}}",
                 ".limits.sessions: \"4KiB\" is not a number from 1 to 1000000");
    refuse_entry("{path: /x, limits: {message: 64KB}}",
                 ".limits.message: \"64KB\" is not a size (like 4096 or 64KiB) from 1 to " LARGEST);
    refuse_entry("{path: /x, limits: {message: 2MiB}}",
                 ".limits.message: \"2MiB\" is not a size (like 4096 or 64KiB) from 1 to " LARGEST);
    refuse_entry("{path: /x, limits: {message: KiB}}",
                 ".limits.message: \"KiB\" is not a size (like 4096 or 64KiB) from 1 to " LARGEST);
    refuse_entry("{path: /x, limits: {queue: 4KiB}}",
                 ".limits.queue: less than one message (limits.message)");
    refuse_entry("{path: /x, carry: sockjs, sockjs: {heartbeat: 25}}",
                 ".sockjs.heartbeat: \"25\" is not a duration (like 300ms, 25s or 2m) from 1s to "
                 "24h");
    refuse_entry("{path: /x, carry: sockjs, sockjs: {heartbeat: 0}}",
                 ".sockjs.heartbeat: \"0\" is not a duration (like 300ms, 25s or 2m) from 1s to "
                 "24h");
    refuse_entry("{path: /x, carry: sockjs, sockjs: {cookie: 1}}",
                 ".sockjs.cookie: \"1\" is not true or false");
    refuse_entry("{path: /x, carry: sockjs, sockjs: {client_url: \"a'b\"}}",
                 ".sockjs.client_url: \"a'b\" is not a URL");
    refuse_entry("{path: /x, origins: [\"*\"]}",
                 ".origins[0]: \"*\" is not an origin: an empty list admits any");
    refuse_entry("{path: /x, origins: [https://a.org, a.org]}",
                 ".origins[1]: \"a.org\" is not an origin like https://example.org");
    refuse_entry("{path: /x, origins: [https://a.org/]}",
                 ".origins[0]: \"https://a.org/\" is not an origin like https://example.org");
    refuse_entry("{path: /x, carry: engine.io, socketio: {namespaces: [chat]}}",
                 ".socketio.namespaces[0]: \"chat\" is not a namespace like / or /chat");
    refuse_entry("{path: /x, speak: stomp, stomp: {broker: []}}",
                 ".stomp.broker: there must be one, at least");
    refuse_entry("{path: /x, speak: stomp, stomp: {broker: [/topic/]}}",
                 ".stomp.broker[0]: \"/topic/\" is not a prefix like /topic");
    refuse_entry("{path: /x, speak: stomp, stomp: {rooms: [/topic/a]}}",
                 ".stomp.rooms[0]: \"/topic/a\" does not end with /*, which stands for the room");
    refuse_entry("{path: /x, speak: stomp, stomp: {rooms: [/topic/a*/*]}}",
                 ".stomp.rooms[0]: \"/topic/a*/*\" has a * that is not a whole part of it");
    refuse_entry("{path: /x, speak: stomp, stomp: {rename: [{from: /a}]}}",
                 ".stomp.rename[0]: to is missing");
    refuse_entry("{path: /x, speak: stomp, stomp: {rename: [{from: a, to: /b}]}}",
                 ".stomp.rename[0]: \"a\" does not begin with a slash");
    refuse_entry("{path: /x, speak: stomp, stomp: {rename: [{from: /a/*, to: /b}]}}",
                 ".stomp.rename[0]: from and to have not as many * as each other");
}

/* Each: a rule, and what is said of it. */
struct wrong_rule {
    const char *rule;
    const char *reason;
};

static void refuse_rules(const char *endpoint, const struct wrong_rule *rules, size_t count)
{
    char entry[1024];
    char wanted[512];
    for (size_t i = 0; i < count; i++) {
        snprintf(entry, sizeof(entry), "{path: /x, %s, rules: [{on: \"*\", to: all}, {%s}]}",
                 endpoint, rules[i].rule);
        snprintf(wanted, sizeof(wanted), ".rules[1]%s", rules[i].reason);
        refuse_entry(entry, wanted);
    }
}

static void test_wrong_rules(void **state)
{
    (void)state;
    static const struct wrong_rule relay[] = {
        { "to: all", ": on is missing: which event is it about?" },
        { "on: \"\", to: all", ".on: is empty" },
        { "on: x, to: everybody",
          ".to: \"everybody\" is not one of nobody, sender, others, all, path, room, peer" },
        { "on: x, to: all, when: busy", ".when: \"busy\" is not one of always, alone, others" },
        { "on: x, to: all, keep: last", ".keep: \"last\" is not one of nothing, first, more" },
        { "on: x, to: all, signal: call",
          ".signal: \"call\" is not one of nothing, offer, answer, candidate" },
        { "on: x, to: sender, signal: offer",
          ".signal: only together with to: others, all, path or room" },
        { "on: \"*\", to: all, signal: offer",
          ".signal: not together with on: \"*\", say or amplify" },
        { "on: x", ": does nothing: to is missing (or join, leave, close)" },
        { "on: x, join: r, emit: y", ": changes what goes out, and to is missing" },
        { "on: x, to: room", ".to: room needs field: where the room is named" },
        { "on: x, to: peer", ".to: peer needs field: where the peer is named" },
        { "on: x, to: all, field: r", ".field: only together with to: room or to: peer" },
        { "on: x, to: sender, keep: first",
          ".keep: only together with to: others, all, path or room" },
        { "on: x, to: all, say: \"{}\", amplify: true", ".say: not together with pick or amplify" },
        { "on: x, to: all, say: \"{}\", pick: [a]", ".say: not together with pick or amplify" },
        { "on: x, to: all, pick: [a], amplify: true", ".amplify: not together with pick" },
        { "on: x, to: all, say: \"{a}\"", ".say: is not JSON (in YAML, put '...' around it)" },
        { "on: x, to: all, say: \"{}]\"", ".say: is not JSON (in YAML, put '...' around it)" },
        { "on: x, to: all, acknowledge: true", ".acknowledge: only with speak: socket.io" },
        { "on: x, to: all, amplify: 1", ".amplify: \"1\" is not true or false" },
        { "on: x, close: 1006", ".close: \"1006\" is not 1000 or a number from 3000 to 4999" },
        { "on: x, close: 5000", ".close: \"5000\" is not 1000 or a number from 3000 to 4999" },
        { "on: x, to: all, reason: bye", ".reason: only together with close" },
        { "on: open, to: all", ".to: \"open\" brings no message: say tells what goes out" },
        { "on: open, join: r", ".join: \"open\" brings no message with fields" },
        { "on: close, leave: r", ".leave: \"close\" brings no message with fields" },
        { "on: open, to: room, field: r, say: \"1\"",
          ".field: \"open\" brings no message with fields" },
        { "on: open, to: all, amplify: true", ".amplify: \"open\" brings no message" },
        { "on: close, to: sender, say: \"1\"", ".to: the sender has gone" },
        { "on: close, close: 3000", ".close: the sender has gone" },
    };
    static const struct wrong_rule nameless[] = {
        { "on: x, to: all", ".on: needs event_field: where an event's name stands" },
        { "on: \"*\", to: all, emit: y", ".emit: needs event_field: where an event's name stands" },
    };
    static const struct wrong_rule socketio[] = {
        { "on: x, to: all, amplify: true", ".amplify: only with speak: relay" },
    };
    refuse_rules("event_field: type", relay, sizeof(relay) / sizeof(relay[0]));
    refuse_rules("speak: relay", nameless, sizeof(nameless) / sizeof(nameless[0]));
    refuse_rules("carry: engine.io", socketio, sizeof(socketio) / sizeof(socketio[0]));
}

static void test_clashes(void **state)
{
    (void)state;
    refuse_yaml("endpoints:\n  - path: /x\n  - {path: /x, carry: websocket}\n",
                NAME ":3: endpoints[1].path: /x with carry: websocket stands in the list already");
    refuse_yaml("endpoints:\n  - {path: /x, enabled: false}\n",
                NAME ":2: endpoints[0].enabled: /x with carry: websocket is not built in");
    refuse_yaml("endpoints:\n  - path: /signaling\n    carry: engine.io\n",
                NAME ":3: endpoints[0].carry: /signaling with carry: sockjs has it already");
    refuse_yaml("endpoints:\n  - {path: /x, carry: sockjs}\n  - {path: /x, carry: engine.io}\n",
                NAME ":3: endpoints[1].carry: /x with carry: sockjs has it already");
    refuse_yaml("endpoints:\n  - path: /x\n    speak: stomp\n    stomp:\n      door: true\n",
                NAME ":5: endpoints[0].stomp.door: /signaling with carry: sockjs has it already");

    struct settings settings;
    read_yaml("endpoints:\n  - {path: /signaling, carry: engine.io}\n"
              "  - {path: /signaling, carry: sockjs, enabled: false}\n",
              &settings);
    assert_null(find(&settings, "/signaling", CARRIER_SOCKJS));
    settings_clear(&settings);
}

static void test_too_many(void **state)
{
    (void)state;
    static char yaml[64 * 1024];
    char *end = yaml + sprintf(yaml, "endpoints:\n");
    struct settings settings;
    for (int i = 0; i < ENDPOINTS_MAX - 4; i++)
        end += sprintf(end, "  - path: /x%d\n", i);
    read_yaml(yaml, &settings);
    assert_int_equal(settings_endpoints(&settings)->count, ENDPOINTS_MAX);
    settings_clear(&settings);
    sprintf(end, "  - path: /more\n");
    refuse_yaml(yaml, NAME ":62: endpoints[60]: more than 64 endpoints");

    end = yaml + sprintf(yaml, "endpoints:\n  - path: /x\n    rules:\n");
    for (int i = 0; i < ENDPOINT_RULES_MAX; i++)
        end += sprintf(end, "    - {on: \"*\", to: all}\n");
    read_yaml(yaml, &settings);
    assert_int_equal(find(&settings, "/x", CARRIER_WEBSOCKET)->rules.count, ENDPOINT_RULES_MAX);
    settings_clear(&settings);
    sprintf(end, "    - {on: \"*\", to: all}\n");
    refuse_yaml(yaml, NAME ":3: endpoints[0].rules: more than 128 rules");

    end = yaml + sprintf(yaml, "endpoints:\n  - path: /x\n    origins:\n");
    for (int i = 0; i <= ENDPOINT_ENTRIES_MAX; i++)
        end += sprintf(end, "    - https://example.org\n");
    refuse_yaml(yaml, NAME ":3: endpoints[0].origins: more than 64 entries");
}

/* Every truncation of a text, and each byte of it changed: it is read, or one line says where it is
 * wrong. */
static void test_damaged(void **state)
{
    (void)state;
    static const char yaml[] = "endpoints:\n - {path: /x, event_field: t,\n"
                               "    rules: [{on: a, to: room, field: r, pick: [b]}]}\n"
                               " - path: /y\n   carry: sockjs\n   limits: {queue: 64KiB}\n"
                               "   stomp:\n     rename: [{from: /a/*, to: /b/*}]\n";
    static const char bytes[] = "\0\n :,[]{}*\"~1";
    char damaged[sizeof(yaml)];
    for (size_t at = 0; at < sizeof(yaml) - 1; at++) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            struct settings settings;
            char error[SETTINGS_ERROR_MAX] = "";
            size_t size = i == sizeof(bytes) - 1 ? at : sizeof(yaml) - 1;
            memcpy(damaged, yaml, sizeof(yaml));
            if (i < sizeof(bytes) - 1)
                damaged[at] = bytes[i];
            settings_default(&settings);
            int status = settings_read_text(view_make(damaged, size), NAME, &settings, error);
            if (status != OK &&
                (strncmp(error, NAME ":", sizeof(NAME)) != 0 || error[sizeof(NAME)] < '1' ||
                 error[sizeof(NAME)] > '9' || strchr(error, '\n')))
                fail_msg("\"%.*s\" gave \"%s\"", (int)size, damaged, error);
            settings_clear(&settings);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_built_in),         cmocka_unit_test(test_none),
        cmocka_unit_test(test_replace),          cmocka_unit_test(test_read_twice),
        cmocka_unit_test(test_defaults),         cmocka_unit_test(test_every_option),
        cmocka_unit_test(test_every_rule_field), cmocka_unit_test(test_conformance),
        cmocka_unit_test(test_manual),           cmocka_unit_test(test_wrong_shapes),
        cmocka_unit_test(test_wrong_paths),      cmocka_unit_test(test_wrong_kinds),
        cmocka_unit_test(test_wrong_values),     cmocka_unit_test(test_wrong_rules),
        cmocka_unit_test(test_clashes),          cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_damaged),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
