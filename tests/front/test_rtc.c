/* test_rtc.c - the media port of a whole server: far ends that come by UDP and by TCP, strangers,
 * slow readers, and the end. */
#include "house.h"

#include "agent/rtc_house.h"
#include "rtc_echo.h"

#define PROFILE "SRTP_AEAD_AES_128_GCM"
#define WIRES   3

static struct house *house;
static struct server *server;
static struct wire *wires[WIRES]; /* of the far end with that number; NULL: by UDP */

/* ---- the network ---- */

/* What the server sends by UDP, packet by packet. */
static void to_network(const struct rtc_run *run)
{
    struct far *far = far_of(run->flow);
    if (!far)
        return;
    for (size_t at = 0; at < run->bytes.size; at += run->segment)
        network_put(far, false, view_slice(run->bytes, at, run->segment));
}

static unsigned number_of(const struct far *far)
{
    return (unsigned)(far - port.fars);
}

static void write_frame(struct wire *wire, struct view bytes)
{
    uint8_t frame[2 + RTC_PACKET_MAX] = { (uint8_t)(bytes.size >> 8), (uint8_t)bytes.size };
    memcpy(frame + 2, bytes.at, bytes.size);
    wire_send(wire, view_make(frame, bytes.size + 2));
}

static void send_by_tcp(struct far *far, struct view bytes)
{
    write_frame(wires[number_of(far)], bytes);
}

/* The next whole frame that has come to the far end. */
static bool hear_frame(struct far *far)
{
    struct bytes *got = &wires[number_of(far)]->got;
    size_t size = got->size >= 2 ? (size_t)got->at[0] << 8 | got->at[1] : 0;
    if (got->size < 2 + size || size == 0)
        return false;
    uint8_t *copy = test_copy(view_make(got->at + 2, size));
    bytes_used(got, 2 + size);
    far_hear(far, view_make(copy, size));
    free(copy);
    return true;
}

static void arrive(void)
{
    unsigned at = network.first;
    struct far *far = network.queue[at].far;
    uint8_t *copy = test_copy(view_make(network.queue[at].bytes, network.queue[at].size));
    size_t size = network.queue[at].size;
    bool is_to_port = network.queue[at].is_to_port;
    network.first = (at + 1) % NETWORK_MAX;
    network.count--;
    if (is_to_port)
        server_rtc_feed(server, house->now, &far->flow, (struct span){ copy, size });
    else
        far_hear(far, view_make(copy, size));
    free(copy);
    house_drain(house);
}

static void run(void)
{
    bool is_busy = true;
    port.now = house->now;
    house_drain(house);
    while (is_busy) {
        is_busy = network.count > 0;
        while (network.count > 0)
            arrive();
        for (unsigned i = 0; i < WIRES; i++)
            while (wires[i] && hear_frame(&port.fars[i]))
                is_busy = true;
    }
}

/* ---- transports ---- */

static int set_up(void **state)
{
    (void)state;
    port_open(SECURE_DTLS_PROFILES);
    memset(wires, 0, sizeof wires);
    struct server_rtc rtc = {
        .dtls = port.context, .secure = port.engine, .transports_max = 4, .candidate_count = 1
    };
    house = house_build(&(struct wishes){
        .rtc = &rtc, .to_network = to_network, .streams_max = 2 * RTC_STRANGERS_MAX });
    memset(&rtc, 0xff, sizeof rtc); /* it was copied */
    server = house->servers[0];
    users_serve(server);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < HOUSE_WIRES_MAX; i++)
        if (house->wires[i].state != WIRE_UNUSED)
            wire_drop(&house->wires[i]);
    assert_int_equal(house_metric(house, METRIC_RTC_STREAMS), 0);
    assert_int_equal(server->rtc->stranger_count, 0);
    assert_int_equal(house_metric(house, METRIC_RTC_TRANSPORTS),
                     rtc_door_port(server)->transports.used);
    house_close(house);
    port_close();
    return 0;
}

