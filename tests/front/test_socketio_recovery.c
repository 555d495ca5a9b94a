/* test_socketio_recovery.c - sockets whose connection broke off come back, and hear what they
 * missed. */
#include "house_engine.h"

#define V4       "/socket.io/?EIO=4"
#define RECOVERY (5 * USEC_S)

static const struct rule ROOM_RULES[] = {
    { .on = "join", .to = TO_NOBODY, .join = "room" },
    { .on = "say", .to = TO_OTHERS },
    { .on = "bye", .to = TO_NOBODY, .close = 1000, .reason = "bye" },
    { .on = "close", .to = TO_OTHERS, .emit = "left", .say = "\"$id\"" },
};
static const struct endpoint_config RECOVERING[] = { {
    .path = "/socket.io",
    .carrier = CARRIER_ENGINE,
    .speech = SPEECH_SOCKETIO,
    .limits = { .sessions = 4, .message_bytes = 60000, .queue_bytes = 5000, .rooms = 8, .kept = 8 },
    .engine = { .ping_interval = 25 * USEC_S, .ping_timeout = 20 * USEC_S, .eio3 = true },
    .socketio = { .connect_timeout = 45 * USEC_S, .recovery = RECOVERY },
    .rules = { .items = ROOM_RULES, .count = sizeof ROOM_RULES / sizeof ROOM_RULES[0] },
} };
static const struct endpoint_configs ALL = { RECOVERING, 1 };

struct client {
    struct wire *wire;
    char sid[SID_SIZE + 1];
    char pid[SID_SIZE + 1];
    char offset[32]; /* behind the last event that it heard */
};

static struct client connect_with(struct house *house, const char *connect)
{
    struct client client = { .wire = socket_open(house, V4) };
    socket_say(client.wire, connect);
    const char *heard = socket_hear(client.wire);
    read_sid(heard, client.sid);
    const char *pid = strstr(heard, "\",\"pid\":\"");
    assert_non_null(pid);
    memcpy(client.pid, pid + 9, SID_SIZE);
    return client;
}

static struct client join(struct house *house)
{
    struct client client = connect_with(house, "40");
    socket_say(client.wire, "42[\"join\",{\"room\":\"r\"}]");
    return client;
}

/* The event and an offset behind it. */
static void expect_event(struct client *client, const char *begin)
{
    struct view heard = view_of(socket_hear(client->wire));
    if (!view_starts(heard, view_of(begin)))
        fail_msg("heard \"%.*s\", wanted \"%s\"", VIEW_ARGS(heard), begin);
    struct view rest = view_slice(heard, strlen(begin), heard.size);
    if (!view_starts(rest, VIEW(",\"")) || rest.size < 5)
        fail_msg("no offset in \"%.*s\"", VIEW_ARGS(heard));
    snprintf(client->offset, sizeof client->offset, "%.*s", (int)rest.size - 4, rest.at + 2);
}

static void expect_left(struct client *client, const struct client *who)
{
    char left[100];
    snprintf(left, sizeof left, "42[\"left\",\"%s\"", who->sid);
    expect_event(client, left);
}

/* The client comes back, and is told what it missed.  True: it is who it was. */
static bool come_back(struct house *house, struct client *client)
{
    char connect[200];
    struct client old = *client;
    snprintf(connect, sizeof connect, "40{\"pid\":\"%s\",\"offset\":\"%s\"}", old.pid, old.offset);
    *client = connect_with(house, connect);
    memcpy(client->offset, old.offset, sizeof old.offset);
    bool is_same = strcmp(client->sid, old.sid) == 0;
    assert_true(is_same == (strcmp(client->pid, old.pid) == 0));
    return is_same;
}

static void end(struct house *house)
{
    house_wait(house, RECOVERY);
    for (size_t i = 0; i < HOUSE_WIRES_MAX; i++)
        if (house->wires[i].state == WIRE_OPEN)
            wire_drop(&house->wires[i]);
    house_wait(house, RECOVERY + SOON);
    house_close(house);
}

