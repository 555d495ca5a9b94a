/* test_dtls_server.c - many clients on one port: cookies before anything else, limits and who gives
 * way, clients that begin anew, that fall silent, and floods of those who never were there. */
#include "support.h"

#include "agent/dtls_server.h"
#include "dtls_house.h"

#define ASSOCIATIONS 8
#define HANDSHAKES   4
#define PER_PREFIX   6
#define IDLE         (100 * USEC_S)
#define SOCKET       5

static struct identity identity;
static struct dtls_context *context, *client_context;
static struct dtls_server server;
static usec now;
static uint64_t seed = 7;
static const struct random RANDOM = { test_random_fill, &seed };
static const struct address LOCAL = { .family = ADDRESS_IPV4,
                                      .bytes = { 192, 0, 2, 9 },
                                      .port = 1 };

struct client {
    struct end end; /* its inbox: what the server sent to its address */
    struct address address;
    uint32_t connection;
    unsigned opened, closed, data_count, idle;
};

#define CLIENTS 12
static struct client clients[CLIENTS];
static unsigned unknown_sent; /* outputs to no client's address */
static size_t last_sent;
static usec until;
static bool keeps_idle;

static int setup(void **state)
{
    (void)state;
    identity_make(&identity);
    context = context_make(&identity, NULL, false);
    client_context = context_make(&identity, NULL, false);
    now = 5 * USEC_S;
    unknown_sent = 0;
    keeps_idle = false;
    struct dtls_server_config config = { .context = context,
                                         .random = &RANDOM,
                                         .associations_max = ASSOCIATIONS,
                                         .handshakes_max = HANDSHAKES,
                                         .per_prefix_max = PER_PREFIX,
                                         .idle_max = IDLE };
    assert_int_equal(dtls_server_init(&server, &config, now), OK);
    memset(clients, 0, sizeof clients);
    for (unsigned i = 0; i < CLIENTS; i++)
        clients[i].address = (struct address){ .family = ADDRESS_IPV4,
                                               .bytes = { 10, (uint8_t)(i / 5), 0, 1 },
                                               .port = (uint16_t)(1000 + i) };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CLIENTS; i++)
        dtls_free(&clients[i].end.dtls);
    dtls_server_free(&server);
    dtls_context_free(client_context);
    dtls_context_free(context);
    identity_free(&identity);
    return 0;
}

static struct client *find_client(const struct address *address)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (address_equal(&clients[i].address, address))
            return &clients[i];
    }
    return NULL;
}

static void take_sent(const struct dtls_server_out *out)
{
    struct client *client = find_client(&out->client);
    assert_true(address_equal(&out->local, &LOCAL));
    assert_int_equal(out->socket, SOCKET);
    last_sent = out->bytes.size;
    if (!client) {
        unknown_sent++;
        return;
    }
    assert_true(client->end.count < DATAGRAMS_MAX);
    client->end.inbox[client->end.count].size = out->bytes.size;
    memcpy(client->end.inbox[client->end.count++].bytes, out->bytes.at, out->bytes.size);
}

/* Takes all outputs; data is sent back while they are taken. */
static void drain(void)
{
    struct dtls_server_out out;
    for (;;) {
        dtls_server_poll(&server, &out);
        struct client *client = find_client(&out.client);
        switch (out.kind) {
        case DTLS_SERVER_SEND:
            take_sent(&out);
            break;
        case DTLS_SERVER_OPENED:
            client->opened++;
            client->connection = out.connection;
            break;
        case DTLS_SERVER_IDLE:
            assert_int_equal(out.connection, client->connection);
            client->idle++;
            if (!keeps_idle)
                dtls_server_close(&server, now, out.connection);
            break;
        case DTLS_SERVER_DATA: {
            uint8_t *copy = test_copy(out.bytes);
            struct view parts[2] = { VIEW("echo "), out.bytes };
            client->data_count++;
            assert_int_equal(out.connection, client->connection);
            assert_int_equal(dtls_server_send(&server, now, out.connection, parts, 2), OK);
            assert_memory_equal(copy, out.bytes.at, out.bytes.size);
            free(copy);
            break;
        }
        case DTLS_SERVER_CLOSED:
            assert_int_equal(out.connection, client->connection);
            client->closed++;
            break;
        default:
            until = out.until;
            return;
        }
    }
}

static void feed(const struct address *from, struct view datagram)
{
    uint8_t *copy = test_copy(datagram);
    dtls_server_feed(&server, now, SOCKET, from, &LOCAL, view_make(copy, datagram.size));
    free(copy);
    drain();
}

/* The client's outputs go to the server at once. */
static void client_drain(struct client *client)
{
    struct end wire = { .count = 0 };
    end_drain(&client->end, &wire);
    for (unsigned i = 0; i < wire.count; i++)
        feed(&client->address, view_make(wire.inbox[i].bytes, wire.inbox[i].size));
}

