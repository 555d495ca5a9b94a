/* test_http.c - request heads (RFC 9112, sections 2 to 5): what is read, in how many pieces it may
 * come, what the limits are.  How bodies are framed is in test_http_framing.c. */
#include "support.h"

#include "wire/http.h"

/* Reads a head out of memory of exactly its size; the views are gone afterwards. */
static int read_bytes(struct view bytes, size_t *used)
{
    struct http_request request;
    size_t scanned = 0;
    uint8_t *copy = test_copy(bytes);
    int status = http_read_head(view_make(copy, bytes.size), &scanned, &request, used);
    free(copy);
    return status;
}

static void check(const char *text, int wanted)
{
    size_t used = 0;
    int status = read_bytes(view_of(text), &used);
    if (status != wanted)
        print_error("%s\n", text);
    assert_int_equal(status, wanted);
    assert_int_equal(used, wanted == OK ? strlen(text) : 0);
}

static void read_ok(const char *text, struct http_request *request)
{
    size_t scanned = 0;
    size_t used;
    assert_int_equal(http_read_head(view_of(text), &scanned, request, &used), OK);
    assert_int_equal(used, strlen(text));
}

#define HOST "Host: moim.example\r\n"

/* RFC 9112, section 2.1 */
static void test_example(void **state)
{
    (void)state;
    struct http_request request;
    read_ok("GET /hello.txt?a=b?c HTTP/1.1\r\nUser-Agent: curl/7.64.1\r\n"
            "Host: www.example.com\r\nAccept-Language:  en, mi \t\r\nX-Empty:\r\n\r\n",
            &request);
    assert_int_equal(request.method, METHOD_GET);
    assert_view(request.target, "/hello.txt?a=b?c");
    assert_view(request.path, "/hello.txt");
    assert_view(request.query, "a=b?c");
    assert_int_equal(request.header_count, 4);
    assert_view(request.headers[0].name, "User-Agent");
    assert_view(request.headers[0].value, "curl/7.64.1");
    assert_view(http_header(&request, "accept-language"), "en, mi");
    assert_non_null(http_header(&request, "x-empty").at);
    assert_int_equal(http_header(&request, "x-empty").size, 0);
    assert_null(http_header(&request, "accept").at);
    assert_int_equal(request.body, HTTP_BODY_NONE);
    assert_true(request.keep_alive);
    assert_false(request.upgrade);
    assert_false(request.expect_continue);
}

static void check_method(const char *name, enum request_method wanted)
{
    char text[128];
    struct http_request request;
    snprintf(text, sizeof(text), "%s / HTTP/1.1\r\n" HOST "\r\n", name);
    read_ok(text, &request);
    assert_int_equal(request.method, wanted);
}

static void test_methods(void **state)
{
    (void)state;
    check_method("GET", METHOD_GET);
    check_method("HEAD", METHOD_HEAD);
    check_method("POST", METHOD_POST);
    check_method("PUT", METHOD_PUT);
    check_method("DELETE", METHOD_DELETE);
    check_method("PATCH", METHOD_PATCH);
    check_method("OPTIONS", METHOD_OPTIONS);
    check_method("TRACE", METHOD_OTHER);
    check_method("PROPFIND", METHOD_OTHER);
    check("get / HTTP/1.1\r\n" HOST "\r\n", ERR_MALFORMED);
    check("GETS / HTTP/1.1\r\n" HOST "\r\n", ERR_MALFORMED);
    check(" / HTTP/1.1\r\n" HOST "\r\n", ERR_MALFORMED);
}

static void test_targets(void **state)
{
    (void)state;
    check("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", OK);
    check("GET /a%20b HTTP/1.1\r\n" HOST "\r\n", OK);
    check("GET http://moim.example/ HTTP/1.1\r\n" HOST "\r\n", ERR_MALFORMED);
    check("CONNECT moim.example:80 HTTP/1.1\r\n" HOST "\r\n", ERR_MALFORMED);
    check("GET moim.example HTTP/1.1\r\n" HOST "\r\n", ERR_MALFORMED);
    check("GET *x HTTP/1.1\r\n" HOST "\r\n", ERR_MALFORMED);
    check("GET  HTTP/1.1\r\n" HOST "\r\n", ERR_MALFORMED);
    check("GET / x HTTP/1.1\r\n" HOST "\r\n", ERR_MALFORMED);
    check("GET /\fx HTTP/1.1\r\n" HOST "\r\n", ERR_MALFORMED);
    check("GET / HTTP/1.1 \r\n" HOST "\r\n", ERR_MALFORMED);
    check("GET /\tx HTTP/1.1\r\n" HOST "\r\n", ERR_MALFORMED);
}

