#include "meeting.h"

#include "front/assets.h"
#include "front/core.h"
#include "front/parcel.h"
#include "wire/json.h"

#define COME_MAX    ((size_t)8 << 20)
#define WAITING_MAX ((size_t)64 << 10)

static const uint8_t BIG[100 * 1024];
static const struct asset PAGES[] = {
    { "/big", "application/octet-stream", "\"0\"", { BIG, sizeof BIG }, { 0 } },
    { "/index.html", "text/html; charset=utf-8", "\"1\"", { (const uint8_t *)"<html>", 6 }, { 0 } },
    { "/main.js",
      "text/javascript",
      "\"2\"",
      { (const uint8_t *)"let a;let a;", 12 },
      { (const uint8_t *)"gzipped", 7 } },
};
static const struct assets ASSETS = { PAGES, 3 };

static void pump(struct meeting *meeting);

void meeting_begin(struct meeting *meeting, bool is_tight)
{
    *meeting = (struct meeting){ .now = USEC_S, .chance = 1 };
    for (unsigned i = 0; i < MEETING_WORKERS; i++) {
        struct server_config config = {
            .worker = i,
            .worker_count = MEETING_WORKERS,
            .streams_max = MEETING_LINKS,
            .rooms_max = 3,
            .members_max = 6,
            .buffer_bytes = is_tight ? (size_t)256 << 10 : (size_t)4 << 20,
            .ice = { .port = 3478 },
            .random = { input_random_fill, &meeting->chance },
            .room_secret = { 1, 2 },
            .metrics = meeting->metrics,
            .trace_level = TRACE_DEBUG,
            .assets = &ASSETS,
        };
        CHECK(server_new(&config, meeting->now, &meeting->servers[i]) == OK);
    }
}

static struct server *server_of(struct meeting *meeting, const struct link *link)
{
    return meeting->servers[link->worker];
}

/* The stream is gone; what the client knows of its session stays. */
static void forget_stream(struct link *link)
{
    free(link->come.at);
    free(link->waiting.at);
    link->come = link->waiting = (struct span){ NULL, 0 };
    link->come_size = 0;
    link->state = LINK_CLOSED;
    link->is_blocked = link->is_slow = false;
}

static struct link *link_of(struct meeting *meeting, unsigned worker, uint32_t stream)
{
    for (unsigned i = 0; i < MEETING_LINKS; i++) {
        struct link *link = &meeting->links[i];
        if (link->state != LINK_CLOSED && link->worker == worker && link->stream == stream)
            return link;
    }
    fprintf(stderr, "worker %u speaks of stream %u, which nobody has\n", worker, stream);
    abort();
}

/* ---- what the client reads ---- */

static void remember(char *into, size_t capacity, struct view text)
{
    size_t size = text.size < capacity ? text.size : capacity - 1;
    memcpy(into, text.at, size);
    into[size] = 0;
}

static void read_message(struct link *link, struct view text)
{
    cJSON *message = NULL;
    uint64_t seq = 0;
    CHECK(json_read_object(text, &message) == OK);
    struct view type = json_get_string(message, "type");
    bool has_seq = json_get_number(message, "seq", &seq) == OK;
    CHECK(type.size > 0);
    if (view_equal(type, VIEW("welcome"))) {
        struct view session = json_get_string(message, "session");
        CHECK(session.size > 0 && session.size < sizeof link->session && has_seq);
        remember(link->session, sizeof link->session, session);
        remember(link->room, sizeof link->room, json_get_string(message, "room"));
        link->next_id = 1;
    } else if (view_equal(type, VIEW("resumed"))) {
        uint64_t received = 0;
        CHECK(has_seq && json_get_number(message, "received", &received) == OK);
        link->next_id = received + 1;
    } else if (has_seq) {
        CHECK(seq > link->seq); /* in order, and nothing twice */
    }
    if (has_seq)
        link->seq = seq;
    cJSON_Delete(message);
}

static void read_frame(struct link *link, const struct websocket_frame *frame)
{
    static struct deflater *deflater;
    static uint8_t inflated[WS_MESSAGE_MAX + 1];
    struct view payload = view_of_span(frame->payload);
    CHECK(frame->fin && frame->opcode != WEBSOCKET_BINARY);
    if (frame->opcode == WEBSOCKET_PING) {
        memcpy(link->ping, payload.at, payload.size);
        link->ping_size = payload.size;
    }
    if (frame->opcode != WEBSOCKET_TEXT)
        return;
    if (frame->deflated) {
        size_t size = 0;
        if (!deflater)
            CHECK(deflate_new(&deflater) == OK);
        CHECK(deflate_read(deflater, payload, inflated, sizeof inflated, &size) == OK);
        payload = view_make(inflated, size);
    }
    read_message(link, payload);
}

