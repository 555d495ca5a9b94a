/* test_turn_ports.c - which sockets are asked for: families, even ports and reservations; quotas,
 * pools that are used up, and how fast may be relayed. */
#include "turn_house.h"

#define PEER  "8.8.8.8:5000"
#define PEER6 "[2600::1]:5000"

static void begin_family(struct caller *caller, uint16_t type, enum address_family family)
{
    caller_begin_allocate(caller);
    stun_add_family(&caller->writer, type, family);
}

static void test_ipv6(void **state)
{
    (void)state;
    struct caller caller = caller_at("[2400:cb00::7]:999");
    caller.flow.server = house_address("[2a00:1450::5]:3478");
    caller_meet(&caller);
    begin_family(&caller, STUN_REQUESTED_ADDRESS_FAMILY, ADDRESS_IPV6);
    assert_int_equal(caller_ask(&caller), 200);
    caller_allocated(&caller);
    assert_int_equal(caller.relayed.family, ADDRESS_IPV6);
    assert_int_equal(house.open.family, ADDRESS_IPV6);
    assert_int_equal(caller_permit(&caller, PEER), 443);
    assert_int_equal(caller_bind(&caller, 0x4000, PEER6), 200);
    caller_channel_data(&caller, 0x4000, VIEW("x"));
    assert_int_equal(house.peer_count, 1);
    house_feed_peer(caller.relay, PEER6, VIEW("x"));
    assert_int_equal(house.client_count, 1);
}

static void test_family_errors(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_meet(&caller);
    caller_begin_allocate(&caller);
    stun_add_32(&caller.writer, STUN_REQUESTED_ADDRESS_FAMILY, 0x03000000);
    assert_int_equal(caller_ask(&caller), 440);
    caller_begin_allocate(&caller);
    stun_add(&caller.writer, STUN_REQUESTED_ADDRESS_FAMILY, VIEW("x"));
    assert_int_equal(caller_ask(&caller), 400);
    begin_family(&caller, STUN_ADDITIONAL_ADDRESS_FAMILY, ADDRESS_IPV4);
    assert_int_equal(caller_ask(&caller), 400);
    begin_family(&caller, STUN_ADDITIONAL_ADDRESS_FAMILY, ADDRESS_IPV6);
    stun_add_family(&caller.writer, STUN_REQUESTED_ADDRESS_FAMILY, ADDRESS_IPV6);
    assert_int_equal(caller_ask(&caller), 400);
    begin_family(&caller, STUN_ADDITIONAL_ADDRESS_FAMILY, ADDRESS_IPV6);
    stun_add_even_port(&caller.writer, true);
    assert_int_equal(caller_ask(&caller), 400);
    house.config.relays_ipv6 = false;
    begin_family(&caller, STUN_REQUESTED_ADDRESS_FAMILY, ADDRESS_IPV6);
    assert_int_equal(caller_ask(&caller), 440);
    house.config.relays_ipv6 = true;
    house.config.relays_ipv4 = false;
    caller_begin_allocate(&caller);
    assert_int_equal(caller_ask(&caller), 440);
    assert_int_equal(house.turn.allocations.used, 0);
}

static unsigned count_relayed(const struct caller *caller)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < caller->answer.attr_count; i++)
        count += caller->answer.attrs[i].type == STUN_XOR_RELAYED_ADDRESS;
    return count;
}

