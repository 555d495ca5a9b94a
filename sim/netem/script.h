/* script.h - what becomes of a line as time passes, as text.
 *
 *     # a line that breaks down for half a minute
 *     at 0s   rate 3M queue 200ms delay 20ms jitter 5ms
 *     at 10s  rate 300k
 *     at 40s  rate 3M loss 1%
 *
 * One step a line, in the order of their times: `at`, a time, and any number of words with their
 * values, which hold until another step says otherwise.  What has not been said is 0, which is: a
 * line without that fault.
 *
 *     rate R            bits in a second; "none": no limit
 *     queue N           bytes (20kB) or a time (200ms); "none": no limit
 *     delay T
 *     jitter T          up to so much more than the delay, in order
 *     jumble T          the same, out of order
 *     loss P
 *     burst P Q         a packet begins one with the chance P, and ends it with the chance Q
 *     duplicate P
 *     reorder P T       so many come so much later
 *     block, open       nothing gets through; all does again
 *
 * Times are in us, ms or s, rates may have k or M (of 1000), sizes are in B or kB, and chances are
 * in %; all of them may have a fraction.  What follows a # is for people.
 *
 * A pure reader over caller memory.
 */
#ifndef MOIM_SIM_NETEM_SCRIPT_H
#define MOIM_SIM_NETEM_SCRIPT_H

#include "netem/netem.h"

#define NETEM_STEPS_MAX 64

enum netem_word {
    NETEM_RATE,
    NETEM_QUEUE,
    NETEM_DELAY,
    NETEM_JITTER, /* and jumble */
    NETEM_LOSS,
    NETEM_BURST,
    NETEM_DUPLICATE,
    NETEM_REORDER,
    NETEM_BLOCK /* and open */
};

struct netem_step {
    usec at;
    uint32_t words; /* bits of enum netem_word: what of the setting is said here */
    struct netem_setting setting;
};

struct netem_script {
    unsigned count;
    struct netem_step steps[NETEM_STEPS_MAX];
};

struct netem_script_error {
    unsigned line;    /* from 1 on */
    const char *what; /* static */
};

/*   OK             *script is valid.
 *   ERR_MALFORMED  *error says where and why.
 *   ERR_LIMIT      there are more than NETEM_STEPS_MAX steps; *error says where.
 * On error *script is untouched. */
MUST_USE int netem_script_read(struct view text, struct netem_script *script,
                               struct netem_script_error *error);

/* Changes what the step speaks of. */
void netem_step_apply(const struct netem_step *step, struct netem_setting *setting);

/* Writes a step as a line (without its end) that reads as the same; gives its length.  Room for
 * NETEM_STEP_TEXT_MAX bytes. */
#define NETEM_STEP_TEXT_MAX 320
size_t netem_step_write(const struct netem_step *step, char *out);

#endif
