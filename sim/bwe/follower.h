/* follower.h - who follows a line: an estimate of what it takes, and a pacer, as one thing that can
 * be held against another of its kind (ours here; other people's in bench/bwe).
 *
 * The course of a millisecond: hear, of each feedback that has come; turn, in which it may send
 * padding; then, while there is something to send and it may go, send.  What it sends comes out by
 * `put`.  Rates are bits/s of RTP as it is sent, sealed.
 */
#ifndef MOIM_SIM_BWE_FOLLOWER_H
#define MOIM_SIM_BWE_FOLLOWER_H

#include "base/usec.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOLLOWER_START_BPS 600000
#define FOLLOWER_PACKET    1200 /* bytes at most */
#define FOLLOWER_TAG       16   /* of these, SRTP's */

/* Where packets go out. */
struct follower_road {
    void (*put)(void *to, usec now, uint16_t number, size_t size, bool is_padding);
    void *to;
};

struct follower;

struct follower_kind {
    const char *name;
    /* With FOLLOWER_START_BPS; aborts where there is no memory. */
    struct follower *(*open)(usec now, const struct follower_road *road);
    void (*close)(struct follower *follower);
    /* RTCP with feedback has come. */
    void (*hear)(struct follower *follower, usec now, struct view rtcp);
    void (*turn)(struct follower *follower, usec now);
    /* So many bytes wait, the first since then.  False: so much that they are better left out. */
    bool (*waits)(struct follower *follower, usec now, uint32_t bytes, usec since);
    /* May a packet of media go now?  Then: send. */
    bool (*may)(struct follower *follower, usec now);
    void (*send)(struct follower *follower, usec now, size_t size);
    /* With an estimate of `bps` more would be sent, and there is no use in more than `most_bps`. */
    void (*want)(struct follower *follower, usec now, uint64_t bps, uint64_t most_bps);
    uint64_t (*estimate)(struct follower *follower);
};

extern const struct follower_kind follower_ours;

#endif
