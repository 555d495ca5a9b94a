/* test_worker_turn.c - a worker's relays over real sockets, in the test's own thread: what two
 * clients relay to each other, and to a port of the worker's own, stays inside. */
#include "worker_rig.h"

#include "agent/turn.h"
#include "shell/sockaddr.h"

#include <sys/socket.h>

#define TURNS_MAX 100000
#define CHANNEL   0x4000
#define SINK      "127.0.0.1:9"

struct client {
    int fd;
    char nonce[64];
    size_t nonce_size;
    struct address relayed;
    uint8_t bytes[2048];
    size_t size;
    struct stun_msg answer;
};

struct rig {
    struct worker_rig base;
    struct turn_policy policy;
    struct turn_config turn;
    uint16_t port;
    struct client clients[2];
    unsigned sunk; /* what the sink got, and from where */
    struct address sunk_from;
    uint8_t sunk_bytes[64];
    size_t sunk_size;
};

static int by_name(void *context, struct view name, struct view *password)
{
    (void)context;
    *password = VIEW("wonder");
    return view_equal(name, VIEW("alice")) ? OK : ERR_NOT_FOUND;
}

static void sink(void *context, usec now, const struct address *from, struct view bytes)
{
    struct rig *rig = context;
    (void)now;
    assert_in_range(bytes.size, 1, sizeof rig->sunk_bytes);
    memcpy(rig->sunk_bytes, bytes.at, bytes.size);
    rig->sunk_size = bytes.size;
    rig->sunk_from = *from;
    rig->sunk++;
}

static struct address address_of(const char *text)
{
    struct address address;
    assert_int_equal(address_read(view_of(text), &address), OK);
    return address;
}

static void fill_turn(struct rig *rig)
{
    assert_int_equal(turn_network_read(VIEW("127.0.0.0/8"), &rig->policy.allowed[0]), OK);
    rig->policy.allowed_count = 1;
    rig->turn = (struct turn_config){
        .realm = VIEW("moim"),
        .users = { by_name, NULL, NULL },
        .policy = &rig->policy,
        .relays_ipv4 = true,
        .allocations_max = 8,
        .relays_max = 8,
        .peers_max = 32,
        .peers_per_allocation_max = 8,
        .allocations_per_user_max = 8,
        .allocations_per_prefix_max = 8,
        .lifetime_s_max = TURN_LIFETIME_S,
    };
}

static void open_worker(struct rig *rig, const char *host)
{
    struct worker_config config = worker_rig_open(&rig->base, &rig->turn);
    struct address any = address_of(host);
    int fd;
    any.port = 0;
    assert_int_equal(listen_open(&any, LISTEN_UDP, &fd), OK);
    worker_rig_listen(&config, LISTENER_STUN_UDP, fd);
    rig->port = listen_port(fd);
    config.sinks[0].address = address_of(SINK);
    config.sinks[0].take = sink;
    config.sinks[0].context = rig;
    config.sink_count = 1;
    assert_int_equal(worker_new(&config, &rig->base.worker), OK);
}

static void connect_client(const struct rig *rig, struct client *client, const char *host)
{
    struct sockaddr_storage name;
    struct address server = address_of(host);
    server.port = rig->port;
    socklen_t size = sockaddr_from(&server, &name);
    client->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(client->fd >= 0);
    assert_int_equal(connect(client->fd, (struct sockaddr *)&name, size), 0);
}

static int open_rig_at(void **state, const char *bound, const char *host)
{
    struct rig *rig = aligned_alloc(64, (sizeof *rig + 63) / 64 * 64);
    assert_non_null(rig);
    memset(rig, 0, sizeof *rig);
    fill_turn(rig);
    open_worker(rig, bound);
    for (int i = 0; i < 2; i++)
        connect_client(rig, &rig->clients[i], host);
    *state = rig;
    return 0;
}

static int open_rig(void **state)
{
    return open_rig_at(state, "127.0.0.1:1", "127.0.0.1:1");
}

