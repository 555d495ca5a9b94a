/* turn_house.h - a TURN agent with the other side of it: sockets that are numbers, clients that are
 * flows, and a clock that is a variable.  What came out of the agent is kept, to be looked at. */
#ifndef MOIM_TESTS_AGENT_TURN_HOUSE_H
#define MOIM_TESTS_AGENT_TURN_HOUSE_H

#include "support.h"

#include "agent/turn.h"

#define HOUSE_RELAYS 64
#define HOUSE_SENT   16

struct house_message {
    struct turn_flow flow;
    struct address peer; /* of what was sent to a peer */
    uint32_t relay;
    bool dont_fragment;
    size_t size;
    uint8_t bytes[2048];
};

static struct house {
    struct turn turn;
    struct turn_config config;
    struct turn_policy policy;
    struct metrics metrics;
    struct random random;
    uint64_t seed;
    usec now;
    usec until;       /* of the last TURN_WAIT */
    bool holds_opens; /* TURN_OPEN is answered by hand */
    bool fails_opens;
    uint8_t fails_family; /* opens of that family fail */
    uint16_t port;        /* the next to be given out */
    /* what is open: 0 no, 1 asked for, 2 open, 3 connecting, 4 connected */
    uint8_t relays[HOUSE_RELAYS];
    struct address relayed[HOUSE_RELAYS];
    struct turn_out open; /* the last TURN_OPEN, TURN_CONNECT and TURN_SPLICE */
    struct turn_out connect;
    struct turn_out splice;
    struct turn_flow left; /* by the last TURN_LEAVE */
    unsigned opens, closes, connects, splices, leaves;
    struct house_message clients[HOUSE_SENT], peers[HOUSE_SENT];
    unsigned client_count, peer_count;
    struct house_message sunk; /* the last TURN_SINK */
    uint32_t sunk_at;
    unsigned sunk_count;
} house;

static inline int house_by_name(void *context, struct view name, struct view *password)
{
    (void)context;
    if (!view_equal(name, VIEW("alice")) && !view_equal(name, VIEW("bob")))
        return ERR_NOT_FOUND;
    *password = VIEW("wonder");
    return OK;
}

static inline int house_by_hash(void *context, struct view hash, struct view *name,
                                struct view *password)
{
    uint8_t own[STUN_USERHASH_SIZE];
    (void)context;
    *name = VIEW("alice");
    *password = VIEW("wonder");
    return stun_userhash(*name, VIEW("moim"), own) == OK &&
                   view_equal(hash, view_make(own, sizeof own))
               ? OK
               : ERR_NOT_FOUND;
}

static inline struct address house_address(const char *text)
{
    struct address address;
    assert_int_equal(address_read(view_of(text), &address), OK);
    return address;
}

static inline struct turn_flow house_flow(const char *client)
{
    return (struct turn_flow){ .client = house_address(client),
                               .server = house_address("198.41.0.4:3478") };
}

static inline void house_keep(struct house_message *kept, const struct turn_out *out)
{
    *kept = (struct house_message){ .relay = out->relay,
                                    .peer = out->peer,
                                    .dont_fragment = out->dont_fragment };
    if (out->flow)
        kept->flow = *out->flow;
    const struct view parts[3] = { out->header, out->payload, out->trailer };
    for (int i = 0; i < 3; i++) {
        assert_true(kept->size + parts[i].size <= sizeof kept->bytes);
        if (parts[i].size)
            memcpy(kept->bytes + kept->size, parts[i].at, parts[i].size);
        kept->size += parts[i].size;
    }
}

static inline void house_drain(void);

static inline void house_open(const struct turn_out *out)
{
    house.opens++;
    house.open = *out;
    assert_int_equal(house.relays[out->relay], 0);
    house.relays[out->relay] = 1;
    if (out->next != TURN_NO_RELAY) {
        assert_int_equal(house.relays[out->next], 0);
        house.relays[out->next] = 1;
    }
}

