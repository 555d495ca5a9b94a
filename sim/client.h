/* client.h - a meeting client in the simulation: it does what docs/PROTOCOL.md asks, badly
 * connected.
 *
 * It joins, talks, loses its connection, resumes, leaves and comes again under another name, and
 * keeps a diary of every session for the check.
 */
#ifndef MOIM_SIM_CLIENT_H
#define MOIM_SIM_CLIENT_H

#include "world.h"

#define CLIENT_SESSIONS_MAX 64
#define CLIENT_OUTBOX_MAX   512
#define AWAY_MAX            4096 /* more members than a room has in one life here */

/* What one session heard: an event is its number and what it said. */
struct heard {
    uint64_t seq;
    uint64_t content; /* a hash of the message without what differs between members */
    bool for_all;     /* everybody in the room hears it */
    bool for_others;  /* all but `about` */
    uint32_t about;   /* the member whom it is about, or who sent it */
    uint64_t chat;    /* the number of a chat of the simulation; 0: none */
};

struct session {
    char room[16];
    char name[32];
    uint32_t number; /* of the member; 0: it was never welcomed */
    uint64_t welcome_seq;
    uint64_t last_seq;  /* up to here it must have heard all that was for it */
    uint32_t component; /* the check's: sessions of one life of a room */
    char (*others)[32]; /* names of those who were there */
    uint32_t other_count;
    struct heard *heard;
    uint32_t heard_count;
    uint64_t *said; /* chats that it sent to all, in order */
    uint32_t said_count;
    uint32_t said_sure;  /* how many of them are known to have been received */
    bool is_here;        /* it is in the room, in a calm time: it has heard all there is */
    bool away[AWAY_MAX]; /* by number: members that are away, as it was told */
};

enum client_state { CLIENT_OUT, CLIENT_HEAD, CLIENT_ENTERING, CLIENT_IN, CLIENT_DONE };

struct sent {
    uint64_t id;
    char *text;
};

struct client {
    struct world *world;
    uint32_t number;
    enum client_state state;
    struct wire *wire;
    usec act_at;
    usec read_at; /* a slow reader reads nothing before */
    bool is_calm;
    bool leaving;
    bool has_session; /* resume rather than join */
    char secret[32];
    uint64_t next_id;
    struct sent outbox[CLIENT_OUTBOX_MAX];
    uint32_t outbox_count;
    struct session *session; /* the one that goes on */
    struct session sessions[CLIENT_SESSIONS_MAX];
    uint32_t session_count;
    uint8_t *input;
    size_t input_size;
    uint64_t errors; /* answers that it had not to expect */
    uint64_t resumes;
    uint64_t lost;
};

void client_init(struct client *client, struct world *world, uint32_t number);
void client_free(struct client *client);

/* Reads what has come, and acts when it is time. */
void client_turn(struct client *client);
/* When it wants its next turn. */
usec client_next(const struct client *client);
/* From now on it says nothing more, keeps its connection, and hears what there is to hear. */
void client_calm(struct client *client);
/* From now on it is as before the calm. */
void client_stir(struct client *client);
/* From now on it goes when it can, and does not come again. */
void client_finish(struct client *client);

#endif
