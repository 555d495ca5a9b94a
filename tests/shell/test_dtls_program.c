/* test_dtls_program.c - the program `openssl s_client -dtls1_2` over a real socket on loopback: it
 * gets its cookie, shakes hands, is answered, and is told of the end. */
#include "support.h"

#include "agent/dtls_house.h"
#include "agent/dtls_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define GIVE_UP_MS 60000 /* when the program does not come at all */

static uint64_t seed = 3;
static const struct random RANDOM = { test_random_fill, &seed };
static struct dtls_server server;
static unsigned opened, closed, datagrams;

static usec clock_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (usec)time.tv_sec * USEC_S + (usec)time.tv_nsec / 1000;
}

static struct address read_sockaddr(const struct sockaddr_in *from)
{
    struct address address = { .family = ADDRESS_IPV4, .port = ntohs(from->sin_port) };
    memcpy(address.bytes, &from->sin_addr, 4);
    return address;
}

static void drain(int fd, const struct sockaddr_in *client)
{
    struct dtls_server_out out;
    for (;;) {
        dtls_server_poll(&server, &out);
        switch (out.kind) {
        case DTLS_SERVER_SEND:
            assert_int_equal(
                sendto(fd, out.bytes.at, out.bytes.size, 0, (const void *)client, sizeof *client),
                out.bytes.size);
            break;
        case DTLS_SERVER_OPENED:
            opened++;
            break;
        case DTLS_SERVER_DATA: {
            struct view parts[2] = { VIEW("echo "), out.bytes };
            assert_int_equal(dtls_server_send(&server, clock_now(), out.connection, parts, 2), OK);
            dtls_server_close(&server, clock_now(), out.connection);
            break;
        }
        case DTLS_SERVER_CLOSED:
            closed++;
            break;
        default:
            return;
        }
    }
}

static void serve(int fd, const struct address *local)
{
    struct sockaddr_in from;
    uint8_t bytes[4096];
    while (closed == 0) {
        struct pollfd wanted = { .fd = fd, .events = POLLIN };
        assert_int_equal(poll(&wanted, 1, GIVE_UP_MS), 1);
        socklen_t from_size = sizeof from;
        ssize_t size = recvfrom(fd, bytes, sizeof bytes, 0, (void *)&from, &from_size);
        assert_true(size > 0);
        struct address client = read_sockaddr(&from);
        datagrams++;
        dtls_server_feed(&server, clock_now(), 0, &client, local, view_make(bytes, (size_t)size));
        drain(fd, &from);
    }
}

static void test_s_client(void **state)
{
    (void)state;
    struct identity identity;
    char command[160], said[256] = "";
    struct sockaddr_in bound = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t bound_size = sizeof bound;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (void *)&bound, sizeof bound), 0);
    assert_int_equal(getsockname(fd, (void *)&bound, &bound_size), 0);
    struct address local = read_sockaddr(&bound);

    identity_make(&identity);
    struct dtls_server_config config = { .context = context_make(&identity, NULL, false),
                                         .random = &RANDOM,
                                         .associations_max = 4,
                                         .handshakes_max = 2,
                                         .per_prefix_max = 4,
                                         .idle_max = 60 * USEC_S };
    assert_int_equal(dtls_server_init(&server, &config, clock_now()), OK);
    snprintf(command, sizeof command,
             "echo hello | openssl s_client -dtls1_2 -quiet -connect 127.0.0.1:%u 2>/dev/null",
             local.port);
    FILE *program = popen(command, "r");
    assert_non_null(program);
    serve(fd, &local);
    assert_non_null(fgets(said, sizeof said, program));
    pclose(program);
    assert_string_equal(said, "echo hello\n");
    assert_int_equal(opened, 1);
    assert_int_equal(server.counts.cookies, 1);
    assert_int_equal(server.peers.used, 0);
    assert_in_range(datagrams, 3, 12);

    dtls_server_free(&server);
    dtls_context_free(config.context);
    identity_free(&identity);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_s_client) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
