#include "wire/http.h"

#include <http_parser.h>

#include <string.h>

/* ---- the head ---- */

/* What the library's callbacks collect. */
struct reading {
    struct http_request *request;
    bool too_many;
    bool malformed;
    bool in_value; /* the last callback was a value's: a name begins a new header */
    bool is_whole;
    uint32_t hosts;
};

static void extend(struct view *view, const char *at, size_t size)
{
    if (!view->at)
        view->at = (const uint8_t *)at;
    view->size += size;
}

static int on_url(http_parser *parser, const char *at, size_t size)
{
    struct reading *reading = parser->data;
    extend(&reading->request->target, at, size);
    return 0;
}

static int on_header_field(http_parser *parser, const char *at, size_t size)
{
    struct reading *reading = parser->data;
    struct http_request *request = reading->request;
    if (reading->in_value || request->header_count == 0) {
        if (request->header_count == HTTP_HEADERS_MAX) {
            reading->too_many = true;
            return 1;
        }
        request->headers[request->header_count++] = (struct http_header){ .name = { NULL, 0 } };
        reading->in_value = false;
    }
    extend(&request->headers[request->header_count - 1].name, at, size);
    return 0;
}

static int on_header_value(http_parser *parser, const char *at, size_t size)
{
    struct reading *reading = parser->data;
    struct http_request *request = reading->request;
    if (request->header_count == 0) {
        reading->malformed = true;
        return 1;
    }
    reading->in_value = true;
    extend(&request->headers[request->header_count - 1].value, at, size);
    return 0;
}

