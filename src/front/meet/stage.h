/* stage.h - a room of another worker that has members' peers here: those seats, and what there is
 * in the room, as that worker tells it.
 *
 * The room, its members and what is said to them stay there.  A stage is there for as long as it
 * has seats.
 */
#ifndef MOIM_FRONT_MEET_STAGE_H
#define MOIM_FRONT_MEET_STAGE_H

#include "front/meet/seat.h"

struct stage {
    struct server *server;
    struct list node;
    unsigned home; /* the room's worker, and */
    uint64_t room; /* the room's serial there */
    struct list seats;
    struct data_circle data;
    struct room_voices voices; /* only listened to: it is the room that decides */
    uint8_t name_size;
    char name[ROOM_NAME_MAX];
    uint32_t show_count;
    struct show shows[ROOM_MEMBERS_MAX]; /* of members that have seats, in their order */
};

/* NULL: that worker's room has none here. */
struct stage *stage_find(const struct server *server, unsigned home, uint64_t room);
void stage_note(struct server *server, usec now, const struct note *note);
/* Tells the room's worker what its seats have. */
void stage_tell_sums(const struct stage *stage, usec now);
/* Closes its seats, without a word to the room's worker, and the stage with them. */
void stage_end(struct stage *stage, usec now);
/* Forgets it. */
void stage_free(struct stage *stage);
/* A seat that is closed: its stage, too, if that was its last. */
void stage_leave(struct seat *seat, usec now);

#endif
