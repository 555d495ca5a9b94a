/* test_http_framing.c - how a request's body is framed, in the shapes with which requests are
 * smuggled (RFC 9112, sections 6 and 11.2), and what the connection is to do afterwards. */
#include "support.h"

#include "wire/http.h"

static int read_fields(const char *start, const char *fields, struct http_request *request)
{
    static char text[4096];
    size_t scanned = 0;
    size_t used;
    int size = snprintf(text, sizeof(text), "%s\r\nHost: moim.example\r\n%s\r\n", start, fields);
    return http_read_head(view_make(text, (size_t)size), &scanned, request, &used);
}

#define POST "POST / HTTP/1.1"

static void check_status(const char *fields, int wanted)
{
    struct http_request request;
    int status = read_fields(POST, fields, &request);
    if (status != wanted)
        print_error("%s\n", fields);
    assert_int_equal(status, wanted);
}

static void check_length(const char *fields, uint64_t size)
{
    struct http_request request;
    assert_int_equal(read_fields(POST, fields, &request), OK);
    assert_int_equal(request.body, HTTP_BODY_LENGTH);
    assert_int_equal(request.body_size, size);
}

static void test_no_body(void **state)
{
    (void)state;
    struct http_request request;
    assert_int_equal(read_fields(POST, "", &request), OK);
    assert_int_equal(request.body, HTTP_BODY_NONE);
}

static void test_lengths(void **state)
{
    (void)state;
    check_length("Content-Length: 0\r\n", 0);
    check_length("content-length:5\r\n", 5);
    check_length("CONTENT-LENGTH:   0042  \r\n", 42);
}

static void test_lengths_that_are_none(void **state)
{
    (void)state;
    static const char *const VALUES[] = { "",
                                          "-1",
                                          "+1",
                                          "1 2",
                                          "1,1",
                                          "1, 1",
                                          "0x10",
                                          "1.0",
                                          "1e3",
                                          "5a",
                                          "a5",
                                          "\"5\"",
                                          "18446744073709551616",
                                          "99999999999999999999",
                                          "5;",
                                          ";5",
                                          "1\t2" };
    for (size_t i = 0; i < sizeof(VALUES) / sizeof(VALUES[0]); i++) {
        char fields[128];
        snprintf(fields, sizeof(fields), "Content-Length: %s\r\n", VALUES[i]);
        check_status(fields, ERR_MALFORMED);
    }
}

/* Two lengths are refused even when they agree. */
static void test_two_lengths(void **state)
{
    (void)state;
    check_status("Content-Length: 5\r\nContent-Length: 6\r\n", ERR_MALFORMED);
    check_status("Content-Length: 5\r\nContent-Length: 5\r\n", ERR_MALFORMED);
    check_status("Content-Length: 5\r\nX: y\r\ncontent-length: 5\r\n", ERR_MALFORMED);
}

static void test_chunked(void **state)
{
    (void)state;
    struct http_request request;
    assert_int_equal(read_fields(POST, "Transfer-Encoding: chunked\r\n", &request), OK);
    assert_int_equal(request.body, HTTP_BODY_CHUNKED);
    assert_int_equal(read_fields(POST, "transfer-encoding: Chunked \r\n", &request), OK);
    assert_int_equal(request.body, HTTP_BODY_CHUNKED);
}

static void test_other_codings(void **state)
{
    (void)state;
    check_status("Transfer-Encoding: gzip, chunked\r\n", ERR_UNSUPPORTED);
    check_status("Transfer-Encoding: chunked, identity\r\n", ERR_UNSUPPORTED);
    check_status("Transfer-Encoding: chunked, chunked\r\n", ERR_UNSUPPORTED);
    check_status("Transfer-Encoding: identity\r\n", ERR_UNSUPPORTED);
    check_status("Transfer-Encoding: xchunked\r\n", ERR_UNSUPPORTED);
    check_status("Transfer-Encoding: \"chunked\"\r\n", ERR_UNSUPPORTED);
    check_status("Transfer-Encoding:\r\n", ERR_UNSUPPORTED);
    check_status("Transfer-Encoding: \x0b"
                 "chunked\r\n",
                 ERR_MALFORMED);
    check_status("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", ERR_MALFORMED);
}

static void test_length_and_coding(void **state)
{
    (void)state;
    check_status("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", ERR_MALFORMED);
    check_status("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", ERR_MALFORMED);
    check_status("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", ERR_MALFORMED);
}

/* A name that another reader might take for one of the two. */
static void test_disguised_names(void **state)
{
    (void)state;
    check_status("Transfer-Encoding : chunked\r\n", ERR_MALFORMED);
    check_status("Transfer-Encoding\t: chunked\r\n", ERR_MALFORMED);
    check_status(" Transfer-Encoding: chunked\r\n", ERR_MALFORMED);
    check_status("X: y\r\n Transfer-Encoding: chunked\r\n", ERR_MALFORMED);
    check_status("X: y\rTransfer-Encoding: chunked\r\n", ERR_MALFORMED);
    check_status("X: y\nTransfer-Encoding: chunked\r\n", ERR_MALFORMED);
    check_status("Transfer-Encoding:\r\n chunked\r\n", ERR_MALFORMED);
    check_status("Content Length: 5\r\n", ERR_MALFORMED);
    check_status("\xef\xbb\xbfTransfer-Encoding: chunked\r\n", ERR_MALFORMED);
}