static void test_versions(void **state)
{
    (void)state;
    check("GET / HTTP/1.0\r\n\r\n", OK);
    check("GET / HTTP/1.1\r\n" HOST "\r\n", OK);
    check("GET / HTTP/1.2\r\n" HOST "\r\n", ERR_UNSUPPORTED);
    check("GET / HTTP/2.0\r\n" HOST "\r\n", ERR_UNSUPPORTED);
    check("GET / HTTP/0.9\r\n" HOST "\r\n", ERR_UNSUPPORTED);
    check("GET / HTTP/1\r\n" HOST "\r\n", ERR_UNSUPPORTED);
    check("GET / HTTX/1.1\r\n" HOST "\r\n", ERR_MALFORMED);
    check("PRI * HTTP/2.0\r\n\r\n", ERR_MALFORMED); /* the preface of HTTP/2 */
}

/* Section 3.2: exactly one Host, which HTTP/1.0 may leave out. */
static void test_host(void **state)
{
    (void)state;
    check("GET / HTTP/1.1\r\n\r\n", ERR_MALFORMED);
    check("GET / HTTP/1.1\r\nHost:\r\n\r\n", OK);
    check("GET / HTTP/1.1\r\n" HOST HOST "\r\n", ERR_MALFORMED);
    check("GET / HTTP/1.1\r\n" HOST "hOST: other.example\r\n\r\n", ERR_MALFORMED);
    check("GET / HTTP/1.0\r\n" HOST HOST "\r\n", ERR_MALFORMED);
}

/* Section 2.2: a bare CR or LF ends nothing, and controls stand nowhere. */
static void test_line_ends(void **state)
{
    (void)state;
    check("GET / HTTP/1.1\n" HOST "\r\n", ERR_MALFORMED);
    check("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", ERR_MALFORMED);
    check("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", ERR_MALFORMED);
    check("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", ERR_MALFORMED);
    check("GET / HTTP/1.1\nHost: a\n\n", ERR_MORE);
    for (unsigned c = 0; c < 256; c++) {
        char text[] = "GET / HTTP/1.1\r\nHost: moim.example\r\nX: a?b\r\n\r\n";
        size_t used;
        *strchr(text, '?') = (char)c;
        int wanted = (c >= 0x20 && c != 0x7f) || c == '\t' ? OK : ERR_MALFORMED;
        assert_int_equal(read_bytes(view_make(text, sizeof(text) - 1), &used), wanted);
    }
}

/* Section 5.1: a name is a token, right before its colon; 5.2: no folded lines. */
static void test_names(void **state)
{
    (void)state;
    check("GET / HTTP/1.1\r\n" HOST "X : a\r\n\r\n", ERR_MALFORMED);
    check("GET / HTTP/1.1\r\n" HOST "X\t: a\r\n\r\n", ERR_MALFORMED);
    check("GET / HTTP/1.1\r\n" HOST "X Y: a\r\n\r\n", ERR_MALFORMED);
    check("GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n", ERR_MALFORMED);
    check("GET / HTTP/1.1\r\n" HOST "X\r\n\r\n", ERR_MALFORMED);
    check("GET / HTTP/1.1\r\n" HOST " X: a\r\n\r\n", ERR_MALFORMED);
    check("GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", ERR_MALFORMED);
    check("GET / HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n", ERR_MALFORMED);
    check("GET / HTTP/1.1\r\n X: a\r\n" HOST "\r\n", ERR_MALFORMED);
    for (unsigned c = 1; c < 256; c++) {
        char text[] = "GET / HTTP/1.1\r\nHost: moim.example\r\nX?Y: a\r\n\r\n";
        size_t used;
        *strchr(text, '?') = (char)c;
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bool wanted = is_letter || strchr("!#$%&'*+-.^_`|~:", (int)c);
        int status = read_bytes(view_make(text, sizeof(text) - 1), &used);
        assert_int_equal(status, wanted ? OK : ERR_MALFORMED);
    }
}

/* Section 2.2: empty lines before the request line are read over. */
static void test_empty_lines_before(void **state)
{
    (void)state;
    check("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", OK);
    check("\n\nGET / HTTP/1.1\r\n" HOST "\r\n", ERR_MALFORMED);
    check("\r\n", ERR_MORE);
    check("\r", ERR_MORE);
    check("", ERR_MORE);
    char *blank = malloc(HTTP_HEAD_MAX + 4);
    size_t used;
    for (size_t i = 0; i < HTTP_HEAD_MAX + 4; i++)
        blank[i] = i % 2 ? '\n' : '\r';
    assert_int_equal(read_bytes(view_make(blank, HTTP_HEAD_MAX + 4), &used), ERR_LIMIT);
    free(blank);
}

