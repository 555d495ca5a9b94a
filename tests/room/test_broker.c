/* test_broker.c - who is reached by what is sent to a destination: names, patterns, rooms,
 * limits. */
#include "support.h"

#include "room/broker.h"
#include "room/pattern.h"

#define MEMBERS 6

static struct broker broker;
static struct buffers *buffers;
static struct broker_member members[MEMBERS];
static uint64_t random_state;

static int build_sized(uint32_t subscriptions, uint32_t topics, uint32_t rooms)
{
    assert_int_equal(buffers_new(1 << 20, &buffers), OK);
    struct broker_config config = { .subscriptions_max = subscriptions,
                                    .topics_max = topics,
                                    .rooms_max = rooms,
                                    .buffers = buffers,
                                    .random = { test_random_fill, &random_state } };
    for (size_t i = 0; i < MEMBERS; i++)
        broker_member_init(&members[i]);
    return broker_init(&broker, &config);
}

static int build(void **state)
{
    (void)state;
    return build_sized(200, 100, 20);
}

/* Asserts that nothing is left. */
static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < MEMBERS; i++)
        broker_leave(&broker, &members[i]);
    assert_int_equal(buffers_used(buffers), 0);
    broker_free(&broker);
    buffers_free(buffers);
    return 0;
}

static int subscribe(int member, const char *id, const char *destination, const char *room)
{
    struct broker_subscription *one;
    struct broker_wish wish = {
        .id = view_of(id), .destination = view_of(destination), .room = view_of(room), .kind = 7
    };
    return broker_subscribe(&broker, &members[member], &wish, &one);
}

static void unsubscribe(int member, const char *id)
{
    struct broker_subscription *one = broker_find(&members[member], view_of(id));
    assert_non_null(one);
    broker_unsubscribe(&broker, one);
}

/* Who is reached, as "0:a 1:b"; `from` -1: by anyone, everywhere. */
static void reaches(int from, const char *destination, const char *wanted)
{
    struct broker_walk walk;
    struct broker_subscription *one;
    char seen[2000] = "";
    size_t size = 0;
    broker_walk_begin(&broker, &walk, view_of(destination), from < 0 ? BROKER_ALL : BROKER_ROOM,
                      from < 0 ? NULL : &members[from]);
    while ((one = broker_walk_next(&walk)) != NULL) {
        assert_int_equal(one->kind, 7);
        size += (size_t)snprintf(seen + size, sizeof seen - size, "%s%d:%.*s", size ? " " : "",
                                 (int)(one->member - members), VIEW_ARGS(one->id));
    }
    assert_string_equal(seen, wanted);
}

static void test_names(void **state)
{
    (void)state;
    reaches(-1, "/topic/a", "");
    assert_int_equal(subscribe(0, "s0", "/topic/a", NULL), OK);
    assert_int_equal(subscribe(1, "s0", "/topic/a", NULL), OK);
    assert_int_equal(subscribe(0, "s1", "/topic/b", NULL), OK);
    assert_int_equal(subscribe(0, "s2", "/topic/a", NULL), OK);
    assert_int_equal(subscribe(0, "s1", "/topic/c", NULL), ERR_EXISTS);
    reaches(-1, "/topic/a", "0:s0 1:s0 0:s2");
    reaches(-1, "/topic/b", "0:s1");
    reaches(-1, "/topic/", "");
    reaches(-1, "", "");
    unsubscribe(0, "s0");
    assert_null(broker_find(&members[0], VIEW("s0")));
    reaches(-1, "/topic/a", "1:s0 0:s2");
    broker_leave(&broker, &members[1]);
    reaches(-1, "/topic/a", "0:s2");
    assert_int_equal(subscribe(1, "s0", "/topic/a", NULL), OK);
    reaches(-1, "/topic/a", "0:s2 1:s0");
}

static void test_patterns(void **state)
{
    (void)state;
    assert_int_equal(subscribe(0, "all", "/topic/**", NULL), OK);
    assert_int_equal(subscribe(1, "one", "/topic/*", NULL), OK);
    assert_int_equal(subscribe(2, "end", "/topic/**/r1", NULL), OK);
    assert_int_equal(subscribe(3, "exact", "/topic/a", NULL), OK);
    reaches(-1, "/topic/a", "3:exact 0:all 1:one");
    reaches(-1, "/topic/peer/offer/k/r1", "0:all 2:end");
    reaches(-1, "/topic/r1", "0:all 1:one 2:end");
    reaches(-1, "/queue/a", "");
    /* a name with a star in it is no pattern of the sender's */
    reaches(-1, "/topic/*", "0:all 1:one");
    unsubscribe(0, "all");
    reaches(-1, "/topic/a/b", "");
    assert_int_equal(broker.pattern_count, 2);
}

