/* test_worker_rtc.c - a worker's media port over real sockets, in the test's own thread: far ends
 * by UDP, by TCP and by a relay of the worker's, and strangers. */
#include "worker_rig.h"

#include "agent/rtc_house.h"
#include "front/rtc_echo.h"
#include "shell/media_setup.h"
#include "shell/rtc_sockets.h"
#include "turn_client.h"

#include <netinet/in.h>
#include <sys/socket.h>

#define TURNS_MAX 200000
#define CHANNEL   0x4000

struct rig {
    struct worker_rig base;
    struct turn_policy policy;
    struct turn_config turn;
    struct media_setup *media;
    struct address server; /* of 127.0.0.1: media */
    struct address stun;
    int udp; /* the worker's socket */
};

/* What carries a far end's packets. */
static struct {
    int fd;
    bool is_stream;
    struct turn_client *relay; /* NULL: nothing stands between */
    size_t size;               /* of a frame that has not come whole */
    uint8_t bytes[128 * 1024];
} carriers[FARS_MAX];

static struct rig *rig;

/* ---- the worker ---- */

static int by_name(void *context, struct view name, struct view *password)
{
    (void)context;
    *password = VIEW(TURN_CLIENT_PASSWORD);
    return view_equal(name, VIEW(TURN_CLIENT_USER)) ? OK : ERR_NOT_FOUND;
}

static void fill_turn(uint16_t media_port)
{
    /* the address is ours: what may be reached there is the media port and the relays */
    rig->policy = (struct turn_policy){
        .own = { { ADDRESS_IPV4, { 127, 0, 0, 1 }, 0 } },
        .own_count = 1,
        .relay_port_min = 49152,
        .relay_port_max = 65535,
        .media_port_min = media_port,
        .media_port_max = media_port,
    };
    rig->turn = (struct turn_config){
        .realm = VIEW(TURN_CLIENT_REALM),
        .users = { by_name, NULL, NULL },
        .policy = &rig->policy,
        .relays_ipv4 = true,
        .mobility = true,
        .allocations_max = 8,
        .relays_max = 8,
        .peers_max = 32,
        .peers_per_allocation_max = 8,
        .allocations_per_user_max = 8,
        .allocations_per_prefix_max = 8,
        .lifetime_s_max = TURN_LIFETIME_S,
    };
}

static void add_listener(struct worker_config *config, enum listener_kind kind, int fd)
{
    if (fd >= 0)
        worker_rig_listen(config, kind, fd);
}

static void open_worker(void)
{
    char error[SETTINGS_ERROR_MAX] = "";
    struct rtc_sockets sockets;
    struct worker_config config = worker_rig_open(&rig->base, &rig->turn);
    assert_int_equal(rtc_sockets_open(0, 1, &sockets, error), OK);
    rig->server = (struct address){ ADDRESS_IPV4, { 127, 0, 0, 1 }, sockets.port };
    rig->stun = (struct address){ ADDRESS_IPV4, { 127, 0, 0, 1 }, 0 };
    rig->udp = sockets.udp[0];
    config.candidates[0] = rig->server;
    config.candidate_count = 1;
    fill_turn(sockets.port);
    for (int i = 0; i < 2; i++) {
        add_listener(&config, LISTENER_RTC_UDP, sockets.udp[i]);
        add_listener(&config, LISTENER_RTC_TCP, sockets.tcp[i]);
    }
    int fd;
    assert_int_equal(listen_open(&rig->stun, LISTEN_UDP, &fd), OK);
    rig->stun.port = listen_port(fd);
    worker_rig_listen(&config, LISTENER_STUN_UDP, fd);
    assert_int_equal(media_setup_new(time(NULL), &rig->media), OK);
    config.media = rig->media;
    assert_int_equal(worker_new(&config, &rig->base.worker), OK);
    users_serve(rig->base.worker->server);
}

static int open_rig(void **state)
{
    (void)state;
    port_open(SECURE_DTLS_PROFILES);
    memset(carriers, 0, sizeof carriers);
    rig = aligned_alloc(64, (sizeof *rig + 63) / 64 * 64);
    assert_non_null(rig);
    memset(rig, 0, sizeof *rig);
    open_worker();
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    for (unsigned i = 0; i < port.far_count; i++)
        close(carriers[i].fd);
    worker_rig_close(&rig->base);
    media_setup_free(rig->media);
    free(rig);
    port_close();
    return 0;
}

/* ---- far ends ---- */

static unsigned number_of(const struct far *far)
{
    return (unsigned)(far - port.fars);
}

static void send_by_socket(struct far *far, struct view bytes)
{
    uint8_t frame[2 + RTC_PACKET_MAX] = { (uint8_t)(bytes.size >> 8), (uint8_t)bytes.size };
    unsigned i = number_of(far);
    memcpy(frame + 2, bytes.at, bytes.size);
    struct view sent = carriers[i].is_stream ? view_make(frame, bytes.size + 2) : bytes;
    assert_int_equal(send(carriers[i].fd, sent.at, sent.size, MSG_NOSIGNAL), sent.size);
}

