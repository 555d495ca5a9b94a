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

/* Whom they are for. */
struct ice_asker {
    struct view host;   /* the valid Host by which it reached us, or empty */
    bool secure;        /* by TLS that ends here */
    struct view room;   /* or empty */
    const char *who;    /* up to 40 letters, without ':' */
    uint64_t expires_s; /* credentials serve no longer than this, of Unix time; TOKEN_NEVER */
};

/* The `who` of a user that a token names (struct pass). */
#define ICE_WHO_SIZE 16
void ice_write_user(uint64_t user, char who[ICE_WHO_SIZE]);

/* Whether a Host may stand in a URI as it is: a name or an address, with a port or without. */
bool ice_host_valid(struct view host);

/* Writes the member "iceServers": those that cost least first, and no relays when the asker's time
 * is over.  Who has come by HTTPS is told of relays on the very port that it came by, for that one
 * its network lets out (and a router may have given it another number than ours).  Gives for how
 * many seconds they serve. */
uint64_t ice_write(struct json_writer *writer, const struct server *server, usec now,
                   const struct ice_asker *asker);

/* Answers server->request for /api/v1/ice.  Where rooms are for those with a token, so is this: in
 * "Authorization: Bearer" or in the query's "token". */
void ice_answer(struct server *server, usec now, struct stream *stream, struct view body);

#endif
