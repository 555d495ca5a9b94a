/* caller.h - a client of an endpoint in the simulation: a room, and JSON, over anything.
 *
 * It joins a room, says numbered things to all in it, offers with candidates, reads slowly, loses
 * its connection and comes again as somebody else, and keeps a diary of each session.
 */
#ifndef MOIM_SIM_CALLER_H
#define MOIM_SIM_CALLER_H

#include "talk.h"

#define CALLER_DIARIES_MAX 64
#define CALLER_VOICES      64

/* What a session heard from another, or from itself. */
struct voice {
    uint64_t from;
    uint64_t said;       /* the last of what it said to all */
    uint64_t offer;      /* the last */
    uint64_t candidates; /* behind it */
};

struct diary {
    char room[16];
    uint64_t id;     /* of the session */
    uint64_t *heard; /* what was said in the room: a number that nothing else said has */
    uint32_t heard_count;
    struct voice voices[CALLER_VOICES];
    uint64_t said; /* by itself */
    bool is_here;  /* in the room, in a calm time: it has heard all there is */
};

enum caller_state { CALLER_OUT, CALLER_JOINING, CALLER_IN, CALLER_DONE };

struct caller {
    struct world *world;
    uint32_t homes[2]; /* where this world's callers meet */
    uint32_t number;
    enum caller_state state;
    struct line line;
    struct talk talk;
    usec act_at;
    usec read_at;
    bool is_calm;
    bool is_leaving;
    uint64_t said;
    uint64_t offers;
    struct diary *diary; /* of the session that goes on */
    struct diary diaries[CALLER_DIARIES_MAX];
    uint32_t diary_count;
};

void caller_init(struct caller *caller, struct world *world, const uint32_t homes[2],
                 uint32_t number);
void caller_free(struct caller *caller);
void caller_turn(struct caller *caller);
usec caller_next(const struct caller *caller);
/* From now on it only stays and hears. */
void caller_calm(struct caller *caller);
/* From now on it is as before the calm. */
void caller_stir(struct caller *caller);
/* From now on it goes, and does not come again. */
void caller_finish(struct caller *caller);

/* - Nobody hears what was said in another room, or before it came.
 * - What one says is heard in its order, with nothing left out or twice: checked as it comes.
 * - Two who are in a room hear the same in the same order, from when the later came until one of
 *   them went; in a calm time, all there is, and at least all that it said itself.
 * Prints the first breach and gives false. */
bool callers_check(const struct caller *callers, uint32_t count);

#endif
