/* test_admission.c - rooms for those with a token: who comes in, under what name, for how long. */
#include "front/ice.h"
#include "house_http.h"
#include "house_meet.h"
#include "wire/stun_credentials.h"
#include "wire/token.h"

#define NOW_S  784111777u /* house.h's */
#define SECRET "0123456789abcdef0123456789abcdef"
#define OLD    "fedcba9876543210fedcba9876543210"

static const struct token_secrets AUTH = { .items = { VIEW(SECRET), VIEW(OLD) }, .count = 2 };
static const struct ice_config ICE = {
    .port = 3478, .relays = true, .secret = VIEW("the secret of relays"), .lifetime_s = 43200
};

static struct house *build(unsigned workers)
{
    return house_build(&(struct wishes){ .workers = workers, .auth = &AUTH, .ice = &ICE });
}

/* What a token says; fields that are left out are not in it. */
struct saying {
    const char *room, *subject, *name, *secret;
    uint64_t begins_s, expires_s; /* 0: an hour from the beginning */
    unsigned permissions;         /* 0: as usual */
};

static const char *make(const struct saying *saying)
{
    static char text[TOKEN_SIZE_MAX + 1];
    struct token token = {
        .begins_s = saying->begins_s,
        .expires_s = saying->expires_s ? saying->expires_s : NOW_S + 3600,
        .permissions = saying->permissions ? saying->permissions : TOKEN_PERMISSIONS_USUAL,
    };
    size_t size;
    assert_int_equal(token_set(&token.room, view_of(saying->room)), OK);
    assert_int_equal(token_set(&token.subject, view_of(saying->subject)), OK);
    assert_int_equal(token_set(&token.name, view_of(saying->name)), OK);
    struct view secret = saying->secret ? view_of(saying->secret) : VIEW(SECRET);
    assert_int_equal(token_write(&token, secret, text, TOKEN_SIZE_MAX, &size), OK);
    text[size] = '\0';
    return text;
}

static void say_join_with(struct wire *wire, const char *room, const char *name, const char *token)
{
    char text[4096];
    snprintf(text, sizeof text, "{'type':'join','version':1,'room':'%s','name':'%s','token':'%s'}",
             room, name, token);
    ws_say(wire, text);
}

static struct guest come_in(struct wire *wire, const char *room, const char *name,
                            const char *token)
{
    struct guest guest = { .wire = wire };
    say_join_with(wire, room, name, token);
    hear_welcome(&guest);
    return guest;
}

/* ---- joining ---- */

static void test_refused(void **state)
{
    static const struct {
        struct saying saying;
        const char *code;
    } CASES[] = {
        { { .room = "other" }, "not-allowed" },
        { { .room = "standup2" }, "not-allowed" },
        { { .room = "team-*" }, "not-allowed" },
        { { .room = "standup", .permissions = TOKEN_MODERATE }, "not-allowed" },
        { { .room = "standup", .secret = "another secret, of nobody here..." }, "token-bad" },
        { { .room = "standup", .expires_s = NOW_S - TOKEN_SKEW_S }, "token-expired" },
        { { .room = "standup", .begins_s = NOW_S + TOKEN_SKEW_S + 1 }, "token-early" },
    };
    struct house *house = build(1);
    struct wire *wire = house_ws(house);
    (void)state;
    say_join(wire, "standup", "Mina");
    expect_error(wire, "token-missing", ",'re':'join'");
    ws_say(wire, "{'type':'join','version':1,'room':'standup','name':'Mina','token':7}");
    expect_error(wire, "token-missing", ",'re':'join'");
    say_join_with(wire, "standup", "Mina", "");
    expect_error(wire, "token-bad", ",'re':'join'");
    say_join_with(wire, "standup", "Mina", "a.b.c");
    expect_error(wire, "token-bad", ",'re':'join'");
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        say_join_with(wire, "standup", "Mina", make(&CASES[i].saying));
        expect_error(wire, CASES[i].code, ",'re':'join'");
    }
    assert_int_equal(house_metric(house, METRIC_ROOMS), 0);
    assert_int_equal(house_metric(house, METRIC_TOKEN_MISSING), 2);
    assert_int_equal(house_metric(house, METRIC_TOKEN_BAD), 3);
    assert_int_equal(house_metric(house, METRIC_TOKEN_EARLY), 1);
    assert_int_equal(house_metric(house, METRIC_TOKEN_EXPIRED), 1);
    assert_int_equal(house_metric(house, METRIC_TOKEN_NOT_ALLOWED), 4);
    come_in(wire, "standup", "Mina", make(&(struct saying){ .room = "standup" }));
    house_close(house);
}

