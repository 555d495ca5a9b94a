#include "line.h"

#include "wire/engineio.h"
#include "wire/websocket.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void line_sent(struct line *line)
{
    assert(line->pending_count > 0);
    free(line->pending[0].at);
    line->pending_count--;
    memmove(line->pending, line->pending + 1, line->pending_count * sizeof line->pending[0]);
}

void line_gather(struct line *line, struct view piece)
{
    if (line->text_capacity < line->text_size + piece.size) {
        line->text_capacity = 2 * (line->text_size + piece.size);
        line->text = realloc(line->text, line->text_capacity);
        assert(line->text);
    }
    if (piece.size)
        memcpy(line->text + line->text_size, piece.at, piece.size);
    line->text_size += piece.size;
}

bool line_add(struct line *line, uint8_t packet, struct view message, bool is_binary)
{
    if (line->is_over || line->is_quiet || line->pending_count == LINE_PENDING_MAX)
        return false;
    struct line_pending *pending = &line->pending[line->pending_count++];
    *pending = (struct line_pending){ malloc(message.size + 1), message.size, is_binary, packet };
    assert(pending->at);
    if (message.size)
        memcpy(pending->at, message.at, message.size);
    return true;
}

bool line_say(struct line *line, struct view message, bool is_binary)
{
    return line_add(line, ENGINEIO_MESSAGE, message, is_binary);
}

/* ---- bare WebSockets, to which SockJS's raw ones are alike ---- */

static void bare_turn(struct line *line, bool reads)
{
    struct link_event event;
    while (reads && !line->is_over && link_poll(&line->socket, &event)) {
        if (event.kind == LINK_ENDED || event.kind == LINK_ANSWER)
            line->is_over = true;
        else if (event.kind == LINK_OPENED)
            line->is_open = true;
        else
            line->heard(line->context, event.body, event.kind == LINK_BYTES);
    }
    while (!line->is_over && line->pending_count > 0) {
        struct line_pending *first = &line->pending[0];
        link_frame(&line->socket, first->is_binary ? WEBSOCKET_BINARY : WEBSOCKET_TEXT,
                   view_make(first->at, first->size));
        line_sent(line);
    }
}

/* ---- all kinds ---- */

static bool is_sockjs(const struct line *line)
{
    return line->kind == LINE_SOCKJS_WEBSOCKET || line->kind == LINE_SOCKJS_POLLING ||
           line->kind == LINE_SOCKJS_STREAMING;
}

static bool is_bare(const struct line *line)
{
    return line->kind == LINE_BARE || line->kind == LINE_SOCKJS_RAW;
}

void line_open(struct line *line, struct world *world, enum line_kind kind, const char *path,
               unsigned revision, uint64_t name)
{
    line->world = world;
    line->kind = kind;
    line->path = path;
    line->revision = revision;
    line->upgrade_at = USEC_NEVER;
    line->beat_at = USEC_NEVER;
    line->turned_at = world->now;
    link_init(&line->socket, world, (uint32_t)name);
    link_init(&line->poll, world, (uint32_t)name);
    link_init(&line->post, world, (uint32_t)name);
    if (is_sockjs(line)) {
        sockjs_line_open(line, name);
    } else if (is_bare(line)) {
        char below[200];
        strcpy(below, path);
        strcat(below, kind == LINE_SOCKJS_RAW ? "/websocket" : "");
        link_upgrade(&line->socket, below);
        line->opened(line->context); /* it does not wait for the answer */
    } else {
        engine_line_open(line);
    }
}

void line_turn(struct line *line, bool reads)
{
    if (line->is_over)
        return;
    if (is_sockjs(line))
        sockjs_line_turn(line, reads);
    else if (is_bare(line))
        bare_turn(line, reads);
    else
        engine_line_turn(line, reads);
}

usec line_next(const struct line *line)
{
    if (line->is_over)
        return USEC_NEVER;
    return line->upgrade_at < line->beat_at ? line->upgrade_at : line->beat_at;
}

void line_drop(struct line *line, bool politely, bool silently)
{
    if (politely && !line->is_over && !is_sockjs(line) && !is_bare(line))
        engine_line_close(line);
    if (politely && line->socket.phase == LINK_WEBSOCKET)
        link_frame(&line->socket, WEBSOCKET_CLOSE, VIEW("\x03\xe8"));
    link_drop(&line->socket, politely, silently);
    link_drop(&line->poll, politely, silently);
    link_drop(&line->post, politely, silently);
    link_free(&line->socket);
    link_free(&line->poll);
    link_free(&line->post);
    while (line->pending_count > 0)
        line_sent(line);
    free(line->text);
    memset(line, 0, sizeof *line);
    line->is_over = true;
}
