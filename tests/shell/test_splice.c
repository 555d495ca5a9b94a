/* test_splice.c - TCP relays (RFC 6062) over real sockets, the workers turned by hand: each of the
 * connections that hang together ends at each moment, and nothing of them is left. */
#include "turn_client.h"

#include "shell/entropy.h"
#include "shell/listen.h"
#include "shell/worker.h"

#include <fcntl.h>
#include <poll.h>

#define TURNS_MAX 20000
#define WORKERS   2

/* What has happened when the end comes. */
enum moment {
    ALLOCATED,
    CONNECT_SENT,
    CONNECTED,
    DIALED, /* the client's second connection */
    BIND_SENT,
    BOUND,
    SPLICED, /* bytes have gone both ways */
    FULL_UP, /* the peer does not read, and no more goes in */
    FULL_DOWN,
    MOMENTS
};

/* Who ends: any of them together. */
enum { CONTROL = 1, DATA = 2, PEER = 4, EVERYONE = 7 };

struct rig {
    struct log log;
    struct metrics metrics[WORKERS];
    struct mailbox mailboxes[WORKERS];
    struct turn_policy policy;
    struct turn_config turn;
    struct worker *workers[WORKERS];
    struct address servers[WORKERS];
    int listener; /* the peer's */
    struct address peer_address;
    struct turn_client control, data;
    int peer;
    unsigned data_worker; /* that the data connection comes to */
};

static int by_name(void *context, struct view name, struct view *password)
{
    (void)context;
    *password = VIEW(TURN_CLIENT_PASSWORD);
    return view_equal(name, VIEW(TURN_CLIENT_USER)) ? OK : ERR_NOT_FOUND;
}

static const struct address LOOPBACK = { .family = ADDRESS_IPV4, .bytes = { 127, 0, 0, 1 } };

static void fill_turn(struct rig *rig)
{
    assert_int_equal(turn_network_read(VIEW("127.0.0.0/8"), &rig->policy.allowed[0]), OK);
    rig->policy.allowed_count = 1;
    rig->turn = (struct turn_config){
        .realm = VIEW(TURN_CLIENT_REALM),
        .users = { by_name, NULL, NULL },
        .policy = &rig->policy,
        .relays_ipv4 = true,
        .relays_tcp = true,
        .allocations_max = 8,
        .relays_max = 8,
        .peers_max = 32,
        .peers_per_allocation_max = 8,
        .connections_per_allocation_max = 4,
        .allocations_per_user_max = 8,
        .allocations_per_prefix_max = 8,
        .lifetime_s_max = TURN_LIFETIME_S,
    };
}

static void open_workers(struct rig *rig)
{
    struct worker_config config = {
        .server = { .worker_count = WORKERS,
                    .streams_max = 16,
                    .rooms_max = 8,
                    .members_max = 8,
                    .buffer_bytes = 1 << 20,
                    .random = entropy_random(),
                    .metrics = rig->metrics,
                    .trace_level = TRACE_ERROR,
                    .turn = &rig->turn },
        .mailboxes = rig->mailboxes,
        .log = &rig->log,
        .listeners = { { .kind = LISTENER_STUN_TCP } },
        .listener_count = 1,
    };
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(mailbox_init(&rig->mailboxes[i], WORKERS + 1), OK);
    for (unsigned i = 0; i < WORKERS; i++) {
        struct listener *listener = &config.listeners[0];
        config.number = i;
        assert_int_equal(listen_open(&LOOPBACK, LISTEN_TCP, &listener->fd), OK);
        rig->servers[i] = LOOPBACK;
        rig->servers[i].port = listener->port = listen_port(listener->fd);
        assert_int_equal(worker_new(&config, &rig->workers[i]), OK);
    }
}

static int open_rig(void **state)
{
    struct rig *rig = aligned_alloc(64, (sizeof *rig + 63) / 64 * 64);
    assert_non_null(rig);
    memset(rig, 0, sizeof *rig);
    log_init(&rig->log, open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_TEXT, TRACE_ERROR);
    fill_turn(rig);
    open_workers(rig);
    assert_int_equal(listen_open(&LOOPBACK, LISTEN_TCP, &rig->listener), OK);
    rig->peer_address = LOOPBACK;
    rig->peer_address.port = listen_port(rig->listener);
    *state = rig;
    return 0;
}

static int close_rig(void **state)
{
    struct rig *rig = *state;
    for (unsigned i = 0; i < WORKERS; i++)
        worker_free(rig->workers[i]);
    for (unsigned i = 0; i < WORKERS; i++)
        mailbox_free(&rig->mailboxes[i]);
    close(rig->listener);
    close(rig->log.fd);
    free(rig);
    return 0;
}