static int open_rig_anywhere(void **state)
{
    return open_rig_at(state, "0.0.0.0:1", "127.0.0.2:1");
}

static int close_rig(void **state)
{
    struct rig *rig = *state;
    for (int i = 0; i < 2; i++)
        close(rig->clients[i].fd);
    worker_rig_close(&rig->base);
    free(rig);
    return 0;
}

/* Lets the worker go on until something has come to the client. */
static void hear(struct rig *rig, struct client *client)
{
    for (int i = 0; i < TURNS_MAX; i++) {
        worker_turn(rig->base.worker, 0);
        ssize_t got = recv(client->fd, client->bytes, sizeof client->bytes, 0);
        client->size = got > 0 ? (size_t)got : 0;
        if (got > 0)
            return;
    }
    fail_msg("nothing came");
}

static void begin(struct stun_writer *writer, uint8_t *bytes, size_t size, uint16_t method)
{
    static uint8_t count;
    const uint8_t transaction[STUN_TRANSACTION_SIZE] = { ++count };
    stun_begin(writer, bytes, size, STUN_REQUEST, method, transaction);
}

/* Signs and sends it; the answer is client->answer. */
static void ask(struct rig *rig, struct client *client, struct stun_writer *writer)
{
    struct stun_key key;
    if (client->nonce_size) {
        stun_add(writer, STUN_USERNAME, VIEW("alice"));
        stun_add(writer, STUN_REALM, VIEW("moim"));
        stun_add(writer, STUN_NONCE, view_make(client->nonce, client->nonce_size));
        assert_int_equal(
            stun_key_make(STUN_ALGORITHM_MD5, VIEW("alice"), VIEW("moim"), VIEW("wonder"), &key),
            OK);
        stun_add_integrity(writer, stun_key_view(&key));
    }
    assert_int_equal(send(client->fd, writer->at, writer->size, 0), writer->size);
    hear(rig, client);
    assert_int_equal(stun_read(view_make(client->bytes, client->size), &client->answer), OK);
    const struct stun_attr *nonce = stun_find(&client->answer, STUN_NONCE);
    if (!nonce)
        return;
    assert_in_range(nonce->value.size, 1, sizeof client->nonce);
    memcpy(client->nonce, nonce->value.at, nonce->value.size);
    client->nonce_size = nonce->value.size;
}

static void allocate(struct rig *rig, struct client *client)
{
    uint8_t bytes[512];
    struct stun_writer writer;
    for (int i = 0; i < 2; i++) {
        begin(&writer, bytes, sizeof bytes, STUN_ALLOCATE);
        stun_add_protocol(&writer, TURN_UDP);
        ask(rig, client, &writer);
    }
    assert_int_equal(client->answer.class, STUN_SUCCESS);
    assert_int_equal(stun_read_xor_address(&client->answer,
                                           stun_find(&client->answer, STUN_XOR_RELAYED_ADDRESS),
                                           &client->relayed),
                     OK);
}

static void bind_channel(struct rig *rig, struct client *client, const struct address *peer)
{
    uint8_t bytes[512];
    struct stun_writer writer;
    begin(&writer, bytes, sizeof bytes, STUN_CHANNEL_BIND);
    stun_add_channel(&writer, CHANNEL);
    stun_add_xor_address(&writer, STUN_XOR_PEER_ADDRESS, peer);
    ask(rig, client, &writer);
    assert_int_equal(client->answer.class, STUN_SUCCESS);
}

static void say(const struct client *client, struct view data)
{
    uint8_t bytes[512];
    turn_channel_write(bytes, CHANNEL, data.size);
    memcpy(bytes + TURN_CHANNEL_HEADER_SIZE, data.at, data.size);
    size_t size = TURN_CHANNEL_HEADER_SIZE + data.size;
    assert_int_equal(send(client->fd, bytes, size, 0), size);
}

