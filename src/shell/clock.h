/* clock.h - the two clocks of the system: the only place where time comes in. */
#ifndef MOIM_SHELL_CLOCK_H
#define MOIM_SHELL_CLOCK_H

#include "base/usec.h"

/* Monotonic: it never goes back, and says nothing of the time of day. */
usec clock_now(void);

/* The time of day, since 1970, when clock_now was 0.  It moves when the system's clock is set. */
usec clock_unix_at_zero(void);

#endif
