/* data.h - data channels of a meeting that is at more than one worker: what is opened and said by a
 * member reaches those whose connections are elsewhere.
 *
 * All goes by the room's own worker, which tells the others.  That a channel is open goes as notes,
 * what is said on it as records (struct server_road): a message that finds no room is lost, and a
 * channel that may lose none is then closed to those who missed it.
 */
#ifndef MOIM_FRONT_MEET_DATA_H
#define MOIM_FRONT_MEET_DATA_H

#include "front/meet/stage.h"

/* The circle of a room of this worker's, or of a stage, has its way to others from now on. */
void data_serve_room(struct server *server, struct room *room);
void data_serve_stage(struct stage *stage);
/* A worker has a seat of the room now: tells it what is open. */
void data_greet(struct server *server, struct room *room, unsigned worker);

void data_note(struct server *server, usec now, const struct note *note);
/* A record that is no link's. */
void data_record(struct server *server, usec now, unsigned from, struct view bytes);

#endif
