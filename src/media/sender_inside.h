/* sender_inside.h - what the files of a sender share.
 *
 * sender.c         what is new: streams, one behind the other, and which of their packets go on
 * sender_joined.c  several packets of sound that go as one
 * sender_repeat.c  what is sent again
 */
#ifndef MOIM_MEDIA_SENDER_INSIDE_H
#define MOIM_MEDIA_SENDER_INSIDE_H

#include "media/sender.h"

/* One of ours. */
struct outgoing {
    uint16_t number;
    uint8_t joined; /* how many of theirs are in it, from the one that is named on */
    bool is_repeat;
    bool is_empty; /* in the place of one that does not go on */
    bool is_last;  /* of its picture */
};

/* As what it goes out.  FORGOTTEN: it is too late for that. */
enum selection_fate sender_describe(const struct sender *sender, const struct packet *packet,
                                    struct outgoing *outgoing);
/* What goes on of it. */
struct view sender_payload(const struct sender *sender, const struct packet *packet);
/* It is the first that goes on of its stream, or behind a silence: so do our numbers. */
void sender_begin(struct sender *sender, usec now, const struct packet *packet);
/* Goes on with the packet, and with those behind it that are joined to it.  False: the batch is
 * full. */
bool sender_pass_on(struct sender *sender, usec now, const struct packet *packet, uint8_t joined);
/* Queues the packet, and gives how long its payload is.  There is room; a transport that is gone
 * takes all, and sends nothing. */
size_t sender_put(struct sender *sender, usec now, const struct packet *packet,
                  const struct outgoing *outgoing);
/* Tells the estimate of it, and the other end its transport-wide number, or else when it goes. */
void sender_stamp(const struct sender *sender, usec now, const struct rtp_written *written,
                  const struct rtc_rtp *rtp, uint8_t *at);

/* ---- sender_joined.c ---- */

/* Whether sound is joined, or waits to be. */
static inline bool sender_is_joining(const struct sender *sender)
{
    return sender->joining.ticks_most > 0 || sender->joining.count > 0;
}
/* RED of which only what is new goes out, for now. */
bool sender_unwraps(const struct sender *sender, const struct packet *packet);
/* A packet that may go on: takes it, now or with others.  As sender_pass_on. */
bool sender_joins(struct sender *sender, usec now, const struct packet *packet);
/* Nothing waits any more: where the stream is left. */
static inline void sender_joins_none(struct sender *sender)
{
    sender->joining.count = 0;
}
/* Of one that went out: how many of theirs were in it. */
uint8_t sender_joined(const struct sender *sender, const struct packet *packet);
/* Writes the payload of as many; gives its size. */
size_t sender_write_joined(const struct sender *sender, const struct packet *packet, uint8_t joined,
                           uint8_t *at);
/* Of as many, the loudest. */
const struct packet *sender_loudest(const struct sender *sender, const struct packet *packet,
                                    uint8_t joined);

#endif
