/* test_turn_auth.c - who is let in: nonces, long-term users, TURN REST names and their secrets;
 * what strangers are told, how much of it, and that they leave nothing behind. */
#include "turn_house.h"

static void test_challenge(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_meet(&caller);
    assert_view(stun_find(&caller.answer, STUN_REALM)->value, "moim");
    assert_int_equal(stun_find(&caller.answer, STUN_ERROR_CODE)->value.size, 4);
    assert_null(stun_find(&caller.answer, STUN_SOFTWARE));
    assert_null(stun_find(&caller.answer, STUN_PASSWORD_ALGORITHMS));
    assert_int_equal(house.clients[0].size, 52); /* for 28: see TURN_BUDGET */
    assert_int_equal(house.turn.allocations.used, 0);
}

/* Each of the attributes that must stand beside an integrity (RFC 8489, section 9.2.4). */
static void test_what_is_missing(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_meet(&caller);
    for (unsigned missing = 0; missing < 4; missing++) {
        struct stun_key key;
        caller_begin_allocate(&caller);
        if (missing != 0)
            stun_add(&caller.writer, STUN_USERNAME, caller.name);
        if (missing != 1)
            stun_add(&caller.writer, STUN_REALM, VIEW("moim"));
        if (missing != 2)
            stun_add(&caller.writer, STUN_NONCE, view_make(caller.nonce, caller.nonce_size));
        caller_key(&caller, &key);
        if (missing != 3)
            stun_add_integrity(&caller.writer, stun_key_view(&key));
        assert_int_equal(caller_send(&caller), missing == 3 ? 401 : 400);
    }
}

static unsigned allocate_as(struct view name, struct view password)
{
    struct caller caller = caller_at("1.2.3.4:999");
    caller.name = name;
    caller.password = password;
    caller_meet(&caller);
    caller_begin_allocate(&caller);
    unsigned code = caller_ask(&caller);
    if (code == 200)
        assert_int_equal(caller_refresh(&caller, 0), 200);
    return code;
}

static void test_long_term_users(void **state)
{
    (void)state;
    assert_int_equal(allocate_as(VIEW("alice"), VIEW("wonder")), 200);
    assert_int_equal(allocate_as(VIEW("bob"), VIEW("wonder")), 200);
    assert_int_equal(allocate_as(VIEW("alice"), VIEW("wander")), 401);
    assert_int_equal(allocate_as(VIEW("alice"), VIEW("")), 401);
    assert_int_equal(allocate_as(VIEW("carol"), VIEW("wonder")), 401);
    assert_int_equal(allocate_as(VIEW(""), VIEW("")), 401);
}

static unsigned allocate_rest(const char *name, const char *secret)
{
    char password[STUN_REST_SIZE];
    stun_rest_password(view_of(secret), view_of(name), password);
    return allocate_as(view_of(name), view_make(password, sizeof password));
}

/* Two secrets at once, so that one can be changed without throwing anybody out. */
static void test_turn_rest(void **state)
{
    (void)state;
    assert_int_equal(allocate_rest("1700000060:carol", "north"), 200);
    assert_int_equal(allocate_rest("1700000060:carol", "south"), 200);
    assert_int_equal(allocate_rest("1700000060", "north"), 200);
    assert_int_equal(allocate_rest("1700000060:carol", "east"), 401);
    assert_int_equal(allocate_rest("1700000000:carol", "north"), 401); /* expired now */
    assert_int_equal(allocate_rest("1600000000:carol", "north"), 401);
    assert_int_equal(allocate_rest("carol:1700000060", "north"), 401);
    house.config.secret_count = 1;
    assert_int_equal(allocate_rest("1700000060:carol", "south"), 401);
    turn_time_of_day(&house.turn, house.now, 1700000061);
    house_drain();
    assert_int_equal(allocate_rest("1700000060:carol", "north"), 401);
    turn_time_of_day(&house.turn, house.now, 1600000000); /* set back */
    house_drain();
    assert_int_equal(allocate_rest("1700000060:carol", "north"), 200);
}

