/* test_dtls.c - two associations with one another: handshakes over links that lose, double, turn
 * round and break datagrams; retransmission by the caller's time alone; keys, fingerprints, data
 * and endings. */
#include "support.h"

#include "dtls_house.h"

static struct identity ours, theirs;
static struct dtls_context *server_context, *client_context;
static struct end server, client;
static usec now;
static uint64_t seed;

static int group_setup(void **state)
{
    (void)state;
    identity_make(&ours);
    identity_make(&theirs);
    server_context = context_make(&ours, "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80", true);
    client_context = context_make(&theirs, "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM", true);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    dtls_context_free(server_context);
    dtls_context_free(client_context);
    identity_free(&ours);
    identity_free(&theirs);
    return 0;
}

static void begin(void)
{
    memset(&server, 0, sizeof server);
    memset(&client, 0, sizeof client);
    now = 1000 * USEC_S;
    assert_int_equal(dtls_init(&server.dtls, server_context, DTLS_SERVER, now), OK);
    end_drain(&server, &client);
    assert_int_equal(dtls_init(&client.dtls, client_context, DTLS_CLIENT, now), OK);
    end_drain(&client, &server);
}

static void finish(void)
{
    dtls_free(&server.dtls);
    dtls_free(&client.dtls);
}

static int setup(void **state)
{
    (void)state;
    begin();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    finish();
    return 0;
}

/* Everything under way arrives, and what comes of it. */
static void settle(void)
{
    while (server.count || client.count) {
        if (server.count)
            end_receive(&server, &client, now);
        if (client.count)
            end_receive(&client, &server, now);
    }
}

/* Time goes to the next thing that is due. */
static void pass_time(void)
{
    usec until = server.until < client.until ? server.until : client.until;
    assert_true(until != USEC_NEVER);
    now = until > now ? until : now;
    dtls_tick(&server.dtls, now);
    end_drain(&server, &client);
    dtls_tick(&client.dtls, now);
    end_drain(&client, &server);
}

static void assert_connected(void)
{
    assert_int_equal(client.connected, 1);
    assert_int_equal(server.connected, 1);
    assert_int_equal(client.ended + server.ended, 0);
}

static void assert_carries(struct end *from, struct end *to, size_t size)
{
    static uint8_t data[DTLS_DATA_MAX];
    unsigned before = to->data_count;
    memset(data, 'x', size);
    assert_int_equal(dtls_send(&from->dtls, now, view_make(data, size)), OK);
    end_drain(from, to);
    assert_in_range(to->inbox[0].size, size + 1, size + DTLS_OVERHEAD_MAX);
    settle();
    assert_int_equal(to->data_count, before + 1);
    assert_int_equal(to->data_size, size);
    assert_memory_equal(to->data, data, size);
}

static void test_handshake(void **state)
{
    (void)state;
    uint8_t print[DTLS_FINGERPRINT_SIZE];
    uint8_t keys[DTLS_SRTP_KEYS_MAX], same[DTLS_SRTP_KEYS_MAX];
    assert_int_equal(dtls_send(&client.dtls, now, VIEW("early")), ERR_AGAIN);
    assert_int_equal(dtls_peer_fingerprint(&client.dtls, print), ERR_NOT_FOUND);
    assert_int_equal(dtls_srtp_profile(&client.dtls), 0);
    settle();
    assert_connected();
    assert_int_equal(client.dtls.retransmit_at, USEC_NEVER);
    assert_int_equal(server.dtls.retransmit_at, USEC_NEVER);
    assert_int_equal(dtls_peer_fingerprint(&client.dtls, print), OK);
    assert_memory_equal(print, ours.fingerprint, sizeof print);
    assert_int_equal(dtls_peer_fingerprint(&server.dtls, print), OK);
    assert_memory_equal(print, theirs.fingerprint, sizeof print);
    /* the server's order counts */
    assert_int_equal(dtls_srtp_profile(&server.dtls), 7);
    assert_int_equal(dtls_srtp_profile(&client.dtls), 7);
    assert_int_equal(dtls_srtp_keys(&server.dtls, keys, 56), OK);
    assert_int_equal(dtls_srtp_keys(&client.dtls, same, 56), OK);
    assert_memory_equal(keys, same, 56);
    assert_int_equal(dtls_context_overflows(server_context), 0);
}

static void test_data(void **state)
{
    (void)state;
    static uint8_t large[DTLS_DATA_MAX + 1];
    settle();
    assert_carries(&client, &server, 1);
    assert_carries(&server, &client, 1400);
    assert_carries(&client, &server, DTLS_DATA_MAX);
    assert_int_equal(dtls_send(&client.dtls, now, view_make(large, 0)), ERR_LIMIT);
    assert_int_equal(dtls_send(&client.dtls, now, view_make(large, sizeof large)), ERR_LIMIT);
}

