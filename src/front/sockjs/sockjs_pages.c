/* What a SockJS service says outside of sessions, and the headers of all its answers. */
#include "front/respond.h"
#include "front/sockjs/sockjs.h"

#include <stdio.h>
#include <string.h>

#define ONE_YEAR_S     31536000u
#define ORIGIN_MAX     256
#define COOKIE_MAX     128
#define ASKED_MAX      256
#define CLIENT_URL_MAX 512
#define CLIENT_URL     "https://cdn.jsdelivr.net/npm/sockjs-client@1/dist/sockjs.min.js"

static bool has_cors(enum sockjs_place place)
{
    return place == SOCKJS_INFO || place == SOCKJS_XHR || place == SOCKJS_XHR_SEND ||
           place == SOCKJS_XHR_STREAMING || place == SOCKJS_EVENTSOURCE;
}

/* The value of a cookie of the request, without the quotes and marks that could end a header's
 * value early; empty: there is none that may be sent back. */
static struct view find_cookie(const struct http_request *request, struct view name)
{
    struct view rest = http_header(request, "Cookie");
    struct view pair;
    while (rest.size && view_split(&rest, ';', &pair)) {
        pair = view_trim(pair);
        size_t equals = view_find_byte(pair, '=');
        struct view value = view_slice(pair, equals + 1, pair.size);
        if (view_equal(view_slice(pair, 0, equals), name) && value.size <= COOKIE_MAX)
            return value;
    }
    return (struct view){ NULL, 0 };
}

/* The origin may be any that endpoint_request let in.  Pages from files, and those in a sandbox,
 * have "null": browsers, which take no "*" where cookies may go along, must be told just that.  The
 * protocol wants "*" for it in the answer to OPTIONS; browsers ask for a method there. */
static struct view allowed_origin(const struct http_request *request)
{
    struct view origin = http_header(request, "Origin");
    bool is_browser = request->method != METHOD_OPTIONS ||
                      http_header(request, "Access-Control-Request-Method").size > 0;
    if (origin.size == 0 || origin.size > ORIGIN_MAX)
        return VIEW("*");
    return !is_browser && view_equal(origin, VIEW("null")) ? VIEW("*") : origin;
}

static size_t write_cors(const struct http_request *request, char *out, size_t room)
{
    struct view origin = allowed_origin(request);
    struct view asked = http_header(request, "Access-Control-Request-Headers");
    if (asked.size > ASKED_MAX)
        asked.size = 0;
    return (size_t)snprintf(out, room,
                            "Access-Control-Allow-Origin: %.*s\r\n"
                            "Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n"
                            "%s%.*s%s",
                            VIEW_ARGS(origin), asked.size ? "Access-Control-Allow-Headers: " : "",
                            VIEW_ARGS(asked), asked.size ? "\r\n" : "");
}

void sockjs_headers(struct server *server, usec now, const struct endpoint *endpoint,
                    enum sockjs_place place, enum sockjs_caching caching,
                    char out[SOCKJS_HEADERS_MAX])
{
    char expires[RESPOND_DATE_SIZE];
    size_t size;
    if (caching == SOCKJS_CACHED_LONG) {
        respond_date(server->config.unix_at_zero + now + ONE_YEAR_S * USEC_S, expires);
        size = (size_t)snprintf(out, SOCKJS_HEADERS_MAX,
                                "Cache-Control: public, max-age=%u\r\nExpires: %s\r\n", ONE_YEAR_S,
                                expires);
    } else {
        size =
            (size_t)snprintf(out, SOCKJS_HEADERS_MAX,
                             "Cache-Control: no-store, no-cache, must-revalidate, max-age=0\r\n");
    }
    if (has_cors(place))
        size += write_cors(&server->request, out + size, SOCKJS_HEADERS_MAX - size);
    /* scripts and frames are for pages of other sites: that is what these transports are for */
    if (place == SOCKJS_JSONP || place == SOCKJS_IFRAME || place == SOCKJS_HTMLFILE)
        size += (size_t)snprintf(out + size, SOCKJS_HEADERS_MAX - size,
                                 "Cross-Origin-Resource-Policy: cross-origin\r\n");
    if (endpoint->config->sockjs.cookie_needed && place >= SOCKJS_XHR) {
        struct view cookie = find_cookie(&server->request, VIEW("JSESSIONID"));
        if (cookie.size == 0)
            cookie = VIEW("dummy");
        snprintf(out + size, SOCKJS_HEADERS_MAX - size, "Set-Cookie: JSESSIONID=%.*s; path=/\r\n",
                 VIEW_ARGS(cookie));
    }
}

void sockjs_answer_greeting(struct server *server, usec now, struct stream *stream)
{
    respond(server, now, stream,
            &(struct response){ .code = 200,
                                .type = "text/plain; charset=UTF-8",
                                .body = VIEW("Welcome to SockJS!\n"),
                                .body_is_static = true });
}

