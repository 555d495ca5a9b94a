/* rtp_sequence.h - arithmetic with RTP's numbers, which begin anywhere and wrap around.
 *
 * Of two numbers, the later is the one that is reached from the other by fewer steps upward.  Half
 * the circle apart, the numerically greater is the later, so that an order is always there.
 */
#ifndef MOIM_WIRE_RTP_SEQUENCE_H
#define MOIM_WIRE_RTP_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

/* How many steps upward from b to a: -32,768 to 32,767. */
static inline int rtp_sequence_distance(uint16_t a, uint16_t b)
{
    return (int16_t)(uint16_t)(a - b);
}

/* Whether a is later than b. */
static inline bool rtp_sequence_later(uint16_t a, uint16_t b)
{
    uint16_t distance = (uint16_t)(a - b);
    return distance == 0x8000 ? a > b : distance != 0 && distance < 0x8000;
}

/* The same for timestamps. */
static inline int32_t rtp_timestamp_distance(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

static inline bool rtp_timestamp_later(uint32_t a, uint32_t b)
{
    uint32_t distance = a - b;
    return distance == 0x80000000u ? a > b : distance != 0 && distance < 0x80000000u;
}

/* Turns numbers that wrap into numbers that don't.  Zeroed at first; one for each stream.
 * The low bits of a result are the number itself.  The first result is over one whole circle, so
 * that what comes late from before it is not below zero. */
struct rtp_unwrapper {
    uint64_t highest;
};

/* Each number is taken to be within half the circle of the highest one yet.  A jump of more than
 * that can't be told from a step back: who resets a stream zeroes its unwrapper. */
static inline uint64_t rtp_unwrap_sequence(struct rtp_unwrapper *unwrapper, uint16_t number)
{
    if (unwrapper->highest == 0)
        unwrapper->highest = 0x10000u + number;
    int distance = rtp_sequence_distance(number, (uint16_t)unwrapper->highest);
    uint64_t whole = unwrapper->highest + (uint64_t)(int64_t)distance;
    if (distance > 0)
        unwrapper->highest = whole;
    return whole;
}

static inline uint64_t rtp_unwrap_timestamp(struct rtp_unwrapper *unwrapper, uint32_t number)
{
    if (unwrapper->highest == 0)
        unwrapper->highest = 0x100000000u + number;
    int32_t distance = rtp_timestamp_distance(number, (uint32_t)unwrapper->highest);
    uint64_t whole = unwrapper->highest + (uint64_t)(int64_t)distance;
    if (distance > 0)
        unwrapper->highest = whole;
    return whole;
}

#endif
