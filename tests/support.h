/* support.h - what every unit test includes: cmocka and what it needs, and a few checks of our
 * own. */
#ifndef MOIM_TESTS_SUPPORT_H
#define MOIM_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/status.h"
#include "base/view.h"

/* Compares a view with text, and prints both when they differ. */
#define assert_view(view_, text_)                                                                  \
    do {                                                                                           \
        struct view seen_ = (view_);                                                               \
        struct view wanted_ = view_of(text_);                                                      \
        if (!view_equal(seen_, wanted_)) {                                                         \
            print_error("seen \"%.*s\", wanted \"%.*s\"\n", VIEW_ARGS(seen_), VIEW_ARGS(wanted_)); \
            fail();                                                                                \
        }                                                                                          \
    } while (0)

/* Reads hexadecimal digits, and skips all else between them; gives the number of bytes. */
static inline size_t test_read_hex(const char *text, uint8_t *out)
{
    static const char DIGITS[] = "0123456789abcdef";
    size_t digits = 0;
    for (; *text; text++) {
        const char *digit = strchr(DIGITS, *text);
        if (!digit)
            continue;
        if (digits % 2 == 0)
            out[digits / 2] = 0;
        out[digits / 2] = (uint8_t)(out[digits / 2] << 4 | (digit - DIGITS));
        digits++;
    }
    return digits / 2;
}

/* The same bytes in memory of exactly their size, so that the address sanitizer sees a read past
 * their end.  The caller's, to free. */
static inline uint8_t *test_copy(struct view v)
{
    uint8_t *copy = malloc(v.size ? v.size : 1);
    assert_non_null(copy);
    if (v.size)
        memcpy(copy, v.at, v.size);
    return copy;
}

/* Lets an allocation that is too large fail under the address sanitizer as it does without. */
#define TEST_ALLOCATIONS_MAY_FAIL                                                                  \
    const char *__asan_default_options(void);                                                      \
    const char *__asan_default_options(void)                                                       \
    {                                                                                              \
        return "allocator_may_return_null=1";                                                      \
    }

/* A seeded random source (splitmix64): the same seed, the same bytes. */
static inline void test_random_fill(void *context, void *into, size_t size)
{
    uint64_t *state = context;
    uint8_t *out = into;
    for (size_t i = 0; i < size; i++) {
        uint64_t z = *state += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        out[i] = (uint8_t)(z ^ (z >> 31));
    }
}

#endif
