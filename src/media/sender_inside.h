/* sender_inside.h - what the files of a sender share.
 *
 * sender.c         what is new: streams, one behind the other, and which of their packets go on
 * sender_repeat.c  what is sent again
 */
#ifndef MOIM_MEDIA_SENDER_INSIDE_H
#define MOIM_MEDIA_SENDER_INSIDE_H

#include "media/sender.h"

/* One of ours. */
struct outgoing {
    uint16_t number;
    bool is_repeat;
    bool is_empty; /* in the place of one that does not go on */
    bool is_last;  /* of its picture */
};

/* As what it goes out.  FORGOTTEN: it is too late for that. */
enum selection_fate sender_describe(const struct sender *sender, const struct packet *packet,
                                    struct outgoing *outgoing);
/* Queues the packet.  There is room; a transport that is gone takes all, and sends nothing. */
void sender_put(struct sender *sender, usec now, const struct packet *packet,
                const struct outgoing *outgoing);
/* Tells the estimate of it, and the other end its transport-wide number, or else when it goes. */
void sender_stamp(const struct sender *sender, usec now, const struct rtp_written *written,
                  const struct rtc_rtp *rtp, uint8_t *at);

#endif
