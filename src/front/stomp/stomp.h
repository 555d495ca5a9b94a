/* stomp.h - STOMP as a speech, with the semantics of a simple broker behind application prefixes.
 *
 * stomp.c          sessions: bytes to frames, heart-beats, the end
 * stomp_connect.c  CONNECT
 * stomp_frames.c   what a connected client says
 * stomp_standin.c  offers and answers, where stand-ins take them
 * stomp_publish.c  MESSAGE to those whom a SEND reaches
 * route.c          where a destination leads
 * door.c           the CCTV door: long polls beside the sessions
 *
 * A frame with an error is answered with ERROR, and the session is closed.
 */
#ifndef MOIM_FRONT_STOMP_STOMP_H
#define MOIM_FRONT_STOMP_STOMP_H

#include "front/session.h"
#include "front/stomp/door.h"
#include "front/stomp/route.h"
#include "wire/sockjs.h"
#include "wire/stomp.h"

#define STOMP_CONNECT_TIME     (30 * USEC_S) /* from the session's opening to CONNECT */
#define STOMP_LEAVE_TIME       (5 * USEC_S)  /* for the client to close after DISCONNECT */
#define STOMP_BEATS_MISSED     3             /* of the client's: then it is gone */
#define STOMP_BODY_MAX         60000
#define STOMP_WRITTEN_MAX      64000 /* a frame, as a JSON string */
#define STOMP_MESSAGE_HEAD     512   /* what a MESSAGE usually has beside its body */
#define STOMP_TRANSACTIONS_MAX 4     /* of a session, at once */
#define STOMP_HELD_MAX         32    /* SENDs of a transaction */
#define STOMP_HELD_BYTES_MAX   (256 * 1024)
#define STOMP_NAME_MAX         128 /* a transaction's, a camera's key */

/* broker_subscription.kind */
#define STOMP_SUBSCRIBED_AS_USER  1 /* to "/user/..." */
#define STOMP_SUBSCRIBED_WITH_ACK 2 /* in a mode in which the client acknowledges */

/* SENDs that wait for COMMIT, each a frame of STOMP 1.2. */
struct stomp_transaction {
    struct list node;
    uint8_t name_size;
    char name[STOMP_NAME_MAX];
    uint32_t count;
    uint32_t bytes;
    struct buffer *held[STOMP_HELD_MAX];
};

/* An endpoint's. */
struct stomp_standins;

struct stomp_house {
    struct broker broker;
    struct pool transactions;
    struct stomp_standins *standins; /* topology: sfu; NULL: what is said goes to the others */
    struct door door;                /* closed where the configuration wants none */
    uint64_t last_message;
};

enum stomp_phase { STOMP_FRESH, STOMP_CONNECTED, STOMP_OVER };

/* A session's. */
struct stomp_session {
    struct session *session;
    struct broker_member member;
    struct stomp_reader reader;
    struct inbox inbox;
    struct list transactions;
    struct list callers; /* what it is to stand-ins */
    usec heard_at;
    usec said_at;
    uint32_t beat_ms;    /* the longest silence of ours; 0: any */
    uint32_t silence_ms; /* the same of the client's, before it counts as gone */
    usec tokens_at;
    uint16_t tokens;     /* frames that may still come at once: as for a stream's */
    uint8_t phase;       /* enum stomp_phase */
    uint8_t version;     /* enum stomp_version */
    struct buffer *user; /* the name under which it is a user; NULL: its session's id */
    struct buffer *cam;  /* the CCTV door's camKey; NULL: it told none */
};

#define STOMP_OF_MEMBER(member_) LIST_ENTRY(member_, struct stomp_session, member)

extern const struct speech stomp_speech;

/* ---- within src/front/stomp/ ---- */

/* One frame of a client while it is handled. */
struct stomp_call {
    struct server *server;
    usec now;
    struct stomp_session *stomp;
    struct stomp_house *house;
    const struct endpoint_config *config;
    const struct stomp_frame *frame;
};

static inline struct view stomp_user(const struct stomp_session *stomp)
{
    return stomp->user ? buffer_view(stomp->user) : view_of(stomp->session->id);
}

/* Whether bytes that others are told as a JSON string are not too long for them. */
static inline bool stomp_fits_when_written(struct view bytes)
{
    return bytes.size <= STOMP_WRITTEN_MAX / SOCKJS_ESCAPE_MAX ||
           sockjs_escaped_size(bytes) <= STOMP_WRITTEN_MAX;
}

/* Sends ERROR, and has the session closed. */
void stomp_refuse(struct stomp_call *call, const char *what);

/* Sends what was written, if it did not overflow. */
void stomp_say(struct server *server, usec now, struct stomp_session *stomp,
               const struct stomp_writer *writer);

/* Sets the session's timer for the next of its deadlines. */
void stomp_set_timer(struct server *server, struct stomp_session *stomp);

/* Gives up all that the client has here; DISCONNECT and the session's end. */
void stomp_leave(struct server *server, usec now, struct stomp_session *stomp);

/* Gives back the SENDs that wait. */
void stomp_drop_transactions(struct server *server, struct stomp_session *stomp);

void stomp_connect(struct stomp_call *call);
/* Any other frame, from a client that is connected. */
void stomp_handle(struct stomp_call *call);

/* Delivers a SEND. */
void stomp_publish(struct stomp_call *call, const struct stomp_frame *frame);
/* The client whose call it is gets a MESSAGE of ours at a destination that it subscribed to. */
void stomp_tell(struct stomp_call *call, struct view destination, struct view body);

/* ---- stomp_standin.c ---- */

/* Where the endpoint's topology is the SFU's: makes house->standins.  ERR_MEMORY; ERR_CONFIG: there
 * is no media port. */
MUST_USE int stomp_standins_new(struct server *server, struct stomp_house *house,
                                const struct endpoint_config *config);
void stomp_standins_free(struct stomp_house *house);
/* Takes what is said to a destination of offers, answers or candidates; false: it goes its way. */
bool stomp_signal(struct stomp_call *call, const struct stomp_frame *frame,
                  struct view destination);
/* It has unsubscribed from something: what it can't be told of any more ends. */
void stomp_check_callers(struct stomp_call *call);
/* The client goes. */
void stomp_hang_up(struct server *server, usec now, struct stomp_session *stomp);
/* Gives back what they hold, without a word. */
void stomp_drop_callers(struct server *server, struct stomp_session *stomp);

#endif
