/* test_turn.c - a TURN client's ordinary day: allocating, permitting, sending and receiving,
 * refreshing and leaving; and all that is answered with an error on the way. */
#include "turn_house.h"

#define PEER  "8.8.8.8:5000"
#define PEER6 "[2600::1]:5000"

static const struct house_message *sent_up(void)
{
    assert_int_equal(house.peer_count, 1);
    return &house.peers[0];
}

static void assert_bytes(const struct house_message *message, struct view wanted)
{
    assert_int_equal(message->size, wanted.size);
    assert_memory_equal(message->bytes, wanted.at, wanted.size);
}

static void test_allocate(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_allocate(&caller);
    struct address mapped;
    const struct stun_attr *attr = stun_find(&caller.answer, STUN_XOR_MAPPED_ADDRESS);
    assert_int_equal(stun_read_xor_address(&caller.answer, attr, &mapped), OK);
    assert_true(address_equal(&mapped, &caller.flow.client));
    assert_int_equal(caller.relayed.port, 49152);
    assert_int_equal(caller_number(&caller, STUN_LIFETIME), 600);
    assert_int_equal(house.opens, 1);
    assert_int_equal(house.open.family, ADDRESS_IPV4);
    assert_int_equal(house.open.protocol, TURN_UDP);
    assert_false(house.open.even);
    assert_int_equal(metrics_read(&house.metrics, METRIC_TURN_ALLOCATIONS), 1);
    assert_int_equal(metrics_read(&house.metrics, METRIC_TURN_ALLOCATED_UDP), 1);
}

/* RFC 8656, section 7.2: a retransmission gets the same answer, another request 437. */
static void test_allocate_again(void **state)
{
    (void)state;
    uint8_t first[512];
    struct caller caller = caller_at("1.2.3.4:999");
    caller_allocate(&caller);
    size_t size = house.clients[0].size;
    memcpy(first, house.clients[0].bytes, size);
    house.now += 3 * USEC_S;
    assert_int_equal(caller_send(&caller), 200);
    assert_int_equal(house.clients[0].size, size);
    assert_memory_equal(house.clients[0].bytes, first, size);
    assert_int_equal(house.opens, 0);
    caller_begin_allocate(&caller);
    assert_int_equal(caller_ask(&caller), 437);
    assert_int_equal(house.turn.allocations.used, 1);
}

/* While the socket is being opened, retransmissions wait for the one answer. */
static void test_allocate_again_before_the_answer(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    house.holds_opens = true;
    caller_meet(&caller);
    caller_begin_allocate(&caller);
    assert_int_equal(caller_ask(&caller), 0);
    assert_int_equal(house.opens, 1);
    assert_int_equal(caller_send(&caller), 0);
    assert_int_equal(house.opens, 0);
    caller_begin(&caller, STUN_REFRESH); /* nothing to refresh yet */
    assert_int_equal(caller_ask(&caller), 437);
    caller.transaction[0]--;
    house_forget();
    house_answer_open(true);
    assert_int_equal(caller_answer(&caller), 200);
    assert_true(caller_trusts(&caller));
    house.holds_opens = false;
}

static void test_no_port(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    house.fails_opens = true;
    caller_meet(&caller);
    caller_begin_allocate(&caller);
    assert_int_equal(caller_ask(&caller), 508);
    assert_int_equal(house.turn.allocations.used, 0);
    assert_int_equal(house.turn.relays.used, 0);
    house.fails_opens = false;
    caller_begin_allocate(&caller);
    assert_int_equal(caller_ask(&caller), 200); /* the next try may do */
}

/* A client that vanishes while its socket is opened: the answer finds nobody, and it is closed. */
/* Time has jumped, as when the machine slept: nobody is told of what has expired. */
static void check_late_port(bool is_open)
{
    struct caller caller = caller_at("1.2.3.4:999");
    caller_meet(&caller);
    house.holds_opens = true;
    caller_begin_allocate(&caller);
    assert_int_equal(caller_ask(&caller), 0);
    house_forget();
    house.now += 700 * USEC_S;
    house_answer_open(is_open);
    assert_int_equal(house.client_count, 0);
    assert_int_equal(house.closes, is_open ? 1 : 0);
    assert_int_equal(house.turn.allocations.used, 0);
    house.holds_opens = false;
}

static void test_port_that_came_too_late(void **state)
{
    (void)state;
    check_late_port(true);
    check_late_port(false);
}

