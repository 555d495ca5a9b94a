/* seat.h - what a member has of the SFU: its connection, what it publishes, and what it is sent
 * (docs/PROTOCOL.md, "Through the server").
 *
 * seat.c        offers and answers, and the end of a connection
 * seat_slots.c  whose track is in which slot
 */
#ifndef MOIM_FRONT_MEET_SEAT_H
#define MOIM_FRONT_MEET_SEAT_H

#include "front/media.h"
#include "front/meet/meet.h"

#define SEAT_OVERLAP (20 * USEC_S) /* a seat may stay so long when the room has become a mesh */

/* Slots of a member; more sections than these bear nothing.  Indices: 0 audio, 1 video. */
#define SEAT_AUDIO_MAX 32
#define SEAT_VIDEO_MAX 24
#define SEAT_SLOTS_MAX (SEAT_AUDIO_MAX + SEAT_VIDEO_MAX)
static const uint32_t SEAT_KIND_MAX[2] = { SEAT_AUDIO_MAX, SEAT_VIDEO_MAX };

/* name, as in "source", is it video, what sounds or looks together with it */
#define SEAT_SOURCE_TABLE(X)                                                                       \
    X(MICROPHONE, "microphone", false, CAMERA)                                                     \
    X(CAMERA, "camera", true, MICROPHONE)                                                          \
    X(SCREEN, "screen", true, SCREEN_AUDIO)                                                        \
    X(SCREEN_AUDIO, "screen-audio", false, SCREEN)

enum seat_source {
#define SEAT_SOURCE_ENUM(name, text, is_video, other) SEAT_##name,
    SEAT_SOURCE_TABLE(SEAT_SOURCE_ENUM)
#undef SEAT_SOURCE_ENUM
        SEAT_SOURCES
};

extern const struct seat_source_kind {
    const char *name;
    bool is_video;
    uint8_t other; /* enum seat_source */
} seat_source_kinds[SEAT_SOURCES];

struct seat {
    struct media_owner owner; /* the first: the peer's owner */
    struct server *server;
    struct member *member;
    struct peer *peer;
    struct track *tracks[SEAT_SOURCES]; /* that it publishes; NULL: not that */
    uint64_t told;                      /* a hash of the last `tracks`; 0: none yet */
    uint32_t named[2];                  /* slots that have been given a name */
    struct timer timer;                 /* TIMER_SEAT: set while the room is a mesh */
};

/* Makes the pool of a server with an SFU, server->seats.  ERR_MEMORY. */
MUST_USE int seats_new(struct server *server);

/* Handlers. */
void seat_offer(struct meet_call *call);
void seat_leave(struct meet_call *call);

/* Gives it back; its member has none then. */
void seat_close(struct seat *seat, usec now);

/* The room's topology is another one now. */
void seats_follow(struct server *server, usec now, struct room *room);

/* A timer of kind TIMER_SEAT expired. */
void seat_expired(struct server *server, usec now, struct timer *timer);

/* Points the slots of all in the room to what there is now, and tells those for whom it changed.
 * After every change of who is there, what is published, and what is on.  Events are drained. */
void seats_point(struct server *server, usec now, struct room *room);

#endif
