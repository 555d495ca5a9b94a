/* Connection state recovery, as socket.io 4.6 has it: a socket whose session broke off stays where
 * it is for a while.  Every event bears an offset behind its arguments; a client that comes back
 * names the last one that it heard, and is told all behind it.
 *
 * What a socket was told is logged while it is connected, too: the last of it may have been on its
 * way when the connection broke.  A log that lost its oldest messages just recovers less. */
#include "front/engine/engine.h"
#include "front/socketio/socketio.h"
#include "wire/json_text.h"

#include <string.h>

int socketio_recovery_start(struct server *server, struct socketio *socketio)
{
    uint32_t sessions = socketio->endpoint->config->limits.sessions;
    uint32_t entries =
        sessions < UINT32_MAX / SOCKETIO_LOG_SHARE ? sessions * SOCKETIO_LOG_SHARE : sessions;
    list_init(&socketio->broken_order);
    socketio->logs.buffers = server->buffers;
    if (socketio_recovery_time(socketio) == 0)
        return OK;
    int status = pool_init(&socketio->logs.entries, sizeof(struct outbox_entry), entries);
    if (status != OK)
        return status;
    status = map_init(&socketio->broken, socketio->socket_pool.count_max, &server->config.random);
    if (status != OK)
        pool_free(&socketio->logs.entries);
    return status;
}

void socketio_recovery_stop(struct server *server, struct socketio *socketio)
{
    (void)server;
    struct list *broken = &socketio->broken_order;
    for (struct list *at = broken->next; at != broken; at = at->next)
        outbox_clear(&LIST_ENTRY(at, struct socketio_socket, of_session)->log, &socketio->logs);
    if (socketio_recovery_time(socketio) == 0)
        return;
    map_free(&socketio->broken);
    pool_free(&socketio->logs.entries);
}

/* ---- the log ---- */

static void drop_oldest(struct socketio *socketio, struct socketio_socket *socket)
{
    outbox_sent(&socket->log, &socketio->logs, socket->log.first->bytes.size);
}

void socketio_log(struct server *server, struct socketio_socket *socket, struct relay_words *words)
{
    struct socketio *socketio = socket->space->socketio;
    size_t size_max = socketio->endpoint->config->limits.queue_bytes;
    for (uint32_t i = 0; i < words->count; i++) {
        struct buffer *packet = engine_packet(server, &words->messages[i]);
        while (
            packet && socket->log.count &&
            (socket->log.count >= SOCKETIO_LOG_MAX || socket->log.size + packet->size > size_max))
            drop_oldest(socketio, socket);
        if (packet && outbox_put(&socket->log, &socketio->logs, packet, size_max) == OK)
            continue;
        outbox_clear(&socket->log, &socketio->logs); /* a log with a gap is none */
        return;
    }
}

/* Whether an event's text ends with that offset: ,"12"] */
static bool bears(struct view text, struct view offset)
{
    size_t tail = offset.size + 4;
    if (text.size < tail)
        return false;
    const uint8_t *at = text.at + text.size - tail;
    return at[0] == ',' && at[1] == '"' && memcmp(at + 2, offset.at, offset.size) == 0 &&
           at[tail - 2] == '"' && at[tail - 1] == ']';
}

/* The first entry behind the last event of that offset; false: there is no such event. */
static bool find_missed(const struct outbox *log, struct view offset, struct outbox_entry **missed)
{
    bool is_found = false;
    for (struct outbox_entry *entry = log->first; entry; entry = entry->next) {
        if (entry->bytes.at[0] != '4' || !bears(entry->bytes, offset))
            continue;
        is_found = true;
        *missed = entry->next;
    }
    /* the event's own attachments came with it */
    while (is_found && *missed && (*missed)->bytes.at[0] != '4')
        *missed = (*missed)->next;
    return is_found;
}

/* ---- breaking off, and coming back ---- */

static void set_timer(struct server *server, struct socketio *socketio)
{
    struct list *broken = &socketio->broken_order;
    struct timer *timer = &socketio->endpoint->timer;
    if (list_empty(broken))
        wheel_cancel(&server->wheel, timer);
    else
        wheel_set(&server->wheel, timer,
                  LIST_ENTRY(broken->next, struct socketio_socket, of_session)->broken_until);
}

bool socketio_break(struct server *server, usec now, struct session *session,
                    struct socketio_socket *socket)
{
    struct socketio *socketio = socket->space->socketio;
    if (!socket->pid[0] || session->is_closing || server->is_stopping ||
        map_add(&socketio->broken, view_of(socket->pid), socket) != OK)
        return false;
    socketio_detach(session, socket);
    socket->party.session = NULL;
    socket->broken_until = now + socketio_recovery_time(socketio);
    list_append(&socketio->broken_order, &socket->of_session);
    set_timer(server, socketio);
    return true;
}

static void mend(struct server *server, struct socketio *socketio, struct socketio_socket *socket)
{
    map_remove(&socketio->broken, view_of(socket->pid));
    list_remove(&socket->of_session);
    set_timer(server, socketio);
}

void socketio_expire(struct server *server, usec now, struct socketio *socketio, bool force)
{
    struct list *broken = &socketio->broken_order;
    while (!list_empty(broken)) {
        struct socketio_socket *socket =
            LIST_ENTRY(broken->next, struct socketio_socket, of_session);
        if (!force && socket->broken_until > now)
            break;
        mend(server, socketio, socket);
        socketio_free_socket(server, now, socketio, socket);
        force = false;
    }
}

/* A member of CONNECT's object that is a plain string; empty: there is none. */
static struct view find_text(struct view object, struct view name)
{
    struct view value;
    if (!json_text_find(object, name, &value) || value.size < 2 || value.at[0] != '"')
        return VIEW("");
    return view_slice(value, 1, value.size - 2);
}

bool socketio_recover(struct server *server, usec now, struct session *session,
                      const struct socketio_packet *packet)
{
    struct socketio *socketio = socketio_of(session);
    struct outbox_entry *missed = NULL;
    if (socketio_recovery_time(socketio) == 0 || packet->data.size == 0)
        return false;
    struct view pid = find_text(packet->data, VIEW("pid"));
    struct view offset = find_text(packet->data, VIEW("offset"));
    struct socketio_socket *socket = map_find(&socketio->broken, pid);
    if (!socket || offset.size == 0 ||
        !view_equal(socketio_space_name(socket->space), packet->name_space))
        return false;
    mend(server, socketio, socket);
    if (!find_missed(&socket->log, offset, &missed)) {
        socketio_free_socket(server, now, socketio, socket);
        return false;
    }
    socketio_attach(session, socket);
    socket->party.session = session;
    wheel_cancel(&server->wheel, &session->speech_timer);
    metrics_add(server->metrics, METRIC_SOCKETIO_RECOVERED, 1);
    socketio_say_connected(server, now, session, socket);
    for (; missed; missed = missed->next) {
        struct view body = view_slice(missed->bytes, 1, missed->bytes.size);
        struct message message = message_make(body, missed->bytes.at[0] != '4');
        session_send(server, now, session, &message);
        message_done(server, &message);
    }
    return true;
}