static void send_by_relay(struct far *far, struct view bytes)
{
    uint8_t message[TURN_CHANNEL_HEADER_SIZE + RTC_PACKET_MAX];
    size_t size = TURN_CHANNEL_HEADER_SIZE + bytes.size;
    turn_channel_write(message, CHANNEL, bytes.size);
    memcpy(message + TURN_CHANNEL_HEADER_SIZE, bytes.at, bytes.size);
    assert_int_equal(send(carriers[number_of(far)].fd, message, size, 0), size);
}

static void hear_frames(struct far *far, unsigned i)
{
    size_t used = 0;
    for (;;) {
        const uint8_t *at = carriers[i].bytes + used;
        size_t left = carriers[i].size - used;
        size_t size = left >= 2 ? (size_t)at[0] << 8 | at[1] : 0;
        if (left < 2 + size || size == 0)
            break;
        far_hear(far, view_make(at + 2, size));
        used += 2 + size;
    }
    carriers[i].size -= used;
    memmove(carriers[i].bytes, carriers[i].bytes + used, carriers[i].size);
}

static void hear_datagram(struct far *far, unsigned i)
{
    uint16_t channel;
    struct view bytes = view_make(carriers[i].bytes, carriers[i].size);
    if (carriers[i].relay) {
        struct view data;
        assert_int_equal(turn_channel_read(bytes, &channel, &data), OK);
        bytes = data;
    }
    carriers[i].size = 0;
    far_hear(far, bytes);
}

/* One turn of the worker, and what it has brought to the far ends. */
static void turn_once(void)
{
    worker_turn(rig->base.worker, 0);
    port.now = rig->base.worker->now;
    for (unsigned i = 0; i < port.far_count; i++) {
        uint8_t *at = carriers[i].bytes + carriers[i].size;
        size_t room = sizeof carriers[i].bytes - carriers[i].size;
        ssize_t got;
        while ((got = recv(carriers[i].fd, at, room, MSG_DONTWAIT)) > 0) {
            carriers[i].size += (size_t)got;
            if (carriers[i].is_stream)
                hear_frames(&port.fars[i], i);
            else
                hear_datagram(&port.fars[i], i);
            at = carriers[i].bytes + carriers[i].size;
            room = sizeof carriers[i].bytes - carriers[i].size;
        }
    }
}

#define TURN_UNTIL(condition)                                                                      \
    do {                                                                                           \
        int left_ = TURNS_MAX;                                                                     \
        while (!(condition) && left_-- > 0)                                                        \
            turn_once();                                                                           \
        assert_true(condition);                                                                    \
    } while (0)

static int dial(const struct address *to, int type)
{
    struct sockaddr_storage name;
    int domain = to->family == ADDRESS_IPV4 ? AF_INET : AF_INET6;
    int fd = socket(domain, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    int room = 4 * 1024 * 1024;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sockaddr_from(to, &name)), 0);
    return fd;
}

/* A far end of a new transport; what it says is carried as its carrier is set afterwards. */
static struct far *meet(void)
{
    struct rtc_transport *transport;
    struct rtc_remote remote = { .setup = RTC_PASSIVE };
    struct rtc *rtc = rtc_door_port(rig->base.worker->server);
    assert_int_equal(rtc_open(rtc, rig->base.worker->now, NULL, &transport), OK);
    struct far *far = far_make(transport, SECURE_DTLS_PROFILES);
    memcpy(remote.fingerprint, port.far_identity.fingerprint, sizeof remote.fingerprint);
    rtc_set_remote(rtc, rig->base.worker->now, transport, &remote);
    far->send = send_by_socket;
    return far;
}

static void shake_hands(struct far *far)
{
    unsigned connected = users.connected;
    far_check(far, true);
    TURN_UNTIL(far->checked == 1);
    far_begin(far);
    TURN_UNTIL(far->is_connected && users.connected == connected + 1);
}

static struct far *connect_far(const struct address *to, int type)
{
    struct far *far = meet();
    carriers[number_of(far)].fd = dial(to, type);
    carriers[number_of(far)].is_stream = type == SOCK_STREAM;
    shake_hands(far);
    return far;
}

/* Says something, and hears a hundred packets in return, all and in their order. */
static void talk(struct far *far)
{
    unsigned rtp = users.rtp;
    uint16_t first = users.number;
    unsigned before = far->rtp_count;
    far_say_rtp(far, first, "hello");
    TURN_UNTIL(users.rtp == rtp + 1);
    users.to_pump += 99;
    TURN_UNTIL(far->rtp_count == before + 100);
    for (unsigned i = 100 - HEARD; i < 100; i++)
        assert_int_equal(far->numbers[(before + i) % HEARD], first + i);
    assert_int_equal(far->rtp_size, 12 + PACKET);
}

