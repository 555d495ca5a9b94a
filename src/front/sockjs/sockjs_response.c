/* Frames on a response: each transport begins with something that gets browsers to show what
 * comes, and wraps each frame in its own way. */
#include "front/hold.h"
#include "front/sockjs/sockjs.h"

#include <stdio.h>
#include <string.h>

#define XHR_PRELUDE   2048 /* letters h */
#define HTMLFILE_ROOM 2048

static const char *const TYPES[SOCKJS_PLACES] = {
    [SOCKJS_XHR] = "application/javascript; charset=UTF-8",
    [SOCKJS_XHR_STREAMING] = "application/javascript; charset=UTF-8",
    [SOCKJS_EVENTSOURCE] = "text/event-stream; charset=UTF-8",
    [SOCKJS_HTMLFILE] = "text/html; charset=UTF-8",
    [SOCKJS_JSONP] = "application/javascript; charset=UTF-8",
};

/* What stands around a frame. */
static const struct wrap {
    const char *before;
    const char *behind;
} WRAPS[SOCKJS_PLACES] = {
    [SOCKJS_XHR] = { "", "\n" },
    [SOCKJS_XHR_STREAMING] = { "", "\n" },
    [SOCKJS_EVENTSOURCE] = { "data: ", "\r\n\r\n" },
    [SOCKJS_HTMLFILE] = { "<script>\np(\"", "\");\n</script>\r\n" },
    [SOCKJS_JSONP] = { "(\"", "\");\r\n" }, /* the callback's name has gone ahead */
};

/* ---- the holder ---- */

/* A network error, or the client closes: nobody knows what of the last frames has arrived. */
static void gone(struct server *server, usec now, struct stream *stream)
{
    struct sockjs *sockjs = stream->context;
    stream->context = NULL;
    if (!sockjs || sockjs->stream != stream)
        return;
    sockjs->stream = NULL;
    if (!sockjs->session.is_open)
        return; /* it has only begun, or is told its end */
    outbox_clear(&sockjs->queue, &server->outboxes);
    session_end(server, now, &sockjs->session, false);
    sockjs_set_closed(server, now, sockjs, 1002, "Connection interrupted");
}

/* The sessions have been closed before, and their receivers with them. */
static void stopping(struct server *server, usec now, struct stream *stream)
{
    struct sockjs *sockjs = stream->context;
    if (sockjs)
        sockjs->stream = NULL;
    http_end_pieces(server, now, stream);
}

static const struct holder RECEIVER = { .gone = gone, .stopping = stopping };

/* ---- the beginning ---- */

static void begin_htmlfile(struct server *server, usec now, struct stream *stream,
                           struct view callback)
{
    char page[HTMLFILE_ROOM];
    int written = snprintf(
        page, sizeof page,
        "<!doctype html>\n<html><head>\n"
        "  <meta http-equiv=\"X-UA-Compatible\" content=\"IE=edge\" />\n"
        "  <meta http-equiv=\"Content-Type\" content=\"text/html; charset=UTF-8\" />\n"
        "</head><body><h2>Don't panic!</h2>\n  <script>\n"
        "    document.domain = document.domain;\n    var c = parent.%.*s;\n    c.start();\n"
        "    function p(d) {c.message(d);};\n    window.onload = function() {c.stop();};\n"
        "  </script>",
        VIEW_ARGS(callback));
    /* browsers show nothing of a page before its first kilobyte */
    size_t size = (size_t)written;
    memset(page + size, ' ', 1024);
    size += 1024;
    memcpy(page + size, "\r\n\r\n", 4);
    http_piece(server, now, stream, view_make(page, size + 4));
}

void sockjs_begin(struct server *server, usec now, struct stream *stream,
                  const struct endpoint *endpoint, enum sockjs_place place, struct view callback,
                  struct sockjs *session)
{
    char headers[SOCKJS_HEADERS_MAX];
    sockjs_headers(server, now, endpoint, place, SOCKJS_CACHED_NEVER, headers);
    http_begin_pieces(server, now, stream, &RECEIVER, session, TYPES[place], headers);
    if (stream->holder != &RECEIVER)
        return;
    if (place == SOCKJS_XHR_STREAMING) {
        uint8_t prelude[XHR_PRELUDE + 1];
        memset(prelude, 'h', XHR_PRELUDE);
        prelude[XHR_PRELUDE] = '\n';
        http_piece(server, now, stream, view_make(prelude, sizeof prelude));
    } else if (place == SOCKJS_EVENTSOURCE) {
        http_piece(server, now, stream, VIEW("\r\n"));
    } else if (place == SOCKJS_HTMLFILE) {
        begin_htmlfile(server, now, stream, callback);
    } else if (place == SOCKJS_JSONP) {
        http_piece(server, now, stream, callback);
    }
}

