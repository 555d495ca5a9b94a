/* test_turn_join.c - two clients whose relays are both ours, and clients whose peer is a port of
 * ours: what they send each other meets in here, and no socket sees it. */
#include "turn_house.h"

#define CHANNEL_A 0x4001
#define CHANNEL_B 0x4002

static const char *text_of(const struct address *address)
{
    static char text[ADDRESS_TEXT_SIZE];
    address_write(address, text);
    return text;
}

static uint64_t count_of(enum metric metric)
{
    return metrics_read(&house.metrics, metric);
}

/* The one message to a client: a Data indication with these bytes, from that address. */
static void assert_data(const struct caller *caller, const struct address *from, struct view data)
{
    struct stun_msg msg;
    struct address peer;
    assert_int_equal(house.peer_count, 0);
    assert_int_equal(house.client_count, 1);
    const struct house_message *heard = &house.clients[0];
    assert_true(address_equal(&heard->flow.client, &caller->flow.client));
    assert_int_equal(stun_read(view_make(heard->bytes, heard->size), &msg), OK);
    assert_int_equal(msg.method, STUN_DATA);
    assert_int_equal(stun_read_xor_address(&msg, stun_find(&msg, STUN_XOR_PEER_ADDRESS), &peer),
                     OK);
    assert_true(address_equal(&peer, from));
    assert_true(view_equal(stun_find(&msg, STUN_DATA_VALUE)->value, data));
}

static void assert_nothing(enum metric reason, uint64_t count)
{
    assert_int_equal(house.client_count, 0);
    assert_int_equal(house.peer_count, 0);
    assert_int_equal(count_of(reason), count);
}

static void allocate_two(struct caller *a, struct caller *b)
{
    *a = caller_at("1.2.3.4:999");
    *b = caller_at("4.3.2.1:999");
    caller_allocate(a);
    caller_allocate(b);
    assert_int_equal(caller_bind(a, CHANNEL_A, text_of(&b->relayed)), 200);
}

static void test_two_relays(void **state)
{
    (void)state;
    struct caller a, b;
    allocate_two(&a, &b);
    assert_int_equal(caller_permit(&b, text_of(&a.relayed)), 200);
    caller_channel_data(&a, CHANNEL_A, VIEW("hello"));
    assert_data(&b, &a.relayed, VIEW("hello"));
    caller_send_data(&b, text_of(&a.relayed), VIEW("and you"));
    assert_int_equal(house.peer_count, 0);
    assert_int_equal(house.client_count, 1); /* by a's channel */
    assert_memory_equal(house.clients[0].bytes,
                        "\x40\x01\x00\x07"
                        "and you",
                        11);
    assert_int_equal(count_of(METRIC_TURN_JOINED), 2);
    assert_int_equal(count_of(METRIC_TURN_PACKETS_UP), 2);
    assert_int_equal(count_of(METRIC_TURN_PACKETS_DOWN), 2);
    assert_int_equal(count_of(METRIC_TURN_BYTES_DOWN), 12);
}

/* What comes from within needs the same permission as what comes from anywhere. */
static void test_no_permission(void **state)
{
    (void)state;
    struct caller a, b;
    allocate_two(&a, &b);
    caller_channel_data(&a, CHANNEL_A, VIEW("x"));
    assert_nothing(METRIC_TURN_DROPPED_PERMISSION, 1);
    assert_int_equal(caller_permit(&b, "8.8.8.8:1"), 200); /* another's */
    caller_channel_data(&a, CHANNEL_A, VIEW("x"));
    assert_nothing(METRIC_TURN_DROPPED_PERMISSION, 2);
    assert_int_equal(caller_permit(&b, text_of(&a.relayed)), 200);
    house_wait(TURN_PERMISSION_S * USEC_S);
    assert_int_equal(caller_bind(&a, CHANNEL_A, text_of(&b.relayed)), 200);
    caller_channel_data(&a, CHANNEL_A, VIEW("x"));
    assert_nothing(METRIC_TURN_DROPPED_PERMISSION, 3);
}

