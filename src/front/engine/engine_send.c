/* What an Engine.IO session is told: as WebSocket frames at once, or as packets that wait for the
 * client's next poll. */
#include "front/engine/engine.h"
#include "front/hold.h"

#include <assert.h>
#include <string.h>

/* Of the scratch memory: a payload, and behind it the script that may be made of it.  A payload
 * without a script may be larger, but must leave room for the answer's head in a buffer. */
#define PAYLOAD_MAX        (BUFFER_SIZE_MAX - 2048)
#define SCRIPT_PAYLOAD_MAX (30 * 1024)
#define RUNS_MAX           64  /* packets in one answer */
#define BYTES_TYPE         'b' /* in the queue, the type of a message of bytes */

/* ---- frames ---- */

static int make_frame(struct server *server, const struct engineio_packet *packet,
                      unsigned revision, struct buffer **out)
{
    uint8_t head[WEBSOCKET_HEADER_MAX + 1];
    uint8_t type[1];
    size_t type_size = engineio_write_frame_head(packet, revision, type);
    uint8_t opcode = packet->kind == ENGINEIO_TEXT ? WEBSOCKET_TEXT : WEBSOCKET_BINARY;
    size_t size = websocket_write_header(opcode, true, false, type_size + packet->data.size, head);
    struct buffer *buffer;
    if (type_size)
        head[size++] = type[0];
    int status = buffers_take(server->buffers, size + packet->data.size, &buffer);
    if (status != OK)
        return status;
    memcpy(buffer->bytes, head, size);
    if (packet->data.size)
        memcpy(buffer->bytes + size, packet->data.at, packet->data.size);
    buffer->size = (uint32_t)(size + packet->data.size);
    *out = buffer;
    return OK;
}

static void send_frame(struct server *server, usec now, struct engine *engine, struct buffer *frame)
{
    struct stream *stream = engine->socket;
    if (stream->outbox.size + frame->size > engine->session.endpoint->config->limits.queue_bytes)
        stream_fail(server, stream);
    else
        websocket_send(server, now, stream, frame);
}

/* Text looks alike in both revisions. */
static void send_message_frame(struct server *server, usec now, struct engine *engine,
                               struct message *message, const struct engineio_packet *packet)
{
    bool is_old = engine->revision == 3 && message->is_binary;
    struct buffer **frame = &message->forms[is_old ? FORM_ENGINE3_FRAME : FORM_ENGINE_FRAME];
    if (!*frame && make_frame(server, packet, engine->revision, frame) != OK)
        stream_fail(server, engine->socket);
    else
        send_frame(server, now, engine, *frame);
}

void engine_say(struct server *server, usec now, struct stream *stream, struct view packet)
{
    struct buffer *frame;
    if (ws_frame(server->buffers, WEBSOCKET_TEXT, packet, &frame) != OK) {
        stream_fail(server, stream);
        return;
    }
    stream_send_give(server, now, stream, frame);
}

/* ---- the queue ---- */

static struct engineio_packet queued_packet(struct view run)
{
    bool is_bytes = run.at[0] == BYTES_TYPE;
    return (struct engineio_packet){
        .type = is_bytes ? ENGINEIO_MESSAGE : (enum engineio_type)(run.at[0] - '0'),
        .kind = is_bytes ? ENGINEIO_BYTES : ENGINEIO_TEXT,
        .data = view_slice(run, 1, run.size),
    };
}

struct buffer *engine_packet(struct server *server, struct message *message)
{
    struct buffer **packet = &message->forms[FORM_ENGINE_PACKET];
    if (*packet || buffers_take(server->buffers, 1 + message->body.size, packet) != OK)
        return *packet;
    struct buffer *buffer = *packet;
    buffer->bytes[0] = message->is_binary ? BYTES_TYPE : '0' + ENGINEIO_MESSAGE;
    if (message->body.size)
        memcpy(buffer->bytes + 1, message->body.at, message->body.size);
    buffer->size = (uint32_t)(1 + message->body.size);
    return buffer;
}