static struct wire *dial(uint16_t client_port)
{
    house->peer = (struct address){ ADDRESS_IPV4, { 192, 0, 2, 77 }, client_port };
    return house_dial(house, 0, STREAM_RTC);
}

/* A far end for a new transport, that has come nowhere yet. */
static struct far *meet(bool by_tcp)
{
    struct rtc_transport *transport;
    struct rtc_remote remote = { .setup = RTC_PASSIVE };
    struct rtc *rtc = rtc_door_port(server);
    port.now = house->now;
    assert_int_equal(rtc_open(rtc, house->now, NULL, &transport), OK);
    struct far *far = far_make(transport, PROFILE);
    memcpy(remote.fingerprint, port.far_identity.fingerprint, sizeof remote.fingerprint);
    rtc_set_remote(rtc, house->now, transport, &remote);
    if (by_tcp) {
        wires[number_of(far)] = dial(7000);
        far->send = send_by_tcp;
    }
    return far;
}

static struct far *connect_far(bool by_tcp)
{
    struct far *far = meet(by_tcp);
    far_check(far, true);
    run();
    assert_int_equal(far->checked, 1);
    far_begin(far);
    run();
    assert_true(far->is_connected);
    return far;
}

/* Strangers' streams are closed without a byte. */
static void assert_refused(struct wire *wire)
{
    assert_true(wire_is_closed(wire));
    assert_int_equal(wire->got.size, 0);
}

static void test_both_ways(void **state)
{
    (void)state;
    for (unsigned by_tcp = 0; by_tcp < 2; by_tcp++) {
        struct far *far = connect_far(by_tcp);
        assert_int_equal(users.connected, by_tcp + 1);
        for (uint16_t i = 0; i < 3; i++)
            far_say_rtp(far, (uint16_t)(1000 + i), "hello");
        run();
        assert_int_equal(users.rtp, 3 * (by_tcp + 1));
        assert_int_equal(far->rtp_count, 3);
        assert_int_equal(far->rtp_size, 12 + PACKET);
        assert_int_equal(dtls_send(&far->dtls, port.now, VIEW("data")), OK);
        far_drain(far);
        run();
        assert_int_equal(users.data, by_tcp + 1);
        assert_int_equal(house_metric(house, METRIC_RTC_STREAMS), by_tcp);
    }
}

/* All that is asked for goes out, in its order, though it is more than fits at once. */
static void test_pumps_to_the_end(void **state)
{
    (void)state;
    for (unsigned by_tcp = 0; by_tcp < 2; by_tcp++) {
        struct far *far = connect_far(by_tcp);
        uint16_t first = users.number;
        users.to_pump = RTC_BATCH_MAX + 10;
        run();
        assert_int_equal(far->rtp_count, RTC_BATCH_MAX + 10);
        for (unsigned i = far->rtp_count - HEARD; i < far->rtp_count; i++)
            assert_int_equal(far->numbers[i % HEARD], first + i);
    }
}

static void test_frames_in_pieces(void **state)
{
    (void)state;
    struct far *far = connect_far(true);
    uint8_t frames[256] = { 0 };
    struct wire *wire = wires[number_of(far)];
    size_t begin = wire->got.size;
    assert_int_equal(begin, 0);
    far->send = NULL; /* what it says is put together here */
    for (size_t cut = 0; cut <= 72; cut++) {
        size_t size = 0;
        for (uint16_t i = 0; i < 2; i++) {
            far_say_rtp(far, (uint16_t)(2 * cut + i), "hello");
            unsigned last = (network.first + --network.count) % NETWORK_MAX;
            size_t length = network.queue[last].size;
            frames[size++] = (uint8_t)(length >> 8);
            frames[size++] = (uint8_t)length;
            memcpy(frames + size, network.queue[last].bytes, length);
            size += length;
        }
        frames[size++] = 0; /* an empty frame means nothing */
        frames[size++] = 0;
        assert_true(cut <= size);
        wire_send(wire, view_make(frames, cut));
        wire_send(wire, view_make(frames + cut, size - cut));
        assert_int_equal(users.rtp, 2 * (cut + 1));
    }
    assert_false(wire_is_closed(wire));
}

