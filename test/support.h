/* support.h - what every unit test includes: cmocka and what it needs, and a few checks of our
 * own. */
#ifndef MOIM_TEST_SUPPORT_H
#define MOIM_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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
