/* Relays: datagrams of TURN clients and of their peers, and the sockets between them. */
#include "shell/worker.h"

#include "agent/turn.h"
#include "shell/relay.h"
#include "shell/sockaddr.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define ACCEPTS_MAX 16
#define PORT_MIN    49152 /* when the policy has no range */
#define PORT_MAX    65535

static void start_datagrams(struct listener *listener)
{
    udp_accept_runs(listener->fd);
    udp_address(listener->fd, &listener->bound);
}

int worker_start_relays(struct worker *worker)
{
    struct relays *relays = &worker->relays;
    const struct turn_config *config = worker->config.server.turn;
    relays->first_answer = TURN_NO_RELAY;
    if (!config)
        return OK;
    relays->queue = calloc(1, sizeof *relays->queue);
    relays->items = calloc(config->relays_max, sizeof *relays->items);
    if (!relays->queue || !relays->items || udp_arena_init(&relays->arena) != OK)
        return ERR_MEMORY;
    relays->count_max = config->relays_max;
    for (uint32_t i = 0; i < worker->config.listener_count; i++)
        if (worker_is_datagrams(&worker->config.listeners[i]))
            start_datagrams(&worker->config.listeners[i]);
    relays->address_count = machine_addresses(relays->addresses);
    return OK;
}

void worker_stop_relays(struct worker *worker)
{
    struct relays *relays = &worker->relays;
    for (uint32_t i = 0; i < relays->count_max; i++) {
        if (relays->items[i].state == RELAY_FREE)
            continue;
        if (relays->items[i].fd >= 0)
            close(relays->items[i].fd);
        free(relays->items[i].splice);
    }
    free(relays->items);
    free(relays->queue);
    udp_arena_free(&relays->arena);
}

void worker_flush_relays(struct worker *worker)
{
    if (!worker->relays.items)
        return;
    worker_flush_forwards(worker);
    udp_flush(worker->relays.queue);
    udp_arena_reset(&worker->relays.arena);
}

/* ---- opening and closing ---- */

static bool is_loopback(const struct address *address)
{
    static const uint8_t LOOPBACK[16] = { [15] = 1 };
    if (address->family == ADDRESS_IPV4)
        return address->bytes[0] == 127;
    return !memcmp(address->bytes, LOOPBACK, sizeof LOOPBACK);
}

static struct address loopback_of(enum address_family family)
{
    if (family == ADDRESS_IPV4)
        return (struct address){ .family = ADDRESS_IPV4, .bytes = { 127, 0, 0, 1 } };
    return (struct address){ .family = ADDRESS_IPV6, .bytes = { [15] = 1 } };
}

/* Where a relay is bound: where its client has come to, so that the ways to client and peers are
 * the same; of another family, the loopback address for who has come to that, or the machine's
 * first address. */
static bool find_host(const struct worker *worker, const struct turn_out *out, struct address *host)
{
    const struct relays *relays = &worker->relays;
    const struct address *server = &out->flow->server;
    if (server->family == out->family && !address_is_unspecified(server)) {
        *host = *server;
        return true;
    }
    if (server->family != out->family && is_loopback(server)) {
        *host = loopback_of((enum address_family)out->family);
        return true;
    }
    for (uint32_t i = 0; i < relays->address_count; i++) {
        if (relays->addresses[i].family == out->family) {
            *host = relays->addresses[i];
            return true;
        }
    }
    return false;
}

/* How peers know an address of ours: a machine behind a translator has public addresses that it
 * does not know of itself. */
static struct address told_of(const struct worker *worker, const struct address *local)
{
    const struct listen_list *list = &worker->config.public_ip;
    struct address told = *local;
    for (uint32_t i = 0; i < list->count && !is_loopback(local); i++) {
        if (list->items[i].family != local->family)
            continue;
        told = list->items[i];
        told.port = local->port;
        break;
    }
    return told;
}

/* Tells the agent of it when it has been drained. */
static void answer_later(struct worker *worker, uint32_t number)
{
    worker->relays.items[number].next = worker->relays.first_answer;
    worker->relays.first_answer = number;
}

uint64_t worker_relay_tag(const struct worker *worker, uint32_t number)
{
    return (uint64_t)worker->relays.items[number].generation << 48 | (uint64_t)number << 32 |
           TAG_RELAY;
}

static void place(struct worker *worker, uint32_t number, int fd, enum relay_state state,
                  const struct address *local)
{
    struct relay *relay = &worker->relays.items[number];
    *relay = (struct relay){
        .fd = fd,
        .state = (uint8_t)state,
        .generation = (uint16_t)++worker->generation,
        .family = local->family,
        .local = *local,
        .told = told_of(worker, local),
    };
}

