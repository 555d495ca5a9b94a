#include "front/routes.h"

#include "front/admin.h"
#include "front/admin_rooms.h"
#include "front/ice.h"
#include "front/meet/meet.h"
#include "front/pages.h"
#include "front/respond.h"
#include "front/session.h"

#include <stdio.h>

struct route {
    const char *path;
    bool is_prefix; /* everything below it, with at least one more byte */
    bool cors;
    const struct dialect *dialect; /* a WebSocket is opened here */
    void (*answer)(struct server *server, usec now, struct stream *stream, struct view body);
    bool is_admin; /* looks at the method itself, and at who asks */
};

static void answer_healthz(struct server *server, usec now, struct stream *stream, struct view body)
{
    (void)body;
    respond(server, now, stream,
            &(struct response){ .code = 200,
                                .type = "text/plain; charset=utf-8",
                                .headers = "Cache-Control: no-store\r\n",
                                .body = VIEW("live\n"),
                                .cors = true });
}

static void answer_readyz(struct server *server, usec now, struct stream *stream, struct view body)
{
    bool ready = !server->is_stopping && server->streams.used < server->streams.count_max;
    (void)body;
    respond(server, now, stream,
            &(struct response){ .code = ready ? 200 : 503,
                                .type = "text/plain; charset=utf-8",
                                .headers = "Cache-Control: no-store\r\n",
                                .body = ready ? VIEW("ready\n") : VIEW("not ready\n"),
                                .cors = true });
}

static void answer_metrics(struct server *server, usec now, struct stream *stream, struct view body)
{
    unsigned size =
        metrics_write(server->config.metrics, server->config.worker_count, (char *)server->scratch);
    (void)body;
    respond(server, now, stream,
            &(struct response){ .code = 200,
                                .type = "text/plain; version=0.0.4; charset=utf-8",
                                .headers = "Cache-Control: no-store\r\n",
                                .body = view_make(server->scratch, size) });
}

static void answer_page(struct server *server, usec now, struct stream *stream, struct view body)
{
    (void)body;
    pages_answer(server, now, stream, VIEW("/index.html"));
}

static const struct route ROUTES[] = {
    { .path = "/", .answer = answer_page },
    { .path = "/r/", .is_prefix = true, .answer = answer_page },
    { .path = "/api/v1/meet", .cors = true, .dialect = &meet_dialect },
    { .path = "/api/v1/ice", .cors = true, .answer = ice_answer },
    { .path = "/api/v1/turn/allocations", .is_admin = true, .answer = admin_list_allocations },
    { .path = "/api/v1/turn/allocations/",
      .is_prefix = true,
      .is_admin = true,
      .answer = admin_end_allocation },
    { .path = "/api/v1/rooms", .is_admin = true, .answer = admin_list_rooms },
    { .path = ADMIN_ROOMS_BELOW, .is_prefix = true, .is_admin = true, .answer = admin_ask_room },
    { .path = "/healthz", .cors = true, .answer = answer_healthz },
    { .path = "/readyz", .cors = true, .answer = answer_readyz },
    { .path = "/metrics", .answer = answer_metrics },
};

static const struct route *find_route(struct view path)
{
    for (size_t i = 0; i < sizeof ROUTES / sizeof ROUTES[0]; i++) {
        struct view wanted = view_of(ROUTES[i].path);
        bool longer = path.size > wanted.size;
        if (ROUTES[i].is_prefix ? longer && view_starts(path, wanted) : view_equal(path, wanted))
            return &ROUTES[i];
    }
    return NULL;
}

/* A WebSocket is opened with GET alone. */
static const char *allow_of(const struct route *route)
{
    return route && route->dialect ? "Allow: GET, OPTIONS\r\n" : "Allow: GET, HEAD, OPTIONS\r\n";
}

/* OPTIONS: what may be done here, and the answer to a CORS preflight (the Fetch standard).  NULL:
 * "*", the server as a whole. */
static void answer_options(struct server *server, usec now, struct stream *stream,
                           const struct route *route)
{
    bool cors = route && route->cors;
    char headers[256];
    snprintf(headers, sizeof headers, "%s%s", allow_of(route),
             cors ? "Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"
                    "Access-Control-Allow-Headers: Authorization, Content-Type\r\n"
                    "Access-Control-Max-Age: 86400\r\n"
                  : "");
    respond(server, now, stream,
            &(struct response){ .code = 204, .headers = headers, .cors = cors });
}

static void answer_route(struct server *server, usec now, struct stream *stream,
                         const struct route *route, struct view body)
{
    const struct http_request *request = &server->request;
    if (route->is_admin)
        route->answer(server, now, stream, body);
    else if (request->method == METHOD_OPTIONS)
        answer_options(server, now, stream, route);
    else if (route->dialect && request->method == METHOD_GET)
        websocket_upgrade(server, now, stream, request, route->dialect, (struct view){ NULL, 0 });
    else if (!route->dialect && (request->method == METHOD_GET || request->method == METHOD_HEAD))
        route->answer(server, now, stream, body);
    else
        respond_code(server, now, stream, 405, allow_of(route));
}

int path_decode(struct view encoded, uint8_t decoded[PATH_MAX_DECODED], struct view *path)
{
    size_t size;
    int status = http_decode_percent(encoded, decoded, PATH_MAX_DECODED, &size);
    if (status == OK)
        *path = view_make(decoded, size);
    return status;
}

void route_request(struct server *server, usec now, struct stream *stream, struct view body)
{
    const struct http_request *request = &server->request;
    uint8_t decoded[PATH_MAX_DECODED];
    struct view path;
    struct endpoint_match match;

    struct trace_event *event = trace_add(&server->trace, now, TRACE_DEBUG, "http.request");
    trace_address(event, "peer", &stream->peer);
    trace_text(event, "path", view_slice(request->path, 0, 100));

    if (view_equal(request->path, VIEW("*"))) {
        if (request->method == METHOD_OPTIONS)
            answer_options(server, now, stream, NULL);
        else
            respond_code(server, now, stream, 400, NULL);
        return;
    }
    if (path_decode(request->path, decoded, &path) != OK) {
        respond_code(server, now, stream, 400, NULL);
        return;
    }
    const struct route *route = find_route(path);
    if (route)
        answer_route(server, now, stream, route, body);
    else if (endpoint_find(server, path, &match))
        endpoint_request(server, now, stream, &match, body);
    else if (assets_find(server->config.assets, path))
        pages_answer(server, now, stream, path);
    else
        respond_code(server, now, stream, 404, NULL);
}
