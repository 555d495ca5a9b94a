#include "media/renumbering.h"

#include <assert.h>
#include <string.h>

#define WORDS (RENUMBERING_WINDOW / 64)

static uint64_t *word_of(struct renumbering *numbers, uint64_t in)
{
    return &numbers->kept[in / 64 % WORDS];
}

static uint64_t bit_of(uint64_t in)
{
    return (uint64_t)1 << in % 64;
}

void renumbering_begin(struct renumbering *numbers, uint64_t in, uint64_t out)
{
    numbers->in = in;
    numbers->out = out;
    memset(numbers->kept, 0xff, sizeof numbers->kept);
}

void renumbering_add(struct renumbering *numbers, uint64_t in, bool is_kept)
{
    assert(in > numbers->in);
    uint64_t missing = in - numbers->in - 1;
    if (missing >= RENUMBERING_WINDOW)
        memset(numbers->kept, 0xff, sizeof numbers->kept);
    else
        for (uint64_t at = numbers->in + 1; at < in; at++)
            *word_of(numbers, at) |= bit_of(at);
    numbers->out += missing + is_kept;
    numbers->in = in;
    if (is_kept)
        *word_of(numbers, in) |= bit_of(in);
    else
        *word_of(numbers, in) &= ~bit_of(in);
}

static unsigned count_bits(uint64_t bits)
{
    return (unsigned)__builtin_popcountll(bits);
}

/* Those of the numbers in..., up to the end of its word or to the highest. */
static uint64_t kept_from(const struct renumbering *numbers, uint64_t in)
{
    uint64_t bits = numbers->kept[in / 64 % WORDS] & ~(uint64_t)0 << in % 64;
    if (in / 64 == numbers->in / 64)
        bits &= ~(uint64_t)0 >> (63 - numbers->in % 64);
    return bits;
}

bool renumbering_out(const struct renumbering *numbers, uint64_t in, uint64_t *out)
{
    uint64_t later = 0;
    if (in > numbers->in || numbers->in - in >= RENUMBERING_WINDOW)
        return false;
    if (!(numbers->kept[in / 64 % WORDS] & bit_of(in)))
        return false;
    for (uint64_t at = in + 1; at <= numbers->in; at = (at / 64 + 1) * 64)
        later += count_bits(kept_from(numbers, at));
    *out = numbers->out - later;
    return true;
}

/* The n-th highest bit of those that are set; n counts from 0. */
static unsigned nth_highest(uint64_t bits, unsigned n)
{
    for (; n > 0; n--)
        bits &= ~((uint64_t)1 << (63 - __builtin_clzll(bits)));
    return 63u - (unsigned)__builtin_clzll(bits);
}

bool renumbering_in(const struct renumbering *numbers, uint64_t out, uint64_t *in)
{
    if (out > numbers->out || numbers->out - out >= RENUMBERING_WINDOW)
        return false;
    uint64_t later = numbers->out - out; /* that go on, behind the one that is looked for */
    uint64_t first = numbers->in < RENUMBERING_WINDOW ? 0 : numbers->in - (RENUMBERING_WINDOW - 1);
    uint64_t base = numbers->in / 64 * 64;
    while (true) {
        uint64_t bits = kept_from(numbers, base < first ? first : base);
        unsigned count = count_bits(bits);
        if (later < count) {
            *in = base + nth_highest(bits, (unsigned)later);
            return true;
        }
        later -= count;
        if (base <= first)
            return false;
        base -= 64;
    }
}