static void test_both_families(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_meet(&caller);
    begin_family(&caller, STUN_ADDITIONAL_ADDRESS_FAMILY, ADDRESS_IPV6);
    assert_int_equal(caller_ask(&caller), 200);
    assert_int_equal(count_relayed(&caller), 2);
    assert_int_equal(house.opens, 2);
    assert_int_equal(caller_permit(&caller, PEER), 200);
    assert_int_equal(caller_permit(&caller, PEER6), 200);
    caller_send_data(&caller, PEER, VIEW("x"));
    uint32_t first = house.peers[0].relay;
    caller_send_data(&caller, PEER6, VIEW("x"));
    assert_int_not_equal(house.peers[0].relay, first);
    /* a Refresh that names a family ends that one alone (section 8.2) */
    caller_begin(&caller, STUN_REFRESH);
    stun_add_32(&caller.writer, STUN_LIFETIME, 0);
    stun_add_family(&caller.writer, STUN_REQUESTED_ADDRESS_FAMILY, ADDRESS_IPV6);
    assert_int_equal(caller_ask(&caller), 200);
    assert_int_equal(house.closes, 1);
    caller_send_data(&caller, PEER6, VIEW("x"));
    assert_int_equal(house.peer_count, 0);
    caller_send_data(&caller, PEER, VIEW("x"));
    assert_int_equal(house.peer_count, 1);
    caller_begin(&caller, STUN_REFRESH);
    stun_add_family(&caller.writer, STUN_REQUESTED_ADDRESS_FAMILY, ADDRESS_IPV6);
    assert_int_equal(caller_ask(&caller), 443);
}

static void test_both_families_as_the_draft_had_it(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_meet(&caller);
    begin_family(&caller, STUN_ADDITIONAL_FAMILY_DRAFT, ADDRESS_IPV4);
    assert_int_equal(caller_ask(&caller), 400);
    begin_family(&caller, STUN_ADDITIONAL_FAMILY_DRAFT, ADDRESS_IPV6);
    assert_int_equal(caller_ask(&caller), 200);
    assert_int_equal(count_relayed(&caller), 2);
}

static void check_one_family_fails(enum address_family family, unsigned wanted)
{
    struct caller caller = caller_at("1.2.3.4:999");
    enum address_family failed;
    unsigned code;
    caller_meet(&caller);
    begin_family(&caller, STUN_ADDITIONAL_ADDRESS_FAMILY, ADDRESS_IPV6);
    assert_int_equal(caller_ask(&caller), 200);
    assert_int_equal(count_relayed(&caller), 1);
    const struct stun_attr *attr = stun_find(&caller.answer, STUN_ADDRESS_ERROR_CODE);
    assert_non_null(attr);
    assert_int_equal(stun_read_address_error(attr, &failed, &code), OK);
    assert_int_equal(failed, family);
    assert_int_equal(code, wanted);
    assert_int_equal(caller_refresh(&caller, 0), 200);
    assert_int_equal(house.turn.relays.used, 0);
}

static void test_one_of_both_families(void **state)
{
    (void)state;
    house.fails_family = ADDRESS_IPV6;
    check_one_family_fails(ADDRESS_IPV6, 508);
    house.fails_family = ADDRESS_IPV4;
    check_one_family_fails(ADDRESS_IPV4, 508);
    house.fails_family = 0;
    house.config.relays_ipv6 = false;
    check_one_family_fails(ADDRESS_IPV6, 440);
    house.config.relays_ipv6 = true;
    house.config.relays_ipv4 = false;
    check_one_family_fails(ADDRESS_IPV4, 440);
    house.fails_opens = true;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_meet(&caller);
    begin_family(&caller, STUN_ADDITIONAL_ADDRESS_FAMILY, ADDRESS_IPV6);
    assert_int_equal(caller_ask(&caller), 508);
    assert_int_equal(house.turn.relays.used, 0);
}

static void test_even_port(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    house.port = 50001;
    caller_meet(&caller);
    caller_begin_allocate(&caller);
    stun_add_even_port(&caller.writer, false);
    assert_int_equal(caller_ask(&caller), 200);
    caller_allocated(&caller);
    assert_int_equal(caller.relayed.port, 50002);
    assert_null(stun_find(&caller.answer, STUN_RESERVATION_TOKEN));
    assert_int_equal(house.open.next, TURN_NO_RELAY);
}

static void reserve(struct caller *caller)
{
    caller_meet(caller);
    caller_begin_allocate(caller);
    stun_add_even_port(&caller->writer, true);
    assert_int_equal(caller_ask(caller), 200);
    caller_allocated(caller);
    assert_int_equal(caller->relayed.port % 2, 0);
    assert_int_not_equal(caller->token, 0);
}

