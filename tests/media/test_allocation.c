/* What a line is shared out as: by rules that hold for any tracks and budgets, and steadily. */
#include "support.h"

#include "media/allocation.h"

#define NOW    (1000 * USEC_S)
#define TRACKS 24

/* Three encodings of a camera, each at half of its frames and at all of them. */
static const struct layer CAMERA[] = {
    { 0, 0, 0, 15, 320, 180, 90000 },   { 0, 0, 1, 30, 320, 180, 150000 },
    { 1, 0, 0, 15, 640, 360, 300000 },  { 1, 0, 1, 30, 640, 360, 500000 },
    { 2, 0, 0, 15, 1280, 720, 900000 }, { 2, 0, 1, 30, 1280, 720, 1500000 },
};
#define CAMERA_COUNT 6
static const struct layer VOICE[] = { { 0, 0, 0, 0, 0, 0, 40000 } };

static struct allocation allocation;
static struct allocation_track tracks[TRACKS];
static uint32_t count;
static struct layer layers[TRACKS][CAMERA_COUNT];

static struct allocation_track video(uint8_t priority, uint16_t width, uint16_t height)
{
    return (struct allocation_track){ .priority = priority,
                                      .width = width,
                                      .height = height,
                                      .layers = CAMERA,
                                      .layer_count = CAMERA_COUNT,
                                      .may_have = ALLOCATION_ANY_LAYER };
}

static struct allocation_track audio(void)
{
    return (struct allocation_track){ .is_audio = true, .layers = VOICE, .layer_count = 1 };
}

static void forget(void)
{
    memset(&allocation, 0, sizeof allocation);
    allocation.loses = true;
    for (uint32_t i = 0; i < count; i++)
        memset(&tracks[i].held, 0, sizeof tracks[i].held);
}

static void run(usec now, uint64_t budget)
{
    allocation_run(&allocation, now, budget, tracks, count);
}

static void begin(uint32_t new_count)
{
    memset(tracks, 0, sizeof tracks);
    count = new_count;
    forget();
}

static void assert_choice(const struct allocation_track *track, uint8_t layer, uint8_t reason)
{
    assert_int_equal(track->layer, layer);
    assert_string_equal(allocation_reason_name(track->reason), allocation_reason_name(reason));
}

/* ---- rules ---- */

static void test_reasons(void **state)
{
    (void)state;
    begin(7);
    tracks[0] = video(0, 1280, 720);
    tracks[1] = video(0, 0, 0);
    tracks[2] = video(0, 1280, 720);
    tracks[2].is_left_out = true;
    tracks[3] = video(0, 1280, 720);
    tracks[3].is_paused = true;
    tracks[4] = video(0, 1280, 720);
    tracks[4].layer_count = 0;
    tracks[5] = video(0, 320, 180);
    tracks[6] = audio();
    run(NOW, 100000000);
    assert_choice(&tracks[0], 5, ALLOCATION_FULL);
    assert_choice(&tracks[1], ALLOCATION_NONE, ALLOCATION_HIDDEN);
    assert_choice(&tracks[2], ALLOCATION_NONE, ALLOCATION_LAST_N);
    assert_choice(&tracks[3], ALLOCATION_NONE, ALLOCATION_PAUSED);
    assert_choice(&tracks[4], ALLOCATION_NONE, ALLOCATION_SILENT);
    assert_choice(&tracks[5], 1, ALLOCATION_WINDOW);
    assert_choice(&tracks[6], 0, ALLOCATION_FULL);
    assert_int_equal(allocation.given_bps, 1500000 + 150000 + 40000);
    assert_int_equal(allocation.wanted_bps, allocation.given_bps);
    assert_int_equal(allocation.next_bps, 0);
    assert_true(allocation.until == USEC_NEVER);
}

static void test_audio_first(void **state)
{
    (void)state;
    begin(3);
    tracks[0] = video(9, 1280, 720);
    tracks[1] = audio();
    tracks[2] = audio();
    run(NOW, 30000); /* not even for them */
    assert_choice(&tracks[0], ALLOCATION_NONE, ALLOCATION_BANDWIDTH);
    assert_choice(&tracks[1], 0, ALLOCATION_FULL);
    assert_choice(&tracks[2], 0, ALLOCATION_FULL);
    forget();
    run(NOW, 80000 + 90000 - 1);
    assert_choice(&tracks[0], ALLOCATION_NONE, ALLOCATION_BANDWIDTH);
    forget();
    run(NOW, 80000 + 90000);
    assert_choice(&tracks[0], 0, ALLOCATION_BANDWIDTH);
}

