#include "media/bwe_busy.h"

#define BASE_EACH (30 * (int64_t)USEC_S)
#define JUMP_US   3000000 /* of a clock, or of a route */
#define WAITED_US 2000    /* less might be by chance */
/* Of the time that it was busy so much is remembered, about; less where packets wait for longer
 * than DEEP_US: they come from a queue then, one after the other. */
#define REMEMBER_US      150000
#define DEEP_REMEMBER_US 60000
#define DEEP_US          60000
#define KNOWN_US         50000 /* less says little */
#define OLD_US           500000
#define STEADY_US        2000 /* a queue that trembles less is none */
#define STEADY_LEAST_US  15000
#define SETTLES_US       1000000 /* behind what should have made it shorter */

static void move_base(struct bwe_busy *busy, int64_t way, int64_t now)
{
    bool has_jumped = busy->has_base &&
                      (now - busy->last_arrival > JUMP_US || busy->last_arrival - now > JUMP_US);
    if (!busy->has_base || has_jumped) {
        *busy = (struct bwe_busy){ .has_base = true,
                                   .base = way,
                                   .base_before = way,
                                   .base_since = now,
                                   .last_arrival = now };
        return;
    }
    if (now - busy->base_since >= BASE_EACH) {
        busy->base_before = busy->base;
        busy->base = way;
        busy->base_since = now;
    }
    if (way < busy->base)
        busy->base = way;
}

static int64_t base_of(const struct bwe_busy *busy)
{
    return busy->base < busy->base_before ? busy->base : busy->base_before;
}

static void follow_steady(struct bwe_busy *busy)
{
    int64_t lowest = busy->lowest;
    bool is_steady = busy->steady_since != 0 && lowest <= busy->steady_least + STEADY_US &&
                     lowest >= busy->steady_most - STEADY_US;
    if (!is_steady) {
        busy->steady_since = busy->last_arrival;
        busy->steady_least = busy->steady_most = lowest;
    }
    if (lowest < busy->steady_least)
        busy->steady_least = lowest;
    if (lowest > busy->steady_most)
        busy->steady_most = lowest;
}

void bwe_busy_begin(struct bwe_busy *busy)
{
    if (busy->has_lowest)
        follow_steady(busy);
    busy->has_lowest = false;
}

void bwe_busy_settle(struct bwe_busy *busy, usec reduced_ago)
{
    int64_t steady_for = busy->last_arrival - busy->steady_since;
    if (busy->steady_since == 0 || busy->steady_least < STEADY_LEAST_US ||
        reduced_ago < SETTLES_US || (int64_t)reduced_ago > steady_for)
        return;
    int64_t base = base_of(busy) + busy->steady_least;
    *busy = (struct bwe_busy){ .has_base = true,
                               .base = base,
                               .base_before = base,
                               .base_since = busy->last_arrival,
                               .last_arrival = busy->last_arrival };
}

void bwe_busy_packet(struct bwe_busy *busy, int64_t sent_at, int64_t arrived_at, size_t size)
{
    move_base(busy, arrived_at - sent_at, arrived_at);
    int64_t free_at = sent_at + base_of(busy);
    int64_t waited = arrived_at - free_at;
    if (!busy->has_lowest || waited < busy->lowest)
        busy->lowest = waited;
    busy->has_lowest = true;
    int64_t begun_at = busy->last_arrival > free_at ? busy->last_arrival : free_at;
    if (arrived_at > busy->last_arrival)
        busy->last_arrival = arrived_at;
    if (waited < WAITED_US)
        return;
    double passed = arrived_at > begun_at ? (double)(arrived_at - begun_at) : 0;
    double remembered = waited < DEEP_US ? REMEMBER_US : DEEP_REMEMBER_US;
    double kept = remembered / (remembered + passed);
    if (arrived_at - busy->busy_at > OLD_US)
        kept = 0;
    busy->bytes = busy->bytes * kept + (double)size;
    busy->busy_us = busy->busy_us * kept + passed;
    busy->busy_at = arrived_at;
}

double bwe_busy_bps(const struct bwe_busy *busy)
{
    if (busy->busy_us < KNOWN_US || busy->last_arrival - busy->busy_at > OLD_US)
        return 0;
    return busy->bytes * 8e6 / busy->busy_us;
}
