/* What goes to one peer goes no faster than it should, in runs, in its order, and in time. */
#include "support.h"

#include "media/pacer.h"

#define NOW    (1000 * USEC_S)
#define PACKET 1200

static struct pacer pacer;
static usec now;

static int set_up(void **state)
{
    (void)state;
    memset(&pacer, 0, sizeof pacer);
    now = NOW;
    return 0;
}

/* Sends packets of a kind until it must wait, or none are left; gives how many. */
static uint32_t send(enum pacer_kind kind, uint32_t count)
{
    uint32_t sent = 0;
    for (; sent < count && pacer_may(&pacer, now, kind); sent++)
        assert_int_equal(pacer_sent(&pacer, now, kind, PACKET), 0);
    return sent;
}

/* Sends all of them, waiting as long as it must; `least` is set to the shortest run but the first
 * and the last. */
static void send_all(uint32_t count, uint32_t *least)
{
    usec since = now;
    uint32_t left = count - send(PACER_VIDEO, count);
    *least = UINT32_MAX;
    while (left > 0) {
        pacer_waits(&pacer, now, PACER_VIDEO, left * PACKET, since);
        usec until = pacer_until(&pacer);
        assert_true(until > now);
        now = until - 1;
        assert_false(pacer_may(&pacer, now, PACER_VIDEO));
        now = until;
        uint32_t run = send(PACER_VIDEO, left);
        assert_true(run > 0);
        left -= run;
        if (left > 0 && run < *least)
            *least = run;
    }
    pacer_waits(&pacer, now, PACER_VIDEO, 0, 0);
    assert_true(pacer_until(&pacer) == USEC_NEVER);
}

static void test_a_line_that_is_not_known(void **state)
{
    (void)state;
    for (unsigned kind = PACER_AUDIO; kind <= PACER_PADDING; kind++)
        assert_int_equal(send((enum pacer_kind)kind, 10000), 10000);
    assert_true(pacer_until(&pacer) == USEC_NEVER);
}

static void test_as_fast_as_it_should(void **state)
{
    (void)state;
    static const uint64_t LINES[] = { 50000, 300000, 1000000, 4000000, 20000000 };
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
        uint32_t least;
        uint64_t rate = PACER_FACTOR(LINES[i]);
        set_up(NULL);
        pacer_set_line(&pacer, now, LINES[i]);
        uint32_t count = (uint32_t)(rate * 2 / 10 / 8 / PACKET) + 1; /* less than what is boosted */
        usec from = now;
        send_all(count, &least);
        usec fair = (usec)count * PACKET * 8 * USEC_S / rate;
        usec packet = PACKET * 8 * USEC_S / rate; /* the last one of a run may be on credit */
        assert_true(now - from + PACER_BURST + packet >= fair);
        assert_true(now - from <= fair + 2 * PACER_RUN_TIME);
        uint64_t run = rate / 100 / 8 / PACKET; /* in 10 ms */
        assert_true(least >= (run < 8 ? run : 8));
    }
}

/* A line that has not been used takes a burst at once, and no more however long it rested. */
static void test_a_burst(void **state)
{
    (void)state;
    pacer_set_line(&pacer, now, 4000000);
    uint64_t burst = PACER_FACTOR(4000000) / 25 / 8 / PACKET; /* in 40 ms */
    uint32_t sent = send(PACER_VIDEO, 1000);
    assert_in_range(sent, burst, burst + 1);
    now += 3600 * USEC_S;
    sent = send(PACER_VIDEO, 1000);
    assert_in_range(sent, burst, burst + 1);
    assert_int_equal(send(PACER_VIDEO, 1), 0);
    now += 1; /* a little credit is not enough to begin with */
    assert_int_equal(send(PACER_VIDEO, 1), 0);
}

static void test_audio_never_waits(void **state)
{
    (void)state;
    pacer_set_line(&pacer, now, 0);
    assert_true(send(PACER_VIDEO, 1000) < 1000);
    assert_int_equal(send(PACER_AUDIO, 1000), 1000);
    /* and does not keep pictures out for long */
    pacer_waits(&pacer, now, PACER_VIDEO, PACKET, now);
    assert_true(pacer_until(&pacer) <= now + PACER_DELAY);
}

