/* links.h - the links (media/link.h) by which members' tracks go from one worker to another.
 *
 * A worker that wants a track asks for it by a note, and has an inlet; at the track's worker there
 * is then an outlet, until the inlet is closed.  There is one link for a track and a worker,
 * however many are sent the track there.
 */
#ifndef MOIM_FRONT_MEET_LINKS_H
#define MOIM_FRONT_MEET_LINKS_H

#include "front/meet/seat.h"
#include "media/link.h"

struct inlet {
    struct link_in in; /* in.number is 0 where there is none */
    struct server *server;
    struct list fresh;
    struct note *goodbye; /* NOTE_UNLINK */
    struct stage *stage;  /* whose it is, or */
    struct room *room;    /* of this worker's */
    uint32_t serial;      /* of the track */
    uint32_t pass;        /* of pointing in which it was wanted last */
    uint8_t worker;       /* where the track is */
};

struct outlet {
    struct link_out out;
    struct server *server;
    struct {
        uint64_t number;
        uint64_t worker;
    } key;
};

/* Asks for a track of the show's; for the stage, or for the room where stage is NULL.  NULL: there
 * are too many tracks, or there is no memory. */
struct inlet *inlet_open(struct show *show, usec now, unsigned source, struct server *server,
                         struct stage *stage, struct room *room);
void inlet_close(struct inlet *inlet, usec now);
/* Closes all of the show's; `unused`: that were not wanted in the last pass of pointing. */
void inlets_close(struct show *show, usec now, bool unused);

void links_note(struct server *server, usec now, const struct note *note);
/* Points those who have waited for what has come. */
void links_settle(struct server *server, usec now);
/* Closes all without a word. */
void links_end(struct server *server);

#endif