/* Section 6.1: HTTP/1.0 knows no transfer codings. */
static void test_chunked_in_http_1_0(void **state)
{
    (void)state;
    struct http_request request;
    assert_int_equal(read_fields("POST / HTTP/1.0", "Transfer-Encoding: chunked\r\n", &request),
                     ERR_MALFORMED);
    assert_int_equal(read_fields("POST / HTTP/1.0", "Content-Length: 5\r\n", &request), OK);
}

static void check_keep_alive(const char *start, const char *fields, bool wanted)
{
    struct http_request request;
    assert_int_equal(read_fields(start, fields, &request), OK);
    assert_int_equal(request.keep_alive, wanted);
}

/* Section 9.3 */
static void test_keep_alive(void **state)
{
    (void)state;
    check_keep_alive("GET / HTTP/1.1", "", true);
    check_keep_alive("GET / HTTP/1.1", "Connection: close\r\n", false);
    check_keep_alive("GET / HTTP/1.1", "Connection: x , CLOSE\r\n", false);
    check_keep_alive("GET / HTTP/1.1", "Connection: x\r\nConnection: close\r\n", false);
    check_keep_alive("GET / HTTP/1.1", "Connection: closed\r\n", true);
    check_keep_alive("GET / HTTP/1.0", "", false);
    check_keep_alive("GET / HTTP/1.0", "Connection: Keep-Alive\r\n", true);
}

static void check_upgrade(const char *fields, bool wanted)
{
    struct http_request request;
    assert_int_equal(read_fields("GET / HTTP/1.1", fields, &request), OK);
    assert_int_equal(request.upgrade, wanted);
}

static void test_upgrade(void **state)
{
    (void)state;
    check_upgrade("Connection: Upgrade\r\nUpgrade: websocket\r\n", true);
    check_upgrade("Upgrade: websocket\r\nConnection: keep-alive, upgrade\r\n", true);
    check_upgrade("Upgrade: websocket\r\n", false);
    check_upgrade("Connection: upgrade\r\n", false);
    check_upgrade("Connection: upgrades\r\nUpgrade: websocket\r\n", false);
}

static void check_expect(const char *start, const char *fields, bool wanted)
{
    struct http_request request;
    assert_int_equal(read_fields(start, fields, &request), OK);
    assert_int_equal(request.expect_continue, wanted);
}

/* RFC 9110, section 10.1.1: a server ignores it in HTTP/1.0. */
static void test_expect(void **state)
{
    (void)state;
    check_expect(POST, "Content-Length: 1\r\n", false);
    check_expect(POST, "Content-Length: 1\r\nExpect: 100-Continue\r\n", true);
    check_expect(POST, "Content-Length: 1\r\nExpect: 200-ok\r\n", false);
    check_expect("POST / HTTP/1.0", "Content-Length: 1\r\nExpect: 100-continue\r\n", false);
}

static void check_lists(const char *fields, const char *token, bool wanted)
{
    struct http_request request;
    assert_int_equal(read_fields("GET / HTTP/1.1", fields, &request), OK);
    assert_int_equal(http_header_lists(&request, "Accept-Encoding", token), wanted);
}

/* RFC 9110, sections 5.6.1 and 12.4.2 */
static void test_lists(void **state)
{
    (void)state;
    check_lists("", "gzip", false);
    check_lists("Accept-Encoding:\r\n", "gzip", false);
    check_lists("Accept-Encoding: ,, ,gzip,\r\n", "gzip", true);
    check_lists("Accept-Encoding: deflate\t,\tGZip\t;q=0.5\r\n", "gzip", true);
    check_lists("Accept-Encoding: gzipped, xgzip, g zip\r\n", "gzip", false);
    check_lists("Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n", "gzip", true);
    check_lists("X-Accept-Encoding: gzip\r\n", "gzip", false);
    check_lists("Accept-Encoding: gzip;q=0\r\n", "gzip", false);
    check_lists("Accept-Encoding: gzip; Q=0.000, br\r\n", "gzip", false);
    check_lists("Accept-Encoding: gzip;q=0.001\r\n", "gzip", true);
    check_lists("Accept-Encoding: gzip;q=1\r\n", "gzip", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_body),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_lengths_that_are_none),
        cmocka_unit_test(test_two_lengths),
        cmocka_unit_test(test_chunked),
        cmocka_unit_test(test_other_codings),
        cmocka_unit_test(test_length_and_coding),
        cmocka_unit_test(test_disguised_names),
        cmocka_unit_test(test_chunked_in_http_1_0),
        cmocka_unit_test(test_keep_alive),
        cmocka_unit_test(test_upgrade),
        cmocka_unit_test(test_expect),
        cmocka_unit_test(test_lists),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
