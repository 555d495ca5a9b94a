/* HTTP on a stream: bodies, requests cut anyhow, refusals, and whoever is slow. */
#include "house_http.h"

#define HOST "Host: moim.example\r\n"

static void test_cut_at_every_byte(void **state)
{
    static const char TEXT[] = "\r\nPOST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"
                               "PUT /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                               "5;x=y\r\nhello\r\n00\r\nTrailer: t\r\n\r\n"
                               "GET /healthz HTTP/1.1\r\n" HOST "\r\n";
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    size_t size = sizeof TEXT - 1;
    (void)state;
    for (size_t cut = 0; cut <= size; cut++) {
        struct wire *wire = house_connect(house);
        wire_send(wire, view_make(TEXT, cut));
        wire_send(wire, view_make(TEXT + cut, size - cut));
        wire_answer(wire, &answer);
        assert_int_equal(answer.code, 404);
        wire_answer(wire, &answer);
        assert_int_equal(answer.code, 404);
        wire_answer(wire, &answer);
        assert_int_equal(answer.code, 200);
        assert_quiet(wire);
        wire_drop(wire);
    }
    struct wire *wire = house_connect(house);
    for (size_t i = 0; i < size; i++)
        wire_send(wire, view_make(TEXT + i, 1));
    for (int i = 0; i < 3; i++)
        wire_answer(wire, &answer);
    assert_int_equal(answer.code, 200);
    assert_quiet(wire);
    answer_free(&answer);
    house_close(house);
}

/* A client that goes away anywhere leaves nothing behind: house_close sees to it. */
static void test_gone_at_every_byte(void **state)
{
    static const char TEXT[] = "POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"
                               "PUT /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                               "5\r\nhello\r\n0\r\n\r\n";
    struct house *house = house_build(&(struct wishes){ 0 });
    (void)state;
    for (size_t size = 0; size < sizeof TEXT; size++) {
        struct wire *wire = house_connect(house);
        wire_send(wire, view_make(TEXT, size));
        wire_drop(wire);
        wire = house_connect(house);
        wire_send(wire, view_make(TEXT, size));
        wire_end(wire);
        assert_true(wire_is_closed(wire));
        wire_drop(wire);
        assert_int_equal(server_streams(house->servers[0]), 0);
        assert_int_equal(buffers_used(house->servers[0]->buffers), 0);
    }
    house_close(house);
}