static void test_the_lowest_of_all_before_a_higher_one(void **state)
{
    (void)state;
    begin(3);
    tracks[0] = video(0, 320, 180);
    tracks[1] = video(1, 1280, 720); /* the speaker */
    tracks[2] = video(0, 640, 360);
    run(NOW, 270000);
    for (unsigned i = 0; i < 3; i++)
        assert_choice(&tracks[i], 0, ALLOCATION_BANDWIDTH);
    forget();
    run(NOW, 180000); /* for two: the speaker's, and the larger window's */
    assert_choice(&tracks[0], ALLOCATION_NONE, ALLOCATION_BANDWIDTH);
    assert_choice(&tracks[1], 0, ALLOCATION_BANDWIDTH);
    assert_choice(&tracks[2], 0, ALLOCATION_BANDWIDTH);
    forget();
    run(NOW, 930000); /* the speaker's as high as it goes, then the others' */
    assert_choice(&tracks[1], 3, ALLOCATION_BANDWIDTH);
    assert_choice(&tracks[2], 1, ALLOCATION_BANDWIDTH);
    assert_choice(&tracks[0], 1, ALLOCATION_WINDOW);
}

static void test_windows(void **state)
{
    (void)state;
    static const struct {
        uint16_t width, height;
        uint8_t layer;
    } ROWS[] = { { 10, 10, 1 },    { 320, 180, 1 },
                 { 369, 207, 1 }, /* 3/4 of its pixels */
                 { 370, 209, 3 },  { 640, 360, 3 },
                 { 738, 415, 3 },  { 740, 417, 5 },
                 { 1280, 720, 5 }, { 3840, 2160, 5 },
                 { 180, 640, 3 },  { ALLOCATION_ANY_SIZE, ALLOCATION_ANY_SIZE, 5 } };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        begin(1);
        tracks[0] = video(0, ROWS[i].width, ROWS[i].height);
        run(NOW, 100000000);
        assert_int_equal(tracks[0].layer, ROWS[i].layer);
    }
    /* a window that shrinks by a little keeps its picture */
    begin(1);
    tracks[0] = video(0, 740, 417);
    run(NOW, 100000000);
    tracks[0] = (struct allocation_track){ .held = tracks[0].held,
                                           .width = 700,
                                           .height = 394,
                                           .layers = CAMERA,
                                           .layer_count = CAMERA_COUNT,
                                           .may_have = ALLOCATION_ANY_LAYER };
    run(NOW, 100000000);
    assert_choice(&tracks[0], 5, ALLOCATION_FULL);
    tracks[0].width = 640;
    tracks[0].height = 360;
    run(NOW, 100000000);
    assert_choice(&tracks[0], 3, ALLOCATION_WINDOW);
}

static void test_wishes(void **state)
{
    (void)state;
    begin(1);
    tracks[0] = video(0, 1280, 720);
    tracks[0].may_have = 0x5; /* slow ones of the first two encodings */
    run(NOW, 100000000);
    assert_choice(&tracks[0], 2, ALLOCATION_FULL);
    tracks[0].may_have = 0;
    run(NOW, 100000000);
    assert_choice(&tracks[0], ALLOCATION_NONE, ALLOCATION_PAUSED);
}

static void test_layers_that_are_never_worth_it(void **state)
{
    (void)state;
    const struct layer odd[] = { { 0, 0, 0, 30, 640, 360, 400000 },
                                 { 1, 0, 0, 30, 960, 540, 300000 },
                                 { 2, 0, 0, 8, 1280, 720, 500000 },
                                 { 2, 0, 1, 30, 1280, 720, 900000 } };
    begin(1);
    tracks[0] = video(0, 1280, 720);
    tracks[0].layers = odd;
    tracks[0].layer_count = 4;
    run(NOW, 920000); /* the first costs more than a better one, the third hardly moves */
    assert_choice(&tracks[0], 1, ALLOCATION_BANDWIDTH);
    forget();
    run(NOW, 1100000);
    assert_choice(&tracks[0], 3, ALLOCATION_FULL);
    forget();
    run(NOW, 299999);
    assert_choice(&tracks[0], ALLOCATION_NONE, ALLOCATION_BANDWIDTH);
}

/* ---- any tracks and budgets ---- */

static uint32_t below(uint64_t *seed, uint32_t end)
{
    uint32_t number;
    test_random_fill(seed, &number, sizeof number);
    return number % end;
}

