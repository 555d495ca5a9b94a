/* seat.h - what a member has of the SFU: its connection, what it publishes, and what it is sent
 * (docs/PROTOCOL.md, "Through the server").
 *
 * seat.c        what a member says, and the end of a connection
 * seat_peer.c   offers and answers, where the connection is
 * seat_slots.c  whose track is in which slot
 * seat_wish.c   how they are shown, and what they get of the line
 * seat_why.c    why they look as they do
 * seat_wanted.c what of that which it publishes nobody wants
 * seat_far.c    seats whose connection is at another worker
 * stage.h       these connections, where they are
 * voices.h      who speaks
 *
 * A seat's connection (its peer) is at the room's own worker, or, in a large room, at another one.
 * Then there is a seat at each of the two, with the same id: the one has the member, the other one
 * has the peer; notes go between them (front/note.h).
 */
#ifndef MOIM_FRONT_MEET_SEAT_H
#define MOIM_FRONT_MEET_SEAT_H

#include "front/media.h"
#include "front/media_report.h"
#include "front/meet/meet.h"
#include "front/note.h"
#include "front/why.h"

#define SEAT_OVERLAP (20 * USEC_S) /* a seat may stay so long when the room has become a mesh */

/* Slots of a member; more sections than these bear nothing.  Indices: 0 audio, 1 video. */
#define SEAT_AUDIO_MAX  32
#define SEAT_VIDEO_MAX  24
#define SEAT_PINNED_MAX 4 /* who is pinned beyond that is as one who speaks */
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

/* Of these sources, those with pictures. */
#define SEAT_PICTURES 2
static inline unsigned seat_picture(unsigned source)
{
    return source == SEAT_SCREEN;
}

/* What a member publishes, as it is told to other workers. */
struct show_row {
    uint64_t seat;
    uint32_t member;                /* its number */
    uint8_t worker;                 /* where its tracks come in */
    uint8_t on;                     /* a bit a source: as the member says */
    uint8_t limits[SEAT_PICTURES];  /* enum verdict_limit: as the member says of its encoders */
    bool is_seen;                   /* its camera is, by the rules of the room */
    bool is_loud;                   /* its voice goes on */
    uint32_t turn;                  /* when it was dominant last: higher is later; 0: never */
    uint32_t serials[SEAT_SOURCES]; /* of its tracks; 0: not that */
};

struct errand;
struct inlet;
struct seat;
struct stage;

/* The same, where it has been told. */
struct show {
    struct show_row row;
    struct seat *here;                  /* whose peer is here; NULL: it is elsewhere, or gone */
    struct inlet *inlets[SEAT_SOURCES]; /* by which its tracks come here; NULL: nobody wants it */
    struct verdict_source looks[SEAT_PICTURES]; /* how they come in there, a while ago */
};

struct seat {
    struct media_owner owner; /* the first: the peer's owner */
    struct server *server;
    struct member *member; /* NULL: it is at another worker, or gone */
    struct stage *stage;   /* of another worker's room; NULL: of one that lives here */
    struct list of_stage;
    struct peer *peer;                  /* NULL: it is at another worker */
    uint64_t id;                        /* 0: there is only this worker */
    uint32_t number;                    /* the member's */
    uint8_t permissions;                /* enum token_permission */
    struct track *tracks[SEAT_SOURCES]; /* that it publishes; NULL: not that, or not here */
    uint32_t serials[SEAT_SOURCES];     /* of these: no other track of the seat has had it */
    uint32_t last_serial;
    uint64_t told;        /* a hash of the last `tracks`; 0: none yet */
    uint64_t told_state;  /* the same of `sfu-state` */
    uint64_t told_wanted; /* ... and of `sfu-wanted` */
    uint32_t named[2];    /* slots that have been given a name */
    usec asked_why_at;
    usec told_limits_at;
    struct speaker voice;
    bool is_voice_told; /* that it has levels, where the room is */
    struct timer timer; /* TIMER_SEAT: set while the room is a mesh */
    /* without a peer */
    struct show show;
    struct media_sum sum; /* what there is there, as it was told last */
    bool is_gone;         /* the other half is no more */
    bool is_answered;     /* at least one offer of it */
    bool is_asked;        /* an offer is not answered yet, */
    uint64_t asked_id;    /* which bore this; 0: none */
    /* of a stage: what its member is called */
    uint8_t name_size;
    char name[MEMBER_NAME_MAX];
};

struct seat_offer {
    struct view sdp;
    struct view mids[SEAT_SOURCES]; /* empty: that source is not there */
    bool is_new;
};

/* How a slot is shown. */
struct seat_tile {
    uint8_t mid_size;
    uint8_t priority;
    uint16_t width; /* as in struct transceiver_wish */
    uint16_t height;
    char mid[DESCRIPTION_MID_MAX];
};

/* Makes the pool of a server with an SFU, server->seats.  ERR_MEMORY. */
MUST_USE int seats_new(struct server *server);

/* Handlers. */
void seat_offer(struct meet_call *call);
void seat_leave(struct meet_call *call);
void seat_wish(struct meet_call *call);
void seat_why(struct meet_call *call);
void seat_quality(struct meet_call *call);

/* Gives it back; its member has none then. */
void seat_close(struct seat *seat, usec now);
/* The connection has ended while its member stays, who is told why. */
void seat_end(struct seat *seat, usec now, struct view reason);

/* The same when its offer was refused with is_over; is_told says whether it is. */
void seat_refused(struct seat *seat, usec now, bool is_told);

