/* test_capture.c - what a member sends and gets, as a capture file. */
#include "house_media.h"

#include "agent/rtc_tap.h"
#include "front/capture.h"
#include "wire/pcap.h"

static const struct room_of_tests DOOR = { "/door", "front" };
static struct person ada, bob;

#define OF_ADA "/api/v1/rooms/front/members/a1/pcap?path=/door"
#define OF_BOB "/api/v1/rooms/front/members/b2/pcap?path=/door"

static void begin(bool has_pcap)
{
    media_house_open(has_pcap);
    ada = (struct person){ .room = &DOOR, .id = "a1", .name = "Ada" };
    bob = (struct person){ .room = &DOOR, .id = "b2", .name = "Bob" };
    person_come(&ada);
    person_come(&bob);
    person_publish(&ada);
    person_watch(&bob, &ada);
}

static int set_up(void **state)
{
    (void)state;
    begin(true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    person_go(&ada);
    person_go(&bob);
    media_house_close();
    return 0;
}

static struct wire *ask(const char *method, const char *path)
{
    char request[1024];
    struct wire *wire = house_connect(house);
    snprintf(request, sizeof request,
             "%s %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " ADMIN_TOKEN
             "\r\nContent-Length: 0\r\n\r\n",
             method, path);
    wire_write(wire, request);
    return wire;
}

static void expect_code(const char *method, const char *path, unsigned code)
{
    struct answer answer = { 0 };
    wire_answer(ask(method, path), &answer);
    assert_int_equal(answer.code, code);
    answer_free(&answer);
}

/* Takes a chunked answer apart; false: it has not come to its end. */
static bool read_chunks(struct view got, struct bytes *out)
{
    assert_true(view_starts(got, VIEW("HTTP/1.1 200 ")));
    size_t at = view_find(got, VIEW("\r\n\r\n")) + 4;
    while (at < got.size) {
        char *end;
        size_t size = strtoul((const char *)got.at + at, &end, 16);
        at = (size_t)((const uint8_t *)end - got.at) + 2;
        if (size == 0)
            return true;
        assert_true(at + size + 2 <= got.size);
        bytes_add(out, view_slice(got, at, size));
        at += size + 2;
    }
    return false;
}

static uint32_t word(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* What is in a file: packets of RTP and RTCP, each way. */
struct seen {
    unsigned rtp[2], rtcp[2]; /* in, out */
    uint8_t last[2][100];     /* of RTP */
};

static struct seen read_file(struct view file)
{
    struct seen seen = { 0 };
    assert_true(file.size >= PCAP_HEADER_SIZE);
    assert_int_equal(word(file.at), 0xa1b2c3d4u);
    for (size_t at = PCAP_HEADER_SIZE; at < file.size;) {
        const uint8_t *record = file.at + at;
        size_t size = word(record + 8);
        if (at + 16 + size > file.size || size <= 28 || size >= 128)
            fail_msg("a packet of %zu bytes at %zu of %zu", size, at, file.size);
        /* the server is at 198.51.100.1 */
        bool is_out = record[16 + 12] == 198;
        const uint8_t *payload = record + 16 + 28;
        if (rtp_is_rtcp(view_make(payload, size - 28))) {
            seen.rtcp[is_out]++;
        } else {
            seen.rtp[is_out]++;
            memcpy(seen.last[is_out], payload, size - 28);
        }
        at += 16 + size;
    }
    return seen;
}

static struct seen read_answer(const struct wire *wire)
{
    struct bytes file = { 0 };
    bool is_whole = read_chunks(bytes_view(&wire->got), &file);
    assert_true(is_whole);
    struct seen seen = read_file(bytes_view(&file));
    free(file.at);
    return seen;
}

static void expect_none(void)
{
    assert_int_equal(server->capture_count, 0);
    assert_null(ada.peer->transport->tap);
    assert_null(bob.peer->transport->tap);
}

/* ---- tests ---- */

static void test_both_ways(void **state)
{
    (void)state;
    struct wire *of_ada = ask("POST", OF_ADA "&seconds=3");
    struct wire *of_bob = ask("POST", OF_BOB "&seconds=3");
    person_say(&ada, 1, true);
    person_say(&ada, 2, false);
    house_wait(house, 1 * USEC_S);
    person_say(&ada, 3, false);
    struct bytes part = { 0 };
    assert_false(read_chunks(bytes_view(&of_ada->got), &part));
    assert_true(part.size > PCAP_HEADER_SIZE); /* it comes while it is made */
    free(part.at);
    house_wait(house, 3 * USEC_S);
    struct seen seen = read_answer(of_ada);
    assert_int_equal(seen.rtp[0], 3);
    assert_int_equal(seen.rtp[1], 0);
    assert_true(seen.rtcp[1] > 0); /* reports */
    /* opened: VP8's descriptor stands behind the header */
    assert_int_equal(seen.last[0][3], 3);
    assert_int_equal(seen.last[0][12], 0x10);
    seen = read_answer(of_bob);
    assert_int_equal(seen.rtp[0], 0);
    assert_int_equal(seen.rtp[1], 3);
    assert_int_equal(word(seen.last[1] + 8), bob.receiving->sender.config.ssrc);
    assert_int_equal(seen.last[1][12], 0x10);
    expect_none();
    person_say(&ada, 4, false);
}

/* The member goes while it is captured, and the client that captures. */
static void test_gone(void **state)
{
    (void)state;
    struct wire *of_ada = ask("POST", OF_ADA);
    struct wire *of_bob = ask("POST", OF_BOB);
    assert_non_null(ada.peer->transport->tap);
    wire_drop(of_ada);
    assert_null(ada.peer->transport->tap);
    assert_non_null(bob.peer->transport->tap);
    person_say(&ada, 1, true);
    person_go(&bob);
    person_come(&bob); /* it is captured again as soon as that is seen */
    house_wait(house, 1 * USEC_S);
    assert_non_null(bob.peer->transport->tap);
    house_wait(house, 11 * USEC_S);
    assert_int_equal(read_answer(of_bob).rtp[1], 1);
    expect_none();
}

/* A client that reads nothing: what it does not take is dropped, and the queue stays short. */
static void test_slow(void **state)
{
    (void)state;
    static const uint8_t PACKET[1200] = { 0x80, 96 };
    struct wire *wire = ask("POST", OF_ADA);
    struct rtc_tap *tap = ada.peer->transport->tap;
    const struct stream *stream = pool_at(&server->streams, wire->stream);
    wire->room = 0;
    for (unsigned i = 0; i < 15; i++) {
        for (unsigned k = 0; k < 300; k++)
            rtc_tap_note_in(tap, house->now, &ada.far->flow, view_make(PACKET, sizeof PACKET));
        house_wait(house, 200 * USEC_MS);
    }
    assert_true(tap->dropped > 1000);
    assert_in_range(stream->outbox.size, 500000, 600000);
    wire_drop(wire);
    expect_none();
}

static void test_refused(void **state)
{
    (void)state;
    expect_code("GET", OF_ADA, 405);
    expect_code("POST", OF_ADA "&seconds=0", 400);
    expect_code("POST", OF_ADA "&seconds=301", 400);
    expect_code("POST", "/api/v1/rooms/front/members/c3/pcap?path=/door", 404);
    expect_code("POST", "/api/v1/rooms/front/members/a1/mp3?path=/door", 405);
    for (unsigned i = 0; i < CAPTURES_MAX; i++)
        ask("POST", OF_ADA);
    expect_code("POST", OF_ADA, 503);
}

static void test_off(void **state)
{
    (void)state;
    begin(false);
    expect_code("POST", OF_ADA, 404);
    expect_none();
    tear_down(NULL);
}

int main(void)
{
#define WITH_MEDIA(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_MEDIA(test_both_ways), WITH_MEDIA(test_gone),      WITH_MEDIA(test_slow),
        WITH_MEDIA(test_refused),   cmocka_unit_test(test_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
