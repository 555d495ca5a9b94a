/* test_sockjs.c - a SockJS service outside of its sessions, and sessions over polls: the protocol's
 * own test suite (0.3.3), test by test. */
#include "house_sockjs.h"

static void test_greeting(void **state)
{
    struct house *house = sockjs_house();
    struct answer answer = { 0 };
    static const char *const GREETS[] = { "/echo", "/echo/" };
    static const char *const NOWHERE[] = {
        "/echo/a",        "/echo/a.html", "/echo//",         "/echo///",
        "/echo/a/a",      "/echo/a/a/",   "/echo/a/",        "/echoes",
        "/echo.html",     "/echo///xhr",  "/echo//xhr",      "/echo/a./a/xhr",
        "/echo/a/a./xhr", "/echo/./xhr",  "/echo/./././xhr", "/ech",
    };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        get(house, GREETS[i], "", &answer);
        assert_int_equal(answer.code, 200);
        assert_header(&answer, "Content-Type", "text/plain; charset=UTF-8");
        assert_header(&answer, "Set-Cookie", "");
        assert_view(bytes_view(&answer.body), "Welcome to SockJS!\n");
    }
    for (size_t i = 0; i < sizeof NOWHERE / sizeof NOWHERE[0]; i++) {
        get(house, NOWHERE[i], "", &answer);
        if (answer.code != 404)
            print_error("%s: %u\n", NOWHERE[i], answer.code);
        assert_int_equal(answer.code, 404);
    }
    answer_free(&answer);
    house_close(house);
}

static void check_uncached(const struct answer *answer)
{
    assert_header(answer, "Cache-Control", "no-store, no-cache, must-revalidate, max-age=0");
    assert_header(answer, "Expires", "");
    assert_header(answer, "Last-Modified", "");
}

static void check_cors(const struct answer *answer, const char *origin)
{
    assert_header(answer, "Access-Control-Allow-Origin", origin);
    assert_header(answer, "Access-Control-Allow-Credentials", "true");
}

static void test_info(void **state)
{
    struct house *house = sockjs_house();
    struct answer answer = { 0 };
    struct answer other = { 0 };
    (void)state;
    get(house, "/echo/info", "", &answer);
    assert_int_equal(answer.code, 200);
    assert_header(&answer, "Content-Type", "application/json; charset=UTF-8");
    assert_header(&answer, "Set-Cookie", "");
    check_uncached(&answer);
    check_cors(&answer, "*");
    struct view start =
        VIEW("{\"websocket\":true,\"origins\":[\"*:*\"],\"cookie_needed\":false,\"entropy\":");
    assert_true(view_starts(bytes_view(&answer.body), start));
    uint64_t entropy;
    struct view number =
        view_slice(bytes_view(&answer.body), start.size, answer.body.size - start.size - 1);
    assert_true(view_read_number(number, UINT32_MAX, &entropy));
    get(house, "/echo/info", "", &other);
    assert_false(view_equal(bytes_view(&answer.body), bytes_view(&other.body)));

    get(house, "/disabled_websocket_echo/info", "", &answer);
    assert_true(view_starts(bytes_view(&answer.body), VIEW("{\"websocket\":false,")));
    get(house, "/cookie_needed_echo/info", "", &answer);
    struct view needed = VIEW("\"cookie_needed\":true,");
    assert_true(view_find(bytes_view(&answer.body), needed) < answer.body.size);
    assert_header(&answer, "Set-Cookie", "");
    answer_free(&answer);
    answer_free(&other);
    house_close(house);
}

