/* test_sockjs_streams.c - SockJS over streaming responses and over JSONP, the end of sessions in
 * all their ways, and clients that take too little. */
#include "house_sockjs.h"

/* Asks for a response that goes on; its head must be a 200 of that type. */
static struct wire *stream_from(struct house *house, const char *method, const char *path,
                                const char *type)
{
    struct wire *wire = house_connect(house);
    struct answer answer;
    wire_request(wire, method, path, "", "");
    wire_head(wire, &answer);
    assert_int_equal(answer.code, 200);
    assert_header(&answer, "Content-Type", type);
    assert_header(&answer, "Cache-Control", "no-store, no-cache, must-revalidate, max-age=0");
    assert_header(&answer, "Content-Length", "");
    assert_header(&answer, "Transfer-Encoding", "chunked");
    return wire;
}

static void expect_prelude(struct wire *wire)
{
    char prelude[2050];
    memset(prelude, 'h', 2048);
    memcpy(prelude + 2048, "\n", 2);
    wire_chunk(wire, prelude);
}

static struct wire *xhr_stream(struct house *house, const char *path)
{
    struct wire *wire = stream_from(house, "POST", path, "application/javascript; charset=UTF-8");
    expect_prelude(wire);
    return wire;
}

static void say(struct house *house, const char *path, const char *body)
{
    post(house, path, "", body, 204, "");
}

static void test_xhr_streaming(void **state)
{
    struct house *house = sockjs_house();
    struct wire *wire = xhr_stream(house, "/echo/000/s/xhr_streaming");
    (void)state;
    wire_chunk(wire, "o\n");
    say(house, "/echo/000/s/xhr_send", "[\"x\"]");
    wire_chunk(wire, "a[\"x\"]\n");
    say(house, "/echo/000/s/xhr_send", "[\"y\",\"z\"]");
    wire_chunk(wire, "a[\"y\"]\n");
    wire_chunk(wire, "a[\"z\"]\n");
    assert_quiet(wire);
    house_close(house);
}

/* 4096 bytes of frames, framing included and the prelude not. */
static void test_response_limit(void **state)
{
    struct house *house = sockjs_house();
    struct wire *wire = xhr_stream(house, "/echo/000/s/xhr_streaming");
    char message[140] = "[\"";
    char frame[140];
    (void)state;
    memset(message + 2, 'x', 128);
    memcpy(message + 130, "\"]", 3);
    snprintf(frame, sizeof frame, "a%s\n", message);
    wire_chunk(wire, "o\n");
    for (int i = 0; i < 31; i++) {
        say(house, "/echo/000/s/xhr_send", message);
        wire_chunk(wire, frame);
        if (i < 30)
            assert_quiet(wire);
    }
    wire_chunk(wire, "");
    /* what is said meanwhile waits for the next */
    say(house, "/echo/000/s/xhr_send", "[\"a\"]");
    say(house, "/echo/000/s/xhr_send", "[\"b\"]");
    struct wire *next = xhr_stream(house, "/echo/000/s/xhr_streaming");
    wire_chunk(next, "a[\"a\",\"b\"]\n");
    assert_quiet(next);
    house_close(house);
}

static void test_eventsource(void **state)
{
    struct house *house = sockjs_house();
    struct wire *wire =
        stream_from(house, "GET", "/echo/000/s/eventsource", "text/event-stream; charset=UTF-8");
    (void)state;
    wire_chunk(wire, "\r\n");
    wire_chunk(wire, "data: o\r\n\r\n");
    say(house, "/echo/000/s/xhr_send", "[\"x\"]");
    wire_chunk(wire, "data: a[\"x\"]\r\n\r\n");
    say(house, "/echo/000/s/xhr_send", "[\"  \\u0000\\n\\r \"]");
    wire_chunk(wire, "data: a[\"  \\u0000\\n\\r \"]\r\n\r\n");
    /* the client library decodes it */
    say(house, "/echo/000/s/xhr_send", "[\"100%\"]");
    wire_chunk(wire, "data: a[\"100%25\"]\r\n\r\n");

    char message[4200] = "[\"";
    char frame[4300];
    memset(message + 2, 'x', 4096);
    memcpy(message + 4098, "\"]", 3);
    snprintf(frame, sizeof frame, "data: a%s\r\n\r\n", message);
    say(house, "/echo/000/s/xhr_send", message);
    wire_chunk(wire, frame);
    wire_chunk(wire, "");
    house_close(house);
}

