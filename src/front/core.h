/* core.h - the inside of struct server, for the files of src/front/ alone.
 *
 * server.c    the calls of server.h: which stream has something to do
 * stream.c    one stream: what it sends, its deadlines, its end
 * http.c      HTTP on a stream: requests to routes
 * routes.c    the table of all paths
 * respond.c   how an HTTP response is written
 * admission.c whom a room lets in
 * media.c     what is negotiated with the SFU
 * ice.c       which STUN and TURN servers clients are told of
 * hold.c      requests that are answered later, or in pieces
 * pages.c     the meeting page's files
 * websocket.c WebSocket on a stream: messages to its dialect
 * admin.c     the admin API
 * admin_rooms.c   its rooms, members and their media
 * capture.c   what goes between the server and one member, as a file
 * errand.c    questions that go to all workers
 * note.c      what two workers have to say to one another about a meeting
 * endpoint.c  the paths of the configuration: whose they are, and who may use them
 * session.c   clients at an endpoint
 * plain.c     bare WebSockets at an endpoint
 * parcel.c    a stream on its way to another worker
 * turn.c      TURN: what streams say to the agent, and what it tells them
 * rtc.c       the media port, and who hears what comes there
 * rtc_stream.c   ICE-TCP: streams at the media port
 */
#ifndef MOIM_FRONT_CORE_H
#define MOIM_FRONT_CORE_H

#include "agent/http_session.h"
#include "agent/ws_session.h"
#include "base/outbox.h"
#include "base/wheel.h"
#include "front/assets.h"
#include "front/endpoint.h"
#include "front/server.h"
#include "room/room.h"

/* Deadlines and limits of a stream. */
#define HTTP_HEAD_TIME   (10 * USEC_S) /* from a request's first byte to its head's end */
#define HTTP_BODY_TIME   (30 * USEC_S)
#define HTTP_IDLE_TIME   (60 * USEC_S) /* between requests */
#define SEND_TIME        (30 * USEC_S) /* without any progress */
#define HEARTBEAT_TIME   (15 * USEC_S)
#define SILENCE_TIME     (40 * USEC_S)
#define CLOSING_TIME     (5 * USEC_S) /* for the last bytes of a stream that ends */
#define HTTP_QUEUE_MAX   ((size_t)16 * 1024 * 1024)
#define HTTP_QUEUE_PAUSE ((size_t)256 * 1024) /* pipelined requests wait from here on */
#define WS_QUEUE_MAX     ((size_t)1536 * 1024)
#define QUEUE_SHARE      16 /* of the memory that is left, one queue may have this part */
#define FLOOD_EACH       (USEC_S / 200) /* 200 frames a second ... */
#define FLOOD_BURST      1000           /* ... over this many at once */
#define HOST_MAX         200
#define ICE_PLACES       1024

enum timer_kind {
    TIMER_STREAM,
    TIMER_MEMBER_AWAY,
    TIMER_ROOM,
    TIMER_SEAT,
    TIMER_SPREAD,
    TIMER_VOICES,
    TIMER_SESSION,
    TIMER_SPEECH,
    TIMER_ENDPOINT
};

enum stream_phase { PHASE_HTTP, PHASE_WEBSOCKET, PHASE_STUN, PHASE_RTC };

struct stream;
struct capture;
struct endpoint;
struct holder;
struct message;
struct rtc_door;
struct session;
struct sfu;
struct spread;
struct turn_door;

/* A dialect: what is said on a WebSocket, once it is open.  ponged, heartbeat (pings are
 * empty then) and too_fast may be NULL. */
struct dialect {
    const char *name;
    bool takes_drafts; /* also versions 7 and 8, drafts whose frames are those of RFC 6455 */
    bool wants_host;   /* stream->host: the Host that the client asked for */
    void (*opened)(struct server *server, usec now, struct stream *stream);
    void (*message)(struct server *server, usec now, struct stream *stream, struct view text);
    /* A binary message; NULL: there are none, and the WebSocket is closed with 1003. */
    void (*binary)(struct server *server, usec now, struct stream *stream, struct view bytes);
    void (*ponged)(struct server *server, struct stream *stream, struct view payload);
    /* Once in HEARTBEAT_TIME: fills in the ping's payload and gives its size. */
    size_t (*heartbeat)(struct server *server, usec now, struct stream *stream,
                        uint8_t payload[WEBSOCKET_CONTROL_MAX]);
    /* The client sends more than it may, and is about to be closed: tell it so. */
    void (*too_fast)(struct server *server, usec now, struct stream *stream);
    /* The stream takes nothing more.  clean: the client closed it on purpose. */
    void (*closed)(struct server *server, usec now, struct stream *stream, bool clean);
};

