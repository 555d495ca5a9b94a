#include "front/sockjs/sockjs.h"

#include "front/respond.h"

#include <stdio.h>
#include <string.h>

/* ---- requests ---- */

static void answer_send(struct server *server, usec now, struct stream *stream,
                        struct endpoint *endpoint, enum sockjs_place place, struct view name,
                        struct view body)
{
    sockjs_answer_send(server, now, stream, endpoint, place, name, body);
}

static void answer_receiver(struct server *server, usec now, struct stream *stream,
                            struct endpoint *endpoint, enum sockjs_place place, struct view name,
                            struct view body)
{
    (void)body;
    sockjs_answer_receiver(server, now, stream, endpoint, place, name);
}

static void answer_page(struct server *server, usec now, struct stream *stream,
                        struct endpoint *endpoint, enum sockjs_place place, struct view name,
                        struct view body)
{
    (void)name;
    (void)body;
    if (place == SOCKJS_GREETING)
        sockjs_answer_greeting(server, now, stream);
    else if (place == SOCKJS_INFO)
        sockjs_answer_info(server, now, stream, endpoint);
    else
        sockjs_answer_iframe(server, now, stream, endpoint);
}

static void answer_websocket(struct server *server, usec now, struct stream *stream,
                             struct endpoint *endpoint, enum sockjs_place place, struct view name,
                             struct view body)
{
    (void)name;
    if (place == SOCKJS_WEBSOCKET)
        sockjs_answer_websocket(server, now, stream, endpoint);
    else
        plain_carrier.request(server, now, stream, endpoint, VIEW(""), body);
}

/* What may be done where. */
static const struct place {
    enum request_method method;
    const char *allow;
    const char *preflight; /* answers OPTIONS with these methods; NULL: not at all */
    void (*answer)(struct server *server, usec now, struct stream *stream,
                   struct endpoint *endpoint, enum sockjs_place place, struct view name,
                   struct view body);
} PLACES[SOCKJS_PLACES] = {
    [SOCKJS_GREETING] = { METHOD_GET, "GET, HEAD", NULL, answer_page },
    [SOCKJS_INFO] = { METHOD_GET, "OPTIONS, GET", "OPTIONS, GET", answer_page },
    [SOCKJS_IFRAME] = { METHOD_GET, "GET, HEAD", NULL, answer_page },
    [SOCKJS_RAW_WEBSOCKET] = { METHOD_GET, "GET", NULL, answer_websocket },
    [SOCKJS_WEBSOCKET] = { METHOD_GET, "GET", NULL, answer_websocket },
    [SOCKJS_XHR] = { METHOD_POST, "OPTIONS, POST", "OPTIONS, POST", answer_receiver },
    [SOCKJS_XHR_SEND] = { METHOD_POST, "OPTIONS, POST", "OPTIONS, POST", answer_send },
    [SOCKJS_XHR_STREAMING] = { METHOD_POST, "OPTIONS, POST", "OPTIONS, POST", answer_receiver },
    [SOCKJS_EVENTSOURCE] = { METHOD_GET, "OPTIONS, GET", "OPTIONS, GET", answer_receiver },
    [SOCKJS_HTMLFILE] = { METHOD_GET, "GET", NULL, answer_receiver },
    [SOCKJS_JSONP] = { METHOD_GET, "GET", NULL, answer_receiver },
    [SOCKJS_JSONP_SEND] = { METHOD_POST, "POST", NULL, answer_send },
};

static void refuse_method(struct server *server, usec now, struct stream *stream, const char *allow)
{
    char headers[64];
    snprintf(headers, sizeof headers, "Allow: %s\r\n", allow);
    respond(server, now, stream, &(struct response){ .code = 405, .headers = headers });
}

static void request(struct server *server, usec now, struct stream *stream,
                    struct endpoint *endpoint, struct view rest, struct view body)
{
    enum request_method method = server->request.method;
    struct view name = { NULL, 0 };
    enum sockjs_place place = sockjs_read_path(rest, &name);
    const struct place *at = &PLACES[place];
    bool is_websocket = place == SOCKJS_WEBSOCKET || place == SOCKJS_RAW_WEBSOCKET;
    if (place == SOCKJS_NOWHERE || (is_websocket && !endpoint->config->sockjs.websocket))
        respond_code(server, now, stream, 404, NULL);
    else if (method == METHOD_OPTIONS && at->preflight)
        sockjs_answer_options(server, now, stream, endpoint, place, at->preflight);
    else if (method == at->method || (method == METHOD_HEAD && at->answer == answer_page))
        at->answer(server, now, stream, endpoint, place, name, body);
    else
        refuse_method(server, now, stream, at->allow);
}

/* ---- sending ---- */

/* The client takes too little: what waits for it is dropped. */
static void give_up(struct server *server, struct sockjs *sockjs)
{
    metrics_add(server->metrics, METRIC_CLOSED_SLOW, 1);
    outbox_clear(&sockjs->queue, &server->outboxes);
    session_close(server, &sockjs->session, 1013, "reads too slowly");
}

