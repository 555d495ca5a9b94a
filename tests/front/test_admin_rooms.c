/* test_admin_rooms.c - the admin API's rooms: who is there, and what of media goes where. */
#include "house_meet.h"

/* behind the others: its globals have names of their arguments */
#include "house_media.h"

#define ROOMS "/api/v1/rooms"

static const struct room_of_tests DOOR = { "/door", "front/back" }, YARD = { "/door", "yard" };

static const cJSON *at(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!item)
        fail_msg("there is no %s in %s", name, cJSON_PrintUnformatted(object));
    return item;
}

static const cJSON *nth(const cJSON *object, const char *name, int n, int count)
{
    const cJSON *list = at(object, name);
    assert_int_equal(cJSON_GetArraySize(list), count);
    return cJSON_GetArrayItem(list, n);
}

static void has_text(const cJSON *object, const char *name, const char *wanted)
{
    const cJSON *item = at(object, name);
    assert_string_equal(item->valuestring, wanted);
}

static void has_number(const cJSON *object, const char *name, int wanted)
{
    const cJSON *item = at(object, name);
    if (item->valueint != wanted)
        fail_msg("%s is %d, not %d", name, item->valueint, wanted);
}

/* Wants 200. */
static cJSON *get(struct house *of, const char *path)
{
    cJSON *answer;
    unsigned code = admin_ask(of, path, &answer);
    if (code != 200)
        fail_msg("%s: %u", path, code);
    return answer;
}

static void expect_code(struct house *of, const char *path, unsigned code)
{
    assert_int_equal(admin_ask(of, path, NULL), code);
}

/* ---- meetings, on two workers ---- */

static struct house *build(unsigned workers)
{
    static const struct token_secrets ADMIN = { .items = { VIEW(ADMIN_TOKEN) }, .count = 1 };
    return house_build(&(struct wishes){ .workers = workers, .admin = &ADMIN });
}

static void test_meetings(void **state)
{
    (void)state;
    char path[100], name[20];
    struct house *both = build(2);
    unsigned on[2] = { 0, 0 };
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "room %d", i);
        house_guest(both, name, "Mina");
    }
    house_guest(both, "room 3", "Ada");
    cJSON *list = get(both, ROOMS);
    assert_int_equal(cJSON_GetArraySize(at(list, "rooms")), 8);
    for (int i = 0; i < 8; i++) {
        const cJSON *room = nth(list, "rooms", i, 8);
        on[at(room, "worker")->valueint]++;
        has_text(room, "topology", "mesh");
        has_number(room, "members", strcmp(at(room, "name")->valuestring, "room 3") ? 1 : 2);
    }
    assert_true(on[0] > 0 && on[1] > 0);
    cJSON_Delete(list);

    /* each is found, wherever the client came in */
    for (int i = 0; i < 8; i++) {
        snprintf(path, sizeof path, ROOMS "/room%%20%d", i);
        snprintf(name, sizeof name, "room %d", i);
        cJSON *room = get(both, path);
        has_text(room, "name", name);
        const cJSON *member = nth(room, "members", 0, i == 3 ? 2 : 1);
        has_text(member, "id", "m1");
        has_text(member, "name", "Mina");
        has_number(member, "connections", 0);
        cJSON_Delete(room);
    }
    cJSON *ada = get(both, ROOMS "/room%203/members/m2");
    has_text(ada, "name", "Ada");
    assert_int_equal(cJSON_GetArraySize(at(ada, "connections")), 0);
    cJSON_Delete(ada);
    house_close(both);
}

static void test_pages(void **state)
{
    (void)state;
    char path[100], next[40] = "", name[20];
    struct house *both = build(2);
    int rooms = 0, pages = 0;
    for (int i = 0; i < 7; i++) {
        snprintf(name, sizeof name, "room %d", i);
        house_guest(both, name, "Mina");
    }
    for (const cJSON *more = NULL; pages == 0 || more; pages++) {
        snprintf(path, sizeof path, ROOMS "?limit=2%s%s", pages ? "&after=" : "", next);
        cJSON *list = get(both, path);
        rooms += cJSON_GetArraySize(at(list, "rooms"));
        assert_true(cJSON_GetArraySize(at(list, "rooms")) <= 2);
        more = cJSON_GetObjectItemCaseSensitive(list, "next");
        if (more)
            snprintf(next, sizeof next, "%s", more->valuestring);
        cJSON_Delete(list);
    }
    assert_int_equal(rooms, 7);
    assert_true(pages >= 4);
    house_guest(both, "room 1", "Ada");
    house_guest(both, "room 1", "Bob");
    cJSON *room = get(both, ROOMS "/room%201?limit=2");
    has_text(nth(room, "members", 1, 2), "name", "Ada");
    snprintf(path, sizeof path, ROOMS "/room%%201?limit=2&after=%s", at(room, "next")->valuestring);
    cJSON_Delete(room);
    room = get(both, path);
    has_text(nth(room, "members", 0, 1), "name", "Bob");
    assert_null(cJSON_GetObjectItemCaseSensitive(room, "next"));
    cJSON_Delete(room);
    house_close(both);
}

