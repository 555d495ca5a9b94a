/* Who speaks: found soon, kept through pauses and noise, and never more at once than may be. */
#include "support.h"

#include "media/speakers.h"

#define NOW    (1000 * USEC_S)
#define ROOM   30
#define SPEECH 30 /* levels, -dBov */
#define MURMUR 75

static struct speakers speakers;
static struct speaker everyone[ROOM];
static uint64_t seed;
static usec now;
static unsigned changes_seen; /* calls that changed who is seen, loud, dominant */
static unsigned changes_loud;
static unsigned changes_dominant;

static void note(unsigned changes)
{
    changes_seen += (changes & SPEAKERS_SEEN) != 0;
    changes_loud += (changes & SPEAKERS_LOUD) != 0;
    changes_dominant += (changes & SPEAKERS_DOMINANT) != 0;
}

static void begin(unsigned count, uint32_t last_n, uint32_t loudest_n)
{
    seed = 1;
    now = NOW;
    memset(everyone, 0, sizeof everyone);
    speakers_init(&speakers, last_n, loudest_n);
    for (unsigned i = 0; i < count; i++) {
        everyone[i].is_shown = true;
        note(speakers_add(&speakers, now, &everyone[i]));
    }
    changes_seen = changes_loud = changes_dominant = 0;
}

static uint32_t below(uint32_t end)
{
    uint32_t number;
    test_random_fill(&seed, &number, sizeof number);
    return number % end;
}

/* What must always hold. */
static void check(void)
{
    uint32_t seen = 0, loud = 0, count = 0;
    for (unsigned i = 0; i < ROOM; i++) {
        if (!everyone[i].of)
            continue;
        count++;
        seen += everyone[i].is_seen;
        loud += everyone[i].is_loud && everyone[i].has_level;
        assert_true(everyone[i].is_shown || !everyone[i].is_seen);
        assert_true(everyone[i].has_level || everyone[i].is_loud);
    }
    assert_int_equal(count, speakers.count);
    assert_int_equal(seen, speakers.seen_count);
    assert_int_equal(loud, speakers.loud_count);
    assert_true(speakers.last_n == 0 || seen <= speakers.last_n);
    assert_true(speakers.loudest_n == 0 || loud <= speakers.loudest_n);
    assert_true(!speakers.dominant || !speakers.dominant->is_shown || speakers.dominant->is_seen);
}

/* A syllable is some 200 ms, of which a quarter is not voiced. */
static uint8_t speech_at(usec at, uint8_t level)
{
    return at / SPEAKERS_SLOT % 10 < 8 ? (uint8_t)(level + below(8)) : MURMUR;
}

/* For that long each of `talking` (a bit each) speaks, and the others of `count` murmur. */
static void talk(unsigned count, uint32_t talking, uint8_t level, usec time)
{
    for (usec end = now + time; now < end; now += SPEAKERS_SLOT) {
        for (unsigned i = 0; i < count; i++) {
            bool speaks = talking >> i & 1;
            uint8_t own =
                speaks ? speech_at(now + i * 40 * USEC_MS, level) : (uint8_t)(MURMUR + below(4));
            note(speakers_heard(&everyone[i], now, own));
        }
        if (now - speakers.looked_at >= SPEAKERS_EACH)
            note(speakers_look(&speakers, now));
        check();
    }
}

/* ---- who is dominant ---- */

static void test_one_speaks(void **state)
{
    (void)state;
    begin(3, 0, 0);
    talk(3, 0, SPEECH, 5 * USEC_S);
    assert_null(speakers.dominant);
    assert_in_range(speaker_level(&everyone[1], now), MURMUR - 1, MURMUR + 4);
    talk(3, 1 << 1, SPEECH, 700 * USEC_MS);
    assert_ptr_equal(speakers.dominant, &everyone[1]);
    assert_in_range(speaker_level(&everyone[1], now), SPEECH, SPEECH + 30);
    assert_true(speaker_speaks(&everyone[1], now));
    talk(3, 0, SPEECH, 10 * USEC_S); /* in silence it stays */
    assert_ptr_equal(speakers.dominant, &everyone[1]);
    assert_false(speaker_speaks(&everyone[1], now));
    assert_int_equal(changes_dominant, 1);
    now += 10 * USEC_S; /* without a packet */
    assert_int_equal(speaker_level(&everyone[1], now), SPEAKERS_SILENCE);
}

