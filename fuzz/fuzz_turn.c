/* Fuzzes the TURN agent: clients, peers, sockets and time in any order.
 *
 * Input: a byte of settings, then operations, one byte each with their arguments behind it.  Most
 * requests are signed here with a nonce that the agent gave, so that the fuzzer gets past the door;
 * their attributes are the input's.  What is checked: that relays are named only while they are
 * open, that nothing goes to an address that may not be relayed to, that strangers are given
 * nothing, and that all is given back in the end.
 */
#include "agent/turn.h"
#include "input.h"

#define RELAYS  12
#define CALLERS 4

enum relay_state { FREE, ASKED, OPEN, CONNECTING, CONNECTED };

static struct turn turn;
static struct turn_config config;
static struct turn_policy policy;
static struct metrics metrics;
static struct random source;
static uint64_t seed;
static usec now;
static uint8_t relays[RELAYS];
static uint8_t families[RELAYS];
static uint32_t nexts[RELAYS];
static uint16_t port;
static struct address sink;
static struct caller {
    struct turn_flow flow;
    uint8_t nonce[32];
    size_t nonce_size;
    uint8_t ticket[TURN_TICKET_SIZE];
    uint8_t token[8];
    uint8_t connection[4];
} callers[CALLERS];

static int by_name(void *context, struct view name, struct view *password)
{
    (void)context;
    *password = VIEW("p");
    return name.size == 1 ? OK : ERR_NOT_FOUND;
}

static const struct turn_config LIMITS = {
    .users = { by_name, NULL, NULL },
    .relays_ipv4 = true,
    .relays_ipv6 = true,
    .relays_tcp = true,
    .mobility = true,
    .allocations_max = 3,
    .relays_max = RELAYS,
    .peers_max = 8,
    .peers_per_allocation_max = 5,
    .connections_per_allocation_max = 3,
    .allocations_per_user_max = 2,
    .allocations_per_prefix_max = 3,
    .lifetime_s_max = 1200,
};

/* ---- what comes out ---- */

static void keep(uint8_t *into, size_t size, const struct stun_attr *attr)
{
    if (attr && attr->value.size == size)
        memcpy(into, attr->value.at, size);
}

static void hear(const struct turn_out *out)
{
    uint8_t bytes[4096];
    size_t size = 0;
    struct stun_msg msg;
    struct caller *caller = NULL;
    const struct view parts[3] = { out->header, out->payload, out->trailer };
    for (int i = 0; i < 3; i++) {
        CHECK(size + parts[i].size <= sizeof bytes);
        if (parts[i].size)
            memcpy(bytes + size, parts[i].at, parts[i].size);
        size += parts[i].size;
    }
    for (int i = 0; i < CALLERS; i++)
        if (address_equal(&callers[i].flow.client, &out->flow->client))
            caller = &callers[i];
    CHECK(caller);
    if (bytes[0] >> 6 == 1) {
        size_t whole;
        CHECK(turn_stream_size(view_make(bytes, size), &whole) == OK);
        CHECK(whole >= size && whole < size + 4);
        return;
    }
    CHECK(stun_read(view_make(bytes, size), &msg) == OK && msg.class != STUN_REQUEST);
    const struct stun_attr *nonce = stun_find(&msg, STUN_NONCE);
    if (nonce && nonce->value.size <= sizeof caller->nonce) {
        memcpy(caller->nonce, nonce->value.at, nonce->value.size);
        caller->nonce_size = nonce->value.size;
    }
    keep(caller->ticket, TURN_TICKET_SIZE, stun_find(&msg, STUN_MOBILITY_TICKET));
    keep(caller->token, 8, stun_find(&msg, STUN_RESERVATION_TOKEN));
    keep(caller->connection, 4, stun_find(&msg, STUN_CONNECTION_ID));
}

