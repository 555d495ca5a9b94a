/* test_udp.c - datagrams by the batch: each arrives whole, once and in order, whatever runs they
 * were put into. */
#include "support.h"

#include "shell/sockaddr.h"
#include "shell/udp.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define SENT_MAX      400
#define SIZE_MAX_SENT 1400
#define WAITED        10000 /* ms: then it is a fault */

struct end {
    int fd;
    struct address address;
    unsigned next; /* the number of the datagram that comes next */
};

static struct udp_arena arena;
static struct udp_queue *queue;
static struct end from, to[2];
static uint8_t bytes[SENT_MAX][SIZE_MAX_SENT];
static size_t sizes[2][SENT_MAX]; /* of what was sent to each, in order */
static unsigned counts[2];

static void open_end(struct end *end)
{
    struct sockaddr_storage name;
    static const struct address ANY = { .family = ADDRESS_IPV4, .bytes = { 127, 0, 0, 1 } };
    int room = 4 * 1024 * 1024;
    end->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(end->fd >= 0);
    setsockopt(end->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    assert_int_equal(bind(end->fd, (struct sockaddr *)&name, sockaddr_from(&ANY, &name)), 0);
    udp_accept_runs(end->fd);
    udp_address(end->fd, &end->address);
    end->next = 0;
}

static int open_all(void **state)
{
    (void)state;
    queue = calloc(1, sizeof *queue);
    assert_non_null(queue);
    assert_int_equal(udp_arena_init(&arena), OK);
    open_end(&from);
    for (unsigned i = 0; i < 2; i++) {
        open_end(&to[i]);
        counts[i] = 0;
    }
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    close(from.fd);
    for (unsigned i = 0; i < 2; i++)
        close(to[i].fd);
    udp_arena_free(&arena);
    free(queue);
    return 0;
}

/* Three parts whose bytes tell whose number it is. */
static void put(unsigned whom, size_t size, bool copy)
{
    unsigned number = counts[whom];
    uint8_t *at = bytes[number];
    size_t third = size / 3;
    sizes[whom][counts[whom]++] = size;
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(number * 7 + i);
    struct udp_datagram datagram = {
        .fd = from.fd,
        .to = &to[whom].address,
        .header = view_make(at, third < 100 ? third : 100),
        .copy = copy,
    };
    size_t trailer = third < 3 ? third : 3;
    datagram.payload = view_make(at + datagram.header.size, size - datagram.header.size - trailer);
    datagram.trailer = view_make(at + size - trailer, trailer);
    udp_put(queue, &datagram);
}

/* Datagrams one behind the other, of 200 bytes but for the last. */
static void put_run(unsigned whom, size_t size)
{
    static uint8_t room[64 * 1024];
    static size_t used; /* what was put stays until it is sent */
    used = used + size > sizeof room ? 0 : used;
    for (size_t at = 0; at < size; at += 200) {
        unsigned number = counts[whom];
        sizes[whom][counts[whom]++] = size - at < 200 ? size - at : 200;
        for (size_t i = 0; i < sizes[whom][number]; i++)
            room[used + at + i] = (uint8_t)(number * 7 + i);
    }
    const struct udp_datagram run = { .fd = from.fd,
                                      .to = &to[whom].address,
                                      .payload = view_make(room + used, size) };
    udp_put_run(queue, &run, 200);
    used += size;
}

static void check_datagram(unsigned whom, struct view datagram)
{
    unsigned number = to[whom].next++;
    assert_in_range(number, 0, counts[whom] - 1);
    assert_int_equal(datagram.size, sizes[whom][number]);
    for (size_t i = 0; i < datagram.size; i++)
        assert_int_equal(datagram.at[i], (uint8_t)(number * 7 + i));
}

/* All that was put for it has come, and no more. */
static void expect_all(unsigned whom)
{
    struct udp_received got[UDP_RECEIVE_MAX];
    struct pollfd ready = { .fd = to[whom].fd, .events = POLLIN };
    bool is_drained;
    while (to[whom].next < counts[whom]) {
        assert_int_equal(poll(&ready, 1, WAITED), 1);
        if (udp_arena_is_full(&arena))
            udp_arena_reset(&arena);
        unsigned count = udp_receive(&arena, to[whom].fd, UDP_RECEIVE_MAX, got, &is_drained);
        for (unsigned i = 0; i < count; i++) {
            assert_true(address_equal(&got[i].from, &from.address));
            size_t at = 0;
            do {
                check_datagram(whom, view_slice(got[i].bytes, at, got[i].segment));
                at += got[i].segment;
            } while (at < got[i].bytes.size);
        }
    }
    assert_int_equal(poll(&ready, 1, 0), 0);
}

static void flush_and_expect(void)
{
    udp_flush(queue);
    expect_all(0);
    expect_all(1);
}

static void test_runs(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) /* more than a run may have */
        put(0, 200, false);
    put(0, 100, false); /* the last of its run */
    put(0, 200, false);
    put(0, 300, false); /* too long for it */
    put(0, 1, false);
    flush_and_expect();
}

