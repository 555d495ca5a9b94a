/* HTTP on a stream: routes, methods, keep-alive, pipelining, bodies, refusals. */
#include "house_http.h"

#define HOST "Host: moim.example\r\n"

static void test_routes(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    (void)state;

    house_ask(house, "GET /healthz HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 200);
    assert_view(bytes_view(&answer.body), "live\n");
    assert_header(&answer, "Content-Type", "text/plain; charset=utf-8");
    assert_header(&answer, "Cache-Control", "no-store");
    assert_header(&answer, "Access-Control-Allow-Origin", "*");
    assert_header(&answer, "X-Content-Type-Options", "nosniff");
    assert_header(&answer, "Referrer-Policy", "no-referrer");
    assert_header(&answer, "Connection", "keep-alive");
    assert_header(&answer, "Date", "Sun, 06 Nov 1994 08:49:37 GMT");

    house_ask(house, "GET /readyz?a=b HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 200);
    assert_view(bytes_view(&answer.body), "ready\n");

    house_ask(house, "GET /%68ealthz HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 200);

    house_ask(house, "GET /metrics HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 200);
    assert_header(&answer, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    assert_header(&answer, "Access-Control-Allow-Origin", "");
    struct view metric = VIEW("moim_http_responses_total{class=\"2xx\"} 3\n");
    assert_true(view_find(bytes_view(&answer.body), metric) < answer.body.size);

    house_ask(house, "GET /nowhere HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 404);
    assert_view(bytes_view(&answer.body), "404 Not Found\n");
    assert_header(&answer, "X-Content-Type-Options", "nosniff");
    assert_header(&answer, "Cross-Origin-Resource-Policy", "same-origin");
    house_ask(house, "GET /healthz/ HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 404);
    house_ask(house, "GET /r/ HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 404); /* a room has a name */
    assert_int_equal(house_metric(house, METRIC_HTTP_4XX), 3);
    answer_free(&answer);
    house_close(house);
}

static void test_not_ready_when_full(void **state)
{
    struct house *house = house_build(&(struct wishes){ .streams_max = 2 });
    struct answer answer = { 0 };
    struct wire *first = house_connect(house);
    (void)state;
    wire_ask(first, "GET /readyz HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 200);
    struct wire *second = house_connect(house);
    assert_null(house_dial(house, 0, STREAM_HTTP));
    wire_ask(first, "GET /readyz HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 503);
    assert_view(bytes_view(&answer.body), "not ready\n");
    wire_ask(second, "GET /healthz HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 200);
    wire_drop(second);
    wire_ask(first, "GET /readyz HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 200);
    answer_free(&answer);
    house_close(house);
}

static void test_stop(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    struct wire *idle = house_connect(house);
    struct wire *begun = house_connect(house);
    struct wire *body = house_connect(house);
    (void)state;
    wire_ask(idle, "GET /healthz HTTP/1.1\r\n" HOST "\r\n", &answer);
    wire_write(begun, "GET /readyz HT");
    wire_write(body, "POST /nowhere HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na");
    server_stop(house->servers[0], house->now);
    house_drain(house);
    assert_true(wire_is_closed(idle));
    assert_quiet(begun);
    assert_quiet(body);
    assert_null(house_dial(house, 0, STREAM_HTTP));

    wire_ask(begun, "TP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 503);
    assert_header(&answer, "Connection", "close");
    assert_true(wire_is_closed(begun));
    wire_ask(body, "bc", &answer);
    assert_int_equal(answer.code, 404);
    assert_header(&answer, "Connection", "close");
    assert_true(wire_is_closed(body));
    assert_int_equal(server_streams(house->servers[0]), 0);
    answer_free(&answer);
    house_close(house);
}

static void test_methods(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    (void)state;
    house_ask(house, "HEAD /healthz HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 200);
    assert_header(&answer, "Content-Length", "5");

    static const char *const OTHERS[] = { "POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND" };
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        char request[100];
        snprintf(request, sizeof request, "%s /healthz HTTP/1.1\r\n" HOST "\r\n", OTHERS[i]);
        house_ask(house, request, &answer);
        assert_int_equal(answer.code, 405);
        assert_header(&answer, "Allow", "GET, HEAD, OPTIONS");
        assert_header(&answer, "Connection", "keep-alive");
    }
    house_ask(house, "BREW /healthz HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 400);

    /* a WebSocket is opened with GET alone */
    house_ask(house, "HEAD /api/v1/meet HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 405);
    assert_header(&answer, "Allow", "GET, OPTIONS");
    house_ask(house, "POST /api/v1/meet HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 405);
    assert_header(&answer, "Allow", "GET, OPTIONS");
    answer_free(&answer);
    house_close(house);
}

static void test_options(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    (void)state;
    house_ask(house, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 204);
    assert_header(&answer, "Allow", "GET, HEAD, OPTIONS");
    assert_header(&answer, "Content-Length", "");
    house_ask(house, "GET * HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 400);

    house_ask(house,
              "OPTIONS /healthz HTTP/1.1\r\n" HOST "Origin: https://elsewhere.example\r\n"
              "Access-Control-Request-Method: GET\r\n\r\n",
              &answer);
    assert_int_equal(answer.code, 204);
    assert_header(&answer, "Access-Control-Allow-Origin", "*");
    assert_header(&answer, "Access-Control-Allow-Methods", "GET, HEAD, OPTIONS");
    assert_header(&answer, "Access-Control-Allow-Headers", "Authorization, Content-Type");
    assert_header(&answer, "Access-Control-Max-Age", "86400");

    /* nobody else's page is to read our metrics */
    house_ask(house, "OPTIONS /metrics HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 204);
    assert_header(&answer, "Allow", "GET, HEAD, OPTIONS");
    assert_header(&answer, "Access-Control-Allow-Origin", "");
    assert_header(&answer, "Access-Control-Allow-Methods", "");
    answer_free(&answer);
    house_close(house);
}

static void test_keep_alive(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    struct wire *wire = house_connect(house);
    (void)state;
    for (int i = 0; i < 3; i++) {
        wire_ask(wire, "GET /healthz HTTP/1.1\r\n" HOST "\r\n", &answer);
        assert_header(&answer, "Connection", "keep-alive");
    }
    wire_ask(wire, "GET /healthz HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", &answer);
    assert_int_equal(answer.code, 200);
    assert_header(&answer, "Connection", "close");
    assert_true(wire_is_closed(wire));

    /* what comes behind the last request is not answered */
    wire = house_connect(house);
    wire_ask(wire,
             "GET /healthz HTTP/1.1\r\n" HOST "Connection: Close\r\n\r\n"
             "GET /healthz HTTP/1.1\r\n" HOST "\r\n",
             &answer);
    assert_int_equal(wire->got.size, 0);
    assert_true(wire_is_closed(wire));

    wire = house_connect(house);
    wire_ask(wire, "GET /healthz HTTP/1.0\r\n\r\n", &answer);
    assert_int_equal(answer.code, 200);
    assert_header(&answer, "Connection", "close");
    assert_true(wire_is_closed(wire));

    wire = house_connect(house);
    wire_ask(wire, "GET /healthz HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &answer);
    assert_header(&answer, "Connection", "keep-alive");
    wire_ask(wire, "GET /healthz HTTP/1.0\r\n\r\n", &answer);
    assert_true(wire_is_closed(wire));

    /* a client that ends its side with its last request gets the answer all the same */
    wire = house_connect(house);
    wire_give_room(wire, 10);
    wire_write(wire, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
    wire_end(wire);
    assert_false(wire_is_closed(wire));
    wire_give_room(wire, SIZE_MAX);
    wire_answer(wire, &answer);
    assert_int_equal(answer.code, 200);
    assert_true(wire_is_closed(wire));
    answer_free(&answer);
    house_close(house);
}

static void test_pipelining(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    struct wire *wire = house_connect(house);
    (void)state;
    /* an empty line between requests, and a body that looks like a request */
    wire_write(wire, "GET /healthz HTTP/1.1\r\n" HOST "\r\n"
                     "\r\nPOST /a HTTP/1.1\r\n" HOST "Content-Length: 19\r\n\r\n"
                     "GET /x HTTP/1.1\r\n\r\n");
    wire_answer(wire, &answer);
    assert_int_equal(answer.code, 200);
    wire_answer(wire, &answer);
    assert_int_equal(answer.code, 404);
    assert_quiet(wire);
    wire_drop(wire);

    wire = house_connect(house);
    wire_write(wire, "GET /healthz HTTP/1.1\r\n" HOST "\r\n"
                     "GET /a HTTP/1.1\r\n" HOST "\r\n"
                     "HEAD /b HTTP/1.1\r\n" HOST "\r\n"
                     "OPTIONS * HTTP/1.1\r\n" HOST "\r\n"
                     "GET /readyz HTTP/1.1\r\n" HOST "\r\n");
    wire_answer(wire, &answer);
    assert_view(bytes_view(&answer.body), "live\n");
    wire_answer(wire, &answer);
    assert_int_equal(answer.code, 404);
    assert_true(wire_poll_answer(wire, &answer, true));
    assert_int_equal(answer.code, 404);
    wire_answer(wire, &answer);
    assert_int_equal(answer.code, 204);
    wire_answer(wire, &answer);
    assert_view(bytes_view(&answer.body), "ready\n");
    assert_quiet(wire);
    answer_free(&answer);
    house_close(house);
}

/* A client that asks for much and reads little: the server stops reading, and goes on. */
static void test_pause(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    struct wire *wire = house_connect(house);
    struct bytes requests = { NULL, 0, 0 };
    unsigned answers = 0;
    unsigned healths = 0;
    (void)state;
    for (int i = 0; i < 800; i++) {
        bytes_add(&requests, VIEW("GET /metrics HTTP/1.1\r\n" HOST "\r\n"));
        if (i % 10 == 9)
            bytes_add(&requests, VIEW("GET /healthz HTTP/1.1\r\n" HOST "\r\n"));
    }
    wire_give_room(wire, 1000);
    wire_send(wire, bytes_view(&requests));
    assert_true(wire->is_paused);
    size_t used = buffers_used(house->servers[0]->buffers);
    /* counted in whole buffers, of which an answer may fill a fifth */
    assert_true(used > HTTP_QUEUE_PAUSE && used < 8 * HTTP_QUEUE_PAUSE);
    assert_true(house->servers[0]->outboxes.entries.used < 100);

    while (answers < 880) {
        size_t before = wire->got.size;
        wire_give_room(wire, 30000);
        assert_true(wire->got.size > before);
        while (wire_poll_answer(wire, &answer, false)) {
            assert_int_equal(answer.code, 200);
            bool is_health = ++answers % 11 == 0;
            healths += is_health;
            assert_int_equal(answer.body.size == 5, is_health);
        }
    }
    assert_int_equal(healths, 80);
    assert_true(wire->reads > 0);
    wire_give_room(wire, SIZE_MAX);
    wire_ask(wire, "GET /healthz HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 200);
    free(requests.at);
    answer_free(&answer);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes),     cmocka_unit_test(test_not_ready_when_full),
        cmocka_unit_test(test_stop),       cmocka_unit_test(test_methods),
        cmocka_unit_test(test_options),    cmocka_unit_test(test_keep_alive),
        cmocka_unit_test(test_pipelining), cmocka_unit_test(test_pause),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
