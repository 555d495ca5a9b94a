#include "caller.h"

#include <stdio.h>
#include <string.h>

#define TRIES_MAX      5
#define CHALLENGES_MAX 4
#define WAIT           (500 * USEC_MS) /* doubled with each try */

static bool is_stream(const struct caller *caller)
{
    return caller->transport != TURN_OVER_UDP;
}

static void wait(struct caller *caller, enum caller_state state, uint32_t ms)
{
    caller->state = (uint8_t)state;
    caller->next_at = caller->net->now + (usec)ms * USEC_MS;
}

/* ---- lives ---- */

static void make_key(struct caller *caller)
{
    char password[STUN_REST_SIZE];
    struct view view = VIEW("secret");
    uint32_t user = caller->number % 3;
    if (caller->is_rest) {
        uint64_t expiry = net_unix_s(caller->net) + 3600;
        snprintf(caller->name, sizeof caller->name, "%llu:u%u", (unsigned long long)expiry, user);
        stun_rest_password(VIEW(NET_SECRET), view_of(caller->name), password);
        view = view_make(password, sizeof password);
    } else {
        snprintf(caller->name, sizeof caller->name, "u%u", user);
    }
    if (stun_key_make(STUN_ALGORITHM_MD5, view_of(caller->name), VIEW(NET_REALM), view,
                      &caller->key) != OK)
        net_fail(caller->net, "no key");
}

/* What it had is forgotten; the server is told or not. */
static void drop(struct caller *caller, uint32_t ms)
{
    if (is_stream(caller) && caller->life && net_chance(caller->net, 70))
        net_hang_up(caller->net, &caller->lines[0].flow);
    caller->has_allocation = false;
    caller->has_ticket = false;
    caller->is_fresh = caller->is_bound = false;
    caller->connection_id = 0;
    caller->channels = 0;
    wait(caller, CALLER_AWAY, caller->is_calm ? ms % 1000 : ms);
}

void caller_init(struct caller *caller, struct net *net, uint32_t number)
{
    *caller = (struct caller){ .net = net, .number = number };
    caller->is_rest = net_chance(net, 30);
    caller->is_mobile = net_chance(net, 50);
    caller->transport = net_chance(net, 65) ? TURN_OVER_UDP : TURN_OVER_TCP;
    caller->protocol = is_stream(caller) && net_chance(net, 50) ? TURN_TCP : TURN_UDP;
    wait(caller, CALLER_AWAY, net_pick(net, 20000));
}

/* ---- requests ---- */

static void transmit(struct caller *caller)
{
    const struct caller_line *line = &caller->lines[caller->line];
    net_send(caller->net, &line->flow, view_make(caller->bytes, caller->size));
    usec most = is_stream(caller) ? 8 * USEC_S : WAIT << caller->tries;
    caller->tries++;
    caller->state = CALLER_ASKING;
    caller->next_at = caller->net->now + most;
}

/* Writes header, body and signature anew, under the nonce that the line has. */
static void sign(struct caller *caller)
{
    struct stun_writer writer;
    const struct caller_line *line = &caller->lines[caller->line];
    caller->transaction_count++;
    memcpy(caller->transaction, &caller->transaction_count, sizeof caller->transaction_count);
    caller->transaction[8] = (uint8_t)caller->number;
    stun_begin(&writer, caller->bytes, sizeof caller->bytes, STUN_REQUEST, caller->method,
               caller->transaction);
    memcpy(caller->bytes + writer.size, caller->body, caller->body_size);
    writer.size += caller->body_size;
    if (line->nonce_size) {
        stun_add(&writer, STUN_USERNAME, view_of(caller->name));
        stun_add(&writer, STUN_REALM, VIEW(NET_REALM));
        stun_add(&writer, STUN_NONCE, view_make(line->nonce, line->nonce_size));
        stun_add_integrity(&writer, stun_key_view(&caller->key));
    } else {
        stun_add(&writer, STUN_SOFTWARE, VIEW("a client")); /* which also sets the length */
    }
    caller->size = writer.size;
    if (writer.overflow)
        net_fail(caller->net, "a request that is too long");
    caller->tries = 0;
    transmit(caller);
}