/* A meeting that outlasts its credentials keeps its relay. */
static void test_allocation_outlives_its_credentials(void **state)
{
    (void)state;
    char password[STUN_REST_SIZE];
    struct caller caller = caller_at("1.2.3.4:999");
    caller.name = VIEW("1700000060:carol");
    stun_rest_password(VIEW("north"), caller.name, password);
    caller.password = view_make(password, sizeof password);
    caller_allocate(&caller);
    house_wait(100 * USEC_S);
    assert_int_equal(caller_refresh(&caller, 600), 200);
    house.config.secret_count = 0; /* and the secret, too */
    assert_int_equal(caller_refresh(&caller, 600), 200);
    assert_int_equal(caller_refresh(&caller, 0), 200);
    caller_begin_allocate(&caller);
    assert_int_equal(caller_ask(&caller), 401); /* but a new one needs new ones */
}

static void test_another_user_on_the_same_flow(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_allocate(&caller);
    caller.name = VIEW("bob");
    assert_int_equal(caller_refresh(&caller, 600), 441);
    caller.password = VIEW("wander");
    assert_int_equal(caller_refresh(&caller, 600), 401);
}

static void test_sha256_and_userhash(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller.is_sha256 = true;
    caller_meet(&caller);
    const struct stun_attr *offered = stun_find(&caller.answer, STUN_PASSWORD_ALGORITHMS);
    assert_non_null(offered);
    assert_true(stun_algorithms_are_ours(offered));
    assert_int_equal(stun_nonce_features(view_make(caller.nonce, caller.nonce_size)), 0xc00000);
    caller_begin_allocate(&caller);
    assert_int_equal(caller_ask(&caller), 200);
    caller_allocated(&caller);
    assert_null(stun_find(&caller.answer, STUN_MESSAGE_INTEGRITY));
    assert_int_equal(caller_permit(&caller, "8.8.8.8:1"), 200);
}

/* Whoever stands between may not strike SHA-256 off the list, nor the cookie's bits. */
static void test_bidding_down(void **state)
{
    (void)state;
    static const uint8_t MD5_ALONE[4] = { 0, 1, 0, 0 };
    struct caller caller = caller_at("1.2.3.4:999");
    struct stun_key key;
    caller.is_sha256 = true;
    caller_meet(&caller);
    caller.is_sha256 = false;
    caller_key(&caller, &key);
    for (unsigned with = 0; with < 4; with++) {
        caller_begin_allocate(&caller);
        stun_add(&caller.writer, STUN_USERNAME, caller.name);
        stun_add(&caller.writer, STUN_REALM, VIEW("moim"));
        stun_add(&caller.writer, STUN_NONCE, view_make(caller.nonce, caller.nonce_size));
        if (with == 0 || with == 3)
            stun_add_algorithms(&caller.writer);
        else
            stun_add(&caller.writer, STUN_PASSWORD_ALGORITHMS, view_make(MD5_ALONE, 4));
        if (with == 0)
            stun_add(&caller.writer, STUN_PASSWORD_ALGORITHM, VIEW("\0\x09\0\0"));
        if (with == 2)
            stun_add_algorithm(&caller.writer, STUN_ALGORITHM_MD5);
        stun_add_integrity(&caller.writer, stun_key_view(&key));
        assert_int_equal(caller_send(&caller), 400);
    }
    caller.nonce[STUN_NONCE_COOKIE_SIZE - 4] ^= 1; /* features: no longer as they were given out */
    caller_begin_allocate(&caller);
    assert_int_equal(caller_ask(&caller), 438);
}

/* The cookie can't be struck off the nonce, either. */
static void test_nonce_without_its_cookie(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller.is_sha256 = true;
    caller_meet(&caller);
    caller.is_sha256 = false;
    caller.nonce_size -= STUN_NONCE_COOKIE_SIZE;
    memmove(caller.nonce, caller.nonce + STUN_NONCE_COOKIE_SIZE, caller.nonce_size);
    caller_begin_allocate(&caller);
    assert_int_equal(caller_ask(&caller), 438);
}

static void test_another_realm(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    struct stun_key key;
    caller_meet(&caller);
    caller_begin_allocate(&caller);
    stun_add(&caller.writer, STUN_USERNAME, caller.name);
    stun_add(&caller.writer, STUN_REALM, VIEW("elsewhere"));
    stun_add(&caller.writer, STUN_NONCE, view_make(caller.nonce, caller.nonce_size));
    caller_key(&caller, &key);
    stun_add_integrity(&caller.writer, stun_key_view(&key));
    assert_int_equal(caller_send(&caller), 401);
}

