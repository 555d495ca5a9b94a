/* test_turn_dtls.c - TURN over DTLS through a whole server: what is relayed both ways, handshakes
 * over a network that loses, doubles and delays any of their datagrams, and when an association
 * ends. */
#include "house_turn.h"

#include "agent/dtls_house.h"
#include "front/turn_dtls.h"

#define SOCKET    3
#define QUEUE_MAX 32
#define LIFETIME  (600 * USEC_S)

static const struct address SERVER = { ADDRESS_IPV4, { 192, 0, 2, 9 }, 5349 };
static const struct address PEER = { ADDRESS_IPV4, { 8, 8, 4, 4 }, 1000 };

static const struct turn_config TURN = HOUSE_TURN(16, 2);

/* ---- the network ---- */

enum fate { ARRIVES, LOST, DOUBLED, LATE };

struct datagram {
    size_t size;
    uint8_t bytes[DTLS_DATA_MAX + DTLS_OVERHEAD_MAX];
};

struct queue {
    struct datagram items[QUEUE_MAX];
    unsigned count;
    struct datagram held; /* until another has passed it; size 0: none */
};

static struct {
    unsigned posted; /* either way */
    unsigned odd;    /* the one that has this fate: */
    enum fate fate;
    struct queue up, down;
} network;

static struct house *house;
static struct dtls_context *server_context, *client_context;
static struct dtls client;
static struct address client_address;
static unsigned connected, ended;
static struct bytes heard; /* of the client's data */
static usec client_until;

static void push(struct queue *queue, const struct datagram *datagram)
{
    assert_true(queue->count < QUEUE_MAX);
    queue->items[queue->count++] = *datagram;
}

static void post(struct queue *queue, struct view bytes)
{
    enum fate fate = network.posted++ == network.odd ? network.fate : ARRIVES;
    struct datagram datagram = { .size = bytes.size };
    assert_in_range(bytes.size, 1, sizeof datagram.bytes);
    memcpy(datagram.bytes, bytes.at, bytes.size);
    if (fate == LATE)
        queue->held = datagram;
    if (fate == LATE || fate == LOST)
        return;
    push(queue, &datagram);
    if (fate == DOUBLED)
        push(queue, &datagram);
    if (queue->held.size)
        push(queue, &queue->held);
    queue->held.size = 0;
}

static void to_client(const struct turn_out *out)
{
    uint8_t bytes[DTLS_DATA_MAX + DTLS_OVERHEAD_MAX];
    assert_int_equal(out->flow->transport, TURN_OVER_DTLS);
    assert_int_equal(out->flow->connection, SOCKET);
    assert_true(address_equal(&out->flow->server, &SERVER));
    assert_int_equal(out->header.size + out->trailer.size, 0);
    if (!address_equal(&out->flow->client, &client_address))
        return; /* one that went away */
    memcpy(bytes, out->payload.at, out->payload.size);
    post(&network.down, view_make(bytes, out->payload.size));
}

static void drain_client(void)
{
    struct dtls_out out;
    client_until = USEC_NEVER;
    while (client.context) {
        dtls_poll(&client, &out);
        switch ((enum dtls_out_kind)out.kind) {
        case DTLS_SEND:
            post(&network.up, out.bytes);
            break;
        case DTLS_CONNECTED:
            connected++;
            break;
        case DTLS_DATA:
            bytes_add(&heard, out.bytes);
            break;
        case DTLS_ENDED:
            ended++;
            break;
        case DTLS_WAIT:
            client_until = out.until;
            return;
        }
    }
}

/* The oldest; from memory of exactly its size. */
static uint8_t *take(struct queue *queue, size_t *size)
{
    *size = queue->items[0].size;
    uint8_t *copy = test_copy(view_make(queue->items[0].bytes, *size));
    queue->count--;
    memmove(queue->items, queue->items + 1, queue->count * sizeof queue->items[0]);
    return copy;
}

