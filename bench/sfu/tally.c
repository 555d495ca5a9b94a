#include "tally.h"

#include <string.h>

void tally_clear(struct tally *tally)
{
    memset(tally, 0, sizeof *tally);
}

void tally_delay(struct tally *tally, int64_t ns)
{
    uint64_t step = ns > 0 ? (uint64_t)ns / TALLY_STEP_NS : 0;
    tally->delays[step < TALLY_STEPS ? step : TALLY_STEPS - 1]++;
    tally->delay_count++;
}

double tally_quantile_us(const struct tally *tally, double share)
{
    uint64_t seen = 0;
    if (tally->delay_count == 0)
        return 0;
    for (unsigned i = 0; i < TALLY_STEPS; i++) {
        seen += tally->delays[i];
        if ((double)seen >= share * (double)tally->delay_count)
            return (i + 1) * (double)TALLY_STEP_NS / 1e3;
    }
    return TALLY_STEPS * (double)TALLY_STEP_NS / 1e3;
}
