/* Rooms and members: names, places, the order and the audience of events. */
#include "room/room.h"

#include "support.h"

#define BEGIN (1000 * USEC_S)

struct world {
    struct rooms rooms;
    struct wheel wheel;
    struct metrics metrics;
    struct buffers *buffers;
    uint64_t seed;
};

static struct world *make_world(uint32_t rooms_max, uint32_t members_max)
{
    struct world *world = aligned_alloc(64, (sizeof *world + 63) / 64 * 64);
    assert_non_null(world);
    memset(world, 0, sizeof *world);
    wheel_init(&world->wheel, BEGIN);
    assert_int_equal(buffers_new(1024 * 1024, &world->buffers), OK);
    struct rooms_config config = {
        .rooms_max = rooms_max,
        .members_max = members_max,
        .history_entries_max = 64,
        .history_bytes_max = 1024 * 1024,
        .buffers = world->buffers,
        .wheel = &world->wheel,
        .away_timer_kind = 7,
        .random = { test_random_fill, &world->seed },
        .metrics = &world->metrics,
    };
    assert_int_equal(rooms_init(&world->rooms, &config), OK);
    return world;
}

static void end_world(struct world *world)
{
    struct room_event event;
    assert_false(rooms_poll(&world->rooms, &event));
    rooms_free(&world->rooms);
    buffers_free(world->buffers);
    free(world);
}

static void expect_counts(struct world *world, uint64_t rooms, uint64_t members, uint64_t away)
{
    assert_int_equal(metrics_read(&world->metrics, METRIC_ROOMS), rooms);
    assert_int_equal(world->rooms.room_pool.used, rooms);
    assert_int_equal(world->rooms.by_name.count, rooms);
    assert_int_equal(metrics_read(&world->metrics, METRIC_MEMBERS), members);
    assert_int_equal(world->rooms.member_pool.used, members);
    assert_int_equal(metrics_read(&world->metrics, METRIC_MEMBERS_AWAY), away);
}

static int join(struct world *world, const char *room, const char *name, struct member **member)
{
    bool room_full = true;
    struct join join = { .room = view_of(room), .name = view_of(name), .link = world };
    int status = rooms_join(&world->rooms, BEGIN, &join, member, &room_full);
    assert_int_equal(room_full, false);
    return status;
}

/* The next event is of that kind, by that member, with that seq. */
static struct room_event expect_event(struct world *world, enum room_event_kind kind,
                                      uint32_t number, uint64_t seq)
{
    struct room_event event;
    assert_true(rooms_poll(&world->rooms, &event));
    assert_int_equal(event.kind, kind);
    assert_int_equal(event.number, number);
    assert_int_equal(event.seq, seq);
    assert_int_equal(event.room->seq >= seq, true);
    return event;
}

static void expect_quiet(struct world *world)
{
    struct room_event event;
    assert_false(rooms_poll(&world->rooms, &event));
}

/* One who comes in, and whose coming has been told. */
static struct member *come(struct world *world, const char *room, const char *name)
{
    struct member *member = NULL;
    struct room_event event;
    assert_int_equal(join(world, room, name, &member), OK);
    while (rooms_poll(&world->rooms, &event))
        continue;
    return member;
}

static void test_names(void **state)
{
    static const struct {
        const char *name;
        bool of_room;
        bool of_member;
    } CASES[] = {
        { "", false, false },
        { "a", true, true },
        { " ", true, true },
        { "a/b", false, true },
        { "/", false, true },
        { "a\tb", false, false },
        { "a\x7f", false, false },
        { "\xff", false, false },
        { "\xeb\xaa\xa8\xec\x9e\x84", true, true },
        { "\xeb\xaa", false, false },
        { "\xc2\x85", false, false },
    };
    char longest[MEMBER_NAME_MAX + 2];
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_int_equal(room_name_valid(view_of(CASES[i].name)), CASES[i].of_room);
        assert_int_equal(member_name_valid(view_of(CASES[i].name)), CASES[i].of_member);
    }
    memset(longest, 'x', sizeof longest);
    assert_true(room_name_valid(view_make(longest, ROOM_NAME_MAX)));
    assert_false(room_name_valid(view_make(longest, ROOM_NAME_MAX + 1)));
    assert_true(member_name_valid(view_make(longest, MEMBER_NAME_MAX)));
    assert_false(member_name_valid(view_make(longest, MEMBER_NAME_MAX + 1)));
    assert_false(room_name_valid(view_make("a\0b", 3)));
}