/* The room's topology is another one now. */
void seats_follow(struct server *server, usec now, struct room *room);

/* A timer of kind TIMER_SEAT expired. */
void seat_expired(struct server *server, usec now, struct timer *timer);

/* Points the slots of all in the room to what there is now, and tells those for whom it changed.
 * After every change of who is there, what is published, and what is on.  Events are drained. */
void seats_point(struct server *server, usec now, struct room *room);
/* The same at another worker. */
void stage_point(struct stage *stage, usec now);
/* Has the member of a stage's seat be told this. */
void stage_tell(struct seat *seat, struct view tracks);
/* The same of what its pictures get. */
void stage_tell_state(struct seat *seat, struct view state);
/* ... and what nobody wants of what it publishes. */
void stage_tell_wanted(struct seat *seat, struct view wanted);
/* ... of why they look so. */
void stage_tell_why(struct seat *seat, struct view why);
/* What its member publishes, where the member is. */
struct show_row seat_row(const struct seat *seat);

/* ---- seat_peer.c ---- */

/* Opens its peer, in the circle; `owner` and what says whose it is are set.  ERR_LIMIT,
 * ERR_MEMORY. */
MUST_USE int seat_open_peer(struct seat *seat, usec now, struct data_circle *circle);
/* Has the peer take the offer: OK, and *answer is the caller's to give back; otherwise `refused` is
 * filled in, and the seat is to be closed where is_over. */
MUST_USE int seat_take_offer(struct seat *seat, usec now, const struct seat_offer *offer,
                             struct buffer **answer, struct note_refused *refused);
struct view seat_reason(const struct peer *peer);
struct view seat_source_of(const struct peer *peer, const struct track *track);

/* ---- seat_wish.c ---- */

/* Where its peer is: slots that it does not have (any more) are left out. */
void seat_take_wish(struct seat *seat, usec now, const struct seat_tile *tiles, size_t count);
/* Another track comes into the slot: how it is shown is not known until it is said. */
void seat_forget_wish(struct transceiver *slot, usec now, bool is_left_out);
/* Tells its member a message of that type with `tracks`, a list; one that is away is told when it
 * is back. */
void seat_tell_tracks(const struct seat *seat, usec now, const char *type, struct view tracks);
/* Tells its member what its pictures get: a list, as in the message. */
void seat_tell_state(const struct seat *seat, usec now, struct view state);
/* A media_owner's: what a peer gets of its line has changed. */
void seat_shared(struct server *server, usec now, struct peer *peer);
/* Its member is back, and may have missed what was told. */
void seat_tell_again(struct seat *seat, usec now);

/* ---- seat_why.c ---- */

#define SEAT_WHY_EACH     (USEC_S / 2) /* more often it is not answered */
#define SEAT_QUALITY_EACH (1 * USEC_S)

/* How a seat's pictures come in, as it is told to other workers. */
struct seat_looks {
    uint64_t seat;
    struct verdict_source looks[SEAT_PICTURES];
};

/* A media_owner's. */
void seat_look(const struct peer *peer, const struct track *track, struct media_look *look);
/* How what the seat publishes comes in; its peer is here. */
void seat_measure(const struct seat *seat, usec now, struct verdict_source looks[SEAT_PICTURES]);
/* An errand's visit, as seat_report: writes the rest of an object. */
bool seat_report_why(struct server *server, usec now, struct errand *errand);
/* Has the seat's member be told why, where its peer is. */
void seat_answer_why(struct seat *seat, usec now);
/* Tells it, which is an object. */
void seat_tell_why(const struct seat *seat, usec now, struct view why);
/* Tells other workers how pictures of the room come in, where it has seats there. */
void seats_tell_looks(struct server *server, usec now, const struct room *room);
/* The same as it is told. */
void stage_take_looks(struct stage *stage, struct view bytes);
/* ---- seat_wanted.c ---- */

/* Tells its member: a list, as in the message. */
void seat_tell_wanted(const struct seat *seat, usec now, struct view wanted);
/* A media_owner's: other encodings are wanted of what the peer publishes. */
void seat_wanted(struct server *server, usec now, struct peer *peer);

/* ---- seat_far.c ---- */

/* The worker where the next member's peer goes. */
unsigned seat_place(const struct server *server, const struct room *room);
/* Sends the offer on; a new seat's member is set. */
void seat_far_offer(struct meet_call *call, struct seat *seat, const struct seat_offer *offer);
/* seat_tell_again, for one whose peer is there. */
void seat_far_tell_again(const struct seat *seat);
void seat_far_ask_why(const struct seat *seat);
void seat_far_wish(struct seat *seat, const struct seat_tile *tiles, size_t count);
/* The other half is to end, and nothing comes from there any more. */
void seat_far_close(struct seat *seat, usec now);
/* Whether it is one whose peer is at another worker; NULL is none. */
static inline bool seat_is_elsewhere(const struct seat *seat)
{
    return seat && !seat->peer;
}
/* An errand's visit, where the peer is: errand->serial is the seat's id; writes the rest of the
 * list of the member's connections. */
bool seat_report(struct server *server, usec now, struct errand *errand);
/* Adds what there is at other workers of the member, or of the whole room (NULL). */
void seats_sum(const struct room *room, const struct member *member, struct media_sum *sum);
/* The workers that have seats of the room: a bit each. */
uint64_t seats_elsewhere(const struct room *room);
/* Tells other workers what there is in the room, where it has seats there. */
void seats_tell_bill(struct server *server, const struct room *room);
void seat_far_note(struct server *server, usec now, const struct note *note);

#endif
