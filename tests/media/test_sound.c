/* In which form sound goes on a narrow line: down at once, up with patience. */
#include "support.h"

#include "media/sound.h"

/* One who speaks, as browsers send it: 50 packets a second of 32 kbit/s; twice that with RED. */
static const struct sound_load OPUS = { 1, 50, 32000, 32000 };
static const struct sound_load RED = { 1, 50, 66000, 32000 };

static struct sound sound;
static usec now;
static uint8_t loss;

static int set_up(void **state)
{
    (void)state;
    sound = (struct sound){ .rung = 0 };
    now = 1000 * USEC_S;
    loss = 0;
    return 0;
}

/* As often as shares are made, for so long; gives the rung. */
static unsigned run(const struct sound_load *load, uint64_t line_bps, enum sound_sign sign,
                    usec time)
{
    usec until = now + time;
    unsigned before = sound.rung;
    for (; now < until; now += 100 * USEC_MS) {
        bool has_changed =
            sound_run(&sound, now, load, line_bps, (struct sound_signs){ sign, loss });
        assert_int_equal(has_changed, before != sound.rung);
        before = sound.rung;
    }
    return sound.rung;
}

static void test_costs(void **state)
{
    (void)state;
    /* 68 bytes of headers a packet */
    static const uint64_t COSTS[SOUND_RUNGS] = { 59200, 59200, 45600, 41248, 33248, 25248 };
    for (unsigned rung = 0; rung < SOUND_RUNGS; rung++)
        assert_int_equal(sound_cost(&OPUS, rung, 0), COSTS[rung]);
    assert_int_equal(sound_cost(&RED, 0, 0), 93200);
    assert_int_equal(sound_cost(&RED, 1, 0), 59200);
    /* what is held down would be more, were it let */
    const struct sound_load held = { 1, 50, 15000, 15000 }, quiet = { 1, 50, 5000, 5000 };
    assert_int_equal(sound_cost(&held, 4, 5), 33248);
    assert_int_equal(sound_cost(&held, 3, 5), 30000 + 9248);
    assert_int_equal(sound_cost(&quiet, 3, 5), 5000 + 9248);
    /* no step up is more than half as much again, but the one to RED */
    for (unsigned rung = 1; rung + 1 < SOUND_RUNGS; rung++)
        assert_true(sound_cost(&OPUS, rung, 0) * 2 <= sound_cost(&OPUS, rung + 1, 0) * 3);
}

static void test_down(void **state)
{
    (void)state;
    static const struct {
        uint64_t line_bps;
        unsigned rung;
    } LINES[] = { { 94000, 0 }, { 93000, 1 }, { 59000, 2 }, { 45000, 3 },
                  { 41000, 4 }, { 33000, 5 }, { 25000, 5 } };
    for (unsigned i = 0; i < sizeof LINES / sizeof LINES[0]; i++) {
        set_up(NULL);
        assert_int_equal(run(&RED, LINES[i].line_bps, SOUND_GROWS, 100 * USEC_MS), LINES[i].rung);
    }
}

static void test_up(void **state)
{
    (void)state;
    assert_int_equal(run(&RED, 35000, SOUND_GROWS, USEC_S), 4);
    assert_int_equal(run(&RED, 44000, SOUND_GROWS, 60 * USEC_S), 4); /* it would hardly be enough */
    assert_int_equal(run(&RED, 1000000, SOUND_GROWS, SOUND_EACH), 4);
    assert_int_equal(run(&RED, 1000000, SOUND_GROWS, USEC_S), 3);
    assert_int_equal(run(&RED, 1000000, SOUND_GROWS, 4 * SOUND_EACH), 0);
    /* not so soon after it went down */
    assert_int_equal(run(&RED, 50000, SOUND_GROWS, USEC_S), 2);
    assert_int_equal(run(&RED, 1000000, SOUND_GROWS, SOUND_PATIENCE - 2 * USEC_S), 2);
    assert_int_equal(run(&RED, 1000000, SOUND_GROWS, 3 * USEC_S), 1);
}

/* An estimate that stays low since no more is sent says nothing. */
static void test_up_where_it_is_open(void **state)
{
    (void)state;
    assert_int_equal(run(&RED, 60000, SOUND_GROWS, USEC_S), 1);
    assert_int_equal(run(&RED, 80000, SOUND_GROWS, 5 * SOUND_PATIENCE), 1);
    assert_int_equal(run(&RED, 80000, SOUND_OPEN, SOUND_EACH + USEC_S), 0);
}

