/* courses.h - lines whose capacity is known, and between which bounds an estimate's work on each
 * of them must lie.  What they take is up to 15 % more or less with each seed.
 */
#ifndef MOIM_SIM_BWE_COURSES_H
#define MOIM_SIM_BWE_COURSES_H

#include "chance.h"
#include "netem/capacity.h"

/* What came of it; means over a run. */
struct outcome {
    double use;      /* media that came, of what could have: from the 5th second on */
    double queue_ms; /* that packets came later than on an empty line, on the average ... */
    double queue_95; /* ... and the 95th of a hundred */
    double loss;     /* of the packets sent: 0 to 1 */
    double reach_s;  /* when 4/5 of the line was used first, for half a second; all of it: never */
    double padding;  /* the part of what was sent that was padding */
    double over;     /* the part of the time in which more was estimated than there was */
};

struct course {
    const char *name;
    const char *what;
    void (*make)(struct chance *chance, struct capacity *capacity);
    unsigned seconds;
    usec way;        /* in each direction */
    usec queue;      /* holds what the line takes in that time, on the average of it */
    uint32_t loss;   /* of a million */
    uint32_t others; /* bits/s of packets of other people, on the average */
    bool is_policed; /* what is too much is dropped and never waits; it has as much at once as the
                      * line takes in .queue */
    uint32_t source; /* bits/s that a camera has; 0: as much as may be sent */
    bool is_layered; /* the camera ... */
    bool is_fixed;   /* ... (source.h) */
    /* Of the means over seeds. */
    double use_least, queue_most_ms, queue_95_most, loss_most, reach_most;
};

extern const struct course COURSES[];
extern const unsigned COURSE_COUNT;

/* Of a recording that is read; nothing is held of it. */
extern const struct course COURSE_OF_RECORDING;

#endif