static void turn_all(struct rig *rig)
{
    for (unsigned i = 0; i < WORKERS; i++)
        worker_turn(rig->workers[i], 0);
}

static void wait_for(void *context, int fd)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    for (int i = 0; i < TURNS_MAX; i++) {
        turn_all(context);
        if (poll(&ready, 1, 1) == 1)
            return;
    }
    fail_msg("nothing has come");
}

static int dial(const struct address *to)
{
    struct sockaddr_storage name;
    socklen_t size = sockaddr_from(to, &name);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, size), 0);
    return fd;
}

/* ---- the steps ---- */

static void sign(struct turn_client *client)
{
    struct stun_key key;
    assert_int_equal(stun_key_make(STUN_ALGORITHM_MD5, VIEW(TURN_CLIENT_USER),
                                   VIEW(TURN_CLIENT_REALM), VIEW(TURN_CLIENT_PASSWORD), &key),
                     OK);
    stun_add(&client->writer, STUN_USERNAME, VIEW(TURN_CLIENT_USER));
    stun_add(&client->writer, STUN_REALM, VIEW(TURN_CLIENT_REALM));
    stun_add(&client->writer, STUN_NONCE, view_make(client->nonce, client->nonce_size));
    stun_add_integrity(&client->writer, stun_key_view(&key));
}

static void send_request(struct turn_client *client)
{
    sign(client);
    assert_int_equal(send(client->fd, client->bytes, client->writer.size, MSG_NOSIGNAL),
                     client->writer.size);
}

static void allocate(struct rig *rig)
{
    rig->control = (struct turn_client){ .fd = dial(&rig->servers[0]), wait_for, rig };
    client_begin(&rig->control, STUN_ALLOCATE);
    stun_add_protocol(&rig->control.writer, TURN_TCP);
    assert_int_equal(client_ask(&rig->control), 200);
}