static void test_refused(void **state)
{
    (void)state;
    struct house *one = build(1);
    struct answer answer = { 0 };
    house_guest(one, "a", "Mina");
    static const char *const NOBODY[] = {
        ROOMS "/b",
        ROOMS "/b?path=/door",
        ROOMS "/a?path=/door",
        ROOMS "/a/members",
        ROOMS "/a/members/m2",
        ROOMS "/a/members/1",
        ROOMS "/a/guests/1",
        ROOMS "/a/members/m1/x/y",
        ROOMS "/a/members/m1/wy",
        ROOMS "/a/members/m2/why",
        ROOMS "//",
        ROOMS "/a/",
        ROOMS "/%2",
    };
    for (size_t i = 0; i < sizeof NOBODY / sizeof NOBODY[0]; i++) {
        cJSON *got;
        unsigned code = admin_ask(one, NOBODY[i], &got);
        if (code != 404 && code != 400)
            fail_msg("%s: %u", NOBODY[i], code);
    }
    expect_code(one, ROOMS "?after=1-0", 400);
    expect_code(one, ROOMS "?limit=0", 400);
    expect_code(one, ROOMS "/a?after=x", 400);
    expect_code(one, ROOMS "/a/members/m1?limit=101", 400);
    house_ask(one, "GET " ROOMS "/a HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.code, 401);
    house_ask(one, "GET " ROOMS " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n", &answer);
    assert_int_equal(answer.code, 401);
    answer_free(&answer);
    house_close(one);
}

/* ---- media ---- */

static struct person ada, bob, eve;

static int set_up(void **state)
{
    (void)state;
    media_house_open(false);
    ada = (struct person){ .room = &DOOR, .id = "a1", .name = "Ada" };
    bob = (struct person){ .room = &DOOR, .id = "b2", .name = "" };
    eve = (struct person){ .room = &YARD, .id = "e3", .name = "Eve" };
    person_come(&ada);
    person_come(&bob);
    person_come(&eve);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    person_go(&ada);
    person_go(&bob);
    person_go(&eve);
    media_house_close();
    return 0;
}

static void test_rooms_of_endpoints(void **state)
{
    (void)state;
    person_publish(&ada);
    person_watch(&bob, &ada);
    cJSON *list = get(house, ROOMS);
    const cJSON *door = nth(list, "rooms", 0, 2);
    has_text(door, "name", "front/back");
    has_text(door, "path", "/door");
    has_number(door, "members", 2);
    has_number(door, "connected", 2);
    has_number(door, "tracks", 1);
    has_number(door, "subscriptions", 1);
    has_text(nth(list, "rooms", 1, 2), "name", "yard");
    cJSON_Delete(list);
    list = get(house, ROOMS "?limit=1");
    has_text(nth(list, "rooms", 0, 1), "name", "front/back");
    char path[100];
    snprintf(path, sizeof path, ROOMS "?after=%s", at(list, "next")->valuestring);
    cJSON_Delete(list);
    list = get(house, path);
    has_text(nth(list, "rooms", 0, 1), "name", "yard");
    cJSON_Delete(list);
    expect_code(house, ROOMS "/yard", 404);
    cJSON *room = get(house, ROOMS "/front%2Fback?path=/door");
    has_text(nth(room, "members", 0, 2), "id", "a1");
    has_text(nth(room, "members", 0, 2), "name", "Ada");
    has_text(nth(room, "members", 1, 2), "id", "b2");
    has_number(nth(room, "members", 1, 2), "subscriptions", 1);
    cJSON_Delete(room);
    expect_code(house, ROOMS "/front%2Fback/members/e3?path=/door", 404);
}

static void test_member(void **state)
{
    (void)state;
    person_publish(&ada);
    person_watch(&bob, &ada);
    person_say(&ada, 1, true);
    person_say(&ada, 2, false);
    person_say(&ada, 4, false);
    cJSON *member = get(house, ROOMS "/front%2fback/members/a1?path=%2Fdoor");
    const cJSON *connection = nth(member, "connections", 0, 1);
    has_text(connection, "state", "connected");
    has_text(connection, "ice", "udp");
    has_text(connection, "remote", "192.0.2.1:5001");
    has_text(connection, "dtls", "server");
    has_text(connection, "srtp", "AEAD_AES_128_GCM");
    assert_int_equal(cJSON_GetArraySize(at(connection, "subscriptions")), 0);
    const cJSON *track = nth(connection, "tracks", 0, 1);
    has_text(track, "kind", "video");
    has_text(track, "source", "camera");
    has_number(track, "subscribers", 1);
    const cJSON *encoding = nth(track, "encodings", 0, 1);
    has_number(encoding, "ssrc", 5);
    has_text(encoding, "codec", "VP8");
    has_number(encoding, "packets", 3);
    has_number(encoding, "bytes", 33);
    has_number(encoding, "lost", 1);
    has_number(encoding, "nacks", 1);
    has_number(encoding, "key_frames", 1);
    cJSON_Delete(member);

    member = get(house, ROOMS "/front%2fback/members/b2?path=/door");
    assert_null(cJSON_GetObjectItemCaseSensitive(member, "name"));
    connection = nth(member, "connections", 0, 1);
    const cJSON *estimate = at(connection, "estimate");
    has_text(estimate, "limit", "unknown");
    has_number(estimate, "bps", BWE_START_BPS);
    has_number(estimate, "loss", 0);
    has_number(estimate, "feedback", false);
    const cJSON *subscription = nth(connection, "subscriptions", 0, 1);
    has_text(subscription, "from", "a1");
    has_text(subscription, "source", "camera");
    has_number(subscription, "packets", 3);
    has_number(subscription, "of_ssrc", 5);
    has_number(subscription, "paused", false);
    assert_true(at(subscription, "ssrc")->valuedouble == (double)bob.receiving->sender.config.ssrc);
    cJSON_Delete(member);
}

/* More rows than a page has: each is told once. */
static void test_rows(void **state)
{
    (void)state;
    char path[100], next[40] = "";
    unsigned tracks = 0, subscriptions = 0, pages = 0;
    person_publish(&ada);
    person_publish(&bob);
    for (int i = 0; i < 4; i++)
        person_watch(&bob, &ada);
    for (bool more = true; more; pages++) {
        snprintf(path, sizeof path, ROOMS "/front%%2fback/members/b2?path=/door&limit=2%s%s",
                 pages ? "&after=" : "", next);
        cJSON *member = get(house, path);
        const cJSON *connection = nth(member, "connections", 0, 1);
        tracks += (unsigned)cJSON_GetArraySize(at(connection, "tracks"));
        subscriptions += (unsigned)cJSON_GetArraySize(at(connection, "subscriptions"));
        const cJSON *after = cJSON_GetObjectItemCaseSensitive(member, "next");
        more = after != NULL;
        if (more)
            snprintf(next, sizeof next, "%s", after->valuestring);
        cJSON_Delete(member);
    }
    assert_int_equal(tracks, 1);
    assert_int_equal(subscriptions, 4);
    assert_int_equal(pages, 3);
}

/* Why it looks so: of members of endpoints' rooms, too. */
static void test_why(void **state)
{
    (void)state;
    person_publish(&ada);
    person_watch(&bob, &ada);
    person_say(&ada, 1, true);
    person_say(&ada, 2, false);
    cJSON *why = get(house, ROOMS "/front%2fback/members/b2/why?path=/door");
    has_text(why, "id", "b2");
    const cJSON *picture = nth(why, "received", 0, 1);
    has_text(picture, "from", "a1");
    has_text(picture, "source", "camera");
    has_text(picture, "verdict", "nothing");
    has_number(at(picture, "publisher"), "active", 1);
    assert_int_equal(cJSON_GetArraySize(at(why, "sent")), 0);
    has_text(at(why, "line"), "limit", "unknown");
    has_text(why, "verdict", "nothing");
    cJSON_Delete(why);
    bob.receiving->share.reason = ALLOCATION_LAST_N;
    why = get(house, ROOMS "/front%2fback/members/b2/why?path=/door");
    has_text(nth(why, "received", 0, 1), "verdict", "policy");
    has_text(why, "receiving", "policy");
    has_text(why, "verdict", "policy");
    cJSON_Delete(why);
    why = get(house, ROOMS "/front%2fback/members/a1/why?path=/door");
    has_text(nth(why, "sent", 0, 1), "verdict", "nothing");
    has_number(nth(why, "sent", 0, 1), "subscribers", 1);
    cJSON_Delete(why);
    expect_code(house, ROOMS "/front%2fback/members/e3/why?path=/door", 404);
}

#define WITH_MEDIA(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meetings),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_refused),
        WITH_MEDIA(test_rooms_of_endpoints),
        WITH_MEDIA(test_member),
        WITH_MEDIA(test_rows),
        WITH_MEDIA(test_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