static int open_sockets(struct worker *worker, const struct turn_out *out)
{
    const struct turn_policy *policy = worker->config.server.turn->policy;
    int fds[2];
    struct address local;
    struct relay_wish wish = {
        .protocol = (enum turn_protocol)out->protocol,
        .port_min = policy->relay_port_max ? policy->relay_port_min : PORT_MIN,
        .port_max = policy->relay_port_max ? policy->relay_port_max : PORT_MAX,
        .even = out->even,
        .pair = out->next != TURN_NO_RELAY,
        .random = &worker->config.server.random,
    };
    if (!find_host(worker, out, &wish.host) || relay_open(&wish, fds, &local) != OK)
        return ERR_IO;
    enum relay_state state = out->protocol == TURN_UDP ? RELAY_UDP : RELAY_LISTENS;
    place(worker, out->relay, fds[0], state, &local);
    int status = worker_watch(worker, fds[0], worker_relay_tag(worker, out->relay));
    if (wish.pair) {
        local.port++;
        place(worker, out->next, fds[1], state, &local);
        if (status == OK)
            status = worker_watch(worker, fds[1], worker_relay_tag(worker, out->next));
    }
    if (status == OK)
        return OK;
    close(fds[0]);
    if (wish.pair) {
        close(fds[1]);
        worker->relays.items[out->next].state = RELAY_FREE;
    }
    return ERR_IO;
}

static void open_relay(struct worker *worker, const struct turn_out *out)
{
    if (open_sockets(worker, out) != OK)
        worker->relays.items[out->relay] = (struct relay){ .fd = -1, .state = RELAY_FAILED };
    answer_later(worker, out->relay);
}

