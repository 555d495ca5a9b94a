/* entropy.h - the system's random bytes, as the core takes them. */
#ifndef MOIM_SHELL_ENTROPY_H
#define MOIM_SHELL_ENTROPY_H

#include "base/random.h"

/* Any thread may use it.  Should the kernel have no randomness to give, the program ends: it must
 * not run with secrets that can be guessed. */
struct random entropy_random(void);

#endif