/* A writer for the attributes; its header is left out of them. */
static struct stun_writer begin(struct caller *caller, uint16_t method, uint8_t line)
{
    struct stun_writer writer;
    caller->method = method;
    caller->line = line;
    caller->challenges = 0;
    caller->was_calm = caller->is_calm;
    stun_begin(&writer, caller->bytes, sizeof caller->bytes, STUN_REQUEST, method,
               caller->transaction);
    return writer;
}

static void ask(struct caller *caller, const struct stun_writer *writer)
{
    caller->body_size = writer->size - STUN_HEADER_SIZE;
    if (caller->body_size > sizeof caller->body)
        net_fail(caller->net, "a body that is too long");
    else
        memcpy(caller->body, writer->at + STUN_HEADER_SIZE, caller->body_size);
    sign(caller);
}

static void ask_allocate(struct caller *caller)
{
    struct net *net = caller->net;
    caller->life++;
    make_key(caller);
    memset(caller->lines, 0, sizeof caller->lines);
    caller->lines[0].flow = net_new_flow(net, caller->number, caller->life, caller->transport);
    struct stun_writer writer = begin(caller, STUN_ALLOCATE, 0);
    stun_add_protocol(&writer, (enum turn_protocol)caller->protocol);
    if (caller->is_mobile)
        stun_add(&writer, STUN_MOBILITY_TICKET, VIEW(""));
    if (caller->token && net_chance(net, 80))
        stun_add_64(&writer, STUN_RESERVATION_TOKEN, caller->token);
    else if (caller->protocol == TURN_UDP && net_chance(net, 30))
        stun_add_even_port(&writer, net_chance(net, 70));
    if (net_chance(net, 30))
        stun_add_32(&writer, STUN_LIFETIME, net_pick(net, 5000));
    caller->token = 0;
    ask(caller, &writer);
}

static void ask_about_peer(struct caller *caller, uint16_t method, uint32_t peer)
{
    struct address address = peer == NET_OWN ? net_relay_address(1) : net_peer_address(peer);
    struct stun_writer writer = begin(caller, method, 0);
    caller->peer = (uint8_t)peer;
    if (method == STUN_CHANNEL_BIND)
        stun_add_channel(&writer, (uint16_t)(NET_CHANNEL + peer));
    stun_add_xor_address(&writer, STUN_XOR_PEER_ADDRESS, &address);
    if (method == STUN_CREATE_PERMISSION && net_chance(caller->net, 30)) {
        address = net_peer_address(net_pick(caller->net, NET_PEERS - 1));
        stun_add_xor_address(&writer, STUN_XOR_PEER_ADDRESS, &address);
    }
    ask(caller, &writer);
}

static void ask_refresh(struct caller *caller, uint32_t lifetime_s)
{
    struct stun_writer writer = begin(caller, STUN_REFRESH, 0);
    stun_add_32(&writer, STUN_LIFETIME, lifetime_s);
    ask(caller, &writer);
}

static void ask_move(struct caller *caller)
{
    struct net *net = caller->net;
    if (!caller->has_ticket)
        return;
    memset(&caller->lines[0], 0, sizeof caller->lines[0]);
    caller->lines[0].flow = net_new_flow(net, caller->number, caller->life, caller->transport);
    struct stun_writer writer = begin(caller, STUN_REFRESH, 0);
    stun_add_32(&writer, STUN_LIFETIME, 600);
    stun_add(&writer, STUN_MOBILITY_TICKET, view_make(caller->ticket, TURN_TICKET_SIZE));
    ask(caller, &writer);
}

static void ask_bind_connection(struct caller *caller)
{
    memset(&caller->lines[1], 0, sizeof caller->lines[1]);
    caller->lines[1].flow =
        net_new_flow(caller->net, caller->number, caller->life, caller->transport);
    struct stun_writer writer = begin(caller, STUN_CONNECTION_BIND, 1);
    stun_add_32(&writer, STUN_CONNECTION_ID, caller->connection_id);
    caller->connection_id = 0;
    ask(caller, &writer);
}

