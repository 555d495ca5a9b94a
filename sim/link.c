#include "link.h"

#include "wire/websocket.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECEIVE_MAX (16 * 1024)
#define FRAME_MAX   (256 * 1024)
#define FRESH_TIME  (20 * USEC_S) /* the server closes idle connections; not so early */

void link_init(struct link *link, struct world *world, uint32_t owner)
{
    *link = (struct link){ .world = world, .owner = owner };
}

void link_free(struct link *link)
{
    free(link->input);
    link->input = NULL;
}

void link_drop(struct link *link, bool politely, bool silently)
{
    if (link->wire)
        world_drop(link->world, link->wire, politely, silently);
    link->wire = NULL;
    link->phase = LINK_IDLE;
    link->size = 0;
    link->taken = 0;
}

bool link_is_idle(const struct link *link)
{
    return link->phase == LINK_IDLE;
}

/* ---- sending ---- */

void link_request(struct link *link, const char *method, const char *path, bool is_octets,
                  struct view body)
{
    struct world *world = link->world;
    char head[500];
    assert(link_is_idle(link));
    if (link->wire && (world->now - link->used_at > FRESH_TIME || world_chance(world, 5)))
        link_drop(link, true, false);
    if (!link->wire)
        link->wire = world_connect(world, link->owner);
    int size = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: sim\r\n", method, path);
    if (method[0] == 'P')
        size += snprintf(
            head + size, sizeof head - (size_t)size, "Content-Type: %s\r\nContent-Length: %zu\r\n",
            is_octets ? "application/octet-stream" : "text/plain;charset=UTF-8", body.size);
    size += snprintf(head + size, sizeof head - (size_t)size, "\r\n");
    world_send(world, link->wire, view_make(head, (size_t)size));
    world_send(world, link->wire, body);
    link->phase = LINK_HEAD;
    link->used_at = world->now;
}