static void test_nonces(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999"), other = caller_at("1.2.3.4:998");
    caller_meet(&caller);
    caller_allocate(&caller);
    /* another port's, another address's, another transport's */
    memcpy(other.nonce, caller.nonce, sizeof other.nonce);
    other.nonce_size = caller.nonce_size;
    caller_begin_allocate(&other);
    assert_int_equal(caller_ask(&other), 438);
    caller_begin_allocate(&other);
    assert_int_equal(caller_ask(&other), 200); /* with the one that came with the refusal */
    /* too old */
    assert_int_equal(caller_refresh(&caller, 3600), 200);
    house_wait(3500 * USEC_S);
    assert_int_equal(caller_refresh(&caller, 3600), 200);
    house_wait(200 * USEC_S);
    assert_int_equal(caller_refresh(&caller, 3600), 438);
    assert_int_equal(caller_refresh(&caller, 3600), 200);
    /* any bit of it */
    for (unsigned bit = 0; bit < caller.nonce_size * 8; bit++) {
        struct caller forger = caller;
        forger.flow.transport = TURN_OVER_UDP;
        forger.nonce[bit / 8] = (char)(forger.nonce[bit / 8] ^ 1 << bit % 8);
        house.now += 10 * USEC_S;
        assert_int_equal(caller_refresh(&forger, 3600), 438);
    }
    caller.nonce_size = 0;
    assert_int_equal(caller_refresh(&caller, 3600), 438);
}

/* What an Allocate with another's nonce is answered with. */
static unsigned try_nonce(const struct caller *from, const char *client, uint8_t transport)
{
    struct caller other = caller_at(client);
    other.flow.transport = transport;
    memcpy(other.nonce, from->nonce, sizeof other.nonce);
    other.nonce_size = from->nonce_size;
    caller_begin_allocate(&other);
    return caller_ask(&other);
}

static void test_nonces_of_streams(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller.flow.transport = TURN_OVER_TCP;
    caller_allocate(&caller);
    assert_int_equal(try_nonce(&caller, "1.2.3.4:1000", TURN_OVER_TCP), 200);
    assert_int_equal(try_nonce(&caller, "1.2.3.4:1000", TURN_OVER_TLS), 200);
    assert_int_equal(try_nonce(&caller, "1.2.3.5:999", TURN_OVER_TCP), 438);
    assert_int_equal(try_nonce(&caller, "1.2.3.4:999", TURN_OVER_UDP), 438);
    assert_int_equal(try_nonce(&caller, "1.2.3.4:999", TURN_OVER_DTLS), 438);
}

static void test_unknown_attributes(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_allocate(&caller);
    caller_begin(&caller, STUN_REFRESH);
    stun_add(&caller.writer, 0x7ffe, VIEW("x"));
    stun_add(&caller.writer, 0xc001, VIEW("x"));
    stun_add(&caller.writer, STUN_PADDING, VIEW("x"));
    assert_int_equal(caller_ask(&caller), 420);
    const struct stun_attr *unknown = stun_find(&caller.answer, STUN_UNKNOWN_ATTRIBUTES);
    assert_int_equal(unknown->value.size, 4);
    assert_memory_equal(unknown->value.at, "\x7f\xfe\x00\x26", 4);
}

static void test_fingerprint_for_fingerprint(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_allocate(&caller);
    assert_false(caller.answer.has_fingerprint);
    caller.has_fingerprint = true;
    assert_int_equal(caller_refresh(&caller, 600), 200);
    assert_true(caller.answer.has_fingerprint);
}

/* coturn #1588, #1641: a flood of Allocates from many addresses: what goes back is at most 1.2
 * times what came (but for the burst), and nothing is kept. */
static void test_flood(void **state)
{
    (void)state;
    uint64_t in = 0, out = 0;
    const unsigned packets = 200000;
    struct caller caller = caller_at("1.2.3.4:999");
    struct turn_flow flow = caller.flow;
    caller_begin_allocate(&caller);
    for (unsigned i = 0; i < packets; i++) {
        uint32_t chance;
        random_fill(&house.random, &chance, sizeof chance);
        memcpy(flow.client.bytes, &chance, 4);
        flow.client.port = (uint16_t)(i | 1);
        house.now += 10; /* 100,000 a second */
        turn_feed_client(&house.turn, house.now, &flow,
                         view_make(caller.bytes, caller.writer.size));
        in += caller.writer.size;
        for (const struct turn_out *o; (o = turn_poll(&house.turn))->kind != TURN_WAIT;) {
            assert_int_equal(o->kind, TURN_CLIENT);
            out += o->header.size;
        }
    }
    uint64_t burst = TURN_BUDGET_ALL_BYTES + 2 * TURN_BUDGET_ALL_RATE; /* in two seconds */
    assert_in_range(out, in / 2, in * 6 / 5 + burst);
    assert_int_equal(house.turn.allocations.touched, 0);
    assert_int_equal(house.turn.users.touched, 0);
    assert_int_equal(house.turn.prefixes.touched, 0);
    assert_int_equal(house.turn.relays.touched, 0);
    assert_in_range(metrics_read(&house.metrics, METRIC_TURN_DROPPED_BUDGET), 1, packets);
    caller_allocate(&caller); /* an honest one still gets in */
}

