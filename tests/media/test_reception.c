/* What reports say of a stream: losses, jitter, the sender's clock (RFC 3550, 6.4.1 and A.8). */
#include "support.h"

#include "media/reception.h"
#include "wire/ntp.h"

#define NOW   (1000 * USEC_S)
#define RATE  90000
#define SSRC  7
#define FRAME (USEC_S / 30)

static struct reception reception;

static int set_up(void **state)
{
    (void)state;
    reception = (struct reception){ .clock_rate = RATE };
    return 0;
}

static void packet(uint64_t sequence, usec sent, usec delay)
{
    uint32_t timestamp = (uint32_t)(sent * RATE / USEC_S);
    reception_packet(&reception, NOW + sent + delay, 65536 + sequence, timestamp, 100);
}

static void test_losses(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 100; i++)
        if (i % 4 != 3)
            packet(i, i * FRAME, 0);
    struct rtcp_report report = reception_report(&reception, NOW, SSRC);
    assert_int_equal(report.ssrc, SSRC);
    assert_int_equal(report.packets_lost, 24);
    assert_int_equal(report.fraction_lost, 24 * 256 / 99);
    assert_int_equal(report.highest_sequence_number, 65536 + 98);
    assert_int_equal(report.last_sr, 0);
    assert_int_equal(report.delay_since_last_sr, 0);
    assert_int_equal(reception_lost(&reception), 24);
    assert_int_equal(reception.bytes, 7500);
    /* the fraction is that since then */
    for (uint64_t i = 99; i < 200; i++)
        packet(i, i * FRAME, 0);
    report = reception_report(&reception, NOW, SSRC);
    assert_int_equal(report.fraction_lost, 0);
    assert_int_equal(report.packets_lost, 24);
}

static void test_late_and_twice(void **state)
{
    (void)state;
    packet(10, 0, 0);
    packet(12, 0, 0);
    packet(11, 0, 0);
    packet(9, 0, 0); /* the one before the first is expected, too */
    assert_int_equal(reception_lost(&reception), 0);
    packet(12, 0, 0);
    struct rtcp_report report = reception_report(&reception, NOW, SSRC);
    assert_int_equal(report.packets_lost, -1);
    assert_int_equal(report.fraction_lost, 0);
    assert_int_equal(report.highest_sequence_number, 65536 + 12);
    assert_int_equal(reception_lost(&reception), 0);
}

/* Delays that go up and down by 10 ms end at 10 ms; none at all end at 0. */
static void test_jitter(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 1000; i++)
        packet(i, i * 20 * USEC_MS, i % 2 * 10 * USEC_MS);
    uint32_t jitter = reception_report(&reception, NOW, SSRC).jitter;
    assert_in_range(jitter, RATE / 100 - 20, RATE / 100 + 20);
    for (uint64_t i = 1000; i < 2000; i++)
        packet(i, i * 20 * USEC_MS, 0);
    assert_in_range(reception_report(&reception, NOW, SSRC).jitter, 0, 2);
}

static void test_sender_reports(void **state)
{
    (void)state;
    uint64_t ntp;
    const struct rtcp_sr sr = { .ntp = 0x1234567890abcdefu, .rtp_timestamp = 1000 };
    packet(0, 0, 0);
    assert_false(reception_ntp_of(&reception, 5, &ntp));
    reception_sr(&reception, NOW, &sr);
    struct rtcp_report report = reception_report(&reception, NOW + 1500 * USEC_MS, SSRC);
    assert_true(report.last_sr == 0x567890abu);
    assert_int_equal(report.delay_since_last_sr, 0x18000);
    assert_true(reception_ntp_of(&reception, 1000 + RATE, &ntp));
    assert_true(ntp == sr.ntp + ((uint64_t)1 << 32));
    assert_true(reception_ntp_of(&reception, 1000u - RATE / 2, &ntp));
    assert_true(ntp == sr.ntp - ((uint64_t)1 << 31));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_losses, set_up),
        cmocka_unit_test_setup(test_late_and_twice, set_up),
        cmocka_unit_test_setup(test_jitter, set_up),
        cmocka_unit_test_setup(test_sender_reports, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
