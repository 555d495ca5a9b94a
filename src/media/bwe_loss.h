/* bwe_loss.h - how much may be sent for what is lost.
 *
 * A line loses packets of its own (radio), and those that are more than it takes.  The first is no
 * reason to send less, the second is.  Which it is, is told apart by what was lost at which rate:
 * of a few rates that the line might take, and the loss of its own that each would leave, that one
 * is taken under which what was seen of the last seconds is the most likely.  (libwebrtc's second
 * controller of loss does so, too.)
 *
 * And, where no packets are told of one by one, by reports alone (draft-ietf-rmcat-gcc-02, section
 * 6).  bits/s.  No memory of their own; zeroed at first.
 */
#ifndef MOIM_MEDIA_BWE_LOSS_H
#define MOIM_MEDIA_BWE_LOSS_H

#include "base/usec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BWE_LOSS_WINDOWS 16 /* of a quarter of a second or more */

struct bwe_loss_window {
    float packets;
    float lost;
    float bps; /* that were sent */
};

struct bwe_loss {
    double bps;            /* 0: not limited by loss, nor ever was */
    double inherent;       /* loss of the line's own: 0 to 1 */
    double average;        /* over the windows */
    double recent;         /* over the last few of them */
    uint32_t window_count; /* that ever were */
    bool is_limiting;
    struct bwe_loss_window windows[BWE_LOSS_WINDOWS];
    /* the window that is open */
    uint32_t packets;
    uint32_t lost;
    uint64_t bytes;
    usec first_sent;
    usec last_sent;
    bool is_open;
};

/* What a feedback told of one packet, lost or not, in the order in which they were sent. */
void bwe_loss_packet(struct bwe_loss *loss, usec sent_at, unsigned size, bool is_lost);
/* One that was told of as lost came after all. */
void bwe_loss_came_late(struct bwe_loss *loss);

/* A probe has shown that so much goes through. */
void bwe_loss_shown(struct bwe_loss *loss, double bps);

struct bwe_loss_input {
    double delay_bps;        /* what the delay allows: the most */
    double acknowledged_bps; /* 0: not known */
    double min_bps;
};

/* After a feedback; gives what loss and delay allow. */
double bwe_loss_update(struct bwe_loss *loss, const struct bwe_loss_input *input);

/* ---- by reports alone ---- */

struct bwe_reports {
    double bps;
    uint64_t expected; /* since the last look */
    uint64_t lost;
    usec looked_at;  /* 0: not yet */
    usec reduced_at; /* 0: never */
};

/* Reports have told of that many packets more.  True: the rate was looked at anew (once a second);
 * `sent_bps` is what is sent, over half as much again it does not go. */
bool bwe_reports_add(struct bwe_reports *reports, usec now, uint32_t expected, uint32_t lost,
                     double sent_bps, usec round_trip);

#endif
