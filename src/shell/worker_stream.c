/* Connections: from the socket to the server, and back. */
#include "shell/worker.h"

#include <sys/epoll.h>

/* Reads of one connection in a row, before the others have their turn. */
#define READS_MAX 4

#define NOTES_AGAIN (1 * USEC_MS) /* the other worker's mailbox is full */

void worker_update_interest(struct worker *worker, struct peer *peer)
{
    uint32_t interest = 0;
    if (!peer->is_paused && !peer->connection.wants_only_write)
        interest |= EPOLLIN;
    if (peer->connection.wants_write)
        interest |= EPOLLOUT;
    if (interest == peer->interest)
        return;
    struct epoll_event event = {
        .events = interest,
        .data.u64 = (uint64_t)peer->generation << 32 | pool_index(&worker->peers, peer),
    };
    if (epoll_ctl(worker->epoll, EPOLL_CTL_MOD, peer->connection.fd, &event) == 0)
        peer->interest = interest;
    else
        worker_close_peer(worker, peer);
}

static struct peer *place_peer(struct worker *worker, const struct connection *connection,
                               const struct stream_origin *origin)
{
    struct peer *peer = pool_take(&worker->peers);
    if (!peer)
        return NULL;
    peer->connection = *connection;
    peer->origin = *origin;
    peer->generation = ++worker->generation;
    peer->interest = EPOLLIN;
    peer->written_at = worker->now;
    uint64_t tag = (uint64_t)peer->generation << 32 | pool_index(&worker->peers, peer);
    if (worker_watch(worker, connection->fd, tag) != OK) {
        pool_give(&worker->peers, peer);
        return NULL;
    }
    metrics_add(worker->metrics, METRIC_CONNECTIONS, 1);
    return peer;
}

/* Forgets the peer, whose connection has been closed or given away. */
static void remove_peer(struct worker *worker, struct peer *peer)
{
    wheel_cancel(&worker->wheel, &peer->timer);
    peer->generation = 0;
    pool_give(&worker->peers, peer);
    metrics_subtract(worker->metrics, METRIC_CONNECTIONS, 1);
}

void worker_close_peer(struct worker *worker, struct peer *peer)
{
    uint32_t number = peer->relay;
    struct relay *relay = peer->has_relay ? &worker->relays.items[number] : NULL;
    uint16_t generation = relay ? relay->generation : 0;
    if (relay)
        relay->peer = NULL; /* it may be closed before it is told that its client is gone */
    if (peer->state == PEER_OPEN) {
        worker->of_stream[peer->stream] = NULL;
        server_closed(worker->server, worker->now, peer->stream);
    }
    connection_close(&peer->connection);
    remove_peer(worker, peer);
    worker_drain_relays(worker);
    if (relay && relay->state != RELAY_FREE && relay->generation == generation) {
        server_relay_gone(worker->server, worker->now, number);
        worker_drain_relays(worker);
    }
}

void worker_open_stream(struct worker *worker, struct peer *peer)
{
    uint32_t stream;
    wheel_cancel(&worker->wheel, &peer->timer);
    if (server_open(worker->server, worker->now, &peer->origin, &stream) != OK) {
        metrics_add(worker->metrics, METRIC_CONNECTIONS_REFUSED, 1);
        worker_close_peer(worker, peer);
        return;
    }
    peer->state = PEER_OPEN;
    peer->stream = stream;
    worker->of_stream[stream] = peer;
}

static void shake_hands(struct worker *worker, struct peer *peer)
{
    if (worker_take_plain(worker, peer))
        return;
    int status = connection_handshake(&peer->connection);
    if (status == OK) {
        worker_open_stream(worker, peer);
    } else if (status == ERR_AGAIN) {
        worker_update_interest(worker, peer);
    } else {
        metrics_add(worker->metrics, METRIC_TLS_FAILED, 1);
        worker_close_peer(worker, peer);
    }
}

void worker_add_peer(struct worker *worker, const struct connection *connection,
                     const struct stream_origin *origin)
{
    struct connection refused = *connection;
    struct peer *peer = place_peer(worker, connection, origin);
    if (!peer) {
        metrics_add(worker->metrics, METRIC_CONNECTIONS_REFUSED, 1);
        connection_close(&refused);
        return;
    }
    metrics_add(worker->metrics, METRIC_CONNECTIONS_ACCEPTED, 1);
    if (!connection->ssl) {
        worker_open_stream(worker, peer);
        return;
    }
    peer->state = PEER_HANDSHAKE;
    wheel_set(&worker->wheel, &peer->timer, worker->now + HANDSHAKE_TIME);
}