/* What the far end says, in frames one behind the other; gives their size. */
static size_t say_much(struct far *far, unsigned count, uint8_t *frames, size_t room)
{
    size_t size = 0;
    far->send = NULL;
    for (unsigned i = 0; i < count; i++)
        far_say_rtp(far, (uint16_t)i, "hello");
    for (unsigned i = 0; i < count; i++) {
        unsigned at = (network.first + i) % NETWORK_MAX;
        size_t length = network.queue[at].size;
        assert_true(size + 2 + length <= room);
        frames[size++] = (uint8_t)(length >> 8);
        frames[size++] = (uint8_t)length;
        memcpy(frames + size, network.queue[at].bytes, length);
        size += length;
    }
    network.count = 0;
    return size;
}

/* However many come at once, the users are asked for what they have to say in between. */
static void test_many_at_once(void **state)
{
    (void)state;
    static uint8_t frames[64 * 1024];
    struct far *far = connect_far(true);
    size_t size = say_much(far, NETWORK_MAX, frames, sizeof frames);
    assert_true(size > SERVER_READ_MAX);
    wire_send(wires[number_of(far)], view_make(frames, size));
    assert_int_equal(users.rtp, NETWORK_MAX);
    assert_in_range(users.heard_max, 1, RTC_HEARD_MAX);
    assert_true(list_empty(&server->rtc->waiting));
    run();
    assert_int_equal(far->rtp_count, NETWORK_MAX);
}

/* A stream that waits to be read goes away. */
static void test_gone_while_it_waits(void **state)
{
    (void)state;
    static uint8_t frames[SERVER_READ_MAX];
    struct far *far = connect_far(true);
    struct wire *wire = wires[number_of(far)];
    size_t size = say_much(far, 300, frames, sizeof frames);
    uint8_t *copy = test_copy(view_make(frames, size));
    server_feed(server, house->now, wire->stream, (struct span){ copy, size });
    free(copy);
    assert_int_equal(users.rtp, RTC_HEARD_MAX);
    assert_false(server_wants_bytes(server, wire->stream));
    assert_true(server_rtc_is_full(server));
    wires[number_of(far)] = NULL;
    wire_drop(wire);
    assert_int_equal(users.rtp, RTC_HEARD_MAX);
    assert_false(server_rtc_is_full(server));
}

static void test_strangers(void **state)
{
    (void)state;
    static const uint8_t HTTP[] = "GET / HTTP/1.1\r\n\r\n";
    uint8_t zeros[RTC_CHECK_MAX] = { 0 };
    struct wire *wire = dial(1);
    wire_send(wire, view_make(HTTP, sizeof HTTP - 1));
    assert_refused(wire); /* "GE" is too long a frame */
    wire = dial(2);
    write_frame(wire, VIEW("\x80\x60\0\1no transport's"));
    assert_refused(wire);
    wire = dial(3);
    wire_send(wire, view_make(zeros, 2));
    assert_refused(wire);
    wire = dial(4);
    wire_send(wire, view_make("\4\1", 2)); /* RTC_CHECK_MAX + 1 */
    assert_refused(wire);
    wire = dial(5);
    wire_send(wire, view_make("\4\0", 2));
    wire_send(wire, view_make(zeros, RTC_CHECK_MAX - 1));
    assert_false(wire_is_closed(wire));
    wire_send(wire, view_make(zeros, 1));
    assert_refused(wire);

    /* a check for us, but signed with another password */
    struct far *far = meet(true);
    far->to.pwd[0] ^= 1;
    far_check(far, true);
    run();
    assert_refused(wires[number_of(far)]);
    assert_int_equal(server_streams(server), 0);
    assert_int_equal(house_metric(house, METRIC_RTC_STRANGERS), 6);
    assert_int_equal(house_metric(house, METRIC_RTC_STREAMS), 0);
    assert_int_equal(server->rtc->stranger_count, 0);
}

