/* test_http_session.c - one HTTP connection: requests and bodies cut at every place, limits, and
 * memory that runs out. */
#include "support.h"

#include "agent/http_session.h"

static struct buffers *buffers;

static int setup(void **state)
{
    (void)state;
    return buffers_new(4 * 1024 * 1024, &buffers);
}

static int teardown(void **state)
{
    (void)state;
    if (buffers_used(buffers)) /* a leak, or the test stopped halfway */
        return -1;
    buffers_free(buffers);
    return 0;
}

/* What a session told, as text: "GET /a; continue; POST /b [body]; failed 413". */
struct told {
    char text[2048];
    size_t size;
    bool failed;
};

static void tell(struct told *told, const char *what, struct view text)
{
    int size = snprintf(told->text + told->size, sizeof(told->text) - told->size, "%s%.*s", what,
                        VIEW_ARGS(text));
    told->size += (size_t)size;
    assert_in_range(told->size, 1, sizeof(told->text) - 1);
}

static void tell_event(struct told *told, const struct http_request *request,
                       const struct http_event *event)
{
    static const char *const METHODS[] = { "GET ",    "HEAD ",  "POST ",    "PUT ",
                                           "DELETE ", "PATCH ", "OPTIONS ", "OTHER " };
    char code[8];
    if (told->size)
        tell(told, "; ", VIEW(""));
    switch (event->kind) {
    case HTTP_EVENT_REQUEST:
        tell(told, METHODS[request->method], request->target);
        if (event->body.size) {
            tell(told, " [", event->body);
            tell(told, "]", VIEW(""));
        }
        break;
    case HTTP_EVENT_CONTINUE:
        tell(told, "continue", VIEW(""));
        break;
    case HTTP_EVENT_FAILED:
        snprintf(code, sizeof(code), "%u", event->code);
        tell(told, "failed ", view_of(code));
        told->failed = true;
        break;
    case HTTP_EVENT_WAIT:
        fail();
    }
}

/* Reads all events that the bytes give; *used says how many bytes are done with. */
static void read_events(struct http_session *session, struct view bytes, size_t *used,
                        struct told *told)
{
    *used = 0;
    while (!told->failed) {
        struct http_request request;
        struct http_event event;
        size_t step;
        http_session_read(session, buffers, view_slice(bytes, *used, bytes.size), &step, &request,
                          &event);
        *used += step;
        assert_in_range(*used, 0, bytes.size);
        if (event.kind == HTTP_EVENT_WAIT)
            return;
        tell_event(told, &request, &event);
    }
}

/* Gives the session `bytes` in pieces that end at the cuts; what it does not use is given again
 * with the next piece, in other memory of exactly its size. */
static void feed(struct view bytes, const size_t *cuts, size_t cut_count, struct told *told)
{
    struct http_session session = { 0 };
    size_t from = 0;
    *told = (struct told){ 0 };
    for (size_t i = 0; i <= cut_count && !told->failed; i++) {
        size_t to = i < cut_count ? cuts[i] : bytes.size;
        size_t used;
        uint8_t *copy = test_copy(view_slice(bytes, from, to - from));
        read_events(&session, view_make(copy, to - from), &used, told);
        free(copy);
        from += used;
    }
    http_session_clear(&session, buffers);
    assert_int_equal(buffers_used(buffers), 0);
}

/* The same is told however the bytes are cut; without its end, the beginning of it. */
static void assert_told(struct view bytes, const char *wanted)
{
    struct told told;
    feed(bytes, NULL, 0, &told);
    assert_string_equal(told.text, wanted);
    for (size_t a = 0; a <= bytes.size; a++) {
        for (size_t b = a; b <= bytes.size; b++) {
            feed(bytes, (size_t[]){ a, b }, 2, &told);
            assert_string_equal(told.text, wanted);
        }
        feed(view_slice(bytes, 0, a), NULL, 0, &told);
        assert_memory_equal(told.text, wanted, told.size);
    }
    size_t each[1024];
    assert_in_range(bytes.size, 1, 1024);
    for (size_t i = 0; i < bytes.size; i++)
        each[i] = i + 1;
    feed(bytes, each, bytes.size, &told);
    assert_string_equal(told.text, wanted);
}

static void test_pipelined(void **state)
{
    (void)state;
    assert_told(VIEW("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
                     "\r\nHEAD /b?c HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
                     "DELETE /d HTTP/1.0\r\n\r\n"),
                "GET /a; HEAD /b?c; DELETE /d");
}

static void test_bodies(void **state)
{
    (void)state;
    assert_told(VIEW("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
                     "PUT /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "2;x=y\r\nde\r\n3\r\nfgh\r\n0\r\nT: t\r\n\r\n"
                     "GET /c HTTP/1.1\r\nHost: h\r\n\r\n"),
                "POST /a [abc]; PUT /b [defgh]; GET /c");
    assert_told(VIEW("PUT /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                     "PUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "1\r\nx\r\n0\r\n\r\n"),
                "PUT /b; PUT /c [x]");
}

