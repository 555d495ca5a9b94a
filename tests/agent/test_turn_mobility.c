/* test_turn_mobility.c - allocations that move with their clients (RFC 8016): tickets, lost answers
 * on the way, and thieves. */
#include "turn_house.h"

#define PEER "8.8.8.8:5000"

static void allocate_mobile(struct caller *caller)
{
    caller_meet(caller);
    caller_begin_allocate(caller);
    stun_add(&caller->writer, STUN_MOBILITY_TICKET, VIEW(""));
    assert_int_equal(caller_ask(caller), 200);
    caller_allocated(caller);
    assert_int_equal(caller_bind(caller, 0x4000, PEER), 200);
}

/* From another address; it needs a nonce for it first. */
static void begin_move(struct caller *caller, const char *client)
{
    caller->flow.client = house_address(client);
    caller_meet(caller);
    caller_begin(caller, STUN_REFRESH);
    stun_add_32(&caller->writer, STUN_LIFETIME, 600);
    stun_add(&caller->writer, STUN_MOBILITY_TICKET, view_make(caller->ticket, TURN_TICKET_SIZE));
}

static void take_ticket(struct caller *caller)
{
    const struct stun_attr *ticket = stun_find(&caller->answer, STUN_MOBILITY_TICKET);
    assert_non_null(ticket);
    assert_int_equal(ticket->value.size, TURN_TICKET_SIZE);
    assert_memory_not_equal(ticket->value.at, caller->ticket, TURN_TICKET_SIZE);
    memcpy(caller->ticket, ticket->value.at, TURN_TICKET_SIZE);
}

static bool is_heard_at(const struct caller *caller, const char *client)
{
    struct address address = house_address(client);
    house_feed_peer(caller->relay, PEER, VIEW("x"));
    return house.client_count == 1 && address_equal(&house.clients[0].flow.client, &address);
}

static void test_move(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    allocate_mobile(&caller);
    assert_true(is_heard_at(&caller, "1.2.3.4:999"));
    struct turn_flow before = caller.flow;
    for (unsigned i = 0; i < 3; i++) {
        char text[32];
        snprintf(text, sizeof text, "5.6.7.%u:99", i);
        begin_move(&caller, text);
        assert_int_equal(caller_ask(&caller), 200);
        take_ticket(&caller);
        assert_true(is_heard_at(&caller, text));
        caller_channel_data(&caller, 0x4000, VIEW("up"));
        assert_int_equal(house.peer_count, 1);
        assert_int_equal(caller_refresh(&caller, 600), 200);
    }
    /* nothing is left where it was */
    turn_client_gone(&house.turn, house.now, &before);
    house_drain();
    struct caller other = caller_at("1.2.3.4:999");
    caller_allocate(&other);
    assert_int_equal(house.turn.allocations.used, 2);
}

/* The answer is lost: the client asks again, with the ticket that it has. */
static void test_answer_is_lost(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    allocate_mobile(&caller);
    begin_move(&caller, "5.6.7.8:9");
    assert_int_equal(caller_ask(&caller), 200);
    assert_int_equal(caller_send(&caller), 200); /* the same bytes again */
    take_ticket(&caller);
    caller_begin(&caller, STUN_REFRESH); /* one that stays, and shows its ticket, keeps it */
    stun_add(&caller.writer, STUN_MOBILITY_TICKET, view_make(caller.ticket, TURN_TICKET_SIZE));
    assert_int_equal(caller_ask(&caller), 200);
    const struct stun_attr *ticket = stun_find(&caller.answer, STUN_MOBILITY_TICKET);
    assert_memory_equal(ticket->value.at, caller.ticket, TURN_TICKET_SIZE);
    assert_true(is_heard_at(&caller, "5.6.7.8:9"));
}

