/* turn_tcp.c - connections between clients and peers (RFC 6062): an id, and two sockets that the
 * caller splices. */
#include "agent/turn_internal.h"

#include <assert.h>
#include <string.h>

/* A CONNECTION-ID: the worker, chance, and the relay's number. */
static uint32_t id_of(const struct turn *turn, const struct turn_relay *connection)
{
    return (uint32_t)turn->config->worker << 24 | (uint32_t)connection->generation << 16 |
           turn_relay_number(turn, connection);
}

static struct turn_relay *find_id(struct turn *turn, uint32_t id)
{
    uint32_t number = id & 0xffff;
    if (number >= turn->relays.touched)
        return NULL;
    struct turn_relay *relay = pool_at(&turn->relays, number);
    bool is_it = relay->is_connection && relay->allocation && id_of(turn, relay) == id;
    return is_it ? relay : NULL;
}

static bool is_connected(const struct turn_allocation *allocation, const struct address *peer)
{
    for (struct list *node = allocation->connections.next; node != &allocation->connections;
         node = node->next)
        if (address_equal(&LIST_ENTRY(node, struct turn_relay, node)->peer, peer))
            return true;
    return false;
}

/* NULL: a limit is reached. */
static struct turn_relay *add_connection(struct turn *turn, struct turn_allocation *allocation,
                                         const struct address *peer)
{
    if (allocation->connection_count >= turn->config->connections_per_allocation_max)
        return NULL;
    struct turn_relay *connection =
        turn_relay_take(turn, TURN_TCP, (enum address_family)peer->family, allocation);
    if (!connection)
        return NULL;
    connection->is_connection = true;
    connection->peer = *peer;
    list_append(&allocation->connections, &connection->node);
    allocation->connection_count++;
    turn_set_timer(turn, &connection->timer, TURN_TIMER_RELAY, TURN_CONNECT_S);
    return connection;
}

static void close_connection(struct turn *turn, struct turn_relay *connection)
{
    connection->allocation->connection_count--;
    turn_relay_close(turn, connection);
}

/* ---- Connect (section 5.2) ---- */

/* Gives the error code, or 0. */
static int read_peer(const struct turn *turn, const struct turn_request *request,
                     struct address *peer)
{
    const struct turn_allocation *allocation = request->allocation;
    const struct stun_attr *attr = stun_find(request->msg, STUN_XOR_PEER_ADDRESS);
    if (allocation->protocol != TURN_TCP || !attr ||
        stun_read_xor_address(request->msg, attr, peer) != OK)
        return TURN_BAD_REQUEST;
    if (!turn_relay_of_family(allocation, peer->family))
        return TURN_PEER_FAMILY_MISMATCH;
    if (!turn_policy_allows(turn->config->policy, peer))
        return TURN_FORBIDDEN;
    return is_connected(allocation, peer) ? TURN_CONNECTION_EXISTS : 0;
}

void turn_handle_connect(struct turn *turn, struct turn_request *request)
{
    struct turn_allocation *allocation = request->allocation;
    struct turn_relay *connection = NULL;
    struct address peer;
    int code = read_peer(turn, request, &peer);
    if (!code) {
        connection = add_connection(turn, allocation, &peer);
        code = connection ? 0 : TURN_NO_CAPACITY;
    }
    if (code) {
        turn_refuse(turn, request, (enum turn_error)code);
        return;
    }
    connection->state = TURN_RELAY_CONNECTING;
    connection->is_sha256 = request->is_sha256;
    connection->has_fingerprint = request->has_fingerprint;
    memcpy(connection->transaction, request->transaction, STUN_TRANSACTION_SIZE);
    struct turn_out *out = turn_put(turn, TURN_CONNECT);
    out->relay = turn_relay_number(turn, connection);
    out->from = turn_relay_number(turn, turn_relay_of_family(allocation, peer.family));
    out->family = peer.family;
    out->peer = peer;
}

static struct turn_request late_request(const struct turn_relay *connection)
{
    const struct turn_allocation *allocation = connection->allocation;
    return (struct turn_request){
        .flow = &allocation->flow,
        .transaction = connection->transaction,
        .method = STUN_CONNECT,
        .has_fingerprint = connection->has_fingerprint,
        .is_authentic = true,
        .is_sha256 = connection->is_sha256,
        .key = allocation->key,
    };
}

