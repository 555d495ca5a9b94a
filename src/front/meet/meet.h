/* meet.h - the meeting protocol, version 1 (docs/PROTOCOL.md), on a WebSocket.
 *
 * meet.c         messages of a client: dispatch and the commands in a room
 * meet_enter.c   join and resume
 * meet_events.c  events of a room, to those who hear them
 * seat.h         what members have of the SFU
 */
#ifndef MOIM_FRONT_MEET_MEET_H
#define MOIM_FRONT_MEET_MEET_H

#include "front/core.h"
#include "wire/json.h"

#define MEET_VERSION       1
#define MEET_JOIN_TIME     (10 * USEC_S)
#define MEET_ACK_EVERY     32  /* client messages */
#define MEET_PING_EVERY    128 /* events, so that what has arrived needs no keeping */
#define MEET_SDP_MAX       60000
#define MEET_WRITTEN_MAX   65000 /* what is relayed, as JSON: a message has more around it */
#define MEET_CHAT_MAX      8000
#define MEET_CANDIDATE_MAX 4096

extern const struct dialect meet_dialect;

/* A timer of kind TIMER_MEMBER_AWAY expired. */
void meet_member_expired(struct server *server, usec now, struct timer *timer);
/* One of kind TIMER_ROOM. */
void meet_topology_expired(struct server *server, usec now, struct timer *timer);

/* ---- within src/front/meet/ ---- */

/* One message of a client while it is handled. */
struct meet_call {
    struct server *server;
    usec now;
    struct stream *stream;
    struct member *member; /* NULL before it has joined */
    const cJSON *message;
    struct view text; /* all of it */
    struct view type;
    uint64_t id; /* 0: it bears none */
};

/* Answers with an error; `what` is words for a person. */
void meet_refuse(struct meet_call *call, const char *code, const char *what);

/* Writes server->scratch as a text message to one stream. */
struct json_writer meet_begin(struct server *server, const char *type);
void meet_send(struct server *server, usec now, struct stream *stream, struct json_writer *writer);

void meet_join(struct meet_call *call);
void meet_resume(struct meet_call *call);

/* Sends the room's events to their audiences, and does what follows from them: after every rooms_
 * call that makes some. */
void meet_drain(struct server *server, usec now);
/* Only the former. */
void meet_drain_events(struct server *server, usec now);
/* Whether a text can be relayed: escaped, and with what stands around it. */
bool meet_fits(struct server *server, struct view text);
/* Writes {"id":...,"name":...} of a member as a JSON value. */
void meet_write_member(struct json_writer *writer, const struct member *member);
void meet_write_topology(struct json_writer *writer, const struct room *room);
void meet_write_number(struct json_writer *writer, const char *key, uint32_t number);
/* Sends the member's new stream what it missed after `seq`, in order. */
void meet_replay(struct server *server, usec now, struct stream *stream,
                 const struct member *member, uint64_t seq);
/* A WebSocket ping that bears the room's seq. */
void meet_ping(struct server *server, usec now, struct stream *stream);

#endif