static void test_admitted(void **state)
{
    struct house *house = build(1);
    (void)state;
    come_in(house_ws(house), "standup", "Mina", make(&(struct saying){ .room = "standup" }));
    come_in(house_ws(house), "standup", "Jun", make(&(struct saying){ .room = "stand*" }));
    come_in(house_ws(house), "standup", "Ana",
            make(&(struct saying){ .room = "*", .secret = OLD, .permissions = TOKEN_SUBSCRIBE }));
    come_in(house_ws(house), "standup", "Ben",
            make(&(struct saying){ .room = "*", .expires_s = NOW_S - TOKEN_SKEW_S + 1 }));
    assert_int_equal(house_metric(house, METRIC_MEMBERS), 4);
    house_close(house);
}

/* The token's name is the member's, whatever it calls itself. */
static void test_name(void **state)
{
    struct house *house = build(1);
    struct wire *wire = house_ws(house);
    (void)state;
    struct guest mina = come_in(house_ws(house), "standup", "Eve",
                                make(&(struct saying){ .room = "standup", .name = " Mina " }));
    assert_view(between(mina.welcome, "'name':'", "\""), "Mina");
    expect_nothing(mina.wire);
    say_join_with(wire, "standup", "Eve",
                  make(&(struct saying){ .room = "standup", .name = "Mina" }));
    expect_error(wire, "name-taken", ",'re':'join'");
    say_join_with(wire, "standup", "Eve",
                  make(&(struct saying){ .room = "standup", .name = "a\x01" }));
    expect_error(wire, "bad-name", ",'re':'join'");
    house_close(house);
}

/* The worker of the room looks at the token, too, when a connection comes there. */
static void test_workers(void **state)
{
    struct house *house = build(2);
    char room[16];
    (void)state;
    for (int i = 0; i < 8; i++) {
        snprintf(room, sizeof room, "r%d", i);
        struct saying saying = { .room = room };
        come_in(house_ws(house), room, "Mina", make(&saying));
    }
    assert_true(house_metric(house, METRIC_CONNECTIONS_MOVED) > 0);
    house_close(house);
}

/* Secrets are set anew: who is here stays, and newcomers need a token of the new ones. */
static void test_terms(void **state)
{
    struct house *house = build(1);
    struct server_terms terms = { .ice = ICE, .auth = { .items = { VIEW(OLD) }, .count = 1 } };
    struct saying newest = { .room = "standup" };
    struct saying old = { .room = "standup", .secret = OLD };
    (void)state;
    struct guest mina = come_in(house_ws(house), "standup", "Mina", make(&newest));
    server_set_terms(house->servers[0], &terms);
    wire_drop(mina.wire);
    mina.wire = house_ws(house);
    say_resume(mina.wire, "standup", mina.session, mina.seq);
    struct frame frame;
    hear_past_pings(mina.wire, &frame);
    assert_true(view_starts(view_of(frame.payload), VIEW("{\"type\":\"resumed\"")));
    struct wire *wire = house_ws(house);
    say_join_with(wire, "standup", "Jun", make(&newest));
    expect_error(wire, "token-bad", ",'re':'join'");
    come_in(wire, "standup", "Jun", make(&old));
    terms.auth.count = 0; /* open again */
    server_set_terms(house->servers[0], &terms);
    house_guest(house, "standup", "Ana");
    house_close(house);
}

