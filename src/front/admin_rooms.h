/* admin_rooms.h - the admin API's rooms, their members and what media these have; answers are in
 * docs/OPERATION.md.
 *
 * A room is a meeting's, or that of an endpoint, whose path the query then bears; of an endpoint's
 * rooms only those are known whose members have peers.  What is asked of one room is answered on
 * its worker: connections are handed over there, before the request is read.
 */
#ifndef MOIM_FRONT_ADMIN_ROOMS_H
#define MOIM_FRONT_ADMIN_ROOMS_H

#include "front/core.h"
#include "front/media.h"

#define ADMIN_ROOMS_BELOW "/api/v1/rooms/"

/* GET /api/v1/rooms?limit=N&after=PLACE: those of all workers, in pages. */
void admin_list_rooms(struct server *server, usec now, struct stream *stream, struct view body);
/* All below /api/v1/rooms/: {room}, {room}/members/{member}, and behind that /pcap. */
void admin_ask_room(struct server *server, usec now, struct stream *stream, struct view body);

/* Whether the request of that target (path and query) is about one room; then, on which worker that
 * is. */
bool admin_rooms_owner(const struct server *server, struct view target, unsigned *worker);

#endif
