#include "bwe/courses.h"

#include <assert.h>
#include <math.h>

#define MS_OF(seconds) ((uint32_t)((seconds)*1000))

/* ---- makers ---- */

static void fill(struct capacity *capacity, uint32_t until, double bps)
{
    assert(until <= CAPACITY_MS_MAX);
    while (capacity->count < until)
        capacity->bps[capacity->count++] = (uint32_t)bps;
}

static double evenly(struct chance *chance, double least, double most)
{
    return least + (most - least) * chance_pick(chance, 1000001) / 1e6;
}

/* No two lines are the same, so that nothing hangs on a number that fits by chance. */
static double about(struct chance *chance, double bps)
{
    return bps * evenly(chance, 0.85, 1.15);
}

static void make_300k(struct chance *chance, struct capacity *capacity)
{
    fill(capacity, 1, about(chance, 300e3));
}
static void make_1m(struct chance *chance, struct capacity *capacity)
{
    fill(capacity, 1, about(chance, 1e6));
}
static void make_2m(struct chance *chance, struct capacity *capacity)
{
    fill(capacity, 1, about(chance, 2e6));
}
static void make_3m(struct chance *chance, struct capacity *capacity)
{
    fill(capacity, 1, about(chance, 3e6));
}
static void make_10m(struct chance *chance, struct capacity *capacity)
{
    fill(capacity, 1, about(chance, 10e6));
}

static void make_steps(struct chance *chance, struct capacity *capacity)
{
    static const double RATES[] = { 3e6, 1e6, 2.5e6, 500e3, 4e6, 1.5e6 };
    for (unsigned i = 0; i < sizeof RATES / sizeof RATES[0]; i++)
        fill(capacity, MS_OF(10 * (i + 1)), about(chance, RATES[i]));
}

static void make_halves(struct chance *chance, struct capacity *capacity)
{
    double bps = about(chance, 2e6);
    fill(capacity, MS_OF(20), bps);
    fill(capacity, MS_OF(40), bps / 2);
    fill(capacity, MS_OF(60), bps);
}

/* RFC 8867, section 5.1: of the line that it speaks of; its jitter is left out. */
static void make_rfc8867(struct chance *chance, struct capacity *capacity)
{
    double bps = about(chance, 1e6);
    fill(capacity, MS_OF(40), bps);
    fill(capacity, MS_OF(60), 2.5 * bps);
    fill(capacity, MS_OF(80), 0.6 * bps);
    fill(capacity, MS_OF(100), bps);
}

static void make_dip(struct chance *chance, struct capacity *capacity)
{
    (void)chance;
    fill(capacity, MS_OF(20), 3e6);
    fill(capacity, MS_OF(40), 1e6);
    fill(capacity, MS_OF(60), 3e6);
}

/* From 0.5 to 3 Mbit/s in ten seconds, and at once down again. */
static void make_sawtooth(struct chance *chance, struct capacity *capacity)
{
    double least = about(chance, 500e3);
    for (uint32_t ms = 0; ms < MS_OF(10); ms++)
        fill(capacity, ms + 1, least * (1 + 5.0 * ms / MS_OF(10)));
}

/* A cellular line: each tenth of a second its rate goes up or down by a factor (of some 17 %, on
 * the average), and a fiftieth of the way back to 3 Mbit/s, between 0.4 and 12; its turns, of 10
 * ms, are worth half to one and a half of it.  Every fifteen seconds or so it is all but gone
 * (50 kbit/s), for 0.1 to 0.6 seconds. */
static void make_lte(struct chance *chance, struct capacity *capacity)
{
    double log_rate = log2(3e6);
    while (capacity->count < MS_OF(60)) {
        for (unsigned i = 0; i < 4; i++)
            log_rate += evenly(chance, -0.2, 0.2);
        log_rate += (log2(3e6) - log_rate) / 50;
        log_rate = fmin(fmax(log_rate, log2(400e3)), log2(12e6));
        if (chance_pick(chance, 150) == 0)
            fill(capacity, capacity->count + chance_pick(chance, 500) + 100, 50e3);
        for (unsigned i = 0; i < 10; i++)
            fill(capacity, capacity->count + 10, exp2(log_rate) * evenly(chance, 0.5, 1.5));
    }
}

/* A radio that is shared: it is ours for 2 to 6 ms at 10 Mbit/s, then somebody else's, for up to 2
 * ms in calm times and up to 25 in others; which take one to four seconds each. */
static void make_wifi(struct chance *chance, struct capacity *capacity)
{
    for (bool is_calm = true; capacity->count < MS_OF(60); is_calm = !is_calm) {
        uint32_t until = capacity->count + MS_OF(1) + chance_pick(chance, MS_OF(3));
        while (capacity->count < until) {
            fill(capacity, capacity->count + 2 + chance_pick(chance, 5), 10e6);
            fill(capacity, capacity->count + chance_pick(chance, is_calm ? 3 : 26), 0);
        }
    }
}

/* ---- the courses ---- */

#define LINE(milliseconds, of_queue)                                                               \
    .seconds = 60, .way = (milliseconds)*USEC_MS, .queue = (of_queue)*USEC_MS

