/* Splices (RFC 6062): a client's connection and a relay's, joined: raw bytes both ways.
 *
 * Each way has one buffer, and is read from only while that is empty: whoever takes nothing holds
 * back the other. */
#include "shell/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define ROUNDS_MAX 4               /* before others have their turn */
#define RATE_TIME  (100 * USEC_MS) /* until a limit of bytes is asked again */
#define ENDED_TIME (60 * USEC_S)   /* for the other way, when one has ended */
#define MORE_SIZE  1024            /* what came behind the client's request may be this much more */

struct way {
    size_t from, size; /* what waits in `bytes` */
    bool is_allowed;   /* ... and may go */
    bool has_ended;    /* nothing more comes */
    bool is_closed;    /* the end has been passed on */
    uint8_t bytes[SERVER_READ_MAX + MORE_SIZE];
};

struct splice {
    struct way up;   /* from the client to the peer */
    struct way down; /* back */
    usec ends_at;    /* USEC_NEVER: both ways go on */
};

enum progress { MOVED, STUCK, BROKEN };

static void watch_relay(struct worker *worker, struct relay *relay, uint32_t number,
                        uint32_t interest)
{
    struct epoll_event event = { .events = interest, .data.u64 = worker_relay_tag(worker, number) };
    if (relay->interest == interest)
        return;
    epoll_ctl(worker->epoll, EPOLL_CTL_MOD, relay->fd, &event);
    relay->interest = interest;
}

/* What a read or a write has come to. */
static enum progress progress_of(int status, struct way *way)
{
    if (status == ERR_CLOSED)
        way->has_ended = true;
    if (status == OK || status == ERR_CLOSED)
        return MOVED;
    return status == ERR_AGAIN ? STUCK : BROKEN;
}

/* The relay's end is a plain connection. */
static struct connection relay_end(const struct relay *relay)
{
    return (struct connection){ .fd = relay->fd };
}

static enum progress fill(struct connection *from, struct way *way)
{
    struct span into = { way->bytes, SERVER_READ_MAX };
    if (way->size || way->has_ended)
        return STUCK;
    way->from = 0;
    way->is_allowed = false;
    return progress_of(connection_read(from, into, &way->size), way);
}

static enum progress empty(struct worker *worker, struct peer *peer, struct connection *to,
                           struct way *way)
{
    size_t taken;
    if (way->size == 0 && way->has_ended && !way->is_closed) {
        int status = connection_finish(to);
        way->is_closed = status == OK;
        return status == ERR_AGAIN ? STUCK : status == OK ? MOVED : BROKEN;
    }
    if (way->size == 0)
        return STUCK;
    if (!way->is_allowed) {
        way->is_allowed =
            server_relay_splice_may(worker->server, worker->now, peer->relay, way->size);
        if (!way->is_allowed)
            return STUCK;
    }
    struct view run = view_make(way->bytes + way->from, way->size);
    if (connection_write(to, &run, 1, &taken) != OK)
        return BROKEN;
    way->from += taken;
    way->size -= taken;
    return taken ? MOVED : STUCK;
}

/* Moves what can be moved; false: the splice is at its end. */
static bool pump(struct worker *worker, struct peer *peer, struct relay *relay)
{
    struct splice *splice = relay->splice;
    struct connection far = relay_end(relay);
    bool moves = true;
    for (int i = 0; i < ROUNDS_MAX && moves; i++) {
        enum progress steps[] = {
            fill(&peer->connection, &splice->up),
            empty(worker, peer, &far, &splice->up),
            fill(&far, &splice->down),
            empty(worker, peer, &peer->connection, &splice->down),
        };
        moves = false;
        for (size_t j = 0; j < sizeof steps / sizeof steps[0]; j++) {
            if (steps[j] == BROKEN)
                return false;
            moves |= steps[j] == MOVED;
        }
    }
    return !splice->up.is_closed || !splice->down.is_closed;
}

static void run_splice(struct worker *worker, struct peer *peer)
{
    uint32_t number = peer->relay;
    struct relay *relay = &worker->relays.items[number];
    struct splice *splice = relay->splice;
    if (!pump(worker, peer, relay)) {
        worker_close_peer(worker, peer);
        return;
    }
    if (splice->ends_at == USEC_NEVER && (splice->up.has_ended || splice->down.has_ended))
        splice->ends_at = worker->now + ENDED_TIME;
    bool is_held = (splice->up.size && !splice->up.is_allowed) ||
                   (splice->down.size && !splice->down.is_allowed);
    usec wakes = is_held ? worker->now + RATE_TIME : splice->ends_at;
    if (wakes == USEC_NEVER)
        wheel_cancel(&worker->wheel, &peer->timer);
    else
        wheel_set(&worker->wheel, &peer->timer, wakes);
    uint32_t interest = 0;
    if (!splice->down.size && !splice->down.has_ended)
        interest |= EPOLLIN;
    if (splice->up.size && splice->up.is_allowed)
        interest |= EPOLLOUT;
    watch_relay(worker, relay, number, interest);
    peer->is_paused = splice->up.size || splice->up.has_ended;
    worker_update_interest(worker, peer);
}

void worker_begin_splice(struct worker *worker, struct peer *peer, const struct server_out *out)
{
    struct relay *relay = &worker->relays.items[out->relay];
    struct splice *splice = malloc(sizeof *splice);
    struct view unread = out->runs[0];
    worker->of_stream[peer->stream] = NULL;
    peer->state = PEER_SPLICED;
    if (!splice || unread.size > sizeof splice->up.bytes ||
        worker_watch(worker, relay->fd, worker_relay_tag(worker, out->relay)) != OK) {
        free(splice);
        worker_close_peer(worker, peer);
        return;
    }
    splice->up = (struct way){ .size = 0 };
    splice->down = (struct way){ .size = 0 };
    splice->ends_at = USEC_NEVER;
    if (unread.size)
        memcpy(splice->up.bytes, unread.at, unread.size);
    splice->up.size = unread.size;
    relay->splice = splice;
    relay->state = RELAY_SPLICED;
    relay->interest = EPOLLIN;
    run_splice(worker, peer);
}

void worker_splice_ready(struct worker *worker, struct peer *peer, uint32_t events)
{
    bool is_over = events & (EPOLLERR | EPOLLHUP) && !(events & EPOLLIN);
    if (is_over || connection_flush(&peer->connection) == ERR_IO)
        worker_close_peer(worker, peer);
    else
        run_splice(worker, peer);
}

void worker_splice_expired(struct worker *worker, struct peer *peer)
{
    const struct splice *splice = worker->relays.items[peer->relay].splice;
    if (worker->now >= splice->ends_at)
        worker_close_peer(worker, peer);
    else
        run_splice(worker, peer);
}
