/* turn.c - the agent's door: what comes in is told apart here, and what goes out is handed over. */
#include "agent/turn_internal.h"

#include "agent/stun_server.h"

#include <assert.h>
#include <string.h>

/* ---- start and end ---- */

static int init_stores(struct turn *turn, const struct turn_config *config)
{
    uint32_t most = config->allocations_max;
    size_t user_size = sizeof(struct turn_holder) + STUN_USERNAME_SIZE_MAX;
    size_t prefix_size = sizeof(struct turn_holder) + TURN_PREFIX_KEY_SIZE;
    int status = pool_init(&turn->allocations, sizeof(struct turn_allocation), most);
    if (status == OK)
        status = pool_init(&turn->relays, sizeof(struct turn_relay), config->relays_max);
    if (status == OK)
        status = pool_init(&turn->peers, sizeof(struct turn_peer), config->peers_max);
    if (status == OK)
        status = pool_init(&turn->users, user_size, most);
    if (status == OK)
        status = pool_init(&turn->prefixes, prefix_size, most);
    if (status == OK)
        status = map_init(&turn->flows, most, config->random);
    if (status == OK)
        status = map_init(&turn->user_names, most, config->random);
    if (status == OK)
        status = map_init(&turn->prefix_names, most, config->random);
    if (status == OK)
        status = map_init(&turn->relays_by_address, config->relays_max, config->random);
    return status;
}

int turn_init(struct turn *turn, const struct turn_config *config, usec now, uint64_t unix_s)
{
    assert(config->realm.size && config->realm.size <= TURN_REALM_MAX);
    assert(config->relays_max <= TURN_RELAYS_MAX && config->lifetime_s_max >= TURN_LIFETIME_S);
    assert(config->secret_count <= TURN_SECRETS_MAX && config->sink_count <= TURN_SINKS_MAX);
    memset(turn, 0, sizeof *turn);
    turn->config = config;
    turn->now = now;
    turn->unix_s = unix_s;
    turn->unix_at = now;
    random_fill(config->random, turn->secret, sizeof turn->secret);
    wheel_init(&turn->wheel, now);
    list_init(&turn->closing);
    turn_budget_init(turn);
    turn->rate = (struct turn_rate){ config->shared ? 0 : config->bytes_per_s_all, now };
    int status = init_stores(turn, config);
    if (status != OK)
        turn_free(turn);
    return status;
}

void turn_free(struct turn *turn)
{
    map_free(&turn->relays_by_address);
    map_free(&turn->prefix_names);
    map_free(&turn->user_names);
    map_free(&turn->flows);
    pool_free(&turn->prefixes);
    pool_free(&turn->users);
    pool_free(&turn->peers);
    pool_free(&turn->relays);
    pool_free(&turn->allocations);
}

/* ---- time ---- */

void turn_tick(struct turn *turn, usec now)
{
    if (now > turn->now) /* it never goes back */
        turn->now = now;
}

void turn_time_of_day(struct turn *turn, usec now, uint64_t unix_s)
{
    turn_tick(turn, now);
    turn->unix_s = unix_s;
    turn->unix_at = turn->now;
}

void turn_set_timer(struct turn *turn, struct timer *timer, uint8_t kind, uint64_t seconds)
{
    timer->kind = kind;
    wheel_set(&turn->wheel, timer, turn->now + seconds * USEC_S);
}

/* Lets one timer that has expired do its work; false when there is none. */
static bool expire_one(struct turn *turn)
{
    struct timer *timer = wheel_expired(&turn->wheel, turn->now);
    if (!timer)
        return false;
    if (timer->kind == TURN_TIMER_ALLOCATION)
        turn_allocation_free(turn, LIST_ENTRY(timer, struct turn_allocation, timer));
    else
        turn_relay_expired(turn, LIST_ENTRY(timer, struct turn_relay, timer));
    return true;
}

/* ---- outputs ---- */

struct turn_out *turn_put(struct turn *turn, enum turn_out_kind kind)
{
    assert(turn->out_count < sizeof turn->outs / sizeof turn->outs[0]);
    struct turn_out *out = &turn->outs[turn->out_count++];
    *out = (struct turn_out){ .kind = (uint8_t)kind, .relay = TURN_NO_RELAY };
    return out;
}

void turn_drop(struct turn *turn, enum metric reason)
{
    metrics_add(turn->config->metrics, reason, 1);
}

void turn_leave(struct turn *turn, const struct turn_flow *flow)
{
    if (!flow->is_forwarded)
        return;
    struct turn_flow *left = &turn->left[turn->left_count++ % (TURN_OUTS_MAX + 1)];
    *left = *flow;
    turn_put(turn, TURN_LEAVE)->flow = left;
}