/* The answer is lost, and the client moves on before it asks again. */
static void test_moving_on_with_the_old_ticket(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    allocate_mobile(&caller);
    begin_move(&caller, "5.6.7.8:9");
    assert_int_equal(caller_ask(&caller), 200);
    begin_move(&caller, "5.6.7.9:9");
    assert_int_equal(caller_ask(&caller), 200);
    take_ticket(&caller);
    assert_true(is_heard_at(&caller, "5.6.7.9:9"));
}

/* Once the client has been heard with the new one, the old ticket is worth nothing. */
static void test_old_ticket_ends(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    allocate_mobile(&caller);
    struct caller thief = caller;
    begin_move(&caller, "5.6.7.8:9");
    assert_int_equal(caller_ask(&caller), 200);
    take_ticket(&caller);
    assert_int_equal(caller_refresh(&caller, 600), 200);
    begin_move(&thief, "6.6.6.6:6");
    assert_int_equal(caller_ask(&thief), 437);
    assert_true(is_heard_at(&caller, "5.6.7.8:9"));
}

static void test_ticket_without_credentials(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    allocate_mobile(&caller);
    struct caller thief = caller;
    thief.password = VIEW("wander");
    begin_move(&thief, "6.6.6.6:6");
    assert_int_equal(caller_ask(&thief), 401);
    thief.password = VIEW("wonder");
    thief.name = VIEW("bob");
    begin_move(&thief, "6.6.6.6:6");
    assert_int_equal(caller_ask(&thief), 441);
    assert_true(is_heard_at(&caller, "1.2.3.4:999"));
}

static void test_wrong_tickets(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    allocate_mobile(&caller);
    for (unsigned bit = 0; bit < TURN_TICKET_SIZE * 8; bit++) {
        struct caller wrong = caller;
        house.now += USEC_S / 10;
        wrong.ticket[bit / 8] ^= (uint8_t)(1 << bit % 8);
        begin_move(&wrong, "5.6.7.8:9");
        assert_int_equal(caller_ask(&wrong), 437);
    }
    /* a flow that has an allocation of its own can't take another */
    struct caller other = caller_at("5.6.7.8:9");
    caller_allocate(&other);
    caller_begin(&other, STUN_REFRESH);
    stun_add(&other.writer, STUN_MOBILITY_TICKET, view_make(caller.ticket, TURN_TICKET_SIZE));
    assert_int_equal(caller_ask(&other), 405);
    assert_true(is_heard_at(&caller, "1.2.3.4:999"));
}

/* Clients may keep a ticket as a string. */
static void test_tickets_are_text(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        char text[32];
        snprintf(text, sizeof text, "1.2.3.4:%u", 1000 + i);
        struct caller caller = caller_at(text);
        allocate_mobile(&caller);
        for (unsigned j = 0; j < TURN_TICKET_SIZE; j++)
            assert_in_range(caller.ticket[j], '!', '~');
    }
}

static void test_ticket_of_what_is_gone(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    allocate_mobile(&caller);
    struct caller later = caller;
    assert_int_equal(caller_refresh(&caller, 0), 200);
    begin_move(&later, "5.6.7.8:9");
    assert_int_equal(caller_ask(&later), 437);
}

/* A stream that breaks is what mobility is for: the allocation waits. */
static void test_stream_breaks(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller.flow.transport = TURN_OVER_TLS;
    allocate_mobile(&caller);
    turn_client_gone(&house.turn, house.now, &caller.flow);
    house_drain();
    assert_int_equal(house.turn.allocations.used, 1);
    caller.flow.transport = TURN_OVER_UDP;
    begin_move(&caller, "5.6.7.8:9");
    assert_int_equal(caller_ask(&caller), 200);
    assert_true(is_heard_at(&caller, "5.6.7.8:9"));
}

static void test_leaving_by_ticket(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    allocate_mobile(&caller);
    caller.flow.client = house_address("5.6.7.8:9");
    caller_meet(&caller);
    caller_begin(&caller, STUN_REFRESH);
    stun_add_32(&caller.writer, STUN_LIFETIME, 0);
    stun_add(&caller.writer, STUN_MOBILITY_TICKET, view_make(caller.ticket, TURN_TICKET_SIZE));
    assert_int_equal(caller_ask(&caller), 200);
    assert_int_equal(house.turn.allocations.used, 0);
}

