/* test_endpoint.c - whose a path is: requests that are handed over to the worker that owns it,
 * several endpoints at one path, and pages that may not use one. */
#include "house_paths.h"

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define OPEN(path) "POST " path "/000/abc/xhr HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"

/* ---- the owner ---- */

/* Sends the bytes in two parts, and gives all that came back; the wire is `worker`'s. */
static struct bytes answer_of(unsigned workers, unsigned worker, struct view request, size_t cut)
{
    struct house *house = house_build(&(struct wishes){ .workers = workers,
                                                        .streams_max = 4,
                                                        .buffer_bytes = 2 * 1024 * 1024,
                                                        .endpoints = &ALL_PATHS });
    struct wire *wire = dial(house, worker);
    struct bytes got = { NULL, 0, 0 };
    wire_send(wire, view_slice(request, 0, cut));
    wire_send(wire, view_slice(request, cut, request.size));
    bytes_add(&got, bytes_view(&wire->got));
    house_close(house);
    return got;
}

static void compare_everywhere(struct view request)
{
    struct bytes wanted = answer_of(1, 0, request, 0);
    assert_true(wanted.size > 0);
    for (unsigned worker = 0; worker < 2; worker++) {
        for (size_t cut = 0; cut < request.size; cut++) {
            struct bytes seen = answer_of(2, worker, request, cut);
            if (!view_equal(bytes_view(&seen), bytes_view(&wanted)))
                fail_msg("cut at %zu, worker %u: \"%.*s\"", cut, worker,
                         VIEW_ARGS(bytes_view(&seen)));
            free(seen.at);
        }
    }
    free(wanted.at);
}

/* What one worker would answer alone, two answer in the same order, wherever the client came. */
static void requests_go_to_the_owner(void **state)
{
    (void)state;
    compare_everywhere(VIEW(GET("/healthz") OPEN("/echo") GET("/nothing") OPEN("/guarded-sockjs")
                                GET("/signaling?a=b") GET("/healthz")));
}

