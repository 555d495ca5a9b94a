/* A line of a network: nothing is lost but what is said to be, the rate holds to the microsecond,
 * the queue is bounded, and chances are what they should be. */
#include "support.h"

#include "netem/netem.h"
#include "netem/script.h"

#define BEGIN   (1000 * USEC_S)
#define STORE   4096
#define PAYLOAD 972 /* with the overhead: 1000 bytes */

static struct pool store;
static struct netem line;
static usec now;

static int set_up(void **state)
{
    (void)state;
    now = BEGIN;
    assert_int_equal(netem_store_init(&store, STORE), OK);
    netem_init(&line, &store, 7, 28, now);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    netem_free(&line);
    assert_int_equal(store.used, 0);
    pool_free(&store);
    return 0;
}

static void set(struct netem_setting setting)
{
    netem_set(&line, now, &setting);
}

static bool send(uint64_t tag)
{
    static const uint8_t BYTES[PAYLOAD] = { 1, 2, 3 };
    return netem_send(&line, now, view_make(BYTES, sizeof BYTES), tag);
}

static void check_conserved(void)
{
    const struct netem_counts *counts = &line.counts;
    assert_int_equal(counts->sent + counts->doubled, counts->arrived + counts->lost +
                                                         counts->overflowed + line.queue_count +
                                                         line.way_count);
    assert_int_equal(store.used, line.queue_count + line.way_count);
}

/* Waits for the next packet; its tag, and *at. */
static uint64_t receive(usec *at)
{
    struct netem_packet *packet;
    while (!(packet = netem_take(&line, now))) {
        usec until = netem_until(&line);
        assert_true(until != USEC_NEVER && until > now);
        now = until;
    }
    assert_int_equal(packet->size, PAYLOAD);
    assert_int_equal(packet->bytes[2], 3);
    uint64_t tag = packet->tag;
    if (at)
        *at = packet->at;
    netem_give(&line, packet);
    check_conserved();
    return tag;
}

static void test_without_faults_it_comes_at_once(void **state)
{
    usec at;
    (void)state;
    assert_int_equal(netem_until(&line), USEC_NEVER);
    assert_true(send(5));
    assert_int_equal(receive(&at), 5);
    assert_int_equal(at, BEGIN);
    assert_null(netem_take(&line, now));
}

static void test_delay_is_exact(void **state)
{
    usec at;
    (void)state;
    set((struct netem_setting){ .delay = 50 * USEC_MS });
    assert_true(send(1));
    assert_null(netem_take(&line, BEGIN + 50 * USEC_MS - 1));
    now = BEGIN + 50 * USEC_MS - 1;
    assert_int_equal(receive(&at), 1);
    assert_int_equal(at, BEGIN + 50 * USEC_MS);
}

/* 3 Mbit/s and 1000 bytes do not divide: what is left of a microsecond is not lost. */
static void test_rate_is_exact(void **state)
{
    usec at = 0;
    (void)state;
    set((struct netem_setting){ .rate_bps = 3000000 });
    for (unsigned i = 0; i < 3000; i++)
        assert_true(send(i));
    for (unsigned i = 0; i < 3000; i++) {
        assert_int_equal(receive(&at), i);
        uint64_t bits = 8000 * ((uint64_t)i + 1);
        assert_int_equal(at - BEGIN, (bits * 1000000 + 2999999) / 3000000);
    }
    assert_int_equal(at, BEGIN + 8 * USEC_S);
    assert_int_equal(line.counts.bytes, 3000 * 1000);
}

/* The packet that is being sent, too, goes on at the new rate. */
static void test_rate_changes_in_a_packet(void **state)
{
    usec at;
    (void)state;
    set((struct netem_setting){ .rate_bps = 8000 }); /* a second for a packet */
    assert_true(send(1) && send(2));
    now += 500 * USEC_MS;
    set((struct netem_setting){ .rate_bps = 80000 });
    assert_int_equal(receive(&at), 1);
    assert_int_equal(at, BEGIN + 550 * USEC_MS);
    assert_int_equal(receive(&at), 2);
    assert_int_equal(at, BEGIN + 650 * USEC_MS);
}

static void test_without_rate_the_queue_goes(void **state)
{
    usec at;
    (void)state;
    set((struct netem_setting){ .rate_bps = 8000 });
    assert_true(send(1) && send(2));
    now += 10 * USEC_MS;
    set((struct netem_setting){ 0 });
    assert_int_equal(receive(&at), 1);
    assert_int_equal(receive(&at), 2);
    assert_int_equal(at, BEGIN + 10 * USEC_MS);
}

