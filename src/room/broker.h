/* broker.h - destinations, who subscribed to them, and who is reached by what is sent to one.
 *
 * A front subscribes its members, and walks over those whom a message reaches.  A destination is a
 * name, or a pattern (room/pattern.h).  This layer knows no dialect and no connection.
 *
 * A subscription may bear a room.  A member is in the rooms that its subscriptions bear, and in the
 * one that broker_enter named; a walk may be held to the rooms of the one who sends.
 *
 * One thread.  Everything comes out of pools that broker_init makes.
 */
#ifndef MOIM_ROOM_BROKER_H
#define MOIM_ROOM_BROKER_H

#include "base/buffer.h"
#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"

#define BROKER_NAME_MAX           255 /* bytes of a destination */
#define BROKER_PATTERN_MAX        128
#define BROKER_ID_MAX             200
#define BROKER_ROOM_MAX           128
#define BROKER_PATTERNS_MAX       128  /* different ones: each message is held against all */
#define BROKER_SUBSCRIPTIONS_EACH 4096 /* a member; a front may allow fewer */
#define BROKER_PATTERNS_EACH      8

struct broker_room {
    struct list places;
    struct view name;
    uint64_t walk;
    char bytes[BROKER_ROOM_MAX];
};

/* Someone's being in a room. */
struct broker_place {
    struct list node;         /* in the room's */
    struct broker_room *room; /* NULL: none */
    struct broker_member *member;
};

struct broker_topic {
    struct list subscriptions;
    struct list node; /* among the patterns */
    struct view name;
    struct buffer *long_name; /* where it does not fit below */
    uint64_t walk;            /* the one for which `matches` was found out */
    bool is_pattern;
    bool matches;
    char bytes[78];
};

struct broker_subscription {
    struct list of_member;
    struct list of_topic;
    struct broker_member *member;
    struct broker_topic *topic;
    struct broker_place place;
    struct view id;
    struct buffer *long_id; /* where it does not fit below */
    uint8_t kind;           /* the front's */
    char bytes[15];
};

/* Lives in the front's session. */
struct broker_member {
    struct list subscriptions; /* oldest first */
    struct broker_place home;
    uint64_t walk;
    uint16_t count;
    uint16_t patterns;
    uint16_t rooms; /* how often it is in one */
};

struct broker {
    struct pool subscriptions;
    struct pool topics;
    struct pool rooms;
    struct map topics_by_name;
    struct map rooms_by_name;
    struct list patterns;
    uint32_t pattern_count;
    uint64_t walk;
    struct buffers *buffers;
};

struct broker_config {
    uint32_t subscriptions_max;
    uint32_t topics_max;
    uint32_t rooms_max;
    struct buffers *buffers; /* borrowed: long names */
    struct random random;
};

MUST_USE int broker_init(struct broker *broker,
                         const struct broker_config *config); /* ERR_MEMORY */
/* All members must have left (an assertion). */
void broker_free(struct broker *broker);

/* A member with no subscriptions.  It must not move in memory until broker_leave. */
void broker_member_init(struct broker_member *member);
/* Ends all its subscriptions. */
void broker_leave(struct broker *broker, struct broker_member *member);

/* The member is in that room, whatever it subscribes to; an empty name: in none.
 * ERR_LIMIT: a name over BROKER_ROOM_MAX, or no more rooms. */
MUST_USE int broker_enter(struct broker *broker, struct broker_member *member, struct view room);

struct broker_wish {
    struct view id; /* the member's name for the subscription */
    struct view destination;
    struct view room; /* that it bears; empty: none */
    uint8_t kind;     /* the front's own */
};

/* The subscription is the broker's, until broker_unsubscribe or broker_leave.
 *   ERR_EXISTS  the member has one of that id.
 *   ERR_LIMIT   one of the limits above, or a pool is used up. */
MUST_USE int broker_subscribe(struct broker *broker, struct broker_member *member,
                              const struct broker_wish *wish, struct broker_subscription **out);
void broker_unsubscribe(struct broker *broker, struct broker_subscription *subscription);

/* NULL when there is none; in O(the member's subscriptions). */
struct broker_subscription *broker_find(const struct broker_member *member, struct view id);

/* How many rooms the member is in.  In O(its subscriptions). */
uint32_t broker_rooms_of(struct broker *broker, const struct broker_member *member);

/* How many members are in the room.  In O(the places there). */
uint32_t broker_count_room(struct broker *broker, struct view room);

enum broker_reach {
    BROKER_ALL, /* everyone */
    /* Those who share a room with the sender; where it is in none, those who are in none. */
    BROKER_ROOM
};

/* The walk's own. */
struct broker_walk {
    struct broker *broker;
    struct view name;
    struct broker_member *sender; /* BROKER_ROOM, and it is in a room */
    bool roomless;                /* only those who are in none */
    bool exact_done;
    bool home_done;
    struct list *next;           /* a pattern, or the sender's next subscription */
    struct broker_topic *topic;  /* whose subscriptions are walked; NULL: none */
    struct broker_room *room;    /* whose places are walked; NULL: none */
    struct list *place;          /* the next of them */
    struct broker_member *other; /* whose subscriptions are walked; NULL: none */
    struct list *at;             /* the next subscription */
};

/* Begins a walk over the subscriptions that a message to `destination` reaches: those of a member
 * in the order in which they were made.  `sender` may be NULL with BROKER_ALL.  One walk at a time;
 * nothing may be subscribed, unsubscribed or left until it is over. */
void broker_walk_begin(struct broker *broker, struct broker_walk *walk, struct view destination,
                       enum broker_reach reach, struct broker_member *sender);
/* The next; NULL when there is none. */
struct broker_subscription *broker_walk_next(struct broker_walk *walk);

#endif