static void check_options(struct house *house, const char *path, const char *methods)
{
    static const char *const ORIGINS[] = { "", "Origin: test\r\n", "Origin: null\r\n" };
    for (size_t i = 0; i < 3; i++) {
        struct answer answer = { 0 };
        struct wire *wire = house_connect(house);
        wire_request(wire, "OPTIONS", path, ORIGINS[i], "");
        wire_answer(wire, &answer);
        assert_int_equal(answer.code, 204);
        assert_header(&answer, "Cache-Control", "public, max-age=31536000");
        assert_header(&answer, "Access-Control-Max-Age", "31536000");
        assert_header(&answer, "Access-Control-Allow-Methods", methods);
        assert_header(&answer, "Expires", "Mon, 06 Nov 1995 08:49:37 GMT");
        check_cors(&answer, i == 1 ? "test" : "*");
        assert_int_equal(wire->got.size, 0);
        answer_free(&answer);
        wire_drop(wire);
    }
}

static void test_options(void **state)
{
    struct house *house = sockjs_house();
    (void)state;
    check_options(house, "/echo/info", "OPTIONS, GET");
    check_options(house, "/echo/abc/abc/xhr", "OPTIONS, POST");
    check_options(house, "/echo/abc/abc/xhr_send", "OPTIONS, POST");
    check_options(house, "/echo/abc/abc/xhr_streaming", "OPTIONS, POST");
    check_options(house, "/echo/abc/abc/eventsource", "OPTIONS, GET");
    house_close(house);
}

/* Pages from files, and those in a sandbox: a browser that may send cookies takes no "*". */
static void test_null_origin(void **state)
{
    struct house *house = sockjs_house();
    struct answer answer = { 0 };
    struct wire *wire = house_connect(house);
    (void)state;
    get(house, "/echo/info", "Origin: null\r\n", &answer);
    check_cors(&answer, "null");
    wire_request(wire, "OPTIONS", "/echo/abc/abc/xhr",
                 "Origin: null\r\nAccess-Control-Request-Method: POST\r\n", "");
    wire_answer(wire, &answer);
    assert_int_equal(answer.code, 204);
    check_cors(&answer, "null");
    wire_drop(wire);
    answer_free(&answer);
    house_close(house);
}

static void test_iframe(void **state)
{
    static const char PAGE[] =
        "<!DOCTYPE html>\n<html>\n<head>\n"
        "  <meta http-equiv=\"X-UA-Compatible\" content=\"IE=edge\" />\n"
        "  <meta http-equiv=\"Content-Type\" content=\"text/html; charset=UTF-8\" />\n"
        "  <script>\n    document.domain = document.domain;\n"
        "    _sockjs_onload = function(){SockJS.bootstrap_iframe();};\n  </script>\n"
        "  <script src=\"/dist/sockjs.js\"></script>\n</head>\n<body>\n"
        "  <h2>Don't panic!</h2>\n"
        "  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>\n"
        "</body>\n</html>";
    static const char *const PATHS[] = {
        "/echo/iframe.html",
        "/echo/iframe-a.html",
        "/echo/iframe-.html",
        "/echo/iframe-0.1.2abc-dirty.2144.html?t=qweqweq123",
    };
    struct house *house = sockjs_house();
    struct answer answer = { 0 };
    char headers[128];
    (void)state;
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
        get(house, PATHS[i], "", &answer);
        assert_int_equal(answer.code, 200);
        assert_header(&answer, "Content-Type", "text/html; charset=UTF-8");
        assert_header(&answer, "Cache-Control", "public, max-age=31536000");
        assert_header(&answer, "Expires", "Mon, 06 Nov 1995 08:49:37 GMT");
        assert_header(&answer, "Last-Modified", "");
        assert_header(&answer, "Set-Cookie", "");
        assert_view(bytes_view(&answer.body), PAGE);
    }
    struct view etag = answer_header(&answer, "ETag");
    assert_true(etag.size > 10);
    snprintf(headers, sizeof headers, "If-None-Match: %.*s\r\n", VIEW_ARGS(etag));
    struct wire *wire = house_connect(house);
    wire_request(wire, "GET", PATHS[0], headers, "");
    wire_answer(wire, &answer);
    assert_int_equal(answer.code, 304);
    assert_header(&answer, "Content-Type", "");
    assert_int_equal(wire->got.size, 0);
    wire_drop(wire);
    get(house, "/echo/iframe.htm", "", &answer);
    assert_int_equal(answer.code, 404);
    answer_free(&answer);
    house_close(house);
}

