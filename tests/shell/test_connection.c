/* test_connection.c - one connection over a pair of sockets that take little at a time, plain and
 * under TLS, against OpenSSL's client in the same thread. */
#include "support.h"

#include "shell/certificate.h"
#include "shell/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_SIZE 16384
#define MUCH      (300 * 1000)

static struct certificate certificate;

struct pair {
    struct connection server;
    int fd; /* the client's end */
    SSL_CTX *context;
    SSL *ssl;
    uint8_t sent[MUCH];
    uint8_t heard[MUCH + READ_SIZE];
    size_t heard_size;
    bool is_ended; /* the client has seen the end, under TLS a close_notify */
};

static int make_certificate(void **state)
{
    char folder[] = "/tmp/moim-connection-XXXXXX";
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

static int open_pair(void **state)
{
    struct pair *pair = calloc(1, sizeof *pair);
    int ends[2];
    int least = 1;
    assert_non_null(pair);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    for (int i = 0; i < 2; i++)
        setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
    pair->server = (struct connection){ .fd = ends[0] };
    pair->fd = ends[1];
    for (size_t i = 0; i < MUCH; i++)
        pair->sent[i] = (uint8_t)(i ^ i >> 8 ^ i >> 16);
    *state = pair;
    return 0;
}

static int close_pair(void **state)
{
    struct pair *pair = *state;
    SSL_free(pair->ssl);
    SSL_CTX_free(pair->context);
    connection_close(&pair->server);
    connection_close(&pair->server); /* a closed one is accepted */
    close(pair->fd);
    free(pair);
    return 0;
}

static void begin_tls(struct pair *pair, int version)
{
    pair->context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(pair->context, version);
    pair->ssl = SSL_new(pair->context);
    assert_non_null(pair->ssl);
    SSL_set_fd(pair->ssl, pair->fd);
    SSL_set_connect_state(pair->ssl);
    assert_int_equal(connection_secure(&pair->server, certificate.tls), OK);
}

/* Both sides by turns, until both are done. */
static void shake_hands(struct pair *pair)
{
    int status = ERR_AGAIN;
    int result = 0;
    while (status != OK || result != 1) {
        if (result != 1)
            result = SSL_do_handshake(pair->ssl);
        assert_true(result == 1 || SSL_get_error(pair->ssl, result) == SSL_ERROR_WANT_READ ||
                    SSL_get_error(pair->ssl, result) == SSL_ERROR_WANT_WRITE);
        if (status != OK)
            status = connection_handshake(&pair->server);
        assert_true(status == OK || status == ERR_AGAIN);
    }
}

static void secure(struct pair *pair, int version)
{
    begin_tls(pair, version);
    shake_hands(pair);
}

/* The client reads what is there. */
static void hear(struct pair *pair)
{
    for (;;) {
        uint8_t *into = pair->heard + pair->heard_size;
        int got = pair->ssl ? SSL_read(pair->ssl, into, READ_SIZE)
                            : (int)recv(pair->fd, into, READ_SIZE, 0);
        if (got <= 0) {
            pair->is_ended =
                pair->ssl ? SSL_get_error(pair->ssl, got) == SSL_ERROR_ZERO_RETURN : got == 0;
            return;
        }
        pair->heard_size += (size_t)got;
        assert_true(pair->heard_size <= MUCH);
    }
}

static void expect_heard(struct pair *pair, size_t size)
{
    assert_int_equal(pair->heard_size, size);
    assert_memory_equal(pair->heard, pair->sent, size);
}

/* Sends as the server does: what was taken is forgotten at once, and its memory used again. */
static size_t write_runs(struct pair *pair, size_t from, size_t size)
{
    static uint8_t queue[40 * 1000];
    struct view runs[3];
    size_t taken;
    memcpy(queue, pair->sent + from, size);
    runs[0] = view_make(queue, size / 3);
    runs[1] = view_make(queue + size / 3, 0);
    runs[2] = view_make(queue + size / 3, size - size / 3);
    assert_int_equal(connection_write(&pair->server, runs, 3, &taken), OK);
    memset(queue, 0xee, sizeof queue);
    assert_true(taken <= size);
    /* when not all was taken, the worker must be told to wait (but see connection_write) */
    assert_true(taken == size || pair->server.wants_write);
    return taken;
}

static void send_much(struct pair *pair)
{
    size_t sent = 0;
    bool was_full = false;
    while (sent < MUCH) {
        size_t left = MUCH - sent;
        sent += write_runs(pair, sent, left < 40 * 1000 ? left : 40 * 1000);
        was_full = was_full || pair->server.wants_write;
        hear(pair);
    }
    assert_true(was_full); /* else it shows nothing */
    while (connection_flush(&pair->server) == ERR_AGAIN)
        hear(pair);
    assert_false(pair->server.wants_write);
    hear(pair);
    expect_heard(pair, MUCH);
}

/* Reads all that the client has sent; gives the last status. */
static int read_all(struct pair *pair, uint8_t *out, size_t capacity, size_t *size)
{
    static uint8_t input[READ_SIZE];
    *size = 0;
    for (;;) {
        size_t got;
        int status = connection_read(&pair->server, (struct span){ input, READ_SIZE }, &got);
        if (status != OK)
            return status;
        assert_true(got > 0 && *size + got <= capacity);
        memcpy(out + *size, input, got);
        *size += got;
    }
}

/* ---- plain ---- */

static void test_plain(void **state)
{
    struct pair *pair = *state;
    uint8_t text[16];
    size_t size;
    assert_int_equal(read_all(pair, text, sizeof text, &size), ERR_AGAIN);
    assert_int_equal(send(pair->fd, "hello", 5, 0), 5);
    assert_int_equal(read_all(pair, text, sizeof text, &size), ERR_AGAIN);
    assert_int_equal(size, 5);
    assert_memory_equal(text, "hello", 5);
    send_much(pair);
    assert_int_equal(connection_finish(&pair->server), OK);
    hear(pair);
    assert_true(pair->is_ended);
    shutdown(pair->fd, SHUT_WR);
    assert_int_equal(read_all(pair, text, sizeof text, &size), ERR_CLOSED);
}

static void test_plain_gone(void **state)
{
    struct pair *pair = *state;
    struct view run = VIEW("x");
    size_t size;
    close(pair->fd);
    pair->fd = -1;
    assert_int_equal(connection_write(&pair->server, &run, 1, &size), ERR_IO);
}

/* ---- TLS ---- */

static void test_tls(void **state)
{
    struct pair *pair = *state;
    uint8_t text[16];
    size_t size;
    secure(pair, TLS1_3_VERSION);
    assert_int_equal(read_all(pair, text, sizeof text, &size), ERR_AGAIN);
    assert_int_equal(SSL_write(pair->ssl, "hello", 5), 5);
    assert_int_equal(read_all(pair, text, sizeof text, &size), ERR_AGAIN);
    assert_int_equal(size, 5);
    assert_memory_equal(text, "hello", 5);
    send_much(pair);
    assert_int_equal(connection_finish(&pair->server), OK);
    hear(pair);
    assert_true(pair->is_ended);
    SSL_shutdown(pair->ssl);
    assert_int_equal(read_all(pair, text, sizeof text, &size), ERR_CLOSED);
}

static void test_tls12(void **state)
{
    struct pair *pair = *state;
    secure(pair, TLS1_2_VERSION);
    send_much(pair);
}

/* RFC 6066, 4: the client wants small records, so that one write is many of them. */
static void test_small_records(void **state)
{
    struct pair *pair = *state;
    begin_tls(pair, TLS1_3_VERSION);
    SSL_set_tlsext_max_fragment_length(pair->ssl, TLSEXT_max_fragment_length_512);
    shake_hands(pair);
    send_much(pair);
}

/* The other end of a handshake is no TLS, or goes away in the middle. */
/* Messages that are not to be put together: each read of the client gives one, while its socket
 * takes them and when they had to wait for it. */
static void test_records_apart(void **state)
{
    struct pair *pair = *state;
    struct view runs[8];
    size_t size = 0;
    size_t said = 0;
    size_t heard = 0;
    secure(pair, TLS1_3_VERSION);
    pair->server.is_apart = true;
    for (size_t i = 0; i < 8; i++)
        runs[i] = view_make(pair->sent + i * 1000, 1000);
    while (heard < 8) {
        uint8_t into[READ_SIZE];
        assert_int_not_equal(connection_flush(&pair->server), ERR_IO);
        if (said < 8) {
            assert_int_equal(connection_write(&pair->server, runs + said, 8 - said, &size), OK);
            assert_int_equal(size % 1000, 0);
            said += size / 1000;
        }
        int got = SSL_read(pair->ssl, into, sizeof into);
        if (got <= 0)
            continue;
        assert_int_equal(got, 1000);
        assert_memory_equal(into, pair->sent + heard * 1000, 1000);
        heard++;
    }
    /* one that is too long for a record goes on in the next, and ends it */
    struct view more[2] = { view_make(pair->sent, READ_SIZE + 10), view_make(pair->sent, 20) };
    size_t sizes[3] = { READ_SIZE, 10, 20 };
    size_t taken = 0;
    for (size_t i = 0; i < 3;) {
        uint8_t into[READ_SIZE];
        struct view rest[2] = { view_slice(more[0], taken, more[0].size), more[1] };
        if (taken > more[0].size)
            rest[1] = view_slice(more[1], taken - more[0].size, more[1].size);
        assert_int_not_equal(connection_flush(&pair->server), ERR_IO);
        assert_int_equal(connection_write(&pair->server, rest, 2, &size), OK);
        taken += size;
        int got = SSL_read(pair->ssl, into, sizeof into);
        if (got > 0)
            assert_int_equal(got, sizes[i++]);
    }
}

static void test_no_handshake(void **state)
{
    struct pair *pair = *state;
    assert_int_equal(connection_secure(&pair->server, certificate.tls), OK);
    assert_int_equal(connection_handshake(&pair->server), ERR_AGAIN);
    assert_int_equal(send(pair->fd, "SSH-2.0-client\r\n", 16, 0), 16);
    assert_int_equal(connection_handshake(&pair->server), ERR_IO);
}

static void test_handshake_cut(void **state)
{
    struct pair *pair = *state;
    begin_tls(pair, TLS1_3_VERSION);
    assert_int_equal(SSL_do_handshake(pair->ssl), -1);
    assert_int_equal(connection_handshake(&pair->server), ERR_AGAIN);
    shutdown(pair->fd, SHUT_WR);
    assert_int_equal(connection_handshake(&pair->server), ERR_IO);
}

/* OpenSSL's reasons lie in a queue of the thread: what one connection left there is not the fault
 * of the next. */
static void test_errors_of_others(void **state)
{
    struct pair *pair = *state;
    uint8_t text[16];
    size_t size;
    begin_tls(pair, TLS1_3_VERSION);
    ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR);
    assert_int_equal(connection_handshake(&pair->server), ERR_AGAIN);
    ERR_clear_error();
    shake_hands(pair);
    ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR);
    assert_int_equal(read_all(pair, text, sizeof text, &size), ERR_AGAIN);
    ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR);
    while (!pair->server.wants_write) /* fails within on any but OK */
        write_runs(pair, 0, 20 * 1000);
    ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR);
    assert_int_equal(connection_flush(&pair->server), ERR_AGAIN);
    ERR_clear_error();
}