/* ---- data ---- */

/* To a peer, or to the relay on the port `to_port`. */
static void say(struct caller *caller, uint32_t peer, uint16_t to_port, bool by_channel)
{
    uint8_t bytes[128];
    struct stun_writer writer;
    struct address address = to_port ? net_relay_address(to_port) : net_peer_address(peer);
    struct net_data data = net_data_make(caller->number, caller->life, peer, ++caller->number_sent,
                                         caller->relay_port, to_port);
    size_t size = TURN_CHANNEL_HEADER_SIZE + sizeof data;
    if (by_channel) {
        turn_channel_write(bytes, (uint16_t)(NET_CHANNEL + peer), sizeof data);
        memcpy(bytes + TURN_CHANNEL_HEADER_SIZE, &data, sizeof data);
    } else {
        stun_begin(&writer, bytes, sizeof bytes, STUN_INDICATION, STUN_SEND, caller->transaction);
        stun_add_xor_address(&writer, STUN_XOR_PEER_ADDRESS, &address);
        stun_add(&writer, STUN_DATA_VALUE, view_make((const uint8_t *)&data, sizeof data));
        size = writer.size;
    }
    net_send(caller->net, &caller->lines[0].flow, view_make(bytes, size));
}

/* To anyone, permitted or not: the agent has to know. */
static void say_some(struct caller *caller)
{
    for (uint32_t i = 1 + net_pick(caller->net, 5); i > 0; i--) {
        uint32_t peer = net_pick(caller->net, NET_PEERS);
        say(caller, peer, 0, caller->channels >> peer & 1 && net_chance(caller->net, 70));
    }
    uint16_t port = caller->net->clients[net_pick(caller->net, NET_CLIENTS_MAX)].relay_port;
    if (port)
        say(caller, NET_OWN, port, false);
}

/* In the client's name, by one who does not know its password. */
static void forge(struct caller *caller)
{
    static const uint16_t METHODS[] = { STUN_REFRESH, STUN_CREATE_PERMISSION, STUN_CHANNEL_BIND };
    uint8_t bytes[256];
    struct stun_writer writer;
    struct address peer = net_peer_address(NET_PEERS - 1);
    const struct caller_line *line = &caller->lines[0];
    stun_begin(&writer, bytes, sizeof bytes, STUN_REQUEST, METHODS[net_pick(caller->net, 3)],
               caller->transaction);
    stun_add_32(&writer, STUN_LIFETIME, 0);
    stun_add_channel(&writer, NET_CHANNEL + NET_PEERS - 1);
    stun_add_xor_address(&writer, STUN_XOR_PEER_ADDRESS, &peer);
    stun_add(&writer, STUN_USERNAME, view_of(caller->name));
    stun_add(&writer, STUN_REALM, VIEW(NET_REALM));
    stun_add(&writer, STUN_NONCE, view_make(line->nonce, line->nonce_size));
    stun_add_integrity(&writer, VIEW("a guess"));
    net_forge(caller->net, &line->flow, view_make(bytes, writer.size));
}

/* ---- what it does ---- */

static void act_over_tcp(struct caller *caller, uint32_t chance)
{
    if (caller->connection_id)
        ask_bind_connection(caller);
    else if (chance < 50)
        ask_about_peer(caller, STUN_CONNECT, net_pick(caller->net, NET_PEERS - 1));
    else
        ask_about_peer(caller, STUN_CREATE_PERMISSION, net_pick(caller->net, NET_PEERS - 1));
}

static uint32_t pick_host(struct net *net)
{
    return net_chance(net, 40) ? NET_OWN : net_pick(net, NET_PEERS - 1);
}

