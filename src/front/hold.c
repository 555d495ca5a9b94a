#include "front/hold.h"

#include "front/respond.h"

#include <stdio.h>
#include <string.h>

/* Behind an answer.  The next request may have come already: it is read when nothing else is under
 * way, since this one was answered in the middle of something. */
static void let_go(struct server *server, usec now, struct stream *stream)
{
    buffer_give(server->buffers, stream->held_headers);
    stream->held_headers = NULL;
    stream->since = now;
    if (stream->held_close || server->is_stopping)
        stream_end(server, now, stream);
    else
        stream_resume(server, stream);
    stream_set_timer(server, now, stream);
}

static void begin(struct server *server, struct stream *stream, const struct holder *holder,
                  void *context)
{
    const struct http_request *request = &server->request;
    stream->holder = holder;
    stream->context = context;
    stream->held_close = !request->keep_alive;
    stream->held_head = request->method == METHOD_HEAD;
    stream->is_chunked = false;
}

bool http_hold(struct server *server, usec now, struct stream *stream, const struct holder *holder,
               void *context, const char *headers)
{
    size_t size = headers ? strlen(headers) + 1 : 0;
    if (size && buffers_take(server->buffers, size, &stream->held_headers) != OK) {
        respond_code(server, now, stream, 503, NULL);
        return false;
    }
    if (size)
        memcpy(stream->held_headers->bytes, headers, size);
    begin(server, stream, holder, context);
    return true;
}

void http_answer_held(struct server *server, usec now, struct stream *stream, unsigned code,
                      const char *type, struct view body)
{
    struct respond_to to = { .is_head = stream->held_head, .keep_alive = !stream->held_close };
    struct response response = {
        .code = code,
        .type = type,
        .headers = stream->held_headers ? (const char *)stream->held_headers->bytes : NULL,
        .body = body,
    };
    stream->holder = NULL;
    respond_late(server, now, stream, to, &response);
    let_go(server, now, stream);
}

void http_begin_pieces(struct server *server, usec now, struct stream *stream,
                       const struct holder *holder, void *context, const char *type,
                       const char *headers)
{
    begin(server, stream, holder, context);
    stream->is_chunked = !server->request.is_1_0;
    if (server->request.is_1_0)
        stream->held_close = true;
    struct response response = {
        .code = 200,
        .type = type,
        .headers = headers,
        .pieces = stream->is_chunked ? PIECES_CHUNKED : PIECES_TO_THE_END,
    };
    respond(server, now, stream, &response);
}

static void send_copy(struct server *server, usec now, struct stream *stream, struct view bytes,
                      bool is_chunk)
{
    char head[16];
    struct buffer *buffer;
    int head_size = is_chunk ? snprintf(head, sizeof head, "%zx\r\n", bytes.size) : 0;
    size_t tail_size = is_chunk ? 2 : 0;
    if (buffers_take(server->buffers, (size_t)head_size + bytes.size + tail_size, &buffer) != OK) {
        stream_fail(server, stream);
        return;
    }
    memcpy(buffer->bytes, head, (size_t)head_size);
    memcpy(buffer->bytes + head_size, bytes.at, bytes.size);
    memcpy(buffer->bytes + (size_t)head_size + bytes.size, "\r\n", tail_size);
    buffer->size = (uint32_t)((size_t)head_size + bytes.size + tail_size);
    stream_send_give(server, now, stream, buffer);
}

void http_piece(struct server *server, usec now, struct stream *stream, struct view piece)
{
    if (stream->held_head)
        return;
    while (piece.size > 0) {
        size_t most = BUFFER_SIZE_MAX - 32;
        struct view part = view_slice(piece, 0, most);
        send_copy(server, now, stream, part, stream->is_chunked);
        piece = view_slice(piece, part.size, piece.size);
    }
}

void http_end_pieces(struct server *server, usec now, struct stream *stream)
{
    if (stream->is_chunked && !stream->held_head)
        send_copy(server, now, stream, VIEW("0\r\n\r\n"), false);
    stream->holder = NULL;
    let_go(server, now, stream);
}

void http_held_gone(struct server *server, usec now, struct stream *stream)
{
    const struct holder *holder = stream->holder;
    buffer_give(server->buffers, stream->held_headers);
    stream->held_headers = NULL;
    stream->holder = NULL;
    if (holder)
        holder->gone(server, now, stream);
}
