/* usec.h - time as the core sees it: microseconds of a monotonic clock, handed in as an
 * argument. */
#ifndef MOIM_BASE_USEC_H
#define MOIM_BASE_USEC_H

#include <stdint.h>

typedef uint64_t usec;

#define USEC_MS    ((usec)1000)
#define USEC_S     ((usec)1000000)
#define USEC_NEVER UINT64_MAX

#endif