static void act(struct caller *caller)
{
    struct net *net = caller->net;
    uint32_t chance = net_pick(net, 100);
    wait(caller, CALLER_IDLE, net_pick(net, 3000)); /* unless something is asked */
    if (chance < 2)
        ask_refresh(caller, 0);
    else if (chance < 4)
        drop(caller, net_pick(net, 1500000));
    else if (chance < 5)
        wait(caller, CALLER_IDLE, net_pick(net, 700000));
    else if (chance < 12)
        ask_refresh(caller, 600 + net_pick(net, 600));
    else if (chance < 18)
        ask_move(caller);
    else if (chance < 22)
        forge(caller);
    else if (caller->protocol == TURN_TCP)
        act_over_tcp(caller, net_pick(net, 100));
    else if (chance < 40)
        ask_about_peer(caller, STUN_CREATE_PERMISSION, pick_host(net));
    else if (chance < 55)
        ask_about_peer(caller, STUN_CHANNEL_BIND, net_pick(net, NET_PEERS - 1));
    else
        say_some(caller);
}

static void act_calmly(struct caller *caller)
{
    if (caller->protocol == TURN_TCP)
        caller->state = CALLER_DONE; /* it has its relay */
    else if (!caller->is_fresh)
        ask_refresh(caller, 600); /* it may be about to expire */
    else if (!caller->is_bound)
        ask_about_peer(caller, STUN_CHANNEL_BIND, 0);
    else
        say(caller, 0, 0, true);
    if (caller->state == CALLER_IDLE)
        wait(caller, CALLER_IDLE, 1000);
    if (caller->state == CALLER_DONE)
        caller->next_at = USEC_NEVER;
}

static void give_up(struct caller *caller)
{
    drop(caller, 1000 + net_pick(caller->net, 60000));
}

void caller_turn(struct caller *caller)
{
    if (caller->next_at > caller->net->now)
        return;
    if (caller->state == CALLER_ASKING && caller->tries < TRIES_MAX && !is_stream(caller))
        transmit(caller);
    else if (caller->state == CALLER_ASKING)
        give_up(caller);
    else if (caller->is_over || caller->state == CALLER_DONE)
        caller->next_at = USEC_NEVER;
    else if (caller->state == CALLER_AWAY)
        ask_allocate(caller);
    else if (caller->is_calm)
        act_calmly(caller);
    else
        act(caller);
}

usec caller_next(const struct caller *caller)
{
    return caller->next_at;
}

/* ---- what it hears ---- */

static void take_allocated(struct caller *caller, const struct stun_msg *msg)
{
    struct address relayed = { 0 };
    const struct stun_attr *attr = stun_find(msg, STUN_XOR_RELAYED_ADDRESS);
    const struct stun_attr *token = stun_find(msg, STUN_RESERVATION_TOKEN);
    if (!attr || stun_read_xor_address(msg, attr, &relayed) != OK)
        net_fail(caller->net, "an allocation without an address");
    caller->relay_port = relayed.port;
    if (caller->protocol == TURN_UDP) {
        struct net_client *known = &caller->net->clients[caller->number];
        known->relay_life = caller->life;
        known->relay_port = relayed.port;
    }
    caller->has_allocation = true;
    if (token && stun_read_64(token, &caller->token) != OK)
        net_fail(caller->net, "a token that is none");
}

static void take_success(struct caller *caller, const struct stun_msg *msg)
{
    const struct stun_attr *ticket = stun_find(msg, STUN_MOBILITY_TICKET);
    const struct stun_attr *id = stun_find(msg, STUN_CONNECTION_ID);
    const struct stun_attr *lifetime = stun_find(msg, STUN_LIFETIME);
    uint32_t seconds = 1;
    wait(caller, CALLER_IDLE, net_pick(caller->net, 2000));
    if (ticket && ticket->value.size == TURN_TICKET_SIZE) {
        memcpy(caller->ticket, ticket->value.at, TURN_TICKET_SIZE);
        caller->has_ticket = true;
    }
    if (id && stun_read_32(id, &caller->connection_id) != OK)
        net_fail(caller->net, "a CONNECTION-ID that is none");
    if (lifetime && stun_read_32(lifetime, &seconds) != OK)
        net_fail(caller->net, "a LIFETIME that is none");
    if (caller->method == STUN_ALLOCATE) {
        take_allocated(caller, msg);
    } else if (caller->method == STUN_CHANNEL_BIND) {
        caller->channels |= 1U << caller->peer;
        caller->is_bound = caller->is_bound || (caller->is_calm && caller->peer == 0);
    } else if (caller->method == STUN_REFRESH && seconds == 0) {
        drop(caller, net_pick(caller->net, 30000));
    } else if (caller->method == STUN_REFRESH && ticket) {
        caller->net->moved++;
    }
    caller->is_fresh = caller->is_fresh || (caller->was_calm && caller->method == STUN_REFRESH);
}

