/* test_worker_dtls.c - TURN over DTLS through a worker's own sockets, with OpenSSL's client: by
 * IPv4 and by IPv6, two of them at once, with a certificate that is renewed under way, and at the
 * end. */
#include "support.h"

#include "shell/certificate.h"
#include "shell/clock.h"
#include "shell/entropy.h"
#include "shell/listen.h"
#include "shell/sockaddr.h"
#include "shell/worker.h"
#include "wire/stun.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TURNS_MAX 100000

static const struct address IPV4 = { .family = ADDRESS_IPV4, .bytes = { 127, 0, 0, 1 } };
static const struct address IPV6 = { .family = ADDRESS_IPV6, .bytes = { [15] = 1 } };
static const struct turn_policy POLICY = { 0 };

static struct {
    struct log log;
    struct metrics metrics[1];
    struct mailbox mailbox;
    struct worker *worker;
    SSL_CTX *context; /* of clients */
    struct certificate first, second;
} rig;

static void make_certificate(struct certificate *certificate)
{
    char folder[] = "/tmp/moim-dtls-XXXXXX";
    char command[64];
    char error[SETTINGS_ERROR_MAX];
    struct settings settings;
    assert_non_null(mkdtemp(folder));
    settings_default(&settings);
    snprintf(settings.state_dir, sizeof settings.state_dir, "%s", folder);
    assert_int_equal(certificate_open(&settings, time(NULL), true, certificate, error), OK);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static int open_rig(void **state)
{
    static const struct turn_config TURN = {
        .realm = { (const uint8_t *)"moim", 4 },
        .policy = &POLICY,
        .relays_ipv4 = true,
        .allocations_max = 16,
        .relays_max = 16,
        .peers_max = 64,
        .peers_per_allocation_max = 8,
        .connections_per_allocation_max = 8,
        .allocations_per_user_max = 16,
        .allocations_per_prefix_max = 16,
        .lifetime_s_max = 3600,
    };
    (void)state;
    make_certificate(&rig.first);
    make_certificate(&rig.second);
    log_init(&rig.log, open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_TEXT, TRACE_ERROR);
    assert_int_equal(mailbox_init(&rig.mailbox, 2), OK);
    struct worker_config config = {
        .server = { .worker_count = 1,
                    .streams_max = 16,
                    .rooms_max = 16,
                    .members_max = 16,
                    .buffer_bytes = 1 << 20,
                    .random = entropy_random(),
                    .metrics = rig.metrics,
                    .trace_level = TRACE_ERROR,
                    .turn = &TURN },
        .mailboxes = &rig.mailbox,
        .log = &rig.log,
        .listeners = { { .kind = LISTENER_STUN_DTLS }, { .kind = LISTENER_STUN_DTLS } },
        .listener_count = 2,
        .tls = rig.first.tls,
    };
    assert_int_equal(listen_open(&IPV4, LISTEN_UDP, &config.listeners[0].fd), OK);
    assert_int_equal(listen_open(&IPV6, LISTEN_UDP, &config.listeners[1].fd), OK);
    for (int i = 0; i < 2; i++)
        config.listeners[i].port = listen_port(config.listeners[i].fd);
    SSL_CTX_up_ref(config.tls);
    assert_int_equal(worker_new(&config, &rig.worker), OK);
    rig.context = SSL_CTX_new(DTLS_client_method());
    assert_non_null(rig.context);
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    SSL_CTX_free(rig.context);
    worker_free(rig.worker);
    mailbox_free(&rig.mailbox);
    close(rig.log.fd);
    certificate_close(&rig.first);
    certificate_close(&rig.second);
    memset(&rig, 0, sizeof rig);
    return 0;
}

/* ---- a client ---- */

static SSL *dial(const struct address *host, uint16_t port)
{
    struct sockaddr_storage name;
    struct address to = *host;
    to.port = port;
    socklen_t size = sockaddr_from(&to, &name);
    int family = host->family == ADDRESS_IPV4 ? AF_INET : AF_INET6;
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, size), 0);
    SSL *ssl = SSL_new(rig.context);
    BIO *bio = BIO_new_dgram(fd, BIO_CLOSE);
    BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &name);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_connect_state(ssl);
    return ssl;
}

/* The worker has its turns until there is something for the client. */
static void wait_for(SSL *ssl)
{
    struct pollfd wanted = { .fd = SSL_get_fd(ssl), .events = POLLIN };
    for (int i = 0; poll(&wanted, 1, 0) == 0; i++) {
        assert_true(i < TURNS_MAX);
        worker_turn(rig.worker, 0);
        (void)DTLSv1_handle_timeout(ssl);
    }
}

