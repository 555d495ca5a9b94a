/* talk.h - what callers say in the simulation, as each speech has it: JSON to a relay, STOMP, and
 * Socket.IO.
 *
 * All say the same: that they come into a room, and events of JSON to all in it.
 */
#ifndef MOIM_SIM_TALK_H
#define MOIM_SIM_TALK_H

#include "line.h"

enum talk_kind { TALK_JSON, TALK_STOMP, TALK_SOCKETIO };

/* A place where callers meet. */
struct home {
    const char *path;
    enum talk_kind talk;
    enum line_kind lines[4]; /* how it is reached */
    uint32_t line_count;
};

#define HOMES 5

extern const struct home homes[HOMES];
extern const struct endpoint_configs home_endpoints;

#define CANDIDATES_MAX 4 /* behind an offer */

struct talk {
    enum talk_kind kind;
    struct line *line;
    const char *room;
    usec said_at;
    char event[16]; /* one whose attachment is still to come */
    uint8_t *json;
    size_t json_size;
    /* What is told; "joined": it is in the room. */
    void *context;
    void (*told)(void *context, struct view event, struct view json);
};

/* The line is open: greets, and comes into the room. */
void talk_begin(struct talk *talk);
/* An event to the room.  False: it could not be said. */
bool talk_say(struct talk *talk, const char *event, struct view json);
/* A message came. */
void talk_hear(struct talk *talk, struct view message, bool is_binary);
/* Says something now and then, where the speech wants it. */
void talk_beat(struct talk *talk);
void talk_end(struct talk *talk);

#endif