static void test_queue_in_bytes(void **state)
{
    (void)state;
    set((struct netem_setting){ .rate_bps = 8000, .queue_bytes = 3000 });
    assert_true(send(1) && send(2) && send(3));
    assert_false(send(4));
    assert_int_equal(line.counts.overflowed, 1);
    now += USEC_S;
    assert_true(send(5));
    assert_false(send(6));
    check_conserved();
}

/* Nothing waits longer for others than it may. */
static void test_queue_in_time(void **state)
{
    unsigned taken = 0;
    (void)state;
    set((struct netem_setting){ .rate_bps = 1000000, .queue_time = 200 * USEC_MS });
    for (unsigned i = 0; i < 1000; i++, now += 4 * USEC_MS) { /* twice the rate */
        taken += send(i);
        assert_true(netem_queue_time(&line, now) <= 208 * USEC_MS);
        for (struct netem_packet *packet; (packet = netem_take(&line, now));) {
            assert_true(packet->at - packet->sent_at <= 208 * USEC_MS);
            netem_give(&line, packet);
        }
    }
    assert_in_range(taken, 520, 530); /* half of them, and a queue full */
    check_conserved();
}

static void test_queue_time_of_later(void **state)
{
    (void)state;
    set((struct netem_setting){ .rate_bps = 80000 });
    assert_true(send(1) && send(2));
    assert_int_equal(netem_queue_time(&line, now), 200 * USEC_MS);
    assert_int_equal(netem_queue_time(&line, now + 150 * USEC_MS), 50 * USEC_MS);
    assert_int_equal(netem_queue_time(&line, now + USEC_S), 0);
}

/* A packet each millisecond through a line of that jitter: how many were overtaken; *most is the
 * longest that one took. */
static unsigned count_overtaken(bool reorders, usec *most)
{
    unsigned overtaken = 0, count = 0;
    uint64_t highest = 0;
    *most = 0;
    set((struct netem_setting){
        .delay = 20 * USEC_MS, .jitter = 50 * USEC_MS, .reorders = reorders });
    for (unsigned i = 0; i < 2000; i++, now += USEC_MS) {
        if (i < 1900)
            assert_true(send(i));
        for (struct netem_packet *packet; (packet = netem_take(&line, now)); count++) {
            usec time = packet->at - packet->sent_at;
            assert_true(time >= 20 * USEC_MS && time <= 70 * USEC_MS && packet->at <= now);
            overtaken += packet->tag < highest;
            highest = packet->tag > highest ? packet->tag : highest;
            *most = time > *most ? time : *most;
            netem_give(&line, packet);
        }
    }
    assert_int_equal(count, 1900);
    check_conserved();
    return overtaken;
}

static void test_jitter_keeps_order(void **state)
{
    usec most;
    (void)state;
    assert_int_equal(count_overtaken(false, &most), 0);
    assert_true(most > 69 * USEC_MS);
}

static void test_jumble_does_not(void **state)
{
    usec most;
    (void)state;
    assert_true(count_overtaken(true, &most) > 1000);
    assert_true(most > 69 * USEC_MS);
}

/* One in a hundred comes 30 ms later, and nobody waits for it. */
static void test_reordering(void **state)
{
    unsigned late = 0;
    (void)state;
    set((struct netem_setting){
        .delay = 10 * USEC_MS, .reorder = 10000, .reorder_by = 30 * USEC_MS });
    for (unsigned i = 0; i < 20000; i++, now += USEC_MS) {
        assert_true(send(i));
        for (struct netem_packet *packet; (packet = netem_take(&line, now));) {
            usec time = packet->at - packet->sent_at;
            assert_true(time == 10 * USEC_MS || time == 40 * USEC_MS);
            late += time == 40 * USEC_MS;
            netem_give(&line, packet);
        }
    }
    assert_in_range(late, 150, 250);
}

/* Sends so many and takes what arrives: how many times something was lost, however many then. */
static unsigned count_gaps(unsigned count)
{
    unsigned gaps = 0;
    uint64_t next = 0;
    for (unsigned i = 0; i < count; i++) {
        assert_true(send(i));
        for (struct netem_packet *packet; (packet = netem_take(&line, now));) {
            gaps += packet->tag > next;
            next = packet->tag + 1;
            netem_give(&line, packet);
        }
    }
    return gaps;
}

static void test_loss(void **state)
{
    (void)state;
    set((struct netem_setting){ .loss = 50000 });
    unsigned gaps = count_gaps(20000);
    assert_in_range(line.counts.lost, 900, 1100);
    assert_in_range(gaps, 850, 1050); /* most stand alone */
    check_conserved();
}