/* Answers the last TURN_OPEN. */
static inline void house_answer_open(bool is_open)
{
    struct turn_out out = house.open;
    bool fails = !is_open || house.fails_opens || house.fails_family == out.family;
    if (fails) {
        house.relays[out.relay] = 0;
        if (out.next != TURN_NO_RELAY)
            house.relays[out.next] = 0;
        turn_open_failed(&house.turn, house.now, out.relay);
        house_drain();
        return;
    }
    if (out.even && house.port % 2)
        house.port++;
    struct address relayed =
        house_address(out.family == ADDRESS_IPV4 ? "198.41.0.4:1" : "[2a00:1450::5]:1");
    relayed.port = house.port++;
    house.relays[out.relay] = 2;
    house.relayed[out.relay] = relayed;
    if (out.next != TURN_NO_RELAY) {
        house.relays[out.next] = 2;
        house.port++;
    }
    turn_opened(&house.turn, house.now, out.relay, &relayed);
    house_drain();
}

static inline void house_take(const struct turn_out *out)
{
    switch (out->kind) {
    case TURN_CLIENT:
        assert_in_range(house.client_count, 0, HOUSE_SENT - 1);
        house_keep(&house.clients[house.client_count++], out);
        break;
    case TURN_PEER:
        assert_in_range(house.peer_count, 0, HOUSE_SENT - 1);
        assert_int_equal(house.relays[out->relay], 2);
        house_keep(&house.peers[house.peer_count++], out);
        break;
    case TURN_SINK:
        assert_int_equal(house.relays[out->relay], 2);
        house_keep(&house.sunk, out);
        house.sunk_at = out->sink;
        house.sunk_count++;
        break;
    case TURN_CONNECT:
        assert_int_equal(house.relays[out->relay], 0);
        assert_int_equal(house.relays[out->from], 2);
        house.relays[out->relay] = 3;
        house.connect = *out;
        house.connects++;
        break;
    case TURN_SPLICE:
        assert_int_equal(house.relays[out->relay], 4);
        house.splice = *out;
        house.splices++;
        break;
    case TURN_CLOSE:
        assert_true(house.relays[out->relay] == 2 || house.relays[out->relay] == 4);
        house.relays[out->relay] = 0;
        house.closes++;
        break;
    case TURN_LEAVE:
        assert_true(out->flow->is_forwarded);
        house.left = *out->flow;
        house.leaves++;
        break;
    default:
        fail();
    }
}

static inline void house_drain(void)
{
    /* what is to be opened is answered after the drain, as a loop would */
    uint32_t asked[4];
    struct turn_out opens[4];
    unsigned count = 0;
    for (;;) {
        const struct turn_out *out = turn_poll(&house.turn);
        if (out->kind == TURN_WAIT) {
            house.until = out->until;
            break;
        }
        if (out->kind == TURN_OPEN) {
            assert_in_range(count, 0, 3);
            house_open(out);
            asked[count] = out->relay;
            opens[count++] = *out;
        } else {
            house_take(out);
        }
    }
    for (unsigned i = 0; i < count && !house.holds_opens; i++) {
        house.open = opens[i];
        assert_int_equal(house.relays[asked[i]], 1);
        house_answer_open(true);
    }
}

static inline void house_start(void)
{
    assert_int_equal(turn_init(&house.turn, &house.config, house.now, 1700000000), OK);
}

