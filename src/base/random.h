/* random.h - a source of random bytes, handed in as an argument.
 *
 * The shell hands in the system's; the simulation a seeded one.
 */
#ifndef MOIM_BASE_RANDOM_H
#define MOIM_BASE_RANDOM_H

#include <stddef.h>

struct random {
    void (*fill)(void *context, void *into, size_t size); /* never fails */
    void *context;
};

static inline void random_fill(const struct random *random, void *into, size_t size)
{
    random->fill(random->context, into, size);
}

#endif
