/* standin.h - stand-ins: the server in the places of the far ends, for clients that were written to
 * call one another.
 *
 * A client sends offers and answers to others, as ever.  Here they get no further: a stand-in (one
 * peer connection with the server) answers in the other's place, and another one calls the other
 * in the client's.  So a client uploads once, whoever looks at it: on the one of its stand-ins
 * that is its source.  All others of them are sendonly, as a far end would be that wants nothing.
 *
 * Two manners.  In some dialects a client has one peer connection and knows of no names: it sees
 * whoever published last, and goes over to the next one without being told.  In others (is_each)
 * it has one for each of those whom it knows by name, and sees just that one there.
 *
 * This core knows no dialect: a front gives it descriptions, and its voice puts those that come out
 * into words.  Nothing re-enters: a voice queues messages, and calls nothing here.
 *
 * What clients say is refused and counted where it can't be; they are told nothing, as by a far
 * end that does not answer.  What is said on data channels goes on to whom it is for.  Candidates
 * are of no use here: ours stand in descriptions (ICE lite), and theirs are learned from their
 * checks.
 */
#ifndef MOIM_FRONT_STANDIN_STANDIN_H
#define MOIM_FRONT_STANDIN_STANDIN_H

#include "front/media.h"
#include "front/standin/standin_text.h"
#include "media/data_circle.h"

#define STANDIN_KEY_MAX      64 /* bytes of a client's name */
#define STANDIN_SDP_MAX      ((size_t)48 * 1024)
#define STANDIN_SECTIONS_MAX 8  /* of audio and video on one connection, that are ours to add */
#define STANDIN_EACH_MAX     64 /* stand-ins of one client */
/* For so long an offer of ours has precedence over theirs, which is on its way at the same time:
 * browsers roll theirs back.  Afterwards ours is taken for lost. */
#define STANDIN_GLARE_TIME (5 * USEC_S)

struct standin;

struct standin_voice {
    /* Tells the stand-in's client a description, as from the one in whose place it stands. */
    void (*tell)(struct server *server, usec now, const struct standin *standin,
                 const struct standin_text *text);
    /* Where its client is: the room and its name, and the endpoint's path (front/media.h); NULL:
     * nobody can say. */
    void (*name)(const struct standin *standin, struct media_name *name);
};

struct standins_config {
    const struct standin_voice *voice;
    bool is_each;
    /* A client makes a new connection for each offer; else the offer is for the one it has. */
    bool is_renewed;
    uint32_t clients_max;
};

/* An endpoint's. */
struct standins {
    struct server *server;
    struct standins_config config;
    struct pool rooms;
    struct pool clients;
    struct pool all; /* of struct standin */
    uint64_t number; /* the last that was given out */
    uint8_t *sdp;    /* scratch, of STANDIN_SDP_MAX bytes */
};

/* Those who hear one another. */
struct standin_room {
    struct standins *standins;
    void *owner; /* the front's */
    struct list clients;
    struct list publishers;  /* who began last is last */
    struct data_circle data; /* of all, where there are no names */
    uint32_t client_count;
};

struct standin_client {
    void *owner; /* the front's */
    struct standin_room *room;
    struct list of_room;
    struct list publishing; /* in room->publishers, or in none */
    struct list standins;   /* the newest last */
    uint32_t standin_count;
    struct standin *source; /* on which its tracks come in; NULL: on none */
    struct standin *heir;   /* that is to be the source when its client agrees; NULL: none */
    uint64_t number;        /* in the names of its stream */
    uint8_t key_size;
    char key[STANDIN_KEY_MAX];
};

struct standin {
    struct media_owner owner; /* of `peer`; the first member */
    struct standins *standins;
    struct standin_client *client;
    struct standin_client
        *far; /* where is_each: in whose place it stands; NULL: that one has gone */
    struct list of_client;
    struct peer *peer;
    struct data_circle pair; /* where is_each: with the far end's, or that one's */
    usec offered_at;         /* our last offer */
    bool is_settled;         /* something was agreed on */
    bool is_apart; /* its client has not been asked for tracks: they have no place there yet */
    bool is_tried; /* as an heir, and was none */
};

/* ERR_MEMORY: nothing was made.  The server has a media port. */
MUST_USE int standins_init(struct standins *standins, struct server *server,
                           const struct standins_config *config);
/* Peers, clients and rooms are forgotten; sfu_free sees to the peers themselves. */
void standins_free(struct standins *standins);

/* ---- rooms and clients ---- */

/* ERR_LIMIT: as many as clients_max are there. */
MUST_USE int standin_room_open(struct standins *standins, void *owner, struct standin_room **out);
/* There is nobody in it any more. */
void standin_room_close(struct standin_room *room);

/* `key` is empty where there are no names; what is longer than STANDIN_KEY_MAX is ERR_LIMIT. */
MUST_USE int standin_enter(struct standin_room *room, void *owner, struct view key,
                           struct standin_client **out);
/* Its peers are closed, and so are those that stood in for it. */
void standin_leave(struct standin_client *client, usec now);

/* NULL: nobody of that name. */
struct standin_client *standin_find(const struct standin_room *room, struct view key);

static inline struct view standin_key(const struct standin_client *client)
{
    return view_make(client->key, client->key_size);
}

/* Whom the stand-in's client sees there: NULL: nobody, for now. */
struct standin_client *standin_sees(const struct standin *standin);

/* ---- what clients say ---- */

/* An offer, to `far` (NULL where there are no names), which is answered at once.  True: it was; now
 * standin_invite those whom the offer was for. */
bool standin_hear_offer(struct standin_client *client, usec now, struct standin_client *far,
                        struct view sdp);
void standin_hear_answer(struct standin_client *client, usec now, struct standin_client *far,
                         struct view sdp);

/* Offers `client` what `from` has offered, if it has no connection of that kind yet. */
void standin_invite(struct standin_client *client, usec now, struct standin_client *from);

/* Whether anybody else in the room publishes: then `*from` is the one to standin_invite by. */
bool standin_has_publisher(const struct standin_client *client, struct standin_client **from);

#endif
