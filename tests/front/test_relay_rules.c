/* test_relay_rules.c - each thing that a rule can say, through whole servers. */
#include "front/relay/relay.h"
#include "house_endpoint.h"

/* A house with those rules at "/relay". */
struct place {
    struct endpoint_config config;
    struct endpoint_configs configs;
    struct house *house;
};

static void open_limited(struct place *place, const struct rule *rules, uint32_t count,
                         struct endpoint_limits limits)
{
    place->config = (struct endpoint_config){
        .path = "/relay",
        .carrier = CARRIER_WEBSOCKET,
        .speech = SPEECH_RELAY,
        .limits = limits,
        .rules = { .event_field = "type", .items = rules, .count = count },
    };
    place->configs = (struct endpoint_configs){ .items = &place->config, .count = 1 };
    place->house = house_build(&(struct wishes){ .endpoints = &place->configs });
}

static const struct endpoint_limits USUAL = ROOMY;

#define OPEN(place, rules) open_limited(place, rules, sizeof(rules) / sizeof(rules)[0], USUAL)

static struct wire *come(struct place *place)
{
    return house_ws_at(place->house, 0, "/relay");
}

static uint64_t refused(struct place *place)
{
    return house_metric(place->house, METRIC_RELAY_REFUSED);
}

/* ---- whom it goes to ---- */

static void scopes(void **state)
{
    static const struct rule RULES[] = {
        { .on = "join", .join = "room", .to = TO_NOBODY },
        { .on = "nobody", .to = TO_NOBODY },
        { .on = "sender", .to = TO_SENDER },
        { .on = "others", .to = TO_OTHERS },
        { .on = "all", .to = TO_ALL },
        { .on = "path", .to = TO_PATH },
        { .on = "room", .to = TO_ROOM, .field = "room" },
    };
    static const struct {
        const char *text;
        bool is_heard[5]; /* by the sender, one in its room, another, and two in none */
    } SAID[] = {
        { "{'type':'nobody'}", { false, false, false, false, false } },
        { "{'type':'sender'}", { true, false, false, false, false } },
        { "{'type':'others'}", { false, true, false, false, false } },
        { "{'type':'all'}", { true, true, false, false, false } },
        { "{'type':'path'}", { false, true, true, true, true } },
        { "{'type':'room','room':'a'}", { false, true, false, false, false } },
        { "{'type':'room','room':'b'}", { false, false, true, false, false } },
        { "{'type':'room','room':'c'}", { false, false, false, false, false } },
        { "{'type':'unknown'}", { false, false, false, false, false } },
    };
    struct place place;
    struct wire *wires[5];
    (void)state;
    OPEN(&place, RULES);
    for (unsigned i = 0; i < 5; i++)
        wires[i] = come(&place);
    ws_say(wires[0], "{'type':'join','room':'a'}");
    ws_say(wires[1], "{'type':'join','room':'a'}");
    ws_say(wires[2], "{'type':'join','room':'b'}");
    for (size_t i = 0; i < sizeof SAID / sizeof SAID[0]; i++) {
        ws_say(wires[0], SAID[i].text);
        for (unsigned k = 0; k < 5; k++) {
            if (SAID[i].is_heard[k])
                expect_text(wires[k], SAID[i].text);
            expect_nothing(wires[k]);
        }
    }
    ws_say(wires[3], "{'type':'others'}"); /* who is in no room is with those in none */
    expect_text(wires[4], "{'type':'others'}");
    expect_nothing(wires[0]);
    expect_nothing(wires[2]);
    assert_int_equal(refused(&place), 0);
    house_close(place.house);
}