static void test_what_makes_no_speaker(void **state)
{
    (void)state;
    begin(3, 0, 0);
    talk(3, 1 << 0, SPEECH, 3 * USEC_S);
    assert_ptr_equal(speakers.dominant, &everyone[0]);
    /* a cough, as loud as can be, in silence and in speech */
    talk(3, 0, SPEECH, 2 * USEC_S);
    talk(3, 1 << 1, 0, 200 * USEC_MS);
    talk(3, 0, SPEECH, 2 * USEC_S);
    talk(3, 1 << 0, SPEECH, 2 * USEC_S);
    talk(3, 1 << 0 | 1 << 1, 0, 200 * USEC_MS);
    /* a few words, that are over */
    talk(3, 1 << 0, SPEECH, 3 * USEC_S);
    talk(3, 1 << 1, SPEECH, 560 * USEC_MS);
    talk(3, 0, SPEECH, 2 * USEC_S);
    /* a pause for breath, with a "yes" in it */
    for (unsigned i = 0; i < 10; i++) {
        talk(3, 1 << 0, SPEECH, 2 * USEC_S);
        talk(3, 1 << 1, SPEECH, 240 * USEC_MS);
        talk(3, 0, SPEECH, 160 * USEC_MS);
    }
    /* two at once */
    talk(3, 1 << 0 | 1 << 2, SPEECH, 5 * USEC_S);
    /* and a fan */
    for (unsigned i = 0; i < 500; i++, now += SPEAKERS_SLOT) {
        note(speakers_heard(&everyone[2], now, (uint8_t)(52 + below(3))));
        note(speakers_look(&speakers, now));
    }
    for (unsigned i = 0; i < 10; i++)
        talk(3, 0, SPEECH, USEC_S);
    assert_ptr_equal(speakers.dominant, &everyone[0]);
    assert_int_equal(changes_dominant, 1);
}

/* Packets of 60 ms, of which some are lost. */
static void test_long_packets(void **state)
{
    (void)state;
    begin(2, 0, 0);
    for (unsigned i = 0; i < 50; i++, now += 3 * SPEAKERS_SLOT) {
        note(speakers_heard(&everyone[0], now, MURMUR));
        if (i % 10 != 9)
            note(speakers_heard(&everyone[1], now, i > 25 ? SPEECH : MURMUR));
        note(speakers_look(&speakers, now));
        assert_true(i > 25 || !speakers.dominant);
    }
    assert_ptr_equal(speakers.dominant, &everyone[1]);
    assert_true(speaker_talks(&everyone[1], now) && !speaker_talks(&everyone[0], now));
}

/* One louder than that is taken for speech until it is known. */
static void test_a_loud_fan(void **state)
{
    (void)state;
    begin(2, 0, 0);
    talk(2, 0, SPEECH, 2 * USEC_S);
    for (unsigned i = 0; i < 250; i++, now += SPEAKERS_SLOT)
        note(speakers_heard(&everyone[0], now, (uint8_t)(45 + below(3))));
    assert_false(speaker_speaks(&everyone[0], now));
    for (unsigned i = 0; i < 30; i++, now += SPEAKERS_SLOT) {
        note(speakers_heard(&everyone[0], now, 45)); /* another speaks meanwhile */
        note(speakers_heard(&everyone[1], now, speech_at(now, SPEECH)));
        note(speakers_look(&speakers, now));
    }
    assert_ptr_equal(speakers.dominant, &everyone[1]);
}

