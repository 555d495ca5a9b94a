/* The meeting protocol's `sfu-wish` and `sfu-state`: how slots are shown, and what they get. */
#include "house_sfu.h"

static struct house *house;
static struct guest guests[3]; /* m1, m2, m3 */

/* Three guests with cameras, who have two slots of each kind: "3" and "5" bear pictures. */
static int set_up(void **state)
{
    (void)state;
    house = sfu_house((struct wishes){ 0 }, 4);
    for (unsigned i = 0; i < 3; i++)
        guests[i] = sfu_guest(house, (const char[]){ (char)('a' + i), 0 });
    for (unsigned i = 0; i < 3; i++) {
        hear_all(guests[i].wire);
        say_offer(guests[i].wire, "AVavav", "'new':true," BOTH_SOURCES);
    }
    for (unsigned i = 0; i < 3; i++)
        hear_all(guests[i].wire);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sfu_house_close(house);
    return 0;
}

/* The first guest's. */
static struct peer *peer(void)
{
    const struct list *all = &house->servers[0]->sfu->all;
    for (const struct list *node = all->next; node != all; node = node->next) {
        struct peer *at = LIST_ENTRY(node, struct peer, of_sfu);
        const struct seat *seat = at->owner;
        if (seat->number == 1)
            return at;
    }
    fail();
    return NULL;
}

static struct transceiver *slot(const char *mid)
{
    struct transceiver *found = peer_find_mid(peer(), view_of(mid));
    assert_non_null(found);
    return found;
}

static void assert_wish(const char *mid, uint16_t width, uint16_t height, uint8_t priority)
{
    const struct transceiver_wish *wish = &slot(mid)->wish;
    assert_int_equal(wish->width, width);
    assert_int_equal(wish->height, height);
    assert_int_equal(wish->priority, priority);
}

#define WISH(tiles) "{'type':'sfu-wish','tiles':[" tiles "]}"

static void test_wishes(void **state)
{
    (void)state;
    assert_wish("3", ALLOCATION_ANY_SIZE, ALLOCATION_ANY_SIZE, 0);
    ws_say(guests[0].wire, WISH("{'mid':'3','width':320,'height':180,'priority':2},"
                                "{'mid':'5','width':0,'height':0}"));
    assert_wish("3", 320, 180, 2);
    assert_wish("5", 0, 0, 0);
    ws_say(guests[0].wire, WISH("{'mid':'5','width':9007199254740991,'height':1}"));
    assert_wish("3", 320, 180, 2); /* what is not named stays */
    assert_wish("5", ALLOCATION_ANY_SIZE, 1, 0);
    ws_say(guests[0].wire, WISH("{'mid':'5'}"));
    assert_wish("5", ALLOCATION_ANY_SIZE, ALLOCATION_ANY_SIZE, 0);
    ws_say(guests[0].wire, WISH(""));
    /* what is no slot of pictures is let be */
    ws_say(guests[0].wire, WISH("{'mid':'77','width':1},{'mid':'1','width':1},"
                                "{'mid':'2','width':1}"));
    assert_wish("1", ALLOCATION_ANY_SIZE, ALLOCATION_ANY_SIZE, 0);
    assert_wish("2", ALLOCATION_ANY_SIZE, ALLOCATION_ANY_SIZE, 0);
    expect_nothing(guests[0].wire);
}

/* Four are pinned at most: a room's last-N would be none otherwise. */
static void test_pins(void **state)
{
    (void)state;
    say_offer(guests[0].wire, "AVaaavvvvv", "'new':true," BOTH_SOURCES);
    hear_all(guests[0].wire);
    ws_say(guests[0].wire, WISH("{'mid':'5','priority':2},{'mid':'6','priority':2},"
                                "{'mid':'7','priority':2},{'mid':'8','priority':2},"
                                "{'mid':'9','priority':2}"));
    assert_wish("8", ALLOCATION_ANY_SIZE, ALLOCATION_ANY_SIZE, TRANSCEIVER_PINNED);
    assert_wish("9", ALLOCATION_ANY_SIZE, ALLOCATION_ANY_SIZE, 1);
    /* one may be said again, and one takes another's place */
    ws_say(guests[0].wire, WISH("{'mid':'5','priority':2},{'mid':'9','priority':2},{'mid':'6'}"));
    assert_wish("5", ALLOCATION_ANY_SIZE, ALLOCATION_ANY_SIZE, TRANSCEIVER_PINNED);
    assert_wish("6", ALLOCATION_ANY_SIZE, ALLOCATION_ANY_SIZE, 0);
    assert_wish("9", ALLOCATION_ANY_SIZE, ALLOCATION_ANY_SIZE, TRANSCEIVER_PINNED);
    /* who speaks alone is not shown for that */
    struct transceiver_wish wish = { .is_left_out = true, .priority = 1 };
    assert_true(transceiver_is_left_out(&wish));
    wish.priority = TRANSCEIVER_PINNED;
    assert_false(transceiver_is_left_out(&wish));
}

