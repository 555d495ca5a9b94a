#include "agent/srtp_window.h"

#include <assert.h>
#include <string.h>

static uint64_t *word_of(struct secure_window *window, uint64_t index)
{
    return &window->seen[index / 64 % SECURE_WINDOW_WORDS];
}

static bool has(const struct secure_window *window, uint64_t index)
{
    return window->seen[index / 64 % SECURE_WINDOW_WORDS] >> (index % 64) & 1;
}

bool secure_window_empty(const struct secure_window *window)
{
    return !has(window, window->highest);
}

int secure_window_guess(const struct secure_window *window, uint16_t sequence, uint64_t *index)
{
    if (secure_window_empty(window)) {
        *index = sequence;
        return OK;
    }
    /* how far it is ahead, as a number with its sign; half of the way round is read as the RFC's
     * appendix A does */
    uint16_t last = (uint16_t)window->highest;
    int32_t ahead = (int16_t)(uint16_t)(sequence - last);
    if (ahead == INT16_MIN && last < 0x8000)
        ahead = -ahead;
    if (ahead < 0 && window->highest < (uint64_t)-ahead)
        return ERR_OLD;
    uint64_t guess = window->highest + (uint64_t)(int64_t)ahead;
    if (guess > SECURE_INDEX_MAX)
        return ERR_LIMIT;
    *index = guess;
    return OK;
}

int secure_window_check(const struct secure_window *window, uint64_t index)
{
    if (index > window->highest)
        return OK;
    if (window->highest - index >= SECURE_WINDOW)
        return ERR_OLD;
    return has(window, index) ? ERR_REPLAYED : OK;
}

void secure_window_add(struct secure_window *window, uint64_t index)
{
    if (index > window->highest) {
        /* words that the ring comes round to again */
        uint64_t words = index / 64 - window->highest / 64;
        if (words >= SECURE_WINDOW_WORDS)
            memset(window->seen, 0, sizeof(window->seen));
        else
            for (; words > 0; words--)
                *word_of(window, index - 64 * (words - 1)) = 0;
        window->highest = index;
    }
    assert(window->highest - index < SECURE_WINDOW);
    *word_of(window, index) |= UINT64_C(1) << (index % 64);
}