static void client_start(struct client *client)
{
    dtls_free(&client->end.dtls);
    client->end = (struct end){ .count = 0 };
    assert_int_equal(dtls_init(&client->end.dtls, client_context, DTLS_CLIENT, now), OK);
    client_drain(client);
}

/* So many of the datagrams that the server sent arrive, and what comes of them. */
static void client_run(struct client *client, unsigned datagrams)
{
    struct end wire = { .count = 0 };
    while (client->end.count > 0 && datagrams-- > 0) {
        end_receive(&client->end, &wire, now);
        for (unsigned i = 0; i < wire.count; i++)
            feed(&client->address, view_make(wire.inbox[i].bytes, wire.inbox[i].size));
        wire.count = 0;
    }
}

static void client_connect(struct client *client)
{
    client_start(client);
    client_run(client, DATAGRAMS_MAX);
}

static void assert_echo(struct client *client)
{
    unsigned before = client->end.data_count;
    assert_int_equal(dtls_send(&client->end.dtls, now, VIEW("hello")), OK);
    client_drain(client);
    client_run(client, DATAGRAMS_MAX);
    assert_int_equal(client->end.data_count, before + 1);
    assert_view(view_make(client->end.data, client->end.data_size), "echo hello");
}

static void assert_empty(void)
{
    assert_int_equal(server.peers.used, 0);
    assert_int_equal(server.by_key.count, 0);
    assert_int_equal(server.handshake_count, 0);
    assert_true(list_empty(&server.handshakes));
    assert_true(list_empty(&server.touched));
    for (unsigned i = 0; i < DTLS_PREFIXES; i++)
        assert_int_equal(server.prefixes[i], 0);
}

static void test_connects_and_echoes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        client_start(&clients[i]);
        assert_int_equal(server.peers.used, i); /* nothing for a hello without a cookie */
        assert_int_equal(last_sent, DTLS_HELLO_VERIFY_SIZE);
        client_run(&clients[i], DATAGRAMS_MAX);
        assert_int_equal(clients[i].opened, 1);
        assert_int_equal(clients[i].end.connected, 1);
    }
    for (unsigned i = 0; i < 5; i++)
        assert_echo(&clients[i]);
    assert_int_equal(server.counts.cookies, 5);
    assert_int_equal(server.counts.opened, 5);
    for (unsigned i = 0; i < 5; i++) {
        dtls_close(&clients[i].end.dtls, now);
        client_drain(&clients[i]);
        assert_int_equal(clients[i].closed, 1);
    }
    assert_empty();
}

static void test_close_by_us(void **state)
{
    (void)state;
    struct view part = VIEW("late");
    client_connect(&clients[0]);
    dtls_server_close(&server, now, clients[0].connection);
    drain();
    assert_int_equal(clients[0].closed, 1);
    client_run(&clients[0], DATAGRAMS_MAX);
    assert_int_equal(clients[0].end.why, DTLS_END_CLOSED);
    assert_int_equal(dtls_server_send(&server, now, clients[0].connection, &part, 1), ERR_CLOSED);
    assert_int_equal(dtls_server_send(&server, now, 77, &part, 1), ERR_CLOSED);
    dtls_server_close(&server, now, clients[0].connection);
    drain();
    assert_empty();
}

/* A cookie that another address got is worth nothing. */
static void test_cookie_from_elsewhere(void **state)
{
    (void)state;
    struct end wire = { .count = 0 };
    client_start(&clients[0]);
    end_receive(&clients[0].end, &wire, now);
    assert_int_equal(wire.count, 1);
    struct view hello = view_make(wire.inbox[0].bytes, wire.inbox[0].size);
    feed(&clients[1].address, hello);
    assert_empty();
    assert_int_equal(clients[1].end.count, 1);
    assert_int_equal(clients[1].end.inbox[0].size, DTLS_HELLO_VERIFY_SIZE);
    now += 3 * DTLS_COOKIE_SECRET_TIME;
    feed(&clients[0].address, hello);
    assert_empty();
}

static void test_strangers_cost_nothing(void **state)
{
    (void)state;
    struct end wire = { .count = 0 };
    struct address from = { .family = ADDRESS_IPV4, .bytes = { 172, 16 } };
    size_t received = 0, sent = 0;
    assert_int_equal(dtls_init(&clients[0].end.dtls, client_context, DTLS_CLIENT, now), OK);
    end_drain(&clients[0].end, &wire);
    for (unsigned i = 0; i < 20000; i++) {
        from.bytes[2] = (uint8_t)(i >> 8);
        from.bytes[3] = (uint8_t)i;
        last_sent = 0;
        size_t size = i % 3 ? wire.inbox[0].size : i % wire.inbox[0].size;
        feed(&from, view_make(wire.inbox[0].bytes, size));
        received += size;
        sent += last_sent;
    }
    assert_empty();
    assert_true(sent < received);
    assert_int_equal(server.counts.cookies, unknown_sent);
    assert_true(server.counts.strays > 0);
    assert_int_equal(server.peers.touched, 0);
    assert_int_equal(until, USEC_NEVER);
}

