/* test_stun_behavior.c - NAT behavior discovery (RFC 5780): from where answers go, and to where;
 * what is refused; and that no more comes out than a stranger may cost. */
#include "turn_house.h"

#define CLIENT "198.51.100.9:4000"

static struct stun_behavior behavior;
static uint8_t bytes[2048];
static uint8_t answer[TURN_ANSWER_MAX];
static struct stun_writer request;
static struct stun_msg answered;
static struct stun_way way;
static struct metrics counted;

static void open_places(void)
{
    behavior.primary = house_address("192.0.2.1:3478");
    behavior.alternate = house_address("192.0.2.2:3479");
}

static void begin(void)
{
    static const uint8_t TRANSACTION[STUN_TRANSACTION_SIZE] = { 1, 2, 3 };
    stun_begin(&request, bytes, sizeof bytes, STUN_REQUEST, STUN_BINDING, TRANSACTION);
}

static void add_change(bool host, bool port)
{
    stun_add_32(&request, STUN_CHANGE_REQUEST, (host ? 4u : 0) | (port ? 2u : 0));
}

/* What is answered at one of the places: 200 a success, 0 nothing, or the error's code. */
static unsigned ask_at(const char *at, bool is_datagram)
{
    struct address from = house_address(CLIENT);
    struct address to = house_address(at);
    struct view reason;
    unsigned code = 200;
    uint8_t *copy = test_copy(view_make(bytes, request.size));
    assert_false(request.overflow);
    size_t size = stun_behavior_answer(&behavior, view_make(copy, request.size), &from, &to,
                                       is_datagram, &counted, answer, sizeof answer, &way);
    free(copy);
    if (size == 0)
        return 0;
    assert_int_equal(stun_read(view_make(answer, size), &answered), OK);
    if (answered.class == STUN_ERROR)
        assert_int_equal(stun_read_error(stun_find(&answered, STUN_ERROR_CODE), &code, &reason),
                         OK);
    return code;
}

static void expect_address(const struct address *address, const char *wanted)
{
    char text[ADDRESS_TEXT_SIZE];
    address_write(address, text);
    assert_string_equal(text, wanted);
}

static void expect_attribute(uint16_t type, const char *wanted)
{
    struct address address;
    const struct stun_attr *attr = stun_find(&answered, type);
    assert_non_null(attr);
    assert_int_equal(stun_read_address(attr, &address), OK);
    expect_address(&address, wanted);
}

static void test_places(void **state)
{
    (void)state;
    open_places();
    struct address other = house_address("192.0.2.3:3478");
    for (int i = 0; i < 4; i++) {
        static const char *const PLACES[] = { "192.0.2.1:3478", "192.0.2.1:3479", "192.0.2.2:3478",
                                              "192.0.2.2:3479" };
        struct address place = house_address(PLACES[i]);
        assert_true(stun_behavior_has(&behavior, &place));
        for (int j = 0; j < 4; j++) {
            begin();
            add_change(j & 2, j & 1);
            assert_int_equal(ask_at(PLACES[i], true), 200);
            expect_address(&way.from, PLACES[i ^ j]);
            expect_address(&way.to, CLIENT);
            expect_attribute(STUN_RESPONSE_ORIGIN, PLACES[i ^ j]);
            expect_attribute(STUN_OTHER_ADDRESS, PLACES[i ^ 3]);
            expect_attribute(STUN_MAPPED_ADDRESS, CLIENT);
        }
    }
    assert_false(stun_behavior_has(&behavior, &other));
    behavior = (struct stun_behavior){ .primary = { .family = ADDRESS_NONE } };
    assert_false(stun_behavior_has(&behavior, &(struct address){ .family = ADDRESS_NONE }));
}

static void test_response_port(void **state)
{
    (void)state;
    open_places();
    begin();
    stun_add(&request, STUN_RESPONSE_PORT, view_make((const uint8_t[]){ 0x12, 0x34, 0, 0 }, 4));
    assert_int_equal(ask_at("192.0.2.1:3478", true), 200);
    expect_address(&way.to, "198.51.100.9:4660");
    expect_address(&way.from, "192.0.2.1:3478");
    begin();
    stun_add(&request, STUN_RESPONSE_PORT, view_make((const uint8_t[]){ 0x12, 0x34 }, 2));
    assert_int_equal(ask_at("192.0.2.1:3478", true), 200);
    expect_address(&way.to, "198.51.100.9:4660");
}

