/* http.h - reads HTTP/1.1 requests and writes response heads (RFC 9110, 9112).
 *
 * Pure functions over caller memory.  A struct http_request is a set of views into the bytes that
 * it was read from and lives as long as they do.
 */
#ifndef MOIM_WIRE_HTTP_H
#define MOIM_WIRE_HTTP_H

#include "base/status.h"
#include "base/view.h"

#define HTTP_HEAD_MAX    (16 * 1024) /* request line and headers, with the empty line */
#define HTTP_HEADERS_MAX 64
#define HTTP_TARGET_MAX  2048

/* the library that reads requests owns the names HTTP_GET and so on */
enum request_method {
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_PATCH,
    METHOD_OPTIONS,
    METHOD_OTHER
};

enum http_body_kind { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED };

struct http_header {
    struct view name;  /* as it was sent; compare with view_equal_nocase */
    struct view value; /* without the space around it */
};

struct http_request {
    enum request_method method;
    struct view target; /* as it was sent, in origin-form or "*" */
    struct view path;   /* the target before the '?', still percent-encoded */
    struct view query;  /* behind the '?'; empty when there is none */
    bool is_1_0;        /* HTTP/1.0: no chunked answers */
    bool keep_alive;    /* RFC 9112, section 9.3 */
    bool upgrade;       /* "Connection: upgrade" and an Upgrade header are there, in HTTP/1.1 */
    bool expect_continue;
    enum http_body_kind body;
    uint64_t body_size; /* for HTTP_BODY_LENGTH */
    uint32_t header_count;
    struct http_header headers[HTTP_HEADERS_MAX];
};

/* Reads a request's head from the front of `bytes`.  *scanned is the caller's, 0 at first: how far
 * the search for the head's end has come, so that a head that comes byte by byte costs O(size).
 * Empty lines before the request line are skipped (RFC 9112, section 2.2).
 *
 *   OK             *request is valid and the body begins at *used.
 *   ERR_MORE       the head is not whole; call again with more.
 *   ERR_LIMIT      the head is over HTTP_HEAD_MAX or has over HTTP_HEADERS_MAX headers: answer 431.
 *   ERR_MALFORMED  answer 400 and close.  So are: a request without exactly one Host (HTTP/1.1), a
 *                  body with both Content-Length and Transfer-Encoding, Transfer-Encoding in
 *                  HTTP/1.0, line folding, bare CR or NUL, spaces before a colon, an absolute or
 *                  authority target.
 *   ERR_UNSUPPORTED  a version other than 1.0 and 1.1, or a transfer coding other than chunked:
 *                  answer 501 and close.
 * Except for OK, *request and *used are untouched. */
MUST_USE int http_read_head(struct view bytes, size_t *scanned, struct http_request *request,
                            size_t *used);

/* The target of a request (path and query) whose head may not be whole; the rest as below. */
struct view http_peek_target(struct view bytes);
/* The path of a request whose head may not be whole, still encoded; an empty view as long as its
 * request line has not come so far, or is none. */
struct view http_peek_path(struct view bytes);

/* The value of the first header of that name; an empty view with at == NULL when there is none. */
struct view http_header(const struct http_request *request, const char *name);

/* Whether a comma-separated header, over all lines that bear its name, lists `token` (any case). */
bool http_header_lists(const struct http_request *request, const char *name, const char *token);

/* Reads a chunked body (RFC 9112, section 7.1), in pieces.  Zeroed memory is a reader at its
 * start. */
struct http_chunks {
    uint8_t state;
    uint8_t line_size; /* of the chunk-size line or trailer line so far, saturating */
    uint16_t trailer_size;
    uint64_t left; /* of the chunk */
};

/* Takes from the front of `bytes`; *used says how many.  *data is a view of chunk data among them,
 * perhaps empty.
 *   OK             the body is over: what follows *used is the next request.
 *   ERR_MORE       go on with what follows *used; all was used when *data is empty.
 *   ERR_MALFORMED  answer 400 and close.
 *   ERR_LIMIT      chunk extensions or trailers of over 4 KiB: answer 400 and close. */
MUST_USE int http_read_chunks(struct http_chunks *chunks, struct view bytes, struct view *data,
                              size_t *used);

/* Decodes percent-encoding into out; gives the length.  ERR_MALFORMED for a bad escape or a NUL,
 * ERR_LIMIT when it does not fit. */
MUST_USE int http_decode_percent(struct view text, uint8_t *out, size_t capacity, size_t *size);

/* Finds `name` in a query string ("a=1&b=2") and gives its value, still encoded. */
bool http_query_find(struct view query, const char *name, struct view *value);

/* A byte range of a resource of `size` bytes from a Range header (RFC 9110, section 14.2).
 *   OK             one satisfiable range: [*first, *first + *count).
 *   ERR_MALFORMED  not "bytes=" or several ranges: ignore the header and answer 200.
 *   ERR_LIMIT      not satisfiable: answer 416. */
MUST_USE int http_read_range(struct view header, uint64_t size, uint64_t *first, uint64_t *count);

/* Whether an If-None-Match header names the entity tag (with its quotes; weak comparison). */
bool http_etag_matches(struct view header, struct view etag);

/* The reason phrase of a status code; "Unknown" for others. */
const char *http_reason(unsigned code);

#endif
