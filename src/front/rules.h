/* rules.h - what a relay does with what it hears: tables of rules, as the configuration holds them.
 *
 * A message is an event with a name: a Socket.IO event's name; of JSON text the string in the field
 * that the endpoint calls its event field ("type"); of anything else, "".  The rules that name the
 * event are carried out, in their order; where none does, those of "*".  Two names are the
 * session's own: "open" and "close"; what a client sends by these names is for "*".
 *
 * All that a rule points to outlives the server.
 */
#ifndef MOIM_FRONT_RULES_H
#define MOIM_FRONT_RULES_H

#include <stdbool.h>
#include <stdint.h>

/* Whom an event goes to.  A session that is in no room is with the others that are in none. */
enum rule_scope {
    TO_NOBODY,
    TO_SENDER,
    TO_OTHERS, /* of the sender's rooms, without the sender */
    TO_ALL,    /* of the sender's rooms, and the sender */
    TO_PATH,   /* every other session at the endpoint, whatever its rooms */
    TO_ROOM,   /* those in the room that `field` names, without the sender */
    TO_PEER,   /* the session whose id `field` holds */
};

/* Carried out only when, in the rooms of the sender, ... */
enum rule_when { WHEN_ALWAYS, WHEN_ALONE /* nobody else is */, WHEN_OTHERS /* somebody is */ };

/* What is kept for those who come later, and told to them when they come: until the session that
 * said it goes, or leaves the room. */
enum rule_keep {
    KEEP_NOTHING,
    KEEP_FIRST, /* in place of all that this session had kept here */
    KEEP_MORE,  /* behind what it kept; nothing when it kept no first */
};

/* What it is between two peer connections: where stand-ins (topology: sfu) take the places of the
 * others, they take what such a rule would pass on.  The rule of the answers to an offer stands
 * behind the offer's. */
enum rule_signal { SIGNAL_NOTHING, SIGNAL_OFFER, SIGNAL_ANSWER, SIGNAL_CANDIDATE };

struct rule {
    const char *on; /* the event */
    enum rule_scope to;
    enum rule_when when;
    /* Fields of the first argument ("": the argument itself) that name a room: a string or a
     * number.  NULL: none.  A rule that can't join is not carried out. */
    const char *join;        /* to come into, before all else and whatever `when` says */
    const char *leave;       /* to leave, behind all else, or before `join`; "*": all of them */
    const char *field;       /* of TO_ROOM and TO_PEER */
    const char *emit;        /* the event that goes out; NULL: as it came */
    const char *say;         /* JSON that goes out in place of what came; in it "$id" stands for the
                        * sender's id and "$auth" for what it gave when it connected */
    const char *const *pick; /* the only fields of the first argument that go out; NULL: all */
    uint32_t pick_count;
    enum rule_keep keep;
    enum rule_signal signal;
    bool acknowledge; /* with the same arguments, where the sender asks for it */
    bool amplify;     /* a number n from 1 to 19 (all else counts as 1) that came without a name
                       * goes out as 2^n letters x */
    uint16_t close;   /* closes the sender's session with this code; 0: no */
    const char *reason;
};

struct rules {
    const char *event_field; /* of JSON text; NULL: all events are "" */
    const struct rule *items;
    uint32_t count;
};

#endif
