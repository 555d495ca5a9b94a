/* key_requests.h - when a video source is to be asked for a key frame: the wishes of all who
 * watch it, merged, and never oftener than once in KEY_REQUEST_EACH, for a key frame costs its
 * sender, and everybody's line, many times what another one does.  Who sees something meanwhile,
 * and would only see it better, waits for KEY_REQUEST_CALM since the last time.
 *
 * A wish is kept until a key frame begins; one that does not come is asked for again.  Zeroed
 * memory has no wishes.
 */
#ifndef MOIM_MEDIA_KEY_REQUESTS_H
#define MOIM_MEDIA_KEY_REQUESTS_H

#include "base/usec.h"

#include <stdbool.h>

#define KEY_REQUEST_EACH (500 * USEC_MS)
#define KEY_REQUEST_CALM (2 * USEC_S)

struct key_requests {
    bool is_wanted;
    bool is_urgent;
    bool was_asked;
    usec asked_at;
};

static inline void key_requests_want(struct key_requests *requests)
{
    requests->is_wanted = requests->is_urgent = true;
}

/* There is no hurry. */
static inline void key_requests_hope(struct key_requests *requests)
{
    requests->is_wanted = true;
}

/* A key frame begins: who waited can begin with it. */
static inline void key_requests_came(struct key_requests *requests)
{
    requests->is_wanted = requests->is_urgent = false;
}

/* When to ask; USEC_NEVER: nobody wants one. */
static inline usec key_requests_until(const struct key_requests *requests)
{
    if (!requests->is_wanted)
        return USEC_NEVER;
    usec pause = requests->is_urgent ? KEY_REQUEST_EACH : KEY_REQUEST_CALM;
    return requests->was_asked ? requests->asked_at + pause : 0;
}

/* True: ask now (a PLI or FIR). */
static inline bool key_requests_due(struct key_requests *requests, usec now)
{
    if (now < key_requests_until(requests))
        return false;
    requests->was_asked = true;
    requests->asked_at = now;
    return true;
}

#endif
