#include "front/pages.h"

#include "front/respond.h"

#include <stdio.h>

/* What the page may load and do.  Media elements play streams (blob:, mediastream:) and WebSockets
 * go to this host; 'self' does not cover ws: in every browser. */
#define PAGE_POLICY                                                                                \
    "Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss:; "                   \
    "img-src 'self' data: blob:; media-src 'self' blob: mediastream:; style-src 'self'; "          \
    "script-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; "              \
    "form-action 'self'\r\n"                                                                       \
    "Permissions-Policy: camera=(self), microphone=(self), display-capture=(self), "               \
    "fullscreen=(self), geolocation=()\r\n"                                                        \
    "Cross-Origin-Opener-Policy: same-origin\r\n"                                                  \
    "X-Frame-Options: DENY\r\n"

static int compare(struct view a, struct view b)
{
    size_t i = 0;
    while (i < a.size && i < b.size && a.at[i] == b.at[i])
        i++;
    int left = i < a.size ? a.at[i] : -1;
    int right = i < b.size ? b.at[i] : -1;
    return left - right;
}

const struct asset *assets_find(const struct assets *assets, struct view path)
{
    uint32_t low = 0;
    uint32_t high = assets ? assets->count : 0;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = compare(path, view_of(assets->items[middle].path));
        if (order == 0)
            return &assets->items[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* Files have no version in their names: a browser asks each time, and mostly gets 304.  The
 * compressed form is told by a weak tag, which no range may refer to. */
static void write_headers(const struct asset *asset, bool is_weak, char *headers, size_t capacity)
{
    bool is_page = view_starts(view_of(asset->type), VIEW("text/html"));
    snprintf(headers, capacity,
             "ETag: %s%s\r\nCache-Control: no-cache\r\nVary: Accept-Encoding\r\n"
             "Accept-Ranges: bytes\r\n%s",
             is_weak ? "W/" : "", asset->etag, is_page ? PAGE_POLICY : "");
}

/* Answers with a part of the file (RFC 9110, section 14).  False: send all of it. */
static bool answer_range(struct server *server, usec now, struct stream *stream,
                         const struct asset *asset)
{
    const struct http_request *request = &server->request;
    struct view range = http_header(request, "Range");
    struct view condition = http_header(request, "If-Range");
    uint64_t first;
    uint64_t count;
    char headers[1024];
    char all[1200];
    if (!range.at || request->method != METHOD_GET ||
        (condition.at && !view_equal(condition, view_of(asset->etag))))
        return false;
    int status = http_read_range(range, asset->content.size, &first, &count);
    if (status == ERR_LIMIT) {
        snprintf(all, sizeof all, "Content-Range: bytes */%zu\r\n", asset->content.size);
        respond_code(server, now, stream, 416, all);
        return true;
    }
    if (status != OK)
        return false;
    write_headers(asset, false, headers, sizeof headers);
    snprintf(all, sizeof all, "%sContent-Range: bytes %llu-%llu/%zu\r\n", headers,
             (unsigned long long)first, (unsigned long long)(first + count - 1),
             asset->content.size);
    respond(server, now, stream,
            &(struct response){ .code = 206,
                                .type = asset->type,
                                .headers = all,
                                .body = view_slice(asset->content, first, count),
                                .body_is_static = true });
    return true;
}

void pages_answer(struct server *server, usec now, struct stream *stream, struct view path)
{
    const struct asset *asset = assets_find(server->config.assets, path);
    const struct http_request *request = &server->request;
    char headers[1024];
    if (!asset) {
        respond_code(server, now, stream, 404, NULL);
        return;
    }
    if (request->method != METHOD_GET && request->method != METHOD_HEAD) {
        respond_code(server, now, stream, 405, "Allow: GET, HEAD\r\n");
        return;
    }
    bool gzip = asset->gzipped.size && http_header_lists(request, "Accept-Encoding", "gzip");
    write_headers(asset, gzip, headers, sizeof headers);
    if (http_etag_matches(http_header(request, "If-None-Match"), view_of(asset->etag))) {
        respond(server, now, stream, &(struct response){ .code = 304, .headers = headers });
        return;
    }
    if (answer_range(server, now, stream, asset))
        return;

    char encoded[1100];
    snprintf(encoded, sizeof encoded, "%s%s", headers, gzip ? "Content-Encoding: gzip\r\n" : "");
    respond(server, now, stream,
            &(struct response){ .code = 200,
                                .type = asset->type,
                                .headers = encoded,
                                .body = gzip ? asset->gzipped : asset->content,
                                .body_is_static = true });
}