static void test_their_order(void **state)
{
    (void)state;
    pacer_set_line(&pacer, now, 1000000);
    pacer_waits(&pacer, now, PACER_VIDEO, PACKET, now);
    assert_int_equal(send(PACER_REPEAT, 1), 0);
    assert_int_equal(send(PACER_PADDING, 1), 0);
    assert_int_equal(send(PACER_VIDEO, 1), 1);
    pacer_waits(&pacer, now, PACER_VIDEO, 0, 0);
    pacer_waits(&pacer, now, PACER_REPEAT, PACKET, now);
    assert_true(pacer_until(&pacer) <= now);
    assert_int_equal(send(PACER_PADDING, 1), 0);
    assert_int_equal(send(PACER_REPEAT, 1), 1);
    pacer_waits(&pacer, now, PACER_REPEAT, 0, 0);
    assert_int_equal(send(PACER_PADDING, 1), 1);
}

/* What waits goes in time, though it is more than the line should have. */
static void test_nothing_waits_for_long(void **state)
{
    (void)state;
    for (uint32_t count = 10; count <= 500; count += 70) {
        uint32_t least;
        set_up(NULL);
        pacer_set_line(&pacer, now, 300000);
        usec from = now;
        (void)send(PACER_VIDEO, 3); /* what it has */
        pacer_waits(&pacer, now, PACER_VIDEO, count * PACKET, now);
        /* 300 kbit/s, four times: 1.2 Mbit/s, which is 31 packets in 250 ms */
        assert_int_equal(pacer_is_over(&pacer), count > 31);
        send_all(count, &least);
        assert_true(now - from <= PACER_DELAY + 100 * USEC_MS);
        assert_false(pacer_is_over(&pacer));
    }
}

static void test_a_line_that_changes(void **state)
{
    (void)state;
    pacer_set_line(&pacer, now, 10000000);
    pacer_set_line(&pacer, now, 100000); /* what was kept was the wide one's */
    assert_in_range(send(PACER_VIDEO, 1000), 1, 2);
    pacer_set_line(&pacer, now, 100001); /* and an estimate is no credit */
    assert_int_equal(send(PACER_VIDEO, 1000), 0);
    pacer_waits(&pacer, now, PACER_VIDEO, PACKET, now);
    usec until = pacer_until(&pacer);
    pacer_set_line(&pacer, now, 10000000);
    assert_true(pacer_until(&pacer) < until);
}

/* ---- probes ---- */

/* Sends the probe, with `media` bytes of pictures every 5 ms; gives how long it took. */
static usec send_probe(uint64_t bps, uint32_t bytes, uint32_t media, uint32_t *padding)
{
    const struct pacer_probe probe = { .cluster = 7, .bytes = bytes, .bps = bps };
    uint32_t sent = 0;
    usec from = now;
    *padding = 0;
    pacer_begin_probe(&pacer, now, &probe);
    for (usec next = now; sent < bytes;) {
        if (media && now >= next) {
            next += 5 * USEC_MS;
            assert_true(pacer_may(&pacer, now, PACER_VIDEO));
            assert_int_equal(pacer_sent(&pacer, now, PACER_VIDEO, media), 7);
            sent += media;
        }
        uint32_t due;
        while ((due = pacer_padding(&pacer, now)) > 0) {
            uint32_t size = due < 200 ? 200 : due < PACKET ? due : PACKET;
            assert_int_equal(pacer_sent(&pacer, now, PACER_PADDING, size), 7);
            sent += size;
            *padding += size;
        }
        usec until = pacer_until(&pacer);
        assert_true(sent >= bytes || until > now);
        if (sent < bytes)
            now = media && next < until ? next : until;
    }
    assert_int_equal(pacer_padding(&pacer, now), 0);
    assert_true(pacer_until(&pacer) == USEC_NEVER);
    assert_int_equal(pacer_sent(&pacer, now, PACER_AUDIO, 100), 0);
    return now - from;
}

static void test_probes(void **state)
{
    (void)state;
    uint32_t padding;
    pacer_set_line(&pacer, now, 1000000);
    usec took = send_probe(3000000, 7500, 0, &padding); /* 20 ms */
    assert_in_range(took, 17 * USEC_MS, 23 * USEC_MS);
    assert_in_range(padding, 7500, 7500 + PACKET);
    now += USEC_S;
    took = send_probe(3000000, 7500, 600, &padding); /* where there is media, it is its */
    assert_in_range(took, 15 * USEC_MS, 23 * USEC_MS);
    assert_in_range(padding, 4000, 7500 - 4 * 600);
    now += USEC_S;
    (void)send_probe(800000, 2000, 1000, &padding); /* where it is enough, all of it */
    assert_int_equal(padding, 0);
}