/* Gives how many bytes were whole. */
static size_t read_whole(struct link *link, struct span bytes)
{
    size_t done = 0;
    if (link->state == LINK_HTTP || link->state == LINK_STUN)
        return bytes.size;
    if (link->state == LINK_UPGRADING) {
        size_t end = view_find(view_of_span(bytes), VIEW("\r\n\r\n"));
        if (end == bytes.size)
            return 0;
        bool is_open = view_starts(view_of_span(bytes), VIEW("HTTP/1.1 101 "));
        link->state = is_open ? LINK_WEBSOCKET : LINK_HTTP;
        done = end + 4;
    }
    while (link->state == LINK_WEBSOCKET && done < bytes.size) {
        struct websocket_frame frame;
        size_t used = 0;
        int status = websocket_read(span_behind(bytes, done), WEBSOCKET_CLIENT, WS_MESSAGE_MAX,
                                    &frame, &used);
        if (status == ERR_MORE)
            return done;
        CHECK(status == OK);
        read_frame(link, &frame);
        done += used;
    }
    return link->state == LINK_WEBSOCKET ? done : bytes.size;
}

static void take_bytes(struct link *link, struct view bytes)
{
    if (link->come_size + bytes.size > link->come.size) {
        link->come.size = (link->come_size + bytes.size) * 2;
        CHECK(link->come.size < COME_MAX);
        link->come.at = realloc(link->come.at, link->come.size);
        CHECK(link->come.at);
    }
    memcpy(link->come.at + link->come_size, bytes.at, bytes.size);
    link->come_size += bytes.size;
    size_t done = read_whole(link, (struct span){ link->come.at, link->come_size });
    link->come_size -= done;
    memmove(link->come.at, link->come.at + done, link->come_size);
}

/* ---- what the server asks for ---- */

static void send_out(struct meeting *meeting, const struct server_out *out, struct link *link)
{
    size_t offered = 0;
    for (size_t i = 0; i < out->run_count; i++)
        offered += out->runs[i].size;
    size_t size = link->is_blocked ? 0 : link->is_slow ? offered / 2 : offered;
    size_t left = size;
    for (size_t i = 0; left > 0; i++) {
        struct view part = view_slice(out->runs[i], 0, left);
        take_bytes(link, part);
        left -= part.size;
    }
    link->is_blocked = size < offered;
    server_sent(server_of(meeting, link), meeting->now, link->stream, size);
}

static void feed(struct meeting *meeting, struct link *link, struct view bytes)
{
    while (bytes.size && link->state != LINK_CLOSED) {
        if (!server_wants_bytes(server_of(meeting, link), link->stream)) {
            struct span more = { malloc(link->waiting.size + bytes.size),
                                 link->waiting.size + bytes.size };
            CHECK(more.at);
            if (link->waiting.size)
                memcpy(more.at, link->waiting.at, link->waiting.size);
            memcpy(more.at + link->waiting.size, bytes.at, bytes.size);
            free(link->waiting.at);
            link->waiting = more;
            return;
        }
        struct span piece = input_copy(input_take(&bytes, SERVER_READ_MAX));
        server_feed(server_of(meeting, link), meeting->now, link->stream, piece);
        free(piece.at);
        pump(meeting);
    }
}

static void feed_waiting(struct meeting *meeting, struct link *link)
{
    struct span waiting = link->waiting;
    link->waiting = (struct span){ NULL, 0 };
    feed(meeting, link, view_of_span(waiting));
    free(waiting.at);
}

static void hand_over(struct meeting *meeting, const struct server_out *out, struct link *link)
{
    CHECK(out->worker < MEETING_WORKERS && out->worker != link->worker);
    if (meeting->is_lossy) {
        parcel_free(out->parcel);
        forget_stream(link);
        return;
    }
    link->worker = out->worker;
    link->stream = UINT32_MAX;
    if (server_adopt(server_of(meeting, link), meeting->now, out->parcel, &link->stream) != OK)
        forget_stream(link);
}

/* True: there was something to do. */
static bool pump_one(struct meeting *meeting, unsigned worker)
{
    struct server_out out;
    server_poll(meeting->servers[worker], &out);
    if (out.kind == SERVER_WAIT)
        return false;
    struct link *link = link_of(meeting, worker, out.stream);
    if (out.kind == SERVER_SEND)
        send_out(meeting, &out, link);
    else if (out.kind == SERVER_CLOSE)
        forget_stream(link);
    else if (out.kind == SERVER_HAND_OVER)
        hand_over(meeting, &out, link);
    return true;
}

static void pump(struct meeting *meeting)
{
    if (!meeting->is_lazy)
        meeting_drain(meeting);
}

/* True: some bytes that had to wait have been taken. */
static bool feed_those_waiting(struct meeting *meeting)
{
    bool has_fed = false;
    for (unsigned i = 0; i < MEETING_LINKS; i++) {
        struct link *link = &meeting->links[i];
        if (link->state != LINK_CLOSED && link->waiting.size &&
            server_wants_bytes(server_of(meeting, link), link->stream)) {
            feed_waiting(meeting, link);
            has_fed = true;
        }
    }
    return has_fed;
}

void meeting_drain(struct meeting *meeting)
{
    bool is_busy;
    do {
        is_busy = false;
        for (unsigned i = 0; i < MEETING_WORKERS; i++) {
            while (pump_one(meeting, i))
                is_busy = true;
            while (trace_take(server_trace(meeting->servers[i])))
                ;
        }
    } while (is_busy || feed_those_waiting(meeting));
}