static void take(const struct turn_out *out)
{
    switch (out->kind) {
    case TURN_CLIENT:
        hear(out);
        break;
    case TURN_PEER:
        CHECK(relays[out->relay] == OPEN && families[out->relay] == out->peer.family);
        CHECK(turn_policy_allows(&policy, &out->peer));
        break;
    case TURN_SINK:
        CHECK(relays[out->relay] == OPEN && out->sink == 0 && config.sink_count == 1);
        break;
    case TURN_OPEN:
        CHECK(relays[out->relay] == FREE && out->relay < RELAYS);
        relays[out->relay] = ASKED;
        families[out->relay] = out->family;
        nexts[out->relay] = out->next;
        if (out->next != TURN_NO_RELAY) {
            CHECK(out->next < RELAYS && relays[out->next] == FREE && out->next != out->relay);
            relays[out->next] = ASKED;
            families[out->next] = out->family;
            nexts[out->next] = RELAYS; /* answered with the other */
        }
        break;
    case TURN_CONNECT:
        CHECK(relays[out->relay] == FREE && relays[out->from] == OPEN);
        CHECK(turn_policy_allows(&policy, &out->peer));
        relays[out->relay] = CONNECTING;
        break;
    case TURN_SPLICE:
        CHECK(relays[out->relay] == CONNECTED);
        break;
    case TURN_CLOSE:
        CHECK(relays[out->relay] == OPEN || relays[out->relay] == CONNECTED);
        relays[out->relay] = FREE;
        break;
    case TURN_LEAVE:
        CHECK(out->flow->is_forwarded);
        break;
    default:
        CHECK(false);
    }
}

static void drain(void)
{
    const struct turn_out *out;
    while ((out = turn_poll(&turn))->kind != TURN_WAIT)
        take(out);
}

/* ---- what goes in ---- */

static struct address read_peer(struct view *input)
{
    static const char *const PEERS[] = { "8.8.8.8:1",     "8.8.8.8:2",          "9.9.9.9:1",
                                         "[2600::1]:1",   "10.0.0.1:1",         "198.41.0.4:50000",
                                         "198.41.0.4:22", "[::ffff:10.0.0.1]:1" };
    struct address address;
    CHECK(address_read(view_of(PEERS[input_byte(input) % 8]), &address) == OK);
    return address;
}

static void add_attr(struct stun_writer *writer, const struct caller *caller, struct view *input)
{
    static const uint16_t TYPES[] = { STUN_LIFETIME,
                                      STUN_REQUESTED_ADDRESS_FAMILY,
                                      STUN_ADDITIONAL_ADDRESS_FAMILY,
                                      STUN_EVEN_PORT,
                                      STUN_DONT_FRAGMENT,
                                      STUN_DATA_VALUE,
                                      STUN_CHANNEL_NUMBER,
                                      STUN_REQUESTED_TRANSPORT };
    uint8_t choice = input_byte(input);
    struct address peer;
    if (choice < 64) {
        peer = read_peer(input);
        stun_add_xor_address(writer, STUN_XOR_PEER_ADDRESS, &peer);
    } else if (choice < 80) {
        stun_add(writer, STUN_MOBILITY_TICKET,
                 view_make(caller->ticket, choice & 1 ? TURN_TICKET_SIZE : 0));
    } else if (choice < 88) {
        stun_add(writer, STUN_RESERVATION_TOKEN, view_make(caller->token, 8));
    } else if (choice < 96) {
        stun_add(writer, STUN_CONNECTION_ID, view_make(caller->connection, 4));
    } else if (choice < 112) {
        stun_add_protocol(writer, choice & 1 ? TURN_UDP : TURN_TCP);
    } else if (choice < 128) {
        stun_add_channel(writer, (uint16_t)(TURN_CHANNEL_MIN + (choice & 3)));
    } else {
        uint16_t type = TYPES[choice % 8];
        stun_add(writer, type, input_take(input, input_byte(input) % 9));
    }
}

static void feed(const struct turn_flow *flow, struct view bytes)
{
    struct span copy = input_copy(bytes);
    turn_feed_client(&turn, now, flow, view_of_span(copy));
    drain();
    free(copy.at);
}