static void test_expect_continue(void **state)
{
    (void)state;
    assert_told(VIEW("PUT /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                     "Content-Length: 2\r\n\r\nab"
                     "PUT /b HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                     "Content-Length: 0\r\n\r\n"),
                "continue; PUT /a [ab]; PUT /b"); /* without a body there is nothing to wait for */
}

/* After the first fault nothing more is told, whatever follows. */
static void test_faults(void **state)
{
    (void)state;
    assert_told(VIEW("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), "failed 400");
    assert_told(VIEW("GET /a HTTP/1.1\r\nHost: h\r\n\r\nnonsense\r\n\r\n"), "GET /a; failed 400");
    assert_told(VIEW("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), "failed 501");
    assert_told(
        VIEW("PUT /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n"),
        "failed 400");
    assert_told(VIEW("PUT /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n"),
                "failed 501");
    assert_told(VIEW("PUT /b HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                     "Content-Length: 65537\r\n\r\n"),
                "failed 413");
    assert_told(VIEW("PUT /b HTTP/1.1\r\nHost: h\r\nContent-Length: 4294967298\r\n\r\n"),
                "failed 413");
}

/* A request with a body of `size` bytes, in one piece or chunks of 1000; gives its size. */
static size_t write_request(uint8_t *out, size_t size, bool is_chunked)
{
    char *at = (char *)out;
    if (!is_chunked) {
        at += sprintf(at, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", size);
        memset(at, 'b', size);
        return (size_t)(at + size - (char *)out);
    }
    at += sprintf(at, "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (size > 0) {
        size_t part = size < 1000 ? size : 1000;
        at += sprintf(at, "%zx\r\n", part);
        memset(at, 'b', part);
        at += part;
        at += sprintf(at, "\r\n");
        size -= part;
    }
    at += sprintf(at, "0\r\n\r\n");
    return (size_t)(at - (char *)out);
}

/* Reads the bytes in pieces of `step` until there is an event that is not of waiting. */
static struct http_event read_pieces(struct http_session *session, struct view bytes, size_t step,
                                     struct http_request *request, size_t *used)
{
    struct http_event event = { .kind = HTTP_EVENT_WAIT };
    size_t end = 0;
    *used = 0;
    while (event.kind == HTTP_EVENT_WAIT && end < bytes.size) {
        size_t taken;
        end = end + step < bytes.size ? end + step : bytes.size;
        http_session_read(session, buffers, view_slice(bytes, *used, end - *used), &taken, request,
                          &event);
        *used += taken;
    }
    return event;
}

static void test_largest_body(void **state)
{
    (void)state;
    static const size_t STEPS[] = { 1, 7, 1000, 1000000 };
    static uint8_t bytes[HTTP_BODY_MAX + 4096];
    for (unsigned i = 0; i < 2 * sizeof(STEPS) / sizeof(STEPS[0]); i++) {
        struct http_session session = { 0 };
        struct http_request request;
        size_t used;
        bool is_chunked = i % 2;
        size_t size = write_request(bytes, HTTP_BODY_MAX, is_chunked);
        struct http_event event =
            read_pieces(&session, view_make(bytes, size), STEPS[i / 2], &request, &used);
        assert_int_equal(event.kind, HTTP_EVENT_REQUEST);
        assert_int_equal(used, size);
        assert_int_equal(event.body.size, HTTP_BODY_MAX);
        for (size_t b = 0; b < event.body.size; b++)
            assert_int_equal(event.body.at[b], 'b');
        assert_int_equal(request.method, METHOD_PUT);
        assert_view(http_header(&request, "host"), "h"); /* its head was kept */
        assert_false(http_session_in_body(&session));
        http_session_clear(&session, buffers);

        session = (struct http_session){ 0 };
        size = write_request(bytes, HTTP_BODY_MAX + 1, is_chunked);
        event = read_pieces(&session, view_make(bytes, size), STEPS[i / 2], &request, &used);
        assert_int_equal(event.kind, HTTP_EVENT_FAILED);
        assert_int_equal(event.code, 413);
        http_session_clear(&session, buffers);
    }
}

/* A session may be told of another limit, for the body of the next head. */
static void test_own_limit(void **state)
{
    (void)state;
    static const uint32_t LIMITS[] = { 10, HTTP_BODY_MAX + 90000 };
    static uint8_t bytes[HTTP_BODY_MAX + 100000];
    for (unsigned i = 0; i < 8; i++) {
        struct http_request request;
        struct http_session session = { .body_max = LIMITS[i % 2] };
        size_t used;
        bool is_over = i / 2 % 2;
        size_t size = write_request(bytes, LIMITS[i % 2] + is_over, i / 4);
        struct http_event event =
            read_pieces(&session, view_make(bytes, size), 1000, &request, &used);
        assert_int_equal(event.kind, is_over ? HTTP_EVENT_FAILED : HTTP_EVENT_REQUEST);
        assert_int_equal(event.code, is_over ? 413 : 0);
        assert_int_equal(event.body.size, is_over ? 0 : LIMITS[i % 2]);
        http_session_clear(&session, buffers);
    }
}

/* A head that does not end is refused at its limit, though it comes byte by byte; the session keeps
 * nothing of it. */
static void test_endless_head(void **state)
{
    (void)state;
    static uint8_t bytes[HTTP_HEAD_MAX + 1000];
    memset(bytes, 'a', sizeof(bytes));
    memcpy(bytes, "GET / HTTP/1.1\r\nX: ", 19);
    struct http_session session = { 0 };
    struct http_request request;
    size_t end = 0;
    struct http_event event = { .kind = HTTP_EVENT_WAIT };
    while (event.kind == HTTP_EVENT_WAIT && end < sizeof(bytes)) {
        size_t used;
        end++;
        http_session_read(&session, buffers, view_make(bytes, end), &used, &request, &event);
        assert_int_equal(used, 0);
        assert_int_equal(buffers_used(buffers), 0);
    }
    assert_int_equal(event.kind, HTTP_EVENT_FAILED);
    assert_int_equal(event.code, 431);
    assert_in_range(end, HTTP_HEAD_MAX, HTTP_HEAD_MAX + 1);
}

static void test_body_is_waited_for(void **state)
{
    (void)state;
    struct http_session session = { 0 };
    struct http_request request;
    struct http_event event;
    size_t used;
    struct view head = VIEW("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n");
    assert_false(http_session_in_body(&session));
    http_session_read(&session, buffers, head, &used, &request, &event);
    assert_int_equal(event.kind, HTTP_EVENT_WAIT);
    assert_int_equal(used, head.size);
    assert_true(http_session_in_body(&session));
    http_session_read(&session, buffers, VIEW("a"), &used, &request, &event);
    assert_true(http_session_in_body(&session));
    http_session_read(&session, buffers, VIEW("bGET"), &used, &request, &event);
    assert_int_equal(event.kind, HTTP_EVENT_REQUEST);
    assert_int_equal(used, 1);
    assert_view(event.body, "ab");
    assert_false(http_session_in_body(&session));
    assert_true(buffers_used(buffers) > 0);
    http_session_read(&session, buffers, VIEW("GET"), &used, &request, &event);
    assert_int_equal(event.kind, HTTP_EVENT_WAIT);
    assert_int_equal(buffers_used(buffers), 0); /* the request was valid until now */
}

/* Leaves room for `count` buffers of the smallest size; the others are chained through their
 * bytes. */
static struct buffer *take_all_but(size_t count)
{
    struct buffer *chain = NULL, *buffer;
    while (buffers_take(buffers, 200, &buffer) == OK) {
        memcpy(buffer->bytes, &chain, sizeof(chain));
        chain = buffer;
    }
    while (count--) {
        buffer = chain;
        memcpy(&chain, buffer->bytes, sizeof(chain));
        buffer_give(buffers, buffer);
    }
    return chain;
}

static void give_all(struct buffer *chain)
{
    while (chain) {
        struct buffer *buffer = chain;
        memcpy(&chain, buffer->bytes, sizeof(chain));
        buffer_give(buffers, buffer);
    }
}

/* What needs memory fails where there is none, and what needs none goes on. */
static void test_no_memory(void **state)
{
    (void)state;
    static const struct view PUT = { (const uint8_t *)"PUT / HTTP/1.1\r\nHost: h\r\n"
                                                      "Content-Length: 2\r\n\r\nab",
                                     48 };
    static const char *const WANTED[] = { "failed 503", "failed 503", "PUT / [ab]" };
    for (size_t left = 0; left < 3; left++) {
        struct http_session session = { 0 };
        struct told told = { 0 };
        size_t used;
        struct buffer *chain = take_all_but(left);
        read_events(&session, PUT, &used, &told);
        assert_string_equal(told.text, WANTED[left]);
        http_session_clear(&session, buffers);
        session = (struct http_session){ 0 };
        told = (struct told){ 0 };
        read_events(&session, VIEW("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), &used, &told);
        assert_string_equal(told.text, "GET /");
        give_all(chain);
    }
    assert_int_equal(buffers_used(buffers), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pipelined, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bodies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expect_continue, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_largest_body, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_endless_head, setup, teardown),
        cmocka_unit_test_setup_teardown(test_body_is_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
