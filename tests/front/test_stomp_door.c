/* test_stomp_door.c - the CCTV door: polls that wait, who is told, and what is given back. */
#include "house_stomp.h"

static const struct endpoint_config ENDPOINT = STOMP_ENDPOINT;
static const struct endpoint_configs ENDPOINTS = { &ENDPOINT, 1 };

static struct wire *poll_at(struct house *house, const char *path)
{
    char request[300];
    struct wire *wire = house_connect(house);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    wire_write(wire, request);
    return wire;
}

static void ask(struct house *house, const char *room, const char *body, unsigned code)
{
    char request[2000];
    struct answer answer = { .code = 0 };
    snprintf(request, sizeof request,
             "POST /receive-events/enter/room/%s HTTP/1.1\r\nHost: a\r\n"
             "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             room, strlen(body), body);
    house_ask(house, request, &answer);
    assert_int_equal(answer.code, code);
    assert_header(&answer, "Access-Control-Allow-Origin", "*");
    answer_free(&answer);
}

static void assert_told(struct wire *wire, const char *data)
{
    struct answer answer = { .code = 0 };
    char wanted[300];
    char *quotes = quoted(data);
    snprintf(wanted, sizeof wanted,
             "{\"status_code\":200,\"error_code\":null,\"result\":\"SUCCESS\",\"message\":null,"
             "\"data\":%s,\"error\":null}",
             quotes);
    wire_answer(wire, &answer);
    assert_int_equal(answer.code, 200);
    assert_header(&answer, "Content-Type", "application/json");
    assert_header(&answer, "Access-Control-Allow-Origin", "*");
    assert_view(bytes_view(&answer.body), wanted);
    answer_free(&answer);
    free(quotes);
}

static struct wire *come(struct house *house, const char *room, const char *cam_key)
{
    char text[200];
    struct wire *wire = stomp_open(house);
    snprintf(text, sizeof text, "CONNECT\naccept-version:1.1\nroomId:%s\ncamKey:%s\n\n^", room,
             cam_key);
    stomp_write(wire, text);
    assert_frame(wire, "CONNECTED\n", "^");
    return wire;
}

static void test_enter(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct wire *a = poll_at(house, "/poll/enter/room/r1");
    struct wire *b = poll_at(house, "/poll/enter/room/r1");
    struct wire *other = poll_at(house, "/poll/enter/room/r2");
    struct wire *leave = poll_at(house, "/poll/leave/room/r1");
    (void)state;
    assert_int_equal(house_metric(house, METRIC_DOOR_WAITS), 4);
    house_wait(house, 5 * 3600 * USEC_S); /* hours */
    assert_quiet(a);
    ask(house, "r1", "{\"camKey\":\"c\\u00e4m\"}", 200);
    assert_told(a, "{'roomId':'r1','camKey':'c\xc3\xa4m'}");
    assert_told(b, "{'roomId':'r1','camKey':'c\xc3\xa4m'}");
    assert_quiet(other);
    assert_quiet(leave);
    /* once: the next poll waits for the next who asks */
    ask(house, "r1", "{\"camKey\":\"k2\"}", 200);
    assert_quiet(a);
    wire_write(a, "GET /poll/enter/room/r1 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_quiet(a);
    ask(house, "r1", "{\"camKey\":7}", 200);
    assert_told(a, "{'roomId':'r1','camKey':7}");
    assert_int_equal(house_metric(house, METRIC_DOOR_WAITS), 2);
    house_close(house);
}

static void test_leave(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct wire *a = come(house, "r1", "ka");
    struct wire *b = come(house, "r1", "kb");
    struct wire *c = stomp_connected(house, "1.1"); /* told no room */
    struct wire *poll = poll_at(house, "/poll/leave/room/r1");
    (void)state;
    stomp_subscribe(b, "1", "/topic/peer/offer/kb/r1"); /* counts once */
    wire_drop(c);
    assert_quiet(poll);
    wire_drop(a);
    assert_told(poll, "{'camKey':'ka','roomCount':'1'}");
    wire_write(poll, "GET /poll/leave/room/r1 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_quiet(poll);
    /* the last one; DISCONNECT is an end, and the socket's is no second one */
    stomp_write(b, "DISCONNECT\n\n^");
    assert_told(poll, "{'camKey':'kb','roomCount':'null'}");
    wire_write(poll, "GET /poll/leave/room/r1 HTTP/1.1\r\nHost: a\r\n\r\n");
    wire_drop(b);
    assert_quiet(poll);
    house_close(house);
}

static void test_gone(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct wire *a = poll_at(house, "/poll/enter/room/r1");
    struct wire *b = poll_at(house, "/poll/enter/room/r1");
    (void)state;
    wire_drop(a);
    assert_int_equal(house_metric(house, METRIC_DOOR_WAITS), 1);
    ask(house, "r1", "{\"camKey\":\"k\"}", 200);
    assert_told(b, "{'roomId':'r1','camKey':'k'}");
    /* the end of the server is an answer, too */
    a = poll_at(house, "/poll/enter/room/r1");
    struct wire *session = come(house, "r1", "k");
    struct wire *leave = poll_at(house, "/poll/leave/room/r1");
    server_stop(house->servers[0], house->now);
    house_drain(house);
    struct answer answer = { .code = 0 };
    wire_answer(a, &answer);
    assert_int_equal(answer.code, 503);
    assert_heard(session, "closed");
    wire_answer(leave, &answer);
    assert_int_equal(leave->got.size, 0);
    assert_true(wire_is_closed(leave));
    answer_free(&answer);
    house_close(house);
}

static void test_refusals(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct answer answer = { .code = 0 };
    (void)state;
    ask(house, "r1", "{}", 400);
    ask(house, "r1", "{\"camKey\":{}}", 400);
    ask(house, "r1", "not JSON", 400);
    ask(house, "a/b", "{\"camKey\":\"k\"}", 404);
    house_ask(house, "GET /receive-events/enter/room/r1 HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.code, 405);
    house_ask(house, "GET /poll/enter/room/ HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.code, 404);
    house_ask(house, "GET /poll/enter/room/%ff HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.code, 404);
    house_ask(house,
              "OPTIONS /receive-events/enter/room/r1 HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\n"
              "Access-Control-Request-Method: POST\r\n\r\n",
              &answer);
    assert_int_equal(answer.code, 204);
    assert_header(&answer, "Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    assert_header(&answer, "Access-Control-Allow-Origin", "*");
    answer_free(&answer);
    house_close(house);
}

/* What grows most when it is written. */
static void test_longest(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    char room[3 * (BROKER_ROOM_MAX + 1) + 1];
    char body[700] = "{\"camKey\":\"";
    (void)state;
    for (size_t i = 0; i <= BROKER_ROOM_MAX; i++)
        memcpy(room + 3 * i, "%01", 4);
    ask(house, room, "{\"camKey\":\"k\"}", 404);
    room[(size_t)3 * BROKER_ROOM_MAX] = 0;
    ask(house, room, "{\"camKey\":\"k\"}", 200);
    size_t size = strlen(body);
    memset(body + size, 'k', 500);
    strcpy(body + size + 500, "\"}");
    ask(house, room, body, 200);
    memset(body + size, 'k', 512);
    strcpy(body + size + 512, "\"}");
    ask(house, room, body, 400);
    house_close(house);
}

/* As many as there are places for; then 503. */
static void test_limit(void **state)
{
    struct endpoint_config config = STOMP_ENDPOINT;
    struct endpoint_configs configs = { &config, 1 };
    struct answer answer = { .code = 0 };
    (void)state;
    config.limits.sessions = 2;
    struct house *house = house_of_stomp(&configs);
    struct wire *a = poll_at(house, "/poll/enter/room/r1");
    struct wire *b = poll_at(house, "/poll/enter/room/r2");
    struct wire *c = poll_at(house, "/poll/enter/room/r3");
    wire_answer(c, &answer);
    assert_int_equal(answer.code, 503);
    assert_quiet(a);
    wire_drop(b);
    c = poll_at(house, "/poll/enter/room/r3");
    assert_quiet(c);
    answer_free(&answer);
    house_close(house);
}

/* Where the configuration wants none, the paths are nobody's. */
static void test_closed(void **state)
{
    struct endpoint_config config = STOMP_ENDPOINT;
    struct endpoint_configs configs = { &config, 1 };
    struct answer answer = { .code = 0 };
    (void)state;
    config.stomp.door = false;
    struct house *house = house_of_stomp(&configs);
    house_ask(house, "GET /poll/enter/room/r1 HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.code, 404);
    struct wire *a = come(house, "r1", "k");
    wire_drop(a);
    answer_free(&answer);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_enter),  cmocka_unit_test(test_leave),
        cmocka_unit_test(test_gone),   cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_limit),  cmocka_unit_test(test_longest),
        cmocka_unit_test(test_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