static void test_htmlfile(void **state)
{
    static const char HEAD[] =
        "<!doctype html>\n<html><head>\n"
        "  <meta http-equiv=\"X-UA-Compatible\" content=\"IE=edge\" />\n"
        "  <meta http-equiv=\"Content-Type\" content=\"text/html; charset=UTF-8\" />\n"
        "</head><body><h2>Don't panic!</h2>\n  <script>\n"
        "    document.domain = document.domain;\n    var c = parent.callback;\n    c.start();\n"
        "    function p(d) {c.message(d);};\n    window.onload = function() {c.stop();};\n"
        "  </script>";
    struct house *house = sockjs_house();
    struct wire *wire =
        stream_from(house, "GET", "/echo/000/s/htmlfile?c=%63allback", "text/html; charset=UTF-8");
    struct bytes chunk = { NULL, 0, 0 };
    (void)state;
    assert_true(wire_poll_chunk(wire, &chunk));
    assert_true(view_starts(bytes_view(&chunk), view_of(HEAD)));
    assert_true(chunk.size > 1024);
    struct view blank = view_slice(bytes_view(&chunk), sizeof HEAD - 1, chunk.size);
    for (size_t i = 0; i < blank.size; i++)
        assert_non_null(memchr(" \r\n", blank.at[i], 3));
    free(chunk.at);
    wire_chunk(wire, "<script>\np(\"o\");\n</script>\r\n");
    say(house, "/echo/000/s/xhr_send", "[\"x\"]");
    wire_chunk(wire, "<script>\np(\"a[\\\"x\\\"]\");\n</script>\r\n");
    /* a message does not end the script */
    say(house, "/echo/000/s/xhr_send", "[\"</script>\"]");
    wire_chunk(wire, "<script>\np(\"a[\\\"\\u003c/script>\\\"]\");\n</script>\r\n");
    house_close(house);
}

static void test_jsonp(void **state)
{
    static const char FORM[] = "Content-Type: application/x-www-form-urlencoded\r\n";
    static const char SEND[] = "/echo/000/s/jsonp_send";
    struct house *house = sockjs_house();
    struct wire *wire = house_connect(house);
    struct answer answer;
    (void)state;
    wire_request(wire, "GET", "/echo/000/s/jsonp?c=%63allback", "", "");
    wire_head(wire, &answer);
    assert_header(&answer, "Content-Type", "application/javascript; charset=UTF-8");
    assert_header(&answer, "Cache-Control", "no-store, no-cache, must-revalidate, max-age=0");
    assert_header(&answer, "Cross-Origin-Resource-Policy", "cross-origin");
    char *body = wire_body(wire);
    assert_string_equal(body, "callback(\"o\");\r\n");
    free(body);

    post(house, SEND, FORM, "d=%5B%22x%22%5D", 200, "ok");
    wire_poll_frames(wire, "GET", "/echo/000/s/jsonp?callback=_jp.a1",
                     "_jp.a1(\"a[\\\"x\\\"]\");\r\n");
    post(house, SEND, FORM, "d=%5B%22x", 500, "Broken JSON encoding.");
    post(house, SEND, FORM, "d=%5B%2", 500, "Broken JSON encoding.");
    post(house, SEND, FORM, "", 500, "Payload expected.");
    post(house, SEND, FORM, "d=", 500, "Payload expected.");
    post(house, SEND, FORM, "p=p", 500, "Payload expected.");
    post(house, SEND, FORM, "d=%5B%5D", 200, "ok");
    post(house, SEND, FORM, "a=b&d=%5B%22a+b%2B%22%5D", 200, "ok");
    post(house, SEND, "Content-Type: text/plain\r\n", "[\"%61bc\"]", 200, "ok");
    wire_poll_frames(wire, "GET", "/echo/000/s/jsonp?c=x",
                     "x(\"a[\\\"a b+\\\",\\\"%61bc\\\"]\");\r\n");
    post(house, "/echo/000/none/jsonp_send", FORM, "d=%5B%22x%22%5D", 404, "no such session\n");
    house_close(house);
}