void worker_adopt_peer(struct worker *worker, const struct letter *letter)
{
    struct connection refused = letter->connection;
    static const struct stream_origin MOVED = { .kind = STREAM_HTTP };
    struct peer *peer = place_peer(worker, &letter->connection, &MOVED);
    if (!peer) {
        metrics_add(worker->metrics, METRIC_CONNECTIONS_REFUSED, 1);
        parcel_free(letter->parcel);
        connection_close(&refused);
        return;
    }
    peer->state = PEER_LINGER; /* until the server has it */
    if (server_adopt(worker->server, worker->now, letter->parcel, &peer->stream) != OK) {
        metrics_add(worker->metrics, METRIC_CONNECTIONS_REFUSED, 1);
        worker_close_peer(worker, peer);
        return;
    }
    peer->state = PEER_OPEN;
    worker->of_stream[peer->stream] = peer;
    uint32_t generation = peer->generation;
    worker_drain_relays(worker);
    if (peer->generation != generation)
        return; /* what it had come for was closed meanwhile */
    peer->is_paused = !server_wants_bytes(worker->server, peer->stream);
    worker_update_interest(worker, peer);
}

/* Reads until nothing is there, the server has enough, or others should have their turn. */
static void read_stream(struct worker *worker, struct peer *peer)
{
    uint32_t generation = peer->generation;
    for (int i = 0; i < READS_MAX && !peer->is_paused; i++) {
        size_t size = 0;
        struct span input = { worker->input, sizeof worker->input };
        int status = connection_read(&peer->connection, input, &size);
        if (status == ERR_AGAIN)
            break;
        if (status == ERR_IO) {
            worker_close_peer(worker, peer);
            return;
        }
        if (status == ERR_CLOSED) {
            server_ended(worker->server, worker->now, peer->stream);
            worker_drain_relays(worker);
            if (peer->generation != generation)
                return;
            peer->is_paused = true;
            break;
        }
        input.size = size;
        metrics_add(worker->metrics, METRIC_BYTES_IN, size);
        server_feed(worker->server, worker->now, peer->stream, input);
        worker_drain_relays(worker);
        if (server_rtc_is_full(worker->server))
            worker_flush_media(worker);
        worker_flush_relays(worker); /* the input is used again */
        if (peer->generation != generation)
            return;
        peer->is_paused = !server_wants_bytes(worker->server, peer->stream);
        if (size < sizeof worker->input && !peer->connection.ssl)
            break; /* most likely that was all */
    }
    worker_update_interest(worker, peer);
}

static void write_stream(struct worker *worker, struct peer *peer)
{
    int status = connection_flush(&peer->connection);
    if (status == OK)
        server_writable(worker->server, worker->now, peer->stream);
    else if (status != ERR_AGAIN)
        worker_close_peer(worker, peer);
}

/* Our last bytes are on their way: waits until the peer has read them and ends its side, since a
 * socket that is closed with unread bytes would take the last answer back (RFC 9112, 9.6). */
static void linger(struct worker *worker, struct peer *peer)
{
    int status = connection_finish(&peer->connection);
    bool is_sent = status == OK;
    if (status == ERR_IO) {
        worker_close_peer(worker, peer);
        return;
    }
    for (int i = 0; i < READS_MAX; i++) {
        size_t size;
        struct span input = { worker->input, sizeof worker->input };
        status = connection_read(&peer->connection, input, &size);
        if (status == ERR_AGAIN)
            break;
        if (status == ERR_CLOSED && !is_sent) {
            peer->is_paused = true; /* it listens still */
            break;
        }
        if (status != OK) {
            worker_close_peer(worker, peer);
            return;
        }
    }
    if (is_sent && worker->now - peer->written_at >= LINGER_TIME)
        worker_close_peer(worker, peer); /* one that is kept alive, and idle */
    else
        worker_update_interest(worker, peer);
}

