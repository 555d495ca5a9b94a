/* test_workers_media.c - a meeting on two real worker threads: members of one room whose media is
 * at different workers get what the others send, over real sockets. */
#define FARS_MAX 8
#include "ws_client.h"

#include "agent/rtc_house.h"
#include "shell/clock.h"
#include "shell/log.h"
#include "shell/workers.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <time.h>

#define WORKERS 2
#define GUESTS  4
#define SSRC    7000u

static const struct listen_list HERE = {
    .count = 1, .items = { { .family = ADDRESS_IPV4, .bytes = { 127, 0, 0, 1 } } }
};

struct guest {
    struct client client;
    struct far *far;
    int udp;
    uint16_t media_port;
    uint16_t number; /* of the last packet */
    struct secure_window sent;
};

static struct {
    int log_fd;
    struct log log;
    struct workers *workers;
    struct guest guests[GUESTS];
    unsigned guest_count;
} house;

static int open_house(void **state)
{
    struct settings settings;
    char error[SETTINGS_ERROR_MAX] = "";
    (void)state;
    memset(&house, 0, sizeof house);
    port_open(SECURE_DTLS_PROFILES);
    settings_default(&settings);
    settings.workers = WORKERS;
    settings.http_listen = HERE;
    settings.https_listen.count = 0;
    settings.turn_listen.count = 0;
    settings.turn_tls_listen.count = 0;
    settings.rtc_port = 0;
    settings.rtc_public_ip = HERE;
    settings.topology = TOPOLOGY_ALWAYS_SFU;
    settings.room_spread_from = 2;
    house.log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    log_init(&house.log, house.log_fd, LOG_JSON, TRACE_DEBUG);
    if (workers_start(&settings, NULL, &house.log, NULL, &house.workers, error) != OK)
        fail_msg("%s", error);
    return 0;
}

static int close_house(void **state)
{
    (void)state;
    for (unsigned i = 0; i < house.guest_count; i++) {
        client_close(&house.guests[i].client);
        close(house.guests[i].udp);
    }
    workers_stop(house.workers, 5 * USEC_S);
    close(house.log_fd);
    port_close();
    return 0;
}

/* ---- what is offered, and answered ---- */

struct text {
    size_t size;
    char at[4000];
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text->at + text->size, sizeof text->at - text->size, format, arguments);
    va_end(arguments);
    assert_true(size >= 0 && (size_t)size < sizeof text->at - text->size);
    text->size += (size_t)size;
}

/* A camera, and slots for the others'. */
static void say_offer(struct guest *guest)
{
    struct text text = { 0 };
    add(&text, "{\"type\":\"sfu-offer\",\"new\":true,"
               "\"tracks\":[{\"mid\":\"0\",\"source\":\"camera\"}],\"sdp\":\"v=0\\r\\n"
               "o=- 46 2 IN IP4 127.0.0.1\\r\\ns=-\\r\\nt=0 0\\r\\na=group:BUNDLE 0 1 2 3\\r\\n"
               "a=ice-ufrag:4aBc\\r\\na=ice-pwd:Kx8cml/YzichV2+XlhiMu8gT\\r\\na=setup:actpass\\r\\n"
               "a=fingerprint:sha-256 ");
    for (unsigned i = 0; i < 32; i++)
        add(&text, "%s%02X", i ? ":" : "", port.far_identity.fingerprint[i]);
    add(&text, "\\r\\n");
    for (unsigned i = 0; i < GUESTS; i++)
        add(&text,
            "m=video 9 UDP/TLS/RTP/SAVPF 96\\r\\nc=IN IP4 0.0.0.0\\r\\na=mid:%u\\r\\na=%s\\r\\n"
            "a=rtcp-mux\\r\\na=rtpmap:96 VP8/90000\\r\\na=rtcp-fb:96 nack pli\\r\\n",
            i, i ? "recvonly" : "sendonly");
    add(&text, "\"}");
    client_say(&guest->client, text.at);
}

/* What stands behind `name` in the answer's description, up to its line's end. */
static struct view line_of(const char *answer, const char *name)
{
    const char *at = strstr(answer, name);
    if (!at)
        fail_msg("no %s in %s", name, answer);
    at += strlen(name);
    return view_make((const uint8_t *)at, strcspn(at, "\\"));
}

/* a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host */
static uint16_t port_of(struct view candidate)
{
    struct view part = view_make(NULL, 0);
    uint64_t number;
    for (int i = 0; i < 6; i++)
        assert_true(view_split(&candidate, ' ', &part));
    assert_true(view_read_number(part, UINT16_MAX, &number));
    return (uint16_t)number;
}

static void read_answer(struct guest *guest, struct ice_credentials *to)
{
    static char answer[128 * 1024];
    do
        assert_int_equal(client_hear(&guest->client, answer, sizeof answer), WEBSOCKET_TEXT);
    while (!strstr(answer, "\"type\":\"sfu-answer\""));
    struct view ufrag = line_of(answer, "a=ice-ufrag:");
    struct view pwd = line_of(answer, "a=ice-pwd:");
    assert_int_equal(ufrag.size, ICE_UFRAG_SIZE);
    assert_int_equal(pwd.size, ICE_PWD_SIZE);
    memcpy(to->ufrag, ufrag.at, ufrag.size);
    memcpy(to->pwd, pwd.at, pwd.size);
    guest->media_port = port_of(line_of(answer, "a=candidate:"));
}

/* ---- their media ---- */

static struct guest *guest_of(const struct far *far)
{
    struct guest *guest = house.guests;
    while (guest->far != far)
        guest++;
    return guest;
}