static inline int house_setup(void **state)
{
    (void)state;
    memset(&house, 0, sizeof house);
    house.now = 1000 * USEC_S;
    house.port = 49152;
    house.random = (struct random){ test_random_fill, &house.seed };
    house.policy = (struct turn_policy){ .relay_port_min = 49152, .relay_port_max = 65535 };
    house.policy.own[house.policy.own_count++] = house_address("198.41.0.4:1");
    house.config = (struct turn_config){
        .realm = VIEW("moim"),
        .secrets = { VIEW("north"), VIEW("south") },
        .secret_count = 2,
        .users = { house_by_name, house_by_hash, NULL },
        .policy = &house.policy,
        .random = &house.random,
        .metrics = &house.metrics,
        .relays_ipv4 = true,
        .relays_ipv6 = true,
        .relays_tcp = true,
        .mobility = true,
        .worker = 3,
        .allocations_max = 16,
        .relays_max = HOUSE_RELAYS,
        .peers_max = 64,
        .peers_per_allocation_max = 16,
        .connections_per_allocation_max = 4,
        .allocations_per_user_max = 8,
        .allocations_per_prefix_max = 8,
        .lifetime_s_max = 3600,
    };
    house_start();
    return 0;
}

static inline unsigned house_open_count(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < HOUSE_RELAYS; i++)
        count += house.relays[i] != 0;
    return count;
}

/* Nothing may be left when all has expired. */
static inline int house_teardown(void **state)
{
    (void)state;
    house.now += 2 * 3600 * USEC_S;
    turn_tick(&house.turn, house.now);
    house_drain();
    assert_int_equal(house.turn.allocations.used, 0);
    assert_int_equal(house.turn.peers.used, 0);
    assert_int_equal(house.turn.users.used, 0);
    assert_int_equal(house.turn.prefixes.used, 0);
    assert_int_equal(house.turn.flows.count, 0);
    assert_int_equal(house.turn.relays_by_address.count, 0);
    assert_int_equal(house.turn.user_names.count, 0);
    assert_int_equal(house.turn.prefix_names.count, 0);
    assert_int_equal(metrics_read(&house.metrics, METRIC_TURN_ALLOCATIONS), 0);
    if (!house.holds_opens) {
        assert_int_equal(house.turn.relays.used, 0);
        assert_int_equal(house_open_count(), 0);
    }
    turn_free(&house.turn);
    return 0;
}

static inline void house_forget(void)
{
    house.client_count = 0;
    house.peer_count = 0;
    house.sunk_count = 0;
    house.opens = house.closes = house.connects = house.splices = house.leaves = 0;
}

static inline void house_wait(usec time)
{
    house.now += time;
    turn_tick(&house.turn, house.now);
    house_drain();
}

/* Feeds bytes in memory of exactly their size, and takes what comes of it. */
static inline void house_feed(const struct turn_flow *flow, struct view bytes)
{
    uint8_t *copy = test_copy(bytes);
    house_forget();
    turn_feed_client(&house.turn, house.now, flow, view_make(copy, bytes.size));
    house_drain();
    free(copy);
}

static inline void house_feed_peer(uint32_t relay, const char *peer, struct view bytes)
{
    struct address address = house_address(peer);
    uint8_t *copy = test_copy(bytes);
    house_forget();
    turn_feed_peer(&house.turn, house.now, relay, &address, view_make(copy, bytes.size));
    house_drain();
    free(copy);
}

/* ---- clients ---- */

struct caller {
    struct turn_flow flow;
    struct view name; /* empty: alice */
    struct view password;
    char nonce[64];
    size_t nonce_size;
    bool is_sha256; /* MESSAGE-INTEGRITY-SHA256 and a SHA-256 key, and USERHASH */
    bool has_fingerprint;
    uint8_t transaction[STUN_TRANSACTION_SIZE];
    struct stun_writer writer;
    uint8_t bytes[1024];
    struct stun_msg answer; /* the last, of house.clients[0] */
    struct address relayed;
    uint32_t relay;
    uint32_t connection_id;
    uint64_t token;
    uint8_t ticket[TURN_TICKET_SIZE];
};

static inline struct caller caller_at(const char *client)
{
    struct caller caller = { .flow = house_flow(client),
                             .name = VIEW("alice"),
                             .password = VIEW("wonder") };
    return caller;
}