/* It comes back, bounded by what it was, and by what an answer may have. */
static void test_padding(void **state)
{
    (void)state;
    static const uint8_t ZEROS[1500];
    open_places();
    for (size_t size = 0; size <= sizeof ZEROS; size += 250) {
        begin();
        stun_add(&request, STUN_PADDING, view_make(ZEROS, size));
        stun_add_fingerprint(&request);
        assert_int_equal(ask_at("192.0.2.1:3478", true), 200);
        const struct stun_attr *padding = stun_find(&answered, STUN_PADDING);
        assert_non_null(padding);
        assert_in_range(padding->value.size, size < 900 ? size / 4 * 4 : 900, size);
        assert_true(answered.has_fingerprint);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const uint8_t PORTS[] = { 0, 0, 0, 0, 0, 0 };
    open_places();
    for (size_t size = 0; size <= sizeof PORTS; size++) {
        begin();
        add_change(true, true);
        stun_add(&request, STUN_RESPONSE_PORT, view_make(PORTS, size));
        assert_int_equal(ask_at("192.0.2.1:3478", true), 400);
        expect_address(&way.from, "192.0.2.1:3478");
        expect_address(&way.to, CLIENT);
    }
    begin();
    stun_add(&request, STUN_CHANGE_REQUEST, VIEW("abc"));
    assert_int_equal(ask_at("192.0.2.1:3478", true), 400);
    begin(); /* section 7.6 */
    stun_add(&request, STUN_RESPONSE_PORT, view_make((const uint8_t[]){ 1, 2 }, 2));
    stun_add(&request, STUN_PADDING, VIEW("1234"));
    assert_int_equal(ask_at("192.0.2.1:3478", true), 400);
    begin();
    stun_add(&request, 0x7777, VIEW("1234"));
    assert_int_equal(ask_at("192.0.2.1:3478", true), 420);
    /* a stream has one way back */
    begin();
    add_change(true, false);
    assert_int_equal(ask_at("192.0.2.1:3478", false), 420);
    begin();
    assert_int_equal(ask_at("192.0.2.1:3478", false), 200);
    expect_attribute(STUN_OTHER_ADDRESS, "192.0.2.2:3479");
}

/* Whatever comes, answers go to the host that asked, from one of the four places. */
static void test_bit_flips(void **state)
{
    (void)state;
    struct address client = house_address(CLIENT);
    open_places();
    begin();
    add_change(true, false);
    stun_add(&request, STUN_RESPONSE_PORT, view_make((const uint8_t[]){ 0x12, 0x34, 0, 0 }, 4));
    stun_add(&request, STUN_PADDING, VIEW("12345678"));
    size_t whole = request.size;
    for (size_t bit = 0; bit < whole * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ask_at("192.0.2.1:3478", true);
        assert_true(stun_behavior_has(&behavior, &way.from));
        assert_memory_equal(way.to.bytes, client.bytes, sizeof client.bytes);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t size = 0; size < whole; size++) {
        request.size = size;
        assert_int_equal(ask_at("192.0.2.1:3478", true), 0);
    }
}

/* By the agent: answered from elsewhere, and within the budget of strangers. */
static void test_budget(void **state)
{
    (void)state;
    struct turn_flow flow = house_flow(CLIENT);
    behavior.primary = flow.server;
    behavior.alternate = house_address("192.0.2.2:3479");
    house.config.behavior = &behavior;
    size_t in = 0;
    size_t out = 0;
    for (int i = 0; i < 5000; i++) {
        begin();
        add_change(true, true);
        house_feed(&flow, view_make(bytes, request.size));
        in += request.size;
        if (house.client_count == 0)
            continue;
        out += house.clients[0].size;
        assert_true(address_equal(&house.clients[0].flow.server, &behavior.alternate));
        assert_true(address_equal(&house.clients[0].flow.client, &flow.client));
    }
    assert_in_range(out, 1, in * 6 / 5 + TURN_BUDGET_PREFIX_BYTES);
    house.config.behavior = NULL;
    begin();
    add_change(true, true);
    house.now += USEC_S;
    house_feed(&flow, view_make(bytes, request.size));
    assert_int_equal(house.client_count, 1);
    assert_int_equal(stun_read(view_make(house.clients[0].bytes, house.clients[0].size), &answered),
                     OK);
    assert_int_equal(answered.class, STUN_ERROR); /* off: 420 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_response_port),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bit_flips),
        cmocka_unit_test_setup_teardown(test_budget, house_setup, house_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