static void test_pattern_matching(void **state)
{
    static const struct {
        const char *pattern;
        const char *name;
        bool matches;
    } CASES[] = {
        { "/a", "/a", true },
        { "/a", "/b", false },
        { "/a", "/a/", false },
        { "/*", "/a", true },
        { "/*", "/", true },
        { "/*", "/a/b", false },
        { "/*/b", "/a/b", true },
        { "/a*c", "/abbc", true },
        { "/a*c", "/abcb", false },
        { "/a*b*c", "/abcbxc", true },
        { "/?", "/a", true },
        { "/?", "/", false },
        { "/**", "/", true },
        { "/**", "/a/b/c", true },
        { "/**", "a", false },
        { "/a/**", "/a", true },
        { "/a/**", "/ab", false },
        { "/**/c", "/a/b/c", true },
        { "/**/c", "/c", true },
        { "/**/c", "/a/b", false },
        { "/**/b/**/d", "/a/b/c/b/d", true },
        { "/**/b/**/d", "/a/c/d", false },
        { "/**/a/b", "/a/a/b", true },
        { "/a/**/b", "/a/x/y/b/z", false },
        { "**", "", true },
        { "", "", true },
        { "", "a", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        if (pattern_matches(view_of(CASES[i].pattern), view_of(CASES[i].name)) != CASES[i].matches)
            fail_msg("%s on %s", CASES[i].pattern, CASES[i].name);
    assert_true(pattern_is(VIEW("/a?")));
    assert_true(pattern_is(VIEW("/*")));
    assert_false(pattern_is(VIEW("/a")));
    assert_false(pattern_is(VIEW("")));
}

static void test_rooms(void **state)
{
    (void)state;
    /* 0 and 1 are in r1, 2 in r2, 3 in none, 4 in both */
    for (int i = 0; i < 5; i++)
        assert_int_equal(subscribe(i, "call", "/topic/call/key", NULL), OK);
    reaches(0, "/topic/call/key", "0:call 1:call 2:call 3:call 4:call");
    assert_int_equal(subscribe(0, "o", "/topic/o/0/r1", "r1"), OK);
    assert_int_equal(subscribe(0, "a", "/topic/a/0/r1", "r1"), OK);
    assert_int_equal(subscribe(1, "o", "/topic/o/1/r1", "r1"), OK);
    assert_int_equal(subscribe(2, "o", "/topic/o/2/r2", "r2"), OK);
    assert_int_equal(subscribe(4, "o1", "/topic/o/4/r1", "r1"), OK);
    assert_int_equal(subscribe(4, "o2", "/topic/o/4/r2", "r2"), OK);
    reaches(0, "/topic/call/key", "0:call 1:call 4:call");
    reaches(2, "/topic/call/key", "2:call 4:call");
    reaches(3, "/topic/call/key", "3:call");
    reaches(4, "/topic/call/key", "0:call 1:call 4:call 2:call");
    reaches(-1, "/topic/call/key", "0:call 1:call 2:call 3:call 4:call");
    /* out of a room with the last subscription that bears it */
    unsubscribe(0, "o");
    reaches(0, "/topic/call/key", "0:call 1:call 4:call");
    unsubscribe(0, "a");
    reaches(0, "/topic/call/key", "0:call 3:call");
    reaches(1, "/topic/call/key", "1:call 4:call");
}

static void test_rooms_and_patterns(void **state)
{
    (void)state;
    assert_int_equal(subscribe(0, "all", "/topic/**", NULL), OK);
    assert_int_equal(subscribe(1, "all", "/topic/**", NULL), OK);
    assert_int_equal(subscribe(2, "all", "/topic/**", NULL), OK);
    assert_int_equal(broker_enter(&broker, &members[0], VIEW("r1")), OK);
    assert_int_equal(broker_enter(&broker, &members[1], VIEW("r2")), OK);
    assert_int_equal(subscribe(3, "o", "/topic/o/r1", "r1"), OK);
    reaches(3, "/topic/call", "0:all");
    reaches(0, "/topic/call", "0:all");
    reaches(2, "/topic/call", "2:all");
    reaches(3, "/queue/call", "");
    assert_int_equal(broker_enter(&broker, &members[0], VIEW("r2")), OK);
    reaches(3, "/topic/call", "");
    reaches(0, "/topic/call", "1:all 0:all");
    assert_int_equal(broker_enter(&broker, &members[0], VIEW("")), OK);
    reaches(2, "/topic/call", "0:all 2:all");
}

/* Each counts once, however often it is there. */
static void test_counting(void **state)
{
    (void)state;
    assert_int_equal(broker_count_room(&broker, VIEW("r1")), 0);
    assert_int_equal(broker_enter(&broker, &members[0], VIEW("r1")), OK);
    assert_int_equal(subscribe(0, "a", "/a/r1", "r1"), OK);
    assert_int_equal(subscribe(1, "a", "/a/r1", "r1"), OK);
    assert_int_equal(subscribe(2, "a", "/a/r2", "r2"), OK);
    assert_int_equal(broker_count_room(&broker, VIEW("r1")), 2);
    assert_int_equal(broker_count_room(&broker, VIEW("r2")), 1);
    assert_int_equal(broker_rooms_of(&broker, &members[0]), 1);
    assert_int_equal(subscribe(0, "b", "/b/r2", "r2"), OK);
    assert_int_equal(broker_rooms_of(&broker, &members[0]), 2);
    assert_int_equal(broker_rooms_of(&broker, &members[3]), 0);
    broker_leave(&broker, &members[0]);
    assert_int_equal(broker_count_room(&broker, VIEW("r1")), 1);
    broker_leave(&broker, &members[1]);
    assert_int_equal(broker_count_room(&broker, VIEW("r1")), 0);
}

static void test_long_texts(void **state)
{
    char name[BROKER_NAME_MAX + 2];
    char id[BROKER_ID_MAX + 2];
    (void)state;
    memset(name, 'n', sizeof name);
    memset(id, 'i', sizeof id);
    name[BROKER_NAME_MAX + 1] = id[BROKER_ID_MAX + 1] = 0;
    assert_int_equal(subscribe(0, "s", name, NULL), ERR_LIMIT);
    assert_int_equal(subscribe(0, id, "/a", NULL), ERR_LIMIT);
    name[BROKER_NAME_MAX] = id[BROKER_ID_MAX] = 0;
    assert_int_equal(subscribe(0, id, name, NULL), OK);
    assert_non_null(broker_find(&members[0], view_of(id)));
    name[BROKER_ROOM_MAX + 1] = 0;
    assert_int_equal(subscribe(0, "s", "/a", name), ERR_LIMIT);
    assert_int_equal(broker_enter(&broker, &members[0], view_of(name)), ERR_LIMIT);
    name[BROKER_ROOM_MAX] = 0;
    assert_int_equal(subscribe(0, "s", "/a", name), OK);
    name[1] = '*';
    assert_int_equal(subscribe(0, "t", name, NULL), OK);
    name[BROKER_PATTERN_MAX] = 'x';
    name[BROKER_PATTERN_MAX + 1] = 0;
    assert_int_equal(subscribe(0, "u", name, NULL), ERR_LIMIT);
}

static void test_limits_each(void **state)
{
    char id[16], name[16];
    (void)state;
    tear_down(NULL);
    build_sized(BROKER_SUBSCRIPTIONS_EACH + 100, 100, 20);
    for (int i = 0; i <= BROKER_SUBSCRIPTIONS_EACH; i++) {
        snprintf(id, sizeof id, "%d", i);
        assert_int_equal(subscribe(0, id, "/a", NULL),
                         i < BROKER_SUBSCRIPTIONS_EACH ? OK : ERR_LIMIT);
    }
    for (int i = 0; i <= BROKER_PATTERNS_EACH; i++) {
        snprintf(name, sizeof name, "/%d/*", i);
        assert_int_equal(subscribe(1, name, name, NULL), i < BROKER_PATTERNS_EACH ? OK : ERR_LIMIT);
    }
    unsubscribe(1, "/0/*");
    assert_int_equal(subscribe(1, "x", "/x/*", NULL), OK);
}

/* Pools that are used up: nothing is left of what could not be done. */
static void test_limits_of_all(void **state)
{
    (void)state;
    tear_down(NULL);
    build_sized(3, 2, 1);
    assert_int_equal(subscribe(0, "a", "/a", "r"), OK);
    assert_int_equal(subscribe(0, "b", "/b", "other"), ERR_LIMIT);
    assert_int_equal(broker.topics.used, 1);
    assert_int_equal(subscribe(0, "b", "/b", NULL), OK);
    assert_int_equal(subscribe(0, "c", "/c", NULL), ERR_LIMIT);
    assert_int_equal(broker.subscriptions.used, 2);
    assert_int_equal(subscribe(0, "c", "/b", "r"), OK);
    assert_int_equal(subscribe(1, "d", "/b", NULL), ERR_LIMIT);
    reaches(-1, "/b", "0:b 0:c");
    broker_leave(&broker, &members[0]);
    assert_int_equal(broker.rooms.used, 0);
    assert_int_equal(subscribe(1, "d", "/d", "other"), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, build, tear_down),
        cmocka_unit_test_setup_teardown(test_patterns, build, tear_down),
        cmocka_unit_test(test_pattern_matching),
        cmocka_unit_test_setup_teardown(test_rooms, build, tear_down),
        cmocka_unit_test_setup_teardown(test_rooms_and_patterns, build, tear_down),
        cmocka_unit_test_setup_teardown(test_counting, build, tear_down),
        cmocka_unit_test_setup_teardown(test_long_texts, build, tear_down),
        cmocka_unit_test_setup_teardown(test_limits_each, build, tear_down),
        cmocka_unit_test_setup_teardown(test_limits_of_all, build, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
