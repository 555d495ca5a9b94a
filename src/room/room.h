/* room.h - rooms, their members, and who hears what.
 *
 * A front gives commands (join, say, leave ...) and polls events; it turns them into its dialect
 * and sends them to those whom room_event_reaches names.  This layer knows no dialect and no
 * connection.
 *
 * One thread.  After every rooms_ call that can make events (each says so), drain rooms_poll()
 * before the next: what an event borrows is valid until then.
 */
#ifndef MOIM_ROOM_ROOM_H
#define MOIM_ROOM_ROOM_H

#include "base/map.h"
#include "base/metrics.h"
#include "base/outbox.h"
#include "base/wheel.h"
#include "media/data_circle.h"
#include "media/speakers.h"
#include "room/history.h"
#include "room/topology.h"

#define ROOM_NAME_MAX    128 /* bytes of UTF-8 */
#define MEMBER_NAME_MAX  128
#define ROOM_MEMBERS_MAX 100
#define ROOM_KEEP_AWAY   (30 * USEC_S)
#define SESSION_SIZE     16

struct room;

/* What was shown at the door.  This layer keeps it, and asks nothing of it yet. */
struct pass {
    uint64_t expires_s;  /* of Unix time */
    uint64_t user;       /* a hash of who it is; 0: nobody said */
    uint8_t permissions; /* enum token_permission */
};

struct member {
    struct room *room;
    uint32_t number; /* from 1, never used again while the room lives */
    bool audio;
    bool video;
    bool screen;
    bool hand;
    bool away;          /* its connection is broken, its place is kept */
    uint8_t topologies; /* that it knows: TOPOLOGY_BIT of each */
    uint8_t name_size;
    char name[MEMBER_NAME_MAX];
    uint8_t session[SESSION_SIZE]; /* the secret with which the place is taken up again */
    uint64_t acked;                /* all events up to this one are known to have reached it */
    uint64_t told;                 /* the last of those that was for it, or its own beginning */
    uint64_t received;             /* the last number that it gave to a message of its own */
    uint64_t confirmed;            /* the last of those that it has been told */
    struct timer away_timer;
    void *link; /* the front's connection; NULL while away */
    void *seat; /* the front's, too: what it has of media here; NULL: nothing */
    struct pass pass;
};

/* Of the members' voices.  This layer begins and ends it, all else is the front's. */
struct room_voices {
    struct speakers speakers;
    struct timer timer; /* set while somebody speaks, or did a moment ago */
    usec told_at;
    uint64_t told; /* a hash of what was told last; 0: nothing */
};

struct room {
    void *front;     /* the front's own */
    uint64_t serial; /* no other room of this worker has had it */
    uint8_t name_size;
    char name[ROOM_NAME_MAX];
    uint64_t seq; /* of the last event */
    uint32_t last_number;
    uint8_t topology; /* enum topology */
    struct timer topology_timer;
    uint32_t member_count;
    struct member *members[ROOM_MEMBERS_MAX]; /* in the order in which they came */
    struct history history;
    struct data_circle data; /* of members' data channels */
    struct room_voices voices;
};

enum leave_reason { LEAVE_LEFT, LEAVE_LOST, LEAVE_REPLACED };

enum room_event_kind {
    ROOM_JOINED,
    ROOM_LEFT,
    ROOM_AWAY,
    ROOM_BACK,
    ROOM_OFFER,
    ROOM_ANSWER,
    ROOM_CANDIDATE,
    ROOM_MEDIA,
    ROOM_HAND,
    ROOM_CHAT,
    ROOM_TOPOLOGY,
    ROOM_SFU_ANSWER, /* this and what follows is told by the server to one member */
    ROOM_SFU_CLOSED,
    ROOM_TRACKS
};

struct room_event {
    enum room_event_kind kind;
    enum leave_reason reason; /* ROOM_LEFT */
    struct room *room;
    uint64_t seq;
    struct audience audience;
    const struct member *member; /* who did it; NULL in ROOM_LEFT: only its number is left, and in
                                    ROOM_TOPOLOGY */
    uint32_t number;             /* the same one's */
    struct view body;            /* what rooms_say or rooms_tell was given */
};

#define ROOMS_EVENTS_MAX 4 /* that one command can make */

struct rooms {
    struct pool room_pool;
    struct pool member_pool;
    struct map by_name;
    struct history_store history;
    struct wheel *wheel;
    struct random random;
    struct metrics *metrics;
    struct topology_policy topology;
    uint8_t away_timer_kind;
    uint8_t topology_timer_kind;
    uint32_t last_serial;
    uint32_t seat_count;
    void *seats[ROOMS_EVENTS_MAX]; /* of members that are gone, not polled yet */
    uint32_t event_first;
    uint32_t event_count;
    struct room_event events[ROOMS_EVENTS_MAX];
};

