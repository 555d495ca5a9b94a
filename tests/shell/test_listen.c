/* test_listen.c - listening sockets: shared among workers, kept from all others. */
#include "support.h"

#include "shell/listen.h"
#include "shell/sockaddr.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

/* What a test waits at most, so that a fault ends it. */
#define PATIENCE_MS 20000

static const struct address LOCAL = { .family = ADDRESS_IPV4, .bytes = { 127, 0, 0, 1 } };
static const enum listen_transport BOTH[] = { LISTEN_TCP, LISTEN_UDP };

/* Workers share a port that the kernel chose; for others it is taken, until all have closed it. */
static void test_sharing(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct address address = LOCAL;
        int fds[2];
        assert_int_equal(listen_open(&address, BOTH[i], &fds[0]), OK);
        address.port = listen_port(fds[0]);
        assert_int_not_equal(address.port, 0);
        assert_int_equal(listen_open(&address, BOTH[i], &fds[1]), OK);
        assert_int_equal(listen_port(fds[1]), address.port);
        for (int left = 2; left > 0; left--) {
            assert_int_equal(listen_probe(&address, BOTH[i]), ERR_IO);
            assert_int_equal(errno, EADDRINUSE);
            close(fds[left - 1]);
        }
        assert_int_equal(listen_probe(&address, BOTH[i]), OK);
        assert_int_equal(listen_probe(&address, BOTH[i]), OK); /* it keeps nothing */
    }
}

/* TCP and UDP, and IPv4 and IPv6, do not get into one another's way. */
static void test_apart(void **state)
{
    struct address v4 = { .family = ADDRESS_IPV4 };
    struct address v6 = { .family = ADDRESS_IPV6 };
    int fds[4];
    (void)state;
    assert_int_equal(listen_open(&v4, LISTEN_TCP, &fds[0]), OK);
    v4.port = listen_port(fds[0]);
    v6.port = v4.port;
    int status = listen_probe(&v6, LISTEN_TCP);
    if (status != OK && errno == EAFNOSUPPORT) {
        close(fds[0]);
        skip();
    }
    assert_int_equal(status, OK);
    assert_int_equal(listen_open(&v6, LISTEN_TCP, &fds[1]), OK);
    assert_int_equal(listen_open(&v4, LISTEN_UDP, &fds[2]), OK);
    assert_int_equal(listen_open(&v6, LISTEN_UDP, &fds[3]), OK);
    for (size_t i = 0; i < 4; i++)
        close(fds[i]);
}

static int option_of(int fd, int level, int name)
{
    int value = 0;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt(fd, level, name, &value, &size), 0);
    return value;
}

static void test_accepted(void **state)
{
    struct sockaddr_storage name;
    struct address address = LOCAL;
    int listener;
    (void)state;
    assert_int_equal(listen_open(&address, LISTEN_TCP, &listener), OK);
    assert_int_equal(fcntl(listener, F_GETFD), FD_CLOEXEC);
    assert_int_equal(accept(listener, NULL, NULL), -1); /* it does not wait */
    assert_int_equal(errno, EAGAIN);
    address.port = listen_port(listener);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t name_size = sockaddr_from(&address, &name);
    assert_int_equal(connect(client, (struct sockaddr *)&name, name_size), 0);
    struct pollfd wait = { .fd = listener, .events = POLLIN };
    assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
    int fd = accept(listener, NULL, NULL);
    assert_true(option_of(fd, IPPROTO_TCP, TCP_NODELAY));
    assert_true(option_of(fd, SOL_SOCKET, SO_KEEPALIVE));
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), 60);
    assert_in_range(option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), 1, 30);
    assert_in_range(option_of(fd, IPPROTO_TCP, TCP_KEEPCNT), 1, 8);
    close(fd);
    close(client);
    close(listener);
}

/* An address that this machine has not (RFC 5737): said so, and no descriptor is lost. */
static void test_foreign(void **state)
{
    struct address address = { .family = ADDRESS_IPV4, .bytes = { 192, 0, 2, 1 } };
    int fd = -2;
    (void)state;
    int before = dup(STDERR_FILENO);
    close(before);
    for (size_t i = 0; i < 2; i++) {
        address.port = 0;
        assert_int_equal(listen_open(&address, BOTH[i], &fd), ERR_IO);
        assert_int_equal(errno, EADDRNOTAVAIL);
        assert_int_equal(fd, -2);
        address.port = 8080;
        assert_int_equal(listen_probe(&address, BOTH[i]), ERR_IO);
        assert_int_equal(errno, EADDRNOTAVAIL);
    }
    int after = dup(STDERR_FILENO);
    close(after);
    assert_int_equal(after, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sharing),
        cmocka_unit_test(test_apart),
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_foreign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
