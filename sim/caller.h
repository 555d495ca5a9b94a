/* caller.h - a client of a relay in the simulation: a bare WebSocket, a room, and JSON text.
 *
 * It joins a room, says numbered things to all in it, offers with candidates, reads slowly, loses
 * its connection and comes again as somebody else, and keeps a diary of each session.
 */
#ifndef MOIM_SIM_CALLER_H
#define MOIM_SIM_CALLER_H

#include "world.h"

#define CALLER_DIARIES_MAX 64
#define CALLER_OFFERERS    64

/* What a session heard from one who offers. */
struct offerer {
    uint64_t from;
    uint64_t offer;      /* the last */
    uint64_t candidates; /* behind it */
};

struct diary {
    char room[16];
    uint64_t id;     /* of the session */
    uint64_t *heard; /* what was said in the room: a number that nothing else said has */
    uint32_t heard_count;
    struct offerer offerers[CALLER_OFFERERS];
    bool is_here; /* in the room, in a calm time: it has heard all there is */
};

enum caller_state { CALLER_OUT, CALLER_HEAD, CALLER_JOINING, CALLER_IN, CALLER_DONE };

struct caller {
    struct world *world;
    uint32_t number;
    enum caller_state state;
    struct wire *wire;
    usec act_at;
    usec read_at;
    bool is_calm;
    bool is_leaving;
    uint64_t said;
    uint64_t offers;
    struct diary *diary; /* of the session that goes on */
    struct diary diaries[CALLER_DIARIES_MAX];
    uint32_t diary_count;
    uint8_t *input;
    size_t input_size;
};

/* The endpoints that callers use. */
extern const struct endpoint_configs caller_endpoints;

void caller_init(struct caller *caller, struct world *world, uint32_t number);
void caller_free(struct caller *caller);
void caller_turn(struct caller *caller);
usec caller_next(const struct caller *caller);
/* From now on it only stays and hears. */
void caller_calm(struct caller *caller);
/* From now on it goes, and does not come again. */
void caller_finish(struct caller *caller);

/* - Nobody hears what was said in another room, or before it came.
 * - Two who are in a room hear the same in the same order, from when the later came until one of
 *   them went; in a calm time, all there is.
 * Prints the first breach and gives false. */
bool callers_check(const struct caller *callers, uint32_t count);

#endif
