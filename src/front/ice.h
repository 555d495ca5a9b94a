/* ice.h - the STUN and TURN servers that a client is told of, and credentials for them.
 *
 * They are those of TURN REST: the name is "expiry:room.who", the password an HMAC of it, so that a
 * relay believes them without having heard of them.  `room` is a hash, for names travel in the
 * clear and whoever knows a room's name may come in; `who` is what quotas tell users apart by.
 */
#ifndef MOIM_FRONT_ICE_H
#define MOIM_FRONT_ICE_H

#include "front/core.h"
#include "wire/json.h"

/* GET /api/v1/ice: so many answers at once to one address (of IPv6: to one /64), then one each. */
#define ICE_BURST 120
#define ICE_EACH  USEC_S

/* Whether a Host may stand in a URI as it is: a name or an address, with a port or without. */
bool ice_host_valid(struct view host);

/* Writes the member "iceServers".  `host` is the valid Host by which the client reached us, or
 * empty; `who` has up to 40 letters, without ':'. */
void ice_write(struct json_writer *writer, const struct server *server, usec now, struct view host,
               struct view room, const char *who);

/* Answers server->request for /api/v1/ice. */
void ice_answer(struct server *server, usec now, struct stream *stream, struct view body);

#endif