static void request(struct caller *caller, const struct caller *other, struct view *input)
{
    static const uint16_t METHODS[] = { STUN_ALLOCATE,     STUN_REFRESH, STUN_CREATE_PERMISSION,
                                        STUN_CHANNEL_BIND, STUN_CONNECT, STUN_CONNECTION_BIND,
                                        STUN_SEND,         STUN_ALLOCATE };
    uint8_t bytes[1024];
    uint8_t transaction[STUN_TRANSACTION_SIZE] = { 0 };
    struct stun_writer writer;
    struct stun_key key;
    uint8_t choice = input_byte(input);
    uint16_t method = METHODS[choice & 7];
    transaction[0] = choice >> 6;
    stun_begin(&writer, bytes, sizeof bytes, method == STUN_SEND ? STUN_INDICATION : STUN_REQUEST,
               method, transaction);
    if (method == STUN_ALLOCATE && choice & 8)
        stun_add_protocol(&writer, TURN_UDP);
    for (unsigned i = 0; i < (choice >> 4 & 3); i++)
        add_attr(&writer, other, input);
    if (method != STUN_SEND) {
        stun_add(&writer, STUN_USERNAME, VIEW("u"));
        stun_add(&writer, STUN_REALM, VIEW("r"));
        stun_add(&writer, STUN_NONCE, view_make(caller->nonce, caller->nonce_size));
        CHECK(stun_key_make(STUN_ALGORITHM_MD5, VIEW("u"), VIEW("r"), VIEW("p"), &key) == OK);
        stun_add_integrity(&writer, stun_key_view(&key));
    }
    CHECK(!writer.overflow);
    feed(&caller->flow, view_make(bytes, writer.size));
}

/* A stranger's bytes: they may be answered, and that is all. */
static void stranger(struct caller *caller, struct view *input)
{
    uint32_t used = turn.relays.used + turn.allocations.used;
    struct view bytes = input_take(input, input_byte(input));
    struct stun_msg msg;
    bool is_request = stun_read(bytes, &msg) == OK && msg.class == STUN_REQUEST;
    uint8_t worker;
    uint32_t cursor = 0;
    struct turn_report report;
    if (turn_worker_of(bytes, &worker))
        CHECK(is_request);
    while (turn_next_report(&turn, &cursor, &report))
        CHECK(report.flow && report.user.size == 1 && report.expires_at > 0);
    feed(&caller->flow, bytes);
    if (is_request) /* time may end some */
        CHECK(turn.relays.used + turn.allocations.used <= used);
}

static void answer(uint32_t relay, bool is_good)
{
    if (relays[relay] == CONNECTING) {
        relays[relay] = CONNECTED;
        turn_connected(&turn, now, relay, is_good ? OK : ERR_CLOSED);
    } else if (relays[relay] == ASKED && nexts[relay] != RELAYS) {
        uint32_t next = nexts[relay];
        struct address relayed = families[relay] == ADDRESS_IPV4
                                     ? policy.own[0]
                                     : (struct address){ .family = families[relay] };
        relayed.port = port;
        port = (uint16_t)(port + 2);
        relays[relay] = is_good ? OPEN : FREE;
        if (next != TURN_NO_RELAY)
            relays[next] = is_good ? OPEN : FREE;
        if (is_good)
            turn_opened(&turn, now, relay, &relayed);
        else
            turn_open_failed(&turn, now, relay);
    }
    drain();
}

static void from_peer(uint32_t relay, struct view *input)
{
    uint8_t choice = input_byte(input);
    struct address peer = read_peer(input);
    struct stun_icmp icmp = { 3, 4, 1000 };
    uint32_t connection;
    if (relays[relay] != OPEN)
        return;
    if (choice < 100) {
        struct view bytes = input_take(input, choice % 9);
        turn_feed_peer(&turn, now, relay, &peer, bytes);
    } else if (choice < 150) {
        turn_feed_icmp(&turn, now, relay, &peer, &icmp);
    } else if (turn_accept(&turn, now, relay, &peer, &connection) == OK) {
        CHECK(relays[connection] == FREE);
        relays[connection] = CONNECTED;
    }
    drain();
}

