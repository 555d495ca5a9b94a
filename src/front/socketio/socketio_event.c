/* Socket.IO events: from a socket to the relay, and from the relay to sockets. */
#include "front/mediasoup/mediasoup.h"
#include "front/socketio/socketio.h"

#include <stdio.h>
#include <string.h>

/* Text that is put together of pieces, in a buffer that is large enough. */
static void add(struct buffer *buffer, struct view piece)
{
    if (piece.size)
        memcpy(buffer->bytes + buffer->size, piece.at, piece.size);
    buffer->size += (uint32_t)piece.size;
}

/* ---- out ---- */

/* The packet that came may go out: it wants no acknowledgement, and no offset is wanted. */
static bool may_pass(const struct socketio_space *space, const struct relay_event *event)
{
    return !event->is_changed && event->original.size > 0 &&
           socketio_recovery_time(space->socketio) == 0;
}

/* Behind the arguments of each event, where sockets can come back. */
static size_t write_offset(struct socketio *socketio, char out[32])
{
    if (socketio_recovery_time(socketio) == 0)
        return 0;
    return (size_t)snprintf(out, 32, ",\"%llu\"", (unsigned long long)++socketio->offset);
}

static int write_text(struct server *server, const struct socketio_space *space,
                      const struct relay_event *event, struct buffer **out)
{
    struct view name = socketio_space_name(space);
    struct socketio_packet packet = {
        .type = event->attachment_count ? SOCKETIO_BINARY_EVENT : SOCKETIO_EVENT,
        .attachments = event->attachment_count,
        .name_space = name,
    };
    struct buffer *buffer;
    char offset[32];
    size_t size = 0;
    int status = buffers_take(server->buffers,
                              SOCKETIO_FRAMING_MAX + name.size + event->name.size +
                                  event->arguments.size + sizeof offset + 8,
                              &buffer);
    if (status != OK)
        return status;
    status = socketio_write(&packet, buffer->bytes, buffer->capacity, &size);
    if (status != OK) {
        buffer_give(server->buffers, buffer);
        return status;
    }
    buffer->size = (uint32_t)size;
    add(buffer, VIEW("[\""));
    add(buffer, event->name);
    add(buffer, VIEW("\""));
    if (event->arguments.size)
        add(buffer, VIEW(","));
    add(buffer, event->arguments);
    add(buffer, view_make(offset, write_offset(space->socketio, offset)));
    add(buffer, VIEW("]"));
    *out = buffer;
    return OK;
}

static int write_event(struct server *server, const struct relay_space *space,
                       const struct relay_event *event, struct relay_words *words)
{
    if (event->is_binary || event->attachment_count > RELAY_ATTACHMENTS_MAX)
        return ERR_MALFORMED;
    struct view text = event->original;
    words->text = NULL;
    if (!may_pass(space->context, event)) {
        int status = write_text(server, space->context, event, &words->text);
        if (status != OK)
            return status;
        text = buffer_view(words->text);
    }
    words->messages[0] = message_make(text, false);
    for (uint32_t i = 0; i < event->attachment_count; i++)
        words->messages[1 + i] = message_make(event->attachments[i], true);
    words->count = 1 + event->attachment_count;
    return OK;
}

static void tell(struct server *server, usec now, struct relay_party *party,
                 struct relay_words *words)
{
    struct socketio_socket *socket = (struct socketio_socket *)party;
    if (socket->pid[0])
        socketio_log(server, socket, words);
    for (uint32_t i = 0; i < words->count && party->session; i++)
        session_send(server, now, party->session, &words->messages[i]);
}

const struct relay_voice socketio_voice = { .write = write_event, .tell = tell };

void socketio_say(struct server *server, usec now, struct socketio_socket *socket,
                  struct view event, struct view arguments)
{
    const struct relay_event said = { .name = event, .arguments = arguments, .is_changed = true };
    struct relay_words words; /* large, and most of it unused */
    words.count = 0;
    words.text = NULL;
    if (write_event(server, &socket->space->space, &said, &words) != OK) {
        if (socket->party.session)
            session_close(server, socket->party.session, 1013, "the server is full");
        return;
    }
    tell(server, now, &socket->party, &words);
    for (uint32_t i = 0; i < words.count; i++)
        message_done(server, &words.messages[i]);
    buffer_give(server->buffers, words.text);
}

/* ---- in ---- */

void socketio_acknowledge(struct server *server, usec now, struct session *session,
                          const struct socketio_packet *heard, struct view arguments)
{
    const struct socketio_packet packet = { .type = SOCKETIO_ACK,
                                            .name_space = heard->name_space,
                                            .has_id = true,
                                            .id = heard->id,
                                            .data = arguments };
    socketio_send(server, now, session, &packet);
}

static void acknowledge(struct server *server, usec now, struct session *session,
                        const struct socketio_packet *heard, const struct relay_event *event)
{
    struct buffer *data;
    if (buffers_take(server->buffers, event->arguments.size + 2, &data) != OK) {
        session_close(server, session, 1013, "the server is full");
        return;
    }
    add(data, VIEW("["));
    add(data, event->arguments);
    add(data, VIEW("]"));
    struct socketio_packet packet = {
        .type = event->attachment_count ? SOCKETIO_BINARY_ACK : SOCKETIO_ACK,
        .attachments = event->attachment_count,
        .name_space = heard->name_space,
        .has_id = true,
        .id = heard->id,
        .data = buffer_view(data),
    };
    socketio_send(server, now, session, &packet);
    buffer_give(server->buffers, data);
    for (uint32_t i = 0; i < event->attachment_count; i++) {
        struct message message = message_make(event->attachments[i], true);
        session_send(server, now, session, &message);
        message_done(server, &message);
    }
}

void socketio_hear(struct server *server, usec now, struct session *session, struct view text,
                   const struct socketio_packet *packet, const struct socketio_gathering *gathering)
{
    struct socketio_socket *socket = socketio_find(session, packet->name_space);
    struct view attachments[SOCKETIO_ATTACHMENTS_MAX];
    uint32_t count = gathering ? gathering->count : 0;
    if (!packet->event.at)
        return; /* its name is a number: no rule can name it */
    if (count == 0 && mediasoup_hear(server, now, socketio_of(session)->mediasoup, socket, packet))
        return;
    for (uint32_t i = 0; i < count; i++)
        attachments[i] = buffer_view(gathering->attachments[i]);
    struct relay_event event = {
        .name = packet->event,
        .arguments = packet->rest,
        .attachments = attachments,
        .attachment_count = count,
        .original = packet->has_id ? VIEW("") : text,
    };
    if (relay_hear(server, now, &socket->party, &event) && packet->has_id)
        acknowledge(server, now, session, packet, &event);
}