/* Without secrets everybody comes in, and what they show is not looked at. */
static void test_open_house(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    (void)state;
    struct guest mina = come_in(house_ws(house), "standup", "Mina", "no token at all");
    assert_view(between(mina.welcome, "'name':'", "\""), "Mina");
    house_close(house);
}

/* ---- credentials ---- */

/* The name in a text with "iceServers": its expiry, and what stands behind it. */
static uint64_t read_name(const char *text, char behind[64])
{
    uint64_t expires_s;
    struct view name = between(text, "'username':'", "\"");
    assert_true(stun_rest_expiry(name, &expires_s));
    name = view_slice(name, view_find_byte(name, ':') + 1, name.size);
    snprintf(behind, 64, "%.*s", VIEW_ARGS(name));
    return expires_s;
}

/* Credentials end with the token, in the welcome and when it is taken up again. */
static void test_meeting_credentials(void **state)
{
    struct house *house = build(1);
    char who[4][64];
    struct frame frame;
    (void)state;
    struct saying saying = { .room = "standup", .subject = "u7", .expires_s = NOW_S + 20 };
    struct guest mina = come_in(house_ws(house), "standup", "Mina", make(&saying));
    assert_int_equal(read_name(mina.welcome, who[0]), NOW_S + 20);
    struct guest jun = come_in(house_ws(house), "standup", "Jun", make(&saying));
    assert_int_equal(read_name(jun.welcome, who[1]), NOW_S + 20);
    assert_string_equal(who[0], who[1]); /* one user, for quotas */
    saying = (struct saying){ .room = "standup", .subject = "u8", .expires_s = NOW_S + 100000 };
    struct guest ana = come_in(house_ws(house), "standup", "Ana", make(&saying));
    assert_int_equal(read_name(ana.welcome, who[2]), NOW_S + 43200);
    assert_string_not_equal(who[0], who[2]);

    house_wait(house, 10 * USEC_S);
    wire_drop(mina.wire);
    mina.wire = house_ws(house);
    say_resume(mina.wire, "standup", mina.session, mina.seq);
    hear_past_pings(mina.wire, &frame);
    assert_true(view_starts(view_of(frame.payload), VIEW("{\"type\":\"resumed\"")));
    assert_int_equal(read_name(frame.payload, who[3]), NOW_S + 20);
    assert_string_equal(who[0], who[3]);

    /* the token has expired: its bearer stays, and gets no more relays */
    house_wait(house, 15 * USEC_S);
    wire_drop(mina.wire);
    mina.wire = house_ws(house);
    say_resume(mina.wire, "standup", mina.session, mina.seq);
    hear_past_pings(mina.wire, &frame);
    assert_true(view_starts(view_of(frame.payload), VIEW("{\"type\":\"resumed\"")));
    assert_non_null(strstr(frame.payload, "stun:"));
    assert_null(strstr(frame.payload, "turn:"));
    assert_null(strstr(frame.payload, "credential"));
    house_close(house);
}

/* ---- GET /api/v1/ice ---- */

static unsigned ask(struct house *house, const char *query, const char *headers, char body[4096])
{
    char request[4096];
    struct answer answer = { 0 };
    snprintf(request, sizeof request, "GET /api/v1/ice%s HTTP/1.1\r\nHost: a\r\n%s\r\n", query,
             headers);
    house_ask(house, request, &answer);
    snprintf(body, 4096, "%.*s", VIEW_ARGS(bytes_view(&answer.body)));
    assert_header(&answer, "Access-Control-Allow-Origin", "*");
    if (answer.code == 401 && headers[0] == '\0' && !strstr(query, "token"))
        assert_header(&answer, "WWW-Authenticate", "Bearer");
    else if (answer.code == 401)
        assert_header(&answer, "WWW-Authenticate", "Bearer error=\"invalid_token\"");
    else if (answer.code == 403)
        assert_header(&answer, "WWW-Authenticate", "Bearer error=\"insufficient_scope\"");
    unsigned code = answer.code;
    answer_free(&answer);
    return code;
}