struct rooms_config {
    uint32_t rooms_max;
    uint32_t members_max;
    uint32_t history_entries_max; /* over all rooms */
    size_t history_bytes_max;     /* the same: the share of `buffers` that events may keep */
    struct buffers *buffers;      /* borrowed, as are wheel and metrics */
    struct wheel *wheel;
    uint8_t away_timer_kind;     /* struct timer.kind of the members' timers */
    uint8_t topology_timer_kind; /* of the rooms' */
    struct random random;
    struct metrics *metrics;
    struct topology_policy topology;
};

MUST_USE int rooms_init(struct rooms *rooms, const struct rooms_config *config); /* ERR_MEMORY */
/* Members and rooms are forgotten without events. */
void rooms_free(struct rooms *rooms);

struct join {
    struct view room;
    struct view name;
    bool audio;
    bool video;
    bool screen;
    uint8_t topologies; /* TOPOLOGY_BIT of each that it knows; 0: of the mesh */
    void *link;
    struct pass pass;
};

/* The room with the lowest number from *index on, which is then the one behind it; NULL: there is
 * no more.  A room keeps its number. */
const struct room *rooms_next(const struct rooms *rooms, uint32_t *index);
/* The room of that serial; NULL: it is no more. */
struct room *rooms_of_serial(const struct rooms *rooms, uint64_t serial);
/* NULL: there is none of that name. */
const struct room *rooms_find(const struct rooms *rooms, struct view name);

/* Whether a room's or member's name can be one: 1 to ..._MAX bytes of UTF-8 without controls; a
 * room's has no '/' either. */
bool room_name_valid(struct view name);
bool member_name_valid(struct view name);

/* A new member, whom the room owns until it leaves.  Events: ROOM_LEFT (a member that was away and
 * bore the name), ROOM_JOINED, ROOM_TOPOLOGY (not to the new one).
 *   ERR_EXISTS       the name is taken by a member that is here.
 *   ERR_LIMIT        the room has as many members as its topology lets in (*room_full is true
 *                    then), or there are no more rooms or members on this worker.
 *   ERR_UNSUPPORTED  with it there would be no topology that all know. */
MUST_USE int rooms_join(struct rooms *rooms, usec now, const struct join *join, struct member **out,
                        bool *room_full);

/* The member whose session it is, here or away.
 *   ERR_NOT_FOUND  no such room or session.
 *   ERR_LIMIT      events after `seq` that it should have had may no longer be kept: they were too
 *                  many, or it said before that it had them; or `seq` is from before its time. */
MUST_USE int rooms_find_session(struct rooms *rooms, struct view room,
                                const uint8_t session[SESSION_SIZE], uint64_t seq,
                                struct member **out);

/* The member's connection broke.  Events: ROOM_AWAY. */
void rooms_away(struct rooms *rooms, usec now, struct member *member);
/* It has a connection again.  Events: ROOM_BACK. */
void rooms_back(struct rooms *rooms, struct member *member, void *link);
/* The member's place ends; the pointer is not valid afterwards.  Events: ROOM_LEFT. */
void rooms_leave(struct rooms *rooms, usec now, struct member *member, enum leave_reason reason);
/* A timer of kind away_timer_kind expired.  Events: ROOM_LEFT. */
void rooms_expired(struct rooms *rooms, usec now, struct timer *timer);
/* A timer of kind topology_timer_kind expired.  Events: ROOM_TOPOLOGY, or none. */
void rooms_topology_expired(struct rooms *rooms, struct timer *timer);

/* The seat of a member that is gone, to be given back; NULL: there is no more.  After every call
 * that can make a ROOM_LEFT (or would, but for the room's having ended with it). */
void *rooms_poll_seat(struct rooms *rooms);

/* ROOM_OFFER, ROOM_ANSWER, ROOM_CANDIDATE or ROOM_CHAT with a body that is relayed as it is.
 * `to` is a member's number; 0 (chat alone) is everyone.  Events: one of that kind.
 *   ERR_NOT_FOUND  `to` is nobody, or the sender. */
MUST_USE int rooms_say(struct rooms *rooms, struct member *from, enum room_event_kind kind,
                       uint32_t to, struct view body);
/* Something that the server has to say to one member alone: ROOM_SFU_ANSWER and what follows.
 * Events: one of that kind. */
void rooms_tell(struct rooms *rooms, struct member *member, enum room_event_kind kind,
                struct view body);
/* The member's flags have been changed: tell it.  Events: ROOM_MEDIA or ROOM_HAND. */
void rooms_tell_media(struct rooms *rooms, struct member *member);
void rooms_tell_hand(struct rooms *rooms, struct member *member);

/* The member has every event up to seq: what all have is no longer kept. */
void rooms_acked(struct rooms *rooms, struct member *member, uint64_t seq);

/* Whether the member is to be told: it is among those whom the event is for, and it was there. */
static inline bool room_event_reaches(const struct room_event *event, const struct member *member)
{
    return audience_has(&event->audience, member->number) && event->seq > member->acked;
}

/* The next event; false when there is none. */
bool rooms_poll(struct rooms *rooms, struct room_event *event);

static inline struct view room_name(const struct room *room)
{
    return view_make(room->name, room->name_size);
}

static inline struct view member_name(const struct member *member)
{
    return view_make(member->name, member->name_size);
}

#endif