/* Handshakes that stand still give way to younger ones, the oldest first. */
static void test_half_open(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HANDSHAKES + 1; i++) {
        client_start(&clients[i]);
        client_run(&clients[i], 1);
    }
    assert_int_equal(server.handshake_count, HANDSHAKES);
    assert_int_equal(server.counts.evicted, 1);
    client_run(&clients[0], DATAGRAMS_MAX);
    assert_int_equal(clients[0].opened, 0);
    client_run(&clients[1], DATAGRAMS_MAX);
    assert_int_equal(clients[1].opened, 1);
    while (server.handshake_count > 0) {
        assert_true(until != USEC_NEVER && until >= now);
        now = until;
        dtls_server_tick(&server, now);
        drain();
        clients[2].end.count = clients[3].end.count = clients[4].end.count = 0; /* all lost */
    }
    assert_in_range(now, 25 * USEC_S, 26 * USEC_S);
    assert_int_equal(server.counts.failed, HANDSHAKES - 1);
    assert_int_equal(server.peers.used, 1);
}

static void test_limits(void **state)
{
    (void)state;
    /* five of one prefix, and seven more of two others, with places for eight */
    for (unsigned i = 0; i < CLIENTS; i++)
        client_connect(&clients[i]);
    assert_int_equal(server.peers.used, ASSOCIATIONS);
    assert_int_equal(server.counts.crowded, CLIENTS - ASSOCIATIONS);
    for (unsigned i = 0; i < ASSOCIATIONS; i++)
        assert_echo(&clients[i]);
}

static void test_limit_of_a_prefix(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i].address.bytes[1] = 0;
        client_connect(&clients[i]);
        assert_int_equal(clients[i].opened, i < PER_PREFIX);
    }
    assert_int_equal(server.counts.crowded, CLIENTS - PER_PREFIX);
}

/* A client that lost its state begins anew from the same port; one who only claims to be there
 * does not end what it has. */
static void test_begins_anew(void **state)
{
    (void)state;
    client_connect(&clients[0]);
    assert_echo(&clients[0]);
    struct client spoof = { .address = clients[0].address };
    client_start(&spoof); /* the cookie goes to clients[0], who does not care */
    dtls_free(&spoof.end.dtls);
    client_run(&clients[0], DATAGRAMS_MAX);
    assert_echo(&clients[0]);
    client_connect(&clients[0]);
    assert_int_equal(clients[0].opened, 2);
    assert_int_equal(clients[0].closed, 1);
    assert_echo(&clients[0]);
    assert_int_equal(server.peers.used, 1);
}

static void test_silence(void **state)
{
    (void)state;
    client_connect(&clients[0]);
    now += IDLE - 1 * USEC_S;
    dtls_server_tick(&server, now);
    drain();
    assert_echo(&clients[0]);
    usec heard = now;
    while (clients[0].closed == 0) {
        assert_true(until > now);
        now = until;
        dtls_server_tick(&server, now);
        drain();
    }
    assert_in_range(now, heard + IDLE, heard + IDLE + 2000);
    assert_int_equal(clients[0].idle, 1);
    client_run(&clients[0], DATAGRAMS_MAX);
    assert_int_equal(clients[0].end.why, DTLS_END_CLOSED);
    assert_empty();
}

/* What is needed however silent it is, the caller keeps. */
static void test_silence_that_is_kept(void **state)
{
    (void)state;
    usec first = 0;
    keeps_idle = true;
    client_connect(&clients[0]);
    usec opened = now;
    while (clients[0].idle < 3) {
        assert_true(until > now);
        now = until;
        dtls_server_tick(&server, now);
        drain();
        if (!first && clients[0].idle)
            first = now;
    }
    assert_in_range(first, opened + IDLE, opened + IDLE + 2000);
    assert_in_range(now, opened + 3 * IDLE, opened + 3 * IDLE + 6000);
    assert_true(dtls_server_is(&server, clients[0].connection, &clients[0].address, &LOCAL));
    assert_false(dtls_server_is(&server, clients[0].connection, &clients[1].address, &LOCAL));
    assert_echo(&clients[0]);
    assert_int_equal(clients[0].closed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_connects_and_echoes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_close_by_us, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cookie_from_elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_strangers_cost_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_half_open, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limit_of_a_prefix, setup, teardown),
        cmocka_unit_test_setup_teardown(test_begins_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(test_silence, setup, teardown),
        cmocka_unit_test_setup_teardown(test_silence_that_is_kept, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