static void test_each_second_another(void **state)
{
    (void)state;
    begin(ROOM, 5, 4);
    talk(ROOM, 0, SPEECH, USEC_S);
    changes_seen = changes_loud = changes_dominant = 0;
    for (unsigned i = 0; i < 300; i++) {
        unsigned who = i * 7 % ROOM;
        talk(ROOM, 1u << who, SPEECH, SPEAKERS_SLOT);
        talk(ROOM, 1u << who, SPEECH, USEC_S - 2 * SPEAKERS_SLOT);
        assert_ptr_equal(speakers.dominant, &everyone[who]);
        assert_true(everyone[who].is_seen && everyone[who].is_loud);
        talk(ROOM, 1u << who, SPEECH, SPEAKERS_SLOT);
    }
    /* each comes once, and nothing trembles meanwhile */
    assert_int_equal(changes_dominant, 300);
    assert_true(changes_seen <= 300 && changes_loud <= 300);
}

/* ---- who is seen ---- */

static void test_the_last_n_are_seen(void **state)
{
    (void)state;
    begin(6, 3, 0);
    assert_true(everyone[0].is_seen && everyone[1].is_seen && everyone[2].is_seen);
    talk(6, 1 << 5, SPEECH, 2 * USEC_S);
    assert_true(everyone[5].is_seen && !everyone[2].is_seen); /* who came last goes */
    talk(6, 1 << 1, SPEECH, 6 * USEC_S);
    talk(6, 1 << 4, SPEECH, 2 * USEC_S);
    assert_true(everyone[4].is_seen && everyone[5].is_seen && everyone[1].is_seen);
    assert_true(speakers_show(&everyone[4], now, false) & SPEAKERS_SEEN);
    assert_true(!everyone[4].is_seen && everyone[0].is_seen);
    assert_int_equal(speakers_show(&everyone[3], now, false), 0);
    assert_true(speakers_show(&everyone[4], now, true) & SPEAKERS_SEEN); /* it is dominant */
    check();
    assert_true(everyone[4].is_seen);
    assert_int_equal(speakers_remove(&everyone[4], now), SPEAKERS_DOMINANT | SPEAKERS_SEEN);
    assert_null(speakers.dominant);
    assert_int_equal(speakers_remove(&everyone[4], now), 0);
    check();
    assert_int_equal(speakers.seen_count, 3);
}

/* ---- who is loud ---- */

static void test_let_in_with_the_first_word(void **state)
{
    (void)state;
    begin(10, 0, 3);
    talk(10, 0, SPEECH, 3 * USEC_S);
    assert_int_equal(speakers.loud_count, 3);
    for (unsigned i = 0; i < 100; i++) {
        unsigned who = below(10);
        now += SPEAKERS_HOLD;
        note(speakers_heard(&everyone[who], now, SPEECH));
        assert_true(everyone[who].is_loud);
        check();
    }
}

static void test_all_speak(void **state)
{
    (void)state;
    begin(8, 0, 3);
    talk(8, 0, SPEECH, 2 * USEC_S);
    talk(8, 0x7, SPEECH, 3 * USEC_S);
    assert_true(everyone[0].is_loud && everyone[1].is_loud && everyone[2].is_loud);
    changes_loud = 0;
    talk(8, 0xff, SPEECH, 10 * USEC_S); /* as loud as these: nobody goes */
    assert_int_equal(changes_loud, 0);
    for (usec end = now + USEC_S; now < end; now += SPEAKERS_SLOT) {
        for (unsigned i = 0; i < 3; i++)
            note(speakers_heard(&everyone[i], now, SPEECH + 4));
        note(speakers_heard(&everyone[7], now, SPEECH - 15));
        note(speakers_look(&speakers, now));
        check();
    }
    assert_true(everyone[7].is_loud && speakers.dominant->is_loud);
    assert_int_equal(changes_loud, 1);
}

static void test_no_levels(void **state)
{
    (void)state;
    begin(5, 0, 2);
    for (unsigned i = 0; i < 5; i++)
        assert_true(everyone[i].is_loud); /* as long as nobody knows */
    note(speakers_heard(&everyone[0], now, MURMUR));
    note(speakers_heard(&everyone[1], now, MURMUR));
    assert_int_equal(changes_loud, 0);
    note(speakers_heard(&everyone[2], now, MURMUR));
    assert_false(everyone[2].is_loud);
    assert_int_equal(changes_loud, 1);
    note(speakers_remove(&everyone[0], now));
    assert_true(speakers_look(&speakers, now) & SPEAKERS_LOUD);
    assert_true(everyone[2].is_loud && everyone[3].is_loud);
    check();
    struct speaker nobody = { .of = NULL };
    assert_int_equal(speakers_heard(&nobody, now, 0), 0);
    assert_int_equal(speakers_heard(&everyone[1], now, 255), 0); /* beyond silence */
}

