/* test_turn.c - TURN on streams: messages in any pieces, on any port, and what they open. */
#include "house_turn.h"

static const struct turn_config TURN = HOUSE_TURN(16, 16);

static struct house *open_house(unsigned workers)
{
    struct wishes wishes = { .workers = workers, .turn = &TURN };
    return house_build(&wishes);
}

struct request {
    struct stun_writer writer;
    uint8_t bytes[512];
    char nonce[128];
    size_t nonce_size;
};

static struct view written(const struct request *request)
{
    return view_make(request->bytes, request->writer.size);
}

static void begin(struct request *request, uint16_t method)
{
    static uint8_t transaction[STUN_TRANSACTION_SIZE];
    transaction[0]++;
    stun_begin(&request->writer, request->bytes, sizeof request->bytes, STUN_REQUEST, method,
               transaction);
    if (method == STUN_ALLOCATE)
        stun_add_protocol(&request->writer, TURN_UDP);
}

static void sign(struct request *request)
{
    struct stun_key key;
    assert_int_equal(
        stun_key_make(STUN_ALGORITHM_MD5, VIEW("alice"), VIEW("moim"), VIEW("wonder"), &key), OK);
    stun_add(&request->writer, STUN_USERNAME, VIEW("alice"));
    stun_add(&request->writer, STUN_REALM, VIEW("moim"));
    stun_add(&request->writer, STUN_NONCE, view_make(request->nonce, request->nonce_size));
    stun_add_integrity(&request->writer, stun_key_view(&key));
    assert_false(request->writer.overflow);
}

/* Takes the next message that the wire got: 200 a success, or its error's code. */
static unsigned take_answer(struct wire *wire, struct request *request)
{
    struct stun_msg answer;
    struct view reason;
    unsigned code = 200;
    size_t size;
    assert_int_equal(turn_stream_size(bytes_view(&wire->got), &size), OK);
    assert_in_range(size, 1, wire->got.size);
    assert_int_equal(stun_read(view_make(wire->got.at, size), &answer), OK);
    if (answer.class == STUN_ERROR)
        assert_int_equal(stun_read_error(stun_find(&answer, STUN_ERROR_CODE), &code, &reason), OK);
    const struct stun_attr *nonce = stun_find(&answer, STUN_NONCE);
    if (nonce) {
        assert_in_range(nonce->value.size, 1, sizeof request->nonce);
        memcpy(request->nonce, nonce->value.at, nonce->value.size);
        request->nonce_size = nonce->value.size;
    }
    bytes_used(&wire->got, size);
    return code;
}

static void allocate(struct wire *wire, struct request *request)
{
    begin(request, STUN_ALLOCATE);
    wire_send(wire, written(request));
    assert_int_equal(take_answer(wire, request), 401);
    begin(request, STUN_ALLOCATE);
    sign(request);
    wire_send(wire, written(request));
    assert_int_equal(take_answer(wire, request), 200);
}

static void bind_channel(struct wire *wire, struct request *request)
{
    struct address peer = { .family = ADDRESS_IPV4, .bytes = { 8, 8, 4, 4 }, .port = 1000 };
    begin(request, STUN_CHANNEL_BIND);
    stun_add_channel(&request->writer, 0x4001);
    stun_add_xor_address(&request->writer, STUN_XOR_PEER_ADDRESS, &peer);
    sign(request);
    wire_send(wire, written(request));
    assert_int_equal(take_answer(wire, request), 200);
}