struct stream {
    struct list ready; /* among those that server_poll looks at next, or among the settling */
    struct timer timer;
    struct outbox outbox;
    struct inbox inbox;
    const struct dialect *dialect; /* of an open WebSocket; NULL once it was told the end */
    void *context;                 /* the dialect's or the holder's */
    const struct holder *holder;   /* of a request that is not answered yet; NULL: none is */
    struct buffer *held_headers;   /* for its answer */
    struct buffer *host;   /* the Host that the client asked for, while a dialect may need it */
    struct buffer *moving; /* the message that it takes along to another worker; may be NULL */
    usec heard_at;         /* when bytes last came */
    usec since;            /* when the request began, or sending last went on */
    usec tokens_at;
    struct address peer;
    struct address local;
    uint32_t relay;   /* to which it is spliced */
    uint32_t offered; /* bytes of the last SERVER_SEND */
    uint16_t tokens;
    uint16_t moving_to;
    uint8_t phase; /* enum stream_phase */
    bool secure;
    bool is_open;
    bool is_moving;  /* to the worker moving_to */
    bool is_spliced; /* takes no bytes; the shell's when the outbox is empty */
    bool held_close; /* the connection ends behind the held request's answer */
    bool held_head;  /* it is a HEAD request */
    bool is_chunked; /* its answer comes in chunks */
    bool is_blocked; /* the socket takes nothing until server_writable */
    bool is_paused;  /* takes no bytes until the outbox is shorter */
    bool is_resumed; /* ... which is to be told */
    bool is_failing; /* its queue ran over: to be closed */
    bool is_unheld;  /* its request has been answered: the next is to be read */
    bool is_ending;  /* takes no bytes any more; closed when the outbox is empty */
    union {
        struct http_session http;
        struct ws_session ws;
        struct {
            struct list node;  /* among strangers, or those that wait */
            struct list known; /* among the others */
            bool is_known;     /* it is none, or none any more */
            bool is_gone;      /* it is no flow any more */
        } rtc;
    };
};

#define ERRANDS_MAX 8 /* under way, that began here */

/* A request that is answered when its errand comes home (errand.h). */
struct errand_wait {
    struct stream *stream;
    uint64_t ticket; /* 0: nobody waits */
};

struct server {
    struct server_config config;
    struct metrics *metrics; /* this worker's */
    struct pool streams;
    struct list ready;
    struct list settling; /* streams to close, or to read on from, when nothing else is under way */
    struct wheel wheel;
    struct buffers *buffers;
    struct outbox_store outboxes;
    struct rooms rooms;
    struct endpoint *endpoints;
    uint32_t endpoint_count;
    struct pool sessions[CARRIER_COUNT];
    struct list closing;      /* sessions that are closed when nothing else is under way */
    struct turn_door *turn;   /* NULL: STUN bindings alone */
    struct rtc_door *rtc;     /* NULL: no media port */
    struct sfu *sfu;          /* what is forwarded there; NULL: nothing */
    struct pool seats;        /* of the meetings' members at it */
    struct capture *captures; /* under way */
    uint32_t capture_count;
    struct errand *errands; /* that are to go to other workers */
    uint64_t errand_ticket; /* the last that was given out */
    struct errand_wait errand_waits[ERRANDS_MAX];
    struct spread *spread; /* what meetings have at more than one worker; NULL: nothing */
    struct note *notes;    /* that are to go to other workers; the next is the last of them */
    struct note *last_note;
    struct trace trace;
    struct http_request request; /* the one that is being answered */
    uint32_t large_max;          /* a message of a WebSocket that it opens; 0: as everywhere */
    struct ws_workshop workshop;
    bool is_stopping;
    uint64_t trace_dropped;
    usec ice_free_at[ICE_PLACES]; /* ice.c: by addresses, how long /api/v1/ice is to be spared */
    uint8_t scratch[BUFFER_SIZE_MAX];
};