static void test_to_a_stream(void **state)
{
    (void)state;
    struct caller a = caller_at("1.2.3.4:999"), b = caller_at("4.3.2.1:999");
    b.flow.transport = TURN_OVER_TCP;
    caller_allocate(&a);
    caller_allocate(&b);
    assert_int_equal(caller_bind(&a, CHANNEL_A, text_of(&b.relayed)), 200);
    assert_int_equal(caller_bind(&b, CHANNEL_B, text_of(&a.relayed)), 200);
    caller_channel_data(&a, CHANNEL_A, VIEW("hello"));
    assert_int_equal(house.client_count, 1);
    assert_int_equal(house.clients[0].flow.transport, TURN_OVER_TCP);
    assert_int_equal(house.clients[0].size, 12); /* padded */
    assert_memory_equal(house.clients[0].bytes, "\x40\x02\x00\x05hello\0\0\0", 12);
}

/* Both pay for it. */
static void test_limits(void **state)
{
    (void)state;
    struct caller a, b;
    house.config.bytes_per_s_allocation = 100;
    allocate_two(&a, &b);
    assert_int_equal(caller_permit(&b, text_of(&a.relayed)), 200);
    caller_channel_data(&a, CHANNEL_A, VIEW("0123456789012345678901234567890123456789"));
    assert_int_equal(house.client_count, 1);
    house_feed_peer(b.relay, text_of(&a.relayed), /* uses up b's alone */
                    VIEW("012345678901234567890123456789012345678901234567890123456789"));
    caller_channel_data(&a, CHANNEL_A, VIEW("0123456789"));
    assert_nothing(METRIC_TURN_DROPPED_RATE, 1);
}

/* A client may relay to itself, and nothing goes round. */
static void test_to_itself(void **state)
{
    (void)state;
    struct caller a = caller_at("1.2.3.4:999");
    caller_allocate(&a);
    assert_int_equal(caller_permit(&a, text_of(&a.relayed)), 200);
    caller_send_data(&a, text_of(&a.relayed), VIEW("x"));
    assert_data(&a, &a.relayed, VIEW("x"));
}

/* Where no relay is any more, somebody else may be. */
static void test_the_other_has_left(void **state)
{
    (void)state;
    struct caller a, b;
    uint32_t relay;
    allocate_two(&a, &b);
    assert_true(turn_find_relay(&house.turn, &b.relayed, &relay));
    assert_int_equal(relay, b.relay);
    assert_int_equal(caller_refresh(&b, 0), 200);
    assert_false(turn_find_relay(&house.turn, &b.relayed, &relay));
    caller_channel_data(&a, CHANNEL_A, VIEW("x"));
    assert_int_equal(house.client_count, 0);
    assert_int_equal(house.peer_count, 1);
    assert_true(address_equal(&house.peers[0].peer, &b.relayed));
}

/* A reserved port is open, and nobody's yet. */
static void test_reserved(void **state)
{
    (void)state;
    struct caller a, b = caller_at("4.3.2.1:999");
    caller_meet(&b);
    caller_begin_allocate(&b);
    stun_add_even_port(&b.writer, true);
    assert_int_equal(caller_ask(&b), 200);
    caller_allocated(&b);
    b.relayed.port++;
    a = caller_at("1.2.3.4:999");
    caller_allocate(&a);
    assert_int_equal(caller_bind(&a, CHANNEL_A, text_of(&b.relayed)), 200);
    caller_channel_data(&a, CHANNEL_A, VIEW("x"));
    assert_nothing(METRIC_TURN_DROPPED_STRAY, 1);
    struct caller c = caller_at("4.3.2.1:998");
    caller_meet(&c);
    caller_begin_allocate(&c);
    stun_add_64(&c.writer, STUN_RESERVATION_TOKEN, b.token);
    assert_int_equal(caller_ask(&c), 200);
    assert_int_equal(caller_permit(&c, text_of(&a.relayed)), 200);
    caller_channel_data(&a, CHANNEL_A, VIEW("x"));
    assert_data(&c, &a.relayed, VIEW("x"));
}