/* The upgrade stands behind requests, and frames behind it. */
static void an_upgrade_goes_to_the_owner(void **state)
{
    struct bytes request = { NULL, 0, 0 };
    (void)state;
    bytes_add(&request, VIEW("\r\n" GET("/healthz") OPEN(
                            "/echo") "GET /gu%61rded HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
                                     "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
    ws_write(&request, WEBSOCKET_TEXT, true, false, VIEW("hello"));
    ws_write(&request, WEBSOCKET_BINARY, true, false, VIEW("there"));
    compare_everywhere(bytes_view(&request));
    free(request.at);
}

/* All sessions of a path meet, wherever they came in. */
static void sessions_meet_at_the_owner(void **state)
{
    (void)state;
    struct house *house = open_paths(2);
    struct wire *a = house_ws_at(house, 0, "/signaling");
    struct wire *b = house_ws_at(house, 1, "/signaling");
    ws_say(a, "from a");
    expect_text(b, "from a");
    ws_say(b, "from b");
    expect_text(a, "from b");
    assert_int_equal(a->worker, b->worker);
    assert_int_equal(house_metric(house, METRIC_CONNECTIONS_MOVED), 1);
    house_close(house);
}

static struct wire *wire_on_its_way(struct house *house)
{
    struct wire *owner = house_ws_at(house, 0, "/signaling");
    struct wire *wire = dial(house, 1 - owner->worker);
    house->moves_wait = true;
    ws_ask(wire, "/signaling", "");
    assert_int_equal(wire->state, WIRE_MOVING);
    wire_drop(owner);
    return wire;
}

static void a_client_may_go_on_the_way(void **state)
{
    (void)state;
    struct house *house = open_paths(2);
    wire_drop(wire_on_its_way(house));
    house->moves_wait = false;
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 0);
    house_close(house);
}

static void an_owner_that_stops_opens_nothing(void **state)
{
    (void)state;
    struct house *house = open_paths(2);
    struct wire *wire = wire_on_its_way(house);
    server_stop(house->servers[wire->move_to], house->now);
    wire_deliver(wire);
    house->moves_wait = false;
    house_drain(house);
    assert_true(view_starts(bytes_view(&wire->got), VIEW("HTTP/1.1 503 ")));
    assert_true(wire_is_closed(wire));
    house_close(house);
}

/* ---- several at one path ---- */

static void one_path_has_several_kinds(void **state)
{
    struct answer answer = { 0 };
    (void)state;
    struct house *house = open_paths(1);
    struct wire *a = house_ws_at(house, 0, "/signaling");
    struct wire *b = dial(house, 0);
    ws_ask(b, "/signaling", "Sec-WebSocket-Protocol: chat, other\r\n"); /* no protocol of STOMP */
    ws_expect_open(b, "Sec-WebSocket-Protocol: chat\r\n");
    ws_say(a, "hello");
    expect_text(b, "hello");
    struct wire *stomp = dial(house, 0);
    ws_ask(stomp, "/signaling", "Sec-WebSocket-Protocol: chat, v11.stomp, v12.stomp\r\n");
    ws_expect_open(stomp, "Sec-WebSocket-Protocol: v12.stomp\r\n");
    ws_say(a, "hello");
    expect_nothing(stomp);
    house_ask(house, GET("/signaling"), &answer);
    assert_view(bytes_view(&answer.body), "Welcome to SockJS!\n");
    house_ask(house, GET("/signaling/info"), &answer);
    assert_int_equal(answer.code, 200);
    house_ask(house, GET("/signaling-not"), &answer);
    assert_int_equal(answer.code, 404);
    answer_free(&answer);
    house_close(house);
}

static void bare_websockets_are_opened_with_get_alone(void **state)
{
    struct answer answer = { 0 };
    (void)state;
    struct house *house = open_paths(1);
    house_ask(house, GET("/guarded"), &answer);
    assert_int_equal(answer.code, 426);
    house_ask(house, GET("/guarded/below"), &answer);
    assert_int_equal(answer.code, 404);
    house_ask(house, "POST /guarded HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", &answer);
    assert_int_equal(answer.code, 405);
    assert_header(&answer, "Allow", "GET");
    answer_free(&answer);
    house_close(house);
}

/* ---- origins ---- */

static unsigned code_for(struct house *house, const char *path, const char *origin)
{
    char request[500];
    struct answer answer = { 0 };
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n", path, origin);
    house_ask(house, request, &answer);
    answer_free(&answer);
    return answer.code;
}

static void origins_are_let_in_or_not(void **state)
{
    (void)state;
    struct house *house = open_paths(1);
    assert_int_equal(code_for(house, "/guarded-sockjs/info", ""), 200); /* no page asks */
    assert_int_equal(code_for(house, "/guarded-sockjs/info", "Origin: https://a.example\r\n"), 200);
    assert_int_equal(code_for(house, "/guarded-sockjs/info", "Origin: HTTPS://A.example\r\n"), 200);
    assert_int_equal(house_metric(house, METRIC_ORIGIN_REFUSED), 0);
    static const char *const STRANGERS[] = {
        "Origin: http://a.example\r\n",      "Origin: https://a.example:8443\r\n",
        "Origin: https://a.example.org\r\n", "Origin: null\r\n",
        "Origin: http://b.example\r\n",
    };
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(code_for(house, "/guarded-sockjs/info", STRANGERS[i]), 403);
        assert_int_equal(code_for(house, "/guarded", STRANGERS[i]), 403);
        assert_int_equal(code_for(house, "/echo/info", STRANGERS[i]), 200); /* any may */
    }
    assert_int_equal(house_metric(house, METRIC_ORIGIN_REFUSED), 10);
    house_close(house);
}

static void origins_of_websockets(void **state)
{
    struct answer answer = { 0 };
    (void)state;
    struct house *house = open_paths(1);
    struct wire *a = dial(house, 0);
    ws_ask(a, "/guarded", "Origin: http://b.example:8080\r\n");
    ws_expect_open(a, "");
    ws_say(a, "hello");
    expect_text(a, "hello");
    struct wire *b = dial(house, 0);
    ws_ask(b, "/guarded", "Origin: https://b.example:8080\r\n");
    wire_answer(b, &answer);
    assert_int_equal(answer.code, 403);
    answer_free(&answer);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_go_to_the_owner),
        cmocka_unit_test(an_upgrade_goes_to_the_owner),
        cmocka_unit_test(sessions_meet_at_the_owner),
        cmocka_unit_test(a_client_may_go_on_the_way),
        cmocka_unit_test(an_owner_that_stops_opens_nothing),
        cmocka_unit_test(one_path_has_several_kinds),
        cmocka_unit_test(bare_websockets_are_opened_with_get_alone),
        cmocka_unit_test(origins_are_let_in_or_not),
        cmocka_unit_test(origins_of_websockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