/* All that is on the way arrives, and what comes of it. */
static void settle(void)
{
    size_t size;
    drain_client();
    while (network.up.count || network.down.count) {
        if (network.up.count) {
            struct turn_flow flow = { .transport = TURN_OVER_DTLS,
                                      .connection = SOCKET,
                                      .client = client_address,
                                      .server = SERVER };
            uint8_t *copy = take(&network.up, &size);
            server_relay_client(house->servers[0], house->now, &flow, view_make(copy, size));
            house_drain(house);
            free(copy);
        } else {
            uint8_t *copy = take(&network.down, &size);
            if (client.context)
                dtls_feed(&client, house->now, view_make(copy, size));
            free(copy);
        }
        drain_client();
    }
}

/* Time goes by, at both ends. */
static void wait(usec duration)
{
    usec until = house->now + duration;
    while (house->now < until) {
        usec next = client_until < until ? client_until : until;
        next = house->wakes[0] < next ? house->wakes[0] : next;
        house_wait(house, next > house->now ? next - house->now : 0);
        if (client.context && house->now >= client_until)
            dtls_tick(&client, house->now);
        settle();
    }
}

static void begin_client(void)
{
    dtls_free(&client);
    connected = ended = 0;
    assert_int_equal(dtls_init(&client, client_context, DTLS_CLIENT, house->now), OK);
    settle();
}

/* ---- TURN ---- */

static struct {
    struct stun_writer writer;
    uint8_t bytes[512];
    char nonce[128];
    size_t nonce_size;
} request;

static void begin(uint16_t method)
{
    static uint8_t transaction[STUN_TRANSACTION_SIZE];
    transaction[0]++;
    stun_begin(&request.writer, request.bytes, sizeof request.bytes, STUN_REQUEST, method,
               transaction);
    if (method == STUN_ALLOCATE)
        stun_add_protocol(&request.writer, TURN_UDP);
}

static void sign(void)
{
    struct stun_key key;
    assert_int_equal(
        stun_key_make(STUN_ALGORITHM_MD5, VIEW("alice"), VIEW("moim"), VIEW("wonder"), &key), OK);
    stun_add(&request.writer, STUN_USERNAME, VIEW("alice"));
    stun_add(&request.writer, STUN_REALM, VIEW("moim"));
    stun_add(&request.writer, STUN_NONCE, view_make(request.nonce, request.nonce_size));
    stun_add_integrity(&request.writer, stun_key_view(&key));
    assert_false(request.writer.overflow);
}

static void say(struct view bytes)
{
    assert_int_equal(dtls_send(&client, house->now, bytes), OK);
    settle();
}

/* Sends the request; gives 200 for a success, or the code of its error. */
static unsigned ask(void)
{
    struct stun_msg answer;
    struct view reason;
    unsigned code = 200;
    bytes_used(&heard, heard.size);
    say(view_make(request.bytes, request.writer.size));
    assert_int_equal(stun_read(bytes_view(&heard), &answer), OK);
    if (answer.class == STUN_ERROR)
        assert_int_equal(stun_read_error(stun_find(&answer, STUN_ERROR_CODE), &code, &reason), OK);
    const struct stun_attr *nonce = stun_find(&answer, STUN_NONCE);
    if (nonce) {
        assert_in_range(nonce->value.size, 1, sizeof request.nonce);
        memcpy(request.nonce, nonce->value.at, nonce->value.size);
        request.nonce_size = nonce->value.size;
    }
    return code;
}

static void allocate(void)
{
    begin(STUN_ALLOCATE);
    assert_int_equal(ask(), 401);
    begin(STUN_ALLOCATE);
    sign();
    assert_int_equal(ask(), 200);
    assert_int_equal(house->relay_count, 1);
    begin(STUN_CHANNEL_BIND);
    stun_add_channel(&request.writer, 0x4001);
    stun_add_xor_address(&request.writer, STUN_XOR_PEER_ADDRESS, &PEER);
    sign();
    assert_int_equal(ask(), 200);
}

/* ---- the house ---- */

