/* guest.h - a member of meetings in the simulation: it speaks the meeting protocol on a WebSocket
 * (docs/PROTOCOL.md), and has a far end for what goes through the server.
 *
 * guest.c        its connection and its session: join, resume, numbers, leaving
 * guest_media.c  topologies, offers, what its slots bear
 */
#ifndef MOIM_SIM_SFU_GUEST_H
#define MOIM_SIM_SFU_GUEST_H

#include "describe.h"
#include "link.h"

#include "wire/json.h"

#define GUEST_OUTBOX_MAX  64
#define GUEST_MEMBERS_MAX 256 /* of one life of a room here */
#define GUEST_MESSAGE_MAX 65536

enum guest_state { GUEST_OUT, GUEST_OPENING, GUEST_ENTERING, GUEST_IN, GUEST_DONE };
enum guest_knows { KNOWS_BOTH, KNOWS_MESH, KNOWS_SFU };

struct guest_sent {
    uint64_t id;
    char *text;
};

/* An offer that has not been answered. */
struct guest_offer {
    bool is_under_way;
    bool is_new;     /* of a new connection */
    bool is_restart; /* of ICE */
    bool is_renewal; /* with other streams */
    bool has_camera;
    bool was_cut; /* its link has broken since, and an error may have been lost with it */
    unsigned slots;
};

/* What a slot bears, as it was told. */
struct guest_slot {
    uint32_t member; /* 0: nothing */
    uint32_t told;   /* bits of all guests of whom it was told since the connection began */
};

/* What all guests have in common. */
struct guest_config {
    struct world *world;
    struct net *net;
    struct dtls_context *context; /* of their far ends, ... */
    struct secure_engine *engine;
    const uint8_t *fingerprint; /* and of the certificate in `context` */
    unsigned room_count;        /* that there are to choose from */
    bool has_odd;               /* some know one topology only */
};

struct guest {
    struct world *world;
    struct net *net;
    const struct guest_config *config;
    unsigned number;
    uint8_t knows;   /* enum guest_knows */
    bool was_odd;    /* it knew one topology only, at first */
    bool is_poor;    /* offers no more slots than it did first */
    bool is_calm;    /* nothing befalls it */
    bool is_leaving; /* and it does not come again */
    /* its session */
    uint8_t state; /* enum guest_state */
    struct link link;
    usec act_at;
    bool has_session;
    bool has_joined_off; /* its join said that something of it is off */
    unsigned names;      /* that it has had */
    char room[8];
    char name[16];
    char secret[32];
    uint32_t member; /* its number in the room */
    uint64_t seq;
    uint64_t next_id;
    struct guest_sent outbox[GUEST_OUTBOX_MAX];
    unsigned outbox_count;
    uint8_t people[GUEST_MEMBERS_MAX]; /* by members' numbers: the guest, plus one; 0: nobody */
    bool is_gone[GUEST_MEMBERS_MAX];   /* as these */
    usec crowd_at;                     /* when somebody came or went */
    /* its media */
    bool is_sfu; /* the room's topology, as it was told */
    bool is_on[2];
    bool has_camera;
    bool is_camera_agreed;
    bool is_unwanted; /* its camera: nobody sees it */
    struct far far;
    struct guest_offer offer;
    unsigned restarts;
    unsigned slot_count; /* of each kind; 0: no answer yet */
    struct guest_slot slots[FAR_SLOTS_MAX][2];
    uint64_t wanted[2];
    usec offer_at; /* not before; or since when an answer is awaited */
    usec kind_at;  /* when the room became a mesh, or sfu */
    usec part_at;  /* from the server, the room being a mesh; USEC_NEVER: it leaves that to it */
    uint64_t joins, resumes, crashes, offers, restarted, renewed, crossings, states, rests;
};

/* `number` is below NET_FARS_MAX. */
void guest_init(struct guest *guest, const struct guest_config *config, unsigned number);
void guest_free(struct guest *guest);

/* Hears, and does what is due. */
void guest_turn(struct guest *guest);
/* Something may befall it; once a step. */
void guest_befall(struct guest *guest);
/* From now on nothing does, and it sends all that it has. */
void guest_calm(struct guest *guest);
/* It goes for good: with a word, or without. */
void guest_finish(struct guest *guest, bool politely);

/* Its slot for that member's microphone or camera; NULL: there is none. */
const struct far_watch *guest_find(const struct guest *guest, uint32_t member, bool is_video);

/* ---- within guest*.c ---- */

/* A message behind whose "id" stands `rest`: kept until it is known to have been received. */
void guest_say(struct guest *guest, const char *type, const char *rest);
void guest_join_media(struct guest *guest, bool is_sfu);
/* Its connection with the server is no more, without a word. */
void guest_drop_media(struct guest *guest);
void guest_tell_media(struct guest *guest);
/* Says of some of its tiles that they are hidden, or of all that they are not. */
void guest_hide(struct guest *guest);
/* Asks why it looks as it does, and says something of its encoder. */
void guest_ask_why(struct guest *guest);
void guest_show_all(struct guest *guest);
/* An event of the SFU's, or any that says nothing of who is there. */
void guest_hear_media(struct guest *guest, const char *type, const cJSON *message);
/* What nobody wants of what it sends. */
void guest_hear_wanted(struct guest *guest, const cJSON *message);
/* Its offer was refused. */
void guest_hear_refusal(struct guest *guest, const char *code);
/* Offers, or parts, when it is time to. */
void guest_mend(struct guest *guest);
void guest_offer_again(struct guest *guest, bool is_restart, bool is_renewal);

#endif
