/* Why pictures look as they do: `sfu-why` and `sfu-quality`, and the admin's question, in a meeting
 * at two workers. */
#include "house_spread.h"

#define WHY "{'type':'sfu-why'}"

/* The guest shows a picture so long that all workers have been told how it comes in. */
static void show_pictures(unsigned guest)
{
    static uint8_t number;
    for (unsigned i = 0; i < 12; i++) {
        uint32_t timestamp = (uint32_t)(house->now / USEC_MS * 90);
        say_frame_of(guest, ++number, i == 0, timestamp);
        house_wait(house, 400 * USEC_MS);
    }
}

static cJSON *read_json(struct view text)
{
    cJSON *json;
    assert_int_equal(json_read_object(text, &json), OK);
    return json;
}

/* What the guest is told; to be deleted. */
static cJSON *ask(unsigned guest)
{
    hear_all(guests[guest].wire);
    ws_say(guests[guest].wire, WHY);
    house_wait(house, 10 * USEC_MS);
    const char *text = last_told(guest, "sfu-why");
    if (!*text)
        fail_msg("guest %u is not answered", guest);
    return read_json(view_of(text));
}

static cJSON *ask_admin(unsigned guest)
{
    char request[300];
    struct answer answer = { 0 };
    snprintf(request, sizeof request,
             "GET /api/v1/rooms/a/members/m%u/why HTTP/1.1\r\nHost: a\r\nAuthorization: "
             "Bearer " TOKEN "\r\n\r\n",
             guest + 1);
    house_ask(house, request, &answer);
    assert_int_equal(answer.code, 200);
    cJSON *json = read_json(bytes_view(&answer.body));
    answer_free(&answer);
    return json;
}

static const cJSON *at(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!item)
        fail_msg("there is no %s in %s", name, cJSON_PrintUnformatted(object));
    return item;
}

static void has_text(const cJSON *object, const char *name, const char *wanted)
{
    const cJSON *item = at(object, name);
    if (strcmp(item->valuestring, wanted) != 0)
        fail_msg("%s is not %s in %s", name, wanted, cJSON_PrintUnformatted(object));
}

/* The camera that comes from guest 0. */
static const cJSON *picture_of_first(const cJSON *why)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, at(why, "received"))
    {
        if (!strcmp(at(item, "from")->valuestring, "m1"))
            return item;
    }
    fail_msg("nothing is received from m1: %s", cJSON_PrintUnformatted(why));
    return NULL;
}

/* Guest 1 is at the home worker, guest 2 at the other one: all is the same for both. */
static void expect_received(const char *verdict)
{
    for (unsigned guest = 1; guest <= 2; guest++) {
        cJSON *told = ask(guest);
        cJSON *admin = ask_admin(guest);
        const cJSON *both[] = { at(told, "why"), admin };
        for (unsigned i = 0; i < 2; i++) {
            const cJSON *picture = picture_of_first(both[i]);
            has_text(picture, "verdict", verdict);
            has_text(picture, "source", "camera");
            has_text(both[i], "receiving", verdict);
        }
        has_text(admin, "name", guest == 1 ? "b" : "c");
        cJSON_Delete(told);
        cJSON_Delete(admin);
    }
}

static void expect_sending(const char *verdict)
{
    cJSON *admin = ask_admin(0);
    const cJSON *sent = cJSON_GetArrayItem(at(admin, "sent"), 0);
    has_text(sent, "source", "camera");
    has_text(sent, "verdict", verdict);
    has_text(admin, "sending", verdict);
    cJSON_Delete(admin);
}

/* ---- tests ---- */

static void test_nothing(void **state)
{
    (void)state;
    connect_all("AVavavav");
    show_pictures(0);
    for (unsigned guest = 1; guest <= 2; guest++) {
        cJSON *told = ask(guest);
        const cJSON *picture = picture_of_first(at(told, "why"));
        has_text(picture, "verdict", "nothing");
        has_text(picture, "reason", "none");
        const cJSON *publisher = at(picture, "publisher");
        has_text(publisher, "limit", "unknown");
        assert_int_equal(at(publisher, "encodings")->valueint, 1);
        assert_int_equal(at(publisher, "active")->valueint, 1);
        assert_int_equal(at(publisher, "width")->valueint, 320);
        assert_true(at(at(told, "why"), "line") != NULL);
        /* the others have cameras that send nothing */
        has_text(at(told, "why"), "receiving", "silent");
        cJSON_Delete(told);
    }
}

