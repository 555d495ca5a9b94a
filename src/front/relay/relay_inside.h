/* relay_inside.h - the inside of struct relay, for the files of src/front/relay/ alone.
 *
 * relay.c        parties come, speak and go: which rules are carried out
 * relay_tell.c   one rule: whom it reaches, and what they are told
 * relay_event.c  what goes out: other names, other arguments
 * relay_rooms.c  rooms and who is in them
 * relay_keep.c   messages that are kept for those who come later
 * relay_standin.c  offers and answers, where stand-ins take them
 * relay_plain.c  the speech of bare messages: JSON text with the event in a field
 */
#ifndef MOIM_FRONT_RELAY_RELAY_INSIDE_H
#define MOIM_FRONT_RELAY_RELAY_INSIDE_H

#include "front/relay/relay.h"
#include "front/standin/standin.h"

struct relay {
    const struct rules *rules;
    const struct endpoint_limits *limits;
    const struct relay_voice *voice;
    struct view *names;        /* what each rule is on */
    struct pool rooms;         /* of struct relay_room */
    struct map rooms_by_key;   /* where a rule joins */
    struct pool memberships;   /* in rooms with names */
    struct pool kept;          /* of struct relay_kept */
    struct map parties;        /* by id, where a rule tells a peer */
    struct list all_kept;      /* every struct relay_kept */
    uint8_t *letters;          /* what is amplified; NULL: no rule does */
    struct standins *standins; /* topology: sfu; NULL: what is said goes to the others */
    struct pool stages;        /* of struct relay_stage */
    struct list all_stages;
    struct span sdp;    /* scratch */
    size_t kept_memory; /* in whole buffers, of the worker's */
    size_t kept_memory_max;
    uint64_t told;
    uint32_t party_count;
    uint32_t parties_max;
    uint32_t space_count;
    bool reads_names;
    bool has_rooms;
    bool has_peers;
    bool keeps;
};

/* Where stand-ins are: a room in which somebody has called. */
struct relay_stage {
    struct list of_relay;
    struct relay_room *of;
    struct standin_room *room;
    const struct rule *rule; /* of the last offer; NULL: none could be kept */
    struct buffer *form;     /* its arguments: our descriptions are told in the same words */
};

#define RELAY_LETTERS_MAX ((size_t)1 << 19)

/* A message that is kept. */
struct relay_kept {
    struct list of_membership;
    struct list of_relay;
    struct buffer *body;
    bool is_binary;
    uint8_t behind; /* messages behind it that are of the same event */
};

/* ---- relay_rooms.c ---- */

void relay_room_init(struct relay_room *room);
void relay_come_in(struct relay_party *party, struct relay_membership *membership,
                   struct relay_room *room);
/* Drops what is kept; says nothing. */
void relay_go_out(struct server *server, usec now, struct relay *relay,
                  struct relay_membership *membership);

/* The room of that name; NULL: nobody is in it. */
struct relay_room *relay_find_room(struct relay *relay, const struct relay_space *space,
                                   struct view name);
/* The party's membership in it; NULL: it is not in. */
struct relay_membership *relay_find_membership(const struct relay_party *party,
                                               const struct relay_room *room);

/* Brings a party into the room of that name, out of the lobby, and tells it what is kept there.
 * OK also when it is in already.  ERR_LIMIT: the name is too long, or it can't be in more rooms. */
MUST_USE int relay_join(struct server *server, usec now, struct relay_party *party,
                        struct view name);
/* Takes it out of one room, or of all (NULL). */
void relay_quit(struct server *server, usec now, struct relay_party *party,
                const struct relay_room *room);
/* Without rooms it comes back into the lobby, and is told what is kept there. */
void relay_come_back(struct server *server, usec now, struct relay_party *party);

/* ---- relay_keep.c ---- */

/* Keeps words in a membership.  What is over a limit is not kept, and counted. */
void relay_keep(struct server *server, struct relay *relay, struct relay_membership *membership,
                enum rule_keep keep, const struct relay_words *words);
void relay_forget(struct server *server, struct relay *relay, struct relay_membership *membership);
/* Tells a party what the others in a room keep for it. */
void relay_tell_kept(struct server *server, usec now, struct relay_party *party,
                     const struct relay_room *room);

/* ---- relay_standin.c ---- */

/* Where the endpoint's topology is the SFU's: makes relay->standins.  ERR_MEMORY. */
MUST_USE int relay_standins_new(struct server *server, struct relay *relay,
                                enum endpoint_topology topology);
void relay_standins_free(struct server *server, struct relay *relay);
/* A party says what is between two peer connections. */
void relay_signal(struct server *server, usec now, struct relay_party *party,
                  const struct rule *rule, const struct relay_event *event);
/* A party has come in: it is called, when what was said there is kept for those who come later. */
void relay_call(usec now, struct relay_party *party, const struct relay_room *room);
/* It goes out. */
void relay_hang_up(struct server *server, usec now, struct relay_party *party,
                   const struct relay_room *room);

/* ---- relay_event.c ---- */

/* The text of a field of the first argument, or of the argument itself (""): what a string says, or
 * a number as it is written.  ERR_NOT_FOUND, ERR_LIMIT (over the bytes of `out`). */
MUST_USE int relay_field(const struct relay_event *event, const char *field,
                         uint8_t out[RELAY_ROOM_NAME_MAX], struct view *text);

/* What goes out by a rule.  `*made` is what was written for it, and the caller's to give back.
 * ERR_LIMIT, ERR_MALFORMED: nothing. */
MUST_USE int relay_event_make(struct server *server, const struct relay *relay,
                              const struct relay_party *party, const struct rule *rule,
                              const struct relay_event *in, struct relay_event *out,
                              struct buffer **made);

/* ---- relay_tell.c ---- */

/* Tells one party. */
void relay_say(struct server *server, usec now, struct relay_party *party,
               struct relay_words *words);
void relay_words_done(struct server *server, struct relay_words *words);
/* Whether anybody else is in the party's rooms. */
bool relay_has_others(const struct relay_party *party);
/* Tells all whom the rule's scope reaches, and keeps what is to be kept. */
void relay_tell(struct server *server, usec now, struct relay_party *party, const struct rule *rule,
                const struct relay_event *in);

#endif