static int waiting(int fd)
{
    int size;
    assert_int_equal(ioctl(fd, FIONREAD, &size), 0);
    return size;
}

static void send_key_update(struct pair *pair, int kind)
{
    assert_int_equal(SSL_key_update(pair->ssl, kind), 1);
    assert_int_equal(SSL_do_handshake(pair->ssl), 1);
}

/* One call must end, however many messages come that are no data (here of RFC 8446, 4.6.3): others
 * want their turn. */
static void test_key_updates(void **state)
{
    enum { COUNT = 100 };
    static const int much = 1 << 20;
    struct pair *pair = *state;
    uint8_t text[16];
    size_t size;
    secure(pair, TLS1_3_VERSION);
    assert_int_equal(read_all(pair, text, sizeof text, &size), ERR_AGAIN);
    setsockopt(pair->fd, SOL_SOCKET, SO_SNDBUF, &much, sizeof much);
    for (int i = 0; i < COUNT; i++)
        send_key_update(pair, SSL_KEY_UPDATE_NOT_REQUESTED);
    int all = waiting(pair->server.fd);
    for (int i = 1; i <= COUNT; i++) {
        assert_int_equal(read_all(pair, text, sizeof text, &size), ERR_AGAIN);
        assert_int_equal(waiting(pair->server.fd), all - all / COUNT * i);
    }
    assert_int_equal(SSL_write(pair->ssl, "hello", 5), 5);
    assert_int_equal(read_all(pair, text, sizeof text, &size), ERR_AGAIN);
    assert_int_equal(size, 5);
    send_much(pair);
}