static void check_405(struct house *house, const char *method, const char *path, const char *allow)
{
    struct wire *wire = house_connect(house);
    struct answer answer = { 0 };
    wire_request(wire, method, path, "", "");
    wire_answer(wire, &answer);
    assert_int_equal(answer.code, 405);
    assert_header(&answer, "Content-Type", "");
    assert_header(&answer, "Allow", allow);
    assert_int_equal(answer.body.size, 0);
    answer_free(&answer);
    wire_drop(wire);
}

static void test_methods(void **state)
{
    struct house *house = sockjs_house();
    (void)state;
    check_405(house, "POST", "/echo/0/0/websocket", "GET");
    check_405(house, "POST", "/echo/websocket", "GET");
    check_405(house, "POST", "/echo", "GET, HEAD");
    check_405(house, "GET", "/echo/0/0/xhr", "OPTIONS, POST");
    check_405(house, "GET", "/echo/0/0/xhr_send", "OPTIONS, POST");
    check_405(house, "DELETE", "/echo/0/0/eventsource", "OPTIONS, GET");
    check_405(house, "OPTIONS", "/echo/0/0/jsonp", "GET");
    check_405(house, "GET", "/echo/0/0/jsonp_send", "POST");
    house_close(house);
}

/* ---- sessions ---- */

static void test_simple_session(void **state)
{
    struct house *house = sockjs_house();
    (void)state;
    xhr(house, "/echo/000/s/xhr", "o\n");
    post(house, "/echo/000/s/xhr_send", "", "[\"a\"]", 204, "");
    xhr(house, "/echo/999/s/xhr", "a[\"a\"]\n"); /* the server's name is not looked at */
    post(house, "/echo/000/bad/xhr_send", "", "[\"a\"]", 404, "no such session\n");

    struct wire *waits = house_connect(house);
    struct answer answer;
    wire_request(waits, "POST", "/echo/000/s/xhr", "", "");
    wire_head(waits, &answer);
    xhr(house, "/echo/000/s/xhr", "c[2010,\"Another connection still open\"]\n");
    assert_quiet(waits);
    post(house, "/echo/000/s/xhr_send", "", "[\"b\"]", 204, "");
    house_wait(house, 3 * USEC_MS);
    wire_chunk(waits, "a[\"b\"]\n");
    wire_chunk(waits, "");
    wire_drop(waits);
    xhr(house, "/echo/_/_/xhr", "o\n");
    xhr(house, "/echo/abcdefgh_i-j%20/abcdefg_i-j%20/xhr", "o\n");
    house_close(house);
}

static void test_closed_session(void **state)
{
    struct house *house = sockjs_house();
    (void)state;
    xhr(house, "/close/000/s/xhr", "o\n");
    xhr(house, "/close/000/s/xhr", "c[3000,\"Go away!\"]\n");
    house_wait(house, 4 * USEC_S);
    xhr(house, "/close/000/s/xhr", "c[3000,\"Go away!\"]\n");
    post(house, "/close/000/s/xhr_send", "", "[\"a\"]", 204, "");
    house_wait(house, 4 * USEC_S);
    xhr(house, "/close/000/s/xhr", "c[3000,\"Go away!\"]\n");
    house_wait(house, 6 * USEC_S);
    xhr(house, "/close/000/s/xhr", "o\n"); /* the name is free again */
    house_close(house);
}

