/* test_settings_behavior.c - turn.behavior_discovery and the addresses that it needs, and rooms. */
#include "support.h"

#include "shell/settings.h"

#define NAME "a"

static int read_text(const char *yaml, struct settings *settings, char error[SETTINGS_ERROR_MAX])
{
    settings_default(settings);
    return settings_read_text(view_of(yaml), NAME, settings, error);
}

static void read_yaml(const char *yaml, struct settings *settings)
{
    char error[SETTINGS_ERROR_MAX] = "";
    int status = read_text(yaml, settings, error);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
}

static void refuse_yaml(const char *yaml, const char *wanted)
{
    struct settings settings;
    char error[SETTINGS_ERROR_MAX] = "";
    assert_int_equal(read_text(yaml, &settings, error), ERR_CONFIG);
    assert_string_equal(error, wanted);
}

#define BEHAVIOR                                                                                   \
    NAME ":1: turn.behavior_discovery: turn.listen needs two addresses of this machine, each "     \
         "with the same two ports"

static void test_behavior_discovery(void **state)
{
    static const char *const LISTS[] = {
        "0.0.0.0:1, 0.0.0.0:2",
        "1.2.3.4:1, 1.2.3.4:2",
        "1.2.3.4:1, 1.2.3.4:2, 1.2.3.5:1",
        "1.2.3.4:1, 1.2.3.4:2, 1.2.3.5:1, 1.2.3.5:3",
        "1.2.3.4:1, 1.2.3.4:2, 0.0.0.0:1, 0.0.0.0:2",
        "1.2.3.4:1, 1.2.3.4:2, '[fd00::1]:1', '[fd00::1]:2'",
    };
    struct settings settings;
    struct stun_behavior behavior;
    char yaml[256];
    (void)state;
    for (size_t i = 0; i < sizeof(LISTS) / sizeof(LISTS[0]); i++) {
        snprintf(yaml, sizeof(yaml), "turn: {behavior_discovery: true, listen: [%s]}", LISTS[i]);
        refuse_yaml(yaml, BEHAVIOR);
    }
    refuse_yaml("turn: {behavior_discovery: 1}",
                NAME ":1: turn.behavior_discovery: \"1\" is not one of true, false");
    read_yaml("turn: {behavior_discovery: false, listen: []}", &settings);
    assert_false(settings.turn.behavior_discovery);
    read_yaml("turn: {behavior_discovery: true, listen: ['9.9.9.9:1', '1.2.3.5:2', '1.2.3.4:1', "
              "'1.2.3.5:1', '1.2.3.4:2']}",
              &settings);
    assert_true(settings.turn.behavior_discovery);
    assert_true(settings_find_behavior(&settings, &behavior));
    assert_true(address_equal(&behavior.primary, &settings.turn_listen.items[1]));
    assert_true(address_equal(&behavior.alternate, &settings.turn_listen.items[2]));
}

static void test_rooms(void **state)
{
    static const char *const WISHES[] = { "auto", "mesh", "sfu" };
    struct settings settings;
    char yaml[64];
    (void)state;
    read_yaml("rooms:", &settings);
    assert_int_equal(settings.topology, TOPOLOGY_AUTO);
    assert_int_equal(settings.room_members, 50);
    assert_int_equal(settings.room_spread_from, 24);
    read_yaml("rooms: {spread_from: 2}", &settings);
    assert_int_equal(settings.room_spread_from, 2);
    refuse_yaml("rooms: {spread_from: 0}",
                NAME ":1: rooms.spread_from: \"0\" is not a number from 1 to 100");
    assert_int_equal(settings.room_last_n, 0);
    assert_int_equal(settings.room_loudest_n, 0);
    read_yaml("rooms: {last_n: 5, loudest_n: 100}", &settings);
    assert_int_equal(settings.room_last_n, 5);
    assert_int_equal(settings.room_loudest_n, 100);
    refuse_yaml("rooms: {last_n: 101}",
                NAME ":1: rooms.last_n: \"101\" is not a number from 0 to 100");
    assert_int_equal(settings.room_camera, CAMERA_SIMULCAST);
    read_yaml("rooms: {camera: vp9-svc}", &settings);
    assert_int_equal(settings.room_camera, CAMERA_VP9_SVC);
    read_yaml("rooms: {camera: av1-svc}", &settings);
    assert_int_equal(settings.room_camera, CAMERA_AV1_SVC);
    refuse_yaml("rooms: {camera: vp8}",
                NAME ":1: rooms.camera: \"vp8\" is not one of simulcast, vp9-svc, av1-svc");
    for (unsigned i = 0; i < 3; i++) {
        snprintf(yaml, sizeof yaml, "rooms: {topology: %s, members: 100}", WISHES[i]);
        read_yaml(yaml, &settings);
        assert_int_equal(settings.topology, i);
        assert_int_equal(settings.room_members, 100);
    }
    refuse_yaml("rooms: {topology: star}",
                NAME ":1: rooms.topology: \"star\" is not one of auto, mesh, sfu");
    refuse_yaml("rooms: {members: 101}",
                NAME ":1: rooms.members: \"101\" is not a number from 3 to 100");
    refuse_yaml("rooms: {members: 2}",
                NAME ":1: rooms.members: \"2\" is not a number from 3 to 100");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_behavior_discovery),
                                        cmocka_unit_test(test_rooms) };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
