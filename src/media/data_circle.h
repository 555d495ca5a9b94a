/* data_circle.h - the data channels of peers that belong together: what one says on a channel, all
 * the others hear on theirs of the same label and protocol.
 *
 * A channel that one opens is opened to all others, with the same reliability, and to those that
 * come later; it is closed when the last of those who opened it has gone.  A message is not copied.
 * Who takes nothing loses messages of a channel that may lose some, and is closed a channel that
 * may not.
 *
 * The circle is the caller's, and outlives its peers' being in it.  One thread.
 */
#ifndef MOIM_MEDIA_DATA_CIRCLE_H
#define MOIM_MEDIA_DATA_CIRCLE_H

#include "base/list.h"
#include "base/usec.h"

struct peer;

struct data_circle {
    struct list peers; /* struct peer's of_circle */
};

void data_circle_init(struct data_circle *circle);

/* A peer is in one circle at most, from when it comes to when it goes or is closed.  One that is
 * not to be heard only hears: channels that it opens are its own. */
void peer_join_circle(struct peer *peer, usec now, struct data_circle *circle, bool is_heard);
void peer_leave_circle(struct peer *peer, usec now);

#endif