static void test_strangers_time(void **state)
{
    (void)state;
    struct wire *silent = dial(1);
    struct wire *slow = dial(2);
    for (unsigned i = 0; i < 4; i++) {
        house_wait(house, USEC_S);
        wire_send(slow, view_make("\0\x20\0\1" + i, 1)); /* trickling doesn't help */
    }
    house_wait(house, USEC_S - USEC_MS);
    assert_false(wire_is_closed(silent));
    house_wait(house, 2 * USEC_MS);
    assert_refused(silent);
    assert_refused(slow);
}

static void test_too_many_strangers(void **state)
{
    (void)state;
    struct far *known = connect_far(true);
    struct wire *first = dial(1);
    struct wire *second = dial(2);
    struct stream_origin origin = { .kind = STREAM_RTC, .peer = house->peer };
    uint32_t streams[RTC_STRANGERS_MAX - 2];
    for (unsigned i = 0; i < RTC_STRANGERS_MAX - 2; i++)
        assert_int_equal(server_open(server, house->now, &origin, &streams[i]), OK);
    house_drain(house);
    assert_int_equal(server->rtc->stranger_count, RTC_STRANGERS_MAX);
    assert_false(wire_is_closed(first));
    struct wire *last = dial(3);
    assert_refused(first);
    assert_false(wire_is_closed(second) || wire_is_closed(last));
    assert_false(wire_is_closed(wires[number_of(known)]));
    assert_int_equal(house_metric(house, METRIC_CLOSED_LIMIT), 1);
    for (unsigned i = 0; i < RTC_STRANGERS_MAX - 2; i++)
        server_closed(server, house->now, streams[i]);
}

/* Who was invited has a few connections, however many are made. */
static void test_too_many_of_one(void **state)
{
    (void)state;
    struct far *far = meet(true);
    struct wire *all[40];
    for (uint16_t i = 0; i < 40; i++) {
        all[i] = dial((uint16_t)(8000 + i));
        wires[number_of(far)] = all[i];
        far_check(far, false);
        run();
        assert_int_equal(far->checked, i + 1);
        assert_false(wire_is_closed(all[i]));
    }
    unsigned open = 0;
    for (unsigned i = 0; i < 40; i++)
        open += !wire_is_closed(all[i]);
    assert_in_range(open, ICE_PAIRS_MAX, 2 * ICE_PAIRS_MAX);
    assert_int_equal(house_metric(house, METRIC_RTC_STREAMS), open);
}

/* What a slow reader does not take is dropped frame by frame, and of the others it misses none. */
static void test_slow_reader(void **state)
{
    (void)state;
    struct far *far = connect_far(true);
    struct wire *wire = wires[number_of(far)];
    wire_give_room(wire, 1000);
    for (unsigned i = 0; i < 40; i++) {
        users.to_pump = RTC_BATCH_MAX;
        run();
    }
    uint64_t lost = house_metric(house, METRIC_RTC_NOT_SENT);
    struct stream *stream = pool_at(&server->streams, wire->stream);
    assert_in_range(stream->outbox.size, RTC_QUEUE_MAX, RTC_QUEUE_MAX + 100000);
    assert_true(lost > 0);
    assert_false(wire_is_closed(wire));
    wire_give_room(wire, SIZE_MAX);
    run();
    assert_int_equal(wire->got.size, 0);
    assert_int_equal(far->rtp_count + lost, 40 * RTC_BATCH_MAX);
    users.to_pump = 1;
    run();
    assert_int_equal(far->rtp_count + lost, 40 * RTC_BATCH_MAX + 1);
}

/* A connection that breaks, or that a transport no longer needs. */
static void test_streams_end(void **state)
{
    (void)state;
    struct far *far = connect_far(true);
    struct wire *wire = wires[number_of(far)];
    struct rtc_transport *transport = users.transport;
    wire_drop(wire);
    wires[number_of(far)] = NULL;
    assert_false(transport->has_way);
    users.to_pump = 1;
    users.transport = transport;
    assert_null(rtc_begin_rtp(rtc_door_port(server), transport));
    users.to_pump = 0;
    wires[number_of(far)] = dial(7001); /* another will do */
    far_check(far, true);
    run();
    assert_true(transport->has_way);
    far_say_rtp(far, 5, "hello");
    run();
    assert_int_equal(far->rtp_count, 1);

    rtc_close(rtc_door_port(server), house->now, transport);
    run();
    assert_true(far->is_ended); /* it was told, and its own goodbye was for nobody any more */
    assert_true(wire_is_closed(wires[number_of(far)]));
}

