/* The way in of relayed datagrams: from clients, and from peers. */
#include "shell/worker.h"

#include "agent/turn.h"
#include "shell/relay.h"

#define ROUNDS_MAX 8 /* of reading one socket, before the others have their turn */
#define ICMP_MAX   16

static unsigned receive(struct worker *worker, int fd, unsigned most,
                        struct udp_received got[UDP_RECEIVE_MAX], bool *is_drained)
{
    if (udp_arena_is_full(&worker->relays.arena))
        worker_flush_relays(worker);
    return udp_receive(&worker->relays.arena, fd, most, got, is_drained);
}

static void feed_clients(struct worker *worker, const struct udp_received *got,
                         struct turn_flow *flow)
{
    flow->client = got->from;
    for (size_t at = 0; at < got->bytes.size; at += got->segment) {
        struct view bytes = view_slice(got->bytes, at, got->segment);
        if (worker_forward(worker, flow, bytes))
            continue;
        server_relay_client(worker->server, worker->now, flow, bytes);
        worker_drain_relays(worker);
    }
}

void worker_datagrams_ready(struct worker *worker, const struct listener *listener)
{
    struct udp_received got[UDP_RECEIVE_MAX];
    bool is_drained = false;
    struct turn_flow flow = {
        .transport = listener->kind == LISTENER_STUN_DTLS ? TURN_OVER_DTLS : TURN_OVER_UDP,
        .connection = (uint32_t)(listener - worker->config.listeners),
    };
    for (int i = 0; i < ROUNDS_MAX && !is_drained; i++) {
        unsigned count = receive(worker, listener->fd, UDP_RECEIVE_MAX, got, &is_drained);
        worker_take_forwards(worker); /* whose a flow is was told before the client was answered */
        for (unsigned j = 0; j < count; j++) {
            flow.server = got[j].to.family == ADDRESS_NONE ? listener->bound : got[j].to;
            flow.server.port = listener->port;
            if (got[j].from.family != ADDRESS_NONE)
                feed_clients(worker, &got[j], &flow);
        }
    }
    if (!is_drained)
        worker_sieve_behind(worker);
}

void worker_read_errors(struct worker *worker, uint32_t number)
{
    struct relay *relay = &worker->relays.items[number];
    struct address peer;
    struct stun_icmp icmp;
    for (int i = 0; i < ICMP_MAX && relay->state == RELAY_UDP; i++) {
        if (!relay_read_icmp(relay->fd, &peer, &icmp))
            break;
        server_relay_icmp(worker->server, worker->now, number, &peer, &icmp);
        worker_drain_relays(worker);
    }
}

static void feed_peers(struct worker *worker, uint32_t number, const struct udp_received *got)
{
    const struct relay *relay = &worker->relays.items[number];
    size_t at = 0;
    if (relay->state != RELAY_UDP)
        return; /* what came before has ended it */
    /* once at least: a datagram without any bytes is relayed, too */
    do {
        server_relay_peer(worker->server, worker->now, number, &got->from,
                          view_slice(got->bytes, at, got->segment));
        worker_drain_relays(worker);
        at += got->segment;
    } while (at < got->bytes.size && relay->state == RELAY_UDP);
}

/* How many datagrams to ask for at first.  Most relays have one at a time, and epoll tells of a
 * second one for less than it costs to ask; but who has had more, or has one in every turn, may
 * have more again. */
static unsigned first_batch(const struct worker *worker, const struct relay *relay)
{
    if (relay->batch > 1)
        return relay->batch;
    return relay->full_turn == worker->turns - 1 ? 2 : 1;
}

void worker_read_relay(struct worker *worker, uint32_t number)
{
    struct relay *relay = &worker->relays.items[number];
    struct udp_received got[UDP_RECEIVE_MAX];
    bool is_drained = false;
    unsigned most = first_batch(worker, relay);
    unsigned asked = most;
    for (int i = 0; i < ROUNDS_MAX && !is_drained && relay->state == RELAY_UDP; i++) {
        asked = most;
        unsigned count = receive(worker, relay->fd, asked, got, &is_drained);
        for (unsigned j = 0; j < count; j++)
            feed_peers(worker, number, &got[j]);
        if (asked == 1)
            break;
        most = is_drained ? (count > asked / 2 ? count : asked / 2)
                          : (2 * asked < UDP_RECEIVE_MAX ? 2 * asked : UDP_RECEIVE_MAX);
    }
    if (relay->state != RELAY_UDP)
        return; /* its number may be another's by now */
    relay->batch = (uint8_t)most;
    if (asked == 1)
        relay->full_turn = worker->turns;
}