static void http_ports_speak_it(void **state)
{
    (void)state;
    struct house *house = open_house(1);
    struct request request;
    struct wire *wire = house_connect(house);
    begin(&request, STUN_BINDING);
    wire_send(wire, written(&request));
    assert_int_equal(take_answer(wire, &request), 200);
    wire_write(house_connect(house), "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(view_starts(bytes_view(&house->wires[1].got), VIEW("HTTP/1.1 200")));
    house_close(house);
}

static void messages_come_in_any_pieces(void **state)
{
    (void)state;
    struct house *house = open_house(1);
    struct request request;
    struct wire *wire = house_connect(house);
    begin(&request, STUN_BINDING);
    for (size_t i = 0; i < request.writer.size; i++)
        wire_send(wire, view_make(request.bytes + i, 1));
    assert_int_equal(take_answer(wire, &request), 200);
    allocate(wire, &request);
    assert_int_equal(house->relay_count, 1);
    bind_channel(wire, &request);

    /* five of them and half a sixth at once, then the rest of it, and a request behind */
    static const uint8_t DATA[] = { 0x40, 1, 0, 5, 'h', 'e', 'l', 'l', 'o', 0, 0, 0 };
    uint8_t all[6 * sizeof DATA];
    for (size_t i = 0; i < 6; i++)
        memcpy(all + i * sizeof DATA, DATA, sizeof DATA);
    for (size_t cut = 1; cut < sizeof all; cut++) {
        house->relayed_count = 0;
        bytes_used(&house->relayed, house->relayed.size);
        wire_send(wire, view_make(all, cut));
        assert_int_equal(house->relayed_count, cut / sizeof DATA);
        wire_send(wire, view_make(all + cut, sizeof all - cut));
        assert_int_equal(house->relayed_count, 6);
        assert_memory_equal(house->relayed.at, "hellohellohellohellohellohello", 30);
    }
    house_close(house);
}

static void what_peers_send_comes_down(void **state)
{
    (void)state;
    struct house *house = open_house(1);
    struct request request;
    struct wire *wire = house_dial(house, 0, STREAM_STUN);
    struct address peer = { .family = ADDRESS_IPV4, .bytes = { 8, 8, 4, 4 }, .port = 1000 };
    allocate(wire, &request);
    bind_channel(wire, &request);
    server_relay_peer(house->servers[0], house->now, house->relay, &peer, VIEW("salut"));
    house_drain(house);
    static const uint8_t WANTED[] = { 0x40, 1, 0, 5, 's', 'a', 'l', 'u', 't', 0, 0, 0 };
    assert_int_equal(wire->got.size, sizeof WANTED);
    assert_memory_equal(wire->got.at, WANTED, sizeof WANTED);

    /* a client that reads nothing loses packets, not its connection */
    wire_give_room(wire, 0);
    for (int i = 0; i < 100000; i++) {
        server_relay_peer(house->servers[0], house->now, house->relay, &peer, VIEW("salut"));
        house_drain(house);
    }
    assert_true(house_metric(house, METRIC_TURN_DROPPED_RATE) > 0);
    assert_false(wire_is_closed(wire));
    house_close(house);
}

static void an_allocation_keeps_its_stream(void **state)
{
    (void)state;
    struct house *house = open_house(1);
    struct request request;
    struct wire *idle = house_dial(house, 0, STREAM_STUN);
    struct wire *wire = house_dial(house, 0, STREAM_STUN);
    /* one address is one client to the agent: the idle one has another */
    allocate(wire, &request);
    wire_drop(idle);
    assert_int_equal(house->relay_count, 0); /* it had the same 5-tuple */
    wire_drop(wire);
    wire = house_dial(house, 0, STREAM_STUN);
    allocate(wire, &request);
    house_wait(house, 500 * USEC_S);
    assert_false(wire_is_closed(wire));
    house_wait(house, 200 * USEC_S); /* the allocation ends, then the stream */
    assert_int_equal(house->relay_count, 0);
    assert_true(wire_is_closed(wire));
    house_close(house);
}

static void garbage_ends_the_stream(void **state)
{
    (void)state;
    struct house *house = open_house(1);
    struct request request;
    struct wire *wire = house_dial(house, 0, STREAM_STUN);
    allocate(wire, &request);
    wire_send(wire, view_make("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12));
    wire_send(wire, view_make("\xff\xff\xff\xff\xff\xff\xff\xff", 8));
    assert_true(wire_is_closed(wire));
    assert_int_equal(house->relay_count, 0);
    house_close(house);
}

static void streams_go_where_their_token_is(void **state)
{
    (void)state;
    struct house *house = open_house(2);
    struct request request;
    struct wire *wire = house_connect(house);
    begin(&request, STUN_ALLOCATE);
    stun_add_64(&request.writer, STUN_RESERVATION_TOKEN, UINT64_C(1) << 56);
    wire_send(wire, written(&request));
    assert_int_equal(wire->worker, 1);
    assert_int_equal(take_answer(wire, &request), 401);
    begin(&request, STUN_BINDING);
    wire_send(wire, written(&request));
    assert_int_equal(take_answer(wire, &request), 200);
    house_close(house);
}

/* Asks for an allocation on a connection of its own: 200, or the error's code. */
static unsigned try_allocate(struct house *house, unsigned worker)
{
    struct request request;
    house->peer.port++;
    struct wire *wire = house_dial(house, worker, STREAM_HTTP);
    begin(&request, STUN_ALLOCATE);
    wire_send(wire, written(&request));
    assert_int_equal(take_answer(wire, &request), 401);
    begin(&request, STUN_ALLOCATE);
    sign(&request);
    wire_send(wire, written(&request));
    return take_answer(wire, &request);
}

/* What a user or a prefix may hold, it may hold of all workers together. */
static void quotas_are_of_all_workers(void **state)
{
    (void)state;
    for (int of_prefix = 0; of_prefix < 2; of_prefix++) {
        struct turn_config config = TURN;
        config.shared = calloc(1, sizeof *config.shared);
        assert_non_null(config.shared);
        turn_shared_init(config.shared, &RANDOM);
        if (of_prefix)
            config.allocations_per_prefix_max = 3;
        else
            config.allocations_per_user_max = 3;
        struct house *house = house_build(&(struct wishes){ .workers = 2, .turn = &config });
        assert_int_equal(try_allocate(house, 0), 200);
        assert_int_equal(try_allocate(house, 1), 200);
        assert_int_equal(try_allocate(house, 1), 200);
        assert_int_equal(try_allocate(house, 0), 486);
        assert_int_equal(try_allocate(house, 1), 486);
        wire_drop(&house->wires[1]);
        assert_int_equal(try_allocate(house, 0), 200);
        assert_int_equal(try_allocate(house, 0), 486);
        house_close(house);
        for (size_t i = 0; i < TURN_SHARED_ROWS * TURN_SHARED_CELLS; i++)
            assert_int_equal((&config.shared->users.cells[0][0])[i] |
                                 (&config.shared->prefixes.cells[0][0])[i],
                             0);
        free(config.shared);
    }
}

static int another_password_of(void *context, struct view name, struct view *password)
{
    (void)context;
    (void)name;
    *password = VIEW("another");
    return OK;
}

/* Passwords and quotas are set anew: who has an allocation keeps it, and goes on using it. */
static void terms_change_under_way(void **state)
{
    (void)state;
    struct house *house = open_house(1);
    struct turn_config config = TURN;
    struct server_terms terms = { .turn = &config };
    struct request request;
    struct wire *wire = house_connect(house);
    allocate(wire, &request);
    config.users.by_name = another_password_of;
    config.allocations_per_prefix_max = 1;
    server_set_terms(house->servers[0], &terms);
    bind_channel(wire, &request);
    begin(&request, STUN_REFRESH);
    sign(&request);
    wire_send(wire, written(&request));
    assert_int_equal(take_answer(wire, &request), 200);
    /* the old password makes no other */
    house->peer.port++;
    struct wire *other = house_connect(house);
    struct request another;
    begin(&another, STUN_ALLOCATE);
    wire_send(other, written(&another));
    assert_int_equal(take_answer(other, &another), 401);
    begin(&another, STUN_ALLOCATE);
    sign(&another);
    wire_send(other, written(&another));
    assert_int_equal(take_answer(other, &another), 401);
    /* and the right one more than the new quota allows */
    config.users.by_name = password_of;
    server_set_terms(house->servers[0], &terms);
    begin(&another, STUN_ALLOCATE);
    sign(&another);
    wire_send(other, written(&another));
    assert_int_equal(take_answer(other, &another), 486);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_ports_speak_it),
        cmocka_unit_test(terms_change_under_way),
        cmocka_unit_test(quotas_are_of_all_workers),
        cmocka_unit_test(messages_come_in_any_pieces),
        cmocka_unit_test(what_peers_send_comes_down),
        cmocka_unit_test(an_allocation_keeps_its_stream),
        cmocka_unit_test(garbage_ends_the_stream),
        cmocka_unit_test(streams_go_where_their_token_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