static void test_leaving_before_the_port_came(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct caller caller = caller_at("1.2.3.4:999");
        house.holds_opens = true;
        caller_meet(&caller);
        caller_begin_allocate(&caller);
        stun_add_even_port(&caller.writer, i);
        assert_int_equal(caller_ask(&caller), 0);
        turn_client_gone(&house.turn, house.now, &caller.flow);
        house_drain();
        assert_int_equal(house.turn.allocations.used, 0);
        assert_int_equal(house.closes, 0);
        house_answer_open(true);
        assert_int_equal(house.closes, 1 + i);
        assert_int_equal(house.client_count, 0);
        house.holds_opens = false;
    }
}

static void test_send_and_data(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_allocate(&caller);
    caller_send_data(&caller, PEER, VIEW("early"));
    assert_int_equal(house.peer_count, 0);
    assert_int_equal(caller_permit(&caller, PEER), 200);
    caller_send_data(&caller, PEER, VIEW("hello"));
    assert_bytes(sent_up(), VIEW("hello"));
    assert_int_equal(sent_up()->relay, caller.relay);
    assert_int_equal(sent_up()->peer.port, 5000);
    assert_false(sent_up()->dont_fragment);
    /* the permission is for the host: another port does as well */
    caller_send_data(&caller, "8.8.8.8:6000", VIEW(""));
    assert_bytes(sent_up(), VIEW(""));
    caller_send_data(&caller, "8.8.8.9:6000", VIEW("x"));
    assert_int_equal(house.peer_count, 0);
    for (size_t size = 0; size < 9; size++) {
        struct stun_msg msg;
        struct address peer;
        struct view data = view_make("answering", size);
        house_feed_peer(caller.relay, "8.8.8.8:7", data);
        assert_int_equal(house.client_count, 1);
        assert_int_equal(stun_read(view_make(house.clients[0].bytes, house.clients[0].size), &msg),
                         OK);
        assert_int_equal(msg.class, STUN_INDICATION);
        assert_int_equal(msg.method, STUN_DATA);
        assert_int_equal(msg.attr_count, 2);
        assert_int_equal(stun_read_xor_address(&msg, &msg.attrs[0], &peer), OK);
        assert_int_equal(peer.port, 7);
        assert_int_equal(msg.attrs[1].type, STUN_DATA_VALUE);
        assert_true(view_equal(msg.attrs[1].value, data));
    }
    house_feed_peer(caller.relay, "8.8.4.4:7", VIEW("stranger"));
    assert_int_equal(house.client_count, 0);
}

static void test_dont_fragment(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_allocate(&caller);
    assert_int_equal(caller_permit(&caller, PEER), 200);
    struct address address = house_address(PEER);
    caller_begin(&caller, STUN_SEND);
    caller.bytes[1] = 0x16;
    caller.bytes[0] = 0;
    stun_add(&caller.writer, STUN_DONT_FRAGMENT, VIEW(""));
    stun_add_xor_address(&caller.writer, STUN_XOR_PEER_ADDRESS, &address);
    stun_add(&caller.writer, STUN_DATA_VALUE, VIEW("x"));
    house_feed(&caller.flow, view_make(caller.bytes, caller.writer.size));
    assert_true(sent_up()->dont_fragment);
}

static void test_channel(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_allocate(&caller);
    assert_int_equal(caller_bind(&caller, 0x4000, PEER), 200);
    caller_channel_data(&caller, 0x4000, VIEW("up"));
    assert_bytes(sent_up(), VIEW("up"));
    assert_int_equal(sent_up()->peer.port, 5000);
    caller_channel_data(&caller, 0x4001, VIEW("up"));
    assert_int_equal(house.peer_count, 0);
    house_feed_peer(caller.relay, PEER, VIEW("down"));
    assert_bytes(&house.clients[0], VIEW("\x40\x00\x00\x04"
                                         "down"));
    house_feed_peer(caller.relay, PEER, VIEW("odd"));
    assert_int_equal(house.clients[0].size, 7); /* not padded over UDP */
    /* the host's other ports come as Data indications */
    house_feed_peer(caller.relay, "8.8.8.8:1", VIEW("down"));
    assert_int_equal(house.clients[0].bytes[1], 0x17);
    /* Send works beside it */
    caller_send_data(&caller, PEER, VIEW("both"));
    assert_bytes(sent_up(), VIEW("both"));
}

