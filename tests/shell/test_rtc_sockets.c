/* test_rtc_sockets.c - the sockets of media ports: numbers in a row, all of them or none. */
#include "support.h"

#include "shell/listen.h"
#include "shell/rtc_sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#define COUNT     3
#define TRIES_MAX 50 /* others may take a port at the moment at which it is free */

static struct address any_of(enum address_family family, uint16_t port)
{
    return (struct address){ .family = (uint8_t)family, .port = port };
}

static void close_all(struct rtc_sockets all[COUNT])
{
    for (int i = 0; i < COUNT; i++)
        rtc_sockets_close(&all[i]);
}

static int option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt(fd, level, name, &value, &size), 0);
    return value;
}

static void test_in_a_row(void **state)
{
    (void)state;
    struct rtc_sockets all[COUNT];
    char error[SETTINGS_ERROR_MAX] = "";
    assert_int_equal(rtc_sockets_open(0, COUNT, all, error), OK);
    assert_string_equal(error, "");
    assert_int_not_equal(all[0].port, 0);
    for (int i = 0; i < COUNT; i++) {
        struct address here = any_of(ADDRESS_IPV4, all[i].port);
        assert_int_equal(all[i].port, all[0].port + i);
        for (int j = 0; j < 2 && all[i].udp[j] >= 0; j++) {
            assert_int_equal(listen_port(all[i].udp[j]), all[i].port);
            assert_int_equal(listen_port(all[i].tcp[j]), all[i].port);
        }
        assert_int_equal(option_of(all[i].udp[0], IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_PROBE);
        assert_int_equal(option_of(all[i].udp[0], IPPROTO_IP, IP_PKTINFO), 1);
        assert_int_equal(option_of(all[i].tcp[0], SOL_SOCKET, SO_SNDBUF), 2 * 128 * 1024);
        /* nobody shares it, not even those who ask for it */
        int fd;
        assert_int_equal(listen_open(&here, LISTEN_UDP, &fd), ERR_IO);
        assert_int_equal(listen_open(&here, LISTEN_TCP, &fd), ERR_IO);
    }
    close_all(all);
    assert_int_equal(all[0].udp[0], -1);
    close_all(all);
}

/* What was closed can be opened again. */
static void test_again(void **state)
{
    (void)state;
    struct rtc_sockets all[COUNT];
    char error[SETTINGS_ERROR_MAX] = "";
    int status = ERR_IO;
    for (int i = 0; i < TRIES_MAX && status != OK; i++) {
        assert_int_equal(rtc_sockets_open(0, COUNT, all, error), OK);
        uint16_t port = all[0].port;
        close_all(all);
        status = rtc_sockets_open(port, COUNT, all, error);
    }
    assert_int_equal(status, OK);
    close_all(all);
}

/* Whether the last of three that is taken ends it, and the two before it are free then. */
static bool ends_it(enum listen_transport transport)
{
    struct rtc_sockets all[COUNT];
    char error[SETTINGS_ERROR_MAX] = "";
    char wanted[SETTINGS_ERROR_MAX];
    struct address last = any_of(ADDRESS_IPV4, 0);
    int fd;
    assert_int_equal(listen_open(&last, transport, &fd), OK);
    last.port = listen_port(fd);
    uint16_t first = (uint16_t)(last.port - (COUNT - 1));
    assert_int_equal(rtc_sockets_open(first, COUNT, all, error), ERR_IO);
    snprintf(wanted, sizeof wanted,
             "rtc.port: can't listen on 0.0.0.0:%u (%s): Address already in use", last.port,
             transport == LISTEN_UDP ? "UDP" : "TCP");
    bool is_so = strcmp(error, wanted) == 0;
    is_so = is_so && rtc_sockets_open(first, COUNT - 1, all, error) == OK;
    for (int i = 0; is_so && i < COUNT - 1; i++)
        rtc_sockets_close(&all[i]);
    close(fd);
    return is_so;
}

static void test_taken(void **state)
{
    (void)state;
    static const enum listen_transport BOTH[] = { LISTEN_UDP, LISTEN_TCP };
    for (int i = 0; i < 2; i++) {
        bool is_so = false;
        for (int j = 0; j < TRIES_MAX && !is_so; j++)
            is_so = ends_it(BOTH[i]);
        assert_true(is_so);
    }
}

/* There is no port behind 65535. */
static void test_the_end(void **state)
{
    (void)state;
    struct rtc_sockets all[COUNT];
    char error[SETTINGS_ERROR_MAX] = "";
    assert_int_equal(rtc_sockets_open(65535, 2, all, error), ERR_IO);
    assert_true(view_starts(view_of(error), VIEW("rtc.port: can't listen on ")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_a_row),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_the_end),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
