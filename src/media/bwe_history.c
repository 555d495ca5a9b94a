#include "media/bwe_history.h"

#define STILL_AWAITED (2 * USEC_S) /* what was sent longer ago will not be told of any more */

static uint32_t size_of(const struct bwe_history *history)
{
    return history->more ? BWE_HISTORY_MAX : BWE_HISTORY_OWN;
}

static struct bwe_packet *slot_of(struct bwe_history *history, uint64_t number)
{
    return history->more ? &history->more->packets[number % BWE_HISTORY_MAX]
                         : &history->own[number % BWE_HISTORY_OWN];
}

static void grow(struct bwe_history *history)
{
    struct bwe_more *more = pool_take(history->store);
    if (!more)
        return;
    for (uint64_t i = history->count - BWE_HISTORY_OWN; i < history->count; i++)
        more->packets[i % BWE_HISTORY_MAX] = history->own[i % BWE_HISTORY_OWN];
    history->more = more;
}

/* Whether the next one would take the place of one that is not told of yet. */
static bool is_too_small(const struct bwe_history *history, usec now)
{
    const struct bwe_packet *oldest = &history->own[history->count % BWE_HISTORY_OWN];
    return !history->more && history->store && history->count >= BWE_HISTORY_OWN &&
           oldest->fate == BWE_SENT && now - bwe_packet_sent_at(oldest, now) < STILL_AWAITED;
}

void bwe_history_free(struct bwe_history *history)
{
    if (history->more)
        pool_give(history->store, history->more);
    history->more = NULL;
    history->store = NULL;
}

uint16_t bwe_history_add(struct bwe_history *history, usec now, size_t size, uint8_t cluster)
{
    if (is_too_small(history, now))
        grow(history);
    uint64_t number = history->count++;
    *slot_of(history, number) = (struct bwe_packet){
        .sent_at = (uint32_t)now,
        .size = size < UINT16_MAX ? (uint16_t)size : UINT16_MAX,
        .cluster = cluster,
    };
    return (uint16_t)number;
}

struct bwe_packet *bwe_history_find(struct bwe_history *history, uint16_t number)
{
    /* how far back it is: 1 is the last one */
    uint16_t back = (uint16_t)((uint16_t)history->count - number);
    if (back == 0 || back > size_of(history) || back > history->count)
        return NULL;
    return slot_of(history, history->count - back);
}
