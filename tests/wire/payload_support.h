/* payload_support.h - what the tests of payloads share: any bytes, every cut, every flipped bit. */
#ifndef MOIM_TESTS_WIRE_PAYLOAD_SUPPORT_H
#define MOIM_TESTS_WIRE_PAYLOAD_SUPPORT_H

#include "support.h"

/* The bytes of the last payload, in a block of exactly their size. */
static uint8_t *block;

static inline struct view from_hex(const char *hex)
{
    uint8_t bytes[512];
    size_t size = test_read_hex(hex, bytes);
    free(block);
    block = test_copy(view_make(bytes, size));
    return view_make(block, size);
}

static inline int free_block(void **state)
{
    (void)state;
    free(block);
    block = NULL;
    return 0;
}

/* Calls `check` with every beginning of the bytes, then with each of their bits turned over. */
static inline void damage(const char *hex, void (*check)(struct view))
{
    uint8_t bytes[512];
    size_t size = test_read_hex(hex, bytes);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = test_copy(view_make(bytes, cut));
        check(view_make(copy, cut));
        free(copy);
    }
    for (size_t bit = 0; bit < 8 * size; bit++) {
        uint8_t *copy = test_copy(view_make(bytes, size));
        copy[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        check(view_make(copy, size));
        free(copy);
    }
}

#endif