/* A line that each time turns out to be too narrow is tried seldom. */
static void test_fails(void **state)
{
    (void)state;
    unsigned tries = 0;
    usec patience = SOUND_PATIENCE;
    assert_int_equal(run(&OPUS, 30000, SOUND_ENDS, USEC_S), 5);
    for (usec until = now + 1000 * USEC_S; now < until; tries++) {
        usec since = now;
        while (run(&OPUS, 45000, SOUND_OPEN, 100 * USEC_MS) == 5)
            continue;
        assert_true(now - since + USEC_S >= patience && now - since <= patience + USEC_S);
        patience = 2 * patience < SOUND_PATIENCE_MOST ? 2 * patience : SOUND_PATIENCE_MOST;
        assert_int_equal(run(&OPUS, 30000, SOUND_ENDS, USEC_S), 5);
    }
    assert_int_equal(tries, 7);
    /* what has lasted was no mistake; what is above it is tried as seldom as before */
    while (run(&OPUS, 34000, SOUND_OPEN, 100 * USEC_MS) == 5)
        continue;
    assert_int_equal(run(&OPUS, 34000, SOUND_GROWS, SOUND_PROOF + USEC_S), 4);
    assert_int_equal(sound.patience, 0);
    assert_int_equal(run(&OPUS, 34000, SOUND_OPEN, SOUND_EACH + USEC_S), 3);
    assert_int_equal(run(&OPUS, 34000, SOUND_ENDS, USEC_S), 4);
    assert_int_equal(run(&OPUS, 30000, SOUND_ENDS, USEC_S), 5);
    assert_int_equal(run(&OPUS, 34000, SOUND_OPEN, 2 * SOUND_PATIENCE - 2 * USEC_S), 4);
    assert_int_equal(run(&OPUS, 34000, SOUND_OPEN, 3 * USEC_S), 3);
}

/* A queue that is always full: no delay grows, and the estimate is wrong. */
static void test_loss(void **state)
{
    (void)state;
    loss = 20;
    assert_int_equal(run(&RED, 100000, SOUND_OPEN, 10 * USEC_S), 0); /* by itself, it is no sign */
    loss = 0;
    assert_int_equal(run(&RED, 50000, SOUND_GROWS, USEC_S), 2);
    loss = SOUND_LOSES;
    assert_int_equal(run(&RED, 100000, SOUND_OPEN, SOUND_LOST - 2 * USEC_S), 2);
    assert_int_equal(run(&RED, 100000, SOUND_OPEN, 2 * USEC_S), 3);
    assert_int_equal(run(&RED, 100000, SOUND_OPEN, 100 * SOUND_LOST), 5);
    /* what has only just been tried is left for less, and is not tried where it loses */
    loss = SOUND_LOSES_TRIED;
    assert_int_equal(run(&RED, 100000, SOUND_OPEN, 2 * SOUND_PATIENCE), 5);
    loss = 0;
    assert_int_equal(run(&RED, 100000, SOUND_OPEN, SOUND_EACH + USEC_S), 4);
    loss = SOUND_LOSES_TRIED;
    assert_int_equal(run(&RED, 100000, SOUND_OPEN, USEC_S), 5);
    assert_int_equal(sound.patience, 2 * SOUND_PATIENCE);
}

static void test_nothing_known(void **state)
{
    (void)state;
    const struct sound_load none = { 0, 0, 0, 0 };
    assert_int_equal(sound_line(&sound, &OPUS, 0), 0);
    assert_int_equal(run(&OPUS, 0, SOUND_GROWS, USEC_S), 0);
    assert_int_equal(run(&OPUS, 30000, SOUND_ENDS, USEC_S), 5);
    assert_int_equal(run(&none, 30000, SOUND_GROWS, USEC_S), 0);
    assert_int_equal(run(&OPUS, 30000, SOUND_ENDS, USEC_S), 5);
    assert_int_equal(run(&OPUS, 0, SOUND_GROWS, USEC_S), 0);
}

/* Headers below RTP are paid as often as packets go: 50 times a second, or 17. */
static void test_line(void **state)
{
    (void)state;
    assert_int_equal(sound_line(&sound, &OPUS, 20000), 20000 + 50 * 28 * 8);
    sound.rung = 5;
    assert_int_equal(sound_line(&sound, &OPUS, 20000), 20000 + 17 * 28 * 8);
}

static void test_room(void **state)
{
    (void)state;
    const struct sound_load four = { 4, 200, 128000, 128000 };
    assert_int_equal(sound_room(&sound, &four, 4, 60000), 4);
    assert_int_equal(run(&four, 60000, SOUND_GROWS, USEC_S), 5);
    assert_int_equal(sound_room(&sound, &four, 4, 60000), 2);
    assert_int_equal(sound_room(&sound, &four, 4, 20000), 1);
    assert_int_equal(sound_room(&sound, &four, 4, 110000), 4);
    assert_int_equal(sound_room(&sound, &OPUS, 1, 10000), 1);
    assert_int_equal(sound_room(&sound, &four, 1, 60000), 1); /* with a third to spare */
    assert_int_equal(sound_room(&sound, &four, 1, 70000), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_costs, set_up),
        cmocka_unit_test_setup(test_down, set_up),
        cmocka_unit_test_setup(test_up, set_up),
        cmocka_unit_test_setup(test_up_where_it_is_open, set_up),
        cmocka_unit_test_setup(test_fails, set_up),
        cmocka_unit_test_setup(test_loss, set_up),
        cmocka_unit_test_setup(test_nothing_known, set_up),
        cmocka_unit_test_setup(test_line, set_up),
        cmocka_unit_test_setup(test_room, set_up),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
