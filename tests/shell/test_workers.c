/* test_workers.c - real sockets against real worker threads: HTTP, TLS, hand-over, STUN, the
 * end. */
#include "ws_client.h"

#include "shell/certificate.h"
#include "shell/log.h"
#include "shell/sockaddr.h"
#include "shell/workers.h"
#include "wire/stun.h"
#include "wire/websocket.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WORKERS   3
#define TRIES_MAX 10

struct house {
    char folder[64];
    int log_fd;
    struct log log;
    struct certificate certificate;
    struct workers *workers;
};

static void any_port(struct listen_list *list)
{
    list->count = 1;
    list->items[0] = (struct address){ .family = ADDRESS_IPV4, .bytes = { 127, 0, 0, 1 } };
}

static int open_house(void **state)
{
    struct house *house = calloc(1, sizeof *house);
    struct settings settings;
    char error[SETTINGS_ERROR_MAX] = "";
    assert_non_null(house);
    snprintf(house->folder, sizeof house->folder, "/tmp/moim-workers-XXXXXX");
    assert_non_null(mkdtemp(house->folder));
    settings_default(&settings);
    settings.workers = WORKERS;
    any_port(&settings.http_listen);
    any_port(&settings.https_listen);
    any_port(&settings.turn_listen);
    any_port(&settings.turn_tls_listen);
    settings.rtc_port = 0;
    snprintf(settings.state_dir, sizeof settings.state_dir, "%s", house->folder);
    house->log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    log_init(&house->log, house->log_fd, LOG_JSON, TRACE_DEBUG);
    assert_int_equal(certificate_open(&settings, time(NULL), true, &house->certificate, error), OK);
    /* the port that the kernel chooses for TCP may be somebody's by UDP */
    int status = ERR_IO;
    for (int i = 0; i < TRIES_MAX && status == ERR_IO; i++)
        status = workers_start(&settings, house->certificate.tls, &house->log, NULL,
                               &house->workers, error);
    if (status != OK)
        fail_msg("%s", error);
    *state = house;
    return 0;
}

static int close_house(void **state)
{
    struct house *house = *state;
    char command[128];
    if (house->workers)
        workers_stop(house->workers, 5 * USEC_S);
    certificate_close(&house->certificate);
    close(house->log_fd);
    snprintf(command, sizeof command, "rm -r %s", house->folder);
    assert_int_equal(system(command), 0);
    free(house);
    return 0;
}

/* ---- clients ---- */

static int dial_http(const struct house *house)
{
    return dial(&workers_settings(house->workers)->http_listen, SOCK_STREAM);
}