static void take_error(struct caller *caller, const struct stun_msg *msg, unsigned code)
{
    const struct stun_attr *nonce = stun_find(msg, STUN_NONCE);
    struct caller_line *line = &caller->lines[caller->line];
    if (code == 401 || code == 438) {
        if (!nonce || nonce->value.size > sizeof line->nonce) {
            net_fail(caller->net, "a challenge without a nonce");
            return;
        }
        memcpy(line->nonce, nonce->value.at, nonce->value.size);
        line->nonce_size = nonce->value.size;
        if (caller->challenges++ < CHALLENGES_MAX)
            sign(caller);
        else
            give_up(caller);
    } else if (code == 486 || code == 508) {
        caller->net->refused++;
        if (caller->is_calm)
            caller->state = CALLER_DONE;
        else if (caller->method == STUN_ALLOCATE)
            give_up(caller);
        else
            wait(caller, CALLER_IDLE, 1000);
    } else if (code == 437 || caller->method == STUN_ALLOCATE) {
        give_up(caller);
    } else {
        wait(caller, CALLER_IDLE, net_pick(caller->net, 2000));
    }
}

static void take_data(struct caller *caller, struct view payload)
{
    struct net_data data;
    if (payload.size != sizeof data)
        return; /* which the net has found */
    memcpy(&data, payload.at, sizeof data);
    if (data.to_port && data.to_port == caller->relay_port)
        caller->net->met++;
    if (data.to_port || data.life != caller->life || data.client != caller->number)
        return;
    caller->echoes++;
    caller->net->came_back++;
    if (caller->is_calm && caller->is_bound && caller->state == CALLER_IDLE)
        wait(caller, CALLER_DONE, 0);
}

void caller_hear(struct caller *caller, const struct net_packet *packet)
{
    struct view bytes = view_make(packet->bytes, packet->size);
    struct stun_msg msg;
    struct view data;
    uint16_t channel;
    unsigned code = 0;
    if (turn_channel_read(bytes, &channel, &data) == OK) {
        take_data(caller, data);
        return;
    }
    if (stun_read(bytes, &msg) != OK) {
        net_fail(caller->net, "an answer that is none");
        return;
    }
    if (msg.class == STUN_INDICATION) {
        const struct stun_attr *id = stun_find(&msg, STUN_CONNECTION_ID);
        const struct stun_attr *value = stun_find(&msg, STUN_DATA_VALUE);
        if (value)
            take_data(caller, value->value);
        if (id && stun_read_32(id, &caller->connection_id) != OK)
            net_fail(caller->net, "a CONNECTION-ID that is none");
        return;
    }
    if (caller->state != CALLER_ASKING ||
        memcmp(msg.transaction.at, caller->transaction, STUN_TRANSACTION_SIZE) != 0)
        return; /* late, or doubled */
    if (msg.class == STUN_SUCCESS)
        take_success(caller, &msg);
    else if (stun_read_error(stun_find(&msg, STUN_ERROR_CODE), &code, &data) != OK)
        net_fail(caller->net, "an error without a code");
    else
        take_error(caller, &msg, code);
}

/* ---- the end ---- */

void caller_calm(struct caller *caller)
{
    caller->is_calm = true;
    if (caller->state == CALLER_AWAY || caller->state == CALLER_IDLE)
        caller->next_at = caller->net->now + net_pick(caller->net, 1000) * USEC_MS;
}

void caller_finish(struct caller *caller)
{
    caller->is_over = true;
    caller->is_calm = false;
    if (caller->has_allocation && caller->state != CALLER_ASKING && net_chance(caller->net, 50))
        ask_refresh(caller, 0);
}