static void test_callbacks(void **state)
{
    static const char *const BAD[] = { "%20", "*", "abc(", "abc%28", "", "a%00", "%zz" };
    struct house *house = sockjs_house();
    struct answer answer = { 0 };
    (void)state;
    get(house, "/echo/a/a/jsonp", "", &answer);
    assert_int_equal(answer.code, 500);
    assert_view(bytes_view(&answer.body), "\"callback\" parameter required");
    get(house, "/echo/a/a/htmlfile?x=c", "", &answer);
    assert_int_equal(answer.code, 500);
    assert_view(bytes_view(&answer.body), "\"callback\" parameter required");
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "/echo/a/a/%s?c=%s", i % 2 ? "jsonp" : "htmlfile", BAD[i]);
        get(house, path, "", &answer);
        assert_int_equal(answer.code, 500);
        assert_view(bytes_view(&answer.body), "invalid \"callback\" parameter");
    }
    answer_free(&answer);
    house_close(house);
}

/* ---- the end ---- */

static void test_closes_streams(void **state)
{
    struct house *house = sockjs_house();
    struct wire *first = xhr_stream(house, "/close/000/s/xhr_streaming");
    (void)state;
    wire_chunk(first, "o\n");
    wire_chunk(first, "c[3000,\"Go away!\"]\n");
    wire_chunk(first, "");
    struct wire *second = xhr_stream(house, "/close/000/s/xhr_streaming");
    wire_chunk(second, "c[3000,\"Go away!\"]\n");
    wire_chunk(second, "");
    /* the connection is used again */
    wire_poll_frames(second, "GET", "/close/000/s/jsonp?c=x",
                     "x(\"c[3000,\\\"Go away!\\\"]\");\r\n");
    house_close(house);
}

static void test_another_connection(void **state)
{
    struct house *house = sockjs_house();
    struct wire *first = xhr_stream(house, "/echo/000/s/xhr_streaming");
    (void)state;
    wire_chunk(first, "o\n");
    struct wire *second = xhr_stream(house, "/echo/000/s/xhr_streaming");
    wire_chunk(second, "c[2010,\"Another connection still open\"]\n");
    wire_chunk(second, "");
    assert_quiet(first);
    house_close(house);
}

static void test_interrupted(void **state)
{
    static const char *const TRANSPORTS[] = { "xhr_streaming", "xhr" };
    struct house *house = sockjs_house();
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char path[64];
        snprintf(path, sizeof path, "/echo/000/s%zu/xhr", i);
        xhr(house, path, "o\n");
        snprintf(path, sizeof path, "/echo/000/s%zu/%s", i, TRANSPORTS[i]);
        struct wire *wire = house_connect(house);
        wire_request(wire, "POST", path, "", "");
        assert_int_equal(house_metric(house, METRIC_SESSIONS), 1);
        wire_drop(wire);
        assert_int_equal(house_metric(house, METRIC_SESSIONS), 0);
        snprintf(path, sizeof path, "/echo/000/s%zu/xhr", i);
        xhr(house, path, "c[1002,\"Connection interrupted\"]\n");
        house_wait(house, 6 * USEC_S);
        xhr(house, path, "o\n");
        house_wait(house, 6 * USEC_S);
    }
    house_close(house);
}