static void say(int fd, const char *text)
{
    size_t size = strlen(text);
    assert_int_equal(send(fd, text, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* All that comes until the peer ends its side. */
static size_t hear_all(int fd, char *out, size_t capacity)
{
    size_t size = 0;
    for (;;) {
        assert_true(size < capacity - 1);
        ssize_t got = recv(fd, out + size, capacity - 1 - size, 0);
        assert_true(got >= 0);
        if (got == 0)
            break;
        size += (size_t)got;
    }
    out[size] = '\0';
    return size;
}

static void join(struct client *client, const char *room, const char *name)
{
    char text[256];
    snprintf(text, sizeof text, "{\"type\":\"join\",\"version\":1,\"room\":\"%s\",\"name\":\"%s\"}",
             room, name);
    client_say(client, text);
    expect(client, "\"welcome\"");
}

/* ---- scenarios ---- */

static void test_http(void **state)
{
    struct house *house = *state;
    char text[4096];
    int fd = dial_http(house);
    say(fd, "GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"
            "GET /readyz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    hear_all(fd, text, sizeof text);
    assert_non_null(strstr(text, "\r\n\r\nlive\n"));
    assert_non_null(strstr(text, "\r\n\r\nready\n"));
    close(fd);
}

/* A client that ends its side after its request still gets the answer. */
static void test_half_close(void **state)
{
    struct house *house = *state;
    char text[32768];
    int fd = dial_http(house);
    say(fd, "GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n");
    shutdown(fd, SHUT_WR);
    hear_all(fd, text, sizeof text);
    assert_non_null(strstr(text, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(text, "moim_connections "));
    close(fd);
}

static void test_broken_http(void **state)
{
    struct house *house = *state;
    char text[4096];
    int fd = dial_http(house);
    say(fd, "GET /\x01 HTTP/9.9\r\n\r\n");
    hear_all(fd, text, sizeof text);
    assert_non_null(strstr(text, "HTTP/1.1 400 "));
    close(fd);
}

/* Whatever worker a connection comes to, it ends up where its room lives: with rooms and
 * connections enough, all pairs of workers occur. */
static void test_meeting(void **state)
{
    enum { ROOMS = 8, MEMBERS = 4 };
    struct house *house = *state;
    struct client *clients = calloc(ROOMS * MEMBERS, sizeof *clients);
    char text[8192];
    assert_non_null(clients);
    for (int i = 0; i < ROOMS * MEMBERS; i++) {
        char room[16];
        char name[16];
        snprintf(room, sizeof room, "room%d", i % ROOMS);
        snprintf(name, sizeof name, "n%d", i / ROOMS);
        client_open(&clients[i], workers_settings(house->workers), i % 2 == 1);
        join(&clients[i], room, name);
        for (int j = i % ROOMS; j < i; j += ROOMS)
            expect(&clients[j], "\"member-joined\"");
    }
    for (int i = 0; i < ROOMS * MEMBERS; i++) {
        char said[64];
        snprintf(said, sizeof said, "from %d", i);
        snprintf(text, sizeof text, "{\"type\":\"chat\",\"text\":\"%s\"}", said);
        client_say(&clients[i], text);
        for (int j = i % ROOMS; j < ROOMS * MEMBERS; j += ROOMS)
            expect(&clients[j], said);
    }
    for (int i = 0; i < ROOMS * MEMBERS; i++) {
        client_say(&clients[i], "{\"type\":\"leave\"}");
        assert_int_equal(client_hear(&clients[i], text, sizeof text), WEBSOCKET_CLOSE);
        assert_memory_equal(text, "\x03\xe8", 2);
        for (int j = i + ROOMS; j < ROOMS * MEMBERS; j += ROOMS)
            expect(&clients[j], "\"member-left\"");
        client_close(&clients[i]);
    }
    free(clients);
}

/* More than a socket takes at once, under TLS, to a reader that begins late. */
static void test_late_reader(void **state)
{
    struct house *house = *state;
    struct client *late = malloc(sizeof *late);
    struct client *other = malloc(sizeof *other);
    char chat[4096];
    char text[8192];
    assert_true(late && other);
    client_open(late, workers_settings(house->workers), true);
    client_open(other, workers_settings(house->workers), true);
    join(late, "late", "late");
    join(other, "late", "other");
    int size = snprintf(chat, sizeof chat, "{\"type\":\"chat\",\"text\":\"");
    memset(chat + size, 'x', 3500);
    snprintf(chat + size + 3500, sizeof chat - (size_t)size - 3500, "\"}");
    for (int i = 0; i < 200; i++) {
        client_say(other, chat);
        assert_int_equal(client_hear(other, text, sizeof text), WEBSOCKET_TEXT);
    }
    expect(late, "member-joined");
    for (int i = 0; i < 200; i++)
        expect(late, "xxxxxxxx");
    client_close(late);
    client_close(other);
    free(late);
    free(other);
}

static size_t binding_request(uint8_t *out, size_t capacity)
{
    static const uint8_t TRANSACTION[STUN_TRANSACTION_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
    struct stun_writer writer;
    stun_begin(&writer, out, capacity, STUN_REQUEST, STUN_BINDING, TRANSACTION);
    stun_add_fingerprint(&writer);
    return writer.size;
}

static void check_binding(int fd, struct view answer)
{
    struct stun_msg msg;
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    struct address own;
    struct address seen;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    sockaddr_read(&name, &own);
    assert_int_equal(stun_read(answer, &msg), OK);
    assert_int_equal(msg.class, STUN_SUCCESS);
    const struct stun_attr *attr = stun_find(&msg, STUN_XOR_MAPPED_ADDRESS);
    assert_non_null(attr);
    assert_int_equal(stun_read_xor_address(&msg, attr, &seen), OK);
    assert_true(address_equal(&own, &seen));
}

static void test_stun(void **state)
{
    struct house *house = *state;
    static const int TYPES[] = { SOCK_DGRAM, SOCK_STREAM };
    for (size_t i = 0; i < 2; i++) {
        uint8_t bytes[512];
        int fd = dial(&workers_settings(house->workers)->turn_listen, TYPES[i]);
        size_t size = binding_request(bytes, sizeof bytes);
        assert_int_equal(send(fd, bytes, size, 0), size);
        ssize_t got = recv(fd, bytes, sizeof bytes, 0);
        assert_true(got > 0);
        check_binding(fd, view_make(bytes, (size_t)got));
        close(fd);
    }
}

/* Plain text on the TLS port. */
static void test_no_tls(void **state)
{
    struct house *house = *state;
    char text[4096];
    int fd = dial(&workers_settings(house->workers)->https_listen, SOCK_STREAM);
    say(fd, "GET / HTTP/1.1\r\nHost: here\r\n\r\n");
    hear_all(fd, text, sizeof text);
    assert_non_null(strstr(text, "This port speaks HTTPS: https://here/\n"));
    close(fd);
}

/* Relays are to be had wherever TLS is, without it; what is said in pieces, too. */
static void test_stun_on_tls_ports(void **state)
{
    struct house *house = *state;
    const struct settings *settings = workers_settings(house->workers);
    const struct listen_list *ports[] = { &settings->https_listen, &settings->turn_tls_listen };
    for (size_t i = 0; i < 2; i++) {
        uint8_t bytes[512];
        int fd = dial(ports[i], SOCK_STREAM);
        size_t size = binding_request(bytes, sizeof bytes);
        assert_int_equal(send(fd, bytes, 1, 0), 1);
        assert_int_equal(send(fd, bytes + 1, size - 1, 0), size - 1);
        ssize_t got = recv(fd, bytes, sizeof bytes, 0);
        assert_true(got > 0);
        check_binding(fd, view_make(bytes, (size_t)got));
        close(fd);
    }
}

static void test_new_keys(void **state)
{
    struct house *house = *state;
    struct client *client = malloc(sizeof *client);
    assert_non_null(client);
    client_open(client, workers_settings(house->workers), true);
    for (int i = 0; i < 10; i++)
        workers_set_tls(house->workers, house->certificate.tls);
    join(client, "keys", "old");
    client_close(client);
    client_open(client, workers_settings(house->workers), true);
    join(client, "keys", "new");
    client_close(client);
    free(client);
}

/* The end: whoever is in a WebSocket is told 1001, and new connections are refused. */
static void test_stop(void **state)
{
    struct house *house = *state;
    enum { COUNT = 12 };
    struct client *clients = calloc(COUNT, sizeof *clients);
    char text[8192];
    assert_non_null(clients);
    for (int i = 0; i < COUNT; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        client_open(&clients[i], workers_settings(house->workers), i % 2);
        join(&clients[i], i % 3 ? "one" : "two", name);
    }
    workers_stop(house->workers, 5 * USEC_S);
    house->workers = NULL;
    for (int i = 0; i < COUNT; i++) {
        int opcode;
        while ((opcode = client_hear(&clients[i], text, sizeof text)) == WEBSOCKET_TEXT)
            ;
        assert_int_equal(opcode, WEBSOCKET_CLOSE);
        assert_memory_equal(text, "\x03\xe9", 2);
        client_close(&clients[i]);
    }
    free(clients);
}

/* An address that somebody else has is told with its key. */
static void test_taken_port(void **state)
{
    struct house *house = *state;
    struct settings settings = *workers_settings(house->workers);
    struct workers *workers;
    char error[SETTINGS_ERROR_MAX];
    char wanted[128];
    settings.https_listen.count = 0;
    snprintf(wanted, sizeof wanted, "http.listen: can't listen on 127.0.0.1:%u: %s",
             settings.http_listen.items[0].port, "Address already in use");
    assert_int_equal(workers_start(&settings, NULL, &house->log, NULL, &workers, error), ERR_IO);
    assert_string_equal(error, wanted);
    settings.http_listen.count = 0;
    snprintf(wanted, sizeof wanted, "turn.listen: can't listen on 127.0.0.1:%u: %s",
             settings.turn_listen.items[0].port, "Address already in use");
    assert_int_equal(workers_start(&settings, NULL, &house->log, NULL, &workers, error), ERR_IO);
    assert_string_equal(error, wanted);
    settings.turn_listen.count = 0;
    settings.turn_tls_listen.count = 0;
    snprintf(wanted, sizeof wanted, "rtc.port: can't listen on 0.0.0.0:%u (UDP): %s",
             settings.rtc_port, "Address already in use");
    assert_int_equal(workers_start(&settings, NULL, &house->log, NULL, &workers, error), ERR_IO);
    assert_string_equal(error, wanted);
}

#define SCENARIO(name) cmocka_unit_test_setup_teardown(name, open_house, close_house)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_http),    SCENARIO(test_half_close),        SCENARIO(test_broken_http),
        SCENARIO(test_meeting), SCENARIO(test_late_reader),       SCENARIO(test_stun),
        SCENARIO(test_no_tls),  SCENARIO(test_stun_on_tls_ports), SCENARIO(test_new_keys),
        SCENARIO(test_stop),    SCENARIO(test_taken_port),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