static void make_any(uint64_t *seed)
{
    static const uint16_t SIZES[] = { 0, 160, 320, 640, 1280, ALLOCATION_ANY_SIZE };
    begin(1 + below(seed, TRACKS));
    for (uint32_t i = 0; i < count; i++) {
        uint16_t width = SIZES[below(seed, 6)];
        if (below(seed, 4) == 0) {
            tracks[i] = audio();
            continue;
        }
        uint16_t height = width == ALLOCATION_ANY_SIZE ? width : (uint16_t)(width / 16 * 9);
        tracks[i] = video((uint8_t)below(seed, 3), width, height);
        memcpy(layers[i], CAMERA, sizeof CAMERA);
        for (unsigned k = 0; k < CAMERA_COUNT; k++)
            layers[i][k].bps = CAMERA[k].bps / 2 + below(seed, (uint32_t)CAMERA[k].bps);
        tracks[i].layers = layers[i];
        tracks[i].layer_count = (uint8_t)below(seed, CAMERA_COUNT + 1);
    }
}

static uint64_t cost(const struct allocation_track *track)
{
    return track->layer == ALLOCATION_NONE ? 0 : track->layers[track->layer].bps;
}

static void test_any(void **state)
{
    (void)state;
    for (uint64_t number = 1; number <= 20000; number++) {
        uint64_t seed = number;
        make_any(&seed);
        uint64_t budget = below(&seed, 1u << (16 + below(&seed, 9)));
        run(NOW, budget);
        uint64_t sum = 0, voices = 0, lowest = 0;
        for (uint32_t i = 0; i < count; i++) {
            const struct allocation_track *track = &tracks[i];
            sum += cost(track);
            voices += track->is_audio ? cost(track) : 0;
            if (track->layer != ALLOCATION_NONE)
                lowest += track->is_audio ? cost(track) : track->layers[track->steps[0]].bps;
            assert_true(!track->is_audio || track->layer == 0);
            assert_true(track->layer == ALLOCATION_NONE || track->layer < track->layer_count);
            assert_true(track->width > 0 || track->is_audio || track->layer == ALLOCATION_NONE);
        }
        assert_int_equal(sum, allocation.given_bps);
        assert_true(sum <= budget || sum == voices);
        for (uint32_t i = 0; i < count; i++) {
            const struct allocation_track *track = &tracks[i];
            if (track->reason != ALLOCATION_BANDWIDTH)
                continue;
            /* it can't have more, nor its lowest though all others had theirs */
            const struct layer *next = &track->layers[track->steps[track->step + 1]];
            uint64_t room = track->step < 0 ? budget : budget - budget / ALLOCATION_ROOM;
            assert_true(sum - cost(track) + next->bps > room);
            assert_true(track->step >= 0 || lowest + next->bps > budget);
            assert_true(allocation.next_bps > 0);
        }
    }
}

/* What those of lower priority are does not matter to those of higher ones, but for their lowest
 * layers. */
static void test_ranks(void **state)
{
    (void)state;
    for (uint64_t number = 1; number <= 5000; number++) {
        uint64_t seed = number;
        uint8_t seen[TRACKS];
        make_any(&seed);
        uint64_t budget = below(&seed, 8000000);
        run(NOW, budget);
        for (uint32_t i = 0; i < count; i++)
            seen[i] = tracks[i].layer;
        for (uint32_t i = 0; i < count; i++)
            if (tracks[i].priority < 2 && tracks[i].step_count > 0)
                tracks[i].may_have = 1u << tracks[i].steps[0];
        forget();
        run(NOW, budget);
        for (uint32_t i = 0; i < count; i++)
            if (tracks[i].priority == 2)
                assert_int_equal(tracks[i].layer, seen[i]);
    }
}

/* A wider line shows no fewer pictures; and where it shows as many, where all are alike, none of
 * the highest rank is worse. */
static void test_a_wider_line(void **state)
{
    (void)state;
    for (unsigned speakers = 0; speakers <= 6; speakers++) {
        int8_t before[6] = { -1, -1, -1, -1, -1, -1 };
        unsigned shown_before = 0;
        for (uint64_t budget = 0; budget < 12000000; budget += 7001) {
            begin(6);
            for (unsigned i = 0; i < 6; i++)
                tracks[i] = video(i < speakers, 1280, 720);
            run(NOW, budget);
            unsigned shown = 0;
            for (unsigned i = 0; i < 6; i++)
                shown += tracks[i].step >= 0;
            assert_true(shown >= shown_before);
            for (unsigned i = 0; i < (speakers > 0 ? speakers : 6); i++) {
                assert_true(shown > shown_before || tracks[i].step >= before[i]);
                before[i] = tracks[i].step;
            }
            shown_before = shown;
        }
        for (unsigned i = 0; i < 6; i++)
            assert_int_equal(tracks[i].step, 5);
    }
}

