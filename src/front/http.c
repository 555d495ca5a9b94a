/* HTTP on a stream: reads requests, one after the other, and gives each to its route. */
#include "front/admin_rooms.h"
#include "front/core.h"
#include "front/respond.h"
#include "front/routes.h"
#include "front/session.h"

static void send_continue(struct server *server, usec now, struct stream *stream)
{
    static const struct view TEXT = { (const uint8_t *)"HTTP/1.1 100 Continue\r\n\r\n", 25 };
    (void)now;
    if (outbox_put_static(&stream->outbox, &server->outboxes, TEXT, HTTP_QUEUE_MAX) == OK)
        stream_wake(server, stream);
}

/* The worker that must answer the request whose head begins here, as far as it has come.  The
 * session is told how large its body may be. */
static unsigned owner_of(struct server *server, struct stream *stream, struct view bytes)
{
    uint8_t decoded[PATH_MAX_DECODED];
    struct view path;
    struct endpoint_match match;
    unsigned worker;
    if (!http_session_in_head(&stream->http))
        return server->config.worker;
    if (server->config.admin.count && admin_rooms_owner(server, http_peek_target(bytes), &worker)) {
        stream->http.body_max = 0;
        return worker;
    }
    if (server->endpoint_count == 0)
        return server->config.worker;
    stream->http.body_max = 0;
    if (path_decode(http_peek_path(bytes), decoded, &path) != OK ||
        !endpoint_find(server, path, &match))
        return server->config.worker;
    stream->http.body_max = endpoint_body_max(server, &match);
    return match.endpoint->worker;
}

size_t http_consume(struct server *server, usec now, struct stream *stream, struct view bytes)
{
    size_t used = 0;
    while (stream->phase == PHASE_HTTP && !stream->is_ending && !stream->is_failing) {
        struct http_event event;
        struct view rest = view_slice(bytes, used, bytes.size);
        size_t step;
        if (stream->holder)
            break;
        if (stream->outbox.size > HTTP_QUEUE_PAUSE) {
            stream->is_paused = true;
            break;
        }
        unsigned owner = owner_of(server, stream, rest);
        if (owner != server->config.worker) {
            stream_move_request(server, stream, owner);
            break;
        }
        http_session_read(&stream->http, server->buffers, rest, &step, &server->request, &event);
        used += step;
        if (event.kind == HTTP_EVENT_WAIT)
            break;
        if (event.kind == HTTP_EVENT_CONTINUE)
            send_continue(server, now, stream);
        else if (event.kind == HTTP_EVENT_FAILED)
            respond_failed(server, now, stream, event.code);
        else
            route_request(server, now, stream, event.body);
    }
    return used;
}

void http_time_out(struct server *server, usec now, struct stream *stream)
{
    server->request = (struct http_request){ .method = METHOD_OTHER };
    respond_code(server, now, stream, 408, NULL);
}