/* Its socket is connected: it hears what comes from the address that it sent to, alone. */
static void test_udp(void **state)
{
    (void)state;
    struct address other = rig->server;
    other.bytes[3] = 2;
    talk(connect_far(&rig->server, SOCK_DGRAM));
    talk(connect_far(&other, SOCK_DGRAM));
}

static void test_tcp(void **state)
{
    (void)state;
    talk(connect_far(&rig->server, SOCK_STREAM));
    talk(connect_far(&rig->server, SOCK_STREAM));
}

static void test_ipv6(void **state)
{
    (void)state;
    struct address local = { ADDRESS_IPV6, { [15] = 1 }, 0 };
    int status = listen_probe(&local, LISTEN_UDP);
    if (status != OK)
        skip();
    local.port = rig->server.port;
    talk(connect_far(&local, SOCK_DGRAM));
    talk(connect_far(&local, SOCK_STREAM));
}

/* The kernel takes no runs from a socket without checksums. */
static void test_runs_refused(void **state)
{
    (void)state;
    int on = 1;
    assert_int_equal(setsockopt(rig->udp, SOL_SOCKET, SO_NO_CHECK, &on, sizeof on), 0);
    talk(connect_far(&rig->server, SOCK_DGRAM));
}

/* Those who were not invited hear nothing, whatever they say; connections are closed. */
static void test_strangers(void **state)
{
    (void)state;
    static const uint8_t BINDING[20] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3 };
    static const uint8_t FRAME[22] = { 0, 20, 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3 };
    uint8_t byte;
    int udp = dial(&rig->server, SOCK_DGRAM);
    int tcp = dial(&rig->server, SOCK_STREAM);
    int http = dial(&rig->server, SOCK_STREAM);
    assert_int_equal(send(udp, BINDING, sizeof BINDING, 0), sizeof BINDING);
    assert_int_equal(send(udp, "\x80\x60", 2, 0), 2);
    assert_int_equal(send(udp, "", 0, 0), 0);
    assert_int_equal(send(udp, "\x16\xfe\xff", 3, 0), 3);
    assert_int_equal(send(tcp, FRAME, sizeof FRAME, 0), sizeof FRAME);
    assert_int_equal(send(http, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
    ssize_t ended = -1;
    TURN_UNTIL((ended = recv(tcp, &byte, 1, MSG_DONTWAIT)) >= 0);
    assert_int_equal(ended, 0);
    TURN_UNTIL((ended = recv(http, &byte, 1, MSG_DONTWAIT)) >= 0);
    assert_int_equal(ended, 0);
    talk(connect_far(&rig->server, SOCK_DGRAM)); /* by now all has been read */
    assert_int_equal(recv(udp, &byte, 1, MSG_DONTWAIT), -1);
    assert_true(metrics_read(&rig->base.metrics, METRIC_RTC_DROPPED_STRAY) >= 3);
    close(udp);
    close(tcp);
    close(http);
}

static void wait_for(void *context, int fd)
{
    uint8_t byte;
    (void)context;
    for (int i = 0; i < TURNS_MAX && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0; i++)
        worker_turn(rig->base.worker, 0);
}

/* A relay of the worker's reaches its media port, and is reached, without a socket. */
static void test_relay(void **state)
{
    (void)state;
    struct turn_client client;
    client_open(&client, &rig->stun);
    client.wait = wait_for;
    assert_int_equal(client_allocate(&client), 200);
    assert_int_equal(client_bind(&client, CHANNEL, &rig->server), 200);
    struct far *far = meet();
    carriers[number_of(far)].fd = dup(client.fd);
    carriers[number_of(far)].relay = &client;
    far->send = send_by_relay;
    shake_hands(far);
    talk(far);
    assert_true(address_equal(&users.transport->way.remote, &client.relayed));
    /* a check, two flights and what it said, at least: all that was for the media port */
    assert_true(metrics_read(&rig->base.metrics, METRIC_TURN_JOINED) >= 4);
    client_close(&client);
}

/* The goodbye goes out before the sockets are closed. */
static void test_stop(void **state)
{
    (void)state;
    struct far *far = connect_far(&rig->server, SOCK_STREAM);
    const struct letter letter = { .kind = LETTER_STOP,
                                   .until = rig->base.worker->now + 1000 * USEC_S };
    rtc_close(rtc_door_port(rig->base.worker->server), rig->base.worker->now, users.transport);
    assert_int_equal(mailbox_send(&rig->base.mailbox, 1, &letter), OK);
    TURN_UNTIL(far->is_ended);
    shutdown(carriers[number_of(far)].fd, SHUT_RDWR);
    TURN_UNTIL(worker_has_ended(rig->base.worker));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        TEST(test_udp),       TEST(test_tcp),   TEST(test_ipv6), TEST(test_runs_refused),
        TEST(test_strangers), TEST(test_relay), TEST(test_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