static void gone(uint32_t relay)
{
    if (relays[relay] == OPEN || relays[relay] == CONNECTED)
        turn_relay_gone(&turn, now, relay);
    drain();
}

static void wait_for(uint64_t time)
{
    now += time;
    turn_tick(&turn, now);
    drain();
}

static void operate(struct view *input)
{
    uint8_t op = input_byte(input);
    struct caller *caller = &callers[op >> 4 & 3];
    uint32_t relay = input->size && (op & 15) > 7 ? input_byte(input) % RELAYS : 0;
    switch (op & 15) {
    default:
        request(caller, op & 64 ? &callers[0] : caller, input);
        break;
    case 6:
        stranger(caller, input);
        break;
    case 7:
        turn_client_gone(&turn, now, &caller->flow);
        drain();
        break;
    case 8:
    case 9:
    case 10:
        answer(relay, op & 128 || (op & 15) != 10);
        break;
    case 11:
    case 12:
        from_peer(relay, input);
        break;
    case 13:
        gone(relay);
        break;
    case 14:
        wait_for((uint64_t)relay * relay * 4 * USEC_S);
        break;
    case 15:
        if (relays[relay] == CONNECTED)
            turn_splice_may(&turn, now, relay, 100);
        break;
    }
}

static void start(uint8_t settings)
{
    static const char *const CLIENTS[] = { "1.2.3.4:1", "1.2.3.4:2", "[2600::9]:1", "5.6.7.8:1" };
    memset(relays, 0, sizeof relays);
    memset(callers, 0, sizeof callers);
    memset(&policy, 0, sizeof policy);
    seed = settings;
    now = 1000 * USEC_S;
    port = 50000;
    source = (struct random){ input_random_fill, &seed };
    policy.relay_port_min = 49152;
    policy.relay_port_max = 65000;
    CHECK(address_read_host(VIEW("198.41.0.4"), &policy.own[policy.own_count++]) == OK);
    config = LIMITS;
    config.realm = VIEW("r");
    config.policy = &policy;
    config.random = &source;
    config.metrics = &metrics;
    CHECK(address_read(VIEW("8.8.8.8:2"), &sink) == OK); /* any peer will do */
    config.sinks = &sink;
    config.sink_count = settings >> 1 & 1;
    config.bytes_per_s_allocation = settings & 1 ? 20 : 0;
    CHECK(turn_init(&turn, &config, now, 1000) == OK);
    for (int i = 0; i < CALLERS; i++) {
        struct turn_flow *flow = &callers[i].flow;
        flow->transport = settings >> 2 * i & 3;
        flow->is_forwarded = flow->transport == TURN_OVER_UDP;
        CHECK(address_read(view_of(CLIENTS[i]), &flow->client) == OK);
        CHECK(address_read(VIEW("198.41.0.4:3478"), &flow->server) == OK);
        /* each gets its nonce */
        uint8_t bytes[STUN_HEADER_SIZE];
        struct stun_writer writer;
        stun_begin(&writer, bytes, sizeof bytes, STUN_REQUEST, STUN_REFRESH,
                   (const uint8_t[STUN_TRANSACTION_SIZE]){ 1 });
        feed(flow, view_make(bytes, writer.size));
        CHECK(callers[i].nonce_size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    start(input_byte(&input));
    while (input.size)
        operate(&input);
    for (uint32_t i = 0; i < RELAYS; i++)
        answer(i, true);
    wait_for(10000 * USEC_S);
    CHECK(turn.allocations.used == 0 && turn.relays.used == 0 && turn.peers.used == 0);
    CHECK(turn.users.used == 0 && turn.prefixes.used == 0 && turn.flows.count == 0);
    CHECK(turn.user_names.count == 0 && turn.prefix_names.count == 0);
    CHECK(turn.relays_by_address.count == 0);
    for (uint32_t i = 0; i < RELAYS; i++)
        CHECK(relays[i] == FREE);
    turn_free(&turn);
    return 0;
}
