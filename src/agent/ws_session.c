#include "agent/ws_session.h"

#include "base/utf8.h"

#include <assert.h>
#include <string.h>

static void fail(struct ws_event *event, uint16_t code)
{
    event->kind = WS_FAILED;
    event->code = code;
}

static size_t message_max(const struct ws_session *ws)
{
    return ws->message_max ? ws->message_max : WS_MESSAGE_MAX;
}

size_t ws_session_room(const struct ws_session *ws)
{
    return message_max(ws) + WEBSOCKET_HEADER_MAX;
}

static void read_close(struct ws_session *ws, struct view payload, struct ws_event *event)
{
    event->kind = WS_CLOSE;
    event->code = 1005;
    ws->close_received = true;
    if (payload.size == 0)
        return;
    struct view reason = view_slice(payload, 2, payload.size);
    if (payload.size < 2) {
        fail(event, 1002);
        return;
    }
    event->code = (uint16_t)(payload.at[0] << 8 | payload.at[1]);
    event->payload = reason;
    if (!websocket_close_code_valid(event->code))
        fail(event, 1002);
    else if (!utf8_valid(reason))
        fail(event, 1007);
}

static void read_control(struct ws_session *ws, const struct websocket_frame *frame,
                         struct ws_event *event)
{
    event->payload = view_of_span(frame->payload);
    if (frame->opcode == WEBSOCKET_PING)
        event->kind = WS_PING;
    else if (frame->opcode == WEBSOCKET_PONG)
        event->kind = WS_PONG;
    else
        read_close(ws, view_of_span(frame->payload), event);
}

/* A whole message lies in `payload`: inflates and checks it. */
static void finish_message(struct ws_session *ws, struct ws_workshop *workshop, struct view payload,
                           struct ws_event *event)
{
    if (ws->message_deflated) {
        size_t size;
        int status = deflate_read(workshop->deflater, payload, workshop->inflated,
                                  sizeof workshop->inflated, &size);
        if (status != OK) {
            fail(event, status == ERR_LIMIT ? 1009 : 1007);
            return;
        }
        payload = view_make(workshop->inflated, size);
    }
    event->payload = payload;
    event->kind = ws->message_opcode == WEBSOCKET_TEXT ? WS_TEXT : WS_BINARY;
    if (event->kind == WS_TEXT && !utf8_valid(payload))
        fail(event, 1007);
}

static void read_data(struct ws_session *ws, struct ws_workshop *workshop,
                      const struct websocket_frame *frame, struct ws_event *event)
{
    bool is_first = frame->opcode != WEBSOCKET_CONTINUATION;
    if (is_first != (ws->message_opcode == 0) || (frame->deflated && !ws->deflate)) {
        fail(event, 1002);
        return;
    }
    if (is_first) {
        ws->message_opcode = frame->opcode;
        ws->message_deflated = frame->deflated;
    }
    struct view payload = view_of_span(frame->payload);
    if (!frame->fin || ws->message.buffer) {
        if (inbox_bytes(&ws->message).size + payload.size > message_max(ws)) {
            fail(event, 1009);
            return;
        }
        if (inbox_add(&ws->message, workshop->buffers, payload) != OK) {
            fail(event, 1013);
            return;
        }
        payload = view_of_span(inbox_bytes(&ws->message));
    }
    if (!frame->fin)
        return;
    finish_message(ws, workshop, payload, event);
    ws->message_opcode = 0;
}

void ws_session_read(struct ws_session *ws, struct ws_workshop *workshop, struct span bytes,
                     size_t *used, struct ws_event *event)
{
    *used = 0;
    do {
        size_t step;
        struct websocket_frame frame;
        struct span rest = span_behind(bytes, *used);
        *event = (struct ws_event){ .kind = WS_WAIT };
        /* the last message was borrowed until now */
        if (ws->message_opcode == 0)
            inbox_clear(&ws->message, workshop->buffers);
        if (ws->close_received) {
            *used = bytes.size;
            return;
        }
        int status = websocket_read(rest, WEBSOCKET_SERVER, message_max(ws), &frame, &step);
        if (status == ERR_MORE)
            return;
        if (status != OK) {
            fail(event, status == ERR_LIMIT ? 1009 : 1002);
            return;
        }
        *used += step;
        if (frame.opcode >= WEBSOCKET_CLOSE)
            read_control(ws, &frame, event);
        else
            read_data(ws, workshop, &frame, event);
        /* a fragment makes no event: go on */
    } while (event->kind == WS_WAIT);
}

