#include "front/parcel.h"

#include "front/turn.h"

#include <stdlib.h>
#include <string.h>

static void move(struct server *server, struct stream *stream, unsigned worker)
{
    stream->is_moving = true;
    stream->moving_to = (uint16_t)worker;
    stream_wake(server, stream);
}

void stream_move(struct server *server, usec now, struct stream *stream, unsigned worker,
                 struct view message)
{
    if (buffers_take(server->buffers, message.size, &stream->moving) != OK) {
        websocket_close(server, now, stream, 1013, VIEW("the server is full"), false);
        return;
    }
    memcpy(stream->moving->bytes, message.at, message.size);
    stream->moving->size = (uint32_t)message.size;
    move(server, stream, worker);
}

void stream_move_request(struct server *server, struct stream *stream, unsigned worker)
{
    move(server, stream, worker);
}

static uint8_t *append(uint8_t *to, struct view bytes)
{
    if (bytes.size)
        memcpy(to, bytes.at, bytes.size);
    return to + bytes.size;
}

struct parcel *parcel_pack(const struct stream *stream)
{
    struct view host = { NULL, 0 };
    struct view message = stream->moving ? buffer_view(stream->moving) : host;
    struct view unread = view_of_span(inbox_bytes(&stream->inbox));
    if (stream->host)
        host = buffer_view(stream->host);

    struct parcel *parcel =
        malloc(sizeof *parcel + host.size + message.size + unread.size + stream->outbox.size);
    if (!parcel)
        return NULL;
    *parcel = (struct parcel){
        .dialect = stream->dialect,
        .peer = stream->peer,
        .local = stream->local,
        .is_stun = stream->phase == PHASE_STUN,
        .secure = stream->secure,
        .deflate = stream->phase == PHASE_WEBSOCKET && stream->ws.deflate,
        .tokens = stream->tokens,
        .tokens_at = stream->tokens_at,
        .heard_at = stream->heard_at,
        .timer_at = wheel_time(&stream->timer),
        .host_size = host.size,
        .message_size = message.size,
        .unread_size = unread.size,
        .unsent_size = stream->outbox.size,
    };
    uint8_t *at = append(parcel->bytes, host);
    at = append(at, message);
    at = append(at, unread);
    for (struct outbox_entry *e = stream->outbox.first; e; e = e->next)
        at = append(at, e->bytes);
    return parcel;
}

void parcel_free(struct parcel *parcel)
{
    free(parcel);
}

/* A buffer with a copy of the bytes; NULL when there are none or no memory. */
static struct buffer *copy(struct server *server, const uint8_t *at, size_t size)
{
    struct buffer *buffer;
    if (size == 0 || buffers_take(server->buffers, size, &buffer) != OK)
        return NULL;
    memcpy(buffer->bytes, at, size);
    buffer->size = (uint32_t)size;
    return buffer;
}

static void refuse(struct server *server, usec now, struct stream *stream)
{
    if (stream->phase == PHASE_WEBSOCKET)
        websocket_close(server, now, stream, 1013, VIEW("the server is full"), false);
    else
        stream_end(server, now, stream);
}

static void unpack(struct server *server, usec now, struct stream *stream, struct parcel *parcel)
{
    uint8_t *message = parcel->bytes + parcel->host_size;
    uint8_t *unread = message + parcel->message_size;
    uint8_t *unsent = unread + parcel->unread_size;
    size_t left = parcel->unsent_size;

    stream->host = copy(server, parcel->bytes, parcel->host_size);
    while (left > 0) {
        size_t size = left < BUFFER_SIZE_MAX ? left : BUFFER_SIZE_MAX;
        struct buffer *buffer = copy(server, unsent, size);
        if (!buffer) {
            refuse(server, now, stream);
            return;
        }
        stream_send_give(server, now, stream, buffer);
        unsent += size;
        left -= size;
    }
    if (stream->dialect && server->is_stopping)
        websocket_close(server, now, stream, 1001, VIEW("the server stops"), true);
    else if (stream->dialect)
        stream->dialect->message(server, now, stream, view_make(message, parcel->message_size));
    if (parcel->is_stun &&
        inbox_add(&stream->inbox, server->buffers, view_make(unread, parcel->unread_size)) != OK)
        refuse(server, now, stream);
    else if (parcel->is_stun) /* the parcel goes before it is read */
        turn_door_feed(server, stream, view_make(NULL, 0));
    else
        stream_feed(server, now, stream, (struct span){ unread, parcel->unread_size });
}

int server_adopt(struct server *server, usec now, struct parcel *parcel, uint32_t *number)
{
    struct stream_origin origin = { .kind = parcel->is_stun ? STREAM_STUN : STREAM_HTTP,
                                    .secure = parcel->secure,
                                    .peer = parcel->peer,
                                    .local = parcel->local };
    struct stream *stream = stream_open(server, now, &origin); /* even at the end: to say so */
    if (!stream) {
        parcel_free(parcel);
        return ERR_LIMIT;
    }
    *number = stream_number(server, stream);
    stream->tokens = parcel->tokens;
    stream->tokens_at = parcel->tokens_at;
    stream->heard_at = parcel->heard_at;
    if (parcel->dialect) {
        stream->phase = PHASE_WEBSOCKET;
        stream->ws = (struct ws_session){ .deflate = parcel->deflate };
        stream->dialect = parcel->dialect;
        metrics_add(server->metrics, METRIC_WEBSOCKETS, 1);
    }
    wheel_set(&server->wheel, &stream->timer, parcel->timer_at);
    unpack(server, now, stream, parcel);
    parcel_free(parcel);
    streams_settle(server, now);
    return OK;
}
