#include "base/wheel.h"

#include <assert.h>

#define TICK_SHIFT 10
#define SLOT_BITS  6
#define FURTHEST   (((uint64_t)1 << (SLOT_BITS * WHEEL_LEVELS)) - 1) /* about 4.7 hours */

void wheel_init(struct wheel *wheel, usec now)
{
    *wheel = (struct wheel){ .tick = now >> TICK_SHIFT };
    list_init(&wheel->expired);
    for (int level = 0; level < WHEEL_LEVELS; level++)
        for (int slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&wheel->slots[level][slot]);
}

/* Puts a timer where its time belongs: the lowest level whose turn reaches it.  One that is further
 * off than the wheel turns waits in the last slot and is placed again from there. */
static void place(struct wheel *wheel, struct timer *timer)
{
    if (timer->tick <= wheel->tick) {
        timer->level = WHEEL_LEVELS;
        list_append(&wheel->expired, &timer->node);
        return;
    }
    uint64_t away = timer->tick - wheel->tick;
    uint64_t tick = away > FURTHEST ? wheel->tick + FURTHEST : timer->tick;
    uint64_t differ = tick ^ wheel->tick;
    unsigned level = 0;
    while (level < WHEEL_LEVELS - 1 && differ >> (SLOT_BITS * (level + 1)))
        level++;
    unsigned slot = (unsigned)(tick >> (SLOT_BITS * level)) % WHEEL_SLOTS;
    uint64_t *least = &wheel->least[level][slot];

    if (!(wheel->occupied[level] >> slot & 1) || timer->tick < *least)
        *least = timer->tick;
    timer->level = (uint8_t)level;
    timer->slot = (uint8_t)slot;
    list_append(&wheel->slots[level][slot], &timer->node);
    wheel->occupied[level] |= (uint64_t)1 << slot;
}

void wheel_set(struct wheel *wheel, struct timer *timer, usec at)
{
    wheel_cancel(wheel, timer);
    timer->tick = (at >> TICK_SHIFT) + ((at & ((1u << TICK_SHIFT) - 1)) ? 1 : 0);
    timer->is_set = 1;
    list_init(&timer->node);
    place(wheel, timer);
}

void wheel_cancel(struct wheel *wheel, struct timer *timer)
{
    if (!timer->is_set)
        return;
    timer->is_set = 0;
    list_remove(&timer->node);
    if (timer->level < WHEEL_LEVELS && list_empty(&wheel->slots[timer->level][timer->slot]))
        wheel->occupied[timer->level] &= ~((uint64_t)1 << timer->slot);
}

usec wheel_time(const struct timer *timer)
{
    assert(timer->is_set);
    return timer->tick << TICK_SHIFT;
}

/* Empties a slot and places its timers anew. */
static void spill(struct wheel *wheel, unsigned level, unsigned slot)
{
    struct list *head = &wheel->slots[level][slot];
    struct list moved;
    if (list_empty(head))
        return;
    moved = *head;
    moved.next->prev = &moved;
    moved.prev->next = &moved;
    list_init(head);
    wheel->occupied[level] &= ~((uint64_t)1 << slot);
    while (!list_empty(&moved)) {
        struct timer *timer = LIST_ENTRY(moved.next, struct timer, node);
        list_remove(&timer->node);
        place(wheel, timer);
    }
}

/* The tick at which the wheel next has something to do: a slot of level 0 is due, or a slot of a
 * higher level is to be spilled.  UINT64_MAX when it is empty.  *least: no timer expires before. */
static uint64_t next_tick(const struct wheel *wheel, uint64_t *least)
{
    uint64_t next = UINT64_MAX;
    *least = UINT64_MAX;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        uint64_t here = wheel->tick >> (SLOT_BITS * level);
        unsigned slot = (unsigned)(here % WHEEL_SLOTS);
        uint64_t ahead = wheel->occupied[level];
        if (!ahead)
            continue;
        /* bit 0 becomes the slot after this one */
        unsigned turn = (slot + 1) % WHEEL_SLOTS;
        ahead = turn ? ahead >> turn | ahead << (WHEEL_SLOTS - turn) : ahead;
        uint64_t steps = (uint64_t)__builtin_ctzll(ahead) + 1;
        uint64_t tick = (here + steps) << (SLOT_BITS * level);
        if (tick < next)
            next = tick;
        uint64_t in_slot = wheel->least[level][(slot + steps) % WHEEL_SLOTS];
        if ((in_slot - tick) >> (SLOT_BITS * level))
            in_slot = tick; /* further off than the wheel turns: another slot's may be sooner */
        if (in_slot < *least)
            *least = in_slot;
    }
    return next;
}

struct timer *wheel_expired(struct wheel *wheel, usec now)
{
    uint64_t until = now >> TICK_SHIFT;
    uint64_t least;
    while (list_empty(&wheel->expired) && wheel->tick < until) {
        uint64_t tick = next_tick(wheel, &least);
        if (tick > until) {
            wheel->tick = until;
            break;
        }
        wheel->tick = tick;
        for (unsigned level = WHEEL_LEVELS - 1; level > 0; level--)
            if ((tick & (((uint64_t)1 << (SLOT_BITS * level)) - 1)) == 0)
                spill(wheel, level, (unsigned)(tick >> (SLOT_BITS * level)) % WHEEL_SLOTS);
        spill(wheel, 0, (unsigned)tick % WHEEL_SLOTS);
    }
    if (list_empty(&wheel->expired))
        return NULL;
    struct timer *timer = LIST_ENTRY(wheel->expired.next, struct timer, node);
    list_remove(&timer->node);
    timer->is_set = 0;
    return timer;
}

usec wheel_next(const struct wheel *wheel)
{
    uint64_t least;
    if (!list_empty(&wheel->expired))
        return wheel->tick << TICK_SHIFT;
    /* slots that are due before it are spilled then: to be woken for that would be for nothing */
    uint64_t tick = next_tick(wheel, &least);
    return tick == UINT64_MAX ? USEC_NEVER : least << TICK_SHIFT;
}