static void begin_claim(struct caller *caller, uint64_t token)
{
    caller_begin_allocate(caller);
    stun_add_64(&caller->writer, STUN_RESERVATION_TOKEN, token);
}

static void test_reservation(void **state)
{
    (void)state;
    struct caller rtp = caller_at("1.2.3.4:999"), rtcp = caller_at("1.2.3.4:1000");
    struct caller thief = caller_at("4.3.2.1:1");
    reserve(&rtp);
    assert_int_equal(house_open_count(), 2);
    thief.name = VIEW("bob");
    caller_meet(&thief);
    begin_claim(&thief, rtp.token);
    assert_int_equal(caller_ask(&thief), 508); /* another user's */
    caller_meet(&rtcp);
    for (unsigned bit = 0; bit < 64; bit++) {
        begin_claim(&rtcp, rtp.token ^ UINT64_C(1) << bit);
        assert_int_equal(caller_ask(&rtcp), 508);
    }
    begin_claim(&rtcp, rtp.token);
    stun_add_even_port(&rtcp.writer, false);
    assert_int_equal(caller_ask(&rtcp), 400);
    begin_claim(&rtcp, rtp.token);
    assert_int_equal(caller_ask(&rtcp), 200);
    caller_allocated(&rtcp);
    assert_int_equal(rtcp.relayed.port, rtp.relayed.port + 1);
    assert_int_equal(house.opens, 0);
    assert_int_equal(caller_send(&rtcp), 200); /* retransmitted */
    begin_claim(&thief, rtp.token);
    assert_int_equal(caller_ask(&thief), 508); /* only once */
}

static void test_reservation_expires(void **state)
{
    (void)state;
    struct caller rtp = caller_at("1.2.3.4:999"), rtcp = caller_at("1.2.3.4:1000");
    reserve(&rtp);
    house_forget();
    house_wait(31 * USEC_S);
    assert_int_equal(house.closes, 1);
    assert_int_equal(house_open_count(), 1);
    caller_meet(&rtcp);
    begin_claim(&rtcp, rtp.token);
    assert_int_equal(caller_ask(&rtcp), 508);
}

static void test_reservation_without_a_pair(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    house.fails_opens = true;
    caller_meet(&caller);
    caller_begin_allocate(&caller);
    stun_add_even_port(&caller.writer, true);
    assert_int_equal(caller_ask(&caller), 508);
    assert_int_equal(house.turn.relays.used, 0);
}

static void test_protocol_errors(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_meet(&caller);
    caller_begin(&caller, STUN_ALLOCATE);
    assert_int_equal(caller_ask(&caller), 400);
    caller_begin(&caller, STUN_ALLOCATE);
    stun_add(&caller.writer, STUN_REQUESTED_TRANSPORT, VIEW("x"));
    assert_int_equal(caller_ask(&caller), 400);
    caller_begin(&caller, STUN_ALLOCATE);
    stun_add_32(&caller.writer, STUN_REQUESTED_TRANSPORT, 0x84000000); /* SCTP */
    assert_int_equal(caller_ask(&caller), 442);
    caller_begin_allocate(&caller);
    stun_add(&caller.writer, STUN_LIFETIME, VIEW("x"));
    assert_int_equal(caller_ask(&caller), 400);
    caller_begin_allocate(&caller);
    stun_add(&caller.writer, STUN_EVEN_PORT, VIEW("xx"));
    assert_int_equal(caller_ask(&caller), 400);
    caller_begin_allocate(&caller);
    stun_add(&caller.writer, STUN_RESERVATION_TOKEN, VIEW("xx"));
    assert_int_equal(caller_ask(&caller), 400);
    assert_int_equal(house.turn.allocations.used, 0);
}

/* ---- limits ---- */

