/* tally.h - what is counted of all peers together. */
#ifndef MOIM_BENCH_SFU_TALLY_H
#define MOIM_BENCH_SFU_TALLY_H

#include <stdint.h>

#define TALLY_STEP_NS 10000u /* of delays */
#define TALLY_STEPS   100000 /* up to a second */

struct tally {
    /* since the last tally_clear */
    uint64_t packets; /* that bore a track's stamp, each once */
    uint64_t bytes;   /* of them, as RTP */
    uint64_t repeats; /* came as RTX, and were still missing */
    uint64_t doubles; /* came before */
    uint64_t others;  /* bore no stamp: probes and padding */
    uint64_t wrong;   /* could not be read or opened */
    uint64_t thrown;  /* by ourselves */
    uint64_t nacks, plis, reports, feedbacks;
    uint64_t gone_up; /* packets of our tracks */
    uint32_t delays[TALLY_STEPS];
    uint64_t delay_count;
};

void tally_clear(struct tally *tally);
/* A delay; one of a clock that went back counts as none. */
void tally_delay(struct tally *tally, int64_t ns);
/* Of the delays, the one that a share of 0 to 1 is not above: in us; 0 when there are none. */
double tally_quantile_us(const struct tally *tally, double share);

#endif
