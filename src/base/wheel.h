/* wheel.h - a hierarchical timer wheel: any number of timers, O(1) to set and to cancel.
 *
 * Timers are embedded in what they belong to.  A tick is 1024 us: a timer expires never early and
 * at most one tick late.  One thread.
 */
#ifndef MOIM_BASE_WHEEL_H
#define MOIM_BASE_WHEEL_H

#include "base/list.h"
#include "base/usec.h"

#define WHEEL_LEVELS 4
#define WHEEL_SLOTS  64

struct timer {
    struct list node;
    uint64_t tick; /* when it expires */
    uint8_t level;
    uint8_t slot;
    uint8_t is_set;
    uint8_t kind; /* the owner's, to tell its timers apart */
};

struct wheel {
    uint64_t tick; /* all timers up to here have been moved to `expired` */
    struct list expired;
    struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
    uint64_t least[WHEEL_LEVELS][WHEEL_SLOTS]; /* no timer of the slot has a lower tick */
    uint64_t occupied[WHEEL_LEVELS];           /* a bit a slot that is not empty */
};

void wheel_init(struct wheel *wheel, usec now);

/* A timer before its first use (zeroed memory will do, too). */
static inline void timer_init(struct timer *timer)
{
    *timer = (struct timer){ 0 };
}

/* Sets the timer, anew if it was set.  A time that has passed expires at the next wheel_expired. */
void wheel_set(struct wheel *wheel, struct timer *timer, usec at);
void wheel_cancel(struct wheel *wheel, struct timer *timer);

/* When a timer that is set expires, to a tick. */
usec wheel_time(const struct timer *timer);

/* The next timer that expired by `now`, which is then no longer set; NULL when there is none.
 * Call it until NULL; timers may be set and cancelled between the calls. */
struct timer *wheel_expired(struct wheel *wheel, usec now);

/* When to call wheel_expired next: the next timer's time, or that of one which has been cancelled
 * or set anew since, so that it is earlier; USEC_NEVER when no timer is set. */
usec wheel_next(const struct wheel *wheel);

#endif
