/* parcel.h - a stream on its way to the worker that owns its room or its endpoint: an open
 * WebSocket, HTTP between two requests, or STUN between two messages.
 *
 * All that the server knows of the stream, in one block that no pool owns.
 */
#ifndef MOIM_FRONT_PARCEL_H
#define MOIM_FRONT_PARCEL_H

#include "front/core.h"

struct parcel {
    const struct dialect *dialect; /* NULL: HTTP or STUN */
    struct address peer;
    struct address local;
    bool is_stun;
    bool secure;
    bool deflate;
    uint16_t tokens;
    usec tokens_at;
    usec heard_at;
    usec timer_at;       /* by then it must have joined */
    size_t host_size;    /* then these bytes, in this order: */
    size_t message_size; /* the message that is to be handled first */
    size_t unread_size;  /* what came behind it */
    size_t unsent_size;  /* what the client is still to be sent */
    uint8_t bytes[];
};

#endif
