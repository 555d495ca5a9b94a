#include "line.h"

#include "wire/engineio.h"
#include "wire/websocket.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SID_SIZE  20
#define BEAT_TIME (8 * USEC_S) /* a client of revision 3 pings so often */

static bool is_on_socket(const struct line *line)
{
    return line->kind == LINE_ENGINE_WEBSOCKET || line->is_upgraded;
}

static void ask(struct line *line)
{
    char path[300];
    snprintf(path, sizeof path, "%s&transport=polling", line->base);
    link_request(&line->poll, "GET", path, false, VIEW(""));
}

void engine_line_open(struct line *line)
{
    char path[300];
    line->is_base64 = line->revision == 3 && world_chance(line->world, 50);
    snprintf(line->base, sizeof line->base, "%s/?EIO=%u%s", line->path, line->revision,
             line->is_base64 ? "&b64=1" : "");
    if (line->kind == LINE_ENGINE_WEBSOCKET) {
        snprintf(path, sizeof path, "%s&transport=websocket", line->base);
        link_upgrade(&line->socket, path);
    } else {
        ask(line);
    }
}

/* ---- what comes ---- */

static void hear_open(struct line *line, struct view handshake)
{
    size_t at = view_find(handshake, VIEW("\"sid\":\"")) + 7;
    struct view sid = view_slice(handshake, at, SID_SIZE);
    char *end = strchr(line->base, 0);
    assert(!line->is_open && sid.size == SID_SIZE);
    snprintf(end, sizeof line->base - (size_t)(end - line->base), "&sid=%.*s", SID_SIZE, sid.at);
    line->is_open = true;
    if (line->kind == LINE_ENGINE_BOTH)
        line->upgrade_at = line->world->now + world_pick(line->world, 4000) * USEC_MS;
    if (line->revision == 3)
        line->beat_at = line->world->now + BEAT_TIME;
    line->opened(line->context);
}

static void hear_message(struct line *line, const struct engineio_packet *packet)
{
    if (packet->kind != ENGINEIO_BASE64) {
        line->heard(line->context, packet->data, packet->kind == ENGINEIO_BYTES);
        return;
    }
    size_t size = 0;
    uint8_t *bytes = malloc(packet->data.size + 4);
    assert(bytes);
    int status = engineio_read_base64(packet->data, bytes, packet->data.size + 4, &size);
    assert(status == OK);
    (void)status;
    line->heard(line->context, view_make(bytes, size), true);
    free(bytes);
}

static void hear_packet(struct line *line, const struct engineio_packet *packet)
{
    switch (packet->type) {
    case ENGINEIO_OPEN:
        hear_open(line, packet->data);
        break;
    case ENGINEIO_CLOSE:
        line->is_over = true;
        break;
    case ENGINEIO_PING:
        assert(line->revision == 4);
        line_add(line, ENGINEIO_PONG, packet->data, false);
        break;
    case ENGINEIO_PONG:
        assert(line->revision == 3);
        break;
    case ENGINEIO_MESSAGE:
        hear_message(line, packet);
        break;
    default:
        assert(packet->type == ENGINEIO_NOOP);
    }
}

static void hear_payload(struct line *line, struct view payload, bool is_octets)
{
    enum engineio_form form = line->revision == 4 ? ENGINEIO_4
                              : is_octets         ? ENGINEIO_3_BINARY
                                                  : ENGINEIO_3_TEXT;
    struct engineio_reader reader = engineio_reader_make(payload, form);
    struct engineio_packet packet;
    int status = OK;
    while (!line->is_over && (status = engineio_read(&reader, &packet)) == OK)
        hear_packet(line, &packet);
    assert(status == OK || status == ERR_NOT_FOUND);
}

static void hear_responses(struct line *line)
{
    struct link_event event;
    while (!line->is_over && link_poll(&line->poll, &event)) {
        if (event.kind != LINK_ANSWER || event.code != 200)
            line->is_over = true;
        else
            hear_payload(line, event.body, event.is_octets);
    }
    while (!line->is_over && link_poll(&line->post, &event))
        line->is_over = event.kind != LINK_ANSWER || event.code != 200;
}

/* ---- the WebSocket ---- */

static void send_packet(struct line *line, enum engineio_type type, struct view data,
                        bool is_binary)
{
    static uint8_t frame[65536];
    struct engineio_packet packet = { type, is_binary ? ENGINEIO_BYTES : ENGINEIO_TEXT, data };
    size_t head = engineio_write_frame_head(&packet, line->revision, frame);
    assert(head + data.size <= sizeof frame);
    if (data.size)
        memcpy(frame + head, data.at, data.size);
    link_frame(&line->socket, is_binary ? WEBSOCKET_BINARY : WEBSOCKET_TEXT,
               view_make(frame, head + data.size));
}

