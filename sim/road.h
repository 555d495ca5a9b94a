/* road.h - between the workers of a world: notes, which arrive and in their order, and records,
 * for which there may be no room.  Each pair of workers has a way of its own for either, and none
 * knows of the others.
 */
#ifndef MOIM_SIM_ROAD_H
#define MOIM_SIM_ROAD_H

#include "chance.h"
#include "front/server.h"

#define ROAD_WORKERS_MAX 4
#define ROAD_RECORDS_MAX 256 /* under way, of a pair */
#define ROAD_TIME_MS_MAX 30

struct letter;

struct way {
    struct letter *first, *last;
    uint32_t count;
};

struct road {
    struct chance *chance;
    const usec *now;
    unsigned from;
    struct way notes[ROAD_WORKERS_MAX];   /* to each worker */
    struct way records[ROAD_WORKERS_MAX]; /* as these */
    uint64_t noted, recorded;
};

void road_init(struct road *road, struct chance *chance, const usec *now, unsigned from);
void road_free(struct road *road);

/* For server_config. */
struct server_road road_way(struct road *road);
/* Takes the notes that leave the server. */
void road_take(struct road *road, struct server *server);
/* Delivers what is due; gives a bit for each worker that something came to. */
uint32_t road_carry(struct road *road, struct server **servers);

#endif
