/* turn_dtls.h - between the TURN agent (agent/turn.h) and its clients over DTLS: what they send is
 * opened before the agent hears it, and what it says to them is sealed before it goes out.
 *
 * An association without an allocation is closed when its client has said nothing for
 * TURN_DTLS_IDLE; with one, it may be silent for as long as that lives.
 *
 * All of it accepts a server without DTLS and then does nothing.
 */
#ifndef MOIM_FRONT_TURN_DTLS_H
#define MOIM_FRONT_TURN_DTLS_H

#include "agent/dtls_server.h"
#include "front/core.h"
#include "front/turn.h"

#define TURN_DTLS_IDLE           (30 * USEC_S)
#define TURN_DTLS_HANDSHAKES_MAX 1024 /* that are under way; the oldest gives way */

struct turn_dtls {
    struct dtls_server server;
    usec until;            /* as it said last */
    bool is_busy;          /* it may have something to say */
    bool is_stopping;      /* one after the other is told goodbye: */
    uint32_t stopped;      /* those below it were */
    struct turn_flow flow; /* of what the agent was given last */
    struct turn_flow way;  /* of `out` */
    struct turn_out out;
};

/* Makes server->turn->dtls, when the configuration has a context.  ERR_MEMORY. */
MUST_USE int turn_dtls_new(struct server *server, usec now);
void turn_dtls_free(struct server *server);

/* A datagram that came by flow->connection, the caller's socket. */
void turn_dtls_feed(struct server *server, usec now, const struct turn_flow *flow,
                    struct view datagram);
/* A TURN_CLIENT of the agent's for one of these clients. */
void turn_dtls_send(struct server *server, usec now, const struct turn_out *out);

/* A step of what was fed: a datagram to send, as a TURN_CLIENT whose flow->connection is the
 * socket, borrowed until the next call; or NULL, and then either the agent has been told something
 * (server->turn->is_busy), or there is nothing more. */
const struct turn_out *turn_dtls_poll(struct server *server, usec now);

/* Ends all associations, one by one as they are polled. */
void turn_dtls_stop(struct server *server);

void turn_dtls_tick(struct server *server, usec now);
usec turn_dtls_until(const struct server *server);

#endif