/* The client takes how long the answer took for the round trip, and begins with what it names. */
void sockjs_answer_info(struct server *server, usec now, struct stream *stream,
                        const struct endpoint *endpoint)
{
    const struct sockjs_config *config = &endpoint->config->sockjs;
    char headers[SOCKJS_HEADERS_MAX];
    char body[128];
    uint32_t entropy;
    random_fill(&server->config.random, &entropy, sizeof entropy);
    int size =
        snprintf(body, sizeof body,
                 "{\"websocket\":%s,\"origins\":[\"*:*\"],\"cookie_needed\":%s,\"entropy\":%lu}",
                 config->websocket ? "true" : "false", config->cookie_needed ? "true" : "false",
                 (unsigned long)entropy);
    sockjs_headers(server, now, endpoint, SOCKJS_INFO, SOCKJS_CACHED_NEVER, headers);
    respond(server, now, stream,
            &(struct response){ .code = 200,
                                .type = "application/json; charset=UTF-8",
                                .headers = headers,
                                .body = view_make(body, (size_t)size) });
}

/* An address as it may stand in an attribute. */
static size_t write_url(const char *url, char *out, size_t room)
{
    size_t size = 0;
    for (; *url && size + 6 < room; url++) {
        const char *instead = *url == '"' ? "&quot;" : *url == '<' ? "&lt;" : NULL;
        if (instead)
            size += (size_t)snprintf(out + size, room - size, "%s", instead);
        else
            out[size++] = *url;
    }
    out[size] = 0;
    return size;
}

/* The page, to the letter: old clients load it into a frame and talk to the library inside. */
void sockjs_answer_iframe(struct server *server, usec now, struct stream *stream,
                          const struct endpoint *endpoint)
{
    static const uint64_t NO_SECRET[2] = { 0, 0 };
    const char *url = endpoint->config->sockjs.client_url;
    char safe_url[CLIENT_URL_MAX];
    char headers[SOCKJS_HEADERS_MAX + 64];
    char etag[32];
    char body[1024 + CLIENT_URL_MAX];
    write_url(url && *url ? url : CLIENT_URL, safe_url, sizeof safe_url);
    size_t size = (size_t)snprintf(
        body, sizeof body,
        "<!DOCTYPE html>\n<html>\n<head>\n"
        "  <meta http-equiv=\"X-UA-Compatible\" content=\"IE=edge\" />\n"
        "  <meta http-equiv=\"Content-Type\" content=\"text/html; charset=UTF-8\" />\n"
        "  <script>\n    document.domain = document.domain;\n"
        "    _sockjs_onload = function(){SockJS.bootstrap_iframe();};\n  </script>\n"
        "  <script src=\"%s\"></script>\n</head>\n<body>\n  <h2>Don't panic!</h2>\n"
        "  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>\n"
        "</body>\n</html>",
        safe_url);
    struct view page = view_make(body, size);
    snprintf(etag, sizeof etag, "\"%016llx\"", (unsigned long long)siphash(page, NO_SECRET));
    sockjs_headers(server, now, endpoint, SOCKJS_IFRAME, SOCKJS_CACHED_LONG, headers);
    size_t head = strlen(headers);
    snprintf(headers + head, sizeof headers - head, "ETag: %s\r\n", etag);
    bool is_known =
        http_etag_matches(http_header(&server->request, "If-None-Match"), view_of(etag));
    respond(server, now, stream,
            &(struct response){ .code = is_known ? 304 : 200,
                                .type = is_known ? NULL : "text/html; charset=UTF-8",
                                .headers = headers,
                                .body = page });
}

void sockjs_answer_options(struct server *server, usec now, struct stream *stream,
                           const struct endpoint *endpoint, enum sockjs_place place,
                           const char *methods)
{
    char headers[SOCKJS_HEADERS_MAX + 128];
    sockjs_headers(server, now, endpoint, place, SOCKJS_CACHED_LONG, headers);
    size_t size = strlen(headers);
    snprintf(headers + size, sizeof headers - size,
             "Access-Control-Allow-Methods: %s\r\nAccess-Control-Max-Age: %u\r\n", methods,
             ONE_YEAR_S);
    respond(server, now, stream, &(struct response){ .code = 204, .headers = headers });
}

void sockjs_answer_500(struct server *server, usec now, struct stream *stream,
                       const struct endpoint *endpoint, enum sockjs_place place, const char *words)
{
    char headers[SOCKJS_HEADERS_MAX];
    sockjs_headers(server, now, endpoint, place, SOCKJS_CACHED_NEVER, headers);
    respond(server, now, stream,
            &(struct response){ .code = 500,
                                .type = "text/plain; charset=UTF-8",
                                .headers = headers,
                                .body = view_of(words) });
}