static void connect_relay(struct worker *worker, const struct turn_out *out)
{
    int fd;
    struct relay *from = &worker->relays.items[out->from];
    if (relay_connect(&from->local, &out->peer, &fd) == OK) {
        place(worker, out->relay, fd, RELAY_CONNECTS, &from->local);
        struct epoll_event event = { .events = EPOLLOUT,
                                     .data.u64 = worker_relay_tag(worker, out->relay) };
        if (epoll_ctl(worker->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
            return;
        close(fd);
    }
    worker->relays.items[out->relay] =
        (struct relay){ .fd = -1, .state = RELAY_FAILED, .is_connection = true };
    answer_later(worker, out->relay);
}

static void close_relay(struct worker *worker, uint32_t number)
{
    struct relay *relay = &worker->relays.items[number];
    struct peer *peer = relay->peer;
    udp_flush(worker->relays.queue); /* what is queued for it goes out first */
    if (relay->fd >= 0)
        close(relay->fd);
    free(relay->splice);
    *relay = (struct relay){ .fd = -1, .state = RELAY_FREE };
    if (peer) {
        peer->has_relay = false;
        worker_close_peer(worker, peer);
    }
}

/* Its client's connection is the relay's from now on. */
static void splice_relay(struct worker *worker, const struct turn_out *out)
{
    struct relay *relay = &worker->relays.items[out->relay];
    struct peer *peer = worker->of_stream[out->flow->connection];
    assert(peer && relay->state == RELAY_CONNECTED);
    relay->peer = peer;
    peer->relay = out->relay;
    peer->has_relay = true;
}

/* ---- sending ---- */

static void send_to_client(struct worker *worker, const struct turn_out *out)
{
    const struct turn_flow *flow = out->flow;
    if (flow->connection >= worker->config.listener_count)
        return; /* the server stops */
    const struct listener *listener = out->is_elsewhere
                                          ? worker_listener_at(worker, &flow->server)
                                          : &worker->config.listeners[flow->connection];
    if (!listener)
        return;
    struct udp_datagram datagram = {
        .fd = listener->fd,
        .to = &flow->client,
        .source = address_is_unspecified(&listener->bound) ? &flow->server : NULL,
        .header = out->header,
        .payload = out->payload,
        .trailer = out->trailer,
        .copy = !udp_arena_has(&worker->relays.arena, out->payload),
    };
    udp_put(worker->relays.queue, &datagram);
}

static void send_to_peer(struct worker *worker, const struct turn_out *out)
{
    struct relay *relay = &worker->relays.items[out->relay];
    bool is_input =
        out->payload.at >= worker->input && out->payload.at < worker->input + sizeof worker->input;
    assert(relay->state == RELAY_UDP);
    if (relay->dont_fragment != out->dont_fragment) {
        udp_flush(worker->relays.queue);
        relay_set_dont_fragment(relay->fd, (enum address_family)relay->family, out->dont_fragment);
        relay->dont_fragment = out->dont_fragment;
    }
    struct udp_datagram datagram = {
        .fd = relay->fd,
        .to = &out->peer,
        .payload = out->payload,
        .copy = !is_input && !udp_arena_has(&worker->relays.arena, out->payload),
    };
    udp_put(worker->relays.queue, &datagram);
}

static void give_to_sink(struct worker *worker, const struct turn_out *out)
{
    const struct relay_sink *sink = &worker->config.sinks[out->sink];
    sink->take(sink->context, worker->now, &out->peer, out->payload);
}

static void carry_out(struct worker *worker, const struct turn_out *out)
{
    switch ((enum turn_out_kind)out->kind) {
    case TURN_CLIENT:
        send_to_client(worker, out);
        break;
    case TURN_PEER:
        send_to_peer(worker, out);
        break;
    case TURN_SINK:
        give_to_sink(worker, out);
        break;
    case TURN_OPEN:
        open_relay(worker, out);
        break;
    case TURN_CONNECT:
        connect_relay(worker, out);
        break;
    case TURN_SPLICE:
        splice_relay(worker, out);
        break;
    case TURN_CLOSE:
        close_relay(worker, out->relay);
        break;
    case TURN_LEAVE:
        worker_forward_left(worker, out->flow);
        break;
    case TURN_WAIT:
        break;
    }
}

/* Tells the agent what has become of a socket; false: there is none to tell of. */
static bool answer_one(struct worker *worker)
{
    struct server *server = worker->server;
    uint32_t number = worker->relays.first_answer;
    if (number == TURN_NO_RELAY)
        return false;
    struct relay *relay = &worker->relays.items[number];
    worker->relays.first_answer = relay->next;
    if (relay->state != RELAY_FAILED) {
        server_relay_opened(server, worker->now, number, &relay->told);
    } else if (relay->is_connection) {
        server_relay_connected(server, worker->now, number, ERR_CLOSED);
    } else {
        relay->state = RELAY_FREE;
        server_relay_open_failed(server, worker->now, number);
    }
    return true;
}

void worker_drain_relays(struct worker *worker)
{
    const struct turn_out *out;
    if (!worker->relays.items || worker->relays.is_draining)
        return;
    worker->relays.is_draining = true;
    do {
        while ((out = server_relay_poll(worker->server, worker->now)) != NULL)
            carry_out(worker, out);
    } while (answer_one(worker));
    worker->relays.is_draining = false;
    worker_take_sunk(worker);
}

bool worker_feed_relay(struct worker *worker, const struct address *from, const struct address *to,
                       struct view bytes)
{
    uint32_t number;
    assert(!worker->relays.is_draining);
    if (!worker->relays.items || !server_relay_find(worker->server, to, &number))
        return false;
    server_relay_peer(worker->server, worker->now, number, from, bytes);
    worker_drain_relays(worker);
    return true;
}

/* ---- what happens on a relay ---- */

static void accept_peers(struct worker *worker, uint32_t number)
{
    struct relay *relay = &worker->relays.items[number];
    for (int i = 0; i < ACCEPTS_MAX && relay->state == RELAY_LISTENS; i++) {
        struct sockaddr_storage name;
        socklen_t size = sizeof name;
        struct address peer;
        uint32_t connection;
        int fd = accept4(relay->fd, (struct sockaddr *)&name, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        sockaddr_read(&name, &peer);
        if (peer.family != ADDRESS_NONE &&
            server_relay_accept(worker->server, worker->now, number, &peer, &connection) == OK)
            place(worker, connection, fd, RELAY_CONNECTED, &relay->local);
        else
            close(fd);
        worker_drain_relays(worker);
    }
}

static void finish_connecting(struct worker *worker, uint32_t number)
{
    struct relay *relay = &worker->relays.items[number];
    int status = relay_connect_result(relay->fd);
    epoll_ctl(worker->epoll, EPOLL_CTL_DEL, relay->fd, NULL);
    relay->state = RELAY_CONNECTED;
    server_relay_connected(worker->server, worker->now, number, status);
}

void worker_relay_ready(struct worker *worker, uint32_t which, uint32_t events)
{
    uint32_t number = which & 0xffff;
    if (worker->relays.items[number].generation != which >> 16)
        return; /* an event from before it was closed */
    switch ((enum relay_state)worker->relays.items[number].state) {
    case RELAY_UDP:
        if (events & EPOLLERR)
            worker_read_errors(worker, number);
        if (events & EPOLLIN)
            worker_read_relay(worker, number);
        break;
    case RELAY_LISTENS:
        accept_peers(worker, number);
        break;
    case RELAY_CONNECTS:
        finish_connecting(worker, number);
        break;
    case RELAY_SPLICED:
        if (worker->relays.items[number].peer)
            worker_splice_ready(worker, worker->relays.items[number].peer, events);
        break;
    case RELAY_CONNECTED:
    case RELAY_FAILED:
    case RELAY_FREE:
        break;
    }
    worker_drain_relays(worker);
}
