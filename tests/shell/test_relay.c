/* test_relay.c - the sockets of relays: ranges of ports that are used up, pairs, listeners that
 * connections go out of, and ICMP. */
#include "support.h"

#include "shell/entropy.h"
#include "shell/relay.h"
#include "shell/sockaddr.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define RANGE  4 /* ports */
#define TRIED  200
#define WAITED 10000 /* ms: then it is a fault */

static struct random chance;

/* Ports that others hardly use, of an address that is loopback, too. */
static struct relay_wish wish_of(enum turn_protocol protocol, uint16_t first)
{
    return (struct relay_wish){
        .host = { .family = ADDRESS_IPV4, .bytes = { 127, 77, 1, 2 } },
        .protocol = protocol,
        .port_min = first,
        .port_max = (uint16_t)(first + RANGE - 1),
        .random = &chance,
    };
}

static void close_all(int *fds, int count)
{
    for (int i = 0; i < count; i++)
        close(fds[i]);
}

/* A range whose ports are all free; its first one is even. */
static uint16_t free_range(enum turn_protocol protocol)
{
    for (unsigned i = 0; i < TRIED; i++) {
        int fds[RANGE][2];
        int count = 0;
        uint16_t offset;
        struct address local;
        random_fill(&chance, &offset, sizeof offset);
        struct relay_wish wish = wish_of(protocol, (uint16_t)((10000 + offset % 10000) & ~1));
        while (count < RANGE && relay_open(&wish, fds[count], &local) == OK)
            count++;
        for (int j = 0; j < count; j++)
            close(fds[j][0]);
        if (count == RANGE)
            return wish.port_min;
    }
    fail_msg("no %d ports in a row are free", RANGE);
    return 0;
}

static void use_up(enum turn_protocol protocol)
{
    struct relay_wish wish = wish_of(protocol, free_range(protocol));
    int fds[RANGE];
    unsigned seen = 0;
    struct address local;
    for (int i = 0; i < RANGE; i++) {
        int opened[2];
        assert_int_equal(relay_open(&wish, opened, &local), OK);
        assert_int_equal(opened[1], -1);
        fds[i] = opened[0];
        assert_in_range(local.port, wish.port_min, wish.port_max);
        seen |= 1u << (local.port - wish.port_min);
    }
    assert_int_equal(seen, (1u << RANGE) - 1); /* each once */
    int more[2];
    assert_int_equal(relay_open(&wish, more, &local), ERR_IO);
    /* the only one that is free is found */
    close(fds[2]);
    assert_int_equal(relay_open(&wish, more, &local), OK);
    fds[2] = more[0];
    close_all(fds, RANGE);
}

static void test_ranges_are_used_up(void **state)
{
    (void)state;
    use_up(TURN_UDP);
    use_up(TURN_TCP);
}

static void test_pairs(void **state)
{
    (void)state;
    struct relay_wish wish = wish_of(TURN_UDP, free_range(TURN_UDP));
    struct address local;
    int pair[2], other[2], odd[2];
    wish.port_min++; /* only the two in the middle make a pair now */
    wish.port_max = (uint16_t)(wish.port_min + 2);
    wish.even = wish.pair = true;
    assert_int_equal(relay_open(&wish, pair, &local), OK);
    assert_int_equal(local.port, wish.port_min + 1);
    assert_true(pair[1] >= 0);
    assert_int_equal(relay_open(&wish, other, &local), ERR_IO);
    wish.pair = false; /* and no other even one */
    assert_int_equal(relay_open(&wish, other, &local), ERR_IO);
    wish.even = false;
    assert_int_equal(relay_open(&wish, odd, &local), OK);
    assert_int_equal(local.port, wish.port_min);
    /* half of a pair is not enough, and the other half is given back */
    close(pair[0]);
    wish.even = wish.pair = true;
    assert_int_equal(relay_open(&wish, other, &local), ERR_IO);
    close(pair[1]);
    assert_int_equal(relay_open(&wish, pair, &local), OK);
    close_all(pair, 2);
    close(odd[0]);
}

static void test_address_of_another(void **state)
{
    (void)state;
    struct relay_wish wish = wish_of(TURN_UDP, 20000);
    struct address local;
    int fds[2];
    wish.host = (struct address){ .family = ADDRESS_IPV4, .bytes = { 192, 0, 2, 1 } };
    assert_int_equal(relay_open(&wish, fds, &local), ERR_IO);
}

static void wait_for(int fd, short events)
{
    struct pollfd ready = { .fd = fd, .events = events };
    assert_int_equal(poll(&ready, 1, WAITED), 1);
}

/* Connections go out of the very port that listens. */
static void test_connections(void **state)
{
    (void)state;
    struct relay_wish wish = wish_of(TURN_TCP, free_range(TURN_TCP));
    struct address here, there, seen;
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    int a[2], b[2], fd;
    assert_int_equal(relay_open(&wish, a, &here), OK);
    assert_int_equal(relay_open(&wish, b, &there), OK);
    assert_int_equal(relay_connect(&here, &there, &fd), OK);
    wait_for(b[0], POLLIN);
    int accepted = accept(b[0], (struct sockaddr *)&name, &size);
    assert_true(accepted >= 0);
    sockaddr_read(&name, &seen);
    assert_true(address_equal(&seen, &here));
    wait_for(fd, POLLOUT);
    assert_int_equal(relay_connect_result(fd), OK);
    close(fd);
    close(accepted);
    /* nobody listens there any more */
    int c[2];
    assert_int_equal(relay_open(&wish, c, &there), OK);
    close(c[0]);
    assert_int_equal(relay_connect(&here, &there, &fd), OK);
    wait_for(fd, POLLOUT);
    assert_int_equal(relay_connect_result(fd), ERR_CLOSED);
    close(fd);
    close(a[0]);
    close(b[0]);
}

static void check_icmp(const struct address *host, unsigned type, unsigned code)
{
    struct relay_wish wish = wish_of(TURN_UDP, free_range(TURN_UDP));
    struct sockaddr_storage name;
    struct stun_icmp icmp;
    struct address local, peer, told;
    int fds[2], gone[2];
    wish.host = *host;
    assert_int_equal(relay_open(&wish, gone, &peer), OK);
    assert_int_equal(relay_open(&wish, fds, &local), OK);
    assert_false(relay_read_icmp(fds[0], &told, &icmp));
    close(gone[0]);
    socklen_t size = sockaddr_from(&peer, &name);
    assert_int_equal(sendto(fds[0], "x", 1, 0, (struct sockaddr *)&name, size), 1);
    wait_for(fds[0], 0); /* an error needs no asking for */
    assert_true(relay_read_icmp(fds[0], &told, &icmp));
    assert_true(address_equal(&told, &peer));
    assert_int_equal(icmp.type, type);
    assert_int_equal(icmp.code, code);
    assert_false(relay_read_icmp(fds[0], &told, &icmp));
    close(fds[0]);
}

static void test_icmp(void **state)
{
    (void)state;
    static const struct address LOOPBACK_6 = { .family = ADDRESS_IPV6, .bytes = { [15] = 1 } };
    struct relay_wish wish = wish_of(TURN_UDP, 20000);
    struct address local;
    int fds[2];
    check_icmp(&wish.host, 3, 3); /* port unreachable */
    wish.host = LOOPBACK_6;
    if (relay_open(&wish, fds, &local) != OK)
        return; /* no IPv6 here */
    close(fds[0]);
    check_icmp(&LOOPBACK_6, 1, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges_are_used_up),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_address_of_another),
        cmocka_unit_test(test_connections),
        cmocka_unit_test(test_icmp),
    };
    chance = entropy_random();
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
