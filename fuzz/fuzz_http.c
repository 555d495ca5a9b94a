/* Fuzzes the reading of HTTP: heads, chunks, fields, and whole sessions.
 *
 * Input: one byte that says how the bytes are split, then what a client sends.  A session that gets
 * the bytes in pieces must tell the same as one that gets them at once.
 */
#include "agent/http_session.h"
#include "input.h"

static struct buffers *buffers;

static void check_head(struct view bytes)
{
    struct http_request request;
    size_t scanned = 0;
    size_t used = 0;
    uint8_t decoded[64];
    size_t decoded_size;
    struct view value;

    if (http_read_head(bytes, &scanned, &request, &used) != OK)
        return;
    CHECK(used <= bytes.size && used <= HTTP_HEAD_MAX);
    CHECK(request.header_count <= HTTP_HEADERS_MAX);
    CHECK(view_within(request.target, bytes) && view_within(request.path, request.target) &&
          view_within(request.query, request.target));
    for (uint32_t i = 0; i < request.header_count; i++) {
        CHECK(view_within(request.headers[i].name, bytes) && request.headers[i].name.size > 0);
        CHECK(view_within(request.headers[i].value, bytes));
        CHECK(view_find_byte(request.headers[i].value, 0) == request.headers[i].value.size);
        CHECK(view_find_byte(request.headers[i].value, '\n') == request.headers[i].value.size);
    }
    if (http_decode_percent(request.path, decoded, sizeof decoded, &decoded_size) == OK)
        CHECK(decoded_size <= sizeof decoded && decoded_size <= request.path.size);
    if (http_query_find(request.query, "a", &value))
        CHECK(view_within(value, request.query));
    (void)http_header_lists(&request, "Connection", "upgrade");

    /* the same head one byte shorter is not whole, and is told as such */
    scanned = 0;
    CHECK(http_read_head(view_slice(bytes, 0, used - 1), &scanned, &request, &used) == ERR_MORE);
}

/* Pieces as a caller passes them on; the digest is of the data and of the end. */
static uint64_t digest_chunks(struct view bytes, uint8_t choice)
{
    struct http_chunks chunks = { 0 };
    uint64_t digest = 0;
    uint64_t state = 0;
    size_t taken = 0;
    int status = ERR_MORE;
    while (taken < bytes.size && status == ERR_MORE) {
        size_t end = taken + input_split(choice, &state, bytes.size - taken);
        while (taken < end && status == ERR_MORE) {
            struct view piece = view_slice(bytes, taken, end - taken);
            struct view data;
            size_t used;
            status = http_read_chunks(&chunks, piece, &data, &used);
            if (status != OK && status != ERR_MORE)
                break;
            CHECK(used <= piece.size && view_within(data, piece));
            CHECK(status == OK || used > 0);
            for (size_t i = 0; i < data.size; i++)
                digest_add(&digest, data.at + i, 1);
            taken += used;
        }
    }
    digest_number(&digest, (uint64_t)status);
    if (status == OK)
        digest_number(&digest, taken);
    return digest;
}

static void check_fields(struct view bytes)
{
    uint8_t decoded[16];
    size_t size = 0;
    uint64_t first;
    uint64_t count;
    struct view value;

    if (http_read_range(bytes, 1000, &first, &count) == OK)
        CHECK(first < 1000 && count > 0 && count <= 1000 - first);
    (void)http_read_range(bytes, 0, &first, &count);
    if (http_decode_percent(bytes, decoded, sizeof decoded, &size) == OK)
        CHECK(size <= sizeof decoded && size <= bytes.size);
    if (http_query_find(bytes, "room", &value))
        CHECK(view_within(value, bytes));
    (void)http_etag_matches(bytes, VIEW("\"abc\""));
}

static void digest_request(uint64_t *digest, const struct http_request *request, struct view body)
{
    digest_number(digest, request->method);
    digest_number(digest, request->keep_alive);
    digest_number(digest, request->header_count);
    digest_add(digest, request->target.at, request->target.size);
    for (uint32_t i = 0; i < request->header_count; i++) {
        digest_add(digest, request->headers[i].name.at, request->headers[i].name.size);
        digest_add(digest, request->headers[i].value.at, request->headers[i].value.size);
    }
    digest_add(digest, body.at, body.size);
}

/* True: the session goes on. */
static bool digest_event(uint64_t *digest, const struct http_request *request,
                         const struct http_event *event)
{
    digest_number(digest, event->kind);
    if (event->kind == HTTP_EVENT_FAILED) {
        digest_number(digest, event->code);
        return false;
    }
    if (event->kind == HTTP_EVENT_REQUEST) {
        CHECK(event->body.size <= HTTP_BODY_MAX);
        digest_request(digest, request, event->body);
    }
    return true;
}

/* A whole connection: bytes wait in an inbox until the session takes them, as in the server. */
static uint64_t digest_session(struct view bytes, uint8_t choice)
{
    struct http_session session = { 0 };
    struct inbox inbox = { 0 };
    uint64_t digest = 0;
    uint64_t state = 0;
    bool goes_on = true;
    while (bytes.size && goes_on) {
        size_t room = BUFFER_SIZE_MAX - inbox_bytes(&inbox).size;
        size_t take = input_split(choice, &state, bytes.size);
        struct view piece = input_take(&bytes, take < room ? take : room);
        if (piece.size == 0 || inbox_add(&inbox, buffers, piece) != OK)
            break;
        struct http_event event;
        do {
            struct http_request request;
            struct span waiting = input_copy(view_of_span(inbox_bytes(&inbox)));
            size_t used;
            http_session_read(&session, buffers, view_of_span(waiting), &used, &request, &event);
            CHECK(used <= waiting.size);
            if (event.kind != HTTP_EVENT_WAIT)
                goes_on = digest_event(&digest, &request, &event);
            inbox_used(&inbox, buffers, used);
            free(waiting.at);
        } while (event.kind != HTTP_EVENT_WAIT && goes_on);
    }
    http_session_clear(&session, buffers);
    inbox_clear(&inbox, buffers);
    CHECK(buffers_used(buffers) == 0);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    uint8_t choice = input_byte(&input);
    if (!buffers)
        CHECK(buffers_new((size_t)1 << 20, &buffers) == OK);

    struct span copy = input_copy(input);
    check_head(view_of_span(copy));
    check_fields(view_of_span(copy));
    CHECK(digest_chunks(view_of_span(copy), '0') == digest_chunks(view_of_span(copy), choice));
    free(copy.at);
    CHECK(digest_session(input, '0') == digest_session(input, choice));
    return 0;
}
