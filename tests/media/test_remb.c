/* REMB towards a publisher: its camera follows what it is told, over a line with a queue. */
#include "support.h"

#include "media/remb.h"
#include "wire/rtp_extensions.h"

#define BEGIN      (70 * USEC_S) /* abs-send-time wraps soon, and often */
#define STEP       USEC_MS
#define FRAME_EACH (33 * USEC_MS)
#define DELAY      (40 * USEC_MS)
#define QUEUE_MAX  (400 * USEC_MS)
#define SIZE       1200
#define WAITING    1024
#define START_BPS  500000.0

struct packet {
    usec due;
    uint32_t sent;
    uint16_t size;
};

static struct remb remb;
static usec now;
static double line_bps, camera_bps, app_bps;
static usec jitter;
static usec free_at; /* when the line has nothing to do any more */
static struct packet waiting[WAITING];
static unsigned first, last;
static double debt; /* bits that the camera has still to send */
static uint64_t came, told_count;
static usec longest, last_due;
static uint32_t chance;

static int set_up(void **state)
{
    (void)state;
    remb = (struct remb){ 0 };
    now = BEGIN;
    camera_bps = START_BPS;
    app_bps = 3e6;
    jitter = free_at = last_due = 0;
    first = last = 0;
    debt = 0;
    told_count = 0;
    chance = 1;
    return 0;
}

static usec some(usec most)
{
    chance = chance * 1664525 + 1013904223;
    return most ? chance / 256 % most : 0;
}

static void send(uint16_t size)
{
    usec from = free_at > now ? free_at : now;
    if (from - now > QUEUE_MAX)
        return;
    free_at = from + (usec)(size * 8e6 / line_bps);
    if (free_at - now > longest)
        longest = free_at - now;
    usec due = free_at + DELAY + some(jitter);
    last_due = due > last_due ? due : last_due; /* they stay in order */
    assert_true(last - first < WAITING);
    waiting[last++ % WAITING] =
        (struct packet){ .due = last_due, .sent = rtp_abs_send_time_of(now), .size = size };
}

static void camera(void)
{
    if ((now - BEGIN) % FRAME_EACH != 0)
        return;
    double bps = camera_bps < app_bps ? camera_bps : app_bps;
    for (debt += bps * FRAME_EACH / 1e6; debt > 0; debt -= SIZE * 8)
        send(SIZE);
}

static void far_end(void)
{
    while (first != last && waiting[first % WAITING].due <= now) {
        const struct packet *packet = &waiting[first++ % WAITING];
        remb_packet(&remb, now, packet->sent, packet->size, 2 * DELAY);
        came += packet->size;
    }
    if (now < remb_until(&remb))
        return;
    camera_bps = (double)remb_tell(&remb, now);
    told_count++;
}

/* Lets so many seconds go by; gives what came, of what the line takes. */
static double run(unsigned seconds)
{
    usec until = now + seconds * USEC_S;
    came = longest = 0;
    for (; now < until; now += STEP) {
        camera();
        far_end();
    }
    return (double)came * 8 / line_bps / seconds;
}

static void test_a_narrow_line_is_filled(void **state)
{
    (void)state;
    static const double LINES[] = { 200e3, 1e6, 2.5e6 };
    for (unsigned i = 0; i < 3; i++) {
        set_up(NULL);
        line_bps = LINES[i];
        run(30);
        double use = run(60);
        print_message("%.1f Mbit/s: use %.2f, queue %u ms\n", line_bps / 1e6, use,
                      (unsigned)(longest / USEC_MS));
        assert_true(use > 0.7);
        assert_true(longest < 250 * USEC_MS);
    }
}

static void test_jitter_is_no_queue(void **state)
{
    (void)state;
    line_bps = 1.5e6;
    jitter = 20 * USEC_MS;
    run(30);
    double use = run(60);
    print_message("use %.2f, queue %u ms\n", use, (unsigned)(longest / USEC_MS));
    assert_true(use > 0.6);
    assert_true(longest < 250 * USEC_MS);
}

static void test_a_wide_line_does_not_hold_back(void **state)
{
    (void)state;
    line_bps = 20e6;
    run(30);
    assert_true(camera_bps > app_bps);
    run(30);
    assert_true(camera_bps > app_bps);
}

static void test_a_line_breaks_in_and_is_back(void **state)
{
    (void)state;
    line_bps = 2e6;
    run(40);
    line_bps = 400e3;
    run(2);
    print_message("after two seconds: %.0f kbit/s\n", camera_bps / 1e3);
    assert_true(camera_bps < line_bps);
    run(10);
    assert_true(run(20) > 0.7);
    line_bps = 2e6;
    run(25);
    double use = run(5);
    print_message("back: %.2f\n", use);
    assert_true(use > 0.6);
}

static void test_when_it_is_told(void **state)
{
    (void)state;
    line_bps = 10e6;
    assert_true(remb_until(&remb) == USEC_NEVER);
    run(1);
    assert_int_equal(told_count, 0);
    run(2);
    assert_int_equal(told_count, 1);
    run(10);
    assert_int_equal(told_count, 11);
    /* what falls is told at once, and not again for less */
    line_bps = 300e3;
    run(1);
    assert_in_range(told_count, 13, 40);
    /* of a camera that is off there is nothing to tell, and nothing is forgotten */
    run(10);
    double before = camera_bps;
    app_bps = 0;
    run(5);
    uint64_t told = told_count;
    run(30);
    assert_int_equal(told_count, told);
    app_bps = 3e6;
    run(1);
    assert_true(camera_bps > before / 2);
    assert_true(told_count > told);
}

static void test_what_bears_no_time_counts(void **state)
{
    (void)state;
    for (usec at = BEGIN; at < BEGIN + 10 * USEC_S; at += 10 * USEC_MS) {
        remb_packet(&remb, at, rtp_abs_send_time_of(at), 500, 0);
        remb_untimed(&remb, at, 500);
    }
    assert_true(remb.come.bps > 750e3 && remb.come.bps < 850e3);
}

#define RUN(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(test_a_narrow_line_is_filled),
        RUN(test_jitter_is_no_queue),
        RUN(test_a_wide_line_does_not_hold_back),
        RUN(test_a_line_breaks_in_and_is_back),
        RUN(test_when_it_is_told),
        RUN(test_what_bears_no_time_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
