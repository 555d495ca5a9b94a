/* Clients that wait for frames: polls, which end with the first, and streams. */
#include "front/hold.h"
#include "front/respond.h"
#include "front/sockjs/sockjs.h"

#include <string.h>

/* The callback of the query, decoded into `out`.  False: it was answered with an error. */
static bool read_callback(struct server *server, usec now, struct stream *stream,
                          const struct endpoint *endpoint, enum sockjs_place place,
                          uint8_t out[SOCKJS_CALLBACK_MAX], struct view *callback)
{
    struct view query = server->request.query;
    struct view text;
    size_t size = 0;
    if (!http_query_find(query, "c", &text) && !http_query_find(query, "callback", &text)) {
        sockjs_answer_500(server, now, stream, endpoint, place, "\"callback\" parameter required");
        return false;
    }
    if (http_decode_percent(text, out, SOCKJS_CALLBACK_MAX, &size) != OK ||
        !sockjs_callback_valid(view_make(out, size))) {
        sockjs_answer_500(server, now, stream, endpoint, place, "invalid \"callback\" parameter");
        return false;
    }
    *callback = view_make(out, size);
    return true;
}

/* The response ends; the session waits for the next. */
static void let_go(struct server *server, usec now, struct sockjs *sockjs)
{
    struct stream *stream = sockjs->stream;
    sockjs->stream = NULL;
    stream->context = NULL;
    http_end_pieces(server, now, stream);
    wheel_set(&server->wheel, &sockjs->session.timer, now + sockjs_config_of(sockjs)->disconnect);
}

/* A frame of that size went to the receiver.  One that fails is left to its end, for what was
 * written to it is lost. */
static void wrote(struct server *server, usec now, struct sockjs *sockjs, size_t size)
{
    sockjs->sent_at = now;
    sockjs->response_size += (uint32_t)size;
    if (sockjs->stream->is_failing)
        return;
    if (sockjs_is_polling(sockjs->place) ||
        sockjs->response_size >= sockjs_config_of(sockjs)->response_max)
        let_go(server, now, sockjs);
}

void sockjs_say(struct server *server, usec now, struct sockjs *sockjs, struct view frame)
{
    wrote(server, now, sockjs,
          sockjs_write_frame(server, now, sockjs->stream, sockjs->place, frame));
}

void sockjs_flush(struct server *server, usec now, struct sockjs *sockjs)
{
    if (!sockjs->stream || sockjs->queue.size == 0)
        return;
    wrote(server, now, sockjs,
          sockjs_write_messages(server, now, sockjs->stream, sockjs->place, &sockjs->queue));
}

void sockjs_say_closed(struct server *server, usec now, struct sockjs *sockjs)
{
    sockjs_flush(server, now, sockjs);
    if (!sockjs->stream)
        return;
    sockjs_write_closed(server, now, sockjs->stream, sockjs->place, sockjs->close_code,
                        sockjs->close_reason);
    let_go(server, now, sockjs);
}

void sockjs_set_closed(struct server *server, usec now, struct sockjs *sockjs, uint16_t code,
                       const char *reason)
{
    sockjs->is_closed = true;
    sockjs->close_code = code;
    sockjs->close_reason = reason;
    wheel_set(&server->wheel, &sockjs->session.timer, now + sockjs_config_of(sockjs)->disconnect);
}

void sockjs_free(struct server *server, struct sockjs *sockjs)
{
    if (sockjs->name_size)
        map_remove(&sockjs->session.endpoint->names, view_make(sockjs->name, sockjs->name_size));
    outbox_clear(&sockjs->queue, &server->outboxes);
    session_free(server, &sockjs->session);
}

/* NULL: there is no place. */
static struct sockjs *add_session(struct server *server, struct endpoint *endpoint,
                                  struct view name)
{
    struct session *session = session_new(server, endpoint, &sockjs_carrier);
    if (!session)
        return NULL;
    struct sockjs *sockjs = sockjs_of(session);
    memcpy(sockjs->name, name.at, name.size);
    if (map_add(&endpoint->names, view_make(sockjs->name, name.size), sockjs) != OK) {
        session_free(server, session);
        return NULL;
    }
    sockjs->name_size = (uint8_t)name.size;
    return sockjs;
}

/* The response that says but that the session is closed, or taken. */
static void answer_closed(struct server *server, usec now, struct stream *stream,
                          const struct endpoint *endpoint, enum sockjs_place place,
                          struct view callback, unsigned code, const char *reason)
{
    sockjs_begin(server, now, stream, endpoint, place, callback, NULL);
    if (!stream->holder)
        return;
    sockjs_write_closed(server, now, stream, place, code, reason);
    http_end_pieces(server, now, stream);
}

/* The request becomes the receiver.  False: it has gone already. */
static bool attach(struct server *server, usec now, struct stream *stream, struct sockjs *sockjs,
                   enum sockjs_place place, struct view callback)
{
    sockjs->stream = stream;
    sockjs->place = (uint8_t)place;
    sockjs->response_size = 0;
    sockjs->sent_at = now;
    sockjs_begin(server, now, stream, sockjs->session.endpoint, place, callback, sockjs);
    if (!sockjs->stream)
        return false;
    sockjs_set_heartbeat(server, now, sockjs);
    return true;
}

static void open_session(struct server *server, usec now, struct stream *stream,
                         struct endpoint *endpoint, enum sockjs_place place, struct view name,
                         struct view callback)
{
    struct sockjs *sockjs = add_session(server, endpoint, name);
    if (!sockjs) {
        respond_code(server, now, stream, 503, NULL);
        return;
    }
    if (!attach(server, now, stream, sockjs, place, callback)) {
        sockjs_free(server, sockjs);
        return;
    }
    sockjs_say(server, now, sockjs, VIEW("o"));
    session_open(server, now, &sockjs->session);
}

void sockjs_answer_receiver(struct server *server, usec now, struct stream *stream,
                            struct endpoint *endpoint, enum sockjs_place place, struct view name)
{
    uint8_t memory[SOCKJS_CALLBACK_MAX];
    struct view callback = { NULL, 0 };
    bool needs_callback = place == SOCKJS_JSONP || place == SOCKJS_HTMLFILE;
    if (needs_callback && !read_callback(server, now, stream, endpoint, place, memory, &callback))
        return;
    struct sockjs *sockjs = map_find(&endpoint->names, name);
    if (!sockjs) {
        open_session(server, now, stream, endpoint, place, name, callback);
    } else if (sockjs->stream) {
        answer_closed(server, now, stream, endpoint, place, callback, 2010,
                      "Another connection still open");
    } else if (!attach(server, now, stream, sockjs, place, callback)) {
        return; /* the speech has been told, if it had to be */
    } else if (sockjs->is_closed) {
        sockjs_say_closed(server, now, sockjs);
    } else {
        sockjs_flush(server, now, sockjs);
    }
}