static void a_peer_by_its_id(void **state)
{
    static const struct rule RULES[] = {
        { .on = "open", .to = TO_SENDER, .say = "{\"id\":\"$id\"}" },
        { .on = "open", .to = TO_OTHERS, .emit = "peer", .say = "{\"id\":\"$id\",\"n\":[1]}" },
        { .on = "to", .to = TO_PEER, .field = "peer" },
        { .on = "close", .to = TO_OTHERS, .emit = "gone", .say = "{\"id\":\"$id\"}" },
    };
    struct place place;
    struct frame frame;
    char id[SESSION_ID_SIZE + 1];
    char text[200];
    (void)state;
    OPEN(&place, RULES);
    struct wire *a = come(&place);
    ws_hear(a, &frame);
    assert_int_equal(frame.size, strlen("{\"id\":\"\"}") + SESSION_ID_SIZE);
    memcpy(id, frame.payload + 7, SESSION_ID_SIZE);
    id[SESSION_ID_SIZE] = 0;
    struct wire *b = come(&place);
    ws_hear(b, &frame);
    snprintf(text, sizeof text, "{'type':'peer','id':'%.*s','n':[1]}", SESSION_ID_SIZE,
             frame.payload + 7);
    expect_text(a, text);
    struct wire *c = come(&place);
    ws_hear(c, &frame);
    ws_hear(a, &frame);
    ws_hear(b, &frame);
    snprintf(text, sizeof text, "{'type':'to','peer':'%s'}", id);
    ws_say(b, text);
    expect_text(a, text);
    expect_nothing(c);
    ws_say(b, "{'type':'to','peer':'AAAAAAAAAAAAAAAAAAAA'}");
    ws_say(b, "{'type':'to'}");
    assert_int_equal(refused(&place), 2);
    wire_drop(a);
    snprintf(text, sizeof text, "{'type':'gone','id':'%s'}", id);
    expect_text(b, text);
    expect_text(c, text);
    snprintf(text, sizeof text, "{'type':'to','peer':'%s'}", id);
    ws_say(b, text);
    assert_int_equal(refused(&place), 3);
    house_close(place.house);
}

static void nobody_hears_an_event_twice(void **state)
{
    static const struct rule RULES[] = {
        { .on = "join", .join = "", .to = TO_NOBODY },
        { .on = "join-too", .join = "room", .to = TO_NOBODY },
        { .on = "*", .to = TO_ALL },
    };
    struct place place;
    (void)state;
    OPEN(&place, RULES);
    struct wire *a = come(&place);
    struct wire *b = come(&place);
    for (unsigned i = 0; i < 2; i++) {
        struct wire *wire = i ? b : a;
        ws_say(wire, "{'type':'join-too','room':'x'}");
        ws_say(wire, "{'type':'join-too','room':7}");
        ws_say(wire, "{'type':'join-too','room':'x'}"); /* it is in already */
    }
    ws_say(a, "{'type':'hello'}");
    expect_text(a, "{'type':'hello'}");
    expect_text(b, "{'type':'hello'}");
    expect_nothing(a);
    expect_nothing(b);
    house_close(place.house);
}

/* ---- which rules ---- */

static void all_that_name_the_event_or_those_of_star(void **state)
{
    static const struct rule RULES[] = {
        { .on = "a", .to = TO_SENDER, .emit = "first" },
        { .on = "*", .to = TO_SENDER, .emit = "star" },
        { .on = "a", .to = TO_SENDER, .emit = "second" },
        { .on = "open", .to = TO_SENDER, .say = "{}" },
    };
    struct place place;
    (void)state;
    OPEN(&place, RULES);
    struct wire *a = come(&place);
    expect_text(a, "{}");
    ws_say(a, "{'type':'a','n':1}");
    expect_text(a, "{'type':'first','n':1}");
    expect_text(a, "{'type':'second','n':1}");
    ws_say(a, "{'type':'b'}");
    expect_text(a, "{'type':'star'}");
    ws_say(a, "{'type':'open'}"); /* the session's own: a client does not say so */
    expect_text(a, "{'type':'star'}");
    ws_say(a, "{'type':'close'}");
    expect_text(a, "{'type':'star'}");
    ws_say(a, "{'type':'*'}");
    expect_text(a, "{'type':'star'}");
    ws_say(a, "{'n':1}"); /* without a name */
    expect_text(a, "{'type':'star','n':1}");
    house_close(place.house);
}