static void test_channel_over_a_stream_is_padded(void **state)
{
    (void)state;
    for (uint8_t transport = TURN_OVER_TCP; transport <= TURN_OVER_DTLS; transport++) {
        struct caller caller = caller_at("1.2.3.4:999");
        caller.flow.transport = transport;
        caller_allocate(&caller);
        assert_int_equal(caller_bind(&caller, 0x7fff, PEER), 200);
        house_feed_peer(caller.relay, PEER, VIEW("odd"));
        assert_int_equal(house.clients[0].size, transport == TURN_OVER_DTLS ? 7 : 8);
        caller_channel_data(&caller, 0x7fff, VIEW("up"));
        assert_bytes(sent_up(), VIEW("up"));
    }
    assert_int_equal(metrics_read(&house.metrics, METRIC_TURN_ALLOCATED_TLS), 1);
}

/* Section 12.1: a number and an address belong to one another alone. */
static void test_channel_conflicts(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_allocate(&caller);
    assert_int_equal(caller_bind(&caller, 0x4000, PEER), 200);
    assert_int_equal(caller_bind(&caller, 0x4000, PEER), 200);
    assert_int_equal(caller_bind(&caller, 0x4001, PEER), 400);
    assert_int_equal(caller_bind(&caller, 0x4000, "8.8.8.8:5001"), 400);
    assert_int_equal(caller_bind(&caller, 0x3fff, "8.8.8.8:5001"), 400);
    assert_int_equal(caller_bind(&caller, 0x8000, "8.8.8.8:5001"), 400);
    assert_int_equal(caller_bind(&caller, 0x4001, "8.8.8.8:5001"), 200);
    assert_int_equal(caller_bind(&caller, 0x4002, "10.0.0.1:5001"), 403);
    assert_int_equal(caller_bind(&caller, 0x4002, PEER6), 443);
    caller_begin(&caller, STUN_CHANNEL_BIND);
    stun_add_channel(&caller.writer, 0x4005);
    assert_int_equal(caller_ask(&caller), 400);
    caller_begin(&caller, STUN_CHANNEL_BIND);
    stun_add_32(&caller.writer, STUN_XOR_PEER_ADDRESS, 1);
    stun_add_channel(&caller.writer, 0x4005);
    assert_int_equal(caller_ask(&caller), 400);
}

static void test_permission_errors(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    struct address good = house_address(PEER), bad = house_address("192.168.1.1:5000");
    caller_allocate(&caller);
    caller_begin(&caller, STUN_CREATE_PERMISSION);
    assert_int_equal(caller_ask(&caller), 400);
    assert_int_equal(caller_permit(&caller, PEER6), 443);
    assert_int_equal(caller_permit(&caller, "127.0.0.1:1"), 403);
    /* one that is refused refuses all of them (section 10.2) */
    caller_begin(&caller, STUN_CREATE_PERMISSION);
    stun_add_xor_address(&caller.writer, STUN_XOR_PEER_ADDRESS, &good);
    stun_add_xor_address(&caller.writer, STUN_XOR_PEER_ADDRESS, &bad);
    assert_int_equal(caller_ask(&caller), 403);
    caller_send_data(&caller, PEER, VIEW("x"));
    assert_int_equal(house.peer_count, 0);
    caller_begin(&caller, STUN_CREATE_PERMISSION);
    stun_add(&caller.writer, STUN_XOR_PEER_ADDRESS, VIEW("bad"));
    assert_int_equal(caller_ask(&caller), 400);
    struct caller other = caller_at("1.2.3.4:1000"); /* who has no allocation */
    caller_meet(&other);
    assert_int_equal(caller_permit(&other, PEER), 437);
}

static void test_permissions_and_channels_expire(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_allocate(&caller);
    assert_int_equal(caller_refresh(&caller, 3600), 200);
    assert_int_equal(caller_bind(&caller, 0x4000, PEER), 200);
    house_wait(299 * USEC_S);
    house_feed_peer(caller.relay, PEER, VIEW("x"));
    assert_int_equal(house.client_count, 1);
    house_wait(2 * USEC_S); /* the permission ends before the channel */
    house_feed_peer(caller.relay, PEER, VIEW("x"));
    assert_int_equal(house.client_count, 0);
    assert_int_equal(caller_permit(&caller, PEER), 200);
    house_feed_peer(caller.relay, PEER, VIEW("x"));
    assert_int_equal(house.clients[0].bytes[0], 0x40);
    house_wait(300 * USEC_S);
    caller_channel_data(&caller, 0x4000, VIEW("x"));
    assert_int_equal(house.peer_count, 0);
    /* then both are free for others */
    assert_int_equal(caller_bind(&caller, 0x4000, "9.9.9.9:1"), 200);
    assert_int_equal(caller_bind(&caller, 0x4001, PEER), 200);
    assert_int_equal(house.turn.peers.used, 4);
}

