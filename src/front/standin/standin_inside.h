/* standin_inside.h - the inside of stand-ins, for the files of src/front/standin/ alone.
 *
 * standin.c       rooms, clients, stand-ins: how they come and go
 * standin_talk.c  offers and answers
 * standin_aim.c   whose tracks go where, and on which stand-in a client uploads
 */
#ifndef MOIM_FRONT_STANDIN_STANDIN_INSIDE_H
#define MOIM_FRONT_STANDIN_STANDIN_INSIDE_H

#include "front/standin/standin.h"

/* ---- standin.c ---- */

/* A stand-in with a peer of its own; NULL: there is no room for it, which was counted. */
struct standin *standin_open(struct standin_client *client, usec now, struct standin_client *far);
/* Closes its peer.  Its client may be without a source then. */
void standin_close(struct standin *standin, usec now);
/* The newest of the client's in that one's place; NULL: there is none. */
struct standin *standin_of(const struct standin_client *client, const struct standin_client *far);
void standin_refuse(const struct standins *standins);

/* ---- standin_talk.c ---- */

/* Calls the stand-in's client, with sections like those of `model`.  False: it can't. */
bool standin_call(struct standin *standin, usec now, const struct peer *model, bool may_receive);
/* Tells the client our next offer; false: there is no room for it. */
bool standin_offer(struct standin *standin, usec now);

/* ---- standin_aim.c ---- */

/* Sends what the client is to see there. */
void standin_aim(struct standin *standin, usec now);
/* Whether the client's tracks are to come in on it. */
bool standin_receives(const struct standin *standin, usec now);
/* Whether there is no stand-in on which they do, or will. */
bool standin_is_vacant(const struct standin_client *client, usec now);
/* Something was agreed on, or its connection stands. */
void standin_settle(struct standin *standin, usec now);
/* The client publishes nothing any more, or nothing yet. */
void standin_unpublish(struct standin_client *client, usec now);
/* Has another of the client's stand-ins become its source, when its source is gone or in nobody's
 * place. */
void standin_elect(struct standin_client *client, usec now);

#endif