static void alone_or_with_others(void **state)
{
    static const struct rule RULES[] = {
        { .on = "join", .join = "room", .to = TO_SENDER, .when = WHEN_ALONE, .emit = "first" },
        { .on = "join", .to = TO_SENDER, .when = WHEN_OTHERS, .emit = "ready" },
        { .on = "leave", .leave = "room", .to = TO_OTHERS, .emit = "left" },
        { .on = "move", .leave = "*", .join = "room", .to = TO_OTHERS, .emit = "came" },
        { .on = "*", .to = TO_OTHERS },
    };
    struct place place;
    (void)state;
    OPEN(&place, RULES);
    struct wire *a = come(&place);
    struct wire *b = come(&place);
    ws_say(a, "{'type':'join','room':'r'}");
    expect_text(a, "{'type':'first','room':'r'}");
    expect_nothing(a);
    ws_say(b, "{'type':'join','room':'r'}");
    expect_text(b, "{'type':'ready','room':'r'}");
    expect_nothing(b);
    expect_nothing(a);
    ws_say(a, "{'type':'leave','room':'r'}");
    expect_text(b, "{'type':'left','room':'r'}"); /* those who stay are told */
    ws_say(b, "{'type':'hello'}");
    expect_nothing(a);
    assert_int_equal(house_metric(place.house, METRIC_RELAY_ROOMS), 1);
    ws_say(a, "{'type':'move','room':'s'}");
    ws_say(b, "{'type':'move','room':'s'}");
    expect_text(a, "{'type':'came','room':'s'}");
    assert_int_equal(house_metric(place.house, METRIC_RELAY_ROOMS), 1);
    ws_say(a, "{'type':'leave','room':'r'}"); /* it is not in that one */
    expect_text(b, "{'type':'left','room':'r'}");
    ws_say(b, "{'type':'hello'}");
    expect_text(a, "{'type':'hello'}");
    house_close(place.house);
}

/* ---- what goes out ---- */

static void names_are_written_into_the_text(void **state)
{
    static const struct rule RULES[] = { { .on = "*", .to = TO_SENDER, .emit = "new" } };
    static const struct {
        const char *said;
        const char *heard;
    } TEXTS[] = {
        { "{'type':'old','a':1}", "{'type':'new','a':1}" },
        { " {'a' : [1, {'type':2}], 'type' : 'old' } ",
          " {'a' : [1, {'type':2}], 'type' : 'new' } " },
        { "{'type':{'x':1}}", "{'type':'new'}" },
        { "{}", "{'type':'new'}" },
        { "{ }", "{'type':'new' }" },
        { "{'a':1}", "{'type':'new','a':1}" },
        { "{'type':'new'}", "{'type':'new'}" },
    };
    static const char *const OTHERS[] = { "", "[]", "1", "hello", "{'type'", "'{}'" };
    struct place place;
    (void)state;
    OPEN(&place, RULES);
    struct wire *a = come(&place);
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        ws_say(a, TEXTS[i].said);
        expect_text(a, TEXTS[i].heard);
    }
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        ws_say(a, OTHERS[i]); /* nothing in it can bear a name */
        expect_nothing(a);
        assert_int_equal(refused(&place), i + 1);
    }
    house_close(place.house);
}

static void fields_are_picked(void **state)
{
    static const char *const FIELDS[] = { "sdp", "to" };
    static const struct rule RULES[] = {
        { .on = "*", .to = TO_SENDER, .pick = FIELDS, .pick_count = 2 },
    };
    struct place place;
    (void)state;
    OPEN(&place, RULES);
    struct wire *a = come(&place);
    ws_say(a, "{'type':'x','sdp':{'sdp':1},'secret':1,'to':[1]}");
    expect_text(a, "{'type':'x','sdp':{'sdp':1},'to':[1]}");
    ws_say(a, "{'type':'x','t\\u006f':2}");
    expect_text(a, "{'type':'x','t\\u006f':2}");
    ws_say(a, "{'secret':1}");
    expect_text(a, "{}");
    ws_say(a, "'secret'");
    expect_text(a, "{}");
    house_close(place.house);
}

static void names_and_rooms_are_what_strings_say(void **state)
{
    static const struct rule RULES[] = {
        { .on = "join", .join = "room", .to = TO_NOBODY },
        { .on = "say", .to = TO_ROOM, .field = "room" },
    };
    struct place place;
    (void)state;
    OPEN(&place, RULES);
    struct wire *a = come(&place);
    struct wire *b = come(&place);
    ws_say(a, "{'type':'j\\u006fin','room':'\\ubc29\\\\ 1'}");
    ws_say(b, "{'type':'say','room':'\xeb\xb0\xa9\\u005c 1'}");
    expect_text(a, "{'type':'say','room':'\xeb\xb0\xa9\\u005c 1'}");
    ws_say(b, "{'type':'say','room':'\xeb\xb0\xa9 1'}");
    expect_nothing(a);
    ws_say(b, "{'type':'say','room':null}");
    ws_say(b, "{'type':'say','room':{'a':1}}");
    ws_say(b, "{'type':'say'}");
    ws_say(a, "{'type':'join'}");
    ws_say(a, "{'type':'join','room':true}");
    assert_int_equal(refused(&place), 5);
    house_close(place.house);
}

