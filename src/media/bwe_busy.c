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

void bwe_busy_begin(struct bwe_busy *busy)
{
    busy->has_lowest = false;
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
