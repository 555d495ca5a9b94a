/* A track that goes to another worker: what is subscribed there is as if it were here. */
#include "sfu_house.h"

#include "media/link.h"

#define QUEUE_MAX 64

/* What is on its way, in each direction. */
struct road {
    unsigned count;
    bool is_blocked;
    struct {
        struct link_record record;
        size_t size;
        uint8_t bytes[RTC_PACKET_MAX];
    } queue[QUEUE_MAX];
};

static struct road there, back;
static struct link_out out;
static struct link_in in;

static bool put(void *context, const struct link_record *record, struct view bytes)
{
    struct road *road = context;
    assert_int_equal(record->link, 42);
    if (road->is_blocked || road->count == QUEUE_MAX)
        return false;
    road->queue[road->count].record = *record;
    road->queue[road->count].size = bytes.size;
    if (bytes.size)
        memcpy(road->queue[road->count].bytes, bytes.at, bytes.size);
    road->count++;
    return true;
}

static const struct link_way THERE = { put, &there }, BACK = { put, &back };

static void carry(void)
{
    do {
        run();
        for (unsigned i = 0; i < there.count; i++)
            link_in_take(&in, port.now, &there.queue[i].record,
                         view_make(there.queue[i].bytes, there.queue[i].size));
        for (unsigned i = 0; i < back.count; i++)
            link_out_take(&out, &back.queue[i].record);
        there.count = back.count = 0;
        run();
    } while (there.count + back.count > 0);
}

/* Alice publishes, bob subscribes at the other end of a link. */
static int link_up(void **state)
{
    set_up(state);
    there = back = (struct road){ 0 };
    publish(&alice);
    receive(&bob);
    link_out_open(&out, port.now, track_of(&alice), 42, &THERE);
    assert_int_equal(link_in_open(&in, &port.now, &sfu.tracks, true, 42, &BACK), OK);
    carry();
    return 0;
}

static int link_down(void **state)
{
    link_out_close(&out);
    link_in_close(&in, port.now);
    tear_down(state);
    return 0;
}

static void subscribe_far(void)
{
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, in.track), OK);
}

static void test_goes_there(void **state)
{
    (void)state;
    struct rtcp_feedback feedback;
    say(&alice, 7001, 100, 10, true);
    carry();
    subscribe_far();
    alice.far->rtcp_size = 0;
    carry();
    /* who comes late wants a key frame: alice is asked */
    assert_true(got(&alice, RTCP_PSFB, RTCP_PLI, &feedback));
    say(&alice, 7001, 100, 11, false);
    carry();
    assert_int_equal(bob.far->rtp_count, 0);
    say(&alice, 7001, 100, 12, true);
    say(&alice, 7001, 100, 13, false);
    carry();
    assert_int_equal(bob.far->rtp_count, 2);
    assert_int_equal(bob.far->rtp[1] & 127, 96);
    assert_int_equal(bob.far->rtp[bob.far->rtp_size - 1], 13);
}

static void begin_there(void)
{
    subscribe_far();
    say(&alice, 7001, 100, 10, true);
    carry();
    assert_int_equal(bob.far->rtp_count, 1);
}

/* Lost packets come from the ring at hand. */
static void test_repeat_there(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct rtcp_writer writer;
    begin_there();
    uint16_t number = bob.far->numbers[0];
    rtcp_begin(&writer, bytes, sizeof bytes);
    rtcp_add_nack(&writer, 1, slot_of(&bob)->sender.config.ssrc, &number, 1);
    far_say_rtcp(bob.far, view_make(bytes, writer.size));
    run();
    assert_int_equal(bob.far->rtp_count, 2);
    assert_int_equal(there.count + back.count, 0);
}

static void test_lost_on_the_way(void **state)
{
    (void)state;
    begin_there();
    there.is_blocked = true;
    say(&alice, 7001, 100, 11, false);
    carry();
    assert_int_equal(out.lost, 1);
    there.is_blocked = false;
    alice.far->rtcp_size = 0;
    say(&alice, 7001, 100, 12, false);
    carry();
    assert_int_equal(bob.far->rtp_count, 2);
    assert_int_equal(bob.far->numbers[1], bob.far->numbers[0] + 2);
    assert_int_equal(in.track->encodings[0]->stream.missing.count, 0);
}

/* What tells the other end how to read what comes is told again when it found no room. */
static void test_nothing_without_terms(void **state)
{
    (void)state;
    track_stop(track_of(&alice));
    there.is_blocked = true;
    track_aim(track_of(&alice), port.now);
    subscribe_far();
    say(&alice, 7001, 100, 10, true);
    carry();
    there.is_blocked = false;
    assert_int_equal(bob.far->rtp_count, 0);
    track_aim(track_of(&alice), port.now);
    say(&alice, 7001, 100, 11, true);
    carry();
    assert_int_equal(bob.far->rtp_count, 1);
}