/* Five seconds without a receiver. */
static void test_times_out(void **state)
{
    struct house *house = sockjs_house();
    (void)state;
    xhr(house, "/echo/000/s/xhr", "o\n");
    house_wait(house, 4900 * USEC_MS);
    post(house, "/echo/000/s/xhr_send", "", "[\"a\"]", 204, "");
    xhr(house, "/echo/000/s/xhr", "a[\"a\"]\n");
    house_wait(house, 4900 * USEC_MS);
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 1);
    house_wait(house, 200 * USEC_MS);
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 0);
    post(house, "/echo/000/s/xhr_send", "", "[\"a\"]", 404, "no such session\n");
    house_close(house);
}

static void test_heartbeats(void **state)
{
    struct house *house = sockjs_house();
    struct wire *wire = xhr_stream(house, "/echo/000/s/xhr_streaming");
    struct wire *poll = house_connect(house);
    struct answer answer;
    (void)state;
    wire_chunk(wire, "o\n");
    xhr(house, "/echo/000/p/xhr", "o\n");
    wire_request(poll, "POST", "/echo/000/p/xhr", "", "");
    wire_head(poll, &answer);
    house_wait(house, 20 * USEC_S);
    say(house, "/echo/000/s/xhr_send", "[\"x\"]");
    wire_chunk(wire, "a[\"x\"]\n");
    house_wait(house, 4900 * USEC_MS);
    assert_quiet(poll);
    house_wait(house, 200 * USEC_MS);
    wire_chunk(poll, "h\n");
    wire_chunk(poll, "");
    assert_quiet(wire); /* it has just had a frame */
    house_wait(house, 19800 * USEC_MS);
    assert_quiet(wire);
    house_wait(house, 200 * USEC_MS);
    wire_chunk(wire, "h\n");
    house_wait(house, 25 * USEC_S);
    wire_chunk(wire, "h\n");
    assert_quiet(wire);
    house_close(house);
}

/* RFC 9112, section 6.1: an HTTP/1.0 client knows no chunks. */
static void test_http_1_0(void **state)
{
    struct house *house = sockjs_house();
    struct wire *wire = house_connect(house);
    struct answer answer;
    (void)state;
    wire_write(wire, "POST /close/000/s/xhr_streaming HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    wire_head(wire, &answer);
    assert_header(&answer, "Transfer-Encoding", "");
    assert_header(&answer, "Content-Length", "");
    assert_header(&answer, "Connection", "close");
    struct view got = bytes_view(&wire->got);
    assert_int_equal(view_find_byte(got, '\n'), 2048);
    assert_view(view_slice(got, 2049, got.size), "o\nc[3000,\"Go away!\"]\n");
    assert_true(wire_is_closed(wire));
    house_close(house);
}

/* Who does not come for what is said is closed once too much waits. */
static void test_too_much_waits(void **state)
{
    struct house *house = sockjs_house();
    char *message = calloc(1, 50008);
    (void)state;
    assert_non_null(message);
    memcpy(message, "[\"", 2);
    memset(message + 2, 'x', 50000);
    memcpy(message + 50002, "\"]", 3);
    xhr(house, "/echo/000/s/xhr", "o\n");
    for (int i = 0; i < 20; i++)
        post(house, "/echo/000/s/xhr_send", "", message, 204, "");
    assert_int_equal(house_metric(house, METRIC_CLOSED_SLOW), 0);
    post(house, "/echo/000/s/xhr_send", "", message, 204, "");
    assert_int_equal(house_metric(house, METRIC_CLOSED_SLOW), 1);
    xhr(house, "/echo/000/s/xhr", "c[1013,\"reads too slowly\"]\n");
    free(message);
    house_close(house);
}

/* The same with a stream whose client takes nothing: the connection ends, and the session. */
static void test_stream_is_not_read(void **state)
{
    struct house *house = sockjs_house();
    struct wire *wire = xhr_stream(house, "/endless/000/s/xhr_streaming");
    (void)state;
    wire_chunk(wire, "o\n");
    wire_give_room(wire, 0);
    for (int i = 0; i < 2; i++)
        post(house, "/endless/000/s/xhr_send", "", "[\"19\"]", 204, "");
    assert_int_equal(house_metric(house, METRIC_CLOSED_SLOW), 0);
    post(house, "/endless/000/s/xhr_send", "", "[\"1\"]", 204, "");
    assert_int_equal(house_metric(house, METRIC_CLOSED_SLOW), 1);
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 0);
    wire_give_room(wire, SIZE_MAX);
    assert_true(wire_is_closed(wire));
    xhr(house, "/endless/000/s/xhr", "c[1002,\"Connection interrupted\"]\n");
    house_close(house);
}