/* A client that wants new keys again and again, and reads nothing: while the answer waits for the
 * socket there is no use in waiting for bytes, of which there are always some. */
static void test_read_waits_for_write(void **state)
{
    struct pair *pair = *state;
    uint8_t text[16];
    size_t size;
    int count = 0;
    secure(pair, TLS1_3_VERSION);
    while (!pair->server.wants_only_write) {
        assert_true(count++ < 1000);
        send_key_update(pair, SSL_KEY_UPDATE_REQUESTED);
        while (waiting(pair->server.fd) && !pair->server.wants_only_write)
            assert_int_equal(read_all(pair, text, sizeof text, &size), ERR_AGAIN);
        assert_int_equal(pair->server.wants_write, pair->server.wants_only_write);
    }
    hear(pair);
    assert_int_equal(connection_flush(&pair->server), OK);
    assert_false(pair->server.wants_only_write);
    assert_int_equal(SSL_write(pair->ssl, "hello", 5), 5);
    while (read_all(pair, text, sizeof text, &size) == ERR_AGAIN && size == 0)
        assert_false(pair->server.wants_only_write);
    assert_int_equal(size, 5);
    send_much(pair);
}

/* The first record of a handshake message has come: nothing can be sent before the rest, however
 * much the socket takes.  (TLS 1.2, where a client's hello, here a long one, can be cut.) */