static void test_busy_publisher(void **state)
{
    (void)state;
    connect_all("AVavavav");
    ws_say(guests[0].wire, "{'type':'sfu-quality','limits':{'camera':'cpu'}}");
    show_pictures(0);
    expect_received("sender-cpu");
    expect_sending("sender-cpu");
    /* also when there has just been something else to tell of the room */
    house_wait(house, SEAT_WHY_EACH);
    ws_say(guests[1].wire, "{'type':'media','audio':true}");
    expect_received("sender-cpu");
    ws_say(guests[0].wire, "{'type':'sfu-quality','limits':{'camera':'bandwidth','screen':'cpu'}}");
    show_pictures(0);
    expect_received("uplink");
    expect_sending("uplink");
    /* it is of that connection */
    ws_say(guests[0].wire, "{'type':'sfu-quality','limits':{'camera':'none','screen':'none'}}");
    show_pictures(0);
    expect_sending("nothing");
}

/* A publisher whose peer is at the other worker. */
static void test_far_publisher(void **state)
{
    (void)state;
    connect_all("AVavavav");
    ws_say(guests[3].wire, "{'type':'sfu-quality','limits':{'camera':'cpu'}}");
    show_pictures(3);
    for (unsigned guest = 0; guest < 3; guest++) {
        cJSON *told = ask(guest);
        has_text(at(told, "why"), "receiving", "sender-cpu");
        has_text(at(told, "why"), "sending", "silent");
        cJSON_Delete(told);
    }
    cJSON *told = ask(3);
    has_text(at(told, "why"), "sending", "sender-cpu");
    has_text(at(told, "why"), "verdict", "sender-cpu");
    cJSON_Delete(told);
}

static void test_window(void **state)
{
    (void)state;
    connect_all("AVavavav");
    for (unsigned guest = 1; guest <= 2; guest++)
        ws_say(guests[guest].wire,
               "{'type':'sfu-wish','tiles':[{'mid':'3','width':0,'height':0},{'mid':'5','width':0,"
               "'height':0},{'mid':'7','width':0,'height':0}]}");
    show_pictures(0);
    expect_received("window");
}

static int set_up_last(void **state)
{
    last_n = 1;
    return set_up(state);
}

static int tear_down_last(void **state)
{
    last_n = 0;
    return tear_down(state);
}

/* A room that shows one camera: the others are left out, by its rule. */
static void test_policy(void **state)
{
    (void)state;
    connect_all("AVavavav");
    for (unsigned i = 0; i < 4; i++)
        ws_say(guests[i].wire, "{'type':'media','audio':true,'video':true}");
    show_pictures(0);
    for (unsigned guest = 2; guest <= 3; guest++) {
        unsigned count = 0;
        cJSON *told = ask(guest);
        const cJSON *item;
        cJSON_ArrayForEach(item, at(at(told, "why"), "received"))
        {
            if (strcmp(at(item, "reason")->valuestring, "last-n") != 0)
                continue;
            has_text(item, "verdict", "policy");
            assert_int_equal(at(item, "last_n")->valueint, 1);
            count++;
        }
        assert_int_equal(count, 2);
        has_text(at(told, "why"), "receiving", "policy");
        cJSON_Delete(told);
    }
}

static void test_limits(void **state)
{
    (void)state;
    connect_all("AVavavav");
    cJSON_Delete(ask(1));
    ws_say(guests[1].wire, WHY);
    expect_error(guests[1].wire, "too-often", ",'re':'sfu-why'");
    house_wait(house, SEAT_WHY_EACH);
    cJSON_Delete(ask(1));
    static const char *const BAD[] = {
        "{'type':'sfu-quality'}",
        "{'type':'sfu-quality','limits':'cpu'}",
        "{'type':'sfu-quality','limits':{'camera':1}}",
        "{'type':'sfu-quality','limits':{'camera':'CPU'}}",
        "{'type':'sfu-quality','limits':{'camera':'cpu','screen':''}}",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        ws_say(guests[1].wire, BAD[i]);
        expect_error(guests[1].wire, "bad-message", ",'re':'sfu-quality'");
    }
    ws_say(guests[1].wire, "{'type':'sfu-quality','limits':{'camera':'cpu'}}");
    ws_say(guests[1].wire, "{'type':'sfu-quality','limits':{'camera':'cpu'}}"); /* is no news */
    expect_nothing(guests[1].wire);
    ws_say(guests[1].wire, "{'type':'sfu-quality','limits':{'camera':'none'}}");
    expect_error(guests[1].wire, "too-often", ",'re':'sfu-quality'");
    ws_say(guests[1].wire, "{'type':'sfu-close'}");
    hear_all(guests[1].wire);
    ws_say(guests[1].wire, WHY);
    expect_error(guests[1].wire, "no-sfu", ",'re':'sfu-why'");
    ws_say(guests[1].wire, "{'type':'sfu-quality','limits':{}}");
    expect_error(guests[1].wire, "no-sfu", ",'re':'sfu-quality'");
    cJSON *admin = ask_admin(1); /* who has no connection has nothing that looks bad */
    has_text(admin, "verdict", "nothing");
    cJSON_Delete(admin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing),
        TEST(test_busy_publisher),
        TEST(test_far_publisher),
        TEST(test_window),
        cmocka_unit_test_setup_teardown(test_policy, set_up_last, tear_down_last),
        TEST(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