const struct turn_out *turn_poll(struct turn *turn)
{
    struct turn_out *out = &turn->current;
    if (turn->closed)
        turn_relay_give(turn, turn->closed);
    turn->closed = NULL;
    while (turn->out_count == 0 && list_empty(&turn->closing) && expire_one(turn))
        ;
    if (turn->out_count) {
        *out = turn->outs[0];
        turn->out_count--;
        memmove(turn->outs, turn->outs + 1, turn->out_count * sizeof turn->outs[0]);
        return out;
    }
    *out = (struct turn_out){ .kind = TURN_WAIT, .relay = TURN_NO_RELAY };
    if (list_empty(&turn->closing)) {
        out->until = wheel_next(&turn->wheel);
        return out;
    }
    turn->closed = LIST_ENTRY(turn->closing.next, struct turn_relay, node);
    out->kind = TURN_CLOSE;
    out->relay = turn_relay_number(turn, turn->closed);
    return out;
}

/* ---- what comes from clients ---- */

static const struct handler {
    uint16_t method;
    bool needs_allocation;
    void (*handle)(struct turn *turn, struct turn_request *request);
} HANDLERS[] = {
    { STUN_ALLOCATE, false, turn_handle_allocate },
    { STUN_REFRESH, true, turn_handle_refresh },
    { STUN_CREATE_PERMISSION, true, turn_handle_create_permission },
    { STUN_CHANNEL_BIND, true, turn_handle_channel_bind },
    { STUN_CONNECT, true, turn_handle_connect },
    { STUN_CONNECTION_BIND, false, turn_handle_connection_bind },
};

static bool is_known(uint16_t type)
{
    static const uint16_t KNOWN[] = {
        STUN_USERNAME,
        STUN_MESSAGE_INTEGRITY,
        STUN_CHANNEL_NUMBER,
        STUN_LIFETIME,
        STUN_XOR_PEER_ADDRESS,
        STUN_DATA_VALUE,
        STUN_REALM,
        STUN_NONCE,
        STUN_REQUESTED_ADDRESS_FAMILY,
        STUN_EVEN_PORT,
        STUN_REQUESTED_TRANSPORT,
        STUN_DONT_FRAGMENT,
        STUN_MESSAGE_INTEGRITY_SHA256,
        STUN_PASSWORD_ALGORITHM,
        STUN_USERHASH,
        STUN_RESERVATION_TOKEN,
        STUN_CONNECTION_ID,
    };
    for (size_t i = 0; i < sizeof KNOWN / sizeof KNOWN[0]; i++)
        if (KNOWN[i] == type)
            return true;
    return type >= 0x8000;
}

/* Answers 420 where the request bears what we must know and don't. */
static bool refuse_unknown(struct turn *turn, const struct turn_request *request)
{
    uint8_t types[2 * STUN_ATTRS_MAX];
    size_t size = 0;
    struct stun_writer writer;
    for (uint32_t i = 0; i < request->msg->attr_count; i++) {
        uint16_t type = request->msg->attrs[i].type;
        if (is_known(type))
            continue;
        types[size++] = (uint8_t)(type >> 8);
        types[size++] = (uint8_t)type;
    }
    if (size == 0)
        return false;
    metrics_add(turn->config->metrics, METRIC_TURN_REFUSED_OTHER, 1);
    turn_answer_begin(turn, &writer, request, STUN_ERROR);
    stun_add_error(&writer, TURN_UNKNOWN_ATTRIBUTE, VIEW(""));
    stun_add(&writer, STUN_UNKNOWN_ATTRIBUTES, view_make(types, size));
    turn_answer_end(turn, &writer, request);
    return true;
}

static void handle_binding(struct turn *turn, const struct turn_flow *flow, struct view bytes)
{
    const struct stun_behavior *behavior = turn->config->behavior;
    struct metrics *metrics = turn->config->metrics;
    struct stun_way way = { flow->server, flow->client };
    size_t size;
    if (behavior && stun_behavior_has(behavior, &flow->server))
        size = stun_behavior_answer(behavior, bytes, &flow->client, &flow->server,
                                    flow->transport == TURN_OVER_UDP, metrics, turn->scratch,
                                    sizeof turn->scratch, &way);
    else
        size = stun_server_datagram(bytes, &flow->client, metrics, turn->scratch,
                                    sizeof turn->scratch);
    if (size == 0)
        return;
    if (!turn_budget_may(turn, flow, bytes.size, size)) {
        turn_drop(turn, METRIC_TURN_DROPPED_BUDGET);
        return;
    }
    struct turn_out *out = turn_put(turn, TURN_CLIENT);
    out->flow = flow;
    out->header = view_make(turn->scratch, size);
    if (address_equal(&way.from, &flow->server) && address_equal(&way.to, &flow->client))
        return;
    turn->late_flow = *flow;
    turn->late_flow.server = way.from;
    turn->late_flow.client = way.to;
    out->flow = &turn->late_flow;
    out->is_elsewhere = true;
}