/* A message too long for any buffer comes whole. */
static void test_long_message(void **state)
{
    struct house *house = sockjs_house();
    struct wire *wire = house_connect(house);
    struct answer answer;
    (void)state;
    xhr(house, "/amplify/000/s/xhr", "o\n");
    post(house, "/amplify/000/s/xhr_send", "", "[\"18\",\"2\"]", 204, "");
    wire_request(wire, "GET", "/amplify/000/s/jsonp?c=f", "", "");
    house_wait(house, 3 * USEC_MS);
    wire_head(wire, &answer);
    char *body = wire_body(wire);
    size_t size = strlen(body);
    assert_int_equal(size, strlen("f(\"a[\\\"\\\",\\\"xxxx\\\"]\");\r\n") + (1 << 18));
    assert_true(view_starts(view_of(body), VIEW("f(\"a[\\\"xxx")));
    static const char END[] = "xxx\\\",\\\"xxxx\\\"]\");\r\n";
    assert_string_equal(body + size + 1 - sizeof END, END);
    free(body);
    house_close(house);
}

static void test_message_limit(void **state)
{
    struct house *house = sockjs_house();
    char *message = calloc(1, 60010);
    (void)state;
    assert_non_null(message);
    memcpy(message, "[\"", 2);
    memset(message + 2, 'x', 60001);
    memcpy(message + 60003, "\"]", 3);
    xhr(house, "/echo/000/s/xhr", "o\n");
    post(house, "/echo/000/s/xhr_send", "", message, 204, "");
    xhr(house, "/echo/000/s/xhr", "c[1009,\"the message is too long\"]\n");
    free(message);
    house_close(house);
}

static void test_server_stops(void **state)
{
    struct house *house = sockjs_house();
    struct wire *wire = xhr_stream(house, "/echo/000/s/xhr_streaming");
    (void)state;
    wire_chunk(wire, "o\n");
    xhr(house, "/echo/000/p/xhr", "o\n");
    server_stop(house->servers[0], house->now);
    house_drain(house);
    wire_chunk(wire, "c[1001,\"the server stops\"]\n");
    wire_chunk(wire, "");
    assert_true(wire_is_closed(wire));
    house_close(house);
}

/* Sessions that are left when the server is freed. */
static void test_server_is_freed(void **state)
{
    struct house *house = sockjs_house();
    struct wire *wire = xhr_stream(house, "/echo/000/s/xhr_streaming");
    (void)state;
    wire_chunk(wire, "o\n");
    xhr(house, "/echo/000/p/xhr", "o\n");
    post(house, "/echo/000/p/xhr_send", "", "[\"waits\"]", 204, "");
    xhr(house, "/close/000/p/xhr", "o\n");
    server_free(house->servers[0]);
    free(wire->got.at);
    free(wire->unfed.at);
    free(house->metrics);
    free(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xhr_streaming),  cmocka_unit_test(test_response_limit),
        cmocka_unit_test(test_eventsource),    cmocka_unit_test(test_htmlfile),
        cmocka_unit_test(test_jsonp),          cmocka_unit_test(test_callbacks),
        cmocka_unit_test(test_closes_streams), cmocka_unit_test(test_another_connection),
        cmocka_unit_test(test_interrupted),    cmocka_unit_test(test_times_out),
        cmocka_unit_test(test_heartbeats),     cmocka_unit_test(test_http_1_0),
        cmocka_unit_test(test_too_much_waits), cmocka_unit_test(test_stream_is_not_read),
        cmocka_unit_test(test_long_message),   cmocka_unit_test(test_message_limit),
        cmocka_unit_test(test_server_stops),   cmocka_unit_test(test_server_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