/* Nothing is due, and OpenSSL is gone, at both ends. */
static void test_connected_is_quiet(void **state)
{
    (void)state;
    settle();
    assert_carries(&client, &server, 100);
    assert_int_equal(server.until, USEC_NEVER);
    assert_int_equal(client.until, USEC_NEVER);
    assert_null(server.dtls.ssl);
    assert_null(client.dtls.ssl);
    now += 10 * USEC_S;
    dtls_feed(&server.dtls, now, VIEW("\x17\xfe\xfd garbage"));
    end_drain(&server, &client);
    assert_int_equal(client.count, 0);
    assert_carries(&server, &client, 1200);
}

/* The server's last flight is lost, so the client sends its own again: the server, which shakes no
 * hands any more, still has the answer; and only to that. */
static void test_last_flight_again(void **state)
{
    (void)state;
    while (!server.connected)
        end_receive(server.count ? &server : &client, server.count ? &client : &server, now);
    struct view flight = view_make(client.inbox[0].bytes, client.inbox[0].size);
    uint8_t *first = test_copy(flight);
    assert_int_equal(client.count, 1);
    client.count = 0;
    pass_time();
    assert_in_range(server.count, 1, 6);
    while (server.count)
        end_receive(&server, &client, now);
    assert_int_equal(client.count, 1);
    assert_int_equal(client.inbox[0].size, flight.size);
    assert_memory_equal(client.inbox[0].bytes, first, flight.size);
    free(first);
    settle();
    assert_connected();
    assert_carries(&client, &server, 50);
    assert_carries(&server, &client, 50);
}

/* A record of the client's own making comes to the server. */
static void say_record(enum dtls_content content, struct view plain)
{
    size_t size;
    assert_int_equal(
        dtls_seal(&client.dtls.records, content, &plain, 1, server.inbox[0].bytes, &size), OK);
    server.inbox[0].size = size;
    server.count = 1;
    end_receive(&server, &client, now);
}

static void test_alerts(void **state)
{
    (void)state;
    settle();
    say_record(DTLS_ALERT, VIEW("\x01"));
    say_record(DTLS_ALERT, VIEW("\x01\x5a")); /* user_canceled, a warning */
    say_record(DTLS_CHANGE_CIPHER_SPEC, VIEW("\x01"));
    say_record(DTLS_APPLICATION_DATA, VIEW(""));
    say_record(99, VIEW("what?"));
    assert_int_equal(server.ended + server.data_count, 0);
    assert_int_equal(client.count, 0);
    say_record(DTLS_ALERT, VIEW("\x02\x14")); /* bad_record_mac */
    assert_int_equal(server.ended, 1);
    assert_int_equal(server.why, DTLS_END_ALERT);
    assert_int_equal(client.count, 0);
}

static void test_replayed_data_comes_once(void **state)
{
    (void)state;
    settle();
    assert_int_equal(dtls_send(&client.dtls, now, VIEW("once")), OK);
    end_drain(&client, &server);
    server.inbox[1] = server.inbox[0];
    server.inbox[2] = server.inbox[0];
    server.inbox[2].bytes[14] ^= 1;
    server.count = 3;
    settle();
    assert_int_equal(server.data_count, 1);
    assert_int_equal(server.ended, 0);
}

/* Nothing is sent again before its time, whatever the clock on the wall says. */
static void test_time_is_the_callers(void **state)
{
    (void)state;
    server.count = 0; /* the hello is lost */
    usec start = now;
    static const unsigned AFTER_MS[] = { 250, 750, 1750, 3750, 7750, 11750, 15750, 19750 };
    for (unsigned i = 0; i < sizeof AFTER_MS / sizeof AFTER_MS[0]; i++) {
        assert_int_equal(client.until, start + AFTER_MS[i] * USEC_MS);
        dtls_tick(&client.dtls, client.until - 1);
        end_drain(&client, &server);
        assert_int_equal(server.count, 0);
        dtls_tick(&client.dtls, client.until);
        end_drain(&client, &server);
        assert_int_equal(server.count, 1);
        server.count = 0;
    }
    assert_int_equal(client.until, start + DTLS_HANDSHAKE_TIME);
    dtls_tick(&client.dtls, client.until);
    end_drain(&client, &server);
    assert_int_equal(client.why, DTLS_END_TIMEOUT);
    assert_int_equal(client.until, USEC_NEVER);
}

/* Each single datagram of the handshake is lost in turn. */
static void test_each_lost(void **state)
{
    unsigned lost = 0, sent;
    do {
        if (lost)
            setup(state);
        unsigned at = 0;
        while (!client.connected || !server.connected) {
            struct end *to = server.count ? &server : &client;
            struct end *from = server.count ? &client : &server;
            if (to->count == 0)
                pass_time();
            else if (at++ == lost)
                memmove(&to->inbox[0], &to->inbox[1], --to->count * sizeof to->inbox[0]);
            else
                end_receive(to, from, now);
        }
        settle();
        assert_connected();
        assert_carries(&client, &server, 50);
        assert_true(now > 1000 * USEC_S || at <= lost + 1);
        sent = at;
        if (sent > lost + 1)
            finish();
    } while (++lost < sent);
    assert_in_range(lost, 4, 12);
}

