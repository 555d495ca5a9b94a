#include "shell/clock.h"

#include <time.h>

static usec read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (usec)t.tv_sec * USEC_S + (usec)t.tv_nsec / 1000;
}

usec clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

usec clock_unix_at_zero(void)
{
    return read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC);
}
