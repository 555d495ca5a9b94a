/* test_http_chunks.c - chunked bodies (RFC 9112, section 7.1): whole, in pieces, and the shapes in
 * which they are used to smuggle. */
#include "support.h"

#include "wire/http.h"

/* What came out of a body that was read in pieces. */
struct body {
    int status;
    size_t used;
    size_t size;
    uint8_t data[70000];
};

static struct body body;

static void feed(struct http_chunks *chunks, struct view piece)
{
    uint8_t *copy = test_copy(piece);
    size_t at = 0;
    while (body.status == ERR_MORE) {
        struct view data;
        size_t used;
        body.status = http_read_chunks(chunks, view_make(copy + at, piece.size - at), &data, &used);
        assert_in_range(used, 0, piece.size - at);
        assert_in_range(body.size + data.size, 0, sizeof(body.data));
        if (data.size)
            memcpy(body.data + body.size, data.at, data.size);
        body.size += data.size;
        body.used += used;
        at += used;
        if (body.status == ERR_MORE && !data.size) {
            assert_int_equal(at, piece.size);
            break;
        }
    }
    free(copy);
}

/* In pieces of `step` bytes; behind the first piece of `first`. */
static void read_in_pieces(struct view bytes, size_t first, size_t step)
{
    struct http_chunks chunks = { 0 };
    body.status = ERR_MORE;
    body.used = body.size = 0;
    feed(&chunks, view_slice(bytes, 0, first));
    for (size_t at = first; at < bytes.size && body.status == ERR_MORE; at += step)
        feed(&chunks, view_slice(bytes, at, step));
}

static void check_bytes(struct view bytes, int wanted)
{
    read_in_pieces(bytes, bytes.size, 1);
    int whole = body.status;
    size_t used = body.used;
    read_in_pieces(bytes, 0, 1);
    assert_int_equal(body.status, whole);
    assert_int_equal(body.used, used);
    if (whole != wanted)
        print_error("%.*s\n", VIEW_ARGS(view_slice(bytes, 0, 200)));
    assert_int_equal(whole, wanted);
}

static void check(const char *text, int wanted)
{
    check_bytes(view_of(text), wanted);
}

static void check_body(const char *text, const char *wanted)
{
    check(text, OK);
    assert_int_equal(body.used, strlen(text));
    assert_view(view_make(body.data, body.size), wanted);
}

static void test_bodies(void **state)
{
    (void)state;
    check_body("0\r\n\r\n", "");
    check_body("5\r\nHello\r\n0\r\n\r\n", "Hello");
    check_body("1\r\nH\r\n4\r\nello\r\n0\r\n\r\n", "Hello");
    check_body("00000005\r\nHello\r\n000\r\n\r\n", "Hello");
    check_body("a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n", "01234567890123456789a");
    check_body("4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n");
}

static void test_extensions(void **state)
{
    (void)state;
    check_body("5;name=value\r\nHello\r\n0;last\r\n\r\n", "Hello");
    check_body("5 ; name=\"a;b\\\"\"\r\nHello\r\n0\r\n\r\n", "Hello");
    check_body("5 \t\r\nHello\r\n0\r\n\r\n", "Hello");
    check_body("5;\r\nHello\r\n0\r\n\r\n", "Hello");
}

static void test_trailers(void **state)
{
    (void)state;
    check_body("5\r\nHello\r\n0\r\nExpires: never\r\nContent-Length: 99\r\n\r\n", "Hello");
    check_body("0\r\nX: \xff\t\r\n\r\n", "");
}

static void test_what_follows_is_left(void **state)
{
    (void)state;
    static const char TEXT[] = "5\r\nHello\r\n0\r\n\r\nGET / HTTP/1.1\r\n";
    check(TEXT, OK);
    assert_int_equal(body.used, strlen(TEXT) - strlen("GET / HTTP/1.1\r\n"));
    assert_view(view_make(body.data, body.size), "Hello");
}

static void test_every_cut(void **state)
{
    (void)state;
    struct view bytes = VIEW("5;a=b\r\nHello\r\n10\r\n0123456789abcdef\r\n0\r\nX: y\r\n\r\n");
    for (size_t first = 0; first <= bytes.size; first++) {
        read_in_pieces(view_slice(bytes, 0, first), first, 1);
        assert_int_equal(body.status, first < bytes.size ? ERR_MORE : OK);
        for (size_t step = 1; step < bytes.size; step++) {
            read_in_pieces(bytes, first, step);
            assert_int_equal(body.status, OK);
            assert_int_equal(body.used, bytes.size);
            assert_view(view_make(body.data, body.size), "Hello0123456789abcdef");
        }
    }
}

