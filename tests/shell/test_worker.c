/* test_worker.c - one worker in the test's own thread, turn by turn, over sockets that take little
 * at a time. */
#include "support.h"

#include "shell/certificate.h"
#include "shell/clock.h"
#include "shell/entropy.h"
#include "shell/worker.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TURNS_MAX 10000

static struct certificate certificate;

struct rig {
    struct log log;
    struct metrics metrics;
    struct mailbox mailbox;
    struct worker *worker;
    int fd; /* the client's end */
    SSL_CTX *context;
    SSL *ssl;
    uint8_t heard[256 * 1024];
    size_t heard_size;
    bool is_ended; /* the client has seen the end, under TLS a close_notify */
    bool is_cut;   /* it came without one */
};

static int make_certificate(void **state)
{
    char folder[] = "/tmp/moim-worker-XXXXXX";
    char command[64];
    struct settings settings;
    char error[SETTINGS_ERROR_MAX];
    (void)state;
    assert_non_null(mkdtemp(folder));
    settings_default(&settings);
    snprintf(settings.state_dir, sizeof settings.state_dir, "%s", folder);
    assert_int_equal(certificate_open(&settings, time(NULL), true, &certificate, error), OK);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static int drop_certificate(void **state)
{
    (void)state;
    certificate_close(&certificate);
    return 0;
}

static int open_rig(void **state)
{
    struct rig *rig = aligned_alloc(64, sizeof *rig);
    assert_non_null(rig);
    memset(rig, 0, sizeof *rig);
    rig->fd = -1;
    log_init(&rig->log, open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_TEXT, TRACE_ERROR);
    assert_int_equal(mailbox_init(&rig->mailbox, 2), OK);
    struct worker_config config = {
        .server = { .worker_count = 1,
                    .streams_max = 64,
                    .rooms_max = 64,
                    .members_max = 64,
                    .buffer_bytes = 1 << 20,
                    .random = entropy_random(),
                    .metrics = &rig->metrics,
                    .trace_level = TRACE_ERROR },
        .mailboxes = &rig->mailbox,
        .log = &rig->log,
        .tls = certificate.tls,
    };
    SSL_CTX_up_ref(config.tls);
    assert_int_equal(worker_new(&config, &rig->worker), OK);
    *state = rig;
    return 0;
}

static int close_rig(void **state)
{
    struct rig *rig = *state;
    SSL_free(rig->ssl);
    SSL_CTX_free(rig->context);
    if (rig->fd >= 0)
        close(rig->fd);
    worker_free(rig->worker);
    mailbox_free(&rig->mailbox);
    close(rig->log.fd);
    free(rig);
    return 0;
}

/* What has come; under TLS the handshake goes on as it must. */
static void hear(struct rig *rig)
{
    while (!rig->is_ended && !rig->is_cut) {
        uint8_t *into = rig->heard + rig->heard_size;
        size_t room = sizeof rig->heard - 1 - rig->heard_size;
        assert_true(room > 0);
        ssize_t got = rig->ssl ? SSL_read(rig->ssl, into, (int)room) : recv(rig->fd, into, room, 0);
        int reason = rig->ssl ? SSL_get_error(rig->ssl, (int)got) : 0;
        if (got > 0) {
            rig->heard_size += (size_t)got;
        } else if (rig->ssl ? reason == SSL_ERROR_ZERO_RETURN : got == 0) {
            rig->is_ended = true;
        } else if (rig->ssl && reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) {
            rig->is_cut = true;
        } else {
            return;
        }
    }
}

/* A pair of sockets, one end of which the worker has accepted. */
static void connect_client(struct rig *rig, bool secure)
{
    int ends[2];
    int least = 1;
    struct stream_origin origin = { .kind = STREAM_HTTP, .secure = secure };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
    struct connection connection = { .fd = ends[0] };
    rig->fd = ends[1];
    if (secure) {
        assert_int_equal(connection_secure(&connection, certificate.tls), OK);
        rig->context = SSL_CTX_new(TLS_client_method());
        rig->ssl = SSL_new(rig->context);
        assert_non_null(rig->ssl);
        SSL_set_fd(rig->ssl, rig->fd);
        SSL_set_connect_state(rig->ssl);
    }
    worker_add_peer(rig->worker, &connection, &origin);
    for (int i = 0; secure && !SSL_is_init_finished(rig->ssl); i++) {
        assert_true(i < TURNS_MAX);
        hear(rig);
        worker_turn(rig->worker, 0);
    }
}

static void say(struct rig *rig, const char *text)
{
    int size = (int)strlen(text);
    int sent = rig->ssl ? SSL_write(rig->ssl, text, size)
                        : (int)send(rig->fd, text, (size_t)size, MSG_NOSIGNAL);
    assert_int_equal(sent, size);
}

static void go_on_to_end(struct rig *rig)
{
    for (int i = 0; !rig->is_ended && !rig->is_cut; i++) {
        assert_true(i < TURNS_MAX);
        worker_turn(rig->worker, 0);
        hear(rig);
    }
    rig->heard[rig->heard_size] = '\0';
}

static int count(const struct rig *rig, const char *wanted)
{
    int found = 0;
    const char *at = (const char *)rig->heard;
    while ((at = strstr(at, wanted)) != NULL) {
        at += strlen(wanted);
        found++;
    }
    return found;
}

/* A client that ends its side after its requests still gets all answers, though the last of them
 * waits for the socket when the server has no more to do with it. */
static void half_close(struct rig *rig, bool secure)
{
    enum { COUNT = 6 };
    connect_client(rig, secure);
    for (int i = 0; i < COUNT; i++)
        say(rig, "GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n");
    if (secure)
        SSL_shutdown(rig->ssl);
    shutdown(rig->fd, SHUT_WR);
    for (int i = 0; i < 10; i++)
        worker_turn(rig->worker, 0);
    go_on_to_end(rig);
    assert_int_equal(count(rig, "HTTP/1.1 200 OK\r\n"), COUNT);
    assert_int_equal(count(rig, "\nmoim_log_events_dropped_total "), COUNT);
    assert_true(rig->is_ended);
    worker_turn(rig->worker, 0);
    assert_int_equal(rig->worker->peers.used, 0);
}

static void test_half_close(void **state)
{
    half_close(*state, false);
}

static void test_half_close_tls(void **state)
{
    half_close(*state, true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_half_close),
        TEST(test_half_close_tls),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, make_certificate, drop_certificate);
}
