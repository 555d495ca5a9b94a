#include "agent/http_session.h"

static void fail(struct http_event *event, unsigned code)
{
    event->kind = HTTP_EVENT_FAILED;
    event->code = code;
}

static unsigned code_of(int status)
{
    switch (status) {
    case ERR_LIMIT:
        return 431;
    case ERR_UNSUPPORTED:
        return 501;
    default:
        return 400;
    }
}

static size_t body_max(const struct http_session *session)
{
    return session->body_max ? session->body_max : HTTP_BODY_MAX;
}

/* The body follows: keeps the head until it is whole. */
static void begin_body(struct http_session *session, struct buffers *buffers, struct view head,
                       const struct http_request *request, struct http_event *event)
{
    if (request->body == HTTP_BODY_LENGTH && request->body_size > body_max(session)) {
        fail(event, 413);
        return;
    }
    if (inbox_add(&session->head, buffers, head) != OK) {
        fail(event, 503);
        return;
    }
    session->phase = HTTP_PHASE_BODY;
    session->body_left =
        request->body == HTTP_BODY_LENGTH ? (uint32_t)request->body_size : UINT32_MAX;
    session->chunks = (struct http_chunks){ 0 };
    if (request->expect_continue)
        event->kind = HTTP_EVENT_CONTINUE;
}

static void read_head(struct http_session *session, struct buffers *buffers, struct view bytes,
                      size_t *used, struct http_request *request, struct http_event *event)
{
    size_t scanned = session->scanned;
    size_t head_size;
    int status = http_read_head(bytes, &scanned, request, &head_size);
    session->scanned = (uint32_t)scanned;
    if (status == ERR_MORE)
        return;
    if (status != OK) {
        fail(event, code_of(status));
        return;
    }
    session->scanned = 0;
    *used = head_size;
    bool has_body = request->body == HTTP_BODY_CHUNKED ||
                    (request->body == HTTP_BODY_LENGTH && request->body_size > 0);
    if (has_body)
        begin_body(session, buffers, view_slice(bytes, 0, head_size), request, event);
    else
        event->kind = HTTP_EVENT_REQUEST;
}

/* Adds to the body; false when it is over its limit. */
static bool add_body(struct http_session *session, struct buffers *buffers, struct view data,
                     struct http_event *event)
{
    if (inbox_bytes(&session->body).size + data.size > body_max(session)) {
        fail(event, 413);
        return false;
    }
    if (inbox_add(&session->body, buffers, data) != OK) {
        fail(event, 503);
        return false;
    }
    return true;
}

/* Takes body bytes.  True: the body is whole. */
static bool read_body(struct http_session *session, struct buffers *buffers, struct view bytes,
                      size_t *used, struct http_event *event)
{
    if (session->body_left != UINT32_MAX) {
        struct view data = view_slice(bytes, 0, session->body_left);
        *used = data.size;
        session->body_left -= (uint32_t)data.size;
        return add_body(session, buffers, data, event) && session->body_left == 0;
    }
    while (*used < bytes.size) {
        struct view data;
        size_t step;
        int status =
            http_read_chunks(&session->chunks, view_slice(bytes, *used, bytes.size), &data, &step);
        *used += step;
        if (status != OK && status != ERR_MORE) {
            fail(event, 400);
            return false;
        }
        if (!add_body(session, buffers, data, event))
            return false;
        if (status == OK)
            return true;
    }
    return false;
}

void http_session_read(struct http_session *session, struct buffers *buffers, struct view bytes,
                       size_t *used, struct http_request *request, struct http_event *event)
{
    *event = (struct http_event){ .kind = HTTP_EVENT_WAIT };
    *used = 0;
    if (session->phase == HTTP_PHASE_DONE) {
        http_session_clear(session, buffers);
        session->phase = HTTP_PHASE_HEAD;
    }
    if (bytes.size == 0)
        return;
    if (session->phase == HTTP_PHASE_HEAD) {
        read_head(session, buffers, bytes, used, request, event);
        /* the body may have come with its head */
        if (session->phase != HTTP_PHASE_BODY || event->kind != HTTP_EVENT_WAIT ||
            *used == bytes.size)
            return;
    }
    size_t step = 0;
    bool is_whole = read_body(session, buffers, view_slice(bytes, *used, bytes.size), &step, event);
    *used += step;
    if (!is_whole)
        return;

    size_t scanned = 0;
    size_t head_size;
    int status =
        http_read_head(view_of_span(inbox_bytes(&session->head)), &scanned, request, &head_size);
    session->phase = HTTP_PHASE_DONE;
    event->kind = HTTP_EVENT_REQUEST;
    event->body = view_of_span(inbox_bytes(&session->body));
    if (status != OK) /* it was read before */
        fail(event, 500);
}

bool http_session_in_head(const struct http_session *session)
{
    return session->phase != HTTP_PHASE_BODY;
}

bool http_session_in_body(const struct http_session *session)
{
    return session->phase == HTTP_PHASE_BODY;
}

void http_session_clear(struct http_session *session, struct buffers *buffers)
{
    inbox_clear(&session->head, buffers);
    inbox_clear(&session->body, buffers);
}