static void test_headers(void **state)
{
    struct house *house = sockjs_house();
    struct answer answer = { 0 };
    struct wire *wire = house_connect(house);
    (void)state;
    wire_request(wire, "POST", "/echo/000/s/xhr",
                 "Origin: http://x.example\r\nAccess-Control-Request-Headers: a, b, c\r\n", "");
    wire_head(wire, &answer);
    assert_header(&answer, "Content-Type", "application/javascript; charset=UTF-8");
    assert_header(&answer, "Transfer-Encoding", "chunked");
    assert_header(&answer, "Content-Length", "");
    assert_header(&answer, "Access-Control-Allow-Headers", "a, b, c");
    assert_header(&answer, "Vary", "Origin");
    assert_header(&answer, "Set-Cookie", "");
    check_cors(&answer, "http://x.example");
    check_uncached(&answer);
    char *body = wire_body(wire);
    assert_string_equal(body, "o\n");
    free(body);

    wire_request(wire, "POST", "/echo/000/s/xhr_send", "Access-Control-Request-Headers: \r\n",
                 "[\"x\"]");
    wire_answer(wire, &answer);
    assert_int_equal(answer.code, 204);
    assert_header(&answer, "Content-Type", "text/plain; charset=UTF-8");
    assert_header(&answer, "Access-Control-Allow-Headers", "");
    check_cors(&answer, "*");
    check_uncached(&answer);
    assert_int_equal(wire->got.size, 0);
    answer_free(&answer);
    wire_drop(wire);
    house_close(house);
}

static void test_bad_payloads(void **state)
{
    struct house *house = sockjs_house();
    (void)state;
    xhr(house, "/echo/000/s/xhr", "o\n");
    post(house, "/echo/000/s/xhr_send", "", "[\"x", 500, "Broken JSON encoding.");
    post(house, "/echo/000/s/xhr_send", "", "[\"good\",\"x", 500, "Broken JSON encoding.");
    post(house, "/echo/000/s/xhr_send", "", "[1]", 500, "Broken JSON encoding.");
    post(house, "/echo/000/s/xhr_send", "", "", 500, "Payload expected.");
    post(house, "/echo/000/s/xhr_send", "", "\"x\"", 500, "Payload expected.");
    post(house, "/echo/000/s/xhr_send", "", "[]", 204, "");
    post(house, "/echo/000/s/xhr_send", "", "[\"a\"]", 204, "");
    xhr(house, "/echo/000/s/xhr", "a[\"a\"]\n");
    house_close(house);
}

/* What waited while the last request was on its way comes in one: more than a message may hold. */
static void test_long_body(void **state)
{
    static char text[50001];
    static char body[5 * sizeof text];
    struct house *house = sockjs_house();
    (void)state;
    memset(text, 'x', sizeof text - 1);
    xhr(house, "/others/000/s/xhr", "o\n");
    snprintf(body, sizeof body, "[\"%s\",\"%s\",\"%s\"]", text, text, text);
    post(house, "/others/000/s/xhr_send", "", body, 204, "");
    assert_int_equal(house_metric(house, METRIC_SESSION_IN), 3);

    memset(body, 'x', sizeof body - 1);
    struct answer answer = { 0 };
    struct wire *wire = house_connect(house);
    wire_request(wire, "POST", "/others/000/s/xhr_send", "", body);
    wire_answer(wire, &answer);
    assert_int_equal(answer.code, 413);
    answer_free(&answer);
    wire_drop(wire);
    house_close(house);
}

static void test_content_types(void **state)
{
    static const char *const TYPES[] = {
        "text/plain", "T",        "application/json",        "application/xml",
        "",           "text/xml", "text/xml; charset=utf-8", "application/json; charset=utf-8",
    };
    struct house *house = sockjs_house();
    char headers[100];
    (void)state;
    xhr(house, "/echo/000/s/xhr", "o\n");
    for (size_t i = 0; i < 8; i++) {
        snprintf(headers, sizeof headers, "Content-Type: %s\r\n", TYPES[i]);
        post(house, "/echo/000/s/xhr_send", headers, "[\"a\"]", 204, "");
    }
    xhr(house, "/echo/000/s/xhr", "a[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"]\n");
    house_close(house);
}