static void test_write_waits_for_read(void **state)
{
    enum { FIRST = 5 + 24 + 512 }; /* its record: header, what the cipher adds, text */
    struct pair *pair = *state;
    char name[251] = "";
    uint8_t hello[4096];
    uint8_t text[16];
    size_t size;
    secure(pair, TLS1_2_VERSION);
    memset(name, 'x', 250);
    SSL_set_tlsext_host_name(pair->ssl, name);
    SSL_set_cipher_list(pair->ssl, "ALL:COMPLEMENTOFALL:@SECLEVEL=0");
    SSL_set_max_send_fragment(pair->ssl, 512);
    SSL_set0_wbio(pair->ssl, BIO_new(BIO_s_mem()));
    SSL_renegotiate(pair->ssl);
    SSL_do_handshake(pair->ssl);
    int hello_size = BIO_read(SSL_get_wbio(pair->ssl), hello, sizeof hello);
    assert_true(hello_size > FIRST && hello[3] * 256 + hello[4] + 5 == FIRST);

    assert_int_equal(send(pair->fd, hello, FIRST, 0), FIRST);
    assert_int_equal(read_all(pair, text, sizeof text, &size), ERR_AGAIN);
    struct view run = VIEW("held back");
    assert_int_equal(connection_write(&pair->server, &run, 1, &size), OK);
    assert_false(pair->server.wants_write);
    assert_int_equal(connection_flush(&pair->server), ERR_AGAIN);
    assert_false(pair->server.wants_write);
    assert_int_equal(waiting(pair->fd), 0);

    assert_int_equal(send(pair->fd, hello + FIRST, (size_t)hello_size - FIRST, 0),
                     hello_size - FIRST);
    while (read_all(pair, text, sizeof text, &size) == ERR_AGAIN && waiting(pair->server.fd))
        ;
    assert_true(pair->server.wants_write);
    assert_int_equal(connection_flush(&pair->server), OK);
    assert_true(waiting(pair->fd) > 0);
}

/* A client that wants new keys while a record waits: all that was sent before and after comes. */
static void test_key_update_between(void **state)
{
    struct pair *pair = *state;
    uint8_t text[16];
    size_t size;
    size_t sent = 0;
    secure(pair, TLS1_3_VERSION);
    while (!pair->server.wants_write)
        sent += write_runs(pair, sent, 20 * 1000);
    send_key_update(pair, SSL_KEY_UPDATE_REQUESTED);
    assert_int_equal(SSL_write(pair->ssl, "hello", 5), 5);
    assert_int_equal(read_all(pair, text, sizeof text, &size), ERR_AGAIN);
    assert_int_equal(read_all(pair, text, sizeof text, &size), ERR_AGAIN);
    assert_int_equal(size, 5);
    assert_memory_equal(text, "hello", 5);
    while (connection_flush(&pair->server) == ERR_AGAIN)
        hear(pair);
    sent += write_runs(pair, sent, 100);
    while (connection_flush(&pair->server) == ERR_AGAIN)
        hear(pair);
    hear(pair);
    expect_heard(pair, sent);
}

/* The end waits for a record that the socket has not taken; then all has come, and its end. */
static void test_finish_late(void **state)
{
    struct pair *pair = *state;
    size_t sent = 0;
    secure(pair, TLS1_3_VERSION);
    while (!pair->server.wants_write)
        sent += write_runs(pair, sent, 20 * 1000);
    assert_int_equal(connection_finish(&pair->server), ERR_AGAIN);
    assert_true(pair->server.wants_write);
    while (connection_finish(&pair->server) == ERR_AGAIN)
        hear(pair);
    assert_false(pair->server.wants_write);
    hear(pair);
    expect_heard(pair, sent);
    assert_true(pair->is_ended);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_plain),
        TEST(test_plain_gone),
        TEST(test_tls),
        TEST(test_tls12),
        TEST(test_small_records),
        TEST(test_records_apart),
        TEST(test_no_handshake),
        TEST(test_handshake_cut),
        TEST(test_finish_late),
        TEST(test_errors_of_others),
        TEST(test_key_updates),
        TEST(test_key_update_between),
        TEST(test_read_waits_for_write),
        TEST(test_write_waits_for_read),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, make_certificate, drop_certificate);
}
