/* Fuzzes the reader of recordings of what lines take.
 *
 * Input: the text.  What must hold: where it is none, that says where; where it is one, there is
 * something that the line takes, up to its last millisecond, and nothing is over the limits.
 */
#include "input.h"
#include "netem/capacity.h"

static void check(const struct capacity *capacity)
{
    CHECK(capacity->count > 0 && capacity->count <= CAPACITY_MS_MAX);
    CHECK(capacity->bps[capacity->count - 1] > 0);
    for (uint32_t i = 0; i < capacity->count; i++) {
        CHECK(capacity->bps[i] % (CAPACITY_DELIVERY * 8000) == 0);
        CHECK(capacity->bps[i] / (CAPACITY_DELIVERY * 8000) <= CAPACITY_MOST);
    }
    CHECK(capacity_at(capacity, capacity->count) == capacity->bps[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct capacity capacity;
    unsigned line = UINT32_MAX;
    struct span copy = input_copy(view_make(data, size));
    if (capacity_read(view_of_span(copy), &capacity, &line) == OK)
        check(&capacity);
    else
        CHECK(line <= size + 1);
    free(copy.at);
    return 0;
}
