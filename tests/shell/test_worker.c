/* test_worker.c - workers in the test's own thread, turn by turn, over sockets that take little at
 * a time. */
#include "support.h"

#include "shell/certificate.h"
#include "shell/clock.h"
#include "shell/entropy.h"
#include "shell/listen.h"
#include "shell/sockaddr.h"
#include "shell/worker.h"
#include "wire/websocket.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TURNS_MAX 10000
#define WORKERS   2

static struct certificate certificate;

struct rig {
    struct log log;
    struct metrics metrics[WORKERS];
    struct mailbox mailboxes[WORKERS];
    struct worker *others[WORKERS];
    struct worker *worker; /* the first: clients come to it */
    int fd;                /* the client's end */
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
    static const struct address any = { .family = ADDRESS_IPV4, .bytes = { 127, 0, 0, 1 } };
    struct rig *rig = aligned_alloc(64, sizeof *rig);
    assert_non_null(rig);
    memset(rig, 0, sizeof *rig);
    rig->fd = -1;
    log_init(&rig->log, open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_TEXT, TRACE_ERROR);
    struct worker_config config = {
        .server = { .worker_count = WORKERS,
                    .streams_max = 64,
                    .rooms_max = 64,
                    .members_max = 64,
                    .buffer_bytes = 1 << 20,
                    .random = entropy_random(),
                    .metrics = rig->metrics,
                    .trace_level = TRACE_ERROR },
        .mailboxes = rig->mailboxes,
        .log = &rig->log,
        .listeners = { { .kind = LISTENER_HTTP } },
        .listener_count = 1,
        .tls = certificate.tls,
    };
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(mailbox_init(&rig->mailboxes[i], WORKERS + 1), OK);
    for (unsigned i = 0; i < WORKERS; i++) {
        config.number = i;
        SSL_CTX_up_ref(config.tls);
        assert_int_equal(listen_open(&any, LISTEN_TCP, &config.listeners[0].fd), OK);
        assert_int_equal(worker_new(&config, &rig->others[i]), OK);
    }
    rig->worker = rig->others[0];
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
    for (unsigned i = 0; i < WORKERS; i++)
        worker_free(rig->others[i]);
    for (unsigned i = 0; i < WORKERS; i++)
        mailbox_free(&rig->mailboxes[i]);
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
static void connect_plain(struct rig *rig, bool secure_there)
{
    int ends[2];
    int least = 1;
    struct stream_origin origin = { .kind = STREAM_HTTP, .secure = secure_there };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
    struct connection connection = { .fd = ends[0] };
    rig->fd = ends[1];
    if (secure_there)
        assert_int_equal(connection_secure(&connection, certificate.tls), OK);
    worker_add_peer(rig->worker, &connection, &origin);
}

static void connect_client(struct rig *rig, bool secure)
{
    connect_plain(rig, secure);
    if (!secure)
        return;
    rig->context = SSL_CTX_new(TLS_client_method());
    rig->ssl = SSL_new(rig->context);
    assert_non_null(rig->ssl);
    SSL_set_fd(rig->ssl, rig->fd);
    SSL_set_connect_state(rig->ssl);
    for (int i = 0; !SSL_is_init_finished(rig->ssl); i++) {
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

/* ---- plain HTTP where TLS is spoken ---- */

static void check_plain(struct rig *rig, const char *request, const char *wanted)
{
    char ending[1024];
    connect_plain(rig, true);
    say(rig, request);
    for (int i = 0; i < 4; i++)
        worker_turn(rig->worker, 0);
    shutdown(rig->fd, SHUT_WR);
    go_on_to_end(rig);
    snprintf(ending, sizeof ending, "Content-Length: %zu\r\n", strlen(wanted));
    assert_int_equal(count(rig, "HTTP/1.1 400 Bad Request\r\n"), 1);
    assert_int_equal(count(rig, ending), 1);
    snprintf(ending, sizeof ending, "\r\n\r\n%s", wanted);
    assert_string_equal(strstr((char *)rig->heard, "\r\n\r\n"), ending);
    worker_turn(rig->worker, 0);
    assert_int_equal(rig->worker->peers.used, 0);
    close(rig->fd);
    rig->fd = -1;
    rig->heard_size = 0;
    rig->is_ended = false;
}

/* The answer tells the address that was meant, where the request tells it. */
static void test_plain_on_tls(void **state)
{
    static const char UNKNOWN[] = "This port speaks HTTPS: begin the address with https://\n";
    struct rig *rig = *state;
    char request[1024];
    char wanted[1024];
    check_plain(rig, "GET /r/x?y HTTP/1.1\r\nHost: moim.example:8443\r\n\r\n",
                "This port speaks HTTPS: https://moim.example:8443/r/x?y\n");
    check_plain(rig, "OPTIONS * HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n",
                "This port speaks HTTPS: https://[::1]:8443/\n");
    check_plain(rig, "GET / HTTP/1.0\r\n\r\n", UNKNOWN);
    check_plain(rig, "GET /r/x HTTP/1.1\r\nHost: moim.exam", UNKNOWN);
    check_plain(rig, "G", UNKNOWN);
    /* the longest that are shown, and one more */
    for (int more = 0; more < 2; more++) {
        snprintf(request, sizeof request, "GET /%0*d HTTP/1.1\r\nHost: %0255d\r\n\r\n", 511 + more,
                 0, 0);
        snprintf(wanted, sizeof wanted, "This port speaks HTTPS: https://%0255d/%0*d\n", 0,
                 more ? 0 : 511, 0);
        if (more)
            snprintf(wanted, sizeof wanted, "This port speaks HTTPS: https://%0255d/\n", 0);
        check_plain(rig, request, wanted);
    }
    snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: %0256d\r\n\r\n", 0);
    check_plain(rig, request, UNKNOWN);
}

/* What is neither is cut. */
static void test_neither(void **state)
{
    struct rig *rig = *state;
    connect_plain(rig, true);
    say(rig, "get / HTTP/1.1\r\nHost: here\r\n\r\n");
    go_on_to_end(rig);
    assert_int_equal(count(rig, "HTTP/1.1"), 0);
    assert_int_equal(rig->worker->peers.used, 0);
}

/* ---- no descriptors ---- */

enum { WAITING = 3 };

static void dial(const struct rig *rig, int clients[WAITING])
{
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    int listener = rig->worker->config.listeners[0].fd;
    assert_int_equal(getsockname(listener, (struct sockaddr *)&name, &size), 0);
    for (int i = 0; i < WAITING; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(clients[i], (struct sockaddr *)&name, size), 0);
    }
}

/* From here on the process gets no descriptor; gives the limit as it was. */
static rlim_t take_descriptors(void)
{
    struct rlimit limit;
    int next = dup(STDERR_FILENO);
    assert_true(next >= 0);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = (rlim_t)next;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

static void give_descriptors(rlim_t before)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = before;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void hang_up(int clients[WAITING])
{
    for (int i = 0; i < WAITING; i++)
        close(clients[i]);
}

/* Who comes when all descriptors are used is turned away, each once. */
static void test_no_descriptors(void **state)
{
    struct rig *rig = *state;
    int clients[WAITING];
    char byte;
    dial(rig, clients);
    rlim_t before = take_descriptors();
    worker_turn(rig->worker, 0);
    give_descriptors(before);
    for (int i = 0; i < WAITING; i++)
        assert_int_equal(recv(clients[i], &byte, 1, 0), 0);
    assert_int_equal(metrics_read(&rig->metrics[0], METRIC_CONNECTIONS_REFUSED), WAITING);
    assert_true(rig->worker->reserve >= 0);
    assert_int_equal(rig->worker->accepts_at, USEC_NEVER);
    hang_up(clients);
}

/* Without the one in reserve, which another thread may have got, they must wait: but not by waking
 * the worker all the time. */
static void test_no_reserve(void **state)
{
    struct rig *rig = *state;
    struct worker *worker = rig->worker;
    struct epoll_event event;
    int clients[WAITING];
    dial(rig, clients);
    close(worker->reserve);
    worker->reserve = -1;
    rlim_t before = take_descriptors();
    worker_turn(worker, 0);
    give_descriptors(before);
    assert_int_equal(epoll_wait(worker->epoll, &event, 1, 0), 0);
    assert_true(worker->accepts_at > worker->now && worker->accepts_at < USEC_NEVER);

    worker->accepts_at = worker->now;
    worker_turn(worker, 0);
    assert_int_equal(worker->accepts_at, USEC_NEVER);
    assert_true(worker->reserve >= 0);
    worker_turn(worker, 0);
    assert_int_equal(worker->peers.used, WAITING);
    hang_up(clients);
}

/* ---- the end ---- */

static void send_stop(struct rig *rig, unsigned number)
{
    struct letter letter = { .kind = LETTER_STOP, .until = clock_now() + USEC_S * 3600 };
    assert_int_equal(mailbox_send(&rig->mailboxes[number], WORKERS, &letter), OK);
}

static void turn_all(struct rig *rig)
{
    for (int i = 0; i < 4; i++)
        for (unsigned j = 0; j < WORKERS; j++)
            worker_turn(rig->others[j], 0);
}

static void drop_client(struct rig *rig)
{
    close(rig->fd);
    rig->fd = -1;
    rig->heard_size = 0;
    rig->is_ended = false;
    turn_all(rig);
}

static bool has_heard(const struct rig *rig, struct view wanted)
{
    return view_find(view_make(rig->heard, rig->heard_size), wanted) < rig->heard_size;
}

static void say_join(struct rig *rig, int room)
{
    static const uint8_t MASK[4] = { 9, 8, 7, 6 };
    uint8_t text[128];
    uint8_t header[WEBSOCKET_HEADER_MAX];
    say(rig, "GET /api/v1/meet HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    int size = snprintf((char *)text, sizeof text,
                        "{\"type\":\"join\",\"version\":1,\"room\":\"r%d\",\"name\":\"n\"}", room);
    size_t header_size = websocket_write_masked(WEBSOCKET_TEXT, true, false, MASK,
                                                (struct span){ text, (size_t)size }, header);
    assert_int_equal(send(rig->fd, header, header_size, 0), header_size);
    assert_int_equal(send(rig->fd, text, (size_t)size, 0), size);
}

/* One worker has begun to stop, another not yet: who is given over from this to that is told the
 * end, and neither is gone while one may still come. */
static void test_stop_one_by_one(void **state)
{
    struct rig *rig = *state;
    int stayed = 0;
    int given = 0;
    send_stop(rig, 1);
    turn_all(rig);
    for (int i = 0; i < 100 && (stayed == 0 || given == 0); i++) {
        connect_client(rig, false);
        say_join(rig, i);
        turn_all(rig);
        hear(rig);
        bool is_welcome = has_heard(rig, VIEW("\"type\":\"welcome\""));
        bool is_told = has_heard(rig, VIEW("\x03\xe9the server stops"));
        assert_true(is_welcome != is_told);
        stayed += is_welcome;
        given += is_told;
        drop_client(rig);
        assert_false(worker_has_ended(rig->others[1]));
    }
    assert_true(stayed > 0 && given > 0);
    send_stop(rig, 0);
    turn_all(rig);
    for (unsigned i = 0; i < WORKERS; i++)
        assert_true(worker_has_ended(rig->others[i]));
}

/* Who has only connected to an HTTPS port does not hold the end up. */
static void test_stop_in_handshake(void **state)
{
    struct rig *rig = *state;
    connect_plain(rig, true);
    turn_all(rig);
    assert_int_equal(rig->worker->peers.used, 1);
    for (unsigned i = 0; i < WORKERS; i++)
        send_stop(rig, i);
    turn_all(rig);
    for (unsigned i = 0; i < WORKERS; i++)
        assert_true(worker_has_ended(rig->others[i]));
    hear(rig);
    assert_true(rig->is_ended);
}

/* Nor does one that was answered long ago, is kept alive, and does not look: browsers have many. */
static void test_stop_idle(void **state)
{
    struct rig *rig = *state;
    connect_client(rig, false);
    say(rig, "GET /nowhere HTTP/1.1\r\nHost: here\r\n\r\n");
    turn_all(rig);
    assert_int_equal(rig->worker->peers.used, 1);
    struct peer *peer = rig->worker->of_stream[0];
    assert_non_null(peer);
    assert_true(peer->written_at > 0);
    peer->written_at = rig->worker->now - LINGER_TIME;
    for (unsigned i = 0; i < WORKERS; i++)
        send_stop(rig, i);
    turn_all(rig);
    for (unsigned i = 0; i < WORKERS; i++)
        assert_true(worker_has_ended(rig->others[i]));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_half_close),      TEST(test_half_close_tls),    TEST(test_no_descriptors),
        TEST(test_plain_on_tls),    TEST(test_neither),           TEST(test_no_reserve),
        TEST(test_stop_one_by_one), TEST(test_stop_in_handshake), TEST(test_stop_idle),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, make_certificate, drop_certificate);
}
