/* test_stomp_rooms.c - where STOMP destinations lead: prefixes, renames, users, and the rule that
 * what names no room stays in the sender's; and heart-beats. */
#include "house_stomp.h"

static const struct endpoint_config ENDPOINT = STOMP_ENDPOINT;
static const struct endpoint_configs ENDPOINTS = { &ENDPOINT, 1 };

static void assert_route(const char *destination, enum stomp_route_kind kind, const char *wanted)
{
    struct stomp_route route;
    stomp_route_send(&ENDPOINT.stomp, view_of(destination), &route);
    assert_int_equal(route.kind, kind);
    if (kind != ROUTE_NOWHERE)
        assert_view(route.destination, wanted);
}

static void test_routes(void **state)
{
    char name[BROKER_NAME_MAX + 10];
    struct stomp_route route;
    (void)state;
    assert_route("/app/call/key", ROUTE_TOPIC, "/topic/call/key");
    assert_route("/app/", ROUTE_TOPIC, "/topic/");
    assert_route("/app", ROUTE_NOWHERE, "");
    assert_route("/apple/a", ROUTE_NOWHERE, "");
    assert_route("/topic/a", ROUTE_TOPIC, "/topic/a");
    assert_route("/queue/a", ROUTE_TOPIC, "/queue/a");
    assert_route("", ROUTE_NOWHERE, "");
    assert_route("/app/simple-peer/offer/c1/r1", ROUTE_TOPIC, "/topic/simple-peer/answer/c1/r1");
    assert_route("/app/simple-peer/offer/c1", ROUTE_TOPIC, "/topic/simple-peer/offer/c1");
    assert_route("/app/simple-peer/offer/c1/r1/x", ROUTE_TOPIC, "/topic/simple-peer/offer/c1/r1/x");
    assert_route("/app/simple-peer/offer//r1", ROUTE_TOPIC, "/topic/simple-peer/offer//r1");
    assert_route("/user/kim/queue/a", ROUTE_USER, "/user/kim/queue/a");

    /* what would get too long */
    memset(name, 'x', sizeof name);
    memcpy(name, "/app/", 5);
    name[BROKER_NAME_MAX - 2] = 0;
    stomp_route_send(&ENDPOINT.stomp, view_of(name), &route);
    assert_int_equal(route.kind, ROUTE_TOPIC);
    assert_int_equal(route.destination.size, BROKER_NAME_MAX);
    name[BROKER_NAME_MAX - 2] = 'x';
    name[BROKER_NAME_MAX - 1] = 0;
    stomp_route_send(&ENDPOINT.stomp, view_of(name), &route);
    assert_int_equal(route.kind, ROUTE_NOWHERE);
    name[BROKER_NAME_MAX - 1] = 'x';
    memcpy(name, "/topic", 6);
    stomp_route_send(&ENDPOINT.stomp, view_make(name, BROKER_NAME_MAX + 1), &route);
    assert_int_equal(route.kind, ROUTE_NOWHERE);
}

static void test_rooms_of_destinations(void **state)
{
    const struct stomp_config *config = &ENDPOINT.stomp;
    (void)state;
    assert_view(stomp_route_room(config, VIEW("/topic/peer/offer/k1/r1")), "r1");
    assert_view(stomp_route_room(config, VIEW("/topic/peer/offer/*/r1")), "r1");
    assert_view(stomp_route_room(config, VIEW("/topic/peer/offer/k1/*")), "");
    assert_view(stomp_route_room(config, VIEW("/topic/peer/offer/k1")), "");
    assert_view(stomp_route_room(config, VIEW("/topic/peer/offer/k1/")), "");
    assert_view(stomp_route_room(config, VIEW("/topic/call/key")), "");
}

/* A client as the pages have it: three destinations of its own, two of all. */
static struct wire *enter(struct house *house, const char *key, const char *room)
{
    char name[100];
    struct wire *wire = stomp_connected(house, "1.1");
    stomp_subscribe(wire, "sub-0", "/topic/call/key");
    stomp_subscribe(wire, "sub-1", "/topic/send/key");
    snprintf(name, sizeof name, "/topic/peer/offer/%s/%s", key, room);
    stomp_subscribe(wire, "sub-2", name);
    return wire;
}

static void test_two_rooms(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct wire *a = enter(house, "ka", "r1");
    struct wire *b = enter(house, "kb", "r1");
    struct wire *other = enter(house, "kc", "r2");
    struct wire *nowhere = stomp_connected(house, "1.1");
    (void)state;
    stomp_subscribe(nowhere, "sub-0", "/topic/call/key");
    stomp_send(a, "/app/call/key", "{}");
    assert_frame(a, "MESSAGE\ndestination:/topic/call/key\n", "{}^");
    assert_frame(b, "MESSAGE\ndestination:/topic/call/key\n", "{}^");
    expect_nothing(other);
    expect_nothing(nowhere);
    /* who is in no room hears those who are in none */
    stomp_send(nowhere, "/app/call/key", "{}");
    assert_frame(nowhere, "MESSAGE\n", "{}^");
    expect_nothing(a);
    /* a destination that names its room is heard wherever it was subscribed to */
    stomp_send(other, "/app/peer/offer/ka/r1", "{}");
    assert_frame(a, "MESSAGE\ndestination:/topic/peer/offer/ka/r1\n", "{}^");
    expect_nothing(b);
    stomp_send(nowhere, "/topic/peer/offer/kb/r1", "{}");
    assert_frame(b, "MESSAGE\n", "{}^");
    house_close(house);
}