/* Byte by byte: no answer before the last, and the search goes on where it was. */
static void test_every_cut(void **state)
{
    (void)state;
    static const char TEXT[] = "\r\nPOST /a?b HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\n";
    const size_t size = sizeof(TEXT) - 1;
    size_t scanned = 0;
    struct http_request request = { .header_count = 77 };
    for (size_t cut = 0; cut <= size; cut++) {
        size_t used = 99;
        uint8_t *copy = test_copy(view_make(TEXT, cut));
        int status = http_read_head(view_make(copy, cut), &scanned, &request, &used);
        assert_int_equal(status, cut < size ? ERR_MORE : OK);
        assert_int_equal(used, cut < size ? 99 : size);
        assert_int_equal(request.header_count, cut < size ? 77 : 2);
        assert_in_range(scanned, 0, cut);
        free(copy);
    }
}

static void test_what_follows_is_left(void **state)
{
    (void)state;
    static const char FIRST[] = "GET /1 HTTP/1.1\r\n" HOST "\r\n";
    struct http_request request;
    size_t scanned = 0;
    size_t used;
    struct view both = VIEW("GET /1 HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(http_read_head(both, &scanned, &request, &used), OK);
    assert_int_equal(used, sizeof(FIRST) - 1);
    assert_view(request.path, "/1");
}

/* A head of exactly `size` bytes, the caller's to free. */
static char *head_of(size_t size)
{
    static const char START[] = "GET / HTTP/1.1\r\n" HOST "X: ";
    char *text = malloc(size);
    memset(text, 'a', size);
    memcpy(text, START, sizeof(START) - 1);
    memcpy(text + size - 4, "\r\n\r\n", 4);
    return text;
}

static void test_size_limit(void **state)
{
    (void)state;
    size_t used;
    for (size_t size = HTTP_HEAD_MAX - 1; size <= HTTP_HEAD_MAX + 1; size++) {
        char *text = head_of(size);
        int wanted = size <= HTTP_HEAD_MAX ? OK : ERR_LIMIT;
        assert_int_equal(read_bytes(view_make(text, size), &used), wanted);
        wanted = size <= HTTP_HEAD_MAX ? ERR_MORE : ERR_LIMIT;
        assert_int_equal(read_bytes(view_make(text, size - 1), &used), wanted);
        free(text);
    }
}

static void test_count_of_headers(void **state)
{
    (void)state;
    for (unsigned count = HTTP_HEADERS_MAX - 1; count <= HTTP_HEADERS_MAX + 1; count++) {
        char text[2048] = "GET / HTTP/1.1\r\n";
        for (unsigned i = 0; i < count; i++)
            strcat(text, i == 0 ? HOST : "a:b\r\n");
        strcat(text, "\r\n");
        check(text, count <= HTTP_HEADERS_MAX ? OK : ERR_LIMIT);
    }
}

static void test_size_of_the_target(void **state)
{
    (void)state;
    for (unsigned size = HTTP_TARGET_MAX - 1; size <= HTTP_TARGET_MAX + 1; size++) {
        char text[HTTP_TARGET_MAX + 100];
        snprintf(text, sizeof(text), "GET /%0*d HTTP/1.1\r\n" HOST "\r\n", (int)size - 1, 0);
        check(text, size <= HTTP_TARGET_MAX ? OK : ERR_LIMIT);
    }
}

/* Every byte of a request turned into every other: safe, and never more than was there. */
static void test_every_byte_changed(void **state)
{
    (void)state;
    static const char TEXT[] = "GET /a?b HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n";
    const size_t size = sizeof(TEXT) - 1;
    for (size_t at = 0; at < size; at++) {
        for (unsigned c = 0; c < 256; c++) {
            struct http_request request;
            size_t scanned = 0;
            size_t used = 0;
            uint8_t *copy = test_copy(view_make(TEXT, size));
            copy[at] = (uint8_t)c;
            int status = http_read_head(view_make(copy, size), &scanned, &request, &used);
            assert_in_range(used, 0, size);
            for (uint32_t i = 0; status == OK && i < request.header_count; i++) {
                const struct http_header *header = &request.headers[i];
                assert_in_range((uintptr_t)header->name.at, (uintptr_t)copy,
                                (uintptr_t)copy + size - header->name.size);
                assert_in_range((uintptr_t)header->value.at, (uintptr_t)copy,
                                (uintptr_t)copy + size - header->value.size);
            }
            free(copy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_empty_lines_before),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_what_follows_is_left),
        cmocka_unit_test(test_size_limit),
        cmocka_unit_test(test_count_of_headers),
        cmocka_unit_test(test_size_of_the_target),
        cmocka_unit_test(test_every_byte_changed),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
