#include "chance.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void chance_init(struct chance *chance, uint64_t seed)
{
    memset(chance, 0, sizeof *chance);
    chance->state = seed * 0x2545f4914f6cdd1du + 1;
}

uint64_t chance_random(struct chance *chance)
{
    uint64_t z = chance->state += 0x9e3779b97f4a7c15u; /* SplitMix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t chance_pick(struct chance *chance, uint32_t bound)
{
    return (uint32_t)(chance_random(chance) % bound);
}

bool chance_of(struct chance *chance, uint32_t percent)
{
    return chance_pick(chance, 100) < percent;
}

static void fill(void *context, void *into, size_t size)
{
    uint8_t *out = into;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)chance_random(context);
}

struct random chance_source(struct chance *chance)
{
    return (struct random){ fill, chance };
}

void chance_note(struct chance *chance, uint64_t number)
{
    chance->hash = (chance->hash ^ number) * 0x100000001b3u;
}

void chance_fail(struct chance *chance, usec now, const char *format, ...)
{
    va_list arguments;
    if (chance->error[0])
        return;
    int size = snprintf(chance->error, sizeof chance->error,
                        "at %.3f s: ", (double)(now - CHANCE_BEGIN) / USEC_S);
    va_start(arguments, format);
    vsnprintf(chance->error + size, sizeof chance->error - (size_t)size, format, arguments);
    va_end(arguments);
}