void worker_peer_ready(struct worker *worker, struct peer *peer, uint32_t events)
{
    uint32_t generation = peer->generation;
    if (peer->state == PEER_HANDSHAKE) {
        shake_hands(worker, peer);
        return;
    }
    if (peer->state == PEER_LINGER) {
        linger(worker, peer);
        return;
    }
    if (peer->state == PEER_SPLICED) {
        worker_splice_ready(worker, peer, events);
        return;
    }
    if (events & EPOLLOUT)
        write_stream(worker, peer);
    if (peer->generation != generation)
        return; /* it was closed */
    if (!peer->is_paused && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        read_stream(worker, peer);
    else if (events & (EPOLLHUP | EPOLLERR))
        worker_close_peer(worker, peer);
    else
        worker_update_interest(worker, peer);
}

void worker_peer_expired(struct worker *worker, struct peer *peer)
{
    if (peer->state == PEER_SPLICED) {
        worker_splice_expired(worker, peer);
        return;
    }
    if (peer->state == PEER_HANDSHAKE)
        metrics_add(worker->metrics, METRIC_TLS_FAILED, 1);
    worker_close_peer(worker, peer);
}

/* ---- what the server wants done ---- */

static void send_runs(struct worker *worker, struct peer *peer, const struct server_out *out)
{
    size_t size;
    peer->connection.is_apart = out->is_apart;
    if (connection_write(&peer->connection, out->runs, out->run_count, &size) != OK) {
        worker_close_peer(worker, peer);
        return;
    }
    if (size > 0)
        peer->written_at = worker->now;
    metrics_add(worker->metrics, METRIC_BYTES_OUT, size);
    server_sent(worker->server, worker->now, peer->stream, size);
    worker_update_interest(worker, peer);
}

void worker_linger_peer(struct worker *worker, struct peer *peer)
{
    if (peer->state == PEER_OPEN)
        worker->of_stream[peer->stream] = NULL;
    peer->state = PEER_LINGER;
    peer->is_paused = false;
    wheel_set(&worker->wheel, &peer->timer, worker->now + LINGER_TIME);
    linger(worker, peer);
}

static void hand_over(struct worker *worker, struct peer *peer, const struct server_out *out)
{
    struct letter letter = { .kind = LETTER_STREAM,
                             .connection = peer->connection,
                             .parcel = out->parcel };
    worker->of_stream[peer->stream] = NULL;
    epoll_ctl(worker->epoll, EPOLL_CTL_DEL, peer->connection.fd, NULL);
    if (mailbox_send(&worker->config.mailboxes[out->worker], worker->config.number, &letter) !=
        OK) {
        metrics_add(worker->metrics, METRIC_CONNECTIONS_REFUSED, 1);
        parcel_free(out->parcel);
        connection_close(&peer->connection);
    }
    remove_peer(worker, peer);
}

/* True: one can't go, so that the server has something to say to who waits for it. */
static bool send_errands(struct worker *worker)
{
    unsigned to;
    bool has_failed = false;
    struct errand *errand;
    while ((errand = server_poll_errand(worker->server, &to)) != NULL) {
        struct letter letter = { .kind = LETTER_ERRAND, .errand = errand };
        if (mailbox_send(&worker->config.mailboxes[to], worker->config.number, &letter) == OK)
            continue;
        server_errand_failed(worker->server, worker->now, errand);
        has_failed = true;
    }
    return has_failed;
}

/* When those that could not go are tried again. */
static usec send_notes(struct worker *worker)
{
    unsigned to;
    struct note *note;
    while ((note = server_poll_note(worker->server, &to)) != NULL) {
        struct letter letter = { .kind = LETTER_NOTE, .note = note };
        if (mailbox_send(&worker->config.mailboxes[to], worker->config.number, &letter) == OK)
            continue;
        server_note_again(worker->server, note);
        return worker->now + NOTES_AGAIN;
    }
    return USEC_NEVER;
}

void worker_drain_server(struct worker *worker)
{
    for (;;) {
        struct server_out out;
        worker_drain_relays(worker);
        server_poll(worker->server, &out);
        if (out.kind == SERVER_WAIT) {
            if (send_errands(worker))
                continue;
            usec again = send_notes(worker);
            worker->server_wakes = again < out.until ? again : out.until;
            return;
        }
        struct peer *peer = worker->of_stream[out.stream];
        switch (out.kind) {
        case SERVER_SEND:
            send_runs(worker, peer, &out);
            break;
        case SERVER_READ:
            peer->is_paused = false;
            worker_update_interest(worker, peer);
            break;
        case SERVER_CLOSE:
            worker_linger_peer(worker, peer);
            break;
        case SERVER_HAND_OVER:
            hand_over(worker, peer, &out);
            break;
        case SERVER_SPLICE:
            worker_begin_splice(worker, peer, &out);
            break;
        case SERVER_WAIT:
            break;
        }
    }
}
