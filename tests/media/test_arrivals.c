/* Feedback of what came, read again by the reader of feedback. */
#include "support.h"

#include "media/arrivals.h"

#define NOW (1000 * USEC_S)

static struct arrivals arrivals;
static uint8_t came[1 << 16]; /* told of as received, by number */
static uint8_t lost[1 << 16];
static unsigned feedbacks;

static int set_up(void **state)
{
    (void)state;
    memset(&arrivals, 0, sizeof arrivals);
    memset(came, 0, sizeof came);
    memset(lost, 0, sizeof lost);
    feedbacks = 0;
    return 0;
}

static bool tell(usec now, size_t capacity)
{
    uint8_t out[1200];
    struct rtcp_writer writer;
    struct rtcp_packet packet;
    struct rtcp_feedback feedback;
    struct twcc twcc;
    struct twcc_reader reader;
    struct twcc_status status;
    rtcp_begin(&writer, out, capacity);
    if (!arrivals_write(&arrivals, now, 1, 2, &writer))
        return false;
    struct view rest = view_make(out, writer.size);
    assert_int_equal(rtcp_next(&rest, &packet), OK);
    assert_int_equal(rtcp_read_feedback(&packet, &feedback), OK);
    assert_int_equal(feedback.sender_ssrc, 1);
    assert_int_equal(feedback.media_ssrc, 2);
    assert_int_equal(twcc_read(&feedback, &twcc), OK);
    assert_int_equal(twcc.feedback_count, feedbacks & 255);
    feedbacks++;
    twcc_reader_begin(&twcc, &reader);
    while (twcc_reader_next(&reader, &status)) {
        came[status.sequence_number] += status.received;
        lost[status.sequence_number] += !status.received;
    }
    return true;
}

static void test_losses(void **state)
{
    (void)state;
    assert_true(arrivals_until(&arrivals) == USEC_NEVER);
    assert_false(tell(NOW, 1200));
    for (uint16_t n = 65530; n != 10; n++)
        if (n % 3)
            arrivals_note(&arrivals, NOW + n, n);
    assert_true(arrivals_until(&arrivals) == NOW + 65530 + ARRIVALS_EACH);
    assert_true(tell(NOW + USEC_S, 1200));
    assert_true(arrivals_until(&arrivals) == USEC_NEVER);
    for (uint16_t n = 65531; n != 8; n++) {
        assert_int_equal(came[n], n % 3 ? 1 : 0);
        assert_int_equal(lost[n], n % 3 ? 0 : 1);
    }
    /* the gap behind the last one is told of by the next */
    arrivals_note(&arrivals, NOW + USEC_S, 12);
    assert_true(tell(NOW + USEC_S, 1200));
    assert_int_equal(lost[9] + lost[10] + lost[11], 3);
    assert_int_equal(came[12], 1);
}

static void test_late_and_twice(void **state)
{
    (void)state;
    static const uint16_t CAME[] = { 5, 8, 6, 6, 8, 5 };
    for (size_t i = 0; i < sizeof CAME / sizeof CAME[0]; i++)
        arrivals_note(&arrivals, NOW, CAME[i]);
    assert_int_equal(arrivals.count, 3);
    assert_true(tell(NOW, 1200));
    assert_int_equal(lost[7], 1);
    arrivals_note(&arrivals, NOW, 7); /* told of as lost, and then it comes */
    arrivals_note(&arrivals, NOW, 9);
    assert_true(tell(NOW, 1200));
    assert_int_equal(came[9], 0); /* by a feedback of its own: 8 is not to look lost */
    assert_true(arrivals_until(&arrivals) == NOW);
    assert_true(tell(NOW, 1200));
    assert_int_equal(came[7], 1);
    assert_int_equal(came[9], 1);
    arrivals_note(&arrivals, NOW, 4); /* late alone: what is behind it was told of */
    assert_true(tell(NOW, 1200));
    arrivals_note(&arrivals, NOW, 11);
    assert_true(tell(NOW, 1200));
    assert_int_equal(lost[10], 1);
    assert_int_equal(lost[5] + lost[6] + lost[8] + lost[9], 0);
}

static void test_several_late(void **state)
{
    (void)state;
    static const uint16_t CAME[] = { 20, 24, 28 }, LATE[] = { 25, 22, 21, 29 };
    for (size_t i = 0; i < 3; i++)
        arrivals_note(&arrivals, NOW, CAME[i]);
    assert_true(tell(NOW, 1200));
    for (size_t i = 0; i < 4; i++)
        arrivals_note(&arrivals, NOW, LATE[i]);
    while (tell(NOW, 1200))
        continue;
    assert_int_equal(feedbacks, 4); /* and 21 with 22, 25, 29 */
    for (uint16_t n = 20; n < 30; n++)
        assert_int_equal(came[n], n != 23 && n != 26 && n != 27);
    assert_int_equal(lost[23], 1);
    assert_int_equal(lost[24] + lost[28], 0);
}

/* What does not go into one packet goes into the next, at once. */
static void test_small_packets(void **state)
{
    (void)state;
    for (uint16_t n = 0; n < 200; n++)
        arrivals_note(&arrivals, NOW + n * 10 * USEC_MS, n);
    usec now = NOW + 2 * USEC_S;
    while (arrivals_until(&arrivals) <= now)
        assert_true(tell(now, 100));
    assert_true(feedbacks > 2);
    for (uint16_t n = 0; n < 200; n++)
        assert_int_equal(came[n], 1);
    assert_false(tell(now, 1200));
    arrivals_note(&arrivals, now, 200);
    assert_false(tell(now, 10)); /* no room at all */
    assert_int_equal(arrivals.count, 1);
}

/* Where they take too much of the line. */
static void test_seldom(void **state)
{
    (void)state;
    arrivals.each = ARRIVALS_SELDOM;
    uint8_t bytes[200];
    struct rtcp_writer writer;
    arrivals_note(&arrivals, NOW, 7);
    assert_true(arrivals_until(&arrivals) == NOW + ARRIVALS_SELDOM);
    rtcp_begin(&writer, bytes, sizeof bytes);
    assert_true(arrivals_write(&arrivals, NOW + ARRIVALS_SELDOM, 1, 2, &writer));
    arrivals_note(&arrivals, NOW + ARRIVALS_SELDOM, 8);
    assert_true(arrivals_until(&arrivals) == NOW + 2 * ARRIVALS_SELDOM);
}

static void test_limit(void **state)
{
    (void)state;
    for (uint16_t n = 0; n < ARRIVALS_MAX + 50; n++)
        arrivals_note(&arrivals, NOW, n);
    assert_int_equal(arrivals.count, ARRIVALS_MAX);
    assert_int_equal(arrivals.lost_room, 50);
    while (tell(NOW, 1200))
        continue;
    assert_int_equal(came[49], 0);
    assert_int_equal(came[50], 1);
    assert_int_equal(came[ARRIVALS_MAX + 49], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_losses, set_up),
        cmocka_unit_test_setup(test_late_and_twice, set_up),
        cmocka_unit_test_setup(test_several_late, set_up),
        cmocka_unit_test_setup(test_small_packets, set_up),
        cmocka_unit_test_setup(test_seldom, set_up),
        cmocka_unit_test_setup(test_limit, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