/* ---- what the clients do ---- */

void meeting_cut(struct meeting *meeting, struct link *link)
{
    if (link->state == LINK_CLOSED)
        return;
    server_closed(server_of(meeting, link), meeting->now, link->stream);
    forget_stream(link);
    pump(meeting);
}

void meeting_finish(struct meeting *meeting, struct link *link)
{
    if (link->state == LINK_CLOSED)
        return;
    server_ended(server_of(meeting, link), meeting->now, link->stream);
    pump(meeting);
}

void meeting_open(struct meeting *meeting, struct link *link, enum link_state state)
{
    struct stream_origin origin = {
        .kind = state == LINK_STUN ? STREAM_STUN : STREAM_HTTP,
        .peer = { .family = ADDRESS_IPV4, .bytes = { 192, 0, 2, 1 }, .port = 5000 },
    };
    meeting_cut(meeting, link);
    link->worker = (unsigned)(link - meeting->links) % MEETING_WORKERS;
    if (server_open(server_of(meeting, link), meeting->now, &origin, &link->stream) != OK)
        return;
    link->state = state;
    if (state == LINK_UPGRADING)
        meeting_send(meeting, link,
                     VIEW("GET /api/v1/meet HTTP/1.1\r\nHost: moim.example\r\n"
                          "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                          "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                          "Sec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
}

void meeting_send(struct meeting *meeting, struct link *link, struct view bytes)
{
    if (link->state == LINK_CLOSED || link->waiting.size + bytes.size > WAITING_MAX)
        return;
    feed(meeting, link, bytes);
    pump(meeting);
}

void meeting_send_frame(struct meeting *meeting, struct link *link, uint8_t flags,
                        struct view payload)
{
    static const uint8_t MASK[4] = { 0 };
    struct span body = input_copy(payload);
    struct span frame = { malloc(payload.size + WEBSOCKET_HEADER_MAX), 0 };
    CHECK(frame.at);
    size_t size =
        websocket_write_masked(flags & 0x0f, flags & 0x80, flags & 0x40, MASK, body, frame.at);
    memcpy(frame.at + size, body.at, body.size);
    meeting_send(meeting, link, view_make(frame.at, size + body.size));
    free(frame.at);
    free(body.at);
}

void meeting_unblock(struct meeting *meeting, struct link *link)
{
    if (link->state == LINK_CLOSED || !(link->is_blocked || link->is_slow))
        return;
    link->is_blocked = link->is_slow = false;
    server_writable(server_of(meeting, link), meeting->now, link->stream);
    pump(meeting);
}

/* When some timer expires next, at most `until`. */
static usec next_tick(struct meeting *meeting, usec until)
{
    for (unsigned i = 0; i < MEETING_WORKERS; i++) {
        struct server_out out;
        server_poll(meeting->servers[i], &out);
        CHECK(out.kind == SERVER_WAIT);
        if (out.until < until)
            until = out.until;
    }
    return until > meeting->now ? until : meeting->now;
}

void meeting_wait(struct meeting *meeting, usec time)
{
    usec until = meeting->now + time;
    meeting_drain(meeting);
    for (;;) {
        usec next = next_tick(meeting, until);
        /* time must go on: a wheel may ask for one tick twice, but not for ever */
        meeting->now = next > meeting->now ? next : meeting->now + 1;
        if (meeting->now > until)
            break;
        for (unsigned i = 0; i < MEETING_WORKERS; i++)
            server_tick(meeting->servers[i], meeting->now);
        meeting_drain(meeting);
        if (next >= until)
            break;
    }
    meeting->now = until;
}

void meeting_stop(struct meeting *meeting, unsigned worker)
{
    server_stop(meeting->servers[worker], meeting->now);
    pump(meeting);
}

static void check_nothing_left(struct server *server, struct metrics *metrics)
{
    static const enum metric GAUGES[] = { METRIC_WEBSOCKETS, METRIC_ROOMS, METRIC_MEMBERS,
                                          METRIC_MEMBERS_AWAY };
    CHECK(server_streams(server) == 0);
    CHECK(server->rooms.room_pool.used == 0 && server->rooms.member_pool.used == 0);
    CHECK(server->rooms.history.entries.used == 0 && server->rooms.by_name.count == 0);
    CHECK(server->outboxes.entries.used == 0);
    CHECK(buffers_used(server->buffers) == 0);
    CHECK(wheel_next(&server->wheel) == USEC_NEVER);
    for (size_t i = 0; i < sizeof GAUGES / sizeof GAUGES[0]; i++)
        CHECK(metrics_read(metrics, GAUGES[i]) == 0);
}

void meeting_end(struct meeting *meeting)
{
    for (unsigned i = 0; i < MEETING_LINKS; i++)
        meeting_cut(meeting, &meeting->links[i]);
    meeting_wait(meeting, 2 * ROOM_KEEP_AWAY);
    for (unsigned i = 0; i < MEETING_WORKERS; i++) {
        check_nothing_left(meeting->servers[i], &meeting->metrics[i]);
        server_free(meeting->servers[i]);
    }
}