int ws_frame(struct buffers *buffers, enum websocket_opcode opcode, struct view payload,
             struct buffer **out)
{
    uint8_t header[WEBSOCKET_HEADER_MAX];
    struct buffer *buffer;
    if (payload.size > WS_FRAME_MAX)
        return ERR_LIMIT;
    size_t header_size = websocket_write_header((uint8_t)opcode, true, false, payload.size, header);
    int status = buffers_take(buffers, header_size + payload.size, &buffer);
    if (status != OK)
        return status;
    memcpy(buffer->bytes, header, header_size);
    if (payload.size)
        memcpy(buffer->bytes + header_size, payload.at, payload.size);
    buffer->size = (uint32_t)(header_size + payload.size);
    *out = buffer;
    return OK;
}

/* The payload of a frame that ws_frame made. */
static struct view frame_payload(const struct buffer *frame)
{
    size_t header_size = frame->bytes[1] < 126 ? 2 : frame->bytes[1] == 126 ? 4 : 10;
    return view_slice(buffer_view(frame), header_size, frame->size);
}

static struct buffer *deflate_frame(struct ws_workshop *workshop, const struct buffer *frame)
{
    struct view payload = frame_payload(frame);
    uint8_t header[WEBSOCKET_HEADER_MAX];
    struct buffer *buffer;
    size_t size;
    /* room for the longest header of such a size in front, moved up when it is known */
    if (buffers_take(workshop->buffers, payload.size, &buffer) != OK)
        return NULL;
    size_t reserved = 4;
    if (deflate_write(workshop->deflater, payload, buffer->bytes + reserved,
                      payload.size - reserved, &size) != OK) {
        buffer_give(workshop->buffers, buffer);
        return NULL;
    }
    uint8_t opcode = frame->bytes[0] & 0x0f;
    size_t header_size = websocket_write_header(opcode, true, true, size, header);
    assert(header_size <= reserved);
    if (header_size < reserved)
        memmove(buffer->bytes + header_size, buffer->bytes + reserved, size);
    memcpy(buffer->bytes, header, header_size);
    buffer->size = (uint32_t)(header_size + size);
    return buffer;
}

struct buffer *ws_frame_for(const struct ws_session *ws, struct ws_workshop *workshop,
                            struct buffer *frame)
{
    uint8_t opcode = frame->bytes[0] & 0x0f;
    if (!ws->deflate || frame->size < WS_DEFLATE_MIN || opcode >= WEBSOCKET_CLOSE ||
        frame_payload(frame).size > WS_MESSAGE_MAX)
        return frame;
    if (!frame->deflated)
        frame->deflated = deflate_frame(workshop, frame);
    return frame->deflated ? frame->deflated : frame;
}

/* At most `most` bytes of valid UTF-8: a character that does not fit is left out whole, for the
 * peer would fail a close that is no UTF-8 (RFC 6455, section 5.5.1). */
static struct view cut_text(struct view text, size_t most)
{
    if (text.size <= most)
        return text;
    while (most > 0 && (text.at[most] & 0xc0) == 0x80)
        most--;
    return view_slice(text, 0, most);
}

int ws_close(struct ws_session *ws, struct buffers *buffers, uint16_t code, struct view reason,
             struct buffer **out)
{
    uint8_t payload[WEBSOCKET_CONTROL_MAX];
    size_t size = 0;
    if (code != 1005) {
        reason = cut_text(reason, sizeof payload - 2);
        payload[0] = (uint8_t)(code >> 8);
        payload[1] = (uint8_t)code;
        if (reason.size)
            memcpy(payload + 2, reason.at, reason.size);
        size = 2 + reason.size;
    }
    int status = ws_frame(buffers, WEBSOCKET_CLOSE, view_make(payload, size), out);
    if (status == OK)
        ws->close_sent = true;
    return status;
}

void ws_session_clear(struct ws_session *ws, struct buffers *buffers)
{
    inbox_clear(&ws->message, buffers);
}
