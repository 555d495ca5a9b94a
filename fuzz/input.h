/* input.h - what the fuzz targets share: taking an input apart, and checks of their own.
 *
 * Every target reads its choices (how bytes are split, which limits hold) from the input's first
 * bytes and its matter from the rest, so that one file says all of a run.
 */
#ifndef MOIM_FUZZ_INPUT_H
#define MOIM_FUZZ_INPUT_H

#include "base/status.h"
#include "base/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property of the code that does not hold: says which, and stops like a crash. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The next byte; 0 when there is none. */
static inline uint8_t input_byte(struct view *input)
{
    uint8_t byte = input->size ? input->at[0] : 0;
    *input = view_slice(*input, 1, input->size);
    return byte;
}

/* Up to `size` bytes off the front. */
static inline struct view input_take(struct view *input, size_t size)
{
    struct view taken = view_slice(*input, 0, size);
    *input = view_slice(*input, size, input->size);
    return taken;
}

/* A block of its own of exactly that size, so that one byte too far is seen; free(.at). */
static inline struct span input_copy(struct view bytes)
{
    struct span copy = { malloc(bytes.size ? bytes.size : 1), bytes.size };
    CHECK(copy.at);
    if (bytes.size)
        memcpy(copy.at, bytes.at, bytes.size);
    return copy;
}

static inline uint64_t input_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* How many of `left` bytes come next under the splits that `choice` names: '0' (or NUL) all at
 * once, '1' byte by byte, others short and long pieces in turn.  *state is 0 at first. */
static inline size_t input_split(uint8_t choice, uint64_t *state, size_t left)
{
    size_t most;
    if (choice == '0' || choice == 0)
        return left;
    if (choice == '1')
        return left ? 1 : 0;
    uint64_t z = input_mix(*state += 0x9e3779b97f4a7c15u + choice);
    most = (z & 7) == 0 ? 4096 : (z & 7) < 4 ? 3 : 40;
    most = 1 + (size_t)(z >> 8) % most;
    return most < left ? most : left;
}

/* Adds bytes to a digest of what was seen, to compare two ways to the same end. */
static inline void digest_add(uint64_t *digest, const void *at, size_t size)
{
    const uint8_t *bytes = at;
    for (size_t i = 0; i < size; i++)
        *digest = (*digest ^ bytes[i]) * 0x100000001b3u;
    *digest = input_mix(*digest + size + 1);
}

static inline void digest_number(uint64_t *digest, uint64_t number)
{
    digest_add(digest, &number, sizeof number);
}

/* Whether a view lies within another, or is empty. */
static inline bool view_within(struct view inner, struct view outer)
{
    return inner.size == 0 ||
           (inner.at >= outer.at && inner.at + inner.size <= outer.at + outer.size);
}

/* A seeded source for struct random: the context is its uint64_t state. */
static inline void input_random_fill(void *context, void *into, size_t size)
{
    uint64_t *state = context;
    uint8_t *out = into;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)input_mix(*state += 0x9e3779b97f4a7c15u);
}

#endif