static void test_silence(void **state)
{
    (void)state;
    struct far *far = connect_far(true);
    house_wait(house, RTC_SILENCE_TIME / 2);
    far_check(far, false);
    run();
    house_wait(house, RTC_SILENCE_TIME - 1);
    assert_false(wire_is_closed(wires[number_of(far)]));
    house_wait(house, USEC_S);
    run();
    assert_true(wire_is_closed(wires[number_of(far)]));
    assert_int_equal(users.ended, 1);
    assert_int_equal(rtc_door_port(server)->transports.used, 0);
}

/* The users' times are the server's, and what they begin of themselves is done at once. */
static void test_times(void **state)
{
    (void)state;
    unsigned ticks = users.ticks;
    users.until = house->now + USEC_S;
    house_drain(house);
    assert_int_equal(house->wakes[0], users.until);
    house_wait(house, USEC_S);
    assert_int_equal(users.ticks, ticks + 1);
    assert_int_equal(house->wakes[0], USEC_NEVER);

    connect_far(false);
    struct server_out out;
    server_poll(server, &out);
    assert_true(out.kind == SERVER_WAIT && out.until > house->now);
    rtc_close(rtc_door_port(server), house->now, users.transport);
    server_poll(server, &out);
    assert_int_equal(out.until, 0); /* it has a goodbye to say */
    house_drain(house);
    assert_int_equal(house->wakes[0], USEC_NEVER);
}

static void test_stop(void **state)
{
    (void)state;
    struct far *far = connect_far(true);
    dial(1);
    server_stop(server, house->now);
    rtc_close(rtc_door_port(server), house->now, users.transport); /* as users would, in the stop */
    run();
    assert_true(far->is_ended);
    assert_true(wire_is_closed(wires[number_of(far)]));
    assert_int_equal(server_streams(server), 0);
    assert_null(dial(2));
}

static void test_is_full(void **state)
{
    (void)state;
    struct far *far = meet(false);
    unsigned fed = 0;
    assert_false(server_rtc_is_full(server));
    while (!server_rtc_is_full(server)) {
        far_check(far, true);
        uint8_t *copy = test_copy(view_make(network.queue[network.first].bytes, 200));
        size_t size = network.queue[network.first].size;
        network.count = 0;
        server_rtc_feed(server, house->now, &far->flow, (struct span){ copy, size });
        free(copy);
        fed++;
    }
    run();
    assert_int_equal(far->checked, fed); /* until then no answer was lost */
    assert_int_equal(fed, RTC_BATCH_MAX);
}

static void test_no_port(void **state)
{
    (void)state;
    struct house *bare = house_build(&(struct wishes){ 0 });
    struct ice_flow flow = { .stream = ICE_UDP };
    uint8_t byte = 0;
    uint32_t count;
    server_rtc_feed(bare->servers[0], bare->now, &flow, (struct span){ &byte, 1 });
    assert_false(server_rtc_is_full(bare->servers[0]));
    assert_null(server_rtc_seal(bare->servers[0], bare->now, &count));
    assert_null(rtc_door_port(bare->servers[0]));
    house_close(bare);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_both_ways),
        TEST(test_pumps_to_the_end),
        TEST(test_frames_in_pieces),
        TEST(test_many_at_once),
        TEST(test_gone_while_it_waits),
        TEST(test_strangers),
        TEST(test_strangers_time),
        TEST(test_too_many_strangers),
        TEST(test_too_many_of_one),
        TEST(test_slow_reader),
        TEST(test_streams_end),
        TEST(test_silence),
        TEST(test_times),
        TEST(test_stop),
        TEST(test_is_full),
        cmocka_unit_test(test_no_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
