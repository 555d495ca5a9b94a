/* voices.h - who speaks in a room, and what follows: members are told, and of the rest only so many
 * are seen and heard as the settings say (media/speakers.h).
 *
 * Levels are read where packets come in.  A stage, whose room is at another worker, only listens:
 * while somebody speaks there it reports to the room ten times a second at most, at once when there
 * was silence before.  What is decided goes back with the room's bill.
 */
#ifndef MOIM_FRONT_MEET_VOICES_H
#define MOIM_FRONT_MEET_VOICES_H

#include "front/meet/seat.h"

#define VOICES_TELL_EACH (250 * USEC_MS) /* at most; and only what has changed */

/* The seat is one of its room's, or of its stage's; it goes. */
void voices_join(struct seat *seat, usec now);
void voices_leave(struct seat *seat, usec now);
/* Who of the room has a picture now. */
void voices_show(const struct room *room, usec now);

/* Does what follows from what was heard: before media goes out. */
void voices_settle(struct server *server, usec now);
/* A timer of kind TIMER_VOICES expired. */
void voices_expired(struct server *server, usec now, struct timer *timer);
void voices_note(struct server *server, usec now, const struct note *note);
/* Tells one who has just come what the others have been told. */
void voices_greet(struct server *server, usec now, const struct member *member);

#endif
