/* note.h - what the servers of two workers have to say to one another about a meeting whose
 * members' media is at more than one (front/meet/seat.h).
 *
 * Notes of one worker to one other arrive, and in their order.  What comes by the packet goes by
 * links instead (front/meet/links.h).
 */
#ifndef MOIM_FRONT_NOTE_H
#define MOIM_FRONT_NOTE_H

#include "front/core.h"
#include "front/media_report.h"
#include "media/description.h"
#include "media/speakers.h"
#include "media/verdict.h"

enum note_kind {
    /* from where the room is, to where a member's peer is (or is to be) */
    NOTE_OFFER, /* `offer`; the bytes are the description */
    NOTE_WISH,  /* the bytes are struct seat_tile's */
    NOTE_AGAIN, /* the member may have missed what it was told */
    NOTE_CLOSE,
    NOTE_WHY,   /* the member asks */
    NOTE_LOOKS, /* the bytes are struct seat_looks': how pictures of the room come in */
    NOTE_BILL,  /* the bytes are struct show_row's: what there is in the room */
    /* back */
    NOTE_ANSWER,  /* `serials`; the bytes are the description */
    NOTE_REFUSED, /* `refused` */
    NOTE_TRACKS,  /* the bytes are what the member is told */
    NOTE_STATE,   /* ... of what its pictures get */
    NOTE_BECAUSE, /* ... of why they look so */
    NOTE_WANTED,  /* ... of what nobody wants of what it publishes */
    NOTE_ENDED,   /* the bytes are why */
    NOTE_SUMS,    /* the bytes are struct note_sum's, of all seats of a room */
    NOTE_VOICES,  /* the bytes are struct note_voice's, of those who speak there */
    /* from where a track is wanted, to where it is */
    NOTE_LINK, /* `link` */
    NOTE_UNLINK,
    /* either way: `data`; the bytes are the channel's label and protocol */
    NOTE_DATA_OPENED,
    NOTE_DATA_CLOSED,
    NOTE_DATA_BROKEN, /* a message was lost that may not be */
    NOTE_KINDS
};

#define NOTE_SOURCES 4 /* of a member's tracks */

struct note_offer {
    uint32_t member; /* its number */
    uint8_t permissions;
    bool is_new;
    uint8_t mid_sizes[NOTE_SOURCES];
    char mids[NOTE_SOURCES][DESCRIPTION_MID_MAX];
    uint8_t name_sizes[2]; /* of the room, and of the member: for whoever runs the server */
    char names[2][ROOM_NAME_MAX];
};

struct note_refused {
    char code[16];
    char words[200];
    bool is_over; /* the seat is no more */
    bool is_told; /* ... of which the member is to be told */
};

struct note_link {
    uint64_t number; /* the link's */
    uint8_t source;
    uint32_t serial; /* of the track */
};

struct note_sum {
    uint64_t seat;
    struct media_sum sum;
    struct verdict_source looks[2]; /* of its pictures: camera, screen */
};

struct note_voice {
    uint64_t seat;
    struct speaker_report report;
};

struct note_data {
    bool is_from_home; /* from where the room is */
    uint8_t worker;    /* where it was opened, or not any more */
    uint8_t reliability;
    bool is_unordered;
    uint32_t parameter;
    uint16_t label_size;
};

struct note {
    struct note *next; /* among those that leave the server */
    unsigned from;
    unsigned to;
    enum note_kind kind;
    uint64_t room; /* NOTE_OFFER, NOTE_BILL, NOTE_LOOKS, NOTE_VOICES, NOTE_DATA_... */
    uint64_t seat; /* which it is about; not of a whole room */
    union {
        struct note_offer offer;
        uint32_t serials[NOTE_SOURCES];
        struct note_refused refused;
        struct note_link link;
        struct note_data data;
    };
    uint32_t size;
    uint8_t bytes[];
};

/* A note to that worker with these bytes, to be filled in; NULL: there is no memory. */
struct note *note_new(const struct server *server, unsigned to, enum note_kind kind,
                      struct view bytes);
/* The note is not the caller's any more. */
void note_send(struct server *server, struct note *note);

static inline struct view note_view(const struct note *note)
{
    return view_make(note->bytes, note->size);
}

#endif
