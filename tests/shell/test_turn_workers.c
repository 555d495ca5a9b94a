/* test_turn_workers.c - TURN clients whose datagrams come to another worker than the one that has
 * their allocation: those who have moved (RFC 8016), and ports that were reserved (RFC 8656,
 * section 7).  Which worker the kernel gives a socket's datagrams to is asked of the tickets. */
#include "turn_client.h"

#include "shell/log.h"
#include "shell/workers.h"

#include <fcntl.h>

#define WORKERS 3
#define CHANNEL 0x4000
#define DIALS   500 /* sockets tried till each worker has got one */

static struct rig {
    char folder[64];
    int log_fd;
    struct log log;
    struct settings settings;
    struct workers *workers;
    struct address server;
    int peer;
    struct address peer_address;
    struct turn_client at[WORKERS]; /* a client for each worker; without an allocation */
} rig;

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
        rig.at[i].fd = -1;
    for (unsigned i = 0; i < DIALS && found < WORKERS; i++) {
        struct turn_client client;
        client_open(&client, &rig.server);
        unsigned worker = find_worker(&client);
        if (rig.at[worker].fd >= 0) {
            client_close(&client);
        } else {
            rig.at[worker] = client;
            found++;
        }
    }
    assert_int_equal(found, WORKERS);
}

static int open_rig(void **state)
{
    static const char YAML[] = "workers: 3\n"
                               "http: {listen: []}\n"
                               "https: {listen: []}\n"
                               "turn:\n"
                               "  listen: [\"127.0.0.1:0\"]\n"
                               "  tls_listen: []\n"
                               "  realm: " TURN_CLIENT_REALM "\n"
                               "  users: [\"" TURN_CLIENT_USER ":" TURN_CLIENT_PASSWORD "\"]\n"
                               "  allow_peers: [\"127.0.0.0/8\"]\n";
    char error[SETTINGS_ERROR_MAX] = "";
    (void)state;
    memset(&rig, 0, sizeof rig);
    snprintf(rig.folder, sizeof rig.folder, "/tmp/moim-turn-XXXXXX");
    assert_non_null(mkdtemp(rig.folder));
    settings_default(&rig.settings);
    int status = settings_read_text(view_of(YAML), "test", &rig.settings, error);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
    snprintf(rig.settings.state_dir, sizeof rig.settings.state_dir, "%s", rig.folder);
    rig.log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    log_init(&rig.log, rig.log_fd, LOG_JSON, TRACE_DEBUG);
    status = workers_start(&rig.settings, NULL, &rig.log, NULL, &rig.workers, error);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
    rig.server = workers_settings(rig.workers)->turn_listen.items[0];
    rig.peer = udp_open(&rig.peer_address);
    dial_each();
    return 0;
}

static int close_rig(void **state)
{
    char command[128];
    (void)state;
    for (unsigned i = 0; i < WORKERS; i++)
        client_close(&rig.at[i]);
    workers_stop(rig.workers, 5 * USEC_S);
    settings_clear(&rig.settings);
    close(rig.peer);
    close(rig.log_fd);
    snprintf(command, sizeof command, "rm -r %s", rig.folder);
    return system(command);
}

/* To the peer by the allocation that `relayed` is of, and back; nothing is lost. */
static void talk(struct turn_client *client, const struct address *relayed)
{
    for (unsigned i = 0; i < 50; i++) {
        char text[32];
        uint8_t got[64];
        struct sockaddr_storage name;
        struct address from;
        socklen_t size = sizeof name;
        struct view data = view_make(text, (size_t)snprintf(text, sizeof text, "number %u", i));
        client_say(client, CHANNEL, data);
        ssize_t count = recvfrom(rig.peer, got, sizeof got, 0, (struct sockaddr *)&name, &size);
        assert_true(count > 0);
        assert_true(view_equal(view_make(got, (size_t)count), data));
        sockaddr_read(&name, &from);
        assert_true(address_equal(&from, relayed));
        assert_int_equal(sendto(rig.peer, got, (size_t)count, 0, (struct sockaddr *)&name, size),
                         count);
        client_expect(client, CHANNEL, data);
    }
}

/* An allocation of the first worker's, seen through the doors of all, and back at its own. */
static void test_move(void **state)
{
    (void)state;
    assert_int_equal(client_allocate(&rig.at[0]), 200);
    struct address relayed = rig.at[0].relayed;
    assert_int_equal(client_bind(&rig.at[0], CHANNEL, &rig.peer_address), 200);
    talk(&rig.at[0], &relayed);
    for (unsigned i = 1; i <= 2 * WORKERS; i++) {
        struct turn_client *before = &rig.at[(i - 1) % WORKERS];
        struct turn_client *client = &rig.at[i % WORKERS];
        assert_int_equal(client_move(client, before->ticket), 200);
        assert_int_equal(worker_of(client->ticket), 0);
        talk(client, &relayed);
        assert_int_equal(client_refresh(client, 600), 200); /* which bears no ticket */
        assert_int_equal(client_refresh(before, 600), 437); /* it is not there any more */
        talk(client, &relayed);
    }
}

/* When it has ended, the flow is the worker's own again to whom the kernel gives it. */
static void test_end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(client_allocate(&rig.at[0]), 200);
        assert_int_equal(client_move(&rig.at[1], rig.at[0].ticket), 200);
        assert_int_equal(worker_of(rig.at[1].ticket), 0);
        assert_int_equal(client_refresh(&rig.at[1], 0), 200);
        assert_int_equal(find_worker(&rig.at[1]), 1);
        assert_int_equal(find_worker(&rig.at[0]), 0);
    }
}

/* He who has an allocation takes over no other by its ticket. */
static void test_occupied(void **state)
{
    (void)state;
    assert_int_equal(client_allocate(&rig.at[0]), 200);
    assert_int_equal(client_allocate(&rig.at[1]), 200);
    struct address relayed = rig.at[1].relayed;
    (void)client_move(&rig.at[1], rig.at[0].ticket);
    assert_int_equal(client_bind(&rig.at[1], CHANNEL, &rig.peer_address), 200);
    talk(&rig.at[1], &relayed);
    assert_int_equal(client_refresh(&rig.at[0], 600), 200);
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
        struct turn_client *first = &rig.at[owner];
        struct turn_client *second = &rig.at[(owner + 1) % WORKERS];
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
    begin_reserved(&rig.at[0], UINT64_C(200) << 56); /* a worker that there is not */
    assert_int_equal(client_ask(&rig.at[0]), 508);
}

/* Several whose allocations are not where they are, all at once. */
static void test_many(void **state)
{
    struct turn_client *const at = rig.at;
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        TEST(test_move),        TEST(test_end),  TEST(test_occupied),
        TEST(test_reservation), TEST(test_many),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