static int on_headers_complete(http_parser *parser)
{
    struct reading *reading = parser->data;
    reading->is_whole = true;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings SETTINGS = {
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
};

static enum request_method method_of(unsigned method)
{
    switch (method) {
    case HTTP_GET:
        return METHOD_GET;
    case HTTP_HEAD:
        return METHOD_HEAD;
    case HTTP_POST:
        return METHOD_POST;
    case HTTP_PUT:
        return METHOD_PUT;
    case HTTP_DELETE:
        return METHOD_DELETE;
    case HTTP_PATCH:
        return METHOD_PATCH;
    case HTTP_OPTIONS:
        return METHOD_OPTIONS;
    default:
        return METHOD_OTHER;
    }
}

/* Where the head ends: behind the first empty line; 0 when that has not come. */
static size_t find_end(struct view bytes, size_t *scanned)
{
    size_t from = *scanned > 3 ? *scanned - 3 : 0;
    size_t limit = bytes.size < HTTP_HEAD_MAX ? bytes.size : HTTP_HEAD_MAX;
    for (size_t i = from; i + 4 <= limit; i++)
        if (memcmp(bytes.at + i, "\r\n\r\n", 4) == 0)
            return i + 4;
    *scanned = bytes.size;
    return 0;
}

/* What the library lets pass and we do not: bare CR and LF, NUL and other controls, folded
 * lines. */
static bool lines_valid(struct view head)
{
    for (size_t i = 0; i < head.size; i++) {
        uint8_t c = head.at[i];
        if (c == '\r' && (i + 1 >= head.size || head.at[i + 1] != '\n'))
            return false;
        if (c == '\n' && (i == 0 || head.at[i - 1] != '\r'))
            return false;
        if (c == '\n' && i + 1 < head.size && (head.at[i + 1] == ' ' || head.at[i + 1] == '\t'))
            return false;
        if ((c < 0x20 && c != '\r' && c != '\n' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* The same for the first line (RFC 9112, section 3): method, target and version, one space
 * between. */
static bool request_line_valid(struct view head)
{
    struct view line = view_slice(head, 0, view_find_byte(head, '\r'));
    struct view parts[3];
    size_t count = 0;
    while (count < 3 && view_split(&line, ' ', &parts[count]))
        count++;
    return count == 3 && !line.at && view_find_byte(parts[1], '\t') == parts[1].size &&
           view_starts(parts[2], VIEW("HTTP/"));
}

/* RFC 9110, section 5.6.2 */
static bool is_token(struct view text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.at[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (c == 0 || (!is_letter && !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return text.size > 0;
}

static bool headers_valid(struct http_request *request)
{
    for (uint32_t i = 0; i < request->header_count; i++) {
        struct http_header *header = &request->headers[i];
        if (!is_token(header->name))
            return false;
        header->value = view_trim(header->value);
    }
    return true;
}

static uint32_t count_headers(const struct http_request *request, const char *name)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < request->header_count; i++)
        if (view_equal_nocase(request->headers[i].name, view_of(name)))
            count++;
    return count;
}

/* RFC 9112, section 6: how the body is framed. */
static int read_framing(struct http_request *request, bool is_1_0)
{
    uint32_t lengths = count_headers(request, "Content-Length");
    uint32_t codings = count_headers(request, "Transfer-Encoding");
    if (codings) {
        if (lengths || codings > 1 || is_1_0)
            return ERR_MALFORMED;
        if (!view_equal_nocase(http_header(request, "Transfer-Encoding"), VIEW("chunked")))
            return ERR_UNSUPPORTED;
        request->body = HTTP_BODY_CHUNKED;
        return OK;
    }
    if (lengths == 0)
        return OK;
    if (lengths > 1 ||
        !view_read_number(http_header(request, "Content-Length"), UINT64_MAX, &request->body_size))
        return ERR_MALFORMED;
    request->body = HTTP_BODY_LENGTH;
    return OK;
}

static int finish_head(const http_parser *parser, struct http_request *request)
{
    bool is_1_0 = parser->http_major == 1 && parser->http_minor == 0;
    if (parser->http_major != 1 || parser->http_minor > 1)
        return ERR_UNSUPPORTED;
    if (!headers_valid(request))
        return ERR_MALFORMED;
    uint32_t hosts = count_headers(request, "Host");
    if (hosts > 1 || (hosts == 0 && !is_1_0))
        return ERR_MALFORMED;
    bool is_origin_form = request->target.size && request->target.at[0] == '/';
    if (!is_origin_form && !view_equal(request->target, VIEW("*")))
        return ERR_MALFORMED;
    if (request->target.size > HTTP_TARGET_MAX)
        return ERR_LIMIT;
    int status = read_framing(request, is_1_0);
    if (status != OK)
        return status;

    size_t query = view_find_byte(request->target, '?');
    request->method = method_of(parser->method);
    request->path = view_slice(request->target, 0, query);
    request->query = view_slice(request->target, query + 1, request->target.size);
    request->is_1_0 = is_1_0;
    request->keep_alive = is_1_0 ? http_header_lists(request, "Connection", "keep-alive")
                                 : !http_header_lists(request, "Connection", "close");
    request->upgrade = !is_1_0 && http_header_lists(request, "Connection", "upgrade") &&
                       http_header(request, "Upgrade").at != NULL;
    request->expect_continue =
        !is_1_0 && view_equal_nocase(http_header(request, "Expect"), VIEW("100-continue"));
    return OK;
}

static int parse_head(struct view head, struct http_request *request)
{
    struct http_request read = { .header_count = 0 };
    struct reading reading = { .request = &read };
    http_parser parser;
    if (!lines_valid(head) || !request_line_valid(head))
        return ERR_MALFORMED;
    http_parser_init(&parser, HTTP_REQUEST);
    parser.data = &reading;
    http_parser_execute(&parser, &SETTINGS, (const char *)head.at, head.size);
    if (reading.too_many)
        return ERR_LIMIT;
    enum http_errno error = HTTP_PARSER_ERRNO(&parser);
    if (error == HPE_INVALID_VERSION)
        return ERR_UNSUPPORTED;
    if (!reading.is_whole || (error != HPE_OK && error != HPE_PAUSED))
        return ERR_MALFORMED;
    int status = finish_head(&parser, &read);
    if (status == OK)
        *request = read;
    return status;
}

int http_read_head(struct view bytes, size_t *scanned, struct http_request *request, size_t *used)
{
    size_t blank = 0;
    while (bytes.size - blank >= 2 && bytes.at[blank] == '\r' && bytes.at[blank + 1] == '\n')
        blank += 2;
    if (blank > HTTP_HEAD_MAX)
        return ERR_LIMIT;
    struct view rest = view_slice(bytes, blank, bytes.size);
    size_t rest_scanned = *scanned > blank ? *scanned - blank : 0;
    size_t size = find_end(rest, &rest_scanned);
    *scanned = rest_scanned + blank;
    if (size == 0)
        return rest.size >= HTTP_HEAD_MAX ? ERR_LIMIT : ERR_MORE;
    int status = parse_head(view_slice(rest, 0, size), request);
    if (status == OK)
        *used = blank + size;
    return status;
}

struct view http_header(const struct http_request *request, const char *name)
{
    for (uint32_t i = 0; i < request->header_count; i++)
        if (view_equal_nocase(request->headers[i].name, view_of(name)))
            return request->headers[i].value;
    return (struct view){ NULL, 0 };
}

/* A list element without its parameters, and whether they refuse it (";q=0"). */
static bool element_is(struct view element, struct view token)
{
    struct view name;
    struct view parameter;
    if (!view_split(&element, ';', &name) || !view_equal_nocase(view_trim(name), token))
        return false;
    while (view_split(&element, ';', &parameter)) {
        parameter = view_trim(parameter);
        if (!view_starts(parameter, VIEW("q=0")) && !view_starts(parameter, VIEW("Q=0")))
            continue;
        struct view digits = view_slice(parameter, 3, parameter.size);
        bool is_zero = true;
        for (size_t i = 0; i < digits.size; i++)
            is_zero = is_zero && (digits.at[i] == '.' || digits.at[i] == '0');
        if (is_zero)
            return false;
    }
    return true;
}

bool http_header_lists(const struct http_request *request, const char *name, const char *token)
{
    for (uint32_t i = 0; i < request->header_count; i++) {
        struct view rest = request->headers[i].value;
        struct view element;
        if (!view_equal_nocase(request->headers[i].name, view_of(name)))
            continue;
        while (view_split(&rest, ',', &element))
            if (element_is(view_trim(element), view_of(token)))
                return true;
    }
    return false;
}

struct view http_peek_target(struct view bytes)
{
    static const struct view NONE = { NULL, 0 };
    size_t at = 0;
    while (at < bytes.size && (bytes.at[at] == '\r' || bytes.at[at] == '\n'))
        at++;
    struct view line = view_slice(bytes, at, HTTP_TARGET_MAX + 32);
    size_t method = view_find_byte(line, ' ');
    struct view rest = view_slice(line, method + 1, line.size);
    size_t size = view_find_byte(rest, ' ');
    if (size == rest.size || rest.at[0] != '/')
        return NONE;
    return view_slice(rest, 0, size);
}

struct view http_peek_path(struct view bytes)
{
    struct view target = http_peek_target(bytes);
    return view_slice(target, 0, view_find_byte(target, '?'));
}