/* Allocates from port after port of an address, until it is refused; gives the code. */
static unsigned fill_up(const char *address, struct view name, unsigned *count)
{
    struct caller caller = caller_at(address);
    caller.name = name;
    for (*count = 0; *count < 100; ++*count) {
        caller.flow.client.port++;
        caller_meet(&caller);
        caller_begin_allocate(&caller);
        unsigned code = caller_ask(&caller);
        if (code != 200)
            return code;
    }
    return 0;
}

static void test_quotas(void **state)
{
    (void)state;
    unsigned count;
    house.config.allocations_per_user_max = 3;
    house.config.allocations_per_prefix_max = 4;
    assert_int_equal(fill_up("1.2.3.4:1", VIEW("alice"), &count), 486);
    assert_int_equal(count, 3);
    assert_int_equal(fill_up("5.2.3.4:1", VIEW("alice"), &count), 486); /* from anywhere */
    assert_int_equal(count, 0);
    assert_int_equal(fill_up("1.2.3.77:1", VIEW("bob"), &count), 486); /* the same prefix */
    assert_int_equal(count, 1);
    assert_int_equal(fill_up("5.2.3.4:1", VIEW("bob"), &count), 486);
    assert_int_equal(count, 2);
    assert_int_equal(metrics_read(&house.metrics, METRIC_TURN_REFUSED_QUOTA), 4);
    house_wait(700 * USEC_S);
    assert_int_equal(fill_up("1.2.3.4:1", VIEW("alice"), &count), 486);
    assert_int_equal(count, 3);
}

/* New TURN REST credentials bring no new quota. */
static void test_quota_of_a_rest_user(void **state)
{
    (void)state;
    house.config.allocations_per_user_max = 2;
    for (unsigned i = 0; i < 4; i++) {
        char password[STUN_REST_SIZE], name[32];
        snprintf(name, sizeof name, "17000000%u0:carol", 10 + i);
        struct caller caller = caller_at("1.2.3.4:999");
        caller.flow.client.port = (uint16_t)(1000 + i);
        caller.name = view_of(name);
        stun_rest_password(VIEW("north"), caller.name, password);
        caller.password = view_make(password, sizeof password);
        caller_meet(&caller);
        caller_begin_allocate(&caller);
        assert_int_equal(caller_ask(&caller), i < 2 ? 200 : 486);
    }
}

static void test_pools_run_out(void **state)
{
    (void)state;
    unsigned count;
    turn_free(&house.turn);
    house.config.allocations_max = 5;
    house_start();
    assert_int_equal(fill_up("1.2.3.4:1", VIEW("alice"), &count), 508);
    assert_int_equal(count, 5);
    turn_free(&house.turn);
    memset(&house.metrics, 0, sizeof house.metrics);
    memset(house.relays, 0, sizeof house.relays);
    house.config.relays_max = 3;
    house_start();
    assert_int_equal(fill_up("1.2.3.4:1", VIEW("alice"), &count), 508);
    assert_int_equal(count, 3);
    assert_int_equal(house.turn.allocations.used, 3);
    struct caller caller = caller_at("1.2.3.4:999"); /* one relay is not enough for a pair */
    house_wait(700 * USEC_S);
    fill_up("1.2.3.4:1", VIEW("alice"), &count);
    house_wait(1);
    caller_meet(&caller);
    caller_begin_allocate(&caller);
    stun_add_even_port(&caller.writer, true);
    assert_int_equal(caller_ask(&caller), 508);
    assert_int_equal(house.turn.relays.used, 3);
}

static void test_peers_run_out(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    char text[32];
    house.config.peers_per_allocation_max = 6;
    caller_allocate(&caller);
    for (unsigned i = 0; i < 10; i++) {
        snprintf(text, sizeof text, "8.8.8.%u:1", i);
        assert_int_equal(caller_permit(&caller, text), i < 6 ? 200 : 508);
    }
    assert_int_equal(caller_permit(&caller, "8.8.8.0:1"), 200);
    assert_int_equal(caller_bind(&caller, 0x4000, "8.8.8.0:1"), 508);
    house_wait(301 * USEC_S); /* those that are over make room */
    assert_int_equal(caller_bind(&caller, 0x4000, "8.8.8.0:1"), 200);
    assert_int_equal(house.turn.peers.used, 2);
}