static void test_new_encoding(void **state)
{
    (void)state;
    begin_there();
    uint16_t last = bob.far->numbers[0];
    encoding_restart(track_of(&alice)->encodings[0], 7003);
    say(&alice, 7003, 100, 50000, true);
    carry();
    assert_int_equal(bob.far->rtp_count, 2);
    assert_int_equal(bob.far->numbers[1], last + 1);
}

/* How large the pictures are is known there, too. */
static void test_sizes(void **state)
{
    (void)state;
    begin_there();
    const struct layers_meter *meter = &in.track->encodings[0]->meter;
    assert_int_equal(meter->widths[0], track_of(&alice)->encodings[0]->meter.widths[0]);
    assert_true(meter->widths[0] > 0 && meter->heights[0] > 0);
}

/* A wish for a key frame that found no room is told again. */
static void test_asked_again(void **state)
{
    (void)state;
    struct rtcp_feedback feedback;
    say(&alice, 7001, 100, 10, true);
    carry();
    back.is_blocked = true;
    subscribe_far();
    carry();
    back.is_blocked = false;
    alice.far->rtcp_size = 0;
    wait(KEY_REQUEST_EACH);
    say(&alice, 7001, 100, 11, false);
    carry();
    assert_true(got(&alice, RTCP_PSFB, RTCP_PLI, &feedback));
}

/* What is wanted there is wanted here, whatever is wanted by others. */
static void test_wanted_there(void **state)
{
    (void)state;
    const struct transceiver_wish hidden = { .width = 0 }, shown = { .width = 320, .height = 180 };
    begin_there();
    assert_int_equal(track_of(&alice)->wanted.told & 1, 1);
    transceiver_want(slot_of(&bob), port.now, &hidden);
    for (unsigned i = 0; i < 10; i++) {
        wait(WANTED_PATIENCE / 8);
        carry();
    }
    assert_int_equal(track_of(&alice)->wanted.told, 0);
    /* what finds no room is told again */
    back.is_blocked = true;
    transceiver_want(slot_of(&bob), port.now, &shown);
    carry();
    assert_int_equal(in.track->wanted.told & 1, 1);
    assert_int_equal(track_of(&alice)->wanted.told, 0);
    back.is_blocked = false;
    wait(WANTED_RETRY);
    carry();
    assert_int_equal(track_of(&alice)->wanted.told & 1, 1);
    /* nobody is there any more */
    link_out_close(&out);
    wait(WANTED_PATIENCE);
    run();
    assert_int_equal(track_of(&alice)->wanted.told, 0);
}

static void test_clock(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct rtcp_writer writer;
    struct rtcp_sr sr;
    begin_there();
    assert_false(sender_report(&slot_of(&bob)->sender, port.now, &sr));
    rtcp_begin(&writer, bytes, sizeof bytes);
    rtcp_add_sr(&writer,
                &(struct rtcp_sr){ .ssrc = 7001, .ntp = 5ull << 32, .rtp_timestamp = 30000 }, NULL,
                0);
    far_say_rtcp(alice.far, view_make(bytes, writer.size));
    say(&alice, 7001, 100, 11, false);
    carry();
    assert_true(sender_report(&slot_of(&bob)->sender, port.now, &sr));
    assert_int_equal(sr.ntp >> 32, 5);
}

/* A link that is opened when packets have gone by already asks for a key frame by itself. */
static void test_opened_late(void **state)
{
    (void)state;
    struct rtcp_feedback feedback;
    say(&alice, 7001, 100, 10, true);
    carry();
    link_out_close(&out);
    alice.far->rtcp_size = 0;
    link_out_open(&out, port.now, track_of(&alice), 42, &THERE);
    carry();
    assert_true(got(&alice, RTCP_PSFB, RTCP_PLI, &feedback));
}

static void test_ends(void **state)
{
    (void)state;
    begin_there();
    peer_close(alice.peer, port.now);
    assert_true(link_out_has_ended(&out));
    carry();
    assert_true(in.has_ended);
    assert_non_null(slot_of(&bob)->subscription);
    link_in_close(&in, port.now);
    assert_null(slot_of(&bob)->subscription);
    assert_int_equal(link_in_open(&in, &port.now, &sfu.tracks, true, 42, &BACK), OK);
}

#define LINKED(test) cmocka_unit_test_setup_teardown(test, link_up, link_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINKED(test_goes_there),
        LINKED(test_repeat_there),
        LINKED(test_lost_on_the_way),
        LINKED(test_nothing_without_terms),
        LINKED(test_new_encoding),
        LINKED(test_sizes),
        LINKED(test_asked_again),
        LINKED(test_wanted_there),
        LINKED(test_clock),
        LINKED(test_opened_late),
        LINKED(test_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