static int set_up(void **state)
{
    struct identity identity;
    (void)state;
    identity_make(&identity);
    server_context = context_make(&identity, NULL, false);
    client_context = context_make(&identity, NULL, false);
    identity_free(&identity);
    memset(&network, 0, sizeof network);
    network.odd = UINT32_MAX;
    client_address = (struct address){ ADDRESS_IPV4, { 10, 0, 0, 1 }, 4000 };
    struct wishes wishes = { .turn = &TURN, .dtls = server_context, .to_client = to_client };
    house = house_build(&wishes);
    return 0;
}

/* The client says goodbye, if it is still there, and nothing of it stays. */
static int tear_down(void **state)
{
    (void)state;
    if (client.context)
        dtls_close(&client, house->now);
    settle();
    wait(LIFETIME + TURN_DTLS_IDLE);
    assert_int_equal(house->relay_count, 0);
    assert_int_equal(house_metric(house, METRIC_TURN_ALLOCATIONS), 0);
    assert_int_equal(house_metric(house, METRIC_DTLS_ASSOCIATIONS), 0);
    dtls_free(&client);
    house_close(house);
    dtls_context_free(server_context);
    dtls_context_free(client_context);
    free(heard.at);
    heard = (struct bytes){ 0 };
    return 0;
}

static void a_binding(void **state)
{
    (void)state;
    begin_client();
    begin(STUN_BINDING);
    assert_int_equal(ask(), 200);
    assert_int_equal(house_metric(house, METRIC_DTLS_COOKIES), 1);
    assert_int_equal(house_metric(house, METRIC_DTLS_DONE), 1);
    assert_int_equal(house_metric(house, METRIC_DTLS_ASSOCIATIONS), 1);
}

static void what_is_relayed(void **state)
{
    (void)state;
    static const uint8_t UP[] = { 0x40, 1, 0, 5, 'h', 'e', 'l', 'l', 'o' };
    static const uint8_t DOWN[] = { 0x40, 1, 0, 5, 's', 'a', 'l', 'u', 't' };
    begin_client();
    allocate();
    say(view_make(UP, sizeof UP));
    assert_int_equal(house->relayed_count, 1);
    assert_memory_equal(house->relayed.at, "hello", 5);
    bytes_used(&heard, heard.size);
    server_relay_peer(house->servers[0], house->now, house->relay, &PEER, VIEW("salut"));
    house_drain(house);
    settle();
    assert_int_equal(heard.size, sizeof DOWN);
    assert_memory_equal(heard.at, DOWN, sizeof DOWN);
    assert_int_equal(house_metric(house, METRIC_TURN_ALLOCATED_DTLS), 1);
}

/* What a record does not hold is lost, as a datagram that is too long for a network is. */
static void what_is_too_long(void **state)
{
    (void)state;
    static uint8_t all[DTLS_DATA_MAX + 1];
    begin_client();
    allocate();
    bytes_used(&heard, heard.size);
    server_relay_peer(house->servers[0], house->now, house->relay, &PEER,
                      view_make(all, sizeof all));
    house_drain(house);
    settle();
    assert_int_equal(heard.size, 0);
    assert_int_equal(house_metric(house, METRIC_TURN_DROPPED_RATE), 1);
    server_relay_peer(house->servers[0], house->now, house->relay, &PEER,
                      view_make(all, sizeof all - 5));
    house_drain(house);
    settle();
    assert_int_equal(heard.size, DTLS_DATA_MAX);
}