/* No session takes more entries than are left for all the others. */
static int queue_buffer(struct server *server, struct sockjs *sockjs, struct buffer *buffer)
{
    const struct pool *entries = &server->outboxes.entries;
    if (sockjs->queue.count >= entries->count_max - entries->used)
        return ERR_LIMIT;
    return outbox_put(&sockjs->queue, &server->outboxes, buffer,
                      sockjs->session.endpoint->config->limits.queue_bytes);
}

/* Queues ,"..." over as many buffers as it takes.  Where one is enough it is the message's form,
 * which all sessions share. */
static int queue_message(struct server *server, struct sockjs *sockjs, struct message *message)
{
    struct buffer **form = &message->forms[FORM_SOCKJS_TEXT];
    if (*form)
        return queue_buffer(server, sockjs, *form);
    struct view body = message->body;
    size_t left = sockjs_escaped_size(body) + 3;
    bool is_one = left <= BUFFER_SIZE_MAX;
    bool is_first = true;
    bool is_whole = false;
    while (!is_whole) {
        struct buffer *buffer;
        size_t size = 0;
        int status =
            buffers_take(server->buffers, left < BUFFER_SIZE_MAX ? left : BUFFER_SIZE_MAX, &buffer);
        if (status != OK)
            return status;
        if (is_first) {
            memcpy(buffer->bytes, ",\"", 2);
            size = 2;
            is_first = false;
        }
        size += sockjs_escape(&body, buffer->bytes + size, buffer->capacity - size);
        if (body.size == 0 && size < buffer->capacity) {
            buffer->bytes[size++] = '"';
            is_whole = true;
        }
        buffer->size = (uint32_t)size;
        left -= size;
        status = queue_buffer(server, sockjs, buffer);
        if (is_one)
            *form = buffer;
        else
            buffer_give(server->buffers, buffer);
        if (status != OK)
            return status;
    }
    return OK;
}

static void send_message(struct server *server, usec now, struct session *session,
                         struct message *message)
{
    struct sockjs *sockjs = sockjs_of(session);
    size_t most = session->endpoint->config->limits.queue_bytes;
    if (sockjs->is_websocket) {
        sockjs_websocket_send(server, now, sockjs, message);
        return;
    }
    if (queue_message(server, sockjs, message) != OK) {
        give_up(server, sockjs);
        return;
    }
    if (!sockjs->stream)
        return;
    /* a poll ends with its first frame: that takes along what else is said just now */
    if (sockjs_is_polling(sockjs->place))
        wheel_set(&server->wheel, &session->timer, now);
    else if (sockjs->stream->outbox.size > most)
        stream_fail(server, sockjs->stream);
    else
        sockjs_flush(server, now, sockjs);
}

/* ---- time ---- */

void sockjs_set_heartbeat(struct server *server, usec now, struct sockjs *sockjs)
{
    usec every = sockjs_config_of(sockjs)->heartbeat;
    usec due = sockjs->sent_at + every;
    if (every)
        wheel_set(&server->wheel, &sockjs->session.timer, due > now ? due : now + every);
    else
        wheel_cancel(&server->wheel, &sockjs->session.timer);
}

static void say_heartbeat(struct server *server, usec now, struct sockjs *sockjs)
{
    usec every = sockjs_config_of(sockjs)->heartbeat;
    if (now - sockjs->sent_at >= every) {
        if (sockjs->is_websocket)
            sockjs_websocket_say(server, now, sockjs, VIEW("h"));
        else
            sockjs_say(server, now, sockjs, VIEW("h"));
    }
    if (sockjs->stream)
        sockjs_set_heartbeat(server, now, sockjs);
}

static void timer(struct server *server, usec now, struct session *session)
{
    struct sockjs *sockjs = sockjs_of(session);
    if (!sockjs->is_websocket && sockjs->stream && sockjs->queue.size) {
        sockjs_flush(server, now, sockjs);
    } else if (sockjs->is_websocket && sockjs->is_closed) {
        sockjs_websocket_close(server, now, sockjs, sockjs->close_code, sockjs->close_reason);
    } else if (sockjs->stream) {
        say_heartbeat(server, now, sockjs);
    } else {
        session_end(server, now, session, false);
        sockjs_free(server, sockjs);
    }
}

/* ---- the end ---- */

static void close_session(struct server *server, usec now, struct session *session, uint16_t code,
                          const char *reason)
{
    struct sockjs *sockjs = sockjs_of(session);
    if (sockjs->is_websocket) {
        sockjs_websocket_close(server, now, sockjs, code, reason);
        return;
    }
    sockjs_set_closed(server, now, sockjs, code, reason);
    sockjs_say_closed(server, now, sockjs);
    if (server->is_stopping)
        sockjs_free(server, sockjs);
}

static void drop(struct server *server, struct session *session)
{
    sockjs_free(server, sockjs_of(session));
}

const struct carrier sockjs_carrier = {
    .name = "sockjs",
    .kind = CARRIER_SOCKJS,
    .request = request,
    .send = send_message,
    .close = close_session,
    .timer = timer,
    .drop = drop,
    .session_size = sizeof(struct sockjs),
};