/* A machine that has one public address for two of its own may have told it twice. */
static void test_same_address_twice(void **state)
{
    (void)state;
    struct caller a, b, c = caller_at("5.6.7.8:999");
    uint32_t relay;
    allocate_two(&a, &b);
    house.port = b.relayed.port;
    caller_allocate(&c);
    assert_true(address_equal(&c.relayed, &b.relayed));
    assert_int_equal(caller_refresh(&c, 0), 200);
    assert_true(turn_find_relay(&house.turn, &b.relayed, &relay));
    house.port = b.relayed.port;
    caller_allocate(&c);
    assert_int_equal(caller_refresh(&b, 0), 200);
    assert_false(turn_find_relay(&house.turn, &c.relayed, &relay));
}

static void test_tcp_relays_are_not_joined(void **state)
{
    (void)state;
    struct caller a = caller_at("1.2.3.4:999");
    uint32_t relay;
    a.flow.transport = TURN_OVER_TCP;
    caller_meet(&a);
    caller_begin(&a, STUN_ALLOCATE);
    stun_add_protocol(&a.writer, TURN_TCP);
    assert_int_equal(caller_ask(&a), 200);
    caller_allocated(&a);
    assert_false(turn_find_relay(&house.turn, &a.relayed, &relay));
}

/* ---- ports of ours that are no relays ---- */

static void test_sink(void **state)
{
    (void)state;
    struct address sinks[2] = { house_address("198.41.0.4:7001"),
                                house_address("198.41.0.4:7000") };
    struct caller a = caller_at("1.2.3.4:999");
    uint32_t relay;
    house.policy.media_port_min = 7000;
    house.policy.media_port_max = 7002;
    house.config.sinks = sinks;
    house.config.sink_count = 2;
    caller_allocate(&a);
    assert_int_equal(caller_bind(&a, CHANNEL_A, "198.41.0.4:7000"), 200);
    caller_channel_data(&a, CHANNEL_A, VIEW("media"));
    assert_int_equal(house.peer_count, 0);
    assert_int_equal(house.sunk_count, 1);
    assert_int_equal(house.sunk.relay, a.relay);
    assert_true(address_equal(&house.sunk.peer, &a.relayed));
    assert_int_equal(house.sunk_at, 1);
    assert_int_equal(house.sunk.size, 5);
    assert_memory_equal(house.sunk.bytes, "media", 5);
    assert_int_equal(count_of(METRIC_TURN_JOINED), 1);
    /* and back */
    assert_true(turn_find_relay(&house.turn, &a.relayed, &relay));
    house_feed_peer(relay, "198.41.0.4:7000", VIEW("media"));
    assert_int_equal(house.client_count, 1);
    assert_memory_equal(house.clients[0].bytes, "\x40\x01\x00\x05media", 9);
    /* a media port of another worker's */
    assert_int_equal(caller_bind(&a, CHANNEL_B, "198.41.0.4:7002"), 200);
    caller_channel_data(&a, CHANNEL_B, VIEW("media"));
    assert_int_equal(house.sunk_count, 0);
    assert_int_equal(house.peer_count, 1);
}

/* A sink is no way around the policy. */
static void test_sink_that_is_not_allowed(void **state)
{
    (void)state;
    struct address sink = house_address("198.41.0.4:7000");
    struct caller a = caller_at("1.2.3.4:999");
    house.config.sinks = &sink;
    house.config.sink_count = 1;
    caller_allocate(&a);
    assert_int_equal(caller_bind(&a, CHANNEL_A, "198.41.0.4:7000"), 403);
    assert_int_equal(caller_permit(&a, "198.41.0.4:7000"), 200); /* has no port */
    caller_send_data(&a, "198.41.0.4:7000", VIEW("x"));
    assert_int_equal(house.sunk_count, 0);
    assert_int_equal(house.peer_count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_two_relays),
        TEST(test_no_permission),
        TEST(test_to_a_stream),
        TEST(test_limits),
        TEST(test_to_itself),
        TEST(test_the_other_has_left),
        TEST(test_reserved),
        TEST(test_same_address_twice),
        TEST(test_tcp_relays_are_not_joined),
        TEST(test_sink),
        TEST(test_sink_that_is_not_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