/* ---- in time ---- */

static void test_down_at_once_up_when_it_lasts(void **state)
{
    (void)state;
    begin(1);
    tracks[0] = video(0, 1280, 720);
    run(NOW, 2000000);
    assert_choice(&tracks[0], 5, ALLOCATION_FULL);
    run(NOW + 1, 1500000); /* what it has, it may have to the last bit */
    assert_choice(&tracks[0], 5, ALLOCATION_FULL);
    run(NOW + 2, 1499999);
    assert_choice(&tracks[0], 4, ALLOCATION_BANDWIDTH);
    run(NOW + USEC_S, 1540000); /* too little room to spare */
    run(NOW + 10 * USEC_S, 1540000);
    assert_choice(&tracks[0], 4, ALLOCATION_BANDWIDTH);
    assert_true(allocation.until == USEC_NEVER);
    assert_int_equal(allocation.wanted_bps, 1500000);
    uint64_t next = allocation.next_bps;
    usec now = NOW + 20 * USEC_S;
    for (run(now, next); tracks[0].layer == 4; run(now, next)) {
        assert_true(now <= NOW + 20 * USEC_S + ALLOCATION_LASTS);
        assert_true(allocation.until > now && allocation.until <= now + ALLOCATION_SLOT);
        now = allocation.until;
    }
    assert_true(now >= NOW + 20 * USEC_S + ALLOCATION_LASTS - ALLOCATION_SLOT);
    assert_choice(&tracks[0], 5, ALLOCATION_FULL);
}

/* Runs until the layer is what it says; gives when. */
static usec wait_for(usec now, uint64_t budget, uint8_t layer)
{
    for (run(now, budget); tracks[0].layer != layer; run(now, budget)) {
        assert_true(allocation.until != USEC_NEVER && allocation.until > now);
        now = allocation.until;
    }
    return now;
}

static void test_what_failed_is_not_tried_again_soon(void **state)
{
    (void)state;
    usec before = 0;
    begin(1);
    tracks[0] = video(0, 1280, 720);
    run(NOW, 1200000);
    usec now = NOW;
    for (unsigned i = 0; i < 6; i++) {
        usec from = now;
        now = wait_for(now, 1800000, 5);
        usec took = now - from;
        assert_true(took <= ALLOCATION_RETRY_MOST + ALLOCATION_LASTS + ALLOCATION_SLOT);
        assert_true(i == 0 || took >= before);
        assert_true(i == 0 || took + USEC_S >= ALLOCATION_RETRY);
        before = took;
        now += 100 * USEC_MS;
        run(now, 1200000); /* and the line turns out not to take it */
        assert_int_equal(tracks[0].layer, 4);
    }
    assert_true(before >= ALLOCATION_RETRY_MOST);
    /* unless there is far more than it failed with */
    usec wider = now;
    now = wait_for(now, 2200000, 5);
    assert_true(now - wider <= 2 * ALLOCATION_LASTS);
    run(now += 100 * USEC_MS, 1200000);
    /* but who is pinned now is worth another try */
    tracks[0].priority = 1;
    usec pinned = now;
    now = wait_for(now, 1800000, 5);
    assert_true(now - pinned <= 2 * ALLOCATION_LASTS);
    /* and what lasted has not failed */
    now += 2 * ALLOCATION_PROOF;
    run(now, 1200000);
    usec lost = now;
    assert_true(wait_for(now, 1800000, 5) - lost <= 2 * ALLOCATION_LASTS);
}

/* What failed on a narrow line says nothing of how far apart tries are to be on a wide one. */
static void test_what_failed_cost_less(void **state)
{
    (void)state;
    begin(1);
    tracks[0] = video(0, 1280, 720);
    run(NOW, 100000);
    usec now = NOW;
    for (unsigned i = 0; i < 3; i++) {
        now = wait_for(now, 600000, 3) + 100 * USEC_MS;
        run(now, 100000);
    }
    assert_true(tracks[0].held.retry_after > ALLOCATION_RETRY);
    now = wait_for(now, 2200000, 5) + 100 * USEC_MS;
    run(now, 1200000);
    assert_int_equal(tracks[0].held.retry_after, ALLOCATION_RETRY);
}

