#include "shell/worker.h"
#include "shell/terms.h"

#include "shell/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_MAX 256

/* Connections that linger or shake hands are not among the server's streams. */
#define PEERS_MORE 1024

int worker_watch(struct worker *worker, int fd, uint64_t tag)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = tag };
    return epoll_ctl(worker->epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? OK : ERR_IO;
}

static int watch_all(struct worker *worker)
{
    int mailbox = worker->config.mailboxes[worker->config.number].wake_fd;
    int status = worker_watch(worker, mailbox, TAG_MAILBOX);
    for (uint32_t i = 0; i < worker->config.listener_count && status == OK; i++)
        status = worker_watch(worker, worker->config.listeners[i].fd, TAG_LISTENER + i);
    return status;
}

int worker_new(const struct worker_config *config, struct worker **out)
{
    struct address sinks[RELAY_SINKS_MAX];
    struct worker *worker = calloc(1, sizeof *worker);
    int status = ERR_MEMORY;
    if (!worker)
        return ERR_MEMORY;
    worker->config = *config;
    worker->config.listener_count = 0; /* not its own yet */
    worker->now = clock_now();
    worker->accepts_at = USEC_NEVER;
    worker->metrics = &config->server.metrics[config->number];
    worker->config.server.worker = config->number;
    worker->config.server.road = (struct server_road){ worker_post_record, worker };
    wheel_init(&worker->wheel, worker->now);
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    worker->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (worker->epoll < 0 || worker->reserve < 0) {
        status = ERR_IO;
        goto give;
    }
    worker->of_stream = calloc(config->server.streams_max, sizeof(struct peer *));
    if (!worker->of_stream || pool_init(&worker->peers, sizeof(struct peer),
                                        config->server.streams_max + PEERS_MORE) != OK)
        goto give;
    worker->config.listener_count = config->listener_count;
    status = worker_start_media(worker);
    for (uint32_t i = 0; i < worker->config.sink_count; i++)
        sinks[i] = worker->config.sinks[i].address;
    worker->config.server.sinks = sinks;
    worker->config.server.sink_count = worker->config.sink_count;
    if (status == OK)
        status = worker_start_dtls(worker);
    if (status == OK)
        status = server_new(&worker->config.server, worker->now, &worker->server);
    if (status != OK) {
        worker->config.listener_count = 0;
        goto give;
    }
    status = worker_start_relays(worker);
    if (status == OK)
        status = worker_start_forwards(worker);
    worker_start_sieve(worker);
    if (status == OK)
        status = watch_all(worker);
    if (status != OK) {
        worker->config.listener_count = 0;
        goto give;
    }
    *out = worker;
    return OK;

give:
    worker->config.tls = NULL; /* the caller's still */
    worker_free(worker);
    return status;
}

static void close_listeners(struct worker *worker)
{
    worker_close_media(worker);
    for (uint32_t i = 0; i < worker->config.listener_count; i++)
        close(worker->config.listeners[i].fd);
    worker->config.listener_count = 0;
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    close_listeners(worker);
    for (uint32_t i = 0; i < worker->peers.touched; i++) {
        struct peer *peer = pool_at(&worker->peers, i);
        if (peer->generation)
            worker_close_peer(worker, peer);
    }
    worker_stop_forwards(worker);
    worker_stop_relays(worker);
    server_free(worker->server);
    terms_give(worker->terms);
    worker_stop_dtls(worker);
    worker_stop_media(worker);
    pool_free(&worker->peers);
    free(worker->of_stream);
    SSL_CTX_free(worker->config.tls);
    if (worker->reserve >= 0)
        close(worker->reserve);
    if (worker->epoll >= 0)
        close(worker->epoll);
    free(worker);
}

static void take_terms(struct worker *worker, struct terms *terms)
{
    struct server_terms told;
    terms_tell(terms, &told);
    server_set_terms(worker->server, &told);
    terms_give(worker->terms);
    worker->terms = terms;
}

static void begin_stop(struct worker *worker, usec until)
{
    worker->is_stopping = true;
    worker->stop_at = until;
    server_stop(worker->server, worker->now);
    worker_drain_relays(worker);
    worker_flush_media(worker);
    worker_flush_relays(worker); /* the last that goes out by the listeners */
    close_listeners(worker);
    for (uint32_t i = 0; i < worker->peers.touched; i++) {
        struct peer *peer = pool_at(&worker->peers, i);
        if (peer->generation && (peer->state == PEER_HANDSHAKE || peer->state == PEER_SPLICED))
            worker_close_peer(worker, peer); /* it could not be served any more */
    }
}

/* The last connection is gone.  Others may be on their way here, until their sender says so, too:
 * letters of one sender come in order. */