static void test_refresh_and_leave(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_allocate(&caller);
    assert_int_equal(caller_refresh(&caller, 10), 200);
    assert_int_equal(caller_number(&caller, STUN_LIFETIME), 600);
    assert_int_equal(caller_refresh(&caller, 1000000), 200);
    assert_int_equal(caller_number(&caller, STUN_LIFETIME), 3600);
    house_wait(3599 * USEC_S);
    assert_int_equal(house.turn.allocations.used, 1);
    caller_begin(&caller, STUN_REFRESH);
    stun_add(&caller.writer, STUN_LIFETIME, VIEW("bad"));
    assert_int_equal(caller_ask(&caller), 400);
    assert_int_equal(caller_refresh(&caller, 0), 200);
    assert_int_equal(caller_number(&caller, STUN_LIFETIME), 0);
    assert_int_equal(house.closes, 1);
    assert_int_equal(caller_send(&caller), 437); /* retransmitted */
    caller_channel_data(&caller, 0x4000, VIEW("x"));
    assert_int_equal(metrics_read(&house.metrics, METRIC_TURN_DROPPED_STRAY), 1);
}

static void test_client_vanishes(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_allocate(&caller);
    usec end = house.now + 600 * USEC_S;
    /* woken as the agent asks, it is there to the end, and no longer */
    for (int wakes = 0; house.turn.allocations.used; wakes++) {
        assert_in_range(wakes, 0, 10);
        assert_in_range(house.until, house.now, end + 2048);
        house_wait(house.until - house.now);
    }
    assert_in_range(house.now, end, end + 2048);
    assert_int_equal(house.closes, 1);
    assert_int_equal(house.turn.allocations.used, 0);
}

/* A clock that jumps ahead ends what it passes, before anything else is done; one that goes back
 * changes nothing. */
static void test_clock_jumps(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_allocate(&caller);
    assert_int_equal(caller_bind(&caller, 0x4000, PEER), 200);
    usec then = house.now;
    house.now -= 500 * USEC_S;
    caller_channel_data(&caller, 0x4000, VIEW("x"));
    assert_int_equal(house.peer_count, 1);
    house_wait(0);
    house.now = then + 100000 * USEC_S;
    caller_channel_data(&caller, 0x4000, VIEW("x"));
    assert_int_equal(house.peer_count, 0);
    assert_int_equal(house.closes, 1);
    caller_allocate(&caller); /* and there is room again */
}

/* What is over is over, even if its timer has not been heard yet. */
static void test_request_just_after_the_end(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_allocate(&caller);
    house.now += 600 * USEC_S + 2048;
    assert_int_equal(caller_refresh(&caller, 600), 437);
    assert_int_equal(house.closes, 1);
}

/* A clock that goes back must not fill up what may be relayed. */
static void test_clock_goes_back(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    house.config.bytes_per_s_allocation = 10;
    caller_allocate(&caller);
    assert_int_equal(caller_bind(&caller, 0x4000, PEER), 200);
    caller_channel_data(&caller, 0x4000, VIEW("0123456789"));
    assert_int_equal(house.peer_count, 1);
    house.now -= 500 * USEC_S;
    caller_channel_data(&caller, 0x4000, VIEW("0123456789"));
    assert_int_equal(house.peer_count, 0);
    house.now += 500 * USEC_S;
}

static void test_stream_ends(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller.flow.transport = TURN_OVER_TCP;
    caller_allocate(&caller);
    turn_client_gone(&house.turn, house.now, &caller.flow);
    house_drain();
    assert_int_equal(house.closes, 1);
    turn_client_gone(&house.turn, house.now, &caller.flow);
    house_drain();
    assert_int_equal(house.turn.allocations.used, 0);
}

static void test_relay_socket_fails(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_allocate(&caller);
    house_forget();
    turn_relay_gone(&house.turn, house.now, caller.relay);
    house_drain();
    assert_int_equal(house.closes, 1);
    assert_int_equal(caller_refresh(&caller, 600), 437);
}

