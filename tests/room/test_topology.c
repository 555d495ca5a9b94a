/* How the media of a room flows, as members come and go. */
#include "room/room.h"

#include "support.h"

#define BEGIN      (1000 * USEC_S)
#define MESH       TOPOLOGY_BIT(TOPOLOGY_MESH)
#define SFU        TOPOLOGY_BIT(TOPOLOGY_SFU)
#define BOTH       (MESH | SFU)
#define SFU_MAX    20
#define TIMER_KIND 9

struct world {
    struct rooms rooms;
    struct wheel wheel;
    struct metrics metrics;
    struct buffers *buffers;
    struct member *members[ROOM_MEMBERS_MAX]; /* in the order in which they came */
    uint32_t count;
    uint64_t seed;
    bool room_full;
    enum topology told; /* last, since it was asked last */
};

static struct world *make_world(enum topology_wish wish, bool has_sfu)
{
    struct world *world = aligned_alloc(64, (sizeof *world + 63) / 64 * 64);
    assert_non_null(world);
    memset(world, 0, sizeof *world);
    world->told = TOPOLOGY_NONE;
    wheel_init(&world->wheel, BEGIN);
    assert_int_equal(buffers_new(1024 * 1024, &world->buffers), OK);
    struct rooms_config config = {
        .rooms_max = 1,
        .members_max = ROOM_MEMBERS_MAX,
        .history_entries_max = 64,
        .history_bytes_max = 1024 * 1024,
        .buffers = world->buffers,
        .wheel = &world->wheel,
        .topology_timer_kind = TIMER_KIND,
        .random = { test_random_fill, &world->seed },
        .metrics = &world->metrics,
        .topology = { .wish = (uint8_t)wish, .has_sfu = has_sfu, .sfu_members_max = SFU_MAX },
    };
    assert_int_equal(rooms_init(&world->rooms, &config), OK);
    return world;
}

/* `newcomer` is not told what its welcome says; all others are. */
static void drain(struct world *world, const struct member *newcomer)
{
    struct room_event event;
    while (rooms_poll(&world->rooms, &event)) {
        if (event.kind != ROOM_TOPOLOGY)
            continue;
        world->told = (enum topology)event.room->topology;
        for (uint32_t i = 0; i < world->count; i++)
            assert_int_equal(room_event_reaches(&event, world->members[i]),
                             world->members[i] != newcomer);
    }
}

static int join(struct world *world, uint8_t topologies)
{
    char name[16];
    snprintf(name, sizeof name, "guest %u", (unsigned)world->rooms.member_pool.touched + 1);
    struct join one = {
        .room = VIEW("room"), .name = view_of(name), .topologies = topologies, .link = world
    };
    int status =
        rooms_join(&world->rooms, BEGIN, &one, &world->members[world->count], &world->room_full);
    world->count += status == OK;
    drain(world, status == OK ? world->members[world->count - 1] : NULL);
    return status;
}

static void leave(struct world *world, usec now)
{
    rooms_leave(&world->rooms, now, world->members[--world->count], LEAVE_LEFT);
    drain(world, NULL);
}

static void end_world(struct world *world)
{
    while (world->count)
        leave(world, BEGIN);
    assert_null(wheel_expired(&world->wheel, BEGIN + 3600 * USEC_S)); /* no timer is left */
    rooms_free(&world->rooms);
    buffers_free(world->buffers);
    free(world);
}

/* The topology that was told last since it was asked last; TOPOLOGY_NONE: none was. */
static enum topology told(struct world *world)
{
    enum topology topology = world->told;
    world->told = TOPOLOGY_NONE;
    return topology;
}

static void expect(struct world *world, enum topology topology)
{
    assert_int_equal(world->members[0]->room->topology, topology);
}

/* The room's timer expires at that time, or else nothing does. */
static bool wait_until(struct world *world, usec now)
{
    struct timer *timer = wheel_expired(&world->wheel, now);
    if (!timer)
        return false;
    assert_int_equal(timer->kind, TIMER_KIND);
    rooms_topology_expired(&world->rooms, timer);
    drain(world, NULL);
    return true;
}

static void test_third(void **state)
{
    struct world *world = make_world(TOPOLOGY_AUTO, true);
    (void)state;
    assert_int_equal(join(world, BOTH), OK);
    assert_int_equal(join(world, BOTH), OK);
    expect(world, TOPOLOGY_MESH);
    assert_int_equal(told(world), TOPOLOGY_NONE);
    assert_int_equal(join(world, BOTH), OK);
    assert_int_equal(told(world), TOPOLOGY_SFU);
    expect(world, TOPOLOGY_SFU);
    end_world(world);
}

