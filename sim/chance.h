/* chance.h - what all simulations have of their seed: chance, a hash of what came of it, and the
 * first thing that must not have been.
 *
 * All chance of a run comes from here, so that the same seed runs the same way; the hash shows it.
 */
#ifndef MOIM_SIM_CHANCE_H
#define MOIM_SIM_CHANCE_H

#include "base/random.h"
#include "base/usec.h"

#include <stdbool.h>
#include <stdint.h>

#define CHANCE_BEGIN (1000 * USEC_S) /* virtual time at which runs begin */

struct chance {
    uint64_t state;
    uint64_t hash;   /* of all that happened */
    char error[200]; /* "": none */
};

void chance_init(struct chance *chance, uint64_t seed);

uint64_t chance_random(struct chance *chance);
/* From 0 to below `bound`. */
uint32_t chance_pick(struct chance *chance, uint32_t bound);
bool chance_of(struct chance *chance, uint32_t percent);
/* For servers and agents.  Lasts as long as the chance. */
struct random chance_source(struct chance *chance);

/* That this happened. */
void chance_note(struct chance *chance, uint64_t number);

/* What must not be has been: keeps the first. */
void chance_fail(struct chance *chance, usec now, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