static void shake_hands(SSL *ssl)
{
    int done;
    while ((done = SSL_do_handshake(ssl)) != 1) {
        assert_int_equal(SSL_get_error(ssl, done), SSL_ERROR_WANT_READ);
        wait_for(ssl);
    }
}

/* Asks for its address; gives the port that it is told. */
static uint16_t ask_port(SSL *ssl)
{
    static const uint8_t transaction[STUN_TRANSACTION_SIZE] = { 'a', 's', 'k' };
    uint8_t bytes[512];
    struct stun_writer writer;
    struct stun_msg answer;
    struct address mapped;
    int size;
    stun_begin(&writer, bytes, sizeof bytes, STUN_REQUEST, STUN_BINDING, transaction);
    assert_int_equal(SSL_write(ssl, bytes, (int)writer.size), (int)writer.size);
    while ((size = SSL_read(ssl, bytes, sizeof bytes)) <= 0) {
        assert_int_equal(SSL_get_error(ssl, size), SSL_ERROR_WANT_READ);
        wait_for(ssl);
    }
    assert_int_equal(stun_read(view_make(bytes, (size_t)size), &answer), OK);
    assert_int_equal(answer.class, STUN_SUCCESS);
    assert_int_equal(
        stun_read_xor_address(&answer, stun_find(&answer, STUN_XOR_MAPPED_ADDRESS), &mapped), OK);
    return mapped.port;
}

static uint16_t own_port(SSL *ssl)
{
    return listen_port(SSL_get_fd(ssl));
}

static void test_both_families(void **state)
{
    (void)state;
    SSL *clients[] = { dial(&IPV4, rig.worker->config.listeners[0].port),
                       dial(&IPV6, rig.worker->config.listeners[1].port) };
    for (int i = 0; i < 2; i++)
        shake_hands(clients[i]);
    for (int i = 0; i < 4; i++)
        assert_int_equal(ask_port(clients[i % 2]), own_port(clients[i % 2]));
    assert_int_equal(metrics_read(rig.metrics, METRIC_DTLS_DONE), 2);
    assert_int_equal(metrics_read(rig.metrics, METRIC_DTLS_COOKIES), 2);
    for (int i = 0; i < 2; i++) {
        SSL_shutdown(clients[i]);
        wait_for(clients[i]);
        assert_int_equal(SSL_shutdown(clients[i]), 1);
        SSL_free(clients[i]);
    }
    assert_int_equal(metrics_read(rig.metrics, METRIC_DTLS_ASSOCIATIONS), 0);
}

static bool has_certificate(SSL *ssl, const struct certificate *certificate)
{
    return X509_cmp(SSL_get0_peer_certificate(ssl), SSL_CTX_get0_certificate(certificate->tls)) ==
           0;
}

/* As SIGHUP does: who is there stays, who comes is shown the new one. */
static void test_new_certificate(void **state)
{
    (void)state;
    uint16_t port = rig.worker->config.listeners[0].port;
    SSL *before = dial(&IPV4, port);
    shake_hands(before);
    assert_true(has_certificate(before, &rig.first));
    struct letter letter = { .kind = LETTER_TLS, .tls = rig.second.tls };
    SSL_CTX_up_ref(letter.tls);
    assert_int_equal(mailbox_send(&rig.mailbox, 1, &letter), OK);
    while (rig.worker->config.tls != rig.second.tls)
        worker_turn(rig.worker, 0);
    SSL *after = dial(&IPV4, port);
    shake_hands(after);
    assert_true(has_certificate(after, &rig.second));
    assert_int_equal(ask_port(before), own_port(before));
    assert_int_equal(ask_port(after), own_port(after));
    SSL_free(before);
    SSL_free(after);
}

static void test_goodbye(void **state)
{
    (void)state;
    uint8_t byte;
    SSL *client = dial(&IPV4, rig.worker->config.listeners[0].port);
    shake_hands(client);
    assert_int_equal(ask_port(client), own_port(client));
    struct letter letter = { .kind = LETTER_STOP, .until = clock_now() + USEC_S };
    assert_int_equal(mailbox_send(&rig.mailbox, 1, &letter), OK);
    wait_for(client);
    assert_int_equal(SSL_get_error(client, SSL_read(client, &byte, 1)), SSL_ERROR_ZERO_RETURN);
    assert_true(worker_has_ended(rig.worker));
    SSL_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_both_families, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_new_certificate, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_goodbye, open_rig, close_rig),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
