/* test_turn_workers.c - TURN clients whose datagrams come to another worker than the one that has
 * their allocation: those who have moved (RFC 8016), and ports that were reserved (RFC 8656,
 * section 7).  Which worker the kernel gives a socket's datagrams to is asked of the tickets. */
#include "turn_rig.h"

#define WORKERS 3
#define DIALS   500 /* sockets tried till each worker has got one */

static struct turn_rig rig;
static struct turn_client at[WORKERS]; /* one for each worker, without an allocation */

static unsigned worker_of(const uint8_t ticket[TURN_TICKET_SIZE])
{
    uint8_t bytes[128];
    uint8_t worker;
    struct stun_writer writer;
    stun_begin(&writer, bytes, sizeof bytes, STUN_REQUEST, STUN_REFRESH,
               (const uint8_t[STUN_TRANSACTION_SIZE]){ 1 });
    stun_add(&writer, STUN_MOBILITY_TICKET, view_make(ticket, TURN_TICKET_SIZE));
    assert_true(turn_worker_of(view_make(bytes, writer.size), &worker));
    assert_in_range(worker, 0, WORKERS - 1);
    return worker;
}

/* Allocates, asks the ticket, and goes. */
static unsigned find_worker(struct turn_client *client)
{
    assert_int_equal(client_allocate(client), 200);
    unsigned worker = worker_of(client->ticket);
    assert_int_equal(client_refresh(client, 0), 200);
    return worker;
}

static void dial_each(void)
{
    unsigned found = 0;
    for (unsigned i = 0; i < WORKERS; i++)
        at[i].fd = -1;
    for (unsigned i = 0; i < DIALS && found < WORKERS; i++) {
        struct turn_client client;
        client_open(&client, &rig.server);
        unsigned worker = find_worker(&client);
        if (at[worker].fd >= 0) {
            client_close(&client);
        } else {
            at[worker] = client;
            found++;
        }
    }
    assert_int_equal(found, WORKERS);
}

/* One rig for all tests, each of which ends what it has allocated: the next may get its ports. */
static int open_rig(void **state)
{
    (void)state;
    rig_open(&rig, WORKERS);
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    return rig_close(&rig);
}

static int open_clients(void **state)
{
    (void)state;
    dial_each();
    return 0;
}

static int close_clients(void **state)
{
    (void)state;
    for (unsigned i = 0; i < WORKERS; i++) {
        (void)client_refresh(&at[i], 0); /* where it has an allocation */
        client_close(&at[i]);
    }
    return 0;
}

static void talk(struct turn_client *client, const struct address *relayed)
{
    for (unsigned i = 0; i < 50; i++) {
        char text[32];
        int size = snprintf(text, sizeof text, "number %u", i);
        rig_talk(&rig, client, relayed, view_make(text, (size_t)size));
    }
}

/* An allocation of the first worker's, seen through the doors of all, and back at its own. */
static void test_move(void **state)
{
    (void)state;
    assert_int_equal(client_allocate(&at[0]), 200);
    struct address relayed = at[0].relayed;
    assert_int_equal(client_bind(&at[0], CHANNEL, &rig.peer_address), 200);
    talk(&at[0], &relayed);
    for (unsigned i = 1; i <= 2 * WORKERS; i++) {
        struct turn_client *before = &at[(i - 1) % WORKERS];
        struct turn_client *client = &at[i % WORKERS];
        assert_int_equal(client_move(client, before->ticket), 200);
        assert_int_equal(worker_of(client->ticket), 0);
        talk(client, &relayed);
        assert_int_equal(client_refresh(client, 600), 200); /* which bears no ticket */
        assert_int_equal(client_refresh(before, 600), 437); /* it is not there any more */
        talk(client, &relayed);
    }
}

/* A datagram without bytes is one, too. */
static void test_empty(void **state)
{
    uint8_t got[8];
    struct sockaddr_storage name;
    (void)state;
    assert_int_equal(client_allocate(&at[0]), 200);
    assert_int_equal(client_bind(&at[0], CHANNEL, &rig.peer_address), 200);
    client_say(&at[0], CHANNEL, VIEW(""));
    assert_int_equal(recv(rig.peer, got, sizeof got, 0), 0);
    socklen_t size = sockaddr_from(&at[0].relayed, &name);
    assert_int_equal(sendto(rig.peer, got, 0, 0, (struct sockaddr *)&name, size), 0);
    client_expect(&at[0], CHANNEL, VIEW(""));
}