static void test_rates(void **state)
{
    (void)state;
    static uint8_t data[1000];
    struct caller caller = caller_at("1.2.3.4:999"), other = caller_at("1.2.3.4:1000");
    house.config.bytes_per_s_allocation = 5000;
    caller_allocate(&caller);
    caller_allocate(&other);
    assert_int_equal(caller_bind(&caller, 0x4000, PEER), 200);
    assert_int_equal(caller_bind(&other, 0x4000, PEER), 200);
    unsigned sent = 0;
    for (unsigned i = 0; i < 100; i++) {
        caller_channel_data(&caller, 0x4000, view_make(data, 900));
        sent += 900 * house.peer_count;
        house_feed_peer(caller.relay, PEER, view_make(data, 100));
        sent += 100 * house.client_count;
        house_wait(10 * USEC_MS);
    }
    assert_in_range(sent, 9000, 10000); /* a second's burst, and a second's time */
    assert_in_range(metrics_read(&house.metrics, METRIC_TURN_DROPPED_RATE), 100, 200);
    caller_channel_data(&other, 0x4000, view_make(data, 900));
    assert_int_equal(house.peer_count, 1); /* it is each one's own */
    house.config.bytes_per_s_all = 1000;
    caller_channel_data(&other, 0x4000, view_make(data, 900));
    assert_int_equal(house.peer_count, 1);
    caller_channel_data(&other, 0x4000, view_make(data, 900));
    assert_int_equal(house.peer_count, 0);
}

static void test_reports(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    struct turn_report report;
    uint32_t cursor = 0;
    assert_false(turn_next_report(&house.turn, &cursor, &report));
    caller_allocate(&caller);
    assert_int_equal(caller_bind(&caller, 0x4000, PEER), 200);
    caller_channel_data(&caller, 0x4000, VIEW("four"));
    house_feed_peer(caller.relay, PEER, VIEW("three"));
    assert_true(turn_next_report(&house.turn, &cursor, &report));
    assert_view(report.user, "alice");
    assert_int_equal(report.bytes_up, 4);
    assert_int_equal(report.bytes_down, 5);
    assert_int_equal(report.peers, 2);
    assert_int_equal(report.channels, 1);
    assert_int_equal(report.packets_up, 1);
    assert_int_equal(report.packets_down, 1);
    assert_true(address_equal(&report.relayed[0], &caller.relayed));
    assert_int_equal(report.relayed[1].family, ADDRESS_NONE);
    assert_false(turn_next_report(&house.turn, &cursor, &report));
    assert_int_equal(turn_end(&house.turn, house.now, report.index, report.serial + 1),
                     ERR_NOT_FOUND);
    assert_int_equal(turn_end(&house.turn, house.now, 7, report.serial), ERR_NOT_FOUND);
    assert_int_equal(turn_end(&house.turn, house.now, report.index, report.serial), OK);
    house_drain();
    house_wait(USEC_S / 100); /* the wheel's next turn */
    assert_int_equal(turn_end(&house.turn, house.now, report.index, report.serial), ERR_NOT_FOUND);
    cursor = 0;
    assert_false(turn_next_report(&house.turn, &cursor, &report));
    /* the place's next is another */
    uint64_t serial = report.serial;
    caller_allocate(&caller);
    assert_int_equal(turn_end(&house.turn, house.now, 0, serial), ERR_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_ipv6),
        TEST(test_family_errors),
        TEST(test_both_families),
        TEST(test_both_families_as_the_draft_had_it),
        TEST(test_one_of_both_families),
        TEST(test_even_port),
        TEST(test_reservation),
        TEST(test_reservation_expires),
        TEST(test_reservation_without_a_pair),
        TEST(test_protocol_errors),
        TEST(test_quotas),
        TEST(test_quota_of_a_rest_user),
        TEST(test_pools_run_out),
        TEST(test_peers_run_out),
        TEST(test_rates),
        TEST(test_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