static void handle_request(struct turn *turn, const struct turn_flow *flow,
                           const struct stun_msg *msg)
{
    const struct handler *handler = NULL;
    for (size_t i = 0; i < sizeof HANDLERS / sizeof HANDLERS[0]; i++)
        if (HANDLERS[i].method == msg->method)
            handler = &HANDLERS[i];
    if (!handler || msg->datagram.size > TURN_MESSAGE_MAX) {
        turn_drop(turn, METRIC_TURN_DROPPED_MALFORMED);
        return;
    }
    struct turn_request request = {
        .msg = msg,
        .flow = flow,
        .allocation = turn_find_flow(turn, flow),
        .transaction = msg->transaction.at,
        .method = msg->method,
        .has_fingerprint = msg->has_fingerprint,
    };
    if (!request.allocation && msg->method == STUN_REFRESH)
        request.allocation = turn_find_ticket(turn, msg);
    if (!turn_authenticate(turn, &request) || refuse_unknown(turn, &request))
        return;
    if (handler->needs_allocation &&
        (!request.allocation || request.allocation->state != TURN_ALLOCATION_OPEN))
        turn_refuse(turn, &request, TURN_ALLOCATION_MISMATCH);
    else
        handler->handle(turn, &request);
}

void turn_feed_client(struct turn *turn, usec now, const struct turn_flow *flow, struct view bytes)
{
    struct stun_msg msg;
    turn_tick(turn, now);
    if (bytes.size && bytes.at[0] >> 6 == 1)
        turn_data_channel(turn, flow, bytes);
    else if (stun_read(bytes, &msg) != OK)
        turn_drop(turn, METRIC_TURN_DROPPED_MALFORMED);
    else if (msg.class == STUN_REQUEST && msg.method == STUN_BINDING)
        handle_binding(turn, flow, bytes);
    else if (msg.class == STUN_REQUEST)
        handle_request(turn, flow, &msg);
    else if (msg.class == STUN_INDICATION && msg.method == STUN_SEND)
        turn_data_send(turn, flow, &msg);
    else if (msg.class != STUN_INDICATION || msg.method != STUN_BINDING) /* a keepalive */
        turn_drop(turn, METRIC_TURN_DROPPED_MALFORMED);
}

bool turn_has_allocation(struct turn *turn, const struct turn_flow *flow)
{
    return turn_find_flow(turn, flow) != NULL;
}

void turn_client_gone(struct turn *turn, usec now, const struct turn_flow *flow)
{
    turn_tick(turn, now);
    struct turn_allocation *allocation = turn_find_flow(turn, flow);
    if (allocation && !allocation->has_ticket)
        turn_allocation_free(turn, allocation);
}

bool turn_worker_of(struct view bytes, uint8_t *worker)
{
    static const struct {
        uint16_t method, type;
    } NAMED[] = {
        { STUN_REFRESH, STUN_MOBILITY_TICKET },
        { STUN_ALLOCATE, STUN_RESERVATION_TOKEN },
        { STUN_CONNECTION_BIND, STUN_CONNECTION_ID },
    };
    struct stun_msg msg;
    bool is_named = false;
    for (size_t i = 0; i < sizeof NAMED / sizeof NAMED[0]; i++)
        is_named =
            is_named || (bytes.size > 1 && bytes.at[0] == 0 && bytes.at[1] == NAMED[i].method);
    if (!is_named || stun_read(bytes, &msg) != OK) /* most are not looked into */
        return false;
    for (size_t i = 0; i < sizeof NAMED / sizeof NAMED[0]; i++) {
        const struct stun_attr *attr = stun_find(&msg, NAMED[i].type);
        if (msg.method != NAMED[i].method || !attr || attr->value.size == 0)
            continue;
        if (attr->type == STUN_MOBILITY_TICKET)
            return turn_ticket_worker(attr->value, worker);
        *worker = attr->value.at[0];
        return true;
    }
    return false;
}

static uint32_t count_channels(const struct turn_allocation *allocation)
{
    uint32_t count = 0;
    for (const struct turn_peer *peer = allocation->peers; peer; peer = peer->next)
        count += peer->channel != 0;
    return count;
}

bool turn_next_report(const struct turn *turn, uint32_t *cursor, struct turn_report *report)
{
    while (*cursor < turn->allocations.touched) {
        uint32_t index = (*cursor)++;
        const struct turn_allocation *a = pool_at(&turn->allocations, index);
        if (!a->user || a->state != TURN_ALLOCATION_OPEN)
            continue;
        *report = (struct turn_report){
            .index = index,
            .serial = a->serial,
            .flow = &a->flow,
            .user = view_make(a->user->key, a->user->key_size),
            .expires_at = wheel_time(&a->timer),
            .peers = a->peer_count,
            .channels = count_channels(a),
            .packets_up = a->packets_up,
            .packets_down = a->packets_down,
            .bytes_up = a->bytes_up,
            .bytes_down = a->bytes_down,
        };
        for (int i = 0; i < 2; i++)
            if (a->relays[i])
                report->relayed[i] = a->relays[i]->relayed;
        return true;
    }
    return false;
}

int turn_end(struct turn *turn, usec now, uint32_t index, uint64_t serial)
{
    if (index >= turn->allocations.touched)
        return ERR_NOT_FOUND;
    struct turn_allocation *allocation = pool_at(&turn->allocations, index);
    if (!allocation->user || allocation->serial != serial ||
        allocation->state != TURN_ALLOCATION_OPEN)
        return ERR_NOT_FOUND;
    turn->now = now;
    turn_set_timer(turn, &allocation->timer, TURN_TIMER_ALLOCATION, 0); /* turn_poll frees it */
    return OK;
}