static void test_continue(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    struct wire *wire = house_connect(house);
    (void)state;
    wire_write(wire, "POST /a HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\n"
                     "Content-Length: 5\r\n\r\n");
    assert_view(bytes_view(&wire->got), "HTTP/1.1 100 Continue\r\n\r\n");
    wire->got.size = 0;
    wire_ask(wire, "hello", &answer);
    assert_int_equal(answer.code, 404);
    assert_quiet(wire);

    /* a body that is too large is refused before it is sent */
    wire_ask(wire,
             "POST /a HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
             "Content-Length: 65537\r\n\r\n",
             &answer);
    assert_int_equal(answer.code, 413);
    assert_true(wire_is_closed(wire));

    /* a client of HTTP/1.0 does not know of it */
    wire = house_connect(house);
    wire_write(wire, "POST /a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_quiet(wire);
    answer_free(&answer);
    house_close(house);
}

static void test_large_bodies(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    struct bytes body = { NULL, 0, 0 };
    (void)state;
    for (int i = 0; i < 4096; i++)
        bytes_add(&body, VIEW("0123456789abcdef"));

    struct wire *wire = house_connect(house);
    wire_write(wire, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 65536\r\n\r\n");
    wire_send(wire, bytes_view(&body));
    wire_answer(wire, &answer);
    assert_int_equal(answer.code, 404);
    wire_write(wire, "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n10000\r\n");
    wire_send(wire, bytes_view(&body));
    wire_ask(wire, "\r\n0\r\n\r\n", &answer);
    assert_int_equal(answer.code, 404);
    assert_quiet(wire);

    /* one byte more */
    wire_write(wire, "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n10000\r\n");
    wire_send(wire, bytes_view(&body));
    assert_quiet(wire);
    wire_ask(wire, "\r\n1\r\nx", &answer);
    assert_int_equal(answer.code, 413);
    assert_header(&answer, "Connection", "close");
    assert_true(wire_is_closed(wire));
    free(body.at);
    answer_free(&answer);
    house_close(house);
}

struct refusal {
    unsigned code;
    const char *request;
};

static void test_refused(void **state)
{
    static const struct refusal REFUSALS[] = {
        { 400, "\x16\x03\x01\x02\r\n\r\n" },
        { 400, "GET /healthz HTTP/1.1\r\n\r\n" },
        { 400, "GET /healthz HTTP/1.1\r\n" HOST HOST "\r\n" },
        { 400, "GET http://moim.example/healthz HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "CONNECT moim.example:443 HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "GET /healthz HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n" },
        { 400, "GET /healthz HTTP/1.1\r\n" HOST "A : b\r\n\r\n" },
        { 400, "GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n" },
        { 400, "GET /healthz HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n" },
        { 400, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 1\r\n"
               "Transfer-Encoding: chunked\r\n\r\n" },
        { 400, "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n" },
        { 413, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 4294967301\r\n\r\n" },
        { 501, "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n" },
        { 501, "GET /healthz HTTP/2.0\r\n" HOST "\r\n" },
        { 501, "GET /healthz HTTP/1.2\r\n" HOST "\r\n" },
    };
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    size_t count = sizeof REFUSALS / sizeof REFUSALS[0];
    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct wire *wire = house_connect(house);
        wire_write(wire, REFUSALS[i].request);
        wire_write(wire, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
        wire_answer(wire, &answer);
        if (answer.code != REFUSALS[i].code)
            fail_msg("%u for %s", answer.code, REFUSALS[i].request);
        assert_header(&answer, "Connection", "close");
        assert_int_equal(wire->got.size, 0);
        assert_true(wire_is_closed(wire));
        wire_drop(wire);
    }
    assert_int_equal(house_metric(house, METRIC_CLOSED_PROTOCOL), count);
    answer_free(&answer);
    house_close(house);
}

static void test_large_heads(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    struct bytes head = { NULL, 0, 0 };
    (void)state;
    bytes_add(&head, VIEW("GET /healthz HTTP/1.1\r\n" HOST));
    for (int i = 0; i < 63; i++)
        bytes_add(&head, VIEW("A: b\r\n"));
    struct wire *wire = house_connect(house);
    wire_send(wire, bytes_view(&head));
    wire_ask(wire, "\r\n", &answer);
    assert_int_equal(answer.code, 200);
    wire_send(wire, bytes_view(&head));
    wire_ask(wire, "A: b\r\n\r\n", &answer);
    assert_int_equal(answer.code, 431);
    assert_true(wire_is_closed(wire));

    /* a head without end: refused as soon as it is too large */
    wire = house_connect(house);
    wire_write(wire, "GET /");
    for (size_t i = 0; i < HTTP_HEAD_MAX - 6; i++)
        wire_send(wire, VIEW("a"));
    assert_quiet(wire);
    wire_ask(wire, "a", &answer);
    assert_int_equal(answer.code, 431);
    assert_true(wire_is_closed(wire));

    /* empty lines alone are no request, however many */
    wire = house_connect(house);
    for (int i = 0; i < HTTP_HEAD_MAX / 2; i++)
        wire_send(wire, VIEW("\r\n"));
    assert_quiet(wire);
    wire_ask(wire, "\r\n", &answer);
    assert_int_equal(answer.code, 431);

    /* a target of over 2,048 bytes */
    head.size = 0;
    bytes_add(&head, VIEW("GET /"));
    for (int i = 0; i < 1024; i++)
        bytes_add(&head, VIEW("%41"));
    wire = house_connect(house);
    wire_send(wire, bytes_view(&head));
    wire_ask(wire, " HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 431);
    free(head.at);
    answer_free(&answer);
    house_close(house);
}

static void test_paths(void **state)
{
    static const struct refusal PATHS[] = {
        { 404, "/../etc/passwd" },
        { 404, "/%2e%2e/%2e%2e/etc/passwd" },
        { 404, "//healthz" },
        { 404, "/./healthz" },
        { 404, "/healthz%2f" },
        { 404, "/HEALTHZ" },
        { 400, "/%00" },
        { 400, "/%" },
        { 400, "/%4" },
        { 400, "/%zz" },
        { 400, "/healthz%00" },
        { 404, "/%ff" },
        { 200, "/healthz?%zz" },
        { 200, "/%68%65%61%6C%74%68%7a" },
        { 404, "/healthz%3f" },
    };
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
        char request[200];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "\r\n", PATHS[i].request);
        house_ask(house, request, &answer);
        if (answer.code != PATHS[i].code)
            fail_msg("%u for %s", answer.code, PATHS[i].request);
        assert_header(&answer, "Connection", "keep-alive");
    }
    answer_free(&answer);
    house_close(house);
}

/* ---- time ---- */

static void test_head_time(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    struct wire *mute = house_connect(house);
    (void)state;
    house_wait(house, HTTP_HEAD_TIME - USEC_S);
    assert_quiet(mute);
    house_wait(house, 2 * USEC_S);
    assert_true(wire_is_closed(mute));
    assert_int_equal(mute->got.size, 0);
    assert_int_equal(house_metric(house, METRIC_CLOSED_TIMEOUT), 0); /* it has asked for nothing */

    /* a byte a second does not help, neither at first nor later */
    struct wire *slow = house_connect(house);
    for (int turn = 0; turn < 2; turn++) {
        static const char TEXT[] = "GET /healthz HTTP/1.1\r\n" HOST "\r\n";
        for (int i = 0; i < 10; i++) {
            assert_quiet(slow);
            wire_send(slow, view_make(TEXT + i, 1));
            if (i < 9)
                house_wait(house, USEC_S);
        }
        if (turn == 0) {
            wire_ask(slow, TEXT + 10, &answer);
            assert_int_equal(answer.code, 200);
            house_wait(house, 50 * USEC_S);
        }
    }
    house_wait(house, 2 * USEC_S);
    wire_answer(slow, &answer);
    assert_int_equal(answer.code, 408);
    assert_header(&answer, "Connection", "close");
    assert_true(wire_is_closed(slow));
    assert_int_equal(house_metric(house, METRIC_CLOSED_TIMEOUT), 1);
    answer_free(&answer);
    house_close(house);
}

static void test_body_time(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    struct wire *wire = house_connect(house);
    (void)state;
    wire_write(wire, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\n");
    for (int i = 0; i < 29; i++) {
        house_wait(house, USEC_S);
        wire_write(wire, "x");
        assert_quiet(wire);
    }
    house_wait(house, 2 * USEC_S);
    wire_answer(wire, &answer);
    assert_int_equal(answer.code, 408);
    assert_true(wire_is_closed(wire));
    assert_int_equal(house_metric(house, METRIC_CLOSED_TIMEOUT), 1);
    answer_free(&answer);
    house_close(house);
}

static void test_idle_time(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    struct wire *wire = house_connect(house);
    (void)state;
    for (int i = 0; i < 3; i++) {
        wire_ask(wire, "GET /healthz HTTP/1.1\r\n" HOST "\r\n", &answer);
        house_wait(house, HTTP_IDLE_TIME - USEC_S);
        assert_quiet(wire);
    }
    house_wait(house, 2 * USEC_S);
    assert_true(wire_is_closed(wire));
    assert_int_equal(wire->got.size, 0);
    assert_int_equal(house_metric(house, METRIC_CLOSED_TIMEOUT), 0);
    answer_free(&answer);
    house_close(house);
}

static void test_reader_that_never_reads(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    struct wire *wire = house_connect(house);
    (void)state;
    wire_give_room(wire, 10);
    wire_write(wire, "GET /metrics HTTP/1.1\r\n" HOST "\r\n");
    /* as long as it reads a little now and then it is waited for */
    for (int i = 0; i < 3; i++) {
        house_wait(house, SEND_TIME - USEC_S);
        assert_false(wire_is_closed(wire));
        wire_give_room(wire, 10);
    }
    house_wait(house, SEND_TIME + USEC_S);
    assert_true(wire_is_closed(wire));
    assert_int_equal(house_metric(house, METRIC_CLOSED_TIMEOUT), 1);
    assert_int_equal(buffers_used(house->servers[0]->buffers), 0);

    /* nor does the last answer wait forever */
    wire = house_connect(house);
    wire_give_room(wire, 0);
    wire_write(wire, "GET /metrics HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    house_wait(house, CLOSING_TIME - USEC_S);
    assert_false(wire_is_closed(wire));
    house_wait(house, 2 * USEC_S);
    assert_true(wire_is_closed(wire));
    answer_free(&answer);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_gone_at_every_byte),
        cmocka_unit_test(test_continue),
        cmocka_unit_test(test_large_bodies),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_large_heads),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_head_time),
        cmocka_unit_test(test_body_time),
        cmocka_unit_test(test_idle_time),
        cmocka_unit_test(test_reader_that_never_reads),
    };
    return cmocka_run_group_tests_name("http_bad", tests, NULL, NULL);
}
