/* test_dtls_broken.c - handshakes one of whose datagrams comes broken before it comes whole: cut at
 * many places, or with bits changed.  Either end may refuse; none may stand still
 * with something due, tell of an end twice, or be connected to something else than its peer. */
#include "support.h"

#include "dtls_house.h"

#define DATAGRAMS 16 /* more than a handshake has */

static struct identity ours, theirs;
static struct dtls_context *server_context, *client_context;
static struct end server, client;
static usec now;

static int group_setup(void **state)
{
    (void)state;
    identity_make(&ours);
    identity_make(&theirs);
    server_context = context_make(&ours, "SRTP_AEAD_AES_128_GCM", true);
    client_context = context_make(&theirs, "SRTP_AEAD_AES_128_GCM", true);
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
    server = client = (struct end){ .count = 0 };
    now = USEC_S;
    assert_int_equal(dtls_init(&server.dtls, server_context, DTLS_SERVER, now), OK);
    assert_int_equal(dtls_init(&client.dtls, client_context, DTLS_CLIENT, now), OK);
    end_drain(&client, &server);
    end_drain(&server, &client);
}

static void pass_time(void)
{
    now = server.until < client.until ? server.until : client.until;
    dtls_tick(&server.dtls, now);
    end_drain(&server, &client);
    dtls_tick(&client.dtls, now);
    end_drain(&client, &server);
}

static void check_end(void)
{
    uint8_t print[DTLS_FINGERPRINT_SIZE];
    assert_in_range(server.ended, 0, 1);
    assert_in_range(client.ended, 0, 1);
    if (server.connected) {
        assert_int_equal(dtls_peer_fingerprint(&server.dtls, print), OK);
        assert_memory_equal(print, theirs.fingerprint, sizeof print);
    }
    if (client.connected) {
        assert_int_equal(dtls_peer_fingerprint(&client.dtls, print), OK);
        assert_memory_equal(print, ours.fingerprint, sizeof print);
    }
    if (server.connected && client.connected && !client.ended && !server.ended) {
        assert_int_equal(dtls_send(&client.dtls, now, VIEW("data")), OK);
        end_drain(&client, &server);
        while (server.count)
            end_receive(&server, &client, now);
        assert_view(view_make(server.data, server.data_size), "data");
    }
    dtls_free(&server.dtls);
    dtls_free(&client.dtls);
}

/* The broken datagram comes first, then the one that it was made of. */
static void feed_both(struct end *to, struct end *from, struct view broken)
{
    uint8_t *copy = test_copy(broken);
    dtls_feed(&to->dtls, now, view_make(copy, broken.size));
    free(copy);
    end_drain(to, from);
    end_receive(to, from, now);
}

enum damage { CUT, FLIP };

/* The datagram of this number, cut at or changed in `place`.  False: it has no such place, or there
 * is no such datagram. */
static bool run(unsigned number, enum damage damage, size_t place)
{
    bool done = false;
    begin();
    for (unsigned at = 0; !(server.connected && client.connected);) {
        struct end *to = server.count ? &server : &client;
        struct end *from = to == &server ? &client : &server;
        if (to->count == 0) {
            if (server.ended || client.ended)
                break;
            pass_time();
        } else if (at++ == number && place < to->inbox[0].size) {
            uint8_t bytes[sizeof to->inbox[0].bytes];
            struct view broken = view_make(bytes, damage == CUT ? place : to->inbox[0].size);
            memcpy(bytes, to->inbox[0].bytes, to->inbox[0].size);
            if (damage == FLIP)
                bytes[place] ^= (uint8_t)(1 << place % 8);
            done = true;
            feed_both(to, from, broken);
        } else {
            end_receive(to, from, now);
        }
    }
    check_end();
    return done;
}

static void run_all(enum damage damage, unsigned step)
{
    unsigned datagrams = 0;
    for (unsigned number = 0; number < DATAGRAMS; number++) {
        size_t place = number % step;
        while (run(number, damage, place))
            place += step;
        datagrams += place > step;
    }
    assert_in_range(datagrams, 4, DATAGRAMS - 1);
}

static void test_cut(void **state)
{
    (void)state;
    run_all(CUT, 7);
}

static void test_changed(void **state)
{
    (void)state;
    run_all(FLIP, 5);
}

/* Flips in what is protected are dropped, and nobody is told. */
static void test_protected_is_dropped(void **state)
{
    (void)state;
    begin();
    while (server.count || client.count) {
        if (server.count)
            end_receive(&server, &client, now);
        if (client.count)
            end_receive(&client, &server, now);
    }
    assert_true(client.connected && server.connected);
    for (unsigned bit = 0; bit < 8 * 30; bit++) {
        assert_int_equal(dtls_send(&client.dtls, now, VIEW("protected")), OK);
        end_drain(&client, &server);
        server.inbox[0].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        end_receive(&server, &client, now);
        assert_int_equal(server.data_count, 0);
        assert_int_equal(server.ended, 0);
        assert_int_equal(client.count, 0);
    }
    check_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_protected_is_dropped),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