static void send_by_socket(struct far *far, struct view bytes)
{
    assert_int_equal(send(guest_of(far)->udp, bytes.at, bytes.size, MSG_NOSIGNAL), bytes.size);
}

/* Waits for what comes, a little, and hears it. */
static void hear_some(void)
{
    struct pollfd fds[GUESTS];
    uint8_t bytes[2048];
    for (unsigned i = 0; i < house.guest_count; i++)
        fds[i] = (struct pollfd){ .fd = house.guests[i].udp, .events = POLLIN };
    poll(fds, house.guest_count, 20);
    port.now = clock_now();
    for (unsigned i = 0; i < house.guest_count; i++) {
        ssize_t size;
        while ((size = recv(house.guests[i].udp, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
            far_hear(house.guests[i].far, view_make(bytes, (size_t)size));
    }
}

static bool is_in_time(usec since)
{
    return clock_now() - since < PATIENCE_MS * USEC_MS;
}

static void connect_media(struct guest *guest, const struct ice_credentials *to)
{
    static struct rtc_transport named;
    struct listen_list address = HERE;
    usec since = clock_now();
    address.items[0].port = guest->media_port;
    guest->udp = dial(&address, SOCK_DGRAM);
    named.ice.local = *to;
    port.now = since;
    guest->far = far_make(&named, SECURE_DTLS_PROFILES);
    guest->far->send = send_by_socket;
    while (guest->far->checked == 0 && is_in_time(since)) {
        far_check(guest->far, true);
        hear_some();
    }
    assert_true(guest->far->checked > 0);
    far_begin(guest->far);
    while (!guest->far->is_connected && is_in_time(since)) {
        dtls_tick(&guest->far->dtls, port.now);
        far_drain(guest->far);
        hear_some();
    }
    assert_true(guest->far->is_connected);
}

static struct guest *come(void)
{
    struct guest *guest = &house.guests[house.guest_count++];
    struct ice_credentials to;
    char text[200];
    client_open(&guest->client, workers_settings(house.workers), false);
    snprintf(text, sizeof text,
             "{\"type\":\"join\",\"version\":1,\"room\":\"spread\",\"name\":\"n%u\","
             "\"topologies\":[\"sfu\"]}",
             house.guest_count);
    client_say(&guest->client, text);
    expect(&guest->client, "\"topology\":\"sfu\"");
    say_offer(guest);
    guest->udp = -1;
    read_answer(guest, &to);
    connect_media(guest, &to);
    return guest;
}

/* A key frame in one packet. */
static void say_frame(struct guest *guest)
{
    uint16_t number = ++guest->number;
    uint8_t packet[RTC_PACKET_MAX] = { 0x80,
                                       0x80 | 96,
                                       (uint8_t)(number >> 8),
                                       (uint8_t)number,
                                       0,
                                       (uint8_t)(number >> 8),
                                       (uint8_t)number,
                                       0,
                                       0,
                                       0,
                                       SSRC >> 8,
                                       SSRC & 255 };
    struct secure_outgoing out = { .key = guest->far->secure.rtp_out,
                                   .sent = &guest->sent,
                                   .at = packet,
                                   .payload =
                                       view_of("\x10\x10\x01\x01\x9d\x01\x2a\x40\x01\xf0\x01"),
                                   .header_size = 12 };
    secure_protect(port.far_engine, &out, 1);
    assert_int_equal(out.status, OK);
    far_send(guest->far, view_make(packet, out.size));
}

static bool all_have(const unsigned *counts, const struct guest *but)
{
    for (unsigned i = 0; i < house.guest_count; i++)
        if (&house.guests[i] != but && house.guests[i].far->rtp_count <= counts[i])
            return false;
    return true;
}

/* Says frames until all others have got one. */
static void is_seen(struct guest *guest)
{
    unsigned counts[GUESTS];
    usec since = clock_now();
    for (unsigned i = 0; i < house.guest_count; i++)
        counts[i] = house.guests[i].far->rtp_count;
    while (!all_have(counts, guest) && is_in_time(since)) {
        say_frame(guest);
        for (int i = 0; i < 10 && !all_have(counts, guest); i++)
            hear_some();
    }
    assert_true(all_have(counts, guest));
}

static void test_all_see_all(void **state)
{
    (void)state;
    for (unsigned i = 0; i < GUESTS; i++)
        come();
    assert_int_equal(house.guests[0].media_port, house.guests[1].media_port);
    assert_int_not_equal(house.guests[0].media_port, house.guests[2].media_port);
    assert_int_equal(house.guests[2].media_port, house.guests[3].media_port);
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < GUESTS; i++)
            is_seen(&house.guests[i]);
}

/* They come and go while others send; then the workers stop with all that goes on. */
static void test_come_and_go(void **state)
{
    (void)state;
    for (unsigned i = 0; i < GUESTS - 1; i++)
        come();
    for (unsigned round = 0; round < 10; round++) {
        is_seen(come());
        is_seen(&house.guests[0]);
        struct guest *last = &house.guests[--house.guest_count];
        client_say(&last->client, "{\"type\":\"leave\"}");
        client_close(&last->client);
        close(last->udp);
        dtls_free(&last->far->dtls);
        secure_session_close(&last->far->secure);
        dtls_context_free(last->far->context);
        port.far_count--;
        memset(last, 0, sizeof *last);
        is_seen(&house.guests[2]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_see_all, open_house, close_house),
        cmocka_unit_test_setup_teardown(test_come_and_go, open_house, close_house),
    };
    return cmocka_run_group_tests_name("workers_media", tests, NULL, NULL);
}
