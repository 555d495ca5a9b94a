#include "media/bwe_history.h"

uint16_t bwe_history_add(struct bwe_history *history, usec now, size_t size, uint8_t cluster)
{
    uint64_t number = history->count++;
    history->packets[number % BWE_HISTORY_MAX] = (struct bwe_packet){
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
    if (back == 0 || back > BWE_HISTORY_MAX || back > history->count)
        return NULL;
    return &history->packets[(history->count - back) % BWE_HISTORY_MAX];
}
