/* relay.h - carries out a table of rules: who hears what, who is in which room, what is kept.
 *
 * A relay is an endpoint's.  Its parties are whoever speaks there: a session, or a session within a
 * Socket.IO namespace.  The relay knows no wire format: its voice, which belongs to the speech,
 * writes each event once, and what is written goes to all who are to hear it.
 *
 * Rooms are made when the first party comes in and end with the last.  A party that is in no room
 * is in the lobby of its space, so that the others in none are its others.  In each room that it is
 * in (the lobby is one, and so is the space as a whole, for TO_PATH) a party may have messages kept
 * for those who come in later.
 */
#ifndef MOIM_FRONT_RELAY_RELAY_H
#define MOIM_FRONT_RELAY_RELAY_H

#include "base/map.h"
#include "front/session.h"

#define RELAY_ATTACHMENTS_MAX 16
#define RELAY_ROOM_NAME_MAX   128

struct relay;
struct relay_stage;
struct standin_client;

/* An event, as it comes in and as it goes out. */
struct relay_event {
    struct view name;      /* "" has none, and is named by the rules of "*" alone */
    struct view arguments; /* JSON values with commas between them */
    bool is_binary;        /* `arguments` are no JSON but bytes: a message without a name */
    const struct view *attachments; /* binary messages that belong to it */
    uint32_t attachment_count;      /* at most RELAY_ATTACHMENTS_MAX */
    /* Going out: name, arguments or attachments are not those that came in.  While it is false,
     * `original` may be sent as it is. */
    bool is_changed;
    bool is_own; /* going out: a rule's `say` without `emit`, which may bear a name in itself */
    struct view original; /* the voice's: the whole message that came, or empty */
};

/* An event as it goes out: messages in their order, made once for all who hear it. */
struct relay_words {
    uint32_t count;
    struct buffer *text; /* what the voice wrote; the relay gives it back.  NULL: nothing */
    struct message messages[1 + RELAY_ATTACHMENTS_MAX];
};

struct relay_room {
    struct list memberships;   /* in the order in which they came in */
    struct relay_stage *stage; /* of stand-ins; NULL: nobody has called there */
    uint32_t count;
    uint32_t kept_bytes;
    uint32_t key_size; /* of a room with a name */
    uint8_t key[4 + RELAY_ROOM_NAME_MAX];
};

/* That a party is in a room. */
struct relay_membership {
    struct list of_room;
    struct list of_party;
    struct relay_party *party;
    struct relay_room *room;
    struct list kept;
};

/* Parties that may hear each other: an endpoint's, or those in one namespace of it.  The speech
 * keeps it where it likes, until all of its parties have gone. */
struct relay_space {
    struct relay *relay;
    void *context; /* the voice's */
    struct relay_room everyone;
    struct relay_room lobby;
    uint32_t number; /* in its rooms' keys */
};

/* One who speaks; part of the speech's own state. */
struct relay_party {
    struct relay_space *space;
    struct session *session; /* NULL: broken, and kept until it comes back: nothing is closed */
    struct view id;          /* TO_PEER and "$id": letters that JSON takes as they are; borrowed */
    struct view auth;        /* "$auth", and what "open" bears: JSON; empty: "{}"; borrowed */
    struct list memberships; /* of rooms with names */
    struct standin_client *standins; /* what the server is to it; NULL: nothing */
    uint32_t room_count;
    uint32_t kept_count;
    uint64_t told; /* the last event that it was told: it hears none twice */
    struct relay_membership in_everyone;
    struct relay_membership in_lobby;
};

/* How events are written. */
struct relay_voice {
    /* Writes an event as messages for parties of the space; their bodies are in words->text (of
     * buffers_take), in the event, or outlive the server.  ERR_LIMIT, ERR_MALFORMED: the event goes
     * to nobody, and is counted. */
    int (*write)(struct server *server, const struct relay_space *space,
                 const struct relay_event *event, struct relay_words *words);
    /* Tells a party.  NULL: each message goes to its session, by session_send. */
    void (*tell)(struct server *server, usec now, struct relay_party *party,
                 struct relay_words *words);
};

/* The rules, rooms and limits of an endpoint.  parties_max: at once, in all of its spaces.
 * ERR_MEMORY. */
MUST_USE int relay_new(struct server *server, const struct endpoint *endpoint,
                       const struct relay_voice *voice, uint32_t parties_max, struct relay **out);
/* Gives back everything, also what its parties keep: they are valid no more.  NULL is accepted. */
void relay_free(struct server *server, struct relay *relay);

/* Whether any rule wants to know an event's name: if not, names need not be looked for. */
bool relay_reads_names(const struct relay *relay);

void relay_space_init(struct relay_space *space, struct relay *relay, void *context);

/* A party is there: `session`, `id` and `auth` are set, all else is zero.  Carries out the rules of
 * "open", and tells it what is kept for it.  ERR_LIMIT: parties_max are there; it is not. */
MUST_USE int relay_enter(struct server *server, usec now, struct relay_space *space,
                         struct relay_party *party);
/* It goes: carries out the rules of "close", and takes it out of its rooms.  Does nothing for one
 * that is not there. */
void relay_leave(struct server *server, usec now, struct relay_party *party);

/* A party says something.  True: a rule wants it acknowledged, with the arguments that came. */
bool relay_hear(struct server *server, usec now, struct relay_party *party,
                const struct relay_event *event);

#endif