static inline uint32_t stream_number(const struct server *server, const struct stream *stream)
{
    return pool_index(&server->streams, stream);
}

/* ---- stream.c ---- */

/* Has server_poll look at the stream. */
void stream_wake(struct server *server, struct stream *stream);

/* Queues a buffer that the caller keeps.  When the queue is full the stream is closed, but only by
 * streams_settle: a dialect may be in the middle of telling others. */
void stream_send(struct server *server, usec now, struct stream *stream, struct buffer *buffer);
/* The same, and gives the caller's reference back. */
void stream_send_give(struct server *server, usec now, struct stream *stream,
                      struct buffer *buffer);

/* Something that the stream must be told can't be: it is closed, by streams_settle. */
void stream_fail(struct server *server, struct stream *stream);

/* The stream's held request has been answered: goes on with the next, by streams_settle. */
void stream_resume(struct server *server, struct stream *stream);

/* Closes the streams that fail and the sessions that are closing, and reads on where it may.  Every
 * call of server.h that can queue ends with it. */
void streams_settle(struct server *server, usec now);

/* Takes no more bytes; ends when all is sent, or in CLOSING_TIME. */
void stream_end(struct server *server, usec now, struct stream *stream);
/* Drops what waits, but for a buffer whose sending has begun. */
void stream_cut(struct server *server, struct stream *stream);

/* Sets the stream's timer by its state; stream_expired acts on it. */
void stream_set_timer(struct server *server, usec now, struct stream *stream);
void stream_expired(struct server *server, usec now, struct stream *stream);

/* One frame or request more: false when it is too many. */
bool stream_take_token(struct stream *stream, usec now);

/* Reads what can be read of `bytes`; gives how many were used. */
size_t stream_consume(struct server *server, usec now, struct stream *stream, struct span bytes);

/* The stream may take bytes again: reads what waited. */
void stream_read_on(struct server *server, usec now, struct stream *stream);

/* Adds bytes behind those that wait, and reads. */
void stream_feed(struct server *server, usec now, struct stream *stream, struct span bytes);

/* A new stream; NULL when all places are taken. */
struct stream *stream_open(struct server *server, usec now, const struct stream_origin *origin);
/* Gives everything back; the stream is no longer valid. */
void stream_release(struct server *server, struct stream *stream);

/* ---- http.c ---- */
size_t http_consume(struct server *server, usec now, struct stream *stream, struct view bytes);
/* A request has begun and does not come to its end: answers 408 and ends the stream. */
void http_time_out(struct server *server, usec now, struct stream *stream);

/* ---- websocket.c ---- */

/* Answers the request with 101 and goes on as a WebSocket in that dialect; or refuses it.
 * `protocol` is the subprotocol that was chosen among the client's; empty: none. */
void websocket_upgrade(struct server *server, usec now, struct stream *stream,
                       const struct http_request *request, const struct dialect *dialect,
                       struct view protocol);
size_t websocket_consume(struct server *server, usec now, struct stream *stream, struct span bytes);
/* Sends a text message made by ws_frame. */
void websocket_send(struct server *server, usec now, struct stream *stream, struct buffer *frame);
/* Sends a close frame and ends the stream, before the dialect is told. */
void websocket_say_close(struct server *server, usec now, struct stream *stream, uint16_t code,
                         struct view reason);
/* Tells the dialect the end, sends a close frame and ends the stream. */
void websocket_close(struct server *server, usec now, struct stream *stream, uint16_t code,
                     struct view reason, bool clean);
void websocket_heartbeat(struct server *server, usec now, struct stream *stream);
/* Tells the dialect that the stream takes nothing more, once. */
void websocket_tell_closed(struct server *server, usec now, struct stream *stream, bool clean);

/* ---- parcel.c ---- */

/* Has the stream go to another worker, where `message` is the dialect's next. */
void stream_move(struct server *server, usec now, struct stream *stream, unsigned worker,
                 struct view message);
/* The same between requests: what came of the next one is read there. */
void stream_move_request(struct server *server, struct stream *stream, unsigned worker);
/* Packs it; NULL when there is no memory. */
struct parcel *parcel_pack(const struct stream *stream);

#endif
