#include "line.h"

#include "wire/sockjs.h"
#include "wire/websocket.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A client that reads nothing for so long, or an answer so slowly, may have lost its session, and
 * its next poll begins another.  What it posts then would be said by that one, so it says nothing
 * more. */
#define READ_TIME (3 * USEC_S)

static bool is_websocket(const struct line *line)
{
    return line->kind == LINE_SOCKJS_WEBSOCKET;
}

static void ask(struct line *line)
{
    char path[300];
    line->paused = 0;
    snprintf(path, sizeof path, "%s/%s", line->base,
             line->kind == LINE_SOCKJS_POLLING ? "xhr" : "xhr_streaming");
    link_request(&line->poll, "POST", path, false, VIEW(""));
}

void sockjs_line_open(struct line *line, uint64_t name)
{
    char path[300];
    snprintf(line->base, sizeof line->base, "%s/%03u/s%llu", line->path,
             world_pick(line->world, 1000), (unsigned long long)name);
    if (is_websocket(line)) {
        snprintf(path, sizeof path, "%s/websocket", line->base);
        link_upgrade(&line->socket, path);
    } else {
        ask(line);
    }
    if (is_websocket(line) && world_chance(line->world, 50)) {
        line->is_open = true; /* as the mobile client: it does not wait for the "o" */
        line->opened(line->context);
    }
}

static void hear_messages(struct line *line, struct view text)
{
    struct sockjs_reader reader;
    uint8_t *out = malloc(text.size + 1);
    struct view message;
    assert(out);
    int status = sockjs_read(text, &reader);
    assert(status == OK && reader.is_array);
    (void)status;
    while (sockjs_next(&reader, out, &message))
        line->heard(line->context, message, false);
    free(out);
}

static void hear_frame(struct line *line, struct view frame)
{
    assert(frame.size > 0);
    switch (frame.at[0]) {
    case 'o':
        if (is_websocket(line) && line->is_open)
            break;
        line->is_over = line->is_open; /* the server lost the session, and made another */
        if (!line->is_open)
            line->opened(line->context);
        line->is_open = true;
        break;
    case 'a':
        hear_messages(line, view_slice(frame, 1, frame.size));
        break;
    case 'c':
        line->is_over = true;
        break;
    default:
        assert(frame.at[0] == 'h');
    }
}

/* Frames in responses each have a line. */
static void hear_lines(struct line *line)
{
    struct view rest = view_make(line->text, line->text_size);
    size_t end;
    while (!line->is_over && (end = view_find_byte(rest, '\n')) < rest.size) {
        hear_frame(line, view_slice(rest, 0, end));
        rest = view_slice(rest, end + 1, rest.size);
    }
    line->text_size = rest.size;
    if (rest.size)
        memmove(line->text, rest.at, rest.size);
}

static void hear_responses(struct line *line)
{
    struct link_event event;
    while (!line->is_over && link_poll(&line->poll, &event)) {
        line->is_over = event.kind == LINK_ENDED || event.code != 200;
        if (line->is_over)
            break;
        line_gather(line, event.body);
        hear_lines(line);
        if (event.kind == LINK_ANSWER && !line->is_over) {
            assert(line->text_size == 0);
            ask(line);
        }
    }
    while (!line->is_over && link_poll(&line->post, &event))
        line->is_over = event.kind != LINK_ANSWER || event.code != 204;
}

static void hear_socket(struct line *line)
{
    struct link_event event;
    while (!line->is_over && link_poll(&line->socket, &event)) {
        if (event.kind == LINK_ENDED || event.kind == LINK_ANSWER)
            line->is_over = true;
        else if (event.kind == LINK_TEXT)
            hear_frame(line, event.body);
        else
            assert(event.kind == LINK_OPENED);
    }
}

/* The first that wait, as an array of strings: the caller's, to free. */
static struct span take_pending(struct line *line)
{
    size_t capacity = 2;
    uint32_t count =
        line->pending_count < LINE_AT_ONCE_MAX ? line->pending_count : LINE_AT_ONCE_MAX;
    for (uint32_t i = 0; i < count; i++)
        capacity += line->pending[i].size * SOCKJS_ESCAPE_MAX + 3;
    struct span out = { malloc(capacity), 0 };
    assert(out.at);
    out.at[out.size++] = '[';
    for (; count > 0; count--) {
        struct view text = view_make(line->pending[0].at, line->pending[0].size);
        if (out.size > 1)
            out.at[out.size++] = ',';
        out.at[out.size++] = '"';
        out.size += sockjs_escape(&text, out.at + out.size, capacity - out.size);
        assert(text.size == 0);
        out.at[out.size++] = '"';
        line_sent(line);
    }
    out.at[out.size++] = ']';
    return out;
}

void sockjs_line_turn(struct line *line, bool reads)
{
    char path[300];
    if (line->is_paused)
        line->paused += line->world->now - line->turned_at;
    line->turned_at = line->world->now;
    line->is_quiet = line->is_quiet || (!is_websocket(line) && line->paused > READ_TIME);
    if (line->is_quiet && line->pending_count > 0)
        line->is_over = reads;
    if (reads && is_websocket(line))
        hear_socket(line);
    else if (reads)
        hear_responses(line);
    line->is_paused = !reads || line->poll.size > line->poll.taken || line->text_size > 0;
    bool may_say = is_websocket(line) || link_is_idle(&line->post);
    if (line->is_over || line->is_quiet || !line->is_open || !may_say || line->pending_count == 0)
        return;
    struct span said = take_pending(line);
    snprintf(path, sizeof path, "%s/xhr_send", line->base);
    if (is_websocket(line))
        link_frame(&line->socket, WEBSOCKET_TEXT, view_of_span(said));
    else
        link_request(&line->post, "POST", path, false, view_of_span(said));
    free(said.at);
}