static uint32_t take_connection(struct rig *rig)
{
    uint32_t id;
    client_hear(&rig->control);
    assert_int_equal(
        stun_read(view_make(rig->control.heard, rig->control.heard_size), &rig->control.answer),
        OK);
    const struct stun_attr *attr = stun_find(&rig->control.answer, STUN_CONNECTION_ID);
    assert_non_null(attr);
    assert_int_equal(stun_read_32(attr, &id), OK);
    wait_for(rig, rig->listener);
    rig->peer = accept4(rig->listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(rig->peer >= 0);
    return id;
}

static void pass(struct rig *rig, int from, int to, const char *text)
{
    char got[16];
    assert_int_equal(send(from, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    wait_for(rig, to);
    assert_int_equal(recv(to, got, sizeof got, 0), strlen(text));
    assert_memory_equal(got, text, strlen(text));
}

/* Until it takes no more for a while: the sockets and the splice between are full. */
static void fill(struct rig *rig, int fd)
{
    static uint8_t bytes[32 * 1024];
    for (int idle = 0; idle < 50;) {
        ssize_t sent = send(fd, bytes, sizeof bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
        idle = sent > 0 ? 0 : idle + 1;
        turn_all(rig);
    }
}

static void reach(struct rig *rig, enum moment moment)
{
    uint32_t id = 0;
    rig->peer = rig->data.fd = -1;
    allocate(rig);
    if (moment >= CONNECT_SENT) {
        client_begin(&rig->control, STUN_CONNECT);
        stun_add_xor_address(&rig->control.writer, STUN_XOR_PEER_ADDRESS, &rig->peer_address);
        send_request(&rig->control);
    }
    if (moment >= CONNECTED)
        id = take_connection(rig);
    if (moment >= DIALED) {
        rig->data = rig->control; /* its nonce, too */
        rig->data.fd = dial(&rig->servers[rig->data_worker]);
    }
    if (moment >= BIND_SENT) {
        client_begin(&rig->data, STUN_CONNECTION_BIND);
        stun_add_32(&rig->data.writer, STUN_CONNECTION_ID, id);
        send_request(&rig->data);
    }
    if (moment >= BOUND) {
        client_hear(&rig->data);
        assert_int_equal(rig->data.heard[0], 0x01); /* a success: 0x010b */
        assert_int_equal(rig->data.heard[1], 0x0b);
    }
    if (moment >= SPLICED) {
        pass(rig, rig->data.fd, rig->peer, "up");
        pass(rig, rig->peer, rig->data.fd, "down");
    }
    if (moment == FULL_UP)
        fill(rig, rig->data.fd);
    if (moment == FULL_DOWN)
        fill(rig, rig->peer);
}

/* ---- the ends ---- */

static void end(int *fd, bool is_reset)
{
    struct linger now = { .l_onoff = 1 };
    if (*fd < 0)
        return;
    if (is_reset)
        setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(*fd);
    *fd = -1;
}

static unsigned count_open(const struct rig *rig)
{
    unsigned count = 0;
    for (unsigned i = 0; i < WORKERS; i++) {
        const struct worker *worker = rig->workers[i];
        count += worker->peers.used + server_streams(worker->server);
        for (uint32_t j = 0; j < worker->relays.count_max; j++)
            count += worker->relays.items[j].state != RELAY_FREE;
    }
    return count;
}

static void expect_nothing_left(struct rig *rig, const char *when)
{
    for (int i = 0; i < TURNS_MAX && count_open(rig); i++) {
        turn_all(rig);
        poll(NULL, 0, count_open(rig) ? 1 : 0);
    }
    if (count_open(rig))
        fail_msg("%s: something is left", when);
    for (int fd; (fd = accept4(rig->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
        close(fd); /* of a Connect whose answer nobody waited for */
}

/* `first` end, then (after some turns, or at once) all others. */
static void check(struct rig *rig, enum moment moment, unsigned first, bool is_reset, int turns)
{
    char when[80];
    snprintf(when, sizeof when, "moment %d, first %u, reset %d, turns %d, worker %u", (int)moment,
             first, is_reset, turns, rig->data_worker);
    reach(rig, moment);
    for (unsigned who = first;; who = EVERYONE) {
        if (who & CONTROL)
            end(&rig->control.fd, is_reset);
        if (who & DATA)
            end(&rig->data.fd, is_reset);
        if (who & PEER)
            end(&rig->peer, is_reset);
        for (int i = 0; i < turns; i++)
            turn_all(rig);
        if (who == EVERYONE)
            break;
    }
    expect_nothing_left(rig, when);
}

static void check_all(struct rig *rig, bool is_reset)
{
    for (int moment = ALLOCATED; moment < MOMENTS; moment++)
        for (unsigned first = 1; first <= EVERYONE; first++)
            for (int turns = 0; turns < 3; turns++)
                check(rig, (enum moment)moment, first, is_reset, turns);
}

static void test_ends(void **state)
{
    check_all(*state, false);
}

static void test_resets(void **state)
{
    check_all(*state, true);
}

/* The data connection comes to another worker, and is handed over in the middle of it. */
static void test_ends_of_who_is_handed_over(void **state)
{
    struct rig *rig = *state;
    rig->data_worker = 1;
    check_all(rig, false);
    check_all(rig, true);
}

static unsigned count_relays(const struct rig *rig)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < rig->workers[0]->relays.count_max; i++)
        count += rig->workers[0]->relays.items[i].state != RELAY_FREE;
    return count;
}

/* A connection that breaks takes the other with it, and no more: its allocation goes on. */
static void test_the_other_end_breaks_too(void **state)
{
    struct rig *rig = *state;
    for (int moment = SPLICED; moment < MOMENTS; moment++) {
        for (int i = 0; i < 2; i++) {
            reach(rig, (enum moment)moment);
            assert_int_equal(count_relays(rig), 2);
            end(i ? &rig->peer : &rig->data.fd, true);
            for (int turn = 0; turn < TURNS_MAX && count_relays(rig) > 1; turn++) {
                turn_all(rig);
                poll(NULL, 0, 1);
            }
            assert_int_equal(count_relays(rig), 1);
            client_begin(&rig->control, STUN_REFRESH);
            assert_int_equal(client_ask(&rig->control), 200);
            end(i ? &rig->data.fd : &rig->peer, false);
            end(&rig->control.fd, false);
            expect_nothing_left(rig, "one end is broken");
        }
    }
}

/* One side says that it has no more; the other goes on, and is heard to its end. */
static void test_half_close(void **state)
{
    struct rig *rig = *state;
    char got[8];
    for (int i = 0; i < 2; i++) {
        reach(rig, SPLICED);
        int from = i ? rig->peer : rig->data.fd;
        int to = i ? rig->data.fd : rig->peer;
        assert_int_equal(shutdown(from, SHUT_WR), 0);
        wait_for(rig, to);
        assert_int_equal(recv(to, got, sizeof got, 0), 0);
        pass(rig, to, from, "still");
        end(&rig->data.fd, false);
        end(&rig->peer, false);
        end(&rig->control.fd, false);
        expect_nothing_left(rig, "half closed");
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        TEST(test_ends),
        TEST(test_resets),
        TEST(test_ends_of_who_is_handed_over),
        TEST(test_the_other_end_breaks_too),
        TEST(test_half_close),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