static void test_encoding(void **state)
{
    struct house *house = sockjs_house();
    (void)state;
    xhr(house, "/echo/000/s/xhr", "o\n");
    post(house, "/echo/000/s/xhr_send", "",
         "[\"\xe2\x80\x8c\xe2\x80\xa8\xe2\x81\xa0\xef\xbf\xb0\xef\xbf\xbf\"]", 204, "");
    xhr(house, "/echo/000/s/xhr", "a[\"\\u200c\\u2028\\u2060\\ufff0\\uffff\"]\n");
    post(house, "/echo/000/s/xhr_send", "", "[\"\\u0000\\n\\u00ad\\ufb4e\\ud83d\"]", 204, "");
    xhr(house, "/echo/000/s/xhr", "a[\"\\u0000\\n\xc2\xad\xef\xad\x8e\\ufffd\"]\n");
    house_close(house);
}

/* A poll is answered with all that is said within one instant. */
static void test_one_frame(void **state)
{
    struct house *house = sockjs_house();
    struct wire *waits = house_connect(house);
    struct answer answer;
    (void)state;
    xhr(house, "/echo/000/s/xhr", "o\n");
    wire_request(waits, "POST", "/echo/000/s/xhr", "", "");
    wire_head(waits, &answer);
    post(house, "/echo/000/s/xhr_send", "", "[\"a\",\"b\",\"c\"]", 204, "");
    house_wait(house, 3 * USEC_MS);
    wire_chunk(waits, "a[\"a\",\"b\",\"c\"]\n");
    wire_chunk(waits, "");
    house_close(house);
}

static void test_cookies(void **state)
{
    static const struct {
        const char *sent;
        const char *wanted;
    } COOKIES[] = {
        { "", "JSESSIONID=dummy; path=/" },
        { "Cookie: JSESSIONID=abcdef\r\n", "JSESSIONID=abcdef; path=/" },
        { "Cookie: a=b; JSESSIONID=x.1 ;c=d\r\n", "JSESSIONID=x.1; path=/" },
        { "Cookie: XJSESSIONID=abcdef\r\n", "JSESSIONID=dummy; path=/" },
        { "Cookie: JSESSIONID=\r\n", "JSESSIONID=dummy; path=/" },
    };
    struct house *house = sockjs_house();
    struct answer answer = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof COOKIES / sizeof COOKIES[0]; i++) {
        struct wire *wire = house_connect(house);
        char path[64];
        snprintf(path, sizeof path, "/cookie_needed_echo/000/s%zu/xhr", i);
        wire_request(wire, "POST", path, COOKIES[i].sent, "");
        wire_head(wire, &answer);
        assert_header(&answer, "Set-Cookie", COOKIES[i].wanted);
        wire_drop(wire);
    }
    house_close(house);
}

static void test_origins(void **state)
{
    struct house *house = sockjs_house();
    struct answer answer = { 0 };
    (void)state;
    get(house, "/guarded/info", "Origin: https://good.example\r\n", &answer);
    assert_int_equal(answer.code, 200);
    check_cors(&answer, "https://good.example");
    get(house, "/guarded/info", "Origin: https://bad.example\r\n", &answer);
    assert_int_equal(answer.code, 403);
    assert_header(&answer, "Access-Control-Allow-Origin", "");
    answer_free(&answer);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_greeting),       cmocka_unit_test(test_info),
        cmocka_unit_test(test_options),        cmocka_unit_test(test_null_origin),
        cmocka_unit_test(test_iframe),         cmocka_unit_test(test_methods),
        cmocka_unit_test(test_simple_session), cmocka_unit_test(test_closed_session),
        cmocka_unit_test(test_headers),        cmocka_unit_test(test_bad_payloads),
        cmocka_unit_test(test_content_types),  cmocka_unit_test(test_long_body),
        cmocka_unit_test(test_encoding),       cmocka_unit_test(test_one_frame),
        cmocka_unit_test(test_cookies),        cmocka_unit_test(test_origins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
