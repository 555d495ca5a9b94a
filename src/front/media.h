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

/* Who has a peer, as told to whoever runs the server; what it borrows lasts until something is
 * fed. */
#define MEDIA_ID_MAX 64
struct media_name {
    const void *room;   /* the same for all peers of a room, and for no others */
    const void *member; /* the same of a member of it */
    struct view path;   /* of the endpoint; empty: of the meeting protocol */
    struct view room_name;
    struct view member_name; /* what it calls itself; may be empty */
    uint8_t id_size;
    char id[MEDIA_ID_MAX]; /* the member's, within the room */
};

struct media_look; /* front/why.h */

/* Whose a peer is: what peer_config.owner points to begins with one. */
struct media_owner {
    /* The peer is connected now, or has ended: then it is to be closed, before this returns. */
    void (*changed)(struct server *server, usec now, struct peer *peer);
    /* All that is asked of `name`, which is zeroed; NULL: nobody can say. */
    void (*name)(const struct peer *peer, struct media_name *name);
    /* What a track of the peer's shows ("camera"); NULL, or an empty view: nobody can say. */
    struct view (*source)(const struct peer *peer, const struct track *track);
    /* What tracks get of its line has changed: transceiver->share.  NULL: nobody cares. */
    void (*shared)(struct server *server, usec now, struct peer *peer);
    /* Adds to *look what only a front knows of a picture that the peer is sent, or sends; NULL:
     * nothing. */
    void (*look)(const struct peer *peer, const struct track *track, struct media_look *look);
    /* Other encodings are wanted of its tracks than were: track->wanted.  NULL: nobody tells its
     * publisher. */
    void (*wanted)(struct server *server, usec now, struct peer *peer);
};

/* Makes server->sfu, on its media port.  ERR_MEMORY. */
MUST_USE int media_new(struct server *server, usec now);
/* Before rtc_door_free; what owns peers need not have closed them.  NULL is fine. */
void media_free(struct server *server);

#endif
