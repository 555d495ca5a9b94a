/* spread.h - what a worker has of meetings whose members' media is at more than one worker, and
 * the notes between them.
 *
 * Where there is one worker, or none can be reached (server_config.road), server->spread is NULL
 * and nothing here does anything.
 */
#ifndef MOIM_FRONT_MEET_SPREAD_H
#define MOIM_FRONT_MEET_SPREAD_H

#include "base/map.h"
#include "front/meet/seat.h"

#define SPREAD_SUMS_EACH (2 * USEC_S) /* for whoever runs the server */

struct spread {
    struct map seats; /* by id: all of this worker's */
    struct pool stage_pool;
    struct list stages; /* rooms of other workers that have seats here */
    struct pool inlets;
    struct pool outlets;
    struct map outlets_by_key;
    struct list fresh;  /* inlets of which something can be had now */
    struct timer timer; /* TIMER_SPREAD: set while there are stages */
    uint64_t last_seat; /* ids and numbers that were given out */
    uint32_t last_inlet;
    uint32_t pass; /* of pointing */
};

/* Makes server->spread, where it may be.  ERR_MEMORY. */
MUST_USE int spread_new(struct server *server);
/* Before media_free: links end without a word. */
void spread_close(struct server *server);
/* Behind it: peers leave the circles of their stages. */
void spread_free(struct server *server);
/* The server stops: peers of other workers' rooms say goodbye. */
void spread_stop(struct server *server, usec now);

/* The timer has expired. */
void spread_expired(struct server *server, usec now);

/* Gives the seat an id, or takes it back. */
void spread_name(struct server *server, struct seat *seat);
void spread_forget(struct server *server, struct seat *seat);
/* A seat of another worker's naming.  ERR_LIMIT, ERR_EXISTS. */
MUST_USE int spread_add(struct server *server, struct seat *seat);
/* NULL: there is none (any more). */
struct seat *spread_find(const struct server *server, uint64_t id);

#endif