/* One victim's prefix: what is sent to it is bound, whoever else is answered. */
static void test_flood_of_one_prefix(void **state)
{
    (void)state;
    size_t in = 0, out = 0;
    struct caller caller = caller_at("1.2.3.4:999");
    static const uint16_t METHODS[] = { STUN_BINDING, STUN_ALLOCATE, STUN_REFRESH };
    for (unsigned i = 0; i < 30000; i++) {
        caller_begin(&caller, METHODS[i % 3]);
        caller.flow.client.bytes[3] = (uint8_t)i;
        house.now += 100;
        house_forget();
        turn_feed_client(&house.turn, house.now, &caller.flow,
                         view_make(caller.bytes, caller.writer.size));
        house_drain();
        in += caller.writer.size;
        out += house.client_count ? house.clients[0].size : 0;
    }
    assert_in_range(out, in, in * 6 / 5 + TURN_BUDGET_PREFIX_BYTES + 3 * TURN_BUDGET_PREFIX_RATE);
    /* others are not touched by it */
    struct caller other = caller_at("5.6.7.8:999");
    caller_allocate(&other);
}

/* A request at every cut and with every bit flipped, signed as it was: never let in. */
static void test_every_bit_of_a_request(void **state)
{
    (void)state;
    struct caller caller = caller_at("1.2.3.4:999");
    caller_meet(&caller);
    caller_begin_allocate(&caller);
    caller_sign(&caller);
    size_t size = caller.writer.size;
    for (size_t bit = 0; bit < size * 8; bit++) {
        /* SOFTWARE's kin: a type of no meaning leaves the request as authentic as it was */
        house.now += USEC_S;
        caller.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        house_feed(&caller.flow, view_make(caller.bytes, size));
        assert_int_equal(house.turn.allocations.used, 0);
        caller.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t cut = 0; cut < size; cut++) {
        house_feed(&caller.flow, view_make(caller.bytes, cut));
        assert_int_equal(house.client_count, 0);
    }
    assert_int_equal(caller_send(&caller), 200);
}

static void test_long_names(void **state)
{
    (void)state;
    char name[700];
    memset(name, 'n', sizeof name);
    struct caller caller = caller_at("1.2.3.4:999");
    caller_meet(&caller);
    caller_begin_allocate(&caller);
    stun_add(&caller.writer, STUN_USERNAME, view_make(name, 509));
    stun_add(&caller.writer, STUN_REALM, VIEW("moim"));
    stun_add(&caller.writer, STUN_NONCE, view_make(caller.nonce, caller.nonce_size));
    stun_add_integrity(&caller.writer, VIEW("key"));
    assert_int_equal(caller_send(&caller), 401);
    caller_begin_allocate(&caller);
    stun_add(&caller.writer, STUN_USERHASH, VIEW("short"));
    stun_add(&caller.writer, STUN_REALM, VIEW("moim"));
    stun_add(&caller.writer, STUN_NONCE, view_make(caller.nonce, caller.nonce_size));
    stun_add_integrity(&caller.writer, VIEW("key"));
    assert_int_equal(caller_send(&caller), 401);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_challenge),
        TEST(test_what_is_missing),
        TEST(test_long_term_users),
        TEST(test_turn_rest),
        TEST(test_allocation_outlives_its_credentials),
        TEST(test_another_user_on_the_same_flow),
        TEST(test_sha256_and_userhash),
        TEST(test_bidding_down),
        TEST(test_nonce_without_its_cookie),
        TEST(test_another_realm),
        TEST(test_nonces),
        TEST(test_nonces_of_streams),
        TEST(test_unknown_attributes),
        TEST(test_fingerprint_for_fingerprint),
        TEST(test_flood),
        TEST(test_flood_of_one_prefix),
        TEST(test_every_bit_of_a_request),
        TEST(test_long_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
