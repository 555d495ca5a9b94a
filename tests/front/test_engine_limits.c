/* test_engine_limits.c - what a client of Engine.IO may not do, and what other origins may. */
#include "house_engine.h"

#define V4     "/engine.io/?EIO=4"
#define STRICT "/strict/?EIO=4"
#define NEXT   "\x1e"

static void ask_from(struct house *house, const char *method, const char *path, const char *origin,
                     struct answer *answer)
{
    char request[600];
    snprintf(request, sizeof request,
             "%s %s&transport=polling HTTP/1.1\r\nHost: a\r\nOrigin: %s\r\n"
             "Access-Control-Request-Headers: x-one, x-two\r\n\r\n",
             method, path, origin);
    house_ask(house, request, answer);
}

static void test_origins(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct answer answer = { 0 };
    ask_from(house, "GET", V4, "https://any.example", &answer);
    assert_int_equal(answer.code, 200);
    assert_header(&answer, "Access-Control-Allow-Origin", "https://any.example");
    assert_header(&answer, "Access-Control-Allow-Credentials", "true");
    assert_header(&answer, "Vary", "Origin");
    ask_from(house, "OPTIONS", V4, "https://any.example", &answer);
    assert_int_equal(answer.code, 204);
    assert_header(&answer, "Access-Control-Allow-Origin", "https://any.example");
    assert_header(&answer, "Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    assert_header(&answer, "Access-Control-Allow-Headers", "x-one, x-two");
    ask_from(house, "GET", STRICT, "https://good.example", &answer);
    assert_int_equal(answer.code, 200);
    ask_from(house, "GET", STRICT, "https://bad.example", &answer);
    assert_int_equal(answer.code, 403);
    assert_header(&answer, "Access-Control-Allow-Origin", "");
    answer_free(&answer);
    house_close(house);
}

static void test_too_many_sessions(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller one = poller_open(house, STRICT);
    struct poller two = poller_open(house, STRICT);
    assert_true(strncmp(get_text(house, STRICT, "&transport=polling"), "503", 3) == 0);
    struct wire *wire = house_connect(house);
    write_upgrade(wire, STRICT, "&transport=websocket");
    assert_true(strncmp(got_text(wire), "503", 3) == 0);
    assert_string_equal(poller_post(&one, "1"), "200 ok");
    one = poller_open(house, STRICT);
    assert_string_equal(poller_post(&one, "4a"), "200 ok");
    assert_string_equal(poller_post(&two, "4b"), "200 ok");
    assert_string_equal(poller_poll(&two), "200 4b");
    house_close(house);
}

/* A body of more than maxPayload is refused, and the session goes on. */
static void test_long_post(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, STRICT);
    char body[1002] = "4";
    memset(body + 1, 'a', 1000);
    assert_true(strncmp(poller_post(&poller, body), "413", 3) == 0);
    body[1000] = 0;
    assert_string_equal(poller_post(&poller, body), "200 ok");
    assert_string_equal(poller_poll(&poller) + 4, body);
    house_close(house);
}

static void test_long_frame(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct wire *wire = socket_open(house, STRICT);
    char frame[1002] = "4";
    memset(frame + 1, 'a', 999);
    socket_say(wire, frame);
    socket_expect(wire, frame);
    frame[1000] = 'a';
    socket_say(wire, frame);
    socket_expect_closed(wire);
    house_close(house);
}

/* One who never polls has a queue of so much, and is closed when it is full. */
static void test_slow_poller(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, STRICT);
    char body[900] = "4";
    memset(body + 1, 'a', 898);
    assert_string_equal(poller_post(&poller, body), "200 ok");
    assert_string_equal(poller_post(&poller, body), "200 ok");
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 1);
    assert_string_equal(poller_post(&poller, body), "200 ok");
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 0);
    assert_int_equal(house_metric(house, METRIC_CLOSED_SLOW), 1);
    /* what was there before still waits, with the end behind it */
    assert_true(strncmp(poller_post(&poller, "4b"), "400", 3) == 0);
    const char *text = poller_poll(&poller);
    assert_int_equal(strlen(text), 4 + 899 + 1 + 899 + 2);
    assert_string_equal(text + strlen(text) - 2, NEXT "1");
    assert_true(strncmp(poller_poll(&poller), "400", 3) == 0);
    house_close(house);
}

/* ... but not for ever. */
static void test_last_words_unheard(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, "/socket.io/?EIO=4");
    assert_string_equal(poller_post(&poller, "40" NEXT "42[\"bye\"]"), "200 ok");
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 0);
    house_wait(house, ENGINE_LINGER_TIME - 10 * USEC_MS);
    struct poller other = poller_open(house, "/socket.io/?EIO=4");
    assert_int_not_equal(strcmp(poller.sid, other.sid), 0);
    house_wait(house, 20 * USEC_MS);
    assert_string_equal(poller_poll(&poller),
                        "400 {\"code\":1,\"message\":\"Session ID unknown\"}");
    house_close(house);
}

/* Long answers come in several polls. */
static void test_long_queue(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V4);
    char *body = malloc(50001);
    memset(body, 'a', 50000);
    body[0] = '4';
    body[50000] = 0;
    assert_string_equal(poller_post(&poller, body), "200 ok");
    assert_string_equal(poller_post(&poller, body), "200 ok");
    assert_string_equal(poller_poll(&poller) + 4, body);
    assert_string_equal(poller_poll(&poller) + 4, body);
    for (int i = 0; i < 100; i++)
        assert_string_equal(poller_post(&poller, "4a"), "200 ok");
    assert_int_equal(strlen(poller_poll(&poller)), 4 + 64 * 3 - 1);
    assert_int_equal(strlen(poller_poll(&poller)), 4 + 36 * 3 - 1);
    free(body);
    house_close(house);
}

/* The same number of messages a second as over WebSockets. */
static void test_flood(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V4);
    char body[2 * (FLOOD_BURST + 1)];
    for (size_t i = 0; i <= FLOOD_BURST; i++)
        memcpy(body + 2 * i, "6" NEXT, 2);
    body[sizeof body - 1] = 0;
    assert_true(strncmp(poller_post(&poller, body), "400", 3) == 0);
    assert_int_equal(house_metric(house, METRIC_CLOSED_FLOOD), 1);
    house_close(house);
}

/* The server stops: polls and WebSockets are told so. */
static void test_stop(void **state)
{
    (void)state;
    struct house *house = house_of_engine();
    struct poller poller = poller_open(house, V4);
    struct wire *held = poller_hold(&poller);
    struct wire *wire = socket_open(house, V4);
    poller_open(house, V4);
    server_stop(house->servers[0], house->now);
    house_drain(house);
    assert_string_equal(got_text(held), "200 1");
    expect_close(wire, 1001, "the server stops");
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_origins),     cmocka_unit_test(test_too_many_sessions),
        cmocka_unit_test(test_long_post),   cmocka_unit_test(test_long_frame),
        cmocka_unit_test(test_slow_poller), cmocka_unit_test(test_last_words_unheard),
        cmocka_unit_test(test_long_queue),  cmocka_unit_test(test_flood),
        cmocka_unit_test(test_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