static uint32_t chance(uint32_t below)
{
    uint32_t number;
    test_random_fill(&seed, &number, sizeof number);
    return number % below;
}

/* A fifth is lost, a fifth doubled, and the order is anyone's. */
static void run_bad_link(void)
{
    while (!client.connected || !server.connected) {
        struct end *to = chance(2) ? &server : &client;
        if (to->count == 0)
            to = to == &server ? &client : &server;
        if (to->count == 0) {
            pass_time();
            assert_int_equal(client.ended + server.ended, 0);
            continue;
        }
        unsigned which = chance(to->count);
        uint32_t fate = chance(15);
        size_t size = to->inbox[0].size;
        uint8_t first[sizeof to->inbox[0].bytes];
        memcpy(first, to->inbox[0].bytes, size);
        to->inbox[0] = to->inbox[which];
        to->inbox[which].size = size;
        memcpy(to->inbox[which].bytes, first, size);
        if (fate >= 12 && to->count < DATAGRAMS_MAX / 2)
            to->inbox[to->count++] = to->inbox[0];
        if (fate < 3)
            memmove(&to->inbox[0], &to->inbox[1], --to->count * sizeof to->inbox[0]);
        else
            end_receive(to, to == &server ? &client : &server, now);
    }
    settle();
    assert_connected();
    assert_carries(&client, &server, 50);
    assert_carries(&server, &client, 50);
}

static void test_bad_links(void **state)
{
    for (uint64_t round = 1; round <= 60; round++) {
        if (round > 1)
            setup(state);
        seed = round;
        print_message("seed %u\n", (unsigned)round);
        run_bad_link();
        if (round < 60)
            finish();
    }
}

static void test_close(void **state)
{
    (void)state;
    settle();
    dtls_close(&client.dtls, now);
    end_drain(&client, &server);
    assert_int_equal(client.why, DTLS_END_BY_US);
    settle();
    assert_int_equal(server.why, DTLS_END_CLOSED);
    assert_int_equal(server.ended, 1);
    assert_int_equal(client.ended, 1);
    assert_int_equal(dtls_send(&server.dtls, now, VIEW("late")), ERR_CLOSED);
    assert_int_equal(dtls_send(&client.dtls, now, VIEW("late")), ERR_CLOSED);
    assert_int_equal(server.until, USEC_NEVER);
}

/* A new handshake within the old association is not begun, and the old one goes on. */
static void test_no_renegotiation(void **state)
{
    (void)state;
    settle();
    say_record(DTLS_HANDSHAKE, VIEW("\x01\0\0\x2a a hello")); /* ClientHello */
    say_record(DTLS_HANDSHAKE, VIEW(""));
    assert_int_equal(client.count, 0);
    assert_int_equal(server.ended, 0);
    assert_carries(&client, &server, 50);
    assert_carries(&server, &client, 50);
}

static void test_no_common_profile_is_no_srtp(void **state)
{
    (void)state;
    uint8_t keys[DTLS_SRTP_KEYS_MAX];
    struct dtls_context *plain = context_make(&theirs, NULL, false);
    finish();
    struct dtls_context *kept = client_context;
    client_context = plain;
    begin();
    settle();
    assert_connected();
    assert_int_equal(dtls_srtp_profile(&server.dtls), 0);
    assert_int_equal(dtls_srtp_keys(&server.dtls, keys, 56), ERR_NOT_FOUND);
    finish();
    dtls_context_free(plain);
    client_context = kept;
    begin();
}

static void test_bad_configurations(void **state)
{
    (void)state;
    struct dtls_context *context = NULL;
    struct dtls_config config = { .certificate = ours.certificate, .key = theirs.key };
    assert_int_equal(dtls_context_new(&config, &context), ERR_CONFIG);
    config.certificate = NULL;
    assert_int_equal(dtls_context_new(&config, &context), ERR_CONFIG);
    config = (struct dtls_config){ .certificate = ours.certificate,
                                   .key = ours.key,
                                   .srtp_profiles = "NO_SUCH_PROFILE" };
    assert_int_equal(dtls_context_new(&config, &context), ERR_CONFIG);
    assert_null(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_handshake, setup, teardown),
        cmocka_unit_test_setup_teardown(test_data, setup, teardown),
        cmocka_unit_test_setup_teardown(test_connected_is_quiet, setup, teardown),
        cmocka_unit_test_setup_teardown(test_last_flight_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_alerts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replayed_data_comes_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_time_is_the_callers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_each_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_links, setup, teardown),
        cmocka_unit_test_setup_teardown(test_close, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_renegotiation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_common_profile_is_no_srtp, setup, teardown),
        cmocka_unit_test(test_bad_configurations),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
