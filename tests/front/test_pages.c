/* The meeting page's files: types, caching, compression, ranges, what the browser may do. */
#include "house_http.h"

#define HOST "Host: moim.example\r\n"

#define PAGE   "<!doctype html><title>moim</title>"
#define SCRIPT "0123456789abcdefghijklmnopqrstuvwxyz"

static const struct asset FILES[] = {
    { "/empty.txt", "text/plain; charset=utf-8", "\"e0\"", { NULL, 0 }, { NULL, 0 } },
    { "/index.html",
      "text/html; charset=utf-8",
      "\"aa\"",
      { (const uint8_t *)PAGE, sizeof PAGE - 1 },
      { NULL, 0 } },
    { "/main.js",
      "text/javascript; charset=utf-8",
      "\"bb\"",
      { (const uint8_t *)SCRIPT, sizeof SCRIPT - 1 },
      { (const uint8_t *)"\x1f\x8bzipped", 8 } },
    { "/style/base.css", "text/css", "\"cc\"", { (const uint8_t *)"p{}", 3 }, { NULL, 0 } },
};
static const struct assets ASSETS = { FILES, sizeof FILES / sizeof FILES[0] };

static struct house *build(void)
{
    return house_build(&(struct wishes){ .assets = &ASSETS });
}

/* GET of a path with some headers, each with its CRLF. */
static void get(struct house *house, const char *path, const char *headers, struct answer *answer)
{
    char request[1000];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "%s\r\n", path, headers);
    house_ask(house, request, answer);
}

static void test_page(void **state)
{
    static const char *const PATHS[] = {
        "/", "/?a=b", "/r/standup", "/r/%EB%AA%A8", "/index.html", "/r/../../x/y", "/r/a%2Fb"
    };
    struct house *house = build();
    struct answer answer = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
        get(house, PATHS[i], "", &answer);
        assert_int_equal(answer.code, 200);
        assert_view(bytes_view(&answer.body), PAGE);
        assert_header(&answer, "Content-Type", "text/html; charset=utf-8");
        assert_header(&answer, "ETag", "\"aa\"");
        assert_header(&answer, "Cache-Control", "no-cache");
        assert_header(&answer, "Content-Encoding", "");
    }
    /* what the browser may do with it */
    struct view policy = answer_header(&answer, "Content-Security-Policy");
    assert_true(view_find(policy, VIEW("default-src 'self'")) < policy.size);
    assert_true(view_find(policy, VIEW("script-src 'self';")) < policy.size);
    assert_true(view_find(policy, VIEW("object-src 'none'")) < policy.size);
    assert_true(view_find(policy, VIEW("frame-ancestors 'none'")) < policy.size);
    assert_true(view_find(policy, VIEW("unsafe")) == policy.size);
    assert_header(&answer, "X-Content-Type-Options", "nosniff");
    assert_header(&answer, "X-Frame-Options", "DENY");
    assert_header(&answer, "Referrer-Policy", "no-referrer");
    assert_header(&answer, "Cross-Origin-Opener-Policy", "same-origin");
    assert_header(&answer, "Cross-Origin-Resource-Policy", "same-origin");
    assert_true(answer_header(&answer, "Permissions-Policy").size > 0);
    assert_header(&answer, "Access-Control-Allow-Origin", "");
    answer_free(&answer);
    house_close(house);
}

static void test_files(void **state)
{
    struct house *house = build();
    struct answer answer = { 0 };
    (void)state;
    get(house, "/main.js", "", &answer);
    assert_int_equal(answer.code, 200);
    assert_view(bytes_view(&answer.body), SCRIPT);
    assert_header(&answer, "Content-Type", "text/javascript; charset=utf-8");
    assert_header(&answer, "Accept-Ranges", "bytes");
    assert_header(&answer, "Vary", "Accept-Encoding");
    assert_header(&answer, "X-Content-Type-Options", "nosniff");
    assert_header(&answer, "Content-Security-Policy", "");
    get(house, "/style/base.css", "", &answer);
    assert_view(bytes_view(&answer.body), "p{}");
    get(house, "/empty.txt", "", &answer);
    assert_int_equal(answer.code, 200);
    assert_header(&answer, "Content-Length", "0");

    static const char *const NOT_THERE[] = {
        "/main.j",   "/main.jss", "/style", "/style/", "/style/../index.html",
        "//main.js", "/zzz",      "/a"
    };
    for (size_t i = 0; i < sizeof NOT_THERE / sizeof NOT_THERE[0]; i++) {
        get(house, NOT_THERE[i], "", &answer);
        assert_int_equal(answer.code, 404);
    }
    get(house, "/m%61in%2ejs", "", &answer);
    assert_int_equal(answer.code, 200);

    house_ask(house, "POST /main.js HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", &answer);
    assert_int_equal(answer.code, 405);
    assert_header(&answer, "Allow", "GET, HEAD");
    answer_free(&answer);
    house_close(house);
}