static void test_forbidden(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_meet(&caller);
    caller_begin_allocate(&caller);
    stun_add(&caller.writer, STUN_MOBILITY_TICKET, VIEW("not empty"));
    assert_int_equal(caller_ask(&caller), 400);
    house.config.mobility = false;
    caller_begin_allocate(&caller);
    stun_add(&caller.writer, STUN_MOBILITY_TICKET, VIEW(""));
    assert_int_equal(caller_ask(&caller), 405);
}

static void test_which_worker(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    uint8_t worker = 77;
    allocate_mobile(&caller);
    assert_false(turn_worker_of(view_make(caller.bytes, caller.writer.size), &worker));
    begin_move(&caller, "5.6.7.8:9");
    assert_true(turn_worker_of(view_make(caller.bytes, caller.writer.size), &worker));
    assert_int_equal(worker, 3);
    caller_begin(&caller, STUN_CONNECTION_BIND);
    stun_add_32(&caller.writer, STUN_CONNECTION_ID, 0x05000001);
    assert_true(turn_worker_of(view_make(caller.bytes, caller.writer.size), &worker));
    assert_int_equal(worker, 5);
    caller_begin_allocate(&caller);
    stun_add(&caller.writer, STUN_MOBILITY_TICKET, VIEW(""));
    assert_false(turn_worker_of(view_make(caller.bytes, caller.writer.size), &worker));
    stun_add_64(&caller.writer, STUN_RESERVATION_TOKEN, UINT64_C(9) << 56);
    assert_true(turn_worker_of(view_make(caller.bytes, caller.writer.size), &worker));
    assert_int_equal(worker, 9);
    assert_false(turn_worker_of(VIEW("x"), &worker));
}

static void expect_left(const char *client)
{
    struct address address = house_address(client);
    assert_int_equal(house.leaves, 1);
    assert_int_equal(house.left.door, 7);
    assert_true(address_equal(&house.left.client, &address));
}

/* A flow that comes by another worker is told of when its allocation has left it, and only then. */
static void test_leaving_a_door(void **state)
{
    struct caller caller = caller_at("1.2.3.4:999");
    (void)state;
    allocate_mobile(&caller);
    caller.flow.is_forwarded = true;
    caller.flow.door = 7;
    begin_move(&caller, "5.6.7.8:1");
    assert_int_equal(caller_ask(&caller), 200);
    take_ticket(&caller);
    assert_int_equal(house.leaves, 0); /* it came from a flow that is our own */
    assert_true(house.clients[0].flow.is_forwarded);
    begin_move(&caller, "5.6.7.8:2");
    assert_int_equal(caller_ask(&caller), 200);
    expect_left("5.6.7.8:1");
    assert_int_equal(caller_refresh(&caller, 600), 200);
    assert_int_equal(house.leaves, 0);
    assert_int_equal(caller_refresh(&caller, 0), 200);
    expect_left("5.6.7.8:2");
    caller_allocate(&caller);
    house_forget();
    house_wait(700 * USEC_S);
    expect_left("5.6.7.8:2");
    house_wait(700 * USEC_S);
    assert_int_equal(house.leaves, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_move),
        TEST(test_answer_is_lost),
        TEST(test_moving_on_with_the_old_ticket),
        TEST(test_old_ticket_ends),
        TEST(test_ticket_without_credentials),
        TEST(test_wrong_tickets),
        TEST(test_tickets_are_text),
        TEST(test_ticket_of_what_is_gone),
        TEST(test_stream_breaks),
        TEST(test_leaving_by_ticket),
        TEST(test_forbidden),
        TEST(test_which_worker),
        TEST(test_leaving_a_door),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
