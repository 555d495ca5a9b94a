/* test_turn_tcp.c - TCP relays (RFC 6062): connecting to peers and being connected to, binding the
 * client's second connection, and everything of it that ends early. */
#include "turn_house.h"

#define PEER "8.8.8.8:5000"

static struct caller caller;

static int setup(void **state)
{
    house_setup(state);
    caller = caller_at("1.2.3.4:999");
    caller.flow.transport = TURN_OVER_TCP;
    caller_meet(&caller);
    caller_begin(&caller, STUN_ALLOCATE);
    stun_add_protocol(&caller.writer, TURN_TCP);
    assert_int_equal(caller_ask(&caller), 200);
    caller_allocated(&caller);
    assert_int_equal(house.open.protocol, TURN_TCP);
    return 0;
}

static unsigned connect_to(const char *peer)
{
    struct address address = house_address(peer);
    caller_begin(&caller, STUN_CONNECT);
    stun_add_xor_address(&caller.writer, STUN_XOR_PEER_ADDRESS, &address);
    return caller_ask(&caller);
}

/* Answers the last TURN_CONNECT; gives the code of what the client is told, 0: nothing. */
static unsigned answer_connect(int status)
{
    house_forget();
    house.relays[house.connect.relay] = 4;
    turn_connected(&house.turn, house.now, house.connect.relay, status);
    house_drain();
    unsigned code = caller_answer(&caller);
    if (code == 200)
        caller.connection_id = caller_number(&caller, STUN_CONNECTION_ID);
    return code;
}

/* The second connection of the same client. */
static unsigned bind_from(const char *client, uint32_t id, struct view name, uint8_t transport)
{
    struct caller second = caller_at(client);
    second.flow.transport = transport;
    second.name = name;
    caller_meet(&second);
    caller_begin(&second, STUN_CONNECTION_BIND);
    stun_add_32(&second.writer, STUN_CONNECTION_ID, id);
    return caller_ask(&second);
}

static unsigned bind_connection(uint32_t id)
{
    return bind_from("1.2.3.4:1000", id, VIEW("alice"), TURN_OVER_TCP);
}

static void test_connect_and_bind(void **state)
{
    (void)state;
    assert_int_equal(connect_to(PEER), 0);
    assert_int_equal(house.connects, 1);
    assert_int_equal(house.connect.from, caller.relay);
    assert_int_equal(house.connect.peer.port, 5000);
    assert_int_equal(answer_connect(OK), 200);
    assert_true(caller_trusts(&caller));
    assert_int_equal(bind_connection(caller.connection_id), 200);
    assert_int_equal(house.splices, 1);
    assert_int_equal(house.splice.relay, house.connect.relay);
    house_wait(100 * USEC_S); /* the time to bind is over, and nothing ends */
    assert_int_equal(house.closes, 0);
    assert_int_equal(bind_connection(caller.connection_id), 400); /* only once */
    turn_relay_gone(&house.turn, house.now, house.connect.relay);
    house_drain();
    assert_int_equal(house.closes, 1);
    assert_int_equal(connect_to(PEER), 0); /* it is free again */
    assert_int_equal(answer_connect(OK), 200);
}

static void test_connect_errors(void **state)
{
    (void)state;
    assert_int_equal(connect_to("10.0.0.1:80"), 403);
    assert_int_equal(connect_to("198.41.0.4:22"), 403);
    assert_int_equal(connect_to("[2600::1]:80"), 443);
    caller_begin(&caller, STUN_CONNECT);
    assert_int_equal(caller_ask(&caller), 400);
    assert_int_equal(connect_to(PEER), 0);
    assert_int_equal(connect_to(PEER), 446); /* also while it is being connected */
    caller.transaction[0]--;
    assert_int_equal(answer_connect(OK), 200);
    assert_int_equal(connect_to(PEER), 446);
    assert_int_equal(connect_to("8.8.8.8:5001"), 0);
    assert_int_equal(answer_connect(ERR_CLOSED), 447);
    assert_int_equal(house.closes, 1);
    for (unsigned i = 0; i < 3; i++) {
        char text[32];
        snprintf(text, sizeof text, "9.9.9.9:%u", 1 + i);
        assert_int_equal(connect_to(text), 0);
        assert_int_equal(answer_connect(OK), 200);
    }
    assert_int_equal(connect_to("9.9.9.9:99"), 508);
    caller_begin(&caller, STUN_CHANNEL_BIND); /* a TCP relay has no channels */
    struct address peer = house_address(PEER);
    stun_add_channel(&caller.writer, 0x4000);
    stun_add_xor_address(&caller.writer, STUN_XOR_PEER_ADDRESS, &peer);
    assert_int_equal(caller_ask(&caller), 400);
}