static void begin_upgrade(struct line *line)
{
    char path[300];
    line->upgrade_at = USEC_NEVER;
    snprintf(path, sizeof path, "%s&transport=websocket", line->base);
    link_upgrade(&line->socket, path);
}

/* While it is a probe, the session does not depend on it. */
static void hear_probe(struct line *line, const struct link_event *event)
{
    if (event->kind == LINK_OPENED && world_chance(line->world, 20))
        link_drop(&line->socket, false, world_chance(line->world, 50));
    else if (event->kind == LINK_OPENED)
        send_packet(line, ENGINEIO_PING, VIEW("probe"), false);
    else if (event->kind == LINK_TEXT && view_equal(event->body, VIEW("3probe")))
        line->is_probed = true;
    else
        assert(event->kind != LINK_TEXT && event->kind != LINK_BYTES);
    if (event->kind == LINK_ANSWER)
        link_drop(&line->socket, true, false);
    if (line->is_probed && world_chance(line->world, 10)) {
        line->is_probed = false;
        link_drop(&line->socket, false, world_chance(line->world, 50));
    }
}

static void hear_socket(struct line *line)
{
    struct link_event event;
    struct engineio_packet packet;
    while (!line->is_over && link_poll(&line->socket, &event)) {
        if (!is_on_socket(line)) {
            line->is_probed = line->is_probed && event.kind != LINK_ENDED;
            hear_probe(line, &event);
        } else if (event.kind == LINK_ENDED || event.kind == LINK_ANSWER) {
            line->is_over = true;
        } else if (event.kind != LINK_OPENED) {
            int status =
                engineio_read_frame(event.body, event.kind == LINK_BYTES, line->revision, &packet);
            assert(status == OK);
            (void)status;
            hear_packet(line, &packet);
        }
    }
}

/* Once all that was under way has ended, the WebSocket takes over. */
static void upgrade(struct line *line)
{
    if (!line->is_probed || line->is_upgraded || !link_is_idle(&line->poll) ||
        !link_is_idle(&line->post))
        return;
    send_packet(line, ENGINEIO_UPGRADE, VIEW(""), false);
    line->is_upgraded = true;
    link_drop(&line->poll, true, false);
    link_drop(&line->post, true, false);
}

/* ---- what goes out ---- */

static void say_by_socket(struct line *line)
{
    while (line->pending_count > 0) {
        struct line_pending *first = &line->pending[0];
        send_packet(line, first->packet, view_make(first->at, first->size), first->is_binary);
        line_sent(line);
    }
}

static void say_by_post(struct line *line)
{
    static uint8_t out[256 * 1024];
    char path[300];
    uint32_t count = 0;
    bool is_binary = false;
    for (; count < line->pending_count && count < LINE_AT_ONCE_MAX; count++)
        is_binary = is_binary || line->pending[count].is_binary;
    is_binary = is_binary && line->revision == 3 && !line->is_base64;
    struct engineio_writer writer = { out, 0, sizeof out,
                                      line->revision == 4 ? ENGINEIO_4
                                      : is_binary         ? ENGINEIO_3_BINARY
                                                          : ENGINEIO_3_TEXT };
    for (; count > 0; count--) {
        struct line_pending *first = &line->pending[0];
        struct engineio_packet packet = { first->packet,
                                          first->is_binary ? ENGINEIO_BYTES : ENGINEIO_TEXT,
                                          view_make(first->at, first->size) };
        int status = engineio_write(&writer, &packet);
        assert(status == OK);
        (void)status;
        line_sent(line);
    }
    snprintf(path, sizeof path, "%s&transport=polling", line->base);
    link_request(&line->post, "POST", path, is_binary, view_make(out, writer.size));
}

void engine_line_turn(struct line *line, bool reads)
{
    if (reads) {
        hear_responses(line);
        hear_socket(line);
    }
    if (line->is_over || !line->is_open)
        return;
    if (line->upgrade_at <= line->world->now)
        begin_upgrade(line);
    if (line->beat_at <= line->world->now) {
        line_add(line, ENGINEIO_PING, VIEW(""), false);
        line->beat_at = line->world->now + BEAT_TIME;
    }
    upgrade(line);
    if (is_on_socket(line)) {
        say_by_socket(line);
        return;
    }
    if (line->is_probed)
        return;
    if (link_is_idle(&line->poll))
        ask(line);
    if (link_is_idle(&line->post) && line->pending_count > 0)
        say_by_post(line);
}

void engine_line_close(struct line *line)
{
    if (!line->is_open)
        return;
    if (is_on_socket(line)) {
        send_packet(line, ENGINEIO_CLOSE, VIEW(""), false);
    } else if (link_is_idle(&line->post)) {
        while (line->pending_count > 0)
            line_sent(line);
        line_add(line, ENGINEIO_CLOSE, VIEW(""), false);
        say_by_post(line);
    }
}