static void test_icmp(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    struct address peer = house_address(PEER), other = house_address("8.8.4.4:1"), seen;
    struct stun_icmp icmp = { 3, 4, 1280 }, read;
    struct stun_msg msg;
    caller_allocate(&caller);
    assert_int_equal(caller_permit(&caller, PEER), 200);
    house_forget();
    turn_feed_icmp(&house.turn, house.now, caller.relay, &other, &icmp);
    house_drain();
    assert_int_equal(house.client_count, 0);
    turn_feed_icmp(&house.turn, house.now, caller.relay, &peer, &icmp);
    house_drain();
    assert_int_equal(stun_read(view_make(house.clients[0].bytes, house.clients[0].size), &msg), OK);
    assert_int_equal(msg.method, STUN_DATA);
    assert_int_equal(stun_read_xor_address(&msg, stun_find(&msg, STUN_XOR_PEER_ADDRESS), &seen),
                     OK);
    assert_true(address_equal(&seen, &peer));
    assert_int_equal(stun_read_icmp(stun_find(&msg, STUN_ICMP), &read), OK);
    assert_int_equal(read.data, 1280);
    assert_null(stun_find(&msg, STUN_DATA_VALUE));
}

static void test_our_own_ports(void **state)
{
    (void)state;
    struct caller a = caller_at("1.2.3.4:999");
    caller_allocate(&a);
    /* the relay of another worker's client, maybe */
    assert_int_equal(caller_bind(&a, 0x4000, "198.41.0.4:60000"), 200);
    caller_channel_data(&a, 0x4000, VIEW("x"));
    assert_int_equal(sent_up()->peer.port, 60000);
    assert_int_equal(caller_bind(&a, 0x4001, "198.41.0.4:22"), 403);
    assert_int_equal(caller_permit(&a, "198.41.0.4:22"), 200); /* has no port */
    caller_send_data(&a, "198.41.0.4:22", VIEW("x"));
    assert_int_equal(house.peer_count, 0);
}

static void test_binding_on_the_same_port(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_begin(&caller, STUN_BINDING);
    assert_int_equal(caller_send(&caller), 200);
    assert_int_equal(house.clients[0].size, 32);
}

static void test_what_is_dropped(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",   "40",   "4000", "400000",   "40000001",
        "00", "8000", "ff",   "00010000", "0001000021120442000000000000000000000000"
    };
    struct caller caller = caller_at("1.2.3.4:999");
    caller_allocate(&caller);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        uint8_t bytes[32];
        house_feed(&caller.flow, view_make(bytes, test_read_hex(BAD[i], bytes)));
        assert_int_equal(house.client_count + house.peer_count, 0);
    }
    /* responses, indications that are no Send, and methods that nobody knows */
    for (uint16_t type = 0; type < 0x4000; type += 1) {
        uint8_t bytes[20] = { (uint8_t)(type >> 8), (uint8_t)type, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
        unsigned method = (type & 0xfu) | (type >> 1 & 0x70u) | (type >> 2 & 0xf80u);
        bool is_request =
            !(type & 0x110) && (method == 1 || method == 3 || method == 4 || method == 8 ||
                                method == 9 || method == 10 || method == 11);
        house.now += USEC_S; /* the budget of strangers is another test's */
        house_feed(&caller.flow, view_make(bytes, sizeof bytes));
        assert_int_equal(house.client_count, is_request);
        if (type == 0x400)
            caller_refresh(&caller, 3600);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_allocate),
        TEST(test_allocate_again),
        TEST(test_allocate_again_before_the_answer),
        TEST(test_no_port),
        TEST(test_port_that_came_too_late),
        TEST(test_leaving_before_the_port_came),
        TEST(test_send_and_data),
        TEST(test_dont_fragment),
        TEST(test_channel),
        TEST(test_channel_over_a_stream_is_padded),
        TEST(test_channel_conflicts),
        TEST(test_permission_errors),
        TEST(test_permissions_and_channels_expire),
        TEST(test_refresh_and_leave),
        TEST(test_client_vanishes),
        TEST(test_clock_jumps),
        TEST(test_request_just_after_the_end),
        TEST(test_clock_goes_back),
        TEST(test_stream_ends),
        TEST(test_relay_socket_fails),
        TEST(test_icmp),
        TEST(test_our_own_ports),
        TEST(test_binding_on_the_same_port),
        TEST(test_what_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
