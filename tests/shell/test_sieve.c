/* test_sieve.c - what the kernel drops of a flood, and when a worker has it do so. */
#include "worker_rig.h"

#include "agent/turn.h"
#include "shell/sieve.h"
#include "shell/sockaddr.h"

#include <sys/socket.h>

#define STRANGERS 20000 /* more than any socket's buffer holds */
#define TURNS_MAX 1000

static int dial(uint16_t port)
{
    const struct address to = { .family = ADDRESS_IPV4, .bytes = { 127, 0, 0, 1 }, .port = port };
    struct sockaddr_storage name;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sockaddr_from(&to, &name)), 0);
    return fd;
}

static int open_listener(uint16_t *port)
{
    const struct address any = { .family = ADDRESS_IPV4, .bytes = { 127, 0, 0, 1 } };
    int fd;
    assert_int_equal(listen_open(&any, LISTEN_UDP, &fd), OK);
    *port = listen_port(fd);
    return fd;
}

static void test_how_many(void **state)
{
    (void)state;
    assert_int_equal(sieve_keep(0), SIEVE_ALL);
    assert_int_equal(sieve_keep(2 * SIEVE_PER_S), SIEVE_ALL);
    assert_int_equal(sieve_keep(2 * SIEVE_PER_S + 1), SIEVE_ALL / 2 - 1);
    assert_int_equal(sieve_keep(16 * SIEVE_PER_S), SIEVE_ALL / 16);
    assert_int_equal(sieve_keep(UINT64_C(1) << 50), SIEVE_LEAST);
}

/* ---- the filter ---- */

static size_t request(uint8_t out[256], enum stun_class class, uint16_t method, size_t body)
{
    static const uint8_t ZEROS[STUN_TRANSACTION_SIZE];
    static const uint8_t BODY[128];
    struct stun_writer writer;
    stun_begin(&writer, out, 256, class, method, ZEROS);
    if (body)
        stun_add(&writer, STUN_SOFTWARE, view_make(BODY, body - 4));
    return writer.size;
}

/* Loopback delivers before send returns, or not at all. */
static bool gets_in(int from, int to, const uint8_t *bytes, size_t size)
{
    uint8_t got[2048];
    assert_int_equal(send(from, bytes, size, 0), size);
    ssize_t count = recv(to, got, sizeof got, MSG_DONTWAIT);
    assert_true(count < 0 || (size_t)count == size); /* whole */
    return count >= 0;
}

static void test_what_gets_in(void **state)
{
    uint16_t port;
    int to = open_listener(&port);
    int from = dial(port);
    uint8_t bytes[256];
    uint8_t data[1200] = { 0x40, 0, 0x04, 0xac };
    (void)state;
    assert_int_equal(sieve_set(to, 0), OK);
    assert_false(gets_in(from, to, bytes, request(bytes, STUN_REQUEST, STUN_ALLOCATE, 8)));
    assert_false(gets_in(from, to, bytes, request(bytes, STUN_REQUEST, STUN_BINDING, 0)));
    assert_false(gets_in(from, to, bytes, request(bytes, STUN_REQUEST, STUN_REFRESH, 52)));
    assert_false(gets_in(from, to, bytes, 3)); /* which is nothing at all */
    assert_true(gets_in(from, to, bytes, request(bytes, STUN_REQUEST, STUN_REFRESH, 56)));
    assert_true(gets_in(from, to, bytes, request(bytes, STUN_REQUEST, STUN_ALLOCATE, 120)));
    assert_true(gets_in(from, to, bytes, request(bytes, STUN_INDICATION, STUN_SEND, 12)));
    assert_true(gets_in(from, to, bytes, request(bytes, STUN_SUCCESS, STUN_BINDING, 0)));
    assert_true(gets_in(from, to, bytes, request(bytes, STUN_ERROR, STUN_BINDING, 8)));
    assert_true(gets_in(from, to, data, sizeof data));
    assert_true(gets_in(from, to, data, 4));
    assert_int_equal(sieve_dropped(to), 4);
    assert_int_equal(sieve_set(to, SIEVE_ALL), OK);
    assert_true(gets_in(from, to, bytes, request(bytes, STUN_REQUEST, STUN_BINDING, 0)));
    assert_int_equal(sieve_set(to, SIEVE_ALL), OK); /* as it is already */
    /* by chance, but neither all nor none of a thousand */
    unsigned count = 0;
    assert_int_equal(sieve_set(to, SIEVE_ALL / 2), OK);
    for (unsigned i = 0; i < 1000; i++)
        count += gets_in(from, to, bytes, request(bytes, STUN_REQUEST, STUN_BINDING, 0));
    assert_in_range(count, 1, 999);
    close(from);
    close(to);
}

