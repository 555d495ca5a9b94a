/* admin_rooms.h - the admin API's rooms, their members and what media these have; answers are in
 * docs/OPERATION.md.
 *
 * A room is a meeting's, or that of an endpoint, whose path the query then bears; of an endpoint's
 * rooms only those are known whose members have peers.  What is asked of one room is answered on
 * its worker: connections are handed over there, before the request is read.
 */
#ifndef MOIM_FRONT_ADMIN_ROOMS_H
#define MOIM_FRONT_ADMIN_ROOMS_H

#include "front/admin.h"
#include "front/core.h"
#include "front/media.h"

#define ADMIN_ROOMS_BELOW "/api/v1/rooms/"

/* GET /api/v1/rooms?limit=N&after=PLACE: those of all workers, in pages. */
void admin_list_rooms(struct server *server, usec now, struct stream *stream, struct view body);
/* All below /api/v1/rooms/: {room}, {room}/members/{member}, and behind that /why and
 * /pcap. */
void admin_ask_room(struct server *server, usec now, struct stream *stream, struct view body);

/* Whether the request of that target (path and query) is about one room; then, on which worker that
 * is. */
bool admin_rooms_owner(const struct server *server, struct view target, unsigned *worker);

/* ---- for admin_member.c ---- */

#define ADMIN_ANSWER_MAX ((size_t)60000)
#define ADMIN_ID_SIZE    16

/* One answer, while it is written into server->scratch. */
struct admin_answer {
    struct server *server;
    usec now;
    struct json_writer writer;
    const struct room *room; /* of a meeting; NULL: of an endpoint */
    struct media_name name;  /* of any of its peers; room is NULL: it has none */
    struct admin_page page;
};

void admin_reply(struct admin_answer *answer, struct stream *stream);
/* The next peer whose name is known. */
const struct peer *admin_next_peer(const struct server *server, uint32_t *index,
                                   struct media_name *name);
/* As the meeting protocol writes it. */
struct view admin_member_id(const struct member *member, char text[ADMIN_ID_SIZE]);
/* The members of a member's object, but for what it has of media. */
void admin_put_member(struct admin_answer *answer, const struct member *member);
void admin_put_other_member(struct admin_answer *answer, const struct media_name *name);

/* Answers about the member of that id, with its connections; with why its pictures look as they do;
 * with a capture. */
void admin_answer_member(struct admin_answer *answer, struct stream *stream, struct view id);
void admin_answer_why(struct admin_answer *answer, struct stream *stream, struct view id);
void admin_answer_pcap(struct admin_answer *answer, struct stream *stream, struct view id);

#endif