static void test_join_and_leave(void **state)
{
    struct world *world = make_world(4, 8);
    struct member *mina = NULL;
    struct member *jun = NULL;
    struct member *other = NULL;
    (void)state;
    assert_int_equal(join(world, "one", "Mina", &mina), OK);
    struct room_event event = expect_event(world, ROOM_JOINED, 1, 1);
    assert_ptr_equal(event.member, mina);
    assert_false(room_event_reaches(&event, mina));
    expect_quiet(world);
    assert_int_equal(join(world, "one", "Jun", &jun), OK);
    event = expect_event(world, ROOM_JOINED, 2, 2);
    assert_true(room_event_reaches(&event, mina));
    assert_false(room_event_reaches(&event, jun));
    assert_int_equal(join(world, "one", "Jun", &other), ERR_EXISTS);
    assert_null(other);
    expect_quiet(world);
    assert_int_equal(join(world, "two", "Jun", &other), OK); /* each room has names of its own */
    expect_event(world, ROOM_JOINED, 1, 1);
    expect_counts(world, 2, 3, 0);

    rooms_leave(&world->rooms, BEGIN, mina, LEAVE_LEFT);
    event = expect_event(world, ROOM_LEFT, 1, 3);
    assert_null(event.member);
    assert_int_equal(event.reason, LEAVE_LEFT);
    assert_true(room_event_reaches(&event, jun));
    mina = come(world, "one", "Mina");
    assert_int_equal(mina->number, 3); /* a number is never used again */
    rooms_leave(&world->rooms, BEGIN, other, LEAVE_LEFT);
    expect_quiet(world); /* of the last nobody hears */
    expect_counts(world, 1, 2, 0);
    other = come(world, "two", "Jun");
    assert_int_equal(other->room->seq, 1); /* a new room */
    end_world(world);
}

static void test_away_and_back(void **state)
{
    struct world *world = make_world(4, 8);
    struct member *mina = come(world, "one", "Mina");
    struct member *jun = come(world, "one", "Jun");
    (void)state;
    rooms_away(&world->rooms, BEGIN, jun);
    struct room_event event = expect_event(world, ROOM_AWAY, 2, 3);
    assert_true(room_event_reaches(&event, mina));
    assert_false(room_event_reaches(&event, jun));
    assert_null(jun->link);
    expect_counts(world, 1, 2, 1);
    rooms_back(&world->rooms, jun, world);
    expect_event(world, ROOM_BACK, 2, 4);
    assert_ptr_equal(jun->link, world);
    expect_counts(world, 1, 2, 0);
    assert_true(wheel_next(&world->wheel) == USEC_NEVER);

    rooms_away(&world->rooms, BEGIN + USEC_S, jun);
    expect_event(world, ROOM_AWAY, 2, 5);
    assert_null(wheel_expired(&world->wheel, BEGIN + USEC_S + ROOM_KEEP_AWAY - 2000));
    struct timer *timer = wheel_expired(&world->wheel, BEGIN + USEC_S + ROOM_KEEP_AWAY + 2000);
    assert_non_null(timer);
    assert_int_equal(timer->kind, 7);
    rooms_expired(&world->rooms, BEGIN + ROOM_KEEP_AWAY, timer);
    event = expect_event(world, ROOM_LEFT, 2, 6);
    assert_int_equal(event.reason, LEAVE_LOST);
    expect_counts(world, 1, 1, 0);
    end_world(world);
}