/* The least signed request that there can be is not taken for a stranger's. */
static void test_signed(void **state)
{
    uint8_t bytes[256];
    struct stun_writer writer;
    (void)state;
    stun_begin(&writer, bytes, sizeof bytes, STUN_REQUEST, STUN_REFRESH,
               (const uint8_t[STUN_TRANSACTION_SIZE]){ 1 });
    stun_add(&writer, STUN_USERNAME, VIEW("u"));
    stun_add(&writer, STUN_REALM, VIEW("r"));
    stun_add(&writer, STUN_NONCE, VIEW("a nonce of 13"));
    stun_add_integrity(&writer, VIEW("key"));
    assert_true(writer.size - STUN_HEADER_SIZE >= SIEVE_SIGNED_MIN);
}

/* ---- the worker ---- */

struct rig {
    struct worker_rig base;
    struct turn_policy policy;
    struct turn_config turn;
    int fd;
};

static int open_rig(void **state)
{
    struct rig *rig = aligned_alloc(64, sizeof *rig);
    uint16_t port;
    assert_non_null(rig);
    memset(rig, 0, sizeof *rig);
    rig->turn = (struct turn_config){ .realm = VIEW("moim"),
                                      .policy = &rig->policy,
                                      .relays_ipv4 = true,
                                      .allocations_max = 8,
                                      .relays_max = 8,
                                      .peers_max = 8,
                                      .lifetime_s_max = TURN_LIFETIME_S };
    struct worker_config config = worker_rig_open(&rig->base, &rig->turn);
    worker_rig_listen(&config, LISTENER_STUN_UDP, open_listener(&port));
    assert_int_equal(worker_new(&config, &rig->base.worker), OK);
    rig->fd = dial(port);
    *state = rig;
    return 0;
}

static int close_rig(void **state)
{
    struct rig *rig = *state;
    close(rig->fd);
    worker_rig_close(&rig->base);
    free(rig);
    return 0;
}

static void send_strangers(struct rig *rig, unsigned count)
{
    uint8_t bytes[256];
    size_t size = request(bytes, STUN_REQUEST, STUN_BINDING, 0);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(send(rig->fd, bytes, size, 0), size);
}

/* One turn of reading the socket, so long after the last. */
static void read_once(struct rig *rig, usec later)
{
    struct worker *worker = rig->base.worker;
    worker->now += later;
    worker_datagrams_ready(worker, &worker->config.listeners[0]);
    worker_flush_relays(worker);
}

static void test_flood(void **state)
{
    struct rig *rig = *state;
    struct worker *worker = rig->base.worker;
    send_strangers(rig, STRANGERS);
    unsigned turns = 0;
    while (worker->sieve.keep == SIEVE_ALL && turns++ < TURNS_MAX)
        read_once(rig, 10 * USEC_MS);
    assert_in_range(worker->sieve.keep, SIEVE_LEAST, SIEVE_ALL / 2);
    assert_int_equal(metrics_read(&rig->base.metrics, METRIC_TURN_FLOODS), 1);
    assert_true(worker_sieve_until(worker) <= worker->now + USEC_S);
    /* it goes on, and hardly any of it gets in: that is seen, too */
    uint32_t keep = worker->sieve.keep;
    send_strangers(rig, 4 * SIEVE_PER_S);
    worker->now += USEC_S;
    worker_sieve_tick(worker);
    assert_in_range(worker->sieve.keep, keep, SIEVE_ALL / 4 + 1);
    assert_int_equal(metrics_read(&rig->base.metrics, METRIC_TURN_FLOODS), 1);
    /* a second later it is over */
    worker->now += USEC_S;
    worker_sieve_tick(worker);
    assert_int_equal(worker->sieve.keep, SIEVE_ALL);
    assert_true(worker_sieve_until(worker) == USEC_NEVER);
}

/* Many, but as many as can be read. */
static void test_no_flood(void **state)
{
    struct rig *rig = *state;
    for (unsigned i = 0; i < 200; i++) {
        send_strangers(rig, 200);
        read_once(rig, USEC_MS);
        read_once(rig, USEC_MS);
    }
    assert_int_equal(rig->base.worker->sieve.keep, SIEVE_ALL);
    assert_int_equal(metrics_read(&rig->base.metrics, METRIC_TURN_FLOODS), 0);
}

/* The buffer overflows of what is no stranger's: there is nobody to turn away. */
static void test_heavy_load(void **state)
{
    struct rig *rig = *state;
    static const uint8_t data[64] = { 0x40, 0, 0, 60 };
    for (unsigned i = 0; i < STRANGERS; i++)
        assert_int_equal(send(rig->fd, data, sizeof data, 0), sizeof data);
    assert_true(sieve_dropped(rig->base.worker->config.listeners[0].fd) > 0);
    for (unsigned i = 0; i < 100; i++)
        read_once(rig, 10 * USEC_MS);
    assert_int_equal(rig->base.worker->sieve.keep, SIEVE_ALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_how_many),
        cmocka_unit_test(test_what_gets_in),
        cmocka_unit_test(test_signed),
        cmocka_unit_test_setup_teardown(test_flood, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_no_flood, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_heavy_load, open_rig, close_rig),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
