#include "media/packet_ring.h"

#include <assert.h>
#include <string.h>

#define ALIGNED(size) (((size) + 63) & ~(size_t)63)

size_t packet_ring_memory(uint32_t size, uint32_t count)
{
    return ALIGNED(count * sizeof(struct packet)) + ALIGNED(count * sizeof(uint32_t)) + size;
}

void packet_ring_init(struct packet_ring *ring, void *memory, uint32_t size, uint32_t count)
{
    uint8_t *at = memory;
    assert(size > 0 && count > 0 && (count & (count - 1)) == 0);
    *ring = (struct packet_ring){ .size = size, .count = count };
    ring->packets = memory;
    at += ALIGNED(count * sizeof(struct packet));
    ring->by_sequence = (uint32_t *)(void *)at;
    at += ALIGNED(count * sizeof(uint32_t));
    ring->bytes = at;
    memset(ring->by_sequence, 0, count * sizeof(uint32_t));
}

static bool is_there(const struct packet_ring *ring, const struct packet *packet)
{
    return ring->written - packet->position <= ring->size;
}

const struct packet *packet_ring_arrival(const struct packet_ring *ring, uint64_t n)
{
    if (n >= ring->arrived || ring->arrived - n > ring->count)
        return NULL;
    const struct packet *packet = &ring->packets[n & (ring->count - 1)];
    return is_there(ring, packet) ? packet : NULL;
}

const struct packet *packet_ring_find(const struct packet_ring *ring, uint64_t sequence)
{
    uint32_t slot = ring->by_sequence[sequence & (ring->count - 1)];
    if (slot >= ring->arrived) /* of a ring that has not been round yet, nothing came there */
        return NULL;
    const struct packet *packet = &ring->packets[slot];
    return packet->sequence == sequence && is_there(ring, packet) ? packet : NULL;
}

int packet_ring_add(struct packet_ring *ring, const struct packet *packet, struct view bytes,
                    const struct packet **out)
{
    if (bytes.size > ring->size || bytes.size > UINT16_MAX)
        return ERR_LIMIT;
    if (packet_ring_find(ring, packet->sequence))
        return ERR_EXISTS;
    uint32_t at = (uint32_t)(ring->written % ring->size);
    if (ring->size - at < bytes.size) /* a packet is in one piece */
        ring->written += ring->size - at;
    uint32_t slot = (uint32_t)(ring->arrived & (ring->count - 1));
    struct packet *stored = &ring->packets[slot];
    *stored = *packet;
    stored->position = ring->written;
    stored->size = (uint16_t)bytes.size;
    memcpy(ring->bytes + ring->written % ring->size, bytes.at, bytes.size);
    ring->by_sequence[packet->sequence & (ring->count - 1)] = slot;
    ring->written += bytes.size;
    ring->arrived++;
    *out = stored;
    return OK;
}
