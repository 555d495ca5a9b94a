/* Messages in requests: xhr_send, and jsonp_send from a form. */
#include "front/respond.h"
#include "front/sockjs/sockjs.h"

#include <string.h>

int sockjs_hear(struct server *server, usec now, struct session *session,
                struct sockjs_reader *reader)
{
    uint32_t most = session->endpoint->config->limits.message_bytes;
    struct buffer *buffer;
    struct view message;
    if (reader->rest.size == 0)
        return OK;
    int status = buffers_take(server->buffers, reader->rest.size, &buffer);
    if (status != OK)
        return status;
    while (sockjs_next(reader, buffer->bytes, &message)) {
        if (message.size > most)
            session_close(server, session, 1009, "the message is too long");
        else
            session_hear(server, now, session, message, false);
    }
    buffer_give(server->buffers, buffer);
    return OK;
}

/* Why a body is not taken; NULL: it is, and *reader stands at its messages. */
static const char *read_messages(struct view text, struct sockjs_reader *reader)
{
    if (text.size == 0)
        return "Payload expected.";
    if (sockjs_read(text, reader) != OK)
        return "Broken JSON encoding.";
    return reader->is_array ? NULL : "Payload expected.";
}

static bool is_form(const struct http_request *request)
{
    struct view type = http_header(request, "Content-Type");
    type = view_trim(view_slice(type, 0, view_find_byte(type, ';')));
    return view_equal_nocase(type, VIEW("application/x-www-form-urlencoded"));
}

/* The field "d" of a form, decoded into a buffer that is the caller's.  ERR_LIMIT: there is no
 * memory; ERR_MALFORMED; ERR_NOT_FOUND. */
static int read_form(struct server *server, struct view body, struct buffer **out)
{
    struct view field;
    struct buffer *buffer;
    size_t size = 0;
    if (!http_query_find(body, "d", &field) || field.size == 0)
        return ERR_NOT_FOUND;
    int status = buffers_take(server->buffers, 2 * field.size, &buffer);
    if (status != OK)
        return status;
    /* a form's spaces are plus signs */
    uint8_t *spaced = buffer->bytes + field.size;
    for (size_t i = 0; i < field.size; i++)
        spaced[i] = field.at[i] == '+' ? ' ' : field.at[i];
    status = http_decode_percent(view_make(spaced, field.size), buffer->bytes, field.size, &size);
    if (status != OK) {
        buffer_give(server->buffers, buffer);
        return status;
    }
    buffer->size = (uint32_t)size;
    *out = buffer;
    return OK;
}

static void answer(struct server *server, usec now, struct stream *stream,
                   const struct endpoint *endpoint, enum sockjs_place place, unsigned code,
                   struct view body)
{
    char headers[SOCKJS_HEADERS_MAX];
    sockjs_headers(server, now, endpoint, place, SOCKJS_CACHED_NEVER, headers);
    respond(
        server, now, stream,
        &(struct response){
            .code = code, .type = "text/plain; charset=UTF-8", .headers = headers, .body = body });
}

static void take_messages(struct server *server, usec now, struct stream *stream,
                          struct endpoint *endpoint, enum sockjs_place place, struct view name,
                          struct view text)
{
    struct sockjs_reader reader;
    const char *fault = read_messages(text, &reader);
    struct sockjs *sockjs = map_find(&endpoint->names, name);
    if (fault)
        sockjs_answer_500(server, now, stream, endpoint, place, fault);
    else if (!sockjs)
        answer(server, now, stream, endpoint, place, 404, VIEW("no such session\n"));
    else if (sockjs_hear(server, now, &sockjs->session, &reader) != OK)
        answer(server, now, stream, endpoint, place, 503, VIEW("no memory\n"));
    else if (place == SOCKJS_JSONP_SEND)
        answer(server, now, stream, endpoint, place, 200, VIEW("ok"));
    else
        answer(server, now, stream, endpoint, place, 204, VIEW(""));
}

void sockjs_answer_send(struct server *server, usec now, struct stream *stream,
                        struct endpoint *endpoint, enum sockjs_place place, struct view name,
                        struct view body)
{
    if (place != SOCKJS_JSONP_SEND || !is_form(&server->request)) {
        take_messages(server, now, stream, endpoint, place, name, body);
        return;
    }
    struct buffer *text = NULL;
    int status = read_form(server, body, &text);
    if (status == ERR_LIMIT)
        respond_code(server, now, stream, 503, NULL);
    else if (status == ERR_MALFORMED)
        sockjs_answer_500(server, now, stream, endpoint, place, "Broken JSON encoding.");
    else
        take_messages(server, now, stream, endpoint, place, name,
                      text ? buffer_view(text) : VIEW(""));
    buffer_give(server->buffers, text);
}