static void assert_heard(struct rig *rig, struct client *client, struct view data)
{
    uint16_t channel;
    struct view heard;
    hear(rig, client);
    assert_int_equal(turn_channel_read(view_make(client->bytes, client->size), &channel, &heard),
                     OK);
    assert_int_equal(channel, CHANNEL);
    assert_true(view_equal(heard, data));
}

static void test_two_relays(void **state)
{
    struct rig *rig = *state;
    struct client *a = &rig->clients[0], *b = &rig->clients[1];
    allocate(rig, a);
    allocate(rig, b);
    bind_channel(rig, a, &b->relayed);
    bind_channel(rig, b, &a->relayed);
    for (int i = 0; i < 3; i++) {
        say(a, VIEW("there"));
        say(b, VIEW("and back"));
        assert_heard(rig, b, VIEW("there"));
        assert_heard(rig, a, VIEW("and back"));
    }
    assert_int_equal(metrics_read(&rig->base.metrics, METRIC_TURN_JOINED), 6);
}

static void test_sink(void **state)
{
    struct rig *rig = *state;
    struct client *a = &rig->clients[0];
    struct address port = address_of(SINK), other = address_of("127.0.0.1:10");
    allocate(rig, a);
    bind_channel(rig, a, &port);
    say(a, VIEW("media"));
    for (int i = 0; i < TURNS_MAX && !rig->sunk; i++)
        worker_turn(rig->base.worker, 0);
    assert_int_equal(rig->sunk, 1);
    assert_int_equal(rig->sunk_size, 5);
    assert_memory_equal(rig->sunk_bytes, "media", 5);
    assert_true(address_equal(&rig->sunk_from, &a->relayed));
    assert_true(worker_feed_relay(rig->base.worker, &port, &a->relayed, VIEW("more media")));
    assert_heard(rig, a, VIEW("more media"));
    assert_false(worker_feed_relay(rig->base.worker, &port, &other, VIEW("not ours")));
    assert_int_equal(rig->sunk, 1);
}

/* Sends datagrams of all sizes to the client's relay, and sees them come out in that order. */
static void burst(struct rig *rig, struct client *client, int peer, unsigned count)
{
    uint8_t bytes[256] = { 0 };
    struct sockaddr_storage name;
    socklen_t size = sockaddr_from(&client->relayed, &name);
    for (unsigned i = 0; i < count; i++) {
        bytes[0] = (uint8_t)i;
        assert_int_equal(sendto(peer, bytes, 1 + i * 37 % 200, 0, (struct sockaddr *)&name, size),
                         1 + i * 37 % 200);
    }
    for (unsigned i = 0; i < count; i++) {
        bytes[0] = (uint8_t)i;
        assert_heard(rig, client, view_make(bytes, 1 + i * 37 % 200));
    }
}

/* However many come at once, and after however few. */
static void test_bursts(void **state)
{
    static const unsigned COUNTS[] = { 1, 1, 1, 2, 1, 9, 1, 40, 3, 1, 1, 100, 1, 17, 16, 1 };
    struct rig *rig = *state;
    struct client *a = &rig->clients[0];
    struct sockaddr_storage name;
    struct address any = address_of("127.0.0.1:1"), peer;
    socklen_t size = sizeof name;
    any.port = 0;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sockaddr_from(&any, &name)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    sockaddr_read(&name, &peer);
    allocate(rig, a);
    bind_channel(rig, a, &peer);
    for (size_t i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++)
        burst(rig, a, fd, COUNTS[i]);
    close(fd);
}

/* The clients' sockets are connected: they hear what comes from where they sent to, alone. */
static void test_bound_to_all_addresses(void **state)
{
    struct rig *rig = *state;
    test_two_relays(state);
    assert_int_equal(rig->clients[0].relayed.bytes[3], 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        TEST(test_two_relays),
        TEST(test_sink),
        TEST(test_bursts),
        cmocka_unit_test_setup_teardown(test_bound_to_all_addresses, open_rig_anywhere, close_rig),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