static void flush_soon(struct server *server, usec now, struct engine *engine)
{
    if (!engine->poll || engine->flush_at)
        return;
    engine->flush_at = now + ENGINE_FLUSH_TIME;
    engine_set_timer(server, engine);
}

/* Queues share one pool of entries: one may have as many as are left for all the others. */
static bool has_share(const struct server *server, const struct engine *engine)
{
    const struct pool *entries = &server->outboxes.entries;
    return engine->queue.count < entries->count_max - entries->used;
}

/* Revision 4 has no way to put its separator into a text: behind it the client would read packets
 * that whoever sent the text has written, a close among them. */
static bool can_be_polled(const struct engine *engine, const struct message *message)
{
    return engine->revision == 3 || message->is_binary ||
           view_find_byte(message->body, ENGINEIO_SEPARATOR) == message->body.size;
}

static void queue_message(struct server *server, usec now, struct engine *engine,
                          struct message *message)
{
    if (!can_be_polled(engine, message)) {
        metrics_add(server->metrics, METRIC_ENGINE_DROPPED, 1);
        return;
    }
    size_t size_max = engine->session.endpoint->config->limits.queue_bytes;
    struct buffer *packet = has_share(server, engine) ? engine_packet(server, message) : NULL;
    if (!packet || outbox_put(&engine->queue, &server->outboxes, packet, size_max) != OK) {
        metrics_add(server->metrics, METRIC_CLOSED_SLOW, 1);
        session_close(server, &engine->session, 1013, "reads too slowly");
        return;
    }
    flush_soon(server, now, engine);
}

void engine_send(struct server *server, usec now, struct session *session, struct message *message)
{
    struct engine *engine = engine_of(session);
    struct engineio_packet packet = {
        .type = ENGINEIO_MESSAGE,
        .kind = message->is_binary ? ENGINEIO_BYTES : ENGINEIO_TEXT,
        .data = message->body,
    };
    if (engine->socket)
        send_message_frame(server, now, engine, message, &packet);
    else
        queue_message(server, now, engine, message);
}

void engine_send_static(struct server *server, usec now, struct engine *engine, struct view packet)
{
    if (engine->socket)
        engine_say(server, now, engine->socket, packet);
    else if (outbox_put_static(&engine->queue, &server->outboxes, packet, SIZE_MAX) == OK)
        flush_soon(server, now, engine);
    else
        session_close(server, &engine->session, 1013, "the server is full");
}

/* ---- polls ---- */

/* Scripts and base64 are text; else bytes among the packets make all of a payload of revision 3
 * binary. */
static enum engineio_form form_for(const struct engine *engine, const struct view *runs,
                                   size_t count)
{
    if (engine->revision == 4)
        return ENGINEIO_4;
    for (size_t i = 0; i < count; i++)
        if (runs[i].at[0] == BYTES_TYPE && !engine->is_base64 && !engine->is_jsonp)
            return ENGINEIO_3_BINARY;
    return ENGINEIO_3_TEXT;
}

static struct engineio_writer begin_payload(struct server *server, const struct engine *engine,
                                            const struct view *runs, size_t count)
{
    return (struct engineio_writer){
        .at = server->scratch,
        .capacity = engine->is_jsonp ? SCRIPT_PAYLOAD_MAX : PAYLOAD_MAX,
        .form = form_for(engine, runs, count),
    };
}

/* Puts as many of the queue's packets into the scratch memory as fit.  False: not even one. */
static bool fill_payload(struct server *server, struct engine *engine,
                         struct engineio_writer *writer)
{
    struct view runs[RUNS_MAX];
    size_t count = outbox_peek(&engine->queue, runs, RUNS_MAX);
    *writer = begin_payload(server, engine, runs, count);
    for (size_t i = 0; i < count; i++) {
        struct engineio_packet packet = queued_packet(runs[i]);
        if (engineio_write(writer, &packet) != OK)
            return i > 0;
        outbox_sent(&engine->queue, &server->outboxes, runs[i].size);
    }
    return true;
}