/* ---- frames ---- */

/* Writes into a buffer that becomes a piece when it is full, or when the frame is whole. */
struct emitter {
    struct server *server;
    usec now;
    struct stream *stream;
    enum sockjs_place place;
    struct buffer *buffer; /* NULL: there is no memory, and the stream fails */
    size_t total;
};

static void emitter_begin(struct emitter *to, size_t expected)
{
    size_t size = expected < BUFFER_SIZE_MAX ? expected : BUFFER_SIZE_MAX;
    if (buffers_take(to->server->buffers, size, &to->buffer) != OK) {
        to->buffer = NULL;
        stream_fail(to->server, to->stream);
    }
}

static void emitter_flush(struct emitter *to)
{
    if (!to->buffer || to->buffer->size == 0)
        return;
    to->total += to->buffer->size;
    http_piece(to->server, to->now, to->stream, buffer_view(to->buffer));
    to->buffer->size = 0;
}

/* Escapes as the transport wants it, as much as fits. */
static size_t escape_some(enum sockjs_place place, struct view *text, uint8_t *out, size_t room)
{
    if (place == SOCKJS_HTMLFILE || place == SOCKJS_JSONP)
        return sockjs_escape_script(text, out, room);
    if (place == SOCKJS_EVENTSOURCE)
        return sockjs_escape_event(text, out, room);
    size_t size = text->size < room ? text->size : room;
    memcpy(out, text->at, size);
    *text = view_slice(*text, size, text->size);
    return size;
}

static void emit(struct emitter *to, struct view text, bool is_raw)
{
    enum sockjs_place place = is_raw ? SOCKJS_XHR : to->place;
    while (to->buffer && text.size) {
        if (to->buffer->capacity - to->buffer->size < SOCKJS_ESCAPE_MAX)
            emitter_flush(to);
        to->buffer->size +=
            (uint32_t)escape_some(place, &text, to->buffer->bytes + to->buffer->size,
                                  to->buffer->capacity - to->buffer->size);
    }
}

static size_t emitter_end(struct emitter *to)
{
    emitter_flush(to);
    buffer_give(to->server->buffers, to->buffer);
    return to->total;
}

size_t sockjs_write_frame(struct server *server, usec now, struct stream *stream,
                          enum sockjs_place place, struct view frame)
{
    struct emitter to = { .server = server, .now = now, .stream = stream, .place = place };
    emitter_begin(&to, frame.size * 2 + 64);
    emit(&to, view_of(WRAPS[place].before), true);
    emit(&to, frame, false);
    emit(&to, view_of(WRAPS[place].behind), true);
    return emitter_end(&to);
}

size_t sockjs_write_closed(struct server *server, usec now, struct stream *stream,
                           enum sockjs_place place, unsigned code, const char *reason)
{
    uint8_t frame[SOCKJS_CLOSE_MAX];
    size_t size = sockjs_write_close(code, view_of(reason), frame);
    return sockjs_write_frame(server, now, stream, place, view_make(frame, size));
}

size_t sockjs_write_messages(struct server *server, usec now, struct stream *stream,
                             enum sockjs_place place, struct outbox *queue)
{
    struct emitter to = { .server = server, .now = now, .stream = stream, .place = place };
    bool is_plain = place == SOCKJS_XHR || place == SOCKJS_XHR_STREAMING;
    bool is_first = true;
    emitter_begin(&to, queue->size + (is_plain ? 0 : queue->size / 2) + 64);
    emit(&to, view_of(WRAPS[place].before), true);
    emit(&to, VIEW("a["), false);
    while (queue->size) {
        struct view runs[16];
        size_t count = outbox_peek(queue, runs, 16);
        size_t size = 0;
        for (size_t i = 0; i < count; i++) {
            /* the first message has a comma, too, and nothing before it */
            emit(&to, view_slice(runs[i], is_first, runs[i].size), false);
            is_first = false;
            size += runs[i].size;
        }
        outbox_sent(queue, &server->outboxes, size);
    }
    emit(&to, VIEW("]"), false);
    emit(&to, view_of(WRAPS[place].behind), true);
    return emitter_end(&to);
}