static void test_back_after_a_rest(void **state)
{
    struct world *world = make_world(TOPOLOGY_AUTO, true);
    (void)state;
    for (int i = 0; i < 3; i++)
        join(world, BOTH);
    told(world);
    leave(world, BEGIN);
    assert_int_equal(told(world), TOPOLOGY_NONE);
    expect(world, TOPOLOGY_SFU);
    assert_false(wait_until(world, BEGIN + TOPOLOGY_REST - USEC_S));
    leave(world, BEGIN + TOPOLOGY_REST - USEC_S); /* that is no reason to wait longer */
    told(world);
    assert_true(wait_until(world, BEGIN + TOPOLOGY_REST + 2000));
    assert_int_equal(told(world), TOPOLOGY_MESH);
    expect(world, TOPOLOGY_MESH);
    end_world(world);
}

static void test_no_flapping(void **state)
{
    struct world *world = make_world(TOPOLOGY_AUTO, true);
    (void)state;
    for (int i = 0; i < 3; i++)
        join(world, BOTH);
    told(world);
    leave(world, BEGIN);
    join(world, BOTH);
    assert_int_equal(told(world), TOPOLOGY_NONE);
    assert_false(wait_until(world, BEGIN + 60 * USEC_S));
    expect(world, TOPOLOGY_SFU);
    end_world(world);
}

static void test_one_who_can_not(void **state)
{
    struct world *world = make_world(TOPOLOGY_AUTO, true);
    (void)state;
    for (int i = 0; i < 3; i++)
        join(world, BOTH);
    assert_int_equal(told(world), TOPOLOGY_SFU);
    assert_int_equal(join(world, 0), OK); /* says nothing: knows the mesh */
    assert_int_equal(told(world), TOPOLOGY_MESH);
    leave(world, BEGIN);
    assert_int_equal(told(world), TOPOLOGY_SFU);
    end_world(world);
}

static void test_limits(void **state)
{
    struct world *world = make_world(TOPOLOGY_AUTO, true);
    (void)state;
    for (int i = 0; i < TOPOLOGY_MESH_MAX; i++)
        assert_int_equal(join(world, BOTH), OK);
    assert_int_equal(join(world, BOTH), OK);
    assert_int_equal(join(world, MESH), ERR_LIMIT); /* it would be too many for a mesh */
    assert_true(world->room_full);
    while (world->count < SFU_MAX)
        assert_int_equal(join(world, BOTH), OK);
    assert_int_equal(join(world, BOTH), ERR_LIMIT);
    assert_true(world->room_full);
    told(world);
    end_world(world);
}

static void test_nothing_in_common(void **state)
{
    struct world *world = make_world(TOPOLOGY_AUTO, true);
    (void)state;
    assert_int_equal(join(world, SFU), OK);
    expect(world, TOPOLOGY_SFU);
    assert_int_equal(join(world, MESH), ERR_UNSUPPORTED);
    assert_false(world->room_full);
    assert_int_equal(join(world, BOTH), OK);
    assert_int_equal(told(world), TOPOLOGY_NONE);
    assert_false(wait_until(world, BEGIN + 60 * USEC_S)); /* the pair can't but stay */
    end_world(world);
}

static void test_wishes(void **state)
{
    struct world *world = make_world(TOPOLOGY_ALWAYS_MESH, true);
    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(join(world, BOTH), OK);
    assert_int_equal(told(world), TOPOLOGY_NONE);
    expect(world, TOPOLOGY_MESH);
    assert_int_equal(join(world, SFU), ERR_UNSUPPORTED);
    end_world(world);

    world = make_world(TOPOLOGY_ALWAYS_SFU, true);
    assert_int_equal(join(world, BOTH), OK);
    expect(world, TOPOLOGY_SFU);
    assert_int_equal(join(world, MESH), ERR_UNSUPPORTED);
    end_world(world);

    world = make_world(TOPOLOGY_ALWAYS_SFU, false); /* nothing is forwarded here */
    for (int i = 0; i < TOPOLOGY_MESH_MAX; i++)
        assert_int_equal(join(world, BOTH), OK);
    assert_int_equal(told(world), TOPOLOGY_NONE);
    assert_int_equal(join(world, BOTH), ERR_LIMIT);
    end_world(world);
}

static void test_seats(void **state)
{
    struct world *world = make_world(TOPOLOGY_AUTO, true);
    int seat;
    (void)state;
    join(world, BOTH);
    told(world);
    world->members[0]->seat = &seat;
    leave(world, BEGIN); /* the room ends with it, and there is no event */
    assert_ptr_equal(rooms_poll_seat(&world->rooms), &seat);
    assert_null(rooms_poll_seat(&world->rooms));
    end_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_third),

        cmocka_unit_test(test_back_after_a_rest),
        cmocka_unit_test(test_no_flapping),
        cmocka_unit_test(test_one_who_can_not),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_nothing_in_common),
        cmocka_unit_test(test_wishes),
        cmocka_unit_test(test_seats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