static void test_sizes_that_are_none(void **state)
{
    (void)state;
    check("\r\n", ERR_MALFORMED);
    check(";a\r\n", ERR_MALFORMED);
    check(" 5\r\nHello\r\n", ERR_MALFORMED);
    check("-5\r\nHello\r\n", ERR_MALFORMED);
    check("+5\r\nHello\r\n", ERR_MALFORMED);
    check("0x5\r\nHello\r\n", ERR_MALFORMED);
    check("5_\r\nHello\r\n", ERR_MALFORMED);
    check("5h\r\nHello\r\n", ERR_MALFORMED);
    check("5 5\r\nHello\r\n", ERR_MALFORMED);
    check("5\t0\r\nHello\r\n", ERR_MALFORMED);
    check("5,\r\nHello\r\n", ERR_MALFORMED);
    check_bytes(VIEW("5\0\r\nHello\r\n"), ERR_MALFORMED);
    check("000000005\r\nHello\r\n", ERR_MALFORMED);
    check("100000000\r\n", ERR_MALFORMED);
    check("10000000000000005\r\nHello\r\n", ERR_MALFORMED);
    check("ffffffff\r\n", ERR_MORE);
}

static void test_line_ends(void **state)
{
    (void)state;
    check("5\nHello\r\n0\r\n\r\n", ERR_MALFORMED);
    check("5\r\rHello\r\n0\r\n\r\n", ERR_MALFORMED);
    check("5\r\nHello\n0\r\n\r\n", ERR_MALFORMED);
    check("5\r\nHello\r0\r\n\r\n", ERR_MALFORMED);
    check("5\r\nHelloo\r\n0\r\n\r\n", ERR_MALFORMED);
    check("5\r\nHell\r\n0\r\n\r\n", ERR_MALFORMED);
    check("0\n\n", ERR_MALFORMED);
    check("0\r\n\n", ERR_MALFORMED);
    check("0\r\n\rX", ERR_MALFORMED);
}

/* A bare LF that one reader takes for the end of an extension or trailer, and another not. */
static void test_controls_in_extensions_and_trailers(void **state)
{
    (void)state;
    check("5;a\nHello\r\n0\r\n\r\n", ERR_MALFORMED);
    check("5;a\rb\r\nHello\r\n0\r\n\r\n", ERR_MALFORMED);
    check("5;\x01\r\nHello\r\n0\r\n\r\n", ERR_MALFORMED);
    check_bytes(VIEW("5;\0\r\nHello\r\n0\r\n\r\n"), ERR_MALFORMED);
    check("5;\x7f\r\nHello\r\n0\r\n\r\n", ERR_MALFORMED);
    check("0\r\nX: y\nZ: z\r\n\r\n", ERR_MALFORMED);
    check("0\r\nX: y\rZ: z\r\n\r\n", ERR_MALFORMED);
    check("0\r\n\x08X: y\r\n\r\n", ERR_MALFORMED);
}

/* Extensions and trailers together may have 4 KiB. */
static void test_limits(void **state)
{
    (void)state;
    static char text[40000];
    size_t n = (size_t)sprintf(text, "0\r\n");
    memset(text + n, 'a', 4095);
    strcpy(text + n + 4095, "\r\n\r\n");
    check(text, OK);
    memset(text + n, 'a', 4096);
    strcpy(text + n + 4096, "\r\n\r\n");
    check(text, ERR_LIMIT);
    n = 0;
    for (unsigned i = 0; i < 3000; i++)
        n += (size_t)sprintf(text + n, "1;a\r\nx\r\n");
    check(text, ERR_LIMIT);
}

static void test_large_chunk(void **state)
{
    (void)state;
    static char text[66000];
    size_t n = (size_t)sprintf(text, "10000\r\n");
    memset(text + n, 'x', 65536);
    strcpy(text + n + 65536, "\r\n0\r\n\r\n");
    read_in_pieces(view_of(text), 3, 1000);
    assert_int_equal(body.status, OK);
    assert_int_equal(body.size, 65536);
    assert_memory_equal(body.data, text + n, 65536);
}

/* Every byte turned into every other: safe, and never data out of nowhere. */
static void test_every_byte_changed(void **state)
{
    (void)state;
    struct view bytes = VIEW("5;a=b\r\nHello\r\n0\r\nX: y\r\n\r\n");
    for (size_t at = 0; at < bytes.size; at++) {
        for (unsigned c = 0; c < 256; c++) {
            uint8_t *copy = test_copy(bytes);
            copy[at] = (uint8_t)c;
            read_in_pieces(view_make(copy, bytes.size), bytes.size, 1);
            assert_in_range(body.size, 0, bytes.size);
            free(copy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_extensions),
        cmocka_unit_test(test_trailers),
        cmocka_unit_test(test_what_follows_is_left),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_sizes_that_are_none),
        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_controls_in_extensions_and_trailers),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_large_chunk),
        cmocka_unit_test(test_every_byte_changed),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