static void test_bad_wishes(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "{'type':'sfu-wish'}",
        "{'type':'sfu-wish','tiles':{}}",
        "{'type':'sfu-wish','tiles':7}",
        WISH("7"),
        WISH("{'width':1}"),
        WISH("{'mid':''}"),
        WISH("{'mid':'12345678901234567'}"),
        WISH("{'mid':'3','width':-1}"),
        WISH("{'mid':'3','height':1.5}"),
        WISH("{'mid':'3','height':'1'}"),
        WISH("{'mid':'3','priority':3}"),
        WISH("{'mid':'3','width':1},{'mid':'3','priority':true}"),
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        ws_say(guests[0].wire, BAD[i]);
        expect_error(guests[0].wire, "bad-message", ",'re':'sfu-wish'");
    }
    char text[1200] = "{'type':'sfu-wish','tiles':[{'mid':'3'}";
    for (unsigned i = 0; i < SEAT_VIDEO_MAX; i++)
        strcat(text, ",{'mid':'3','width':1}");
    ws_say(guests[0].wire, strcat(text, "]}"));
    expect_error(guests[0].wire, "bad-message", ",'re':'sfu-wish'");
    assert_wish("3", ALLOCATION_ANY_SIZE, ALLOCATION_ANY_SIZE, 0);
    ws_say(guests[0].wire, "{'type':'sfu-close'}");
    hear_all(guests[0].wire);
    ws_say(guests[0].wire, WISH("{'mid':'3'}"));
    expect_error(guests[0].wire, "no-sfu", ",'re':'sfu-wish'");
}

/* What was said of a slot was said of what it bore. */
static void test_another_track(void **state)
{
    (void)state;
    ws_say(guests[0].wire, WISH("{'mid':'3','width':0,'height':0},{'mid':'5','width':9}"));
    ws_say(guests[1].wire, "{'type':'sfu-close'}");
    hear_all(guests[1].wire);
    say_offer(guests[1].wire, "AVavav", "'new':true," BOTH_SOURCES);
    assert_wish("3", ALLOCATION_ANY_SIZE, ALLOCATION_ANY_SIZE, 0);
    assert_wish("5", 9, ALLOCATION_ANY_SIZE, 0);
}

/* ---- what it gets ---- */

static void share(const char *mid, uint8_t reason, bool is_held_back, struct layer layer)
{
    slot(mid)->share = (struct transceiver_share){ .reason = reason,
                                                   .is_held_back = is_held_back,
                                                   .layer = layer };
}

static void changed(void)
{
    const struct media_owner *owner = peer()->owner;
    owner->shared(house->servers[0], house->now, peer());
    house_wait(house, USEC_MS);
}

static void test_states(void **state)
{
    (void)state;
    changed();
    expect_nothing(guests[0].wire); /* all is as good as can be */
    share("3", ALLOCATION_BANDWIDTH, false,
          (struct layer){ .width = 640, .height = 360, .fps = 15 });
    share("5", ALLOCATION_BANDWIDTH, true, (struct layer){ .width = 640, .height = 360 });
    share("2", ALLOCATION_LAST_N, true, (struct layer){ .width = 0 });
    changed();
    expect_past_pings(guests[0].wire,
                      "{'type':'sfu-state','tracks':["
                      "{'mid':'3','reason':'bandwidth','on':true,'width':640,'height':360,"
                      "'fps':15},{'mid':'5','reason':'bandwidth','on':false}]}");
    changed();
    expect_nothing(guests[0].wire); /* it knows */
    share("3", ALLOCATION_FULL, false, (struct layer){ .width = 0 });
    share("5", ALLOCATION_HIDDEN, true, (struct layer){ .width = 0 });
    changed();
    expect_past_pings(guests[0].wire, "{'type':'sfu-state','tracks':["
                                      "{'mid':'5','reason':'hidden','on':false}]}");
    share("5", ALLOCATION_SILENT, false, (struct layer){ .width = 0 });
    changed();
    expect_past_pings(guests[0].wire, "{'type':'sfu-state','tracks':[]}");
    expect_nothing(guests[1].wire);
}

/* Who was away is told again: it may have missed it. */
static void test_back(void **state)
{
    (void)state;
    struct frame frame;
    struct wire *wire = house_ws(house);
    wire_drop(guests[0].wire);
    share("5", ALLOCATION_WINDOW, false, (struct layer){ .fps = 30 });
    changed();
    say_resume(wire, "a", guests[0].session, guests[0].seq);
    do
        hear_past_pings(wire, &frame);
    while (!strstr(frame.payload, "sfu-state"));
    assert_string_equal(frame.payload, "{\"type\":\"sfu-state\",\"tracks\":[{\"mid\":\"5\","
                                       "\"reason\":\"window\",\"on\":true,\"fps\":30}]}");
}

#define WITH_HOUSE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_HOUSE(test_wishes),        WITH_HOUSE(test_pins),   WITH_HOUSE(test_bad_wishes),
        WITH_HOUSE(test_another_track), WITH_HOUSE(test_states), WITH_HOUSE(test_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