/* A name of one that is away is free for a new one, also when nobody else is in the room. */
static void test_replaced(void **state)
{
    struct world *world = make_world(1, 2);
    struct member *mina = come(world, "one", "Mina");
    struct member *jun = come(world, "one", "Jun");
    struct member *again = NULL;
    (void)state;
    rooms_away(&world->rooms, BEGIN, jun);
    expect_event(world, ROOM_AWAY, 2, 3);
    assert_int_equal(join(world, "one", "Jun", &again), OK);
    struct room_event left = expect_event(world, ROOM_LEFT, 2, 4);
    struct room_event joined = expect_event(world, ROOM_JOINED, 3, 5);
    assert_int_equal(left.reason, LEAVE_REPLACED);
    assert_true(room_event_reaches(&left, mina) && room_event_reaches(&joined, mina));
    assert_false(room_event_reaches(&left, again) || room_event_reaches(&joined, again));
    expect_counts(world, 1, 2, 0);

    rooms_leave(&world->rooms, BEGIN, mina, LEAVE_LEFT);
    expect_event(world, ROOM_LEFT, 1, 6);
    rooms_away(&world->rooms, BEGIN, again);
    expect_event(world, ROOM_AWAY, 3, 7);
    assert_int_equal(join(world, "one", "Jun", &again), OK);
    expect_event(world, ROOM_JOINED, 1, 1); /* the room ended with the old one */
    expect_quiet(world);
    expect_counts(world, 1, 1, 0);
    assert_true(wheel_next(&world->wheel) == USEC_NEVER);
    end_world(world);
}

static void test_room_full(void **state)
{
    struct world *world = make_world(1, TOPOLOGY_MESH_MAX + 1);
    struct member *member = NULL;
    struct member *last = NULL;
    bool room_full = false;
    char name[16];
    (void)state;
    for (int i = 0; i < TOPOLOGY_MESH_MAX; i++) {
        snprintf(name, sizeof name, "guest %d", i);
        last = come(world, "one", name);
    }
    struct join one_more = { .room = VIEW("one"), .name = VIEW("Mina") };
    assert_int_equal(rooms_join(&world->rooms, BEGIN, &one_more, &member, &room_full), ERR_LIMIT);
    assert_true(room_full);
    one_more.room = VIEW("two"); /* which would be one room too many */
    assert_int_equal(rooms_join(&world->rooms, BEGIN, &one_more, &member, &room_full), ERR_LIMIT);
    assert_false(room_full);
    assert_null(member);
    expect_counts(world, 1, TOPOLOGY_MESH_MAX, 0);
    rooms_leave(&world->rooms, BEGIN, last, LEAVE_LEFT);
    expect_event(world, ROOM_LEFT, TOPOLOGY_MESH_MAX, TOPOLOGY_MESH_MAX + 1);
    assert_int_equal(join(world, "one", "Mina", &member), OK);
    expect_event(world, ROOM_JOINED, TOPOLOGY_MESH_MAX + 1, TOPOLOGY_MESH_MAX + 2);
    end_world(world);
}

static void test_say(void **state)
{
    static const struct {
        enum room_event_kind kind;
        uint32_t to;
        bool heard[3]; /* by Mina, who says it, by Jun and by Sora */
    } CASES[] = {
        { ROOM_CHAT, 0, { true, true, true } },        { ROOM_CHAT, 2, { true, true, false } },
        { ROOM_OFFER, 2, { false, true, false } },     { ROOM_ANSWER, 3, { false, false, true } },
        { ROOM_CANDIDATE, 3, { false, false, true } },
    };
    struct world *world = make_world(1, 4);
    struct member *members[3];
    uint64_t seq = 3;
    (void)state;
    members[0] = come(world, "one", "Mina");
    members[1] = come(world, "one", "Jun");
    members[2] = come(world, "one", "Sora");
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_int_equal(
            rooms_say(&world->rooms, members[0], CASES[i].kind, CASES[i].to, VIEW("body")), OK);
        struct room_event event = expect_event(world, CASES[i].kind, 1, ++seq);
        assert_view(event.body, "body");
        for (int j = 0; j < 3; j++)
            assert_int_equal(room_event_reaches(&event, members[j]), CASES[i].heard[j]);
    }
    /* nobody, oneself, one who was here */
    rooms_leave(&world->rooms, BEGIN, members[1], LEAVE_LEFT);
    expect_event(world, ROOM_LEFT, 2, ++seq);
    for (uint32_t to = 1; to < 6; to++)
        if (to != 3)
            assert_int_equal(rooms_say(&world->rooms, members[0], ROOM_CHAT, to, VIEW("x")),
                             ERR_NOT_FOUND);
    expect_quiet(world);
    rooms_tell_media(&world->rooms, members[0]);
    struct room_event media = expect_event(world, ROOM_MEDIA, 1, ++seq);
    assert_false(room_event_reaches(&media, members[0]));
    rooms_tell_hand(&world->rooms, members[0]);
    struct room_event hand = expect_event(world, ROOM_HAND, 1, ++seq);
    assert_true(room_event_reaches(&hand, members[0]) && room_event_reaches(&hand, members[2]));
    end_world(world);
}

