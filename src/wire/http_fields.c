/* Targets and header fields: percent-encoding, queries, ranges, entity tags, reason phrases. */
#include "wire/http.h"

#include "base/hex.h"

int http_decode_percent(struct view text, uint8_t *out, size_t capacity, size_t *size)
{
    size_t n = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.at[i];
        if (c == '%') {
            int high = i + 1 < text.size ? hex_digit(text.at[i + 1]) : -1;
            int low = i + 2 < text.size ? hex_digit(text.at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return ERR_MALFORMED;
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        if (c == 0)
            return ERR_MALFORMED;
        if (n == capacity)
            return ERR_LIMIT;
        out[n++] = c;
    }
    *size = n;
    return OK;
}

bool http_query_find(struct view query, const char *name, struct view *value)
{
    struct view part;
    while (view_split(&query, '&', &part)) {
        size_t equals = view_find_byte(part, '=');
        if (!view_equal(view_slice(part, 0, equals), view_of(name)))
            continue;
        *value = view_slice(part, equals + 1, part.size);
        return true;
    }
    return false;
}

int http_read_range(struct view header, uint64_t size, uint64_t *first, uint64_t *count)
{
    struct view prefix = VIEW("bytes=");
    uint64_t from;
    uint64_t to = UINT64_MAX;
    if (!view_equal_nocase(view_slice(header, 0, prefix.size), prefix))
        return ERR_MALFORMED;
    struct view range = view_trim(view_slice(header, prefix.size, header.size));
    size_t dash = view_find_byte(range, '-');
    struct view left = view_slice(range, 0, dash);
    struct view right = view_slice(range, dash + 1, range.size);
    if (dash == range.size)
        return ERR_MALFORMED;

    if (left.size == 0) {
        /* the last so many bytes */
        uint64_t suffix;
        if (!view_read_number(right, UINT64_MAX, &suffix))
            return ERR_MALFORMED;
        if (suffix == 0 || size == 0)
            return ERR_LIMIT;
        *count = suffix < size ? suffix : size;
        *first = size - *count;
        return OK;
    }
    if (!view_read_number(left, UINT64_MAX, &from) ||
        (right.size && !view_read_number(right, UINT64_MAX, &to)) || to < from)
        return ERR_MALFORMED;
    if (from >= size)
        return ERR_LIMIT;
    *first = from;
    *count = (to < size - 1 ? to : size - 1) - from + 1;
    return OK;
}

bool http_etag_matches(struct view header, struct view etag)
{
    struct view part;
    while (view_split(&header, ',', &part)) {
        part = view_trim(part);
        if (view_starts(part, VIEW("W/")))
            part = view_slice(part, 2, part.size);
        if (view_equal(part, etag) || view_equal(part, VIEW("*")))
            return true;
    }
    return false;
}

struct reason {
    unsigned code;
    const char *phrase;
};

static const struct reason REASONS[] = {
    { 100, "Continue" },
    { 101, "Switching Protocols" },
    { 200, "OK" },
    { 204, "No Content" },
    { 206, "Partial Content" },
    { 304, "Not Modified" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 408, "Request Timeout" },
    { 413, "Content Too Large" },
    { 416, "Range Not Satisfiable" },
    { 426, "Upgrade Required" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 503, "Service Unavailable" },
};

const char *http_reason(unsigned code)
{
    for (size_t i = 0; i < sizeof REASONS / sizeof REASONS[0]; i++)
        if (REASONS[i].code == code)
            return REASONS[i].phrase;
    return "Unknown";
}