static void test_lengths(void **state)
{
    (void)state;
    uint32_t chance = 1;
    for (unsigned i = 0; i < SENT_MAX; i++) {
        chance = chance * 1664525 + 1013904223;
        put(chance >> 31, 1 + (chance >> 8) % (i & 16 ? SIZE_MAX_SENT : 3), chance >> 30 & 1);
        if (i % 50 == 49)
            flush_and_expect();
    }
    flush_and_expect();
}

/* Nothing goes out by itself before there is no room, and then in order. */
static void test_more_than_there_is_room_for(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * UDP_RUNS_MAX; i++)
        put(i & 1, 10 + i, false); /* each longer than the one before: a run of its own */
    flush_and_expect();
}

static void test_empty(void **state)
{
    (void)state;
    put(0, 0, false);
    put(0, 0, false);
    put(0, 10, false);
    put(0, 0, false);
    flush_and_expect();
}

/* An error that an earlier datagram has left on the socket costs none of the later ones. */
static void test_nobody_there(void **state)
{
    (void)state;
    struct end gone;
    open_end(&gone);
    close(gone.fd);
    for (int i = 0; i < 3; i++) {
        struct udp_datagram lost = { .fd = from.fd, .to = &gone.address, .header = VIEW("lost") };
        udp_put(queue, &lost);
        put(0, 50, false);
        put(0, 50, false);
        flush_and_expect();
    }
}

static void put_runs(void)
{
    for (size_t count = 1; count <= UDP_RUN_MAX; count += 3) {
        put_run(0, count * 200);
        put_run(1, count * 200 - 199);
        put(0, 100, false); /* finds its place behind */
        put_run(0, 200);
        flush_and_expect();
    }
}

static void test_runs_in_one_piece(void **state)
{
    (void)state;
    put_runs();
    for (unsigned i = 0; i < UDP_RUNS_MAX + 3; i++)
        put_run(i & 1, 399);
    flush_and_expect();
}

/* Where the kernel does not take runs, they go out one by one: it takes none from a socket without
 * checksums. */
static void test_runs_refused(void **state)
{
    (void)state;
    int on = 1;
    assert_int_equal(setsockopt(from.fd, SOL_SOCKET, SO_NO_CHECK, &on, sizeof on), 0);
    put_runs();
    for (int i = 0; i < 10; i++)
        put(0, 200, false);
    flush_and_expect();
}

/* Where it knows none at all, they are not even tried. */
static void test_no_runs(void **state)
{
    (void)state;
    queue->is_plain = true;
    put_runs();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
    const struct CMUnitTest tests[] = {
        TEST(test_runs),         TEST(test_lengths),      TEST(test_more_than_there_is_room_for),
        TEST(test_empty),        TEST(test_nobody_there), TEST(test_runs_in_one_piece),
        TEST(test_runs_refused), TEST(test_no_runs),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
