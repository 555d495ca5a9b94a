/* test_engine_scarce.c - Engine.IO and Socket.IO where memory for messages runs out: whatever does
 * not fit ends what it belongs to, and nothing is left behind. */
#include "house_engine.h"

#define V4   "/socket.io/?EIO=4"
#define NEXT "\x1e"

/* The sid in what came on a wire; false: there is none. */
static bool find_sid(const struct wire *wire, char sid[SID_SIZE + 1])
{
    struct view got = bytes_view(&wire->got);
    size_t at = view_find(got, VIEW("\"sid\":\"")) + 7;
    if (at + SID_SIZE > got.size)
        return false;
    memcpy(sid, got.at + at, SID_SIZE);
    sid[SID_SIZE] = 0;
    return true;
}

static void post(struct wire *wire, const char *sid, const char *body)
{
    char request[3000];
    snprintf(request, sizeof request,
             "POST " V4 "&transport=polling&sid=%s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n"
             "\r\n%s",
             sid, strlen(body), body);
    if (!wire_is_closed(wire))
        wire_write(wire, request);
}

static void say(struct wire *wire, const char *text)
{
    if (!wire_is_closed(wire))
        socket_say(wire, text);
}

static void poll_and_upgrade(struct house *house)
{
    char query[100];
    char sid[SID_SIZE + 1];
    char event[2200];
    struct wire *get = house_connect(house);
    struct wire *posts = house_connect(house);
    struct wire *socket = house_connect(house);
    snprintf(event, sizeof event, "42[\"message\",\"%02000d\"]" NEXT "42[\"message\"]", 0);
    write_get(get, V4, "&transport=polling");
    if (!find_sid(get, sid))
        return;
    snprintf(query, sizeof query, "&transport=polling&sid=%s", sid);
    if (!wire_is_closed(get))
        write_get(get, V4, query);
    post(posts, sid, "40");
    post(posts, sid, event);
    house_wait(house, SOON);
    post(posts, sid, "451-[\"message\",{\"_placeholder\":true,\"num\":0}]" NEXT "bAQID");
    if (!wire_is_closed(get))
        write_get(get, V4, query);
    snprintf(query, sizeof query, "&transport=websocket&sid=%s", sid);
    if (!wire_is_closed(socket))
        write_upgrade(socket, V4, query);
    say(socket, "2probe");
    post(posts, sid, event);
    say(socket, "5");
    say(socket, "42[\"message-with-ack\"]");
    say(socket, "451-[\"message\",{\"_placeholder\":true,\"num\":0}]");
    if (!wire_is_closed(socket))
        socket_say_bytes(socket, VIEW("abc"));
    say(socket, "42[\"bye\"]");
    house_wait(house, INTERVAL);
}

static void test_every_budget(void **state)
{
    (void)state;
    for (size_t budget = 4096; budget <= 400 * 1024; budget += 4096) {
        struct house *house =
            house_build(&(struct wishes){ .endpoints = &ENGINES, .buffer_bytes = budget });
        struct wire *other = house_connect(house);
        write_upgrade(other, V4, "&transport=websocket");
        say(other, "40");
        say(other, "40/custom,");
        poll_and_upgrade(house);
        poll_and_upgrade(house);
        house_close(house);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