static void tell_done(struct worker *worker)
{
    const struct letter letter = { .kind = LETTER_DONE };
    worker->is_done = true;
    for (unsigned i = 0; i < worker->config.server.worker_count; i++) {
        if (i == worker->config.number)
            continue;
        int status = mailbox_send(&worker->config.mailboxes[i], worker->config.number, &letter);
        (void)status; /* one that can't be told ends when its time is up */
    }
}

static void read_letters(struct worker *worker)
{
    struct letter letter;
    while (mailbox_take(&worker->config.mailboxes[worker->config.number], &letter)) {
        switch (letter.kind) {
        case LETTER_STREAM:
            worker_adopt_peer(worker, &letter);
            break;
        case LETTER_TLS:
            SSL_CTX_free(worker->config.tls);
            worker->config.tls = letter.tls;
            worker_renew_dtls(worker);
            break;
        case LETTER_TERMS:
            take_terms(worker, letter.terms);
            break;
        case LETTER_ERRAND:
            server_errand(worker->server, worker->now, letter.errand);
            worker_drain_relays(worker);
            break;
        case LETTER_NOTE:
            server_note(worker->server, worker->now, letter.note);
            worker_drain_relays(worker);
            break;
        case LETTER_STOP:
            begin_stop(worker, letter.until);
            break;
        case LETTER_DONE:
            worker->done_count++;
            break;
        }
    }
}

static void dispatch(struct worker *worker, const struct epoll_event *event)
{
    uint32_t index = (uint32_t)event->data.u64;
    uint32_t generation = (uint32_t)(event->data.u64 >> 32);
    if (index == TAG_MAILBOX) {
        read_letters(worker);
        worker_take_forwards(worker);
    } else if (index == TAG_RELAY) {
        worker_relay_ready(worker, generation, event->events);
    } else if (index >= TAG_LISTENER) {
        if (index - TAG_LISTENER < worker->config.listener_count)
            worker_listener_ready(worker, &worker->config.listeners[index - TAG_LISTENER]);
    } else {
        struct peer *peer = pool_at(&worker->peers, index);
        if (peer->generation == generation) /* else it was closed earlier in this turn */
            worker_peer_ready(worker, peer, event->events);
    }
}

static void expire(struct worker *worker)
{
    struct timer *timer;
    if (worker->now >= worker->server_wakes)
        server_tick(worker->server, worker->now);
    worker_drain_relays(worker);
    worker_sieve_tick(worker);
    if (worker->now >= worker->accepts_at)
        worker_accept_again(worker);
    while ((timer = wheel_expired(&worker->wheel, worker->now)) != NULL)
        worker_peer_expired(worker, LIST_ENTRY(timer, struct peer, timer));
}

static void write_log(struct worker *worker)
{
    const struct trace_event *event;
    struct trace *trace = server_trace(worker->server);
    while ((event = trace_take(trace)) != NULL)
        log_event(worker->config.log, worker->config.number, event);
}

/* For how long epoll may sleep: rounded up, so that no timer is found not yet due. */
static int sleep_ms(const struct worker *worker)
{
    usec until = worker->server_wakes;
    usec next = wheel_next(&worker->wheel);
    if (next < until)
        until = next;
    if (worker->accepts_at < until)
        until = worker->accepts_at;
    if (worker_sieve_until(worker) < until)
        until = worker_sieve_until(worker);
    if (worker->is_stopping && worker->stop_at < until)
        until = worker->stop_at;
    if (until == USEC_NEVER)
        return -1;
    usec now = clock_now();
    if (until <= now)
        return 0;
    usec ms = (until - now + USEC_MS - 1) / USEC_MS;
    return ms > 60000 ? 60000 : (int)ms;
}

bool worker_has_ended(const struct worker *worker)
{
    bool is_alone = worker->done_count + 1 == worker->config.server.worker_count;
    return worker->is_stopping && (worker->now >= worker->stop_at ||
                                   (worker->is_done && is_alone && worker->peers.used == 0));
}

void worker_turn(struct worker *worker, int wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(worker->epoll, events, EVENTS_MAX, wait_ms);
    worker->now = clock_now();
    worker->turns++;
    for (int i = 0; i < count; i++)
        dispatch(worker, &events[i]);
    expire(worker);
    worker_flush_media(worker);
    worker_drain_server(worker);
    worker_flush_relays(worker);
    worker_flush_forwards(worker);
    write_log(worker);
    if (worker->is_stopping && !worker->is_done && worker->peers.used == 0)
        tell_done(worker);
}

void *worker_run(void *argument)
{
    struct worker *worker = argument;
    worker_drain_server(worker);
    while (!worker_has_ended(worker))
        worker_turn(worker, sleep_ms(worker));
    return NULL;
}