void turn_connected(struct turn *turn, usec now, uint32_t number, int status)
{
    struct stun_writer writer;
    turn_tick(turn, now);
    struct turn_relay *connection = pool_at(&turn->relays, number);
    assert(connection->state == TURN_RELAY_CONNECTING);
    connection->state = TURN_RELAY_UNBOUND;
    if (!connection->allocation) { /* nobody waits any more */
        turn_relay_close(turn, connection);
        return;
    }
    struct turn_request request = late_request(connection);
    if (status != OK) {
        turn_refuse(turn, &request, TURN_CONNECTION_FAILED);
        close_connection(turn, connection);
        return;
    }
    turn_set_timer(turn, &connection->timer, TURN_TIMER_RELAY, TURN_CONNECT_S);
    turn_answer_begin(turn, &writer, &request, STUN_SUCCESS);
    stun_add_32(&writer, STUN_CONNECTION_ID, id_of(turn, connection));
    turn_answer_end(turn, &writer, &request);
}

void turn_connection_expired(struct turn *turn, struct turn_relay *connection)
{
    if (connection->state == TURN_RELAY_CONNECTING) {
        struct turn_request request = late_request(connection);
        turn_refuse(turn, &request, TURN_CONNECTION_FAILED);
    }
    close_connection(turn, connection);
}

/* ---- ConnectionAttempt (section 5.3) ---- */

int turn_accept(struct turn *turn, usec now, uint32_t number, const struct address *peer,
                uint32_t *connection)
{
    uint8_t transaction[STUN_TRANSACTION_SIZE];
    struct stun_writer writer;
    turn_tick(turn, now);
    struct turn_relay *relay = pool_at(&turn->relays, number);
    struct turn_allocation *allocation = relay->allocation;
    if (!allocation || allocation->state != TURN_ALLOCATION_OPEN ||
        !turn_peer_of_address(turn, allocation, peer)) {
        turn_drop(turn, METRIC_TURN_DROPPED_PERMISSION);
        return ERR_NOT_FOUND;
    }
    struct turn_relay *accepted = add_connection(turn, allocation, peer);
    if (!accepted)
        return ERR_LIMIT;
    accepted->state = TURN_RELAY_UNBOUND;
    random_fill(turn->config->random, transaction, sizeof transaction);
    stun_begin(&writer, turn->scratch, sizeof turn->scratch, STUN_INDICATION,
               STUN_CONNECTION_ATTEMPT, transaction);
    stun_add_32(&writer, STUN_CONNECTION_ID, id_of(turn, accepted));
    stun_add_xor_address(&writer, STUN_XOR_PEER_ADDRESS, peer);
    struct turn_out *out = turn_put(turn, TURN_CLIENT);
    out->flow = &allocation->flow;
    out->header = view_make(writer.at, writer.size);
    *connection = turn_relay_number(turn, accepted);
    return OK;
}

/* ---- ConnectionBind (section 5.4) ---- */

void turn_handle_connection_bind(struct turn *turn, struct turn_request *request)
{
    const struct stun_attr *attr = stun_find(request->msg, STUN_CONNECTION_ID);
    struct turn_relay *connection = NULL;
    bool is_stream =
        request->flow->transport == TURN_OVER_TCP || request->flow->transport == TURN_OVER_TLS;
    uint32_t id;
    if (attr && stun_read_32(attr, &id) == OK)
        connection = find_id(turn, id);
    if (!connection || !is_stream || request->allocation ||
        connection->state != TURN_RELAY_UNBOUND ||
        connection->allocation->name_hash != request->name_hash) {
        turn_refuse(turn, request, TURN_BAD_REQUEST);
        return;
    }
    wheel_cancel(&turn->wheel, &connection->timer);
    connection->state = TURN_RELAY_SPLICED;
    turn_accept_request(turn, request);
    struct turn_out *out = turn_put(turn, TURN_SPLICE);
    out->relay = turn_relay_number(turn, connection);
    out->flow = request->flow;
}

bool turn_splice_may(struct turn *turn, usec now, uint32_t number, size_t size)
{
    turn_tick(turn, now);
    struct turn_relay *connection = pool_at(&turn->relays, number);
    /* one that is closing may let its last bytes through */
    return !connection->allocation || turn_rate_may(turn, connection->allocation, size);
}