static void test_too_many_rooms(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct wire *a = enter(house, "ka", "r0");
    char name[100];
    (void)state;
    stomp_subscribe(a, "again", "/topic/peer/answer/ka/r0");
    for (unsigned i = 1; i < ENDPOINT.limits.rooms; i++) {
        snprintf(name, sizeof name, "/topic/peer/offer/ka/r%u", i);
        stomp_subscribe(a, "x", name); /* in place of the one before */
    }
    expect_nothing(a);
    stomp_write(a, "UNSUBSCRIBE\nid:x\n\n^");
    for (unsigned i = 1; i <= ENDPOINT.limits.rooms; i++) {
        snprintf(name, sizeof name, "/topic/peer/offer/ka/r%u", i);
        expect_nothing(a);
        stomp_subscribe(a, name, name);
    }
    assert_refused(a, "too many rooms");
    house_close(house);
}

static void test_rename(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct wire *a = stomp_connected(house, "1.1");
    struct wire *b = stomp_connected(house, "1.1");
    (void)state;
    stomp_subscribe(a, "1", "/topic/simple-peer/answer/c1/r1");
    stomp_subscribe(a, "2", "/topic/simple-peer/offer/c1/r1");
    stomp_send(b, "/app/simple-peer/offer/c1/r1", "\"o\"");
    assert_frame(a, "MESSAGE\ndestination:/topic/simple-peer/answer/c1/r1\n", "\"o\"^");
    expect_nothing(a);
    house_close(house);
}

/* The setting that restores the original. */
static void test_broadcast(void **state)
{
    struct endpoint_config config = STOMP_ENDPOINT;
    struct endpoint_configs configs = { &config, 1 };
    (void)state;
    config.stomp.room_rule = false;
    struct house *house = house_of_stomp(&configs);
    struct wire *a = enter(house, "ka", "r1");
    struct wire *b = enter(house, "kb", "r2");
    stomp_send(a, "/app/call/key", "{}");
    assert_frame(a, "MESSAGE\n", "{}^");
    assert_frame(b, "MESSAGE\n", "{}^");
    house_close(house);
}

static void test_users(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct wire *kim = stomp_open(house);
    struct wire *lee = stomp_open(house);
    struct wire *spy = stomp_connected(house, "1.2");
    (void)state;
    stomp_write(kim, "CONNECT\naccept-version:1.2\nlogin:kim\n\n^");
    assert_frame(kim, "CONNECTED\n", "user-name:kim\n\n^");
    stomp_write(lee, "CONNECT\naccept-version:1.2\nlogin:a/b\n\n^");
    struct view heard = view_of(stomp_hear(lee)); /* a name that can't be one */
    size_t at = view_find(heard, VIEW("session:")) + 8;
    struct view session = view_slice(heard, at, SESSION_ID_SIZE);
    char to[200];
    snprintf(to, sizeof to, "/user/%.*s/queue/x", VIEW_ARGS(session));

    stomp_subscribe(kim, "1", "/user/queue/x");
    stomp_subscribe(lee, "1", "/user/queue/x");
    stomp_subscribe(spy, "1", "/user/kim/queue/x");
    stomp_subscribe(spy, "2", "/**");
    stomp_subscribe(spy, "3", "/user/**");
    stomp_send(lee, "/user/kim/queue/x", "for kim");
    assert_frame(kim, "MESSAGE\ndestination:/user/queue/x\n", "for kim^");
    expect_nothing(lee);
    expect_nothing(spy);
    stomp_send(kim, to, "for lee");
    assert_frame(lee, "MESSAGE\ndestination:/user/queue/x\n", "for lee^");
    expect_nothing(kim);
    stomp_send(kim, "/user/kim", "x");
    stomp_send(kim, "/user/", "x");
    expect_nothing(kim);
    expect_nothing(spy);
    house_close(house);
}

static void test_heart_beats(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct wire *wire = stomp_open(house);
    (void)state;
    stomp_write(wire, "CONNECT\naccept-version:1.1\nheart-beat:15000,5000\n\n^");
    assert_frame(wire, "CONNECTED\n", "^");
    /* ours every 10 s, and only while nothing else is said */
    house_wait(house, 9 * USEC_S);
    assert_heard(wire, "");
    house_wait(house, 2 * USEC_S);
    assert_heard(wire, "\n");
    assert_heard(wire, "");
    house_wait(house, 4 * USEC_S);
    stomp_write(wire, "SEND\ndestination:/x\nreceipt:1\n\n^");
    assert_frame(wire, "RECEIPT\n", "^");
    house_wait(house, 9 * USEC_S);
    assert_heard(wire, "");
    house_wait(house, 2 * USEC_S);
    assert_heard(wire, "\n");
    /* the client's every 15 s: after three that are missed it is gone */
    stomp_write(wire, "\n");
    for (int i = 0; i < 44; i++) {
        house_wait(house, USEC_S);
        assert_string_not_equal(stomp_hear(wire), "closed");
    }
    house_wait(house, 2 * USEC_S);
    assert_heard(wire, "closed");
    house_close(house);
}

static void test_no_heart_beats(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct wire *wire = stomp_connected(house, "1.2");
    struct wire *mute = stomp_open(house);
    (void)state;
    for (int i = 0; i < 29; i++) {
        house_wait(house, USEC_S);
        assert_heard(wire, "");
        assert_heard(mute, "");
    }
    /* whoever never connects is not kept */
    house_wait(house, 2 * USEC_S);
    assert_heard(mute, "closed");
    for (int i = 0; i < 100; i++) {
        house_wait(house, USEC_S);
        assert_heard(wire, "");
    }
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes),         cmocka_unit_test(test_rooms_of_destinations),
        cmocka_unit_test(test_two_rooms),      cmocka_unit_test(test_rename),
        cmocka_unit_test(test_too_many_rooms), cmocka_unit_test(test_broadcast),
        cmocka_unit_test(test_users),          cmocka_unit_test(test_heart_beats),
        cmocka_unit_test(test_no_heart_beats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