static void test_recovery(void **state)
{
    (void)state;
    struct house *house = house_build(&(struct wishes){ .endpoints = &ALL });
    struct client one = join(house);
    struct client two = join(house);
    socket_say(two.wire, "42[\"say\",1]");
    expect_event(&one, "42[\"say\",1");
    /* on its way when the connection breaks */
    socket_say(two.wire, "42[\"say\",2]");
    wire_drop(one.wire);
    socket_say(two.wire, "42[\"say\",3]");
    socket_say(two.wire, "451-[\"say\",{\"_placeholder\":true,\"num\":0}]");
    socket_say_bytes(two.wire, VIEW("abc"));
    socket_say(two.wire, "42[\"say\"]");
    socket_expect(two.wire, "");
    assert_true(come_back(house, &one));
    expect_event(&one, "42[\"say\",2");
    expect_event(&one, "42[\"say\",3");
    expect_event(&one, "451-[\"say\",{\"_placeholder\":true,\"num\":0}");
    socket_expect(one.wire, "abc");
    expect_event(&one, "42[\"say\"");
    socket_expect(one.wire, "");
    /* it is in its room still, and can come back again */
    socket_say(one.wire, "42[\"say\",4]");
    expect_event(&two, "42[\"say\",4");
    wire_drop(one.wire);
    assert_true(come_back(house, &one));
    socket_expect(one.wire, "");
    assert_int_equal(house_metric(house, METRIC_SOCKETIO_RECOVERED), 2);
    end(house);
}

static void test_too_late(void **state)
{
    (void)state;
    struct house *house = house_build(&(struct wishes){ .endpoints = &ALL });
    struct client one = join(house);
    struct client two = join(house);
    socket_say(two.wire, "42[\"say\",1]");
    expect_event(&one, "42[\"say\",1");
    wire_drop(one.wire);
    house_wait(house, RECOVERY - 10 * USEC_MS);
    socket_expect(two.wire, "");
    house_wait(house, 20 * USEC_MS);
    expect_left(&two, &one);
    assert_false(come_back(house, &one));
    end(house);
}

/* More is missing than is kept: it is somebody new, and the old one goes. */
static void test_too_much(void **state)
{
    (void)state;
    struct house *house = house_build(&(struct wishes){ .endpoints = &ALL });
    struct client one = join(house);
    struct client two = join(house);
    char said[1200];
    socket_say(two.wire, "42[\"say\",1]");
    expect_event(&one, "42[\"say\",1");
    wire_drop(one.wire);
    snprintf(said, sizeof said, "42[\"say\",\"%01000d\"]", 0);
    for (int i = 0; i < 5; i++)
        socket_say(two.wire, said);
    struct client old = one;
    assert_false(come_back(house, &one));
    expect_left(&two, &old);
    socket_expect(one.wire, "");
    end(house);
}

/* Who says that it goes, or is sent away, does not come back; nor does who never heard a thing, or
 * names what was never said. */
static void test_no_recovery(void **state)
{
    (void)state;
    static const char *const LAST[] = { "41", "42[\"bye\"]" };
    struct house *house = house_build(&(struct wishes){ .endpoints = &ALL });
    struct client two = join(house);
    for (size_t i = 0; i < 2; i++) {
        struct client one = join(house);
        socket_say(two.wire, "42[\"say\",1]");
        expect_event(&one, "42[\"say\",1");
        socket_say(one.wire, LAST[i]);
        expect_left(&two, &one);
        wire_drop(one.wire);
        assert_false(come_back(house, &one));
        socket_say(one.wire, "41");
        wire_drop(one.wire);
    }
    struct client one = join(house);
    wire_drop(one.wire);
    assert_false(come_back(house, &one));
    wire_drop(one.wire);
    strcpy(one.offset, "99");
    assert_false(come_back(house, &one));
    end(house);
}

/* The socket in another namespace is another, and an older client has none. */
static void test_namespaces(void **state)
{
    (void)state;
    struct house *house = house_build(&(struct wishes){ .endpoints = &ALL });
    struct client one = join(house);
    struct client two = join(house);
    char connect[200];
    char heard[200];
    socket_say(two.wire, "42[\"say\",1]");
    expect_event(&one, "42[\"say\",1");
    wire_drop(one.wire);
    struct wire *wire = socket_open(house, V4);
    snprintf(connect, sizeof connect, "40/other,{\"pid\":\"%s\",\"offset\":\"%s\"}", one.pid,
             one.offset);
    socket_say(wire, connect);
    snprintf(heard, sizeof heard, "%.150s", socket_hear(wire));
    assert_null(strstr(heard, one.sid));
    assert_true(come_back(house, &one));
    struct wire *old = socket_open(house, "/socket.io/?EIO=3");
    socket_expect(old, "40");
    end(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recovery),   cmocka_unit_test(test_too_late),
        cmocka_unit_test(test_too_much),   cmocka_unit_test(test_no_recovery),
        cmocka_unit_test(test_namespaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