void link_upgrade(struct link *link, const char *path)
{
    char head[500];
    assert(!link->wire);
    link->wire = world_connect(link->world, link->owner);
    int size = snprintf(head, sizeof head,
                        "GET %s HTTP/1.1\r\nHost: sim\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                        path);
    world_send(link->world, link->wire, view_make(head, (size_t)size));
    link->phase = LINK_UPGRADING;
}

void link_frame(struct link *link, uint8_t opcode, struct view payload)
{
    static uint8_t frame[WEBSOCKET_HEADER_MAX + FRAME_MAX];
    uint8_t header[WEBSOCKET_HEADER_MAX];
    const uint8_t mask[4] = { 4, 3, 2, (uint8_t)world_pick(link->world, 256) };
    uint8_t *body = frame + WEBSOCKET_HEADER_MAX;
    if (!link->wire)
        return;
    assert(payload.size <= FRAME_MAX);
    if (payload.size)
        memcpy(body, payload.at, payload.size);
    size_t size = websocket_write_masked(opcode, true, false, mask,
                                         (struct span){ body, payload.size }, header);
    memcpy(body - size, header, size);
    world_send(link->world, link->wire, view_make(body - size, size + payload.size));
}

/* ---- what comes ---- */

static struct view come(const struct link *link)
{
    return view_make(link->input, link->size);
}

/* The value of a header, which the server writes in one way; empty: it is not there. */
static struct view header_of(struct view head, const char *name)
{
    size_t at = view_find(head, view_of(name)) + strlen(name);
    struct view rest = view_slice(head, at, head.size);
    return view_slice(rest, 0, view_find(rest, VIEW("\r\n")));
}

/* Takes an answer's head off the front; false: it is not whole. */
static bool read_head(struct link *link)
{
    size_t end = view_find(come(link), VIEW("\r\n\r\n")) + 4;
    if (end > link->size)
        return false;
    struct view head = view_slice(come(link), 0, end - 2);
    assert(view_starts(head, VIEW("HTTP/1.1 ")));
    link->code = (unsigned)strtoul((const char *)head.at + 9, NULL, 10);
    link->is_octets =
        view_equal(header_of(head, "\r\nContent-Type: "), VIEW("application/octet-stream"));
    struct view length = header_of(head, "\r\nContent-Length: ");
    link->body_size = length.size ? strtoul((const char *)length.at, NULL, 10) : 0;
    bool is_chunked = view_equal(header_of(head, "\r\nTransfer-Encoding: "), VIEW("chunked"));
    link->phase = link->phase == LINK_UPGRADING && link->code == 101 ? LINK_WEBSOCKET
                  : is_chunked                                       ? LINK_CHUNKS
                                                                     : LINK_BODY;
    link->taken = end;
    return true;
}

static bool tell(struct link *link, enum link_kind kind, struct view body, struct link_event *event)
{
    *event = (struct link_event){ kind, link->code, link->is_octets, body };
    return true;
}

static bool read_body(struct link *link, struct link_event *event)
{
    if (link->size < link->body_size)
        return false;
    link->taken = link->body_size;
    link->phase = LINK_IDLE;
    return tell(link, LINK_ANSWER, view_slice(come(link), 0, link->body_size), event);
}

static bool read_chunk(struct link *link, struct link_event *event)
{
    size_t line = view_find(come(link), VIEW("\r\n"));
    if (line == link->size)
        return false;
    size_t size = strtoul((const char *)link->input, NULL, 16);
    if (link->size < line + 2 + size + 2)
        return false;
    link->taken = line + 2 + size + 2;
    if (size)
        return tell(link, LINK_PIECE, view_make(link->input + line + 2, size), event);
    link->phase = LINK_IDLE;
    return tell(link, LINK_ANSWER, VIEW(""), event);
}

/* What frames of the WebSocket itself say is for nobody: *is_passed. */
static bool read_frame(struct link *link, struct link_event *event, bool *is_passed)
{
    struct websocket_frame frame;
    struct span input = { link->input, link->size };
    int status = websocket_read(input, WEBSOCKET_CLIENT, FRAME_MAX * 8, &frame, &link->taken);
    if (status == ERR_MORE) {
        link->taken = 0;
        return false;
    }
    assert(status == OK && frame.fin);
    (void)status;
    struct view payload = view_of_span(frame.payload);
    if (frame.opcode == WEBSOCKET_TEXT || frame.opcode == WEBSOCKET_BINARY)
        return tell(link, frame.opcode == WEBSOCKET_TEXT ? LINK_TEXT : LINK_BYTES, payload, event);
    if (frame.opcode == WEBSOCKET_CLOSE) {
        link_drop(link, true, false);
        return tell(link, LINK_ENDED, VIEW(""), event);
    }
    if (frame.opcode == WEBSOCKET_PING)
        link_frame(link, WEBSOCKET_PONG, payload);
    *is_passed = true;
    return false;
}

/* False: nothing, unless *is_passed says that there may be more. */
static bool read_event(struct link *link, struct link_event *event, bool *is_passed)
{
    if (link->phase == LINK_WEBSOCKET)
        return read_frame(link, event, is_passed);
    if (link->phase == LINK_BODY)
        return read_body(link, event);
    if (link->phase == LINK_CHUNKS)
        return read_chunk(link, event);
    if (link->phase == LINK_IDLE || !read_head(link))
        return false;
    *is_passed = true;
    return link->phase == LINK_WEBSOCKET && tell(link, LINK_OPENED, VIEW(""), event);
}

static bool receive(struct link *link)
{
    if (link->capacity < link->size + RECEIVE_MAX) {
        link->capacity = link->size + 4 * RECEIVE_MAX;
        link->input = realloc(link->input, link->capacity);
        assert(link->input);
    }
    size_t size = world_receive(link->world, link->wire, link->input + link->size, RECEIVE_MAX);
    link->size += size;
    return size > 0;
}

bool link_poll(struct link *link, struct link_event *event)
{
    bool goes_on = true;
    while (goes_on && link->wire) {
        goes_on = false;
        link->size -= link->taken;
        if (link->taken && link->size)
            memmove(link->input, link->input + link->taken, link->size);
        link->taken = 0;
        if (read_event(link, event, &goes_on))
            return true;
        goes_on = goes_on || receive(link);
    }
    if (!link->wire || !world_ended(link->world, link->wire))
        return false;
    bool was_idle = link_is_idle(link);
    link_drop(link, false, false);
    return !was_idle && tell(link, LINK_ENDED, VIEW(""), event);
}
