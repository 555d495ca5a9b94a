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

/* The slot has one of those that are there. */
static bool is_used(const struct packet_ring *ring, uint32_t slot)
{
    return ((slot - ring->first) & (ring->count - 1)) < ring->arrived - ring->first;
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
    const struct packet *packet = &ring->packets[slot];
    if (!is_used(ring, slot))
        return NULL;
    return packet->sequence == sequence && is_there(ring, packet) ? packet : NULL;
}

/* Where the next packet would lie, among all bytes that were ever written: it is in one piece. */
static uint64_t place(const struct packet_ring *ring, size_t bytes)
{
    uint32_t left = ring->size - (uint32_t)(ring->written % ring->size);
    return ring->written + (left < bytes ? left : 0);
}

static void store(struct packet_ring *ring, const struct packet *packet, struct view bytes)
{
    uint32_t slot = (uint32_t)(ring->arrived & (ring->count - 1));
    struct packet *stored = &ring->packets[slot];
    *stored = *packet;
    stored->position = place(ring, bytes.size);
    stored->size = (uint16_t)bytes.size;
    memcpy(ring->bytes + stored->position % ring->size, bytes.at, bytes.size);
    ring->by_sequence[packet->sequence & (ring->count - 1)] = slot;
    ring->written = stored->position + bytes.size;
    ring->arrived++;
    while (!packet_ring_arrival(ring, ring->first))
        ring->first++;
}

int packet_ring_add(struct packet_ring *ring, const struct packet *packet, struct view bytes,
                    const struct packet **out)
{
    if (bytes.size > ring->size || bytes.size > UINT16_MAX)
        return ERR_LIMIT;
    if (packet_ring_find(ring, packet->sequence))
        return ERR_EXISTS;
    store(ring, packet, bytes);
    *out = packet_ring_arrival(ring, ring->arrived - 1);
    return OK;
}

bool packet_ring_wants(const struct packet_ring *ring, usec now, usec keep, size_t bytes,
                       uint32_t size_most, uint32_t count_most, uint32_t *size, uint32_t *count)
{
    const struct packet *first = packet_ring_arrival(ring, ring->first);
    *size = ring->size;
    *count = ring->count;
    if (!first || now - first->received_at >= keep)
        return false;
    if (place(ring, bytes) + bytes - first->position > ring->size && ring->size < size_most)
        *size *= 2;
    if (ring->arrived - ring->first == ring->count && ring->count < count_most)
        *count *= 2;
    return *size != ring->size || *count != ring->count;
}

void packet_ring_move(struct packet_ring *ring, void *memory, uint32_t size, uint32_t count)
{
    const struct packet_ring former = *ring;
    assert(size >= former.size && count >= former.count);
    packet_ring_init(ring, memory, size, count);
    ring->arrived = ring->first = former.first;
    for (uint64_t n = former.first; n < former.arrived; n++) {
        const struct packet *packet = packet_ring_arrival(&former, n);
        store(ring, packet, view_make(packet_bytes(&former, packet), packet->size));
    }
}