static void test_no_files(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    (void)state;
    get(house, "/", "", &answer);
    assert_int_equal(answer.code, 404);
    get(house, "/main.js", "", &answer);
    assert_int_equal(answer.code, 404);
    answer_free(&answer);
    house_close(house);
}

static void test_head(void **state)
{
    struct house *house = build();
    struct answer answer = { 0 };
    (void)state;
    house_ask(house, "HEAD /main.js HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 200);
    assert_header(&answer, "Content-Length", "36");
    assert_header(&answer, "ETag", "\"bb\"");
    house_ask(house, "HEAD / HTTP/1.1\r\n" HOST "\r\n", &answer);
    assert_int_equal(answer.code, 200);
    assert_header(&answer, "Content-Length", "34");
    /* a range is for GET alone (RFC 9110, section 14.2) */
    house_ask(house, "HEAD /main.js HTTP/1.1\r\n" HOST "Range: bytes=0-1\r\n\r\n", &answer);
    assert_int_equal(answer.code, 200);
    assert_header(&answer, "Content-Length", "36");
    house_ask(house, "HEAD /main.js HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n", &answer);
    assert_header(&answer, "Content-Encoding", "gzip");
    assert_header(&answer, "Content-Length", "8");
    answer_free(&answer);
    house_close(house);
}

static void test_not_modified(void **state)
{
    static const char *const SAME[] = { "\"bb\"", "W/\"bb\"", "\"x\", \"bb\"", "*" };
    static const char *const OTHER[] = { "\"b\"", "\"bbb\"", "bb", "\"aa\"" };
    struct house *house = build();
    struct answer answer = { 0 };
    char header[100];
    (void)state;
    for (size_t i = 0; i < sizeof SAME / sizeof SAME[0]; i++) {
        snprintf(header, sizeof header, "If-None-Match: %s\r\n", SAME[i]);
        get(house, "/main.js", header, &answer);
        assert_int_equal(answer.code, 304);
        assert_header(&answer, "ETag", "\"bb\"");
        assert_header(&answer, "Cache-Control", "no-cache");
        assert_header(&answer, "Vary", "Accept-Encoding");
        assert_header(&answer, "Content-Length", "");
        assert_header(&answer, "Content-Type", "");
    }
    for (size_t i = 0; i < sizeof OTHER / sizeof OTHER[0]; i++) {
        snprintf(header, sizeof header, "If-None-Match: %s\r\n", OTHER[i]);
        get(house, "/main.js", header, &answer);
        assert_int_equal(answer.code, 200);
    }
    /* it comes before a range */
    get(house, "/main.js", "If-None-Match: \"bb\"\r\nRange: bytes=0-1\r\n", &answer);
    assert_int_equal(answer.code, 304);
    assert_int_equal(house_metric(house, METRIC_HTTP_3XX), 5);
    answer_free(&answer);
    house_close(house);
}

static void test_gzip(void **state)
{
    static const char *const YES[] = { "gzip", "deflate, gzip;q=0.5, br", "GZIP" };
    static const char *const NO[] = { "br", "gzip;q=0", "xgzip", "gzip; q=0.000" };
    struct house *house = build();
    struct answer answer = { 0 };
    char header[100];
    (void)state;
    for (size_t i = 0; i < sizeof YES / sizeof YES[0]; i++) {
        snprintf(header, sizeof header, "Accept-Encoding: %s\r\n", YES[i]);
        get(house, "/main.js", header, &answer);
        assert_header(&answer, "Content-Encoding", "gzip");
        assert_header(&answer, "Content-Type", "text/javascript; charset=utf-8");
        assert_view(bytes_view(&answer.body), "\x1f\x8bzipped");
        /* the same tag can't stand for other bytes: it is a weak one (RFC 9110, section 8.8.1) */
        assert_header(&answer, "ETag", "W/\"bb\"");
        get(house, "/style/base.css", header, &answer);
        assert_header(&answer, "Content-Encoding", "");
        assert_header(&answer, "ETag", "\"cc\"");
    }
    for (size_t i = 0; i < sizeof NO / sizeof NO[0]; i++) {
        snprintf(header, sizeof header, "Accept-Encoding: %s\r\n", NO[i]);
        get(house, "/main.js", header, &answer);
        assert_header(&answer, "Content-Encoding", "");
        assert_view(bytes_view(&answer.body), SCRIPT);
    }
    get(house, "/main.js", "Accept-Encoding: gzip\r\nIf-None-Match: W/\"bb\"\r\n", &answer);
    assert_int_equal(answer.code, 304);
    assert_header(&answer, "ETag", "W/\"bb\"");
    /* a part is of the file as it is */
    get(house, "/main.js", "Accept-Encoding: gzip\r\nRange: bytes=4-7\r\n", &answer);
    assert_int_equal(answer.code, 206);
    assert_header(&answer, "Content-Encoding", "");
    assert_header(&answer, "ETag", "\"bb\"");
    assert_view(bytes_view(&answer.body), "4567");
    get(house, "/main.js", "Accept-Encoding: gzip\r\nRange: bytes=4-\r\nIf-Range: W/\"bb\"\r\n",
        &answer);
    assert_int_equal(answer.code, 200);
    assert_header(&answer, "Content-Encoding", "gzip");
    answer_free(&answer);
    house_close(house);
}

struct part {
    const char *range;
    const char *content_range;
    const char *body;
};

static void test_ranges(void **state)
{
    static const struct part PARTS[] = {
        { "bytes=0-0", "bytes 0-0/36", "0" },
        { "bytes=10-15", "bytes 10-15/36", "abcdef" },
        { "bytes=30-", "bytes 30-35/36", "uvwxyz" },
        { "bytes=-2", "bytes 34-35/36", "yz" },
        { "bytes=-100", "bytes 0-35/36", SCRIPT },
        { "bytes=35-99", "bytes 35-35/36", "z" },
        { "bytes=0-18446744073709551615", "bytes 0-35/36", SCRIPT },
    };
    static const char *const NOT_SATISFIABLE[] = { "bytes=36-", "bytes=36-40", "bytes=-0" };
    static const char *const IGNORED[] = { "bytes=5-4", "bytes=0-1,3-4", "lines=1-2", "bytes=x-" };
    struct house *house = build();
    struct answer answer = { 0 };
    char header[100];
    (void)state;
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        snprintf(header, sizeof header, "Range: %s\r\n", PARTS[i].range);
        get(house, "/main.js", header, &answer);
        assert_int_equal(answer.code, 206);
        assert_header(&answer, "Content-Range", PARTS[i].content_range);
        assert_header(&answer, "Content-Type", "text/javascript; charset=utf-8");
        assert_header(&answer, "ETag", "\"bb\"");
        assert_view(bytes_view(&answer.body), PARTS[i].body);
    }
    for (size_t i = 0; i < sizeof NOT_SATISFIABLE / sizeof NOT_SATISFIABLE[0]; i++) {
        snprintf(header, sizeof header, "Range: %s\r\n", NOT_SATISFIABLE[i]);
        get(house, "/main.js", header, &answer);
        assert_int_equal(answer.code, 416);
        assert_header(&answer, "Content-Range", "bytes */36");
    }
    for (size_t i = 0; i < sizeof IGNORED / sizeof IGNORED[0]; i++) {
        snprintf(header, sizeof header, "Range: %s\r\n", IGNORED[i]);
        get(house, "/main.js", header, &answer);
        assert_int_equal(answer.code, 200);
        assert_view(bytes_view(&answer.body), SCRIPT);
    }
    get(house, "/empty.txt", "Range: bytes=0-\r\n", &answer);
    assert_int_equal(answer.code, 416);
    get(house, "/main.js", "Range: bytes=0-1\r\nIf-Range: \"bb\"\r\n", &answer);
    assert_int_equal(answer.code, 206);
    get(house, "/main.js", "Range: bytes=0-1\r\nIf-Range: \"old\"\r\n", &answer);
    assert_int_equal(answer.code, 200);
    get(house, "/main.js", "Range: bytes=99-\r\nIf-Range: \"old\"\r\n", &answer);
    assert_int_equal(answer.code, 200);
    answer_free(&answer);
    house_close(house);
}