static void numbers_are_amplified(void **state)
{
    static const struct rule RULES[] = { { .on = "*", .to = TO_SENDER, .amplify = true } };
    static const struct {
        const char *said;
        size_t heard;
    } TEXTS[] = { { "1", 2 },  { "'3'", 8 }, { "0", 2 }, { "20", 2 },
                  { "-1", 2 }, { "x", 2 },   { "", 2 },  { "10", 1024 } };
    struct place place;
    struct frame frame;
    (void)state;
    OPEN(&place, RULES);
    struct wire *a = come(&place);
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        ws_say(a, TEXTS[i].said);
        ws_hear(a, &frame);
        assert_int_equal(frame.size, TEXTS[i].heard);
        assert_int_equal(strspn(frame.payload, "x"), TEXTS[i].heard);
    }
    ws_say(a, "19"); /* one frame of 64-bit length */
    assert_int_equal(a->got.size, 10 + (1 << 19));
    assert_memory_equal(a->got.at, "\x81\x7f\0\0\0\0\0\x08\0\0x", 11);
    for (size_t i = 10; i < a->got.size; i++)
        assert_int_equal(a->got.at[i], 'x');
    house_close(place.house);
}

static void rules_close(void **state)
{
    static const struct rule RULES[] = {
        { .on = "open", .to = TO_SENDER, .say = "hello" },
        { .on = "bye", .to = TO_OTHERS, .emit = "left" },
        { .on = "bye", .to = TO_NOBODY, .close = 3000, .reason = "Go away!" },
        { .on = "close", .to = TO_OTHERS, .say = "closed" },
    };
    struct place place;
    (void)state;
    OPEN(&place, RULES);
    struct wire *a = come(&place);
    struct wire *b = come(&place);
    expect_text(a, "hello");
    expect_text(b, "hello");
    ws_say(b, "{'type':'bye'}");
    expect_close(b, 3000, "Go away!");
    expect_text(a, "{'type':'left'}");
    expect_text(a, "closed");
    expect_nothing(a);
    house_close(place.house);
}

/* ---- limits ---- */

static void rooms_are_limited(void **state)
{
    static const struct rule RULES[] = {
        { .on = "join", .join = "room", .to = TO_SENDER },
        { .on = "leave", .leave = "*", .to = TO_NOBODY },
    };
    struct endpoint_limits limits = USUAL;
    struct place place;
    char name[RELAY_ROOM_NAME_MAX + 2];
    char text[400];
    (void)state;
    limits.rooms = 2;
    limits.sessions = 2;
    open_limited(&place, RULES, 2, limits);
    struct wire *a = come(&place);
    ws_say(a, "{'type':'join','room':'1'}");
    ws_say(a, "{'type':'join','room':'2'}");
    expect_text(a, "{'type':'join','room':'1'}");
    expect_text(a, "{'type':'join','room':'2'}");
    ws_say(a, "{'type':'join','room':'3'}");
    expect_nothing(a);
    assert_int_equal(refused(&place), 1);
    struct wire *b = come(&place);
    ws_say(b, "{'type':'join','room':'3'}"); /* as many rooms as sessions */
    expect_nothing(b);
    ws_say(b, "{'type':'join','room':'2'}");
    expect_text(b, "{'type':'join','room':'2'}");
    assert_int_equal(refused(&place), 2);
    ws_say(a, "{'type':'leave'}");
    assert_int_equal(house_metric(place.house, METRIC_RELAY_ROOMS), 1);
    memset(name, 'r', sizeof name);
    name[RELAY_ROOM_NAME_MAX + 1] = 0;
    snprintf(text, sizeof text, "{'type':'join','room':'%s'}", name);
    ws_say(a, text);
    expect_nothing(a);
    name[RELAY_ROOM_NAME_MAX] = 0;
    snprintf(text, sizeof text, "{'type':'join','room':'%s'}", name);
    ws_say(a, text);
    expect_text(a, text);
    assert_int_equal(refused(&place), 3);
    house_close(place.house);
}

