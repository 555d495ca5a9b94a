/* test_turn_flood.c - strangers in great numbers, and one who is relayed among them (coturn #1588,
 * #1641).  What they leave in memory is looked at where it is, in agent/test_turn_auth.c; this is
 * about the sockets. */
#include "turn_rig.h"

#include "shell/clock.h"

#include <netinet/in.h>

#define ROUNDS 1000
#define BATCH  32 /* requests of a round: fewer than any socket's buffer holds */

static struct turn_rig rig;

static int open_rig(void **state)
{
    (void)state;
    rig_open(&rig, 1);
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    return rig_close(&rig);
}

/* From any address of 127.0.0.0/8, which are all ours. */
static void send_from(int fd, uint32_t source, struct view bytes)
{
    struct sockaddr_storage name;
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in_pktinfo))] = { 0 };
    struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(source) };
    struct iovec part = { (void *)(uintptr_t)bytes.at, bytes.size };
    struct msghdr message = { .msg_name = &name,
                              .msg_namelen = sockaddr_from(&rig.server, &name),
                              .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof control };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof info);
    memcpy(CMSG_DATA(header), &info, sizeof info);
    assert_int_equal(sendmsg(fd, &message, 0), bytes.size);
}

/* The bytes that have come back. */
static size_t hear(int fd)
{
    uint8_t bytes[2048];
    size_t sum = 0;
    ssize_t size;
    while ((size = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        sum += (size_t)size;
    return sum;
}

static void test_flood(void **state)
{
    struct turn_client client;
    struct stun_writer writer;
    uint8_t bytes[64];
    size_t asked = 0;
    size_t answered = 0;
    usec begin = clock_now();
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)state;
    assert_true(fd >= 0);
    client_open(&client, &rig.server);
    assert_int_equal(client_allocate(&client), 200);
    assert_int_equal(client_bind(&client, CHANNEL, &rig.peer_address), 200);
    struct address relayed = client.relayed;
    for (uint32_t i = 0; i < ROUNDS * BATCH; i++) {
        stun_begin(&writer, bytes, sizeof bytes, STUN_REQUEST, STUN_ALLOCATE,
                   (const uint8_t[STUN_TRANSACTION_SIZE]){ (uint8_t)i });
        stun_add_protocol(&writer, TURN_UDP);
        send_from(fd, 0x7f100000 + i * 257, view_make(bytes, writer.size));
        asked += writer.size;
        if (i % BATCH != BATCH - 1)
            continue;
        /* the relayed stands behind them in the same queue; when it is back, so are the answers */
        rig_talk(&rig, &client, &relayed, VIEW("I was here before"));
        answered += hear(fd);
    }
    /* and the burst, which the time has refilled */
    size_t seconds = (size_t)((clock_now() - begin) / USEC_S) + 1;
    size_t burst = TURN_BUDGET_ALL_BYTES + seconds * TURN_BUDGET_ALL_RATE;
    assert_in_range(answered, asked / 2, asked * 6 / 5 + burst);
    assert_int_equal(client_refresh(&client, 600), 200);
    client_close(&client);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_flood, open_rig, close_rig),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
