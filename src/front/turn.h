/* turn.h - between the server's streams and the TURN agent (agent/turn.h); what comes over DTLS
 * takes the way of turn_dtls.h.
 *
 * The agent wants one message at a time, and to be drained in between; a stream brings many at
 * once.  So what comes on a stream is only noted, and read by server_relay_poll, message by
 * message: whole ones out of the shell's own bytes, those in two parts out of the stream's inbox.
 *
 * All but turn_door_new accept a server without relays and then do nothing.
 */
#ifndef MOIM_FRONT_TURN_H
#define MOIM_FRONT_TURN_H

#include "agent/turn.h"
#include "front/core.h"

/* What is relayed to a stream is dropped, as a network would, while more than this waits there. */
#define TURN_QUEUE_MAX ((size_t)512 * 1024)

struct turn_door {
    struct turn agent;
    struct turn_dtls *dtls; /* NULL: no clients over DTLS */
    struct turn_config config;
    struct address sinks[TURN_SINKS_MAX];
    usec until;             /* as the agent said last */
    bool is_busy;           /* the agent may have something to say */
    struct turn_flow flow;  /* of what the agent was given last from a stream */
    struct stream *reading; /* NULL: none */
    struct view unread;     /* what came on it now, behind its inbox */
    size_t inbox_used;      /* of its inbox: the message that the agent is at */
};

/* Makes server->turn.  ERR_MEMORY. */
MUST_USE int turn_door_new(struct server *server, usec now);
void turn_door_free(struct server *server);
/* See server_set_terms. */
void turn_door_set_terms(struct server *server, const struct turn_config *terms);

/* The next allocation (turn.h); false: there is no other. */
bool turn_door_report(const struct server *server, uint32_t *cursor, struct turn_report *report);
/* Ends one.  ERR_NOT_FOUND. */
MUST_USE int turn_door_end(struct server *server, usec now, uint32_t index, uint64_t serial);

/* The first bytes of a stream.  HTTP begins with a letter, a STUN request with 0: so TURN works on
 * the ports of HTTP, too. */
void turn_door_look(struct server *server, struct stream *stream, struct span bytes);
/* Bytes have come; they are borrowed until server_relay_poll gives NULL. */
void turn_door_feed(struct server *server, struct stream *stream, struct view bytes);
/* The stream will not be read any more. */
void turn_door_gone(struct server *server, usec now, struct stream *stream);

/* Whether the stream has an allocation: then it may be silent for as long as that lives. */
bool turn_door_holds(struct server *server, const struct stream *stream);

void turn_door_tick(struct server *server, usec now);
/* When the agent wants turn_door_tick; USEC_NEVER. */
usec turn_door_until(const struct server *server);

#endif