/* A peer that never answers: the client is told after 30 s, the socket is closed when it can be. */
static void test_connect_takes_too_long(void **state)
{
    (void)state;
    assert_int_equal(connect_to(PEER), 0);
    house_forget();
    house_wait(31 * USEC_S);
    assert_int_equal(caller_answer(&caller), 447);
    assert_int_equal(house.closes, 0);
    assert_int_equal(answer_connect(OK), 0);
    assert_int_equal(house.closes, 1);
}

static void test_nobody_binds(void **state)
{
    (void)state;
    assert_int_equal(connect_to(PEER), 0);
    assert_int_equal(answer_connect(OK), 200);
    house_forget();
    house_wait(31 * USEC_S);
    assert_int_equal(house.closes, 1);
    assert_int_equal(bind_connection(caller.connection_id), 400);
}

static void test_bind_errors(void **state)
{
    (void)state;
    assert_int_equal(connect_to(PEER), 0);
    assert_int_equal(bind_connection(3u << 24 | house.connect.relay), 400); /* not yet connected */
    assert_int_equal(answer_connect(OK), 200);
    uint32_t id = caller.connection_id;
    assert_int_equal(bind_from("1.2.3.4:1000", id, VIEW("bob"), TURN_OVER_TCP), 400);
    assert_int_equal(bind_from("1.2.3.4:1000", id, VIEW("alice"), TURN_OVER_UDP), 400);
    for (unsigned bit = 0; bit < 32; bit++)
        assert_int_equal(bind_connection(id ^ 1u << bit), 400);
    assert_int_equal(bind_connection(3u << 24 | caller.relay), 400); /* the listener's own number */
    struct caller second = caller_at("1.2.3.4:1000");
    second.flow.transport = TURN_OVER_TLS;
    caller_meet(&second);
    caller_begin(&second, STUN_CONNECTION_BIND);
    assert_int_equal(caller_ask(&second), 400);
    assert_int_equal(bind_from("1.2.3.4:1000", id, VIEW("alice"), TURN_OVER_TLS), 200);
}

static int accept_from(const char *peer, uint32_t *connection)
{
    struct address address = house_address(peer);
    house_forget();
    int status = turn_accept(&house.turn, house.now, caller.relay, &address, connection);
    if (status == OK)
        house.relays[*connection] = 4;
    house_drain();
    return status;
}

static void test_peer_connects(void **state)
{
    (void)state;
    uint32_t connection, id, refused = 77;
    struct stun_msg msg;
    struct address peer;
    assert_int_equal(accept_from(PEER, &refused), ERR_NOT_FOUND); /* no permission */
    assert_int_equal(refused, 77);
    assert_int_equal(caller_permit(&caller, PEER), 200);
    assert_int_equal(accept_from(PEER, &connection), OK);
    assert_int_equal(house.client_count, 1);
    assert_int_equal(stun_read(view_make(house.clients[0].bytes, house.clients[0].size), &msg), OK);
    assert_int_equal(msg.class, STUN_INDICATION);
    assert_int_equal(msg.method, STUN_CONNECTION_ATTEMPT);
    assert_int_equal(stun_read_xor_address(&msg, stun_find(&msg, STUN_XOR_PEER_ADDRESS), &peer),
                     OK);
    assert_int_equal(peer.port, 5000);
    assert_int_equal(stun_read_32(stun_find(&msg, STUN_CONNECTION_ID), &id), OK);
    assert_int_equal(bind_connection(id), 200);
    assert_int_equal(house.splice.relay, connection);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(accept_from("8.8.8.8:6000", &connection), OK);
    assert_int_equal(accept_from("8.8.8.8:6000", &connection), ERR_LIMIT);
}