static void test_a_probe_that_is_asked_for_late(void **state)
{
    (void)state;
    const struct pacer_probe probe = { .cluster = 1, .bytes = 1000000, .bps = 3000000 };
    pacer_set_line(&pacer, now, 1000000);
    pacer_begin_probe(&pacer, now, &probe);
    now += 10 * USEC_S;
    assert_in_range(pacer_padding(&pacer, now), 1, 3000000 / 8 / 25 + 1);
    pacer_waits(&pacer, now, PACER_VIDEO, PACKET, now);
    assert_int_equal(pacer_padding(&pacer, now), 0);
}

/* A slow one is no more than a packet's bytes: it goes on until there are enough packets, for one
 * or two tell nothing of the line. */
static void test_a_probe_of_few_bytes(void **state)
{
    const struct pacer_probe probe = { .cluster = 3, .packets = 5, .bytes = 1000, .bps = 400000 };
    unsigned packets = 0;
    (void)state;
    pacer_begin_probe(&pacer, now, &probe);
    usec end = now + USEC_S;
    for (; now < end && pacer_is_probing(&pacer); now += USEC_MS)
        while (pacer_padding(&pacer, now) > 0) {
            assert_int_equal(pacer_sent(&pacer, now, PACER_PADDING, 1200), 3);
            packets++;
        }
    assert_int_equal(packets, 5);
    assert_int_equal(pacer_padding(&pacer, now), 0);
}

static uint32_t repeat(uint32_t count)
{
    uint32_t repeated = 0;
    while (repeated < count && pacer_may_repeat(&pacer, now, PACKET))
        repeated++;
    return repeated;
}

/* Of a line, what is sent again takes a part. */
static void test_repeats(void **state)
{
    (void)state;
    assert_int_equal(repeat(10000), 10000);
    pacer_set_line(&pacer, now, 960000); /* 100 packets a second */
    assert_in_range(repeat(10000), 25, 26);
    now += USEC_MS;
    assert_int_equal(repeat(10000), 0);
    uint32_t count = 0;
    for (usec end = now + 10 * USEC_S; now < end; now += USEC_MS)
        count += repeat(10000);
    assert_in_range(count, 1000 / PACER_REPEATED - 1, 1000 / PACER_REPEATED + 1);
    now += USEC_S;
    assert_in_range(repeat(10000), 25, 26);
}

/* Half of what waits before it goes through first; sound waits for nothing. */
static void test_a_line_that_breaks_in(void **state)
{
    (void)state;
    pacer_hold(&pacer, now, 300 * USEC_MS); /* of a line that is not known: nothing waits */
    assert_true(pacer_may(&pacer, now, PACER_VIDEO));
    pacer_set_line(&pacer, now, 3000000);
    while (pacer_may(&pacer, now, PACER_VIDEO))
        (void)pacer_sent(&pacer, now, PACER_VIDEO, PACKET);
    for (unsigned i = 0; i < 10; i++)
        (void)pacer_sent(&pacer, now, PACER_AUDIO, PACKET);
    pacer_set_line(&pacer, now, 300000);
    pacer_hold(&pacer, now, 200 * USEC_MS);
    assert_true(pacer_may(&pacer, now, PACER_AUDIO));
    usec begun = now; /* whatever was sent too much while it was wide */
    for (; !pacer_may(&pacer, now, PACER_VIDEO); now += USEC_MS)
        continue;
    assert_in_range(now - begun, 100 * USEC_MS, 100 * USEC_MS + PACER_RUN_TIME + USEC_MS);
    pacer_hold(&pacer, now, 5 * USEC_S);
    for (begun = now; !pacer_may(&pacer, now, PACER_VIDEO); now += USEC_MS)
        continue;
    assert_in_range(now - begun, PACER_HOLD, PACER_HOLD + PACER_RUN_TIME + USEC_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_line_that_is_not_known, set_up),
        cmocka_unit_test_setup(test_as_fast_as_it_should, set_up),
        cmocka_unit_test_setup(test_a_burst, set_up),
        cmocka_unit_test_setup(test_audio_never_waits, set_up),
        cmocka_unit_test_setup(test_their_order, set_up),
        cmocka_unit_test_setup(test_nothing_waits_for_long, set_up),
        cmocka_unit_test_setup(test_a_line_that_changes, set_up),
        cmocka_unit_test_setup(test_a_line_that_breaks_in, set_up),
        cmocka_unit_test_setup(test_repeats, set_up),
        cmocka_unit_test_setup(test_probes, set_up),
        cmocka_unit_test_setup(test_a_probe_that_is_asked_for_late, set_up),
        cmocka_unit_test_setup(test_a_probe_of_few_bytes, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
