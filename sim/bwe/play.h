/* play.h - a follower on a line whose capacity is known: virtual time in steps of a millisecond,
 * packets that arrive to the microsecond, feedback each 50 ms as browsers give it, which nothing
 * happens to on its way.
 *
 * All chance is from the seed: of two followers on the same course with the same seed the lines are
 * the same.
 */
#ifndef MOIM_SIM_BWE_PLAY_H
#define MOIM_SIM_BWE_PLAY_H

#include "bwe/courses.h"
#include "bwe/source.h"
#include "media/arrivals.h"

#define PLAY_OVERHEAD    28 /* bytes of IPv4 and UDP */
#define PLAY_WARM_S      5  /* the first seconds don't count for use */
#define PLAY_SAMPLE_MS   100
#define PLAY_SAMPLES_MAX 6000
#define PLAY_QUEUE_MAX   10000 /* ms that are told apart */

/* A tenth of a second: bits/s of all that is on the line, and ms. */
struct play_sample {
    double capacity; /* without what others had of it */
    double estimate;
    double come; /* without padding */
    double queue;
};

struct play {
    const struct course *course;
    const struct follower_kind *kind;
    struct follower *follower;
    struct chance chance;
    usec begin, now;
    struct netem down, up;
    struct pool store;
    double tokens; /* bits, of a policer */
    usec other_at;
    struct arrivals arrivals;
    struct source source;
    /* counted */
    uint64_t sent, come, padding, all_bytes;
    double queue_sum; /* ms */
    uint32_t queues[PLAY_QUEUE_MAX];
    /* of the sample that is open */
    double sample_bits, sample_others, sample_queue;
    unsigned sample_come;
    unsigned sample_count;
    struct play_sample samples[PLAY_SAMPLES_MAX];
    struct capacity capacity;
};

/* `recording`: instead of what the course makes.  It is large: not on the stack. */
void play_run(struct play *play, const struct course *course, uint64_t seed,
              const struct follower_kind *kind, const struct capacity *recording,
              struct outcome *outcome);

#endif
