/* rtc.h - between the server and its media port (agent/rtc.h): what comes there, by UDP and on
 * streams, and who hears it.
 *
 * The port knows transports, not who they belong to: whoever opens them (rtc_open, with
 * rtc_door_port) is told what comes of them by a table of functions, and is asked for packets
 * when all that came has been heard.
 *
 * ICE-TCP: a stream is read frame by frame (RFC 4571).  It stays as long as it is a flow of a
 * transport's, and a stranger has RTC_STRANGER_TIME to become one.
 *
 * All but rtc_door_new accept a server without a media port, and then do nothing.
 */
#ifndef MOIM_FRONT_RTC_H
#define MOIM_FRONT_RTC_H

#include "agent/rtc.h"
#include "front/core.h"

#define RTC_STRANGER_TIME (5 * USEC_S)
#define RTC_STRANGERS_MAX 256              /* of a worker; one more, and the oldest has to go */
#define RTC_SWEEP         8                /* streams to be looked at whenever one is let in */
#define RTC_CHECK_MAX     1024             /* bytes of a stranger's frame */
#define RTC_FRAME_MAX     ((size_t)16384)  /* of others' */
#define RTC_SILENCE_TIME  ICE_CONSENT_TIME /* of a stream */
#define RTC_HEARD_MAX     256              /* packets, before the users are asked for some */
/* Packets for a stream are dropped, as a network would, while more than this waits there. */
#define RTC_QUEUE_MAX ((size_t)256 * 1024)

/* Who opens transports.  All are called with nothing else under way; what rtc_* calls put out is
 * drained by the caller.  They may queue for streams, and close them. */
struct rtc_users {
    /* RTC_CONNECTED, RTC_RTP, RTC_RTCP, RTC_DATA and RTC_ENDED, whose transport is then to be
     * closed, now or soon.  What it borrows is valid until the next rtc_* call. */
    void (*hear)(void *context, usec now, const struct rtc_out *out);
    /* Queues packets; called after RTC_HEARD_MAX of RTC_RTP, or a few more, at the latest.  False:
     * the batch is full; it is sent, and this called again. */
    bool (*pump)(void *context, usec now);
    /* `now` has reached what `until` said, or may have. */
    void (*tick)(void *context, usec now);
    usec (*until)(void *context);
};

struct rtc_door {
    struct rtc port;
    struct server_rtc config;
    const struct rtc_users *users; /* NULL: nobody */
    void *context;
    struct list strangers; /* streams of which no transport's other end was heard yet */
    uint32_t stranger_count;
    struct list waiting; /* streams that are not read before all is said */
    struct list known;   /* streams that are no strangers', in the order of their next look */
    unsigned heard;      /* packets, since the users have said all that they had to */
    bool is_stopped;     /* with the server: its streams have been ended */
};

/* Makes server->rtc.  ERR_MEMORY. */
MUST_USE int rtc_door_new(struct server *server, usec now);
/* After the users have closed theirs. */
void rtc_door_free(struct server *server);

/* The users, from now on. */
void rtc_door_serve(struct server *server, const struct rtc_users *users, void *context);

/* To open transports on; NULL: there is no media port. */
static inline struct rtc *rtc_door_port(const struct server *server)
{
    return server->rtc ? &server->rtc->port : NULL;
}
/* Fingerprint and candidates, for descriptions.  There is a media port. */
static inline const struct server_rtc *rtc_door_config(const struct server *server)
{
    return &server->rtc->config;
}

/* Hands the users what has come. */
void rtc_door_hear(struct server *server, usec now);

void rtc_door_tick(struct server *server, usec now);
/* When the port or its users want rtc_door_tick; USEC_NEVER. */
usec rtc_door_until(const struct server *server);

/* ---- rtc_stream.c ---- */

/* Has the oldest stranger go, when they are too many for one more. */
void rtc_door_make_room(struct server *server, usec now);
/* A stream of STREAM_RTC was opened. */
void rtc_door_open(struct server *server, struct stream *stream);
/* Reads whole frames; gives how many bytes they were. */
size_t rtc_door_consume(struct server *server, usec now, struct stream *stream, struct span bytes);
/* The stream will not be read any more. */
void rtc_door_gone(struct server *server, usec now, struct stream *stream);
/* Reads on from those that were not read because the port was full; false: there were none. */
bool rtc_door_read_on(struct server *server, usec now);
/* Queues a run on the stream of its flow, each packet in a frame of its own. */
void rtc_door_send(struct server *server, usec now, const struct rtc_run *run);
/* Ends all of them. */
void rtc_door_end_streams(struct server *server, usec now);

#endif