static const struct rule KEEPING[] = {
    { .on = "first", .to = TO_OTHERS, .keep = KEEP_FIRST },
    { .on = "more", .to = TO_OTHERS, .keep = KEEP_MORE },
    { .on = "quiet", .to = TO_NOBODY, .keep = KEEP_FIRST },
    { .on = "join", .join = "room", .to = TO_NOBODY },
    { .on = "leave", .leave = "*", .to = TO_NOBODY },
};

static void what_is_kept_is_limited(void **state)
{
    struct endpoint_limits limits = USUAL;
    struct place place;
    char *large = malloc(30000);
    (void)state;
    assert_non_null(large);
    limits.kept = 3;
    limits.queue_bytes = 64 * 1024;
    open_limited(&place, KEEPING, 5, limits);
    struct wire *a = come(&place);
    ws_say(a, "{'type':'first'}");
    ws_say(a, "{'type':'more','n':1}");
    ws_say(a, "{'type':'more','n':2}");
    ws_say(a, "{'type':'more','n':3}"); /* over the number */
    struct wire *b = come(&place);
    expect_text(b, "{'type':'first'}");
    expect_text(b, "{'type':'more','n':1}");
    expect_text(b, "{'type':'more','n':2}");
    expect_nothing(b);
    assert_int_equal(house_metric(place.house, METRIC_RELAY_NOT_KEPT), 1);
    memset(large, ' ', 30000);
    memcpy(large, "{'type':'first'", 15);
    strcpy(large + 20000, "}");
    ws_say(a, large); /* in place of all before */
    assert_int_equal(house_metric(place.house, METRIC_RELAY_KEPT), 1);
    ws_say(b, large); /* a room keeps no more than half of a queue */
    assert_int_equal(house_metric(place.house, METRIC_RELAY_KEPT), 1);
    assert_int_equal(house_metric(place.house, METRIC_RELAY_NOT_KEPT), 2);
    struct wire *c = come(&place);
    expect_text(c, large);
    expect_nothing(c);
    free(large);
    house_close(place.house);
}

static void each_room_keeps_its_own(void **state)
{
    struct place place;
    (void)state;
    OPEN(&place, KEEPING);
    struct wire *a = come(&place);
    struct wire *b = come(&place);
    ws_say(a, "{'type':'quiet','lobby':1}");
    expect_nothing(b);
    ws_say(a, "{'type':'join','room':'r'}"); /* out of the lobby, and with it what it kept there */
    assert_int_equal(house_metric(place.house, METRIC_RELAY_KEPT), 0);
    ws_say(a, "{'type':'first','room':'r'}");
    expect_nothing(b);
    struct wire *c = come(&place);
    expect_nothing(c);
    ws_say(b, "{'type':'join','room':'r'}");
    expect_text(b, "{'type':'first','room':'r'}");
    ws_say(c, "{'type':'quiet','lobby':2}");
    ws_say(b, "{'type':'leave'}"); /* back where others keep something */
    expect_text(b, "{'type':'quiet','lobby':2}");
    ws_say(a, "{'type':'leave'}");
    expect_text(a, "{'type':'quiet','lobby':2}");
    assert_int_equal(house_metric(place.house, METRIC_RELAY_KEPT), 1);
    ws_say(a, "{'type':'first'}");
    ws_say(a, "{'type':'more'}");
    server_stop(place.house->servers[0], place.house->now); /* with messages that are kept */
    house_close(place.house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes),
        cmocka_unit_test(a_peer_by_its_id),
        cmocka_unit_test(nobody_hears_an_event_twice),
        cmocka_unit_test(all_that_name_the_event_or_those_of_star),
        cmocka_unit_test(alone_or_with_others),
        cmocka_unit_test(names_are_written_into_the_text),
        cmocka_unit_test(fields_are_picked),
        cmocka_unit_test(names_and_rooms_are_what_strings_say),
        cmocka_unit_test(numbers_are_amplified),
        cmocka_unit_test(rules_close),
        cmocka_unit_test(rooms_are_limited),
        cmocka_unit_test(what_is_kept_is_limited),
        cmocka_unit_test(each_room_keeps_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