/* When it has ended, the flow is the worker's own again to whom the kernel gives it. */
static void test_end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(client_allocate(&at[0]), 200);
        assert_int_equal(client_move(&at[1], at[0].ticket), 200);
        assert_int_equal(worker_of(at[1].ticket), 0);
        assert_int_equal(client_refresh(&at[1], 0), 200);
        assert_int_equal(find_worker(&at[1]), 1);
        assert_int_equal(find_worker(&at[0]), 0);
    }
}

/* He who has an allocation takes over no other by its ticket. */
static void test_occupied(void **state)
{
    (void)state;
    assert_int_equal(client_allocate(&at[0]), 200);
    assert_int_equal(client_allocate(&at[1]), 200);
    struct address relayed = at[1].relayed;
    (void)client_move(&at[1], at[0].ticket);
    assert_int_equal(client_bind(&at[1], CHANNEL, &rig.peer_address), 200);
    talk(&at[1], &relayed);
    assert_int_equal(client_refresh(&at[0], 600), 200);
}

static void begin_reserved(struct turn_client *client, uint64_t token)
{
    client_begin(client, STUN_ALLOCATE);
    stun_add_protocol(&client->writer, TURN_UDP);
    stun_add_64(&client->writer, STUN_RESERVATION_TOKEN, token);
}

static void test_reservation(void **state)
{
    (void)state;
    for (unsigned owner = 0; owner < WORKERS; owner++) {
        struct turn_client *first = &at[owner];
        struct turn_client *second = &at[(owner + 1) % WORKERS];
        client_begin(first, STUN_ALLOCATE);
        stun_add_protocol(&first->writer, TURN_UDP);
        stun_add_even_port(&first->writer, true);
        assert_int_equal(client_ask(first), 200);
        begin_reserved(second, first->token ^ 1);
        assert_int_equal(client_ask(second), 508);
        begin_reserved(second, first->token);
        assert_int_equal(client_ask(second), 200);
        assert_int_equal(second->relayed.port, first->relayed.port + 1);
        assert_int_equal(client_bind(second, CHANNEL, &rig.peer_address), 200);
        talk(second, &second->relayed);
        assert_int_equal(client_bind(first, CHANNEL, &rig.peer_address), 200);
        talk(first, &first->relayed);
        assert_int_equal(client_refresh(first, 0), 200);
        assert_int_equal(client_refresh(second, 0), 200);
    }
    begin_reserved(&at[0], UINT64_C(200) << 56); /* a worker that there is not */
    assert_int_equal(client_ask(&at[0]), 508);
}

/* Several whose allocations are not where they are, all at once. */
static void test_many(void **state)
{
    struct address relayed[WORKERS];
    uint8_t tickets[WORKERS][TURN_TICKET_SIZE];
    (void)state;
    for (unsigned i = 0; i < WORKERS; i++) {
        assert_int_equal(client_allocate(&at[i]), 200);
        assert_int_equal(client_bind(&at[i], CHANNEL, &rig.peer_address), 200);
        relayed[i] = at[i].relayed;
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        struct turn_client client; /* to where each is alone */
        client_open(&client, &rig.server);
        assert_int_equal(client_move(&client, at[i].ticket), 200);
        memcpy(tickets[i], client.ticket, TURN_TICKET_SIZE);
        talk(&client, &relayed[i]);
        client_close(&client);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(client_move(&at[i], tickets[(i + 1) % WORKERS]), 200);
    for (unsigned i = 0; i < 3 * WORKERS; i++)
        talk(&at[i % WORKERS], &relayed[(i + 1) % WORKERS]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_clients, close_clients)
    const struct CMUnitTest tests[] = {
        TEST(test_move),     TEST(test_end),         TEST(test_empty),
        TEST(test_occupied), TEST(test_reservation), TEST(test_many),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, open_rig, close_rig);
}