/* ---- at two places ---- */

/* Everyone speaks where it is only listened to, and is reported to a room that decides. */
static void test_reports(void **state)
{
    static struct speakers there;
    static struct speaker far[3];
    struct speaker_report report;
    (void)state;
    begin(3, 2, 1);
    speakers_listen(&there);
    memset(far, 0, sizeof far);
    for (unsigned i = 0; i < 3; i++) {
        far[i].is_shown = true;
        assert_int_equal(speakers_add(&there, now, &far[i]) & SPEAKERS_SEEN, 0);
    }
    speaker_report(&far[0], now, &report); /* nothing is known of it */
    assert_int_equal(speakers_told(&everyone[0], now, &report), 0);
    assert_true(everyone[0].is_loud && !everyone[0].has_level);
    for (unsigned slot = 0; slot < 300; slot++, now += SPEAKERS_SLOT) {
        unsigned talker = slot / 100;
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(
                speakers_heard(&far[i], now, i == talker ? speech_at(now, SPEECH) : MURMUR), 0);
        if (slot % 5)
            continue;
        for (unsigned i = 0; i < 3; i++) {
            speaker_report(&far[i], now, &report);
            /* it comes a moment later, when another slot has begun */
            note(speakers_told(&everyone[i], now + SPEAKERS_SLOT / 2, &report));
            speaker_decided(&far[i], everyone[i].is_loud);
        }
        note(speakers_look(&speakers, now + SPEAKERS_SLOT / 2));
        check();
        assert_true(slot % 100 < 70 || speakers.dominant == &everyone[talker]);
        assert_true(slot % 100 < 70 || speaker_talks(&everyone[talker], now));
        /* in the place of who has been silent for a while */
        assert_true(slot < 100 || slot % 100 > 20 || !everyone[talker].is_loud);
    }
    assert_int_equal(changes_dominant, 3);
    assert_int_equal(there.seen_count, 0);
    assert_int_equal(there.loud_count, 0);
    assert_in_range(speaker_level(&everyone[2], now), SPEECH, SPEECH + 30);
    now += 10 * USEC_S;
    assert_false(speaker_talks(&everyone[2], now));
    speakers_end(&there);
    assert_null(far[1].of);
    assert_int_equal(speakers_heard(&far[1], now, 0), 0);
    assert_int_equal(speakers_told(&far[1], now, &report), 0);
    assert_int_equal(speakers_remove(&far[1], now), 0);
}

static void test_any(void **state)
{
    (void)state;
    for (uint64_t number = 1; number <= 200; number++) {
        begin(0, (uint32_t)(number % 6), (uint32_t)(number % 5));
        seed = number;
        for (unsigned step = 0; step < 2000; step++) {
            struct speaker *speaker = &everyone[below(ROOM)];
            switch (below(20)) {
            case 0:
                if (speaker->of)
                    note(speakers_remove(speaker, now));
                else
                    note(speakers_add(&speakers, now, speaker));
                break;
            case 1:
                note(speakers_show(speaker, now, below(2)));
                break;
            case 2:
                note(speakers_look(&speakers, now));
                break;
            case 3:
                now += below(10) * SPEAKERS_SLOT;
                break;
            default:
                note(speakers_heard(speaker, now, (uint8_t)below(256)));
            }
            check();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_speaks),
        cmocka_unit_test(test_what_makes_no_speaker),
        cmocka_unit_test(test_long_packets),
        cmocka_unit_test(test_a_loud_fan),
        cmocka_unit_test(test_each_second_another),
        cmocka_unit_test(test_the_last_n_are_seen),
        cmocka_unit_test(test_let_in_with_the_first_word),
        cmocka_unit_test(test_all_speak),
        cmocka_unit_test(test_no_levels),
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