/* A file larger than what may wait: it comes whole, however little is taken at a time, and so does
 * what was asked for behind it. */
static void test_large_file(void **state)
{
    uint8_t *content = malloc(600000);
    assert_non_null(content);
    for (uint32_t i = 0; i < 600000; i++)
        content[i] = (uint8_t)(i * 31 >> 3);
    const struct asset file = {
        "/a", "text/plain", "\"a\"", view_make(content, 600000), { NULL, 0 }
    };
    const struct assets assets = { &file, 1 };
    struct house *house = house_build(&(struct wishes){ .assets = &assets });
    struct answer answer = { 0 };
    struct wire *wire = house_connect(house);
    (void)state;
    wire_give_room(wire, 777);
    wire_write(wire, "GET /a HTTP/1.1\r\n" HOST "\r\nGET /a HTTP/1.1\r\n" HOST
                     "Range: bytes=1-599998\r\n\r\nGET /healthz HTTP/1.1\r\n" HOST "\r\n");
    assert_true(wire->is_paused);
    while (!wire_poll_answer(wire, &answer, false))
        wire_give_room(wire, 7777);
    assert_int_equal(answer.code, 200);
    assert_true(view_equal(bytes_view(&answer.body), file.content));
    while (!wire_poll_answer(wire, &answer, false))
        wire_give_room(wire, 7777);
    assert_int_equal(answer.code, 206);
    assert_true(view_equal(bytes_view(&answer.body), view_slice(file.content, 1, 599998)));
    while (!wire_poll_answer(wire, &answer, false))
        wire_give_room(wire, 7777);
    assert_view(bytes_view(&answer.body), "live\n");
    answer_free(&answer);
    house_close(house);
    free(content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page),         cmocka_unit_test(test_files),
        cmocka_unit_test(test_no_files),     cmocka_unit_test(test_head),
        cmocka_unit_test(test_not_modified), cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_ranges),       cmocka_unit_test(test_large_file),
    };
    return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