/* Says something to all, and keeps it as a front would. */
static void say_and_keep(struct world *world, struct member *from)
{
    struct room_event event;
    struct buffer *buffer;
    assert_int_equal(rooms_say(&world->rooms, from, ROOM_CHAT, 0, VIEW("x")), OK);
    assert_true(rooms_poll(&world->rooms, &event));
    assert_int_equal(buffers_take(world->buffers, 10, &buffer), OK);
    history_add(&event.room->history, &world->rooms.history, event.seq, &event.audience, buffer);
    buffer_give(world->buffers, buffer);
}

/* What all have is not kept, and whoever has left is not waited for. */
static void test_acked(void **state)
{
    struct world *world = make_world(1, 4);
    struct member *mina = come(world, "one", "Mina");
    struct member *jun = come(world, "one", "Jun");
    struct member *sora = come(world, "one", "Sora"); /* 3 */
    struct history *history = &mina->room->history;
    (void)state;
    for (int i = 0; i < 6; i++)
        say_and_keep(world, mina); /* 4 to 9 */
    rooms_acked(&world->rooms, mina, 9);
    rooms_acked(&world->rooms, jun, 7);
    assert_int_equal(history->count, 6);
    rooms_acked(&world->rooms, sora, 5);
    assert_int_equal(history->first->seq, 6);
    rooms_acked(&world->rooms, sora, 4);  /* less than before */
    rooms_acked(&world->rooms, sora, 10); /* more than has been */
    assert_int_equal(sora->acked, 5);
    assert_int_equal(history->first->seq, 6);
    rooms_leave(&world->rooms, BEGIN, sora, LEAVE_LEFT);
    expect_event(world, ROOM_LEFT, 3, 10);
    assert_int_equal(history->first->seq, 8);
    rooms_acked(&world->rooms, jun, 10);
    rooms_acked(&world->rooms, mina, 10);
    assert_null(history->first);
    end_world(world);
}

static void test_sessions(void **state)
{
    struct world *world = make_world(2, 4);
    struct member *mina = come(world, "one", "Mina");
    struct member *jun = come(world, "one", "Jun");
    struct member *sora = come(world, "two", "Sora");
    struct member *found = NULL;
    const struct view one = VIEW("one");
    (void)state;
    assert_memory_not_equal(mina->session, jun->session, SESSION_SIZE);
    assert_memory_not_equal(mina->session, sora->session, SESSION_SIZE);
    for (int i = 0; i < 3; i++)
        say_and_keep(world, mina); /* 3 to 5 */
    for (uint64_t seq = 2; seq <= 5; seq++) {
        found = NULL;
        assert_int_equal(rooms_find_session(&world->rooms, one, jun->session, seq, &found), OK);
        assert_ptr_equal(found, jun);
    }
    found = NULL;
    /* from before its time; from the future; of another room; of no room */
    assert_int_equal(rooms_find_session(&world->rooms, one, jun->session, 1, &found), ERR_LIMIT);
    assert_int_equal(rooms_find_session(&world->rooms, one, jun->session, 6, &found),
                     ERR_NOT_FOUND);
    assert_int_equal(rooms_find_session(&world->rooms, one, sora->session, 2, &found),
                     ERR_NOT_FOUND);
    assert_int_equal(rooms_find_session(&world->rooms, VIEW("no"), jun->session, 2, &found),
                     ERR_NOT_FOUND);
    /* every bit of it counts */
    for (size_t bit = 0; bit < 8 * SESSION_SIZE; bit++) {
        uint8_t session[SESSION_SIZE];
        memcpy(session, jun->session, SESSION_SIZE);
        session[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(rooms_find_session(&world->rooms, one, session, 2, &found), ERR_NOT_FOUND);
    }
    assert_null(found);
    end_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),         cmocka_unit_test(test_join_and_leave),
        cmocka_unit_test(test_away_and_back), cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_room_full),     cmocka_unit_test(test_say),
        cmocka_unit_test(test_acked),         cmocka_unit_test(test_sessions),
    };
    return cmocka_run_group_tests_name("room", tests, NULL, NULL);
}