/* Whichever datagram of a handshake is lost, comes twice or too late: it is done, and soon. */
static void handshakes_on_bad_networks(void **state)
{
    (void)state;
    static const enum fate FATES[] = { LOST, DOUBLED, LATE };
    begin_client();
    unsigned usual = network.posted;
    assert_in_range(usual, 5, 12);
    for (size_t i = 0; i < sizeof FATES / sizeof FATES[0]; i++) {
        for (unsigned odd = 0; odd < usual; odd++) {
            client_address.port++;
            network.posted = 0;
            network.odd = odd;
            network.fate = FATES[i];
            begin_client();
            for (int tick = 0; tick < 4 && !connected; tick++)
                wait(DTLS_RETRANSMIT);
            assert_int_equal(connected, 1);
            network.odd = UINT32_MAX;
            network.up.held.size = network.down.held.size = 0;
            begin(STUN_BINDING);
            assert_int_equal(ask(), 200);
            dtls_close(&client, house->now);
            settle();
        }
    }
    assert_int_equal(house_metric(house, METRIC_DTLS_DONE), 1 + 3 * usual);
    assert_int_equal(house_metric(house, METRIC_DTLS_FAILED), 0);
}

static void who_only_looks_in(void **state)
{
    (void)state;
    begin_client();
    wait(TURN_DTLS_IDLE - USEC_S);
    assert_int_equal(ended, 0);
    wait(2 * USEC_S);
    assert_int_equal(ended, 1);
    assert_int_equal(house_metric(house, METRIC_DTLS_ASSOCIATIONS), 0);
}

/* An allocation keeps its association, however silent, and takes it along when it ends. */
static void who_has_an_allocation(void **state)
{
    (void)state;
    begin_client();
    allocate();
    wait(LIFETIME - USEC_S);
    assert_int_equal(ended, 0);
    begin(STUN_BINDING);
    assert_int_equal(ask(), 200);
    wait(2 * USEC_S);
    assert_int_equal(house->relay_count, 0);
    assert_int_equal(ended, 0);
    wait(TURN_DTLS_IDLE);
    assert_int_equal(ended, 1);
}

static void who_says_goodbye(void **state)
{
    (void)state;
    begin_client();
    allocate();
    dtls_close(&client, house->now);
    settle();
    assert_int_equal(house->relay_count, 0);
    assert_int_equal(house_metric(house, METRIC_DTLS_ASSOCIATIONS), 0);
}

/* From the same port: it has forgotten its allocation, so that ends (RFC 6347, section 4.2.8). */
static void who_begins_anew(void **state)
{
    (void)state;
    begin_client();
    allocate();
    begin_client();
    assert_int_equal(connected, 1);
    assert_int_equal(house->relay_count, 0);
    allocate();
    assert_int_equal(house_metric(house, METRIC_DTLS_ASSOCIATIONS), 1);
}

/* The server stops: its clients need not wait for a refresh to find out. */
static void who_is_there_at_the_end(void **state)
{
    (void)state;
    begin_client();
    allocate();
    client_address.port++;
    dtls_free(&client); /* it forgets; the server does not */
    begin_client();
    assert_int_equal(house_metric(house, METRIC_DTLS_ASSOCIATIONS), 2);
    server_stop(house->servers[0], house->now);
    house_drain(house);
    settle();
    assert_int_equal(ended, 1);
    assert_int_equal(house->relay_count, 0);
    assert_int_equal(house_metric(house, METRIC_DTLS_ASSOCIATIONS), 0);
}

/* No prefix of addresses takes all. */
static void who_comes_too_often(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        client_address.port++;
        begin_client();
        assert_int_equal(connected, i < 4);
    }
    assert_true(house_metric(house, METRIC_DTLS_REFUSED) >= 1);
}

/* Where there is no context, nobody is answered. */
static void nobody_speaks_it(void **state)
{
    (void)state;
    struct wishes wishes = { .turn = &TURN, .to_client = to_client };
    struct house *with = house;
    house = house_build(&wishes);
    begin_client();
    assert_int_equal(network.posted, 1);
    dtls_free(&client);
    house_close(house);
    house = with;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_binding),
        TEST(what_is_relayed),
        TEST(what_is_too_long),
        TEST(handshakes_on_bad_networks),
        TEST(who_only_looks_in),
        TEST(who_has_an_allocation),
        TEST(who_says_goodbye),
        TEST(who_begins_anew),
        TEST(who_is_there_at_the_end),
        TEST(who_comes_too_often),
        TEST(nobody_speaks_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