/* With the control connection all goes: what is connecting after its answer. */
static void test_control_connection_ends(void **state)
{
    (void)state;
    assert_int_equal(connect_to(PEER), 0);
    assert_int_equal(answer_connect(OK), 200);
    assert_int_equal(bind_connection(caller.connection_id), 200);
    assert_int_equal(connect_to("8.8.8.8:1"), 0);
    assert_int_equal(answer_connect(OK), 200);
    assert_int_equal(connect_to("8.8.8.8:2"), 0);
    house_forget();
    turn_client_gone(&house.turn, house.now, &caller.flow);
    house_drain();
    assert_int_equal(house.closes, 3);
    house_wait(31 * USEC_S);
    assert_int_equal(house.client_count, 0);
    assert_int_equal(answer_connect(OK), 0);
    assert_int_equal(house.closes, 1);
    assert_int_equal(bind_connection(caller.connection_id), 400);
}

static void test_allocate_errors(void **state)
{
    (void)state;
    static const uint8_t TRANSPORTS[] = { TURN_OVER_UDP, TURN_OVER_DTLS };
    for (size_t i = 0; i < 2; i++) { /* only from a stream */
        struct caller other = caller_at("1.2.3.4:7");
        other.flow.transport = TRANSPORTS[i];
        caller_meet(&other);
        caller_begin(&other, STUN_ALLOCATE);
        stun_add_protocol(&other.writer, TURN_TCP);
        assert_int_equal(caller_ask(&other), 400);
    }
    static const uint16_t TYPES[] = { STUN_EVEN_PORT, STUN_DONT_FRAGMENT, STUN_RESERVATION_TOKEN };
    for (size_t i = 0; i < 3; i++) {
        struct caller other = caller_at("1.2.3.4:7");
        other.flow.transport = TURN_OVER_TLS;
        caller_meet(&other);
        caller_begin(&other, STUN_ALLOCATE);
        stun_add_protocol(&other.writer, TURN_TCP);
        stun_add(&other.writer, TYPES[i], VIEW("12345678"));
        assert_int_equal(caller_ask(&other), 400);
    }
    house.config.relays_tcp = false;
    struct caller other = caller_at("1.2.3.4:7");
    other.flow.transport = TURN_OVER_TLS;
    caller_meet(&other);
    caller_begin(&other, STUN_ALLOCATE);
    stun_add_protocol(&other.writer, TURN_TCP);
    assert_int_equal(caller_ask(&other), 442);
}

static void test_no_connect_on_udp_relays(void **state)
{
    (void)state;
    struct address peer = house_address(PEER);
    struct caller other = caller_at("1.2.3.4:7");
    caller_allocate(&other);
    caller_begin(&other, STUN_CONNECT);
    stun_add_xor_address(&other.writer, STUN_XOR_PEER_ADDRESS, &peer);
    assert_int_equal(caller_ask(&other), 400);
    /* nor data on TCP relays */
    assert_int_equal(caller_permit(&caller, PEER), 200);
    caller_send_data(&caller, PEER, VIEW("x"));
    assert_int_equal(house.peer_count, 0);
}

static void test_spliced_bytes_count(void **state)
{
    (void)state;
    house.config.bytes_per_s_allocation = 1000;
    house_wait(USEC_S);
    assert_int_equal(connect_to(PEER), 0);
    assert_int_equal(answer_connect(OK), 200);
    uint32_t relay = house.connect.relay;
    assert_true(turn_splice_may(&house.turn, house.now, relay, 600));
    assert_false(turn_splice_may(&house.turn, house.now, relay, 600));
    assert_true(turn_splice_may(&house.turn, house.now + 300 * USEC_MS, relay, 600));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, house_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_connect_and_bind),
        TEST(test_connect_errors),
        TEST(test_connect_takes_too_long),
        TEST(test_nobody_binds),
        TEST(test_bind_errors),
        TEST(test_peer_connects),
        TEST(test_control_connection_ends),
        TEST(test_allocate_errors),
        TEST(test_no_connect_on_udp_relays),
        TEST(test_spliced_bytes_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