#define HOLDS(use, queue, queue95, lost, reach)                                                    \
    .use_least = use, .queue_most_ms = queue, .queue_95_most = queue95, .loss_most = lost,         \
    .reach_most = reach

/* What is held to is what there is today, with room for what chance does to few seeds. */
const struct course COURSES[] = {
    { "300k", "0.3 Mbit/s", make_300k, LINE(25, 300), HOLDS(0.86, 130, 320, 0.04, 2) },
    { "1m", "1 Mbit/s", make_1m, LINE(25, 300), HOLDS(0.88, 75, 150, 0.01, 3) },
    { "3m", "3 Mbit/s", make_3m, LINE(25, 300), HOLDS(0.88, 45, 100, 0.01, 3) },
    { "10m", "10 Mbit/s", make_10m, LINE(25, 300), HOLDS(0.88, 30, 80, 0.01, 3) },
    { "steps", "3, 1, 2.5, 0.5, 4 and 1.5 Mbit/s, ten seconds each", make_steps, LINE(25, 300),
      HOLDS(0.84, 80, 310, 0.02, 3) },
    { "rfc8867", "1, 2.5, 0.6 and 1 Mbit/s (RFC 8867, 5.1)", make_rfc8867, .seconds = 100,
      .way = 50 * USEC_MS, .queue = 300 * USEC_MS, HOLDS(0.88, 65, 140, 0.02, 3) },
    { "sawtooth", "0.5 to 3 Mbit/s in ten seconds, and at once back", make_sawtooth, LINE(25, 300),
      HOLDS(0.82, 65, 440, 0.02, 2) },
    { "lte", "a walk between 0.4 and 12 Mbit/s, with gaps", make_lte, LINE(30, 400),
      HOLDS(0.70, 105, 420, 0.03, 3) },
    { "wifi", "a radio of 10 Mbit/s that is shared, for seconds by many", make_wifi, LINE(10, 200),
      HOLDS(0.72, 90, 500, 0.05, 3) },
    { "others", "3 Mbit/s, of which others take one, by chance", make_3m, LINE(25, 300),
      .others = 1000000, HOLDS(0.86, 75, 180, 0.01, 3) },
    { "policer", "2 Mbit/s, and what is more is dropped", make_2m, LINE(25, 50), .is_policed = true,
      HOLDS(0.72, 5, 5, 0.17, 3) },
    { "deep", "2, 1 and 2 Mbit/s before a queue of 2 s", make_halves, LINE(25, 2000),
      HOLDS(0.88, 65, 130, 0.01, 3) },
    { "shallow", "2, 1 and 2 Mbit/s before a queue of 50 ms", make_halves, LINE(25, 50),
      HOLDS(0.88, 50, 100, 0.09, 3) },
    { "lossy", "2 Mbit/s that lose 2 % of their own", make_2m, LINE(25, 300), .loss = 20000,
      HOLDS(0.86, 55, 120, 0.04, 3) },
    { "near", "2, 1 and 2 Mbit/s, 20 ms there and back", make_halves, LINE(10, 300),
      HOLDS(0.88, 65, 130, 0.02, 3) },
    { "far", "2, 1 and 2 Mbit/s, 100 ms there and back", make_halves, LINE(50, 300),
      HOLDS(0.88, 60, 120, 0.02, 3) },
    { "farthest", "2, 1 and 2 Mbit/s, 300 ms there and back", make_halves, LINE(150, 300),
      HOLDS(0.88, 55, 120, 0.02, 4) },
    { "camera", "a camera of 1.5 Mbit/s on 3 Mbit/s", make_3m, LINE(25, 300), .source = 1500000,
      HOLDS(0.92, 20, 40, 0.01, 3) },
    { "camera_steps", "a camera of 2.5 Mbit/s on 3, 1, 2.5, 0.5, 4 and 1.5", make_steps,
      LINE(25, 300), .source = 2500000, HOLDS(0.80, 75, 300, 0.02, 3) },
    { "camera_lte", "a camera of 2.5 Mbit/s on the walk", make_lte, LINE(30, 400),
      .source = 2500000, HOLDS(0.78, 60, 270, 0.02, 3) },
    { "layers_steps", "a simulcast of 0.2, 0.7 and 2.5 Mbit/s on 3, 1, 2.5, 0.5, 4 and 1.5",
      make_steps, LINE(25, 300), .source = 2500000, .is_layered = true,
      HOLDS(0.68, 35, 60, 0.02, 8) },
    { "fixed", "a camera of 1.5 Mbit/s that goes by nothing, on 3, 1 and 3 Mbit/s", make_dip,
      LINE(25, 214), .source = 1500000, .is_fixed = true, HOLDS(0.92, 160, 650, 0.12, 2) },
    { "layers_lte", "the same simulcast on the walk", make_lte, LINE(30, 400), .source = 2500000,
      .is_layered = true, HOLDS(0.74, 40, 130, 0.01, 4) },
};
const unsigned COURSE_COUNT = sizeof COURSES / sizeof COURSES[0];

const struct course COURSE_OF_RECORDING = { "recording", "what was recorded", NULL, LINE(25, 400) };
