#include "base/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PLACES_MIN 4

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_rounds(uint64_t v[4], int count)
{
    while (count--) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static uint64_t read_le64(const uint8_t *at, size_t size)
{
    uint64_t word = 0;
    for (size_t i = 0; i < size; i++)
        word |= (uint64_t)at[i] << (8 * i);
    return word;
}

uint64_t siphash(struct view bytes, const uint64_t secret[2])
{
    uint64_t v[4] = { secret[0] ^ 0x736f6d6570736575u, secret[1] ^ 0x646f72616e646f6du,
                      secret[0] ^ 0x6c7967656e657261u, secret[1] ^ 0x7465646279746573u };
    size_t i = 0;
    for (; i + 8 <= bytes.size; i += 8) {
        uint64_t word = read_le64(bytes.at + i, 8);
        v[3] ^= word;
        sip_rounds(v, 2);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)bytes.size << 56;
    if (i < bytes.size)
        last |= read_le64(bytes.at + i, bytes.size - i);
    v[3] ^= last;
    sip_rounds(v, 2);
    v[0] ^= last;
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The places stand in the second half of a block of their own size doubled, and the next, larger
 * ones behind them: all are reserved at first, and touched when they are needed. */
int map_init(struct map *map, uint32_t count_max, const struct random *random)
{
    size_t place_count = PLACES_MIN;
    while (place_count < (size_t)count_max * 2)
        place_count *= 2;
    struct map_place *block = calloc(place_count * 2, sizeof *block);
    if (!block)
        return ERR_MEMORY;
    *map = (struct map){ .places = block + PLACES_MIN,
                         .place_count = PLACES_MIN,
                         .count_max = count_max };
    random_fill(random, map->secret, sizeof map->secret);
    return OK;
}

void map_free(struct map *map)
{
    if (map->places)
        free(map->places - map->place_count);
    *map = (struct map){ 0 };
}

/* The key's place, or the free place where it would go. */
static uint32_t find_place(const struct map *map, struct view key, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (map->place_count - 1);
    while (map->places[at].value) {
        const struct map_place *place = &map->places[at];
        if (place->hash == hash && view_equal(place->key, key))
            break;
        at = (at + 1) & (map->place_count - 1);
    }
    return at;
}

void *map_find(const struct map *map, struct view key)
{
    return map->places[find_place(map, key, siphash(key, map->secret))].value;
}

/* Twice the places. */
static void grow(struct map *map)
{
    const struct map_place *old = map->places;
    uint32_t old_count = map->place_count;
    map->places += old_count;
    map->place_count *= 2;
    for (uint32_t i = 0; i < old_count; i++)
        if (old[i].value)
            map->places[find_place(map, old[i].key, old[i].hash)] = old[i];
}

int map_add(struct map *map, struct view key, void *value)
{
    assert(value);
    uint64_t hash = siphash(key, map->secret);
    struct map_place *place = &map->places[find_place(map, key, hash)];
    if (place->value)
        return ERR_EXISTS;
    if (map->count == map->count_max)
        return ERR_LIMIT;
    if (map->place_count < (map->count + 1) * 2) {
        grow(map);
        place = &map->places[find_place(map, key, hash)];
    }
    *place = (struct map_place){ .hash = hash, .key = key, .value = value };
    map->count++;
    return OK;
}

void map_remove(struct map *map, struct view key)
{
    uint32_t mask = map->place_count - 1;
    uint32_t hole = find_place(map, key, siphash(key, map->secret));
    if (!map->places[hole].value)
        return;
    map->count--;
    /* move back whoever would no longer be found past the hole (Knuth 6.4, algorithm R) */
    for (uint32_t at = (hole + 1) & mask; map->places[at].value; at = (at + 1) & mask) {
        uint32_t home = (uint32_t)map->places[at].hash & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->places[hole] = map->places[at];
            hole = at;
        }
    }
    map->places[hole] = (struct map_place){ 0 };
}
