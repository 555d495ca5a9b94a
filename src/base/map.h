/* map.h - a table from bytes to pointers, with a limit and a secret hash.
 *
 * Its memory is reserved at start, and touched as it fills: whenever it is half full, it moves into
 * twice the places.
 *
 * Keys are borrowed: they live inside what they point to, and must not change while they are in.
 * The hash is SipHash-2-4 under a random key, so nobody outside can choose names that collide.
 */
#ifndef MOIM_BASE_MAP_H
#define MOIM_BASE_MAP_H

#include "base/random.h"
#include "base/status.h"
#include "base/view.h"

struct map_place {
    uint64_t hash;
    struct view key;
    void *value; /* NULL: the place is free */
};

struct map {
    struct map_place *places;
    uint32_t place_count; /* a power of two, at least twice count */
    uint32_t count_max;
    uint32_t count;
    uint64_t secret[2];
};

MUST_USE int map_init(struct map *map, uint32_t count_max, const struct random *random);
void map_free(struct map *map);

/* NULL when the key is not in. */
void *map_find(const struct map *map, struct view key);

/* ERR_EXISTS, ERR_LIMIT (count_max are in). */
MUST_USE int map_add(struct map *map, struct view key, void *value);

/* Nothing happens when the key is not in. */
void map_remove(struct map *map, struct view key);

/* SipHash-2-4 (Aumasson and Bernstein, 2012): the same bytes and secret, the same number. */
uint64_t siphash(struct view bytes, const uint64_t secret[2]);

#endif