static void test_a_trembling_line(void **state)
{
    (void)state;
    for (uint64_t number = 1; number <= 300; number++) {
        uint64_t seed = number;
        unsigned changes[6] = { 0 };
        begin(6);
        for (unsigned i = 0; i < 6; i++)
            tracks[i] = video(i == 0, i == 0 ? 1280 : 320, i == 0 ? 720 : 180);
        uint64_t middle = 600000 + below(&seed, 2000000);
        uint8_t seen[6] = { 0 };
        for (unsigned k = 0; k < 1200; k++) { /* two minutes, a twentieth up and down */
            run(NOW + k * 100 * USEC_MS,
                middle - middle / 20 + below(&seed, (uint32_t)middle / 10));
            for (unsigned i = 0; i < 6; i++) {
                changes[i] += k > 300 && tracks[i].layer != seen[i];
                seen[i] = tracks[i].layer;
            }
        }
        for (unsigned i = 0; i < 6; i++) {
            assert_in_range(changes[i], 0, 2);
        }
    }
}

/* One who begins to speak is seen well at once, when the line takes it, though nobody failed. */
static void test_speakers_change(void **state)
{
    (void)state;
    begin(8);
    for (unsigned i = 0; i < 8; i++)
        tracks[i] = video(0, 1280, 720);
    for (unsigned k = 0; k < 60; k++) {
        for (unsigned i = 0; i < 8; i++)
            tracks[i].priority = i == k % 8;
        run(NOW + k * USEC_S, 2600000);
        assert_int_equal(tracks[k % 8].layer, 5);
        for (unsigned i = 0; i < 8; i++)
            assert_true(i == k % 8 || (tracks[i].layer <= 3 && tracks[i].held.retry_at == 0));
    }
}

/* What was paused by others than the line comes back at once. */
static void test_shown_again(void **state)
{
    (void)state;
    begin(1);
    tracks[0] = video(0, 640, 360);
    run(NOW, 510000);
    assert_int_equal(tracks[0].layer, 2);
    tracks[0].width = 0;
    run(NOW + 1, 510000);
    assert_choice(&tracks[0], ALLOCATION_NONE, ALLOCATION_HIDDEN);
    assert_int_equal(allocation.wanted_bps, 0);
    tracks[0].width = 640;
    run(NOW + 2, 95000);
    assert_choice(&tracks[0], 0, ALLOCATION_BANDWIDTH);
    /* the lowest is given up with patience */
    usec now = NOW + 3;
    for (run(now, 85000); tracks[0].layer == 0; run(now, 85000)) {
        assert_true(allocation.until <= now + ALLOCATION_SLOT);
        now = allocation.until;
    }
    assert_in_range(now - NOW, ALLOCATION_PATIENCE - ALLOCATION_SLOT, ALLOCATION_PATIENCE + 3);
    assert_choice(&tracks[0], ALLOCATION_NONE, ALLOCATION_BANDWIDTH);
    run(now + 1, 89000);
    assert_choice(&tracks[0], ALLOCATION_NONE, ALLOCATION_BANDWIDTH);
    run(now + 2, 95000); /* and is back at once */
    assert_choice(&tracks[0], 0, ALLOCATION_BANDWIDTH);
}

/* Where nothing is lost, something is seen, however narrow the line is thought to be. */
static void test_never_black_without_loss(void **state)
{
    (void)state;
    begin(2);
    allocation.loses = false;
    tracks[0] = video(0, 640, 360);
    tracks[1] = video(0, 640, 360);
    run(NOW, 1000);
    assert_choice(&tracks[0], 0, ALLOCATION_BANDWIDTH);
    assert_choice(&tracks[1], 0, ALLOCATION_BANDWIDTH);
    run(NOW + 2 * ALLOCATION_PATIENCE, 1000);
    assert_choice(&tracks[1], 0, ALLOCATION_BANDWIDTH);
    allocation.loses = true;
    run(NOW + 2 * ALLOCATION_PATIENCE + 1, 1000);
    assert_choice(&tracks[1], ALLOCATION_NONE, ALLOCATION_BANDWIDTH);
    allocation.loses = false; /* that is no reason to begin to lose again */
    run(NOW + 3 * ALLOCATION_PATIENCE, 1000);
    assert_choice(&tracks[1], ALLOCATION_NONE, ALLOCATION_BANDWIDTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_audio_first),
        cmocka_unit_test(test_the_lowest_of_all_before_a_higher_one),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_wishes),
        cmocka_unit_test(test_layers_that_are_never_worth_it),
        cmocka_unit_test(test_any),
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_a_wider_line),
        cmocka_unit_test(test_down_at_once_up_when_it_lasts),
        cmocka_unit_test(test_what_failed_is_not_tried_again_soon),
        cmocka_unit_test(test_what_failed_cost_less),
        cmocka_unit_test(test_a_trembling_line),
        cmocka_unit_test(test_speakers_change),
        cmocka_unit_test(test_shown_again),
        cmocka_unit_test(test_never_black_without_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