static inline void caller_begin(struct caller *caller, uint16_t method)
{
    caller->transaction[0]++;
    stun_begin(&caller->writer, caller->bytes, sizeof caller->bytes, STUN_REQUEST, method,
               caller->transaction);
}

static inline void caller_key(const struct caller *caller, struct stun_key *key)
{
    assert_int_equal(stun_key_make(caller->is_sha256 ? STUN_ALGORITHM_SHA256 : STUN_ALGORITHM_MD5,
                                   caller->name, VIEW("moim"), caller->password, key),
                     OK);
}

static inline void caller_sign(struct caller *caller)
{
    struct stun_key key;
    uint8_t hash[STUN_USERHASH_SIZE];
    if (caller->is_sha256) {
        assert_int_equal(stun_userhash(caller->name, VIEW("moim"), hash), OK);
        stun_add(&caller->writer, STUN_USERHASH, view_make(hash, sizeof hash));
    } else {
        stun_add(&caller->writer, STUN_USERNAME, caller->name);
    }
    stun_add(&caller->writer, STUN_REALM, VIEW("moim"));
    stun_add(&caller->writer, STUN_NONCE, view_make(caller->nonce, caller->nonce_size));
    caller_key(caller, &key);
    if (caller->is_sha256) {
        stun_add_algorithms(&caller->writer);
        stun_add_algorithm(&caller->writer, STUN_ALGORITHM_SHA256);
        stun_add_integrity_sha256(&caller->writer, stun_key_view(&key));
    } else {
        stun_add_integrity(&caller->writer, stun_key_view(&key));
    }
    if (caller->has_fingerprint)
        stun_add_fingerprint(&caller->writer);
}

/* The answer to the last request: 0 none, 200 a success, or its error code. */
static inline unsigned caller_answer(struct caller *caller)
{
    unsigned code = 0;
    struct view reason;
    if (house.client_count == 0)
        return 0;
    const struct house_message *message = &house.clients[0];
    assert_int_equal(stun_read(view_make(message->bytes, message->size), &caller->answer), OK);
    assert_memory_equal(&message->flow.client, &caller->flow.client, sizeof caller->flow.client);
    assert_memory_equal(caller->answer.transaction.at, caller->transaction, STUN_TRANSACTION_SIZE);
    if (caller->answer.class == STUN_SUCCESS)
        return 200;
    assert_int_equal(stun_read_error(stun_find(&caller->answer, STUN_ERROR_CODE), &code, &reason),
                     OK);
    const struct stun_attr *nonce = stun_find(&caller->answer, STUN_NONCE);
    if (nonce) {
        assert_in_range(nonce->value.size, 1, sizeof caller->nonce);
        memcpy(caller->nonce, nonce->value.at, nonce->value.size);
        caller->nonce_size = nonce->value.size;
    }
    return code;
}

static inline unsigned caller_send(struct caller *caller)
{
    assert_false(caller->writer.overflow);
    house_feed(&caller->flow, view_make(caller->bytes, caller->writer.size));
    return caller_answer(caller);
}

static inline bool caller_trusts(struct caller *caller)
{
    struct stun_key key;
    caller_key(caller, &key);
    return caller->is_sha256 ? stun_integrity_sha256_valid(&caller->answer, stun_key_view(&key))
                             : stun_integrity_valid(&caller->answer, stun_key_view(&key));
}

/* Signs what was begun and sends it; every answer that is not a challenge must be signed. */
static inline unsigned caller_ask(struct caller *caller)
{
    caller_sign(caller);
    unsigned code = caller_send(caller);
    if (code && code != 401 && code != 438 && !caller_trusts(caller))
        fail_msg("an answer (%u) that is not signed", code);
    return code;
}

