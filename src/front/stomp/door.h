/* door.h - the CCTV door: who asks to see a room's cameras, and who has left, by long polls.
 *
 *     GET  /poll/enter/room/{roomId}             answered when someone asks to see a camera there
 *     POST /receive-events/enter/room/{roomId}   asks: {"camKey": ...}
 *     GET  /poll/leave/room/{roomId}             answered when a session of that room ends
 *
 * A poll is held for as long as its client waits, and answered once.  It owns a door_wait and the
 * stream's few held headers.
 */
#ifndef MOIM_FRONT_STOMP_DOOR_H
#define MOIM_FRONT_STOMP_DOOR_H

#include "front/core.h"

struct door {
    struct pool waits;
    struct pool rooms; /* those that someone waits for */
    struct map by_name;
    bool is_open;
};

extern const char *const DOOR_PATHS[]; /* ends with NULL */

/* Opens the door for up to `waits_max` polls at once.  ERR_MEMORY. */
MUST_USE int door_init(struct door *door, struct server *server, uint32_t waits_max);
/* Polls that wait are forgotten.  A door that was never opened is accepted. */
void door_free(struct door *door);

/* Answers server->request, now or later; `path` begins with one of DOOR_PATHS. */
void door_request(struct door *door, struct server *server, usec now, struct stream *stream,
                  struct view path, struct view body);

/* A session of the room has ended, and `left` are still there.  `cam_key` may be empty. */
void door_tell_left(struct door *door, struct server *server, usec now, struct view room,
                    struct view cam_key, uint32_t left);

#endif
