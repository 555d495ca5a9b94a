/* media.h - what all fronts have in common of the SFU: what is negotiated, and who hears what has
 * become of a peer.
 */
#ifndef MOIM_FRONT_MEDIA_H
#define MOIM_FRONT_MEDIA_H

#include "front/core.h"
#include "media/sfu.h"

/* For browsers: a microphone and a camera, a screen and its sound come in on one peer connection.
 * A front that lets in more of them makes a copy with another receive_max. */
extern const struct negotiation_policy media_policy;

/* Whose a peer is: what peer_config.owner points to begins with one. */
struct media_owner {
    /* The peer is connected now, or has ended: then it is to be closed, before this returns. */
    void (*changed)(struct server *server, usec now, struct peer *peer);
};

/* Makes server->sfu, on its media port.  ERR_MEMORY. */
MUST_USE int media_new(struct server *server, usec now);
/* Before rtc_door_free; what owns peers need not have closed them.  NULL is fine. */
void media_free(struct server *server);

#endif