/* One in 100 begins a burst, and a packet ends it by 1 in 4: bursts of 4, a 26th of all. */
static void test_bursts(void **state)
{
    (void)state;
    set((struct netem_setting){ .burst_begin = 10000, .burst_end = 250000 });
    unsigned gaps = count_gaps(100000);
    assert_in_range(line.counts.lost, 3450, 4250);
    assert_in_range(line.counts.lost * 10 / gaps, 36, 44);
    check_conserved();
}

static void test_lost_ones_take_their_share(void **state)
{
    usec at;
    (void)state;
    set((struct netem_setting){ .rate_bps = 8000, .loss = NETEM_ALL });
    assert_true(send(1));
    now += 500 * USEC_MS;
    set((struct netem_setting){ .rate_bps = 8000, .loss = NETEM_ALL });
    assert_true(send(2));
    now += 500 * USEC_MS;
    set((struct netem_setting){ .rate_bps = 8000 });
    assert_int_equal(receive(&at), 2);
    assert_int_equal(at, BEGIN + 2 * USEC_S);
    assert_int_equal(line.counts.lost, 1);
}

static void test_doubles(void **state)
{
    unsigned count = 0;
    (void)state;
    set((struct netem_setting){ .duplicate = NETEM_ALL, .rate_bps = 8000000 });
    assert_true(send(1));
    now += USEC_S;
    for (struct netem_packet *packet; (packet = netem_take(&line, now)); count++) {
        assert_int_equal(packet->at, BEGIN + USEC_MS);
        netem_give(&line, packet);
    }
    assert_int_equal(count, 2);
    assert_int_equal(line.counts.doubled, 1);
    assert_int_equal(line.counts.bytes, 1000);
    check_conserved();
}

static void test_block(void **state)
{
    usec at;
    (void)state;
    set((struct netem_setting){ .delay = USEC_MS });
    assert_true(send(1));
    set((struct netem_setting){ .delay = USEC_MS, .is_blocked = true });
    assert_false(send(2));
    assert_int_equal(receive(&at), 1); /* what is under way arrives */
    assert_int_equal(line.counts.lost, 1);
    check_conserved();
}

static void test_store_runs_out(void **state)
{
    (void)state;
    set((struct netem_setting){ .delay = USEC_S });
    for (unsigned i = 0; i < STORE; i++)
        assert_true(send(i));
    assert_false(send(STORE));
    assert_int_equal(line.counts.overflowed, 1);
    check_conserved();
}

static void test_follows_a_script(void **state)
{
    struct netem_script script;
    struct netem_script_error error;
    usec at;
    (void)state;
    assert_int_equal(netem_script_read(VIEW("at 0s rate 8k delay 1ms\n"
                                            "at 500ms rate 80k\n"
                                            "at 2s block\n"),
                                       &script, &error),
                     OK);
    netem_follow(&line, now, &script, now);
    assert_true(send(1) && send(2));
    assert_int_equal(receive(&at), 1);
    assert_int_equal(at, BEGIN + 551 * USEC_MS);
    assert_int_equal(receive(&at), 2);
    assert_int_equal(at, BEGIN + 651 * USEC_MS);
    now = BEGIN + 2 * USEC_S;
    assert_false(send(3));
    assert_int_equal(line.setting.delay, USEC_MS); /* what was not said anew stays */
}

/* The same seed: the same line. */
static void test_seeds_replay(void **state)
{
    uint64_t lost[3];
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        netem_init(&line, &store, i == 2 ? 8 : 7, 28, now);
        set((struct netem_setting){ .loss = 300000 });
        uint64_t seen = 0;
        for (unsigned k = 0; k < 64; k++) {
            assert_true(send(k));
            struct netem_packet *packet = netem_take(&line, now);
            seen = seen << 1 | (packet != NULL);
            if (packet)
                netem_give(&line, packet);
        }
        lost[i] = seen;
    }
    assert_true(lost[0] == lost[1]);
    assert_true(lost[0] != lost[2]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest all[] = {
        TEST(without_faults_it_comes_at_once),
        TEST(delay_is_exact),
        TEST(rate_is_exact),
        TEST(rate_changes_in_a_packet),
        TEST(without_rate_the_queue_goes),
        TEST(queue_in_bytes),
        TEST(queue_in_time),
        TEST(queue_time_of_later),
        TEST(jitter_keeps_order),
        TEST(jumble_does_not),
        TEST(reordering),
        TEST(loss),
        TEST(bursts),
        TEST(lost_ones_take_their_share),
        TEST(doubles),
        TEST(block),
        TEST(store_runs_out),
        TEST(follows_a_script),
        TEST(seeds_replay),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