static bool write_script(struct server *server, uint32_t index, struct view payload,
                         struct view *script)
{
    uint8_t digits[10];
    size_t count = 0;
    size_t size;
    for (uint32_t left = index; count == 0 || left; left /= 10)
        digits[sizeof digits - ++count] = (uint8_t)('0' + left % 10);
    uint8_t *at = server->scratch + SCRIPT_PAYLOAD_MAX;
    if (engineio_write_jsonp(payload, view_make(digits + sizeof digits - count, count), at,
                             PAYLOAD_MAX - SCRIPT_PAYLOAD_MAX, &size) != OK)
        return false;
    *script = view_make(at, size);
    return true;
}

static bool answer_poll(struct server *server, usec now, struct engine *engine,
                        const struct engineio_writer *writer)
{
    struct stream *stream = engine->poll;
    struct view body = view_make(writer->at, writer->size);
    const char *type = "text/plain; charset=UTF-8";
    if (writer->form == ENGINEIO_3_BINARY)
        type = "application/octet-stream";
    if (engine->is_jsonp) {
        type = "text/javascript; charset=UTF-8";
        if (!write_script(server, engine->jsonp, body, &body))
            return false;
    }
    engine->poll = NULL;
    engine->flush_at = 0;
    if (engine->is_held)
        http_answer_held(server, now, stream, 200, type, body);
    else
        engine_answer(server, now, stream, 200, type, body);
    return true;
}

void engine_answer_poll(struct server *server, usec now, struct engine *engine, struct view packet)
{
    if (!engine->poll)
        return;
    struct engineio_packet only = queued_packet(packet);
    struct engineio_writer writer = begin_payload(server, engine, &packet, 1);
    int status = engineio_write(&writer, &only);
    bool is_answered = status == OK && answer_poll(server, now, engine, &writer);
    assert(is_answered); /* it is short */
    (void)is_answered;
}

/* The first packet alone, which is larger than the scratch memory. */
static bool answer_large(struct server *server, usec now, struct engine *engine)
{
    struct view run;
    struct buffer *buffer;
    size_t count = outbox_peek(&engine->queue, &run, 1);
    struct engineio_packet packet = queued_packet(run);
    size_t size = ENGINEIO_FRAMING_MAX + ENGINEIO_BASE64_SIZE(run.size);
    if (engine->is_jsonp || buffers_take(server->buffers, size, &buffer) != OK)
        return false;
    struct engineio_writer writer = begin_payload(server, engine, &run, count);
    writer.at = buffer->bytes;
    writer.capacity = size;
    bool is_answered = engineio_write(&writer, &packet) == OK;
    if (is_answered) {
        outbox_sent(&engine->queue, &server->outboxes, run.size);
        is_answered = answer_poll(server, now, engine, &writer);
    }
    buffer_give(server->buffers, buffer);
    return is_answered;
}

void engine_flush(struct server *server, usec now, struct engine *engine)
{
    struct engineio_writer writer;
    bool is_answered = false;
    if (!engine->poll)
        return;
    if (engine->queue.count == 0) {
        engine_answer_poll(server, now, engine, VIEW("6"));
        return;
    }
    if (fill_payload(server, engine, &writer))
        is_answered = answer_poll(server, now, engine, &writer);
    else
        is_answered = answer_large(server, now, engine);
    if (!is_answered)
        session_close(server, &engine->session, 1009, "a message is too long for polling");
}

void engine_flush_to_socket(struct server *server, usec now, struct engine *engine)
{
    struct view run;
    while (outbox_peek(&engine->queue, &run, 1) == 1) {
        struct engineio_packet packet = queued_packet(run);
        struct buffer *frame;
        if (make_frame(server, &packet, engine->revision, &frame) != OK) {
            stream_fail(server, engine->socket);
            return;
        }
        outbox_sent(&engine->queue, &server->outboxes, run.size);
        send_frame(server, now, engine, frame);
        buffer_give(server->buffers, frame);
    }
}