static unsigned ask_in_query(struct house *house, const char *query, const char *token,
                             char body[4096])
{
    char text[3000];
    snprintf(text, sizeof text, "%stoken=%s", query, token);
    return ask(house, text, "", body);
}

static unsigned ask_in_header(struct house *house, const char *query, const char *scheme,
                              const char *token, char body[4096])
{
    char text[3000];
    snprintf(text, sizeof text, "Authorization: %s %s\r\n", scheme, token);
    return ask(house, query, text, body);
}

static void test_ice_refused(void **state)
{
    struct house *house = build(1);
    char body[4096];
    struct saying one = { .room = "standup" };
    struct saying many = { .room = "team-*" };
    struct saying late = { .room = "standup", .expires_s = NOW_S - TOKEN_SKEW_S };
    (void)state;
    assert_int_equal(ask(house, "", "", body), 401);
    assert_int_equal(ask(house, "?room=standup", "", body), 401);
    assert_int_equal(ask_in_query(house, "?", "x", body), 401);
    assert_int_equal(ask_in_query(house, "?room=standup&", make(&late), body), 401);
    assert_string_equal(body, "401 the token has expired\n");
    assert_int_equal(ask_in_query(house, "?room=other&", make(&one), body), 403);
    assert_int_equal(ask_in_header(house, "?room=other", "Bearer", make(&one), body), 403);
    assert_int_equal(ask_in_header(house, "?room=other", "Bearer", make(&many), body), 403);
    assert_int_equal(ask_in_header(house, "", "Bearer", make(&many), body), 403); /* which room? */
    assert_null(strstr(body, "iceServers"));
    house_close(house);
}

static void test_ice_answered(void **state)
{
    struct house *house = build(1);
    char body[4096];
    char who[4][64];
    (void)state;
    struct saying saying = { .room = "standup", .expires_s = NOW_S + 20 };
    assert_int_equal(ask_in_query(house, "?", make(&saying), body), 200);
    assert_int_equal(read_name(body, who[0]), NOW_S + 20);
    assert_non_null(strstr(body, "\"ttl\":20}"));
    assert_int_equal(ask_in_header(house, "?room=standup", "bearer", make(&saying), body), 200);
    assert_int_equal(read_name(body, who[1]), NOW_S + 20);
    assert_memory_equal(who[0], who[1], 11); /* the room's hash */
    assert_string_not_equal(who[0], who[1]); /* nobody said who it is */
    saying = (struct saying){ .room = "*", .subject = "u7", .expires_s = NOW_S + 100000 };
    assert_int_equal(ask_in_query(house, "?room=standup&", make(&saying), body), 200);
    assert_int_equal(read_name(body, who[2]), NOW_S + 43200);
    assert_non_null(strstr(body, "\"ttl\":43200}"));
    assert_memory_equal(who[0], who[2], 11);
    struct guest mina = come_in(house_ws(house), "standup", "Mina", make(&saying));
    read_name(mina.welcome, who[3]);
    assert_string_equal(who[2], who[3]); /* the same user as in the meeting */
    saying = (struct saying){ .room = "standup", .expires_s = NOW_S - 10 }; /* within the skew */
    assert_int_equal(ask_in_query(house, "?", make(&saying), body), 200);
    assert_non_null(strstr(body, "\"ttl\":0}"));
    assert_null(strstr(body, "turn:"));
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_admitted),
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_workers),
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_open_house),
        cmocka_unit_test(test_meeting_credentials),
        cmocka_unit_test(test_ice_refused),
        cmocka_unit_test(test_ice_answered),
    };
    return cmocka_run_group_tests_name("admission", tests, NULL, NULL);
}