/* Gets a nonce by being refused. */
static inline void caller_meet(struct caller *caller)
{
    caller_begin(caller, STUN_ALLOCATE);
    stun_add_protocol(&caller->writer, TURN_UDP);
    if (caller->is_sha256) /* long enough to be told of the security features */
        stun_add(&caller->writer, STUN_SOFTWARE,
                 VIEW("a client with a name that is long enough for it all"));
    assert_int_equal(caller_send(caller), 401);
}

static inline void caller_allocated(struct caller *caller)
{
    const struct stun_attr *relayed = stun_find(&caller->answer, STUN_XOR_RELAYED_ADDRESS);
    const struct stun_attr *token = stun_find(&caller->answer, STUN_RESERVATION_TOKEN);
    const struct stun_attr *ticket = stun_find(&caller->answer, STUN_MOBILITY_TICKET);
    assert_non_null(relayed);
    assert_int_equal(stun_read_xor_address(&caller->answer, relayed, &caller->relayed), OK);
    for (uint32_t i = 0; i < HOUSE_RELAYS; i++)
        if (house.relays[i] == 2 && address_equal(&house.relayed[i], &caller->relayed))
            caller->relay = i;
    if (token)
        assert_int_equal(stun_read_64(token, &caller->token), OK);
    if (ticket) {
        assert_int_equal(ticket->value.size, TURN_TICKET_SIZE);
        memcpy(caller->ticket, ticket->value.at, TURN_TICKET_SIZE);
    }
}

static inline void caller_begin_allocate(struct caller *caller)
{
    caller_begin(caller, STUN_ALLOCATE);
    stun_add_protocol(&caller->writer, TURN_UDP);
}

static inline void caller_allocate(struct caller *caller)
{
    caller_meet(caller);
    caller_begin_allocate(caller);
    assert_int_equal(caller_ask(caller), 200);
    caller_allocated(caller);
}

static inline unsigned caller_permit(struct caller *caller, const char *peer)
{
    struct address address = house_address(peer);
    caller_begin(caller, STUN_CREATE_PERMISSION);
    stun_add_xor_address(&caller->writer, STUN_XOR_PEER_ADDRESS, &address);
    return caller_ask(caller);
}

static inline unsigned caller_bind(struct caller *caller, uint16_t channel, const char *peer)
{
    struct address address = house_address(peer);
    caller_begin(caller, STUN_CHANNEL_BIND);
    stun_add_channel(&caller->writer, channel);
    stun_add_xor_address(&caller->writer, STUN_XOR_PEER_ADDRESS, &address);
    return caller_ask(caller);
}

static inline unsigned caller_refresh(struct caller *caller, uint32_t lifetime_s)
{
    caller_begin(caller, STUN_REFRESH);
    stun_add_32(&caller->writer, STUN_LIFETIME, lifetime_s);
    return caller_ask(caller);
}

static inline void caller_send_data(struct caller *caller, const char *peer, struct view data)
{
    struct address address = house_address(peer);
    caller_begin(caller, STUN_SEND);
    caller->bytes[0] = 0; /* an indication */
    caller->bytes[1] = 0x16;
    stun_add_xor_address(&caller->writer, STUN_XOR_PEER_ADDRESS, &address);
    stun_add(&caller->writer, STUN_DATA_VALUE, data);
    house_feed(&caller->flow, view_make(caller->bytes, caller->writer.size));
}

static inline void caller_channel_data(struct caller *caller, uint16_t channel, struct view data)
{
    turn_channel_write(caller->bytes, channel, data.size);
    if (data.size)
        memcpy(caller->bytes + TURN_CHANNEL_HEADER_SIZE, data.at, data.size);
    house_feed(&caller->flow, view_make(caller->bytes, TURN_CHANNEL_HEADER_SIZE + data.size));
}

static inline uint32_t caller_number(const struct caller *caller, uint16_t type)
{
    uint32_t value = 0;
    const struct stun_attr *attr = stun_find(&caller->answer, type);
    assert_non_null(attr);
    assert_int_equal(stun_read_32(attr, &value), OK);
    return value;
}

#endif
