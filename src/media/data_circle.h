/* data_circle.h - the data channels of peers that belong together: what one says on a channel, all
 * the others hear on theirs of the same label and protocol.
 *
 * A channel that one opens is opened to all others, with the same reliability, and to those that
 * come later; it is closed when the last of those who opened it has gone.  A message is not copied.
 * Who takes nothing loses messages of a channel that may lose some, and is closed a channel that
 * may not.
 *
 * The circle is the caller's.  One thread.
 */
#ifndef MOIM_MEDIA_DATA_CIRCLE_H
#define MOIM_MEDIA_DATA_CIRCLE_H

#include "base/list.h"
#include "base/pool.h"
#include "base/usec.h"

#include <stdbool.h>
#include <stdint.h>

struct buffer;
struct peer;
struct sctp_channel_terms;
struct sfu;

#define DATA_FAR_TEXT_MAX 200 /* label and protocol of a channel that is known at other workers */
#define DATA_FAR_MAX      64  /* such channels of one circle */

/* What others of the circle, whose peers are elsewhere, are to be told.  What it borrows lasts for
 * the call. */
struct data_way {
    /* A peer here has opened such a channel: said of the first, and maybe of others. */
    void (*opened)(void *context, const struct sctp_channel_terms *terms);
    /* Nobody here has any more. */
    void (*closed)(void *context, const struct sctp_channel_terms *terms);
    void (*said)(void *context, const struct sctp_channel_terms *terms, uint8_t message_kind,
                 const struct buffer *message);
    void *context;
};

struct data_circle {
    struct list peers; /* struct peer's of_circle */
    struct list far;   /* channels that were opened elsewhere: peer_data.c's */
    uint32_t far_count;
    struct pool *far_pool; /* whose these are; NULL: there was none yet */
    struct data_way way;   /* opened is NULL: all are here */
};

void data_circle_init(struct data_circle *circle);
/* Peers that are still in it are in none then, and nobody is told. */
void data_circle_end(struct data_circle *circle);

/* At another worker (its number, below 64) such a channel has been opened, or nobody there has it
 * open any more.  More than DATA_FAR_MAX are not known. */
void data_circle_opened(struct data_circle *circle, struct sfu *sfu, usec now, unsigned worker,
                        const struct sctp_channel_terms *terms);
void data_circle_closed(struct data_circle *circle, struct sfu *sfu, usec now, unsigned worker,
                        const struct sctp_channel_terms *terms);
/* A message has been lost on the way of a channel that may lose none: it is closed to all here. */
void data_circle_broken(struct data_circle *circle, struct sfu *sfu, usec now,
                        const struct sctp_channel_terms *terms);
void data_circle_said(struct data_circle *circle, struct sfu *sfu, usec now,
                      const struct sctp_channel_terms *terms, uint8_t message_kind,
                      struct buffer *message);
/* What is open by somebody elsewhere, the n-th from 0 on; NULL: there are no more.  *workers has a
 * bit for each worker. */
bool data_circle_far(const struct data_circle *circle, unsigned n, uint64_t *workers,
                     struct sctp_channel_terms *terms);
/* Says again all that is open here (opened). */
void data_circle_tell(const struct data_circle *circle);

/* A peer is in one circle at most, from when it comes to when it goes or is closed.  One that is
 * not to be heard only hears: channels that it opens are its own. */
void peer_join_circle(struct peer *peer, usec now, struct data_circle *circle, bool is_heard);
void peer_leave_circle(struct peer *peer, usec now);

#endif
