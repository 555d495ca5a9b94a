/* The meeting protocol's `sfu-wanted`: what nobody has use for of that which members publish, in a
 * room whose members' media is at two workers. */
#include "house_spread.h"

#define NOTHING "{\"type\":\"sfu-wanted\",\"tracks\":[{\"mid\":\"1\",\"on\":false}]}"
#define ALL     "{\"type\":\"sfu-wanted\",\"tracks\":[]}"

static void hide_all(unsigned guest)
{
    ws_say(guests[guest].wire, "{'type':'sfu-wish','tiles':[{'mid':'3','width':0,'height':0},"
                               "{'mid':'5','width':0,'height':0},"
                               "{'mid':'7','width':0,'height':0}]}");
    run();
}

static void wait_for_less(void)
{
    house_wait(house, WANTED_PATIENCE + 1 * USEC_S);
    run();
}

/* Who is at the same worker, or at another one, is heard alike. */
static void test_nobody_looks(void **state)
{
    (void)state;
    connect_all("AVavavav");
    wait_for_less();
    for (unsigned i = 0; i < 4; i++)
        assert_string_equal(last_told(i, "sfu-wanted"), ""); /* all are wanted */
    for (unsigned i = 0; i < 3; i++)
        hide_all(i);
    wait_for_less();
    for (unsigned i = 0; i < 4; i++) /* but by the last of them, who can't see itself */
        assert_string_equal(last_told(i, "sfu-wanted"), i == 3 ? NOTHING : "");
    hide_all(3);
    wait_for_less();
    for (unsigned i = 0; i < 4; i++)
        assert_string_equal(last_told(i, "sfu-wanted"), i == 3 ? "" : NOTHING);
    for (unsigned i = 0; i < 4; i += 3) { /* one of each worker */
        ws_say(guests[i].wire, "{'type':'sfu-wish','tiles':[{'mid':'3','width':9,'height':9}]}");
        run();
        house_wait(house, 10 * USEC_MS); /* at once */
        assert_string_equal(last_told(3 - i, "sfu-wanted"), i == 3 ? ALL : "");
        assert_string_equal(last_told(1, "sfu-wanted"), i == 0 ? ALL : "");
    }
    hear_all(guests[2].wire);
    ws_say(guests[1].wire, "{'type':'leave'}");
    wait_for_less();
    assert_string_equal(last_told(2, "sfu-wanted"), "");
    assert_string_equal(last_told(0, "sfu-wanted"), "");
}

/* Whom nobody receives is told so when its connection is there. */
static void test_alone(void **state)
{
    (void)state;
    offer(0, "AV");
    wait_for_less();
    assert_string_equal(last_told(0, "sfu-wanted"), "");
    assert_int_equal(connect_guest(0, "AV"), home);
    wait_for_less();
    assert_string_equal(last_told(0, "sfu-wanted"), NOTHING);
}

static void test_encodings(void **state)
{
    (void)state;
    static const char *const RIDS[] = { "m", "h" };
    connect_all("AVavavav");
    for (unsigned i = 0; i < 4; i += 3) {
        unsigned worker;
        const struct seat *seat = seat_of(i, &worker);
        struct track *track = seat->tracks[SEAT_CAMERA];
        struct encoding *encoding = track->encodings[0];
        encoding->rid_size = 1;
        encoding->rid[0] = 'l';
        for (unsigned k = 0; k < 2; k++)
            assert_int_equal(track_add_encoding(track, 1 + k, 0, view_of(RIDS[k]), &encoding), OK);
        track->wanted.told = 3;
        seat_wanted(house->servers[worker], house->now, seat->peer);
        house_wait(house, USEC_MS);
        assert_string_equal(last_told(i, "sfu-wanted"),
                            "{\"type\":\"sfu-wanted\",\"tracks\":["
                            "{\"mid\":\"1\",\"on\":true,\"off\":[\"h\"]}]}");
        seat_wanted(house->servers[worker], house->now, seat->peer);
        house_wait(house, USEC_MS);
        assert_string_equal(last_told(i, "sfu-wanted"), ""); /* it knows */
        track->wanted.told = 0;
        seat_wanted(house->servers[worker], house->now, seat->peer);
        house_wait(house, USEC_MS);
        assert_string_equal(last_told(i, "sfu-wanted"), NOTHING);
    }
}

/* Who was away is told again: it may have missed it. */
static void test_back(void **state)
{
    (void)state;
    connect_all("AVavavav");
    wire_drop(guests[3].wire);
    for (unsigned i = 0; i < 3; i++)
        hide_all(i);
    wait_for_less();
    guests[3].wire = house_ws(house);
    say_resume(guests[3].wire, "a", guests[3].session, guests[3].seq);
    run();
    house_wait(house, USEC_MS);
    assert_string_equal(last_told(3, "sfu-wanted"), NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nobody_looks),
        TEST(test_alone),
        TEST(test_encodings),
        TEST(test_back),
    };
    return cmocka_run_group_tests_name("meet_wanted", tests, NULL, NULL);
}
